//! What is sent along.

use http_exchange::{Draft, Started, Upload, Url};

use crate::forms::{length, pairs, told};
use crate::report::{Attempt, Failure};

/// Says one length (as it is written, a number or not) and sends another.
pub(crate) fn wrong_length(url: &Url, said: &str, sent: u64) -> Attempt {
    let body = vec![b'b'; length(sent)?];
    let (mut upload, started) = open(&with_length(url, said))?;
    let uploaded = upload.send(&body).and_then(|()| upload.finish(None));
    uploaded.map_err(|fault| Failure::from(fault).with("sent", sent))?;
    Ok(told(started.pending.wait()?)?.with("sent", sent))
}

/// Says a length and gives up half-way: the answer to half a request is none.
pub(crate) fn half(url: &Url, said: &str) -> Attempt {
    let (mut upload, started) = open(&with_length(url, said))?;
    upload.send(b"half")?;
    drop(upload);
    Ok(told(started.pending.wait()?)?)
}

/// Sends `count` bytes, or without end when that is 0.
pub(crate) fn endless(url: &Url, count: u64) -> Attempt {
    let block = [b'b'; 64 << 10];
    let (mut upload, started) = open(&Draft::new("POST", url))?;
    let mut sent = 0;
    while count == 0 || sent < count {
        let left = if count == 0 { u64::MAX } else { count - sent };
        let piece = usize::try_from(left).map_or(block.len(), |left| left.min(block.len()));
        let (now, _) = block.split_at(piece);
        let taken = upload.send(now);
        taken.map_err(|fault| Failure::from(fault).with("sent", sent))?;
        sent += piece as u64;
    }
    upload.finish(None)?;
    Ok(told(started.pending.wait()?)?.with("sent", sent))
}

/// A request with a trailer, and the trailers of the answer.
pub(crate) fn trailers(url: &Url, name: &str, value: &[u8]) -> Attempt {
    let draft = Draft::new("POST", url).with_header("te", b"trailers");
    let (mut upload, started) = open(&draft)?;
    upload.send(b"body")?;
    upload.finish(Some(&[(name.to_owned(), value.to_vec())]))?;
    let mut answer = started.pending.wait()?;
    let status = answer.status;
    while answer.body.next(64 << 10)?.is_some() {}
    let trailers = answer.body.trailers()?;
    Ok(crate::report::Report::default()
        .with("status", status)
        .with("trailers", pairs(&trailers)))
}

fn with_length(url: &Url, said: &str) -> Draft {
    Draft::new("POST", url).with_header("content-length", said.as_bytes())
}

fn open(draft: &Draft) -> Result<(Upload, Started), Failure> {
    let mut started = draft.start(true)?;
    match started.upload.take() {
        Some(upload) => Ok((upload, started)),
        None => Err(Failure::named("no-body")),
    }
}
