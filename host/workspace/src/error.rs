//! Why a step tree, a difference or a bring-back was not done.

use std::io;
use std::path::PathBuf;

use leasehold_lease::RelPath;
use leasehold_seal::{Class, Coded};

/// Why an operation on step trees, or with what they changed, failed.
///
/// Unless the variant says otherwise, the workspace is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// The workspace is no longer what the step was given.
    #[error("{path} is no longer what the step was given: {what}")]
    Changed {
        /// Where.
        path: RelPath,
        /// What is different.
        what: &'static str,
    },
    /// This process may not change the workspace, or it lies on a read-only file system.
    #[error("{path} cannot be changed: {cause}")]
    ReadOnly {
        /// What should have been changed.
        path: RelPath,
        /// What the system said.
        cause: io::Error,
    },
    /// The disk, the quota or the file size limit is exhausted.
    #[error("no room: {action} {path}: {cause}")]
    Full {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: RelPath,
        /// What the system said.
        cause: io::Error,
    },
    /// Any other failure of the file system.
    #[error("{action} {path}: {cause}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: RelPath,
        /// What the system said.
        cause: io::Error,
    },
    /// The step tree holds what no call can have made: a name that is not UTF-8 or too long.
    #[error("the step left a name in {dir} that is not UTF-8 or makes too long a path")]
    Name {
        /// The directory that holds it.
        dir: RelPath,
    },
    /// The step tree is not what its difference says.
    #[error("{path} in the step tree changed after its difference was taken")]
    StepChanged {
        /// Where.
        path: RelPath,
    },
    /// Another process is bringing something back.
    #[error("another process is bringing changes back, or undoing that")]
    Busy,
    /// An earlier bring-back was cut off and has to be recovered first.
    #[error("an earlier bring-back was cut off; its journal is {}", journal.display())]
    RecoveryNeeded {
        /// The journal file.
        journal: PathBuf,
    },
    /// Bringing back failed and so did undoing it. The workspace is between two states until it is recovered.
    #[error("{cause}; undoing it failed too: {undo}")]
    Unfinished {
        /// Why bringing back failed.
        cause: Box<WorkspaceError>,
        /// Why undoing it failed.
        undo: Box<WorkspaceError>,
    },
    /// Somebody changed a path after a bring-back was cut off there; it is not touched.
    #[error("{path} was changed after a bring-back was cut off there")]
    Conflict {
        /// Where.
        path: RelPath,
        /// The name beside it under which the former content is kept, where there is one.
        kept: Option<RelPath>,
    },
    /// The journal is not one this version wrote, or belongs to another workspace.
    #[error("the journal {} cannot be used: {what}", journal.display())]
    Journal {
        /// The journal file.
        journal: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The journal cannot be read or written.
    #[error("{action} the journal {}: {cause}", journal.display())]
    JournalIo {
        /// What was tried.
        action: &'static str,
        /// The journal file.
        journal: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// No folder for the step tree.
    #[error("no folder for a step tree can be made in {}: {cause}", scratch.display())]
    Scratch {
        /// Where it should have been.
        scratch: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl WorkspaceError {
    /// Sorts a failure of the file system by what can be done about it.
    pub(crate) fn io(action: &'static str, path: &RelPath, cause: io::Error) -> Self {
        let path = path.clone();
        match cause.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::Full {
                action,
                path,
                cause,
            },
            _ => Self::Io {
                action,
                path,
                cause,
            },
        }
    }

    /// The same for a change of the workspace, where a refusal of the system has a name of its own.
    pub(crate) fn change(action: &'static str, path: &RelPath, cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly {
                path: path.clone(),
                cause,
            },
            io::ErrorKind::AlreadyExists => Self::Changed {
                path: path.clone(),
                what: "something is there now",
            },
            _ => Self::io(action, path, cause),
        }
    }

    pub(crate) fn changed(path: &RelPath, what: &'static str) -> Self {
        Self::Changed {
            path: path.clone(),
            what,
        }
    }
}

impl Coded for WorkspaceError {
    fn code(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "WORKSPACE-CHANGED",
            Self::ReadOnly { .. } => "WORKSPACE-READONLY",
            Self::Full { .. } => "WORKSPACE-FULL",
            Self::Io { .. } => "WORKSPACE-IO",
            Self::Name { .. } => "STEP-NAME",
            Self::StepChanged { .. } => "STEP-CHANGED",
            Self::Busy => "WORKSPACE-BUSY",
            Self::RecoveryNeeded { .. } | Self::Unfinished { .. } => "RECOVERY-NEEDED",
            Self::Conflict { .. } => "RECOVERY-CONFLICT",
            Self::Journal { .. } => "JOURNAL-INVALID",
            Self::JournalIo { .. } => "JOURNAL-IO",
            Self::Scratch { .. } => "STEP-SCRATCH",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Changed { .. }
            | Self::Busy
            | Self::RecoveryNeeded { .. }
            | Self::Conflict { .. } => Class::Blocked,
            Self::ReadOnly { .. } | Self::Full { .. } | Self::Name { .. } => Class::Refused,
            Self::Journal { .. } | Self::StepChanged { .. } => Class::Integrity,
            Self::Io { .. }
            | Self::Unfinished { .. }
            | Self::JournalIo { .. }
            | Self::Scratch { .. } => Class::Fault,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Changed { .. } => "let nothing else change the workspace, and run it again",
            Self::ReadOnly { .. } => {
                "give this user write permission there, or run it where the workspace may be written"
            }
            Self::Full { .. } => "free some space there, and run it again",
            Self::Busy => "wait for the other process, or end it",
            Self::RecoveryNeeded { .. } | Self::Unfinished { .. } => {
                "the next command restores the state before; run it once the cause is gone"
            }
            Self::Conflict { path, kept } => {
                return Some(match kept {
                    Some(kept) => {
                        format!(
                            "move {path} elsewhere and run it again; its former content is in {kept}"
                        )
                    }
                    None => format!("move {path} elsewhere and run it again"),
                });
            }
            Self::Journal { .. } => {
                "name the workspace the journal was written for; if the file is damaged, \
                 look for names starting with `.leasehold-` in the workspace"
            }
            Self::Scratch { .. } => "name a folder that this user can write",
            Self::Name { .. }
            | Self::StepChanged { .. }
            | Self::Io { .. }
            | Self::JournalIo { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
