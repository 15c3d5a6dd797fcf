//! When each step ran: one bar a step, in the order in which they began.
//!
//! Places are percentages of the width, so that bars stretch with the page and words do not.

use crate::model::{Run, Step};
use crate::words::span;

use super::head::class;
use super::matrix::percent;
use super::paper::{Paper, more};

/// Most bars.
const MAX_BARS: usize = 120;
/// Height of a bar with the words above it, in pixels.
const LANE: usize = 36;
/// Height of the axis, in pixels.
const AXIS: usize = 22;

pub(super) struct Timeline {
    pub(super) height: usize,
    /// Where the axis begins, from above.
    pub(super) axis: usize,
    pub(super) axis_text: usize,
    pub(super) ticks: Vec<Tick>,
    pub(super) bars: Vec<Bar>,
    pub(super) more: Option<String>,
}

/// A moment on the axis.
pub(super) struct Tick {
    pub(super) x: String,
    pub(super) text: String,
    /// The ends are written inwards.
    pub(super) anchor: &'static str,
}

/// One step.
pub(super) struct Bar {
    pub(super) class: &'static str,
    pub(super) cached: bool,
    pub(super) x: String,
    pub(super) width: String,
    /// Foot of its words, top of the bar.
    pub(super) text_y: usize,
    pub(super) y: usize,
    /// Where its words begin, or end.
    pub(super) text_x: String,
    pub(super) anchor: &'static str,
    pub(super) symbol: &'static str,
    pub(super) id: String,
    pub(super) took: String,
}

impl Timeline {
    /// `None` where no step began.
    pub(super) fn of(run: &Run, steps: &[&Step], paper: &Paper) -> Option<Timeline> {
        let mut begun: Vec<(u64, &Step)> = steps
            .iter()
            .filter_map(|step| Some((step.start_us?, *step)))
            .collect();
        begun.sort_by_key(|(start, _)| *start);
        let ends = begun
            .iter()
            .map(|(start, step)| start.saturating_add(length(step)));
        let whole = ends.max()?.max(run.duration_us.unwrap_or(0)).max(1);
        let shown = &begun[..begun.len().min(MAX_BARS)];
        let bars = shown.iter().enumerate();
        let bars = bars.map(|(lane, (start, step))| Bar::of(lane, *start, step, whole, paper));
        let bars: Vec<Bar> = bars.collect();
        let axis = bars.len() * LANE;
        Some(Timeline {
            height: axis + AXIS,
            axis,
            axis_text: axis + 16,
            ticks: ticks(whole),
            more: more(begun.len(), bars.len(), "bars"),
            bars,
        })
    }
}

impl Bar {
    fn of(lane: usize, start: u64, step: &Step, whole: u64, paper: &Paper) -> Bar {
        let from = share(start, whole);
        let width = share(length(step), whole).min(100_000 - from);
        // Words that begin far to the right are written to the left of where the bar ends.
        let right = from > 55_000;
        let cached = step.cached.is_some();
        Bar {
            class: class(step.status),
            cached,
            x: percent(from),
            width: percent(width.max(1)),
            text_y: lane * LANE + 15,
            y: lane * LANE + 20,
            text_x: percent(if right { from + width } else { from }),
            anchor: if right { "end" } else { "start" },
            symbol: step.status.symbol(),
            id: paper.name(&step.id),
            took: match (cached, step.wall_us) {
                (true, _) => "cached".to_owned(),
                (false, Some(took)) => span(took),
                (false, None) => "not finished".to_owned(),
            },
        }
    }
}

/// How long a step took here: a result that was used again took nothing.
fn length(step: &Step) -> u64 {
    match step.cached {
        Some(_) => 0,
        None => step.wall_us.unwrap_or(0),
    }
}

/// A part of the whole in thousandths of a percent.
fn share(part: u64, whole: u64) -> u64 {
    let share = u128::from(part) * 100_000 / u128::from(whole.max(1));
    u64::try_from(share.min(100_000)).unwrap_or(100_000)
}

/// Four to nine round moments.
fn ticks(whole: u64) -> Vec<Tick> {
    let mut unit: u64 = 1;
    while let Some(larger) = unit.checked_mul(10).filter(|larger| *larger <= whole / 4) {
        unit = larger;
    }
    let step = [5, 2, 1]
        .into_iter()
        .map(|times| unit.saturating_mul(times));
    let step = step
        .into_iter()
        .find(|step| *step <= whole / 4)
        .unwrap_or(unit);
    let moments = (0..=whole / step).map(|number| number * step);
    moments
        .map(|moment| {
            let at = share(moment, whole);
            Tick {
                x: percent(at),
                text: if moment == 0 {
                    "0".to_owned()
                } else {
                    span(moment)
                },
                anchor: match at {
                    0 => "start",
                    at if at > 95_000 => "end",
                    _ => "middle",
                },
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round() {
        let texts =
            |whole| -> Vec<String> { ticks(whole).into_iter().map(|tick| tick.text).collect() };
        assert_eq!(texts(1), ["0", "1 µs"]);
        assert_eq!(texts(4_200_000), ["0", "1 s", "2 s", "3 s", "4 s"]);
        assert_eq!(texts(90_000), ["0", "20 ms", "40 ms", "60 ms", "80 ms"]);
    }

    proptest! {
        #[test]
        fn there_are_never_many(whole in 1_u64..) {
            prop_assert!((2..=10).contains(&ticks(whole).len()), "{}", ticks(whole).len());
        }
    }
}
