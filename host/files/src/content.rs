//! What is in files: reading and writing through open descriptors.

use std::fs::File;
use std::sync::Arc;

use leasehold_lease::RelPath;

use crate::error::{self, FsError, Kind};
use crate::node::Node;
use crate::reads::{Delivery, Told};
use crate::resolve::host;
use crate::sys::{self, Meta};
use crate::view::{Record, Turn, View};

impl View {
    /// Reads at most `max` bytes from `offset`. The second value says that the end of the file was reached; fewer than
    /// `max` bytes come only then.
    ///
    /// # Errors
    /// [`Kind::BadDescriptor`] when it was not opened for reading; [`Kind::IsDirectory`]; [`Kind::TooLarge`];
    /// [`Kind::Io`].
    pub fn read(&self, node: &Node, offset: u64, max: usize) -> Result<(Vec<u8>, bool), FsError> {
        self.act(|turn| {
            let (file, path) = turn.file(node, node.inner.flags.read)?;
            let meta = sys::meta_of(file).map_err(|errno| host(errno, &path))?;
            turn.read_bytes(file, &path, &meta, offset, max)
        })
    }

    /// Like [`View::read`], into a buffer of the caller. Returns how many bytes there were; fewer than the buffer holds
    /// only at the end of the file.
    ///
    /// # Errors
    /// Those of [`View::read`].
    pub fn read_into(&self, node: &Node, offset: u64, into: &mut [u8]) -> Result<usize, FsError> {
        self.act(|turn| {
            let (file, path) = turn.file(node, node.inner.flags.read)?;
            check_end(&path, offset, into.len())?;
            let meta = sys::meta_of(file).map_err(|errno| host(errno, &path))?;
            let mut filled = 0;
            while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match sys::read_into(file, rest, offset + filled as u64)
                    .map_err(|errno| host(errno, &path))?
                {
                    0 => break,
                    count => filled += count,
                }
                turn.shared.check_revoked()?;
            }
            let bytes = into.get(..filled).unwrap_or_default();
            let told = match filled {
                0 if !into.is_empty() => Told::Size(meta.size),
                _ if filled < into.len() => Told::Size(offset.saturating_add(filled as u64)),
                _ => Told::Nothing,
            };
            turn.deliver(file, &path, &meta, (offset, bytes, told));
            Ok(filled)
        })
    }

    /// Writes all bytes at `offset`; a gap before it becomes zeros and is charged like what is written.
    ///
    /// # Errors
    /// [`Kind::BadDescriptor`] when it was not opened for writing; [`Kind::Quota`], then nothing was written;
    /// [`Kind::TooLarge`]; [`Kind::NoSpace`]; [`Kind::Io`].
    pub fn write(&self, node: &Node, offset: u64, bytes: &[u8]) -> Result<(), FsError> {
        self.change(|turn| {
            let (file, path) = turn.file(node, node.inner.flags.write)?;
            turn.write_bytes(file, &path, Some(offset), bytes)
                .map(|_| ())
        })
    }

    /// Writes all bytes at the end of the file. Returns where they were written.
    ///
    /// # Errors
    /// Those of [`View::write`].
    pub fn append(&self, node: &Node, bytes: &[u8]) -> Result<u64, FsError> {
        self.change(|turn| {
            let (file, path) = turn.file(node, node.inner.flags.write)?;
            turn.write_bytes(file, &path, None, bytes)
        })
    }

    /// Sets the size of the file. What it grows is charged like what is written.
    ///
    /// # Errors
    /// Those of [`View::write`].
    pub fn set_size(&self, node: &Node, size: u64) -> Result<(), FsError> {
        self.change(|turn| {
            let (file, path) = turn.file(node, node.inner.flags.write)?;
            check_end(&path, size, 0)?;
            let meta = turn.writable_meta(file, &path)?;
            turn.charge(size.saturating_sub(meta.size))?;
            turn.before_write(&path, file, &meta)?;
            sys::set_size(file, size).map_err(|errno| host(errno, &path))
        })
    }

    /// Brings the content to the disk; nothing for a descriptor that was not opened for writing.
    ///
    /// # Errors
    /// [`Kind::Io`].
    pub fn sync(&self, node: &Node) -> Result<(), FsError> {
        self.act(|turn| {
            turn.check_owner(node)?;
            match &node.inner.file {
                Some(file) if node.inner.flags.write => {
                    sys::sync(file).map_err(|errno| host(errno, &node.path()))
                }
                _ => Ok(()),
            }
        })
    }
}

