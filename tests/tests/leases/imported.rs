//! Lease files of another system: each field mapped, or the file refused with its name.

use std::fs;

use serde_json::{Value, json};

use crate::house::{House, Test, after};

/// A file of which every field can be kept.
fn sheet() -> Result<Value, leasehold_tests::Fault> {
    let time = |seconds| after(seconds).map(|time| time.to_string().replace(".000Z", "Z"));
    Ok(json!({
        "lease_id": "LEASE-1", "intent_id": "INT-1", "actor": "CBO",
        "issued_at": time(-5)?, "expires_at": time(500)?,
        "scope": { "paths_allowlist": ["docs/*"], "commands_allowlist": ["hello"], "env_allowlist": ["LANG"], "network": "deny_all" },
        "limits": { "cpu_quota": 1.0, "mem_quota_mb": 64, "wallclock_timeout_s": 30, "fd_limit": 32 },
        "runner": { "workdir": "/workspace", "readonly_mounts": ["/srv/repo:/workspace:ro"], "writable_mounts": [] },
        "sig": { "alg": "Ed25519", "kid": "k", "value": "AAAA" },
    }))
}

const IMPORT: [&str; 9] = [
    "lease",
    "import",
    "sheet.json",
    "--plugin",
    "hello=hello.wasm",
    "--folder",
    "/srv/repo=.",
    "-o",
    "draft.json",
];

#[test]
fn a_file_becomes_a_draft_and_its_signature_is_not_believed() -> Test {
    let house = House::new()?;
    fs::write(house.path("sheet.json"), sheet()?.to_string())?;
    house.good(&IMPORT)?.tells(&["not believed", "sig"])?;
    house.good(&["lease", "issue", "--draft", "draft.json", "-o", "a.lease"])?;
    let seen = house.json(&["lease", "inspect", "a.lease"])?;
    let grant = &seen["document"]["grants"][0];
    assert_eq!(grant["env"]["pass"], json!(["LANG"]), "{seen}");
    assert_eq!(
        (
            &grant["limits"]["memory_bytes"],
            &grant["limits"]["wall_ms"],
            &grant["limits"]["open_files"]
        ),
        (&json!(64 << 20), &json!(30_000), &json!(32))
    );
    house.greets("a.lease", &["--workspace", "ws"])
}

#[test]
fn a_field_that_cannot_be_kept_is_named() -> Test {
    let house = House::new()?;
    let cases: [(&str, &str, Value); 6] = [
        ("scope", "network", json!("allow_all")),
        ("scope", "commands_allowlist", json!(["unknown -q"])),
        ("scope", "paths_allowlist", json!(["../etc/*"])),
        ("limits", "cpu_quota", json!(0)),
        ("limits", "unheard_of", json!(1)),
        ("runner", "readonly_mounts", json!(["/etc:/etc:ro"])),
    ];
    for (part, field, value) in cases {
        let mut sheet = sheet()?;
        sheet[part][field] = value;
        fs::write(house.path("sheet.json"), sheet.to_string())?;
        let said = house.run(&IMPORT)?;
        assert!(
            said.exit != 0 && said.err.contains("error["),
            "{part}.{field}: {said}"
        );
        said.tells(&[field])?;
        assert!(!house.path("draft.json").exists(), "{part}.{field}");
    }
    Ok(())
}
