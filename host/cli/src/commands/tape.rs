//! `leasehold tape`: shows and verifies tapes, also copies of them on another machine.

mod show;
mod verify;

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use leasehold_seal::Class;
use leasehold_tape::reader::ReadError;

use crate::commands::Context;
use crate::failure::Failure;
use crate::home::Home;

#[derive(Debug, Subcommand)]
pub(crate) enum TapeCommand {
    /// List records.
    ///
    /// Shows the last records, or those from --from on. With --format json each line is a record exactly as it stands on the tape.
    /// Form and chain of all records before are checked on the way; `leasehold tape verify` checks everything.
    Show(show::ShowArgs),
    /// Check a tape from its bytes: CLOSED, OPEN or BROKEN with the first bad record.
    ///
    /// Checks every record, the chain, the tree, the signed checkpoint and the leases, from the bytes alone. Keys come from the
    /// trust file and from nowhere else, so a copy of a tape can be checked on any machine.
    ///
    /// What a tape alone cannot show is that its end was cut off together with its checkpoint: for that keep a checkpoint elsewhere
    /// and give it with --at-least.
    ///
    /// Exits with 0 for CLOSED and OPEN, with 2 for BROKEN, and with --closed also for OPEN.
    Verify(verify::VerifyArgs),
}

pub(crate) fn run(command: &TapeCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        TapeCommand::Show(args) => show::run(args, context),
        TapeCommand::Verify(args) => verify::run(args, context),
    }
}

/// The folder of the tape that is meant: the one named, or the one of the home.
fn folder(named: Option<&Path>, context: &Context) -> Result<PathBuf, Failure> {
    match named {
        Some(folder) => Ok(context.ambient.path(folder)),
        None => Home::open(&context.ambient).map(|home| home.tape()),
    }
}

/// The records of a tape, to be read.
pub(super) fn records(folder: &Path) -> Result<File, Failure> {
    let path = folder.join("records.jsonl");
    File::open(&path).map_err(|error| Failure::reading("tape", &path, &error))
}

/// What reading a tape ran into.
pub(super) fn unreadable(error: ReadError) -> Failure {
    match error {
        ReadError::Io(error) => Failure::new(
            "TAPE-IO",
            Class::Blocked,
            format!("the tape cannot be read: {error}"),
        ),
        ReadError::Bad {
            seq, line, fault, ..
        } => {
            let sentence = format!("record {seq} (line {line}) is wrong: {}", fault.message);
            Failure::new("TAPE-BROKEN", Class::Integrity, sentence)
                .detail(format!("code {}", fault.code))
                .hint("keep the folder as it is; `leasehold tape verify` says what still holds")
        }
    }
}
