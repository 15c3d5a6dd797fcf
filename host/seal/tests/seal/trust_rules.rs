//! Ends of roles, second keys, thresholds, approvals and revocation in the trust file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leasehold_seal::trust::MAX_APPROVAL_RULES;
use leasehold_seal::{
    ApprovalRule, RevocationRule, RightKind, Role, SealError, SecondSecret, Timestamp, Trust,
    TrustedKey,
};
use serde_json::{Value, json};

use crate::support::{code, fresh, time};

fn key(number: u8, name: &str, roles: &[Role]) -> TrustedKey {
    TrustedKey::new(name, fresh(number).public(), roles.iter().copied())
}

/// Two issuers, one of them an approver too; two more approvers; one revoker.
fn keys() -> Vec<TrustedKey> {
    vec![
        key(1, "issuer", &[Role::Issuer]),
        key(2, "both", &[Role::Issuer, Role::Approver]),
        key(3, "alice", &[Role::Approver]),
        key(4, "bob", &[Role::Approver]),
        key(5, "revoker", &[Role::Revoker]),
    ]
}

fn trust() -> Trust {
    Trust::new(keys(), 1).unwrap()
}

fn file() -> Value {
    serde_json::from_slice(&trust().to_json().unwrap()).unwrap()
}

fn changed(change: impl FnOnce(&mut Value)) -> Result<Trust, SealError> {
    let mut file = file();
    change(&mut file);
    Trust::parse(file.to_string().as_bytes())
}

/// The place of the key with this name in [`file`].
fn place(name: &str) -> usize {
    let keys = trust().all_keys().to_vec();
    keys.iter().position(|key| key.name() == name).unwrap()
}

fn at(millis_from_end: i64) -> Timestamp {
    time("2026-10-01T00:00:00Z")
        .checked_add_millis(millis_from_end)
        .unwrap()
}

#[test]
fn everything_comes_back() {
    let second = SecondSecret::from_seed([9; 32]).public();
    let mut all = keys();
    all[0] = all[0]
        .clone()
        .valid_within(None, Some(at(1000)))
        .ending(Role::Issuer, at(0))
        .with_second(second.clone());
    let rules = vec![
        ApprovalRule::new([RightKind::Write, RightKind::Http], 2).by(["alice", "bob"]),
        ApprovalRule::new([RightKind::Any], 1),
    ];
    let rule = RevocationRule {
        required: true,
        least: 12,
    };
    let trust = trust()
        .with_keys(all)
        .and_then(|trust| trust.with_threshold(Role::Issuer, 2))
        .and_then(|trust| trust.with_approvals(rules.clone()))
        .and_then(|trust| trust.with_revocation(rule))
        .unwrap();
    let json = trust.to_json().unwrap();
    assert_eq!(Trust::parse(&json).as_ref(), Ok(&trust));
    let file: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        file["approvals"],
        json!([
            { "for": ["any"], "needed": 1 },
            { "by": ["alice", "bob"], "for": ["write", "http"], "needed": 2 },
        ])
    );
    assert_eq!(file["revocation"], json!({ "required": true, "least": 12 }));
    assert_eq!(trust.revocation(), rule);
    assert_eq!(trust.approvals(), [rules[1].clone(), rules[0].clone()]);
    let key = trust.key(&fresh(1).public().key_id()).unwrap();
    assert_eq!(key.second(), Some(&second));
    assert_eq!(key.end_of(Role::Issuer), Some(at(0)));
    // Any of it changes the digest, and a changed file keeps the rest of its settings.
    let more = [keys_of(&trust), vec![key_of(6)]].concat();
    let grown = trust.clone().with_keys(more).unwrap();
    assert_ne!(grown.digest(), trust.digest());
    assert_eq!(grown.approvals(), trust.approvals());
    assert_eq!(grown.revocation(), trust.revocation());
    assert_eq!(grown.threshold(Role::Issuer), 2);
}

fn keys_of(trust: &Trust) -> Vec<TrustedKey> {
    trust.all_keys().to_vec()
}

fn key_of(number: u8) -> TrustedKey {
    key(number, &format!("key {number}"), &[Role::Host])
}

