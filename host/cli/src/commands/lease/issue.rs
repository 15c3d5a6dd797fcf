//! `leasehold lease issue`: from flags or from a draft to a signed lease.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_lease::{
    Audience, EnvGrant, FileGrant, Grant, Holder, Intent, Kind, LeaseDoc, Limits, Pattern,
};
use leasehold_sandbox::{PLUGIN_BYTES, World};
use leasehold_seal::{Coded, Digest, Role};
use serde_json::json;

use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::issue::{self, Issued, Terms, default_limits};
use crate::parse::{self, Expiry, Variable};
use crate::session::Session;
use crate::show;
use crate::ui::{Line, Style};

#[derive(Debug, Args)]
pub(crate) struct IssueArgs {
    /// The plugin: its file, or its digest (sha256:…).
    #[arg(long, value_name = "FILE|DIGEST", required_unless_present = "draft")]
    plugin: Option<String>,
    /// What it is used as: gate, adapter or command. Default: what the plugin is.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// Name of the grant. Default: the plugin's name.
    #[arg(long, value_name = "ID")]
    grant: Option<String>,
    /// Names that may be seen, with kind and size; may be repeated, as the next three.
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    list: Vec<Pattern>,
    /// Files that may be read.
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    read: Vec<Pattern>,
    /// Files and folders that may be made, changed and removed.
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    write: Vec<Pattern>,
    /// What is excepted from all three, with everything below it.
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    deny: Vec<Pattern>,
    /// One argument of a program; repeated, they make one list that has to be given exactly so.
    #[arg(long = "arg", value_name = "ARGUMENT", allow_hyphen_values = true)]
    arg: Vec<String>,
    /// One more list of arguments that is allowed, as JSON: '["--check", "docs"]'.
    #[arg(long = "args", value_name = "JSON", value_parser = parse::vector)]
    args: Vec<std::vec::Vec<String>>,
    /// An environment variable: NAME as it is set at the host, or NAME=VALUE; may be repeated.
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = parse::variable)]
    env: Vec<Variable>,
    /// The only configuration a gate may be given: JSON, or a file of it. The lease binds its digest.
    #[arg(long, value_name = "JSON|@FILE")]
    config: Option<String>,
    /// Fuel: roughly, instructions executed; 1e9 takes from a tenth of a second to a few seconds. Default: 1e9.
    #[arg(long, value_name = "N", value_parser = parse::fuel)]
    fuel: Option<u64>,
    /// Memory, in bytes or with K, M, G. Default: 256M.
    #[arg(long, value_name = "SIZE", value_parser = parse::size)]
    memory: Option<u64>,
    /// Real time, in milliseconds. Default: 10000.
    #[arg(long, value_name = "MS")]
    wall_ms: Option<u64>,
    /// Standard output, standard error, attachments and answer together, in bytes or with K, M, G. Default: 1M.
    #[arg(long, value_name = "SIZE", value_parser = parse::size)]
    output: Option<u64>,
    /// Bytes written to files, or with K, M, G. Default: 10M with --write, otherwise 0.
    #[arg(long, value_name = "SIZE", value_parser = parse::size)]
    write_bytes: Option<u64>,
    /// Files and folders open at one time. Default: 64.
    #[arg(long, value_name = "N")]
    open_files: Option<u64>,
    /// A JSON document like a lease in which issuer, nonce, times, audience and limits may be missing, instead of the flags
    /// above.
    #[arg(long, value_name = "FILE", conflicts_with_all = GRANT_FLAGS)]
    draft: Option<PathBuf>,
    /// When it ends: 90s, 10m, 1h, 7d or a time such as 2027-01-01T00:00:00Z. Default: 1h.
    #[arg(long, value_name = "WHEN", value_parser = parse::expiry)]
    expires: Option<Expiry>,
    /// On which hosts it is good: this, any, or the id of a host key.
    #[arg(long, value_name = "HOST", default_value = "this")]
    audience: String,
    /// Who may use it. This version knows only `none`: whoever has the file.
    #[arg(long, value_name = "HOLDER", default_value = "none", value_parser = holder)]
    holder: Holder,
    /// What it is for: the id of a ticket, for instance.
    #[arg(long, value_name = "ID")]
    intent: Option<String>,
    /// What it is for, in a sentence.
    #[arg(long, value_name = "TEXT", requires = "intent")]
    summary: Option<String>,
    /// The issuer key to sign with. Default: `local`, or the first one of the home by name.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// Where the lease goes. Default: standard output.
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

