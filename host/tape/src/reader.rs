//! Reading a tape from any stream, in constant memory.
//!
//! [`Lines`] cuts the stream, [`Chain`] holds each record to the one before, [`Records`] is both.

use std::io::{self, Read};

use leasehold_seal::{Digest, KeyId, Timestamp};

use crate::kind::Kind;
use crate::ledger::CLOCK_TOLERANCE_MS;
use crate::record::{MAX_RECORD, Record, RecordFault};
use crate::session::Opened;
use crate::tape::Appended;

/// How much is asked of the stream at once, in bytes.
const CHUNK: usize = 128 * 1024;

/// One line of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The bytes without line feed, at most 65,536 of them.
    pub bytes: &'a [u8],
    /// Whether a line feed ends it.
    pub ended: bool,
    /// Where it begins, in bytes from the start of the stream.
    pub offset: u64,
}

/// Cuts a stream into lines of bounded length.
#[derive(Debug)]
pub struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    offset: u64,
}

impl<R: Read> Lines<R> {
    /// Reads lines from a stream whose first byte has this offset.
    pub fn new(source: R, offset: u64) -> Self {
        Self {
            source,
            buffer: vec![0; CHUNK],
            from: 0,
            to: 0,
            offset,
        }
    }

    /// The next line; `None` at the end. A line longer than a record may be is given cut after
    /// 65,536 bytes with `ended` false; do not go on after that.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = 0;
        let end = loop {
            let held = &self.buffer[self.from..self.to];
            if let Some(end) = held[searched..].iter().position(|b| *b == b'\n') {
                break Some(searched + end);
            }
            searched = held.len();
            if searched > MAX_RECORD || !self.fill()? {
                break None;
            }
        };
        let length = end.unwrap_or(self.to - self.from).min(MAX_RECORD + 1);
        if end.is_none() && length == 0 {
            return Ok(None);
        }
        let (start, offset) = (self.from, self.offset);
        let taken = length + usize::from(end == Some(length));
        self.from += taken;
        self.offset += taken as u64;
        Ok(Some(Line {
            bytes: &self.buffer[start..start + length],
            ended: end == Some(length),
            offset,
        }))
    }

    /// Reads more; `false` at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.from..self.to, 0);
        self.to -= self.from;
        self.from = 0;
        loop {
            match self.source.read(&mut self.buffer[self.to..]) {
                Ok(count) => {
                    self.to += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// What the next record of a tape must fit to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The tape's id; `None` before record 0.
    pub tape: Option<Digest>,
    /// The host key named in record 0; `None` before it.
    pub host: Option<KeyId>,
    /// Number of the next record.
    pub next: u64,
    /// Leaf of the last record.
    pub last: Option<Digest>,
    /// Latest time on the tape.
    pub latest: Option<Timestamp>,
}

impl Chain {
    /// Before record 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next record, or says why it is not the next; nothing changes then.
    ///
    /// # Errors
    /// `RECORD-SEQ`, `RECORD-CHAIN`, `RECORD-TAPE`, `RECORD-GENESIS`, `CLOCK-BACK`.
    pub fn accept(&mut self, record: &Record) -> Result<(), RecordFault> {
        if record.seq != self.next {
            return Err(RecordFault::new(
                "RECORD-SEQ",
                format!("it is numbered {}, expected {}", record.seq, self.next),
            ));
        }
        if record.prev != self.last {
            return Err(RecordFault::new(
                "RECORD-CHAIN",
                "it does not follow the record before it: one of the two was changed",
            ));
        }
        match self.tape {
            None => self.begin(record)?,
            Some(_) if record.kind == Kind::TapeOpened => {
                return Err(RecordFault::new(
                    "RECORD-GENESIS",
                    "tape.opened stands in the middle of a tape",
                ));
            }
            Some(tape) if record.tape != tape => {
                return Err(RecordFault::new(
                    "RECORD-TAPE",
                    format!("it belongs to tape {}", record.tape),
                ));
            }
            Some(_) => {}
        }
        if let Some(latest) = self.latest
            && record.time.millis_since(latest) < -CLOCK_TOLERANCE_MS
        {
            return Err(RecordFault::new(
                "CLOCK-BACK",
                format!(
                    "its time {} lies more than 300 s before {latest}",
                    record.time
                ),
            ));
        }
        self.next += 1;
        self.last = Some(record.leaf());
        self.latest = self.latest.max(Some(record.time));
        Ok(())
    }

    fn begin(&mut self, record: &Record) -> Result<(), RecordFault> {
        let genesis = |what: &str| RecordFault::new("RECORD-GENESIS", what);
        if record.kind != Kind::TapeOpened {
            return Err(genesis("the first record is not tape.opened"));
        }
        let opened: Opened = record.body()?;
        if !opened.well_formed() {
            return Err(genesis("the nonce of tape.opened is malformed"));
        }
        if opened.tape_id() != record.tape {
            return Err(genesis("the tape id is not that of nonce and host"));
        }
        self.tape = Some(record.tape);
        self.host = Some(opened.host);
        Ok(())
    }
}

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The stream failed.
    #[error("the tape cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A record is bad.
    #[error("record {seq} (line {line}) is wrong: {}", fault.message)]
    Bad {
        /// Number the record should have had.
        seq: u64,
        /// Its line, from 1.
        line: u64,
        /// Where it begins, in bytes.
        offset: u64,
        /// What is wrong.
        fault: RecordFault,
    },
}

/// The records of a stream, from record 0, each checked for form and for its place in the chain.
/// Ends after the first error.
#[derive(Debug)]
pub struct Records<R> {
    lines: Lines<R>,
    chain: Chain,
    done: bool,
    /// The leaf of the first record, where reading begins in the middle.
    first: Option<Digest>,
}

impl<R: Read> Records<R> {
    /// Reads a tape from its first byte.
    pub fn new(source: R) -> Self {
        Self {
            lines: Lines::new(source, 0),
            chain: Chain::new(),
            done: false,
            first: None,
        }
    }

    /// Reads on from the middle of a tape. The source gives the bytes from `place` on, and the first record has to be the one that
    /// was appended there, of this tape: for whoever appended it and so need not read what comes before.
    pub fn from_place(source: R, tape: Digest, place: &Appended) -> Self {
        Self {
            lines: Lines::new(source, place.offset),
            chain: Chain {
                tape: Some(tape),
                next: place.seq,
                ..Chain::default()
            },
            done: false,
            first: Some(place.leaf),
        }
    }

    /// What the next record must fit to.
    pub fn position(&self) -> &Chain {
        &self.chain
    }

    fn read(&mut self) -> Result<Option<Record>, ReadError> {
        let Some(line) = self.lines.next_line()? else {
            return Ok(None);
        };
        let parsed = parse_line(&line).and_then(|record| {
            if let Some(leaf) = self.first.take() {
                if record.leaf() != leaf {
                    return Err(RecordFault::new(
                        "RECORD-CHAIN",
                        "another record stands where reading begins",
                    ));
                }
                self.chain.last = record.prev;
            }
            self.chain.accept(&record)?;
            Ok(record)
        });
        match parsed {
            Ok(record) => Ok(Some(record)),
            Err(fault) => Err(ReadError::Bad {
                seq: self.chain.next,
                line: self.chain.next + 1,
                offset: line.offset,
                fault,
            }),
        }
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let item = self.read().transpose();
        self.done = !matches!(item, Some(Ok(_)));
        item
    }
}

/// Reads a record from a line.
///
/// # Errors
/// `RECORD-TORN` for a line without line feed, else those of [`Record::parse`].
pub fn parse_line(line: &Line<'_>) -> Result<Record, RecordFault> {
    if !line.ended && line.bytes.len() <= MAX_RECORD {
        return Err(RecordFault::new(
            "RECORD-TORN",
            "the last line has no line feed; if a crash left it so, opening the tape repairs it",
        ));
    }
    Record::parse(line.bytes)
}
