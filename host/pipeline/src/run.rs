//! The threads of a run, and the records at its start and end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use leasehold_files::Survey;
use leasehold_rules::exceeds;
use leasehold_sandbox::Stop;
use leasehold_seal::{Class, Coded};
use leasehold_tape::call::Status;
use leasehold_tape::run::{Counts, RunFinished, StepResult};
use leasehold_tape::{Appended, Draft, Durability, Kind, TapeError};
use leasehold_workspace::WorkspaceError;
use thiserror::Error;

use crate::schedule::{Next, Schedule, Shape};
use crate::spec::{Bench, Observer, RunReport, RunSpec, StepReport};
use crate::step::Loaded;
use crate::watch::{Watch, lock};
use crate::{step, writer};

/// Why there is no report: the run could not be recorded, or could not begin.
#[derive(Debug, Error)]
pub enum RunError {
    /// The tape.
    #[error("the run could not be recorded: {0}")]
    Tape(#[from] TapeError),
    /// What an interrupted run left in the workspace could not be put right.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Coded for RunError {
    fn code(&self) -> &'static str {
        match self {
            RunError::Tape(error) => error.code(),
            RunError::Workspace(error) => error.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            RunError::Tape(error) => error.class(),
            RunError::Workspace(error) => error.class(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            RunError::Tape(error) => error.hint(),
            RunError::Workspace(error) => error.hint(),
        }
    }
}

/// What the threads of a run share.
pub(crate) struct Shared<'a> {
    pub(crate) bench: &'a Bench<'a>,
    pub(crate) spec: &'a RunSpec,
    pub(crate) loaded: Loaded,
    pub(crate) watch: Watch,
    /// The tree as it is; made anew after each step that changed it.
    pub(crate) survey: Mutex<Option<std::sync::Arc<Survey>>>,
    pub(crate) observer: &'a dyn Observer,
    progress: Mutex<Progress>,
    moved: Condvar,
}

struct Progress {
    schedule: Schedule,
    reports: Vec<Option<StepReport>>,
    halted: Option<String>,
}

/// Runs the steps and gives a report once everything is recorded.
///
/// # Errors
/// [`RunError`]. Whatever becomes of a step is in the report.
pub fn run(
    bench: &Bench<'_>,
    spec: &RunSpec,
    observer: &dyn Observer,
) -> Result<RunReport, RunError> {
    let began = Instant::now();
    writer::recover(bench)?;
    let draft = Draft::sorted(Kind::RunStarted, &spec.started)?;
    let tape = &bench.recorder.tape;
    let started = tape.append(vec![draft], Durability::Written)?;
    let started = started.first().copied();
    let started = started.ok_or_else(|| TapeError::Body("nothing was appended".into()))?;
    let shapes = spec.steps.iter().map(|step| Shape {
        needs: step.needs.clone(),
        writes: step.writes(),
    });
    let jobs = usize::try_from(spec.started.jobs).unwrap_or(1).max(1);
    let shared = Shared {
        bench,
        spec,
        loaded: Loaded::default(),
        watch: Watch::default(),
        survey: Mutex::new(None),
        observer,
        progress: Mutex::new(Progress {
            schedule: Schedule::new(shapes.collect(), spec.order.clone(), jobs),
            reports: vec![None; spec.steps.len()],
            halted: None,
        }),
        moved: Condvar::new(),
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let cancelled = || shared.halt("CANCELLED", Stop::Cancelled);
            shared.watch.look(
                &spec.started.run,
                bench.recorder,
                &spec.options.halt,
                (bench.stop, &cancelled),
                observer,
            );
        });
        let workers: Vec<_> = (0..jobs.min(spec.steps.len()))
            .map(|_| scope.spawn(|| shared.work()))
            .collect();
        for worker in workers {
            // A worker that panicked leaves its step without a report, which the report of the run says.
            let _ = worker.join();
        }
        shared.watch.end();
    });
    let progress = shared
        .progress
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let report = finish(bench, spec, progress, (began, started))?;
    let late = |step: &StepReport| !step.recorded && step.result.status.is_some();
    for (step, report) in report
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| late(step))
    {
        observer.finished(step, report);
    }
    Ok(report)
}

