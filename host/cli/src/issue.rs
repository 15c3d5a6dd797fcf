//! Making leases: what is filled in where a draft is silent, signing, storing, recording.

use leasehold_lease::{
    Audience, AudienceEntry, Budget, Grant, Holder, Intent, Kind, LeaseDoc, Limits,
};
use leasehold_seal::{Class, Coded, Digest, Envelope, KeyId, Role, Timestamp};
use leasehold_tape::{Appended, Draft, Durability, Kind as RecordKind};
use serde::Serialize;
use serde_json::{Value, json};

use crate::ambient;
use crate::failure::{Failure, OrFail};
use crate::home::StoredKey;
use crate::parse::Expiry;
use crate::session::Session;

/// Fuel, where none is stated.
pub(crate) const FUEL: u64 = 1_000_000_000;
/// Memory, where none is stated, in bytes.
pub(crate) const MEMORY: u64 = 256 << 20;
/// Real time, where none is stated, in milliseconds.
pub(crate) const WALL_MS: u64 = 10_000;
/// Output, where none is stated, in bytes.
pub(crate) const OUTPUT: u64 = 1 << 20;
/// Bytes written to files, where none are stated but something may be written.
pub(crate) const WRITE: u64 = 10 << 20;
/// Open files, where no number is stated.
pub(crate) const OPEN_FILES: u64 = 64;
/// How long a lease lasts, where nothing is stated.
pub(crate) const EXPIRY: Expiry = Expiry::After(3_600);
/// How long a lease lasts that a call signs for itself.
pub(crate) const LOCAL_EXPIRY: Expiry = Expiry::After(600);

/// The limits where none are stated.
pub(crate) fn default_limits(writes: bool) -> Limits {
    Limits {
        fuel: FUEL,
        memory_bytes: MEMORY,
        wall_ms: WALL_MS,
        output_bytes: OUTPUT,
        write_bytes: if writes { WRITE } else { 0 },
        open_files: OPEN_FILES,
    }
}

/// What a lease says beside its grants.
pub(crate) struct Terms {
    pub(crate) audience: Audience,
    pub(crate) holder: Holder,
    pub(crate) intent: Option<Intent>,
    pub(crate) expires: Expiry,
    /// How many generations of child leases.
    pub(crate) depth: u64,
    pub(crate) budget: Option<Budget>,
}

impl Terms {
    /// For this host and whoever has the lease.
    pub(crate) fn here(session: &Session, expires: Expiry) -> Self {
        Terms {
            audience: this_host(session.host),
            holder: Holder::None,
            intent: None,
            expires,
            depth: 0,
            budget: None,
        }
    }
}

/// The audience of one host.
pub(crate) fn this_host(host: KeyId) -> Audience {
    Audience::Hosts(vec![AudienceEntry { host, tape: None }])
}

/// A lease that was signed, stored and recorded.
pub(crate) struct Issued {
    pub(crate) id: Digest,
    pub(crate) document: LeaseDoc,
    pub(crate) envelope: Envelope,
    pub(crate) bytes: Vec<u8>,
    pub(crate) record: Appended,
}

/// Body of `lease.issued`.
#[derive(Serialize)]
struct LeaseIssued<'a> {
    envelope: Digest,
    expires: Timestamp,
    grants: Vec<IssuedGrant<'a>>,
    issuer: KeyId,
    lease: Digest,
    /// Whether a call issued it to itself.
    local: bool,
    not_before: Timestamp,
}

#[derive(Serialize)]
struct IssuedGrant<'a> {
    grant: &'a str,
    kind: Kind,
    plugin: Digest,
}

