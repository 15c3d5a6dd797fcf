//! Presentations: who may use a lease that names its holder.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leasehold_lease::{Here, Presentation, Refusal, Revocations, Verified, verify};
use leasehold_seal::{Digest, Envelope, PayloadType, SecretKey, Timestamp, canonical};
use serde_json::{Value, json};

use crate::common::*;
use crate::family::*;

const PRESENTATIONS: PayloadType =
    PayloadType::new("application/vnd.leasehold.presentation.v1+json");

fn presented_at(
    chain: &[Envelope],
    presentation: Option<&Envelope>,
    now: Timestamp,
) -> Result<Verified, Refusal> {
    let here = Here {
        now,
        presentation,
        ..here()
    };
    verify(chain, &trust(), &Revocations::none(), &here)
}

fn presented(chain: &[Envelope], presentation: &Envelope) -> Result<Verified, Refusal> {
    presented_at(chain, Some(presentation), now())
}

fn present(chain: &[Envelope], holder: &SecretKey, expires: &str) -> Envelope {
    Presentation::sign(
        chain[0].id(),
        host_id(),
        "n".repeat(16),
        time(expires),
        holder,
    )
    .unwrap()
}

const SOON: &str = "2026-01-01T00:35:00Z";

#[test]
fn only_its_holder_uses_a_lease() {
    let chain = [signed(&root())];
    assert_eq!(code(verify_chain(&chain)), "HOLDER-MISSING");
    let good = present(&chain, &person(1), SOON);
    let verified = presented(&chain, &good).unwrap();
    let shown = verified.presentation().unwrap();
    assert_eq!(
        (shown.nonce.as_str(), shown.expires),
        (&*"n".repeat(16), time(SOON))
    );
    // Another person, with the own key.
    assert_eq!(
        code(presented(&chain, &present(&chain, &person(2), SOON))),
        "PRESENTATION-KEY"
    );
    // Another person, with the holder's key.
    let mut claims: Value = serde_json::from_slice(good.unverified_payload()).unwrap();
    let forged = canonical::to_vec(&claims).unwrap();
    let forged = Envelope::sign(PRESENTATIONS, forged, &[&person(2)]).unwrap();
    assert_eq!(code(presented(&chain, &forged)), "KEY-UNTRUSTED");
    // The issuer is not the holder either.
    claims["key"] = json!(STANDARD.encode(issuer().public().spki_der()));
    let payload = canonical::to_vec(&claims).unwrap();
    let by_issuer = Envelope::sign(PRESENTATIONS, payload, &[&issuer()]).unwrap();
    assert_eq!(code(presented(&chain, &by_issuer)), "PRESENTATION-KEY");
    // The signature of one presentation on the words of another.
    let mut moved = json!({"payload": "", "payloadType": PRESENTATIONS.as_str(), "signatures": []});
    claims["key"] = json!(STANDARD.encode(person(1).public().spki_der()));
    claims["expires"] = json!("2026-01-01T00:39:00Z");
    moved["payload"] = json!(STANDARD.encode(canonical::to_vec(&claims).unwrap()));
    let signature = STANDARD.encode(&good.unverified_signatures()[0].sig);
    moved["signatures"] = json!([{ "sig": signature }]);
    let moved = Envelope::parse(moved.to_string().as_bytes()).unwrap();
    assert_eq!(code(presented(&chain, &moved)), "SIGNATURE-INVALID");
}

