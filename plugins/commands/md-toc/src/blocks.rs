//! Blocks: finds headings and markers, and passes over what only looks like them. The part of CommonMark 0.31 that matters for that.

use crate::html::{self, End};

/// A heading, in its source form.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Heading {
    /// Its first line, from 0.
    pub(crate) line: usize,
    /// 1 to 6.
    pub(crate) level: u8,
    pub(crate) text: String,
    /// Whether it stands in a block quote.
    pub(crate) quoted: bool,
}

/// The headings, and the lines (from 0) with markers: true for the start of a table of contents, false for its end.
pub(crate) fn headings(lines: &[&str]) -> (Vec<Heading>, Vec<(usize, bool)>) {
    let mut reader = Reader::default();
    for (number, line) in lines.iter().enumerate().skip(front_matter(lines)) {
        let line = if number == 0 {
            line.trim_start_matches('\u{feff}')
        } else {
            line
        };
        reader.take(number, line.trim_end_matches(['\n', '\r']));
    }
    (reader.headings, reader.markers)
}

/// How many lines stand in front of the document, between `---` and `---`.
fn front_matter(lines: &[&str]) -> usize {
    let rule = |line: &&str| line.trim_end() == "---";
    match lines
        .first()
        .map(|line| line.trim_start_matches('\u{feff}'))
    {
        Some(first) if rule(&first) => lines.iter().skip(1).position(rule).map_or(0, |end| end + 2),
        _ => 0,
    }
}

#[derive(Default)]
struct Reader {
    headings: Vec<Heading>,
    markers: Vec<(usize, bool)>,
    /// The block in which Markdown is not read, and in how many quotes it stands.
    verbatim: Option<(Verbatim, usize)>,
    /// Columns by which the content of the list item is indented.
    item: usize,
    /// Whether the text at hand belongs to a list item: a line below it then makes no heading.
    in_item: bool,
    /// Lines of the paragraph at hand, with the number of the first and in how many quotes it stands.
    paragraph: Option<(usize, usize, Vec<String>)>,
}

enum Verbatim {
    /// Fenced code: the character and the length of the fence.
    Fence(char, usize),
    Html(End),
}

impl Reader {
    fn take(&mut self, number: usize, line: &str) {
        let (quotes, line) = unquote(line);
        if self.in_verbatim(quotes, line) {
            return;
        }
        if line.trim().is_empty() {
            self.end_paragraph();
            return;
        }
        if self
            .paragraph
            .as_ref()
            .is_some_and(|paragraph| paragraph.1 != quotes)
        {
            self.end_paragraph();
        }
        let mut indent = columns(line);
        let mut text = line.trim();
        if indent < self.item && list_item(text, self.paragraph.is_some()).is_none() {
            self.item = 0;
        }
        if indent.saturating_sub(self.item) >= 4 {
            // In a paragraph this is text, elsewhere it is code.
            self.go_on(text);
            return;
        }
        if self.underlined(text) || is_rule(text) {
            self.end_paragraph();
            return;
        }
        while let Some(width) = list_item(text, self.paragraph.is_some()) {
            self.end_paragraph();
            self.in_item = true;
            indent += width;
            self.item = indent;
            text = text.get(width..).unwrap_or_default().trim_start();
        }
        if let Some(starts) = marker(text) {
            self.end_paragraph();
            if quotes == 0 {
                self.markers.push((number, starts));
            }
        } else if let Some(verbatim) = verbatim(text) {
            self.end_paragraph();
            let ends = matches!(verbatim, Verbatim::Html(end) if end.is_in(text));
            self.verbatim = (!ends).then_some((verbatim, quotes));
        } else if let Some((level, text)) = atx(text) {
            self.end_paragraph();
            let heading = Heading {
                line: number,
                level,
                text: text.to_owned(),
                quoted: quotes > 0,
            };
            self.headings.push(heading);
        } else if self.paragraph.is_some() {
            self.go_on(text);
        } else if !self.in_item && !is_definition(text) {
            self.paragraph = Some((number, quotes, vec![text.to_owned()]));
        }
    }

    /// Whether this line belongs to code or HTML.
    fn in_verbatim(&mut self, quotes: usize, line: &str) -> bool {
        let Some((verbatim, depth)) = &self.verbatim else {
            return false;
        };
        if quotes < *depth {
            self.verbatim = None;
            return false;
        }
        let ends = match verbatim {
            Verbatim::Fence(mark, length) => {
                let text = line.trim();
                text.chars().all(|next| next == *mark) && text.chars().count() >= *length
            }
            Verbatim::Html(end) => end.is_in(line),
        };
        if ends {
            self.verbatim = None;
        }
        true
    }

    /// Makes a heading of the paragraph above when this line underlines it.
    fn underlined(&mut self, text: &str) -> bool {
        let level = match text.chars().next() {
            Some('=') if text.chars().all(|next| next == '=') => 1,
            Some('-') if text.chars().all(|next| next == '-') => 2,
            _ => return false,
        };
        let Some((line, quotes, lines)) = self.paragraph.take() else {
            return false;
        };
        self.headings.push(Heading {
            line,
            level,
            text: lines.join(" "),
            quoted: quotes > 0,
        });
        true
    }

    fn go_on(&mut self, text: &str) {
        if let Some((_, _, lines)) = &mut self.paragraph {
            lines.push(text.to_owned());
        }
    }

    fn end_paragraph(&mut self) {
        self.paragraph = None;
        self.in_item = false;
    }
}

/// Takes the marks of block quotes off a line and counts them.
fn unquote(mut line: &str) -> (usize, &str) {
    let mut quotes = 0;
    while columns(line) < 4
        && let Some(rest) = line.trim_start_matches(' ').strip_prefix('>')
    {
        line = rest.strip_prefix(' ').unwrap_or(rest);
        quotes += 1;
    }
    (quotes, line)
}

