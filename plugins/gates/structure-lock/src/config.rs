//! The configuration.

use std::collections::BTreeMap;

use leasehold_plugin::gate::{Error, Subject};
use serde::Deserialize;

/// What the root must and may hold. A value of this type is consistent.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Config {
    /// Directories that must be there, sorted.
    pub(crate) roots: Vec<String>,
    /// Files that must be there, sorted.
    pub(crate) files: Vec<String>,
    /// Names that may be there, sorted.
    pub(crate) exceptions: Vec<String>,
    /// Whether the evidence is attached to the call.
    pub(crate) evidence: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    roots: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    exceptions: Vec<String>,
    #[serde(default = "yes")]
    evidence: bool,
}

impl Config {
    /// Reads the configuration of a call.
    pub(crate) fn from_subject(subject: &Subject) -> Result<Self, Error> {
        let written: Written = subject.configuration()?;
        let config = Self {
            roots: sorted(written.roots),
            files: sorted(written.files),
            exceptions: sorted(written.exceptions),
            evidence: written.evidence,
        };
        config.check().map_err(Error::Config)?;
        Ok(config)
    }

    /// How many entries must be there.
    pub(crate) fn required(&self) -> usize {
        self.roots.len() + self.files.len()
    }

    fn check(&self) -> Result<(), String> {
        if self.required() == 0 {
            return Err("the list is empty: a lock needs at least one entry".to_owned());
        }
        let mut seen = BTreeMap::new();
        for name in self.roots.iter().chain(&self.files).chain(&self.exceptions) {
            if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
                return Err(format!("{name:?} is not the name of an entry at the root"));
            }
            // Two names that differ in case only cannot both be checked on every file system, and one of them is a mistake.
            if let Some(other) = seen.insert(name.to_lowercase(), name) {
                return Err(format!("{other:?} and {name:?} are the same name"));
            }
        }
        Ok(())
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(config: &str) -> Result<Config, Error> {
        Config::from_subject(&Subject {
            config: config.to_owned(),
            changed: None,
            inputs: Vec::new(),
        })
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let config = read(r#"{"roots":["b","a"]}"#).unwrap();
        assert_eq!(config.roots, ["a", "b"]);
        assert!(config.files.is_empty() && config.exceptions.is_empty() && config.evidence);
    }

    #[test]
    fn a_configuration_that_makes_no_sense_is_refused() {
        for (config, word) in [
            ("null", "null"),
            ("{}", "roots"),
            (r#"{"roots":[]}"#, "empty"),
            (r#"{"roots":["a","a"]}"#, "same name"),
            (r#"{"roots":["a"],"exceptions":["A"]}"#, "same name"),
            (r#"{"roots":["a/b"]}"#, "a/b"),
            (r#"{"roots":[".."]}"#, ".."),
            (r#"{"roots":["."]}"#, "."),
            (r#"{"roots":[""]}"#, "name"),
            (r#"{"roots":["a"],"root":[]}"#, "unknown field"),
            (r#"{"roots":[1]}"#, "string"),
        ] {
            match read(config) {
                Err(Error::Config(text)) => assert!(text.contains(word), "{config}: {text}"),
                other => panic!("{config}: {other:?}"),
            }
        }
    }
}
