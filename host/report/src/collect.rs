//! The records of one run, as they come.

use std::collections::BTreeMap;

use leasehold_seal::{Digest, Timestamp};
use leasehold_tape::call::{AccessDenied, ArtifactStored, Intent, Outcome};
use leasehold_tape::run::{
    CacheHit, ChangesApplied, PatchWritten, ResourceSampled, RunFinished, RunStarted,
};
use leasehold_tape::verdict::GateVerdict;
use leasehold_tape::{Kind, Record};
use serde::de::DeserializeOwned;

use crate::error::ReportError;

/// A body and the place of its record.
pub(crate) struct Placed<T> {
    pub(crate) seq: u64,
    pub(crate) leaf: Digest,
    pub(crate) time: Timestamp,
    boot: String,
    mono_us: u64,
    pub(crate) body: T,
}

impl<T> Placed<T> {
    fn new(record: &Record, body: T) -> Self {
        Placed {
            seq: record.seq,
            leaf: record.leaf(),
            time: record.time,
            boot: record.boot.clone(),
            mono_us: record.mono_us,
            body,
        }
    }

    /// Microseconds from an earlier record to this one: by the monotonic clock within one boot of the host, else by the
    /// other one. 0 where the clock ran back.
    pub(crate) fn since<U>(&self, earlier: &Placed<U>) -> u64 {
        if self.boot == earlier.boot {
            return self.mono_us.saturating_sub(earlier.mono_us);
        }
        let millis = self.time.millis_since(earlier.time);
        u64::try_from(millis).unwrap_or(0).saturating_mul(1_000)
    }
}

/// What the tape has about one call.
pub(crate) struct CallRecords {
    pub(crate) intent: Placed<Intent>,
    pub(crate) outcome: Option<Placed<Outcome>>,
    pub(crate) verdict: Option<Placed<GateVerdict>>,
    pub(crate) denials: Vec<AccessDenied>,
    pub(crate) artifacts: Vec<ArtifactStored>,
    pub(crate) samples: Vec<Placed<ResourceSampled>>,
    pub(crate) patch: Option<Placed<PatchWritten>>,
    /// Records of which there may be one only: the later ones, which do not count.
    pub(crate) repeated: Vec<String>,
}

/// Calls by id.
pub(crate) type Calls = BTreeMap<String, CallRecords>;

/// What the tape has about one run.
pub(crate) struct Collected {
    pub(crate) tape: Digest,
    pub(crate) started: Placed<RunStarted>,
    pub(crate) finished: Option<Placed<RunFinished>>,
    pub(crate) calls: Calls,
    pub(crate) hits: Vec<Placed<CacheHit>>,
    /// Whether they were brought back, and the record.
    pub(crate) changes: Vec<(bool, Placed<ChangesApplied>)>,
    pub(crate) contradictions: Vec<String>,
}

impl Collected {
    pub(crate) fn new(record: &Record, started: RunStarted) -> Self {
        Collected {
            tape: record.tape,
            started: Placed::new(record, started),
            finished: None,
            calls: Calls::new(),
            hits: Vec::new(),
            changes: Vec::new(),
            contradictions: Vec::new(),
        }
    }

    /// Notes that a run of the same id was started again; the first start counts.
    pub(crate) fn repeated_start(&mut self, record: &Record, started: &RunStarted) {
        if started.run == self.started.body.run {
            self.contradictions.push(format!(
                "the run was started twice, in records {} and {}",
                self.started.seq, record.seq
            ));
        }
    }

    /// Takes a record that follows the start, if it is about this run.
    pub(crate) fn take(&mut self, record: &Record) -> Result<(), ReportError> {
        let run = self.started.body.run.as_str();
        match record.kind {
            Kind::RunFinished => {
                let finished: RunFinished = body(record)?;
                match &self.finished {
                    _ if finished.run != run => {}
                    None => self.finished = Some(Placed::new(record, finished)),
                    Some(first) => self.contradictions.push(format!(
                        "the run was finished twice, in records {} and {}",
                        first.seq, record.seq
                    )),
                }
            }
            Kind::CacheHit => {
                let hit: CacheHit = body(record)?;
                if hit.run == run {
                    self.late(record);
                    self.hits.push(Placed::new(record, hit));
                }
            }
            Kind::CommitApplied | Kind::RollbackDone => {
                let change: ChangesApplied = body(record)?;
                if change.run.as_deref() == Some(run) {
                    let applied = record.kind == Kind::CommitApplied;
                    self.changes.push((applied, Placed::new(record, change)));
                }
            }
            _ => {
                let ours = |intent: &Intent| intent.run.as_deref() == Some(run);
                let taken = take(&mut self.calls, record, &ours)?;
                if taken && matches!(record.kind, Kind::CallIntent | Kind::CallOutcome) {
                    self.late(record);
                }
            }
        }
        Ok(())
    }

