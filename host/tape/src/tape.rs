//! The tape as a process uses it: append, checkpoint, close.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use leasehold_seal::{Digest, SecretKey, Timestamp};
use zeroize::Zeroizing;

use crate::call::MAX_INTEGER;
use crate::commit::Commit;
use crate::disk::{Disk, DiskFile};
use crate::draft::Draft;
use crate::error::TapeError;
use crate::kind::Kind;
use crate::ledger::{CLOCK_TOLERANCE_MS, Ledger};
use crate::lock::FileLock;
use crate::os_disk::OsDisk;
use crate::record::{Frame, MAX_RECORD, Record};
use crate::session::Closed;
use crate::tail::{Scan, Tail};
use crate::{opening, publish, recovery, state, tree};

/// The clocks of the host.
pub trait HostClock: Send + Sync {
    /// Time of day.
    fn now(&self) -> Timestamp;
    /// A clock that never runs backwards, in microseconds, comparable within one boot.
    fn monotonic_us(&self) -> u64;
    /// Which boot of the host this is: 1 to 64 of `A-Z a-z 0-9 . _ : -`.
    fn boot_id(&self) -> String;
}

/// What an append waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The records were handed to the system: they outlive this process, not a power cut.
    Written,
    /// The records are on the disk.
    Synced,
}

/// Where a record ended up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its number.
    pub seq: u64,
    /// Its leaf.
    pub leaf: Digest,
    /// Where its line begins, in bytes from the start of the tape.
    pub offset: u64,
}

/// What a decision inside the critical section may look at.
#[derive(Debug)]
#[non_exhaustive]
pub struct TapeState<'a> {
    /// The tape's id.
    pub tape: &'a Digest,
    /// Number of records.
    pub records: u64,
    /// The time the records of this append will have.
    pub now: Timestamp,
    /// Latest time on the tape.
    pub last_time: Timestamp,
    /// Uses and fuel per lease, the open calls, the latest revocation list, presentations that served.
    pub ledger: &'a Ledger,
}

/// What can be set when a tape is opened; [`Default`] is right outside tests.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file system. Default: [`OsDisk`].
    pub disk: Arc<dyn Disk>,
    /// How long to wait for another process. Default: 30 seconds.
    pub lock_wait: Duration,
    /// After how many records the state file is written again. Default: 4096.
    pub state_every: u64,
    /// The nonce of a new tape. Default: `None`, random.
    pub nonce: Option<[u8; 32]>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            disk: Arc::new(OsDisk),
            lock_wait: Duration::from_secs(30),
            state_every: 4096,
            nonce: None,
        }
    }
}

/// An open tape; share it as `Arc<Tape>`.
///
/// Any number of threads and processes may append to one tape. Within a critical section (one lock
/// file, held for one batch) a process first reads what others appended, then decides, then writes
/// its batch with a single write.
pub struct Tape {
    pub(crate) id: Digest,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) host: Arc<SecretKey>,
    pub(crate) mac_key: Zeroizing<[u8; 32]>,
    pub(crate) clock: Arc<dyn HostClock>,
    pub(crate) boot: String,
    pub(crate) lock: Arc<dyn DiskFile>,
    pub(crate) records: Box<dyn DiskFile>,
    pub(crate) tail: Mutex<Tail>,
    /// Bytes written so far; what a sync that starts now makes durable.
    pub(crate) written: AtomicU64,
    pub(crate) commit: Commit,
    pub(crate) poison: OnceLock<String>,
}

impl Tape {
    /// Opens the tape in a folder, or makes one there. Takes the same time however long the tape is,
    /// unless the state file is missing or wrong; then every record is read.
    ///
    /// `host_key` signs checkpoints; it must be the key the tape was made with. `state_mac_key`
    /// authenticates the state file.
    ///
    /// # Errors
    /// [`TapeError`]; a tape that is broken, or shorter than what was signed, is not opened.
    pub fn open(
        dir: &Path,
        host_key: Arc<SecretKey>,
        state_mac_key: &[u8; 32],
        clock: Arc<dyn HostClock>,
    ) -> Result<Tape, TapeError> {
        Tape::open_with(dir, host_key, state_mac_key, clock, Options::default())
    }

    /// [`Tape::open`] with options.
    ///
    /// # Errors
    /// As [`Tape::open`].
    pub fn open_with(
        dir: &Path,
        host_key: Arc<SecretKey>,
        state_mac_key: &[u8; 32],
        clock: Arc<dyn HostClock>,
        options: Options,
    ) -> Result<Tape, TapeError> {
        opening::open(dir, host_key, state_mac_key, clock, options)
    }

    /// Appends a batch: one lock, one write, and for [`Durability::Synced`] a sync shared with every
    /// thread that waits for one.
    ///
    /// # Errors
    /// [`TapeError`]. Nothing of the batch is on the tape then, except after `TAPE-IO` or
    /// `TAPE-POISONED`, when that is unknown until the tape is opened again.
    pub fn append(
        &self,
        drafts: Vec<Draft>,
        durability: Durability,
    ) -> Result<Vec<Appended>, TapeError> {
        self.append_checked(|_| Ok(drafts), durability)
    }

