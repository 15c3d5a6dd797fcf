//! Outgoing HTTP under a lease: what is asked of whom, where it really goes, and what the host puts in.
//!
//! A request goes through a chain of types, none of which can be made without the one before:
//! [`leasehold_lease::Permit`] (a grant allows method, host, port and path) → [`Outgoing`] (its header fields are in
//! order, secrets are chosen) → [`Connected`] (the address is allowed, the connection stands; nothing was asked yet, so
//! that the address can be recorded first) → [`Answered`]. One request, one connection: nothing is reused, no redirect is
//! followed, no proxy asked, no cookie kept, and the environment says nothing but where trusted certificates are.
//!
//! This crate knows no guest and no wasmtime. It runs on the tokio runtime of whoever calls it, which may stand still
//! between polls; time that passes then counts against nobody ([`Limits`]).
//!
//! | module | what it is about |
//! |---|---|
//! | `address` | [`check_address`]: which addresses may be connected to |
//! | `resolve` | [`Resolver`]: names to addresses, asked once |
//! | `outgoing` | [`Outgoing`]: header fields, and secrets put into them |
//! | `client`, `connect`, `tls` | [`Client`], [`Connected`]: from a name to a connection |
//! | `exchange`, `body`, `io` | [`Answered`], [`ResponseBody`], [`Driver`]: one request and its answer |
//! | `patience` | [`Limits`] and [`Options`]: how long and how much |
//! | `secret`, `redact` | [`Secret`], [`Redactor`]: values that must not come back |
//! | `error` | [`HttpError`]: code, class, sentence, hint |

mod address;
mod body;
mod client;
mod connect;
mod error;
mod exchange;
mod io;
mod outgoing;
mod patience;
mod redact;
mod resolve;
mod secret;
mod tls;

pub use address::check_address;
pub use body::ResponseBody;
pub use client::Client;
pub use connect::Connected;
pub use error::{HttpError, Phase};
pub use exchange::{Answered, Driver};
pub use io::Traffic;
pub use outgoing::{Outgoing, Placed};
pub use patience::{Limits, MAX_HEADER_BYTES, MAX_HEADERS, MAX_INFORMATIONAL, Options};
pub use redact::{Redaction, Redactor};
pub use resolve::{Resolver, Resolving, SystemResolver};
pub use secret::{MAX_SECRET_BYTES, MIN_SECRET_BYTES, Secret, SecretError};
pub use tls::Roots;
