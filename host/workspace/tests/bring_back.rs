//! Bringing back: what arrives, and what stops it before anything is changed.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use std::os::unix::fs::MetadataExt as _;

use leasehold_files::Protected;
use leasehold_seal::{Class, Coded as _};
use leasehold_workspace::{Applied, BringBack, PatchLimits, Recovered, WorkspaceError};
use support::faulty::FaultyDisk;
use support::scene::{apply, bring_back, checked, contents, place, recover, work};
use support::{Place, everything, git, git_output, link, mode, put, rules};

#[test]
fn everything_a_step_did_arrives_and_nothing_is_left_over() {
    let place = place();
    let untouched = place.ws().join("keep").metadata().unwrap().ino();
    let step = place.step(&everything());
    work(&step);
    assert_eq!(
        apply(&place, &step).unwrap(),
        Applied {
            changes: 16,
            cleaned: true
        }
    );
    assert_eq!(
        contents(&place.picture()),
        contents(&support::picture(step.path()))
    );
    let bits = |path: &str| place.ws().join(path).metadata().unwrap().mode() & 0o7777;
    assert_eq!(bits("docs/a.md"), 0o640);
    assert_eq!(bits("tool"), 0o755);
    assert_eq!(place.ws().join("keep").metadata().unwrap().ino(), untouched);
    assert_eq!(recover(&place).unwrap(), Recovered::Nothing);
    // Again: there is nothing to do, the tree is what the step has.
    let step = place.step(&everything());
    assert_eq!(apply(&place, &step).unwrap().changes, 0);
}

#[test]
fn executable_bits_follow_who_may_read() {
    let place = Place::new();
    for (name, bits) in [("a", 0o640), ("b", 0o600), ("c", 0o755), ("d", 0o4755)] {
        put(&place.ws(), name, "x");
        mode(&place.ws(), name, bits);
    }
    let step = place.step(&everything());
    mode(step.path(), "a", 0o700);
    mode(step.path(), "b", 0o700);
    mode(step.path(), "c", 0o600);
    put(step.path(), "d", "y");
    apply(&place, &step).unwrap();
    let bits = |path: &str| place.ws().join(path).metadata().unwrap().mode() & 0o7777;
    assert_eq!(bits("a"), 0o750);
    assert_eq!(bits("b"), 0o700);
    assert_eq!(bits("c"), 0o644);
    // As when a file with such a bit is written.
    assert_eq!(bits("d"), 0o755);
}

#[test]
fn what_changed_in_the_workspace_stops_it_before_anything_is_changed() {
    type Act = Box<dyn Fn(&std::path::Path)>;
    let cases: Vec<(&str, Act)> = vec![
        ("docs/a.md", Box::new(|ws| put(ws, "docs/a.md", "b"))),
        ("docs/a.md", Box::new(|ws| mode(ws, "docs/a.md", 0o750))),
        (
            "docs/a.md",
            Box::new(|ws| std::fs::hard_link(ws.join("docs/a.md"), ws.join("h")).unwrap()),
        ),
        (
            "docs/a.md",
            Box::new(|ws| {
                std::fs::remove_file(ws.join("docs/a.md")).unwrap();
                link(ws, "docs/a.md", "../keep");
            }),
        ),
        (
            "docs/a.md",
            Box::new(|ws| {
                std::fs::rename(ws.join("docs"), ws.join("elsewhere")).unwrap();
                link(ws, "docs", "elsewhere");
            }),
        ),
        (
            "docs/gone.md",
            Box::new(|ws| std::fs::remove_file(ws.join("docs/gone.md")).unwrap()),
        ),
        ("docs/tree", Box::new(|ws| put(ws, "docs/tree/x/new", ""))),
        ("docs/tree", Box::new(|ws| put(ws, "docs/tree/z", "Z"))),
        (
            "docs/tree",
            Box::new(|ws| std::fs::remove_file(ws.join("docs/tree/z")).unwrap()),
        ),
        ("new", Box::new(|ws| put(ws, "new", "somebody's"))),
        ("new", Box::new(|ws| link(ws, "new", "/nowhere"))),
        ("file-to-dir", Box::new(|ws| put(ws, "file-to-dir", "g"))),
        (
            "link",
            Box::new(|ws| {
                std::fs::remove_file(ws.join("link")).unwrap();
                link(ws, "link", "docs");
            }),
        ),
    ];
    for (number, (expected, act)) in cases.iter().enumerate() {
        let place = place();
        let step = place.step(&everything());
        work(&step);
        act(&place.ws());
        let before = place.picture();
        let error = apply(&place, &step).unwrap_err();
        assert_eq!(error.code(), "WORKSPACE-CHANGED", "case {number}: {error}");
        assert_eq!(error.class(), Class::Blocked);
        assert!(
            matches!(&error, WorkspaceError::Changed { path, .. } if path.as_str() == *expected),
            "case {number}: {error}"
        );
        assert_eq!(place.picture(), before, "case {number}");
        assert_eq!(recover(&place).unwrap(), Recovered::Nothing);
    }
    // The twin: a change elsewhere does not matter, and stays.
    let place = place();
    let step = place.step(&everything());
    work(&step);
    put(&place.ws(), "keep", "kept differently");
    put(&place.ws(), "docs/other", "other");
    apply(&place, &step).unwrap();
    assert_eq!(place.picture()["docs/other"], "file 644 \"other\"");
}

