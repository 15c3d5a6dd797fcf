//! The rules of narrowing as a property: what a child may do, its parent may do. And a check of that check: with any one
//! rule broken, the property fails.
//!
//! `PROPTEST_CASES` sets the number of cases; without it there are few enough to be fast.

mod broken;
mod make;
mod requests;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use super::{Containment, Strict};
use crate::chain::Hop;
use make::Dice;

/// With the rules as they are, no request passes a child that does not pass its parent. Enough children are accepted, and
/// enough refused, for that to mean something.
#[test]
fn what_a_child_may_do_its_parent_may_do() {
    let cases = cases(3_000);
    let (accepted, refused) = (Cell::new(0_u32), Cell::new(0_u32));
    let outcome = run(cases, 1_000, |dice| {
        let count = match try_child::<Strict>(dice)? {
            true => &accepted,
            false => &refused,
        };
        count.set(count.get() + 1);
        Ok(())
    });
    outcome.unwrap();
    assert!(accepted.get() > cases / 10, "{} accepted", accepted.get());
    assert!(refused.get() > cases / 10, "{} refused", refused.get());
}

/// The same over three leases: what is left out in the middle still holds.
#[test]
fn what_a_grandchild_may_do_the_root_may_do() {
    let cases = cases(3_000);
    let accepted = Cell::new(0_u32);
    let outcome = run(cases, 1_000, |dice| {
        let root = Hop::root(make::id(0), make::root(dice));
        let child = make::child(root.document(), make::id(0), dice);
        let Ok(middle) = Hop::below::<Strict>(&root, make::id(1), child) else {
            return Ok(());
        };
        let child = make::child(middle.document(), make::id(1), dice);
        if let Ok(leaf) = Hop::below::<Strict>(&middle, make::id(2), child) {
            accepted.set(accepted.get() + 1);
            requests::compare(&[leaf, middle, root.clone()])?;
        }
        Ok(())
    });
    outcome.unwrap();
    assert!(accepted.get() > cases / 50, "{} accepted", accepted.get());
}

/// Every broken rule is found out: the property that holds for [`Strict`] fails for it.
#[test]
fn a_broken_rule_is_found_out() {
    for (name, is_found_out) in broken::RULES {
        assert!(is_found_out(), "{name} is not found out");
    }
}

/// Whether the property fails for these rules.
fn is_found_out<C: Containment>() -> bool {
    let outcome = run(cases(30_000), 0, |dice| try_child::<C>(dice).map(drop));
    matches!(outcome, Err(TestError::Fail(..)))
}

/// Makes a parent and a child. `Ok(false)`: the child was refused. An error: it was accepted and may do more than its
/// parent.
fn try_child<C: Containment>(dice: &mut Dice) -> Result<bool, TestCaseError> {
    let root = Hop::root(make::id(0), make::root(dice));
    let child = make::child(root.document(), make::id(0), dice);
    let Ok(leaf) = Hop::below::<C>(&root, make::id(1), child) else {
        return Ok(false);
    };
    requests::compare(&[leaf, root.clone()])?;
    Ok(true)
}

fn run(
    cases: u32,
    shrinks: u32,
    property: impl Fn(&mut Dice) -> Result<(), TestCaseError>,
) -> Result<(), TestError<Vec<u8>>> {
    let config = Config {
        cases,
        max_shrink_iters: shrinks,
        failure_persistence: None,
        ..Config::default()
    };
    // Always the same cases: whether a broken rule is found out must not be a matter of luck.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let throws = prop::collection::vec(any::<u8>(), 512);
    TestRunner::new_with_rng(config, rng).run(&throws, |throws| property(&mut Dice::new(throws)))
}

fn cases(otherwise: u32) -> u32 {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Config::default().cases.max(otherwise),
        None => otherwise,
    }
}
