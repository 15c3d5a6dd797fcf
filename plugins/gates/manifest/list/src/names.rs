//! Which paths a list may hold: those that mean the same file wherever the list is used.

use std::collections::BTreeMap;

use crate::offence::Offence;

/// What is wrong with a path: the rule and a sentence.
pub fn check_path(path: &str) -> Option<(&'static str, String)> {
    let wrong = |rule, what: &str| Some((rule, format!("{path:?} {what}")));
    let mut bytes = path.bytes();
    if path.is_empty() {
        return wrong("syntax", "is no path");
    }
    if path.contains(char::is_control) {
        return wrong("control", "has a control character");
    }
    if path.contains('\\') {
        return wrong(
            "backslash",
            "has a backslash, which separates names on some systems",
        );
    }
    if path.starts_with('/') {
        return wrong("absolute", "is absolute");
    }
    if bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic()) && bytes.next() == Some(b':') {
        return wrong("drive", "begins with the letter of a drive");
    }
    if path.split('/').any(|name| name == "..") {
        return wrong("upwards", "leads upwards");
    }
    if path.split('/').any(|name| matches!(name, "" | ".")) {
        return wrong("not-plain", "has an empty or a `.` component");
    }
    None
}

/// Paths, or directories on the way to them, that differ in letter case only: on some systems they are one.
pub(crate) fn collisions<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<Offence> {
    let mut spellings: BTreeMap<String, &str> = BTreeMap::new();
    let mut offences = Vec::new();
    let mut paths: Vec<&str> = paths.collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let ends = path
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([path.len()]);
        for part in ends.filter_map(|end| path.get(..end)) {
            match spellings.get(&part.to_lowercase()) {
                Some(other) if *other != part => {
                    let message = format!("{part:?} and {other:?} differ in letter case only");
                    offences.push(Offence::of_file("case", path, message));
                    break;
                }
                Some(_) => {}
                None => {
                    spellings.insert(part.to_lowercase(), part);
                }
            }
        }
    }
    offences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_could_mean_something_else_are_refused() {
        for (path, rule) in [
            ("", "syntax"),
            ("/etc/passwd", "absolute"),
            ("//host/share", "absolute"),
            ("C:/x", "drive"),
            ("c:x", "drive"),
            ("a\\b", "backslash"),
            ("..\\b", "backslash"),
            ("../a", "upwards"),
            ("a/../../b", "upwards"),
            ("a/..", "upwards"),
            ("./a", "not-plain"),
            ("a//b", "not-plain"),
            ("a/", "not-plain"),
            ("a/./b", "not-plain"),
            ("a\u{7f}b", "control"),
        ] {
            assert_eq!(check_path(path).map(|wrong| wrong.0), Some(rule), "{path}");
        }
        for path in ["a", "a/b.c", "..a", "a..", "...", "ab:c", "é/ü", "a b"] {
            assert_eq!(check_path(path), None, "{path}");
        }
    }

    #[test]
    fn letter_case_alone_tells_nothing_apart() {
        let rules = |paths: &[&str]| collisions(paths.iter().copied()).len();
        assert_eq!(rules(&["a", "A"]), 1);
        assert_eq!(rules(&["Docs/a", "docs/b"]), 1);
        assert_eq!(rules(&["Ä", "ä"]), 1);
        assert_eq!(rules(&["a", "a", "a/b", "b"]), 0);
        assert_eq!(rules(&["Docs/a", "docs/a", "docs/b"]), 2);
    }
}
