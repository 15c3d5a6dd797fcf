//! From the records of a run to the run.

mod call;

use std::collections::{BTreeMap, HashSet};

use leasehold_seal::Digest;
use leasehold_tape::run::{
    CacheHit, ChangesApplied, PlanDoc, PlanStep, RunFinished, RunStarted, StepResult,
};

use crate::checks;
use crate::collect::{CallRecords, Calls, Collected, Placed};
use crate::model::{Applied, Cached, Kept, Moment, Rules, Run, Step, StepStatus, Totals, VERSION};
use crate::order;
use crate::results;
use crate::shelf::Shelf;

/// Puts a run together. `originals`: the calls whose results were used again.
pub(crate) fn assemble(
    run: Collected,
    originals: Calls,
    store: &dyn Fn(&Digest) -> Option<Vec<u8>>,
) -> Run {
    let mut shelf = Shelf::new(store);
    shelf.contradictions = run.contradictions;
    let started = run.started;
    let plan = read_plan(&started.body, &mut shelf);
    let mut parts = Parts::sort(run.calls, run.hits, &mut shelf);
    let steps = match plan {
        Some(plan) => plan
            .into_iter()
            .map(|step| (step.id.clone(), Some(step)))
            .collect(),
        None => parts.ids(),
    };
    let mut steps: Vec<Step> = steps
        .into_iter()
        .map(|(id, plan)| {
            let source = parts.source(&id, &mut shelf);
            step(id, plan, source, &originals, &started, &mut shelf)
        })
        .collect();
    parts.left_over(&mut shelf);
    let finished = run.finished;
    let totals = match &finished {
        Some(finished) => hold_to_end(&finished.body, started.body.steps, &mut steps, &mut shelf),
        None => totals(&steps, started.body.steps),
    };
    let halted = finished.as_ref().and_then(|end| end.body.halted.clone());
    let result = order::result(
        &totals,
        finished.is_some(),
        halted.is_some(),
        !shelf.contradictions.is_empty(),
    );
    Run {
        changes: run.changes.into_iter().map(applied).collect(),
        contradictions: shelf.contradictions,
        duration_us: finished.as_ref().map(|end| end.since(&started)),
        exit: finished.as_ref().map(|end| end.body.exit),
        finished: finished.as_ref().map(moment),
        halted,
        missing: shelf.missing,
        result,
        rules: rules(&started.body),
        started: moment(&started),
        steps,
        tape: run.tape,
        totals,
        version: VERSION,
        base: started.body.base,
        cache: started.body.cache,
        jobs: started.body.jobs,
        run: started.body.run,
        shadow: started.body.shadow,
    }
}

/// Holds what the run says of itself in the end to the steps, and gives their sums. `stated`: how many there are to be.
fn hold_to_end(
    finished: &RunFinished,
    stated: u64,
    steps: &mut Vec<Step>,
    shelf: &mut Shelf<'_>,
) -> Totals {
    let (kept, listed) =
        shelf.document::<Vec<StepResult>>(&finished.results, "the list of results");
    if let Some(listed) = listed {
        // Where the plan is missing, steps without a call are known from the results alone.
        let unseen = stated.saturating_sub(steps.len() as u64);
        add_unknown(steps, &listed, unseen);
        shelf
            .contradictions
            .extend(results::hold_results(listed, steps));
    }
    let totals = totals(steps, stated);
    let wrong = results::hold_end(finished, &totals, kept == Kept::Present);
    shelf.contradictions.extend(wrong);
    totals
}

fn rules(started: &RunStarted) -> Rules {
    Rules {
        commit: started.rules.commit.clone(),
        leases: started.leases.clone(),
        lock: started.lock,
        pipeline: started.pipeline,
        plan: started.plan,
        policy: started.policy,
        reference: started.rules.reference.clone(),
        trust: started.trust,
    }
}

fn applied((applied, change): (bool, Placed<ChangesApplied>)) -> Applied {
    Applied {
        applied,
        patch: change.body.patch,
        record: change.seq,
        step: change.body.step,
        time: change.body.time,
    }
}

fn moment<T>(placed: &Placed<T>) -> Moment {
    Moment {
        record: placed.seq,
        time: placed.time,
    }
}

/// The steps of the plan, each id once.
fn read_plan(started: &RunStarted, shelf: &mut Shelf<'_>) -> Option<Vec<PlanStep>> {
    let (_, plan) = shelf.document::<PlanDoc>(&started.plan, "the plan");
    let mut steps = plan?.steps;
    if steps.len() as u64 != started.steps {
        shelf.contradictions.push(format!(
            "the plan has {} steps, and the run says {}",
            steps.len(),
            started.steps
        ));
    }
    let mut seen = HashSet::new();
    steps.retain(|step| {
        let first = seen.insert(step.id.clone());
        if !first {
            let sentence = format!("the plan has step {:?} twice", step.id);
            shelf.contradictions.push(sentence);
        }
        first
    });
    Some(steps)
}

/// Steps that only the list of results knows, as many as the run says there are.
fn add_unknown(steps: &mut Vec<Step>, listed: &[StepResult], unseen: u64) {
    let known: HashSet<String> = steps.iter().map(|step| step.id.clone()).collect();
    let unknown = listed.iter().filter(|result| !known.contains(&result.step));
    let unseen = usize::try_from(unseen).unwrap_or(usize::MAX);
    steps.extend(
        unknown
            .take(unseen)
            .map(|result| call::empty(result.step.clone(), None)),
    );
}

