//! Path patterns as leases have them, for what a gate picks out by itself: excluded files, for instance. What may be seen at all is
//! the host's to say.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// The most components in one pattern.
const MAX_COMPONENTS: usize = 64;
/// The longest pattern, in bytes of UTF-8.
const MAX_BYTES: usize = 4096;

/// A pattern over paths relative to the workspace.
///
/// Components are separated by `/`. In a component `*` stands for any number of characters and `?` for exactly one; every other
/// character stands for itself. A component `**` stands for any number of whole components, also none: `docs/**` includes `docs`
/// itself and `**/a` includes `a`. Letters of another case are other letters.
#[derive(Clone, Eq, PartialEq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Eq, PartialEq)]
enum Part {
    AnyDepth,
    Literal(String),
    Wildcard(Vec<char>),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A sentence that says what is wrong: empty, absolute, too long, an empty, `.` or `..` component, `**` together with something
    /// else, a backslash or a control character.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("the pattern {text:?} {what}"));
        if text.is_empty() {
            return wrong("is empty");
        }
        if text.len() > MAX_BYTES || text.split('/').count() > MAX_COMPONENTS {
            return wrong("is too long");
        }
        if text.starts_with('/') {
            return wrong("is absolute");
        }
        if text.contains('\\') || text.contains(char::is_control) {
            return wrong("has a backslash or a control character");
        }
        let mut parts = Vec::new();
        for component in text.split('/') {
            parts.push(match component {
                "" => return wrong("has an empty component"),
                "." | ".." => return wrong("has a component of dots"),
                "**" => Part::AnyDepth,
                _ if component.contains("**") => return wrong("has ** inside a component"),
                _ if component.contains(['*', '?']) => Part::Wildcard(component.chars().collect()),
                _ => Part::Literal(component.to_owned()),
            });
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a path matches. The empty path is the root of the workspace.
    pub fn matches(&self, path: &str) -> bool {
        // Bit n: the components so far can have led to before part n. At most MAX_COMPONENTS + 1 bits.
        let mut places = self.pass_any_depth(1);
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let mut next = 0_u128;
            for (place, part) in self.parts.iter().enumerate() {
                if places & (1 << place) == 0 {
                    continue;
                }
                match part {
                    Part::AnyDepth => next |= 1 << place,
                    Part::Literal(literal) if literal == name => next |= 1 << (place + 1),
                    Part::Wildcard(tokens) if wildcard(tokens, name) => next |= 1 << (place + 1),
                    Part::Literal(_) | Part::Wildcard(_) => {}
                }
            }
            places = self.pass_any_depth(next);
            if places == 0 {
                return false;
            }
        }
        places & (1 << self.parts.len()) != 0
    }

    /// `**` may stand for nothing, so its place implies the next.
    fn pass_any_depth(&self, mut places: u128) -> u128 {
        for (place, part) in self.parts.iter().enumerate() {
            if *part == Part::AnyDepth && places & (1 << place) != 0 {
                places |= 1 << (place + 1);
            }
        }
        places
    }
}

/// Whether any of the patterns matches.
pub fn any_matches(patterns: &[Pattern], path: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(path))
}

/// On a mismatch only the last `*` takes one character more, so the work is bounded by the product of the lengths.
fn wildcard(tokens: &[char], name: &str) -> bool {
    let mut rest = name.chars();
    let mut at = 0;
    let mut star: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let before = rest.clone();
        let Some(char) = rest.next() else {
            return tokens.iter().skip(at).all(|token| *token == '*');
        };
        match tokens.get(at) {
            Some('*') => {
                star = Some((at, before.clone()));
                rest = before;
                at += 1;
            }
            Some('?') => at += 1,
            Some(wanted) if *wanted == char => at += 1,
            _ => {
                let Some((place, taken)) = star.as_mut() else {
                    return false;
                };
                taken.next();
                rest = taken.clone();
                at = *place + 1;
            }
        }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pattern({:?})", self.text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        paths: Vec<Case>,
        errors: Vec<String>,
    }

    #[derive(Deserialize)]
    struct Case {
        pattern: String,
        path: String,
        matches: bool,
    }

    /// The cases of the host's own patterns: a gate and its lease must mean the same by the same text.
    #[test]
    fn patterns_mean_what_they_mean_in_a_lease() {
        let text = include_str!("../../../../fixtures/lease/patterns.json");
        let vectors: Vectors = serde_json::from_str(text).unwrap();
        for case in &vectors.paths {
            let pattern = Pattern::parse(&case.pattern).unwrap();
            assert_eq!(
                pattern.matches(&case.path),
                case.matches,
                "{pattern} on {}",
                case.path
            );
        }
        for text in &vectors.errors {
            assert!(Pattern::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn stars_take_as_much_as_is_needed() {
        for (pattern, path, matches) in [
            ("*.min.*", "a.min.b.min.js", true),
            ("a*b*c", "aXbXbYc", true),
            ("a*b*c", "aXbXbY", false),
            ("?", "é", true),
            ("*", "", false),
            ("**/*.rs", "a/b/c.rs", true),
        ] {
            assert_eq!(
                Pattern::parse(pattern).unwrap().matches(path),
                matches,
                "{pattern} {path}"
            );
        }
        let any = [
            Pattern::parse("a").unwrap(),
            Pattern::parse("b/**").unwrap(),
        ];
        assert!(any_matches(&any, "b/c") && !any_matches(&any, "c"));
    }
}
