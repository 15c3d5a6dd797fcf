//! Measures Leasehold against its peers. Every number is a ratio within one run, so that it can be compared between machines.
//!
//! `make bench` runs all rows. `--only N` runs one of them, `--quick` runs fewer and smaller rounds to see that everything still
//! works. Nothing here is asserted: a row that misses its bound says so, and the note to the release says why.
//!
//! | module | what it is about |
//! |---|---|
//! | `rows` | what is measured: one file a row of the table |
//! | `ours`, `peer` | one call through Leasehold; the same call through wasmtime alone |
//! | `project` | a workspace with a pipeline, judged through the binary |
//! | `tree`, `sources` | the files that are read; files that look like a repository |
//! | `process` | other processes, and what they took |
//! | `measure`, `table` | alternating rounds and medians; how they are printed |

mod measure;
mod ours;
mod peer;
mod process;
mod project;
mod rows;
mod sources;
mod table;
mod tree;

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use rows::{ROWS, Settings};

/// Whatever keeps a row from being measured.
type Fault = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: leasehold-bench [--quick] [--only N]";

fn main() -> ExitCode {
    let outcome = settings(std::env::args().skip(1)).and_then(|settings| run(&settings));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // If nobody listens any more there is nobody to tell.
            let _ = writeln!(stderr().lock(), "leasehold-bench: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn settings(mut arguments: impl Iterator<Item = String>) -> Result<Settings, Fault> {
    let mut settings = Settings::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => settings.quick = true,
            "--only" => {
                let number = arguments.next().and_then(|number| number.parse().ok());
                settings.only = Some(number.ok_or(USAGE)?);
            }
            _ => return Err(USAGE.into()),
        }
    }
    Ok(settings)
}

fn run(settings: &Settings) -> Result<(), Fault> {
    let chosen = ROWS
        .iter()
        .filter(|row| settings.only.is_none_or(|only| only == row.number));
    let mut none = true;
    table::head(&mut stdout().lock())?;
    for row in chosen {
        none = false;
        // A row that cannot be measured does not keep the others from it.
        let lines = (row.measure)(settings)
            .unwrap_or_else(|fault| vec![table::Line::skipped(row.what, format!("{fault}"))]);
        for line in lines {
            table::line(&mut stdout().lock(), row.number, &line)?;
        }
    }
    if none {
        return Err("there is no such row".into());
    }
    Ok(())
}
