//! Cases of revocation: leases that are revoked, and the lists themselves.

use leasehold_lease::RevocationList;
use leasehold_seal::Digest;
use leasehold_tape::{LeaseRevoked, LeaseVerified, ListSeen};

use crate::builder::{at, issuer, revoker};
use crate::cases::Case;
use crate::chains::three;
use crate::scene::{Scene, ids, list, root};

/// The same, checked against this list.
fn against(list: &RevocationList) -> impl Fn(&mut LeaseVerified) {
    let seen = ListSeen {
        list: list.id(),
        number: list.number(),
    };
    move |body| body.revocations = Some(seen)
}

pub(crate) fn revoked() -> Vec<Case> {
    let chain = three();
    let hops = ids(&chain);
    let after = |id: Digest| {
        let mut scene = Scene::new();
        scene.verified(&chain).call(1, &chain);
        scene.revoked(&list(7, &[id]), &[id], |_| {});
        scene
    };
    let mut during = Scene::new();
    during.verified(&chain).begin(1, &chain, |_| {});
    during
        .revoked(&list(7, &[hops[0]]), &[hops[0]], |_| {})
        .end(1);
    let mut unseen = after(hops[0]);
    unseen.store.clear();
    unseen.call(2, &chain);
    let mut unseen_other = after(Digest::of(b"another lease"));
    unseen_other.store.clear();
    unseen_other.call(2, &chain);
    let mut verified = Scene::new();
    let second = list(7, &[hops[2]]);
    verified
        .revoked(&second, &[hops[2]], |_| {})
        .verified_with(&chain, against(&second));
    let mut checked = Scene::new();
    let empty = list(7, &[]);
    checked
        .revoked(&empty, &[], |_| {})
        .verified_with(&chain, against(&empty))
        .call(1, &chain);
    let mut taken_off = after(hops[0]);
    taken_off
        .revoked(&list(8, &[]), &[], |_| {})
        .call(2, &chain);
    vec![
        after(hops[0]).case(
            "revoked-after",
            "a lease is revoked after its only call",
            "CLOSED",
        ),
        during.case(
            "revoked-during",
            "a lease is revoked while its call runs, and the call ends",
            "CLOSED",
        ),
        after(hops[0]).call(2, &chain).case(
            "revoked-before",
            "a call after its lease was revoked",
            "BROKEN 5 AUDIT-REVOKED",
        ),
        after(hops[2]).call(2, &chain).case(
            "revoked-root-before",
            "a call after the root of its chain was revoked",
            "BROKEN 5 AUDIT-REVOKED",
        ),
        after(Digest::of(b"another lease")).call(2, &chain).case(
            "revoked-another",
            "a call after another lease was revoked",
            "CLOSED",
        ),
        unseen.case(
            "revoked-before-unseen",
            "a call after its lease was revoked; no envelope is at hand",
            "BROKEN 5 AUDIT-REVOKED",
        ),
        unseen_other.case(
            "revoked-another-unseen",
            "a call after another lease was revoked; no envelope is at hand",
            "CLOSED",
        ),
        verified.case(
            "revoked-verified",
            "a lease that is verified after its root was revoked",
            "BROKEN 2 AUDIT-REVOKED",
        ),
        checked.case(
            "revocations-checked",
            "a lease that was checked against the list in force",
            "CLOSED",
        ),
        taken_off.case(
            "revoked-and-taken-off",
            "a call after a later list no longer has its lease",
            "CLOSED",
        ),
    ]
}

