//! What a run was, read back.

use leasehold_report::model::{Kept, Use};
use leasehold_report::{ReportError, RunResult, StepStatus, Which, failures_first, json};
use leasehold_seal::{Class, Coded, Digest};
use leasehold_tape::call::{AccessDenied, ArtifactStored, Ending, Status};
use leasehold_tape::run::{ChangesApplied, PatchWritten, Pressure, Reading, ResourceSampled};
use leasehold_tape::verdict::{Judgement, Quote};
use leasehold_tape::{Appended, Kind};
use serde_json::json;

use crate::builder::{FUEL, Scene, Tape, at, fail, finding, gate, pass, verdict};

#[test]
fn a_run_in_which_everything_passed() {
    let mut scene = Scene::start(vec![gate("secrets", &[]), gate("links", &["secrets"])]);
    scene.call("secrets", pass("nothing found"));
    scene.call("links", pass("all links lead somewhere"));
    scene.finish();
    let run = scene.tape.read();
    assert_eq!(run.result, RunResult::Passed);
    assert!(
        run.contradictions.is_empty() && run.missing.is_empty(),
        "{run:#?}"
    );
    assert_eq!((run.totals.pass, run.totals.steps), (2, 2));
    assert_eq!(run.totals.fuel, 2 * 12_345_678);
    assert_eq!(run.duration_us, Some(507_000));
    let [secrets, links] = run.steps.as_slice() else {
        panic!("two steps")
    };
    assert_eq!(
        (secrets.start_us, secrets.wall_us),
        (Some(1_000), Some(250_000))
    );
    assert_eq!((secrets.intent, secrets.outcome), (Some(2), Some(4)));
    assert_eq!(links.needs, ["secrets"]);
    assert_eq!(
        links.fuel,
        Some(Use {
            limit: Some(FUEL),
            used: 12_345_678
        })
    );
    assert_eq!(links.memory.unwrap().limit, None);
}

#[test]
fn failures_come_first_and_what_was_not_run_says_why() {
    let plan = ["a", "b", "c", "d", "e", "f"].map(|id| gate(id, &[]));
    let mut scene = Scene::start(plan.to_vec());
    scene.call("a", pass("good"));
    scene.without("b", None, "NEEDS-FAILED", "c did not pass");
    scene.call("c", fail("bad", vec![finding("r", "m", "p", 1, 1)]));
    let mut skipped = pass("does not apply");
    skipped.status = Status::Skipped;
    skipped.verdict = Some(verdict(Judgement::Skip, "does not apply", Vec::new()));
    scene.call("d", skipped);
    scene.without("e", Some(Status::Blocked), "LEASE-EXPIRED", "no lease");
    let mut trapped = pass("trapped");
    (trapped.status, trapped.verdict) = (Status::Error, None);
    (trapped.ending, trapped.fuel) = (Ending::Trapped, FUEL);
    trapped.stderr = Some(b"thread panicked\n".to_vec());
    scene.call("f", trapped);
    scene.finish();
    let run = scene.tape.read();
    assert_eq!(run.contradictions, [""; 0]);
    assert_eq!(run.result, RunResult::Error);
    let order: Vec<_> = failures_first(&run)
        .iter()
        .map(|step| step.id.as_str())
        .collect();
    assert_eq!(order, ["f", "c", "e", "b", "d", "a"]);
    assert_eq!(run.steps[1].status, StepStatus::NotRun);
    assert_eq!(run.steps[1].sentence, "c did not pass");
    assert_eq!(run.steps[4].status, StepStatus::Blocked);
    assert_eq!(run.steps[4].code.as_deref(), Some("LEASE-EXPIRED"));
    assert_eq!(
        run.steps[5].artifacts[0].tail.as_deref(),
        Some("thread panicked\n")
    );
    assert_eq!(run.totals.findings, 1);
}

