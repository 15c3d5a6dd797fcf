//! Whether each intent had a lease at its time.

use std::collections::{BTreeMap, BTreeSet};

use leasehold_lease::{Here, Hop, Refusal, Revocations, Rights, Verified, inspect, verify};
use leasehold_seal::{Coded, Digest, Envelope, KeyId, RevocationRule, Timestamp, Trust};
use leasehold_tape::call::Intent;
use leasehold_tape::ledger::CLOCK_TOLERANCE_MS;
use leasehold_tape::{LeaseVerified, Ledger, Presented, Record, RecordFault};

use crate::budgets::Budgets;
use crate::lists::Lists;
use crate::report::Missing;
use crate::stored::Stored;

/// The leases the tape says were verified.
pub(crate) struct Leases<'a> {
    stored: Stored<'a>,
    trust: &'a Trust,
    lists: Lists,
    budgets: Budgets,
    known: BTreeMap<Digest, Known>,
    /// Those of which more is shown than their window, the earliest end first.
    shown: BTreeSet<(Timestamp, Digest)>,
    without: u64,
    verified: u64,
    elsewhere: BTreeMap<Digest, u64>,
    missing: Missing,
}

#[derive(Debug)]
struct Known {
    not_before: Timestamp,
    expires: Timestamp,
    /// How many leases the chain has.
    hops: usize,
    shown: Shown,
}

/// What the envelopes that a record names show.
#[derive(Debug)]
enum Shown {
    /// Not all of them are at hand; or the lease has ended, when nothing is asked of it any more.
    Nothing,
    /// All but the presentation: the ids of the chain.
    Chain(Vec<Digest>),
    /// That the lease was good.
    Good(Box<Verified>),
}

/// A chain that was looked into.
enum Opened {
    Verified(Box<Verified>),
    Unpresented(Vec<Hop>),
}

impl Opened {
    fn hops(&self) -> &[Hop] {
        match self {
            Opened::Verified(lease) => lease.hops(),
            Opened::Unpresented(hops) => hops,
        }
    }
}

impl<'a> Leases<'a> {
    pub(crate) fn new(trust: &'a Trust, stored: Stored<'a>) -> Self {
        Self {
            stored,
            trust,
            lists: Lists::new(trust),
            budgets: Budgets::default(),
            known: BTreeMap::new(),
            shown: BTreeSet::new(),
            without: 0,
            verified: 0,
            elsewhere: BTreeMap::new(),
            missing: Missing::default(),
        }
    }

    /// Takes a `lease.revoked` record.
    pub(crate) fn revoke(&mut self, record: &Record) -> Result<(), RecordFault> {
        self.lists.learn(record, self.stored)
    }

    /// Takes a `lease.verified` record; verifies the chain as of its time, if it is at hand.
    pub(crate) fn learn(
        &mut self,
        record: &Record,
        tape: &Digest,
        host: &KeyId,
    ) -> Result<(), RecordFault> {
        let stated: LeaseVerified = record.body()?;
        let here = Here::new(*host, record.time).on(Some(*tape));
        let shown = match self.chain(&stated)? {
            Some(chain) => match self.open(&chain, &stated, here)? {
                Some((opened, own)) => self.take(&stated, opened, own, record.time)?,
                // Only under a trust file that is not at hand.
                None => return Ok(()),
            },
            None => {
                self.missing.leases += 1;
                let here = stated.trust.is_none();
                let ids = [stated.lease];
                self.lists
                    .check(stated.revocations.as_ref(), &ids, record.time, here)?;
                Shown::Nothing
            }
        };
        let known = Known {
            not_before: stated.not_before,
            expires: stated.expires,
            hops: stated.chain.len() + 1,
            shown,
        };
        // What an earlier record showed of the same lease stays shown.
        if !matches!(known.shown, Shown::Nothing) {
            self.shown.insert((stated.expires, stated.lease));
            self.known.insert(stated.lease, known);
        } else {
            self.known.entry(stated.lease).or_insert(known);
        }
        Ok(())
    }

