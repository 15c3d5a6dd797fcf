//! The bodies of call records: written by the sandbox, read by the audit.
//!
//! Fields are declared in the order of their names, so that plain serialisation of these types is
//! already canonical JSON (RFC 8785); the tests hold every type to it. Integers are at most
//! 2^53 − 1.

use leasehold_seal::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::TapeError;
use crate::ledger::CLOCK_TOLERANCE_MS;
use crate::verdict::Judgement;

/// Largest integer of canonical JSON: 2^53 − 1.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Most entries of [`Outcome::writes`]; further ones are only counted in `writes_total`.
pub const MAX_WRITES: usize = 128;

/// Most bytes of [`Outcome::sentence`].
pub const MAX_SENTENCE: usize = 2_000;

/// What one call takes from one lease of its chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// Fuel reserved; what is not used is given back by an outcome that returned or exited.
    pub fuel: u64,
    /// The lease that is charged, one of the intent's chain.
    pub lease: Digest,
    /// Uses taken, normally 1.
    pub uses: u64,
}

/// Body of `call.intent`: what is about to run, on whose authority, at what price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The call's id, see [`new_call_id`].
    pub call: String,
    /// What is taken from each lease of the chain; empty for an uncounted call.
    pub charges: Vec<Charge>,
    /// Where the guest's virtual clock starts.
    pub clock_base: Timestamp,
    /// Digest of the plugin's configuration.
    pub config: Option<Digest>,
    /// Whether the rights allow a lasting effect, so that this record had to be durable first.
    pub effects: bool,
    /// Digest that names engine version and settings.
    pub engine: Digest,
    /// The grant's id within the lease.
    pub grant: String,
    /// Digest of arguments, environment, standard input or tool call.
    pub input: Digest,
    /// `gate`, `adapter` or `command`.
    pub kind: String,
    /// Ids of the lease chain, the leaf first.
    pub lease: Vec<Digest>,
    /// Digest of the plugin's bytes.
    pub plugin: Digest,
    /// Digest of the rights the call runs under, after narrowing.
    pub rights: Digest,
    /// The pipeline run this call belongs to.
    pub run: Option<String>,
    /// Seed of the guest's randomness, 64 lower-case hex digits.
    pub seed: String,
    /// Patterns of what the step says it does not judge; they are among the deny rules of its rights.
    pub skip: Vec<String>,
    /// The step of that run.
    pub step: Option<String>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// The exported function returned.
    Returned,
    /// The program exited with a code.
    Exited,
    /// The guest trapped.
    Trapped,
    /// A limit was reached.
    Exhausted,
    /// The host ended the call: deadline, expiry, revocation, shutdown.
    Ended,
}

impl Ending {
    /// Whether the fuel counter is known after such an ending, so that unused fuel is given back.
    pub fn settles(self) -> bool {
        matches!(self, Ending::Returned | Ending::Exited)
    }
}

/// The host's reading of how a call came out: five of the six things that can become of a step. Only `pass` is green;
/// "not run" has no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Judged good, or done.
    Pass,
    /// Judged bad, or exited with a code other than 0.
    Fail,
    /// Did not come to a judgement.
    Error,
    /// Something needed was missing or hidden, so nothing was judged.
    Blocked,
    /// The gate says that it does not apply.
    Skipped,
}

impl Status {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Fail => "fail",
            Status::Error => "error",
            Status::Blocked => "blocked",
            Status::Skipped => "skipped",
        }
    }
}

/// What was seen of the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Whether nothing the call asked for was hidden or denied.
    pub complete: bool,
    /// Requests refused.
    pub denied: u64,
    /// Names left out of listings.
    pub hidden: u64,
    /// Names listed.
    pub listed: u64,
    /// Names left out because the step says that it does not judge them.
    pub skipped: u64,
}

/// One output stream of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Length in bytes.
    pub bytes: u64,
    /// Digest of the bytes.
    pub digest: Digest,
    /// Whether the bytes are in the content store.
    pub stored: bool,
}

/// One change to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// Digest of the content afterwards; `None` when the file is gone.
    pub after: Option<Digest>,
    /// Digest of the content before; `None` when there was no file.
    pub before: Option<Digest>,
    /// What was done, for example `create`, `write`, `delete`, `mkdir`, `rename`.
    pub op: String,
    /// The path, relative to the workspace.
    pub path: String,
}

/// Body of `call.outcome`: what a call did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The id of the intent this ends.
    pub call: String,
    /// Stable code of a failure, such as `FUEL-EXHAUSTED`.
    pub code: Option<String>,
    /// The name the plugin gives itself: untrusted text. Its arguments stay in the salted digest of the intent.
    pub command: String,
    /// What was seen of the workspace.
    pub coverage: Coverage,
    /// How the call ended.
    pub ending: Ending,
    /// Exit code of a program that exited.
    pub exit: Option<u8>,
    /// Fuel used, in units; exact after a normal return or exit.
    pub fuel: u64,
    /// Leaf of the intent's record.
    pub intent: Digest,
    /// Id of the lease the call ran under, the leaf of its chain.
    pub lease: Option<Digest>,
    /// Highest memory use, in bytes.
    pub peak_memory: u64,
    /// Digest of the read set.
    pub reads: Digest,
    /// Digest of what the call returned.
    pub result: Option<Digest>,
    /// The host's reading in one sentence, of which parts may be the plugin's text; at most [`MAX_SENTENCE`] bytes.
    pub sentence: String,
    /// The host's reading in one word.
    pub status: Status,
    /// Standard error; `None` when empty.
    pub stderr: Option<Stream>,
    /// Standard output; `None` when empty.
    pub stdout: Option<Stream>,
    /// What a gate said.
    pub verdict: Option<Judgement>,
    /// Wall time, in microseconds.
    pub wall_us: u64,
    /// The first [`MAX_WRITES`] changes, in order.
    pub writes: Vec<Write>,
    /// Number of changes in all.
    pub writes_total: u64,
}

