//! The guided tour: the same commands a user types, in this process, in a temporary home. Every step states what it expects,
//! and the tour fails when one of them comes out otherwise.

mod assets;
mod scenes;
mod stage;

use clap::Args;
use serde_json::json;

use crate::commands::Context;
use crate::exit;
use crate::failure::Failure;
use crate::text::{counted, span};
use crate::ui::{Line, Style};

use stage::Stage;

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Keep the folder, to look around in it or to go on by hand.
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(args: &DemoArgs, context: &Context) -> anyhow::Result<u8> {
    let folder = tempfile::Builder::new()
        .prefix("leasehold-demo-")
        .tempdir()
        .map_err(|error| Failure::writing("folder", &std::env::temp_dir(), &error))?;
    assets::put(folder.path())?;
    let started = std::time::Instant::now();
    let mut stage = Stage::new(folder.path(), context);
    scenes::play(&mut stage)?;
    let took = started.elapsed();
    let ui = &context.ui;
    let unmet = stage.unmet();
    ui.json(&json!({ "held": unmet.is_empty(), "steps": stage.steps(), "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX) }));
    ui.data("");
    let steps = counted(stage.steps().len(), "step", "steps");
    let code = if unmet.is_empty() {
        ui.data(
            Line::styled(Style::Good, "done")
                .plain(format!(": {steps}, each as expected, in {}", span(took))),
        );
        exit::PASSED
    } else {
        ui.data(Line::styled(Style::Bad, "failed").plain(format!(
            ": {} of {steps} came out otherwise than expected",
            unmet.len()
        )));
        for step in unmet {
            ui.data(format!("  $ {}", step.command));
            for why in &step.unmet {
                ui.data(format!("      {why}"));
            }
        }
        exit::FAULT
    };
    if args.keep {
        let kept = folder.keep();
        ui.talk(format!(
            "kept: cd {0} && export LEASEHOLD_HOME={0}/home",
            kept.display()
        ));
    }
    Ok(code)
}
