//! Reading a list.

use std::collections::BTreeSet;

use crate::names::check_path;
use crate::offence::Offence;

/// A line whose path is sound.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u32,
    /// 64 lower-case hexadecimal digits.
    pub digest: String,
    /// The path.
    pub path: String,
}

/// The lines of a list, and what is wrong with its form. `own` is the path of the list itself, which it does not hold.
pub fn parse(bytes: &[u8], own: &str) -> (Vec<Line>, Vec<Offence>) {
    let mut offences = Vec::new();
    if bytes.is_empty() {
        offences.push(Offence::of_list("empty", "the manifest is empty"));
    }
    let bytes = match bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => {
            offences.push(Offence::at_line(
                "encoding",
                1,
                "the manifest begins with a byte order mark",
            ));
            rest
        }
        None => bytes,
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        offences.push(Offence::of_list("encoding", "the manifest is not UTF-8"));
        return (Vec::new(), offences);
    };
    if let Some(at) = text.find('\r') {
        let line = text
            .get(..at)
            .map_or(0, |ahead| ahead.matches('\n').count());
        let number = u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1);
        offences.push(Offence::at_line(
            "line-ending",
            number,
            "lines end with LF alone, and here is a CR",
        ));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        offences.push(Offence::of_list(
            "final-newline",
            "the last line is not ended",
        ));
    }
    let mut lines = Vec::new();
    for (text, number) in text.lines().zip(1..) {
        match parse_line(text.trim_end_matches('\r'), number) {
            Ok(line) => lines.push(line),
            Err(offence) => offences.push(offence),
        }
    }
    offences.extend(disorder(&lines, own));
    (lines, offences)
}

fn parse_line(text: &str, number: u32) -> Result<Line, Offence> {
    let form = || {
        Offence::at_line(
            "syntax",
            number,
            "a line is 64 lower-case hexadecimal digits, two blanks and a path",
        )
    };
    let (digest, path) = text.split_once("  ").ok_or_else(form)?;
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digest.len() != 64 || !digest.bytes().all(hex) {
        return Err(form());
    }
    if let Some((rule, message)) = check_path(path) {
        return Err(Offence::at_line(rule, number, message));
    }
    Ok(Line {
        number,
        digest: digest.to_owned(),
        path: path.to_owned(),
    })
}

fn disorder(lines: &[Line], own: &str) -> Vec<Offence> {
    let mut offences = Vec::new();
    let mut seen = BTreeSet::new();
    let mut highest = "";
    for line in lines {
        let path = line.path.as_str();
        if path == own {
            offences.push(Offence::at_line(
                "itself",
                line.number,
                "the manifest lists itself",
            ));
        }
        if !seen.insert(path) {
            offences.push(Offence::at_line(
                "duplicate",
                line.number,
                format!("{path:?} is listed again"),
            ));
        } else if path < highest {
            let message = format!(
                "{path:?} stands behind {highest:?}: lines are sorted by the bytes of their paths"
            );
            offences.push(Offence::at_line("order", line.number, message));
        }
        highest = highest.max(path);
    }
    offences
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";

    fn rules(text: impl AsRef<[u8]>) -> Vec<&'static str> {
        let (_, offences) = parse(text.as_ref(), "manifest.txt");
        offences.iter().map(|offence| offence.rule).collect()
    }

    #[test]
    fn a_list_in_good_form_is_read() {
        let (lines, offences) = parse(
            format!("{A}  a\n{A}  a b/ c\n{A}  é\n").as_bytes(),
            "manifest.txt",
        );
        assert_eq!(offences, []);
        let paths: Vec<(u32, &str)> = lines
            .iter()
            .map(|line| (line.number, line.path.as_str()))
            .collect();
        assert_eq!(paths, [(1, "a"), (2, "a b/ c"), (3, "é")]);
    }

    #[test]
    fn every_fault_of_form_has_its_rule() {
        for (text, expected) in [
            (String::new(), vec!["empty"]),
            ("\n".to_owned(), vec!["syntax"]),
            (format!("{A}  a"), vec!["final-newline"]),
            (format!("{A}  a\r\n"), vec!["line-ending"]),
            (format!("\u{feff}{A}  a\n"), vec!["encoding"]),
            (format!("{A} a\n"), vec!["syntax"]),
            (format!("{A} *a\n"), vec!["syntax"]),
            (format!("\\{A}  a\n"), vec!["syntax"]),
            (format!("{}  a\n", A.to_uppercase()), vec!["syntax"]),
            (format!("{}  a\n", &A[1..]), vec!["syntax"]),
            (format!("{A}  a\n\n{A}  b\n"), vec!["syntax"]),
            (format!("{A}  b\n{A}  a\n"), vec!["order"]),
            (format!("{A}  a\n{A}  a\n"), vec!["duplicate"]),
            (format!("{A}  a\n{A}  b\n{A}  a\n"), vec!["duplicate"]),
            (format!("{A}  manifest.txt\n"), vec!["itself"]),
            (format!("{A}  ../a\n"), vec!["upwards"]),
            (format!("{A}  /a\n"), vec!["absolute"]),
            (format!("{A}  a\\b\n"), vec!["backslash"]),
            (format!("{A}  C:/a\n"), vec!["drive"]),
        ] {
            assert_eq!(rules(&text), expected, "{text:?}");
        }
        assert_eq!(rules(b"\xFF\n"), ["encoding"]);
    }

    #[test]
    fn order_is_that_of_the_bytes() {
        assert_eq!(
            rules(format!("{A}  B\n{A}  a\n{A}  a-b\n{A}  a/b\n{A}  ab\n")),
            [""; 0]
        );
        assert_eq!(rules(format!("{A}  a/b\n{A}  a-b\n")), ["order"]);
    }

    /// Whatever the bytes are: no panic, and a list without offences says again what it said.
    #[test]
    fn what_has_no_offence_is_written_again_as_it_was() {
        let pieces = [
            A,
            "  ",
            " ",
            "a",
            "b/c",
            "\n",
            "\r\n",
            "..",
            "/",
            "\\",
            "é",
            "\u{feff}",
            "manifest.txt",
        ];
        let mut state = 3_u64;
        let mut good = 0;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..6 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            let (lines, offences) = parse(text.as_bytes(), "manifest.txt");
            if offences.is_empty() {
                good += 1;
                let again: String = lines
                    .iter()
                    .map(|line| format!("{}  {}\n", line.digest, line.path))
                    .collect();
                assert_eq!(again, text);
            }
        }
        assert!(good > 0);
    }
}