const GRANT_FLAGS: [&str; 16] = [
    "plugin",
    "kind",
    "grant",
    "list",
    "read",
    "write",
    "deny",
    "arg",
    "args",
    "env",
    "config",
    "fuel",
    "memory",
    "wall_ms",
    "output",
    "write_bytes",
];

pub(crate) fn run(args: &IssueArgs, context: &Context) -> anyhow::Result<u8> {
    let session = Session::open(&context.ambient)?;
    let issued = issue(args, &session, context);
    let closed = session.close();
    let issued = issued?;
    closed?;
    report(args, &issued, &session, context)?;
    Ok(exit::PASSED)
}

fn issue(args: &IssueArgs, session: &Session, context: &Context) -> Result<Issued, Failure> {
    let now = context.ambient.now();
    let key = issue::issuer(session, args.key.as_deref(), now)?;
    let terms = terms(args, session)?;
    let document = match &args.draft {
        Some(draft) => {
            let path = context.ambient.path(draft);
            let bytes = parse::file("draft", &path, leasehold_seal::canonical::MAX_BYTES as u64)?;
            issue::from_draft(&bytes, key.id, terms, now)
                .map_err(|failure| failure.detail(format!("in {}", path.display())))?
        }
        None => issue::document(key.id, terms, vec![grant(args, context)?], now)?,
    };
    issue::issue(session, document, &key, false)
}

fn terms(args: &IssueArgs, session: &Session) -> Result<Terms, Failure> {
    let audience = match args.audience.as_str() {
        "this" => issue::this_host(session.host),
        "any" => Audience::Any,
        key => issue::this_host(key.parse().map_err(|_| {
            Failure::usage(
                "AUDIENCE-FORMAT",
                format!("{key:?} is neither `this` nor `any` nor the id of a key"),
            )
            .hint("`leasehold key list` shows the ids")
        })?),
    };
    let intent = args.intent.as_ref().map(|id| Intent {
        id: id.clone(),
        summary: args.summary.clone().unwrap_or_default(),
    });
    Ok(Terms {
        audience,
        holder: args.holder,
        intent,
        expires: args.expires.unwrap_or(issue::EXPIRY),
    })
}

/// The grant that the flags describe.
fn grant(args: &IssueArgs, context: &Context) -> Result<Grant, Failure> {
    let named = args.plugin.as_deref().unwrap_or_default();
    let (plugin, known_kind, name) = if named.starts_with("sha256:") {
        let digest = named.parse::<Digest>().map_err(|error| {
            Failure::usage(
                "DIGEST-FORMAT",
                format!("{named:?} is not a digest: {error}"),
            )
            .hint("`leasehold plugin inspect FILE` shows the digest of a plugin")
        })?;
        (digest, None, None)
    } else {
        look_at(named, context)?
    };
    let kind = args.kind.or(known_kind).ok_or_else(|| {
        Failure::usage("KIND-MISSING", "a digest does not tell what the plugin is")
            .hint("add --kind gate, adapter or command")
    })?;
    let config = match &args.config {
        Some(config) => Some(Digest::of(
            parse::json(&context.ambient, "--config", config)?.as_bytes(),
        )),
        None => None,
    };
    let mut vectors = args.args.clone();
    if !args.arg.is_empty() {
        vectors.insert(0, args.arg.clone());
    }
    let usual = default_limits(!args.write.is_empty());
    Ok(Grant {
        id: args
            .grant
            .clone()
            .or(name)
            .unwrap_or_else(|| "plugin".to_owned()),
        plugin,
        kind,
        config,
        args: vectors,
        files: FileGrant {
            list: args.list.clone(),
            read: args.read.clone(),
            write: args.write.clone(),
            deny: args.deny.clone(),
        },
        env: environment(&args.env),
        http: Vec::new(),
        secrets: Vec::new(),
        clock: Default::default(),
        random: Default::default(),
        limits: Limits {
            fuel: args.fuel.unwrap_or(usual.fuel),
            memory_bytes: args.memory.unwrap_or(usual.memory_bytes),
            wall_ms: args.wall_ms.unwrap_or(usual.wall_ms),
            output_bytes: args.output.unwrap_or(usual.output_bytes),
            write_bytes: args.write_bytes.unwrap_or(usual.write_bytes),
            open_files: args.open_files.unwrap_or(usual.open_files),
        },
    })
}

