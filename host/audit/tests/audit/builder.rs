//! Tapes made line by line, so that every mistake can be made as well.

use leasehold_audit::{Expect, Finding, Report, check};
use leasehold_seal::{
    ApprovalRule, Digest, RightKind, Role, SecretKey, Timestamp, Trust, TrustedKey, canonical, note,
};
use leasehold_tape::call::{Charge, Coverage, Ending, Intent, Outcome, Status, new_call_id};
use leasehold_tape::record::Frame;
use leasehold_tape::session::Opened;
use leasehold_tape::tree::Frontier;
use leasehold_tape::{Checkpoint, Kind, checkpoint, tree};
use serde::Serialize;
use serde_json::{Value, json};

/// 2026-01-01T00:00:00Z.
pub(crate) const START: i64 = 1_767_225_600_000;
/// What a good grant reserves.
pub(crate) const FUEL: u64 = 1000;

pub(crate) fn host() -> SecretKey {
    SecretKey::from_pkcs8_pem(include_str!("../../../../fixtures/keys/host.pem")).unwrap()
}

pub(crate) fn issuer() -> SecretKey {
    SecretKey::from_pkcs8_pem(include_str!("../../../../fixtures/keys/issuer.pem")).unwrap()
}

pub(crate) fn other() -> SecretKey {
    SecretKey::from_pkcs8_pem(include_str!("../../../../fixtures/keys/other.pem")).unwrap()
}

/// Approves leases that write.
pub(crate) fn approver() -> SecretKey {
    SecretKey::from_seed([31; 32])
}

pub(crate) fn revoker() -> SecretKey {
    SecretKey::from_seed([32; 32])
}

pub(crate) fn trust() -> Trust {
    let keys = vec![
        TrustedKey::new("issuer", issuer().public(), [Role::Issuer]),
        TrustedKey::new("host", host().public(), [Role::Host]),
        TrustedKey::new("approver", approver().public(), [Role::Approver]),
        TrustedKey::new("revoker", revoker().public(), [Role::Revoker]),
    ];
    let writes = ApprovalRule::new([RightKind::Write], 1);
    let trust = Trust::new(keys, 1).unwrap();
    trust.with_approvals(vec![writes]).unwrap()
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis).unwrap()
}

pub(crate) fn call_id(number: u8) -> String {
    new_call_id(at(0), [number; 10])
}

pub(crate) fn lease() -> Digest {
    Digest::of(b"a lease")
}

pub(crate) fn intent(number: u8) -> Intent {
    Intent {
        call: call_id(number),
        charges: vec![Charge {
            fuel: FUEL,
            lease: lease(),
            uses: 1,
        }],
        clock_base: at(0),
        config: None,
        effects: false,
        engine: Digest::of(b"engine"),
        grant: "structure".to_owned(),
        input: Digest::of(b"input"),
        kind: "gate".to_owned(),
        lease: vec![lease()],
        plugin: Digest::of(b"plugin"),
        rights: Digest::of(b"rights"),
        run: None,
        seed: Digest::of(b"seed").hex(),
        skip: Vec::new(),
        step: None,
    }
}

pub(crate) fn outcome(number: u8, ending: Ending, fuel: u64) -> Outcome {
    Outcome {
        call: call_id(number),
        code: None,
        command: "structure-lock".to_owned(),
        coverage: Coverage {
            complete: true,
            denied: 0,
            hidden: 0,
            listed: 12,
            skipped: 0,
        },
        ending,
        exit: None,
        fuel,
        intent: Digest::of(b"intent"),
        lease: Some(lease()),
        peak_memory: 1 << 20,
        reads: Digest::of(b"reads"),
        result: Some(Digest::of(b"result")),
        sentence: "all is well".to_owned(),
        status: Status::Pass,
        stderr: None,
        stdout: None,
        verdict: None,
        wall_us: 1234,
        writes: Vec::new(),
        writes_total: 0,
    }
}

/// A tape in the making. Each record is one second later than the one before.
#[derive(Clone)]
pub(crate) struct Builder {
    pub(crate) tape: Digest,
    /// Lines without line feed.
    pub(crate) lines: Vec<Vec<u8>>,
    pub(crate) time: i64,
}

impl Builder {
    /// A tape of the host of the fixtures, with its first record.
    pub(crate) fn new() -> Self {
        Self::with(&host(), &[7; 32])
    }

    pub(crate) fn with(host: &SecretKey, nonce: &[u8; 32]) -> Self {
        let opened = Opened::new(host.public().key_id(), nonce);
        let mut builder = Self {
            tape: opened.tape_id(),
            lines: Vec::new(),
            time: 0,
        };
        builder.push(Kind::TapeOpened, &opened);
        builder
    }

    /// Appends a record. The outcome of a call whose intent is on the tape names that intent, unless it names one already.
    pub(crate) fn push(&mut self, kind: Kind, body: &impl Serialize) -> &mut Self {
        let mut body = serde_json::to_value(body).unwrap();
        if kind == Kind::CallOutcome
            && body["intent"] == json!(Digest::of(b"intent"))
            && let Some((leaf, lease)) = self.intent_of(&body["call"])
        {
            body["intent"] = json!(leaf);
            body["lease"] = lease;
        }
        let line = self.line(&kind, &canonical::to_vec(&body).unwrap());
        self.lines.push(line);
        self.time += 1000;
        self
    }