/// The key with which this home issues leases: the one named, or the first with the role.
pub(crate) fn issuer(
    session: &Session,
    name: Option<&str>,
    now: Timestamp,
) -> Result<StoredKey, Failure> {
    if let Some(name) = name {
        let key = session.home.key(name)?;
        let known = session.trust.key(&key.id);
        if !known.is_some_and(|known| known.valid_for(Role::Issuer, now)) {
            let sentence = format!("the key {name:?} does not have the role issuer now");
            return Err(Failure::new("ISSUER-UNTRUSTED", Class::Refused, sentence)
                .hint("see `leasehold key list`; a lease signed with it would be refused here"));
        }
        return Ok(key);
    }
    session.home.key_with(Role::Issuer, &session.trust, now)?.ok_or_else(|| {
        Failure::new("ISSUER-MISSING", Class::Blocked, "none of the keys in the home has the role issuer now")
            .hint("have the lease issued where the issuer key is, or make one: `leasehold key new NAME --role issuer`")
    })
}

/// The document with these grants and terms, beginning now.
pub(crate) fn document(
    issuer: KeyId,
    terms: Terms,
    grants: Vec<Grant>,
    now: Timestamp,
) -> Result<LeaseDoc, Failure> {
    let not_before = whole_seconds(now);
    Ok(LeaseDoc {
        version: leasehold_lease::VERSION,
        issuer,
        holder: terms.holder,
        audience: terms.audience,
        intent: terms.intent,
        parent: None,
        depth: terms.depth,
        nonce: nonce()?,
        not_before,
        expires: end(terms.expires, not_before)?,
        grants,
        budget: terms.budget,
    })
}

/// The document of a draft: JSON of the documented form in which whatever can be filled in may be missing.
pub(crate) fn from_draft(
    draft: &[u8],
    issuer: KeyId,
    terms: Terms,
    now: Timestamp,
) -> Result<LeaseDoc, Failure> {
    let mut value = leasehold_seal::canonical::parse(draft).map_err(wish)?;
    let Value::Object(fields) = &mut value else {
        return Err(
            Failure::usage("DRAFT-FORMAT", "the draft is not a JSON object")
                .hint("docs/lease.md has an example"),
        );
    };
    let not_before = match fields.get("not_before").and_then(Value::as_str) {
        Some(stated) => stated.parse().or_fail()?,
        None => whole_seconds(now),
    };
    let filled = [
        ("version", json!(leasehold_lease::VERSION)),
        ("issuer", json!(issuer)),
        ("holder", json!(terms.holder)),
        ("audience", json!(terms.audience)),
        ("nonce", json!(nonce()?)),
        ("not_before", json!(not_before)),
        ("expires", json!(end(terms.expires, not_before)?)),
        ("depth", json!(terms.depth)),
    ];
    for (field, filling) in filled {
        fields.entry(field).or_insert(filling);
    }
    if let Some(intent) = &terms.intent {
        fields.entry("intent").or_insert(json!(intent));
    }
    if let Some(budget) = &terms.budget {
        fields.entry("budget").or_insert(json!(budget));
    }
    for grant in fields
        .get_mut("grants")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        fill_limits(grant);
    }
    let text = serde_json::to_vec(&value).unwrap_or_default();
    let document = LeaseDoc::from_draft(&text).map_err(wish)?;
    if document.issuer != issuer {
        let sentence = format!(
            "the draft names {} as its issuer, the key that would sign is {issuer}",
            document.issuer
        );
        return Err(Failure::usage("DRAFT-ISSUER", sentence)
            .hint("leave `issuer` out of the draft, or name the key with --key"));
    }
    Ok(document)
}

/// Signs a document, keeps the envelope in the store and records it. `local`: a call issued it to itself.
///
/// # Errors
/// `POLICY-WIDER` where the home has a policy and the document goes beyond it; `SECOND-MISSING`; what is wrong with the
/// document.
pub(crate) fn issue(
    session: &Session,
    document: LeaseDoc,
    key: &StoredKey,
    local: bool,
) -> Result<Issued, Failure> {
    let envelope = document.sign(&[&key.secret]).map_err(wish)?;
    session.home.check_policy(&document)?;
    let envelope = session.home.with_second(envelope, key, &session.trust)?;
    let bytes = envelope.to_json().or_fail()?;
    let id = envelope.id();
    let body = LeaseIssued {
        envelope: session.store().put(&bytes).or_fail()?,
        expires: document.expires,
        grants: (document.grants.iter())
            .map(|grant| IssuedGrant {
                grant: &grant.id,
                kind: grant.kind,
                plugin: grant.plugin,
            })
            .collect(),
        issuer: document.issuer,
        lease: id,
        local,
        not_before: document.not_before,
    };
    let draft = Draft::new(RecordKind::LeaseIssued, &body).or_fail()?;
    // What a call issues to itself becomes durable with the records of that call.
    let durability = if local {
        Durability::Written
    } else {
        Durability::Synced
    };
    let appended = session.tape().append(vec![draft], durability).or_fail()?;
    let record = appended.first().copied();
    let record = record
        .ok_or_else(|| Failure::new("TAPE-FAULT", Class::Fault, "a record was given no place"))?;
    Ok(Issued {
        id,
        document,
        envelope,
        bytes,
        record,
    })
}

