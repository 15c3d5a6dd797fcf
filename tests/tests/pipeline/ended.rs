//! Runs that are ended from outside.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use leasehold_tests::Fault;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::site::{Desk, Said, Test, gate, said};

/// Fuel for hours.
const LONG: &str = "limits = { fuel = 1000000000000000 }";

/// Starts a run in the background.
pub(crate) fn start(desk: &Desk, more: &[&str]) -> Result<Child, Fault> {
    let mut args = vec!["run"];
    args.extend(more);
    let mut command = desk.command(&args);
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
    Ok(command.stderr(Stdio::piped()).spawn()?)
}

/// Waits until the tape has so many records of a kind.
pub(crate) fn await_records(desk: &Desk, kind: &str, count: usize) -> Test {
    let wanted = format!("\"kind\":\"{kind}\"");
    let deadline = Instant::now() + Duration::from_secs(30);
    let tape = desk.home().join("tape/records.jsonl");
    while fs::read_to_string(&tape)?.matches(&wanted).count() < count {
        if Instant::now() > deadline {
            return Err(format!("there are no {count} {kind}").into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn send(child: &Child, signal: Signal) -> Test {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    Ok(kill_process(pid.ok_or("no process")?, signal)?)
}

/// Runs until the second call is under way, sends a signal, and waits.
fn interrupted(desk: &Desk, signal: Signal) -> Result<Said, Fault> {
    let before = desk.bodies("call.intent")?.len();
    let child = start(desk, &["--jobs", "1", "--no-cache"])?;
    await_records(desk, "call.intent", before + 2)?;
    send(&child, signal)?;
    Ok(said(&child.wait_with_output()?))
}

/// One that passes, one that never ends, one that would follow.
fn endless() -> String {
    [
        gate("first", "do = \"pass\"", ""),
        gate("endless", "do = \"spin\"", LONG),
        gate("behind", "do = \"pass\"", ""),
    ]
    .concat()
}

#[test]
fn a_signal_ends_the_run_and_closes_the_tape() -> Test {
    for signal in [Signal::INT, Signal::TERM] {
        let desk = Desk::new(&[("docs/a.md", "a")])?;
        desk.pipeline(&endless())?;
        let said = interrupted(&desk, signal)?;
        assert_eq!(said.exit, 5, "{}{}", said.out, said.err);
        for line in ["error    endless", "not-run  behind", "(CANCELLED)"] {
            assert!(said.out.contains(line), "{line}: {}", said.out);
        }
        let report = said
            .out
            .lines()
            .last()
            .and_then(|line| line.strip_prefix("report: "));
        assert!(
            report.is_some_and(|path| Path::new(path).is_file()),
            "{}",
            said.out
        );
        let finished = &desk.bodies("run.finished")?[0];
        assert_eq!(
            (&finished["halted"], &finished["passed"]),
            (&"CANCELLED".into(), &false.into())
        );
        let outcomes = desk.bodies("call.outcome")?;
        assert_eq!(
            (outcomes.len(), &outcomes[1]["code"]),
            (2, &"CANCELLED".into())
        );
        assert_eq!(desk.audit()?, ("CLOSED".to_owned(), 0));
        desk.pipeline(&gate("first", "do = \"pass\"", ""))?;
        desk.go(&[], 0)?;
    }
    Ok(())
}

#[test]
fn a_writer_that_is_ended_changes_nothing() -> Test {
    for signal in [Signal::INT, Signal::KILL] {
        let desk = Desk::new(&[("docs/a.md", "a")])?;
        let writer = |args: &str| {
            format!(
                "[[step]]\nid = \"writer\"\ncommand = \"probe\"\nargs = {args}\nlist = [\"docs/**\"]\nread = [\"docs/**\"]\nwrite = [\"docs/**\"]\n{LONG}\n"
            )
        };
        let steps = |args: &str| [gate("first", "do = \"pass\"", ""), writer(args)].concat();
        desk.pipeline(&steps("[\"spin\"]"))?;
        desk.exits(&["approve"], 0)?;
        let said = interrupted(&desk, signal)?;
        assert!(said.exit != 0, "{}", said.out);
        assert_eq!(desk.read("docs/a.md")?, "a");
        assert!(desk.bodies("patch.written")?.is_empty());
        desk.pipeline(&steps("[\"write\", \"docs/a.md\", \"b\"]"))?;
        desk.exits(&["approve"], 0)?;
        desk.go(&[], 0)?;
        assert_eq!(desk.read("docs/a.md")?, "b");
        let left = fs::read_dir(desk.home().join("scratch"))?.collect::<Result<Vec<_>, _>>()?;
        let trees = left.iter().filter(|entry| entry.path().is_dir());
        assert_eq!(trees.count(), 0, "a step tree was left behind");
    }
    Ok(())
}

#[test]
fn a_killed_run_is_spent_and_the_next_one_works() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a")])?;
    desk.pipeline(&endless())?;
    let said = interrupted(&desk, Signal::KILL)?;
    assert_eq!(said.exit, -1);
    let (finding, open) = desk.audit()?;
    assert_eq!((finding.as_str(), open), ("OPEN", 1));
    let status = desk.exits(&["status"], 5)?;
    assert!(!status.out.contains("finished"), "{}", status.out);
    desk.pipeline(&gate("first", "do = \"pass\"", ""))?;
    desk.go(&["--no-cache"], 0)?;
    assert_eq!(desk.audit()?, ("CLOSED".to_owned(), 1));
    // Spent in full: whoever could not say what it used has used it all.
    let intents = desk.bodies("call.intent")?;
    assert_eq!(intents[1]["charges"][0]["fuel"], 1_000_000_000_000_000_u64);
    assert_eq!(desk.bodies("run.finished")?.len(), 1);
    Ok(())
}

/// The files of the workspace that the writer is about.
fn docs(desk: &Desk) -> Result<BTreeMap<String, String>, Fault> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(desk.workspace().join("docs"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        found.insert(name, fs::read_to_string(entry.path())?);
    }
    Ok(found)
}

/// Killed at twenty moments of bringing changes back: what is there afterwards is the tree before or the tree after.
#[test]
fn a_bring_back_that_is_killed_is_whole_or_undone() -> Test {
    const FILES: usize = 12;
    let desk = Desk::new(&[])?;
    let operations = (0..FILES).map(|at| match at % 3 {
        0 => json!({"op": "update", "path": format!("docs/{at}.md"), "content": "new"}),
        1 => json!({"op": "delete", "path": format!("docs/{at}.md")}),
        _ => json!({"op": "write", "path": format!("docs/new-{at}.md"), "content": "new"}),
    });
    let operations: Vec<Value> = operations.collect();
    desk.write(
        "request.json",
        json!({"version": 1, "operations": operations}).to_string(),
    )?;
    let reset = || -> Test {
        let folder = desk.workspace().join("docs");
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        (0..FILES).try_for_each(|at| desk.write(&format!("docs/{at}.md"), "old"))
    };
    reset()?;
    let writer = "[[step]]\nid = \"writer\"\ncommand = \"file-ops\"\nargs = [\"request.json\"]\n\
        read = [\"docs/**\", \"request.json\"]\nwrite = [\"docs/**\"]\n";
    let reader = gate("reader", "do = \"count-lines\"", "");
    desk.pipeline(&reader)?;
    let look = desk.read("leasehold.toml")?;
    desk.pipeline(writer)?;
    let change = desk.read("leasehold.toml")?;
    desk.exits(&["approve"], 0)?;
    let lease = desk.read("leasehold.lease")?;
    let before = docs(&desk)?;
    desk.go(&[], 0)?;
    let after = docs(&desk)?;
    assert_ne!(before, after);
    let window = window(&desk)?;
    let mut seen = [0, 0];
    for round in 0..20_u32 {
        reset()?;
        desk.write("leasehold.toml", &change)?;
        desk.write("leasehold.lease", &lease)?;
        let patches = desk.bodies("patch.written")?.len();
        let applied = desk.bodies("commit.applied")?.len();
        let child = start(&desk, &[])?;
        await_records(&desk, "patch.written", patches + 1)?;
        std::thread::sleep(window * round / 19);
        send(&child, Signal::KILL)?;
        let said = said(&child.wait_with_output()?);
        // The next run, of whatever kind, puts it right before anything is judged.
        desk.write("leasehold.toml", &look)?;
        fs::remove_file(desk.workspace().join("leasehold.lease"))?;
        desk.go(&[], 0)?;
        let now = docs(&desk)?;
        assert!(
            now == before || now == after,
            "round {round}: {now:?}\n{}",
            said.err
        );
        seen[usize::from(now == after)] += 1;
        // Nobody has to guess which of the two it is.
        let recorded = desk.bodies("commit.applied")?.len() - applied;
        assert_eq!(recorded, usize::from(now == after), "round {round}");
        assert_eq!(desk.audit()?.0, "CLOSED", "round {round}");
    }
    assert!(seen[0] > 0, "no round came before the end");
    reset()?;
    desk.write("leasehold.toml", &change)?;
    desk.write("leasehold.lease", &lease)?;
    desk.go(&[], 0)?;
    assert_eq!(docs(&desk)?, after);
    Ok(())
}

/// How long it took from the patch to the changes.
fn window(desk: &Desk) -> Result<Duration, Fault> {
    let tape = fs::read_to_string(desk.home().join("tape/records.jsonl"))?;
    let at = |kind: &str| {
        let mut records = tape
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let found = records.rfind(|record| record["kind"] == kind);
        found
            .and_then(|record| record["mono_us"].as_u64())
            .ok_or("no record")
    };
    Ok(Duration::from_micros(
        at("commit.applied")?.saturating_sub(at("patch.written")?),
    ))
}
