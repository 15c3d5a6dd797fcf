//! Making, moving, cutting and removing.

use std::fs;

use leasehold_files::{Kind, OpenHow};

use crate::common::*;

const READ_ONLY: (Kind, &str) = (Kind::ReadOnly, "HANDLE-RIGHTS");
const BAD_DESCRIPTOR: (Kind, &str) = (Kind::BadDescriptor, "HANDLE-RIGHTS");

#[test]
fn files_are_made_written_and_removed_where_allowed() {
    let bench = Bench::with(&["docs/a", "src/b"]);
    let narrow = bench.view(rules(&["**"], &["**"], &["docs/**"], &[]));
    let root = narrow.root();
    assert_eq!(failure(narrow.write_text("src/b", "x")), DENIED);
    assert_eq!(failure(narrow.write_text("src/new", "x")), DENIED);
    assert_eq!(failure(narrow.unlink_at(&root, "src/b")), DENIED);
    assert_eq!(failure(narrow.create_dir_at(&root, "src/d")), DENIED);
    assert_eq!(failure(narrow.remove_dir_at(&root, "src")), DENIED);
    assert_eq!(failure(narrow.set_times_at(&root, "src/b", true)), DENIED);
    narrow.write_text("docs/new", "new").unwrap();
    narrow.write_text("docs/a", "changed").unwrap();
    narrow.create_dir_at(&root, "docs/d").unwrap();
    narrow.write_text("docs/d/e", "e").unwrap();
    assert_eq!(
        failure(narrow.remove_dir_at(&root, "docs/d")),
        (Kind::NotEmpty, "PATH-NOT-EMPTY")
    );
    narrow.unlink_at(&root, "docs/d/e").unwrap();
    narrow.remove_dir_at(&root, "docs/d").unwrap();
    narrow.set_times_at(&root, "docs/a", true).unwrap();
    assert_eq!(
        (bench.text("docs/a"), bench.text("docs/new")),
        ("changed".into(), "new".into())
    );
    let wide = bench.view(all());
    wide.write_text("src/b", "x").unwrap();
    wide.write_text("src/new", "x").unwrap();
    wide.unlink_at(&wide.root(), "src/b").unwrap();
    assert!(!bench.path("src/b").exists() && bench.path("src/new").exists());
}

