//! What a gate says, as it stands on the tape. All texts are the plugin's: untrusted.
//!
//! Fields are declared in the order of their names, so that these types are canonical JSON (RFC 8785) as they are written.

use leasehold_seal::Digest;
use serde::{Deserialize, Serialize};

use crate::error::TapeError;

/// A gate's judgement, with its reasons.
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
    /// The canonical JSON, over which [`GateVerdict::digest`] goes.
    ///
    /// # Errors
    /// None that is known.
    pub fn to_json(&self) -> Result<Vec<u8>, TapeError> {
        serde_json::to_vec(self).map_err(|error| TapeError::Body(error.to_string()))
    }
}

/// The three judgements of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// Body of `gate.verdict`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateVerdict {
    /// The call.
    pub call: String,
    /// Digest of the verdict's canonical JSON.
    pub digest: Digest,
    /// Under which the content store has the lines that findings name ([`Quote`]), where the plugin's manifest lets lines be
    /// quoted.
    pub quotes: Option<Digest>,
    /// The verdict; `None` where it is large and lies in the content store.
    pub verdict: Option<Verdict>,
}

/// A line of the workspace that a finding names. The content store has a JSON list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// Line, from 1.
    pub line: u32,
    /// Path relative to the root of the workspace.
    pub path: String,
    /// The line without its end, cut where it is long.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use leasehold_seal::canonical;

    use super::*;

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
