//! One request, in forms that a host should look at twice.

use http_exchange::{Answer, Draft, Fault, Header, Timeouts, Url};
use serde_json::{Value, json};

use crate::report::{Attempt, Failure, Report};

/// How much of an answer is told, in bytes.
const TOLD: usize = 4096;

pub(crate) fn get(url: &Url) -> Attempt {
    send(&Draft::new("GET", url))
}

/// So many header fields.
pub(crate) fn headers(url: &Url, count: u64) -> Attempt {
    let name = |index| (format!("x-{index}"), b"v".to_vec());
    let mut draft = Draft::new("GET", url);
    draft.headers = (0..count).map(name).collect();
    Ok(send(&draft)?.with("count", count))
}

/// One header field with a value of so many bytes.
pub(crate) fn header_bytes(url: &Url, count: u64) -> Attempt {
    let value = vec![b'v'; length(count)?];
    send(&Draft::new("GET", url).with_header("x-long", &value))
}

/// A path of so many bytes.
pub(crate) fn path_bytes(url: &Url, count: u64) -> Attempt {
    let rest = "p".repeat(length(count)?.saturating_sub(1));
    path(url, &format!("/{rest}"))
}

pub(crate) fn path(url: &Url, path: &str) -> Attempt {
    let mut draft = Draft::new("GET", url);
    draft.path = Some(path.to_owned());
    send(&draft)
}

pub(crate) fn authority(url: &Url, authority: Option<&str>) -> Attempt {
    let mut draft = Draft::new("GET", url);
    draft.authority = authority.map(str::to_owned);
    send(&draft)
}

pub(crate) fn scheme(url: &Url, scheme: Option<&str>) -> Attempt {
    let mut draft = Draft::new("GET", url);
    draft.scheme = scheme.map(str::to_owned);
    send(&draft)
}

pub(crate) fn method(url: &Url, method: &str) -> Attempt {
    send(&Draft::new(method, url))
}

pub(crate) fn header(url: &Url, name: &str, value: &[u8]) -> Attempt {
    send(&Draft::new("GET", url).with_header(name, value))
}

/// All three time-outs of so many nanoseconds.
pub(crate) fn options(url: &Url, nanoseconds: u64) -> Attempt {
    let mut draft = Draft::new("GET", url);
    draft.timeouts = Timeouts {
        connect: Some(nanoseconds),
        first_byte: Some(nanoseconds),
        between_bytes: Some(nanoseconds),
    };
    send(&draft)
}

/// Sends a request without a body and tells of the answer: status, header fields, the number of bytes and the first of them.
pub(crate) fn send(draft: &Draft) -> Attempt {
    Ok(told(draft.start(false)?.pending.wait()?)?)
}

/// Reads an answer to its end and tells of it.
pub(crate) fn told(mut answer: Answer) -> Result<Report, Fault> {
    let (mut count, mut kept) = (0, Vec::new());
    while let Some(bytes) = answer.body.next(64 << 10)? {
        count += bytes.len() as u64;
        let room = TOLD - kept.len();
        kept.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }
    Ok(Report::default()
        .with("status", answer.status)
        .with("headers", pairs(&answer.headers))
        .with("bytes", count)
        .with("text", String::from_utf8_lossy(&kept)))
}

/// Header fields as JSON.
pub(crate) fn pairs(headers: &[Header]) -> Value {
    let pair = |(name, value): &Header| json!([name, String::from_utf8_lossy(value)]);
    headers.iter().map(pair).collect()
}

pub(crate) fn length(count: u64) -> Result<usize, Failure> {
    usize::try_from(count).map_err(|_| Failure::usage())
}
