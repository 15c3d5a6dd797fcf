//! The configuration.

use leasehold_plugin::gate::{Error, Subject};
use leasehold_plugin::pattern::Pattern;
use serde::Deserialize;

use crate::comment::Style;
use crate::header::{Line, parse};

/// What is demanded of which files. A value of this type is consistent.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) rules: Vec<Rule>,
    /// Patterns of files that no rule looks at.
    pub(crate) exclude: Vec<Pattern>,
    /// Whether it is fine that no file fits any rule.
    pub(crate) allow_none: bool,
}

/// What is demanded of some files.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) files: Vec<String>,
    pub(crate) exclude: Vec<Pattern>,
    pub(crate) demand: Demand,
    /// How the files write comments, where that is not left to the extension.
    pub(crate) style: Option<Style>,
}

/// With what a file must begin.
#[derive(Debug)]
pub(crate) enum Demand {
    /// The first comment begins with these lines.
    Header(Vec<Line>, Years),
    /// The first comments hold an SPDX line with this expression.
    Spdx(String),
}

/// The years that a header may name, both included.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Years {
    #[serde(default = "first_year")]
    pub(crate) from: u16,
    #[serde(default = "last_year")]
    pub(crate) to: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    rules: Vec<WrittenRule>,
    #[serde(default)]
    exclude: Vec<Pattern>,
    #[serde(default)]
    allow_none: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    files: Vec<String>,
    #[serde(default)]
    exclude: Vec<Pattern>,
    header: Option<Vec<String>>,
    spdx: Option<String>,
    holder: Option<String>,
    years: Option<Years>,
    comment: Option<Style>,
}

impl Config {
    /// Reads the configuration of a call.
    pub(crate) fn from_subject(subject: &Subject) -> Result<Self, Error> {
        let written: Written = subject.configuration()?;
        if written.rules.is_empty() {
            return Err(Error::Config("there are no rules".to_owned()));
        }
        let rules = written.rules.into_iter().enumerate().map(|(index, rule)| {
            rule.understand()
                .map_err(|reason| Error::Config(format!("rule {index}: {reason}")))
        });
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
            exclude: written.exclude,
            allow_none: written.allow_none,
        })
    }
}

impl WrittenRule {
    fn understand(self) -> Result<Rule, String> {
        if self.files.is_empty() {
            return Err("it names no files".to_owned());
        }
        let demand = match (self.header, self.spdx) {
            (Some(lines), None) => header(
                &lines,
                self.holder.as_deref(),
                self.years.unwrap_or_default(),
            )?,
            (None, Some(expression)) => {
                if self.holder.is_some() || self.years.is_some() {
                    return Err("holder and years belong to a header".to_owned());
                }
                spdx(&expression)?
            }
            _ => return Err("it needs either a header or an spdx expression".to_owned()),
        };
        Ok(Rule {
            files: self.files,
            exclude: self.exclude,
            demand,
            style: self.comment,
        })
    }
}

fn header(lines: &[String], holder: Option<&str>, years: Years) -> Result<Demand, String> {
    if years.from > years.to {
        return Err(format!("no year is from {} to {}", years.from, years.to));
    }
    let lines = lines
        .iter()
        .map(|line| parse(line, holder))
        .collect::<Result<Vec<_>, _>>()?;
    // Blank comment lines at the start are not compared, so they cannot be demanded.
    if lines.first().is_none_or(Line::is_blank) {
        return Err("the first line of the header is empty".to_owned());
    }
    Ok(Demand::Header(lines, years))
}

fn spdx(expression: &str) -> Result<Demand, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-.+:() ".contains(&byte);
    if expression.trim().is_empty() || !expression.bytes().all(fits) {
        return Err(format!("{expression:?} is not a licence expression"));
    }
    Ok(Demand::Spdx(
        expression.split_whitespace().collect::<Vec<_>>().join(" "),
    ))
}

impl Default for Years {
    fn default() -> Self {
        Self {
            from: first_year(),
            to: last_year(),
        }
    }
}

fn first_year() -> u16 {
    1000
}

fn last_year() -> u16 {
    9999
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
    fn both_kinds_of_rule_are_read() {
        let config = read(
            r##"{"rules":[{"files":["**/*.rs"],"spdx":" MIT  OR Apache-2.0"},
                {"files":["**/*.py"],"exclude":["vendor/**"],"header":["Copyright {year} {holder}"],"holder":"A","years":{"from":2020},
                 "comment":"#"}]}"##,
        )
        .unwrap();
        assert!(
            matches!(&config.rules[0].demand, Demand::Spdx(text) if text == "MIT OR Apache-2.0")
        );
        assert!(matches!(
            &config.rules[1].demand,
            Demand::Header(lines, Years { from: 2020, to: 9999 }) if lines.len() == 1
        ));
        assert_eq!(config.rules[1].style, Some(Style::Hash));
        assert!(config.exclude.is_empty() && !config.allow_none);
    }

    #[test]
    fn a_configuration_that_makes_no_sense_is_refused() {
        let rule = |rest: &str| format!(r#"{{"rules":[{{"files":["**"]{rest}}}]}}"#);
        for (config, word) in [
            ("null".to_owned(), "null"),
            ("{}".to_owned(), "rules"),
            (r#"{"rules":[]}"#.to_owned(), "no rules"),
            (
                r#"{"rules":[{"files":[],"spdx":"MIT"}]}"#.to_owned(),
                "no files",
            ),
            (rule(""), "either"),
            (rule(r#","spdx":"MIT","header":["x"]"#), "either"),
            (rule(r#","spdx":"MIT","holder":"x""#), "belong"),
            (rule(r#","spdx":" ""#), "licence expression"),
            (rule(r#","spdx":"MIT; x""#), "licence expression"),
            (rule(r#","header":[]"#), "empty"),
            (rule(r#","header":["",  "x"]"#), "empty"),
            (rule(r#","header":["by {holder}"]"#), "holder"),
            (rule(r#","header":["by {author}"]"#), "{author}"),
            (
                rule(r#","header":["{year}"],"years":{"from":2025,"to":2024}"#),
                "2025",
            ),
            (rule(r#","header":["x"],"comment":"??""#), "??"),
            (rule(r#","header":["x"],"colour":1"#), "unknown field"),
        ] {
            match read(&config) {
                Err(Error::Config(text)) => assert!(text.contains(word), "{config}: {text}"),
                other => panic!("{config}: {other:?}"),
            }
        }
    }
}
