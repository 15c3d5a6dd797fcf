//! One line of a tape: its bytes out and in.
//!
//! ```text
//! {"body":{…},"boot":"…","kind":"call.intent","mono_us":1,"prev":"sha256:…","seq":7,"tape":"sha256:…","time":"2026-01-01T00:00:00Z","v":1}
//! ```
//!
//! The line is canonical JSON (RFC 8785), so its keys stand in this order and a valid line has
//! exactly one form. That is used in both directions: the frame after the body is written, and
//! read, as fixed text around a few values.

use std::io::Write as _;
use std::ops::Range;

use leasehold_seal::canonical::{self, Value};
use leasehold_seal::{Digest, Timestamp};
use serde::de::DeserializeOwned;

use crate::kind::Kind;
use crate::tree;

/// Longest record, in bytes without the line feed.
pub const MAX_RECORD: usize = 65_535;

/// Longest boot id, in bytes.
pub const MAX_BOOT: usize = 64;

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordFault {
    /// Stable code, `RECORD-…`, `CLOCK-BACK` or `CHECKPOINT-ROOT`.
    pub code: &'static str,
    /// The sentence.
    pub message: String,
}

impl RecordFault {
    /// A fault with this code and sentence.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

/// Everything of a record but its body.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The tape's id.
    pub tape: Digest,
    /// Number of the record, from 0.
    pub seq: u64,
    /// Leaf of the record before; `None` for record 0.
    pub prev: Option<Digest>,
    /// Time by the host's clock.
    pub time: Timestamp,
    /// Monotonic clock of the host in microseconds, comparable within one boot.
    pub mono_us: u64,
    /// Which boot of the host that was: 1 to 64 of `A-Z a-z 0-9 . _ : -`.
    pub boot: &'a str,
    /// What the record is about.
    pub kind: &'a Kind,
}

impl Frame<'_> {
    /// Appends the line, without line feed, to `out`. `body` must be a canonical JSON object.
    pub fn encode(&self, body: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(BODY);
        out.extend_from_slice(body);
        out.extend_from_slice(BOOT);
        out.extend_from_slice(self.boot.as_bytes());
        out.extend_from_slice(KIND);
        out.extend_from_slice(self.kind.as_str().as_bytes());
        out.extend_from_slice(MONO);
        push_integer(out, self.mono_us);
        match &self.prev {
            None => out.extend_from_slice(PREV_NULL),
            Some(prev) => {
                out.extend_from_slice(PREV);
                push_hex(out, prev);
                out.push(b'"');
            }
        }
        out.extend_from_slice(SEQ);
        push_integer(out, self.seq);
        out.extend_from_slice(TAPE);
        push_hex(out, &self.tape);
        out.extend_from_slice(TIME);
        // Writing to a vector cannot fail.
        let _ = write!(out, "{}", self.time);
        out.extend_from_slice(END);
    }
}

/// A record as it stands on the tape; its form was checked, its place in the chain was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The tape's id as stated in the record.
    pub tape: Digest,
    /// Number of the record, from 0.
    pub seq: u64,
    /// Leaf of the record before; `None` only for record 0.
    pub prev: Option<Digest>,
    /// Time by the host's clock.
    pub time: Timestamp,
    /// Monotonic clock of the host in microseconds.
    pub mono_us: u64,
    /// Which boot of the host that was.
    pub boot: String,
    /// What the record is about.
    pub kind: Kind,
    line: Vec<u8>,
    body: Range<usize>,
    leaf: Digest,
}

impl Record {
    /// Reads one line without its line feed: size, canonical form, exactly the known fields.
    ///
    /// # Errors
    /// `RECORD-TOO-LARGE` or `RECORD-FORMAT`.
    pub fn parse(line: &[u8]) -> Result<Record, RecordFault> {
        if line.len() > MAX_RECORD {
            return Err(RecordFault::new(
                "RECORD-TOO-LARGE",
                format!(
                    "the line has {} bytes, at most {MAX_RECORD} are allowed",
                    line.len()
                ),
            ));
        }
        let after_body = rfind(line, BOOT).ok_or_else(|| malformed("it has no frame"))?;
        let body = BODY.len()..after_body;
        let mut rest = Cursor(&line[after_body..]);
        if !line.starts_with(BODY) || after_body < BODY.len() {
            return Err(malformed("it does not start with its body"));
        }
        rest.expect(BOOT)?;
        let boot = rest.text()?;
        if !valid_boot(boot) {
            return Err(malformed("its boot id is malformed"));
        }
        rest.expect(KIND)?;
        let kind = Kind::parse(rest.text()?).ok_or_else(|| malformed("its kind is malformed"))?;
        rest.expect(MONO)?;
        let mono_us = rest.integer()?;
        let prev = if rest.skip(PREV_NULL) {
            None
        } else {
            rest.expect(PREV)?;
            let prev = rest.digest()?;
            rest.expect(b"\"")?;
            Some(prev)
        };
        rest.expect(SEQ)?;
        let seq = rest.integer()?;
        rest.expect(TAPE)?;
        let tape = rest.digest()?;
        rest.expect(TIME)?;
        let time = rest
            .text()?
            .parse()
            .map_err(|_| malformed("its time is malformed"))?;
        rest.expect(END)?;
        if !rest.0.is_empty() {
            return Err(malformed("something follows its end"));
        }
        if line[body.clone()].first() != Some(&b'{') {
            return Err(malformed("its body is not an object"));
        }
        canonical::from_slice::<Value>(&line[body.clone()])
            .map_err(|error| malformed(&format!("its body is not canonical JSON: {error}")))?;
        Ok(Record {
            tape,
            seq,
            prev,
            time,
            mono_us,
            boot: boot.to_owned(),
            kind,
            line: line.to_vec(),
            body,
            leaf: tree::leaf(line),
        })
    }

