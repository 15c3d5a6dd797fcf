//! A memo of digests as bytes, to be kept in the home. Whoever keeps it makes sure that nobody else has written it: a memo
//! is believed.

use crate::memo::{DigestMemo, Known, MAX_RANGES, Range, SHARDS, Stamp, shard_of};
use crate::protect::FileId;
use crate::wire::{Cursor, FormatError, put_digest, put_number, put_signed};

/// Name and version of the format: it goes up when anything below changes.
const HEADER: &[u8] = b"LHDM\x01";

impl DigestMemo {
    /// What is known, as bytes, sorted by file. Files that were not asked for since they were last kept grow older; what
    /// was kept so 30 times is left out.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut files: Vec<(FileId, Known)> = Vec::new();
        for number in 0..SHARDS {
            let shard = self.shard(number);
            let young = shard.iter().filter(|(_, known)| known.age < MAX_AGE);
            files.extend(young.map(|(id, known)| (*id, known.clone())));
        }
        files.sort_unstable_by_key(|(id, _)| *id);
        let mut into = Vec::with_capacity(16 + files.len() * 72);
        into.extend_from_slice(HEADER);
        put_number(&mut into, files.len() as u64);
        for (id, known) in &files {
            put_file(&mut into, *id, known);
        }
        into
    }

    /// Reads what [`DigestMemo::encode`] gave.
    ///
    /// # Errors
    /// [`FormatError`] for anything else: another version, files that are not in order, bytes behind the end.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut from = Cursor::open("the memo of digests", HEADER, bytes)?;
        let memo = Self::new();
        let count = from.count(8)?;
        let mut last = None;
        for _ in 0..count {
            let (id, known) = take_file(&mut from)?;
            if last.is_some_and(|last| last >= id) {
                return Err(from.wrong(ORDER));
            }
            last = Some(id);
            memo.shard(shard_of(id)).insert(id, known);
        }
        from.end()?;
        Ok(memo)
    }
}

fn put_file(into: &mut Vec<u8>, id: FileId, known: &Known) {
    put_number(into, id.dev);
    put_number(into, id.ino);
    put_number(into, known.stamp.size);
    put_signed(into, known.stamp.changed);
    // Most files are changed in one go.
    put_signed(into, known.stamp.modified.wrapping_sub(known.stamp.changed));
    into.push(known.age);
    put_number(into, known.ranges.len() as u64);
    for range in &known.ranges {
        put_number(into, range.from);
        put_number(into, range.len);
        put_digest(into, range.digest);
    }
}

fn take_file(from: &mut Cursor<'_>) -> Result<(FileId, Known), FormatError> {
    let id = FileId {
        dev: from.number()?,
        ino: from.number()?,
    };
    let size = from.number()?;
    let changed = from.signed()?;
    let stamp = Stamp {
        size,
        changed,
        modified: from.signed()?.wrapping_add(changed),
    };
    let age = from.byte()?.saturating_add(1);
    let count = from.count(34)?;
    if count > MAX_RANGES {
        return Err(from.wrong("too many pieces of one file"));
    }
    let mut ranges: Vec<Range> = Vec::with_capacity(count);
    for _ in 0..count {
        let range = Range {
            from: from.number()?,
            len: from.number()?,
            digest: from.digest()?,
        };
        if ranges.last().is_some_and(|last| *last >= range) {
            return Err(from.wrong(ORDER));
        }
        ranges.push(range);
    }
    Ok((id, Known { stamp, age, ranges }))
}

/// How often something is kept without being asked for.
const MAX_AGE: u8 = 30;

const ORDER: &str = "the files are not in order";