/// The columns before the text; a tab goes to the next multiple of four.
fn columns(line: &str) -> usize {
    let mut columns = 0;
    for next in line.chars() {
        match next {
            ' ' => columns += 1,
            '\t' => columns += 4 - columns % 4,
            _ => break,
        }
    }
    columns
}

/// The width of the mark of a list item and the space after it.
fn list_item(text: &str, in_paragraph: bool) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let mark = match digits {
        0 => text.strip_prefix(['-', '*', '+']).map(|_| 1),
        1..=9 => text[digits..].strip_prefix(['.', ')']).map(|_| digits + 1),
        _ => None,
    }?;
    let rest = &text[mark..];
    let spaces = columns(rest);
    if rest.is_empty() {
        // An empty item does not interrupt a paragraph; neither does a number other than 1.
        return (!in_paragraph).then_some(mark + 1);
    }
    if spaces == 0 || (in_paragraph && digits > 0 && text[..digits] != *"1") {
        return None;
    }
    Some(mark + if spaces > 4 { 1 } else { spaces })
}

/// A line across, which is three or more of one mark and spaces.
fn is_rule(text: &str) -> bool {
    ['-', '*', '_'].into_iter().any(|mark| {
        text.chars().filter(|next| *next == mark).count() >= 3
            && text
                .chars()
                .all(|next| next == mark || next == ' ' || next == '\t')
    })
}

fn marker(text: &str) -> Option<bool> {
    let inner = text.strip_prefix("<!--")?.strip_suffix("-->")?.trim();
    if inner.eq_ignore_ascii_case("toc") {
        Some(true)
    } else if inner.eq_ignore_ascii_case("/toc") {
        Some(false)
    } else {
        None
    }
}

fn verbatim(text: &str) -> Option<Verbatim> {
    for mark in ['`', '~'] {
        let length = text.chars().take_while(|next| *next == mark).count();
        if length >= 3 && !(mark == '`' && text[length..].contains('`')) {
            return Some(Verbatim::Fence(mark, length));
        }
    }
    html::opens(text).map(Verbatim::Html)
}

fn atx(text: &str) -> Option<(u8, &str)> {
    let level = text.bytes().take_while(|byte| *byte == b'#').count();
    let rest = &text[level..];
    if !(1..=6).contains(&level) || !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let rest = rest.trim();
    let open = rest.trim_end_matches('#');
    let closed = open.is_empty() || open.ends_with([' ', '\t']);
    Some((level as u8, if closed { open.trim_end() } else { rest }))
}

fn is_definition(text: &str) -> bool {
    text.starts_with('[') && text.find("]:").is_some_and(|end| end > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, u8, String)> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (found, _) = headings(&lines);
        found
            .into_iter()
            .map(|heading| (heading.line, heading.level, heading.text))
            .collect()
    }

    fn heading(line: usize, level: u8, text: &str) -> (usize, u8, String) {
        (line, level, text.to_owned())
    }

    #[test]
    fn both_forms_of_headings_are_found() {
        let text = "\u{feff}# A #\r\n\r\nB\r\n===\r\n\r\nC\nd\n---\n   ###### E ## \n#\n# F#\n\\# no\n#no\n####### no\n";
        let expected = [
            heading(0, 1, "A"),
            heading(2, 1, "B"),
            heading(5, 2, "C d"),
            heading(8, 6, "E"),
            heading(9, 1, ""),
            heading(10, 1, "F#"),
        ];
        assert_eq!(found(text), expected);
    }

    #[test]
    fn what_only_looks_like_a_heading_is_passed_over() {
        for text in [
            "```\n# x\n```\n",
            "~~~ md\n# x\n```\n~~~\n",
            "````\n```\n# x\n````\n",
            "```\n# x",
            "    # x\n",
            "\t# x\n",
            "text\n    # x\n",
            "<!--\n# x\n-->\n",
            "<pre>\n\n# x\n</pre>\n",
            "<details>\n# x\n\n",
            "---\ntitle: x\n---\n",
            "- a\n---\n",
            "- a\nb\n---\n",
            "\n---\n",
            "a\n\n---\n",
            "***\n---\n",
            "| a |\n|---|\n",
            "[a]: b\n---\n",
            "- a\n\n  ```\n  # x\n  ```\n",
            "1. a\n   ```\n   # x\n   ```\n",
            "> ```\n> # x\n> ```\n",
            "> a\n---\n",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn headings_follow_what_has_ended() {
        for (text, line) in [
            ("``` a ` b\n# x\n", 1),
            ("```\n```\n# x\n", 2),
            ("> ```\n# x\n", 1),
            ("<!-- a -->\n# x\n", 1),
            ("<details>\n\n# x\n", 2),
            ("<div>\na\n</div>\n\n# x\n", 4),
            ("<b>\n# x\n", 1),
            ("- a\n# x\n", 1),
            ("- a\n\n  # x\n", 2),
            ("- # x\n", 0),
            ("- a\n\n      code\n\n# x\n", 4),
            ("a\n# x\n", 1),
            ("> # x\n", 0),
        ] {
            assert_eq!(found(text), [heading(line, 1, "x")], "{text}");
        }
        assert_eq!(found("2019. b\n---\n"), []);
        assert_eq!(found("a\n2019. b\n---\n"), [heading(0, 2, "a 2019. b")]);
    }

    #[test]
    fn quotes_are_marked() {
        let (found, _) = headings(&["> > # x\n", "# y\n"]);
        assert_eq!(
            found
                .iter()
                .map(|heading| heading.quoted)
                .collect::<Vec<_>>(),
            [true, false]
        );
    }
}
