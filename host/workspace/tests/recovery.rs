//! What the command after a bring-back that was cut off finds and does.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use std::os::unix::fs::PermissionsExt as _;

use leasehold_seal::{Class, Coded as _};
use leasehold_workspace::{BringBack, Recovered, StepTree};
use support::faulty::{Fault, FaultyDisk};
use support::scene::{apply, checked, contents, place, recover, work};
use support::{Picture, Place, everything, put};

/// A process that died in the middle: after as many operations.
fn cut_off(place: &Place, step: &StepTree, at: u64) {
    let difference = step.difference().unwrap();
    let (ws, dir, journal) = (place.ws(), place.dir(), place.journal());
    let disk = FaultyDisk::new(at, Fault::DiesBefore);
    let back = BringBack::new(&dir, &ws, &journal).on(&disk);
    assert!(back.apply(checked(&difference), step).is_err());
}

/// A workspace in which bringing back was cut off before this operation, and what it was before.
fn cut_at(at: u64) -> (Place, StepTree, Picture) {
    let place = place();
    let before = place.picture();
    let step = place.step(&everything());
    work(&step);
    cut_off(&place, &step, at);
    (place, step, before)
}

/// The first operation before which this file had been moved in.
fn first_with(name: &str, content: &str) -> u64 {
    let arrived = |at: &u64| {
        let now = cut_at(*at).0.picture();
        now.get(name).is_some_and(|what| what.contains(content))
    };
    (0..).find(arrived).unwrap()
}

fn in_the_middle(name: &str, content: &str) -> (Place, StepTree, Picture) {
    cut_at(first_with(name, content))
}

#[test]
fn nothing_is_brought_back_before_what_was_cut_off_is_recovered() {
    let (place, step, before) = in_the_middle("docs/a.md", "changed");
    let error = apply(&place, &step).unwrap_err();
    assert_eq!(error.code(), "RECOVERY-NEEDED");
    assert_eq!(recover(&place).unwrap(), Recovered::RolledBack);
    assert_eq!(place.picture(), before);
    assert_eq!(recover(&place).unwrap(), Recovered::Nothing);
    apply(&place, &step).unwrap();
    assert_eq!(
        contents(&place.picture()),
        contents(&support::picture(step.path()))
    );
}

#[test]
fn what_somebody_wrote_after_the_crash_is_never_overwritten() {
    let (place, _step, mut before) = in_the_middle("docs/a.md", "changed");
    put(&place.ws(), "docs/a.md", "by hand");
    let now = place.picture();
    let error = recover(&place).unwrap_err();
    assert_eq!(error.code(), "RECOVERY-CONFLICT");
    assert_eq!(error.class(), Class::Blocked);
    let hint = error.hint().unwrap();
    assert!(hint.contains("docs/.leasehold-"), "{hint}");
    assert_eq!(place.picture(), now);
    // As the hint says.
    std::fs::rename(place.ws().join("docs/a.md"), place.ws().join("mine")).unwrap();
    assert_eq!(recover(&place).unwrap(), Recovered::RolledBack);
    before.insert("mine".to_owned(), "file 640 \"by hand\"".to_owned());
    assert_eq!(place.picture(), before);
}

#[test]
fn two_processes_do_not_bring_back_at_once() {
    let place = place();
    let step = place.step(&everything());
    work(&step);
    std::fs::create_dir_all(place.journal()).unwrap();
    let lock = std::fs::File::create(place.journal().join("lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(apply(&place, &step).unwrap_err().code(), "WORKSPACE-BUSY");
    assert_eq!(recover(&place).unwrap_err().code(), "WORKSPACE-BUSY");
    drop(lock);
    apply(&place, &step).unwrap();
}

#[test]
fn a_journal_for_another_workspace_or_of_strange_content_is_refused() {
    let (place, _step, before) = in_the_middle("docs/a.md", "changed");
    let now = place.picture();
    let (dir, journal) = (place.dir(), place.journal());
    let elsewhere = place.top.path().join("elsewhere");
    let error = BringBack::new(&dir, &elsewhere, &journal)
        .recover()
        .unwrap_err();
    assert_eq!(error.code(), "JOURNAL-INVALID");
    let file = journal.join("journal.json");
    let sound = std::fs::read_to_string(&file).unwrap();
    let start = sound.find("\"aside\":\"").unwrap() + 9;
    let end = start + sound[start..].find('"').unwrap();
    let aside = &sound[start..end];
    for (from, to) in [
        ("{\"version\":1", "{\"version\":2"),
        ("{\"version\":1", "{\"extra\":0,\"version\":1"),
        (aside, "keep"),
        (aside, ".leasehold-/../keep"),
        ("\"docs/a.md\"", "\"../a.md\""),
        ("\"docs/a.md\"", "\"\""),
        ("{", ""),
    ] {
        std::fs::write(&file, sound.replacen(from, to, 1)).unwrap();
        let error = recover(&place).unwrap_err();
        assert_eq!(error.code(), "JOURNAL-INVALID", "{from} → {to}");
        assert_eq!(place.picture(), now);
    }
    std::fs::write(&file, &sound).unwrap();
    // A half-written next state does not count.
    std::fs::write(journal.join("journal.new"), &sound[..sound.len() / 2]).unwrap();
    assert_eq!(recover(&place).unwrap(), Recovered::RolledBack);
    assert_eq!(place.picture(), before);
    let left: Vec<_> = std::fs::read_dir(&journal)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["lock"]);
    let folder = journal.metadata().unwrap().permissions().mode();
    assert_eq!(folder & 0o777, 0o700);
}

#[test]
fn what_somebody_wrote_where_the_file_was_just_moved_away_is_kept() {
    for at in 0.. {
        let (place, _step, before) = cut_at(at);
        if place.ws().join("docs/a.md").exists() {
            assert!(
                !place.ws().join("new").exists(),
                "never between the renames"
            );
            continue;
        }
        put(&place.ws(), "docs/a.md", "by hand");
        let now = place.picture();
        assert_eq!(recover(&place).unwrap_err().code(), "RECOVERY-CONFLICT");
        assert_eq!(place.picture(), now);
        std::fs::remove_file(place.ws().join("docs/a.md")).unwrap();
        assert_eq!(recover(&place).unwrap(), Recovered::RolledBack);
        assert_eq!(place.picture(), before);
        return;
    }
}

#[test]
fn what_somebody_made_where_nothing_was_moved_in_yet_is_kept() {
    // Wherever bringing back, or undoing it, was cut off: a name that is free then may be taken.
    let made = |place: &Place, context: &str| {
        if place.ws().join("new").exists() {
            return;
        }
        put(&place.ws(), "new", "by hand");
        recover(place).unwrap_or_else(|error| panic!("{context}: {error}"));
        let now = place.picture();
        assert_eq!(now["new"], "file 644 \"by hand\"", "{context}");
        assert!(!now.keys().any(|name| name.contains(".leasehold-")));
    };
    for at in 0.. {
        let (place, _step, _) = cut_at(at);
        if place.ws().join("new").exists() {
            break;
        }
        made(&place, &format!("operation {at}"));
    }
    let at = first_with("new/deep/n", "n");
    for again in 0.. {
        let (place, _step, _) = cut_at(at);
        let (ws, dir, journal) = (place.ws(), place.dir(), place.journal());
        let disk = FaultyDisk::new(again, Fault::DiesBefore);
        let done = BringBack::new(&dir, &ws, &journal).on(&disk).recover();
        made(&place, &format!("operation {again} of recovery"));
        if done.is_ok() {
            break;
        }
    }
}
