//! What stands on the page: every text already clipped and made visible. The templates only place it and escape it.

mod card;
mod findings;
mod head;
mod matrix;
mod paper;
mod timeline;

use askama::Template;

use crate::html::{MAX_STEPS, STYLE, policy};
use crate::model::Run;
use crate::order::failures_first;
use card::Card;
use head::{Count, Fact, Head};
use matrix::Row;
use paper::Paper;
use timeline::Timeline;

/// The whole page.
#[derive(Template)]
#[template(path = "report.html")]
pub(crate) struct Page {
    policy: String,
    style: &'static str,
    head: Head,
    counts: Vec<Count>,
    contradictions: Vec<String>,
    missing: Vec<String>,
    rows: Vec<Row>,
    /// Steps that are not printed.
    more: Option<String>,
    timeline: Option<Timeline>,
    cards: Vec<Card>,
    facts: Vec<Fact>,
    rules: Vec<Fact>,
    records: String,
}

impl Page {
    /// The page of a run.
    pub(crate) fn of(run: &Run) -> Page {
        let paper = Paper::new();
        let steps = failures_first(run);
        let printed = &steps[..steps.len().min(MAX_STEPS)];
        let last = run.finished.map_or_else(
            || "the end".to_owned(),
            |finished| finished.record.to_string(),
        );
        Page {
            policy: policy(),
            style: STYLE,
            head: Head::of(run, &paper),
            counts: head::counts(run),
            contradictions: paper.list(&run.contradictions, "contradictions"),
            missing: paper.list(&run.missing, "missing things"),
            rows: printed
                .iter()
                .enumerate()
                .map(|(at, step)| Row::of(at, step, &paper))
                .collect(),
            more: paper::more(steps.len(), printed.len(), "steps"),
            timeline: Timeline::of(run, printed, &paper),
            facts: head::facts(run, &paper),
            rules: head::rules(run, &paper),
            records: format!("{} to {last}", run.started.record),
            cards: printed
                .iter()
                .enumerate()
                .map(|(at, step)| Card::of(at, step, run, &paper))
                .collect(),
        }
    }
}
