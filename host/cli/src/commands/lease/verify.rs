//! `leasehold lease verify`: whether a lease is good for this host and now.

use std::path::PathBuf;

use clap::Args;
use leasehold_lease::{Here, ListSeen, Verified};
use leasehold_seal::{Class, Digest, Role};
use leasehold_tape::Account;
use serde_json::json;

use crate::append;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::leased::{self, PresentArgs};
use crate::session::Session;
use crate::show;
use crate::text::counted;
use crate::ui::{Line, Style};

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The lease.
    file: PathBuf,
    #[command(flatten)]
    present: PresentArgs,
}

/// What the tape says about a lease.
struct OnTape {
    list: Option<ListSeen>,
    replayed: bool,
    accounts: Vec<(Digest, Account)>,
}

pub(super) fn run(args: &VerifyArgs, context: &Context) -> anyhow::Result<u8> {
    let session = Session::open(&context.ambient)?;
    let now = context.ambient.now();
    let chain = leased::read(&context.ambient.path(&args.file))?;
    let presentation = args.present.of(&chain, &session, context)?;
    let nonce = presentation
        .as_ref()
        .map(leasehold_lease::Presentation::read)
        .transpose()
        .or_fail()?
        .map(|presentation| presentation.nonce);
    let on_tape = append::on_tape(&session, |ledger| OnTape {
        list: ledger.revocations().map(|seen| ListSeen {
            number: seen.number,
            list: seen.list,
        }),
        replayed: nonce.is_some_and(|nonce| ledger.knows_presentation(&nonce)),
        accounts: chain
            .iter()
            .map(|envelope| (envelope.id(), ledger.account(&envelope.id())))
            .collect(),
    })?;
    let here = Here {
        presentation: presentation.as_ref(),
        ..session.here(now)
    };
    let revocations = session.standing.revocations(on_tape.list)?;
    let verified =
        leasehold_lease::verify(&chain, &session.trust, &revocations, &here).or_fail()?;
    if on_tape.replayed {
        let sentence = "the presentation has served already";
        return Err(
            Failure::new("PRESENTATION-REPLAYED", Class::Refused, sentence)
                .hint("the holder makes a new one: `leasehold lease present`")
                .into(),
        );
    }
    check_budgets(&verified, &on_tape)?;
    report(&verified, &on_tape, &session, context);
    Ok(exit::PASSED)
}

/// Refuses a lease of which no grant can be used once more. Each call checks its own.
fn check_budgets(verified: &Verified, on_tape: &OnTape) -> Result<(), Failure> {
    let account = |lease: &Digest| {
        let known = on_tape.accounts.iter().find(|(id, _)| id == lease);
        known.map_or((0, 0), |(_, account)| (account.uses, account.fuel))
    };
    let mut refused = None;
    for grant in &verified.document().grants {
        match verified.rights(&grant.id).or_fail()?.check_budgets(account) {
            Ok(()) => return Ok(()),
            Err(refusal) => refused = Some(refusal),
        }
    }
    match refused {
        Some(refusal) => Err(Failure::of(&refusal)),
        None => Ok(()),
    }
}

fn report(verified: &Verified, on_tape: &OnTape, session: &Session, context: &Context) {
    let ui = &context.ui;
    let hops = verified.hops();
    ui.json(&json!({
        "document": verified.document(),
        "hops": hops.iter().map(|hop| hop.id()).collect::<Vec<_>>(),
        "lease": verified.id(),
        "presentation": verified.presentation().map(|presentation| presentation.expires),
        "revocations": verified.revocations(),
        "signers": verified.signers(),
        "verified": true,
    }));
    let mut facts = vec![format!(
        "signed by {} of {} needed",
        verified.signers().len(),
        session.trust.threshold(Role::Issuer)
    )];
    if hops.len() > 1 {
        facts.push(format!(
            "handed on {}",
            counted(hops.len() - 1, "time", "times")
        ));
    }
    if let Some(list) = verified.revocations() {
        facts.push(format!("not revoked by list {}", list.number));
    }
    if verified.presentation().is_some() {
        facts.push("presented by its holder".to_owned());
    }
    facts.push("for this host, valid now".to_owned());
    ui.data(Line::styled(Style::Good, "verified").plain(format!(": {}", facts.join(", "))));
    let now = context.ambient.now();
    let trust = Some(&session.trust);
    for line in show::lease(
        &verified.id(),
        verified.document(),
        Some(&session.host),
        trust,
        now,
    ) {
        ui.data(line);
    }
    for hop in hops {
        let known = on_tape.accounts.iter().find(|(id, _)| *id == hop.id());
        if let (Some(budget), Some((_, account))) = (&hop.document().budget, known) {
            let which = (hops.len() > 1).then(|| hop.id());
            ui.data(show::left(
                which.as_ref(),
                Some(budget),
                account.uses,
                account.fuel,
            ));
        }
    }
}
