//! What is wrong with a file.

use std::collections::BTreeSet;

use leasehold_plugin::gate::Finding;

use crate::document::{Document, Place};
use crate::schema::Schema;

const MALFORMED: &str = "json-schema/malformed";
const DUPLICATE_KEY: &str = "json-schema/duplicate-key";
const VIOLATION: &str = "json-schema/violation";
const NO_FILES: &str = "json-schema/no-files";

/// Violations of one schema by one file that are told apart.
const VIOLATIONS: usize = 100;

/// The longest message, in characters.
const MESSAGE: usize = 300;

/// Holds a file to its schemas.
pub(crate) fn check(path: &str, bytes: &[u8], schemas: &[&Schema]) -> Vec<Finding> {
    let document = match Document::parse(bytes) {
        Ok(document) => document,
        Err((place, reason)) => {
            return vec![finding(
                path,
                MALFORMED,
                place,
                "",
                format!("not JSON: {reason}"),
            )];
        }
    };
    let violations: BTreeSet<(String, String)> = schemas
        .iter()
        .flat_map(|schema| {
            let errors = schema
                .validator
                .iter_errors(&document.value)
                .take(VIOLATIONS);
            errors.map(|error| {
                let pointer = error.instance_path().as_str().to_owned();
                // Values are not repeated: they may be long, and reports are read by others than files.
                (
                    pointer,
                    format!(
                        "{} ({} of {})",
                        error.masked(),
                        error.schema_path(),
                        schema.name
                    ),
                )
            })
        })
        .collect();
    let found = document.scan(violations.iter().map(|(pointer, _)| pointer.clone()));
    let duplicates = found.duplicates.iter().map(|(pointer, at)| {
        let message = format!("{pointer}: the key is in its object already");
        (document.place(*at), DUPLICATE_KEY, pointer, message)
    });
    let violations = violations.iter().map(|(pointer, message)| {
        let at = found.places.get(pointer).copied().flatten().unwrap_or(0);
        let name = if pointer.is_empty() {
            "the whole"
        } else {
            pointer
        };
        (
            document.place(at),
            VIOLATION,
            pointer,
            format!("{name}: {message}"),
        )
    });
    let mut all: Vec<_> = duplicates.chain(violations).collect();
    all.sort();
    let finding = |(place, rule, pointer, message): (Place, &str, &String, String)| {
        finding(path, rule, place, pointer, message)
    };
    all.into_iter().map(finding).collect()
}

/// A check that found no file.
pub(crate) fn no_files(patterns: &[String]) -> Finding {
    Finding::error(NO_FILES, format!("no file fits {}", patterns.join(", ")))
}

fn finding(path: &str, rule: &str, place: Place, pointer: &str, message: String) -> Finding {
    let line: String = message
        .chars()
        .map(|next| if next.is_control() { ' ' } else { next })
        .take(MESSAGE)
        .collect();
    Finding::error(rule, line)
        .at(path, place.line, Some(place.column))
        .with_fingerprint(format!("{rule}:{path}:{pointer}"))
}