#[test]
fn a_change_between_check_and_move_is_noticed_and_undone() {
    // The file is written after it was checked: an editor that has it open.
    let place = place();
    let step = place.step(&everything());
    put(step.path(), "docs/a.md", "changed");
    let difference = step.difference().unwrap();
    let file = std::fs::File::options()
        .write(true)
        .open(place.ws().join("docs/a.md"))
        .unwrap();
    let disk = FaultyDisk::hooked(move |_, name| match name == "a.md" {
        true => std::os::unix::fs::FileExt::write_all_at(&file, b"A", 0),
        false => Ok(()),
    });
    let (ws, dir, journal) = (place.ws(), place.dir(), place.journal());
    let back = BringBack::new(&dir, &ws, &journal).on(&disk);
    let error = back.apply(checked(&difference), &step).unwrap_err();
    assert_eq!(error.code(), "WORKSPACE-CHANGED");
    assert_eq!(place.picture()["docs/a.md"], "file 640 \"A\"");
    assert_eq!(recover(&place).unwrap(), Recovered::Nothing);
    assert!(
        !place
            .picture()
            .keys()
            .any(|name| name.contains(".leasehold-"))
    );
}

#[test]
fn a_workspace_that_cannot_be_written_is_said_so_and_nothing_is_lost() {
    for kind in [
        std::io::ErrorKind::ReadOnlyFilesystem,
        std::io::ErrorKind::PermissionDenied,
    ] {
        let place = place();
        let before = place.picture();
        let step = place.step(&everything());
        work(&step);
        let difference = step.difference().unwrap();
        let (ws, dir, journal) = (place.ws(), place.dir(), place.journal());
        // All but the journal.
        let disk = FaultyDisk::hooked(move |_, name| match name == "journal.new" {
            true => Ok(()),
            false => Err(kind.into()),
        });
        let back = BringBack::new(&dir, &ws, &journal).on(&disk);
        let error = back.apply(checked(&difference), &step).unwrap_err();
        assert_eq!(error.code(), "WORKSPACE-READONLY");
        assert_eq!(error.class(), Class::Refused);
        assert_eq!(place.picture(), before);
        // Nothing is lost: the same difference can be brought back later.
        apply(&place, &step).unwrap();
    }
}

#[test]
fn an_unwritable_folder_is_found_before_anything_is_changed() {
    if rustix::process::geteuid().is_root() {
        // Root may write anywhere; the test above stands for this one.
        return;
    }
    let place = place();
    let step = place.step(&everything());
    work(&step);
    mode(&place.ws(), "docs/tree/x", 0o555);
    let before = place.picture();
    let error = apply(&place, &step).unwrap_err();
    assert_eq!(error.code(), "WORKSPACE-READONLY");
    assert_eq!(place.picture(), before);
    mode(&place.ws(), "docs/tree/x", 0o755);
}

