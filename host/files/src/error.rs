//! Why an operation on the workspace was not done.

use std::fmt;

use leasehold_seal::{Class, Coded};

/// What a caller wanted to do with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// See that it is there: look it up, list it, ask for its attributes.
    List,
    /// Read its content.
    Read,
    /// Change its content, make, move or remove it.
    Write,
}

impl Wanted {
    /// The word used in records: `list`, `read` or `write`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Wanted::List => "list",
            Wanted::Read => "read",
            Wanted::Write => "write",
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What the guest is told: the kinds of `wasi:filesystem/types.error-code` that this crate uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `access`: the rules do not allow it.
    Access,
    /// `no-entry`
    NoEntry,
    /// `exist`
    Exist,
    /// `not-directory`
    NotDirectory,
    /// `is-directory`
    IsDirectory,
    /// `loop`
    Loop,
    /// `not-empty`
    NotEmpty,
    /// `invalid`: an empty path, NUL in a path, flags that contradict each other.
    Invalid,
    /// `name-too-long`
    NameTooLong,
    /// `illegal-byte-sequence`: a name or link that is not UTF-8.
    NotUtf8,
    /// `not-permitted`: absolute paths, paths and links that lead out, operations no guest has.
    NotPermitted,
    /// `read-only`: the directory descriptor was not opened for changes.
    ReadOnly,
    /// `bad-descriptor`: the descriptor was not opened for this.
    BadDescriptor,
    /// `quota`: the call has used up what it may write.
    Quota,
    /// The call has too many open descriptors. WASI 0.2 has no word for it; `insufficient-memory` is the nearest.
    TooManyOpen,
    /// `file-too-large`
    TooLarge,
    /// `busy`: the root cannot be moved or removed.
    Busy,
    /// `cross-device`
    CrossDevice,
    /// `insufficient-space`
    NoSpace,
    /// `unsupported`: the file system under it has no such operation.
    Unsupported,
    /// `io`: the host could not do it.
    Io,
    /// `io`: the file is no longer the one that this call has seen before.
    Changed,
    /// `io`: the call was abandoned; nothing is done for it any more.
    Revoked,
}

/// Why one operation was not done.
///
/// `kind` and `code` are all that a guest may learn. The sentence may name what the guest must not know, for example
/// where a link leads: it is for the tape and for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FsError {
    kind: Kind,
    code: &'static str,
    message: String,
    /// The read set says why: it is the answer for a place where nothing was found.
    noted: bool,
}

impl FsError {
    /// What the guest is told.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            message: message.into(),
            noted: false,
        }
    }

    pub(crate) fn plain(kind: Kind, path: &impl fmt::Display) -> Self {
        let (code, what) = match kind {
            Kind::NoEntry => (NO_ENTRY, "there is no such entry"),
            Kind::Exist => ("PATH-EXISTS", "it exists already"),
            Kind::NotDirectory => ("PATH-TYPE", "it is not a directory"),
            Kind::IsDirectory => ("PATH-TYPE", "it is a directory"),
            Kind::NotEmpty => ("PATH-NOT-EMPTY", "the directory is not empty"),
            Kind::Loop => ("LINK-LOOP", "more than 40 symbolic links"),
            Kind::Changed => (
                "FILE-CHANGED",
                "it is no longer the file that this call has seen before",
            ),
            Kind::NotUtf8 => ("PATH-FORMAT", "the name or link is not UTF-8"),
            Kind::NameTooLong => ("PATH-FORMAT", "the path is too long"),
            Kind::TooLarge => ("FILE-SIZE", "the offset or size is too large"),
            Kind::Busy => (
                "PATH-ROOT",
                "the root of the workspace cannot be moved or removed",
            ),
            _ => (IO, "it could not be done"),
        };
        Self::new(kind, code, format!("{path}: {what}"))
    }

    /// The answer for a place where nothing was found, which stands in the read set.
    pub(crate) fn no_entry(path: &impl fmt::Display) -> Self {
        Self {
            noted: true,
            ..Self::plain(Kind::NoEntry, path)
        }
    }

    /// Whether the read set says why.
    pub(crate) fn is_noted(&self) -> bool {
        self.noted
    }

    pub(crate) fn revoked() -> Self {
        Self::new(
            Kind::Revoked,
            "CALL-ENDED",
            "the call has ended; its file view is closed",
        )
    }
}

impl Coded for FsError {
    fn code(&self) -> &'static str {
        self.code
    }

    fn class(&self) -> Class {
        match self.kind {
            Kind::Quota | Kind::TooManyOpen => Class::Exhausted,
            Kind::Io | Kind::NoSpace | Kind::CrossDevice => Class::Fault,
            _ => Class::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self.code {
            PATH_DENIED => "add the path to the grant of the lease, then approve it",
            PATH_ESCAPE => "paths and links must stay inside the workspace",
            PATH_PROTECTED => {
                "`.git`, the home of Leasehold and rule files are closed to every plugin"
            }
            LINK_DENIED => {
                "files with more than one name are read only under `read: [\"**\"]` without deny rules"
            }
            WRITE_QUOTA => "raise `limits.write_bytes` in the lease",
            OPEN_FILES => "raise `limits.open_files` in the lease, or close files earlier",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Why there is no view of a folder at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// What the view promises cannot be enforced on this platform.
    #[error("the file view is enforced on Linux only")]
    UnsupportedPlatform,
    /// The folder is, or lies in, one that no guest may see.
    #[error("the workspace is, or lies inside, a folder that is closed to every plugin")]
    Protected,
    /// The folder cannot be examined.
    #[error("the workspace cannot be opened: {0}")]
    Io(#[from] std::io::Error),
}

impl Coded for ViewError {
    fn code(&self) -> &'static str {
        match self {
            ViewError::UnsupportedPlatform => "UNSUPPORTED-PLATFORM",
            ViewError::Protected => PATH_PROTECTED,
            ViewError::Io(_) => IO,
        }
    }

    fn class(&self) -> Class {
        match self {
            ViewError::UnsupportedPlatform | ViewError::Protected => Class::Refused,
            ViewError::Io(_) => Class::Fault,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            ViewError::Protected => {
                Some("keep the home of Leasehold outside the workspace".to_owned())
            }
            ViewError::UnsupportedPlatform => {
                Some("run it on Linux, in a virtual machine for instance".to_owned())
            }
            ViewError::Io(_) => None,
        }
    }
}

pub(crate) const PATH_DENIED: &str = "PATH-DENIED";
pub(crate) const PATH_ESCAPE: &str = "PATH-ESCAPE";
pub(crate) const PATH_PROTECTED: &str = "PATH-PROTECTED";
pub(crate) const LINK_DENIED: &str = "LINK-DENIED";
pub(crate) const FILE_TYPE: &str = "FILE-TYPE";
pub(crate) const WRITE_QUOTA: &str = "WRITE-QUOTA";
pub(crate) const OPEN_FILES: &str = "OPEN-FILES";
pub(crate) const HANDLE_RIGHTS: &str = "HANDLE-RIGHTS";
pub(crate) const NO_ENTRY: &str = "PATH-NOT-FOUND";
pub(crate) const IO: &str = "IO-ERROR";
