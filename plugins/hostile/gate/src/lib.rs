//! A gate that does what its configuration names, for the tests of the sandbox. `{"do":"pass"}` is the smallest verdict there is;
//! [`Act`] has the rest. Where an act fails it says so in the summary of a verdict `fail`.

mod acts;

use leasehold_plugin::Gate;
use leasehold_plugin::gate::{Error, Level, Subject, Verdict};
use serde::Deserialize;

leasehold_plugin::gate!(HostileGate);
leasehold_plugin::manifest!("../manifest.json");

/// The gate.
pub struct HostileGate;

impl Gate for HostileGate {
    fn check(subject: &Subject) -> Result<Verdict, Error> {
        acts::perform(subject.configuration()?, subject)
    }
}

/// What the gate does. A count of 0 means without end.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Act {
    /// Passes.
    Pass,
    /// Does not apply.
    Skip,
    /// Fails with so many findings, each with a message of so many bytes, and a code.
    Fail {
        findings: u64,
        message_bytes: usize,
        code: Option<u8>,
    },
    /// Passes, but with findings of this level.
    PassWith { level: Severity },
    /// Has no verdict.
    Error { kind: Failure, text: String },
    /// Logs so many lines of so many bytes.
    Log { lines: u64, bytes: usize },
    /// Attaches so many artifacts of so many bytes.
    Attach { count: u64, bytes: usize },
    /// Attaches twice under one name.
    AttachTwice,
    /// Attaches under this name.
    AttachAs { name: String, media_type: String },
    /// Reports progress so many times.
    Progress { count: u64 },
    /// Reads a file; the content is in the data.
    Read { path: String },
    /// Reads a file, so many bytes from an offset, so many times.
    ReadPieces {
        path: String,
        offset: u64,
        max: u32,
        times: u64,
    },
    /// Says the digest of a file.
    Digest { path: String },
    /// Reads a fact of the host; the names are in the subject.
    Input { name: String },
    /// Lists; the entries are in the data.
    Walk { patterns: Vec<String> },
    /// Asks a listing for so many entries at once.
    WalkMax { max: u32 },
    /// Opens so many listings and keeps them open.
    WalkFlood { count: u64 },
    /// Reads every file that it may read and counts files, bytes and lines.
    CountLines,
    /// Says the subject back.
    Subject,
    /// Puts control characters and look-alikes wherever text can go.
    Escapes,
    /// A verdict whose data is this text, JSON or not.
    Data { text: String },
    /// Loops without end.
    Spin,
    /// Traps.
    Trap,
    /// Panics.
    Panic,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Error,
    Warning,
    Note,
}

impl From<Severity> for Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::Error,
            Severity::Warning => Self::Warning,
            Severity::Note => Self::Note,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Failure {
    Config,
    Blocked,
    Fault,
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_manifest_is_well_formed() {
        leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
    }
}
