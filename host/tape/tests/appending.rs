//! Appending, closing and reopening, by one process and by several.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use leasehold_seal::{Class, Coded as _, Digest, SecretKey, Timestamp, canonical};
use leasehold_tape::call::{Ending, new_call_id};
use leasehold_tape::reader::Records;
use leasehold_tape::session::{Closed, Opened};
use leasehold_tape::{
    Appended, Checkpoint, Draft, Durability, Kind, LeaseVerified, Options, Tape, TapeError,
    snapshot, tree,
};
use serde_json::{Value, json};
use support::{
    DIR, MAC_KEY, START, SimDisk, TestClock, host_key, intent, lease, note, open, open_with,
    options, outcome, path, read_all,
};

fn records(disk: &SimDisk) -> Vec<u8> {
    disk.read(path("records.jsonl")).unwrap()
}

#[test]
fn a_record_is_canonical_json_with_exactly_the_fields_of_the_design() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    tape.append(vec![note("naïve \"quotes\"\n\u{1}")], Durability::Synced)
        .unwrap();
    let bytes = records(&disk);
    assert!(bytes.ends_with(b"\n"));
    for line in bytes.strip_suffix(b"\n").unwrap().split(|b| *b == b'\n') {
        let value: Value = serde_json::from_slice(line).unwrap();
        assert_eq!(canonical::to_vec(&value).unwrap(), line);
        let mut fields: Vec<_> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            [
                "body", "boot", "kind", "mono_us", "prev", "seq", "tape", "time", "v"
            ]
        );
    }
    let all = read_all(&bytes);
    assert_eq!(all[0].kind, Kind::TapeOpened);
    assert_eq!(all[0].prev, None);
    let opened: Opened = all[0].body().unwrap();
    assert_eq!(opened.host, host_key().public().key_id());
    assert_eq!(opened.tape_id(), *tape.id());
    assert_eq!(all[1].prev, Some(tree::leaf(all[0].line())));
}

#[test]
fn a_batch_is_one_lock_one_write_one_sync_and_reads_nothing() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    let before = disk.counts();
    tape.append(vec![note("a"), note("b"), note("c")], Durability::Synced)
        .unwrap();
    let after = disk.counts();
    assert_eq!(after.locks - before.locks, 1);
    assert_eq!(after.writes - before.writes, 1);
    assert_eq!(after.syncs - before.syncs, 1);
    assert_eq!(after.reads - before.reads, 0);
    tape.append(vec![note("d")], Durability::Written).unwrap();
    assert_eq!(disk.counts().syncs, after.syncs);
}

#[test]
fn close_covers_everything_with_a_signed_checkpoint() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    tape.append(
        vec![Draft::intent(&intent("c1", 100)).unwrap()],
        Durability::Synced,
    )
    .unwrap();
    let before = disk.counts();
    let last = Draft::outcome(&outcome("c1", Ending::Returned, 40)).unwrap();
    let (appended, checkpoint) = tape.close_with(vec![last]).unwrap();
    let after = disk.counts();
    assert_eq!(appended.len(), 1);
    // One write each for the records, the checkpoint and the state; only the records are synced.
    assert_eq!(after.writes - before.writes, 3);
    assert_eq!(after.syncs - before.syncs, 1);
    assert_eq!(
        disk.read(path("checkpoint")).unwrap(),
        checkpoint.as_bytes()
    );
    let all = read_all(&records(&disk));
    assert_eq!(all.last().unwrap().kind, Kind::TapeClosed);
    assert_eq!(all.last().unwrap().body::<Closed>().unwrap().open_calls, 0);
    let leaves: Vec<_> = all.iter().map(|record| record.leaf()).collect();
    let opened =
        Checkpoint::open(checkpoint.as_bytes(), tape.id(), &[&host_key().public()]).unwrap();
    assert_eq!(opened.checkpoint.size, 4);
    assert_eq!(opened.checkpoint.root, tree::root(&leaves));
    assert_eq!(appended[0].leaf, leaves[2]);
}

