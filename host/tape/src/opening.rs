//! Opening a tape: from the state file where it is good, else from record 0.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use leasehold_seal::note::Note;
use leasehold_seal::{Digest, KeyId, SecretKey};
use zeroize::Zeroizing;

use crate::checkpoint::{Checkpoint, is_crash_remains};
use crate::commit::Commit;
use crate::disk::{Disk, DiskFile, OpenMode, Span, read_file, write_all};
use crate::draft::Draft;
use crate::error::TapeError;
use crate::kind::Kind;
use crate::lock::FileLock;
use crate::publish::{CHECKPOINT, MAX_CHECKPOINT, STATE};
use crate::reader::Lines;
use crate::record::{MAX_RECORD, RecordFault, valid_boot};
use crate::session::{Opened, Recovered};
use crate::state::MAX_STATE;
use crate::tail::{Head, Scan, Tail};
use crate::tape::{HostClock, Options, Tape};
use crate::{recovery, state, tree};

/// The file that holds the records.
pub(crate) const RECORDS: &str = "records.jsonl";
/// The file whose lock is held while appending.
pub(crate) const LOCK: &str = "lock";

pub(crate) fn open(
    dir: &Path,
    host: Arc<SecretKey>,
    mac_key: &[u8; 32],
    clock: Arc<dyn HostClock>,
    options: Options,
) -> Result<Tape, TapeError> {
    let boot = clock.boot_id();
    if !valid_boot(&boot) {
        return Err(TapeError::Body(format!("{boot:?} cannot be a boot id")));
    }
    let disk = Arc::clone(&options.disk);
    let failed = |error: io::Error| TapeError::io("opening the tape", &error);
    let lock: Arc<dyn DiskFile> = match disk.open(&dir.join(LOCK), OpenMode::Create) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            disk.create_dir(dir).map_err(failed)?;
            disk.open(&dir.join(LOCK), OpenMode::Create)
        }
        other => other,
    }
    .map_err(failed)?
    .into();
    let _guard = FileLock::take(&lock, options.lock_wait)?;
    let records = disk
        .open(&dir.join(RECORDS), OpenMode::Create)
        .map_err(failed)?;
    let info = records.info().map_err(failed)?;
    if !info.regular {
        return Err(TapeError::Format(format!(
            "{RECORDS} is not a regular file"
        )));
    }
    let before = Before::read(dir, &*records, info.bytes, mac_key, &*disk)?;
    let genesis = match before.tape {
        Some((_, expected)) if expected != host.public().key_id() => {
            let found = host.public().key_id();
            return Err(TapeError::OtherHost { expected, found });
        }
        Some(_) => None,
        None => Some(Opened::new(host.public().key_id(), &nonce(&options)?)),
    };
    let id = match (&before.tape, &genesis) {
        (Some((id, _)), _) => *id,
        (None, Some(opened)) => opened.tape_id(),
        (None, None) => return Err(TapeError::Format("it has no id".to_owned())),
    };
    let mut tail = before.tail;
    let resumed = tail.bytes > 0;
    let mut tape = Tape {
        id,
        dir: dir.to_owned(),
        options,
        host,
        mac_key: Zeroizing::new(*mac_key),
        clock,
        boot,
        lock,
        records,
        written: AtomicU64::new(tail.bytes),
        // The state file only covers what is durable.
        commit: Commit::new(tail.bytes),
        tail: Mutex::new(Tail::default()),
        poison: OnceLock::new(),
    };
    let signed = checkpoint(&tape, &mut tail, before.checkpoint.as_deref())?;
    let batch = read_on(&tape, &mut tail, info.bytes, signed.as_ref())?;
    begin(&tape, &mut tail, genesis, batch)?;
    if !resumed {
        sync_names(&tape)
            .map_err(|error| TapeError::io("making the tape folder durable", &error))?;
    }
    tape.written.store(tail.bytes, Ordering::Release);
    tape.tail = Mutex::new(tail);
    Ok(tape)
}

/// What the folder says before the tape itself is read.
struct Before {
    /// Where to go on reading: after what the state file covers, else at the start.
    tail: Tail,
    /// The tape's id and host; `None` for a new tape.
    tape: Option<(Digest, KeyId)>,
    /// The checkpoint file, unless it is what a crash left of one.
    checkpoint: Option<Vec<u8>>,
}

