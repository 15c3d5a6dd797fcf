//! Row 1: many calls at once, each with a durable outcome.
//!
//! 256 threads call a gate that passes at once. Intent and outcome go to a tape on the disk, and a call is over when its outcome is
//! durable; the threads share the syncs. The peer starts a process that does nothing and waits for it, one at a time: what a gate
//! costs at least when it is a program.

use std::process::Command;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::{Settings, disk};
use crate::Fault;
use crate::measure::{alternate, timed};
use crate::ours::{Ours, Reach, check};
use crate::table::Line;

const THREADS: u32 = 256;
const CALLS_OF_THREAD: u32 = 40;
const PROCESSES: u32 = 400;
const PASS: &str = r#"{"do":"pass"}"#;

pub(super) fn measure(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let input = check(PASS);
    let ours = Ours::new(
        &disk()?,
        THREADS,
        "bench/bench-gate",
        Reach::Nothing,
        &input,
    )?;
    let calls = settings.work(CALLS_OF_THREAD);
    let processes = settings.work(PROCESSES);
    let pair = alternate(
        settings.rounds(9),
        || in_flight(&ours, calls),
        || timed(processes, || (0..processes).try_for_each(|_| nothing())),
    )?;
    Ok(vec![Line::measured(
        "trivial gate, 256 calls in flight, durable : fork and exec of /bin/true",
        pair,
        0.1,
    )])
}

/// What a call costs when every thread makes this many.
fn in_flight(ours: &Ours, calls: u32) -> Result<Duration, Fault> {
    let start = Barrier::new(THREADS as usize + 1);
    thread::scope(|scope| {
        let each = || {
            start.wait();
            (0..calls).try_for_each(|_| ours.call(check(PASS)).map(drop))
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(each)).collect();
        start.wait();
        let started = Instant::now();
        for thread in threads {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(started.elapsed() / (THREADS * calls))
    })
}

fn nothing() -> Result<(), Fault> {
    let status = Command::new("/bin/true").status()?;
    if status.success() {
        Ok(())
    } else {
        Err("/bin/true failed".into())
    }
}
