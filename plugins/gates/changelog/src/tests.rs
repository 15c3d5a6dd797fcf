//! Whole changelogs, those of `tests/fixtures`.

use std::fs;
use std::path::Path;

use leasehold_plugin::gate::Outcome;
use semver::Version;

use super::*;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name),
    )
    .unwrap()
}

fn config(links: bool) -> Config {
    Config {
        links,
        ..Config::default()
    }
}

fn offences(config: &Config, bytes: &[u8], version: Option<&str>) -> Vec<(String, u32)> {
    let version = version.map(|text| Version::parse(text).unwrap());
    let verdict = judge(config, bytes, version.as_ref());
    assert_eq!(
        verdict.outcome == Outcome::Pass,
        verdict.findings.is_empty()
    );
    let place = |finding: &Finding| finding.at.as_ref().and_then(|at| at.line).unwrap_or(0);
    verdict
        .findings
        .iter()
        .map(|finding| (finding.rule.replace("changelog/", ""), place(finding)))
        .collect()
}

fn expect(bytes: &[u8], links: bool, expected: &[(&str, u32)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(rule, line)| ((*rule).to_owned(), *line))
        .collect();
    assert_eq!(offences(&config(links), bytes, None), expected);
}

#[test]
fn good_changelogs_pass() {
    for (name, links) in [("keep.md", true), ("plain.md", false), ("crlf.md", false)] {
        let bytes = fixture(&format!("good/{name}"));
        assert_eq!(
            offences(&config(links), &bytes, Some("1.1.0")),
            [],
            "{name}"
        );
    }
}

#[test]
fn the_current_version_must_have_an_entry() {
    let bytes = fixture("good/plain.md");
    for version in ["1.1.1", "1.1.0-rc.2", "2.0.0"] {
        let expected = [("no-entry".to_owned(), 3)];
        assert_eq!(
            offences(&config(false), &bytes, Some(version)),
            expected,
            "{version}"
        );
    }
}

#[test]
fn order_is_descending_in_versions_and_days() {
    expect(
        &fixture("bad/order.md"),
        false,
        &[
            ("version-order", 9),
            ("date-order", 13),
            ("duplicate-version", 17),
            ("unreleased", 21),
        ],
    );
}

#[test]
fn headings_have_their_form() {
    expect(
        &fixture("bad/headings.md"),
        false,
        &[
            ("title", 1),
            ("heading", 3),
            ("unreleased", 3),
            ("heading", 7),
            ("date", 11),
            ("title", 16),
        ],
    );
}

#[test]
fn sections_are_known_and_say_something() {
    expect(
        &fixture("bad/sections.md"),
        false,
        &[
            ("section", 3),
            ("section", 9),
            ("empty-section", 13),
            ("empty-entry", 18),
            ("duplicate-section", 19),
            ("empty-release", 23),
        ],
    );
}

#[test]
fn links_are_demanded_only_where_the_configuration_says_so() {
    let bytes = fixture("bad/links.md");
    expect(&bytes, false, &[]);
    expect(
        &bytes,
        true,
        &[
            ("link", 5),
            ("link", 5),
            ("link", 7),
            ("link", 19),
            ("link", 21),
        ],
    );
}

#[test]
fn nothing_and_bytes_are_no_changelog() {
    expect(b"", false, &[("title", 1), ("unreleased", 1)]);
    let verdict = judge(&config(false), b"# Changelog \xff", None);
    assert_eq!(verdict.findings[0].rule, "changelog/not-text");
}

#[test]
fn an_entry_for_what_is_not_released_can_be_left_out() {
    let text = b"# Changelog\n\n## [1.0.0] - 2024-01-01\n\n### Added\n\n- one\n";
    expect(text, false, &[("unreleased", 3)]);
    let config = Config {
        unreleased: false,
        ..Config::default()
    };
    assert_eq!(offences(&config, text, None), []);
}

#[test]
fn the_manifest_is_well_formed() {
    let manifest = leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
    assert!(manifest.complete && manifest.quote);
}
