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
    Ended(usize),
    Finished(usize, Box<Told>),
}

/// What is told of a step that has come out.
pub(super) struct Told {
    status: Option<Status>,
    code: Option<String>,
    sentence: String,
    cached: bool,
    wall: Duration,
    skipped: u64,
}

impl Told {
    pub(super) fn new(report: &StepReport) -> Self {
        let result = &report.result;
        Told {
            status: result.status,
            code: result.code.clone(),
            sentence: result.sentence.clone(),
            cached: result.hit.is_some(),
            wall: report.wall,
            skipped: report.coverage.skipped,
        }
    }
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

    fn ended(&self, step: usize) {
        self.tell(Event::Ended(step));
    }

    fn finished(&self, step: usize, report: &StepReport) {
        self.tell(Event::Finished(step, Box::new(Told::new(report))));
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
    let shadow = if spec.started.shadow {
        ", in shadow: what steps write is dropped"
    } else {
        ""
    };
    ui.talk(format!(
        "run {}: {steps}, {jobs} at a time, {told}{shadow}",
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
        Event::Ended(step) => {
            running.retain(|(at, _, _)| *at != step);
            progress.step();
        }
        Event::Finished(step, told) => {
            if !progress.is_shown() {
                let id = spec.steps.get(step).map_or("", |step| &step.id);
                ui.talk(line(id, &told));
            }
        }
    }
}

/// `pass     secrets: nothing found · 12 ms`
pub(super) fn line(id: &str, told: &Told) -> Line {
    let (word, style) = status_word(told.status);
    let time = match (told.status, told.cached) {
        (None, _) => String::new(),
        (_, true) => " · as before".to_owned(),
        _ => format!(" · {}", span(told.wall)),
    };
    let code = told.code.as_ref();
    let code = code.map_or(String::new(), |code| format!(" [{code}]"));
    let skipped = match usize::try_from(told.skipped).unwrap_or(usize::MAX) {
        0 => String::new(),
        count => format!(" · {} not judged", counted(count, "entry", "entries")),
    };
    Line::styled(style, format!("{word:<8} "))
        .then(Style::Bold, id)
        .plain(format!(": {}", clip(&told.sentence, SHOWN)))
        .then(Style::Dim, format!("{code}{skipped}{time}"))
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
