//! Torn tails: saved aside, cut, recorded.

use std::io;
use std::path::PathBuf;

use leasehold_seal::Digest;

use crate::checkpoint::{Checkpoint, is_crash_remains};
use crate::disk::{Disk, OpenMode, Span, read_file, replace_file};
use crate::error::TapeError;
use crate::publish::{CHECKPOINT, MAX_CHECKPOINT};
use crate::session::Recovered;
use crate::tail::Tail;
use crate::tape::Tape;

/// Saves what lies between the last record and `len` as `torn-<seq>`, durably, and cuts it. The
/// caller holds the lock and then appends the body returned.
pub(crate) fn cut(tape: &Tape, tail: &Tail, len: u64) -> Result<Recovered, TapeError> {
    refuse_if_signed(tape, tail)?;
    let failed = |error: &io::Error| TapeError::io("saving a torn tail", error);
    let disk = &*tape.options.disk;
    let mut torn = Vec::new();
    let mut span = Span {
        file: &*tape.records,
        from: tail.bytes,
        to: len,
    };
    io::Read::read_to_end(&mut span, &mut torn).map_err(|error| failed(&error))?;
    let path = free_name(disk, tape, tail.chain.next).map_err(|error| failed(&error))?;
    let temporary = tape.dir.join("torn.new");
    replace_file(disk, &path, &temporary, &torn, true).map_err(|error| failed(&error))?;
    tape.records
        .set_len(tail.bytes)
        // Durable before anything is written in its place, so that no crash can mix the two.
        .and_then(|()| tape.records.sync())
        .map_err(|error| TapeError::io("cutting a torn tail", &error))?;
    Ok(recovered(tail.chain.next, &torn))
}

/// A torn tail that an earlier process saved and cut without living to record it.
pub(crate) fn unrecorded(tape: &Tape, tail: &Tail) -> Result<Option<Recovered>, TapeError> {
    let at = tail.chain.next;
    let path = tape.dir.join(format!("torn-{at}"));
    let bytes = read_file(&*tape.options.disk, &path, u64::MAX)
        .map_err(|error| TapeError::io("reading a torn tail", &error))?;
    Ok(bytes.map(|bytes| recovered(at, &bytes)))
}

/// Records that were signed are never cut, torn or not.
fn refuse_if_signed(tape: &Tape, tail: &Tail) -> Result<(), TapeError> {
    let bytes = read_file(
        &*tape.options.disk,
        &tape.dir.join(CHECKPOINT),
        MAX_CHECKPOINT,
    )
    .map_err(|error| TapeError::io("reading the checkpoint", &error))?;
    let signed = match bytes {
        Some(bytes) if !is_crash_remains(&bytes) => {
            Checkpoint::open(&bytes, &tape.id, &[&tape.host.public()])?
                .checkpoint
                .size
        }
        _ => 0,
    };
    let found = tail.chain.next;
    if signed > found {
        return Err(TapeError::Truncated {
            found,
            signed,
            unit: "records",
        });
    }
    Ok(())
}

fn recovered(at: u64, torn: &[u8]) -> Recovered {
    Recovered {
        at,
        bytes: torn.len() as u64,
        digest: Digest::of(torn),
    }
}

/// The first of `torn-<at>`, `torn-<at>-2`, … that does not exist.
fn free_name(disk: &dyn Disk, tape: &Tape, at: u64) -> io::Result<PathBuf> {
    let mut path = tape.dir.join(format!("torn-{at}"));
    for number in 2_u64.. {
        match disk.open(&path, OpenMode::Existing) {
            Ok(_) => path = tape.dir.join(format!("torn-{at}-{number}")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
    }
    Ok(path)
}
