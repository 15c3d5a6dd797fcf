//! Row 2: one call after another, without waiting for a disk.
//!
//! The tape lies in memory, so what is left is the work: the checks of admission, three records, the sandbox. The peer
//! is wasmtime alone, which makes a store, instantiates the same component from a pool and asks it the same. How the pool resets
//! memory decides over most of what wasmtime alone takes, so a second line has a peer whose pool is as wasmtime sets it up.

use super::{Settings, memory};
use crate::Fault;
use crate::measure::{alternate, timed};
use crate::ours::{Ours, Reach, check};
use crate::peer::{Gate, Pool};
use crate::table::Line;

const CALLS: u32 = 4000;
const PASS: &str = r#"{"do":"pass"}"#;
const WHAT: &str = "trivial gate, one call at a time, no sync : wasmtime alone";

pub(super) fn measure(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let Some(memory) = memory() else {
        return Ok(vec![Line::skipped(WHAT, "there is no /dev/shm")]);
    };
    let guest = "bench/bench-gate";
    let ours = Ours::new(&memory, 16, guest, Reach::Nothing, &check(PASS))?;
    let bytes = leasehold_tests::plugin_bytes(guest)?;
    let peer = Gate::new(&bytes, Pool::AsOurs)?;
    let other = Gate::new(&bytes, Pool::AsItComes)?;
    let calls = settings.work(CALLS);
    let call = || {
        timed(calls, || {
            (0..calls).try_for_each(|_| ours.call(check(PASS)).map(drop))
        })
    };
    let alone = |peer: &Gate| timed(calls, || (0..calls).try_for_each(|_| peer.call(PASS)));
    let pair = alternate(settings.rounds(9), call, || alone(&peer))?;
    let plain = alternate(settings.rounds(5), call, || alone(&other))?;
    Ok(vec![
        Line::measured(WHAT, pair, 2.0),
        Line::comparison(format!("{WHAT}, pool as it comes"), plain),
    ])
}
