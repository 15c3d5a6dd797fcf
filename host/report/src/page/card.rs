//! Everything about one step.

use leasehold_seal::Digest;
use leasehold_tape::call::{Coverage, Ending};
use leasehold_tape::run::Pressure;

use crate::html::MAX_ENTRIES;
use crate::model::{Artifact, Kept, Run, Sample, Step, StepStatus};
use crate::words::{bytes, counted, grouped, short, span};

use super::findings::Findings;
use super::head::{Fact, class, code, word};
use super::matrix::Meter;
use super::paper::{Paper, more};

pub(super) struct Card {
    pub(super) anchor: usize,
    pub(super) class: &'static str,
    pub(super) symbol: &'static str,
    pub(super) status: &'static str,
    /// Whether it is shown unfolded.
    pub(super) open: bool,
    pub(super) id: String,
    pub(super) code: Option<String>,
    pub(super) sentence: String,
    pub(super) cached: bool,
    pub(super) findings: Findings,
    pub(super) found: String,
    /// Name and end of each output stream.
    pub(super) outputs: Vec<(String, String)>,
    pub(super) facts: Vec<Fact>,
    pub(super) fuel: Option<Meter>,
    pub(super) memory: Option<Meter>,
    pub(super) rights: Vec<String>,
    pub(super) skip: Vec<String>,
    pub(super) refused: Table,
    pub(super) changes: Table,
    pub(super) artifacts: Table,
    pub(super) samples: Table,
    /// What the gate had to say for programs.
    pub(super) data: Option<String>,
}

/// A list in columns. The last column may be a digest, which is long.
#[derive(Default)]
pub(super) struct Table {
    pub(super) title: String,
    pub(super) heads: &'static [&'static str],
    pub(super) rows: Vec<Vec<String>>,
    pub(super) more: Option<String>,
}

impl Table {
    /// Rows of at most [`MAX_ENTRIES`] of these, as many as fit on the page.
    fn of<T>(
        title: String,
        heads: &'static [&'static str],
        entries: &[T],
        paper: &Paper,
        row: impl Fn(&T) -> Vec<String>,
    ) -> Table {
        let shown = entries
            .iter()
            .take(MAX_ENTRIES)
            .take_while(|_| paper.entry());
        let rows: Vec<Vec<String>> = shown.map(row).collect();
        Table {
            title,
            heads,
            more: more(entries.len(), rows.len(), "entries"),
            rows,
        }
    }
}

impl Card {
    pub(super) fn of(at: usize, step: &Step, run: &Run, paper: &Paper) -> Card {
        let verdict = step.verdict.as_ref().and_then(|said| said.verdict.as_ref());
        let count = verdict.map_or(0, |verdict| verdict.findings.len() as u64);
        Card {
            anchor: at + 1,
            class: class(step.status),
            symbol: step.status.symbol(),
            status: step.status.as_str(),
            open: !matches!(
                step.status,
                StepStatus::Pass | StepStatus::Skipped | StepStatus::NotRun
            ),
            id: paper.name(&step.id),
            code: step.code.as_ref().map(|code| paper.name(code)),
            sentence: paper.text(&step.sentence),
            cached: step.cached.is_some(),
            findings: Findings::of(step, paper),
            found: counted(count, "finding", "findings"),
            outputs: outputs(step, paper),
            facts: facts(step, paper),
            fuel: step.fuel.map(|fuel| Meter::of(fuel, short)),
            memory: step.memory.map(|memory| Meter::of(memory, bytes)),
            rights: paper.list(&step.rights, "rights"),
            skip: paper.list(&step.skip, "patterns"),
            refused: refused(step, paper),
            changes: changes(step, run, paper),
            artifacts: artifacts(step, paper),
            samples: samples(step, paper),
            data: verdict
                .and_then(|verdict| verdict.data.as_ref())
                .map(|data| paper.text(data)),
        }
    }
}