#[test]
fn only_pass_is_green() {
    let results = |made: &dyn Fn(&mut Scene)| {
        let mut scene = Scene::start(vec![gate("a", &[]), gate("b", &[])]);
        scene.call("a", pass("good"));
        made(&mut scene);
        scene.finish();
        let run = scene.tape.read();
        assert!(run.contradictions.is_empty(), "{:?}", run.contradictions);
        run.result
    };
    assert_eq!(
        results(&|scene| drop(scene.call("b", pass("good")))),
        RunResult::Passed
    );
    assert_eq!(
        results(&|scene| drop(scene.call("b", fail("bad", Vec::new())))),
        RunResult::Failed
    );
    assert_eq!(
        results(&|scene| scene.without("b", None, "NEEDS-FAILED", "not run")),
        RunResult::Incomplete
    );
    assert_eq!(
        results(&|scene| scene.without("b", Some(Status::Blocked), "X", "blocked")),
        RunResult::Blocked
    );
    assert_eq!(
        results(&|scene| {
            let mut skip = pass("n/a");
            skip.status = Status::Skipped;
            skip.verdict = Some(verdict(Judgement::Skip, "n/a", Vec::new()));
            scene.call("b", skip);
        }),
        RunResult::Incomplete
    );
    assert_eq!(
        results(&|scene| {
            scene.call("b", pass("good"));
            scene.halted = Some("CANCELLED".into());
        }),
        RunResult::Error
    );
}

#[test]
fn a_run_without_steps_is_not_green() {
    let mut scene = Scene::start(Vec::new());
    scene.finish_with(|finished| finished.passed = false);
    assert_eq!(scene.tape.read().result, RunResult::Incomplete);
}

#[test]
fn a_run_without_end_is_not_finished() {
    let mut scene = Scene::start(vec![gate("a", &[]), gate("b", &[]), gate("c", &[])]);
    scene.call("a", pass("good"));
    scene.intent("b", |_| {});
    let run = scene.tape.read();
    assert_eq!(run.result, RunResult::Unfinished);
    assert_eq!((run.finished, run.duration_us), (None, None));
    let statuses: Vec<_> = run.steps.iter().map(|step| step.status).collect();
    assert_eq!(
        statuses,
        [StepStatus::Pass, StepStatus::Unfinished, StepStatus::NotRun]
    );
    assert!(run.contradictions.is_empty());
}

#[test]
fn a_result_used_again_comes_from_where_it_was_first_written() {
    let mut scene = Scene::start(vec![gate("a", &[])]);
    let (call, seq) = scene.call("a", pass("good"));
    scene.finish();
    let first = scene.run.clone();
    let mut scene = Scene::on(scene.tape, vec![gate("a", &[])]);
    scene.tape.now_us += 60_000_000;
    scene.hit("a", &call, seq, |_| {});
    scene.finish();
    let run = scene.tape.read();
    assert!(run.contradictions.is_empty(), "{:?}", run.contradictions);
    assert_eq!(run.result, RunResult::Passed);
    let cached = run.steps[0].cached.as_ref().unwrap();
    assert_eq!((cached.call.as_str(), cached.outcome), (call.as_str(), seq));
    assert_eq!(cached.run.as_deref(), Some(first.as_str()));
    assert_eq!(run.steps[0].sentence, "good");
    assert_eq!(run.steps[0].start_us, Some(60_001_000));
    assert_eq!((run.totals.cached, run.totals.fuel), (1, 0));
}

#[test]
fn a_run_reads_the_same_from_its_own_place_as_from_the_beginning() {
    let mut scene = Scene::start(vec![gate("a", &[]), gate("b", &[])]);
    let (call, seq) = scene.call("a", pass("good"));
    scene.call("b", fail("bad", vec![finding("r", "m", "p", 1, 1)]));
    scene.finish();
    let mut scene = Scene::on(scene.tape, vec![gate("a", &[]), gate("b", &[])]);
    let started = scene.tape.place(scene.tape.lines.len() as u64 - 1);
    scene.hit("a", &call, seq, |_| {});
    scene.call("b", pass("good"));
    scene.finish();
    let tape = &scene.tape;
    let intent = (1..seq).find(|seq| {
        let line = String::from_utf8_lossy(&tape.lines[usize::try_from(*seq).unwrap()]);
        line.contains("call.intent") && line.contains(&call)
    });
    let original = tape.place(intent.unwrap());
    let read = |started, originals| tape.read_at(&scene.run, started, originals);
    assert_eq!(read(started, vec![original]).unwrap(), tape.read());
    // Without the place of the original its outcome is not found, and nothing is taken on trust.
    let run = read(started, vec![started]).unwrap();
    assert_eq!(run.result, RunResult::Contradicted);
    // Another record at the place, or another place for the record, is no tape.
    for (seq, offset) in [
        (started.seq + 1, started.offset),
        (started.seq, original.offset),
    ] {
        let wrong = Appended {
            seq,
            offset,
            ..started
        };
        assert_eq!(
            read(wrong, vec![original]).unwrap_err().code(),
            "TAPE-BROKEN"
        );
    }
}

