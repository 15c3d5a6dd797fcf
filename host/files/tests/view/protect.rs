//! What is closed to every guest, whatever its lease says.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use leasehold_files::{FileId, OpenHow, Protected, Tree, ViewError};

use crate::common::*;

fn id(path: &Path) -> FileId {
    let meta = fs::symlink_metadata(path).unwrap();
    FileId {
        dev: meta.dev(),
        ino: meta.ino(),
    }
}

#[test]
fn the_git_folder_is_closed_in_every_spelling_at_every_depth() {
    let bench = Bench::with(&[
        ".git/config",
        "sub/.GIT/config",
        "deep/er/.g\u{200c}it",
        "git~1/x",
        "ok/git/x",
    ]);
    let view = bench.view(all());
    let root = view.root();
    for path in [
        ".git",
        ".git/config",
        ".git/missing",
        "sub/.GIT/config",
        "deep/er/.g\u{200c}it",
        "git~1/x",
        "new/.git",
    ] {
        assert_eq!(failure(view.read_text(path)), PROTECTED, "{path}");
        assert_eq!(failure(view.read_path(path, 0, 9)), PROTECTED, "{path}");
        assert_eq!(
            failure(view.stat_at(&root, path, true)),
            PROTECTED,
            "{path}"
        );
        assert_eq!(failure(view.write_text(path, "x")), PROTECTED, "{path}");
        assert_eq!(
            failure(view.create_dir_at(&root, path)),
            PROTECTED,
            "{path}"
        );
        assert_eq!(failure(view.unlink_at(&root, path)), PROTECTED, "{path}");
        assert_eq!(
            failure(view.rename_at(&root, "ok/git/x", &root, path)),
            PROTECTED,
            "{path}"
        );
    }
    assert_eq!(failure(view.names(".git")), PROTECTED);
    assert_eq!(view.names("").unwrap(), ["deep", "ok", "sub"]);
    assert!(view.names("sub").unwrap().is_empty());
    // What has a git folder in it does not move, and no folder becomes one.
    assert_eq!(
        failure(view.rename_at(&root, "sub", &root, "bus")),
        PROTECTED
    );
    assert_eq!(
        failure(view.rename_at(&root, "ok", &root, ".git")),
        PROTECTED
    );
    // Closed things make no view incomplete, but trying to open them was refused.
    let fresh = bench.view(all());
    fresh.names("").unwrap();
    let coverage = fresh.coverage();
    assert_eq!((coverage.protected, coverage.hidden), (2, 0));
    assert!(coverage.complete());
    // The twin: a name that only looks like it.
    assert_eq!(view.read_text("ok/git/x").unwrap(), "ok/git/x");
    view.rename_at(&root, "ok", &root, "fine").unwrap();
}

#[test]
fn closed_by_identity_under_any_name() {
    let mut bench = Bench::with(&["home/key", "a", "d/x"]);
    fs::hard_link(bench.path("home/key"), bench.path("copy")).unwrap();
    bench.link("home", "to-home");
    bench.link("home/key", "to-key");
    let open = bench.view(all());
    assert_eq!(open.read_text("home/key").unwrap(), "home/key");
    assert_eq!(open.read_text("to-key").unwrap(), "home/key");
    assert_eq!(open.read_text("copy").unwrap(), "home/key");
    bench.protected.closed = [id(&bench.path("home")), id(&bench.path("home/key"))].into();
    let view = bench.view(all());
    let root = view.root();
    for path in [
        "home",
        "home/key",
        "home/missing",
        "copy",
        "to-home/key",
        "to-key",
        "d/../home/key",
    ] {
        assert_eq!(failure(view.read_text(path)), PROTECTED, "{path}");
        assert_eq!(failure(view.read_path(path, 0, 9)), PROTECTED, "{path}");
        assert_eq!(
            failure(view.stat_at(&root, path, true)),
            PROTECTED,
            "{path}"
        );
        assert_eq!(
            failure(view.open_at(&root, path, WRITE)),
            PROTECTED,
            "{path}"
        );
        assert_eq!(
            failure(view.open_at(&root, path, CREATE)),
            PROTECTED,
            "{path}"
        );
    }
    for path in ["home", "copy", "home/key"] {
        assert_eq!(failure(view.unlink_at(&root, path)), PROTECTED, "{path}");
        assert_eq!(
            failure(view.rename_at(&root, path, &root, "mine")),
            PROTECTED,
            "{path}"
        );
        assert_eq!(
            failure(view.rename_at(&root, "a", &root, path)),
            PROTECTED,
            "{path}"
        );
    }
    assert_eq!(view.names("").unwrap(), ["a", "d", "to-home", "to-key"]);
    assert_eq!(view.coverage().protected, 2);
    // Moved by the host while the call runs, it is still the same.
    fs::rename(bench.path("home"), bench.path("d/moved")).unwrap();
    assert_eq!(failure(view.read_text("d/moved/key")), PROTECTED);
    assert_eq!(failure(view.rename_at(&root, "d", &root, "e")), PROTECTED);
}

