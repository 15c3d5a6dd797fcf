//! Patterns: examples, bad texts, and properties over random patterns and paths.

use std::time::{Duration, Instant};

use leasehold_lease::{Pattern, PatternError, RelPath};
use leasehold_seal::{Class, Coded};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use unicode_normalization::UnicodeNormalization;

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

#[test]
fn matches_as_documented() {
    for (text, yes, no) in [
        ("docs", &["docs"][..], &["", "docs/a", "doc", "Docs"][..]),
        ("docs/*", &["docs/a", "docs/.a"], &["docs", "docs/a/b"]),
        (
            "docs/**",
            &["docs", "docs/a", "docs/a/b"],
            &["", "docs2", "x/docs"],
        ),
        ("**/a", &["a", "x/a", "x/y/a"], &["", "a/x", "xa"]),
        ("**", &["", "a", "a/b", ".git"], &[]),
        ("**/**", &["", "a", "a/b"], &[]),
        ("*", &["a", "..."], &["", "a/b"]),
        ("*/**", &["a", "a/b"], &[""]),
        (
            "a/**/b",
            &["a/b", "a/x/b", "a/x/y/b", "a/b/b"],
            &["a", "b", "ab", "a/b/c"],
        ),
        (
            "**/a/**/b/**",
            &["a/b", "x/a/y/b/z", "a/a/b/b"],
            &["b/a", "a", ""],
        ),
        ("*.md", &["a.md", ".md"], &["a.mdx", "a/b.md", "md"]),
        ("a*b*c", &["abc", "axbxc", "abcbc"], &["abcb", "ac"]),
        ("?", &["a", "é", "\u{1F600}"], &["", "ab", "e\u{301}"]),
        ("a?c", &["abc"], &["ac", "abbc"]),
        ("[a]{b}!", &["[a]{b}!"], &["a", "ab"]),
        (" a ", &[" a "], &["a"]),
    ] {
        for yes in yes {
            assert!(pattern(text).matches(&path(yes)), "{text:?} {yes:?}");
        }
        for no in no {
            assert!(!pattern(text).matches(&path(no)), "{text:?} {no:?}");
        }
    }
}

#[test]
fn bad_patterns_and_their_good_twins() {
    let deep = |components: usize| vec!["a"; components].join("/");
    for (bad, error, good) in [
        ("", PatternError::Empty, "a"),
        ("/a", PatternError::Absolute, "a"),
        ("/", PatternError::Absolute, "**"),
        ("a//b", PatternError::EmptyComponent, "a/b"),
        ("a/", PatternError::EmptyComponent, "a/**"),
        (".", PatternError::Dots(".".into()), "**"),
        ("./a", PatternError::Dots(".".into()), "a"),
        ("docs/../a", PatternError::Dots("..".into()), "docs/...a"),
        ("a**", PatternError::DoubleStarInside, "a*"),
        ("**a/b", PatternError::DoubleStarInside, "**/a/b"),
        ("a/***", PatternError::DoubleStarInside, "a/**"),
        ("a\\b", PatternError::Backslash, "a/b"),
        ("a\0b", PatternError::Control(0), "a?b"),
        ("a\nb", PatternError::Control(0x0A), "a?b"),
        ("a\u{7F}", PatternError::Control(0x7F), "a?"),
        ("a\u{85}", PatternError::Control(0x85), "a?"),
        (
            &deep(65),
            PatternError::TooManyComponents { components: 65 },
            &deep(64),
        ),
        (
            &"a".repeat(4_097),
            PatternError::TooLong { bytes: 4_097 },
            &"a".repeat(4_096),
        ),
    ] {
        assert_eq!(bad.parse::<Pattern>().unwrap_err(), error, "{bad:?}");
        assert_eq!(pattern(good).to_string(), good);
        assert_eq!(error.code(), "PATTERN-FORMAT");
        assert_eq!(error.class(), Class::Usage);
    }
}

