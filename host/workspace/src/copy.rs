//! Copying a workspace, as far as rules show it, into a step tree.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Seek as _};
use std::path::Path;

use cap_std::fs::Dir;
use leasehold_files::{Allowed, FileId, FileRules, Protected};
use leasehold_lease::{RelPath, is_protected_name};
use leasehold_seal::Digest;

use crate::base::Base;
use crate::disk::{Disk, Meta, Type, open_seen};
use crate::entry::{Entry, FileEntry};
use crate::error::WorkspaceError;

/// The folder of a step tree that calls see.
pub(crate) const TREE: &str = "tree";

/// Beside it: second names for files that have several in the workspace.
pub(crate) const NAMES: &str = "names";

/// One copy under way.
pub(crate) struct Copier<'a> {
    disk: &'a dyn Disk,
    from: &'a Dir,
    to: Dir,
    names: Dir,
    rules: &'a dyn FileRules,
    protected: &'a Protected,
    /// The folder of the copy itself, in case it lies in the workspace.
    own: FileId,
    /// Device of the workspace.
    dev: u64,
    /// Whether a file with several names may be read under these rules, as the file view has it.
    reads_linked: bool,
    base: Base,
    fixed: HashSet<FileId>,
    pending: Vec<RelPath>,
}

/// A directory that is being copied: its path, and both sides open.
struct Here {
    path: RelPath,
    from: Dir,
    to: Dir,
}

impl<'a> Copier<'a> {
    /// Prepares a copy into the folder `top`.
    pub(crate) fn new(
        disk: &'a dyn Disk,
        from: &'a Dir,
        rules: &'a dyn FileRules,
        protected: &'a Protected,
        top: &Dir,
    ) -> io::Result<Self> {
        for name in [TREE, NAMES] {
            disk.make_dir(top, OsStr::new(name), 0o700)?;
        }
        Ok(Self {
            disk,
            from,
            to: disk.open_dir(top, OsStr::new(TREE))?,
            names: disk.open_dir(top, OsStr::new(NAMES))?,
            rules,
            protected,
            own: self_meta(disk, top)?.id,
            dev: self_meta(disk, from)?.id.dev,
            reads_linked: rules.reads_everything() && !rules.has_deny(),
            base: Base::default(),
            fixed: HashSet::new(),
            pending: vec![RelPath::root()],
        })
    }

    /// Copies everything; returns the root of the copy, its manifest, and the identities in it that are fixed.
    pub(crate) fn run(mut self) -> Result<(Dir, Base, HashSet<FileId>), WorkspaceError> {
        while let Some(path) = self.pending.pop() {
            let opened = |cause| WorkspaceError::io("open", &path, cause);
            let here = Here {
                from: self
                    .disk
                    .open_path(self.from, Path::new(path.as_str()))
                    .map_err(opened)?,
                to: self
                    .disk
                    .open_path(&self.to, Path::new(path.as_str()))
                    .map_err(opened)?,
                path: path.clone(),
            };
            let names = self
                .disk
                .list(&here.from)
                .map_err(|cause| WorkspaceError::io("list", &path, cause))?;
            for name in names {
                match name.to_str().and_then(|name| path.child(name).ok()) {
                    Some(child) => self.entry(&here, &name, child)?,
                    None => {
                        self.base.unnamed += 1;
                        self.base.blind(&path);
                    }
                }
            }
        }
        Ok((self.to, self.base, self.fixed))
    }

    fn entry(&mut self, here: &Here, name: &OsStr, path: RelPath) -> Result<(), WorkspaceError> {
        let failed = |cause| WorkspaceError::io("copy", &path, cause);
        let Some(meta) = self.disk.look(&here.from, name).map_err(failed)? else {
            return Ok(());
        };
        let allowed = self.rules.at(&path);
        let shown = allowed.list || allowed.read || allowed.write;
        let closed = name.to_str().is_none_or(is_protected_name)
            || self.protected.closed.contains(&meta.id)
            || meta.id == self.own;
        let entry = if closed {
            None
        } else {
            match meta.kind {
                Type::Directory if shown || self.rules.on_the_way(&path) => {
                    self.directory(here, name, &path, &meta).map_err(failed)?
                }
                Type::File if shown => Some(self.file(here, name, &path, &meta, allowed)?),
                Type::Symlink if shown => self.symlink(here, name).map_err(failed)?,
                _ => None,
            }
        };
        if self.protected.fixed.contains(&meta.id) && entry.is_some() {
            self.base.fixed.insert(path.clone());
            if let Some(copy) = self.disk.look(&here.to, name).map_err(failed)? {
                self.fixed.insert(copy.id);
            }
        }
        match entry {
            Some(entry) => {
                self.base.entries.insert(path, entry);
            }
            None => {
                self.base.left_out.insert(path);
                self.base.blind(&here.path);
            }
        }
        Ok(())
    }

