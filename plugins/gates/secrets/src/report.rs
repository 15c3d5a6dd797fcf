//! What was found, as a verdict.

use leasehold_plugin::gate::{Error, Finding, Level, Outcome, Verdict};
use secrets_scan::Hit;
use serde::Serialize;

use crate::config::Config;

const TOO_LARGE: &str = "secrets/too-large";
const UNREADABLE: &str = "secrets/unreadable";
const UNUSED: &str = "secrets/unused-allow";
const MORE: &str = "secrets/more";

/// What was seen so far.
pub(crate) struct Report<'a> {
    config: &'a Config,
    findings: Vec<Finding>,
    counts: Counts,
    listed: Listed,
    /// Which entries of the list of allowed secrets were of use.
    used: Vec<bool>,
}

/// The data of the verdict.
#[derive(Debug, Default, Eq, PartialEq, Serialize)]
struct Counts {
    /// Files looked into, and their size in bytes.
    files: u64,
    bytes: u64,
    /// Files that were not looked into, by the reason.
    binary: u64,
    excluded: u64,
    too_large: u64,
    unreadable: u64,
    /// Secrets found, and how many more are allowed.
    secrets: u64,
    allowed: u64,
}

/// How many findings there are in the list.
#[derive(Default)]
struct Listed {
    secrets: usize,
    allowed: usize,
    others: usize,
}

impl<'a> Report<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        Self {
            config,
            findings: Vec::new(),
            counts: Counts::default(),
            listed: Listed::default(),
            used: vec![false; config.allow.len()],
        }
    }

    /// A file that was looked into, and what is in it.
    pub(crate) fn file(&mut self, path: &str, text: &[u8], hits: &[Hit]) {
        self.counts.files += 1;
        self.counts.bytes += text.len() as u64;
        let (mut secrets, mut allowed) = (0, 0);
        for hit in hits {
            let fingerprint = hit.fingerprint(path, text);
            let is_listed = self.is_listed(path, hit, &fingerprint);
            let what = format!("this looks like {}: {}", hit.rule.what, hit.redacted(text));
            let rule = format!("secrets/{}", hit.rule.name);
            let (count, total, finding) = if hit.allowed {
                let note = Finding::new(Level::Note, rule, format!("{what}; a comment allows it"));
                (&mut allowed, &mut self.listed.allowed, note)
            } else if is_listed {
                let note = Finding::new(
                    Level::Note,
                    rule,
                    format!("{what}; the configuration allows it"),
                );
                (&mut allowed, &mut self.listed.allowed, note)
            } else {
                (
                    &mut secrets,
                    &mut self.listed.secrets,
                    Finding::error(rule, what),
                )
            };
            *count += 1;
            if *count <= self.config.max_findings_per_file && *total < self.config.max_findings {
                *total += 1;
                let finding = finding.at(path, hit.line, Some(hit.column));
                self.findings.push(finding.with_fingerprint(fingerprint));
            }
        }
        self.counts.secrets += secrets as u64;
        self.counts.allowed += allowed as u64;
    }

    /// A file that the configuration leaves out.
    pub(crate) fn excluded(&mut self) {
        self.counts.excluded += 1;
    }

    /// A file that is no text.
    pub(crate) fn binary(&mut self) {
        self.counts.binary += 1;
    }

    /// A file that is larger than what is looked into, `size` in bytes.
    pub(crate) fn too_large(&mut self, path: &str, size: u64) {
        self.counts.too_large += 1;
        let message = format!(
            "{size} bytes are more than {}: the file was not looked into",
            self.config.max_file_bytes
        );
        self.other(Finding::warning(TOO_LARGE, message), path);
    }

    /// A file that the lease shows but does not let this gate read.
    pub(crate) fn unreadable(&mut self, path: &str) {
        self.counts.unreadable += 1;
        let message = "the lease does not allow to read the file: it was not looked into";
        self.other(Finding::warning(UNREADABLE, message), path);
    }

    /// The verdict. What could not be read keeps the gate from passing, but not from failing.
    pub(crate) fn verdict(mut self) -> Result<Verdict, Error> {
        let Counts {
            files,
            secrets,
            unreadable,
            ..
        } = self.counts;
        if secrets == 0 && unreadable > 0 {
            let first = self
                .findings
                .iter()
                .find(|finding| finding.rule == UNREADABLE);
            let path = first
                .and_then(|finding| finding.at.as_ref())
                .map_or("", |at| at.path.as_str());
            return Err(Error::Blocked(format!(
                "the lease does not allow to read {} ({path})",
                counted(unreadable, "listed file", "listed files")
            )));
        }
        self.close();
        let (outcome, summary) = if secrets == 0 {
            (
                Outcome::Pass,
                format!("no secret in {}", counted(files, "file", "files")),
            )
        } else {
            let what = counted(secrets, "secret", "secrets");
            (
                Outcome::Fail,
                format!("{what} in {}", counted(files, "file", "files")),
            )
        };
        let summary = format!("{summary}{}", self.counts.remarks());
        Verdict::new(outcome, summary, self.findings).with_data(&self.counts)
    }

    fn other(&mut self, finding: Finding, path: &str) {
        if self.listed.others < self.config.max_findings {
            self.listed.others += 1;
            self.findings.push(finding.in_path(path));
        }
    }

    /// Adds what can be said only in the end.
    fn close(&mut self) {
        let unused = self
            .config
            .allow
            .iter()
            .zip(&self.used)
            .filter(|(_, used)| !**used);
        for (allow, _) in unused {
            let message = format!(
                "nothing is found any more that this allows: {}",
                allow.sentence()
            );
            self.findings.push(Finding::warning(UNUSED, message));
        }
        let listed = self.listed.secrets + self.listed.allowed + self.listed.others;
        let all = self.counts.secrets
            + self.counts.allowed
            + self.counts.too_large
            + self.counts.unreadable;
        let more = all.saturating_sub(listed as u64);
        if more > 0 {
            let hidden = self.counts.secrets - self.listed.secrets as u64;
            let message = format!("and {more} more, {hidden} of them errors");
            self.findings.push(Finding::new(Level::Note, MORE, message));
        }
    }

    /// Whether the list of allowed secrets has this one; remembers which entry was of use.
    fn is_listed(&mut self, path: &str, hit: &Hit, fingerprint: &str) -> bool {
        let mut listed = false;
        for (allow, used) in self.config.allow.iter().zip(&mut self.used) {
            if allow.applies(path, hit.rule, fingerprint) {
                *used = true;
                listed = true;
            }
        }
        listed
    }
}

impl Counts {
    /// What was not looked into, and what is allowed, for the end of the summary.
    fn remarks(&self) -> String {
        let remarks: Vec<String> = [
            (self.allowed, "allowed"),
            (self.binary, "binary"),
            (self.excluded, "excluded"),
            (self.too_large, "too large"),
            (self.unreadable, "not readable"),
        ]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        if remarks.is_empty() {
            String::new()
        } else {
            format!(" ({})", remarks.join(", "))
        }
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
