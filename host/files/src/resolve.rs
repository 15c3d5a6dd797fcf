//! From what a guest writes to where it leads.
//!
//! A path is walked from the root, one component at a time, through descriptors that name a place without opening it.
//! Symbolic links are read and spliced in here, never followed by the kernel. At each component the rules are asked
//! before anything is looked up, so that what may not be seen gives the same answer whether it is there or not.

use leasehold_lease::RelPath;

use crate::error::{self, FsError, Kind, Wanted};
use crate::readset::Seen;
use crate::rules::Sight;
use crate::sys::{self, At, Errno, Spot, Type};
use crate::view::Turn;

/// Where a guest's path leads.
pub(crate) struct Place {
    /// The resolved path: real directories all the way, no link in it (the last component only if it was not followed).
    pub(crate) path: RelPath,
    pub(crate) sight: Sight,
    /// What is there; `None` when nothing is. Then the guest may know that.
    pub(crate) spot: Option<Spot>,
    /// The directory that holds it; `None` when that is the root.
    pub(crate) parent: Option<Spot>,
    /// How the guest named the last component.
    pub(crate) last: Last,
    /// The guest wrote a slash, `.` or `..` at the end.
    pub(crate) must_be_dir: bool,
}

/// How a guest's path ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// With a name.
    Name,
    /// With a name that was a link; the place is where it leads.
    Link,
    /// With `.`, `..` or nothing: no name that could be made, moved or removed.
    Dots,
}

/// What a guest wrote.
pub(crate) struct GuestPath<'t> {
    /// Components without empty ones and `.`; `..` stays.
    pub(crate) components: Vec<&'t str>,
    pub(crate) must_be_dir: bool,
    dots: bool,
}

impl Place {
    /// The directory to name the last component in.
    pub(crate) fn parent<'a>(&'a self, turn: &'a Turn<'_>) -> At<'a> {
        turn.at(self.parent.as_ref())
    }

    /// The last component, where the guest named one that may be made, moved or removed.
    pub(crate) fn name(&self) -> Result<&str, FsError> {
        match (self.path.file_name(), self.last) {
            (Some(name), Last::Name | Last::Link) => Ok(name),
            (None, _) => Err(FsError::plain(Kind::Busy, &self.path)),
            (Some(_), Last::Dots) => Err(FsError::new(
                Kind::Invalid,
                "PATH-FORMAT",
                format!("{}: the path ends in dots", self.path),
            )),
        }
    }
}

impl<'t> GuestPath<'t> {
    pub(crate) fn is_plain(&self) -> bool {
        !self.components.contains(&"..")
    }
}