#[test]
fn closing_twice_appends_nothing_and_a_closed_tape_goes_on() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    let first = tape.close().unwrap();
    assert_eq!(tape.close().unwrap(), first);
    drop(tape);
    let tape = open(&disk).unwrap();
    assert_eq!(tape.size(), 2);
    assert_eq!(tape.close().unwrap(), first);
    tape.append(vec![note("more")], Durability::Written)
        .unwrap();
    assert_ne!(tape.close().unwrap(), first);
    let kinds: Vec<_> = read_all(&records(&disk))
        .into_iter()
        .map(|r| r.kind.to_string())
        .collect();
    assert_eq!(
        kinds,
        ["tape.opened", "tape.closed", "test.note", "tape.closed"]
    );
}

#[test]
fn opening_reads_the_same_few_bytes_however_long_the_tape_is() {
    let cost = |records: usize| {
        let disk = SimDisk::new();
        let tape = open(&disk).unwrap();
        for _ in 0..records / 500 {
            let batch = (0..500).map(|n| note(&format!("record {n:04}"))).collect();
            tape.append(batch, Durability::Written).unwrap();
        }
        tape.close().unwrap();
        drop(tape);
        let before = disk.counts();
        let tape = open(&disk).unwrap();
        assert_eq!(tape.size(), records as u64 + 2);
        let after = disk.counts();
        assert_eq!(after.writes, before.writes);
        (
            after.bytes_read - before.bytes_read,
            after.operations - before.operations,
        )
    };
    let (short, operations_short) = cost(0);
    let (long, operations_long) = cost(100_000);
    assert_eq!(operations_short, operations_long);
    // The state file grows by one digest for each set bit of the size.
    assert!(long < short + 17 * 80, "{short} bytes against {long}");
}

#[test]
fn without_a_good_state_file_everything_is_read_and_the_tape_is_the_same() {
    for spoil in ["missing", "edited", "other key", "torn", "other tape"] {
        let disk = SimDisk::new();
        let tape = open(&disk).unwrap();
        tape.append(
            vec![Draft::intent(&intent("c1", 100)).unwrap()],
            Durability::Written,
        )
        .unwrap();
        let id = *tape.id();
        tape.close().unwrap();
        drop(tape);
        let good = disk.read(path("state")).unwrap();
        match spoil {
            "missing" => disk.remove(path("state")),
            "edited" => {
                let text = String::from_utf8(good).unwrap();
                disk.put(
                    path("state"),
                    text.replacen("\"fuel\":100", "\"fuel\":101", 1).as_bytes(),
                );
            }
            "torn" => disk.put(path("state"), &good[..good.len() / 2]),
            "other tape" => {
                let other = SimDisk::new();
                let nonce = Some([8; 32]);
                let tape = open_with(
                    &other,
                    Options {
                        nonce,
                        ..options(&other)
                    },
                )
                .unwrap();
                tape.append(vec![note("x"); 30], Durability::Written)
                    .unwrap();
                tape.close().unwrap();
                disk.put(path("state"), &other.read(path("state")).unwrap());
            }
            _ => {}
        }
        let key = if spoil == "other key" {
            [1; 32]
        } else {
            MAC_KEY
        };
        let tape = Tape::open_with(
            Path::new(DIR),
            host_key(),
            &key,
            TestClock::new(),
            options(&disk),
        )
        .unwrap();
        assert_eq!((tape.size(), *tape.id()), (3, id), "{spoil}");
        tape.append_checked::<TapeError>(
            |state| {
                assert_eq!(state.ledger.account(&lease()).fuel, 100, "{spoil}");
                Ok(Vec::new())
            },
            Durability::Written,
        )
        .unwrap();
    }
}

