//! Why a tape or store refused.

use std::io;

use leasehold_seal::{CanonicalError, Class, Coded, Digest, KeyId, SealError, Timestamp};

use crate::record::RecordFault;

/// Why an operation on a tape or its content store failed.
///
/// The value is `Clone` because one failed sync answers every thread that waited for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TapeError {
    /// A complete record is wrong, or the signed checkpoint does not fit the records.
    #[error("record {seq} (line {line}) is wrong: {}", fault.message)]
    Broken {
        /// Number of the first bad record.
        seq: u64,
        /// Its line in `records.jsonl`, from 1.
        line: u64,
        /// What is wrong with it.
        fault: RecordFault,
    },
    /// The tape holds less than was signed or recorded as durable.
    #[error("the tape holds {found} {unit}, but {signed} were signed")]
    Truncated {
        /// What is there.
        found: u64,
        /// What there must be at least.
        signed: u64,
        /// `records` or `bytes`.
        unit: &'static str,
    },
    /// Another process held the lock for too long.
    #[error("the tape is locked by another process for more than {waited_ms} ms")]
    Locked {
        /// How long this process waited, in milliseconds.
        waited_ms: u64,
    },
    /// The folder or a file in it may not be written.
    #[error("the tape cannot be written: {action}: {cause}")]
    ReadOnly {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        cause: String,
    },
    /// The disk, the quota or the file size limit is exhausted.
    #[error("no room for the record: {action}: {cause}")]
    Full {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        cause: String,
    },
    /// The folder does not hold a tape this version can use.
    #[error("not a usable tape: {0}")]
    Format(String),
    /// The line would be longer than 65,535 bytes.
    #[error("a {kind} record of {bytes} bytes is larger than 65535")]
    RecordTooLarge {
        /// The kind of the record.
        kind: String,
        /// Its length without line feed.
        bytes: usize,
    },
    /// A body is not what its kind holds, or cannot be written as canonical JSON.
    #[error("the body of a record is wrong: {0}")]
    Body(String),
    /// The host clock stands before the tape's last time by more than 300 seconds.
    #[error("the clock says {now}, the tape already holds {last}")]
    ClockBack {
        /// What the clock says.
        now: Timestamp,
        /// The latest time on the tape.
        last: Timestamp,
    },
    /// An outcome names a call without an open intent.
    #[error("call {0} has no open intent on this tape")]
    CallUnknown(String),
    /// An intent names a call that is still open.
    #[error("call {0} is already open on this tape")]
    CallRepeated(String),
    /// A revocation list is older than one the tape has seen.
    #[error("revocation list {given} is older than list {known}, which the tape has seen")]
    RevocationOld {
        /// Number of the list that was given.
        given: u64,
        /// Number of the latest on the tape.
        known: u64,
    },
    /// There are two revocation lists of one number.
    #[error("the tape has seen another revocation list {number}: {known}, not {given}")]
    RevocationFork {
        /// The number of both.
        number: u64,
        /// Id of the list that was given.
        given: Digest,
        /// Id of the one on the tape.
        known: Digest,
    },
    /// A lease was checked against no revocation list, and the tape has seen one.
    #[error("the tape has seen revocation list {known}, and the lease was checked against none")]
    RevocationMissing {
        /// Number of the latest on the tape.
        known: u64,
    },
    /// A presentation with this nonce served already.
    #[error("a presentation with the nonce {0} was used on this tape before")]
    PresentationReplayed(String),
    /// A presentation has ended by the time of its record.
    #[error("the presentation ended at {expires}, it is {now}")]
    PresentationExpired {
        /// When it ended.
        expires: Timestamp,
        /// The time of the record.
        now: Timestamp,
    },
    /// The tape belongs to another host key.
    #[error("the tape belongs to host {expected}, not to {found}")]
    OtherHost {
        /// The host named in the first record.
        expected: KeyId,
        /// The key that was given.
        found: KeyId,
    },
    /// The checkpoint file is not a checkpoint of this tape signed by its host.
    #[error("the checkpoint is wrong: {0}")]
    Checkpoint(String),
    /// An earlier failure left it unknown what is on the disk.
    #[error("the tape takes no more records since an earlier failure: {0}")]
    Poisoned(String),
    /// Any other failure of the file system.
    #[error("{action}: {cause}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        cause: String,
    },
    /// The bytes in the store do not have the digest they are filed under.
    #[error("the content store holds other bytes under {0}")]
    StoreCorrupt(Digest),
    /// The store has nothing under this digest.
    #[error("the content store has nothing under {0}")]
    StoreMissing(Digest),
}

impl TapeError {
    /// Sorts a failure of the file system by what can be done about it.
    pub(crate) fn io(action: &'static str, error: &io::Error) -> TapeError {
        let cause = error.to_string();
        match error.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => TapeError::Full { action, cause },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                TapeError::ReadOnly { action, cause }
            }
            _ => TapeError::Io { action, cause },
        }
    }
}

