//! Where fuzzing starts: small inputs made from `fixtures/` and from what the repository ships. None is committed here.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leasehold_lease::{Presentation, RevocationList};
use leasehold_seal::second::SecondSecret;
use leasehold_seal::{Digest, Envelope, SecretKey};
use serde_json::{Value, json};

use crate::choices::holder_key;
use crate::keys::{HOST, ISSUER, NOW, OTHER};
use crate::presentation::LEASE;

/// One seed: its target and its bytes.
pub type Seed = (&'static str, Vec<u8>);

/// The oracles by name.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("canonical_json", crate::canonical_json::check),
    ("chain", crate::chain::check),
    ("envelope", crate::envelope::check),
    ("http_target", crate::http_target::check),
    ("lease_document", crate::lease_document::check),
    ("lock", crate::lock::check),
    ("note", crate::note::check),
    ("patterns", crate::patterns::check),
    ("pipeline", crate::pipeline::check),
    ("policy", crate::policy::check),
    ("presentation", crate::presentation::check),
    ("revocation_list", crate::revocation_list::check),
    ("tape_reader", crate::tape_reader::check),
    ("tape_record", crate::tape_record::check),
    ("trust_file", crate::trust_file::check),
];

/// All of them.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    leases(&mut seeds);
    tapes(&mut seeds);
    vectors(&mut seeds);
    rules(&mut seeds);
    requests(&mut seeds);
    holders(&mut seeds);
    seeds
}

/// Envelopes, the documents in them, and the trust files they are checked with.
fn leases(seeds: &mut Vec<Seed>) {
    for file in files("lease") {
        let Some(case) = json(&file) else { continue };
        if let Some(text) = case.get("envelope").and_then(Value::as_str) {
            seeds.push(("envelope", text.into()));
            seeds.push(("canonical_json", text.into()));
            if let Ok(envelope) = Envelope::parse(text.as_bytes()) {
                let payload = envelope.unverified_payload();
                seeds.push(("lease_document", payload.to_vec()));
                seeds.push(("canonical_json", payload.to_vec()));
            }
        }
        if let Some(trust) = case.get("trust") {
            seeds.push(("trust_file", trust.to_string().into()));
        }
        pattern_cases(&case, seeds);
    }
}

/// Every pattern beside every other of its case, with its paths.
fn pattern_cases(case: &Value, seeds: &mut Vec<Seed>) {
    let mut texts = Vec::new();
    strings(case, &mut texts);
    let patterns = texts
        .iter()
        .filter(|text| text.contains('*') || text.contains('/'));
    let patterns: Vec<&&str> = patterns.filter(|text| text.len() < 40).take(60).collect();
    for pair in patterns.windows(2) {
        let seed = format!("{}\n{}\na/b/c.md\nx|y/z|.env", pair[0], pair[1]);
        seeds.push(("patterns", seed.into()));
    }
}

/// Records, tapes and their checkpoints.
fn tapes(seeds: &mut Vec<Seed>) {
    for folder in files("tape") {
        if let Ok(tape) = fs::read(folder.join("records.jsonl")) {
            for line in tape.split(|byte| *byte == b'\n').take(8) {
                if line.len() < 2_000 {
                    seeds.push(("tape_record", line.to_vec()));
                }
            }
            if tape.len() < 16_000 {
                seeds.push(("tape_reader", [b"\x07", &tape[..]].concat()));
            }
        }
        if let Ok(checkpoint) = fs::read(folder.join("checkpoint")) {
            seeds.push(("note", checkpoint));
        }
        if let Ok(trust) = fs::read(folder.join("trust.json")) {
            seeds.push(("trust_file", trust));
        }
    }
}

/// The numbered vectors of the lowest crate.
fn vectors(seeds: &mut Vec<Seed>) {
    for file in files("seal") {
        let cases = json(&file).and_then(|vectors| vectors.get("cases").cloned());
        for case in cases
            .as_ref()
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            for (field, target) in [
                ("input", "canonical_json"),
                ("envelope", "envelope"),
                ("note", "note"),
            ] {
                if let Some(text) = case.get(field).and_then(Value::as_str) {
                    seeds.push((target, text.into()));
                }
            }
            if let Some(trust) = case.get("trust").filter(|trust| trust.is_object()) {
                seeds.push(("trust_file", trust.to_string().into()));
            }
        }
    }
}

/// Pipelines and lock files.
fn rules(seeds: &mut Vec<Seed>) {
    seeds.push(("pipeline", PIPELINE.into()));
    seeds.push(("lock", LOCK.into()));
    for folder in ["policy/policies", "policy/bad"] {
        for file in files(folder) {
            let Ok(policy) = fs::read(file) else { continue };
            let asked = b"\0docs/a.md\0docs/../x\0config/models.yaml\0a.md";
            seeds.push(("policy", [&policy[..], asked].concat()));
        }
    }
}

