//! The text of a heading: as the label of a link, and without markup, from which the anchor is made.

use std::collections::HashSet;

/// A heading in two forms.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Rendered {
    /// Markdown without links and HTML, fit to stand in `[…]`.
    pub(crate) label: String,
    /// Text without markup.
    pub(crate) plain: String,
}

/// The labels for which a document has link references, folded.
#[derive(Debug, Default)]
pub(crate) struct Definitions(HashSet<String>);

impl Definitions {
    pub(crate) fn of(lines: &[&str]) -> Self {
        let label = |line: &&str| {
            let rest = line.trim_start_matches(' ').strip_prefix('[')?;
            rest.split_once("]:").map(|(label, _)| fold(label))
        };
        Self(lines.iter().filter_map(label).collect())
    }

    fn has(&self, label: &str) -> bool {
        self.0.contains(&fold(label))
    }
}

fn fold(label: &str) -> String {
    label
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// Reads the source of a heading.
pub(crate) fn render(source: &str, definitions: &Definitions) -> Rendered {
    let mut rendered = Rendered::default();
    let mut underscores = Underscores::default();
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            '\\' => escape(rest, &mut rendered),
            '`' => code(rest, &mut rendered),
            '!' if rest[1..].starts_with('[') => image(rest, definitions, &mut rendered),
            '[' => link(rest, definitions, &mut rendered),
            '<' => angle(rest, &mut rendered),
            '&' => entity(rest, &mut rendered),
            '_' => Some(underscores.take(rest, source, &mut rendered)),
            _ => None,
        };
        let taken = taken.unwrap_or_else(|| {
            if matches!(next, '[' | ']') {
                rendered.label.push('\\');
            }
            rendered.label.push(next);
            rendered.plain.push(next);
            next.len_utf8()
        });
        rest = &rest[taken..];
    }
    rendered.plain = underscores.strip(&rendered.plain);
    rendered.label = rendered.label.trim().to_owned();
    rendered
}

fn escape(rest: &str, rendered: &mut Rendered) -> Option<usize> {
    let escaped = rest[1..]
        .chars()
        .next()
        .filter(char::is_ascii_punctuation)?;
    rendered.label.push_str(&rest[..2]);
    rendered.plain.push(escaped);
    Some(2)
}

fn code(rest: &str, rendered: &mut Rendered) -> Option<usize> {
    let (content, taken) = code_span(rest)?;
    rendered.label.push_str(&rest[..taken]);
    rendered.plain.push_str(content);
    Some(taken)
}

/// The content of a code span, and the length of all of it.
fn code_span(rest: &str) -> Option<(&str, usize)> {
    let ticks = |text: &str| text.bytes().take_while(|byte| *byte == b'`').count();
    let length = ticks(rest);
    let mut at = length;
    while let Some(found) = rest[at..].find('`') {
        let start = at + found;
        let run = ticks(&rest[start..]);
        at = start + run;
        if run == length {
            let content = &rest[length..start];
            let padded =
                content.starts_with(' ') && content.ends_with(' ') && !content.trim().is_empty();
            return Some((
                if padded {
                    &content[1..content.len() - 1]
                } else {
                    content
                },
                at,
            ));
        }
    }
    None
}

fn image(rest: &str, definitions: &Definitions, rendered: &mut Rendered) -> Option<usize> {
    let (text, taken) = reference(&rest[1..], definitions)?;
    // The text stands for the image in the list; the anchor knows nothing of images.
    rendered.label.push_str(&render(text, definitions).label);
    Some(taken + 1)
}

fn link(rest: &str, definitions: &Definitions, rendered: &mut Rendered) -> Option<usize> {
    let (text, taken) = reference(rest, definitions)?;
    let inner = render(text, definitions);
    rendered.label.push_str(&inner.label);
    rendered.plain.push_str(&inner.plain);
    Some(taken)
}

/// The text of `[text](target)`, `[text][label]`, `[text][]` or `[text]`, and the length of all of it. The last three are links only
/// where the document has the reference.
fn reference<'a>(rest: &'a str, definitions: &Definitions) -> Option<(&'a str, usize)> {
    let end = closing(rest, '[', ']')?;
    let (text, after) = (&rest[1..end], &rest[end + 1..]);
    if after.starts_with('(')
        && let Some(close) = closing(after, '(', ')')
    {
        return Some((text, end + 1 + close + 1));
    }
    if after.starts_with('[')
        && let Some(close) = closing(after, '[', ']')
    {
        let label = &after[1..close];
        if definitions.has(if label.trim().is_empty() { text } else { label }) {
            return Some((text, end + 1 + close + 1));
        }
    }
    definitions.has(text).then_some((text, end + 1))
}

/// Where the bracket that opens the text is closed, passing over escapes, code, pointed brackets and quotes in parentheses.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0;
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        let step = match next {
            '\\' => 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
            '`' if open == '[' => code_span(&text[at..]).map_or(1, |(_, length)| length),
            '<' if open == '(' => text[at..].find('>').map_or(1, |length| length + 1),
            '"' if open == '(' => text[at + 1..].find('"').map_or(1, |length| length + 2),
            _ => next.len_utf8(),
        };
        if next == open {
            depth += 1;
        } else if next == close {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
        at += step;
    }
    None
}

