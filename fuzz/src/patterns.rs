//! Path patterns: `leasehold_lease::Pattern`.
//!
//! The bytes are lines: a pattern, another pattern, a path, and all that follows chooses a path that the second
//! pattern matches.

use leasehold_lease::{Pattern, RelPath};
use unicode_normalization::UnicodeNormalization as _;

use crate::reference;

/// The oracle.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (first, second, path, choices) = (line(), line(), line(), line());
    let (Ok(first), Ok(second)) = (first.parse::<Pattern>(), second.parse::<Pattern>()) else {
        return;
    };
    let mut paths: Vec<RelPath> = vec![RelPath::root()];
    paths.extend(RelPath::parse(path).ok());
    paths.extend(instance(&second, choices));
    paths.extend(instance(&first, choices));
    for pattern in [&first, &second] {
        assert_eq!(
            pattern.as_str().parse::<Pattern>().as_ref(),
            Ok(pattern),
            "a text has one meaning"
        );
        assert!(pattern.covers(pattern), "{pattern} does not cover itself");
        for path in &paths {
            one(pattern, path);
        }
    }
    for (wide, narrow) in [(&first, &second), (&second, &first)] {
        if wide.covers(narrow) {
            let lost = paths
                .iter()
                .find(|path| narrow.matches(path) && !wide.matches(path));
            assert_eq!(lost, None, "{wide} is said to cover {narrow}");
        }
        if wide.is_everything() {
            assert!(wide.covers(narrow));
        }
    }
}

/// What holds for one pattern and one path.
fn one(pattern: &Pattern, path: &RelPath) {
    let names: Vec<&str> = path.components().collect();
    let parts: Vec<&str> = pattern.as_str().split('/').collect();
    let matches = pattern.matches(path);
    // Trying everything takes its time, so long ones are left to other inputs.
    if pattern.as_str().len() <= 40 && path.as_str().len() <= 60 {
        assert_eq!(
            matches,
            reference::matches(&parts, &names),
            "does {pattern} match {path:?}?"
        );
    }
    if pattern.is_everything() {
        assert!(matches);
    }
    if matches {
        assert!(
            pattern.denies(path),
            "{pattern} matches {path:?}, but as a deny rule it does not deny it"
        );
    }
    let denied = pattern.denies(path);
    assert!(!denied || pattern.may_deny_within(path));
    for spelling in spellings(path) {
        assert_eq!(
            pattern.denies(&spelling),
            denied,
            "{pattern} tells {path:?} from {spelling:?}"
        );
    }
    let mut above = path.parent();
    while let Some(directory) = above {
        if matches {
            assert!(
                pattern.may_match_below(&directory),
                "{pattern} does not lead through {directory:?} to {path:?}"
            );
        }
        if denied {
            assert!(
                pattern.may_deny_within(&directory),
                "{pattern} denies {path:?} below {directory:?}"
            );
        }
        if pattern.denies(&directory) {
            assert!(denied, "{pattern} denies {directory:?} but not {path:?}");
        }
        above = directory.parent();
    }
}

/// Names that some file system takes for the same.
fn spellings(path: &RelPath) -> Vec<RelPath> {
    let text = path.as_str();
    let mut texts = vec![
        text.to_ascii_uppercase(),
        text.to_ascii_lowercase(),
        text.nfc().collect(),
        text.nfd().collect(),
    ];
    if !path.is_root() {
        texts.push(format!("{text}. ."));
        texts.push(text.replace('/', "\u{200d}/"));
    }
    let parsed = texts.iter().map(|text| RelPath::parse(text));
    parsed.filter_map(Result::ok).collect()
}

/// A path that the pattern matches, wildcards replaced by pieces of `choices`; `None` where those make no path.
pub fn instance(pattern: &Pattern, choices: &str) -> Option<RelPath> {
    let mut choices = choices.split('|').cycle();
    let mut names: Vec<String> = Vec::new();
    for part in pattern.as_str().split('/') {
        if part == "**" {
            let any_depth = choices.next()?;
            names.extend(
                any_depth
                    .split('/')
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned),
            );
            continue;
        }
        let mut name = String::new();
        for char in part.chars() {
            match char {
                '*' => name.extend(choices.next()?.chars().filter(|char| *char != '/')),
                '?' => name.push(
                    choices
                        .next()?
                        .chars()
                        .find(|char| *char != '/')
                        .unwrap_or('x'),
                ),
                char => name.push(char),
            }
        }
        // No name is empty, so `*` alone stands for at least one character.
        names.push(if name.is_empty() {
            "x".to_owned()
        } else {
            name
        });
    }
    let path = RelPath::parse(&names.join("/")).ok()?;
    assert!(
        pattern.matches(&path),
        "{pattern} does not match its own instance {path:?}"
    );
    Some(path)
}
