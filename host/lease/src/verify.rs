//! From signed envelopes to a lease that is good here and now.

use std::sync::{Arc, OnceLock};

use leasehold_seal::{
    Class, Digest, Envelope, KeyId, Opened, PayloadType, Role, SealError, Timestamp, Trust,
};

use crate::approval;
use crate::budget::HopBudget;
use crate::chain::{self, Hop};
use crate::document::{Audience, Grant, LeaseDoc};
use crate::presentation::{Presentation, check_holder};
use crate::read::Document;
use crate::refusal::Refusal;
use crate::revocation::{ListSeen, RevocationList, Revocations};
use crate::rights::{Rights, check_window};

/// Where and when a lease is to be used.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// Key id of this host.
    pub host: KeyId,
    /// Id of the tape the use would be recorded on, if there is one.
    pub tape: Option<Digest>,
    /// This host's time.
    pub now: Timestamp,
    /// What the holder presented, where the lease names one. That its nonce was never used before is for the tape to say.
    pub presentation: Option<&'a Envelope>,
}

impl Here<'_> {
    /// At this host and time, without a tape and with nothing presented.
    #[must_use]
    pub fn new(host: KeyId, now: Timestamp) -> Self {
        Self {
            host,
            tape: None,
            now,
            presentation: None,
        }
    }

    /// The same, with use recorded on this tape.
    #[must_use]
    pub fn on(self, tape: Option<Digest>) -> Self {
        Self { tape, ..self }
    }
}

/// A lease whose signatures, form, parents, approvals, revocation, window, audience and holder were checked. Only
/// [`verify`] and [`crate::Verifier::verify`] make one:
///
/// ```compile_fail,E0451
/// fn pretend(verified: leasehold_lease::Verified) -> leasehold_lease::Verified {
///     leasehold_lease::Verified { presentation: None, ..verified }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Verified {
    proven: Arc<Proven>,
    revocations: Option<ListSeen>,
    presentation: Option<Arc<Presentation>>,
}

/// What does not depend on place, and on time only as far as the trust file does.
#[derive(Debug)]
pub(crate) struct Proven {
    /// Leaf first; at least one.
    hops: Vec<Hop>,
    /// The same, of which only the ids.
    ids: Vec<Digest>,
    /// Those who signed the root as issuers.
    signers: Vec<KeyId>,
    budgets: Arc<[HopBudget]>,
    /// The rights of each grant of the leaf, made when they are first asked for.
    rights: Vec<OnceLock<Rights>>,
}

/// Verifies a lease, leaf first and root last, for this host at this time. The order of the checks is fixed; the first
/// that fails is reported:
///
/// 1. the root: payload type, signatures of as many trusted issuers as the trust file asks for, at this time, and the
///    document ([`Document::parse`]), whose issuer is among those who signed;
/// 2. each child, from the root on: payload type, the document, whose key is that of the parent's holder, and its
///    signature by that key;
/// 3. the chain: each child names the lease before it as its parent, may be its child by its depth, and is within it;
/// 4. the approvals the trust file asks for, on the root;
/// 5. revocation of every lease of the chain ([`Revocations::check`]);
/// 6. the time lies in [`not_before`, `expires`) of every lease;
/// 7. the audience of every lease contains the host, and the tape where it names a tape;
/// 8. the presentation, where the leaf names a holder.
///
/// # Errors
/// [`Refusal`]: the codes of `leasehold-seal` for 1 and 2; `LEASE-FORMAT`, `LEASE-LIMIT`, `LEASE-WINDOW`,
/// `LEASE-UNSUPPORTED`, `PATTERN-FORMAT`, `LEASE-ISSUER`, `LEASE-CHAIN`, `LEASE-WIDER`, `LEASE-APPROVAL`, `REVOCATION-…`,
/// `LEASE-REVOKED`, `LEASE-NOT-YET`, `LEASE-EXPIRED`, `LEASE-AUDIENCE`, `HOLDER-MISSING`, `PRESENTATION-…`.
pub fn verify(
    chain: &[Envelope],
    trust: &Trust,
    revocations: &Revocations,
    here: &Here<'_>,
) -> Result<Verified, Refusal> {
    let proven = Arc::new(Proven::new(chain, trust, here.now)?);
    let signed = |list: &RevocationList| list.check_signatures(trust, here.now).map(drop);
    let opened =
        |envelope: &Envelope, holder: &KeyId| Presentation::open(envelope, holder).map(Arc::new);
    proven.here(trust, revocations, here, signed, opened)
}

