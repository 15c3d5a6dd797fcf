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

/// Measures both sides by turns, `rounds` times each, after a first time that does not count. Each side says how long a unit of
/// its work took, and whoever began the last round is second in the next.
pub(crate) fn alternate(
    rounds: usize,
    mut ours: impl FnMut() -> Result<Duration, Fault>,
    mut peer: impl FnMut() -> Result<Duration, Fault>,
) -> Result<Pair, Fault> {
    ours()?;
    peer()?;
    let (mut all_ours, mut all_peers, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let (one, other) = if round % 2 == 0 {
            let one = ours()?;
            (one, peer()?)
        } else {
            let other = peer()?;
            (ours()?, other)
        };
        all_ours.push(one);
        all_peers.push(other);
        ratios.push(ratio(one, other));
    }
    Ok(Pair {
        ours: median(all_ours, Duration::cmp).unwrap_or_default(),
        peer: median(all_peers, Duration::cmp).unwrap_or_default(),
        ratio: median(ratios, f64::total_cmp).unwrap_or(f64::NAN),
    })
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
}
