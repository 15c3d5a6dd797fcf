//! `leasehold lease attenuate`: the holder of a lease hands on less of it. Needs no issuer, no network and, with --key-file, no
//! home.

mod narrow;

use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_lease::{
    Audience, AudienceEntry, Budget, ChildWish, Hop, Intent, chain_to_json, inspect, sign_child,
};
use leasehold_seal::{Class, Envelope, Timestamp};
use serde_json::{Value, json};

use super::flags::{RIGHTS_FLAGS, RightsFlags};
use super::people::{SignerArgs, holder, key_id, write_whole};
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::issue::{self, whole_seconds};
use crate::leased;
use crate::parse::{self, Expiry};
use crate::show;
use crate::text::quoted;
use crate::ui::{Line, Style};
use narrow::{Part, grants};

#[derive(Debug, Args)]
pub(crate) struct AttenuateArgs {
    /// The lease of which less is handed on.
    parent: PathBuf,
    #[command(flatten)]
    signer: SignerArgs,
    /// A grant of the parent that is handed on; may be repeated. Default: all of them.
    #[arg(long = "grant", value_name = "ID")]
    grants: Vec<String>,
    #[command(flatten)]
    rights: RightsFlags,
    /// A secret that is handed on, by its name; may be repeated. Default: all of them.
    #[arg(long = "secret", value_name = "NAME")]
    secrets: Vec<String>,
    /// Hand on nothing of this kind; may be repeated.
    #[arg(long, value_enum, value_name = "KIND")]
    without: Vec<Part>,
    /// A JSON document of the form of a child lease in which everything but the grants may be missing, instead of the flags above.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["grants", "secrets", "without"],
        conflicts_with_all = RIGHTS_FLAGS
    )]
    draft: Option<PathBuf>,
    /// When it ends: 90s, 10m, 1h from now, or a time. Default: with the parent.
    #[arg(long, value_name = "WHEN", value_parser = parse::expiry)]
    expires: Option<Expiry>,
    /// On which hosts it is good, by id or name; may be repeated. Default: as the parent.
    #[arg(long, value_name = "HOST")]
    audience: Vec<String>,
    /// Who may use it and hand on less of it: `none` for whoever has the file, or a key by its id, its name here, or a file with its
    /// public half.
    #[arg(long, value_name = "HOLDER", default_value = "none")]
    holder: String,
    /// How many generations of narrower leases may be made of it. Default: one fewer than of the parent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=15))]
    depth: Option<u64>,
    /// How many calls in all; the parent's count goes on.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    uses: Option<u64>,
    /// How much fuel in all; the parent's count goes on.
    #[arg(long, value_name = "N", value_parser = parse::fuel)]
    budget_fuel: Option<u64>,
    /// What it is for: the id of a ticket, for instance.
    #[arg(long, value_name = "ID")]
    intent: Option<String>,
    /// What it is for, in a sentence.
    #[arg(long, value_name = "TEXT", requires = "intent")]
    summary: Option<String>,
    /// Where the lease goes, with all those it was made from. Default: standard output.
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &AttenuateArgs, context: &Context) -> anyhow::Result<u8> {
    let path = context.ambient.path(&args.parent);
    let parents = leased::read(&path)?;
    let hops = inspect(&parents)
        .or_fail()
        .map_err(|failure| failure.detail(format!("in {}", path.display())))?;
    let Some(above) = hops.first() else {
        return Err(Failure::new(
            "LEASE-CHAIN",
            Class::Integrity,
            "there is no lease in the file",
        )
        .into());
    };
    let wish = wish(args, above, context)?;
    let key = args.signer.secret(context)?;
    let chain = sign_child(&parents, &key, &wish).map_err(|refusal| {
        let failure = Failure::of(&refusal);
        match failure.code.as_str() {
            "LEASE-WIDER" => failure.hint("a holder hands on as much as it has or less; `leasehold lease inspect` shows what that is"),
            _ => failure,
        }
    })?;
    report(args, &chain, context)?;
    Ok(exit::PASSED)
}

