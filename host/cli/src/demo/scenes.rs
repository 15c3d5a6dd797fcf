//! The scenes of the tour.

use std::fs;
use std::path::Path;

use crate::exit;
use crate::failure::Failure;

use super::stage::{Stage, expect};

/// Plays all scenes. What comes out otherwise than expected is noted by the stage and does not end the tour.
pub(super) fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    home(stage);
    pipeline(stage)?;
    writing(stage)?;
    stranger(stage);
    gate(stage)?;
    command(stage);
    adapter(stage);
    attacks(stage);
    forgery(stage)?;
    tape(stage)
}

fn home(stage: &mut Stage<'_>) {
    stage.scene(
        "A home",
        &["Keys, trust file and tape lie outside of every tree that is judged."],
    );
    stage.run(&["init"], &expect(exit::PASSED, &["made", "issuer, host"]));
}

fn pipeline(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene(
        "A pipeline for a repository",
        &["Two gates that come along, each with the rights it wishes for: they read, and nothing else. On one's own machine the run", "signs itself a lease for ten minutes."],
    );
    for gate in ["secrets", "conflict-markers"] {
        let add = ["plugin", "add", gate, "--step", "--workspace", "site"];
        stage.run(&add, &expect(exit::PASSED, &["added a step"]));
    }
    let run = ["run", "--workspace", "site"];
    stage.run(&run, &expect(exit::PASSED, &["passed: 2 passed"]));
    stage.aside("Somebody pastes a key (site/deploy.sh). The gate finds it; what it says does not contain it:");
    stage.put("site/deploy.sh", KEY.as_bytes())?;
    let expected = expect(exit::FAILED, &["deploy.sh:2", "GATE-FAILED", "report: "]);
    stage.run(&run, &expected.showing(6));
    stage.aside("Nothing has changed, so the results are used again. Each use is admitted and recorded like a call:");
    stage.run(&run, &expect(exit::FAILED, &["as before"]).showing(6));
    let path = stage.path("site/deploy.sh");
    fs::remove_file(&path).map_err(|error| Failure::writing("file", &path, &error))
}

fn writing(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene(
        "A step that writes",
        &["Writing is never allowed without an approval. What the step may do is shown before it is signed."],
    );
    stage.put("site/leasehold.toml", WRITING.as_bytes())?;
    let add = ["plugin", "add", "md-toc", "--workspace", "site"];
    stage.run(&add, &expect(exit::PASSED, &["added md-toc"]));
    let run = ["run", "--workspace", "site"];
    stage.run(
        &run,
        &expect(exit::REFUSED, &["LEASE-NEEDED", "may write docs/**"]),
    );
    let approve = ["approve", "--workspace", "site"];
    stage.run(
        &approve,
        &expect(
            exit::PASSED,
            &["may write docs/**", "signed leasehold.lease"],
        ),
    );
    stage.aside("First to look at it: it runs and is recorded, and what it writes is dropped.");
    let shadow = ["run", "--workspace", "site", "--shadow"];
    stage.run(&shadow, &expect(exit::PASSED, &["docs/guide.md"]));
    let untouched = !stage.text("site/docs/guide.md").contains("](#");
    stage.check("site/docs/guide.md is as it was", untouched);
    stage.run(&run, &expect(exit::PASSED, &["docs/guide.md"]));
    let changed = stage
        .text("site/docs/guide.md")
        .contains("- [No lease, no call](#no-lease-no-call)");
    stage.check("site/docs/guide.md has its table of contents", changed);
    stage.aside("The same, read back from the tape alone:");
    stage.run(
        &["report"],
        &expect(exit::PASSED, &["run 0", "changed 1 path"]).showing(14),
    );
    Ok(())
}

/// A file with what looks like a key; in two pieces, so that it is found there and not here.
const KEY: &str = concat!(
    "#!/bin/sh\nexport AWS_ACCESS_KEY_ID=AKIA",
    "Q3EGRTYW5ZLK7XPD\n"
);

/// A pipeline with a step that writes.
const WRITING: &str = "version = 1\n\n[[step]]\nid = \"toc\"\ncommand = \"md-toc\"\nargs = [\"--in-place\", \"docs\"]\nread = [\"docs/**\"]\nwrite = [\"docs/**\"]\n";

fn stranger(stage: &mut Stage<'_>) {
    stage.scene(
        "A plugin from a stranger",
        &["What it is, imports and wants can be read without running any of it. Wanting is not getting."],
    );
    stage.run(
        &["plugin", "inspect", "plugins/search.wasm"],
        &expect(
            exit::PASSED,
            &["wasi:filesystem", "tool search", "leasehold lease issue"],
        )
        .showing(13),
    );
}

