//! One step that reads: an earlier result, or a call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use leasehold_files::{Record, Skipping, Survey, Tree};
use leasehold_lease::Kind;
use leasehold_sandbox::{
    AdmitError, CallError, CallKey, CallSpec, Ending, Facts, Gauge, LoadError, Outcome, Plugin,
    Returned, StopSwitch, admit, admit_hit, call_key, is_reusable,
};
use leasehold_seal::{Class, Coded, Digest};
use leasehold_tape::call::Status;
use leasehold_tape::run::StepResult;

use crate::cache::{Hit, Miss};
use crate::run::Shared;
use crate::spec::{Bench, Reuse, RunSpec, Step, StepReport};
use crate::watch::{Running, lock};

/// The plugins of a run, each loaded when it is needed first.
#[derive(Default)]
pub(crate) struct Loaded(Mutex<BTreeMap<Digest, Slot>>);

/// A plugin that is loaded once, by whoever needs it first.
type Slot = Arc<OnceLock<Result<Plugin, LoadFailure>>>;

/// Why a plugin could not be loaded; the same for every step that wants it.
#[derive(Clone, Debug)]
pub(crate) struct LoadFailure {
    code: &'static str,
    class: Class,
    sentence: String,
    hint: Option<String>,
}

impl LoadFailure {
    fn new(error: &LoadError) -> Self {
        LoadFailure {
            code: error.code(),
            class: error.class(),
            sentence: error.to_string(),
            hint: error.hint(),
        }
    }

    pub(crate) fn report(self, step: &str) -> StepReport {
        StepReport::without_call(
            step,
            Some(Status::Error),
            self.code,
            self.class,
            self.sentence,
        )
        .hint(self.hint)
    }
}

impl Loaded {
    fn get(
        &self,
        bench: &Bench<'_>,
        spec: &RunSpec,
        digest: &Digest,
    ) -> Result<Plugin, LoadFailure> {
        let slot = Arc::clone(lock(&self.0).entry(*digest).or_default());
        slot.get_or_init(|| {
            let Some((bytes, _)) = spec.plugins.get(digest) else {
                return Err(LoadFailure {
                    code: "PLUGIN-MISSING",
                    class: Class::Blocked,
                    sentence: format!("the bytes of the plugin {digest} are not here"),
                    hint: None,
                });
            };
            let plugin = bench.engine.load(bytes);
            plugin.map_err(|error| LoadFailure::new(&error))
        })
        .clone()
    }
}

/// Runs a step that changes nothing.
pub(crate) fn run(shared: &Shared<'_>, at: usize) -> StepReport {
    let (bench, spec) = (shared.bench, shared.spec);
    let step = &spec.steps[at];
    let mut call = call_spec(spec, step, bench.workspace.tree.clone());
    let reuse = bench.reuse.as_ref().filter(|_| reusable(step));
    let Some((reuse, facts)) = reuse.zip(facts(spec, step)) else {
        return fresh(shared, at, call).0;
    };
    call.record = Record::Contents;
    call.workspace = Some(bench.workspace.tree.with_memo(reuse.memo));
    let key = match key(bench, reuse, step, &call) {
        Ok(key) => key,
        Err(error) => return not_admitted(&step.id, &error),
    };
    // Before the code is loaded: what is used again needs none.
    if let Ok(hit) = look_up(bench, reuse, &shared.survey(), step, &key) {
        return used_again(bench, step, facts, &call, &key, hit);
    }
    let (report, outcome) = fresh(shared, at, call);
    if let Some(outcome) = outcome {
        reuse.results.keep(&key, bench.recorder.tape.id(), &outcome);
    }
    report
}

/// Makes the call of a step, and says what came of it.
fn fresh(shared: &Shared<'_>, at: usize, call: CallSpec) -> (StepReport, Option<Outcome>) {
    let step = &shared.spec.steps[at];
    match plugin_of(shared, step) {
        Ok(plugin) => made(shared, at, &plugin, call),
        Err(failure) => (failure.report(&step.id), None),
    }
}