#[test]
fn two_processes_share_a_tape_and_each_sees_what_the_other_did() {
    let disk = SimDisk::new();
    let (one, two) = (open(&disk).unwrap(), open(&disk).unwrap());
    assert_eq!(one.id(), two.id());
    for n in 0..20 {
        let tape = if n % 3 == 0 { &one } else { &two };
        let appended = tape
            .append(vec![note(&n.to_string())], Durability::Written)
            .unwrap();
        assert_eq!(appended[0].seq, n + 1);
    }
    one.append(
        vec![Draft::intent(&intent("c1", 10)).unwrap()],
        Durability::Written,
    )
    .unwrap();
    two.append_checked::<TapeError>(
        |state| {
            assert_eq!(state.records, 22);
            assert_eq!(state.ledger.account(&lease()).uses, 1);
            assert_eq!(state.ledger.open_calls().collect::<Vec<_>>(), ["c1"]);
            Ok(Vec::new())
        },
        Durability::Written,
    )
    .unwrap();
    one.close().unwrap();
    two.append(vec![note("after the other closed")], Durability::Synced)
        .unwrap();
    two.close().unwrap();
    assert_eq!(read_all(&records(&disk)).len(), 25);
    let three = open(&disk).unwrap();
    assert_eq!(three.size(), 25);
}

#[test]
fn the_later_checkpoint_stays_when_an_earlier_one_is_published_late() {
    let disk = SimDisk::new();
    let (one, two) = (open(&disk).unwrap(), open(&disk).unwrap());
    one.append(vec![note("1")], Durability::Synced).unwrap();
    let newer = two.close().unwrap();
    // `one` has not read the close of `two`; its own view is caught up before it signs.
    let again = one.checkpoint().unwrap();
    assert_eq!(again, newer);
    assert_eq!(disk.read(path("checkpoint")).unwrap(), newer.as_bytes());
}

#[test]
fn a_held_lock_ends_in_tape_locked() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    let waiting = open_with(
        &disk,
        Options {
            lock_wait: Duration::from_millis(20),
            ..options(&disk)
        },
    )
    .unwrap();
    tape.append_checked::<TapeError>(
        |_| {
            let error = waiting
                .append(vec![note("x")], Durability::Written)
                .unwrap_err();
            assert_eq!(error.code(), "TAPE-LOCKED");
            assert_eq!(error.class(), Class::Blocked);
            Ok(Vec::new())
        },
        Durability::Written,
    )
    .unwrap();
    waiting
        .append(vec![note("x")], Durability::Written)
        .unwrap();
}

#[test]
fn a_refused_decision_appends_nothing() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    let before = records(&disk);
    let refused = tape.append_checked(
        |_| Err(TapeError::Format("no".to_owned())),
        Durability::Synced,
    );
    assert_eq!(refused.unwrap_err().code(), "TAPE-FORMAT");
    assert_eq!(records(&disk), before);
}

#[test]
fn the_ledger_takes_reservations_in_full_and_settles_only_normal_ends() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    let account = || {
        let mut account = None;
        tape.append_checked::<TapeError>(
            |state| {
                account = Some(state.ledger.account(&lease()));
                Ok(Vec::new())
            },
            Durability::Written,
        )
        .unwrap();
        let account = account.unwrap();
        (account.uses, account.fuel)
    };
    let ends = [
        (Ending::Returned, 30, 30),
        (Ending::Exited, 40, 70),
        (Ending::Trapped, 5, 170),
        (Ending::Exhausted, 100, 270),
        (Ending::Ended, 0, 370),
    ];
    for (n, (ending, used, total)) in ends.into_iter().enumerate() {
        let call = format!("c{n}");
        let spent = account().1;
        tape.append(
            vec![Draft::intent(&intent(&call, 100)).unwrap()],
            Durability::Written,
        )
        .unwrap();
        assert_eq!(account(), (n as u64 + 1, spent + 100));
        let outcome = Draft::outcome(&outcome(&call, ending, used)).unwrap();
        tape.append(vec![outcome], Durability::Written).unwrap();
        assert_eq!(account(), (n as u64 + 1, total), "{ending:?}");
    }
}

