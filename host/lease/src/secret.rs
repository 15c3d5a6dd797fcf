//! Secrets: which ones a plugin may use, and where the host puts them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::http::{Host, HttpGrant, Scheme, as_text, at_most};
use crate::refusal::Refusal;

/// The most secrets in one grant.
pub const MAX_SECRETS: usize = 64;
/// The longest text in front of a secret, in bytes.
pub const MAX_PREFIX_BYTES: usize = 64;
/// The longest name of a header field, in bytes.
const MAX_FIELD_BYTES: usize = 64;

/// A secret: either put into requests by the host, or given to the plugin to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretGrant {
    /// Name of the secret at the host: 1 to 64 of `a`–`z`, `0`–`9` and `-`.
    pub name: String,
    /// The request header the host puts it into; the plugin does not see it. Exactly one of `inject` and `expose`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inject: Option<Injection>,
    /// Whether the plugin may read it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expose: bool,
}

/// The request header into which the host puts a secret, in every request that goes to this host and port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Injection {
    /// The host, exactly; an `http` entry of the same grant allows it.
    pub host: Host,
    /// The TCP port, as in that entry.
    pub port: u16,
    /// The field of the request's header.
    pub header: HeaderField,
    /// What is put in front of the secret, `Bearer ` for instance: at most [`MAX_PREFIX_BYTES`] of printable ASCII.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

/// The name of a header field that a secret may be put into: 1 to 64 of `a`–`z`, `0`–`9`, `-` and `_`, and none that says
/// where a message goes, where it ends or what becomes of its connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderField(Box<str>);

/// The fields that are the host's own.
const FRAMING: [&str; 14] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl SecretGrant {
    /// Whether `other` is no more than this: only the same secret at the same place is.
    #[must_use]
    pub fn covers(&self, other: &SecretGrant) -> bool {
        self == other
    }

    /// Checks what the types of the fields leave open, but for where the secret goes. `at`: where the entry stands,
    /// `grants[0].secrets[1]` for instance.
    ///
    /// # Errors
    /// `LEASE-FORMAT`.
    pub fn check(&self, at: &str) -> Result<(), Refusal> {
        let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(known) {
            let problem = "is not 1 to 64 of a-z, 0-9 and -";
            return Err(Refusal::format(&format!("{at}.name"), problem));
        }
        if self.inject.is_some() == self.expose {
            let problem = "has to have exactly one of inject and \"expose\": true";
            return Err(Refusal::format(at, problem));
        }
        match &self.inject {
            Some(injection) => injection.check(&format!("{at}.inject")),
            None => Ok(()),
        }
    }

    /// Checks all secrets of a grant together with its `http` entries. `at`: where the list stands,
    /// `grants[0].secrets` for instance.
    ///
    /// # Errors
    /// `LEASE-FORMAT`.
    pub fn check_all(at: &str, secrets: &[SecretGrant], http: &[HttpGrant]) -> Result<(), Refusal> {
        at_most(at, secrets.len(), MAX_SECRETS)?;
        for (index, secret) in secrets.iter().enumerate() {
            let at = format!("{at}[{index}]");
            secret.check(&at)?;
            let mut earlier = secrets.iter().take(index);
            if earlier.clone().any(|earlier| earlier.name == secret.name) {
                let problem = format!("{:?} is there twice", secret.name);
                return Err(Refusal::format(&format!("{at}.name"), problem));
            }
            let Some(injection) = &secret.inject else {
                continue;
            };
            if earlier.any(|earlier| injection.meets(earlier)) {
                let problem = "is the place of another secret of the same grant";
                return Err(Refusal::format(&format!("{at}.inject"), problem));
            }
            injection.check_way(&format!("{at}.inject"), http)?;
        }
        Ok(())
    }
}

impl Injection {
    /// Whether requests to this host and port get the secret.
    #[must_use]
    pub fn is_for(&self, host: &Host, port: u16) -> bool {
        self.host == *host && self.port == port
    }

    fn check(&self, at: &str) -> Result<(), Refusal> {
        if self.port == 0 {
            return Err(Refusal::format(
                &format!("{at}.port"),
                "is 0, not 1 to 65535",
            ));
        }
        let printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        if self.prefix.len() > MAX_PREFIX_BYTES || !self.prefix.bytes().all(printable) {
            let problem = format!("is not at most {MAX_PREFIX_BYTES} of printable ASCII");
            return Err(Refusal::format(&format!("{at}.prefix"), problem));
        }
        // Spaces in front would be dropped on the way.
        if self.prefix.starts_with(' ') {
            return Err(Refusal::format(
                &format!("{at}.prefix"),
                "starts with a space",
            ));
        }
        Ok(())
    }

    /// Whether the other secret goes to the same field of the same requests.
    fn meets(&self, other: &SecretGrant) -> bool {
        (other.inject.as_ref())
            .is_some_and(|other| other.is_for(&self.host, self.port) && other.header == self.header)
    }

    /// A secret goes where the grant may send requests, and in the clear only within this machine.
    fn check_way(&self, at: &str, http: &[HttpGrant]) -> Result<(), Refusal> {
        let (host, port) = (&self.host, self.port);
        let ways = || (http.iter()).filter(|entry| entry.port == port && entry.host.matches(host));
        if ways().next().is_none() {
            let problem = format!("goes to {host}:{port}, which no http entry of the grant allows");
            return Err(Refusal::format(at, problem));
        }
        if !host.is_loopback() && ways().any(|entry| entry.scheme == Scheme::Http) {
            let problem = format!(
                "goes to {host}:{port}, which an http entry allows without TLS; only an address in 127.0.0.0/8 or [::1] \
                 may be sent a secret in the clear"
            );
            return Err(Refusal::format(at, problem));
        }
        Ok(())
    }
}

impl HeaderField {
    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HeaderField {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let bad = |problem: &str| Refusal::format("header:", format_args!("{text:?} {problem}"));
        let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if text.is_empty() || text.len() > MAX_FIELD_BYTES || !text.bytes().all(known) {
            return Err(bad("is not 1 to 64 of a-z, 0-9, - and _"));
        }
        if FRAMING.contains(&text) {
            return Err(bad(
                "is a field that only the host sets, for other purposes",
            ));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for HeaderField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

as_text!(HeaderField);
