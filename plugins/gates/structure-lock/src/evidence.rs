//! The evidence: what was found, and by which lists it was judged.

use leasehold_plugin::gate::{Error, Finding};
use leasehold_plugin::workspace::{Entry, Kind};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::config::Config;

/// What the verdict carries as data. The attached artifact is the same with a time in front.
#[derive(Serialize)]
pub(crate) struct Evidence {
    /// Names of the directories at the root, sorted.
    roots_detected: Vec<String>,
    root_count: usize,
    /// SHA-256 of the compact JSON `{"roots":[…],"files":[…]}` with sorted names.
    policy_hash: String,
    /// SHA-256 of the compact JSON list of the exceptions, sorted.
    exceptions_hash: String,
    errors: Vec<String>,
    status: &'static str,
}

#[derive(Serialize)]
struct Policy<'a> {
    roots: &'a [String],
    files: &'a [String],
}

impl Evidence {
    pub(crate) fn new(config: &Config, entries: &[Entry], findings: &[Finding]) -> Self {
        let mut roots_detected: Vec<String> = entries
            .iter()
            .filter(|entry| entry.kind == Kind::Directory)
            .map(|entry| entry.path.clone())
            .collect();
        roots_detected.sort();
        Self {
            root_count: roots_detected.len(),
            roots_detected,
            policy_hash: digest(&Policy {
                roots: &config.roots,
                files: &config.files,
            }),
            exceptions_hash: digest(&config.exceptions),
            errors: findings
                .iter()
                .map(|finding| format!("{}: {}", finding.rule, finding.message))
                .collect(),
            status: if findings.is_empty() { "PASS" } else { "FAIL" },
        }
    }

    /// JSON with the time of the call, in seconds since the epoch.
    pub(crate) fn dated(&self, seconds: u64) -> Result<String, Error> {
        let text = serde_json::to_string(self).map_err(|error| Error::Fault(error.to_string()))?;
        // The object is never empty, so a first member can be put in front of the others.
        Ok(format!(
            "{{\"timestamp_utc\":\"{}\",{}",
            utc(seconds),
            &text[1..]
        ))
    }
}

fn digest(value: &impl Serialize) -> String {
    // Lists of strings always have a form in JSON.
    let text = serde_json::to_vec(value).unwrap_or_default();
    let hash = Sha256::digest(&text);
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// RFC 3339, to the second. The calendar is counted from 1 March 0000, as in Howard Hinnant's "chrono-Compatible Low-Level Date
/// Algorithms".
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3600,
        rest % 3600 / 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(seconds), text);
        }
    }

    #[test]
    fn the_evidence_has_the_fields_that_readers_know() {
        let config = Config {
            roots: vec!["a".to_owned()],
            files: Vec::new(),
            exceptions: vec!["b".to_owned()],
            evidence: true,
        };
        let entry = Entry {
            path: "a".to_owned(),
            kind: Kind::Directory,
            size: 0,
            executable: false,
            readable: false,
        };
        let text = Evidence::new(&config, &[entry], &[]).dated(0).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["timestamp_utc"], "1970-01-01T00:00:00Z");
        assert_eq!(value["roots_detected"], serde_json::json!(["a"]));
        assert_eq!(value["root_count"], 1);
        assert_eq!(value["status"], "PASS");
        assert_eq!(value["errors"], serde_json::json!([]));
        // printf '["b"]' | sha256sum
        assert_eq!(
            value["exceptions_hash"],
            "sha256:a8950f05d3443e7921e7ec6fbe06c8febe40966a5db58b15f767a995d561290b"
        );
        assert!(
            value["policy_hash"]
                .as_str()
                .is_some_and(|hash| hash.len() == 71)
        );
    }

    #[test]
    fn the_manifest_and_the_profile_are_well_formed() {
        let manifest =
            leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
        assert!(manifest.complete);
        let profile = include_str!("../profiles/numbered-24.json").to_owned();
        let subject = leasehold_plugin::gate::Subject {
            config: profile,
            changed: None,
            inputs: Vec::new(),
        };
        assert_eq!(Config::from_subject(&subject).unwrap().roots.len(), 24);
    }
}
