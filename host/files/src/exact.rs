//! What is at a path that is written without links: looked up for the host's own ends, recorded nowhere.

use std::fs::File;

use leasehold_lease::RelPath;

use crate::sys::{self, Access, At, Errno, Meta, Spot, Type};
use crate::tree::Tree;

/// Why there is no such directory or file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Nothing is there.
    Missing,
    /// Something else is there, a link for instance.
    Kind,
    /// It is closed to every guest.
    Closed,
    /// The host cannot say.
    Host,
}

impl From<Errno> for Gone {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NotFound => Gone::Missing,
            Errno::NotDirectory | Errno::Link | Errno::IsDirectory => Gone::Kind,
            _ => Gone::Host,
        }
    }
}

/// The real directory at a path, reached through real directories that no guest is kept out of.
pub(crate) fn dir(tree: &Tree, path: &RelPath) -> Result<Spot, Gone> {
    let mut above = sys::spot_of(tree.dir())?;
    for name in path.components() {
        let spot = sys::spot_at(At::Spot(&above), name)?;
        if spot.meta.kind != Type::Directory {
            return Err(Gone::Kind);
        }
        if is_closed(tree, above.meta.id.dev, &spot)? {
            return Err(Gone::Closed);
        }
        above = spot;
    }
    Ok(above)
}

/// Like [`dir`], where the directory above was found by it: in one system call, unless it is on another mount.
pub(crate) fn dir_below(tree: &Tree, path: &RelPath) -> Result<Spot, Gone> {
    match sys::spot_plain(tree.dir(), path.as_str()) {
        Ok(spot) if spot.meta.kind != Type::Directory => Err(Gone::Kind),
        Ok(spot) if tree.protected().is_closed(spot.meta.id) => Err(Gone::Closed),
        Ok(spot) => Ok(spot),
        Err(_) => dir(tree, path),
    }
}

/// The regular file at a path, open for reading. Nothing but a regular file is ever opened.
pub(crate) fn file(tree: &Tree, path: &RelPath) -> Result<(File, Meta), Gone> {
    let parent = path.parent().ok_or(Gone::Kind)?;
    let dir = dir(tree, &parent)?;
    let name = path.file_name().unwrap_or_default();
    let spot = sys::spot_at(At::Spot(&dir), name)?;
    if spot.meta.kind != Type::File {
        return Err(Gone::Kind);
    }
    if is_closed(tree, dir.meta.id.dev, &spot)? {
        return Err(Gone::Closed);
    }
    let access = Access {
        read: true,
        write: false,
    };
    let file = sys::open_at(At::Spot(&dir), name, access)?;
    let meta = sys::meta_of(&file)?;
    if meta.id != spot.meta.id || meta.kind != Type::File {
        return Err(Gone::Kind);
    }
    Ok((file, meta))
}

/// Whether something found in a directory on device `dev` is closed to every guest, or shows the kernel's own facts.
pub(crate) fn is_closed(tree: &Tree, dev: u64, spot: &Spot) -> Result<bool, Errno> {
    let elsewhere = spot.meta.id.dev != dev;
    Ok(tree.protected().is_closed(spot.meta.id) || (elsewhere && sys::is_kernel_view(spot)?))
}
