//! A request whose target is permitted and whose header is in order.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, HeaderName};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri};
use leasehold_lease::{Injection, Permit, Scheme, Target};
use zeroize::Zeroizing;

use crate::error::HttpError;
use crate::patience::{MAX_HEADER_BYTES, MAX_HEADERS};
use crate::redact::Redactor;
use crate::secret::Secret;

/// Fields that say where a message goes, where it ends, or what becomes of its connection: the host's own.
const FORBIDDEN: [&str; 13] = [
    "connection",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

/// A secret and the place that a lease names for it.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// Where it goes.
    pub injection: &'a Injection,
    /// What goes there.
    pub secret: &'a Secret,
}

/// A request that may be sent: a grant permits its target, its header is in order, and secrets are in their places.
pub struct Outgoing<B> {
    pub(crate) permit: Permit,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: B,
    /// What the guest says the body's length is.
    pub(crate) length: Option<u64>,
    pub(crate) redactor: Arc<Redactor>,
    secrets: Vec<String>,
}

impl<B> Outgoing<B> {
    /// Puts a request together. Method, path, query and `host` come from the target alone; `headers` are the guest's,
    /// `body` is what it sends. Of `secrets`, which are all that the grant injects, those for this host and port are put
    /// in. `redactor` looks for whatever must not come back; where it looks for anything, the request asks for a response
    /// without compression.
    ///
    /// # Errors
    /// `HTTP-HEADERS`: more than [`MAX_HEADERS`] fields or [`MAX_HEADER_BYTES`] bytes, a field that is the host's own, a
    /// `content-length` that is no number or there twice. `HTTP-SECRET-HEADER`: a field that a secret goes into.
    /// `HTTP-SECRET-PLAIN`: a secret would go over a connection without TLS to something else than a loopback address.
    pub fn new(
        permit: Permit,
        mut headers: HeaderMap,
        body: B,
        secrets: &[Placed<'_>],
        redactor: Arc<Redactor>,
    ) -> Result<Self, HttpError> {
        check_headers(&headers)?;
        let length = content_length(&headers)?;
        let names = put_secrets(permit.target(), &mut headers, secrets)?;
        if !redactor.is_empty() {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let target = permit.target();
        headers.insert(HOST, value(&target.authority())?);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        let method = Method::from_bytes(target.method().as_str().as_bytes());
        let path = target.path_and_query().parse::<PathAndQuery>();
        let (Ok(method), Ok(path)) = (method, path) else {
            // Nothing that a target may consist of is known to lead here.
            return Err(headers_error("the request line cannot be written"));
        };
        Ok(Self {
            method,
            uri: path.into(),
            headers,
            body,
            length,
            redactor,
            secrets: names,
            permit,
        })
    }

    /// What is asked, and of whom.
    #[must_use]
    pub fn target(&self) -> &Target {
        self.permit.target()
    }

    /// Names of the secrets that were put in, in order of the alphabet.
    #[must_use]
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }
}

fn check_headers(headers: &HeaderMap) -> Result<(), HttpError> {
    if headers.len() > MAX_HEADERS {
        let message = format!("the header of the request has more than {MAX_HEADERS} fields");
        return Err(HttpError::Headers(message));
    }
    // Name, colon, space, value and line end.
    let size = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    if headers.iter().map(size).sum::<usize>() > MAX_HEADER_BYTES {
        let message = format!("the header of the request has more than {MAX_HEADER_BYTES} bytes");
        return Err(HttpError::Headers(message));
    }
    let mut names = headers.keys().map(HeaderName::as_str);
    match names.find(|name| FORBIDDEN.contains(name)) {
        Some(name) => {
            let message = format!("the request has a field {name}, which only the host sets");
            Err(HttpError::Headers(message))
        }
        None => Ok(()),
    }
}

/// The one length that the header states, if it does.
fn content_length(headers: &HeaderMap) -> Result<Option<u64>, HttpError> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let digits = first.to_str().unwrap_or_default();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(length) if is_number && values.next().is_none() => Ok(Some(length)),
        _ => Err(headers_error(
            "the content-length of the request is not one number",
        )),
    }
}

/// Puts the secrets for this target into their fields, and gives their names.
fn put_secrets(
    target: &Target,
    headers: &mut HeaderMap,
    secrets: &[Placed<'_>],
) -> Result<Vec<String>, HttpError> {
    let mut names = BTreeSet::new();
    for Placed { injection, secret } in secrets {
        if !injection.is_for(target.host(), target.port()) {
            continue;
        }
        // The lease was checked for this; but what is in the clear stays so.
        if target.scheme() == Scheme::Http && !target.host().is_loopback() {
            return Err(HttpError::SecretPlain {
                secret: secret.name().to_owned(),
                host: target.authority(),
            });
        }
        let field = injection.header.as_str();
        let name = HeaderName::from_bytes(field.as_bytes())
            .map_err(|_| headers_error("the field for a secret has no proper name"))?;
        if headers.contains_key(&name) {
            return Err(HttpError::SecretHeader(field.to_owned()));
        }
        let text = Zeroizing::new(format!("{}{}", injection.prefix, secret.reveal()));
        let mut value = value(&text)?;
        value.set_sensitive(true);
        headers.insert(name, value);
        names.insert(secret.name().to_owned());
    }
    Ok(names.into_iter().collect())
}

fn value(text: &str) -> Result<HeaderValue, HttpError> {
    HeaderValue::from_str(text)
        .map_err(|_| headers_error("a field of the header has a value that cannot be sent"))
}

fn headers_error(message: &str) -> HttpError {
    HttpError::Headers(message.to_owned())
}
