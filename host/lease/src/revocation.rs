//! Revocation: signed, numbered lists of leases that are no longer good, with all that descend from them.

use std::fmt;
use std::sync::Arc;

use leasehold_seal::canonical::MAX_INTEGER;
use leasehold_seal::{
    Class, Digest, Envelope, KeyId, PayloadType, Role, SecretKey, Timestamp, Trust, canonical,
};
use serde::{Deserialize, Serialize};

use crate::document::VERSION;
use crate::refusal::{Refusal, check_type};

/// The most ids on one list: as many as an envelope has room for.
pub const MAX_REVOKED: usize = 10_000;
/// How far ahead of this host's clock a list may have been issued, in milliseconds: five minutes.
pub const ISSUED_TOLERANCE_MS: i64 = 300_000;

const LISTS: PayloadType = PayloadType::new("application/vnd.leasehold.revocations.v1+json");

/// A list as it was signed: its form was checked, who signed it was not.
#[derive(Clone, PartialEq)]
pub struct RevocationList {
    envelope: Envelope,
    body: Body,
}

/// Number and id of a list: what a tape keeps of the newest it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListSeen {
    /// Its number.
    pub number: u64,
    /// Its id: SHA-256 of what was signed.
    pub list: Digest,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    version: u64,
    number: u64,
    issued: Timestamp,
    next_update: Timestamp,
    ids: Vec<Digest>,
}

impl RevocationList {
    /// Reads the envelope of a list and checks its form. Who signed it is checked where it is used.
    ///
    /// # Errors
    /// `PAYLOAD-TYPE`, `REVOCATION-FORMAT` or a `JSON-…` code.
    pub fn read(envelope: Envelope) -> Result<Self, Refusal> {
        check_type(&envelope, LISTS)?;
        let body: Body = canonical::from_slice(envelope.unverified_payload())
            .map_err(|error| Refusal::json("REVOCATION-FORMAT", "the revocation list", error))?;
        body.check()?;
        Ok(Self { envelope, body })
    }

    /// Makes a list and signs it. The ids may be in any order and more than once.
    ///
    /// # Errors
    /// `REVOCATION-FORMAT` when a field is out of its range, and what signing refuses.
    pub fn sign(
        number: u64,
        issued: Timestamp,
        next_update: Timestamp,
        ids: &[Digest],
        keys: &[&SecretKey],
    ) -> Result<Self, Refusal> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let body = Body {
            version: VERSION,
            number,
            issued,
            next_update,
            ids,
        };
        body.check()?;
        let envelope = Envelope::sign(LISTS, canonical::to_vec(&body)?, keys)?;
        Ok(Self { envelope, body })
    }

    /// The envelope.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Its number: 1 to 2^53 − 1. A list with a greater number replaces this one.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.body.number
    }

    /// Its id: SHA-256 of what was signed.
    #[must_use]
    pub fn id(&self) -> Digest {
        self.envelope.id()
    }

    /// Number and id.
    #[must_use]
    pub fn seen(&self) -> ListSeen {
        ListSeen {
            number: self.number(),
            list: self.id(),
        }
    }

    /// When it was issued.
    #[must_use]
    pub fn issued(&self) -> Timestamp {
        self.body.issued
    }

    /// From when on it is too old to be gone by.
    #[must_use]
    pub fn next_update(&self) -> Timestamp {
        self.body.next_update
    }

    /// The ids of the leases that are revoked, sorted.
    #[must_use]
    pub fn ids(&self) -> &[Digest] {
        &self.body.ids
    }

    /// Whether this lease is on the list.
    #[must_use]
    pub fn contains(&self, lease: &Digest) -> bool {
        self.body.ids.binary_search(lease).is_ok()
    }

    /// Whether as many revokers of the trust file as it asks for have signed, at this time.
    ///
    /// # Errors
    /// `SIGNATURE-MISSING`, `SIGNATURE-INVALID`, `SIGNATURE-SECOND` or `KEY-UNTRUSTED`.
    pub fn check_signatures(&self, trust: &Trust, at: Timestamp) -> Result<Vec<KeyId>, Refusal> {
        let opened = self.envelope.open(LISTS, Role::Revoker, trust, at)?;
        Ok(opened.signers().to_vec())
    }

    /// Whether the list may be gone by at this time.
    ///
    /// # Errors
    /// `REVOCATION-EARLY` or `REVOCATION-STALE`.
    pub fn check_time(&self, now: Timestamp) -> Result<(), Refusal> {
        let (number, issued, next) = (self.number(), self.issued(), self.next_update());
        if issued.millis_since(now) > ISSUED_TOLERANCE_MS {
            let message =
                format!("revocation list {number} was issued at {issued}; it is {now} now");
            return Err(Refusal::new("REVOCATION-EARLY", Class::Refused, message)
                .with_hint("check the clock of this host, and that of whoever issued the list"));
        }
        if now >= next {
            let message =
                format!("revocation list {number} was to be replaced by {next}; it is {now} now");
            return Err(
                Refusal::new("REVOCATION-STALE", Class::Refused, message).with_hint(GET_THE_NEWEST)
            );
        }
        Ok(())
    }
}

