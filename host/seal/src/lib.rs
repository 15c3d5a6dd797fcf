//! Digests, keys, canonical JSON, signed envelopes and notes, and the trust file.
//!
//! The lowest crate of Leasehold: it knows how bytes are named, signed and checked, and nothing of
//! leases, tapes or plugins. It touches no file, no clock and no source of randomness; whoever calls
//! it brings those along. It also compiles to wasm.
//!
//! | module | what it is about |
//! |---|---|
//! | [`canonical`] | strict JSON in, RFC 8785 out |
//! | [`digest`] | SHA-256 digests and key ids |
//! | [`dsse`] | signed envelopes (DSSE v1.0.2) |
//! | [`error`] | the shape every error of Leasehold has |
//! | [`key`] | Ed25519 keys as PKCS#8 and SPKI |
//! | [`note`] | signed notes (C2SP) |
//! | [`second`] | second signatures by ML-DSA-44 (experimental) |
//! | [`timestamp`] | moments in milliseconds, UTC |
//! | [`trust`] | which keys may do what |

pub mod canonical;
pub mod digest;
pub mod dsse;
pub mod error;
pub mod key;
pub mod note;
pub mod second;
mod text;
pub mod timestamp;
pub mod trust;

pub use canonical::CanonicalError;
pub use digest::{Digest, KeyId, ParseDigestError};
pub use dsse::{Envelope, Opened, PayloadType};
pub use error::{Class, Coded, SealError};
pub use key::{PublicKey, SecretKey};
pub use second::{SecondKey, SecondSecret};
pub use timestamp::{Timestamp, TimestampError};
pub use trust::{ApprovalRule, RevocationRule, RightKind, Role, Trust, TrustedKey};
