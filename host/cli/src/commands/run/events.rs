//! What is said while a run goes on: a bar and the running steps on a terminal, plain lines otherwise.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use leasehold_pipeline::{Observer, RunError, RunReport, RunSpec, Sample, StepReport};
use leasehold_tape::call::Status;

use crate::show::status_word;
use crate::text::{SHOWN, clip, counted, span};
use crate::ui::{Line, Progress, Style, Ui};

/// How often the bar is drawn again.
const TICK: Duration = Duration::from_millis(100);

/// What the threads of a run tell the one that prints.
enum Event {
    Started(usize),
    Sampled(usize, u64),
    Finished(
        usize,
        Option<Status>,
        Option<String>,
        String,
        bool,
        Duration,
    ),
}

struct Teller(Sender<Event>);

impl Teller {
    fn tell(&self, event: Event) {
        // Whoever no longer listens is not interested.
        let _ = self.0.send(event);
    }
}

impl Observer for Teller {
    fn started(&self, step: usize) {
        self.tell(Event::Started(step));
    }

    fn sampled(&self, step: usize, sample: &Sample) {
        self.tell(Event::Sampled(step, sample.fuel.percent()));
    }

    fn finished(&self, step: usize, report: &StepReport) {
        let result = &report.result;
        self.tell(Event::Finished(
            step,
            result.status,
            result.code.clone(),
            result.sentence.clone(),
            result.hit.is_some(),
            report.wall,
        ));
    }
}

/// Runs `work` in a thread of its own and tells what goes on.
pub(super) fn watch(
    spec: &RunSpec,
    told: &str,
    ui: &Ui,
    work: impl FnOnce(&dyn Observer) -> Result<RunReport, RunError> + Send,
) -> Result<RunReport, RunError> {
    let jobs = spec.started.jobs;
    let steps = counted(spec.steps.len(), "step", "steps");
    ui.talk(format!(
        "run {}: {steps}, {jobs} at a time, {told}",
        spec.started.run
    ));
    let (sender, receiver) = mpsc::channel();
    let progress = ui.progress(spec.steps.len() as u64);
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || work(&Teller(sender)));
        let mut running: Vec<(usize, Instant, u64)> = Vec::new();
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(event) => take(event, &mut running, spec, ui, &progress),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            progress.show(&words(&running, spec));
        }
        progress.end();
        match worker.join() {
            Ok(report) => report,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn take(
    event: Event,
    running: &mut Vec<(usize, Instant, u64)>,
    spec: &RunSpec,
    ui: &Ui,
    progress: &Progress,
) {
    match event {
        Event::Started(step) => running.push((step, Instant::now(), 0)),
        Event::Sampled(step, percent) => {
            for (_, _, seen) in running.iter_mut().filter(|(at, _, _)| *at == step) {
                *seen = percent;
            }
        }
        Event::Finished(step, status, code, sentence, cached, wall) => {
            running.retain(|(at, _, _)| *at != step);
            progress.step();
            if !progress.is_shown() {
                let id = spec.steps.get(step).map_or("", |step| &step.id);
                ui.talk(line(id, status, code.as_deref(), &sentence, cached, wall));
            }
        }
    }
}

/// `pass     secrets: nothing found · 12 ms`
pub(super) fn line(
    id: &str,
    status: Option<Status>,
    code: Option<&str>,
    sentence: &str,
    cached: bool,
    wall: Duration,
) -> Line {
    let (word, style) = status_word(status);
    let time = match (status, cached) {
        (None, _) => String::new(),
        (_, true) => " · as before".to_owned(),
        _ => format!(" · {}", span(wall)),
    };
    let code = code.map_or(String::new(), |code| format!(" [{code}]"));
    Line::styled(style, format!("{word:<8} "))
        .then(Style::Bold, id)
        .plain(format!(": {}", clip(sentence, SHOWN)))
        .then(Style::Dim, format!("{code}{time}"))
}

/// The running steps, for the end of the bar.
fn words(running: &[(usize, Instant, u64)], spec: &RunSpec) -> String {
    let words = running.iter().map(|(step, since, percent)| {
        let id = spec.steps.get(*step).map_or("", |step| &step.id);
        let fuel = match percent {
            0 => String::new(),
            percent => format!(", fuel {percent} %"),
        };
        format!("{id} ({}{fuel})", span(since.elapsed()))
    });
    words.collect::<Vec<_>>().join("  ")
}
