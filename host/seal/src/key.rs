//! Ed25519 keys (RFC 8032) as PKCS#8 and SPKI (RFC 8410), in the PEM that `openssl` makes and reads.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, KeypairBytes, PublicKeyBytes};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use crate::digest::{Digest, KeyId};
use crate::error::SealError;

/// An Ed25519 secret key. Its memory is overwritten when it is dropped; it is never printed.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key made from this seed: 32 bytes from a good source of randomness.
    pub fn from_seed(mut seed: [u8; 32]) -> SecretKey {
        let key = SigningKey::from_bytes(&seed);
        seed.zeroize();
        SecretKey(key)
    }

    /// Reads a PKCS#8 PEM (`-----BEGIN PRIVATE KEY-----`), not encrypted.
    ///
    /// # Errors
    /// `KEY-FORMAT` when it is anything else, or when the public key it may carry is not its own.
    pub fn from_pkcs8_pem(pem: &str) -> Result<SecretKey, SealError> {
        let mut pair = KeypairBytes::from_pkcs8_pem(pem)
            .map_err(|error| SealError::KeyFormat(error.to_string()))?;
        let key = SigningKey::try_from(&pair);
        // It does so itself only with a feature that ed25519-dalek does not switch on.
        pair.secret_key.zeroize();
        key.map(SecretKey)
            .map_err(|error| SealError::KeyFormat(error.to_string()))
    }

    /// Writes a PKCS#8 v1 PEM, byte for byte as `openssl genpkey` does.
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        let mut der = Zeroizing::new([0u8; PKCS8_PREFIX.len() + 32]);
        let (prefix, seed) = der.split_at_mut(PKCS8_PREFIX.len());
        prefix.copy_from_slice(&PKCS8_PREFIX);
        seed.copy_from_slice(self.0.as_bytes());
        Zeroizing::new(pem("PRIVATE KEY", der.as_slice()))
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a message (pure Ed25519, deterministic).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretKey(of {})", self.public().key_id())
    }
}

/// An Ed25519 public key that is a point of the curve, canonically encoded, and not of small order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads an SPKI PEM (`-----BEGIN PUBLIC KEY-----`).
    ///
    /// # Errors
    /// `KEY-FORMAT` when it is anything else, `KEY-WEAK` for a point of small order.
    pub fn from_spki_pem(pem: &str) -> Result<PublicKey, SealError> {
        let bytes = PublicKeyBytes::from_public_key_pem(pem)
            .map_err(|error| SealError::KeyFormat(error.to_string()))?;
        PublicKey::from_bytes(&bytes.0)
    }

    /// Reads an SPKI in DER, 44 bytes.
    ///
    /// # Errors
    /// Those of [`PublicKey::from_spki_pem`].
    pub fn from_spki_der(der: &[u8]) -> Result<PublicKey, SealError> {
        let bytes = PublicKeyBytes::from_public_key_der(der)
            .map_err(|error| SealError::KeyFormat(error.to_string()))?;
        PublicKey::from_bytes(&bytes.0)
    }

    /// Reads the 32 bytes of RFC 8032.
    ///
    /// # Errors
    /// `KEY-FORMAT` when they are no point or not its canonical encoding, `KEY-WEAK` for a point of
    /// small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<PublicKey, SealError> {
        let key = VerifyingKey::from_bytes(bytes)
            .map_err(|_| SealError::KeyFormat("the bytes are no point of the curve".to_owned()))?;
        if key.is_weak() {
            return Err(SealError::KeyWeak);
        }
        // A second encoding of the same point would be the same key with another id.
        if !is_reduced(bytes) {
            return Err(SealError::KeyFormat(
                "the point is not in its canonical encoding".to_owned(),
            ));
        }
        Ok(PublicKey(key))
    }

    /// The 32 bytes of RFC 8032.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The SPKI in DER (RFC 8410).
    pub fn spki_der(&self) -> [u8; 44] {
        let mut der = [0u8; 44];
        let (prefix, key) = der.split_at_mut(SPKI_PREFIX.len());
        prefix.copy_from_slice(&SPKI_PREFIX);
        key.copy_from_slice(self.0.as_bytes());
        der
    }

    /// The SPKI as PEM, byte for byte as `openssl pkey -pubout` writes it.
    pub fn to_spki_pem(&self) -> String {
        pem("PUBLIC KEY", &self.spki_der())
    }

    /// The id of this key: SHA-256 of [`PublicKey::spki_der`].
    pub fn key_id(&self) -> KeyId {
        KeyId::from_digest(Digest::of(&self.spki_der()))
    }

    /// Checks a signature over a message, strictly: canonical encodings, no points of small order,
    /// no cofactor, one signature at a time. So everyone who checks comes to the same result.
    ///
    /// # Errors
    /// `SIGNATURE-INVALID`, also when the signature is not 64 bytes long.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SealError> {
        if self.verifies(message, signature) {
            Ok(())
        } else {
            Err(SealError::SignatureInvalid {
                what: format!("the signature by key {}", self.key_id()),
            })
        }
    }

    /// [`PublicKey::verify`] without words for a refusal.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

/// Whether the y coordinate of this point, which is not of small order, is less than the prime 2^255 − 19.
///
/// A point has a second encoding when it is not, or when x is 0 and its sign is set; then y is 1 or −1, and
/// the order is 1 or 2.
fn is_reduced(point: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = point;
    *low < 0xed || high & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff)
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({})", self.key_id())
    }
}

/// Refuses a secret key file that others than its owner may read, write or execute.
///
/// `mode` is what `stat` gives; only the nine permission bits are looked at. Asking the file system is
/// the caller's part.
///
/// # Errors
/// `KEY-PERMISSIONS`.
pub fn check_mode(mode: u32) -> Result<(), SealError> {
    if mode & 0o077 != 0 {
        return Err(SealError::KeyPermissions { mode: mode & 0o777 });
    }
    Ok(())
}

/// One PEM block (RFC 7468), in lines of 64 characters.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let mut line = Zeroizing::new([0u8; 64]);
    // Enough at once, so that no half-written copy of a secret stays behind in memory.
    let mut text = String::with_capacity(der.len().div_ceil(48) * 65 + 80);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    for bytes in der.chunks(48) {
        let length = STANDARD
            .encode_slice(bytes, line.as_mut_slice())
            .unwrap_or_default();
        text.extend(line.iter().take(length).map(|digit| char::from(*digit)));
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// Does not build when the feature that overwrites secret keys is missing.
const _: fn(&SigningKey) -> &dyn ZeroizeOnDrop = |key| key;

/// What stands before the 32 bytes of the key: SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING }.
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// What stands before the 32 bytes of the seed: SEQUENCE { INTEGER 0, SEQUENCE { OID 1.3.101.112 },
/// OCTET STRING { OCTET STRING } }.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
