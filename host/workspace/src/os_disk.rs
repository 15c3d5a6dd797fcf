//! Linux.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use cap_std::fs::Dir;
use leasehold_files::FileId;
use rustix::fs::{
    Access, AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, ResolveFlags, Stat, Uid,
};

use crate::disk::{Disk, Meta, Type};

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

impl Disk for OsDisk {
    fn look(&self, dir: &Dir, name: &OsStr) -> io::Result<Option<Meta>> {
        match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(meta(&stat))),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn meta(&self, file: &File) -> io::Result<Meta> {
        Ok(meta(&rustix::fs::fstat(file)?))
    }

    fn list(&self, dir: &Dir) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::new(reopened(dir)?)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if !matches!(name.as_slice(), b"." | b"..") {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn open_dir(&self, dir: &Dir, name: &OsStr) -> io::Result<Dir> {
        let fd = rustix::fs::openat(dir, name, FOLDER, Mode::empty())?;
        Ok(Dir::from_std_file(fd.into()))
    }

    fn open_path(&self, dir: &Dir, path: &Path) -> io::Result<Dir> {
        use rustix::io::Errno;
        if path.as_os_str().is_empty() {
            return Ok(Dir::from_std_file(reopened(dir)?.into()));
        }
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match rustix::fs::openat2(dir, path, FOLDER, Mode::empty(), how) {
            Ok(fd) => Ok(Dir::from_std_file(fd.into())),
            // The kernel or a filter has no such call, something moved meanwhile, or the path is at its longest.
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN | Errno::NAMETOOLONG) => {
                let mut found = Dir::from_std_file(reopened(dir)?.into());
                for name in path {
                    found = self.open_dir(&found, name)?;
                }
                Ok(found)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn open_file(&self, dir: &Dir, name: &OsStr) -> io::Result<File> {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(dir, name, flags, Mode::empty())?.into())
    }

    fn link_target(&self, dir: &Dir, name: &OsStr) -> io::Result<OsString> {
        let target: CString = rustix::fs::readlinkat(dir, name, Vec::new())?;
        Ok(OsString::from_vec(target.into_bytes()))
    }

    fn may_change(&self, dir: &Dir) -> io::Result<()> {
        let wanted = Access::WRITE_OK | Access::EXEC_OK;
        Ok(rustix::fs::accessat(dir, ".", wanted, AtFlags::EACCESS)?)
    }

    fn make_file(&self, dir: &Dir, name: &OsStr, mode: u32) -> io::Result<File> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(mode))?.into())
    }

    fn copy(&self, mut from: &File, mut to: &File) -> io::Result<u64> {
        io::copy(&mut from, &mut to)
    }

    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn set_size(&self, file: &File, size: u64) -> io::Result<()> {
        file.set_len(size)
    }

    fn set_mode(&self, file: &File, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?)
    }

    fn set_owner(&self, file: &File, (user, group): (u32, u32)) -> io::Result<()> {
        let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
        Ok(rustix::fs::fchown(file, Some(user), Some(group))?)
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn sync_dir(&self, dir: &Dir) -> io::Result<()> {
        Ok(rustix::fs::fsync(reopened(dir)?)?)
    }

    fn make_dir(&self, dir: &Dir, name: &OsStr, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(mode))?)
    }

    fn make_symlink(&self, dir: &Dir, name: &OsStr, target: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::symlinkat(target, dir, name)?)
    }

    fn make_link(&self, dir: &Dir, name: &OsStr, to: &Dir, second: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::linkat(dir, name, to, second, AtFlags::empty())?)
    }

    fn remove_file(&self, dir: &Dir, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(dir, name, AtFlags::empty())?)
    }

    fn remove_dir(&self, dir: &Dir, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR)?)
    }

    fn rename(&self, dir: &Dir, from: &OsStr, to: &OsStr, replace: bool) -> io::Result<()> {
        if replace {
            return Ok(rustix::fs::renameat(dir, from, dir, to)?);
        }
        match rustix::fs::renameat_with(dir, from, dir, to, RenameFlags::NOREPLACE) {
            // The file system does not know the flag: look first. Another process may take the name in between; it
            // then loses what it wrote, as with any two programs that save the same file.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                if self.look(dir, to)?.is_some() {
                    return Err(rustix::io::Errno::EXIST.into());
                }
                Ok(rustix::fs::renameat(dir, from, dir, to)?)
            }
            result => Ok(result?),
        }
    }
}

/// The same folder for reading: what cap-std opens only names a folder (`O_PATH`).
fn reopened(dir: &Dir) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(dir, ".", FOLDER, Mode::empty())
}

fn meta(stat: &Stat) -> Meta {
    Meta {
        id: FileId {
            dev: stat.st_dev,
            ino: stat.st_ino,
        },
        kind: match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Type::File,
            FileType::Directory => Type::Directory,
            FileType::Symlink => Type::Symlink,
            _ => Type::Other,
        },
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        mode: stat.st_mode & 0o7777,
        links: stat.st_nlink,
        owner: (stat.st_uid, stat.st_gid),
        modified: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
        changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
    }
}

fn nanoseconds(seconds: i64, rest: impl Into<i128>) -> i128 {
    i128::from(seconds) * 1_000_000_000 + rest.into()
}

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
