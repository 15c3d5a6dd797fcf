//! Tapes as `leasehold-tape` writes them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use leasehold_audit::{Expect, Report, check};
use leasehold_seal::{Coded as _, Timestamp};
use leasehold_tape::call::Ending;
use leasehold_tape::reader::Records;
use leasehold_tape::{Draft, Durability, HostClock, Kind, Options, Tape};
use serde_json::{Value, json};

use crate::builder::{Builder, START, host, intent, outcome, small, trust, verdict};
use crate::chains;

/// Advances by a second with each reading, as the builder does with each record.
struct Ticking(AtomicI64);

impl HostClock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(START + self.0.fetch_add(1000, Ordering::SeqCst)).unwrap()
    }

    fn monotonic_us(&self) -> u64 {
        // Read right after the time of the same record.
        1_000_000 + (self.0.load(Ordering::SeqCst) - 1000).unsigned_abs() * 1000
    }

    fn boot_id(&self) -> String {
        "boot-1".to_owned()
    }
}

struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("leasehold-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        Self(dir)
    }

    fn open(&self) -> Tape {
        let options = Options {
            nonce: Some([7; 32]),
            ..Options::default()
        };
        let clock = Arc::new(Ticking(AtomicI64::new(0)));
        Tape::open_with(&self.0, Arc::new(host()), &[9; 32], clock, options).unwrap()
    }

    fn audit(&self) -> Report {
        let records = std::fs::File::open(self.0.join("records.jsonl")).unwrap();
        let checkpoint = std::fs::read(self.0.join("checkpoint")).ok();
        check(records, checkpoint.as_deref(), &trust(), &Expect::default()).unwrap()
    }
}

impl AsRef<Path> for Home {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_tape_writes_the_bytes_of_the_vectors() {
    let home = Home::new("bytes");
    let tape = home.open();
    let append = |draft: Draft| {
        let appended = tape.append(vec![draft], Durability::Written).unwrap();
        appended[0].leaf
    };
    let mut end = outcome(1, Ending::Returned, 400);
    end.intent = append(Draft::intent(&intent(1)).unwrap());
    append(Draft::outcome(&end).unwrap());
    append(Draft::intent(&intent(2)).unwrap());
    let checkpoint = tape.close().unwrap();
    let records = std::fs::read(home.0.join("records.jsonl")).unwrap();
    assert_eq!(
        String::from_utf8(records).unwrap(),
        String::from_utf8(small().records()).unwrap()
    );
    assert_eq!(checkpoint, small().checkpoint());
}

#[test]
fn a_tape_is_open_until_it_is_closed_and_again_when_it_goes_on() {
    let home = Home::new("session");
    let tape = home.open();
    assert_eq!(verdict(&home.audit()), "OPEN 0");
    let begun = tape
        .append(vec![Draft::intent(&intent(1)).unwrap()], Durability::Synced)
        .unwrap();
    tape.checkpoint().unwrap();
    assert_eq!(verdict(&home.audit()), "OPEN 2");
    let mut end = outcome(1, Ending::Returned, 1);
    end.intent = begun[0].leaf;
    tape.close_with(vec![Draft::outcome(&end).unwrap()])
        .unwrap();
    assert_eq!(verdict(&home.audit()), "CLOSED");
    drop(tape);
    let tape = home.open();
    assert_eq!(verdict(&home.audit()), "CLOSED");
    let started = Draft::new(Kind::RunStarted, &json!({"run": "r1"})).unwrap();
    tape.append(vec![started], Durability::Written).unwrap();
    assert_eq!(verdict(&home.audit()), "OPEN 4");
    tape.close().unwrap();
    let report = home.audit();
    assert_eq!(verdict(&report), "CLOSED");
    assert_eq!(report.records, 6);
}

#[test]
fn a_torn_tail_is_broken_until_the_tape_is_opened_again() {
    let home = Home::new("torn");
    home.open().close().unwrap();
    let path = home.0.join("records.jsonl");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"body\":{}");
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(verdict(&home.audit()), "BROKEN 2 RECORD-TORN");
    let tape = home.open();
    assert_eq!(verdict(&home.audit()), "OPEN 2");
    tape.close().unwrap();
    let report = home.audit();
    assert_eq!(verdict(&report), "CLOSED");
    assert_eq!(report.recovered, 1);
}

#[test]
fn a_tape_is_read_in_pieces_of_bounded_size() {
    /// A tape that is made while it is read; remembers the largest piece asked for.
    struct Endless {
        builder: Builder,
        chunk: Vec<u8>,
        left: usize,
        largest: usize,
    }
    impl std::io::Read for &mut Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.largest = self.largest.max(buffer.len());
            if self.chunk.is_empty() && self.left > 0 {
                self.left -= 1;
                self.builder.note("one of many");
                self.chunk = [self.builder.lines.last().unwrap().as_slice(), b"\n"].concat();
            }
            let count = self.chunk.len().min(buffer.len());
            buffer[..count].copy_from_slice(&self.chunk[..count]);
            self.chunk.drain(..count);
            Ok(count)
        }
    }
    let builder = Builder::new();
    let mut stream = Endless {
        chunk: builder.records(),
        builder,
        left: 20_000,
        largest: 0,
    };
    let report = check(&mut stream, None, &trust(), &Expect::default()).unwrap();
    assert_eq!(
        (verdict(&report), report.records),
        ("OPEN 0".to_owned(), 20_001)
    );
    assert!(
        stream.largest <= 256 * 1024,
        "{} bytes at once",
        stream.largest
    );
}

/// What the tape refuses, in the words of an audit.
fn in_audit(code: &str) -> &str {
    match code {
        "CALL-UNKNOWN" => "AUDIT-EFFECT",
        other => other,
    }
}

/// Every case of leases, lists, presentations and requests, record by record: the tape takes what an audit takes, and what it
/// keeps no envelopes for is all that only an audit finds.
#[test]
fn the_tape_refuses_what_an_audit_would_call_broken() {
    const OWN: [&str; 6] = [
        "REVOCATION-OLD",
        "REVOCATION-FORK",
        "REVOCATION-MISSING",
        "PRESENTATION-REPLAYED",
        "PRESENTATION-EXPIRED",
        "RECORD-BODY",
    ];
    let mut refused = BTreeSet::new();
    for case in chains::cases() {
        let home = Home::new(&format!("refuses-{}", case.name));
        let tape = home.open();
        let records = Records::new(case.records.as_slice()).map(Result::unwrap);
        let mut outcome = "TAKEN".to_owned();
        for record in records.filter(|record| !record.kind.as_str().starts_with("tape.")) {
            let body: Value = record.body().unwrap();
            let appended = Draft::new(record.kind.clone(), &body)
                .and_then(|draft| tape.append(vec![draft], Durability::Written));
            if let Err(error) = appended {
                outcome = format!("BROKEN {} {}", record.seq, in_audit(error.code()));
                refused.insert(error.code());
                break;
            }
        }
        let code = case.verdict.split(' ').next_back().unwrap();
        if outcome == "TAKEN" {
            assert!(!OWN.contains(&code), "{} was taken", case.name);
        } else {
            assert_eq!(outcome, case.verdict, "{}", case.name);
        }
    }
    assert!(OWN.iter().all(|code| refused.contains(code)), "{refused:?}");
}
