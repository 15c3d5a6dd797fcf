//! Second signatures by ML-DSA-44 (FIPS 204), beside those by Ed25519. **Experimental.**
//!
//! Should Ed25519 fall to a quantum computer, a signature of a key that has a second one (see
//! [`crate::trust`]) still cannot be forged. The second never stands alone. Experimental means: crate
//! `ml-dsa` has not been audited, it is slower and larger (a signature has 2,420 bytes), and the form may
//! change in a later version. Leave it out where that matters.
//!
//! Signing is deterministic, with an empty context, over the same bytes as the first signature. Keys are
//! PKCS#8 and SPKI (RFC 9881) in the PEM that `openssl` 3.5 and later makes and reads.

use std::fmt;
use std::sync::Arc;

use ml_dsa::pkcs8::der::SecretDocument;
use ml_dsa::pkcs8::spki::AssociatedAlgorithmIdentifier as _;
use ml_dsa::pkcs8::{DecodePublicKey as _, PrivateKeyInfoRef};
use ml_dsa::{Keypair as _, MlDsa44, Signature, Signer as _, SigningKey, VerifyingKey};
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use crate::digest::{Digest, KeyId};
use crate::error::SealError;
use crate::key::pem;

/// How long an ML-DSA-44 signature is, in bytes.
pub const SIGNATURE_BYTES: usize = 2420;

/// How long an ML-DSA-44 public key is, in bytes, without what SPKI puts around it.
pub const PUBLIC_KEY_BYTES: usize = 1312;

/// An ML-DSA-44 secret key. Its memory is overwritten when it is dropped; it is never printed.
/// Experimental.
pub struct SecondSecret(SigningKey<MlDsa44>);

impl SecondSecret {
    /// The key made from this seed: 32 bytes from a good source of randomness.
    pub fn from_seed(mut seed: [u8; 32]) -> SecondSecret {
        let key = SigningKey::from_seed((&seed).into());
        seed.zeroize();
        SecondSecret(key)
    }

    /// Reads a PKCS#8 PEM (`-----BEGIN PRIVATE KEY-----`), not encrypted, that holds the seed, with or
    /// without the expanded key beside it. `openssl genpkey -algorithm ML-DSA-44` writes both.
    ///
    /// # Errors
    /// `KEY-FORMAT` when it is anything else, when it holds only the expanded key, or when the expanded
    /// or public key it carries does not belong to its seed.
    pub fn from_pkcs8_pem(pem: &str) -> Result<SecondSecret, SealError> {
        let (label, document) = SecretDocument::from_pem(pem).map_err(malformed)?;
        if label != PRIVATE_LABEL {
            return Err(malformed(format!("it is a PEM of {label:?}")));
        }
        let info = PrivateKeyInfoRef::try_from(document.as_bytes()).map_err(malformed)?;
        if info.algorithm != MlDsa44::ALGORITHM_IDENTIFIER {
            return Err(malformed("it is not of the algorithm ML-DSA-44"));
        }
        let (seed, expanded) = split(info.private_key.as_bytes())
            .ok_or_else(|| malformed("it is not a seed, with or without the expanded key"))?;
        let key = SigningKey::<MlDsa44>::from_seed(seed.into());
        if expanded.is_some_and(|expanded| !is_expansion(expanded, &key)) {
            return Err(malformed("the expanded key is not that of the seed"));
        }
        let own = key.verifying_key().encode();
        if info
            .public_key
            .is_some_and(|public| public.as_bytes() != Some(own.as_slice()))
        {
            return Err(malformed("the public key in it is not that of the seed"));
        }
        Ok(SecondSecret(key))
    }

    /// Writes a PKCS#8 v1 PEM that holds the seed alone.
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        let mut der = Zeroizing::new([0u8; PKCS8_PREFIX.len() + 32]);
        let (prefix, seed) = der.split_at_mut(PKCS8_PREFIX.len());
        prefix.copy_from_slice(&PKCS8_PREFIX);
        seed.copy_from_slice(self.0.as_seed());
        Zeroizing::new(pem(PRIVATE_LABEL, der.as_slice()))
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> SecondKey {
        SecondKey::new(self.0.verifying_key())
    }

    /// Signs a message: ML-DSA-44 with an empty context, deterministic.
    ///
    /// # Errors
    /// `KEY-FORMAT` when the algorithm gives up, of which nobody has ever seen a case.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SealError> {
        let signature = self
            .0
            .try_sign(message)
            .map_err(|_| malformed("it makes no signature over this message"))?;
        Ok(signature.encode().to_vec())
    }
}

impl fmt::Debug for SecondSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecondSecret(of {})", self.public().id())
    }
}

/// An ML-DSA-44 public key. Experimental.
#[derive(Clone)]
pub struct SecondKey {
    id: KeyId,
    /// With values worked out beforehand, which take 20 KB: shared, not copied.
    key: Arc<VerifyingKey<MlDsa44>>,
}

impl SecondKey {
    /// Reads an SPKI PEM (`-----BEGIN PUBLIC KEY-----`).
    ///
    /// # Errors
    /// `KEY-FORMAT` when it is anything else, `KEY-WEAK` for a key of zeros.
    pub fn from_spki_pem(pem: &str) -> Result<SecondKey, SealError> {
        VerifyingKey::from_public_key_pem(pem)
            .map_err(malformed)
            .and_then(SecondKey::checked)
    }