#[test]
fn the_fast_way_does_not_pass_through_a_closed_folder() {
    let mut bench = Bench::with(&["home/keys/a", "plain/keys/a"]);
    bench.protected.closed = [id(&bench.path("home"))].into();
    let view = bench.view(all());
    for _ in 0..3 {
        assert_eq!(failure(view.read_path("home/keys/a", 0, 9)), PROTECTED);
        assert_eq!(failure(view.read_text("home/keys/a")), PROTECTED);
        assert!(view.read_path("plain/keys/a", 0, 9).is_ok());
    }
}

#[test]
fn rule_files_are_read_and_never_changed() {
    let mut bench = Bench::with(&["leasehold.toml", "rules/policy.json", "a"]);
    bench.protected.fixed = [
        id(&bench.path("leasehold.toml")),
        id(&bench.path("rules/policy.json")),
    ]
    .into();
    bench.protected.fixed_paths = vec!["leasehold.lock".parse().unwrap()];
    let view = bench.view(all());
    let root = view.root();
    for path in ["leasehold.toml", "rules/policy.json"] {
        assert_eq!(view.read_text(path).unwrap(), path);
        assert_eq!(
            failure(view.open_at(&root, path, WRITE)),
            PROTECTED,
            "{path}"
        );
        assert_eq!(
            failure(view.open_at(
                &root,
                path,
                OpenHow {
                    truncate: true,
                    ..CREATE
                }
            )),
            PROTECTED,
            "{path}"
        );
        assert_eq!(failure(view.unlink_at(&root, path)), PROTECTED, "{path}");
        assert_eq!(
            failure(view.rename_at(&root, path, &root, "b")),
            PROTECTED,
            "{path}"
        );
        assert_eq!(
            failure(view.rename_at(&root, "a", &root, path)),
            PROTECTED,
            "{path}"
        );
    }
    assert_eq!(
        failure(view.rename_at(&root, "rules", &root, "r")),
        PROTECTED
    );
    // A rule file that is not there yet is not made, under no spelling.
    for path in ["leasehold.lock", "Leasehold.LOCK", "leasehold.lock/x"] {
        assert_eq!(
            failure(view.create_dir_at(&root, path)),
            if path.ends_with('x') {
                NO_ENTRY
            } else {
                PROTECTED
            }
        );
    }
    assert_eq!(
        failure(view.open_at(&root, "leasehold.lock", CREATE)),
        PROTECTED
    );
    assert_eq!(
        failure(view.rename_at(&root, "a", &root, "leasehold.lock")),
        PROTECTED
    );
    view.rename_at(&root, "a", &root, "b").unwrap();
}

#[test]
fn a_workspace_inside_a_closed_folder_is_not_opened() {
    let bench = Bench::with(&["home/project/a"]);
    let dir = |path: &str| {
        cap_std::fs::Dir::open_ambient_dir(bench.path(path), cap_std::ambient_authority()).unwrap()
    };
    let closed = Protected {
        closed: [id(&bench.path("home"))].into(),
        ..Protected::default()
    };
    assert!(matches!(
        Tree::open(dir("home"), closed.clone()),
        Err(ViewError::Protected)
    ));
    assert!(matches!(
        Tree::open(dir("home/project"), closed.clone()),
        Err(ViewError::Protected)
    ));
    assert!(Tree::open(dir(""), closed).is_ok());
    assert!(Tree::open(dir("home/project"), Protected::default()).is_ok());
}

#[test]
fn fixed_paths_hold_where_nothing_is_yet_and_where_something_is() {
    let mut bench = Bench::with(&["rules/a", "d/x", "leasehold.lock"]);
    let open = bench.view(all());
    open.write_text("leasehold.lock", "changed").unwrap();
    bench.protected.fixed_paths = vec![
        "rules/policy.json".parse().unwrap(),
        "leasehold.lock".parse().unwrap(),
    ];
    let view = bench.view(all());
    let root = view.root();
    assert_eq!(
        failure(view.open_at(&root, "leasehold.lock", WRITE)),
        PROTECTED
    );
    assert_eq!(failure(view.unlink_at(&root, "leasehold.lock")), PROTECTED);
    assert_eq!(view.read_text("leasehold.lock").unwrap(), "changed");
    // A folder that could hold it neither goes nor comes.
    assert_eq!(
        failure(view.rename_at(&root, "rules", &root, "r")),
        PROTECTED
    );
    view.unlink_at(&root, "rules/a").unwrap();
    view.remove_dir_at(&root, "rules").unwrap();
    assert_eq!(
        failure(view.rename_at(&root, "d", &root, "rules")),
        PROTECTED
    );
    view.rename_at(&root, "d", &root, "e").unwrap();
}
