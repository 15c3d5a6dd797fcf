//! Settling a call: what came of it goes to the store and the tape, and only then becomes an [`Outcome`].

use std::time::Duration;

use leasehold_files::{Change, Content, Denial, ReadSet};
use leasehold_seal::Digest;
use leasehold_tape::call as body;
use leasehold_tape::verdict::{GateVerdict, Quote};
use leasehold_tape::{Draft, Durability, EffectHttpAnswered, Kind, Store, TapeError};

use crate::admission::Ticket;
use crate::door::CallError;
use crate::engine::Plugin;
use crate::guest::Remains;
use crate::outcome::{Ending, Outcome, Reason, Receipt, Returned, Summary};
use crate::spec::Input;
use crate::summary::summarize;

/// A verdict up to this size stands on the tape itself, in bytes; a larger one in the store.
const INLINE_VERDICT: usize = 32 << 10;
/// The most of a plugin's name that the outcome repeats, in bytes.
const MAX_NAME: usize = 200;
/// Denials of one call that get a record of their own; the outcome has the count of all.
const RECORDED_DENIALS: usize = 32;

/// Records what came of a call and gives its outcome once that is durable.
pub(crate) fn settle(
    ticket: Ticket,
    plugin: &Plugin,
    ending: Ending,
    remains: Remains,
    wall: Duration,
) -> Result<Outcome, CallError> {
    let mut ending = check_reply(&ticket, plugin, ending);
    let mut remains = remains;
    // First of all: nothing below sees a secret.
    ticket.secrets.strike(&mut ending, &mut remains);
    remains.coverage.hidden += ticket.spec.left_out;
    // The ending counts as it is recorded: a reply that was refused did not return, and settles nothing.
    let used = remains.fuel.filter(|_used| kind_of(&ending).settles());
    let fuel = used.unwrap_or(ticket.rights.limits().fuel);
    let summary = summarize(&ticket, plugin, &ending, &remains);
    let recorded = drafts(&ticket, plugin, (&ending, &summary), &remains, fuel, wall)
        .and_then(|drafts| ticket.recorder.tape.append(drafts, Durability::Synced))
        .and_then(|appended| match appended.as_slice() {
            [.., verdict, outcome] => Ok((Some(*verdict), *outcome)),
            [outcome] => Ok((None, *outcome)),
            [] => Err(TapeError::Body("nothing was appended".into())),
        });
    match recorded {
        Ok((before, outcome)) => Ok(Outcome {
            receipt: Receipt {
                intent: ticket.intent,
                outcome,
                // A verdict is recorded right before the outcome.
                verdict: before
                    .filter(|_| matches!(ending, Ending::Returned(Returned::Verdict(_)))),
            },
            call: ticket.call,
            ending,
            summary,
            fuel,
            peak_memory: remains.peak_memory,
            wall,
            stdout: remains.stdout,
            stderr: remains.stderr,
            log: remains.log,
            attachments: remains.attachments,
            coverage: remains.coverage,
            denials: remains.denials,
            refused_imports: remains.refused_imports,
            requests: remains.requests,
            refused_requests: remains.refused_requests,
            changes: remains.changes,
            reads: remains.reads.unwrap_or_default(),
            told_time: remains.told_time,
        }),
        Err(source) => Err(CallError {
            call: ticket.call,
            source,
        }),
    }
}

/// An adapter's answer is one only when it fits its schema.
fn check_reply(ticket: &Ticket, plugin: &Plugin, ending: Ending) -> Ending {
    let (Ending::Returned(Returned::Reply(reply)), Input::Tool { name, .. }) =
        (&ending, &ticket.spec.input)
    else {
        return ending;
    };
    match plugin.schemas().check_reply(name, reply) {
        Ok(()) => ending,
        Err(why) => Ending::Ended(Reason::Reply(why)),
    }
}

