//! What came of a call.

use std::collections::BTreeMap;
use std::time::Duration;

use leasehold_files::{ChangeLog, Coverage, Denials};
use leasehold_seal::{Class, Digest};
use leasehold_tape::{Appended, TapeError};
use serde::{Deserialize, Serialize};

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

/// A gate's judgement. All texts are the plugin's: untrusted.
///
/// The fields of this type, and of those in it, stand in the order of their names: so they are canonical JSON (RFC 8785) as they
/// are written, without being sorted for each call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// A number that reference systems use for this verdict.
    pub code: Option<u8>,
    /// Whatever else the gate has to say, for programs.
    pub data: Option<String>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What it says.
    pub outcome: Judgement,
    /// One sentence.
    pub summary: String,
}

impl Verdict {
    /// The canonical JSON.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, TapeError> {
        serde_json::to_vec(self).map_err(|error| TapeError::Body(error.to_string()))
    }
}

/// The three judgements of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Judgement {
    /// All is as it should be.
    Pass,
    /// Something is not.
    Fail,
    /// The gate does not apply. Not a pass.
    Skip,
}

/// One thing a gate found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Where, if it is anywhere.
    pub at: Option<Location>,
    /// What makes it the same finding in the next run.
    pub fingerprint: Option<String>,
    /// How bad it is.
    pub level: Level,
    /// One sentence.
    pub message: String,
    /// The rule.
    pub rule: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A reason to fail.
    Error,
    /// Not a reason by itself.
    Warning,
    /// A remark.
    Note,
}

/// A place in the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Column in Unicode scalar values, from 1.
    pub column: Option<u32>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Path relative to the root of the workspace.
    pub path: String,
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

/// One of the six things that can become of a step. Only `pass` is green; "not run" has no outcome at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
    /// What it changed.
    pub changes: ChangeLog,
    /// Digest of what it read.
    pub reads: Digest,
    /// Where it stands on the tape.
    pub receipt: Receipt,
}

#[cfg(test)]
mod tests {
    use super::*;
    use leasehold_seal::canonical;

    #[test]
    fn a_verdict_is_canonical_as_it_is_written() {
        let verdict = Verdict {
            code: Some(24),
            data: Some("{\"a\":1}".into()),
            findings: vec![Finding {
                at: Some(Location {
                    column: Some(2),
                    line: Some(1),
                    path: "a/\u{e9}\u{1f600}".into(),
                }),
                fingerprint: None,
                level: Level::Warning,
                // What JSON escapes in more than one way, and what it need not escape.
                message: (0..0x20)
                    .chain(0x7f..0x100)
                    .filter_map(char::from_u32)
                    .collect::<String>()
                    + "\u{2028}\"\\/",
                rule: "rule".into(),
            }],
            outcome: Judgement::Fail,
            summary: "bad".into(),
        };
        assert_eq!(
            verdict.to_json().unwrap(),
            canonical::to_vec(&verdict).unwrap()
        );
    }
}
