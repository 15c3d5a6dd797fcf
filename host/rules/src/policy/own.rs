//! Policies as we write them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::bounds::{LeaseRules, LeaseTerms};
use super::json::{Fields, Reader};
use super::operations::{self, OperationRules};
use super::{MAX_LIST, MAX_MUST_RUN, Policy, examples, grant_rule, must_run};

/// Reads a policy of version 1 and tries its examples.
pub(super) fn read(reader: &mut Reader, value: &Value) -> Option<Policy> {
    let fields = reader.object("", value, &KEYS)?;
    reader.version(&fields, "POLICY-VERSION");
    let mut policy = Policy {
        id: super::id(reader, &fields, "id"),
        ..Policy::default()
    };
    for (at, value) in reader.list(&fields, "must_run", MAX_MUST_RUN) {
        policy.must_run.extend(must_run::read(reader, &at, value));
    }
    if fields.has("grants") || fields.has("leases") {
        policy.leases = Some(LeaseRules {
            grants: grants(reader, &fields),
            terms: match fields.get("leases") {
                Some(value) => LeaseTerms::read(reader, value)?,
                None => LeaseTerms::default(),
            },
        });
    }
    if let Some(section) = reader.inner(&fields, "operations", &operations::KEYS) {
        policy.operations = Some(OperationRules::read(reader, &section));
    }
    policy.protected = reader.patterns(&fields, "protected");
    examples::read(reader, &fields, &mut policy);
    Some(policy)
}

fn grants(reader: &mut Reader, fields: &Fields<'_>) -> Vec<grant_rule::GrantRule> {
    let mut names = BTreeSet::new();
    let mut rules = Vec::new();
    for (at, value) in reader.list(fields, "grants", MAX_LIST) {
        let Some(rule) = grant_rule::read(reader, &at, value) else {
            continue;
        };
        if !rule.id.is_empty() && !names.insert(rule.id.clone()) {
            reader.duplicate(&at, &rule.id);
        }
        rules.push(rule);
    }
    rules
}

const KEYS: [&str; 9] = [
    "version",
    "id",
    "must_run",
    "grants",
    "leases",
    "operations",
    "protected",
    "must_allow",
    "must_deny",
];
