//! Symbolic and hard links.

use std::fs;

use leasehold_files::{FileKind, Kind, OpenHow};

use crate::common::*;

#[test]
fn a_link_to_outside_leads_nowhere() {
    let bench = Bench::with(&["docs/a"]);
    bench.link(bench.outside().join("secret"), "docs/absolute");
    bench.link("../../outside/secret", "docs/relative");
    bench.link("../../outside", "docs/folder");
    bench.link("../docs/../../outside/secret", "docs/winding");
    let view = bench.view(all());
    let root = view.root();
    for path in [
        "docs/absolute",
        "docs/relative",
        "docs/folder/secret",
        "docs/winding",
    ] {
        assert_eq!(failure(view.read_text(path)), ESCAPE, "{path}");
        assert_eq!(failure(view.read_path(path, 0, 99)), ESCAPE, "{path}");
        assert_eq!(failure(view.stat_at(&root, path, true)), ESCAPE, "{path}");
        assert_eq!(failure(view.write_text(path, "x")), ESCAPE, "{path}");
    }
    assert_eq!(failure(view.names("docs/folder")), ESCAPE);
    assert_eq!(
        failure(view.create_dir_at(&root, "docs/folder/new")),
        ESCAPE
    );
    assert_eq!(failure(view.unlink_at(&root, "docs/folder/secret")), ESCAPE);
    // The links themselves may be seen, and their text where it is not absolute.
    assert_eq!(
        view.stat_at(&root, "docs/absolute", false).unwrap().kind,
        FileKind::Symlink
    );
    assert_eq!(failure(view.readlink_at(&root, "docs/absolute")), ESCAPE);
    assert_eq!(
        view.readlink_at(&root, "docs/relative").unwrap(),
        "../../outside/secret"
    );
    assert_eq!(
        fs::read_to_string(bench.outside().join("secret")).unwrap(),
        SECRET
    );
    // The twin: the same kind of link to a place inside.
    bench.link("../docs/a", "docs/inside");
    assert_eq!(view.read_text("docs/inside").unwrap(), "docs/a");
}

#[test]
fn a_link_to_a_denied_file_is_decided_by_where_it_leads() {
    let bench = Bench::with(&["public/a", "secret/b"]);
    bench.link("../secret/b", "public/file");
    bench.link("../secret", "public/folder");
    bench.link("folder/b", "public/twice");
    let narrow = bench.view(rules(&["**"], &["**"], &["**"], &["secret"]));
    for path in [
        "public/file",
        "public/folder/b",
        "public/folder/missing",
        "public/twice",
    ] {
        assert_eq!(failure(narrow.read_text(path)), DENIED, "{path}");
        assert_eq!(failure(narrow.read_path(path, 0, 9)), DENIED, "{path}");
        assert_eq!(
            failure(narrow.stat_at(&narrow.root(), path, true)),
            DENIED,
            "{path}"
        );
        assert_eq!(failure(narrow.write_text(path, "x")), DENIED, "{path}");
    }
    assert_eq!(failure(narrow.names("public/folder")), DENIED);
    let wide = bench.view(read_all());
    for path in ["public/file", "public/folder/b", "public/twice"] {
        assert_eq!(wide.read_text(path).unwrap(), "secret/b", "{path}");
    }
    assert_eq!(bench.text("secret/b"), "secret/b");
}

#[test]
fn a_link_that_may_not_be_seen_is_not_followed() {
    let bench = Bench::with(&["real/a"]);
    bench.link("real", "alias");
    let narrow = bench.view(rules(&["real/**"], &["real/**"], &[], &[]));
    assert_eq!(failure(narrow.read_text("alias/a")), DENIED);
    let wide = bench.view(rules(&["real/**", "alias"], &["real/**"], &[], &[]));
    assert_eq!(wide.read_text("alias/a").unwrap(), "real/a");
    // The link's own rights give none on what it leads to.
    let link_only = bench.view(rules(&["alias/**"], &["alias/**"], &["alias/**"], &[]));
    assert_eq!(failure(link_only.read_text("alias/a")), DENIED);
    assert_eq!(failure(link_only.write_text("alias/a", "x")), DENIED);
}

