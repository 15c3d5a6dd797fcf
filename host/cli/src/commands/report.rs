//! `leasehold report`: what came of a run, from the tape alone.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_pipeline::RunReport;
use leasehold_report::model::{Run, RunResult, Step, StepStatus};
use leasehold_report::{Places, Which, failures_first, read_run, read_run_at};
use leasehold_seal::Digest;
use leasehold_tape::Store;

use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::findings;
use crate::home::Home;
use crate::session::Session;
use crate::text::{SHOWN, bytes, clip, counted, grouped, span};
use crate::ui::{Line, Style, Ui};

/// How many findings of one step are shown to people.
const FINDINGS: usize = 50;
/// Pages that are kept in the home.
const PAGES: usize = 200;

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run: its id or the start of it. Default: the latest.
    run: Option<String>,
    /// Write a page to this file: self-contained, for any browser.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) fn run(args: &ReportArgs, context: &Context) -> anyhow::Result<u8> {
    let home = Home::open(&context.ambient)?;
    let run = read(args.run.as_deref(), &home)?;
    let ui = &context.ui;
    if let Some(file) = &args.html {
        let path = context.ambient.path(file);
        let page = leasehold_report::html(&run).or_fail()?;
        fs::write(&path, page).map_err(|error| Failure::writing("page", &path, &error))?;
        ui.talk(format!("wrote {}", path.display()));
    }
    if ui.is_json() {
        let value: serde_json::Value =
            serde_json::from_str(&leasehold_report::json(&run).or_fail()?)?;
        ui.json(&value);
    } else if args.html.is_none() {
        tell(&run, ui);
    }
    Ok(exit_code(&run))
}

/// A run, read from the tape of a home.
pub(super) fn read(run: Option<&str>, home: &Home) -> Result<Run, Failure> {
    let file = records(home)?;
    let store = Store::open(&home.store()).or_fail()?;
    let which = run.map_or(Which::Latest, |run| Which::Prefix(run.to_uppercase()));
    let bytes = |digest: &Digest| store.get(digest).ok();
    read_run(BufReader::new(file), &bytes, &which).or_fail()
}

fn records(home: &Home) -> Result<File, Failure> {
    let path = home.tape().join("records.jsonl");
    File::open(&path).map_err(|error| Failure::reading("tape", &path, &error))
}

/// Writes the page of a run into the home and says where.
pub(super) fn write(run: &RunReport, session: &Session) -> Result<PathBuf, Failure> {
    let home = &session.home;
    let folder = home.folder().join("reports");
    crate::home::make_private(&folder)
        .map_err(|error| Failure::writing("folder", &folder, &error))?;
    let places = Places {
        tape: *session.tape().id(),
        run: run.started,
        originals: run.steps.iter().filter_map(|step| step.original).collect(),
    };
    let id = &run.finished.run;
    let bytes = |digest: &Digest| session.store().get(digest).ok();
    let read = read_run_at(BufReader::new(records(home)?), &bytes, id, &places).or_fail()?;
    let page = leasehold_report::html(&read).or_fail()?;
    let path = folder.join(format!("{id}.html"));
    fs::write(&path, page).map_err(|error| Failure::writing("page", &path, &error))?;
    prune(&folder);
    Ok(path)
}

/// Run ids begin with their time, so the first names are the oldest.
fn prune(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    if pages.len() > PAGES {
        pages.sort_unstable();
        for page in &pages[..pages.len() - PAGES] {
            // Another process may have been faster.
            let _ = fs::remove_file(page);
        }
    }
}

/// The exit code of a run, as it was recorded; of one that is not finished that of what is blocked.
pub(super) fn exit_code(run: &Run) -> u8 {
    match (run.result, run.exit) {
        (RunResult::Contradicted, _) => exit::INTEGRITY,
        (_, None) => exit::BLOCKED,
        (_, Some(code)) => u8::try_from(code).unwrap_or(exit::FAULT),
    }
}

