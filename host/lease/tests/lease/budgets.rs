//! Budgets: every call is charged to each lease of its chain.

use std::cell::Cell;
use std::collections::BTreeMap;

use leasehold_lease::{
    Audience, AudienceEntry, Budget, Holder, LeaseDoc, LimitsSpec, Rights, RightsSpec,
};
use leasehold_seal::{Class, Coded, Digest, Envelope};

use crate::common::*;
use crate::family::*;

/// What a tape would know: uses and fuel, by lease.
#[derive(Default)]
struct Account(BTreeMap<Digest, (u64, u64)>);

impl Account {
    fn of(&self, lease: &Digest) -> (u64, u64) {
        self.0.get(lease).copied().unwrap_or_default()
    }

    /// One call, charged to every lease of its chain; or why not.
    fn call(&mut self, rights: &Rights) -> Result<(), &'static str> {
        rights
            .check_budgets(|lease| self.of(lease))
            .map_err(|refusal| refusal.code())?;
        for lease in rights.chain() {
            let (uses, fuel) = self.of(lease);
            self.0
                .insert(*lease, (uses + 1, fuel + rights.limits().fuel));
        }
        Ok(())
    }
}

fn counted(uses: u64, fuel: u64) -> LeaseDoc {
    let here = AudienceEntry {
        host: host_id(),
        tape: Some(tape()),
    };
    let mut lease = LeaseDoc {
        audience: Audience::Hosts(vec![here]),
        budget: Some(Budget {
            uses: Some(uses),
            fuel: Some(fuel),
        }),
        ..root()
    };
    lease.grants[0].limits.fuel = 10;
    lease
}

fn rights(chain: &[Envelope]) -> Rights {
    verify_chain(chain).unwrap().rights("docs-toc").unwrap()
}

fn child_with(root: &LeaseDoc, nonce: &str, budget: Option<Budget>) -> Rights {
    rights(&pair(root, |child| {
        child.nonce = nonce.repeat(16);
        child.budget = budget;
    }))
}

#[test]
fn uses_run_out() {
    let lease = LeaseDoc {
        holder: Holder::None,
        ..counted(3, 1_000)
    };
    let rights = rights(&[signed(&lease)]);
    let mut account = Account::default();
    for _ in 0..3 {
        account.call(&rights).unwrap();
    }
    assert_eq!(account.call(&rights), Err("BUDGET-EXHAUSTED"));
    let refusal = rights.check_budgets(|lease| account.of(lease)).unwrap_err();
    assert_eq!(refusal.class(), Class::Refused);
    let message = refusal.to_string();
    assert!(
        message.contains(&rights.chain()[0].to_string()),
        "{message}"
    );
    assert!(message.contains("all of its 3 uses"), "{message}");
}

#[test]
fn fuel_runs_out() {
    let lease = LeaseDoc {
        holder: Holder::None,
        ..counted(1_000, 25)
    };
    let rights = rights(&[signed(&lease)]);
    let mut account = Account::default();
    account.call(&rights).unwrap();
    account.call(&rights).unwrap();
    // Five units are left, and a call reserves ten; a narrower one is still good.
    let refusal = rights.check_budgets(|lease| account.of(lease)).unwrap_err();
    assert!(refusal.to_string().contains("5 of its 25"), "{refusal}");
    let mut less = all_but_fuel(&rights);
    less.limits.fuel = Some(5);
    let narrow = rights.narrow(&less).unwrap();
    assert_eq!(narrow.budgets(), rights.budgets());
    account.call(&narrow).unwrap();
    assert_eq!(account.call(&narrow), Err("BUDGET-EXHAUSTED"));
}

fn all_but_fuel(rights: &Rights) -> RightsSpec {
    RightsSpec {
        files: rights.files().clone(),
        args: rights.args().to_vec(),
        limits: LimitsSpec::default(),
        ..RightsSpec::default()
    }
}