    /// The leaf of a call's latest intent, and the lease it names first.
    fn intent_of(&self, call: &Value) -> Option<(Digest, Value)> {
        self.lines.iter().rev().find_map(|line| {
            let value: Value = serde_json::from_slice(line).unwrap_or_default();
            let own = value["kind"] == "call.intent" && value["body"]["call"] == *call;
            own.then(|| (tree::leaf(line), value["body"]["lease"][0].clone()))
        })
    }

    pub(crate) fn note(&mut self, text: &str) -> &mut Self {
        self.push(
            Kind::Other("test.note".to_owned()),
            &json!({ "text": text }),
        )
    }

    pub(crate) fn closed(&mut self, open_calls: u64) -> &mut Self {
        self.push(Kind::TapeClosed, &json!({ "open_calls": open_calls }))
    }

    pub(crate) fn call(&mut self, number: u8) -> &mut Self {
        self.push(Kind::CallIntent, &intent(number));
        self.push(Kind::CallOutcome, &outcome(number, Ending::Returned, 400))
    }

    /// The next line with this body.
    pub(crate) fn line(&self, kind: &Kind, body: &[u8]) -> Vec<u8> {
        let mut line = Vec::new();
        let frame = Frame {
            tape: self.tape,
            seq: self.lines.len() as u64,
            prev: self.lines.last().map(|line| tree::leaf(line)),
            time: at(self.time),
            mono_us: 1_000_000 + self.time.unsigned_abs() * 1000,
            boot: "boot-1",
            kind,
        };
        frame.encode(body, &mut line);
        line
    }

    /// Builds every line after the first `keep` again, with its own kind, time and body, so that the
    /// chain holds; `change` may alter the body.
    pub(crate) fn rebuilt(&self, keep: usize, change: impl Fn(usize, &mut Value)) -> Self {
        let mut copy = self.clone();
        copy.lines.truncate(keep);
        for (number, line) in self.lines.iter().enumerate().skip(keep) {
            let value: Value = serde_json::from_slice(line).unwrap();
            let mut body = value["body"].clone();
            if value["kind"] == "call.outcome" {
                // The intent it names is built again as well.
                body["intent"] = json!(Digest::of(b"intent"));
            }
            change(number, &mut body);
            let time: Timestamp = value["time"].as_str().unwrap().parse().unwrap();
            copy.time = time.as_millis() - START;
            let kind = Kind::parse(value["kind"].as_str().unwrap()).unwrap();
            copy.push(kind, &body);
        }
        copy.time = self.time;
        copy
    }

    pub(crate) fn records(&self) -> Vec<u8> {
        join(&self.lines)
    }

    /// The root over the first `size` records.
    pub(crate) fn root(&self, size: usize) -> Digest {
        let mut frontier = Frontier::new();
        for line in &self.lines[..size] {
            frontier.append(tree::leaf(line));
        }
        frontier.root()
    }

    /// The checkpoint over everything, by the host.
    pub(crate) fn checkpoint(&self) -> String {
        self.checkpoint_at(self.lines.len())
    }

    pub(crate) fn checkpoint_at(&self, size: usize) -> String {
        let checkpoint = Checkpoint {
            tape: self.tape,
            size: size as u64,
            root: self.root(size),
        };
        checkpoint.sign(&host()).unwrap()
    }

    /// A signed note with any text, under the tape's origin.
    pub(crate) fn sign_text(&self, text: &str, key: &SecretKey) -> String {
        note::sign(text, &checkpoint::origin(&self.tape), key).unwrap()
    }
}

pub(crate) fn join(lines: &[Vec<u8>]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| [line, b"\n".as_slice()].concat())
        .collect()
}

/// A small closed tape: two calls, one without outcome.
pub(crate) fn small() -> Builder {
    let mut builder = Builder::new();
    builder.call(1).push(Kind::CallIntent, &intent(2)).closed(1);
    builder
}

pub(crate) fn audit(records: &[u8], checkpoint: Option<&str>) -> Report {
    audit_expecting(records, checkpoint, &Expect::default())
}

pub(crate) fn audit_expecting(records: &[u8], checkpoint: Option<&str>, expect: &Expect) -> Report {
    check(records, checkpoint.map(str::as_bytes), &trust(), expect).unwrap()
}

/// The bytes with a digest, out of these.
pub(crate) fn among(stored: &[Vec<u8>]) -> impl Fn(&Digest) -> Option<Vec<u8>> {
    move |digest| {
        let mut stored = stored.iter();
        stored.find(|bytes| Digest::of(bytes) == *digest).cloned()
    }
}

/// `CLOSED`, `OPEN n` or `BROKEN seq CODE`.
pub(crate) fn verdict(report: &Report) -> String {
    match &report.finding {
        Finding::Closed => "CLOSED".to_owned(),
        Finding::Open { unproven_from } => format!("OPEN {unproven_from}"),
        Finding::Broken {
            seq, line, code, ..
        } => {
            assert_eq!(*line, seq + 1);
            format!("BROKEN {seq} {code}")
        }
    }
}
