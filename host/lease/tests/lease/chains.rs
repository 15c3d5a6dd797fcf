//! Structure of chains: who may hang where, and how it is made and written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leasehold_lease::{
    ChildWish, Document, Holder, LeaseDoc, Limits, LimitsSpec, MAX_HOPS, chain_to_json, inspect,
    parse_chain, sign_child,
};
use leasehold_seal::{Coded, Digest, Envelope, PayloadType, Role, Trust, TrustedKey, canonical};
use serde_json::{Value, json};

use crate::common::*;
use crate::family::*;

type Wish = fn(&mut ChildWish);

#[test]
fn a_child_is_good_without_a_place_in_the_trust_file() {
    let chain = pair(&root(), |_| {});
    let verified = verify_chain(&chain).unwrap();
    assert_eq!(verified.id(), chain[0].id());
    assert_eq!(verified.signers(), [issuer().public().key_id()]);
    let ids: Vec<Digest> = verified.hops().iter().map(|hop| hop.id()).collect();
    assert_eq!(ids, [chain[0].id(), chain[1].id()]);
    assert_eq!(verified.document().parent, Some(chain[1].id()));
    let rights = verified.rights("docs-toc").unwrap();
    assert_eq!((rights.chain(), rights.hops()), (&ids[..], 2));
    assert_eq!(
        *rights.limits(),
        grant().limits,
        "left out, so the parent's"
    );
    // The parent alone is for its holder only.
    assert_eq!(code(verify_chain(&chain[1..])), "HOLDER-MISSING");
}

#[test]
fn chains_of_every_length() {
    for hops in 1..=16 {
        let chain = generations(hops);
        if hops > 1 {
            assert_eq!(
                verify_chain(&chain).unwrap().hops().len(),
                usize::from(hops)
            );
        }
        assert_eq!(inspect(&chain).unwrap().len(), usize::from(hops));
    }
    // One more would need a root of depth 16, which there is not; so it is built of what does not belong together.
    let mut long = generations(16);
    long.push(signed(&document()));
    assert_eq!(long.len(), MAX_HOPS + 1);
    assert_eq!(code(verify_chain(&long)), "LEASE-CHAIN");
    assert_eq!(code(verify_chain(&[])), "LEASE-CHAIN");
    assert_eq!(code(inspect(&[])), "LEASE-CHAIN");
}

#[test]
fn what_is_left_out_is_the_parents() {
    let chain = pair(&root(), |child| {
        child.grants[0].limits = LimitsSpec {
            fuel: Some(7),
            ..LimitsSpec::default()
        };
    });
    let rights = verify_chain(&chain).unwrap().rights("docs-toc").unwrap();
    assert_eq!(
        *rights.limits(),
        Limits {
            fuel: 7,
            ..grant().limits
        }
    );
    // A limit that only a lease in the middle states holds below it.
    let mut wish = ChildWish::all(held_by(&person(2)), "C".repeat(16));
    let mut narrow = leasehold_lease::ChildGrant::all_of(&grant());
    narrow.limits.open_files = Some(2);
    wish.grants = Some(vec![narrow.clone()]);
    let middle = sign_child(&[signed(&root())], &person(1), &wish).unwrap();
    let mut below = ChildWish::all(Holder::None, "D".repeat(16));
    let leaf = sign_child(&middle, &person(2), &below).unwrap();
    let rights = verify_chain(&leaf).unwrap().rights("docs-toc").unwrap();
    assert_eq!(rights.limits().open_files, 2);
    narrow.limits.open_files = Some(3);
    below.grants = Some(vec![narrow]);
    let wider = sign_child(&middle, &person(2), &below);
    assert_eq!(code(wider), "LEASE-WIDER");
}