fn wish(args: &AttenuateArgs, above: &Hop, context: &Context) -> Result<ChildWish, Failure> {
    let holder = holder(&args.holder, context)?;
    let mut wish = match &args.draft {
        Some(file) => drafted(file, args, context)?,
        None => {
            let mut wish = ChildWish::all(holder, issue::nonce()?);
            wish.grants = Some(grants(args, above)?);
            wish
        }
    };
    let now = whole_seconds(context.ambient.now());
    if let Some(expires) = args.expires {
        wish.expires = Some(end(expires, now)?);
    }
    if !args.audience.is_empty() {
        wish.audience = Some(audience(args, above, context)?);
    }
    wish.depth = args.depth.or(wish.depth);
    if args.uses.is_some() || args.budget_fuel.is_some() {
        wish.budget = Some(Budget {
            uses: args.uses,
            fuel: args.budget_fuel,
        });
    }
    if let Some(id) = &args.intent {
        wish.intent = Some(Intent {
            id: id.clone(),
            summary: args.summary.clone().unwrap_or_default(),
        });
    }
    Ok(wish)
}

/// A wish as somebody wrote it; holder and nonce may be missing.
fn drafted(file: &Path, args: &AttenuateArgs, context: &Context) -> Result<ChildWish, Failure> {
    let path = context.ambient.path(file);
    let bytes = parse::file("draft", &path, leasehold_seal::canonical::MAX_BYTES as u64)?;
    let read = || {
        let mut value = leasehold_seal::canonical::parse(&bytes).map_err(issue::wish)?;
        let Value::Object(fields) = &mut value else {
            return Err(
                Failure::usage("DRAFT-FORMAT", "the draft is not a JSON object")
                    .hint("docs/lease.md has an example"),
            );
        };
        fields
            .entry("holder")
            .or_insert(json!(holder(&args.holder, context)?));
        fields.entry("nonce").or_insert(json!(issue::nonce()?));
        leasehold_seal::canonical::from_value(value).map_err(issue::wish)
    };
    read().map_err(|failure| failure.detail(format!("in {}", path.display())))
}

/// The hosts named. On a host for which the parent names a tape it is that tape.
fn audience(args: &AttenuateArgs, above: &Hop, context: &Context) -> Result<Audience, Failure> {
    let mut entries = Vec::new();
    for text in &args.audience {
        let host = key_id(text, "AUDIENCE-FORMAT", context)?;
        let known = match &above.document().audience {
            Audience::Hosts(entries) => entries
                .iter()
                .filter(|entry| entry.host == host)
                .copied()
                .collect(),
            Audience::Any => Vec::new(),
        };
        match known.is_empty() {
            true => entries.push(AudienceEntry { host, tape: None }),
            false => entries.extend(known),
        }
    }
    Ok(Audience::Hosts(entries))
}

fn end(expires: Expiry, now: Timestamp) -> Result<Timestamp, Failure> {
    expires
        .end(now)
        .ok_or_else(|| Failure::usage("LEASE-WINDOW", "the lease would end after the year 9999"))
}

fn report(args: &AttenuateArgs, chain: &[Envelope], context: &Context) -> Result<(), Failure> {
    let bytes = chain_to_json(chain).or_fail()?;
    let hops = inspect(chain).or_fail()?;
    let (Some(leaf), ui) = (hops.first(), &context.ui) else {
        return Ok(());
    };
    match &args.out {
        Some(out) => {
            let path = context.ambient.path(out);
            write_whole("lease", &path, &bytes)?;
            ui.json(&json!({
                "document": leaf.document(),
                "expires": leaf.document().expires,
                "file": path,
                "hops": hops.len(),
                "lease": leaf.id(),
                "parent": leaf.document().parent,
            }));
            ui.talk(Line::styled(Style::Good, "handed on ").plain(format!(
                "{} ({} leases, leaf first)",
                out.display(),
                hops.len()
            )));
        }
        None => {
            ui.raw(&bytes);
            ui.raw(b"\n");
            ui.talk(Line::styled(Style::Good, "handed on"));
        }
    }
    let now = context.ambient.now();
    for line in show::lease(&leaf.id(), leaf.document(), None, None, now) {
        ui.talk(line);
    }
    if let Some(out) = &args.out {
        let file = quoted(&out.to_string_lossy());
        ui.talk(format!("next: leasehold lease inspect {file}"));
    }
    Ok(())
}
