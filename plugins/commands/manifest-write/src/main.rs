//! Command `manifest-write`: writes the list of files with their SHA-256 that the gate `manifest` checks. The README has the arguments and
//! the exit codes.

mod arguments;
mod files;

use std::io::{self, Write};

use crate::arguments::Arguments;

leasehold_plugin::manifest!("../manifest.json");

/// What became of it.
enum Done {
    Written(usize),
    /// The list is already right.
    Right(usize),
    /// With `--check`: it is not.
    Differs,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (code, line) = match Arguments::parse(&arguments)
        .and_then(|arguments| run(&arguments).map(|done| (arguments, done)))
    {
        Ok((arguments, done)) => {
            let list = arguments.list.as_str();
            match done {
                Done::Written(files) => (0, format!("{list}: written, {files} files")),
                Done::Right(files) => (0, format!("{list}: right, {files} files")),
                Done::Differs => (1, format!("{list}: not what the files are")),
            }
        }
        Err(reasons) => (2, reasons.join("\n")),
    };
    let said = if code == 2 {
        writeln!(io::stderr(), "{line}")
    } else {
        writeln!(io::stdout(), "{line}")
    };
    leasehold_plugin::command::exit(if said.is_ok() { code } else { 2 });
}

/// Makes the list and writes or compares it. Nothing is written when something is wrong with the files.
fn run(arguments: &Arguments) -> Result<Done, Vec<String>> {
    let tree = files::tree(arguments).map_err(|reason| vec![reason])?;
    let offences = tree.offences();
    if !offences.is_empty() {
        return Err(offences
            .into_iter()
            .map(|offence| format!("{}: {}", offence.rule, offence.message))
            .collect());
    }
    let right = tree.render();
    let path = arguments.root.join(&arguments.list);
    let there = match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(vec![format!("{} cannot be read: {error}", path.display())]),
    };
    if there.as_deref() == Some(right.as_bytes()) {
        Ok(Done::Right(tree.len()))
    } else if arguments.check {
        Ok(Done::Differs)
    } else {
        std::fs::write(&path, right)
            .map_err(|error| vec![format!("{} cannot be written: {error}", path.display())])?;
        Ok(Done::Written(tree.len()))
    }
}

#[cfg(test)]
mod tests;
