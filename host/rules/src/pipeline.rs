//! `leasehold.toml`: which steps a run has.

use std::collections::HashMap;

use leasehold_seal::Digest;
use toml_edit::{ArrayOfTables, Item};

use crate::error::{RulesError, did_you_mean};
use crate::order;
use crate::sentinel::{self, Sentinel};
use crate::source::{Codes, Source, Span};
use crate::step::{self, Step};
use crate::walk::{self, Fields, Walk};

/// The name of the file, beside the tree it judges.
pub const PIPELINE_FILE: &str = "leasehold.toml";
/// The most steps in one pipeline.
pub const MAX_STEPS: usize = 1_000;

/// A pipeline that is well-formed: ids are unique, what is needed is there, and nothing needs itself.
#[derive(Clone, Debug)]
pub struct Pipeline {
    steps: Vec<Step>,
    sentinel: Sentinel,
    order: Vec<usize>,
    digest: Digest,
    pub(crate) source: Source,
}

impl Pipeline {
    /// Reads `leasehold.toml`: TOML in UTF-8, with or without a byte order mark, lines ending in LF or CRLF, at most
    /// [`crate::MAX_FILE_BYTES`] and [`MAX_STEPS`]. An unknown key is an error.
    ///
    /// # Errors
    /// Every problem of the file (but of its TOML syntax only the first, and at most [`crate::MAX_PROBLEMS`]), in the
    /// order of the file, all of class usage: `PIPELINE-TOO-LARGE`, `PIPELINE-ENCODING`, `PIPELINE-SYNTAX`,
    /// `PIPELINE-KEY`, `PIPELINE-TYPE`, `PIPELINE-MISSING`, `PIPELINE-VERSION`, `PIPELINE-EMPTY`, `STEPS-TOO-MANY`,
    /// `STEP-ID`, `STEP-DUPLICATE`, `STEP-KIND`, `STEP-UNKNOWN`, `STEP-CYCLE`, `STEP-VALUE`, `GATE-WRITES`,
    /// `PATTERN-FORMAT`, `PATTERNS-TOO-MANY`, `CONFIG-VALUE`, `EXIT-BOTH`, `VALUE-RANGE`, `PROBLEMS-MORE`.
    pub fn parse(text: &[u8]) -> Result<Self, Vec<RulesError>> {
        let source = Source::read(text, &CODES).map_err(|error| vec![error])?;
        let document = walk::document(&source, &CODES).map_err(|error| vec![error])?;
        let tables = document.get("step").and_then(Item::as_array_of_tables);
        let count = tables.map_or(0, ArrayOfTables::len);
        if count > MAX_STEPS {
            return Err(vec![too_many(count)]);
        }
        let mut walk = Walk::new(&source, &CODES);
        let top = Fields::new(&mut walk, document.as_table(), "", 0..0, &KEYS);
        if count == 0 && top.item("step").is_none() {
            empty(&mut walk);
        }
        if document.as_table().is_empty() {
            return Err(walk.problems.into_errors());
        }
        walk.version(&top);
        if let Some(item) = top.item("step")
            && tables.is_none()
        {
            not_tables(&mut walk, &top, item);
        }
        let (mut steps, needs) = read_steps(&mut walk, tables);
        connect(&mut walk, &mut steps, &needs);
        let order = order::order(&mut walk, &steps);
        let sentinel = sentinel::read(&mut walk, &top);
        if !walk.problems.is_empty() {
            return Err(walk.problems.into_errors());
        }
        Ok(Self {
            steps,
            sentinel,
            order,
            digest: Digest::of(text),
            source,
        })
    }

    /// The steps in the order of the file; at least one.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// When a call, or the whole run, is halted early.
    #[must_use]
    pub fn sentinel(&self) -> &Sentinel {
        &self.sentinel
    }

