//! What gates found, for people.

use std::cmp::Ordering;

use leasehold_sandbox::{Finding, Level};

use crate::text::{SHOWN, clip};
use crate::ui::{Line, Style, Ui};

/// Prints at most `most` findings as data, by place.
pub(crate) fn print(findings: &[Finding], most: usize, ui: &Ui) {
    let mut findings: Vec<&Finding> = findings.iter().collect();
    findings.sort_by(|one, other| by_place(one, other));
    for finding in findings.iter().take(most) {
        let (level, style) = match finding.level {
            Level::Error => ("error", Style::Bad),
            Level::Warning => ("warning", Style::Warn),
            Level::Note => ("note", Style::Dim),
        };
        ui.data(
            Line::styled(style, format!("  {level:<7} "))
                .then(Style::Bold, place(finding))
                .plain(clip(&finding.message, SHOWN))
                .then(Style::Dim, format!(" [{}]", clip(&finding.rule, 80))),
        );
    }
    if findings.len() > most {
        ui.data(format!(
            "  … {} more findings with --format json",
            findings.len() - most
        ));
    }
}

/// `path:line:column: `, as far as it is known.
fn place(finding: &Finding) -> String {
    let Some(at) = &finding.at else {
        return String::new();
    };
    let mut text = clip(&at.path, 200).into_owned();
    for number in [at.line, at.column].into_iter().map_while(|number| number) {
        text.push_str(&format!(":{number}"));
    }
    text.push_str(": ");
    text
}

fn by_place(one: &Finding, other: &Finding) -> Ordering {
    let key = |finding: &Finding| {
        finding
            .at
            .as_ref()
            .map(|at| (at.path.clone(), at.line, at.column))
    };
    key(one)
        .cmp(&key(other))
        .then_with(|| one.rule.cmp(&other.rule))
        .then_with(|| one.message.cmp(&other.message))
}
