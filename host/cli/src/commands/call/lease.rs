//! Under which rights a call is made: those of a lease that was brought along, or of one that it issues to itself.

use leasehold_lease::{Grant, Rights};
use leasehold_sandbox::Input;
use leasehold_seal::{Class, Coded, Digest, Envelope};

use super::{CallArgs, Subject, kind_of};
use crate::commands::{Context, plugin};
use crate::failure::{Failure, OrFail};
use crate::issue::{self, Terms};
use crate::leased::{self, Brought};
use crate::session::Session;

/// The rights for the call. The lease they come from is verified, in the store and on the tape.
pub(super) fn rights(
    args: &CallArgs,
    subject: &Subject,
    session: &Session,
    context: &Context,
) -> Result<Rights, Failure> {
    let brought = match &args.lease {
        Some(file) => {
            let chain = leased::read(&context.ambient.path(file))?;
            let presentation = args.present.of(&chain, session, context)?;
            Brought {
                chain,
                presentation,
                own: false,
            }
        }
        None => Brought::own(issue_local(args, subject, session, context)?),
    };
    let here = session.here(context.ambient.now());
    let leased = brought.verify(&session.trust, &session.standing, &here)?;
    let verified = &leased.verified;
    session.home.check_policy(verified.document())?;
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
    leased.record(None, session)?;
    Ok(rights)
}

/// The id of the lease that was brought along, for the record of a refusal.
pub(super) fn claimed_id(args: &CallArgs, context: &Context) -> Option<Digest> {
    let file = args.lease.as_ref()?;
    let chain = leased::read(&context.ambient.path(file)).ok()?;
    chain.first().map(Envelope::id)
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