#[test]
fn another_parent() {
    let chain = pair(&root(), |child| child.parent = Digest::of(b"another"));
    assert_eq!(code(verify_chain(&chain)), "LEASE-CHAIN");
    // Another root by the same issuer for the same holder, which allows more.
    let mut wide = root();
    wide.nonce = "E".repeat(22);
    wide.grants[0].limits.fuel *= 2;
    let good = pair(&root(), |_| {});
    let moved = [good[0].clone(), signed(&wide)];
    assert_eq!(code(verify_chain(&moved)), "LEASE-CHAIN");
    verify_chain(&good).unwrap();
    // The root left out, twice, in the wrong place, or followed by something that is not linked.
    assert_eq!(code(verify_chain(&good[..1])), "LEASE-CHAIN");
    let [leaf, parent] = &good[..] else {
        unreachable!()
    };
    for wrong in [
        vec![parent.clone(), leaf.clone()],
        vec![leaf.clone(), parent.clone(), parent.clone()],
        vec![leaf.clone(), leaf.clone(), parent.clone()],
        vec![leaf.clone(), parent.clone(), signed(&wide)],
        vec![leaf.clone(), signed(&wide), parent.clone()],
        vec![parent.clone(), signed(&wide)],
    ] {
        assert_eq!(code(verify_chain(&wrong)), "LEASE-CHAIN");
    }
}

/// A lease cannot be its own ancestor: its id would have to be known before it is written. What can be tried is to name
/// oneself, or to go round in a circle.
#[test]
fn a_cycle() {
    let mut own = child(Digest::of(b"x"), &root(), &person(1));
    let id = sign(&own, &[&person(1)]).id();
    own.parent = id;
    let own = sign(&own, &[&person(1)]);
    assert_eq!(
        code(verify_chain(std::slice::from_ref(&own))),
        "LEASE-CHAIN"
    );
    let parent = signed(&root());
    let circle = [own.clone(), own, parent];
    assert_eq!(code(verify_chain(&circle)), "LEASE-CHAIN");
}

#[test]
fn several_parents() {
    let two = [signed(&root()), signed(&LeaseDoc { depth: 4, ..root() })];
    let mut lease = serde_json::to_value(child(two[0].id(), &root(), &person(1))).unwrap();
    let good = sign(&lease, &[&person(1)]);
    verify_chain(&[good, two[0].clone()]).unwrap();
    lease["parent"] = json!([two[0].id(), two[1].id()]);
    let both = sign(&lease, &[&person(1)]);
    let outcome = verify_chain(&[both.clone(), two[0].clone()]);
    assert_eq!(code(outcome), "LEASE-FORMAT");
    let outcome = verify_chain(&[both, two[0].clone(), two[1].clone()]);
    assert_eq!(code(outcome), "LEASE-CHAIN");
}

#[test]
fn depth() {
    for (parent, child, good) in [
        (1, 0, true),
        (3, 2, true),
        (3, 0, true),
        (3, 3, false),
        (3, 4, false),
    ] {
        let chain = pair(
            &LeaseDoc {
                depth: parent,
                ..root()
            },
            |lease| lease.depth = child,
        );
        match good {
            true => drop(verify_chain(&chain).unwrap()),
            false => assert_eq!(code(verify_chain(&chain)), "LEASE-CHAIN"),
        }
    }
    let childless = LeaseDoc { depth: 0, ..root() };
    assert_eq!(code(verify_chain(&pair(&childless, |_| {}))), "LEASE-CHAIN");
    let wish = ChildWish::all(Holder::None, "C".repeat(16));
    let refused = sign_child(&[signed(&childless)], &person(1), &wish);
    assert_eq!(code(refused), "LEASE-CHAIN");
    // Down to the last generation, and not below it.
    let chain = generations(4);
    assert_eq!(verify_chain(&chain).unwrap().document().depth, 0);
}

#[test]
fn nobody_holds_it() {
    let bearer = LeaseDoc {
        holder: Holder::None,
        ..root()
    };
    assert_eq!(code(verify_chain(&pair(&bearer, |_| {}))), "LEASE-CHAIN");
    let wish = ChildWish::all(Holder::None, "C".repeat(16));
    let refused = sign_child(&[signed(&bearer)], &person(1), &wish);
    assert_eq!(code(refused), "LEASE-CHAIN");
    sign_child(&[signed(&root())], &person(1), &wish).unwrap();
    assert_eq!(
        code(sign_child(&[signed(&root())], &person(2), &wish)),
        "LEASE-CHAIN"
    );
}

