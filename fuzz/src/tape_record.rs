//! One line of a tape: `leasehold_tape::Record`.

use leasehold_seal::canonical::{self, Value};
use leasehold_seal::{Digest, Timestamp};
use leasehold_tape::record::{Frame, MAX_RECORD, valid_boot};
use leasehold_tape::{Kind, Record, tree};
use serde::Deserialize;

/// The fields of a record, read by another way than `Record::parse` goes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    body: serde_json::Map<String, Value>,
    boot: String,
    kind: String,
    mono_us: u64,
    prev: Value,
    seq: u64,
    tape: Digest,
    time: Timestamp,
    v: u64,
}

/// The oracle.
pub fn check(data: &[u8]) {
    let read = Record::parse(data);
    let expected = expected(data);
    let (record, line) = match (read, expected) {
        (Ok(record), Some(line)) => (record, line),
        (Err(_), None) => return,
        // The body may be nested as deep as JSON may be; with the record around it that is one level too deep.
        (Ok(record), None) => {
            let inner = [b"[", record.body_bytes(), b"]"].concat();
            assert_eq!(
                canonical::from_slice::<Value>(&inner),
                Err(canonical::CanonicalError::Depth),
                "it should not have been accepted"
            );
            return;
        }
        (Err(fault), Some(_)) => panic!("refused for no reason: {fault:?}"),
    };
    assert_eq!(record.line(), data);
    assert_eq!(record.leaf(), tree::leaf(data));
    assert_eq!(record.boot, line.boot);
    assert_eq!(record.kind.as_str(), line.kind);
    assert_eq!((record.mono_us, record.seq), (line.mono_us, line.seq));
    assert_eq!((record.tape, record.time), (line.tape, line.time));
    assert_eq!(
        canonical::from_slice::<Value>(record.body_bytes()).expect("a body"),
        Value::Object(line.body)
    );
    let mut written = Vec::new();
    Frame {
        tape: record.tape,
        seq: record.seq,
        prev: record.prev,
        time: record.time,
        mono_us: record.mono_us,
        boot: &record.boot,
        kind: &record.kind,
    }
    .encode(record.body_bytes(), &mut written);
    assert_eq!(written, data, "a record has one form");
}

/// The whole line as canonical JSON with exactly the known fields.
fn expected(data: &[u8]) -> Option<Line> {
    if data.len() > MAX_RECORD {
        return None;
    }
    let line: Line = canonical::from_slice(data).ok()?;
    let prev = match &line.prev {
        Value::Null => true,
        Value::String(text) => text.parse::<Digest>().is_ok(),
        _ => false,
    };
    let good = line.v == 1 && prev && valid_boot(&line.boot) && Kind::parse(&line.kind).is_some();
    good.then_some(line)
}
