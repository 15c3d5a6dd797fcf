//! Torn tails, tampering and truncation as the opening host sees them.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use leasehold_seal::{Class, Coded as _, Digest};
use leasehold_tape::session::Recovered;
use leasehold_tape::{Durability, Kind, TapeError};
use support::{SimDisk, note, open, path, read_all};

fn records(disk: &SimDisk) -> Vec<u8> {
    disk.read(path("records.jsonl")).unwrap()
}

/// A tape of five records, not closed; `state` says whether a state file covers them.
fn example(state: bool) -> SimDisk {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    for n in 0..4 {
        tape.append(vec![note(&format!("record {n}"))], Durability::Synced)
            .unwrap();
    }
    drop(tape);
    if !state {
        disk.remove(path("state"));
    }
    disk
}

fn refused(disk: &SimDisk) -> TapeError {
    let before = records(disk);
    let error = open(disk).unwrap_err();
    assert_eq!(records(disk), before, "a refused tape is not touched");
    error
}

#[test]
fn a_torn_tail_is_saved_cut_and_recorded() {
    let whole = records(&example(true));
    let next = {
        let disk = example(true);
        let tape = open(&disk).unwrap();
        tape.append(
            vec![note("torn one"), note("after it")],
            Durability::Written,
        )
        .unwrap();
        drop(tape);
        records(&disk)[whole.len()..].to_vec()
    };
    let first_end = next.iter().position(|b| *b == b'\n').unwrap();
    let hole = |from: usize, to: usize| {
        let mut bytes = next.clone();
        bytes[from..to].fill(0);
        bytes
    };
    let tails = [
        next[..1].to_vec(),
        next[..first_end].to_vec(),
        next[..next.len() - 1].to_vec(),
        hole(0, next.len()),
        hole(10, 20),
        hole(first_end, first_end + 1),
        hole(first_end + 1, next.len()),
        vec![0; 200_000],
    ];
    for (case, tail) in tails.iter().enumerate() {
        for state in [true, false] {
            let disk = example(state);
            disk.put(
                path("records.jsonl"),
                &[whole.clone(), tail.clone()].concat(),
            );
            let tape = open(&disk).unwrap();
            let all = read_all(&records(&disk));
            let last = all.last().unwrap();
            assert_eq!(last.kind, Kind::TapeRecovered, "case {case}");
            let recovered: Recovered = last.body().unwrap();
            let torn = disk.read(path(&format!("torn-{}", recovered.at))).unwrap();
            assert!(tail.ends_with(&torn), "case {case}");
            assert_eq!(recovered.at, last.seq);
            assert_eq!(recovered.bytes, torn.len() as u64);
            assert_eq!(recovered.digest, Digest::of(&torn));
            // The whole record before the tear stays.
            let kept = if torn.len() < tail.len() { 7 } else { 6 };
            assert_eq!(all.len(), kept, "case {case}");
            tape.append(vec![note("and on")], Durability::Synced)
                .unwrap();
            tape.close().unwrap();
            read_all(&records(&disk));
            open(&disk).unwrap();
        }
    }
}

#[test]
fn another_living_process_repairs_a_torn_tail_before_it_appends() {
    let disk = example(true);
    let tape = open(&disk).unwrap();
    let mut bytes = records(&disk);
    bytes.extend_from_slice(b"{\"body\":{\"te");
    disk.put(path("records.jsonl"), &bytes);
    tape.append(vec![note("after the repair")], Durability::Synced)
        .unwrap();
    let kinds: Vec<_> = read_all(&records(&disk))
        .into_iter()
        .map(|r| r.kind.to_string())
        .collect();
    assert_eq!(kinds[5..], ["tape.recovered", "test.note"]);
    assert_eq!(disk.read(path("torn-5")).unwrap(), b"{\"body\":{\"te");
}

#[test]
fn a_torn_first_record_makes_way_for_a_new_tape_unless_there_was_one() {
    let disk = SimDisk::new();
    open(&disk).unwrap();
    let fresh = SimDisk::new();
    drop(open(&fresh).unwrap());
    fresh.remove(path("state"));
    fresh.put(path("records.jsonl"), &records(&disk)[..40]);
    let tape = open(&fresh).unwrap();
    let kinds: Vec<_> = read_all(&records(&fresh))
        .into_iter()
        .map(|r| r.kind.to_string())
        .collect();
    assert_eq!(kinds, ["tape.opened", "tape.recovered"]);
    assert!(fresh.read(path("torn-0")).is_some());
    tape.close().unwrap();
    drop(tape);
    for keep in ["state", "checkpoint"] {
        for left in [0, 40] {
            let damaged = fresh.after_death();
            damaged.remove(path(if keep == "state" {
                "checkpoint"
            } else {
                "state"
            }));
            damaged.put(path("records.jsonl"), &records(&fresh)[..left]);
            assert_eq!(refused(&damaged).code(), "TAPE-TRUNCATED", "{keep} {left}");
        }
    }
}

#[test]
fn a_saved_tear_that_was_not_recorded_is_recorded_at_the_next_opening() {
    let disk = example(true);
    disk.put(path("torn-5"), b"torn");
    open(&disk).unwrap();
    let last = read_all(&records(&disk)).pop().unwrap();
    assert_eq!(last.kind, Kind::TapeRecovered);
    assert_eq!(
        last.body::<Recovered>().unwrap().digest,
        Digest::of(b"torn")
    );
    let size = records(&disk).len();
    open(&disk).unwrap();
    assert_eq!(records(&disk).len(), size);
}