impl Turn<'_> {
    /// Reads a guest's path. Nothing is looked up.
    pub(crate) fn parse<'t>(
        &mut self,
        text: &'t str,
        wanted: Wanted,
    ) -> Result<GuestPath<'t>, FsError> {
        if text.is_empty() {
            return Err(FsError::new(
                Kind::NoEntry,
                "PATH-FORMAT",
                "the path is empty",
            ));
        }
        if text.len() > leasehold_lease::MAX_PATH_BYTES {
            return Err(FsError::new(
                Kind::NameTooLong,
                "PATH-FORMAT",
                "the path is too long",
            ));
        }
        if text.contains('\0') {
            return Err(FsError::new(
                Kind::Invalid,
                "PATH-FORMAT",
                "the path contains NUL",
            ));
        }
        if text.starts_with('/') {
            return Err(self.escape(text, wanted));
        }
        let end = text.rsplit('/').next().unwrap_or_default();
        Ok(GuestPath {
            components: text
                .split('/')
                .filter(|part| !matches!(*part, "" | "."))
                .collect(),
            must_be_dir: matches!(end, "" | "." | ".."),
            dots: matches!(
                text.trim_end_matches('/').rsplit('/').next(),
                Some("." | "..")
            ),
        })
    }

    /// Where a path leads from a directory. `follow` says whether a link in the last component is followed, which it
    /// also is when the guest insists on a directory.
    pub(crate) fn resolve(
        &mut self,
        base: &RelPath,
        text: &str,
        follow: bool,
        wanted: Wanted,
    ) -> Result<Place, FsError> {
        let guest = self.parse(text, wanted)?;
        let mut pending: Vec<String> = guest
            .components
            .iter()
            .rev()
            .map(|part| (*part).to_owned())
            .collect();
        let mut must_be_dir = guest.must_be_dir;
        let mut last = if guest.dots { Last::Dots } else { Last::Name };
        let mut links = 0;
        let mut here = base.clone();
        let mut dir = self.exact_dir(base)?;
        let mut parent = None;
        while let Some(step) = pending.pop() {
            if step == ".." {
                let up = here.parent().filter(|_| here != *base);
                let Some(up) = up else {
                    return Err(self.escape(text, wanted));
                };
                // What was left again need not be on the way to anything else that is noted.
                self.state.reads.folder(&here);
                dir = self.exact_dir(&up)?;
                here = up;
                continue;
            }
            let next = here
                .child(&step)
                .map_err(|_| FsError::plain(Kind::NameTooLong, &here))?;
            let sight = self.sight(&next);
            if !sight.passable() {
                return Err(self.deny(&next, wanted));
            }
            let end = pending.is_empty();
            let place = |path, spot, parent, last| Place {
                path,
                sight,
                spot,
                parent,
                last,
                must_be_dir,
            };
            let spot = match sys::spot_at(self.at(dir.as_ref()), &step) {
                Ok(spot) => spot,
                Err(Errno::NotFound) if end && sight.visible() => {
                    return Ok(place(next, None, dir, last));
                }
                Err(Errno::NotFound) => return Err(self.not_there(&next, sight, &pending, wanted)),
                Err(errno) => return Err(host(errno, &next)),
            };
            match spot.meta.kind {
                Type::Directory => {
                    self.examine(&next, &spot, dir.as_ref(), wanted)?;
                    self.state.verified.insert(next.clone());
                    here = next;
                    parent = dir.replace(spot);
                }
                // What is not a directory is only there for who may see it.
                _ if !sight.visible() => {
                    return Err(self.not_there(&next, sight, &pending, wanted));
                }
                Type::Symlink if end && !follow && !must_be_dir => {
                    return Ok(place(next, Some(spot), dir, last));
                }
                Type::Symlink => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(FsError::plain(Kind::Loop, &next));
                    }
                    if end {
                        last = Last::Link;
                    }
                    let target = self.link_target(&next, &spot, wanted)?;
                    must_be_dir |= end && ends_as_dir(&target);
                    let seen = Seen::Link(Some(target.clone()));
                    self.state.reads.found(&next, seen);
                    pending.extend(
                        target
                            .split('/')
                            .rev()
                            .filter(|part| !matches!(*part, "" | "."))
                            .map(str::to_owned),
                    );
                    if pending.len() > MAX_COMPONENTS {
                        return Err(FsError::plain(Kind::NameTooLong, &next));
                    }
                }
                Type::File | Type::Other if end && !must_be_dir => {
                    self.examine(&next, &spot, dir.as_ref(), wanted)?;
                    return Ok(place(next, Some(spot), dir, last));
                }
                Type::File | Type::Other => return Err(FsError::plain(Kind::NotDirectory, &next)),
            }
        }
        // A directory, or the base itself.
        let sight = self.sight(&here);
        let spot = match dir {
            Some(spot) => spot,
            None => sys::spot_of(self.shared.tree.dir()).map_err(|errno| host(errno, &here))?,
        };
        if last != Last::Name {
            // The parent that was left behind on the way need not be the one of where the path ended.
            parent = match here.parent() {
                Some(up) => self.exact_dir(&up)?,
                None => None,
            };
        }
        Ok(Place {
            path: here,
            sight,
            spot: Some(spot),
            parent,
            last,
            must_be_dir,
        })
    }

    /// The directory at a resolved path, with nothing followed; `None` for the root.
    pub(crate) fn exact_dir(&mut self, path: &RelPath) -> Result<Option<Spot>, FsError> {
        if path.is_root() {
            return Ok(None);
        }
        if self.state.verified.contains(path)
            && let Ok(spot) = sys::spot_plain(self.shared.tree.dir(), path.as_str())
            && spot.meta.kind == Type::Directory
            && !self.shared.tree.protected().is_closed(spot.meta.id)
        {
            return Ok(Some(spot));
        }
        let mut here = RelPath::root();
        let mut dir: Option<Spot> = None;
        for name in path.components() {
            here = here
                .child(name)
                .map_err(|_| FsError::plain(Kind::NameTooLong, path))?;
            let spot = match sys::spot_at(self.at(dir.as_ref()), name) {
                Ok(spot) => spot,
                Err(Errno::NotFound) => return Err(FsError::plain(Kind::NoEntry, path)),
                Err(errno) => return Err(host(errno, path)),
            };
            if spot.meta.kind != Type::Directory {
                return Err(FsError::plain(Kind::Changed, path));
            }
            self.examine(&here, &spot, dir.as_ref(), Wanted::List)?;
            self.state.verified.insert(here.clone());
            dir = Some(spot);
        }
        Ok(dir)
    }

    pub(crate) fn at<'a>(&'a self, spot: Option<&'a Spot>) -> At<'a> {
        spot.map_or(At::Dir(self.shared.tree.dir()), At::Spot)
    }

    /// Whether any guest may touch what is there, given the directory it was found in.
    fn examine(
        &mut self,
        path: &RelPath,
        spot: &Spot,
        above: Option<&Spot>,
        wanted: Wanted,
    ) -> Result<(), FsError> {
        if self.shared.tree.protected().is_closed(spot.meta.id) {
            return Err(self.protected(path, wanted));
        }
        let dev = above.map_or(self.shared.tree.dev(), |above| above.meta.id.dev);
        if spot.meta.id.dev != dev
            && sys::is_kernel_view(spot).map_err(|errno| host(errno, path))?
        {
            return Err(self.refuse(path, wanted, error::FILE_TYPE));
        }
        Ok(())
    }

    /// The text of a link that the guest may see.
    pub(crate) fn link_target(
        &mut self,
        path: &RelPath,
        spot: &Spot,
        wanted: Wanted,
    ) -> Result<String, FsError> {
        let bytes = sys::link_target(spot).map_err(|errno| host(errno, path))?;
        let target = String::from_utf8(bytes).map_err(|_| FsError::plain(Kind::NotUtf8, path))?;
        if target.starts_with('/') {
            return Err(self.refuse(path, wanted, error::PATH_ESCAPE));
        }
        Ok(target)
    }

    /// A refusal of a path as the guest wrote it, recorded.
    fn escape(&mut self, text: &str, wanted: Wanted) -> FsError {
        self.state.ledger.add(text, wanted, error::PATH_ESCAPE);
        let message = format!("wanted to {wanted} {text}: the path leads out of its directory");
        FsError::new(Kind::NotPermitted, error::PATH_ESCAPE, message)
    }

    /// The answer for what is not there, or only there for others: "no such entry" where the guest may see the path it
    /// asked for, a denial where it may not. What is really there makes no difference.
    fn not_there(
        &mut self,
        here: &RelPath,
        sight: Sight,
        pending: &[String],
        wanted: Wanted,
    ) -> FsError {
        let seen = if sight.visible() {
            Seen::Nothing
        } else {
            Seen::NoDirectory
        };
        self.state.reads.found(here, seen);
        let mut would_be = here.clone();
        for step in pending.iter().rev() {
            let next = if step == ".." {
                would_be.parent()
            } else {
                would_be.child(step).ok()
            };
            let Some(next) = next else {
                return self.deny(here, wanted);
            };
            would_be = next;
        }
        if self.sight(&would_be).visible() {
            return FsError::no_entry(&would_be);
        }
        self.deny(&would_be, wanted)
    }
}

