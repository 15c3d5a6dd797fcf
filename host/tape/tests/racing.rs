//! Budgets under contention: a decision inside the critical section gives the last use once.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use leasehold_seal::{Coded as _, Digest, Timestamp};
use leasehold_tape::call::{Charge, Ending, Intent};
use leasehold_tape::{
    Account, Draft, Durability, LeaseVerified, Options, Presented, Tape, TapeError,
};
use support::{
    MAC_KEY, START, SimDisk, TestClock, host_key, intent, lease, open, options, outcome, path,
};

const FUEL: u64 = 100;

/// Why a use was not given.
#[derive(Debug)]
enum No {
    Exhausted,
    Tape,
}

impl From<TapeError> for No {
    fn from(_: TapeError) -> Self {
        No::Tape
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis).unwrap()
}

fn parent() -> Digest {
    Digest::of(b"parent")
}

/// An intent that is charged to a lease and to its parent.
fn under(leaf: Digest, call: &str) -> Intent {
    let charge = |lease| Charge {
        fuel: FUEL,
        lease,
        uses: 1,
    };
    Intent {
        charges: vec![charge(leaf), charge(parent())],
        lease: vec![leaf, parent()],
        ..intent(call, FUEL)
    }
}

/// Takes a use where the parent has one of `uses` left.
fn admit(tape: &Tape, leaf: Digest, call: &str, uses: u64) -> Result<(), No> {
    let draft = Draft::intent(&under(leaf, call))?;
    tape.append_checked(
        |state| {
            if state.ledger.account(&parent()).uses >= uses {
                return Err(No::Exhausted);
            }
            Ok(vec![draft])
        },
        Durability::Synced,
    )
    .map(|_| ())
}

fn account(tape: &Tape, lease: &Digest) -> Account {
    let mut found = Account::default();
    tape.append_checked(
        |state| {
            found = state.ledger.account(lease);
            Ok::<_, TapeError>(Vec::new())
        },
        Durability::Written,
    )
    .unwrap();
    found
}

/// Every thread asks again and again, each through one of the handles; how many got a use.
fn race(handles: &[Tape], threads: usize, asks: usize, uses: u64) -> u64 {
    let given = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (given, tape) = (&given, &handles[thread % handles.len()]);
            scope.spawn(move || {
                // Two children of one parent.
                let leaf = Digest::of(&[thread as u8 & 1]);
                for ask in 0..asks {
                    match admit(tape, leaf, &format!("call-{thread}-{ask}"), uses) {
                        Ok(()) => given.fetch_add(1, Ordering::SeqCst),
                        Err(No::Exhausted) => 0,
                        Err(No::Tape) => unreachable!("the tape takes it"),
                    };
                }
            });
        }
    });
    given.into_inner()
}

#[test]
fn two_processes_with_many_threads_get_exactly_the_uses_there_are() {
    let disk = SimDisk::new();
    let handles = [open(&disk).unwrap(), open(&disk).unwrap()];
    assert_eq!(race(&handles, 16, 8, 10), 10);
    for tape in &handles {
        assert_eq!(account(tape, &parent()).uses, 10);
        let children = [[0], [1]].map(|leaf| account(tape, &Digest::of(&leaf)).uses);
        assert_eq!(children.iter().sum::<u64>(), 10);
    }
    // The twin: with more uses than anyone asks for, everyone gets one.
    assert_eq!(race(&[open(&SimDisk::new()).unwrap()], 4, 8, 1000), 32);
}

#[test]
fn the_same_on_a_real_disk_with_real_locks() {
    let home = std::env::temp_dir().join(format!("leasehold-race-{}", std::process::id()));
    let open = || {
        let dir = home.join("tape");
        let options = Options::default();
        Tape::open_with(&dir, host_key(), &MAC_KEY, TestClock::new(), options).unwrap()
    };
    let handles = [open(), open(), open()];
    assert_eq!(race(&handles, 12, 4, 7), 7);
    drop(handles);
    // Counted from the records alone, by a process that has nothing else.
    std::fs::remove_file(home.join("tape/state")).unwrap();
    assert_eq!(account(&open(), &parent()).uses, 7);
    std::fs::remove_dir_all(&home).unwrap();
}

#[test]
fn an_intent_whose_process_died_is_spent_in_full() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    for call in ["ended", "lost"] {
        admit(&tape, lease(), call, 2).unwrap();
    }
    let end = Draft::outcome(&outcome("ended", Ending::Returned, 1)).unwrap();
    tape.append(vec![end], Durability::Synced).unwrap();
    let spent = |tape: &Tape| {
        let account = account(tape, &parent());
        (account.uses, account.fuel)
    };
    assert_eq!(spent(&tape), (2, FUEL + 1));
    // The process dies; what was durable survives even the power, with the state file or without.
    for (name, disk) in [
        ("death", disk.after_death()),
        ("power", disk.after_power_cut(3)),
    ] {
        for state in [true, false] {
            if !state {
                disk.remove(path("state"));
            }
            let tape = open(&disk).unwrap();
            assert_eq!(spent(&tape), (2, FUEL + 1), "{name}");
            let refused = admit(&tape, lease(), &format!("again-{state}"), 2);
            assert!(matches!(refused, Err(No::Exhausted)), "{name}");
        }
    }
    // With a third use there is one.
    admit(&open(&disk.after_death()).unwrap(), lease(), "third", 3).unwrap();
}

#[test]
fn a_fresh_tape_counts_from_nothing_so_a_budget_has_to_name_its_tape() {
    let used = open(&SimDisk::new()).unwrap();
    admit(&used, lease(), "only", 1).unwrap();
    assert!(matches!(
        admit(&used, lease(), "more", 1),
        Err(No::Exhausted)
    ));
    let disk = SimDisk::new();
    let fresh = Tape::open_with(
        Path::new(support::DIR),
        host_key(),
        &MAC_KEY,
        TestClock::new(),
        Options {
            nonce: Some([8; 32]),
            ..options(&disk)
        },
    )
    .unwrap();
    admit(&fresh, lease(), "only", 1).unwrap();
    assert_ne!(fresh.id(), used.id());
}

#[test]
fn of_many_who_present_the_same_nonce_one_is_served() {
    let disk = SimDisk::new();
    let handles = [open(&disk).unwrap(), open(&disk).unwrap()];
    let present = |tape: &Tape, nonce: &str, expires: i64| {
        let mut body = LeaseVerified::new(Digest::of(b"e"), lease(), at(0), at(600_000));
        body.presentation = Some(Presented {
            digest: Digest::of(b"p"),
            expires: at(expires),
            nonce: nonce.to_owned(),
        });
        let draft = Draft::lease_verified(&body).unwrap();
        tape.append(vec![draft], Durability::Synced)
    };
    let (served, replayed) = (AtomicU64::new(0), AtomicU64::new(0));
    let present = &present;
    std::thread::scope(|scope| {
        for thread in 0..12_usize {
            let (handles, served, replayed) = (&handles, &served, &replayed);
            scope.spawn(move || {
                let tape = &handles[thread & 1];
                let count = match present(tape, "the-same-for-all", 1_000 + thread as i64) {
                    Ok(_) => served,
                    Err(error) => {
                        assert_eq!(error.code(), "PRESENTATION-REPLAYED");
                        replayed
                    }
                };
                count.fetch_add(1, Ordering::SeqCst);
                // Its twin, with a nonce of its own.
                present(tape, &format!("one-of-thread-{thread:02}"), 1_000).unwrap();
            });
        }
    });
    assert_eq!((served.into_inner(), replayed.into_inner()), (1, 11));
}
