//! Row 11: verifying a lease, against what cannot be saved of it: the verification of its signatures.
//!
//! From envelopes that were read to a lease that is good here and now: signatures, form, chain, approvals, revocation, window and
//! audience. The peer is one strict Ed25519 verification over the same bytes, or four of them for a chain of four.

use std::hint::black_box;
use std::time::Duration;

use leasehold_lease::{
    Audience, AudienceEntry, Budget, ChildWish, Clock, EnvGrant, FileGrant, Grant, Here, Holder,
    Kind, LeaseDoc, Limits, Random, Revocations, Verifier, sign_child, verify,
};
use leasehold_seal::dsse::pae;
use leasehold_seal::trust::{Role, Trust, TrustedKey};
use leasehold_seal::{Digest, Envelope, SecretKey};

use super::Settings;
use crate::Fault;
use crate::measure::{Pair, alternate, repeat, timed};
use crate::table::Line;

const START: &str = "2026-01-01T00:00:00Z";
const END: &str = "2026-01-01T01:00:00Z";
const TIMES: u32 = 2_000;
const BOUND: f64 = 1.3;
const HOPS: usize = 4;
/// What a verification may take whose signatures were seen before.
const SEEN: Duration = Duration::from_micros(2);

/// A lease with its children, and where it is used.
struct Case {
    trust: Trust,
    here: Here<'static>,
    /// The leaf first.
    chain: Vec<Envelope>,
    /// Who signed each of them.
    signers: Vec<SecretKey>,
}

pub(super) fn measure(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let (one, four) = (Case::new(1)?, Case::new(HOPS)?);
    let (times, rounds) = (settings.work(TIMES), settings.rounds(15));
    let verifier = Verifier::new(one.trust.clone());
    let seen = repeat(rounds, || {
        timed(times, || (0..times).try_for_each(|_| one.again(&verifier)))
    })?;
    let pair = |case: &Case| {
        alternate(
            rounds,
            || timed(times, || (0..times).try_for_each(|_| case.verify())),
            || timed(times, || (0..times).try_for_each(|_| case.signatures())),
        )
    };
    Ok(vec![
        Line::measured("verifying a lease : one verify_strict", pair(&one)?, BOUND),
        Line::measured(
            "verifying a chain of 4 : four verify_strict",
            pair(&four)?,
            BOUND,
        ),
        Line::measured(
            "verifying a lease seen before : 2 µs",
            Pair::within(seen, SEEN),
            1.0,
        ),
    ])
}

impl Case {
    /// A root lease like the one in `docs/lease.md`, with `hops` - 1 generations below it.
    fn new(hops: usize) -> Result<Case, Fault> {
        let [issuer, holder, host] = [11, 12, 13].map(|seed| SecretKey::from_seed([seed; 32]));
        let named = Holder::Key(holder.public().key_id());
        let (host, tape) = (host.public().key_id(), Digest::of(b"tape"));
        let root = LeaseDoc {
            version: leasehold_lease::VERSION,
            issuer: issuer.public().key_id(),
            // A leaf with a holder would have to be presented, which is one more signature.
            holder: if hops > 1 { named } else { Holder::None },
            audience: Audience::Hosts(vec![AudienceEntry {
                host,
                tape: Some(tape),
            }]),
            intent: None,
            parent: None,
            depth: u64::try_from(hops)? - 1,
            nonce: "0123456789abcdef0123".into(),
            not_before: START.parse()?,
            expires: END.parse()?,
            grants: vec![grant()?],
            budget: Some(Budget {
                uses: Some(1_000),
                fuel: Some(1 << 40),
            }),
        };
        let mut chain = vec![root.sign(&[&issuer])?];
        let mut signers = vec![issuer];
        for hop in 1..hops {
            let next = if hop + 1 == hops { Holder::None } else { named };
            let wish = ChildWish::all(next, format!("0123456789abcdef{hop:04}"));
            chain = sign_child(&chain, &holder, &wish)?;
            signers.insert(0, SecretKey::from_seed([12; 32]));
        }
        let issuer = SecretKey::from_seed([11; 32]).public();
        let trust = Trust::new(vec![TrustedKey::new("issuer", issuer, [Role::Issuer])], 1)?;
        let here = Here::new(host, START.parse()?).on(Some(tape));
        let case = Case {
            trust,
            here,
            chain,
            signers,
        };
        case.verify()?;
        Ok(case)
    }

    fn verify(&self) -> Result<(), Fault> {
        let verified = verify(&self.chain, &self.trust, &Revocations::none(), &self.here)?;
        black_box(verified);
        Ok(())
    }

    fn again(&self, verifier: &Verifier) -> Result<(), Fault> {
        black_box(verifier.verify(&self.chain, &Revocations::none(), &self.here)?);
        Ok(())
    }

    fn signatures(&self) -> Result<(), Fault> {
        for (envelope, signer) in self.chain.iter().zip(&self.signers) {
            let signed = pae(envelope.payload_type(), envelope.unverified_payload());
            let signature = envelope
                .unverified_signatures()
                .first()
                .ok_or("no signature")?;
            signer.public().verify(&signed, &signature.sig)?;
        }
        Ok(())
    }
}

fn grant() -> Result<Grant, Fault> {
    Ok(Grant {
        id: "docs-toc".into(),
        plugin: Digest::of(b"plugin"),
        kind: Kind::Command,
        config: None,
        args: vec![vec!["--in-place".into(), "docs".into()]],
        files: FileGrant {
            list: vec!["**".parse()?],
            read: vec!["docs/**".parse()?, "*.md".parse()?],
            write: vec!["docs/**".parse()?],
            deny: vec!["**/.env".parse()?],
        },
        env: EnvGrant {
            pass: vec!["LANG".into()],
            ..EnvGrant::default()
        },
        http: Vec::new(),
        secrets: Vec::new(),
        clock: Clock::Virtual,
        random: Random::Seeded,
        limits: Limits {
            fuel: 1_000_000_000,
            memory_bytes: 256 << 20,
            wall_ms: 10_000,
            output_bytes: 1 << 20,
            write_bytes: 10 << 20,
            open_files: 64,
        },
    })
}
