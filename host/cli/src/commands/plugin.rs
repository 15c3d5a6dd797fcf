//! `leasehold plugin`: what plugins there are, what one is and wants, and adding one to a pipeline. Runs nothing of them.

mod catalogue;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use leasehold_lease::{EnvGrant, FileGrant, Grant, Kind, Pattern};
use leasehold_sandbox::{
    Encoding, Facts, ImportKind, Manifest, PLUGIN_BYTES, Want, World, import_kind,
};
use serde_json::json;

use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::issue::{default_limits, grant_id};
use crate::parse;
use crate::show;
use crate::text::{SHOWN, bytes, clip, quoted};
use crate::ui::{Line, Style};

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List the plugins that come along, and those of this pipeline.
    List(catalogue::ListArgs),
    /// Add a plugin to the lock of a pipeline, by the name of one that comes along or by its file.
    Add(catalogue::AddArgs),
    /// Show what a plugin is, imports, offers and wants, and the lease it would need.
    Inspect(InspectArgs),
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The plugin: a component, or a WASI 0.1 core module.
    file: PathBuf,
}

pub(crate) fn run(command: &PluginCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        PluginCommand::List(args) => Ok(catalogue::list(args, context)?),
        PluginCommand::Add(args) => Ok(catalogue::add(args, context)?),
        PluginCommand::Inspect(args) => inspect(args, context),
    }
}

fn inspect(args: &InspectArgs, context: &Context) -> anyhow::Result<u8> {
    let path = context.ambient.path(&args.file);
    let (_, facts) = read(&path)?;
    let wish = wish(&facts, &path);
    let ui = &context.ui;
    let command = wish
        .as_ref()
        .map(|wish| issue_command(&facts, wish, &args.file));
    ui.json(&json!({
        "facts": facts,
        "imports": imports(&facts).iter().map(|(reach, names)| (reach.word(), names)).collect::<BTreeMap<_, _>>(),
        "issue": command.as_ref().ok(),
    }));
    for line in describe(&facts) {
        ui.data(line);
    }
    match command {
        _ if imports(&facts).contains_key(&Reach::Unknown) => {}
        Ok(command) => {
            ui.data(Line::styled(Style::Bold, "a lease with what it wants"));
            ui.data(format!("  {command}"));
        }
        Err(failure) => ui.warning(failure),
    }
    Ok(exit::PASSED)
}

/// A plugin's bytes, and what they say.
pub(crate) fn read(path: &Path) -> Result<(Vec<u8>, Facts), Failure> {
    let bytes = parse::file("plugin", path, PLUGIN_BYTES as u64)?;
    let facts = leasehold_sandbox::inspect(&bytes)
        .or_fail()
        .map_err(|failure| failure.detail(format!("in {}", path.display())))?;
    Ok((bytes, facts))
}

/// The name a plugin goes by: its own, or that of its file.
pub(crate) fn name(facts: &Facts, path: &Path) -> String {
    match &facts.manifest {
        Some(manifest) => manifest.name.clone(),
        None => path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    }
}

/// The grant that a plugin's manifest wishes for, with the usual limits. It wishes; nobody has granted anything.
///
/// # Errors
/// `MANIFEST-WANTS` when what it wants is no pattern.
pub(crate) fn wish(facts: &Facts, path: &Path) -> Result<Grant, Failure> {
    let manifest = facts.manifest.as_ref();
    let wants = manifest
        .map(|manifest| manifest.wants.clone())
        .unwrap_or_default();
    let files = FileGrant {
        list: patterns(&wants.list)?,
        read: patterns(&wants.read)?,
        write: patterns(&wants.write)?,
        deny: Vec::new(),
    };
    let kind = match facts.world {
        World::Gate => Kind::Gate,
        World::Adapter => Kind::Adapter,
        World::Program if manifest.is_some_and(|manifest| manifest.exit.is_some()) => Kind::Gate,
        World::Program => Kind::Command,
    };
    Ok(Grant {
        id: grant_id(&name(facts, path)),
        plugin: facts.digest,
        kind,
        config: None,
        args: Vec::new(),
        limits: default_limits(!files.write.is_empty()),
        files,
        env: EnvGrant {
            pass: wants.env.iter().map(|want| want.name.clone()).collect(),
            set: BTreeMap::new(),
        },
        http: Vec::new(),
        secrets: Vec::new(),
        clock: Default::default(),
        random: Default::default(),
    })
}

/// The command that issues the lease a plugin wishes for.
pub(crate) fn issue_command(facts: &Facts, wish: &Grant, file: &Path) -> String {
    let takes_config = facts
        .manifest
        .as_ref()
        .is_some_and(|manifest| manifest.config.is_some());
    show::issue_command(
        wish,
        &file.to_string_lossy(),
        takes_config.then_some("@CONFIG.json"),
    )
}

/// Whether an import can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Under a lease, as far as the lease goes.
    Leased,
    /// It is there so that the plugin loads; using it is refused.
    Refused,
    /// This host does not have it: the plugin does not load.
    Unknown,
}

impl Reach {
    fn word(self) -> &'static str {
        match self {
            Reach::Leased => "leased",
            Reach::Refused => "refused",
            Reach::Unknown => "unknown",
        }
    }

    fn explained(self) -> &'static str {
        match self {
            Reach::Leased => "as far as a lease goes",
            Reach::Refused => "there, but using them is refused",
            Reach::Unknown => "unknown: the plugin will not load",
        }
    }

    /// Where the sandbox puts an import; loading has the last word.
    fn of(import: &str) -> Reach {
        match import_kind(import) {
            ImportKind::Offered => Reach::Leased,
            ImportKind::Refused => Reach::Refused,
            ImportKind::Unknown => Reach::Unknown,
        }
    }
}

