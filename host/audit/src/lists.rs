//! Revocation lists: what they are, and which leases the one in force revokes.

use std::collections::BTreeSet;

use leasehold_lease::{RevocationList, Revocations, Verifier};
use leasehold_seal::{Coded, Digest, RevocationRule, Timestamp, Trust};
use leasehold_tape::{LeaseRevoked, ListSeen, Record, RecordFault};

use crate::stored::Stored;

/// The list in force. The order of lists is the ledger's matter.
#[derive(Debug)]
pub(crate) struct Lists {
    /// For signatures over lists, which it verifies once.
    verifier: Verifier,
    /// The list in force, where its envelope is at hand.
    in_force: Option<Revocations>,
    /// Where it is not: what the records say.
    told: BTreeSet<Digest>,
    least: u64,
    below_least: u64,
    missing: u64,
}

impl Lists {
    /// The least number a trust file asks for rises with time, and these records were written before: what lies below it is
    /// counted and not a fault. That no list follows a later one is held by the ledger.
    pub(crate) fn new(trust: &Trust) -> Self {
        let rule = RevocationRule {
            least: 0,
            ..trust.revocation()
        };
        let any_number = trust.clone().with_revocation(rule);
        Self {
            verifier: Verifier::new(any_number.unwrap_or_else(|_| trust.clone())),
            least: trust.revocation().least,
            below_least: 0,
            in_force: None,
            told: BTreeSet::new(),
            missing: 0,
        }
    }

    /// Takes a `lease.revoked` record. Its list, where it is at hand, is held to what the record states and to the trust
    /// file's revokers at that time.
    pub(crate) fn learn(&mut self, record: &Record, stored: Stored<'_>) -> Result<(), RecordFault> {
        let stated: LeaseRevoked = record.body()?;
        let Some(envelope) = stored.envelope(&stated.envelope, "AUDIT-LIST")? else {
            self.missing += 1;
            self.hear(&stated);
            return Ok(());
        };
        let list = RevocationList::read(envelope).map_err(|error| refused(&error))?;
        let says = (list.id(), list.number(), list.issued(), list.next_update());
        if says
            != (
                stated.list,
                stated.number,
                stated.issued,
                stated.next_update,
            )
            || list.ids().len() as u64 != stated.total
            || !stated.new.iter().all(|id| list.contains(id))
        {
            return Err(bad(
                "the list is another one than the record states".to_owned()
            ));
        }
        let list = Revocations::of(list);
        // No lease is asked about: what is left are signatures and time.
        self.verifier
            .check_revocations(&list, &[], record.time)
            .map_err(|error| refused(&error))?;
        self.in_force = Some(list);
        self.told.clear();
        Ok(())
    }

    /// Whether a lease of these ids may have been verified at this time against the list that is stated. `here`: under the
    /// trust file of this check, whose rules on revocation then hold.
    pub(crate) fn check(
        &mut self,
        stated: Option<&ListSeen>,
        chain: &[Digest],
        at: Timestamp,
        here: bool,
    ) -> Result<(), RecordFault> {
        if let Some(lease) = chain.iter().find(|lease| self.revokes(lease)) {
            return Err(revoked(lease));
        }
        let below = stated.is_some_and(|stated| here && stated.number < self.least);
        self.below_least += u64::from(below);
        let in_force = self.in_force.as_ref();
        let at_hand = in_force.filter(|list| list.list().map(number_and_id) == stated.copied());
        match (stated, at_hand) {
            (None, _) if here => self.ask(&Revocations::none(), chain, at),
            (Some(_), Some(list)) if here => self.ask(list, chain, at),
            (Some(_), Some(list)) => match list.list() {
                Some(list) => list.check_time(at).map_err(|error| refused(&error)),
                None => Ok(()),
            },
            (Some(_), None) => {
                self.missing += 1;
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }

    /// Whether the list in force has this lease, as far as is known.
    pub(crate) fn revokes(&self, lease: &Digest) -> bool {
        match self.in_force.as_ref().and_then(Revocations::list) {
            Some(list) => list.contains(lease),
            None => self.told.contains(lease),
        }
    }

    /// Holds the chain of an intent to the list in force.
    pub(crate) fn check_call(&self, chain: &[Digest]) -> Result<(), RecordFault> {
        match chain.iter().find(|lease| self.revokes(lease)) {
            Some(lease) => Err(revoked(lease)),
            None => Ok(()),
        }
    }

    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    /// How many leases were checked against a list below the least number of the trust file.
    pub(crate) fn below_least(&self) -> u64 {
        self.below_least
    }

    fn ask(&self, list: &Revocations, chain: &[Digest], at: Timestamp) -> Result<(), RecordFault> {
        let asked = self.verifier.check_revocations(list, chain, at);
        asked.map(drop).map_err(|error| refused(&error))
    }

    /// Takes over from a record what it says of a list that is not at hand. Where that list has fewer ids than would be
    /// known then, some were taken off it, and which is not known.
    fn hear(&mut self, stated: &LeaseRevoked) {
        let before = self.in_force.take();
        if let Some(list) = before.as_ref().and_then(Revocations::list) {
            self.told = list.ids().iter().copied().collect();
        }
        self.told.extend(&stated.new);
        if self.told.len() as u64 > stated.total {
            self.told = stated.new.iter().copied().collect();
        }
    }
}

fn number_and_id(list: &RevocationList) -> ListSeen {
    ListSeen {
        list: list.id(),
        number: list.number(),
    }
}

fn revoked(lease: &Digest) -> RecordFault {
    RecordFault::new(
        "AUDIT-REVOKED",
        format!("lease {lease} is used after a list that revokes it was put in force"),
    )
}

fn refused(error: &dyn Coded) -> RecordFault {
    bad(format!(
        "the revocation list does not hold: {} ({error})",
        error.code()
    ))
}

fn bad(what: String) -> RecordFault {
    RecordFault::new("AUDIT-LIST", what)
}
