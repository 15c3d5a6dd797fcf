//! Gate `secrets`: no file of the workspace holds a secret. What counts as one is said by the crate `secrets-scan`; the README has the
//! configuration, the rules and the limits.

mod config;
mod report;

use leasehold_plugin::gate::{Error, Subject, Verdict};
use leasehold_plugin::workspace::{self, Entry, Kind};
use leasehold_plugin::{Gate, pattern};

use crate::config::Config;
use crate::report::Report;

leasehold_plugin::gate!(Secrets);
leasehold_plugin::manifest!("../manifest.json");

/// The gate.
pub struct Secrets;

impl Gate for Secrets {
    fn check(subject: &Subject) -> Result<Verdict, Error> {
        let config = Config::from_subject(subject)?;
        let mut report = Report::new(&config);
        for entry in workspace::walk(&config.include())? {
            look(&entry?, &config, &mut report)?;
        }
        report.verdict()
    }
}

fn look(entry: &Entry, config: &Config, report: &mut Report<'_>) -> Result<(), Error> {
    let path = entry.path.as_str();
    if entry.kind != Kind::File {
        return Ok(());
    }
    if pattern::any_matches(&config.exclude, path) {
        report.excluded();
    } else if !entry.readable {
        report.unreadable(path);
    } else if entry.size > config.max_file_bytes {
        report.too_large(path, entry.size);
    } else {
        match workspace::read_text(entry)? {
            None => report.binary(),
            Some(text) => {
                let hits = secrets_scan::scan(path, &text, &config.rules);
                report.file(path, &text, &hits);
            }
        }
    }
    Ok(())
}
