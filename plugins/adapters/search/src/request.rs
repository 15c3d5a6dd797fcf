//! The arguments of the tool. The host has checked them against the schema; what a schema cannot say is checked here.

use leasehold_plugin::adapter::Error;
use memchr::memmem::Finder;
use regex_lite::{Regex, RegexBuilder};
use serde::Deserialize;

/// Matches that are wanted when nothing is said.
const MAX_RESULTS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    text: Option<String>,
    pattern: Option<String>,
    files: Option<Vec<String>>,
    case_sensitive: Option<bool>,
    max_results: Option<usize>,
}

/// What is looked for.
pub(crate) enum Needle<'a> {
    /// These very bytes.
    Text(Box<Finder<'a>>),
    /// A regular expression, tried on each line.
    Pattern(Regex),
}

impl Request {
    pub(crate) fn needle(&self) -> Result<Needle<'_>, Error> {
        let case_sensitive = self.case_sensitive.unwrap_or(true);
        match (&self.text, &self.pattern) {
            (Some(text), None) if text.is_empty() || text.contains('\n') => Err(Error::Arguments(
                "the text must be some characters on one line".to_owned(),
            )),
            (Some(text), None) if case_sensitive => Ok(Needle::Text(Box::new(Finder::new(text)))),
            (Some(text), None) => expression(&regex_lite::escape(text), false),
            (None, Some(pattern)) => expression(pattern, case_sensitive),
            _ => Err(Error::Arguments(
                "either a text or a pattern is needed".to_owned(),
            )),
        }
    }

    pub(crate) fn files(&self) -> Vec<&str> {
        match &self.files {
            Some(files) => files.iter().map(String::as_str).collect(),
            None => vec!["**"],
        }
    }

    pub(crate) fn max_results(&self) -> usize {
        self.max_results.unwrap_or(MAX_RESULTS)
    }
}

fn expression(pattern: &str, case_sensitive: bool) -> Result<Needle<'static>, Error> {
    let built = RegexBuilder::new(pattern)
        .case_insensitive(!case_sensitive)
        .build();
    built
        .map(Needle::Pattern)
        .map_err(|error| Error::Arguments(format!("pattern: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Result<Request, Error> {
        leasehold_plugin::adapter::arguments(text)
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let request = request(r#"{"text":"x"}"#).unwrap();
        assert_eq!(request.files(), ["**"]);
        assert_eq!(request.max_results(), 100);
        assert!(matches!(request.needle(), Ok(Needle::Text(_))));
    }

    #[test]
    fn arguments_that_make_no_sense_are_refused() {
        for text in [
            "{}",
            r#"{"text":"a","pattern":"b"}"#,
            r#"{"text":""}"#,
            r#"{"text":"a\nb"}"#,
            r#"{"pattern":"("}"#,
            r#"{"pattern":"a{9999}{9999}"}"#,
        ] {
            assert!(
                matches!(request(text).unwrap().needle(), Err(Error::Arguments(_))),
                "{text}"
            );
        }
        assert!(matches!(
            request(r#"{"text":"a","path":"b"}"#),
            Err(Error::Arguments(_))
        ));
    }
}
