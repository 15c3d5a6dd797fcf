//! Bad documents, each with the code it is refused with, and its good twin.

use leasehold_lease::{Audience, AudienceEntry, LeaseDoc, Pattern};
use leasehold_seal::{Class, Coded, Digest, Envelope, canonical};
use serde_json::{Value, json};

use crate::common::*;

type Change = fn(&mut LeaseDoc);
type JsonChange = fn(&mut Value);

fn envelope() -> Envelope {
    document().sign(&[&issuer()]).unwrap()
}

/// The code with which the changed document is refused, though it is signed as it should be.
#[track_caller]
fn code_of(change: Change) -> &'static str {
    let mut changed = document();
    change(&mut changed);
    assert_eq!(
        changed.validate().err().map(|error| error.code()),
        verify_document(&changed).err().map(|error| error.code())
    );
    code(verify_document(&changed))
}

/// As [`code_of`], for what the type cannot express.
#[track_caller]
fn code_of_json(change: JsonChange) -> &'static str {
    let mut changed = json(&document());
    change(&mut changed);
    code(verify_payload(&canonical::to_vec(&changed).unwrap()))
}

#[track_caller]
fn accepted(change: Change) {
    let mut changed = document();
    change(&mut changed);
    changed.validate().unwrap();
    verify_document(&changed).unwrap();
}

fn good_text() -> String {
    String::from_utf8(canonical::to_vec(&document()).unwrap()).unwrap()
}

/// The code for the good payload with one piece of text replaced.
#[track_caller]
fn code_of_text(from: &str, to: &str) -> &'static str {
    let text = good_text();
    assert!(text.contains(from), "{text}");
    code(verify_payload(text.replacen(from, to, 1).as_bytes()))
}

#[test]
fn the_good_twin_is_accepted() {
    let verified = verify_here(&envelope()).unwrap();
    assert_eq!(verified.id(), envelope().id());
    assert_eq!(*verified.document(), document());
    assert_eq!(verified.signers(), [issuer().public().key_id()]);
    let read = Envelope::parse(&envelope().to_json().unwrap()).unwrap();
    assert_eq!(verify_here(&read).unwrap().id(), verified.id());
    assert_eq!(
        LeaseDoc::from_draft(
            serde_json::to_string_pretty(&document())
                .unwrap()
                .as_bytes()
        )
        .unwrap(),
        document()
    );
}

#[test]
fn window() {
    let at = |text: &str| verify_root(&envelope(), &trust(), &host_id(), None, time(text));
    assert_eq!(code(at("2025-12-31T23:59:59.999Z")), "LEASE-NOT-YET");
    at("2026-01-01T00:00:00Z").unwrap();
    at("2026-01-01T00:59:59.999Z").unwrap();
    assert_eq!(code(at("2026-01-01T01:00:00Z")), "LEASE-EXPIRED");

    assert_eq!(
        code_of(|lease| lease.expires = lease.not_before),
        "LEASE-WINDOW"
    );
    assert_eq!(
        code_of(|lease| lease.expires = time("2025-01-01T00:00:00Z")),
        "LEASE-WINDOW"
    );
    accepted(|lease| lease.expires = time("2026-01-01T00:30:01Z"));
    assert_eq!(
        code_of(|lease| lease.expires = time("2026-01-01T00:30:01.500Z")),
        "LEASE-FORMAT"
    );
    assert_eq!(
        code_of(|lease| lease.not_before = time("2026-01-01T00:00:00.001Z")),
        "LEASE-FORMAT"
    );
    assert_eq!(
        code_of_json(|lease| lease["expires"] = json!("2026-01-01T01:00:00+00:00")),
        "LEASE-FORMAT"
    );
}

