//! Several runs at once.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::ended::start;
use crate::site::{Desk, Test, gate, said, step};

#[test]
fn two_runs_at_once_both_come_to_an_end() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a")])?;
    let steps = [
        gate("one", "do = \"count-lines\"", ""),
        gate("two", "do = \"walk\", patterns = [\"**\"]", ""),
        gate("bad", "do = \"fail\", findings = 1, message_bytes = 1", ""),
    ];
    desk.pipeline(&steps.concat())?;
    let runs = [&[][..], &["--no-cache"], &[], &["--no-cache"]];
    let children = runs.map(|more| start(&desk, more));
    for child in children {
        let said = said(&child?.wait_with_output()?);
        assert_eq!(said.exit, 1, "{}{}", said.out, said.err);
        assert!(
            said.out.contains("not passed: 1 failed, 2 passed"),
            "{}",
            said.out
        );
    }
    assert_eq!(desk.bodies("run.finished")?.len(), 4);
    assert_eq!(desk.audit()?, ("CLOSED".to_owned(), 0));
    Ok(())
}

/// Two that change files at once: each change is there or was refused, and both say which.
#[test]
fn two_writers_at_once_lose_nothing() -> Test {
    let desk = Desk::new(&[("docs/none", "")])?;
    let writer = |name: &str| {
        format!(
            "[[step]]\nid = \"writer\"\ncommand = \"probe\"\nargs = [\"create-new\", \"docs/{name}\", \"{name}\"]\nlist = [\"docs/**\"]\nwrite = [\"docs/**\"]\n"
        )
    };
    let names = ["a", "b", "c"];
    let mut children = Vec::new();
    for name in names {
        // Rules are read first: the lease and the pipeline of each are its own.
        desk.pipeline(&writer(name))?;
        desk.exits(&["approve"], 0)?;
        let started = desk.bodies("run.started")?.len();
        let mut child = start(&desk, &["--format", "json"])?;
        while child.try_wait()?.is_none() && desk.bodies("run.started")?.len() == started {}
        children.push((name, child));
    }
    for (name, child) in children {
        let said = said(&child.wait_with_output()?);
        let run: Value = serde_json::from_str(&said.out)?;
        let there = desk.workspace().join("docs").join(name).exists();
        if said.exit == 0 {
            assert!(there, "{name} is lost: {run}");
            continue;
        }
        // Refused as a step, or before there were steps.
        let code = step(&run, "writer").map_or(&run["error"]["code"], |entry| &entry["code"]);
        assert!(!there && code.is_string(), "{name}: {run}");
    }
    assert_eq!(desk.audit()?, ("CLOSED".to_owned(), 0));
    Ok(())
}

/// While another run brings changes back, the workspace is neither here nor there: a run waits for the short time.
#[test]
fn a_run_waits_for_one_that_brings_changes_back() -> Test {
    let desk = Desk::new(&[("docs/a.md", "old")])?;
    desk.pipeline(
        "[[step]]\nid = \"writer\"\ncommand = \"probe\"\nargs = [\"write\", \"docs/a.md\", \"new\"]\nlist = [\"docs/**\"]\nwrite = [\"docs/**\"]\n",
    )?;
    desk.exits(&["approve"], 0)?;
    desk.go(&[], 0)?;
    fs::remove_file(desk.workspace().join("leasehold.lease"))?;
    desk.pipeline(&gate("reader", "do = \"count-lines\"", ""))?;
    let journals = fs::read_dir(desk.home().join("journals"))?;
    let mut folders = journals.filter_map(|entry| Some(entry.ok()?.path()));
    let journal = folders.find(|path| path.is_dir()).ok_or("no journal")?;
    let lock = fs::File::options().write(true).open(journal.join("lock"))?;
    lock.lock()?;
    let child = start(&desk, &[])?;
    std::thread::sleep(Duration::from_millis(300));
    lock.unlock()?;
    let waited = said(&child.wait_with_output()?);
    assert_eq!(waited.exit, 0, "{}{}", waited.out, waited.err);
    desk.go(&[], 0)?;
    Ok(())
}
