//! What the tape has about one call, and the store about its lease.

use std::path::Path;

use leasehold_lease::{Grant, LeaseDoc};
use leasehold_seal::{Class, Digest, Envelope};
use leasehold_tape::call::{AccessDenied, Intent, Outcome};
use leasehold_tape::reader::Records;
use leasehold_tape::run::{PlanDoc, PlanStep, RunDenied, RunStarted};
use leasehold_tape::{Kind, LeaseVerified, Record, Store};
use serde_json::Value;

use crate::commands::tape;
use crate::failure::Failure;

/// What the tape has about one call.
#[derive(Default)]
pub(super) struct Story {
    pub(super) intent: Option<(u64, Intent)>,
    pub(super) outcome: Option<(u64, Outcome)>,
    pub(super) denials: Vec<AccessDenied>,
    pub(super) verdict: Option<Value>,
    /// The run it belongs to.
    run: Option<RunStarted>,
    /// Envelope of the lease, by digest.
    envelope: Option<Digest>,
}

/// What is to be explained.
pub(super) enum Subject {
    Call(String),
    /// A refusal before any call: code and sentence.
    Refusal(u64, String, String),
}

/// Finds what is meant: a call by id, start of id or `last`, or whatever a record is about.
pub(super) fn find(wanted: &str, folder: &Path) -> Result<Subject, Failure> {
    let number = wanted.trim_start_matches('#').parse::<u64>().ok();
    let mut found: Option<String> = None;
    for record in Records::new(tape::records(folder)?) {
        let record = record.map_err(tape::unreadable)?;
        if let Some(number) = number {
            if record.seq == number {
                return about(&record);
            }
            continue;
        }
        if record.kind != Kind::CallIntent {
            continue;
        }
        let call = body(&record, "call");
        if wanted == "last" {
            found = Some(call);
        } else if call == wanted {
            return Ok(Subject::Call(call));
        } else if wanted.len() >= 4 && call.starts_with(&wanted.to_ascii_uppercase()) {
            if let Some(other) = found {
                let sentence = format!("more than one call begins with {wanted}: {other}, {call}");
                return Err(Failure::usage("CALL-AMBIGUOUS", sentence).hint("give more of the id"));
            }
            found = Some(call);
        }
    }
    found.map(Subject::Call).ok_or_else(|| {
        Failure::new(
            "CALL-MISSING",
            Class::Blocked,
            format!("the tape has no call {wanted}"),
        )
        .hint("`leasehold tape show --kind call.intent` lists them")
    })
}

/// What the record of this number is about.
fn about(record: &Record) -> Result<Subject, Failure> {
    if record.kind == Kind::LeaseDenied {
        return Ok(Subject::Refusal(
            record.seq,
            body(record, "code"),
            body(record, "message"),
        ));
    }
    if let (Kind::RunDenied, Ok(denied)) = (&record.kind, record.body::<RunDenied>()) {
        return Ok(Subject::Refusal(record.seq, denied.code, denied.message));
    }
    match body(record, "call") {
        call if call.is_empty() => {
            let sentence = format!(
                "record {} is {}, which is about no call",
                record.seq, record.kind
            );
            Err(Failure::usage("CALL-MISSING", sentence)
                .hint("`leasehold tape show` lists the records"))
        }
        call => Ok(Subject::Call(call)),
    }
}

/// Reads everything about a call.
pub(super) fn read(call: &str, folder: &Path) -> Result<Story, Failure> {
    let broken = |fault: leasehold_tape::RecordFault| {
        Failure::new("TAPE-BROKEN", Class::Integrity, fault.message)
    };
    let mut story = Story::default();
    let mut leases: Vec<LeaseVerified> = Vec::new();
    let mut latest: Option<RunStarted> = None;
    for record in Records::new(tape::records(folder)?) {
        let record = record.map_err(tape::unreadable)?;
        match record.kind {
            Kind::LeaseVerified if story.intent.is_none() => {
                leases.push(record.body().map_err(broken)?)
            }
            Kind::RunStarted if story.intent.is_none() => latest = record.body().ok(),
            Kind::CallIntent | Kind::CallOutcome | Kind::AccessDenied | Kind::GateVerdict
                if body(&record, "call") == call =>
            {
                match record.kind {
                    Kind::CallIntent => {
                        let intent: Intent = record.body().map_err(broken)?;
                        story.run = latest
                            .take()
                            .filter(|run| Some(&run.run) == intent.run.as_ref());
                        story.intent = Some((record.seq, intent));
                    }
                    Kind::CallOutcome => {
                        story.outcome = Some((record.seq, record.body().map_err(broken)?))
                    }
                    Kind::AccessDenied => story.denials.push(record.body().map_err(broken)?),
                    _ => story.verdict = record.body().ok(),
                }
            }
            _ => {}
        }
    }
    let leaf = story
        .intent
        .as_ref()
        .and_then(|(_, intent)| intent.lease.first());
    story.envelope = leases
        .iter()
        .rev()
        .find(|lease| Some(&lease.lease) == leaf)
        .map(|lease| lease.envelope);
    Ok(story)
}

/// The step that the call was made for, out of the plan in the store.
pub(super) fn step(story: &Story, store: &Store) -> Option<PlanStep> {
    let plan = store.get(&story.run.as_ref()?.plan).ok()?;
    let plan: PlanDoc = serde_json::from_slice(&plan).ok()?;
    let (_, intent) = story.intent.as_ref()?;
    let wanted = intent.step.as_ref()?;
    plan.steps.into_iter().find(|step| step.id == *wanted)
}

/// The grant of the call, out of the lease in the store. The id of a lease is the digest of what was signed, so what is there
/// under that id is what was verified then.
pub(super) fn granted(story: &Story, store: &Store) -> Option<Grant> {
    let (_, intent) = story.intent.as_ref()?;
    let envelope = Envelope::parse(&store.get(&story.envelope?).ok()?).ok()?;
    if Some(&envelope.id()) != intent.lease.first() {
        return None;
    }
    let document = LeaseDoc::parse(envelope.unverified_payload()).ok()?;
    document
        .grants
        .into_iter()
        .find(|grant| grant.id == intent.grant)
}

fn body(record: &Record, field: &str) -> String {
    let body: Value = serde_json::from_slice(record.body_bytes()).unwrap_or_default();
    body.get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
