//! From records to a run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};

use leasehold_seal::Digest;
use leasehold_tape::reader::{ReadError, Records};
use leasehold_tape::run::RunStarted;
use leasehold_tape::{Appended, Kind};

use crate::assemble::assemble;
use crate::collect::{Calls, Collected, body, take};
use crate::error::ReportError;
use crate::model::Run;

/// Most ids that are named where a prefix fits several runs.
const NAMED: usize = 4;

/// Which run of a tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that was started last.
    Latest,
    /// The one whose id begins so; upper and lower case are the same. A whole id is never ambiguous.
    Prefix(String),
}

/// Reads a run back. `store` gives the bytes with a digest, or `None` where it has none; what it gives is checked.
///
/// Each record is checked for its form and its place in the chain; signatures are the audit's business. Memory does not grow
/// with the tape. The stream is read from its first byte, and where results were used again it is read once more, for the
/// outcomes they name stand before the run.
///
/// # Errors
/// [`ReportError`]. Bytes that the store does not have are none: they are named in the run.
pub fn read_run<R: Read + Seek>(
    mut records: R,
    store: &dyn Fn(&Digest) -> Option<Vec<u8>>,
    which: &Which,
) -> Result<Run, ReportError> {
    let io = |error| ReportError::Tape(ReadError::Io(error));
    let start = records.stream_position().map_err(io)?;
    let run = find(Records::new(&mut records), which)?;
    let originals = if run.hits.is_empty() {
        BTreeMap::new()
    } else {
        records.seek(SeekFrom::Start(start)).map_err(io)?;
        originals(Records::new(&mut records), &run)?
    };
    Ok(assemble(run, originals, store))
}

/// Where a run and what it rests on begin: for whoever has just run it.
#[derive(Clone, Debug)]
pub struct Places {
    /// The tape.
    pub tape: Digest,
    /// The record `run.started`.
    pub run: Appended,
    /// The intents of the calls whose results were used again.
    pub originals: Vec<Appended>,
}

/// [`read_run`] for a run whose places are known: reads from there and not from the beginning of the tape.
///
/// # Errors
/// As [`read_run`]; `TAPE-BROKEN` where another record stands at one of the places.
pub fn read_run_at<R: Read + Seek>(
    mut records: R,
    store: &dyn Fn(&Digest) -> Option<Vec<u8>>,
    run: &str,
    places: &Places,
) -> Result<Run, ReportError> {
    let which = Which::Prefix(run.to_owned());
    let run = find(from_place(&mut records, places.tape, &places.run)?, &which)?;
    let first = places.originals.iter().min_by_key(|place| place.seq);
    let originals = match first {
        Some(first) if !run.hits.is_empty() => {
            originals(from_place(&mut records, places.tape, first)?, &run)?
        }
        _ => BTreeMap::new(),
    };
    Ok(assemble(run, originals, store))
}

fn from_place<'a, R: Read + Seek>(
    records: &'a mut R,
    tape: Digest,
    place: &Appended,
) -> Result<Records<&'a mut R>, ReportError> {
    let sought = records.seek(SeekFrom::Start(place.offset));
    sought.map_err(|error| ReportError::Tape(ReadError::Io(error)))?;
    Ok(Records::from_place(records, tape, place))
}

/// The first pass: everything about the run itself.
fn find(records: Records<impl Read>, which: &Which) -> Result<Collected, ReportError> {
    let mut found = Found::default();
    for record in records {
        let record = record?;
        if record.kind == Kind::RunStarted {
            let started: RunStarted = body(&record)?;
            if found.wants(which, &started.run) {
                found.run = Some(Collected::new(&record, started));
                continue;
            }
            if let Some(run) = &mut found.run {
                run.repeated_start(&record, &started);
            }
        } else if let Some(run) = &mut found.run {
            run.take(&record)?;
        }
    }
    found.finish(which)
}

/// The second pass: the calls whose outcomes were used again.
fn originals(records: Records<impl Read>, run: &Collected) -> Result<Calls, ReportError> {
    let wanted: BTreeSet<&str> = (run.hits.iter())
        .map(|hit| hit.body.original.as_str())
        .collect();
    let last = run.hits.iter().map(|hit| hit.body.seq).max().unwrap_or(0);
    let mut calls = Calls::new();
    for record in records {
        let record = record?;
        if record.seq > last {
            break;
        }
        take(&mut calls, &record, &|intent| {
            wanted.contains(intent.call.as_str())
        })?;
    }
    Ok(calls)
}

/// The run that fits best so far, and what else fits.
#[derive(Default)]
struct Found {
    run: Option<Collected>,
    /// Ids that fit the prefix, the first few.
    fitting: Vec<String>,
    exact: bool,
}

impl Found {
    /// Whether the run with this id takes the place of what was found.
    fn wants(&mut self, which: &Which, id: &str) -> bool {
        let same = self
            .run
            .as_ref()
            .is_some_and(|run| run.started.body.run == id);
        let Which::Prefix(prefix) = which else {
            return !same;
        };
        let fits = id
            .as_bytes()
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()));
        if !fits || same || self.exact {
            return false;
        }
        if self.fitting.len() < NAMED {
            self.fitting.push(id.to_owned());
        }
        self.exact = id.len() == prefix.len();
        self.exact || self.run.is_none()
    }

    fn finish(self, which: &Which) -> Result<Collected, ReportError> {
        match which {
            Which::Prefix(prefix) if self.fitting.len() > 1 && !self.exact => {
                Err(ReportError::Ambiguous {
                    prefix: prefix.clone(),
                    found: self.fitting,
                })
            }
            Which::Prefix(prefix) => self.run.ok_or_else(|| ReportError::Unknown(prefix.clone())),
            Which::Latest => self.run.ok_or(ReportError::None),
        }
    }
}
