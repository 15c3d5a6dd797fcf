//! What a guest may know about an entry without its content.

use leasehold_lease::RelPath;
use sha2::{Digest as _, Sha256};

use crate::error::{FsError, Kind, Wanted};
use crate::node::Node;
use crate::readset::{FileSeen, Flaw, Seen};
use crate::resolve::{Place, host};
use crate::rules::{FileRules, Sight};
use crate::sys::{self, Meta, Type};
use crate::view::{Turn, View};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Anything else: FIFO, socket, device.
    Other,
}

/// Attributes of an entry. There are no times, link counts and inode numbers: they differ from one machine to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// What it is.
    pub kind: FileKind,
    /// Length in bytes of a file that may be read or written, otherwise 0.
    pub size: u64,
    /// Whether its owner may execute the file.
    pub executable: bool,
    /// Whether the call may read the content of the file, or enter the directory.
    pub readable: bool,
}

impl View {
    /// The attributes of an open descriptor.
    ///
    /// # Errors
    /// [`Kind::NoEntry`] or [`Kind::Changed`] for a directory that is gone; [`Kind::Io`].
    pub fn stat(&self, node: &Node) -> Result<Attributes, FsError> {
        self.act(|turn| {
            turn.check_owner(node)?;
            let path = node.path();
            let meta = match &node.inner.file {
                Some(file) => sys::meta_of(file).map_err(|errno| host(errno, &path))?,
                None => match turn.exact_dir(&path)? {
                    Some(spot) => spot.meta,
                    None => {
                        sys::spot_of(turn.shared.tree.dir())
                            .map_err(|errno| host(errno, &path))?
                            .meta
                    }
                },
            };
            let mut attributes = turn.attributes(&path, &meta);
            let opened = node.inner.flags.read || node.inner.flags.write;
            if opened && node.inner.file.is_some() {
                // An open descriptor keeps what it was given, whatever became of the file's names since.
                attributes.size = meta.size;
            }
            turn.told(&path, &meta, attributes);
            Ok(attributes)
        })
    }

    /// The attributes of what a path leads to from a directory. `follow` says whether a link at its end is followed.
    ///
    /// # Errors
    /// [`Kind::Access`] for whatever the rules hide, whether it is there or not; [`Kind::NoEntry`] and the other kinds
    /// of path resolution.
    pub fn stat_at(&self, dir: &Node, path: &str, follow: bool) -> Result<Attributes, FsError> {
        self.act(|turn| {
            let base = turn.dir_path(dir, false)?;
            let place = turn.look(&base, path, follow, Wanted::List)?;
            let meta = turn.there(&place)?;
            let attributes = turn.attributes(&place.path, &meta);
            turn.told(&place.path, &meta, attributes);
            Ok(attributes)
        })
    }

    /// A number for an open descriptor that is the same in every run: made from its path, not from the file's identity.
    ///
    /// # Errors
    /// Those of [`View::stat`].
    pub fn metadata_hash(&self, node: &Node) -> Result<(u64, u64), FsError> {
        self.stat(node)?;
        Ok(path_hash(&node.path()))
    }

    /// Like [`View::metadata_hash`], for what a path leads to.
    ///
    /// # Errors
    /// Those of [`View::stat_at`].
    pub fn metadata_hash_at(
        &self,
        dir: &Node,
        path: &str,
        follow: bool,
    ) -> Result<(u64, u64), FsError> {
        self.act(|turn| {
            let base = turn.dir_path(dir, false)?;
            let place = turn.look(&base, path, follow, Wanted::List)?;
            let meta = turn.there(&place)?;
            turn.told_kind(&place.path, &meta);
            Ok(path_hash(&place.path))
        })
    }

    /// Where a symbolic link points to, as it is written in it.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for what is not a link; [`Kind::NotPermitted`] for a link to an absolute path; [`Kind::Access`]
    /// where the link's own path may not be read.
    pub fn readlink_at(&self, dir: &Node, path: &str) -> Result<String, FsError> {
        self.act(|turn| {
            let base = turn.dir_path(dir, false)?;
            let place = turn.resolve(&base, path, false, Wanted::Read)?;
            if !place.sight.read {
                return Err(turn.deny(&place.path, Wanted::Read));
            }
            turn.there(&place)?;
            match &place.spot {
                Some(spot) if spot.meta.kind == Type::Symlink => {
                    let target = turn.link_target(&place.path, spot, Wanted::Read)?;
                    let seen = Seen::Link(Some(target.clone()));
                    turn.state.reads.found(&place.path, seen);
                    Ok(target)
                }
                _ => Err(FsError::new(
                    Kind::Invalid,
                    "PATH-TYPE",
                    format!("{}: it is not a link", place.path),
                )),
            }
        })
    }
}

