//! DSSE envelopes: `leasehold_seal::dsse`.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use leasehold_lease::{MAX_HOPS, chain_to_json, parse_chain};
use leasehold_seal::{Coded, Digest, Envelope, KeyId, PayloadType, Role, Trust, dsse};
use serde_json::{Value, json};

use crate::keys::{NOW, TRUST, TRUST_IN_TWO};

/// The oracle.
pub fn check(data: &[u8]) {
    file(data);
    let Ok(envelope) = Envelope::parse(data) else {
        return;
    };
    assert_eq!(
        envelope.id(),
        Digest::of(&dsse::pae(
            envelope.payload_type(),
            envelope.unverified_payload()
        ))
    );
    for text in [spelled(&envelope, false), spelled(&envelope, true)] {
        // A spelling may be longer than the original and so too long; nothing else may be wrong with it.
        match Envelope::parse(&text) {
            Ok(again) => {
                assert_eq!(again, envelope);
                assert_eq!(again.id(), envelope.id());
                assert_eq!(again.fingerprint(), envelope.fingerprint());
            }
            Err(error) => assert_eq!(error.code(), "JSON-TOO-LARGE"),
        }
    }
    match envelope.to_json() {
        Ok(written) => {
            let again = Envelope::parse(&written).expect("what we write, we read");
            assert_eq!(again, envelope);
            assert_eq!(again.to_json().as_ref(), Ok(&written));
        }
        Err(error) => assert_eq!(error.code(), "ENVELOPE-FORMAT"),
    }
    for trust in [&*TRUST, &*TRUST_IN_TWO] {
        opens(&envelope, trust);
    }
}

/// The file of a lease: one envelope, or several in a list; written and read again it is equal.
fn file(data: &[u8]) {
    let chain = match parse_chain(data) {
        Ok(chain) => chain,
        Err(_) => return assert!(Envelope::parse(data).is_err()),
    };
    assert!((1..=MAX_HOPS).contains(&chain.len()));
    if let Ok(written) = chain_to_json(&chain) {
        assert_eq!(
            parse_chain(&written).expect("what we write, we read"),
            chain
        );
    }
}

/// Opened exactly when as many different issuers as are needed have signed type and payload, found out the long way.
fn opens(envelope: &Envelope, trust: &Trust) {
    let signed = dsse::pae(envelope.payload_type(), envelope.unverified_payload());
    let signers: BTreeSet<KeyId> = trust
        .keys(Role::Issuer, *NOW)
        .filter(|trusted| {
            let mut signatures = envelope.unverified_signatures().iter();
            signatures.any(|signature| trusted.key().verify(&signed, &signature.sig).is_ok())
        })
        .map(|trusted| trusted.id())
        .collect();
    let is_lease = envelope.payload_type() == PayloadType::LEASE.as_str();
    match envelope.open(PayloadType::LEASE, Role::Issuer, trust, *NOW) {
        Ok(opened) => {
            assert!(is_lease && signers.len() >= trust.threshold(Role::Issuer));
            assert_eq!(opened.payload(), envelope.unverified_payload());
            assert_eq!(opened.id(), envelope.id());
            let named: BTreeSet<KeyId> = opened.signers().iter().copied().collect();
            assert_eq!(named.len(), opened.signers().len(), "a signer twice");
            assert_eq!(named, signers);
        }
        Err(error) => assert!(
            !is_lease || signers.len() < trust.threshold(Role::Issuer),
            "refused with {error} although signed"
        ),
    }
}

/// The envelope as JSON in one of the two alphabets, with serde_json's spelling of strings.
fn spelled(envelope: &Envelope, url_safe: bool) -> Vec<u8> {
    let engine = if url_safe { &URL_SAFE } else { &STANDARD };
    let signatures: Vec<Value> = envelope
        .unverified_signatures()
        .iter()
        .map(|signature| json!({"keyid": signature.keyid, "sig": engine.encode(&signature.sig)}))
        .collect();
    let wire = json!({
        "signatures": signatures,
        "payloadType": envelope.payload_type(),
        "payload": engine.encode(envelope.unverified_payload()),
    });
    wire.to_string().into_bytes()
}