    /// Lets `decide` look at the tape, with everything other processes appended, and appends what it
    /// returns before anyone else can append.
    ///
    /// # Errors
    /// Those of `decide`, and of [`Tape::append`].
    pub fn append_checked<E: From<TapeError>>(
        &self,
        decide: impl FnOnce(&TapeState<'_>) -> Result<Vec<Draft>, E>,
        durability: Durability,
    ) -> Result<Vec<Appended>, E> {
        let (appended, end, state) = self.exclusive(|tail| {
            let now = self.now(tail)?;
            let drafts = decide(&TapeState {
                tape: &self.id,
                records: tail.chain.next,
                now,
                last_time: tail.chain.latest.unwrap_or(now),
                ledger: &tail.ledger,
            })?;
            let appended = self.write(tail, &drafts, now)?;
            let due = tail.chain.next - tail.saved >= self.options.state_every;
            let state = due.then(|| {
                tail.ledger.forget_expired(now);
                tail.saved = tail.chain.next;
                state::encode(tail, &self.mac_key)
            });
            Ok::<_, E>((appended, tail.bytes, state.flatten()))
        })?;
        if durability == Durability::Synced || state.is_some() {
            self.sync_to(end)?;
        }
        if let Some(state) = state {
            publish::state(self, &state);
        }
        Ok(appended)
    }

    /// Makes all records durable, signs the head and puts it into the `checkpoint` file.
    ///
    /// # Errors
    /// [`TapeError`].
    pub fn checkpoint(&self) -> Result<String, TapeError> {
        let (head, end) = self.exclusive(|tail| Ok::<_, TapeError>((tail.clone(), tail.bytes)))?;
        self.sync_to(end)?;
        publish::head(self, head)
    }

    /// Ends a session: see [`Tape::close_with`].
    ///
    /// # Errors
    /// As [`Tape::close_with`].
    pub fn close(&self) -> Result<String, TapeError> {
        self.close_with(Vec::new())
            .map(|(_, checkpoint)| checkpoint)
    }

    /// Appends these records and `tape.closed` with one write and one sync, then signs the head and
    /// writes the state file. Returns the places of the records given, and the checkpoint.
    ///
    /// The tape can be used further; the next record makes it open again. Where the last record is
    /// `tape.closed` already and nothing is given, nothing is appended.
    ///
    /// # Errors
    /// [`TapeError`]. Where only the checkpoint could not be written, the records are durable.
    pub fn close_with(&self, drafts: Vec<Draft>) -> Result<(Vec<Appended>, String), TapeError> {
        let count = drafts.len();
        let mut batch = drafts;
        let (mut appended, head, end) = self.exclusive(|tail| {
            if batch.is_empty() && tail.closed {
                return Ok((Vec::new(), tail.clone(), tail.bytes));
            }
            let now = self.now(tail)?;
            tail.ledger.check(&batch, now)?;
            let open_calls = tail.ledger.open_after(&batch);
            batch.push(Draft::of(Kind::TapeClosed, &Closed { open_calls })?);
            let appended = self.write(tail, &batch, now)?;
            Ok::<_, TapeError>((appended, tail.clone(), tail.bytes))
        })?;
        self.sync_to(end)?;
        let checkpoint = publish::head(self, head)?;
        appended.truncate(count);
        Ok((appended, checkpoint))
    }

    /// The tape's id.
    pub fn id(&self) -> &Digest {
        &self.id
    }

    /// The record that was appended here, read back and held to its place.
    ///
    /// # Errors
    /// `TAPE-FORMAT` when another record, or none, is there; those of the file system.
    pub fn read(&self, place: &Appended) -> Result<Record, TapeError> {
        let failed = |error: std::io::Error| TapeError::io("reading a record", &error);
        let mut line = vec![0; MAX_RECORD + 1];
        let mut held = 0;
        while held < line.len() {
            let at = place.offset + held as u64;
            match self
                .records
                .read_at(&mut line[held..], at)
                .map_err(failed)?
            {
                0 => break,
                count => held += count,
            }
            if line[..held].contains(&b'\n') {
                break;
            }
        }
        line.truncate(held);
        let end = line.iter().position(|byte| *byte == b'\n');
        let record = end.and_then(|end| Record::parse(&line[..end]).ok());
        record
            .filter(|record| (record.seq, record.leaf()) == (place.seq, place.leaf))
            .ok_or_else(|| {
                TapeError::Format(format!("record {} is not where it was written", place.seq))
            })
    }

    /// The folder it lies in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Number of records, as far as this process knows.
    pub fn size(&self) -> u64 {
        self.tail().chain.next
    }

    /// Latest time on the tape, as far as this process knows.
    pub fn last_time(&self) -> Timestamp {
        let latest = self.tail().chain.latest;
        latest.unwrap_or_else(|| self.clock.now())
    }

    /// Runs `work` while no other thread or process can append, after reading what others did.
    pub(crate) fn exclusive<R, E: From<TapeError>>(
        &self,
        work: impl FnOnce(&mut Tail) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut tail = self.tail();
        self.check_poison()?;
        let _lock = FileLock::take(&self.lock, self.options.lock_wait)?;
        self.catch_up(&mut tail)?;
        work(&mut tail)
    }

    /// Writes a batch at the end of the tape; the caller holds the lock.
    pub(crate) fn write(
        &self,
        tail: &mut Tail,
        drafts: &[Draft],
        now: Timestamp,
    ) -> Result<Vec<Appended>, TapeError> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        tail.ledger.check(drafts, now)?;
        let mono_us = self.clock.monotonic_us().min(MAX_INTEGER);
        let size = drafts.iter().map(|draft| draft.body().len() + 512).sum();
        let mut bytes = Vec::with_capacity(size);
        let mut lines = Vec::with_capacity(drafts.len());
        let mut appended = Vec::with_capacity(drafts.len());
        let (mut seq, mut prev) = (tail.chain.next, tail.chain.last);
        for draft in drafts {
            let start = bytes.len();
            let kind = draft.kind();
            let frame = Frame {
                tape: self.id,
                seq,
                prev,
                time: now,
                mono_us,
                boot: &self.boot,
                kind,
            };
            frame.encode(draft.body(), &mut bytes);
            let line = bytes.get(start..).unwrap_or_default();
            if line.len() > MAX_RECORD {
                let kind = kind.to_string();
                return Err(TapeError::RecordTooLarge {
                    kind,
                    bytes: line.len(),
                });
            }
            let leaf = tree::leaf(line);
            lines.push((line.len() as u64, leaf));
            let offset = tail.bytes + start as u64;
            appended.push(Appended { seq, leaf, offset });
            bytes.push(b'\n');
            seq += 1;
            prev = Some(leaf);
        }
        if let Err(error) = crate::disk::write_all(&*self.records, &bytes, tail.bytes) {
            return Err(self.undo(tail, &TapeError::io("writing records", &error)));
        }
        tail.advance(drafts, &lines);
        tail.chain.latest = tail.chain.latest.max(Some(now));
        self.written.store(tail.bytes, Ordering::Release);
        Ok(appended)
    }

