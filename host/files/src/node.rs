//! Open descriptors of a call.

use std::fs::File;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use leasehold_lease::RelPath;

use crate::error::{self, FsError, Kind};
use crate::view::{Shared, Turn};

/// What an open descriptor may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Content may be read; for a directory: it may be listed.
    pub read: bool,
    /// Content may be written.
    pub write: bool,
    /// Entries below this directory may be opened for writing, made, moved and removed, where the rules allow it.
    pub mutate: bool,
}

/// An open descriptor: a directory or a regular file.
///
/// Cheap to clone; clones are the same descriptor, which is closed when the last one is dropped.
#[derive(Clone)]
pub struct Node {
    pub(crate) inner: Arc<NodeInner>,
}

pub(crate) struct NodeInner {
    shared: Arc<Shared>,
    /// Where it is; changes when the call itself moves it.
    path: Mutex<Arc<RelPath>>,
    /// The open file; directories are looked up again by their path each time, so that what they are called decides.
    pub(crate) file: Option<File>,
    pub(crate) flags: Flags,
    counted: bool,
}

impl Node {
    /// The root, which is always open and not counted.
    pub(crate) fn root(shared: Arc<Shared>) -> Self {
        let flags = Flags {
            read: true,
            write: false,
            mutate: true,
        };
        let path = Mutex::new(Arc::default());
        Self {
            inner: Arc::new(NodeInner {
                shared,
                path,
                file: None,
                flags,
                counted: false,
            }),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> Arc<RelPath> {
        let path = self.inner.path.lock();
        Arc::clone(&path.unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it is a directory; otherwise it is a regular file.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.inner.file.is_none()
    }

    /// What it was opened for.
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.inner.flags
    }

    /// Whether both are at the same path.
    #[must_use]
    pub fn is_same(&self, other: &Node) -> bool {
        self.path() == other.path()
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Node")
            .field("path", &self.path().as_str())
            .field("dir", &self.is_dir())
            .field("flags", &self.inner.flags)
            .finish()
    }
}

impl Drop for NodeInner {
    fn drop(&mut self) {
        if self.counted {
            self.shared.open.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Turn<'_> {
    /// Opens a descriptor.
    pub(crate) fn node(
        &mut self,
        path: RelPath,
        file: Option<File>,
        flags: Flags,
    ) -> Result<Node, FsError> {
        self.claim_slot()?;
        let inner = Arc::new(NodeInner {
            shared: Arc::clone(self.shared),
            path: Mutex::new(Arc::new(path)),
            file,
            flags,
            counted: true,
        });
        let nodes = &mut self.state.nodes;
        if nodes.len() >= 64 && nodes.len() == nodes.capacity() {
            nodes.retain(|node| node.strong_count() > 0);
        }
        nodes.push(Arc::downgrade(&inner));
        Ok(Node { inner })
    }

    /// Whether one more descriptor may be opened; asked before the host opens anything for it.
    pub(crate) fn check_slot(&self) -> Result<(), FsError> {
        let most = self.shared.quota.open_files;
        if self.shared.open.load(Ordering::Acquire) < most {
            return Ok(());
        }
        let message = format!("the call already has {most} open files and directories");
        Err(FsError::new(Kind::TooManyOpen, error::OPEN_FILES, message))
    }

    fn claim_slot(&mut self) -> Result<(), FsError> {
        // Opening is serialised by the turn; only closing happens beside it, which makes room.
        self.check_slot()?;
        self.shared.open.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Tells the open descriptors that what was at `old` is now at `new`.
    pub(crate) fn moved(&mut self, old: &RelPath, new: &RelPath) {
        for node in self.state.nodes.iter().filter_map(Weak::upgrade) {
            let mut path = node.path.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(now) = moved_path(&path, old, new) {
                *path = Arc::new(now);
            }
        }
    }

    /// A descriptor of this very view, as a directory that may be changed below if `mutate` is asked for.
    pub(crate) fn dir_path(&self, node: &Node, mutate: bool) -> Result<Arc<RelPath>, FsError> {
        self.check_owner(node)?;
        let path = node.path();
        if !node.is_dir() {
            return Err(FsError::plain(Kind::NotDirectory, &path));
        }
        if mutate && !node.inner.flags.mutate {
            let message = format!("{path}: the directory was not opened for changes");
            return Err(FsError::new(Kind::ReadOnly, error::HANDLE_RIGHTS, message));
        }
        Ok(path)
    }

    pub(crate) fn check_owner(&self, node: &Node) -> Result<(), FsError> {
        if Arc::ptr_eq(&node.inner.shared, self.shared) {
            return Ok(());
        }
        Err(FsError::new(
            Kind::BadDescriptor,
            error::HANDLE_RIGHTS,
            "the descriptor belongs to another call",
        ))
    }
}

/// Where `path` is after `old` became `new`; `None` when it is not affected.
pub(crate) fn moved_path(path: &RelPath, old: &RelPath, new: &RelPath) -> Option<RelPath> {
    if !path.starts_with(old) {
        return None;
    }
    let rest = path
        .as_str()
        .get(old.as_str().len()..)?
        .trim_start_matches('/');
    new.join(rest).ok()
}
