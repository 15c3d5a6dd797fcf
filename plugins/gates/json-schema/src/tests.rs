//! Whole configurations on the files of `tests/fixtures`.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::*;

/// Reads fixtures in place of the workspace.
fn fixture(path: &str) -> Result<Vec<u8>, workspace::Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fs::read(root.join(path)).map_err(|_| workspace::Error::NotFound)
}

fn config(schema: serde_json::Value) -> Config {
    let text = json!({"checks": [{"files": ["**"], "schema": schema}], "ids": {"https://example.com/": "schemas/"}});
    Config::from_subject(&Subject {
        config: text.to_string(),
        changed: None,
        inputs: Vec::new(),
    })
    .unwrap()
}

/// Rule, line, column and message of each finding.
fn findings(schema: serde_json::Value, path: &str) -> Vec<(String, u32, u32, String)> {
    let schemas = schema::compile(&config(schema), fixture).unwrap();
    let found = rules::check(
        path,
        &fixture(path).unwrap(),
        &schemas.iter().collect::<Vec<_>>(),
    );
    let each = found.into_iter().map(|finding| {
        let at = finding.at.unwrap();
        (
            finding.rule.replace("json-schema/", ""),
            at.line.unwrap(),
            at.column.unwrap(),
            finding.message,
        )
    });
    each.collect()
}

fn places(path: &str) -> Vec<(String, u32, u32)> {
    let found = findings(json!("schemas/service.json"), path);
    found
        .into_iter()
        .map(|(rule, line, column, _)| (rule, line, column))
        .collect()
}

fn place(rule: &str, line: u32, column: u32) -> (String, u32, u32) {
    (rule.to_owned(), line, column)
}

#[test]
fn good_files_fit() {
    for path in ["good/service.json", "good/crlf.json"] {
        assert_eq!(places(path), [], "{path}");
    }
}

#[test]
fn violations_have_a_pointer_and_a_place() {
    let found = findings(json!("schemas/service.json"), "bad/violations.json");
    let expected = [
        (1, 1, "the whole: \"name\" is a required property"),
        (2, 11, "/port: value is not of type \"integer\""),
        (
            4,
            14,
            "/owners/1/mail: value does not match \"^[^@]+@[^@]+$\"",
        ),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((rule, line, column, message), (expected_line, expected_column, start)) in
        found.iter().zip(expected)
    {
        assert_eq!(
            (rule.as_str(), *line, *column),
            ("violation", expected_line, expected_column)
        );
        assert!(message.starts_with(start), "{message}");
        assert!(message.ends_with("of schemas/service.json)"), "{message}");
    }
}

#[test]
fn values_are_not_repeated_in_messages() {
    for (_, _, _, message) in findings(json!("schemas/service.json"), "bad/violations.json") {
        assert!(
            !message.contains("eighty") && !message.contains("nobody"),
            "{message}"
        );
    }
}

#[test]
fn malformed_files_and_duplicates_are_findings() {
    assert_eq!(places("bad/malformed.json"), [place("malformed", 3, 3)]);
    assert_eq!(places("bad/not-utf-8.json"), [place("malformed", 1, 11)]);
    assert_eq!(places("bad/empty.json"), [place("malformed", 1, 1)]);
    assert_eq!(places("bad/duplicate.json"), [place("duplicate-key", 3, 3)]);
}

#[test]
fn a_schema_may_stand_in_the_configuration_and_refer_to_files() {
    let schema = json!({"properties": {"owners": {"items": {"$ref": "schemas/owner.json"}}}});
    assert_eq!(findings(schema, "good/service.json"), []);
    let schema = json!({"properties": {"owners": {"items": {"$ref": "schemas/owner.json"}}}});
    assert_eq!(findings(schema, "bad/violations.json").len(), 1);
    assert_eq!(findings(json!(false), "good/service.json").len(), 1);
}

#[test]
fn a_schema_with_an_id_is_found_where_the_configuration_says() {
    assert_eq!(
        findings(json!("schemas/with-id.json"), "good/service.json"),
        []
    );
    assert_eq!(
        findings(json!("schemas/with-id.json"), "bad/violations.json").len(),
        1
    );
}

#[test]
fn a_schema_that_is_missing_blocks() {
    for schema in [
        json!("schemas/missing.json"),
        json!({"$ref": "schemas/missing.json"}),
        json!({"$ref": "../../missing.json"}),
    ] {
        match schema::compile(&config(schema), fixture).map(|_| ()) {
            Err(Error::Blocked(text)) => assert!(text.contains("missing.json"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_schema_that_makes_no_sense_or_lies_elsewhere_is_refused() {
    for (schema, word) in [
        (
            json!({"$ref": "http://localhost/x.json"}),
            "http://localhost/x.json",
        ),
        (json!({"$ref": "https://example.org/x.json"}), "`ids`"),
        (json!({"$ref": "file:///etc/passwd"}), "file:///etc/passwd"),
        (json!({"type": 7}), "check 0"),
        (json!({"pattern": "("}), "check 0"),
        (json!({"pattern": "(a)\\1"}), "check 0"),
        (json!({"pattern": "(?=a)b"}), "check 0"),
        (json!({"$ref": "#/nowhere"}), "check 0"),
        (
            json!({"$schema": "https://example.org/mine"}),
            "example.org/mine",
        ),
        (json!("bad/malformed.json"), "bad/malformed.json:3:3"),
        (json!("bad/duplicate.json"), "twice"),
    ] {
        match schema::compile(&config(schema.clone()), fixture).map(|_| ()) {
            Err(Error::Config(text)) => assert!(text.contains(word), "{schema}: {text}"),
            other => panic!("{schema}: {other:?}"),
        }
    }
}

#[test]
fn formats_are_checked_only_where_the_configuration_says_so() {
    let mut config = config(json!({"properties": {"name": {"format": "date"}}}));
    for (formats, count) in [(false, 0), (true, 1)] {
        config.formats = formats;
        let schemas = schema::compile(&config, fixture).unwrap();
        let found = rules::check(
            "x",
            br#"{"name": "x"}"#,
            &schemas.iter().collect::<Vec<_>>(),
        );
        assert_eq!(found.len(), count);
    }
}

#[test]
fn a_verdict_stays_small() {
    let schemas = schema::compile(&config(json!({"items": {"type": "string"}})), fixture).unwrap();
    let text = format!("[{}]", vec!["1"; 5000].join(","));
    let found = rules::check("x", text.as_bytes(), &schemas.iter().collect::<Vec<_>>());
    assert_eq!(found.len(), 100);
    let many = vec![rules::no_files(&[]); FINDINGS + 5];
    let verdict = verdict(1, many);
    assert_eq!(verdict.findings.len(), FINDINGS + 1);
    assert_eq!(verdict.findings[FINDINGS].message, "and 5 offences more");
}

#[test]
fn the_manifest_is_well_formed() {
    let manifest = leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
    assert!(manifest.complete && manifest.quote);
}
