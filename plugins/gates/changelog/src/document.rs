//! The changelog, cut into releases, sections and entries. Only what matters here of Markdown is understood: headings with `#`, list
//! items, link references; not what stands in fenced code or comments.

use crate::heading::Title;

/// A changelog as it is written, right or wrong.
#[derive(Debug, Default)]
pub(crate) struct Document<'a> {
    /// Headings of the first level, by line.
    pub(crate) titles: Vec<u32>,
    /// The first line that is not empty.
    pub(crate) first_line: Option<u32>,
    /// What the headings of the second level begin, in their order.
    pub(crate) releases: Vec<Release<'a>>,
    /// Link references, in their order.
    pub(crate) links: Vec<Link<'a>>,
    /// Sections before the first release, by line.
    pub(crate) strays: Vec<u32>,
}

/// What stands under one heading of the second level.
#[derive(Debug)]
pub(crate) struct Release<'a> {
    pub(crate) line: u32,
    pub(crate) title: Title,
    /// Content of the brackets in the heading, or the heading.
    pub(crate) label: &'a str,
    pub(crate) sections: Vec<Section<'a>>,
}

/// What stands under one heading of the third level.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    pub(crate) line: u32,
    pub(crate) name: &'a str,
    /// List items, with whether they hold text.
    pub(crate) entries: Vec<(u32, bool)>,
}

/// `[label]: target`
#[derive(Debug)]
pub(crate) struct Link<'a> {
    pub(crate) line: u32,
    pub(crate) label: &'a str,
    pub(crate) target: &'a str,
}

impl<'a> Document<'a> {
    /// Reads a changelog. Everything is a changelog of some kind.
    pub(crate) fn parse(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut document = Self::default();
        let mut hidden = Hidden::No;
        for (number, line) in (1u32..).zip(text.lines()) {
            let line = line.trim_end();
            if hidden.takes(line) || line.is_empty() {
                continue;
            }
            document.first_line.get_or_insert(number);
            document.add(number, line);
        }
        document
    }

    /// How many releases there are, without what is not released.
    pub(crate) fn releases(&self) -> usize {
        let released = |release: &&Release<'_>| matches!(release.title, Title::Release { .. });
        self.releases.iter().filter(released).count()
    }

    fn add(&mut self, number: u32, line: &'a str) {
        if let Some(name) = heading(line, "###") {
            let section = Section {
                line: number,
                name,
                entries: Vec::new(),
            };
            match self.releases.last_mut() {
                Some(release) => release.sections.push(section),
                None => self.strays.push(number),
            }
        } else if let Some(title) = heading(line, "##") {
            let label = title
                .strip_prefix('[')
                .and_then(|rest| rest.split_once(']'));
            self.releases.push(Release {
                line: number,
                title: Title::parse(title),
                label: label.map_or(title, |(label, _)| label),
                sections: Vec::new(),
            });
        } else if heading(line, "#").is_some() {
            self.titles.push(number);
        } else if let Some((label, target)) = link(line) {
            self.links.push(Link {
                line: number,
                label,
                target,
            });
        } else if let Some(section) = self
            .releases
            .last_mut()
            .and_then(|release| release.sections.last_mut())
        {
            match item(line) {
                Some(text) => section.entries.push((number, !text.is_empty())),
                // What is written under a bare `-` belongs to it.
                None => {
                    if let Some(entry) = section.entries.last_mut() {
                        entry.1 |= line.starts_with([' ', '\t']);
                    }
                }
            }
        }
    }
}

/// Whether lines are hidden by a code fence or a comment.
enum Hidden {
    No,
    /// Within a fence of this character and at least this length.
    Fence(char, usize),
    Comment,
}

impl Hidden {
    /// Takes a line; true when it is not to be looked at.
    fn takes(&mut self, line: &str) -> bool {
        let text = line.trim_start();
        match self {
            Self::Fence(mark, length) => {
                if text.chars().all(|next| next == *mark) && text.chars().count() >= *length {
                    *self = Self::No;
                }
                true
            }
            Self::Comment => {
                if text.contains("-->") {
                    *self = Self::No;
                }
                true
            }
            Self::No => {
                if let Some(comment) = text.strip_prefix("<!--") {
                    if !comment.contains("-->") {
                        *self = Self::Comment;
                    }
                    return true;
                }
                for mark in ['`', '~'] {
                    let length = text.chars().take_while(|next| *next == mark).count();
                    if length >= 3 && !(mark == '`' && text[length..].contains('`')) {
                        *self = Self::Fence(mark, length);
                        return true;
                    }
                }
                false
            }
        }
    }
}

/// The text of a heading of exactly this level. Up to three spaces may stand before it, and `#` after it.
fn heading<'a>(line: &'a str, marks: &str) -> Option<&'a str> {
    let text = line.trim_start_matches(' ');
    if line.len() - text.len() > 3 {
        return None;
    }
    let rest = text.strip_prefix(marks)?;
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return None;
    }
    let rest = rest.trim();
    let unclosed = rest.trim_end_matches('#');
    Some(if unclosed.ends_with([' ', '\t']) || unclosed.is_empty() {
        unclosed.trim_end()
    } else {
        rest
    })
}

/// The text of a list item that is not within another.
fn item(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['-', '*', '+'])?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| rest.trim())
}

fn link(line: &str) -> Option<(&str, &str)> {
    let (label, target) = line.strip_prefix('[')?.split_once("]:")?;
    Some((label, target.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changelog_is_cut_up() {
        let text = "\u{feff}# Changelog\r\n\r\nText.\r\n\r\n## [Unreleased] ##\r\n\r\n## [1.0.0] - 2024-01-01\r\n### Added\r\n- one\r\n  more\r\n\
            * \r\n-\r\n  text below\r\n### Fixed\r\n\r\n[1.0.0]: https://example.com\r\n";
        let document = Document::parse(text);
        assert_eq!(document.titles, [1]);
        assert_eq!(document.releases(), 1);
        let labels: Vec<_> = document
            .releases
            .iter()
            .map(|release| release.label)
            .collect();
        assert_eq!(labels, ["Unreleased", "1.0.0"]);
        let sections = &document.releases[1].sections;
        assert_eq!(sections[0].entries, [(9, true), (11, false), (12, true)]);
        assert!(sections[1].entries.is_empty());
        assert_eq!(
            (document.links[0].label, document.links[0].line),
            ("1.0.0", 16)
        );
    }

    #[test]
    fn code_and_comments_hold_no_headings() {
        for hidden in [
            "```\n## x\n```",
            "~~~~ text\n## x\n~~~\n## y\n~~~~",
            "<!--\n## x\n-->",
            "<!-- ## x -->",
            "    ## x",
            "##x",
            "#### x",
            "````\n```\n## x\n````",
        ] {
            let document = Document::parse(hidden);
            assert!(document.releases.is_empty(), "{hidden}");
        }
        assert_eq!(Document::parse("```\n```\n## x").releases.len(), 1);
        assert_eq!(Document::parse("``` a ` b\n## x").releases.len(), 1);
    }
}
