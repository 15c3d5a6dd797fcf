//! A private copy of what the rights of a step show.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use leasehold_files::{FileRules, Protected};
use tempfile::TempDir;

use crate::base::Base;
use crate::copy::{self, Copier};
use crate::difference::Difference;
use crate::disk::remove_tree;
use crate::error::WorkspaceError;
use crate::os_disk::OsDisk;

/// A folder that a step may change as its rights allow, while the workspace stays as it is.
///
/// It holds what the rules let the step list, read or write, and the directories on the way there. Symbolic links are
/// copied as they are, never followed. Left out, and counted: what the rules hide, names that fold to `.git`, names
/// and links that are not UTF-8, FIFOs, sockets, devices, what is closed by identity, and folders that lie on another
/// file system. A file whose content the step may not read is an empty file of the same length; one with several
/// names has several names here, too, so that the file view refuses it as it would in the workspace.
///
/// Dropping it removes the folder.
#[derive(Debug)]
pub struct StepTree {
    root: Dir,
    path: PathBuf,
    base: Arc<Base>,
    protected: Protected,
    folder: Folder,
}

impl StepTree {
    /// Copies the workspace as far as the rules show it into a new folder (mode 0700) below `scratch`, which must
    /// exist and lie outside the workspace.
    ///
    /// # Errors
    /// [`WorkspaceError::Scratch`] without a folder to copy into; [`WorkspaceError::Changed`] when a file changes
    /// while it is copied; [`WorkspaceError::Full`] and [`WorkspaceError::Io`] from the file system.
    pub fn make(
        workspace: &Dir,
        rules: &dyn FileRules,
        protected: &Protected,
        scratch: &Path,
    ) -> Result<Self, WorkspaceError> {
        let failed = |cause| WorkspaceError::Scratch {
            scratch: scratch.to_owned(),
            cause,
        };
        let folder = private_folder(scratch).map_err(failed)?;
        let top = Dir::open_ambient_dir(folder.path(), ambient_authority()).map_err(failed)?;
        let copier = Copier::new(&OsDisk, workspace, rules, protected, &top).map_err(failed)?;
        let (root, base, fixed) = copier.run()?;
        Ok(Self {
            root,
            path: folder.path().join(copy::TREE),
            base: Arc::new(base),
            protected: Protected {
                // No call can make a link, so nothing that is closed in the workspace can be reached from here; and
                // this folder may lie in the home, which is closed.
                closed: std::collections::HashSet::new(),
                fixed,
                fixed_paths: protected.fixed_paths.clone(),
            },
            folder: Folder {
                top,
                temporary: folder,
            },
        })
    }

    /// The root of the copy, open.
    #[must_use]
    pub fn root(&self) -> &Dir {
        &self.root
    }

    /// The root of the copy by its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is closed to the step in the copy: the rule files by their identity there, and the same fixed paths.
    #[must_use]
    pub fn protected(&self) -> Protected {
        self.protected.clone()
    }

    /// How many entries of the workspace are not in the copy; a folder that was left out counts as one.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.base.left_out.len() as u64 + self.base.unnamed
    }

    /// What differs now from what the step was given, read from the disk: contents, executable bits, links, types. A
    /// file that was moved is one that was removed and one that was added.
    ///
    /// # Errors
    /// [`WorkspaceError::Name`] when there is a name that no call can have made; those of the file system.
    pub fn difference(&self) -> Result<Difference, WorkspaceError> {
        Difference::take(&OsDisk, &self.root, &self.base)
    }

    /// Removes the folder and says whether that went well, which dropping does not.
    ///
    /// # Errors
    /// [`WorkspaceError::Scratch`] when something of it remains.
    pub fn remove(self) -> Result<(), WorkspaceError> {
        let scratch = self.folder.temporary.path().to_owned();
        self.folder
            .clear()
            .map_err(|cause| WorkspaceError::Scratch { scratch, cause })
    }
}

/// The folder around the copy.
#[derive(Debug)]
struct Folder {
    top: Dir,
    /// Removes what is left of the folder when it is dropped, but needs a descriptor for each level.
    temporary: TempDir,
}

impl Folder {
    fn clear(&self) -> std::io::Result<()> {
        remove_tree(&OsDisk, &self.top, OsStr::new(copy::TREE))?;
        remove_tree(&OsDisk, &self.top, OsStr::new(copy::NAMES))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Whoever has to know calls `StepTree::remove`.
        let _ = self.clear();
    }
}

fn private_folder(scratch: &Path) -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("step-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(scratch)
}
