//! From the records of one call to what is shown of its step.

use leasehold_seal::Digest;
use leasehold_tape::call::{Outcome, Status, Stream};
use leasehold_tape::run::{PlanStep, Reading, ResourceSampled};
use leasehold_tape::verdict::{Quote, Verdict};

use super::blame;
use crate::checks;
use crate::collect::{CallRecords, Placed};
use crate::model::{Artifact, Kept, Patch, Sample, Step, StepStatus, StepVerdict, TAIL, Use};
use crate::shelf::Shelf;

/// A step of which only the plan is known, if that.
pub(super) fn empty(id: String, plan: Option<PlanStep>) -> Step {
    let mut step = Step {
        artifacts: Vec::new(),
        cached: None,
        call: None,
        code: None,
        command: None,
        coverage: None,
        denials: Vec::new(),
        ending: None,
        exit: None,
        fuel: None,
        id,
        intent: None,
        kind: None,
        line: None,
        memory: None,
        name: None,
        needs: Vec::new(),
        outcome: None,
        patch: None,
        plugin: None,
        quotes: Vec::new(),
        rights: Vec::new(),
        samples: Vec::new(),
        sentence: String::new(),
        skip: Vec::new(),
        start_us: None,
        status: StepStatus::NotRun,
        verdict: None,
        wall_us: None,
        writes: Vec::new(),
        writes_total: 0,
    };
    if let Some(plan) = plan {
        step.kind = Some(plan.kind);
        step.line = Some(plan.line);
        step.name = Some(plan.name);
        step.needs = plan.needs;
        step.plugin = Some(plan.plugin);
        step.rights = plan.rights_text;
        step.skip = plan.skip;
    }
    step
}

/// The step with all that its call left.
pub(super) fn fill(mut step: Step, call: &CallRecords, shelf: &mut Shelf<'_>) -> Step {
    let intent = &call.intent;
    blame(&step.id, call.repeated.clone(), shelf);
    step.call = Some(intent.body.call.clone());
    step.intent = Some(intent.seq);
    step.plugin = Some(intent.body.plugin);
    step.kind = Some(intent.body.kind.clone());
    step.skip = intent.body.skip.clone();
    step.status = StepStatus::Unfinished;
    step.denials = call.denials.clone();
    step.samples = samples(call);
    if let Some(last) = call.samples.last() {
        step.fuel = Some(reading(last.body.fuel));
        step.memory = Some(reading(last.body.memory));
    }
    let outcome = call.outcome.as_ref().map(|outcome| &outcome.body);
    if let Some(placed) = &call.outcome {
        step.outcome = Some(placed.seq);
        fill_outcome(&mut step, &placed.body, call, shelf);
    }
    fill_verdict(&mut step, call, outcome, shelf);
    fill_artifacts(&mut step, call, outcome, shelf);
    if let Some(patch) = &call.patch {
        let what = format!("the patch of step {:?}", step.id);
        step.patch = Some(Patch {
            changes: patch.body.changes,
            digest: patch.body.patch,
            kept: shelf.bytes(&patch.body.patch, &what).0,
        });
        if patch.body.step != step.id {
            let wrong = vec![format!(
                "the patch in record {} names another step",
                patch.seq
            )];
            blame(&step.id, wrong, shelf);
        }
    }
    step
}

fn reading(reading: Reading) -> Use {
    Use {
        limit: Some(reading.limit),
        used: reading.used,
    }
}

fn fill_outcome(step: &mut Step, outcome: &Outcome, call: &CallRecords, shelf: &mut Shelf<'_>) {
    blame(&step.id, checks::outcome(call, outcome), shelf);
    let sampled = call.samples.last().map(|sample| &sample.body);
    let charged = call.intent.body.charges.first().map(|charge| charge.fuel);
    step.status = outcome.status.into();
    step.code = outcome.code.clone();
    step.command = Some(outcome.command.clone());
    step.coverage = Some(outcome.coverage.clone());
    step.ending = Some(outcome.ending);
    step.exit = outcome.exit;
    step.sentence = outcome.sentence.clone();
    step.wall_us = Some(outcome.wall_us);
    step.writes = outcome.writes.clone();
    step.writes_total = outcome.writes_total;
    step.fuel = Some(Use {
        limit: charged.or(sampled.map(|sample| sample.fuel.limit)),
        used: outcome.fuel,
    });
    step.memory = Some(Use {
        limit: sampled.map(|sample| sample.memory.limit),
        used: outcome.peak_memory,
    });
}

