//! What is said of a run when it is over and recorded: failures first.

use leasehold_pipeline::{RunReport, RunSpec, StepReport};
use leasehold_rules::{Plan, PlannedStep};
use leasehold_tape::call::Status;
use leasehold_tape::run::Counts;

use super::{document, events};
use crate::commands::{Context, report};
use crate::findings;
use crate::remedy;
use crate::session::Session;
use crate::show;
use crate::text::{SHOWN, clip, counted, span};
use crate::ui::{Line, Style, Ui};

/// How many findings of one step are shown to people.
const FINDINGS: usize = 50;
/// How much of the output of a program that judged is shown, in bytes.
const OUTPUT: usize = 4_000;
/// How many refusals, and how many changes, of one step are shown.
const LISTED: usize = 10;

/// Prints the summary; the report's path last.
pub(super) fn print(
    plan: &Plan,
    spec: &RunSpec,
    run: &RunReport,
    session: &Session,
    context: &Context,
) {
    let ui = &context.ui;
    let page = report::write(run, session);
    if ui.is_json() {
        ui.json(&document::document(spec, run, page.as_deref().ok()));
        return;
    }
    // Where there was no bar each step had its line already: then only what needs a look is said again.
    let again = |step: &&StepReport| {
        ui.shows_progress() || step.result.status != Some(Status::Pass) || !step.changes.is_empty()
    };
    let mut steps: Vec<&StepReport> = run.steps.iter().filter(again).collect();
    steps.sort_by_key(|step| rank(step.result.status));
    for step in steps {
        let planned = plan
            .steps()
            .iter()
            .find(|planned| planned.id == step.result.step);
        print_step(step, planned, spec.started.shadow, ui);
    }
    ui.data(total(run));
    match page {
        Ok(path) => ui.data(format!("report: {}", path.display())),
        Err(failure) => ui.warning(&failure),
    }
}

/// What a person has to see first.
fn rank(status: Option<Status>) -> u8 {
    match status {
        Some(Status::Error) => 0,
        Some(Status::Fail) => 1,
        Some(Status::Blocked) => 2,
        None => 3,
        Some(Status::Skipped) => 4,
        Some(Status::Pass) => 5,
    }
}

fn print_step(step: &StepReport, planned: Option<&PlannedStep>, shadow: bool, ui: &Ui) {
    let result = &step.result;
    ui.data(events::line(&result.step, &events::Told::new(step)));
    let verdict = step.verdict.as_ref();
    let passed = result.status == Some(Status::Pass);
    if let Some(verdict) = verdict.filter(|_| !passed) {
        findings::print(&verdict.findings, FINDINGS, ui);
    }
    for denial in step.denials.list.iter().take(LISTED) {
        ui.data(format!(
            "  refused to {} {} ({})",
            denial.wanted,
            clip(&denial.path, SHOWN),
            denial.code
        ));
    }
    if let (false, Some(planned)) = (passed, planned) {
        help(step, planned, ui);
    }
    if !passed && verdict.is_none() {
        for stream in &step.streams {
            let start = stream.len().saturating_sub(OUTPUT);
            let text = String::from_utf8_lossy(stream.get(start..).unwrap_or_default());
            for line in text.lines() {
                ui.data(Line::styled(Style::Dim, "  | ").plain(line));
            }
        }
    }
    let changed = if shadow { "would change" } else { "changed" };
    for path in step.changes.iter().take(LISTED) {
        ui.data(format!("  {changed} {}", clip(path, SHOWN)));
    }
    if step.changes.len() > LISTED {
        let more = step.changes.len() - LISTED;
        ui.data(format!(
            "  … {}",
            counted(more, "more change", "more changes")
        ));
    }
    if let Some(hint) = &step.hint {
        ui.data(Line::styled(Style::Dim, "  hint: ").plain(hint.as_str()));
    }
    if let (false, Some(call)) = (passed, &result.call) {
        ui.data(Line::styled(Style::Dim, "  more: ").plain(format!("leasehold explain {call}")));
    }
}

/// What the step has of what it was refused, where that stands, and what would help.
fn help(step: &StepReport, planned: &PlannedStep, ui: &Ui) {
    let code = step.result.code.as_deref().unwrap_or_default();
    let mut grant = planned.wanted.clone();
    grant.files.deny.extend(planned.skip.iter().cloned());
    let skip: Vec<String> = planned.skip.iter().map(ToString::to_string).collect();
    let remedy = match step.denials.list.first() {
        Some(denial) => {
            let wanted = denial.wanted.to_string();
            let have = match wanted.as_str() {
                "list" => &grant.files.list,
                "read" => &grant.files.read,
                _ => &grant.files.write,
            };
            ui.data(format!(
                "  the step has {wanted} {} (leasehold.toml:{})",
                show::patterns(have),
                planned.line_of(&wanted)
            ));
            Some(remedy::of_denial(
                denial.code,
                &denial.path,
                &wanted,
                &grant,
            ))
        }
        None => remedy::of_limit(code, &grant),
    };
    if code == "VIEW-INCOMPLETE" {
        let hint = "let the step read it, or name under `skip` what is not to be judged";
        ui.data(Line::styled(Style::Dim, "  hint: ").plain(hint));
    }
    if let Some(remedy) = remedy {
        ui.data(Line::styled(Style::Dim, "  hint: ").plain(remedy.step_words(&skip)));
    }
}

fn total(run: &RunReport) -> Line {
    let Counts {
        blocked,
        error,
        fail,
        not_run,
        pass,
        skipped,
    } = run.finished.counts;
    let parts = [
        (error, "without a judgement"),
        (fail, "failed"),
        (blocked, "blocked"),
        (not_run, "not run"),
        (skipped, "skipped"),
        (pass, "passed"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let (word, style) = if run.finished.passed {
        ("passed", Style::Good)
    } else {
        ("not passed", Style::Bad)
    };
    let halted = run.finished.halted.as_ref();
    let halted = halted.map_or(String::new(), |why| format!(", ended early ({why})"));
    Line::styled(style, word).plain(format!(
        ": {} in {}{halted} · run {}",
        parts.join(", "),
        span(run.wall),
        run.finished.run
    ))
}
