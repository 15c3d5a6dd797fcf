//! Signed envelopes: DSSE v1.0.2 (<https://github.com/secure-systems-lab/dsse>, `protocol.md` and
//! `envelope.md`).
//!
//! What is stricter here than the specification, and what is not:
//! - Fields we do not know are ignored, as `envelope.md` demands ("consumers MUST ignore unrecognized
//!   fields"). They are not signed and have no meaning here. They still have to be well-formed: a key
//!   that occurs twice in one object, at any depth, refuses the whole envelope.
//! - Base64 may use the standard or the URL-safe alphabet, not both in one field, with padding and
//!   with unused bits zero. So of one payload there are at most two spellings, and its id knows neither.
//! - `keyid` is a hint that only words error messages; each signature is tried with each trusted key.
//! - An envelope has from one to [`MAX_SIGNATURES`] signatures and at most [`MAX_BYTES`] bytes.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::digest::{Digest, KeyId};
use crate::error::SealError;
use crate::key::SecretKey;
use crate::timestamp::Timestamp;
use crate::trust::{Role, Trust};

/// How long an envelope may be, in bytes of JSON.
pub const MAX_BYTES: usize = canonical::MAX_BYTES;

/// How many signatures an envelope may carry.
pub const MAX_SIGNATURES: usize = 16;

/// The pre-authentication encoding: what is signed, and what an id is the digest of.
///
/// `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`, lengths in bytes, in decimal.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// What a payload is: a media type that names both the encoding and the meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PayloadType(&'static str);

impl PayloadType {
    /// A lease.
    pub const LEASE: PayloadType = PayloadType::new("application/vnd.leasehold.lease.v1+json");

    /// A payload type of somebody else's.
    pub const fn new(text: &'static str) -> PayloadType {
        PayloadType(text)
    }

    /// The media type.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// One signature of an envelope, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Which key it claims to be by. Not signed: a hint for messages, nothing else.
    pub keyid: Option<String>,
    /// The signature over the PAE.
    pub sig: Vec<u8>,
}

/// A payload with signatures, none of them verified yet. Only [`Envelope::open`] leads to the payload
/// of a trusted signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

