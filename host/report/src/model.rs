//! A run as it is shown. Its JSON form is these types, field by field.
//!
//! Fields are declared in the order of their names. Digests, times and the types of [`leasehold_tape`] are written as they
//! stand on the tape. Texts of plugins are untrusted and stand here as they were given.

use leasehold_seal::{Digest, Timestamp};
use leasehold_tape::call::{AccessDenied, Coverage, Ending, Status, Write};
use leasehold_tape::run::{Pressure, Reading};
use leasehold_tape::verdict::{Quote, Verdict};
use serde::Serialize;

/// Version of the JSON form.
pub const VERSION: u32 = 1;

/// One run of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// Commit the workspace's repository was at; the tree may differ from it.
    pub base: Option<String>,
    /// Whether earlier results could be used again.
    pub cache: bool,
    /// What became of the steps' changes, in the order of the records.
    pub changes: Vec<Applied>,
    /// Where the tape, or the tape and the store, disagree. Not empty: nothing else here is to be relied on.
    pub contradictions: Vec<String>,
    /// From start to finish by the host's clock, in microseconds; `None` for a run that is not finished.
    pub duration_us: Option<u64>,
    /// The exit code that the run ended with; `None` for a run that is not finished.
    pub exit: Option<u64>,
    /// The record of its end; `None`: it is running, or was cut off. The tape cannot tell which.
    pub finished: Option<Moment>,
    /// What ended the run early: `CANCELLED`, `FAIL-FAST`, `SENTINEL-HALT` or the code of a refusal.
    pub halted: Option<String>,
    /// Calls that might run at one time.
    pub jobs: u64,
    /// What the report would need and the content store does not have, in sentences.
    pub missing: Vec<String>,
    /// What came of it, recomputed from the steps.
    pub result: RunResult,
    /// By what it judged.
    pub rules: Rules,
    /// The run's id.
    pub run: String,
    /// Whether changes of steps were dropped.
    pub shadow: bool,
    /// The record of its start.
    pub started: Moment,
    /// The steps, in the order of the pipeline.
    pub steps: Vec<Step>,
    /// The tape's id.
    pub tape: Digest,
    /// Sums over the steps.
    pub totals: Totals,
    /// Version of this form: 1.
    pub version: u32,
}

/// What came of a run. Only `passed` is green.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunResult {
    /// Records disagree, so nothing is shown.
    Contradicted,
    /// There is no `run.finished`: running, or cut off.
    Unfinished,
    /// A step did not come to a judgement, or the run was halted after its steps.
    Error,
    /// A step failed.
    Failed,
    /// A step was blocked; none failed.
    Blocked,
    /// Not everything was judged: steps were skipped or not run, or there are none.
    Incomplete,
    /// Every step passed.
    Passed,
}

impl RunResult {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            RunResult::Contradicted => "contradicted",
            RunResult::Unfinished => "not finished",
            RunResult::Error => "error",
            RunResult::Failed => "failed",
            RunResult::Blocked => "blocked",
            RunResult::Incomplete => "incomplete",
            RunResult::Passed => "passed",
        }
    }
}

/// A record and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// Number of the record.
    pub record: u64,
    /// Its time: host-asserted.
    pub time: Timestamp,
}

/// The rules of a run. Digests are those of the files' bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// The commit they come from; `None`: the workspace itself.
    pub commit: Option<String>,
    /// Ids of the leases under which steps run.
    pub leases: Vec<Digest>,
    /// The lock file.
    pub lock: Digest,
    /// The pipeline file.
    pub pipeline: Digest,
    /// The plan made of them.
    pub plan: Digest,
    /// The policy file, where there is one.
    pub policy: Option<Digest>,
    /// What the user called that commit.
    pub reference: Option<String>,
    /// The trust file.
    pub trust: Digest,
}