#[test]
fn dangling_and_looping_links() {
    let bench = Bench::with(&["a"]);
    bench.link("nowhere", "dangling");
    bench.link("loop-b", "loop-a");
    bench.link("loop-a", "loop-b");
    bench.link("self/x", "self");
    for step in 0..50 {
        bench.link(
            if step == 0 {
                "a".to_owned()
            } else {
                format!("chain-{}", step - 1)
            },
            &format!("chain-{step}"),
        );
    }
    let view = bench.view(all());
    let root = view.root();
    assert_eq!(failure(view.read_text("dangling")), NO_ENTRY);
    for path in ["loop-a", "self", "chain-49", "chain-40"] {
        assert_eq!(
            failure(view.read_text(path)),
            (Kind::Loop, "LINK-LOOP"),
            "{path}"
        );
    }
    assert_eq!(view.read_text("chain-39").unwrap(), "a");
    // Nothing is made through a link; the twin is made beside it.
    assert_eq!(failure(view.open_at(&root, "dangling", CREATE)), LINK);
    let exclusive = OpenHow {
        exclusive: true,
        ..CREATE
    };
    assert_eq!(
        failure(view.open_at(&root, "dangling", exclusive)),
        (Kind::Exist, "PATH-EXISTS")
    );
    assert_eq!(
        failure(view.create_dir_at(&root, "dangling")),
        (Kind::Exist, "PATH-EXISTS")
    );
    assert!(!bench.path("nowhere").exists());
    assert!(view.open_at(&root, "nowhere", exclusive).is_ok());
    assert_eq!(view.read_text("dangling").unwrap(), "");
}

#[test]
fn a_link_is_not_opened_where_it_is_not_to_be_followed() {
    let bench = Bench::with(&["a"]);
    bench.link("a", "to-a");
    let view = bench.view(all());
    let root = view.root();
    let stay = OpenHow {
        follow: false,
        ..READ
    };
    assert_eq!(
        failure(view.open_at(&root, "to-a", stay)),
        (Kind::Loop, "LINK-LOOP")
    );
    assert_eq!(
        view.open_at(&root, "to-a", READ).unwrap().path().as_str(),
        "a"
    );
    assert_eq!(
        failure(view.readlink_at(&root, "a")),
        (Kind::Invalid, "PATH-TYPE")
    );
    assert_eq!(view.readlink_at(&root, "to-a").unwrap(), "a");
    let list_only = bench.view(rules(&["**"], &[], &[], &[]));
    assert_eq!(
        failure(list_only.readlink_at(&list_only.root(), "to-a")),
        DENIED
    );
}

#[test]
fn guests_make_and_move_no_links() {
    let bench = Bench::with(&["a", "d/x"]);
    bench.link("a", "link");
    bench.link("../a", "d/link");
    let view = bench.view(all());
    let root = view.root();
    assert_eq!(
        failure(view.link_at(&root, "new")),
        (Kind::NotPermitted, "LINK-DENIED")
    );
    assert_eq!(failure(view.rename_at(&root, "link", &root, "moved")), LINK);
    // A folder with a link in it would carry the link to where it means something else.
    assert_eq!(failure(view.rename_at(&root, "d", &root, "e")), LINK);
    view.unlink_at(&root, "d/link").unwrap();
    view.rename_at(&root, "d", &root, "e").unwrap();
    assert_eq!(bench.text("e/x"), "d/x");
    // Removing a link removes the link.
    view.unlink_at(&root, "link").unwrap();
    assert_eq!(bench.text("a"), "a");
}