    fn directory(
        &mut self,
        here: &Here,
        name: &OsStr,
        path: &RelPath,
        meta: &Meta,
    ) -> io::Result<Option<Entry>> {
        // Another file system: perhaps the kernel's own facts, and nothing can be moved there in one piece.
        if meta.id.dev != self.dev {
            return Ok(None);
        }
        self.disk.make_dir(&here.to, name, 0o700)?;
        self.pending.push(path.clone());
        Ok(Some(Entry::Directory))
    }

    fn symlink(&self, here: &Here, name: &OsStr) -> io::Result<Option<Entry>> {
        let Ok(target) = self.disk.link_target(&here.from, name)?.into_string() else {
            return Ok(None);
        };
        self.disk
            .make_symlink(&here.to, name, OsStr::new(&target))?;
        Ok(Some(Entry::Symlink { target }))
    }

    fn file(
        &mut self,
        here: &Here,
        name: &OsStr,
        path: &RelPath,
        meta: &Meta,
        allowed: Allowed,
    ) -> Result<Entry, WorkspaceError> {
        let failed = |cause| WorkspaceError::io("copy", path, cause);
        let linked = meta.links > 1;
        let executable = meta.mode & 0o100 != 0;
        let copy = self.disk.make_file(&here.to, name, 0o600).map_err(failed)?;
        let source = match (allowed.read || allowed.write) && (!linked || self.reads_linked) {
            true => self.source(here, name, meta).map_err(failed)?,
            false => Source::Hidden,
        };
        let digest = match &source {
            Source::Open(file) => Some(self.content(file, &copy, path, meta)?),
            Source::Hidden | Source::Unreadable => {
                self.disk.set_size(&copy, meta.size).map_err(failed)?;
                None
            }
        };
        let mode = match (&source, executable) {
            (Source::Unreadable, _) => 0,
            (_, true) => 0o700,
            (_, false) => 0o600,
        };
        self.disk.set_mode(&copy, mode).map_err(failed)?;
        if linked {
            let second = self.base.entries.len().to_string();
            self.disk
                .make_link(&here.to, name, &self.names, OsStr::new(&second))
                .map_err(failed)?;
        }
        if digest.is_none() {
            let stamp = self.disk.meta(&copy).map_err(failed)?;
            self.base.hollow.insert(path.clone(), stamp);
        }
        Ok(Entry::File(FileEntry {
            digest,
            size: meta.size,
            executable: mode & 0o100 != 0,
            linked,
            special: false,
        }))
    }

    fn source(&self, here: &Here, name: &OsStr, meta: &Meta) -> io::Result<Source> {
        match open_seen(self.disk, &here.from, name, meta) {
            Ok(Some(file)) => Ok(Source::Open(file)),
            Ok(None) => Err(io::Error::other("it was replaced while it was copied")),
            // The step will find it as unreadable as this process does.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Source::Unreadable),
            Err(error) => Err(error),
        }
    }

    /// Copies the content and returns the digest of what the copy holds.
    fn content(
        &self,
        source: &File,
        mut copy: &File,
        path: &RelPath,
        meta: &Meta,
    ) -> Result<Digest, WorkspaceError> {
        let failed = |cause| WorkspaceError::io("copy", path, cause);
        let bytes = self.disk.copy(source, copy).map_err(failed)?;
        let after = self.disk.meta(source).map_err(failed)?;
        if bytes != meta.size || after != *meta {
            return Err(WorkspaceError::changed(
                path,
                "it was written while it was copied",
            ));
        }
        copy.rewind().map_err(failed)?;
        Digest::of_reader(copy).map_err(failed)
    }
}

/// Where the content of a copy comes from.
enum Source {
    Open(File),
    /// The rules do not show it.
    Hidden,
    /// The system does not let this process read it.
    Unreadable,
}

fn self_meta(disk: &dyn Disk, dir: &Dir) -> io::Result<Meta> {
    disk.meta(&dir.try_clone()?.into_std_file())
}
