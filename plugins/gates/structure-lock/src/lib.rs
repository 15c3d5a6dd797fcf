//! Gate `structure-lock`: the root of the workspace holds exactly the listed directories and files, and nothing else but
//! exceptions. The README has the configuration, the rules and the evidence.

mod config;
mod evidence;
mod rules;

use std::time::{SystemTime, UNIX_EPOCH};

use leasehold_plugin::gate::{Error, Subject, Verdict};
use leasehold_plugin::{Gate, host, workspace};

use crate::config::Config;
use crate::evidence::Evidence;

leasehold_plugin::gate!(StructureLock);
leasehold_plugin::manifest!("../manifest.json");

/// The number by which earlier systems know a broken structure.
const CODE: u8 = 24;

/// The gate.
pub struct StructureLock;

impl Gate for StructureLock {
    fn check(subject: &Subject) -> Result<Verdict, Error> {
        let config = Config::from_subject(subject)?;
        let entries = workspace::walk(&["*"])?.collect::<Result<Vec<_>, _>>()?;
        let findings = rules::check(&config, &entries);
        let evidence = Evidence::new(&config, &entries, &findings);
        let verdict = if findings.is_empty() {
            Verdict::pass(format!(
                "the root holds the {} listed entries and nothing else",
                config.required()
            ))
        } else {
            let count = findings.len();
            let offences = if count == 1 { "offence" } else { "offences" };
            Verdict::fail(format!("{count} {offences} at the root"), findings).with_code(CODE)
        };
        if config.evidence {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs());
            host::attach(
                "structure-lock.json",
                "application/json",
                evidence.dated(now)?.as_bytes(),
            )
            .map_err(Error::Fault)?;
        }
        verdict.with_data(&evidence)
    }
}
