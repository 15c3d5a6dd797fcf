//! Group commit: many threads that wait for durability share one `fdatasync`.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::TapeError;

/// Who waits for what to be durable.
///
/// Rounds follow each other. Whoever comes while round `n` runs has written too late for it and
/// waits for round `n + 1`; one of these leads it when `n` is over. Two condition variables, one for
/// even and one for odd rounds, so that the end of a round wakes those it served and one leader.
#[derive(Debug)]
pub(crate) struct Commit {
    state: Mutex<State>,
    served: [Condvar; 2],
}

#[derive(Debug)]
struct State {
    /// Bytes of the record file known to be durable.
    durable: u64,
    /// Number of the next round.
    next: usize,
    running: bool,
    failed: Option<TapeError>,
}

impl Commit {
    pub(crate) fn new(durable: u64) -> Self {
        let state = State {
            durable,
            next: 0,
            running: false,
            failed: None,
        };
        Self {
            state: Mutex::new(state),
            served: [Condvar::new(), Condvar::new()],
        }
    }

    /// Returns when the first `end` bytes are durable. `written` says, when asked, how many bytes
    /// have been written; `sync` makes them durable.
    ///
    /// # Errors
    /// When this or any earlier sync failed.
    pub(crate) fn wait(
        &self,
        end: u64,
        written: impl FnOnce() -> u64,
        sync: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), TapeError> {
        let mut state = self.state();
        loop {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            if state.durable >= end {
                if !state.running {
                    // Perhaps this thread was woken to lead and has nothing left to wait for.
                    self.round(state.next).notify_one();
                }
                return Ok(());
            }
            if !state.running {
                break;
            }
            let next = state.next;
            state = self
                .round(next)
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let round = state.next;
        state.next = round.wrapping_add(1);
        state.running = true;
        drop(state);
        let target = written();
        let result = sync();
        let mut state = self.state();
        state.running = false;
        let result = match result {
            Ok(()) => {
                state.durable = state.durable.max(target);
                Ok(())
            }
            Err(error) => {
                let error = TapeError::io("making records durable", &error);
                state.failed = Some(error.clone());
                Err(error)
            }
        };
        self.round(round).notify_all();
        if result.is_ok() {
            self.round(state.next).notify_one();
        } else {
            self.round(state.next).notify_all();
        }
        result
    }

    fn round(&self, number: usize) -> &Condvar {
        &self.served[number & 1]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use leasehold_seal::Coded as _;

    use super::*;

    #[test]
    fn what_is_written_while_a_sync_runs_waits_for_the_next() {
        let commit = Commit::new(0);
        let written = AtomicU64::new(10);
        let syncs = AtomicU64::new(0);
        let wait = |end, meanwhile| {
            let sync = || {
                syncs.fetch_add(1, Ordering::SeqCst);
                written.store(meanwhile, Ordering::SeqCst);
                Ok(())
            };
            commit
                .wait(end, || written.load(Ordering::SeqCst), sync)
                .unwrap();
            syncs.load(Ordering::SeqCst)
        };
        // Someone writes up to 20 while the first 10 bytes are synced.
        assert_eq!(wait(10, 20), 1);
        assert_eq!(wait(10, 20), 1);
        assert_eq!(wait(11, 20), 2);
        assert_eq!(wait(20, 20), 2);
    }

    #[test]
    fn after_a_failed_sync_nobody_is_told_that_anything_more_is_durable() {
        let commit = Commit::new(0);
        let fail = || Err(io::ErrorKind::StorageFull.into());
        let error = commit.wait(10, || 10, fail).unwrap_err();
        assert_eq!(error.code(), "TAPE-FULL");
        // A later sync would succeed and mean nothing.
        assert_eq!(commit.wait(10, || 10, || Ok(())).unwrap_err(), error);
    }
}
