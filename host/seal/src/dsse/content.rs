//! What is signed: a payload and its type, kept in the form that signatures are made over.

use crate::digest::Digest;

/// The pre-authentication encoding: what is signed, and what an id is the digest of.
///
/// `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`, lengths in bytes, in decimal.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let (type_bytes, payload_bytes) = (payload_type.len(), payload.len());
    let mut text = String::with_capacity(HEAD_BYTES + type_bytes + payload_bytes);
    for part in [
        "DSSEv1 ",
        &type_bytes.to_string(),
        " ",
        payload_type,
        " ",
        &payload_bytes.to_string(),
        " ",
    ] {
        text.push_str(part);
    }
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// More than the fixed part of a PAE takes with its two numbers.
const HEAD_BYTES: usize = 64;

/// What a payload is: a media type that names both the encoding and the meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PayloadType(&'static str);

impl PayloadType {
    /// A lease.
    pub const LEASE: PayloadType = PayloadType::new("application/vnd.leasehold.lease.v1+json");

    /// A list of leases that are revoked.
    pub const REVOCATIONS: PayloadType =
        PayloadType::new("application/vnd.leasehold.revocations.v1+json");

    /// A proof, by the holder of a lease, that it is they who present it.
    pub const PRESENTATION: PayloadType =
        PayloadType::new("application/vnd.leasehold.presentation.v1+json");

    /// A payload type of somebody else's.
    pub const fn new(text: &'static str) -> PayloadType {
        PayloadType(text)
    }

    /// The media type.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// A payload and its type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    payload_type: String,
    /// The PAE, which ends with the payload.
    signed: Vec<u8>,
    payload_bytes: usize,
    id: Digest,
}

impl Content {
    pub(super) fn new(payload_type: String, payload: &[u8]) -> Content {
        let signed = pae(&payload_type, payload);
        Content {
            id: Digest::of(&signed),
            payload_bytes: payload.len(),
            payload_type,
            signed,
        }
    }

    pub(super) fn payload_type(&self) -> &str {
        &self.payload_type
    }

    pub(super) fn payload(&self) -> &[u8] {
        let start = self.signed.len() - self.payload_bytes;
        self.signed.get(start..).unwrap_or_default()
    }

    pub(super) fn signed(&self) -> &[u8] {
        &self.signed
    }

    pub(super) fn id(&self) -> Digest {
        self.id
    }
}
