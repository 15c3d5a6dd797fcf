//! `leasehold policy`: policies, and leases and requests held against them.

mod check;
mod facts;

use clap::Subcommand;

use crate::commands::Context;

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check a policy with its own examples, and what is asked for against it.
    ///
    /// Without a file it is the leasehold.policy.json of the nearest folder upwards, otherwise the policy.json of the home. What the
    /// policy does not allow is refused (exit code 3), with the rule that decided.
    Check(check::CheckArgs),
}

pub(crate) fn run(command: &PolicyCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        PolicyCommand::Check(args) => check::run(args, context),
    }
}
