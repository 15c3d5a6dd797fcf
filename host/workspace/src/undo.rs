//! Back to the state before a bring-back, or to the end of it. Each function can be cut off and called again.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use cap_std::fs::Dir;
use leasehold_lease::RelPath;

use crate::disk::{Disk, remove_tree};
use crate::entry::is_there;
use crate::error::WorkspaceError;
use crate::journal::{Journal, JournalFolder, Move, State};
use crate::moves;

/// Moves everything back, removes what was prepared, then the journal.
///
/// Everything is looked at before anything is moved: where somebody changed a path since, nothing is done.
pub(crate) fn undo(
    disk: &dyn Disk,
    workspace: &Dir,
    journal: &mut Journal,
    folder: &JournalFolder<'_>,
) -> Result<(), WorkspaceError> {
    if journal.state == State::Applying {
        let mut backs = Vec::new();
        for change in &journal.moves {
            backs.push(look(disk, workspace, change)?);
        }
        for (change, back) in journal.moves.iter().zip(backs) {
            move_back(disk, workspace, change, back)?;
        }
        sync_parents(disk, workspace, &journal.moves)?;
        journal.state = State::Undone;
        folder.write(journal)?;
    }
    remove_all(disk, workspace, &journal.moves, |change| &change.stage)?;
    folder.remove()
}

/// Removes what was there before, then the journal.
pub(crate) fn clean(
    disk: &dyn Disk,
    workspace: &Dir,
    journal: &Journal,
    folder: &JournalFolder<'_>,
) -> Result<(), WorkspaceError> {
    remove_all(disk, workspace, &journal.moves, |change| &change.aside)?;
    folder.remove()
}

/// Makes the names in every folder that a move concerns durable.
pub(crate) fn sync_parents(
    disk: &dyn Disk,
    workspace: &Dir,
    moves: &[Move],
) -> Result<(), WorkspaceError> {
    let mut parents: Vec<RelPath> = Vec::new();
    for change in moves {
        parents.extend(change.path()?.parent());
    }
    parents.sort_unstable();
    parents.dedup();
    for parent in &parents {
        match disk.open_path(workspace, Path::new(parent.as_str())) {
            Ok(dir) => disk.sync_dir(&dir),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
        .map_err(|cause| WorkspaceError::change("write", parent, cause))?;
    }
    Ok(())
}

/// What undoing one move takes.
#[derive(Clone, Copy, Debug, Default)]
struct Back {
    /// What was moved in goes back to its stage.
    out: bool,
    /// What was there goes back to its place.
    back: bool,
}

/// Finds out how far a move got. In the state `applying` a stage that is missing was moved in: stages are removed
/// only after the state says otherwise.
fn look(disk: &dyn Disk, workspace: &Dir, change: &Move) -> Result<Back, WorkspaceError> {
    let path = change.path()?;
    let failed = |cause| WorkspaceError::io("look at", &path, cause);
    let Some(dir) = parent(disk, workspace, &path)? else {
        return Ok(Back::default());
    };
    let name = moves::name(&path);
    let is_taken = disk.look(&dir, &name).map_err(failed)?.is_some();
    let is_aside = disk
        .look(&dir, OsStr::new(&change.aside))
        .map_err(failed)?
        .is_some();
    let is_staged = disk
        .look(&dir, OsStr::new(&change.stage))
        .map_err(failed)?
        .is_some();
    let moved_in = change.after.is_some() && !is_staged;
    if change.before.is_some() && !is_aside {
        return Ok(Back::default());
    }
    let conflict = || WorkspaceError::Conflict {
        kept: moves::beside(&path, &change.aside).filter(|_| is_aside),
        path: path.clone(),
    };
    let out = match &change.after {
        _ if !is_taken => false,
        Some(after) if moved_in => {
            if !is_there(disk, &dir, &name, after).map_err(failed)? {
                return Err(conflict());
            }
            true
        }
        // Somebody took the name before it was moved in; that stays unless something has to go back there.
        _ if is_aside => return Err(conflict()),
        _ => false,
    };
    Ok(Back {
        out,
        back: is_aside,
    })
}

fn move_back(
    disk: &dyn Disk,
    workspace: &Dir,
    change: &Move,
    back: Back,
) -> Result<(), WorkspaceError> {
    let path = change.path()?;
    let failed = |cause| WorkspaceError::change("move back", &path, cause);
    let Some(dir) = parent(disk, workspace, &path)? else {
        return Ok(());
    };
    let name = moves::name(&path);
    if back.out {
        disk.rename(&dir, &name, OsStr::new(&change.stage), false)
            .map_err(failed)?;
    }
    if back.back {
        disk.rename(&dir, OsStr::new(&change.aside), &name, false)
            .map_err(failed)?;
    }
    Ok(())
}

fn remove_all(
    disk: &dyn Disk,
    workspace: &Dir,
    moves: &[Move],
    name: impl Fn(&Move) -> &String,
) -> Result<(), WorkspaceError> {
    for change in moves {
        let path = change.path()?;
        if let Some(dir) = parent(disk, workspace, &path)? {
            remove_tree(disk, &dir, OsStr::new(name(change)))
                .map_err(|cause| WorkspaceError::change("remove what is left of", &path, cause))?;
        }
    }
    sync_parents(disk, workspace, moves)
}

/// The folder of a path; `None` when somebody removed it, with everything that could be undone there.
fn parent(disk: &dyn Disk, workspace: &Dir, path: &RelPath) -> Result<Option<Dir>, WorkspaceError> {
    let parent = path.parent().unwrap_or_default();
    match disk.open_path(workspace, Path::new(parent.as_str())) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(WorkspaceError::io("open", &parent, error)),
    }
}
