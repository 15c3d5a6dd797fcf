//! Tapes with runs, made record by record, so that every mistake can be made as well.

use std::collections::HashMap;
use std::io::Cursor;

use leasehold_report::{Places, ReportError, Run, Which, read_run, read_run_at};
use leasehold_seal::{Digest, KeyId, Timestamp, canonical};
use leasehold_tape::call::{
    Charge, Coverage, Ending, Intent, Outcome, Status, Stream, new_call_id,
};
use leasehold_tape::record::Frame;
use leasehold_tape::run::{
    CacheHit, Counts, PlanDoc, PlanStep, RulesFrom, RunFinished, RunStarted, StepResult,
};
use leasehold_tape::session::Opened;
use leasehold_tape::verdict::{Finding, GateVerdict, Judgement, Level, Location, Quote, Verdict};
use leasehold_tape::{Appended, Kind, tree};
use serde::Serialize;

/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000;
/// What every call is charged.
pub(crate) const FUEL: u64 = 1_000_000_000;

/// A tape and its content store.
pub(crate) struct Tape {
    id: Digest,
    /// Lines without line feed.
    pub(crate) lines: Vec<Vec<u8>>,
    /// Microseconds since the start, for the next record.
    pub(crate) now_us: u64,
    pub(crate) store: HashMap<Digest, Vec<u8>>,
    calls: u64,
}

impl Tape {
    pub(crate) fn new() -> Self {
        let opened = Opened::new(KeyId::from_digest(Digest::of(b"host")), &[7; 32]);
        let mut tape = Tape {
            id: opened.tape_id(),
            lines: Vec::new(),
            now_us: 0,
            store: HashMap::new(),
            calls: 0,
        };
        tape.push(Kind::TapeOpened, &opened);
        tape
    }

    /// Appends a record a millisecond after the last; gives its number.
    pub(crate) fn push(&mut self, kind: Kind, body: &impl Serialize) -> u64 {
        let seq = self.lines.len() as u64;
        let frame = Frame {
            tape: self.id,
            seq,
            prev: self.lines.last().map(|line| tree::leaf(line)),
            time: at(self.now_us),
            mono_us: 5_000_000 + self.now_us,
            boot: "boot-1",
            kind: &kind,
        };
        let mut line = Vec::new();
        frame.encode(&canonical::to_vec(body).unwrap(), &mut line);
        self.lines.push(line);
        self.now_us += 1_000;
        seq
    }

    pub(crate) fn leaf(&self, seq: u64) -> Digest {
        tree::leaf(&self.lines[usize::try_from(seq).unwrap()])
    }

    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.store.insert(digest, bytes.to_vec());
        digest
    }

    pub(crate) fn keep_json(&mut self, value: &impl Serialize) -> Digest {
        self.keep(&serde_json::to_vec(value).unwrap())
    }

    pub(crate) fn records(&self) -> Vec<u8> {
        self.lines
            .iter()
            .flat_map(|line| [line, b"\n".as_slice()].concat())
            .collect()
    }

    pub(crate) fn try_read(&self, which: &Which) -> Result<Run, ReportError> {
        read_run(
            Cursor::new(self.records()),
            &|digest| self.store.get(digest).cloned(),
            which,
        )
    }

    /// Where the record of this number stands.
    pub(crate) fn place(&self, seq: u64) -> Appended {
        let before = &self.lines[..usize::try_from(seq).unwrap()];
        Appended {
            seq,
            leaf: self.leaf(seq),
            offset: before.iter().map(|line| line.len() as u64 + 1).sum(),
        }
    }

    /// The run as whoever has run it reads it: from its own places on.
    pub(crate) fn read_at(
        &self,
        run: &str,
        started: Appended,
        originals: Vec<Appended>,
    ) -> Result<Run, ReportError> {
        let places = Places {
            tape: self.id,
            run: started,
            originals,
        };
        let store = |digest: &Digest| self.store.get(digest).cloned();
        read_run_at(Cursor::new(self.records()), &store, run, &places)
    }

    pub(crate) fn read(&self) -> Run {
        self.try_read(&Which::Latest).unwrap()
    }

    /// An id as a run or call made now would have.
    pub(crate) fn new_id(&mut self) -> String {
        self.calls += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.calls.to_be_bytes());
        new_call_id(at(self.now_us), random)
    }
}

pub(crate) fn at(micros: u64) -> Timestamp {
    Timestamp::from_millis(START + i64::try_from(micros / 1_000).unwrap()).unwrap()
}

/// A step of a plan: a gate that reads everything.
pub(crate) fn gate(id: &str, needs: &[&str]) -> PlanStep {
    PlanStep {
        config: None,
        id: id.to_owned(),
        kind: "gate".to_owned(),
        line: 3,
        name: id.to_owned(),
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        plugin: Digest::of(id.as_bytes()),
        rights: Digest::of(b"rights"),
        rights_text: vec!["list  **".to_owned(), "read  **".to_owned()],
        skip: Vec::new(),
        writes: false,
    }
}

