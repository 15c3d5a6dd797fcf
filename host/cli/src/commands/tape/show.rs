//! `leasehold tape show`: the records, one line each.

use std::collections::VecDeque;
use std::path::PathBuf;

use clap::Args;
use leasehold_tape::Record;
use leasehold_tape::reader::Records;
use serde_json::Value;

use super::{folder, records, unreadable};
use crate::commands::Context;
use crate::exit;
use crate::text::{clip, grouped};
use crate::ui::{Line, Style};

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The folder of the tape. Default: the tape of the home.
    #[arg(long, value_name = "DIR")]
    tape: Option<PathBuf>,
    /// How many records at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// The first record to show, by number.
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    /// Only records of this kind, `call.outcome` for instance.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only records of this call.
    #[arg(long, value_name = "CALL")]
    call: Option<String>,
}

pub(super) fn run(args: &ShowArgs, context: &Context) -> anyhow::Result<u8> {
    let source = records(&folder(args.tape.as_deref(), context)?)?;
    let mut last = VecDeque::new();
    let mut shown = 0;
    let mut fault = None;
    for record in Records::new(source) {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                fault = Some(unreadable(error));
                break;
            }
        };
        if !wanted(args, &record) {
            continue;
        }
        if args.from.is_some() {
            if shown == args.limit {
                break;
            }
            shown += 1;
            print(&record, context);
        } else {
            last.push_back(record);
            if last.len() > args.limit {
                last.pop_front();
            }
        }
    }
    for record in &last {
        print(record, context);
    }
    match fault {
        None => Ok(exit::PASSED),
        Some(fault) => Err(fault.into()),
    }
}

fn wanted(args: &ShowArgs, record: &Record) -> bool {
    args.from.is_none_or(|from| record.seq >= from)
        && args
            .kind
            .as_deref()
            .is_none_or(|kind| record.kind.as_str() == kind)
        && args
            .call
            .as_deref()
            .is_none_or(|call| field(&body(record), "call").as_deref() == Some(call))
}

fn print(record: &Record, context: &Context) {
    let ui = &context.ui;
    if ui.is_json() {
        ui.foreign(record.line());
        ui.raw(b"\n");
        return;
    }
    let body = body(record);
    ui.data(
        Line::styled(Style::Dim, format!("{:>6}  {}  ", record.seq, record.time))
            .then(Style::Bold, format!("{:<16} ", record.kind.as_str()))
            .plain(gist(record.kind.as_str(), &body)),
    );
}

fn body(record: &Record) -> Value {
    serde_json::from_slice(record.body_bytes()).unwrap_or_default()
}

/// What a record is about, in a few words. Whatever it says is shown as it is: it may be anybody's text.
fn gist(kind: &str, body: &Value) -> String {
    let text = |name: &str| field(body, name).unwrap_or_default();
    let digest = |name: &str| short(&text(name));
    let number = |name: &str| {
        body.get(name)
            .and_then(Value::as_u64)
            .map_or_else(|| "?".to_owned(), grouped)
    };
    let words = match kind {
        "tape.opened" => format!("host {}", digest("host")),
        "tape.closed" => format!("open calls {}", number("open_calls")),
        "tape.recovered" => format!(
            "{} torn bytes of record {} were cut",
            number("bytes"),
            number("at")
        ),
        "lease.issued" => {
            let local = if body.get("local") == Some(&Value::Bool(true)) {
                " by a call to itself"
            } else {
                ""
            };
            format!(
                "lease {}{local}, until {}",
                digest("lease"),
                text("expires")
            )
        }
        "lease.verified" => format!("lease {}, until {}", digest("lease"), text("expires")),
        "lease.denied" => format!("{}: {}", text("code"), text("message")),
        "call.intent" => format!(
            "{} {} {} grant {} plugin {}",
            text("call"),
            if body.get("effects") == Some(&Value::Bool(true)) {
                "may write"
            } else {
                "reads"
            },
            text("kind"),
            text("grant"),
            digest("plugin"),
        ),
        "call.outcome" => {
            let exit = body
                .get("exit")
                .and_then(Value::as_u64)
                .map(|code| format!(" {code}"));
            let verdict = field(body, "verdict").map(|verdict| format!(" {verdict}"));
            let code = field(body, "code").map(|code| format!(" {code}"));
            format!(
                "{} {}{}{}{} fuel {}",
                text("call"),
                text("ending"),
                exit.unwrap_or_default(),
                verdict.unwrap_or_default(),
                code.unwrap_or_default(),
                number("fuel"),
            )
        }
        "access.denied" => format!(
            "{} {} {} {}",
            text("call"),
            text("code"),
            text("wanted"),
            text("path")
        ),
        "gate.verdict" => {
            let summary = body
                .pointer("/verdict/summary")
                .and_then(Value::as_str)
                .unwrap_or("(in the store)");
            format!("{} {summary}", text("call"))
        }
        "artifact.stored" => format!("{} {} {}", text("call"), text("name"), digest("digest")),
        _ => body.to_string(),
    };
    clip(&words, 160).into_owned()
}

/// The start of a digest: enough to tell one from another by eye.
fn short(digest: &str) -> String {
    match digest.strip_prefix("sha256:").and_then(|hex| hex.get(..12)) {
        Some(start) => format!("sha256:{start}…"),
        None => digest.to_owned(),
    }
}

fn field(body: &Value, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_told_in_a_few_words_and_an_unknown_one_as_it_is() {
        let denied = json!({"call": "01J", "code": "PATH-DENIED", "wanted": "read", "path": "a", "count": 1});
        assert_eq!(gist("access.denied", &denied), "01J PATH-DENIED read a");
        assert_eq!(gist("effect.sent", &json!({"x": 1})), r#"{"x":1}"#);
        assert_eq!(gist("tape.closed", &json!({})), "open calls ?");
        assert_eq!(short("sha256:0123456789abcdef"), "sha256:0123456789ab…");
        assert_eq!(short("sha256:é"), "sha256:é");
    }
}
