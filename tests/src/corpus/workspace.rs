//! What programs try with the workspace.

use super::Entry;
use super::guests::{probe, run};

const ALL: &str = "l:** r:**";
const WRITE: &str = "l:** r:** w:**";

pub(super) fn entries() -> Vec<Entry> {
    let parts = [paths(), denials(), names(), links(), protected(), kinds()];
    parts.into_iter().flatten().collect()
}

/// Ways out of the workspace.
fn paths() -> Vec<Entry> {
    let mut entries = Vec::new();
    for (name, attacks, bad, good) in [
        (
            "escape",
            "reads above the workspace",
            &["raw-read", "../outside.txt"],
            &["raw-read", "a"],
        ),
        (
            "escape-dot",
            "reads above it, by way of .",
            &["raw-read", "./../outside.txt"],
            &["raw-read", "./a"],
        ),
        (
            "escape-folder",
            "reads above it, by way of a folder",
            &["raw-read", "dir/../../outside.txt"],
            &["raw-read", "dir/../a"],
        ),
        (
            "escape-slashes",
            "reads above it, with many slashes",
            &["raw-read", "dir//..//./..///outside.txt"],
            &["raw-read", "dir//..//./a"],
        ),
        (
            "escape-absolute",
            "an absolute path, behind the library's back",
            &["raw-read", "/etc/passwd"],
            &["raw-read", "a"],
        ),
        (
            "escape-and-back",
            "out of the workspace and in again",
            &["raw-read", "../workspace/a"],
            &["raw-read", "dir/../a"],
        ),
        (
            "link-out",
            "reads through a link that leads out",
            &["read", "out"],
            &["read", "plain"],
        ),
        (
            "link-absolute",
            "reads through a link to an absolute path",
            &["read", "absolute"],
            &["read", "plain"],
        ),
    ] {
        entries.push(probe(
            name,
            attacks,
            "PATH-ESCAPE",
            run(bad).files(WRITE),
            run(good).files(WRITE),
        ));
    }
    for (name, attacks, bad, good) in [
        (
            "escape-write",
            "writes above the workspace",
            &["raw-write", "../made", "x"],
            &["raw-write", "made", "x"],
        ),
        (
            "link-out-write",
            "writes through a link that leads out",
            &["raw-write", "out", "x"],
            &["raw-write", "plain", "x"],
        ),
    ] {
        entries.push(probe(
            name,
            attacks,
            "PATH-ESCAPE",
            run(bad).files(WRITE),
            run(good).files(WRITE),
        ));
    }
    entries
}

/// What a lease does not name, or denies.
fn denials() -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut denied = |name, attacks, args, narrow, wide| {
        entries.push(probe(
            name,
            attacks,
            "PATH-DENIED",
            run(args).files(narrow),
            run(args).files(wide),
        ));
    };
    let deny = "l:** r:** d:dir/secret";
    denied(
        "read-unread",
        "reads what it may only list",
        &["read", "a"],
        "l:**",
        "r:a",
    );
    denied(
        "write-unwritten",
        "changes what it may only read",
        &["append", "a", "x"],
        ALL,
        "l:** w:a",
    );
    denied(
        "truncate-unwritten",
        "cuts what it may only read",
        &["truncate", "a", "3"],
        ALL,
        "l:** w:a",
    );
    denied(
        "unlink-unwritten",
        "removes what it may only read",
        &["unlink", "a"],
        ALL,
        "l:** w:a",
    );
    denied(
        "times-unwritten",
        "sets the time of what it may only read",
        &["set-times", "a"],
        ALL,
        "l:** w:a",
    );
    denied(
        "create",
        "makes a file where it may not write",
        &["create-new", "new", "x"],
        "l:** r:** w:a",
        "w:new",
    );
    denied(
        "mkdir",
        "makes a folder where it may not write",
        &["mkdir", "new"],
        "l:** r:** w:a",
        "w:new",
    );
    denied(
        "denied",
        "reads what is denied",
        &["raw-read", "dir/secret"],
        deny,
        ALL,
    );
    denied(
        "denied-dot",
        "the same by way of .",
        &["raw-read", "./dir/./secret"],
        deny,
        ALL,
    );
    denied(
        "denied-slashes",
        "the same with two slashes",
        &["raw-read", "dir//secret"],
        deny,
        ALL,
    );
    denied(
        "denied-and-back",
        "the same through its folder twice",
        &["raw-read", "dir/../dir/secret"],
        deny,
        ALL,
    );
    denied(
        "denied-link",
        "the same through a link",
        &["read", "inner"],
        deny,
        ALL,
    );
    denied(
        "unlisted-link",
        "reads through a link that it may not see",
        &["read", "plain"],
        "l:a r:a",
        "l:** r:a",
    );
    denied(
        "link-write",
        "writes through a link what it may not write",
        &["raw-write", "inner", "x"],
        "l:** r:** w:inner",
        "l:** w:dir/secret",
    );
    denied(
        "rename-folder",
        "renames a folder with something denied in it",
        &["rename", "dir", "moved"],
        "l:** r:** w:** d:dir/secret",
        WRITE,
    );
    denied(
        "rename-to-read",
        "moves a file to where it may be read",
        &["rename", "dir/open", "free"],
        "l:** r:free w:**",
        WRITE,
    );
    denied(
        "list-hidden",
        "lists a folder that is denied",
        &["list", "hidden"],
        "l:** r:** d:hidden",
        ALL,
    );
    denied(
        "stat-hidden",
        "asks whether a hidden file exists",
        &["stat", "hidden/yes"],
        "l:** r:** d:hidden",
        ALL,
    );
    entries
}