/// Sums over the steps of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Steps that were blocked.
    pub blocked: u64,
    /// Steps whose result was used again.
    pub cached: u64,
    /// Requests that were refused to the calls of this run.
    pub denied: u64,
    /// Steps that did not come to a judgement.
    pub error: u64,
    /// Steps that failed.
    pub fail: u64,
    /// Findings of all verdicts at hand.
    pub findings: u64,
    /// Fuel used by the calls of this run; cached results cost none.
    pub fuel: u64,
    /// Steps that were not run.
    pub not_run: u64,
    /// Steps that passed.
    pub pass: u64,
    /// Steps that do not apply.
    pub skipped: u64,
    /// All steps.
    pub steps: u64,
    /// Steps whose call has no outcome.
    pub unfinished: u64,
}

/// What became of one step. In the order in which they are shown: worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepStatus {
    /// Did not come to a judgement.
    Error,
    /// Judged bad.
    Fail,
    /// Something needed was missing or hidden.
    Blocked,
    /// The call has an intent and no outcome.
    Unfinished,
    /// There is no call.
    NotRun,
    /// The gate says that it does not apply.
    Skipped,
    /// Judged good. The only green one.
    Pass,
}

impl StepStatus {
    /// All of them, in order.
    pub const ALL: [StepStatus; 7] = [
        StepStatus::Error,
        StepStatus::Fail,
        StepStatus::Blocked,
        StepStatus::Unfinished,
        StepStatus::NotRun,
        StepStatus::Skipped,
        StepStatus::Pass,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            StepStatus::Error => "error",
            StepStatus::Fail => "fail",
            StepStatus::Blocked => "blocked",
            StepStatus::Unfinished => "not finished",
            StepStatus::NotRun => "not run",
            StepStatus::Skipped => "skipped",
            StepStatus::Pass => "pass",
        }
    }

    /// A sign that differs without colour.
    pub fn symbol(self) -> &'static str {
        match self {
            StepStatus::Error => "!",
            StepStatus::Fail => "✗",
            StepStatus::Blocked => "⊘",
            StepStatus::Unfinished => "…",
            StepStatus::NotRun => "○",
            StepStatus::Skipped => "»",
            StepStatus::Pass => "✓",
        }
    }
}

impl From<Status> for StepStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pass => StepStatus::Pass,
            Status::Fail => StepStatus::Fail,
            Status::Error => StepStatus::Error,
            Status::Blocked => StepStatus::Blocked,
            Status::Skipped => StepStatus::Skipped,
        }
    }
}

/// One step of a run. What the plan has is absent where the plan is missing; what a call has, where there was none. With
/// `cached`, everything about the call is about the original one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Output streams and what the plugin attached.
    pub artifacts: Vec<Artifact>,
    /// Where the result was first written, if it was used again.
    pub cached: Option<Cached>,
    /// The call.
    pub call: Option<String>,
    /// Stable code; absent for a pass.
    pub code: Option<String>,
    /// The name the plugin gives itself: untrusted.
    pub command: Option<String>,
    /// What was seen of the workspace.
    pub coverage: Option<Coverage>,
    /// What was asked for and refused. The tape has the first of them, `coverage.denied` counts all.
    pub denials: Vec<AccessDenied>,
    /// How the call ended.
    pub ending: Option<Ending>,
    /// Exit code of a program.
    pub exit: Option<u8>,
    /// Fuel, in units; the limit is what the intent charged.
    pub fuel: Option<Use>,
    /// Its id.
    pub id: String,
    /// Number of the intent's record.
    pub intent: Option<u64>,
    /// `gate`, `adapter` or `command`.
    pub kind: Option<String>,
    /// Line of the pipeline file, from 1.
    pub line: Option<u64>,
    /// Peak memory in bytes; the limit is known only where the call was sampled.
    pub memory: Option<Use>,
    /// The plugin's name in the lock file.
    pub name: Option<String>,
    /// Steps that have to pass before it.
    pub needs: Vec<String>,
    /// Number of the outcome's record.
    pub outcome: Option<u64>,
    /// What it changed.
    pub patch: Option<Patch>,
    /// Digest of the plugin.
    pub plugin: Option<Digest>,
    /// Lines that findings name, where the plugin's manifest lets them be quoted.
    pub quotes: Vec<Quote>,
    /// What it was granted, in lines for people.
    pub rights: Vec<String>,
    /// Readings while it ran.
    pub samples: Vec<Sample>,
    /// What came of it, in one sentence. Parts may be the plugin's text.
    pub sentence: String,
    /// Patterns of what it does not judge.
    pub skip: Vec<String>,
    /// From the start of the run to the intent, or to the cache hit, in microseconds.
    pub start_us: Option<u64>,
    /// What became of it.
    pub status: StepStatus,
    /// What a gate said.
    pub verdict: Option<StepVerdict>,
    /// Wall time of the call in microseconds.
    pub wall_us: Option<u64>,
    /// The first changes to files, in order.
    pub writes: Vec<Write>,
    /// Number of changes in all.
    pub writes_total: u64,
}

