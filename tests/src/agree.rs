//! Whether the tape says of a call what its outcome says.

use std::fmt::Debug;

use leasehold_files::Content;
use leasehold_sandbox::{Ending, Outcome};
use leasehold_seal::Digest;
use leasehold_tape::call::{self, AccessDenied};
use leasehold_tape::{Kind, Record};

use crate::rig::Fault;

/// Denials that get a record of their own.
const RECORDED_DENIALS: usize = 32;

/// Compares an outcome with its records.
///
/// # Errors
/// What differs, or is missing.
pub fn agree(outcome: &Outcome, records: &[Record]) -> Result<(), Fault> {
    let at = |seq: u64| {
        let index = usize::try_from(seq)?;
        records.get(index).ok_or(Fault::from("a record is missing"))
    };
    let intent: call::Intent = at(outcome.receipt.intent.seq)?
        .body()
        .map_err(|fault| fault.message)?;
    let last = at(outcome.receipt.outcome.seq)?;
    let recorded: call::Outcome = last.body().map_err(|fault| fault.message)?;
    same("leaf", &last.leaf(), &outcome.receipt.outcome.leaf)?;
    same("call of the intent", &intent.call, &outcome.call)?;
    same("call", &recorded.call, &outcome.call)?;
    same("code", &recorded.code.as_deref(), &outcome.summary.code)?;
    same("fuel", &recorded.fuel, &outcome.fuel)?;
    same("memory", &recorded.peak_memory, &outcome.peak_memory)?;
    same("reads", &recorded.reads, &outcome.reads.digest())?;
    let (ending, exit) = match &outcome.ending {
        Ending::Returned(_) => (call::Ending::Returned, None),
        Ending::Exited(code) => (call::Ending::Exited, Some(*code)),
        Ending::Trapped(_) => (call::Ending::Trapped, None),
        Ending::Exhausted(_) => (call::Ending::Exhausted, None),
        Ending::Ended(_) => (call::Ending::Ended, None),
    };
    same("ending", &recorded.ending, &ending)?;
    same("exit", &recorded.exit, &exit)?;
    if !ending.settles() {
        let reserved = intent.charges.iter().map(|charge| charge.fuel).max();
        same("charge", &Some(outcome.fuel), &reserved)?;
    }
    for (stream, said) in [
        (&recorded.stdout, &outcome.stdout),
        (&recorded.stderr, &outcome.stderr),
    ] {
        let digest = (!said.is_empty()).then(|| Digest::of(said));
        same(
            "stream",
            &stream.as_ref().map(|stream| stream.digest),
            &digest,
        )?;
    }
    same(
        "denied",
        &recorded.coverage.denied,
        &outcome.coverage.denied,
    )?;
    same(
        "complete",
        &recorded.coverage.complete,
        &outcome.coverage.complete(),
    )?;
    denials(outcome, records)?;
    writes(outcome, &recorded)
}

fn denials(outcome: &Outcome, records: &[Record]) -> Result<(), Fault> {
    let (mut recorded, mut imports) = (Vec::new(), Vec::new());
    for record in records
        .iter()
        .filter(|record| record.kind == Kind::AccessDenied)
    {
        let body: AccessDenied = record.body().map_err(|fault| fault.message)?;
        if body.call == outcome.call && body.code == "IMPORT-DENIED" {
            imports.push((body.path.unwrap_or_default(), body.count));
        } else if body.call == outcome.call {
            recorded.push((
                body.path.unwrap_or_default(),
                body.wanted,
                body.code,
                body.count,
            ));
        }
    }
    let told = outcome
        .denials
        .list
        .iter()
        .take(RECORDED_DENIALS)
        .map(|denial| {
            let path = denial.path.clone();
            (
                path,
                denial.wanted.to_string(),
                denial.code.to_owned(),
                denial.count,
            )
        });
    let requests = (outcome.refused_requests.iter().take(RECORDED_DENIALS)).map(|refused| {
        (
            refused.place.clone(),
            "request".to_owned(),
            refused.code.to_owned(),
            refused.count,
        )
    });
    same("denials", &recorded, &told.chain(requests).collect())?;
    let told = outcome.refused_imports.clone().into_iter().collect();
    same("refused imports", &imports, &told)
}

fn writes(outcome: &Outcome, recorded: &call::Outcome) -> Result<(), Fault> {
    let digest = |content| match content {
        Content::Digest(digest) => Some(digest),
        _ => None,
    };
    let told: Vec<call::Write> = (outcome.changes.list.iter().take(call::MAX_WRITES))
        .map(|change| call::Write {
            after: digest(change.after),
            before: digest(change.before),
            op: change.operation.as_str().to_owned(),
            path: change.path.to_string(),
        })
        .collect();
    same("writes", &recorded.writes, &told)?;
    let total = outcome.changes.list.len() as u64 + outcome.changes.more;
    same("number of writes", &recorded.writes_total, &total)
}

fn same<T: PartialEq + Debug>(what: &str, recorded: &T, told: &T) -> Result<(), Fault> {
    if recorded == told {
        return Ok(());
    }
    Err(format!("{what}: the tape says {recorded:?}, the outcome {told:?}").into())
}