#[test]
fn runs_are_found_by_the_start_of_their_id_and_do_not_mix() {
    let mut one = Scene::start(vec![gate("a", &[])]);
    let (intent, seq) = one.intent("a", |_| {});
    let mut two = Scene::on(one.tape, vec![gate("a", &[])]);
    two.call("a", fail("bad", Vec::new()));
    two.finish();
    let mut one = Scene {
        tape: two.tape,
        ..one_again(&one.run, one.plan)
    };
    one.end("a", &intent, seq, pass("good"));
    one.finish();
    let find = |prefix: &str| one.tape.try_read(&Which::Prefix(prefix.to_owned()));
    assert_eq!(one.tape.read().run, two.run);
    assert_eq!(one.tape.read().result, RunResult::Failed);
    let found = find(&one.run.to_ascii_lowercase()).unwrap();
    assert_eq!(
        (found.run, found.result),
        (one.run.clone(), RunResult::Passed)
    );
    let common = &one.run[..8];
    let error = find(common).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("RUN-AMBIGUOUS", Class::Usage)
    );
    assert!(error.to_string().contains(&two.run));
    assert_eq!(find("ZZZ").unwrap_err().code(), "RUN-MISSING");
    assert_eq!(find("é").unwrap_err().code(), "RUN-MISSING");
}

fn one_again(run: &str, plan: Vec<leasehold_tape::run::PlanStep>) -> Scene {
    Scene {
        tape: Tape::new(),
        run: run.to_owned(),
        plan,
        results: Vec::new(),
        halted: None,
    }
}

#[test]
fn what_a_call_left_is_read_back() {
    let mut scene = Scene::start(vec![gate("a", &[])]);
    let (intent, seq) = scene.intent("a", |_| {});
    let call = intent.call.clone();
    let reading = |used, limit| Reading { limit, used };
    scene.tape.push(
        Kind::ResourceSampled,
        &ResourceSampled {
            call: call.clone(),
            fuel: reading(5, FUEL),
            memory: reading(1 << 20, 4 << 20),
            output: reading(0, 1),
            pressure: Pressure::Low,
            run: None,
            state: "within_limits".into(),
            step: None,
            wall_ms: reading(100, 10_000),
            written: reading(0, 1),
        },
    );
    scene.tape.push(
        Kind::AccessDenied,
        &AccessDenied {
            call: call.clone(),
            code: "PATH-DENIED".into(),
            count: 3,
            path: Some("package.json".into()),
            wanted: "read".into(),
        },
    );
    let digest = scene.tape.keep(b"attached");
    scene.tape.push(
        Kind::ArtifactStored,
        &ArtifactStored {
            bytes: 8,
            call: call.clone(),
            digest,
            media_type: "text/plain".into(),
            name: "notes.txt".into(),
        },
    );
    let mut said = fail("bad", vec![finding("r", "m", "a.md", 2, 1)]);
    said.inline = false;
    said.quotes = vec![Quote {
        line: 2,
        path: "a.md".into(),
        text: "line two".into(),
    }];
    scene.end("a", &intent, seq, said);
    let patch = scene.tape.keep(b"diff");
    let (run, step) = (scene.run.clone(), "a".to_owned());
    scene.tape.push(
        Kind::PatchWritten,
        &PatchWritten {
            call,
            changes: 1,
            patch,
            run: run.clone(),
            step: step.clone(),
        },
    );
    scene.tape.push(
        Kind::RollbackDone,
        &ChangesApplied {
            patch: Some(patch),
            run: Some(run),
            step: Some(step),
            time: at(0),
        },
    );
    scene.finish();
    let run = scene.tape.read();
    assert!(run.contradictions.is_empty(), "{:?}", run.contradictions);
    let step = &run.steps[0];
    assert_eq!(step.memory.unwrap().limit, Some(4 << 20));
    assert_eq!(step.denials[0].count, 3);
    assert_eq!(step.artifacts[0].name, "notes.txt");
    assert_eq!(step.quotes[0].text, "line two");
    let said = step.verdict.as_ref().unwrap();
    assert_eq!(said.verdict.as_ref().unwrap().findings.len(), 1);
    assert_eq!(step.patch.as_ref().unwrap().kept, Kept::Present);
    assert!(!run.changes[0].applied);
}

