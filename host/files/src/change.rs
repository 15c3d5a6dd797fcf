//! Making, moving and removing.

use leasehold_lease::{RelPath, is_protected_name};

use crate::error::{self, FsError, Kind, Wanted};
use crate::node::Node;
use crate::resolve::{Last, Place, host};
use crate::sys::{self, Errno, Spot, Type};
use crate::view::{Turn, View};

impl View {
    /// Makes a directory.
    ///
    /// # Errors
    /// [`Kind::Access`] where the path may not be written, whether something is there or not; [`Kind::Exist`];
    /// [`Kind::Quota`]; and the kinds of path resolution.
    pub fn create_dir_at(&self, dir: &Node, path: &str) -> Result<(), FsError> {
        self.change(|turn| {
            let base = turn.dir_path(dir, true)?;
            let place = turn.resolve(&base, path, false, Wanted::Write)?;
            if !place.sight.write {
                return Err(turn.deny(&place.path, Wanted::Write));
            }
            if place.spot.is_some() {
                return Err(FsError::plain(Kind::Exist, &place.path));
            }
            turn.check_make(&place)?;
            turn.charge_entry()?;
            sys::create_dir(place.parent(turn), place.name()?)
                .map_err(|errno| host(errno, &place.path))?;
            turn.state.log.made_dir(&place.path);
            Ok(())
        })
    }

    /// Removes an empty directory. Whether it is empty is thereby known to whoever may remove it, also where something
    /// in it is hidden.
    ///
    /// # Errors
    /// [`Kind::Access`] where the path may not be written; [`Kind::NotEmpty`]; [`Kind::NotDirectory`]; [`Kind::Busy`]
    /// for the root; and the kinds of path resolution.
    pub fn remove_dir_at(&self, dir: &Node, path: &str) -> Result<(), FsError> {
        self.change(|turn| {
            let base = turn.dir_path(dir, true)?;
            let place = turn.resolve(&base, path, false, Wanted::Write)?;
            let spot = turn.removable(&place)?;
            if spot.meta.kind != Type::Directory || place.last == Last::Link {
                return Err(FsError::plain(Kind::NotDirectory, &place.path));
            }
            sys::remove_dir(place.parent(turn), place.name()?)
                .map_err(|errno| host(errno, &place.path))?;
            turn.forget_all();
            turn.state.log.removed_dir(&place.path);
            Ok(())
        })
    }

    /// Removes anything but a directory; a link itself, never what it points to.
    ///
    /// # Errors
    /// [`Kind::Access`] where the path may not be written; [`Kind::IsDirectory`]; and the kinds of path resolution.
    pub fn unlink_at(&self, dir: &Node, path: &str) -> Result<(), FsError> {
        self.change(|turn| {
            let base = turn.dir_path(dir, true)?;
            let place = turn.resolve(&base, path, false, Wanted::Write)?;
            let spot = turn.removable(&place)?;
            if spot.meta.kind == Type::Directory {
                return Err(FsError::plain(Kind::IsDirectory, &place.path));
            }
            let before = turn.content_at(&place.path);
            turn.shared.check_revoked()?;
            sys::remove_file(place.parent(turn), place.name()?)
                .map_err(|errno| host(errno, &place.path))?;
            turn.forget(&place.path);
            turn.state.log.removed(&place.path, before);
            Ok(())
        })
    }

