//! Budgets of leases against what was charged to them.

use std::collections::BTreeMap;

use leasehold_lease::Hop;
use leasehold_seal::Digest;
use leasehold_tape::call::Intent;
use leasehold_tape::{Ledger, RecordFault};

use crate::report::{Budgeted, Spent};

/// The budgets of the leases whose documents were seen.
#[derive(Debug, Default)]
pub(crate) struct Budgets {
    known: BTreeMap<Digest, Most>,
}

/// What one lease states.
#[derive(Clone, Copy, Debug)]
struct Most {
    uses: Option<u64>,
    fuel: Option<u64>,
}

impl Budgets {
    /// Remembers the budgets of a chain.
    pub(crate) fn learn(&mut self, hops: &[Hop]) {
        for hop in hops {
            if let Some(budget) = &hop.document().budget {
                let (uses, fuel) = (budget.uses, budget.fuel);
                self.known.insert(hop.id(), Most { uses, fuel });
            }
        }
    }

    /// Whether what an intent takes was left, by the ledger before it. A lease with a budget is charged by each call.
    pub(crate) fn check(&self, intent: &Intent, ledger: &Ledger) -> Result<(), RecordFault> {
        for lease in &intent.lease {
            let Some(most) = self.known.get(lease) else {
                continue;
            };
            let charge = intent.charges.iter().find(|charge| charge.lease == *lease);
            let Some(charge) = charge else {
                return Err(spent(format!(
                    "lease {lease} has a budget, and the call {} is not charged to it",
                    intent.call
                )));
            };
            let account = ledger.account(lease);
            let figures = [
                ("uses", most.uses, account.uses, charge.uses),
                ("units of fuel", most.fuel, account.fuel, charge.fuel),
            ];
            for (what, most, before, more) in figures {
                if let Some(most) = most
                    && before.saturating_add(more) > most
                {
                    return Err(spent(format!(
                        "lease {lease} has {most} {what}, {before} were taken, and the call {} takes {more}",
                        intent.call
                    )));
                }
            }
        }
        Ok(())
    }

    /// What was taken of each.
    pub(crate) fn report(&self, ledger: &Ledger) -> BTreeMap<Digest, Budgeted> {
        let budgeted = |(lease, most): (&Digest, &Most)| {
            let account = ledger.account(lease);
            let (uses, fuel) = (account.uses, account.fuel);
            let spent = |of, spent| Spent { of, spent };
            let budgeted = Budgeted {
                fuel: spent(most.fuel, fuel),
                uses: spent(most.uses, uses),
            };
            (*lease, budgeted)
        };
        self.known.iter().map(budgeted).collect()
    }
}

fn spent(what: String) -> RecordFault {
    RecordFault::new("AUDIT-BUDGET", what)
}
