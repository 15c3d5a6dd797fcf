//! Every file operation fails once, in every way, and the power is cut at every point: no
//! acknowledged record is lost, and the tape that is left verifies.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use std::io::ErrorKind;
use std::path::Path;

use leasehold_seal::{Class, Coded as _};
use leasehold_tape::call::Ending;
use leasehold_tape::{Appended, Checkpoint, Draft, Durability, Options, Store, TapeError};
use support::sim::{Fault, Random};
use support::{
    SimDisk, assert_holds, host_key, intent, note, open, open_with, options, outcome, path,
    read_all,
};

const FAULTS: [Fault; 8] = [
    Fault::Fails(ErrorKind::Other),
    Fault::Fails(ErrorKind::StorageFull),
    Fault::Fails(ErrorKind::PermissionDenied),
    Fault::Fails(ErrorKind::Interrupted),
    Fault::StaysFull,
    Fault::Short,
    Fault::ShortThenFull,
    Fault::Kill,
];

/// Everything a host does with a tape. Acknowledged durable records go to `acknowledged`; after an
/// error the host opens the tape again and goes on, as a person would.
fn life(disk: &SimDisk, acknowledged: &mut Vec<Appended>) -> Vec<TapeError> {
    let mut errors = Vec::new();
    for session in 0..3 {
        let options = Options {
            state_every: 3,
            ..options(disk)
        };
        let result = open_with(disk, options).and_then(|tape| {
            let other = open(disk)?;
            let call = format!("c{session}-{}", tape.size());
            tape.append(vec![note("unsynced")], Durability::Written)?;
            let begin = Draft::intent(&intent(&call, 100))?;
            acknowledged.extend(tape.append(vec![begin], Durability::Synced)?);
            other.append(vec![note("other process")], Durability::Written)?;
            let end = Draft::outcome(&outcome(&call, Ending::Returned, 40))?;
            acknowledged.extend(tape.append(vec![end, note("more")], Durability::Synced)?);
            tape.checkpoint()?;
            acknowledged.extend(other.append(vec![note("other again")], Durability::Synced)?);
            if session != 1 {
                acknowledged.extend(tape.close_with(vec![note("last")])?.0);
            }
            Ok(())
        });
        errors.extend(result.err());
    }
    errors
}

/// The tape opens, holds what was acknowledged, takes more, closes, and verifies from its bytes.
fn assert_sound(disk: &SimDisk, acknowledged: &[Appended], context: &str) {
    let tape = open(disk)
        .map_err(|error| format!("{context}: {error}"))
        .unwrap();
    let mut acknowledged = acknowledged.to_vec();
    acknowledged.extend(
        tape.append(vec![note("afterwards")], Durability::Synced)
            .unwrap(),
    );
    let checkpoint = tape.close().unwrap();
    let bytes = disk.read(path("records.jsonl")).unwrap();
    assert_holds(&bytes, &acknowledged, context);
    let signed =
        Checkpoint::open(checkpoint.as_bytes(), tape.id(), &[&host_key().public()]).unwrap();
    let leaves: Vec<_> = read_all(&bytes)
        .iter()
        .map(|record| record.leaf())
        .collect();
    assert_eq!(signed.checkpoint.size, leaves.len() as u64, "{context}");
    assert_eq!(
        signed.checkpoint.root,
        leasehold_tape::tree::root(&leaves),
        "{context}"
    );
}

#[test]
fn no_failing_operation_and_no_power_cut_loses_an_acknowledged_record() {
    let clean = SimDisk::new();
    let mut acknowledged = Vec::new();
    assert_eq!(life(&clean, &mut acknowledged), []);
    assert_eq!(acknowledged.len(), 14);
    assert_sound(&clean, &acknowledged, "no fault");
    let operations = clean.counts().operations;
    println!("operations 0..{operations}, {} faults each", FAULTS.len());
    let mut refusals = 0;
    for at in 0..operations {
        for fault in FAULTS {
            let disk = SimDisk::new();
            disk.arm(at, fault);
            let mut acknowledged = Vec::new();
            let errors = life(&disk, &mut acknowledged);
            refusals += errors.len();
            let context = format!("operation {at}, {fault:?}");
            for error in &errors {
                assert_ne!(error.class(), Class::Integrity, "{context}: {error}");
            }
            assert_sound(&disk.after_death(), &acknowledged, &context);
            for seed in 0..2 {
                let context = format!("{context}, power cut {seed}");
                let disk = disk.after_power_cut(at * 31 + seed);
                assert_sound(&disk, &acknowledged, &context);
            }
        }
    }
    println!("{refusals} errors were reported on the way");
    assert!(refusals as u64 > operations);
}