#[test]
fn audience() {
    let other_host = || other().public().key_id();
    let elsewhere = verify_root(&envelope(), &trust(), &other_host(), None, now());
    assert_eq!(code(elsewhere), "LEASE-AUDIENCE");
    let audience = |entries: Vec<AudienceEntry>, tape: Option<Digest>| {
        let lease = LeaseDoc {
            audience: Audience::Hosts(entries),
            ..document()
        };
        let envelope = seal(&canonical::to_vec(&lease).unwrap());
        verify_root(&envelope, &trust(), &host_id(), tape.as_ref(), now())
    };
    let tape = Some(Digest::of(b"tape"));
    let here = AudienceEntry {
        host: host_id(),
        tape: None,
    };
    let there = AudienceEntry {
        host: other_host(),
        tape: None,
    };
    assert_eq!(code(audience(vec![], None)), "LEASE-AUDIENCE");
    assert_eq!(code(audience(vec![there], None)), "LEASE-AUDIENCE");
    audience(vec![there, here], None).unwrap();
    audience(vec![here], tape).unwrap();
    // A tape that is not this one; then this one.
    let taped = AudienceEntry {
        host: host_id(),
        tape,
    };
    assert_eq!(code(audience(vec![taped], None)), "LEASE-AUDIENCE");
    assert_eq!(
        code(audience(vec![taped], Some(Digest::of(b"another")))),
        "LEASE-AUDIENCE"
    );
    audience(vec![taped], tape).unwrap();
    audience(vec![there, taped], tape).unwrap();
    audience(vec![here, taped], Some(Digest::of(b"another"))).unwrap();
    accepted(|lease| lease.audience = Audience::Any);
    assert_eq!(
        code_of_json(|lease| lease["audience"] = json!("all")),
        "LEASE-FORMAT"
    );
    assert_eq!(
        code_of_json(|lease| lease["audience"] = json!(null)),
        "LEASE-FORMAT"
    );
}

#[test]
fn other_plugin() {
    let verified = verify_here(&envelope()).unwrap();
    let swapped = Digest::of(b"swapped");
    verified
        .rights_for(&plugin())
        .unwrap()
        .check_plugin(&plugin())
        .unwrap();
    assert_eq!(code(verified.rights_for(&swapped)), "PLUGIN-MISMATCH");
    assert_eq!(
        code(verified.rights("docs-toc").unwrap().check_plugin(&swapped)),
        "PLUGIN-MISMATCH"
    );
    assert_eq!(code(verified.rights("docs")), "GRANT-MISSING");
    let none = verify_document(&LeaseDoc {
        grants: vec![],
        ..document()
    })
    .unwrap();
    assert_eq!(code(none.rights_for(&plugin())), "GRANT-MISSING");
    assert_eq!(code(none.rights("docs-toc")), "GRANT-MISSING");
    let mut second = grant();
    second.id = "second".into();
    let two = verify_document(&LeaseDoc {
        grants: vec![grant(), second],
        ..document()
    })
    .unwrap();
    assert_eq!(code(two.rights_for(&plugin())), "GRANT-AMBIGUOUS");
    assert_eq!(two.rights("second").unwrap().grant(), "second");
}

