//! A program for the benchmarks: does one work, prints a line, exits with 0.
//!
//! | arguments | work | line |
//! |---|---|---|
//! | `hello` | none | `hello` |
//! | `count FOLDER` | reads all files below it | files, bytes, line feeds |
//! | `mix N`, `sieve N`, `bodies N` | computes | a number |
//!
//! Built for the machine, it is the peer of itself.

use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;

use bench_work::{Count, bodies, mix, sieve};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let line = match *words {
        ["hello"] => "hello".to_owned(),
        ["count", folder] => {
            let Count {
                files,
                bytes,
                lines,
            } = Count::tree(Path::new(folder))?;
            format!("{files} {bytes} {lines}")
        }
        ["mix", blocks] => mix(blocks.parse()?).to_string(),
        ["sieve", limit] => sieve(limit.parse()?).to_string(),
        ["bodies", steps] => bodies(steps.parse()?).to_string(),
        _ => return Err("usage: hello | count FOLDER | mix N | sieve N | bodies N".into()),
    };
    writeln!(stdout(), "{line}")?;
    Ok(())
}
