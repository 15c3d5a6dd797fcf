//! A tape as it stands at one moment, for reading only.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::TapeError;
use crate::opening::{LOCK, RECORDS};
use crate::publish::{CHECKPOINT, MAX_CHECKPOINT};

/// How long to wait for a process that is appending.
const WAIT: Duration = Duration::from_secs(30);

/// The bytes of a tape at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The records, up to the end of the last batch.
    pub records: io::Take<File>,
    /// The checkpoint file, if there is one.
    pub checkpoint: Option<Vec<u8>>,
}

/// Takes a snapshot of the tape in a folder. Nothing is written, and other processes wait only while
/// the length is read; a copy of a tape without its lock file can be read as well.
///
/// # Errors
/// [`TapeError`]: when there is no tape, or it cannot be read.
pub fn snapshot(dir: &Path) -> Result<Snapshot, TapeError> {
    let failed = |error: io::Error| TapeError::io("reading the tape", &error);
    let records = match File::open(dir.join(RECORDS)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(TapeError::Format(format!("there is no {RECORDS}")));
        }
        other => other.map_err(failed)?,
    };
    let lock = match File::open(dir.join(LOCK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        other => Some(other.map_err(failed)?),
    };
    // Without the lock a batch could be seen half written. It ends with the file handle.
    lock.as_ref().map_or(Ok(()), wait)?;
    let length = records.metadata().map_err(failed)?.len();
    let checkpoint = match File::open(dir.join(CHECKPOINT)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        other => {
            let mut bytes = Vec::new();
            let file = other.map_err(failed)?;
            file.take(MAX_CHECKPOINT + 1)
                .read_to_end(&mut bytes)
                .map_err(failed)?;
            Some(bytes)
        }
    };
    let records = records.take(length);
    Ok(Snapshot {
        records,
        checkpoint,
    })
}

fn wait(lock: &File) -> Result<(), TapeError> {
    let started = Instant::now();
    loop {
        match lock.try_lock_shared() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if started.elapsed() < WAIT => {
                thread::sleep(Duration::from_micros(100));
            }
            Err(TryLockError::WouldBlock) => {
                let waited_ms = u64::try_from(WAIT.as_millis()).unwrap_or(u64::MAX);
                return Err(TapeError::Locked { waited_ms });
            }
            Err(TryLockError::Error(error)) => {
                return Err(TapeError::io("locking the tape", &error));
            }
        }
    }
}
