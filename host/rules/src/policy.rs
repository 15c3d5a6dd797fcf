//! The policy: what has to run, what leases may be issued and which operations a request may contain. What it does not
//! allow is denied.
//!
//! | module | what it is about |
//! |---|---|
//! | `must_run` | what has to run |
//! | `grant_rule`, `bounds`, `overlap` | what leases may be issued, at most; protected files |
//! | `operation`, `request` | what somebody wants done: [`Operation`], [`Request`] |
//! | `place`, `operations`, `decision` | deciding on it |
//! | `own`, `foreign`, `json` | reading our form and those of two other systems |
//! | `examples` | the policy's own examples, tried whenever it is read |
//! | `dollars` | money |

mod bounds;
mod decision;
mod dollars;
mod examples;
mod foreign;
mod grant_rule;
mod json;
mod must_run;
mod operation;
mod operations;
mod overlap;
mod own;
mod place;
mod request;

use std::collections::BTreeSet;

use leasehold_lease::{Pattern, RelPath};
use serde_json::Map;

use crate::error::RulesError;
use crate::plan::Plan;
use decision::{Allowed, Denied};
use json::{Fields, Form, Reader};

pub use bounds::{LeaseRules, LeaseTerms, PolicyExcess};
pub use decision::Decision;
pub use dollars::{Dollars, NotDollars};
pub use grant_rule::GrantRule;
pub use must_run::MustRun;
pub use operation::{Action, Operation};
pub use operations::OperationRules;
pub use place::PathFact;
pub use request::{Request, RequestStep};

/// The most entries in the list `must_run` of a policy.
pub const MAX_MUST_RUN: usize = 1_000;

/// The most entries in other lists.
const MAX_LIST: usize = 1_024;

/// A policy whose own examples hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    id: String,
    must_run: Vec<MustRun>,
    leases: Option<LeaseRules>,
    operations: Option<OperationRules>,
    protected: Vec<Pattern>,
    examples: usize,
}

impl Policy {
    /// Reads a policy: JSON, at most 1 MiB. Which of three forms it has is told by its keys; an unknown key is an error.
    ///
    /// - Ours, version 1, as `docs/policy.md` describes it: `{"version": 1, "id", "must_run", "grants", "leases",
    ///   "operations", "protected", "must_allow", "must_deny"}`. All but the version may be left out: without `grants`
    ///   and `leases` it says nothing about leases, without `operations` no operation is allowed.
    /// - A policy for executors: `{"policy_id", "schema_version", "allowed_git_operations", "allowlist", "limits"}`.
    /// - An envelope: `{"allow_ops", "allow_paths", "deny_paths", "max_budget_usd"}`.
    ///
    /// # Errors
    /// Every problem, all of class usage: of the JSON only the first, with its own code (`JSON-…`); then `POLICY-KEY`,
    /// `POLICY-TYPE`, `POLICY-MISSING`, `POLICY-VERSION`, `POLICY-DIGEST`, `POLICY-ID`, `POLICY-VALUE`,
    /// `POLICY-DUPLICATE`, `PATTERN-FORMAT`, `PROBLEMS-MORE`; and, where there is none of these, `POLICY-EXAMPLE` for each
    /// example that does not hold.
    pub fn parse(json: &[u8]) -> Result<Self, Vec<RulesError>> {
        json::document(json, &FORM, |reader, value| {
            let empty = Map::new();
            let keys = value.as_object().unwrap_or(&empty);
            if foreign::is_executor(keys) {
                foreign::executor(reader, value)
            } else if foreign::is_envelope(keys) {
                foreign::envelope(reader, value)
            } else {
                own::read(reader, value)
            }
        })
    }

    /// The name of the policy, with which the names of its rules begin; `policy` where it has none.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What has to run, in the order of the policy.
    #[must_use]
    pub fn must_run(&self) -> &[MustRun] {
        &self.must_run
    }

    /// What it says about leases; `None`: nothing, but see [`Policy::protected`].
    #[must_use]
    pub fn leases(&self) -> Option<&LeaseRules> {
        self.leases.as_ref()
    }

    /// What it says about operations; `None`: none is allowed.
    #[must_use]
    pub fn operations(&self) -> Option<&OperationRules> {
        self.operations.as_ref()
    }