    /// Moves a file or directory. A file that is at the new path is replaced, as is an empty directory.
    ///
    /// A file is moved where both paths may be written and the new one gives no right to read that the old one did not
    /// give. A directory is moved where everything below either path has the same rights and nothing below is denied,
    /// protected, a link, special, or of several names. Links are never moved: guests make none.
    ///
    /// # Errors
    /// [`Kind::Access`] where the rules do not allow it; [`Kind::Quota`]; [`Kind::Changed`] when something else was
    /// moved because the host changed it meanwhile; and the kinds of path resolution.
    pub fn rename_at(
        &self,
        old_dir: &Node,
        old: &str,
        new_dir: &Node,
        new: &str,
    ) -> Result<(), FsError> {
        self.change(|turn| {
            let old_base = turn.dir_path(old_dir, true)?;
            let new_base = turn.dir_path(new_dir, true)?;
            let old = turn.resolve(&old_base, old, false, Wanted::Write)?;
            let new = turn.resolve(&new_base, new, false, Wanted::Write)?;
            let kind = turn.removable(&old)?.meta.kind;
            new.name()?;
            if old.last == Last::Link || new.last == Last::Link {
                return Err(turn.refuse(&old.path, Wanted::Write, error::LINK_DENIED));
            }
            if new.spot.is_some() {
                turn.removable(&new)?;
            } else {
                turn.check_make(&new)?;
            }
            if old.path == new.path {
                return Ok(());
            }
            match kind {
                Type::File => turn.move_file(&old, &new),
                Type::Directory => turn.move_dir(&old, &new),
                Type::Symlink => Err(turn.refuse(&old.path, Wanted::Write, error::LINK_DENIED)),
                Type::Other => Err(turn.refuse(&old.path, Wanted::Write, error::FILE_TYPE)),
            }
        })
    }

    /// Refuses to make a link, hard or symbolic, at a path: no guest makes links.
    ///
    /// # Errors
    /// Always: [`Kind::NotPermitted`], code `LINK-DENIED`.
    pub fn link_at(&self, dir: &Node, path: &str) -> Result<(), FsError> {
        self.change(|turn| {
            turn.dir_path(dir, false)?;
            turn.state.ledger.add(
                path.get(..MAX_SHOWN).unwrap_or(path),
                Wanted::Write,
                error::LINK_DENIED,
            );
            Err(FsError::new(
                Kind::NotPermitted,
                error::LINK_DENIED,
                "guests make no links",
            ))
        })
    }

    /// Answers a request to set the times of what a path leads to: whether that may be written. Times a guest sees are
    /// fixed, so nothing is changed.
    ///
    /// # Errors
    /// [`Kind::Access`] where the path may not be written; and the kinds of path resolution.
    pub fn set_times_at(&self, dir: &Node, path: &str, follow: bool) -> Result<(), FsError> {
        self.change(|turn| {
            let base = turn.dir_path(dir, false)?;
            let place = turn.look(&base, path, follow, Wanted::Write)?;
            if !place.sight.write {
                return Err(turn.deny(&place.path, Wanted::Write));
            }
            turn.there(&place).map(|_| ())
        })
    }
}

