//! What is to be run and where, and what came of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use cap_std::fs::Dir;
use leasehold_files::{Coverage, Denials, DigestMemo, Protected, Tree};
use leasehold_lease::{Pattern, Rights};
use leasehold_rules::Sentinel;
use leasehold_sandbox::{Engine, ExitCodes, Facts, Input, Recorder, StopSwitch};
use leasehold_seal::{Class, Digest, Timestamp};
use leasehold_tape::Appended;
use leasehold_tape::call::Status;
use leasehold_tape::run::{RunFinished, RunStarted, StepResult};
use leasehold_tape::verdict::Verdict;

use crate::cache::ResultCache;
use crate::sentinel::Sample;

/// One step, with the rights it runs under.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its id, unique in the run.
    pub id: String,
    /// The rights, narrowed to what the step names.
    pub rights: Rights,
    /// What the plugin is asked.
    pub input: Input,
    /// For a program that judges: what its exit codes mean, instead of what its manifest says.
    pub exit: Option<ExitCodes>,
    /// What is not judged; denied by the rights as well.
    pub skip: Vec<Pattern>,
    /// Positions of the steps that have to pass before it.
    pub needs: Vec<usize>,
    /// Whether an earlier result may stand for it. Only the verdict of a gate does.
    pub cache: bool,
}

impl Step {
    /// Whether it may change files, so that it runs alone and on a tree of its own.
    pub fn writes(&self) -> bool {
        self.rights.may_change_anything()
    }
}

/// What the run is about.
pub struct RunSpec {
    /// The record that opens it. Its run id is that of the run.
    pub started: RunStarted,
    /// The steps, in the order of the pipeline.
    pub steps: Vec<Step>,
    /// The order in which they start: each position once, needs before what needs them.
    pub order: Vec<usize>,
    /// The plugins by digest: their bytes, and what these say.
    pub plugins: BTreeMap<Digest, (Cow<'static, [u8]>, Facts)>,
    /// The environment from which `env.pass` takes.
    pub environment: BTreeMap<String, String>,
    /// Where every guest's clock starts.
    pub clock_base: Timestamp,
    /// How to go about it.
    pub options: Options,
}

/// How a run goes about it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Starts nothing more after the first step that fails or comes to no judgement.
    pub fail_fast: bool,
    /// When calls are ended, and the run.
    pub halt: Sentinel,
}

/// The tree a run is about.
pub struct Workspace {
    /// It, as calls see it.
    pub tree: Tree,
    /// It, for the host itself.
    pub dir: Dir,
    /// Where it is.
    pub path: PathBuf,
    /// What no guest may touch.
    pub protected: Protected,
}

/// Folders of the home that a run uses.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where step trees are made.
    pub scratch: PathBuf,
    /// Where it is written down which changes are under way; for this workspace alone.
    pub journal: PathBuf,
}

/// Results of earlier runs.
pub struct Reuse<'a> {
    /// They.
    pub results: &'a ResultCache,
    /// Contents of the workspace that are known already.
    pub memo: &'a DigestMemo,
    /// Names the build of the host: results of another one do not count.
    pub host: &'a str,
}

/// What a run works with.
pub struct Bench<'a> {
    /// Runs plugins.
    pub engine: &'a Engine,
    /// Records calls.
    pub recorder: &'a Recorder,
    /// The tree.
    pub workspace: &'a Workspace,
    /// Folders of the home.
    pub place: &'a Place,
    /// Results of earlier runs; `None`: everything runs.
    pub reuse: Option<Reuse<'a>>,
    /// Ends the run from outside.
    pub stop: &'a StopSwitch,
}

/// What came of one step.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// What goes on the tape of it.
    pub result: StepResult,
    /// Whether a durable record says it already. Otherwise only the end of the run does, and nobody is told before.
    pub(crate) recorded: bool,
    /// What the exit code is made of; absent for a pass.
    pub class: Option<Class>,
    /// What to do.
    pub hint: Option<String>,
    /// The intent of the call whose result was used again.
    pub original: Option<Appended>,
    /// The gate's verdict.
    pub verdict: Option<Verdict>,
    /// Standard output and error of a program that ran now.
    pub streams: [Vec<u8>; 2],
    /// What it was refused.
    pub denials: Denials,
    /// What it saw of the workspace, where it ran now.
    pub coverage: Coverage,
    /// Fuel used.
    pub fuel: u64,
    /// The most memory in use, in bytes.
    pub peak_memory: u64,
    /// Real time.
    pub wall: Duration,
    /// Paths it changed, and whether they were brought back.
    pub changes: Vec<String>,
}

impl StepReport {
    /// The report of a step that made no call.
    pub(crate) fn without_call(
        step: &str,
        status: Option<Status>,
        code: &str,
        class: Class,
        sentence: String,
    ) -> Self {
        StepReport {
            result: StepResult {
                call: None,
                code: Some(code.to_owned()),
                hit: None,
                sentence,
                status,
                step: step.to_owned(),
            },
            recorded: false,
            class: Some(class),
            hint: None,
            original: None,
            verdict: None,
            streams: Default::default(),
            denials: Denials::default(),
            coverage: Coverage::default(),
            fuel: 0,
            peak_memory: 0,
            wall: Duration::ZERO,
            changes: Vec::new(),
        }
    }

    /// The same with something to do.
    pub(crate) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// What came of a run. It exists only when its records are durable.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// What was recorded at its end.
    pub finished: RunFinished,
    /// The steps, in the order of the pipeline.
    pub steps: Vec<StepReport>,
    /// Real time.
    pub wall: Duration,
    /// Where the record of its start stands.
    pub started: Appended,
}

/// Whoever looks on. Called from the threads of the run.
pub trait Observer: Sync {
    /// A step begins.
    fn started(&self, step: usize);
    /// A look at a running call.
    fn sampled(&self, step: usize, sample: &Sample);
    /// A step does not run any more.
    fn ended(&self, step: usize);
    /// A step has come out; what it says is durable.
    fn finished(&self, step: usize, report: &StepReport);
}
