//! Answers that never end, and answers that say too much.

use std::thread;
use std::time::Duration;

use http_exchange::{Draft, Url};

use crate::forms::pairs;
use crate::report::{Attempt, Failure, Report};

/// So many stars in a row are what a host puts in the place of a secret, whose least length this is.
const MASK: &str = "********";

/// Reads `count` bytes, or to the end when that is 0.
pub(crate) fn all(url: &Url, count: u64) -> Attempt {
    let mut answer = Draft::new("GET", url).start(false)?.pending.wait()?;
    let mut read = 0;
    while count == 0 || read < count {
        let next = answer.body.next(64 << 10);
        match next.map_err(|fault| Failure::from(fault).with("bytes", read))? {
            Some(bytes) => read += bytes.len() as u64,
            None if count == 0 => break,
            None => return Err(Failure::named("closed").with("bytes", read)),
        }
    }
    Ok(Report::default()
        .with("status", answer.status)
        .with("bytes", read))
}

/// Reads to the end a byte at a time, with a pause before each.
pub(crate) fn slow(url: &Url, milliseconds: u64) -> Attempt {
    let mut answer = Draft::new("GET", url).start(false)?.pending.wait()?;
    let mut read = 0_u64;
    loop {
        thread::sleep(Duration::from_millis(milliseconds));
        let next = answer.body.next(1);
        match next.map_err(|fault| Failure::from(fault).with("bytes", read))? {
            Some(bytes) => read += bytes.len() as u64,
            None => break,
        }
    }
    Ok(Report::default()
        .with("status", answer.status)
        .with("bytes", read))
}

/// Asks a server that repeats header fields what this one was, reading a byte at a time. It works when a value comes back that is not
/// masked. With a value of the guest's own it is the twin of trying to learn what the host put in.
pub(crate) fn echo(url: &Url, header: &str, own: Option<&[u8]>) -> Attempt {
    let mut draft = Draft::new("GET", url);
    if let Some(own) = own {
        draft = draft.with_header(header, own);
    }
    let mut answer = draft.start(false)?.pending.wait()?;
    let mut body = Vec::new();
    while let Some(bytes) = answer.body.next(1)? {
        body.extend_from_slice(&bytes);
    }
    let body = String::from_utf8_lossy(&body);
    let fields = answer.headers.iter();
    let values = fields.filter(|(name, _)| name.eq_ignore_ascii_case(header));
    let values = values.map(|(_, value)| String::from_utf8_lossy(value).into_owned());
    let seen: Vec<String> = values.chain(lines(&body, header)).collect();
    let worked = seen
        .iter()
        .any(|value| !value.is_empty() && !value.contains(MASK));
    let headers = pairs(&answer.headers);
    if worked {
        let report = Report::default().with("seen", seen);
        return Ok(report.with("headers", headers).with("text", body));
    }
    let failure = Failure::named(if seen.is_empty() { "nothing" } else { "masked" });
    let failure = failure.with("seen", seen);
    Err(failure.with("headers", headers).with("text", body))
}

/// The values of this header field in a body that repeats a request line by line.
fn lines(body: &str, header: &str) -> impl Iterator<Item = String> {
    let fields = body.lines().filter_map(|line| line.split_once(':'));
    let values = fields.filter(|(name, _)| name.trim().eq_ignore_ascii_case(header));
    let values: Vec<String> = values.map(|(_, value)| value.trim().to_owned()).collect();
    values.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_body_repeats_of_a_field_is_found() {
        let body = "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x:y\r\nauthorization:z\r\n";
        let found: Vec<String> = lines(body, "authorization").collect();
        assert_eq!(found, ["Bearer x:y", "z"]);
        assert_eq!(lines(body, "accept").count(), 0);
    }
}
