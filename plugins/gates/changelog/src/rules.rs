//! What is an offence.

use std::collections::BTreeMap;

use leasehold_plugin::gate::Finding;
use semver::Version;

use crate::config::Config;
use crate::document::{Document, Link, Release};
use crate::heading::{Date, Title};

const TITLE: &str = "changelog/title";
const UNRELEASED: &str = "changelog/unreleased";
const ORDER: &str = "changelog/version-order";
const DATE_ORDER: &str = "changelog/date-order";
const DUPLICATE: &str = "changelog/duplicate-version";
const SECTION: &str = "changelog/section";
const DUPLICATE_SECTION: &str = "changelog/duplicate-section";
const EMPTY_RELEASE: &str = "changelog/empty-release";
const EMPTY_SECTION: &str = "changelog/empty-section";
const EMPTY_ENTRY: &str = "changelog/empty-entry";
const NO_ENTRY: &str = "changelog/no-entry";
const LINK: &str = "changelog/link";

const SECTIONS: [&str; 6] = [
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Security",
];

/// One finding for each offence, in the order of the lines. `version` is the one that must have an entry.
pub(crate) fn check(
    config: &Config,
    document: &Document<'_>,
    version: Option<&Version>,
) -> Vec<Finding> {
    let mut offences = Offences {
        file: &config.file,
        list: Vec::new(),
    };
    titles(document, &mut offences);
    order(config, document, &mut offences);
    for release in &document.releases {
        sections(release, &mut offences);
    }
    if let Some(wanted) = version {
        entry(wanted, document, &mut offences);
    }
    if config.links {
        links(document, &mut offences);
    }
    offences.list.sort_by_key(|(line, _)| *line);
    offences
        .list
        .into_iter()
        .map(|(_, finding)| finding)
        .collect()
}

/// Findings with their lines, to be sorted.
struct Offences<'a> {
    file: &'a str,
    list: Vec<(u32, Finding)>,
}

impl Offences<'_> {
    /// `what` is what stays the same when the offence moves to another line.
    fn add(&mut self, rule: &str, line: u32, what: &str, message: impl Into<String>) {
        let finding = Finding::error(rule, message)
            .at(self.file, line, None)
            .with_fingerprint(format!("{rule}:{}:{what}", self.file));
        self.list.push((line, finding));
    }
}

fn titles(document: &Document<'_>, offences: &mut Offences<'_>) {
    let first = document.first_line.unwrap_or(1);
    if document.titles.first() != Some(&first) {
        offences.add(
            TITLE,
            first,
            "first",
            "the file begins with a title, `# Changelog`",
        );
    }
    for line in document.titles.iter().skip(1) {
        offences.add(
            TITLE,
            *line,
            "second",
            "there is only one title; a release is a heading of the second level",
        );
    }
    for line in &document.strays {
        offences.add(SECTION, *line, "stray", "a section belongs to a release");
    }
}

fn order(config: &Config, document: &Document<'_>, offences: &mut Offences<'_>) {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut before: Option<(&Version, Date)> = None;
    let mut unreleased = false;
    for (index, release) in document.releases.iter().enumerate() {
        let (line, label) = (release.line, release.label);
        match &release.title {
            Title::Wrong(rule, message) => offences.add(rule, line, label, message.as_str()),
            Title::Unreleased => {
                unreleased = true;
                if index > 0 && !seen.contains_key(label) {
                    offences.add(
                        UNRELEASED,
                        line,
                        label,
                        "[Unreleased] stands before all releases",
                    );
                }
            }
            Title::Release { version, date } => {
                if let Some((later, later_date)) = before {
                    // The same version twice is said once, below.
                    if version.cmp_precedence(later).is_ge() && !seen.contains_key(label) {
                        offences.add(
                            ORDER,
                            line,
                            label,
                            format!(
                                "{version} stands below {later}: the highest version comes first"
                            ),
                        );
                    }
                    if *date > later_date {
                        offences.add(
                            DATE_ORDER,
                            line,
                            label,
                            format!("{version} is of a later day than {later} above it"),
                        );
                    }
                }
                before = Some((version, *date));
            }
        }
        if let Some(first) = seen.get(label) {
            offences.add(
                DUPLICATE,
                line,
                label,
                format!("{label} has an entry in line {first} already"),
            );
        } else {
            seen.insert(label, line);
        }
    }
    if config.unreleased && !unreleased {
        let line = document.releases.first().map_or(1, |release| release.line);
        offences.add(
            UNRELEASED,
            line,
            "missing",
            "there is no entry [Unreleased] before the releases",
        );
    }
}

