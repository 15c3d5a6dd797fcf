//! Path patterns: what a lease says about files.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use leasehold_seal::{Class, Coded};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::component::Component;
use crate::fold;
use crate::path::RelPath;

/// The most components in one pattern.
pub const MAX_PATTERN_COMPONENTS: usize = 64;
/// The longest pattern, in bytes of UTF-8.
pub const MAX_PATTERN_BYTES: usize = 4_096;
/// The most patterns in one list.
pub const MAX_PATTERNS: usize = 1_024;

/// A pattern over [`RelPath`]s.
///
/// Components are separated by `/`. In a component `*` stands for any number of characters and `?` for exactly one;
/// every other character, also `[`, `{` and `!`, stands for itself. A component `**` stands for any number of whole
/// components, also none: `docs/**` includes `docs` itself, `**/a` includes `a`, and `**` alone includes the root.
#[derive(Clone)]
pub struct Pattern {
    text: Arc<str>,
    parts: Arc<[Part]>,
}

#[derive(Debug)]
enum Part {
    /// `**`
    AnyDepth,
    Name(Component),
}

impl Pattern {
    /// Whether the path matches exactly, character by character. Used for what is allowed.
    #[must_use]
    pub fn matches(&self, path: &RelPath) -> bool {
        self.walk(path.components(), Component::matches)
            .reached_end()
    }

    /// Whether this pattern, as a deny rule, denies the path: a spelling of the path, or of a directory above it,
    /// matches. Spellings are compared after Unicode decomposition, case folding, removal of invisible characters and
    /// of dots and spaces at the end, on both sides. Denies at least everything that [`Pattern::matches`].
    #[must_use]
    pub fn denies(&self, path: &RelPath) -> bool {
        self.denies_folded(&FoldedPath::new(path))
    }

    /// Whether some path strictly below this directory could match exactly: needed to walk towards it.
    #[must_use]
    pub fn may_match_below(&self, directory: &RelPath) -> bool {
        self.walk(directory.components(), Component::matches)
            .may_go_on()
    }

    /// Whether this pattern, as a deny rule, denies the path or could deny something below it.
    #[must_use]
    pub fn may_deny_within(&self, path: &RelPath) -> bool {
        self.may_deny_within_folded(&FoldedPath::new(path))
    }

    /// Whether everything that `other` matches is matched by this pattern.
    ///
    /// Sound, not complete: `true` is always right; `false` may also mean that it was not found out.
    #[must_use]
    pub fn covers(&self, other: &Pattern) -> bool {
        // Handing on what there is, is what is done most.
        if self == other {
            return true;
        }
        let ours = normalise(&self.parts);
        let theirs = normalise(&other.parts);
        let ends = theirs.len();
        // `below[j]`: our parts after the current one match everything their parts from `j` on match.
        let mut below: Vec<bool> = (0..=ends).map(|at| at == ends).collect();
        for our in ours.iter().rev() {
            let mut row = vec![false; ends + 1];
            row[ends] = matches!(our, Part::AnyDepth) && below[ends];
            for (at, their) in theirs.iter().enumerate().rev() {
                row[at] = match (our, their) {
                    (Part::AnyDepth, _) => below[at] || row[at + 1],
                    (Part::Name(_), Part::AnyDepth) => false,
                    (Part::Name(our), Part::Name(their)) => below[at + 1] && our.covers(their),
                };
            }
            below = row;
        }
        below[0]
    }

    /// Whether every path matches, the root included.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::AnyDepth))
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn denies_folded(&self, path: &FoldedPath<'_>) -> bool {
        let mut walk = Walk::start(&self.parts);
        if walk.reached_end() {
            return true;
        }
        for name in &path.names {
            walk.step(|component| component.matches_folded(name));
            if walk.reached_end() {
                return true;
            }
        }
        false
    }

    pub(crate) fn may_deny_within_folded(&self, path: &FoldedPath<'_>) -> bool {
        self.denies_folded(path)
            || self
                .walk(
                    path.names.iter().map(AsRef::as_ref),
                    Component::matches_folded,
                )
                .may_go_on()
    }

    fn walk<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
        matches: impl Fn(&Component, &str) -> bool,
    ) -> Walk<'_> {
        let mut walk = Walk::start(&self.parts);
        for name in names {
            if walk.is_dead() {
                break;
            }
            walk.step(|component| matches(component, name));
        }
        walk
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLong { bytes: text.len() });
        }
        if text.starts_with('/') {
            return Err(PatternError::Absolute);
        }
        let components = text.split('/').count();
        if components > MAX_PATTERN_COMPONENTS {
            return Err(PatternError::TooManyComponents { components });
        }
        let parts = text
            .split('/')
            .map(parse_part)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            text: text.into(),
            parts: parts.into(),
        })
    }
}

