//! What was taken from each lease, and what may not come again: a fold over the records, nothing more.
//!
//! An intent takes its charges in full. An outcome that returned or exited gives back the fuel that
//! was not used; any other ending, and an intent without outcome, stays spent in full. A call is charged to every lease of
//! its chain, so each of them has an account.
//!
//! Of revocation lists the highest number counts, whether it was put in force or a lease was checked against it. Nonces of
//! presentations are known until no record could present them any more.

use std::collections::{HashMap, HashSet};

use leasehold_seal::{Coded as _, Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::call::{Charge, call_id_fits};
use crate::draft::{Draft, Effect};
use crate::error::TapeError;
use crate::lease::{ListSeen, MAX_PRESENTATION_MS};
use crate::nonces::Nonces;
use crate::record::{Record, RecordFault};

/// How far, in milliseconds, a record's time may lie before the latest one on the tape.
pub const CLOCK_TOLERANCE_MS: i64 = 300_000;

/// What one lease has been charged on this tape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Uses taken.
    pub uses: u64,
    /// Fuel used or still reserved.
    pub fuel: u64,
    /// When the lease ends, if the tape says so.
    pub expires: Option<Timestamp>,
}

/// The accounts of all live leases, the calls without an outcome, the latest revocation list and the nonces of presentations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    accounts: HashMap<Digest, Account>,
    open: HashMap<String, Vec<Charge>>,
    list: Option<ListSeen>,
    nonces: Nonces,
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// The account of a lease; all zero when it was never charged.
    pub fn account(&self, lease: &Digest) -> Account {
        self.accounts.get(lease).copied().unwrap_or_default()
    }

    /// All accounts, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = (&Digest, &Account)> {
        self.accounts.iter()
    }

    /// Calls with an intent and no outcome yet, in no order.
    pub fn open_calls(&self) -> impl Iterator<Item = &str> {
        self.open.keys().map(String::as_str)
    }

    /// How many calls have an intent and no outcome.
    pub fn open_count(&self) -> u64 {
        self.open.len() as u64
    }

    /// What an open call has reserved.
    pub fn charges(&self, call: &str) -> Option<&[Charge]> {
        self.open.get(call).map(Vec::as_slice)
    }

    /// The latest revocation list of the tape, by number.
    pub fn revocations(&self) -> Option<&ListSeen> {
        self.list.as_ref()
    }

    /// Whether a lease that was checked against this list, or against none, may be used after what the tape has seen.
    ///
    /// # Errors
    /// `REVOCATION-OLD`, `REVOCATION-FORK`, and `REVOCATION-MISSING` where there is none and the tape has seen one.
    pub fn check_list(&self, list: Option<&ListSeen>) -> Result<(), TapeError> {
        check_list(list, self.list.as_ref())
    }

    /// Whether a presentation with this nonce served already. `false` also for one that ended more than
    /// [`CLOCK_TOLERANCE_MS`] ago: no record takes it any more.
    pub fn knows_presentation(&self, nonce: &str) -> bool {
        self.nonces.has(nonce)
    }

    /// Takes a record into account.
    ///
    /// # Errors
    /// `RECORD-BODY`; `AUDIT-OUTCOME`, `AUDIT-INTENT` or `AUDIT-EFFECT` for an outcome or a request without open intent and
    /// an intent whose call is already open; `REVOCATION-OLD`, `REVOCATION-FORK`, `REVOCATION-MISSING`,
    /// `PRESENTATION-REPLAYED`, `PRESENTATION-EXPIRED`. The ledger is unchanged then.
    pub fn apply(&mut self, record: &Record) -> Result<(), RecordFault> {
        if let Some(effect) = self.admitted(record)? {
            self.fold(&effect);
        }
        Ok(())
    }

    /// Whether [`Ledger::apply`] would take a record.
    ///
    /// # Errors
    /// Those of [`Ledger::apply`].
    pub fn check_record(&self, record: &Record) -> Result<(), RecordFault> {
        self.admitted(record).map(drop)
    }

    /// The effect of a record that may follow.
    fn admitted(&self, record: &Record) -> Result<Option<Effect>, RecordFault> {
        let effect = Effect::of(&record.kind, record.body_bytes())?;
        if let Some(effect) = &effect {
            Batch::new(self)
                .admit(effect, record.time)
                .map_err(|error| RecordFault::new(code(effect, &error), error.to_string()))?;
        }
        Ok(effect)
    }

    /// Forgets leases and presentations that ended so long ago that no record can name them any more.
    pub fn forget_expired(&mut self, latest: Timestamp) {
        self.forget_presentations(latest);
        self.accounts.retain(|_, account| {
            account
                .expires
                .is_none_or(|expires| latest.millis_since(expires) <= CLOCK_TOLERANCE_MS)
        });
    }

    /// Forgets presentations that ended so long ago that no record can name them any more.
    pub fn forget_presentations(&mut self, latest: Timestamp) {
        self.nonces.forget(latest);
    }

    /// Whether a batch fits at this time: no outcome or request without an open intent, no intent twice, no call id of
    /// another time; no revocation list older than one before it, no presentation twice.
    pub(crate) fn check(&self, drafts: &[Draft], now: Timestamp) -> Result<(), TapeError> {
        let mut batch = Batch::new(self);
        for effect in drafts.iter().filter_map(Draft::effect) {
            batch.admit(effect, now)?;
            if let Effect::Intent { call, .. } = effect
                && !call_id_fits(call, now)
            {
                return Err(TapeError::Body(format!(
                    "call id {call} was not made within 300 s of its intent at {now}"
                )));
            }
            if drafts.len() > 1 {
                batch.take(effect);
            }
        }
        Ok(())
    }

    /// How many calls are open after a batch that fits.
    pub(crate) fn open_after(&self, drafts: &[Draft]) -> u64 {
        let effects = drafts.iter().filter_map(Draft::effect);
        effects.fold(self.open_count(), |open, effect| match effect {
            Effect::Intent { .. } => open + 1,
            Effect::Outcome { .. } => open.saturating_sub(1),
            Effect::Lease { .. } | Effect::List(_) | Effect::Http { .. } => open,
        })
    }

    /// Takes in an effect that was admitted.
    pub(crate) fn fold(&mut self, effect: &Effect) {
        match effect {
            Effect::Intent { call, charges } => {
                for charge in charges {
                    let account = self.accounts.entry(charge.lease).or_default();
                    account.uses = account.uses.saturating_add(charge.uses);
                    account.fuel = account.fuel.saturating_add(charge.fuel);
                }
                self.open.insert(call.clone(), charges.clone());
            }
            Effect::Outcome {
                call,
                fuel,
                settles,
            } => {
                let charges = self.open.remove(call).unwrap_or_default();
                for charge in charges.iter().filter(|_| *settles) {
                    if let Some(account) = self.accounts.get_mut(&charge.lease) {
                        let unused = charge.fuel.saturating_sub(*fuel);
                        account.fuel = account.fuel.saturating_sub(unused);
                    }
                }
            }
            Effect::Lease {
                lease,
                expires,
                presentation,
                list,
            } => {
                self.accounts.entry(*lease).or_default().expires = Some(*expires);
                if let Some((nonce, expires)) = presentation {
                    self.nonces.insert(nonce, *expires);
                }
                self.list = list.or(self.list);
            }
            // What was admitted is no older than the list before it.
            Effect::List(list) => self.list = Some(*list),
            Effect::Http { .. } => {}
        }
    }

    pub(crate) fn from_parts(
        accounts: HashMap<Digest, Account>,
        open: HashMap<String, Vec<Charge>>,
        list: Option<ListSeen>,
        nonces: Nonces,
    ) -> Self {
        Self {
            accounts,
            open,
            list,
            nonces,
        }
    }

    pub(crate) fn presentations(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.nonces.all()
    }

    pub(crate) fn open_charges(&self) -> impl Iterator<Item = (&str, &[Charge])> {
        self.open
            .iter()
            .map(|(call, charges)| (call.as_str(), charges.as_slice()))
    }
}