impl Shared<'_> {
    /// Takes steps until there are none.
    fn work(&self) {
        let mut progress = lock(&self.progress);
        loop {
            match progress.schedule.advance() {
                Next::Done => break,
                Next::Wait => {
                    progress = self
                        .moved
                        .wait(progress)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Next::Blocked(step, need) => {
                    let report = self.blocked(step, need);
                    self.tell(step, &report);
                    progress.reports[step] = Some(report);
                }
                Next::Start(step) => {
                    drop(progress);
                    let report = self.step(step);
                    self.tell(step, &report);
                    progress = lock(&self.progress);
                    self.take(&mut progress, step, report);
                }
            }
        }
        drop(progress);
        self.moved.notify_all();
    }

    /// Tells of a step what is on the tape already; of the others is told when the end of the run is.
    fn tell(&self, step: usize, report: &StepReport) {
        self.observer.ended(step);
        if report.recorded {
            self.observer.finished(step, report);
        }
    }

    fn step(&self, step: usize) -> StepReport {
        self.observer.started(step);
        let made = catch_unwind(AssertUnwindSafe(|| {
            if self.spec.steps[step].writes() {
                writer::run(self, step)
            } else {
                step::run(self, step)
            }
        }));
        // The others must not wait for a step that will never end.
        made.unwrap_or_else(|_panic| {
            self.watch.remove(step);
            StepReport::without_call(
                &self.spec.steps[step].id,
                Some(Status::Error),
                "FAULT",
                Class::Fault,
                "a fault of Leasehold itself ended the step".to_owned(),
            )
        })
    }

    fn blocked(&self, step: usize, need: usize) -> StepReport {
        let need = &self.spec.steps[need].id;
        StepReport::without_call(
            &self.spec.steps[step].id,
            Some(Status::Blocked),
            "NEED-UNMET",
            Class::Blocked,
            format!("it needs {need}, which did not pass"),
        )
    }

    /// Notes what came of a step, and whether the run goes on.
    fn take(&self, progress: &mut Progress, step: usize, report: StepReport) {
        let status = report.result.status;
        let fault = report.class == Some(Class::Fault);
        let code = report.result.code.clone().unwrap_or_default();
        progress.reports[step] = Some(report);
        match status {
            Some(status) => progress.schedule.finished(step, status),
            None => progress.schedule.finished(step, Status::Error),
        }
        let options = &self.spec.options;
        let done = |wanted: Status| {
            let of = |report: &&StepReport| report.result.status == Some(wanted);
            progress.reports.iter().flatten().filter(of).count() as u64
        };
        let errors = done(Status::Error);
        let finished = progress.reports.iter().flatten().count() as u64;
        let why = if fault {
            Some(code)
        } else if exceeds(options.halt.errors, errors, finished) {
            Some("SENTINEL-HALT".to_owned())
        } else if options.fail_fast && !matches!(status, Some(Status::Pass | Status::Skipped)) {
            Some("FAIL-FAST".to_owned())
        } else {
            None
        };
        if let Some(why) = why {
            progress.schedule.halt();
            progress.halted.get_or_insert(why);
        }
        self.moved.notify_all();
    }

    /// Starts nothing more and ends what runs.
    fn halt(&self, code: &str, why: Stop) {
        let mut progress = lock(&self.progress);
        progress.schedule.halt();
        progress.halted.get_or_insert_with(|| code.to_owned());
        drop(progress);
        self.watch.stop_all(why);
        self.moved.notify_all();
    }
}

/// Records the end of the run; what has no report yet was not run.
fn finish(
    bench: &Bench<'_>,
    spec: &RunSpec,
    progress: Progress,
    (began, started): (Instant, Appended),
) -> Result<RunReport, RunError> {
    let why = progress.halted.clone();
    let steps: Vec<StepReport> = progress
        .reports
        .into_iter()
        .zip(&spec.steps)
        .map(|(report, step)| report.unwrap_or_else(|| not_run(&step.id, why.as_deref())))
        .collect();
    let results: Vec<&StepResult> = steps.iter().map(|step| &step.result).collect();
    let json = serde_json::to_vec(&results).map_err(|error| TapeError::Body(error.to_string()))?;
    let counts = count(&steps);
    let passed = passed(&counts, progress.halted.as_deref());
    let worst = steps
        .iter()
        .filter_map(|step| step.class)
        .min_by_key(|class| class.rank());
    let finished = RunFinished {
        counts,
        // Nothing ends with 0 that did not pass.
        exit: match worst {
            None if passed => 0,
            worst => u64::from(worst.unwrap_or(Class::Blocked).exit_code()),
        },
        halted: progress.halted,
        passed,
        results: bench.recorder.store.put(&json)?,
        run: spec.started.run.clone(),
    };
    let draft = Draft::new(Kind::RunFinished, &finished)?;
    let tape = &bench.recorder.tape;
    tape.append(vec![draft], Durability::Synced)?;
    Ok(RunReport {
        finished,
        steps,
        wall: began.elapsed(),
        started,
    })
}

/// Whether a run is green: it has steps, all of them passed, and nothing ended it early, also not at the last moment.
fn passed(counts: &Counts, halted: Option<&str>) -> bool {
    let Counts {
        blocked,
        error,
        fail,
        not_run,
        pass,
        skipped,
    } = *counts;
    pass > 0 && blocked + error + fail + not_run + skipped == 0 && halted.is_none()
}

fn not_run(step: &str, why: Option<&str>) -> StepReport {
    let sentence = match why {
        Some("CANCELLED") => "the run was cancelled before its turn",
        Some("FAIL-FAST") => "the run ended at the first failure",
        Some("SENTINEL-HALT") => "the sentinel halted the run: too many errors",
        _ => "the run ended before its turn",
    };
    StepReport::without_call(step, None, "NOT-RUN", Class::Blocked, sentence.to_owned())
}

fn count(steps: &[StepReport]) -> Counts {
    let mut counts = Counts::default();
    for step in steps {
        let count = match step.result.status {
            Some(Status::Pass) => &mut counts.pass,
            Some(Status::Fail) => &mut counts.fail,
            Some(Status::Error) => &mut counts.error,
            Some(Status::Blocked) => &mut counts.blocked,
            Some(Status::Skipped) => &mut counts.skipped,
            None => &mut counts.not_run,
        };
        *count += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_run_that_went_to_its_end_with_nothing_but_passes_is_green() {
        let all = Counts {
            pass: 3,
            ..Counts::default()
        };
        assert!(passed(&all, None));
        assert!(!passed(&all, Some("CANCELLED")));
        assert!(!passed(&Counts::default(), None));
        for other in [
            Counts { fail: 1, ..all },
            Counts { error: 1, ..all },
            Counts { blocked: 1, ..all },
            Counts { skipped: 1, ..all },
            Counts { not_run: 1, ..all },
        ] {
            assert!(!passed(&other, None), "{other:?}");
        }
    }
}
