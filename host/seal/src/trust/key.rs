//! One entry of the trust file.

use std::collections::{BTreeMap, BTreeSet};

use super::Role;
use crate::digest::KeyId;
use crate::error::SealError;
use crate::key::PublicKey;
use crate::second::SecondKey;
use crate::timestamp::Timestamp;

/// The roles that sign envelopes. What others sign (checkpoints are notes) has no place for a second
/// signature, so that it could not be demanded.
const SECOND_ROLES: [Role; 3] = [Role::Issuer, Role::Approver, Role::Revoker];

/// A public key with a name, roles and a time of validity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    name: String,
    key: PublicKey,
    id: KeyId,
    second: Option<SecondKey>,
    roles: BTreeSet<Role>,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    ends: BTreeMap<Role, Timestamp>,
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
            second: None,
            roles: roles.into_iter().collect(),
            not_before: None,
            not_after: None,
            ends: BTreeMap::new(),
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

    /// The same key, which has this role only until `at` (exclusive): for a key whose successor is
    /// already at work. An end after `not_after` says nothing, and a trust file forgets it.
    pub fn ending(mut self, role: Role, at: Timestamp) -> TrustedKey {
        self.ends.insert(role, at);
        self
    }

    /// The same key, whose signature counts only where this second key has signed as well. In place of
    /// one it may already have. Experimental: see [`crate::second`].
    pub fn with_second(mut self, second: SecondKey) -> TrustedKey {
        self.second = Some(second);
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

    /// The second key, without whose signature one of the first does not count.
    pub fn second(&self) -> Option<&SecondKey> {
        self.second.as_ref()
    }

    /// Its roles, in the order of [`Role::ALL`].
    pub fn roles(&self) -> impl Iterator<Item = Role> + '_ {
        self.roles.iter().copied()
    }

    /// Whether it has this role (at some time).
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether this moment lies in \[not_before, not_after), whatever the role.
    pub fn valid_at(&self, at: Timestamp) -> bool {
        self.not_before.is_none_or(|not_before| not_before <= at)
            && self.not_after.is_none_or(|not_after| at < not_after)
    }

    /// Whether it has this role at this moment.
    pub fn valid_for(&self, role: Role, at: Timestamp) -> bool {
        self.has_role(role) && self.valid_at(at) && self.ends.get(&role).is_none_or(|end| at < *end)
    }

    /// The first moment at which it is trusted, if there is one.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// The first moment at which it is no longer trusted, if there is one.
    pub fn not_after(&self) -> Option<Timestamp> {
        self.not_after
    }

    /// The first moment at which it no longer has this role, be it that the role or that the key ends
    /// then; `None` when there is no such moment or it never has the role.
    pub fn end_of(&self, role: Role) -> Option<Timestamp> {
        if !self.has_role(role) {
            return None;
        }
        let end = self.ends.get(&role).copied();
        match (end, self.not_after) {
            (Some(end), Some(not_after)) => Some(end.min(not_after)),
            (end, not_after) => end.or(not_after),
        }
    }

    /// The roles that end, each with its end, as they stand in the trust file.
    pub fn ends(&self) -> impl Iterator<Item = (Role, Timestamp)> + '_ {
        self.ends.iter().map(|(role, end)| (*role, *end))
    }

    /// Checks this entry by itself, and leaves out the ends that say nothing, so that two entries that
    /// mean the same are the same.
    pub(super) fn checked(mut self) -> Result<TrustedKey, SealError> {
        let name = &self.name;
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(SealError::TrustFormat(format!(
                "{name:?} is not a name: it is empty or has control characters"
            )));
        }
        if self.roles.is_empty() {
            return Err(SealError::TrustFormat(format!("{name:?} has no role")));
        }
        if self.second.is_some()
            && let Some(role) = self.roles().find(|role| !SECOND_ROLES.contains(role))
        {
            return Err(SealError::TrustUnsupported(format!(
                "a second key for {name:?}, which has the role {role}"
            )));
        }
        let starts = self.not_before.unwrap_or(Timestamp::MIN);
        if self.not_after.is_some_and(|not_after| not_after <= starts) {
            return Err(SealError::TrustFormat(format!("{name:?} is never valid")));
        }
        for (role, end) in &self.ends {
            if !self.has_role(*role) {
                return Err(SealError::TrustFormat(format!(
                    "{name:?} has an end for the role {role}, which it does not have"
                )));
            }
            if *end <= starts {
                return Err(SealError::TrustFormat(format!(
                    "{name:?} never has the role {role}"
                )));
            }
        }
        let not_after = self.not_after;
        self.ends
            .retain(|_, end| not_after.is_none_or(|not_after| *end < not_after));
        Ok(self)
    }
}
