//! Chains of leases: a root for a holder, children of it, and ways to sign what no honest holder would.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leasehold_lease::{
    ChildDoc, ChildGrant, Here, Holder, LeaseDoc, Refusal, Revocations, Verified, verify,
};
use leasehold_seal::{Digest, Envelope, PayloadType, SecretKey, Trust, canonical};
use serde::Serialize;

use crate::common::*;

/// A key that is in no trust file.
pub(crate) fn person(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

pub(crate) fn held_by(person: &SecretKey) -> Holder {
    Holder::Key(person.public().key_id())
}

/// [`document`] for the first person, with three generations below it, good on every tape of the host.
pub(crate) fn root() -> LeaseDoc {
    LeaseDoc {
        holder: held_by(&person(1)),
        depth: 3,
        ..document()
    }
}

pub(crate) fn tape() -> Digest {
    Digest::of(b"tape")
}

/// Signs whatever it is as a lease.
pub(crate) fn sign(document: &impl Serialize, keys: &[&SecretKey]) -> Envelope {
    let payload = canonical::to_vec(document).unwrap();
    Envelope::sign(PayloadType::LEASE, payload, keys).unwrap()
}

pub(crate) fn signed(root: &LeaseDoc) -> Envelope {
    sign(root, &[&issuer()])
}

/// All of a lease, for whoever has it.
pub(crate) fn child(id: Digest, parent: &LeaseDoc, signer: &SecretKey) -> ChildDoc {
    ChildDoc {
        version: 1,
        issuer: signer.public().key_id(),
        key: STANDARD.encode(signer.public().spki_der()),
        holder: Holder::None,
        audience: parent.audience.clone(),
        intent: None,
        parent: id,
        depth: parent.depth.saturating_sub(1),
        nonce: "BBECAwQFBgcICQoLDA0ODw".into(),
        not_before: parent.not_before,
        expires: parent.expires,
        grants: parent.grants.iter().map(ChildGrant::all_of).collect(),
        budget: None,
    }
}

/// A root and a child of it, signed by the first person.
pub(crate) fn pair(root: &LeaseDoc, change: impl FnOnce(&mut ChildDoc)) -> Vec<Envelope> {
    let parent = signed(root);
    let mut child = child(parent.id(), root, &person(1));
    change(&mut child);
    vec![sign(&child, &[&person(1)]), parent]
}

/// A chain of so many leases, each person handing all of it to the next; the leaf is for whoever has it.
pub(crate) fn generations(hops: u8) -> Vec<Envelope> {
    let mut above = LeaseDoc {
        depth: u64::from(hops) - 1,
        ..root()
    };
    let mut chain = vec![signed(&above)];
    for number in 1..hops {
        let mut document = child(chain[0].id(), &above, &person(number));
        if number + 1 < hops {
            document.holder = held_by(&person(number + 1));
        }
        above.depth -= 1;
        chain.insert(0, sign(&document, &[&person(number)]));
    }
    chain
}

pub(crate) fn here() -> Here<'static> {
    Here::new(host_id(), now()).on(Some(tape()))
}

pub(crate) fn verify_chain(chain: &[Envelope]) -> Result<Verified, Refusal> {
    verify_under(chain, &trust())
}

pub(crate) fn verify_under(chain: &[Envelope], trust: &Trust) -> Result<Verified, Refusal> {
    verify(chain, trust, &Revocations::none(), &here())
}
