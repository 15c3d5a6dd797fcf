//! `leasehold lease present`: the holder of a lease shows to one host that it is the holder.

use std::path::PathBuf;

use clap::Args;
use leasehold_lease::{Holder, MAX_PRESENTATION_MS, Presentation, inspect};
use leasehold_seal::Class;
use serde_json::json;

use super::people::{SignerArgs, key_id, write_whole};
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::Home;
use crate::issue::{self, whole_seconds};
use crate::leased;
use crate::parse::{self, Expiry};
use crate::ui::{Line, Style};

#[derive(Debug, Args)]
pub(crate) struct PresentArgs {
    /// The lease.
    lease: PathBuf,
    /// The host it is presented to: the id of its key, its name here, or `this`.
    #[arg(long, value_name = "HOST")]
    host: String,
    #[command(flatten)]
    signer: SignerArgs,
    /// How long it is good: at most 10m.
    #[arg(long, value_name = "WHEN", default_value = "5m", value_parser = parse::expiry)]
    expires: Expiry,
    /// Where it goes. Default: standard output.
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &PresentArgs, context: &Context) -> anyhow::Result<u8> {
    let path = context.ambient.path(&args.lease);
    let chain = leased::read(&path)?;
    let hops = inspect(&chain)
        .or_fail()
        .map_err(|failure| failure.detail(format!("in {}", path.display())))?;
    let Some(leaf) = hops.first() else {
        return Err(Failure::new(
            "LEASE-CHAIN",
            Class::Integrity,
            "there is no lease in the file",
        )
        .into());
    };
    let now = context.ambient.now();
    let host = match args.host.as_str() {
        "this" => {
            let home = Home::open(&context.ambient)?;
            home.host_key(&home.trust()?, now)?.public().key_id()
        }
        other => key_id(other, "HOST-FORMAT", context)?,
    };
    let key = args.signer.secret(context)?;
    check_holder(&leaf.document().holder, &key)?;
    let expires = args.expires.end(whole_seconds(now));
    let expires = expires.filter(|end| end.millis_since(now) <= MAX_PRESENTATION_MS);
    let expires = expires.ok_or_else(|| {
        Failure::usage(
            "PRESENTATION-LONG",
            "a presentation is good for ten minutes at most",
        )
        .hint("present it right before it is used")
    })?;
    let envelope = Presentation::sign(leaf.id(), host, issue::nonce()?, expires, &key).or_fail()?;
    let bytes = envelope.to_json().or_fail()?;
    let ui = &context.ui;
    match &args.out {
        Some(out) => {
            let path = context.ambient.path(out);
            write_whole("presentation", &path, &bytes)?;
            ui.json(&json!({ "expires": expires, "file": path, "host": host, "lease": leaf.id() }));
        }
        None => {
            ui.raw(&bytes);
            ui.raw(b"\n");
        }
    }
    ui.talk(
        Line::styled(Style::Good, "presented ")
            .plain(format!("{} to {host} until {expires}", leaf.id())),
    );
    ui.talk("  it serves one use: its host remembers it");
    Ok(exit::PASSED)
}

/// What nobody would take is not made.
fn check_holder(holder: &Holder, key: &leasehold_seal::SecretKey) -> Result<(), Failure> {
    let id = key.public().key_id();
    match holder {
        Holder::Key(holder) if *holder == id => Ok(()),
        Holder::Key(holder) => {
            let sentence = format!("the key is {id}, the holder of the lease is {holder}");
            Err(Failure::new("PRESENTATION-KEY", Class::Refused, sentence)
                .hint("only the holder of a lease can present it"))
        }
        Holder::None => {
            let sentence = "the lease names no holder, so there is nothing to present";
            Err(Failure::new("PRESENTATION-KEY", Class::Refused, sentence)
                .hint("whoever has the file can use it as it is"))
        }
    }
}