#[test]
fn signed_by_another() {
    let parent = signed(&root());
    // Another person, who says so.
    let stranger = child(parent.id(), &root(), &person(2));
    let chain = [sign(&stranger, &[&person(2)]), parent.clone()];
    assert_eq!(code(verify_chain(&chain)), "LEASE-CHAIN");
    // Another person, who brings the holder's key along.
    let good = child(parent.id(), &root(), &person(1));
    let chain = [sign(&good, &[&person(2)]), parent.clone()];
    assert_eq!(code(verify_chain(&chain)), "KEY-UNTRUSTED");
    // Another person, who says to be the holder, and brings along the own key.
    let mut claims = child(parent.id(), &root(), &person(2));
    claims.issuer = person(1).public().key_id();
    let chain = [sign(&claims, &[&person(2)]), parent.clone()];
    assert_eq!(code(verify_chain(&chain)), "LEASE-ISSUER");
    // The issuer, whom everybody trusts: a child is the holder's business.
    let mine = child(parent.id(), &root(), &issuer());
    let chain = [sign(&mine, &[&issuer()]), parent.clone()];
    assert_eq!(code(verify_chain(&chain)), "LEASE-CHAIN");
    // The holder together with somebody else; the holder twice.
    for keys in [[person(1), person(2)], [person(1), person(1)]] {
        let chain = [sign(&good, &[&keys[0], &keys[1]]), parent.clone()];
        assert_eq!(code(verify_chain(&chain)), "LEASE-CHAIN");
    }
    verify_chain(&[sign(&good, &[&person(1)]), parent]).unwrap();
}

/// A holder who is also an issuer in the trust file gets nothing out of leaving the parent away.
#[test]
fn a_child_is_no_root() {
    let key = TrustedKey::new("holder", person(1).public(), [Role::Issuer]);
    let issuer = TrustedKey::new("issuer", issuer().public(), [Role::Issuer]);
    let trust = Trust::new(vec![key, issuer], 1).unwrap();
    let chain = pair(&root(), |_| {});
    verify_under(&chain, &trust).unwrap();
    assert_eq!(code(verify_under(&chain[..1], &trust)), "LEASE-CHAIN");
}

#[test]
fn a_flipped_byte_in_a_child() {
    let good = pair(&root(), |_| {});
    let payload = good[0].unverified_payload().to_vec();
    let signature = &good[0].unverified_signatures()[0];
    let keyid = signature.keyid.clone().unwrap();
    let outcome = |payload_type: &str, payload: &[u8], sig: &[u8]| {
        let text = envelope_text(payload_type, payload, &[(&keyid, sig)]);
        let leaf = Envelope::parse(text.as_bytes()).unwrap();
        verify_chain(&[leaf, good[1].clone()])
    };
    let lease = PayloadType::LEASE.as_str();
    outcome(lease, &payload, &signature.sig).unwrap();
    for at in 0..payload.len() {
        let mut flipped = payload.clone();
        flipped[at] ^= 1;
        // Whatever it says then, it is not what was signed.
        outcome(lease, &flipped, &signature.sig).unwrap_err();
    }
    for at in 0..signature.sig.len() {
        let mut flipped = signature.sig.clone();
        flipped[at] ^= 1;
        assert_eq!(
            code(outcome(lease, &payload, &flipped)),
            "SIGNATURE-INVALID"
        );
    }
    let other = "application/vnd.leasehold.presentation.v1+json";
    assert_eq!(
        code(outcome(other, &payload, &signature.sig)),
        "PAYLOAD-TYPE"
    );
}

#[test]
fn form_of_a_child() {
    let parent = signed(&root());
    let good = serde_json::to_value(child(parent.id(), &root(), &person(1))).unwrap();
    let outcome = |lease: &Value| verify_chain(&[sign(lease, &[&person(1)]), parent.clone()]);
    outcome(&good).unwrap();
    let bad: [(&str, Value, &str); 14] = [
        ("/key", json!("x"), "LEASE-FORMAT"),
        ("/key", json!(7), "LEASE-FORMAT"),
        ("/key", json!("AAAA"), "KEY-FORMAT"),
        ("/parent", json!("sha256:00"), "LEASE-FORMAT"),
        ("/parent", json!(7), "LEASE-FORMAT"),
        ("/depth", json!(16), "LEASE-FORMAT"),
        ("/colour", json!(1), "LEASE-FORMAT"),
        ("/version", json!(2), "LEASE-UNSUPPORTED"),
        ("/grants/0/of", json!("A"), "LEASE-FORMAT"),
        ("/grants/0/colour", json!(1), "LEASE-FORMAT"),
        ("/grants/0/clock", json!("real"), "LEASE-UNSUPPORTED"),
        ("/grants/0/limits", json!({"fuel": 0}), "LEASE-LIMIT"),
        ("/grants/0/limits", json!({"fuel": -1}), "LEASE-LIMIT"),
        ("/grants/0/files/read", json!(["../x"]), "PATTERN-FORMAT"),
    ];
    for (place, value, expected) in bad {
        let mut lease = good.clone();
        let (object, field) = place.rsplit_once('/').unwrap();
        lease.pointer_mut(object).unwrap()[field] = value;
        assert_eq!(code(outcome(&lease)), expected, "{place}");
    }
    let mut keyless = good.clone();
    keyless.as_object_mut().unwrap().remove("key");
    assert_eq!(code(outcome(&keyless)), "LEASE-FORMAT");
    // A child with every limit stated is a child still.
    let mut whole = good;
    whole["grants"][0]["limits"] = serde_json::to_value(grant().limits).unwrap();
    outcome(&whole).unwrap();
}

