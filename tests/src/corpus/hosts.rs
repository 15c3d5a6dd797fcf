//! The host that the guests of the corpus run on: one a plugin, with a workspace that is laid out anew for every act.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use leasehold_lease::Grant;
use leasehold_sandbox::{AdmitError, CallSpec, Outcome};
use leasehold_seal::Coded;

use super::network::NAMES;
use super::server::Names;
use crate::agree::agree;
use crate::rig::Fault;
use crate::stage::{Stage, check, code, run, tool};

/// A host for each plugin that was asked for.
#[derive(Default)]
pub(super) struct Hosts(BTreeMap<&'static str, Stage>);

/// What is asked of a guest, and under which lease.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    what: What,
    files: &'static str,
    change: fn(&mut Grant),
}

#[derive(Clone, Copy)]
enum What {
    Run(&'static [&'static str]),
    Check(&'static str),
    Tool(&'static str, &'static str),
}

impl Ask {
    /// Runs a program with these arguments and no file right.
    pub(super) fn run(args: &'static [&'static str]) -> Ask {
        Ask::of(What::Run(args))
    }

    /// Asks a gate with this configuration.
    pub(super) fn check(config: &'static str) -> Ask {
        Ask::of(What::Check(config))
    }

    /// Uses a tool with these arguments.
    pub(super) fn tool(name: &'static str, arguments: &'static str) -> Ask {
        Ask::of(What::Tool(name, arguments))
    }

    fn of(what: What) -> Ask {
        Ask {
            what,
            files: "",
            change: |_grant| {},
        }
    }

    /// With these file rights; see [`crate::files`].
    pub(super) fn files(self, files: &'static str) -> Ask {
        Ask { files, ..self }
    }

    /// Under a lease that was changed so.
    pub(super) fn under(self, change: fn(&mut Grant)) -> Ask {
        Ask { change, ..self }
    }

    pub(super) fn spec(&self) -> CallSpec {
        match self.what {
            What::Run(args) => run(args),
            What::Check(config) => check(config),
            What::Tool(name, arguments) => tool(name, arguments),
        }
    }
}

impl Hosts {
    /// The host of this plugin.
    pub(super) fn of(&mut self, plugin: &'static str) -> Result<&mut Stage, Fault> {
        if !self.0.contains_key(plugin) {
            let Stage {
                mut rig,
                plugin: loaded,
            } = Stage::new(plugin, &[])?;
            rig.engine = rig.engine.with_client(Names::new(&NAMES).client());
            let stage = Stage {
                rig,
                plugin: loaded,
            };
            self.0.insert(plugin, stage);
        }
        self.0.get_mut(plugin).ok_or_else(|| "no host".into())
    }

    /// The code with which a guest is stopped.
    pub(super) fn ask(&mut self, plugin: &'static str, ask: Ask) -> Result<String, Fault> {
        let stage = self.of(plugin)?;
        lay_out(stage)?;
        let spec = ask.spec();
        let mut grant = stage.grant(ask.files, &spec)?;
        (ask.change)(&mut grant);
        let called = called(stage, grant, spec)?;
        Ok(called.map_or_else(|refused| refused, |outcome| code(&outcome).into()))
    }
}

/// Makes a call; in the place of an outcome the code with which it was not admitted.
pub(super) fn called(
    stage: &Stage,
    grant: Grant,
    spec: CallSpec,
) -> Result<Result<Outcome, String>, Fault> {
    match stage.rig.call(&stage.plugin, grant, spec) {
        Ok(outcome) => {
            agree(&outcome, &stage.rig.records()?)?;
            Ok(Ok(outcome))
        }
        Err(fault) => match fault.downcast::<AdmitError>() {
            Ok(refused) => Ok(Err(refused.code().into())),
            Err(other) => Err(other),
        },
    }
}

/// Names in the workspace that mean one another, to somebody.
const FILES: [&str; 14] = [
    "a",
    "f",
    "dir/open",
    "dir/secret",
    "hidden/yes",
    "SECRET.TXT",
    "se\u{200b}cret.txt",
    "cafe\u{301}",
    "once",
    ".git/config",
    ".GIT/config",
    ".g\u{200c}it/config",
    "git/config",
    "rules",
];

fn lay_out(stage: &Stage) -> Result<(), Fault> {
    let place = stage.rig.workspace();
    fs::remove_dir_all(&place)?;
    fs::create_dir(&place)?;
    fs::write(stage.rig.folder().join("outside.txt"), "outside")?;
    for path in FILES {
        stage.write(path, "content")?;
    }
    fs::hard_link(place.join("once"), place.join("twice"))?;
    for (target, link) in [
        ("a", "plain"),
        ("../outside.txt", "out"),
        ("/etc/passwd", "absolute"),
        ("dir/secret", "inner"),
        ("made", "dangling"),
    ] {
        symlink(target, place.join(link))?;
    }
    rustix::fs::mknodat(
        rustix::fs::CWD,
        place.join("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )?;
    // The name stays when the listener goes.
    UnixListener::bind(place.join("socket"))?;
    Ok(())
}
