//! Whose signatures count: attacks on thresholds, approvals and roles, each with its twin.

use ed25519_dalek::SigningKey;
use leasehold_seal::{
    Coded, Envelope, KeyId, PayloadType, PublicKey, Role, SealError, SecretKey, Timestamp, Trust,
    TrustedKey, dsse,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Digest as _;

use crate::support::{code, fresh, time, unhex};

const PAYLOAD: &[u8] = br#"{"version":1}"#;
const LEASE: PayloadType = PayloadType::LEASE;

fn now() -> Timestamp {
    time("2026-06-01T00:00:00Z")
}

fn key(number: u8, roles: &[Role]) -> TrustedKey {
    let name = format!("key {number}");
    TrustedKey::new(name, fresh(number).public(), roles.iter().copied())
}

fn id(number: u8) -> KeyId {
    fresh(number).public().key_id()
}

/// Two issuers, one of them an approver too; two more approvers; two revokers, both needed.
fn trust() -> Trust {
    let keys = vec![
        key(1, &[Role::Issuer]),
        key(2, &[Role::Issuer, Role::Approver]),
        key(3, &[Role::Approver]),
        key(4, &[Role::Approver]),
        key(5, &[Role::Revoker]),
        key(6, &[Role::Revoker]),
    ];
    Trust::new(keys, 1)
        .and_then(|trust| trust.with_threshold(Role::Revoker, 2))
        .unwrap()
}

fn signed(payload_type: PayloadType, by: &[u8]) -> Envelope {
    let keys: Vec<SecretKey> = by.iter().map(|number| fresh(*number)).collect();
    let keys: Vec<&SecretKey> = keys.iter().collect();
    Envelope::sign(payload_type, PAYLOAD.to_vec(), &keys).unwrap()
}

fn signers(envelope: &Envelope, role: Role, trust: &Trust) -> Result<Vec<KeyId>, SealError> {
    let payload_type = match role {
        Role::Revoker => PayloadType::REVOCATIONS,
        _ => LEASE,
    };
    envelope
        .open(payload_type, role, trust, now())
        .map(|opened| opened.signers().to_vec())
}

/// The envelope after a change of its JSON.
fn changed(envelope: &Envelope, change: impl FnOnce(&mut Value)) -> Envelope {
    let mut json = serde_json::from_slice(&envelope.to_json().unwrap()).unwrap();
    change(&mut json);
    Envelope::parse(json.to_string().as_bytes()).unwrap()
}

#[test]
fn an_issuer_of_a_lease_does_not_approve_it() {
    let approvers = |by: &[u8]| {
        let envelope = signed(LEASE, by);
        let issuers = signers(&envelope, Role::Issuer, &trust()).unwrap();
        envelope.approvers(&trust(), now(), &issuers)
    };
    assert_eq!(approvers(&[1]), []);
    assert_eq!(approvers(&[2]), []);
    assert_eq!(approvers(&[2, 2]), []);
    assert_eq!(approvers(&[2, 3]), [id(3)]);
    // Whoever counts as an issuer, needed or not, is out as an approver.
    assert_eq!(approvers(&[1, 2]), []);
    // The twins: somebody else approves, in the order of the signatures.
    assert_eq!(approvers(&[1, 4, 3]), [id(4), id(3)]);
    assert_eq!(
        signed(LEASE, &[1, 2]).approvers(&trust(), now(), &[id(1)]),
        [id(2)]
    );
}

#[test]
fn approvals_count_once_and_only_by_approvers_over_this_payload() {
    let approvers = |envelope: &Envelope| envelope.approvers(&trust(), now(), &[id(1)]);
    assert_eq!(approvers(&signed(LEASE, &[1, 3, 3, 3])), [id(3)]);
    assert_eq!(approvers(&signed(LEASE, &[1, 5, 7])), []);
    // Carried over from another payload, or another type of payload.
    let approval = |from: &Envelope| {
        let json: Value = serde_json::from_slice(&from.to_json().unwrap()).unwrap();
        json["signatures"][0].clone()
    };
    let with = |signature: Value| {
        changed(&signed(LEASE, &[1]), |json| {
            json["signatures"].as_array_mut().unwrap().push(signature);
        })
    };
    let other = Envelope::sign(LEASE, b"{}".to_vec(), &[&fresh(3)]).unwrap();
    assert_eq!(approvers(&with(approval(&other))), []);
    let other = signed(PayloadType::PRESENTATION, &[3]);
    assert_eq!(approvers(&with(approval(&other))), []);
    let same = signed(LEASE, &[3]);
    assert_eq!(approvers(&with(approval(&same))), [id(3)]);
    // An approval does not replace an issuer.
    assert_eq!(
        code(signers(&signed(LEASE, &[3, 4]), Role::Issuer, &trust())),
        "KEY-UNTRUSTED"
    );
}

#[test]
fn approvers_and_revokers_count_only_while_they_are_valid() {
    let end = now();
    let moment = |millis| now().checked_add_millis(millis).unwrap();
    let within = |key: TrustedKey| key.valid_within(Some(moment(-1000)), Some(end));
    let ending = |key: TrustedKey, role| key.ending(role, end);
    let shapes: [(TrustedKey, TrustedKey); 2] = [
        (
            within(key(3, &[Role::Approver])),
            within(key(5, &[Role::Revoker])),
        ),
        (
            ending(key(3, &[Role::Approver, Role::Host]), Role::Approver),
            ending(key(5, &[Role::Revoker, Role::Host]), Role::Revoker),
        ),
    ];
    for (approver, revoker) in shapes {
        let early = approver.not_before().is_some();
        let trust = Trust::new(vec![key(1, &[Role::Issuer]), approver, revoker], 1).unwrap();
        let lease = signed(LEASE, &[1, 3]);
        let list = signed(PayloadType::REVOCATIONS, &[5]);
        for (millis, valid) in [
            (-1001, !early),
            (-1000, true),
            (-1, true),
            (0, false),
            (1, false),
        ] {
            let at = moment(millis);
            let expected: &[KeyId] = if valid { &[id(3)] } else { &[] };
            assert_eq!(lease.approvers(&trust, at, &[id(1)]), expected, "{millis}");
            let opened = list.open(PayloadType::REVOCATIONS, Role::Revoker, &trust, at);
            assert_eq!(
                code(opened),
                if valid { "" } else { "KEY-UNTRUSTED" },
                "{millis}"
            );
        }
    }
}

#[test]
fn an_issuer_whose_role_has_ended_is_named_so() {
    let key = key(1, &[Role::Issuer, Role::Host]).ending(Role::Issuer, now());
    let trust = Trust::new(vec![key], 1).unwrap();
    let before = now().checked_add_millis(-1).unwrap();
    let open = |at| signed(LEASE, &[1]).open(LEASE, Role::Issuer, &trust, at);
    assert_eq!(code(open(before)), "");
    let error = open(now()).unwrap_err();
    assert_eq!(error.code(), "KEY-UNTRUSTED");
    let expected = r#""key 1", which no longer has the role issuer at 2026-06-01T00:00:00Z"#;
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_threshold_counts_different_keys() {
    let list = |by: &[u8]| {
        signers(
            &signed(PayloadType::REVOCATIONS, by),
            Role::Revoker,
            &trust(),
        )
    };
    assert_eq!(code(list(&[5])), "SIGNATURE-MISSING");
    assert_eq!(code(list(&[5, 5])), "SIGNATURE-MISSING");
    assert_eq!(code(list(&[5, 1])), "SIGNATURE-MISSING");
    assert_eq!(code(list(&[1, 2])), "KEY-UNTRUSTED");
    assert_eq!(list(&[5, 6]), Ok(vec![id(5), id(6)]));
    assert_eq!(list(&[6, 6, 1, 5]), Ok(vec![id(6), id(5)]));
    // One signature under the id of another key is still one.
    let claimed = |hints: [Value; 2]| {
        let envelope = changed(&signed(PayloadType::REVOCATIONS, &[5, 5]), |json| {
            for (index, hint) in hints.into_iter().enumerate() {
                json["signatures"][index]["keyid"] = hint;
            }
        });
        signers(&envelope, Role::Revoker, &trust())
    };
    let (five, six) = (json!(id(5)), json!(id(6)));
    assert_eq!(
        code(claimed([five.clone(), six.clone()])),
        "SIGNATURE-MISSING"
    );
    assert_eq!(code(claimed([six, five])), "SIGNATURE-MISSING");
    assert_eq!(code(claimed([json!(""), json!("x")])), "SIGNATURE-MISSING");
}

/// RFC 8032, section 7.3, and the same trick on an envelope: Ed25519ph signs a digest under another
/// domain, so its signatures are none here.
#[test]
fn a_prehashed_signature_is_no_signature() {
    let rfc = SecretKey::from_seed(
        unhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
            .try_into()
            .unwrap(),
    );
    let signature = unhex(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
         31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    );
    let hash = |message: &[u8]| sha2::Sha512::new_with_prefix(message);
    let dalek = SigningKey::from_bytes(
        &unhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
            .try_into()
            .unwrap(),
    );
    let ours = dalek.sign_prehashed(hash(b"abc"), None).unwrap();
    assert_eq!(ours.to_bytes().to_vec(), signature);
    for message in [b"abc".as_slice(), &hash(b"abc").finalize()] {
        let verified = rfc.public().verify(message, &signature);
        assert_eq!(code(verified), "SIGNATURE-INVALID");
    }

    let pae = dsse::pae(LEASE.as_str(), PAYLOAD);
    let issuer = SigningKey::from_bytes(&[1; 32]);
    let with = |signature: [u8; 64]| {
        changed(&signed(LEASE, &[1]), |json| {
            let text =
                base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signature);
            json["signatures"][0]["sig"] = text.into();
        })
    };
    let prehashed = issuer.sign_prehashed(hash(&pae), None).unwrap();
    let of_the_digest = fresh(1).sign(&hash(&pae).finalize());
    let pure = fresh(1).sign(&pae);
    for (signature, expected) in [
        (prehashed.to_bytes(), "SIGNATURE-INVALID"),
        (of_the_digest, "SIGNATURE-INVALID"),
        (pure, ""),
    ] {
        assert_eq!(
            code(signers(&with(signature), Role::Issuer, &trust())),
            expected
        );
    }
}

#[test]
fn one_given_key_opens_what_it_has_signed_and_nothing_else() {
    let open = |envelope: &Envelope, by: &PublicKey| envelope.open_as(LEASE, by);
    let (holder, other) = (fresh(8).public(), fresh(9).public());
    let opened = open(&signed(LEASE, &[8]), &holder).unwrap();
    assert_eq!(opened.payload(), PAYLOAD);
    assert_eq!(opened.signers(), [holder.key_id()]);
    assert_eq!(opened.id(), signed(LEASE, &[8]).id());
    assert_eq!(code(open(&signed(LEASE, &[9, 8]), &holder)), "");
    assert_eq!(code(open(&signed(LEASE, &[8]), &other)), "KEY-UNTRUSTED");
    assert_eq!(
        code(open(&signed(PayloadType::PRESENTATION, &[8]), &holder)),
        "PAYLOAD-TYPE"
    );
    // A trust file plays no part, and neither does a hint.
    assert_eq!(code(open(&signed(LEASE, &[1]), &holder)), "KEY-UNTRUSTED");
    let hinted = |hint: Value| {
        changed(&signed(LEASE, &[8]), |json| {
            json["signatures"][0]["keyid"] = hint
        })
    };
    for hint in [
        json!(other.key_id()),
        json!("x"),
        json!(""),
        json!(holder.key_id()),
    ] {
        assert_eq!(code(open(&hinted(hint.clone()), &holder)), "", "{hint}");
        assert_ne!(code(open(&hinted(hint.clone()), &other)), "", "{hint}");
    }
    assert_eq!(
        code(open(&hinted(json!(other.key_id())), &other)),
        "SIGNATURE-INVALID"
    );
    assert_eq!(code(open(&hinted(json!("")), &other)), "SIGNATURE-INVALID");
    let tampered = changed(&signed(LEASE, &[8]), |json| json["payload"] = "e30=".into());
    assert_eq!(code(open(&tampered, &holder)), "SIGNATURE-INVALID");
}

#[test]
fn a_fingerprint_names_payload_and_signatures_and_no_hint() {
    let envelope = signed(LEASE, &[1, 3]);
    let read = Envelope::parse(&envelope.to_json().unwrap()).unwrap();
    assert_eq!(read.fingerprint(), envelope.fingerprint());
    // Anyone can work it out.
    let mut bytes = envelope.id().as_bytes().to_vec();
    for signature in envelope.unverified_signatures() {
        bytes.extend_from_slice(&64u64.to_be_bytes());
        bytes.extend_from_slice(&signature.sig);
    }
    assert_eq!(leasehold_seal::Digest::of(&bytes), envelope.fingerprint());
    let without_hints = changed(&envelope, |json| {
        json["signatures"][0]
            .as_object_mut()
            .unwrap()
            .remove("keyid");
        json["signatures"][1]["keyid"] = "x".into();
    });
    assert_eq!(without_hints.fingerprint(), envelope.fingerprint());
    assert_eq!(without_hints.id(), envelope.id());
    let swapped = changed(&envelope, |json| {
        json["signatures"].as_array_mut().unwrap().reverse();
    });
    for other in [
        swapped,
        signed(LEASE, &[1]),
        signed(LEASE, &[1, 4]),
        signed(LEASE, &[1, 3, 4]),
        envelope.clone().with_signature(&fresh(4)).unwrap(),
        signed(PayloadType::PRESENTATION, &[1, 3]),
        changed(&envelope, |json| json["payload"] = "e30=".into()),
        // The same bytes of signatures, cut elsewhere.
        changed(&envelope, |json| {
            let sig = |index: usize| &envelope.unverified_signatures()[index].sig;
            let both = [sig(0).as_slice(), sig(1)].concat();
            for (index, part) in [&both[..63], &both[63..]].into_iter().enumerate() {
                let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, part);
                json["signatures"][index]["sig"] = text.into();
            }
        }),
    ] {
        assert_ne!(other.fingerprint(), envelope.fingerprint());
    }
    assert_eq!(signed(LEASE, &[1, 3, 4]).id(), envelope.id());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Hints order the attempts; they do not change who has signed, or whether an envelope opens.
    #[test]
    fn hints_change_nothing(
        by in prop::collection::vec(1u8..9, 1..5),
        hints in prop::collection::vec(prop::option::of(1u8..10), 5),
    ) {
        let envelope = signed(LEASE, &by);
        let hinted = changed(&envelope, |json| {
            for (signature, hint) in json["signatures"].as_array_mut().unwrap().iter_mut().zip(&hints) {
                signature["keyid"] = hint.map_or(Value::Null, |number| json!(id(number)));
            }
        });
        let plain = signers(&envelope, Role::Issuer, &trust()).ok();
        prop_assert_eq!(signers(&hinted, Role::Issuer, &trust()).ok(), plain);
        prop_assert_eq!(
            hinted.approvers(&trust(), now(), &[id(2)]),
            envelope.approvers(&trust(), now(), &[id(2)])
        );
        let holder = fresh(7).public();
        prop_assert_eq!(
            hinted.open_as(LEASE, &holder).is_ok(),
            by.contains(&7)
        );
    }
}