#[test]
fn names_of_grants() {
    let parent = LeaseDoc {
        grants: vec![
            grant(),
            leasehold_lease::Grant {
                id: "second".into(),
                ..grant()
            },
        ],
        ..root()
    };
    let verify = |change: fn(&mut leasehold_lease::ChildDoc)| verify_chain(&pair(&parent, change));
    // One grant twice, under two names.
    let split = verify(|child| {
        child.grants[1].of = Some("docs-toc".into());
        child.grants[1].id = "third".into();
    });
    assert_eq!(split.unwrap().rights("third").unwrap().grant(), "third");
    // The second under the name of the first.
    let renamed = verify(|child| {
        child.grants.remove(0);
        child.grants[0].id = "docs-toc".into();
        child.grants[0].of = Some("second".into());
    });
    renamed.unwrap().rights("docs-toc").unwrap();
    for of in ["third", "docs"] {
        let chain = pair(&parent, |child| child.grants[0].of = Some(of.into()));
        assert_eq!(code(verify_chain(&chain)), "LEASE-WIDER");
    }
    let unknown = verify(|child| child.grants[0].id = "new".into());
    assert_eq!(code(unknown), "LEASE-WIDER");
    let none = verify(|child| child.grants.clear()).unwrap();
    assert_eq!(code(none.rights("docs-toc")), "GRANT-MISSING");
}

#[test]
fn files_of_chains() {
    let chain = pair(&root(), |_| {});
    let text = chain_to_json(&chain).unwrap();
    assert_eq!(parse_chain(&text).unwrap(), chain);
    let one = chain_to_json(&chain[1..]).unwrap();
    assert_eq!(one, chain[1].to_json().unwrap());
    assert_eq!(parse_chain(&one).unwrap(), chain[1..]);
    let list = [b" [".as_slice(), &one, b"] "].concat();
    assert_eq!(parse_chain(&list).unwrap(), chain[1..]);
    for (text, expected) in [
        ("[]", "LEASE-CHAIN"),
        ("", "JSON-SYNTAX"),
        ("[", "JSON-SYNTAX"),
        ("[7]", "JSON-FIELD"),
        ("{}", "JSON-FIELD"),
        ("[{}]", "JSON-FIELD"),
    ] {
        assert_eq!(code(parse_chain(text.as_bytes())), expected, "{text}");
    }
    let many = vec![chain[1].clone(); 17];
    assert_eq!(
        code(parse_chain(&chain_to_json(&many).unwrap())),
        "LEASE-CHAIN"
    );
}

#[test]
fn documents_of_both_kinds() {
    let chain = pair(&root(), |_| {});
    assert!(matches!(
        Document::parse(chain[0].unverified_payload()).unwrap(),
        Document::Child(_)
    ));
    assert!(matches!(
        Document::parse(chain[1].unverified_payload()).unwrap(),
        Document::Root(_)
    ));
    assert_eq!(
        code(LeaseDoc::parse(chain[0].unverified_payload())),
        "LEASE-FORMAT"
    );
    // A root that has the words of a child in its texts.
    let mut quoting = document();
    quoting.intent.as_mut().unwrap().summary = r#"{"parent":"sha256:00"}"#.into();
    verify_document(&quoting).unwrap();
    // Not canonical: spaces in a child.
    let spaced = serde_json::to_string_pretty(
        &serde_json::from_slice::<Value>(chain[0].unverified_payload()).unwrap(),
    )
    .unwrap();
    assert_eq!(
        code(Document::parse(spaced.as_bytes())),
        "JSON-NOT-CANONICAL"
    );
    Document::from_draft(spaced.as_bytes()).unwrap();
}