fn facts(step: &Step, paper: &Paper) -> Vec<Fact> {
    let mut facts = Vec::new();
    let plugin = [step.name.as_deref(), step.kind.as_deref()]
        .into_iter()
        .flatten();
    let plugin: Vec<String> = plugin.map(|text| paper.name(text)).collect();
    if !plugin.is_empty() {
        facts.push(word("plugin", plugin.join(", ")));
    }
    if let Some(own) = step
        .command
        .as_ref()
        .filter(|own| Some(*own) != step.name.as_ref())
    {
        facts.push(word("calls itself", paper.name(own)));
    }
    if let Some(plugin) = &step.plugin {
        facts.push(code("digest", plugin.to_string()));
    }
    if let Some(line) = step.line {
        facts.push(word("stands in", format!("line {line} of the pipeline")));
    }
    if !step.needs.is_empty() {
        facts.push(word("needs", paper.list(&step.needs, "steps").join(", ")));
    }
    if let Some(call) = &step.call {
        facts.push(code("call", paper.name(call)));
    }
    facts.extend(records(step));
    facts.extend(ending(step));
    facts.extend(timing(step));
    facts.extend(
        step.coverage
            .as_ref()
            .map(|coverage| word("saw", seen(coverage))),
    );
    if let Some(said) = &step.verdict {
        let kept = match said.kept {
            Kept::Present => String::new(),
            kept => format!(" ({})", kept.as_str()),
        };
        facts.push(code("verdict", format!("{}{kept}", said.digest)));
    }
    facts
}

fn records(step: &Step) -> Option<Fact> {
    let numbers = match (step.intent, step.outcome) {
        (Some(intent), Some(outcome)) => format!("intent {intent}, outcome {outcome}"),
        (Some(intent), None) => format!("intent {intent}, no outcome"),
        _ => return None,
    };
    Some(word("records", numbers))
}

fn ending(step: &Step) -> Option<Fact> {
    let words = match step.ending? {
        Ending::Returned => "returned",
        Ending::Exited => "exited",
        Ending::Trapped => "trapped",
        Ending::Exhausted => "reached a limit",
        Ending::Ended => "was ended by the host",
    };
    Some(match step.exit {
        Some(exit) => word("ended", format!("{words} with {exit}")),
        None => word("ended", words),
    })
}

/// When, and for how long. What was used again took its time then.
fn timing(step: &Step) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(start) = step.start_us {
        facts.push(word(
            "began",
            format!("{} after the start of the run", span(start)),
        ));
    }
    let took = step.wall_us.map_or("an unknown time".to_owned(), span);
    match &step.cached {
        None if step.wall_us.is_some() => facts.push(word("took", took)),
        None => {}
        Some(cached) => {
            let time = cached
                .time
                .map_or(String::new(), |time| format!(" at {time}"));
            facts.push(word(
                "used again",
                format!(
                    "the result in record {}{time}, which took {took}; admitted by record {}",
                    cached.outcome, cached.hit
                ),
            ));
        }
    }
    facts
}

fn seen(coverage: &Coverage) -> String {
    let parts = [
        (coverage.hidden, "hidden"),
        (coverage.skipped, "skipped"),
        (coverage.denied, "refused"),
    ];
    let mut text = format!("{} listed", counted(coverage.listed, "name", "names"));
    for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {} {what}", grouped(count)));
    }
    text.push_str(if coverage.complete {
        "; nothing was kept from it"
    } else {
        "; it did not see everything"
    });
    text
}

fn outputs(step: &Step, paper: &Paper) -> Vec<(String, String)> {
    let tail = |artifact: &Artifact| {
        let tail = artifact.tail.as_ref()?;
        let title = match artifact.bytes > tail.len() as u64 {
            true => format!("end of {}, {} in all", artifact.name, bytes(artifact.bytes)),
            false => artifact.name.clone(),
        };
        Some((title, paper.lines(tail)))
    };
    step.artifacts.iter().filter_map(tail).collect()
}

