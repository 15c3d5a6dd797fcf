//! What steps come to, and what a run makes of it.

use std::fs;

use leasehold_tests::Fault;

use crate::site::{Desk, Said, Test, gate, step};

/// The words at the start of the lines that are about steps.
pub(crate) fn words(said: &Said) -> Vec<&str> {
    let known = ["error", "fail", "blocked", "not-run", "skipped", "pass"];
    let words = said.out.lines().filter(|line| !line.starts_with(' '));
    let words = words.filter_map(|line| line.split_whitespace().next());
    words.filter(|word| known.contains(word)).collect()
}

/// The page that a run's last line names.
pub(crate) fn page(said: &Said) -> Result<String, Fault> {
    let last = said.out.lines().last().unwrap_or_default();
    let path = last.strip_prefix("report: ").ok_or("no report last")?;
    Ok(fs::read_to_string(path)?)
}

#[test]
fn six_outcomes_are_six_things_and_failures_come_first() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a")])?;
    let steps = [
        gate("good", "do = \"pass\"", ""),
        gate(
            "bad",
            "do = \"fail\", findings = 2, message_bytes = 5",
            "needs = [\"good\"]",
        ),
        gate("trapped", "do = \"trap\"", ""),
        gate("spun", "do = \"spin\"", "limits = { fuel = 5000000 }"),
        gate("none", "do = \"skip\"", ""),
        gate("needy", "do = \"pass\"", "needs = [\"good\", \"bad\"]"),
        gate("needier", "do = \"pass\"", "needs = [\"needy\"]"),
    ];
    desk.pipeline(&steps.concat())?;
    let said = desk.exits(&["run", "--jobs", "1"], 4)?;
    let expected = ["error", "error", "fail", "blocked", "blocked", "skipped"];
    assert_eq!(words(&said), expected, "{}", said.out);
    // What passed had its line when it passed.
    assert!(said.err.contains("pass     good: passed"), "{}", said.err);
    let page = page(&said)?;
    assert!(page.contains("mmmmm") && page.contains("hostile/rule"));
    assert!(page.contains("FUEL-EXHAUSTED") && page.contains("NEED-UNMET"));
    let finished = &desk.bodies("run.finished")?[0];
    let counts = "{\"blocked\":2,\"error\":2,\"fail\":1,\"not_run\":0,\"pass\":1,\"skipped\":1}";
    assert_eq!(finished["counts"].to_string(), counts);
    assert_eq!(finished["passed"], false);
    assert_eq!(desk.bodies("run.started")?[0]["jobs"], 1);
    // What has no call has no intent, and the others have both records.
    assert_eq!(desk.bodies("call.intent")?.len(), 5);
    assert_eq!(desk.bodies("call.outcome")?.len(), 5);
    assert_eq!(desk.audit()?, ("CLOSED".to_owned(), 0));
    let status = desk.exits(&["status"], 4)?;
    assert!(status.out.contains("finished: error"), "{}", status.out);
    Ok(())
}

#[test]
fn the_exit_code_is_that_of_what_matters_most() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a"), ("secret", "s")])?;
    let step = |what: &str| match what {
        "pass" => gate("pass", "do = \"pass\"", ""),
        "fail" => gate("fail", "do = \"fail\", findings = 1, message_bytes = 1", ""),
        "trap" => gate("trap", "do = \"trap\"", ""),
        "skip" => gate("skip", "do = \"skip\"", ""),
        "blocked" => gate(
            "blocked",
            "do = \"error\", kind = \"blocked\", text = \"x\"",
            "",
        ),
        "config" => gate("config", "do = \"sing\"", ""),
        _ => gate("refused", "do = \"read\", path = \"secret\"", ""),
    };
    for (steps, exit) in [
        (&["pass"][..], 0),
        (&["pass", "skip"], 5),
        (&["pass", "blocked"], 5),
        (&["pass", "fail", "skip", "blocked"], 1),
        (&["fail", "config"], 1),
        (&["pass", "config"], 64),
        (&["fail", "trap", "blocked"], 4),
        (&["trap", "refused", "fail"], 3),
    ] {
        desk.pipeline(&steps.iter().map(|what| step(what)).collect::<String>())?;
        let run = desk.go(&[], exit)?;
        assert_eq!(run["passed"], exit == 0, "{steps:?}");
        // Whoever asks later is told the same.
        desk.exits(&["status"], exit)?;
        desk.exits(&["report"], exit)?;
    }
    Ok(())
}