#[test]
fn a_step_tree_that_changed_after_its_difference_is_not_brought_back() {
    let place = place();
    let before = place.picture();
    let step = place.step(&everything());
    work(&step);
    let difference = step.difference().unwrap();
    put(step.path(), "new/deep/n", "not what was checked");
    let error = bring_back(&place, |back| back.apply(checked(&difference), &step)).unwrap_err();
    assert_eq!(error.code(), "STEP-CHANGED");
    assert_eq!(error.class(), Class::Integrity);
    assert_eq!(place.picture(), before);
}

#[test]
fn git_apply_makes_the_same_tree() {
    let place = place();
    let ws = place.ws();
    put(&ws, "text/one", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
    put(&ws, "text/no-newline", "a\nb");
    put(&ws, "text/returns", "a\rb\r\nc\rd\n");
    put(&ws, "text/to-empty", "x\n");
    put(&ws, "text/with space", "s\n");
    put(&ws, "text/ünï \"q\"\\\t", "u\n");
    git(&ws, &["init", "-q"]);
    git(&ws, &["config", "core.autocrlf", "false"]);
    git(&ws, &["add", "-A"]);
    git(&ws, &["commit", "-q", "-m", "base"]);
    let step = place.step(&everything());
    let tree = step.path();
    work(&step);
    put(tree, "text/one", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n12\n13");
    put(tree, "text/no-newline", "a\nb\n");
    put(tree, "text/returns", "a\rB\r\nc\rd\n");
    put(tree, "text/to-empty", "");
    put(tree, "text/with space", "t\n");
    put(tree, "text/ünï \"q\"\\\t", "v\n");
    put(tree, "text/empty", "");
    mode(tree, "text/one", 0o755);
    let difference = step.difference().unwrap();
    let patch = difference
        .patch(&place.dir(), &step, PatchLimits::default())
        .unwrap();
    assert!(patch.whole);
    let again = difference
        .patch(&place.dir(), &step, PatchLimits::default())
        .unwrap();
    assert_eq!(patch, again);
    // A clone takes the patch, the workspace the difference.
    let clone = place.top.path().join("clone");
    git(place.top.path(), &["clone", "-q", "ws", "clone"]);
    std::fs::write(place.top.path().join("p"), &patch.text).unwrap();
    let output = git_output(&clone, &["apply", "--whitespace=nowarn", "../p"]);
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        patch.text
    );
    apply(&place, &step).unwrap();
    let tree_of = |dir: &std::path::Path| {
        git(dir, &["add", "-A"]);
        git(dir, &["write-tree"])
    };
    assert_eq!(tree_of(&clone), tree_of(&ws));
    // What git itself says of the same change has as many lines.
    let numbers = git(&ws, &["diff", "--cached", "--numstat", "--no-renames"]);
    let sum = |column: usize| -> u64 {
        let lines = numbers.lines();
        lines
            .map(|line| {
                line.split('\t')
                    .nth(column)
                    .unwrap()
                    .parse::<u64>()
                    .unwrap()
            })
            .sum()
    };
    assert_eq!((patch.added, patch.removed), (sum(0), sum(1)));
}

#[test]
fn a_step_under_narrow_rights_keeps_what_it_does_not_see() {
    let place = place();
    put(&place.ws(), "docs/.env", "secret");
    let narrow = rules(&["docs/**"], &["docs/**"], &["docs/**"], &["**/.env"]);
    let step = place.step(&narrow);
    put(step.path(), "docs/a.md", "changed");
    std::fs::remove_dir_all(step.path().join("docs/tree")).unwrap();
    let difference = step.difference().unwrap();
    let checked = difference.check(&narrow, &Protected::default()).unwrap();
    let mut expected = place.picture();
    bring_back(&place, |back| back.apply(checked, &step)).unwrap();
    for gone in ["docs/tree", "docs/tree/x", "docs/tree/x/y", "docs/tree/z"] {
        expected.remove(gone);
    }
    expected.insert("docs/a.md".into(), "file 640 \"changed\"".into());
    assert_eq!(place.picture(), expected);
}