impl Proven {
    /// Steps 1 to 4 of [`verify`].
    pub(crate) fn new(chain: &[Envelope], trust: &Trust, now: Timestamp) -> Result<Self, Refusal> {
        let mut signers = Vec::new();
        let hops = chain::open(chain, |root| {
            let (document, by) = open_root(root, trust, now)?;
            signers = by;
            Ok(document)
        })?;
        if let (Some(root), Some(hop)) = (chain.last(), hops.last()) {
            approval::check(root, hop.document(), &signers, trust, now)?;
        }
        Ok(Self {
            ids: hops.iter().map(Hop::id).collect(),
            budgets: HopBudget::all(&hops).into(),
            rights: leaf(&hops)?
                .document()
                .grants
                .iter()
                .map(|_| OnceLock::new())
                .collect(),
            signers,
            hops,
        })
    }

    /// Steps 5 to 8 of [`verify`].
    pub(crate) fn here(
        self: Arc<Self>,
        trust: &Trust,
        revocations: &Revocations,
        here: &Here<'_>,
        signed: impl FnOnce(&RevocationList) -> Result<(), Refusal>,
        opened: impl FnOnce(&Envelope, &KeyId) -> Result<Arc<Presentation>, Refusal>,
    ) -> Result<Verified, Refusal> {
        let seen = revocations.check_with(trust, &self.ids, here.now, signed)?;
        for hop in &self.hops {
            check_window(hop.document().not_before, hop.document().expires, here.now)?;
        }
        for hop in &self.hops {
            check_audience(&hop.document().audience, here)?;
        }
        let leaf = leaf(&self.hops)?;
        let presentation = check_holder(&leaf.document().holder, here.presentation, opened)?;
        if let Some(presentation) = &presentation {
            presentation.check(&leaf.id(), &here.host, here.now)?;
        }
        Ok(Verified {
            proven: self,
            revocations: seen,
            presentation,
        })
    }
}

impl Verified {
    /// The lease's id: SHA-256 of what was signed (the pre-authentication encoding), so signing again keeps it.
    #[must_use]
    pub fn id(&self) -> Digest {
        self.leaf().id()
    }

    /// The document. What a child lease leaves out is there, from its parents.
    #[must_use]
    pub fn document(&self) -> &LeaseDoc {
        self.leaf().document()
    }

    /// The lease and those it descends from, leaf first.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.proven.hops
    }

    /// The trusted issuers of the root whose signatures were verified.
    #[must_use]
    pub fn signers(&self) -> &[KeyId] {
        &self.proven.signers
    }

    /// The revocation list it was checked against, if one is in use.
    #[must_use]
    pub fn revocations(&self) -> Option<ListSeen> {
        self.revocations
    }

    /// What its holder presented, where it names one.
    #[must_use]
    pub fn presentation(&self) -> Option<&Presentation> {
        self.presentation.as_deref()
    }

    /// The rights of the one grant for this plugin.
    ///
    /// # Errors
    /// `GRANT-MISSING` when the lease has no grants, `PLUGIN-MISMATCH` when they are all for other plugins,
    /// `GRANT-AMBIGUOUS` when more than one is for this plugin.
    pub fn rights_for(&self, plugin: &Digest) -> Result<Rights, Refusal> {
        let grants = &self.document().grants;
        let mut fitting = grants
            .iter()
            .enumerate()
            .filter(|(_, grant)| grant.plugin == *plugin);
        match (fitting.next(), fitting.next()) {
            (Some((index, grant)), None) => self.rights_of(index, grant),
            (Some((_, first)), Some((_, second))) => {
                let message = format!(
                    "more than one grant is for the plugin {plugin}: {:?}, {:?}",
                    first.id, second.id
                );
                Err(Refusal::new("GRANT-AMBIGUOUS", Class::Refused, message)
                    .with_hint("say which grant to use"))
            }
            (None, _) if grants.is_empty() => {
                Err(
                    Refusal::new("GRANT-MISSING", Class::Refused, "the lease has no grants")
                        .with_hint("have a lease issued that has a grant for this plugin"),
                )
            }
            (None, _) => {
                let message = format!("no grant of the lease is for the plugin {plugin}");
                let hint = format!(
                    "the lease is for {}; was the plugin changed since?",
                    plugins(grants)
                );
                Err(Refusal::new("PLUGIN-MISMATCH", Class::Refused, message).with_hint(hint))
            }
        }
    }

    /// The rights of the grant of this name. The caller checks the plugin with [`Rights::check_plugin`].
    ///
    /// # Errors
    /// `GRANT-MISSING` when there is none.
    pub fn rights(&self, grant_id: &str) -> Result<Rights, Refusal> {
        let grants = &self.document().grants;
        if let Some(index) = grants.iter().position(|grant| grant.id == grant_id) {
            return self.rights_of(index, &grants[index]);
        }
        let ids: Vec<&str> = grants.iter().map(|grant| grant.id.as_str()).collect();
        let ids = if ids.is_empty() {
            "none".to_owned()
        } else {
            ids.join(", ")
        };
        let message = format!("the lease has no grant {grant_id:?}");
        Err(Refusal::new("GRANT-MISSING", Class::Refused, message)
            .with_hint(format!("its grants are: {ids}")))
    }

    fn leaf(&self) -> &Hop {
        // At least one hop is there: a chain without an envelope is refused.
        &self.proven.hops[0]
    }

    fn rights_of(&self, index: usize, grant: &Grant) -> Result<Rights, Refusal> {
        let proven = &self.proven;
        let slot = &proven.rights[index];
        let rights = match slot.get() {
            Some(rights) => rights.clone(),
            None => {
                let made = Rights::of_grant(&proven.hops, &proven.budgets, grant)?;
                slot.get_or_init(|| made).clone()
            }
        };
        Ok(rights.checked_against(self.revocations))
    }
}