#[test]
fn what_an_auditor_would_call_broken_is_not_written() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    let begin = |call| Draft::intent(&intent(call, 100)).unwrap();
    let end = |call, fuel| Draft::outcome(&outcome(call, Ending::Returned, fuel)).unwrap();
    let append = |batch| {
        tape.append(batch, Durability::Written)
            .map_err(|error| error.code())
    };
    assert_eq!(append(vec![end("c1", 1)]), Err("CALL-UNKNOWN"));
    assert_eq!(append(vec![begin("c1"), begin("c1")]), Err("CALL-REPEATED"));
    assert_eq!(
        append(vec![begin("c1"), end("c1", 1), end("c1", 1)]),
        Err("CALL-UNKNOWN")
    );
    assert_eq!(
        append(vec![begin("c1"), end("c1", 101)]),
        Err("RECORD-BODY")
    );
    assert_eq!(tape.size(), 1);
    append(vec![begin("c1")]).unwrap();
    assert_eq!(append(vec![begin("c1")]), Err("CALL-REPEATED"));
    assert_eq!(append(vec![end("c1", 101)]), Err("RECORD-BODY"));
    append(vec![end("c1", 100)]).unwrap();
    append(vec![begin("c2"), end("c2", 1)]).unwrap();
    assert_eq!(append(vec![end("c1", 100)]), Err("CALL-UNKNOWN"));
    read_all(&records(&disk));
}

#[test]
fn a_call_id_of_another_time_is_refused() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    let begin = |made: i64| {
        let made = Timestamp::from_millis(START + made).unwrap();
        let draft = Draft::intent(&intent(&new_call_id(made, [made.as_millis() as u8; 10]), 1));
        tape.append(vec![draft.unwrap()], Durability::Written)
            .map_err(|error| error.code())
    };
    for made in [0, -300_000, 300_000] {
        begin(made).unwrap();
    }
    for made in [-300_001, 300_001] {
        assert_eq!(begin(made), Err("RECORD-BODY"));
    }
}

#[test]
fn expired_leases_leave_the_ledger_and_live_ones_do_not() {
    let disk = SimDisk::new();
    let clock = TestClock::new();
    let open = || {
        let options = Options {
            state_every: 1,
            ..options(&disk)
        };
        Tape::open_with(Path::new(DIR), host_key(), &MAC_KEY, clock.clone(), options).unwrap()
    };
    let verified = |lease: Digest, expires: i64| {
        let at = |millis| Timestamp::from_millis(START + millis).unwrap();
        let body = LeaseVerified::new(lease, lease, at(0), at(expires));
        Draft::new(Kind::LeaseVerified, &body).unwrap()
    };
    let tape = open();
    let (short, long) = (Digest::of(b"short"), Digest::of(b"long"));
    tape.append(
        vec![verified(short, 1000), verified(long, 10_000_000)],
        Durability::Written,
    )
    .unwrap();
    let known = |tape: &Tape| {
        let mut known = Vec::new();
        tape.append_checked::<TapeError>(
            |state| {
                known.extend(state.ledger.accounts().map(|(lease, _)| *lease));
                known.sort_unstable();
                Ok(vec![note("tick")])
            },
            Durability::Written,
        )
        .unwrap();
        known
    };
    let mut both = vec![short, long];
    both.sort_unstable();
    clock.advance(300_500);
    assert_eq!(known(&tape), both);
    clock.advance(1000);
    known(&tape);
    assert_eq!(known(&tape), [long]);
    drop(tape);
    assert_eq!(known(&open()), [long]);
}

#[test]
fn a_record_of_65535_bytes_fits_and_one_more_does_not() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    tape.append(vec![note("")], Durability::Written).unwrap();
    let empty = read_all(&records(&disk))[1].line().len();
    let fits = "x".repeat(65_535 - empty);
    tape.append(vec![note(&fits)], Durability::Written).unwrap();
    let before = records(&disk);
    let error = tape
        .append(
            vec![note("y"), note(&format!("{fits}x"))],
            Durability::Written,
        )
        .unwrap_err();
    assert_eq!(error.code(), "RECORD-TOO-LARGE");
    assert_eq!(records(&disk), before);
    assert_eq!(read_all(&before)[2].line().len(), 65_535);
    tape.append(vec![note("z")], Durability::Written).unwrap();
}

