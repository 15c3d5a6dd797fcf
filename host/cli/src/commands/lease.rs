//! `leasehold lease`: issues, inspects and verifies leases.

mod issue;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use leasehold_lease::LeaseDoc;
use leasehold_seal::{Envelope, Role, dsse};
use serde_json::json;

use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::Home;
use crate::parse;
use crate::show;
use crate::ui::{Line, Style};

#[derive(Debug, Subcommand)]
pub(crate) enum LeaseCommand {
    /// Sign a lease with an issuer key of the home, and record it on the tape.
    ///
    /// What is not granted is not allowed. Patterns are relative to the workspace: `docs/**` is everything below docs and docs
    /// itself, `*.md` only at the root, `**/*.md` everywhere; none of --list, --read and --write implies another.
    ///
    /// Limits that are not stated: fuel 1,000,000,000, memory 256M, time 10,000 ms, output 1M, open files 64, and for writing 10M
    /// where something may be written, otherwise 0.
    Issue(Box<issue::IssueArgs>),
    /// Show what a lease says, without trusting it.
    Inspect(FileArgs),
    /// Verify a lease for this host and now, and show the rights it gives.
    Verify(FileArgs),
}

#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The lease.
    file: PathBuf,
}

pub(crate) fn run(command: &LeaseCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        LeaseCommand::Issue(args) => issue::run(args, context),
        LeaseCommand::Inspect(args) => inspect(&args.file, context),
        LeaseCommand::Verify(args) => verify(&args.file, context),
    }
}

/// The envelope in a file, as it was written and read.
pub(crate) fn read(path: &Path) -> Result<(Vec<u8>, Envelope), Failure> {
    let bytes = parse::file("lease", path, dsse::MAX_BYTES as u64)?;
    let envelope = Envelope::parse(&bytes)
        .or_fail()
        .map_err(|failure| failure.detail(format!("in {}", path.display())))?;
    Ok((bytes, envelope))
}

fn inspect(file: &Path, context: &Context) -> anyhow::Result<u8> {
    let (_, envelope) = read(&context.ambient.path(file))?;
    let document = LeaseDoc::parse(envelope.unverified_payload()).or_fail()?;
    let ui = &context.ui;
    // Names are a help, not a need: a lease can be looked at without a home.
    let trust = Home::open(&context.ambient)
        .and_then(|home| home.trust())
        .ok();
    let now = context.ambient.now();
    ui.json(&json!({ "document": document, "lease": envelope.id(), "signatures": signatures(&envelope), "verified": false }));
    ui.data(
        Line::styled(Style::Warn, "not verified")
            .plain(": this is what the file says, from whomever it may be"),
    );
    for line in show::lease(&envelope.id(), &document, None, trust.as_ref(), now) {
        ui.data(line);
    }
    ui.data(format!(
        "signed    by {} (claimed)",
        signatures(&envelope).join(", ")
    ));
    ui.talk(format!(
        "next: leasehold lease verify {}",
        crate::text::quoted(&file.to_string_lossy())
    ));
    Ok(exit::PASSED)
}

fn verify(file: &Path, context: &Context) -> anyhow::Result<u8> {
    let home = Home::open(&context.ambient)?;
    let trust = home.trust()?;
    let now = context.ambient.now();
    let host = home.host_key(&trust, now)?.public().key_id();
    let (_, envelope) = read(&context.ambient.path(file))?;
    let verified = leasehold_lease::verify(&envelope, &trust, &host, home.tape_id().as_ref(), now)
        .or_fail()?;
    let ui = &context.ui;
    ui.json(&json!({
        "document": verified.document(),
        "lease": verified.id(),
        "signers": verified.signers(),
        "verified": true,
    }));
    ui.data(Line::styled(Style::Good, "verified").plain(format!(
        ": signed by {} of {} needed, for this host, valid now",
        verified.signers().len(),
        trust.threshold(Role::Issuer),
    )));
    for line in show::lease(
        &verified.id(),
        verified.document(),
        Some(&host),
        Some(&trust),
        now,
    ) {
        ui.data(line);
    }
    Ok(exit::PASSED)
}

fn signatures(envelope: &Envelope) -> Vec<String> {
    let keyid = |signature: &dsse::Signature| {
        signature
            .keyid
            .clone()
            .unwrap_or_else(|| "somebody".to_owned())
    };
    envelope.unverified_signatures().iter().map(keyid).collect()
}
