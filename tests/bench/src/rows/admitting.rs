//! Row 12: admission of a counted call.
//!
//! 16 threads admit calls under one lease with a budget: time, revocation and budget are looked at, the use is counted, and the intent
//! is durable before admission is over. The peer is one group commit: the same threads append a record of the same size, durable
//! each, and decide nothing.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use leasehold_lease::{Budget, Kind as PluginKind, Rights};
use leasehold_sandbox::{CallSpec, Instances, Plugin, admit};
use leasehold_seal::Digest;
use leasehold_tape::{Draft, Durability, Kind};
use leasehold_tests::Rig;

use super::{Settings, disk};
use crate::Fault;
use crate::measure::alternate;
use crate::ours::check;
use crate::table::Line;

const THREADS: u32 = 16;
const ADMISSIONS_OF_THREAD: u32 = 100;
/// What an intent takes on the tape, without the frame of the record, in bytes.
const INTENT: usize = 900;
const BOUND: f64 = 1.2;
const PASS: &str = r#"{"do":"pass"}"#;

pub(super) fn measure(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let disk = disk()?;
    let rig = Rig::with(Instances::Pooled(1), &disk)?;
    let plugin = rig.plugin("bench/bench-gate")?;
    let rights = counted(&rig, &plugin)?;
    let peer = Rig::with(Instances::Pooled(1), &disk)?;
    let each = settings.work(ADMISSIONS_OF_THREAD);
    let pair = alternate(
        settings.rounds(9),
        || at_once(each, || admission(&rig, &plugin, &rights)),
        || at_once(each, || append(&peer)),
    )?;
    Ok(vec![Line::measured(
        "admission of a counted call, 16 in flight : one group commit",
        pair,
        BOUND,
    )])
}

/// Rights to call the plugin more often than anybody will measure.
fn counted(rig: &Rig, plugin: &Plugin) -> Result<Rights, Fault> {
    let mut grant = Rig::grant(plugin, PluginKind::Gate);
    grant.limits.fuel = 1;
    grant.config = Some(Digest::of(PASS.as_bytes()));
    let audience = rig.this_tape();
    rig.rights_of(grant, |lease| {
        lease.audience = audience;
        lease.budget = Some(Budget {
            uses: Some(1 << 40),
            fuel: Some(1 << 40),
        });
    })
}

fn admission(rig: &Rig, plugin: &Plugin, rights: &Rights) -> Result<(), Fault> {
    let spec = CallSpec::new(check(PASS));
    // The call is never made; on the tape it counts as spent.
    drop(admit(
        &rig.engine,
        plugin,
        rights.clone(),
        spec,
        &rig.recorder,
    )?);
    Ok(())
}

fn append(rig: &Rig) -> Result<(), Fault> {
    let kind = Kind::parse("bench.filling").ok_or("the kind is not well formed")?;
    let body = std::collections::BTreeMap::from([("text", "x".repeat(INTENT))]);
    let draft = Draft::new(kind, &body)?;
    rig.recorder.tape.append(vec![draft], Durability::Synced)?;
    Ok(())
}

/// What one of them costs when every thread does as many.
fn at_once(each: u32, work: impl Fn() -> Result<(), Fault> + Sync) -> Result<Duration, Fault> {
    let start = Barrier::new(THREADS as usize + 1);
    thread::scope(|scope| {
        let all = || {
            start.wait();
            (0..each).try_for_each(|_| work())
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(all)).collect();
        start.wait();
        let started = Instant::now();
        for thread in threads {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(started.elapsed() / (THREADS * each))
    })
}
