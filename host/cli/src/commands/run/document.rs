//! A run for programs.

use std::path::Path;

use leasehold_pipeline::{RunReport, RunSpec, StepReport};
use serde_json::{Value, json};

use crate::exit;

/// The document that `leasehold run --format json` prints.
pub(super) fn document(spec: &RunSpec, run: &RunReport, page: Option<&Path>) -> Value {
    let started = &spec.started;
    json!({
        "base": started.base,
        "counts": run.finished.counts,
        "halted": run.finished.halted,
        "leases": started.leases,
        "passed": run.finished.passed,
        "report": page,
        "rules": started.rules,
        "run": started.run,
        "shadow": started.shadow,
        "steps": run.steps.iter().map(step).collect::<Vec<_>>(),
        "wall_us": u64::try_from(run.wall.as_micros()).unwrap_or(u64::MAX),
    })
}

fn step(step: &StepReport) -> Value {
    let result = &step.result;
    json!({
        "cached": result.hit.is_some(),
        "call": result.call,
        "changes": step.changes,
        "code": result.code,
        "denials": step.denials.list.iter().map(|denial| json!({
            "code": denial.code,
            "count": denial.count,
            "path": denial.path,
            "wanted": denial.wanted.to_string(),
        })).collect::<Vec<_>>(),
        "exit": step.class.map_or(exit::PASSED, exit::of),
        "fuel": step.fuel,
        "hint": step.hint,
        "peak_memory": step.peak_memory,
        "sentence": result.sentence,
        "skipped": step.coverage.skipped,
        "status": result.status.map_or("not-run", |status| status.as_str()),
        "step": result.step,
        "verdict": step.verdict,
        "wall_us": u64::try_from(step.wall.as_micros()).unwrap_or(u64::MAX),
    })
}
