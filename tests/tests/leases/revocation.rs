//! Leases that are taken back: with all that was made of them, by numbered lists, and in the middle of a call.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use leasehold_lease::RevocationList;
use serde_json::json;

use crate::house::{House, Test, after, id};

#[test]
fn a_revoked_root_takes_its_children_along() -> Test {
    let house = House::new()?;
    let holder = house.stranger("one")?;
    house.issue("root.lease", &["--holder", &holder, "--depth", "2"])?;
    house.issue("other.lease", &[])?;
    house.good(&[
        "lease",
        "attenuate",
        "root.lease",
        "--key-file",
        "one.pem",
        "-o",
        "child.lease",
    ])?;
    house.greets("child.lease", &[])?;
    house.good(&["lease", "revoke", &id(&house, "root.lease")?.to_string()])?;
    house.refuses("child.lease", &[], 3, "LEASE-REVOKED")?;
    house.greets("other.lease", &[])?;
    let record = house.last("lease.revoked")?;
    assert_eq!(
        (&record["number"], &record["total"]),
        (&json!(1), &json!(1))
    );
    house.closed()?;
    Ok(())
}

#[test]
fn lists_do_not_go_back() -> Test {
    let house = House::new()?;
    house.issue("a.lease", &[])?;
    house.issue("b.lease", &[])?;
    house.issue("c.lease", &[])?;
    house.good(&["lease", "revoke", "a.lease"])?;
    fs::copy(house.path("home/revocations.json"), house.path("one.json"))?;
    house.good(&["lease", "revoke", "b.lease"])?;
    fs::copy(house.path("home/revocations.json"), house.path("two.json"))?;
    house.refuses("b.lease", &[], 3, "LEASE-REVOKED")?;
    house.bad(
        &["lease", "revocations", "--import", "one.json"],
        3,
        "REVOCATION-OLD",
    )?;
    let list = |number, key: &str, issued, next| -> Result<Vec<u8>, leasehold_tests::Fault> {
        let list = RevocationList::sign(
            number,
            after(issued)?,
            after(next)?,
            &[],
            &[&house.key(key)?],
        )?;
        Ok(list.envelope().to_json()?)
    };
    house.stranger("mallory")?;
    let older = fs::read(house.path("one.json"))?;
    for (what, bytes, exit, code) in [
        ("older", older, 3, "REVOCATION-OLD"),
        ("fork", list(2, "local", -1, 600)?, 2, "REVOCATION-FORK"),
        ("stale", list(3, "local", -600, -1)?, 3, "REVOCATION-STALE"),
        (
            "early",
            list(3, "local", 900, 1_800)?,
            3,
            "REVOCATION-EARLY",
        ),
        (
            "foreign",
            list(3, "mallory.pem", -1, 600)?,
            3,
            "KEY-UNTRUSTED",
        ),
    ] {
        // Put in the place of the list by hand: no call goes by it, and none without one.
        fs::write(house.path("home/revocations.json"), bytes)?;
        let calls = house.records("call.intent")?.len();
        for lease in ["b.lease", "c.lease"] {
            let said = house.run(&["call", "hello.wasm", "--lease", lease])?;
            let fits = said.exit == exit && said.err.contains(&format!("error[{code}]: "));
            assert!(fits, "{what}: wanted {exit} {code}: {said}");
        }
        assert_eq!(house.records("call.intent")?.len(), calls, "{what}");
    }
    fs::remove_file(house.path("home/revocations.json"))?;
    for lease in ["b.lease", "c.lease"] {
        let said = house
            .run(&["call", "hello.wasm", "--lease", lease])?
            .exits(3)?;
        said.tells(&["error[REVOCATION-MISSING]: "])?;
    }
    house.bad(&["lease", "revoke", "c.lease"], 3, "REVOCATION-MISSING")?;
    house.good(&["lease", "revocations", "--import", "two.json"])?;
    house.greets("c.lease", &[])?;
    house.refuses("b.lease", &[], 3, "LEASE-REVOKED")?;
    house.closed()?;
    Ok(())
}

