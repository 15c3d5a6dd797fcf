//! Whether what calls have learned before still holds for the tree as it is now.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use leasehold_lease::RelPath;
use leasehold_seal::Digest;

use crate::exact;
use crate::memo::{DigestMemo, is_same};
use crate::now::{EntryNow, FolderNow, State};
use crate::readset::{FileSeen, Folder, ReadSet, Seen};
use crate::rules::FileRules;
use crate::stat::minds_links;
use crate::sys::{Meta, Spot, Type};
use crate::tree::Tree;

/// The tree at one time, looked at as far as it is asked about.
///
/// What was found is kept, so that many sets are checked for little more than the price of one; checks may run in several
/// threads at once. Links are never followed, and what is closed to every guest counts as changed. Make a new survey
/// when the tree may have changed.
#[derive(Debug)]
pub struct Survey {
    tree: Tree,
    memo: DigestMemo,
    folders: RwLock<HashMap<String, Arc<FolderNow>>>,
    /// How many checks have begun.
    checks: AtomicU64,
}

/// The first thing found, in the order of the paths, that is not as a call has seen it. Displayed as a sentence without a
/// full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Path from the root, which is the empty text.
    pub path: String,
    /// What is different.
    pub what: What,
}

/// What is different at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The content of a file.
    Content,
    /// The length of a file.
    Size,
    /// Something is there now.
    Appeared,
    /// It is not there any more.
    Removed,
    /// It is something else now: a file where a directory was, for instance.
    Kind,
    /// A directory holds other names, or other kinds of things under them.
    Entries,
    /// Where a link leads to.
    Target,
    /// Whether it may be executed.
    Executable,
    /// Whether a file has several names.
    Names,
    /// It is closed to every guest.
    Closed,
    /// The host cannot read it, or it changed while it was looked at.
    Unclear,
    /// The set does not hold all that its call has learned; why, as in [`ReadSet::reusable`].
    Incomplete(&'static str),
}

impl Survey {
    /// Starts without looking at anything. Digests are taken from the memo and put into it.
    #[must_use]
    pub fn new(tree: &Tree, memo: &DigestMemo) -> Self {
        Self {
            tree: tree.clone(),
            memo: memo.clone(),
            folders: RwLock::default(),
            checks: AtomicU64::new(0),
        }
    }

    /// Whether every fact of a set holds now. If so, the operations that led to it give the same answers, coverage and
    /// set again, under the same rules; `rules` are those that the set was made under.
    ///
    /// # Errors
    /// The first [`Difference`]; for a set that is not [reusable](ReadSet::reusable), why it is not.
    pub fn check(&self, set: &ReadSet, rules: &dyn FileRules) -> Result<(), Difference> {
        if let Err(why) = set.reusable() {
            return Err(Difference::at("", What::Incomplete(why)));
        }
        if self.checks.fetch_add(1, Ordering::Relaxed) == 1 {
            self.come_from_behind(set);
        }
        let minds_links = minds_links(rules);
        for (path, folder) in &set.folders {
            self.check_folder(path, folder, minds_links)?;
        }
        Ok(())
    }

