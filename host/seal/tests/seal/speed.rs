//! How long things take. Not run by default, and asserts nothing: times are no tests.
//!
//! `cargo test --release -p leasehold-seal --test seal speed -- --ignored --nocapture`

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use leasehold_seal::{
    Digest, Envelope, KeyId, PayloadType, Role, SecondSecret, Timestamp, Trust, TrustedKey,
    canonical, dsse,
};
use serde::{Deserialize, Serialize};

use crate::support::{HOST, ISSUER, OTHER, fresh, public, secret, time};

/// A document of the size and shape of a lease with two grants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u64,
    issuer: KeyId,
    holder: String,
    audience: Vec<Audience>,
    parent: Option<Digest>,
    depth: u64,
    nonce: String,
    not_before: Timestamp,
    expires: Timestamp,
    grants: Vec<Grant>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Audience {
    host: KeyId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tape: Option<Digest>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    id: String,
    plugin: Digest,
    kind: Kind,
    args: Vec<Vec<String>>,
    files: BTreeMap<String, Vec<String>>,
    limits: Limits,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Command,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    fuel: u64,
    memory_bytes: u64,
    wall_ms: u64,
    output_bytes: u64,
    write_bytes: u64,
    open_files: u64,
}

fn document() -> Document {
    let grant = |id: &str| Grant {
        id: id.to_owned(),
        plugin: Digest::of(id.as_bytes()),
        kind: Kind::Command,
        args: vec![vec!["--in-place".to_owned(), "docs".to_owned()]],
        files: [("list", "**"), ("read", "docs/**"), ("deny", "**/.env")]
            .map(|(list, pattern)| (list.to_owned(), vec![pattern.to_owned()]))
            .into(),
        limits: Limits {
            fuel: 1_000_000_000,
            memory_bytes: 268_435_456,
            wall_ms: 10_000,
            output_bytes: 1_048_576,
            write_bytes: 10_485_760,
            open_files: 64,
        },
    };
    Document {
        version: 1,
        issuer: public(ISSUER).key_id(),
        holder: "none".to_owned(),
        audience: vec![Audience {
            host: public(HOST).key_id(),
            tape: Some(Digest::of(b"tape")),
        }],
        parent: None,
        depth: 2,
        nonce: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        not_before: time("2026-01-01T00:00:00Z"),
        expires: time("2026-01-01T01:00:00Z"),
        grants: vec![grant("docs-toc"), grant("docs-links")],
    }
}

fn trust() -> Trust {
    let keys = vec![
        TrustedKey::new("issuer", public(ISSUER), [Role::Issuer]),
        TrustedKey::new("deputy", public(OTHER), [Role::Issuer]),
        TrustedKey::new("host", public(HOST), [Role::Host]),
    ];
    Trust::new(keys, 1).unwrap()
}

/// How often something is done in one round: so seldom that some rounds are not disturbed.
const ROUND: u32 = 20;

/// The time of one round, in microseconds each.
fn round<T>(work: &mut impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    for _ in 0..ROUND {
        black_box(work());
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUND)
}

fn print(line: &str) {
    writeln!(std::io::stdout(), "{line}").unwrap();
}

/// The least time of several rounds: what disturbs only ever adds.
fn measure<T>(what: &str, mut work: impl FnMut() -> T) {
    let best = (0..1000)
        .map(|_| round(&mut work))
        .fold(f64::INFINITY, f64::min);
    print(&format!("{best:9.2} us  {what}"));
}

/// How much longer one takes than the other, in turns, so that both are disturbed alike.
fn compare<T, U>(what: &str, mut one: impl FnMut() -> T, mut other: impl FnMut() -> U) {
    let (mut least, mut least_other) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..3000 {
        least = least.min(round(&mut one));
        least_other = least_other.min(round(&mut other));
    }
    let ratio = least / least_other;
    print(&format!(
        "{ratio:9.2} x   {what} ({least:.2} us to {least_other:.2} us)"
    ));
}

#[test]
#[ignore = "prints times"]
fn of_one_verification() {
    let document = document();
    let payload = canonical::to_vec(&document).unwrap();
    let envelope = Envelope::sign(PayloadType::LEASE, payload.clone(), &[&secret(ISSUER)]).unwrap();
    let text = envelope.to_json().unwrap();
    let signed = dsse::pae(PayloadType::LEASE.as_str(), &payload);
    let signature = envelope.unverified_signatures()[0].sig.clone();
    let (key, trust, at) = (public(ISSUER), trust(), time("2026-01-01T00:30:00Z"));
    let sizes = format!("{} bytes of {}", payload.len(), text.len());
    let everything = || {
        let envelope = Envelope::parse(&text).unwrap();
        let opened = envelope
            .open(PayloadType::LEASE, Role::Issuer, &trust, at)
            .unwrap();
        canonical::from_slice::<Document>(opened.payload()).unwrap()
    };
    assert_eq!(everything(), document);
    compare(
        &format!("parse, open and read {sizes}, to verify_strict"),
        everything,
        || key.verify(&signed, &signature),
    );
    measure("verify_strict", || key.verify(&signed, &signature));
    measure("Envelope::parse", || Envelope::parse(&text));
    measure("Envelope::open", || {
        envelope.open(PayloadType::LEASE, Role::Issuer, &trust, at)
    });
    // The hint finds the one key among many.
    let mut keys: Vec<_> = (2..=255).map(|number| fresh(number).public()).collect();
    keys.push(key);
    let named = |(index, key)| TrustedKey::new(format!("key {index}"), key, [Role::Issuer]);
    let many = Trust::new(keys.into_iter().enumerate().map(named).collect(), 1).unwrap();
    measure("Envelope::open, 255 issuers", || {
        envelope.open(PayloadType::LEASE, Role::Issuer, &many, at)
    });
    measure("from_slice, typed", || {
        canonical::from_slice::<Document>(&payload)
    });
    measure("from_slice, Value", || {
        canonical::from_slice::<canonical::Value>(&payload)
    });
    measure("from_json, typed", || {
        canonical::from_json::<Document>(&payload)
    });
    measure("to_vec, typed", || canonical::to_vec(&document));
    measure("Envelope::to_json", || envelope.to_json());
    measure("time from text", || {
        "2026-01-01T00:30:00Z".parse::<Timestamp>()
    });
    let id = trust.digest().to_string();
    measure("digest from text", || id.parse::<Digest>());
    measure("digest to text", || trust.digest().to_string());
    let der = key.spki_der();
    measure("PublicKey::from_spki_der", || {
        leasehold_seal::PublicKey::from_spki_der(&der)
    });
    let second = SecondSecret::from_seed([1; 32]);
    let signature = second.sign(&signed).unwrap();
    let public = second.public();
    measure("ML-DSA-44 verify", || public.verify(&signed, &signature));
    measure("ML-DSA-44 sign", || second.sign(&signed));
}
