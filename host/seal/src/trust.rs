//! The trust file: which keys may do what, and when.
//!
//! ```json
//! { "version": 1,
//!   "keys": [ { "name": "release team", "key": "<SPKI as PEM, or base64 of its DER>",
//!               "roles": ["issuer"],
//!               "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z" } ],
//!   "thresholds": { "issuer": 1 } }
//! ```
//! `not_before` and `not_after` may be missing; the window is \[not_before, not_after). The algorithm
//! of a key stands in its SPKI and is always Ed25519. `thresholds` may be missing and means 1 then.
//!
//! What this version cannot enforce is refused, never skipped: `approvals`, `revocation`, `witnesses`,
//! and thresholds for other roles than issuer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::digest::{Digest, KeyId};
use crate::error::SealError;
use crate::key::PublicKey;
use crate::timestamp::Timestamp;

/// How many keys a trust file may hold.
pub const MAX_KEYS: usize = 256;

/// What a key may be trusted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Signs leases.
    Issuer,
    /// Signs the tapes of one machine.
    Host,
    /// Approves leases that others issue.
    Approver,
    /// Signs revocation lists.
    Revoker,
    /// Signs plugins.
    Publisher,
    /// Countersigns checkpoints.
    Witness,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 6] = [
        Role::Issuer,
        Role::Host,
        Role::Approver,
        Role::Revoker,
        Role::Publisher,
        Role::Witness,
    ];

    /// The word for it in the trust file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Issuer => "issuer",
            Role::Host => "host",
            Role::Approver => "approver",
            Role::Revoker => "revoker",
            Role::Publisher => "publisher",
            Role::Witness => "witness",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = SealError;

    fn from_str(text: &str) -> Result<Role, SealError> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| SealError::TrustFormat(format!("{text:?} is not a role")))
    }
}

/// A public key with a name, roles and a time of validity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    name: String,
    key: PublicKey,
    id: KeyId,
    roles: BTreeSet<Role>,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
}

impl TrustedKey {
    /// A key that has these roles, always.
    pub fn new(
        name: impl Into<String>,
        key: PublicKey,
        roles: impl IntoIterator<Item = Role>,
    ) -> TrustedKey {
        TrustedKey {
            name: name.into(),
            key,
            id: key.key_id(),
            roles: roles.into_iter().collect(),
            not_before: None,
            not_after: None,
        }
    }

    /// The same key, trusted only from `not_before` (inclusive) until `not_after` (exclusive).
    pub fn valid_within(
        mut self,
        not_before: Option<Timestamp>,
        not_after: Option<Timestamp>,
    ) -> TrustedKey {
        self.not_before = not_before;
        self.not_after = not_after;
        self
    }

    /// What people call this key; unique in its trust file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The id of the key.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Its roles, in the order of [`Role::ALL`].
    pub fn roles(&self) -> impl Iterator<Item = Role> + '_ {
        self.roles.iter().copied()
    }

    /// Whether it has this role (at some time).
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether this moment lies in \[not_before, not_after).
    pub fn valid_at(&self, at: Timestamp) -> bool {
        self.not_before.is_none_or(|not_before| not_before <= at)
            && self.not_after.is_none_or(|not_after| at < not_after)
    }

    /// The first moment at which it is trusted, if there is one.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// The first moment at which it is no longer trusted, if there is one.
    pub fn not_after(&self) -> Option<Timestamp> {
        self.not_after
    }
}

