//! `leasehold cache`: the results that runs use again.

use clap::{Args, Subcommand};
use leasehold_pipeline::{Bench, Reuse, why_not};
use leasehold_seal::Class;
use serde_json::json;

use crate::commands::Context;
use crate::commands::run::{RulesArgs, find, known, results};
use crate::exit;
use crate::failure::Failure;
use crate::leased::PresentArgs;
use crate::rules::{Rules, Source};
use crate::running::{self, Wish};
use crate::session::{self, Session};
use crate::text::{SHOWN, clip};
use crate::ui::{Line, Style};
use crate::{ambient, workspace};

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Say whether an earlier result holds for a step, and if not, why. Runs nothing.
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The step.
    step: String,
    #[command(flatten)]
    rules: RulesArgs,
}

pub(crate) fn run(command: &CacheCommand, context: &Context) -> anyhow::Result<u8> {
    let CacheCommand::Explain(args) = command;
    let (root, source) = find(&args.rules, context)?;
    let session = Session::open(&context.ambient)?;
    let said = explain(args, (&root, source), &session, context);
    session.close()?;
    Ok(said?)
}

fn explain(
    args: &ExplainArgs,
    (root, source): (&std::path::Path, Source),
    session: &Session,
    context: &Context,
) -> Result<u8, Failure> {
    let lease = args
        .rules
        .lease
        .as_ref()
        .map(|path| context.ambient.path(path));
    let rules = Rules::read(source, &session.home, lease.as_deref())?;
    let (plan, plugins) = rules.plan()?;
    let position = plan.steps().iter().position(|step| step.id == args.step);
    let Some(position) = position else {
        let known: Vec<&str> = plan
            .steps()
            .iter()
            .map(|step| step.id.as_str())
            .take(20)
            .collect();
        let sentence = format!("there is no step {:?}", args.step);
        return Err(Failure::usage("STEP-UNKNOWN", sentence)
            .hint(format!("the steps are: {}", known.join(", "))));
    };
    let leased = running::lease(&rules, &plan, &PresentArgs::default(), session, context)?;
    let rights = running::rights(&plan, &leased)?;
    let wish = Wish {
        jobs: None,
        fail_fast: false,
        shadow: false,
        cache: true,
    };
    let files = rules.files(root);
    let spec = running::spec(
        &rules,
        (&plan, plugins, rights),
        &leased,
        session,
        (wish, None),
        context,
    )?;
    let workspace = workspace::open_for_run(root, &session.home, &files, &rules.policies())?;
    let engine = session::engine(&context.ambient, &session.home)?;
    let results = results(&session.home, root)?;
    let memo = known(&results);
    let (place, _hold) = running::place(&session.home, root, false, &context.ui)?;
    let build = running::build(&context.ambient);
    let bench = Bench {
        engine: &engine,
        recorder: &session.recorder,
        workspace: &workspace,
        place: &place,
        reuse: Some(Reuse {
            results: &results,
            memo: &memo,
            host: &build,
        }),
        stop: &ambient::stop_on_signals(),
    };
    let ui = &context.ui;
    match why_not(&bench, &spec, position) {
        Ok(hit) => {
            ui.json(&json!({ "call": hit.original.call, "holds": true, "record": hit.original.seq, "status": hit.outcome.status, "step": args.step }));
            ui.data(Line::styled(Style::Good, "holds").plain(format!(
                ": {} would use the {} of call {} (record {})",
                args.step,
                hit.outcome.status.as_str(),
                hit.original.call,
                hit.original.seq
            )));
            Ok(exit::PASSED)
        }
        Err(why) => {
            ui.json(&json!({ "holds": false, "step": args.step, "why": why }));
            ui.data(Line::styled(Style::Warn, "runs").plain(format!(
                ": {}: {}",
                args.step,
                clip(&why, SHOWN)
            )));
            Ok(exit::of(Class::Blocked))
        }
    }
}
