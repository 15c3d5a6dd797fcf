//! What leases a policy lets be issued.

use leasehold_lease::{
    Audience, AudienceEntry, Budget, Grant, Holder, HttpGrant, Kind, LeaseDoc, Scheme, SecretGrant,
};
use leasehold_rules::{Policy, PolicyExcess};
use leasehold_seal::{Class, Coded};
use serde_json::{Value, json};

use crate::common::*;
use crate::policy_fixtures::policy;

/// The grant of the step `toc` of the example: a command that writes.
fn toc() -> Grant {
    planned(EXAMPLE).grants().unwrap().remove(1)
}

fn of(policy: Value) -> Policy {
    match Policy::parse(policy.to_string().as_bytes()) {
        Ok(policy) => policy,
        Err(errors) => panic!("{policy}: {}", texts(&errors)),
    }
}

/// A policy with one rule, which holds all of [`toc`], after a change to it.
fn rule(change: impl FnOnce(&mut Value)) -> Policy {
    let toc = toc();
    let mut rule = json!({"id": "writers", "plugins": [toc.plugin.to_string()], "kinds": ["command"],
        "files": {"list": ["docs/**"], "read": ["docs/**"], "write": ["docs/**"]}, "args": toc.args});
    change(&mut rule);
    of(json!({"version": 1, "id": "p", "grants": [rule]}))
}

/// Rule and field of everything in which the grant goes beyond the policy.
fn beyond(policy: &Policy, grant: &Grant) -> Vec<(String, String)> {
    let found = policy.bounds(&document(vec![grant.clone()]));
    shown(&found);
    let found = found.into_iter();
    found.map(|excess| (excess.rule, excess.field)).collect()
}

fn shown(found: &[PolicyExcess]) {
    for excess in found {
        assert_eq!(
            (excess.code(), excess.class()),
            ("POLICY-WIDER", Class::Refused)
        );
        assert!(!excess.to_string().is_empty() && excess.hint().is_some());
    }
}

#[track_caller]
fn wider(policy: &Policy, grant: &Grant, field: &str) {
    let expected = [("p:writers".to_owned(), field.to_owned())];
    assert_eq!(beyond(policy, grant), expected);
    assert!(policy.grant(grant).is_err());
}

#[track_caller]
fn within(policy: &Policy, grant: &Grant) {
    assert_eq!(beyond(policy, grant), []);
    assert_eq!(policy.grant(grant).unwrap(), "p:writers");
}

fn with(change: impl FnOnce(&mut Grant)) -> Grant {
    let mut grant = toc();
    change(&mut grant);
    grant
}

#[test]
fn a_policy_that_says_nothing_about_leases_bounds_none_and_an_empty_list_allows_none() {
    let toc = toc();
    assert_eq!(beyond(&policy("must_run_only"), &toc), []);
    assert!(policy("must_run_only").leases().is_none());
    let nothing = [("nothing:grants".to_owned(), "plugin".to_owned())];
    assert_eq!(beyond(&policy("no_grants"), &toc), nothing);
    for empty in [
        json!({"version": 1, "leases": {}}),
        json!({"version": 1, "grants": []}),
    ] {
        let found = beyond(&of(empty), &toc);
        assert_eq!(found, [("policy:grants".to_owned(), "plugin".to_owned())]);
    }
    within(&rule(|_| {}), &toc);
}

#[test]
fn a_rule_is_for_plugins_and_kinds() {
    let toc = toc();
    within(&rule(|rule| rule["plugins"] = "any".into()), &toc);
    for policy in [
        rule(|rule| rule["plugins"] = json!([])),
        rule(|rule| rule["plugins"] = json!([digest_of("other").to_string()])),
        rule(|rule| rule["kinds"] = json!([])),
        rule(|rule| rule["kinds"] = json!(["gate", "adapter"])),
    ] {
        assert_eq!(
            beyond(&policy, &toc),
            [("p:grants".to_owned(), "plugin".to_owned())]
        );
    }
    let gate = with(|toc| toc.kind = Kind::Gate);
    assert_eq!(beyond(&rule(|_| {}), &gate)[0].0, "p:grants");
}

