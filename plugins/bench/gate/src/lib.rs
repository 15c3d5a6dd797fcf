//! A gate for the benchmarks: passes at once, or counts what it may read of the workspace. The summary says what it counted, as the
//! program beside it prints it.

use bench_work::Count;
use leasehold_plugin::Gate;
use leasehold_plugin::gate::{Error, Subject, Verdict};
use leasehold_plugin::workspace::{self, Kind};
use serde::Deserialize;

leasehold_plugin::gate!(BenchGate);
leasehold_plugin::manifest!("../manifest.json");

/// The gate.
pub struct BenchGate;

impl Gate for BenchGate {
    fn check(subject: &Subject) -> Result<Verdict, Error> {
        match subject.configuration()? {
            Work::Pass => Ok(Verdict::pass("passed")),
            Work::Count => {
                let Count {
                    files,
                    bytes,
                    lines,
                } = count()?;
                Ok(Verdict::pass(format!("{files} {bytes} {lines}")))
            }
        }
    }
}

/// What the gate does.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
enum Work {
    /// Passes.
    Pass,
    /// Reads every file that it may read and counts.
    Count,
}

fn count() -> Result<Count, workspace::Error> {
    let mut count = Count::default();
    for entry in workspace::walk(&["**"])? {
        let entry = entry?;
        if entry.kind == Kind::File && entry.readable {
            count.add(&workspace::read(&entry.path)?);
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_manifest_is_well_formed() {
        leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
    }
}
