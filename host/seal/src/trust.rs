//! The trust file: which keys may do what, and when.
//!
//! ```json
//! { "version": 1,
//!   "keys": [ { "name": "release team", "key": "<SPKI as PEM, or base64 of its DER>",
//!               "second": "<SPKI of an ML-DSA-44 key, likewise>",
//!               "roles": ["issuer", "approver"],
//!               "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z",
//!               "ends": { "issuer": "2026-10-01T00:00:00Z" } } ],
//!   "thresholds": { "issuer": 1, "revoker": 1 },
//!   "approvals": [ { "for": ["write", "http"], "needed": 2, "by": ["alice", "bob"] } ],
//!   "revocation": { "required": true, "least": 12 } }
//! ```
//! Only `version`, `keys` and in them `name`, `key` and `roles` have to be there.
//!
//! - `not_before`, `not_after`: when the key is trusted, \[not_before, not_after). `ends`: roles that end
//!   earlier than the key, each at its first moment without the role, as when a successor takes over.
//! - The algorithm of a key stands in its SPKI and is always Ed25519; that of `second` is ML-DSA-44. With a
//!   `second`, a signature of the key counts only beside one of the second key (experimental).
//! - `thresholds`: how many different keys have to sign a lease or a revocation list; 1 where missing.
//! - `approvals`: leases with rights of these kinds ([`RightKind`]) need the signatures of so many
//!   different approver keys, with `by` only of those named. Whoever issues a lease does not approve it.
//! - `revocation`: whether a list must be at hand, and the least number it may have; false and 0 where
//!   missing.
//!
//! What this version cannot enforce is refused, never skipped: `witnesses`, thresholds for other roles than
//! issuer and revoker, and a `second` for a key with other roles than issuer, approver and revoker.

mod file;
mod key;
mod role;
mod rules;

use std::collections::BTreeSet;

pub use key::TrustedKey;
pub use role::Role;
pub use rules::{ApprovalRule, MAX_APPROVAL_RULES, RevocationRule, RightKind};

use crate::canonical;
use crate::digest::{Digest, KeyId};
use crate::error::SealError;
use crate::timestamp::Timestamp;
use file::{TrustFile, TrustFileKey, UNSUPPORTED_FIELDS};

/// How many keys a trust file may hold.
pub const MAX_KEYS: usize = 256;

/// A trust file that was read and found to be enforceable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// In the order of their ids.
    keys: Vec<TrustedKey>,
    issuer_threshold: usize,
    revoker_threshold: usize,
    /// Sorted, each once.
    approvals: Vec<ApprovalRule>,
    revocation: RevocationRule,
    digest: Digest,
}

impl Trust {
    /// Reads a trust file.
    ///
    /// # Errors
    /// `TRUST-FORMAT`, `TRUST-UNSUPPORTED`, `KEY-FORMAT` and `KEY-WEAK` for a key in it, or a `JSON-…`
    /// code.
    pub fn parse(bytes: &[u8]) -> Result<Trust, SealError> {
        let value = canonical::parse(bytes)?;
        // Before the types are looked at: a file of a later version should be called that, not broken.
        for field in UNSUPPORTED_FIELDS {
            if value.get(field).is_some() {
                return Err(SealError::TrustUnsupported(format!("{field:?}")));
            }
        }
        let file: TrustFile = canonical::from_value(value)?;
        if file.version != 1 {
            return Err(SealError::TrustUnsupported(format!(
                "version {}",
                file.version
            )));
        }
        let mut trust = Trust::empty();
        for (role, threshold) in &file.thresholds {
            trust.set_threshold(role.parse()?, *threshold)?;
        }
        trust.keys = file
            .keys
            .into_iter()
            .map(TrustFileKey::read)
            .collect::<Result<_, _>>()?;
        trust.approvals = file.approvals;
        trust.revocation = file.revocation;
        trust.checked()
    }

    /// A trust file made of these keys, where `issuer_threshold` different issuer keys have to sign a
    /// lease and nothing else is asked for.
    ///
    /// # Errors
    /// `TRUST-FORMAT` when two entries share a key (first or second) or a name, an entry has no name, no
    /// role or no time in which it is valid or has a role, the threshold is 0 or higher than the number
    /// of issuer keys (of which there may be none when it is 1), or there are more than [`MAX_KEYS`];
    /// `JSON-TOO-LARGE` when names make the file longer than [`canonical::MAX_BYTES`].
    pub fn new(keys: Vec<TrustedKey>, issuer_threshold: usize) -> Result<Trust, SealError> {
        Trust {
            keys,
            issuer_threshold,
            ..Trust::empty()
        }
        .checked()
    }

    /// The same trust file with these keys in place of its own.
    ///
    /// # Errors
    /// Those of [`Trust::new`]; `TRUST-FORMAT` also when a threshold or an approval rule cannot be met
    /// with these keys.
    pub fn with_keys(mut self, keys: Vec<TrustedKey>) -> Result<Trust, SealError> {
        self.keys = keys;
        self.checked()
    }

    /// The same trust file, where so many different keys with this role have to sign.
    ///
    /// # Errors
    /// `TRUST-UNSUPPORTED` for other roles than issuer and revoker, `TRUST-FORMAT` when the threshold is
    /// 0 or higher than the number of keys with the role (of which there may be none when it is 1), or
    /// when it leaves too few approvers.
    pub fn with_threshold(mut self, role: Role, threshold: usize) -> Result<Trust, SealError> {
        self.set_threshold(role, threshold)?;
        self.checked()
    }