fn drafts(
    ticket: &Ticket,
    plugin: &Plugin,
    (ending, summary): (&Ending, &Summary),
    remains: &Remains,
    fuel: u64,
    wall: Duration,
) -> Result<Vec<Draft>, TapeError> {
    let store = &ticket.recorder.store;
    let call = ticket.call.as_str();
    let mut drafts = Vec::with_capacity(2);
    for denial in remains.denials.list.iter().take(RECORDED_DENIALS) {
        drafts.push(Draft::sorted(Kind::AccessDenied, &denied(call, denial))?);
    }
    for (import, count) in remains.refused_imports.iter().take(RECORDED_DENIALS) {
        let body = body::AccessDenied {
            call: call.to_owned(),
            code: "IMPORT-DENIED".to_owned(),
            count: *count,
            path: Some(import.clone()),
            wanted: "call".to_owned(),
        };
        drafts.push(Draft::sorted(Kind::AccessDenied, &body)?);
    }
    for refused in remains.refused_requests.iter().take(RECORDED_DENIALS) {
        let body = body::AccessDenied {
            call: call.to_owned(),
            code: refused.code.to_owned(),
            count: refused.count,
            path: Some(clip(&refused.place, MAX_NAME).to_owned()),
            wanted: "request".to_owned(),
        };
        drafts.push(Draft::sorted(Kind::AccessDenied, &body)?);
    }
    for request in &remains.requests {
        drafts.push(Draft::http_answered(&EffectHttpAnswered {
            call: call.to_owned(),
            code: request.code.map(str::to_owned),
            n: request.n,
            received: request.received,
            sent: request.sent,
            status: request.status,
        })?);
    }
    for attachment in &remains.attachments {
        let body = body::ArtifactStored {
            bytes: attachment.bytes.len() as u64,
            call: call.to_owned(),
            digest: store.put(&attachment.bytes)?,
            media_type: attachment.media_type.clone(),
            name: attachment.name.clone(),
        };
        drafts.push(Draft::sorted(Kind::ArtifactStored, &body)?);
    }
    let result = match ending {
        Ending::Returned(Returned::Verdict(verdict)) => {
            let bytes = verdict.to_json()?;
            let digest = Digest::of(&bytes);
            let inline = bytes.len() <= INLINE_VERDICT;
            if !inline {
                store.put(&bytes)?;
            }
            let body = GateVerdict {
                call: call.to_owned(),
                digest,
                quotes: quotes(store, &remains.quotes)?,
                verdict: inline.then(|| verdict.clone()),
            };
            drafts.push(Draft::sorted(Kind::GateVerdict, &body)?);
            Some(digest)
        }
        Ending::Returned(Returned::Reply(reply)) => Some(store.put(reply.as_bytes())?),
        _ => None,
    };
    let outcome = body::Outcome {
        call: call.to_owned(),
        code: summary.code.map(str::to_owned),
        command: clip(plugin.name(), MAX_NAME).to_owned(),
        coverage: body::Coverage {
            complete: remains.coverage.complete(),
            denied: remains.coverage.denied,
            hidden: remains.coverage.hidden + remains.coverage.non_utf8 + remains.coverage.failed,
            listed: remains.coverage.listed,
            skipped: remains.coverage.skipped,
        },
        ending: kind_of(ending),
        exit: match ending {
            Ending::Exited(code) => Some(*code),
            _ => None,
        },
        fuel,
        intent: ticket.intent.leaf,
        lease: ticket.rights.chain().first().copied(),
        peak_memory: remains.peak_memory,
        reads: (remains.reads.as_ref())
            .map_or_else(|| ReadSet::default().digest(), ReadSet::digest),
        result,
        sentence: clip(&summary.sentence, body::MAX_SENTENCE).to_owned(),
        status: summary.status,
        stderr: stream(store, &remains.stderr)?,
        stdout: stream(store, &remains.stdout)?,
        verdict: match ending {
            Ending::Returned(Returned::Verdict(verdict)) => Some(verdict.outcome),
            _ => None,
        },
        wall_us: u64::try_from(wall.as_micros()).unwrap_or(u64::MAX),
        writes: (remains.changes.list.iter().take(body::MAX_WRITES))
            .map(written)
            .collect(),
        writes_total: remains.changes.list.len() as u64 + remains.changes.more,
    };
    drafts.push(Draft::outcome(&outcome)?);
    Ok(drafts)
}

/// The lines that findings name, as an artifact.
fn quotes(store: &Store, quotes: &[Quote]) -> Result<Option<Digest>, TapeError> {
    if quotes.is_empty() {
        return Ok(None);
    }
    let json = serde_json::to_vec(quotes).map_err(|error| TapeError::Body(error.to_string()))?;
    store.put(&json).map(Some)
}

/// The start of a text, of at most so many bytes.
fn clip(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

fn kind_of(ending: &Ending) -> body::Ending {
    match ending {
        Ending::Returned(_) => body::Ending::Returned,
        Ending::Exited(_) => body::Ending::Exited,
        Ending::Trapped(_) => body::Ending::Trapped,
        Ending::Exhausted(_) => body::Ending::Exhausted,
        Ending::Ended(_) => body::Ending::Ended,
    }
}

fn denied(call: &str, denial: &Denial) -> body::AccessDenied {
    body::AccessDenied {
        call: call.to_owned(),
        code: denial.code.to_owned(),
        count: denial.count,
        path: Some(denial.path.clone()),
        wanted: denial.wanted.to_string(),
    }
}

fn written(change: &Change) -> body::Write {
    let digest = |content| match content {
        Content::Digest(digest) => Some(digest),
        Content::Absent | Content::Unknown(_) => None,
    };
    body::Write {
        after: digest(change.after),
        before: digest(change.before),
        op: change.operation.as_str().to_owned(),
        path: change.path.to_string(),
    }
}

/// A stream is kept only when something was said.
fn stream(store: &Store, bytes: &[u8]) -> Result<Option<body::Stream>, TapeError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    Ok(Some(body::Stream {
        bytes: bytes.len() as u64,
        digest: store.put(bytes)?,
        stored: true,
    }))
}
