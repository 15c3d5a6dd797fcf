//! Text that cannot deceive, and figures that can be read.

use std::borrow::Cow;

/// The text on one line, with everything that could hide, reorder or end text made visible: control characters as their
/// pictures (`␛`, `␀`, `␊`), other characters that are invisible or turn the direction as `\u{202e}`.
///
/// Letters of all scripts stay as they are; text that merely looks like other text is not treated. The result is not
/// escaped for HTML.
pub fn visible(text: &str) -> Cow<'_, str> {
    shown(text, false)
}

/// As [`visible`], but line feeds and tabs stay: for what a program said, and for lines of files.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    shown(text, true)
}

fn shown(text: &str, layout: bool) -> Cow<'_, str> {
    let stays = |char: char| !is_unsafe(char) || (layout && matches!(char, '\n' | '\t'));
    if text.chars().all(stays) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            char if stays(char) => safe.push(char),
            // The control pictures stand in the order of the controls.
            '\0'..='\u{1f}' => safe.extend(char::from_u32(0x2400 + u32::from(char))),
            '\u{7f}' => safe.push('␡'),
            other => safe.extend(other.escape_unicode()),
        }
    }
    Cow::Owned(safe)
}

/// Control characters (with ESC, so every terminal sequence), line and paragraph separators, and characters that are
/// invisible or change the direction of what follows (Unicode category Cf, as far as assigned).
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{115f}'..='\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// At most `most` characters of a text, and how many more there were.
pub fn clip(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((at, _)) => {
            let (shown, rest) = text.split_at(at);
            let more = grouped(rest.chars().count() as u64);
            Cow::Owned(format!("{shown}… ({more} more characters)"))
        }
    }
}

/// A number with its thousands set apart: `1,000,000`.
pub fn grouped(number: u64) -> String {
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

/// A large number, short and rounded down: `999`, `12.3 K`, `1.2 G`.
pub fn short(number: u64) -> String {
    const UNITS: [(&str, u64); 5] = [
        ("P", 1_000_000_000_000_000),
        ("T", 1_000_000_000_000),
        ("G", 1_000_000_000),
        ("M", 1_000_000),
        ("K", 1_000),
    ];
    for (unit, size) in UNITS {
        if number >= size {
            return tenths(number / size, number % size / (size / 10), unit);
        }
    }
    number.to_string()
}

/// A number of bytes in the largest unit that gives at least 1: `1.5 MiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, shift) in UNITS {
        let whole = count >> shift;
        if whole > 0 {
            // The rest is below 2^40, so ten times it fits.
            return tenths(whole, ((count - (whole << shift)) * 10) >> shift, unit);
        }
    }
    format!("{count} B")
}

/// A time span in microseconds, short and rounded down: `340 µs`, `12 ms`, `3.4 s`, `2 min 5 s`, `3 h 20 min`.
pub fn span(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..60_000_000 => tenths(seconds, micros / 100_000 % 10, "s"),
        60_000_000..3_600_000_000 => pair(seconds / 60, "min", seconds % 60, "s"),
        _ => pair(seconds / 3600, "h", seconds / 60 % 60, "min"),
    }
}

/// `1 finding`, `2 findings`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{} {many}", grouped(count)),
    }
}

fn tenths(whole: u64, tenths: u64, unit: &str) -> String {
    match tenths {
        0 => format!("{whole} {unit}"),
        tenths => format!("{whole}.{tenths} {unit}"),
    }
}

fn pair(large: u64, unit: &str, small: u64, small_unit: &str) -> String {
    match small {
        0 => format!("{large} {unit}"),
        small => format!("{large} {unit} {small} {small_unit}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_move_hide_or_reorder_is_made_visible() {
        for (text, expected) in [
            ("a\x1b[31mred", "a␛[31mred"),
            ("one\ntwo\r\t", "one␊two␍␉"),
            ("\0\u{7f}", "␀␡"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}txt.exe", "a\\u{202e}txt.exe"),
            ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
            ("x\u{200b}\u{feff}y", "x\\u{200b}\\u{feff}y"),
            ("\u{e0041}", "\\u{e0041}"),
        ] {
            assert_eq!(visible(text), expected);
        }
    }

    #[test]
    fn ordinary_text_of_any_script_stays() {
        for text in ["", "plain", "Grüße, 世界", "“quoted” `x`", "שלום", "🙂"] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn lines_and_tabs_stay_where_they_are_layout() {
        assert_eq!(visible_lines("a\n\tb\x1b[2J\rc"), "a\n\tb␛[2J␍c");
    }

    #[test]
    fn figures_are_short() {
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(short(999), "999");
        assert_eq!(short(12_345_678), "12.3 M");
        assert_eq!(short(1_000_000_000), "1 G");
        assert_eq!(short(u64::MAX), "18446.7 P");
        assert_eq!(bytes(1_023), "1023 B");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "16777215.9 TiB");
        assert_eq!(span(999), "999 µs");
        assert_eq!(span(12_900), "12 ms");
        assert_eq!(span(3_450_000), "3.4 s");
        assert_eq!(span(125_000_000), "2 min 5 s");
        assert_eq!(span(3_600_000_000), "1 h");
        assert_eq!(counted(1, "step", "steps"), "1 step");
    }

    #[test]
    fn long_text_is_clipped_at_a_character() {
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("äöüß", 3), "äöü… (1 more characters)");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in any::<String>(), most in 0_usize..40) {
            prop_assert!(!visible(&text).chars().any(is_unsafe));
            let lines = visible_lines(&text);
            prop_assert!(lines.chars().all(|char| matches!(char, '\n' | '\t') || !is_unsafe(char)));
            prop_assert!(clip(&text, most).chars().count() <= most + 40);
        }

        #[test]
        fn figures_never_panic(number in any::<u64>()) {
            prop_assert!(!short(number).is_empty() && !bytes(number).is_empty() && !span(number).is_empty());
        }
    }
}