/// A name for a grant: what is left of a text when only `a`–`z`, `0`–`9` and `-` may stay.
pub(crate) fn grant_id(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|char: char| !(char.is_ascii_lowercase() || char.is_ascii_digit()));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut id = words.join("-");
    id.truncate(64);
    if id.is_empty() {
        "plugin".to_owned()
    } else {
        id.trim_end_matches('-').to_owned()
    }
}

/// What is wrong with a wish. A lease of the wrong form is not what it claims; a draft claims nothing and is merely wrong.
pub(crate) fn wish<E: Coded>(error: E) -> Failure {
    let mut failure = Failure::of(&error);
    if failure.class == Class::Integrity {
        failure.class = Class::Usage;
    }
    failure
}

fn fill_limits(grant: &mut Value) {
    let writes = grant
        .pointer("/files/write")
        .and_then(Value::as_array)
        .is_some_and(|write| !write.is_empty());
    let Value::Object(fields) = grant else {
        return;
    };
    let limits = fields.entry("limits").or_insert_with(|| json!({}));
    if let (Value::Object(limits), Value::Object(defaults)) =
        (limits, json!(default_limits(writes)))
    {
        for (name, value) in defaults {
            limits.entry(name).or_insert(value);
        }
    }
}

/// What makes a lease, or a presentation, unlike every other one.
pub(crate) fn nonce() -> Result<String, Failure> {
    let random = ambient::random_secret()?;
    // 128 bits in hexadecimal digits, which belong to the alphabet of a nonce.
    Ok(random
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// A moment without the part of its second.
pub(crate) fn whole_seconds(time: Timestamp) -> Timestamp {
    let part = time.as_millis() % 1_000;
    time.checked_add_millis(-part).unwrap_or(time)
}

/// The end of a lease that is made now.
pub(crate) fn end_of(expires: Expiry, now: Timestamp) -> Result<Timestamp, Failure> {
    end(expires, whole_seconds(now))
}

fn end(expires: Expiry, not_before: Timestamp) -> Result<Timestamp, Failure> {
    expires
        .end(not_before)
        .ok_or_else(|| Failure::usage("LEASE-WINDOW", "the lease would end after the year 9999"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_grants_are_made_of_anything() {
        for (text, id) in [
            ("structure-lock", "structure-lock"),
            ("My Plugin 2", "my-plugin-2"),
            ("--", "plugin"),
            ("", "plugin"),
            ("héllo", "h-llo"),
        ] {
            assert_eq!(grant_id(text), id);
        }
        assert_eq!(grant_id(&"a".repeat(80)).len(), 64);
    }

    #[test]
    fn a_draft_states_what_it_wants_and_the_rest_is_filled_in() {
        let mut grant = json!({"id": "x", "files": {"write": ["a"]}, "limits": {"fuel": 7}});
        fill_limits(&mut grant);
        assert_eq!(grant["limits"]["fuel"], 7);
        assert_eq!(grant["limits"]["write_bytes"], WRITE);
        let mut grant = json!({"id": "x"});
        fill_limits(&mut grant);
        assert_eq!(grant["limits"]["write_bytes"], 0);
        assert_eq!(grant["limits"]["open_files"], OPEN_FILES);
    }
}
