//! One line for each step.

use crate::model::{Step, Use};
use crate::order;
use crate::words::{bytes, grouped, short, span};

use super::head::class;
use super::paper::Paper;

/// A step in one line.
pub(super) struct Row {
    /// Where the page has more about it.
    pub(super) anchor: usize,
    pub(super) class: &'static str,
    pub(super) symbol: &'static str,
    pub(super) status: &'static str,
    pub(super) id: String,
    pub(super) code: Option<String>,
    pub(super) took: String,
    pub(super) fuel: Option<Meter>,
    pub(super) memory: Option<Meter>,
    pub(super) findings: String,
    pub(super) cached: bool,
}

/// An amount, with a bar where its limit is known.
pub(super) struct Meter {
    pub(super) used: String,
    pub(super) limit: Option<String>,
    /// Filled part of the bar in percent, as SVG takes it; never above 100.
    pub(super) percent: Option<String>,
    /// Whether it is close to its limit.
    pub(super) high: bool,
}

impl Meter {
    pub(super) fn of(amount: Use, words: fn(u64) -> String) -> Meter {
        let limit = amount.limit.filter(|limit| *limit > 0);
        let thousandths = limit.map(|limit| {
            let share = u128::from(amount.used) * 100_000 / u128::from(limit);
            u64::try_from(share.min(100_000)).unwrap_or(100_000)
        });
        Meter {
            used: words(amount.used),
            limit: limit.map(words),
            percent: thousandths.map(percent),
            high: thousandths.is_some_and(|share| share >= 90_000),
        }
    }
}

/// Thousandths of a percent as SVG takes them: `12.345%`.
pub(super) fn percent(thousandths: u64) -> String {
    format!("{}.{:03}%", thousandths / 1_000, thousandths % 1_000)
}

impl Row {
    pub(super) fn of(at: usize, step: &Step, paper: &Paper) -> Row {
        let findings = order::findings(step);
        Row {
            anchor: at + 1,
            class: class(step.status),
            symbol: step.status.symbol(),
            status: step.status.as_str(),
            id: paper.name(&step.id),
            code: step.code.as_ref().map(|code| paper.name(code)),
            took: step.wall_us.map_or("–".to_owned(), span),
            fuel: step.fuel.map(|fuel| Meter::of(fuel, short)),
            memory: step.memory.map(|memory| Meter::of(memory, bytes)),
            findings: match findings {
                0 => "–".to_owned(),
                count => grouped(count),
            },
            cached: step.cached.is_some(),
        }
    }
}