/// Verifies and reads a root lease: the document and who signed it as an issuer.
fn open_root(
    root: &Envelope,
    trust: &Trust,
    now: Timestamp,
) -> Result<(Document, Vec<KeyId>), Refusal> {
    let opened = root
        .open(PayloadType::LEASE, Role::Issuer, trust, now)
        .map_err(|error| without_issuer(root, error))?;
    let document = Document::parse(opened.payload())?;
    if let Document::Root(root) = &document {
        check_issuer(root, &opened)?;
    }
    Ok((document, opened.signers().to_vec()))
}

/// A child lease that came alone is no matter of trust in whoever signed it: its parents are missing.
fn without_issuer(root: &Envelope, error: SealError) -> Refusal {
    match Document::parse(root.unverified_payload()) {
        Ok(Document::Child(child)) if root.payload_type() == PayloadType::LEASE.as_str() => {
            chain::without_parent(&child)
        }
        _ => error.into(),
    }
}

fn check_issuer(document: &LeaseDoc, opened: &Opened) -> Result<(), Refusal> {
    if opened.signers().contains(&document.issuer) {
        return Ok(());
    }
    let message = format!(
        "the lease names {} as its issuer, but that key has not signed it",
        document.issuer
    );
    Err(Refusal::new("LEASE-ISSUER", Class::Integrity, message)
        .with_hint("have the lease signed by the issuer it names"))
}

pub(crate) fn check_audience(audience: &Audience, here: &Here<'_>) -> Result<(), Refusal> {
    let Audience::Hosts(entries) = audience else {
        return Ok(());
    };
    let fits = |named: &Option<Digest>| named.is_none() || *named == here.tape;
    if entries
        .iter()
        .any(|entry| entry.host == here.host && fits(&entry.tape))
    {
        return Ok(());
    }
    let message = if entries.iter().any(|entry| entry.host == here.host) {
        "the lease is for another tape of this host".to_owned()
    } else {
        format!("the lease is not for this host, whose key is {}", here.host)
    };
    Err(Refusal::new("LEASE-AUDIENCE", Class::Refused, message)
        .with_hint("have a lease issued whose audience names this host"))
}

fn leaf(hops: &[Hop]) -> Result<&Hop, Refusal> {
    hops.first().ok_or_else(chain::no_envelope)
}

fn plugins(grants: &[Grant]) -> String {
    let plugins: Vec<String> = grants
        .iter()
        .map(|grant| format!("{} ({})", grant.plugin, grant.id))
        .collect();
    plugins.join(", ")
}