/// Digest, kind and name of a plugin, from its file.
fn look_at(
    named: &str,
    context: &Context,
) -> Result<(Digest, Option<Kind>, Option<String>), Failure> {
    let path = context.ambient.path(Path::new(named));
    let bytes = parse::file("plugin", &path, PLUGIN_BYTES as u64)?;
    let facts = leasehold_sandbox::inspect(&bytes).or_fail()?;
    let kind = match facts.world {
        World::Gate => Kind::Gate,
        World::Adapter => Kind::Adapter,
        World::Program => Kind::Command,
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = facts
        .manifest
        .as_ref()
        .map_or(stem.as_ref(), |manifest| &manifest.name);
    Ok((facts.digest, Some(kind), Some(issue::grant_id(name))))
}

fn environment(variables: &[Variable]) -> EnvGrant {
    let mut env = EnvGrant::default();
    for variable in variables {
        match variable {
            Variable::Pass(name) => env.pass.push(name.clone()),
            Variable::Set(name, value) => drop(env.set.insert(name.clone(), value.clone())),
        }
    }
    env
}

fn report(
    args: &IssueArgs,
    issued: &Issued,
    session: &Session,
    context: &Context,
) -> Result<(), Failure> {
    let ui = &context.ui;
    let LeaseDoc {
        issuer, expires, ..
    } = &issued.document;
    match &args.out {
        Some(out) => {
            let path = context.ambient.path(out);
            write(&path, &issued.bytes)
                .map_err(|error| Failure::writing("lease", &path, &error))?;
            ui.json(&json!({
                "document": issued.document,
                "expires": expires,
                "file": path,
                "issuer": issuer,
                "lease": issued.id,
                "record": issued.record.seq,
            }));
            ui.talk(Line::styled(Style::Good, "issued ").plain(format!(
                "{} (record {})",
                out.display(),
                issued.record.seq
            )));
        }
        None => {
            ui.raw(&issued.bytes);
            ui.raw(b"\n");
            ui.talk(
                Line::styled(Style::Good, "issued ")
                    .plain(format!("(record {})", issued.record.seq)),
            );
        }
    }
    for line in show::lease(
        &issued.id,
        &issued.document,
        Some(&session.host),
        Some(&session.trust),
        context.ambient.now(),
    ) {
        ui.talk(line);
    }
    let needed = session.trust.threshold(Role::Issuer);
    if needed > 1 {
        ui.talk(format!(
            "it has 1 of the {needed} signatures by issuer keys that the trust file asks for"
        ));
    }
    Ok(())
}

/// Puts a file in its place as a whole.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.write_all(b"\n")?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

fn kind(text: &str) -> Result<Kind, String> {
    match text {
        "gate" => Ok(Kind::Gate),
        "adapter" => Ok(Kind::Adapter),
        "command" => Ok(Kind::Command),
        _ => Err("expected gate, adapter or command".to_owned()),
    }
}

fn pattern(text: &str) -> Result<Pattern, String> {
    text.parse::<Pattern>()
        .map_err(|error| format!("{error}; {}", error.hint().unwrap_or_default()))
}

fn holder(text: &str) -> Result<Holder, String> {
    match text {
        "none" => Ok(Holder::None),
        key => key
            .parse()
            .map(Holder::Key)
            .map_err(|_| "expected `none` or the id of a key".to_owned()),
    }
}
