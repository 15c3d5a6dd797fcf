//! Command `md-toc`: keeps tables of contents in Markdown files up to date. The README has the arguments, the form and the exit codes.
//!
//! Everything is read and worked out first; nothing is written when any file has an error.

mod anchor;
mod arguments;
mod blocks;
mod files;
mod html;
mod inline;
mod toc;

use std::io::{self, Write};
use std::path::Path;

use crate::arguments::{Arguments, Mode};
use crate::files::Page;

leasehold_plugin::manifest!("../manifest.json");

/// Exit code for files that are out of date, with `--check`.
const OUT_OF_DATE: u8 = 1;
/// Exit code for wrong arguments and for files that cannot be worked on.
const ERROR: u8 = 2;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut output = Vec::new();
    let code = match Arguments::parse(&words)
        .and_then(|arguments| run(Path::new("."), &arguments, &mut output))
    {
        Ok(code) => code,
        Err(reason) => {
            // Nobody is left to hear that nobody listens.
            let _ = writeln!(io::stderr(), "md-toc: {reason}");
            ERROR
        }
    };
    let written = io::stdout().write_all(&output);
    leasehold_plugin::command::exit(if written.is_ok() { code } else { ERROR });
}

/// Does what the arguments say to the tree at `root`. What belongs on standard output goes to `output`.
fn run(root: &Path, arguments: &Arguments, output: &mut Vec<u8>) -> Result<u8, String> {
    let mut pages = Vec::new();
    for path in files::find(root, &arguments.paths)? {
        pages.extend(Page::read(root, path, arguments.max_depth)?);
    }
    let say = |output: &mut Vec<u8>, text: &str| {
        output.extend_from_slice(text.as_bytes());
        output.push(b'\n');
    };
    let changed: Vec<&Page> = pages.iter().filter(|page| page.changed()).collect();
    match arguments.mode {
        Mode::Print => match pages.as_slice() {
            [] => {
                return Err(
                    "there is nothing to print: no file has the marker <!-- toc -->".to_owned(),
                );
            }
            [page] => output.extend_from_slice(page.new.as_bytes()),
            _ => {
                return Err(format!(
                    "{} files have the marker: say --in-place or --check",
                    pages.len()
                ));
            }
        },
        Mode::Check => {
            for page in &changed {
                say(output, &page.path);
            }
            if !changed.is_empty() {
                return Ok(OUT_OF_DATE);
            }
        }
        Mode::InPlace => {
            for page in &changed {
                page.write(root)?;
                say(output, &page.path);
            }
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests;