#[test]
fn denies_other_spellings_and_everything_below() {
    for (rule, denied, not_denied) in [
        (
            "**/.env",
            &[
                ".env",
                "a/.env",
                ".env/x/y",
                "a/.ENV",
                ".e\u{200C}nv",
                ".env.",
                ".env ",
                "\u{FEFF}.env/x",
            ][..],
            &["", "a", "env", ".envs", ".env.example"][..],
        ),
        (
            "caf\u{E9}/*.key",
            &["cafe\u{301}/A.KEY", "CAFE\u{301}/a.key/x"],
            &["cafe/a.key", "caf\u{E9}"],
        ),
        ("stra\u{DF}e", &["STRASSE", "strasse/x"], &["strase"]),
        ("file", &["\u{FB01}le", "FILE/x"], &["fil"]),
        (
            "?.txt",
            &["a.txt", "A.TXT", "\u{FB01}.txt", "fi.txt", "\u{DF}.txt"],
            &["ab.txt", "abcd.txt"],
        ),
        (
            "secret*",
            &["Secret", "SECRETS/x", "secre\u{AD}t-1"],
            &["secre", "a/secret"],
        ),
        ("**", &["", "a", "a/b"], &[]),
        ("a/**", &["A", "a/b"], &["", "b"]),
        ("a/*/c", &["a/b/c", "A/B/C/d"], &["a", "a/b", "a/c"]),
        ("a.*", &["a.b", "a", "A. "], &["ab"]),
        // Marks next to a wildcard belong to it: `e` and anything.
        ("caf\u{E9}*", &["caf\u{E9}s", "cafe"], &["caf"]),
    ] {
        for path_text in denied {
            assert!(
                pattern(rule).denies(&path(path_text)),
                "{rule:?} {path_text:?}"
            );
        }
        for path_text in not_denied {
            assert!(
                !pattern(rule).denies(&path(path_text)),
                "{rule:?} {path_text:?}"
            );
        }
    }
}

#[test]
fn tells_what_lies_below() {
    for (text, yes, no) in [
        (
            "docs/a.md",
            &["", "docs"][..],
            &["docs/a.md", "src", "docs/x"][..],
        ),
        ("docs/**", &["", "docs", "docs/a/b"], &["src"]),
        ("**/a", &["", "a", "x/y"], &[]),
        ("*", &[""], &["a"]),
        ("a/*/b*", &["", "a", "a/x"], &["a/x/b", "b"]),
        ("**", &["", "x"], &[]),
    ] {
        for yes in yes {
            assert!(
                pattern(text).may_match_below(&path(yes)),
                "{text:?} {yes:?}"
            );
        }
        for no in no {
            assert!(!pattern(text).may_match_below(&path(no)), "{text:?} {no:?}");
        }
    }
    for (rule, yes, no) in [
        (
            "docs/.env",
            &["", "docs", "DOCS", "docs/.ENV", "docs/.env/x"][..],
            &["src", "docs/x"][..],
        ),
        ("**/.env", &["", "x", "x/y"], &[]),
        ("*", &["", "x", "x/y"], &[]),
    ] {
        for yes in yes {
            assert!(
                pattern(rule).may_deny_within(&path(yes)),
                "{rule:?} {yes:?}"
            );
        }
        for no in no {
            assert!(!pattern(rule).may_deny_within(&path(no)), "{rule:?} {no:?}");
        }
    }
}

#[test]
fn covers_what_it_should() {
    for (wide, narrow) in [
        ("**", "a/b"),
        ("**", "**/a/**"),
        ("docs/**", "docs"),
        ("docs/**", "docs/*.md"),
        ("docs/**", "docs/a/**"),
        ("*.md", "a.md"),
        ("*.md", "?.md"),
        ("*.md", "a*.md"),
        ("*", "?*"),
        ("?*", "*?"),
        ("**/*", "*/**"),
        ("*/**", "**/*"),
        ("**/a", "x/**/a"),
        ("**/a/**", "**/a"),
        ("a*c", "abc"),
        ("a*b*c", "ab*bc"),
    ] {
        assert!(
            pattern(wide).covers(&pattern(narrow)),
            "{wide:?} {narrow:?}"
        );
    }
    for (wide, narrow) in [
        ("docs/**", "docs2/a"),
        ("docs/*", "docs/**"),
        ("docs/*", "docs/a/b"),
        ("*", "**"),
        ("*/**", "**"),
        ("?", "*"),
        ("a", "A"),
        ("a", "?"),
        ("*.md", "*"),
        ("a*c", "a*"),
        ("docs", "docs/**"),
        ("**/.env", "**"),
    ] {
        assert!(
            !pattern(wide).covers(&pattern(narrow)),
            "{wide:?} {narrow:?}"
        );
    }
}

