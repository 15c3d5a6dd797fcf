//! What is measured. The bounds of rows 1 to 6 are those of issue 2, of 7 to 10 those of issue 3, the others those of issue 4.

mod admitting;
mod again;
mod alone;
mod command_line;
mod computing;
mod in_flight;
mod opening;
mod planning;
mod reading;
mod scanning;
mod ten_gates;
mod verifying;

use std::path::PathBuf;

use crate::Fault;
use crate::table::Line;

/// What was asked for on the command line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    /// Few and small rounds: to see that it works, not to measure.
    pub(crate) quick: bool,
    /// The one row to measure.
    pub(crate) only: Option<u32>,
}

impl Settings {
    fn rounds(self, full: usize) -> usize {
        if self.quick { 1 } else { full }
    }

    fn work(self, full: u32) -> u32 {
        if self.quick { full.div_ceil(20) } else { full }
    }
}

/// A row of the table; some print more than one line.
pub(crate) struct Row {
    pub(crate) number: u32,
    pub(crate) what: &'static str,
    pub(crate) measure: fn(&Settings) -> Result<Vec<Line>, Fault>,
}

/// All rows.
pub(crate) const ROWS: [Row; 13] = [
    Row {
        number: 1,
        what: "trivial gate, 256 calls in flight",
        measure: in_flight::measure,
    },
    Row {
        number: 2,
        what: "trivial gate, one call at a time",
        measure: alone::measure,
    },
    Row {
        number: 3,
        what: "leasehold call",
        measure: command_line::measure,
    },
    Row {
        number: 4,
        what: "reading 6,000 files through `workspace`",
        measure: reading::through_workspace,
    },
    Row {
        number: 4,
        what: "reading 6,000 files through std::fs",
        measure: reading::through_std,
    },
    Row {
        number: 5,
        what: "computing",
        measure: computing::measure,
    },
    Row {
        number: 6,
        what: "opening a tape",
        measure: opening::measure,
    },
    Row {
        number: 7,
        what: "ten gates",
        measure: ten_gates::measure,
    },
    Row {
        number: 8,
        what: "unchanged second run",
        measure: again::measure,
    },
    Row {
        number: 9,
        what: "the gate `secrets`",
        measure: scanning::measure,
    },
    Row {
        number: 10,
        what: "plan of 1,000 steps",
        measure: planning::measure,
    },
    Row {
        number: 11,
        what: "verifying a lease",
        measure: verifying::measure,
    },
    Row {
        number: 12,
        what: "admission of a counted call",
        measure: admitting::measure,
    },
];

/// A folder on a disk: the one of this executable. (The system's folder for temporary files may be in memory.)
fn disk() -> Result<PathBuf, Fault> {
    let own = std::env::current_exe()?;
    Ok(own
        .parent()
        .ok_or("this executable is in no folder")?
        .to_owned())
}

/// A folder in memory, where making something durable costs nothing.
fn memory() -> Option<PathBuf> {
    let folder = PathBuf::from("/dev/shm");
    folder.is_dir().then_some(folder)
}
