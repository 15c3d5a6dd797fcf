use leasehold_plugin::gate::{Error, Level, Outcome, Verdict};
use leasehold_plugin::text;

use super::Report;
use crate::config::tests::read;

/// A made-up key, put together so that no scanner finds it here.
fn key() -> String {
    ["AKIA", "Q3EGRIFW7ZT2XBNM"].concat()
}

fn judge(config: &str, files: &[(&str, &str)]) -> Result<Verdict, Error> {
    let config = read(config)?;
    let mut report = Report::new(&config);
    for (path, content) in files {
        let text = text::decode(content.as_bytes().to_vec()).unwrap();
        report.file(path, &text, &secrets_scan::scan(path, &text, &config.rules));
    }
    report.verdict()
}

fn rules(verdict: &Verdict) -> Vec<(&str, Level)> {
    let findings = verdict.findings.iter();
    findings
        .map(|finding| (finding.rule.as_str(), finding.level))
        .collect()
}

#[test]
fn a_secret_fails_and_no_secret_passes() {
    let bad = judge("{}", &[("a", &format!("x\n  {}", key())), ("b", "")]).unwrap();
    assert_eq!(bad.outcome, Outcome::Fail);
    assert_eq!(bad.summary, "1 secret in 2 files");
    let finding = &bad.findings[0];
    let at = finding.at.as_ref().unwrap();
    assert_eq!(
        (at.path.as_str(), at.line, at.column),
        ("a", Some(2), Some(3))
    );
    assert_eq!(
        finding.message,
        "this looks like an access key of AWS: AKIA… (20 characters)"
    );
    assert!(!format!("{bad:?}").contains(&key()));

    let good = judge("null", &[("a", "nothing here")]).unwrap();
    assert_eq!((good.outcome, good.findings.len()), (Outcome::Pass, 0));
    assert_eq!(good.summary, "no secret in 1 file");
}

#[test]
fn what_a_comment_allows_is_a_note() {
    let verdict = judge(
        "{}",
        &[(
            "a",
            &format!("{} # leasehold:allow secret for the tests", key()),
        )],
    )
    .unwrap();
    assert_eq!(verdict.outcome, Outcome::Pass);
    assert_eq!(rules(&verdict), [("secrets/aws-access-key", Level::Note)]);
    assert_eq!(verdict.summary, "no secret in 1 file (1 allowed)");
    assert!(verdict.findings[0].message.ends_with("a comment allows it"));
}

