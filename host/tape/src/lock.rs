//! The lock that keeps two processes from appending at once.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::disk::DiskFile;
use crate::error::TapeError;

/// Holds the lock until dropped.
#[derive(Debug)]
pub(crate) struct FileLock(Arc<dyn DiskFile>);

impl FileLock {
    /// Waits for the lock. It is held for microseconds, so first this only yields, then it sleeps for
    /// ever longer, up to a millisecond.
    pub(crate) fn take(file: &Arc<dyn DiskFile>, wait: Duration) -> Result<Self, TapeError> {
        let mut started = None;
        let mut pause = Duration::ZERO;
        loop {
            let got = file
                .try_lock()
                .map_err(|error| TapeError::io("locking the tape", &error))?;
            if got {
                return Ok(Self(Arc::clone(file)));
            }
            let waited = started.get_or_insert_with(Instant::now).elapsed();
            if waited >= wait {
                let waited_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                return Err(TapeError::Locked { waited_ms });
            }
            if waited < Duration::from_micros(50) {
                thread::yield_now();
            } else {
                thread::sleep(pause);
                pause = (pause * 2 + Duration::from_micros(20)).min(Duration::from_millis(1));
            }
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // A lock that cannot be given back ends with its file handle.
        let _ = self.0.unlock();
    }
}