    /// Holds an intent to its lease, if it is known, and returns the rights of its grant where they are.
    pub(crate) fn check(
        &mut self,
        intent: &Intent,
        at: Timestamp,
        ledger: &Ledger,
    ) -> Result<Option<Rights>, RecordFault> {
        self.lists.check_call(&intent.lease)?;
        let leaf = intent.lease.first().and_then(|leaf| self.known.get(leaf));
        let rights = leaf.map(|known| known.check(intent)).transpose()?.flatten();
        self.without += u64::from(leaf.is_none());
        for known in intent.lease.iter().filter_map(|id| self.known.get(id)) {
            known.check_time(at)?;
        }
        self.budgets.check(intent, ledger)?;
        self.drop_ended(at);
        Ok(rights)
    }

    /// Intents whose lease no record is about.
    pub(crate) fn without(&self) -> u64 {
        self.without
    }

    /// Leases that are not good under the trust file of this check, by the one under which the host says it verified them.
    pub(crate) fn elsewhere(&self) -> &BTreeMap<Digest, u64> {
        &self.elsewhere
    }

    pub(crate) fn verified(&self) -> u64 {
        self.verified
    }

    pub(crate) fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    pub(crate) fn lists(&self) -> &Lists {
        &self.lists
    }

    pub(crate) fn missing(&self) -> Missing {
        Missing {
            lists: self.lists.missing(),
            ..self.missing
        }
    }

    /// Those of the leases the ledger knows that the list in force revokes.
    pub(crate) fn revoked(&self, ledger: &Ledger) -> Vec<Digest> {
        let known = ledger.accounts().map(|(lease, _)| *lease);
        let mut revoked: Vec<_> = known.filter(|lease| self.lists.revokes(lease)).collect();
        revoked.sort_unstable();
        revoked
    }

    /// All envelopes of the chain, leaf first, if they are at hand.
    fn chain(&self, stated: &LeaseVerified) -> Result<Option<Vec<Envelope>>, RecordFault> {
        let digests = std::iter::once(&stated.envelope).chain(&stated.chain);
        let envelopes = digests.map(|digest| self.stored.envelope(digest, "AUDIT-LEASE"));
        envelopes.collect()
    }

    /// Verifies a chain under the trust file of this check (`true`), or else the one that the record names.
    fn open(
        &mut self,
        chain: &[Envelope],
        stated: &LeaseVerified,
        here: Here<'_>,
    ) -> Result<Option<(Opened, bool)>, RecordFault> {
        let presented = match &stated.presentation {
            Some(presented) => self.stored.envelope(&presented.digest, "AUDIT-LEASE")?,
            None => None,
        };
        let here = Here {
            presentation: presented.as_ref(),
            ..here
        };
        let error = match opened(chain, self.trust, &here, stated) {
            Ok(opened) => return Ok(Some((opened, true))),
            Err(error) => error,
        };
        let Some(digest) = &stated.trust else {
            return Err(refused(&error));
        };
        // The host says that it went by another trust file. Whether that one is to be trusted is not for a tape to say; that
        // the lease is good under it can be checked.
        *self.elsewhere.entry(*digest).or_default() += 1;
        match other_trust(digest, self.stored)? {
            Some(other) => opened(chain, &other, &here, stated)
                .map(|opened| Some((opened, false)))
                .map_err(|error| refused(&error)),
            None => Ok(None),
        }
    }

    /// Holds what was opened to what the record states.
    fn take(
        &mut self,
        stated: &LeaseVerified,
        opened: Opened,
        own: bool,
        at: Timestamp,
    ) -> Result<Shown, RecordFault> {
        let hops = opened.hops();
        let says = hops.first().map(|leaf| {
            let document = leaf.document();
            (leaf.id(), document.not_before, document.expires)
        });
        if says != Some((stated.lease, stated.not_before, stated.expires)) {
            return Err(wrong(
                "the envelope holds another lease than the record states",
            ));
        }
        let ids: Vec<_> = hops.iter().map(Hop::id).collect();
        self.lists
            .check(stated.revocations.as_ref(), &ids, at, own)?;
        if let Opened::Verified(lease) = &opened {
            check_presentation(stated.presentation.as_ref(), lease)?;
        }
        self.budgets.learn(hops);
        match opened {
            Opened::Unpresented(_) => {
                self.missing.presentations += 1;
                Ok(Shown::Chain(ids))
            }
            Opened::Verified(lease) => {
                self.verified += u64::from(own);
                Ok(Shown::Good(lease))
            }
        }
    }

