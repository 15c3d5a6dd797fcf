//! What was found, as a verdict.

use leasehold_plugin::gate::{Error, Finding, Level, Outcome, Verdict};

use crate::config::Config;
use crate::conflicts::{self, Remains};

const CONFLICT: &str = "conflict-markers/conflict";
const LEFTOVER: &str = "conflict-markers/leftover";
const UNREADABLE: &str = "conflict-markers/unreadable";
const MORE: &str = "conflict-markers/more";

/// What was seen so far.
pub(crate) struct Report<'a> {
    config: &'a Config,
    findings: Vec<Finding>,
    files: u64,
    binary: u64,
    excluded: u64,
    /// How many remains there are, in the list or not.
    remains: usize,
    unreadable: Vec<String>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        Self {
            config,
            findings: Vec::new(),
            files: 0,
            binary: 0,
            excluded: 0,
            remains: 0,
            unreadable: Vec::new(),
        }
    }

    /// A file and its text.
    pub(crate) fn file(&mut self, path: &str, text: &[u8]) {
        self.files += 1;
        for remains in conflicts::find(text, self.config.marker_size) {
            self.remains += 1;
            if self.findings.len() < self.config.max_findings {
                self.findings.push(finding(path, remains));
            }
        }
    }

    /// A file that the configuration leaves out.
    pub(crate) fn excluded(&mut self) {
        self.excluded += 1;
    }

    /// A file that is no text.
    pub(crate) fn binary(&mut self) {
        self.binary += 1;
    }

    /// A file that the lease shows but does not let this gate read.
    pub(crate) fn unreadable(&mut self, path: &str) {
        self.unreadable.push(path.to_owned());
    }

    /// The verdict. What could not be read keeps the gate from passing, but not from failing.
    pub(crate) fn verdict(mut self) -> Result<Verdict, Error> {
        if self.remains == 0 {
            if let Some(first) = self.unreadable.first() {
                let count = self.unreadable.len();
                return Err(Error::Blocked(format!(
                    "the lease does not allow to read {count} listed files ({first})"
                )));
            }
            let summary = format!(
                "no conflict is left in {}{}",
                self.counted(),
                self.remarks()
            );
            return Ok(Verdict::pass(summary));
        }
        let count = self.remains;
        let conflicts = if count == 1 {
            "conflict is"
        } else {
            "conflicts are"
        };
        let summary = format!(
            "{count} {conflicts} left in {}{}",
            self.counted(),
            self.remarks()
        );
        let more = count - self.findings.len();
        if more > 0 {
            self.findings
                .push(Finding::new(Level::Note, MORE, format!("and {more} more")));
        }
        if let Some(first) = self.unreadable.first() {
            let count = self.unreadable.len();
            let message =
                format!("the lease does not allow to read {count} listed files, this one first");
            self.findings
                .push(Finding::warning(UNREADABLE, message).in_path(first.clone()));
        }
        Ok(Verdict::new(Outcome::Fail, summary, self.findings))
    }

    fn counted(&self) -> String {
        let files = self.files;
        format!("{files} {}", if files == 1 { "file" } else { "files" })
    }

    fn remarks(&self) -> String {
        match (self.binary, self.excluded) {
            (0, 0) => String::new(),
            (binary, 0) => format!(" ({binary} binary)"),
            (0, excluded) => format!(" ({excluded} excluded)"),
            (binary, excluded) => format!(" ({binary} binary, {excluded} excluded)"),
        }
    }
}

fn finding(path: &str, remains: Remains) -> Finding {
    let (rule, line, message) = match remains {
        Remains::Conflict { first, last } => (
            CONFLICT,
            first,
            format!("a merge conflict is left here, up to line {last}"),
        ),
        Remains::Beginning { line } => (
            LEFTOVER,
            line,
            "the line begins a merge conflict that has no end".to_owned(),
        ),
        Remains::End { line } => (
            LEFTOVER,
            line,
            "the line ends a merge conflict that has no beginning".to_owned(),
        ),
    };
    Finding::error(rule, message).at(path, line, Some(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::read;

    const BAD: &[u8] = b"x\n<<<<<<< a\n=======\n>>>>>>> b\n";

    #[test]
    fn a_conflict_fails_and_none_passes() {
        let config = read("{}").unwrap();
        let mut report = Report::new(&config);
        report.file("a", BAD);
        report.file("b", b">>>>>>> c");
        let verdict = report.verdict().unwrap();
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert_eq!(verdict.summary, "2 conflicts are left in 2 files");
        let first = verdict.findings[0].at.as_ref().unwrap();
        assert_eq!(
            (first.path.as_str(), first.line, first.column),
            ("a", Some(2), Some(1))
        );
        assert_eq!(verdict.findings[1].rule, LEFTOVER);

        let mut report = Report::new(&config);
        report.file("a", b"Title\n=======\n");
        report.binary();
        report.excluded();
        let verdict = report.verdict().unwrap();
        assert_eq!(verdict.outcome, Outcome::Pass);
        assert_eq!(
            verdict.summary,
            "no conflict is left in 1 file (1 binary, 1 excluded)"
        );
    }

    #[test]
    fn what_may_not_be_read_blocks_a_pass_and_not_a_failure() {
        let config = read("{}").unwrap();
        let mut report = Report::new(&config);
        report.unreadable("hidden");
        assert!(matches!(report.verdict(), Err(Error::Blocked(text)) if text.contains("(hidden)")));
        let mut report = Report::new(&config);
        report.unreadable("hidden");
        report.file("a", BAD);
        let verdict = report.verdict().unwrap();
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert_eq!(verdict.findings[1].rule, UNREADABLE);
    }

    #[test]
    fn the_list_of_findings_ends_and_the_count_does_not() {
        let config = read(r#"{"max_findings":2}"#).unwrap();
        let mut report = Report::new(&config);
        report.file("a", &BAD.repeat(5));
        let verdict = report.verdict().unwrap();
        assert_eq!(
            (verdict.findings.len(), verdict.findings[2].message.as_str()),
            (3, "and 3 more")
        );
        assert_eq!(verdict.summary, "5 conflicts are left in 1 file");
    }

    #[test]
    fn the_manifest_is_well_formed() {
        let manifest =
            leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
        assert!(manifest.complete && manifest.quote);
    }
}