impl Before {
    fn read(
        dir: &Path,
        records: &dyn DiskFile,
        len: u64,
        mac_key: &[u8; 32],
        disk: &dyn Disk,
    ) -> Result<Before, TapeError> {
        let read = |name: &str, limit| {
            read_file(disk, &dir.join(name), limit)
                .map_err(|error| TapeError::io("opening the tape", &error))
        };
        let checkpoint = read(CHECKPOINT, MAX_CHECKPOINT)?.filter(|bytes| !is_crash_remains(bytes));
        let state = read(STATE, MAX_STATE)?.and_then(|bytes| state::decode(&bytes, mac_key));
        if let Some(tail) = &state
            && ends_there(records, len, tail)?
        {
            let tape = tail.chain.tape.zip(tail.chain.host);
            return Ok(Before {
                tail: tail.clone(),
                tape,
                checkpoint,
            });
        }
        let tape = first_record(records, len)?;
        match (&state, &tape) {
            (Some(tail), Some((id, _))) if tail.chain.tape == Some(*id) => {
                return Err(contradicts(tail, len));
            }
            (_, None) => {
                let known = state.map_or(0, |tail| tail.chain.next);
                let signed = known.max(checkpoint.as_deref().map_or(0, claimed_size));
                if signed > 0 {
                    return Err(TapeError::Truncated {
                        found: 0,
                        signed,
                        unit: "records",
                    });
                }
            }
            // The state file of another tape: as good as none.
            _ => {}
        }
        Ok(Before {
            tail: Tail::default(),
            tape,
            checkpoint,
        })
    }
}

/// Whether the last record the state file covers stands where it should.
fn ends_there(records: &dyn DiskFile, len: u64, tail: &Tail) -> Result<bool, TapeError> {
    let line = tail
        .bytes
        .checked_sub(tail.last_line + 1)
        .filter(|_| tail.bytes <= len);
    let Some(from) = line else { return Ok(false) };
    let mut bytes = Vec::new();
    Span {
        file: records,
        from,
        to: tail.bytes,
    }
    .read_to_end(&mut bytes)
    .map_err(|error| TapeError::io("reading the last record", &error))?;
    let line = bytes.strip_suffix(b"\n");
    Ok(line.is_some_and(|line| Some(tree::leaf(line)) == tail.chain.last))
}

/// The records are not those the state file, which is authentic and of this tape, was written over.
fn contradicts(tail: &Tail, len: u64) -> TapeError {
    if len < tail.bytes {
        return TapeError::Truncated {
            found: len,
            signed: tail.bytes,
            unit: "bytes",
        };
    }
    TapeError::Broken {
        seq: tail.chain.next.saturating_sub(1),
        line: tail.chain.next,
        fault: RecordFault::new("RECORD-CHAIN", "it is not the record this host wrote there"),
    }
}

/// Id and host of the tape by its first record; `None` when there is none, or it is torn.
fn first_record(records: &dyn DiskFile, len: u64) -> Result<Option<(Digest, KeyId)>, TapeError> {
    let to = len.min(MAX_RECORD as u64 + 2);
    let mut first = Tail::default();
    let mut lines = Lines::new(
        Span {
            file: records,
            from: 0,
            to,
        },
        0,
    );
    let line = lines
        .next_line()
        .map_err(|error| TapeError::io("reading the tape", &error))?;
    match line {
        Some(line) if line.ended => {
            let length = line.bytes.len() as u64 + 1;
            // A torn first record is dealt with like any other torn tail.
            first.scan(records, length, None)?;
            Ok(first.chain.tape.zip(first.chain.host))
        }
        _ => Ok(None),
    }
}

/// The size a checkpoint file states, verified by nobody.
fn claimed_size(bytes: &[u8]) -> u64 {
    let note = Note::parse(bytes).ok();
    let checkpoint = note.and_then(|note| Checkpoint::parse(note.unverified_text()).ok());
    checkpoint.map_or(1, |checkpoint| checkpoint.size)
}