impl Envelope {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// `ENVELOPE-FORMAT`, `SIGNATURE-MISSING` when it has no signature, or a `JSON-…` code.
    pub fn parse(bytes: &[u8]) -> Result<Envelope, SealError> {
        let wire: Wire = canonical::from_foreign(bytes, MAX_BYTES)?;
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
                Ok(Signature {
                    // "An unset field MUST be treated the same as set-but-empty."
                    keyid: signature.keyid.filter(|keyid| !keyid.is_empty()),
                    sig: decode("sig", &signature.sig)?,
                })
            })
            .collect::<Result<_, SealError>>()?;
        Ok(Envelope {
            payload_type: wire.payload_type,
            payload: decode("payload", &wire.payload)?,
            signatures,
        })
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
        let mut envelope = Envelope {
            payload_type: payload_type.as_str().to_owned(),
            payload,
            signatures: Vec::new(),
        };
        if keys.is_empty() {
            return Err(UNSIGNED);
        }
        for key in keys {
            envelope.push_signature(key);
        }
        envelope.checked()
    }

    /// Adds one more signature over the same payload; the id stays the same.
    ///
    /// # Errors
    /// `ENVELOPE-FORMAT`, as [`Envelope::sign`].
    pub fn with_signature(mut self, key: &SecretKey) -> Result<Envelope, SealError> {
        self.push_signature(key);
        self.checked()
    }

    /// Writes the JSON form, canonically, with standard base64.
    ///
    /// # Errors
    /// `ENVELOPE-FORMAT` when it is longer than [`MAX_BYTES`], which can only happen to an envelope
    /// that was parsed from a text of nearly that size with short spellings.
    pub fn to_json(&self) -> Result<Vec<u8>, SealError> {
        let wire = Wire {
            payload: STANDARD.encode(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: self
                .signatures
                .iter()
                .map(|signature| WireSignature {
                    keyid: signature.keyid.clone(),
                    sig: STANDARD.encode(&signature.sig),
                })
                .collect(),
        };
        canonical::to_vec_limited(&wire, MAX_BYTES)
            .map_err(|error| SealError::EnvelopeFormat(error.to_string()))
    }

    /// The id: SHA-256 of the PAE. It depends on type and payload, not on signatures or spelling.
    pub fn id(&self) -> Digest {
        Digest::of(&pae(&self.payload_type, &self.payload))
    }

    /// The payload type it states.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload, from whomever it may be. For showing what a file holds, never for acting on it.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signatures, from whomever they may be.
    pub fn unverified_signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Verifies: the payload type is the expected one, and as many different keys as the trust file
    /// demands, all with that role at that time, have signed.
    ///
    /// Signatures that do not verify are skipped, as the specification says, so an envelope may carry
    /// signatures of strangers.
    ///
    /// # Errors
    /// - `PAYLOAD-TYPE`: it holds something else.
    /// - `SIGNATURE-MISSING`: trusted keys have signed, but not enough of them.
    /// - `SIGNATURE-INVALID`: none did, and a signature claims a trusted key or no key at all.
    /// - `KEY-UNTRUSTED`: none did, and all signatures claim keys that lack the role at that time.
    pub fn open(
        &self,
        payload_type: PayloadType,
        role: Role,
        trust: &Trust,
        at: Timestamp,
    ) -> Result<Opened, SealError> {
        if self.payload_type != payload_type.as_str() {
            return Err(SealError::PayloadType {
                expected: payload_type.as_str().to_owned(),
                found: self.payload_type.clone(),
            });
        }
        let signed = pae(&self.payload_type, &self.payload);
        let mut signers: Vec<KeyId> = Vec::new();
        for signature in &self.signatures {
            for trusted in trust.keys(role, at) {
                if !signers.contains(&trusted.id())
                    && trusted.key().verify(&signed, &signature.sig).is_ok()
                {
                    signers.push(trusted.id());
                }
            }
        }
        let needed = trust.threshold(role);
        if signers.len() >= needed {
            return Ok(Opened {
                payload: self.payload.clone(),
                id: Digest::of(&signed),
                signers,
            });
        }
        if signers.is_empty() {
            return Err(self.explain(role, trust, at));
        }
        Err(SealError::SignatureMissing {
            role: Some(role),
            found: signers.len(),
            needed,
        })
    }

    fn push_signature(&mut self, key: &SecretKey) {
        self.signatures.push(Signature {
            keyid: Some(key.public().key_id().to_string()),
            sig: key.sign(&pae(&self.payload_type, &self.payload)).to_vec(),
        });
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

    /// Why no signature counted. Believes the hints, so it may word an error and do nothing else.
    fn explain(&self, role: Role, trust: &Trust, at: Timestamp) -> SealError {
        let mut strangers = Vec::new();
        for signature in &self.signatures {
            let Some(hint) = &signature.keyid else {
                return SealError::SignatureInvalid {
                    what: format!("the signature, tried with every {role} key of the trust file,"),
                };
            };
            let known = hint.parse().ok().and_then(|id| trust.key(&id));
            strangers.push(match known {
                Some(key) if key.has_role(role) && key.valid_at(at) => {
                    return SealError::SignatureInvalid {
                        what: format!("the signature said to be by {:?}", key.name()),
                    };
                }
                Some(key) if key.has_role(role) => {
                    format!("{:?}, which is not valid at {at}", key.name())
                }
                Some(key) => format!("{:?}, which does not have the role {role}", key.name()),
                None => format!("{hint:?}, which is not in the trust file"),
            });
        }
        SealError::KeyUntrusted(format!(
            "not signed by a trusted {role} key; the signatures are said to be by {}",
            strangers.join("; ")
        ))
    }
}

/// The payload of a verified envelope. Only [`Envelope::open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    payload: Vec<u8>,
    id: Digest,
    signers: Vec<KeyId>,
}

impl Opened {
    /// The bytes that were signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The id: SHA-256 of the PAE.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// The trusted keys whose signatures were verified, each once, in the order of the signatures.
    pub fn signers(&self) -> &[KeyId] {
        &self.signers
    }
}

const UNSIGNED: SealError = SealError::SignatureMissing {
    role: None,
    found: 0,
    needed: 1,
};

/// The envelope as it stands in JSON. No `deny_unknown_fields`: see the module.
#[derive(Serialize, Deserialize)]
struct Wire {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
struct WireSignature {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
    sig: String,
}

fn decode(field: &str, text: &str) -> Result<Vec<u8>, SealError> {
    let engine = if text.contains(['-', '_']) {
        URL_SAFE
    } else {
        STANDARD
    };
    engine
        .decode(text)
        .map_err(|error| SealError::EnvelopeFormat(format!("{field} is not base64: {error}")))
}
