//! Row 5: a guest that computes for about a third of a second, with fuel, against the same functions in this process.
//!
//! Mixing is integers in registers, sieving is memory, bodies in motion are floating point. Natively they may use what every
//! x86-64 or arm64 has, as any program that is built to be passed on. In the guest, NaNs are made the same on every machine, which is
//! paid for after each floating point operation: the price of being able to repeat a call elsewhere.

use std::hint::black_box;

use super::{Settings, disk};
use crate::Fault;
use crate::measure::{alternate, timed};
use crate::ours::{Ours, Reach, run};
use crate::peer::Program;
use crate::table::Line;

const GUEST: &str = "bench/bench-program";

pub(super) fn measure(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let mut lines = Vec::new();
    lines.extend(work(settings, "mix", 1_200_000, bench_work::mix)?);
    lines.extend(work(settings, "sieve", 40_000_000, |limit| {
        bench_work::sieve(usize::try_from(limit).unwrap_or(usize::MAX))
    })?);
    lines.extend(work(settings, "bodies", 4_000_000, bench_work::bodies)?);
    Ok(lines)
}

fn work(
    settings: &Settings,
    name: &str,
    size: u32,
    natively: impl Fn(u64) -> u64,
) -> Result<[Line; 2], Fault> {
    let size = settings.work(size);
    let text = size.to_string();
    let args = [name, text.as_str()];
    let ours = Ours::new(&disk()?, 4, GUEST, Reach::Nothing, &run(&args))?;
    let peer = Program::new(&leasehold_tests::plugin_bytes(GUEST)?)?;
    let expected = natively(u64::from(size)).to_string();
    let same = |said: &str| {
        if said.trim_end() == expected {
            Ok(())
        } else {
            Err(Fault::from(format!("{name}: {said:?}, not {expected:?}")))
        }
    };
    let call = || {
        timed(1, || {
            same(&String::from_utf8_lossy(&ours.call(run(&args))?.stdout))
        })
    };
    let native = || {
        timed(1, || {
            same(&natively(black_box(u64::from(size))).to_string())
        })
    };
    let folder = ours.rig.workspace();
    let alone = || timed(1, || same(&peer.run(&args, &folder)?));
    let pair = alternate(settings.rounds(9), call, native)?;
    let other = alternate(settings.rounds(5), call, alone)?;
    Ok([
        Line::measured(
            format!("computing with fuel, {name} : natively"),
            pair,
            1.35,
        ),
        Line::comparison(
            format!("computing with fuel, {name} : wasmtime alone, with fuel"),
            other,
        ),
    ])
}
