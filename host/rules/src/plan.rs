//! The plan: every step with its plugin and all its rights, in the order in which steps may run. Pure.

use std::collections::{BTreeMap, HashMap};

use leasehold_lease::{FileGrant, Grant, Kind, Limits, LimitsSpec, Pattern};
use leasehold_seal::{Class, Digest};

use crate::config::Config;
use crate::error::{Problems, RulesError, did_you_mean};
use crate::lock::{Lock, LockEntry};
use crate::pipeline::{PIPELINE_FILE, Pipeline};
use crate::sentinel::Sentinel;
use crate::step::{ExitCodes, Step, Uses};

/// Fuel of a step that states none, in wasmtime's units.
pub const DEFAULT_FUEL: u64 = 20_000_000_000;
/// Memory of a step that states none, in bytes: 256 MiB.
pub const DEFAULT_MEMORY_BYTES: u64 = 256 << 20;
/// Real time of a step that states none, in milliseconds: a minute.
pub const DEFAULT_WALL_MS: u64 = 60_000;
/// Output of a step that states none, in bytes: 4 MiB.
pub const DEFAULT_OUTPUT_BYTES: u64 = 4 << 20;
/// Bytes that a step may write which writes but states no limit, in bytes: 10 MiB. A step that does not write gets 0.
pub const DEFAULT_WRITE_BYTES: u64 = 10 << 20;
/// Open files of a step that states none.
pub const DEFAULT_OPEN_FILES: u64 = 64;

/// What has to be known of a plugin to plan with it; whoever plans reads it from the plugin's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFacts {
    /// SHA-256 of the bytes that were looked at.
    pub digest: Digest,
    /// Its name, from its manifest.
    pub name: String,
    /// Its version, from its manifest.
    pub version: String,
    /// How it is called.
    pub world: World,
    /// Whether it claims to judge everything: it cannot pass when something was hidden from it.
    pub complete: bool,
    /// Whether it takes a configuration.
    pub takes_config: bool,
    /// For a program that says what its exit codes mean: what it says.
    pub exit: Option<ExitCodes>,
}

/// How a plugin is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// It returns a verdict.
    Gate,
    /// It offers tools; it cannot be a step.
    Adapter,
    /// A program with an exit code.
    Program,
}

/// The steps of a pipeline with their plugins and rights. Only [`plan`] makes one.
#[derive(Clone, Debug)]
pub struct Plan {
    steps: Vec<PlannedStep>,
    sentinel: Sentinel,
    pipeline: Digest,
}

/// One step, complete.
#[derive(Clone, Debug)]
pub struct PlannedStep {
    /// Its position in the plan, from 0.
    pub index: usize,
    /// Its id.
    pub id: String,
    /// The line of its `[[step]]` in `leasehold.toml`, from 1.
    pub line: usize,
    /// The plugin.
    pub plugin: Digest,
    /// The plugin's name in the lock file.
    pub plugin_name: String,
    /// The plugin's version, from its manifest.
    pub plugin_version: String,
    /// How the plugin is called.
    pub world: World,
    /// What it is used as: with a verdict or exit codes that judge it is a gate, otherwise a command.
    pub kind: Kind,
    /// Whether the plugin claims to judge everything.
    pub complete: bool,
    /// The grant it wants, with its id as the grant's: everything that is read is listed too, every limit is stated,
    /// `skip` is not in it, and the one argument vector is there unless it is empty.
    pub wanted: Grant,
    /// Its configuration.
    pub config: Option<Config>,
    /// Its arguments.
    pub args: Vec<String>,
    /// What its exit codes mean; `None` where a verdict decides, and for a command, where 0 is good and all else is not.
    pub exit: Option<ExitCodes>,
    /// What is not judged, and shown so.
    pub skip: Vec<Pattern>,
    /// Positions in the plan of the steps that have to pass before; all smaller than `index`.
    pub needs: Vec<usize>,
    /// Whether it may change files.
    pub writes: bool,
    /// Whether a result may be kept and used again: as the step says, and never where it writes, sends requests or uses
    /// secrets.
    pub cache: bool,
    /// The lines of its keys, from 1: `read`, `args`, `limits`, `limits.fuel` and so on. What is not there is a default.
    pub lines: BTreeMap<&'static str, usize>,
}

