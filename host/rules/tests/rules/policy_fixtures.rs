//! The policies and requests of `fixtures/policy`, with what has to become of them.

use std::fs;
use std::path::{Path, PathBuf};

use leasehold_rules::{Decision, PathFact, Policy, Request};
use leasehold_seal::{Class, Coded};
use serde_json::Value;

use crate::common::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/policy")
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(folder().join(format!("{name}.json"))).unwrap()
}

fn expected() -> Value {
    serde_json::from_slice(&bytes("expected")).unwrap()
}

/// The names of the files in a folder of the fixtures, without their ending.
fn names(kind: &str) -> Vec<String> {
    let files = fs::read_dir(folder().join(kind)).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[track_caller]
pub(crate) fn policy(name: &str) -> Policy {
    Policy::parse(&bytes(&format!("policies/{name}"))).unwrap_or_else(|errors| {
        panic!("{name} is refused: {}", texts(&errors));
    })
}

#[track_caller]
pub(crate) fn request(name: &str) -> Request {
    Request::parse(&bytes(&format!("requests/{name}"))).unwrap_or_else(|errors| {
        panic!("{name} is refused: {}", texts(&errors));
    })
}

#[test]
fn every_good_policy_is_read() {
    for name in names("policies") {
        let policy = policy(&name);
        assert!(!policy.id().is_empty());
    }
    assert_eq!(policy("house").examples(), 12);
}

#[test]
fn every_bad_policy_is_refused_for_its_reason() {
    let expected = expected();
    let bad = expected["bad"].as_object().unwrap();
    let mut named: Vec<&String> = bad.keys().collect();
    named.sort();
    assert_eq!(named, names("bad").iter().collect::<Vec<_>>());
    for (name, codes) in bad {
        let errors = Policy::parse(&bytes(&format!("bad/{name}"))).unwrap_err();
        let codes: Vec<&str> = codes
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(codes_of(&errors), codes, "{name}: {}", texts(&errors));
        assert!(errors.iter().all(|error| error.class() == Class::Usage));
    }
}

#[test]
fn every_request_is_judged_as_expected() {
    let expected = expected();
    let mut seen = Vec::new();
    for case in expected["judged"].as_array().unwrap() {
        let [policy_name, request_name] =
            ["policy", "request"].map(|key| case[key].as_str().unwrap());
        let decisions = policy(policy_name).judge(&request(request_name), &|_| PathFact::Plain);
        let found: Vec<Value> = decisions
            .iter()
            .map(|decision| serde_json::json!([decision.allowed, decision.rule]))
            .collect();
        assert_eq!(
            &found,
            case["decisions"].as_array().unwrap(),
            "{policy_name} {request_name}"
        );
        decisions.iter().for_each(says_why);
        seen.push(request_name.to_owned());
    }
    assert!(names("requests").iter().all(|name| seen.contains(name)));
}

/// A denied operation can be shown, with the words and the rule; an allowed one is no refusal.
fn says_why(decision: &Decision) {
    match decision.refusal() {
        Some(error) => {
            assert!(!decision.allowed);
            assert_eq!(
                (error.code(), error.class()),
                ("POLICY-DENIED", Class::Refused)
            );
            let text = error.to_string();
            assert!(
                text.starts_with("policy violation: ") && text.contains(&decision.rule),
                "{text}"
            );
            assert!(error.hint().is_some());
        }
        None => assert!(decision.allowed && !decision.why.is_empty()),
    }
}
