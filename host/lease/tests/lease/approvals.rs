//! Approvals: which leases need them, whose count, and that they cannot be moved.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leasehold_lease::{ChildWish, Holder, LeaseDoc, approvals, sign_child};
use leasehold_seal::{
    ApprovalRule, Coded, Envelope, PayloadType, RightKind, Role, SecretKey, Trust, TrustedKey,
};
use serde_json::json;

use crate::common::*;
use crate::family::*;

fn alice() -> SecretKey {
    person(21)
}

fn bob() -> SecretKey {
    person(22)
}

/// Two issuers, of whom one has to sign, the second of them an approver too; two approvers; and these rules.
fn asking(rules: Vec<ApprovalRule>) -> Trust {
    let key = |name: &str, key: &SecretKey, roles: &[Role]| {
        TrustedKey::new(name, key.public(), roles.iter().copied())
    };
    let keys = vec![
        key("issuer", &issuer(), &[Role::Issuer]),
        key("both", &other(), &[Role::Issuer, Role::Approver]),
        key("alice", &alice(), &[Role::Approver]),
        key("bob", &bob(), &[Role::Approver]),
        key("host", &host(), &[Role::Host]),
    ];
    Trust::new(keys, 1).unwrap().with_approvals(rules).unwrap()
}

fn outcome(envelope: &Envelope, trust: &Trust) -> &'static str {
    match verify_under(std::slice::from_ref(envelope), trust) {
        Ok(_) => "",
        Err(refusal) => {
            assert!(refusal.hint().is_some());
            refusal.code()
        }
    }
}

fn by(lease: &LeaseDoc, keys: &[&SecretKey]) -> Envelope {
    sign(lease, keys)
}

/// Reads, and nothing else.
fn reader() -> LeaseDoc {
    let mut lease = document();
    lease.grants[0].files.write.clear();
    lease.grants[0].env = Default::default();
    lease
}

#[test]
fn a_lease_falls_under_a_rule_by_its_rights() {
    let with = |change: fn(&mut LeaseDoc)| {
        let mut lease = reader();
        change(&mut lease);
        lease
    };
    let http = |lease: &mut LeaseDoc| {
        let entry = json!({"methods": ["GET"], "host": "a.test", "port": 443, "path": "/**"});
        lease.grants[0].http = vec![serde_json::from_value(entry).unwrap()];
    };
    let expose = |lease: &mut LeaseDoc| {
        let secret = json!({"name": "token", "expose": true});
        lease.grants[0].secrets = vec![serde_json::from_value(secret).unwrap()];
    };
    let inject = |lease: &mut LeaseDoc| {
        let entry = json!({"methods": ["GET"], "host": "a.test", "port": 443, "path": "/**"});
        lease.grants[0].http = vec![serde_json::from_value(entry).unwrap()];
        let place = json!({"host": "a.test", "port": 443, "header": "authorization"});
        let secret = json!({"name": "token", "inject": place});
        lease.grants[0].secrets = vec![serde_json::from_value(secret).unwrap()];
    };
    let leases = [
        (reader(), vec![RightKind::Any]),
        (with(|lease| lease.grants.clear()), vec![RightKind::Any]),
        (
            with(|lease| lease.grants[0].files.write = patterns(&["a"])),
            vec![RightKind::Any, RightKind::Write],
        ),
        (
            with(|lease| lease.grants[0].env.pass = strings(&["LANG"])),
            vec![RightKind::Any, RightKind::Env],
        ),
        (
            with(|lease| drop(lease.grants[0].env.set.insert("A".into(), String::new()))),
            vec![RightKind::Any, RightKind::Env],
        ),
        (with(http), vec![RightKind::Any, RightKind::Http]),
        (
            with(expose),
            vec![RightKind::Any, RightKind::Secrets, RightKind::Expose],
        ),
        (
            with(inject),
            vec![RightKind::Any, RightKind::Http, RightKind::Secrets],
        ),
    ];
    for (lease, kinds) in leases {
        for kind in RightKind::ALL {
            let trust = asking(vec![ApprovalRule::new([kind], 1)]);
            let expected = match kinds.contains(&kind) {
                true => "LEASE-APPROVAL",
                false => "",
            };
            assert_eq!(
                outcome(&by(&lease, &[&issuer()]), &trust),
                expected,
                "{kind}"
            );
            assert_eq!(
                outcome(&by(&lease, &[&issuer(), &alice()]), &trust),
                "",
                "{kind}"
            );
        }
    }
    // Any grant is enough.
    let mut two = reader();
    let writer = leasehold_lease::Grant {
        id: "second".into(),
        ..grant()
    };
    two.grants.push(writer);
    let trust = asking(vec![ApprovalRule::new(
        [RightKind::Write, RightKind::Http],
        1,
    )]);
    assert_eq!(outcome(&by(&two, &[&issuer()]), &trust), "LEASE-APPROVAL");
}

