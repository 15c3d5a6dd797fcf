//! `leasehold lease issue`: from flags or from a draft to a signed lease.

use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_lease::{
    Audience, AudienceEntry, Budget, FileGrant, Grant, Intent, Kind, LeaseDoc, SecretGrant,
    approvals,
};
use leasehold_sandbox::{PLUGIN_BYTES, World};
use leasehold_seal::{Digest, Role};
use serde_json::json;

use super::flags::{RIGHTS_FLAGS, RightsFlags};
use super::people::{holder, key_id, write_whole};
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::issue::{self, Issued, Terms, default_limits};
use crate::parse::{self, Expiry};
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
    #[command(flatten)]
    rights: RightsFlags,
    /// A secret that the host puts into requests, `NAME=HOST:PORT/HEADER[:PREFIX]`: 'token=api.example.com:443/authorization:Bearer '.
    /// The plugin does not see it; --http has to allow that host and port.
    #[arg(long = "secret", value_name = "SECRET", value_parser = parse::injected)]
    secrets: Vec<SecretGrant>,
    /// A secret that the plugin may read, by its name.
    #[arg(long = "expose", value_name = "NAME", value_parser = parse::exposed)]
    exposed: Vec<SecretGrant>,
    /// The only configuration a gate may be given: JSON, or a file of it. The lease binds its digest.
    #[arg(long, value_name = "JSON|@FILE")]
    config: Option<String>,
    /// A JSON document like a lease in which issuer, nonce, times, audience and limits may be missing, instead of the flags
    /// above.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["plugin", "kind", "grant", "secrets", "exposed", "config"],
        conflicts_with_all = RIGHTS_FLAGS
    )]
    draft: Option<PathBuf>,
    /// When it ends: 90s, 10m, 1h, 7d or a time such as 2027-01-01T00:00:00Z. Default: 1h.
    #[arg(long, value_name = "WHEN", value_parser = parse::expiry)]
    expires: Option<Expiry>,
    /// On which hosts it is good: this, any, or the id or name of a host key.
    #[arg(long, value_name = "HOST", default_value = "this")]
    audience: String,
    /// The only tape of that host on which it is good. Default: any; with --uses that of this home.
    #[arg(long, value_name = "ID")]
    tape: Option<Digest>,
    /// Who may use it and hand on less of it: `none` for whoever has the file, or a key by its id, its name here, or a file with its
    /// public half.
    #[arg(long, value_name = "HOLDER", default_value = "none")]
    holder: String,
    /// How many generations of narrower leases may be made of it by its holder: 0 to 15.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=15))]
    depth: u64,
    /// How many calls in all, with all that is handed on of it; counted on one tape.
    #[arg(long, value_name = "N", requires = "budget_fuel", value_parser = clap::value_parser!(u64).range(1..))]
    uses: Option<u64>,
    /// How much fuel in all; a call takes what it may use at most, and gives back what it did not.
    #[arg(long, value_name = "N", requires = "uses", value_parser = parse::fuel)]
    budget_fuel: Option<u64>,
    /// What it is for: the id of a ticket, for instance.
    #[arg(long, value_name = "ID")]
    intent: Option<String>,
    /// What it is for, in a sentence.
    #[arg(long, value_name = "TEXT", requires = "intent")]
    summary: Option<String>,
    /// The issuer key to sign with. Default: `local` or its successor, or the first one of the home by name.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// Where the lease goes. Default: standard output.
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

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
    let terms = terms(args, session, context)?;
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

fn terms(args: &IssueArgs, session: &Session, context: &Context) -> Result<Terms, Failure> {
    let budget = match (args.uses, args.budget_fuel) {
        (None, None) => None,
        (uses, fuel) => Some(Budget { uses, fuel }),
    };
    Ok(Terms {
        audience: audience(args, session, context)?,
        holder: holder(&args.holder, context)?,
        intent: args.intent.as_ref().map(|id| Intent {
            id: id.clone(),
            summary: args.summary.clone().unwrap_or_default(),
        }),
        expires: args.expires.unwrap_or(issue::EXPIRY),
        depth: args.depth,
        budget,
    })
}

