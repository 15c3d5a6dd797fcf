//! `leasehold plugin list` and `leasehold plugin add`.

use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_lease::{FileGrant, Kind, LimitsSpec, RelPath};
use leasehold_rules::{
    ExitCodes, Lock, LockEntry, PIPELINE_FILE, PluginSource, StepSpec, Uses, append_step,
};
use leasehold_sandbox::{Facts, World};
use leasehold_seal::{Class, Digest};
use serde_json::json;

use super::{name, read, wish};
use crate::builtin;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::issue::grant_id;
use crate::parse;
use crate::rules::{self, LOCK_FILE, failed};
use crate::text::{SHOWN, clip};
use crate::ui::{Line, Style};

/// Where a plugin goes that lies outside of the workspace.
const FOLDER: &str = ".leasehold/plugins";
/// The largest file of the rules, in bytes.
const MOST: u64 = 1 << 20;

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The tree whose lock is looked at. Default: the nearest folder upwards that has a leasehold.toml.
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The name of a plugin that comes along, or a plugin's file.
    plugin: String,
    /// Also add a step that runs it, with the rights its manifest wishes for.
    #[arg(long)]
    step: bool,
    /// The name it goes by. Default: its own.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The tree. Default: the nearest folder upwards that has a leasehold.toml, or this one.
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
}

/// What a plugin is called as, in words.
fn kind(facts: &Facts) -> &'static str {
    match facts.world {
        World::Gate => "gate",
        World::Adapter => "adapter",
        World::Program => "command",
    }
}

pub(super) fn list(args: &ListArgs, context: &Context) -> Result<u8, Failure> {
    let here = context.ambient.path(Path::new(""));
    let lock = match rules::root(args.workspace.as_deref(), &here) {
        Ok(root) => read_lock(&root)?,
        // Without a pipeline there is still what comes along.
        Err(_) if args.workspace.is_none() => Lock::default(),
        Err(failure) => return Err(failure),
    };
    let mut plugins = Vec::new();
    for builtin in builtin::ALL {
        let facts = leasehold_sandbox::inspect(builtin.bytes).or_fail()?;
        plugins.push((builtin.name, facts));
    }
    let locked = |digest: &Digest| lock.entries().any(|entry| entry.digest == *digest);
    let ui = &context.ui;
    let summary = |facts: &Facts| {
        let manifest = facts.manifest.as_ref();
        manifest.map_or(String::new(), |manifest| manifest.summary.clone())
    };
    ui.json(&json!({
        "builtin": plugins.iter().map(|(name, facts)| json!({
            "digest": facts.digest, "kind": kind(facts), "locked": locked(&facts.digest), "name": name, "summary": summary(facts),
        })).collect::<Vec<_>>(),
        "lock": lock.entries().map(|entry| json!({
            "digest": entry.digest, "name": entry.name, "source": source_text(&entry.source), "version": entry.version,
        })).collect::<Vec<_>>(),
    }));
    ui.data(Line::styled(Style::Bold, "come along"));
    for (name, facts) in &plugins {
        let mark = if locked(&facts.digest) { "*" } else { " " };
        ui.data(
            Line::from(format!("{mark} {name:<17} {:<8} ", kind(facts)))
                .then(Style::Dim, clip(&summary(facts), SHOWN)),
        );
    }
    if lock.entries().next().is_some() {
        ui.data(Line::styled(
            Style::Bold,
            format!("in {LOCK_FILE} (* above)"),
        ));
        for entry in lock.entries() {
            let source = source_text(&entry.source);
            ui.data(format!(
                "  {:<17} {:<8} {source}  {}",
                entry.name, entry.version, entry.digest
            ));
        }
    }
    Ok(exit::PASSED)
}

fn source_text(source: &PluginSource) -> String {
    match source {
        PluginSource::Builtin => "builtin".to_owned(),
        PluginSource::Path(path) => path.to_string(),
    }
}

