//! A directory of the tree as it is now, as far as a [`Survey`](crate::Survey) was asked about it.

use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

use leasehold_lease::RelPath;
use leasehold_seal::Digest;

use crate::exact::{self, Gone};
use crate::list::Listing;
use crate::readset::{Folder, Seen};
use crate::survey::{Difference, What};
use crate::sys::{self, At, Errno, Meta, Spot, Type};
use crate::tree::Tree;

/// A directory.
#[derive(Debug, Default)]
pub(crate) struct FolderNow {
    /// Sorted by name.
    entries: RwLock<Vec<(String, EntryNow)>>,
    listing: Mutex<Option<Digest>>,
}

/// What is at a name.
#[derive(Debug)]
pub(crate) struct EntryNow {
    pub(crate) state: State,
    /// The text of a link.
    pub(crate) target: Option<Vec<u8>>,
    /// SHA-256 of a file, once it is known.
    content: OnceLock<Digest>,
    /// Held while it is worked out: two threads that want the same digest should not both read the file.
    hashing: Mutex<()>,
}

#[derive(Debug)]
pub(crate) enum State {
    Nothing,
    There(Meta),
    Closed,
    Unclear,
}

impl FolderNow {
    /// Looks at what a set has facts about, unless that was done; says whether there was anything to do. `spot` is the
    /// directory, where it is open.
    pub(crate) fn look(
        &self,
        tree: &Tree,
        path: &str,
        spot: Option<Spot>,
        folder: &Folder,
    ) -> Result<bool, Difference> {
        let lists = folder.listing.is_some() && spot.is_some();
        let mut missing = false;
        self.each(&folder.entries, |_, _, entry| {
            missing |= entry.is_none();
            Ok(())
        })?;
        if !missing && !lists {
            return Ok(false);
        }
        let spot = match spot {
            Some(spot) => spot,
            None => reopen(tree, path)?,
        };
        if missing {
            // Held to the end: two threads that want the same directory should not both look.
            let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
            let sorted = entries.len();
            for (name, _) in &folder.entries {
                let known = entries.get(..sorted).unwrap_or_default();
                if known
                    .binary_search_by(|(known, _)| known.cmp(name))
                    .is_err()
                {
                    entries.push((name.clone(), EntryNow::look(tree, &spot, name)));
                }
            }
            entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        }
        if lists {
            self.list(tree, path, &spot)?;
        }
        Ok(true)
    }

    /// Goes through facts, sorted by name, each with what is there now; `None` where nobody has looked yet.
    pub(crate) fn each<'s>(
        &self,
        facts: &'s [(String, Seen)],
        mut visit: impl FnMut(&'s str, &'s Seen, Option<&EntryNow>) -> Result<(), Difference>,
    ) -> Result<(), Difference> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let mut rest = entries.as_slice();
        for (name, seen) in facts {
            while let [(known, _), after @ ..] = rest
                && known < name
            {
                rest = after;
            }
            let entry = rest.first().filter(|(known, _)| known == name);
            visit(name, seen, entry.map(|(_, entry)| entry))?;
        }
        Ok(())
    }

    /// SHA-256 over what is in the directory; see [`Listing::digest`].
    pub(crate) fn listing(&self, tree: &Tree, path: &str) -> Result<Digest, Difference> {
        let known = *self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        match known {
            Some(digest) => Ok(digest),
            None => self.list(tree, path, &reopen(tree, path)?),
        }
    }

    fn list(&self, tree: &Tree, path: &str, spot: &Spot) -> Result<Digest, Difference> {
        let mut listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = *listing {
            return Ok(digest);
        }
        let unclear = |_| Difference::at(path, What::Unclear);
        let dir = sys::open_listing(spot).map_err(unclear)?;
        let raw = sys::entries(&dir).map_err(unclear)?;
        let found = Listing::of(tree, &dir, spot.meta.id.dev, raw);
        if found.restless {
            return Err(Difference::at(path, What::Unclear));
        }
        *listing = Some(found.digest);
        Ok(found.digest)
    }
}

impl EntryNow {
    /// What a name in a directory is.
    fn look(tree: &Tree, dir: &Spot, name: &str) -> Self {
        let state = match sys::meta_in(At::Spot(dir), name) {
            Err(Errno::NotFound) => State::Nothing,
            Err(_) => State::Unclear,
            Ok(meta) if tree.protected().is_closed(meta.id) => State::Closed,
            Ok(meta) if meta.id.dev != dir.meta.id.dev => mounted(tree, dir, name, meta),
            Ok(meta) => State::There(meta),
        };
        let target = match &state {
            State::There(meta) if meta.kind == Type::Symlink => {
                let spot = sys::spot_at(At::Spot(dir), name);
                spot.and_then(|spot| sys::link_target(&spot)).ok()
            }
            _ => None,
        };
        Self {
            state,
            target,
            content: OnceLock::new(),
            hashing: Mutex::default(),
        }
    }

    /// SHA-256 of a file, worked out at most once.
    pub(crate) fn content(
        &self,
        work_out: impl FnOnce() -> Result<Digest, What>,
    ) -> Result<Digest, What> {
        if let Some(digest) = self.content.get() {
            return Ok(*digest);
        }
        let _held = self.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.content.get() {
            Some(digest) => Ok(*digest),
            None => work_out().map(|digest| *self.content.get_or_init(|| digest)),
        }
    }
}

/// What is mounted at a name: only a second look tells of what.
fn mounted(tree: &Tree, dir: &Spot, name: &str, meta: Meta) -> State {
    let spot = sys::spot_at(At::Spot(dir), name);
    match spot.and_then(|spot| exact::is_closed(tree, dir.meta.id.dev, &spot)) {
        Ok(false) => State::There(meta),
        Ok(true) => State::Closed,
        Err(_) => State::Unclear,
    }
}

impl From<Gone> for What {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Missing => What::Removed,
            Gone::Kind => What::Kind,
            Gone::Closed => What::Closed,
            Gone::Host => What::Unclear,
        }
    }
}

/// A directory that was found before.
fn reopen(tree: &Tree, path: &str) -> Result<Spot, Difference> {
    let rel = RelPath::parse(path).map_err(|_| Difference::at(path, What::Unclear))?;
    exact::dir_below(tree, &rel).map_err(|gone| Difference::at(path, gone.into()))
}
