//! The use of a lease: its chain verified for this host and now, and kept on the tape and in the store.

use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_lease::{Here, MAX_CHAIN_BYTES, Presentation, Revocations, Verified, parse_chain};
use leasehold_seal::{Digest, Envelope, Timestamp, Trust};
use leasehold_tape::{Draft, Durability, LeaseVerified, ListSeen, Presented};

use crate::commands::Context;
use crate::failure::{Failure, OrFail};
use crate::issue;
use crate::parse;
use crate::session::Session;
use crate::standing::HomeStanding;

/// How long a presentation lasts that is made on the spot, in milliseconds.
const PRESENTED_MS: i64 = 60_000;
/// The largest presentation that is read, in bytes.
const PRESENTATION_BYTES: u64 = 64 << 10;

/// The lease in a file, with its parents: leaf first, nothing verified.
pub(crate) fn read(path: &Path) -> Result<Vec<Envelope>, Failure> {
    let bytes = parse::file("lease", path, MAX_CHAIN_BYTES as u64)?;
    parse_chain(&bytes)
        .or_fail()
        .map_err(|failure| failure.detail(format!("in {}", path.display())))
}

/// How the holder of a lease shows that it is the holder.
#[derive(Debug, Default, Args)]
pub(crate) struct PresentArgs {
    /// What the holder of the lease has presented: made by `leasehold lease present`.
    #[arg(long, value_name = "FILE")]
    presentation: Option<PathBuf>,
    /// Present the lease as its holder, with this key of the home.
    #[arg(long = "as", value_name = "KEY", conflicts_with = "presentation")]
    holder: Option<String>,
}

impl PresentArgs {
    /// What is presented with this lease, if anything is.
    pub(crate) fn of(
        &self,
        chain: &[Envelope],
        session: &Session,
        context: &Context,
    ) -> Result<Option<Envelope>, Failure> {
        if let Some(file) = &self.presentation {
            let path = context.ambient.path(file);
            let bytes = parse::file("presentation", &path, PRESENTATION_BYTES)?;
            return Envelope::parse(&bytes).or_fail().map(Some);
        }
        let (Some(name), Some(leaf)) = (&self.holder, chain.first()) else {
            return Ok(None);
        };
        let key = session.home.key(name)?;
        let now = context.ambient.now();
        let ends = now.checked_add_millis(PRESENTED_MS).unwrap_or(now);
        let nonce = issue::nonce()?;
        Presentation::sign(leaf.id(), session.host, nonce, ends, &key.secret)
            .or_fail()
            .map(Some)
    }
}

/// A lease with its parents as it is brought along.
pub(crate) struct Brought {
    /// The leaf first.
    pub(crate) chain: Vec<Envelope>,
    /// What the holder says, where the lease names one.
    pub(crate) presentation: Option<Envelope>,
    /// Whether whoever uses it has just signed it: then it is in the store.
    pub(crate) own: bool,
}

impl Brought {
    /// A lease that was signed here a moment ago.
    pub(crate) fn own(envelope: Envelope) -> Self {
        Brought {
            chain: vec![envelope],
            presentation: None,
            own: true,
        }
    }

    /// Verifies it under a trust file.
    ///
    /// Where that trust file asks for a revocation list, its own revokers have to have signed the one in use; otherwise those of the
    /// home, who can only take rights away.
    ///
    /// # Errors
    /// Those of [`leasehold_lease::verify`].
    pub(crate) fn verify(
        self,
        trust: &Trust,
        standing: &HomeStanding,
        here: &Here<'_>,
    ) -> Result<Leased, Failure> {
        let here = Here {
            presentation: self.presentation.as_ref(),
            ..*here
        };
        let asked = trust.revocation().required;
        let revocations = if asked {
            standing.revocations(None)?
        } else {
            Revocations::none()
        };
        let verified =
            leasehold_lease::verify(&self.chain, trust, &revocations, &here).or_fail()?;
        let list = if asked {
            verified.revocations()
        } else {
            let ids: Vec<Digest> = verified.hops().iter().map(|hop| hop.id()).collect();
            standing.ask(&ids, None, here.now)?
        };
        Ok(Leased {
            verified,
            list: list.map(|list| ListSeen {
                list: list.list,
                number: list.number,
            }),
            brought: self,
        })
    }
}

/// A lease that is good here and now.
pub(crate) struct Leased {
    pub(crate) verified: Verified,
    /// The revocation list it was checked against.
    list: Option<ListSeen>,
    brought: Brought,
}

impl Leased {
    /// Whether whoever uses it has signed it.
    pub(crate) fn own(&self) -> bool {
        self.brought.own
    }

    /// First moment at which it or a lease it was made from is no longer valid.
    pub(crate) fn expires(&self) -> Timestamp {
        let ends = self
            .verified
            .hops()
            .iter()
            .map(|hop| hop.document().expires);
        ends.min().unwrap_or(self.verified.document().expires)
    }

    /// Keeps the lease, so that whoever reads the tape can see what was allowed. `trust`: the bytes of the trust file, where it was
    /// another one than the home's. A presentation is spent by this.
    pub(crate) fn record(&self, trust: Option<&[u8]>, session: &Session) -> Result<(), Failure> {
        // What was signed here is durable with the records of what it was signed for.
        let durability = if self.own() {
            Durability::Written
        } else {
            Durability::Synced
        };
        let store = session.store();
        let mut kept = Vec::with_capacity(self.brought.chain.len());
        for envelope in &self.brought.chain {
            let bytes = envelope.to_json().or_fail()?;
            kept.push(store.put_with(&bytes, durability).or_fail()?);
        }
        let mut kept = kept.into_iter();
        let Some(envelope) = kept.next() else {
            return Ok(());
        };
        let body = LeaseVerified {
            chain: kept.collect(),
            envelope,
            expires: self.expires(),
            lease: self.verified.id(),
            not_before: self.verified.document().not_before,
            presentation: self.presented(session)?,
            revocations: self.list,
            trust: trust.map(|bytes| store.put(bytes)).transpose().or_fail()?,
        };
        let draft = Draft::lease_verified(&body).or_fail()?;
        // A presentation counts as spent from here on, also after a power cut.
        let durability = if body.presentation.is_some() {
            Durability::Synced
        } else {
            Durability::Written
        };
        session.tape().append(vec![draft], durability).or_fail()?;
        Ok(())
    }

    fn presented(&self, session: &Session) -> Result<Option<Presented>, Failure> {
        let presentation: Option<&Presentation> = self.verified.presentation();
        let (Some(presentation), Some(envelope)) = (presentation, &self.brought.presentation)
        else {
            return Ok(None);
        };
        let bytes = envelope.to_json().or_fail()?;
        Ok(Some(Presented {
            digest: session.store().put(&bytes).or_fail()?,
            expires: presentation.expires,
            nonce: presentation.nonce.clone(),
        }))
    }
}
