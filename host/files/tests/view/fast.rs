//! The fast way: one operation lists, one reads a file.

use std::fs;

use leasehold_files::{FileKind, Kind};
use leasehold_lease::Pattern;
use leasehold_seal::Digest;

use crate::common::*;

fn walk(view: &Checked, patterns: &[&str], batch: usize) -> Vec<String> {
    let patterns: Vec<Pattern> = patterns.iter().map(|text| text.parse().unwrap()).collect();
    let mut walk = view.walk(patterns);
    let mut found = Vec::new();
    loop {
        let entries = walk.next(batch).unwrap();
        assert!(entries.len() <= batch);
        if entries.is_empty() {
            return found;
        }
        found.extend(
            entries
                .into_iter()
                .map(|entry| entry.path.as_str().to_owned()),
        );
    }
}

#[test]
fn a_walk_gives_whole_paths_in_byte_order() {
    let bench = Bench::with(&["a/c", "a.b", "a/b/d", "a-x", "z", "B", "a/b.c", "é"]);
    let view = bench.view(read_all());
    let all = walk(&view, &["**"], 3);
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!(all, sorted);
    assert_eq!(
        all,
        [
            "B", "a", "a-x", "a.b", "a/b", "a/b.c", "a/b/d", "a/c", "z", "é"
        ]
    );
    assert_eq!(walk(&view, &["**"], 1), all);
    assert_eq!(walk(&view, &["**"], 1_000), all);
    assert_eq!(
        walk(&view, &["a/**"], 2),
        ["a", "a/b", "a/b.c", "a/b/d", "a/c"]
    );
    assert_eq!(walk(&view, &["**/d", "z"], 2), ["a/b/d", "z"]);
    assert_eq!(walk(&view, &["*"], 9), ["B", "a", "a-x", "a.b", "z", "é"]);
    assert!(walk(&view, &[], 9).is_empty());
    assert!(walk(&view, &["nothing/here"], 9).is_empty());
}

#[test]
fn a_walk_shows_what_may_be_listed_and_counts_the_rest() {
    let bench = Bench::with(&["docs/a", "docs/.env", "src/b", "src/deep/c", ".git/config"]);
    let view = bench.view(rules(
        &["docs/**", "src/deep/*"],
        &["docs/a"],
        &[],
        &["**/.env"],
    ));
    assert_eq!(walk(&view, &["**"], 9), ["docs", "docs/a", "src/deep/c"]);
    let coverage = view.coverage();
    assert_eq!(
        (
            coverage.listed,
            coverage.hidden,
            coverage.protected,
            coverage.unreadable
        ),
        (3, 2, 1, 1)
    );
    assert!(!coverage.complete());
    assert_eq!(walk(&view, &["**"], 1), ["docs", "docs/a", "src/deep/c"]);
    assert_eq!(
        view.coverage(),
        coverage,
        "listing again counts nothing twice"
    );
    // What was not asked about is not missing.
    let asking = bench.view(rules(&["docs/**"], &["docs/**"], &[], &[]));
    assert_eq!(
        walk(&asking, &["docs/**"], 9),
        ["docs", "docs/.env", "docs/a"]
    );
    assert!(asking.coverage().complete());
    let wide = bench.view(read_all());
    assert_eq!(
        walk(&wide, &["**"], 9),
        [
            "docs",
            "docs/.env",
            "docs/a",
            "src",
            "src/b",
            "src/deep",
            "src/deep/c"
        ]
    );
    assert!(wide.coverage().complete());
}

#[test]
fn a_walk_never_follows_a_link() {
    let bench = Bench::with(&["d/x"]);
    bench.link("d", "to-d");
    bench.link(bench.outside(), "to-outside");
    bench.link("..", "d/up");
    let view = bench.view(read_all());
    assert_eq!(
        walk(&view, &["**"], 9),
        ["d", "d/up", "d/x", "to-d", "to-outside"]
    );
    let entries = view.walk(vec!["**".parse().unwrap()]).next(9).unwrap();
    let links = entries
        .iter()
        .filter(|entry| entry.attributes.kind == FileKind::Symlink);
    assert_eq!(links.count(), 3);
}

