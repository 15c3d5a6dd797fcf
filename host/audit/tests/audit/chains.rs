//! Cases that need what the records name: chains, approvals, budgets and keys here, the others in `lists` and `requests`.

use leasehold_lease::Holder;
use leasehold_seal::{Digest, Envelope, KeyId, PayloadType, Role, canonical};
use leasehold_tape::call::Intent;
use leasehold_tape::{KeyRotated, Kind};
use serde_json::{Value, json};

use crate::builder::{FUEL, approver, at, host, issuer, other};
use crate::cases::Case;
use crate::scene::{Scene, charges, child, held, holder, root};
use crate::{lists, requests};

/// In the order of their numbers; a new case goes to the end.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = narrowed();
    cases.extend(approved());
    cases.extend(budgets());
    cases.extend(lists::revoked());
    cases.extend(lists::lists());
    cases.extend(requests::presented());
    cases.extend(requests::requests());
    cases.extend(keys());
    cases
}

/// A root, its child and a child of that, leaf first.
pub(crate) fn three() -> Vec<Envelope> {
    let middle = child(&[root(held)], |wish| {
        wish.holder = Holder::Key(holder().public().key_id());
    });
    child(&middle, |_| {})
}

/// A child of this lease that may read everything, whatever its parent may.
fn wider(parent: &Envelope) -> Vec<Envelope> {
    let mut chain = child(std::slice::from_ref(parent), |_| {});
    let mut document: Value = serde_json::from_slice(chain[0].unverified_payload()).unwrap();
    document["grants"][0]["files"]["read"] = json!(["**"]);
    let payload = canonical::to_vec(&document).unwrap();
    chain[0] = Envelope::sign(PayloadType::LEASE, payload, &[&holder()]).unwrap();
    chain
}

fn narrowed() -> Vec<Case> {
    let chain = three();
    let mut good = Scene::new();
    good.verified(&chain).call(1, &chain);
    let mut lost = good.clone();
    lost.lose(&chain[1]);
    let wide = wider(&root(held));
    let mut wider = Scene::new();
    wider.verified(&wide).call(1, &wide);
    let mut short = Scene::new();
    short.verified(&chain).call(1, &chain[..2]);
    let mut unseen = short.clone();
    unseen.store.clear();
    let mut alone = Scene::new();
    alone.verified(&chain[..1]).call(1, &chain[..1]);
    let mut foreign = Scene::new();
    let mut swapped = chain.clone();
    swapped[2] = root(|draft| {
        held(draft);
        draft["depth"] = json!(4);
    });
    foreign.verified(&swapped).call(1, &swapped);
    let mut ended = Scene::new();
    let brief = child(&[root(held)], |wish| wish.expires = Some(at(3_000)));
    ended
        .verified_with(&brief, |body| body.expires = at(3_000))
        .begin(1, &brief, |_| {})
        .begin(2, &brief, |_| {});
    vec![
        good.case(
            "chain",
            "a call under a lease two generations below its root",
            "CLOSED",
        ),
        lost.case(
            "chain-parent-not-at-hand",
            "the same; the lease in the middle is not at hand, which is counted",
            "CLOSED",
        ),
        wider.bad(
            "chain-wider",
            "a child lease that may read more than its parent",
            "BROKEN 1 AUDIT-LEASE",
            "LEASE-WIDER",
        ),
        short.bad(
            "chain-cut",
            "an intent that leaves out the root, and so what is charged to it",
            "BROKEN 2 AUDIT-LEASE",
            "another chain",
        ),
        unseen.bad(
            "chain-cut-unseen",
            "the same; no envelope is at hand",
            "BROKEN 2 AUDIT-LEASE",
            "another chain",
        ),
        alone.bad(
            "chain-leaf-alone",
            "a child lease that was verified without its parents",
            "BROKEN 1 AUDIT-LEASE",
            "LEASE-CHAIN",
        ),
        foreign.bad(
            "chain-other-root",
            "a chain whose root is not the parent of the lease before it",
            "BROKEN 1 AUDIT-LEASE",
            "LEASE-CHAIN",
        ),
        ended.bad(
            "chain-child-ended",
            "a second call, at the moment at which the child has ended and its parent has not",
            "BROKEN 3 AUDIT-LEASE",
            "outside the window",
        ),
    ]
}

fn writes(draft: &mut Value) {
    draft["grants"][0]["files"]["write"] = json!(["docs/**"]);
}

fn approved() -> Vec<Case> {
    let judged = |lease: Envelope| {
        let mut scene = Scene::new();
        let chain = [lease];
        scene.verified(&chain).call(1, &chain);
        scene
    };
    let approved = root(writes).with_signature(&approver()).unwrap();
    let signed_by_others = root(writes).with_signature(&other()).unwrap();
    vec![
        judged(approved).case(
            "approved",
            "a lease that writes, with the approval the trust file asks for",
            "CLOSED",
        ),
        judged(root(writes)).bad(
            "not-approved",
            "the same without an approval",
            "BROKEN 1 AUDIT-LEASE",
            "LEASE-APPROVAL",
        ),
        judged(signed_by_others).bad(
            "approved-by-a-stranger",
            "the same with a signature by a key that approves nothing",
            "BROKEN 1 AUDIT-LEASE",
            "LEASE-APPROVAL",
        ),
    ]
}

