//! The configuration.

use leasehold_plugin::gate::{Error, Subject};
use serde::Deserialize;

/// What to look at and what to demand besides the form.
#[derive(Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The changelog.
    pub(crate) file: String,
    /// A `Cargo.toml` or `package.json` whose version must have an entry.
    pub(crate) version_file: Option<String>,
    /// Whether there must be an entry for what is not released.
    pub(crate) unreleased: bool,
    /// Whether each entry must have a link reference.
    pub(crate) links: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            file: "CHANGELOG.md".to_owned(),
            version_file: None,
            unreleased: true,
            links: false,
        }
    }
}

impl Config {
    /// Reads the configuration of a call. None at all is the default.
    pub(crate) fn from_subject(subject: &Subject) -> Result<Self, Error> {
        let config = subject.configuration::<Option<Self>>()?.unwrap_or_default();
        if let Some(path) = &config.version_file
            && !matches!(path.rsplit('/').next(), Some("Cargo.toml" | "package.json"))
        {
            let message =
                format!("version_file is {path:?}, but must be a Cargo.toml or a package.json");
            return Err(Error::Config(message));
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
    fn everything_has_a_default() {
        assert_eq!(read("null").unwrap(), Config::default());
        assert_eq!(read("{}").unwrap(), Config::default());
        assert!(
            read(r#"{"links":true,"version_file":"a/Cargo.toml"}"#)
                .unwrap()
                .links
        );
    }

    #[test]
    fn a_configuration_that_makes_no_sense_is_refused() {
        for (config, word) in [
            (r#"{"version_file":"setup.py"}"#, "setup.py"),
            (r#"{"version_file":"notCargo.toml"}"#, "notCargo.toml"),
            (r#"{"links":"yes"}"#, "boolean"),
            (r#"{"title":"x"}"#, "unknown field"),
        ] {
            match read(config) {
                Err(Error::Config(text)) => assert!(text.contains(word), "{config}: {text}"),
                other => panic!("{config}: {other:?}"),
            }
        }
    }
}