impl Turn<'_> {
    /// The open file behind a descriptor of this view, when it was opened for what is wanted now.
    fn file<'n>(
        &self,
        node: &'n Node,
        opened_for_it: bool,
    ) -> Result<(&'n File, Arc<RelPath>), FsError> {
        self.check_owner(node)?;
        let path = node.path();
        let Some(file) = &node.inner.file else {
            return Err(FsError::plain(Kind::IsDirectory, &path));
        };
        if !opened_for_it {
            let message = format!("{path}: the descriptor was not opened for this");
            return Err(FsError::new(
                Kind::BadDescriptor,
                error::HANDLE_RIGHTS,
                message,
            ));
        }
        Ok((file, path))
    }

    /// Reads at most `max` bytes of a file that was in this state when the operation began, recorded.
    pub(crate) fn read_bytes(
        &mut self,
        file: &File,
        path: &RelPath,
        meta: &Meta,
        offset: u64,
        max: usize,
    ) -> Result<(Vec<u8>, bool), FsError> {
        check_end(path, offset, 0)?;
        let left = usize::try_from(meta.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = left.min(max);
        let mut bytes = Vec::with_capacity(wanted);
        while bytes.len() < wanted {
            let at = offset + bytes.len() as u64;
            if sys::read_at(file, &mut bytes, at).map_err(|errno| host(errno, path))? == 0 {
                break;
            }
            self.shared.check_revoked()?;
        }
        // The host may have room for more than was asked for.
        bytes.truncate(wanted);
        let end = max > 0 && (bytes.len() < wanted || left <= max);
        let told = match bytes.len() {
            _ if max == 0 => Told::Nothing,
            0 => Told::Size(meta.size),
            count if end => Told::Size(offset.saturating_add(count as u64)),
            _ => Told::More,
        };
        self.deliver(file, path, meta, (offset, &bytes, told));
        Ok((bytes, end))
    }

    /// Records bytes that were read from a file that was in this state when the operation began.
    fn deliver(
        &mut self,
        file: &File,
        path: &RelPath,
        meta: &Meta,
        (offset, bytes, told): (u64, &[u8], Told),
    ) {
        let contents = self.shared.record == Record::Contents;
        let whole = contents && offset == 0 && !bytes.is_empty() && bytes.len() as u64 == meta.size;
        let memo = self.shared.tree.memo();
        let delivery = Delivery {
            offset,
            len: bytes.len() as u64,
            bytes,
            told,
            digest: whole.then(|| memo.of_content(file, meta, self.began, bytes)),
        };
        self.state.reads.delivered(path, &delivery, contents);
    }

    /// Writes all bytes at `offset`, or at the end. Returns where.
    fn write_bytes(
        &mut self,
        file: &File,
        path: &RelPath,
        offset: Option<u64>,
        bytes: &[u8],
    ) -> Result<u64, FsError> {
        let meta = self.writable_meta(file, path)?;
        let offset = offset.unwrap_or(meta.size);
        check_end(path, offset, bytes.len())?;
        if bytes.is_empty() {
            return Ok(offset);
        }
        let gap = offset.saturating_sub(meta.size);
        self.charge(gap.saturating_add(bytes.len() as u64))?;
        self.before_write(path, file, &meta)?;
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            match sys::write_at(file, rest, offset + done as u64)
                .map_err(|errno| host(errno, path))?
            {
                0 => {
                    return Err(FsError::new(
                        Kind::Io,
                        error::IO,
                        format!("{path}: the host writes nothing"),
                    ));
                }
                count => done += count,
            }
            self.shared.check_revoked()?;
        }
        Ok(offset)
    }

    /// The state of a file that is about to change. A name that was added since it was opened closes it.
    fn writable_meta(&mut self, file: &File, path: &RelPath) -> Result<Meta, FsError> {
        let meta = sys::meta_of(file).map_err(|errno| host(errno, path))?;
        if meta.linked {
            return Err(self.refuse(path, error::Wanted::Write, error::LINK_DENIED));
        }
        Ok(meta)
    }

    /// Notes what a file held before the first change.
    pub(crate) fn before_write(
        &mut self,
        path: &RelPath,
        file: &File,
        meta: &Meta,
    ) -> Result<(), FsError> {
        self.forget(path);
        if !self.state.log.knows(path) {
            let before = crate::changes::content_of(file, meta.size, &self.shared.revoked)
                .map_err(|errno| host(errno, path))?;
            self.state.log.written(path, before);
        }
        self.shared.check_revoked()
    }

    /// Charges bytes to `write_bytes`, or refuses and charges nothing.
    pub(crate) fn charge(&mut self, bytes: u64) -> Result<(), FsError> {
        let most = self.shared.quota.write_bytes;
        match self
            .state
            .written
            .checked_add(bytes)
            .filter(|total| *total <= most)
        {
            Some(total) => {
                self.state.written = total;
                Ok(())
            }
            None => {
                let message = format!(
                    "the call may write {most} bytes and has written {}",
                    self.state.written
                );
                Err(FsError::new(Kind::Quota, error::WRITE_QUOTA, message))
            }
        }
    }

    /// Charges one new file or directory, which costs room even when it is empty.
    pub(crate) fn charge_entry(&mut self) -> Result<(), FsError> {
        if self.state.made >= MAX_MADE {
            let message = format!(
                "the call has made {MAX_MADE} files and directories, the most there may be"
            );
            return Err(FsError::new(Kind::Quota, error::WRITE_QUOTA, message));
        }
        self.state.made += 1;
        Ok(())
    }
}

