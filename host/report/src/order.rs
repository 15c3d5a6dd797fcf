//! Failures first, and sums.

use crate::model::{Run, RunResult, Step, StepStatus, Totals};

/// The steps worst first: error, fail, blocked, not finished, not run, skipped, pass; equal ones in the order of the pipeline.
pub fn failures_first(run: &Run) -> Vec<&Step> {
    let mut steps: Vec<&Step> = run.steps.iter().collect();
    steps.sort_by_key(|step| step.status);
    steps
}

impl Totals {
    /// The sums over these steps.
    pub fn of(steps: &[Step]) -> Totals {
        let mut totals = Totals::default();
        for step in steps {
            *totals.count_mut(step.status) += 1;
            totals.steps += 1;
            totals.findings += findings(step);
            // What the original call used was used then, not now.
            if step.cached.is_some() {
                totals.cached += 1;
                continue;
            }
            let fuel = step.fuel.map_or(0, |fuel| fuel.used);
            let denied = step.coverage.as_ref().map_or(0, |seen| seen.denied);
            totals.fuel = totals.fuel.saturating_add(fuel);
            totals.denied = totals.denied.saturating_add(denied);
        }
        totals
    }

    /// How many steps have this status.
    pub fn count(&self, status: StepStatus) -> u64 {
        match status {
            StepStatus::Error => self.error,
            StepStatus::Fail => self.fail,
            StepStatus::Blocked => self.blocked,
            StepStatus::Unfinished => self.unfinished,
            StepStatus::NotRun => self.not_run,
            StepStatus::Skipped => self.skipped,
            StepStatus::Pass => self.pass,
        }
    }

    fn count_mut(&mut self, status: StepStatus) -> &mut u64 {
        match status {
            StepStatus::Error => &mut self.error,
            StepStatus::Fail => &mut self.fail,
            StepStatus::Blocked => &mut self.blocked,
            StepStatus::Unfinished => &mut self.unfinished,
            StepStatus::NotRun => &mut self.not_run,
            StepStatus::Skipped => &mut self.skipped,
            StepStatus::Pass => &mut self.pass,
        }
    }

    /// Whether there are steps and every one passed.
    pub fn all_passed(&self) -> bool {
        self.steps > 0 && self.pass == self.steps
    }
}

/// How many findings a step has, as far as its verdict is at hand.
pub fn findings(step: &Step) -> u64 {
    let verdict = step.verdict.as_ref().and_then(|said| said.verdict.as_ref());
    verdict.map_or(0, |verdict| verdict.findings.len() as u64)
}

/// What came of a run, by its steps. The worst that applies.
pub(crate) fn result(
    totals: &Totals,
    finished: bool,
    halted: bool,
    contradicted: bool,
) -> RunResult {
    if contradicted {
        RunResult::Contradicted
    } else if !finished {
        RunResult::Unfinished
    } else if totals.error + totals.unfinished > 0 || (totals.all_passed() && halted) {
        RunResult::Error
    } else if totals.fail > 0 {
        RunResult::Failed
    } else if totals.blocked > 0 {
        RunResult::Blocked
    } else if !totals.all_passed() {
        RunResult::Incomplete
    } else {
        RunResult::Passed
    }
}
