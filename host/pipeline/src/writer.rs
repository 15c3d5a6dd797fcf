//! One step that writes: on a tree of its own, and brought back all or nothing.

use leasehold_files::Tree;
use leasehold_sandbox::{CallSpec, Recorder};
use leasehold_seal::{Class, Coded, Digest};
use leasehold_tape::call::Status;
use leasehold_tape::run::{ChangesApplied, PatchWritten, StepResult};
use leasehold_tape::{Draft, Durability, Kind, TapeError};
use leasehold_workspace::{BringBack, Difference, PatchLimits, StepTree};

use crate::run::Shared;
use crate::spec::{Bench, Step, StepReport};
use crate::step::{call_spec, made, plugin_of};

/// Runs a step that may change files. The workspace changes only when the step passed and everything it did was allowed.
pub(crate) fn run(shared: &Shared<'_>, at: usize) -> StepReport {
    let spec = shared.spec;
    let step = &spec.steps[at];
    let plugin = match plugin_of(shared, step) {
        Ok(plugin) => plugin,
        Err(failure) => return failure.report(&step.id),
    };
    let (copy, tree) = match step_tree(shared, step) {
        Ok(made) => made,
        Err(failed) => return failed.report(step),
    };
    let call = CallSpec {
        left_out: copy.left_out(),
        ..call_spec(spec, step, tree)
    };
    let (report, outcome) = made(shared, at, &plugin, call);
    let passed = outcome.is_some_and(|outcome| outcome.summary.status == Status::Pass);
    let report = if passed {
        match bring_back(shared, step, &copy, report.clone()) {
            Ok(report) => report,
            Err(failed) => failed.after(report),
        }
    } else {
        report
    };
    if let Err(error) = copy.remove() {
        tracing::warn!(%error, "a step's tree was not removed");
    }
    report
}

/// Code, class, sentence, hint.
struct Failed(String, Class, String, Option<String>);

impl<E: Coded> From<E> for Failed {
    fn from(error: E) -> Self {
        Failed(
            error.code().to_owned(),
            error.class(),
            error.to_string(),
            error.hint(),
        )
    }
}

impl Failed {
    /// The report of a step that came to no call.
    fn report(self, step: &Step) -> StepReport {
        let Failed(code, class, sentence, hint) = self;
        let status = Some(Status::Error);
        StepReport::without_call(&step.id, status, &code, class, sentence).hint(hint)
    }

    /// The report of a step whose call passed and whose changes could not be brought back.
    fn after(self, report: StepReport) -> StepReport {
        let Failed(code, class, sentence, hint) = self;
        StepReport {
            class: Some(class),
            hint,
            result: StepResult {
                code: Some(code),
                sentence,
                status: Some(Status::Error),
                ..report.result
            },
            ..report
        }
    }
}

/// The tree that a step changes in place of the workspace.
fn step_tree(shared: &Shared<'_>, step: &Step) -> Result<(StepTree, Tree), Failed> {
    let Bench {
        workspace, place, ..
    } = shared.bench;
    let copy = StepTree::make(
        &workspace.dir,
        &step.rights,
        &workspace.protected,
        &place.scratch,
    )?;
    let dir = copy.root().try_clone().map_err(|error| {
        let sentence = format!("the step's tree could not be opened: {error}");
        Failed("STEP-TREE".to_owned(), Class::Fault, sentence, None)
    })?;
    let tree = Tree::open(dir, copy.protected())?;
    Ok((copy, tree))
}

/// Records what the step changed and makes the workspace so, unless nothing is to change.
fn bring_back(
    shared: &Shared<'_>,
    step: &Step,
    copy: &StepTree,
    mut report: StepReport,
) -> Result<StepReport, Failed> {
    let (bench, spec) = (shared.bench, shared.spec);
    let (workspace, recorder) = (bench.workspace, bench.recorder);
    let difference = copy.difference()?;
    let checked = difference.check(&step.rights, &workspace.protected)?;
    let patch = difference.patch(&workspace.dir, copy, PatchLimits::default())?;
    let digest = recorder.store.put(patch.text.as_bytes())?;
    let call = report.result.call.clone().unwrap_or_default();
    let body = PatchWritten {
        call,
        changes: difference.changes().len() as u64,
        patch: digest,
        run: spec.started.run.clone(),
        step: step.id.clone(),
    };
    let draft = Draft::sorted(Kind::PatchWritten, &body)?;
    recorder.tape.append(vec![draft], Durability::Synced)?;
    report.changes = paths(&difference);
    if spec.started.shadow || difference.is_empty() {
        return Ok(report);
    }
    let journal = &bench.place.journal;
    let target = BringBack::new(&workspace.dir, &workspace.path, journal);
    let applied = target.apply(checked, copy)?;
    if !applied.cleaned {
        tracing::warn!("former contents lie beside the new ones; the next run removes them");
    }
    shared.forget_survey();
    let (run, id) = (Some(&spec.started.run), Some(&step.id));
    record_applied(recorder, Kind::CommitApplied, Some(digest), run, id)?;
    Ok(report)
}

/// Records that changes were brought back, or taken back.
pub(crate) fn record_applied(
    recorder: &Recorder,
    kind: Kind,
    patch: Option<Digest>,
    run: Option<&String>,
    step: Option<&String>,
) -> Result<(), TapeError> {
    let body = ChangesApplied {
        patch,
        run: run.cloned(),
        step: step.cloned(),
        time: recorder.clock.now(),
    };
    let draft = Draft::new(kind, &body)?;
    recorder
        .tape
        .append(vec![draft], Durability::Synced)
        .map(drop)
}

fn paths(difference: &Difference) -> Vec<String> {
    let changes = difference.changes().iter();
    changes.map(|change| change.path.to_string()).collect()
}
