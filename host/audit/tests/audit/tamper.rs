//! Every byte, every cut, every place.

use leasehold_audit::{Expect, Finding, check};
use leasehold_seal::{Role, Trust, TrustedKey};

use crate::builder::{at, audit, audit_expecting, host, join, small, trust, verdict};

#[test]
fn the_untouched_tape_is_closed() {
    let tape = small();
    let report = audit(&tape.records(), Some(&tape.checkpoint()));
    assert_eq!(verdict(&report), "CLOSED");
    assert_eq!((report.records, report.proven, report.calls), (5, 5, 2));
    assert_eq!(report.open_calls.len(), 1);
    // One call gave back 600 of 1000, the other counts in full.
    let charged: Vec<_> = report.charges.values().collect();
    assert_eq!((charged[0].uses, charged[0].fuel), (2, 1400));
    assert_eq!(report.calls_without_lease, 2);
}

#[test]
fn every_changed_byte_of_the_records_is_broken() {
    let tape = small();
    let (good, signed) = (tape.records(), tape.checkpoint());
    for place in 0..good.len() {
        for mask in [1, 0x20, 0x80] {
            let mut bytes = good.clone();
            bytes[place] ^= mask;
            let report = audit(&bytes, Some(&signed));
            assert!(
                matches!(report.finding, Finding::Broken { .. }),
                "byte {place} xor {mask}: {:?}",
                report.finding
            );
        }
    }
}

#[test]
fn every_changed_byte_of_the_checkpoint_is_not_closed() {
    let tape = small();
    let (good, signed) = (tape.records(), tape.checkpoint());
    for place in 0..signed.len() {
        for mask in [1, 2, 4, 8, 16, 32, 64, 0x80] {
            let mut bytes = signed.clone().into_bytes();
            bytes[place] ^= mask;
            let report =
                check(good.as_slice(), Some(&bytes), &trust(), &Expect::default()).unwrap();
            assert_ne!(report.finding, Finding::Closed, "byte {place} xor {mask}");
        }
    }
}

#[test]
fn the_bad_record_or_the_one_after_it_is_named() {
    let tape = small();
    let signed = tape.checkpoint();
    for number in 0..tape.lines.len() as u64 {
        let mut lines = tape.lines.clone();
        let line = &mut lines[number as usize];
        let boot = line.windows(6).position(|text| text == b"boot-1").unwrap();
        line[boot + 5] = b'2';
        match audit(&join(&lines), Some(&signed)).finding {
            Finding::Broken { seq, code, .. } => {
                let last = number + 1 == tape.lines.len() as u64;
                let expected = if last {
                    (number, "CHECKPOINT-ROOT")
                } else {
                    (number + 1, "RECORD-CHAIN")
                };
                assert_eq!((seq, code.as_str()), expected);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_cut_is_broken() {
    let tape = small();
    let (good, signed) = (tape.records(), tape.checkpoint());
    for length in 0..good.len() {
        let report = audit(&good[..length], Some(&signed));
        assert!(
            matches!(report.finding, Finding::Broken { .. }),
            "{length} bytes"
        );
    }
    // Without the checkpoint a cut at a record's end is not visible: OPEN, never CLOSED.
    for keep in 1..tape.lines.len() {
        let report = audit(&join(&tape.lines[..keep]), None);
        assert_eq!(verdict(&report), "OPEN 0");
    }
}

#[test]
fn what_a_tape_alone_cannot_show_is_shown_by_an_earlier_checkpoint() {
    // The host signs after each record; someone keeps the copy of one moment and puts it back later.
    let tape = small();
    for keep in 1..tape.lines.len() {
        let mut restored = tape.clone();
        restored.lines.truncate(keep);
        let (records, signed) = (restored.records(), restored.checkpoint());
        let alone = audit(&records, Some(&signed));
        assert_eq!(verdict(&alone), format!("OPEN {keep}"));
        let expect = Expect {
            at_least: Some(tape.checkpoint().into_bytes()),
            ..Expect::default()
        };
        let report = audit_expecting(&records, Some(&signed), &expect);
        assert_eq!(
            verdict(&report),
            format!("BROKEN {} TAPE-TRUNCATED", keep - 1)
        );
    }
}

#[test]
fn the_key_comes_from_the_trust_file_and_holds_only_in_its_time_and_role() {
    let tape = small();
    let (records, signed) = (tape.records(), tape.checkpoint());
    let judged = |key: TrustedKey| {
        let trust = Trust::new(vec![key], 1).unwrap();
        let checkpoint = Some(signed.as_bytes());
        let report = check(records.as_slice(), checkpoint, &trust, &Expect::default()).unwrap();
        verdict(&report)
    };
    let key = |role| TrustedKey::new("host", host().public(), [role]);
    assert_eq!(judged(key(Role::Host)), "CLOSED");
    assert_eq!(judged(key(Role::Witness)), "BROKEN 0 KEY-UNTRUSTED");
    let within = |from, to| key(Role::Host).valid_within(Some(at(from)), Some(at(to)));
    // The five records are of the seconds 0 to 4.
    assert_eq!(judged(within(0, 4001)), "CLOSED");
    assert_eq!(judged(within(0, 4000)), "BROKEN 4 KEY-UNTRUSTED");
    assert_eq!(judged(within(1, 4001)), "BROKEN 0 KEY-UNTRUSTED");
}

#[test]
fn a_stream_that_gives_one_byte_at_a_time_is_the_same() {
    struct Slow<'a>(&'a [u8]);
    impl std::io::Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }
    let tape = small();
    let records = tape.records();
    let signed = tape.checkpoint();
    let slow = check(
        Slow(&records),
        Some(signed.as_bytes()),
        &trust(),
        &Expect::default(),
    )
    .unwrap();
    assert_eq!(slow, audit(&records, Some(&signed)));
}