#[test]
fn what_the_store_lacks_is_named_and_no_error() {
    let mut scene = Scene::start(vec![gate("a", &[]), gate("b", &[])]);
    let mut said = fail("bad", vec![finding("r", "m", "p", 1, 1)]);
    said.inline = false;
    said.stdout = Some(b"out".to_vec());
    scene.call("a", said);
    scene.without("b", None, "NEEDS-FAILED", "a did not pass");
    scene.finish();
    scene.tape.store.clear();
    let run = scene.tape.read();
    assert!(run.contradictions.is_empty(), "{:?}", run.contradictions);
    assert_eq!(run.missing.len(), 4, "{:?}", run.missing);
    assert_eq!(run.result, RunResult::Failed);
    // The plan is gone, so that there is a second step is known from the start of the run alone.
    assert_eq!(
        (run.steps.len(), run.totals.steps, run.totals.not_run),
        (1, 2, 1)
    );
    assert_eq!(run.steps[0].verdict.as_ref().unwrap().kept, Kept::Missing);
    assert_eq!(run.steps[0].artifacts[0].kept, Kept::Missing);
}

#[test]
fn a_result_may_be_worse_than_the_outcome_never_better() {
    let read = |from: Status, to: Status| {
        let mut scene = Scene::start(vec![gate("a", &[])]);
        let mut said = pass("done");
        if from == Status::Fail {
            said = fail("bad", Vec::new());
        }
        scene.call("a", said);
        scene.results[0].status = Some(to);
        scene.results[0].code = Some("TREE-REFUSED".into());
        scene.finish();
        scene.tape.read()
    };
    let worse = read(Status::Pass, Status::Error);
    assert_eq!(worse.result, RunResult::Error);
    assert_eq!(worse.steps[0].code.as_deref(), Some("TREE-REFUSED"));
    let better = read(Status::Fail, Status::Pass);
    assert_eq!(better.result, RunResult::Contradicted);
    assert_eq!(better.steps[0].status, StepStatus::Fail);
}

#[test]
fn same_tape_same_bytes_and_keys_in_order() {
    let mut scene = Scene::start(vec![gate("a", &[]), gate("b", &[])]);
    scene.call("a", fail("bad", vec![finding("r", "m", "p", 1, 1)]));
    scene.call("b", pass("good"));
    scene.finish();
    let text = json(&scene.tape.read()).unwrap();
    assert_eq!(text, json(&scene.tape.read()).unwrap());
    // Parsed and written again by a map that sorts: the same text, so every key stands in its place.
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        leasehold_seal::canonical::to_vec(&value).unwrap(),
        text.as_bytes()
    );
    assert_eq!(value["steps"][0]["status"], "fail");
    assert_eq!(value["result"], "failed");
}

#[test]
fn records_that_are_not_what_they_claim_are_named() {
    let mut scene = Scene::start(vec![gate("a", &[])]);
    scene.tape.push(Kind::CallIntent, &json!({"call": 7}));
    let error = scene.tape.try_read(&Which::Latest).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("RECORD-BODY", Class::Integrity)
    );
    assert!(error.to_string().contains("record 2 (line 3)"), "{error}");

    let mut scene = Scene::start(vec![gate("a", &[])]);
    scene.call("a", pass("good"));
    let line = String::from_utf8(scene.tape.lines[3].clone()).unwrap();
    scene.tape.lines[3] = line.replace("good", "best").into_bytes();
    let error = scene.tape.try_read(&Which::Latest).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("TAPE-BROKEN", Class::Integrity)
    );
    assert!(matches!(error, ReportError::Tape(_)));

    let error = Tape::new().try_read(&Which::Latest).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("RUN-MISSING", Class::Blocked)
    );
}

#[test]
fn bytes_of_another_digest_are_a_contradiction() {
    let mut scene = Scene::start(vec![gate("a", &[])]);
    let mut said = fail("bad", Vec::new());
    said.stdout = Some(b"out".to_vec());
    scene.call("a", said);
    scene.finish();
    scene
        .tape
        .store
        .insert(Digest::of(b"out"), b"other".to_vec());
    let run = scene.tape.read();
    assert_eq!(run.result, RunResult::Contradicted);
    assert_eq!(run.steps[0].artifacts[0].kept, Kept::Damaged);
    assert_eq!(run.steps[0].artifacts[0].tail, None);
}
