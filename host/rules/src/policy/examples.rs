//! A policy's own examples: what it must allow and what it must deny, tried whenever it is read.

use leasehold_lease::{Grant, LimitsSpec, RightsSpec};
use leasehold_seal::Coded;
use serde_json::Value;

use super::json::{Fields, Reader};
use super::operation::{self, Operation};
use super::place::PathFact;
use super::{MAX_LIST, Policy};

/// What an example is about.
enum Subject {
    Operation(Operation),
    Grant(Box<Grant>),
}

/// Reads `must_allow` and `must_deny`, and reports every example that the policy decides otherwise. An example is only
/// tried where nothing else is wrong with the policy: it would fail for that reason.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>, policy: &mut Policy) {
    let mut examples = Vec::new();
    for (key, allowed) in [("must_allow", true), ("must_deny", false)] {
        for (at, value) in reader.list(fields, key, MAX_LIST) {
            if let Some((subject, rule)) = example(reader, &at, value) {
                examples.push((at, allowed, subject, rule));
            }
        }
    }
    policy.examples = examples.len();
    if !reader.is_good() {
        return;
    }
    for (at, allowed, subject, rule) in examples {
        let wanted = rule.map(|rule| format!(" by {rule}")).unwrap_or_default();
        if let Some(found) = otherwise(policy, allowed, &subject, rule) {
            let verb = if allowed { "allowed" } else { "denied" };
            reader.report(
                "POLICY-EXAMPLE",
                format!("{at} must be {verb}{wanted}, but {found}"),
                "change the rules or the example: one of the two is wrong",
            );
        }
    }
}

fn example<'v>(
    reader: &mut Reader,
    at: &str,
    value: &'v Value,
) -> Option<(Subject, Option<&'v str>)> {
    let fields = reader.object(at, value, &["operation", "grant", "rule"])?;
    let rule = reader.string(&fields, "rule");
    match (fields.get("operation"), fields.get("grant")) {
        (Some(_), None) => {
            let inner = reader.inner(&fields, "operation", &["action", "params"])?;
            let operation = operation::read(reader, &inner)?;
            Some((Subject::Operation(operation), rule))
        }
        (None, Some(value)) => {
            let at = fields.name("grant");
            let grant: Grant = reader.typed(&at, value)?;
            check(reader, &at, &grant);
            Some((Subject::Grant(Box::new(grant)), rule))
        }
        _ => {
            reader.bad_value(format!("{at} has to have either `operation` or `grant`"));
            None
        }
    }
}

/// A grant that no lease could have would be denied for that reason.
fn check(reader: &mut Reader, at: &str, grant: &Grant) {
    let wish = RightsSpec {
        files: grant.files.clone(),
        args: grant.args.clone(),
        env: grant.env.clone(),
        http: grant.http.clone(),
        secrets: grant.secrets.clone(),
        limits: LimitsSpec::from(grant.limits),
        ..RightsSpec::default()
    };
    if let Err(error) = wish.check() {
        let hint = error.hint().unwrap_or_default();
        reader.report("POLICY-VALUE", format!("{at}: {error}"), hint);
    }
}

/// What the policy decides, in words, where that is not what is wanted.
fn otherwise(
    policy: &Policy,
    allowed: bool,
    subject: &Subject,
    rule: Option<&str>,
) -> Option<String> {
    let (found, rules, why) = match subject {
        Subject::Operation(operation) => {
            let decision = policy.decide(operation, &|_| PathFact::Plain);
            (decision.allowed, vec![decision.rule], decision.why)
        }
        Subject::Grant(grant) => match policy.grant(grant) {
            Ok(rule) => (true, vec![rule], "it is within the rule".to_owned()),
            Err(excess) => {
                let first = excess.first().map(ToString::to_string);
                let rules = excess.into_iter().map(|excess| excess.rule).collect();
                (false, rules, first.unwrap_or_default())
            }
        },
    };
    let as_wanted = rule.is_none_or(|rule| rules.iter().any(|found| found == rule));
    if found == allowed && as_wanted {
        return None;
    }
    let verb = if found { "allowed" } else { "denied" };
    let by = rules.first().map(String::as_str).unwrap_or_default();
    Some(format!("is {verb} by {by}: {why}"))
}
