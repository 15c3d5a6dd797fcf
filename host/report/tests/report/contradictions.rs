//! Records that disagree. Each case has one lie in it; `reading` has the twins without.

use leasehold_report::{Run, RunResult, StepStatus};
use leasehold_seal::Digest;
use leasehold_tape::Kind;
use leasehold_tape::call::{Ending, Status};
use leasehold_tape::run::CacheHit;
use leasehold_tape::verdict::Judgement;
use serde_json::Value;

use crate::builder::{Said, Scene, fail, gate, pass, verdict};

/// A run of one step with a lie told by `make`: it is contradicted, and the sentence has these words.
fn contradicted(words: &str, make: impl Fn(&mut Scene)) -> Run {
    let mut scene = Scene::start(vec![gate("a", &[])]);
    make(&mut scene);
    let run = scene.tape.read();
    assert_eq!(run.result, RunResult::Contradicted, "{words}");
    assert!(
        run.contradictions
            .iter()
            .any(|sentence| sentence.contains(words)),
        "{words}: {:?}",
        run.contradictions
    );
    run
}

fn said(words: &str, said: Said) {
    contradicted(words, |scene| {
        scene.call("a", said.clone());
        scene.finish();
    });
}

#[test]
fn a_run_is_not_believed_about_itself() {
    contradicted("says of itself: 2 pass", |scene| {
        scene.call("a", pass("good"));
        scene.finish_with(|finished| finished.counts.pass = 2);
    });
    contradicted("says that it passed", |scene| {
        scene.call("a", fail("bad", Vec::new()));
        scene.finish_with(|finished| finished.passed = true);
    });
    contradicted("says that it did not pass", |scene| {
        scene.call("a", pass("good"));
        scene.finish_with(|finished| finished.passed = false);
    });
    contradicted("have no outcome", |scene| {
        let (intent, _) = scene.intent("a", |_| {});
        scene.without("a", None, "X", "x");
        scene.results[0].call = Some(intent.call);
        scene.finish();
    });
    contradicted("finished twice", |scene| {
        scene.call("a", pass("good"));
        scene.finish();
        scene.finish();
    });
    contradicted("comes after its end", |scene| {
        scene.finish_with(|_| {});
        scene.call("a", pass("good"));
    });
}

#[test]
fn a_pass_needs_an_outcome() {
    let run = contradicted("is said to be pass, and the records say not run", |scene| {
        scene.without("a", Some(Status::Pass), "X", "trust me");
        scene.finish();
    });
    assert_eq!(run.steps[0].status, StepStatus::NotRun);
    contradicted("leave out step \"a\"", |scene| {
        scene.call("a", pass("good"));
        scene.results.clear();
        scene.finish_with(|finished| finished.counts.pass = 1);
    });
    contradicted("which the run does not have", |scene| {
        scene.call("a", pass("good"));
        scene.without("b", None, "X", "x");
        scene.finish();
    });
    contradicted("\"a\" twice", |scene| {
        scene.call("a", pass("good"));
        scene.results.push(scene.results[0].clone());
        scene.finish();
    });
}

#[test]
fn an_outcome_is_of_its_intent() {
    let with = |outcome| Said {
        outcome,
        ..pass("good")
    };
    said(
        "another record as its intent",
        with(|o| o.intent = Digest::of(b"x")),
    );
    said("another lease", with(|o| o.lease = None));
    said(
        "more fuel than was charged",
        with(|o| o.fuel = u64::from(u32::MAX)),
    );
    said("did not return", with(|o| o.ending = Ending::Trapped));
    said("another result than the verdict", with(|o| o.result = None));
    said(
        "another judgement",
        with(|o| o.verdict = Some(Judgement::Skip)),
    );
    said(
        "gate gave no verdict",
        Said {
            verdict: None,
            ..pass("good")
        },
    );
    said(
        "its gate did not",
        Said {
            verdict: Some(verdict(Judgement::Fail, "bad", Vec::new())),
            ..pass("good")
        },
    );
    contradicted("two call.outcome records", |scene| {
        let (intent, seq) = scene.intent("a", |_| {});
        scene.end("a", &intent, seq, fail("bad", Vec::new()));
        scene.end("a", &intent, seq, pass("good"));
        scene.results.remove(0);
        scene.finish();
    });
}