impl From<CanonicalError> for TapeError {
    fn from(error: CanonicalError) -> Self {
        TapeError::Body(error.to_string())
    }
}

impl From<SealError> for TapeError {
    fn from(error: SealError) -> Self {
        TapeError::Checkpoint(error.to_string())
    }
}

impl Coded for TapeError {
    fn code(&self) -> &'static str {
        match self {
            TapeError::Broken { .. } => "TAPE-BROKEN",
            TapeError::Truncated { .. } => "TAPE-TRUNCATED",
            TapeError::Locked { .. } => "TAPE-LOCKED",
            TapeError::ReadOnly { .. } => "TAPE-READONLY",
            TapeError::Full { .. } => "TAPE-FULL",
            TapeError::Format(_) => "TAPE-FORMAT",
            TapeError::RecordTooLarge { .. } => "RECORD-TOO-LARGE",
            TapeError::Body(_) => "RECORD-BODY",
            TapeError::ClockBack { .. } => "CLOCK-BACK",
            TapeError::CallUnknown(_) => "CALL-UNKNOWN",
            TapeError::CallRepeated(_) => "CALL-REPEATED",
            TapeError::RevocationOld { .. } => "REVOCATION-OLD",
            TapeError::RevocationFork { .. } => "REVOCATION-FORK",
            TapeError::RevocationMissing { .. } => "REVOCATION-MISSING",
            TapeError::PresentationReplayed(_) => "PRESENTATION-REPLAYED",
            TapeError::PresentationExpired { .. } => "PRESENTATION-EXPIRED",
            TapeError::OtherHost { .. } => "TAPE-HOST",
            TapeError::Checkpoint(_) => "CHECKPOINT-INVALID",
            TapeError::Poisoned(_) => "TAPE-POISONED",
            TapeError::Io { .. } => "TAPE-IO",
            TapeError::StoreCorrupt(_) => "STORE-CORRUPT",
            TapeError::StoreMissing(_) => "STORE-MISSING",
        }
    }

    fn class(&self) -> Class {
        match self {
            TapeError::Broken { .. }
            | TapeError::RevocationFork { .. }
            | TapeError::Truncated { .. }
            | TapeError::Format(_)
            | TapeError::Checkpoint(_)
            | TapeError::StoreCorrupt(_) => Class::Integrity,
            // No record, no call: what keeps the record from being written refuses the call.
            TapeError::ReadOnly { .. }
            | TapeError::Full { .. }
            | TapeError::ClockBack { .. }
            | TapeError::RevocationOld { .. }
            | TapeError::RevocationMissing { .. }
            | TapeError::PresentationReplayed(_)
            | TapeError::PresentationExpired { .. }
            | TapeError::OtherHost { .. } => Class::Refused,
            TapeError::Locked { .. } | TapeError::StoreMissing(_) => Class::Blocked,
            TapeError::RecordTooLarge { .. }
            | TapeError::Body(_)
            | TapeError::CallUnknown(_)
            | TapeError::CallRepeated(_)
            | TapeError::Poisoned(_)
            | TapeError::Io { .. } => Class::Fault,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            TapeError::Broken { .. } | TapeError::Checkpoint(_) => {
                "keep the folder as it is; `leasehold tape verify` says what still holds; \
                 go on with a new tape"
            }
            TapeError::Truncated { .. } => {
                "records were removed after they were signed; restore the folder as a whole, \
                 or go on with a new tape"
            }
            TapeError::Locked { .. } => "end the other process, or wait for it",
            TapeError::ReadOnly { .. } => {
                "give the tape folder to the user who runs this, with write permission"
            }
            TapeError::Full { .. } => "free some space where the tape lies",
            TapeError::Format(_) => "name another folder",
            TapeError::RecordTooLarge { .. } => "put large data into the content store",
            TapeError::ClockBack { .. } => "set the clock of this machine",
            TapeError::RevocationOld { .. } | TapeError::RevocationMissing { .. } => {
                "get the latest list and put it in force: `leasehold lease revocations --import FILE`"
            }
            TapeError::RevocationFork { .. } => {
                "one of the two is false: ask whoever signs the lists for one with a higher number"
            }
            TapeError::PresentationReplayed(_) | TapeError::PresentationExpired { .. } => {
                "let the holder sign a new one: `leasehold lease present`"
            }
            TapeError::OtherHost { .. } => "use the home this tape was made in, or a new tape",
            TapeError::Poisoned(_) => "open the tape again",
            TapeError::StoreCorrupt(_) => "restore this file of the store from a copy",
            TapeError::StoreMissing(_) => "restore this file of the store from a copy",
            TapeError::Body(_)
            | TapeError::CallUnknown(_)
            | TapeError::CallRepeated(_)
            | TapeError::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