#[test]
fn a_complete_wrong_line_is_broken_and_never_cut() {
    let good = records(&example(false));
    let lines: Vec<&[u8]> = good.split_inclusive(|b| *b == b'\n').collect();
    let text = String::from_utf8(good.clone()).unwrap();
    let cases: [(&str, Vec<u8>, u64); 8] = [
        (
            "changed",
            text.replacen("record 1", "record 9", 1).into_bytes(),
            3,
        ),
        (
            "dropped",
            [lines[0], lines[1], lines[3], lines[4]].concat(),
            2,
        ),
        (
            "doubled",
            [lines[0], lines[1], lines[1], lines[2]].concat(),
            2,
        ),
        (
            "swapped",
            [lines[0], lines[2], lines[1], lines[3]].concat(),
            1,
        ),
        ("not json", [&good, b"hello\n".as_slice()].concat(), 5),
        ("empty line", [&good, b"\n".as_slice()].concat(), 5),
        (
            "carriage return",
            text.replacen("\"v\":1}\n", "\"v\":1}\r\n", 1).into_bytes(),
            0,
        ),
        (
            "too large",
            [&good, vec![b'x'; 65_536].as_slice(), b"\n"].concat(),
            5,
        ),
    ];
    for (case, bytes, seq) in cases {
        let disk = example(false);
        disk.put(path("records.jsonl"), &bytes);
        match refused(&disk) {
            TapeError::Broken {
                seq: found, line, ..
            } => {
                assert_eq!((found, line), (seq, seq + 1), "{case}");
            }
            other => panic!("{case}: {other}"),
        }
    }
}

#[test]
fn a_living_process_that_meets_a_wrong_line_takes_no_more_records() {
    let disk = example(true);
    let tape = open(&disk).unwrap();
    disk.put(
        path("records.jsonl"),
        &[records(&disk).as_slice(), b"hello\n"].concat(),
    );
    let append = || {
        tape.append(vec![note("x")], Durability::Written)
            .unwrap_err()
    };
    let error = append();
    assert_eq!(
        (error.code(), error.class()),
        ("TAPE-BROKEN", Class::Integrity)
    );
    assert_eq!(append().code(), "TAPE-POISONED");
}

#[test]
fn fewer_records_than_signed_or_remembered_are_refused() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    tape.append(vec![note("a"), note("b")], Durability::Synced)
        .unwrap();
    tape.close().unwrap();
    drop(tape);
    let good = records(&disk);
    let ends: Vec<_> = good
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == b'\n')
        .map(|(at, _)| at + 1)
        .collect();
    for state in [true, false] {
        for length in ends[..ends.len() - 1]
            .iter()
            .copied()
            .chain([good.len() - 1, ends[1] + 9, 0])
        {
            let damaged = disk.after_death();
            if !state {
                damaged.remove(path("state"));
            }
            damaged.put(path("records.jsonl"), &good[..length]);
            let error = refused(&damaged);
            assert_eq!(
                (error.code(), error.class()),
                ("TAPE-TRUNCATED", Class::Integrity)
            );
        }
        let damaged = disk.after_death();
        damaged.remove(path("records.jsonl"));
        assert_eq!(open(&damaged).unwrap_err().code(), "TAPE-TRUNCATED");
    }
    // A process that lives through it notices as well.
    let tape = open(&disk).unwrap();
    disk.put(path("records.jsonl"), &good[..ends[1]]);
    let error = tape
        .append(vec![note("x")], Durability::Written)
        .unwrap_err();
    assert_eq!(error.code(), "TAPE-TRUNCATED");
}

#[test]
fn a_wrong_checkpoint_is_refused_and_the_remains_of_a_crash_are_not() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    let checkpoint = tape.close().unwrap();
    drop(tape);
    let with = |bytes: &[u8]| {
        let disk = disk.after_death();
        disk.remove(path("state"));
        disk.put(path("checkpoint"), bytes);
        open(&disk)
    };
    with(checkpoint.as_bytes()).unwrap();
    let zeros = vec![0; checkpoint.len()];
    let first_lines = checkpoint.split_once("\n\n").unwrap().0.len() + 1;
    for remains in [
        &b""[..],
        &checkpoint.as_bytes()[..50],
        &checkpoint.as_bytes()[..first_lines],
        &zeros,
    ] {
        with(remains).unwrap().close().unwrap();
    }
    let other = SimDisk::new();
    let foreign = support::open_with(
        &other,
        leasehold_tape::Options {
            nonce: Some([8; 32]),
            ..support::options(&other)
        },
    )
    .unwrap();
    for wrong in [
        checkpoint.replacen("\n2\n", "\n1\n", 1),
        checkpoint.replacen("\n2\n", "\n02\n", 1),
        foreign.close().unwrap(),
    ] {
        let error = with(wrong.as_bytes()).unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            ("CHECKPOINT-INVALID", Class::Integrity)
        );
    }
}

#[test]
fn a_rewritten_history_does_not_fit_the_checkpoint() {
    // Two histories of one tape, as its host could have written them.
    let honest = SimDisk::new();
    let tape = open(&honest).unwrap();
    tape.append(vec![note("honest")], Durability::Synced)
        .unwrap();
    tape.close().unwrap();
    let rewritten = SimDisk::new();
    let tape = open(&rewritten).unwrap();
    tape.append(vec![note("forged")], Durability::Synced)
        .unwrap();
    tape.close().unwrap();
    for state in [true, false] {
        let disk = honest.after_death();
        if !state {
            disk.remove(path("state"));
        }
        disk.put(path("records.jsonl"), &records(&rewritten));
        assert_eq!(refused(&disk).code(), "TAPE-BROKEN");
    }
}
