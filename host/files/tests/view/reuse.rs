//! Whether what a call has learned still holds: each way in which a tree can change, and the twin that changes nothing that
//! the call has seen.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use leasehold_files::{DigestMemo, FileId, Protected, ReadSet, Survey};
use leasehold_lease::FileGrant;

use crate::common::*;

/// What a call under these rules learns by doing this.
pub(crate) fn learn(bench: &Bench, rules: FileGrant, call: impl FnOnce(&Checked)) -> ReadSet {
    let view = bench.view(rules);
    call(&view);
    let set = view.reads();
    assert_eq!(ReadSet::decode(&set.encode()).as_ref(), Ok(&set));
    set
}

/// The first difference, as it is shown.
pub(crate) fn difference(bench: &Bench, rules: &FileGrant, set: &ReadSet) -> Option<String> {
    let survey = Survey::new(&bench.tree(), &DigestMemo::new());
    let found = survey.check(set, rules).err();
    // Asked again, it says the same without looking again.
    assert_eq!(survey.check(set, rules).err(), found);
    found.map(|difference| difference.to_string())
}

/// Does something to a bench; the call must have seen it, or must not.
#[track_caller]
fn after(
    rules: FileGrant,
    call: impl FnOnce(&Checked),
    twist: impl FnOnce(&Bench),
    expected: Option<&str>,
) {
    let bench = Bench::with(&["a", "b", "d/x", "d/y", "d/e/z"]);
    bench.link("a", "to-a");
    bench.link("d", "to-d");
    let set = learn(&bench, rules.clone(), call);
    assert_eq!(set.reusable(), Ok(()));
    assert_eq!(difference(&bench, &rules, &set), None);
    twist(&bench);
    assert_eq!(difference(&bench, &rules, &set).as_deref(), expected);
}

pub(crate) fn stat(view: &Checked, path: &str) {
    let _ = view.stat_at(&view.root(), path, true);
}

pub(crate) fn walk(view: &Checked, pattern: &str) {
    let mut walk = view.walk(vec![pattern.parse().unwrap()]);
    while !walk.next(2).unwrap().is_empty() {}
}

pub(crate) fn read(path: &'static str) -> impl Fn(&Checked) {
    move |view| drop(view.read_path(path, 0, 99).unwrap())
}

#[test]
fn content_that_was_read() {
    let other = |bench: &Bench| bench.file("d/x", "xx/");
    after(
        read_all(),
        read("d/x"),
        other,
        Some("d/x has other content"),
    );
    after(read_all(), read("d/y"), other, None);
    after(
        read_all(),
        |view| drop(view.digest_path("d/x")),
        other,
        Some("d/x has other content"),
    );
    after(
        read_all(),
        |view| drop(view.read_text("d/x")),
        other,
        Some("d/x has other content"),
    );
    let longer = |bench: &Bench| bench.file("d/x", "longer");
    after(
        read_all(),
        read("d/x"),
        longer,
        Some("d/x has another length"),
    );
    // Only opened, or read at a place where nothing was.
    after(
        read_all(),
        |view| drop(view.read_path("d/x", 0, 0)),
        longer,
        None,
    );
    after(
        read_all(),
        |view| drop(view.read_path("d/x", 9, 9)),
        longer,
        Some("d/x has another length"),
    );
}

#[test]
fn the_start_of_a_file_and_pieces_of_it() {
    let start = |view: &Checked| drop(view.read_path("d/x", 0, 2).unwrap());
    after(
        read_all(),
        start,
        |bench| bench.file("d/x", "d/other"),
        None,
    );
    after(
        read_all(),
        start,
        |bench| bench.file("d/x", "D/x"),
        Some("d/x has other content"),
    );
    // Two bytes were delivered, and that more follow.
    after(
        read_all(),
        start,
        |bench| bench.file("d/x", "d/"),
        Some("d/x has another length"),
    );
    after(
        read_all(),
        |view| {
            start(view);
            stat(view, "d/x");
        },
        |bench| bench.file("d/x", "d/other"),
        Some("d/x has another length"),
    );
    let pieces = |view: &Checked| {
        for (offset, max) in [(2, 1), (0, 1), (2, 1)] {
            view.read_path("d/x", offset, max).unwrap();
        }
    };
    after(read_all(), pieces, |bench| bench.file("d/x", "d-x"), None);
    after(
        read_all(),
        pieces,
        |bench| bench.file("d/x", "d/y"),
        Some("d/x has other content"),
    );
    after(
        read_all(),
        pieces,
        |bench| bench.file("d/x", "d/xx"),
        Some("d/x has another length"),
    );
}

