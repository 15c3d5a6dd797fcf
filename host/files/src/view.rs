//! One call's view of a workspace: its state, its open descriptors and its end.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::{Duration, Instant};

use leasehold_lease::RelPath;

use crate::changes::{ChangeLog, Log};
use crate::coverage::{Coverage, Denials, Ledger, Tally};
use crate::error::{self, FsError, Kind, Wanted};
use crate::memo::Moment;
use crate::node::{Node, NodeInner};
#[cfg(all(debug_assertions, target_os = "linux"))]
use crate::oracle;
use crate::reads::Reads;
use crate::readset::{Flaw, ReadSet};
use crate::rules::{FileRules, Sight};
use crate::sys::Meta;
use crate::tree::Tree;
use crate::whole::Hot;

/// What one call may see and change of a workspace.
///
/// A view is a handle: clones share one state, so that descriptors and streams can outlive a borrow. One operation runs
/// at a time.
#[derive(Clone)]
pub struct View {
    pub(crate) shared: Arc<Shared>,
}

/// How much one call may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Bytes that may be written in all: what is written, plus what the size of a file grows beyond that.
    pub write_bytes: u64,
    /// Descriptors that may be open at one time. The root is not counted.
    pub open_files: u64,
}

/// How closely reads are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Which paths were looked at, listed and read, how long the files were and how much was delivered.
    ///
    /// For a run whose result is not kept: hashing what is delivered costs 0.6 ms a megabyte, about as much as reading
    /// it. Such a set is never [reusable](ReadSet::reusable).
    Names,
    /// Also the SHA-256 of what was delivered and the attributes of each file that was shown: what a cache of results and
    /// a replay need. With a [memo](Tree::with_memo) a file that is read in one piece is hashed once for all views.
    Contents,
}

pub(crate) struct Shared {
    pub(crate) tree: Tree,
    pub(crate) rules: Box<dyn FileRules>,
    pub(crate) quota: Quota,
    pub(crate) record: Record,
    pub(crate) revoked: AtomicBool,
    pub(crate) open: AtomicU64,
    state: Mutex<State>,
}

/// What changes while a call runs.
#[derive(Default)]
pub(crate) struct State {
    /// What the rules say about paths that were asked for, and what was found there.
    pub(crate) known: HashMap<RelPath, Known>,
    /// Directories that were reached through nothing but real, open directories of the root's mount.
    pub(crate) verified: HashSet<RelPath>,
    pub(crate) tally: Tally,
    pub(crate) ledger: Ledger,
    pub(crate) reads: Reads,
    pub(crate) log: Log,
    /// Bytes charged to `write_bytes`.
    pub(crate) written: u64,
    /// Entries made.
    pub(crate) made: u64,
    /// The file that the fast interface read last.
    pub(crate) hot: Option<Hot>,
    pub(crate) nodes: Vec<Weak<NodeInner>>,
    #[cfg(all(debug_assertions, target_os = "linux"))]
    pub(crate) verdicts: oracle::Verdicts,
}

/// What is remembered about a path.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    pub(crate) sight: Sight,
    /// The file that this call saw there.
    pub(crate) seen: Option<Meta>,
}

/// One operation's turn at the view.
pub(crate) struct Turn<'v> {
    pub(crate) shared: &'v Arc<Shared>,
    pub(crate) state: MutexGuard<'v, State>,
    /// When the operation began.
    pub(crate) began: Moment,
}