/// The sums. Steps that the run says it has and nothing else knows of were not run, as far as anyone can tell.
fn totals(steps: &[Step], stated: u64) -> Totals {
    let mut totals = Totals::of(steps);
    let unseen = stated.saturating_sub(totals.steps);
    totals.not_run += unseen;
    totals.steps += unseen;
    totals
}

/// Where the outcome of a step comes from.
enum Source {
    Nothing,
    Call(Box<CallRecords>),
    Hit(Box<Placed<CacheHit>>),
}

/// The calls and hits of a run, by step.
struct Parts(BTreeMap<String, Vec<(u64, Source)>>);

impl Parts {
    fn sort(calls: Calls, hits: Vec<Placed<CacheHit>>, shelf: &mut Shelf<'_>) -> Self {
        let mut parts: BTreeMap<String, Vec<(u64, Source)>> = BTreeMap::new();
        for (id, call) in calls {
            let seq = call.intent.seq;
            match call.intent.body.step.clone() {
                Some(step) => parts
                    .entry(step)
                    .or_default()
                    .push((seq, Source::Call(Box::new(call)))),
                None => shelf.contradictions.push(format!(
                    "call {id} belongs to the run and to none of its steps"
                )),
            }
        }
        for hit in hits {
            let step = hit.body.step.clone();
            parts
                .entry(step)
                .or_default()
                .push((hit.seq, Source::Hit(Box::new(hit))));
        }
        Parts(parts)
    }

    /// The steps in the order of their first records: what is known without a plan.
    fn ids(&self) -> Vec<(String, Option<PlanStep>)> {
        let first = |sources: &Vec<(u64, Source)>| sources.iter().map(|(seq, _)| *seq).min();
        let mut ids: Vec<_> = self
            .0
            .iter()
            .map(|(id, sources)| (first(sources), id))
            .collect();
        ids.sort();
        ids.into_iter().map(|(_, id)| (id.clone(), None)).collect()
    }

    /// What a step has. More than one thing is a contradiction, of which the last is shown.
    fn source(&mut self, step: &str, shelf: &mut Shelf<'_>) -> Source {
        let mut sources = self.0.remove(step).unwrap_or_default();
        sources.sort_by_key(|(seq, _)| *seq);
        if sources.len() > 1 {
            let records: Vec<String> = sources.iter().map(|(seq, _)| seq.to_string()).collect();
            shelf.contradictions.push(format!(
                "step {step:?} has more than one result: see records {}",
                records.join(", ")
            ));
        }
        sources.pop().map_or(Source::Nothing, |(_, source)| source)
    }

    /// What belongs to no step of the plan.
    fn left_over(&self, shelf: &mut Shelf<'_>) {
        for (step, sources) in &self.0 {
            for (seq, _) in sources {
                shelf.contradictions.push(format!(
                    "record {seq} names step {step:?}, which the plan does not have"
                ));
            }
        }
    }
}

fn step(
    id: String,
    plan: Option<PlanStep>,
    source: Source,
    originals: &Calls,
    started: &Placed<RunStarted>,
    shelf: &mut Shelf<'_>,
) -> Step {
    match source {
        Source::Nothing => call::empty(id, plan),
        Source::Call(records) => {
            let mut step = call::fill(call::empty(id, plan.clone()), &records, shelf);
            if let Some(plan) = &plan {
                blame(
                    &step.id,
                    checks::intent(&records.intent.body, plan, false),
                    shelf,
                );
            }
            step.start_us = Some(records.intent.since(started));
            step
        }
        Source::Hit(hit) => again(id, plan, &hit, originals, started, shelf),
    }
}

/// A step whose result was used again: everything comes from the original call, or nothing does.
fn again(
    id: String,
    plan: Option<PlanStep>,
    hit: &Placed<CacheHit>,
    originals: &Calls,
    started: &Placed<RunStarted>,
    shelf: &mut Shelf<'_>,
) -> Step {
    let original = originals.get(&hit.body.original);
    let mut wrong = checks::hit(hit, original, plan.as_ref());
    if let (Some(original), Some(plan)) = (original, &plan) {
        wrong.extend(checks::intent(&original.intent.body, plan, true));
    }
    let proven = wrong.is_empty();
    blame(&id, wrong, shelf);
    let empty = call::empty(id, plan);
    let mut step = match original.filter(|_| proven) {
        Some(original) => call::fill(empty, original, shelf),
        None => Step {
            status: StepStatus::Error,
            code: Some("RESULT-UNPROVEN".to_owned()),
            sentence: "the result that is said to be used again is not what the tape has"
                .to_owned(),
            ..empty
        },
    };
    step.call = Some(hit.body.original.clone());
    step.start_us = Some(hit.since(started));
    let outcome = original.and_then(|call| call.outcome.as_ref());
    step.cached = Some(Cached {
        call: hit.body.original.clone(),
        hit: hit.seq,
        outcome: hit.body.seq,
        run: original.and_then(|call| call.intent.body.run.clone()),
        time: outcome.map(|outcome| outcome.time),
    });
    step
}

fn blame(step: &str, wrong: Vec<String>, shelf: &mut Shelf<'_>) {
    let sentences = wrong
        .into_iter()
        .map(|what| format!("step {step:?}: {what}"));
    shelf.contradictions.extend(sentences);
}
