//! The configuration.

use std::collections::BTreeMap;

use leasehold_plugin::gate::{Error, Subject};
use leasehold_plugin::pattern::Pattern;
use serde::Deserialize;
use serde_json::Value;

/// What to check. A value of this type is consistent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) checks: Vec<Check>,
    /// Patterns of files that no check looks at.
    #[serde(default)]
    pub(crate) exclude: Vec<Pattern>,
    /// Beginnings of URIs, and the paths in the workspace that stand for them.
    #[serde(default)]
    pub(crate) ids: BTreeMap<String, String>,
    /// Whether `format` is checked.
    #[serde(default)]
    pub(crate) formats: bool,
    /// Whether it is fine that a check finds no file.
    #[serde(default)]
    pub(crate) allow_none: bool,
}

/// Some files and their schema.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    pub(crate) files: Vec<String>,
    #[serde(default)]
    pub(crate) exclude: Vec<Pattern>,
    /// A string is a path, anything else is the schema itself.
    pub(crate) schema: Value,
}

impl Config {
    /// Reads the configuration of a call.
    pub(crate) fn from_subject(subject: &Subject) -> Result<Self, Error> {
        let config: Self = subject.configuration()?;
        if config.checks.is_empty() {
            return Err(Error::Config("there are no checks".to_owned()));
        }
        for (index, check) in config.checks.iter().enumerate() {
            if check.files.is_empty() {
                return Err(Error::Config(format!("check {index} names no files")));
            }
            if !matches!(
                check.schema,
                Value::String(_) | Value::Object(_) | Value::Bool(_)
            ) {
                let message = format!("the schema of check {index} is neither a path nor a schema");
                return Err(Error::Config(message));
            }
        }
        Ok(config)
    }
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
    fn a_schema_is_a_path_or_a_schema() {
        for schema in [r#""a.json""#, "{}", "true"] {
            let config = read(&format!(
                r#"{{"checks":[{{"files":["*"],"schema":{schema}}}]}}"#
            ));
            assert!(config.is_ok(), "{schema}");
        }
    }

    #[test]
    fn a_configuration_that_makes_no_sense_is_refused() {
        for (config, word) in [
            ("null", "null"),
            ("{}", "checks"),
            (r#"{"checks":[]}"#, "no checks"),
            (r#"{"checks":[{"files":[],"schema":true}]}"#, "check 0"),
            (r#"{"checks":[{"files":["*"]}]}"#, "schema"),
            (r#"{"checks":[{"files":["*"],"schema":7}]}"#, "check 0"),
            (r#"{"checks":[{"files":["*"],"schema":null}]}"#, "check 0"),
            (
                r#"{"checks":[{"files":["*"],"schema":{},"strict":true}]}"#,
                "unknown field",
            ),
        ] {
            match read(config) {
                Err(Error::Config(text)) => assert!(text.contains(word), "{config}: {text}"),
                other => panic!("{config}: {other:?}"),
            }
        }
    }
}