#[test]
fn whose_approval_counts() {
    let two = asking(vec![ApprovalRule::new([RightKind::Write], 2)]);
    let named = asking(vec![ApprovalRule::new([RightKind::Write], 1).by(["bob"])]);
    let lease = document();
    let (i, o, a, b, stranger) = (issuer(), other(), alice(), bob(), person(9));
    let cases: [(&Trust, &[&SecretKey], &str); 12] = [
        (&two, &[&i], "LEASE-APPROVAL"),
        (&two, &[&i, &a], "LEASE-APPROVAL"),
        (&two, &[&i, &a, &a], "LEASE-APPROVAL"),
        (&two, &[&i, &a, &stranger], "LEASE-APPROVAL"),
        (&two, &[&i, &a, &host()], "LEASE-APPROVAL"),
        (&two, &[&i, &a, &b], ""),
        (&two, &[&b, &i, &a], ""),
        // Who counts as an issuer of this lease does not approve it.
        (&two, &[&i, &a, &o], "LEASE-APPROVAL"),
        (&named, &[&i, &a], "LEASE-APPROVAL"),
        (&named, &[&i, &b], ""),
        (&named, &[&a, &b], "KEY-UNTRUSTED"),
        (&named, &[&o, &b], "LEASE-ISSUER"),
    ];
    for (index, (trust, keys, expected)) in cases.into_iter().enumerate() {
        assert_eq!(outcome(&by(&lease, keys), trust), expected, "case {index}");
    }
    let own = LeaseDoc {
        issuer: o.public().key_id(),
        ..document()
    };
    let one = asking(vec![ApprovalRule::new([RightKind::Any], 1)]);
    assert_eq!(
        outcome(&by(&own, &[&o]), &one),
        "LEASE-APPROVAL",
        "one's own lease"
    );
    assert_eq!(outcome(&by(&own, &[&o, &a]), &one), "");
}

#[test]
fn every_rule_has_to_be_met() {
    let rules = vec![
        ApprovalRule::new([RightKind::Any], 1),
        ApprovalRule::new([RightKind::Write], 1).by(["bob"]),
    ];
    let trust = asking(rules);
    let (i, a, b) = (issuer(), alice(), bob());
    assert_eq!(
        outcome(&by(&document(), &[&i, &a]), &trust),
        "LEASE-APPROVAL"
    );
    assert_eq!(outcome(&by(&document(), &[&i, &b]), &trust), "");
    assert_eq!(outcome(&by(&reader(), &[&i, &a]), &trust), "");
}

#[test]
fn the_refusal_says_who_is_missing() {
    let trust = asking(vec![ApprovalRule::new([RightKind::Write], 2)]);
    let envelope = by(&document(), &[&issuer(), &alice()]);
    let refusal = verify_under(std::slice::from_ref(&envelope), &trust).unwrap_err();
    let message = refusal.to_string();
    for part in ["write: 2", "approved by \"alice\"", "\"bob\""] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let shown = approvals(&envelope, &document(), &trust, now());
    let [approval] = &shown[..] else {
        panic!("{shown:?}");
    };
    assert!(!approval.is_met());
    assert_eq!(approval.signed, [alice().public().key_id()]);
    assert!(approval.open.contains(&bob().public().key_id()));
    // Neither who has approved already nor who signed as an issuer is still awaited.
    assert!(!approval.open.contains(&alice().public().key_id()));
    assert!(!approval.open.contains(&issuer().public().key_id()));
    assert!(approvals(&envelope, &reader(), &trust, now()).is_empty());
}

/// The signatures of approvers, put on a lease with more rights.
#[test]
fn an_approval_does_not_move() {
    let trust = asking(vec![ApprovalRule::new([RightKind::Any], 1)]);
    let approved = by(&reader(), &[&issuer(), &alice()]);
    assert_eq!(outcome(&approved, &trust), "");
    let mut wider = document();
    wider.nonce = reader().nonce;
    let fresh = by(&wider, &[&issuer()]);
    let approval = approved.unverified_signatures()[1].clone();
    let signatures: Vec<_> = fresh
        .unverified_signatures()
        .iter()
        .chain([&approval])
        .map(|signature| json!({"keyid": signature.keyid, "sig": STANDARD.encode(&signature.sig)}))
        .collect();
    let text = json!({
        "payload": STANDARD.encode(fresh.unverified_payload()),
        "payloadType": PayloadType::LEASE.as_str(),
        "signatures": signatures,
    });
    let moved = Envelope::parse(text.to_string().as_bytes()).unwrap();
    assert_eq!(outcome(&moved, &trust), "LEASE-APPROVAL");
    // Approved as it is, it is good, and signing again keeps its id.
    let again = fresh.clone().with_signature(&alice()).unwrap();
    assert_eq!(again.id(), fresh.id());
    assert_eq!(outcome(&again, &trust), "");
}

#[test]
fn an_approver_who_is_one_no_longer() {
    let ending = |end: &str| {
        let trust = asking(vec![ApprovalRule::new([RightKind::Any], 1).by(["alice"])]);
        let keys = trust.all_keys().iter().map(|key| match key.name() {
            "alice" => key.clone().ending(Role::Approver, time(end)),
            _ => key.clone(),
        });
        let keys = keys.collect();
        trust.with_keys(keys).unwrap()
    };
    let envelope = by(&document(), &[&issuer(), &alice()]);
    assert_eq!(
        outcome(&envelope, &ending("2026-01-01T00:30:00Z")),
        "LEASE-APPROVAL"
    );
    assert_eq!(outcome(&envelope, &ending("2026-01-01T00:30:00.001Z")), "");
}

/// What was approved covers what is made out of it.
#[test]
fn children_need_no_approval_of_their_own() {
    let trust = asking(vec![ApprovalRule::new([RightKind::Any], 1)]);
    let wish = ChildWish::all(Holder::None, "C".repeat(16));
    let child = |keys: &[&SecretKey]| sign_child(&[by(&root(), keys)], &person(1), &wish).unwrap();
    verify_under(&child(&[&issuer(), &alice()]), &trust).unwrap();
    assert_eq!(
        code(verify_under(&child(&[&issuer()]), &trust)),
        "LEASE-APPROVAL"
    );
}