/// A run for people: what is wrong first.
pub(super) fn tell(run: &Run, ui: &Ui) {
    for contradiction in &run.contradictions {
        ui.data(Line::styled(Style::Bad, "contradiction: ").plain(clip(contradiction, SHOWN)));
    }
    ui.data(
        Line::styled(Style::Bold, format!("run {}", run.run))
            .plain(format!(": {}", run.result.as_str())),
    );
    let row = |name: &str, value: String| {
        ui.data(Line::styled(Style::Dim, format!("  {name:<9}")).plain(value));
    };
    row(
        "started",
        format!("{} (record {})", run.started.time, run.started.record),
    );
    if let Some(finished) = &run.finished {
        row(
            "finished",
            format!("{} (record {})", finished.time, finished.record),
        );
    }
    let from = match (&run.rules.reference, &run.rules.commit) {
        (Some(reference), Some(commit)) => format!("{reference} ({commit})"),
        _ => "the workspace".to_owned(),
    };
    row("rules", from);
    if let Some(base) = &run.base {
        row("base", base.clone());
    }
    for lease in &run.rules.leases {
        row("lease", lease.to_string());
    }
    if run.shadow {
        row("shadow", "what steps changed was dropped".to_owned());
    }
    if let Some(halted) = &run.halted {
        row("halted", halted.clone());
    }
    for step in failures_first(run) {
        tell_step(step, ui);
    }
    for missing in &run.missing {
        ui.data(Line::styled(Style::Warn, "missing: ").plain(clip(missing, SHOWN)));
    }
}

fn tell_step(step: &Step, ui: &Ui) {
    let style = match step.status {
        StepStatus::Pass => Style::Good,
        StepStatus::Error | StepStatus::Fail => Style::Bad,
        StepStatus::NotRun | StepStatus::Unfinished => Style::Dim,
        StepStatus::Blocked | StepStatus::Skipped => Style::Warn,
    };
    let code = step
        .code
        .as_ref()
        .map_or(String::new(), |code| format!(" [{code}]"));
    ui.data(
        Line::styled(style, format!("{:<12} ", step.status.as_str()))
            .then(Style::Bold, clip(&step.id, 80))
            .plain(format!(": {}", clip(&step.sentence, SHOWN)))
            .then(Style::Dim, code),
    );
    let verdict = step
        .verdict
        .as_ref()
        .and_then(|verdict| verdict.verdict.as_ref());
    if let Some(verdict) = verdict {
        findings::print(&verdict.findings, FINDINGS, ui);
    }
    for denial in &step.denials {
        ui.data(format!(
            "  refused to {} {} ({})",
            denial.wanted,
            clip(denial.path.as_deref().unwrap_or("?"), SHOWN),
            denial.code
        ));
    }
    let mut facts = Vec::new();
    if let Some(fuel) = &step.fuel {
        facts.push(format!("fuel {}", grouped(fuel.used)));
    }
    if let Some(memory) = &step.memory {
        facts.push(format!("memory {}", bytes(memory.used)));
    }
    if let Some(wall) = step.wall_us {
        facts.push(span(std::time::Duration::from_micros(wall)));
    }
    if let Some(coverage) = step
        .coverage
        .as_ref()
        .filter(|coverage| coverage.skipped > 0)
    {
        let skipped = usize::try_from(coverage.skipped).unwrap_or(usize::MAX);
        facts.push(format!(
            "{} not judged",
            counted(skipped, "entry", "entries")
        ));
    }
    if let Some(cached) = &step.cached {
        facts.push(format!(
            "as in call {} (record {})",
            cached.call, cached.outcome
        ));
    }
    if let (Some(intent), Some(outcome)) = (step.intent, step.outcome) {
        facts.push(format!("records {intent} and {outcome}"));
    }
    if !facts.is_empty() {
        ui.data(Line::styled(Style::Dim, format!("  {}", facts.join(" · "))));
    }
    if let Some(patch) = step.patch.as_ref().filter(|patch| patch.changes > 0) {
        let count = usize::try_from(patch.changes).unwrap_or(usize::MAX);
        let changed = counted(count, "path", "paths");
        ui.data(format!("  changed {changed}, patch {}", patch.digest));
    }
}
