//! Keys with a second one (ML-DSA-44, experimental): stripping, swapping and moving second signatures.

use leasehold_seal::{
    Coded, Envelope, KeyId, PayloadType, Role, SealError, SecondSecret, Timestamp, Trust,
    TrustedKey,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{code, fresh, time};

const PAYLOAD: &[u8] = br#"{"version":1}"#;
const LEASE: PayloadType = PayloadType::LEASE;

fn now() -> Timestamp {
    time("2026-06-01T00:00:00Z")
}

fn second(number: u8) -> SecondSecret {
    SecondSecret::from_seed([number; 32])
}

fn id(number: u8) -> KeyId {
    fresh(number).public().key_id()
}

/// An issuer with a second key, one without, and an approver with a second key.
fn keys() -> Vec<TrustedKey> {
    let key = |number: u8, name: &str, role| TrustedKey::new(name, fresh(number).public(), [role]);
    vec![
        key(1, "hybrid", Role::Issuer).with_second(second(1).public()),
        key(2, "plain", Role::Issuer),
        key(3, "approver", Role::Approver).with_second(second(3).public()),
    ]
}

fn trust(threshold: usize) -> Trust {
    Trust::new(keys(), threshold).unwrap()
}

/// Signed by these first keys, then by these second ones.
fn signed(first: &[u8], seconds: &[u8]) -> Envelope {
    let keys: Vec<_> = first.iter().map(|number| fresh(*number)).collect();
    let keys: Vec<_> = keys.iter().collect();
    let envelope = match keys.as_slice() {
        // `Envelope::sign` wants one at least; it is taken out again.
        [] => Envelope::sign(LEASE, PAYLOAD.to_vec(), &[&fresh(9)]),
        keys => Envelope::sign(LEASE, PAYLOAD.to_vec(), keys),
    };
    let add = |envelope: Envelope, number: &u8| envelope.with_second_signature(&second(*number));
    let envelope = seconds.iter().try_fold(envelope.unwrap(), add).unwrap();
    changed(&envelope, |signatures| {
        if first.is_empty() {
            signatures.remove(0);
        }
    })
}

fn changed(envelope: &Envelope, change: impl FnOnce(&mut Vec<Value>)) -> Envelope {
    let mut json: Value = serde_json::from_slice(&envelope.to_json().unwrap()).unwrap();
    change(json["signatures"].as_array_mut().unwrap());
    Envelope::parse(json.to_string().as_bytes()).unwrap()
}

fn open(envelope: &Envelope, threshold: usize) -> Result<Vec<KeyId>, SealError> {
    envelope
        .open(LEASE, Role::Issuer, &trust(threshold), now())
        .map(|opened| opened.signers().to_vec())
}

#[test]
fn a_key_with_a_second_one_counts_when_both_have_signed() {
    assert_eq!(open(&signed(&[1], &[1]), 1), Ok(vec![id(1)]));
    // In any order, beside others, and twice is once.
    let reversed = changed(&signed(&[1], &[1]), |signatures| signatures.reverse());
    assert_eq!(open(&reversed, 1), Ok(vec![id(1)]));
    assert_eq!(open(&signed(&[1, 1], &[1, 1]), 1), Ok(vec![id(1)]));
    assert_eq!(
        code(open(&signed(&[1, 1], &[1, 1]), 2)),
        "SIGNATURE-MISSING"
    );
    assert_eq!(open(&signed(&[2, 1], &[1, 4]), 2), Ok(vec![id(2), id(1)]));
    // A key without a second one needs none, and one too many does no harm.
    assert_eq!(open(&signed(&[2], &[]), 1), Ok(vec![id(2)]));
    assert_eq!(open(&signed(&[2], &[4]), 1), Ok(vec![id(2)]));
    // The id is that of the payload.
    assert_eq!(signed(&[1], &[1]).id(), signed(&[1], &[]).id());
    let hint = signed(&[1], &[1]).unverified_signatures()[1].keyid.clone();
    assert_eq!(
        hint.as_deref(),
        Some(second(1).public().id().to_string().as_str())
    );
}

#[test]
fn a_stripped_second_signature_is_missed() {
    let whole = signed(&[1], &[1]);
    let stripped = changed(&whole, |signatures| {
        signatures.pop();
    });
    let error = open(&stripped, 1).unwrap_err();
    assert_eq!(error.code(), "SIGNATURE-SECOND");
    assert!(
        error.to_string().starts_with("\"hybrid\" signed, but"),
        "{error}"
    );
    // Replaced by the second signature of somebody else, or by one over something else.
    assert_eq!(code(open(&signed(&[1], &[2]), 1)), "SIGNATURE-SECOND");
    assert_eq!(code(open(&signed(&[1], &[3]), 1)), "SIGNATURE-SECOND");
    let elsewhere = Envelope::sign(LEASE, b"{}".to_vec(), &[&fresh(1)])
        .and_then(|envelope| envelope.with_second_signature(&second(1)))
        .unwrap();
    let elsewhere: Value = serde_json::from_slice(&elsewhere.to_json().unwrap()).unwrap();
    let moved = changed(&whole, |signatures| {
        signatures[1] = elsewhere["signatures"][1].clone();
    });
    assert_eq!(code(open(&moved, 1)), "SIGNATURE-SECOND");
    // Claimed, but in truth the first signature once more.
    let doubled = changed(&whole, |signatures| {
        signatures[1]["sig"] = signatures[0]["sig"].clone();
    });
    assert_eq!(code(open(&doubled, 1)), "SIGNATURE-SECOND");
    // With a threshold, the stripped key is the one that is missing; another key makes up for it.
    let strip = |first: &[u8]| open(&signed(first, &[]), 2);
    assert_eq!(code(strip(&[1, 2])), "SIGNATURE-SECOND");
    assert_eq!(open(&signed(&[1, 2], &[]), 1), Ok(vec![id(2)]));
    assert_eq!(open(&signed(&[1, 2], &[1]), 2), Ok(vec![id(1), id(2)]));
}

#[test]
fn a_second_key_alone_counts_for_nothing() {
    let alone = signed(&[], &[1]);
    let error = open(&alone, 1).unwrap_err();
    assert_eq!(error.code(), "KEY-UNTRUSTED");
    let expected = r#"the second key of "hybrid", which counts only beside the first"#;
    assert!(error.to_string().contains(expected), "{error}");
    // Under the name of the first key it is a signature that does not verify.
    let claiming = changed(&alone, |signatures| {
        signatures[0]["keyid"] = id(1).to_string().into();
    });
    assert_eq!(code(open(&claiming, 1)), "SIGNATURE-INVALID");
    // Beside a stranger, and beside an issuer it does not belong to.
    assert_eq!(code(open(&signed(&[9], &[1]), 1)), "KEY-UNTRUSTED");
    assert_eq!(code(open(&signed(&[2], &[1]), 2)), "SIGNATURE-MISSING");
    assert_eq!(
        code(alone.open_as(LEASE, &fresh(1).public())),
        "KEY-UNTRUSTED"
    );
    assert_eq!(alone.approvers(&trust(1), now(), &[]), []);
}

#[test]
fn approvals_need_the_second_key_too() {
    let approvers =
        |first: &[u8], seconds: &[u8]| signed(first, seconds).approvers(&trust(1), now(), &[id(2)]);
    assert_eq!(approvers(&[2, 3], &[3]), [id(3)]);
    assert_eq!(approvers(&[2, 3], &[]), []);
    assert_eq!(approvers(&[2, 3], &[1]), []);
    assert_eq!(approvers(&[2], &[3]), []);
}

#[test]
fn a_trust_file_that_drops_the_second_key_is_another_trust_file() {
    let mut dropped = keys();
    dropped[0] = TrustedKey::new("hybrid", fresh(1).public(), [Role::Issuer]);
    let dropped = Trust::new(dropped, 1).unwrap();
    assert_ne!(dropped.digest(), trust(1).digest());
    let stripped = signed(&[1], &[]);
    assert_eq!(
        code(stripped.open(LEASE, Role::Issuer, &dropped, now())),
        ""
    );
    assert_eq!(code(open(&stripped, 1)), "SIGNATURE-SECOND");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn hints_change_nothing(hints in prop::collection::vec("[a-z]{0,3}", 3)) {
        let hint = |envelope: &Envelope| {
            changed(envelope, |signatures| {
                for (signature, hint) in signatures.iter_mut().zip(&hints) {
                    signature["keyid"] = hint.as_str().into();
                }
            })
        };
        let whole = signed(&[2, 1], &[1]);
        prop_assert_eq!(open(&hint(&whole), 2), open(&whole, 2));
        prop_assert_eq!(code(open(&hint(&signed(&[1], &[])), 1)), "SIGNATURE-SECOND");
        prop_assert_eq!(hint(&whole).fingerprint(), whole.fingerprint());
    }
}
