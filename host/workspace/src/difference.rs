//! What a step changed, read from the disk.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;
use leasehold_lease::RelPath;

use crate::base::Base;
use crate::disk::{Disk, Type};
use crate::entry::{Entry, read_entry};
use crate::error::WorkspaceError;

/// One path that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub path: RelPath,
    /// What the step was given; `None` for what it made.
    pub before: Option<Entry>,
    /// What it left; `None` for what it removed.
    pub after: Option<Entry>,
}

/// Everything a step changed, sorted by path.
#[derive(Clone, Debug)]
pub struct Difference {
    pub(crate) changes: Vec<Change>,
    pub(crate) base: Arc<Base>,
}

impl Difference {
    /// The changes, sorted by path (byte by byte).
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether the step left everything as it was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(crate) fn take(
        disk: &dyn Disk,
        root: &Dir,
        base: &Arc<Base>,
    ) -> Result<Self, WorkspaceError> {
        let mut changes = Vec::new();
        let mut seen = BTreeSet::new();
        let mut pending = vec![RelPath::root()];
        while let Some(dir_path) = pending.pop() {
            let failed = |cause| WorkspaceError::io("list", &dir_path, cause);
            let dir = disk
                .open_path(root, Path::new(dir_path.as_str()))
                .map_err(failed)?;
            for name in disk.list(&dir).map_err(failed)? {
                let path = name.to_str().and_then(|name| dir_path.child(name).ok());
                let Some(path) = path else {
                    return Err(WorkspaceError::Name { dir: dir_path });
                };
                let after = now(disk, &dir, &name, &path, base)?;
                if after == Entry::Directory {
                    pending.push(path.clone());
                }
                let before = base.entries.get(&path);
                if before != Some(&after) {
                    changes.push(Change {
                        path: path.clone(),
                        before: before.cloned(),
                        after: Some(after),
                    });
                }
                seen.insert(path);
            }
        }
        let removed = base.entries.iter().filter(|(path, _)| !seen.contains(path));
        changes.extend(removed.map(|(path, before)| Change {
            path: path.clone(),
            before: Some(before.clone()),
            after: None,
        }));
        changes.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(Self {
            changes,
            base: Arc::clone(base),
        })
    }
}

/// What stands in the step tree now.
fn now(
    disk: &dyn Disk,
    dir: &Dir,
    name: &std::ffi::OsStr,
    path: &RelPath,
    base: &Base,
) -> Result<Entry, WorkspaceError> {
    let failed = |cause| WorkspaceError::io("read", path, cause);
    let changed = || WorkspaceError::StepChanged { path: path.clone() };
    let meta = disk.look(dir, name).map_err(failed)?.ok_or_else(changed)?;
    // The content of a file in place of a hidden one means nothing; that nobody touched it does.
    if meta.kind == Type::File
        && base.hollow.get(path) == Some(&meta)
        && let Some(entry) = base.entries.get(path)
    {
        return Ok(entry.clone());
    }
    read_entry(disk, dir, name, &meta)
        .map_err(failed)?
        .ok_or_else(changed)
}
