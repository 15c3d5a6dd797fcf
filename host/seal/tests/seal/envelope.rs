//! Signing, opening and attacking envelopes.

use leasehold_seal::dsse::{MAX_BYTES, MAX_SIGNATURES};
use leasehold_seal::{
    Coded, Digest, Envelope, Opened, PayloadType, Role, SealError, Timestamp, Trust, TrustedKey,
    dsse,
};
use proptest::prelude::*;

use crate::support::{HOST, ISSUER, OTHER, code, public, secret, time};

const PAYLOAD: &[u8] = br#"{"version":1}"#;

fn trust() -> Trust {
    let keys = vec![
        TrustedKey::new("issuer", public(ISSUER), [Role::Issuer]),
        TrustedKey::new("host", public(HOST), [Role::Host]),
    ];
    Trust::new(keys, 1).unwrap()
}

fn envelope() -> Envelope {
    Envelope::sign(PayloadType::LEASE, PAYLOAD.to_vec(), &[&secret(ISSUER)]).unwrap()
}

fn now() -> Timestamp {
    time("2026-06-01T00:00:00Z")
}

fn open(envelope: &Envelope) -> Result<Opened, SealError> {
    envelope.open(PayloadType::LEASE, Role::Issuer, &trust(), now())
}

#[test]
fn what_is_signed_is_opened() {
    let parsed = Envelope::parse(&envelope().to_json().unwrap()).unwrap();
    assert_eq!(parsed, envelope());
    let opened = open(&parsed).unwrap();
    assert_eq!(opened.payload(), PAYLOAD);
    assert_eq!(opened.signers(), [public(ISSUER).key_id()]);
    assert_eq!(
        opened.id(),
        Digest::of(&dsse::pae(PayloadType::LEASE.as_str(), PAYLOAD))
    );
    assert_eq!(opened.id(), parsed.id());
}

