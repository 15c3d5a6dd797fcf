//! What came of a call.

use std::collections::BTreeMap;
use std::time::Duration;

use leasehold_files::{ChangeLog, Coverage, Denials, ReadSet};
use leasehold_seal::Class;
use leasehold_tape::Appended;
pub use leasehold_tape::call::Status;
pub use leasehold_tape::verdict::{Finding, Judgement, Level, Location, Verdict};

use crate::limits::{Limit, Stop};
use crate::state::{Attachment, LogLine};

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A gate or an adapter returned.
    Returned(Returned),
    /// A program returned or exited with this code.
    Exited(u8),
    /// The guest trapped; the text says how.
    Trapped(String),
    /// A limit ended it.
    Exhausted(Limit),
    /// The host ended it, or did not begin.
    Ended(Reason),
}

/// What a gate or an adapter returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Returned {
    /// A gate's verdict.
    Verdict(Verdict),
    /// An adapter's answer: JSON that fits the schema of its tool.
    Reply(String),
    /// The plugin says that it could not do its work.
    Error(PluginError),
}

/// A plugin's own word that it could not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginError {
    /// Its configuration is not usable.
    Config(String),
    /// The arguments of the tool are not usable.
    Arguments(String),
    /// Something it needs is missing.
    Blocked(String),
    /// It failed.
    Fault(String),
}

/// Why the host ended a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Somebody outside ended it.
    Stopped(Stop),
    /// It did not come back after its deadline and was given up.
    Abandoned,
    /// It used an import that no lease can grant.
    ImportDenied,
    /// The plugin handed to the door is not the one on the ticket.
    PluginMismatch,
    /// The adapter's answer does not fit the schema of its tool; the text says where.
    Reply(String),
    /// The workspace could not be opened, or the plugin not be instantiated.
    Host(String),
}

/// The host's own reading of an [`Outcome`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// One of five words.
    pub status: Status,
    /// What the exit code is made of; absent for a pass.
    pub class: Option<Class>,
    /// The stable code; absent for a pass.
    pub code: Option<&'static str>,
    /// One sentence for a person. Parts of it may be the plugin's text.
    pub sentence: String,
}

/// The proof that a call is on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The intent.
    pub intent: Appended,
    /// The outcome.
    pub outcome: Appended,
    /// The gate's verdict, where there is one.
    pub verdict: Option<Appended>,
}

/// One request that a call sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number within the call, from 0.
    pub n: u64,
    /// Method, scheme, host and port: `GET https://api.example.com:443`.
    pub place: String,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// The stable code of what went wrong, if anything did.
    pub code: Option<&'static str>,
    /// Bytes of body sent.
    pub sent: u64,
    /// Bytes of body received.
    pub received: u64,
}

/// Requests that a call wanted to send and may not; those to one place with one code are counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRequest {
    /// The stable code.
    pub code: &'static str,
    /// Method, scheme, host and port, as far as they could be read; without the path, which may say more than a record should.
    pub place: String,
    /// Why, of the first of them.
    pub sentence: String,
    /// What to do.
    pub hint: Option<String>,
    /// How many.
    pub count: u64,
}

/// What came of a call. It exists only when its record is durable.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Identifies the call.
    pub call: String,
    /// How it ended.
    pub ending: Ending,
    /// The host's reading of it.
    pub summary: Summary,
    /// Fuel charged: what was used when the call returned or exited, otherwise the whole reservation.
    pub fuel: u64,
    /// The most memory in use at once, in bytes.
    pub peak_memory: u64,
    /// Real time from instantiation to end.
    pub wall: Duration,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The log.
    pub log: Vec<LogLine>,
    /// What the plugin attached.
    pub attachments: Vec<Attachment>,
    /// What of the workspace the guest could and could not see.
    pub coverage: Coverage,
    /// What it was refused, each path once.
    pub denials: Denials,
    /// Imports that it used and that no lease can grant, with how often.
    pub refused_imports: BTreeMap<String, u64>,
    /// What it asked others.
    pub requests: Vec<Request>,
    /// What it wanted to ask, and may not.
    pub refused_requests: Vec<RefusedRequest>,
    /// What it changed.
    pub changes: ChangeLog,
    /// What it learned about the workspace.
    pub reads: ReadSet,
    /// Whether the guest was told the time of day, so that its answer may depend on it.
    pub told_time: bool,
    /// Where it stands on the tape.
    pub receipt: Receipt,
}
