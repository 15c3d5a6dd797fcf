//! The numbered cases of `fixtures/tape`: bytes, and the verdict they must get.

use leasehold_audit::Expect;
use leasehold_seal::{Digest, note};
use leasehold_tape::call::{Charge, Ending, Outcome};
use leasehold_tape::session::Recovered;
use leasehold_tape::{Kind, LeaseVerified, checkpoint, tree};
use serde_json::{Value, json};

use crate::builder::{Builder, FUEL, at, intent, join, lease, other, outcome, small};

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) records: Vec<u8>,
    pub(crate) checkpoint: Option<String>,
    pub(crate) expect: Expect,
    /// What is at hand of the content store.
    pub(crate) store: Vec<Vec<u8>>,
    /// As `builder::verdict` writes it.
    pub(crate) verdict: &'static str,
}

/// In the order of their numbers; a new case goes to the end.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = good();
    cases.extend(records());
    cases.extend(chains());
    cases.extend(checkpoints());
    cases.extend(calls());
    cases.extend(expectations());
    cases.extend(later());
    cases.extend(crate::chains::cases());
    cases
}

pub(crate) fn case(
    name: &'static str,
    about: &'static str,
    records: Vec<u8>,
    checkpoint: Option<String>,
    verdict: &'static str,
) -> Case {
    let expect = Expect::default();
    Case {
        name,
        about,
        records,
        checkpoint,
        expect,
        store: Vec::new(),
        verdict,
    }
}

/// A tape that is closed and signed as it stands.
pub(crate) fn whole(
    name: &'static str,
    about: &'static str,
    tape: &Builder,
    verdict: &'static str,
) -> Case {
    case(
        name,
        about,
        tape.records(),
        Some(tape.checkpoint()),
        verdict,
    )
}

fn verified(expires: i64) -> LeaseVerified {
    let envelope = Digest::of(b"an envelope that is not at hand");
    LeaseVerified::new(envelope, lease(), at(0), at(expires))
}

fn good() -> Vec<Case> {
    let mut least = Builder::new();
    least.closed(0);
    let mut calls = Builder::new();
    calls
        .push(Kind::LeaseVerified, &verified(600_000))
        .call(1)
        .push(Kind::CallIntent, &intent(2))
        .push(Kind::CallIntent, &intent(3))
        .push(
            Kind::AccessDenied,
            &json!({"call": intent(2).call, "code": "PATH-DENIED", "count": 2, "path": "ü/.env", "wanted": "read"}),
        )
        .push(Kind::CallOutcome, &outcome(3, Ending::Exhausted, 0))
        .push(Kind::CallOutcome, &outcome(2, Ending::Exited, FUEL))
        .closed(0);
    let mut again = small();
    again.note("after the first session").closed(1);
    let mut recovered = Builder::new();
    recovered
        .push(
            Kind::TapeRecovered,
            &Recovered {
                at: 1,
                bytes: 4,
                digest: Digest::of(b"torn"),
            },
        )
        .closed(0);
    let mut tail = small();
    tail.note("not signed").note("neither");
    let mut largest = Builder::new();
    let empty = largest.clone().note("").lines[1].len();
    largest.note(&"x".repeat(65_535 - empty)).closed(0);
    let mut back = Builder::new();
    back.note("now");
    back.time -= 301_000;
    back.note("300 seconds before").closed(0);
    let mut unsigned_close = Builder::new();
    unsigned_close.call(1);
    let before_close = unsigned_close.checkpoint();
    unsigned_close.closed(0);
    vec![
        whole("closed-empty", "opened and closed", &least, "CLOSED"),
        whole("closed-calls", "three calls that overlap", &calls, "CLOSED"),
        whole(
            "closed-open-call",
            "a call without outcome counts as spent in full",
            &small(),
            "CLOSED",
        ),
        whole(
            "closed-twice",
            "a second session after the first was closed",
            &again,
            "CLOSED",
        ),
        whole(
            "recovered",
            "a torn tail was cut and recorded",
            &recovered,
            "CLOSED",
        ),
        whole(
            "largest-record",
            "a record of 65,535 bytes",
            &largest,
            "CLOSED",
        ),
        whole(
            "clock-300-seconds-back",
            "as far back as a clock may go",
            &back,
            "CLOSED",
        ),
        case(
            "open-tail",
            "two records that no checkpoint covers",
            tail.records(),
            Some(small().checkpoint()),
            "OPEN 5",
        ),
        case(
            "open-unsigned",
            "no checkpoint at all",
            small().records(),
            None,
            "OPEN 0",
        ),
        whole(
            "open-not-closed",
            "signed, but its last record is not tape.closed",
            &{
                let mut tape = Builder::new();
                tape.note("still running");
                tape
            },
            "OPEN 2",
        ),
        case(
            "open-close-not-signed",
            "the checkpoint is older than tape.closed",
            unsigned_close.records(),
            Some(before_close),
            "OPEN 3",
        ),
    ]
}