impl Plan {
    /// The steps, each after those it needs, otherwise in the order of the file.
    #[must_use]
    pub fn steps(&self) -> &[PlannedStep] {
        &self.steps
    }

    /// When a call, or the whole run, is halted early.
    #[must_use]
    pub fn sentinel(&self) -> &Sentinel {
        &self.sentinel
    }

    /// SHA-256 of the pipeline file's bytes.
    #[must_use]
    pub fn pipeline(&self) -> Digest {
        self.pipeline
    }
}

impl PlannedStep {
    /// The line of a key; where the step does not have it, that of the table around it or of the step.
    #[must_use]
    pub fn line_of(&self, key: &str) -> usize {
        let around = || self.lines.get(key.split_once('.')?.0);
        let line = self.lines.get(key).or_else(around);
        line.copied().unwrap_or(self.line)
    }
}

/// Plans a pipeline: finds the plugin of each step and fills in every default. `facts` says what is known of the plugin
/// with a digest; it is asked once for each plugin. Does no I/O of its own.
///
/// # Errors
/// Every problem, in the order of the file. Of class usage: `PLUGIN-UNKNOWN` (not in the lock file), `PLUGIN-KIND`,
/// `CONFIG-UNUSED`, `ARGS-UNUSED`, `EXIT-UNUSED`, `EXIT-UNDECLARED`. `PLUGIN-MISSING` (nothing is known of the digest)
/// is of class blocked, `PLUGIN-MISMATCH` (the facts are of another digest) of class integrity.
pub fn plan(
    pipeline: &Pipeline,
    lock: &Lock,
    facts: &dyn Fn(&Digest) -> Option<PluginFacts>,
) -> Result<Plan, Vec<RulesError>> {
    let mut planner = Planner {
        pipeline,
        lock,
        facts,
        known: HashMap::new(),
        problems: Problems::default(),
    };
    let mut steps = Vec::with_capacity(pipeline.steps().len());
    let mut places = vec![0; pipeline.steps().len()];
    for position in pipeline.order() {
        let Some(step) = pipeline.steps().get(*position) else {
            continue;
        };
        if let Some(place) = places.get_mut(*position) {
            *place = steps.len();
        }
        let needs = step.needs.iter().filter_map(|need| places.get(*need));
        let needs = needs.copied().collect();
        steps.extend(planner.step(step, steps.len(), needs));
    }
    if !planner.problems.is_empty() {
        return Err(planner.problems.into_errors());
    }
    Ok(Plan {
        steps,
        sentinel: *pipeline.sentinel(),
        pipeline: pipeline.digest(),
    })
}

struct Planner<'a> {
    pipeline: &'a Pipeline,
    lock: &'a Lock,
    facts: &'a dyn Fn(&Digest) -> Option<PluginFacts>,
    known: HashMap<Digest, Option<PluginFacts>>,
    problems: Problems,
}

