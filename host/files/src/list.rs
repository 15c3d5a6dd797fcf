//! Listing a directory: sorted, filtered by the rules, the rest counted.

use cap_std::fs::Dir;
use leasehold_lease::{RelPath, is_protected_name};
use leasehold_seal::Digest;

use crate::coverage::Shown;
use crate::error::{FsError, Kind};
use crate::hash::Hasher;
use crate::node::Node;
use crate::protect::FileId;
use crate::readset::Flaw;
use crate::resolve::host;
use crate::stat::FileKind;
use crate::sys::{self, RawEntry, Type};
use crate::tree::Tree;
use crate::view::{Record, Turn, View};

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name, one path component.
    pub name: String,
    /// What it is; a link is not followed.
    pub kind: FileKind,
}

/// An entry that the call may see, with its path.
pub(crate) struct Visible {
    pub(crate) name: String,
    pub(crate) path: RelPath,
    pub(crate) kind: Type,
    /// Whether the rules list it; otherwise it is a directory on the way to something.
    pub(crate) listed: bool,
}

/// What is in a directory, for one call.
pub(crate) struct Found {
    pub(crate) dir: Dir,
    pub(crate) visible: Vec<Visible>,
    /// [`Listing::digest`]
    pub(crate) digest: Digest,
}

/// Everything that is in a directory, in ascending byte order.
pub(crate) struct Listing {
    /// Each with what it is and whether no guest may see it.
    entries: Vec<(RawEntry, Type, bool)>,
    /// SHA-256 over names, kinds and what is closed: all that the answers to a listing can depend on, under any rules.
    pub(crate) digest: Digest,
    /// An entry went away meanwhile.
    pub(crate) restless: bool,
}

impl Listing {
    /// Sorts out what was found in a directory on device `dev`.
    pub(crate) fn of(tree: &Tree, dir: &Dir, dev: u64, mut raw: Vec<RawEntry>) -> Self {
        raw.sort_unstable_by(|one, other| bytes_of(one).cmp(bytes_of(other)));
        let mut entries = Vec::with_capacity(raw.len());
        let mut digest = Hasher::new("leasehold/directory/1");
        let mut restless = false;
        for entry in raw {
            let Some(kind) = kind_of(dir, &entry) else {
                restless = true;
                continue;
            };
            let closed = is_closed(tree, dev, &entry);
            let kind_code = match kind {
                Type::File => 0,
                Type::Directory => 1,
                Type::Symlink => 2,
                Type::Other => 3,
            };
            digest.bytes(bytes_of(&entry));
            digest.number(kind_code | u64::from(closed) << 8);
            entries.push((entry, kind, closed));
        }
        Self {
            entries,
            digest: digest.finish(),
            restless,
        }
    }
}

impl View {
    /// The entries of an open directory that the call may see, in ascending byte order of their names: those the rules
    /// let it list, and directories on the way to something it may see.
    ///
    /// # Errors
    /// [`Kind::BadDescriptor`] when it was not opened for reading; [`Kind::NotDirectory`]; [`Kind::NoEntry`] or
    /// [`Kind::Changed`] when the directory is gone; [`Kind::Io`].
    pub fn list(&self, node: &Node) -> Result<Vec<Entry>, FsError> {
        self.act(|turn| {
            let path = turn.dir_path(node, false)?;
            if !node.inner.flags.read {
                let message = format!("{path}: the directory was not opened for listing");
                return Err(FsError::new(
                    Kind::BadDescriptor,
                    crate::error::HANDLE_RIGHTS,
                    message,
                ));
            }
            let found = turn.entries(&path, |_, _| true)?;
            let exact = turn.shared.record == Record::Contents;
            turn.state.reads.listed(&path, found.digest, exact);
            let entries = found.visible.into_iter().map(|entry| Entry {
                name: entry.name,
                kind: entry.kind.into(),
            });
            Ok(entries.collect())
        })
    }
}