fn records() -> Vec<Case> {
    let tape = small();
    let signed = || Some(tape.checkpoint());
    let text = String::from_utf8(tape.records()).unwrap();
    let changed = |from: &str, to: &str| {
        let bytes = text.replacen(from, to, 1).into_bytes();
        assert_ne!(bytes, text.as_bytes());
        bytes
    };
    // A tape whose second line was made by hand; the chain goes on from it.
    let by_hand = |line: &dyn Fn(String) -> String| {
        let mut tape = Builder::new();
        let good = tape.line(&Kind::RunStarted, br#"{"a":1,"b":2}"#);
        let bad = line(String::from_utf8(good.clone()).unwrap()).into_bytes();
        assert_ne!(bad, good);
        tape.lines.push(bad);
        tape.closed(0);
        (tape.records(), Some(tape.checkpoint()))
    };
    let hand = |name, about, code, line: &dyn Fn(String) -> String| {
        let (records, checkpoint) = by_hand(line);
        case(name, about, records, checkpoint, code)
    };
    let mut large = Builder::new();
    let empty = large.clone().note("").lines[1].len();
    large.note(&"x".repeat(65_536 - empty)).closed(0);
    vec![
        case(
            "byte-changed",
            "one digit of a body",
            changed("1234", "1235"),
            signed(),
            "BROKEN 3 RECORD-CHAIN",
        ),
        case(
            "crlf",
            "a carriage return before a line feed",
            changed("}\n", "}\r\n"),
            signed(),
            "BROKEN 0 RECORD-FORMAT",
        ),
        case(
            "nul-tail",
            "NUL bytes after the last record",
            [text.as_bytes(), &[0; 64]].concat(),
            signed(),
            "BROKEN 5 RECORD-TORN",
        ),
        case(
            "no-last-line-feed",
            "the last line feed is missing",
            text.trim_end().as_bytes().to_vec(),
            signed(),
            "BROKEN 4 RECORD-TORN",
        ),
        case(
            "torn",
            "half a record at the end",
            [text.as_bytes(), b"{\"body\":{\"te"].concat(),
            signed(),
            "BROKEN 5 RECORD-TORN",
        ),
        case(
            "empty-line",
            "a line of nothing",
            changed("}\n", "}\n\n"),
            signed(),
            "BROKEN 1 RECORD-FORMAT",
        ),
        whole(
            "too-large",
            "a record of 65,536 bytes",
            &large,
            "BROKEN 1 RECORD-TOO-LARGE",
        ),
        hand(
            "space",
            "not canonical: a space",
            "BROKEN 1 RECORD-FORMAT",
            &|line| line.replacen("\"a\":1", "\"a\": 1", 1),
        ),
        hand(
            "key-order",
            "not canonical: keys out of order",
            "BROKEN 1 RECORD-FORMAT",
            &|line| line.replacen("\"a\":1,\"b\":2", "\"b\":2,\"a\":1", 1),
        ),
        hand(
            "duplicate-key",
            "a key twice in a body",
            "BROKEN 1 RECORD-FORMAT",
            &|line| line.replacen("\"b\":2", "\"a\":2", 1),
        ),
        hand(
            "integer-too-large",
            "2^53 in a body",
            "BROKEN 1 RECORD-FORMAT",
            &|line| line.replacen("\"b\":2", "\"b\":9007199254740992", 1),
        ),
        hand(
            "fraction",
            "a fraction in a body",
            "BROKEN 1 RECORD-FORMAT",
            &|line| line.replacen("\"b\":2", "\"b\":2.5", 1),
        ),
        hand(
            "unknown-field",
            "a tenth field in the frame",
            "BROKEN 1 RECORD-FORMAT",
            &|line| line.replacen(",\"v\":1", ",\"u\":0,\"v\":1", 1),
        ),
        hand(
            "missing-field",
            "no boot id",
            "BROKEN 1 RECORD-FORMAT",
            &|line| line.replacen("\"boot\":\"boot-1\",", "", 1),
        ),
        hand(
            "version-2",
            "another version",
            "BROKEN 1 RECORD-FORMAT",
            &|line| line.replacen("\"v\":1}", "\"v\":2}", 1),
        ),
        hand(
            "seq-leading-zero",
            "seq 01",
            "BROKEN 1 RECORD-FORMAT",
            &|line| line.replacen("\"seq\":1", "\"seq\":01", 1),
        ),
        hand(
            "time-other-spelling",
            "the same time, spelled with a fraction",
            "BROKEN 1 RECORD-FORMAT",
            &|line| line.replacen("00:00:01Z", "00:00:01.000Z", 1),
        ),
        hand(
            "body-not-an-object",
            "a body that is a number",
            "BROKEN 1 RECORD-FORMAT",
            &|line| line.replacen("{\"a\":1,\"b\":2}", "1", 1),
        ),
    ]
}

fn chains() -> Vec<Case> {
    let tape = small();
    let signed = || Some(tape.checkpoint());
    let lines = &tape.lines;
    let pick = |order: &[usize]| {
        let picked: Vec<_> = order.iter().map(|at| lines[*at].clone()).collect();
        join(&picked)
    };
    // The same calls on another tape of the same host: equal numbers, other chain.
    let mut foreign = Builder::with(&crate::builder::host(), &[8; 32]);
    foreign.call(1).push(Kind::CallIntent, &intent(2)).closed(1);
    let spliced = [&lines[..3], &foreign.lines[3..]].concat();
    let mut inserted = lines[..2].to_vec();
    let mut extra = tape.clone();
    extra.lines.truncate(2);
    inserted.push(extra.line(&Kind::RunStarted, b"{}"));
    inserted.extend_from_slice(&lines[2..]);
    let forged = tape.rebuilt(2, |number, body| {
        if number == 2 {
            body["fuel"] = json!(1);
        }
    });
    let stranger = other();
    let mut taken_over = Builder::with(&stranger, &[7; 32]);
    taken_over.call(1).closed(0);
    let forged_head = {
        let text = checkpoint_text(&forged);
        forged.sign_text(&text, &stranger)
    };
    let stranger_head = taken_over.sign_text(&checkpoint_text(&taken_over), &stranger);
    let other_tape = {
        let mut tape = Builder::new();
        let other = Builder::with(&crate::builder::host(), &[8; 32]);
        let mut line = tape.line(&Kind::RunStarted, b"{}");
        let text = String::from_utf8(line).unwrap();
        line = text
            .replace(&tape.tape.to_string(), &other.tape.to_string())
            .into_bytes();
        tape.lines.push(line);
        tape.closed(0);
        tape
    };
    let mut second_genesis = Builder::new();
    let opened: Value = serde_json::from_slice(&second_genesis.lines[0]).unwrap();
    second_genesis
        .push(Kind::TapeOpened, &opened["body"])
        .closed(0);
    let mut not_opened = Builder::new();
    not_opened.lines.clear();
    not_opened.closed(0);
    let mut back = Builder::new();
    back.note("now");
    back.time -= 301_001;
    back.note("more than 300 seconds before").closed(0);
    vec![
        case(
            "dropped",
            "a record in the middle is missing",
            pick(&[0, 1, 3, 4]),
            signed(),
            "BROKEN 2 RECORD-SEQ",
        ),
        case(
            "first-dropped",
            "record 0 is missing",
            pick(&[1, 2, 3, 4]),
            signed(),
            "BROKEN 0 RECORD-SEQ",
        ),
        case(
            "tail-dropped",
            "the last record is missing",
            pick(&[0, 1, 2, 3]),
            signed(),
            "BROKEN 3 TAPE-TRUNCATED",
        ),
        case(
            "emptied",
            "all records are missing",
            Vec::new(),
            signed(),
            "BROKEN 0 RECORD-GENESIS",
        ),
        case(
            "doubled",
            "a record twice",
            pick(&[0, 1, 1, 2, 3, 4]),
            signed(),
            "BROKEN 2 RECORD-SEQ",
        ),
        case(
            "swapped",
            "two records changed places",
            pick(&[0, 2, 1, 3, 4]),
            signed(),
            "BROKEN 1 RECORD-SEQ",
        ),
        case(
            "inserted",
            "a well-made record in between",
            join(&inserted),
            signed(),
            "BROKEN 3 RECORD-SEQ",
        ),
        case(
            "spliced",
            "the end of another tape of this host, with equal numbers",
            join(&spliced),
            signed(),
            "BROKEN 3 RECORD-CHAIN",
        ),
        case(
            "replaced",
            "all records of another tape of this host",
            foreign.records(),
            signed(),
            "BROKEN 4 KEY-UNTRUSTED",
        ),
        case(
            "rewritten",
            "a body changed and the chain computed again",
            forged.records(),
            signed(),
            "BROKEN 4 CHECKPOINT-ROOT",
        ),
        case(
            "rewritten-and-signed",
            "and signed, by a key that is not the host's",
            forged.records(),
            Some(forged_head),
            "BROKEN 4 KEY-UNTRUSTED",
        ),
        case(
            "other-host",
            "a tape of a host that is not trusted, signed by it",
            taken_over.records(),
            Some(stranger_head),
            "BROKEN 0 KEY-UNTRUSTED",
        ),
        whole(
            "other-tape-id",
            "a record that names another tape, within the chain",
            &other_tape,
            "BROKEN 1 RECORD-TAPE",
        ),
        whole(
            "opened-twice",
            "tape.opened in the middle",
            &second_genesis,
            "BROKEN 1 RECORD-GENESIS",
        ),
        whole(
            "not-opened",
            "the first record is not tape.opened",
            &not_opened,
            "BROKEN 0 RECORD-GENESIS",
        ),
        whole(
            "clock-back",
            "one millisecond more than 300 seconds back",
            &back,
            "BROKEN 2 CLOCK-BACK",
        ),
        case(
            "genesis-replaced",
            "record 0 with another nonce",
            {
                let other = Builder::with(&crate::builder::host(), &[9; 32]);
                join(&[&other.lines[..1], &lines[1..]].concat())
            },
            signed(),
            "BROKEN 1 RECORD-CHAIN",
        ),
        whole(
            "genesis-id",
            "the tape's id is not that of nonce and host",
            &{
                let mut tape = small();
                tape.tape = Digest::of(b"chosen freely");
                tape.rebuilt(0, |_, _| {})
            },
            "BROKEN 0 RECORD-GENESIS",
        ),
    ]
}

fn checkpoint_text(tape: &Builder) -> String {
    let signed = tape.checkpoint();
    signed.split_once("\n\n").unwrap().0.to_owned() + "\n"
}

fn checkpoints() -> Vec<Case> {
    let tape = small();
    let signed = tape.checkpoint();
    let text = checkpoint_text(&tape);
    let with = |name, about, checkpoint: String, verdict| {
        case(name, about, tape.records(), Some(checkpoint), verdict)
    };
    let resigned = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        tape.sign_text(&changed, &crate::builder::host())
    };
    let signature = signed.rsplit_once("\n\n").unwrap().1.to_owned();
    let stranger = |name: &str| {
        let note = note::sign(&text, name, &other()).unwrap();
        note.rsplit_once("\n\n").unwrap().1.to_owned()
    };
    let sixteen: String = (0..16)
        .map(|n| stranger(&format!("stranger-{n}")))
        .collect();
    let foreign = Builder::with(&crate::builder::host(), &[8; 32]).checkpoint();
    let mut bad_signature = signed.clone().into_bytes();
    let at = bad_signature.len() - 30;
    bad_signature[at] = if bad_signature[at] == b'A' {
        b'B'
    } else {
        b'A'
    };
    vec![
        with(
            "checkpoint-strangers",
            "signatures by 16 unknown keys besides",
            format!("{signed}{sixteen}"),
            "CLOSED",
        ),
        with(
            "checkpoint-doubled",
            "the host's signature twice",
            format!("{signed}{signature}"),
            "CLOSED",
        ),
        with(
            "checkpoint-extension",
            "a line below the root, signed",
            resigned("=\n", "=\nextension\n"),
            "CLOSED",
        ),
        with(
            "checkpoint-stranger-only",
            "signed by an unknown key alone",
            tape.sign_text(&text, &other()),
            "BROKEN 4 KEY-UNTRUSTED",
        ),
        with(
            "checkpoint-signature",
            "a changed signature",
            String::from_utf8(bad_signature).unwrap(),
            "BROKEN 4 SIGNATURE-INVALID",
        ),
        with(
            "checkpoint-size-changed",
            "another size under the old signature",
            signed.replacen("\n5\n", "\n4\n", 1),
            "BROKEN 4 SIGNATURE-INVALID",
        ),
        with(
            "checkpoint-leading-zero",
            "size 05, signed",
            resigned("\n5\n", "\n05\n"),
            "BROKEN 4 NOTE-FORMAT",
        ),
        with(
            "checkpoint-larger",
            "size 6, signed",
            resigned("\n5\n", "\n6\n"),
            "BROKEN 4 TAPE-TRUNCATED",
        ),
        with(
            "checkpoint-other-root",
            "same size, other root, signed",
            resigned(
                &root_line(&text),
                &root_line(&checkpoint_text(&Builder::new())),
            ),
            "BROKEN 4 CHECKPOINT-ROOT",
        ),
        with(
            "checkpoint-other-tape",
            "the checkpoint of another tape of this host",
            foreign,
            "BROKEN 4 KEY-UNTRUSTED",
        ),
        with(
            "checkpoint-other-name",
            "signed by the host under another name",
            note::sign(&text, "leasehold/other", &crate::builder::host()).unwrap(),
            "BROKEN 4 KEY-UNTRUSTED",
        ),
        with(
            "checkpoint-other-origin",
            "signed by the host over another origin",
            resigned("leasehold/", "leasehold2/"),
            "BROKEN 4 NOTE-FORMAT",
        ),
        with(
            "checkpoint-not-a-note",
            "something else",
            "hello\n".to_owned(),
            "BROKEN 4 NOTE-FORMAT",
        ),
        with(
            "checkpoint-over-nothing",
            "size 0, signed",
            resigned("\n5\n", "\n0\n"),
            "BROKEN 4 CHECKPOINT-ROOT",
        ),
    ]
}