    /// The line without line feed.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// The body's canonical JSON.
    pub fn body_bytes(&self) -> &[u8] {
        &self.line[self.body.clone()]
    }

    /// The body as a type.
    ///
    /// # Errors
    /// `RECORD-BODY` when it is not of that type.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, RecordFault> {
        read_body(&self.kind, self.body_bytes())
    }

    /// The leaf: `SHA-256(0x00 ‖ line)`.
    pub fn leaf(&self) -> Digest {
        self.leaf
    }
}

/// Reads a body of a kind as a type.
pub(crate) fn read_body<T: DeserializeOwned>(kind: &Kind, body: &[u8]) -> Result<T, RecordFault> {
    canonical::from_slice(body).map_err(|error| {
        RecordFault::new(
            "RECORD-BODY",
            format!("the body is not that of {kind}: {error}"),
        )
    })
}

/// Whether a boot id can stand in a record: 1 to 64 of `A-Z a-z 0-9 . _ : -`.
pub fn valid_boot(boot: &str) -> bool {
    (1..=MAX_BOOT).contains(&boot.len())
        && boot
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-'))
}

const BODY: &[u8] = b"{\"body\":";
const BOOT: &[u8] = b",\"boot\":\"";
const KIND: &[u8] = b"\",\"kind\":\"";
const MONO: &[u8] = b"\",\"mono_us\":";
const PREV_NULL: &[u8] = b",\"prev\":null";
const PREV: &[u8] = b",\"prev\":\"sha256:";
const SEQ: &[u8] = b",\"seq\":";
const TAPE: &[u8] = b",\"tape\":\"sha256:";
const TIME: &[u8] = b"\",\"time\":\"";
const END: &[u8] = b"\",\"v\":1}";

fn malformed(what: &str) -> RecordFault {
    RecordFault::new("RECORD-FORMAT", format!("the line is not a record: {what}"))
}

fn push_hex(out: &mut Vec<u8>, digest: &Digest) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(digest.as_bytes()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    out.extend_from_slice(&text);
}

fn push_integer(out: &mut Vec<u8>, number: u64) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{number}");
}

fn rfind(line: &[u8], needle: &[u8]) -> Option<usize> {
    // No value of the frame can hold this text, so its last occurrence begins the frame.
    line.windows(needle.len())
        .rposition(|window| window == needle)
}

/// What is left of a frame.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn skip(&mut self, text: &[u8]) -> bool {
        match self.0.strip_prefix(text) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, text: &[u8]) -> Result<(), RecordFault> {
        if self.skip(text) {
            return Ok(());
        }
        Err(malformed(&format!(
            "expected {} in its frame",
            String::from_utf8_lossy(text)
        )))
    }

    /// Text up to the next quotation mark, which stays.
    fn text(&mut self) -> Result<&'a str, RecordFault> {
        let end = self
            .0
            .iter()
            .position(|b| *b == b'"')
            .ok_or_else(|| malformed("a text does not end"))?;
        let (text, rest) = self.0.split_at(end);
        self.0 = rest;
        str::from_utf8(text).map_err(|_| malformed("its frame is not UTF-8"))
    }

    fn integer(&mut self) -> Result<u64, RecordFault> {
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (text, rest) = self.0.split_at(digits);
        self.0 = rest;
        parse_integer(text).ok_or_else(|| malformed("a number is malformed"))
    }

    fn digest(&mut self) -> Result<Digest, RecordFault> {
        let (text, rest) = self
            .0
            .split_at_checked(64)
            .ok_or_else(|| malformed("a digest is cut short"))?;
        self.0 = rest;
        let text = str::from_utf8(text).map_err(|_| malformed("its frame is not UTF-8"))?;
        format!("sha256:{text}")
            .parse()
            .map_err(|_| malformed("a digest is malformed"))
    }
}

/// A decimal number from 0 to 2^53 − 1 without leading zeros.
pub(crate) fn parse_integer(text: &[u8]) -> Option<u64> {
    let canonical = matches!(text, [b'0'] | [b'1'..=b'9', ..]) && text.len() <= 16;
    let number: u64 = str::from_utf8(text)
        .ok()
        .filter(|_| canonical)?
        .parse()
        .ok()?;
    (number <= crate::call::MAX_INTEGER).then_some(number)
}