impl Turn<'_> {
    /// The entries of the directory at a resolved path that the call may see, sorted; everything else is counted, also
    /// that the host cannot list it. `concerns` says whether an entry that would be hidden is one the call asked about.
    pub(crate) fn entries(
        &mut self,
        path: &RelPath,
        concerns: impl Fn(&RelPath, Type) -> bool,
    ) -> Result<Found, FsError> {
        let found = self.raw_entries(path);
        if found
            .as_ref()
            .is_err_and(|error| error.kind() != Kind::NoEntry)
        {
            self.state.tally.count(path.as_str(), b"", Shown::Failed);
        }
        let (dir, dev, raw) = found?;
        let listing = Listing::of(&self.shared.tree, &dir, dev, raw);
        if listing.restless {
            self.state.reads.flaw(Flaw::Changed);
        }
        let mut visible = Vec::with_capacity(listing.entries.len());
        for (entry, kind, closed) in listing.entries {
            self.shared.check_revoked()?;
            visible.extend(self.judge(path, entry, kind, closed, &concerns));
        }
        Ok(Found {
            dir,
            visible,
            digest: listing.digest,
        })
    }

    /// The directory at a resolved path, its device, and what is in it.
    fn raw_entries(&mut self, path: &RelPath) -> Result<(Dir, u64, Vec<RawEntry>), FsError> {
        let spot = match self.exact_dir(path)? {
            Some(spot) => spot,
            None => sys::spot_of(self.shared.tree.dir()).map_err(|errno| host(errno, path))?,
        };
        let dir = sys::open_listing(&spot).map_err(|errno| host(errno, path))?;
        let raw = sys::entries(&dir).map_err(|errno| host(errno, path))?;
        Ok((dir, spot.meta.id.dev, raw))
    }

    /// Whether the call sees an entry; counts it.
    fn judge(
        &mut self,
        directory: &RelPath,
        entry: RawEntry,
        kind: Type,
        closed: bool,
        concerns: impl Fn(&RelPath, Type) -> bool,
    ) -> Option<Visible> {
        let Some(name) = entry.name else {
            self.state
                .tally
                .count(directory.as_str(), &entry.bytes, Shown::NonUtf8);
            return None;
        };
        let path = directory.child(&name);
        let shown = match &path {
            // A path that is too long can be neither named nor opened by a guest.
            Err(_) => Shown::Hidden,
            Ok(_) if closed => Shown::Protected,
            Ok(path) => {
                let sight = self.sight(path);
                if sight.skipped {
                    if !concerns(path, kind) {
                        return None;
                    }
                    Shown::Skipped
                } else if sight.list {
                    Shown::Listed {
                        readable: kind != Type::File || sight.read,
                    }
                } else if kind == Type::Directory && sight.passable() {
                    // Not counted as shown: it is a way, not an answer.
                    return Some(Visible {
                        name,
                        path: path.clone(),
                        kind,
                        listed: false,
                    });
                } else if concerns(path, kind) {
                    Shown::Hidden
                } else {
                    return None;
                }
            }
        };
        self.state
            .tally
            .count(directory.as_str(), name.as_bytes(), shown);
        match shown {
            Shown::Listed { .. } => Some(Visible {
                name,
                path: path.ok()?,
                kind,
                listed: true,
            }),
            _ => None,
        }
    }
}

fn bytes_of(entry: &RawEntry) -> &[u8] {
    (entry.name.as_ref()).map_or(entry.bytes.as_slice(), String::as_bytes)
}

/// What an entry is; `None` when it has gone meanwhile.
fn kind_of(dir: &Dir, entry: &RawEntry) -> Option<Type> {
    match (entry.kind, &entry.name) {
        (Some(kind), _) => Some(kind),
        (None, Some(name)) => sys::meta_at(dir, name).ok().map(|meta| meta.kind),
        (None, None) => Some(Type::Other),
    }
}

/// Whether no guest may see an entry. What is mounted on it shows only when it is opened.
fn is_closed(tree: &Tree, dev: u64, entry: &RawEntry) -> bool {
    let id = FileId {
        dev,
        ino: entry.ino,
    };
    entry.name.as_deref().is_some_and(is_protected_name) || tree.protected().is_closed(id)
}
