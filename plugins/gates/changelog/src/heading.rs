//! The headings of releases: `[Unreleased]` and `[1.2.3] - 2026-01-31`, with ` [YANKED]` where a release was withdrawn.

use semver::Version;

/// What a heading of the second level says.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Title {
    /// What is not released.
    Unreleased,
    /// A release.
    Release {
        /// Its version.
        version: Version,
        /// Its day.
        date: Date,
    },
    /// Something else; the sentence says what is wrong.
    Wrong(&'static str, String),
}

/// A day of the calendar, in ascending order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// Rule for a heading that has not the form of one.
pub(crate) const HEADING: &str = "changelog/heading";
/// Rule for a heading whose date is none.
pub(crate) const DATE: &str = "changelog/date";

impl Title {
    /// Reads the text after `## `.
    pub(crate) fn parse(text: &str) -> Self {
        if text == "[Unreleased]" {
            return Self::Unreleased;
        }
        let wrong = |message: &str| Self::Wrong(HEADING, message.to_owned());
        let Some((name, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']'))
        else {
            return wrong("a release is written `## [1.2.3] - 2026-01-31`, with brackets");
        };
        if name.eq_ignore_ascii_case("unreleased") {
            return wrong("what is not released is written `## [Unreleased]`, without a date");
        }
        let version = match Version::parse(name) {
            Ok(version) => version,
            Err(error) => {
                return Self::Wrong(
                    HEADING,
                    format!("{name:?} is not a semantic version: {error}"),
                );
            }
        };
        let Some(date) = rest.strip_prefix(" - ") else {
            return wrong("after the version stands ` - ` and the day of the release");
        };
        let date = date.strip_suffix(" [YANKED]").unwrap_or(date);
        match Date::parse(date) {
            Some(date) => Self::Release { version, date },
            None => Self::Wrong(DATE, format!("{date:?} is not a day as in 2026-01-31")),
        }
    }
}

impl Date {
    /// Reads `YYYY-MM-DD`, a day that exists.
    fn parse(text: &str) -> Option<Self> {
        let [year, month, day] = text.split('-').collect::<Vec<_>>().try_into().ok()?;
        let number = |text: &str, length: usize| {
            let digits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u16>().ok()).flatten()
        };
        let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (1..=days).contains(&day).then_some(Self {
            year,
            month: month as u8,
            day: day as u8,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_of_releases_are_read() {
        assert_eq!(Title::parse("[Unreleased]"), Title::Unreleased);
        for text in ["[1.2.3] - 2024-02-29", "[1.2.3] - 2024-02-29 [YANKED]"] {
            let Title::Release { version, date } = Title::parse(text) else {
                panic!("{text}");
            };
            assert_eq!(version, Version::new(1, 2, 3));
            assert_eq!((date.year, date.month, date.day), (2024, 2, 29));
        }
        assert!(matches!(
            Title::parse("[1.0.0-rc.1+5] - 2000-01-01"),
            Title::Release { .. }
        ));
    }

    #[test]
    fn other_headings_are_told_why_not() {
        for (text, rule, word) in [
            ("1.2.3 - 2024-01-01", HEADING, "brackets"),
            ("Unreleased", HEADING, "brackets"),
            ("[1.2.3", HEADING, "brackets"),
            ("[unreleased]", HEADING, "[Unreleased]"),
            ("[Unreleased] - 2024-01-01", HEADING, "without a date"),
            ("[v1.2.3] - 2024-01-01", HEADING, "v1.2.3"),
            ("[1.2] - 2024-01-01", HEADING, "1.2"),
            ("[01.2.3] - 2024-01-01", HEADING, "01.2.3"),
            ("[1.2.3]", HEADING, "day"),
            ("[1.2.3] – 2024-01-01", HEADING, "day"),
            ("[1.2.3] (2024-01-01)", HEADING, "day"),
            ("[1.2.3] - 2023-02-29", DATE, "2023-02-29"),
            ("[1.2.3] - 2024-13-01", DATE, "2024-13-01"),
            ("[1.2.3] - 2024-00-01", DATE, "2024-00-01"),
            ("[1.2.3] - 2024-01-00", DATE, "2024-01-00"),
            ("[1.2.3] - 2024-1-1", DATE, "2024-1-1"),
            ("[1.2.3] - 2024-01-01 [yanked]", DATE, "yanked"),
            ("[1.2.3] - ", DATE, "\"\""),
        ] {
            match Title::parse(text) {
                Title::Wrong(found, message) => {
                    assert_eq!(found, rule, "{text}");
                    assert!(message.contains(word), "{text}: {message}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