fn read_lock(root: &Path) -> Result<Lock, Failure> {
    let path = root.join(LOCK_FILE);
    if !path.exists() {
        return Ok(Lock::default());
    }
    let bytes = parse::file("lock file", &path, MOST)?;
    Lock::parse(&bytes).map_err(|errors| failed(&errors))
}

/// What is about to be added.
struct Addition {
    entry: LockEntry,
    facts: Facts,
    /// The file it was named by.
    path: PathBuf,
    /// Bytes that have to be put into the workspace first.
    copy: Option<Vec<u8>>,
}

pub(super) fn add(args: &AddArgs, context: &Context) -> Result<u8, Failure> {
    let here = context.ambient.path(Path::new(""));
    let root = match (
        &args.workspace,
        rules::root(args.workspace.as_deref(), &here),
    ) {
        (_, Ok(root)) => root,
        // The first plugin makes the pipeline.
        (None, Err(_)) => here.canonicalize().unwrap_or(here),
        (Some(_), Err(failure)) => return Err(failure),
    };
    let addition = addition(args, &root, context)?;
    let Addition { entry, facts, .. } = &addition;
    if facts.world == World::Adapter && args.step {
        let sentence = format!(
            "{} is an adapter: agents call its tools, a pipeline does not run it",
            entry.name
        );
        return Err(Failure::usage("PLUGIN-KIND", sentence).hint("leave out --step"));
    }
    let pipeline = args.step.then(|| with_step(&root, &addition)).transpose()?;
    let lock = read_lock(&root)?;
    let same = |other: &&LockEntry| other.name != entry.name && other.source == entry.source;
    if let (Some(_), Some(other)) = (&addition.copy, lock.entries().find(same)) {
        let sentence = format!(
            "the plugin {} has its file at {}",
            other.name,
            source_text(&other.source)
        );
        return Err(Failure::usage("PLUGIN-PLACE", sentence)
            .hint("give this one another name: --name NAME"));
    }
    let lock = lock.with(entry.clone()).or_fail()?;
    // The lock first: a step without its plugin would not run, a plugin without a step does no harm.
    if let Some(bytes) = &addition.copy {
        rules::write(&root, &source_text(&entry.source), bytes)?;
    }
    rules::write(&root, LOCK_FILE, lock.to_text().as_bytes())?;
    if let Some(text) = &pipeline {
        rules::write(&root, PIPELINE_FILE, text.as_bytes())?;
    }
    let ui = &context.ui;
    ui.json(&json!({
        "digest": entry.digest, "name": entry.name, "root": root, "source": source_text(&entry.source), "step": pipeline.is_some(),
    }));
    ui.data(format!(
        "added {} {} ({}) to {LOCK_FILE}",
        entry.name, entry.version, entry.digest
    ));
    if pipeline.is_some() {
        ui.data(format!("added a step to {PIPELINE_FILE}"));
        ui.talk("next: leasehold plan, then leasehold run");
    } else {
        ui.talk(format!("next: add a step to {PIPELINE_FILE} that names it"));
    }
    Ok(exit::PASSED)
}