pub(crate) fn lists() -> Vec<Case> {
    let one = Digest::of(b"one");
    let in_force = |lists: &[RevocationList]| {
        let mut scene = Scene::new();
        for list in lists {
            scene.revoked(list, list.ids(), |_| {});
        }
        scene
    };
    let lease = [root(|_| {})];
    let seven = list(7, &[]);
    let checked = |change: &dyn Fn(&mut LeaseVerified)| {
        let mut scene = in_force(&[list(7, &[])]);
        scene.verified_with(&lease, change).call(1, &lease);
        scene
    };
    let stated = |change: &dyn Fn(&mut LeaseRevoked)| {
        let mut scene = Scene::new();
        scene.revoked(&list(7, &[one]), &[one], change);
        scene
    };
    let strange = RevocationList::sign(7, at(0), at(3_600_000), &[], &[&issuer()]).unwrap();
    let stale = RevocationList::sign(7, at(0), at(1_000), &[], &[&revoker()]).unwrap();
    let fresh = RevocationList::sign(7, at(0), at(1_001), &[], &[&revoker()]).unwrap();
    let mut outdated = in_force(std::slice::from_ref(&fresh));
    outdated.verified_with(&lease, against(&fresh));
    let other_id = |body: &mut LeaseVerified| {
        body.revocations = Some(ListSeen {
            list: Digest::of(b"another list"),
            number: 7,
        });
    };
    let later = |body: &mut LeaseVerified| {
        body.revocations = Some(ListSeen {
            list: Digest::of(b"a later list"),
            number: 8,
        });
    };
    vec![
        in_force(&[list(7, &[]), list(7, &[]), list(9, &[one])]).case(
            "lists",
            "a list, the same again, and a later one",
            "CLOSED",
        ),
        in_force(&[list(7, &[]), list(6, &[one])]).case(
            "list-older",
            "a list that is older than the one in force",
            "BROKEN 2 REVOCATION-OLD",
        ),
        in_force(&[list(7, &[]), list(7, &[one])]).case(
            "list-fork",
            "another list of the same number",
            "BROKEN 2 REVOCATION-FORK",
        ),
        checked(&|_| {}).case(
            "lease-without-list",
            "a lease checked against no list after one was put in force",
            "BROKEN 2 REVOCATION-MISSING",
        ),
        checked(&against(&list(6, &[]))).case(
            "lease-against-older-list",
            "a lease checked against an older list than the one in force",
            "BROKEN 2 REVOCATION-OLD",
        ),
        checked(&other_id).case(
            "lease-against-other-list",
            "a lease checked against another list of the same number",
            "BROKEN 2 REVOCATION-FORK",
        ),
        checked(&against(&seven)).case(
            "lease-against-list",
            "a lease checked against the list in force",
            "CLOSED",
        ),
        checked(&later).case(
            "lease-against-later-list",
            "a lease checked against a later list, which is not at hand",
            "CLOSED",
        ),
        stated(&|_| {}).case("list-stated", "a list as it is stated", "CLOSED"),
        stated(&|body| body.total = 2).bad(
            "list-total",
            "a list that has fewer ids than is stated",
            "BROKEN 1 AUDIT-LIST",
            "another one than the record states",
        ),
        stated(&|body| body.new = vec![Digest::of(b"another")]).bad(
            "list-new",
            "an id that is stated as new and is not on the list",
            "BROKEN 1 AUDIT-LIST",
            "another one than the record states",
        ),
        stated(&|body| body.number = 8).bad(
            "list-number",
            "a list that has another number than is stated",
            "BROKEN 1 AUDIT-LIST",
            "another one than the record states",
        ),
        in_force(&[strange]).bad(
            "list-by-a-stranger",
            "a list signed by a key that is no revoker",
            "BROKEN 1 AUDIT-LIST",
            "KEY-UNTRUSTED",
        ),
        in_force(&[stale]).bad(
            "list-stale",
            "a list that is put in force at the moment at which it ends",
            "BROKEN 1 AUDIT-LIST",
            "REVOCATION-STALE",
        ),
        in_force(&[fresh]).case("list-last-moment", "a millisecond earlier", "CLOSED"),
        outdated.bad(
            "lease-against-stale-list",
            "a lease checked against a list that has ended since",
            "BROKEN 2 AUDIT-LIST",
            "REVOCATION-STALE",
        ),
    ]
}
