//! A folder that was opened and checked once, and that many calls may look at.

use std::sync::Arc;

use cap_std::fs::Dir;

use crate::error::ViewError;
use crate::memo::DigestMemo;
use crate::protect::Protected;
use crate::sys;

/// The root of a workspace, open, together with what is closed to every guest.
///
/// Cheap to clone; make one for a workspace and a [`View`](crate::View) of it for each call.
#[derive(Clone, Debug)]
pub struct Tree {
    inner: Arc<Inner>,
    memo: DigestMemo,
}

#[derive(Debug)]
struct Inner {
    dir: Dir,
    protected: Protected,
    /// Device of the root: a different one below is another file system.
    dev: u64,
}

impl Tree {
    /// Takes an open directory as the root of a workspace.
    ///
    /// # Errors
    /// [`ViewError::UnsupportedPlatform`] elsewhere than on Linux; [`ViewError::Protected`] when the directory is
    /// closed or lies below a closed one; [`ViewError::Io`] when it cannot be examined or is not a directory.
    pub fn open(dir: Dir, protected: Protected) -> Result<Self, ViewError> {
        if !sys::SUPPORTED {
            return Err(ViewError::UnsupportedPlatform);
        }
        let mut place = sys::spot_of(&dir).map_err(io)?;
        let dev = place.meta.id.dev;
        loop {
            if protected.is_closed(place.meta.id) {
                return Err(ViewError::Protected);
            }
            let above = sys::above(&place).map_err(io)?;
            if above.meta.id == place.meta.id {
                break;
            }
            place = above;
        }
        Ok(Self {
            inner: Arc::new(Inner {
                dir,
                protected,
                dev,
            }),
            memo: DigestMemo::new(),
        })
    }

    /// The same tree with another memo of digests than the empty one that a tree has at first: what it knows is not
    /// hashed again. Views of one tree share its memo.
    #[must_use]
    pub fn with_memo(&self, memo: &DigestMemo) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            memo: memo.clone(),
        }
    }

    pub(crate) fn memo(&self) -> &DigestMemo {
        &self.memo
    }

    pub(crate) fn dir(&self) -> &Dir {
        &self.inner.dir
    }

    pub(crate) fn protected(&self) -> &Protected {
        &self.inner.protected
    }

    pub(crate) fn dev(&self) -> u64 {
        self.inner.dev
    }
}

fn io(error: sys::Errno) -> ViewError {
    ViewError::Io(std::io::Error::other(format!("{error:?}")))
}
