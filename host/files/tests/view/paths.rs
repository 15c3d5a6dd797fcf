//! What a guest may write as a path, and what it learns from the answer.

use leasehold_files::{FileKind, Kind, OpenHow};

use crate::common::*;

#[test]
fn parent_components_stay_inside_and_their_twin_works() {
    let bench = Bench::with(&["docs/a.md", "b.md"]);
    let narrow = bench.view(rules(&["docs/**"], &["docs/**"], &[], &[]));
    assert_eq!(failure(narrow.read_text("../outside/secret")), ESCAPE);
    assert_eq!(
        failure(narrow.read_text("docs/../../outside/secret")),
        ESCAPE
    );
    assert_eq!(failure(narrow.read_text("docs/../../ws/docs/a.md")), ESCAPE);
    assert_eq!(failure(narrow.read_text("docs/../b.md")), DENIED);
    assert_eq!(failure(narrow.read_path("docs/../b.md", 0, 9)), DENIED);
    assert_eq!(narrow.read_text("docs/../docs/a.md").unwrap(), "docs/a.md");
    let wide = bench.view(read_all());
    assert_eq!(wide.read_text("docs/../b.md").unwrap(), "b.md");
    assert_eq!(wide.read_path("docs/../b.md", 0, 9).unwrap().0, b"b.md");
    // The workspace is its own root, however much may be read in it.
    assert_eq!(failure(wide.read_text("../outside/secret")), ESCAPE);
}

#[test]
fn parent_components_stay_below_the_descriptor_they_start_from() {
    let bench = Bench::with(&["docs/en/a.md", "docs/b.md"]);
    let view = bench.view(read_all());
    let docs = view.open_at(&view.root(), "docs", LIST).unwrap();
    let en = view.open_at(&docs, "en", LIST).unwrap();
    assert_eq!(failure(view.open_at(&en, "../b.md", READ)), ESCAPE);
    assert!(view.open_at(&docs, "en/../b.md", READ).is_ok());
    assert!(view.open_at(&docs, "b.md", READ).is_ok());
}

#[test]
fn absolute_paths_are_refused() {
    let bench = Bench::with(&["a"]);
    let view = bench.view(read_all());
    for path in ["/", "/a", "//a", "/etc/passwd"] {
        assert_eq!(
            failure(view.stat_at(&view.root(), path, true)),
            ESCAPE,
            "{path}"
        );
    }
    let inside = bench.path("a").to_str().unwrap().to_owned();
    assert_eq!(failure(view.read_text(&inside)), ESCAPE);
    assert_eq!(view.read_text("a").unwrap(), "a");
}

#[test]
fn unusual_spellings_of_a_path_mean_the_same_file() {
    let bench = Bench::with(&["docs/a.md", "secret/b"]);
    let view = bench.view(rules(&["**"], &["docs/**"], &[], &["secret"]));
    for path in [
        "docs//a.md",
        "./docs/a.md",
        "docs/./a.md",
        "docs/./././/a.md",
        ".//docs//.//a.md",
    ] {
        assert_eq!(view.read_text(path).unwrap(), "docs/a.md", "{path}");
        assert_eq!(
            view.read_path(path, 0, 99).unwrap().0,
            b"docs/a.md",
            "{path}"
        );
    }
    for path in [
        "secret//b",
        "./secret/b",
        "secret/./b",
        "docs/../secret/b",
        "secret/../secret/b",
    ] {
        assert_eq!(failure(view.read_text(path)), DENIED, "{path}");
        assert_eq!(failure(view.read_path(path, 0, 99)), DENIED, "{path}");
    }
    let wide = bench.view(read_all());
    for path in [
        "secret//b",
        "./secret/b",
        "secret/./b",
        "docs/../secret/b",
        "secret/../secret/b",
    ] {
        assert_eq!(wide.read_text(path).unwrap(), "secret/b", "{path}");
    }
}

