//! Opening: a path becomes a descriptor, or a refusal.

use std::fs::File;

use leasehold_lease::RelPath;

use crate::error::{self, FsError, Kind, Wanted};
use crate::node::{Flags, Node};
use crate::readset::{FileSeen, Flaw, Seen};
use crate::resolve::{Last, Place, ends_as_dir, host};
use crate::sys::{self, Access, Errno, Meta, Type};
use crate::view::{Known, Record, Turn, View};

/// How a guest wants a path opened: the flags of `wasi:filesystem/types.open-at`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenHow {
    /// Follow a link at the end of the path.
    pub follow: bool,
    /// Make a file when nothing is there. A link is never followed to make something.
    pub create: bool,
    /// With `create`: fail when something is there.
    pub exclusive: bool,
    /// Fail when it is not a directory.
    pub directory: bool,
    /// Cut the file to nothing; only together with `write`.
    pub truncate: bool,
    /// For reading; a directory: for listing.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// A directory: to make, move and remove what is below.
    pub mutate_dir: bool,
}

impl View {
    /// Opens what a path leads to from a directory.
    ///
    /// # Errors
    /// [`Kind::Access`] for whatever the rules hide, whether it is there or not; [`Kind::TooManyOpen`]; [`Kind::Quota`]
    /// when something would be made; and the kinds of path resolution.
    pub fn open_at(&self, dir: &Node, path: &str, how: OpenHow) -> Result<Node, FsError> {
        self.act(|turn| {
            if how.write || how.create || how.truncate {
                turn.state.reads.flaw(Flaw::Wrote);
            }
            let changes = how.write || how.create || how.truncate || how.mutate_dir;
            let base = turn.dir_path(dir, changes)?;
            turn.check_slot()?;
            if how.truncate && !how.write {
                let message = format!("{path}: only a descriptor for writing can cut a file");
                return Err(FsError::new(Kind::Invalid, error::HANDLE_RIGHTS, message));
            }
            if how.directory && how.create {
                return Err(FsError::new(
                    Kind::Invalid,
                    "PATH-FORMAT",
                    "a directory is not made by opening it",
                ));
            }
            turn.open(&base, path, how)
        })
    }
}

