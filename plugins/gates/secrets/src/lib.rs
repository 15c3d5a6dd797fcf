//! Gate `secrets`: no file of the workspace holds a secret. What counts as one is said by the crate `secrets-scan`; the README has the
//! configuration, the rules and the limits.

mod config;
mod report;

use leasehold_plugin::gate::{Error, Subject, Verdict};
use leasehold_plugin::workspace::{self, Entry, Kind};
use leasehold_plugin::{Gate, pattern, text};
use secrets_scan::Hit;

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

/// The least number of digits in a token that was drawn at random. Programs hold tables of words that run into each other and have
/// the shape of a token; words have no digits.
const DIGITS: usize = 3;

/// Whether what was found in a binary file was drawn at random rather than written: a key that stands between its marks, or something
/// with digits.
fn is_drawn(hit: &Hit, content: &[u8]) -> bool {
    let secret = content.get(hit.start..hit.end).unwrap_or_default();
    let digits = secret.iter().filter(|byte| byte.is_ascii_digit()).count();
    hit.rule.name.contains("private-key") || digits >= DIGITS
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
        let bytes = workspace::read(path)?;
        // A zero byte is easily put before a key: what is no text is looked into as well.
        let (content, rules) = match text::is_binary(&bytes) {
            true => {
                report.binary();
                (bytes, &config.binary_rules)
            }
            false => (text::decode(bytes).unwrap_or_default(), &config.rules),
        };
        let binary = std::ptr::eq(rules, &config.binary_rules);
        let mut hits = secrets_scan::scan(path, &content, rules);
        hits.retain(|hit| !binary || is_drawn(hit, &content));
        report.file(path, &content, &hits);
    }
    Ok(())
}
