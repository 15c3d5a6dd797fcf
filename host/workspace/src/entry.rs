//! What stands at a path, as far as steps and patches are concerned.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use cap_std::fs::Dir;
use leasehold_lease::RelPath;
use leasehold_seal::Digest;
use serde::{Deserialize, Serialize};

use crate::disk::{Disk, Meta, Type, open_seen};

/// What stands at a path. Directories have no attributes of their own here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// A regular file.
    File(FileEntry),
    /// A directory; what is in it are entries of their own.
    Directory,
    /// A symbolic link.
    Symlink {
        /// Where it points to, as text; never followed.
        target: String,
    },
    /// A FIFO, socket or device, or a link whose target is not UTF-8.
    Other,
}

/// What is known of a regular file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// SHA-256 of the content; `None` where the step was not shown it.
    pub digest: Option<Digest>,
    /// Length in bytes.
    pub size: u64,
    /// Whether the owner may execute it.
    pub executable: bool,
    /// Whether it has more than one name.
    pub linked: bool,
    /// Whether it has a set-user, set-group or sticky bit.
    pub special: bool,
}

impl Entry {
    /// The word used in messages.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Entry::File(_) => "file",
            Entry::Directory => "directory",
            Entry::Symlink { .. } => "symbolic link",
            Entry::Other => "special file",
        }
    }
}

/// An entry and everything below it; the keys are relative to it, its own is empty.
pub(crate) type Subtree = BTreeMap<String, Entry>;

/// Reads what stands at a name, content included. `None` when it changes under the reading.
pub(crate) fn read_entry(
    disk: &dyn Disk,
    dir: &Dir,
    name: &OsStr,
    meta: &Meta,
) -> io::Result<Option<Entry>> {
    Ok(Some(match meta.kind {
        Type::Directory => Entry::Directory,
        Type::Other => Entry::Other,
        Type::Symlink => match disk.link_target(dir, name)?.into_string() {
            Ok(target) => Entry::Symlink { target },
            Err(_) => Entry::Other,
        },
        Type::File => {
            let Some(file) = open_seen(disk, dir, name, meta)? else {
                return Ok(None);
            };
            Entry::File(file_entry(meta, Some(Digest::of_reader(&file)?)))
        }
    }))
}

pub(crate) fn file_entry(meta: &Meta, digest: Option<Digest>) -> FileEntry {
    FileEntry {
        digest,
        size: meta.size,
        executable: meta.mode & 0o100 != 0,
        linked: meta.links > 1,
        special: meta.mode & 0o7000 != 0,
    }
}

/// Whether exactly this stands at `name`: nothing missing, nothing more, every content the same.
pub(crate) fn is_there(
    disk: &dyn Disk,
    dir: &Dir,
    name: &OsStr,
    wanted: &Subtree,
) -> io::Result<bool> {
    let mut seen = 0;
    let mut pending = vec![RelPath::root()];
    while let Some(path) = pending.pop() {
        let Some(entry) = wanted.get(path.as_str()) else {
            return Ok(false);
        };
        let (holder, last) = below(disk, dir, name, &path)?;
        let Some(meta) = disk.look(&holder, &last)? else {
            return Ok(false);
        };
        if !same(disk, &holder, &last, &meta, entry)? {
            return Ok(false);
        }
        seen += 1;
        if meta.kind == Type::Directory {
            for child in disk.list(&disk.open_dir(&holder, &last)?)? {
                let child = child.to_str().and_then(|child| path.child(child).ok());
                let Some(child) = child else {
                    return Ok(false);
                };
                pending.push(child);
            }
        }
    }
    Ok(seen == wanted.len())
}

/// The folder and the name of an entry below `dir/name`.
pub(crate) fn below(
    disk: &dyn Disk,
    dir: &Dir,
    name: &OsStr,
    path: &RelPath,
) -> io::Result<(Dir, OsString)> {
    let (Some(parent), Some(last)) = (path.parent(), path.file_name()) else {
        return Ok((disk.open_path(dir, Path::new(""))?, name.to_owned()));
    };
    let holder = Path::new(name).join(parent.as_str());
    Ok((disk.open_path(dir, &holder)?, last.into()))
}

fn same(disk: &dyn Disk, dir: &Dir, name: &OsStr, meta: &Meta, wanted: &Entry) -> io::Result<bool> {
    // The content is read only where the rest agrees. A special bit of the workspace is not shown to steps.
    if let Entry::File(wanted) = wanted {
        let seen = file_entry(meta, wanted.digest);
        let alike = FileEntry {
            special: wanted.special,
            ..seen
        } == *wanted;
        if meta.kind != Type::File || !alike {
            return Ok(false);
        }
    }
    let Some(found) = read_entry(disk, dir, name, meta)? else {
        return Ok(false);
    };
    Ok(match (&found, wanted) {
        (Entry::File(found), Entry::File(wanted)) => found.digest == wanted.digest,
        _ => found == *wanted,
    })
}