    /// Returns when the first `end` bytes are durable.
    pub(crate) fn sync_to(&self, end: u64) -> Result<(), TapeError> {
        let written = || self.written.load(Ordering::Acquire);
        self.commit
            .wait(end, written, || self.records.sync())
            .inspect_err(|error| self.set_poison(error))
    }

    /// The time of the next records.
    pub(crate) fn now(&self, tail: &Tail) -> Result<Timestamp, TapeError> {
        let now = self.clock.now();
        match tail.chain.latest {
            Some(last) if now.millis_since(last) < -CLOCK_TOLERANCE_MS => {
                Err(TapeError::ClockBack { now, last })
            }
            _ => Ok(now),
        }
    }

    pub(crate) fn tail(&self) -> MutexGuard<'_, Tail> {
        // A panic in a decision leaves the tail as it was.
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn check_poison(&self) -> Result<(), TapeError> {
        match self.poison.get() {
            Some(cause) => Err(TapeError::Poisoned(cause.clone())),
            None => Ok(()),
        }
    }

    fn set_poison(&self, error: &TapeError) {
        // Only the first cause is kept.
        let _ = self.poison.set(error.to_string());
    }

    /// Reads what other processes appended.
    fn catch_up(&self, tail: &mut Tail) -> Result<(), TapeError> {
        let info = self
            .records
            .info()
            .map_err(|error| TapeError::io("looking at the tape", &error))?;
        if !info.linked {
            let gone = TapeError::Format("its record file was removed while in use".to_owned());
            self.set_poison(&gone);
            return Err(gone);
        }
        if info.bytes == tail.bytes {
            return Ok(());
        }
        let read = if info.bytes < tail.bytes {
            let (found, signed) = (info.bytes, tail.bytes);
            Err(TapeError::Truncated {
                found,
                signed,
                unit: "bytes",
            })
        } else {
            tail.scan(&*self.records, info.bytes, None)
        };
        match read {
            Ok(Scan::Clean) => {}
            Ok(Scan::Torn) => {
                let cut = recovery::cut(self, tail, info.bytes)
                    .inspect_err(|error| self.set_poison(error))?;
                let now = self.now(tail)?;
                self.write(tail, &[Draft::of(Kind::TapeRecovered, &cut)?], now)?;
            }
            Err(error) => {
                self.set_poison(&error);
                return Err(error);
            }
        }
        self.written.store(tail.bytes, Ordering::Release);
        Ok(())
    }

    /// After a failed write: takes back what part of it may be on the disk. The tape stays usable
    /// only when that is certain.
    fn undo(&self, tail: &Tail, error: &TapeError) -> TapeError {
        let undone = self
            .records
            .set_len(tail.bytes)
            // Durable at once: otherwise a crash could mix these bytes with those of the next write.
            .and_then(|()| self.records.sync());
        if undone.is_err() {
            self.set_poison(error);
        }
        error.clone()
    }
}

impl Drop for Tape {
    /// Writes the state file, if there is something new in it and nobody holds the lock.
    fn drop(&mut self) {
        publish::state_on_drop(self);
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Tape")
            .field("id", &self.id)
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}
