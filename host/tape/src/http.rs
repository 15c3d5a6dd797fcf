//! The bodies of the records of outgoing HTTP: written by the sandbox, read by the audit.
//!
//! Fields are declared in the order of their names, so that these types are canonical JSON (RFC 8785) as they are written.

use std::net::IpAddr;

use leasehold_seal::Digest;
use serde::{Deserialize, Serialize};

use crate::call::{check_call, check_integers};
use crate::error::TapeError;

/// Most entries of [`EffectHttp::secrets`].
pub const MAX_SECRETS: usize = 64;

/// Longest host name, method or scheme, in bytes.
const MAX_TEXT: usize = 255;

/// Body of `effect.http`: a request is about to be sent. Stands between intent and outcome of its call, before the first byte
/// leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectHttp {
    /// The address that is connected to; `None` where it was not known yet.
    pub address: Option<IpAddr>,
    /// The call's id.
    pub call: String,
    /// The host as the request names it: lower-case name, IPv4 address, or IPv6 address in brackets.
    pub host: String,
    /// The method.
    pub method: String,
    /// Number of the request within its call, from 0, without gaps.
    pub n: u64,
    /// Salted digest of path and query; the salt stays in the store.
    pub path: Digest,
    /// The port, not 0.
    pub port: u16,
    /// `https` or `http`.
    pub scheme: String,
    /// Names of the secrets that the host put in: 1 to 64 of `a`–`z`, `0`–`9` and `-` each.
    pub secrets: Vec<String>,
}

impl EffectHttp {
    /// Checks what the types do not.
    pub(crate) fn check(&self) -> Result<(), TapeError> {
        check_call(&self.call)?;
        check_integers(&[self.n])?;
        let fits = |text: &str| {
            (1..=MAX_TEXT).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
        };
        let texts = [&self.host, &self.method];
        if self.port == 0
            || !texts.into_iter().all(|text| fits(text))
            || !matches!(self.scheme.as_str(), "http" | "https")
        {
            return Err(TapeError::Body(format!(
                "request {} of call {} has no method, scheme, host and port that can be",
                self.n, self.call
            )));
        }
        let named = |name: &String| {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            (1..=64).contains(&name.len()) && name.bytes().all(plain)
        };
        if self.secrets.len() > MAX_SECRETS || !self.secrets.iter().all(named) {
            return Err(TapeError::Body(format!(
                "request {} of call {} names secrets that cannot be",
                self.n, self.call
            )));
        }
        Ok(())
    }
}

/// Body of `effect.http-answered`: what became of a request. Stands before the outcome of its call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectHttpAnswered {
    /// The call's id.
    pub call: String,
    /// Stable code of a failure, such as `HTTP-TIMEOUT`.
    pub code: Option<String>,
    /// Number of the request within its call.
    pub n: u64,
    /// Bytes of body received.
    pub received: u64,
    /// Bytes of body sent.
    pub sent: u64,
    /// Status of the response, if there was one.
    pub status: Option<u16>,
}

impl EffectHttpAnswered {
    /// Checks what the types do not.
    pub(crate) fn check(&self) -> Result<(), TapeError> {
        check_call(&self.call)?;
        check_integers(&[self.n, self.received, self.sent])
    }
}
