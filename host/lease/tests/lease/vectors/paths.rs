//! Vectors about patterns: `fixtures/lease/patterns.json`.

use leasehold_lease::{Pattern, PatternError, RelPath};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct PatternVectors {
    about: &'static str,
    paths: Vec<PathVector>,
    covers: Vec<CoversVector>,
    errors: Vec<&'static str>,
}

#[derive(Serialize)]
struct PathVector {
    pattern: &'static str,
    path: &'static str,
    matches: bool,
    denies: bool,
    may_match_below: bool,
    may_deny_within: bool,
}

#[derive(Serialize)]
struct CoversVector {
    wide: &'static str,
    narrow: &'static str,
    covers: bool,
}

pub(super) fn pattern_vectors() -> PatternVectors {
    let cases: [(&str, &[&str]); 17] = [
        ("**", &["", "a", "a/b"]),
        ("docs", &["", "docs", "docs/a", "DOCS", "doc"]),
        ("docs/*", &["docs", "docs/a", "docs/a/b", "docs/.a"]),
        ("docs/**", &["", "docs", "docs/a/b", "docs2", "Docs/a"]),
        ("**/a", &["", "a", "x/y/a", "a/x", "xa"]),
        ("a/**/b", &["a", "a/b", "a/x/y/b", "a/b/c", "b"]),
        ("*.md", &["a.md", ".md", "a/b.md", "a.MD", "a.md."]),
        ("a?c", &["abc", "ac", "a\u{E9}c", "ae\u{301}c"]),
        ("[a]{b,c}", &["[a]{b,c}", "ab"]),
        (
            "**/.env",
            &[
                ".env",
                "x/.ENV",
                ".e\u{200C}nv",
                ".env.",
                ".env /x",
                "\u{FEFF}.env",
                "env",
            ],
        ),
        (
            "caf\u{E9}",
            &["caf\u{E9}", "cafe\u{301}", "CAF\u{C9}", "cafe"],
        ),
        ("stra\u{DF}e", &["stra\u{DF}e", "STRASSE", "strase"]),
        ("file", &["\u{FB01}le", "\u{FF46}ile"]),
        ("key", &["\u{212A}ey", "KEY"]),
        ("id", &["\u{131}d", "ID"]),
        ("?.txt", &["a.txt", "ab.txt", "\u{FB01}.txt", "fi.txt"]),
        ("caf\u{E9}*", &["caf\u{E9}s", "cafes", "caf"]),
    ];
    let paths = cases.iter().flat_map(|&(text, paths)| {
        let pattern: Pattern = text.parse().unwrap();
        paths.iter().map(move |&path_text| {
            let path = RelPath::parse(path_text).unwrap();
            PathVector {
                pattern: text,
                path: path_text,
                matches: pattern.matches(&path),
                denies: pattern.denies(&path),
                may_match_below: pattern.may_match_below(&path),
                may_deny_within: pattern.may_deny_within(&path),
            }
        })
    });
    let pairs = [
        ("**", "a/b"),
        ("docs/**", "docs"),
        ("docs/**", "docs/*.md"),
        ("docs/**", "docs2/a"),
        ("docs/*", "docs/**"),
        ("*.md", "?.md"),
        ("?.md", "*.md"),
        ("*/**", "**/*"),
        ("*", "?*"),
        ("*", "**"),
        ("a*b*c", "ab*bc"),
        ("a", "A"),
    ];
    let covers = pairs.map(|(wide, narrow)| {
        let covers = wide
            .parse::<Pattern>()
            .unwrap()
            .covers(&narrow.parse().unwrap());
        CoversVector {
            wide,
            narrow,
            covers,
        }
    });
    let errors = [
        "", "/a", "a/", "a//b", ".", "a/../b", "a**", "***", "a\\b", "a\u{0}", "a\n", "\u{85}",
    ];
    for bad in errors {
        let _: PatternError = bad.parse::<Pattern>().unwrap_err();
    }
    PatternVectors {
        about: "What docs/lease.md says of patterns, case by case. The path \"\" is the root of the workspace.",
        paths: paths.collect(),
        covers: covers.into(),
        errors: errors.to_vec(),
    }
}