impl View {
    /// A view of the tree under these rules. Costs no system call.
    #[must_use]
    pub fn open(
        tree: &Tree,
        rules: impl FileRules + 'static,
        quota: Quota,
        record: Record,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                tree: tree.clone(),
                rules: Box::new(rules),
                quota,
                record,
                revoked: AtomicBool::new(false),
                open: AtomicU64::new(0),
                state: Mutex::new(State::default()),
            }),
        }
    }

    /// The root of the workspace, as a directory descriptor that is always open.
    #[must_use]
    pub fn root(&self) -> Node {
        Node::root(Arc::clone(&self.shared))
    }

    /// What the call has seen and what was kept from it.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let state = self.lock();
        state.tally.coverage(state.ledger.total())
    }

    /// The operations that the rules refused.
    #[must_use]
    pub fn denials(&self) -> Denials {
        self.lock().ledger.denials()
    }

    /// What the call has learned about the workspace.
    #[must_use]
    pub fn reads(&self) -> ReadSet {
        let mut state = self.lock();
        if state.ledger.total() > 0 {
            state.reads.flaw(Flaw::Denied);
        }
        if self.shared.record == Record::Names {
            state.reads.flaw(Flaw::Names);
        }
        state.reads.finish()
    }

    /// What the call has changed. Reads the changed files to digest them, so ask once, at the end.
    #[must_use]
    pub fn changes(&self) -> ChangeLog {
        self.host_turn().change_log()
    }

    /// Bytes charged to [`Quota::write_bytes`] so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.lock().written
    }

    /// How many descriptors are open.
    #[must_use]
    pub fn open_files(&self) -> u64 {
        self.shared.open.load(Ordering::Acquire)
    }

    /// Ends the view: every later operation fails, also through descriptors and clones. An operation that is running
    /// ends soon; [`View::settle`] waits for it.
    pub fn revoke(&self) {
        self.shared.revoked.store(true, Ordering::Release);
    }

    /// Ends the view and waits until no operation is running any more. Returns `false` when one still is after `most`.
    #[must_use]
    pub fn settle(&self, most: Duration) -> bool {
        self.revoke();
        let started = Instant::now();
        loop {
            match self.shared.state.try_lock() {
                Ok(_) | Err(TryLockError::Poisoned(_)) => return true,
                Err(TryLockError::WouldBlock) if started.elapsed() >= most => return false,
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_micros(200)),
            }
        }
    }

    /// What the second opinion of debug builds has found.
    #[cfg(all(debug_assertions, target_os = "linux"))]
    #[must_use]
    pub fn verdicts(&self) -> oracle::Verdicts {
        self.lock().verdicts
    }

    /// Takes a turn at the view for one operation. What the guest is told of goes into the read set; an error that it
    /// does not account for spoils it.
    pub(crate) fn act<T>(
        &self,
        operation: impl FnOnce(&mut Turn<'_>) -> Result<T, FsError>,
    ) -> Result<T, FsError> {
        let mut turn = self.host_turn();
        let done = self.shared.check_revoked();
        let done = done.and_then(|()| operation(&mut turn));
        if done.as_ref().is_err_and(|error| !error.is_noted()) {
            turn.state.reads.flaw(Flaw::Error);
        }
        done
    }

    /// Like [`View::act`], for an operation that may change something: no result that comes of it is used again.
    pub(crate) fn change<T>(
        &self,
        operation: impl FnOnce(&mut Turn<'_>) -> Result<T, FsError>,
    ) -> Result<T, FsError> {
        self.act(|turn| {
            turn.state.reads.flaw(Flaw::Wrote);
            operation(turn)
        })
    }

    /// A turn for the host itself, also when the view has ended.
    pub(crate) fn host_turn(&self) -> Turn<'_> {
        Turn {
            shared: &self.shared,
            state: self.lock(),
            began: Moment::now(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is counters and caches, each step of which leaves it whole: a panic elsewhere does not spoil it.
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("View")
            .field("quota", &self.shared.quota)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn check_revoked(&self) -> Result<(), FsError> {
        if self.revoked.load(Ordering::Acquire) {
            Err(FsError::revoked())
        } else {
            Ok(())
        }
    }
}

impl Turn<'_> {
    /// What the rules say about a path.
    pub(crate) fn sight(&mut self, path: &RelPath) -> Sight {
        self.known(path).sight
    }

    pub(crate) fn known(&mut self, path: &RelPath) -> Known {
        if let Some(known) = self.state.known.get(path) {
            return *known;
        }
        if self.state.known.len() >= MAX_KNOWN {
            // Paths are the guest's to choose, memory is ours. Only speed is lost, and that a file changed before.
            self.state.known.clear();
        }
        let known = Known {
            sight: Sight::of(self.shared.rules.as_ref(), path),
            seen: None,
        };
        self.state.known.insert(path.clone(), known);
        known
    }

    /// Remembers the file found at a path.
    pub(crate) fn saw(&mut self, path: &RelPath, meta: Meta) {
        if let Some(known) = self.state.known.get_mut(path) {
            known.seen = Some(meta);
        }
    }

    /// Remembers the file found at a path, unless one is remembered.
    pub(crate) fn saw_first(&mut self, path: &RelPath, meta: &Meta) {
        if let Some(known) = self.state.known.get_mut(path) {
            known.seen.get_or_insert(*meta);
        }
    }

    /// Forgets what was found at a path, since the call itself changes it.
    pub(crate) fn forget(&mut self, path: &RelPath) {
        if let Some(known) = self.state.known.get_mut(path) {
            known.seen = None;
        }
        self.state.hot = None;
    }

    /// Forgets what was found anywhere, since the call itself moves a directory.
    pub(crate) fn forget_all(&mut self) {
        self.state.known.clear();
        self.state.verified.clear();
        self.state.hot = None;
    }

    /// A refusal by the rules, recorded.
    pub(crate) fn deny(&mut self, path: &RelPath, wanted: Wanted) -> FsError {
        if self.sight(path).protected {
            self.protected(path, wanted)
        } else {
            self.refuse(path, wanted, error::PATH_DENIED)
        }
    }

    /// A refusal because no guest may touch this, recorded.
    pub(crate) fn protected(&mut self, path: &RelPath, wanted: Wanted) -> FsError {
        self.refuse(path, wanted, error::PATH_PROTECTED)
    }

    pub(crate) fn refuse(&mut self, path: &RelPath, wanted: Wanted, code: &'static str) -> FsError {
        self.state.ledger.add(path.as_str(), wanted, code);
        let why = match code {
            error::PATH_PROTECTED => "it is closed to every plugin",
            error::LINK_DENIED => "it has more than one name, or is a link",
            error::FILE_TYPE => "it is neither a file nor a directory",
            error::PATH_ESCAPE => "the path or link leads out of its directory",
            _ => "the lease does not allow it",
        };
        let kind = if code == error::PATH_ESCAPE {
            Kind::NotPermitted
        } else {
            Kind::Access
        };
        FsError::new(kind, code, format!("wanted to {wanted} {path}: {why}"))
    }
}

/// The most paths that are remembered.
const MAX_KNOWN: usize = 65_536;
