//! One step that writes: on a tree of its own, and brought back all or nothing.

use std::fs::File;
use std::time::{Duration, Instant};

use leasehold_files::Tree;
use leasehold_sandbox::{CallSpec, Recorder};
use leasehold_seal::{Class, Coded, Digest};
use leasehold_tape::call::{AccessDenied, Status};
use leasehold_tape::reader::Records;
use leasehold_tape::run::{ChangesApplied, PatchWritten, StepResult};
use leasehold_tape::{Draft, Durability, Kind, TapeError};
use leasehold_workspace::{
    BringBack, Difference, PatchLimits, Recovered, Refused, StepTree, WorkspaceError,
};

use serde::{Deserialize, Serialize};

use crate::run::{RunError, Shared};
use crate::spec::{Bench, Step, StepReport};
use crate::step::{call_spec, made, plugin_of};

/// The most refused changes that get a record of their own.
const RECORDED: usize = 32;

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
            recorded: false,
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
    let call = report.result.call.clone().unwrap_or_default();
    let checked = match difference.check(&step.rights, &workspace.protected) {
        Ok(checked) => checked,
        Err(refused) => {
            record_refused(recorder, &call, &refused)?;
            return Err(refused.into());
        }
    };
    let patch = difference.patch(&workspace.dir, copy, PatchLimits::default())?;
    let digest = recorder.store.put(patch.text.as_bytes())?;
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
    let label = Label {
        patch: digest,
        run: spec.started.run.clone(),
        step: step.id.clone(),
    }
    .to_text();
    let target = BringBack::new(&workspace.dir, &workspace.path, journal).labelled(&label);
    let (run, id) = (Some(&spec.started.run), Some(&step.id));
    // From here on the tree may be another one, however it ends.
    shared.forget_survey();
    let record = || record_applied(recorder, Kind::CommitApplied, Some(digest), run, id);
    let applied = target.apply_recorded(checked, copy, record);
    shared.forget_survey();
    let applied = match applied {
        Ok(applied) => applied?,
        Err(error) => {
            // What is not certain is said by the next run, which puts it right.
            if !matches!(error, WorkspaceError::Unfinished { .. }) {
                record_applied(recorder, Kind::RollbackDone, Some(digest), run, id)?;
            }
            return Err(error.into());
        }
    };
    if !applied.cleaned {
        tracing::warn!("former contents lie beside the new ones; the next run removes them");
    }
    Ok(report)
}

/// What the journal calls a bring-back: enough to record it later.
#[derive(Serialize, Deserialize)]
struct Label {
    patch: Digest,
    run: String,
    step: String,
}

impl Label {
    fn to_text(&self) -> String {
        // Texts and a digest can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// How long a run waits for another process that brings changes back or undoes that.
const PATIENCE: Duration = Duration::from_secs(60);

/// Puts right what an interrupted run has left in the workspace, before anything judges it, and records what became of it unless
/// that was done.
pub(crate) fn recover(bench: &Bench<'_>) -> Result<(), RunError> {
    let workspace = bench.workspace;
    let journal = &bench.place.journal;
    if !journal.exists() {
        return Ok(());
    }
    let bring_back = BringBack::new(&workspace.dir, &workspace.path, journal);
    let until = Instant::now() + PATIENCE;
    let (label, recovered) = loop {
        let found = bring_back
            .unfinished()
            .and_then(|label| Ok((label, bring_back.recover()?)));
        match found {
            Err(WorkspaceError::Busy)
                if Instant::now() < until && bench.stop.reason().is_none() =>
            {
                std::thread::sleep(Duration::from_millis(20));
            }
            found => break found?,
        }
    };
    let kind = match recovered {
        Recovered::Nothing => return Ok(()),
        Recovered::RolledBack => Kind::RollbackDone,
        Recovered::Completed => Kind::CommitApplied,
    };
    let label = label.and_then(|label| serde_json::from_str::<Label>(&label).ok());
    let Some(label) = label else {
        return Ok(record_applied(bench.recorder, kind, None, None, None)?);
    };
    if is_recorded(bench.recorder, &kind, &label)? {
        return Ok(());
    }
    let (run, step) = (Some(&label.run), Some(&label.step));
    Ok(record_applied(
        bench.recorder,
        kind,
        Some(label.patch),
        run,
        step,
    )?)
}

/// Whether the tape has it already: the process may have died right after recording it. Reads the tape, which is rare.
fn is_recorded(recorder: &Recorder, kind: &Kind, label: &Label) -> Result<bool, TapeError> {
    let failed = |error: std::io::Error| TapeError::Format(format!("it cannot be read: {error}"));
    let file = File::open(recorder.tape.dir().join("records.jsonl")).map_err(failed)?;
    let mut records = Records::new(file).map_while(Result::ok);
    Ok(records.any(|record| {
        record.kind == *kind
            && record.body::<ChangesApplied>().is_ok_and(|body| {
                body.run.as_ref() == Some(&label.run) && body.step.as_ref() == Some(&label.step)
            })
    }))
}

/// Records what a step must not have changed.
fn record_refused(recorder: &Recorder, call: &str, refused: &Refused) -> Result<(), TapeError> {
    let drafts = refused.changes.iter().take(RECORDED).map(|change| {
        let body = AccessDenied {
            call: call.to_owned(),
            code: refused.code().to_owned(),
            count: 1,
            path: Some(change.path.to_string()),
            wanted: "write".to_owned(),
        };
        Draft::sorted(Kind::AccessDenied, &body)
    });
    let drafts = drafts.collect::<Result<Vec<_>, _>>()?;
    recorder.tape.append(drafts, Durability::Synced).map(drop)
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
