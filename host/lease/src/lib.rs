//! The lease document, path patterns and what remains after verification: rights.
//!
//! A lease is a signed document that says which plugin may do what. This crate decides: whether a lease is good here
//! and now ([`verify`]), and what a plugin may then do ([`Rights`]). It does no I/O, knows no clock but the time it is
//! given, and compiles to wasm. The format is described in `docs/lease.md`.
//!
//! | module | what it is about |
//! |---|---|
//! | `path` | [`RelPath`]: a path that cannot leave the workspace by its text |
//! | `pattern`, `component` | [`Pattern`]: matching, denying, containment |
//! | `fold` | what file systems may take for the same name; protected names |
//! | `document`, `check` | [`LeaseDoc`]: the fields, their ranges, what is not supported |
//! | `verify` | envelope, trust, host and time → [`Verified`] → [`Rights`] |
//! | `rights`, `narrow` | decisions on rights; fewer rights out of rights |
//! | `refusal` | [`Refusal`]: code, class, sentence, hint |

mod check;
mod component;
mod document;
mod fold;
mod narrow;
mod path;
mod pattern;
mod refusal;
mod rights;
mod verify;

pub use check::{
    MAX_ARGUMENT_VECTORS, MAX_ARGUMENTS, MAX_AUDIENCE, MAX_ENV, MAX_ENV_NAME_BYTES, MAX_GRANTS,
};
pub use document::{
    Audience, AudienceEntry, Budget, Clock, EnvGrant, FileGrant, Grant, Holder, HttpGrant,
    Injection, Intent, Kind, LeaseDoc, Limits, Random, SecretGrant, VERSION,
};
pub use fold::is_protected_name;
pub use narrow::{Excess, LimitsSpec, RightsSpec, Wider};
pub use path::{MAX_PATH_BYTES, PathError, RelPath};
pub use pattern::{MAX_PATTERN_BYTES, MAX_PATTERN_COMPONENTS, MAX_PATTERNS, Pattern, PatternError};
pub use refusal::Refusal;
pub use rights::Rights;
pub use verify::{Verified, verify};
