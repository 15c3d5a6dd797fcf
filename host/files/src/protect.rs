//! What no guest may touch, whatever a lease says.

use std::collections::HashSet;

use leasehold_lease::{Pattern, RelPath, is_protected_name};

/// A file or directory by identity: what it is, not what it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// Device number (`st_dev`).
    pub dev: u64,
    /// Inode number (`st_ino`).
    pub ino: u64,
}

/// What is closed to every guest (design, invariant 4).
///
/// Names that fold to `.git`, at any depth, are always closed and need not be stated.
#[derive(Clone, Debug, Default)]
pub struct Protected {
    /// Never seen, read or changed, with everything below: home, keys, trust, caches, tape, the git folder.
    pub closed: HashSet<FileId>,
    /// Never changed, moved or removed, though perhaps read: rule files.
    pub fixed: HashSet<FileId>,
    /// Paths that are fixed even where nothing is there yet; matched as deny rules are.
    pub fixed_paths: Vec<Pattern>,
}

impl Protected {
    /// Whether no guest may see this.
    pub(crate) fn is_closed(&self, id: FileId) -> bool {
        self.closed.contains(&id)
    }

    /// Whether no guest may change this.
    pub(crate) fn is_fixed(&self, id: FileId) -> bool {
        self.closed.contains(&id) || self.fixed.contains(&id)
    }

    /// Whether no guest may make, change or remove anything at this path.
    pub(crate) fn is_fixed_path(&self, path: &RelPath) -> bool {
        self.fixed_paths.iter().any(|pattern| pattern.denies(path))
    }

    /// Whether something at this path or below it could be fixed by its path.
    pub(crate) fn may_be_fixed_within(&self, path: &RelPath) -> bool {
        self.fixed_paths
            .iter()
            .any(|pattern| pattern.may_deny_within(path))
    }
}

/// Whether a component of the path is the git folder under some spelling.
pub(crate) fn has_protected_name(path: &RelPath) -> bool {
    path.components().any(is_protected_name)
}