impl Body {
    fn check(&self) -> Result<(), Refusal> {
        let refused = |problem: String| {
            let message = format!("the revocation list {problem}");
            Err(Refusal::new("REVOCATION-FORMAT", Class::Integrity, message)
                .with_hint("docs/lease.md lists the fields of a revocation list"))
        };
        if self.version != VERSION {
            let version = self.version;
            return refused(format!(
                "has version {version}; this version reads {VERSION}"
            ));
        }
        if !(1..=MAX_INTEGER.unsigned_abs()).contains(&self.number) {
            return refused(format!("has number {}, not 1 to 2^53 - 1", self.number));
        }
        if self.next_update <= self.issued {
            return refused("is to be replaced before it was issued".to_owned());
        }
        if self.ids.len() > MAX_REVOKED {
            let found = self.ids.len();
            return refused(format!("has {found} ids, the most is {MAX_REVOKED}"));
        }
        if !self.ids.is_sorted_by(|one, next| one < next) {
            return refused("has ids that are not sorted, or one of them twice".to_owned());
        }
        Ok(())
    }
}

/// Not the ids, of which there may be very many.
impl fmt::Debug for RevocationList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RevocationList")
            .field("number", &self.number())
            .field("issued", &self.issued())
            .field("next_update", &self.next_update())
            .field("ids", &self.ids().len())
            .finish_non_exhaustive()
    }
}

/// What is known about revocation at a place: the list in use there, and the newest its tape has seen.
#[derive(Clone, Debug, Default)]
pub struct Revocations {
    list: Option<Arc<RevocationList>>,
    seen: Option<ListSeen>,
}

impl Revocations {
    /// No list is at hand, and the tape has never seen one.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// This list is in use.
    #[must_use]
    pub fn of(list: RevocationList) -> Self {
        Self {
            list: Some(Arc::new(list)),
            seen: None,
        }
    }

    /// The same, on a tape that has seen this list: from then on an older one, another one of the same number, or none is
    /// refused.
    #[must_use]
    pub fn after(mut self, seen: Option<ListSeen>) -> Self {
        self.seen = seen;
        self
    }

    /// The list in use.
    #[must_use]
    pub fn list(&self) -> Option<&RevocationList> {
        self.list.as_deref()
    }

    /// Whether these leases, of one chain, may be used now: the list is there where it has to be, signed, fresh, not older
    /// than one seen before, and names none of them. Returns what a record should state.
    ///
    /// # Errors
    /// `REVOCATION-MISSING`, the codes of [`RevocationList::check_signatures`], `REVOCATION-EARLY`, `REVOCATION-STALE`,
    /// `REVOCATION-OLD`, `REVOCATION-FORK`, `LEASE-REVOKED`.
    pub fn check(
        &self,
        trust: &Trust,
        chain: &[Digest],
        now: Timestamp,
    ) -> Result<Option<ListSeen>, Refusal> {
        let signed = |list: &RevocationList| list.check_signatures(trust, now).map(drop);
        self.check_with(trust, chain, now, signed)
    }

    /// [`Revocations::check`] with another way to find out that the signatures are good.
    pub(crate) fn check_with(
        &self,
        trust: &Trust,
        chain: &[Digest],
        now: Timestamp,
        signed: impl FnOnce(&RevocationList) -> Result<(), Refusal>,
    ) -> Result<Option<ListSeen>, Refusal> {
        let Some(list) = self.list() else {
            return self.check_absence(trust).map(|()| None);
        };
        signed(list)?;
        list.check_time(now)?;
        self.check_order(trust, list)?;
        match chain.iter().find(|lease| list.contains(lease)) {
            None => Ok(Some(list.seen())),
            Some(lease) => Err(revoked(list, lease, chain)),
        }
    }

    fn check_absence(&self, trust: &Trust) -> Result<(), Refusal> {
        let message = if let Some(seen) = &self.seen {
            format!(
                "no revocation list is at hand, and the tape has seen list {}",
                seen.number
            )
        } else if trust.revocation().required {
            "no revocation list is at hand, and the trust file asks for one".to_owned()
        } else {
            return Ok(());
        };
        Err(Refusal::new("REVOCATION-MISSING", Class::Refused, message).with_hint(GET_THE_NEWEST))
    }

    fn check_order(&self, trust: &Trust, list: &RevocationList) -> Result<(), Refusal> {
        let number = list.number();
        let old = |than: String| {
            let message = format!("revocation list {number} is older than {than}");
            Err(Refusal::new("REVOCATION-OLD", Class::Refused, message).with_hint(GET_THE_NEWEST))
        };
        let least = trust.revocation().least;
        if number < least {
            return old(format!("{least}, the least the trust file accepts"));
        }
        match &self.seen {
            Some(seen) if number < seen.number => {
                old(format!("{}, which the tape has seen", seen.number))
            }
            Some(seen) if number == seen.number && list.id() != seen.list => {
                let message = format!(
                    "there are two revocation lists of number {number}: {} was seen before, this is {}",
                    seen.list,
                    list.id()
                );
                Err(
                    Refusal::new("REVOCATION-FORK", Class::Integrity, message).with_hint(
                        "ask whoever issues the lists which one is good, and for a newer one",
                    ),
                )
            }
            _ => Ok(()),
        }
    }
}

const GET_THE_NEWEST: &str = "get the newest list from whoever issues them, then `leasehold lease revocations --import FILE`";

fn revoked(list: &RevocationList, lease: &Digest, chain: &[Digest]) -> Refusal {
    let which = if chain.first() == Some(lease) {
        "the lease"
    } else {
        "a lease this one was made from"
    };
    let message = format!(
        "{which}, {lease}, is revoked by list {} of {}",
        list.number(),
        list.issued()
    );
    Refusal::new("LEASE-REVOKED", Class::Refused, message).with_hint("have a new lease issued")
}
