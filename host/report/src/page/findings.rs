//! What a gate found, each with the line it is about.

use std::collections::HashMap;

use leasehold_tape::verdict::{Finding, Level, Quote};

use crate::html::MAX_FINDINGS;
use crate::model::Step;

use super::paper::{Paper, more};

/// Characters shown of a quoted line before and after the column.
const BEFORE: usize = 120;
const AFTER: usize = 240;

/// The findings of one step.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Found>,
    pub(super) more: Option<String>,
}

/// One finding.
pub(super) struct Found {
    pub(super) level: &'static str,
    pub(super) symbol: &'static str,
    pub(super) rule: String,
    pub(super) place: Option<String>,
    pub(super) message: String,
    pub(super) quote: Option<Quoted>,
}

/// A line of a file, parted at the column.
pub(super) struct Quoted {
    pub(super) line: u32,
    pub(super) before: String,
    /// Where the finding is; `None` where it has no column.
    pub(super) at: Option<String>,
    pub(super) after: String,
}

impl Findings {
    pub(super) fn of(step: &Step, paper: &Paper) -> Findings {
        let Some(verdict) = step.verdict.as_ref().and_then(|said| said.verdict.as_ref()) else {
            return Findings::default();
        };
        let quotes: HashMap<(&str, u32), &Quote> = (step.quotes.iter())
            .map(|quote| ((quote.path.as_str(), quote.line), quote))
            .collect();
        let shown = verdict
            .findings
            .iter()
            .take(MAX_FINDINGS)
            .take_while(|_| paper.entry());
        let list: Vec<Found> = shown
            .map(|finding| Found::of(finding, &quotes, paper))
            .collect();
        Findings {
            more: more(verdict.findings.len(), list.len(), "findings"),
            list,
        }
    }
}

impl Found {
    fn of(finding: &Finding, quotes: &HashMap<(&str, u32), &Quote>, paper: &Paper) -> Found {
        let at = finding.at.as_ref();
        let quote = at.and_then(|at| {
            let line = at.line?;
            let quote = quotes.get(&(at.path.as_str(), line))?;
            Some(Quoted::of(&quote.text, line, at.column, paper))
        });
        let (level, symbol) = match finding.level {
            Level::Error => ("error", "✗"),
            Level::Warning => ("warning", "▲"),
            Level::Note => ("note", "•"),
        };
        Found {
            level,
            symbol,
            rule: paper.text(&finding.rule),
            place: at.map(|at| {
                let mut place = paper.text(&at.path);
                for number in [at.line, at.line.and(at.column)].into_iter().flatten() {
                    place.push_str(&format!(":{number}"));
                }
                place
            }),
            message: paper.text(&finding.message),
            quote,
        }
    }
}

impl Quoted {
    fn of(text: &str, line: u32, column: Option<u32>, paper: &Paper) -> Quoted {
        // The form has no line ends in it; one that is there all the same must not look like a second line.
        let text = text.replace('\n', "␊");
        let chars: Vec<char> = text.chars().take(100_000).collect();
        let column = column.and_then(|column| usize::try_from(column).ok()?.checked_sub(1));
        let at = column.unwrap_or(0).min(chars.len());
        let from = at.saturating_sub(BEFORE);
        let to = at.saturating_add(AFTER).min(chars.len());
        let part = |from: usize, to: usize| -> String { chars[from.min(to)..to].iter().collect() };
        let cut = |cut: bool| if cut { "…" } else { "" };
        let marked = at.saturating_add(usize::from(column.is_some())).min(to);
        Quoted {
            line,
            before: paper.lines(&format!("{}{}", cut(from > 0), part(from, at))),
            at: column.map(|_| match marked > at {
                true => paper.lines(&part(at, marked)),
                // Past the end of the line.
                false => " ".to_owned(),
            }),
            after: paper.lines(&format!("{}{}", part(marked, to), cut(to < chars.len()))),
        }
    }
}
