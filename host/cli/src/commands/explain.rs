//! `leasehold explain`: why a call ended as it did, from the tape alone.

mod story;

use clap::Args;
use leasehold_lease::{Grant, Pattern};
use leasehold_seal::Class;
use leasehold_tape::Store;
use leasehold_tape::call::{Ending, Outcome};
use serde_json::{Value, json};

use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::Home;
use crate::remedy::{self, Remedy};
use crate::show;
use crate::text::{SHOWN, bytes, clip, grouped, span};
use crate::ui::{Line, Style};

use story::{Story, Subject};

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The call: its id or the start of it, the number of one of its records, or `last`.
    call: String,
}

pub(crate) fn run(args: &ExplainArgs, context: &Context) -> anyhow::Result<u8> {
    let home = Home::open(&context.ambient)?;
    let folder = home.tape();
    match story::find(&args.call, &folder)? {
        Subject::Refusal(seq, code, message) => {
            let failure = Failure::new(&code, Class::Refused, message);
            context
                .ui
                .json(&json!({ "code": code, "record": seq, "sentence": failure.sentence }));
            context.ui.data(format!("record {seq}: no call was made"));
            context.ui.data(
                Line::styled(Style::Bad, code)
                    .plain(format!(": {}", clip(&failure.sentence, SHOWN))),
            );
        }
        Subject::Call(call) => {
            let story = story::read(&call, &folder)?;
            let store = Store::open(&home.store()).or_fail()?;
            tell(&call, &story, &store, context)?;
        }
    }
    Ok(exit::PASSED)
}

fn tell(call: &str, story: &Story, store: &Store, context: &Context) -> Result<(), Failure> {
    let Some((seq, intent)) = &story.intent else {
        return Err(Failure::new(
            "CALL-MISSING",
            Class::Blocked,
            format!("the tape has no intent of call {call}"),
        ));
    };
    let step = story::step(story, store);
    let mut grant = story::granted(story, store);
    if let Some(grant) = &mut grant {
        // What a step skips is denied to it on top of what its grant denies.
        let skip = intent
            .skip
            .iter()
            .filter_map(|pattern| pattern.parse().ok());
        let skip: Vec<Pattern> = skip
            .filter(|rule| !grant.files.deny.contains(rule))
            .collect();
        grant.files.deny.extend(skip);
    }
    let (remedies, better) = remedies(story, grant.as_ref());
    let words = |remedy: &Remedy| match &step {
        Some(_) => remedy.step_words(&intent.skip),
        None => remedy.words(),
    };
    // A step is changed where it stands; only a call by itself has its lease issued by hand.
    let command = better.as_ref().filter(|_| step.is_none()).map(|grant| {
        show::issue_command(
            grant,
            &grant.plugin.to_string(),
            grant.config.map(|_| "@CONFIG.json"),
        )
    });
    let ui = &context.ui;
    ui.json(&json!({
        "call": call,
        "denials": story.denials,
        "grant": grant,
        "intent": intent,
        "issue": command,
        "outcome": story.outcome.as_ref().map(|(_, outcome)| outcome),
        "remedies": remedies.iter().map(|(what, remedy)| json!({ "against": what, "remedy": words(remedy) })).collect::<Vec<_>>(),
        "step": step,
        "verdict": story.verdict,
    }));
    let row =
        |name: &str, value: String| Line::styled(Style::Dim, format!("{name:<10}")).plain(value);
    ui.data(row("call", call.to_owned()));
    ui.data(row(
        "asked",
        format!(
            "to run a {} under grant {:?}, by record {seq}",
            intent.kind, intent.grant
        ),
    ));
    if let Some(lease) = intent.lease.first() {
        ui.data(row("lease", lease.to_string()));
    }
    if let Some(step) = &step {
        ui.data(row(
            "stands",
            format!("leasehold.toml:{}, step {:?}", step.line, step.id),
        ));
        for line in &step.rights_text {
            ui.data(format!("          {}", clip(line, SHOWN)));
        }
    }
    match &grant {
        Some(_) if step.is_some() => {}
        Some(grant) => show::rights(grant)
            .into_iter()
            .for_each(|line| ui.data(line)),
        None => ui.data(row(
            "granted",
            "unknown: its lease is not in the store".to_owned(),
        )),
    }
    match &story.outcome {
        Some((seq, outcome)) => outcome_lines(*seq, outcome, story)
            .into_iter()
            .for_each(|line| ui.data(line)),
        None => ui.data(row(
            "ended",
            "no outcome is on the tape: the call counts as spent, in full".to_owned(),
        )),
    }
    for denial in &story.denials {
        ui.data(row(
            "refused",
            format!(
                "to {} {} ({}{})",
                denial.wanted,
                clip(denial.path.as_deref().unwrap_or("?"), SHOWN),
                denial.code,
                if denial.count == 1 {
                    String::new()
                } else {
                    format!(", {} times", grouped(denial.count))
                },
            ),
        ));
    }
    for (what, remedy) in &remedies {
        ui.data(row("help", format!("against {what}: {}", words(remedy))));
    }
    if let Some(command) = command {
        ui.data(Line::styled(
            Style::Bold,
            "the lease that would have allowed it",
        ));
        ui.data(format!("  {command}"));
    }
    Ok(())
}

