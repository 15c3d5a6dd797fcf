//! Every file operation of a bring-back goes wrong once, in every way, and the process dies at each of them: the
//! workspace is afterwards exactly as before or exactly as after.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use std::io::ErrorKind;
use std::process::Command;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use leasehold_files::Protected;
use leasehold_workspace::disk::Disk;
use leasehold_workspace::{Applied, BringBack, Difference, Recovered, StepTree, WorkspaceError};
use support::faulty::{Fault, FaultyDisk};
use support::{Picture, Place, everything, link, mode, picture, put};

const FAULTS: [Fault; 7] = [
    Fault::Fails(ErrorKind::Other),
    Fault::Fails(ErrorKind::StorageFull),
    Fault::Fails(ErrorKind::PermissionDenied),
    Fault::StaysFull,
    Fault::LiesThatItFailed,
    Fault::DiesBefore,
    Fault::DiesAfter,
];

/// A workspace, a step that did one of everything, and the pictures before and after.
struct Scene {
    step: StepTree,
    difference: Difference,
    /// Holds the step tree.
    _place: Place,
    before: Picture,
    after: Picture,
}

impl Scene {
    fn new() -> Self {
        let place = Place::quick();
        workspace(&place);
        let step = place.step(&everything());
        let tree = step.path();
        put(tree, "docs/a", "changed");
        std::fs::remove_file(tree.join("docs/gone")).unwrap();
        std::fs::remove_dir_all(tree.join("tree")).unwrap();
        put(tree, "new/deep/n", "n");
        std::fs::remove_file(tree.join("turn")).unwrap();
        put(tree, "turn/in", "dir now");
        mode(tree, "tool", 0o755);
        let difference = step.difference().unwrap();
        let before = place.picture();
        apply(&place, &FaultyDisk::sound(), &difference, &step).unwrap();
        let after = place.picture();
        assert_ne!(before, after);
        Self {
            step,
            difference,
            _place: place,
            before,
            after,
        }
    }

    /// A workspace as it was before.
    fn again(&self) -> Place {
        let place = Place::quick();
        workspace(&place);
        assert_eq!(place.picture(), self.before);
        place
    }

    fn apply(&self, place: &Place, disk: &dyn Disk) -> Result<Applied, WorkspaceError> {
        apply(place, disk, &self.difference, &self.step)
    }

    /// Exactly before or exactly after, and no journal.
    fn assert_whole(&self, place: &Place, is_after: bool, context: &str) {
        let expected = if is_after { &self.after } else { &self.before };
        assert_eq!(&place.picture(), expected, "{context}");
        let home = picture(&place.journal());
        assert!(
            home.keys().all(|name| name == "lock"),
            "{context}: {home:?}"
        );
    }
}

fn workspace(place: &Place) {
    let ws = place.ws();
    put(&ws, "docs/a", "a");
    put(&ws, "docs/gone", "gone");
    put(&ws, "tree/x/y", "y");
    link(&ws, "tree/l", "x");
    put(&ws, "turn", "file");
    put(&ws, "tool", "#!/bin/sh");
}

fn apply(
    place: &Place,
    disk: &dyn Disk,
    difference: &Difference,
    step: &StepTree,
) -> Result<Applied, WorkspaceError> {
    let checked = difference
        .check(&everything(), &Protected::default())
        .unwrap();
    let (ws, dir, journal) = (place.ws(), place.dir(), place.journal());
    BringBack::new(&dir, &ws, &journal)
        .on(disk)
        .apply(checked, step)
}

fn recover(place: &Place, disk: &dyn Disk) -> Result<Recovered, WorkspaceError> {
    let (ws, dir, journal) = (place.ws(), place.dir(), place.journal());
    BringBack::new(&dir, &ws, &journal).on(disk).recover()
}

fn operations(scene: &Scene) -> u64 {
    let disk = FaultyDisk::sound();
    scene.apply(&scene.again(), &disk).unwrap();
    disk.operations()
}

