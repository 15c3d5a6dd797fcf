//! Why a request was not sent, or has no good answer.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use leasehold_seal::{Class, Coded};

/// What was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The name to be resolved.
    Dns,
    /// The connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The head of the response, once the request was sent.
    FirstByte,
    /// The next bytes of the response's body.
    BetweenBytes,
}

/// Why a request was not sent, or has no good answer. No message has a secret in it, nor a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The name does not resolve.
    #[error("the name {host} does not resolve: {problem}")]
    Dns {
        /// The name.
        host: String,
        /// What the resolver says.
        problem: String,
    },
    /// Every address of the host is one that may not be connected to.
    #[error(
        "{host} is at {address}, which is {kind}, and the lease names no block that it lies in"
    )]
    Address {
        /// The name or address in the request.
        host: String,
        /// The first address that was refused.
        address: IpAddr,
        /// What kind of address it is.
        kind: &'static str,
    },
    /// No address of the host accepts a connection.
    #[error("{host} cannot be reached: {problem}")]
    Connect {
        /// Host and port.
        host: String,
        /// What the system says.
        problem: String,
    },
    /// The TLS handshake failed: the certificate is not trusted, or for another name, for instance.
    #[error("no TLS with {host}: {problem}")]
    Tls {
        /// Host and port.
        host: String,
        /// What is wrong.
        problem: String,
    },
    /// It took too long.
    #[error("{phase} took longer than {} ms", .limit.as_millis())]
    Timeout {
        /// What was waited for.
        phase: Phase,
        /// How long.
        limit: Duration,
    },
    /// The other side does not speak HTTP/1.1 as it should.
    #[error("the response is not proper HTTP: {0}")]
    Protocol(String),
    /// The connection ended before the response was complete.
    #[error("the connection ended early: {0}")]
    Broken(String),
    /// A header has too many fields or bytes, or one that is not the guest's to set.
    #[error("{0}")]
    Headers(String),
    /// A body is longer or shorter than its header says.
    #[error("{0}")]
    BodyLength(String),
    /// Whoever makes the body of the request failed to.
    #[error("the body of the request could not be read to its end")]
    RequestBody,
    /// The other side wants to speak another protocol.
    #[error("the other side switches to another protocol, which was not asked for")]
    Upgrade,
    /// The response is encoded, so secrets in it could not be found.
    #[error("the response has the content-encoding {0:?}, in which secrets cannot be found")]
    Encoding(String),
    /// The guest set a field that a secret goes into.
    #[error("the request already has a field {0}, into which the host puts a secret")]
    SecretHeader(String),
    /// A secret would go over a connection without TLS.
    #[error("the secret {secret:?} would go to {host} in the clear")]
    SecretPlain {
        /// Name of the secret.
        secret: String,
        /// Host and port.
        host: String,
    },
}

impl Coded for HttpError {
    fn code(&self) -> &'static str {
        match self {
            HttpError::Dns { .. } => "HTTP-DNS",
            HttpError::Address { .. } => "HTTP-ADDRESS",
            HttpError::Connect { .. } => "HTTP-CONNECT",
            HttpError::Tls { .. } => "HTTP-TLS",
            HttpError::Timeout { .. } => "HTTP-TIMEOUT",
            HttpError::Protocol(_) => "HTTP-PROTOCOL",
            HttpError::Broken(_) => "HTTP-BROKEN",
            HttpError::Headers(_) => "HTTP-HEADERS",
            HttpError::BodyLength(_) => "HTTP-BODY-LENGTH",
            HttpError::RequestBody => "HTTP-REQUEST-BODY",
            HttpError::Upgrade => "HTTP-UPGRADE",
            HttpError::Encoding(_) => "HTTP-ENCODING",
            HttpError::SecretHeader(_) => "HTTP-SECRET-HEADER",
            HttpError::SecretPlain { .. } => "HTTP-SECRET-PLAIN",
        }
    }

    fn class(&self) -> Class {
        match self {
            HttpError::Address { .. }
            | HttpError::Headers(_)
            | HttpError::Upgrade
            | HttpError::Encoding(_)
            | HttpError::SecretHeader(_)
            | HttpError::SecretPlain { .. } => Class::Refused,
            HttpError::Dns { .. }
            | HttpError::Connect { .. }
            | HttpError::Tls { .. }
            | HttpError::Timeout { .. }
            | HttpError::Protocol(_)
            | HttpError::Broken(_)
            | HttpError::BodyLength(_)
            | HttpError::RequestBody => Class::Blocked,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            HttpError::Dns { .. } => "check the name, and that this machine has a working resolver",
            HttpError::Address { address, .. } => {
                let prefix = if address.is_ipv4() { 32 } else { 128 };
                return Some(format!(
                    "where that is meant, have a lease issued whose http entry names the block: \"addresses\": \
                     [\"{address}/{prefix}\"]"
                ));
            }
            HttpError::Connect { .. } => {
                "check that the server runs and that the network lets it be reached"
            }
            HttpError::Tls { .. } => {
                "check the server's certificate; SSL_CERT_FILE and SSL_CERT_DIR name the roots that are trusted"
            }
            HttpError::Timeout { .. } => "try again, or ask the server's operator",
            HttpError::Protocol(_) | HttpError::Broken(_) | HttpError::Upgrade => {
                "ask the server's operator; only plain HTTP/1.1 is spoken"
            }
            HttpError::Headers(_) => {
                "a header has at most 100 fields and 64 KiB; fields of the connection are set by the host"
            }
            HttpError::BodyLength(_) => "a body has to be as long as its content-length says",
            HttpError::RequestBody => "see what ended the one who writes the body",
            HttpError::Encoding(_) => {
                "where secrets are used, the server has to answer without compression"
            }
            HttpError::SecretHeader(_) => {
                "leave the field out: the lease says what the host puts there"
            }
            HttpError::SecretPlain { .. } => "use https",
        };
        Some(hint.to_owned())
    }
}

impl HttpError {
    pub(crate) fn timeout(phase: Phase, limit: Duration) -> Self {
        Self::Timeout { phase, limit }
    }

    /// What hyper says of a response's body, in our words.
    pub(crate) fn of_body(error: &hyper::Error) -> Self {
        let source = std::error::Error::source(error);
        let io = source.and_then(|source| source.downcast_ref::<io::Error>());
        match io.map(io::Error::kind) {
            Some(io::ErrorKind::UnexpectedEof) => Self::ended_early(),
            // A chunk or trailer that is not of the form it should have.
            Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
                Self::Protocol(error.to_string())
            }
            _ if error.is_incomplete_message() => Self::ended_early(),
            _ => Self::of_hyper(error),
        }
    }

    fn ended_early() -> Self {
        Self::BodyLength("the body of the response ended before it was complete".to_owned())
    }

    /// What hyper says, in our words. Its own never have more in them than the kind of problem.
    pub(crate) fn of_hyper(error: &hyper::Error) -> Self {
        // hyper asks this by a method only of servers.
        if error.to_string() == "message head is too large" {
            return Self::Headers("the header of the response is too large".to_owned());
        }
        if error.is_parse() {
            return Self::Protocol(error.to_string());
        }
        if error.is_user() {
            return Self::RequestBody;
        }
        Self::Broken(error.to_string())
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Phase::Dns => "resolving the name",
            Phase::Connect => "connecting",
            Phase::Tls => "the TLS handshake",
            Phase::FirstByte => "the answer to begin",
            Phase::BetweenBytes => "the next bytes of the answer",
        })
    }
}
