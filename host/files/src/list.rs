//! Listing a directory: sorted, filtered by the rules, the rest counted.

use cap_std::fs::Dir;
use leasehold_lease::{RelPath, is_protected_name};

use crate::coverage::Shown;
use crate::error::{FsError, Kind};
use crate::node::Node;
use crate::protect::FileId;
use crate::reads::Hasher;
use crate::resolve::host;
use crate::stat::FileKind;
use crate::sys::{self, RawEntry, Type};
use crate::view::{Turn, View};

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

impl View {
    /// The entries of an open directory that the call may see, in ascending byte order of their names: those the rules
    /// let it list, and directories on the way to something it may see.
    ///
    /// # Errors
    /// [`Kind::BadDescriptor`] when it was not opened for reading; [`Kind::NotDirectory`]; [`Kind::NoEntry`] or
    /// [`Kind::Changed`] when the directory is gone; [`Kind::Io`].
    pub fn list(&self, node: &Node) -> Result<Vec<Entry>, FsError> {
        let mut turn = self.turn()?;
        let path = turn.dir_path(node, false)?;
        if !node.inner.flags.read {
            let message = format!("{path}: the directory was not opened for listing");
            return Err(FsError::new(
                Kind::BadDescriptor,
                crate::error::HANDLE_RIGHTS,
                message,
            ));
        }
        let (_, visible) = turn.entries(&path, |_, _| true)?;
        let mut digest = Hasher::new("leasehold/listing/1");
        let entries: Vec<Entry> = visible
            .into_iter()
            .map(|entry| Entry {
                name: entry.name,
                kind: entry.kind.into(),
            })
            .collect();
        for entry in &entries {
            digest.text(&entry.name).number(entry.kind as u64);
        }
        turn.state.reads.listed(path.as_str(), digest.finish());
        Ok(entries)
    }
}

impl Turn<'_> {
    /// The entries of the directory at a resolved path that the call may see, sorted; everything else is counted, also
    /// that the host cannot list it. `concerns` says whether an entry that would be hidden is one the call asked about.
    pub(crate) fn entries(
        &mut self,
        path: &RelPath,
        concerns: impl Fn(&RelPath, Type) -> bool,
    ) -> Result<(Dir, Vec<Visible>), FsError> {
        let found = self.raw_entries(path);
        if found
            .as_ref()
            .is_err_and(|error| error.kind() != Kind::NoEntry)
        {
            self.state.tally.count(path.as_str(), b"", Shown::Failed);
        }
        let (dir, dev, raw) = found?;
        let mut visible = Vec::with_capacity(raw.len());
        for entry in raw {
            self.shared.check_revoked()?;
            let Some(kind) = self.kind_of(&dir, &entry) else {
                continue;
            };
            let closed = self.is_closed(dev, &entry);
            if let Some(entry) = self.judge(path, entry, kind, closed, &concerns) {
                visible.push(entry);
            }
        }
        visible.sort_unstable_by(|one, other| one.name.as_bytes().cmp(other.name.as_bytes()));
        Ok((dir, visible))
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

    /// What an entry is; `None` when it has gone meanwhile.
    fn kind_of(&self, dir: &Dir, entry: &RawEntry) -> Option<Type> {
        match (entry.kind, &entry.name) {
            (Some(kind), _) => Some(kind),
            (None, Some(name)) => sys::meta_at(dir, name).ok().map(|meta| meta.kind),
            (None, None) => Some(Type::Other),
        }
    }

    /// Whether no guest may see an entry. What is mounted on it shows only when it is opened.
    fn is_closed(&self, dev: u64, entry: &RawEntry) -> bool {
        let id = FileId {
            dev,
            ino: entry.ino,
        };
        entry.name.as_deref().is_some_and(is_protected_name)
            || self.shared.tree.protected().is_closed(id)
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
                if sight.list {
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