#[test]
fn files_lie_within_one_pattern_of_their_list() {
    let policy = rule(|_| {});
    within(
        &policy,
        &with(|toc| toc.files.read = patterns(&["docs/en/*.md", "docs"])),
    );
    for outside in ["**", "docs2/**", "Docs/a", "*", "*/a"] {
        wider(
            &policy,
            &with(|toc| toc.files.read = patterns(&[outside])),
            "files.read",
        );
    }
    wider(
        &policy,
        &with(|toc| toc.files.list = patterns(&["**"])),
        "files.list",
    );
    wider(
        &policy,
        &with(|toc| toc.files.write = patterns(&["docs/**", "x"])),
        "files.write",
    );
    // What may be read may not therefore be listed or written.
    let reads = rule(|rule| rule["files"] = json!({"read": ["**"], "list": ["**"]}));
    wider(&reads, &toc(), "files.write");
}

#[test]
fn rules_that_deny_are_kept_word_for_word() {
    let policy = rule(|rule| rule["files"]["deny"] = json!(["**/.env"]));
    within(
        &policy,
        &with(|toc| toc.files.deny = patterns(&["x", "**/.env"])),
    );
    for missing in [&[][..], &["**"], &["**/.ENV"], &[".env"]] {
        wider(
            &policy,
            &with(|toc| toc.files.deny = patterns(missing)),
            "files.deny",
        );
    }
    // Who sees no files needs no exceptions.
    within(&policy, &with(|toc| toc.files = Default::default()));
}

#[test]
fn arguments_are_whole_vectors() {
    let policy = rule(|_| {});
    for bad in [vec![], vec![vec![]], vec![vec!["--in-place".to_owned()]]] {
        wider(&policy, &with(|toc| toc.args = bad), "args");
    }
    within(&rule(|rule| rule["args"] = "any".into()), &toc());
    for none in [json!([]), json!([[]])] {
        let policy = rule(|rule| rule["args"] = none.clone());
        wider(&policy, &toc(), "args");
        within(&policy, &with(|toc| toc.args.clear()));
    }
    let absent = rule(|rule| drop(rule.as_object_mut().unwrap().remove("args")));
    wider(&absent, &toc(), "args");
}

#[test]
fn variables_are_named_and_values_fixed() {
    let policy = rule(|rule| rule["env"] = json!({"pass": ["LANG"], "set": {"CI": "true"}}));
    let passes = |name: &str| with(|toc| toc.env.pass.push(name.to_owned()));
    let sets = |value: &str| with(|toc| drop(toc.env.set.insert("CI".into(), value.into())));
    within(&policy, &passes("LANG"));
    within(&policy, &sets("true"));
    wider(&policy, &passes("HOME"), "env.pass");
    wider(&policy, &passes("CI"), "env.pass");
    wider(&policy, &sets("false"), "env.set");
    wider(&rule(|_| {}), &passes("LANG"), "env.pass");
}