#[test]
fn what_was_listed() {
    let names = |view: &Checked| drop(view.names("d").unwrap());
    after(
        read_all(),
        names,
        |bench| bench.file("d/x", "other and longer"),
        None,
    );
    after(
        read_all(),
        names,
        |bench| bench.file("d/new", ""),
        Some("d holds other entries"),
    );
    after(read_all(), names, |bench| bench.file("d/e/new", ""), None);
    let removed = |bench: &Bench| fs::remove_file(bench.path("d/y")).unwrap();
    after(read_all(), names, removed, Some("d holds other entries"));
    after(
        read_all(),
        |view| walk(view, "d/**"),
        removed,
        Some("d/y was removed"),
    );
    let grown = |bench: &Bench| bench.file("d/e/z", "longer");
    after(
        read_all(),
        |view| walk(view, "**"),
        grown,
        Some("d/e/z has another length"),
    );
    after(read_all(), |view| walk(view, "d/*"), grown, None);
    let same_size = |bench: &Bench| bench.file("d/e/z", "D/E/Z");
    after(read_all(), |view| walk(view, "**"), same_size, None);
    let executable = |bench: &Bench| {
        fs::set_permissions(bench.path("d/x"), fs::Permissions::from_mode(0o755)).unwrap();
    };
    after(
        read_all(),
        |view| walk(view, "**"),
        executable,
        Some("d/x has another executable bit"),
    );
    after(read_all(), names, executable, None);
    // What was hidden is counted, so it is part of the result; its size is not.
    let some = || rules(&["d/x"], &["d/x"], &[], &[]);
    after(
        some(),
        |view| walk(view, "**"),
        |bench| bench.file("d/y2", ""),
        Some("d holds other entries"),
    );
    after(
        some(),
        |view| walk(view, "**"),
        |bench| bench.file("d/y", "longer"),
        None,
    );
    // The size of what may not be read is not shown.
    let names_only = || rules(&["**"], &["d/x"], &[], &[]);
    after(
        names_only(),
        |view| walk(view, "**"),
        |bench| bench.file("d/y", "longer"),
        None,
    );
}

#[test]
fn what_was_there_and_what_was_not() {
    let probe = |path: &'static str| move |view: &Checked| stat(view, path);
    let make = |path: &'static str| move |bench: &Bench| bench.file(path, path);
    after(
        read_all(),
        probe("d/new"),
        make("d/new"),
        Some("d/new appeared"),
    );
    after(read_all(), probe("d/new"), make("d/newer"), None);
    after(
        read_all(),
        probe("new/x/y"),
        make("new/other"),
        Some("new appeared"),
    );
    after(
        read_all(),
        probe("d/x"),
        |bench| bench.file("d/x", "D/X"),
        None,
    );
    after(
        read_all(),
        probe("d/x"),
        |bench| bench.file("d/x", ""),
        Some("d/x has another length"),
    );
    let removed = |bench: &Bench| fs::remove_dir_all(bench.path("d")).unwrap();
    after(read_all(), probe("d"), removed, Some("d was removed"));
    after(read_all(), probe("d/e/z"), removed, Some("d was removed"));
    after(read_all(), probe("d/../a"), removed, Some("d was removed"));
    after(read_all(), probe("a"), removed, None);
    let hash = |view: &Checked| assert!(view.metadata_hash_at(&view.root(), "d/x", true).is_ok());
    after(read_all(), hash, |bench| bench.file("d/x", "longer"), None);
    after(read_all(), hash, removed, Some("d was removed"));
    let file = |bench: &Bench| {
        removed(bench);
        bench.file("d", "");
    };
    after(
        read_all(),
        probe("d/x"),
        file,
        Some("d is something else than it was"),
    );
    // A path on the way only: what is there makes no difference unless it is a directory.
    let deep = || rules(&["v/w/x"], &["v/w/x"], &[], &[]);
    after(deep(), probe("v/w/x"), make("v"), None);
    after(deep(), probe("v/w/x"), make("v/x"), Some("v appeared"));
}