fn root_line(text: &str) -> String {
    text.lines().nth(2).unwrap().to_owned()
}

fn calls() -> Vec<Case> {
    let build = |steps: &dyn Fn(&mut Builder)| {
        let mut tape = Builder::new();
        steps(&mut tape);
        tape
    };
    let charged = |charges: Vec<Charge>| {
        let mut changed = intent(1);
        changed.charges = charges;
        build(&|tape| {
            tape.push(Kind::CallIntent, &changed).closed(1);
        })
    };
    let charge = |fuel, name: &[u8], uses| Charge {
        fuel,
        lease: Digest::of(name),
        uses,
    };
    let late = build(&|tape| {
        tape.push(Kind::LeaseVerified, &verified(2000))
            .call(1)
            .closed(0);
    });
    let last_moment = build(&|tape| {
        tape.push(Kind::LeaseVerified, &verified(2001))
            .call(1)
            .closed(0);
    });
    let end = |fuel| outcome(1, Ending::Returned, fuel);
    vec![
        whole(
            "outcome-without-intent",
            "an outcome of a call that never began",
            &build(&|tape| {
                tape.push(Kind::CallOutcome, &end(1)).closed(0);
            }),
            "BROKEN 1 AUDIT-OUTCOME",
        ),
        whole(
            "outcome-twice",
            "two outcomes of one call",
            &build(&|tape| {
                tape.call(1).push(Kind::CallOutcome, &end(1)).closed(0);
            }),
            "BROKEN 3 AUDIT-OUTCOME",
        ),
        whole(
            "intent-twice",
            "a second intent while the first is open",
            &build(&|tape| {
                tape.push(Kind::CallIntent, &intent(1))
                    .push(Kind::CallIntent, &intent(1))
                    .closed(1);
            }),
            "BROKEN 2 AUDIT-INTENT",
        ),
        whole(
            "call-again",
            "a second intent after the outcome",
            &build(&|tape| {
                tape.call(1).push(Kind::CallIntent, &intent(1)).closed(1);
            }),
            "BROKEN 3 AUDIT-INTENT",
        ),
        whole(
            "fuel-over",
            "an outcome used more than was charged",
            &build(&|tape| {
                tape.push(Kind::CallIntent, &intent(1))
                    .push(Kind::CallOutcome, &end(FUEL + 1))
                    .closed(0);
            }),
            "BROKEN 2 AUDIT-FUEL",
        ),
        whole(
            "charge-other-lease",
            "a charge on a lease outside the chain",
            &charged(vec![charge(1, b"elsewhere", 1)]),
            "BROKEN 1 AUDIT-CHARGE",
        ),
        whole(
            "charge-twice",
            "two charges for a chain of one",
            &charged(vec![charge(1, b"a lease", 1), charge(1, b"a lease", 1)]),
            "BROKEN 1 AUDIT-CHARGE",
        ),
        whole(
            "charge-no-use",
            "a charge of no use",
            &charged(vec![charge(1, b"a lease", 0)]),
            "BROKEN 1 AUDIT-CHARGE",
        ),
        whole(
            "charge-none",
            "an uncounted call",
            &charged(Vec::new()),
            "CLOSED",
        ),
        whole(
            "lease-last-moment",
            "an intent one millisecond before its lease ends",
            &last_moment,
            "CLOSED",
        ),
        whole(
            "lease-ended",
            "an intent at the moment its lease ends",
            &late,
            "BROKEN 2 AUDIT-LEASE",
        ),
        whole(
            "closed-miscounted",
            "tape.closed states another number of open calls",
            &build(&|tape| {
                tape.call(1).closed(1);
            }),
            "BROKEN 3 AUDIT-CLOSED",
        ),
        whole(
            "recovered-later",
            "tape.recovered names a record that is still to come",
            &build(&|tape| {
                tape.push(
                    Kind::TapeRecovered,
                    &Recovered {
                        at: 2,
                        bytes: 1,
                        digest: lease(),
                    },
                )
                .closed(0);
            }),
            "BROKEN 1 AUDIT-RECOVERED",
        ),
        whole(
            "intent-unknown-field",
            "a field the body does not have",
            &build(&|tape| {
                let mut body = serde_json::to_value(intent(1)).unwrap();
                body["extra"] = json!(1);
                tape.push(Kind::CallIntent, &body).closed(1);
            }),
            "BROKEN 1 RECORD-BODY",
        ),
    ]
}

