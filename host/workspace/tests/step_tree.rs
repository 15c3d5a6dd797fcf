//! What a step tree shows, and that the workspace does not notice it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;

use leasehold_files::{FileId, Protected, Tree};
use leasehold_seal::{Class, Coded as _};
use leasehold_workspace::{Difference, Entry, StepTree};
use support::{Place, everything, fifo, link, mode, picture, put, rules};

#[test]
fn what_the_rules_show_is_there_and_nothing_else() {
    let place = Place::new();
    let ws = place.ws();
    put(&ws, "docs/guide.md", "guide");
    put(&ws, "docs/run.sh", "#!/bin/sh\n");
    mode(&ws, "docs/run.sh", 0o755);
    put(&ws, "docs/deep/a/b.md", "b");
    put(&ws, "docs/.env", "secret");
    put(&ws, "src/main.rs", "fn main() {}");
    put(&ws, "src/notes/read.md", "read me");
    put(&ws, "listed/big.bin", "1234567");
    link(&ws, "docs/link.md", "guide.md");
    link(&ws, "docs/out", "/etc/passwd");
    std::fs::create_dir(ws.join("docs/empty")).unwrap();
    let rules = rules(
        &["listed/**"],
        &["src/notes/**"],
        &["docs/**"],
        &["**/.env"],
    );
    let step = place.step(&rules);
    let seen = picture(step.path());
    let paths: Vec<_> = seen.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "docs",
            "docs/deep",
            "docs/deep/a",
            "docs/deep/a/b.md",
            "docs/empty",
            "docs/guide.md",
            "docs/link.md",
            "docs/out",
            "docs/run.sh",
            "listed",
            "listed/big.bin",
            "src",
            "src/notes",
            "src/notes/read.md",
        ]
    );
    assert_eq!(seen["docs/guide.md"], "file 600 \"guide\"");
    assert_eq!(seen["docs/run.sh"], "file 700 \"#!/bin/sh\\n\"");
    assert_eq!(seen["docs/out"], "link \"/etc/passwd\"");
    // Its name and length are shown, so nothing more is here either.
    assert_eq!(seen["listed/big.bin"], "file 600 \"\\0\\0\\0\\0\\0\\0\\0\"");
    // `docs/.env` and `src/main.rs`.
    assert_eq!(step.left_out(), 2);
    assert!(step.difference().unwrap().is_empty());
}

#[test]
fn git_folders_special_files_and_names_that_are_not_utf8_stay_out() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new();
    let ws = place.ws();
    put(&ws, ".git/config", "[core]");
    put(&ws, "sub/.GIT/config", "[core]");
    put(&ws, "sub/.g\u{200c}it/config", "[core]");
    put(&ws, "sub/good", "good");
    fifo(&ws, "sub/fifo");
    std::fs::write(ws.join(std::ffi::OsStr::from_bytes(b"sub/\xff")), "x").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(ws.join("sub/socket")).unwrap();
    let step = place.step(&everything());
    let seen = picture(step.path());
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["sub", "sub/good"]);
    assert_eq!(step.left_out(), 6);
}

#[test]
fn a_file_with_two_names_stays_one_and_is_read_only_where_everything_is() {
    let place = Place::new();
    let ws = place.ws();
    put(&ws, "secret/.env", "secret");
    std::fs::create_dir(ws.join("docs")).unwrap();
    std::fs::hard_link(ws.join("secret/.env"), ws.join("docs/innocent")).unwrap();
    let narrow = rules(&["**"], &["**"], &["docs/**"], &["**/.env"]);
    let step = place.step(&narrow);
    let copy = step.path().join("docs/innocent");
    assert_eq!(copy.metadata().unwrap().nlink(), 2);
    assert_eq!(std::fs::read(&copy).unwrap(), b"\0\0\0\0\0\0");
    // The twin: everything may be read, nothing is denied.
    let step = place.step(&everything());
    let copy = step.path().join("docs/innocent");
    assert_eq!(copy.metadata().unwrap().nlink(), 2);
    assert_eq!(std::fs::read(&copy).unwrap(), b"secret");
}

#[test]
fn what_is_closed_by_identity_stays_out_and_rule_files_stay_fixed() {
    let place = Place::new();
    let ws = place.ws();
    put(&ws, "home/key", "key");
    put(&ws, "leasehold.toml", "version = 1");
    put(&ws, "a", "a");
    let id = |path: &str| {
        let meta = ws.join(path).metadata().unwrap();
        FileId {
            dev: meta.dev(),
            ino: meta.ino(),
        }
    };
    let protected = Protected {
        closed: HashSet::from([id("home")]),
        fixed: HashSet::from([id("leasehold.toml")]),
        fixed_paths: vec!["policy.json".parse().unwrap()],
    };
    let step = StepTree::make(&place.dir(), &everything(), &protected, &place.scratch()).unwrap();
    assert_eq!(
        picture(step.path()).keys().collect::<Vec<_>>(),
        ["a", "leasehold.toml"]
    );
    let inside = step.protected();
    assert_eq!(inside.fixed.len(), 1);
    assert_eq!(inside.fixed_paths.len(), 1);
    Tree::open(step.root().try_clone().unwrap(), inside).unwrap();
    let check = |difference: Difference| {
        let refused = difference.check(&everything(), &protected).err();
        refused.map(|refused| refused.changes.len())
    };
    put(step.path(), "a", "b");
    assert_eq!(check(step.difference().unwrap()), None);
    put(step.path(), "leasehold.toml", "version = 2");
    assert_eq!(check(step.difference().unwrap()), Some(1));
    put(step.path(), "Policy.JSON", "{}");
    assert_eq!(check(step.difference().unwrap()), Some(2));
    std::fs::remove_file(step.path().join("leasehold.toml")).unwrap();
    assert_eq!(check(step.difference().unwrap()), Some(2));
}