fn addition(args: &AddArgs, root: &Path, context: &Context) -> Result<Addition, Failure> {
    if let Some(builtin) = builtin::named(&args.plugin) {
        let facts = leasehold_sandbox::inspect(builtin.bytes).or_fail()?;
        let entry = entry(args, &facts, builtin.name, PluginSource::Builtin);
        return Ok(Addition {
            entry,
            facts,
            path: PathBuf::from(builtin.name),
            copy: None,
        });
    }
    let path = context.ambient.path(Path::new(&args.plugin));
    if !path.exists() && !args.plugin.contains(['/', '.']) {
        let known: Vec<&str> = builtin::ALL.iter().map(|builtin| builtin.name).collect();
        let sentence = format!(
            "there is neither a plugin named {:?} nor a file of that name",
            args.plugin
        );
        return Err(Failure::new("PLUGIN-UNKNOWN", Class::Usage, sentence)
            .hint(format!("these come along: {}", known.join(", "))));
    }
    let (bytes, facts) = read(&path)?;
    let own = name(&facts, &path);
    let inside = path.canonicalize().ok();
    let inside = inside
        .as_deref()
        .and_then(|path| path.strip_prefix(root).ok());
    let (place, copy) = match inside.and_then(Path::to_str).map(RelPath::parse) {
        Some(Ok(place)) => (place, None),
        _ => {
            let name = args.name.clone().unwrap_or_else(|| grant_id(&own));
            let place = format!("{FOLDER}/{}.wasm", grant_id(&name));
            let place = RelPath::parse(&place)
                .map_err(|error| Failure::usage("PATH-FORMAT", error.to_string()))?;
            (place, Some(bytes))
        }
    };
    let entry = entry(args, &facts, &own, PluginSource::Path(place));
    Ok(Addition {
        entry,
        facts,
        path,
        copy,
    })
}

fn entry(args: &AddArgs, facts: &Facts, own: &str, source: PluginSource) -> LockEntry {
    let version = facts
        .manifest
        .as_ref()
        .map(|manifest| manifest.version.as_str());
    let plain = |version: &&str| {
        !version.is_empty()
            && version.len() <= 64
            && version.bytes().all(|byte| byte.is_ascii_graphic())
    };
    LockEntry {
        name: args.name.clone().unwrap_or_else(|| grant_id(own)),
        version: version.filter(plain).unwrap_or("0").to_owned(),
        digest: facts.digest,
        source,
    }
}

/// The pipeline with one more step, which has the rights that the plugin wishes for.
fn with_step(root: &Path, addition: &Addition) -> Result<String, Failure> {
    let path = root.join(PIPELINE_FILE);
    let text = match path.exists() {
        true => {
            let bytes = parse::file("pipeline", &path, MOST)?;
            String::from_utf8(bytes).map_err(|_| {
                Failure::usage("PIPELINE-ENCODING", format!("{PIPELINE_FILE} is not UTF-8"))
            })?
        }
        false => String::new(),
    };
    let Addition {
        entry, facts, path, ..
    } = addition;
    let wish = wish(facts, path)?;
    // A gate changes nothing: what writes is a command, whatever its exit codes mean.
    let gate = wish.kind == Kind::Gate && wish.files.write.is_empty();
    let uses = if gate { Uses::Gate } else { Uses::Command };
    let exit = facts
        .manifest
        .as_ref()
        .and_then(|manifest| manifest.exit.as_ref());
    let mut files = FileGrant {
        deny: Vec::new(),
        ..wish.files
    };
    // What is read is listed as well.
    files.list.retain(|pattern| !files.read.contains(pattern));
    let step = StepSpec {
        id: free_id(&text, &entry.name),
        uses: uses(entry.name.clone()),
        files,
        skip: Vec::new(),
        args: Vec::new(),
        config: None,
        env: wish.env,
        http: wish.http,
        secrets: wish.secrets,
        needs: Vec::new(),
        exit: exit.filter(|_| gate).map(|exit| ExitCodes {
            fail: exit.fail.clone(),
            pass: exit.pass.clone(),
        }),
        limits: LimitsSpec::default(),
        cache: true,
    };
    append_step(&text, &step).map_err(|errors| failed(&errors))
}

/// The plugin's name, or the first of name-2, name-3, … that no step has.
fn free_id(text: &str, name: &str) -> String {
    let taken = |id: &str| {
        leasehold_rules::Pipeline::parse(text.as_bytes())
            .is_ok_and(|pipeline| pipeline.steps().iter().any(|step| step.spec.id == id))
    };
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut ids = std::iter::once(name.to_owned()).chain(numbered);
    ids.find(|id| !taken(id)).unwrap_or_else(|| name.to_owned())
}