/// What a call is made to say. Its defaults are a pass.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) status: Status,
    pub(crate) code: Option<String>,
    pub(crate) sentence: String,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) quotes: Vec<Quote>,
    pub(crate) ending: Ending,
    pub(crate) exit: Option<u8>,
    pub(crate) fuel: u64,
    pub(crate) wall_us: u64,
    pub(crate) stdout: Option<Vec<u8>>,
    pub(crate) stderr: Option<Vec<u8>>,
    /// Whether the verdict stands on the tape itself.
    pub(crate) inline: bool,
    /// Changes to the bodies before they are written.
    pub(crate) intent: fn(&mut Intent),
    pub(crate) outcome: fn(&mut Outcome),
}

pub(crate) fn pass(summary: &str) -> Said {
    Said {
        status: Status::Pass,
        code: None,
        sentence: summary.to_owned(),
        verdict: Some(verdict(Judgement::Pass, summary, Vec::new())),
        quotes: Vec::new(),
        ending: Ending::Returned,
        exit: None,
        fuel: 12_345_678,
        wall_us: 250_000,
        stdout: None,
        stderr: None,
        inline: true,
        intent: |_| {},
        outcome: |_| {},
    }
}

pub(crate) fn fail(summary: &str, findings: Vec<Finding>) -> Said {
    Said {
        status: Status::Fail,
        code: Some("GATE-FAILED".to_owned()),
        verdict: Some(verdict(Judgement::Fail, summary, findings)),
        ..pass(summary)
    }
}

pub(crate) fn verdict(outcome: Judgement, summary: &str, findings: Vec<Finding>) -> Verdict {
    Verdict {
        code: None,
        data: None,
        findings,
        outcome,
        summary: summary.to_owned(),
    }
}

pub(crate) fn finding(rule: &str, message: &str, path: &str, line: u32, column: u32) -> Finding {
    Finding {
        at: Some(Location {
            column: Some(column),
            line: Some(line),
            path: path.to_owned(),
        }),
        fingerprint: None,
        level: Level::Error,
        message: message.to_owned(),
        rule: rule.to_owned(),
    }
}

/// A run in the making.
pub(crate) struct Scene {
    pub(crate) tape: Tape,
    pub(crate) run: String,
    pub(crate) plan: Vec<PlanStep>,
    pub(crate) results: Vec<StepResult>,
    pub(crate) halted: Option<String>,
}

impl Scene {
    pub(crate) fn start(plan: Vec<PlanStep>) -> Self {
        Self::on(Tape::new(), plan)
    }

    pub(crate) fn on(mut tape: Tape, plan: Vec<PlanStep>) -> Self {
        let run = tape.new_id();
        let doc = PlanDoc {
            steps: plan.clone(),
            version: 1,
        };
        let body = RunStarted {
            base: Some("8f14e45fceea167a5a36dedd4bea2543f1e2d3c4".to_owned()),
            cache: true,
            jobs: 2,
            leases: vec![Digest::of(b"a lease")],
            lock: Digest::of(b"lock"),
            pipeline: Digest::of(b"pipeline"),
            plan: tape.keep_json(&doc),
            policy: Some(Digest::of(b"policy")),
            rules: RulesFrom {
                commit: None,
                reference: None,
            },
            run: run.clone(),
            shadow: false,
            steps: plan.len() as u64,
            trust: Digest::of(b"trust"),
        };
        tape.push(Kind::RunStarted, &body);
        Scene {
            tape,
            run,
            plan,
            results: Vec::new(),
            halted: None,
        }
    }

    fn planned(&self, step: &str) -> PlanStep {
        self.plan
            .iter()
            .find(|planned| planned.id == step)
            .unwrap()
            .clone()
    }

    /// An intent; gives the call's id and the number of the record.
    pub(crate) fn intent(&mut self, step: &str, change: fn(&mut Intent)) -> (Intent, u64) {
        let planned = self.planned(step);
        let lease = Digest::of(b"a lease");
        let mut intent = Intent {
            call: self.tape.new_id(),
            charges: vec![Charge {
                fuel: FUEL,
                lease,
                uses: 1,
            }],
            clock_base: at(0),
            config: planned.config,
            effects: planned.writes,
            engine: Digest::of(b"engine"),
            grant: step.to_owned(),
            input: Digest::of(b"input"),
            kind: planned.kind,
            lease: vec![lease],
            plugin: planned.plugin,
            rights: planned.rights,
            run: Some(self.run.clone()),
            seed: Digest::of(b"seed").hex(),
            skip: planned.skip,
            step: Some(step.to_owned()),
        };
        change(&mut intent);
        let seq = self.tape.push(Kind::CallIntent, &intent);
        (intent, seq)
    }

