//! A good lease, and ways to sign and verify it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leasehold_lease::{
    Audience, AudienceEntry, Clock, EnvGrant, FileGrant, Grant, Here, Holder, Intent, Kind,
    LeaseDoc, Limits, Pattern, Random, Refusal, Revocations, Rights, Verified, verify,
};
use leasehold_seal::{
    Coded, Digest, Envelope, KeyId, PayloadType, Role, SecretKey, Timestamp, Trust, TrustedKey,
    canonical,
};
use serde_json::Value;

/// The key of `fixtures/keys` that the tests trust as an issuer.
pub(crate) fn issuer() -> SecretKey {
    SecretKey::from_pkcs8_pem(include_str!("../../../../fixtures/keys/issuer.pem")).unwrap()
}

pub(crate) fn host() -> SecretKey {
    SecretKey::from_pkcs8_pem(include_str!("../../../../fixtures/keys/host.pem")).unwrap()
}

/// A key nobody trusts, unless a test says so.
pub(crate) fn other() -> SecretKey {
    SecretKey::from_pkcs8_pem(include_str!("../../../../fixtures/keys/other.pem")).unwrap()
}

pub(crate) fn host_id() -> KeyId {
    host().public().key_id()
}

pub(crate) fn plugin() -> Digest {
    Digest::of(b"plugin")
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Half an hour into the validity of [`document`].
pub(crate) fn now() -> Timestamp {
    time("2026-01-01T00:30:00Z")
}

pub(crate) fn trust() -> Trust {
    let issuer = TrustedKey::new("issuer", issuer().public(), [Role::Issuer]);
    let host = TrustedKey::new("host", host().public(), [Role::Host]);
    Trust::new(vec![issuer, host], 1).unwrap()
}

/// Both issuers have to sign.
pub(crate) fn trust_in_two() -> Trust {
    let first = TrustedKey::new("first", issuer().public(), [Role::Issuer]);
    let second = TrustedKey::new("second", other().public(), [Role::Issuer]);
    Trust::new(vec![first, second], 2).unwrap()
}

pub(crate) fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(crate) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// A lease with one grant that uses every field this version enforces.
pub(crate) fn document() -> LeaseDoc {
    LeaseDoc {
        version: 1,
        issuer: issuer().public().key_id(),
        holder: Holder::None,
        audience: Audience::Hosts(vec![AudienceEntry {
            host: host_id(),
            tape: None,
        }]),
        intent: Some(Intent {
            id: "INT-42".into(),
            summary: "Keep the table of contents right".into(),
        }),
        parent: None,
        depth: 0,
        nonce: "AAECAwQFBgcICQoLDA0ODw".into(),
        not_before: time("2026-01-01T00:00:00Z"),
        expires: time("2026-01-01T01:00:00Z"),
        grants: vec![grant()],
        budget: None,
    }
}

pub(crate) fn grant() -> Grant {
    Grant {
        id: "docs-toc".into(),
        plugin: plugin(),
        kind: Kind::Command,
        config: Some(Digest::of(b"{}")),
        args: vec![strings(&["--in-place", "docs"]), strings(&["--check"])],
        files: FileGrant {
            list: patterns(&["**"]),
            read: patterns(&["docs/**", "*.md"]),
            write: patterns(&["docs/**"]),
            deny: patterns(&["**/.env"]),
        },
        env: EnvGrant {
            pass: strings(&["LANG"]),
            set: [("CI".into(), "true".into())].into(),
        },
        http: Vec::new(),
        secrets: Vec::new(),
        clock: Clock::Virtual,
        random: Random::Seeded,
        limits: Limits {
            fuel: 1_000_000_000,
            memory_bytes: 268_435_456,
            wall_ms: 10_000,
            output_bytes: 1_048_576,
            write_bytes: 10_485_760,
            open_files: 64,
        },
    }
}

/// The document as JSON, to be changed in ways the type would not allow.
pub(crate) fn json(document: &LeaseDoc) -> Value {
    serde_json::to_value(document).unwrap()
}

pub(crate) fn seal(payload: &[u8]) -> Envelope {
    Envelope::sign(PayloadType::LEASE, payload.to_vec(), &[&issuer()]).unwrap()
}

/// The envelope as JSON text, with fields that need not fit together.
pub(crate) fn envelope_text(
    payload_type: &str,
    payload: &[u8],
    signatures: &[(&str, &[u8])],
) -> String {
    let signatures: Vec<Value> = signatures
        .iter()
        .map(|(keyid, sig)| serde_json::json!({ "keyid": keyid, "sig": STANDARD.encode(sig) }))
        .collect();
    serde_json::json!({
        "payload": STANDARD.encode(payload),
        "payloadType": payload_type,
        "signatures": signatures,
    })
    .to_string()
}

/// Verifies a root lease where there is no revocation list and nothing is presented.
pub(crate) fn verify_root(
    envelope: &Envelope,
    trust: &Trust,
    host: &KeyId,
    tape: Option<&Digest>,
    now: Timestamp,
) -> Result<Verified, Refusal> {
    let here = Here::new(*host, now).on(tape.copied());
    verify(
        std::slice::from_ref(envelope),
        trust,
        &Revocations::none(),
        &here,
    )
}

pub(crate) fn verify_here(envelope: &Envelope) -> Result<Verified, Refusal> {
    verify_root(envelope, &trust(), &host_id(), None, now())
}

/// Signs the payload as the issuer and verifies it.
pub(crate) fn verify_payload(payload: &[u8]) -> Result<Verified, Refusal> {
    verify_here(&seal(payload))
}

pub(crate) fn verify_document(document: &LeaseDoc) -> Result<Verified, Refusal> {
    verify_payload(&canonical::to_vec(document).unwrap())
}

/// The rights of the first grant.
pub(crate) fn rights_of(document: &LeaseDoc) -> Rights {
    verify_document(document)
        .unwrap()
        .rights(&document.grants[0].id)
        .unwrap()
}

/// The code of a refusal, or what was made instead.
#[track_caller]
pub(crate) fn code<T: std::fmt::Debug, E: Coded>(result: Result<T, E>) -> &'static str {
    match result {
        Ok(value) => panic!("accepted: {value:?}"),
        Err(error) => {
            assert!(!error.to_string().is_empty(), "no sentence");
            assert!(error.hint().is_some(), "no hint: {error}");
            error.code()
        }
    }
}