    /// The files that no lease may make writable and no operation may touch, as deny rules: with everything below them,
    /// in any spelling. Names such as `.git` are protected besides ([`leasehold_lease::is_protected_name`]).
    #[must_use]
    pub fn protected(&self) -> &[Pattern] {
        &self.protected
    }

    /// How many examples it has; all of them hold.
    #[must_use]
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// What has to run and is not planned, in the order of the policy; see [`MustRun::is_met_by`].
    #[must_use]
    pub fn unmet(&self, plan: &Plan) -> Vec<MustRun> {
        let met = |entry: &MustRun| plan.steps().iter().any(|step| entry.is_met_by(step));
        let unmet = self.must_run.iter().filter(|entry| !met(entry));
        unmet.cloned().collect()
    }

    /// Decides on one operation by itself. `fact` says what is known of the tree at each path, and is asked only for
    /// paths inside the workspace. In this order: the action, containment, links, what is protected, what is denied,
    /// what is allowed, size and number.
    #[must_use]
    pub fn decide(&self, operation: &Operation, fact: &dyn Fn(&RelPath) -> PathFact) -> Decision {
        let name = operation.action().to_owned();
        self.decide_next(name, operation, fact, &mut BTreeSet::new())
    }

    /// Decides on every operation of a request, in order; it may be done when all of them are allowed. As
    /// [`Policy::decide`], but the number of files is that of the whole request so far.
    #[must_use]
    pub fn judge(&self, request: &Request, fact: &dyn Fn(&RelPath) -> PathFact) -> Vec<Decision> {
        let mut named = BTreeSet::new();
        let operations = request.operations();
        operations
            .map(|(step, id, operation)| {
                let name = format!("{}/{id} {}", step.id, operation.action());
                self.decide_next(name, operation, fact, &mut named)
            })
            .collect()
    }

    /// Decides on what has been spent and is about to be, together; by the rule `budget`.
    #[must_use]
    pub fn decide_spending(&self, total: Dollars) -> Decision {
        let most = self.operations.as_ref().map(OperationRules::max_budget);
        let most = most.unwrap_or_default();
        let (rule, why) = ("budget", format!("{total} dollars of at most {most}"));
        let ruled = if total <= most {
            Ok(Allowed {
                rule,
                why,
                paths: Vec::new(),
            })
        } else {
            Err(Denied { rule, why })
        };
        Decision::new(&self.id, "spending".to_owned(), ruled)
    }

    fn decide_next(
        &self,
        name: String,
        operation: &Operation,
        fact: &dyn Fn(&RelPath) -> PathFact,
        named: &mut BTreeSet<RelPath>,
    ) -> Decision {
        let ruled = match &self.operations {
            Some(rules) => rules.decide(operation, &self.protected, fact, named),
            None => {
                let why = "the policy allows no operations at all";
                Err(Denied::new("operations", why))
            }
        };
        Decision::new(&self.id, name, ruled)
    }

    /// The full name of a rule.
    fn rule(&self, name: &str) -> String {
        format!("{}:{name}", self.id)
    }
}

/// A policy that says nothing: no operation is allowed.
impl Default for Policy {
    fn default() -> Self {
        Self {
            id: "policy".to_owned(),
            must_run: Vec::new(),
            leases: None,
            operations: None,
            protected: Vec::new(),
            examples: 0,
        }
    }
}

/// Reads the name of a policy.
fn id(reader: &mut Reader, fields: &Fields<'_>, key: &str) -> String {
    match reader.string(fields, key) {
        Some(id) if is_name(id) => id.to_owned(),
        Some(id) => {
            let sentence = format!(
                "{}: {id:?} cannot be the name of a policy",
                fields.name(key)
            );
            reader.report("POLICY-ID", sentence, "1 to 64 of a-z, A-Z, 0-9, - and _");
            String::new()
        }
        None => Policy::default().id,
    }
}

/// Whether a text can be the name of a policy or of a rule.
fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(known)
}

const DIGEST_CODE: &str = "POLICY-DIGEST";

static FORM: Form = Form {
    what: "the policy",
    hint: "a policy is {\"version\": 1, …}; docs/policy.md lists every key",
    key: "POLICY-KEY",
    wrong_type: "POLICY-TYPE",
    missing: "POLICY-MISSING",
    value: "POLICY-VALUE",
    duplicate: "POLICY-DUPLICATE",
};
