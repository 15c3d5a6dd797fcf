//! Handing on less of a lease, away from any home; and that more of it is refused, by whoever makes it and by whoever is shown it.

use std::process::Command;

use leasehold_tests::{Fault, binary};
use serde_json::{Value, json};

use crate::house::{House, Said, Test, after};

/// A root for `one.pem` with this on top, and the keys `one.pem` and `two.pem` beside it.
fn root(more: &[&str]) -> Result<House, Fault> {
    let house = House::new()?;
    for name in ["one", "two"] {
        let id = house.stranger(name)?;
        std::fs::write(house.path(name), id)?;
    }
    let one = std::fs::read_to_string(house.path("one"))?;
    house.issue(
        "root.lease",
        &[&["--holder", &one, "--depth", "3"], more].concat(),
    )?;
    Ok(house)
}

/// Narrows where there is no home.
fn attenuate(
    house: &House,
    from: &str,
    key: &str,
    out: &str,
    more: &[&str],
) -> Result<Said, Fault> {
    let args = ["lease", "attenuate", from, "--key-file", key, "-o", out];
    let mut command = Command::new(binary()?);
    command
        .args([&args[..], more].concat())
        .current_dir(house.path("."))
        .env_clear()
        .env("LEASEHOLD_HOME", house.path("nowhere"));
    Said::of(&mut command)
}

#[test]
fn three_generations_are_made_without_a_home() -> Test {
    let house = root(&["--read", "ws/**"])?;
    let two = std::fs::read_to_string(house.path("two"))?;
    attenuate(
        &house,
        "root.lease",
        "one.pem",
        "a.lease",
        &["--holder", &two, "--read", "ws/docs/**"],
    )?
    .exits(0)?;
    attenuate(
        &house,
        "a.lease",
        "two.pem",
        "b.lease",
        &["--holder", &two, "--fuel", "900000000"],
    )?
    .exits(0)?;
    attenuate(
        &house,
        "b.lease",
        "two.pem",
        "c.lease",
        &["--without", "read"],
    )?
    .exits(0)?;
    assert!(!house.path("nowhere").exists());
    assert_eq!(house.chain("c.lease")?.len(), 4);
    house.greets("c.lease", &[])?;
    let verified = house.last("lease.verified")?;
    assert_eq!(
        verified["chain"].as_array().map(Vec::len),
        Some(3),
        "{verified}"
    );
    // Nobody hands on what is not theirs, nor of what is for whoever has it, nor beyond the depth.
    attenuate(&house, "a.lease", "one.pem", "x.lease", &[])?
        .exits(2)?
        .tells(&["error[LEASE-CHAIN]: "])?;
    attenuate(&house, "c.lease", "two.pem", "x.lease", &[])?
        .exits(2)?
        .tells(&["error[LEASE-CHAIN]: "])?;
    // Cut, turned and doubled.
    let chain = house.chain("c.lease")?;
    let cut = [&chain[..2], &chain[3..]].concat();
    let turned: Vec<_> = chain.iter().rev().cloned().collect();
    let twice = [&chain[..1], &chain[..]].concat();
    for wrong in [&chain[..3], &cut, &turned, &twice] {
        house.write_chain("x.lease", wrong)?;
        house.refuses("x.lease", &[], 2, "LEASE-CHAIN")?;
    }
    house.greets("c.lease", &[])?;
    house.closed()?;
    Ok(())
}

#[test]
fn what_is_wider_is_not_made() -> Test {
    let house = root(&[
        "--read",
        "data/**",
        "--arg",
        "--check",
        "--http",
        "GET https://example.com/v1/**",
    ])?;
    let cases: [&[&str]; 10] = [
        &["--read", "data2/**"],
        &["--read", "**"],
        &["--list", "data/**"],
        &["--write", "data/a"],
        &["--arg", "--fix"],
        &["--env", "HOME"],
        &["--http", "GET https://evil-example.com/v1/**"],
        &["--http", "GET https://example.com:444/v1/**"],
        &["--http", "POST https://example.com/v1/**"],
        &["--fuel", "2000000000"],
    ];
    for more in cases {
        let said = attenuate(&house, "root.lease", "one.pem", "x.lease", more)?.exits(3)?;
        said.tells(&["error[LEASE-WIDER]: ", "hint: "])?;
        assert!(!house.path("x.lease").exists(), "{more:?}");
    }
    attenuate(
        &house,
        "root.lease",
        "one.pem",
        "x.lease",
        &["--expires", "2h"],
    )?
    .exits(3)?
    .tells(&["error[LEASE-WIDER]: "])?;
    for twin in [
        ["--read", "data/docs/**"],
        ["--fuel", "5"],
        ["--http", "GET https://example.com/v1/a"],
    ] {
        attenuate(&house, "root.lease", "one.pem", "x.lease", &twin)?.exits(0)?;
        house.good(&["lease", "verify", "x.lease"])?;
    }
    Ok(())
}

