//! The text of a rules file, and places in it.

use std::ops::Range;

use crate::error::{Place, RulesError};

/// A part of the text, in bytes.
pub(crate) type Span = Range<usize>;

/// The largest rules file, in bytes: 1 MiB.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// The text of a file without its byte order mark, and where its lines begin.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    name: &'static str,
    text: String,
    lines: Vec<usize>,
}

/// The codes for what can be wrong with any file of one kind.
#[derive(Debug)]
pub(crate) struct Codes {
    /// The file's name, for messages.
    pub(crate) file: &'static str,
    pub(crate) too_large: &'static str,
    pub(crate) encoding: &'static str,
    pub(crate) syntax: &'static str,
    pub(crate) key: &'static str,
    pub(crate) wrong_type: &'static str,
    pub(crate) missing: &'static str,
    pub(crate) version: &'static str,
}

impl Source {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// More than [`MAX_FILE_BYTES`], or not UTF-8.
    pub(crate) fn read(bytes: &[u8], codes: &Codes) -> Result<Self, RulesError> {
        let name = codes.file;
        if bytes.len() > MAX_FILE_BYTES {
            let sentence = format!(
                "{name} has {} bytes, the most is {MAX_FILE_BYTES}",
                bytes.len()
            );
            return Err(RulesError::usage(codes.too_large, sentence)
                .with_hint("it may be another kind of file"));
        }
        let (text, bad) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
                (std::str::from_utf8(good).unwrap_or_default(), Some(good))
            }
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let source = Self::new(name, text);
        match bad {
            None => Ok(source),
            Some(_) => {
                let end = source.text.len();
                Err(
                    RulesError::usage(codes.encoding, format!("{name} is not UTF-8"))
                        .with_hint("save the file as UTF-8")
                        .at(&source, &(end..end)),
                )
            }
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The line that the byte is in, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).max(1)
    }

    /// The place of a span, marked as far as its first line goes and at least one character long.
    pub(crate) fn place(&self, span: &Span) -> Place {
        let line = self.line(span.start);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let rest = self.text.get(start..).unwrap_or_default();
        let content = rest.split('\n').next().unwrap_or_default();
        let content = content.strip_suffix('\r').unwrap_or(content);
        let count = |to: usize| {
            let before = content.char_indices();
            before.take_while(|(at, _)| start + at < to).count()
        };
        let column = count(span.start);
        let marked = count(span.end).saturating_sub(column).max(1);
        let (source, marker) = excerpt(content, column, marked);
        Place {
            file: self.name,
            line,
            column: column + 1,
            source,
            marker,
        }
    }

    fn new(name: &'static str, text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            name,
            text: text.to_owned(),
            lines: std::iter::once(0)
                .chain(breaks.map(|(at, _)| at + 1))
                .collect(),
        }
    }
}

/// The line, cut around the mark where it is long, and the mark below it. Both are counted in characters.
fn excerpt(content: &str, column: usize, marked: usize) -> (String, String) {
    let skipped = if column < SHOWN - BEFORE {
        0
    } else {
        column - BEFORE
    };
    let mut source = String::new();
    if skipped > 0 {
        source.push('…');
    }
    let mut rest = content.chars().skip(skipped);
    source.extend(rest.by_ref().take(SHOWN).map(shown));
    if rest.next().is_some() {
        source.push('…');
    }
    let indent = column - skipped + usize::from(skipped > 0);
    let carets = marked.min(SHOWN - (column - skipped));
    let marker = format!("{}{}", " ".repeat(indent), "^".repeat(carets));
    (source, marker)
}

/// The character, or one of the same width in place of a character that moves the cursor, is invisible or reorders text.
fn shown(char: char) -> char {
    match char {
        '\t' => ' ',
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => char::REPLACEMENT_CHARACTER,
        char if char.is_control() => char::REPLACEMENT_CHARACTER,
        char => char,
    }
}

/// How much of a line is shown, in characters.
const SHOWN: usize = 100;
/// How much of a long line is shown before the mark, in characters.
const BEFORE: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, span: Span) -> Place {
        Source::new("file", text).place(&span)
    }

    #[test]
    fn columns_are_characters_and_lines_end_at_either_kind_of_break() {
        let found = place("a\r\nü\tb = 1\r\n", 6..7);
        assert_eq!((found.line, found.column), (2, 3));
        assert_eq!((&*found.source, &*found.marker), ("ü b = 1", "  ^"));
        let end = place("a\n", 2..2);
        assert_eq!((end.line, end.column, &*end.marker), (2, 1, "^"));
        let over = place("key = [\n1]", 6..10);
        assert_eq!(&*over.marker, "      ^");
    }

    #[test]
    fn long_lines_are_cut_around_the_mark() {
        let line = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let found = place(&line, 500..501);
        assert_eq!(found.column, 501);
        let at = found.marker.chars().count() - 1;
        assert_eq!(found.source.chars().nth(at), Some('X'));
        assert_eq!(found.source.chars().count(), SHOWN + 2);
        let whole = place(&line, 0..1001);
        assert_eq!(whole.marker, "^".repeat(SHOWN));
    }

    #[test]
    fn nothing_shown_moves_the_cursor() {
        let found = place("a\u{1b}[2J\u{202e}b", 0..1);
        assert_eq!(found.source, "a\u{fffd}[2J\u{fffd}b");
    }
}