/// Whatever `sign_child` signs is accepted, and whatever it refuses would have been.
#[test]
fn handing_on() {
    let chain = [signed(&root())];
    let wish = ChildWish {
        expires: Some(time("2026-01-01T00:45:00Z")),
        ..ChildWish::all(held_by(&person(2)), "C".repeat(16))
    };
    let made = sign_child(&chain, &person(1), &wish).unwrap();
    assert_eq!(made.len(), 2);
    assert_eq!(code(verify_chain(&made)), "HOLDER-MISSING");
    let next = ChildWish::all(Holder::None, "D".repeat(16));
    let last = sign_child(&made, &person(2), &next).unwrap();
    let verified = verify_chain(&last).unwrap();
    assert_eq!(verified.document().expires, time("2026-01-01T00:45:00Z"));
    assert_eq!(verified.document().depth, 1);
    let refused: [(&str, Wish); 5] = [
        ("LEASE-WIDER", |wish| {
            wish.expires = Some(time("2026-01-01T01:00:01Z"))
        }),
        ("LEASE-WIDER", |wish| {
            wish.audience = Some(leasehold_lease::Audience::Any)
        }),
        ("LEASE-FORMAT", |wish| wish.nonce.clear()),
        ("LEASE-CHAIN", |wish| wish.depth = Some(3)),
        ("LEASE-WINDOW", |wish| {
            wish.expires = Some(time("2025-01-01T00:00:00Z"))
        }),
    ];
    for (expected, change) in refused {
        let mut wish = wish.clone();
        change(&mut wish);
        assert_eq!(code(sign_child(&chain, &person(1), &wish)), expected);
    }
    // A wish as people write it.
    let text = json!({"holder": "none", "nonce": "F".repeat(16)}).to_string();
    let written: ChildWish = canonical::from_json(text.as_bytes()).unwrap();
    assert_eq!(written, ChildWish::all(Holder::None, "F".repeat(16)));
    // Nothing is signed below what does not hold together.
    let broken = [made[0].clone(), signed(&LeaseDoc { depth: 4, ..root() })];
    let refusal = sign_child(&broken, &person(2), &next).unwrap_err();
    assert_eq!(refusal.code(), "LEASE-CHAIN");
}

#[test]
fn what_only_a_child_has_is_refused_in_a_root() {
    let with_parent = LeaseDoc {
        parent: Some(plugin()),
        ..document()
    };
    assert_eq!(code(with_parent.validate()), "LEASE-FORMAT");
    assert_eq!(code(verify_document(&with_parent)), "LEASE-FORMAT");
    for parent in [json!([plugin(), plugin()]), json!(7), json!("x")] {
        let mut lease = json(&document());
        lease["parent"] = parent;
        let payload = canonical::to_vec(&lease).unwrap();
        assert_eq!(code(verify_payload(&payload)), "LEASE-FORMAT");
        assert_eq!(code(LeaseDoc::parse(&payload)), "LEASE-FORMAT");
    }
    let key = STANDARD.encode(issuer().public().spki_der());
    let wishes: [(&str, Value); 2] = [("/key", json!(key)), ("/grants/0/of", json!("docs-toc"))];
    for (place, value) in wishes {
        let mut lease = json(&document());
        let (object, field) = place.rsplit_once('/').unwrap();
        lease.pointer_mut(object).unwrap()[field] = value;
        let payload = canonical::to_vec(&lease).unwrap();
        assert_eq!(code(verify_payload(&payload)), "LEASE-FORMAT", "{place}");
    }
}

#[test]
fn generations_a_root_may_have() {
    for depth in [0, 1, 15] {
        let lease = LeaseDoc {
            depth,
            ..document()
        };
        lease.validate().unwrap();
        verify_document(&lease).unwrap();
    }
    for depth in [16, (1 << 53) - 1] {
        let lease = LeaseDoc {
            depth,
            ..document()
        };
        assert_eq!(code(lease.validate()), "LEASE-FORMAT");
        assert_eq!(code(verify_document(&lease)), "LEASE-FORMAT");
    }
}
