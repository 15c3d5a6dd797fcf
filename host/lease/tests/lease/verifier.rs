//! The verifier with a memory: the same answers, whatever it remembers.

use leasehold_lease::{
    Audience, Document, Here, LeaseDoc, Presentation, Refusal, RevocationList, Revocations,
    Verified, Verifier, verify,
};
use leasehold_seal::{
    ApprovalRule, Coded, Envelope, PublicKey, RightKind, Role, SecretKey, Timestamp, Trust,
    TrustedKey,
};

use crate::common::*;
use crate::family::*;

fn revoker() -> SecretKey {
    person(31)
}

/// An issuer who is one from 00:10 to 00:50, a revoker until 00:35, an approver until 00:40.
fn trust_with_ends() -> Trust {
    let issuer = TrustedKey::new("issuer", issuer().public(), [Role::Issuer]).valid_within(
        Some(time("2026-01-01T00:10:00Z")),
        Some(time("2026-01-01T00:50:00Z")),
    );
    let revoker = TrustedKey::new("revoker", revoker().public(), [Role::Revoker])
        .ending(Role::Revoker, time("2026-01-01T00:35:00Z"));
    let approver = TrustedKey::new("approver", person(21).public(), [Role::Approver])
        .ending(Role::Approver, time("2026-01-01T00:40:00Z"));
    Trust::new(vec![issuer, revoker, approver], 1)
        .unwrap()
        .with_approvals(vec![ApprovalRule::new([RightKind::Write], 1)])
        .unwrap()
}

fn summary(outcome: &Result<Verified, Refusal>) -> Result<String, &'static str> {
    match outcome {
        Ok(verified) => {
            let rights = verified.rights("docs-toc").unwrap();
            Ok(format!(
                "{} {} {:?} {:?} {:?}",
                verified.id(),
                rights.digest(),
                verified.revocations(),
                verified.presentation(),
                verified.signers()
            ))
        }
        Err(refusal) => Err(refusal.code()),
    }
}

/// Every minute of an hour and a bit, twice, forwards and backwards.
fn times() -> Vec<Timestamp> {
    let start = time("2025-12-31T23:55:00Z");
    let forwards = (0..70).map(|minute| start.checked_add_millis(minute * 60_000).unwrap());
    let mut times: Vec<Timestamp> = forwards.collect();
    times.extend(times.clone().into_iter().rev());
    times.extend(times.clone());
    times
}

/// Whatever it remembers, it answers as [`verify`] does: with keys that begin and end, approvals, lists and presentations.
#[test]
fn the_same_answers_at_every_time() {
    let holder = person(1);
    let approved = |lease: &LeaseDoc| sign(lease, &[&issuer(), &person(21)]);
    let bearer = LeaseDoc {
        holder: leasehold_lease::Holder::None,
        ..root()
    };
    let held = approved(&root());
    let below = {
        let document = child(held.id(), &root(), &holder);
        vec![sign(&document, &[&holder]), held.clone()]
    };
    let presentation = Presentation::sign(
        held.id(),
        host_id(),
        "n".repeat(16),
        time("2026-01-01T00:30:00Z"),
        &holder,
    )
    .unwrap();
    let list = |ids: &[_]| {
        let (from, until) = (time("2026-01-01T00:00:00Z"), time("2026-01-01T00:32:00Z"));
        RevocationList::sign(3, from, until, ids, &[&revoker()]).unwrap()
    };
    let chains = [
        vec![approved(&bearer)],
        vec![sign(&bearer, &[&issuer()])],
        below,
        vec![held],
    ];
    let lists = [
        Revocations::none(),
        Revocations::of(list(&[])),
        Revocations::of(list(&[chains[2][1].id()])),
    ];
    let verifier = Verifier::new(trust_with_ends());
    let mut seen = std::collections::BTreeMap::<_, u32>::new();
    for now in times() {
        for chain in &chains {
            for revocations in &lists {
                for presentation in [None, Some(&presentation)] {
                    let here = Here {
                        now,
                        presentation,
                        ..here()
                    };
                    let plain = verify(chain, verifier.trust(), revocations, &here);
                    let remembering = verifier.verify(chain, revocations, &here);
                    assert_eq!(summary(&remembering), summary(&plain), "{now}");
                    let key = summary(&plain).map(drop);
                    *seen.entry(format!("{key:?}")).or_default() += 1;
                }
            }
        }
    }
    for expected in [
        "KEY-UNTRUSTED",
        "LEASE-APPROVAL",
        "LEASE-REVOKED",
        "REVOCATION-STALE",
        "HOLDER-MISSING",
        "PRESENTATION-EXPIRED",
        "PRESENTATION-LONG",
        "Ok(())",
    ] {
        assert!(
            seen.keys().any(|key| key.contains(expected)),
            "{expected}: {seen:?}"
        );
    }
}

