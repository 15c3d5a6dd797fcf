//! What is wrong with the beginning of a file.

use leasehold_plugin::gate::Finding;

use crate::comment::{Style, Text, leading};
use crate::config::{Demand, Rule, Years};
use crate::header::{Difference, Line};

const MISSING: &str = "license-header/missing";
const MISMATCH: &str = "license-header/mismatch";
const YEAR: &str = "license-header/year";
const NOT_TEXT: &str = "license-header/not-text";
const UNKNOWN_STYLE: &str = "license-header/unknown-style";

const SPDX: &str = "SPDX-License-Identifier:";

/// Holds one file to its rule. A file in which nothing stands needs no header.
pub(crate) fn check(path: &str, content: &[u8], rule: &Rule) -> Option<Finding> {
    let offence = |rule: &str, line: Option<u32>, message: String| {
        let finding = Finding::error(rule, message).with_fingerprint(format!("{rule}:{path}"));
        Some(match line {
            Some(line) => finding.at(path, line, None),
            None => finding.in_path(path),
        })
    };
    let text = match std::str::from_utf8(content) {
        Ok(text) if !text.contains('\0') => text,
        _ => return offence(NOT_TEXT, None, "the file is not text in UTF-8".to_owned()),
    };
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return None;
    }
    let Some(style) = rule.style.or_else(|| Style::of(path)) else {
        let message = "how this kind of file writes comments is not known: say `comment` in the rule, or exclude it";
        return offence(UNKNOWN_STYLE, None, message.to_owned());
    };
    let comments = leading(text, style);
    let wrong = match &rule.demand {
        Demand::Header(lines, years) => compare(lines, *years, &comments),
        Demand::Spdx(expression) => identify(expression, &comments),
    };
    wrong.and_then(|(rule, line, message)| offence(rule, Some(line), message))
}

type Wrong = (&'static str, u32, String);

fn compare(lines: &[Line], years: Years, comments: &[Text<'_>]) -> Option<Wrong> {
    let start = comments.iter().position(|comment| !comment.text.is_empty());
    let comments = &comments[start.unwrap_or(comments.len())..];
    let Some(first) = comments.first() else {
        return Some((
            MISSING,
            1,
            "the file does not begin with a comment".to_owned(),
        ));
    };
    let mut last = first.line;
    for (index, line) in lines.iter().enumerate() {
        let place = index + 1;
        let Some(comment) = comments.get(index) else {
            let message = format!(
                "line {place} of the header is missing: {:?}",
                line.example()
            );
            return Some((MISMATCH, last, message));
        };
        last = comment.line;
        match line.compare(comment.text, years) {
            Ok(()) => {}
            Err(Difference::Year(found)) => {
                let Years { from, to } = years;
                return Some((
                    YEAR,
                    last,
                    format!("{found} is not within {from} to {to}, in ascending order"),
                ));
            }
            Err(Difference::Text) => {
                let message = format!("line {place} of the header must be {:?}", line.example());
                // Where nothing fits, another comment stands in the place of the header.
                return Some((if index == 0 { MISSING } else { MISMATCH }, last, message));
            }
        }
    }
    None
}

fn identify(expression: &str, comments: &[Text<'_>]) -> Option<Wrong> {
    let found = comments.iter().find_map(|comment| {
        let said = comment.text.trim_start().strip_prefix(SPDX)?;
        Some((
            comment.line,
            said.split_whitespace().collect::<Vec<_>>().join(" "),
        ))
    });
    match found {
        None => Some((
            MISSING,
            1,
            format!("the first comments do not say {SPDX:?} {expression}"),
        )),
        Some((line, said)) if said != expression => {
            let said: String = said.chars().take(80).collect();
            Some((
                MISMATCH,
                line,
                format!("the licence is {said:?}, but must be {expression:?}"),
            ))
        }
        Some(_) => None,
    }
}