    /// Positions of the steps so that each comes after those it needs, and otherwise in the order of the file.
    #[must_use]
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// SHA-256 of the file's bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

fn read_steps(walk: &mut Walk<'_>, tables: Option<&ArrayOfTables>) -> (Vec<Step>, Vec<Vec<Span>>) {
    let tables = tables.into_iter().flatten().enumerate();
    tables
        .map(|(index, table)| step::read(walk, table, index + 1))
        .unzip()
}

/// Resolves the ids that steps need, and finds ids that occur twice.
fn connect(walk: &mut Walk<'_>, steps: &mut [Step], spans: &[Vec<Span>]) {
    let mut known: HashMap<String, usize> = HashMap::with_capacity(steps.len());
    for (index, step) in steps.iter().enumerate() {
        // What has no id has been reported.
        if step.spec.id.is_empty() {
            continue;
        }
        if let Some(first) = known.get(&step.spec.id) {
            duplicate(walk, steps.get(*first), step);
        } else {
            known.insert(step.spec.id.clone(), index);
        }
    }
    let ids: Vec<String> = steps.iter().map(|step| step.spec.id.clone()).collect();
    for ((index, step), spans) in steps.iter_mut().enumerate().zip(spans) {
        for (need, span) in step.spec.needs.iter().zip(spans) {
            match known.get(need) {
                Some(other) if *other == index => walk.report(span, || {
                    let sentence = format!("the step {need:?} needs itself");
                    RulesError::usage("STEP-CYCLE", sentence).with_hint("leave it out of `needs`")
                }),
                Some(other) if step.needs.contains(other) => {}
                Some(other) => step.needs.push(*other),
                None => walk.report(span, || unknown(&step.spec.id, need, &ids)),
            }
        }
    }
}

fn duplicate(walk: &mut Walk<'_>, first: Option<&Step>, second: &Step) {
    let source = walk.source;
    let span = second.key_span("id").clone();
    walk.problems.add(span.start, || {
        let sentence = format!("two steps have the id {:?}", second.spec.id);
        let error = RulesError::usage("STEP-DUPLICATE", sentence)
            .with_hint("give one of them another id; grants and reports name steps by it")
            .at(source, &span);
        match first {
            Some(first) => error.at(source, first.key_span("id")),
            None => error,
        }
    });
}

fn unknown(id: &str, need: &str, ids: &[String]) -> RulesError {
    let others = ids.iter().map(String::as_str).filter(|other| *other != id);
    let hint = did_you_mean(need, others)
        .unwrap_or_else(|| "`needs` names steps of this file by their id".to_owned());
    let sentence = format!("the step {id:?} needs {need:?}, which is not a step");
    RulesError::usage("STEP-UNKNOWN", sentence).with_hint(hint)
}

fn empty(walk: &mut Walk<'_>) {
    walk.report(&(0..0), || {
        RulesError::usage("PIPELINE-EMPTY", format!("{PIPELINE_FILE} has no steps"))
            .with_hint("add one, for example with `leasehold plugin add NAME --step`")
    });
}

fn too_many(count: usize) -> RulesError {
    let sentence = format!("{PIPELINE_FILE} has {count} steps, the most is {MAX_STEPS}");
    RulesError::usage("STEPS-TOO-MANY", sentence)
        .with_hint("let a step judge more files, or split the pipeline")
}

fn not_tables(walk: &mut Walk<'_>, top: &Fields<'_>, item: &Item) {
    walk.report(&top.key_span("step"), || {
        let found = walk::kind_of(item);
        let sentence = format!("`step`: expected [[step]] tables, found {found}");
        RulesError::usage(CODES.wrong_type, sentence)
            .with_hint("begin each step with a line [[step]]")
    });
}

static CODES: Codes = Codes {
    file: PIPELINE_FILE,
    too_large: "PIPELINE-TOO-LARGE",
    encoding: "PIPELINE-ENCODING",
    syntax: "PIPELINE-SYNTAX",
    key: "PIPELINE-KEY",
    wrong_type: "PIPELINE-TYPE",
    missing: "PIPELINE-MISSING",
    version: "PIPELINE-VERSION",
};

const KEYS: [&str; 3] = ["version", "step", "sentinel"];
