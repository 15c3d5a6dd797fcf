//! Envelopes that are damaged, too large, or not signed as they should be.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leasehold_lease::LeaseDoc;
use leasehold_seal::{
    Class, Coded, Envelope, PayloadType, Role, SecretKey, Trust, TrustedKey, canonical,
};
use serde_json::json;

use crate::common::*;

fn envelope() -> Envelope {
    document().sign(&[&issuer()]).unwrap()
}

fn good_payload() -> Vec<u8> {
    canonical::to_vec(&document()).unwrap()
}

#[test]
fn missing_or_truncated() {
    assert_eq!(Envelope::parse(b"").unwrap_err().code(), "JSON-SYNTAX");
    let text = envelope().to_json().unwrap();
    for length in 0..text.len() {
        assert_eq!(
            Envelope::parse(&text[..length]).unwrap_err().code(),
            "JSON-SYNTAX",
            "{length}"
        );
    }
    let payload = good_payload();
    for length in 0..payload.len() {
        assert_eq!(
            code(verify_payload(&payload[..length])),
            "JSON-SYNTAX",
            "{length}"
        );
    }
    verify_payload(&payload).unwrap();
}

#[test]
fn ten_megabytes() {
    let text = format!(r#"{{"payload":"{}"}}"#, "A".repeat(10 << 20));
    assert_eq!(
        Envelope::parse(text.as_bytes()).unwrap_err().code(),
        "JSON-TOO-LARGE"
    );
    let mut lease = json(&document());
    lease["intent"]["summary"] = json!("A".repeat(10 << 20));
    assert_eq!(
        LeaseDoc::parse(lease.to_string().as_bytes())
            .unwrap_err()
            .code(),
        "JSON-TOO-LARGE"
    );
}

#[test]
fn a_flipped_byte_in_every_field() {
    let payload = canonical::to_vec(&document()).unwrap();
    let good = envelope();
    let keyid = issuer().public().key_id().to_string();
    let sig = good.unverified_signatures()[0].sig.clone();
    let outcome = |payload_type: &str, payload: &[u8], keyid: &str, sig: &[u8]| {
        let text = envelope_text(payload_type, payload, &[(keyid, sig)]);
        verify_here(&Envelope::parse(text.as_bytes()).unwrap())
    };
    let lease_type = PayloadType::LEASE.as_str();
    outcome(lease_type, &payload, &keyid, &sig).unwrap();
    for at in 0..payload.len() {
        let mut flipped = payload.clone();
        flipped[at] ^= 1;
        assert_eq!(
            code(outcome(lease_type, &flipped, &keyid, &sig)),
            "SIGNATURE-INVALID",
            "{at}"
        );
    }
    for at in 0..sig.len() {
        let mut flipped = sig.clone();
        flipped[at] ^= 1;
        assert_eq!(
            code(outcome(lease_type, &payload, &keyid, &flipped)),
            "SIGNATURE-INVALID",
            "{at}"
        );
    }
    for at in 0..lease_type.len() {
        let mut flipped = lease_type.as_bytes().to_vec();
        flipped[at] ^= 1;
        let flipped = String::from_utf8(flipped).unwrap();
        assert_eq!(
            code(outcome(&flipped, &payload, &keyid, &sig)),
            "PAYLOAD-TYPE",
            "{at}"
        );
    }
    // The key id is a hint and not signed: it decides nothing.
    outcome(
        lease_type,
        &payload,
        &other().public().key_id().to_string(),
        &sig,
    )
    .unwrap();
}

#[test]
fn signers() {
    let payload = || canonical::to_vec(&document()).unwrap();
    let signed_by =
        |keys: &[&SecretKey]| Envelope::sign(PayloadType::LEASE, payload(), keys).unwrap();
    let verify_with =
        |envelope: &Envelope, trust: &Trust| verify_root(envelope, trust, &host_id(), None, now());

    assert_eq!(code(verify_here(&signed_by(&[&other()]))), "KEY-UNTRUSTED");
    assert_eq!(code(verify_here(&signed_by(&[&host()]))), "KEY-UNTRUSTED");
    verify_here(&signed_by(&[&other(), &issuer()])).unwrap();

    // The signature of one key under the id of another.
    let sig = signed_by(&[&other()]).unverified_signatures()[0]
        .sig
        .clone();
    let keyid = issuer().public().key_id().to_string();
    let text = envelope_text(PayloadType::LEASE.as_str(), &payload(), &[(&keyid, &sig)]);
    assert_eq!(
        code(verify_here(&Envelope::parse(text.as_bytes()).unwrap())),
        "SIGNATURE-INVALID"
    );

    // Two issuers have to sign.
    assert_eq!(
        code(verify_with(&signed_by(&[&issuer()]), &trust_in_two())),
        "SIGNATURE-MISSING"
    );
    assert_eq!(
        code(verify_with(
            &signed_by(&[&issuer(), &issuer()]),
            &trust_in_two()
        )),
        "SIGNATURE-MISSING"
    );
    assert_eq!(
        code(verify_with(
            &signed_by(&[&issuer(), &host()]),
            &trust_in_two()
        )),
        "SIGNATURE-MISSING"
    );
    verify_with(&signed_by(&[&issuer(), &other()]), &trust_in_two()).unwrap();

    // A trusted issuer signs a lease that names another issuer.
    let lease = LeaseDoc {
        issuer: other().public().key_id(),
        ..document()
    };
    let refusal = verify_document(&lease).unwrap_err();
    assert_eq!(refusal.class(), Class::Integrity);
    assert_eq!(code::<(), _>(Err(refusal)), "LEASE-ISSUER");

    // A key that was an issuer until just now.
    let valid_until = |end: &str| {
        let key = TrustedKey::new("issuer", issuer().public(), [Role::Issuer]);
        Trust::new(vec![key.valid_within(None, Some(time(end)))], 1).unwrap()
    };
    assert_eq!(
        code(verify_with(
            &envelope(),
            &valid_until("2026-01-01T00:30:00Z")
        )),
        "KEY-UNTRUSTED"
    );
    verify_with(&envelope(), &valid_until("2026-01-01T00:30:01Z")).unwrap();
}

#[test]
fn other_payload_type() {
    let payload = canonical::to_vec(&document()).unwrap();
    let other = PayloadType::new("application/vnd.leasehold.presentation.v1+json");
    let envelope = Envelope::sign(other, payload, &[&issuer()]).unwrap();
    assert_eq!(code(verify_here(&envelope)), "PAYLOAD-TYPE");
}

#[test]
fn small_order_key() {
    // An SPKI of the identity point: every message has the same signature under it, R = identity and s = 0.
    let mut spki = issuer().public().spki_der().to_vec();
    spki[12..].fill(0);
    spki[12] = 1;
    let trust = |der: &[u8]| {
        let key = STANDARD.encode(der);
        let file =
            json!({"version": 1, "keys": [{"name": "weak", "key": key, "roles": ["issuer"]}]});
        Trust::parse(file.to_string().as_bytes())
    };
    assert_eq!(code(trust(&spki)), "KEY-WEAK");
    trust(&issuer().public().spki_der()).unwrap();
}
