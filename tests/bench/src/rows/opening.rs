//! Row 6: opening a tape of a million records, against opening one that holds nothing but its own beginning and end.
//!
//! Both were closed as they should be, so both have a state file. Opening includes what a command does before its first record:
//! lock, state, checkpoint, last record; and giving the tape back.

use std::path::Path;
use std::sync::Arc;

use leasehold_sandbox::Instances;
use leasehold_seal::SecretKey;
use leasehold_tape::{Draft, Durability, HostClock, Kind, Tape};
use leasehold_tests::Rig;

use super::{Settings, disk};
use crate::Fault;
use crate::measure::{alternate, timed};
use crate::table::Line;

const RECORDS: u32 = 1_000_000;
const BATCH: usize = 1000;
const OPENINGS: u32 = 50;
/// "As fast", up to what two measurements of one thing differ by.
const BOUND: f64 = 1.1;

struct Place {
    key: Arc<SecretKey>,
    clock: Arc<dyn HostClock>,
}

impl Place {
    fn open(&self, folder: &Path) -> Result<Tape, Fault> {
        let (key, clock) = (Arc::clone(&self.key), Arc::clone(&self.clock));
        Ok(Tape::open(folder, key, &[3; 32], clock)?)
    }
}

pub(super) fn measure(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let disk = disk()?;
    let folder = tempfile::Builder::new()
        .prefix("leasehold-")
        .tempdir_in(&disk)?;
    let place = Place {
        key: Arc::new(SecretKey::from_seed([2; 32])),
        clock: Rig::with(Instances::OnDemand, &disk)?
            .recorder
            .clock
            .clone(),
    };
    let (long, empty) = (folder.path().join("long"), folder.path().join("empty"));
    let records = settings.work(RECORDS);
    fill(&place.open(&long)?, records)?;
    fill(&place.open(&empty)?, 0)?;
    let openings = settings.work(OPENINGS);
    let opened = |folder: &Path| {
        timed(openings, || {
            (0..openings).try_for_each(|_| place.open(folder).map(drop))
        })
    };
    let pair = alternate(settings.rounds(15), || opened(&long), || opened(&empty))?;
    Ok(vec![Line::measured(
        format!("opening a tape of {records} records : an empty one"),
        pair,
        BOUND,
    )])
}

fn fill(tape: &Tape, records: u32) -> Result<(), Fault> {
    let kind = Kind::parse("bench.filling").ok_or("the kind is not well formed")?;
    let draft = Draft::new(
        kind,
        &std::collections::BTreeMap::from([("text", "x".repeat(400))]),
    )?;
    let mut left = usize::try_from(records)?;
    while left > 0 {
        let batch = left.min(BATCH);
        tape.append(vec![draft.clone(); batch], Durability::Written)?;
        left -= batch;
    }
    tape.close()?;
    Ok(())
}