#[test]
fn requests_lie_within_one_entry_and_secrets_are_named() {
    let entry = json!({"methods": ["GET", "HEAD"], "host": "*.example.com", "port": 443, "path": "/v1/**",
        "addresses": ["10.0.0.0/8"]});
    let policy = rule(|rule| {
        rule["http"] = json!([entry]);
        rule["secrets"] = json!(["token"]);
    });
    let inside = HttpGrant {
        addresses: vec!["10.1.0.0/16".parse().unwrap()],
        ..http(&["GET"], "api.example.com", "/v1/users")
    };
    let sends = |http: HttpGrant| with(|toc| toc.http = vec![http]);
    within(&policy, &sends(inside.clone()));
    for outside in [
        http(&["POST"], "api.example.com", "/v1/users"),
        http(&["GET"], "example.com", "/v1/users"),
        http(&["GET"], "evil-example.com", "/v1/users"),
        http(&["GET"], "a.b.example.com", "/v1/users"),
        http(&["GET"], "api.example.com", "/v2"),
        http(&["GET"], "api.example.com", "/v1*"),
        HttpGrant {
            port: 80,
            ..inside.clone()
        },
        HttpGrant {
            scheme: Scheme::Http,
            ..inside.clone()
        },
        HttpGrant {
            addresses: vec!["0.0.0.0/0".parse().unwrap()],
            ..inside.clone()
        },
    ] {
        wider(&policy, &sends(outside), "http[0]");
    }
    wider(&rule(|_| {}), &sends(inside.clone()), "http[0]");
    let uses = |secret: SecretGrant| {
        with(|toc| {
            toc.http = vec![inside.clone()];
            toc.secrets = vec![secret];
        })
    };
    let token = injected("token", "api.example.com", "authorization", "");
    within(&policy, &uses(token));
    wider(
        &policy,
        &uses(injected("other", "api.example.com", "x-key", "")),
        "secrets",
    );
    // Reading a secret is a right of its own.
    wider(&policy, &uses(exposed("token")), "secrets");
    let shows = rule(|rule| {
        rule["http"] = json!([entry]);
        rule["secrets"] = json!(["token"]);
        rule["expose"] = true.into();
    });
    within(&shows, &uses(exposed("token")));
    wider(&shows, &uses(exposed("other")), "secrets");
    for none in [json!([]), Value::Null] {
        let none = rule(|rule| {
            rule["http"] = json!([entry]);
            rule["expose"] = true.into();
            if none.is_array() {
                rule["secrets"] = none;
            }
        });
        wider(&none, &uses(exposed("token")), "secrets");
    }
}

#[test]
fn limits_that_are_stated_are_the_greatest() {
    let toc = toc();
    let limits = |name: &str, most: u64| rule(|rule| rule["limits"] = json!({ name: most }));
    for (name, value) in [
        ("fuel", toc.limits.fuel),
        ("memory_bytes", toc.limits.memory_bytes),
        ("wall_ms", toc.limits.wall_ms),
        ("output_bytes", toc.limits.output_bytes),
        ("write_bytes", toc.limits.write_bytes),
        ("open_files", toc.limits.open_files),
    ] {
        within(&limits(name, value), &toc);
        wider(&limits(name, value - 1), &toc, &format!("limits.{name}"));
    }
}

#[test]
fn nothing_is_put_together_from_two_rules() {
    let half = |id: &str, read: &str, write: &str| {
        json!({"id": id, "plugins": "any", "kinds": ["command"], "args": "any",
            "files": {"list": ["**"], "read": [read], "write": [write]}})
    };
    let grants = |rules: Vec<Value>| of(json!({"version": 1, "id": "p", "grants": rules}));
    let split = grants(vec![
        half("reads", "**", "none"),
        half("writers", "none", "**"),
    ]);
    // The first of those that come nearest is named.
    assert_eq!(
        beyond(&split, &toc()),
        [("p:reads".to_owned(), "files.write".to_owned())]
    );
    let whole = grants(vec![
        half("reads", "**", "none"),
        half("writers", "**", "**"),
    ]);
    within(&whole, &toc());
    let near = grants(vec![half("far", "x", "x"), half("near", "docs/**", "x")]);
    assert_eq!(beyond(&near, &toc())[0].0, "p:near");
}

