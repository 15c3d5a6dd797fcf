//! When something is halted before it reaches its limit.

use crate::walk::{Fields, Walk};

/// Shares, in percent from 1 to 100, above which a call or the whole run is halted; what is `None` halts nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sentinel {
    /// Of the limit `fuel`: the call is halted.
    pub fuel: Option<u8>,
    /// Of the limit `memory_bytes`: the call is halted.
    pub memory: Option<u8>,
    /// Of the limit `wall_ms`: the call is halted.
    pub wall: Option<u8>,
    /// Of the limit `output_bytes`: the call is halted.
    pub output: Option<u8>,
    /// Of the limit `write_bytes`: the call is halted.
    pub write: Option<u8>,
    /// Of the steps that have finished, those that ended in an error: the run is halted.
    pub errors: Option<u8>,
}

/// Whether `part` is more than this share of `whole`, in percent; exact.
#[must_use]
pub fn exceeds(percent: Option<u8>, part: u64, whole: u64) -> bool {
    percent.is_some_and(|percent| u128::from(part) * 100 > u128::from(whole) * u128::from(percent))
}

/// Reads the table `[sentinel]`.
pub(crate) fn read(walk: &mut Walk<'_>, top: &Fields<'_>) -> Sentinel {
    let Some(sentinel) = top.table(walk, "sentinel", &["halt"]) else {
        return Sentinel::default();
    };
    let Some(halt) = sentinel.table(walk, "halt", &KEYS) else {
        return Sentinel::default();
    };
    let [fuel, memory, wall, output, write, errors] = KEYS.map(|key| {
        let percent = halt.integer(walk, key, (1, 100))?;
        u8::try_from(percent).ok()
    });
    Sentinel {
        fuel,
        memory,
        wall,
        output,
        write,
        errors,
    }
}

const KEYS: [&str; 6] = ["fuel", "memory", "wall", "output", "write", "errors"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_exceeded_above_it_and_not_at_it() {
        assert!(!exceeds(Some(50), 5, 10) && exceeds(Some(50), 6, 10));
        assert!(!exceeds(Some(100), u64::MAX, u64::MAX) && exceeds(Some(99), u64::MAX, u64::MAX));
        assert!(!exceeds(None, 10, 1) && exceeds(Some(100), 1, 0) && !exceeds(Some(1), 0, 0));
    }
}
