//! Requests: what is said, and handing it over.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme};
use wasip2::io::streams::OutputStream;

use crate::answer::Pending;
use crate::fault::{Fault, Step};
use crate::url::Url;

/// Name and value of a header field.
pub type Header = (String, Vec<u8>);

/// How long to wait at most, in nanoseconds; absent: as long as the host does.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Timeouts {
    /// For the connection.
    pub connect: Option<u64>,
    /// For the first byte of the answer.
    pub first_byte: Option<u64>,
    /// Between two parts of the answer's body.
    pub between_bytes: Option<u64>,
}

/// What a request is to say, sound or not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Draft {
    /// The method; empty: the one that a request has when none is set, GET.
    pub method: String,
    /// The scheme, if it is set.
    pub scheme: Option<String>,
    /// Host and port, if they are set.
    pub authority: Option<String>,
    /// Path and query, if they are set.
    pub path: Option<String>,
    /// The header fields.
    pub headers: Vec<Header>,
    /// The time-outs.
    pub timeouts: Timeouts,
}

/// A request that was handed over.
pub struct Started {
    /// Where its body goes, if it was to have one. It must be finished, or the request is given up.
    pub upload: Option<Upload>,
    /// The answer, once it is there.
    pub pending: Pending,
}

impl Draft {
    /// A request for this URL.
    pub fn new(method: &str, url: &Url) -> Self {
        Self {
            method: method.to_owned(),
            scheme: Some(url.scheme().to_owned()),
            authority: Some(url.authority().to_owned()),
            path: Some(url.target()),
            ..Self::default()
        }
    }

    /// This request with one more header field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }

    /// Hands the request over.
    ///
    /// # Errors
    /// [`Fault`], also where the host refuses to send it.
    pub fn start(&self, with_body: bool) -> Result<Started, Fault> {
        let request = self.build()?;
        // Without this the request has no body at all, rather than an empty one.
        let body = if with_body {
            let body = request.body();
            Some(body.map_err(|()| Fault::refused(Step::Upload))?)
        } else {
            None
        };
        let options = self.timeouts.options()?;
        let pending = outgoing_handler::handle(request, options)
            .map_err(|code| Fault::of_code(Step::Handle, &code))?;
        Ok(Started {
            upload: body.map(Upload::of).transpose()?,
            pending: Pending::of(pending),
        })
    }

    fn build(&self) -> Result<OutgoingRequest, Fault> {
        let request = OutgoingRequest::new(fields(Step::Headers, &self.headers)?);
        let refused = |step| move |()| Fault::refused(step);
        if !self.method.is_empty() {
            let set = request.set_method(&method(&self.method));
            set.map_err(refused(Step::Method))?;
        }
        if let Some(name) = &self.scheme {
            let set = request.set_scheme(Some(&scheme(name)));
            set.map_err(refused(Step::Scheme))?;
        }
        if let Some(authority) = &self.authority {
            let set = request.set_authority(Some(authority));
            set.map_err(refused(Step::Authority))?;
        }
        if let Some(path) = &self.path {
            let set = request.set_path_with_query(Some(path));
            set.map_err(refused(Step::Path))?;
        }
        Ok(request)
    }
}

impl Timeouts {
    fn options(self) -> Result<Option<RequestOptions>, Fault> {
        if self == Self::default() {
            return Ok(None);
        }
        let options = RequestOptions::new();
        let mut set = Ok(());
        if self.connect.is_some() {
            set = set.and(options.set_connect_timeout(self.connect));
        }
        if self.first_byte.is_some() {
            set = set.and(options.set_first_byte_timeout(self.first_byte));
        }
        if self.between_bytes.is_some() {
            set = set.and(options.set_between_bytes_timeout(self.between_bytes));
        }
        match set {
            Ok(()) => Ok(Some(options)),
            Err(()) => Err(Fault::refused(Step::Options)),
        }
    }
}

/// The body of a request on its way.
pub struct Upload {
    // Dropped in this order: a stream may not outlive its body.
    stream: OutputStream,
    body: OutgoingBody,
}

impl Upload {
    fn of(body: OutgoingBody) -> Result<Self, Fault> {
        let stream = body.write().map_err(|()| Fault::refused(Step::Upload))?;
        Ok(Self { stream, body })
    }

    /// Sends these bytes, as fast as the other side takes them.
    ///
    /// # Errors
    /// [`Fault`]; `closed` where nobody takes them any more.
    pub fn send(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        let fault = |error| Fault::of_stream(Step::Upload, &error);
        while !bytes.is_empty() {
            let permitted = self.stream.check_write().map_err(fault)?;
            if permitted == 0 {
                self.stream.subscribe().block();
                continue;
            }
            let count = usize::try_from(permitted).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(count.min(bytes.len()));
            self.stream.write(now).map_err(fault)?;
            bytes = later;
        }
        Ok(())
    }

    /// Says that this was all, with these trailers if any are given.
    ///
    /// # Errors
    /// [`Fault`], for instance where the body has another length than was said.
    pub fn finish(self, trailers: Option<&[Header]>) -> Result<(), Fault> {
        let Self { stream, body } = self;
        let flushed = stream.blocking_flush();
        drop(stream);
        flushed.map_err(|error| Fault::of_stream(Step::Upload, &error))?;
        let trailers = trailers.map(|trailers| fields(Step::Trailers, trailers));
        OutgoingBody::finish(body, trailers.transpose()?)
            .map_err(|code| Fault::of_code(Step::Upload, &code))
    }
}

fn fields(step: Step, headers: &[Header]) -> Result<Fields, Fault> {
    let fields = Fields::new();
    for (name, value) in headers {
        let appended = fields.append(name, value);
        appended.map_err(|error| Fault::of_header(step, name, &error))?;
    }
    Ok(fields)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn scheme(name: &str) -> Scheme {
    match name {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_for_a_url_says_its_parts() {
        let url = Url::parse("https://h:8443/a?b").unwrap();
        let draft = Draft::new("PUT", &url).with_header("x", b"1");
        assert_eq!(draft.method, "PUT");
        assert_eq!(draft.scheme.as_deref(), Some("https"));
        assert_eq!(draft.authority.as_deref(), Some("h:8443"));
        assert_eq!(draft.path.as_deref(), Some("/a?b"));
        assert_eq!(draft.headers, [("x".to_owned(), b"1".to_vec())]);
    }
}
