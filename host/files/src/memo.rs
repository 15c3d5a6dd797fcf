//! Digests of file content by the identity of the file, so that content is hashed once for many calls and runs.
//!
//! What is known about a file holds as long as device, inode, size, time of modification and time of change (`ctime`) are
//! the same. The last one is set by the kernel at every change of content or attributes and cannot be set back by a
//! program, so content that was replaced under the same size and `mtime` is noticed. Times are as coarse as the clock tick
//! of the kernel (10 ms; 2 s on some file systems): a change within the same tick as the one before would go unnoticed. So
//! content is only remembered when the last change was older than a margin when the hashing began (the "racy" rule of
//! git's index, `racy-git.txt`).
//!
//! What this cannot see: content that is written through a shared writable mapping whose page was already dirty, until the
//! kernel writes it back; changes by whoever can set the clock back or write to the device below the file system; and file
//! systems that keep no `ctime` of their own. Where that matters, start without a memo.

use std::collections::HashMap;
use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use leasehold_seal::Digest;
use sha2::{Digest as _, Sha256};

use crate::protect::FileId;
use crate::sys::{self, Errno, Meta};

/// Digests of file content that were worked out before. A handle: clones share what is known, also between threads.
#[derive(Clone, Debug)]
pub struct DigestMemo {
    pub(crate) shared: Arc<Shared>,
    /// How much older than the hashing the last change must be, in nanoseconds.
    pub(crate) margin: i128,
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    shards: [Mutex<HashMap<FileId, Known>>; SHARDS],
    hashed: AtomicU64,
}

/// What is known about one file as it was once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) stamp: Stamp,
    /// How many times it was kept without being asked for.
    pub(crate) age: u8,
    pub(crate) ranges: Vec<Range>,
}

/// The state of a file's content as far as the host tells it apart. Times are in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    pub(crate) modified: i64,
    pub(crate) changed: i64,
}

/// The digest of a stretch of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range {
    pub(crate) from: u64,
    pub(crate) len: u64,
    pub(crate) digest: Digest,
}

/// A moment of the host's clock, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(i128);

impl Default for DigestMemo {
    fn default() -> Self {
        Self::new()
    }
}

