//! Runs the hostile corpus and prints what became of each guest and document: `make hostile`.
//!
//! Each is tried for real: guests are loaded, admitted and called, documents verified, audited or read. Each has a twin that has to get
//! through. The exit code is 0 when every one was stopped with its code and every twin was not.
//!
//! `--only WORD` runs those whose names have the word in them; `--document` prints the table of `docs/security.md` instead.

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use leasehold_tests::Fault;
use leasehold_tests::corpus::{self, Entry, Kind, rules, table};

const USAGE: &str = "usage: leasehold-hostile [--only WORD | --document]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match *arguments {
        [] => entries("").and_then(|entries| run(&entries)),
        ["--only", word] => entries(word).and_then(|entries| run(&entries)),
        ["--document"] => document(),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            // If nobody listens any more there is nobody to tell.
            let _ = writeln!(stderr().lock(), "leasehold-hostile: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn document() -> Result<bool, Fault> {
    stdout()
        .lock()
        .write_all(rules::document(&corpus::entries()?)?.as_bytes())?;
    Ok(true)
}

fn entries(word: &str) -> Result<Vec<Entry>, Fault> {
    let mut entries = corpus::entries()?;
    entries.retain(|entry| entry.name.contains(word));
    match entries.is_empty() {
        true => Err("there is none of that name".into()),
        false => Ok(entries),
    }
}

fn run(entries: &[Entry]) -> Result<bool, Fault> {
    let mut wrong = Vec::new();
    table::head(&mut stdout().lock())?;
    corpus::run(entries, |row| {
        if !row.ok() {
            wrong.push(row.name.clone());
        }
        Ok(table::line(&mut stdout().lock(), row)?)
    })?;
    let guests = entries
        .iter()
        .filter(|entry| entry.kind == Kind::Guest)
        .count();
    let mut to = stdout().lock();
    writeln!(
        to,
        "\n{} guests, {} documents: {} stopped as they have to be, each with a twin that passes",
        guests,
        entries.len() - guests,
        entries.len() - wrong.len()
    )?;
    if !wrong.is_empty() {
        writeln!(to, "otherwise: {}", wrong.join(", "))?;
    }
    Ok(wrong.is_empty())
}