/// A trust file that was read and found to be enforceable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// In the order of their ids.
    keys: Vec<TrustedKey>,
    issuer_threshold: usize,
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
        let file: TrustFile = canonical::from_json(bytes)?;
        if file.version != 1 {
            return Err(SealError::TrustUnsupported(format!(
                "version {}",
                file.version
            )));
        }
        let mut issuer_threshold = 1;
        for (role, threshold) in &file.thresholds {
            if role.parse::<Role>()? != Role::Issuer {
                return Err(SealError::TrustUnsupported(format!(
                    "a threshold for the role {role}"
                )));
            }
            issuer_threshold = *threshold;
        }
        let keys = file
            .keys
            .into_iter()
            .map(TrustFileKey::read)
            .collect::<Result<_, _>>()?;
        Trust::new(keys, issuer_threshold)
    }

    /// A trust file made of these keys, where `issuer_threshold` different issuer keys have to sign.
    ///
    /// # Errors
    /// `TRUST-FORMAT` when two entries share a key or a name, an entry has no name, no role or no time
    /// in which it is valid, the threshold is 0 or higher than the number of issuer keys (of which
    /// there may be none when it is 1), or there are more than [`MAX_KEYS`].
    pub fn new(mut keys: Vec<TrustedKey>, issuer_threshold: usize) -> Result<Trust, SealError> {
        if keys.len() > MAX_KEYS {
            return Err(SealError::TrustFormat(format!(
                "{} keys, more than the {MAX_KEYS} allowed",
                keys.len()
            )));
        }
        let mut names = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for key in &keys {
            let name = &key.name;
            if name.is_empty() || name.chars().any(char::is_control) {
                return Err(SealError::TrustFormat(format!(
                    "{name:?} is not a name: it is empty or has control characters"
                )));
            }
            if !names.insert(name) {
                return Err(SealError::TrustFormat(format!(
                    "two keys are named {name:?}"
                )));
            }
            // Otherwise one key could count twice towards a threshold.
            if !ids.insert(key.id) {
                return Err(SealError::TrustFormat(format!(
                    "the key of {name:?} occurs twice"
                )));
            }
            if key.roles.is_empty() {
                return Err(SealError::TrustFormat(format!("{name:?} has no role")));
            }
            if let (Some(not_before), Some(not_after)) = (key.not_before, key.not_after)
                && not_after <= not_before
            {
                return Err(SealError::TrustFormat(format!("{name:?} is never valid")));
            }
        }
        let issuers = keys.iter().filter(|key| key.has_role(Role::Issuer)).count();
        if issuer_threshold == 0 || issuer_threshold > issuers.max(1) {
            return Err(SealError::TrustFormat(format!(
                "the issuer threshold is {issuer_threshold} with {issuers} issuer keys"
            )));
        }
        keys.sort_by_key(|key| key.id);
        Ok(Trust {
            keys,
            issuer_threshold,
        })
    }

    /// The keys with this role at this time, in the order of their ids.
    pub fn keys(&self, role: Role, at: Timestamp) -> impl Iterator<Item = &TrustedKey> {
        self.keys
            .iter()
            .filter(move |key| key.has_role(role) && key.valid_at(at))
    }

    /// All keys, in the order of their ids.
    pub fn all_keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// The entry of this key, whatever its roles and validity.
    pub fn key(&self, id: &KeyId) -> Option<&TrustedKey> {
        self.keys.iter().find(|key| key.id == *id)
    }

    /// How many different keys with this role have to sign; at least 1.
    pub fn threshold(&self, role: Role) -> usize {
        match role {
            Role::Issuer => self.issuer_threshold,
            _ => 1,
        }
    }

    /// The digest of [`Trust::to_json`]: the same for two files that mean the same.
    ///
    /// # Errors
    /// Those of [`Trust::to_json`].
    pub fn digest(&self) -> Result<Digest, SealError> {
        Ok(Digest::of(&self.to_json()?))
    }

    /// Writes the trust file canonically: keys in the order of their ids, as base64 of their DER.
    ///
    /// # Errors
    /// `JSON-TOO-LARGE` when names make it longer than [`canonical::MAX_BYTES`].
    pub fn to_json(&self) -> Result<Vec<u8>, SealError> {
        let file = TrustFile {
            version: 1,
            keys: self.keys.iter().map(TrustFileKey::write).collect(),
            thresholds: BTreeMap::from([(Role::Issuer.as_str().to_owned(), self.issuer_threshold)]),
        };
        Ok(canonical::to_vec(&file)?)
    }
}

/// Fields of the format's future, refused by name.
const UNSUPPORTED_FIELDS: [&str; 3] = ["approvals", "revocation", "witnesses"];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    version: u64,
    keys: Vec<TrustFileKey>,
    #[serde(default)]
    thresholds: BTreeMap<String, usize>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFileKey {
    name: String,
    key: String,
    roles: Vec<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_after: Option<Timestamp>,
}

impl TrustFileKey {
    fn read(self) -> Result<TrustedKey, SealError> {
        let key = if self.key.starts_with("-----BEGIN ") {
            PublicKey::from_spki_pem(&self.key)?
        } else {
            let der = STANDARD.decode(&self.key).map_err(|error| {
                SealError::KeyFormat(format!(
                    "the key of {:?} is neither PEM nor base64: {error}",
                    self.name
                ))
            })?;
            PublicKey::from_spki_der(&der)?
        };
        Ok(TrustedKey::new(self.name, key, self.roles)
            .valid_within(self.not_before, self.not_after))
    }

    fn write(key: &TrustedKey) -> TrustFileKey {
        TrustFileKey {
            name: key.name.clone(),
            key: STANDARD.encode(key.key.spki_der()),
            roles: key.roles().collect(),
            not_before: key.not_before,
            not_after: key.not_after,
        }
    }
}
