//! Lines of a header: text with places for a year or a range of years.

use crate::config::Years;

/// One line of a header, cut at the places where years stand. The pieces in between are literal.
#[derive(Debug)]
pub(crate) struct Line {
    pieces: Vec<String>,
}

/// How a line of a file differs from a line of the header.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Difference {
    /// The text is another.
    Text,
    /// Years that are not allowed, or in descending order.
    Year(String),
}

/// Reads one line of a header template; `{year}` and `{holder}` are the only things in braces.
pub(crate) fn parse(template: &str, holder: Option<&str>) -> Result<Line, String> {
    let mut pieces = vec![String::new()];
    let mut rest = template.trim_end();
    while let Some(open) = rest.find('{') {
        let close = rest[open..]
            .find('}')
            .ok_or_else(|| format!("{template:?} has a brace that is not closed"))?;
        let (text, place) = (&rest[..open], &rest[open..=open + close]);
        rest = &rest[open + close + 1..];
        // There is always a last piece.
        if let Some(last) = pieces.last_mut() {
            last.push_str(text);
            if place == "{holder}" {
                last.push_str(holder.ok_or("the header names {holder}, but there is no holder")?);
            }
        }
        match place {
            "{holder}" => {}
            "{year}" => pieces.push(String::new()),
            _ => {
                return Err(format!(
                    "{place} in {template:?} is neither {{year}} nor {{holder}}"
                ));
            }
        }
    }
    if let Some(last) = pieces.last_mut() {
        last.push_str(rest);
    }
    Ok(Line { pieces })
}

impl Line {
    /// Compares with a line of a comment. Spaces at its end do not count.
    pub(crate) fn compare(&self, text: &str, years: Years) -> Result<(), Difference> {
        let mut rest = text.trim_end();
        let mut wrong = None;
        for (index, piece) in self.pieces.iter().enumerate() {
            if index > 0 {
                let (range, after) = take_years(rest).ok_or(Difference::Text)?;
                let fits = range.first >= years.from && range.last <= years.to;
                if !fits || range.first > range.last {
                    wrong.get_or_insert(rest[..rest.len() - after.len()].to_owned());
                }
                rest = after;
            }
            rest = rest.strip_prefix(piece.as_str()).ok_or(Difference::Text)?;
        }
        match wrong {
            _ if !rest.is_empty() => Err(Difference::Text),
            Some(years) => Err(Difference::Year(years)),
            None => Ok(()),
        }
    }

    /// Whether it demands an empty line.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self.pieces.as_slice(), [text] if text.trim().is_empty())
    }

    /// The line for a message, with `YYYY` where years stand.
    pub(crate) fn example(&self) -> String {
        self.pieces.join("YYYY")
    }
}

struct Range {
    first: u16,
    last: u16,
}

/// Takes `YYYY` or `YYYY-YYYY` (also with an en dash, also with spaces around it) off the front.
fn take_years(text: &str) -> Option<(Range, &str)> {
    let (first, after) = take_year(text)?;
    let second = after
        .trim_start_matches(' ')
        .strip_prefix(['-', '–'])
        .and_then(|rest| take_year(rest.trim_start_matches(' ')));
    Some(match second {
        Some((last, rest)) => (Range { first, last }, rest),
        None => (Range { first, last: first }, after),
    })
}

fn take_year(text: &str) -> Option<(u16, &str)> {
    let digits = text.get(..4)?;
    let rest = &text[4..];
    let only_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !only_digits || rest.starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEARS: Years = Years {
        from: 2020,
        to: 2026,
    };

    fn compare(template: &str, text: &str) -> Result<(), Difference> {
        parse(template, Some("Example Ltd"))
            .unwrap()
            .compare(text, YEARS)
    }

    #[test]
    fn a_year_or_a_range_of_years_fits() {
        for text in [
            "(c) 2020 Example Ltd",
            "(c) 2020-2026 Example Ltd",
            "(c) 2021–2023 Example Ltd",
            "(c) 2021 - 2023 Example Ltd  ",
            "(c) 2021-2021 Example Ltd",
        ] {
            assert_eq!(compare("(c) {year} {holder}", text), Ok(()), "{text}");
        }
    }

    #[test]
    fn other_years_and_other_texts_are_told_apart() {
        for (text, years) in [
            ("(c) 2019 Example Ltd", "2019"),
            ("(c) 2019-2021 Example Ltd", "2019-2021"),
            ("(c) 2020-2027 Example Ltd", "2020-2027"),
            ("(c) 2024-2022 Example Ltd", "2024-2022"),
        ] {
            let expected = Err(Difference::Year(years.to_owned()));
            assert_eq!(compare("(c) {year} {holder}", text), expected, "{text}");
        }
        for text in [
            "(c) 2020 Other Ltd",
            "(c) 2020 Example Ltd.",
            "(c) 2019 Other Ltd",
            "(c) 20200 Example Ltd",
            "(c) 202 Example Ltd",
            "(c) year Example Ltd",
            "(c) ２０２０ Example Ltd",
            "(C) 2020 Example Ltd",
            "",
        ] {
            assert_eq!(
                compare("(c) {year} {holder}", text),
                Err(Difference::Text),
                "{text}"
            );
        }
    }

    #[test]
    fn years_may_stand_at_both_ends() {
        assert_eq!(compare("{year} x {year}", "2020 x 2021-2022"), Ok(()));
        assert_eq!(parse("a {year}", None).unwrap().example(), "a YYYY");
        assert!(parse("a {year", None).is_err());
    }
}