/// The ledger, and the effects of a batch on top of it.
struct Batch<'a> {
    ledger: &'a Ledger,
    calls: HashMap<&'a str, Option<&'a [Charge]>>,
    list: Option<ListSeen>,
    nonces: HashSet<&'a str>,
}

impl<'a> Batch<'a> {
    fn new(ledger: &'a Ledger) -> Self {
        Batch {
            ledger,
            calls: HashMap::new(),
            list: ledger.list,
            nonces: HashSet::new(),
        }
    }

    /// Whether an effect may follow at this time.
    fn admit(&self, effect: &Effect, now: Timestamp) -> Result<(), TapeError> {
        match effect {
            Effect::Intent { call, .. } => match self.charges(call) {
                Some(_) => Err(TapeError::CallRepeated(call.clone())),
                None => Ok(()),
            },
            Effect::Outcome { call, fuel, .. } => {
                let charges = self.open(call)?;
                match charges.iter().find(|charge| *fuel > charge.fuel) {
                    Some(charge) => Err(TapeError::Body(format!(
                        "call {call} used {fuel} units of fuel, {} were charged",
                        charge.fuel
                    ))),
                    None => Ok(()),
                }
            }
            Effect::Http { call } => self.open(call).map(|_| ()),
            Effect::List(list) => check_list(Some(list), self.list.as_ref()),
            Effect::Lease {
                presentation, list, ..
            } => {
                check_list(list.as_ref(), self.list.as_ref())?;
                match presentation {
                    Some((nonce, expires)) => self.presented(nonce, *expires, now),
                    None => Ok(()),
                }
            }
        }
    }

