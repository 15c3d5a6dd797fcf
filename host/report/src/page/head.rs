//! The top of the page and the facts about the run.

use crate::model::{Moment, Run, RunResult, StepStatus};
use crate::words::{counted, grouped, short, span};

use super::paper::Paper;

/// The first thing seen.
pub(super) struct Head {
    /// For the browser's tab.
    pub(super) title: String,
    /// Name of a style.
    pub(super) class: &'static str,
    pub(super) symbol: &'static str,
    pub(super) word: &'static str,
    pub(super) sentence: String,
    pub(super) run: String,
    pub(super) when: String,
    pub(super) halted: Option<String>,
}

impl Head {
    pub(super) fn of(run: &Run, paper: &Paper) -> Head {
        let word = run.result.as_str();
        let (class, symbol) = look(run.result);
        let id = paper.name(&run.run);
        let took = match run.duration_us {
            Some(took) => format!("{} in {}", run.started.time, span(took)),
            None => format!("started {}", run.started.time),
        };
        Head {
            title: format!("{symbol} {word}: run {id}"),
            class,
            symbol,
            word,
            sentence: sentence(run),
            run: id,
            when: took,
            halted: run.halted.as_ref().map(|code| paper.name(code)),
        }
    }
}

/// How many steps have a status.
pub(super) struct Count {
    pub(super) class: &'static str,
    pub(super) symbol: &'static str,
    pub(super) number: String,
    pub(super) word: &'static str,
}

/// The statuses that occur, worst first.
pub(super) fn counts(run: &Run) -> Vec<Count> {
    let counted = StepStatus::ALL
        .into_iter()
        .map(|status| (status, run.totals.count(status)));
    counted
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| Count {
            class: class(status),
            symbol: status.symbol(),
            number: grouped(count),
            word: status.as_str(),
        })
        .collect()
}

/// The style of a status.
pub(super) fn class(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Error => "error",
        StepStatus::Fail => "fail",
        StepStatus::Blocked => "blocked",
        StepStatus::Unfinished => "unfinished",
        StepStatus::NotRun => "notrun",
        StepStatus::Skipped => "skipped",
        StepStatus::Pass => "pass",
    }
}

/// A name and what it stands for; `code`: in the typeface of programs.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) text: String,
    pub(super) code: bool,
}

pub(super) fn word(name: &'static str, text: impl Into<String>) -> Fact {
    Fact {
        name,
        text: text.into(),
        code: false,
    }
}

pub(super) fn code(name: &'static str, text: impl Into<String>) -> Fact {
    Fact {
        name,
        text: text.into(),
        code: true,
    }
}

/// What the run was.
pub(super) fn facts(run: &Run, paper: &Paper) -> Vec<Fact> {
    let moment = |moment: Moment| {
        format!(
            "{} by the host's clock, record {}",
            moment.time, moment.record
        )
    };
    let yes = |holds: bool, yes: &str, no: &str| if holds { yes } else { no }.to_owned();
    let totals = &run.totals;
    let mut facts = vec![
        code("run", paper.text(&run.run)),
        code("tape", run.tape.to_string()),
        word("started", moment(run.started)),
        word(
            "finished",
            run.finished.map_or(
                "not on the tape: it is running, or was cut off".to_owned(),
                moment,
            ),
        ),
    ];
    if let Some(took) = run.duration_us {
        facts.push(word("took", span(took)));
    }
    facts.push(code(
        "base commit",
        run.base
            .as_ref()
            .map_or("none".to_owned(), |base| paper.text(base)),
    ));
    facts.push(word(
        "changes",
        yes(
            run.shadow,
            "dropped: a shadow run",
            "kept where every step passes",
        ),
    ));
    facts.push(word(
        "earlier results",
        yes(run.cache, "may be used again", "not used"),
    ));
    facts.push(word("calls at one time", grouped(run.jobs)));
    facts.push(word(
        "in all",
        format!(
            "{}, {}, {} units of fuel, {}",
            counted(totals.findings, "finding", "findings"),
            counted(totals.denied, "request refused", "requests refused"),
            short(totals.fuel),
            counted(totals.cached, "result used again", "results used again"),
        ),
    ));
    facts
}

/// By what the run judged.
pub(super) fn rules(run: &Run, paper: &Paper) -> Vec<Fact> {
    let rules = &run.rules;
    let from = match (&rules.commit, &rules.reference) {
        (None, _) => "the workspace itself, with the trust file of the home".to_owned(),
        (Some(commit), None) => format!("commit {}", paper.text(commit)),
        (Some(commit), Some(reference)) => {
            format!(
                "{}, which was commit {}",
                paper.text(reference),
                paper.text(commit)
            )
        }
    };
    let mut facts = vec![
        word("from", from),
        code("pipeline", rules.pipeline.to_string()),
        code("lock", rules.lock.to_string()),
        code(
            "policy",
            rules
                .policy
                .map_or("none".to_owned(), |policy| policy.to_string()),
        ),
        code("trust", rules.trust.to_string()),
        code("plan", rules.plan.to_string()),
    ];
    let leases = rules
        .leases
        .iter()
        .take(10)
        .map(|lease| code("lease", lease.to_string()));
    facts.extend(leases);
    facts.extend(
        super::paper::more(rules.leases.len(), 10, "leases").map(|more| word("lease", more)),
    );
    facts
}

fn look(result: RunResult) -> (&'static str, &'static str) {
    match result {
        RunResult::Contradicted => ("fail", "≠"),
        RunResult::Unfinished => ("unfinished", "…"),
        RunResult::Error => ("error", "!"),
        RunResult::Failed => ("fail", "✗"),
        RunResult::Blocked => ("blocked", "⊘"),
        RunResult::Incomplete => ("notrun", "○"),
        RunResult::Passed => ("pass", "✓"),
    }
}

fn sentence(run: &Run) -> String {
    let totals = &run.totals;
    match run.result {
        RunResult::Contradicted => {
            "The records contradict each other, so they show nothing".to_owned()
        }
        RunResult::Unfinished => "It is running, or was cut off: the tape cannot tell".to_owned(),
        RunResult::Error if totals.all_passed() => {
            "Every step passed, and the run was halted".to_owned()
        }
        RunResult::Incomplete if totals.steps == 0 => {
            "There are no steps, so nothing was judged".to_owned()
        }
        RunResult::Passed if totals.steps == 1 => "The one step passed".to_owned(),
        RunResult::Passed => format!("All {} steps passed", grouped(totals.steps)),
        _ => shortfall(run),
    }
}

/// `1 of 9 steps came to no judgement, 2 failed`: what kept the run from passing, the worst first.
fn shortfall(run: &Run) -> String {
    let totals = &run.totals;
    let parts = [
        (totals.error + totals.unfinished, "came to no judgement"),
        (totals.fail, "failed"),
        (
            totals.blocked,
            if totals.blocked == 1 {
                "was blocked"
            } else {
                "were blocked"
            },
        ),
        (totals.skipped, "did not apply"),
        (
            totals.not_run,
            if totals.not_run == 1 {
                "was not run"
            } else {
                "were not run"
            },
        ),
    ];
    let mut parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let Some((count, what)) = parts.next() else {
        return String::new();
    };
    let steps = counted(totals.steps, "step", "steps");
    let mut text = format!("{} of {steps} {what}", grouped(count));
    for (count, what) in parts {
        text.push_str(&format!(", {} {what}", grouped(count)));
    }
    text
}
