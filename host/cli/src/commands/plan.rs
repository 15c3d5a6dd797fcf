//! `leasehold plan`: what a run would do. Runs nothing and records nothing.

use std::collections::BTreeMap;

use clap::Args;
use leasehold_lease::{Grant, Kind, Pattern};
use leasehold_rules::{Plan, PlannedStep};
use leasehold_seal::Digest;
use leasehold_tape::run::RulesFrom;
use serde::Serialize;
use serde_json::{Map, Value};

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
    if ui.is_json() {
        ui.json(&PlanDocument {
            pipeline: plan.pipeline(),
            refused: refused.as_ref().map(|failure| Refused {
                code: &failure.code,
                details: &failure.details,
                exit: exit::of(failure.class),
                hint: failure.hint.as_deref(),
                sentence: &failure.sentence,
            }),
            rules: rules.source.from(),
            steps: plan
                .steps()
                .iter()
                .map(|step| document(&plan, step))
                .collect(),
        });
        return Ok(refused.map_or(exit::PASSED, |failure| exit::of(failure.class)));
    }
    ui.data(format!(
        "{} from {}",
        counted(plan.steps().len(), "step", "steps"),
        rules.source.words()
    ));
    for step in plan.steps() {
        ui.data(Line::styled(Style::Bold, step.id.as_str()));
        for line in running::lines(step) {
            ui.data(format!("  {line}"));
        }
    }
    match refused {
        None => Ok(exit::PASSED),
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

/// A plan for programs.
#[derive(Serialize)]
struct PlanDocument<'a> {
    pipeline: Digest,
    refused: Option<Refused<'a>>,
    rules: RulesFrom,
    steps: Vec<Document<'a>>,
}

/// Why a run of it would be refused.
#[derive(Serialize)]
struct Refused<'a> {
    code: &'a str,
    details: &'a [String],
    exit: u8,
    hint: Option<&'a str>,
    sentence: &'a str,
}

/// A step for programs. Written as it stands: a plan may have a thousand of them.
#[derive(Serialize)]
struct Document<'a> {
    complete: bool,
    config: Option<&'a Map<String, Value>>,
    grant: &'a Grant,
    id: &'a str,
    kind: Kind,
    line: usize,
    lines: &'a BTreeMap<&'static str, usize>,
    name: &'a str,
    needs: Vec<&'a str>,
    plugin: Digest,
    skip: &'a [Pattern],
    version: &'a str,
    writes: bool,
}

fn document<'a>(plan: &'a Plan, step: &'a PlannedStep) -> Document<'a> {
    let id = |index: &usize| plan.steps().get(*index).map(|step| step.id.as_str());
    Document {
        complete: step.complete,
        config: step.config.as_ref().map(|config| config.value()),
        grant: &step.wanted,
        id: &step.id,
        kind: step.kind,
        line: step.line,
        lines: &step.lines,
        name: &step.plugin_name,
        needs: step.needs.iter().filter_map(id).collect(),
        plugin: step.plugin,
        skip: &step.skip,
        version: &step.plugin_version,
        writes: step.writes,
    }
}
