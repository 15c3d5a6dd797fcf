//! `leasehold status`: how a run goes, from the tape.

use std::time::Duration;

use clap::Args;
use leasehold_pipeline::State;
use leasehold_report::model::{Run, Step, StepStatus};
use leasehold_tape::run::Pressure;
use serde_json::{Value, json};

use crate::commands::{Context, report};
use crate::home::Home;
use crate::text::{bytes, clip};
use crate::ui::{Line, Style, Ui};

/// How often `--follow` looks at the tape.
const EVERY: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The run: its id or the start of it. Default: the latest.
    run: Option<String>,
    /// Go on until the run is finished.
    #[arg(long)]
    follow: bool,
}

pub(crate) fn run(args: &StatusArgs, context: &Context) -> anyhow::Result<u8> {
    let home = Home::open(&context.ambient)?;
    let mut run = report::read(args.run.as_deref(), &home)?;
    let mut told = show(&run, Vec::new(), &context.ui);
    let stop = crate::ambient::stop_on_signals();
    while args.follow && run.finished.is_none() && stop.reason().is_none() {
        std::thread::sleep(EVERY);
        // The one that was found, also when another one has started meanwhile.
        run = report::read(Some(&run.run), &home)?;
        told = show(&run, told, &context.ui);
    }
    Ok(report::exit_code(&run))
}

/// Says of each step what was not said before.
fn show(run: &Run, told: Vec<String>, ui: &Ui) -> Vec<String> {
    if ui.is_json() {
        let document = document(run);
        let text = document.to_string();
        if told.first() != Some(&text) {
            ui.json(&document);
        }
        return vec![text];
    }
    if told.is_empty() {
        let line = Line::styled(Style::Bold, format!("run {}", run.run));
        ui.data(line.plain(format!(", started {}", run.started.time)));
    }
    let mut said = Vec::new();
    for step in &run.steps {
        let text = words(step);
        let line = format!("{}\n{text}", step.id);
        if !told.contains(&line) {
            let line = Line::styled(style(step.status), format!("{:<15} ", state(step)));
            ui.data(line.then(Style::Bold, clip(&step.id, 80)).plain(text));
        }
        said.push(line);
    }
    if run.finished.is_some() {
        ui.data(format!("finished: {}", run.result.as_str()));
    }
    said
}

/// What reference B calls the state of a call.
fn state(step: &Step) -> String {
    match (&step.call, step.status, step.samples.last()) {
        (_, StepStatus::Unfinished, Some(sample)) => sample.state.clone(),
        (Some(_), StepStatus::Unfinished, None) => State::InProgress.to_string(),
        (None, StepStatus::Unfinished | StepStatus::NotRun, _) => State::NotStarted.to_string(),
        (None, StepStatus::Error, _)
            if step
                .code
                .as_deref()
                .is_some_and(|code| code.starts_with("LEASE-")) =>
        {
            State::LeaseNotFound.to_string()
        }
        _ => step.status.as_str().to_owned(),
    }
}

fn words(step: &Step) -> String {
    let sample = step.samples.last();
    match (step.status, sample) {
        (StepStatus::Unfinished, Some(sample)) => format!(
            ": fuel {} %, memory {} % ({}), time {} %, output {} %, written {} %{}",
            sample.fuel.percent(),
            sample.memory.percent(),
            bytes(sample.memory.used),
            sample.wall_ms.percent(),
            sample.output.percent(),
            sample.written.percent(),
            match sample.pressure {
                Pressure::Low => "",
                Pressure::Medium => ", pressure medium",
                Pressure::High => ", pressure high",
            }
        ),
        (StepStatus::Unfinished, None) => String::new(),
        _ => format!(": {}", clip(&step.sentence, 200)),
    }
}

fn style(status: StepStatus) -> Style {
    match status {
        StepStatus::Pass => Style::Good,
        StepStatus::Error | StepStatus::Fail => Style::Bad,
        StepStatus::Blocked | StepStatus::Skipped => Style::Warn,
        StepStatus::Unfinished | StepStatus::NotRun => Style::Dim,
    }
}

fn document(run: &Run) -> Value {
    json!({
        "finished": run.finished.is_some(),
        "halted": run.halted,
        "result": run.result,
        "run": run.run,
        "steps": run.steps.iter().map(|step| json!({
            "call": step.call,
            "code": step.code,
            "sample": step.samples.last(),
            "state": state(step),
            "status": step.status,
            "step": step.id,
        })).collect::<Vec<_>>(),
    })
}
