//! Bringing the changes of a step back into the workspace: all of them or none.

use std::ffi::{OsStr, OsString};
use std::io::{self, Seek as _};
use std::path::Path;

use cap_std::fs::Dir;
use leasehold_lease::RelPath;
use leasehold_seal::Digest;

use crate::check::Checked;
use crate::disk::{Disk, Meta, open_parent, open_seen};
use crate::entry::{Entry, FileEntry, below, is_there};
use crate::error::WorkspaceError;
use crate::journal::{Journal, JournalFolder, Move, State, VERSION};
use crate::moves;
use crate::os_disk::OsDisk;
use crate::step::StepTree;
use crate::undo;

/// A workspace into which changes can be brought back, and where the journal of that is kept.
#[derive(Clone, Copy, Debug)]
pub struct BringBack<'a> {
    workspace: &'a Dir,
    path: &'a Path,
    journal: &'a Path,
    label: &'a str,
    disk: &'a dyn Disk,
}

/// What bringing back did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// How many paths changed.
    pub changes: usize,
    /// Whether the former contents were removed. If not, they lie beside the new ones under names that start with
    /// `.leasehold-` until [`BringBack::recover`] succeeds.
    pub cleaned: bool,
}

impl<'a> BringBack<'a> {
    /// For the workspace open as `workspace`, whose path is `path`. `journal` is a folder in the home that is used
    /// for this workspace and nothing else; it is made when it is needed.
    #[must_use]
    pub fn new(workspace: &'a Dir, path: &'a Path, journal: &'a Path) -> Self {
        Self {
            workspace,
            path,
            journal,
            label: "",
            disk: &OsDisk,
        }
    }

    /// The same under a name of the caller's, which the journal keeps.
    #[must_use]
    pub fn labelled(self, label: &'a str) -> Self {
        Self { label, ..self }
    }

    /// The name of a bring-back that was cut off; `None` where there is none to recover.
    ///
    /// # Errors
    /// [`WorkspaceError::Busy`], [`WorkspaceError::Journal`], [`WorkspaceError::JournalIo`].
    pub fn unfinished(&self) -> Result<Option<String>, WorkspaceError> {
        let folder = JournalFolder::open(self.disk, self.journal)?;
        Ok(folder.read()?.map(|journal| journal.label))
    }

    /// The same on another file system: for tests that let it fail.
    #[must_use]
    pub fn on(self, disk: &'a dyn Disk) -> Self {
        Self { disk, ..self }
    }

    /// Brings a checked difference back. Every path it touches must still be what the step was given. On success all
    /// changes are durable; after any error but [`WorkspaceError::Unfinished`] the workspace is as it was.
    ///
    /// A file that is replaced keeps who may read and write it, and its owner where this process may set it; who may
    /// execute it follows the step. Set-user and set-group bits are dropped, as when a file is written, and access lists
    /// and other extended attributes are not kept.
    ///
    /// # Errors
    /// [`WorkspaceError::RecoveryNeeded`] before an earlier bring-back was recovered; [`WorkspaceError::Busy`];
    /// [`WorkspaceError::Changed`]; [`WorkspaceError::ReadOnly`]; [`WorkspaceError::Full`]; [`WorkspaceError::Io`];
    /// [`WorkspaceError::StepChanged`]; [`WorkspaceError::JournalIo`]; [`WorkspaceError::Unfinished`].
    pub fn apply(&self, checked: Checked<'_>, step: &StepTree) -> Result<Applied, WorkspaceError> {
        match self.apply_recorded(checked, step, || Ok::<_, std::convert::Infallible>(()))? {
            Ok(applied) => Ok(applied),
            Err(never) => match never {},
        }
    }

    /// [`BringBack::apply`] with something to be done once all changes are made and durable, and before the journal is
    /// gone: their record. Where that fails the changes stay, the journal stays, and [`BringBack::recover`] says
    /// [`Recovered::Completed`], so that the record can be made up for.
    ///
    /// # Errors
    /// Those of [`BringBack::apply`]; inside, that of `record`.
    pub fn apply_recorded<E>(
        &self,
        checked: Checked<'_>,
        step: &StepTree,
        record: impl FnOnce() -> Result<(), E>,
    ) -> Result<Result<Applied, E>, WorkspaceError> {
        let difference = checked.difference();
        let folder = JournalFolder::open(self.disk, self.journal)?;
        if folder.read()?.is_some() {
            return Err(WorkspaceError::RecoveryNeeded {
                journal: folder.file(),
            });
        }
        let mut applied = Applied {
            changes: difference.changes().len(),
            cleaned: true,
        };
        if difference.is_empty() {
            return Ok(record().map(|()| applied));
        }
        let mut journal = Journal {
            version: VERSION,
            workspace: self.name(),
            label: self.label.to_owned(),
            state: State::Staging,
            moves: moves::of(difference)?,
        };
        for change in &journal.moves {
            self.expect(change)?;
        }
        if let Err(cause) = self.carry_out(&mut journal, &folder, step) {
            return Err(self.give_up(cause, &mut journal, &folder));
        }
        if let Err(error) = record() {
            return Ok(Err(error));
        }
        applied.cleaned = undo::clean(self.disk, self.workspace, &journal, &folder).is_ok();
        Ok(Ok(applied))
    }