/// A link in pointed brackets, or HTML.
fn angle(rest: &str, rendered: &mut Rendered) -> Option<usize> {
    if rest.starts_with("<!--") {
        return rest.find("-->").map(|end| end + 3);
    }
    let end = rest.find('>')?;
    let inner = &rest[1..end];
    let scheme = inner.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() >= 2
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
    });
    if !inner.contains([' ', '<']) && (scheme || inner.contains('@')) {
        // Without the brackets: a link does not stand in a link.
        rendered.label.push_str(inner);
        rendered.plain.push_str(inner);
        return Some(end + 1);
    }
    let name = inner.strip_prefix('/').unwrap_or(inner);
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        .then_some(end + 1)
}

/// The entities that are seen in headings; others stay as they are written.
fn entity(rest: &str, rendered: &mut Rendered) -> Option<usize> {
    let end = rest.find(';').filter(|end| *end <= 32)?;
    let decoded = match &rest[1..end] {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "copy" => '©',
        "reg" => '®',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        other => {
            let number = other.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    rendered.label.push_str(&rest[..=end]);
    rendered.plain.push(decoded);
    Some(end + 1)
}

/// Runs of `_`, of which those that mark emphasis are no part of the text. Other marks of emphasis need no care: anchors have none.
#[derive(Default)]
struct Underscores {
    /// For each run: its place in the plain text, its length, how many of it may open and how many mark emphasis.
    runs: Vec<Run>,
}

struct Run {
    at: usize,
    length: usize,
    unused: usize,
    opens: bool,
}

impl Underscores {
    /// Takes a run. It opens before a word and closes after one, never within.
    fn take(&mut self, rest: &str, source: &str, rendered: &mut Rendered) -> usize {
        let length = rest.bytes().take_while(|byte| *byte == b'_').count();
        let before = source[..source.len() - rest.len()]
            .chars()
            .next_back()
            .unwrap_or(' ');
        let after = rest[length..].chars().next().unwrap_or(' ');
        let opens = !after.is_whitespace() && !before.is_alphanumeric();
        let mut unused = length;
        if !before.is_whitespace() && !after.is_alphanumeric() {
            for opener in self.runs.iter_mut().rev().filter(|run| run.opens) {
                let used = opener.unused.min(unused);
                opener.unused -= used;
                unused -= used;
            }
        }
        self.runs.push(Run {
            at: rendered.plain.len(),
            length,
            unused,
            opens,
        });
        rendered.label.push_str(&rest[..length]);
        rendered.plain.push_str(&rest[..length]);
        length
    }

    /// The plain text without those that mark emphasis.
    fn strip(&self, plain: &str) -> String {
        let mut text = String::with_capacity(plain.len());
        let mut copied = 0;
        for run in &self.runs {
            text.push_str(&plain[copied..run.at + run.unused]);
            copied = run.at + run.length;
        }
        text.push_str(&plain[copied..]);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, label: &str, plain: &str) {
        let definitions = Definitions::of(&["[Ref]: https://example.com\n"]);
        let rendered = render(source, &definitions);
        assert_eq!(
            (rendered.label.as_str(), rendered.plain.as_str()),
            (label, plain),
            "{source}"
        );
    }

    #[test]
    fn links_and_images_give_their_text() {
        check("a [b](c.md) d", "a b d", "a b d");
        check("[a](b \"c)\") d", "a d", "a d");
        check("[a](<b)>) d", "a d", "a d");
        check("[a](b(c)d) e", "a e", "a e");
        check("[`a]` b](c)", "`a]` b", "a] b");
        check(
            "[a][ref] [ref][] [ref] [b][c]",
            "a ref ref \\[b\\]\\[c\\]",
            "a ref ref [b][c]",
        );
        check("![logo](a.png) Name", "logo Name", " Name");
        check("[![a](b)](c) d", "a d", " d");
        check("[1.0] - x", "\\[1.0\\] - x", "[1.0] - x");
        check("a ] [ b", "a \\] \\[ b", "a ] [ b");
    }

    #[test]
    fn code_stays_in_the_label() {
        check("`a_b_` c", "`a_b_` c", "a_b_ c");
        check("`` a`b `` c", "`` a`b `` c", "a`b c");
        check("a ` b", "a ` b", "a ` b");
        check("`[x](y)`", "`[x](y)`", "[x](y)");
    }

    #[test]
    fn emphasis_by_underscore_is_no_text() {
        check(
            "_a_ b_c d_e_f __g__",
            "_a_ b_c d_e_f __g__",
            "a b_c d_e_f g",
        );
        check("_a b", "_a b", "_a b");
        check("a _ b", "a _ b", "a _ b");
        check("\\_a\\_", "\\_a\\_", "_a_");
        check("*a* **b**", "*a* **b**", "*a* **b**");
    }

    #[test]
    fn html_is_left_out_and_entities_are_read() {
        check("<b>a</b> <!-- b --> c", "a  c", "a  c");
        check(
            "<https://example.com/a>",
            "https://example.com/a",
            "https://example.com/a",
        );
        check("a < b > c", "a < b > c", "a < b > c");
        check(
            "a &amp; b &#65; &#x42; &what; & c",
            "a &amp; b &#65; &#x42; &what; & c",
            "a & b A B &what; & c",
        );
    }

    #[test]
    fn nothing_makes_it_panic() {
        let pieces = [
            "[",
            "]",
            "(",
            ")",
            "`",
            "``",
            "_",
            "__",
            "\\",
            "<",
            ">",
            "!",
            "&#x;",
            "&#9999999;",
            "é",
            "漢",
            " ",
            "\"",
            "a",
        ];
        let mut seed = 1_u64;
        for _ in 0..20_000 {
            let mut source = String::new();
            for _ in 0..12 {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                source.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
            }
            render(&source, &Definitions::default());
        }
    }
}
