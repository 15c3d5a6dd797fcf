//! Whole configurations on the files of `tests/fixtures`.

use std::fs;
use std::path::Path;

use super::*;

const CONFIG: &str = r#"{"rules":[
    {"files":["spdx/**"],"spdx":"MIT OR Apache-2.0"},
    {"files":["**"],"header":["Copyright {year} {holder}","","All rights reserved."],"holder":"Example Ltd","years":{"from":2020,"to":2026}}]}"#;

fn config() -> Config {
    Config::from_subject(&Subject {
        config: CONFIG.to_owned(),
        changed: None,
        inputs: Vec::new(),
    })
    .unwrap()
}

/// Rule, path and line of each finding in a folder of fixtures, `spdx/` by the first rule and `header/` by the second.
fn offences(folder: &str) -> Vec<(String, String, Option<u32>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder);
    let mut found = Vec::new();
    for (index, kind) in ["spdx", "header"].into_iter().enumerate() {
        let mut names: Vec<_> = fs::read_dir(root.join(kind))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert!(!names.is_empty());
        for name in names {
            let path = format!("{kind}/{}", name.to_str().unwrap());
            let content = fs::read(root.join(&path)).unwrap();
            if let Some(finding) = rules::check(&path, &content, &config().rules[index]) {
                let line = finding.at.as_ref().and_then(|at| at.line);
                found.push((finding.rule.replace("license-header/", ""), path, line));
            }
        }
    }
    found
}

#[test]
fn good_files_pass() {
    assert_eq!(offences("good"), []);
}

#[test]
fn each_bad_file_has_its_offence() {
    let expected = [
        ("missing", "spdx/after-code.rs", Some(1)),
        ("mismatch", "spdx/other-licence.rs", Some(1)),
        ("missing", "spdx/prose.rs", Some(1)),
        ("unknown-style", "spdx/unknown.data", None),
        ("missing", "header/another-comment.sh", Some(2)),
        ("mismatch", "header/cut-short.c", Some(3)),
        ("missing", "header/no-comment.py", Some(1)),
        ("not-text", "header/not-text.py", None),
        ("mismatch", "header/other-text.css", Some(4)),
        ("year", "header/year.py", Some(1)),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(rule, path, line)| (rule.to_owned(), path.to_owned(), line))
        .collect();
    assert_eq!(offences("bad"), expected);
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    let text = "// Copyright 2024 Example Ltd\n//\n// All rights reserved.\ncode\n";
    let rule = &config().rules[1];
    for content in [
        text.to_owned(),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
    ] {
        assert_eq!(
            rules::check("a.rs", content.as_bytes(), rule).map(|it| it.message),
            None
        );
    }
    for content in ["", "\n", "\u{feff}", "\u{feff}\r\n"] {
        assert_eq!(
            rules::check("a.rs", content.as_bytes(), rule).map(|it| it.message),
            None
        );
    }
}

#[test]
fn looking_at_nothing_is_no_pass_unless_allowed() {
    let mut config = config();
    assert_eq!(
        verdict(&config, 0, Vec::new()).outcome,
        leasehold_plugin::gate::Outcome::Fail
    );
    config.allow_none = true;
    assert_eq!(
        verdict(&config, 0, Vec::new()).outcome,
        leasehold_plugin::gate::Outcome::Pass
    );
    assert_eq!(
        verdict(&config, 1, Vec::new()).outcome,
        leasehold_plugin::gate::Outcome::Pass
    );
}

#[test]
fn a_verdict_stays_small() {
    let findings = vec![Finding::error("license-header/missing", "x"); FINDINGS + 5];
    let verdict = verdict(&config(), FINDINGS + 5, findings);
    assert_eq!(verdict.findings.len(), FINDINGS + 1);
    assert_eq!(
        verdict.findings.last().map(|it| it.message.as_str()),
        Some("and 5 files more")
    );
}

#[test]
fn the_manifest_is_well_formed_and_its_schema_knows_the_styles() {
    let manifest = leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
    assert!(manifest.complete && manifest.quote);
    let schema = manifest.config.unwrap();
    let styles = schema
        .pointer("/properties/rules/items/properties/comment/enum")
        .unwrap();
    for style in styles.as_array().unwrap() {
        serde_json::from_value::<comment::Style>(style.clone()).unwrap();
    }
}