#[test]
fn a_forked_list_has_one_exit_code() -> Test {
    let house = House::new()?;
    house.issue("a.lease", &[])?;
    house.good(&["lease", "revoke", "a.lease"])?;
    let list = RevocationList::sign(1, after(-1)?, after(600)?, &[], &[&house.key("local")?])?;
    fs::write(house.path("fork.json"), list.envelope().to_json()?)?;
    house.bad(
        &["lease", "revocations", "--import", "fork.json"],
        2,
        "REVOCATION-FORK",
    )?;
    fs::copy(house.path("fork.json"), house.path("home/revocations.json"))?;
    house.bad(
        &["call", "hello.wasm", "--lease", "a.lease"],
        2,
        "REVOCATION-FORK",
    )?;
    Ok(())
}

#[test]
fn a_trust_file_can_ask_for_a_list() -> Test {
    let house = House::new()?;
    house.issue("a.lease", &[])?;
    house.edit_trust(|trust| trust["revocation"] = json!({ "required": true, "least": 12 }))?;
    house.refuses("a.lease", &[], 3, "REVOCATION-MISSING")?;
    let key = house.key("local")?;
    let put = |number| -> Test {
        let list = RevocationList::sign(number, after(-1)?, after(600)?, &[], &[&key])?;
        Ok(fs::write(
            house.path("home/revocations.json"),
            list.envelope().to_json()?,
        )?)
    };
    put(11)?;
    house.refuses("a.lease", &[], 3, "REVOCATION-OLD")?;
    put(12)?;
    house.greets("a.lease", &[])?;
    Ok(())
}

#[test]
fn revoking_ends_a_call_that_runs() -> Test {
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
    let limits = ["--arg", "spin", "--fuel", "1e15", "--wall-ms", "120000"];
    house.good(&[&issue[..], &limits].concat())?;
    let mut command = house.command(&["call", "probe.wasm", "--lease", "spin.lease", "--", "spin"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn()?;
    let begun = Instant::now();
    while house.records("call.intent")?.is_empty() && begun.elapsed() < Duration::from_secs(40) {
        sleep(Duration::from_millis(50));
    }
    assert!(
        running.try_wait()?.is_none(),
        "it runs until it is told otherwise"
    );
    house.good(&["lease", "revoke", "spin.lease"])?;
    let output = running.wait_with_output()?;
    assert!(matches!(output.status.code(), Some(3 | 4)), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("LEASE-REVOKED"), "{said}");
    // It is told apart from a call that was lost: its outcome stands on the tape, and what it had reserved is spent.
    let outcome = house.last("call.outcome")?;
    assert_eq!(
        (&outcome["ending"], &outcome["code"]),
        (&json!("ended"), &json!("LEASE-REVOKED"))
    );
    assert_eq!(house.closed()?["open_calls"], json!([]));
    Ok(())
}

#[test]
fn a_lease_that_ends_ends_the_call_that_runs() -> Test {
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
        "--expires",
        "5s",
    ];
    let limits = ["--arg", "spin", "--fuel", "1e15", "--wall-ms", "120000"];
    house.good(&[&issue[..], &limits].concat())?;
    let call = ["call", "probe.wasm", "--lease", "spin.lease", "--", "spin"];
    let said = house.run(&call)?;
    assert!(matches!(said.exit, 3 | 4), "{said}");
    let outcome = house.last("call.outcome")?;
    assert_eq!(outcome["code"], "LEASE-EXPIRED", "{outcome}");
    // Afterwards nothing begins any more.
    house.bad(&call, 3, "LEASE-EXPIRED")?;
    assert_eq!(house.records("call.intent")?.len(), 1);
    assert_eq!(house.closed()?["open_calls"], json!([]));
    Ok(())
}
