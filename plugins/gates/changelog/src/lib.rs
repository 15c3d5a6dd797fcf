//! Gate `changelog`: the changelog has the form of Keep a Changelog 1.1.0 and an entry for the current version. The README has the
//! configuration and the rules.

mod config;
mod document;
mod heading;
mod rules;
mod version_file;

use leasehold_plugin::gate::{Error, Finding, Subject, Verdict};
use leasehold_plugin::{Gate, workspace};

use crate::config::Config;
use crate::document::Document;

leasehold_plugin::gate!(Changelog);
leasehold_plugin::manifest!("../manifest.json");

/// The gate.
pub struct Changelog;

impl Gate for Changelog {
    fn check(subject: &Subject) -> Result<Verdict, Error> {
        let config = Config::from_subject(subject)?;
        let version = match &config.version_file {
            None => None,
            Some(path) => Some(version_file::read(path, &workspace::read(path)?)?),
        };
        let bytes = match workspace::read(&config.file) {
            Ok(bytes) => bytes,
            Err(workspace::Error::NotFound) => {
                let message = format!("there is no {}", config.file);
                let finding = Finding::error("changelog/no-file", message.clone());
                return Ok(Verdict::fail(message, vec![finding.in_path(&config.file)]));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(judge(&config, &bytes, version.as_ref()))
    }
}

fn judge(config: &Config, bytes: &[u8], version: Option<&semver::Version>) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else {
        let message = format!("{} is not text in UTF-8", config.file);
        let finding = Finding::error("changelog/not-text", message.clone());
        return Verdict::fail(message, vec![finding.in_path(&config.file)]);
    };
    let document = Document::parse(text);
    let findings = rules::check(config, &document, version);
    match findings.len() {
        0 => Verdict::pass(format!(
            "{} releases, each in its form",
            document.releases()
        )),
        1 => Verdict::fail("1 offence in the changelog", findings),
        count => Verdict::fail(format!("{count} offences in the changelog"), findings),
    }
}

#[cfg(test)]
mod tests;
