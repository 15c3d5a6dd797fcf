//! Numbered vectors in `fixtures/lease`, for other implementations; `docs/lease.md` says how they are read.
//!
//! The files are made in memory and compared byte for byte. After a deliberate change, rewrite them with
//! `LEASEHOLD_WRITE_VECTORS=1 cargo test -p leasehold-lease the_files_are_what_this_test_makes`
//! and read the difference before keeping it.

mod cases;
mod chains;
mod paths;
mod requests;
mod terms;

use std::collections::BTreeMap;
use std::path::PathBuf;

use leasehold_lease::{
    Here, LeaseDoc, ListSeen, Refusal, RevocationList, Revocations, Rights, Target, chain_to_json,
    parse_chain, verify,
};
use leasehold_seal::{
    Class, Coded, Digest, Envelope, KeyId, PayloadType, SecretKey, Timestamp, Trust, canonical,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::common::*;

/// One vector: everything that decides, and the decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    number: usize,
    about: String,
    now: Timestamp,
    host: KeyId,
    tape: Option<Digest>,
    trust: Value,
    /// The file as it was received: an envelope, or a list of envelopes, leaf first.
    envelope: String,
    /// The payload of the leaf as text, for the reader only.
    payload: Option<String>,
    /// The envelope of what the holder presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    presentation: Option<String>,
    /// The envelope of the revocation list in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revocations: Option<String>,
    /// The newest revocation list the tape has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<ListSeen>,
    /// What was charged to leases so far, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    spent: BTreeMap<String, Spent>,
    used: Use,
    expect: Expect,
}

/// What is asked of the lease once it is verified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Use {
    Nothing,
    Plugin(Digest),
    Grant {
        id: String,
        args: Vec<String>,
    },
    /// An outgoing request under the grant for the plugin.
    Request {
        method: String,
        scheme: String,
        authority: String,
        path: String,
    },
}

/// What was charged to a lease.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spent {
    uses: u64,
    fuel: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Refused {
        code: String,
        class: String,
    },
    Accepted {
        lease: Digest,
    },
    Rights {
        lease: Digest,
        digest: Digest,
        json: String,
    },
}

/// A vector that is accepted as it stands.
fn good(about: &str) -> Vector {
    Vector {
        number: 0,
        about: about.to_owned(),
        now: now(),
        host: host_id(),
        tape: None,
        trust: trust_json(&trust()),
        envelope: String::new(),
        payload: None,
        presentation: None,
        revocations: None,
        seen: None,
        spent: BTreeMap::new(),
        used: Use::Plugin(plugin()),
        expect: Expect::Refused {
            code: String::new(),
            class: String::new(),
        },
    }
    .sealed(text_of(&document()), &[&issuer()])
}

/// A lease that was changed and then signed as it should be.
fn changed(about: &str, change: impl FnOnce(&mut LeaseDoc)) -> Vector {
    let mut lease = document();
    change(&mut lease);
    good(about).sealed(text_of(&lease), &[&issuer()])
}

/// As [`changed`], for what the type cannot express.
fn edited(about: &str, edit: impl FnOnce(&mut Value)) -> Vector {
    let mut lease = json(&document());
    edit(&mut lease);
    good(about).sealed(
        String::from_utf8(canonical::to_vec(&lease).unwrap()).unwrap(),
        &[&issuer()],
    )
}

/// As [`changed`], for what no JSON value can express.
fn rewritten(about: &str, from: &str, to: &str) -> Vector {
    let text = text_of(&document());
    assert!(text.contains(from));
    good(about).sealed(text.replacen(from, to, 1), &[&issuer()])
}

fn text_of(lease: &LeaseDoc) -> String {
    String::from_utf8(canonical::to_vec(lease).unwrap()).unwrap()
}

fn trust_json(trust: &Trust) -> Value {
    serde_json::from_slice(&trust.to_json().unwrap()).unwrap()
}

impl Vector {
    fn sealed(self, payload: String, keys: &[&SecretKey]) -> Self {
        let envelope =
            Envelope::sign(PayloadType::LEASE, payload.clone().into_bytes(), keys).unwrap();
        let text = String::from_utf8(envelope.to_json().unwrap()).unwrap();
        Self {
            envelope: text,
            payload: Some(payload),
            ..self
        }
    }

    fn signed_by(self, keys: &[&SecretKey]) -> Self {
        let payload = self.payload.clone().unwrap();
        self.sealed(payload, keys)
    }

    fn at(self, now: &str) -> Self {
        Self {
            now: time(now),
            ..self
        }
    }

    fn using(self, used: Use) -> Self {
        Self { used, ..self }
    }

    fn trusting(self, trust: Value) -> Self {
        Self { trust, ..self }
    }

    fn with_envelope(self, edit: impl FnOnce(String) -> String) -> Self {
        Self {
            envelope: edit(self.envelope),
            ..self
        }
    }

