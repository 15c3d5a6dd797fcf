//! Paths of requests: which ones are accepted at all, and patterns over them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::as_text;
use crate::component::Component;
use crate::pattern::{MAX_PATTERN_BYTES, MAX_PATTERN_COMPONENTS};
use crate::refusal::Refusal;

/// A pattern over paths of requests: absolute, on the percent-encoded text as sent.
///
/// Components are as in a [`crate::Pattern`] for files: `*` any number of characters, `?` exactly one, `**` any number
/// of whole components. A path that ends in `/` has an empty last component: `/v1/*` and `/v1/**` match `/v1/`, and
/// `/v1/**` matches `/v1` too.
#[derive(Clone)]
pub struct UrlPattern {
    text: Arc<str>,
    parts: Arc<[Part]>,
}

#[derive(Debug)]
enum Part {
    /// `**`
    AnyDepth,
    Name(Component),
}

impl UrlPattern {
    /// Whether the path matches, character by character. A path that [`crate::Target::parse`] would refuse may match;
    /// ask it first.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix('/') else {
            return false;
        };
        // `reached[n]`: the components so far can be what the first `n` parts stand for.
        let mut reached = vec![false; self.parts.len() + 1];
        reached[0] = true;
        self.pass_any_depth(&mut reached);
        for component in path.split('/') {
            let mut next = vec![false; reached.len()];
            for (place, part) in self.parts.iter().enumerate() {
                if !reached[place] {
                    continue;
                }
                match part {
                    Part::AnyDepth => next[place] = true,
                    Part::Name(name) => next[place + 1] |= name.matches(component),
                }
            }
            self.pass_any_depth(&mut next);
            reached = next;
        }
        reached[self.parts.len()]
    }

    /// Whether every path that `other` matches is matched. Sound, not complete.
    #[must_use]
    pub fn covers(&self, other: &UrlPattern) -> bool {
        let ends = other.parts.len();
        // `below[j]`: our parts after the current one match everything their parts from `j` on match.
        let mut below: Vec<bool> = (0..=ends).map(|at| at == ends).collect();
        for our in self.parts.iter().rev() {
            let mut row = vec![false; ends + 1];
            row[ends] = matches!(our, Part::AnyDepth) && below[ends];
            for (at, their) in other.parts.iter().enumerate().rev() {
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

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `**` may stand for nothing, so its place implies the next.
    fn pass_any_depth(&self, reached: &mut [bool]) {
        for (place, part) in self.parts.iter().enumerate() {
            if matches!(part, Part::AnyDepth) && reached[place] {
                reached[place + 1] = true;
            }
        }
    }
}

impl FromStr for UrlPattern {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let bad = |problem: &str| Refusal::format("path:", format_args!("{text:?} {problem}"));
        if text.len() > MAX_PATTERN_BYTES {
            return Err(bad("is longer than 4096 bytes"));
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err(bad("does not start with /"));
        };
        if rest.split('/').count() > MAX_PATTERN_COMPONENTS {
            return Err(bad("has more than 64 components"));
        }
        // Something has to stand in place of the wildcards; a letter is right wherever one is.
        check(&text.replace(['*', '?'], "x")).map_err(bad)?;
        let parts = rest.split('/').map(|component| match component {
            "**" => Ok(Part::AnyDepth),
            inside if inside.contains("**") => {
                Err(bad("has ** together with something else in one component"))
            }
            name => Ok(Part::Name(Component::new(name))),
        });
        Ok(Self {
            parts: parts.collect::<Result<_, _>>()?,
            text: text.into(),
        })
    }
}

impl fmt::Display for UrlPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for UrlPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "UrlPattern({:?})", &*self.text)
    }
}

/// Patterns are equal when their texts are.
impl PartialEq for UrlPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for UrlPattern {}

as_text!(UrlPattern);

/// How often what was decoded is decoded again, at most.
const MAX_ROUNDS: usize = 8;

/// Whether servers can be expected to take a path for what it says. The error is the rest of a sentence.
///
/// Refused is all that one server takes for another path than the next: what it could resolve (`//`, `.` and `..`, also
/// before a `;`), decode to a separator or dot, however often it decodes, or cut off. What is not UTF-8 when decoded is
/// refused because of the long forms of these characters.
pub(super) fn check(path: &str) -> Result<(), &'static str> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err("does not start with /");
    };
    if !path.bytes().all(is_path_byte) {
        return Err("has a character that has to be percent-encoded");
    }
    let last = rest.split('/').count() - 1;
    for (place, component) in rest.split('/').enumerate() {
        if component.is_empty() && place < last {
            return Err("has two slashes in a row");
        }
        if is_dots(component.as_bytes()) {
            return Err("has a component . or ..");
        }
        check_deeper(decode(component)?)?;
    }
    Ok(())
}

/// The characters of a path by RFC 3986 (`pchar` and `/`).
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte)
}

/// Decodes a component and refuses what must not be in it in this form.
fn decode(component: &str) -> Result<Vec<u8>, &'static str> {
    let mut decoded = Vec::with_capacity(component.len());
    let mut rest = component.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            decoded.push(first);
            continue;
        }
        let byte = hex_pair(rest).ok_or("has a % that is not followed by two hex digits")?;
        rest = &rest[2..];
        if is_hidden(byte) {
            return Err("has a percent-encoded / \\ . or control character");
        }
        decoded.push(byte);
    }
    Ok(decoded)
}

fn is_hidden(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\' | b'.') || byte.is_ascii_control()
}

/// Whether a component means this folder or the one above. Some servers take what follows a `;` for a parameter and drop
/// it before they resolve dots.
fn is_dots(component: &[u8]) -> bool {
    let name = component.split(|byte| *byte == b';').next();
    matches!(name, Some(b"." | b".."))
}

/// Looks at what a component becomes when a server decodes it again and again. Each round starts from the whole text of
/// the one before, since the digits after a `%` may have been encoded themselves.
fn check_deeper(mut text: Vec<u8>) -> Result<(), &'static str> {
    for _ in 0..MAX_ROUNDS {
        if std::str::from_utf8(&text).is_err() {
            return Err("has percent-encoded bytes that are not UTF-8");
        }
        if is_dots(&text) {
            return Err("has a component . or .. in which something is percent-encoded");
        }
        let mut decoded = Vec::with_capacity(text.len());
        let mut rest = &text[..];
        while let Some((&first, after)) = rest.split_first() {
            rest = after;
            match hex_pair(after).filter(|_| first == b'%') {
                Some(byte) if is_hidden(byte) => {
                    return Err("has a / \\ . or control character that is percent-encoded twice");
                }
                Some(byte) => {
                    decoded.push(byte);
                    rest = &after[2..];
                }
                None => decoded.push(first),
            }
        }
        if decoded.len() == text.len() {
            return Ok(());
        }
        text = decoded;
    }
    Err("is percent-encoded more often than any server has a reason to decode")
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}
