//! From bytes to a root lease or a child lease.

use leasehold_seal::{CanonicalError, canonical};

use crate::check;
use crate::child::ChildDoc;
use crate::document::LeaseDoc;
use crate::refusal::Refusal;

/// The payload of a lease's envelope.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// A lease that an issuer gives; its `parent` is `null`.
    Root(LeaseDoc),
    /// A lease that the holder of another lease made out of it.
    Child(ChildDoc),
}

impl Document {
    /// Reads a payload: canonical JSON (RFC 8785) of the documented form. Checks all that can be checked without keys,
    /// host and time.
    ///
    /// # Errors
    /// `JSON-…`, `LEASE-FORMAT`, `LEASE-LIMIT`, `LEASE-WINDOW`, `PATTERN-FORMAT`, and `LEASE-UNSUPPORTED` for another
    /// version, clock or source of randomness.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        let document = match Self::quickly(payload) {
            Ok(Some(document)) => document,
            Ok(None) | Err(CanonicalError::Field { .. }) => {
                let value: canonical::Value = canonical::from_slice(payload)?;
                Self::carefully(&value, payload)?
            }
            Err(error) => return Err(error.into()),
        };
        document.checked()
    }

    /// Reads a document that a person wrote: as [`Document::parse`], but spaces and the order of fields are free.
    ///
    /// # Errors
    /// Those of [`Document::parse`].
    pub fn from_draft(json: &[u8]) -> Result<Self, Refusal> {
        let value = canonical::parse(json)?;
        Self::carefully(&value, json)?.checked()
    }

    /// The root lease.
    ///
    /// # Errors
    /// `LEASE-FORMAT` for a child lease.
    pub fn into_root(self) -> Result<LeaseDoc, Refusal> {
        match self {
            Document::Root(document) => Ok(document),
            Document::Child(_) => Err(Refusal::format(
                "parent",
                "is not null, so this is a child lease, which is nothing without its parents",
            )),
        }
    }

    /// Reads by type at once, which is what a good lease costs. `None`: it needs a closer look.
    fn quickly(payload: &[u8]) -> Result<Option<Self>, CanonicalError> {
        // Only a guess at what to try first. A root that was read has no parent, a child that was read has one.
        if ends_like_a_child(payload) {
            return canonical::from_slice(payload).map(|child| Some(Document::Child(child)));
        }
        let root: LeaseDoc = canonical::from_slice(payload)?;
        Ok(root.parent.is_none().then_some(Document::Root(root)))
    }

    /// Reads what should get a code of its own before it is a matter of types.
    fn carefully(value: &canonical::Value, json: &[u8]) -> Result<Self, Refusal> {
        let is_root = value.get("parent").is_none_or(canonical::Value::is_null);
        check::before_reading(value, is_root)?;
        if is_root {
            return Ok(Document::Root(canonical::from_json(json)?));
        }
        Ok(Document::Child(canonical::from_json(json)?))
    }

    fn checked(self) -> Result<Self, Refusal> {
        match &self {
            Document::Root(document) => check::root(document)?,
            Document::Child(document) => document.validate()?,
        }
        Ok(self)
    }
}

/// In canonical JSON `version` is the last field of a lease, and `parent`, which is `null` or a digest, the one before.
fn ends_like_a_child(payload: &[u8]) -> bool {
    let before = payload.strip_suffix(b",\"version\":1}");
    before.is_some_and(|before| before.ends_with(b"\""))
}
