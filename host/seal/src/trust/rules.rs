//! What the trust file asks of leases beside the signature of an issuer.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Role, TrustedKey};
use crate::canonical::MAX_INTEGER;
use crate::error::SealError;

/// How many approval rules a trust file may hold.
pub const MAX_APPROVAL_RULES: usize = 64;

/// A kind of right a grant may have, as approval rules name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RightKind {
    /// Any lease at all.
    Any,
    /// Files may be written.
    Write,
    /// An environment variable is passed on or set.
    Env,
    /// HTTP requests may be sent.
    Http,
    /// A secret is named, injected or exposed.
    Secrets,
    /// A secret is exposed to the plugin.
    Expose,
}

impl RightKind {
    /// All of them.
    pub const ALL: [RightKind; 6] = [
        RightKind::Any,
        RightKind::Write,
        RightKind::Env,
        RightKind::Http,
        RightKind::Secrets,
        RightKind::Expose,
    ];

    /// The word for it in the trust file.
    pub const fn as_str(self) -> &'static str {
        match self {
            RightKind::Any => "any",
            RightKind::Write => "write",
            RightKind::Env => "env",
            RightKind::Http => "http",
            RightKind::Secrets => "secrets",
            RightKind::Expose => "expose",
        }
    }
}

impl fmt::Display for RightKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Which leases need approval, and by how many and which keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRule {
    #[serde(rename = "for")]
    kinds: BTreeSet<RightKind>,
    needed: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<BTreeSet<String>>,
}

impl ApprovalRule {
    /// Leases with a right of one of these kinds need the approval of so many different approver keys.
    pub fn new(kinds: impl IntoIterator<Item = RightKind>, needed: usize) -> ApprovalRule {
        ApprovalRule {
            kinds: kinds.into_iter().collect(),
            needed,
            by: None,
        }
    }

    /// The same rule, for which only the keys with these names count.
    pub fn by(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> ApprovalRule {
        self.by = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// The kinds of rights it is about; never empty in a trust file. A lease falls under the rule when
    /// one of its grants has a right of one of these kinds.
    pub fn kinds(&self) -> impl Iterator<Item = RightKind> + '_ {
        self.kinds.iter().copied()
    }

    /// Whether the rule is about rights of this kind; `any` is about all of them.
    pub fn is_for(&self, kind: RightKind) -> bool {
        self.kinds.contains(&RightKind::Any) || self.kinds.contains(&kind)
    }

    /// How many different approver keys have to sign; at least 1 in a trust file.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// The names of the keys that count; `None`: every approver key of the trust file.
    pub fn names(&self) -> Option<&BTreeSet<String>> {
        self.by.as_ref()
    }

    /// Whether an approval by this key can count (at a time at which it is an approver).
    pub fn counts(&self, key: &TrustedKey) -> bool {
        key.has_role(Role::Approver) && self.by.as_ref().is_none_or(|by| by.contains(key.name()))
    }

    /// Checks that the rule can be met with these keys, of which so many sign a lease as its issuers.
    pub(super) fn check(
        &self,
        keys: &[TrustedKey],
        issuer_threshold: usize,
    ) -> Result<(), SealError> {
        let refused = |why: String| Err(SealError::TrustFormat(why));
        if self.kinds.is_empty() {
            return refused("an approval rule is for no kind of right".to_owned());
        }
        if self.needed == 0 {
            return refused(format!("the approval rule {self} needs no approver"));
        }
        for name in self.by.iter().flatten() {
            match keys.iter().find(|key| key.name() == name) {
                None => {
                    return refused(format!("the approval rule {self} names {name:?}, no key"));
                }
                Some(key) if !key.has_role(Role::Approver) => {
                    return refused(format!(
                        "the approval rule {self} names {name:?}, who is no approver"
                    ));
                }
                Some(_) => {}
            }
        }
        let reachable = self.reachable(keys, issuer_threshold);
        if self.needed > reachable {
            return refused(format!(
                "the approval rule {self} can be met by {reachable} keys at most"
            ));
        }
        Ok(())
    }

    /// How many approvals this rule can find at most. Who signs as issuer is no approver of that lease,
    /// so at best the issuers are keys that could not approve anyway.
    fn reachable(&self, keys: &[TrustedKey], issuer_threshold: usize) -> usize {
        let counting = keys.iter().filter(|key| self.counts(key)).count();
        let issuers = |counting: bool| {
            let issues = |key: &&TrustedKey| key.has_role(Role::Issuer);
            keys.iter()
                .filter(issues)
                .filter(|key| self.counts(key) == counting)
                .count()
        };
        let lost = issuer_threshold
            .saturating_sub(issuers(false))
            .min(issuers(true));
        counting - lost
    }
}

/// `write or http: 2 of "alice", "bob"`
impl fmt::Display for ApprovalRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
        write!(formatter, "{}: {}", kinds.join(" or "), self.needed)?;
        match &self.by {
            None => formatter.write_str(" of all approvers"),
            Some(by) => {
                let names: Vec<String> = by.iter().map(|name| format!("{name:?}")).collect();
                write!(formatter, " of {}", names.join(", "))
            }
        }
    }
}

/// What the trust file asks of revocation lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationRule {
    /// Whether no lease is good without a list at hand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The least number a list may have: 0 to 2^53 − 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub least: u64,
}

impl RevocationRule {
    pub(super) fn check(self) -> Result<(), SealError> {
        if self.least > MAX_INTEGER.unsigned_abs() {
            return Err(SealError::TrustFormat(format!(
                "the least revocation list is {}, more than 2^53 - 1",
                self.least
            )));
        }
        Ok(())
    }

    pub(super) fn is_default(&self) -> bool {
        *self == RevocationRule::default()
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