impl DigestMemo {
    /// A memo that knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::default(),
            margin: MARGIN.as_nanos() as i128,
        }
    }

    /// The same memo with another margin than two seconds: more for a file system with coarser times. Less is unsafe
    /// wherever files are still being changed.
    #[must_use]
    pub fn with_margin(self, margin: Duration) -> Self {
        Self {
            margin: i128::try_from(margin.as_nanos()).unwrap_or(i128::MAX),
            ..self
        }
    }

    /// How many files something is known about.
    #[must_use]
    pub fn len(&self) -> usize {
        (0..SHARDS).map(|shard| self.shard(shard).len()).sum()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes were hashed because nothing was known about them.
    #[must_use]
    pub fn hashed_bytes(&self) -> u64 {
        self.shared.hashed.load(Ordering::Relaxed)
    }

    /// The digest of a stretch of the file that has this state now.
    pub(crate) fn known(&self, meta: &Meta, from: u64, len: u64) -> Option<Digest> {
        let stamp = Stamp::of(meta)?;
        let mut shard = self.shard(shard_of(meta.id));
        let known = shard
            .get_mut(&meta.id)
            .filter(|known| known.stamp == stamp)?;
        let range = (known.ranges.iter()).find(|range| range.from == from && range.len == len)?;
        known.age = 0;
        Some(range.digest)
    }

    /// The digest of a whole file whose content was just read. `before` is its state since `began` and before the read.
    pub(crate) fn of_content(
        &self,
        file: &File,
        before: &Meta,
        began: Moment,
        content: &[u8],
    ) -> Digest {
        let len = content.len() as u64;
        let same = sys::meta_of(file).is_ok_and(|after| is_same(before, &after));
        if same && let Some(digest) = self.known(before, 0, len) {
            return digest;
        }
        let digest = Digest::of(content);
        self.count(len);
        if same {
            let from = 0;
            self.remember(before, began, Range { from, len, digest });
        }
        digest
    }

    /// The digest of a stretch of an open file; `None` when the file is shorter, or is changing. `ended` is asked between
    /// the pieces that are read, whether to go on.
    pub(crate) fn of_range(
        &self,
        file: &File,
        from: u64,
        len: u64,
        ended: impl Fn() -> bool,
    ) -> Result<Option<(Meta, Digest)>, Errno> {
        let began = Moment::now();
        let before = sys::meta_of(file)?;
        if let Some(digest) = self.known(&before, from, len) {
            return Ok(Some((before, digest)));
        }
        let mut hasher = Sha256::new();
        let mut left = len;
        let mut buffer = vec![0; PIECE_BYTES.min(usize::try_from(len).unwrap_or(PIECE_BYTES))];
        while left > 0 {
            let room = buffer
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            let room = buffer.get_mut(..room).unwrap_or_default();
            let count = sys::read_into(file, room, from + (len - left))?;
            if count == 0 || ended() {
                return Ok(None);
            }
            hasher.update(room.get(..count).unwrap_or_default());
            left -= count as u64;
        }
        self.count(len);
        let digest = Digest::from_bytes(hasher.finalize().into());
        if !is_same(&before, &sys::meta_of(file)?) {
            return Ok(None);
        }
        self.remember(&before, began, Range { from, len, digest });
        Ok(Some((before, digest)))
    }

    /// Remembers a digest, unless the last change is so near that another one could hide behind it.
    fn remember(&self, meta: &Meta, began: Moment, range: Range) {
        let Some(stamp) = Stamp::of(meta) else { return };
        if began.0.saturating_sub(meta.changed) < self.margin {
            return;
        }
        let mut shard = self.shard(shard_of(meta.id));
        if shard.len() >= MAX_FILES / SHARDS {
            shard.retain(|_, known| known.age == 0);
        }
        if shard.len() >= MAX_FILES / SHARDS {
            return;
        }
        let fresh = Known {
            stamp,
            age: 0,
            ranges: Vec::new(),
        };
        let known = shard.entry(meta.id).or_insert_with(|| fresh.clone());
        if known.stamp != stamp || known.ranges.len() >= MAX_RANGES {
            *known = fresh;
        }
        if let Err(at) = known.ranges.binary_search(&range) {
            known.ranges.insert(at, range);
        }
    }

    fn count(&self, bytes: u64) {
        self.shared.hashed.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn shard(&self, number: usize) -> MutexGuard<'_, HashMap<FileId, Known>> {
        // Each change leaves a map whole: a panic elsewhere does not spoil it.
        self.shared.shards[number % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stamp {
    /// `None` for times that no clock shows (before 1678, after 2262).
    fn of(meta: &Meta) -> Option<Self> {
        Some(Self {
            size: meta.size,
            modified: i64::try_from(meta.modified).ok()?,
            changed: i64::try_from(meta.changed).ok()?,
        })
    }
}

impl Moment {
    pub(crate) fn now() -> Self {
        // A clock before 1970 makes every file too new to be remembered.
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(since.map_or(0, |since| since.as_nanos() as i128))
    }
}

/// Whether a file is the same and was not changed in between.
pub(crate) fn is_same(before: &Meta, after: &Meta) -> bool {
    before.id == after.id
        && before.size == after.size
        && before.modified == after.modified
        && before.changed == after.changed
}

pub(crate) fn shard_of(id: FileId) -> usize {
    (id.ino % SHARDS as u64) as usize
}

pub(crate) const SHARDS: usize = 16;

/// The coarsest times that a file system in use keeps are two seconds (FAT).
const MARGIN: Duration = Duration::from_secs(2);

/// The most files that something is remembered about.
pub(crate) const MAX_FILES: usize = 1 << 20;

/// The most stretches of one file that are remembered.
pub(crate) const MAX_RANGES: usize = 64;

/// How much is read at a time, in bytes.
const PIECE_BYTES: usize = 256 * 1024;
