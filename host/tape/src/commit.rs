//! Group commit: many threads that wait for durability share one `fdatasync`.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::TapeError;

/// The longest a round waits for those who will come again.
const LONGEST_GATHERING: Duration = Duration::from_millis(2);

/// Who waits for what to be durable.
///
/// Rounds follow each other. Whoever comes while round `n` runs has written too late for it and
/// waits for round `n + 1`; one of these leads it when `n` is over. Two condition variables, one for
/// even and one for odd rounds, so that the end of a round wakes those it served and one leader.
///
/// Whoever was just served tends to come again at once. A round that began without waiting for them would serve the few who
/// are there, and make everyone else wait for two. So its leader first waits until as many are there as were at the end of the
/// round before, but no longer than a quarter of what that one took. Who is alone never waits.
#[derive(Debug)]
pub(crate) struct Commit {
    state: Mutex<State>,
    served: [Condvar; 2],
    /// Tells the leader that all who are expected are there.
    gathered: Condvar,
    /// How long to wait for them, after a round that took so long.
    patience: fn(Duration) -> Duration,
}

#[derive(Debug)]
struct State {
    /// Bytes of the record file known to be durable.
    durable: u64,
    /// Number of the next round.
    next: usize,
    /// Whether a leader waits for others, or for the disk.
    phase: Phase,
    /// What those who wait need to be durable, in no order.
    waiting: Vec<u64>,
    /// How many waited when the last round ended, those it served among them.
    expected: usize,
    /// How long the last round took.
    took: Duration,
    failed: Option<TapeError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Gathering,
    Syncing,
}

impl Commit {
    pub(crate) fn new(durable: u64) -> Self {
        let state = State {
            durable,
            next: 0,
            phase: Phase::Idle,
            waiting: Vec::new(),
            expected: 0,
            took: Duration::ZERO,
            failed: None,
        };
        Self {
            state: Mutex::new(state),
            served: [Condvar::new(), Condvar::new()],
            gathered: Condvar::new(),
            patience: |took| LONGEST_GATHERING.min(took / 4),
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
        let mut counted = false;
        loop {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            if state.durable >= end {
                if state.phase == Phase::Idle {
                    // Perhaps this thread was woken to lead and has nothing left to wait for.
                    self.round(state.next).notify_one();
                }
                return Ok(());
            }
            if !counted {
                state.waiting.push(end);
                counted = true;
            }
            match state.phase {
                Phase::Idle => break,
                Phase::Gathering if state.waiting.len() >= state.expected => {
                    self.gathered.notify_one();
                }
                Phase::Gathering | Phase::Syncing => {}
            }
            let next = state.next;
            state = self
                .round(next)
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let mut state = self.gather(state);
        let round = state.next;
        state.next = round.wrapping_add(1);
        state.phase = Phase::Syncing;
        drop(state);
        let target = written();
        let started = Instant::now();
        let result = sync();
        self.end(round, target, started.elapsed(), result)
    }

    /// Waits, as the leader, for those who are expected.
    fn gather<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if state.waiting.len() >= state.expected {
            return state;
        }
        state.phase = Phase::Gathering;
        let longest = (self.patience)(state.took);
        let missing = |state: &mut State| state.waiting.len() < state.expected;
        let gathered = self.gathered.wait_timeout_while(state, longest, missing);
        gathered.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends a round that made `target` bytes durable, or failed.
    fn end(
        &self,
        round: usize,
        target: u64,
        took: Duration,
        result: io::Result<()>,
    ) -> Result<(), TapeError> {
        let mut state = self.state();
        state.phase = Phase::Idle;
        state.expected = state.waiting.len();
        state.took = took;
        let result = match result {
            Ok(()) => {
                let durable = state.durable.max(target);
                state.durable = durable;
                state.waiting.retain(|end| *end > durable);
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

    /// What three threads go through: one is served while the two others come, and then comes again.
    struct Three {
        commit: Commit,
        written: AtomicU64,
        syncs: AtomicU64,
    }

    impl Three {
        fn new() -> Three {
            Three {
                commit: Commit::new(0),
                written: AtomicU64::new(0),
                syncs: AtomicU64::new(0),
            }
        }

        /// Writes a byte and waits for it; the sync takes until `until` says so.
        fn append(&self, until: impl Fn() -> bool) {
            let end = self.written.fetch_add(1, Ordering::SeqCst) + 1;
            let sync = || {
                self.syncs.fetch_add(1, Ordering::SeqCst);
                while !until() {
                    std::thread::yield_now();
                }
                Ok(())
            };
            let written = || self.written.load(Ordering::SeqCst);
            self.commit.wait(end, written, sync).unwrap();
        }

        fn waiting(&self) -> usize {
            self.commit.state().waiting.len()
        }

        fn run(&self, again: bool) -> u64 {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    self.append(|| self.waiting() == 3);
                    if again {
                        self.append(|| true);
                    }
                });
                while self.syncs.load(Ordering::SeqCst) == 0 {
                    std::thread::yield_now();
                }
                for _ in 0..2 {
                    scope.spawn(|| self.append(|| true));
                }
            });
            self.syncs.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn a_round_waits_for_who_was_just_served() {
        let mut three = Three::new();
        three.commit.patience = |_| Duration::from_secs(60);
        assert_eq!(three.run(true), 2);
        assert_eq!((three.waiting(), three.commit.state().expected), (0, 3));
    }

    #[test]
    fn a_round_does_not_wait_for_long_for_who_does_not_come() {
        let three = Three::new();
        assert_eq!(three.run(false), 2);
        // The next one expects no more than there were.
        assert_eq!(three.commit.state().expected, 2);
    }
}
