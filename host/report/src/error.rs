//! Why there is no report.

use leasehold_seal::{Class, Coded};
use leasehold_tape::reader::ReadError;

/// Why a run could not be read or shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The tape cannot be read, or a record is not what follows the one before.
    #[error(transparent)]
    Tape(#[from] ReadError),
    /// A record of a known kind has another body.
    #[error("record {seq} (line {}) is wrong: {message}", seq + 1)]
    Body {
        /// Number of the record.
        seq: u64,
        /// What is wrong.
        message: String,
    },
    /// There is no run on the tape.
    #[error("the tape has no run")]
    None,
    /// No run begins so.
    #[error("the tape has no run {0:?}")]
    Unknown(String),
    /// More than one run begins so.
    #[error("more than one run begins with {prefix:?}: {}", found.join(", "))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The first of those that begin so.
        found: Vec<String>,
    },
    /// The report itself cannot be written.
    #[error("the report cannot be written: {0}")]
    Write(String),
}

impl Coded for ReportError {
    fn code(&self) -> &'static str {
        match self {
            ReportError::Tape(ReadError::Io(_)) => "TAPE-IO",
            ReportError::Tape(ReadError::Bad { .. }) => "TAPE-BROKEN",
            ReportError::Body { .. } => "RECORD-BODY",
            ReportError::None | ReportError::Unknown(_) => "RUN-MISSING",
            ReportError::Ambiguous { .. } => "RUN-AMBIGUOUS",
            ReportError::Write(_) => "REPORT-WRITE",
        }
    }

    fn class(&self) -> Class {
        match self {
            ReportError::Tape(ReadError::Bad { .. }) | ReportError::Body { .. } => Class::Integrity,
            ReportError::None | ReportError::Unknown(_) => Class::Blocked,
            ReportError::Ambiguous { .. } => Class::Usage,
            ReportError::Tape(ReadError::Io(_)) | ReportError::Write(_) => Class::Fault,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            ReportError::Tape(ReadError::Bad { .. }) | ReportError::Body { .. } => {
                "`leasehold tape verify` says what can still be relied on"
            }
            ReportError::None => "`leasehold run` makes one",
            ReportError::Unknown(_) => "`leasehold tape show --kind run.started` lists them",
            ReportError::Ambiguous { .. } => "give more of the id",
            ReportError::Tape(ReadError::Io(_)) | ReportError::Write(_) => return None,
        };
        Some(hint.to_owned())
    }
}
