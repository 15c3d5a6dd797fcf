//! Pipelines, a lock file with facts about its plugins, and leases over grants.

use leasehold_lease::{
    Audience, Grant, Here, Holder, HttpGrant, Injection, LeaseDoc, Pattern, RelPath, Revocations,
    Scheme, SecretGrant, Verified, verify,
};
use leasehold_rules::{
    ExitCodes, Lock, LockEntry, Pipeline, Plan, PluginFacts, PluginSource, RulesError, World, plan,
};
use leasehold_seal::{Coded, Digest, Role, SecretKey, Timestamp, Trust, TrustedKey};

/// The pipeline of the design.
pub(crate) const EXAMPLE: &str = r#"# What is judged here
version = 1

[[step]]
id = "secrets"
gate = "secrets"
read = ["**"]                 # implies list
skip = ["target/**"]          # not judged, and shown so

[[step]]
id = "toc"
command = "md-toc"
args = ["--in-place", "docs"]
read = ["docs/**"]
write = ["docs/**"]
needs = ["secrets"]

[[step]]
id = "spelling"
gate = "spell"                # a plain program: exit codes decide
exit = { pass = [0], fail = [1] }
args = ["docs"]
read = ["docs/**"]
"#;

/// The plugins of [`lock`]: a gate, one that takes a configuration, programs with and without exit codes, an adapter.
const PLUGINS: [(&str, World); 6] = [
    ("secrets", World::Gate),
    ("schema", World::Gate),
    ("md-toc", World::Program),
    ("spell", World::Program),
    ("judge", World::Program),
    ("tools", World::Adapter),
];

pub(crate) fn digest_of(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

pub(crate) fn entry(name: &str) -> LockEntry {
    LockEntry {
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        digest: digest_of(name),
        source: PluginSource::Builtin,
    }
}

pub(crate) fn lock() -> Lock {
    PLUGINS.iter().fold(Lock::default(), |lock, (name, _)| {
        lock.with(entry(name)).unwrap()
    })
}

pub(crate) fn facts(digest: &Digest) -> Option<PluginFacts> {
    let (name, world) = PLUGINS
        .iter()
        .find(|(name, _)| digest_of(name) == *digest)?;
    Some(PluginFacts {
        digest: *digest,
        name: (*name).to_owned(),
        version: "0.1.0".to_owned(),
        world: *world,
        complete: *name == "secrets",
        takes_config: *name == "schema",
        exit: (*name == "judge").then(|| ExitCodes {
            pass: vec![0],
            fail: vec![1, 2],
        }),
    })
}

#[track_caller]
pub(crate) fn pipeline(text: &str) -> Pipeline {
    match Pipeline::parse(text.as_bytes()) {
        Ok(pipeline) => pipeline,
        Err(errors) => panic!("refused: {}", texts(&errors)),
    }
}

/// A pipeline of these steps, the text of each being what follows `[[step]]`.
pub(crate) fn steps(steps: &[&str]) -> String {
    let steps: Vec<String> = steps
        .iter()
        .map(|step| format!("[[step]]\n{step}\n"))
        .collect();
    format!("version = 1\n{}", steps.concat())
}

#[track_caller]
pub(crate) fn planned(text: &str) -> Plan {
    match plan(&pipeline(text), &lock(), &facts) {
        Ok(plan) => plan,
        Err(errors) => panic!("refused: {}", texts(&errors)),
    }
}

pub(crate) fn texts(errors: &[RulesError]) -> String {
    errors.iter().map(RulesError::text).collect()
}

/// The codes of the problems of a pipeline; every one has a sentence and a hint.
#[track_caller]
pub(crate) fn codes(text: &str) -> Vec<&'static str> {
    match Pipeline::parse(text.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(errors) => codes_of(&errors),
    }
}

#[track_caller]
pub(crate) fn codes_of(errors: &[RulesError]) -> Vec<&'static str> {
    assert!(!errors.is_empty());
    for error in errors {
        assert!(!error.to_string().is_empty(), "no sentence");
        assert!(
            error.hint().is_some_and(|hint| !hint.is_empty()),
            "no hint: {error}"
        );
    }
    errors.iter().map(Coded::code).collect()
}

pub(crate) fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(crate) fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

/// Requests over TLS to port 443.
pub(crate) fn http(methods: &[&str], host: &str, path: &str) -> HttpGrant {
    HttpGrant {
        methods: methods.iter().map(|text| text.parse().unwrap()).collect(),
        scheme: Scheme::Https,
        host: host.parse().unwrap(),
        port: 443,
        path: path.parse().unwrap(),
        addresses: Vec::new(),
    }
}

/// A secret that the plugin may read.
pub(crate) fn exposed(name: &str) -> SecretGrant {
    SecretGrant {
        name: name.to_owned(),
        inject: None,
        expose: true,
    }
}

/// A secret that the host puts into requests to port 443.
pub(crate) fn injected(name: &str, host: &str, header: &str, prefix: &str) -> SecretGrant {
    SecretGrant {
        name: name.to_owned(),
        inject: Some(Injection {
            host: host.parse().unwrap(),
            port: 443,
            header: header.parse().unwrap(),
            prefix: prefix.to_owned(),
        }),
        expose: false,
    }
}

fn key(pem: &str) -> SecretKey {
    SecretKey::from_pkcs8_pem(pem).unwrap()
}

pub(crate) fn issuer() -> SecretKey {
    key(include_str!("../../../../fixtures/keys/issuer.pem"))
}

pub(crate) fn host() -> SecretKey {
    key(include_str!("../../../../fixtures/keys/host.pem"))
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A lease for an hour with these grants.
pub(crate) fn document(grants: Vec<Grant>) -> LeaseDoc {
    LeaseDoc {
        version: 1,
        issuer: issuer().public().key_id(),
        holder: Holder::None,
        audience: Audience::Any,
        intent: None,
        parent: None,
        depth: 0,
        nonce: "AAECAwQFBgcICQoLDA0ODw".into(),
        not_before: time("2026-01-01T00:00:00Z"),
        expires: time("2026-01-01T01:00:00Z"),
        grants,
        budget: None,
    }
}

/// A verified lease with these grants.
#[track_caller]
pub(crate) fn lease(grants: Vec<Grant>) -> Verified {
    let (issuer, host) = (issuer(), host());
    let trusted = TrustedKey::new("issuer", issuer.public(), [Role::Issuer]);
    let trust = Trust::new(vec![trusted], 1).unwrap();
    let envelope = document(grants).sign(&[&issuer]).unwrap();
    let now = time("2026-01-01T00:30:00Z");
    let here = Here::new(host.public().key_id(), now);
    verify(&[envelope], &trust, &Revocations::none(), &here).unwrap()
}