    /// Takes in an effect that was admitted, for those that follow it.
    fn take(&mut self, effect: &'a Effect) {
        match effect {
            Effect::Intent { call, charges } => {
                self.calls.insert(call, Some(charges));
            }
            Effect::Outcome { call, .. } => {
                self.calls.insert(call, None);
            }
            Effect::Lease {
                presentation, list, ..
            } => {
                self.list = list.or(self.list);
                self.nonces
                    .extend(presentation.iter().map(|(nonce, _)| nonce.as_str()));
            }
            Effect::List(list) => self.list = Some(*list),
            Effect::Http { .. } => {}
        }
    }

    /// The charges of a call, while it is open.
    fn charges(&self, call: &str) -> Option<&'a [Charge]> {
        match self.calls.get(call) {
            Some(charges) => *charges,
            None => self.ledger.charges(call),
        }
    }

    fn open(&self, call: &str) -> Result<&'a [Charge], TapeError> {
        self.charges(call)
            .ok_or_else(|| TapeError::CallUnknown(call.to_owned()))
    }

    fn presented(&self, nonce: &str, expires: Timestamp, now: Timestamp) -> Result<(), TapeError> {
        if self.ledger.nonces.has(nonce) || self.nonces.contains(nonce) {
            return Err(TapeError::PresentationReplayed(nonce.to_owned()));
        }
        match expires.millis_since(now) {
            left if left <= 0 => Err(TapeError::PresentationExpired { expires, now }),
            left if left > MAX_PRESENTATION_MS => Err(TapeError::Body(format!(
                "a presentation until {expires} is too long at {now}"
            ))),
            _ => Ok(()),
        }
    }
}

/// Whether a list may follow what the tape has seen.
fn check_list(list: Option<&ListSeen>, seen: Option<&ListSeen>) -> Result<(), TapeError> {
    match (list, seen) {
        (_, None) => Ok(()),
        (None, Some(seen)) => Err(TapeError::RevocationMissing { known: seen.number }),
        (Some(list), Some(seen)) if list.number < seen.number => Err(TapeError::RevocationOld {
            given: list.number,
            known: seen.number,
        }),
        (Some(list), Some(seen)) if list.number == seen.number && list.list != seen.list => {
            Err(TapeError::RevocationFork {
                number: list.number,
                given: list.list,
                known: seen.list,
            })
        }
        _ => Ok(()),
    }
}

/// What an auditor calls it when an effect on the tape should not have been admitted.
fn code(effect: &Effect, error: &TapeError) -> &'static str {
    match (effect, error) {
        (Effect::Intent { .. }, _) => "AUDIT-INTENT",
        (Effect::Outcome { .. }, _) => "AUDIT-OUTCOME",
        (Effect::Http { .. }, _) => "AUDIT-EFFECT",
        (Effect::Lease { .. } | Effect::List(_), error) => error.code(),
    }
}