#[test]
fn files_without_the_newer_fields_are_written_as_before() {
    let file = file();
    let names =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(names(&file), ["keys", "thresholds", "version"]);
    assert_eq!(names(&file["thresholds"]), ["issuer"]);
    for key in file["keys"].as_array().unwrap() {
        assert_eq!(names(key), ["key", "name", "roles"]);
    }
    // What says nothing is the same as nothing.
    let explicit = changed(|file| {
        file["approvals"] = json!([]);
        file["revocation"] = json!({ "required": false, "least": 0 });
        file["thresholds"] = json!({ "issuer": 1, "revoker": 1 });
        file["keys"][0]["ends"] = json!({});
    });
    assert_eq!(explicit, Ok(trust()));
    // The same rules in another order and twice, too.
    let rules = |rules: Value| changed(|file| file["approvals"] = rules).unwrap();
    let one = json!({ "for": ["any", "write", "write"], "needed": 1 });
    let other = json!({ "for": ["env"], "needed": 2, "by": ["bob", "alice", "bob"] });
    let sorted = json!({ "for": ["env"], "needed": 2, "by": ["alice", "bob"] });
    assert_eq!(
        rules(json!([one, other])).digest(),
        rules(json!([sorted, one, other])).digest()
    );
}

#[test]
fn a_role_ends_at_its_moment_and_the_key_goes_on() {
    let key = key(2, "both", &[Role::Issuer, Role::Approver])
        .valid_within(Some(at(-5000)), Some(at(5000)))
        .ending(Role::Issuer, at(0));
    let trust = Trust::new(vec![key.clone()], 1).unwrap();
    let holds = |role, moment| {
        let found = trust.keys(role, moment).count() == 1;
        assert_eq!(trust.all_keys()[0].valid_for(role, moment), found);
        found
    };
    for (moment, issues, approves) in [
        (-5001, false, false),
        (-5000, true, true),
        (-1, true, true),
        (0, false, true),
        (4999, false, true),
        (5000, false, false),
    ] {
        assert_eq!(holds(Role::Issuer, at(moment)), issues, "{moment}");
        assert_eq!(holds(Role::Approver, at(moment)), approves, "{moment}");
        assert!(!holds(Role::Host, at(moment)));
    }
    assert_eq!(key.end_of(Role::Issuer), Some(at(0)));
    assert_eq!(key.end_of(Role::Approver), Some(at(5000)));
    assert_eq!(key.end_of(Role::Host), None);
    assert!(key.ends().eq([(Role::Issuer, at(0))]));

    // An end after the key's own says nothing and is forgotten; one before its beginning is a mistake.
    let ending = |role, moment| Trust::new(vec![key.clone().ending(role, at(moment))], 1);
    let late = ending(Role::Approver, 5000).unwrap();
    assert_eq!(late, trust);
    assert_eq!(late.all_keys()[0].end_of(Role::Approver), Some(at(5000)));
    assert_eq!(code(ending(Role::Approver, 4999)), "");
    assert_ne!(ending(Role::Approver, 4999).unwrap(), trust);
    assert_eq!(code(ending(Role::Issuer, -4999)), "");
    assert_eq!(code(ending(Role::Issuer, -5000)), "TRUST-FORMAT");
    assert_eq!(code(ending(Role::Host, 0)), "TRUST-FORMAT");
}

#[test]
fn ends_in_the_file_are_checked() {
    for (ends, expected) in [
        (json!({ "approver": "2026-10-01T00:00:00Z" }), ""),
        (json!({ "host": "2026-10-01T00:00:00Z" }), "TRUST-FORMAT"),
        (json!({ "root": "2026-10-01T00:00:00Z" }), "JSON-FIELD"),
        (json!({ "approver": "2026-10-01" }), "JSON-FIELD"),
        (json!({ "approver": null }), "JSON-FIELD"),
        (json!(["approver"]), "JSON-FIELD"),
        (
            json!({ "approver": "1970-01-01T00:00:00Z" }),
            "TRUST-FORMAT",
        ),
    ] {
        let result = changed(|file| file["keys"][place("alice")]["ends"] = ends.clone());
        assert_eq!(code(result), expected, "{ends}");
    }
}

#[test]
fn every_key_first_or_second_occurs_once() {
    let second = |number: u8| SecondSecret::from_seed([number; 32]).public();
    let with = |one: u8, two: u8| {
        let one = key(1, "one", &[Role::Issuer]).with_second(second(one));
        let two = key(2, "two", &[Role::Issuer]).with_second(second(two));
        Trust::new(vec![one, two], 2)
    };
    assert_eq!(code(with(7, 8)), "");
    assert_eq!(code(with(7, 7)), "TRUST-FORMAT");
    // One name or one key twice, under another name or with another second key.
    let twice = |second_name: &str, second_key: u8| {
        let one = key(1, "one", &[Role::Issuer]);
        let two = key(second_key, second_name, &[Role::Issuer]).with_second(second(7));
        Trust::new(vec![one, two], 2)
    };
    assert_eq!(code(twice("two", 2)), "");
    assert_eq!(code(twice("two", 1)), "TRUST-FORMAT");
    assert_eq!(code(twice("one", 2)), "TRUST-FORMAT");
}