#[test]
fn made_files_cannot_be_executed() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let view = bench.view(all());
    view.write_text("a", "#!/bin/sh").unwrap();
    assert_eq!(
        fs::metadata(bench.path("a")).unwrap().permissions().mode() & 0o111,
        0
    );
    assert!(!view.stat_at(&view.root(), "a", true).unwrap().executable);
    fs::set_permissions(bench.path("a"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(view.stat_at(&view.root(), "a", true).unwrap().executable);
}

#[test]
fn only_a_descriptor_for_writing_changes_a_file() {
    let bench = Bench::with(&["a"]);
    let view = bench.view(all());
    let root = view.root();
    let reader = view.open_at(&root, "a", READ).unwrap();
    assert_eq!(failure(view.set_size(&reader, 0)), BAD_DESCRIPTOR);
    assert_eq!(failure(view.write(&reader, 0, b"x")), BAD_DESCRIPTOR);
    assert_eq!(failure(view.append(&reader, b"x")), BAD_DESCRIPTOR);
    let cut = OpenHow {
        truncate: true,
        ..READ
    };
    assert_eq!(
        failure(view.open_at(&root, "a", cut)),
        (Kind::Invalid, "HANDLE-RIGHTS")
    );
    assert_eq!(bench.text("a"), "a");
    let writer = view.open_at(&root, "a", WRITE).unwrap();
    assert_eq!(failure(view.read(&writer, 0, 1)), BAD_DESCRIPTOR);
    view.set_size(&writer, 0).unwrap();
    assert_eq!(bench.text("a"), "");
    assert_eq!(view.append(&writer, b"one").unwrap(), 0);
    assert_eq!(view.append(&writer, b"two").unwrap(), 3);
    assert_eq!(bench.text("a"), "onetwo");
    view.sync(&writer).unwrap();
    // Neither for reading nor for writing: only attributes.
    let looker = view.open_at(&root, "a", NONE).unwrap();
    assert_eq!(failure(view.read(&looker, 0, 1)), BAD_DESCRIPTOR);
    assert_eq!(failure(view.write(&looker, 0, b"x")), BAD_DESCRIPTOR);
    assert_eq!(view.stat(&looker).unwrap().size, 6);
}

#[test]
fn truncating_needs_the_right_to_write() {
    let bench = Bench::with(&["a"]);
    let cut = OpenHow {
        truncate: true,
        ..WRITE
    };
    let narrow = bench.view(read_all());
    assert_eq!(failure(narrow.open_at(&narrow.root(), "a", cut)), DENIED);
    assert_eq!(bench.text("a"), "a");
    let wide = bench.view(all());
    wide.open_at(&wide.root(), "a", cut).unwrap();
    assert_eq!(bench.text("a"), "");
}

#[test]
fn opening_for_both_needs_both_rights() {
    let bench = Bench::with(&["a"]);
    let both = OpenHow {
        read: true,
        ..WRITE
    };
    for narrow in [rules(&[], &["a"], &[], &[]), rules(&[], &[], &["a"], &[])] {
        let view = bench.view(narrow);
        assert_eq!(failure(view.open_at(&view.root(), "a", both)), DENIED);
    }
    let write_only = bench.view(rules(&[], &[], &["**"], &[]));
    let create = OpenHow {
        read: true,
        ..CREATE
    };
    assert_eq!(
        failure(write_only.open_at(&write_only.root(), "new", create)),
        DENIED
    );
    assert!(!bench.path("new").exists());
    let wide = bench.view(all());
    let node = wide.open_at(&wide.root(), "new", create).unwrap();
    wide.write(&node, 0, b"x").unwrap();
    assert_eq!(wide.read(&node, 0, 9).unwrap(), (b"x".to_vec(), true));
}

#[test]
fn a_directory_descriptor_changes_only_what_it_was_opened_for() {
    let bench = Bench::with(&["d/a"]);
    let view = bench.view(all());
    let root = view.root();
    let looking = view.open_at(&root, "d", LIST).unwrap();
    assert_eq!(failure(view.open_at(&looking, "a", WRITE)), READ_ONLY);
    assert_eq!(failure(view.open_at(&looking, "b", CREATE)), READ_ONLY);
    assert_eq!(failure(view.unlink_at(&looking, "a")), READ_ONLY);
    assert_eq!(
        failure(view.rename_at(&root, "d/a", &looking, "b")),
        READ_ONLY
    );
    assert_eq!(
        failure(view.open_at(
            &looking,
            ".",
            OpenHow {
                mutate_dir: true,
                ..LIST
            }
        )),
        READ_ONLY
    );
    let changing = view.dir_node("d");
    view.open_at(&changing, "a", WRITE).unwrap();
    view.rename_at(&changing, "a", &root, "d/b").unwrap();
    view.unlink_at(&changing, "b").unwrap();
    // A descriptor that was not opened for listing does not list.
    let closed = view
        .open_at(
            &root,
            "d",
            OpenHow {
                read: false,
                ..LIST
            },
        )
        .unwrap();
    assert_eq!(failure(view.list(&closed)), BAD_DESCRIPTOR);
}

#[test]
fn descriptors_of_another_call_are_refused() {
    let bench = Bench::with(&["a"]);
    let (one, other) = (bench.view(all()), bench.view(all()));
    let node = one.open_at(&one.root(), "a", READ).unwrap();
    assert_eq!(failure(other.read(&node, 0, 1)), BAD_DESCRIPTOR);
    assert_eq!(
        failure(other.open_at(&one.root(), "a", READ)),
        BAD_DESCRIPTOR
    );
    assert!(one.read(&node, 0, 1).is_ok());
}

#[test]
fn directories_are_not_files_and_files_not_directories() {
    let bench = Bench::with(&["d/a"]);
    let view = bench.view(all());
    let root = view.root();
    assert_eq!(failure(view.open_at(&root, "d", WRITE)), IS_DIR);
    assert_eq!(failure(view.open_at(&root, "d", CREATE)), IS_DIR);
    assert_eq!(failure(view.unlink_at(&root, "d")), IS_DIR);
    assert_eq!(failure(view.read_path("d", 0, 1)), IS_DIR);
    assert_eq!(failure(view.read_path(".", 0, 1)), IS_DIR);
    assert_eq!(failure(view.open_at(&root, "d/a", LIST)), NOT_DIR);
    assert_eq!(failure(view.remove_dir_at(&root, "d/a")), NOT_DIR);
    assert_eq!(
        failure(view.create_dir_at(&root, "d")),
        (Kind::Exist, "PATH-EXISTS")
    );
    let file = view.open_at(&root, "d/a", READ).unwrap();
    assert_eq!(failure(view.stat_at(&file, "x", true)), NOT_DIR);
    let dir = view.open_at(&root, "d", LIST).unwrap();
    assert_eq!(failure(view.read(&dir, 0, 1)), IS_DIR);
}

#[test]
fn the_root_and_dots_are_not_moved_or_removed() {
    let bench = Bench::with(&["d/a"]);
    let view = bench.view(all());
    let root = view.root();
    for path in [".", "./", "d/.."] {
        assert_eq!(
            failure(view.remove_dir_at(&root, path)).0,
            Kind::Busy,
            "{path}"
        );
        assert_eq!(
            failure(view.rename_at(&root, path, &root, "x")).0,
            Kind::Busy,
            "{path}"
        );
    }
    assert_eq!(failure(view.remove_dir_at(&root, "d/.")).0, Kind::Invalid);
    assert_eq!(
        failure(view.rename_at(&root, "d/.", &root, "x")).0,
        Kind::Invalid
    );
    view.unlink_at(&root, "d/a").unwrap();
    view.remove_dir_at(&root, "d").unwrap();
}

#[test]
fn a_file_is_not_moved_to_where_it_may_be_read() {
    let bench = Bench::with(&["drop/secret", "mine/a"]);
    let narrow = bench.view(rules(
        &["mine/**"],
        &["mine/**"],
        &["mine/**", "drop/**"],
        &[],
    ));
    let root = narrow.root();
    assert_eq!(failure(narrow.read_text("drop/secret")), DENIED);
    assert_eq!(
        failure(narrow.rename_at(&root, "drop/secret", &root, "mine/secret")),
        DENIED
    );
    assert_eq!(bench.text("drop/secret"), "drop/secret");
    // Giving away is not gaining.
    narrow.rename_at(&root, "mine/a", &root, "drop/a").unwrap();
    let wide = bench.view(all());
    wide.rename_at(&wide.root(), "drop/secret", &wide.root(), "mine/secret")
        .unwrap();
    assert_eq!(wide.read_text("mine/secret").unwrap(), "drop/secret");
}

#[test]
fn files_are_moved_only_between_writable_paths() {
    let bench = Bench::with(&["w/a", "r/b", "closed/c"]);
    let narrow = bench.view(rules(&["**"], &["**"], &["w/**"], &["closed"]));
    let root = narrow.root();
    for (old, new) in [
        ("w/a", "r/a"),
        ("r/b", "w/b"),
        ("w/a", "closed/a"),
        ("closed/c", "w/c"),
        ("w/a", "r/b"),
    ] {
        assert_eq!(
            failure(narrow.rename_at(&root, old, &root, new)),
            DENIED,
            "{old} {new}"
        );
    }
    narrow.rename_at(&root, "w/a", &root, "w/b").unwrap();
    assert_eq!(bench.text("w/b"), "w/a");
    let wide = bench.view(all());
    let root = wide.root();
    wide.rename_at(&root, "w/b", &root, "r/b").unwrap();
    wide.rename_at(&root, "closed/c", &root, "w/c").unwrap();
    assert_eq!(
        (bench.text("r/b"), bench.text("w/c")),
        ("w/a".into(), "closed/c".into())
    );
}

#[test]
fn a_folder_renamed_to_get_round_a_deny() {
    let bench = Bench::with(&["a/secret/x", "a/open", "plain/y"]);
    // `a/secret` is denied by its full path: as `b/secret` it would not be.
    let narrow = bench.view(rules(&["**"], &["**"], &["**"], &["a/secret"]));
    let root = narrow.root();
    assert_eq!(failure(narrow.rename_at(&root, "a", &root, "b")), DENIED);
    assert_eq!(
        failure(narrow.rename_at(&root, "plain", &root, "a")),
        DENIED
    );
    assert_eq!(failure(narrow.read_text("a/secret/x")), DENIED);
    narrow.rename_at(&root, "plain", &root, "simple").unwrap();
    assert_eq!(bench.text("simple/y"), "plain/y");
    // Even where the denied thing is not there: it could come.
    let absent = bench.view(rules(&["**"], &["**"], &["**"], &["simple/secret"]));
    assert_eq!(
        failure(absent.rename_at(&absent.root(), "simple", &absent.root(), "c")),
        DENIED
    );
    let wide = bench.view(all());
    wide.rename_at(&wide.root(), "a", &wide.root(), "b")
        .unwrap();
    assert_eq!(wide.read_text("b/secret/x").unwrap(), "a/secret/x");
}

#[test]
fn a_folder_is_moved_only_where_rights_are_the_same() {
    let bench = Bench::with(&["in/d/x", "out/y"]);
    let every = ["in/**", "out/**"];
    let narrow = bench.view(rules(&every, &["in/**"], &every, &[]));
    let root = narrow.root();
    // Readable there, not readable here; and the other way round.
    assert_eq!(
        failure(narrow.rename_at(&root, "in/d", &root, "out/d")),
        DENIED
    );
    assert_eq!(
        failure(narrow.rename_at(&root, "out", &root, "in/out")),
        DENIED
    );
    // Part of the folder only: `*` is not everything below.
    let partly = bench.view(rules(
        &every,
        &every,
        &["in/d", "in/d/*", "in/e", "in/e/*"],
        &[],
    ));
    assert_eq!(
        failure(partly.rename_at(&partly.root(), "in/d", &partly.root(), "in/e")),
        DENIED
    );
    let wide = bench.view(rules(&every, &every, &every, &[]));
    let root = wide.root();
    wide.rename_at(&root, "in/d", &root, "out/d").unwrap();
    assert_eq!(wide.read_text("out/d/x").unwrap(), "in/d/x");
    assert_eq!(
        failure(wide.rename_at(&root, "out", &root, "out/d/o")),
        (Kind::Invalid, "PATH-FORMAT")
    );
}

#[test]
fn moving_onto_something() {
    let bench = Bench::with(&["a", "b", "d/x", "empty/gone", "full/y"]);
    fs::remove_file(bench.path("empty/gone")).unwrap();
    let view = bench.view(all());
    let root = view.root();
    assert_eq!(failure(view.rename_at(&root, "a", &root, "d")), IS_DIR);
    assert_eq!(failure(view.rename_at(&root, "a", &root, "b/")), NOT_DIR);
    assert_eq!(failure(view.rename_at(&root, "a", &root, "new/")), NOT_DIR);
    assert_eq!(failure(view.rename_at(&root, "d", &root, "b")), NOT_DIR);
    assert_eq!(
        failure(view.rename_at(&root, "d", &root, "full")),
        (Kind::NotEmpty, "PATH-NOT-EMPTY")
    );
    assert_eq!(
        failure(view.rename_at(&root, "missing", &root, "b")),
        NO_ENTRY
    );
    view.rename_at(&root, "a", &root, "a").unwrap();
    view.rename_at(&root, "a", &root, "b").unwrap();
    view.rename_at(&root, "d", &root, "empty").unwrap();
    assert_eq!(
        (bench.text("b"), bench.text("empty/x")),
        ("a".into(), "d/x".into())
    );
}

#[test]
fn descriptors_follow_what_the_call_itself_moves() {
    let bench = Bench::with(&["d/e/x", "d/f"]);
    let view = bench.view(all());
    let root = view.root();
    let below = view.dir_node("d/e");
    let file = view.open_at(&root, "d/f", WRITE).unwrap();
    view.rename_at(&root, "d", &root, "moved").unwrap();
    assert_eq!(below.path().as_str(), "moved/e");
    assert_eq!(file.path().as_str(), "moved/f");
    assert!(view.open_at(&below, "x", READ).is_ok());
    view.write(&file, 0, b"new!").unwrap();
    assert_eq!(bench.text("moved/f"), "new!");
    view.rename_at(&root, "moved/f", &root, "g").unwrap();
    assert_eq!(file.path().as_str(), "g");
    assert_eq!(failure(view.read_text("d/f")), NO_ENTRY);
}

#[test]
fn a_revoked_view_does_nothing_any_more() {
    let bench = Bench::with(&["a"]);
    let view = bench.view(all());
    let root = view.root();
    let node = view
        .open_at(
            &root,
            "a",
            OpenHow {
                read: true,
                ..WRITE
            },
        )
        .unwrap();
    let mut walk = view.walk(vec!["**".parse().unwrap()]);
    view.write(&node, 0, b"b").unwrap();
    assert!(view.settle(std::time::Duration::from_secs(1)));
    let revoked = (Kind::Revoked, "CALL-ENDED");
    assert_eq!(failure(view.write(&node, 0, b"c")), revoked);
    assert_eq!(failure(view.read(&node, 0, 1)), revoked);
    assert_eq!(failure(view.set_size(&node, 0)), revoked);
    assert_eq!(failure(view.open_at(&root, "a", READ)), revoked);
    assert_eq!(failure(view.unlink_at(&root, "a")), revoked);
    assert_eq!(failure(view.read_path("a", 0, 1)), revoked);
    assert_eq!(failure(walk.next(1)), revoked);
    // What was learned and done can still be asked for.
    assert_eq!(view.changes().list.len(), 1);
    assert_eq!(bench.text("a"), "b");
}
