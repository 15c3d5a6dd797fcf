//! A [`Rig`] with one plugin on it: short ways to ask it something under a lease, each checked against the tape.

use std::fs::{self, File};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use leasehold_files::{Protected, Tree};
use leasehold_lease::{FileGrant, Grant, Kind, Pattern};
use leasehold_sandbox::{CallSpec, Ending, Input, Outcome, Plugin, Status};
use leasehold_seal::Digest;
use leasehold_tape::reader::Records;
use leasehold_tape::{Kind as RecordKind, Record};
use serde_json::Value;

use crate::agree::agree;
use crate::rig::{Fault, Rig};

/// A plugin in a host of its own.
pub struct Stage {
    /// The host.
    pub rig: Rig,
    /// The plugin.
    pub plugin: Plugin,
}

impl Stage {
    /// A prebuilt plugin before a workspace with these files.
    ///
    /// # Errors
    /// Whatever keeps it from being made.
    pub fn new(plugin: &str, layout: &[(&str, &str)]) -> Result<Stage, Fault> {
        let rig = Rig::new()?;
        let plugin = rig.plugin(plugin)?;
        let stage = Stage { rig, plugin };
        for (path, content) in layout {
            stage.write(path, content)?;
        }
        Ok(stage)
    }

    /// The guest that tries what its arguments name.
    ///
    /// # Errors
    /// As [`Stage::new`].
    pub fn probe(layout: &[(&str, &str)]) -> Result<Stage, Fault> {
        Stage::new("hostile/probe", layout)
    }

    /// Writes a file of the workspace, and the folders above it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &str, content: &str) -> Result<(), Fault> {
        let path = self.rig.workspace().join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, content)?)
    }

    /// The content of a file of the workspace.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn content(&self, path: &str) -> Result<String, Fault> {
        Ok(fs::read_to_string(self.rig.workspace().join(path))?)
    }

    /// What has to be granted for this call to be admitted, with these files (see [`files`]).
    ///
    /// # Errors
    /// When the text does not stand for file rights.
    pub fn grant(&self, allowed: &str, spec: &CallSpec) -> Result<Grant, Fault> {
        let kind = match &spec.input {
            Input::Check { .. } => Kind::Gate,
            Input::Tool { .. } => Kind::Adapter,
            Input::Run { .. } => Kind::Command,
        };
        let mut grant = Rig::grant(&self.plugin, kind);
        grant.files = files(allowed)?;
        match &spec.input {
            Input::Check { config, .. } => {
                grant.config = config.as_ref().map(|text| Digest::of(text.as_bytes()));
            }
            Input::Run { args, .. } if !args.is_empty() => grant.args = vec![args.clone()],
            _ => {}
        }
        Ok(grant)
    }

    /// Makes a call under a lease that allows it and these files; `change` sets everything else. The tape must say of it
    /// what the outcome says.
    ///
    /// # Errors
    /// When it is refused, or the two differ.
    pub fn ask(
        &self,
        allowed: &str,
        spec: CallSpec,
        change: impl FnOnce(&mut Grant),
    ) -> Result<Outcome, Fault> {
        let mut grant = self.grant(allowed, &spec)?;
        change(&mut grant);
        let outcome = self.rig.call(&self.plugin, grant, spec)?;
        agree(&outcome, &self.rig.records()?)?;
        Ok(outcome)
    }

    /// Runs a program with these arguments.
    ///
    /// # Errors
    /// As [`Stage::ask`].
    pub fn run(&self, allowed: &str, args: &[&str]) -> Result<Outcome, Fault> {
        self.ask(allowed, run(args), |_grant| {})
    }

    /// Runs a program with another folder as its workspace.
    ///
    /// # Errors
    /// As [`Stage::ask`].
    pub fn run_in(&self, workspace: &Path, allowed: &str, args: &[&str]) -> Result<Outcome, Fault> {
        let mut spec = run(args);
        spec.workspace = Some(tree(workspace, Protected::default())?);
        self.ask(allowed, spec, |_grant| {})
    }

    /// Asks a gate to judge.
    ///
    /// # Errors
    /// As [`Stage::ask`].
    pub fn check(&self, allowed: &str, config: &str) -> Result<Outcome, Fault> {
        self.ask(allowed, check(config), |_grant| {})
    }

    /// Uses a tool of an adapter.
    ///
    /// # Errors
    /// As [`Stage::ask`].
    pub fn tool(&self, allowed: &str, name: &str, arguments: &str) -> Result<Outcome, Fault> {
        self.ask(allowed, tool(name, arguments), |_grant| {})
    }
}