/// Offsets and sizes are those of Linux files: below 2^63.
fn check_end(path: &RelPath, offset: u64, bytes: usize) -> Result<(), FsError> {
    match offset
        .checked_add(bytes as u64)
        .filter(|end| i64::try_from(*end).is_ok())
    {
        Some(_) => Ok(()),
        None => Err(FsError::plain(Kind::TooLarge, path)),
    }
}

/// The most files and directories one call may make, moves included: they cost room even when they are empty.
const MAX_MADE: u64 = if cfg!(test) { 20 } else { 65_536 };

#[cfg(test)]
mod tests {
    use leasehold_lease::FileGrant;

    use super::*;
    use crate::open::OpenHow;
    use crate::protect::Protected;
    use crate::tree::Tree;
    use crate::view::{Quota, Record};

    #[test]
    fn empty_files_are_not_free() {
        let temp = tempfile::tempdir().unwrap();
        let dir = cap_std::fs::Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority());
        let tree = Tree::open(dir.unwrap(), Protected::default()).unwrap();
        let all = || vec!["**".parse().unwrap()];
        let rules = FileGrant {
            list: all(),
            read: all(),
            write: all(),
            deny: Vec::new(),
        };
        let quota = Quota {
            write_bytes: 0,
            open_files: 1,
        };
        let view = View::open(&tree, rules, quota, Record::Names);
        let root = view.root();
        let create = OpenHow {
            create: true,
            write: true,
            ..OpenHow::default()
        };
        view.open_at(&root, "a", create).unwrap();
        view.rename_at(&root, "a", &root, "b").unwrap();
        for _ in 0..9 {
            view.create_dir_at(&root, "d").unwrap();
            view.remove_dir_at(&root, "d").unwrap();
            view.open_at(&root, "f", create).unwrap();
            view.unlink_at(&root, "f").unwrap();
        }
        let refused = [
            view.create_dir_at(&root, "d"),
            view.open_at(&root, "f", create).map(|_| ()),
            view.rename_at(&root, "b", &root, "c"),
        ];
        for result in refused {
            assert_eq!(result.unwrap_err().kind(), Kind::Quota);
        }
        assert_eq!(view.list(&root).unwrap().len(), 1);
    }
}
