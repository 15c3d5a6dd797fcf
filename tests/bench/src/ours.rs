//! Calls through Leasehold, in a warm host: the plugin is loaded and the lease is verified before anything is measured.

use std::path::Path;

use leasehold_lease::{FileGrant, Kind, Rights};
use leasehold_sandbox::{CallSpec, Input, Instances, Outcome, Plugin, Status, admit};
use leasehold_tests::Rig;

use crate::Fault;

/// A host with one plugin, and the rights to call it.
pub(crate) struct Ours {
    pub(crate) rig: Rig,
    pub(crate) plugin: Plugin,
    rights: Rights,
    files: bool,
}

/// What a call may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Compute.
    Nothing,
    /// List and read the whole workspace.
    Workspace,
}

impl Ours {
    /// A host below `place` for `calls` calls at once of one prebuilt plugin.
    pub(crate) fn new(
        place: &Path,
        calls: u32,
        plugin: &str,
        reach: Reach,
        input: &Input,
    ) -> Result<Ours, Fault> {
        let rig = Rig::with(Instances::Pooled(calls), place)?;
        let plugin = rig.plugin(plugin)?;
        let rights = rights(&rig, &plugin, reach, input)?;
        Ok(Ours {
            rig,
            plugin,
            rights,
            files: reach == Reach::Workspace,
        })
    }

    /// One call: admission with its intent on the tape, the guest, the outcome on the tape.
    pub(crate) fn call(&self, input: Input) -> Result<Outcome, Fault> {
        let mut spec = CallSpec::new(input);
        if self.files {
            spec.workspace = Some(self.rig.tree()?);
        }
        let (rig, plugin) = (&self.rig, &self.plugin);
        let ticket = admit(
            &rig.engine,
            plugin,
            self.rights.clone(),
            spec,
            &rig.recorder,
        )?;
        let outcome = rig.engine.call(ticket, plugin)?;
        if outcome.summary.status != Status::Pass {
            let stderr = String::from_utf8_lossy(&outcome.stderr);
            return Err(format!("{}: {stderr}", outcome.summary.sentence).into());
        }
        Ok(outcome)
    }
}

fn rights(rig: &Rig, plugin: &Plugin, reach: Reach, input: &Input) -> Result<Rights, Fault> {
    let kind = match input {
        Input::Check { .. } => Kind::Gate,
        Input::Tool { .. } => Kind::Adapter,
        Input::Run { .. } => Kind::Command,
    };
    let mut grant = Rig::grant(plugin, kind);
    // Enough for everything that is measured, and counted all the same.
    grant.limits.fuel = 1 << 50;
    grant.limits.wall_ms = 600_000;
    if let Input::Run { args, .. } = input {
        grant.args = vec![args.clone()];
    }
    if let Input::Check {
        config: Some(config),
        ..
    } = input
    {
        grant.config = Some(leasehold_seal::Digest::of(config.as_bytes()));
    }
    if reach == Reach::Workspace {
        let all = vec!["**".parse()?];
        grant.files = FileGrant {
            list: all.clone(),
            read: all,
            ..FileGrant::default()
        };
    }
    rig.rights(grant)
}

/// Asks a gate with this configuration.
pub(crate) fn check(config: &str) -> Input {
    Input::Check {
        config: Some(config.to_owned()),
        changed: None,
    }
}

/// Runs a program with these arguments.
pub(crate) fn run(args: &[&str]) -> Input {
    Input::Run {
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        stdin: Vec::new(),
    }
}
