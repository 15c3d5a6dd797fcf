//! A file system in memory that counts its operations, lets one of them fail, and forgets at a power
//! cut what was not synced.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use leasehold_tape::disk::{Disk, DiskFile, FileInfo, OpenMode};

/// What happens to the operation that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails without effect. A failed sync also loses what it should have made durable.
    Fails(io::ErrorKind),
    /// This and every later change fails.
    StaysFull,
    /// A write takes only half; other operations work.
    Short,
    /// A write takes only half and the next change fails.
    ShortThenFull,
    /// The process dies: a write takes only half, nothing happens after.
    Kill,
}

#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub operations: u64,
    pub reads: u64,
    pub bytes_read: u64,
    pub writes: u64,
    pub syncs: u64,
    pub locks: u64,
}

#[derive(Clone, Debug)]
pub struct SimDisk(Arc<Mutex<World>>);

#[derive(Clone, Debug, Default)]
struct World {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    pending_names: Vec<NameChange>,
    dirs: Vec<PathBuf>,
    counts: Counts,
    fault: Option<(u64, Fault)>,
    armed_full: bool,
    dead: bool,
    handles: u64,
    sync_pause: std::time::Duration,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    data: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
    /// How many changes are no longer pending: durable, or lost by a failed sync.
    settled: u64,
    links: u64,
    locked_by: Option<u64>,
    /// Number of failed syncs; each open handle learns of each, as Linux does it.
    failures: u64,
}

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Clone, Debug)]
enum NameChange {
    Link(PathBuf, usize),
    Rename(PathBuf, PathBuf, usize),
}

/// What the fault leaves of an operation.
enum Verdict {
    Go,
    Half,
}

impl SimDisk {
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Operation `at` (from 0, counted from now) will go wrong.
    pub fn arm(&self, at: u64, fault: Fault) {
        let mut world = self.world();
        let now = world.counts.operations;
        world.fault = Some((now + at, fault));
    }

    /// A new disk with what an operating system still knows after its processes died.
    pub fn after_death(&self) -> SimDisk {
        let mut world = self.world().clone();
        world.revive();
        SimDisk(Arc::new(Mutex::new(world)))
    }

    /// A new disk with what survives a power cut: everything synced, and an arbitrary part of the
    /// rest.
    pub fn after_power_cut(&self, seed: u64) -> SimDisk {
        let mut random = Random(seed);
        let mut world = self.world().clone();
        world.names = world.durable_names.clone();
        for change in std::mem::take(&mut world.pending_names) {
            if random.below(3) == 0 {
                continue;
            }
            match change {
                NameChange::Link(path, inode) => {
                    world.names.insert(path, inode);
                }
                NameChange::Rename(from, to, inode) => {
                    world.names.remove(&from);
                    world.names.insert(to, inode);
                }
            }
        }
        world.durable_names = world.names.clone();
        world.revive();
        for inode in &mut world.inodes {
            inode.cut_power(&mut random);
        }
        SimDisk(Arc::new(Mutex::new(world)))
    }

    pub fn counts(&self) -> Counts {
        self.world().counts.clone()
    }

    pub fn read(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let world = self.world();
        let inode = *world.names.get(path.as_ref())?;
        Some(world.inodes[inode].data.clone())
    }

    /// Puts a file there from outside, durably.
    pub fn put(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        let mut world = self.world();
        let path = path.as_ref().to_owned();
        let inode = match world.names.get(&path) {
            Some(inode) => *inode,
            None => world.link(&path),
        };
        world.inodes[inode].data = bytes.to_vec();
        world.inodes[inode].durable = bytes.to_vec();
        world.inodes[inode].pending.clear();
        world.durable_names.insert(path, inode);
    }

    pub fn remove(&self, path: impl AsRef<Path>) {
        let mut world = self.world();
        world.durable_names.remove(path.as_ref());
        // From outside and durably: no power cut brings it back.
        world.pending_names.retain(|change| match change {
            NameChange::Link(to, _) | NameChange::Rename(_, to, _) => to != path.as_ref(),
        });
        if let Some(inode) = world.names.remove(path.as_ref()) {
            world.inodes[inode].links -= 1;
        }
    }

    pub fn names(&self) -> Vec<String> {
        let world = self.world();
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        world.names.keys().map(name).collect()
    }

