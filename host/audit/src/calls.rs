//! Intents and outcomes: pairs, ids, charges; and the requests between them.

use std::collections::{BTreeSet, HashMap, HashSet};

use leasehold_seal::{Digest, Timestamp};
use leasehold_tape::call::{Intent, Outcome, call_id_fits, parse_call_id};
use leasehold_tape::ledger::CLOCK_TOLERANCE_MS;
use leasehold_tape::{EffectHttp, EffectHttpAnswered, Ledger, Record, RecordFault};

use crate::requests::Requests;

/// The ids of the calls so far.
///
/// A call id carries its time, which must be that of its intent within the tolerance, and record times
/// never fall back by more than the tolerance. So an id can be forgotten once the tape is two
/// tolerances past it: no record from there on could carry it. Ids of another form are kept for good.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    recent: BTreeSet<u128>,
    odd: HashSet<String>,
    /// Calls without an outcome.
    open: HashMap<String, Open>,
}

/// A call without an outcome.
#[derive(Debug)]
struct Open {
    /// What its outcome has to name: the leaf of the intent's record, and the lease.
    named: (Digest, Option<Digest>),
    requests: Requests,
}

impl Calls {
    /// Checks an intent's id and charges.
    pub(crate) fn begin(
        &mut self,
        record: &Record,
        latest: Option<Timestamp>,
    ) -> Result<Intent, RecordFault> {
        let intent: Intent = record.body()?;
        if !call_id_fits(&intent.call, record.time) {
            return Err(RecordFault::new(
                "AUDIT-INTENT",
                format!(
                    "call id {} was not made within 300 s of its intent",
                    intent.call
                ),
            ));
        }
        if !self.remember(&intent.call) {
            return Err(RecordFault::new(
                "AUDIT-INTENT",
                format!("call {} has an intent already", intent.call),
            ));
        }
        check_charges(&intent)?;
        let open = Open {
            named: (record.leaf(), intent.lease.first().copied()),
            requests: Requests::new(intent.effects),
        };
        self.open.insert(intent.call.clone(), open);
        self.forget(latest.unwrap_or(record.time));
        Ok(intent)
    }

    /// Checks an outcome against its intent: what it names of it, and its charges.
    pub(crate) fn end(&mut self, record: &Record, ledger: &Ledger) -> Result<(), RecordFault> {
        let outcome: Outcome = record.body()?;
        let named = (outcome.intent, outcome.lease);
        if self
            .open
            .remove(&outcome.call)
            .is_some_and(|own| own.named != named)
        {
            return Err(RecordFault::new(
                "AUDIT-OUTCOME",
                format!(
                    "the outcome of call {} names another intent or lease than the call has",
                    outcome.call
                ),
            ));
        }
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

    /// The requests of an open call.
    pub(crate) fn requests(&mut self, call: &str) -> Result<&mut Requests, RecordFault> {
        let open = self.open.get_mut(call).map(|open| &mut open.requests);
        open.ok_or_else(|| {
            RecordFault::new(
                "AUDIT-EFFECT",
                format!(
                    "a request belongs to call {call}, which has no intent, or an outcome already"
                ),
            )
        })
    }

    /// Takes an `effect.http` record; `false` when nothing at hand shows that its grant allows it.
    pub(crate) fn send(&mut self, record: &Record) -> Result<bool, RecordFault> {
        let request: EffectHttp = record.body()?;
        self.requests(&request.call)?.send(&request)
    }

    /// Takes an `effect.http-answered` record.
    pub(crate) fn answer(&mut self, record: &Record) -> Result<(), RecordFault> {
        let answer: EffectHttpAnswered = record.body()?;
        self.requests(&answer.call)?.answer(&answer)
    }

    /// `false` when the id is known.
    fn remember(&mut self, call: &str) -> bool {
        match parse_call_id(call) {
            Some((id, _)) => self.recent.insert(id),
            None => self.odd.insert(call.to_owned()),
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
    fn an_id_is_remembered_as_long_as_a_record_could_carry_it_and_no_longer() {
        let at = |millis: i64| Timestamp::from_millis(1_767_225_600_000 + millis).unwrap();
        let id = new_call_id(at(0), [1; 10]);
        // The last moment at which it fits, on a tape that is as far ahead of it as may be.
        let (last, furthest) = (at(CLOCK_TOLERANCE_MS), at(2 * CLOCK_TOLERANCE_MS));
        assert!(call_id_fits(&id, last));
        assert!(!call_id_fits(&id, at(CLOCK_TOLERANCE_MS + 1)));
        let mut calls = Calls::default();
        assert!(calls.remember(&id));
        calls.forget(furthest);
        assert!(!calls.remember(&id));
        calls.forget(at(2 * CLOCK_TOLERANCE_MS + 1));
        assert!(calls.recent.is_empty());
        assert!(calls.remember("odd-one"));
        calls.forget(at(1_000_000_000));
        assert!(!calls.remember("odd-one"));
    }

    #[test]
    fn many_calls_over_a_long_time_take_bounded_memory() {
        let at = |millis: i64| Timestamp::from_millis(1_767_225_600_000 + millis).unwrap();
        let mut calls = Calls::default();
        for second in 0..10_000 {
            assert!(calls.remember(&new_call_id(at(second * 1000), [1; 10])));
            calls.forget(at(second * 1000));
        }
        assert!(calls.recent.len() <= 601, "{}", calls.recent.len());
    }
}
