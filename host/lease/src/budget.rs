//! Budgets: what may be used under each lease of a chain in total.

use leasehold_seal::{Class, Digest};

use crate::chain::Hop;
use crate::refusal::Refusal;
use crate::rights::Rights;

/// The budget of one lease of a chain. Every call under the chain is charged to each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopBudget {
    /// Id of the lease that states it.
    pub lease: Digest,
    /// The most calls; `None`: as many as the other leases of the chain allow.
    pub uses: Option<u64>,
    /// The most fuel; `None`: as much as the other leases of the chain allow.
    pub fuel: Option<u64>,
}

impl HopBudget {
    /// The budgets that these leases state, in their order.
    pub(crate) fn all(hops: &[Hop]) -> Vec<Self> {
        let budget = |hop: &Hop| {
            let budget = hop.document().budget?;
            Some(Self {
                lease: hop.id(),
                uses: budget.uses,
                fuel: budget.fuel,
            })
        };
        hops.iter().filter_map(budget).collect()
    }

    /// Whether one more call that may use this much fuel is within it, after so many uses and so much fuel.
    fn check(&self, used: u64, burnt: u64, fuel: u64) -> Result<(), Refusal> {
        if let Some(most) = self.uses
            && used >= most
        {
            return Err(self.exhausted(format!("all of its {most} uses are spent")));
        }
        if let Some(most) = self.fuel {
            let left = most.saturating_sub(burnt);
            if fuel > left {
                let problem = format!(
                    "{left} of its {most} units of fuel are left, and the call reserves {fuel}"
                );
                return Err(self.exhausted(problem));
            }
        }
        Ok(())
    }

    fn exhausted(&self, problem: String) -> Refusal {
        let message = format!("the budget of the lease {} is spent: {problem}", self.lease);
        Refusal::new("BUDGET-EXHAUSTED", Class::Refused, message).with_hint(
            "`leasehold lease inspect FILE --tape` shows what is left; have a new lease issued",
        )
    }
}

impl Rights {
    /// Whether one more call, with all the fuel it may use, is within the budget of each lease of the chain. `account`
    /// tells what was charged to a lease so far: uses and fuel. To be decided where the tape is appended to, since only
    /// there nobody else can spend the same use.
    ///
    /// # Errors
    /// `BUDGET-EXHAUSTED`.
    pub fn check_budgets(&self, account: impl Fn(&Digest) -> (u64, u64)) -> Result<(), Refusal> {
        self.budgets().iter().try_for_each(|budget| {
            let (used, burnt) = account(&budget.lease);
            budget.check(used, burnt, self.limits().fuel)
        })
    }
}
