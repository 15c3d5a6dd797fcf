//! `leasehold lease revoke`: a new revocation list with more leases on it, in force at once.

use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_lease::RevocationList;
use leasehold_seal::{Class, Digest, Role, SecretKey, Timestamp};
use leasehold_tape::{ListSeen, TapeState};
use serde_json::json;

use super::people::write_whole;
use super::revocations::{force, told};
use crate::append;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::StoredKey;
use crate::issue::whole_seconds;
use crate::leased;
use crate::parse::{self, Expiry};
use crate::session::Session;
use crate::text::{counted, quoted};
use crate::ui::{Line, Style};

#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// What is revoked, with everything made of it: the id of a lease, or its file.
    #[arg(value_name = "ID|FILE", required_unless_present = "renew")]
    leases: Vec<String>,
    /// Revoke nothing more: sign the list anew before it is too old.
    #[arg(long, conflicts_with = "leases")]
    renew: bool,
    /// The number of the list. Default: one more than the last one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    number: Option<u64>,
    /// From when on the list is too old to go by.
    #[arg(long, value_name = "WHEN", default_value = "30d", value_parser = parse::expiry)]
    next_update: Expiry,
    /// The revoker key to sign with; may be repeated where the trust file asks for several. Default: the one with the role revoker.
    #[arg(long = "key", value_name = "NAME")]
    keys: Vec<String>,
    /// Also put the list here, for other hosts.
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &RevokeArgs, context: &Context) -> anyhow::Result<u8> {
    let named = args
        .leases
        .iter()
        .map(|lease| id_of(lease, context))
        .collect::<Result<Vec<_>, _>>()?;
    let session = Session::open(&context.ambient)?;
    let done = revoke(args, &named, &session, context);
    session.close()?;
    done?;
    Ok(exit::PASSED)
}

/// The id that was given, or that of the lease in the file.
fn id_of(text: &str, context: &Context) -> Result<Digest, Failure> {
    if text.starts_with("sha256:") {
        return text.parse().map_err(|error| {
            let sentence = format!("{text:?} is not the id of a lease: {error}");
            Failure::usage("DIGEST-FORMAT", sentence)
                .hint("`leasehold lease inspect FILE` shows the id")
        });
    }
    let chain = leased::read(&context.ambient.path(Path::new(text)))?;
    let leaf = chain.first().map(leasehold_seal::Envelope::id);
    leaf.ok_or_else(|| {
        Failure::new(
            "LEASE-CHAIN",
            Class::Integrity,
            "there is no lease in the file",
        )
    })
}

fn revoke(
    args: &RevokeArgs,
    named: &[Digest],
    session: &Session,
    context: &Context,
) -> Result<(), Failure> {
    let keys = signers(args, session, context.ambient.now())?;
    let ((list, new), record) = append::with_change(session, |state| {
        let list = next_list(args, named, &keys, session, state)?;
        let (new, draft) = force(&list, session, state)?;
        Ok(((list, new), draft))
    })?;
    if let Some(out) = &args.out {
        let bytes = list.envelope().to_json().or_fail()?;
        write_whole("revocation list", &context.ambient.path(out), &bytes)?;
    }
    let ui = &context.ui;
    let mut value = told(&list, context.ambient.now());
    value["new"] = json!(new);
    value["record"] = json!(record.seq);
    value["file"] = json!(args.out);
    ui.json(&value);
    ui.talk(Line::styled(Style::Good, "revoked ").plain(format!(
        "{} by list {} (record {}), in force here until {}",
        counted(new.len(), "lease", "leases"),
        list.number(),
        record.seq,
        list.next_update()
    )));
    for id in &new {
        ui.talk(format!("  {id}"));
    }
    let known = named.iter().filter(|id| !new.contains(id)).count();
    if known > 0 {
        ui.talk(format!(
            "  {} on the list already",
            counted(known, "was", "were")
        ));
    }
    ui.talk(match &args.out {
        Some(out) => format!(
            "next: on other hosts: leasehold lease revocations --import {}",
            quoted(&out.to_string_lossy())
        ),
        None => "next: bring it to other hosts: leasehold lease revocations --export FILE, and there --import FILE".to_owned(),
    });
    Ok(())
}

fn signers(
    args: &RevokeArgs,
    session: &Session,
    now: Timestamp,
) -> Result<Vec<StoredKey>, Failure> {
    if args.keys.is_empty() {
        let key = session.home.key_with(Role::Revoker, &session.trust, now)?;
        let key = key.ok_or_else(|| {
            let sentence = "none of the keys in the home has the role revoker now";
            Failure::new("REVOKER-MISSING", Class::Blocked, sentence)
                .hint("give it to a key of the home: `leasehold key trust local --role revoker`")
        })?;
        return Ok(vec![key]);
    }
    let signer = |name: &String| {
        let key = session.home.key(name)?;
        let known = session.trust.key(&key.id);
        if known.is_some_and(|known| known.valid_for(Role::Revoker, now)) {
            return Ok(key);
        }
        let sentence = format!("the key {name:?} does not have the role revoker now");
        Err(Failure::new("REVOKER-UNTRUSTED", Class::Refused, sentence)
            .hint("see `leasehold key list`; nobody here would go by its list"))
    };
    args.keys.iter().map(signer).collect()
}