fn gate(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene(
        "A gate judges a tree",
        &["It wants to see the names at the root and nothing else, so on one's own machine the call signs itself a lease for", "ten minutes."],
    );
    let call = [
        "call",
        "plugins/structure-lock.wasm",
        "--workspace",
        "project",
        "--config",
        "@rules.json",
    ];
    stage.run(&call, &expect(exit::PASSED, &["pass:"]));
    stage.aside(
        "Now somebody leaves something at the root (project/notes.bak), and the same gate says so:",
    );
    stage.put("project/notes.bak", b"remember the milk\n")?;
    stage.run(
        &call,
        &expect(exit::FAILED, &["fail:", "notes.bak", "GATE-FAILED"]),
    );
    let path = stage.path("project/notes.bak");
    fs::remove_file(&path).map_err(|error| Failure::writing("file", &path, &error))
}

fn command(stage: &mut Stage<'_>) {
    stage.scene(
        "A command changes one file, and not another",
        &["Writing takes a lease that says what. This one allows docs/guide.md."],
    );
    stage.run(
        &[
            "lease",
            "issue",
            "--plugin",
            "plugins/file-ops.wasm",
            "--list",
            "**",
            "--read",
            "docs/**",
            "--write",
            "docs/guide.md",
            "-o",
            "edit.lease",
        ],
        &expect(exit::PASSED, &["write   docs/guide.md"]).showing(16),
    );
    let call = |request| {
        [
            "call",
            "plugins/file-ops.wasm",
            "--lease",
            "edit.lease",
            "--workspace",
            "project",
            "--stdin",
            request,
        ]
    };
    stage.run(
        &call("good-request.json"),
        &expect(exit::PASSED, &["docs/guide.md"]),
    );
    let changed = stage
        .text("project/docs/guide.md")
        .contains("No record, no call.");
    stage.check("project/docs/guide.md has the new text", changed);
    stage.run(
        &call("bad-request.json"),
        &expect(exit::REFUSED, &["PATH-DENIED", "wanted to", "src/main.rs"]),
    );
    let untouched = stage.text("project/src/main.rs") == "fn main() {}\n";
    stage.check("project/src/main.rs is as it was", untouched);
    stage.aside("What exactly was missing:");
    stage.run(
        &["explain", "last"],
        &expect(exit::PASSED, &["src/main.rs", "--write src/main.rs"]).showing(24),
    );
}

fn adapter(stage: &mut Stage<'_>) {
    stage.scene(
        "An adapter answers a question",
        &["A tool for an agent: arguments and answer are held to the schemas that the plugin states."],
    );
    stage.run(
        &[
            "call",
            "plugins/search.wasm",
            "--workspace",
            "project",
            "--tool",
            "search",
            "--arguments",
            r#"{"text": "lease", "files": ["docs/**"]}"#,
        ],
        &expect(exit::PASSED, &["docs/guide.md", "docs/faq.md"]),
    );
    stage.run(
        &[
            "call",
            "plugins/search.wasm",
            "--workspace",
            "project",
            "--tool",
            "search",
            "--arguments",
            r#"{"txt": "lease"}"#,
        ],
        &expect(exit::USAGE, &["ARGUMENTS-SCHEMA"]),
    );
}

fn attacks(stage: &mut Stage<'_>) {
    stage.scene(
        "A hostile guest",
        &[
            "`probe` does whatever it is told. Its lease lets it read docs, gives it 32 MiB, a second's worth of fuel and five",
            "seconds. First the one thing it may do, so that what follows is not stopped for the wrong reason.",
        ],
    );
    stage.run(
        &[
            "lease",
            "issue",
            "--plugin",
            "plugins/probe.wasm",
            "--read",
            "docs/**",
            "--memory",
            "32M",
            "--wall-ms",
            "5000",
            "--args",
            r#"["read","docs/faq.md"]"#,
            "--args",
            r#"["read","../secret.txt"]"#,
            "--args",
            r#"["spin"]"#,
            "--args",
            r#"["sleep","60000"]"#,
            "--args",
            r#"["eat-memory","0"]"#,
            "-o",
            "probe.lease",
        ],
        &expect(exit::PASSED, &["memory 32 MiB"]).showing(4),
    );
    let mut call = |args: &[&str], code: u8, says: &[&str]| {
        let mut words = vec![
            "call",
            "plugins/probe.wasm",
            "--lease",
            "probe.lease",
            "--workspace",
            "project",
            "--",
        ];
        words.extend(args);
        stage.run(&words, &expect(code, says))
    };
    call(&["read", "docs/faq.md"], exit::PASSED, &["\"ok\":true"]);
    let said = call(&["read", "../secret.txt"], exit::REFUSED, &["PATH-ESCAPE"]);
    call(&["spin"], exit::EXHAUSTED, &["FUEL-EXHAUSTED"]);
    call(&["sleep", "60000"], exit::EXHAUSTED, &["TIME-EXCEEDED"]);
    call(&["eat-memory", "0"], exit::EXHAUSTED, &["MEMORY-EXCEEDED"]);
    call(&["unlink", "docs/faq.md"], exit::REFUSED, &["ARGS-DENIED"]);
    stage.check(
        "the secret beside the project was not told",
        !said.contains("swordfish"),
    );
}

