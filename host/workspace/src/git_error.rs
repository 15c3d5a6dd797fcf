//! Why nothing was read from a git repository.

use std::path::PathBuf;

use leasehold_lease::PathError;
use leasehold_seal::{Class, Coded};

/// Why a repository, a reference or a file in a commit could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// There is a repository, but it cannot be opened.
    #[error("the git repository at {} cannot be opened: {cause}", path.display())]
    Repository {
        /// Where it was looked for.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The text names no commit, or more than one.
    #[error("`{reference}` names no commit: {what}")]
    Reference {
        /// The text.
        reference: String,
        /// Why not.
        what: String,
    },
    /// An object is not there, in a shallow clone for instance.
    #[error("the object {id} is not in the repository")]
    Missing {
        /// Its id, hexadecimal.
        id: String,
    },
    /// An object is not what its id says, or cannot be read.
    #[error("the object {id} is damaged: {what}")]
    Object {
        /// Its id, hexadecimal.
        id: String,
        /// What is wrong.
        what: String,
    },
    /// There is something else than a file at the path, or a link on the way.
    #[error("{path} in commit {commit} is a {what}, not a file")]
    Entry {
        /// The commit, hexadecimal.
        commit: String,
        /// Where.
        path: String,
        /// What it is: `directory`, `symbolic link` or `submodule`.
        what: &'static str,
    },
    /// The object is larger than what was asked for.
    #[error("the object {id} has {bytes} bytes, the most is {max}")]
    Size {
        /// Its id, hexadecimal.
        id: String,
        /// Its length.
        bytes: u64,
        /// The most that was asked for.
        max: u64,
    },
    /// The path is not one inside a repository.
    #[error(transparent)]
    Path(#[from] PathError),
}

impl Coded for GitError {
    fn code(&self) -> &'static str {
        match self {
            Self::Repository { .. } => "GIT-REPOSITORY",
            Self::Reference { .. } => "GIT-REF",
            Self::Missing { .. } | Self::Object { .. } => "GIT-OBJECT",
            Self::Entry { .. } => "GIT-ENTRY",
            Self::Size { .. } => "GIT-SIZE",
            Self::Path(error) => error.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Repository { .. } | Self::Reference { .. } | Self::Missing { .. } => {
                Class::Blocked
            }
            Self::Object { .. } => Class::Integrity,
            Self::Entry { .. } | Self::Size { .. } => Class::Refused,
            Self::Path(error) => error.class(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Repository { .. } => "`git fsck` says more; SHA-256 repositories are not read",
            Self::Reference { .. } => {
                "name a branch, a tag or a commit as `git rev-parse` takes it, `origin/main` or \
                 `HEAD~1` for instance; `git fetch` gets those of others"
            }
            Self::Missing { .. } => {
                "if the clone is shallow, get the rest: `git fetch --unshallow`"
            }
            Self::Object { .. } => "`git fsck` says more; make a new clone",
            Self::Entry { .. } => "put a plain file there and commit it",
            Self::Size { .. } => "rules are small; it may be another kind of file",
            Self::Path(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}
