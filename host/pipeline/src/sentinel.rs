//! The watch over running calls: states, pressure, and when to end one.
//!
//! States and thresholds are those of reference B. What it calls CPU is fuel here, since fuel is what a lease limits.

use std::fmt;
use std::time::Duration;

use leasehold_lease::Limits;
use leasehold_rules::{Sentinel, exceeds};
use leasehold_sandbox::Usage;
use leasehold_tape::run::{Pressure, Reading};

/// A figure that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Fuel used.
    Fuel,
    /// Memory in use.
    Memory,
    /// Real time since the call began.
    Wall,
    /// Output said.
    Output,
    /// Bytes written to files.
    Write,
}

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Figure::Fuel => "fuel",
            Figure::Memory => "memory",
            Figure::Wall => "wall",
            Figure::Output => "output",
            Figure::Write => "write",
        })
    }
}

/// What a call is in, as the sentinel sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The step has no lease that admits it.
    LeaseNotFound,
    /// Its turn has not come.
    NotStarted,
    /// It runs, and no reading was taken yet.
    InProgress,
    /// It runs within its limits.
    WithinLimits,
    /// It used more of this than the pipeline tolerates.
    Exceeded(Figure),
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::LeaseNotFound => formatter.write_str("lease_not_found"),
            State::NotStarted => formatter.write_str("not_started"),
            State::InProgress => formatter.write_str("in_progress"),
            State::WithinLimits => formatter.write_str("within_limits"),
            State::Exceeded(figure) => write!(formatter, "exceeded({figure})"),
        }
    }
}

/// One look at a running call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Fuel.
    pub fuel: Reading,
    /// Memory, in bytes.
    pub memory: Reading,
    /// Time, in milliseconds.
    pub wall: Reading,
    /// Output, in bytes.
    pub output: Reading,
    /// Bytes written.
    pub write: Reading,
}

impl Sample {
    /// What `usage` is of `limits`, so long after the start.
    pub fn new(usage: Usage, limits: &Limits, elapsed: Duration) -> Self {
        let reading = |used, limit| Reading { limit, used };
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        Sample {
            fuel: reading(usage.fuel, limits.fuel),
            memory: reading(usage.memory, limits.memory_bytes),
            wall: reading(millis, limits.wall_ms),
            output: reading(usage.output, limits.output_bytes),
            write: reading(usage.written, limits.write_bytes),
        }
    }

    /// How close the call is to its limits: above 80 % medium and above 90 % high, of memory above 75 % and 85 %.
    pub fn pressure(&self) -> Pressure {
        let level = |reading: Reading, medium, high| match reading.percent() {
            percent if percent > high => Pressure::High,
            percent if percent > medium => Pressure::Medium,
            _ => Pressure::Low,
        };
        let others = [self.fuel, self.wall, self.output, self.write];
        let others = others.into_iter().map(|reading| level(reading, 80, 90));
        others.fold(level(self.memory, 75, 85), Pressure::max)
    }

    /// The state, given the shares of its limits above which a call is ended.
    pub fn state(&self, halt: &Sentinel) -> State {
        let watched = [
            (Figure::Fuel, self.fuel, halt.fuel),
            (Figure::Memory, self.memory, halt.memory),
            (Figure::Wall, self.wall, halt.wall),
            (Figure::Output, self.output, halt.output),
            (Figure::Write, self.write, halt.write),
        ];
        let over = watched
            .into_iter()
            .find(|(_, reading, percent)| exceeds(*percent, reading.used, reading.limit));
        over.map_or(State::WithinLimits, |(figure, _, _)| {
            State::Exceeded(figure)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        fuel: 1_000,
        memory_bytes: 1_000,
        wall_ms: 1_000,
        output_bytes: 1_000,
        write_bytes: 0,
        open_files: 1,
    };

    fn sample(fuel: u64, memory: u64) -> Sample {
        let usage = Usage {
            fuel,
            memory,
            ..Usage::default()
        };
        Sample::new(usage, &LIMITS, Duration::ZERO)
    }

    #[test]
    fn pressure_has_the_levels_of_the_reference() {
        for (fuel, memory, level) in [
            (800, 750, Pressure::Low),
            (810, 0, Pressure::Medium),
            (900, 0, Pressure::Medium),
            (910, 0, Pressure::High),
            (0, 760, Pressure::Medium),
            (0, 850, Pressure::Medium),
            (0, 860, Pressure::High),
            (0, 5_000, Pressure::High),
        ] {
            assert_eq!(sample(fuel, memory).pressure(), level, "{fuel} {memory}");
        }
    }

    #[test]
    fn a_call_is_ended_above_its_threshold_and_not_at_it() {
        let thresholds = Sentinel {
            memory: Some(50),
            ..Sentinel::default()
        };
        assert_eq!(sample(1_000, 500).state(&thresholds), State::WithinLimits);
        let over = sample(0, 501).state(&thresholds);
        assert_eq!(over, State::Exceeded(Figure::Memory));
        assert_eq!(over.to_string(), "exceeded(memory)");
        assert_eq!(
            sample(1_000, 1_000).state(&Sentinel::default()),
            State::WithinLimits
        );
    }
}
