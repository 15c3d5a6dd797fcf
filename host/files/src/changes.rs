//! What a call has changed, with what was there before and after.

use std::collections::HashMap;
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};

use leasehold_lease::RelPath;
use leasehold_seal::Digest;
use sha2::{Digest as _, Sha256};

use crate::node::moved_path;
use crate::sys::{self, Access, Errno, Type};
use crate::view::Turn;

/// What was done to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A file was made.
    Create,
    /// A file that was there was written, cut or grown.
    Write,
    /// A file or link was removed.
    Remove,
    /// A file came here from another path.
    MoveFile {
        /// The path it had.
        from: RelPath,
    },
    /// A directory was made.
    CreateDir,
    /// A directory was removed.
    RemoveDir,
    /// A directory came here with everything in it.
    MoveDir {
        /// The path it had.
        from: RelPath,
    },
}

impl Operation {
    /// The word used in records.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Write => "write",
            Operation::Remove => "remove",
            Operation::MoveFile { .. } => "move",
            Operation::CreateDir => "create-dir",
            Operation::RemoveDir => "remove-dir",
            Operation::MoveDir { .. } => "move-dir",
        }
    }
}

/// What a path held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing, or not a regular file.
    Absent,
    /// A file with this content.
    Digest(Digest),
    /// A file of this many bytes that is too large to digest for the record (more than 64 MiB), or that the host could
    /// not read.
    Unknown(u64),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path at the time of the change.
    pub path: RelPath,
    /// What was done.
    pub operation: Operation,
    /// What was there before.
    pub before: Content,
    /// What came of it in the end, under whatever path the file has then.
    pub after: Content,
}

/// What a call has changed, in the order in which the changes began. Writes to one file are one change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeLog {
    /// At most 10,000, the first ones.
    pub list: Vec<Change>,
    /// Changes that are not in the list.
    pub more: u64,
}

/// The log while the call runs.
#[derive(Default)]
pub(crate) struct Log {
    list: Vec<Noted>,
    /// Where in `list` the file now at a path was made, written or moved.
    live: HashMap<RelPath, usize>,
    more: u64,
}

struct Noted {
    path: RelPath,
    operation: Operation,
    before: Content,
    /// Where what came of it is now; `None` when it is gone.
    now: Option<RelPath>,
}

impl Log {
    /// Whether a change to the file now at this path is noted already.
    pub(crate) fn knows(&self, path: &RelPath) -> bool {
        self.live.contains_key(path)
    }

    pub(crate) fn created(&mut self, path: &RelPath) {
        self.note(path, Operation::Create, Content::Absent);
    }

    pub(crate) fn written(&mut self, path: &RelPath, before: Content) {
        self.note(path, Operation::Write, before);
    }

    pub(crate) fn removed(&mut self, path: &RelPath, before: Content) {
        self.end(path);
        self.push(path, Operation::Remove, before, None);
    }

    pub(crate) fn made_dir(&mut self, path: &RelPath) {
        self.push(path, Operation::CreateDir, Content::Absent, None);
    }

    pub(crate) fn removed_dir(&mut self, path: &RelPath) {
        self.push(path, Operation::RemoveDir, Content::Absent, None);
    }

    pub(crate) fn moved_file(&mut self, old: &RelPath, new: &RelPath, before: Content) {
        self.end(old);
        self.end(new);
        self.note(new, Operation::MoveFile { from: old.clone() }, before);
    }

    pub(crate) fn moved_dir(&mut self, old: &RelPath, new: &RelPath) {
        for noted in &mut self.list {
            if let Some(now) = noted.now.as_ref().and_then(|now| moved_path(now, old, new)) {
                noted.now = Some(now);
            }
        }
        let live = std::mem::take(&mut self.live);
        self.live = live
            .into_iter()
            .map(|(path, at)| (moved_path(&path, old, new).unwrap_or(path), at))
            .collect();
        self.push(
            new,
            Operation::MoveDir { from: old.clone() },
            Content::Absent,
            None,
        );
    }

    /// Notes a change whose file stays at `path`.
    fn note(&mut self, path: &RelPath, operation: Operation, before: Content) {
        let at = self.push(path, operation, before, Some(path.clone()));
        self.live.insert(path.clone(), at);
    }

    /// What was at this path is gone from it.
    fn end(&mut self, path: &RelPath) {
        if let Some(noted) = self.live.remove(path).and_then(|at| self.list.get_mut(at)) {
            noted.now = None;
        }
    }

    fn push(
        &mut self,
        path: &RelPath,
        operation: Operation,
        before: Content,
        now: Option<RelPath>,
    ) -> usize {
        if self.list.len() < MAX_CHANGES {
            self.list.push(Noted {
                path: path.clone(),
                operation,
                before,
                now,
            });
            self.list.len() - 1
        } else {
            self.more += 1;
            usize::MAX
        }
    }
}

impl Turn<'_> {
    /// The log, with what is there now.
    pub(crate) fn change_log(&mut self) -> ChangeLog {
        let noted = std::mem::take(&mut self.state.log.list);
        let list = noted
            .iter()
            .map(|noted| Change {
                path: noted.path.clone(),
                operation: noted.operation.clone(),
                before: noted.before,
                after: noted
                    .now
                    .as_ref()
                    .map_or(Content::Absent, |now| self.content_at(now)),
            })
            .collect();
        self.state.log.list = noted;
        ChangeLog {
            list,
            more: self.state.log.more,
        }
    }

    /// The content of the regular file at a resolved path, for the record, not for the guest.
    pub(crate) fn content_at(&mut self, path: &RelPath) -> Content {
        let Some(name) = path.file_name() else {
            return Content::Absent;
        };
        let Ok(dir) = self.exact_dir(&path.parent().unwrap_or_default()) else {
            return Content::Absent;
        };
        let at = self.at(dir.as_ref());
        let Ok(spot) = sys::spot_at(at, name) else {
            return Content::Absent;
        };
        if spot.meta.kind != Type::File {
            return Content::Absent;
        }
        let unknown = Content::Unknown(spot.meta.size);
        let Ok(file) = sys::open_at(
            at,
            name,
            Access {
                read: true,
                write: false,
            },
        ) else {
            return unknown;
        };
        match sys::meta_of(&file) {
            Ok(meta) if meta.id == spot.meta.id => {
                content_of(&file, meta.size, &AtomicBool::new(false)).unwrap_or(unknown)
            }
            _ => unknown,
        }
    }
}

/// The content of an open file. Stops with what is known when the view is ended meanwhile.
pub(crate) fn content_of(file: &File, size: u64, ended: &AtomicBool) -> Result<Content, Errno> {
    if size > MAX_DIGESTED {
        return Ok(Content::Unknown(size));
    }
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; PIECE_BYTES.min(size as usize + 1)];
    let mut offset = 0;
    loop {
        if ended.load(Ordering::Acquire) {
            return Ok(Content::Unknown(size));
        }
        match sys::read_into(file, &mut buffer, offset)? {
            0 => {
                return Ok(Content::Digest(Digest::from_bytes(
                    hasher.finalize().into(),
                )));
            }
            count => {
                hasher.update(buffer.get(..count).unwrap_or_default());
                offset += count as u64;
            }
        }
    }
}

/// The most changes that are kept one by one.
const MAX_CHANGES: usize = 10_000;

/// The largest file whose content is digested for the record of changes, in bytes: 40 ms of hashing.
const MAX_DIGESTED: u64 = 64 * 1024 * 1024;

/// How much is read at a time, in bytes.
const PIECE_BYTES: usize = 256 * 1024;