/// Two uses, and fuel for one call and a half.
fn two_uses(draft: &mut Value) {
    held(draft);
    draft["budget"] = json!({"uses": 2, "fuel": 100 * FUEL});
}

fn budgets() -> Vec<Case> {
    let lease = root(|draft| {
        two_uses(draft);
        draft["holder"] = json!("none");
    });
    let chain = [lease];
    let mut last = Scene::new();
    last.verified(&chain).call(1, &chain).call(2, &chain);
    let mut over = last.clone();
    over.call(3, &chain);
    let mut lost = Scene::new();
    lost.verified(&chain)
        .begin(1, &chain, |_| {})
        .begin(2, &chain, |_| {})
        .call(3, &chain);
    let parent = [root(two_uses)];
    let children = ["first-child-of-two", "other-child-of-two"]
        .map(|nonce| child(&parent, |wish| wish.nonce = nonce.to_owned()));
    let mut shared = Scene::new();
    shared
        .verified(&children[0])
        .verified(&children[1])
        .call(1, &children[0])
        .call(2, &children[1]);
    let mut shared_over = shared.clone();
    shared_over.call(3, &children[0]);
    let mut unseen = shared_over.clone();
    unseen.store.clear();
    // 1,000 are reserved by a call, and 400 are used by it.
    let fuel = |most: u64| {
        let chain = [root(|draft| {
            draft["budget"] = json!({"uses": 9, "fuel": most});
        })];
        let mut scene = Scene::new();
        scene.verified(&chain).call(1, &chain).call(2, &chain);
        scene
    };
    let mut free = Scene::new();
    let uncharged = |intent: &mut Intent| intent.charges.clear();
    free.verified(&chain).begin(1, &chain, uncharged);
    let uncounted = [root(|_| {})];
    let mut uncharged_well = Scene::new();
    uncharged_well
        .verified(&uncounted)
        .begin(1, &uncounted, uncharged);
    vec![
        last.case(
            "budget-last-use",
            "two calls under a lease for two",
            "CLOSED",
        ),
        over.bad(
            "budget-one-use-more",
            "a third",
            "BROKEN 6 AUDIT-BUDGET",
            "2 uses, 2 were taken",
        ),
        lost.bad(
            "budget-lost-calls",
            "a third, after two calls that never ended: they are spent",
            "BROKEN 4 AUDIT-BUDGET",
            "2 uses, 2 were taken",
        ),
        shared.case(
            "budget-of-two-children",
            "one call under each child of a lease for two",
            "CLOSED",
        ),
        shared_over.bad(
            "budget-of-two-children-over",
            "a third, under a child that had only one",
            "BROKEN 7 AUDIT-BUDGET",
            "2 uses, 2 were taken",
        ),
        unseen.case(
            "budget-not-at-hand",
            "the same; no envelope is at hand, so nobody knows of a budget, which is counted",
            "CLOSED",
        ),
        fuel(1_400).case(
            "budget-last-fuel",
            "what the first call gave back is enough for the second",
            "CLOSED",
        ),
        fuel(1_399).bad(
            "budget-one-unit-less",
            "a lease for one unit of fuel less",
            "BROKEN 4 AUDIT-BUDGET",
            "1399 units of fuel, 400 were taken",
        ),
        free.bad(
            "budget-not-charged",
            "a call that is not charged to a lease with a budget",
            "BROKEN 2 AUDIT-BUDGET",
            "is not charged to it",
        ),
        uncharged_well.case(
            "no-budget-not-charged",
            "a call that is not charged to a lease without one",
            "CLOSED",
        ),
    ]
}

fn keys() -> Vec<Case> {
    let rotated = |previous: KeyId| {
        let mut scene = Scene::new();
        let body = KeyRotated {
            current: issuer().public().key_id(),
            name: "issuer".to_owned(),
            previous,
            roles: vec![Role::Issuer],
            until: at(1_000),
        };
        scene.tape.push(Kind::KeyRotated, &body);
        scene
    };
    let mut uneven = Scene::new();
    let chain = [root(|_| {})];
    uneven.verified(&chain).begin(1, &chain, |intent| {
        intent.charges = charges(&[chain[0].id(), Digest::of(b"another")]);
    });
    vec![
        rotated(host().public().key_id()).case("key-rotated", "a key has a successor", "CLOSED"),
        rotated(issuer().public().key_id()).bad(
            "key-rotated-to-itself",
            "a key is its own successor",
            "BROKEN 1 RECORD-BODY",
            "replaces itself",
        ),
        uneven.bad(
            "charge-beside-the-chain",
            "a charge to a lease that is not of the chain",
            "BROKEN 2 AUDIT-CHARGE",
            "each lease of the chain",
        ),
    ]
}
