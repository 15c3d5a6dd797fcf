//! The host's reading of an ending: status, code and sentence. One place decides what is green.

use leasehold_seal::Class;

use crate::admission::Ticket;
use crate::engine::Plugin;
use crate::guest::Remains;
use crate::inspect::ExitCodes;
use crate::limits::{Limit, Stop};
use crate::outcome::{Ending, Judgement, PluginError, Reason, Returned, Status, Summary};
use crate::spec::{Input, names_files};

/// Reads an ending.
pub(crate) fn summarize(
    ticket: &Ticket,
    plugin: &Plugin,
    ending: &Ending,
    remains: &Remains,
) -> Summary {
    let manifest = plugin.facts().manifest.as_ref();
    let reading = Reading {
        name: plugin.name(),
        complete: manifest.is_some_and(|manifest| manifest.complete),
        judges: ticket.rights.kind() == leasehold_lease::Kind::Gate
            && matches!(ticket.spec.input, Input::Run { .. }),
        exit: (ticket.spec.exit.as_ref()).or(manifest.and_then(|manifest| manifest.exit.as_ref())),
        kept_back: kept_back(ticket, plugin, remains),
        denied: remains
            .denials
            .list
            .first()
            .map(|denial| {
                (
                    denial.code,
                    format!("{} {}", denial.wanted, denial.path),
                    remains.denials.list.len() as u64 + remains.denials.more,
                )
            })
            .or_else(|| {
                let first = remains.refused_requests.first()?;
                let count = remains.refused_requests.iter().map(|refused| refused.count);
                Some((first.code, first.place.clone(), count.sum()))
            }),
    };
    reading.of(ending)
}

