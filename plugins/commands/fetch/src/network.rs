//! Sending through the host.

use std::fs::File;
use std::io::{self, Read};

use http_exchange::{Download, Draft, Fault, Pending, Started, Step, Timeouts, Upload};

use crate::request::{Payload, Request};
use crate::transfer::{Answer, Body, Network};

/// How many bytes are read or sent at once.
const PIECE: usize = 64 << 10;
/// What this command says it is, where no header field says otherwise.
const USER_AGENT: &str = concat!("leasehold-fetch/", env!("CARGO_PKG_VERSION"));

/// The host's network, as far as the lease goes.
pub(crate) struct Host;

impl Network for Host {
    fn send(&mut self, request: &Request) -> Result<Answer, String> {
        let source = request.payload.as_ref().map(open).transpose()?;
        let draft = draft(request, source.as_ref().and_then(|source| source.length));
        let started = draft.start(source.is_some());
        let said = |fault| describe(request, &fault);
        let Started { upload, pending } = started.map_err(said)?;
        let answer = match (upload, source) {
            (Some(upload), Some(mut source)) => {
                exchange(upload, pending, &mut source.reader, request)?
            }
            _ => pending.wait().map_err(said)?,
        };
        Ok(Answer {
            status: answer.status,
            headers: answer.headers,
            body: Box::new(Incoming {
                download: answer.body,
                request: request.clone(),
            }),
        })
    }
}

/// Where a body comes from, and its length where that is known beforehand.
struct Source {
    reader: Box<dyn Read>,
    length: Option<u64>,
}

fn open(payload: &Payload) -> Result<Source, String> {
    let (reader, length): (Box<dyn Read>, _) = match payload {
        Payload::Text(text) => {
            let bytes = io::Cursor::new(text.clone().into_bytes());
            (Box::new(bytes), Some(text.len() as u64))
        }
        Payload::File(path) => {
            let failed = |error: io::Error| format!("{}: {error}", path.display());
            let file = File::open(path).map_err(failed)?;
            let length = file.metadata().map_err(failed)?.len();
            (Box::new(file), Some(length))
        }
        Payload::Stdin => (Box::new(io::stdin()), None),
    };
    Ok(Source { reader, length })
}

fn draft(request: &Request, length: Option<u64>) -> Draft {
    let mut draft = Draft::new(&request.method, &request.url);
    for (name, value) in &request.headers {
        draft = draft.with_header(name, value.as_bytes());
    }
    if !request.headers.iter().any(|(name, _)| name == "user-agent") {
        draft = draft.with_header("user-agent", USER_AGENT.as_bytes());
    }
    if let Some(length) = length {
        draft = draft.with_header("content-length", length.to_string().as_bytes());
    }
    let limit = request
        .timeout
        .map(|limit| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX));
    draft.timeouts = Timeouts {
        connect: limit,
        first_byte: limit,
        between_bytes: limit,
    };
    draft
}

/// Sends the body and waits for the answer. A server may answer, and take no more, before it has everything: then the answer counts.
fn exchange(
    mut upload: Upload,
    pending: Pending,
    source: &mut dyn Read,
    request: &Request,
) -> Result<http_exchange::Answer, String> {
    let said = |fault| describe(request, &fault);
    let mut buffer = vec![0; PIECE];
    let fault = loop {
        let count = source
            .read(&mut buffer)
            .map_err(|error| format!("what was to be sent cannot be read: {error}"))?;
        if count == 0 {
            match upload.finish(None) {
                Ok(()) => return pending.wait().map_err(said),
                Err(fault) => break fault,
            }
        }
        if let Err(fault) = upload.send(buffer.get(..count).unwrap_or_default()) {
            break fault;
        }
    };
    match pending.wait() {
        Ok(answer) => Ok(answer),
        // That nobody takes the body says less than why there is no answer.
        Err(other) if fault.code == "closed" => Err(said(other)),
        Err(_) => Err(said(fault)),
    }
}

struct Incoming {
    download: Download,
    request: Request,
}

impl Body for Incoming {
    fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let read = self.download.next(PIECE as u64);
        read.map_err(|fault| describe(&self.request, &fault))
    }
}

/// `GET https://h/a: HTTP-request-denied`, and what could be done about it.
pub(crate) fn describe(request: &Request, fault: &Fault) -> String {
    let Request { method, url, .. } = request;
    let during = match fault.step {
        Step::Upload => " while the body was sent",
        Step::Download => " while the answer was read",
        _ => "",
    };
    let hint = match fault.code {
        "HTTP-request-denied" => format!(
            "the lease has to allow it: {{\"methods\":[\"{method}\"],\"scheme\":\"{}\",\"host\":\"{}\",\"port\":{},\"path\":\"{}\"}}",
            url.scheme(),
            url.host(),
            url.port(),
            url.path()
        ),
        "destination-IP-prohibited" => {
            "the address of the host is not a public one: the lease has to name it under \"addresses\"".to_owned()
        }
        "forbidden" => "the host sets this header field itself, or nobody may".to_owned(),
        "refused" if fault.step == Step::Options => {
            "this host cannot be told how long to wait: leave --timeout out".to_owned()
        }
        _ => return format!("{method} {url}: {fault}{during}"),
    };
    format!("{method} {url}: {fault}{during}\nhint: {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_exchange::Url;

    fn request() -> Request {
        Request {
            method: "GET".to_owned(),
            url: Url::parse("https://API.example/v1?q").unwrap(),
            headers: vec![("x".to_owned(), "y".to_owned())],
            payload: None,
            timeout: None,
        }
    }

    #[test]
    fn a_denial_says_what_the_lease_would_have_to_say() {
        let fault = Fault {
            step: Step::Handle,
            code: "HTTP-request-denied",
            detail: None,
        };
        assert_eq!(
            describe(&request(), &fault),
            "GET https://API.example/v1?q: HTTP-request-denied\nhint: the lease has to allow it: \
             {\"methods\":[\"GET\"],\"scheme\":\"https\",\"host\":\"api.example\",\"port\":443,\"path\":\"/v1\"}"
        );
        let fault = Fault {
            step: Step::Download,
            code: "connection-read-timeout",
            detail: None,
        };
        assert_eq!(
            describe(&request(), &fault),
            "GET https://API.example/v1?q: connection-read-timeout while the answer was read"
        );
    }

    #[test]
    fn a_draft_says_who_sends_it_and_how_long_its_body_is() {
        let names = |draft: &Draft| {
            let names = draft.headers.iter().map(|(name, _)| name.clone());
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(&draft(&request(), None)), ["x", "user-agent"]);
        let mut named = request();
        named
            .headers
            .push(("user-agent".to_owned(), "me".to_owned()));
        named.timeout = Some(std::time::Duration::from_secs(2));
        let draft = draft(&named, Some(3));
        assert_eq!(names(&draft), ["x", "user-agent", "content-length"]);
        assert_eq!(draft.timeouts.first_byte, Some(2_000_000_000));
    }

    #[test]
    fn bodies_are_opened_with_their_lengths() {
        let text = Payload::Text("abc".to_owned());
        let mut source = open(&text).unwrap();
        let mut read = String::new();
        source.reader.read_to_string(&mut read).unwrap();
        assert_eq!((read.as_str(), source.length), ("abc", Some(3)));
        let missing = Payload::File("no/such/file".into());
        let reason = open(&missing).err().unwrap_or_default();
        assert!(reason.starts_with("no/such/file: "), "{reason}");
    }
}