#[test]
fn a_second_power_cut_during_recovery_loses_nothing_either() {
    let mut random = Random(42);
    for round in 0..400 {
        let disk = SimDisk::new();
        let mut acknowledged = Vec::new();
        disk.arm(20 + random.below(150), Fault::Kill);
        life(&disk, &mut acknowledged);
        let disk = disk.after_power_cut(random.next());
        disk.arm(random.below(40), Fault::Kill);
        life(&disk, &mut acknowledged);
        let disk = disk.after_power_cut(random.next());
        assert_sound(&disk, &acknowledged, &format!("round {round}"));
    }
}

#[test]
fn the_power_may_fail_at_any_point_of_a_recovery() {
    // A torn record about as long as the one that will be written in its place, and without NUL: where
    // the two are mixed, nothing tells the mixture from somebody's doing.
    let whole = SimDisk::new();
    let tape = open(&whole).unwrap();
    let acknowledged = tape.append(vec![note("kept")], Durability::Synced).unwrap();
    tape.append(vec![note(&"torn".repeat(60))], Durability::Written)
        .unwrap();
    drop(tape);
    whole.remove(path("state"));
    let bytes = whole.read(path("records.jsonl")).unwrap();
    whole.put(path("records.jsonl"), &bytes[..bytes.len() - 1]);
    let clean = whole.after_death();
    open(&clean).unwrap();
    let operations = clean.counts().operations;
    println!("operations 0..{operations}");
    for at in 0..operations {
        for seed in 0..60 {
            let disk = whole.after_death();
            disk.arm(at, Fault::Kill);
            let _ = open(&disk);
            let context = format!("operation {at}, power cut {seed}");
            assert_sound(&disk.after_power_cut(seed), &acknowledged, &context);
        }
    }
}

#[test]
fn the_power_may_fail_after_a_write_was_taken_back() {
    for seed in 0..400 {
        let disk = SimDisk::new();
        let tape = open(&disk).unwrap();
        let acknowledged = tape.append(vec![note("kept")], Durability::Synced).unwrap();
        // lock, info, write
        disk.arm(2, Fault::ShortThenFull);
        let lost = note(&"half".repeat(150));
        let error = tape.append(vec![lost], Durability::Written).unwrap_err();
        assert_eq!(error.code(), "TAPE-FULL");
        // What comes in its place must not be mixed with it.
        let next = note(&"next".repeat(40));
        match tape.append(vec![next], Durability::Written) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.code(), "TAPE-POISONED"),
        }
        let context = format!("power cut {seed}");
        assert_sound(&disk.after_power_cut(seed), &acknowledged, &context);
    }
}

#[test]
fn what_a_failed_sync_lost_is_written_again_when_the_tape_is_opened() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    tape.append(vec![note("first")], Durability::Synced)
        .unwrap();
    tape.append(vec![note("written")], Durability::Written)
        .unwrap();
    // lock, info, write, unlock, sync
    disk.arm(4, Fault::Fails(ErrorKind::Other));
    let error = tape
        .append(vec![note("not durable")], Durability::Synced)
        .unwrap_err();
    assert_eq!(error.code(), "TAPE-IO");
    assert_eq!(
        tape.append(vec![note("x")], Durability::Written)
            .unwrap_err()
            .code(),
        "TAPE-POISONED"
    );
    drop(tape);
    let tape = open(&disk).unwrap();
    let kept = tape
        .append(vec![note("durable")], Durability::Synced)
        .unwrap();
    let disk = disk.after_power_cut(1);
    assert_holds(
        &disk.read(path("records.jsonl")).unwrap(),
        &kept,
        "power cut",
    );
    open(&disk).unwrap();
}