/// Patterns that blow up a matcher that tries everything. Each takes about a millisecond here; the bound only tells
/// polynomial from exponential.
#[test]
fn adversarial_patterns_take_no_time() {
    let started = Instant::now();
    let deep = path(&vec!["a"; 2_000].join("/"));
    let long = path(&"a".repeat(4_000));
    let any_depth = pattern(&format!("{}**/b", "**/a/".repeat(31)));
    let stars = pattern(&format!("{}b", "*a".repeat(1_000)));
    let questions = pattern(&format!("*{}b", "?".repeat(1_000)));
    for rule in [&any_depth, &pattern("**/a/**/a/**/b")] {
        assert!(!rule.matches(&deep));
        assert!(!rule.denies(&deep));
        assert!(rule.may_match_below(&deep));
        assert!(rule.covers(rule));
    }
    for rule in [&stars, &questions, &pattern("*a*a*a*b")] {
        assert!(!rule.matches(&long));
        assert!(!rule.denies(&long));
        assert!(!rule.covers(&any_depth));
        assert!(rule.covers(rule));
    }
    assert!(any_depth.matches(&path(&format!("{}/b", vec!["a"; 2_000].join("/")))));
    assert!(stars.matches(&path(&format!("{}b", "a".repeat(4_000)))));
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "took {:?}",
        started.elapsed()
    );
}

/// One component of a pattern over a tiny alphabet.
fn component() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just("**".to_owned()),
        5 => "[ab*?]{1,4}".prop_map(|text| text.replace("***", "*a*").replace("**", "*")),
    ]
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    prop::collection::vec(component(), 1..5).prop_map(|parts| pattern(&parts.join("/")))
}

fn any_path() -> impl Strategy<Value = RelPath> {
    prop::collection::vec("[ab]{1,4}", 0..5).prop_map(|parts| path(&parts.join("/")))
}

/// Letters that fold in every way there is: case, ligatures, marks that reorder, invisible ones, dots and spaces.
const AWKWARD: &str = "aAsSfFi\u{131}\u{130}\u{DF}\u{FB01}\u{FB03}k\u{212A}e\u{E9}\u{C9}\u{301}\u{323}\u{345}\
    \u{3B1}\u{1F82}\u{34F}\u{200C}\u{AD}\u{149}\u{AC00}\u{1100}\u{1161}\u{3C3}\u{3C2}. ";

fn awkward_name() -> impl Strategy<Value = String> {
    let letters: Vec<char> = AWKWARD.chars().collect();
    prop::collection::vec(prop::sample::select(letters), 1..6).prop_map(|chars| {
        let name: String = chars.into_iter().collect();
        if matches!(name.as_str(), "." | "..") {
            "a".to_owned()
        } else {
            name
        }
    })
}

/// A name, and a pattern made from it by putting wildcards in.
fn awkward_pair() -> impl Strategy<Value = (String, String)> {
    (awkward_name(), prop::collection::vec(0u8..4, 5)).prop_map(|(name, choices)| {
        let mut text = String::new();
        for (char, choice) in name.chars().zip(choices) {
            match choice {
                0 => text.push('?'),
                1 if !text.ends_with('*') => text.push('*'),
                1 => {}
                _ => text.push(char),
            }
        }
        if matches!(text.as_str(), "." | "..") {
            (name, "*".to_owned())
        } else {
            (name, text)
        }
    })
}

/// The oracle: what a pattern means, said as simply as can be, at any cost.
fn oracle(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) if oracle(rest, path) => true,
        (["**", ..], [_, below @ ..]) => oracle(pattern, below),
        ([first, rest @ ..], [name, below @ ..]) => {
            let first: Vec<char> = first.chars().collect();
            let name: Vec<char> = name.chars().collect();
            oracle_component(&first, &name) && oracle(rest, below)
        }
        _ => false,
    }
}

fn oracle_component(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['*', rest @ ..], _) if oracle_component(rest, name) => true,
        (['*', ..], [_, below @ ..]) => oracle_component(pattern, below),
        (['?', rest @ ..], [_, below @ ..]) => oracle_component(rest, below),
        ([first, rest @ ..], [char, below @ ..]) => first == char && oracle_component(rest, below),
        _ => false,
    }
}

