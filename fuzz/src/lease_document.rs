//! The payload of a lease: `leasehold_lease::{LeaseDoc, ChildDoc}`.

use leasehold_lease::{
    Audience, ChildDoc, Document, Grant, Here, Holder, LeaseDoc, Presentation, Revocations, Rights,
    Verified, verify,
};
use leasehold_seal::canonical::{self, Value};
use leasehold_seal::{Coded, Digest, Envelope, Timestamp};

use crate::choices::{holder_key, key_id};
use crate::keys::{HOST, ISSUER, NOW, TRUST};

/// The oracle.
pub fn check(data: &[u8]) {
    let draft = Document::from_draft(data);
    let strict = Document::parse(data);
    let is_canonical = canonical::from_slice::<Value>(data).is_ok();
    assert_eq!(
        strict.is_ok(),
        draft.is_ok() && is_canonical,
        "{:?} {:?}",
        strict.err(),
        draft.err()
    );
    let Ok(document) = draft else {
        return;
    };
    if let Ok(strict) = &strict {
        assert_eq!(*strict, document);
    }
    let is_root = matches!(document, Document::Root(_));
    assert_eq!(LeaseDoc::from_draft(data).is_ok(), is_root);
    match document {
        Document::Root(document) => root(document),
        Document::Child(document) => child(&document),
    }
}

/// Written and read again a child is equal; alone it gives nothing.
fn child(document: &ChildDoc) {
    document.validate().expect("what was read is valid");
    // Defaults that were left out may make it too long.
    let Ok(payload) = canonical::to_vec(document) else {
        return;
    };
    let again = Document::parse(&payload).expect("what we write, we read");
    assert_eq!(again, Document::Child(document.clone()));
}

/// Signs, reads and verifies: nothing of the document is lost on the way.
fn root(document: LeaseDoc) {
    document.validate().expect("what was read is valid");
    // Whoever has signed and may present it is one of ours.
    let holder = match document.holder {
        Holder::None => Holder::None,
        Holder::Key(_) => Holder::Key(key_id(0)),
    };
    let document = LeaseDoc {
        issuer: ISSUER.public().key_id(),
        holder,
        ..document
    };
    let Ok(envelope) = document.sign(&[&ISSUER]) else {
        return;
    };
    let again = LeaseDoc::parse(envelope.unverified_payload()).expect("what we sign, we read");
    assert_eq!(again, document);
    let text = envelope.to_json().expect("a signed lease");
    let envelope = Envelope::parse(&text).expect("what we write, we read");
    let (start, end) = (document.not_before, document.expires);
    let just_before = |moment: Timestamp| moment.checked_add_millis(-1);
    assert!(end > start);
    let names_nobody = matches!(&document.audience, Audience::Hosts(entries) if entries.is_empty());
    for moment in [Some(start), just_before(end)].into_iter().flatten() {
        match at(&envelope, &document, moment) {
            Ok(verified) => granted(&verified, &document),
            // A presentation cannot end after time itself does.
            Err(code) => assert!(
                names_nobody || code == "HOLDER-MISSING",
                "refused with {code}"
            ),
        }
    }
    for moment in [just_before(start), Some(end)].into_iter().flatten() {
        let code = at(&envelope, &document, moment).expect_err("outside of its time");
        assert!(matches!(code, "LEASE-NOT-YET" | "LEASE-EXPIRED"), "{code}");
    }
}

fn at(envelope: &Envelope, document: &LeaseDoc, now: Timestamp) -> Result<Verified, &'static str> {
    let (host, tape) = match &document.audience {
        Audience::Hosts(entries) if !entries.is_empty() => (entries[0].host, entries[0].tape),
        _ => (HOST.public().key_id(), None),
    };
    let presentation = match (document.holder, now.checked_add_millis(1_000)) {
        (Holder::Key(_), Some(end)) => {
            let nonce = "leasehold-fuzzing";
            Some(
                Presentation::sign(envelope.id(), host, nonce, end, &holder_key(0))
                    .expect("a presentation"),
            )
        }
        _ => None,
    };
    let here = Here {
        host,
        tape,
        now,
        presentation: presentation.as_ref(),
    };
    verify(
        std::slice::from_ref(envelope),
        &TRUST,
        &Revocations::none(),
        &here,
    )
    .map_err(|refusal| refusal.code())
}

/// The rights are those of the grants, and their digest is over exactly what they are.
fn granted(verified: &Verified, document: &LeaseDoc) {
    assert_eq!(verified.document(), document);
    for grant in &document.grants {
        let rights = verified.rights(&grant.id).expect("it is there");
        same(&rights, grant);
        let json = rights.to_json().expect("rights");
        assert_eq!(rights.digest(), Digest::of(&json));
        let again = verified.rights(&grant.id).expect("it is there");
        assert_eq!(again.digest(), rights.digest());
        assert_eq!(again.effect_digest().ok(), rights.effect_digest().ok());
    }
}

fn same(rights: &Rights, grant: &Grant) {
    assert_eq!(rights.plugin(), grant.plugin);
    assert_eq!(rights.kind(), grant.kind);
    assert_eq!(*rights.files(), grant.files);
    assert_eq!(*rights.env(), grant.env);
    assert_eq!(*rights.http(), grant.http);
    assert_eq!(*rights.secrets(), grant.secrets);
    assert_eq!(*rights.limits(), grant.limits);
    assert_eq!(rights.config(), grant.config);
    assert!(grant.args.iter().all(|vector| rights.allows_args(vector)));
    let empty = grant.args.is_empty() || grant.args.contains(&Vec::new());
    assert_eq!(rights.allows_args(&[]), empty);
}

/// A lease with these grants, verified; `None` where they are no lease.
pub fn verified(grants: Vec<Grant>) -> Option<Verified> {
    let document = LeaseDoc {
        version: 1,
        issuer: ISSUER.public().key_id(),
        holder: Holder::None,
        audience: Audience::Any,
        intent: None,
        parent: None,
        depth: 0,
        nonce: "leasehold-fuzzing".to_owned(),
        not_before: *NOW,
        expires: NOW.checked_add_millis(600_000)?,
        grants,
        budget: None,
    };
    let envelope = document.sign(&[&ISSUER]).ok()?;
    let here = Here::new(HOST.public().key_id(), *NOW);
    let verified = verify(&[envelope], &TRUST, &Revocations::none(), &here);
    Some(verified.expect("a good lease"))
}