#[test]
fn for_this_lease_and_this_host() {
    let chain = [signed(&root())];
    let mut again = root();
    again.nonce = "Z".repeat(22);
    let other_lease = [signed(&again)];
    let good = present(&chain, &person(1), SOON);
    assert_eq!(code(presented(&other_lease, &good)), "PRESENTATION-LEASE");
    let elsewhere = other().public().key_id();
    let to = Presentation::sign(
        chain[0].id(),
        elsewhere,
        "n".repeat(16),
        time(SOON),
        &person(1),
    )
    .unwrap();
    assert_eq!(code(presented(&chain, &to)), "PRESENTATION-HOST");
    presented(&chain, &good).unwrap();
    // Of a chain, it is the leaf that is presented, by the leaf's holder.
    let chain = pair(&root(), |child| child.holder = held_by(&person(2)));
    assert_eq!(
        code(presented(&chain, &present(&chain, &person(1), SOON))),
        "PRESENTATION-KEY"
    );
    let parent = present(&chain[1..], &person(2), SOON);
    assert_eq!(code(presented(&chain, &parent)), "PRESENTATION-LEASE");
    presented(&chain, &present(&chain, &person(2), SOON)).unwrap();
    // The parent's holder keeps the parent.
    presented(&chain[1..], &present(&chain[1..], &person(1), SOON)).unwrap();
}

#[test]
fn time_of_a_presentation() {
    let chain = [signed(&root())];
    let at = |expires: &str| presented(&chain, &present(&chain, &person(1), expires));
    assert_eq!(code(at("2026-01-01T00:29:59Z")), "PRESENTATION-EXPIRED");
    assert_eq!(code(at("2026-01-01T00:30:00Z")), "PRESENTATION-EXPIRED");
    at("2026-01-01T00:30:00.001Z").unwrap();
    at("2026-01-01T00:40:00Z").unwrap();
    assert_eq!(code(at("2026-01-01T00:40:00.001Z")), "PRESENTATION-LONG");
    let good = present(&chain, &person(1), SOON);
    presented_at(&chain, Some(&good), time("2026-01-01T00:34:59.999Z")).unwrap();
    let later = presented_at(&chain, Some(&good), time(SOON));
    assert_eq!(code(later), "PRESENTATION-EXPIRED");
}

/// The lease of whoever has it is not presented.
#[test]
fn nobody_to_present_it() {
    let chain = [signed(&document())];
    let stray = present(&chain, &person(1), SOON);
    assert_eq!(code(presented(&chain, &stray)), "PRESENTATION-KEY");
    assert!(
        presented_at(&chain, None, now())
            .unwrap()
            .presentation()
            .is_none()
    );
}

#[test]
fn form_of_a_presentation() {
    let chain = [signed(&root())];
    let good = present(&chain, &person(1), SOON);
    let good: Value = serde_json::from_slice(good.unverified_payload()).unwrap();
    let outcome = |claims: &Value| {
        let payload = canonical::to_vec(claims).unwrap();
        let envelope = Envelope::sign(PRESENTATIONS, payload, &[&person(1)]).unwrap();
        presented(&chain, &envelope)
    };
    outcome(&good).unwrap();
    let bad = [
        ("nonce", json!("n".repeat(15)), "PRESENTATION-FORMAT"),
        ("nonce", json!("n".repeat(65)), "PRESENTATION-FORMAT"),
        ("nonce", json!("+".repeat(16)), "PRESENTATION-FORMAT"),
        ("version", json!(2), "PRESENTATION-FORMAT"),
        ("lease", json!("x"), "PRESENTATION-FORMAT"),
        ("host", json!(7), "PRESENTATION-FORMAT"),
        ("expires", json!("soon"), "PRESENTATION-FORMAT"),
        ("key", json!("AAAA"), "KEY-FORMAT"),
        ("key", json!("="), "PRESENTATION-FORMAT"),
        ("colour", json!(1), "PRESENTATION-FORMAT"),
    ];
    for (field, value, expected) in bad {
        let mut claims = good.clone();
        claims[field] = value;
        assert_eq!(code(outcome(&claims)), expected, "{field}");
    }
    let lease = Digest::of(b"x");
    let short = Presentation::sign(lease, host_id(), "short", time(SOON), &person(1));
    assert_eq!(code(short), "PRESENTATION-FORMAT");
    // A lease is no presentation.
    assert_eq!(code(presented(&chain, &chain[0])), "PAYLOAD-TYPE");
}
