//! The configuration.

use leasehold_plugin::gate::{Error, Subject};
use leasehold_plugin::pattern::{Pattern, any_matches};
use serde::Deserialize;

/// How large files may be. A value of this type is consistent.
#[derive(Debug)]
pub(crate) struct Config {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    max_bytes: u64,
    overrides: Vec<Override>,
    /// The most bytes of all files together, where there is such a bound.
    pub(crate) max_total_bytes: Option<u64>,
    /// The most findings that are listed.
    pub(crate) max_findings: usize,
}

/// Another bound for some files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Override {
    pattern: Pattern,
    max_bytes: u64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    include: Option<Vec<Pattern>>,
    #[serde(default)]
    exclude: Vec<Pattern>,
    max_bytes: Option<u64>,
    #[serde(default)]
    overrides: Vec<Override>,
    max_total_bytes: Option<u64>,
    max_findings: Option<usize>,
}

impl Config {
    /// Reads the configuration of a call. None at all means the defaults.
    pub(crate) fn from_subject(subject: &Subject) -> Result<Self, Error> {
        let written: Option<Written> = subject.configuration()?;
        let written = written.unwrap_or_default();
        let include = match written.include {
            None => vec![Pattern::parse("**").map_err(Error::Config)?],
            Some(include) if include.is_empty() => {
                return Err(Error::Config(
                    "include is empty: nothing would be judged".to_owned(),
                ));
            }
            Some(include) => include,
        };
        Ok(Self {
            include,
            exclude: written.exclude,
            max_bytes: written.max_bytes.unwrap_or(1 << 20),
            overrides: written.overrides,
            max_total_bytes: written.max_total_bytes,
            max_findings: written.max_findings.unwrap_or(500),
        })
    }

    /// The patterns of what is looked at.
    pub(crate) fn include(&self) -> Vec<&str> {
        self.include.iter().map(Pattern::as_str).collect()
    }

    /// Whether a file is left out.
    pub(crate) fn excludes(&self, path: &str) -> bool {
        any_matches(&self.exclude, path)
    }

    /// The most bytes that this file may have: the first override that matches holds.
    pub(crate) fn bound(&self, path: &str) -> u64 {
        let other = self
            .overrides
            .iter()
            .find(|other| other.pattern.matches(path));
        other.map_or(self.max_bytes, |other| other.max_bytes)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn read(config: &str) -> Result<Config, Error> {
        Config::from_subject(&Subject {
            config: config.to_owned(),
            changed: None,
            inputs: Vec::new(),
        })
    }

    #[test]
    fn the_first_override_that_matches_holds() {
        let config = read(
            r#"{"max_bytes":10,"overrides":[{"pattern":"a/b","max_bytes":1},{"pattern":"a/*","max_bytes":20}]}"#,
        )
        .unwrap();
        assert_eq!(
            ["a/b", "a/c", "c"].map(|path| config.bound(path)),
            [1, 20, 10]
        );
        assert_eq!(read("null").unwrap().bound("x"), 1 << 20);
    }

    #[test]
    fn a_configuration_that_makes_no_sense_is_refused() {
        for (config, word) in [
            (r#"{"include":[]}"#, "include is empty"),
            (r#"{"exclude":["../a"]}"#, "dots"),
            (r#"{"max_bytes":-1}"#, "-1"),
            (r#"{"overrides":[{"pattern":"a"}]}"#, "max_bytes"),
            (r#"{"max":1}"#, "max"),
        ] {
            match read(config) {
                Err(Error::Config(text)) => assert!(text.contains(word), "{config}: {text}"),
                other => panic!("{config}: {other:?}"),
            }
        }
    }
}
