//! `leasehold lease revocations`: the list in use, and lists that come from elsewhere or go there.

use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_lease::{ListSeen as Seen, RevocationList, Revocations};
use leasehold_seal::{Class, Digest, Timestamp, dsse};
use leasehold_tape::lease::MAX_NEW_REVOKED;
use leasehold_tape::{Draft, Kind, LeaseRevoked, TapeState};
use serde_json::{Value, json};

use super::people::write_whole;
use crate::append;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::{Home, read_list};
use crate::parse;
use crate::session::Session;
use crate::show::distance;
use crate::text::{counted, grouped};
use crate::ui::{Line, Style};

/// How many ids are shown for people.
const SHOWN: usize = 50;

#[derive(Debug, Args)]
pub(crate) struct RevocationsArgs {
    /// Put this list in force here.
    #[arg(long, value_name = "FILE", conflicts_with = "export")]
    import: Option<PathBuf>,
    /// Write the list in use to a file, for other hosts.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

pub(crate) fn run(args: &RevocationsArgs, context: &Context) -> anyhow::Result<u8> {
    match (&args.import, &args.export) {
        (Some(file), _) => {
            let session = Session::open(&context.ambient)?;
            let done = bring_in(file, &session, context);
            session.close()?;
            done?;
        }
        (None, Some(file)) => export(file, context)?,
        (None, None) => show(context)?,
    }
    Ok(exit::PASSED)
}

/// Puts a list in the place of the one in use, if it may be, and says so in a record. To be called under the lock of the tape.
/// Returns which ids are new.
pub(super) fn force(
    list: &RevocationList,
    session: &Session,
    state: &TapeState<'_>,
) -> Result<(Vec<Digest>, Draft), Failure> {
    let seen = state.ledger.revocations().map(|seen| Seen {
        number: seen.number,
        list: seen.list,
    });
    // Signatures, time, and that it is no older than what the tape has seen.
    Revocations::of(list.clone())
        .after(seen)
        .check(&session.trust, &[], state.now)
        .or_fail()?;
    let current = session.home.revocation_list()?;
    if let Some(current) = &current {
        check_newer(list, current)?;
    }
    let known = |id: &&Digest| current.as_ref().is_some_and(|current| current.contains(id));
    let new: Vec<Digest> = list.ids().iter().filter(|id| !known(id)).copied().collect();
    let bytes = list.envelope().to_json().or_fail()?;
    let body = LeaseRevoked {
        envelope: session.store().put(&bytes).or_fail()?,
        issued: list.issued(),
        list: list.id(),
        new: new.iter().take(MAX_NEW_REVOKED).copied().collect(),
        next_update: list.next_update(),
        number: list.number(),
        total: list.ids().len() as u64,
    };
    let draft = Draft::new(Kind::LeaseRevoked, &body).or_fail()?;
    // In force before it is recorded: if what follows fails, a lease too many is refused and not one too few.
    session.home.set_revocation_list(list)?;
    Ok((new, draft))
}

/// A list in use is replaced by a later one only.
fn check_newer(list: &RevocationList, current: &RevocationList) -> Result<(), Failure> {
    let (number, used) = (list.number(), current.number());
    if number > used || list.id() == current.id() {
        return Ok(());
    }
    if number == used {
        let sentence = format!(
            "there are two revocation lists of number {number}: {} is in use, this is {}",
            current.id(),
            list.id()
        );
        return Err(Failure::new("REVOCATION-FORK", Class::Integrity, sentence)
            .hint("ask whoever issues the lists which one is good, and for a newer one"));
    }
    let sentence = format!("revocation list {number} is older than {used}, which is in use");
    Err(Failure::new("REVOCATION-OLD", Class::Refused, sentence)
        .hint("get the newest list from whoever issues them"))
}

fn bring_in(file: &Path, session: &Session, context: &Context) -> Result<(), Failure> {
    let path = context.ambient.path(file);
    let bytes = parse::file("revocation list", &path, dsse::MAX_BYTES as u64)?;
    let list =
        read_list(&bytes).map_err(|failure| failure.detail(format!("in {}", path.display())))?;
    let before = session.home.revocation_list()?;
    let (new, record) = append::with_change(session, |state| force(&list, session, state))?;
    let gone = before
        .iter()
        .flat_map(|before| before.ids())
        .filter(|id| !list.contains(id));
    let gone: Vec<&Digest> = gone.collect();
    let ui = &context.ui;
    let mut value = told(&list, context.ambient.now());
    value["new"] = json!(new);
    value["gone"] = json!(gone);
    value["record"] = json!(record.seq);
    ui.json(&value);
    ui.talk(Line::styled(Style::Good, "in force ").plain(format!(
        "list {} with {}, {} of them new (record {})",
        list.number(),
        counted(list.ids().len(), "lease", "leases"),
        grouped(new.len() as u64),
        record.seq
    )));
    if !gone.is_empty() {
        let sentence = format!(
            "{} of the list before {} no longer revoked",
            counted(gone.len(), "lease", "leases"),
            if gone.len() == 1 { "is" } else { "are" }
        );
        ui.warning(
            &Failure::new("REVOCATION-FEWER", Class::Refused, sentence)
                .hint("that is in order for leases that have ended"),
        );
    }
    Ok(())
}

fn export(file: &Path, context: &Context) -> Result<(), Failure> {
    let home = Home::open(&context.ambient)?;
    let list = home.revocation_list()?.ok_or_else(no_list)?;
    let path = context.ambient.path(file);
    let bytes = list.envelope().to_json().or_fail()?;
    write_whole("revocation list", &path, &bytes)?;
    let ui = &context.ui;
    let mut value = told(&list, context.ambient.now());
    value["file"] = json!(path);
    ui.json(&value);
    ui.talk(Line::styled(Style::Good, "wrote ").plain(format!(
        "list {} to {}",
        list.number(),
        path.display()
    )));
    Ok(())
}

fn no_list() -> Failure {
    Failure::new("REVOCATION-MISSING", Class::Blocked, "no revocation list is in use here")
        .hint("`leasehold lease revoke` makes one, `leasehold lease revocations --import FILE` brings one in")
}

fn show(context: &Context) -> Result<(), Failure> {
    let home = Home::open(&context.ambient)?;
    let (trust, now) = (home.trust()?, context.ambient.now());
    let rule = trust.revocation();
    let list = home.revocation_list()?;
    let ui = &context.ui;
    let Some(list) = list else {
        ui.json(&json!({ "least": rule.least, "list": null, "required": rule.required }));
        ui.data(match rule.required {
            true => "no revocation list is in use, and the trust file asks for one: no lease is good here",
            false => "no revocation list is in use",
        });
        return Ok(());
    };
    let standing = Revocations::of(list.clone())
        .check(&trust, &[], now)
        .or_fail();
    let mut value = told(&list, now);
    value["least"] = json!(rule.least);
    value["required"] = json!(rule.required);
    value["standing"] = json!(standing.as_ref().err().map(|failure| &failure.code));
    ui.json(&value);
    ui.data(Line::styled(Style::Bold, format!("list {}", list.number())));
    ui.data(format!("  id      {}", list.id()));
    ui.data(format!("  issued  {}", list.issued()));
    let next = list.next_update();
    ui.data(match next <= now {
        true => format!(
            "  good    until {next}, {} ago",
            distance(now.millis_since(next))
        ),
        false => format!(
            "  good    until {next} ({} left)",
            distance(next.millis_since(now))
        ),
    });
    ui.data(format!("  leases  {}", grouped(list.ids().len() as u64)));
    for id in list.ids().iter().take(SHOWN) {
        ui.data(format!("    {id}"));
    }
    if list.ids().len() > SHOWN {
        ui.data(format!(
            "    and {} more; --format json has all",
            grouped((list.ids().len() - SHOWN) as u64)
        ));
    }
    if let Err(failure) = standing {
        ui.warning(&failure);
    }
    Ok(())
}

/// A list for programs.
pub(super) fn told(list: &RevocationList, now: Timestamp) -> Value {
    json!({
        "ids": list.ids(),
        "issued": list.issued(),
        "list": list.id(),
        "next_update": list.next_update(),
        "number": list.number(),
        "stale": list.next_update() <= now,
    })
}