#[test]
fn what_the_configuration_allows_is_a_note_and_a_stale_entry_a_warning() {
    let content = key();
    let files = [("a/b", content.as_str())];
    let found = judge("{}", &files).unwrap();
    let fingerprint = found.findings[0].fingerprint.clone().unwrap();
    for (allow, passes) in [
        (format!(r#"{{"fingerprint":"{fingerprint}"}}"#), true),
        (
            format!(
                r#"{{"fingerprint":"{fingerprint}","path":"a/**","rule":"aws-access-key","why":"w"}}"#
            ),
            true,
        ),
        (r#"{"path":"a/*"}"#.to_owned(), true),
        (
            format!(r#"{{"fingerprint":"{fingerprint}","path":"b"}}"#),
            false,
        ),
        (r#"{"path":"a/*","rule":"jwt"}"#.to_owned(), false),
        (
            format!(r#"{{"fingerprint":"sha256:{}"}}"#, "0".repeat(64)),
            false,
        ),
    ] {
        let verdict = judge(&format!(r#"{{"allow":[{allow}]}}"#), &files).unwrap();
        if passes {
            assert_eq!(verdict.outcome, Outcome::Pass, "{allow}");
            assert_eq!(rules(&verdict), [("secrets/aws-access-key", Level::Note)]);
        } else {
            assert_eq!(verdict.outcome, Outcome::Fail, "{allow}");
            let expected = [
                ("secrets/aws-access-key", Level::Error),
                ("secrets/unused-allow", Level::Warning),
            ];
            assert_eq!(rules(&verdict), expected);
        }
    }
}

#[test]
fn allowed_secrets_do_not_crowd_out_the_others() {
    let content = format!(
        "{}\n{}",
        format!("{} leasehold:allow secret\n", key()).repeat(50),
        key()
    );
    let config = r#"{"max_findings":5,"max_findings_per_file":3}"#;
    let verdict = judge(config, &[("a", &content)]).unwrap();
    assert_eq!(verdict.outcome, Outcome::Fail);
    assert_eq!(verdict.summary, "1 secret in 1 file (50 allowed)");
    let note = ("secrets/aws-access-key", Level::Note);
    let error = ("secrets/aws-access-key", Level::Error);
    assert_eq!(
        rules(&verdict),
        [note, note, note, error, ("secrets/more", Level::Note)]
    );
    assert_eq!(verdict.findings[4].message, "and 47 more, 0 of them errors");
}

#[test]
fn the_list_of_findings_ends_and_the_count_does_not() {
    let many = format!("{}\n", key()).repeat(10);
    let config = r#"{"max_findings":5,"max_findings_per_file":3}"#;
    let verdict = judge(config, &[("a", &many), ("b", &many), ("c", &many)]).unwrap();
    assert_eq!(verdict.summary, "30 secrets in 3 files");
    let paths = verdict
        .findings
        .iter()
        .filter_map(|finding| finding.at.as_ref());
    assert_eq!(
        paths.map(|at| at.path.as_str()).collect::<Vec<_>>(),
        ["a", "a", "a", "b", "b"]
    );
    assert_eq!(
        verdict.findings[5].message,
        "and 25 more, 25 of them errors"
    );
}

#[test]
fn what_was_not_looked_into_is_said() {
    let config = read(r#"{"max_file_bytes":10}"#).unwrap();
    let mut report = Report::new(&config);
    report.too_large("big", 11);
    report.binary();
    report.excluded();
    let verdict = report.verdict().unwrap();
    assert_eq!(verdict.outcome, Outcome::Pass);
    assert_eq!(rules(&verdict), [("secrets/too-large", Level::Warning)]);
    assert_eq!(
        verdict.summary,
        "no secret in 0 files (1 binary, 1 excluded, 1 too large)"
    );
}

#[test]
fn what_may_not_be_read_blocks_a_pass_and_not_a_failure() {
    let config = read("{}").unwrap();
    let mut report = Report::new(&config);
    report.unreadable("hidden");
    match report.verdict() {
        Err(Error::Blocked(text)) => assert!(text.contains("1 listed file (hidden)"), "{text}"),
        other => panic!("{other:?}"),
    }
    let mut report = Report::new(&config);
    report.unreadable("hidden");
    let content = key();
    report.file(
        "a",
        content.as_bytes(),
        &secrets_scan::scan("a", content.as_bytes(), &config.rules),
    );
    assert_eq!(report.verdict().unwrap().outcome, Outcome::Fail);
}

#[test]
fn the_fixtures_are_judged_as_their_names_say() {
    let bad = include_str!("../../tests/fixtures/bad.txt");
    let good = include_str!("../../tests/fixtures/good.txt");
    let allowed = include_str!("../../tests/fixtures/allowed.txt");
    let lines = bad
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .count();
    let verdict = judge("{}", &[("bad.txt", bad)]).unwrap();
    assert_eq!(verdict.findings.len(), lines, "{verdict:#?}");
    let verdict = judge("{}", &[("good.txt", good), ("allowed.txt", allowed)]).unwrap();
    assert_eq!(verdict.outcome, Outcome::Pass, "{verdict:#?}");
    assert_eq!(verdict.findings.len(), 2, "{verdict:#?}");
}

#[test]
fn the_manifest_is_well_formed_and_lists_every_rule() {
    let manifest =
        leasehold_plugin::manifest::parse(include_bytes!("../../manifest.json")).unwrap();
    assert!(manifest.complete);
    // Lines that findings name hold secrets.
    assert!(!manifest.quote);
    let schema = manifest.config.unwrap();
    let known: Vec<&str> = schema["properties"]["rules"]["propertyNames"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|name| name.as_str())
        .collect();
    let rules: Vec<&str> = secrets_scan::Rule::all()
        .iter()
        .map(|rule| rule.name)
        .collect();
    assert_eq!(known, rules);
    assert_eq!(
        schema["$defs"]["rule"]["enum"],
        schema["properties"]["rules"]["propertyNames"]["enum"]
    );
    let readme = include_str!("../../README.md");
    for rule in rules {
        assert!(
            readme.contains(&format!("`{rule}`")),
            "{rule} is not in the README"
        );
    }
}
