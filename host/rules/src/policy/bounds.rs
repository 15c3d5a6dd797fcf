//! What leases may be issued, at most.

use leasehold_lease::{Audience, Grant, Holder, LeaseDoc};
use leasehold_seal::{Class, Coded};
use serde_json::Value;

use super::Policy;
use super::grant_rule::{GrantRule, TooMuch};
use super::json::Reader;
use super::overlap::may_meet;

/// What a policy says about leases.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaseRules {
    /// The rules about grants; none: no grant is within the policy.
    pub grants: Vec<GrantRule>,
    /// Terms for the lease as a whole.
    pub terms: LeaseTerms,
}

/// The section `leases` of a policy: terms for a lease as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaseTerms {
    /// The longest time from start to end, in seconds; `None`: no bound.
    pub longest_s: Option<u64>,
    /// Whether the lease has to name a holder's key.
    pub needs_holder: bool,
    /// Whether the lease has to have a budget.
    pub needs_budget: bool,
    /// Whether the lease has to name the hosts on which it is good.
    pub needs_audience: bool,
    /// The most generations of child leases.
    pub depth: u64,
}

/// One thing in which a lease goes beyond a policy. Code `POLICY-WIDER`, class refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct PolicyExcess {
    /// The rule: `house:readers` for a rule about grants, and it is the one that comes nearest; `house:grants` where no
    /// rule is about such a grant; `house:leases`; `house:protected`.
    pub rule: String,
    /// The grant; `None` where it is the lease as a whole.
    pub grant: Option<String>,
    /// The field of the grant or the lease: `files.read`, `limits.fuel`, `expires` and so on.
    pub field: String,
    /// What is wanted there, as a person reads it; empty where it is the field as a whole.
    pub wanted: String,
    /// What is wrong. May hold text of the lease and the policy.
    pub sentence: String,
}

impl Coded for PolicyExcess {
    fn code(&self) -> &'static str {
        "POLICY-WIDER"
    }

    fn class(&self) -> Class {
        Class::Refused
    }

    fn hint(&self) -> Option<String> {
        let Self { rule, wanted, .. } = self;
        Some(if rule.ends_with(":protected") {
            format!("add {wanted} to the grant's `deny`, or write less")
        } else {
            format!("ask for less, or have the rule {rule} changed by whoever keeps the policy")
        })
    }
}

impl Policy {
    /// Everything in which a lease goes beyond this policy; empty: it is within. Where the policy has neither `grants`
    /// nor `leases`, it says nothing about leases but that they make no protected file writable.
    #[must_use]
    pub fn bounds(&self, lease: &LeaseDoc) -> Vec<PolicyExcess> {
        let mut found = Vec::new();
        if let Some(rules) = &self.leases {
            self.terms(&rules.terms, lease, &mut found);
        }
        for grant in &lease.grants {
            if let Err(more) = self.grant(grant) {
                found.extend(more);
            }
        }
        found
    }

    /// Which rule holds all of a grant: its full name, `house:readers`. Where the policy says nothing about leases that
    /// is `house:leases`.
    ///
    /// # Errors
    /// Everything in which the grant goes beyond the rule that comes nearest, and the protected files that it could
    /// write.
    pub fn grant(&self, grant: &Grant) -> Result<String, Vec<PolicyExcess>> {
        let mut found = Vec::new();
        let rule = match &self.leases {
            None => "leases",
            Some(rules) => match nearest(&rules.grants, grant) {
                Some((rule, too_much)) => {
                    let too_much = too_much.into_iter();
                    found.extend(too_much.map(|more| self.of_grant(&rule.id, grant, more)));
                    &rule.id
                }
                None => {
                    found.push(self.no_rule(grant));
                    "grants"
                }
            },
        };
        self.writable_though_protected(grant, &mut found);
        if found.is_empty() {
            Ok(self.rule(rule))
        } else {
            Err(found)
        }
    }