/// Body of `artifact.stored`: something a plugin attached to its call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactStored {
    /// Length in bytes.
    pub bytes: u64,
    /// The call.
    pub call: String,
    /// Digest of the bytes; the content store has them.
    pub digest: Digest,
    /// As the plugin gave it: untrusted text.
    pub media_type: String,
    /// As the plugin gave it: untrusted text.
    pub name: String,
}

/// Body of `access.denied`: what a plugin asked for and did not get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessDenied {
    /// The call's id.
    pub call: String,
    /// Stable code of the refusal.
    pub code: String,
    /// How often.
    pub count: u64,
    /// The path, where there is one.
    pub path: Option<String>,
    /// `read`, `write` or `list`.
    pub wanted: String,
}

/// Makes a call id: a ULID, 48 bits of milliseconds and 80 random bits in 26 characters of
/// Crockford's base 32. An audit forgets ids by that time and so needs constant memory.
pub fn new_call_id(now: Timestamp, random: [u8; 10]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let millis = u128::try_from(now.as_millis()).unwrap_or(0) & ((1 << 48) - 1);
    let value = random
        .iter()
        .fold(millis, |value, byte| value << 8 | u128::from(*byte));
    (0..26)
        .rev()
        .map(|digit| char::from(ALPHABET[(value >> (digit * 5) & 31) as usize]))
        .collect()
}

/// The number and the time a call id stands for; `None` when it is not a ULID.
pub fn parse_call_id(text: &str) -> Option<(u128, Timestamp)> {
    if text.len() != 26 || !text.starts_with(|first: char| ('0'..='7').contains(&first)) {
        return None;
    }
    let value = text.bytes().try_fold(0_u128, |value, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'H' => byte - b'A' + 10,
            b'J' | b'K' => byte - b'J' + 18,
            b'M' | b'N' => byte - b'M' + 20,
            b'P'..=b'T' => byte - b'P' + 22,
            b'V'..=b'Z' => byte - b'V' + 27,
            _ => return None,
        };
        Some(value << 5 | u128::from(digit))
    })?;
    let time = Timestamp::from_millis(i64::try_from(value >> 80).ok()?).ok()?;
    Some((value, time))
}

/// Whether a call id may stand in an intent of this time. A ULID must have been made within
/// [`CLOCK_TOLERANCE_MS`] of it: so an id cannot come back after an audit has forgotten it. An id of
/// another form may stand at any time, and an audit remembers it for good.
pub fn call_id_fits(call: &str, time: Timestamp) -> bool {
    parse_call_id(call).is_none_or(|(_, made)| time.millis_since(made).abs() <= CLOCK_TOLERANCE_MS)
}

impl Intent {
    /// Checks what the types do not: integers and the size of the identifiers.
    pub(crate) fn check(&self) -> Result<(), TapeError> {
        check_call(&self.call)?;
        for charge in &self.charges {
            check_integers(&[charge.uses, charge.fuel])?;
        }
        Ok(())
    }
}

impl Outcome {
    /// Checks what the types do not: integers and the number of writes.
    pub(crate) fn check(&self) -> Result<(), TapeError> {
        check_call(&self.call)?;
        if self.writes.len() > MAX_WRITES {
            return Err(TapeError::Body(format!(
                "an outcome lists {} writes, at most {MAX_WRITES} are allowed",
                self.writes.len()
            )));
        }
        let streams = [&self.stdout, &self.stderr];
        for stream in streams.into_iter().flatten() {
            check_integers(&[stream.bytes])?;
        }
        let Coverage {
            denied,
            hidden,
            listed,
            skipped,
            ..
        } = self.coverage;
        check_integers(&[denied, hidden, listed, skipped])?;
        check_integers(&[self.fuel, self.peak_memory, self.wall_us, self.writes_total])
    }
}

pub(crate) fn check_call(call: &str) -> Result<(), TapeError> {
    let plain = call.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if call.is_empty() || call.len() > 64 || !plain {
        return Err(TapeError::Body(format!(
            "call id {call:?} is not 1 to 64 letters, digits and hyphens"
        )));
    }
    Ok(())
}

pub(crate) fn check_integers(numbers: &[u64]) -> Result<(), TapeError> {
    match numbers.iter().find(|number| **number > MAX_INTEGER) {
        Some(number) => Err(TapeError::Body(format!(
            "{number} is more than a record can hold (2^53 - 1)"
        ))),
        None => Ok(()),
    }
}