    /// The payload, type, key id and signature put together anew.
    fn reassembled(
        self,
        edit: impl FnOnce(&mut String, &mut Vec<u8>, &mut String, &mut Vec<u8>),
    ) -> Self {
        let envelope = Envelope::parse(self.envelope.as_bytes()).unwrap();
        let mut payload_type = envelope.payload_type().to_owned();
        let mut payload = envelope.unverified_payload().to_vec();
        let signature = &envelope.unverified_signatures()[0];
        let (mut keyid, mut sig) = (signature.keyid.clone().unwrap(), signature.sig.clone());
        edit(&mut payload_type, &mut payload, &mut keyid, &mut sig);
        let text = envelope_text(&payload_type, &payload, &[(&keyid, &sig)]);
        Self {
            envelope: text,
            payload: String::from_utf8(payload).ok(),
            ..self
        }
    }

    /// A chain in the place of the lease.
    fn chained(self, chain: &[Envelope]) -> Self {
        let text = chain_to_json(chain).unwrap();
        let payload = chain[0].unverified_payload().to_vec();
        Self {
            envelope: String::from_utf8(text).unwrap(),
            payload: String::from_utf8(payload).ok(),
            ..self
        }
    }

    /// Decides, from nothing but what stands in the vector.
    fn decide(&self) -> Expect {
        let refused = |error: &dyn Coded| Expect::Refused {
            code: error.code().into(),
            class: class(error.class()),
        };
        let trust = match Trust::parse(self.trust.to_string().as_bytes()) {
            Ok(trust) => trust,
            Err(error) => return refused(&error),
        };
        self.decide_under(&trust)
            .unwrap_or_else(|refusal| refused(&refusal))
    }

    fn decide_under(&self, trust: &Trust) -> Result<Expect, Refusal> {
        let chain = parse_chain(self.envelope.as_bytes())?;
        let list = match &self.revocations {
            Some(list) => Revocations::of(RevocationList::read(envelope_of(list)?)?),
            None => Revocations::none(),
        };
        let presentation = self.presentation.as_deref().map(envelope_of).transpose()?;
        let here = Here {
            host: self.host,
            tape: self.tape,
            now: self.now,
            presentation: presentation.as_ref(),
        };
        let verified = verify(&chain, trust, &list.after(self.seen), &here)?;
        let rights = match &self.used {
            Use::Nothing => {
                return Ok(Expect::Accepted {
                    lease: verified.id(),
                });
            }
            Use::Plugin(plugin) => verified.rights_for(plugin)?,
            Use::Grant { id, args } => with_args(verified.rights(id)?, args)?,
            Use::Request {
                method,
                scheme,
                authority,
                path,
            } => {
                let rights = verified.rights_for(&plugin())?;
                rights.permit(Target::parse(method, scheme, authority, path)?)?;
                rights
            }
        };
        rights.check_budgets(|lease| {
            let spent = self.spent.get(&lease.to_string());
            spent.map_or((0, 0), |spent| (spent.uses, spent.fuel))
        })?;
        Ok(Expect::Rights {
            lease: verified.id(),
            digest: rights.digest(),
            json: String::from_utf8(rights.to_json()?).unwrap(),
        })
    }
}

fn envelope_of(text: &str) -> Result<Envelope, Refusal> {
    Ok(parse_chain(text.as_bytes())?.remove(0))
}

fn with_args(rights: Rights, args: &[String]) -> Result<Rights, Refusal> {
    rights.check_args(args)?;
    Ok(rights)
}

fn class(class: Class) -> String {
    match class {
        Class::Integrity => "integrity",
        Class::Refused => "refused",
        _ => panic!("{class:?} is no class of a refused lease"),
    }
    .to_owned()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/lease")
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

/// All files of the folder, by name.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (index, (name, code, mut vector)) in cases::vectors().into_iter().enumerate() {
        vector.number = index + 1;
        vector.expect = vector.decide();
        let decided = match &vector.expect {
            Expect::Refused { code, .. } => code.as_str(),
            _ => "",
        };
        assert_eq!(decided, code, "{name}");
        files.insert(format!("{:03}-{name}.json", index + 1), pretty(&vector));
    }
    files.insert(
        "patterns.json".to_owned(),
        pretty(&paths::pattern_vectors()),
    );
    files
}

#[test]
fn the_files_are_what_this_test_makes() {
    let files = files();
    if std::env::var_os("LEASEHOLD_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        for entry in std::fs::read_dir(folder()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (name, text) in &files {
            std::fs::write(folder().join(name), text).unwrap();
        }
    }
    let found = std::fs::read_dir(folder()).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (
            entry.file_name().into_string().unwrap(),
            std::fs::read_to_string(entry.path()).unwrap(),
        )
    });
    let found: BTreeMap<String, String> = found.collect();
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        files.keys().collect::<Vec<_>>()
    );
    for (name, text) in &files {
        assert!(
            found[name] == *text,
            "{name} differs; see the head of this file"
        );
    }
}

/// What another implementation would do: read the files, decide, compare.
#[test]
fn the_files_decide_as_they_say() {
    let mut refused = 0;
    let mut accepted = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() == "patterns.json" {
            continue;
        }
        let vector: Vector = serde_json::from_slice(&std::fs::read(entry.path()).unwrap()).unwrap();
        assert_eq!(vector.decide(), vector.expect, "{:?}", entry.file_name());
        match vector.expect {
            Expect::Refused { .. } => refused += 1,
            Expect::Accepted { .. } | Expect::Rights { .. } => accepted += 1,
        }
    }
    assert!(accepted >= 30 && refused >= 120, "{accepted} {refused}");
}