#[test]
fn no_lease_makes_a_protected_file_writable() {
    let protected = |list: &[&str]| of(json!({"version": 1, "id": "p", "protected": list}));
    let writes = |list: &[&str]| with(|toc| toc.files.write = patterns(list));
    let found = |list: &[&str], grant: &Grant| beyond(&protected(list), grant).len();
    for (list, write) in [
        (&["leasehold.toml"][..], "**"),
        (&["leasehold.toml"], "LEASEHOLD.TOML"),
        (&["leasehold.toml"], "*.toml"),
        (&["config/**"], "config/models.yaml"),
        (&["config/models.yaml"], "Config/**"),
        (&["config/models.yaml"], "config"),
        (&["config/models.yaml"], "config/*"),
        (&["**/*.rego"], "policies/**"),
    ] {
        let grant = writes(&[write]);
        assert_eq!(found(list, &grant), 1, "{write}");
        let excess = protected(list).grant(&grant).unwrap_err().remove(0);
        assert_eq!(
            (excess.rule.as_str(), excess.field.as_str()),
            ("p:protected", "files.write")
        );
        assert!(excess.hint().unwrap().contains(list[0]));
        // Reading is another matter, and an exception in the grant will do.
        assert_eq!(
            found(
                list,
                &with(|toc| toc.files = leasehold_lease::FileGrant {
                    read: patterns(&[write]),
                    ..Default::default()
                })
            ),
            0
        );
        let excepted = with(|toc| {
            toc.files.write = patterns(&[write]);
            toc.files.deny = patterns(list);
        });
        assert_eq!(found(list, &excepted), 0, "{write}");
    }
    for write in ["docs/**", "configuration/**", "*.md", "config.toml"] {
        assert_eq!(
            found(&["leasehold.toml", "config/**"], &writes(&[write])),
            0,
            "{write}"
        );
    }
}

#[test]
fn a_lease_as_a_whole_has_terms() {
    let terms =
        |leases: Value| of(json!({"version": 1, "id": "p", "grants": [], "leases": leases}));
    let fields = |policy: &Policy, lease: &LeaseDoc| {
        let found = policy.bounds(lease);
        shown(&found);
        assert!(
            found
                .iter()
                .all(|excess| excess.rule == "p:leases" && excess.grant.is_none())
        );
        found
            .into_iter()
            .map(|excess| excess.field)
            .collect::<Vec<_>>()
    };
    let lease = document(vec![]);
    assert_eq!(fields(&terms(json!({"longest_s": 3600})), &lease), [""; 0]);
    assert_eq!(
        fields(&terms(json!({"longest_s": 3599})), &lease),
        ["expires"]
    );
    let anything = json!({"holder": "any", "budget": "any", "audience": "any", "depth": 0});
    assert_eq!(fields(&terms(anything), &lease), [""; 0]);
    let strict = terms(json!({"holder": "key", "budget": "required", "audience": "named"}));
    assert_eq!(fields(&strict, &lease), ["holder", "budget", "audience"]);
    let host = host().public().key_id();
    let bound = LeaseDoc {
        holder: Holder::Key(host),
        budget: Some(Budget::default()),
        audience: Audience::Hosts(vec![AudienceEntry { host, tape: None }]),
        depth: 2,
        ..lease
    };
    assert_eq!(fields(&strict, &bound), ["depth"]);
    assert_eq!(fields(&terms(json!({"depth": 2})), &bound), [""; 0]);
    assert_eq!(fields(&terms(json!({"depth": 1})), &bound), ["depth"]);
}

#[test]
fn the_house_policy_names_each_excess() {
    let lease = LeaseDoc {
        audience: Audience::Any,
        ..document(vec![with(|toc| {
            toc.files.write = patterns(&["**"]);
            toc.limits.fuel = 1;
        })])
    };
    let found: Vec<(String, String)> = policy("house")
        .bounds(&lease)
        .into_iter()
        .map(|excess| (excess.rule, excess.field))
        .collect();
    let expected = [
        ("house:leases", "audience"),
        ("house:toc", "files.write"),
        ("house:toc", "files.deny"),
        ("house:protected", "files.write"),
        ("house:protected", "files.write"),
        ("house:protected", "files.write"),
        ("house:protected", "files.write"),
        ("house:protected", "files.write"),
        ("house:protected", "files.write"),
    ];
    assert_eq!(
        found,
        expected.map(|(rule, field)| (rule.to_owned(), field.to_owned()))
    );
}
