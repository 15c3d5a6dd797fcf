//! `leasehold lease inspect`: what a lease says, hop by hop; who has approved it; what is left of its budgets.

use std::path::PathBuf;

use clap::Args;
use leasehold_lease::{Approval, Hop, approvals, inspect};
use leasehold_seal::{Class, Envelope, Timestamp, Trust};
use leasehold_tape::Account;
use serde_json::{Value, json};

use crate::append;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::Home;
use crate::leased;
use crate::session::Session;
use crate::show;
use crate::text::{counted, quoted};
use crate::ui::{Line, Style};

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The lease.
    file: PathBuf,
    /// Show what the tape of this home has counted for it, and what is left.
    #[arg(long)]
    tape: bool,
}

/// A lease with what is known about it here.
struct Look {
    chain: Vec<Envelope>,
    /// Leaf first.
    hops: Vec<Hop>,
    approvals: Vec<Approval>,
    /// As the hops; empty where the tape was not asked.
    accounts: Vec<Account>,
    trust: Option<Trust>,
}

pub(super) fn run(args: &InspectArgs, context: &Context) -> anyhow::Result<u8> {
    let now = context.ambient.now();
    let look = look(args, now, context)?;
    let Some(leaf) = look.hops.first() else {
        return Err(Failure::new(
            "LEASE-CHAIN",
            Class::Integrity,
            "there is no lease in the file",
        )
        .into());
    };
    let ui = &context.ui;
    ui.json(&document(&look, leaf));
    ui.data(
        Line::styled(Style::Warn, "not verified")
            .plain(": this is what the file says, from whomever it may be"),
    );
    for line in lines(&look, now) {
        ui.data(line);
    }
    ui.talk(format!(
        "next: leasehold lease verify {}",
        quoted(&args.file.to_string_lossy())
    ));
    Ok(exit::PASSED)
}

fn look(args: &InspectArgs, now: Timestamp, context: &Context) -> Result<Look, Failure> {
    let path = context.ambient.path(&args.file);
    let chain = leased::read(&path)?;
    let hops = inspect(&chain)
        .or_fail()
        .map_err(|failure| failure.detail(format!("in {}", path.display())))?;
    let accounts = match args.tape {
        true => accounts(&hops, context)?,
        false => Vec::new(),
    };
    // Names are a help, not a need: a lease can be looked at without a home.
    let trust = Home::open(&context.ambient)
        .and_then(|home| home.trust())
        .ok();
    let approvals = match (&trust, chain.last(), hops.last()) {
        (Some(trust), Some(root), Some(hop)) => approvals(root, hop.document(), trust, now),
        _ => Vec::new(),
    };
    Ok(Look {
        chain,
        hops,
        approvals,
        accounts,
        trust,
    })
}

/// What the tape has counted for each hop.
fn accounts(hops: &[Hop], context: &Context) -> Result<Vec<Account>, Failure> {
    let session = Session::open(&context.ambient)?;
    append::on_tape(&session, |ledger| {
        hops.iter().map(|hop| ledger.account(&hop.id())).collect()
    })
}

fn document(look: &Look, leaf: &Hop) -> Value {
    let hops = look.hops.iter().zip(&look.chain).enumerate();
    let hops: Vec<Value> = hops
        .map(|(at, (hop, envelope))| {
            json!({
                "budget": budget_json(hop, look.accounts.get(at)),
                "document": hop.document(),
                "lease": hop.id(),
                "signatures": signatures(envelope),
            })
        })
        .collect();
    let name = |key: &leasehold_seal::KeyId| json!({ "id": key, "name": look.trust.as_ref().and_then(|trust| trust.key(key)).map(|key| key.name().to_owned()) });
    let approvals: Vec<Value> = look
        .approvals
        .iter()
        .map(|approval| {
            json!({
                "met": approval.is_met(),
                "missing": approval.open.iter().map(name).collect::<Vec<_>>(),
                "needed": approval.rule.needed(),
                "rule": approval.rule.to_string(),
                "signed": approval.signed.iter().map(name).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "approvals": approvals,
        "document": leaf.document(),
        "hops": hops,
        "lease": leaf.id(),
        "signatures": look.chain.first().map(signatures),
        "verified": false,
    })
}

fn budget_json(hop: &Hop, account: Option<&Account>) -> Value {
    let left = |most: Option<u64>, used: u64| most.map(|most| most.saturating_sub(used));
    let budget = hop.document().budget.unwrap_or_default();
    match account {
        None => json!({ "fuel": budget.fuel, "uses": budget.uses }),
        Some(account) => json!({
            "fuel": budget.fuel,
            "fuel_counted": account.fuel,
            "fuel_left": left(budget.fuel, account.fuel),
            "uses": budget.uses,
            "uses_counted": account.uses,
            "uses_left": left(budget.uses, account.uses),
        }),
    }
}

fn lines(look: &Look, now: Timestamp) -> Vec<Line> {
    let trust = look.trust.as_ref();
    let mut lines = Vec::new();
    let count = look.hops.len();
    if count > 1 {
        lines.push(Line::from(format!(
            "a chain of {}, from the one that is used to the one that was issued",
            counted(count, "lease", "leases")
        )));
    }
    for (at, (hop, envelope)) in look.hops.iter().zip(&look.chain).enumerate() {
        if count > 1 {
            let what = match at {
                0 => "the lease",
                at if at + 1 == count => "which was made from the root lease",
                _ => "which was made from",
            };
            lines.push(Line::styled(Style::Bold, format!("{}. {what}", at + 1)));
        }
        lines.extend(show::lease(&hop.id(), hop.document(), None, trust, now));
        if let Some(account) = look.accounts.get(at) {
            lines.push(show::left(
                None,
                hop.document().budget.as_ref(),
                account.uses,
                account.fuel,
            ));
        }
        lines.push(Line::from(format!(
            "signed    by {} (claimed)",
            signatures(envelope).join(", ")
        )));
    }
    if let Some(trust) = trust {
        lines.extend(
            look.approvals
                .iter()
                .map(|approval| show::approval(approval, trust)),
        );
    }
    lines
}

/// Who is said to have signed.
fn signatures(envelope: &Envelope) -> Vec<String> {
    let signatures = envelope.unverified_signatures().iter();
    let keyid = |keyid: &Option<String>| keyid.clone().unwrap_or_else(|| "somebody".to_owned());
    signatures
        .map(|signature| keyid(&signature.keyid))
        .collect()
}
