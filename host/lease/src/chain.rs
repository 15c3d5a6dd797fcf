//! A lease with its parents: from a file to envelopes, from envelopes to hops that hang together.

use leasehold_seal::{
    Class, Digest, Envelope, KeyId, PayloadType, SealError, SecretKey, canonical,
};

use crate::child::{ChildDoc, ChildWish};
use crate::contain::{Containment, Strict};
use crate::document::{Budget, Holder, LeaseDoc};
use crate::read::Document;
use crate::refusal::{Refusal, check_type};

/// The most envelopes in one chain: a root with [`crate::MAX_DEPTH`] generations below it.
pub const MAX_HOPS: usize = 16;
/// The longest file of a chain, in bytes.
pub const MAX_CHAIN_BYTES: usize = MAX_HOPS * canonical::MAX_BYTES;

/// One lease of a chain, with nothing left out any more.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    id: Digest,
    document: LeaseDoc,
    /// The least budget that this lease and all its parents state.
    most: Budget,
}

impl Hop {
    /// The last hop of a chain.
    pub(crate) fn root(id: Digest, document: LeaseDoc) -> Self {
        Self {
            id,
            most: document.budget.unwrap_or_default(),
            document,
        }
    }

    /// The hop before `parent`, if the child may hang there.
    pub(crate) fn below<C: Containment>(
        parent: &Hop,
        id: Digest,
        child: ChildDoc,
    ) -> Result<Self, Refusal> {
        check_parent(parent, &child)?;
        check_depth(&parent.document, &child)?;
        C::lease(&parent.document, &parent.most, &child)?;
        let stated = child.budget.unwrap_or_default();
        Ok(Self {
            id,
            document: child.under(&parent.document),
            most: Budget {
                uses: stated.uses.or(parent.most.uses),
                fuel: stated.fuel.or(parent.most.fuel),
            },
        })
    }

    /// The lease's id: SHA-256 of what was signed (the pre-authentication encoding), so signing again keeps it.
    #[must_use]
    pub fn id(&self) -> Digest {
        self.id
    }

    /// The document. What a child lease leaves out is there, from its parent.
    #[must_use]
    pub fn document(&self) -> &LeaseDoc {
        &self.document
    }
}

/// Reads the file of a lease: one envelope, or a JSON array of envelopes, leaf first and root last. Verifies nothing.
///
/// # Errors
/// `LEASE-CHAIN` for no envelope or more than [`MAX_HOPS`], `ENVELOPE-FORMAT`, `SIGNATURE-MISSING`, or a `JSON-…` code.
pub fn parse_chain(bytes: &[u8]) -> Result<Vec<Envelope>, Refusal> {
    let is_list = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    if !is_list {
        return Ok(vec![envelope(bytes)?]);
    }
    let value = canonical::parse_limited(bytes, MAX_CHAIN_BYTES)?;
    let envelopes = value.as_array().map(Vec::as_slice).unwrap_or_default();
    check_length(envelopes.len())?;
    envelopes
        .iter()
        .map(|value| envelope(&canonical::to_vec(value)?))
        .collect()
}

/// Fields of an envelope are no fields of a lease: all codes stay as they are.
fn envelope(bytes: &[u8]) -> Result<Envelope, Refusal> {
    Envelope::parse(bytes).map_err(Refusal::envelope)
}

/// Writes the file of a lease: one envelope as such, more of them as a JSON array in their order.
///
/// # Errors
/// Those of [`Envelope::to_json`].
pub fn chain_to_json(chain: &[Envelope]) -> Result<Vec<u8>, Refusal> {
    let mut envelopes = chain.iter().map(Envelope::to_json);
    if chain.len() == 1
        && let Some(only) = envelopes.next()
    {
        return Ok(only?);
    }
    let envelopes = envelopes.collect::<Result<Vec<_>, SealError>>()?;
    Ok([b"[".as_slice(), &envelopes.join(b",".as_slice()), b"]"].concat())
}

/// Reads a chain, leaf first, for showing it: signatures of children and all rules of narrowing are checked, but not who
/// signed the root, nor host, time, approvals and revocation. What it returns gives no rights.
///
/// # Errors
/// Those of [`crate::verify`] that need no trust file.
pub fn inspect(chain: &[Envelope]) -> Result<Vec<Hop>, Refusal> {
    open(chain, |root| {
        check_type(root, PayloadType::LEASE)?;
        Document::parse(root.unverified_payload())
    })
}

/// Makes a child of the first lease of a chain and returns the chain with the child in front. Refuses what
/// [`crate::verify`] would refuse of the child wherever it is used.
///
/// # Errors
/// `LEASE-CHAIN` when `holder` is not the holder of the parent or the parent may have no children, `LEASE-WIDER`, and what
/// [`inspect`] and [`ChildDoc::validate`] refuse.
pub fn sign_child(
    parent: &[Envelope],
    holder: &SecretKey,
    wish: &ChildWish,
) -> Result<Vec<Envelope>, Refusal> {
    let hops = inspect(parent)?;
    let above = hops.first().ok_or_else(no_envelope)?;
    let key = holder.public();
    check_holder(&above.document.holder, &key.key_id())?;
    check_length(parent.len() + 1)?;
    let child = wish.document(above.id, &above.document, &key);
    child.validate()?;
    let envelope = child.sign(holder)?;
    Hop::below::<Strict>(above, envelope.id(), child)?;
    Ok([&[envelope], parent].concat())
}