    /// Documents are large; of a lease that ended, its window is enough.
    fn drop_ended(&mut self, at: Timestamp) {
        while let Some((expires, lease)) = self.shown.first()
            && at.millis_since(*expires) > CLOCK_TOLERANCE_MS
        {
            if let Some(known) = self.known.get_mut(lease) {
                known.shown = Shown::Nothing;
            }
            self.shown.pop_first();
        }
    }
}

impl Known {
    fn check_time(&self, at: Timestamp) -> Result<(), RecordFault> {
        if at >= self.not_before && at < self.expires {
            return Ok(());
        }
        Err(wrong(&format!(
            "the intent at {at} is outside the window of its lease, {} to {}",
            self.not_before, self.expires
        )))
    }

    /// Holds an intent to the chain its lease has; returns the rights of its grant, where they are known.
    fn check(&self, intent: &Intent) -> Result<Option<Rights>, RecordFault> {
        let ids: &[Digest] = match &self.shown {
            Shown::Nothing => &intent.lease,
            Shown::Chain(ids) => ids,
            Shown::Good(lease) => {
                return check_grant(intent, lease).map(Some);
            }
        };
        if intent.lease.len() == self.hops && ids == intent.lease {
            return Ok(None);
        }
        Err(other_chain())
    }
}

/// Verifies a chain, but for revocation. Where all is good but that its holder presented it is not at hand, what it says.
fn opened(
    chain: &[Envelope],
    trust: &Trust,
    here: &Here<'_>,
    stated: &LeaseVerified,
) -> Result<Opened, Refusal> {
    // Lists are looked at apart, since the one that was used may not be at hand.
    let trust = trust.clone().with_revocation(RevocationRule::default())?;
    match verify(chain, &trust, &Revocations::none(), here) {
        Ok(lease) => Ok(Opened::Verified(Box::new(lease))),
        // The last thing that is checked.
        Err(error)
            if error.code() == "HOLDER-MISSING"
                && here.presentation.is_none()
                && stated.presentation.is_some() =>
        {
            inspect(chain).map(Opened::Unpresented)
        }
        Err(error) => Err(error),
    }
}

/// Nonce and end are what the ledger goes by; they have to be those that were signed.
fn check_presentation(stated: Option<&Presented>, lease: &Verified) -> Result<(), RecordFault> {
    let signed = lease.presentation();
    let stated = stated.map(|stated| (stated.nonce.as_str(), stated.expires));
    if signed.map(|signed| (signed.nonce.as_str(), signed.expires)) == stated {
        return Ok(());
    }
    Err(wrong(
        "the record states another presentation than was signed",
    ))
}

/// The trust file with this digest, if it is at hand.
fn other_trust(digest: &Digest, stored: Stored<'_>) -> Result<Option<Trust>, RecordFault> {
    let Some(bytes) = stored.bytes(digest, "AUDIT-LEASE")? else {
        return Ok(None);
    };
    Trust::parse(&bytes)
        .map(Some)
        .map_err(|error| refused(&error))
}

fn check_grant(intent: &Intent, lease: &Verified) -> Result<Rights, RecordFault> {
    let rights = lease
        .rights(&intent.grant)
        .map_err(|error| refused(&error))?;
    if rights.chain() != intent.lease {
        return Err(other_chain());
    }
    rights
        .check_plugin(&intent.plugin)
        .map_err(|error| refused(&error))?;
    let most = rights.limits().fuel;
    match intent.charges.iter().find(|charge| charge.fuel > most) {
        Some(charge) => Err(RecordFault::new(
            "AUDIT-CHARGE",
            format!(
                "the intent reserves {} units of fuel, its grant has {most}",
                charge.fuel
            ),
        )),
        None => Ok(rights),
    }
}

fn other_chain() -> RecordFault {
    wrong("the intent names another chain than its lease has")
}

fn refused(error: &dyn Coded) -> RecordFault {
    wrong(&format!(
        "the lease does not allow it: {} ({error})",
        error.code()
    ))
}

fn wrong(what: &str) -> RecordFault {
    RecordFault::new("AUDIT-LEASE", what)
}