    /// Finishes what a bring-back that was cut off has left: the workspace is then as before it, or as after it, and
    /// no temporary names remain. Call it before anything else is done with the workspace.
    ///
    /// # Errors
    /// [`WorkspaceError::Conflict`] when somebody changed the same paths since: nothing is done then;
    /// [`WorkspaceError::Journal`] when the journal is not for this workspace; [`WorkspaceError::Busy`]; those of the
    /// file system. It can be called again.
    pub fn recover(&self) -> Result<Recovered, WorkspaceError> {
        let folder = JournalFolder::open(self.disk, self.journal)?;
        let Some(mut journal) = folder.read()? else {
            folder.remove()?;
            return Ok(Recovered::Nothing);
        };
        if journal.workspace != self.name() {
            return Err(folder.invalid(format!("it is for the workspace {}", journal.workspace)));
        }
        if journal.state == State::Done {
            undo::clean(self.disk, self.workspace, &journal, &folder)?;
            return Ok(Recovered::Completed);
        }
        undo::undo(self.disk, self.workspace, &mut journal, &folder)?;
        Ok(Recovered::RolledBack)
    }

    fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Checks, without changing anything, that a move can be made and that it is the one that was judged.
    fn expect(&self, change: &Move) -> Result<(), WorkspaceError> {
        let path = change.path()?;
        let (dir, name) = self.open(&path)?;
        let refused = |cause| WorkspaceError::change("change", &path, cause);
        self.disk.may_change(&dir).map_err(refused)?;
        let Some(before) = &change.before else {
            return match self.disk.look(&dir, &name).map_err(refused)? {
                None => Ok(()),
                Some(_) => Err(WorkspaceError::changed(&path, "something is there now")),
            };
        };
        if !is_there(self.disk, &dir, &name, before).map_err(|cause| gone(&path, cause))? {
            return Err(WorkspaceError::changed(&path, WHAT));
        }
        for (inside, entry) in before {
            if *entry == Entry::Directory {
                let inside =
                    RelPath::parse(inside).map_err(|_| WorkspaceError::changed(&path, WHAT))?;
                let (holder, last) =
                    below(self.disk, &dir, &name, &inside).map_err(|cause| gone(&path, cause))?;
                let found = self.disk.open_dir(&holder, &last);
                found
                    .and_then(|found| self.disk.may_change(&found))
                    .map_err(refused)?;
            }
        }
        Ok(())
    }

    fn carry_out(
        &self,
        journal: &mut Journal,
        folder: &JournalFolder<'_>,
        step: &StepTree,
    ) -> Result<(), WorkspaceError> {
        folder.write(journal)?;
        for change in &journal.moves {
            self.stage(change, step)?;
        }
        journal.state = State::Applying;
        folder.write(journal)?;
        for change in &journal.moves {
            self.make(change)?;
        }
        undo::sync_parents(self.disk, self.workspace, &journal.moves)?;
        journal.state = State::Done;
        folder.write(journal)
    }

    /// After a failure: back to the state before, or word that recovery has to do it.
    fn give_up(
        &self,
        cause: WorkspaceError,
        journal: &mut Journal,
        folder: &JournalFolder<'_>,
    ) -> WorkspaceError {
        let mut undone = || {
            if journal.state == State::Done {
                // Whether `done` is on the disk is not known. Nothing may be moved back while it could be.
                journal.state = State::Applying;
                folder.write(journal)?;
            }
            undo::undo(self.disk, self.workspace, journal, folder)
        };
        match undone() {
            Ok(()) => cause,
            Err(undo) => WorkspaceError::Unfinished {
                cause: Box::new(cause),
                undo: Box::new(undo),
            },
        }
    }

    /// Prepares the new content beside its place, durably.
    fn stage(&self, change: &Move, step: &StepTree) -> Result<(), WorkspaceError> {
        let Some(after) = &change.after else {
            return Ok(());
        };
        let path = change.path()?;
        let (dir, name) = self.open(&path)?;
        let replaced = match change.before {
            Some(_) => self
                .disk
                .look(&dir, &name)
                .map_err(|cause| WorkspaceError::io("look at", &path, cause))?,
            None => None,
        };
        let stage = OsStr::new(&change.stage);
        let mut made = Vec::new();
        // A directory comes before what is in it: its key is a prefix of theirs.
        for (inside, entry) in after {
            let at = path
                .join(inside)
                .map_err(|_| WorkspaceError::StepChanged { path: path.clone() })?;
            let failed = |cause| WorkspaceError::change("write", &at, cause);
            let inside = RelPath::parse(inside)
                .map_err(|_| WorkspaceError::StepChanged { path: at.clone() })?;
            let (holder, last) = below(self.disk, &dir, stage, &inside).map_err(failed)?;
            match entry {
                Entry::Directory => {
                    self.disk.make_dir(&holder, &last, 0o777).map_err(failed)?;
                    made.push(self.disk.open_dir(&holder, &last).map_err(failed)?);
                }
                Entry::File(file) => {
                    let replaced = replaced.as_ref().filter(|_| inside.is_root());
                    self.stage_file(&holder, &last, &at, file, replaced, step)?;
                }
                Entry::Symlink { .. } | Entry::Other => {
                    return Err(WorkspaceError::StepChanged { path: at });
                }
            }
        }
        for made in made.iter().rev().chain([&dir]) {
            self.disk
                .sync_dir(made)
                .map_err(|cause| WorkspaceError::change("write", &path, cause))?;
        }
        Ok(())
    }