#[test]
fn a_second_key_is_refused_where_it_could_not_be_demanded() {
    let second = SecondSecret::from_seed([7; 32]).public();
    for role in Role::ALL {
        let expected = match role {
            Role::Issuer | Role::Approver | Role::Revoker => "",
            Role::Host | Role::Publisher | Role::Witness => "TRUST-UNSUPPORTED",
        };
        let only = key(1, "one", &[role]).with_second(second.clone());
        assert_eq!(code(Trust::new(vec![only], 1)), expected, "{role}");
        let also = key(1, "one", &[Role::Issuer, role]).with_second(second.clone());
        assert_eq!(code(Trust::new(vec![also], 1)), expected, "{role}");
    }
    let alice = place("alice");
    let pem = second.to_spki_pem();
    let der = STANDARD.encode(second.spki_der());
    let first = STANDARD.encode(fresh(7).public().spki_der());
    for (text, expected) in [
        (pem.as_str(), ""),
        (der.as_str(), ""),
        (first.as_str(), "KEY-FORMAT"),
        (&der[..der.len() - 1], "KEY-FORMAT"),
        ("", "KEY-FORMAT"),
    ] {
        let result = changed(|file| file["keys"][alice]["second"] = text.into());
        assert_eq!(code(result), expected, "{text}");
    }
    let swapped = changed(|file| file["keys"][alice]["key"] = der.clone().into());
    assert_eq!(code(swapped), "KEY-FORMAT");
}

#[test]
fn thresholds_of_revokers_can_be_met() {
    let threshold = |role: Role, needed| trust().with_threshold(role, needed);
    assert_eq!(threshold(Role::Revoker, 1), Ok(trust()));
    assert_eq!(code(threshold(Role::Revoker, 0)), "TRUST-FORMAT");
    assert_eq!(code(threshold(Role::Revoker, 2)), "TRUST-FORMAT");
    assert_eq!(code(threshold(Role::Issuer, 2)), "");
    assert_eq!(code(threshold(Role::Issuer, 3)), "TRUST-FORMAT");
    assert_eq!(code(threshold(Role::Approver, 1)), "TRUST-UNSUPPORTED");
    let more = [keys(), vec![key(6, "second revoker", &[Role::Revoker])]].concat();
    let two = trust()
        .with_keys(more)
        .and_then(|trust| trust.with_threshold(Role::Revoker, 2))
        .unwrap();
    assert_eq!(two.threshold(Role::Revoker), 2);
    assert_eq!(two.threshold(Role::Issuer), 1);
    assert_eq!(Trust::parse(&two.to_json().unwrap()).as_ref(), Ok(&two));
    // The key cannot be taken away under the threshold.
    assert_eq!(code(two.with_keys(keys())), "TRUST-FORMAT");
}

#[test]
fn approval_rules_can_be_met() {
    let rule = |needed| ApprovalRule::new([RightKind::Write], needed);
    let with = |rule: ApprovalRule| trust().with_approvals(vec![rule]);
    for (rule, expected) in [
        (rule(1), ""),
        (rule(3), ""),
        (rule(4), "TRUST-FORMAT"),
        (rule(0), "TRUST-FORMAT"),
        (ApprovalRule::new([], 1), "TRUST-FORMAT"),
        (rule(2).by(["alice", "bob"]), ""),
        (rule(3).by(["alice", "bob"]), "TRUST-FORMAT"),
        (rule(2).by(["alice", "alice"]), "TRUST-FORMAT"),
        (rule(1).by(["both"]), ""),
        (rule(1).by(["alice", "carol"]), "TRUST-FORMAT"),
        (rule(1).by(["alice", "issuer"]), "TRUST-FORMAT"),
        (rule(1).by([] as [&str; 0]), "TRUST-FORMAT"),
    ] {
        assert_eq!(code(with(rule.clone())), expected, "{rule}");
    }
    // Who issues does not approve: when both issuers have to sign, `both` is lost for approving.
    let two_issuers = trust().with_threshold(Role::Issuer, 2).unwrap();
    let approved_by = |needed| two_issuers.clone().with_approvals(vec![rule(needed)]);
    assert_eq!(code(approved_by(2)), "");
    assert_eq!(code(approved_by(3)), "TRUST-FORMAT");
    // The rule comes first, the threshold after it: refused as well.
    let three = trust().with_approvals(vec![rule(3)]).unwrap();
    assert_eq!(
        code(three.clone().with_threshold(Role::Issuer, 2)),
        "TRUST-FORMAT"
    );
    // An approver who is named is not taken away.
    let without_bob: Vec<_> = keys()
        .into_iter()
        .filter(|key| key.name() != "bob")
        .collect();
    let named = with(rule(1).by(["bob"])).unwrap();
    assert_eq!(code(named.with_keys(without_bob.clone())), "TRUST-FORMAT");
    assert_eq!(code(three.with_keys(without_bob.clone())), "TRUST-FORMAT");
    let one = with(rule(1)).unwrap();
    assert_eq!(code(one.with_keys(without_bob)), "");
    let lone = || vec![key(2, "both", &[Role::Issuer, Role::Approver])];
    let result = Trust::new(lone(), 1).and_then(|trust| trust.with_approvals(vec![rule(1)]));
    assert_eq!(code(result), "TRUST-FORMAT");
    // Where nobody issues, nobody is lost for approving.
    let nobody_issues = vec![key(3, "alice", &[Role::Approver])];
    let result = Trust::new(nobody_issues, 1).and_then(|trust| trust.with_approvals(vec![rule(1)]));
    assert_eq!(code(result), "");
    let many = |count: usize| (1..=count).map(|_| rule(1)).collect();
    assert_eq!(code(trust().with_approvals(many(MAX_APPROVAL_RULES))), "");
    let too_many = trust().with_approvals(many(MAX_APPROVAL_RULES + 1));
    assert_eq!(code(too_many), "TRUST-FORMAT");
}

