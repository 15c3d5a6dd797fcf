//! Whose signatures count: thresholds, approvals, second keys, rotation, and keys that are trusted no longer.

use std::fs;

use leasehold_seal::{Envelope, SecondSecret};
use serde_json::{Value, json};

use crate::house::{House, ISSUE, Test, after, id, next_second, text};

const IN_WS: [&str; 2] = ["--workspace", "ws"];

/// Asks for approval of leases with such a right.
fn rule(house: &House, rights: &[&str], needed: u64, by: Option<&[&str]>) -> Test {
    house.edit_trust(|trust| {
        let mut rule = json!({ "for": rights, "needed": needed });
        if let Some(by) = by {
            rule["by"] = json!(by);
        }
        trust["approvals"] = json!([rule]);
    })
}

#[test]
fn as_many_issuers_sign_as_the_trust_file_asks_for() -> Test {
    let house = House::new()?;
    house.good(&["key", "new", "second", "--role", "issuer"])?;
    house.issue("a.lease", &[])?;
    house.good(&["lease", "verify", "a.lease"])?;
    house.edit_trust(|trust| trust["thresholds"]["issuer"] = json!(2))?;
    house.refuses("a.lease", &[], 3, "SIGNATURE-MISSING")?;
    // One signature twice is one issuer.
    let chain = house.chain("a.lease")?;
    let twice = chain[0].clone().with_signature(&house.key("local")?)?;
    house.write_chain("twice.lease", &[twice])?;
    house.refuses("twice.lease", &[], 3, "SIGNATURE-MISSING")?;
    // A stranger beside the one makes no second issuer.
    house.stranger("mallory")?;
    let strange = chain[0]
        .clone()
        .with_signature(&house.key("mallory.pem")?)?;
    house.write_chain("strange.lease", &[strange])?;
    house.refuses("strange.lease", &[], 3, "SIGNATURE-MISSING")?;
    // The twin: the other issuer signs too, and the lease is the same one.
    let before = id(&house, "a.lease")?;
    let sign = [
        "approve",
        "--sign",
        "a.lease",
        "--as-issuer",
        "--key",
        "second",
    ];
    house.good(&sign)?;
    assert_eq!(id(&house, "a.lease")?, before);
    house.greets("a.lease", &[])?;
    house.bad(&sign, 3, "SIGNED-ALREADY")?;
    house.closed()?;
    Ok(())
}

#[test]
fn one_key_under_two_names_is_no_trust_file() -> Test {
    let house = House::new()?;
    house.issue("a.lease", &[])?;
    house.edit_trust(|trust| {
        let mut again = trust["keys"][0].clone();
        again["name"] = json!("somebody-else");
        if let Some(keys) = trust["keys"].as_array_mut() {
            keys.push(again);
        }
        trust["thresholds"]["issuer"] = json!(2);
    })?;
    let said = house.run(&["call", "hello.wasm", "--lease", "a.lease"])?;
    assert!(said.exit != 0 && said.out.is_empty(), "{said}");
    said.tells(&["error[TRUST-FORMAT]: "])?;
    house.edit_trust(|trust| {
        if let Some(keys) = trust["keys"].as_array_mut() {
            keys.pop();
        }
        trust["thresholds"]["issuer"] = json!(1);
    })?;
    house.greets("a.lease", &[])
}

#[test]
fn what_needs_approval_waits_for_it_and_inspect_says_for_whom() -> Test {
    let house = House::new()?;
    for name in ["alice", "bob", "carol"] {
        house.good(&["key", "new", name, "--role", "approver"])?;
    }
    rule(&house, &["write"], 2, Some(&["alice", "bob"]))?;
    // The rule is about writing: what writes nothing needs nobody.
    house.issue("reads.lease", &["--read", "ws/**"])?;
    house.greets("reads.lease", &IN_WS)?;
    house.issue("writes.lease", &["--write", "out/**"])?;
    house.refuses("writes.lease", &[], 3, "LEASE-APPROVAL")?;
    let missing = |house: &House| -> Result<Vec<String>, leasehold_tests::Fault> {
        let seen = house.json(&["lease", "inspect", "writes.lease"])?;
        let names = seen["approvals"][0]["missing"].as_array().cloned();
        let names = names.unwrap_or_default();
        // In the order of the keys' ids.
        let mut names: Vec<String> = names
            .iter()
            .map(|key| text(&key["name"]))
            .collect::<Result<_, _>>()?;
        names.sort_unstable();
        Ok(names)
    };
    assert_eq!(missing(&house)?, ["alice", "bob"]);
    let sign = |house: &House, name: &str| {
        house.good(&["approve", "--sign", "writes.lease", "--key", name])
    };
    sign(&house, "alice")?;
    assert_eq!(missing(&house)?, ["bob"]);
    house
        .refuses("writes.lease", &[], 3, "LEASE-APPROVAL")?
        .tells(&["bob"])?;
    // Carol approves leases, but not these.
    sign(&house, "carol")?;
    house.refuses("writes.lease", &[], 3, "LEASE-APPROVAL")?;
    sign(&house, "bob")?;
    assert!(missing(&house)?.is_empty());
    house.greets("writes.lease", &IN_WS)?;
    house.closed()?;
    Ok(())
}