#[test]
fn a_hard_link_to_a_denied_file_is_not_read() {
    let bench = Bench::with(&["public/a", "secret/b"]);
    fs::hard_link(bench.path("secret/b"), bench.path("public/b")).unwrap();
    fs::hard_link(bench.outside().join("secret"), bench.path("public/outside")).unwrap();
    let narrow = bench.view(rules(&["**"], &["**"], &[], &["secret"]));
    let partly = bench.view(rules(&["**"], &["public/**"], &[], &[]));
    for view in [&narrow, &partly] {
        assert_eq!(failure(view.read_text("public/b")), LINK);
        assert_eq!(failure(view.read_path("public/b", 0, 9)), LINK);
        assert_eq!(failure(view.digest_path("public/b")), LINK);
        assert_eq!(failure(view.read_text("public/outside")), LINK);
        let attributes = view.stat_at(&view.root(), "public/b", true).unwrap();
        assert_eq!((attributes.size, attributes.readable), (0, false));
        assert_eq!(view.read_text("public/a").unwrap(), "public/a");
    }
    // With everything readable and nothing denied there is nothing another name could hide.
    let wide = bench.view(read_all());
    assert_eq!(wide.read_text("public/b").unwrap(), "secret/b");
    assert_eq!(wide.read_path("public/b", 0, 99).unwrap().0, b"secret/b");
}

#[test]
fn a_file_with_several_names_is_never_written() {
    let bench = Bench::with(&["a"]);
    fs::hard_link(bench.outside().join("secret"), bench.path("hard")).unwrap();
    let view = bench.view(all());
    let root = view.root();
    assert_eq!(failure(view.open_at(&root, "hard", WRITE)), LINK);
    assert_eq!(
        failure(view.open_at(
            &root,
            "hard",
            OpenHow {
                truncate: true,
                ..WRITE
            }
        )),
        LINK
    );
    assert_eq!(failure(view.open_at(&root, "hard", CREATE)), LINK);
    assert_eq!(failure(view.rename_at(&root, "hard", &root, "moved")), LINK);
    assert_eq!(
        fs::read_to_string(bench.outside().join("secret")).unwrap(),
        SECRET
    );
    // A name added behind an open descriptor closes it too.
    let node = view.open_at(&root, "a", WRITE).unwrap();
    view.write(&node, 0, b"1").unwrap();
    fs::hard_link(bench.path("a"), bench.path("a2")).unwrap();
    assert_eq!(failure(view.write(&node, 0, b"2")), LINK);
    assert_eq!(failure(view.set_size(&node, 0)), LINK);
    fs::remove_file(bench.path("a2")).unwrap();
    view.write(&node, 0, b"2").unwrap();
    assert_eq!(bench.text("a"), "2");
}

#[test]
fn a_folder_replaced_by_a_link_after_it_was_seen() {
    let bench = Bench::with(&["a/dir/x", "secret/x"]);
    let view = bench.view(rules(&["**"], &["**"], &["**"], &["secret"]));
    let root = view.root();
    let dir = view.dir_node("a/dir");
    for _ in 0..2 {
        assert_eq!(view.read_path("a/dir/x", 0, 9).unwrap().0, b"a/dir/x");
        assert_eq!(view.names("a/dir").unwrap(), ["x"]);
    }
    for target in ["../secret".into(), bench.outside()] {
        fs::rename(bench.path("a/dir"), bench.path("a/kept")).unwrap();
        bench.link(target, "a/dir");
        for refused in [
            failure(view.read_path("a/dir/x", 0, 9)),
            failure(view.read_text("a/dir/x")),
            failure(view.stat_at(&root, "a/dir/x", true)),
            failure(view.names("a/dir")),
            failure(view.write_text("a/dir/new", "x")),
            failure(view.create_dir_at(&root, "a/dir/new")),
            failure(view.unlink_at(&root, "a/dir/x")),
            failure(view.rename_at(&root, "a/kept/x", &root, "a/dir/y")),
        ] {
            assert!(refused == DENIED || refused == ESCAPE, "{refused:?}");
        }
        // What starts from the open descriptor does not follow either.
        let changed = (Kind::Changed, "FILE-CHANGED");
        assert_eq!(failure(view.open_at(&dir, "x", READ)), changed);
        assert_eq!(failure(view.list(&dir)), changed);
        assert_eq!(failure(view.unlink_at(&dir, "x")), changed);
        fs::remove_file(bench.path("a/dir")).unwrap();
        fs::rename(bench.path("a/kept"), bench.path("a/dir")).unwrap();
    }
    assert_eq!(view.read_path("a/dir/x", 0, 9).unwrap().0, b"a/dir/x");
    assert!(view.open_at(&dir, "x", READ).is_ok());
    assert_eq!(bench.text("secret/x"), "secret/x");
}
