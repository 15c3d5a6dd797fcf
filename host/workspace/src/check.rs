//! Whether a step may have changed what it changed.

use std::fmt;

use leasehold_files::{FileRules, Protected};
use leasehold_lease::{RelPath, is_protected_name};
use leasehold_seal::{Class, Coded};

use crate::base::Base;
use crate::difference::{Change, Difference};
use crate::entry::Entry;

/// A difference whose every change is allowed: what can be brought back.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    difference: &'a Difference,
}

impl<'a> Checked<'a> {
    /// The difference that was checked.
    #[must_use]
    pub fn difference(self) -> &'a Difference {
        self.difference
    }
}

impl Difference {
    /// Checks every changed path against the rules, whatever the file view may have let through. `protected` is what
    /// holds in the workspace.
    ///
    /// # Errors
    /// [`Refused`] with every path that must not have changed.
    pub fn check(
        &self,
        rules: &dyn FileRules,
        protected: &Protected,
    ) -> Result<Checked<'_>, Refused> {
        let refused: Vec<_> = self
            .changes
            .iter()
            .filter_map(|change| {
                reason(change, rules, protected, &self.base).map(|reason| RefusedChange {
                    path: change.path.clone(),
                    reason,
                })
            })
            .collect();
        if refused.is_empty() {
            Ok(Checked { difference: self })
        } else {
            Err(Refused { changes: refused })
        }
    }
}

/// Changes that a step must not have made. Code `CHANGE-DENIED`, class refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// At least one, sorted by path.
    pub changes: Vec<RefusedChange>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedChange {
    /// Where.
    pub path: RelPath,
    /// Why not.
    pub reason: Reason,
}

/// Why a path must not have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The rules do not let the step write it.
    NotWritable,
    /// A component of the path is the git folder under some spelling.
    ProtectedName,
    /// It is a rule file.
    Fixed,
    /// The workspace holds something there that the step was not shown.
    Unseen,
    /// A symbolic link that is new or points elsewhere.
    Link,
    /// A file with more than one name, before or after.
    HardLink,
    /// A FIFO, socket, device, or a link whose target is not UTF-8.
    SpecialFile,
    /// A set-user, set-group or sticky bit.
    SpecialBit,
}

impl Reason {
    /// The reason as the end of a sentence that starts with the path.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Reason::NotWritable => "is not among what the step may write",
            Reason::ProtectedName => "is a spelling of the git folder",
            Reason::Fixed => "is a file of the rules",
            Reason::Unseen => "hides something that the step was not shown",
            Reason::Link => "is a new symbolic link",
            Reason::HardLink => "is a file with more than one name",
            Reason::SpecialFile => "is neither file, directory nor link",
            Reason::SpecialBit => "has a set-user, set-group or sticky bit",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.changes.first() else {
            return formatter.write_str("the step changed what it must not");
        };
        write!(
            formatter,
            "the step changed {}, which {}",
            first.path,
            first.reason.sentence()
        )?;
        match self.changes.len() {
            1 => Ok(()),
            more => write!(formatter, " (and {} more)", more - 1),
        }
    }
}

impl std::error::Error for Refused {}

impl Coded for Refused {
    fn code(&self) -> &'static str {
        "CHANGE-DENIED"
    }

    fn class(&self) -> Class {
        Class::Refused
    }

    fn hint(&self) -> Option<String> {
        let reason = self.changes.first().map(|change| change.reason)?;
        (reason == Reason::NotWritable)
            .then(|| "add the path to `write` of the step, then approve it".to_owned())
    }
}

fn reason(
    change: &Change,
    rules: &dyn FileRules,
    protected: &Protected,
    base: &Base,
) -> Option<Reason> {
    let path = &change.path;
    if path.components().any(is_protected_name) {
        return Some(Reason::ProtectedName);
    }
    let fixed_path = |pattern: &leasehold_lease::Pattern| pattern.denies(path);
    if base.fixed.contains(path) || protected.fixed_paths.iter().any(fixed_path) {
        return Some(Reason::Fixed);
    }
    if !rules.at(path).write {
        return Some(Reason::NotWritable);
    }
    let gone = change.before == Some(Entry::Directory);
    if base.is_left_out(path) || (gone && base.is_blind_within(path)) {
        return Some(Reason::Unseen);
    }
    before(change).or_else(|| after(change))
}

fn before(change: &Change) -> Option<Reason> {
    match &change.before {
        Some(Entry::File(file)) if file.linked => Some(Reason::HardLink),
        Some(Entry::File(file)) if file.digest.is_none() => Some(Reason::Unseen),
        Some(Entry::Other) => Some(Reason::SpecialFile),
        _ => None,
    }
}

fn after(change: &Change) -> Option<Reason> {
    match &change.after {
        Some(Entry::Symlink { .. }) => Some(Reason::Link),
        Some(Entry::Other) => Some(Reason::SpecialFile),
        Some(Entry::File(file)) if file.linked => Some(Reason::HardLink),
        Some(Entry::File(file)) if file.special => Some(Reason::SpecialBit),
        _ => None,
    }
}