    /// While another thread looks at the tree from the start, looks at it from the end, until both meet. What is not as it
    /// was is found afterwards, in order.
    fn come_from_behind(&self, set: &ReadSet) {
        for (path, folder) in set.folders.iter().rev() {
            let Ok((now, spot)) = self.folder(path) else {
                return;
            };
            match now.look(&self.tree, path, spot, folder) {
                Ok(false) if !folder.entries.is_empty() => return,
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    fn check_folder(
        &self,
        path: &str,
        folder: &Folder,
        minds_links: bool,
    ) -> Result<(), Difference> {
        let (now, spot) = self.folder(path)?;
        now.look(&self.tree, path, spot, folder)?;
        now.each(&folder.entries, |name, seen, entry| {
            let result = match entry {
                Some(entry) => self.check_entry((path, name), seen, entry, minds_links),
                None => Err(What::Unclear),
            };
            result.map_err(|what| Difference::at(&below(path, name), what))
        })?;
        match folder.listing {
            Some(listing) if listing != now.listing(&self.tree, path)? => {
                Err(Difference::at(path, What::Entries))
            }
            _ => Ok(()),
        }
    }

    /// The directory at a path, and its place where it was opened just now.
    fn folder(&self, path: &str) -> Result<(Arc<FolderNow>, Option<Spot>), Difference> {
        let folders = self.folders.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = folders.get(path) {
            return Ok((Arc::clone(folder), None));
        }
        drop(folders);
        let rel = RelPath::parse(path).map_err(|_| Difference::at(path, What::Unclear))?;
        let found = match path.rsplit_once('/') {
            // That no guest is kept out of a directory above is found out once.
            Some((above, _)) => {
                self.folder(above)?;
                exact::dir_below(&self.tree, &rel)
            }
            None => exact::dir(&self.tree, &rel),
        };
        let spot = found.map_err(|gone| Difference::at(path, gone.into()))?;
        let mut folders = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        let folder = folders.entry(path.to_owned()).or_default();
        Ok((Arc::clone(folder), Some(spot)))
    }

    fn check_entry(
        &self,
        at: (&str, &str),
        seen: &Seen,
        entry: &EntryNow,
        minds_links: bool,
    ) -> Result<(), What> {
        let meta = match (&entry.state, seen) {
            (State::There(meta), _) => meta,
            (State::Nothing, Seen::Nothing | Seen::NoDirectory) => return Ok(()),
            (State::Nothing, _) => return Err(What::Removed),
            (State::Closed, _) => return Err(What::Closed),
            (State::Unclear, _) => return Err(What::Unclear),
        };
        match (seen, meta.kind) {
            (Seen::File(file), Type::File) => self.check_file(at, file, (entry, meta), minds_links),
            (Seen::Nothing, _) | (Seen::NoDirectory, Type::Directory) => Err(What::Appeared),
            (Seen::NoDirectory, _)
            | (Seen::Other, Type::Other)
            | (Seen::Link(None), Type::Symlink) => Ok(()),
            (Seen::Link(Some(text)), Type::Symlink) => {
                let same = entry.target.as_deref() == Some(text.as_bytes());
                if same { Ok(()) } else { Err(What::Target) }
            }
            _ => Err(What::Kind),
        }
    }

    fn check_file(
        &self,
        at: (&str, &str),
        seen: &FileSeen,
        (entry, meta): (&EntryNow, &Meta),
        minds_links: bool,
    ) -> Result<(), What> {
        if seen.linked != (minds_links && meta.linked) {
            return Err(What::Names);
        }
        if (seen.executable).is_some_and(|executable| executable != meta.executable) {
            return Err(What::Executable);
        }
        let other_size = seen.size.is_some_and(|size| size != meta.size);
        if other_size || seen.beyond.is_some_and(|beyond| beyond >= meta.size) {
            return Err(What::Size);
        }
        if let Some(content) = seen.content {
            let now = entry.content(|| self.digest(at, meta, 0, meta.size))?;
            if now != content {
                return Err(What::Content);
            }
        }
        if seen.opened && seen.content.is_none() && seen.pieces.is_empty() {
            // Nothing was read of it, but that the host lets it be opened is known.
            self.open(at, meta)?;
        }
        for piece in &seen.pieces {
            if piece.from.saturating_add(piece.len) > meta.size {
                return Err(What::Size);
            }
            if self.digest(at, meta, piece.from, piece.len)? != piece.digest {
                return Err(What::Content);
            }
        }
        Ok(())
    }

    /// The digest of a stretch of a file.
    fn digest(&self, at: (&str, &str), meta: &Meta, from: u64, len: u64) -> Result<Digest, What> {
        if let Some(digest) = self.memo.known(meta, from, len) {
            return Ok(digest);
        }
        let file = self.open(at, meta)?;
        match self.memo.of_range(&file, from, len, || false) {
            Ok(Some((then, digest))) if is_same(meta, &then) => Ok(digest),
            _ => Err(What::Unclear),
        }
    }

    /// The regular file that was found under a name.
    fn open(&self, (folder, name): (&str, &str), meta: &Meta) -> Result<File, What> {
        let path = RelPath::parse(&below(folder, name)).map_err(|_| What::Unclear)?;
        let (file, now) = exact::file(&self.tree, &path).map_err(What::from)?;
        if is_same(meta, &now) {
            Ok(file)
        } else {
            Err(What::Unclear)
        }
    }
}

impl Difference {
    pub(crate) fn at(path: &str, what: What) -> Self {
        Self {
            path: path.to_owned(),
            what,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() {
            "."
        } else {
            &self.path
        };
        let what = match self.what {
            What::Incomplete(why) => return write!(formatter, "the call {why}"),
            What::Content => "has other content",
            What::Size => "has another length",
            What::Appeared => "appeared",
            What::Removed => "was removed",
            What::Kind => "is something else than it was",
            What::Entries => "holds other entries",
            What::Target => "leads elsewhere",
            What::Executable => "has another executable bit",
            What::Names => "has gained or lost a second name",
            What::Closed => "is closed to every plugin now",
            What::Unclear => "cannot be read, or keeps changing",
        };
        write!(formatter, "{path} {what}")
    }
}

fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}
