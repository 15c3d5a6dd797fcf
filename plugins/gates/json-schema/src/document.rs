//! A JSON text: its value, and where things stand in it.

use serde_json::Value;

use crate::scan::{Found, Scan};

/// A text that is JSON.
pub(crate) struct Document<'a> {
    text: &'a str,
    pub(crate) value: Value,
}

/// A line and a column in Unicode scalar values, both from 1.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl<'a> Document<'a> {
    /// Reads a text, or says where it stops to be JSON and why.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, (Place, String)> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            // All before that is UTF-8.
            let before = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            (place(before, before.len()), "not UTF-8".to_owned())
        })?;
        if text.starts_with('\u{feff}') {
            let place = Place { line: 1, column: 1 };
            return Err((
                place,
                "a byte order mark, which RFC 8259 does not allow".to_owned(),
            ));
        }
        let value = serde_json::from_str(text).map_err(|error| {
            let at = offset(text, error.line(), error.column());
            let said = error.to_string();
            let reason = said.split(" at line ").next().unwrap_or_default();
            (place(text, at), reason.to_owned())
        })?;
        Ok(Self { text, value })
    }

    /// Where the values stand that the pointers name, and which keys are there twice.
    pub(crate) fn scan(&self, pointers: impl IntoIterator<Item = String>) -> Found {
        Scan::run(self.text, pointers)
    }

    /// The place of a byte.
    pub(crate) fn place(&self, at: usize) -> Place {
        place(self.text, at)
    }
}

fn place(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[start..].chars().count() + 1;
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Place {
        line: number(line),
        column: number(column),
    }
}

/// The byte that serde_json means by a line from 1 and a column that counts the bytes up to and including it.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8]) -> (u32, u32, String) {
        let (place, reason) = Document::parse(bytes).err().unwrap();
        (place.line, place.column, reason)
    }

    #[test]
    fn errors_have_a_place_in_characters() {
        assert_eq!(
            error(b"{\n  \"a\": x\n}"),
            (2, 8, "expected value".to_owned())
        );
        assert_eq!(
            error("{\"é\": \"ü\" x}".as_bytes()),
            (1, 11, "expected `,` or `}`".to_owned())
        );
        assert_eq!(error(b"{\"a\":\xff}"), (1, 6, "not UTF-8".to_owned()));
        assert_eq!(error("\u{feff}{}".as_bytes()).1, 1);
        assert_eq!(error(b"[1] 2").2, "trailing characters");
        assert!(error(b"").2.starts_with("EOF"));
        assert!(error("[".repeat(1000).as_bytes()).2.contains("recursion"));
        assert!(error(b"[1e999]").2.contains("out of range"));
        for text in ["// x\n{}", "{'a':1}", "[1,]", "NaN", "{\"a\":01}"] {
            error(text.as_bytes());
        }
    }
}