fn outcome_lines(seq: u64, outcome: &Outcome, story: &Story) -> Vec<Line> {
    let row =
        |name: &str, value: String| Line::styled(Style::Dim, format!("{name:<10}")).plain(value);
    let how = match (outcome.ending, outcome.exit) {
        (Ending::Returned, _) => "it returned".to_owned(),
        (Ending::Exited, code) => format!("it exited with {}", code.unwrap_or_default()),
        (Ending::Trapped, _) => "it trapped".to_owned(),
        (Ending::Exhausted, _) => "a limit ended it".to_owned(),
        (Ending::Ended, _) => "the host ended it".to_owned(),
    };
    let code = outcome
        .code
        .as_ref()
        .map_or(" (no complaint)".to_owned(), |code| format!(": {code}"));
    let mut lines = vec![
        row("ended", format!("{how}{code}, by record {seq}")),
        row(
            "used",
            format!(
                "fuel {} · memory {} · time {}",
                grouped(outcome.fuel),
                bytes(outcome.peak_memory),
                span(std::time::Duration::from_micros(outcome.wall_us)),
            ),
        ),
        row(
            "saw",
            format!(
                "names listed {}, hidden {}; file operations refused {}{}",
                grouped(outcome.coverage.listed),
                grouped(outcome.coverage.hidden),
                grouped(outcome.coverage.denied),
                if outcome.coverage.complete {
                    ""
                } else {
                    ": an incomplete view"
                },
            ),
        ),
    ];
    if let Some(summary) = story
        .verdict
        .as_ref()
        .and_then(|body| body.pointer("/verdict/summary"))
        .and_then(Value::as_str)
    {
        lines.push(row("verdict", clip(summary, SHOWN).into_owned()));
    }
    for write in &outcome.writes {
        lines.push(row(
            "changed",
            format!("{} {}", write.op, clip(&write.path, SHOWN)),
        ));
    }
    let more = outcome
        .writes_total
        .saturating_sub(outcome.writes.len() as u64);
    if more > 0 {
        lines.push(row("changed", format!("{} more", grouped(more))));
    }
    lines
}

/// What would have helped against each refusal and limit, and the grant with all of it.
fn remedies(story: &Story, grant: Option<&Grant>) -> (Vec<(String, Remedy)>, Option<Grant>) {
    let Some(grant) = grant else {
        return (Vec::new(), None);
    };
    let mut better = grant.clone();
    let mut remedies = Vec::new();
    let mut add = |against: String, remedy: Remedy, better: &mut Grant| {
        if let Some(changed) = remedy.grant() {
            *better = changed.clone();
        }
        remedies.push((against, remedy));
    };
    for denial in &story.denials {
        let path = denial.path.as_deref().unwrap_or_default();
        let remedy = remedy::of_denial(&denial.code, path, &denial.wanted, &better);
        add(
            format!("being refused to {} {}", denial.wanted, clip(path, 120)),
            remedy,
            &mut better,
        );
    }
    let code = story
        .outcome
        .as_ref()
        .and_then(|(_, outcome)| outcome.code.as_deref());
    if let Some((code, remedy)) =
        code.and_then(|code| Some((code, remedy::of_limit(code, &better)?)))
    {
        add(code.to_owned(), remedy, &mut better);
    }
    let changed = better != *grant;
    (remedies, changed.then_some(better))
}
