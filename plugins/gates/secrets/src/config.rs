//! The configuration.

use std::collections::BTreeMap;

use leasehold_plugin::gate::{Error, Subject};
use leasehold_plugin::pattern::Pattern;
use secrets_scan::{Rule, Rules, Settings};
use serde::Deserialize;

/// What is looked for, and where. A value of this type is consistent.
pub(crate) struct Config {
    include: Vec<Pattern>,
    /// Files that are not looked into.
    pub(crate) exclude: Vec<Pattern>,
    /// What counts as a secret in text.
    pub(crate) rules: Rules,
    /// What counts as one in a file that is no text: what has a shape of its own.
    pub(crate) binary_rules: Rules,
    /// The largest file that is looked into, in bytes.
    pub(crate) max_file_bytes: u64,
    /// Secrets that may be there.
    pub(crate) allow: Vec<Allow>,
    /// The most findings of each level that are listed: in all, and of one file.
    pub(crate) max_findings: usize,
    pub(crate) max_findings_per_file: usize,
}

/// Secrets that may be there: those to which everything that is said applies.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allow {
    path: Option<Pattern>,
    rule: Option<String>,
    fingerprint: Option<String>,
    /// For a person.
    #[serde(rename = "why")]
    _why: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    include: Option<Vec<Pattern>>,
    #[serde(default)]
    exclude: Vec<Pattern>,
    #[serde(default)]
    rules: BTreeMap<String, bool>,
    min_entropy: Option<u32>,
    #[serde(default)]
    test_vectors: Vec<String>,
    max_file_bytes: Option<u64>,
    #[serde(default)]
    allow: Vec<Allow>,
    max_findings: Option<usize>,
    max_findings_per_file: Option<usize>,
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
        if let Some(name) = written
            .rules
            .keys()
            .find(|name| Rule::named(name).is_none())
        {
            return Err(format!("there is no rule {name:?}"));
        }
        let defaults = Settings::default();
        let off = written.rules.into_iter().filter(|(_, on)| !on);
        let settings = Settings {
            off: off.map(|(name, _)| name).collect(),
            min_entropy: written.min_entropy.unwrap_or(defaults.min_entropy),
            test_vectors: written.test_vectors,
        };
        for allow in &written.allow {
            allow.check()?;
        }
        let mut shapes = settings.clone();
        // What is assigned to a name is guessed by how random it looks, and so does everything in a binary file.
        shapes
            .off
            .extend(["assignment", "url-password"].map(str::to_owned));
        Ok(Self {
            include,
            exclude: written.exclude,
            rules: Rules::new(settings)?,
            binary_rules: Rules::new(shapes)?,
            max_file_bytes: written.max_file_bytes.unwrap_or(16 << 20),
            allow: written.allow,
            max_findings: written.max_findings.unwrap_or(500),
            max_findings_per_file: written.max_findings_per_file.unwrap_or(20),
        })
    }

    /// The patterns of what is looked at.
    pub(crate) fn include(&self) -> Vec<&str> {
        self.include.iter().map(Pattern::as_str).collect()
    }
}

impl Allow {
    /// Whether it applies.
    pub(crate) fn applies(&self, path: &str, rule: &Rule, fingerprint: &str) -> bool {
        self.path
            .as_ref()
            .is_none_or(|pattern| pattern.matches(path))
            && self.rule.as_deref().is_none_or(|name| name == rule.name)
            && self
                .fingerprint
                .as_deref()
                .is_none_or(|known| known == fingerprint)
    }

    /// What it says, in words.
    pub(crate) fn sentence(&self) -> String {
        let path = self.path.as_ref().map(|pattern| format!("path {pattern}"));
        let rule = self.rule.as_ref().map(|name| format!("rule {name}"));
        let fingerprint = self
            .fingerprint
            .as_ref()
            .map(|known| format!("fingerprint {known}"));
        let parts: Vec<String> = [path, rule, fingerprint].into_iter().flatten().collect();
        parts.join(", ")
    }

    fn check(&self) -> Result<(), String> {
        if self.path.is_none() && self.fingerprint.is_none() {
            return Err(
                "what is allowed needs a path or a fingerprint; a rule is switched off in `rules`"
                    .to_owned(),
            );
        }
        if let Some(name) = &self.rule
            && Rule::named(name).is_none()
        {
            return Err(format!("there is no rule {name:?}"));
        }
        match &self.fingerprint {
            Some(text) if !is_digest(text) => Err(format!(
                "{text:?} is no fingerprint: sha256: and 64 hexadecimal digits"
            )),
            _ => Ok(()),
        }
    }
}

fn is_digest(text: &str) -> bool {
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.strip_prefix("sha256:")
        .is_some_and(|digits| digits.len() == 64 && digits.bytes().all(hex))
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
            assert_eq!(config.include(), ["**"]);
            assert_eq!(
                (
                    config.max_file_bytes,
                    config.max_findings,
                    config.max_findings_per_file
                ),
                (16 << 20, 500, 20)
            );
        }
    }

    #[test]
    fn a_configuration_that_makes_no_sense_is_refused() {
        for (config, word) in [
            (r#"{"include":[]}"#, "include is empty"),
            (r#"{"exclude":["/a"]}"#, "absolute"),
            (r#"{"exclude":["a/../b"]}"#, "dots"),
            (r#"{"rules":{"no-such":false}}"#, "no-such"),
            (r#"{"rules":{"jwt":1}}"#, "boolean"),
            (r#"{"min_entropy":601}"#, "600"),
            (r#"{"min_entropy":3.5}"#, "3.5"),
            (r#"{"test_vectors":["a"]}"#, "4 bytes"),
            (r#"{"allow":[{}]}"#, "path or a fingerprint"),
            (r#"{"allow":[{"rule":"jwt"}]}"#, "path or a fingerprint"),
            (r#"{"allow":[{"path":"a","rule":"x"}]}"#, "no rule"),
            (
                r#"{"allow":[{"fingerprint":"sha256:12"}]}"#,
                "no fingerprint",
            ),
            (r#"{"allow":[{"path":"a","line":1}]}"#, "line"),
            (r#"{"includes":[]}"#, "includes"),
        ] {
            match read(config) {
                Err(Error::Config(text)) => assert!(text.contains(word), "{config}: {text}"),
                Err(other) => panic!("{config}: {other:?}"),
                Ok(_) => panic!("{config} was read"),
            }
        }
    }
}