#[test]
fn a_step_tree_is_private_and_goes_away() {
    let place = Place::new();
    put(&place.ws(), "docs/a", "a");
    link(&place.ws(), "docs/out", "/etc");
    let before = place.picture();
    let step = place.step(&everything());
    let folder = step.path().parent().unwrap().to_owned();
    assert_eq!(folder.metadata().unwrap().mode() & 0o7777, 0o700);
    put(step.path(), "docs/a", "changed");
    put(step.path(), "new/b", "new");
    std::fs::remove_file(step.path().join("docs/out")).unwrap();
    drop(step);
    assert!(!folder.exists());
    assert_eq!(place.picture(), before);
    let step = place.step(&everything());
    step.remove().unwrap();
    assert_eq!(std::fs::read_dir(place.scratch()).unwrap().count(), 0);
}

#[test]
fn a_scratch_folder_that_is_missing_or_inside_the_workspace() {
    let place = Place::new();
    put(&place.ws(), "a", "a");
    let missing = place.top.path().join("missing");
    let error =
        StepTree::make(&place.dir(), &everything(), &Protected::default(), &missing).unwrap_err();
    assert_eq!(error.code(), "STEP-SCRATCH");
    assert_eq!(error.class(), Class::Fault);
    // Inside, the copy does not copy itself.
    let step = StepTree::make(
        &place.dir(),
        &everything(),
        &Protected::default(),
        &place.ws(),
    )
    .unwrap();
    assert_eq!(picture(step.path()).keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn folders_as_deep_as_paths_can_be() {
    let place = Place::quick();
    let mut at = place.dir();
    // 1,022 components of three letters: 4,087 bytes.
    for _ in 0..1_022 {
        at.create_dir("ddd").unwrap();
        at = at.open_dir("ddd").unwrap();
    }
    at.write("f", "deep").unwrap();
    let step = place.step(&everything());
    assert!(step.difference().unwrap().is_empty());
    assert_eq!(step.left_out(), 0);
    step.remove().unwrap();
    // The longest path there is, and one that is too long.
    at.create_dir_all("e/e/long").unwrap();
    at.create_dir_all("e/e/longer").unwrap();
    assert_eq!(place.step(&everything()).left_out(), 1);
    // The folder of the test would not go away by itself where few descriptors are allowed.
    let removed = std::process::Command::new("rm")
        .arg("-rf")
        .arg(place.ws())
        .status();
    assert!(removed.unwrap().success());
}

#[test]
fn the_difference_is_read_from_the_disk() {
    let place = Place::new();
    let ws = place.ws();
    put(&ws, "mode", "same");
    put(&ws, "content", "old");
    put(&ws, "moved", "moved");
    put(&ws, "dir-to-file/a", "a");
    put(&ws, "file-to-dir", "f");
    put(&ws, "untouched", "u");
    link(&ws, "link", "untouched");
    let step = place.step(&everything());
    let tree = step.path();
    mode(tree, "mode", 0o755);
    // Same length, and the time set back: still seen.
    let time = tree.join("content").metadata().unwrap().modified().unwrap();
    put(tree, "content", "new");
    let file = std::fs::File::options()
        .write(true)
        .open(tree.join("content"))
        .unwrap();
    file.set_modified(time).unwrap();
    std::fs::rename(tree.join("moved"), tree.join("elsewhere")).unwrap();
    std::fs::remove_dir_all(tree.join("dir-to-file")).unwrap();
    put(tree, "dir-to-file", "now a file");
    std::fs::remove_file(tree.join("file-to-dir")).unwrap();
    put(tree, "file-to-dir/b", "b");
    std::fs::remove_file(tree.join("link")).unwrap();
    link(tree, "link", "content");
    let difference = step.difference().unwrap();
    let word = |entry: &Option<Entry>| entry.as_ref().map_or("-", Entry::word);
    let seen: Vec<_> = difference
        .changes()
        .iter()
        .map(|change| {
            (
                change.path.as_str(),
                word(&change.before),
                word(&change.after),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("content", "file", "file"),
            ("dir-to-file", "directory", "file"),
            ("dir-to-file/a", "file", "-"),
            ("elsewhere", "-", "file"),
            ("file-to-dir", "file", "directory"),
            ("file-to-dir/b", "-", "file"),
            ("link", "symbolic link", "symbolic link"),
            ("mode", "file", "file"),
            ("moved", "file", "-"),
        ]
    );
}