/// Two children of a ten-use parent have ten uses together.
#[test]
fn children_share_what_their_parent_has() {
    let parent = counted(10, 1_000_000);
    let some = |uses| {
        Some(Budget {
            uses: Some(uses),
            fuel: None,
        })
    };
    let (one, two) = (
        child_with(&parent, "a", some(10)),
        child_with(&parent, "b", some(6)),
    );
    let unstated = child_with(&parent, "c", None);
    let mut account = Account::default();
    for _ in 0..6 {
        account.call(&two).unwrap();
    }
    assert_eq!(account.call(&two), Err("BUDGET-EXHAUSTED"), "its own six");
    for _ in 0..3 {
        account.call(&one).unwrap();
    }
    account.call(&unstated).unwrap();
    // Ten are spent, though the first child has used only three of its ten.
    for rights in [&one, &two, &unstated] {
        assert_eq!(account.call(rights), Err("BUDGET-EXHAUSTED"));
    }
    // The twin: with a parent of more.
    let parent = counted(11, 1_000_000);
    let one = child_with(&parent, "a", some(11));
    let mut account = Account::default();
    for _ in 0..11 {
        account.call(&one).unwrap();
    }
    assert_eq!(account.call(&one), Err("BUDGET-EXHAUSTED"));
}

#[test]
fn without_a_budget_nothing_is_asked_of_the_account() {
    let asked = Cell::new(0);
    let rights = rights(&pair(&root(), |_| {}));
    assert!(rights.budgets().is_empty());
    let account = |_: &Digest| {
        asked.set(asked.get() + 1);
        (u64::MAX, u64::MAX)
    };
    rights.check_budgets(account).unwrap();
    assert_eq!(asked.get(), 0);
}

#[test]
fn form_of_a_budget() {
    let tape = tape();
    let entry = |tape| AudienceEntry {
        host: host_id(),
        tape,
    };
    let with = |uses, fuel, audience: Audience| LeaseDoc {
        audience,
        budget: Some(Budget { uses, fuel }),
        ..document()
    };
    let here = || Audience::Hosts(vec![entry(Some(tape))]);
    let most = (1 << 53) - 1;
    for (uses, fuel) in [(1, 1), (10, most), (most, 10)] {
        let lease = with(Some(uses), Some(fuel), here());
        let envelope = lease.sign(&[&issuer()]).unwrap();
        let verified = verify_root(&envelope, &trust(), &host_id(), Some(&tape), now()).unwrap();
        let rights = verified.rights("docs-toc").unwrap();
        let [budget] = rights.budgets() else {
            panic!("{:?}", rights.budgets());
        };
        assert_eq!(
            (budget.lease, budget.uses, budget.fuel),
            (envelope.id(), Some(uses), Some(fuel))
        );
        // On another tape, or on none, the count would begin anew.
        for elsewhere in [None, Some(Digest::of(b"fresh"))] {
            let refused = verify_root(&envelope, &trust(), &host_id(), elsewhere.as_ref(), now());
            assert_eq!(code(refused), "LEASE-AUDIENCE");
        }
    }
    for (uses, fuel) in [
        (None, Some(1)),
        (Some(1), None),
        (None, None),
        (Some(0), Some(1)),
    ] {
        assert_eq!(
            code(with(uses, fuel, here()).validate()),
            "LEASE-FORMAT",
            "{uses:?} {fuel:?}"
        );
    }
    for audience in [
        Audience::Any,
        Audience::Hosts(vec![]),
        Audience::Hosts(vec![entry(None)]),
        Audience::Hosts(vec![entry(Some(tape)), entry(Some(tape))]),
    ] {
        let lease = with(Some(1), Some(1), audience);
        assert_eq!(code(lease.validate()), "LEASE-FORMAT");
    }
    assert_eq!(
        code(with(Some(most + 1), Some(1), here()).validate()),
        "LEASE-FORMAT"
    );
}
