//! Carries out a plan, one change after the other, and stops at the first that fails.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::plan::Change;
use crate::report::Report;
use crate::request::Operation;

pub(crate) fn apply(root: &Path, operations: &[Operation], changes: Vec<Change>) -> Report {
    for (index, (operation, change)) in operations.iter().zip(changes).enumerate() {
        if let Err(error) = make(&root.join(operation.path()), operation, change) {
            return Report::stopped(operations, index, error.to_string());
        }
    }
    Report::done(operations)
}

fn make(path: &Path, operation: &Operation, change: Change) -> io::Result<()> {
    match change {
        Change::Directory => fs::create_dir(path),
        Change::Removal => fs::remove_file(path),
        Change::Content(content) => {
            // Only `write` may make a file: what was there when the plan was made may be gone.
            let create = matches!(operation, Operation::Write { .. });
            OpenOptions::new()
                .write(true)
                .truncate(true)
                .create(create)
                .open(path)?
                .write_all(&content)
        }
    }
}
