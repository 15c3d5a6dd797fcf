//! Alternating rounds.

use std::time::{Duration, Instant};

use crate::Fault;

/// What one side and the other took, each the median over all rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) ours: Duration,
    pub(crate) peer: Duration,
    /// The median of the ratios of the rounds, not the ratio of the medians: what else the machine does meanwhile slows both sides
    /// of one round, and rarely all rounds alike.
    pub(crate) ratio: f64,
}

impl Pair {
    /// Both sides of each round.
    pub(crate) fn of(rounds: &[(Duration, Duration)]) -> Pair {
        let all = |side: fn(&(Duration, Duration)) -> Duration| {
            median(rounds.iter().map(side).collect(), Duration::cmp).unwrap_or_default()
        };
        let ratios = rounds.iter().map(|(ours, peer)| ratio(*ours, *peer));
        Pair {
            ours: all(|round| round.0),
            peer: all(|round| round.1),
            ratio: median(ratios.collect(), f64::total_cmp).unwrap_or(f64::NAN),
        }
    }

    /// What was measured several times, in terms of a time that is always the same.
    pub(crate) fn within(measured: Vec<Duration>, allowed: Duration) -> Pair {
        let rounds: Vec<_> = measured.into_iter().map(|ours| (ours, allowed)).collect();
        Pair::of(&rounds)
    }
}

/// Measures both sides by turns, `rounds` times each, after a first time that does not count. Each side says how long a unit of
/// its work took, and whoever began the last round is second in the next.
pub(crate) fn alternate(
    rounds: usize,
    mut ours: impl FnMut() -> Result<Duration, Fault>,
    mut peer: impl FnMut() -> Result<Duration, Fault>,
) -> Result<Pair, Fault> {
    ours()?;
    peer()?;
    let mut all = Vec::new();
    for round in 0..rounds {
        all.push(if round % 2 == 0 {
            let one = ours()?;
            (one, peer()?)
        } else {
            let other = peer()?;
            (ours()?, other)
        });
    }
    Ok(Pair::of(&all))
}

/// Measures one thing `rounds` times, after a first time that does not count.
pub(crate) fn repeat<T>(
    rounds: usize,
    mut measure: impl FnMut() -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    measure()?;
    (0..rounds).map(|_| measure()).collect()
}

/// How long a work took, divided by how many units it has.
pub(crate) fn timed(
    units: u32,
    work: impl FnOnce() -> Result<(), Fault>,
) -> Result<Duration, Fault> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed() / units)
}

/// One duration in terms of another.
pub(crate) fn ratio(ours: Duration, peer: Duration) -> f64 {
    ours.as_secs_f64() / peer.as_secs_f64()
}

/// The one in the middle; the greater of two.
pub(crate) fn median<T>(
    mut values: Vec<T>,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Option<T> {
    values.sort_by(order);
    let middle = values.len() / 2;
    values.into_iter().nth(middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(vec![3, 1, 2], i32::cmp), Some(2));
        assert_eq!(median(vec![1, 2], i32::cmp), Some(2));
        assert_eq!(median(Vec::new(), i32::cmp), None);
    }

    #[test]
    fn the_first_time_does_not_count_and_a_disturbed_round_does_not_decide() {
        let mut ours = [900, 20, 800, 20].into_iter().map(Duration::from_millis);
        let mut peers = [100, 10, 400, 10].into_iter().map(Duration::from_millis);
        let pair = alternate(3, || Ok(ours.next().unwrap()), || Ok(peers.next().unwrap())).unwrap();
        assert_eq!(pair.ratio.to_bits(), 2.0_f64.to_bits());
    }

    #[test]
    fn a_time_that_is_allowed_is_the_peer_of_every_round() {
        let mut all = [90, 30, 20, 10].into_iter().map(Duration::from_millis);
        let measured = repeat(3, || Ok(all.next().unwrap())).unwrap();
        let pair = Pair::within(measured, Duration::from_millis(40));
        assert_eq!(pair.ours, Duration::from_millis(20));
        assert_eq!(pair.ratio.to_bits(), 0.5_f64.to_bits());
    }
}
