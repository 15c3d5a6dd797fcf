//! The numbered vectors in `fixtures/seal`, so that others can check their own readers against them.

use leasehold_seal::note::Note;
use leasehold_seal::{
    Envelope, KeyId, PayloadType, PublicKey, Role, SealError, Trust, canonical, dsse,
};
use serde_json::Value;

use crate::support::{code, time, unhex};

/// The cases of a file; asserts that they are numbered from 1 and as many as expected, so that a file
/// cut short does not pass.
fn cases(file: &Value, expected: usize) -> &[Value] {
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), expected);
    for (index, case) in cases.iter().enumerate() {
        assert_eq!(case["number"], index + 1);
    }
    cases
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} in {case}"))
}

fn bytes(case: &Value, plain: &str, hex: &str) -> Vec<u8> {
    match case.get(plain) {
        Some(value) => value.as_str().unwrap().as_bytes().to_vec(),
        None => unhex(text(case, hex)),
    }
}

#[test]
fn canonical_json() {
    let file = serde_json::from_str(include_str!("../../../../fixtures/seal/jcs.json")).unwrap();
    for case in cases(&file, 75) {
        let input = bytes(case, "input", "input_hex");
        let parsed = canonical::parse(&input);
        let read = canonical::from_slice::<Value>(&input);
        match case.get("canonical") {
            Some(form) => {
                let form = form.as_str().unwrap();
                let value = parsed.unwrap_or_else(|error| panic!("{error} in {case}"));
                assert_eq!(
                    String::from_utf8(canonical::to_vec(&value).unwrap()).unwrap(),
                    form,
                    "{case}"
                );
                assert_eq!(canonical::from_slice::<Value>(form.as_bytes()), Ok(value));
                let expected = if form.as_bytes() == input {
                    ""
                } else {
                    "JSON-NOT-CANONICAL"
                };
                assert_eq!(code(read), expected, "{case}");
            }
            None => {
                assert_eq!(code(parsed), text(case, "error"), "{case}");
                assert_eq!(code(read), text(case, "error"), "{case}");
                assert_eq!(
                    code(canonical::from_json::<Value>(&input)),
                    text(case, "error"),
                    "{case}"
                );
            }
        }
    }
}

#[test]
fn pre_authentication_encoding() {
    let file = serde_json::from_str(include_str!("../../../../fixtures/seal/pae.json")).unwrap();
    for case in cases(&file, 10) {
        let encoding = dsse::pae(
            text(case, "payload_type"),
            &unhex(text(case, "payload_hex")),
        );
        assert_eq!(encoding, unhex(text(case, "pae_hex")), "{case}");
        assert_eq!(
            leasehold_seal::Digest::of(&encoding).to_string(),
            text(case, "id"),
            "{case}"
        );
    }
}

#[test]
fn envelopes() {
    let file: Value =
        serde_json::from_str(include_str!("../../../../fixtures/seal/envelope.json")).unwrap();
    for case in cases(&file, 78) {
        let trust =
            Trust::parse(file["trust"][text(case, "trust")].to_string().as_bytes()).unwrap();
        let opened = Envelope::parse(text(case, "envelope").as_bytes()).and_then(|envelope| {
            envelope.open(
                PayloadType::LEASE,
                Role::Issuer,
                &trust,
                time(text(case, "at")),
            )
        });
        if case.get("error").is_some() {
            assert_eq!(code(opened), text(case, "error"), "{case}");
            continue;
        }
        let opened = opened.unwrap_or_else(|error| panic!("{error} in {case}"));
        assert_eq!(opened.payload(), unhex(text(case, "payload_hex")), "{case}");
        assert_eq!(opened.id().to_string(), text(case, "id"), "{case}");
        let names: Vec<&str> = opened
            .signers()
            .iter()
            .map(|id: &KeyId| trust.key(id).unwrap().name())
            .collect();
        assert_eq!(Value::from(names), case["signers"], "{case}");
    }
}

#[test]
fn trust_files() {
    let file: Value =
        serde_json::from_str(include_str!("../../../../fixtures/seal/trust.json")).unwrap();
    for case in cases(&file, 60) {
        let trust = Trust::parse(case["file"].to_string().as_bytes());
        if case.get("error").is_some() {
            assert_eq!(code(trust), text(case, "error"), "{case}");
            continue;
        }
        let trust = trust.unwrap_or_else(|error| panic!("{error} in {case}"));
        let canonical = text(case, "canonical");
        let written = String::from_utf8(trust.to_json().unwrap()).unwrap();
        assert_eq!(written, canonical, "{case}");
        assert_eq!(trust.digest().to_string(), text(case, "digest"), "{case}");
        assert_eq!(Trust::parse(canonical.as_bytes()), Ok(trust), "{case}");
    }
}

#[test]
fn notes() {
    let file = serde_json::from_str(include_str!("../../../../fixtures/seal/note.json")).unwrap();
    for case in cases(&file, 45) {
        let keys: Vec<(&str, PublicKey)> = case["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| {
                let bytes = unhex(text(key, "public_hex")).try_into().unwrap();
                (text(key, "name"), PublicKey::from_bytes(&bytes).unwrap())
            })
            .collect();
        let keys: Vec<(&str, &PublicKey)> = keys.iter().map(|(name, key)| (*name, key)).collect();
        let opened =
            Note::parse(&bytes(case, "note", "note_hex")).and_then(|note: Note| note.open(&keys));
        if case.get("error").is_some() {
            assert_eq!(code::<_, SealError>(opened), text(case, "error"), "{case}");
            continue;
        }
        let opened = opened.unwrap_or_else(|error| panic!("{error} in {case}"));
        assert_eq!(opened.text(), text(case, "text"), "{case}");
        let names: Vec<&str> = opened
            .signers()
            .iter()
            .map(|signer| signer.name.as_str())
            .collect();
        assert_eq!(Value::from(names), case["signers"], "{case}");
    }
}