#[test]
fn entries_state_what_may_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::with(&["open", "shut"]);
    fs::set_permissions(bench.path("open"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::hard_link(bench.path("shut"), bench.path("shut-2")).unwrap();
    let view = bench.view(rules(&["**"], &["open", "shut-2"], &[], &[]));
    let entries = view.walk(vec!["**".parse().unwrap()]).next(9).unwrap();
    let facts: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.path.as_str(),
                entry.attributes.size,
                entry.attributes.executable,
                entry.attributes.readable,
            )
        })
        .collect();
    assert_eq!(
        facts,
        [
            ("open", 4, true, true),
            ("shut", 0, false, false),
            ("shut-2", 0, false, false)
        ]
    );
    for entry in entries {
        let read = view.read_path(entry.path.as_str(), 0, 9);
        assert_eq!(read.is_ok(), entry.attributes.readable, "{}", entry.path);
    }
}

#[test]
fn a_file_is_read_in_pieces() {
    let bench = Bench::new();
    let content: String = (0..5_000).map(|number| format!("{number},")).collect();
    bench.file("d/big", &content);
    let view = bench.view(read_all());
    for piece in [1_000, 4_096, 100_000] {
        let mut read = Vec::new();
        loop {
            let (bytes, end) = view.read_path("d/big", read.len() as u64, piece).unwrap();
            read.extend_from_slice(&bytes);
            assert!(end || bytes.len() == piece);
            if end {
                break;
            }
        }
        assert_eq!(read, content.as_bytes());
    }
    assert_eq!(
        view.read_path("d/big", 1 << 40, 10).unwrap(),
        (vec![], true)
    );
    assert_eq!(view.read_path("d/big", 5, 0).unwrap(), (vec![], false));
    let (digest, length) = view.digest_path("d/big").unwrap();
    assert_eq!(
        (digest, length),
        (Digest::of(content.as_bytes()), content.len() as u64)
    );
    let mut buffer = [0; 10];
    let node = view.open_at(&view.root(), "d/big", READ).unwrap();
    assert_eq!(view.read_into(&node, 2, &mut buffer).unwrap(), 10);
    assert_eq!(&buffer, b"1,2,3,4,5,");
    assert_eq!(
        view.read_into(&node, content.len() as u64 - 3, &mut buffer)
            .unwrap(),
        3
    );
}

#[test]
fn a_file_that_is_no_longer_the_same_is_said_to_have_changed() {
    let bench = Bench::with(&["a", "b", "c", "d"]);
    let changed = (Kind::Changed, "FILE-CHANGED");
    let view = bench.view(read_all());
    // Seen in a listing, replaced, then read.
    walk(&view, &["a"], 9);
    fs::write(bench.path("new"), "a").unwrap();
    fs::rename(bench.path("new"), bench.path("a")).unwrap();
    assert_eq!(failure(view.read_path("a", 0, 9)), changed);
    // Read in part, grown, then read on.
    view.read_path("b", 0, 0).unwrap();
    fs::write(bench.path("b"), "longer").unwrap();
    assert_eq!(failure(view.read_path("b", 0, 9)), changed);
    assert_eq!(failure(view.digest_path("b")), changed);
    // The twins: nobody changed it, and the call itself changed it.
    walk(&view, &["c"], 9);
    assert_eq!(view.read_path("c", 0, 9).unwrap().0, b"c");
    let writer = bench.view(all());
    assert_eq!(writer.read_path("d", 0, 9).unwrap().0, b"d");
    writer.write_text("d", "mine").unwrap();
    assert_eq!(writer.read_path("d", 0, 9).unwrap().0, b"mine");
    // A descriptor reads on what it opened.
    let node = writer.open_at(&writer.root(), "c", READ).unwrap();
    fs::write(bench.path("c"), "other").unwrap();
    assert_eq!(writer.read(&node, 0, 9).unwrap().0, b"other");
}