#[test]
fn empty_nul_and_overlong_paths_are_refused() {
    let bench = Bench::with(&["a"]);
    let view = bench.view(all());
    let root = view.root();
    assert_eq!(
        failure(view.stat_at(&root, "", true)),
        (Kind::NoEntry, "PATH-FORMAT")
    );
    assert_eq!(
        failure(view.stat_at(&root, "a\0b", true)),
        (Kind::Invalid, "PATH-FORMAT")
    );
    assert_eq!(
        failure(view.stat_at(&root, "a\0", true)),
        (Kind::Invalid, "PATH-FORMAT")
    );
    let long = "x/".repeat(3_000);
    assert_eq!(
        failure(view.stat_at(&root, &long, true)),
        (Kind::NameTooLong, "PATH-FORMAT")
    );
    let name = "x".repeat(256);
    assert_eq!(
        failure(view.stat_at(&root, &name, true)),
        (Kind::NameTooLong, "PATH-FORMAT")
    );
    assert!(view.stat_at(&root, "a", true).is_ok());
}

#[test]
fn a_slash_at_the_end_asks_for_a_directory() {
    let bench = Bench::with(&["a", "d/x"]);
    bench.link("d", "to-d");
    bench.link("a", "to-a");
    let view = bench.view(all());
    let root = view.root();
    for path in ["a/", "a/.", "to-a/", "a/x", "a/.."] {
        assert_eq!(failure(view.stat_at(&root, path, true)), NOT_DIR, "{path}");
        assert_eq!(failure(view.read_path(path, 0, 1)), NOT_DIR, "{path}");
        assert_eq!(failure(view.open_at(&root, path, READ)), NOT_DIR, "{path}");
    }
    assert_eq!(
        view.stat_at(&root, "d/", false).unwrap().kind,
        FileKind::Directory
    );
    assert_eq!(
        view.stat_at(&root, "d/.", false).unwrap().kind,
        FileKind::Directory
    );
    // POSIX: the slash also has a link followed.
    assert_eq!(
        view.stat_at(&root, "to-d", false).unwrap().kind,
        FileKind::Symlink
    );
    assert_eq!(
        view.stat_at(&root, "to-d/", false).unwrap().kind,
        FileKind::Directory
    );
    assert_eq!(failure(view.unlink_at(&root, "a/")), NOT_DIR);
    assert_eq!(failure(view.open_at(&root, "new/", CREATE)), IS_DIR);
    assert!(!bench.path("new").exists());
    view.create_dir_at(&root, "made/").unwrap();
    assert!(bench.path("made").is_dir());
}

/// Everything a guest can ask of a path that tells whether something is there.
fn probes(view: &Checked, path: &str) -> Vec<(Kind, &'static str)> {
    let root = view.root();
    vec![
        failure(view.stat_at(&root, path, true)),
        failure(view.stat_at(&root, path, false)),
        failure(view.stat_at(&root, &format!("{path}/"), false)),
        failure(view.stat_at(&root, &format!("{path}/below"), false)),
        failure(view.stat_at(&root, &format!("{path}/../secret/x"), false)),
        failure(view.metadata_hash_at(&root, path, true)),
        failure(view.readlink_at(&root, path)),
        failure(view.open_at(&root, path, NONE)),
        failure(view.open_at(&root, path, READ)),
        failure(view.open_at(&root, path, WRITE)),
        failure(view.open_at(&root, path, LIST)),
        failure(view.open_at(&root, path, CREATE)),
        failure(view.open_at(
            &root,
            path,
            OpenHow {
                exclusive: true,
                ..CREATE
            },
        )),
        failure(view.open_at(
            &root,
            path,
            OpenHow {
                truncate: true,
                ..WRITE
            },
        )),
        failure(view.create_dir_at(&root, path)),
        failure(view.remove_dir_at(&root, path)),
        failure(view.unlink_at(&root, path)),
        failure(view.rename_at(&root, path, &root, "public/new")),
        failure(view.rename_at(&root, "public/a", &root, path)),
        failure(view.set_times_at(&root, path, true)),
        failure(view.read_path(path, 0, 1)),
        failure(view.digest_path(path)),
    ]
}

