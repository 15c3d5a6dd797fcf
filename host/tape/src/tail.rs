//! The end of a tape as one process knows it.

use leasehold_seal::Digest;

use crate::checkpoint::Checkpoint;
use crate::disk::{DiskFile, Span};
use crate::draft::Draft;
use crate::error::TapeError;
use crate::kind::Kind;
use crate::ledger::Ledger;
use crate::reader::{Chain, Lines, parse_line};
use crate::record::{Record, RecordFault};
use crate::tree::Frontier;

/// Everything needed to append the next record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail {
    pub(crate) chain: Chain,
    /// Length of the record file up to and with the last record, in bytes.
    pub(crate) bytes: u64,
    /// Length of the last record without line feed, in bytes.
    pub(crate) last_line: u64,
    pub(crate) frontier: Frontier,
    pub(crate) ledger: Ledger,
    /// Whether the last record is `tape.closed`.
    pub(crate) closed: bool,
    /// Number of records in the last state file this process wrote or read.
    pub(crate) saved: u64,
    pub(crate) head: Option<Head>,
}

/// The checkpoint file as this process last saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) size: u64,
    /// Digest of the file's bytes.
    pub(crate) file: Digest,
}

/// How reading the end of a tape ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// With a whole record.
    Clean,
    /// With what a crash left: everything from the end of the last record.
    Torn,
}

impl Tail {
    /// Reads and checks what lies between the known end and `len`. `signed` is a checkpoint to hold
    /// the records to on the way.
    ///
    /// A crash can leave a last line without its line feed, and holes where blocks were never
    /// written, which read as NUL. No record has a NUL, so a bad line with one is torn; any other
    /// bad line is somebody's doing.
    pub(crate) fn scan(
        &mut self,
        file: &dyn DiskFile,
        len: u64,
        signed: Option<&Checkpoint>,
    ) -> Result<Scan, TapeError> {
        let mut lines = Lines::new(
            Span {
                file,
                from: self.bytes,
                to: len,
            },
            self.bytes,
        );
        while let Some(line) = lines
            .next_line()
            .map_err(|error| TapeError::io("reading the tape", &error))?
        {
            let length = line.bytes.len() as u64;
            let taken = parse_line(&line).and_then(|record| self.take(&record, length));
            match taken {
                Ok(()) => self.hold_to(signed)?,
                Err(fault) if fault.code == "RECORD-TORN" || line.bytes.contains(&0) => {
                    return Ok(Scan::Torn);
                }
                Err(fault) => return Err(self.broken(fault)),
            }
        }
        Ok(Scan::Clean)
    }

    /// Takes in drafts that were written as lines of these lengths and leaves.
    pub(crate) fn advance(&mut self, drafts: &[Draft], lines: &[(u64, Digest)]) {
        for (draft, (length, leaf)) in drafts.iter().zip(lines) {
            self.chain.next += 1;
            self.chain.last = Some(*leaf);
            self.frontier.append(*leaf);
            self.bytes += length + 1;
            self.last_line = *length;
            self.closed = *draft.kind() == Kind::TapeClosed;
            if let Some(effect) = draft.effect() {
                self.ledger.fold(effect);
            }
        }
    }

    /// The head as it stands; `None` for an empty tape.
    pub(crate) fn checkpoint(&self) -> Option<Checkpoint> {
        Some(Checkpoint {
            tape: self.chain.tape?,
            size: self.chain.next,
            root: self.frontier.root(),
        })
    }

    /// Compares the root once as many records are known as were signed.
    pub(crate) fn hold_to(&self, signed: Option<&Checkpoint>) -> Result<(), TapeError> {
        match signed {
            Some(signed)
                if signed.size == self.chain.next && signed.root != self.frontier.root() =>
            {
                Err(TapeError::Broken {
                    seq: self.chain.next.saturating_sub(1),
                    line: self.chain.next,
                    fault: RecordFault::new(
                        "CHECKPOINT-ROOT",
                        "the records up to here are not those that were signed",
                    ),
                })
            }
            _ => Ok(()),
        }
    }

    fn take(&mut self, record: &Record, length: u64) -> Result<(), RecordFault> {
        self.chain.accept(record)?;
        self.ledger
            .apply(record)
            .inspect_err(|_| self.chain.next -= 1)?;
        self.frontier.append(record.leaf());
        self.bytes += length + 1;
        self.last_line = length;
        self.closed = record.kind == Kind::TapeClosed;
        Ok(())
    }

    fn broken(&self, fault: RecordFault) -> TapeError {
        let seq = self.chain.next;
        TapeError::Broken {
            seq,
            line: seq + 1,
            fault,
        }
    }
}
