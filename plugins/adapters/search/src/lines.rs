//! Finding in the bytes of one file.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memrchr};

use crate::Match;
use crate::request::Needle;

/// Characters of a line that are shown.
const TEXT_CHARACTERS: usize = 400;

/// How much of a file decides whether it is text.
const HEAD_BYTES: usize = 8192;

/// Whether the content is no text: it has a NUL near its beginning.
pub(crate) fn is_binary(content: &[u8]) -> bool {
    memchr(0, &content[..content.len().min(HEAD_BYTES)]).is_some()
}

/// The first `room` lines that match. Bytes that are not UTF-8 are shown, and matched by patterns, as U+FFFD.
pub(crate) fn find(needle: &Needle<'_>, path: &str, content: &[u8], room: usize) -> Vec<Match> {
    match needle {
        Needle::Text(finder) => find_text(path, content, room, |rest| finder.find(rest)),
        Needle::Pattern(expression) => {
            let text = String::from_utf8_lossy(content);
            let lines = text.lines().zip(1..);
            let hits = lines.filter_map(|(line, number)| {
                Some(found(
                    path,
                    number,
                    line.into(),
                    expression.find(line)?.start(),
                ))
            });
            hits.take(room).collect()
        }
    }
}

/// Goes from hit to hit, and counts lines only as far as there are hits.
fn find_text(
    path: &str,
    content: &[u8],
    room: usize,
    next: impl Fn(&[u8]) -> Option<usize>,
) -> Vec<Match> {
    let mut matches = Vec::new();
    let (mut at, mut line) = (0, 1);
    while matches.len() < room {
        let Some(hit) = next(&content[at..]).map(|offset| at + offset) else {
            break;
        };
        line += memchr_iter(b'\n', &content[at..hit]).count() as u64;
        let start = memrchr(b'\n', &content[..hit]).map_or(0, |newline| newline + 1);
        let end = memchr(b'\n', &content[hit..]).map_or(content.len(), |offset| hit + offset);
        let text = content[start..end]
            .strip_suffix(b"\r")
            .unwrap_or(&content[start..end]);
        let column = String::from_utf8_lossy(&content[start..hit]).len();
        matches.push(found(path, line, String::from_utf8_lossy(text), column));
        if end == content.len() {
            break;
        }
        at = end + 1;
        line += 1;
    }
    matches
}

/// `offset` is that of the match in the line, in bytes.
fn found(path: &str, line: u64, text: Cow<'_, str>, offset: usize) -> Match {
    Match {
        path: path.to_owned(),
        line,
        column: text
            .char_indices()
            .take_while(|(start, _)| *start < offset)
            .count() as u64
            + 1,
        text: text.chars().take(TEXT_CHARACTERS).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;

    fn hits(arguments: &str, content: &[u8], room: usize) -> Vec<(u64, u64, String)> {
        let request: Request = leasehold_plugin::adapter::arguments(arguments).unwrap();
        let needle = request.needle().unwrap();
        find(&needle, "f", content, room)
            .into_iter()
            .map(|found| (found.line, found.column, found.text))
            .collect()
    }

    fn hit(line: u64, column: u64, text: &str) -> (u64, u64, String) {
        (line, column, text.to_owned())
    }

    #[test]
    fn text_and_pattern_find_the_same() {
        let content = "über alles\n\nno\r\nan übermut über\r\nüber".as_bytes();
        let expected = [
            hit(1, 1, "über alles"),
            hit(4, 4, "an übermut über"),
            hit(5, 1, "über"),
        ];
        assert_eq!(hits(r#"{"text":"über"}"#, content, 9), expected);
        assert_eq!(hits(r#"{"pattern":"[ü]ber"}"#, content, 9), expected);
        assert_eq!(
            hits(r#"{"text":"ÜBER","case_sensitive":false}"#, content, 9),
            []
        );
        assert_eq!(
            hits(r#"{"text":"üBER","case_sensitive":false}"#, content, 9),
            expected
        );
    }

    #[test]
    fn text_is_not_taken_for_a_pattern() {
        assert_eq!(
            hits(r#"{"text":"a.c","case_sensitive":false}"#, b"abc\nA.C\n", 9),
            [hit(2, 1, "A.C")]
        );
        assert_eq!(
            hits(r#"{"text":"a.c"}"#, b"abc\na.c\n", 9),
            [hit(2, 1, "a.c")]
        );
    }

    #[test]
    fn a_pattern_sees_one_line_at_a_time() {
        assert_eq!(
            hits(r#"{"pattern":"^b.*$"}"#, b"ab\nbc\ncb\n", 9),
            [hit(2, 1, "bc")]
        );
        assert_eq!(hits(r#"{"pattern":"a\\sb"}"#, b"a\nb\n", 9), []);
    }

    #[test]
    fn there_are_no_more_than_wanted_and_no_line_twice() {
        assert_eq!(
            hits(r#"{"text":"a"}"#, b"aaa\naaa\naaa", 2),
            [hit(1, 1, "aaa"), hit(2, 1, "aaa")]
        );
        assert_eq!(
            hits(r#"{"pattern":"a"}"#, b"aaa\naaa\naaa", 2),
            [hit(1, 1, "aaa"), hit(2, 1, "aaa")]
        );
        assert_eq!(hits(r#"{"text":"a"}"#, b"", 2), []);
    }

    #[test]
    fn bytes_that_are_no_text_do_not_hide_a_match() {
        assert_eq!(
            hits(r#"{"text":"key"}"#, b"\xff\xfekey\n", 9),
            [hit(1, 3, "\u{fffd}\u{fffd}key")]
        );
        assert!(is_binary(b"ab\0cd"));
        assert!(!is_binary("äöü".as_bytes()));
    }

    #[test]
    fn a_long_line_is_cut() {
        let line = "x".repeat(1000);
        assert_eq!(
            hits(r#"{"text":"x"}"#, line.as_bytes(), 9),
            [hit(1, 1, &"x".repeat(400))]
        );
    }

    #[test]
    fn the_manifest_is_well_formed() {
        let manifest =
            leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
        assert_eq!(manifest.tools.len(), 1);
    }
}
