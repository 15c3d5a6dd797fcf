//! What a step was given.

use std::collections::{BTreeMap, BTreeSet};

use leasehold_lease::RelPath;

use crate::disk::Meta;
use crate::entry::Entry;

/// The manifest of a step tree as it was handed to the step.
#[derive(Debug, Default)]
pub(crate) struct Base {
    /// Everything in the step tree but its root.
    pub(crate) entries: BTreeMap<RelPath, Entry>,
    /// Files whose content the step was not shown, with what the file in their place was.
    pub(crate) hollow: BTreeMap<RelPath, Meta>,
    /// What is in the workspace and not in the step tree; only the topmost of each.
    pub(crate) left_out: BTreeSet<RelPath>,
    /// Directories of the step tree that hold, in the workspace, something the step tree does not, at any depth.
    blind: BTreeSet<RelPath>,
    /// Paths that nobody may change, found by the identity of what is there.
    pub(crate) fixed: BTreeSet<RelPath>,
    /// Names that are not UTF-8 or make too long a path: left out, without a path to name them by.
    pub(crate) unnamed: u64,
}

impl Base {
    /// Notes that this directory holds something that is not in the step tree.
    pub(crate) fn blind(&mut self, dir: &RelPath) {
        let mut at = Some(dir.clone());
        while let Some(dir) = at {
            at = dir.parent();
            if !self.blind.insert(dir) {
                // Those above are there already.
                break;
            }
        }
    }

    /// Whether something below this directory is not in the step tree.
    pub(crate) fn is_blind_within(&self, dir: &RelPath) -> bool {
        self.blind.contains(dir)
    }

    /// Whether the workspace has something at this path, or above it, that the step tree has not.
    pub(crate) fn is_left_out(&self, path: &RelPath) -> bool {
        let mut at = Some(path.clone());
        while let Some(path) = at {
            if self.left_out.contains(&path) {
                return true;
            }
            at = path.parent();
        }
        false
    }
}
