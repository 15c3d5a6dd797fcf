//! The table of contents: where it stands, and what is in it.

use crate::anchor::Anchors;
use crate::blocks::{Heading, headings};
use crate::inline::{Definitions, render};

/// A start marker with what belongs to it, by lines from 0.
struct Region {
    start: usize,
    end: usize,
}

/// The text with the parts between its markers made anew; none when there are no markers. Lists the headings after the marker up
/// to `max_depth`. An error comes with its line, from 1.
pub(crate) fn update(text: &str, max_depth: u8) -> Result<Option<String>, (usize, String)> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (found, markers) = headings(&lines);
    let regions = pair(&markers)?;
    if regions.is_empty() {
        return Ok(None);
    }
    let definitions = Definitions::of(&lines);
    let mut anchors = Anchors::default();
    let mut items = Vec::new();
    for heading in found {
        // What stands between markers goes away, so it takes no anchor.
        if regions
            .iter()
            .any(|region| (region.start..region.end).contains(&heading.line))
        {
            continue;
        }
        let rendered = render(&heading.text, &definitions);
        let anchor = anchors.add(&rendered.plain);
        if !heading.quoted && heading.level <= max_depth && !rendered.label.is_empty() {
            items.push((heading, rendered.label, anchor));
        }
    }
    let mut new = String::with_capacity(text.len());
    let mut copied = 0;
    for region in &regions {
        new.extend(lines[copied..=region.start].iter().copied());
        let line_end = if lines[region.start].ends_with("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let below = items
            .iter()
            .filter(|(heading, ..)| heading.line > region.end);
        let list = list(below, line_end);
        if !list.is_empty() {
            // The empty lines keep the list from being read as part of the comments around it.
            new.push_str(line_end);
            new.push_str(&list);
        }
        new.push_str(line_end);
        copied = region.end;
    }
    new.extend(lines[copied..].iter().copied());
    Ok(Some(new))
}

/// Nested lists, indented by how headings lie below each other rather than by their levels: a skipped level must not turn into code.
fn list<'a>(items: impl Iterator<Item = &'a (Heading, String, String)>, line_end: &str) -> String {
    let mut list = String::new();
    let mut above: Vec<u8> = Vec::new();
    for (heading, label, anchor) in items {
        while above.last().is_some_and(|level| *level >= heading.level) {
            above.pop();
        }
        list.extend(std::iter::repeat_n("  ", above.len()));
        list.push_str(&format!("- [{label}](#{anchor}){line_end}"));
        above.push(heading.level);
    }
    list
}

/// Puts start and end markers together.
fn pair(markers: &[(usize, bool)]) -> Result<Vec<Region>, (usize, String)> {
    let mut regions = Vec::new();
    let mut open = None;
    for &(line, starts) in markers {
        match (open, starts) {
            (None, true) => open = Some(line),
            (Some(start), false) => {
                regions.push(Region { start, end: line });
                open = None;
            }
            (Some(start), true) => {
                let message = format!(
                    "<!-- toc --> again, before the one in line {} has its <!-- /toc -->",
                    start + 1
                );
                return Err((line + 1, message));
            }
            (None, false) => {
                return Err((
                    line + 1,
                    "<!-- /toc --> without <!-- toc --> before it".to_owned(),
                ));
            }
        }
    }
    match open {
        Some(start) => Err((
            start + 1,
            "<!-- toc --> has no <!-- /toc --> after it".to_owned(),
        )),
        None => Ok(regions),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn updated(text: &str) -> String {
        update(text, 6).unwrap().unwrap()
    }

    #[test]
    fn the_headings_below_are_listed() {
        let text = "# Title\n\n<!-- toc -->\nold\n<!-- /toc -->\n\n## One\n### Two\n## One\n";
        let new = "# Title\n\n<!-- toc -->\n\n- [One](#one)\n  - [Two](#two)\n- [One](#one-1)\n\n<!-- /toc -->\n\n## One\n### Two\n## One\n";
        assert_eq!(updated(text), new);
        assert_eq!(updated(new), new);
    }

    #[test]
    fn line_ends_stay() {
        let text = "<!-- toc -->\r\n<!-- /toc -->\r\n# A\r\ntext";
        assert_eq!(
            updated(text),
            "<!-- toc -->\r\n\r\n- [A](#a)\r\n\r\n<!-- /toc -->\r\n# A\r\ntext"
        );
        let text = "<!-- toc -->\n<!-- /toc -->\n# A";
        assert_eq!(
            updated(text),
            "<!-- toc -->\n\n- [A](#a)\n\n<!-- /toc -->\n# A"
        );
    }

    #[test]
    fn what_is_above_is_not_listed_but_takes_its_anchor() {
        let text = "# A\n<!-- toc -->\n# Gone\n<!-- /toc -->\n# A\n# Gone\n";
        assert_eq!(
            updated(text),
            "# A\n<!-- toc -->\n\n- [A](#a-1)\n- [Gone](#gone)\n\n<!-- /toc -->\n# A\n# Gone\n"
        );
    }

    #[test]
    fn skipped_levels_are_indented_one_step() {
        let text = "<!-- toc -->\n<!-- /toc -->\n### A\n# B\n###### C\n## D\n";
        assert!(updated(text).contains("\n- [A](#a)\n- [B](#b)\n  - [C](#c)\n  - [D](#d)\n"));
    }

    #[test]
    fn depth_is_bounded_and_nothing_may_be_left() {
        let text = "<!-- toc -->\n<!-- /toc -->\n# A\n## B\n";
        assert!(!update(text, 1).unwrap().unwrap().contains("(#b)"));
        assert_eq!(
            updated("<!-- toc -->\nx\n<!-- /toc -->\n"),
            "<!-- toc -->\n\n<!-- /toc -->\n"
        );
    }

    #[test]
    fn markers_come_in_pairs() {
        for (text, line, word) in [
            ("a\n<!-- toc -->\nb\n", 2, "no <!-- /toc -->"),
            ("<!-- /toc -->\n", 1, "without"),
            ("<!-- toc -->\n<!-- toc -->\n<!-- /toc -->\n", 2, "again"),
            ("<!-- toc -->\n```\n<!-- /toc -->\n", 1, "no <!-- /toc -->"),
        ] {
            let (found, reason) = update(text, 6).err().unwrap();
            assert_eq!(found, line, "{text}");
            assert!(reason.contains(word), "{reason}");
        }
        for text in [
            "",
            "# A\n",
            "```\n<!-- toc -->\n```\n",
            "`<!-- toc -->`\n",
            "text <!-- toc -->\n",
        ] {
            assert_eq!(update(text, 6), Ok(None), "{text}");
        }
    }
}