/// Verifies the checkpoint file, unless the state file knows it.
fn checkpoint(
    tape: &Tape,
    tail: &mut Tail,
    bytes: Option<&[u8]>,
) -> Result<Option<Checkpoint>, TapeError> {
    let known = tail.head.take();
    let Some(bytes) = bytes else { return Ok(None) };
    let file = Digest::of(bytes);
    let covers = |head: &Head| head.file == file && head.size <= tail.chain.next;
    if known.as_ref().is_some_and(covers) {
        tail.head = known;
        return Ok(None);
    }
    let signed = Checkpoint::open(bytes, &tape.id, &[&tape.host.public()])?.checkpoint;
    tail.head = Some(Head {
        size: signed.size,
        file,
    });
    tail.hold_to(Some(&signed))?;
    Ok(Some(signed))
}

/// Reads the rest of the tape; returns what is to be recorded about torn tails.
fn read_on(
    tape: &Tape,
    tail: &mut Tail,
    len: u64,
    signed: Option<&Checkpoint>,
) -> Result<Option<Recovered>, TapeError> {
    let start = tail.bytes;
    let recovered = match tail.scan(&*tape.records, len, signed)? {
        Scan::Torn => Some(recovery::cut(tape, tail, len)?),
        Scan::Clean => recovery::unrecorded(tape, tail)?,
    };
    let found = tail.chain.next;
    match signed {
        Some(signed) if signed.size > found => {
            let signed = signed.size;
            Err(TapeError::Truncated {
                found,
                signed,
                unit: "records",
            })
        }
        _ => write_again(&*tape.records, start, tail.bytes).map(|()| recovered),
    }
}

/// Writes what was found after the last durable point once more, unchanged.
///
/// A process before this one may have failed to sync these records. The system then believes them
/// written although they are not, and the next sync would succeed without them. Writing makes the
/// next sync mean what it says.
fn write_again(records: &dyn DiskFile, from: u64, to: u64) -> Result<(), TapeError> {
    let mut span = Span {
        file: records,
        from,
        to,
    };
    let mut chunk = vec![
        0;
        usize::try_from(to - from)
            .unwrap_or(usize::MAX)
            .min(1 << 20)
    ];
    let mut offset = from;
    let copied = loop {
        match span.read(&mut chunk) {
            Ok(0) => break Ok(()),
            Ok(count) => match write_all(records, &chunk[..count], offset) {
                Ok(()) => offset += count as u64,
                Err(error) => break Err(error),
            },
            Err(error) => break Err(error),
        }
    };
    copied.map_err(|error| TapeError::io("writing the end of the tape again", &error))
}

/// Writes the first record of a new tape, and what is to be said of a torn tail.
fn begin(
    tape: &Tape,
    tail: &mut Tail,
    genesis: Option<Opened>,
    recovered: Option<Recovered>,
) -> Result<(), TapeError> {
    let mut batch = Vec::new();
    if let Some(opened) = &genesis {
        batch.push(Draft::of(Kind::TapeOpened, opened)?);
        tail.chain.tape = Some(tape.id);
        tail.chain.host = Some(opened.host);
    }
    if let Some(recovered) = &recovered {
        batch.push(Draft::of(Kind::TapeRecovered, recovered)?);
    }
    if batch.is_empty() {
        return Ok(());
    }
    let now = tape.now(tail)?;
    tape.write(tail, &batch, now)?;
    tape.sync_to(tail.bytes)
}

/// Makes the names of record file and folder durable. Without a good state file nothing shows that
/// this ever succeeded: the process that made the tape may have failed right here.
fn sync_names(tape: &Tape) -> io::Result<()> {
    let disk = &tape.options.disk;
    disk.sync_dir(&tape.dir)?;
    match tape.dir.parent().map(|parent| disk.sync_dir(parent)) {
        // Who may not read the folder above did not make the folder of the tape in it.
        Some(Err(error)) if error.kind() != io::ErrorKind::PermissionDenied => Err(error),
        _ => Ok(()),
    }
}

fn nonce(options: &Options) -> Result<[u8; 32], TapeError> {
    let mut nonce = [0; 32];
    match options.nonce {
        Some(given) => Ok(given),
        None => getrandom::fill(&mut nonce)
            .map(|()| nonce)
            .map_err(|error| TapeError::Format(format!("no randomness: {error}"))),
    }
}