/// Why a text is not a pattern. Code `PATTERN-FORMAT`, class usage (in a lease: refused).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The empty text.
    #[error("the pattern is empty")]
    Empty,
    /// The text starts with `/`.
    #[error("the pattern is absolute")]
    Absolute,
    /// Two slashes in a row, or a slash at the end.
    #[error("the pattern has an empty component")]
    EmptyComponent,
    /// A component is `.` or `..`.
    #[error("the pattern has a component `{0}`")]
    Dots(String),
    /// `**` together with something else in one component.
    #[error("`**` is only allowed as a whole component")]
    DoubleStarInside,
    /// The text contains a backslash.
    #[error("the pattern contains a backslash")]
    Backslash,
    /// The text contains NUL or another control character (Unicode category Cc).
    #[error("the pattern contains the control character U+{0:04X}")]
    Control(u32),
    /// More than [`MAX_PATTERN_COMPONENTS`].
    #[error("the pattern has {components} components, the most is {MAX_PATTERN_COMPONENTS}")]
    TooManyComponents {
        /// Number found.
        components: usize,
    },
    /// Longer than [`MAX_PATTERN_BYTES`].
    #[error("the pattern has {bytes} bytes, the most is {MAX_PATTERN_BYTES}")]
    TooLong {
        /// Length found, in bytes.
        bytes: usize,
    },
}

impl Coded for PatternError {
    fn code(&self) -> &'static str {
        "PATTERN-FORMAT"
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(
            "patterns are relative to the workspace, for example docs/**, *.md or **/.env"
                .to_owned(),
        )
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pattern({:?})", &*self.text)
    }
}

/// Patterns are equal when their texts are.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A path with every component folded, so that many deny rules share the work.
pub(crate) struct FoldedPath<'a> {
    names: Vec<Cow<'a, str>>,
}

impl<'a> FoldedPath<'a> {
    pub(crate) fn new(path: &'a RelPath) -> Self {
        Self {
            names: path.components().map(fold::fold_name).collect(),
        }
    }
}

fn parse_part(component: &str) -> Result<Part, PatternError> {
    if component.is_empty() {
        return Err(PatternError::EmptyComponent);
    }
    if matches!(component, "." | "..") {
        return Err(PatternError::Dots(component.to_owned()));
    }
    if component.contains('\\') {
        return Err(PatternError::Backslash);
    }
    if let Some(control) = component.chars().find(|char| char.is_control()) {
        return Err(PatternError::Control(control.into()));
    }
    if component == "**" {
        return Ok(Part::AnyDepth);
    }
    if component.contains("**") {
        return Err(PatternError::DoubleStarInside);
    }
    Ok(Part::Name(Component::new(component)))
}

/// The set of places in the pattern that the names so far can have led to, as bits; place `n` is the end.
struct Walk<'a> {
    parts: &'a [Part],
    /// At most [`MAX_PATTERN_COMPONENTS`] + 1 bits are used.
    places: u128,
}

impl<'a> Walk<'a> {
    fn start(parts: &'a [Part]) -> Self {
        let mut walk = Self { parts, places: 1 };
        walk.pass_any_depth();
        walk
    }

    fn step(&mut self, matches: impl Fn(&Component) -> bool) {
        let mut next = 0;
        for (place, part) in self.parts.iter().enumerate() {
            if self.places & (1 << place) == 0 {
                continue;
            }
            match part {
                Part::AnyDepth => next |= 1 << place,
                Part::Name(component) if matches(component) => next |= 1 << (place + 1),
                Part::Name(_) => {}
            }
        }
        self.places = next;
        self.pass_any_depth();
    }

    /// `**` may stand for nothing, so its place implies the next.
    fn pass_any_depth(&mut self) {
        for (place, part) in self.parts.iter().enumerate() {
            if matches!(part, Part::AnyDepth) && self.places & (1 << place) != 0 {
                self.places |= 1 << (place + 1);
            }
        }
    }

    fn reached_end(&self) -> bool {
        self.places & (1 << self.parts.len()) != 0
    }

    /// Whether at least one further name could lead to the end: every place but the end leads there by some name.
    fn may_go_on(&self) -> bool {
        self.places & !(1 << self.parts.len()) != 0
    }

    fn is_dead(&self) -> bool {
        self.places == 0
    }
}

/// `*/**/*` and `**/*/*` mean the same: puts the `*` of each stretch first and keeps one `**`, so that more
/// containments are found.
fn normalise(parts: &[Part]) -> Vec<&Part> {
    let mut normal = Vec::with_capacity(parts.len());
    let mut any_depth = None;
    for part in parts {
        match part {
            Part::AnyDepth => any_depth = Some(part),
            Part::Name(component) if component.is_star() => normal.push(part),
            Part::Name(_) => {
                normal.extend(any_depth.take());
                normal.push(part);
            }
        }
    }
    normal.extend(any_depth);
    normal
}