fn fill_verdict(
    step: &mut Step,
    call: &CallRecords,
    outcome: Option<&Outcome>,
    shelf: &mut Shelf<'_>,
) {
    let (mut kept, mut verdict) = (Kept::Present, None);
    if let Some(said) = &call.verdict {
        verdict = said.body.verdict.clone();
        if verdict.is_none() {
            let what = format!("the verdict of step {:?}", step.id);
            (kept, verdict) = shelf.document::<Verdict>(&said.body.digest, &what);
        }
        step.verdict = Some(StepVerdict {
            digest: said.body.digest,
            kept,
            verdict: None,
        });
        step.quotes = quotes(step, said.body.quotes.as_ref(), shelf);
    }
    let digest = (verdict.as_ref())
        .and_then(|verdict| verdict.to_json().ok())
        .map(|json| Digest::of(&json));
    let judgement = verdict.as_ref().map(|verdict| verdict.outcome);
    let wrong = checks::verdict(outcome, call.verdict.as_ref(), judgement, digest);
    blame(&step.id, wrong, shelf);
    if let Some(said) = &mut step.verdict {
        said.verdict = verdict;
    }
}

fn quotes(step: &Step, digest: Option<&Digest>, shelf: &mut Shelf<'_>) -> Vec<Quote> {
    let Some(digest) = digest else {
        return Vec::new();
    };
    let what = format!("the lines quoted for step {:?}", step.id);
    let (_, quotes) = shelf.document(digest, &what);
    quotes.unwrap_or_default()
}

fn fill_artifacts(
    step: &mut Step,
    call: &CallRecords,
    outcome: Option<&Outcome>,
    shelf: &mut Shelf<'_>,
) {
    // What a program said is of use where it did not pass.
    let tell = outcome.is_some_and(|outcome| outcome.status != Status::Pass);
    for (name, stream) in [
        (
            "stdout",
            outcome.and_then(|outcome| outcome.stdout.as_ref()),
        ),
        (
            "stderr",
            outcome.and_then(|outcome| outcome.stderr.as_ref()),
        ),
    ] {
        if let Some(stream) = stream {
            let artifact = output(&step.id, name, stream, tell, shelf);
            step.artifacts.push(artifact);
        }
    }
    for stored in &call.artifacts {
        let what = format!("the artifact {:?} of step {:?}", stored.name, step.id);
        step.artifacts.push(Artifact {
            bytes: stored.bytes,
            digest: stored.digest,
            kept: shelf.bytes(&stored.digest, &what).0,
            media_type: Some(stored.media_type.clone()),
            name: stored.name.clone(),
            tail: None,
        });
    }
}

fn output(id: &str, name: &str, stream: &Stream, tell: bool, shelf: &mut Shelf<'_>) -> Artifact {
    let (kept, bytes) = if stream.stored {
        shelf.bytes(&stream.digest, &format!("the {name} of step {id:?}"))
    } else {
        (Kept::NotKept, None)
    };
    let tail = bytes.filter(|_| tell).map(|bytes| {
        let from = bytes.len().saturating_sub(TAIL);
        String::from_utf8_lossy(whole_characters(&bytes, from)).into_owned()
    });
    Artifact {
        bytes: stream.bytes,
        digest: stream.digest,
        kept,
        media_type: None,
        name: name.to_owned(),
        tail,
    }
}

/// The bytes from there on, without the rest of a character that would be cut in two.
fn whole_characters(bytes: &[u8], from: usize) -> &[u8] {
    let rest = bytes.get(from..).unwrap_or_default();
    let inside = rest.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80);
    match from {
        0 => rest,
        _ => &rest[inside.count()..],
    }
}

fn samples(call: &CallRecords) -> Vec<Sample> {
    let sample = |placed: &Placed<ResourceSampled>| Sample {
        fuel: placed.body.fuel,
        memory: placed.body.memory,
        output: placed.body.output,
        pressure: placed.body.pressure,
        record: placed.seq,
        state: placed.body.state.clone(),
        wall_ms: placed.body.wall_ms,
        written: placed.body.written,
    };
    call.samples.iter().map(sample).collect()
}
