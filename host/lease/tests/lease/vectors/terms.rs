//! Vectors of what a lease depends on beside its own words: approvals, presentations, revocation lists, budgets.

use std::collections::BTreeMap;

use leasehold_lease::{
    Audience, AudienceEntry, Budget, ChildDoc, LeaseDoc, Presentation, RevocationList,
};
use leasehold_seal::{Digest, Envelope, KeyId, PayloadType, SecretKey};
use serde_json::{Value, json};

use super::cases::Case;
use super::{Spent, Vector, edited, good, trust_json};
use crate::common::*;
use crate::family::*;

pub(super) fn vectors() -> Vec<Case> {
    let mut vectors = approvals();
    vectors.extend(presentations());
    vectors.extend(revocations());
    vectors.extend(budgets());
    vectors
}

fn text(envelope: &Envelope) -> String {
    String::from_utf8(envelope.to_json().unwrap()).unwrap()
}

/// The trust file of the other vectors with these keys and fields more.
fn trust_with(keys: &[(&str, &SecretKey, &[&str])], fields: Value) -> Value {
    let mut file = trust_json(&trust());
    for (name, key, roles) in keys {
        let pem = key.public().to_spki_pem();
        let key = json!({"name": name, "key": pem, "roles": roles});
        file["keys"].as_array_mut().unwrap().push(key);
    }
    for (field, value) in fields.as_object().unwrap() {
        file[field] = value.clone();
    }
    file
}

fn approvals() -> Vec<Case> {
    let (alice, bob) = (person(21), person(22));
    let asking = |rules: Value| {
        let keys: [(&str, &SecretKey, &[&str]); 3] = [
            ("alice", &alice, &["approver"]),
            ("bob", &bob, &["approver"]),
            ("carol", &person(23), &["issuer", "approver"]),
        ];
        trust_with(&keys, json!({ "approvals": rules }))
    };
    let two = || asking(json!([{"for": ["write", "http"], "needed": 2}]));
    let named = || asking(json!([{"for": ["any"], "needed": 1, "by": ["bob"]}]));
    let by = |about: &str, trust: Value, keys: &[&SecretKey]| {
        good(about).signed_by(keys).trusting(trust)
    };
    let (i, carol) = (issuer(), person(23));
    let moved = {
        let approved = edited("a reader", |lease| {
            lease["grants"][0]["files"]["write"] = json!([])
        });
        let approved = approved.signed_by(&[&i, &alice, &bob]);
        let theirs = Envelope::parse(approved.envelope.as_bytes()).unwrap();
        by("the approvals of a lease with fewer rights", two(), &[&i]).with_envelope(|own| {
            let mut own: Value = serde_json::from_str(&own).unwrap();
            let theirs: Value = serde_json::from_str(&text(&theirs)).unwrap();
            for signature in &theirs["signatures"].as_array().unwrap()[1..] {
                own["signatures"]
                    .as_array_mut()
                    .unwrap()
                    .push(signature.clone());
            }
            own.to_string()
        })
    };
    let reader = edited("no right the rule is about", |lease| {
        lease["grants"][0]["files"]["write"] = json!([]);
    });
    vec![
        (
            "approval-good",
            "",
            by(
                "two approvers beside the issuer",
                two(),
                &[&i, &alice, &bob],
            ),
        ),
        ("approval-good-not-needed", "", reader.trusting(two())),
        (
            "approval-good-named",
            "",
            by("the approver the rule names", named(), &[&i, &bob]),
        ),
        (
            "approval-one-of-two",
            "LEASE-APPROVAL",
            by("one approver of two", two(), &[&i, &alice]),
        ),
        (
            "approval-twice",
            "LEASE-APPROVAL",
            by("the same approver twice", two(), &[&i, &alice, &alice]),
        ),
        (
            "approval-issuer",
            "LEASE-APPROVAL",
            by(
                "an approver who counts as an issuer of this lease",
                two(),
                &[&i, &alice, &carol],
            ),
        ),
        (
            "approval-stranger",
            "LEASE-APPROVAL",
            by("somebody nobody knows", two(), &[&i, &alice, &person(9)]),
        ),
        (
            "approval-not-named",
            "LEASE-APPROVAL",
            by("an approver the rule does not name", named(), &[&i, &alice]),
        ),
        ("approval-moved", "LEASE-APPROVAL", moved),
        (
            "approval-out-of-reach",
            "TRUST-FORMAT",
            good("a rule nobody can meet").trusting(asking(json!([{"for": ["any"], "needed": 4}]))),
        ),
    ]
}