impl Planner<'_> {
    fn step(&mut self, step: &Step, index: usize, needs: Vec<usize>) -> Option<PlannedStep> {
        let spec = &step.spec;
        let entry = self.entry(step)?;
        let facts = self.facts(step, &entry)?;
        let kind = self.kind(step, &facts)?;
        self.unused(step, &facts)?;
        let exit = match kind {
            Kind::Gate => spec.exit.clone().or(facts.exit),
            Kind::Adapter | Kind::Command => None,
        };
        let files = with_listed(&spec.files);
        let writes = !files.write.is_empty();
        let lines = step.keys.iter();
        let lines = lines.map(|(key, span)| (*key, self.pipeline.source.line(span.start)));
        Some(PlannedStep {
            index,
            id: spec.id.clone(),
            line: step.line,
            plugin: entry.digest,
            plugin_name: entry.name,
            plugin_version: facts.version,
            world: facts.world,
            kind,
            complete: facts.complete,
            wanted: Grant {
                id: spec.id.clone(),
                plugin: entry.digest,
                kind,
                config: spec.config.as_ref().map(Config::digest),
                args: vectors(&spec.args),
                files,
                env: spec.env.clone(),
                http: spec.http.clone(),
                secrets: spec.secrets.clone(),
                clock: Default::default(),
                random: Default::default(),
                limits: limits(&spec.limits, writes),
            },
            config: spec.config.clone(),
            args: spec.args.clone(),
            exit,
            skip: spec.skip.clone(),
            needs,
            writes,
            cache: spec.cache && !writes && spec.http.is_empty() && spec.secrets.is_empty(),
            lines: lines.collect(),
        })
    }

    fn entry(&mut self, step: &Step) -> Option<LockEntry> {
        let name = step.spec.uses.name();
        let lock = self.lock;
        let entry = lock.get(name).cloned();
        if entry.is_none() {
            self.report(step, step.spec.uses.key(), || {
                let sentence = format!("no plugin is called {name:?} in leasehold.lock");
                let add = format!("`leasehold plugin add {name}` adds it");
                let names = lock.entries().map(|entry| entry.name.as_str());
                let hint = match did_you_mean(name, names) {
                    Some(near) => format!("{near} Otherwise {add}"),
                    None => add,
                };
                RulesError::usage("PLUGIN-UNKNOWN", sentence).with_hint(hint)
            });
        }
        entry
    }

    fn facts(&mut self, step: &Step, entry: &LockEntry) -> Option<PluginFacts> {
        let LockEntry {
            name,
            digest,
            source,
            ..
        } = entry;
        let look = self.facts;
        let known = self.known.entry(*digest).or_insert_with(|| look(digest));
        let known = known.clone();
        let error = match known {
            Some(facts) if facts.digest == *digest => return Some(facts),
            Some(facts) => {
                let sentence = format!(
                    "the plugin {name:?} is {}, leasehold.lock says {digest}",
                    facts.digest
                );
                RulesError::new("PLUGIN-MISMATCH", Class::Integrity, sentence)
                    .with_hint("find out who changed it; `leasehold plugin add` takes the new one")
            }
            None => {
                let sentence = format!("the plugin {name:?} ({digest}) is not here");
                RulesError::new("PLUGIN-MISSING", Class::Blocked, sentence)
                    .with_hint(format!("get it again: its source is {source}"))
            }
        };
        self.report(step, step.spec.uses.key(), || error);
        None
    }

    /// What the plugin is used as, if it can be used so.
    fn kind(&mut self, step: &Step, facts: &PluginFacts) -> Option<Kind> {
        let name = step.spec.uses.name();
        let declared = step.spec.exit.is_some() || facts.exit.is_some();
        let (code, problem, hint) = match (&step.spec.uses, facts.world) {
            (Uses::Gate(_), World::Gate) => return Some(Kind::Gate),
            (Uses::Gate(_), World::Program) if declared => return Some(Kind::Gate),
            (Uses::Command(_), World::Program) => return Some(Kind::Command),
            (Uses::Gate(_), World::Program) => (
                "EXIT-UNDECLARED",
                "is a program, and nothing says what its exit codes mean",
                "add for example exit = { pass = [0], fail = [1] }".to_owned(),
            ),
            (Uses::Command(_), World::Gate) => (
                "PLUGIN-KIND",
                "is a gate, not a command",
                format!("write gate = {name:?}"),
            ),
            (_, World::Adapter) => (
                "PLUGIN-KIND",
                "is an adapter, which cannot be a step",
                "an adapter offers tools to a caller; steps are gates and commands".to_owned(),
            ),
        };
        self.report(step, step.spec.uses.key(), || {
            RulesError::usage(code, format!("{name:?} {problem}")).with_hint(hint)
        });
        None
    }

    /// Reports what the plugin would never see.
    fn unused(&mut self, step: &Step, facts: &PluginFacts) -> Option<()> {
        let spec = &step.spec;
        let name = spec.uses.name();
        let is_gate = facts.world == World::Gate;
        let found = [
            (
                spec.config.is_some() && !(is_gate && facts.takes_config),
                ("CONFIG-UNUSED", "config", "takes no configuration"),
                if is_gate {
                    "leave `config` out"
                } else {
                    "a program is told what to do with `args`"
                },
            ),
            (
                !spec.args.is_empty() && is_gate,
                ("ARGS-UNUSED", "args", "is a gate and takes no arguments"),
                "a gate is told what to do with `config`",
            ),
            (
                spec.exit.is_some() && is_gate,
                (
                    "EXIT-UNUSED",
                    "exit",
                    "returns a verdict and has no exit code",
                ),
                "leave `exit` out",
            ),
            (
                spec.exit.is_some() && matches!(spec.uses, Uses::Command(_)),
                (
                    "EXIT-UNUSED",
                    "exit",
                    "does not judge as a command: 0 is good, all else is not",
                ),
                "name it under `gate` to have its exit codes judge",
            ),
        ];
        let mut good = Some(());
        for (_, (code, key, problem), hint) in found.into_iter().filter(|(wrong, ..)| *wrong) {
            self.report(step, key, || {
                RulesError::usage(code, format!("{name:?} {problem}")).with_hint(hint)
            });
            good = None;
        }
        good
    }

    fn report(&mut self, step: &Step, key: &str, make: impl FnOnce() -> RulesError) {
        let source = &self.pipeline.source;
        let span = step.key_span(key);
        self.problems.add(span.start, || make().at(source, span));
    }
}

