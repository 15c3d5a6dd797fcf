//! The acts.

use std::hint::black_box;

use leasehold_plugin::bindings::gate_plugin::leasehold::plugin::workspace as raw;
use leasehold_plugin::gate::{Error, Finding, Subject, Verdict};
use leasehold_plugin::host::{self, Level};
use leasehold_plugin::workspace::{self, Kind};
use serde_json::json;

use crate::{Act, Failure};

pub(crate) fn perform(act: Act, subject: &Subject) -> Result<Verdict, Error> {
    match act {
        Act::Pass => Ok(Verdict::pass("passed")),
        Act::Skip => Ok(Verdict::skip("does not apply")),
        Act::Fail { findings, message_bytes, code } => {
            let finding = |index| Finding::error("hostile/rule", "m".repeat(message_bytes)).at(format!("file-{index}"), 1, Some(1));
            Ok(Verdict { code, ..Verdict::fail("failed", count(findings).map(finding).collect()) })
        }
        Act::PassWith { level } => {
            let finding = Finding::new(level.into(), "hostile/rule", "passed all the same");
            Ok(Verdict { findings: vec![finding], ..Verdict::pass("passed") })
        }
        Act::Error { kind, text } => Err(match kind {
            Failure::Config => Error::Config(text),
            Failure::Blocked => Error::Blocked(text),
            Failure::Fault => Error::Fault(text),
        }),
        Act::Log { lines, bytes } => {
            count(lines).for_each(|_| host::log(Level::Info, &"l".repeat(bytes)));
            Ok(Verdict::pass("logged"))
        }
        Act::Attach { count: times, bytes } => {
            let attached = count(times).try_for_each(|index| host::attach(&format!("artifact-{index}"), "text/plain", &vec![b'a'; bytes]));
            told(attached.map(|()| json!(times)))
        }
        Act::AttachTwice => {
            let twice = host::attach("one", "text/plain", b"1").and_then(|()| host::attach("one", "text/plain", b"2"));
            told(twice.map(|()| json!(2)))
        }
        Act::AttachAs { name, media_type } => told(host::attach(&name, &media_type, b"1").map(|()| json!(1))),
        Act::Progress { count: times } => {
            count(times).for_each(|done| host::progress(done, Some(times)));
            Ok(Verdict::pass("progressed"))
        }
        Act::Read { path } => looked(workspace::read(&path).map(|bytes| json!(String::from_utf8_lossy(&bytes)))),
        Act::ReadPieces { path, offset, max, times } => {
            let pieces = count(times).try_fold(0, |sum, _| Ok(sum + raw::read(&path, offset, max)?.len()));
            looked(pieces.map(|bytes| json!(bytes)))
        }
        Act::Digest { path } => looked(workspace::digest(&path).map(|digest| json!(digest))),
        Act::Input { name } => looked(workspace::input(&name).map(|bytes| json!(String::from_utf8_lossy(&bytes)))),
        Act::Walk { patterns } => looked(walk(&patterns)),
        Act::WalkMax { max } => looked(raw::Walk::open(&["**".to_owned()]).and_then(|walk| Ok(json!(walk.next(max)?.len())))),
        Act::WalkFlood { count: times } => {
            let mut open = Vec::new();
            let flood = count(times).try_for_each(|_| raw::Walk::open(&["**".to_owned()]).map(|walk| open.push(walk)));
            looked(flood.map(|()| json!(open.len())))
        }
        Act::CountLines => looked(count_lines()),
        Act::Subject => {
            Verdict::pass("said").with_data(&json!({"config": subject.config, "changed": subject.changed, "inputs": subject.inputs}))
        }
        Act::Escapes => Ok(escapes()),
        Act::Data { text } => Ok(Verdict { data: Some(text), ..Verdict::pass("has data") }),
        Act::Spin => {
            let mut rounds = 0_u64;
            loop {
                rounds = black_box(rounds.wrapping_add(1));
            }
        }
        Act::Trap => trap(),
        Act::Panic => fall_over(),
    }
}

/// From 0 to `times`, or without end when that is 0.
fn count(times: u64) -> impl Iterator<Item = u64> {
    (0..).take_while(move |index| times == 0 || *index < times)
}

/// Passes with what was seen, or fails with what was said instead.
fn looked(result: Result<serde_json::Value, workspace::Error>) -> Result<Verdict, Error> {
    told(result.map_err(|error| format!("{error:?}")))
}

fn told(result: Result<serde_json::Value, String>) -> Result<Verdict, Error> {
    match result {
        Ok(value) => Verdict::pass("done").with_data(&value),
        Err(text) => Ok(Verdict::fail(text, Vec::new())),
    }
}

fn walk(patterns: &[String]) -> Result<serde_json::Value, workspace::Error> {
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    let mut seen = Vec::new();
    for entry in workspace::walk(&patterns)? {
        let entry = entry?;
        seen.push(json!({
            "path": entry.path, "kind": format!("{:?}", entry.kind), "size": entry.size,
            "executable": entry.executable, "readable": entry.readable,
        }));
    }
    Ok(json!(seen))
}

fn count_lines() -> Result<serde_json::Value, workspace::Error> {
    let (mut files, mut bytes, mut lines) = (0_u64, 0, 0);
    for entry in workspace::walk(&["**"])? {
        let entry = entry?;
        if entry.kind == Kind::File && entry.readable {
            let content = workspace::read(&entry.path)?;
            files += 1;
            bytes += content.len() as u64;
            lines += content.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
    }
    Ok(json!({"files": files, "bytes": bytes, "lines": lines}))
}

/// What must not reach a terminal as it is: colours, a window title, a cleared line, a carriage return, a change of direction.
fn escapes() -> Verdict {
    let text = "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}\u{1b}[2K\rnothing found\n::error::hint\u{202e}txt.exe\u{0}\u{9b}1m";
    let finding = Finding::error(text, text)
        .at(text, 1, Some(1))
        .with_fingerprint(text);
    host::log(Level::Error, text);
    Verdict::fail(text, vec![finding])
}

fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort();
}

#[expect(clippy::panic, reason = "this is what the test wants to see")]
fn fall_over() -> ! {
    panic!("the gate was asked to panic");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn perform_text(config: &str) -> Result<Verdict, Error> {
        let subject = Subject {
            config: config.to_owned(),
            changed: None,
            inputs: Vec::new(),
        };
        perform(subject.configuration()?, &subject)
    }

    #[test]
    fn acts_are_read_from_the_configuration() {
        assert_eq!(
            perform_text(r#"{"do":"pass"}"#),
            Ok(Verdict::pass("passed"))
        );
        let verdict =
            perform_text(r#"{"do":"fail","findings":3,"message_bytes":2,"code":24}"#).unwrap();
        assert_eq!((verdict.findings.len(), verdict.code), (3, Some(24)));
        assert!(matches!(
            perform_text(r#"{"do":"unknown"}"#),
            Err(Error::Config(_))
        ));
        assert_eq!(
            perform_text(r#"{"do":"error","kind":"blocked","text":"x"}"#),
            Err(Error::Blocked("x".to_owned()))
        );
    }
}
