//! Whole tapes: one as they are every day, and one in which every text is an attack.

use leasehold_seal::Digest;
use leasehold_tape::Kind;
use leasehold_tape::call::{AccessDenied, ArtifactStored, Ending, Status, Write};
use leasehold_tape::run::{
    ChangesApplied, PatchWritten, PlanStep, Pressure, Reading, ResourceSampled,
};
use leasehold_tape::verdict::{Finding, Judgement, Level, Quote};

use crate::builder::{FUEL, Said, Scene, at, fail, finding, gate, pass, verdict};

fn step(id: &str, line: u64, needs: &[&str], rights: &[&str]) -> PlanStep {
    PlanStep {
        line,
        rights_text: rights.iter().map(|text| (*text).to_owned()).collect(),
        ..gate(id, needs)
    }
}

fn quote(path: &str, line: u32, text: &str) -> Quote {
    Quote {
        line,
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn leveled(level: Level, finding: Finding) -> Finding {
    Finding { level, ..finding }
}

/// A run of nine steps: failures of each sort, a result used again, a step that changed files.
pub(crate) fn everyday() -> Scene {
    let all = [
        "list     **",
        "read     **",
        "limits   fuel 1 G · memory 256 MiB · time 10 s",
    ];
    let mut plan = vec![
        step("secrets", 3, &[], &all),
        step("structure-lock", 8, &[], &["list     **"]),
        step("conflict-markers", 12, &[], &all),
        step(
            "license-header",
            16,
            &[],
            &["list     **", "read     host/**, plugins/**"],
        ),
        step(
            "changelog",
            22,
            &["secrets"],
            &["read     CHANGELOG.md, Cargo.toml"],
        ),
        step("json-schema", 27, &[], &["read     fixtures/**/*.json"]),
        step(
            "toc",
            33,
            &["secrets"],
            &["read     docs/**", "write    docs/**"],
        ),
        step(
            "md-links",
            40,
            &["toc"],
            &["list     **", "read     **/*.md"],
        ),
        step("large-file", 45, &["license-header"], &all),
    ];
    plan[2].skip = vec!["target/**".to_owned(), "fixtures/tape/**".to_owned()];
    plan[6].kind = "command".to_owned();
    plan[6].name = "md-toc".to_owned();
    plan[6].writes = true;
    let mut earlier = Scene::start(plan.clone());
    let (original, seq) = earlier.call(
        "structure-lock",
        pass("24 root entries, all of them expected"),
    );
    let mut scene = Scene::on(earlier.tape, plan);
    scene.hit("structure-lock", &original, seq, |_| {});
    sampled(&mut scene, "secrets");
    license(&mut scene);
    changelog(&mut scene);
    conflicts(&mut scene);
    schema(&mut scene);
    toc(&mut scene);
    scene.without(
        "md-links",
        Some(Status::Blocked),
        "NEEDS-BLOCKED",
        "it needs toc, whose changes were dropped",
    );
    scene.without(
        "large-file",
        None,
        "NEEDS-FAILED",
        "it needs license-header, which failed",
    );
    scene.finish();
    scene
}

fn sampled(scene: &mut Scene, step: &str) {
    let (intent, seq) = scene.intent(step, |_| {});
    for tenth in 1..=6_u64 {
        scene.tape.now_us += 100_000;
        let sample = ResourceSampled {
            call: intent.call.clone(),
            fuel: reading(tenth * 60_000_000, FUEL),
            memory: reading((4 + tenth * 8) << 20, 256 << 20),
            output: reading(0, 1 << 20),
            pressure: Pressure::Low,
            run: intent.run.clone(),
            state: "within_limits".to_owned(),
            step: intent.step.clone(),
            wall_ms: reading(tenth * 100, 10_000),
            written: reading(0, 0),
        };
        scene.tape.push(Kind::ResourceSampled, &sample);
    }
    let said = Said {
        fuel: 402_118_332,
        wall_us: 640_000,
        outcome: |outcome| outcome.peak_memory = 53 << 20,
        ..pass("1,284 files, nothing that looks like a secret; 2 allowed by a comment")
    };
    scene.end(step, &intent, seq, said);
}

fn reading(used: u64, limit: u64) -> Reading {
    Reading { limit, used }
}

fn license(scene: &mut Scene) {
    let findings = vec![
        finding(
            "license-header/missing",
            "the file does not begin with the header",
            "host/report/src/page.rs",
            1,
            1,
        ),
        finding(
            "license-header/holder",
            "the header names “Example Ltd”, expected “The Leasehold Authors”",
            "plugins/gates/changelog/src/lib.rs",
            2,
            19,
        ),
        leveled(
            Level::Warning,
            finding(
                "license-header/year",
                "the header says 2023, and the file was made in 2026",
                "host/seal/src/key.rs",
                1,
                14,
            ),
        ),
    ];
    let said = Said {
        wall_us: 310_000,
        quotes: vec![
            quote(
                "host/report/src/page.rs",
                1,
                "//! What stands on the page: every text already clipped and made visible.",
            ),
            quote(
                "plugins/gates/changelog/src/lib.rs",
                2,
                "// Copyright 2026 Example Ltd",
            ),
            quote(
                "host/seal/src/key.rs",
                1,
                "// Copyright 2023 The Leasehold Authors",
            ),
        ],
        ..fail("3 of 218 files do not have the header", findings)
    };
    scene.call("license-header", said);
}

fn changelog(scene: &mut Scene) {
    let (intent, seq) = scene.intent("changelog", |_| {});
    let denied = AccessDenied {
        call: intent.call.clone(),
        code: "PATH-DENIED".to_owned(),
        count: 2,
        path: Some("package.json".to_owned()),
        wanted: "read".to_owned(),
    };
    scene.tape.push(Kind::AccessDenied, &denied);
    let said = Said {
        status: Status::Fail,
        code: Some("PATH-DENIED".to_owned()),
        wall_us: 42_000,
        outcome: |outcome| {
            outcome.coverage.denied = 2;
            outcome.coverage.complete = false;
        },
        sentence: "changelog wanted to read package.json (and 1 more); no version to compare with"
            .to_owned(),
        ..fail("no version to compare with", Vec::new())
    };
    scene.tape.now_us += 42_000;
    scene.end("changelog", &intent, seq, said);
}

fn conflicts(scene: &mut Scene) {
    let said = Said {
        wall_us: 180_000,
        outcome: |outcome| outcome.coverage.skipped = 1_930,
        ..pass("1,190 files without conflict markers")
    };
    scene.call("conflict-markers", said);
}

fn schema(scene: &mut Scene) {
    let (intent, seq) = scene.intent("json-schema", |_| {});
    let sample = ResourceSampled {
        call: intent.call.clone(),
        fuel: reading(990_000_000, FUEL),
        memory: reading(61 << 20, 64 << 20),
        output: reading(310, 1 << 20),
        pressure: Pressure::High,
        run: intent.run.clone(),
        state: "exceeded(fuel)".to_owned(),
        step: intent.step.clone(),
        wall_ms: reading(900, 10_000),
        written: reading(0, 0),
    };
    scene.tape.push(Kind::ResourceSampled, &sample);
    scene.tape.now_us += 950_000;
    let said = Said {
        status: Status::Error,
        code: Some("FUEL-EXHAUSTED".to_owned()),
        sentence: "json-schema used up its fuel of 1,000,000,000 units".to_owned(),
        verdict: None,
        ending: Ending::Exhausted,
        fuel: FUEL,
        wall_us: 950_000,
        stderr: Some(b"reading fixtures/lease/012-depth/expect.json\nreading fixtures/lease/013-wider/expect.json\ncompiling schema: 14,211 alternatives\n".to_vec()),
        outcome: |outcome| outcome.peak_memory = 62 << 20,
        ..pass("")
    };
    scene.end("json-schema", &intent, seq, said);
}

fn toc(scene: &mut Scene) {
    let (intent, seq) = scene.intent("toc", |_| {});
    let digest = scene.tape.keep(b"# toc\n");
    let stored = ArtifactStored {
        bytes: 6,
        call: intent.call.clone(),
        digest,
        media_type: "text/markdown".to_owned(),
        name: "toc.md".to_owned(),
    };
    scene.tape.push(Kind::ArtifactStored, &stored);
    let said = Said {
        verdict: None,
        ending: Ending::Exited,
        exit: Some(0),
        wall_us: 95_000,
        stdout: Some(b"docs/tape.md: 14 headings\ndocs/lease.md: 9 headings\n".to_vec()),
        outcome: |outcome| {
            let change = |path: &str| Write {
                after: Some(Digest::of(path.as_bytes())),
                before: Some(Digest::of(b"before")),
                op: "write".to_owned(),
                path: path.to_owned(),
            };
            outcome.writes = vec![change("docs/tape.md"), change("docs/lease.md")];
            outcome.writes_total = 2;
        },
        ..pass("md-toc exited with 0")
    };
    scene.end("toc", &intent, seq, said);
    let patch = scene.tape.keep(b"--- a/docs/tape.md\n+++ b/docs/tape.md\n");
    let body = PatchWritten {
        call: intent.call,
        changes: 2,
        patch,
        run: scene.run.clone(),
        step: "toc".to_owned(),
    };
    scene.tape.push(Kind::PatchWritten, &body);
    let body = ChangesApplied {
        patch: Some(patch),
        run: Some(scene.run.clone()),
        step: Some("toc".to_owned()),
        time: at(scene.tape.now_us),
    };
    scene.tape.push(Kind::RollbackDone, &body);
}

/// A run in which every text that a tape can hold is made by `text`, from a name for it.
pub(crate) fn attacked(text: fn(&str) -> String) -> Scene {
    let id = text("step");
    let mut step = gate(&id, &[]);
    (step.kind, step.name) = (text("kind"), text("plugin-name"));
    step.needs = vec![text("need")];
    step.rights_text = vec![text("right")];
    step.skip = vec![text("skip")];
    let mut scene = Scene::start(vec![step]);
    let (intent, seq) = scene.intent(&id, |_| {});
    let call = intent.call.clone();
    let denied = AccessDenied {
        call: call.clone(),
        code: text("denial-code"),
        count: 1,
        path: Some(text("denial-path")),
        wanted: text("denial-wanted"),
    };
    scene.tape.push(Kind::AccessDenied, &denied);
    let digest = scene.tape.keep(b"x");
    let stored = ArtifactStored {
        bytes: 1,
        call: call.clone(),
        digest,
        media_type: text("media-type"),
        name: text("artifact-name"),
    };
    scene.tape.push(Kind::ArtifactStored, &stored);
    let sample = ResourceSampled {
        call: call.clone(),
        fuel: reading(1, 2),
        memory: reading(1, 2),
        output: reading(1, 2),
        pressure: Pressure::High,
        run: None,
        state: text("state"),
        step: None,
        wall_ms: reading(1, 2),
        written: reading(1, 2),
    };
    scene.tape.push(Kind::ResourceSampled, &sample);
    let path = text("finding-path");
    let found = Finding {
        fingerprint: Some(text("fingerprint")),
        ..finding(&text("rule"), &text("message"), &path, 7, 5)
    };
    let mut judged = verdict(Judgement::Fail, &text("summary"), vec![found]);
    judged.data = Some(text("data"));
    let said = Said {
        code: Some(text("code")),
        sentence: text("sentence"),
        verdict: Some(judged),
        quotes: vec![
            // The column is one of the spaces.
            quote(&path, 7, &format!("        {}", text("quoted-line"))),
        ],
        stdout: Some(text("stdout").into_bytes()),
        stderr: Some([text("stderr").as_bytes(), b"\xff\xfe"].concat()),
        // What a call changes and what it calls itself, too.
        ..fail("", Vec::new())
    };
    scene.end(&id, &intent, seq, said);
    scene.halted = Some(text("halted"));
    scene.finish();
    scene
}

/// The names of the texts of [`attacked`] that are on the page; a fingerprint and a summary beside a sentence are not.
pub(crate) const PLACES: [&str; 22] = [
    "step",
    "kind",
    "plugin-name",
    "need",
    "right",
    "skip",
    "denial-code",
    "denial-path",
    "denial-wanted",
    "media-type",
    "artifact-name",
    "state",
    "finding-path",
    "rule",
    "message",
    "data",
    "code",
    "sentence",
    "quoted-line",
    "stdout",
    "stderr",
    "halted",
];