fn forgery(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene(
        "Papers that are not what they claim",
        &["A lease edited by hand, and a lease for another plugin."],
    );
    let edited = edit_payload(&stage.text("edit.lease"));
    stage.put("edited.lease", edited.as_bytes())?;
    stage.run(
        &["lease", "verify", "edited.lease"],
        &expect(exit::INTEGRITY, &["SIGNATURE-INVALID"]),
    );
    stage.run(
        &["lease", "verify", "edit.lease"],
        &expect(exit::PASSED, &["verified"]).showing(1),
    );
    stage.run(
        &[
            "call",
            "plugins/hello.wasm",
            "--lease",
            "edit.lease",
            "--workspace",
            "project",
        ],
        &expect(exit::REFUSED, &["PLUGIN-MISMATCH"]),
    );
    stage.run(
        &["call", "plugins/hello.wasm", "--", "demo"],
        &expect(exit::PASSED, &["demo"]),
    );
    Ok(())
}

fn tape(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene(
        "The tape",
        &["All of this was recorded before it was said. Anyone with the trust file can check it, on any machine."],
    );
    stage.run(
        &["tape", "show", "--limit", "8"],
        &expect(
            exit::PASSED,
            &["lease.denied", "call.outcome", "tape.closed"],
        ),
    );
    stage.run(&["tape", "verify"], &expect(exit::PASSED, &["CLOSED"]));
    let record = flip_one_byte(&stage.path("home/tape"), &stage.path("tape-copy"))?;
    stage.aside(&format!("In a copy one byte of record {record} is changed, so that a command that failed seems to have exited with 0:"));
    // The record itself is still well-formed; what gives it away is that the next one does not follow it any more.
    let found = format!("record {} ", record + 1);
    stage.run(
        &[
            "tape",
            "verify",
            "--tape",
            "tape-copy",
            "--trust",
            "home/trust.json",
        ],
        &expect(exit::INTEGRITY, &["BROKEN", &found]),
    );
    stage.run(
        &["tape", "verify"],
        &expect(exit::PASSED, &["CLOSED"]).showing(1),
    );
    Ok(())
}

/// The envelope with one character of its payload changed.
fn edit_payload(envelope: &str) -> String {
    let Some(at) = envelope
        .find("\"payload\":\"")
        .map(|start| start + "\"payload\":\"".len() + 40)
    else {
        return String::new();
    };
    let changed = if envelope.get(at..=at) == Some("A") {
        "B"
    } else {
        "A"
    };
    let mut edited = envelope.to_owned();
    if edited.is_char_boundary(at) && edited.is_char_boundary(at + 1) {
        edited.replace_range(at..=at, changed);
    }
    edited
}

/// Copies a tape and, in the record of a command's failed outcome, turns the exit code 1 into 0. Gives the record's number.
fn flip_one_byte(tape: &Path, copy: &Path) -> Result<usize, Failure> {
    let failed = |error: std::io::Error| Failure::writing("copy of the tape", copy, &error);
    fs::create_dir(copy).map_err(failed)?;
    fs::copy(tape.join("checkpoint"), copy.join("checkpoint")).map_err(failed)?;
    let records = fs::read_to_string(tape.join("records.jsonl")).map_err(failed)?;
    let mut lines: Vec<String> = records.split_inclusive('\n').map(str::to_owned).collect();
    let is_failed =
        |line: &String| line.contains("\"kind\":\"call.outcome\"") && line.contains("\"exit\":1,");
    let at = lines.iter().position(is_failed).unwrap_or(0);
    if let Some(line) = lines.get_mut(at) {
        *line = line.replacen("\"exit\":1,", "\"exit\":0,", 1);
    }
    fs::write(copy.join("records.jsonl"), lines.concat()).map_err(failed)?;
    Ok(at)
}
