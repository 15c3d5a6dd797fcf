//! Hosts by name or address, and patterns over them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::as_text;
use crate::refusal::Refusal;

/// The longest host name, in bytes (RFC 1035, as text without the root's dot).
const MAX_NAME_BYTES: usize = 253;
/// The longest label, in bytes.
const MAX_LABEL_BYTES: usize = 63;

/// A host: a DNS name of lower-case letters, digits and hyphens, or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name; never one that a resolver could take for an address.
    Name(Box<str>),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; in brackets as text.
    V6(Ipv6Addr),
}

impl Host {
    /// The address, where the host is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Host::Name(_) => None,
            Host::V4(address) => Some((*address).into()),
            Host::V6(address) => Some((*address).into()),
        }
    }

    /// Whether the host is an address of this machine to itself: in 127.0.0.0/8, or `::1`. A name never is, whatever it
    /// resolves to.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.address().is_some_and(|address| address.is_loopback())
    }

    /// Reads a host in lower case; an IPv6 address in any spelling. The error is the rest of a sentence.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        if let Some(bracketed) = text.strip_prefix('[') {
            let address = bracketed.strip_suffix(']').unwrap_or_default();
            return (address.parse().map(Host::V6))
                .map_err(|_| "is not an IPv6 address in brackets");
        }
        if let Ok(address) = text.parse() {
            return Ok(Host::V4(address));
        }
        name(text)?;
        Ok(Host::Name(text.into()))
    }
}

/// Reads the only spelling of a host.
impl FromStr for Host {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let host = Self::read(text).map_err(|problem| bad(text, problem))?;
        if host.to_string() != text {
            return Err(bad(text, "is not an address in its shortest form"));
        }
        Ok(host)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => formatter.write_str(name),
            Host::V4(address) => address.fmt(formatter),
            Host::V6(address) => write!(formatter, "[{address}]"),
        }
    }
}

as_text!(Host);

/// One host, or every host exactly one label below a domain: `*.example.com` is `a.example.com`, but neither
/// `example.com` nor `a.b.example.com`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern(Form);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Form {
    Exact(Host),
    /// The domain after `*.`; at least two labels.
    Below(Box<str>),
}

impl HostPattern {
    /// Whether the host is meant.
    #[must_use]
    pub fn matches(&self, host: &Host) -> bool {
        match (&self.0, host) {
            (Form::Exact(ours), _) => ours == host,
            (Form::Below(domain), Host::Name(name)) => {
                (name.split_once('.')).is_some_and(|(_, rest)| *rest == **domain)
            }
            (Form::Below(_), Host::V4(_) | Host::V6(_)) => false,
        }
    }

    /// Whether every host that `other` means is meant.
    #[must_use]
    pub fn covers(&self, other: &HostPattern) -> bool {
        match &other.0 {
            Form::Exact(host) => self.matches(host),
            Form::Below(_) => self == other,
        }
    }

    /// The host, where it is exactly one.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        match &self.0 {
            Form::Exact(host) => Some(host),
            Form::Below(_) => None,
        }
    }

    /// The address, where the host is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host().and_then(Host::address)
    }
}

impl From<Host> for HostPattern {
    fn from(host: Host) -> Self {
        Self(Form::Exact(host))
    }
}

/// Reads a host in its only spelling, or `*.` and a domain of at least two labels.
impl FromStr for HostPattern {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let Some(domain) = text.strip_prefix("*.") else {
            return text.parse().map(|host| Self(Form::Exact(host)));
        };
        name(domain).map_err(|problem| bad(text, problem))?;
        // The shortest label in place of the star has to fit.
        if domain.len() + 2 > MAX_NAME_BYTES {
            return Err(bad(text, "is longer than 253 bytes"));
        }
        if !domain.contains('.') {
            let problem =
                "has fewer than two labels after the star, so it would be a whole top-level domain";
            return Err(bad(text, problem));
        }
        Ok(Self(Form::Below(domain.into())))
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Exact(host) => host.fmt(formatter),
            Form::Below(domain) => write!(formatter, "*.{domain}"),
        }
    }
}

as_text!(HostPattern);

fn bad(text: &str, problem: &str) -> Refusal {
    Refusal::format("host:", format_args!("{text:?} {problem}"))
}

/// Checks a DNS name.
fn name(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("is empty");
    }
    if text.len() > MAX_NAME_BYTES {
        return Err("is longer than 253 bytes");
    }
    for label in text.split('.') {
        if label.is_empty() || label.len() > MAX_LABEL_BYTES {
            return Err("has a label that is not 1 to 63 bytes long, or a dot at the end");
        }
        let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if !label.bytes().all(known) || label.starts_with('-') || label.ends_with('-') {
            return Err(
                "has a label that is not of a-z, 0-9 and -, hyphens neither first nor last",
            );
        }
    }
    // Resolvers take 127.1, 0x7f000001 and 2130706433 for addresses (inet_aton).
    if text.rsplit('.').next().is_some_and(is_number) {
        return Err("ends in a number, so it could be taken for an address");
    }
    Ok(())
}

fn is_number(label: &str) -> bool {
    let hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    label.bytes().all(|byte| byte.is_ascii_digit()) || label.strip_prefix("0x").is_some_and(hex)
}
