//! What a run said of itself in the end, held against the records.

use std::collections::{HashMap, HashSet};

use leasehold_tape::call::Status;
use leasehold_tape::run::{Counts, RunFinished, StepResult};

use crate::model::{Step, StepStatus, Totals};

/// Holds the list of results to the steps. A result may be worse than its outcome, for the host looks at what a call did
/// after it returned; and where there was no call it is all there is. It never makes a step greener.
pub(crate) fn hold_results(results: Vec<StepResult>, steps: &mut [Step]) -> Vec<String> {
    let mut wrong = Vec::new();
    let known: HashSet<&str> = steps.iter().map(|step| step.id.as_str()).collect();
    let mut by_step: HashMap<String, StepResult> = HashMap::new();
    for result in results {
        if !known.contains(result.step.as_str()) {
            wrong.push(format!(
                "the results name step {:?}, which the run does not have",
                result.step
            ));
        } else if let Some(first) = by_step.insert(result.step.clone(), result) {
            wrong.push(format!("the results name step {:?} twice", first.step));
        }
    }
    for step in steps {
        match by_step.remove(&step.id) {
            Some(result) => wrong.extend(hold_result(result, step)),
            None => wrong.push(format!("the results leave out step {:?}", step.id)),
        }
    }
    wrong
}

fn hold_result(result: StepResult, step: &mut Step) -> Option<String> {
    let hit = step.cached.as_ref().map(|cached| cached.hit);
    // The host failed under a call: what came of it is not known, and nobody says that it is.
    let lost = step.status == StepStatus::Unfinished && result.status == Some(Status::Error);
    if lost && result.hit.is_none() && result.code.is_some() {
        step.status = StepStatus::Error;
        take_over(result, step);
        return None;
    }
    if result.call != step.call || result.hit != hit {
        return Some(format!(
            "the result of step {:?} names another call than the records have",
            step.id
        ));
    }
    let said = result.status.map_or(StepStatus::NotRun, StepStatus::from);
    if said == step.status {
        if step.status == StepStatus::NotRun {
            take_over(result, step);
        }
        return None;
    }
    let worse = matches!(result.status, Some(Status::Error | Status::Blocked));
    if worse && result.code.is_some() && said < step.status && step.status != StepStatus::Unfinished
    {
        step.status = said;
        take_over(result, step);
        return None;
    }
    Some(format!(
        "the result of step {:?} is said to be {}, and the records say {}",
        step.id,
        said.as_str(),
        step.status.as_str()
    ))
}

fn take_over(result: StepResult, step: &mut Step) {
    step.code = result.code;
    step.sentence = result.sentence;
}

/// Holds the end of the run to the sums. Without the list of results nobody knows which steps without a call were blocked.
pub(crate) fn hold_end(finished: &RunFinished, totals: &Totals, listed: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let ours = Counts {
        blocked: totals.blocked,
        error: totals.error,
        fail: totals.fail,
        not_run: totals.not_run,
        pass: totals.pass,
        skipped: totals.skipped,
    };
    let lump = |counts: &Counts| {
        let rest = (counts.blocked.saturating_add(counts.error)).saturating_add(counts.not_run);
        (counts.pass, counts.fail, counts.skipped, rest)
    };
    let same = if listed {
        finished.counts == ours
    } else {
        lump(&finished.counts) == lump(&ours)
    };
    if !same {
        wrong.push(format!(
            "the run says of itself: {}; its records say: {}",
            words(&finished.counts),
            words(&ours)
        ));
    }
    if totals.unfinished > 0 {
        wrong.push(format!(
            "the run says that it is finished, and {} of its calls have no outcome",
            totals.unfinished
        ));
    }
    if finished.passed != (finished.exit == 0) {
        wrong.push(format!(
            "the run says that it {}, with exit code {}",
            if finished.passed {
                "passed"
            } else {
                "did not pass"
            },
            finished.exit
        ));
    }
    if finished.passed && !totals.all_passed() {
        wrong.push("the run says that it passed, and not every step did".to_owned());
    }
    if !finished.passed && totals.all_passed() && finished.halted.is_none() {
        wrong.push("the run says that it did not pass, and every step did".to_owned());
    }
    wrong
}

fn words(counts: &Counts) -> String {
    format!(
        "{} pass, {} fail, {} error, {} blocked, {} skipped, {} not run",
        counts.pass, counts.fail, counts.error, counts.blocked, counts.skipped, counts.not_run
    )
}
