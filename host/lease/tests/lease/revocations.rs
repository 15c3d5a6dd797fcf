//! Revocation: which lists are gone by, and what they end.

use leasehold_lease::{ListSeen, MAX_REVOKED, Refusal, RevocationList, Revocations, verify};
use leasehold_seal::{
    Coded, Digest, Envelope, PayloadType, RevocationRule, Role, SecretKey, Trust, TrustedKey,
    canonical,
};
use serde_json::{Value, json};

use crate::common::*;
use crate::family::*;

const LISTS: PayloadType = PayloadType::new("application/vnd.leasehold.revocations.v1+json");

fn revoker() -> SecretKey {
    person(31)
}

fn trusting(rule: RevocationRule) -> Trust {
    let keys = vec![
        TrustedKey::new("issuer", issuer().public(), [Role::Issuer]),
        TrustedKey::new("revoker", revoker().public(), [Role::Revoker]),
        TrustedKey::new("second revoker", person(32).public(), [Role::Revoker]),
    ];
    Trust::new(keys, 1).unwrap().with_revocation(rule).unwrap()
}

fn relaxed() -> Trust {
    trusting(RevocationRule::default())
}

fn list(number: u64, ids: &[Digest]) -> RevocationList {
    RevocationList::sign(
        number,
        time("2026-01-01T00:00:00Z"),
        time("2026-01-31T00:00:00Z"),
        ids,
        &[&revoker()],
    )
    .unwrap()
}

fn seen(list: &RevocationList) -> Option<ListSeen> {
    Some(list.seen())
}

/// What becomes of a chain, and which list it was held to.
fn outcome(
    chain: &[Envelope],
    trust: &Trust,
    revocations: &Revocations,
) -> Result<Option<ListSeen>, Refusal> {
    let verified = verify(chain, trust, revocations, &here())?;
    let rights = verified.rights("docs-toc")?;
    assert_eq!(rights.revocations(), verified.revocations());
    Ok(verified.revocations())
}

#[test]
fn revoked_with_all_that_descend_from_it() {
    let chain = generations(4);
    let ids: Vec<Digest> = chain.iter().map(Envelope::id).collect();
    let none = list(7, &[Digest::of(b"another")]);
    assert_eq!(
        outcome(&chain, &relaxed(), &Revocations::of(none.clone())).unwrap(),
        seen(&none)
    );
    for (hop, id) in ids.iter().enumerate() {
        let revoking = Revocations::of(list(7, &[Digest::of(b"another"), *id]));
        let refusal = outcome(&chain, &relaxed(), &revoking).unwrap_err();
        let message = refusal.to_string();
        assert!(message.contains(&id.to_string()), "{message}");
        assert_eq!(message.starts_with("the lease,"), hop == 0, "{message}");
        assert_eq!(code::<(), _>(Err(refusal)), "LEASE-REVOKED");
    }
    // Revoking a child leaves its parent as it is.
    let sibling = pair(&root(), |child| child.nonce = "G".repeat(16));
    let other = pair(&root(), |child| child.nonce = "H".repeat(16));
    let revoking = Revocations::of(list(7, &[sibling[0].id()]));
    assert_eq!(
        code(outcome(&sibling, &relaxed(), &revoking)),
        "LEASE-REVOKED"
    );
    outcome(&other, &relaxed(), &revoking).unwrap();
}

#[test]
fn missing() {
    let chain = [signed(&document())];
    let required = trusting(RevocationRule {
        required: true,
        least: 0,
    });
    let none = Revocations::none();
    assert_eq!(outcome(&chain, &relaxed(), &none).unwrap(), None);
    assert_eq!(
        code(outcome(&chain, &required, &none)),
        "REVOCATION-MISSING"
    );
    outcome(&chain, &required, &Revocations::of(list(1, &[]))).unwrap();
    // A tape that has seen one never goes back to none.
    let lost = Revocations::none().after(seen(&list(1, &[])));
    assert_eq!(
        code(outcome(&chain, &relaxed(), &lost)),
        "REVOCATION-MISSING"
    );
}

#[test]
fn older_than_one_seen_before() {
    let chain = [signed(&document())];
    let after =
        |list: RevocationList, newest: &RevocationList| Revocations::of(list).after(seen(newest));
    let newest = list(7, &[chain[0].id()]);
    let old = list(6, &[]);
    let outcome = |revocations: &Revocations| outcome(&chain, &relaxed(), revocations);
    outcome(&Revocations::of(old.clone())).unwrap();
    assert_eq!(code(outcome(&after(old, &newest))), "REVOCATION-OLD");
    assert_eq!(
        code(outcome(&after(newest.clone(), &newest))),
        "LEASE-REVOKED"
    );
    // Another list of the same number.
    let fork = list(7, &[]);
    assert_eq!(
        code(outcome(&after(fork.clone(), &newest))),
        "REVOCATION-FORK"
    );
    outcome(&after(fork.clone(), &fork)).unwrap();
    outcome(&after(list(8, &[]), &newest)).unwrap();
    // The same list, signed once more, is the same list.
    let again = fork.envelope().clone().with_signature(&person(32)).unwrap();
    let again = RevocationList::read(again).unwrap();
    outcome(&after(again, &fork)).unwrap();
}

