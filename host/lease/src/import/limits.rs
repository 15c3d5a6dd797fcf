//! The limits of reference B in our units.

use serde_json::{Map, Value, json};

use super::Fate;
use super::sheet::Sheet;
use crate::limits::LIMIT_RANGES;

/// A limit of the other system, and what it is here.
struct Rule {
    names: &'static [&'static str],
    ours: &'static str,
    /// How many of our units one of theirs is.
    factor: u64,
}

const RULES: [Rule; 3] = [
    Rule {
        names: &["mem_quota_mb", "memory_mb"],
        ours: "memory_bytes",
        factor: 1 << 20,
    },
    Rule {
        names: &["wallclock_timeout_s", "wall_clock_s"],
        ours: "wall_ms",
        factor: 1_000,
    },
    Rule {
        names: &["fd_limit", "open_files"],
        ours: "open_files",
        factor: 1,
    },
];

/// The limits of a grant, as far as the file knows them.
pub(super) fn read(mut section: Map<String, Value>, sheet: &mut Sheet) -> Value {
    processors(&mut section, sheet);
    let mut limits = Map::new();
    for rule in RULES {
        let Some((name, value)) = sheet.take(&mut section, "limits.", rule.names) else {
            sheet.missing(format!(
                "limits.{}",
                rule.names.first().copied().unwrap_or_default()
            ));
            continue;
        };
        match converted(&rule, &value) {
            Ok(number) => {
                let fate = Fate::Becomes(format!("limits.{} = {number}", rule.ours));
                sheet.add(name, &value, fate);
                limits.insert(rule.ours.to_owned(), json!(number));
            }
            Err(why) => sheet.refuse(name, &value, why),
        }
    }
    sheet.unknown("limits.", section);
    Value::Object(limits)
}

/// A share of a processor is not something that can be kept here; one processor is what a call has.
fn processors(section: &mut Map<String, Value>, sheet: &mut Sheet) {
    let Some((name, value)) = sheet.take(section, "limits.", &["cpu_quota", "cpu"]) else {
        return sheet.missing("limits.cpu_quota".to_owned());
    };
    match value.as_f64() {
        Some(share) if share >= 1.0 => {
            let why = "a call is one thread, so it never has more than one processor";
            sheet.add(name, &value, Fate::Holds(why.to_owned()));
        }
        Some(share) if share > 0.0 => sheet.refuse(
            name,
            &value,
            "a share of a processor is not kept here; limit the work itself, by fuel",
        ),
        _ => sheet.refuse(name, &value, "must be a number of processors above 0"),
    }
}

fn converted(rule: &Rule, value: &Value) -> Result<u64, String> {
    let number = value
        .as_u64()
        .ok_or_else(|| "must be a whole number of at least 0".to_owned())?;
    let (least, most) = LIMIT_RANGES
        .into_iter()
        .find(|(name, ..)| *name == rule.ours)
        .map_or((0, 0), |(_, least, most)| (least, most));
    match number.checked_mul(rule.factor) {
        Some(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!(
            "is out of range: {} is {least} to {most} here",
            rule.ours
        )),
    }
}
