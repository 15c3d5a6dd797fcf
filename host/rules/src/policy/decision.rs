//! What a policy says about an operation, and by which rule.

use leasehold_lease::RelPath;
use leasehold_seal::Class;

use crate::error::RulesError;

/// A decision about one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The operation: its action, with its place in the request where it is part of one (`step_01/op_2 write_file`).
    /// May hold text of the request.
    pub operation: String,
    /// Whether it may be done.
    pub allowed: bool,
    /// The rule that decided, `house:paths` for instance: the policy's id and one of the names in `docs/policy.md`.
    pub rule: String,
    /// Why: a sentence. May hold text of the request.
    pub why: String,
    /// What it is done to, where it is allowed and names paths: whoever does it uses these, not the texts of the request.
    pub paths: Vec<RelPath>,
}

/// What a rule allows.
pub(super) struct Allowed {
    pub(super) rule: &'static str,
    pub(super) why: String,
    pub(super) paths: Vec<RelPath>,
}

/// What a rule denies.
pub(super) struct Denied {
    pub(super) rule: &'static str,
    pub(super) why: String,
}

impl Denied {
    pub(super) fn new(rule: &'static str, why: impl Into<String>) -> Self {
        Self {
            rule,
            why: why.into(),
        }
    }
}

impl Decision {
    /// The decision of the policy with this id.
    pub(super) fn new(policy: &str, operation: String, ruled: Result<Allowed, Denied>) -> Self {
        let allowed = ruled.is_ok();
        let (rule, why, paths) = match ruled {
            Ok(Allowed { rule, why, paths }) => (rule, why, paths),
            Err(Denied { rule, why }) => (rule, why, Vec::new()),
        };
        Self {
            operation,
            allowed,
            rule: format!("{policy}:{rule}"),
            why,
            paths,
        }
    }

    /// The refusal, where the operation is denied: code `POLICY-DENIED`, class refused.
    #[must_use]
    pub fn refusal(&self) -> Option<RulesError> {
        if self.allowed {
            return None;
        }
        let Self {
            operation,
            rule,
            why,
            ..
        } = self;
        let sentence = format!("policy violation: {operation}: {why} ({rule})");
        let error = RulesError::new("POLICY-DENIED", Class::Refused, sentence);
        Some(error.with_hint(format!(
            "ask for something else, or have the rule {rule} changed by whoever keeps the policy"
        )))
    }
}
