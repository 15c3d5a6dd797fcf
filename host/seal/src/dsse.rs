//! Signed envelopes: DSSE v1.0.2 (<https://github.com/secure-systems-lab/dsse>, `protocol.md` and
//! `envelope.md`).
//!
//! What is stricter here than the specification, and what is not:
//! - Fields we do not know are ignored, as `envelope.md` demands ("consumers MUST ignore unrecognized
//!   fields"). They are not signed and have no meaning here. They still have to be well-formed: a key
//!   that occurs twice in one object, at any depth, refuses the whole envelope.
//! - Base64 may use the standard or the URL-safe alphabet, not both in one field, with padding and
//!   with unused bits zero. So of one payload there are at most two spellings, and its id knows neither.
//! - `keyid` is a hint: it says which key is tried first, and words error messages. The result is the
//!   same without it, since each signature is tried with each trusted key.
//! - Where a trusted key has a second one (see [`crate::trust`]), its signature counts only when the
//!   envelope also has one by the second key, over the same PAE.
//! - An envelope has from one to [`MAX_SIGNATURES`] signatures and at most [`MAX_BYTES`] bytes.

mod content;
mod opening;

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

pub use content::{PayloadType, pae};
pub use opening::Opened;

use crate::canonical;
use crate::digest::{Digest, KeyId};
use crate::error::SealError;
use crate::key::SecretKey;
use crate::second::SecondSecret;
use content::Content;

/// How long an envelope may be, in bytes of JSON.
pub const MAX_BYTES: usize = canonical::MAX_BYTES;

/// How many signatures an envelope may carry.
pub const MAX_SIGNATURES: usize = 16;

/// One signature of an envelope, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Which key it claims to be by. Not signed: a hint, which decides nothing.
    pub keyid: Option<String>,
    /// The signature over the PAE.
    pub sig: Vec<u8>,
}

impl Signature {
    /// The key it claims to be by, where that is a key id.
    fn claimed(&self) -> Option<KeyId> {
        self.keyid.as_ref()?.parse().ok()
    }
}

/// A payload with signatures, none of them verified yet. Only [`Envelope::open`] and
/// [`Envelope::open_as`] lead to the payload of a known signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    content: Arc<Content>,
    signatures: Vec<Signature>,
    fingerprint: Digest,
}

impl Envelope {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// `ENVELOPE-FORMAT`, `SIGNATURE-MISSING` when it has no signature, or a `JSON-…` code.
    pub fn parse(bytes: &[u8]) -> Result<Envelope, SealError> {
        let wire: Wire<'_> = canonical::from_foreign(bytes, MAX_BYTES)?;
        if wire.signatures.len() > MAX_SIGNATURES {
            return Err(SealError::EnvelopeFormat(format!(
                "{} signatures, more than the {MAX_SIGNATURES} allowed",
                wire.signatures.len()
            )));
        }
        if wire.signatures.is_empty() {
            return Err(UNSIGNED);
        }
        let signatures = wire
            .signatures
            .into_iter()
            .map(|signature| {
                let keyid = signature.keyid.map(Cow::into_owned);
                Ok(Signature {
                    // "An unset field MUST be treated the same as set-but-empty."
                    keyid: keyid.filter(|keyid| !keyid.is_empty()),
                    sig: decode("sig", &signature.sig)?,
                })
            })
            .collect::<Result<_, SealError>>()?;
        let payload = decode("payload", &wire.payload)?;
        let content = Content::new(wire.payload_type.into_owned(), &payload);
        Ok(Envelope::new(Arc::new(content), signatures))
    }

    /// Signs a payload with one or more keys.
    ///
    /// # Errors
    /// `SIGNATURE-MISSING` without a key, `ENVELOPE-FORMAT` with more than [`MAX_SIGNATURES`] or when
    /// the envelope would be longer than [`MAX_BYTES`].
    pub fn sign(
        payload_type: PayloadType,
        payload: Vec<u8>,
        keys: &[&SecretKey],
    ) -> Result<Envelope, SealError> {
        if keys.is_empty() {
            return Err(UNSIGNED);
        }
        let content = Content::new(payload_type.as_str().to_owned(), &payload);
        let signatures = keys.iter().map(|key| sign(&content, key)).collect();
        Envelope::new(Arc::new(content), signatures).checked()
    }

    /// Adds one more signature over the same payload; the id stays the same.
    ///
    /// # Errors
    /// `ENVELOPE-FORMAT`, as [`Envelope::sign`].
    pub fn with_signature(self, key: &SecretKey) -> Result<Envelope, SealError> {
        let signature = sign(&self.content, key);
        self.with(signature)
    }