impl Rig {
    /// Everything on the tape, each record checked for form and place.
    ///
    /// # Errors
    /// When the tape is not sound.
    pub fn records(&self) -> Result<Vec<Record>, Fault> {
        let file = File::open(self.recorder.tape.dir().join("records.jsonl"))?;
        Ok(Records::new(file).collect::<Result<_, _>>()?)
    }

    /// The bodies of all records of one kind, in order.
    ///
    /// # Errors
    /// When the tape is not sound.
    pub fn bodies(&self, kind: &RecordKind) -> Result<Vec<Value>, Fault> {
        let records = self.records()?;
        let of_kind = records.iter().filter(|record| record.kind == *kind);
        of_kind
            .map(|record| Ok(serde_json::from_slice(record.body_bytes())?))
            .collect()
    }
}

/// File rights from words: `l:docs/** r:docs/** w:out d:**/.env` lists, reads, writes and denies.
///
/// # Errors
/// When a word has no such letter or no pattern.
pub fn files(text: &str) -> Result<FileGrant, Fault> {
    let mut grant = FileGrant::default();
    for word in text.split_whitespace() {
        let (letter, pattern) = word.split_once(':').ok_or("a word without a letter")?;
        let pattern: Pattern = pattern.parse()?;
        match letter {
            "l" => grant.list.push(pattern),
            "r" => grant.read.push(pattern),
            "w" => grant.write.push(pattern),
            "d" => grant.deny.push(pattern),
            other => return Err(format!("{other} is none of l, r, w and d").into()),
        }
    }
    Ok(grant)
}

/// A folder as calls get it.
///
/// # Errors
/// When it cannot be opened.
pub fn tree(folder: &Path, protected: Protected) -> Result<Tree, Fault> {
    let dir = Dir::open_ambient_dir(folder, ambient_authority())?;
    Ok(Tree::open(dir, protected)?)
}

/// Runs a program with these arguments and an empty standard input.
pub fn run(args: &[&str]) -> CallSpec {
    run_with(args, "")
}

/// Runs a program with these arguments and this standard input.
pub fn run_with(args: &[&str], stdin: &str) -> CallSpec {
    CallSpec::new(Input::Run {
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        stdin: stdin.into(),
    })
}

/// Asks a gate with this configuration.
pub fn check(config: &str) -> CallSpec {
    CallSpec::new(Input::Check {
        config: Some(config.to_owned()),
        changed: None,
    })
}

/// Uses a tool.
pub fn tool(name: &str, arguments: &str) -> CallSpec {
    CallSpec::new(Input::Tool {
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    })
}

/// One act of a program: refused with a code under the one lease, so that it exits with 1, and done under the other.
///
/// # Panics
/// When either is not so.
///
/// # Errors
/// As [`Stage::ask`].
#[track_caller]
pub fn twins(
    stage: &Stage,
    args: &[&str],
    refusal: &str,
    narrow: &str,
    wide: &str,
) -> Result<(Outcome, Outcome), Fault> {
    let bad = stage.run(narrow, args)?;
    assert_eq!(code(&bad), refusal, "{args:?} under {narrow}: {bad:?}");
    assert_eq!(bad.ending, Ending::Exited(1), "{args:?} under {narrow}");
    let good = stage.run(wide, args)?;
    assert_eq!(
        good.summary.status,
        Status::Pass,
        "{args:?} under {wide}: {good:?}"
    );
    Ok((bad, good))
}

/// The stable code of an outcome; `PASS` where there is none.
pub fn code(outcome: &Outcome) -> &'static str {
    outcome.summary.code.unwrap_or("PASS")
}

/// What a program printed.
pub fn said(outcome: &Outcome) -> String {
    String::from_utf8_lossy(&outcome.stdout).into_owned()
}

/// The JSON that a program printed on its last line; null where there is none.
pub fn answer(outcome: &Outcome) -> Value {
    let text = said(outcome);
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_default()
}
