//! Linux.

use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use cap_std::fs::Dir;
use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, RenameFlags, ResolveFlags, Stat};

use super::{Access, At, Errno, Meta, RawEntry, Type};
use crate::protect::FileId;

/// Whether the promises of the view can be kept here.
pub(crate) const SUPPORTED: bool = true;

/// A place in the tree: an `O_PATH` descriptor, which names an entry without opening it, so looking at a FIFO, device
/// or symbolic link through it has no effect on them.
#[derive(Debug)]
pub(crate) struct Spot {
    fd: OwnedFd,
    pub(crate) meta: Meta,
}

impl Spot {
    /// The place as a file that can be asked for its attributes, but neither read nor written.
    pub(crate) fn into_file(self) -> File {
        File::from(self.fd)
    }
}

impl AsFd for Spot {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsFd for At<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            At::Dir(dir) => dir.as_fd(),
            At::Spot(spot) => spot.as_fd(),
        }
    }
}

/// The entry `name` of a directory, not followed.
pub(crate) fn spot_at(dir: At<'_>, name: &str) -> Result<Spot, Errno> {
    let fd = rustix::fs::openat(dir, name, PLACE, Mode::empty()).map_err(errno)?;
    Ok(Spot {
        meta: meta_of(&fd)?,
        fd,
    })
}

/// The entry at a path of plain components on the same mount as `root`; [`Errno::Undecided`] or [`Errno::Link`] when
/// it is not such a path.
pub(crate) fn spot_plain(root: &Dir, path: &str) -> Result<Spot, Errno> {
    let fd = open_plain(root, path, PLACE)?;
    Ok(Spot {
        meta: meta_of(&fd)?,
        fd,
    })
}

/// The directory itself, as a place.
pub(crate) fn spot_of(dir: &Dir) -> Result<Spot, Errno> {
    let fd =
        rustix::fs::openat(dir, ".", PLACE | OFlags::DIRECTORY, Mode::empty()).map_err(errno)?;
    Ok(Spot {
        meta: meta_of(&fd)?,
        fd,
    })
}

/// The directory above.
pub(crate) fn above(dir: &Spot) -> Result<Spot, Errno> {
    let fd =
        rustix::fs::openat(dir, "..", PLACE | OFlags::DIRECTORY, Mode::empty()).map_err(errno)?;
    Ok(Spot {
        meta: meta_of(&fd)?,
        fd,
    })
}

/// What `name` in a directory is, not followed.
pub(crate) fn meta_at(dir: &Dir, name: &str) -> Result<Meta, Errno> {
    meta_in(At::Dir(dir), name)
}

/// Like [`meta_at`], in any open directory.
pub(crate) fn meta_in(dir: At<'_>, name: &str) -> Result<Meta, Errno> {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
        .map(|stat| meta(&stat))
        .map_err(errno)
}

/// What an open descriptor is.
pub(crate) fn meta_of(fd: &impl AsFd) -> Result<Meta, Errno> {
    rustix::fs::fstat(fd).map(|stat| meta(&stat)).map_err(errno)
}

/// Opens an existing entry of a directory as a regular file. Whoever calls has seen that it is one, and looks again.
pub(crate) fn open_at(dir: At<'_>, name: &str, access: Access) -> Result<File, Errno> {
    rustix::fs::openat(dir, name, flags(access), Mode::empty())
        .map(File::from)
        .map_err(errno)
}

/// Like [`open_at`], by a path of plain components on the same mount as `root`.
pub(crate) fn open_plain_file(root: &Dir, path: &str, access: Access) -> Result<File, Errno> {
    open_plain(root, path, flags(access)).map(File::from)
}

/// Makes a new empty file of mode 0644; fails when anything is there, a dangling link included.
pub(crate) fn create_file(dir: At<'_>, name: &str, access: Access) -> Result<File, Errno> {
    let flags = flags(access) | OFlags::CREATE | OFlags::EXCL;
    rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(0o644))
        .map(File::from)
        .map_err(errno)
}

/// Makes a directory of mode 0755.
pub(crate) fn create_dir(dir: At<'_>, name: &str) -> Result<(), Errno> {
    rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(0o755)).map_err(errno)
}

/// Removes an empty directory.
pub(crate) fn remove_dir(dir: At<'_>, name: &str) -> Result<(), Errno> {
    rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR).map_err(errno)
}

/// Removes anything but a directory; a link itself, never what it points to.
pub(crate) fn remove_file(dir: At<'_>, name: &str) -> Result<(), Errno> {
    rustix::fs::unlinkat(dir, name, AtFlags::empty()).map_err(errno)
}

/// Moves an entry. Links are moved, not followed.
pub(crate) fn rename(
    old_dir: At<'_>,
    old_name: &str,
    new_dir: At<'_>,
    new_name: &str,
    replace: bool,
) -> Result<(), Errno> {
    let flags = if replace {
        RenameFlags::empty()
    } else {
        RenameFlags::NOREPLACE
    };
    rustix::fs::renameat_with(old_dir, old_name, new_dir, new_name, flags).map_err(errno)
}

/// Where a link points to, as bytes.
pub(crate) fn link_target(spot: &Spot) -> Result<Vec<u8>, Errno> {
    rustix::fs::readlinkat(spot, "", Vec::new())
        .map(std::ffi::CString::into_bytes)
        .map_err(errno)
}

/// A directory opened for listing.
pub(crate) fn open_listing(spot: &Spot) -> Result<Dir, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    rustix::fs::openat(spot, ".", flags, Mode::empty())
        .map(|fd| Dir::from_std_file(fd.into()))
        .map_err(errno)
}

