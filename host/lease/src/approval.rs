//! Approvals: signatures by approvers beside the issuer's, where the trust file asks for them.

use leasehold_seal::{
    ApprovalRule, Class, Envelope, KeyId, PayloadType, RightKind, Role, Timestamp, Trust,
    TrustedKey,
};

use crate::document::{Grant, LeaseDoc};
use crate::refusal::Refusal;

/// A rule of the trust file a lease falls under, and who has approved the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The rule.
    pub rule: ApprovalRule,
    /// The keys whose approval counts for the rule.
    pub signed: Vec<KeyId>,
    /// The keys whose approval would count and is not there.
    pub open: Vec<KeyId>,
}

impl Approval {
    /// Whether enough have approved.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.signed.len() >= self.rule.needed()
    }
}

/// For each rule of the trust file that a root lease falls under, who has approved it at this time. Children need no
/// approval of their own: they are within what was approved. For showing: that enough issuers have signed is not asked
/// for, and whoever has signed as an issuer so far counts as one.
#[must_use]
pub fn approvals(
    root: &Envelope,
    document: &LeaseDoc,
    trust: &Trust,
    now: Timestamp,
) -> Vec<Approval> {
    let issuers: Vec<KeyId> = trust
        .keys(Role::Issuer, now)
        .filter(|key| root.open_as(PayloadType::LEASE, key.key()).is_ok())
        .map(TrustedKey::id)
        .collect();
    by_rule(root, document, &issuers, trust, now)
}

/// Refuses a root lease that lacks an approval. `issuers` count as issuers of it, so never as its approvers.
pub(crate) fn check(
    root: &Envelope,
    document: &LeaseDoc,
    issuers: &[KeyId],
    trust: &Trust,
    now: Timestamp,
) -> Result<(), Refusal> {
    if trust.approvals().is_empty() {
        return Ok(());
    }
    let approvals = by_rule(root, document, issuers, trust, now);
    match approvals.iter().find(|approval| !approval.is_met()) {
        None => Ok(()),
        Some(missing) => Err(refusal(missing, trust)),
    }
}

fn by_rule(
    root: &Envelope,
    document: &LeaseDoc,
    issuers: &[KeyId],
    trust: &Trust,
    now: Timestamp,
) -> Vec<Approval> {
    let rules: Vec<&ApprovalRule> = trust
        .approvals()
        .iter()
        .filter(|rule| falls_under(document, rule))
        .collect();
    if rules.is_empty() {
        return Vec::new();
    }
    let approvers = root.approvers(trust, now, issuers);
    let approval = |rule: &ApprovalRule| {
        let counts = |id: &KeyId| trust.key(id).is_some_and(|key| rule.counts(key));
        let open = trust
            .keys(Role::Approver, now)
            .filter(|key| rule.counts(key))
            .map(TrustedKey::id)
            .filter(|id| !approvers.contains(id) && !issuers.contains(id));
        Approval {
            rule: rule.clone(),
            signed: approvers.iter().copied().filter(counts).collect(),
            open: open.collect(),
        }
    };
    rules.into_iter().map(approval).collect()
}

/// Whether a lease has a right the rule is about.
fn falls_under(document: &LeaseDoc, rule: &ApprovalRule) -> bool {
    rule.kinds().any(|kind| match kind {
        RightKind::Any => true,
        kind => document.grants.iter().any(|grant| has(grant, kind)),
    })
}

fn has(grant: &Grant, kind: RightKind) -> bool {
    match kind {
        RightKind::Any => true,
        RightKind::Write => !grant.files.write.is_empty(),
        RightKind::Env => !grant.env.pass.is_empty() || !grant.env.set.is_empty(),
        RightKind::Http => !grant.http.is_empty(),
        RightKind::Secrets => !grant.secrets.is_empty(),
        RightKind::Expose => grant.secrets.iter().any(|secret| secret.expose),
    }
}

fn refusal(missing: &Approval, trust: &Trust) -> Refusal {
    let names = |keys: &[KeyId]| {
        let name = |id: &KeyId| match trust.key(id) {
            Some(key) => format!("{:?}", key.name()),
            None => id.to_string(),
        };
        match keys {
            [] => "nobody".to_owned(),
            keys => keys.iter().map(name).collect::<Vec<_>>().join(", "),
        }
    };
    let message = format!(
        "the lease needs approval by the rule \"{}\"; approved by {}, not by {}",
        missing.rule,
        names(&missing.signed),
        names(&missing.open)
    );
    Refusal::new("LEASE-APPROVAL", Class::Refused, message)
        .with_hint("have it signed by more approvers: `leasehold approve --sign FILE`")
}