    /// Each sync takes this long.
    pub fn slow_sync(&self, pause: std::time::Duration) {
        self.world().sync_pause = pause;
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

impl World {
    fn revive(&mut self) {
        self.dead = false;
        self.armed_full = false;
        self.fault = None;
        self.counts = Counts::default();
        for inode in &mut self.inodes {
            inode.locked_by = None;
            inode.links = 0;
        }
        for inode in self.names.values() {
            self.inodes[*inode].links += 1;
        }
    }

    /// Counts an operation and says how it goes.
    fn step(&mut self, changes: bool) -> io::Result<Verdict> {
        let now = self.counts.operations;
        self.counts.operations += 1;
        if self.dead {
            return Err(io::Error::other("the process is dead"));
        }
        if self.armed_full && changes {
            self.armed_full = matches!(self.fault, Some((_, Fault::StaysFull)));
            return Err(io::ErrorKind::StorageFull.into());
        }
        match self.fault {
            Some((at, fault)) if at == now => match fault {
                Fault::Fails(kind) => Err(kind.into()),
                Fault::StaysFull => {
                    self.armed_full = true;
                    if changes {
                        Err(io::ErrorKind::StorageFull.into())
                    } else {
                        Ok(Verdict::Go)
                    }
                }
                Fault::Short => Ok(Verdict::Half),
                Fault::ShortThenFull => {
                    self.armed_full = true;
                    Ok(Verdict::Half)
                }
                Fault::Kill => {
                    self.dead = true;
                    Ok(Verdict::Half)
                }
            },
            _ => Ok(Verdict::Go),
        }
    }

    fn link(&mut self, path: &Path) -> usize {
        let inode = self.inodes.len();
        self.inodes.push(Inode {
            links: 1,
            ..Inode::default()
        });
        self.names.insert(path.to_owned(), inode);
        inode
    }

    fn killed(&self) -> io::Result<()> {
        if self.dead {
            Err(io::Error::other("the process is dead"))
        } else {
            Ok(())
        }
    }
}

impl Inode {
    fn apply(data: &mut Vec<u8>, change: &Change) {
        match change {
            Change::Write(offset, bytes) => {
                let end = *offset as usize + bytes.len();
                if data.len() < end {
                    data.resize(end, 0);
                }
                data[*offset as usize..end].copy_from_slice(bytes);
            }
            Change::Length(length) => data.resize(*length as usize, 0),
        }
    }

    fn change(&mut self, change: Change) {
        Self::apply(&mut self.data, &change);
        self.pending.push(change);
    }

    fn cut_power(&mut self, random: &mut Random) {
        let mut kept = self.durable.clone();
        for change in std::mem::take(&mut self.pending) {
            match change {
                Change::Length(_) if random.below(2) == 0 => {}
                Change::Length(_) => Self::apply(&mut kept, &change),
                Change::Write(offset, bytes) => match random.below(4) {
                    0 => {}
                    1 => Self::apply(&mut kept, &Change::Write(offset, bytes)),
                    _ => {
                        let mut at = 0;
                        while at < bytes.len() {
                            let end = (at + 1 + random.below(300) as usize).min(bytes.len());
                            if random.below(2) == 0 {
                                let part = bytes[at..end].to_vec();
                                Self::apply(&mut kept, &Change::Write(offset + at as u64, part));
                            }
                            at = end;
                        }
                    }
                },
            }
        }
        // The length may be on the disk although the bytes are not.
        if kept.len() < self.data.len() && random.below(3) == 0 {
            kept.resize(self.data.len(), 0);
        }
        self.data.clone_from(&kept);
        self.durable = kept;
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, path: &Path) -> io::Result<bool> {
        let mut world = self.world();
        world.step(true)?;
        let new = !world.dirs.iter().any(|dir| dir == path);
        if new {
            world.dirs.push(path.to_owned());
        }
        world.killed().map(|()| new)
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        let mut world = self.world();
        if mode == OpenMode::Fresh
            && !world.dead
            && let Some(replaced) = world.names.remove(path)
        {
            world.inodes[replaced].links -= 1;
        }
        let known = world.names.get(path).copied();
        world.step(known.is_none() && mode != OpenMode::Existing)?;
        let inode = match known {
            Some(inode) => inode,
            None if mode == OpenMode::Existing => return Err(io::ErrorKind::NotFound.into()),
            None if !world
                .dirs
                .iter()
                .any(|dir| Some(dir.as_path()) == path.parent()) =>
            {
                return Err(io::ErrorKind::NotFound.into());
            }
            None => {
                let inode = world.link(path);
                world
                    .pending_names
                    .push(NameChange::Link(path.to_owned(), inode));
                inode
            }
        };
        world.killed()?;
        world.handles += 1;
        let handle = world.handles;
        let seen = world.inodes[inode].failures.into();
        Ok(Box::new(SimFile {
            disk: self.clone(),
            inode,
            handle,
            seen,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.step(true)?;
        let inode = world.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        if let Some(replaced) = world.names.insert(to.to_owned(), inode) {
            world.inodes[replaced].links -= 1;
        }
        world
            .pending_names
            .push(NameChange::Rename(from.to_owned(), to.to_owned(), inode));
        world.killed()
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.step(true)?;
        world.killed()?;
        // Links and renames within the folder; this world has no other.
        let _ = path;
        world.durable_names = world.names.clone();
        world.pending_names.clear();
        Ok(())
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    inode: usize,
    handle: u64,
    /// How many failed syncs of the file this handle knows of.
    seen: AtomicU64,
}

impl DiskFile for SimFile {
    fn info(&self) -> io::Result<FileInfo> {
        let mut world = self.disk.world();
        world.step(false)?;
        world.killed()?;
        let inode = &world.inodes[self.inode];
        Ok(FileInfo {
            bytes: inode.data.len() as u64,
            regular: true,
            linked: inode.links > 0,
        })
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut world = self.disk.world();
        world.step(false)?;
        world.killed()?;
        let data = &world.inodes[self.inode].data;
        let rest = data.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        world.counts.reads += 1;
        world.counts.bytes_read += count as u64;
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut world = self.disk.world();
        let count = match world.step(true)? {
            Verdict::Go => bytes.len(),
            Verdict::Half => bytes.len() / 2,
        };
        world.counts.writes += 1;
        world.inodes[self.inode].change(Change::Write(offset, bytes[..count].to_vec()));
        world.killed().map(|()| count)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut world = self.disk.world();
        world.step(true)?;
        world.inodes[self.inode].change(Change::Length(bytes));
        world.killed()
    }

    fn sync(&self) -> io::Result<()> {
        let pause = self.disk.world().sync_pause;
        let target = {
            let mut world = self.disk.world();
            world.counts.syncs += 1;
            let step = world.step(true);
            let inode = &mut world.inodes[self.inode];
            if let Err(error) = step {
                // The system marks the pages clean and forgets them: no later sync writes them.
                inode.settled += inode.pending.len() as u64;
                inode.pending.clear();
                inode.failures += 1;
                self.seen.store(inode.failures, Ordering::SeqCst);
                return Err(error);
            }
            if self.seen.swap(inode.failures, Ordering::SeqCst) < inode.failures {
                return Err(io::Error::other("an earlier sync failed"));
            }
            let target = inode.settled + inode.pending.len() as u64;
            world.killed()?;
            target
        };
        std::thread::sleep(pause);
        let mut world = self.disk.world();
        let inode = &mut world.inodes[self.inode];
        // Another sync may have done part of it meanwhile.
        let count = target.saturating_sub(inode.settled);
        for change in inode.pending.drain(..count as usize) {
            Inode::apply(&mut inode.durable, &change);
        }
        inode.settled += count;
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut world = self.disk.world();
        world.step(false)?;
        world.killed()?;
        world.counts.locks += 1;
        let holder = &mut world.inodes[self.inode].locked_by;
        match holder {
            Some(other) if *other != self.handle => Ok(false),
            _ => {
                *holder = Some(self.handle);
                Ok(true)
            }
        }
    }

    fn unlock(&self) -> io::Result<()> {
        let mut world = self.disk.world();
        // Whatever goes wrong, a lock does not outlive its handle.
        world.inodes[self.inode].locked_by = None;
        world.step(false)?;
        world.killed()
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut world = self.disk.world();
        let holder = &mut world.inodes[self.inode].locked_by;
        if *holder == Some(self.handle) {
            *holder = None;
        }
    }
}

/// SplitMix64: repeatable choices.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
