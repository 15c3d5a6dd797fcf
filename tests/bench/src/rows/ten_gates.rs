//! Row 7: ten gates over 6,000 files, 90 MB: how much of the processors a whole run uses.
//!
//! `leasehold run --no-cache`, from the shell to the report, with compiled code in the cache. The two sides are the processor time of
//! the process and its children, and the wall time of all processors. Whatever else runs on the machine takes time away from
//! the first side, so a second line counts everything that ran. All files are in the page cache.

use std::time::{Duration, Instant};

use super::{Settings, disk};
use crate::Fault;
use crate::measure::{Pair, alternate, repeat, timed};
use crate::process::Spent;
use crate::project::{Project, TEN};
use crate::sources;
use crate::table::{Bound, Line};

/// Runs of one round: enough for ticks of 10 ms to be small.
const RUNS: u32 = 3;
/// The least share of the processors that is to be used.
const BOUND: f64 = 0.85;

pub(super) fn measure(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let project = Project::of(&disk()?, &TEN)?;
    sources::make(&project.workspace(), settings.quick)?;
    let processors = u32::try_from(std::thread::available_parallelism()?.get())?;
    let rounds = repeat(settings.rounds(5), || {
        let (before, began) = (Spent::now()?, Instant::now());
        (0..RUNS).try_for_each(|_| project.run(["--no-cache"]))?;
        let there_was = began.elapsed() * processors / RUNS;
        let spent = Spent::now()?.since(before);
        Ok((spent.children / RUNS, spent.machine / RUNS, there_was))
    })?;
    let pair = |side: fn(&(Duration, Duration, Duration)) -> Duration| {
        let rounds: Vec<_> = rounds.iter().map(|round| (side(round), round.2)).collect();
        Pair::of(&rounds)
    };
    let one_by_one = alternate(
        settings.rounds(5),
        || timed(1, || project.run(["--no-cache"])),
        || timed(1, || project.run(["--no-cache", "--jobs=1"])),
    )?;
    let what = format!("ten gates, 6,000 files, 90 MB, processor time : wall time × {processors}");
    Ok(vec![
        Line::bounded(&what, pair(|round| round.0), Bound::AtLeast(BOUND)),
        Line::comparison(
            format!("{what}, with all else that ran on the machine"),
            pair(|round| round.1),
        ),
        Line::comparison(
            "ten gates, whole process : the same with --jobs 1",
            one_by_one,
        ),
    ])
}