#[test]
fn every_operation_goes_wrong_once_in_every_way() {
    let scene = Scene::new();
    let operations = operations(&scene);
    println!("operations 0..{operations}, {} faults each", FAULTS.len());
    assert!(operations > 100);
    let (mut failed, mut unfinished, mut completed) = (0, 0, 0);
    for at in 0..operations {
        for fault in FAULTS {
            let context = format!("operation {at}, {fault:?}");
            let place = scene.again();
            let disk = FaultyDisk::new(at, fault);
            let result = scene.apply(&place, &disk);
            match &result {
                Ok(applied) if applied.cleaned => scene.assert_whole(&place, true, &context),
                Ok(_) => {}
                Err(WorkspaceError::Unfinished { .. }) => unfinished += 1,
                // The next command finds a journal of which this one does not know whether it was written.
                Err(_) if !place.journal().join("journal.json").exists() => {
                    scene.assert_whole(&place, false, &context);
                }
                Err(_) => assert_eq!(place.picture(), scene.before, "{context}"),
            }
            failed += u64::from(result.is_err());
            let recovered = recover(&place, &FaultyDisk::sound()).unwrap();
            completed += u64::from(recovered == Recovered::Completed);
            let is_after = match recovered {
                Recovered::Nothing => result.is_ok(),
                Recovered::RolledBack => false,
                Recovered::Completed => true,
            };
            // A success stays one.
            assert!(is_after || result.is_err(), "{context}: {recovered:?}");
            scene.assert_whole(&place, is_after, &context);
            let again = recover(&place, &FaultyDisk::sound()).unwrap();
            assert_eq!(again, Recovered::Nothing, "{context}");
        }
    }
    println!("{failed} failed, {unfinished} unfinished, {completed} completed by recovery");
    assert!(failed > operations && unfinished > 0 && completed > 0);
}

#[test]
fn recovery_itself_may_be_cut_off_anywhere() {
    let scene = Scene::new();
    let operations = operations(&scene);
    let mut cuts = 0;
    for at in (0..operations).step_by(5) {
        for again in (at % 3..).step_by(3) {
            let place = scene.again();
            let died = FaultyDisk::new(at, Fault::DiesBefore);
            let done = scene.apply(&place, &died).is_ok();
            let fault = if again % 2 == 0 {
                Fault::DiesAfter
            } else {
                Fault::LiesThatItFailed
            };
            let first = recover(&place, &FaultyDisk::new(again, fault));
            let second = recover(&place, &FaultyDisk::sound()).unwrap();
            let is_after =
                done || matches!(first, Ok(Recovered::Completed)) || second == Recovered::Completed;
            let context = format!("operation {at}, then {again} of recovery: {first:?}");
            // The journal may have been removed just before the end.
            let is_after = is_after || place.picture() == scene.after;
            scene.assert_whole(&place, is_after, &context);
            cuts += 1;
            if first.is_ok() {
                break;
            }
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 100);
}

#[test]
fn a_process_that_is_killed_leaves_what_the_next_one_puts_right() {
    let scene = Scene::new();
    let operations = operations(&scene);
    for at in (0..operations).step_by(9) {
        let place = scene.again();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed_on_purpose", "--ignored"])
            .env("WORKSPACE_TOP", place.top.path())
            .env("KILL_AT", at.to_string())
            .output()
            .unwrap()
            .status;
        use std::os::unix::process::ExitStatusExt as _;
        assert_eq!(status.signal(), Some(9), "operation {at}");
        let recovered = recover(&place, &FaultyDisk::sound()).unwrap();
        let is_after = recovered == Recovered::Completed
            || (recovered == Recovered::Nothing && place.picture() == scene.after);
        scene.assert_whole(&place, is_after, &format!("killed at {at}"));
    }
}

/// Not a test: what the test above starts and kills.
#[test]
#[ignore = "the test above runs it in a process of its own"]
fn killed_on_purpose() {
    let (Some(top), Ok(at)) = (std::env::var_os("WORKSPACE_TOP"), std::env::var("KILL_AT")) else {
        return;
    };
    let scene = Scene::new();
    let top = std::path::PathBuf::from(top);
    let (ws, journal) = (top.join("ws"), top.join("home/bring-back"));
    let dir = Dir::open_ambient_dir(&ws, ambient_authority()).unwrap();
    let mut disk = FaultyDisk::new(at.parse().unwrap(), Fault::DiesBefore);
    disk.kill = true;
    let checked = scene
        .difference
        .check(&everything(), &Protected::default())
        .unwrap();
    let back = BringBack::new(&dir, &ws, &journal).on(&disk);
    let _ = back.apply(checked, &scene.step);
}
