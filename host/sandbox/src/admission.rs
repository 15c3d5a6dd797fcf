//! Admission: the only maker of tickets.

use std::time::{Duration, Instant};

use leasehold_lease::{Kind, ListSeen, Refusal, Rights};
use leasehold_seal::{Class, Coded, Digest, Timestamp};
use leasehold_tape::call::{Charge, Intent, new_call_id};
use leasehold_tape::{Appended, Draft, Durability, Kind as RecordKind, TapeError, TapeState};
use serde::Serialize;
use thiserror::Error;

use crate::engine::{Engine, Plugin};
use crate::inspect::{Facts, World};
use crate::secrets::Held;
use crate::spec::{CallSpec, Input, Objection, Recorder, given, keyed, names_files};

/// Why a call was not admitted. The refusal is on the tape, unless the tape itself is what failed.
#[derive(Debug, Error)]
pub enum AdmitError {
    /// Lease or rights do not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Revocation or a missing secret stands in the way.
    #[error(transparent)]
    Objected(#[from] Objection),
    /// The call does not fit the plugin.
    #[error("{sentence}")]
    Unfit {
        /// The stable code.
        code: &'static str,
        /// What kind of failure it is.
        class: Class,
        /// What does not fit.
        sentence: String,
        /// What to do.
        hint: String,
    },
    /// The intent could not be recorded: no record, no call.
    #[error("the call could not be recorded: {0}")]
    Tape(#[from] TapeError),
    /// The host could not make an id.
    #[error("no random bytes: {0}")]
    Random(std::io::Error),
}

impl Coded for AdmitError {
    fn code(&self) -> &'static str {
        match self {
            AdmitError::Refused(refusal) => refusal.code(),
            AdmitError::Objected(objection) => objection.code,
            AdmitError::Unfit { code, .. } => code,
            AdmitError::Tape(error) => error.code(),
            AdmitError::Random(_) => "RANDOM-FAULT",
        }
    }

    fn class(&self) -> Class {
        match self {
            AdmitError::Refused(refusal) => refusal.class(),
            AdmitError::Objected(objection) => objection.class,
            AdmitError::Unfit { class, .. } => *class,
            AdmitError::Tape(error) => error.class(),
            AdmitError::Random(_) => Class::Fault,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            AdmitError::Refused(refusal) => refusal.hint(),
            AdmitError::Objected(objection) => objection.hint.clone(),
            AdmitError::Unfit { hint, .. } => Some(hint.clone()),
            AdmitError::Tape(error) => error.hint(),
            AdmitError::Random(_) => None,
        }
    }
}

/// Proof that one call was admitted: its intent is on the tape. Only [`admit`] makes one, and the door takes it away.
///
/// A ticket cannot be made,
/// ```compile_fail,E0451
/// # use leasehold_sandbox::{CallSpec, Ticket};
/// # fn forge(real: Ticket, spec: CallSpec) -> Ticket {
/// Ticket { spec, ..real }
/// # }
/// ```
/// copied
/// ```compile_fail,E0599
/// # use leasehold_sandbox::Ticket;
/// # fn copy(real: &Ticket) -> Ticket {
/// Ticket::clone(real)
/// # }
/// ```
/// or used twice,
/// ```compile_fail,E0382
/// # use leasehold_sandbox::{Engine, Plugin, Ticket};
/// # fn twice(engine: &Engine, plugin: &Plugin, ticket: Ticket) {
/// let _ = engine.call(ticket, plugin);
/// let _ = engine.call(ticket, plugin);
/// # }
/// ```
/// and without one there is no way to what a plugin holds:
/// ```compile_fail,E0624
/// # use leasehold_sandbox::Plugin;
/// # fn reach(plugin: &Plugin) {
/// let _ = plugin.entry();
/// # }
/// ```
/// The same things with a ticket that was honestly got do compile:
/// ```no_run
/// # use leasehold_sandbox::{CallError, Engine, Outcome, Plugin, Ticket};
/// # fn once(engine: &Engine, plugin: &Plugin, ticket: Ticket) -> Result<Outcome, CallError> {
/// engine.call(ticket, plugin)
/// # }
/// ```
#[must_use = "an admitted call that is not made counts as spent, in full"]
pub struct Ticket {
    pub(crate) call: String,
    pub(crate) rights: Rights,
    pub(crate) spec: CallSpec,
    pub(crate) recorder: Recorder,
    pub(crate) seed: [u8; 32],
    pub(crate) clock_base: Timestamp,
    /// When the lease ends.
    pub(crate) expires: Instant,
    pub(crate) intent: Appended,
    pub(crate) secrets: Held,
}

impl Ticket {
    /// Identifies the call.
    pub fn call(&self) -> &str {
        &self.call
    }
}

/// Admits one call of `plugin` under `rights`: checks everything that can have changed since the lease was verified (time,
/// revocation, budgets), counts the use and puts the intent on the tape. Where the call can have an effect the intent is durable before this returns.
///
/// # Errors
/// [`AdmitError`]; a refusal is recorded as `lease.denied`.
pub fn admit(
    engine: &Engine,
    plugin: &Plugin,
    rights: Rights,
    spec: CallSpec,
    recorder: &Recorder,
) -> Result<Ticket, AdmitError> {
    let now = recorder.clock.now();
    let (secrets, issued) = or_record(&rights, recorder, || {
        check(plugin.facts(), &rights, &spec, now)?;
        check_schemas(plugin, &spec)?;
        // Before the intent: a call that cannot have what it needs is not spent.
        let secrets = Held::fetch(&rights, &*recorder.secrets)?;
        Ok((secrets, issue(engine, &rights, &spec, recorder, now)?))
    })?;
    Ok(Ticket {
        call: issued.call,
        rights,
        spec,
        recorder: recorder.clone(),
        seed: issued.seed,
        clock_base: issued.clock_base,
        expires: issued.expires,
        intent: issued.intent,
        secrets,
    })
}

/// What `admitted` gives; a refusal goes on the tape first.
pub(crate) fn or_record<T>(
    rights: &Rights,
    recorder: &Recorder,
    admitted: impl FnOnce() -> Result<T, AdmitError>,
) -> Result<T, AdmitError> {
    admitted().or_else(|refused| {
        let by_rule = matches!(
            refused,
            AdmitError::Refused(_) | AdmitError::Objected(_) | AdmitError::Unfit { .. }
        );
        if by_rule {
            record_refusal(rights, &refused, recorder)?;
        }
        Err(refused)
    })
}

/// What does not fit.
pub(crate) fn unfit<T>(code: &'static str, sentence: String, hint: &str) -> Result<T, AdmitError> {
    Err(AdmitError::Unfit {
        code,
        class: Class::Usage,
        sentence,
        hint: hint.into(),
    })
}

/// Whether plugin, rights and what is asked fit each other now.
pub(crate) fn check(
    plugin: &Facts,
    rights: &Rights,
    spec: &CallSpec,
    now: Timestamp,
) -> Result<(), AdmitError> {
    rights.check_time(now)?;
    rights.check_plugin(&plugin.digest)?;
    let world = plugin.world;
    let fits = matches!(
        (rights.kind(), world, &spec.input),
        (Kind::Gate, World::Gate, Input::Check { .. })
            | (Kind::Adapter, World::Adapter, Input::Tool { .. })
            | (
                Kind::Command | Kind::Gate,
                World::Program,
                Input::Run { .. }
            )
    );
    if !fits {
        return unfit(
            "KIND-MISMATCH",
            format!(
                "the lease grants a call as {}, the plugin is a {} and is asked to {}",
                rights.kind(),
                match world {
                    World::Gate => "gate",
                    World::Adapter => "adapter",
                    World::Program => "program",
                },
                match spec.input {
                    Input::Check { .. } => "judge",
                    Input::Tool { .. } => "use a tool",
                    Input::Run { .. } => "run",
                }
            ),
            "a gate takes --config, an adapter --tool and --arguments, a program arguments after `--`",
        );
    }
    if let Input::Run { args, .. } = &spec.input {
        rights.check_args(args)?;
        let judges = rights.kind() == Kind::Gate;
        let declared = spec.exit.is_some()
            || (plugin.manifest.as_ref()).is_some_and(|manifest| manifest.exit.is_some());
        if judges && !declared {
            return unfit(
                "EXIT-UNDECLARED",
                "a program judges only by exit codes that somebody declared".into(),
                "say which exit codes mean what: --pass-exit 0 --fail-exit 1",
            );
        }
    }
    if let Input::Check { config, .. } = &spec.input {
        check_config(rights, config.as_deref())?;
    }
    let denied = |pattern| rights.files().deny.contains(pattern);
    if let Some(pattern) = spec.skip.iter().find(|pattern| !denied(pattern)) {
        return unfit(
            "SKIP-UNFIT",
            format!("\"{pattern}\" is to be skipped, and the rights do not deny it"),
            "narrow the rights by the same patterns",
        );
    }
    if names_files(rights) && spec.workspace.is_none() {
        return unfit(
            "WORKSPACE-MISSING",
            "the lease names files, but no workspace was given".into(),
            "give one with --workspace DIR",
        );
    }
    Ok(())
}

/// Whether what is asked fits the plugin's own schemas.
fn check_schemas(plugin: &Plugin, spec: &CallSpec) -> Result<(), AdmitError> {
    let schemas = plugin.schemas();
    if let Input::Check { config, .. } = &spec.input
        && let Err(why) = schemas.check_config(config.as_deref().unwrap_or("{}"))
    {
        return unfit(
            "CONFIG-SCHEMA",
            format!("the configuration does not fit the plugin's schema: {why}"),
            "`leasehold plugin inspect` shows the schema",
        );
    }
    if let Input::Tool { name, arguments } = &spec.input {
        if !schemas.has_tool(name) {
            let known = schemas.tools().collect::<Vec<_>>().join(", ");
            return unfit(
                "TOOL-UNKNOWN",
                format!("{} has no tool {name:?}; it has: {known}", plugin.name()),
                "name one of its tools with --tool",
            );
        }
        if let Err(why) = schemas.check_arguments(name, arguments) {
            return unfit(
                "ARGUMENTS-SCHEMA",
                format!("the arguments do not fit the schema of {name}: {why}"),
                "`leasehold plugin inspect` shows the schema",
            );
        }
    }
    Ok(())
}

/// The configuration is part of what was granted: exactly this one, or none.
fn check_config(rights: &Rights, config: Option<&str>) -> Result<(), AdmitError> {
    let digest = config.map(|config| Digest::of(config.as_bytes()));
    if rights.allows_config(digest.as_ref()) {
        return Ok(());
    }
    let words = |digest: Option<Digest>| digest.map_or("none".into(), |digest| digest.to_string());
    Err(AdmitError::Unfit {
        code: "CONFIG-DENIED",
        class: Class::Refused,
        sentence: format!(
            "the lease grants the configuration {}, the call brings {}",
            words(rights.config()),
            words(digest)
        ),
        hint: "issue the lease with this configuration: `leasehold lease issue --config …`".into(),
    })
}

/// What a ticket has beside what it was made from.
struct Issued {
    call: String,
    seed: [u8; 32],
    clock_base: Timestamp,
    expires: Instant,
    intent: Appended,
}

fn issue(
    engine: &Engine,
    rights: &Rights,
    spec: &CallSpec,
    recorder: &Recorder,
    now: Timestamp,
) -> Result<Issued, AdmitError> {
    let mut random = [0; 10];
    (recorder.random)(&mut random).map_err(AdmitError::Random)?;
    let call = new_call_id(now, random);
    let given = given(spec, rights);
    let salt = keyed(&recorder.salt_key, call.as_bytes());
    let input = Digest::from_bytes(keyed(&salt, &given));
    let seed = seed_of(spec, rights, &given);
    let clock_base = when(spec, now);
    let limits = rights.limits();
    let effects = rights.has_effects();
    let (run, step) = spec.run.clone().unzip();
    let intent = Intent {
        call: call.clone(),
        charges: (rights.chain().iter())
            .map(|lease| Charge {
                fuel: limits.fuel,
                lease: *lease,
                uses: 1,
            })
            .collect(),
        clock_base,
        config: match &spec.input {
            Input::Check { config, .. } => {
                config.as_ref().map(|config| Digest::of(config.as_bytes()))
            }
            _ => None,
        },
        effects,
        engine: engine.id(),
        grant: rights.grant().to_owned(),
        input,
        kind: rights.kind().to_string(),
        lease: rights.chain().to_vec(),
        plugin: rights.plugin(),
        rights: rights.digest(),
        run,
        seed: Digest::from_bytes(seed).hex(),
        skip: spec.skip.iter().map(ToString::to_string).collect(),
        step,
    };
    // A use that nobody could count after a power cut would not be counted.
    let durability = if effects || !rights.budgets().is_empty() {
        Durability::Synced
    } else {
        Durability::Written
    };
    let draft = Draft::intent(&intent)?;
    // The record has a time of its own, and by that time the rights have to hold.
    let appended = recorder.tape.append_checked(
        |tape| {
            still_good(rights, recorder, tape)?;
            rights.check_budgets(|lease| {
                let account = tape.ledger.account(lease);
                (account.uses, account.fuel)
            })?;
            Ok::<_, AdmitError>(vec![draft])
        },
        durability,
    )?;
    let left = rights.expires().as_millis() - now.as_millis();
    let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
    Ok(Issued {
        call,
        seed,
        clock_base,
        expires: Instant::now() + left,
        intent: only(appended)?,
    })
}

/// Whether time and revocation leave the rights as they were, as of the tape.
pub(crate) fn still_good(
    rights: &Rights,
    recorder: &Recorder,
    tape: &TapeState<'_>,
) -> Result<(), AdmitError> {
    rights.check_time(tape.now)?;
    let seen = tape.ledger.revocations().map(|seen| ListSeen {
        number: seen.number,
        list: seen.list,
    });
    Ok(recorder.standing.check(rights.chain(), seen, tape.now)?)
}

/// The seed of a call's randomness.
pub(crate) fn seed_of(spec: &CallSpec, rights: &Rights, given: &[u8]) -> [u8; 32] {
    spec.seed
        .unwrap_or_else(|| keyed(rights.plugin().as_bytes(), given))
}

/// Where a call's clock starts.
pub(crate) fn when(spec: &CallSpec, now: Timestamp) -> Timestamp {
    spec.clock_base.unwrap_or_else(|| whole_second(now))
}

/// The one record of an append of one.
pub(crate) fn only(appended: Vec<Appended>) -> Result<Appended, TapeError> {
    let first = appended.into_iter().next();
    first.ok_or_else(|| TapeError::Body("an append of one record gave none".into()))
}

/// A guest is not told more of the host's time than it needs.
fn whole_second(now: Timestamp) -> Timestamp {
    let millis = now.as_millis();
    Timestamp::from_millis(millis - millis.rem_euclid(1000)).unwrap_or(now)
}

/// What `lease.denied` holds.
#[derive(Serialize)]
struct DeniedBody<'a> {
    code: &'a str,
    grant: &'a str,
    lease: &'a [Digest],
    message: String,
    plugin: Digest,
}

fn record_refusal(
    rights: &Rights,
    refused: &AdmitError,
    recorder: &Recorder,
) -> Result<(), TapeError> {
    let body = DeniedBody {
        code: refused.code(),
        grant: rights.grant(),
        lease: rights.chain(),
        message: refused.to_string(),
        plugin: rights.plugin(),
    };
    let draft = Draft::new(RecordKind::LeaseDenied, &body)?;
    let appended = recorder.tape.append(vec![draft], Durability::Synced)?;
    only(appended).map(|_appended| ())
}