/// What the bytes of a step's plugin say.
fn facts<'a>(spec: &'a RunSpec, step: &Step) -> Option<&'a Facts> {
    let (_, facts) = spec.plugins.get(&step.rights.plugin())?;
    Some(facts)
}

fn key(
    bench: &Bench<'_>,
    reuse: &Reuse<'_>,
    step: &Step,
    call: &CallSpec,
) -> Result<CallKey, AdmitError> {
    let plugin = step.rights.plugin();
    call_key(
        bench.engine,
        &plugin,
        &step.rights,
        call,
        bench.recorder,
        reuse.host,
    )
}

/// Why the result of a step would not be used again; `Ok` when it would. Runs nothing and records nothing.
///
/// # Errors
/// The reason.
pub fn why_not(bench: &Bench<'_>, spec: &RunSpec, at: usize) -> Result<Hit, String> {
    let step = spec.steps.get(at).ok_or("there is no such step")?;
    let Some(reuse) = &bench.reuse else {
        return Err("the cache is off".to_owned());
    };
    if !reusable(step) {
        return Err("only verdicts of gates that change nothing, ask nobody and are not counted are used again".to_owned());
    }
    let call = call_spec(spec, step, bench.workspace.tree.clone());
    let key = key(bench, reuse, step, &call).map_err(|error| error.to_string())?;
    let survey = Survey::new(&bench.workspace.tree, reuse.memo);
    look_up(bench, reuse, &survey, step, &key).map_err(|miss| miss.to_string())
}

/// Whether an earlier result may stand for a step: the judgement of a gate whose rights leave nothing else.
fn reusable(step: &Step) -> bool {
    step.cache && step.rights.kind() == Kind::Gate && is_reusable(&step.rights)
}

fn look_up(
    bench: &Bench<'_>,
    reuse: &Reuse<'_>,
    survey: &Survey,
    step: &Step,
    key: &CallKey,
) -> Result<Hit, Miss> {
    let recorder = bench.recorder;
    let place = (&*recorder.tape, &*recorder.store);
    let rules = Skipping {
        rules: step.rights.clone(),
        skip: step.skip.clone(),
    };
    reuse.results.find(key, survey, &rules, place)
}

/// The call that a step asks for.
pub(crate) fn call_spec(spec: &RunSpec, step: &Step, tree: Tree) -> CallSpec {
    CallSpec {
        workspace: Some(tree),
        ambient_env: spec.environment.clone(),
        exit: step.exit.clone(),
        skip: step.skip.clone(),
        run: Some((spec.started.run.clone(), step.id.clone())),
        clock_base: Some(spec.clock_base),
        ..CallSpec::new(step.input.clone())
    }
}

/// Makes a call and says what came of it; without an outcome when there is none.
pub(crate) fn made(
    shared: &Shared<'_>,
    at: usize,
    plugin: &Plugin,
    call: CallSpec,
) -> (StepReport, Option<Outcome>) {
    let (bench, step) = (shared.bench, &shared.spec.steps[at]);
    let (gauge, switch) = (Gauge::default(), StopSwitch::default());
    let call = CallSpec {
        gauge: gauge.clone(),
        stop: switch.clone(),
        ..call
    };
    let rights = step.rights.clone();
    let limits = *rights.limits();
    let ticket = match admit(bench.engine, plugin, rights, call, bench.recorder) {
        Ok(ticket) => ticket,
        Err(error) => return (not_admitted(&step.id, &error), None),
    };
    let running = Running::new(ticket.call(), &step.id, limits, gauge, switch);
    shared.watch.add(at, running);
    let called = bench.engine.call(ticket, plugin);
    shared.watch.remove(at);
    match called {
        Ok(outcome) => (report(step, &outcome), Some(outcome)),
        Err(error) => (unrecorded(&step.id, &error), None),
    }
}