#[test]
fn nothing_tells_whether_a_hidden_path_exists() {
    let bench = Bench::with(&["public/a", "secret/file", "secret/dir/x", "secret/x"]);
    bench.link("/etc/passwd", "secret/absolute");
    bench.link("loop", "secret/loop");
    bench.link("nowhere", "secret/dangling");
    bench.link("../public/a", "secret/to-public");
    bench.link("../../..", "secret/up");
    std::os::unix::net::UnixListener::bind(bench.path("secret/socket")).unwrap();
    let public = ["public/**"];
    for narrow in [
        // Never mentioned, denied below what is allowed, and allowed only by its neighbours' pattern.
        rules(&public, &public, &public, &[]),
        rules(&["**"], &["**"], &["**"], &["secret"]),
        rules(&["**"], &["**"], &["**"], &["SECRET/**"]),
    ] {
        let view = bench.view(narrow);
        let missing = probes(&view, "secret/missing");
        assert!(
            missing.iter().all(|answer| *answer == DENIED),
            "{missing:?}"
        );
        for there in [
            "file",
            "dir",
            "absolute",
            "loop",
            "dangling",
            "to-public",
            "up",
            "socket",
        ] {
            assert_eq!(
                probes(&view, &format!("secret/{there}")),
                missing,
                "{there}"
            );
        }
        assert_eq!(
            probes(&view, "secret"),
            probes(&view, "SECRET"),
            "the folder itself"
        );
        assert_eq!(bench.text("public/a"), "public/a");
    }
    let wide = bench.view(all());
    assert_eq!(
        wide.stat_at(&wide.root(), "secret/file", true)
            .unwrap()
            .size,
        11
    );
    assert_eq!(
        failure(wide.stat_at(&wide.root(), "secret/missing", true)),
        NO_ENTRY
    );
    assert_eq!(wide.read_text("secret/to-public").unwrap(), "public/a");
}

#[test]
fn a_file_in_the_way_is_as_good_as_nothing() {
    // `a` and `b` lead to something that is allowed. That `a` is a file, is a link, or is missing is not to be known.
    let wanted = ["a/x", "b/x", "c/x", "d/x"];
    let bench = Bench::with(&["a", "d/x"]);
    bench.link("d", "b");
    let view = bench.view(rules(&wanted, &wanted, &[], &[]));
    let root = view.root();
    for name in ["a", "b", "c"] {
        assert_eq!(failure(view.stat_at(&root, name, false)), DENIED, "{name}");
        assert_eq!(failure(view.open_at(&root, name, LIST)), DENIED, "{name}");
        assert_eq!(
            failure(view.stat_at(&root, &format!("{name}/x"), true)),
            NO_ENTRY,
            "{name}"
        );
        assert_eq!(
            failure(view.stat_at(&root, &format!("{name}/y"), true)),
            DENIED,
            "{name}"
        );
    }
    assert_eq!(view.names("").unwrap(), ["d"]);
    assert_eq!(view.read_text("d/x").unwrap(), "d/x");
    // A link is followed once the link itself may be seen.
    let wide = bench.view(rules(&["b", "d/x"], &wanted, &[], &[]));
    assert_eq!(wide.read_text("b/x").unwrap(), "d/x");
}

#[test]
fn a_denied_folder_cannot_be_listed() {
    let bench = Bench::with(&["open/a", "closed/b", "open/closed/c"]);
    let narrow = bench.view(rules(&["**"], &["**"], &[], &["**/closed"]));
    assert_eq!(failure(narrow.names("closed")), DENIED);
    assert_eq!(failure(narrow.names("open/closed")), DENIED);
    assert_eq!(narrow.names("").unwrap(), ["open"]);
    assert_eq!(narrow.names("open").unwrap(), ["a"]);
    let coverage = narrow.coverage();
    assert_eq!(
        (coverage.hidden, coverage.denied, coverage.complete()),
        (2, 2, false)
    );
    let wide = bench.view(read_all());
    assert_eq!(wide.names("open").unwrap(), ["a", "closed"]);
    assert_eq!(wide.names("closed").unwrap(), ["b"]);
    assert!(wide.coverage().complete());
}