#[test]
fn the_written_form_is_fixed() {
    let text = String::from_utf8(envelope().to_json().unwrap()).unwrap();
    let expected = format!(
        r#"{{"payload":"eyJ2ZXJzaW9uIjoxfQ==","payloadType":"application/vnd.leasehold.lease.v1+json","signatures":[{{"keyid":"{}","sig":""#,
        public(ISSUER).key_id()
    );
    assert!(text.starts_with(&expected), "{text}");
    assert!(text.ends_with(r#"=="}]}"#), "{text}");
}

#[test]
fn no_flipped_bit_leads_to_another_payload() {
    let original = envelope().to_json().unwrap();
    let expected = open(&Envelope::parse(&original).unwrap()).unwrap();
    let mut harmless = 0;
    for position in 0..original.len() {
        for bit in 0..8 {
            let mut changed = original.clone();
            changed[position] ^= 1 << bit;
            let Ok(opened) = Envelope::parse(&changed).and_then(|envelope| open(&envelope)) else {
                continue;
            };
            assert_eq!(opened, expected, "byte {position}, bit {bit}");
            harmless += 1;
        }
    }
    // The digits of the keyid, which is only a hint, and its name can change; hardly anything else.
    assert!(harmless > 64, "{harmless}");
    assert!(harmless < 8 * 90, "{harmless}");
}

#[test]
fn no_byte_may_be_cut_off_or_added_except_space_around_it() {
    let original = envelope().to_json().unwrap();
    for length in 0..original.len() {
        assert!(Envelope::parse(&original[..length]).is_err(), "{length}");
    }
    for (end, expected) in [("\n", ""), ("x", "JSON-SYNTAX"), ("\0", "JSON-SYNTAX")] {
        let longer = [original.as_slice(), end.as_bytes()].concat();
        assert_eq!(code(Envelope::parse(&longer)), expected);
    }
}

#[test]
fn an_envelope_is_opened_only_for_the_role_and_type_it_was_signed_for() {
    let by = |pem| Envelope::sign(PayloadType::LEASE, PAYLOAD.to_vec(), &[&secret(pem)]).unwrap();
    let other_type = PayloadType::new("application/vnd.leasehold.list.v1+json");
    let at = now();
    assert_eq!(
        code(by(ISSUER).open(PayloadType::LEASE, Role::Issuer, &trust(), at)),
        ""
    );
    assert_eq!(
        code(by(ISSUER).open(PayloadType::LEASE, Role::Host, &trust(), at)),
        "KEY-UNTRUSTED"
    );
    assert_eq!(
        code(by(HOST).open(PayloadType::LEASE, Role::Host, &trust(), at)),
        ""
    );
    assert_eq!(
        code(by(HOST).open(PayloadType::LEASE, Role::Issuer, &trust(), at)),
        "KEY-UNTRUSTED"
    );
    assert_eq!(
        code(by(OTHER).open(PayloadType::LEASE, Role::Issuer, &trust(), at)),
        "KEY-UNTRUSTED"
    );
    assert_eq!(
        code(by(ISSUER).open(other_type, Role::Issuer, &trust(), at)),
        "PAYLOAD-TYPE"
    );
    let list = Envelope::sign(other_type, PAYLOAD.to_vec(), &[&secret(ISSUER)]).unwrap();
    assert_eq!(code(list.open(other_type, Role::Issuer, &trust(), at)), "");
    assert_eq!(code(open(&list)), "PAYLOAD-TYPE");
}

#[test]
fn without_any_trusted_key_nothing_opens() {
    let nobody = Trust::new(vec![], 1).unwrap();
    let result = envelope().open(PayloadType::LEASE, Role::Issuer, &nobody, now());
    assert_eq!(code(result), "KEY-UNTRUSTED");
}

#[test]
fn a_refusal_says_which_key_and_why() {
    let signed =
        |pem| Envelope::sign(PayloadType::LEASE, PAYLOAD.to_vec(), &[&secret(pem)]).unwrap();
    let stranger = open(&signed(OTHER)).unwrap_err();
    assert!(
        stranger
            .to_string()
            .contains(&public(OTHER).key_id().to_string()),
        "{stranger}"
    );
    assert!(
        stranger.to_string().contains("not in the trust file"),
        "{stranger}"
    );
    assert!(stranger.hint().is_some());
    let host = open(&signed(HOST)).unwrap_err();
    assert!(
        host.to_string()
            .contains(r#""host", which does not have the role issuer"#),
        "{host}"
    );
    let keys = vec![
        TrustedKey::new("issuer", public(ISSUER), [Role::Issuer])
            .valid_within(None, Some(time("2026-02-01T00:00:00Z"))),
    ];
    let expired = envelope()
        .open(
            PayloadType::LEASE,
            Role::Issuer,
            &Trust::new(keys, 1).unwrap(),
            now(),
        )
        .unwrap_err();
    assert!(
        expired
            .to_string()
            .contains(r#""issuer", which is not valid at 2026-06-01T00:00:00Z"#),
        "{expired}"
    );
}

#[test]
fn signing_again_keeps_the_id_and_meets_a_threshold() {
    let keys = vec![
        TrustedKey::new("issuer", public(ISSUER), [Role::Issuer]),
        TrustedKey::new("other", public(OTHER), [Role::Issuer]),
    ];
    let both = Trust::new(keys, 2).unwrap();
    let one = envelope();
    let result = one.open(PayloadType::LEASE, Role::Issuer, &both, now());
    assert_eq!(code(result), "SIGNATURE-MISSING");
    let again = one.clone().with_signature(&secret(ISSUER)).unwrap();
    let result = again.open(PayloadType::LEASE, Role::Issuer, &both, now());
    assert_eq!(code(result), "SIGNATURE-MISSING");
    let two = one.clone().with_signature(&secret(OTHER)).unwrap();
    assert_eq!(two.id(), one.id());
    let opened = two
        .open(PayloadType::LEASE, Role::Issuer, &both, now())
        .unwrap();
    assert_eq!(
        opened.signers(),
        [public(ISSUER).key_id(), public(OTHER).key_id()]
    );
    let at_once = Envelope::sign(
        PayloadType::LEASE,
        PAYLOAD.to_vec(),
        &[&secret(ISSUER), &secret(OTHER)],
    );
    assert_eq!(at_once.unwrap(), two);
}

#[test]
fn limits_hold_when_signing() {
    let key = secret(ISSUER);
    let sign = |length: usize, keys| {
        Envelope::sign(PayloadType::LEASE, vec![b'x'; length], &vec![&key; keys])
    };
    assert_eq!(code(sign(1, 0)), "SIGNATURE-MISSING");
    assert_eq!(code(sign(1, MAX_SIGNATURES)), "");
    assert_eq!(code(sign(1, MAX_SIGNATURES + 1)), "ENVELOPE-FORMAT");
    let full = sign(1, MAX_SIGNATURES).unwrap();
    assert_eq!(code(full.with_signature(&key)), "ENVELOPE-FORMAT");
    // The longest payload that still fits, found from what an empty one takes.
    let frame = sign(0, 1).unwrap().to_json().unwrap().len();
    let longest = (MAX_BYTES - frame) / 4 * 3;
    let envelope = sign(longest, 1).unwrap();
    assert!(open(&Envelope::parse(&envelope.to_json().unwrap()).unwrap()).is_ok());
    assert_eq!(code(sign(longest + 3, 1)), "ENVELOPE-FORMAT");
}

#[test]
fn what_is_not_verified_can_be_shown() {
    let envelope = envelope();
    assert_eq!(envelope.payload_type(), PayloadType::LEASE.as_str());
    assert_eq!(envelope.unverified_payload(), PAYLOAD);
    let [signature] = envelope.unverified_signatures() else {
        panic!("one signature")
    };
    assert_eq!(signature.keyid, Some(public(ISSUER).key_id().to_string()));
    assert_eq!(signature.sig.len(), 64);
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(envelope) = Envelope::parse(&bytes) {
            prop_assert!(open(&envelope).is_err());
        }
    }

    #[test]
    fn any_text_in_the_fields_is_parsed_or_refused(
        payload in any::<String>(),
        payload_type in any::<String>(),
        sig in "[A-Za-z0-9+/_=-]{0,90}",
        keyid in proptest::option::of(any::<String>()),
    ) {
        let text = serde_json::json!({
            "payload": payload, "payloadType": payload_type,
            "signatures": [{ "keyid": keyid, "sig": sig }],
        });
        if let Ok(envelope) = Envelope::parse(text.to_string().as_bytes()) {
            prop_assert!(open(&envelope).is_err());
            // What was understood is written in one form only.
            let written = envelope.to_json().unwrap();
            prop_assert_eq!(Envelope::parse(&written).unwrap(), envelope);
        }
    }

    #[test]
    fn no_run_of_changed_bytes_leads_to_another_payload(
        start in 0usize..280,
        replacement in prop::collection::vec(any::<u8>(), 1..8),
    ) {
        let mut changed = envelope().to_json().unwrap();
        let start = start.min(changed.len());
        let end = (start + replacement.len()).min(changed.len());
        changed.splice(start..end, replacement);
        if let Ok(opened) = Envelope::parse(&changed).and_then(|envelope| open(&envelope)) {
            prop_assert_eq!(opened.payload(), PAYLOAD);
            prop_assert_eq!(opened.id(), envelope().id());
        }
    }

    #[test]
    fn every_payload_comes_back(payload in prop::collection::vec(any::<u8>(), 0..300)) {
        let signed = Envelope::sign(PayloadType::LEASE, payload.clone(), &[&secret(ISSUER)]).unwrap();
        let parsed = Envelope::parse(&signed.to_json().unwrap()).unwrap();
        let opened = open(&parsed).unwrap();
        prop_assert_eq!(opened.payload(), payload);
    }
}