#[test]
fn an_issuer_approves_nothing_of_its_own() -> Test {
    let house = House::new()?;
    house.good(&["key", "trust", "local", "--role", "approver"])?;
    house.good(&["key", "new", "alice", "--role", "approver"])?;
    rule(&house, &["any"], 1, None)?;
    house.issue("a.lease", &[])?;
    house.refuses("a.lease", &[], 3, "LEASE-APPROVAL")?;
    let said = house
        .run(&["approve", "--sign", "a.lease", "--key", "local"])?
        .exits(3)?;
    assert!(said.err.contains("error["), "{said}");
    house.refuses("a.lease", &[], 3, "LEASE-APPROVAL")?;
    // A stranger's approval counts for nothing either.
    house.stranger("mallory")?;
    let strange = house.chain("a.lease")?[0]
        .clone()
        .with_signature(&house.key("mallory.pem")?)?;
    house.write_chain("strange.lease", &[strange])?;
    house.refuses("strange.lease", &[], 3, "LEASE-APPROVAL")?;
    house.good(&["approve", "--sign", "a.lease", "--key", "alice"])?;
    house.greets("a.lease", &[])?;
    house.closed()?;
    Ok(())
}

#[test]
fn an_approval_does_not_move_to_wider_rights() -> Test {
    let house = House::new()?;
    house.good(&["key", "new", "alice", "--role", "approver"])?;
    rule(&house, &["write"], 1, None)?;
    house.issue("narrow.lease", &["--write", "out/a"])?;
    house.issue("wide.lease", &["--write", "**"])?;
    house.good(&["approve", "--sign", "narrow.lease"])?;
    house.greets("narrow.lease", &IN_WS)?;
    // Alice's signature under the other lease, as bytes.
    let value = |file: &str| -> Result<Value, leasehold_tests::Fault> {
        Ok(serde_json::from_slice(&fs::read(house.path(file))?)?)
    };
    let (narrow, mut wide) = (value("narrow.lease")?, value("wide.lease")?);
    let approval = narrow["signatures"][1].clone();
    assert!(approval["sig"].is_string(), "{narrow}");
    let Some(signatures) = wide["signatures"].as_array_mut() else {
        return Err("no signatures".into());
    };
    signatures.push(approval);
    fs::write(house.path("moved.lease"), wide.to_string())?;
    let said = house.run(&["call", "hello.wasm", "--lease", "moved.lease"])?;
    assert!(matches!(said.exit, 2 | 3) && said.out.is_empty(), "{said}");
    assert!(matches!(
        house.last("lease.denied")?["code"].as_str(),
        Some("LEASE-APPROVAL" | "SIGNATURE-INVALID")
    ));
    assert_eq!(house.records("call.intent")?.len(), 1);
    house.closed()?;
    Ok(())
}

#[test]
fn approvals_are_asked_for_by_what_a_lease_gives() -> Test {
    let house = House::new()?;
    house.good(&["key", "new", "alice", "--role", "approver"])?;
    let http = ["--http", "GET https://api.example.com/v1/**"];
    let cases: [(&str, &[&str]); 5] = [
        ("write", &["--write", "out"]),
        ("env", &["--env", "A=b"]),
        ("http", &http),
        ("expose", &["--expose", "token"]),
        ("secrets", &["--expose", "token"]),
    ];
    for (right, flags) in cases {
        rule(&house, &[right], 1, None)?;
        let (with, without) = (format!("{right}.lease"), format!("no-{right}.lease"));
        house.issue(&with, flags)?;
        house.issue(&without, &["--read", "ws/**"])?;
        house.good(&["lease", "verify", &without])?;
        house
            .bad(&["lease", "verify", &with], 3, "LEASE-APPROVAL")?
            .tells(&["alice"])?;
        house.good(&["approve", "--sign", &with])?;
        house.good(&["lease", "verify", &with])?;
    }
    house.closed()?;
    Ok(())
}

#[test]
fn a_second_signature_that_is_asked_for_cannot_be_stripped() -> Test {
    let house = House::new()?;
    house.good(&["key", "new", "both", "--role", "issuer", "--second"])?;
    house.issue("a.lease", &["--key", "both"])?;
    house.greets("a.lease", &[])?;
    // The first signature is as good as before; only the second one is gone.
    let mut value: Value = serde_json::from_slice(&fs::read(house.path("a.lease"))?)?;
    let Some(signatures) = value["signatures"].as_array_mut() else {
        return Err("no signatures".into());
    };
    assert_eq!(signatures.len(), 2);
    signatures.retain(|signature| signature["sig"].as_str().is_some_and(|sig| sig.len() < 100));
    assert_eq!(signatures.len(), 1);
    fs::write(house.path("stripped.lease"), value.to_string())?;
    let said = house.run(&["call", "hello.wasm", "--lease", "stripped.lease"])?;
    said.exits(3)?.tells(&["error[SIGNATURE-SECOND]: "])?;
    assert_eq!(house.last("lease.denied")?["code"], "SIGNATURE-SECOND");
    // Somebody else's second key does not do.
    let stripped = Envelope::parse(value.to_string().as_bytes())?;
    let other = stripped.with_second_signature(&SecondSecret::from_seed([9; 32]))?;
    house.write_chain("other.lease", &[other])?;
    let said = house.run(&["call", "hello.wasm", "--lease", "other.lease"])?;
    assert!(matches!(said.exit, 2 | 3) && said.out.is_empty(), "{said}");
    assert_eq!(house.last("lease.denied")?["code"], "SIGNATURE-SECOND");
    house.closed()?;
    Ok(())
}