/// A limit that is not stated has its default.
fn limits(stated: &LimitsSpec, writes: bool) -> Limits {
    let write_bytes = if writes { DEFAULT_WRITE_BYTES } else { 0 };
    Limits {
        fuel: stated.fuel.unwrap_or(DEFAULT_FUEL),
        memory_bytes: stated.memory_bytes.unwrap_or(DEFAULT_MEMORY_BYTES),
        wall_ms: stated.wall_ms.unwrap_or(DEFAULT_WALL_MS),
        output_bytes: stated.output_bytes.unwrap_or(DEFAULT_OUTPUT_BYTES),
        write_bytes: stated.write_bytes.unwrap_or(write_bytes),
        open_files: stated.open_files.unwrap_or(DEFAULT_OPEN_FILES),
    }
}

/// What may be read may be listed. No pattern twice in a list.
fn with_listed(files: &FileGrant) -> FileGrant {
    let distinct = |patterns: &mut dyn Iterator<Item = &Pattern>| {
        let mut seen = std::collections::HashSet::new();
        let new = patterns.filter(|pattern| seen.insert(pattern.as_str()));
        new.cloned().collect::<Vec<Pattern>>()
    };
    FileGrant {
        list: distinct(&mut files.list.iter().chain(&files.read)),
        read: distinct(&mut files.read.iter()),
        write: distinct(&mut files.write.iter()),
        deny: distinct(&mut files.deny.iter()),
    }
}

/// In a grant no vector means the empty one.
fn vectors(args: &[String]) -> Vec<Vec<String>> {
    if args.is_empty() {
        Vec::new()
    } else {
        vec![args.to_vec()]
    }
}

/// Where a right of a step stands: `leasehold.toml:14`.
pub(crate) fn at_line(line: usize) -> String {
    format!("{PIPELINE_FILE}:{line}")
}