fn expectations() -> Vec<Case> {
    let tape = small();
    let cut = {
        let mut cut = tape.clone();
        cut.lines.truncate(3);
        cut
    };
    let rewritten = tape.rebuilt(4, |_, body| body["open_calls"] = json!(1));
    assert_eq!(rewritten.records(), tape.records());
    let mut longer = tape.clone();
    longer.note("one more").closed(1);
    let mut forked = cut.clone();
    forked.note("another history").closed(0);
    let expecting = |mut case: Case, expect: Expect| {
        case.expect = expect;
        case
    };
    let at_least = |tape: &Builder| Expect {
        at_least: Some(tape.checkpoint().into_bytes()),
        ..Expect::default()
    };
    let min = |min_records| Expect {
        min_records,
        ..Expect::default()
    };
    let closed = || Expect {
        closed: true,
        ..Expect::default()
    };
    vec![
        case(
            "cut-with-checkpoint",
            "records and checkpoint both cut back to an earlier, signed state: a tape alone cannot show it",
            cut.records(),
            Some(cut.checkpoint()),
            "OPEN 3",
        ),
        expecting(
            case(
                "cut-at-least",
                "the same, with a later checkpoint at hand",
                cut.records(),
                Some(cut.checkpoint()),
                "BROKEN 2 TAPE-TRUNCATED",
            ),
            at_least(&tape),
        ),
        expecting(
            case(
                "longer-at-least",
                "the tape went on since the checkpoint at hand",
                longer.records(),
                Some(longer.checkpoint()),
                "CLOSED",
            ),
            at_least(&tape),
        ),
        expecting(
            case(
                "forked-at-least",
                "as long, signed, but not what the checkpoint at hand was signed over",
                forked.records(),
                Some(forked.checkpoint()),
                "BROKEN 4 AUDIT-FORK",
            ),
            at_least(&tape),
        ),
        expecting(
            case(
                "at-least-stranger",
                "the checkpoint at hand is by another key",
                tape.records(),
                Some(tape.checkpoint()),
                "BROKEN 4 KEY-UNTRUSTED",
            ),
            Expect {
                at_least: Some(
                    tape.sign_text(&checkpoint_text(&tape), &other())
                        .into_bytes(),
                ),
                ..Expect::default()
            },
        ),
        expecting(
            case(
                "min-records-met",
                "five records, five expected",
                tape.records(),
                Some(tape.checkpoint()),
                "CLOSED",
            ),
            min(5),
        ),
        expecting(
            case(
                "min-records",
                "five records, six expected",
                tape.records(),
                Some(tape.checkpoint()),
                "BROKEN 4 AUDIT-MIN-RECORDS",
            ),
            min(6),
        ),
        expecting(
            case(
                "closed-expected",
                "a tape that is still open",
                cut.records(),
                Some(cut.checkpoint()),
                "BROKEN 2 AUDIT-NOT-CLOSED",
            ),
            closed(),
        ),
        expecting(
            case(
                "closed-and-expected",
                "a tape that is closed",
                tape.records(),
                Some(tape.checkpoint()),
                "CLOSED",
            ),
            closed(),
        ),
    ]
}

