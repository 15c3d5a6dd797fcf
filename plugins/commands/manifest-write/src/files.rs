//! What is in a directory.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use manifest_list::Tree;
use sha2::{Digest, Sha256};

use crate::arguments::Arguments;

/// Read at once, in bytes.
const PIECE: usize = 64 << 10;

/// The files under the root that the list is about, with their digests.
pub(crate) fn tree(arguments: &Arguments) -> Result<Tree, String> {
    let mut tree = Tree::default();
    descend(arguments, "", &mut tree)?;
    Ok(tree)
}

fn descend(arguments: &Arguments, directory: &str, tree: &mut Tree) -> Result<(), String> {
    let place = arguments.root.join(directory);
    let failed = |error: io::Error| format!("{} cannot be listed: {error}", place.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&place).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let name = name.into_string().map_err(|name| {
            format!("{} has a name that is not UTF-8: {name:?}", place.display())
        })?;
        names.push(name);
    }
    names.sort();
    for name in names {
        let path = if directory.is_empty() {
            name
        } else {
            format!("{directory}/{name}")
        };
        add(arguments, &path, tree)?;
    }
    Ok(())
}

fn add(arguments: &Arguments, path: &str, tree: &mut Tree) -> Result<(), String> {
    let place = arguments.root.join(path);
    let failed = |error: io::Error| format!("{} cannot be read: {error}", place.display());
    let kind = fs::symlink_metadata(&place).map_err(failed)?.file_type();
    let is_covered = arguments.selection.covers(path) && path != arguments.list;
    if is_covered && arguments.selection.forbids(path) {
        tree.add_forbidden(path);
    } else if kind.is_dir() {
        descend(arguments, path, tree)?;
    } else if is_covered && kind.is_file() {
        tree.add_file(path, &digest(&place).map_err(failed)?);
    } else if is_covered {
        tree.add_other(path, kind.is_symlink());
    }
    Ok(())
}

/// SHA-256 of a file in lower-case hexadecimal digits.
fn digest(place: &Path) -> io::Result<String> {
    let mut file = File::open(place)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        let length = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(piece.get(..length).unwrap_or_default());
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
