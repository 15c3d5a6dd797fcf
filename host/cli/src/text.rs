//! Making untrusted text safe to look at, and numbers easy to read.

use std::borrow::Cow;
use std::time::Duration;

/// How much of one untrusted text is shown, in characters.
pub(crate) const SHOWN: usize = 400;

/// The text on one line, with everything that could move the cursor, hide or reorder text written out as an escape.
///
/// Letters of all scripts stay as they are; text that merely looks like other text is not treated.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        push_visible(&mut safe, char);
    }
    Cow::Owned(safe)
}

/// As [`visible`], but line feeds and tabs stay: for the output of a program on a terminal.
pub(crate) fn visible_lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '\n' | '\t' => safe.push(char),
            other => push_visible(&mut safe, other),
        }
    }
    safe
}

/// The same JSON with every unsafe character of its strings written as an escape, which JSON has for all of them.
pub(crate) fn visible_json(json: &str) -> String {
    let plain = |byte: u8| byte == b'\n' || (b' '..=b'~').contains(&byte);
    let mut safe = String::with_capacity(json.len());
    let mut rest = json;
    // What is printable ASCII is taken over by the run.
    while let Some(end) = rest.bytes().position(|byte| !plain(byte)) {
        let (run, others) = rest.split_at(end);
        safe.push_str(run);
        let mut chars = others.chars();
        if let Some(char) = chars.next() {
            // Outside of strings there is no other unsafe character than the line feeds of the layout; inside there are none.
            if is_unsafe(char) {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    safe.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                safe.push(char);
            }
        }
        rest = chars.as_str();
    }
    safe.push_str(rest);
    safe
}

/// At most `most` characters of a text, and how many more there were.
pub(crate) fn clip(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((at, _)) => {
            let (shown, rest) = text.split_at(at);
            Cow::Owned(format!(
                "{shown}… ({} more characters)",
                rest.chars().count()
            ))
        }
    }
}

/// A number with its thousands set apart: `1,000,000`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes in the largest unit that gives at least 1: `1.5 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, shift) in UNITS {
        let whole = count >> shift;
        if whole > 0 {
            let tenths = ((count - (whole << shift)) * 10) >> shift;
            return match tenths {
                0 => format!("{whole} {unit}"),
                tenths => format!("{whole}.{tenths} {unit}"),
            };
        }
    }
    format!("{count} B")
}

/// A time span, short: `340 µs`, `12 ms`, `3.4 s`.
pub(crate) fn span(duration: Duration) -> String {
    match duration.as_micros() {
        micros @ 0..1_000 => format!("{micros} µs"),
        micros @ 1_000..1_000_000 => format!("{} ms", micros / 1_000),
        micros => match micros / 100_000 % 10 {
            0 => format!("{} s", micros / 1_000_000),
            tenths => format!("{}.{tenths} s", micros / 1_000_000),
        },
    }
}

/// `1 finding`, `2 findings`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{} {many}", grouped(count as u64))
    }
}

/// A word as a shell takes it: as it is when nothing in it is special, in single quotes otherwise.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_./:=@,+%".contains(char);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn push_visible(safe: &mut String, char: char) {
    match char {
        '\n' => safe.push_str("\\n"),
        '\r' => safe.push_str("\\r"),
        '\t' => safe.push_str("\\t"),
        other if is_unsafe(other) => {
            safe.extend(other.escape_unicode());
        }
        other => safe.push(other),
    }
}

/// Control characters (with ESC, so every terminal sequence), line and paragraph separators, and characters that are invisible
/// or change the direction of what follows (Unicode category Cf, as far as assigned).
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{115f}'..='\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_sequences_and_line_breaks_are_written_out() {
        assert_eq!(visible("a\x1b[31mred\x1b[0m"), "a\\u{1b}[31mred\\u{1b}[0m");
        assert_eq!(
            visible("one\ntwo\r\tthree\u{85}\u{2028}"),
            "one\\ntwo\\r\\tthree\\u{85}\\u{2028}"
        );
        assert_eq!(visible("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(visible("\u{7f}\0"), "\\u{7f}\\u{0}");
    }

    #[test]
    fn text_that_turns_around_or_hides_is_written_out() {
        for (hidden, shown) in [
            ("a\u{202e}txt.exe", "a\\u{202e}txt.exe"),
            ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
            ("x\u{200b}y\u{200f}", "x\\u{200b}y\\u{200f}"),
            ("\u{feff}", "\\u{feff}"),
            ("\u{e0041}", "\\u{e0041}"),
        ] {
            assert_eq!(visible(hidden), shown);
        }
    }

    #[test]
    fn ordinary_text_of_any_script_stays() {
        for text in [
            "",
            "plain",
            "Grüße, 世界",
            "naïve — “quoted” `x`",
            "שלום",
            "🙂",
        ] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn output_keeps_its_lines_and_nothing_else() {
        assert_eq!(visible_lines("a\n\tb\x1b[2J\rc"), "a\n\tb\\u{1b}[2J\\rc");
    }

    #[test]
    fn json_keeps_its_meaning_and_loses_its_tricks() {
        let text = "a\n\u{9b}1m\u{202e}b\u{e0041}c\x1bé";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let safe = visible_json(&json);
        assert!(
            safe.lines().count() == 3
                && safe.replace('\n', "").chars().all(|char| !is_unsafe(char))
        );
        assert_eq!(serde_json::from_str::<Vec<String>>(&safe).unwrap(), [text]);
    }

    #[test]
    fn long_text_is_clipped_at_a_character() {
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("äöüß", 3), "äöü… (1 more characters)");
    }

    #[test]
    fn numbers_are_grouped_and_scaled() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1_023), "1023 B");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(256 << 20), "256 MiB");
        assert_eq!(bytes(4 << 30), "4 GiB");
        assert_eq!(span(Duration::from_micros(999)), "999 µs");
        assert_eq!(span(Duration::from_millis(12)), "12 ms");
        assert_eq!(span(Duration::from_millis(3_450)), "3.4 s");
        assert_eq!(span(Duration::from_secs(10)), "10 s");
    }

    #[test]
    fn words_are_quoted_only_where_a_shell_needs_it() {
        assert_eq!(quoted("docs/a.md"), "docs/a.md");
        assert_eq!(quoted("docs/**"), "'docs/**'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
