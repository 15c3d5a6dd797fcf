//! Row 10: the plan of a pipeline of 1,000 steps.
//!
//! Once `leasehold plan --format json` as a whole process, once reading the two files and planning in this process. The bound is a
//! time, so the peer is that time.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use leasehold_rules::{LOCK_FILE, Lock, PIPELINE_FILE, Pipeline, PluginFacts, World, plan};
use leasehold_seal::Digest;

use super::{Settings, disk};
use crate::Fault;
use crate::measure::{Pair, repeat, timed};
use crate::process::done;
use crate::project::{Project, TEN};
use crate::table::Line;

const STEPS: u32 = 1000;
const RUNS: u32 = 5;
const ALLOWED: Duration = Duration::from_millis(50);

pub(super) fn measure(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let steps = settings.work(STEPS);
    let gates = TEN.iter().cycle().zip(0..steps);
    let project = Project::new(
        &disk()?,
        gates.map(|(gate, number)| (format!("{}-{number}", gate.id), *gate)),
    )?;
    let rounds = settings.rounds(19);
    let runs = settings.work(RUNS);
    let process = repeat(rounds, || {
        timed(runs, || {
            (0..runs).try_for_each(|_| done(project.leasehold(["plan", "--format=json"])).map(drop))
        })
    })?;
    let files = Files::read(&project)?;
    let pure = repeat(rounds, || {
        timed(runs, || (0..runs).try_for_each(|_| files.plan(steps)))
    })?;
    let what = format!("plan of {steps} steps");
    Ok(vec![
        Line::measured(
            format!("{what}, whole process : 50 ms"),
            Pair::within(process, ALLOWED),
            1.0,
        ),
        Line::measured(
            format!("{what}, from bytes to plan : 50 ms"),
            Pair::within(pure, ALLOWED),
            1.0,
        ),
    ])
}

/// What a plan is made of.
struct Files {
    pipeline: Vec<u8>,
    lock: Vec<u8>,
    facts: BTreeMap<Digest, PluginFacts>,
}

impl Files {
    fn read(project: &Project) -> Result<Files, Fault> {
        let read = |name: &str| fs::read(project.workspace().join(name));
        let mut facts = BTreeMap::new();
        for gate in TEN {
            let found = facts_of(gate.plugin)?;
            facts.insert(found.digest, found);
        }
        Ok(Files {
            pipeline: read(PIPELINE_FILE)?,
            lock: read(LOCK_FILE)?,
            facts,
        })
    }

    fn plan(&self, steps: u32) -> Result<(), Fault> {
        let pipeline = Pipeline::parse(&self.pipeline).map_err(first)?;
        let lock = Lock::parse(&self.lock).map_err(first)?;
        let facts = |digest: &Digest| self.facts.get(digest).cloned();
        let plan = plan(&pipeline, &lock, &facts).map_err(first)?;
        if plan.steps().len() == usize::try_from(steps)? {
            Ok(())
        } else {
            Err("the plan has another number of steps than the pipeline".into())
        }
    }
}

/// What the plan has to know of a gate.
fn facts_of(plugin: &str) -> Result<PluginFacts, Fault> {
    let facts = leasehold_sandbox::inspect(&leasehold_tests::plugin_bytes(plugin)?)?;
    let manifest = facts.manifest.ok_or("a gate without a manifest")?;
    Ok(PluginFacts {
        digest: facts.digest,
        name: manifest.name,
        version: manifest.version,
        world: World::Gate,
        complete: manifest.complete,
        takes_config: manifest.config.is_some(),
        exit: None,
    })
}

fn first<E: std::error::Error + Send + Sync + 'static>(errors: Vec<E>) -> Fault {
    let mut errors = errors.into_iter();
    errors
        .next()
        .map_or_else(|| "nothing says why".into(), Into::into)
}