/// What of the workspace a gate was not shown. A gate that wants to read content has not seen a file of which it got the
/// name alone.
fn kept_back(ticket: &Ticket, plugin: &Plugin, remains: &Remains) -> Option<String> {
    if !names_files(&ticket.rights) {
        return Some("its lease shows it no file at all".into());
    }
    let coverage = &remains.coverage;
    let manifest = plugin.facts().manifest.as_ref();
    let reads = manifest.is_some_and(|manifest| !manifest.wants.read.is_empty());
    let unreadable = if reads { coverage.unreadable } else { 0 };
    let hidden = coverage.hidden + coverage.non_utf8;
    let parts = [
        (hidden, "entries were hidden from it"),
        (coverage.failed, "folders could not be listed"),
        (unreadable, "files could not be read by it"),
        (coverage.denied, "operations were refused to it"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

struct Reading<'a> {
    name: &'a str,
    complete: bool,
    judges: bool,
    exit: Option<&'a ExitCodes>,
    /// What kept the gate from judging everything, if anything did.
    kept_back: Option<String>,
    /// The first refusal: its code, what was wanted, and how many there were.
    denied: Option<(&'static str, String, u64)>,
}

impl Reading<'_> {
    fn of(&self, ending: &Ending) -> Summary {
        let name = self.name;
        match ending {
            Ending::Returned(Returned::Verdict(verdict)) => match verdict.outcome {
                Judgement::Pass => self.pass(verdict.summary.clone()),
                Judgement::Fail => self.own(
                    Status::Fail,
                    Class::Failed,
                    "GATE-FAILED",
                    verdict.summary.clone(),
                ),
                Judgement::Skip => bad(
                    Status::Skipped,
                    Class::Blocked,
                    "GATE-SKIPPED",
                    verdict.summary.clone(),
                ),
            },
            Ending::Returned(Returned::Reply(_)) => good(format!("{name} answered")),
            Ending::Returned(Returned::Error(error)) => self.plugin_error(error),
            Ending::Exited(code) if self.judges => self.judged_exit(*code),
            Ending::Exited(0) => good(format!("{name} exited with 0")),
            Ending::Exited(code) => self.own(
                Status::Fail,
                Class::Failed,
                "COMMAND-FAILED",
                format!("{name} exited with {code}"),
            ),
            Ending::Trapped(how) => self.own(
                Status::Error,
                Class::Exhausted,
                "PLUGIN-TRAPPED",
                format!("{name} trapped: {how}"),
            ),
            Ending::Exhausted(limit) => exhausted(name, *limit),
            Ending::Ended(reason) => ended(name, reason),
        }
    }

    /// A pass, unless the gate claims completeness and did not see everything.
    fn pass(&self, sentence: String) -> Summary {
        match &self.kept_back {
            Some(what) if self.complete => bad(
                Status::Blocked,
                Class::Blocked,
                "VIEW-INCOMPLETE",
                format!(
                    "{} says pass and claims to judge everything, but {what}",
                    self.name
                ),
            ),
            _ => good(sentence),
        }
    }

    /// An ending that the guest brought about itself: where it was refused something before, that is the reason to give.
    fn own(&self, status: Status, class: Class, code: &'static str, sentence: String) -> Summary {
        match &self.denied {
            Some((denied, wanted, count)) => {
                let more = match count {
                    1 => String::new(),
                    more => format!(" (and {} more)", more - 1),
                };
                bad(
                    status,
                    Class::Refused,
                    denied,
                    format!("{} wanted to {wanted}{more}; {sentence}", self.name),
                )
            }
            None => bad(status, class, code, sentence),
        }
    }

    fn judged_exit(&self, code: u8) -> Summary {
        let name = self.name;
        let declared = |codes: fn(&ExitCodes) -> &Vec<u8>| {
            self.exit.is_some_and(|exit| codes(exit).contains(&code))
        };
        // A code that is declared as both means fail.
        if declared(|exit| &exit.fail) {
            self.own(
                Status::Fail,
                Class::Failed,
                "GATE-FAILED",
                format!("{name} exited with {code}, which is declared as fail"),
            )
        } else if declared(|exit| &exit.pass) {
            self.pass(format!(
                "{name} exited with {code}, which is declared as pass"
            ))
        } else {
            self.own(
                Status::Error,
                Class::Blocked,
                "EXIT-UNDECLARED",
                format!("{name} exited with {code}, which is declared neither as pass nor as fail"),
            )
        }
    }

    fn plugin_error(&self, error: &PluginError) -> Summary {
        let name = self.name;
        match error {
            PluginError::Config(text) => bad(
                Status::Error,
                Class::Usage,
                "CONFIG-REFUSED",
                format!("{name} does not accept its configuration: {text}"),
            ),
            PluginError::Arguments(text) => bad(
                Status::Error,
                Class::Usage,
                "ARGUMENTS-REFUSED",
                format!("{name} does not accept the arguments: {text}"),
            ),
            PluginError::Blocked(text) => self.own(
                Status::Blocked,
                Class::Blocked,
                "PLUGIN-BLOCKED",
                format!("{name} is blocked: {text}"),
            ),
            PluginError::Fault(text) => self.own(
                Status::Error,
                Class::Exhausted,
                "PLUGIN-FAULT",
                format!("{name} failed: {text}"),
            ),
        }
    }
}

fn good(sentence: String) -> Summary {
    Summary {
        status: Status::Pass,
        class: None,
        code: None,
        sentence,
    }
}

fn bad(status: Status, class: Class, code: &'static str, sentence: String) -> Summary {
    Summary {
        status,
        class: Some(class),
        code: Some(code),
        sentence,
    }
}

fn exhausted(name: &str, limit: Limit) -> Summary {
    let sentence = match limit {
        Limit::Fuel => format!("{name} used up its fuel"),
        Limit::Wall => format!("{name} ran past its time limit"),
        Limit::Memory => format!("{name} wanted more memory than its lease has"),
        Limit::Stack => format!("{name} used up its stack"),
        Limit::Output => format!("{name} said more than its lease allows"),
        Limit::Log => format!("{name} logged more than a call may"),
        Limit::Write => format!("{name} wrote more than its lease allows"),
        Limit::Handles => format!("{name} held more handles than a call may"),
        Limit::Headers => format!("{name} set more header fields than a message may have"),
        Limit::Transfer => format!("{name} moved too much in one host call"),
    };
    bad(Status::Error, Class::Exhausted, limit.code(), sentence)
}

fn ended(name: &str, reason: &Reason) -> Summary {
    match reason {
        Reason::Stopped(Stop::Expired) => bad(
            Status::Error,
            Class::Refused,
            "LEASE-EXPIRED",
            format!("the lease expired while {name} ran"),
        ),
        Reason::Stopped(Stop::Revoked) => bad(
            Status::Error,
            Class::Refused,
            "LEASE-REVOKED",
            format!("the lease was revoked while {name} ran"),
        ),
        Reason::Stopped(Stop::Cancelled) => bad(
            Status::Error,
            Class::Blocked,
            "CANCELLED",
            format!("{name} was cancelled"),
        ),
        Reason::Stopped(Stop::Halted) => bad(
            Status::Error,
            Class::Exhausted,
            "SENTINEL-HALT",
            format!("{name} was ended by the sentinel, as the pipeline configures it"),
        ),
        Reason::Abandoned => bad(
            Status::Error,
            Class::Exhausted,
            Limit::Wall.code(),
            format!("{name} did not come back after its time limit and was given up"),
        ),
        Reason::ImportDenied => bad(
            Status::Error,
            Class::Refused,
            "IMPORT-DENIED",
            format!("{name} used an import that no lease can grant"),
        ),
        Reason::PluginMismatch => bad(
            Status::Error,
            Class::Integrity,
            "PLUGIN-MISMATCH",
            format!("{name} is not the plugin that was admitted"),
        ),
        Reason::Reply(why) => bad(
            Status::Error,
            Class::Exhausted,
            "REPLY-SCHEMA",
            format!("{name} answered what its own schema does not allow: {why}"),
        ),
        Reason::Host(why) => bad(
            Status::Error,
            Class::Fault,
            "HOST-FAULT",
            format!("{name} could not be run: {why}"),
        ),
    }
}
