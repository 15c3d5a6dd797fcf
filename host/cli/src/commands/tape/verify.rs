//! `leasehold tape verify`: CLOSED, OPEN or BROKEN.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_audit::{Expect, Finding, Report, check_with_leases};
use leasehold_seal::{Class, Digest};
use leasehold_tape::Store;
use serde_json::json;

use super::{folder, records};
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::{Home, read_trust};
use crate::parse;
use crate::text::{counted, grouped};
use crate::ui::{Line, Style};

/// The largest checkpoint that is read, in bytes.
const CHECKPOINT_BYTES: u64 = 64 << 10;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The folder of the tape. Default: the tape of the home.
    #[arg(long, value_name = "DIR")]
    tape: Option<PathBuf>,
    /// The trust file. Default: that of the home.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// The checkpoint over the tape. Default: the one in its folder.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The content store with the leases. Default: the folder `store` beside the tape, if there is one.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// A checkpoint of this tape kept from earlier: its records must still be there, unchanged.
    #[arg(long, value_name = "FILE")]
    at_least: Option<PathBuf>,
    /// How many records there have to be at least.
    #[arg(long, value_name = "N", default_value_t = 0)]
    min_records: u64,
    /// An open tape counts as broken.
    #[arg(long)]
    closed: bool,
}

pub(super) fn run(args: &VerifyArgs, context: &Context) -> anyhow::Result<u8> {
    let folder = folder(args.tape.as_deref(), context)?;
    let trust = match &args.trust {
        Some(file) => read_trust(&context.ambient.path(file))?,
        None => Home::open(&context.ambient)?.trust()?,
    };
    let checkpoint = checkpoint(args, &folder, context)?;
    let at_least = match &args.at_least {
        Some(file) => Some(parse::file(
            "checkpoint",
            &context.ambient.path(file),
            CHECKPOINT_BYTES,
        )?),
        None => None,
    };
    let expect = Expect {
        at_least,
        min_records: args.min_records,
        closed: args.closed,
    };
    let store = store(args, &folder, context)?;
    // The audit itself holds the bytes to the digest, so that a changed envelope is told as what it is.
    let envelopes = |digest: &Digest| fs::read(store.as_ref()?.path(digest)).ok();
    let report = check_with_leases(
        records(&folder)?,
        checkpoint.as_deref(),
        &trust,
        &expect,
        &envelopes,
    )
    .or_fail()?;
    tell(&report, &folder, context);
    Ok(match report.finding {
        Finding::Closed | Finding::Open { .. } => exit::PASSED,
        Finding::Broken { .. } => exit::INTEGRITY,
    })
}

/// The checkpoint that was named, or the one in the folder if there is one.
fn checkpoint(
    args: &VerifyArgs,
    folder: &Path,
    context: &Context,
) -> Result<Option<Vec<u8>>, Failure> {
    let own = folder.join("checkpoint");
    match &args.checkpoint {
        Some(file) => {
            parse::file("checkpoint", &context.ambient.path(file), CHECKPOINT_BYTES).map(Some)
        }
        None if own.exists() => parse::file("checkpoint", &own, CHECKPOINT_BYTES).map(Some),
        None => Ok(None),
    }
}

/// The store that was named, or the one beside the tape if there is one. Nothing is made here.
fn store(args: &VerifyArgs, folder: &Path, context: &Context) -> Result<Option<Store>, Failure> {
    let dir = match &args.store {
        Some(dir) => context.ambient.path(dir),
        None => folder.join("../store"),
    };
    if dir.is_dir() {
        return Store::open(&dir).or_fail().map(Some);
    }
    match &args.store {
        Some(_) => Err(Failure::new(
            "FILE-MISSING",
            Class::Blocked,
            format!("there is no store at {}", dir.display()),
        )),
        None => Ok(None),
    }
}

fn tell(report: &Report, folder: &Path, context: &Context) {
    let ui = &context.ui;
    ui.json(&json!({ "folder": folder, "report": report }));
    let records = counted(
        usize::try_from(report.records).unwrap_or(usize::MAX),
        "record",
        "records",
    );
    match &report.finding {
        Finding::Closed => {
            ui.data(
                Line::styled(Style::Good, "CLOSED")
                    .plain(format!(": {records}, all under a signed checkpoint")),
            );
        }
        Finding::Open { unproven_from } => {
            ui.data(Line::styled(Style::Warn, "OPEN").plain(format!(
                ": {records}, in order; from record {unproven_from} on no checkpoint covers them, so more may have followed"
            )));
        }
        Finding::Broken {
            seq,
            line,
            code,
            message,
        } => {
            ui.data(
                Line::styled(Style::Bad, "BROKEN")
                    .plain(format!(": record {seq} (line {line}): {message} [{code}]")),
            );
            // Where an expectation is not met, or the checkpoint does not fit, no record is to blame by itself.
            let which = if report.records > *seq {
                ""
            } else {
                " before it"
            };
            ui.data(format!("  the {records}{which} hold together"));
        }
    }
    let unknown = || "unknown".to_owned();
    ui.data(format!(
        "  tape    {}",
        report.tape.map_or_else(unknown, |tape| tape.to_string())
    ));
    ui.data(format!(
        "  host    {}",
        report.host.map_or_else(unknown, |host| host.to_string())
    ));
    ui.data(format!(
        "  calls   {}, {} without an outcome (spent in full)",
        grouped(report.calls),
        report.open_calls.len()
    ));
    ui.data(format!(
        "  leases  {} verified from the store; {} calls whose lease is not on the tape",
        grouped(report.leases_verified),
        grouped(report.calls_without_lease)
    ));
    for (trust, count) in &report.leases_elsewhere {
        ui.data(format!(
            "  leases  {} verified under another trust file, which is for you to judge: {trust} in the store",
            grouped(*count)
        ));
    }
    if report.recovered > 0 {
        ui.data(format!(
            "  torn    {} tails, each saved and recorded",
            grouped(report.recovered)
        ));
    }
    if let Some(latest) = report.latest {
        ui.data(format!("  latest  {latest}, by the clock of the host"));
    }
}
