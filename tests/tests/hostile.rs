//! The hostile corpus, as `make hostile` runs it; and that `docs/security.md` speaks of all of it.

use std::collections::BTreeSet;
use std::fs;

use leasehold_tests::corpus::{self, rules};
use leasehold_tests::{Fault, Rig, repository};

type Test = Result<(), Fault>;

const BEGIN: &str = "<!-- corpus: made by `leasehold-hostile --document` -->\n";
const END: &str = "<!-- end of corpus -->\n";

#[test]
fn every_attack_is_stopped_for_its_reason_and_every_twin_is_not() -> Test {
    let entries = corpus::entries()?;
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names.len(), entries.len(), "a name twice");
    assert!(entries.len() >= 600, "{}", entries.len());
    let mut wrong = Vec::new();
    corpus::run(&entries, |row| {
        if !row.ok() {
            wrong.push(format!(
                "{}: {} for {}, twin {}",
                row.name, row.got, row.expected, row.twin
            ));
        }
        Ok(())
    })?;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Rewritten with `LEASEHOLD_WRITE_VECTORS=1`.
#[test]
fn the_table_in_the_documentation_is_that_of_the_corpus() -> Test {
    let path = repository().join("docs/security.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("the table has no beginning")?;
    let (found, after) = rest.split_once(END).ok_or("the table has no end")?;
    let table = rules::document(&corpus::entries()?)?;
    if std::env::var_os("LEASEHOLD_WRITE_VECTORS").is_some() {
        return Ok(fs::write(
            path,
            format!("{before}{BEGIN}\n{table}\n{END}{after}"),
        )?);
    }
    assert_eq!(found.trim(), table.trim());
    Ok(())
}

/// A refused interface that takes `pollable` over from `wasi:io` means the same resource as `wasi:io` does: toolchains import such
/// interfaces unasked.
#[test]
fn a_guest_that_imports_sockets_it_may_wait_for_loads() -> Test {
    Rig::new()?.plugin("hostile/hostile-http")?;
    Ok(())
}