/// What the host said, as an error. Only where the guest may see the path.
pub(crate) fn host(errno: Errno, path: &RelPath) -> FsError {
    match errno {
        Errno::NotFound => FsError::plain(Kind::NoEntry, path),
        Errno::Exists => FsError::plain(Kind::Exist, path),
        Errno::NotDirectory => FsError::plain(Kind::NotDirectory, path),
        Errno::IsDirectory => FsError::plain(Kind::IsDirectory, path),
        Errno::NotEmpty => FsError::plain(Kind::NotEmpty, path),
        Errno::Link | Errno::Undecided => FsError::plain(Kind::Changed, path),
        Errno::NameTooLong => FsError::plain(Kind::NameTooLong, path),
        Errno::TooLarge => FsError::plain(Kind::TooLarge, path),
        Errno::Invalid => FsError::new(
            Kind::Invalid,
            error::IO,
            format!("{path}: the host calls it invalid"),
        ),
        Errno::NoSpace => FsError::new(Kind::NoSpace, error::IO, format!("{path}: no space left")),
        Errno::CrossDevice => FsError::new(
            Kind::CrossDevice,
            error::IO,
            format!("{path}: on another device"),
        ),
        Errno::Denied => FsError::new(
            Kind::Access,
            "HOST-DENIED",
            format!("{path}: the host's own permissions do not allow it"),
        ),
        Errno::Unsupported => FsError::new(
            Kind::Unsupported,
            error::IO,
            format!("{path}: not possible on this file system"),
        ),
        Errno::Other(number) => {
            FsError::new(Kind::Io, error::IO, format!("{path}: host error {number}"))
        }
    }
}

/// Whether a path's last component says that it is a directory.
pub(crate) fn ends_as_dir(text: &str) -> bool {
    matches!(text.rsplit('/').next(), Some("" | "." | ".."))
}

/// The most links one path may lead through (as on Linux).
const MAX_LINKS: u32 = 40;

/// The most components that may be left to walk.
const MAX_COMPONENTS: usize = 8_192;