    /// Adds a signature by a second key (ML-DSA-44, experimental) over the same payload; the id stays the
    /// same. It counts for nothing by itself: see [`crate::trust`].
    ///
    /// # Errors
    /// Those of [`Envelope::with_signature`] and [`SecondSecret::sign`].
    pub fn with_second_signature(self, key: &SecondSecret) -> Result<Envelope, SealError> {
        let signature = Signature {
            keyid: Some(key.public().id().to_string()),
            sig: key.sign(self.content.signed())?,
        };
        self.with(signature)
    }

    /// Writes the JSON form, canonically, with standard base64.
    ///
    /// # Errors
    /// `ENVELOPE-FORMAT` when it is longer than [`MAX_BYTES`], which can only happen to an envelope
    /// that was parsed from a text of nearly that size with short spellings.
    pub fn to_json(&self) -> Result<Vec<u8>, SealError> {
        let wire = Wire {
            payload: STANDARD.encode(self.content.payload()).into(),
            payload_type: self.content.payload_type().into(),
            signatures: self
                .signatures
                .iter()
                .map(|signature| WireSignature {
                    keyid: signature.keyid.as_deref().map(Cow::Borrowed),
                    sig: STANDARD.encode(&signature.sig).into(),
                })
                .collect(),
        };
        canonical::to_vec_limited(&wire, MAX_BYTES)
            .map_err(|error| SealError::EnvelopeFormat(error.to_string()))
    }

    /// The id: SHA-256 of the PAE. It depends on type and payload, not on signatures or spelling. Worked
    /// out once, when the envelope is made.
    pub fn id(&self) -> Digest {
        self.content.id()
    }

    /// The digest of what decides whether the envelope opens: the same payload with the same signatures
    /// in the same order has the same fingerprint, whatever its hints and spelling. Worked out once, when
    /// the envelope is made.
    ///
    /// SHA-256 of the 32 bytes of the id and, for each signature, its length in bytes (8 bytes, most
    /// significant first) and the signature.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// The payload type it states.
    pub fn payload_type(&self) -> &str {
        self.content.payload_type()
    }

    /// The payload, from whomever it may be. For showing what a file holds, never for acting on it.
    pub fn unverified_payload(&self) -> &[u8] {
        self.content.payload()
    }

    /// The signatures, from whomever they may be.
    pub fn unverified_signatures(&self) -> &[Signature] {
        &self.signatures
    }

    fn new(content: Arc<Content>, signatures: Vec<Signature>) -> Envelope {
        let mut hasher = sha2::Sha256::new();
        hasher.update(content.id().as_bytes());
        for signature in &signatures {
            hasher.update((signature.sig.len() as u64).to_be_bytes());
            hasher.update(&signature.sig);
        }
        Envelope {
            content,
            signatures,
            fingerprint: Digest::from_bytes(hasher.finalize().into()),
        }
    }

    fn with(self, signature: Signature) -> Result<Envelope, SealError> {
        let mut signatures = self.signatures;
        signatures.push(signature);
        Envelope::new(self.content, signatures).checked()
    }

    fn checked(self) -> Result<Envelope, SealError> {
        if self.signatures.len() > MAX_SIGNATURES {
            return Err(SealError::EnvelopeFormat(format!(
                "more than the {MAX_SIGNATURES} signatures allowed"
            )));
        }
        self.to_json()?;
        Ok(self)
    }
}

fn sign(content: &Content, key: &SecretKey) -> Signature {
    Signature {
        keyid: Some(key.public().key_id().to_string()),
        sig: key.sign(content.signed()).to_vec(),
    }
}

const UNSIGNED: SealError = SealError::SignatureMissing {
    role: None,
    found: 0,
    needed: 1,
};

/// The envelope as it stands in JSON. No `deny_unknown_fields`: see the module.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
    #[serde(borrow, rename = "payloadType")]
    payload_type: Cow<'a, str>,
    #[serde(borrow)]
    signatures: Vec<WireSignature<'a>>,
}

#[derive(Serialize, Deserialize)]
struct WireSignature<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    keyid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sig: Cow<'a, str>,
}

fn decode(field: &str, text: &str) -> Result<Vec<u8>, SealError> {
    STANDARD
        .decode(text)
        .or_else(|error| {
            // The standard alphabet has neither, so no text has two readings.
            if text.contains(['-', '_']) {
                URL_SAFE.decode(text)
            } else {
                Err(error)
            }
        })
        .map_err(|error| SealError::EnvelopeFormat(format!("{field} is not base64: {error}")))
}
