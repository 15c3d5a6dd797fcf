//! The moves that make a difference real.

use std::ffi::OsString;

use leasehold_lease::RelPath;

use crate::difference::{Change, Difference};
use crate::entry::{Entry, Subtree};
use crate::error::WorkspaceError;
use crate::journal::{Move, PREFIX};

impl Move {
    /// The path, checked: a journal is read from a disk.
    pub(crate) fn path(&self) -> Result<RelPath, WorkspaceError> {
        RelPath::parse(&self.path)
            .ok()
            .filter(|path| !path.is_root())
            .ok_or_else(|| WorkspaceError::Journal {
                journal: "journal.json".into(),
                what: format!("it names the path {:?}", self.path),
            })
    }
}

/// One move for every changed path that lies below no other changed one. A changed directory was made, removed or
/// replaced, so everything below it changed with it.
pub(crate) fn of(difference: &Difference) -> Result<Vec<Move>, WorkspaceError> {
    let tag = random_tag()?;
    let mut tops: Vec<(RelPath, Vec<&Change>)> = Vec::new();
    // Sorted byte by byte, `a-b` stands between `a` and `a/b`.
    let mut changes: Vec<&Change> = difference.changes.iter().collect();
    changes.sort_by_key(|change| {
        change
            .path
            .components()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    for change in changes {
        match tops.last_mut() {
            Some((top, below)) if change.path.starts_with(top) => below.push(change),
            _ => tops.push((change.path.clone(), vec![change])),
        }
    }
    Ok(tops
        .into_iter()
        .enumerate()
        .map(|(number, (top, changes))| Move {
            before: subtree(&top, &changes, |change| change.before.as_ref()),
            after: subtree(&top, &changes, |change| change.after.as_ref()),
            path: top.as_str().to_owned(),
            stage: format!("{PREFIX}{tag}-{number}-new"),
            aside: format!("{PREFIX}{tag}-{number}-old"),
        })
        .collect())
}

fn subtree(
    top: &RelPath,
    changes: &[&Change],
    side: impl Fn(&Change) -> Option<&Entry>,
) -> Option<Subtree> {
    let entries: Subtree = changes
        .iter()
        .filter_map(|change| {
            let below = change.path.as_str().get(top.as_str().len()..)?;
            let below = below.strip_prefix('/').unwrap_or(below);
            Some((below.to_owned(), side(change)?.clone()))
        })
        .collect();
    (!entries.is_empty()).then_some(entries)
}

/// 128 random bits, so that no name in the workspace is met by chance.
fn random_tag() -> Result<String, WorkspaceError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        let cause = std::io::Error::other(error.to_string());
        WorkspaceError::io("name a temporary file for", &RelPath::root(), cause)
    })?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// The kept name of what was at a path, for messages.
pub(crate) fn beside(path: &RelPath, name: &str) -> Option<RelPath> {
    path.parent()?.child(name).ok()
}

/// The name of a path as the system takes it.
pub(crate) fn name(path: &RelPath) -> OsString {
    path.file_name().unwrap_or_default().into()
}
