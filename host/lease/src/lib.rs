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
//! | `document`, `limits`, `check` | [`LeaseDoc`]: the fields and their ranges |
//! | `child` | [`ChildDoc`]: a lease made out of a lease by its holder |
//! | `read` | [`Document`]: from bytes to one of the two |
//! | `chain`, `contain` | a lease with its parents; whether each child is within its parent |
//! | `approval`, `revocation`, `presentation` | who else has to agree, who may object, who may use it |
//! | `http`, `secret` | outgoing requests, and what the host puts into them |
//! | `verify`, `verifier` | envelopes, trust, host and time → [`Verified`] → [`Rights`] |
//! | `budget` | [`HopBudget`]: what may be used in total |
//! | `rights`, `narrow` | decisions on rights; fewer rights out of rights |
//! | `refusal` | [`Refusal`]: code, class, sentence, hint |

mod approval;
mod budget;
mod chain;
mod check;
mod child;
mod component;
mod contain;
mod document;
mod fold;
mod http;
mod import;
mod limits;
mod narrow;
mod path;
mod pattern;
mod presentation;
mod read;
mod refusal;
mod revocation;
mod rights;
mod secret;
mod verifier;
mod verify;

pub use approval::{Approval, approvals};
pub use budget::HopBudget;
pub use chain::{Hop, MAX_CHAIN_BYTES, MAX_HOPS, chain_to_json, inspect, parse_chain, sign_child};
pub use check::{
    MAX_ARGUMENT_VECTORS, MAX_ARGUMENTS, MAX_AUDIENCE, MAX_DEPTH, MAX_ENV, MAX_ENV_NAME_BYTES,
    MAX_GRANTS,
};
pub use child::{ChildDoc, ChildGrant, ChildWish};
pub use document::{
    Audience, AudienceEntry, Budget, Clock, EnvGrant, FileGrant, Grant, Holder, Intent, Kind,
    LeaseDoc, Random, VERSION,
};
pub use fold::is_protected_name;
pub use http::{
    AddressBlock, Host, HostPattern, HttpGrant, MAX_BLOCKS, MAX_HTTP, MAX_METHODS,
    MAX_TARGET_BYTES, Method, Permit, Scheme, Target, UrlPattern,
};
pub use import::{Fate, IMPORT_LONGEST_S, ImportTerms, Imported, ImportedField, import};
pub use limits::{Limits, LimitsSpec};
pub use narrow::{Excess, RightsSpec, Wider};
pub use path::{MAX_PATH_BYTES, PathError, RelPath};
pub use pattern::{MAX_PATTERN_BYTES, MAX_PATTERN_COMPONENTS, MAX_PATTERNS, Pattern, PatternError};
pub use presentation::{MAX_PRESENTATION_MS, Presentation};
pub use read::Document;
pub use refusal::Refusal;
pub use revocation::{ISSUED_TOLERANCE_MS, ListSeen, MAX_REVOKED, RevocationList, Revocations};
pub use rights::Rights;
pub use secret::{HeaderField, Injection, MAX_PREFIX_BYTES, MAX_SECRETS, SecretGrant};
pub use verifier::Verifier;
pub use verify::{Here, Verified, verify};
