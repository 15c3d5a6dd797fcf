//! What is said about a call when it is over and recorded.

mod complaints;
mod document;

use leasehold_lease::{Grant, Rights};
use leasehold_sandbox::{Ending, Outcome, Plugin, Returned, Status, Verdict};
use leasehold_seal::Digest;

use crate::commands::Context;
use crate::findings;
use crate::session::Session;
use crate::show::status_word;
use crate::text::{SHOWN, bytes, clip, counted, grouped, span};
use crate::ui::{Line, Style, Ui};

/// How many findings are shown to people.
const FINDINGS: usize = 500;
/// How many refusals, and how many changes, are shown to people.
const LISTED: usize = 10;
/// How many log lines are shown to people.
const LOG_LINES: usize = 50;

/// Prints the outcome: what the plugin answered as data, everything else as talk.
pub(super) fn report(
    rights: &Rights,
    plugin: &Plugin,
    name: &str,
    outcome: &Outcome,
    session: &Session,
    context: &Context,
) {
    let ui = &context.ui;
    if ui.is_json() {
        ui.json(&document::document(rights, plugin, name, outcome, session));
        return;
    }
    log(outcome, ui);
    answer(outcome, ui);
    let grant = grant_of(rights);
    complaints::denials(name, &grant, outcome, ui);
    complaints::complaint(&sentence(plugin, name, outcome), &grant, outcome, ui);
    requests(outcome, ui);
    changes(outcome, ui);
    for attachment in &outcome.attachments {
        ui.talk(format!(
            "attached {} ({}, {}) as {}",
            clip(&attachment.name, 80),
            clip(&attachment.media_type, 80),
            bytes(attachment.bytes.len() as u64),
            Digest::of(&attachment.bytes),
        ));
    }
    ui.talk(status_line(rights, outcome));
}

/// `pass · fuel 12 of 1,000 · memory 1 MiB · 3 ms · record 17 · call 01J…`
fn status_line(rights: &Rights, outcome: &Outcome) -> Line {
    let (word, style) = status_word(Some(outcome.summary.status));
    let code = outcome
        .summary
        .code
        .map_or(String::new(), |code| format!(" {code}"));
    Line::styled(style, word)
        .then(Style::Bold, code)
        .plain(format!(
            " · fuel {} of {} · memory {} · {} · record {} · call {}",
            grouped(outcome.fuel),
            grouped(rights.limits().fuel),
            bytes(outcome.peak_memory),
            span(outcome.wall),
            outcome.receipt.outcome.seq,
            outcome.call,
        ))
}

fn log(outcome: &Outcome, ui: &Ui) {
    let shown: Vec<_> = outcome
        .log
        .iter()
        .filter(|line| line.level != "debug")
        .collect();
    for line in shown.iter().take(LOG_LINES) {
        ui.talk(
            Line::styled(Style::Dim, format!("log {:<5} ", line.level))
                .plain(clip(&line.message, SHOWN)),
        );
    }
    if shown.len() > LOG_LINES {
        ui.talk(format!(
            "log … {} more lines with --format json",
            shown.len() - LOG_LINES
        ));
    }
}

fn answer(outcome: &Outcome, ui: &Ui) {
    if !outcome.stderr.is_empty() {
        ui.foreign_talk(&outcome.stderr);
    }
    if !outcome.stdout.is_empty() {
        ui.foreign(&outcome.stdout);
    }
    match &outcome.ending {
        Ending::Returned(Returned::Verdict(verdict)) => {
            judgement(verdict, outcome.summary.status, ui)
        }
        Ending::Returned(Returned::Reply(reply)) => {
            ui.foreign(reply.as_bytes());
            ui.raw(b"\n");
        }
        _ => {}
    }
}

/// A verdict for people. The word is the host's: a pass on an incomplete view is none.
fn judgement(verdict: &Verdict, status: Status, ui: &Ui) {
    let (word, style) = match status {
        Status::Pass => ("pass", Style::Good),
        Status::Fail => ("fail", Style::Bad),
        Status::Skipped => ("skip", Style::Warn),
        Status::Error => ("error", Style::Bad),
        Status::Blocked => ("blocked", Style::Warn),
    };
    let code = verdict
        .code
        .map_or(String::new(), |code| format!(" (code {code})"));
    ui.data(Line::styled(style, word).plain(format!(": {}{code}", clip(&verdict.summary, SHOWN))));
    findings::print(&verdict.findings, FINDINGS, ui);
}

/// The sentence of the summary. A plugin without a name of its own goes by that of its file.
fn sentence(plugin: &Plugin, name: &str, outcome: &Outcome) -> String {
    let sentence = &outcome.summary.sentence;
    match sentence.strip_prefix(plugin.name()) {
        Some(rest) => format!("{name}{rest}"),
        None => sentence.clone(),
    }
}

/// What was asked of others, and what came of it.
fn requests(outcome: &Outcome, ui: &Ui) {
    for request in outcome.requests.iter().take(LISTED) {
        let answer = match (request.status, request.code) {
            (Some(status), None) => status.to_string(),
            (Some(status), Some(code)) => format!("{status}, then {code}"),
            (None, code) => code.unwrap_or("no answer").to_owned(),
        };
        ui.talk(format!(
            "asked {}: {answer}, {} sent, {} received",
            clip(&request.place, SHOWN),
            bytes(request.sent),
            bytes(request.received),
        ));
    }
    if outcome.requests.len() > LISTED {
        let more = outcome.requests.len() - LISTED;
        ui.talk(format!("… and {more} more requests"));
    }
}

fn changes(outcome: &Outcome, ui: &Ui) {
    let count = outcome.changes.list.len();
    for change in outcome.changes.list.iter().take(LISTED) {
        ui.talk(format!(
            "changed {} ({})",
            clip(change.path.as_str(), SHOWN),
            change.operation.as_str()
        ));
    }
    if count > LISTED {
        let more = count - LISTED + usize::try_from(outcome.changes.more).unwrap_or(0);
        ui.talk(format!(
            "… {}: leasehold explain {}",
            counted(more, "more change", "more changes"),
            outcome.call
        ));
    }
}

/// The grant that the rights came from.
fn grant_of(rights: &Rights) -> Grant {
    let args = rights.args();
    Grant {
        id: rights.grant().to_owned(),
        plugin: rights.plugin(),
        kind: rights.kind(),
        config: rights.config(),
        args: if args == [Vec::<String>::new()] {
            Vec::new()
        } else {
            args.to_vec()
        },
        files: rights.files().clone(),
        env: rights.env().clone(),
        http: Vec::new(),
        secrets: Vec::new(),
        clock: rights.clock(),
        random: rights.random(),
        limits: *rights.limits(),
    }
}
