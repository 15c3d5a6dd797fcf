//! What was taken from each lease: a fold over the records, nothing more.
//!
//! An intent takes its charges in full. An outcome that returned or exited gives back the fuel that
//! was not used; any other ending, and an intent without outcome, stays spent in full.

use std::collections::HashMap;

use leasehold_seal::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::call::{Charge, call_id_fits};
use crate::draft::{Draft, Effect};
use crate::error::TapeError;
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

/// The accounts of all live leases, and the calls without an outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    accounts: HashMap<Digest, Account>,
    open: HashMap<String, Vec<Charge>>,
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

    /// Takes a record into account.
    ///
    /// # Errors
    /// `RECORD-BODY`, or `AUDIT-OUTCOME` / `AUDIT-INTENT` for an outcome without open intent and an
    /// intent whose call is already open; the ledger is unchanged then.
    pub fn apply(&mut self, record: &Record) -> Result<(), RecordFault> {
        match Effect::of(&record.kind, record.body_bytes())? {
            None => Ok(()),
            Some(effect) => {
                let charges = effect.call().and_then(|call| self.charges(call));
                admit(&effect, charges).map_err(|error| {
                    let code = match error {
                        TapeError::CallRepeated(_) => "AUDIT-INTENT",
                        _ => "AUDIT-OUTCOME",
                    };
                    RecordFault::new(code, error.to_string())
                })?;
                self.fold(&effect);
                Ok(())
            }
        }
    }

    /// Forgets leases that ended so long ago that no record can name them any more.
    pub fn forget_expired(&mut self, latest: Timestamp) {
        self.accounts.retain(|_, account| {
            account
                .expires
                .is_none_or(|expires| latest.millis_since(expires) <= CLOCK_TOLERANCE_MS)
        });
    }

    /// Whether a batch fits at this time: no outcome without an open intent, no intent twice, no call
    /// id of another time.
    pub(crate) fn check(&self, drafts: &[Draft], now: Timestamp) -> Result<(), TapeError> {
        let mut batch: HashMap<&str, Option<&[Charge]>> = HashMap::new();
        for effect in drafts.iter().filter_map(Draft::effect) {
            let (call, after) = match effect {
                Effect::Intent { call, charges } => (call.as_str(), Some(charges.as_slice())),
                Effect::Outcome { call, .. } => (call.as_str(), None),
                Effect::Lease { .. } => continue,
            };
            let before = batch
                .get(call)
                .copied()
                .unwrap_or_else(|| self.charges(call));
            admit(effect, before)?;
            if after.is_some() && !call_id_fits(call, now) {
                return Err(TapeError::Body(format!(
                    "call id {call} was not made within 300 s of its intent at {now}"
                )));
            }
            if drafts.len() > 1 {
                batch.insert(call, after);
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
            Effect::Lease { .. } => open,
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
            Effect::Lease { lease, expires } => {
                self.accounts.entry(*lease).or_default().expires = Some(*expires);
            }
        }
    }

    pub(crate) fn from_parts(
        accounts: HashMap<Digest, Account>,
        open: HashMap<String, Vec<Charge>>,
    ) -> Self {
        Self { accounts, open }
    }

    pub(crate) fn open_charges(&self) -> impl Iterator<Item = (&str, &[Charge])> {
        self.open
            .iter()
            .map(|(call, charges)| (call.as_str(), charges.as_slice()))
    }
}

/// Whether an effect may follow; `charges` are those of the call while it is open.
fn admit(effect: &Effect, charges: Option<&[Charge]>) -> Result<(), TapeError> {
    match (effect, charges) {
        (Effect::Intent { call, .. }, Some(_)) => Err(TapeError::CallRepeated(call.clone())),
        (Effect::Outcome { call, .. }, None) => Err(TapeError::CallUnknown(call.clone())),
        (Effect::Outcome { call, fuel, .. }, Some(charges)) => {
            match charges.iter().find(|charge| *fuel > charge.fuel) {
                Some(charge) => Err(TapeError::Body(format!(
                    "call {call} used {fuel} units of fuel, {} were charged",
                    charge.fuel
                ))),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