/// Opens a chain, leaf first: `root` verifies and reads the last envelope, every other one is verified with the key of
/// the holder before it. Then the hops have to hang together, and each child has to lie within its parent.
pub(crate) fn open(
    chain: &[Envelope],
    root: impl FnOnce(&Envelope) -> Result<Document, Refusal>,
) -> Result<Vec<Hop>, Refusal> {
    check_length(chain.len())?;
    check_no_repetition(chain)?;
    let Some((last, below)) = chain.split_last() else {
        return Err(no_envelope());
    };
    let document = root_document(root(last)?)?;
    let mut holder = document.holder;
    let mut children = Vec::with_capacity(below.len());
    for envelope in below.iter().rev() {
        let child = open_child(envelope, &holder)?;
        holder = child.holder;
        children.push((envelope.id(), child));
    }
    let mut hop = Hop::root(last.id(), document);
    let mut hops = Vec::with_capacity(chain.len());
    for (id, child) in children {
        let next = Hop::below::<Strict>(&hop, id, child)?;
        hops.push(std::mem::replace(&mut hop, next));
    }
    hops.push(hop);
    hops.reverse();
    Ok(hops)
}

/// Verifies a child with the key it brings along, which has to be that of the parent's holder.
fn open_child(envelope: &Envelope, holder: &Holder) -> Result<ChildDoc, Refusal> {
    check_type(envelope, PayloadType::LEASE)?;
    if envelope.unverified_signatures().len() != 1 {
        return Err(broken(
            "a child lease has exactly one signature, its holder's",
        ));
    }
    // Read before it is verified, since the key to verify it with is in it; nothing else of it is used until then.
    let child = match Document::parse(envelope.unverified_payload())? {
        Document::Child(child) => child,
        Document::Root(_) => {
            return Err(broken(
                "a root lease stands before another lease; only the last one has no parent",
            ));
        }
    };
    let key = child.signer()?;
    if key.key_id() != child.issuer {
        let message = format!(
            "the child lease names {} as its issuer, but brings along another key",
            child.issuer
        );
        return Err(Refusal::new("LEASE-ISSUER", Class::Integrity, message)
            .with_hint("have the child lease made anew by the holder of its parent"));
    }
    check_holder(holder, &child.issuer)?;
    envelope.open_as(PayloadType::LEASE, &key)?;
    Ok(child)
}

fn root_document(document: Document) -> Result<LeaseDoc, Refusal> {
    match document {
        Document::Root(document) => Ok(document),
        Document::Child(child) => Err(without_parent(&child)),
    }
}

/// A chain whose last lease has a parent is incomplete.
pub(crate) fn without_parent(child: &ChildDoc) -> Refusal {
    broken(format!(
        "the lease is a child of {}, which is not among the envelopes",
        child.parent
    ))
}

fn check_length(hops: usize) -> Result<(), Refusal> {
    match hops {
        0 => Err(no_envelope()),
        1..=MAX_HOPS => Ok(()),
        _ => Err(broken(format!(
            "the chain has {hops} envelopes, the most is {MAX_HOPS}"
        ))),
    }
}

fn check_no_repetition(chain: &[Envelope]) -> Result<(), Refusal> {
    for (index, envelope) in chain.iter().enumerate() {
        if chain
            .iter()
            .take(index)
            .any(|other| other.id() == envelope.id())
        {
            return Err(broken(format!("{} is there twice", envelope.id())));
        }
    }
    Ok(())
}

fn check_holder(holder: &Holder, signer: &KeyId) -> Result<(), Refusal> {
    match holder {
        Holder::Key(key) if key == signer => Ok(()),
        Holder::Key(key) => Err(broken(format!(
            "the parent's holder is {key}, but {signer} has signed the child"
        ))),
        Holder::None => Err(broken(
            "the parent names no holder, so nobody can hand it on",
        )),
    }
}

fn check_parent(parent: &Hop, child: &ChildDoc) -> Result<(), Refusal> {
    if child.parent == parent.id {
        return Ok(());
    }
    Err(broken(format!(
        "the child names {} as its parent, but {} comes next",
        child.parent, parent.id
    )))
}

fn check_depth(parent: &LeaseDoc, child: &ChildDoc) -> Result<(), Refusal> {
    if parent.depth == 0 {
        return Err(broken("the parent has depth 0, so it may have no children"));
    }
    if child.depth < parent.depth {
        return Ok(());
    }
    Err(broken(format!(
        "the child has depth {}, which is not less than its parent's {}",
        child.depth, parent.depth
    )))
}

pub(crate) fn no_envelope() -> Refusal {
    broken("there is no envelope")
}

/// `LEASE-CHAIN`: the envelopes do not hang together.
fn broken(message: impl Into<String>) -> Refusal {
    Refusal::new("LEASE-CHAIN", Class::Integrity, message).with_hint(
        "a chain is the lease, then the one it was made from, and so on to a root lease: get all of them again",
    )
}