#[test]
fn a_clock_set_back_by_more_than_300_seconds_is_refused() {
    let disk = SimDisk::new();
    let clock = TestClock::new();
    let open = || {
        Tape::open_with(
            Path::new(DIR),
            host_key(),
            &MAC_KEY,
            clock.clone(),
            options(&disk),
        )
    };
    let tape = open().unwrap();
    clock.advance(-300_000);
    tape.append(vec![note("late by 300 s")], Durability::Written)
        .unwrap();
    clock.advance(-1);
    let error = tape
        .append(vec![note("later")], Durability::Written)
        .unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CLOCK-BACK", Class::Refused)
    );
    drop(tape);
    let error = open()
        .unwrap()
        .append(vec![note("later")], Durability::Written)
        .unwrap_err();
    assert_eq!(error.code(), "CLOCK-BACK");
    clock.advance(1);
    open()
        .unwrap()
        .append(vec![note("again in time")], Durability::Written)
        .unwrap();
}

#[test]
fn another_host_key_is_refused() {
    for state in [true, false] {
        let disk = SimDisk::new();
        open(&disk).unwrap().close().unwrap();
        if !state {
            disk.remove(path("state"));
        }
        let other = Arc::new(SecretKey::from_seed([3; 32]));
        let error = Tape::open_with(
            Path::new(DIR),
            other,
            &MAC_KEY,
            TestClock::new(),
            options(&disk),
        )
        .unwrap_err();
        assert_eq!(error.code(), "TAPE-HOST");
        open(&disk).unwrap();
    }
}

#[test]
fn drafts_of_the_tape_itself_and_malformed_bodies_are_refused() {
    let refused = |kind: Kind, body: Value| Draft::new(kind, &body).unwrap_err().code();
    assert_eq!(
        refused(Kind::TapeClosed, json!({"open_calls": 0})),
        "RECORD-BODY"
    );
    assert_eq!(
        refused(Kind::Other("tape.other".to_owned()), json!({})),
        "RECORD-BODY"
    );
    assert_eq!(
        refused(Kind::Other("No Kind".to_owned()), json!({})),
        "RECORD-BODY"
    );
    assert_eq!(refused(Kind::RunStarted, json!([1])), "RECORD-BODY");
    assert_eq!(refused(Kind::RunStarted, json!({"n": 1.5})), "RECORD-BODY");
    assert_eq!(
        refused(Kind::RunStarted, json!({"n": 9_007_199_254_740_992_u64})),
        "RECORD-BODY"
    );
    assert_eq!(
        refused(Kind::CallIntent, json!({"call": "c1"})),
        "RECORD-BODY"
    );
    Draft::new(Kind::RunStarted, &json!({"n": 9_007_199_254_740_991_u64})).unwrap();
}

#[test]
fn the_fast_way_of_writing_call_bodies_is_canonical() {
    let mut odd = intent("c1", 9_007_199_254_740_991);
    odd.run = Some("ü\u{7f}\"\\/\u{8}\u{c}\n\r\t\u{1f}😀".to_owned());
    odd.step = Some(String::new());
    assert_eq!(
        Draft::intent(&odd).unwrap().body(),
        canonical::to_vec(&odd).unwrap()
    );
    let mut end = outcome("c1", Ending::Exited, 7);
    end.exit = Some(255);
    end.stdout = Some(leasehold_tape::call::Stream {
        bytes: 1,
        digest: lease(),
        stored: true,
    });
    end.writes = vec![leasehold_tape::call::Write {
        after: None,
        before: Some(lease()),
        op: "delete".to_owned(),
        path: "docs/ü.md".to_owned(),
    }];
    end.verdict = Some(leasehold_tape::verdict::Judgement::Skip);
    assert_eq!(
        Draft::outcome(&end).unwrap().body(),
        canonical::to_vec(&end).unwrap()
    );
    end.fuel = 9_007_199_254_740_992;
    assert_eq!(Draft::outcome(&end).unwrap_err().code(), "RECORD-BODY");
}

