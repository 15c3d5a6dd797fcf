//! What the tests of this crate share: a simulated disk, a clock under control, example records.
#![expect(dead_code, reason = "every test file uses its own part of this module")]
#![expect(unreachable_pub, reason = "`pub` is what the test files see of it")]

pub mod sim;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use leasehold_seal::{Digest, SecretKey, Timestamp};
use leasehold_tape::call::{Charge, Coverage, Ending, Intent, Outcome, Status};
use leasehold_tape::reader::Records;
use leasehold_tape::{Appended, Draft, HostClock, Kind, Options, Record, Tape, TapeError};
use serde_json::json;

pub use sim::SimDisk;

/// Where simulated tapes lie.
pub const DIR: &str = "/disk/tape";
pub const MAC_KEY: [u8; 32] = [9; 32];
/// 2026-01-01T00:00:00Z.
pub const START: i64 = 1_767_225_600_000;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct TestClock(pub AtomicI64);

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START)))
    }

    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl HostClock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn monotonic_us(&self) -> u64 {
        self.0.load(Ordering::SeqCst) as u64 * 1000
    }

    fn boot_id(&self) -> String {
        "boot-1".to_owned()
    }
}

pub fn host_key() -> Arc<SecretKey> {
    Arc::new(SecretKey::from_seed([2; 32]))
}

pub fn options(disk: &SimDisk) -> Options {
    Options {
        disk: Arc::new(disk.clone()),
        lock_wait: Duration::from_secs(5),
        nonce: Some([7; 32]),
        ..Options::default()
    }
}

pub fn open(disk: &SimDisk) -> Result<Tape, TapeError> {
    open_with(disk, options(disk))
}

pub fn open_with(disk: &SimDisk, options: Options) -> Result<Tape, TapeError> {
    let _ = disk;
    Tape::open_with(
        Path::new(DIR),
        host_key(),
        &MAC_KEY,
        TestClock::new(),
        options,
    )
}

pub fn path(name: &str) -> std::path::PathBuf {
    Path::new(DIR).join(name)
}

pub fn note(text: &str) -> Draft {
    Draft::new(
        Kind::Other("test.note".to_owned()),
        &json!({ "text": text }),
    )
    .unwrap()
}

pub fn lease() -> Digest {
    Digest::of(b"lease")
}

pub fn intent(call: &str, fuel: u64) -> Intent {
    Intent {
        call: call.to_owned(),
        charges: vec![Charge {
            fuel,
            lease: lease(),
            uses: 1,
        }],
        clock_base: Timestamp::from_millis(START).unwrap(),
        config: None,
        effects: true,
        engine: Digest::of(b"engine"),
        grant: "structure".to_owned(),
        input: Digest::of(b"input"),
        kind: "gate".to_owned(),
        lease: vec![lease()],
        plugin: Digest::of(b"plugin"),
        rights: Digest::of(b"rights"),
        run: None,
        seed: Digest::of(b"seed").hex(),
        skip: Vec::new(),
        step: None,
    }
}

pub fn outcome(call: &str, ending: Ending, fuel: u64) -> Outcome {
    Outcome {
        call: call.to_owned(),
        code: None,
        command: "structure-lock".to_owned(),
        coverage: Coverage {
            complete: true,
            denied: 0,
            hidden: 0,
            listed: 12,
            skipped: 0,
        },
        ending,
        exit: None,
        fuel,
        intent: Digest::of(b"intent"),
        lease: None,
        peak_memory: 1 << 20,
        reads: Digest::of(b"reads"),
        result: Some(Digest::of(b"result")),
        sentence: "all is well".to_owned(),
        status: Status::Pass,
        stderr: None,
        stdout: None,
        verdict: None,
        wall_us: 1234,
        writes: Vec::new(),
        writes_total: 0,
    }
}

/// Reads a tape from its first byte and checks form and chain.
pub fn read_all(bytes: &[u8]) -> Vec<Record> {
    Records::new(bytes).collect::<Result<_, _>>().unwrap()
}

/// Every acknowledged record is on the tape, where it was said to be.
pub fn assert_holds(bytes: &[u8], acknowledged: &[Appended], context: &str) {
    let records = read_all(bytes);
    for appended in acknowledged {
        let record = records.get(appended.seq as usize);
        assert_eq!(
            record.map(Record::leaf),
            Some(appended.leaf),
            "{context}: acknowledged record {} is missing",
            appended.seq
        );
    }
}
