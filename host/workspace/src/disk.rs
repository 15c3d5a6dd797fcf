//! The few file operations that step trees and bringing back are made of.
//!
//! Everything that touches a disk goes through [`Disk`], so that tests can count the operations, let each of them
//! fail, and end the process at any point. Operations take an open folder and one name in it; only
//! [`Disk::open_path`] takes more of them. No symbolic link is ever followed.

use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use leasehold_files::FileId;
use leasehold_lease::RelPath;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Anything else: FIFO, socket, device.
    Other,
}

/// What is known of an entry without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Which file it is, whatever its name.
    pub id: FileId,
    /// What it is.
    pub kind: Type,
    /// Length in bytes.
    pub size: u64,
    /// Permission bits with set-user, set-group and sticky: `0o7777` at most.
    pub mode: u32,
    /// How many names it has.
    pub links: u64,
    /// User and group it belongs to.
    pub owner: (u32, u32),
    /// Time of the last change of the content, in nanoseconds since 1970.
    pub modified: i128,
    /// Time of the last change of anything, in nanoseconds since 1970. No program can set it.
    pub changed: i128,
}

/// A file system, or what a test puts in its place.
///
/// Names are single components, paths are relative and without `..`. Errors are those of the system.
pub trait Disk: Debug + Send + Sync {
    /// What a name stands for, not followed; `None` when nothing is there.
    ///
    /// # Errors
    /// Those of the system; likewise below.
    fn look(&self, dir: &Dir, name: &OsStr) -> io::Result<Option<Meta>>;
    /// What an open file is.
    fn meta(&self, file: &File) -> io::Result<Meta>;
    /// The names in a folder, sorted, without `.` and `..`.
    fn list(&self, dir: &Dir) -> io::Result<Vec<OsString>>;
    /// Opens a folder; fails when the name is a symbolic link.
    fn open_dir(&self, dir: &Dir, name: &OsStr) -> io::Result<Dir>;
    /// Opens the folder at a path, the same folder for the empty one; fails when a component is a symbolic link.
    fn open_path(&self, dir: &Dir, path: &Path) -> io::Result<Dir>;
    /// Opens a file for reading; fails when the name is a symbolic link. Does not wait for the other end of a FIFO.
    fn open_file(&self, dir: &Dir, name: &OsStr) -> io::Result<File>;
    /// Where a symbolic link points to.
    fn link_target(&self, dir: &Dir, name: &OsStr) -> io::Result<OsString>;
    /// Fails when names in this folder cannot be made and removed by this process.
    fn may_change(&self, dir: &Dir) -> io::Result<()>;
    /// Makes a file for reading and writing that did not exist; the process's mask applies to the mode.
    fn make_file(&self, dir: &Dir, name: &OsStr, mode: u32) -> io::Result<File>;
    /// Copies everything that is left to read, sharing blocks where the file system can; returns the bytes.
    fn copy(&self, from: &File, to: &File) -> io::Result<u64>;
    /// Writes everything at the current position.
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<()>;
    /// Cuts or extends, without using room for what is added where the file system can.
    fn set_size(&self, file: &File, size: u64) -> io::Result<()>;
    /// Sets the permission bits exactly.
    fn set_mode(&self, file: &File, mode: u32) -> io::Result<()>;
    /// Gives the file to a user and group.
    fn set_owner(&self, file: &File, owner: (u32, u32)) -> io::Result<()>;
    /// Makes the content of a file durable.
    fn sync_file(&self, file: &File) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, dir: &Dir) -> io::Result<()>;
    /// Makes a folder; the process's mask applies to the mode.
    fn make_dir(&self, dir: &Dir, name: &OsStr, mode: u32) -> io::Result<()>;
    /// Makes a symbolic link.
    fn make_symlink(&self, dir: &Dir, name: &OsStr, target: &OsStr) -> io::Result<()>;
    /// Gives a file a second name.
    fn make_link(&self, dir: &Dir, name: &OsStr, to: &Dir, second: &OsStr) -> io::Result<()>;
    /// Removes anything but a folder.
    fn remove_file(&self, dir: &Dir, name: &OsStr) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_dir(&self, dir: &Dir, name: &OsStr) -> io::Result<()>;
    /// Gives an entry another name in the same folder; atomic. Without `replace` it fails when the name is taken.
    fn rename(&self, dir: &Dir, from: &OsStr, to: &OsStr, replace: bool) -> io::Result<()>;
}

/// The folder that holds a path, and the last component; `None` for the root.
pub(crate) fn open_parent<'a>(
    disk: &dyn Disk,
    root: &Dir,
    path: &'a RelPath,
) -> io::Result<Option<(Dir, &'a OsStr)>> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(None);
    };
    let dir = disk.open_path(root, Path::new(parent.as_str()))?;
    Ok(Some((dir, OsStr::new(name))))
}

/// Opens what was seen by [`Disk::look`] as a regular file; `None` when it is another file by now.
pub(crate) fn open_seen(
    disk: &dyn Disk,
    dir: &Dir,
    name: &OsStr,
    seen: &Meta,
) -> io::Result<Option<File>> {
    let file = disk.open_file(dir, name)?;
    let meta = disk.meta(&file)?;
    Ok((meta.id == seen.id && meta.kind == Type::File).then_some(file))
}

/// Removes an entry with everything below it; nothing when it is not there.
pub(crate) fn remove_tree(disk: &dyn Disk, dir: &Dir, name: &OsStr) -> io::Result<()> {
    let Some(meta) = disk.look(dir, name)? else {
        return Ok(());
    };
    if meta.kind != Type::Directory {
        return disk.remove_file(dir, name);
    }
    // Each folder is opened anew from the top, so that the depth does not use up descriptors.
    let mut pending = vec![(PathBuf::from(name), false)];
    while let Some((path, emptied)) = pending.pop() {
        if emptied {
            let above = path.parent().unwrap_or(Path::new(""));
            let last = path.file_name().unwrap_or_default();
            disk.remove_dir(&disk.open_path(dir, above)?, last)?;
            continue;
        }
        let here = disk.open_path(dir, &path)?;
        pending.push((path.clone(), true));
        for name in disk.list(&here)? {
            match disk.look(&here, &name)? {
                Some(meta) if meta.kind == Type::Directory => {
                    pending.push((path.join(name), false));
                }
                Some(_) => disk.remove_file(&here, &name)?,
                None => {}
            }
        }
    }
    Ok(())
}
