//! `wasi:clocks`: a clock of the call's own. It stands still but for its readings and for sleeping, which advances it.

use wasmtime::component::Resource;

use super::bindings::system::wasi::clocks::{monotonic_clock, wall_clock};
use super::poll::Pollable;
use super::{Door, Host, enter};
use crate::limits::{Halt, Limit};
use crate::state::CallState;

/// What one reading of a clock advances it by, in nanoseconds: a guest that waits in a loop gets on.
const TICK: u64 = 1_000;

/// Time as the guest sees it.
#[derive(Debug)]
pub(crate) struct VirtualClock {
    /// Nanoseconds since the Unix epoch at the start.
    base: u128,
    /// Nanoseconds since the start.
    elapsed: u64,
    /// Whether the guest was told the time of day: then what it does may depend on it.
    pub(crate) told: bool,
    /// The wall limit, in nanoseconds: it holds for virtual time as for real time.
    limit: u64,
}

impl VirtualClock {
    /// A clock that starts at `base_ms` milliseconds after the Unix epoch and may run for `limit_ms` milliseconds.
    pub(crate) fn new(base_ms: u64, limit_ms: u64) -> Self {
        VirtualClock {
            base: u128::from(base_ms) * 1_000_000,
            elapsed: 0,
            told: false,
            limit: limit_ms.saturating_mul(1_000_000),
        }
    }

    fn read(&mut self) -> u64 {
        self.elapsed = self.elapsed.saturating_add(TICK);
        self.elapsed
    }

    /// The time without advancing it, in nanoseconds since the start.
    pub(crate) fn now(&self) -> u64 {
        self.elapsed
    }

    /// Sleeps until `when`, in nanoseconds since the start; past the limit the call ends.
    pub(crate) fn advance_to(&mut self, when: u64) -> Result<(), Halt> {
        if when > self.limit {
            return Err(Halt::Exceeded(Limit::Wall));
        }
        self.elapsed = self.elapsed.max(when);
        Ok(())
    }
}

impl monotonic_clock::Host for CallState {}
impl monotonic_clock::HostWithStore<CallState> for Host {
    fn now(mut door: Door<'_>) -> wasmtime::Result<u64> {
        enter(&mut door)?;
        Ok(door.get().clock.read())
    }

    fn resolution(mut door: Door<'_>) -> wasmtime::Result<u64> {
        enter(&mut door)?;
        Ok(TICK)
    }

    fn subscribe_instant(mut door: Door<'_>, when: u64) -> wasmtime::Result<Resource<Pollable>> {
        enter(&mut door)?;
        door.get().push(Pollable::At(when))
    }

    fn subscribe_duration(mut door: Door<'_>, span: u64) -> wasmtime::Result<Resource<Pollable>> {
        enter(&mut door)?;
        let when = door.get().clock.now().saturating_add(span);
        door.get().push(Pollable::At(when))
    }
}

impl wall_clock::Host for CallState {}
impl wall_clock::HostWithStore<CallState> for Host {
    fn now(mut door: Door<'_>) -> wasmtime::Result<wall_clock::Datetime> {
        enter(&mut door)?;
        let clock = &mut door.get().clock;
        clock.told = true;
        let total = clock.base + u128::from(clock.read());
        Ok(wall_clock::Datetime {
            seconds: u64::try_from(total / 1_000_000_000)?,
            nanoseconds: u32::try_from(total % 1_000_000_000)?,
        })
    }

    fn resolution(mut door: Door<'_>) -> wasmtime::Result<wall_clock::Datetime> {
        enter(&mut door)?;
        Ok(wall_clock::Datetime {
            seconds: 0,
            nanoseconds: u32::try_from(TICK)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_costs_no_time_but_counts() {
        let mut clock = VirtualClock::new(0, 10);
        clock.advance_to(9_000_000).unwrap();
        assert_eq!(clock.now(), 9_000_000);
        clock.advance_to(1).unwrap();
        assert_eq!(clock.now(), 9_000_000, "time does not go back");
        assert_eq!(
            clock.advance_to(10_000_001),
            Err(Halt::Exceeded(Limit::Wall))
        );
    }

    #[test]
    fn a_loop_that_waits_for_the_clock_gets_on() {
        let mut clock = VirtualClock::new(5, 10);
        let first = clock.read();
        assert!(clock.read() > first);
    }
}
