//! Intents against the envelopes of their leases.

use leasehold_audit::{Expect, Report, check_with_leases};
use leasehold_lease::LeaseDoc;
use leasehold_seal::{Digest, Envelope, Role, SecretKey, Trust, TrustedKey};
use leasehold_tape::{Kind, LeaseVerified};
use serde_json::json;

use crate::builder::{Builder, FUEL, at, host, intent, issuer, other, outcome, trust, verdict};
use leasehold_tape::call::{Ending, new_call_id};

fn document(plugin: &Digest, audience: &serde_json::Value) -> LeaseDoc {
    let draft = json!({
        "version": 1,
        "issuer": issuer().public().key_id(),
        "holder": "none",
        "audience": audience,
        "parent": null,
        "depth": 0,
        "nonce": "00112233445566778899aabbccddeeff",
        "not_before": at(0),
        "expires": at(600_000),
        "grants": [{
            "id": "structure", "plugin": plugin, "kind": "gate",
            "files": {"list": ["**"], "read": ["**"], "write": [], "deny": []},
            "env": {"pass": [], "set": {}},
            "clock": "virtual", "random": "seeded",
            "limits": {"fuel": FUEL, "memory_bytes": 67_108_864, "wall_ms": 10_000,
                       "output_bytes": 65_536, "write_bytes": 65_536, "open_files": 64}
        }]
    });
    LeaseDoc::from_draft(draft.to_string().as_bytes()).unwrap()
}

fn good() -> Envelope {
    document(&Digest::of(b"plugin"), &json!("any"))
        .sign(&[&issuer()])
        .unwrap()
}

/// A closed tape with one call under this lease; `stated` may change what the tape says of it.
fn audited(
    envelope: &Envelope,
    stated: impl Fn(&mut LeaseVerified),
    fuel: u64,
    delay: i64,
    at_hand: bool,
) -> Report {
    let bytes = envelope.to_json().unwrap();
    let store = |_: &Digest| at_hand.then(|| bytes.clone());
    audited_with(envelope, stated, fuel, delay, &store)
}

/// [`audited`] with what the store has.
fn audited_with(
    envelope: &Envelope,
    stated: impl Fn(&mut LeaseVerified),
    fuel: u64,
    delay: i64,
    store: &dyn Fn(&Digest) -> Option<Vec<u8>>,
) -> Report {
    let bytes = envelope.to_json().unwrap();
    let mut body = LeaseVerified::new(Digest::of(&bytes), envelope.id(), at(0), at(600_000));
    stated(&mut body);
    let mut tape = Builder::new();
    tape.push(Kind::LeaseVerified, &body);
    tape.time += delay;
    let mut intent = intent(1);
    intent.call = new_call_id(at(tape.time), [1; 10]);
    let mut outcome = outcome(1, Ending::Returned, 1);
    outcome.call.clone_from(&intent.call);
    intent.lease = vec![envelope.id()];
    intent.charges[0].lease = envelope.id();
    intent.charges[0].fuel = fuel;
    tape.push(Kind::CallIntent, &intent)
        .push(Kind::CallOutcome, &outcome)
        .closed(0);
    let signed = tape.checkpoint();
    check_with_leases(
        tape.records().as_slice(),
        Some(signed.as_bytes()),
        &trust(),
        &Expect::default(),
        store,
    )
    .unwrap()
}

fn same(_: &mut LeaseVerified) {}

#[test]
fn a_call_within_its_lease_is_good_with_and_without_the_envelope() {
    let report = audited(&good(), same, FUEL, 0, true);
    assert_eq!(verdict(&report), "CLOSED");
    assert_eq!((report.leases_verified, report.calls_without_lease), (1, 0));
    let report = audited(&good(), same, FUEL, 0, false);
    assert_eq!(verdict(&report), "CLOSED");
    assert_eq!((report.leases_verified, report.calls_without_lease), (0, 0));
}