/// The entries of a directory but `.` and `..`, in no order.
pub(crate) fn entries(dir: &Dir) -> Result<Vec<RawEntry>, Errno> {
    let mut buffer = [MaybeUninit::<u8>::uninit(); LISTING_BYTES];
    let mut raw = RawDir::new(dir, &mut buffer);
    let mut entries = Vec::new();
    while let Some(entry) = raw.next() {
        let entry = entry.map_err(errno)?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => None,
            known => Some(kind(known)),
        };
        let (name, bytes) = match name.to_str() {
            Ok(name) => (Some(name.to_owned()), Vec::new()),
            Err(_) => (None, name.to_bytes().to_vec()),
        };
        entries.push(RawEntry {
            name,
            bytes,
            kind,
            ino: entry.ino(),
        });
    }
    Ok(entries)
}

/// Appends to `into` what the file holds at `offset`, at most `max` bytes and what `into` has room for without growing.
pub(crate) fn read_at(file: &File, into: &mut Vec<u8>, offset: u64) -> Result<usize, Errno> {
    retry(|| rustix::io::pread(file, spare_capacity(into), offset))
}

/// Fills `into` from the file at `offset`; returns how many bytes there were.
pub(crate) fn read_into(file: &File, into: &mut [u8], offset: u64) -> Result<usize, Errno> {
    retry(|| rustix::io::pread(file, &mut *into, offset))
}

/// Writes at `offset`; may write less.
pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> Result<usize, Errno> {
    retry(|| rustix::io::pwrite(file, bytes, offset))
}

/// Sets the size of a file.
pub(crate) fn set_size(file: &File, size: u64) -> Result<(), Errno> {
    retry(|| rustix::fs::ftruncate(file, size))
}

/// Brings the content to the disk.
pub(crate) fn sync(file: &File) -> Result<(), Errno> {
    retry(|| rustix::fs::fdatasync(file))
}

/// Whether this lies on a file system made of the kernel's own facts (`/proc`, `/sys` and their kin), where a "regular
/// file" is a window into the host.
pub(crate) fn is_kernel_view(spot: &Spot) -> Result<bool, Errno> {
    let stat = rustix::fs::fstatfs(spot).map_err(errno)?;
    Ok(KERNEL_VIEWS.contains(&(stat.f_type as u32)))
}

fn open_plain(root: &Dir, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    rustix::fs::openat2(root, path, flags, Mode::empty(), how).map_err(|error| match error {
        rustix::io::Errno::XDEV
        | rustix::io::Errno::AGAIN
        | rustix::io::Errno::NOSYS
        | rustix::io::Errno::PERM
        | rustix::io::Errno::INVAL
        | rustix::io::Errno::TOOBIG => Errno::Undecided,
        other => errno(other),
    })
}

fn flags(access: Access) -> OFlags {
    // What is written is also read, by us: to digest what was there before and after.
    let mode = if access.write {
        OFlags::RDWR
    } else {
        OFlags::RDONLY
    };
    mode | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY
}

fn meta(stat: &Stat) -> Meta {
    Meta {
        id: FileId {
            dev: stat.st_dev,
            ino: stat.st_ino,
        },
        kind: kind(FileType::from_raw_mode(stat.st_mode)),
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        linked: stat.st_nlink > 1,
        executable: stat.st_mode & 0o100 != 0,
        modified: nanos(stat.st_mtime, i128::from(stat.st_mtime_nsec)),
        changed: nanos(stat.st_ctime, i128::from(stat.st_ctime_nsec)),
    }
}

fn nanos(seconds: i64, nanos: i128) -> i128 {
    i128::from(seconds) * 1_000_000_000 + nanos
}

fn kind(file_type: FileType) -> Type {
    match file_type {
        FileType::RegularFile => Type::File,
        FileType::Directory => Type::Directory,
        FileType::Symlink => Type::Symlink,
        _ => Type::Other,
    }
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> Result<T, Errno> {
    rustix::io::retry_on_intr(&mut call).map_err(errno)
}

fn errno(error: rustix::io::Errno) -> Errno {
    match error {
        rustix::io::Errno::NOENT => Errno::NotFound,
        rustix::io::Errno::EXIST => Errno::Exists,
        rustix::io::Errno::NOTDIR => Errno::NotDirectory,
        rustix::io::Errno::ISDIR => Errno::IsDirectory,
        rustix::io::Errno::NOTEMPTY => Errno::NotEmpty,
        rustix::io::Errno::LOOP => Errno::Link,
        rustix::io::Errno::NAMETOOLONG => Errno::NameTooLong,
        rustix::io::Errno::INVAL => Errno::Invalid,
        rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT => Errno::NoSpace,
        rustix::io::Errno::XDEV => Errno::CrossDevice,
        rustix::io::Errno::FBIG | rustix::io::Errno::OVERFLOW => Errno::TooLarge,
        rustix::io::Errno::ACCESS | rustix::io::Errno::PERM => Errno::Denied,
        rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS => Errno::Unsupported,
        other => Errno::Other(other.raw_os_error()),
    }
}

const PLACE: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Room for directory entries of one system call, in bytes.
const LISTING_BYTES: usize = 32 * 1024;

/// `f_type` of proc, sysfs, debugfs, tracefs, securityfs, cgroup, cgroup2, devpts, bpf, pstore, configfs, efivarfs,
/// selinuxfs, smackfs, nsfs and the key-value views of binderfs and binfmt_misc (Linux `include/uapi/linux/magic.h`).
const KERNEL_VIEWS: [u32; 17] = [
    0x9fa0,
    0x6265_6572,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0x0027_e0eb,
    0x6367_7270,
    0x1cd1,
    0xcafe_4a11,
    0x6165_676c,
    0x6265_6570,
    0xde5e_81e4,
    0xf97c_ff8c,
    0x4341_5d53,
    0x6e73_6673,
    0x6c6f_6f70,
    0x4249_4e4d,
];
