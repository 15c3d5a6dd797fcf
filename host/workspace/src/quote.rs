//! Names in patches, quoted as git does with `core.quotePath` on, its default (`quote.c` of git).

use std::fmt::Write as _;

/// A name with its prefix (`a/` or `b/`), in quotes only where it needs them.
pub(crate) fn quoted(prefix: &str, name: &str) -> String {
    if !name.bytes().any(needs_quotes) {
        return format!("{prefix}{name}");
    }
    let mut text = format!("\"{prefix}");
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            0x07..=0x0d => {
                text.push('\\');
                text.push(char::from(LETTERS[usize::from(byte - 0x07)]));
            }
            _ if needs_quotes(byte) => {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\{byte:03o}");
            }
            _ => text.push(char::from(byte)),
        }
    }
    text.push('"');
    text
}

fn needs_quotes(byte: u8) -> bool {
    !(0x20..0x7f).contains(&byte) || matches!(byte, b'"' | b'\\')
}

/// What follows the backslash for BEL, BS, HT, LF, VT, FF, CR.
const LETTERS: [u8; 7] = *b"abtnvfr";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_stay_and_others_are_quoted() {
        assert_eq!(quoted("a/", "docs/a b.md"), "a/docs/a b.md");
        assert_eq!(quoted("b/", "é"), "\"b/\\303\\251\"");
        assert_eq!(
            quoted("a/", "t\tn\nq\"b\\\u{1}"),
            "\"a/t\\tn\\nq\\\"b\\\\\\001\""
        );
    }
}
