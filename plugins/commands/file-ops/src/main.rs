//! Command `file-ops`: changes files as a JSON request says. The README has the request, the report and the exit codes.
//!
//! The whole request is checked first, against its own rules and against the tree as it would be after each operation; only then is
//! anything changed. What this program may touch is decided by the lease, not here.

mod apply;
mod patch;
mod plan;
mod report;
mod request;

use std::io::{self, Read, Write};
use std::path::Path;

use crate::report::Report;
use crate::request::Request;

leasehold_plugin::manifest!("../manifest.json");

/// The largest request, in bytes.
const REQUEST_BYTES: u64 = 64 << 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let report = match read_request(&arguments).and_then(|bytes| Request::parse(&bytes)) {
        Ok(request) => run(Path::new("."), &request),
        Err(reason) => Report::refused(reason),
    };
    let code = match writeln!(io::stdout(), "{}", report.json()) {
        Ok(()) => report.exit_code(),
        Err(_) => 1,
    };
    leasehold_plugin::command::exit(code);
}

/// Plans, and when the plan holds, carries it out.
fn run(root: &Path, request: &Request) -> Report {
    match plan::plan(root, &request.operations) {
        Ok(changes) => apply::apply(root, &request.operations, changes),
        Err((at, reason)) => Report::unfit(&request.operations, at, reason),
    }
}

/// The request is the file that the one argument names, or standard input.
fn read_request(arguments: &[String]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = match arguments {
        [] => io::stdin().take(REQUEST_BYTES + 1).read_to_end(&mut bytes),
        [path] => std::fs::File::open(path)
            .and_then(|file| file.take(REQUEST_BYTES + 1).read_to_end(&mut bytes)),
        _ => return Err("usage: file-ops [REQUEST.json]".to_owned()),
    };
    match read {
        Err(error) => Err(format!("the request cannot be read: {error}")),
        Ok(_) if bytes.len() as u64 > REQUEST_BYTES => {
            Err(format!("the request is larger than {REQUEST_BYTES} bytes"))
        }
        Ok(_) => Ok(bytes),
    }
}

#[cfg(test)]
mod tests;