    fn stage_file(
        &self,
        dir: &Dir,
        name: &OsStr,
        path: &RelPath,
        wanted: &FileEntry,
        replaced: Option<&Meta>,
        step: &StepTree,
    ) -> Result<(), WorkspaceError> {
        let failed = |cause| WorkspaceError::change("write", path, cause);
        let other = || WorkspaceError::StepChanged { path: path.clone() };
        let (from, from_name) = open_parent(self.disk, step.root(), path)
            .map_err(|cause| WorkspaceError::io("read", path, cause))?
            .ok_or_else(other)?;
        let seen = self.disk.look(&from, from_name).map_err(failed)?;
        let source = open_seen(self.disk, &from, from_name, &seen.ok_or_else(other)?)
            .map_err(|cause| WorkspaceError::io("read", path, cause))?
            .ok_or_else(other)?;
        let mode = match (replaced, wanted.executable) {
            // Private until it has the mode of what it replaces.
            (Some(_), _) => 0o600,
            (None, true) => 0o777,
            (None, false) => 0o666,
        };
        let copy = self.disk.make_file(dir, name, mode).map_err(failed)?;
        self.disk.copy(&source, &copy).map_err(failed)?;
        (&copy).rewind().map_err(failed)?;
        if wanted.digest != Some(Digest::of_reader(&copy).map_err(failed)?) {
            return Err(other());
        }
        if let Some(replaced) = replaced {
            self.resemble(&copy, replaced, wanted.executable)
                .map_err(failed)?;
        }
        self.disk.sync_file(&copy).map_err(failed)
    }

    /// Gives a new file the owner and the permissions of the one it replaces.
    fn resemble(&self, copy: &std::fs::File, replaced: &Meta, executable: bool) -> io::Result<()> {
        if self.disk.meta(copy)?.owner != replaced.owner {
            match self.disk.set_owner(copy, replaced.owner) {
                // Only root can give files away; the new file then belongs to whoever wrote it.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                result => result?,
            }
        }
        let kept = replaced.mode & 0o777;
        let mode = match (replaced.mode & 0o100 != 0, executable) {
            (false, true) => kept | (kept & 0o444) >> 2 | 0o100,
            (true, false) => kept & !0o111,
            _ => kept,
        };
        self.disk.set_mode(copy, mode)
    }

    /// Makes one move.
    fn make(&self, change: &Move) -> Result<(), WorkspaceError> {
        let path = change.path()?;
        let (dir, name) = self.open(&path)?;
        let failed = |cause| WorkspaceError::change("move", &path, cause);
        if let Some(before) = &change.before {
            let aside = OsStr::new(&change.aside);
            self.disk
                .rename(&dir, &name, aside, false)
                .map_err(|cause| gone(&path, cause))?;
            // Now nobody reaches it by its name any more, so this is the last word on what was there.
            if !is_there(self.disk, &dir, aside, before).map_err(failed)? {
                return Err(WorkspaceError::changed(&path, WHAT));
            }
        }
        if change.after.is_some() {
            self.disk
                .rename(&dir, OsStr::new(&change.stage), &name, false)
                .map_err(failed)?;
        }
        Ok(())
    }

    /// The folder of a path in the workspace, and its name there.
    fn open(&self, path: &RelPath) -> Result<(Dir, OsString), WorkspaceError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(WorkspaceError::changed(path, "it is the root"));
        };
        let dir = self
            .disk
            .open_path(self.workspace, Path::new(parent.as_str()))
            .map_err(|cause| gone(path, cause))?;
        Ok((dir, name.into()))
    }
}

/// What recovering found and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// No bring-back was cut off.
    Nothing,
    /// The workspace is as it was before.
    RolledBack,
    /// Every change had been made and stays; what was left over is removed.
    Completed,
}

/// Sorts a failure to reach a path: what is missing or of another type was changed by somebody.
fn gone(path: &RelPath, cause: io::Error) -> WorkspaceError {
    match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            WorkspaceError::changed(path, "it, or a directory above it, is gone")
        }
        // `O_NOFOLLOW` on a symbolic link.
        _ if cause.raw_os_error() == Some(LOOP) => {
            WorkspaceError::changed(path, "a directory above it is a symbolic link now")
        }
        _ => WorkspaceError::change("open", path, cause),
    }
}

const WHAT: &str = "its content, type or names are others";

/// `ELOOP` on Linux.
const LOOP: i32 = 40;