#[test]
fn the_real_file_system_works_as_the_simulated_one() {
    let home = std::env::temp_dir().join(format!("leasehold-tape-{}", std::process::id()));
    let dir = home.join("deep").join("tape");
    let open = || Tape::open(&dir, host_key(), &MAC_KEY, TestClock::new());
    let tape = open().unwrap();
    let other = open().unwrap();
    let mut all: Vec<Appended> = Vec::new();
    for tape in [&tape, &other, &tape] {
        all.extend(tape.append(vec![note("x")], Durability::Synced).unwrap());
    }
    tape.close().unwrap();
    drop((tape, other));
    let tape = open().unwrap();
    assert_eq!(tape.size(), 5);
    support::assert_holds(
        &std::fs::read(dir.join("records.jsonl")).unwrap(),
        &all,
        "real files",
    );
    // Someone removes the record file under a running process.
    std::fs::remove_file(dir.join("records.jsonl")).unwrap();
    let error = tape
        .append(vec![note("lost?")], Durability::Written)
        .unwrap_err();
    assert_eq!(error.code(), "TAPE-FORMAT");
    assert_eq!(open().unwrap_err().code(), "TAPE-TRUNCATED");
    #[cfg(unix)]
    {
        std::fs::remove_file(dir.join("records.jsonl")).unwrap();
        std::os::unix::fs::symlink("/dev/full", dir.join("records.jsonl")).unwrap();
        assert_eq!(open().unwrap_err().code(), "TAPE-FORMAT");
    }
    std::fs::remove_dir_all(&home).unwrap();
}

#[test]
fn a_snapshot_shows_whole_batches_and_changes_nothing() {
    let home = std::env::temp_dir().join(format!("leasehold-snapshot-{}", std::process::id()));
    assert_eq!(snapshot(&home).unwrap_err().code(), "TAPE-FORMAT");
    let tape = Tape::open(&home, host_key(), &MAC_KEY, TestClock::new()).unwrap();
    tape.append(vec![note("a"), note("b")], Durability::Written)
        .unwrap();
    let before = snapshot(&home).unwrap();
    assert_eq!(before.checkpoint, None);
    let checkpoint = tape.close().unwrap();
    // The records of the moment it was taken, whatever came after.
    assert_eq!(Records::new(before.records).map(Result::unwrap).count(), 3);
    let after = snapshot(&home).unwrap();
    assert_eq!(Records::new(after.records).map(Result::unwrap).count(), 4);
    assert_eq!(after.checkpoint.unwrap(), checkpoint.as_bytes());
    std::fs::remove_file(home.join("lock")).unwrap();
    snapshot(&home).unwrap();
    assert!(!home.join("lock").exists());
    std::fs::remove_dir_all(&home).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    // Nobody makes files there, not even root.
    if !Path::new("/sys/kernel").is_dir() {
        return;
    }
    let dir = Path::new("/sys/leasehold-tape");
    let error = Tape::open(dir, host_key(), &MAC_KEY, TestClock::new()).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("TAPE-READONLY", Class::Refused)
    );
}

#[test]
fn a_truncation_below_a_newer_checkpoint_is_noticed_although_the_state_file_is_older() {
    let disk = SimDisk::new();
    let one = open_with(
        &disk,
        Options {
            state_every: 1,
            ..options(&disk)
        },
    )
    .unwrap();
    one.append(vec![note("a")], Durability::Synced).unwrap();
    let (records_then, state_then) = (records(&disk), disk.read(path("state")).unwrap());
    one.append(vec![note("b")], Durability::Synced).unwrap();
    one.close().unwrap();
    drop(one);
    disk.put(path("records.jsonl"), &records_then);
    disk.put(path("state"), &state_then);
    assert_eq!(open(&disk).unwrap_err().code(), "TAPE-TRUNCATED");
    // With the checkpoint of that moment, or none, a tape alone cannot show it.
    disk.remove(path("checkpoint"));
    open(&disk).unwrap();
}
