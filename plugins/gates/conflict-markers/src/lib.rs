//! Gate `conflict-markers`: no merge conflict is left in a file. The README has the configuration and the rules.

mod config;
mod conflicts;
mod report;

use leasehold_plugin::gate::{Error, Subject, Verdict};
use leasehold_plugin::workspace::{self, Kind};
use leasehold_plugin::{Gate, pattern};

use crate::config::Config;
use crate::report::Report;

leasehold_plugin::gate!(ConflictMarkers);
leasehold_plugin::manifest!("../manifest.json");

/// The gate.
pub struct ConflictMarkers;

impl Gate for ConflictMarkers {
    fn check(subject: &Subject) -> Result<Verdict, Error> {
        let config = Config::from_subject(subject)?;
        let mut report = Report::new(&config);
        for entry in workspace::walk(&config.include())? {
            let entry = entry?;
            if entry.kind != Kind::File {
                continue;
            }
            if pattern::any_matches(&config.exclude, &entry.path) {
                report.excluded();
            } else if !entry.readable {
                report.unreadable(&entry.path);
            } else {
                match workspace::read_text(&entry)? {
                    None => report.binary(),
                    Some(text) => report.file(&entry.path, &text),
                }
            }
        }
        report.verdict()
    }
}
