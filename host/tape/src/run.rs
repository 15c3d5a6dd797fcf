//! The bodies of the records of a run: written by the pipeline, read by reports.
//!
//! Fields are declared in the order of their names, so that these types are canonical JSON (RFC 8785) as they are written.

use leasehold_seal::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::call::Status;

/// Body of `run.started`: what is about to run, and by which rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStarted {
    /// Commit that the workspace's repository was at, in hexadecimal digits, where it is one. The tree may differ from it.
    pub base: Option<String>,
    /// Whether results of earlier calls may be used again.
    pub cache: bool,
    /// Calls that may run at one time.
    pub jobs: u64,
    /// Ids of the leases under which steps run.
    pub leases: Vec<Digest>,
    /// Digest of the lock file's bytes.
    pub lock: Digest,
    /// Digest of the pipeline file's bytes.
    pub pipeline: Digest,
    /// Digest of the plan; the content store has it ([`PlanDoc`]).
    pub plan: Digest,
    /// Digest of the policy file's bytes, where there is one.
    pub policy: Option<Digest>,
    /// Where the rules come from.
    pub rules: RulesFrom,
    /// The run's id, made as a call's.
    pub run: String,
    /// Whether changes of steps are dropped.
    pub shadow: bool,
    /// Number of steps.
    pub steps: u64,
    /// Digest of the trust file's bytes.
    pub trust: Digest,
}

/// Where rules come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesFrom {
    /// The commit, in hexadecimal digits; `None`: the workspace itself (with the trust file of the home).
    pub commit: Option<String>,
    /// What the user called that commit.
    pub reference: Option<String>,
}

/// Body of `run.finished`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFinished {
    /// How many steps came out how.
    pub counts: Counts,
    /// The exit code of the run; 0 only if it passed.
    pub exit: u64,
    /// What ended the run early, if anything did: `CANCELLED`, `FAIL-FAST`, `SENTINEL-HALT` or the code of a refusal.
    pub halted: Option<String>,
    /// Whether every step passed.
    pub passed: bool,
    /// Digest of the list of [`StepResult`]; the content store has it.
    pub results: Digest,
    /// The run.
    pub run: String,
}

/// Body of `run.denied`: a run that was refused before anything ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunDenied {
    /// Stable code.
    pub code: String,
    /// The sentence, and the lines that go with it. May hold text of the rules.
    pub message: String,
    /// Where the rules come from.
    pub rules: RulesFrom,
}

/// How many steps came out how; together as many as the plan has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// See [`Status::Blocked`].
    pub blocked: u64,
    /// See [`Status::Error`].
    pub error: u64,
    /// See [`Status::Fail`].
    pub fail: u64,
    /// Steps that were not run.
    pub not_run: u64,
    /// See [`Status::Pass`].
    pub pass: u64,
    /// See [`Status::Skipped`].
    pub skipped: u64,
}

/// What came of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepResult {
    /// The call whose outcome it is: of this run, or of an earlier one whose result was used again.
    pub call: Option<String>,
    /// Stable code; absent for a pass.
    pub code: Option<String>,
    /// Number of the `cache.hit` record, where an earlier result was used.
    pub hit: Option<u64>,
    /// One sentence. Parts of it may be a plugin's text.
    pub sentence: String,
    /// The outcome; `None`: not run.
    pub status: Option<Status>,
    /// The step's id.
    pub step: String,
}

/// The plan of a run: an artifact in the content store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanDoc {
    /// The steps, in the order of the pipeline.
    pub steps: Vec<PlanStep>,
    /// Version of this form: 1.
    pub version: u32,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanStep {
    /// Digest of its configuration.
    pub config: Option<Digest>,
    /// Its id, unique in the pipeline.
    pub id: String,
    /// `gate` or `command`.
    pub kind: String,
    /// Line of the pipeline file on which it stands, from 1.
    pub line: u64,
    /// The plugin's name in the lock file.
    pub name: String,
    /// Ids of the steps that have to pass before it.
    pub needs: Vec<String>,
    /// The plugin.
    pub plugin: Digest,
    /// Digest of the rights it runs under, after narrowing.
    pub rights: Digest,
    /// What it gets, in lines for people.
    pub rights_text: Vec<String>,
    /// Patterns of what it does not judge.
    pub skip: Vec<String>,
    /// Whether it may change files.
    pub writes: bool,
}

/// Body of `cache.hit`: the outcome of an earlier call counts for this step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheHit {
    /// The grant that admitted it.
    pub grant: String,
    /// Digest over everything that decides the result, but for the files.
    pub key: Digest,
    /// Ids of the lease chain that admitted it, the leaf first.
    pub lease: Vec<Digest>,
    /// The call whose outcome is used.
    pub original: String,
    /// Leaf of that outcome's record.
    pub outcome: Digest,
    /// The plugin.
    pub plugin: Digest,
    /// Digest of the read set that was compared with the workspace.
    pub reads: Digest,
    /// Digest of the rights it was admitted under.
    pub rights: Digest,
    /// The run.
    pub run: String,
    /// Number of that outcome's record.
    pub seq: u64,
    /// The step.
    pub step: String,
}

/// Body of `resource.sampled`: what a running call uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceSampled {
    /// The call.
    pub call: String,
    /// Fuel used at least.
    pub fuel: Reading,
    /// Memory in use, in bytes.
    pub memory: Reading,
    /// Output said, in bytes.
    pub output: Reading,
    /// How close it is to a limit.
    pub pressure: Pressure,
    /// The run.
    pub run: Option<String>,
    /// `within_limits`, or `exceeded(what)` where the watch stops the call.
    pub state: String,
    /// The step.
    pub step: Option<String>,
    /// Time since the call began, in milliseconds.
    pub wall_ms: Reading,
    /// Bytes written to files.
    pub written: Reading,
}

/// One figure and its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The limit.
    pub limit: u64,
    /// What is used.
    pub used: u64,
}

impl Reading {
    /// Used share of the limit in whole percent, rounded down; 0 where the limit is 0 and nothing is used.
    pub fn percent(self) -> u64 {
        match self.limit {
            0 if self.used == 0 => 0,
            0 => 100,
            limit => {
                u64::try_from(u128::from(self.used) * 100 / u128::from(limit)).unwrap_or(u64::MAX)
            }
        }
    }
}

/// How close a call is to its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pressure {
    /// Nothing to say.
    #[default]
    Low,
    /// Above 80 % of a limit; of memory, above 75 %.
    Medium,
    /// Above 90 %; of memory, above 85 %.
    High,
}

/// Body of `patch.written`: what one step changed, before any of it is brought back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchWritten {
    /// The call.
    pub call: String,
    /// Number of paths changed.
    pub changes: u64,
    /// Digest of the patch's text; the content store has it.
    pub patch: Digest,
    /// The run.
    pub run: String,
    /// The step.
    pub step: String,
}

/// Body of `commit.applied` and `rollback.done`: what became of a step's changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangesApplied {
    /// Digest of the patch.
    pub patch: Option<Digest>,
    /// The run; `None` where what an interrupted run left was put right.
    pub run: Option<String>,
    /// The step.
    pub step: Option<String>,
    /// When.
    pub time: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_a_limit_is_rounded_down() {
        let percent = |used, limit| Reading { limit, used }.percent();
        assert_eq!(percent(0, 0), 0);
        assert_eq!(percent(1, 0), 100);
        assert_eq!(percent(799, 1_000), 79);
        assert_eq!(percent(u64::MAX, u64::MAX), 100);
    }
}