/// What was good at one host, for one lease, with one signature, is remembered for nothing else.
#[test]
fn nothing_else_is_remembered() {
    let verifier = Verifier::new(trust());
    let none = Revocations::none();
    let chain = pair(&root(), |_| {});
    let good = verifier.verify(&chain, &none, &here()).unwrap();
    assert_eq!(good.id(), chain[0].id());
    let there = Here::new(other().public().key_id(), now());
    assert_eq!(
        code(verifier.verify(&chain, &none, &there)),
        "LEASE-AUDIENCE"
    );
    let late = Here::new(host_id(), time("2026-01-01T01:00:00Z"));
    assert_eq!(code(verifier.verify(&chain, &none, &late)), "LEASE-EXPIRED");
    // The same payload with another signature.
    let document = child(chain[1].id(), &root(), &person(1));
    let forged = [sign(&document, &[&person(2)]), chain[1].clone()];
    assert_eq!(forged[0].id(), chain[0].id());
    assert_eq!(
        code(verifier.verify(&forged, &none, &here())),
        "KEY-UNTRUSTED"
    );
    // The same envelopes in another order, and fewer of them.
    let turned = [chain[1].clone(), chain[0].clone()];
    assert_eq!(
        code(verifier.verify(&turned, &none, &here())),
        "LEASE-CHAIN"
    );
    assert_eq!(
        code(verifier.verify(&chain[..1], &none, &here())),
        "LEASE-CHAIN"
    );
    // Another trust file is another verifier.
    let stranger = TrustedKey::new("other", other().public(), [Role::Issuer]);
    let elsewhere = Verifier::new(Trust::new(vec![stranger], 1).unwrap());
    assert_eq!(
        code(elsewhere.verify(&chain, &none, &here())),
        "KEY-UNTRUSTED"
    );
    // A lease that is revoked in the meantime.
    let trust = Trust::new(
        [
            trust().all_keys().to_vec(),
            vec![TrustedKey::new("r", revoker().public(), [Role::Revoker])],
        ]
        .concat(),
        1,
    )
    .unwrap();
    let verifier = Verifier::new(trust);
    verifier.verify(&chain, &none, &here()).unwrap();
    let list = RevocationList::sign(
        1,
        time("2026-01-01T00:00:00Z"),
        time("2026-01-02T00:00:00Z"),
        &[chain[1].id()],
        &[&revoker()],
    );
    let revoking = Revocations::of(list.unwrap());
    assert_eq!(
        code(verifier.verify(&chain, &revoking, &here())),
        "LEASE-REVOKED"
    );
    let ids = good.rights("docs-toc").unwrap().chain().to_vec();
    assert_eq!(
        code(verifier.check_revocations(&revoking, &ids, now())),
        "LEASE-REVOKED"
    );
    verifier.check_revocations(&none, &ids, now()).unwrap();
}

#[test]
fn more_than_it_can_remember() {
    let verifier = Verifier::new(trust());
    let none = Revocations::none();
    let chains: Vec<Envelope> = (0..1_100)
        .map(|number| {
            signed(&LeaseDoc {
                nonce: format!("{number:022}"),
                audience: Audience::Any,
                ..document()
            })
        })
        .collect();
    for round in 0..2 {
        for chain in &chains {
            let verified = verifier.verify(std::slice::from_ref(chain), &none, &here());
            assert_eq!(verified.unwrap().id(), chain.id(), "{round}");
        }
    }
}

/// Prints how long it takes: `cargo test --release -p leasehold-lease --test lease -- --ignored --nocapture speed`.
#[test]
#[ignore = "prints times, which depend on the machine"]
fn speed() {
    // Time on the processor, so that others who work at the same time do not count.
    let ran = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e3
    };
    let micros = |times: u32, work: &mut dyn FnMut()| {
        let start = ran();
        (0..times).for_each(|_| work());
        (ran() - start) / f64::from(times)
    };
    let key = issuer().public();
    let message = vec![7_u8; 1_200];
    let signature = issuer().sign(&message);
    let once = micros(3_000, &mut || key.verify(&message, &signature).unwrap());
    println!("one verify_strict of {} bytes: {once:.1} us", message.len());
    let der = key.spki_der();
    let decoded = micros(5_000, &mut || {
        let _ = PublicKey::from_spki_der(&der).unwrap();
    });
    println!("one public key out of its SPKI: {decoded:.1} us");
    let (trust, here) = (trust(), here());
    for hops in [1, 2, 4, 16] {
        let mut chain = generations(hops);
        if hops == 1 {
            chain = vec![signed(&document())];
        }
        let bytes: usize = chain.iter().map(|hop| hop.unverified_payload().len()).sum();
        let none = Revocations::none();
        let miss = micros(2_000, &mut || {
            verify(&chain, &trust, &none, &here).unwrap();
        });
        let verifier = Verifier::new(trust.clone());
        let hit = micros(200_000, &mut || {
            verifier.verify(&chain, &none, &here).unwrap();
        });
        let texts: Vec<Vec<u8>> = chain.iter().map(|hop| hop.to_json().unwrap()).collect();
        let parse = micros(2_000, &mut || {
            texts
                .iter()
                .for_each(|text| drop(Envelope::parse(text).unwrap()));
        });
        let document = micros(5_000, &mut || {
            drop(Document::parse(chain[0].unverified_payload()).unwrap());
        });
        let verified = verifier.verify(&chain, &none, &here).unwrap();
        let rights = micros(20_000, &mut || drop(verified.rights("docs-toc").unwrap()));
        println!(
            "{hops} hops, {bytes} bytes: miss {miss:.1} us ({:.2} x {hops} verify_strict), hit {hit:.2} us, \
             envelopes {parse:.1} us, document {document:.1} us, rights {rights:.2} us",
            miss / once / f64::from(hops)
        );
    }
}
