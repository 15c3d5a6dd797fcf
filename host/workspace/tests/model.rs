//! Whatever a step does, the workspace afterwards holds what the step tree holds; and wherever it is cut off, one of
//! the two trees.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use leasehold_workspace::{BringBack, PatchLimits, Recovered};
use proptest::prelude::*;
use support::faulty::{Fault, FaultyDisk};
use support::scene::{apply, checked, contents, recover};
use support::{Place, everything, mode, picture, put};

/// One thing a step does. Those that make no sense where it gets to fail, and change nothing.
#[derive(Clone, Debug)]
enum Act {
    Write(&'static str, u8),
    Remove(&'static str),
    RemoveAll(&'static str),
    MakeDir(&'static str),
    Rename(&'static str, &'static str),
    Executable(&'static str, bool),
}

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a", "a-b", "a/b", "a/b/c", "a/c", "b", "b/a", "c/d/e/f", "c",
    ])
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (path(), 0..3u8).prop_map(|(path, content)| Act::Write(path, content)),
        path().prop_map(Act::Remove),
        path().prop_map(Act::RemoveAll),
        path().prop_map(Act::MakeDir),
        (path(), path()).prop_map(|(from, to)| Act::Rename(from, to)),
        (path(), any::<bool>()).prop_map(|(path, is)| Act::Executable(path, is)),
    ]
}

fn carry_out(root: &std::path::Path, act: &Act) {
    let _ = match *act {
        Act::Write(path, content) => {
            let path = root.join(path);
            let above = path.parent().unwrap_or(root);
            std::fs::create_dir_all(above).and_then(|()| std::fs::write(&path, [content]))
        }
        Act::Remove(path) => std::fs::remove_file(root.join(path)),
        Act::RemoveAll(path) => std::fs::remove_dir_all(root.join(path)),
        Act::MakeDir(path) => std::fs::create_dir_all(root.join(path)),
        Act::Rename(from, to) => std::fs::rename(root.join(from), root.join(to)),
        Act::Executable(path, is) if root.join(path).is_file() => {
            mode(root, path, if is { 0o755 } else { 0o644 });
            Ok(())
        }
        Act::Executable(..) => Ok(()),
    };
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act(), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_work_arrives_or_does_not(first in acts(), second in acts(), cut in 0..400u64) {
        let place = Place::quick();
        first.iter().for_each(|act| carry_out(&place.ws(), act));
        let before = place.picture();
        let step = place.step(&everything());
        prop_assert!(step.difference().unwrap().is_empty());
        second.iter().for_each(|act| carry_out(step.path(), act));
        let wanted = contents(&picture(step.path()));
        let difference = step.difference().unwrap();
        prop_assert!(!difference.is_empty() || wanted == contents(&before));
        difference.patch(&place.dir(), &step, PatchLimits::default()).unwrap();

        let (ws, dir, journal) = (place.ws(), place.dir(), place.journal());
        let disk = FaultyDisk::new(cut, Fault::DiesBefore);
        let died = BringBack::new(&dir, &ws, &journal).on(&disk);
        let done = died.apply(checked(&difference), &step).is_ok();
        match recover(&place).unwrap() {
            Recovered::RolledBack => prop_assert_eq!(&place.picture(), &before),
            Recovered::Nothing if !done => {
                let now = place.picture();
                prop_assert!(now == before || contents(&now) == wanted);
            }
            Recovered::Nothing | Recovered::Completed => {
                prop_assert_eq!(contents(&place.picture()), wanted.clone());
            }
        }
        // What did not arrive can be brought back now; what did is no longer what the step was given.
        if place.picture() == before && !difference.is_empty() {
            apply(&place, &step).unwrap();
        }
        prop_assert_eq!(contents(&place.picture()), wanted);
    }

    #[test]
    fn any_journal_is_refused_or_changes_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let place = Place::quick();
        put(&place.ws(), "a", "a");
        let before = place.picture();
        std::fs::create_dir_all(place.journal()).unwrap();
        std::fs::write(place.journal().join("journal.json"), bytes).unwrap();
        prop_assert!(recover(&place).is_err());
        prop_assert_eq!(place.picture(), before);
    }
}