pub(crate) fn plugin_of(shared: &Shared<'_>, step: &Step) -> Result<Plugin, LoadFailure> {
    (shared.loaded).get(shared.bench, shared.spec, &step.rights.plugin())
}

fn not_admitted(step: &str, error: &AdmitError) -> StepReport {
    let status = match error.class() {
        Class::Blocked => Status::Blocked,
        _ => Status::Error,
    };
    let sentence = error.to_string();
    StepReport::without_call(step, Some(status), error.code(), error.class(), sentence)
        .hint(error.hint())
}

/// The plugin may have said anything: without a record nobody is to know.
fn unrecorded(step: &str, error: &CallError) -> StepReport {
    let mut report = StepReport::without_call(
        step,
        Some(Status::Error),
        error.code(),
        Class::Fault,
        error.to_string(),
    )
    .hint(error.hint());
    report.result.call = Some(error.call.clone());
    report
}

fn report(step: &Step, outcome: &Outcome) -> StepReport {
    let summary = &outcome.summary;
    StepReport {
        result: StepResult {
            call: Some(outcome.call.clone()),
            code: summary.code.map(str::to_owned),
            hit: None,
            sentence: summary.sentence.clone(),
            status: Some(summary.status),
            step: step.id.clone(),
        },
        recorded: true,
        class: summary.class,
        hint: None,
        original: None,
        verdict: match &outcome.ending {
            Ending::Returned(Returned::Verdict(verdict)) => Some(verdict.clone()),
            _ => None,
        },
        streams: [outcome.stdout.clone(), outcome.stderr.clone()],
        denials: outcome.denials.clone(),
        coverage: outcome.coverage,
        fuel: outcome.fuel,
        peak_memory: outcome.peak_memory,
        wall: outcome.wall,
        changes: Vec::new(),
    }
}

/// Uses an earlier result: admitted as a call is, and recorded.
fn used_again(
    bench: &Bench<'_>,
    step: &Step,
    plugin: &Facts,
    call: &CallSpec,
    key: &CallKey,
    hit: Hit,
) -> StepReport {
    let admitted = admit_hit(
        plugin,
        &step.rights,
        call,
        bench.recorder,
        key,
        &hit.original,
    );
    let place = match admitted {
        Ok(place) => place,
        Err(error) => return not_admitted(&step.id, &error),
    };
    let Hit {
        intent,
        outcome,
        verdict,
        ..
    } = hit;
    let class = match outcome.status {
        Status::Pass => None,
        Status::Fail => Some(Class::Failed),
        Status::Error | Status::Blocked | Status::Skipped => Some(Class::Blocked),
    };
    let coverage = leasehold_files::Coverage {
        listed: outcome.coverage.listed,
        skipped: outcome.coverage.skipped,
        ..Default::default()
    };
    StepReport {
        result: StepResult {
            call: Some(outcome.call),
            code: outcome.code,
            hit: Some(place.seq),
            sentence: outcome.sentence,
            status: Some(outcome.status),
            step: step.id.clone(),
        },
        recorded: true,
        class,
        hint: None,
        original: Some(intent),
        verdict,
        streams: Default::default(),
        denials: Default::default(),
        coverage,
        fuel: outcome.fuel,
        peak_memory: outcome.peak_memory,
        wall: std::time::Duration::from_micros(outcome.wall_us),
        changes: Vec::new(),
    }
}

impl Shared<'_> {
    /// What is known of the tree as it is now.
    fn survey(&self) -> Arc<Survey> {
        let mut survey = lock(&self.survey);
        let known = survey.get_or_insert_with(|| {
            let memo = self.bench.reuse.as_ref().map(|reuse| reuse.memo.clone());
            let memo = memo.unwrap_or_default();
            Arc::new(Survey::new(&self.bench.workspace.tree, &memo))
        });
        Arc::clone(known)
    }

    /// Forgets it: a step changed the tree.
    pub(crate) fn forget_survey(&self) {
        *lock(&self.survey) = None;
    }
}