fn refused(step: &Step, paper: &Paper) -> Table {
    let all = step.coverage.as_ref().map_or(0, |coverage| coverage.denied);
    let listed = step
        .denials
        .iter()
        .fold(0, |sum: u64, denied| sum.saturating_add(denied.count));
    Table::of(
        format!(
            "Refused: {}",
            counted(all.max(listed), "request", "requests")
        ),
        &["code", "wanted", "of", "times"],
        &step.denials,
        paper,
        |denied| {
            vec![
                paper.name(&denied.code),
                paper.name(&denied.wanted),
                denied
                    .path
                    .as_ref()
                    .map_or("–".to_owned(), |path| paper.text(path)),
                grouped(denied.count),
            ]
        },
    )
}

fn changes(step: &Step, run: &Run, paper: &Paper) -> Table {
    let fate = run
        .changes
        .iter()
        .rev()
        .find(|change| change.step.as_ref() == Some(&step.id));
    let fate = match (fate, &step.patch) {
        (Some(change), _) if change.applied => {
            format!(", brought back in record {}", change.record)
        }
        (Some(change), _) => format!(", taken back in record {}", change.record),
        (None, Some(_)) => ", not brought back".to_owned(),
        (None, None) => String::new(),
    };
    let content = |digest: &Option<Digest>| match digest {
        Some(digest) => digest.to_string(),
        None => "–".to_owned(),
    };
    let mut table = Table::of(
        format!(
            "Changed: {}{fate}",
            counted(step.writes_total, "file", "files")
        ),
        &["what", "path", "content afterwards"],
        &step.writes,
        paper,
        |write| {
            vec![
                paper.name(&write.op),
                paper.text(&write.path),
                content(&write.after),
            ]
        },
    );
    let all = usize::try_from(step.writes_total).unwrap_or(usize::MAX);
    if all > step.writes.len() {
        table.more = Some(format!(
            "the tape names the first {} of {} changes",
            step.writes.len(),
            grouped(step.writes_total)
        ));
    }
    if let Some(patch) = &step.patch {
        table.rows.push(vec![
            "patch".to_owned(),
            counted(patch.changes, "path", "paths"),
            marked(&patch.digest, patch.kept),
        ]);
    }
    table
}

fn artifacts(step: &Step, paper: &Paper) -> Table {
    let count = step.artifacts.len() as u64;
    Table::of(
        format!("Kept: {}", counted(count, "artifact", "artifacts")),
        &["name", "type", "size", "digest"],
        &step.artifacts,
        paper,
        |artifact| {
            vec![
                paper.name(&artifact.name),
                artifact
                    .media_type
                    .as_ref()
                    .map_or("stream".to_owned(), |media| paper.name(media)),
                bytes(artifact.bytes),
                marked(&artifact.digest, artifact.kept),
            ]
        },
    )
}

/// A digest, and what is amiss with its bytes.
fn marked(digest: &Digest, kept: Kept) -> String {
    match kept {
        Kept::Present => digest.to_string(),
        kept => format!("{digest} ({})", kept.as_str()),
    }
}

fn samples(step: &Step, paper: &Paper) -> Table {
    // The last ones tell how it ended.
    let from = step.samples.len().saturating_sub(MAX_ENTRIES);
    let mut table = Table::of(
        format!(
            "Watched: {}",
            counted(step.samples.len() as u64, "reading", "readings")
        ),
        &[
            "after", "fuel", "memory", "output", "written", "pressure", "state",
        ],
        &step.samples[from..],
        paper,
        |sample: &Sample| {
            let pressure = match sample.pressure {
                Pressure::Low => "low",
                Pressure::Medium => "medium",
                Pressure::High => "high",
            };
            vec![
                span(sample.wall_ms.used.saturating_mul(1_000)),
                format!("{} %", sample.fuel.percent()),
                format!("{} %", sample.memory.percent()),
                bytes(sample.output.used),
                bytes(sample.written.used),
                pressure.to_owned(),
                paper.name(&sample.state),
            ]
        },
    );
    if from > 0 {
        table.more = more(step.samples.len(), table.rows.len(), "earlier readings");
    }
    table
}