fn oracle_matches(pattern: &Pattern, path: &RelPath) -> bool {
    let parts: Vec<&str> = pattern.as_str().split('/').collect();
    let names: Vec<&str> = path.components().collect();
    oracle(&parts, &names)
}

fn ancestors(path: &RelPath) -> Vec<RelPath> {
    std::iter::successors(path.parent(), RelPath::parent).collect()
}

proptest! {
    #![proptest_config(Config { cases: 4_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn matching_agrees_with_the_oracle(a in any_pattern(), p in any_path()) {
        prop_assert_eq!(a.matches(&p), oracle_matches(&a, &p), "{} {}", a, p);
    }

    #[test]
    fn below_is_sound(a in any_pattern(), p in any_path()) {
        if oracle_matches(&a, &p) {
            for directory in ancestors(&p) {
                prop_assert!(a.may_match_below(&directory), "{} {}", a, directory);
            }
        }
    }

    #[test]
    fn within_is_sound(a in any_pattern(), p in any_path()) {
        if a.denies(&p) {
            prop_assert!(a.may_deny_within(&p));
            for directory in ancestors(&p) {
                prop_assert!(a.may_deny_within(&directory), "{} {}", a, directory);
            }
        }
    }

    #[test]
    fn a_denial_reaches_everything_below(a in any_pattern(), p in any_path(), below in any_path()) {
        if oracle_matches(&a, &p) {
            prop_assert!(a.denies(&p.join(below.as_str()).unwrap()), "{} {} {}", a, p, below);
        }
    }

    /// A denial looks at folded names only, so this says: whatever folds like a name that matches is denied.
    #[test]
    fn what_matches_is_denied_in_any_spelling((name, text) in awkward_pair()) {
        if let Ok(rule) = text.parse::<Pattern>() {
            prop_assert!(rule.matches(&path(&name)), "{:?} {:?}", text, name);
            // Case is converted in normal form: out of it, U+0345 (a mark whose capital is a letter)
            // loses its place among other marks.
            let visible = name.chars().filter(|char| !"\u{34F}\u{200C}\u{AD}".contains(*char));
            let decomposed: String = visible.nfd().collect();
            for spelling in [name.clone(), decomposed.to_uppercase(), decomposed.to_lowercase(), format!("{name}. "), name.nfc().collect(), name.nfd().flat_map(|char| [char, '\u{2060}']).collect()] {
                if let Ok(spelled) = RelPath::root().child(&spelling) {
                    prop_assert!(rule.denies(&spelled), "{:?} {:?}", text, spelling);
                }
            }
        }
    }
}

/// Runs the property that containment is sound, for some containment.
fn check_containment(
    covers: fn(&Pattern, &Pattern) -> bool,
) -> Result<u32, TestError<(Pattern, Pattern, RelPath)>> {
    let telling = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config {
        cases: 20_000,
        failure_persistence: None,
        ..Config::default()
    });
    runner.run(&(any_pattern(), any_pattern(), any_path()), |(a, b, p)| {
        if covers(&a, &b) && oracle_matches(&b, &p) {
            telling.set(telling.get() + 1);
            if !oracle_matches(&a, &p) {
                return Err(TestCaseError::fail(format!(
                    "{a} covers {b}, but only the latter matches {p}"
                )));
            }
        }
        Ok(())
    })?;
    Ok(telling.get())
}

#[test]
fn containment_is_sound() {
    let telling = check_containment(Pattern::covers).unwrap();
    assert!(telling > 100, "only {telling} cases said anything");
}

/// The property has teeth: containment that looks at one character wrongly, or believes `*` to cross `/`, is found.
#[test]
fn broken_containment_is_found() {
    fn star_crosses_slash(a: &Pattern, b: &Pattern) -> bool {
        a.covers(b)
            || a.as_str()
                .replace('*', "**")
                .replace("****", "**")
                .parse::<Pattern>()
                .is_ok_and(|a| a.covers(b))
    }
    fn question_takes_star(a: &Pattern, b: &Pattern) -> bool {
        let questioned = b
            .as_str()
            .replace("**", "\u{1}")
            .replace('*', "?")
            .replace('\u{1}', "**");
        a.covers(b) || a.covers(&pattern(&questioned))
    }
    assert!(check_containment(star_crosses_slash).is_err());
    assert!(check_containment(question_takes_star).is_err());
}