/// An amount and its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Use {
    /// The limit, where it is known.
    pub limit: Option<u64>,
    /// What was used.
    pub used: u64,
}

/// Where a result that was used again comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cached {
    /// The original call.
    pub call: String,
    /// Number of the `cache.hit` record.
    pub hit: u64,
    /// Number of the original outcome's record.
    pub outcome: u64,
    /// The run it belonged to.
    pub run: Option<String>,
    /// Time of the original outcome: host-asserted.
    pub time: Option<Timestamp>,
}

/// Whether bytes are at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// In the content store, or on the tape itself; the digest was recomputed.
    Present,
    /// The record says that the bytes were not kept.
    NotKept,
    /// The content store does not have them.
    Missing,
    /// The content store has other bytes under this digest.
    Damaged,
}

impl Kept {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kept::Present => "present",
            Kept::NotKept => "not kept",
            Kept::Missing => "missing",
            Kept::Damaged => "damaged",
        }
    }
}

/// Bytes a call left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Artifact {
    /// Length in bytes.
    pub bytes: u64,
    /// Digest of the bytes.
    pub digest: Digest,
    /// Whether they are at hand.
    pub kept: Kept,
    /// As the plugin gave it, untrusted; `None` for an output stream.
    pub media_type: Option<String>,
    /// `stdout`, `stderr`, or as the plugin gave it: untrusted.
    pub name: String,
    /// The end of an output stream of a step that did not pass, at most [`TAIL`] bytes; what is not UTF-8 is replaced.
    pub tail: Option<String>,
}

/// Most bytes of [`Artifact::tail`].
pub const TAIL: usize = 4_000;

/// What a step changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Patch {
    /// Number of paths.
    pub changes: u64,
    /// Digest of the patch's text.
    pub digest: Digest,
    /// Whether it is at hand.
    pub kept: Kept,
}

/// What became of a step's changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Whether they were brought back; otherwise they were taken back.
    pub applied: bool,
    /// Digest of the patch.
    pub patch: Option<Digest>,
    /// Number of the record.
    pub record: u64,
    /// The step.
    pub step: Option<String>,
    /// When: host-asserted.
    pub time: Timestamp,
}

/// A verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepVerdict {
    /// Digest of its canonical JSON.
    pub digest: Digest,
    /// Whether it is at hand.
    pub kept: Kept,
    /// The verdict, where it is.
    pub verdict: Option<Verdict>,
}

/// One reading of a running call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Fuel used at least.
    pub fuel: Reading,
    /// Memory in use, in bytes.
    pub memory: Reading,
    /// Output said, in bytes.
    pub output: Reading,
    /// How close to a limit.
    pub pressure: Pressure,
    /// Number of the record.
    pub record: u64,
    /// `within_limits` or `exceeded(what)`.
    pub state: String,
    /// Time since the call began, in milliseconds.
    pub wall_ms: Reading,
    /// Bytes written to files.
    pub written: Reading,
}
