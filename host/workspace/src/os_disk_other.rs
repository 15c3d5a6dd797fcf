//! Elsewhere than on Linux nothing of this is enforced, so nothing of it is done.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;

use cap_std::fs::Dir;

use crate::disk::{Disk, Meta};

/// The file system of the machine; every operation fails with [`io::ErrorKind::Unsupported`].
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

impl Disk for OsDisk {
    fn look(&self, _: &Dir, _: &OsStr) -> io::Result<Option<Meta>> {
        unsupported()
    }

    fn meta(&self, _: &File) -> io::Result<Meta> {
        unsupported()
    }

    fn list(&self, _: &Dir) -> io::Result<Vec<OsString>> {
        unsupported()
    }

    fn open_dir(&self, _: &Dir, _: &OsStr) -> io::Result<Dir> {
        unsupported()
    }

    fn open_path(&self, _: &Dir, _: &Path) -> io::Result<Dir> {
        unsupported()
    }

    fn open_file(&self, _: &Dir, _: &OsStr) -> io::Result<File> {
        unsupported()
    }

    fn link_target(&self, _: &Dir, _: &OsStr) -> io::Result<OsString> {
        unsupported()
    }

    fn may_change(&self, _: &Dir) -> io::Result<()> {
        unsupported()
    }

    fn make_file(&self, _: &Dir, _: &OsStr, _: u32) -> io::Result<File> {
        unsupported()
    }

    fn copy(&self, _: &File, _: &File) -> io::Result<u64> {
        unsupported()
    }

    fn write(&self, _: &File, _: &[u8]) -> io::Result<()> {
        unsupported()
    }

    fn set_size(&self, _: &File, _: u64) -> io::Result<()> {
        unsupported()
    }

    fn set_mode(&self, _: &File, _: u32) -> io::Result<()> {
        unsupported()
    }

    fn set_owner(&self, _: &File, _: (u32, u32)) -> io::Result<()> {
        unsupported()
    }

    fn sync_file(&self, _: &File) -> io::Result<()> {
        unsupported()
    }

    fn sync_dir(&self, _: &Dir) -> io::Result<()> {
        unsupported()
    }

    fn make_dir(&self, _: &Dir, _: &OsStr, _: u32) -> io::Result<()> {
        unsupported()
    }

    fn make_symlink(&self, _: &Dir, _: &OsStr, _: &OsStr) -> io::Result<()> {
        unsupported()
    }

    fn make_link(&self, _: &Dir, _: &OsStr, _: &Dir, _: &OsStr) -> io::Result<()> {
        unsupported()
    }

    fn remove_file(&self, _: &Dir, _: &OsStr) -> io::Result<()> {
        unsupported()
    }

    fn remove_dir(&self, _: &Dir, _: &OsStr) -> io::Result<()> {
        unsupported()
    }

    fn rename(&self, _: &Dir, _: &OsStr, _: &OsStr, _: bool) -> io::Result<()> {
        unsupported()
    }
}

fn unsupported<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}