#[test]
fn unknown_and_missing_fields() {
    let objects: [(&str, JsonChange); 7] = [
        ("the lease", |lease| lease["colour"] = json!(1)),
        ("intent", |lease| lease["intent"]["colour"] = json!(1)),
        ("audience", |lease| {
            lease["audience"][0]["colour"] = json!(1)
        }),
        ("grant", |lease| lease["grants"][0]["colour"] = json!(1)),
        ("files", |lease| {
            lease["grants"][0]["files"]["reads"] = json!(["**"])
        }),
        ("env", |lease| {
            lease["grants"][0]["env"]["colour"] = json!(1)
        }),
        ("limits", |lease| {
            lease["grants"][0]["limits"]["cpu"] = json!(1)
        }),
    ];
    for (name, change) in objects {
        assert_eq!(code_of_json(change), "LEASE-FORMAT", "{name}");
    }
    let good = json(&document());
    for field in [
        "version",
        "issuer",
        "holder",
        "audience",
        "nonce",
        "not_before",
        "expires",
        "grants",
    ] {
        let mut lease = good.clone();
        lease.as_object_mut().unwrap().remove(field).unwrap();
        assert_eq!(
            code(verify_payload(&canonical::to_vec(&lease).unwrap())),
            "LEASE-FORMAT",
            "{field}"
        );
        let mut lease = good.clone();
        lease[field] = json!(true);
        assert_eq!(
            code(verify_payload(&canonical::to_vec(&lease).unwrap())),
            "LEASE-FORMAT",
            "{field}"
        );
    }
    for field in ["id", "plugin", "kind"] {
        let mut lease = good.clone();
        lease["grants"][0]
            .as_object_mut()
            .unwrap()
            .remove(field)
            .unwrap();
        assert_eq!(
            code(verify_payload(&canonical::to_vec(&lease).unwrap())),
            "LEASE-FORMAT",
            "{field}"
        );
    }
    assert_eq!(
        code_of_json(|lease| lease["grants"][0]["kind"] = json!("Command")),
        "LEASE-FORMAT"
    );
    assert_eq!(
        code_of_json(|lease| lease["grants"][0]["files"] = json!([["**"]])),
        "LEASE-FORMAT"
    );
    assert_eq!(
        code_of_json(|lease| lease["issuer"] = json!("SHA256:00")),
        "LEASE-FORMAT"
    );
    assert_eq!(code_of_json(|lease| *lease = json!([])), "LEASE-FORMAT");
    assert_eq!(code_of_json(|lease| *lease = json!(null)), "LEASE-FORMAT");
    // What may be left out grants nothing.
    let mut lease = good;
    for field in ["intent", "parent", "depth"] {
        lease.as_object_mut().unwrap().remove(field).unwrap();
    }
    for field in ["config", "args", "files", "env", "clock", "random"] {
        lease["grants"][0]
            .as_object_mut()
            .unwrap()
            .remove(field)
            .unwrap();
    }
    let verified = verify_payload(&canonical::to_vec(&lease).unwrap()).unwrap();
    let rights = verified.rights("docs-toc").unwrap();
    assert_eq!(*rights.files(), Default::default());
    assert_eq!(*rights.env(), Default::default());
    assert_eq!(rights.args(), [Vec::<String>::new()]);
    assert!(rights.allows_config(None) && !rights.allows_config(Some(&Digest::of(b"{}"))));
}

