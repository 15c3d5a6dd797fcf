//! What the trust file of a check asks of leases and lists, at the time of their records.

use leasehold_audit::{Expect, Report, check_with_leases};
use leasehold_lease::RevocationList;
use leasehold_seal::{
    ApprovalRule, Digest, Envelope, RevocationRule, RightKind, Role, SecretKey, Trust, TrustedKey,
};
use leasehold_tape::{LeaseVerified, ListSeen};
use serde_json::{Value, json};

use crate::builder::{among, approver, at, host, issuer, other, revoker, verdict};
use crate::scene::{Scene, list, root};

fn keys() -> Vec<TrustedKey> {
    let key = |name: &str, key: &SecretKey, role| TrustedKey::new(name, key.public(), [role]);
    vec![
        key("issuer", &issuer(), Role::Issuer),
        key("host", &host(), Role::Host),
        key("approver", &approver(), Role::Approver),
        key("revoker", &revoker(), Role::Revoker),
    ]
}

fn judged(scene: &mut Scene, trust: &Trust) -> Report {
    scene.tape.closed(0);
    let signed = scene.tape.checkpoint();
    let records = scene.tape.records();
    let stored = among(&scene.store);
    let expect = Expect::default();
    check_with_leases(
        records.as_slice(),
        Some(signed.as_bytes()),
        trust,
        &expect,
        &stored,
    )
    .unwrap()
}

fn plain() -> Trust {
    Trust::new(keys(), 1).unwrap()
}

fn checked(list: &RevocationList) -> impl Fn(&mut LeaseVerified) {
    let seen = ListSeen {
        list: list.id(),
        number: list.number(),
    };
    move |body| body.revocations = Some(seen)
}

/// A lease verified and used once; with a list in force where there is one.
fn used(list: Option<&RevocationList>) -> Scene {
    let chain = [root(|_| {})];
    let mut scene = Scene::new();
    match list {
        Some(list) => scene
            .revoked(list, &[], |_| {})
            .verified_with(&chain, checked(list)),
        None => scene.verified(&chain),
    };
    scene.call(1, &chain);
    scene
}

#[test]
fn a_trust_file_may_ask_for_a_list() {
    let rule = |required| {
        let rule = RevocationRule { required, least: 0 };
        plain().with_revocation(rule).unwrap()
    };
    let report = |list, required| judged(&mut used(list), &rule(required));
    assert_eq!(verdict(&report(None, false)), "CLOSED");
    assert_eq!(verdict(&report(None, true)), "BROKEN 1 AUDIT-LIST");
    let list = list(7, &[]);
    assert_eq!(verdict(&report(Some(&list), true)), "CLOSED");
}

#[test]
fn a_list_below_the_least_number_is_counted() {
    for (least, below) in [(7, 0), (8, 1)] {
        let rule = RevocationRule {
            required: true,
            least,
        };
        let trust = plain().with_revocation(rule).unwrap();
        for at_hand in [true, false] {
            let mut scene = used(Some(&list(7, &[])));
            if !at_hand {
                scene.store.clear();
            }
            let report = judged(&mut scene, &trust);
            assert_eq!(verdict(&report), "CLOSED");
            assert_eq!(report.lists_below_least, below);
            assert_eq!(report.missing.lists, if at_hand { 0 } else { 2 });
        }
    }
}

#[test]
fn a_list_is_signed_by_as_many_revokers_as_the_trust_file_asks_for_at_that_time() {
    let second = SecretKey::from_seed([41; 32]);
    let two = |ends: Option<i64>| {
        let mut keys = keys();
        let key = TrustedKey::new("second", second.public(), [Role::Revoker]);
        keys.push(match ends {
            Some(ends) => key.ending(Role::Revoker, at(ends)),
            None => key,
        });
        let trust = Trust::new(keys, 1).unwrap();
        trust.with_threshold(Role::Revoker, 2).unwrap()
    };
    let sign =
        |keys: &[&SecretKey]| RevocationList::sign(7, at(0), at(3_600_000), &[], keys).unwrap();
    let judged =
        |list: &RevocationList, trust: &Trust| verdict(&judged(&mut used(Some(list)), trust));
    let (by_one, by_two) = (sign(&[&revoker()]), sign(&[&revoker(), &second]));
    assert_eq!(judged(&by_two, &two(None)), "CLOSED");
    assert_eq!(judged(&by_one, &two(None)), "BROKEN 1 AUDIT-LIST");
    let twice = sign(&[&revoker(), &revoker()]);
    assert_eq!(judged(&twice, &two(None)), "BROKEN 1 AUDIT-LIST");
    // The list is put in force at 1 s, and a lease is checked against it at 2 s.
    assert_eq!(judged(&by_two, &two(Some(2_001))), "CLOSED");
    assert_eq!(judged(&by_two, &two(Some(2_000))), "BROKEN 2 AUDIT-LIST");
    assert_eq!(judged(&by_two, &two(Some(1_000))), "BROKEN 1 AUDIT-LIST");
}