#[test]
fn an_approval_rule_says_what_it_is_about() {
    let rule = ApprovalRule::new([RightKind::Http, RightKind::Write], 2).by(["bob", "alice"]);
    assert_eq!(rule.to_string(), r#"write or http: 2 of "alice", "bob""#);
    assert!(rule.is_for(RightKind::Http) && !rule.is_for(RightKind::Env));
    assert!(rule.kinds().eq([RightKind::Write, RightKind::Http]));
    assert_eq!(rule.needed(), 2);
    assert_eq!(rule.names().unwrap().len(), 2);
    let any = ApprovalRule::new([RightKind::Any], 1);
    assert_eq!(any.to_string(), "any: 1 of all approvers");
    assert_eq!(any.names(), None);
    for kind in RightKind::ALL {
        assert!(any.is_for(kind));
        assert_eq!(json!(kind), json!(kind.as_str()));
        assert_eq!(json!(kind), json!(kind.to_string()));
    }
    let counts = |rule: &ApprovalRule| -> Vec<String> {
        let counting = keys().into_iter().filter(|key| rule.counts(key));
        counting.map(|key| key.name().to_owned()).collect()
    };
    assert_eq!(counts(&rule), ["alice", "bob"]);
    assert_eq!(counts(&any), ["both", "alice", "bob"]);
}

#[test]
fn rules_in_the_file_are_checked() {
    for (approvals, expected) in [
        (json!([{ "for": ["any"], "needed": 1 }]), ""),
        (json!([{ "for": ["any"], "needed": 9 }]), "TRUST-FORMAT"),
        (json!([{ "for": ["any"] }]), "JSON-FIELD"),
        (json!([{ "needed": 1 }]), "JSON-FIELD"),
        (json!([{ "for": "any", "needed": 1 }]), "JSON-FIELD"),
        (json!([{ "for": ["read"], "needed": 1 }]), "JSON-FIELD"),
        (json!([{ "for": ["any"], "needed": -1 }]), "JSON-FIELD"),
        (
            json!([{ "for": ["any"], "needed": 1, "of": [] }]),
            "JSON-FIELD",
        ),
        (json!({ "for": ["any"], "needed": 1 }), "JSON-FIELD"),
        (json!(null), "JSON-FIELD"),
    ] {
        let result = changed(|file| file["approvals"] = approvals.clone());
        assert_eq!(code(result), expected, "{approvals}");
    }
    for (revocation, expected) in [
        (json!({}), ""),
        (json!({ "required": true }), ""),
        (json!({ "least": 9_007_199_254_740_991_i64 }), ""),
        (json!({ "least": 9_007_199_254_740_992_i64 }), "JSON-NUMBER"),
        (json!({ "least": -1 }), "JSON-FIELD"),
        (json!({ "mandatory": true }), "JSON-FIELD"),
        (json!({ "required": null }), "JSON-FIELD"),
        (json!(false), "JSON-FIELD"),
        (json!(null), "JSON-FIELD"),
    ] {
        let result = changed(|file| file["revocation"] = revocation.clone());
        assert_eq!(code(result), expected, "{revocation}");
    }
    let least = |least| {
        trust().with_revocation(RevocationRule {
            required: false,
            least,
        })
    };
    assert_eq!(code(least((1 << 53) - 1)), "");
    assert_eq!(code(least(1 << 53)), "TRUST-FORMAT");
}
