//! A workspace with a pipeline, and a home to judge it from, through the binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Fault;
use crate::process::done;

/// A step of a pipeline: its gate, and what stands below that in `leasehold.toml`.
#[derive(Clone, Copy)]
pub(crate) struct Gate {
    pub(crate) id: &'static str,
    pub(crate) plugin: &'static str,
    pub(crate) says: &'static str,
}

const fn gate(id: &'static str, plugin: &'static str, says: &'static str) -> Gate {
    Gate { id, plugin, says }
}

/// The gate `secrets` as it comes.
pub(crate) const SECRETS: Gate = gate("secrets", "secrets", r#"read = ["**"]"#);

/// Ten gates that find nothing wrong with what `sources` makes. Four read every file, one the beginning of every file of code, the others less.
pub(crate) const TEN: [Gate; 10] = [
    SECRETS,
    gate(
        "secrets-strict",
        "secrets",
        "read = [\"**\"]\nconfig = { min_entropy = 320 }",
    ),
    gate("conflict-markers", "conflict-markers", r#"read = ["**"]"#),
    gate(
        "manifest",
        "manifest",
        "read = [\"**\"]\nconfig = { root = \"src\" }",
    ),
    gate(
        "license-header",
        "license-header",
        "read = [\"**\"]\nconfig = { rules = [{ files = [\"src/**/*.rs\", \"src/**/*.py\", \"src/**/*.ts\", \"src/**/*.go\"], spdx = \"MIT\" }] }",
    ),
    gate(
        "json-schema",
        "json-schema",
        "read = [\"src/**/*.json\"]\nconfig = { checks = [{ files = [\"src/**/*.json\"], schema = { type = \"object\", required = [\"entries\"], properties = { entries = { type = \"array\", items = { type = \"object\", required = [\"name\", \"count\"], properties = { name = { type = \"string\" }, count = { type = \"integer\", minimum = 0 } } } } } } }] }",
    ),
    gate(
        "md-links",
        "md-links",
        "list = [\"**\"]\nread = [\"docs/**\"]\nconfig = { files = [\"docs/**/*.md\"], anchors = true }",
    ),
    gate("large-file", "large-file", "read = [\"**\"]"),
    gate(
        "structure-lock",
        "structure-lock",
        "list = [\"*\"]\nconfig = { roots = [\"docs\", \"src\"], files = [\"CHANGELOG.md\", \"leasehold.lock\", \"leasehold.toml\"], exceptions = [\".git\"] }",
    ),
    gate("changelog", "changelog", r#"read = ["CHANGELOG.md"]"#),
];

/// A workspace and a home, both in one temporary folder.
pub(crate) struct Project {
    folder: TempDir,
    binary: PathBuf,
}

impl Project {
    /// A project below `place` with these steps, in this order. The workspace holds nothing but its rules.
    pub(crate) fn new(
        place: &Path,
        steps: impl Iterator<Item = (String, Gate)>,
    ) -> Result<Project, Fault> {
        let project = Project {
            folder: tempfile::Builder::new()
                .prefix("leasehold-")
                .tempdir_in(place)?,
            binary: leasehold_tests::binary()?,
        };
        fs::create_dir(project.workspace())?;
        done(project.leasehold(["init"]))?;
        let mut pipeline = "version = 1\n".to_owned();
        let mut plugins: Vec<&str> = Vec::new();
        for (id, gate) in steps {
            pipeline.push_str(&format!(
                "\n[[step]]\nid = \"{id}\"\ngate = \"{}\"\n{}\n",
                gate.plugin, gate.says
            ));
            plugins.push(gate.plugin);
        }
        fs::write(project.workspace().join("leasehold.toml"), pipeline)?;
        plugins.sort_unstable();
        plugins.dedup();
        for plugin in plugins {
            done(project.leasehold(["plugin", "add", plugin]))?;
        }
        Ok(project)
    }

    /// A project with these gates, each a step of its own name.
    pub(crate) fn of(place: &Path, gates: &[Gate]) -> Result<Project, Fault> {
        Project::new(place, gates.iter().map(|gate| (gate.id.to_owned(), *gate)))
    }

    /// What is judged.
    pub(crate) fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// Where keys, tape and caches are.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The command line, in the workspace.
    pub(crate) fn leasehold<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(args)
            .current_dir(self.workspace())
            .env("LEASEHOLD_HOME", self.home())
            // Under CI a home has no key to issue with.
            .env_remove("CI");
        command
    }

    /// A whole run; it has to pass.
    pub(crate) fn run<const N: usize>(&self, args: [&str; N]) -> Result<(), Fault> {
        let mut run = self.leasehold(["run"]);
        run.args(args);
        done(run).map(drop)
    }
}