fn presentations() -> Vec<Case> {
    let lease = signed(&root());
    let held = |about: &str, presentation: Envelope| Vector {
        presentation: Some(text(&presentation)),
        ..good(about).chained(std::slice::from_ref(&lease))
    };
    let sign = |lease: Digest, host: KeyId, expires: &str, key: &SecretKey| {
        Presentation::sign(lease, host, "n".repeat(16), time(expires), key).unwrap()
    };
    let by = |expires: &str| sign(lease.id(), host_id(), expires, &person(1));
    let forged = {
        let payload = by("2026-01-01T00:35:00Z").unverified_payload().to_vec();
        let kind = PayloadType::new("application/vnd.leasehold.presentation.v1+json");
        Envelope::sign(kind, payload, &[&person(2)]).unwrap()
    };
    let soon = "2026-01-01T00:35:00Z";
    let other_host = other().public().key_id();
    vec![
        (
            "presentation-good",
            "",
            held("presented by its holder", by(soon)),
        ),
        (
            "presentation-good-longest",
            "",
            held("ten minutes ahead", by("2026-01-01T00:40:00Z")),
        ),
        (
            "presentation-long",
            "PRESENTATION-LONG",
            held("more than ten minutes ahead", by("2026-01-01T00:40:01Z")),
        ),
        (
            "presentation-expired",
            "PRESENTATION-EXPIRED",
            held(
                "the end is the first moment at which it is no longer good",
                by("2026-01-01T00:30:00Z"),
            ),
        ),
        (
            "presentation-other-host",
            "PRESENTATION-HOST",
            held(
                "presented to another host",
                sign(lease.id(), other_host, soon, &person(1)),
            ),
        ),
        (
            "presentation-other-lease",
            "PRESENTATION-LEASE",
            held(
                "of another lease",
                sign(Digest::of(b"another"), host_id(), soon, &person(1)),
            ),
        ),
        (
            "presentation-other-key",
            "PRESENTATION-KEY",
            held(
                "presented by another",
                sign(lease.id(), host_id(), soon, &person(2)),
            ),
        ),
        (
            "presentation-forged",
            "KEY-UNTRUSTED",
            held("the holder's key, the signature of another", forged),
        ),
        (
            "presentation-lease",
            "PAYLOAD-TYPE",
            held("a lease is no presentation", lease.clone()),
        ),
        (
            "presentation-not-asked-for",
            "PRESENTATION-KEY",
            Vector {
                presentation: Some(text(&by(soon))),
                ..good("a lease that names no holder")
            },
        ),
    ]
}

fn revocations() -> Vec<Case> {
    let revoker = person(31);
    let trusting = |rule: Value| {
        trust_with(
            &[("revoker", &revoker, &["revoker"])],
            json!({ "revocation": rule }),
        )
    };
    let relaxed = || trust_with(&[("revoker", &revoker, &["revoker"])], json!({}));
    let list_by = |number: u64, issued: &str, next: &str, ids: &[Digest], key: &SecretKey| {
        RevocationList::sign(number, time(issued), time(next), ids, &[key]).unwrap()
    };
    let (then, later) = ("2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z");
    let list = |number, ids: &[Digest]| list_by(number, then, later, ids, &revoker);
    let under = |about: &str, trust: Value, list: &RevocationList| Vector {
        revocations: Some(text(list.envelope())),
        ..good(about).trusting(trust)
    };
    let chain = generations(4);
    let revoked = |about: &str, hop: usize| {
        under(
            about,
            relaxed(),
            &list(7, &[Digest::of(b"another"), chain[hop].id()]),
        )
        .chained(&chain)
    };
    let clean = list(7, &[Digest::of(b"another")]);
    let seen = |vector: Vector, list: &RevocationList| Vector {
        seen: Some(list.seen()),
        ..vector
    };
    let at = |about: &str, issued, next| {
        under(about, relaxed(), &list_by(7, issued, next, &[], &revoker))
    };
    let required = || trusting(json!({"required": true, "least": 7}));
    vec![
        (
            "revocation-good",
            "",
            under("a list that names another lease", required(), &clean),
        ),
        (
            "revocation-good-same",
            "",
            seen(
                under("the list the tape has seen", relaxed(), &clean),
                &clean,
            ),
        ),
        (
            "revocation-good-newer",
            "",
            seen(under("a newer list", relaxed(), &clean), &list(6, &[])),
        ),
        (
            "revocation-good-chain",
            "",
            under("no lease of the chain", relaxed(), &clean).chained(&chain),
        ),
        (
            "revocation-leaf",
            "LEASE-REVOKED",
            revoked("the lease itself", 0),
        ),
        (
            "revocation-ancestor",
            "LEASE-REVOKED",
            revoked("a lease in the middle", 2),
        ),
        ("revocation-root", "LEASE-REVOKED", revoked("the root", 3)),
        (
            "revocation-missing",
            "REVOCATION-MISSING",
            good("none, and one is required").trusting(required()),
        ),
        (
            "revocation-lost",
            "REVOCATION-MISSING",
            seen(
                good("none, and the tape has seen one").trusting(relaxed()),
                &clean,
            ),
        ),
        (
            "revocation-stale",
            "REVOCATION-STALE",
            at("too old", then, "2026-01-01T00:30:00Z"),
        ),
        (
            "revocation-early",
            "REVOCATION-EARLY",
            at("from the future", "2026-01-01T00:35:01Z", later),
        ),
        (
            "revocation-least",
            "REVOCATION-OLD",
            under("below the least number", required(), &list(6, &[])),
        ),
        (
            "revocation-old",
            "REVOCATION-OLD",
            seen(
                under(
                    "older than the one the tape has seen",
                    relaxed(),
                    &list(6, &[]),
                ),
                &clean,
            ),
        ),
        (
            "revocation-fork",
            "REVOCATION-FORK",
            seen(
                under("another list of the same number", relaxed(), &list(7, &[])),
                &clean,
            ),
        ),
        (
            "revocation-foreign",
            "KEY-UNTRUSTED",
            under(
                "signed by somebody nobody knows",
                relaxed(),
                &list_by(7, then, later, &[], &person(9)),
            ),
        ),
        (
            "revocation-issuer",
            "KEY-UNTRUSTED",
            under(
                "signed by an issuer, who is no revoker",
                relaxed(),
                &list_by(7, then, later, &[], &issuer()),
            ),
        ),
    ]
}