/// Requests, plain and not, with patterns around them.
fn requests(seeds: &mut Vec<Seed>) {
    for path in [
        "/v1/items?q=1",
        "/",
        "/a%20b/c;d",
        "/v1/%2e%2e/x",
        "/v1/%252e/x",
        "/v1/%25%32%65%252%65/x",
        "/v1//x",
    ] {
        let seed = format!(
            "GET\nhttps\na.example.com:8443\n{path}\n/v1/**\n/v1/a*/?b\n*.example.com\na.example.com\n\
             10.0.0.0/8\n10.1.0.0/16\n10.1.2.3\na|b|c/d"
        );
        seeds.push(("http_target", seed.into()));
    }
    let six = "POST\nhttp\n[::1]\n/x\n/**/x\n/*/x\n[::1]\n127.0.0.1\nfd00::/8\n::1/128\n::1\nx";
    seeds.push(("http_target", six.into()));
    // Choices have no file form; these only start at different corners.
    for byte in 0_u8..32 {
        let seed: Vec<u8> = (0..240_u8)
            .map(|at| at.wrapping_mul(byte).wrapping_add(byte))
            .collect();
        seeds.push(("chain", seed));
    }
}

/// A trust file with everything a trust file may have.
fn trust() -> Value {
    let key = |key: &SecretKey| STANDARD.encode(key.public().spki_der());
    let second = SecondSecret::from_seed([7; 32]).public();
    json!({
        "version": 1,
        "keys": [
            { "name": "issuer", "key": key(&ISSUER), "second": STANDARD.encode(second.spki_der()), "roles": ["issuer"],
              "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z",
              "ends": { "issuer": "2026-06-01T00:00:00Z" } },
            { "name": "alice", "key": key(&OTHER), "roles": ["approver", "revoker"] },
            { "name": "bob", "key": HOST.public().to_spki_pem(), "roles": ["approver", "host"] },
        ],
        "thresholds": { "issuer": 1, "revoker": 1 },
        "approvals": [
            { "for": ["write", "http"], "needed": 2, "by": ["alice", "bob"] },
            { "for": ["any"], "needed": 1 },
        ],
        "revocation": { "required": true, "least": 12 },
    })
}

/// What holders and revokers sign.
fn holders(seeds: &mut Vec<Seed>) {
    seeds.push(("trust_file", trust().to_string().into()));
    let end = NOW.checked_add_millis(300_000).unwrap_or(*NOW);
    for signer in [0, 1] {
        let host = HOST.public().key_id();
        let key = holder_key(signer);
        if let Ok(envelope) = Presentation::sign(LEASE.id(), host, "leasehold-fuzzing", end, &key) {
            let seed = [&[signer], envelope.unverified_payload()].concat();
            seeds.push(("presentation", seed));
        }
    }
    let ids = [Digest::of(b"one"), Digest::of(b"two"), LEASE.id()];
    for ids in [&ids[..], &ids[..1], &[]] {
        if let Ok(list) = RevocationList::sign(7, *NOW, end, ids, &[&HOST]) {
            let payload = list.envelope().unverified_payload();
            seeds.push(("revocation_list", payload.to_vec()));
            seeds.push(("canonical_json", payload.to_vec()));
        }
    }
}

/// What lies in a folder of `fixtures/`, sorted.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures")
        .join(folder);
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Every string anywhere in the value.
fn strings<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

/// Every key that a step may have.
const PIPELINE: &str = r#"version = 1

[[step]]
id = "secrets"
gate = "secrets"
read = ["**"]
skip = ["target/**"]

[[step]]
id = "schema"
gate = "schema"
read = ["*.json"]
list = ["docs/**"]
deny = ["**/.env"]
config = { schema = "a.json", depth = 3, strict = true, list = ["x"] }
cache = false

[[step]]
id = "toc"
command = "md-toc"
args = ["--in-place", "docs"]
read = ["docs/**"]
write = ["docs/**"]
needs = ["secrets", "schema"]
env = { pass = ["LANG"], set = { CI = "true" } }

[[step]]
id = "spelling"
gate = "spell"
exit = { pass = [0], fail = [1] }
args = ["docs"]
read = ["docs/**"]
[step.limits]
fuel = 1000000
memory_bytes = 1048576
wall_ms = 1000
output_bytes = 1000
write_bytes = 0
open_files = 8
"#;

const LOCK: &str = r#"version = 1

[[plugin]]
name = "md-toc"
version = "0.1.0"
digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
source = "builtin"

[[plugin]]
name = "spell"
version = "1.2.3-a+b"
digest = "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
source = "plugins/spell.wasm"
"#;
