//! Who has signed an envelope: the only way from an envelope to a payload one may act on.

use std::sync::Arc;

use super::{Content, Envelope, PayloadType, Signature};
use crate::digest::{Digest, KeyId};
use crate::error::SealError;
use crate::key::PublicKey;
use crate::second::{self, SecondKey};
use crate::timestamp::Timestamp;
use crate::trust::{Role, Trust, TrustedKey};

impl Envelope {
    /// Verifies: the payload type is the expected one, and as many different keys as the trust file
    /// demands, all with that role at that time, have signed, each with its second key where it has one.
    ///
    /// Signatures that do not verify are skipped, as the specification says, so an envelope may carry
    /// signatures of strangers.
    ///
    /// # Errors
    /// - `PAYLOAD-TYPE`: it holds something else.
    /// - `SIGNATURE-SECOND`: not enough trusted keys have signed, since the second signature of one is
    ///   missing or does not verify.
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
        self.expect_type(payload_type)?;
        let found = self.find_signers(role, trust, at, &[]);
        let needed = trust.threshold(role);
        if found.signers.len() >= needed {
            return Ok(self.opened(found.signers));
        }
        if !found.without_second.is_empty() {
            return Err(SealError::SignatureSecond {
                signers: found.without_second.join(" and "),
            });
        }
        if found.signers.is_empty() {
            return Err(self.explain(role, trust, at));
        }
        Err(SealError::SignatureMissing {
            role: Some(role),
            found: found.signers.len(),
            needed,
        })
    }

    /// Verifies: the payload type is the expected one, and this very key has signed, whoever else may
    /// have. For payloads that name the key themselves and derive their standing from elsewhere (a child
    /// lease, a presentation): what follows from the signature is the caller's business.
    ///
    /// # Errors
    /// - `PAYLOAD-TYPE`: it holds something else.
    /// - `SIGNATURE-INVALID`: the key has not signed, and a signature claims it or no key at all.
    /// - `KEY-UNTRUSTED`: the key has not signed, and all signatures claim other keys.
    pub fn open_as(&self, payload_type: PayloadType, key: &PublicKey) -> Result<Opened, SealError> {
        self.expect_type(payload_type)?;
        let bytes = self.content.signed();
        let signs = |signature: &Signature| key.verifies(bytes, &signature.sig);
        let id = key.key_id();
        if self.signatures.iter().any(signs) {
            return Ok(self.opened(vec![id]));
        }
        let claims: Vec<_> = self
            .signatures
            .iter()
            .filter_map(|signature| signature.keyid.as_deref())
            .collect();
        if claims.len() == self.signatures.len() && !claims.contains(&id.to_string().as_str()) {
            return Err(SealError::KeyUntrusted(format!(
                "not signed by key {id}; the signatures are said to be by {}",
                claims.join(" and ")
            )));
        }
        Err(SealError::SignatureInvalid {
            what: format!("the signature by key {id}"),
        })
    }

    /// The approver keys of the trust file, valid at that time, that have signed this envelope, each
    /// once, in the order of the signatures; without those in `except`, which are the keys that count as
    /// its issuers ([`Opened::signers`]). As in [`Envelope::open`], a key with a second one counts only
    /// when both have signed.
    pub fn approvers(&self, trust: &Trust, at: Timestamp, except: &[KeyId]) -> Vec<KeyId> {
        self.find_signers(Role::Approver, trust, at, except).signers
    }

    fn expect_type(&self, payload_type: PayloadType) -> Result<(), SealError> {
        if self.payload_type() != payload_type.as_str() {
            return Err(SealError::PayloadType {
                expected: payload_type.as_str().to_owned(),
                found: self.payload_type().to_owned(),
            });
        }
        Ok(())
    }

    fn opened(&self, signers: Vec<KeyId>) -> Opened {
        Opened {
            content: Arc::clone(&self.content),
            signers,
        }
    }

    /// The keys with this role at this time, except some, that have signed.
    fn find_signers(&self, role: Role, trust: &Trust, at: Timestamp, except: &[KeyId]) -> Found {
        let mut found = Found::default();
        let mut done = except.to_vec();
        for signature in &self.signatures {
            let candidates = || trust.keys(role, at).filter(|key| !done.contains(&key.id()));
            let Some(signer) = self.signer(signature, candidates) else {
                continue;
            };
            // Once is enough: the same signature twice, or two by one key, are one signer.
            done.push(signer.id());
            match signer.second() {
                Some(second) if !self.has_second(second) => {
                    found.without_second.push(format!("{:?}", signer.name()));
                }
                _ => found.signers.push(signer.id()),
            }
        }
        found
    }

    /// Which of these keys made this signature. A strictly verified Ed25519 signature has one signer, so
    /// it does not matter which key is tried first: the one that is hinted at, for speed.
    fn signer<'a, Keys: Iterator<Item = &'a TrustedKey>>(
        &self,
        signature: &Signature,
        candidates: impl Fn() -> Keys,
    ) -> Option<&'a TrustedKey> {
        let bytes = self.content.signed();
        let signs = |key: &&TrustedKey| key.key().verifies(bytes, &signature.sig);
        let hint = signature.claimed();
        let hinted = hint.and_then(|hint| candidates().find(|key| key.id() == hint));
        hinted.filter(signs).or_else(|| {
            candidates()
                .filter(|key| Some(key.id()) != hint)
                .find(signs)
        })
    }

    /// Whether this second key has signed.
    fn has_second(&self, key: &SecondKey) -> bool {
        let bytes = self.content.signed();
        self.signatures
            .iter()
            .filter(|signature| signature.sig.len() == second::SIGNATURE_BYTES)
            .any(|signature| key.verify(bytes, &signature.sig).is_ok())
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
            let id = signature.claimed();
            let is_second = |key: &&TrustedKey| key.second().map(SecondKey::id) == id;
            strangers.push(match id.and_then(|id| trust.key(&id)) {
                Some(key) if key.valid_for(role, at) => {
                    return SealError::SignatureInvalid {
                        what: format!("the signature said to be by {:?}", key.name()),
                    };
                }
                Some(key) if key.has_role(role) && key.valid_at(at) => {
                    format!(
                        "{:?}, which no longer has the role {role} at {at}",
                        key.name()
                    )
                }
                Some(key) if key.has_role(role) => {
                    format!("{:?}, which is not valid at {at}", key.name())
                }
                Some(key) => format!("{:?}, which does not have the role {role}", key.name()),
                None => match id.and_then(|_| trust.all_keys().iter().find(is_second)) {
                    Some(key) => format!(
                        "the second key of {:?}, which counts only beside the first",
                        key.name()
                    ),
                    None => format!("{hint:?}, which is not in the trust file"),
                },
            });
        }
        SealError::KeyUntrusted(format!(
            "not signed by a trusted {role} key; the signatures are said to be by {}",
            strangers.join("; ")
        ))
    }
}

/// What a search for signers found.
#[derive(Default)]
struct Found {
    /// Each once, in the order of the signatures.
    signers: Vec<KeyId>,
    /// Names of keys that have signed, but whose second key has not.
    without_second: Vec<String>,
}

/// The payload of a verified envelope. Only [`Envelope::open`] and [`Envelope::open_as`] make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    content: Arc<Content>,
    signers: Vec<KeyId>,
}

impl Opened {
    /// The bytes that were signed.
    pub fn payload(&self) -> &[u8] {
        self.content.payload()
    }

    /// The id: SHA-256 of the PAE.
    pub fn id(&self) -> Digest {
        self.content.id()
    }

    /// The keys whose signatures were verified, each once, in the order of the signatures.
    pub fn signers(&self) -> &[KeyId] {
        &self.signers
    }
}
