//! The sizes, and what is said of them.

use leasehold_plugin::gate::{Error, Finding, Level, Outcome, Verdict};
use leasehold_plugin::workspace::{Entry, Kind};

use crate::config::Config;

const TOO_LARGE: &str = "large-file/too-large";
const TOTAL: &str = "large-file/total";
const UNKNOWN: &str = "large-file/unknown";
const MORE: &str = "large-file/more";

/// What was seen so far.
pub(crate) struct Sizes<'a> {
    config: &'a Config,
    files: u64,
    total: u64,
    /// Files that are too large, and files whose size the host does not tell.
    large: Vec<Finding>,
    unknown: Vec<Finding>,
}

impl<'a> Sizes<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        Self {
            config,
            files: 0,
            total: 0,
            large: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// Looks at an entry of the listing. A symbolic link has no size of its own; what it leads to has one where it is.
    pub(crate) fn add(&mut self, entry: &Entry) {
        let path = entry.path.as_str();
        if entry.kind != Kind::File || self.config.excludes(path) {
            return;
        }
        if !entry.readable {
            // The host says 0 for it, which must not be taken for a small file.
            let message = "the lease does not allow to read the file, so its size is not known";
            self.unknown
                .push(Finding::warning(UNKNOWN, message).in_path(path));
            return;
        }
        self.files += 1;
        self.total = self.total.saturating_add(entry.size);
        let bound = self.config.bound(path);
        if entry.size > bound {
            let message = format!("{} bytes are more than {bound}", entry.size);
            let finding = Finding::error(TOO_LARGE, message).in_path(path);
            self.large
                .push(finding.with_fingerprint(format!("{TOO_LARGE}:{path}")));
        }
    }

    /// The verdict. A size that is not known keeps the gate from passing, but not from failing.
    pub(crate) fn verdict(self) -> Result<Verdict, Error> {
        let total = self
            .config
            .max_total_bytes
            .filter(|most| self.total > *most);
        if self.large.is_empty() && total.is_none() {
            if let Some(path) = self.unknown.first().and_then(|finding| finding.at.as_ref()) {
                return Err(Error::Blocked(format!(
                    "the sizes of {} listed files are not known, since the lease does not allow to read them ({})",
                    self.unknown.len(),
                    path.path
                )));
            }
            return Ok(Verdict::pass(format!(
                "none of {} files is too large",
                self.files
            )));
        }
        let summary = match self.large.len() {
            0 => format!("{} files together are too large", self.files),
            1 => format!("1 of {} files is too large", self.files),
            count => format!("{count} of {} files are too large", self.files),
        };
        let most = self.config.max_findings;
        let more = (self.large.len() + self.unknown.len()).saturating_sub(most);
        let mut findings: Vec<Finding> = self
            .large
            .into_iter()
            .chain(self.unknown)
            .take(most)
            .collect();
        if let Some(bound) = total {
            let message = format!(
                "all files together have {} bytes, more than {bound}",
                self.total
            );
            findings.push(Finding::error(TOTAL, message).with_fingerprint(TOTAL));
        }
        if more > 0 {
            findings.push(Finding::new(Level::Note, MORE, format!("and {more} more")));
        }
        Ok(Verdict::new(Outcome::Fail, summary, findings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::read;

    fn entry(path: &str, kind: Kind, size: u64, readable: bool) -> Entry {
        Entry {
            path: path.to_owned(),
            kind,
            size,
            executable: false,
            readable,
        }
    }

    fn judge(config: &str, entries: &[Entry]) -> Result<Verdict, Error> {
        let config = read(config)?;
        let mut sizes = Sizes::new(&config);
        for entry in entries {
            sizes.add(entry);
        }
        sizes.verdict()
    }

    fn file(path: &str, size: u64) -> Entry {
        entry(path, Kind::File, size, true)
    }

    fn rules(verdict: &Verdict) -> Vec<(&str, &str)> {
        verdict
            .findings
            .iter()
            .map(|finding| {
                let at = finding.at.as_ref().map_or("", |at| at.path.as_str());
                (finding.rule.as_str(), at)
            })
            .collect()
    }

    #[test]
    fn a_file_may_have_as_much_as_is_allowed_and_no_more() {
        let good = judge("{}", &[file("a", 1 << 20), file("b", 0)]).unwrap();
        assert_eq!(
            (good.outcome, good.summary.as_str()),
            (Outcome::Pass, "none of 2 files is too large")
        );
        let bad = judge("null", &[file("a", (1 << 20) + 1)]).unwrap();
        assert_eq!(bad.outcome, Outcome::Fail);
        assert_eq!(rules(&bad), [(TOO_LARGE, "a")]);
        assert_eq!(
            bad.findings[0].message,
            "1048577 bytes are more than 1048576"
        );
    }

    #[test]
    fn what_is_left_out_and_what_is_no_file_does_not_count() {
        let config = r#"{"max_bytes":1,"max_total_bytes":1,"exclude":["vendor/**"]}"#;
        let entries = [
            file("vendor/a", 9),
            entry("link", Kind::Symlink, 9, true),
            entry("directory", Kind::Directory, 9, true),
            file("b", 1),
        ];
        assert_eq!(judge(config, &entries).unwrap().outcome, Outcome::Pass);
        let config = r#"{"max_bytes":1,"max_total_bytes":1}"#;
        assert_eq!(judge(config, &entries).unwrap().outcome, Outcome::Fail);
    }

    #[test]
    fn all_together_may_be_too_large() {
        let config = r#"{"max_total_bytes":10}"#;
        assert_eq!(
            judge(config, &[file("a", 5), file("b", 5)])
                .unwrap()
                .outcome,
            Outcome::Pass
        );
        let bad = judge(config, &[file("a", 5), file("b", 6)]).unwrap();
        assert_eq!(bad.outcome, Outcome::Fail);
        assert_eq!(rules(&bad), [(TOTAL, "")]);
        let huge = judge(config, &[file("a", u64::MAX), file("b", u64::MAX)]).unwrap();
        assert_eq!(huge.outcome, Outcome::Fail);
    }

    #[test]
    fn a_size_that_is_not_known_blocks_a_pass_and_not_a_failure() {
        let hidden = entry("hidden", Kind::File, 0, false);
        match judge("{}", &[hidden.clone(), file("a", 1)]) {
            Err(Error::Blocked(text)) => assert!(text.contains("(hidden)"), "{text}"),
            other => panic!("{other:?}"),
        }
        let bad = judge(r#"{"max_bytes":1}"#, &[hidden.clone(), file("a", 2)]).unwrap();
        assert_eq!(rules(&bad), [(TOO_LARGE, "a"), (UNKNOWN, "hidden")]);
        let left_out = judge(r#"{"exclude":["hidden"]}"#, &[hidden, file("a", 1)]).unwrap();
        assert_eq!(left_out.outcome, Outcome::Pass);
    }

    #[test]
    fn the_list_of_findings_ends_and_the_count_does_not() {
        let entries: Vec<Entry> = (0..9).map(|index| file(&format!("f{index}"), 2)).collect();
        let bad = judge(r#"{"max_bytes":1,"max_findings":2}"#, &entries).unwrap();
        assert_eq!(bad.summary, "9 of 9 files are too large");
        assert_eq!(
            rules(&bad),
            [(TOO_LARGE, "f0"), (TOO_LARGE, "f1"), (MORE, "")]
        );
        assert_eq!(bad.findings[2].message, "and 7 more");
    }

    #[test]
    fn the_manifest_is_well_formed() {
        let manifest =
            leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
        assert!(manifest.complete);
        // Only a file that may be read has a size.
        assert_eq!(manifest.wants.read.len(), 1);
    }
}