impl Turn<'_> {
    /// What is at a place, or that nothing is, recorded.
    pub(crate) fn there(&mut self, place: &Place) -> Result<Meta, FsError> {
        match &place.spot {
            Some(spot) => Ok(spot.meta),
            None => {
                self.state.reads.found(&place.path, Seen::Nothing);
                Err(FsError::no_entry(&place.path))
            }
        }
    }

    /// Notes that the call was told the attributes of what is at a path.
    pub(crate) fn told(&mut self, path: &RelPath, meta: &Meta, attributes: Attributes) {
        let kind = meta.kind;
        match kind {
            Type::Directory => self.state.reads.folder(path),
            Type::Symlink => self.state.reads.found(path, Seen::Link(None)),
            Type::Other => self.state.reads.found(path, Seen::Other),
            Type::File => {
                let file = self.file_seen(path, meta, attributes);
                self.state.reads.found(path, Seen::File(file));
            }
        }
    }

    /// Notes that the call was told that this is at a path, and nothing more.
    fn told_kind(&mut self, path: &RelPath, meta: &Meta) {
        match meta.kind {
            Type::File => {
                let file = FileSeen {
                    linked: self.minds_links() && meta.linked,
                    ..FileSeen::default()
                };
                self.state.reads.found(path, Seen::File(file));
            }
            _ => self.told(path, meta, NO_ATTRIBUTES),
        }
    }

    /// What a call knows of a file whose attributes it was told.
    pub(crate) fn file_seen(
        &mut self,
        path: &RelPath,
        meta: &Meta,
        attributes: Attributes,
    ) -> FileSeen {
        let sight = self.sight(path);
        if sight.write && !attributes.readable {
            // Whether the size is told depends on what is closed to changes, which nobody looks up again.
            self.state.reads.flaw(Flaw::Unclear);
        }
        FileSeen {
            size: (attributes.readable || sight.write).then_some(attributes.size),
            executable: Some(attributes.executable),
            linked: self.minds_links() && meta.linked,
            ..FileSeen::default()
        }
    }

    /// Whether it makes a difference to the call that a file has several names.
    pub(crate) fn minds_links(&self) -> bool {
        minds_links(self.shared.rules.as_ref())
    }

    pub(crate) fn attributes(&mut self, path: &RelPath, meta: &Meta) -> Attributes {
        let sight = self.sight(path);
        match meta.kind {
            Type::File => {
                let readable = self.may_read(sight, meta);
                Attributes {
                    kind: FileKind::File,
                    size: if readable || self.may_write(path, sight, meta) {
                        meta.size
                    } else {
                        0
                    },
                    executable: meta.executable,
                    readable,
                }
            }
            Type::Directory => Attributes {
                kind: FileKind::Directory,
                size: 0,
                executable: false,
                readable: sight.passable(),
            },
            Type::Symlink => Attributes {
                kind: FileKind::Symlink,
                size: 0,
                executable: false,
                readable: false,
            },
            Type::Other => Attributes {
                kind: FileKind::Other,
                size: 0,
                executable: false,
                readable: false,
            },
        }
    }

    /// Whether this regular file may be read at a path the rules say this about.
    ///
    /// A file with several names may be one that a deny rule or a narrower `read` hides under another name, so it is
    /// only read where nothing could be hidden.
    pub(crate) fn may_read(&self, sight: Sight, meta: &Meta) -> bool {
        let rules = &self.shared.rules;
        sight.read
            && !(meta.linked && minds_links(rules.as_ref()))
            && !self.shared.tree.protected().is_closed(meta.id)
    }

    /// Whether this regular file may be changed at a path the rules say this about.
    pub(crate) fn may_write(&self, path: &RelPath, sight: Sight, meta: &Meta) -> bool {
        let protected = self.shared.tree.protected();
        sight.write
            && !meta.linked
            && !protected.is_fixed(meta.id)
            && !protected.is_fixed_path(path)
    }
}

impl From<Type> for FileKind {
    fn from(kind: Type) -> Self {
        match kind {
            Type::File => FileKind::File,
            Type::Directory => FileKind::Directory,
            Type::Symlink => FileKind::Symlink,
            Type::Other => FileKind::Other,
        }
    }
}

/// Whether it makes a difference under these rules that a file has several names; see [`Turn::may_read`].
pub(crate) fn minds_links(rules: &dyn FileRules) -> bool {
    rules.has_deny() || !rules.reads_everything()
}

/// Of what is no file: only its kind says anything.
const NO_ATTRIBUTES: Attributes = Attributes {
    kind: FileKind::Other,
    size: 0,
    executable: false,
    readable: false,
};

/// The first 16 bytes of SHA-256 over a domain and the path.
fn path_hash(path: &RelPath) -> (u64, u64) {
    let hash = Sha256::new_with_prefix(b"leasehold/metadata-hash/1\0")
        .chain_update(path.as_str())
        .finalize();
    let half = |at: usize| {
        let bytes = hash
            .as_slice()
            .get(at..at + 8)
            .and_then(|bytes| bytes.try_into().ok());
        u64::from_be_bytes(bytes.unwrap_or_default())
    };
    (half(0), half(8))
}