#[test]
fn other_spellings_of_a_denied_name_are_denied() {
    // Each is a file of its own on this file system; on one that folds names it would be the denied one.
    let spellings = [".ENV", ".Env", ".e\u{200d}nv", ".env.", ".env "];
    let accents = ["CAFÉ", "cafe\u{301}", "Cafe\u{301}"];
    let bench = Bench::with(&spellings);
    accents.iter().for_each(|name| bench.file(name, "x"));
    let narrow = bench.view(rules(&["**"], &["**"], &["**"], &["**/.env", "café"]));
    for name in spellings.iter().chain(&accents) {
        assert_eq!(failure(narrow.read_text(name)), DENIED, "{name:?}");
        assert_eq!(failure(narrow.write_text(name, "y")), DENIED, "{name:?}");
        assert_eq!(
            failure(narrow.stat_at(&narrow.root(), name, true)),
            DENIED,
            "{name:?}"
        );
    }
    assert!(narrow.names("").unwrap().is_empty());
    let wide = bench.view(all());
    for name in spellings {
        assert_eq!(wide.read_text(name).unwrap(), name);
    }
}

#[test]
fn allowing_goes_by_the_exact_name() {
    let bench = Bench::with(&["README", "readme"]);
    let view = bench.view(rules(&["README"], &["README"], &[], &[]));
    assert_eq!(view.read_text("README").unwrap(), "README");
    assert_eq!(failure(view.read_text("readme")), DENIED);
    assert_eq!(view.names("").unwrap(), ["README"]);
}

#[test]
fn rights_to_list_read_and_write_are_three_rights() {
    let bench = Bench::with(&["d/a"]);
    let every = ["d/**"];
    let list = bench.view(rules(&every, &[], &[], &[]));
    assert_eq!(list.names("d").unwrap(), ["a"]);
    assert_eq!(list.stat_at(&list.root(), "d/a", true).unwrap().size, 0);
    assert_eq!(failure(list.read_text("d/a")), DENIED);
    assert_eq!(failure(list.write_text("d/a", "x")), DENIED);
    let read = bench.view(rules(&[], &every, &[], &[]));
    assert_eq!(read.read_text("d/a").unwrap(), "d/a");
    assert!(read.names("d").unwrap().is_empty());
    assert_eq!(failure(read.write_text("d/a", "x")), DENIED);
    let write = bench.view(rules(&[], &[], &every, &[]));
    assert_eq!(failure(write.read_text("d/a")), DENIED);
    assert!(write.names("d").unwrap().is_empty());
    write.write_text("d/a", "x").unwrap();
    assert_eq!(bench.text("d/a"), "x");
    let none = bench.view(rules(&[], &[], &[], &[]));
    assert_eq!(failure(none.read_text("d/a")), DENIED);
    assert!(none.names("").unwrap().is_empty());
}

#[test]
fn a_descriptor_without_rights_to_content_does_not_tell_its_size() {
    let bench = Bench::with(&["a"]);
    std::fs::hard_link(bench.path("a"), bench.path("b")).unwrap();
    let list = bench.view(rules(&["**"], &[], &[], &[]));
    let linked = bench.view(rules(&["**"], &["a", "b"], &[], &[]));
    for view in [&list, &linked] {
        let node = view.open_at(&view.root(), "a", NONE).unwrap();
        assert_eq!(view.stat(&node).unwrap().size, 0);
    }
    let wide = bench.view(read_all());
    let node = wide.open_at(&wide.root(), "a", NONE).unwrap();
    assert_eq!(wide.stat(&node).unwrap().size, 1);
}
