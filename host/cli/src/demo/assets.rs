//! What the tour plays with: plugins that come along in the binary, and a small tree.

use std::fs;
use std::path::Path;

use crate::failure::Failure;

/// The plugins, as built by `make plugins`.
const PLUGINS: [(&str, &[u8]); 5] = [
    (
        "structure-lock.wasm",
        include_bytes!("../../../../plugins/prebuilt/structure-lock.wasm"),
    ),
    (
        "file-ops.wasm",
        include_bytes!("../../../../plugins/prebuilt/file-ops.wasm"),
    ),
    (
        "search.wasm",
        include_bytes!("../../../../plugins/prebuilt/search.wasm"),
    ),
    (
        "hello.wasm",
        include_bytes!("../../../../plugins/prebuilt/hello.wasm"),
    ),
    (
        "probe.wasm",
        include_bytes!("../../../../plugins/prebuilt/hostile/probe.wasm"),
    ),
];

/// The tree that is judged and changed.
const TREE: [(&str, &str); 6] = [
    (
        "project/README.md",
        "# A project\n\nIts guide is in docs.\n",
    ),
    (
        "project/docs/guide.md",
        "# Guide\n\nEvery call runs under a lease.\nNo lease, no call.\n",
    ),
    (
        "project/docs/faq.md",
        "# Questions\n\nWho signs a lease? Whoever may.\n",
    ),
    ("project/src/main.rs", "fn main() {}\n"),
    ("site/README.md", "# A site\n"),
    (
        "site/docs/guide.md",
        "# Guide\n\n<!-- toc -->\n<!-- /toc -->\n\n## No lease, no call\n\n## No record, no call\n",
    ),
];

/// What lies beside the tree and is nobody's business.
const SECRET: (&str, &str) = ("secret.txt", "the password is swordfish\n");

/// What the root of the tree must look like.
const RULES: (&str, &str) = (
    "rules.json",
    "{ \"roots\": [\"docs\", \"src\"], \"files\": [\"README.md\"] }\n",
);

/// A request to change one file in docs.
const GOOD_REQUEST: (&str, &str) = (
    "good-request.json",
    "{ \"version\": 1, \"operations\": [\n  { \"op\": \"update\", \"path\": \"docs/guide.md\", \"content\": \"# Guide\\n\\nNo lease, no call. No record, no call.\\n\" } ] }\n",
);

/// A request to change a file elsewhere.
const BAD_REQUEST: (&str, &str) = (
    "bad-request.json",
    "{ \"version\": 1, \"operations\": [\n  { \"op\": \"update\", \"path\": \"src/main.rs\", \"content\": \"fn main() { mine() }\\n\" } ] }\n",
);

/// Puts everything into a folder.
pub(super) fn put(folder: &Path) -> Result<(), Failure> {
    for (name, bytes) in PLUGINS {
        write(&folder.join("plugins").join(name), bytes)?;
    }
    for (name, text) in TREE
        .into_iter()
        .chain([SECRET, RULES, GOOD_REQUEST, BAD_REQUEST])
    {
        write(&folder.join(name), text.as_bytes())?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, bytes))
        .map_err(|error| Failure::writing("file", path, &error))
}