/// Cases added after the first numbering.
fn later() -> Vec<Case> {
    let again = |delay: i64| {
        let mut tape = Builder::new();
        tape.call(1);
        tape.time += delay;
        tape.push(Kind::CallIntent, &intent(1)).closed(1);
        tape
    };
    vec![
        whole(
            "call-id-at-its-limit",
            "an id used again 300 seconds after it was made",
            &again(297_000),
            "BROKEN 3 AUDIT-INTENT",
        ),
        whole(
            "call-id-long-after",
            "an id used again an hour after it was made",
            &again(3_600_000),
            "BROKEN 3 AUDIT-INTENT",
        ),
        whole(
            "call-id-of-another-time",
            "a first use, 300,001 milliseconds after the id was made",
            &{
                let mut tape = Builder::new();
                tape.time = 300_001;
                tape.push(Kind::CallIntent, &intent(1)).closed(1);
                tape
            },
            "BROKEN 1 AUDIT-INTENT",
        ),
        whole(
            "call-id-within-its-time",
            "a first use, 300,000 milliseconds after the id was made",
            &{
                let mut tape = Builder::new();
                tape.time = 300_000;
                tape.push(Kind::CallIntent, &intent(1)).closed(1);
                tape
            },
            "CLOSED",
        ),
        whole(
            "outcome-of-another-intent",
            "an outcome that names the intent of another call",
            &named(|end, other| end.intent = other),
            "BROKEN 3 AUDIT-OUTCOME",
        ),
        whole(
            "outcome-of-another-lease",
            "an outcome that names another lease than its intent",
            &named(|end, _| end.lease = Some(Digest::of(b"another lease"))),
            "BROKEN 3 AUDIT-OUTCOME",
        ),
    ]
}

/// Two calls are begun and the second one is ended, with what it names changed; also given the first one's intent.
fn named(change: impl Fn(&mut Outcome, Digest)) -> Builder {
    let mut tape = Builder::new();
    tape.push(Kind::CallIntent, &intent(1))
        .push(Kind::CallIntent, &intent(2));
    let leaf = |number: usize| tree::leaf(&tape.lines[number]);
    let mut end = outcome(2, Ending::Returned, 1);
    end.intent = leaf(2);
    change(&mut end, leaf(1));
    tape.push(Kind::CallOutcome, &end).closed(1);
    tape
}

/// The name under which the host of the fixtures signs for this tape.
#[test]
fn the_origin_is_that_of_the_tape() {
    let tape = small();
    assert!(
        tape.checkpoint()
            .starts_with(&format!("{}\n5\n", checkpoint::origin(&tape.tape)))
    );
}
