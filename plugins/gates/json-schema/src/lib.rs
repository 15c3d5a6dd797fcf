//! Gate `json-schema`: JSON files are well formed and fit their schemas. The README has the configuration and the rules.

mod config;
mod document;
mod rules;
mod scan;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use leasehold_plugin::gate::{Error, Finding, Subject, Verdict};
use leasehold_plugin::pattern::{Pattern, any_matches};
use leasehold_plugin::{Gate, workspace};

use crate::config::Config;
use crate::schema::Schema;

leasehold_plugin::gate!(JsonSchema);
leasehold_plugin::manifest!("../manifest.json");

/// Findings in one verdict; more are counted only, since what a gate says counts as output of the call.
const FINDINGS: usize = 1_000;

/// The gate.
pub struct JsonSchema;

impl Gate for JsonSchema {
    fn check(subject: &Subject) -> Result<Verdict, Error> {
        let config = Config::from_subject(subject)?;
        let schemas = schema::compile(&config, workspace::read)?;
        let mut chosen: BTreeMap<String, Vec<&Schema>> = BTreeMap::new();
        let mut findings = Vec::new();
        for (check, schema) in config.checks.iter().zip(&schemas) {
            let found = files(&check.files, [&config.exclude, &check.exclude])?;
            if found.is_empty() && !config.allow_none {
                findings.push(rules::no_files(&check.files));
            }
            for path in found {
                chosen.entry(path).or_default().push(schema);
            }
        }
        for (path, schemas) in &chosen {
            findings.extend(rules::check(path, &workspace::read(path)?, schemas));
        }
        Ok(verdict(chosen.len(), findings))
    }
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

fn verdict(files: usize, mut findings: Vec<Finding>) -> Verdict {
    let count = findings.len();
    if count == 0 {
        return Verdict::pass(format!("{files} files fit their schemas"));
    }
    if count > FINDINGS {
        findings.truncate(FINDINGS);
        let more = format!("and {} offences more", count - FINDINGS);
        findings.push(Finding::error("json-schema/more", more));
    }
    let offences = if count == 1 { "offence" } else { "offences" };
    Verdict::fail(format!("{count} {offences} in {files} files"), findings)
}

#[cfg(test)]
mod tests;
