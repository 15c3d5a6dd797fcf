//! `leasehold plan`: what a run would do. Runs nothing and records nothing.

use clap::Args;
use leasehold_rules::{Plan, PlannedStep};
use serde_json::{Value, json};

use crate::commands::Context;
use crate::commands::run::{RulesArgs, find};
use crate::exit;
use crate::failure::Failure;
use crate::home::Home;
use crate::rules::Rules;
use crate::running;
use crate::text::counted;
use crate::ui::{Line, Style};

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    rules: RulesArgs,
}

pub(crate) fn run(args: &PlanArgs, context: &Context) -> anyhow::Result<u8> {
    let (_, source) = find(&args.rules, context)?;
    let home = Home::open(&context.ambient)?;
    let lease = args
        .rules
        .lease
        .as_ref()
        .map(|path| context.ambient.path(path));
    let rules = Rules::read(source, &home, lease.as_deref())?;
    let (plan, _) = rules.plan()?;
    let refused = refused(&rules, &plan, &home, context);
    let ui = &context.ui;
    ui.json(&json!({
        "pipeline": plan.pipeline(),
        "refused": refused.as_ref().map(|failure| json!({
            "code": failure.code, "details": failure.details, "exit": exit::of(failure.class), "hint": failure.hint, "sentence": failure.sentence,
        })),
        "rules": rules.source.from(),
        "steps": plan.steps().iter().map(|step| document(&plan, step)).collect::<Vec<_>>(),
    }));
    ui.data(format!(
        "{} from {}",
        counted(plan.steps().len(), "step", "steps"),
        rules.source.words()
    ));
    for step in plan.steps().iter().filter(|_| !ui.is_json()) {
        ui.data(Line::styled(Style::Bold, step.id.as_str()));
        for line in running::lines(step) {
            ui.data(format!("  {line}"));
        }
    }
    match refused {
        None => Ok(exit::PASSED),
        Some(failure) if ui.is_json() => Ok(exit::of(failure.class)),
        Some(failure) => Err(failure.into()),
    }
}

/// What would keep the run from beginning. A lease that it would sign for itself is not made here, only judged.
fn refused(rules: &Rules, plan: &Plan, home: &Home, context: &Context) -> Option<Failure> {
    rules
        .check_policy(plan)
        .and_then(|()| running::would_fit(rules, plan, home, context))
        .err()
}

fn document(plan: &Plan, step: &PlannedStep) -> Value {
    let id = |index: &usize| plan.steps().get(*index).map(|step| step.id.as_str());
    json!({
        "complete": step.complete,
        "config": step.config.as_ref().map(|config| config.value()),
        "grant": step.wanted,
        "id": step.id,
        "kind": step.kind,
        "line": step.line,
        "lines": step.lines,
        "name": step.plugin_name,
        "needs": step.needs.iter().filter_map(id).collect::<Vec<_>>(),
        "plugin": step.plugin,
        "skip": step.skip,
        "version": step.plugin_version,
        "writes": step.writes,
    })
}
