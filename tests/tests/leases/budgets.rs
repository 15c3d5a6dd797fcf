//! Uses and fuel, counted on one tape for a lease and everything made of it.

use std::fs;
use std::thread;

use serde_json::json;

use crate::house::{House, Said, Test, id};

const LEFT: [&str; 2] = ["lease", "inspect"];

fn counted(house: &House, out: &str, uses: &str, more: &[&str]) -> Test {
    house.issue(
        out,
        &[&["--uses", uses, "--budget-fuel", "100e9"], more].concat(),
    )?;
    Ok(())
}

#[test]
fn two_children_share_what_their_parent_has() -> Test {
    let house = House::new()?;
    let holder = house.stranger("one")?;
    counted(
        &house,
        "root.lease",
        "10",
        &["--holder", &holder, "--depth", "1"],
    )?;
    for child in ["a.lease", "b.lease"] {
        let args = [
            "lease",
            "attenuate",
            "root.lease",
            "--key-file",
            "one.pem",
            "--uses",
            "9",
            "-o",
            child,
        ];
        house.good(&args)?;
    }
    for turn in 0..10 {
        house.greets(if turn < 4 { "a.lease" } else { "b.lease" }, &[])?;
    }
    // Each of the two has uses left of its own.
    for child in ["a.lease", "b.lease"] {
        let said = house
            .run(&["call", "hello.wasm", "--lease", child])?
            .exits(3)?;
        said.tells(&["error[BUDGET-EXHAUSTED]: "])?;
        assert_eq!(house.last("lease.denied")?["code"], "BUDGET-EXHAUSTED");
    }
    let seen = house.json(&[&LEFT[..], &["a.lease", "--tape"]].concat())?;
    let uses = |hop: usize| {
        (
            seen["hops"][hop]["budget"]["uses_counted"].clone(),
            seen["hops"][hop]["budget"]["uses_left"].clone(),
        )
    };
    assert_eq!(uses(0), (json!(4), json!(5)));
    assert_eq!(uses(1), (json!(10), json!(0)));
    // A stranger with nothing but the tape comes to the same numbers.
    let report = house.closed()?;
    let root = id(&house, "root.lease")?.to_string();
    let charges = &report["charges"][&root];
    assert_eq!(charges["uses"], 10, "{report}");
    assert_eq!(charges["fuel"], seen["hops"][1]["budget"]["fuel_counted"]);
    Ok(())
}

#[test]
fn of_processes_that_race_one_gets_the_last_use() -> Test {
    let house = House::new()?;
    counted(&house, "a.lease", "2", &[])?;
    house.greets("a.lease", &[])?;
    let commands = (0..4).map(|_| house.command(&["call", "hello.wasm", "--lease", "a.lease"]));
    let threads: Vec<_> = commands
        .map(|mut command| thread::spawn(move || Said::of(&mut command)))
        .collect();
    let mut exits = Vec::new();
    for thread in threads {
        exits.push(thread.join().map_err(|_| "a thread fell over")??.exit);
    }
    exits.sort_unstable();
    assert_eq!(exits, [0, 3, 3, 3]);
    assert_eq!(house.records("call.intent")?.len(), 2);
    house.closed()?;
    Ok(())
}

#[test]
fn what_a_call_may_burn_is_reserved_before_it_runs() -> Test {
    let house = House::new()?;
    house.issue("a.lease", &["--uses", "9", "--budget-fuel", "1000000000"])?;
    // A call may use all of it, gives back what it did not use, and so less is left than the next one may use.
    house.greets("a.lease", &[])?;
    let said = house
        .run(&["call", "hello.wasm", "--lease", "a.lease"])?
        .exits(3)?;
    said.tells(&["error[BUDGET-EXHAUSTED]: "])?;
    house.issue(
        "b.lease",
        &[
            "--uses",
            "9",
            "--budget-fuel",
            "1000000000",
            "--fuel",
            "400000000",
        ],
    )?;
    house.greets("b.lease", &[])?;
    house.greets("b.lease", &[])?;
    house.closed()?;
    Ok(())
}

#[test]
fn a_lost_call_is_spent_in_full() -> Test {
    let house = House::new()?;
    let issue = [
        "lease",
        "issue",
        "--plugin",
        "probe.wasm",
        "--kind",
        "command",
        "-o",
        "spin.lease",
    ];
    let limits = [
        "--arg",
        "spin",
        "--fuel",
        "1e15",
        "--wall-ms",
        "120000",
        "--uses",
        "2",
        "--budget-fuel",
        "1e15",
    ];
    house.good(&[&issue[..], &limits].concat())?;
    let mut running = house
        .command(&["call", "probe.wasm", "--lease", "spin.lease", "--", "spin"])
        .spawn()?;
    for _ in 0..800 {
        if !house.records("call.intent")?.is_empty() {
            break;
        }
        thread::sleep(std::time::Duration::from_millis(50));
    }
    running.kill()?;
    running.wait()?;
    let again = ["call", "probe.wasm", "--lease", "spin.lease", "--", "spin"];
    house.bad(&again, 3, "BUDGET-EXHAUSTED")?;
    let seen = house.json(&["lease", "inspect", "spin.lease", "--tape"])?;
    let budget = &seen["hops"][0]["budget"];
    assert_eq!(
        (&budget["uses_left"], &budget["fuel_left"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        house.closed()?["open_calls"].as_array().map(Vec::len),
        Some(1)
    );
    Ok(())
}

#[test]
fn a_count_does_not_begin_anew_elsewhere() -> Test {
    let house = House::new()?;
    counted(&house, "a.lease", "1", &[])?;
    let before = fs::read(house.path("home/tape/records.jsonl"))?;
    house.greets("a.lease", &[])?;
    // The records of the call taken away: less than the checkpoint says.
    let all = fs::read(house.path("home/tape/records.jsonl"))?;
    fs::write(house.path("home/tape/records.jsonl"), &before)?;
    let said = house
        .run(&["call", "hello.wasm", "--lease", "a.lease"])?
        .exits(2)?;
    said.tells(&["error[TAPE-TRUNCATED]: "])?;
    fs::write(house.path("home/tape/records.jsonl"), &all)?;
    house.bad(
        &["call", "hello.wasm", "--lease", "a.lease"],
        3,
        "BUDGET-EXHAUSTED",
    )?;
    // A home with the same keys and trust, and a tape of its own.
    fs::remove_dir_all(house.path("home/tape"))?;
    let said = house.run(&["call", "hello.wasm", "--lease", "a.lease"])?;
    assert!(said.exit != 0 && said.out.is_empty(), "{said}");
    let other = House::new()?;
    house.send("a.lease", &other)?;
    fs::write(
        other.path("them.pem"),
        house.good(&["key", "export", "local"])?.out,
    )?;
    other.good(&["key", "trust", "them", "them.pem", "--role", "issuer"])?;
    other.refuses("a.lease", &[], 3, "LEASE-AUDIENCE")?;
    Ok(())
}
