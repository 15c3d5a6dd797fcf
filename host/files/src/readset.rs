//! What a call has learned about the workspace: what a cache of results and a replay compare.
//!
//! A set is made of facts about single places: what the host found there, as far as it can have changed an answer that the
//! guest was given. Rules, patterns and arguments are no facts: whoever uses a result again does so under the same ones.
//! If every fact of a [reusable](ReadSet::reusable) set holds, the same operations give the same answers, byte for byte,
//! the same [`Coverage`](crate::Coverage) and the same set; [`Survey`](crate::Survey) finds out whether they do.

use std::collections::BTreeMap;

use leasehold_seal::Digest;

/// Everything a call has learned about the workspace. The same operations on the same workspace give the same set, on any
/// machine: there are no times and no identities in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSet {
    /// Directories in which something was looked at, or that were looked at themselves, by path; the root is the empty
    /// text. Each was a real directory, reached without a link.
    pub folders: BTreeMap<String, Folder>,
    /// Facts beyond the number that is kept; they are in [`ReadSet::digest`] only.
    pub more: u64,
    /// A digest over the facts that are not kept, in the order in which they were learned.
    pub rest: Option<Digest>,
    pub(crate) flaw: Option<Flaw>,
}

/// What was learned about one directory and what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// When it was listed: SHA-256 over everything that is in it, name, kind and whether it is closed to every guest,
    /// whether the call was shown it or not. With [`Record::Names`](crate::Record) also over the attributes it was shown.
    pub listing: Option<Digest>,
    /// What was found at names in it, in ascending byte order, each name once. Directories are folders of their own.
    pub entries: Vec<(String, Seen)>,
}

/// What was found at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    Nothing,
    /// No directory, at a path where the call may see nothing else: whether something is there made no difference.
    NoDirectory,
    /// A symbolic link; its text where it was followed or read.
    Link(Option<String>),
    /// A FIFO, socket or device.
    Other,
    /// A regular file.
    File(FileSeen),
}

/// What was learned about a regular file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSeen {
    /// Length in bytes, where the call could know it. With [`Record::Names`](crate::Record): when it was first opened.
    pub size: Option<u64>,
    /// The call knows that the file is longer than this many bytes.
    pub beyond: Option<u64>,
    /// Whether its owner may execute it, where that was told.
    pub executable: Option<bool>,
    /// Whether it has more than one name, where that makes a difference under the rules; otherwise `false`.
    pub linked: bool,
    /// Whether it was opened for reading.
    pub opened: bool,
    /// Bytes delivered in all; what was read twice counts twice.
    pub bytes: u64,
    /// SHA-256 of the whole content, when all of it was delivered; of an empty file it says nothing. `None` with
    /// [`Record::Names`](crate::Record), unless the call was told the digest.
    pub content: Option<Digest>,
    /// What else was delivered, sorted, each piece once. Empty with [`Record::Names`](crate::Record).
    pub pieces: Vec<Piece>,
}

/// A stretch of a file as it was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Piece {
    /// Where it starts, in bytes from the start of the file.
    pub from: u64,
    /// Its length in bytes, at least 1.
    pub len: u64,
    /// SHA-256 of its content.
    pub digest: Digest,
}

/// Why a result that rests on a set cannot be used again. The most telling one is kept: that is the first here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flaw {
    Wrote,
    Denied,
    Changed,
    Unclear,
    Error,
    Pieces,
    Overflow,
    Names,
}

impl ReadSet {
    /// Whether the set holds everything that the call learned, so that a result may be used again while it holds.
    ///
    /// # Errors
    /// Why not, as the end of a sentence that starts with "the call" — `"was refused an operation"`, for instance.
    pub fn reusable(&self) -> Result<(), &'static str> {
        self.flaw.map_or(Ok(()), |flaw| Err(flaw.as_str()))
    }

    /// One digest over the whole set: SHA-256 of [`ReadSet::encode`]. With [`Record::Names`](crate::Record) it stands for
    /// which paths were looked at and how much was read of them, otherwise also for what was read.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.encode())
    }

    /// What was found at a path; `None` when it was not looked at, and for directories.
    #[must_use]
    pub fn seen(&self, path: &str) -> Option<&Seen> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let entries = &self.folders.get(folder)?.entries;
        let at = entries.binary_search_by(|(known, _)| known.as_str().cmp(name));
        entries.get(at.ok()?).map(|(_, seen)| seen)
    }

    /// What was learned about the regular file at a path; `None` when there was none or it was not looked at.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&FileSeen> {
        match self.seen(path)? {
            Seen::File(file) => Some(file),
            _ => None,
        }
    }

    /// How many places there are facts about.
    #[must_use]
    pub fn len(&self) -> usize {
        let entries = self.folders.values().map(|folder| folder.entries.len());
        self.folders.len() + entries.sum::<usize>()
    }

    /// Whether nothing was learned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.more == 0
    }
}

impl FileSeen {
    /// SHA-256 of the whole content, when the call knows all of it.
    #[must_use]
    pub fn whole(&self) -> Option<Digest> {
        let empty = self.size == Some(0) && self.opened;
        self.content.or_else(|| empty.then(|| Digest::of(b"")))
    }
}

impl Flaw {
    pub(crate) const ALL: [Flaw; 8] = [
        Flaw::Wrote,
        Flaw::Denied,
        Flaw::Changed,
        Flaw::Unclear,
        Flaw::Error,
        Flaw::Pieces,
        Flaw::Overflow,
        Flaw::Names,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Flaw::Wrote => "changed files, or wanted to",
            Flaw::Denied => "was refused an operation",
            Flaw::Changed => "ran while the workspace changed",
            Flaw::Unclear => "asked about a file that it may write but not read",
            Flaw::Error => "was told of an error other than a missing file",
            Flaw::Pieces => "read a file in too many separate pieces",
            Flaw::Overflow => "looked at more places than are kept",
            Flaw::Names => "was recorded without the content of what it read",
        }
    }
}