/// Where the lease is good. What is counted is good on one tape, since only one tape can count it.
fn audience(args: &IssueArgs, session: &Session, context: &Context) -> Result<Audience, Failure> {
    let counted = args.uses.is_some();
    let host = match args.audience.as_str() {
        "any" if counted || args.tape.is_some() => {
            let sentence = "what is counted, or bound to a tape, is good on one host only";
            return Err(Failure::usage("AUDIENCE-FORMAT", sentence)
                .hint("leave --audience out, or name the host"));
        }
        "any" => return Ok(Audience::Any),
        "this" => session.host,
        key => key_id(key, "AUDIENCE-FORMAT", context)?,
    };
    let tape = match (args.tape, counted) {
        (Some(tape), _) => Some(tape),
        (None, false) => None,
        (None, true) if host == session.host => Some(*session.tape().id()),
        (None, true) => {
            let sentence = "what is counted on another host needs the tape that counts it";
            return Err(Failure::usage("AUDIENCE-FORMAT", sentence)
                .hint("add --tape ID; `leasehold tape show` over there begins with it"));
        }
    };
    Ok(Audience::Hosts(vec![AudienceEntry { host, tape }]))
}

/// The grant that the flags describe.
fn grant(args: &IssueArgs, context: &Context) -> Result<Grant, Failure> {
    let named = args.plugin.as_deref().unwrap_or_default();
    let (plugin, known_kind, name) = if named.starts_with("sha256:") {
        (digest(named)?, None, None)
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
    let rights = &args.rights;
    let usual = default_limits(!rights.write.is_empty());
    let id = args.grant.clone().or(name);
    Ok(Grant {
        id: id.unwrap_or_else(|| "plugin".to_owned()),
        plugin,
        kind,
        config,
        args: rights.vectors().unwrap_or_default(),
        files: FileGrant {
            list: rights.list.clone(),
            read: rights.read.clone(),
            write: rights.write.clone(),
            deny: rights.deny.clone(),
        },
        env: rights.environment().unwrap_or_default(),
        http: rights.requests()?.unwrap_or_default(),
        secrets: args.secrets.iter().chain(&args.exposed).cloned().collect(),
        clock: Default::default(),
        random: Default::default(),
        limits: rights.limits().over(&usual),
    })
}

/// The digest of a plugin, as text or from its file.
pub(super) fn plugin_digest(named: &str, context: &Context) -> Result<Digest, Failure> {
    match named.starts_with("sha256:") {
        true => digest(named),
        false => look_at(named, context).map(|(digest, ..)| digest),
    }
}

fn digest(named: &str) -> Result<Digest, Failure> {
    named.parse::<Digest>().map_err(|error| {
        Failure::usage(
            "DIGEST-FORMAT",
            format!("{named:?} is not a digest: {error}"),
        )
        .hint("`leasehold plugin inspect FILE` shows the digest of a plugin")
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
            write_whole("lease", &path, &issued.bytes)?;
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
            "it has 1 of the {needed} signatures by issuer keys that the trust file asks for; another issuer adds one: \
             leasehold approve --sign FILE --as-issuer"
        ));
    }
    let now = context.ambient.now();
    let open = approvals(&issued.envelope, &issued.document, &session.trust, now);
    for approval in open.iter().filter(|approval| !approval.is_met()) {
        ui.talk(show::approval(approval, &session.trust));
    }
    Ok(())
}

fn kind(text: &str) -> Result<Kind, String> {
    match text {
        "gate" => Ok(Kind::Gate),
        "adapter" => Ok(Kind::Adapter),
        "command" => Ok(Kind::Command),
        _ => Err("expected gate, adapter or command".to_owned()),
    }
}