    /// Reads an SPKI in DER, 1,334 bytes.
    ///
    /// # Errors
    /// Those of [`SecondKey::from_spki_pem`].
    pub fn from_spki_der(der: &[u8]) -> Result<SecondKey, SealError> {
        VerifyingKey::from_public_key_der(der)
            .map_err(malformed)
            .and_then(SecondKey::checked)
    }

    /// The SPKI in DER (RFC 9881).
    pub fn spki_der(&self) -> Vec<u8> {
        spki_der(&self.key)
    }

    /// The SPKI as PEM, byte for byte as `openssl pkey -pubout` writes it.
    pub fn to_spki_pem(&self) -> String {
        pem("PUBLIC KEY", &self.spki_der())
    }

    /// The id of this key: SHA-256 of [`SecondKey::spki_der`].
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Checks a signature over a message, with an empty context.
    ///
    /// # Errors
    /// `SIGNATURE-INVALID`, also when the signature is not [`SIGNATURE_BYTES`] long.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SealError> {
        let verified = Signature::<MlDsa44>::try_from(signature)
            .is_ok_and(|signature| self.key.verify_with_context(message, &[], &signature));
        if verified {
            Ok(())
        } else {
            Err(SealError::SignatureInvalid {
                what: format!("the ML-DSA-44 signature (experimental) by key {}", self.id),
            })
        }
    }

    /// Refuses the one key whose signatures everybody can make. FIPS 204 does not.
    fn checked(key: VerifyingKey<MlDsa44>) -> Result<SecondKey, SealError> {
        let bytes = key.encode();
        let (_seed_of_the_matrix, t1) = bytes.split_at(32);
        if t1.iter().all(|byte| *byte == 0) {
            return Err(SealError::KeyWeak);
        }
        Ok(SecondKey::new(key))
    }

    fn new(key: VerifyingKey<MlDsa44>) -> SecondKey {
        SecondKey {
            id: KeyId::from_digest(Digest::of(&spki_der(&key))),
            key: Arc::new(key),
        }
    }
}

/// By id, which names the key.
impl PartialEq for SecondKey {
    fn eq(&self, other: &SecondKey) -> bool {
        self.id == other.id
    }
}

impl Eq for SecondKey {}

impl fmt::Debug for SecondKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecondKey({})", self.id)
    }
}

fn spki_der(key: &VerifyingKey<MlDsa44>) -> Vec<u8> {
    let mut der = SPKI_PREFIX.to_vec();
    der.extend_from_slice(&key.encode());
    der
}

/// The seed and, where it stands beside it, the expanded key (RFC 9881, section 6).
fn split(private_key: &[u8]) -> Option<(&[u8; 32], Option<&[u8]>)> {
    if let Some(seed) = private_key.strip_prefix(&SEED_PREFIX) {
        return Some((seed.try_into().ok()?, None));
    }
    let both = private_key.strip_prefix(&BOTH_PREFIX)?;
    let (seed, rest) = both.split_first_chunk::<32>()?;
    Some((seed, Some(rest.strip_prefix(&EXPANDED_PREFIX)?)))
}

fn is_expansion(expanded: &[u8], key: &SigningKey<MlDsa44>) -> bool {
    #[expect(
        deprecated,
        reason = "the only way to compare; what is in the file is never used as a key"
    )]
    let mut own = key.expanded_key().to_expanded();
    let same = own.as_slice() == expanded;
    own.as_mut_slice().zeroize();
    same
}

fn malformed(why: impl fmt::Display) -> SealError {
    SealError::KeyFormat(format!("a second key is ML-DSA-44 (experimental): {why}"))
}

/// Does not build when the feature that overwrites secret keys is missing.
const _: fn(&SigningKey<MlDsa44>) -> &dyn ZeroizeOnDrop = |key| key;

const PRIVATE_LABEL: &str = "PRIVATE KEY";

/// What stands before the 1,312 bytes of the key: SEQUENCE { SEQUENCE { OID 2.16.840.1.101.3.4.3.17 },
/// BIT STRING }.
const SPKI_PREFIX: [u8; 22] = [
    0x30, 0x82, 0x05, 0x32, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03,
    0x11, 0x03, 0x82, 0x05, 0x21, 0x00,
];

/// What stands before the 32 bytes of the seed: SEQUENCE { INTEGER 0, SEQUENCE { OID }, OCTET STRING
/// { \[0\] } }.
const PKCS8_PREFIX: [u8; 22] = [
    0x30, 0x34, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
    0x03, 0x11, 0x04, 0x22, 0x80, 0x20,
];

/// The private key as a seed alone: \[0\] of 32 bytes.
const SEED_PREFIX: [u8; 2] = [0x80, 0x20];

/// The private key as SEQUENCE { OCTET STRING of 32 bytes, OCTET STRING of 2,560 bytes }.
const BOTH_PREFIX: [u8; 6] = [0x30, 0x82, 0x0a, 0x26, 0x04, 0x20];

/// What stands between the two.
const EXPANDED_PREFIX: [u8; 4] = [0x04, 0x82, 0x0a, 0x00];