    fn late(&mut self, record: &Record) {
        if let Some(finished) = &self.finished {
            self.contradictions.push(format!(
                "record {} ({}) belongs to the run and comes after its end in record {}",
                record.seq, record.kind, finished.seq
            ));
        }
    }
}

/// Takes a record about a call: an intent that is wanted, or anything about a call whose intent was. Whether it was taken.
pub(crate) fn take(
    calls: &mut Calls,
    record: &Record,
    wanted: &dyn Fn(&Intent) -> bool,
) -> Result<bool, ReportError> {
    match record.kind {
        Kind::CallIntent => {
            let intent: Intent = body(record)?;
            return Ok(wanted(&intent) && begin(calls, record, intent));
        }
        // Parsing the records of other calls is not worth it.
        _ if calls.is_empty() => return Ok(false),
        Kind::CallOutcome => {
            let outcome: Outcome = body(record)?;
            if let Some(call) = calls.get_mut(&outcome.call) {
                let second = put(&mut call.outcome, record, outcome);
                call.repeated.extend(second);
                return Ok(true);
            }
        }
        Kind::GateVerdict => {
            let verdict: GateVerdict = body(record)?;
            if let Some(call) = calls.get_mut(&verdict.call) {
                let second = put(&mut call.verdict, record, verdict);
                call.repeated.extend(second);
            }
        }
        Kind::PatchWritten => {
            let patch: PatchWritten = body(record)?;
            if let Some(call) = calls.get_mut(&patch.call) {
                let second = put(&mut call.patch, record, patch);
                call.repeated.extend(second);
            }
        }
        Kind::AccessDenied => {
            let denied: AccessDenied = body(record)?;
            if let Some(call) = calls.get_mut(&denied.call) {
                call.denials.push(denied);
            }
        }
        Kind::ArtifactStored => {
            let stored: ArtifactStored = body(record)?;
            if let Some(call) = calls.get_mut(&stored.call) {
                call.artifacts.push(stored);
            }
        }
        Kind::ResourceSampled => {
            let sampled: ResourceSampled = body(record)?;
            if let Some(call) = calls.get_mut(&sampled.call) {
                call.samples.push(Placed::new(record, sampled));
            }
        }
        _ => {}
    }
    Ok(false)
}

/// A call begins. An id that was there before is another call under a stolen name: noted, and not taken.
fn begin(calls: &mut Calls, record: &Record, intent: Intent) -> bool {
    if let Some(first) = calls.get_mut(&intent.call) {
        first.repeated.push(format!(
            "its id is used again by the intent in record {}",
            record.seq
        ));
        return true;
    }
    let call = CallRecords {
        intent: Placed::new(record, intent),
        outcome: None,
        verdict: None,
        denials: Vec::new(),
        artifacts: Vec::new(),
        samples: Vec::new(),
        patch: None,
        repeated: Vec::new(),
    };
    calls.insert(call.intent.body.call.clone(), call);
    true
}

/// Puts the first of its kind in place; says so where there was one.
fn put<T>(place: &mut Option<Placed<T>>, record: &Record, body: T) -> Option<String> {
    match place {
        None => {
            *place = Some(Placed::new(record, body));
            None
        }
        Some(first) => Some(format!(
            "it has two {} records, {} and {}",
            record.kind, first.seq, record.seq
        )),
    }
}

/// The body of a record of a known kind.
pub(crate) fn body<T: DeserializeOwned>(record: &Record) -> Result<T, ReportError> {
    record.body().map_err(|fault| ReportError::Body {
        seq: record.seq,
        message: fault.message,
    })
}
