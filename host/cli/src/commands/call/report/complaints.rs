//! What a plugin was refused, what ended it, and what would have helped.

use leasehold_lease::Grant;
use leasehold_sandbox::{Outcome, Status};
use leasehold_seal::Class;

use super::LISTED;
use crate::failure::Failure;
use crate::remedy;
use crate::show;
use crate::text::{SHOWN, clip, grouped};
use crate::ui::Ui;

/// Every refusal with what the grant has and what would help.
pub(super) fn denials(name: &str, grant: &Grant, outcome: &Outcome, ui: &Ui) {
    let files = &grant.files;
    let all = &outcome.denials;
    let count = all.list.len() as u64 + all.more;
    for denial in all.list.iter().take(LISTED) {
        let wanted = denial.wanted.as_str();
        let has = match wanted {
            "list" => &files.list,
            "read" => &files.read,
            _ => &files.write,
        };
        let times = if denial.count > 1 {
            format!(", {} times", grouped(denial.count))
        } else {
            String::new()
        };
        let sentence = format!(
            "{} wanted to {wanted} {}{times}",
            clip(name, 80),
            clip(&denial.path, SHOWN)
        );
        let remedy = remedy::of_denial(denial.code, &denial.path, wanted, grant);
        let mut failure = Failure::new(denial.code, Class::Refused, sentence)
            .detail(format!(
                "grant {:?} may {wanted}: {}",
                grant.id,
                show::patterns(has)
            ))
            .hint(format!(
                "{}; more: leasehold explain {}",
                remedy.words(),
                outcome.call
            ));
        if !files.deny.is_empty() {
            failure = failure.detail(format!("except: {}", show::patterns(&files.deny)));
        }
        if outcome.summary.status == Status::Pass {
            ui.note(&failure);
        } else {
            ui.failure(&failure);
        }
    }
    for refused in outcome.refused_requests.iter().take(LISTED) {
        let times = if refused.count > 1 {
            format!(", {} times", grouped(refused.count))
        } else {
            String::new()
        };
        let sentence = format!("{}{times}", clip(&refused.sentence, SHOWN));
        let mut failure = Failure::new(refused.code, Class::Refused, sentence)
            .detail(format!("{} asked for it", clip(name, 80)));
        if let Some(hint) = &refused.hint {
            failure = failure.hint(clip(hint, SHOWN).into_owned());
        }
        if outcome.summary.status == Status::Pass {
            ui.note(&failure);
        } else {
            ui.failure(&failure);
        }
    }
    for import in outcome.refused_imports.keys().take(LISTED) {
        let sentence = format!("{} used {}", clip(name, 80), clip(import, SHOWN));
        ui.note(
            &Failure::new("IMPORT-DENIED", Class::Refused, sentence).hint("no lease can grant it"),
        );
    }
    if count > LISTED as u64 {
        ui.talk(format!(
            "… {} more were refused: leasehold explain {}",
            grouped(count - LISTED as u64),
            outcome.call
        ));
    }
}

/// What ended the call, unless the answer or the refusals have said so already.
pub(super) fn complaint(sentence: &str, grant: &Grant, outcome: &Outcome, ui: &Ui) {
    let summary = &outcome.summary;
    let (Some(code), Some(class)) = (summary.code, summary.class) else {
        return;
    };
    let said = outcome
        .denials
        .list
        .iter()
        .any(|denial| denial.code == code);
    if said || code == "GATE-FAILED" || code == "GATE-SKIPPED" {
        return;
    }
    let mut failure = Failure::new(code, class, sentence);
    if let Some(remedy) = remedy::of_limit(code, grant) {
        failure = failure
            .detail(format!(
                "grant {:?} has: {}",
                grant.id,
                show::limits(&grant.limits)
            ))
            .hint(format!(
                "{}; more: leasehold explain {}",
                remedy.words(),
                outcome.call
            ));
    } else if code == "VIEW-INCOMPLETE" {
        failure = failure.hint(format!(
            "grant it --list '**', or less to judge; more: leasehold explain {}",
            outcome.call
        ));
    } else if code == "PLUGIN-TRAPPED" {
        failure =
            failure.hint("a trap is a fault in the plugin: tell its author what it was given");
    }
    ui.failure(&failure);
}
