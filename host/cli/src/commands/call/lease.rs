//! Under which rights a call is made: those of a lease that was brought along, or of one that it issues to itself.

use leasehold_lease::{Grant, Rights, Verified};
use leasehold_sandbox::Input;
use leasehold_seal::{Class, Coded, Digest, Envelope};
use leasehold_tape::{Durability, Kind as RecordKind, LeaseVerified};

use super::{CallArgs, Subject, kind_of};
use crate::commands::{Context, lease, plugin};
use crate::failure::{Failure, OrFail};
use crate::issue::{self, Terms};
use crate::session::Session;

/// The rights for the call. The lease they come from is verified, in the store and on the tape.
pub(super) fn rights(
    args: &CallArgs,
    subject: &Subject,
    session: &Session,
    context: &Context,
) -> Result<Rights, Failure> {
    let envelope = match &args.lease {
        Some(file) => lease::read(&context.ambient.path(file))?.1,
        None => issue_local(args, subject, session, context)?,
    };
    let now = context.ambient.now();
    let verified = leasehold_lease::verify(
        &envelope,
        &session.trust,
        &session.host,
        Some(session.tape().id()),
        now,
    )
    .or_fail()?;
    let rights = match &args.grant {
        Some(grant) => verified.rights(grant).or_fail()?,
        None => verified
            .rights_for(&subject.facts.digest)
            .map_err(|refusal| {
                let failure = Failure::of(&refusal);
                match refusal.code() {
                    "GRANT-AMBIGUOUS" => failure.hint("name the one to use with --grant ID"),
                    _ => failure,
                }
            })?,
    };
    // What a call has just issued to itself is in the store already, and durable.
    let durability = match args.lease {
        Some(_) => Durability::Synced,
        None => Durability::Written,
    };
    record(&verified, &envelope, durability, session)?;
    Ok(rights)
}

/// The id of the lease that was brought along, for the record of a refusal.
pub(super) fn claimed_id(args: &CallArgs, context: &Context) -> Option<Digest> {
    let file = args.lease.as_ref()?;
    lease::read(&context.ambient.path(file))
        .ok()
        .map(|(_, envelope)| envelope.id())
}

/// Keeps a verified lease, so that whoever reads the tape can see what was allowed.
fn record(
    verified: &Verified,
    envelope: &Envelope,
    kept: Durability,
    session: &Session,
) -> Result<(), Failure> {
    let bytes = envelope.to_json().or_fail()?;
    let body = LeaseVerified {
        envelope: session.store().put_with(&bytes, kept).or_fail()?,
        expires: verified.document().expires,
        lease: verified.id(),
        not_before: verified.document().not_before,
        trust: None,
    };
    session
        .record(RecordKind::LeaseVerified, &body, Durability::Written)
        .map(|_appended| ())
}

/// The policy `local`: on one's own machine, reading needs no ceremony.
fn issue_local(
    args: &CallArgs,
    subject: &Subject,
    session: &Session,
    context: &Context,
) -> Result<Envelope, Failure> {
    let now = context.ambient.now();
    let wish = plugin::wish(&subject.facts, &args.plugin)?;
    let needed = |sentence: String| {
        Failure::new("LEASE-NEEDED", Class::Refused, sentence).hint(format!(
            "{}, then call it with --lease",
            plugin::issue_command(&subject.facts, &wish, &args.plugin)
        ))
    };
    let name = &subject.name;
    if let Some(pattern) = wish.files.write.first() {
        return Err(needed(format!(
            "{name} wants to write {pattern}, and a call allows itself nothing but listing and reading"
        )));
    }
    if let Some(variable) = wish.env.pass.first() {
        return Err(needed(format!(
            "{name} wants the variable {variable}, and a call allows itself nothing but listing and reading"
        )));
    }
    let key = issue::issuer(session, None, now)
        .map_err(|missing| needed(format!("no lease was given, and {}", missing.sentence)))?;
    let config = match &subject.input {
        Input::Check { config, .. } => config.as_ref().map(|config| Digest::of(config.as_bytes())),
        _ => None,
    };
    let vector = match &subject.input {
        Input::Run { args, .. } if !args.is_empty() => vec![args.clone()],
        _ => Vec::new(),
    };
    let grant = Grant {
        kind: kind_of(subject, wish.kind),
        config,
        args: vector,
        ..wish.clone()
    };
    let terms = Terms::here(session, issue::LOCAL_EXPIRY);
    let document = issue::document(key.id, terms, vec![grant], now)?;
    issue::issue(session, document, &key, true).map(|issued| issued.envelope)
}
