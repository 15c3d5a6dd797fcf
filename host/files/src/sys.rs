//! Every system call of this crate on the workspace.
//!
//! Each call names one component below an open directory, or a path whose resolution the kernel is told to refuse if
//! any component is a symbolic link, leads out, or crosses a mount. So none of them follows anything.

#[cfg(target_os = "linux")]
#[path = "sys_linux.rs"]
mod platform;
#[cfg(not(target_os = "linux"))]
#[path = "sys_other.rs"]
mod platform;

use cap_std::fs::Dir;

pub(crate) use platform::*;

use crate::protect::FileId;

/// An open directory that names are looked up in.
#[derive(Clone, Copy)]
pub(crate) enum At<'a> {
    /// The root of the workspace, or a directory opened for listing.
    Dir(&'a Dir),
    /// A place below.
    Spot(&'a Spot),
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Type {
    File,
    Directory,
    Symlink,
    Other,
}

/// What the host knows about an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) id: FileId,
    pub(crate) kind: Type,
    pub(crate) size: u64,
    /// Whether it has more than one name.
    pub(crate) linked: bool,
    pub(crate) executable: bool,
    /// Last change of the content, in nanoseconds since the epoch.
    pub(crate) modified: i128,
    /// Last change of content or attributes, in nanoseconds since the epoch: set by the kernel alone.
    pub(crate) changed: i128,
}

/// One entry of a directory, as the directory itself says it.
#[derive(Clone, Debug)]
pub(crate) struct RawEntry {
    /// `None` when the name is not UTF-8.
    pub(crate) name: Option<String>,
    /// The name as bytes when it is not UTF-8.
    pub(crate) bytes: Vec<u8>,
    /// `None` when the directory does not say.
    pub(crate) kind: Option<Type>,
    pub(crate) ino: u64,
}

/// How to open a regular file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// What the host said when a system call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errno {
    NotFound,
    Exists,
    NotDirectory,
    IsDirectory,
    NotEmpty,
    Link,
    NameTooLong,
    Invalid,
    NoSpace,
    CrossDevice,
    TooLarge,
    Denied,
    Unsupported,
    /// The fast way is not there, or cannot decide: take the slow one.
    Undecided,
    Other(i32),
}
