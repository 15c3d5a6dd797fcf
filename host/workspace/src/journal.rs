//! The journal of a bring-back: what to do, and how far it is.
//!
//! A bring-back is a list of moves, each in one folder of the workspace: what stands at a path is given the name
//! `aside`, then what was prepared under the name `stage` is given the path. Both are renames within one folder, so
//! each either happened or not, and undoing is the same renames backwards. The state says which way to go:
//!
//! | state | the disk holds | recovery |
//! |---|---|---|
//! | `staging` | nothing moved; some stages | removes the stages |
//! | `applying` | all stages or what was moved in; some asides | moves everything back, then `undone` |
//! | `undone` | nothing moved; some stages | removes the stages |
//! | `done` | everything moved in; some asides | removes the asides |
//!
//! Each state is durable before the first step that it allows.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::entry::Subtree;
use crate::error::WorkspaceError;

/// What a journal file holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    pub(crate) version: u32,
    /// The workspace, by its path.
    pub(crate) workspace: String,
    /// What whoever brings back calls it.
    #[serde(default)]
    pub(crate) label: String,
    pub(crate) state: State,
    pub(crate) moves: Vec<Move>,
}

impl Journal {
    /// Whether all its names are such as a bring-back makes: what it says is removed is temporary.
    fn is_sound(&self) -> bool {
        let temporary = |name: &str| name.starts_with(PREFIX) && !name.contains('/');
        self.moves.iter().all(|change| {
            change.path().is_ok() && temporary(&change.stage) && temporary(&change.aside)
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Staging,
    Applying,
    Undone,
    Done,
}

/// One path that gets another content, with everything below it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    pub(crate) path: String,
    /// What stands there before; `None` for nothing.
    pub(crate) before: Option<Subtree>,
    /// What stands there afterwards; `None` for nothing.
    pub(crate) after: Option<Subtree>,
    /// Name, in the folder of the path, of what is prepared.
    pub(crate) stage: String,
    /// Name, in the folder of the path, of what was there.
    pub(crate) aside: String,
}

/// The folder with the journal, locked against other processes.
#[derive(Debug)]
pub(crate) struct JournalFolder<'a> {
    disk: &'a dyn Disk,
    dir: Dir,
    path: &'a Path,
    lock: std::fs::File,
}

impl Drop for JournalFolder<'_> {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started right now has a copy of the descriptor for a moment.
        let _ = self.lock.unlock();
    }
}

impl<'a> JournalFolder<'a> {
    /// Opens the folder, making it (mode 0700) where it is not there, and takes its lock.
    pub(crate) fn open(disk: &'a dyn Disk, path: &'a Path) -> Result<Self, WorkspaceError> {
        let failed = |cause| WorkspaceError::JournalIo {
            action: "open the folder of",
            journal: path.join(JOURNAL),
            cause,
        };
        make_folder(path).map_err(failed)?;
        let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(failed)?;
        let lock = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(WorkspaceError::Busy),
            Err(std::fs::TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        Ok(Self {
            disk,
            dir,
            path,
            lock,
        })
    }

    /// The journal file, by its path.
    pub(crate) fn file(&self) -> PathBuf {
        self.path.join(JOURNAL)
    }

    /// Reads the journal; `None` when there is none. A half-written one does not count.
    pub(crate) fn read(&self) -> Result<Option<Journal>, WorkspaceError> {
        let bytes = self
            .bytes()
            .map_err(|cause| self.failed("read", cause))?
            .map(|bytes| serde_json::from_slice::<Journal>(&bytes));
        match bytes {
            None => Ok(None),
            Some(Ok(journal)) if journal.version == VERSION && !journal.is_sound() => {
                Err(self.invalid("it names what no bring-back touches".to_owned()))
            }
            Some(Ok(journal)) if journal.version == VERSION => Ok(Some(journal)),
            Some(Ok(journal)) => Err(self.invalid(format!("its version is {}", journal.version))),
            Some(Err(error)) => Err(self.invalid(error.to_string())),
        }
    }

    fn bytes(&self) -> io::Result<Option<Vec<u8>>> {
        let name = OsStr::new(JOURNAL);
        if self.disk.look(&self.dir, name)?.is_none() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.disk
            .open_file(&self.dir, name)?
            .read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Puts the journal in place of the one before, durably.
    pub(crate) fn write(&self, journal: &Journal) -> Result<(), WorkspaceError> {
        let failed = |cause| self.failed("write", cause);
        let bytes = serde_json::to_vec(journal).map_err(|error| failed(io::Error::other(error)))?;
        let (new, name) = (OsStr::new(NEW), OsStr::new(JOURNAL));
        self.discard(new).map_err(failed)?;
        let write = || {
            let file = self.disk.make_file(&self.dir, new, 0o600)?;
            self.disk.write(&file, &bytes)?;
            self.disk.sync_file(&file)?;
            self.disk.rename(&self.dir, new, name, true)?;
            self.disk.sync_dir(&self.dir)
        };
        write().map_err(failed)
    }

    /// Removes the journal and what may be left of a half-written one.
    pub(crate) fn remove(&self) -> Result<(), WorkspaceError> {
        let remove = || {
            self.discard(OsStr::new(NEW))?;
            self.discard(OsStr::new(JOURNAL))?;
            self.disk.sync_dir(&self.dir)
        };
        remove().map_err(|cause| self.failed("remove", cause))
    }

    fn discard(&self, name: &OsStr) -> io::Result<()> {
        match self.disk.look(&self.dir, name)? {
            Some(_) => self.disk.remove_file(&self.dir, name),
            None => Ok(()),
        }
    }

    pub(crate) fn invalid(&self, what: String) -> WorkspaceError {
        WorkspaceError::Journal {
            journal: self.file(),
            what,
        }
    }

    fn failed(&self, action: &'static str, cause: io::Error) -> WorkspaceError {
        WorkspaceError::JournalIo {
            action,
            journal: self.file(),
            cause,
        }
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Version of the journal's format.
pub(crate) const VERSION: u32 = 1;

/// What the temporary names start with.
pub(crate) const PREFIX: &str = ".leasehold-";

const JOURNAL: &str = "journal.json";
const NEW: &str = "journal.new";
const LOCK: &str = "lock";