    /// A whole call; gives its id and the number of its outcome's record.
    pub(crate) fn call(&mut self, step: &str, said: Said) -> (String, u64) {
        let (intent, seq) = self.intent(step, said.intent);
        self.tape.now_us += said.wall_us;
        self.end(step, &intent, seq, said)
    }

    /// The records that end a call.
    pub(crate) fn end(
        &mut self,
        step: &str,
        intent: &Intent,
        seq: u64,
        said: Said,
    ) -> (String, u64) {
        let tape = &mut self.tape;
        let mut result = None;
        if let Some(verdict) = &said.verdict {
            let json = verdict.to_json().unwrap();
            let digest = Digest::of(&json);
            if !said.inline {
                tape.keep(&json);
            }
            let quotes = (!said.quotes.is_empty()).then(|| tape.keep_json(&said.quotes));
            let body = GateVerdict {
                call: intent.call.clone(),
                digest,
                quotes,
                verdict: said.inline.then(|| verdict.clone()),
            };
            tape.push(Kind::GateVerdict, &body);
            result = Some(digest);
        }
        let mut stream = |bytes: &Option<Vec<u8>>| {
            bytes.as_ref().map(|bytes| Stream {
                bytes: bytes.len() as u64,
                digest: tape.keep(bytes),
                stored: true,
            })
        };
        let mut outcome = Outcome {
            call: intent.call.clone(),
            code: said.code.clone(),
            command: step.to_owned(),
            coverage: Coverage {
                complete: true,
                denied: 0,
                hidden: 0,
                listed: 120,
                skipped: 0,
            },
            ending: said.ending,
            exit: said.exit,
            fuel: said.fuel,
            stdout: stream(&said.stdout),
            stderr: stream(&said.stderr),
            intent: tape.leaf(seq),
            lease: intent.lease.first().copied(),
            peak_memory: 3 << 20,
            reads: Digest::of(b"reads"),
            result,
            sentence: said.sentence.clone(),
            status: said.status,
            verdict: said.verdict.as_ref().map(|verdict| verdict.outcome),
            wall_us: said.wall_us,
            writes: Vec::new(),
            writes_total: 0,
        };
        (said.outcome)(&mut outcome);
        let seq = tape.push(Kind::CallOutcome, &outcome);
        self.results.push(StepResult {
            call: Some(intent.call.clone()),
            code: outcome.code,
            hit: None,
            sentence: outcome.sentence,
            status: Some(outcome.status),
            step: step.to_owned(),
        });
        (intent.call.clone(), seq)
    }

    /// Uses the result of an earlier call again.
    pub(crate) fn hit(&mut self, step: &str, original: &str, seq: u64, change: fn(&mut CacheHit)) {
        let planned = self.planned(step);
        let mut hit = CacheHit {
            grant: step.to_owned(),
            key: Digest::of(b"key"),
            lease: vec![Digest::of(b"a lease")],
            original: original.to_owned(),
            outcome: self.tape.leaf(seq),
            plugin: planned.plugin,
            reads: Digest::of(b"reads"),
            rights: planned.rights,
            run: self.run.clone(),
            seq,
            step: step.to_owned(),
        };
        change(&mut hit);
        let number = self.tape.push(Kind::CacheHit, &hit);
        self.results.push(StepResult {
            call: Some(hit.original),
            code: None,
            hit: Some(number),
            sentence: "used again".to_owned(),
            status: Some(Status::Pass),
            step: step.to_owned(),
        });
    }

    /// A step without a call.
    pub(crate) fn without(&mut self, step: &str, status: Option<Status>, code: &str, why: &str) {
        self.results.push(StepResult {
            call: None,
            code: Some(code.to_owned()),
            hit: None,
            sentence: why.to_owned(),
            status,
            step: step.to_owned(),
        });
    }

    /// Ends the run with what its results say.
    pub(crate) fn finish(&mut self) -> &mut Self {
        self.finish_with(|_| {})
    }

    /// Ends the run; `change` may alter what it says of itself.
    pub(crate) fn finish_with(&mut self, change: fn(&mut RunFinished)) -> &mut Self {
        let mut counts = Counts::default();
        for result in &self.results {
            *match result.status {
                None => &mut counts.not_run,
                Some(Status::Pass) => &mut counts.pass,
                Some(Status::Fail) => &mut counts.fail,
                Some(Status::Error) => &mut counts.error,
                Some(Status::Blocked) => &mut counts.blocked,
                Some(Status::Skipped) => &mut counts.skipped,
            } += 1;
        }
        let passed =
            self.halted.is_none() && !self.plan.is_empty() && counts.pass == self.plan.len() as u64;
        let mut body = RunFinished {
            counts,
            exit: u64::from(!passed),
            halted: self.halted.clone(),
            passed,
            results: self.tape.keep_json(&self.results),
            run: self.run.clone(),
        };
        change(&mut body);
        self.tape.push(Kind::RunFinished, &body);
        self
    }
}
