//! The configuration.

use leasehold_plugin::gate::{Error, Subject};
use leasehold_plugin::pattern::Pattern;
use serde::Deserialize;

/// What is looked for, and where. A value of this type is consistent.
#[derive(Debug)]
pub(crate) struct Config {
    include: Vec<Pattern>,
    /// Files that are not looked into.
    pub(crate) exclude: Vec<Pattern>,
    /// How many signs a marker has.
    pub(crate) marker_size: usize,
    /// The most findings that are listed.
    pub(crate) max_findings: usize,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    include: Option<Vec<Pattern>>,
    #[serde(default)]
    exclude: Vec<Pattern>,
    marker_size: Option<usize>,
    max_findings: Option<usize>,
}

impl Config {
    /// Reads the configuration of a call. None at all means the defaults.
    pub(crate) fn from_subject(subject: &Subject) -> Result<Self, Error> {
        let written: Option<Written> = subject.configuration()?;
        Self::new(written.unwrap_or_default()).map_err(Error::Config)
    }

    fn new(written: Written) -> Result<Self, String> {
        let include = match written.include {
            None => vec![Pattern::parse("**")?],
            Some(include) if include.is_empty() => {
                return Err("include is empty: nothing would be judged".to_owned());
            }
            Some(include) => include,
        };
        let marker_size = written.marker_size.unwrap_or(7);
        if marker_size < 3 {
            return Err("a marker has at least 3 signs".to_owned());
        }
        Ok(Self {
            include,
            exclude: written.exclude,
            marker_size,
            max_findings: written.max_findings.unwrap_or(500),
        })
    }

    /// The patterns of what is looked at.
    pub(crate) fn include(&self) -> Vec<&str> {
        self.include.iter().map(Pattern::as_str).collect()
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
    fn what_is_not_said_has_a_default() {
        for config in ["null", "{}"] {
            let config = read(config).unwrap();
            assert_eq!(
                (config.include(), config.marker_size, config.max_findings),
                (vec!["**"], 7, 500)
            );
        }
    }

    #[test]
    fn a_configuration_that_makes_no_sense_is_refused() {
        for (config, word) in [
            (r#"{"include":[]}"#, "include is empty"),
            (r#"{"exclude":["a**"]}"#, "**"),
            (r#"{"marker_size":2}"#, "3 signs"),
            (r#"{"size":7}"#, "size"),
        ] {
            match read(config) {
                Err(Error::Config(text)) => assert!(text.contains(word), "{config}: {text}"),
                other => panic!("{config}: {other:?}"),
            }
        }
    }
}
