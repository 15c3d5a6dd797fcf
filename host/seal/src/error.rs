//! The shape every error of Leasehold has, and the errors of this crate.

use crate::canonical::CanonicalError;
use crate::trust::Role;

/// What kind of failure this is; the command line maps it to its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// A tape, lease, plugin, key or bundle is not what it claims (exit code 2).
    Integrity,
    /// A lease, policy or trust file does not allow it (exit code 3).
    Refused,
    /// A plugin ran out of fuel, time, memory or output, or trapped (exit code 4).
    Exhausted,
    /// A gate failed, or a command exited non-zero (exit code 1).
    Failed,
    /// Something needed is missing, so nothing was judged (exit code 5).
    Blocked,
    /// The command line was used wrongly (exit code 64).
    Usage,
    /// A fault of Leasehold itself, or of the machine under it (exit code 70).
    Fault,
}

impl Class {
    /// The exit code of the command line.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Class::Integrity => 2,
            Class::Refused => 3,
            Class::Exhausted => 4,
            Class::Failed => 1,
            Class::Blocked => 5,
            Class::Usage => 64,
            // `EX_USAGE` and `EX_SOFTWARE` of sysexits.h.
            Class::Fault => 70,
        }
    }

    /// Its place among several that apply, the one that matters most first.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Class::Integrity => 0,
            Class::Refused => 1,
            Class::Exhausted => 2,
            Class::Failed => 3,
            Class::Blocked => 4,
            Class::Fault => 5,
            Class::Usage => 6,
        }
    }
}

/// An error with a stable code. `Display` gives the sentence, without code and hint.
pub trait Coded: std::error::Error {
    /// The stable code, `LEASE-EXPIRED` for instance: upper-case words joined by hyphens.
    fn code(&self) -> &'static str;
    /// What kind of failure this is.
    fn class(&self) -> Class;
    /// What to do next, where that can be said.
    fn hint(&self) -> Option<String>;
}

/// Why a key, envelope, note or trust file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// A signature does not verify under the key it is said to be made with.
    #[error("{what} does not verify")]
    SignatureInvalid {
        /// Which signature.
        what: String,
    },
    /// There are fewer signatures by different trusted keys than needed.
    #[error("{}", missing(*.role, *.found, *.needed))]
    SignatureMissing {
        /// The role whose signatures are needed; `None` when there is no signature at all.
        role: Option<Role>,
        /// How many different keys of that role have signed.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A key has signed that counts only beside its second key, and the second key has not.
    #[error(
        "{signers} signed, but the second signature (ML-DSA-44, experimental) that the trust file demands is missing or wrong"
    )]
    SignatureSecond {
        /// Who: names of the trust file, or key ids.
        signers: String,
    },
    /// The signer is not trusted for this role at this time.
    #[error("{0}")]
    KeyUntrusted(String),
    /// The public key is a point of small order, or a second key of zeros: anyone can sign under it.
    #[error("the public key is weak: a signature under it proves nothing")]
    KeyWeak,
    /// The text or bytes are not a key of the expected form.
    #[error("not a usable key: {0}")]
    KeyFormat(String),
    /// Others than the owner may read or write the secret key file.
    #[error("the secret key file has mode {mode:03o}, so others than its owner can reach it")]
    KeyPermissions {
        /// The permission bits of the file.
        mode: u32,
    },
    /// The bytes are not an envelope this version reads.
    #[error("not a signed envelope: {0}")]
    EnvelopeFormat(String),
    /// The envelope holds something else than what was asked for.
    #[error("the envelope holds {found:?}, expected {expected:?}")]
    PayloadType {
        /// The payload type asked for.
        expected: String,
        /// The payload type the envelope states.
        found: String,
    },
    /// The bytes are not a signed note.
    #[error("not a signed note: {0}")]
    NoteFormat(String),
    /// The bytes are not a trust file.
    #[error("not a trust file: {0}")]
    TrustFormat(String),
    /// The trust file states something this version cannot enforce.
    #[error("the trust file states {0}, which this version cannot enforce")]
    TrustUnsupported(String),
    /// The JSON itself is refused.
    #[error(transparent)]
    Json(#[from] CanonicalError),
}

impl Coded for SealError {
    fn code(&self) -> &'static str {
        match self {
            SealError::SignatureInvalid { .. } => "SIGNATURE-INVALID",
            SealError::SignatureMissing { .. } => "SIGNATURE-MISSING",
            SealError::SignatureSecond { .. } => "SIGNATURE-SECOND",
            SealError::KeyUntrusted(_) => "KEY-UNTRUSTED",
            SealError::KeyWeak => "KEY-WEAK",
            SealError::KeyFormat(_) => "KEY-FORMAT",
            SealError::KeyPermissions { .. } => "KEY-PERMISSIONS",
            SealError::EnvelopeFormat(_) => "ENVELOPE-FORMAT",
            SealError::PayloadType { .. } => "PAYLOAD-TYPE",
            SealError::NoteFormat(_) => "NOTE-FORMAT",
            SealError::TrustFormat(_) => "TRUST-FORMAT",
            SealError::TrustUnsupported(_) => "TRUST-UNSUPPORTED",
            SealError::Json(inner) => inner.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            SealError::SignatureMissing { .. }
            | SealError::SignatureSecond { .. }
            | SealError::KeyUntrusted(_)
            | SealError::KeyWeak
            | SealError::KeyPermissions { .. }
            | SealError::TrustUnsupported(_) => Class::Refused,
            SealError::SignatureInvalid { .. }
            | SealError::KeyFormat(_)
            | SealError::EnvelopeFormat(_)
            | SealError::PayloadType { .. }
            | SealError::NoteFormat(_)
            | SealError::TrustFormat(_) => Class::Integrity,
            SealError::Json(inner) => inner.class(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            SealError::SignatureInvalid { .. } => {
                "get the original file again: it was changed after it was signed"
            }
            SealError::SignatureMissing { .. } => {
                "have it signed by more of the keys in the trust file"
            }
            SealError::SignatureSecond { .. } => {
                "get the original file again, or have it signed with the second key as well"
            }
            SealError::KeyUntrusted(_) => {
                "add the signer to the trust file with this role, or have it signed by a trusted key"
            }
            SealError::KeyWeak => "make a new key with `leasehold key new`",
            SealError::KeyFormat(_) => {
                "keys are Ed25519 in PEM: `openssl genpkey -algorithm ed25519`, `openssl pkey -pubout`"
            }
            SealError::KeyPermissions { .. } => "run `chmod 600` on the key file",
            SealError::TrustUnsupported(_) => {
                "remove it from the trust file, or use a version of Leasehold that enforces it"
            }
            SealError::Json(inner) => return inner.hint(),
            SealError::EnvelopeFormat(_) => {
                "a signed document is a DSSE envelope: payload, payloadType and signatures"
            }
            SealError::PayloadType { .. } => "this is a signed document of another kind",
            SealError::NoteFormat(_) => "a checkpoint is a signed note; docs/tape.md has its form",
            SealError::TrustFormat(_) => {
                "`leasehold init` in a new home shows what a trust file looks like"
            }
        };
        Some(hint.to_owned())
    }
}

fn missing(role: Option<Role>, found: usize, needed: usize) -> String {
    match role {
        Some(role) => format!(
            "{needed} different {role} keys have to sign, and {found} of those that are trusted did"
        ),
        None => "the envelope has no signature".to_owned(),
    }
}