#[test]
fn a_call_is_that_of_the_plan() {
    let with = |intent| Said {
        intent,
        ..pass("good")
    };
    said(
        "another plugin than the plan",
        with(|i| i.plugin = Digest::of(b"x")),
    );
    said("another kind", with(|i| i.kind = "command".into()));
    said(
        "another configuration",
        with(|i| i.config = Some(Digest::of(b"x"))),
    );
    said(
        "another set of rights",
        with(|i| i.rights = Digest::of(b"x")),
    );
    said(
        "another list of what is skipped",
        with(|i| i.skip = vec!["**".into()]),
    );
    said(
        "which the plan does not have",
        with(|i| i.step = Some("b".into())),
    );
    said("none of its steps", with(|i| i.step = None));
    contradicted("more than one result", |scene| {
        scene.call("a", fail("bad", Vec::new()));
        scene.call("a", pass("good"));
        scene.results.remove(0);
        scene.finish();
    });
}

#[test]
fn a_verdict_has_its_digest() {
    contradicted("does not have the digest", |scene| {
        let (intent, seq) = scene.intent("a", |_| {});
        scene.end("a", &intent, seq, pass("good"));
        // The verdict's own record comes just before the outcome; both are written again with another summary.
        let lines = scene.tape.lines.split_off(3);
        for (line, kind) in lines.iter().zip([Kind::GateVerdict, Kind::CallOutcome]) {
            let mut value: Value = serde_json::from_slice(line).unwrap();
            if kind == Kind::GateVerdict {
                value["body"]["verdict"]["summary"] = "better".into();
            }
            scene.tape.push(kind, &value["body"]);
        }
        scene.finish();
    });
}

#[test]
fn a_result_is_used_again_only_as_it_was_written() {
    let hit = |words: &str, change: fn(&mut CacheHit)| {
        let run = contradicted(words, |scene| {
            let (call, seq) = scene.call("a", pass("good"));
            scene.results.clear();
            let tape = std::mem::replace(&mut scene.tape, crate::builder::Tape::new());
            *scene = Scene::on(tape, vec![gate("a", &[])]);
            scene.hit("a", &call, seq, change);
            scene.finish();
        });
        assert_eq!(run.steps[0].status, StepStatus::Error);
        assert_eq!(run.steps[0].code.as_deref(), Some("RESULT-UNPROVEN"));
        assert_eq!(run.steps[0].outcome, None);
    };
    hit("another outcome", |hit| hit.outcome = Digest::of(b"x"));
    hit("another read set", |hit| hit.reads = Digest::of(b"x"));
    hit("another plugin", |hit| hit.plugin = Digest::of(b"x"));
    hit("other rights than the plan", |hit| {
        hit.rights = Digest::of(b"x")
    });
    hit("is not an outcome of the call", |hit| hit.seq -= 1);
    hit("is not an outcome of the call", |hit| hit.seq += 1_000);
    hit("is not an outcome of the call", |hit| {
        hit.original = "nobody".into()
    });
}

#[test]
fn a_result_used_again_is_of_the_step_s_own_plugin() {
    let mut scene = Scene::start(vec![gate("other", &[])]);
    let (call, seq) = scene.call("other", pass("good"));
    let mut scene = Scene::on(scene.tape, vec![gate("a", &[])]);
    scene.hit("a", &call, seq, |hit| hit.plugin = Digest::of(b"other"));
    scene.finish();
    let run = scene.tape.read();
    assert_eq!(run.result, RunResult::Contradicted);
    assert!(run.contradictions[0].contains("another plugin than the plan"));
}
