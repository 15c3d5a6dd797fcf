//! The outcome of a call as one JSON document, for programs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leasehold_lease::Rights;
use leasehold_sandbox::{Ending, Outcome, Plugin, Returned};
use leasehold_seal::Digest;
use serde_json::{Value, json};

use super::sentence;
use crate::exit;
use crate::session::Session;

/// Everything, for programs.
pub(super) fn document(
    rights: &Rights,
    plugin: &Plugin,
    name: &str,
    outcome: &Outcome,
    session: &Session,
) -> Value {
    let summary = &outcome.summary;
    let (verdict, reply, program) = match &outcome.ending {
        Ending::Returned(Returned::Verdict(verdict)) => (json!(verdict), Value::Null, Value::Null),
        Ending::Returned(Returned::Reply(reply)) => (
            Value::Null,
            serde_json::from_str(reply).unwrap_or(json!(reply)),
            Value::Null,
        ),
        Ending::Exited(code) => (Value::Null, Value::Null, json!({ "exit": code })),
        _ => (Value::Null, Value::Null, Value::Null),
    };
    json!({
        "attachments": outcome.attachments.iter().map(|attachment| json!({
            "bytes": attachment.bytes.len(),
            "digest": Digest::of(&attachment.bytes),
            "media_type": attachment.media_type,
            "name": attachment.name,
        })).collect::<Vec<_>>(),
        "call": outcome.call,
        "changes": outcome.changes.list.iter().map(|change| json!({
            "operation": change.operation.as_str(),
            "path": change.path.as_str(),
        })).collect::<Vec<_>>(),
        "changes_more": outcome.changes.more,
        "code": summary.code,
        "coverage": {
            "complete": outcome.coverage.complete(),
            "denied": outcome.coverage.denied,
            "hidden": outcome.coverage.hidden,
            "listed": outcome.coverage.listed,
            "non_utf8": outcome.coverage.non_utf8,
            "protected": outcome.coverage.protected,
            "unreadable": outcome.coverage.unreadable,
        },
        "denials": outcome.denials.list.iter().map(|denial| json!({
            "code": denial.code,
            "count": denial.count,
            "path": denial.path,
            "wanted": denial.wanted.as_str(),
        })).collect::<Vec<_>>(),
        "denials_more": outcome.denials.more,
        "refused_requests": outcome.refused_requests.iter().map(|refused| json!({
            "code": refused.code,
            "count": refused.count,
            "hint": refused.hint,
            "place": refused.place,
            "sentence": refused.sentence,
        })).collect::<Vec<_>>(),
        "requests": outcome.requests.iter().map(|request| json!({
            "code": request.code,
            "place": request.place,
            "received": request.received,
            "sent": request.sent,
            "status": request.status,
        })).collect::<Vec<_>>(),
        "refused_imports": outcome.refused_imports,
        "exit": summary.class.map_or(exit::PASSED, exit::of),
        "fuel": { "limit": rights.limits().fuel, "used": outcome.fuel },
        "grant": rights.grant(),
        "lease": rights.chain().first(),
        "log": outcome.log.iter().map(|line| json!({ "level": line.level, "message": line.message })).collect::<Vec<_>>(),
        "memory": { "limit": rights.limits().memory_bytes, "peak": outcome.peak_memory },
        "plugin": { "digest": plugin.digest(), "name": name },
        "program": program,
        "reads": outcome.reads.digest(),
        "record": {
            "intent": outcome.receipt.intent.seq,
            "outcome": outcome.receipt.outcome.seq,
            "tape": session.tape().id(),
        },
        "reply": reply,
        "sentence": sentence(plugin, name, outcome),
        "status": summary.status,
        "stderr": stream(&outcome.stderr),
        "stdout": stream(&outcome.stdout),
        "verdict": verdict,
        "wall_us": u64::try_from(outcome.wall.as_micros()).unwrap_or(u64::MAX),
    })
}

/// Text as text, anything else as base64.
fn stream(bytes: &[u8]) -> Value {
    match str::from_utf8(bytes) {
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}
