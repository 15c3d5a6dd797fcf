//! How much of the workspace a call has seen, and what was kept from it.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use crate::error::Wanted;

/// What a call has seen of the workspace and what was hidden from it. Every entry is counted once, however often it was
/// listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Entries shown in listings.
    pub listed: u64,
    /// Shown files whose content the call may not read.
    pub unreadable: u64,
    /// Entries left out of listings because the rules do not show them.
    pub hidden: u64,
    /// Entries left out of listings because their name is not UTF-8.
    pub non_utf8: u64,
    /// Entries left out because they are closed to every guest: `.git`, home. They make no view incomplete.
    pub protected: u64,
    /// Entries left out because they are declared as not judged. They make no view incomplete.
    pub skipped: u64,
    /// Directories that the host could not list.
    pub failed: u64,
    /// Operations that the rules refused.
    pub denied: u64,
}

impl Coverage {
    /// Whether nothing was kept from the call: no name left out, no directory unlisted, no operation refused. What is
    /// declared as not judged (`skipped`) does not count, nor does content that may not be read but whose name is shown
    /// (`unreadable`): that is for whoever needs content to judge.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.hidden == 0 && self.non_utf8 == 0 && self.failed == 0 && self.denied == 0
    }
}

/// One thing that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The resolved path, or what the guest wrote when it leads nowhere inside. May name what the guest must not know.
    pub path: String,
    /// What was wanted.
    pub wanted: Wanted,
    /// The stable code.
    pub code: &'static str,
    /// How often.
    pub count: u64,
}

/// What was refused, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denials {
    /// Sorted by path, what was wanted and code. At most 256, those that came first.
    pub list: Vec<Denial>,
    /// Refusals that are not in the list.
    pub more: u64,
}

/// Which entries were shown and which were not, each by a hash of its path: a count needs no names.
#[derive(Default)]
pub(crate) struct Tally {
    listed: HashSet<u64>,
    unreadable: HashSet<u64>,
    hidden: HashSet<u64>,
    non_utf8: HashSet<u64>,
    protected: HashSet<u64>,
    skipped: HashSet<u64>,
    failed: HashSet<u64>,
}

/// What happened to an entry in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Listed { readable: bool },
    Hidden,
    NonUtf8,
    Protected,
    Skipped,
    Failed,
}

/// Refusals, counted.
#[derive(Default)]
pub(crate) struct Ledger {
    list: BTreeMap<(String, Wanted, &'static str), u64>,
    more: u64,
}

impl Tally {
    /// Counts one entry of a directory.
    pub(crate) fn count(&mut self, directory: &str, name: &[u8], shown: Shown) {
        let key = BuildHasherDefault::<DefaultHasher>::default().hash_one((directory, name));
        match shown {
            Shown::Listed { readable } => {
                self.listed.insert(key);
                if !readable {
                    self.unreadable.insert(key);
                }
            }
            Shown::Hidden => drop(self.hidden.insert(key)),
            Shown::NonUtf8 => drop(self.non_utf8.insert(key)),
            Shown::Protected => drop(self.protected.insert(key)),
            Shown::Skipped => drop(self.skipped.insert(key)),
            Shown::Failed => drop(self.failed.insert(key)),
        }
    }

    pub(crate) fn coverage(&self, denied: u64) -> Coverage {
        Coverage {
            listed: self.listed.len() as u64,
            unreadable: self.unreadable.len() as u64,
            hidden: self.hidden.len() as u64,
            non_utf8: self.non_utf8.len() as u64,
            protected: self.protected.len() as u64,
            skipped: self.skipped.len() as u64,
            failed: self.failed.len() as u64,
            denied,
        }
    }
}

impl Ledger {
    pub(crate) fn add(&mut self, path: &str, wanted: Wanted, code: &'static str) {
        let room = self.list.len() < MAX_DENIALS;
        match self.list.get_mut(&(path.to_owned(), wanted, code)) {
            Some(count) => *count += 1,
            None if room => drop(self.list.insert((path.to_owned(), wanted, code), 1)),
            None => self.more += 1,
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.more + self.list.values().sum::<u64>()
    }

    pub(crate) fn denials(&self) -> Denials {
        let denial =
            |((path, wanted, code), count): (&(String, Wanted, &'static str), &u64)| Denial {
                path: path.clone(),
                wanted: *wanted,
                code,
                count: *count,
            };
        Denials {
            list: self.list.iter().map(denial).collect(),
            more: self.more,
        }
    }
}

/// The most different refusals that are kept by name.
const MAX_DENIALS: usize = 256;
