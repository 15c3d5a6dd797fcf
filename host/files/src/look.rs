//! Looking at what is there in one system call, where the path is plain and its directory is known.
//!
//! The kernel is told to refuse every link, every way out and every mount on the path ([`sys::spot_plain`]), so this is
//! as strict as the walk of [`resolve`](crate::resolve); what it cannot decide, the walk decides. One thing only the walk
//! sees: a closed folder on the way. Within one mount a folder has one place, so a path that was walked once holds none,
//! unless the host itself moves its closed folder to that very path while the call runs.

use leasehold_lease::RelPath;

use crate::error::{FsError, Wanted};
use crate::resolve::{Last, Place, ends_as_dir};
use crate::rules::Sight;
use crate::sys::{self, Spot, Type};
use crate::view::{Known, Turn};

impl Turn<'_> {
    /// Like [`resolve`](Self::resolve), but in one system call where the path is plain and its directory is known. The
    /// place has no parent then: only for looking, not for changing.
    pub(crate) fn look(
        &mut self,
        base: &RelPath,
        text: &str,
        follow: bool,
        wanted: Wanted,
    ) -> Result<Place, FsError> {
        if let Some((path, known)) = self.plain_path(base, text, wanted)?
            && let Some(spot) = self.plain_spot(&path, known.sight)
            && matches!(spot.meta.kind, Type::File | Type::Directory)
        {
            let sight = known.sight;
            let must_be_dir = ends_as_dir(text);
            if !must_be_dir || spot.meta.kind == Type::Directory {
                if spot.meta.kind == Type::Directory {
                    self.state.verified.insert(path.clone());
                }
                return Ok(Place {
                    path,
                    sight,
                    spot: Some(spot),
                    parent: None,
                    last: Last::Name,
                    must_be_dir,
                });
            }
        }
        self.resolve(base, text, follow, wanted)
    }

    /// The path a guest means if nothing on the way is a link, and what is known about it; `None` where only a walk can tell, or where the rules do
    /// not let the guest see it.
    pub(crate) fn plain_path(
        &mut self,
        base: &RelPath,
        text: &str,
        wanted: Wanted,
    ) -> Result<Option<(RelPath, Known)>, FsError> {
        let guest = self.parse(text, wanted)?;
        if !guest.is_plain() || guest.components.is_empty() {
            return Ok(None);
        }
        let path = match guest.components.as_slice() {
            [name] => base.child(name),
            parts => base.join(&parts.join("/")),
        };
        let Ok(path) = path else { return Ok(None) };
        let parent = path.parent().unwrap_or_default();
        if !parent.is_root() && !self.state.verified.contains(&parent) {
            return Ok(None);
        }
        let known = self.known(&path);
        Ok(known.sight.passable().then_some((path, known)))
    }

    /// What is at a path whose directory was verified; `None` when only a walk can tell.
    fn plain_spot(&self, path: &RelPath, sight: Sight) -> Option<Spot> {
        let spot = sys::spot_plain(self.shared.tree.dir(), path.as_str()).ok()?;
        let visible = spot.meta.kind == Type::Directory || sight.visible();
        (visible && !self.shared.tree.protected().is_closed(spot.meta.id)).then_some(spot)
    }
}