#[test]
fn approvals_count_by_the_trust_file_at_the_time_of_the_record() {
    let trust = |ends: i64| {
        let mut keys = keys();
        keys.retain(|key| key.name() != "approver");
        let key = TrustedKey::new("approver", approver().public(), [Role::Approver]);
        keys.push(key.ending(Role::Approver, at(ends)));
        let trust = Trust::new(keys, 1).unwrap();
        let rule = ApprovalRule::new([RightKind::Write], 1);
        trust.with_approvals(vec![rule]).unwrap()
    };
    let lease: Envelope = root(|draft| draft["grants"][0]["files"]["write"] = json!(["docs/**"]));
    let lease = lease.with_signature(&approver()).unwrap();
    let judged = |ends| {
        let mut scene = Scene::new();
        scene.verified(std::slice::from_ref(&lease));
        verdict(&judged(&mut scene, &trust(ends)))
    };
    assert_eq!(judged(1_001), "CLOSED");
    assert_eq!(judged(1_000), "BROKEN 1 AUDIT-LEASE");
}

#[test]
fn thresholds_of_issuers_count_by_different_keys() {
    let mut keys = keys();
    keys.push(TrustedKey::new("other", other().public(), [Role::Issuer]));
    let trust = Trust::new(keys, 2).unwrap();
    let judged = |lease: &Envelope| {
        let mut scene = Scene::new();
        scene.verified(std::slice::from_ref(lease));
        verdict(&judged(&mut scene, &trust))
    };
    let one = root(|_| {});
    assert_eq!(judged(&one), "BROKEN 1 AUDIT-LEASE");
    let twice = one.clone().with_signature(&issuer()).unwrap();
    assert_eq!(judged(&twice), "BROKEN 1 AUDIT-LEASE");
    assert_eq!(judged(&one.with_signature(&other()).unwrap()), "CLOSED");
}

/// A run with rules from a commit: the lease is good under the trust file in it, and the list of the home holds all the same.
#[test]
fn a_lease_under_another_trust_file_is_revoked_by_the_list_in_force() {
    let payload = root(|_| {}).unverified_payload().to_vec();
    let mut document: Value = serde_json::from_slice(&payload).unwrap();
    document["issuer"] = json!(other().public().key_id());
    let lease = leasehold_lease::LeaseDoc::from_draft(document.to_string().as_bytes())
        .unwrap()
        .sign(&[&other()])
        .unwrap();
    let team = vec![TrustedKey::new("team", other().public(), [Role::Issuer])];
    let team = Trust::new(team, 1).unwrap().to_json().unwrap();
    let judged = |ids: &[Digest], stated: bool| {
        let list = list(7, ids);
        let seen = stated.then(|| ListSeen {
            list: list.id(),
            number: 7,
        });
        let mut scene = Scene::new();
        scene.revoked(&list, ids, |_| {});
        scene.verified_with(std::slice::from_ref(&lease), |body| {
            body.trust = Some(Digest::of(&team));
            body.revocations = seen;
        });
        scene.store.push(team.clone());
        judged(&mut scene, &plain())
    };
    let good = judged(&[], true);
    assert_eq!(
        (verdict(&good), good.leases_elsewhere.len()),
        ("CLOSED".into(), 1)
    );
    assert_eq!(
        verdict(&judged(&[lease.id()], true)),
        "BROKEN 2 AUDIT-REVOKED"
    );
    assert_eq!(verdict(&judged(&[], false)), "BROKEN 2 REVOCATION-MISSING");
}
