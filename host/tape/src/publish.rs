//! Writing the checkpoint and state files.
//!
//! Both are renamed into place and not synced. What a power cut can take is only the proof, never a
//! record: the records a checkpoint covers were durable before it was signed, and after reopening the
//! next checkpoint covers them again.

use leasehold_seal::Digest;

use crate::checkpoint::Checkpoint;
use crate::disk::{read_file, replace_file};
use crate::error::TapeError;
use crate::lock::FileLock;
use crate::state;
use crate::tail::{Head, Tail};
use crate::tape::Tape;

/// Longest checkpoint file that is read, in bytes.
pub(crate) const MAX_CHECKPOINT: u64 = 1 << 20;

pub(crate) const CHECKPOINT: &str = "checkpoint";
pub(crate) const STATE: &str = "state";

/// Signs the head of a tail whose records are durable, and writes checkpoint and state.
pub(crate) fn head(tape: &Tape, mut snapshot: Tail) -> Result<String, TapeError> {
    let checkpoint = snapshot
        .checkpoint()
        .ok_or_else(|| TapeError::Format("it has no records".to_owned()))?;
    let text = checkpoint.sign(&tape.host)?;
    let mine = Head {
        size: checkpoint.size,
        file: Digest::of(text.as_bytes()),
    };
    let mut tail = tape.tail();
    let _lock = FileLock::take(&tape.lock, tape.options.lock_wait)?;
    let found = on_disk(tape, &tail)?;
    match found {
        Some(found) if found.size > mine.size || found == mine => tail.head = Some(found),
        _ => {
            let temporary = tape.dir.join("checkpoint.new");
            let path = tape.dir.join(CHECKPOINT);
            replace_file(
                &*tape.options.disk,
                &path,
                &temporary,
                text.as_bytes(),
                false,
            )
            .map_err(|error| TapeError::io("writing the checkpoint", &error))?;
            tail.head = Some(mine);
        }
    }
    if snapshot.chain.next > tail.saved {
        snapshot.head.clone_from(&tail.head);
        tail.saved = snapshot.chain.next;
        if let Some(bytes) = state::encode(&snapshot, &tape.mac_key) {
            write_state(tape, &bytes);
        }
    }
    Ok(text)
}

/// Writes the state file. Failing is no error: it is a cache.
pub(crate) fn state(tape: &Tape, bytes: &[u8]) {
    let _tail = tape.tail();
    if let Ok(_lock) = FileLock::take(&tape.lock, tape.options.lock_wait) {
        write_state(tape, bytes);
    }
}

/// Writes the state file when a tape is dropped, unless that means waiting for others.
pub(crate) fn state_on_drop(tape: &Tape) {
    let tail = tape.tail();
    if tail.chain.next <= tail.saved || tape.check_poison().is_err() {
        return;
    }
    let locked = FileLock::take(&tape.lock, std::time::Duration::ZERO);
    if let (Ok(_lock), Ok(()), Some(bytes)) = (
        locked,
        tape.sync_to(tail.bytes),
        state::encode(&tail, &tape.mac_key),
    ) {
        write_state(tape, &bytes);
    }
}

/// The checkpoint file as it is now; `None` when there is none by this host.
fn on_disk(tape: &Tape, tail: &Tail) -> Result<Option<Head>, TapeError> {
    let path = tape.dir.join(CHECKPOINT);
    let bytes = read_file(&*tape.options.disk, &path, MAX_CHECKPOINT)
        .map_err(|error| TapeError::io("reading the checkpoint", &error))?;
    let Some(bytes) = bytes else { return Ok(None) };
    let file = Digest::of(&bytes);
    if let Some(known) = &tail.head
        && known.file == file
    {
        return Ok(Some(known.clone()));
    }
    let opened = Checkpoint::open(&bytes, &tape.id, &[&tape.host.public()]);
    Ok(opened.ok().map(|signed| Head {
        size: signed.checkpoint.size,
        file,
    }))
}

fn write_state(tape: &Tape, bytes: &[u8]) {
    let (path, temporary) = (tape.dir.join(STATE), tape.dir.join("state.new"));
    let _ = replace_file(&*tape.options.disk, &path, &temporary, bytes, false);
}