#[test]
fn fail_fast_leaves_the_rest_not_run() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a")])?;
    let steps = [
        gate("none", "do = \"skip\"", ""),
        gate("bad", "do = \"fail\", findings = 1, message_bytes = 1", ""),
        gate("behind", "do = \"pass\"", ""),
    ];
    desk.pipeline(&steps.concat())?;
    let said = desk.exits(&["run", "--jobs", "1", "--fail-fast", "--no-cache"], 1)?;
    assert_eq!(words(&said), ["fail", "not-run", "skipped"]);
    let finished = &desk.bodies("run.finished")?[0];
    assert_eq!(finished["halted"], "FAIL-FAST");
    assert_eq!(finished["counts"]["not_run"], 1);
    assert_eq!(desk.bodies("call.intent")?.len(), 2);
    let run = desk.go(&["--jobs", "1"], 1)?;
    assert_eq!(step(&run, "behind")?["status"], "pass");
    Ok(())
}

/// A program that prints this text and exits so.
fn herald(text: &str, exit: u8) -> Result<Vec<u8>, Fault> {
    let length = u8::try_from(text.len())?;
    let text = text.replace('"', "\\\"");
    Ok(wat::parse_str(format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 64) "\80\00\00\00\{length:02x}\00\00\00")
        (data (i32.const 128) "{text}")
        (func (export "_start")
            (drop (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 32)))
            (call $exit (i32.const {exit}))))"#
    ))?)
}

#[test]
fn what_a_program_prints_is_no_verdict() -> Test {
    let verdict = r#"{"outcome":"pass","summary":"all good","findings":[]}"#;
    for (exit, status, expected) in [(1, "fail", 1), (7, "error", 5), (0, "pass", 0)] {
        let desk = Desk::new(&[("docs/a.md", "a")])?;
        desk.write("plugins/herald.wasm", herald(verdict, exit)?)?;
        desk.pipeline(
            "[[step]]\nid = \"herald\"\ngate = \"herald\"\nread = [\"docs/**\"]\nexit = { pass = [0], fail = [1] }\n",
        )?;
        let run = desk.go(&[], expected)?;
        assert_eq!(step(&run, "herald")?["status"], status, "{exit}");
        let said = desk.exits(&["run"], expected)?;
        assert!(
            said.err.contains(&format!("\n{status:<8} herald: ")),
            "{}",
            said.err
        );
    }
    Ok(())
}

/// A step that was blocked has no record before the end of the run has one, so nothing is said of it before.
#[test]
fn what_only_the_end_of_the_run_records_is_told_last() -> Test {
    let key = concat!("id = \"AKIA", "Q3EGRT5YHUJ7KPLM\"\n");
    let desk = Desk::new(&[("a.txt", key)])?;
    let step = |id: &str, gate: &str, more: &str| {
        format!("[[step]]\nid = \"{id}\"\ngate = \"{gate}\"\nread = [\"**\"]\n{more}\n")
    };
    desk.pipeline(&format!(
        "{}{}{}",
        step("first", "secrets", ""),
        step("second", "conflict-markers", "needs = [\"first\"]"),
        step("third", "conflict-markers", "")
    ))?;
    let said = desk.exits(&["run", "--jobs", "1"], 1)?;
    let at = |line: &str| said.err.find(line).ok_or(format!("{line}: {}", said.err));
    assert!(at("fail     first")? < at("pass     third")?);
    assert!(at("pass     third")? < at("blocked  second")?);
    Ok(())
}