impl Turn<'_> {
    fn open(&mut self, base: &RelPath, text: &str, how: OpenHow) -> Result<Node, FsError> {
        let wanted = if how.write || how.create {
            Wanted::Write
        } else if how.read && !how.directory {
            Wanted::Read
        } else {
            Wanted::List
        };
        let plainly = how.read && !how.write && !how.create && !how.directory && !ends_as_dir(text);
        if plainly
            && let Some((path, known)) = self.plain_path(base, text, wanted)?
            && let Some((file, meta)) = self.open_plain(&path, known)
        {
            return self.opened(path, file, &meta, how);
        }
        let follow = how.follow && !(how.create && how.exclusive);
        for _ in 0..ATTEMPTS {
            let mut place = self.look_or_resolve(base, text, follow, wanted, how)?;
            let done = match place.spot.as_ref().map(|spot| spot.meta.kind) {
                None if how.create => self.make(&place, how)?,
                None => {
                    self.there(&place)?;
                    None
                }
                Some(_) if how.create && how.exclusive => {
                    return Err(FsError::plain(Kind::Exist, &place.path));
                }
                Some(Type::Directory) => Some(self.open_dir(&place, how)?),
                Some(Type::File) => self.open_file(&mut place, how)?,
                // A link that was not to be followed.
                Some(Type::Symlink) => return Err(FsError::plain(Kind::Loop, &place.path)),
                Some(Type::Other) => {
                    return Err(self.refuse(&place.path, wanted, error::FILE_TYPE));
                }
            };
            if let Some(node) = done {
                return Ok(node);
            }
        }
        Err(FsError::new(
            Kind::Changed,
            "FILE-CHANGED",
            format!("{text}: it keeps changing while it is opened"),
        ))
    }

    fn look_or_resolve(
        &mut self,
        base: &RelPath,
        text: &str,
        follow: bool,
        wanted: Wanted,
        how: OpenHow,
    ) -> Result<Place, FsError> {
        // Files are opened in the directory they were found in, which only the walk holds on to.
        if how.directory && !how.create {
            self.look(base, text, follow, wanted)
        } else {
            self.resolve(base, text, follow, wanted)
        }
    }

    /// Opens a file for reading in one step, where its directory is known and nothing about it needs a second look.
    /// `None` sends the caller the long way, which also finds the right answer to a failure.
    pub(crate) fn open_plain(&self, path: &RelPath, known: Known) -> Option<(File, Meta)> {
        if !known.sight.read {
            return None;
        }
        let root = self.shared.tree.dir();
        // A listing has shown what it is; else look before opening, so that no FIFO or device is touched.
        let expected = match known.seen {
            Some(seen) => seen,
            None => sys::meta_at(root, path.as_str()).ok()?,
        };
        if expected.kind != Type::File {
            return None;
        }
        let file = sys::open_plain_file(
            root,
            path.as_str(),
            Access {
                read: true,
                write: false,
            },
        )
        .ok()?;
        let meta = sys::meta_of(&file).ok()?;
        let same = meta.id == expected.id && meta.kind == Type::File;
        (same && self.may_read(known.sight, &meta)).then_some((file, meta))
    }

    /// Opens an existing regular file; `None` when it was swapped meanwhile.
    fn open_file(&mut self, place: &mut Place, how: OpenHow) -> Result<Option<Node>, FsError> {
        if how.directory || place.must_be_dir {
            return Err(FsError::plain(Kind::NotDirectory, &place.path));
        }
        if !how.read && !how.write {
            let Some(spot) = place.spot.take() else {
                return Ok(None);
            };
            self.found(&place.path, &spot.meta);
            return self
                .node(place.path.clone(), Some(spot.into_file()), Flags::default())
                .map(Some);
        }
        let Some((file, meta)) = self.open_at_place(
            place,
            Access {
                read: how.read,
                write: how.write,
            },
        )?
        else {
            return Ok(None);
        };
        if how.truncate {
            self.before_write(&place.path, &file, &meta)?;
            sys::set_size(&file, 0).map_err(|errno| host(errno, &place.path))?;
            self.forget(&place.path);
        }
        self.opened(place.path.clone(), file, &meta, how).map(Some)
    }

    /// Checks and opens the regular file that was found at a place; `None` when it was swapped meanwhile.
    pub(crate) fn open_at_place(
        &mut self,
        place: &Place,
        access: Access,
    ) -> Result<Option<(File, Meta)>, FsError> {
        let Some(spot) = &place.spot else {
            return Ok(None);
        };
        self.check_file(&place.path, &spot.meta, access)?;
        let file = match sys::open_at(
            place.parent(self),
            place.path.file_name().unwrap_or_default(),
            access,
        ) {
            Ok(file) => file,
            Err(Errno::NotFound | Errno::Link | Errno::NotDirectory) => return Ok(None),
            Err(errno) => return Err(host(errno, &place.path)),
        };
        let meta = sys::meta_of(&file).map_err(|errno| host(errno, &place.path))?;
        if meta.id != spot.meta.id || meta.kind != Type::File {
            return Ok(None);
        }
        // Again: a name may have been added since.
        self.check_file(&place.path, &meta, access)?;
        Ok(Some((file, meta)))
    }

    /// Whether the rules let this regular file be opened so.
    fn check_file(&mut self, path: &RelPath, meta: &Meta, access: Access) -> Result<(), FsError> {
        let sight = self.sight(path);
        for (asked, wanted) in [(access.read, Wanted::Read), (access.write, Wanted::Write)] {
            if !asked {
                continue;
            }
            if !sight.allows(wanted) {
                return Err(self.deny(path, wanted));
            }
            let allowed = match wanted {
                Wanted::Write => self.may_write(path, sight, meta),
                _ => self.may_read(sight, meta),
            };
            if !allowed {
                let code = if meta.linked {
                    error::LINK_DENIED
                } else {
                    error::PATH_PROTECTED
                };
                return Err(self.refuse(path, wanted, code));
            }
        }
        Ok(())
    }

    /// Records that an open has told what is at a path.
    fn found(&mut self, path: &RelPath, meta: &Meta) {
        let attributes = self.attributes(path, meta);
        self.told(path, meta, attributes);
    }

    /// Records that a file was opened for reading.
    pub(crate) fn opened_file(&mut self, path: &RelPath, meta: &Meta) {
        let file = FileSeen {
            size: (self.shared.record == Record::Names).then_some(meta.size),
            linked: self.minds_links() && meta.linked,
            opened: true,
            ..FileSeen::default()
        };
        self.state.reads.found(path, Seen::File(file));
    }

    fn open_dir(&mut self, place: &Place, how: OpenHow) -> Result<Node, FsError> {
        if how.write || how.truncate || how.create {
            return Err(FsError::plain(Kind::IsDirectory, &place.path));
        }
        if let Some(spot) = &place.spot {
            #[cfg(all(debug_assertions, target_os = "linux"))]
            self.second_opinion_on_dir(&place.path, spot);
            self.found(&place.path, &spot.meta);
        }
        let flags = Flags {
            read: how.read,
            write: false,
            mutate: how.mutate_dir,
        };
        self.node(place.path.clone(), None, flags)
    }

    /// Makes a new file; `None` when something came into being meanwhile.
    fn make(&mut self, place: &Place, how: OpenHow) -> Result<Option<Node>, FsError> {
        if place.must_be_dir {
            return Err(FsError::plain(Kind::IsDirectory, &place.path));
        }
        self.check_make(place)?;
        if how.read && !place.sight.read {
            return Err(self.deny(&place.path, Wanted::Read));
        }
        self.charge_entry()?;
        let access = Access {
            read: how.read,
            write: true,
        };
        let file = match sys::create_file(place.parent(self), place.name()?, access) {
            Ok(file) => file,
            Err(Errno::Exists) if how.exclusive => {
                return Err(FsError::plain(Kind::Exist, &place.path));
            }
            Err(Errno::Exists) => return Ok(None),
            Err(errno) => return Err(host(errno, &place.path)),
        };
        let meta = sys::meta_of(&file).map_err(|errno| host(errno, &place.path))?;
        self.forget(&place.path);
        self.state.log.created(&place.path);
        self.opened(place.path.clone(), file, &meta, how).map(Some)
    }

    /// Whether the rules let something be made at a place where nothing is.
    pub(crate) fn check_make(&mut self, place: &Place) -> Result<(), FsError> {
        place.name()?;
        if !place.sight.write {
            return Err(self.deny(&place.path, Wanted::Write));
        }
        if place.last == Last::Link {
            return Err(self.refuse(&place.path, Wanted::Write, error::LINK_DENIED));
        }
        if self.shared.tree.protected().is_fixed_path(&place.path) {
            return Err(self.protected(&place.path, Wanted::Write));
        }
        Ok(())
    }

    fn opened(
        &mut self,
        path: RelPath,
        file: File,
        meta: &Meta,
        how: OpenHow,
    ) -> Result<Node, FsError> {
        #[cfg(all(debug_assertions, target_os = "linux"))]
        self.second_opinion(
            &path,
            &file,
            Access {
                read: how.read,
                write: how.write,
            },
        );
        if how.read {
            self.saw_first(&path, meta);
            self.opened_file(&path, meta);
        } else {
            self.found(&path, meta);
        }
        self.node(
            path,
            Some(file),
            Flags {
                read: how.read,
                write: how.write,
                mutate: false,
            },
        )
    }
}

/// How often an entry that changes while it is opened is looked at again.
const ATTEMPTS: u32 = 8;
