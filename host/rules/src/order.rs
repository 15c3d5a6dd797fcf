//! The order of steps, and cycles that leave them without one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::error::RulesError;
use crate::step::Step;
use crate::walk::Walk;

/// Positions of the steps, each after those it needs, otherwise in the order of the file. Steps on a cycle, and those that
/// need them, are left out and the cycles reported.
pub(crate) fn order(walk: &mut Walk<'_>, steps: &[Step]) -> Vec<usize> {
    let mut waits: Vec<usize> = steps.iter().map(|step| step.needs.len()).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    for (index, step) in steps.iter().enumerate() {
        for need in &step.needs {
            if let Some(list) = needed_by.get_mut(*need) {
                list.push(index);
            }
        }
    }
    let free = waits.iter().enumerate().filter(|(_, waits)| **waits == 0);
    let mut ready: BinaryHeap<Reverse<usize>> = free.map(|(index, _)| Reverse(index)).collect();
    let mut order = Vec::with_capacity(steps.len());
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for other in needed_by.get(index).into_iter().flatten() {
            if let Some(left) = waits.get_mut(*other) {
                *left -= 1;
                if *left == 0 {
                    ready.push(Reverse(*other));
                }
            }
        }
    }
    if order.len() < steps.len() {
        cycles(walk, steps, &waits);
    }
    order
}

/// Reports cycles among the steps that still wait: each of them needs another that waits, so whoever goes from need to
/// need comes round. Every step that waits is on a reported cycle or leads to one.
fn cycles(walk: &mut Walk<'_>, steps: &[Step], waits: &[usize]) {
    let waiting = |index: usize| waits.get(index).is_some_and(|waits| *waits > 0);
    let mut seen = vec![false; steps.len()];
    for start in (0..steps.len()).filter(|start| waiting(*start)) {
        let mut path: Vec<usize> = Vec::new();
        let mut at = Some(start);
        while let Some(index) = at.filter(|index| seen.get(*index) == Some(&false)) {
            if let Some(seen) = seen.get_mut(index) {
                *seen = true;
            }
            path.push(index);
            let needs = steps.get(index).map(|step| step.needs.as_slice());
            at = needs
                .unwrap_or_default()
                .iter()
                .copied()
                .find(|need| waiting(*need));
        }
        // The walk ended at a step it had been at, or at one that an earlier walk has been at.
        if let Some(begin) = path.iter().position(|index| Some(*index) == at) {
            let cycle: Vec<&Step> = path
                .iter()
                .skip(begin)
                .filter_map(|index| steps.get(*index))
                .collect();
            report(walk, &cycle);
        }
    }
}

/// Names the steps of a cycle, the first in the file first.
fn report(walk: &mut Walk<'_>, cycle: &[&Step]) {
    let first = cycle
        .iter()
        .enumerate()
        .min_by_key(|(_, step)| step.span.start);
    let Some((turn, first)) = first else { return };
    let names = cycle.iter().cycle().skip(turn).take(cycle.len() + 1);
    let names: Vec<&str> = names.map(|step| step.spec.id.as_str()).collect();
    let shown = match names.as_slice() {
        [start @ .., last] if start.len() > NAMED => {
            let start = start.get(..NAMED).unwrap_or_default();
            format!("{} → … → {last}", start.join(" → "))
        }
        all => all.join(" → "),
    };
    walk.report(first.key_span("needs"), || {
        let sentence = format!("steps need each other in a circle: {shown}");
        RulesError::usage("STEP-CYCLE", sentence)
            .with_hint("take one of them out of the `needs` of the one before it")
    });
}

/// How many steps of a cycle are named.
const NAMED: usize = 10;