#[test]
fn the_least_number() {
    let chain = [signed(&document())];
    let least = trusting(RevocationRule {
        required: false,
        least: 12,
    });
    let outcome = |number| outcome(&chain, &least, &Revocations::of(list(number, &[])));
    assert_eq!(code(outcome(11)), "REVOCATION-OLD");
    outcome(12).unwrap();
    outcome(13).unwrap();
}

#[test]
fn time_of_a_list() {
    let chain = [signed(&document())];
    let outcome = |issued: &str, next: &str| {
        let list = RevocationList::sign(1, time(issued), time(next), &[], &[&revoker()]);
        outcome(&chain, &relaxed(), &Revocations::of(list.unwrap()))
    };
    let (then, later) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
    outcome(then, later).unwrap();
    assert_eq!(
        code(outcome(then, "2026-01-01T00:30:00Z")),
        "REVOCATION-STALE"
    );
    outcome(then, "2026-01-01T00:30:00.001Z").unwrap();
    assert_eq!(
        code(outcome("2026-01-01T00:35:00.001Z", later)),
        "REVOCATION-EARLY"
    );
    outcome("2026-01-01T00:35:00Z", later).unwrap();
}

#[test]
fn who_has_signed_it() {
    let chain = [signed(&document())];
    let by = |keys: &[&SecretKey]| {
        let (from, until) = (time("2026-01-01T00:00:00Z"), time("2026-01-31T00:00:00Z"));
        Revocations::of(RevocationList::sign(1, from, until, &[], keys).unwrap())
    };
    let outcome = |keys: &[&SecretKey], trust: &Trust| outcome(&chain, trust, &by(keys));
    outcome(&[&revoker()], &relaxed()).unwrap();
    // A stranger; an issuer, who is no revoker.
    assert_eq!(code(outcome(&[&person(9)], &relaxed())), "KEY-UNTRUSTED");
    assert_eq!(code(outcome(&[&issuer()], &relaxed())), "KEY-UNTRUSTED");
    let both = relaxed().with_threshold(Role::Revoker, 2).unwrap();
    assert_eq!(code(outcome(&[&revoker()], &both)), "SIGNATURE-MISSING");
    assert_eq!(
        code(outcome(&[&revoker(), &revoker()], &both)),
        "SIGNATURE-MISSING"
    );
    outcome(&[&revoker(), &person(32)], &both).unwrap();
    // A list is no lease and a lease no list.
    assert_eq!(code(RevocationList::read(chain[0].clone())), "PAYLOAD-TYPE");
    let list = list(1, &[]).envelope().clone();
    assert_eq!(code(verify_under(&[list], &relaxed())), "PAYLOAD-TYPE");
}

#[test]
fn form_of_a_list() {
    let (a, b) = (
        Digest::of(b"a").min(Digest::of(b"b")),
        Digest::of(b"a").max(Digest::of(b"b")),
    );
    let good = json!({
        "version": 1, "number": 7, "issued": "2026-01-01T00:00:00Z",
        "next_update": "2026-01-31T00:00:00Z", "ids": [a, b],
    });
    let read = |list: &Value| {
        let payload = canonical::to_vec(list).unwrap();
        RevocationList::read(Envelope::sign(LISTS, payload, &[&revoker()]).unwrap())
    };
    assert_eq!(read(&good).unwrap().ids(), [a, b]);
    let bad = [
        ("ids", json!([b, a])),
        ("ids", json!([a, a])),
        ("ids", json!(["x"])),
        ("ids", json!("any")),
        ("number", json!(0)),
        ("number", json!(-1)),
        ("number", json!("7")),
        ("version", json!(2)),
        ("next_update", json!("2026-01-01T00:00:00Z")),
        ("colour", json!(1)),
    ];
    for (field, value) in bad {
        let mut list = good.clone();
        list[field] = value;
        assert_eq!(code(read(&list)), "REVOCATION-FORMAT", "{field}");
    }
    for field in ["version", "number", "issued", "next_update", "ids"] {
        let mut list = good.clone();
        list.as_object_mut().unwrap().remove(field);
        assert_eq!(code(read(&list)), "REVOCATION-FORMAT", "{field}");
    }
    let spaced = Envelope::sign(
        LISTS,
        good.to_string().replace(',', ", ").into(),
        &[&revoker()],
    );
    assert_eq!(
        code(RevocationList::read(spaced.unwrap())),
        "JSON-NOT-CANONICAL"
    );
    // `sign` takes ids as they come.
    let unsorted = list(1, &[b, a, b]);
    assert_eq!(unsorted.ids(), [a, b]);
    assert!(unsorted.contains(&a) && !unsorted.contains(&Digest::of(b"c")));
    let many: Vec<Digest> = (0..=MAX_REVOKED)
        .map(|n| Digest::of(&n.to_be_bytes()))
        .collect();
    let too_many = RevocationList::sign(
        1,
        time("2026-01-01T00:00:00Z"),
        time("2026-01-31T00:00:00Z"),
        &many,
        &[&revoker()],
    );
    assert_eq!(too_many.unwrap_err().code(), "REVOCATION-FORMAT");
}