/// A run with rules from a commit goes by the trust file in it, which the host keeps in its store.
#[test]
fn a_lease_under_another_trust_file_is_held_to_that_one_and_counted_apart() {
    let mut document = document(&Digest::of(b"plugin"), &json!("any"));
    document.issuer = other().public().key_id();
    let foreign = document.sign(&[&other()]).unwrap();
    let keys = |key: &SecretKey| {
        let keys = vec![TrustedKey::new("team", key.public(), [Role::Issuer])];
        Trust::new(keys, 1).unwrap().to_json().unwrap()
    };
    let judged = |kept: &[u8], named: Option<Digest>| {
        let envelope = foreign.to_json().unwrap();
        let bytes = [envelope, kept.to_vec()];
        let store = |digest: &Digest| {
            bytes
                .iter()
                .find(|bytes| Digest::of(bytes) == *digest)
                .cloned()
        };
        audited_with(&foreign, |stated| stated.trust = named, FUEL, 0, &store)
    };
    let team = keys(&other());
    let report = judged(&team, Some(Digest::of(&team)));
    assert_eq!(verdict(&report), "CLOSED");
    assert_eq!(report.leases_verified, 0);
    assert_eq!(report.leases_elsewhere, [(Digest::of(&team), 1)].into());
    // Not at hand: it is said, and nothing more can be.
    let report = judged(b"", Some(Digest::of(&team)));
    assert_eq!(
        (verdict(&report).as_str(), report.leases_elsewhere.len()),
        ("CLOSED", 1)
    );
    // Good under neither, or under none that is named.
    let wrong = keys(&issuer());
    let broken = "BROKEN 1 AUDIT-LEASE";
    assert_eq!(verdict(&judged(&wrong, Some(Digest::of(&wrong)))), broken);
    assert_eq!(verdict(&judged(&team, None)), broken);
}

#[test]
fn an_intent_after_the_end_of_its_lease_is_broken_with_and_without_the_envelope() {
    for at_hand in [true, false] {
        let report = audited(&good(), same, FUEL, 597_999, at_hand);
        assert_eq!(verdict(&report), "CLOSED");
        for delay in [598_000, 10_000_000] {
            let report = audited(&good(), same, FUEL, delay, at_hand);
            assert_eq!(verdict(&report), "BROKEN 2 AUDIT-LEASE");
        }
    }
}

#[test]
fn more_fuel_than_the_grant_has_is_broken_when_the_envelope_is_at_hand() {
    assert_eq!(
        verdict(&audited(&good(), same, FUEL + 1, 0, true)),
        "BROKEN 2 AUDIT-CHARGE"
    );
    assert_eq!(
        verdict(&audited(&good(), same, FUEL + 1, 0, false)),
        "CLOSED"
    );
}

#[test]
fn a_lease_that_does_not_allow_the_call_is_broken() {
    let here = json!([{"host": host().public().key_id()}]);
    let elsewhere = json!([{"host": other().public().key_id()}]);
    let plugin = Digest::of(b"plugin");
    let judged = |envelope: &Envelope| verdict(&audited(envelope, same, FUEL, 0, true));
    let sign = |document: &LeaseDoc| document.sign(&[&issuer()]).unwrap();
    assert_eq!(judged(&sign(&document(&plugin, &here))), "CLOSED");
    assert_eq!(
        judged(&sign(&document(&plugin, &elsewhere))),
        "BROKEN 1 AUDIT-LEASE"
    );
    let other_plugin = document(&Digest::of(b"other plugin"), &here);
    assert_eq!(judged(&sign(&other_plugin)), "BROKEN 2 AUDIT-LEASE");
    let forged = document(&plugin, &here).sign(&[&other()]).unwrap();
    assert_eq!(judged(&forged), "BROKEN 1 AUDIT-LEASE");
}

#[test]
fn a_record_that_states_another_lease_than_its_envelope_is_broken() {
    let longer = |stated: &mut LeaseVerified| stated.expires = at(900_000);
    let earlier = |stated: &mut LeaseVerified| stated.not_before = at(1);
    let renamed = |stated: &mut LeaseVerified| stated.lease = Digest::of(b"another");
    let swapped = |stated: &mut LeaseVerified| stated.envelope = Digest::of(b"another");
    let stated: [&dyn Fn(&mut LeaseVerified); 4] = [&longer, &earlier, &renamed, &swapped];
    for change in stated {
        assert_eq!(
            verdict(&audited(&good(), change, FUEL, 0, true)),
            "BROKEN 1 AUDIT-LEASE"
        );
    }
}
