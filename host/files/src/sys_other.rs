//! Platforms on which the promises of the view cannot be kept: nothing works, and nothing is opened.

use std::fs::File;

use cap_std::fs::Dir;

use super::{Access, At, Errno, Meta, RawEntry};

/// Whether the promises of the view can be kept here.
pub(crate) const SUPPORTED: bool = false;

/// A place in the tree; there is none here.
#[derive(Debug)]
pub(crate) struct Spot {
    pub(crate) meta: Meta,
    nothing: std::convert::Infallible,
}

impl Spot {
    pub(crate) fn into_file(self) -> File {
        match self.nothing {}
    }
}

macro_rules! refused {
    ($($name:ident($($argument:ty),*) -> $result:ty;)*) => {
        $(pub(crate) fn $name($(_: $argument),*) -> Result<$result, Errno> {
            Err(Errno::Undecided)
        })*
    };
}

refused! {
    spot_at(At<'_>, &str) -> Spot;
    spot_plain(&Dir, &str) -> Spot;
    spot_of(&Dir) -> Spot;
    above(&Spot) -> Spot;
    meta_at(&Dir, &str) -> Meta;
    meta_in(At<'_>, &str) -> Meta;
    meta_of(&File) -> Meta;
    open_at(At<'_>, &str, Access) -> File;
    open_plain_file(&Dir, &str, Access) -> File;
    create_file(At<'_>, &str, Access) -> File;
    create_dir(At<'_>, &str) -> ();
    remove_dir(At<'_>, &str) -> ();
    remove_file(At<'_>, &str) -> ();
    rename(At<'_>, &str, At<'_>, &str, bool) -> ();
    link_target(&Spot) -> Vec<u8>;
    open_listing(&Spot) -> Dir;
    entries(&Dir) -> Vec<RawEntry>;
    read_at(&File, &mut Vec<u8>, u64) -> usize;
    read_into(&File, &mut [u8], u64) -> usize;
    write_at(&File, &[u8], u64) -> usize;
    set_size(&File, u64) -> ();
    sync(&File) -> ();
    is_kernel_view(&Spot) -> bool;
}