/// Other spellings of a denied name.
fn names() -> Vec<Entry> {
    let mut entries = Vec::new();
    for (name, attacks, args, narrow) in [
        (
            "denied-case",
            "a denied name in upper case",
            &["raw-read", "SECRET.TXT"],
            "l:** r:** d:secret.txt",
        ),
        (
            "denied-invisible",
            "a denied name with a character nobody sees",
            &["raw-read", "se\u{200b}cret.txt"],
            "l:** r:** d:secret.txt",
        ),
        (
            "denied-decomposed",
            "a denied name, decomposed",
            &["raw-read", "cafe\u{301}"],
            "l:** r:** d:caf\u{e9}",
        ),
    ] {
        entries.push(probe(
            name,
            attacks,
            "PATH-DENIED",
            run(args).files(narrow),
            run(args).files(ALL),
        ));
    }
    entries
}

/// Links, made and found.
fn links() -> Vec<Entry> {
    let make = run(&["write", "b", "x"]).files(WRITE);
    vec![
        probe(
            "link",
            "makes a hard link",
            "LINK-DENIED",
            run(&["link", "a", "b"]).files(WRITE),
            make,
        ),
        probe(
            "symlink",
            "makes a symbolic link",
            "LINK-DENIED",
            run(&["symlink", "a", "b"]).files(WRITE),
            make,
        ),
        probe(
            "dangling",
            "makes a file through a link",
            "LINK-DENIED",
            run(&["raw-write", "dangling", "x"]).files(WRITE),
            run(&["raw-write", "made", "x"]).files(WRITE),
        ),
        probe(
            "second-name",
            "reads a denied file by its second name",
            "LINK-DENIED",
            run(&["read", "twice"]).files("l:** r:** d:once"),
            run(&["read", "twice"]).files(ALL),
        ),
        probe(
            "second-name-granted",
            "reads by a second name that alone was granted",
            "LINK-DENIED",
            run(&["read", "twice"]).files("l:** r:twice"),
            run(&["read", "twice"]).files(ALL),
        ),
        probe(
            "second-name-write",
            "writes a file that has two names",
            "LINK-DENIED",
            run(&["append", "twice", "x"]).files(WRITE),
            run(&["append", "a", "x"]).files(WRITE),
        ),
    ]
}

/// `.git`, however it is spelled.
fn protected() -> Vec<Entry> {
    let mut entries = Vec::new();
    let good = run(&["raw-read", "git/config"]).files(WRITE);
    for (name, attacks, args) in [
        ("git", "reads .git", &["raw-read", ".git/config"]),
        ("git-case", "reads .GIT", &["raw-read", ".GIT/config"]),
        (
            "git-invisible",
            "reads .git with a character nobody sees",
            &["raw-read", ".g\u{200c}it/config"],
        ),
    ] {
        entries.push(probe(
            name,
            attacks,
            "PATH-PROTECTED",
            run(args).files(WRITE),
            good,
        ));
    }
    for (name, attacks, args, good) in [
        (
            "git-write",
            "writes into .git",
            &["raw-write", ".git/config", "x"],
            &["raw-write", "git/config", "x"],
        ),
        (
            "git-rename",
            "renames .git",
            &["rename", ".git", "moved"],
            &["rename", "git", "moved"],
        ),
        (
            "git-hook",
            "makes a hook",
            &["write", ".git/hook", "x"],
            &["write", "git/hook", "x"],
        ),
    ] {
        entries.push(probe(
            name,
            attacks,
            "PATH-PROTECTED",
            run(args).files(WRITE),
            run(good).files(WRITE),
        ));
    }
    entries
}

/// What is neither file nor folder.
fn kinds() -> Vec<Entry> {
    let good = run(&["read", "a"]).files(WRITE);
    let append = run(&["append", "a", "x"]).files(WRITE);
    vec![
        probe(
            "fifo",
            "opens a pipe, which would never answer",
            "FILE-TYPE",
            run(&["read", "fifo"]).files(WRITE),
            good,
        ),
        probe(
            "fifo-write",
            "writes to a pipe",
            "FILE-TYPE",
            run(&["append", "fifo", "x"]).files(WRITE),
            append,
        ),
        probe(
            "socket",
            "opens a socket",
            "FILE-TYPE",
            run(&["read", "socket"]).files(WRITE),
            good,
        ),
        probe(
            "socket-write",
            "writes to a socket",
            "FILE-TYPE",
            run(&["append", "socket", "x"]).files(WRITE),
            append,
        ),
    ]
}