fn sections(release: &Release<'_>, offences: &mut Offences<'_>) {
    let label = release.label;
    let mut seen = Vec::new();
    for section in &release.sections {
        let (line, name) = (section.line, section.name);
        let what = format!("{label}/{name}");
        if !SECTIONS.contains(&name) {
            offences.add(
                SECTION,
                line,
                &what,
                format!("{name:?} is not one of {}", SECTIONS.join(", ")),
            );
        }
        if seen.contains(&name) {
            offences.add(
                DUPLICATE_SECTION,
                line,
                &what,
                format!("{label} has a section {name:?} already"),
            );
        }
        seen.push(name);
        if section.entries.is_empty() {
            offences.add(
                EMPTY_SECTION,
                line,
                &what,
                format!("the section {name:?} of {label} has no entries"),
            );
        }
        for (line, text) in &section.entries {
            if !text {
                offences.add(EMPTY_ENTRY, *line, &what, "the entry is empty");
            }
        }
    }
    if release.sections.is_empty() && release.title != Title::Unreleased {
        offences.add(
            EMPTY_RELEASE,
            release.line,
            label,
            format!("{label} says nothing: it has no sections"),
        );
    }
}

fn entry(wanted: &Version, document: &Document<'_>, offences: &mut Offences<'_>) {
    let has_entry = document.releases.iter().any(
        |release| matches!(&release.title, Title::Release { version, .. } if version.cmp_precedence(wanted).is_eq()),
    );
    if !has_entry {
        let line = document.releases.first().map_or(1, |release| release.line);
        offences.add(
            NO_ENTRY,
            line,
            &wanted.to_string(),
            format!("the current version, {wanted}, has no entry"),
        );
    }
}

fn links(document: &Document<'_>, offences: &mut Offences<'_>) {
    let last = document.releases.iter().flat_map(|release| {
        let sections = release.sections.iter();
        sections
            .map(|section| section.entries.last().map_or(section.line, |entry| entry.0))
            .chain([release.line])
    });
    let last = last.max().unwrap_or(0);
    let mut seen: BTreeMap<&str, &Link<'_>> = BTreeMap::new();
    for link in &document.links {
        let (line, label) = (link.line, link.label);
        if line < last {
            offences.add(
                LINK,
                line,
                label,
                format!("the link of {label} stands before the end"),
            );
        }
        if !link.target.starts_with("https://") && !link.target.starts_with("http://") {
            offences.add(
                LINK,
                line,
                label,
                format!("the link of {label} leads nowhere: {:?}", link.target),
            );
        }
        if let Some(first) = seen.insert(label, link) {
            offences.add(
                LINK,
                line,
                label,
                format!("{label} has a link in line {} already", first.line),
            );
        }
        let known = document
            .releases
            .iter()
            .any(|release| release.label == label);
        if !known && (Version::parse(label).is_ok() || label == "Unreleased") {
            offences.add(
                LINK,
                line,
                label,
                format!("the link of {label} belongs to no entry"),
            );
        }
    }
    for release in &document.releases {
        if !matches!(release.title, Title::Wrong(..)) && !seen.contains_key(release.label) {
            let label = release.label;
            offences.add(
                LINK,
                release.line,
                label,
                format!("{label} has no link reference at the end"),
            );
        }
    }
}
