//! Gate `license-header`: source files begin with the licence header that the configuration states. The README has the
//! configuration and the rules.

mod comment;
mod config;
mod header;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use leasehold_plugin::gate::{Error, Finding, Subject, Verdict};
use leasehold_plugin::pattern::{Pattern, any_matches};
use leasehold_plugin::{Gate, workspace};

use crate::config::Config;

leasehold_plugin::gate!(LicenseHeader);
leasehold_plugin::manifest!("../manifest.json");

/// Findings in one verdict; more are counted only, since what a gate says counts as output of the call.
const FINDINGS: usize = 1_000;

/// The gate.
pub struct LicenseHeader;

impl Gate for LicenseHeader {
    fn check(subject: &Subject) -> Result<Verdict, Error> {
        let config = Config::from_subject(subject)?;
        let files = choose(&config)?;
        let mut findings = Vec::new();
        for (path, rule) in &files {
            let content = workspace::read(path)?;
            findings.extend(rules::check(path, &content, &config.rules[*rule]));
        }
        Ok(verdict(&config, files.len(), findings))
    }
}

/// The files to look at, each with the place of its rule.
fn choose(config: &Config) -> Result<BTreeMap<String, usize>, Error> {
    let mut chosen = BTreeMap::new();
    for (index, rule) in config.rules.iter().enumerate() {
        for path in files(&rule.files, [&config.exclude, &rule.exclude])? {
            chosen.entry(path).or_insert(index);
        }
    }
    Ok(chosen)
}

/// The files that any of the patterns matches and none of those to be left out.
fn files(patterns: &[String], exclude: [&[Pattern]; 2]) -> Result<BTreeSet<String>, Error> {
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    // The patterns are the configuration's, not the gate's.
    let entries =
        workspace::walk(&patterns).map_err(|error| Error::Config(workspace::sentence(&error)))?;
    let mut paths = BTreeSet::new();
    for entry in entries {
        let entry = entry?;
        let left_out = exclude
            .iter()
            .any(|patterns| any_matches(patterns, &entry.path));
        if entry.kind == workspace::Kind::File && !left_out {
            paths.insert(entry.path);
        }
    }
    Ok(paths)
}

fn verdict(config: &Config, files: usize, mut findings: Vec<Finding>) -> Verdict {
    if files == 0 {
        return if config.allow_none {
            Verdict::pass("no file fits any rule, which the configuration allows")
        } else {
            let finding = Finding::error("license-header/no-files", "no file fits any rule");
            Verdict::fail(
                "no file fits any rule, so nothing was judged",
                vec![finding],
            )
        };
    }
    let count = findings.len();
    if count == 0 {
        return Verdict::pass(format!("{files} files begin as their rules say"));
    }
    if count > FINDINGS {
        findings.truncate(FINDINGS);
        let more = format!("and {} files more", count - FINDINGS);
        findings.push(Finding::error("license-header/more", more));
    }
    Verdict::fail(
        format!("{count} of {files} files do not begin as their rules say"),
        findings,
    )
}

#[cfg(test)]
mod tests;