/// The list in use with more on it, under the next number.
fn next_list(
    args: &RevokeArgs,
    named: &[Digest],
    keys: &[StoredKey],
    session: &Session,
    state: &TapeState<'_>,
) -> Result<RevocationList, Failure> {
    let current = session.home.revocation_list()?;
    let number = next_number(
        args.number,
        current.as_ref(),
        state.ledger.revocations(),
        session.trust.revocation().least,
    )?;
    let mut ids: Vec<Digest> = current.map_or_else(Vec::new, |list| list.ids().to_vec());
    ids.extend_from_slice(named);
    let issued = whole_seconds(state.now);
    let next_update = args.next_update.end(issued);
    let next_update = next_update
        .ok_or_else(|| Failure::usage("TIME-RANGE", "the list would last beyond the year 9999"))?;
    let secrets: Vec<&SecretKey> = keys.iter().map(|key| &key.secret).collect();
    let list = RevocationList::sign(number, issued, next_update, &ids, &secrets)
        .map_err(crate::issue::wish)?;
    let mut envelope = list.envelope().clone();
    for key in keys {
        envelope = session.home.with_second(envelope, key, &session.trust)?;
    }
    RevocationList::read(envelope).or_fail()
}

/// The number of the next list: more than the list in use has, more than the tape has seen, at least what the trust file asks.
fn next_number(
    wanted: Option<u64>,
    current: Option<&RevocationList>,
    seen: Option<&ListSeen>,
    least: u64,
) -> Result<u64, Failure> {
    let used = current.map(RevocationList::number);
    if let Some(seen) = seen
        && used.is_none_or(|used| used < seen.number)
    {
        // A new list made of an old one would forget what the newer one revoked.
        let sentence = format!(
            "the tape has seen revocation list {}, and the home does not have it",
            seen.number
        );
        return Err(Failure::new("REVOCATION-MISSING", Class::Refused, sentence)
            .hint("get it from whoever issued it: `leasehold lease revocations --import FILE`"));
    }
    let last = used.unwrap_or(0);
    let first = last.saturating_add(1).max(least);
    match wanted {
        None => Ok(first),
        Some(number) if number >= first => Ok(number),
        Some(number) => {
            let sentence = format!(
                "revocation list {number} would not replace the one in use; the next number is {first}"
            );
            Err(Failure::new("REVOCATION-OLD", Class::Refused, sentence).hint("leave --number out"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(number: u64) -> RevocationList {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let key = SecretKey::from_seed([7; 32]);
        RevocationList::sign(
            number,
            time("2026-01-01T00:00:00Z"),
            time("2026-02-01T00:00:00Z"),
            &[],
            &[&key],
        )
        .unwrap()
    }

    fn seen(number: u64) -> ListSeen {
        ListSeen {
            list: list(number).id(),
            number,
        }
    }

    fn next(
        wanted: Option<u64>,
        current: Option<u64>,
        on_tape: Option<u64>,
        least: u64,
    ) -> Result<u64, String> {
        let current = current.map(list);
        let on_tape = on_tape.map(seen);
        next_number(wanted, current.as_ref(), on_tape.as_ref(), least)
            .map_err(|failure| failure.code)
    }

    #[test]
    fn numbers_only_grow() {
        assert_eq!(next(None, None, None, 0), Ok(1));
        assert_eq!(next(None, None, None, 12), Ok(12));
        assert_eq!(next(None, Some(7), Some(7), 0), Ok(8));
        assert_eq!(next(Some(20), Some(7), Some(7), 0), Ok(20));
        for number in [1, 7] {
            assert_eq!(
                next(Some(number), Some(7), Some(7), 0),
                Err("REVOCATION-OLD".to_owned())
            );
        }
        assert_eq!(
            next(Some(11), Some(7), None, 12),
            Err("REVOCATION-OLD".to_owned())
        );
    }

    #[test]
    fn a_list_that_is_lost_is_not_made_anew_without_what_was_on_it() {
        assert_eq!(
            next(None, None, Some(7), 0),
            Err("REVOCATION-MISSING".to_owned())
        );
        assert_eq!(
            next(Some(8), Some(6), Some(7), 0),
            Err("REVOCATION-MISSING".to_owned())
        );
    }
}
