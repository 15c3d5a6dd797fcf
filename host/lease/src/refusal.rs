//! Why a lease, or something done under it, was refused.

use leasehold_seal::{CanonicalError, Class, Coded, Envelope, PayloadType, SealError};

use crate::pattern::PatternError;

/// A refusal: a stable code, what kind of failure it is, a sentence, and what to do next.
///
/// Errors of `leasehold-seal` keep their own code and class, except that a field which is unknown, missing or of the
/// wrong kind becomes `LEASE-FORMAT`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    code: &'static str,
    class: Class,
    message: String,
    hint: Option<String>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, class: Class, message: impl Into<String>) -> Self {
        Self {
            code,
            class,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// `LEASE-FORMAT`: the document is not of the documented form.
    pub(crate) fn format(field: &str, problem: impl std::fmt::Display) -> Self {
        Self::new(
            "LEASE-FORMAT",
            Class::Integrity,
            format!("{field} {problem}"),
        )
        .with_hint("docs/lease.md lists every field, its range and its unit")
    }

    /// `LEASE-LIMIT`: a limit is missing or out of range.
    pub(crate) fn limit(field: &str, problem: impl std::fmt::Display) -> Self {
        Self::new("LEASE-LIMIT", Class::Refused, format!("{field} {problem}")).with_hint(
            "a root lease states every limit, each within its range; docs/lease.md lists them",
        )
    }

    /// What is wrong with an envelope, whatever it holds.
    pub(crate) fn envelope(error: SealError) -> Self {
        Self {
            code: error.code(),
            class: error.class(),
            message: error.to_string(),
            hint: Some(error.hint().unwrap_or_else(|| NOT_A_LEASE.to_owned())),
        }
    }

    /// JSON of another document than a lease; a field that is unknown, missing or of the wrong kind gets `code`.
    pub(crate) fn json(code: &'static str, what: &str, error: CanonicalError) -> Self {
        let field = matches!(error, CanonicalError::Field { .. });
        let code = if field { code } else { error.code() };
        Self {
            hint: Some(error.hint().unwrap_or_else(|| NOT_A_LEASE.to_owned())),
            ..Self::new(code, error.class(), format!("{what}: {error}"))
        }
    }

    /// `LEASE-UNSUPPORTED`: the lease asks for something this version does not enforce.
    pub(crate) fn unsupported(field: &str, problem: impl std::fmt::Display) -> Self {
        Self::new(
            "LEASE-UNSUPPORTED",
            Class::Refused,
            format!("{field} {problem}"),
        )
        .with_hint("have a lease issued without it, or use a version of Leasehold that enforces it")
    }

    /// `PATTERN-FORMAT` in a lease.
    pub(crate) fn pattern(field: &str, error: &PatternError) -> Self {
        Self {
            hint: error.hint(),
            ..Self::new(error.code(), Class::Refused, format!("{field}: {error}"))
        }
    }
}

impl Coded for Refusal {
    fn code(&self) -> &'static str {
        self.code
    }

    fn class(&self) -> Class {
        self.class
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

impl From<SealError> for Refusal {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Json(error) => error.into(),
            error => Self::envelope(error),
        }
    }
}

impl From<CanonicalError> for Refusal {
    fn from(error: CanonicalError) -> Self {
        if let CanonicalError::Field { .. } = error {
            return Self::format("the lease is not of the documented form:", error);
        }
        Self {
            code: error.code(),
            class: error.class(),
            message: format!("the lease document: {error}"),
            hint: Some(error.hint().unwrap_or_else(|| NOT_A_LEASE.to_owned())),
        }
    }
}

const NOT_A_LEASE: &str =
    "get the lease again from whoever issued it; it has to be used exactly as it was signed";

/// Whether an envelope states that it holds this.
///
/// # Errors
/// `PAYLOAD-TYPE`.
pub(crate) fn check_type(envelope: &Envelope, expected: PayloadType) -> Result<(), Refusal> {
    if envelope.payload_type() == expected.as_str() {
        return Ok(());
    }
    Err(SealError::PayloadType {
        expected: expected.as_str().to_owned(),
        found: envelope.payload_type().to_owned(),
    }
    .into())
}