#[test]
fn a_file_replaced_by_something_else_after_it_was_listed() {
    let bench = Bench::with(&["fifo", "dir", "link", "hard", "file", "secret/x"]);
    let view = bench.view(rules(&["**"], &["**"], &[], &["secret"]));
    assert_eq!(
        walk(&view, &["*"], 9),
        ["dir", "fifo", "file", "hard", "link"]
    );
    for name in ["fifo", "dir", "link", "hard"] {
        fs::remove_file(bench.path(name)).unwrap();
    }
    assert!(
        std::process::Command::new("mkfifo")
            .arg(bench.path("fifo"))
            .status()
            .unwrap()
            .success()
    );
    fs::create_dir(bench.path("dir")).unwrap();
    bench.link("secret/x", "link");
    fs::hard_link(bench.path("secret/x"), bench.path("hard")).unwrap();
    for (name, answer) in [
        ("fifo", TYPE),
        ("dir", IS_DIR),
        ("link", DENIED),
        ("hard", LINK),
    ] {
        assert_eq!(failure(view.read_path(name, 0, 9)), answer, "{name}");
        assert_eq!(failure(view.digest_path(name)), answer, "{name}");
        if name != "dir" {
            assert_eq!(
                failure(view.open_at(&view.root(), name, READ)),
                answer,
                "{name}"
            );
        }
    }
    assert_eq!(view.read_path("file", 0, 9).unwrap().0, b"file");
}

#[test]
fn a_directory_that_goes_away_during_a_walk_is_left_out() {
    let bench = Bench::with(&["a/x", "b/y", "c/z"]);
    let view = bench.view(read_all());
    let mut walk = view.walk(vec!["**".parse().unwrap()]);
    assert_eq!(walk.next(1).unwrap()[0].path.as_str(), "a");
    fs::remove_dir_all(bench.path("a")).unwrap();
    fs::remove_dir_all(bench.path("b")).unwrap();
    bench.link(bench.outside(), "b");
    let rest: Vec<String> = walk
        .next(9)
        .unwrap()
        .into_iter()
        .map(|entry| entry.path.as_str().to_owned())
        .collect();
    assert_eq!(rest, ["b", "c", "c/z"]);
}

#[test]
fn a_directory_that_the_host_cannot_list_is_said_and_counted() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::with(&["a", "b/x", "c"]);
    let close =
        |mode| fs::set_permissions(bench.path("b"), fs::Permissions::from_mode(mode)).unwrap();
    close(0);
    if fs::read_dir(bench.path("b")).is_ok() {
        // Root may list it all the same: give the test to somebody else.
        close(0o755);
        return as_nobody("fast::a_directory_that_the_host_cannot_list_is_said_and_counted");
    }
    let view = bench.view(read_all());
    let mut walk = view.walk(vec!["**".parse().unwrap()]);
    let mut names = Vec::new();
    let mut errors = Vec::new();
    loop {
        match walk.next(9) {
            Ok(batch) if batch.is_empty() => break,
            Ok(batch) => names.extend(
                batch
                    .into_iter()
                    .map(|entry| entry.path.as_str().to_owned()),
            ),
            Err(error) => errors.push(error.kind()),
        }
    }
    close(0o755);
    assert_eq!(
        (names.join(" "), errors),
        ("a b c".to_owned(), vec![Kind::Access])
    );
    assert_eq!(
        (view.coverage().failed, view.coverage().complete()),
        (1, false)
    );
    let whole = bench.view(read_all());
    assert_eq!(walk_names(&whole), ["a", "b", "b/x", "c"]);
    assert!(whole.coverage().complete());
}

fn walk_names(view: &Checked) -> Vec<String> {
    walk(view, &["**"], 9)
}

/// Runs one test of this binary as the user `nobody`.
fn as_nobody(test: &str) {
    use std::os::unix::process::CommandExt;
    // The binary may lie where nobody may not go: it is run through a descriptor that is open already.
    let me = fs::File::open(std::env::current_exe().unwrap()).unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&me);
    let run = std::process::Command::new(format!("/proc/self/fd/{fd}"))
        .args(["--exact", test])
        .uid(65_534)
        .gid(65_534)
        .current_dir("/")
        .output();
    match run {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && said.contains("1 passed"),
                "{said}"
            );
        }
        Err(error) => eprintln!("SKIPPED {test}: cannot run as nobody: {error}"),
    }
}
