//! The file system of the machine, whose operations are counted, and one of which goes wrong.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Mutex;

use cap_std::fs::Dir;
use leasehold_workspace::OsDisk;
use leasehold_workspace::disk::{Disk, Meta};

/// What happens to the operation that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails without effect, once.
    Fails(io::ErrorKind),
    /// It and every later change fails: the disk stays full.
    StaysFull,
    /// It has its effect and says that it failed.
    LiesThatItFailed,
    /// The process dies before it: nothing happens any more.
    DiesBefore,
    /// The process dies after it.
    DiesAfter,
}

#[derive(Debug, Default)]
struct State {
    operations: u64,
    dead: bool,
    full: bool,
}

/// What happens before a name is made or moved: the operation and its (first) name come in, a failure may come out.
pub type Hook = Box<dyn Fn(&str, &OsStr) -> io::Result<()> + Send + Sync>;

/// Counts from 0.
pub struct FaultyDisk {
    at: u64,
    fault: Fault,
    /// Ends the process with SIGKILL instead of playing dead.
    pub kill: bool,
    hook: Option<Hook>,
    state: Mutex<State>,
}

impl std::fmt::Debug for FaultyDisk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "FaultyDisk({}, {:?})", self.at, self.fault)
    }
}

impl FaultyDisk {
    pub fn new(at: u64, fault: Fault) -> Self {
        Self {
            at,
            fault,
            kill: false,
            hook: None,
            state: Mutex::default(),
        }
    }

    /// Nothing goes wrong.
    pub fn sound() -> Self {
        Self::new(u64::MAX, Fault::DiesBefore)
    }

    /// Nothing goes wrong by itself.
    pub fn hooked(hook: impl Fn(&str, &OsStr) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self {
            hook: Some(Box::new(hook)),
            ..Self::sound()
        }
    }

    fn hook(&self, operation: &str, name: &OsStr) -> io::Result<()> {
        self.hook
            .as_ref()
            .map_or(Ok(()), |hook| hook(operation, name))
    }

    pub fn operations(&self) -> u64 {
        self.state.lock().unwrap().operations
    }

    fn run<T>(&self, changes: bool, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.lock().unwrap();
        let chosen = state.operations == self.at;
        state.operations += 1;
        if state.dead {
            return Err(io::Error::other("the process is dead"));
        }
        if state.full && changes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if !chosen {
            return act();
        }
        match self.fault {
            Fault::Fails(kind) => Err(kind.into()),
            Fault::StaysFull => {
                state.full = true;
                if changes {
                    Err(io::ErrorKind::StorageFull.into())
                } else {
                    act()
                }
            }
            Fault::LiesThatItFailed => {
                let _ = act();
                Err(io::Error::other("it may or may not have happened"))
            }
            Fault::DiesBefore => self.die(&mut state),
            Fault::DiesAfter => {
                let _ = act();
                self.die(&mut state)
            }
        }
    }

    fn die<T>(&self, state: &mut State) -> io::Result<T> {
        if self.kill {
            let id = rustix::process::getpid();
            rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
        }
        state.dead = true;
        Err(io::Error::other("the process died"))
    }
}

impl Disk for FaultyDisk {
    fn look(&self, dir: &Dir, name: &OsStr) -> io::Result<Option<Meta>> {
        self.run(false, || OsDisk.look(dir, name))
    }
    fn meta(&self, file: &File) -> io::Result<Meta> {
        self.run(false, || OsDisk.meta(file))
    }
    fn list(&self, dir: &Dir) -> io::Result<Vec<OsString>> {
        self.run(false, || OsDisk.list(dir))
    }
    fn open_dir(&self, dir: &Dir, name: &OsStr) -> io::Result<Dir> {
        self.run(false, || OsDisk.open_dir(dir, name))
    }
    fn open_path(&self, dir: &Dir, path: &Path) -> io::Result<Dir> {
        self.run(false, || OsDisk.open_path(dir, path))
    }
    fn open_file(&self, dir: &Dir, name: &OsStr) -> io::Result<File> {
        self.run(false, || OsDisk.open_file(dir, name))
    }
    fn link_target(&self, dir: &Dir, name: &OsStr) -> io::Result<OsString> {
        self.run(false, || OsDisk.link_target(dir, name))
    }
    fn may_change(&self, dir: &Dir) -> io::Result<()> {
        self.run(false, || OsDisk.may_change(dir))
    }
    fn make_file(&self, dir: &Dir, name: &OsStr, mode: u32) -> io::Result<File> {
        self.hook("make_file", name)?;
        self.run(true, || OsDisk.make_file(dir, name, mode))
    }
    fn copy(&self, from: &File, to: &File) -> io::Result<u64> {
        self.run(true, || OsDisk.copy(from, to))
    }
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        let chosen = self.operations() == self.at;
        // A write that is cut off leaves its first half.
        let half = chosen && self.fault == Fault::DiesAfter;
        let end = if half { bytes.len() / 2 } else { bytes.len() };
        self.run(true, || OsDisk.write(file, &bytes[..end]))
    }
    fn set_size(&self, file: &File, size: u64) -> io::Result<()> {
        self.run(true, || OsDisk.set_size(file, size))
    }
    fn set_mode(&self, file: &File, mode: u32) -> io::Result<()> {
        self.run(true, || OsDisk.set_mode(file, mode))
    }
    fn set_owner(&self, file: &File, owner: (u32, u32)) -> io::Result<()> {
        self.run(true, || OsDisk.set_owner(file, owner))
    }
    // What is durable after a power cut is not tested here, so the time for it is saved.
    fn sync_file(&self, _: &File) -> io::Result<()> {
        self.run(true, || Ok(()))
    }
    fn sync_dir(&self, _: &Dir) -> io::Result<()> {
        self.run(true, || Ok(()))
    }
    fn make_dir(&self, dir: &Dir, name: &OsStr, mode: u32) -> io::Result<()> {
        self.hook("make_dir", name)?;
        self.run(true, || OsDisk.make_dir(dir, name, mode))
    }
    fn make_symlink(&self, dir: &Dir, name: &OsStr, target: &OsStr) -> io::Result<()> {
        self.run(true, || OsDisk.make_symlink(dir, name, target))
    }
    fn make_link(&self, dir: &Dir, name: &OsStr, to: &Dir, second: &OsStr) -> io::Result<()> {
        self.run(true, || OsDisk.make_link(dir, name, to, second))
    }
    fn remove_file(&self, dir: &Dir, name: &OsStr) -> io::Result<()> {
        self.run(true, || OsDisk.remove_file(dir, name))
    }
    fn remove_dir(&self, dir: &Dir, name: &OsStr) -> io::Result<()> {
        self.run(true, || OsDisk.remove_dir(dir, name))
    }
    fn rename(&self, dir: &Dir, from: &OsStr, to: &OsStr, replace: bool) -> io::Result<()> {
        self.hook("rename", from)?;
        self.run(true, || OsDisk.rename(dir, from, to, replace))
    }
}