fn imports(facts: &Facts) -> BTreeMap<Reach, Vec<&str>> {
    let mut groups: BTreeMap<Reach, Vec<&str>> = BTreeMap::new();
    for import in &facts.imports {
        groups.entry(Reach::of(import)).or_default().push(import);
    }
    groups
}

fn describe(facts: &Facts) -> Vec<Line> {
    let row =
        |name: &str, value: String| Line::styled(Style::Dim, format!("{name:<9}")).plain(value);
    let encoding = match facts.encoding {
        Encoding::Component => "component",
        Encoding::Module => "WASI 0.1 core module, adapted when it is loaded",
    };
    let called = match facts.world {
        World::Gate => "gate",
        World::Adapter => "adapter",
        World::Program => "program",
    };
    let mut lines = Vec::new();
    if let Some(manifest) = &facts.manifest {
        lines.push(
            Line::styled(Style::Bold, clip(&manifest.name, 80)).plain(format!(
                " {}: {}",
                clip(&manifest.version, 40),
                clip(&manifest.summary, SHOWN)
            )),
        );
    }
    lines.push(row("digest", facts.digest.to_string()));
    lines.push(row("size", bytes(facts.size as u64)));
    lines.push(row("kind", format!("{called} ({encoding})")));
    for (reach, names) in imports(facts) {
        lines.push(row("imports", reach.explained().to_owned()));
        lines.extend(wrapped(&names).into_iter().map(Line::from));
    }
    if facts.imports.is_empty() {
        lines.push(row("imports", "nothing".to_owned()));
    }
    match &facts.manifest {
        Some(manifest) => lines.extend(describe_manifest(manifest)),
        None => lines.push(row(
            "manifest",
            "none: it says nothing about itself and asks for nothing".to_owned(),
        )),
    }
    lines
}

/// Names side by side, as many as a line takes.
fn wrapped(names: &[&str]) -> Vec<String> {
    const WIDTH: usize = 100;
    const INDENT: &str = "          ";
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut() {
            Some(line) if line.len() + 2 + name.len() <= WIDTH => {
                line.push_str("  ");
                line.push_str(name);
            }
            _ => lines.push(format!("{INDENT}{name}")),
        }
    }
    lines
}

fn describe_manifest(manifest: &Manifest) -> Vec<Line> {
    let mut lines = Vec::new();
    let wants = &manifest.wants;
    let files = [
        ("list", &wants.list),
        ("read", &wants.read),
        ("write", &wants.write),
    ];
    let files = files.into_iter().flat_map(|(what, wants)| {
        wants
            .iter()
            .map(move |want| (what, want.pattern.as_str(), want.why.as_str()))
    });
    let env = wants
        .env
        .iter()
        .map(|want| ("env", want.name.as_str(), want.why.as_str()));
    let all: Vec<_> = files.chain(env).collect();
    lines.push(Line::styled(
        Style::Bold,
        if all.is_empty() {
            "wants nothing"
        } else {
            "wants, with its reasons"
        },
    ));
    for (what, wanted, why) in all {
        lines.push(
            Line::from(format!("  {what:<6} {}", clip(wanted, 120)))
                .then(Style::Dim, format!("  {}", clip(why, SHOWN))),
        );
    }
    if manifest.complete {
        lines.push("complete: it cannot pass on a view from which something was hidden".into());
    }
    if let Some(exit) = &manifest.exit {
        lines.push(
            format!(
                "judges by exit code: pass {:?}, fail {:?}",
                exit.pass, exit.fail
            )
            .into(),
        );
    }
    if let Some(schema) = &manifest.config {
        lines.push(Line::styled(Style::Bold, "configuration"));
        lines.extend(schema_lines(schema));
    }
    for tool in &manifest.tools {
        lines.push(
            Line::styled(Style::Bold, format!("tool {}", clip(&tool.name, 80)))
                .plain(format!(": {}", clip(&tool.summary, SHOWN))),
        );
        lines.push("  arguments".into());
        lines.extend(schema_lines(&tool.input));
        lines.push("  answer".into());
        lines.extend(schema_lines(&tool.output));
    }
    lines
}

/// A schema, indented; it is the plugin's text like everything else here.
fn schema_lines(schema: &serde_json::Value) -> Vec<Line> {
    const MOST: usize = 120;
    let text = serde_json::to_string_pretty(schema).unwrap_or_default();
    let mut lines: Vec<Line> = text
        .lines()
        .take(MOST)
        .map(|line| format!("    {line}").into())
        .collect();
    if text.lines().count() > MOST {
        lines.push("    … (more with --format json)".into());
    }
    lines
}

fn patterns(wants: &[Want]) -> Result<Vec<Pattern>, Failure> {
    wants
        .iter()
        .map(|want| {
            want.pattern.parse().map_err(|error| {
                let sentence = format!(
                    "the plugin wants {}, which is no pattern: {error}",
                    quoted(&want.pattern)
                );
                Failure::new("MANIFEST-WANTS", leasehold_seal::Class::Integrity, sentence)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_sorted_by_what_can_come_of_them() {
        for (import, reach) in [
            ("wasi:filesystem/types@0.2.6", Reach::Leased),
            ("leasehold:plugin/workspace@0.1.0", Reach::Leased),
            ("wasi_snapshot_preview1/fd_read", Reach::Leased),
            ("wasi:sockets/tcp@0.2.0", Reach::Refused),
            ("wasi:http/outgoing-handler@0.2.0", Reach::Leased),
            ("wasi:http/incoming-handler@0.2.0", Reach::Refused),
            ("env/evil", Reach::Unknown),
            ("wasi:io", Reach::Unknown),
        ] {
            assert_eq!(Reach::of(import), reach, "{import}");
        }
    }
}
