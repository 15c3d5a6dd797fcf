//! `leasehold lease`: issues, narrows, presents, revokes, inspects, verifies and imports leases.

mod attenuate;
mod flags;
mod import;
mod inspect;
mod issue;
mod people;
mod present;
mod revocations;
mod revoke;
mod verify;

use clap::Subcommand;

use crate::commands::Context;

pub(crate) use people::write_whole;

#[derive(Debug, Subcommand)]
pub(crate) enum LeaseCommand {
    /// Sign a lease with an issuer key of the home, and record it on the tape.
    ///
    /// What is not granted is not allowed. Patterns are relative to the workspace: `docs/**` is everything below docs and docs
    /// itself, `*.md` only at the root, `**/*.md` everywhere; none of --list, --read and --write implies another.
    ///
    /// Limits that are not stated: fuel 1,000,000,000, memory 256M, time 10,000 ms, output 1M, open files 64, and for writing 10M
    /// where something may be written, otherwise 0.
    ///
    /// Where the home has a policy.json, nothing beyond it is issued.
    Issue(Box<issue::IssueArgs>),
    /// Hand on less of a lease, as its holder.
    ///
    /// The holder signs; nobody has to be asked. What is not said stays as the parent has it; what is said takes the place of what
    /// there was and has to lie within it, or nothing is made. Deny rules are added. With --key-file it works without a home.
    Attenuate(Box<attenuate::AttenuateArgs>),
    /// Show to one host that one is the holder of a lease.
    Present(present::PresentArgs),
    /// Revoke leases, with everything made of them: a new list, in force here at once.
    Revoke(revoke::RevokeArgs),
    /// Show the revocation list in use, bring one in, or write it out.
    Revocations(revocations::RevocationsArgs),
    /// Show what a lease says, with those it was made from, without trusting it.
    Inspect(inspect::InspectArgs),
    /// Verify a lease for this host and now, and show the rights it gives.
    Verify(verify::VerifyArgs),
    /// Read a lease file of Station Calyx (reference B) into a draft for `lease issue --draft`.
    ///
    /// Every field is mapped, or the file is refused with the name of the field and why. The signature in it is not believed. What
    /// the file cannot know is said with --plugin and --folder.
    Import(import::ImportArgs),
}

pub(crate) fn run(command: &LeaseCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        LeaseCommand::Issue(args) => issue::run(args, context),
        LeaseCommand::Attenuate(args) => attenuate::run(args, context),
        LeaseCommand::Present(args) => present::run(args, context),
        LeaseCommand::Revoke(args) => revoke::run(args, context),
        LeaseCommand::Revocations(args) => revocations::run(args, context),
        LeaseCommand::Inspect(args) => inspect::run(args, context),
        LeaseCommand::Verify(args) => verify::run(args, context),
        LeaseCommand::Import(args) => import::run(args, context),
    }
}