#[test]
fn of_a_key_that_is_rotated_both_count_until_the_grace_ends() -> Test {
    let house = House::new()?;
    house.issue("old.lease", &[])?;
    let tape = house.closed()?["tape"].clone();
    let made = house.json(&["key", "rotate", "local", "--grace", "1h"])?;
    assert_eq!(made["name"], "local-2");
    let record = house.last("key.rotated")?;
    for field in ["roles", "until", "name"] {
        assert_eq!(record[field], made[field], "{field}");
    }
    assert_eq!(
        (&record["current"], &record["previous"]),
        (&made["id"], &made["previous"]["id"])
    );
    house.issue("new.lease", &[])?;
    let seen = house.json(&["lease", "inspect", "new.lease"])?;
    assert_eq!(
        seen["document"]["issuer"], made["id"],
        "the successor signs"
    );
    house.greets("old.lease", &[])?;
    house.greets("new.lease", &[])?;
    // The end of the grace, brought forward by hand to this second, in which nothing was done before.
    next_second()?;
    let ended = after(0)?.to_string();
    house.edit_trust(|trust| {
        for key in trust["keys"].as_array_mut().into_iter().flatten() {
            let ends = key.get_mut("ends").and_then(Value::as_object_mut);
            for end in ends.into_iter().flat_map(|ends| ends.values_mut()) {
                *end = json!(ended);
            }
        }
    })?;
    house.refuses("old.lease", &[], 3, "KEY-UNTRUSTED")?;
    house.greets("new.lease", &[])?;
    // The tape goes on, signed by the key that began it.
    assert_eq!(house.closed()?["tape"], tape);
    Ok(())
}

#[test]
fn without_grace_only_the_successor_counts() -> Test {
    let house = House::new()?;
    house.issue("old.lease", &[])?;
    house.greets("old.lease", &[])?;
    house.good(&["key", "rotate", "local", "--grace", "0s"])?;
    // An end is a whole second, the next one: what was done in this one lies before it.
    next_second()?;
    house.refuses("old.lease", &[], 3, "KEY-UNTRUSTED")?;
    house.issue("new.lease", &[])?;
    house.greets("new.lease", &[])?;
    house.bad(
        &[&ISSUE[..], &["--key", "local"]].concat(),
        3,
        "ISSUER-UNTRUSTED",
    )?;
    house.closed()?;
    Ok(())
}

#[test]
fn rotating_does_not_break_the_tape_of_a_moment_ago() -> Test {
    let house = House::new()?;
    next_second()?;
    house.issue("old.lease", &[])?;
    house.greets("old.lease", &[])?;
    house.good(&["key", "rotate", "local", "--grace", "0s"])?;
    house.closed()?;
    Ok(())
}

#[test]
fn a_key_counts_from_when_it_is_trusted_until_it_is_not() -> Test {
    let (house, other) = (House::new()?, House::new()?);
    other.issue("a.lease", &["--audience", "any"])?;
    other.send("a.lease", &house)?;
    fs::write(
        house.path("them.pem"),
        other.good(&["key", "export", "local"])?.out,
    )?;
    house.refuses("a.lease", &[], 3, "KEY-UNTRUSTED")?;
    // Trusted for something else.
    house.good(&["key", "trust", "them", "them.pem", "--role", "approver"])?;
    house.refuses("a.lease", &[], 3, "KEY-UNTRUSTED")?;
    house.good(&["key", "trust", "them", "--role", "issuer"])?;
    house.greets("a.lease", &[])?;
    // The audit goes by the trust file it is given: this is the one under which that call was made.
    fs::copy(house.path("home/trust.json"), house.path("trust.then"))?;
    house.good(&["key", "distrust", "them", "--role", "issuer"])?;
    house.refuses("a.lease", &[], 3, "KEY-UNTRUSTED")?;
    house.good(&["key", "distrust", "them"])?;
    house.bad(&["key", "distrust", "them"], 5, "KEY-MISSING")?;
    house.good(&[
        "key", "trust", "them", "them.pem", "--role", "issuer", "--from", "1h",
    ])?;
    house.refuses("a.lease", &[], 3, "KEY-UNTRUSTED")?;
    house.bad(&["key", "distrust", "local"], 3, "HOST-KEY-NEEDED")?;
    house.good(&["tape", "verify", "--closed", "--trust", "trust.then"])?;
    // Under today's, the lease of that call is one of somebody it does not trust.
    house
        .run(&["tape", "verify"])?
        .exits(2)?
        .tells(&["AUDIT-LEASE", "KEY-UNTRUSTED"])?;
    Ok(())
}