impl Turn<'_> {
    /// What is at a place, when the call may take it away from there.
    fn removable<'p>(&mut self, place: &'p Place) -> Result<&'p Spot, FsError> {
        if !place.sight.write {
            return Err(self.deny(&place.path, Wanted::Write));
        }
        place.name()?;
        self.there(place)?;
        let Some(spot) = &place.spot else {
            return Err(FsError::plain(Kind::NoEntry, &place.path));
        };
        let protected = self.shared.tree.protected();
        if protected.is_fixed(spot.meta.id) || protected.is_fixed_path(&place.path) {
            return Err(self.protected(&place.path, Wanted::Write));
        }
        Ok(spot)
    }

    fn move_file(&mut self, old: &Place, new: &Place) -> Result<(), FsError> {
        if new.must_be_dir {
            return Err(FsError::plain(Kind::NotDirectory, &new.path));
        }
        if old.spot.as_ref().is_some_and(|spot| spot.meta.linked) {
            return Err(self.refuse(&old.path, Wanted::Write, error::LINK_DENIED));
        }
        // Else a file that may only be written could be moved to where it may be read.
        if new.sight.read && !old.sight.read {
            return Err(self.deny(&old.path, Wanted::Read));
        }
        if new
            .spot
            .as_ref()
            .is_some_and(|spot| spot.meta.kind == Type::Directory)
        {
            return Err(FsError::plain(Kind::IsDirectory, &new.path));
        }
        let before = self.content_at(&new.path);
        self.carry(old, new)?;
        self.forget(&old.path);
        self.forget(&new.path);
        self.state.log.moved_file(&old.path, &new.path, before);
        self.moved(&old.path, &new.path);
        Ok(())
    }

    fn move_dir(&mut self, old: &Place, new: &Place) -> Result<(), FsError> {
        if new.path.starts_with(&old.path) {
            let message = format!("{}: a directory cannot be moved into itself", old.path);
            return Err(FsError::new(Kind::Invalid, "PATH-FORMAT", message));
        }
        let rules = &self.shared.rules;
        let (from, to) = (rules.subtree(&old.path), rules.subtree(&new.path));
        if from != to || !from.is_some_and(|allowed| allowed.write) {
            return Err(self.deny(&old.path, Wanted::Write));
        }
        let protected = self.shared.tree.protected();
        if protected.may_be_fixed_within(&old.path) || protected.may_be_fixed_within(&new.path) {
            return Err(self.protected(&old.path, Wanted::Write));
        }
        if new
            .spot
            .as_ref()
            .is_some_and(|spot| spot.meta.kind != Type::Directory)
        {
            return Err(FsError::plain(Kind::NotDirectory, &new.path));
        }
        self.check_contents(&old.path)?;
        self.carry(old, new)?;
        self.forget_all();
        self.state.log.moved_dir(&old.path, &new.path);
        self.moved(&old.path, &new.path);
        Ok(())
    }

    /// Moves the entry, and checks that it was the one that was looked at.
    fn carry(&mut self, old: &Place, new: &Place) -> Result<(), FsError> {
        self.charge_entry()?;
        self.shared.check_revoked()?;
        let (old_at, new_at) = (old.parent(self), new.parent(self));
        let (old_name, new_name) = (old.name()?, new.name()?);
        let replace = new.spot.is_some();
        let moved = match sys::rename(old_at, old_name, new_at, new_name, replace) {
            // Not every file system can promise not to replace.
            Err(Errno::Invalid) if !replace => {
                sys::rename(old_at, old_name, new_at, new_name, true)
            }
            moved => moved,
        };
        moved.map_err(|errno| host(errno, &new.path))?;
        let expected = old.spot.as_ref().map(|spot| spot.meta.id);
        let found = sys::spot_at(new_at, new_name).ok().map(|spot| spot.meta.id);
        if found == expected {
            return Ok(());
        }
        // The host swapped it in between. Put it back if nothing has taken its place.
        let _ = sys::rename(new_at, new_name, old_at, old_name, false);
        Err(FsError::plain(Kind::Changed, &old.path))
    }

    /// Whether everything below a directory may be moved with it.
    fn check_contents(&mut self, top: &RelPath) -> Result<(), FsError> {
        let mut ahead = vec![top.clone()];
        let mut seen = 0_u64;
        while let Some(path) = ahead.pop() {
            let Some(spot) = self.exact_dir(&path)? else {
                return Err(FsError::plain(Kind::Busy, &path));
            };
            let dir = sys::open_listing(&spot).map_err(|errno| host(errno, &path))?;
            for entry in sys::entries(&dir).map_err(|errno| host(errno, &path))? {
                self.shared.check_revoked()?;
                seen += 1;
                if seen > MAX_MOVED {
                    let message =
                        format!("{top}: more than {MAX_MOVED} entries cannot be moved at once");
                    return Err(FsError::new(Kind::Quota, error::WRITE_QUOTA, message));
                }
                let child = entry
                    .name
                    .as_deref()
                    .and_then(|name| Some((name, path.child(name).ok()?)));
                // A name that cannot be written cannot be matched with a deny rule either.
                let Some((name, child)) = child else {
                    return Err(self.refuse(top, Wanted::Write, error::PATH_DENIED));
                };
                let meta = sys::meta_at(&dir, name).map_err(|errno| host(errno, &child))?;
                if is_protected_name(name) || self.shared.tree.protected().is_fixed(meta.id) {
                    return Err(self.protected(&child, Wanted::Write));
                }
                match meta.kind {
                    Type::Directory if meta.id.dev == spot.meta.id.dev => ahead.push(child),
                    Type::File if !meta.linked => {}
                    Type::File | Type::Symlink => {
                        return Err(self.refuse(&child, Wanted::Write, error::LINK_DENIED));
                    }
                    Type::Directory | Type::Other => {
                        return Err(self.refuse(&child, Wanted::Write, error::FILE_TYPE));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The most entries that are moved with a directory.
const MAX_MOVED: u64 = 65_536;

/// How much of a path that leads nowhere is recorded, in bytes.
const MAX_SHOWN: usize = 4_096;
