//! What must run.

use leasehold_rules::Policy;
use leasehold_seal::{Class, Coded, Digest};

use crate::common::*;

fn policy(json: &str) -> Policy {
    Policy::parse(json.as_bytes()).unwrap()
}

#[test]
fn a_policy_is_met_by_plugin_and_configuration() {
    let plan = planned(&steps(&[
        "id = \"a\"\ngate = \"schema\"\nconfig = { x = 1 }",
        "id = \"b\"\ngate = \"secrets\"",
    ]));
    let (schema, secrets, other) = (
        digest_of("schema"),
        digest_of("secrets"),
        digest_of("other"),
    );
    let right = Digest::of(br#"{"x":1}"#);
    let wrong = Digest::of(br#"{"x":2}"#);
    let all = policy(&format!(
        r#"{{"version": 1, "must_run": [
            {{"plugin": "{other}"}}, {{"plugin": "{schema}"}}, {{"plugin": "{schema}", "config": "{wrong}"}},
            {{"plugin": "{schema}", "config": "{right}"}}, {{"plugin": "{secrets}"}},
            {{"plugin": "{secrets}", "config": "{right}"}}]}}"#
    ));
    assert_eq!(all.must_run().len(), 6);
    let unmet: Vec<(Digest, Option<Digest>)> = all
        .unmet(&plan)
        .into_iter()
        .map(|entry| (entry.plugin, entry.config))
        .collect();
    // A step without a configuration does not meet an entry with one.
    assert_eq!(
        unmet,
        [(other, None), (schema, Some(wrong)), (secrets, Some(right))]
    );
}

/// Whether a step with these keys does what `read` and `skip` of an entry want.
fn is_met(entry: &str, step: &str) -> bool {
    let plan = planned(&steps(&[&format!(
        "id = \"a\"\ngate = \"secrets\"\n{step}"
    )]));
    let json = format!(
        r#"{{"version": 1, "must_run": [{{"plugin": "{}"{entry}}}]}}"#,
        digest_of("secrets")
    );
    let policy = policy(&json);
    let unmet = policy.unmet(&plan);
    let near = policy.must_run()[0].near_misses(&plan).count();
    assert_eq!(near, unmet.len());
    unmet.is_empty()
}

#[test]
fn a_step_that_judges_less_than_is_wanted_does_not_count() {
    let all = r#", "read": ["**"]"#;
    assert!(is_met(all, "read = [\"**\"]"));
    for less in [
        "",
        "list = [\"**\"]",
        "read = []",
        "read = [\"src/**\"]",
        "read = [\"*\"]",
        "read = [\"**\"]\nskip = [\"**\"]",
        "read = [\"**\"]\nskip = [\"a\"]",
        "read = [\"**\"]\ndeny = [\"**/.env\"]",
    ] {
        assert!(!is_met(all, less), "{less}");
        assert!(is_met("", less), "{less}");
    }
    let skips = r#", "read": ["src/**", "docs/*.md"], "skip": ["target/**", "**/.env"]"#;
    for enough in [
        "read = [\"**\"]",
        "read = [\"docs/**\", \"src/**\"]",
        "read = [\"**\"]\nskip = [\"target/**\"]",
        "read = [\"**\"]\ndeny = [\"**/.env\"]\nskip = [\"target/**\"]",
    ] {
        assert!(is_met(skips, enough), "{enough}");
    }
    // `target` leaves out more spellings than `target/**` may be found to.
    for less in ["skip = [\"target\"]", "skip = [\"target/x/**\"]"] {
        assert!(
            !is_met(skips, &format!("read = [\"**\"]\n{less}")),
            "{less}"
        );
    }
}

#[test]
fn nothing_has_to_run_where_nothing_is_said() {
    let plan = planned(EXAMPLE);
    for json in [r#"{"version":1}"#, "{\"must_run\": [],\n \"version\": 1}"] {
        assert_eq!(policy(json).unmet(&plan), []);
    }
}

#[test]
fn one_code_for_each_problem() {
    let digest = digest_of("x");
    let entry = |fields: &str| format!(r#"{{"version":1,"must_run":[{{{fields}}}]}}"#);
    for (json, expected) in [
        (String::new(), &["JSON-SYNTAX"][..]),
        ("[]".to_owned(), &["POLICY-TYPE"]),
        ("{}".to_owned(), &["POLICY-MISSING"]),
        (r#"{"version":2}"#.to_owned(), &["POLICY-VERSION"]),
        (r#"{"version":"1"}"#.to_owned(), &["POLICY-VERSION"]),
        (
            r#"{"version":1,"version":1}"#.to_owned(),
            &["JSON-DUPLICATE-KEY"],
        ),
        (
            r#"{"version":1,"must_runs":[]}"#.to_owned(),
            &["POLICY-KEY"],
        ),
        (
            r#"{"version":1,"must_run":{}}"#.to_owned(),
            &["POLICY-TYPE"],
        ),
        (
            r#"{"version":1,"must_run":["x"]}"#.to_owned(),
            &["POLICY-TYPE"],
        ),
        (entry(""), &["POLICY-MISSING"]),
        (entry(r#""plugin":1"#), &["POLICY-TYPE"]),
        (entry(r#""plugin":"sha256:0""#), &["POLICY-DIGEST"]),
        (
            entry(&format!(r#""plugin":"{digest}","config":null"#)),
            &["POLICY-TYPE"],
        ),
        (
            entry(&format!(r#""plugin":"{digest}","conf":1"#)),
            &["POLICY-KEY"],
        ),
        (
            entry(r#""plugin":1,"confg":"x""#),
            &["POLICY-KEY", "POLICY-TYPE"],
        ),
    ] {
        let errors = Policy::parse(json.as_bytes()).unwrap_err();
        assert_eq!(codes_of(&errors), expected, "{json}");
        assert!(errors.iter().all(|error| error.class() == Class::Usage));
    }
    let many = vec![format!(r#"{{"plugin":"{digest}"}}"#); 1_001].join(",");
    let errors = Policy::parse(format!(r#"{{"version":1,"must_run":[{many}]}}"#).as_bytes());
    assert_eq!(codes_of(&errors.unwrap_err()), ["POLICY-TYPE"]);
    let near = Policy::parse(r#"{"version":1,"must_runs":[]}"#.as_bytes()).unwrap_err();
    assert_eq!(near[0].hint().unwrap(), "did you mean \"must_run\"?");
}
