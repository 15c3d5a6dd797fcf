//! What the policy of a home allows at most, whoever has signed.

use std::fs;

use leasehold_tests::repository;
use serde_json::json;

use crate::house::{House, ISSUE, Test};

#[test]
fn the_policy_of_a_home_bounds_what_it_issues_and_what_it_calls() -> Test {
    let house = House::new()?;
    let wide = ["--read", "ws/**"];
    house.issue("before.lease", &wide)?;
    let policy = json!({ "version": 1, "id": "house", "grants": [{
        "id": "readers", "plugins": "any", "kinds": ["command"], "files": { "read": ["ws/docs/**"] },
    }], "leases": { "longest_s": 7200, "audience": "named" } });
    fs::write(house.path("home/policy.json"), policy.to_string())?;
    for more in [
        &wide[..],
        &["--write", "ws/docs/a"],
        &["--expires", "3h"],
        &["--audience", "any"],
    ] {
        let said = house
            .run(&[&ISSUE[..], more, &["-o", "x.lease"]].concat())?
            .exits(3)?;
        said.tells(&["error[POLICY-WIDER]: ", "house:"])?;
        assert!(!house.path("x.lease").exists());
    }
    house.issue("a.lease", &["--read", "ws/docs/**"])?;
    house.greets("a.lease", &["--workspace", "ws"])?;
    // What was issued before is bounded as well.
    let call = [
        "call",
        "hello.wasm",
        "--lease",
        "before.lease",
        "--workspace",
        "ws",
    ];
    house.bad(&call, 3, "POLICY-WIDER")?;
    assert_eq!(house.last("lease.denied")?["code"], "POLICY-WIDER");
    house.bad(
        &[
            "policy",
            "check",
            "home/policy.json",
            "--lease",
            "before.lease",
        ],
        3,
        "POLICY-WIDER",
    )?;
    house.good(&["policy", "check", "home/policy.json", "--lease", "a.lease"])?;
    // A policy that cannot be read allows nothing.
    fs::write(house.path("home/policy.json"), "{")?;
    let said = house.run(&[
        "call",
        "hello.wasm",
        "--lease",
        "a.lease",
        "--workspace",
        "ws",
    ])?;
    assert!(said.exit != 0 && said.out.is_empty(), "{said}");
    fs::remove_file(house.path("home/policy.json"))?;
    house.greets("before.lease", &["--workspace", "ws"])?;
    house.closed()?;
    Ok(())
}

#[test]
fn protected_files_are_protected_in_every_spelling() -> Test {
    let house = House::new()?;
    let policy = json!({ "version": 1, "protected": ["config/keys.json"],
        "operations": { "files": ["write_file"], "paths": ["**"] } });
    fs::write(house.path("p.json"), policy.to_string())?;
    let check = |path: &str| {
        house.run(&[
            "policy",
            "check",
            "p.json",
            "--op",
            "write_file",
            "--path",
            path,
        ])
    };
    for path in [
        "config/keys.json",
        "Config/KEYS.json",
        "config/../config/keys.json",
        "config/\u{fb01}/../keys.json",
        "config/keys.json.",
        "config/keys\u{200b}.json",
        "config/\u{212a}eys.json",
    ] {
        check(path)?.exits(3)?.tells(&["error[POLICY-DENIED]: "])?;
    }
    for path in ["config/other.json", "docs/keys.json"] {
        check(path)?.exits(0)?;
    }
    Ok(())
}

#[test]
fn policies_of_the_other_systems_are_read_as_they_are() -> Test {
    let house = House::new()?;
    let fixtures = repository().join("fixtures/policy");
    for (folder, exit) in [("policies", 0), ("bad", 64)] {
        for entry in fs::read_dir(fixtures.join(folder))? {
            let path = entry?.path();
            let path = path.to_str().ok_or("not UTF-8")?;
            house.run(&["policy", "check", path])?.exits(exit)?;
        }
    }
    let envelope = fixtures.join("policies/envelope_empty.json");
    let envelope = envelope.to_str().ok_or("not UTF-8")?;
    house.bad(
        &[
            "policy",
            "check",
            envelope,
            "--op",
            "write_file",
            "--path",
            "a",
        ],
        3,
        "POLICY-DENIED",
    )?;
    Ok(())
}

#[test]
fn a_guest_reaches_no_protected_file_by_another_name() -> Test {
    let house = House::new()?;
    fs::create_dir(house.path("ws/config"))?;
    fs::write(house.path("ws/config/keys.json"), "{}")?;
    fs::hard_link(
        house.path("ws/config/keys.json"),
        house.path("ws/alias.json"),
    )?;
    let policy = json!({ "version": 1, "protected": ["config/keys.json"] });
    fs::write(house.path("home/policy.json"), policy.to_string())?;
    let attempts: [(&[&str], &str); 5] = [
        (&["write", "config/keys.json", "x"], "PATH-DENIED"),
        (&["write", "config/KEYS.json", "x"], "PATH-DENIED"),
        (&["write", "alias.json", "x"], "LINK-DENIED"),
        (&["rename", "alias.json", "config/keys.json"], "PATH-DENIED"),
        (&["rename", "config", "elsewhere"], "PATH-DENIED"),
    ];
    let issue = |args: &[&str], deny: &[&str]| {
        let vector = json!(args).to_string();
        let command = ["lease", "issue", "--plugin", "probe.wasm", "-o", "x.lease"];
        let rights = ["--kind", "command", "--write", "**", "--args", &vector];
        house.run(&[&command[..], &rights, deny].concat())
    };
    let deny = ["--deny", "config/keys.json"];
    let call = [
        "call",
        "probe.wasm",
        "--lease",
        "x.lease",
        "--workspace",
        "ws",
        "--",
    ];
    for (args, code) in attempts {
        // A lease that does not except it is not even issued.
        issue(args, &[])?
            .exits(3)?
            .tells(&["error[POLICY-WIDER]: ", ":protected"])?;
        issue(args, &deny)?.exits(0)?;
        let said = house.run(&[&call[..], args].concat())?;
        assert!(said.exit != 0, "{said}");
        said.tells(&[&format!("error[{code}]: ")])?;
        assert_eq!(house.last("access.denied")?["code"], code, "{args:?}");
        assert_eq!(fs::read(house.path("ws/config/keys.json"))?, b"{}");
    }
    let free = ["write", "free.json", "x"];
    issue(&free, &deny)?.exits(0)?;
    house.good(&[&call[..], &free].concat())?;
    assert_eq!(fs::read(house.path("ws/free.json"))?, b"x");
    house.closed()?;
    Ok(())
}