    /// The same trust file with these approval rules in place of its own.
    ///
    /// # Errors
    /// `TRUST-FORMAT` when a rule is for nothing, needs no approver or more than there can be, or names
    /// who is no approver, or when there are more than [`MAX_APPROVAL_RULES`].
    pub fn with_approvals(mut self, approvals: Vec<ApprovalRule>) -> Result<Trust, SealError> {
        self.approvals = approvals;
        self.checked()
    }

    /// The same trust file with this rule about revocation lists in place of its own.
    ///
    /// # Errors
    /// `TRUST-FORMAT` when the least number is more than 2^53 − 1.
    pub fn with_revocation(mut self, revocation: RevocationRule) -> Result<Trust, SealError> {
        self.revocation = revocation;
        self.checked()
    }

    /// The keys with this role at this time, in the order of their ids.
    pub fn keys(&self, role: Role, at: Timestamp) -> impl Iterator<Item = &TrustedKey> {
        self.keys.iter().filter(move |key| key.valid_for(role, at))
    }

    /// All keys, in the order of their ids.
    pub fn all_keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// The entry of this key, whatever its roles and validity.
    pub fn key(&self, id: &KeyId) -> Option<&TrustedKey> {
        self.keys.iter().find(|key| key.id() == *id)
    }

    /// How many different keys with this role have to sign; at least 1.
    pub fn threshold(&self, role: Role) -> usize {
        match role {
            Role::Issuer => self.issuer_threshold,
            Role::Revoker => self.revoker_threshold,
            _ => 1,
        }
    }

    /// Which leases need which approvals; sorted, each rule once.
    pub fn approvals(&self) -> &[ApprovalRule] {
        &self.approvals
    }

    /// What is asked of revocation lists.
    pub fn revocation(&self) -> RevocationRule {
        self.revocation
    }

    /// The digest of [`Trust::to_json`]: the same for two files that mean the same. Costs nothing.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Writes the trust file canonically: keys in the order of their ids, as base64 of their DER.
    ///
    /// # Errors
    /// `JSON-TOO-LARGE`, which every trust file has been checked for before.
    pub fn to_json(&self) -> Result<Vec<u8>, SealError> {
        Ok(canonical::to_vec(&TrustFile::write(self))?)
    }

    /// Trusts nobody. Not checked, so its digest is not its own.
    fn empty() -> Trust {
        Trust {
            keys: Vec::new(),
            issuer_threshold: 1,
            revoker_threshold: 1,
            approvals: Vec::new(),
            revocation: RevocationRule::default(),
            digest: Digest::from_bytes([0; 32]),
        }
    }

    fn set_threshold(&mut self, role: Role, threshold: usize) -> Result<(), SealError> {
        match role {
            Role::Issuer => self.issuer_threshold = threshold,
            Role::Revoker => self.revoker_threshold = threshold,
            _ => {
                return Err(SealError::TrustUnsupported(format!(
                    "a threshold for the role {role}"
                )));
            }
        }
        Ok(())
    }

    /// Checks everything, and brings it into the one form of trust files that mean the same.
    fn checked(mut self) -> Result<Trust, SealError> {
        if self.keys.len() > MAX_KEYS {
            return Err(SealError::TrustFormat(format!(
                "{} keys, more than the {MAX_KEYS} allowed",
                self.keys.len()
            )));
        }
        self.keys = self
            .keys
            .into_iter()
            .map(TrustedKey::checked)
            .collect::<Result<_, _>>()?;
        self.check_uniqueness()?;
        for role in [Role::Issuer, Role::Revoker] {
            self.check_threshold(role)?;
        }
        if self.approvals.len() > MAX_APPROVAL_RULES {
            return Err(SealError::TrustFormat(format!(
                "{} approval rules, more than the {MAX_APPROVAL_RULES} allowed",
                self.approvals.len()
            )));
        }
        for rule in &self.approvals {
            rule.check(&self.keys, self.issuer_threshold)?;
        }
        self.revocation.check()?;
        self.keys.sort_by_key(TrustedKey::id);
        self.approvals.sort();
        self.approvals.dedup();
        self.digest = Digest::of(&self.to_json()?);
        Ok(self)
    }

    /// One name, one entry; one key, one entry: otherwise a key could count twice towards a threshold.
    fn check_uniqueness(&self) -> Result<(), SealError> {
        let mut names = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for key in &self.keys {
            let name = key.name();
            if !names.insert(name) {
                return Err(SealError::TrustFormat(format!(
                    "two keys are named {name:?}"
                )));
            }
            if !ids.insert(key.id()) {
                return Err(SealError::TrustFormat(format!(
                    "the key of {name:?} occurs twice"
                )));
            }
            if key.second().is_some_and(|second| !ids.insert(second.id())) {
                return Err(SealError::TrustFormat(format!(
                    "the second key of {name:?} occurs twice"
                )));
            }
        }
        Ok(())
    }

    fn check_threshold(&self, role: Role) -> Result<(), SealError> {
        let threshold = self.threshold(role);
        let holders = self.keys.iter().filter(|key| key.has_role(role)).count();
        if threshold == 0 || threshold > holders.max(1) {
            return Err(SealError::TrustFormat(format!(
                "the {role} threshold is {threshold} with {holders} {role} keys"
            )));
        }
        Ok(())
    }
}
