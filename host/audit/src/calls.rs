//! Intents and outcomes: pairs, ids, charges.

use std::collections::{BTreeSet, HashSet};

use leasehold_seal::Timestamp;
use leasehold_tape::call::{Intent, Outcome, parse_call_id};
use leasehold_tape::ledger::CLOCK_TOLERANCE_MS;
use leasehold_tape::{Ledger, Record, RecordFault};

/// The ids of the calls so far.
///
/// A call id carries its time, and record times never fall back by more than the tolerance. So an id
/// made at the time of its intent can be forgotten once the tape is two tolerances further: a second
/// intent with it would have to lie in the past. Ids without a fitting time are kept.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    recent: BTreeSet<u128>,
    odd: HashSet<String>,
}

impl Calls {
    /// Checks an intent's id and charges.
    pub(crate) fn begin(
        &mut self,
        record: &Record,
        latest: Option<Timestamp>,
    ) -> Result<Intent, RecordFault> {
        let intent: Intent = record.body()?;
        if !self.remember(&intent.call, record.time) {
            return Err(RecordFault::new(
                "AUDIT-INTENT",
                format!("call {} has an intent already", intent.call),
            ));
        }
        check_charges(&intent)?;
        self.forget(latest.unwrap_or(record.time));
        Ok(intent)
    }

    /// Checks an outcome against the charges of its intent.
    pub(crate) fn end(&self, record: &Record, ledger: &Ledger) -> Result<(), RecordFault> {
        let outcome: Outcome = record.body()?;
        let charges = ledger.charges(&outcome.call).ok_or_else(|| {
            RecordFault::new(
                "AUDIT-OUTCOME",
                format!("call {} has no intent, or an outcome already", outcome.call),
            )
        })?;
        match charges.iter().find(|charge| outcome.fuel > charge.fuel) {
            Some(charge) => Err(RecordFault::new(
                "AUDIT-FUEL",
                format!(
                    "call {} used {} units of fuel, {} were charged",
                    outcome.call, outcome.fuel, charge.fuel
                ),
            )),
            None => Ok(()),
        }
    }

    /// `false` when the id is known.
    fn remember(&mut self, call: &str, time: Timestamp) -> bool {
        match parse_call_id(call) {
            Some((id, made)) if time.millis_since(made).abs() <= CLOCK_TOLERANCE_MS => {
                self.recent.insert(id)
            }
            _ => self.odd.insert(call.to_owned()),
        }
    }

    fn forget(&mut self, latest: Timestamp) {
        let cut = latest.as_millis().saturating_sub(2 * CLOCK_TOLERANCE_MS);
        let Ok(cut) = u128::try_from(cut) else { return };
        // The time is the upper 48 of an id's 128 bits.
        while self.recent.first().is_some_and(|id| *id < cut << 80) {
            self.recent.pop_first();
        }
    }
}

/// Charges are those of an uncounted call, or one for each lease of the chain, in its order, all with
/// the same fuel and one use.
fn check_charges(intent: &Intent) -> Result<(), RecordFault> {
    if intent.lease.is_empty() {
        return Err(RecordFault::new(
            "AUDIT-INTENT",
            "the intent names no lease",
        ));
    }
    let leases = intent.charges.iter().map(|charge| &charge.lease);
    let fuel = intent.charges.first().map(|charge| charge.fuel);
    let even = intent
        .charges
        .iter()
        .all(|charge| charge.uses == 1 && Some(charge.fuel) == fuel);
    if intent.charges.is_empty() || (leases.eq(&intent.lease) && even) {
        return Ok(());
    }
    Err(RecordFault::new(
        "AUDIT-CHARGE",
        "the charges are not one use and the same fuel for each lease of the chain",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use leasehold_tape::call::new_call_id;

    #[test]
    fn ids_are_forgotten_only_when_they_cannot_come_again() {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        let mut calls = Calls::default();
        let start = 1_767_225_600_000;
        for n in 0..10_000_i64 {
            let now = at(start + n * 1000);
            let id = new_call_id(now, [1; 10]);
            assert!(calls.remember(&id, now));
            assert!(!calls.remember(&id, now));
            // The latest time from which a record with this time is still allowed.
            calls.forget(at(start + n * 1000 + CLOCK_TOLERANCE_MS));
            assert!(!calls.remember(&id, at(start + n * 1000 + CLOCK_TOLERANCE_MS)));
            calls.forget(now);
        }
        assert!(calls.recent.len() <= 601);
        assert!(calls.odd.is_empty());
        assert!(calls.remember("odd-one", at(start)));
        assert!(!calls.remember("odd-one", at(start)));
        let stale = new_call_id(at(1000), [1; 10]);
        assert!(calls.remember(&stale, at(start)));
        calls.forget(at(start + 100_000_000));
        assert!(!calls.remember(&stale, at(start + 100_000_000)));
    }
}
