//! What a request asks for, and of whom.

use std::fmt;
use std::str::FromStr;

use leasehold_seal::Class;
use serde::{Deserialize, Serialize};

use super::host::Host;
use super::{as_text, path};
use crate::refusal::Refusal;

/// The longest path with its query, in bytes.
pub const MAX_TARGET_BYTES: usize = 8_192;
/// The longest method, in bytes.
const MAX_METHOD_BYTES: usize = 32;
/// How much of a path a message shows.
const SHOWN_CHARS: usize = 200;

/// A request method: 1 to 32 of `A`–`Z`, `0`–`9`, `-` and `_`, a letter first; neither `CONNECT`, which makes a tunnel,
/// nor `TRACE`, which sends back what the host put in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(Box<str>);

impl Method {
    /// The method as sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let known = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_');
        let starts = text.starts_with(|first: char| first.is_ascii_uppercase());
        if !starts || text.len() > MAX_METHOD_BYTES || !text.bytes().all(known) {
            return Err("is not 1 to 32 of A-Z, 0-9, - and _, a letter first");
        }
        if matches!(text, "CONNECT" | "TRACE") {
            return Err("is a method that is never sent");
        }
        Ok(Self(text.into()))
    }
}

impl FromStr for Method {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        Self::read(text)
            .map_err(|problem| Refusal::format("methods:", format_args!("{text:?} {problem}")))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

as_text!(Method);

/// The scheme of a request.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// With TLS.
    #[default]
    Https,
    /// In the clear.
    Http,
}

impl Scheme {
    /// The port where none is stated: 443 or 80.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Https => 443,
            Scheme::Http => 80,
        }
    }

    /// `https` or `http`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Https => "https",
            Scheme::Http => "http",
        }
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks for a reference"
    )]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Method, scheme, host, port, path and query of one request. One that exists is well-formed, and its path is one that
/// servers can be expected to take for what it says.
///
/// `Display` gives all of it but the query: `GET https://api.example.com:443/v1/items`, a long path cut off.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    method: Method,
    scheme: Scheme,
    host: Host,
    port: u16,
    path: Box<str>,
    query: Option<Box<str>>,
}

impl Target {
    /// Reads what a request asks for.
    ///
    /// `authority` is `host` or `host:port`; upper case is lowered, a port that is not stated is that of the scheme.
    /// Names that are not ASCII are not converted but refused. `path_and_query` is percent-encoded; empty is `/`.
    ///
    /// # Errors
    /// `HTTP-METHOD`, `HTTP-SCHEME`, `HTTP-AUTHORITY` or `HTTP-PATH`.
    pub fn parse(
        method: &str,
        scheme: &str,
        authority: &str,
        path_and_query: &str,
    ) -> Result<Self, Refusal> {
        let method = Method::read(method).map_err(|problem| {
            let message = format!("the method {:?} {problem}", shown(method));
            refused("HTTP-METHOD", message)
                .with_hint("methods are in upper case, GET or POST for instance")
        })?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => {
                let message = format!("the scheme {:?} is neither https nor http", shown(scheme));
                return Err(refused("HTTP-SCHEME", message).with_hint("use https"));
            }
        };
        let (host, port) = read_authority(authority, scheme)?;
        let (path, query) = read_path(path_and_query)?;
        Ok(Self {
            method,
            scheme,
            host,
            port,
            path,
            query,
        })
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port: 1 to 65,535.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path, percent-encoded; starts with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What follows the `?`, where there is one.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Path and query as they are sent (origin form, RFC 9112 section 3.2.1).
    #[must_use]
    pub fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.to_string(),
        }
    }

    /// The value of the `host` field: the host, and the port where it is not that of the scheme.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            return self.host.to_string();
        }
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            method,
            scheme,
            host,
            port,
            path,
            ..
        } = self;
        write!(
            formatter,
            "{method} {scheme}://{host}:{port}{}",
            shown(path)
        )
    }
}

fn refused(code: &'static str, message: String) -> Refusal {
    Refusal::new(code, Class::Refused, message)
}

fn read_authority(text: &str, scheme: Scheme) -> Result<(Host, u16), Refusal> {
    let bad = |problem: &str| {
        // What stands before an `@` may be a password.
        let message = match text.rsplit_once('@') {
            Some((_, host)) => format!("the authority (…@{}) {problem}", shown(host)),
            None => format!("the authority {:?} {problem}", shown(text)),
        };
        refused("HTTP-AUTHORITY", message)
            .with_hint("it is a host in ASCII and, where needed, a port: api.example.com:8443")
    };
    if text.contains('@') {
        return Err(bad("names a user, which is never sent"));
    }
    let after_host = match text.rfind(']') {
        Some(end) => text.get(end..).unwrap_or_default(),
        None => text,
    };
    let (host, port) = match after_host.split_once(':') {
        Some((_, port)) => (&text[..text.len() - port.len() - 1], Some(port)),
        None => (text, None),
    };
    let host = Host::read(&host.to_ascii_lowercase()).map_err(bad)?;
    let port = match port {
        Some(port) => read_port(port).ok_or_else(|| bad("has a port that is not 1 to 65535"))?,
        None => scheme.default_port(),
    };
    Ok((host, port))
}

/// Decimal digits without sign or leading zero.
fn read_port(text: &str) -> Option<u16> {
    let first_is_right = text.starts_with(|first: char| matches!(first, '1'..='9'));
    first_is_right.then(|| text.parse().ok()).flatten()
}

type PathAndQuery = (Box<str>, Option<Box<str>>);

fn read_path(text: &str) -> Result<PathAndQuery, Refusal> {
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    let bad = |what: &str, problem: &str| {
        let message = format!("{what} of the request {problem}");
        refused("HTTP-PATH", message).with_hint(
            "send an absolute path without dots, double slashes and fragment, percent-encoded where RFC 3986 asks for it",
        )
    };
    if text.len() > MAX_TARGET_BYTES {
        return Err(bad("path and query", "are longer than 8192 bytes"));
    }
    let path = if path.is_empty() && query.is_none() {
        "/"
    } else {
        path
    };
    path::check(path).map_err(|problem| bad(&format!("the path {:?}", shown(path)), problem))?;
    if !query.unwrap_or_default().bytes().all(is_query_byte) {
        return Err(bad(
            "the query",
            "has a character that has to be percent-encoded",
        ));
    }
    Ok((path.into(), query.map(Into::into)))
}

/// Visible ASCII, but what ends a query or is commonly used to end a URL in text.
fn is_query_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"#<>".contains(&byte)
}

/// The text, cut off where it is long.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
