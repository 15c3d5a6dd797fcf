//! Step trees, their differences, bringing changes back, and rules read from git.
//!
//! A step that writes runs on a [`StepTree`], a private copy of what its rights show. What it did is a [`Difference`],
//! read from the disk and never from what the step says; [`Difference::check`] holds it against the rules again and
//! gives a [`Checked`], which [`BringBack::apply`] brings into the workspace as a whole. A run that is cut off there is
//! put right by [`BringBack::recover`]. [`Repository`] reads rules from a commit.
//!
//! | module | what it is about |
//! |---|---|
//! | `step`, `copy`, `base` | [`StepTree`]: the copy, and what it was when it was made |
//! | `entry`, `difference`, `check` | what changed, and whether it may have |
//! | `patch`, `quote` | a difference as `git apply` reads it |
//! | `bring_back`, `moves`, `journal`, `undo` | all or nothing, also after a crash |
//! | [`disk`], `os_disk` | the file operations, so that tests can let each fail |
//! | `git`, `git_name`, `git_error` | files of a commit |
//!
//! Linux only: elsewhere every file operation fails as unsupported.

mod base;
mod bring_back;
mod check;
mod copy;
mod difference;
pub mod disk;
mod entry;
mod error;
mod git;
mod git_error;
mod git_name;
mod journal;
mod moves;
#[cfg(target_os = "linux")]
mod os_disk;
#[cfg(not(target_os = "linux"))]
#[path = "os_disk_other.rs"]
mod os_disk;
mod patch;
mod quote;
mod step;
mod undo;

pub use bring_back::{Applied, BringBack, Recovered};
pub use check::{Checked, Reason, Refused, RefusedChange};
pub use difference::{Change, Difference};
pub use entry::{Entry, FileEntry};
pub use error::WorkspaceError;
pub use git::{Commit, Repository};
pub use git_error::GitError;
pub use os_disk::OsDisk;
pub use patch::{Patch, PatchLimits};
pub use step::StepTree;
