//! Policies: `leasehold_rules::Policy`. The bytes are a policy, then, each after a NUL, paths that somebody asks for.

use leasehold_lease::{Grant, Pattern, RelPath, is_protected_name};
use leasehold_rules::{Action, Operation, PathFact, Policy};
use serde_json::Value;

use crate::choices::Choices;
use crate::patterns::instance;

/// The oracle.
pub fn check(data: &[u8]) {
    let mut parts = data.split(|byte| *byte == 0);
    let json = parts.next().unwrap_or_default();
    let policy = match Policy::parse(json) {
        Ok(policy) => policy,
        Err(errors) => {
            assert!(!errors.is_empty() && errors.iter().all(|error| !error.text().is_empty()));
            return;
        }
    };
    let value: Value = serde_json::from_slice(json).expect("serde_json is no stricter");
    for path in parts
        .clone()
        .filter_map(|path| std::str::from_utf8(path).ok())
    {
        // One action a path: the fuzzer has paths enough.
        let action = Action::ALL[path.len() % Action::ALL.len()];
        operation(&policy, &value, action, path);
        let unknown = Operation::on_paths("upload", vec![path.to_owned()]);
        assert!(!policy.decide(&unknown, &|_| PathFact::Plain).allowed);
    }
    let rest = parts.next().unwrap_or_default();
    let mut choices = Choices::new(rest);
    let mut grants = vec![choices.grant("chosen")];
    grants.extend(own_grants(&value));
    grants.iter().for_each(|grant| bounds(&policy, grant));
}

/// What is allowed was looked up again in the JSON: the action is in a list, the path inside, allowed, and neither denied
/// nor protected.
fn operation(policy: &Policy, value: &Value, action: Action, text: &str) {
    let operation = Operation::on_paths(action.name(), vec![text.to_owned()]);
    let decision = policy.decide(&operation, &|_| PathFact::Plain);
    assert!(decision.rule.starts_with(&format!("{}:", policy.id())));
    for fact in [PathFact::Linked, PathFact::Protected] {
        assert!(
            !policy.decide(&operation, &|_| fact).allowed,
            "{fact:?} is allowed"
        );
    }
    let both = Operation::on_paths(action.name(), vec![text.to_owned(), "../x".to_owned()]);
    assert!(
        !policy.decide(&both, &|_| PathFact::Plain).allowed,
        "a path outside is allowed"
    );
    if !decision.allowed {
        return;
    }
    assert!(
        action != Action::RunCommand,
        "a command that has no words is allowed"
    );
    assert!(
        policy
            .operations()
            .is_some_and(|rules| rules.actions().any(|known| known == action))
    );
    let names: Vec<&str> = text
        .split('/')
        .filter(|name| !matches!(*name, "" | "."))
        .collect();
    assert!(!text.starts_with('/') && !text.contains(['\\', '\0']) && !names.contains(&".."));
    let path = RelPath::parse(&names.join("/")).expect("a path inside");
    assert!(
        !path.components().any(is_protected_name),
        "{text:?} is protected by its name"
    );
    let lists = |own: &str, foreign: &[&str]| {
        let mut found = patterns(value.get("operations").and_then(|rules| rules.get(own)));
        for place in foreign {
            found.extend(patterns(value.pointer(place)));
        }
        found
    };
    let allowed = lists("paths", &["/allowlist/paths", "/allow_paths"]);
    assert!(
        allowed.iter().any(|pattern| pattern.matches(&path)),
        "{text:?} is in no list"
    );
    let denied = lists("deny_paths", &["/deny_paths", "/protected"]);
    assert!(
        !denied.iter().any(|rule| rule.denies(&path)),
        "{text:?} is denied"
    );
}

fn patterns(list: Option<&Value>) -> Vec<Pattern> {
    let texts = list.and_then(Value::as_array).into_iter().flatten();
    texts
        .filter_map(|text| text.as_str()?.parse().ok())
        .collect()
}

/// The grants of the policy's own examples.
fn own_grants(value: &Value) -> Vec<Grant> {
    let mut grants = Vec::new();
    for list in ["must_allow", "must_deny"] {
        for example in value
            .get(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let grant = example.get("grant").cloned().map(serde_json::from_value);
            grants.extend(grant.and_then(Result::ok));
        }
    }
    grants
}

/// A grant that is within the policy has nothing that the rule it is within does not have.
fn bounds(policy: &Policy, grant: &Grant) {
    let Ok(name) = policy.grant(grant) else {
        return;
    };
    for pattern in &grant.files.write {
        let path = instance(pattern, "a|b|x/y|.env");
        let Some(path) = path.filter(|path| !grant.files.deny.iter().any(|deny| deny.denies(path)))
        else {
            continue;
        };
        let protected = policy.protected().iter().any(|rule| rule.denies(&path));
        assert!(
            !protected,
            "{path:?} is protected, and {pattern} may write it"
        );
    }
    let Some(rules) = policy.leases() else {
        return;
    };
    let rule = rules
        .grants
        .iter()
        .find(|rule| name == format!("{}:{}", policy.id(), rule.id));
    let rule = rule.expect("the rule that holds it");
    assert!(rule.kinds.contains(&grant.kind));
    assert!(
        rule.plugins
            .as_ref()
            .is_none_or(|plugins| plugins.contains(&grant.plugin))
    );
    for (wide, narrow) in [
        (&rule.files.list, &grant.files.list),
        (&rule.files.read, &grant.files.read),
        (&rule.files.write, &grant.files.write),
    ] {
        for pattern in narrow {
            let Some(path) = instance(pattern, "a|b|x/y|.env") else {
                continue;
            };
            assert!(
                wide.iter().any(|wide| wide.matches(&path)),
                "{path:?} by {pattern}"
            );
            let rules = rule
                .files
                .deny
                .iter()
                .filter(|rule| rule.denies(&path))
                .count();
            let grants = grant
                .files
                .deny
                .iter()
                .filter(|rule| rule.denies(&path))
                .count();
            assert!(
                rules == 0 || grants > 0,
                "{path:?} is denied by the rule only"
            );
        }
    }
    for secret in &grant.secrets {
        assert!(rule.secrets.contains(&secret.name) && (rule.expose || !secret.expose));
    }
    let limits = rule.limits.values().into_iter().zip(grant.limits.values());
    assert!(
        limits
            .into_iter()
            .all(|(most, wanted)| most.is_none_or(|most| wanted <= most))
    );
    for (wide, narrow) in [(&rule.env, &grant.env)] {
        assert!(narrow.pass.iter().all(|name| wide.pass.contains(name)));
        assert!(
            narrow
                .set
                .iter()
                .all(|(name, value)| wide.set.get(name) == Some(value))
        );
    }
}
