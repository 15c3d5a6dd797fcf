//! A whole tape as a stream: `leasehold_tape::reader`.
//!
//! The first byte says in pieces of which size the stream is handed out.

use std::io::{self, Read};

use leasehold_seal::Digest;
use leasehold_tape::reader::{Lines, ReadError, Records};
use leasehold_tape::record::MAX_RECORD;
use leasehold_tape::tree;

/// The oracle.
pub fn check(data: &[u8]) {
    let Some((piece, stream)) = data.split_first() else {
        return;
    };
    lines(stream, usize::from(*piece));
    let whole = records(stream);
    let pieces = records(Pieces::new(stream, usize::from(*piece)));
    assert_eq!(whole, pieces, "the size of reads makes a difference");
}

/// Each record follows the one before; leaves in order, and why it ended.
fn records(stream: impl Read) -> (Vec<Digest>, Option<(u64, u64, &'static str)>) {
    let mut leaves: Vec<Digest> = Vec::new();
    let mut tape = None;
    for record in Records::new(stream) {
        match record {
            Ok(record) => {
                assert_eq!(record.seq, leaves.len() as u64);
                assert_eq!(record.prev, leaves.last().copied());
                assert_eq!(*tape.get_or_insert(record.tape), record.tape);
                assert_eq!(record.leaf(), tree::leaf(record.line()));
                leaves.push(record.leaf());
            }
            Err(ReadError::Bad {
                seq, offset, fault, ..
            }) => {
                assert_eq!(seq, leaves.len() as u64);
                return (leaves, Some((seq, offset, fault.code)));
            }
            Err(ReadError::Io(error)) => panic!("a stream in memory failed: {error}"),
        }
    }
    (leaves, None)
}

/// Lines and line feeds put together again are the stream, up to a line that is too long.
fn lines(stream: &[u8], piece: usize) {
    let mut lines = Lines::new(Pieces::new(stream, piece), 0);
    let mut again = Vec::new();
    while let Some(line) = lines.next_line().expect("a stream in memory") {
        assert_eq!(line.offset, again.len() as u64);
        again.extend_from_slice(line.bytes);
        if line.ended {
            assert!(!line.bytes.contains(&b'\n') && line.bytes.len() <= MAX_RECORD + 1);
            again.push(b'\n');
        } else if line.bytes.len() > MAX_RECORD {
            assert!(stream.starts_with(&again));
            return;
        }
    }
    assert_eq!(again, stream);
}

/// A stream that gives a few bytes at a time, and now and then says that it was interrupted.
struct Pieces<'a> {
    rest: &'a [u8],
    piece: usize,
    interrupted: bool,
}

impl<'a> Pieces<'a> {
    fn new(rest: &'a [u8], piece: usize) -> Self {
        Self {
            rest,
            piece: piece + 1,
            interrupted: false,
        }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted && self.piece % 3 == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = self.rest.len().min(self.piece).min(buffer.len());
        let (taken, rest) = self.rest.split_at(count);
        buffer[..count].copy_from_slice(taken);
        self.rest = rest;
        Ok(count)
    }
}