#[test]
fn links_and_what_becomes_one() {
    let relink = |target: &'static str, path: &'static str| {
        move |bench: &Bench| {
            let _ = fs::remove_file(bench.path(path));
            let _ = fs::remove_dir_all(bench.path(path));
            bench.link(target, path);
        }
    };
    after(
        read_all(),
        read("to-a"),
        relink("b", "to-a"),
        Some("to-a leads elsewhere"),
    );
    after(
        read_all(),
        read("to-d/x"),
        relink("d/e", "to-d"),
        Some("to-d leads elsewhere"),
    );
    after(read_all(), read("to-a"), |bench| bench.file("b", "B"), None);
    after(
        read_all(),
        read("to-a"),
        |bench| bench.file("a", "A"),
        Some("a has other content"),
    );
    let lstat = |view: &Checked| assert!(view.stat_at(&view.root(), "to-a", false).is_ok());
    after(read_all(), lstat, relink("b", "to-a"), None);
    let readlink = |view: &Checked| drop(view.readlink_at(&view.root(), "to-a").unwrap());
    after(
        read_all(),
        readlink,
        relink("b", "to-a"),
        Some("to-a leads elsewhere"),
    );
    // The same content behind a link is not the same answer to a call that does not expect one.
    let moved = |bench: &Bench| {
        fs::rename(bench.path("d"), bench.path("moved")).unwrap();
        bench.link("moved", "d");
    };
    after(
        read_all(),
        read("d/x"),
        moved,
        Some("d is something else than it was"),
    );
    let outside = |bench: &Bench| {
        fs::copy(bench.path("a"), bench.outside().join("a")).unwrap();
        relink("../outside/a", "a")(bench);
    };
    after(
        read_all(),
        read("a"),
        outside,
        Some("a is something else than it was"),
    );
}

#[test]
fn a_second_name_counts_where_it_makes_a_difference() {
    let linked = |bench: &Bench| fs::hard_link(bench.path("a"), bench.path("d/e/name")).unwrap();
    let narrow = || rules(&["**"], &["a", "b"], &[], &[]);
    after(
        narrow(),
        read("a"),
        linked,
        Some("a has gained or lost a second name"),
    );
    after(narrow(), read("b"), linked, None);
    after(read_all(), read("a"), linked, None);
}

#[test]
fn what_is_closed_meanwhile_is_a_difference() {
    use std::os::unix::fs::MetadataExt;
    let mut bench = Bench::with(&["a", "d/x"]);
    let id = |bench: &Bench, path: &str| {
        let meta = fs::metadata(bench.path(path)).unwrap();
        FileId {
            dev: meta.dev(),
            ino: meta.ino(),
        }
    };
    let (a, d) = (id(&bench, "a"), id(&bench, "d"));
    let file = learn(&bench, read_all(), read("a"));
    let told = learn(&bench, read_all(), |view| stat(view, "a"));
    let below = learn(&bench, read_all(), read("d/x"));
    let listing = learn(&bench, read_all(), |view| drop(view.names("").unwrap()));
    let sets = [&file, &told, &below, &listing];
    let differences = |bench: &Bench| sets.map(|set| difference(bench, &read_all(), set));
    assert_eq!(differences(&bench), [None, None, None, None]);
    bench.protected = Protected {
        closed: [a, d].into(),
        ..Protected::default()
    };
    let closed = |path: &str| Some(format!("{path} is closed to every plugin now"));
    let entries = Some(". holds other entries".to_owned());
    assert_eq!(
        differences(&bench),
        [closed("a"), closed("a"), closed("d"), entries]
    );
}