/// One way to widen a child, by its name.
type Widening = (&'static str, fn(&mut Value, &str), i32, &'static str);

#[test]
fn what_is_wider_is_refused_when_it_is_signed_by_hand() -> Test {
    let house = root(&["--read", "data/**", "--deny", "data/secret"])?;
    attenuate(&house, "root.lease", "one.pem", "a.lease", &[])?.exits(0)?;
    let one = house.key("one.pem")?;
    let late = after(7_200)?.to_string();
    let cases: [Widening; 13] = [
        (
            "read",
            |lease, _| lease["grants"][0]["files"]["read"] = json!(["data2/**"]),
            3,
            "LEASE-WIDER",
        ),
        (
            "all",
            |lease, _| lease["grants"][0]["files"]["read"] = json!(["**"]),
            3,
            "LEASE-WIDER",
        ),
        (
            "upwards",
            |lease, _| lease["grants"][0]["files"]["read"] = json!(["data/../etc/**"]),
            3,
            "PATTERN-FORMAT",
        ),
        (
            "write",
            |lease, _| lease["grants"][0]["files"]["write"] = json!(["data/a"]),
            3,
            "LEASE-WIDER",
        ),
        (
            "deny",
            |lease, _| lease["grants"][0]["files"]["deny"] = json!([]),
            3,
            "LEASE-WIDER",
        ),
        (
            "env",
            |lease, _| lease["grants"][0]["env"] = json!({ "pass": ["HOME"] }),
            3,
            "LEASE-WIDER",
        ),
        (
            "args",
            |lease, _| lease["grants"][0]["args"] = json!([["--fix"]]),
            3,
            "LEASE-WIDER",
        ),
        (
            "fuel",
            |lease, _| lease["grants"][0]["limits"] = json!({ "fuel": 2_000_000_000_u64 }),
            3,
            "LEASE-WIDER",
        ),
        (
            "expires",
            |lease, late| lease["expires"] = json!(late),
            3,
            "LEASE-WIDER",
        ),
        (
            "audience",
            |lease, _| lease["audience"] = json!("any"),
            3,
            "LEASE-WIDER",
        ),
        (
            "grant",
            |lease, _| lease["grants"][0]["of"] = json!("another"),
            3,
            "LEASE-WIDER",
        ),
        (
            "depth",
            |lease, _| lease["depth"] = json!(3),
            2,
            "LEASE-CHAIN",
        ),
        (
            "parent",
            |lease, _| lease["parent"] = json!(format!("sha256:{:064}", 1)),
            2,
            "LEASE-CHAIN",
        ),
    ];
    for (what, widen, exit, code) in cases {
        house.forge("a.lease", "x.lease", &[&one], |lease| widen(lease, &late))?;
        let calls = house.records("call.intent")?.len();
        let said = house.run(&[
            "call",
            "hello.wasm",
            "--lease",
            "x.lease",
            "--workspace",
            "ws",
        ])?;
        let fits = said.exit == exit && said.err.contains(&format!("error[{code}]: "));
        assert!(fits, "{what}: wanted {exit} {code}: {said}");
        assert_eq!(house.last("lease.denied")?["code"], code, "{what}");
        assert_eq!(house.records("call.intent")?.len(), calls, "{what}");
    }
    // Two signatures, and that of somebody else.
    let two = house.key("two.pem")?;
    house.forge("a.lease", "x.lease", &[&one, &two], |_| {})?;
    house.refuses("x.lease", &[], 2, "LEASE-CHAIN")?;
    house.forge("a.lease", "x.lease", &[&two], |_| {})?;
    let said = house.run(&[
        "call",
        "hello.wasm",
        "--lease",
        "x.lease",
        "--workspace",
        "ws",
    ])?;
    assert!(matches!(said.exit, 2 | 3) && said.out.is_empty(), "{said}");
    // The twin: signed by hand as well, within the parent.
    house.forge("a.lease", "x.lease", &[&one], |lease| {
        lease["grants"][0]["files"]["read"] = json!(["data/docs"])
    })?;
    house.greets("x.lease", &["--workspace", "ws"])?;
    house.closed()?;
    Ok(())
}