fn budgets() -> Vec<Case> {
    let here = || {
        Audience::Hosts(vec![AudienceEntry {
            host: host_id(),
            tape: Some(tape()),
        }])
    };
    let fuel = grant().limits.fuel;
    let counted = LeaseDoc {
        audience: here(),
        budget: Some(Budget {
            uses: Some(10),
            fuel: Some(10 * fuel),
        }),
        ..root()
    };
    let spent = |leases: &[(&Envelope, u64, u64)]| -> BTreeMap<String, Spent> {
        let entry = |(lease, uses, fuel): &(&Envelope, u64, u64)| {
            (
                lease.id().to_string(),
                Spent {
                    uses: *uses,
                    fuel: *fuel,
                },
            )
        };
        leases.iter().map(entry).collect()
    };
    let chain = |change: fn(&mut ChildDoc)| pair(&counted, change);
    let all = chain(|_| {});
    let five = chain(|child| {
        child.budget = Some(Budget {
            uses: Some(5),
            fuel: None,
        });
    });
    let on_tape = |about: &str, chain: &[Envelope], leases: &[(&Envelope, u64, u64)]| Vector {
        tape: Some(tape()),
        spent: spent(leases),
        ..good(about).chained(chain)
    };
    let more = pair(&counted, |child| {
        child.budget = Some(Budget {
            uses: Some(11),
            fuel: None,
        });
    });
    let fresh = Vector {
        tape: Some(Digest::of(b"fresh")),
        ..on_tape("a tape on which nothing is counted yet", &all, &[])
    };
    vec![
        ("budget-good", "", on_tape("nothing is spent", &all, &[])),
        (
            "budget-good-last",
            "",
            on_tape("one use is left", &all, &[(&all[1], 9, 9 * fuel)]),
        ),
        (
            "budget-good-child",
            "",
            on_tape(
                "one use of the child is left",
                &five,
                &[(&five[0], 4, 4 * fuel), (&five[1], 4, 4 * fuel)],
            ),
        ),
        (
            "budget-uses",
            "BUDGET-EXHAUSTED",
            on_tape("all uses are spent", &all, &[(&all[1], 10, 0)]),
        ),
        (
            "budget-fuel",
            "BUDGET-EXHAUSTED",
            on_tape(
                "one unit of fuel too few is left",
                &all,
                &[(&all[1], 9, 9 * fuel + 1)],
            ),
        ),
        (
            "budget-child",
            "BUDGET-EXHAUSTED",
            on_tape("the child's uses are spent", &five, &[(&five[0], 5, 0)]),
        ),
        (
            "budget-parent",
            "BUDGET-EXHAUSTED",
            on_tape(
                "the parent's uses are spent, by other children",
                &five,
                &[(&five[0], 1, 0), (&five[1], 10, 0)],
            ),
        ),
        (
            "budget-wider",
            "LEASE-WIDER",
            on_tape("more uses than the parent has", &more, &[]),
        ),
        ("budget-fresh-tape", "LEASE-AUDIENCE", fresh),
        (
            "budget-zero",
            "LEASE-FORMAT",
            edited("no use at all", |lease| {
                lease["audience"] = serde_json::to_value(here()).unwrap();
                lease["budget"] = json!({"uses": 0, "fuel": 1});
            }),
        ),
        (
            "budget-half",
            "LEASE-FORMAT",
            edited("a root lease states both", |lease| {
                lease["audience"] = serde_json::to_value(here()).unwrap();
                lease["budget"] = json!({"uses": 1});
            }),
        ),
    ]
}