#[test]
fn a_full_disk_and_a_read_only_folder_refuse_the_record_and_the_tape_goes_on() {
    for (kind, code) in [
        (ErrorKind::StorageFull, "TAPE-FULL"),
        (ErrorKind::QuotaExceeded, "TAPE-FULL"),
        (ErrorKind::ReadOnlyFilesystem, "TAPE-READONLY"),
        (ErrorKind::PermissionDenied, "TAPE-READONLY"),
    ] {
        let disk = SimDisk::new();
        let tape = open(&disk).unwrap();
        let before = disk.read(path("records.jsonl")).unwrap();
        // lock, info, write
        disk.arm(2, Fault::Fails(kind));
        let error = tape
            .append(vec![note("x")], Durability::Synced)
            .unwrap_err();
        assert_eq!((error.code(), error.class()), (code, Class::Refused));
        assert!(error.hint().is_some());
        assert_eq!(disk.read(path("records.jsonl")).unwrap(), before);
        tape.append(vec![note("x")], Durability::Synced).unwrap();
        let fresh = SimDisk::new();
        fresh.arm(0, Fault::Fails(kind));
        assert_eq!(open(&fresh).unwrap_err().code(), code);
    }
}

#[test]
fn a_write_that_fails_half_way_is_taken_back_or_poisons_the_tape() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    let before = disk.read(path("records.jsonl")).unwrap();
    disk.arm(2, Fault::ShortThenFull);
    assert_eq!(
        tape.append(vec![note("x")], Durability::Synced)
            .unwrap_err()
            .code(),
        "TAPE-FULL"
    );
    assert_eq!(disk.read(path("records.jsonl")).unwrap(), before);
    tape.append(vec![note("y")], Durability::Synced).unwrap();
    // Now the disk stays full, so what was half written cannot be taken back.
    disk.arm(2, Fault::StaysFull);
    assert_eq!(
        tape.append(vec![note("x")], Durability::Synced)
            .unwrap_err()
            .code(),
        "TAPE-FULL"
    );
    let error = tape
        .append(vec![note("y")], Durability::Synced)
        .unwrap_err();
    assert_eq!(error.code(), "TAPE-POISONED");
}

#[test]
fn the_store_never_shows_half_a_file() {
    let dir = Path::new("/disk/store");
    let content = b"some artifact".repeat(50);
    let put = |disk: &SimDisk| {
        let store = Store::open_on(dir, std::sync::Arc::new(disk.clone()))?;
        store.put(&content)?;
        store.put_with(b"another", Durability::Written)?;
        store.put(b"another")
    };
    let clean = SimDisk::new();
    let another = put(&clean).unwrap();
    let operations = clean.counts().operations;
    println!("operations 0..{operations}");
    let digest = leasehold_seal::Digest::of(&content);
    for at in 0..operations {
        for fault in FAULTS {
            let disk = SimDisk::new();
            disk.arm(at, fault);
            let stored = put(&disk).is_ok();
            for disk in [
                disk.after_death(),
                disk.after_power_cut(at),
                disk.after_power_cut(!at),
            ] {
                let store = Store::open_on(dir, std::sync::Arc::new(disk.clone())).unwrap();
                match store.get(&digest) {
                    Ok(bytes) => assert_eq!(bytes, content),
                    Err(error) => {
                        assert!(!stored);
                        assert_eq!(error.code(), "STORE-MISSING");
                    }
                }
                if stored {
                    assert_eq!(store.get(&another).unwrap(), b"another");
                }
                store.put(&content).unwrap();
                assert_eq!(store.get(&digest).unwrap(), content);
            }
        }
    }
}

#[test]
fn changed_bytes_in_the_store_are_noticed_and_replaced() {
    let disk = SimDisk::new();
    let store =
        Store::open_on(Path::new("/disk/store"), std::sync::Arc::new(disk.clone())).unwrap();
    let digest = store.put(b"content").unwrap();
    assert_eq!(store.get(&digest).unwrap(), b"content");
    disk.put(store.path(&digest), b"c0ntent");
    let error = store.get(&digest).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("STORE-CORRUPT", Class::Integrity)
    );
    store.put(b"content").unwrap();
    assert_eq!(store.get(&digest).unwrap(), b"content");
    let hex = digest.hex();
    assert!(
        store
            .path(&digest)
            .ends_with(format!("{}/{}", &hex[..2], &hex[2..]))
    );
}