#[test]
fn json_that_two_readers_could_understand_differently() {
    assert_eq!(
        code_of_text(r#""depth":0"#, r#""depth":0,"depth":0"#),
        "JSON-DUPLICATE-KEY"
    );
    assert_eq!(
        code_of_text(r#""deny":["#, r#""deny":[],"deny":["#),
        "JSON-DUPLICATE-KEY"
    );
    assert_eq!(
        code_of_text(r#""depth":0"#, r#""depth":9007199254740992"#),
        "JSON-NUMBER"
    );
    assert_eq!(
        code_of_text(r#""fuel":1000000000"#, r#""fuel":9007199254740993"#),
        "JSON-NUMBER"
    );
    assert_eq!(
        code_of_text(r#""fuel":1000000000"#, r#""fuel":1e9"#),
        "JSON-NUMBER"
    );
    assert_eq!(
        code_of_text(r#""fuel":1000000000"#, r#""fuel":1000000000.0"#),
        "JSON-NUMBER"
    );
    assert_eq!(
        code_of_text(r#""fuel":1000000000"#, r#""fuel":NaN"#),
        "JSON-SYNTAX"
    );
    assert_eq!(
        code_of_text(r#""fuel":1000000000"#, r#""fuel":Infinity"#),
        "JSON-SYNTAX"
    );
    assert_eq!(
        code_of_text(r#""depth":0"#, r#""depth": 0"#),
        "JSON-NOT-CANONICAL"
    );
    assert_eq!(
        code_of_text("docs-toc", r"docs\u002dtoc"),
        "JSON-NOT-CANONICAL"
    );
    let reordered = good_text()
        .replacen(r#"{"audience""#, r#"{"version":1,"audience""#, 1)
        .replace(r#","version":1}"#, "}");
    assert_eq!(
        code(verify_payload(reordered.as_bytes())),
        "JSON-NOT-CANONICAL"
    );
    assert_eq!(
        code(verify_payload(format!("{}\n", good_text()).as_bytes())),
        "JSON-NOT-CANONICAL"
    );
    let deep = format!(r#""depth":{}0{}"#, "[".repeat(100), "]".repeat(100));
    assert_eq!(code_of_text(r#""depth":0"#, &deep), "JSON-DEPTH");
    let not_utf8: Vec<u8> = good_text()
        .into_bytes()
        .into_iter()
        .map(|byte| if byte == b'4' { 0xFF } else { byte })
        .collect();
    assert_eq!(code(verify_payload(&not_utf8)), "JSON-SYNTAX");
    // The twin: the same text, untouched, and the greatest integer.
    verify_payload(good_text().as_bytes()).unwrap();
    accepted(|lease| lease.grants[0].limits.fuel = (1 << 53) - 1);
}

#[test]
fn limits() {
    let ranges: [(&str, u64, u64); 6] = [
        ("fuel", 1, (1 << 53) - 1),
        ("memory_bytes", 65_536, 1 << 32),
        ("wall_ms", 1, 86_400_000),
        ("output_bytes", 0, (1 << 53) - 1),
        ("write_bytes", 0, (1 << 53) - 1),
        ("open_files", 0, 4_096),
    ];
    for (name, least, most) in ranges {
        let with = |value: Option<Value>| {
            let mut lease = json(&document());
            let limits = lease["grants"][0]["limits"].as_object_mut().unwrap();
            limits.remove(name).unwrap();
            limits.extend(value.map(|value| (name.to_owned(), value)));
            verify_payload(&canonical::to_vec(&lease).unwrap())
        };
        with(Some(json!(least))).unwrap();
        with(Some(json!(most))).unwrap();
        assert_eq!(code(with(None)), "LEASE-LIMIT", "{name}");
        assert_eq!(code(with(Some(Value::Null))), "LEASE-LIMIT", "{name}");
        assert_eq!(code(with(Some(json!(-1)))), "LEASE-LIMIT", "{name}");
        assert_eq!(code(with(Some(json!("1")))), "LEASE-FORMAT", "{name}");
        if least > 0 {
            assert_eq!(code(with(Some(json!(least - 1)))), "LEASE-LIMIT", "{name}");
        }
        // 2^53 is no integer two readers agree on; see the tests of JSON.
        if most < (1 << 53) - 1 {
            assert_eq!(code(with(Some(json!(most + 1)))), "LEASE-LIMIT", "{name}");
        }
        let refusal = with(None).unwrap_err();
        assert!(
            refusal
                .to_string()
                .contains(&format!("grants[0].limits.{name}")),
            "{refusal}"
        );
    }
    let missing: JsonChange =
        |lease| drop(lease["grants"][0].as_object_mut().unwrap().remove("limits"));
    assert_eq!(code_of_json(missing), "LEASE-LIMIT");
}

#[test]
fn patterns_in_a_lease() {
    for list in ["list", "read", "write", "deny"] {
        for bad in [
            "",
            "/etc/**",
            "docs/../../../etc/x",
            "a//b",
            "a**",
            "a\\b",
            "a\u{0}",
        ] {
            let mut lease = json(&document());
            lease["grants"][0]["files"][list] = json!(["ok", bad]);
            let refusal = verify_payload(&canonical::to_vec(&lease).unwrap()).unwrap_err();
            assert!(
                refusal
                    .to_string()
                    .contains(&format!("grants[0].files.{list}[1]")),
                "{refusal}"
            );
            assert_eq!(refusal.class(), Class::Refused);
            assert_eq!(
                code::<(), _>(Err(refusal)),
                "PATTERN-FORMAT",
                "{list} {bad:?}"
            );
        }
    }
    let many = |count: usize| -> Vec<Pattern> {
        (0..count).map(|n| n.to_string().parse().unwrap()).collect()
    };
    let mut lease = document();
    lease.grants[0].files.deny = many(1_024);
    verify_document(&lease).unwrap();
    lease.grants[0].files.deny = many(1_025);
    assert_eq!(code(verify_document(&lease)), "LEASE-FORMAT");
}

#[test]
fn form_of_the_rest() {
    let bad: [(&str, Change, Change); 15] = [
        (
            "nonce too short",
            |lease| lease.nonce = "A".repeat(15),
            |lease| lease.nonce = "A".repeat(16),
        ),
        (
            "nonce too long",
            |lease| lease.nonce = "A".repeat(65),
            |lease| lease.nonce = "A".repeat(64),
        ),
        (
            "nonce alphabet",
            |lease| lease.nonce = "A+/=".repeat(4),
            |lease| lease.nonce = "A-_z".repeat(4),
        ),
        (
            "intent id empty",
            |lease| lease.intent.as_mut().unwrap().id.clear(),
            |lease| lease.intent = None,
        ),
        (
            "intent id long",
            |lease| lease.intent.as_mut().unwrap().id = "é".repeat(129),
            |lease| lease.intent.as_mut().unwrap().id = "é".repeat(128),
        ),
        (
            "summary long",
            |lease| lease.intent.as_mut().unwrap().summary = "é".repeat(1_001),
            |lease| lease.intent.as_mut().unwrap().summary = "é".repeat(1_000),
        ),
        (
            "summary with an escape",
            |lease| lease.intent.as_mut().unwrap().summary = "\u{1B}[2J".into(),
            |lease| lease.intent.as_mut().unwrap().summary = "[2J".into(),
        ),
        (
            "grant id",
            |lease| lease.grants[0].id = "Docs".into(),
            |lease| lease.grants[0].id = "docs-1".into(),
        ),
        (
            "grant id empty",
            |lease| lease.grants[0].id.clear(),
            |lease| lease.grants[0].id = "-".into(),
        ),
        (
            "grant id long",
            |lease| lease.grants[0].id = "a".repeat(65),
            |lease| lease.grants[0].id = "a".repeat(64),
        ),
        (
            "grant twice",
            |lease| lease.grants.push(grant()),
            |lease| {
                lease.grants.push(leasehold_lease::Grant {
                    id: "second".into(),
                    ..grant()
                })
            },
        ),
        (
            "name of a variable",
            |lease| lease.grants[0].env.pass.push("1A".into()),
            |lease| lease.grants[0].env.pass.push("_A1".into()),
        ),
        (
            "variable with =",
            |lease| drop(lease.grants[0].env.set.insert("A=B".into(), String::new())),
            |lease| drop(lease.grants[0].env.set.insert("AB".into(), "C=D".into())),
        ),
        (
            "variable twice",
            |lease| lease.grants[0].env.pass.push("CI".into()),
            |lease| lease.grants[0].env.pass.push("CJ".into()),
        ),
        (
            "NUL in an argument",
            |lease| lease.grants[0].args[0].push("a\0b".into()),
            |lease| lease.grants[0].args[0].push("a\nb".into()),
        ),
    ];
    for (name, bad, good) in bad {
        assert_eq!(code_of(bad), "LEASE-FORMAT", "{name}");
        accepted(good);
    }
}

#[test]
fn what_is_not_known_is_refused() {
    let wishes: [(&str, JsonChange); 3] = [
        ("version", |lease| lease["version"] = json!(2)),
        ("grants[0].clock", |lease| {
            lease["grants"][0]["clock"] = json!("real")
        }),
        ("grants[0].random", |lease| {
            lease["grants"][0]["random"] = json!("host")
        }),
    ];
    for (field, wish) in wishes {
        assert_eq!(code_of_json(wish), "LEASE-UNSUPPORTED", "{field}");
        let mut lease = json(&document());
        wish(&mut lease);
        let refusal = verify_payload(&canonical::to_vec(&lease).unwrap()).unwrap_err();
        assert!(refusal.to_string().starts_with(field), "{refusal}");
        assert_eq!(refusal.class(), Class::Refused);
    }
}