    fn terms(&self, terms: &LeaseTerms, lease: &LeaseDoc, found: &mut Vec<PolicyExcess>) {
        let mut beyond = |field: &str, wanted: String, problem: String| {
            found.push(PolicyExcess {
                rule: self.rule("leases"),
                grant: None,
                field: field.to_owned(),
                wanted,
                sentence: format!("the lease goes beyond the policy: {field} {problem}"),
            });
        };
        let (start, end) = (lease.not_before.as_millis(), lease.expires.as_millis());
        if let Some(longest) = terms.longest_s
            && i128::from(end) - i128::from(start) > i128::from(longest) * 1_000
        {
            let problem = format!("is more than {longest} s after the start");
            beyond("expires", lease.expires.to_string(), problem);
        }
        if terms.needs_holder && lease.holder == Holder::None {
            beyond("holder", "none".to_owned(), "has to be a key".to_owned());
        }
        if terms.needs_budget && lease.budget.is_none() {
            beyond("budget", String::new(), "is missing".to_owned());
        }
        if terms.needs_audience && lease.audience == Audience::Any {
            beyond("audience", "any".to_owned(), "has to name hosts".to_owned());
        }
        if lease.depth > terms.depth {
            let problem = format!("{} is more than {}", lease.depth, terms.depth);
            beyond("depth", lease.depth.to_string(), problem);
        }
    }

    fn writable_though_protected(&self, grant: &Grant, found: &mut Vec<PolicyExcess>) {
        for rule in &self.protected {
            let files = &grant.files;
            let writable = files.write.iter().find(|allowed| may_meet(allowed, rule));
            if let Some(pattern) = writable.filter(|_| !files.deny.contains(rule)) {
                let more = TooMuch {
                    field: "files.write".to_owned(),
                    wanted: format!("\"{rule}\""),
                    problem: format!(
                        "\"{pattern}\" may make \"{rule}\" writable, which is protected"
                    ),
                };
                found.push(self.of_grant("protected", grant, more));
            }
        }
    }

    fn no_rule(&self, grant: &Grant) -> PolicyExcess {
        let more = TooMuch {
            field: "plugin".to_owned(),
            wanted: grant.plugin.to_string(),
            problem: format!("no rule is about {} as a {}", grant.plugin, grant.kind),
        };
        self.of_grant("grants", grant, more)
    }

    fn of_grant(&self, rule: &str, grant: &Grant, more: TooMuch) -> PolicyExcess {
        let TooMuch {
            field,
            wanted,
            problem,
        } = more;
        PolicyExcess {
            sentence: format!(
                "the grant {:?} goes beyond the policy: {field}: {problem}",
                grant.id
            ),
            rule: self.rule(rule),
            grant: Some(grant.id.clone()),
            field,
            wanted,
        }
    }
}

/// Of the rules that are about the grant, the first of those in which it has least too much.
fn nearest<'r>(rules: &'r [GrantRule], grant: &Grant) -> Option<(&'r GrantRule, Vec<TooMuch>)> {
    let about = rules.iter().filter(|rule| rule.is_about(grant));
    about
        .map(|rule| (rule, rule.too_much(grant)))
        .min_by_key(|(_, too_much)| too_much.len())
}

impl LeaseTerms {
    /// Reads the section `leases`.
    pub(super) fn read(reader: &mut Reader, value: &Value) -> Option<Self> {
        let fields = reader.object("leases", value, &TERMS)?;
        let mut word = |key, strict| reader.word(&fields, key, &[("any", false), (strict, true)]);
        let needs_holder = word("holder", "key").unwrap_or(false);
        let needs_budget = word("budget", "required").unwrap_or(false);
        let needs_audience = word("audience", "named").unwrap_or(false);
        Some(Self {
            longest_s: reader.integer(&fields, "longest_s", (1, 1 << 40)),
            needs_holder,
            needs_budget,
            needs_audience,
            depth: reader.integer(&fields, "depth", (0, 15)).unwrap_or(0),
        })
    }
}

const TERMS: [&str; 5] = ["longest_s", "holder", "budget", "audience", "depth"];
