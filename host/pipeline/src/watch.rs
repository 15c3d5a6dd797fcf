//! The thread that looks after running calls: hands on a stop from outside, takes samples, ends what uses too much.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use leasehold_lease::Limits;
use leasehold_rules::Sentinel;
use leasehold_sandbox::{Gauge, Recorder, Stop, StopSwitch};
use leasehold_tape::run::{Pressure, ResourceSampled};
use leasehold_tape::{Draft, Durability, Kind};

use crate::sentinel::{Sample, State};
use crate::spec::Observer;

/// How often the watch looks.
const EVERY: Duration = Duration::from_millis(25);
/// How often at most a call that is at ease gets a record.
const RECORD_EVERY: Duration = Duration::from_millis(500);

/// A call that runs.
pub(crate) struct Running {
    pub(crate) call: String,
    pub(crate) step: String,
    pub(crate) limits: Limits,
    pub(crate) gauge: Gauge,
    pub(crate) switch: StopSwitch,
    pub(crate) since: Instant,
    /// When it was recorded last, and under which pressure.
    recorded: Option<(Instant, Pressure)>,
}

impl Running {
    pub(crate) fn new(
        call: &str,
        step: &str,
        limits: Limits,
        gauge: Gauge,
        switch: StopSwitch,
    ) -> Self {
        Running {
            call: call.to_owned(),
            step: step.to_owned(),
            limits,
            gauge,
            switch,
            since: Instant::now(),
            recorded: None,
        }
    }
}

/// The calls that run, by the position of their step.
#[derive(Default)]
pub(crate) struct Watch {
    running: Mutex<BTreeMap<usize, Running>>,
    ended: Mutex<bool>,
    wake: Condvar,
}

impl Watch {
    pub(crate) fn add(&self, step: usize, call: Running) {
        lock(&self.running).insert(step, call);
    }

    pub(crate) fn remove(&self, step: usize) {
        lock(&self.running).remove(&step);
    }

    /// Ends every running call.
    pub(crate) fn stop_all(&self, why: Stop) {
        for call in lock(&self.running).values() {
            call.switch.stop(why);
        }
    }

    /// Ends the watch.
    pub(crate) fn end(&self) {
        *lock(&self.ended) = true;
        self.wake.notify_all();
    }

    /// Looks until the watch is ended. `cancelled` is called once when `stop` is turned.
    pub(crate) fn look(
        &self,
        run: &str,
        recorder: &Recorder,
        halt: &Sentinel,
        (stop, cancelled): (&StopSwitch, &dyn Fn()),
        observer: &dyn Observer,
    ) {
        let mut told = false;
        let mut ended = lock(&self.ended);
        while !*ended {
            ended = self
                .wake
                .wait_timeout(ended, EVERY)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            if let Some(why) = stop.reason() {
                if !told {
                    cancelled();
                    told = true;
                }
                // Again each time: a call may just have begun.
                self.stop_all(why);
            }
            let samples = self.samples(run, halt);
            for (step, sample) in &samples.seen {
                observer.sampled(*step, sample);
            }
            if !samples.drafts.is_empty() {
                // Samples inform; a tape that cannot take them cannot take the outcomes either, which is told there.
                let _ = recorder.tape.append(samples.drafts, Durability::Written);
            }
        }
    }

    fn samples(&self, run: &str, halt: &Sentinel) -> Samples {
        let mut samples = Samples::default();
        for (step, call) in lock(&self.running).iter_mut() {
            let sample = Sample::new(call.gauge.read(), &call.limits, call.since.elapsed());
            let state = sample.state(halt);
            if matches!(state, State::Exceeded(_)) {
                call.switch.stop(Stop::Halted);
            }
            let pressure = sample.pressure();
            let due = match call.recorded {
                // What is over at once leaves an outcome and no samples.
                None => call.since.elapsed() >= 4 * EVERY || matches!(state, State::Exceeded(_)),
                Some((at, level)) => level != pressure || at.elapsed() >= RECORD_EVERY,
            };
            if due {
                call.recorded = Some((Instant::now(), pressure));
                let body = ResourceSampled {
                    call: call.call.clone(),
                    fuel: sample.fuel,
                    memory: sample.memory,
                    output: sample.output,
                    pressure,
                    run: Some(run.to_owned()),
                    state: state.to_string(),
                    step: Some(call.step.clone()),
                    wall_ms: sample.wall,
                    written: sample.write,
                };
                samples
                    .drafts
                    .extend(Draft::sorted(Kind::ResourceSampled, &body));
            }
            samples.seen.push((*step, sample));
        }
        samples
    }
}

#[derive(Default)]
struct Samples {
    seen: Vec<(usize, Sample)>,
    drafts: Vec<Draft>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What these locks guard is whole after each step: a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
