//! The bodies of the records of leases, revocation lists and keys.
//!
//! Fields are declared in the order of their names, so that these types are canonical JSON (RFC 8785) as they are written.
//! What they name by digest lies in the content store.

use std::collections::HashSet;

use leasehold_seal::{Digest, KeyId, Role, Timestamp};
use serde::{Deserialize, Serialize};

use crate::call::check_integers;
use crate::error::TapeError;

/// Most entries of [`LeaseVerified::chain`]: a chain has at most 16 envelopes, the leaf among them.
pub const MAX_PARENTS: usize = 15;

/// Most entries of [`LeaseRevoked::new`].
pub const MAX_NEW_REVOKED: usize = 256;

/// Most ids of a revocation list.
pub const MAX_REVOKED: u64 = 10_000;

/// How far ahead of its record, in milliseconds, a presentation may end: the 600 s it may be made for, and the 300 s by which
/// the clock may have been set back in between. The tape remembers its nonce as long as it could be used again.
pub const MAX_PRESENTATION_MS: i64 = 900_000;

/// Body of `lease.verified`: a lease that may be used from here on, and where its envelopes are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseVerified {
    /// Digests of the bytes of the envelopes above the leaf, its parent first, the root last; empty for a root lease.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Digest>,
    /// Digest of the bytes of the leaf's envelope.
    pub envelope: Digest,
    /// When the lease ends; the ledger forgets it some time after.
    pub expires: Timestamp,
    /// The lease id, that of the leaf.
    pub lease: Digest,
    /// When the lease begins.
    pub not_before: Timestamp,
    /// What the holder presented, where the lease names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presentation: Option<Presented>,
    /// The revocation list it was checked against, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocations: Option<ListSeen>,
    /// The trust file under which it was verified, where that was another one than the home's: digest of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Digest>,
}

impl LeaseVerified {
    /// The body for a root lease that nobody had to present, checked against no list, under the trust file of the home.
    pub fn new(
        envelope: Digest,
        lease: Digest,
        not_before: Timestamp,
        expires: Timestamp,
    ) -> LeaseVerified {
        LeaseVerified {
            chain: Vec::new(),
            envelope,
            expires,
            lease,
            not_before,
            presentation: None,
            revocations: None,
            trust: None,
        }
    }

    /// Checks what the types do not: lengths, that no envelope is named twice, the form of the nonce.
    pub(crate) fn check(&self) -> Result<(), TapeError> {
        if self.chain.len() > MAX_PARENTS {
            let count = self.chain.len();
            return body(format!(
                "a chain has {count} envelopes above the leaf, at most {MAX_PARENTS} are allowed"
            ));
        }
        let mut seen = HashSet::from([&self.envelope]);
        if let Some(twice) = self.chain.iter().find(|envelope| !seen.insert(envelope)) {
            return body(format!("the chain has the envelope {twice} twice"));
        }
        if let Some(presented) = &self.presentation {
            presented.check()?;
        }
        match &self.revocations {
            Some(list) => check_integers(&[list.number]),
            None => Ok(()),
        }
    }
}

/// A holder's presentation, as `lease.verified` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presented {
    /// Digest of the bytes of its envelope.
    pub digest: Digest,
    /// When it ends; [`MAX_PRESENTATION_MS`] after the record at most.
    pub expires: Timestamp,
    /// What makes it good only once on this tape: 16 to 64 characters of the URL-safe base64 alphabet.
    pub nonce: String,
}

impl Presented {
    fn check(&self) -> Result<(), TapeError> {
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (16..=64).contains(&self.nonce.len()) && self.nonce.bytes().all(safe) {
            return Ok(());
        }
        body(format!(
            "the nonce {:?} of a presentation is not 16 to 64 letters, digits, hyphens and underscores",
            self.nonce
        ))
    }
}

/// One revocation list, by number and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListSeen {
    /// Id of the list: the digest of the pre-authentication encoding of its envelope.
    pub list: Digest,
    /// Its number; a later list has a higher one.
    pub number: u64,
}

/// Body of `lease.revoked`: a revocation list was put in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseRevoked {
    /// Digest of the bytes of the list's envelope.
    pub envelope: Digest,
    /// When the list was made.
    pub issued: Timestamp,
    /// Its id.
    pub list: Digest,
    /// The first [`MAX_NEW_REVOKED`] lease ids that the list in force before did not have, in ascending order.
    pub new: Vec<Digest>,
    /// From when on it is too old to be used.
    pub next_update: Timestamp,
    /// Its number.
    pub number: u64,
    /// How many ids it has, at most [`MAX_REVOKED`].
    pub total: u64,
}

impl LeaseRevoked {
    /// The list, by number and id.
    pub fn seen(&self) -> ListSeen {
        ListSeen {
            list: self.list,
            number: self.number,
        }
    }

    /// Checks what the types do not: numbers, order, window.
    pub(crate) fn check(&self) -> Result<(), TapeError> {
        check_integers(&[self.number])?;
        let new = self.new.len();
        if new > MAX_NEW_REVOKED || new as u64 > self.total || self.total > MAX_REVOKED {
            return body(format!(
                "a list of {} ids states {new} new ones; at most {MAX_REVOKED} and {MAX_NEW_REVOKED} are allowed",
                self.total
            ));
        }
        if !self.new.is_sorted_by(|one, next| one < next) {
            return body("the ids of a list are not in ascending order".to_owned());
        }
        if self.issued >= self.next_update {
            return body(format!(
                "a list of {} is too old from {} on",
                self.issued, self.next_update
            ));
        }
        Ok(())
    }
}

/// Body of `key.rotated`: a key has a successor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRotated {
    /// The key that takes over.
    pub current: KeyId,
    /// The name of the new key in the trust file: 1 to 128 characters, none of them a control character.
    pub name: String,
    /// The key that is replaced.
    pub previous: KeyId,
    /// What the new key takes over, in the order of [`Role::ALL`].
    pub roles: Vec<Role>,
    /// When the old key's part in these ends.
    pub until: Timestamp,
}

impl KeyRotated {
    /// Checks what the types do not.
    pub(crate) fn check(&self) -> Result<(), TapeError> {
        if self.current == self.previous {
            return body(format!("the key {} replaces itself", self.current));
        }
        let length = self.name.chars().count();
        if !(1..=128).contains(&length) || self.name.chars().any(char::is_control) {
            return body(format!(
                "{:?} cannot be the name of a key: 1 to 128 characters, none of them a control character",
                self.name
            ));
        }
        let place = |role: &Role| Role::ALL.iter().position(|known| known == role);
        if self.roles.is_empty()
            || !self
                .roles
                .is_sorted_by(|one, next| place(one) < place(next))
        {
            return body("the roles of a rotated key are none, or out of order".to_owned());
        }
        Ok(())
    }
}

fn body(what: String) -> Result<(), TapeError> {
    Err(TapeError::Body(what))
}
