//! Admission: the only maker of tickets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use leasehold_files::Tree;
use leasehold_lease::{Kind, Refusal, Rights};
use leasehold_seal::{Class, Coded, Digest, Timestamp};
use leasehold_tape::call::{Charge, Intent, new_call_id};
use leasehold_tape::{
    Appended, Draft, Durability, HostClock, Kind as RecordKind, Store, Tape, TapeError,
};
use serde::Serialize;
use sha2::Sha256;
use thiserror::Error;

use crate::engine::{Engine, Plugin};
use crate::inspect::{ExitCodes, World};
use crate::limits::StopSwitch;

/// Where calls are recorded.
#[derive(Clone)]
pub struct Recorder {
    /// The tape.
    pub tape: Arc<Tape>,
    /// Where artifacts are kept that records name by digest.
    pub store: Arc<Store>,
    /// The host's clock.
    pub clock: Arc<dyn HostClock>,
    /// Random bytes for call ids.
    pub random: fn(&mut [u8]) -> std::io::Result<()>,
    /// Key of the salts over inputs. Whoever has it can show what a recorded input digest stands for.
    pub salt_key: [u8; 32],
}

/// What to call, and with what.
#[derive(Clone, Debug)]
pub struct CallSpec {
    /// What the plugin is asked.
    pub input: Input,
    /// The tree it is asked about. Needed as soon as the rights name any file.
    pub workspace: Option<Tree>,
    /// The environment from which `env.pass` takes.
    pub ambient_env: BTreeMap<String, String>,
    /// For a program that judges: what its exit codes mean, instead of what its manifest says.
    pub exit: Option<ExitCodes>,
    /// Facts derived by the host, by name.
    pub inputs: BTreeMap<String, Vec<u8>>,
    /// The run and the step this call belongs to.
    pub run: Option<(String, String)>,
    /// Wall time at the start as the guest sees it; the host's time, in whole seconds, if absent.
    pub clock_base: Option<Timestamp>,
    /// Seed of the guest's randomness; derived from rights and input if absent, so that equal calls are equal.
    pub seed: Option<[u8; 32]>,
    /// Ends the call from outside.
    pub stop: StopSwitch,
}

impl CallSpec {
    /// A call with this input and nothing else.
    pub fn new(input: Input) -> Self {
        CallSpec {
            input,
            workspace: None,
            ambient_env: BTreeMap::new(),
            exit: None,
            inputs: BTreeMap::new(),
            run: None,
            clock_base: None,
            seed: None,
            stop: StopSwitch::default(),
        }
    }
}

/// What a plugin is asked.
#[derive(Clone, Debug)]
pub enum Input {
    /// A gate: judge.
    Check {
        /// Its configuration: JSON. Where there is none the gate gets `{}`.
        config: Option<String>,
        /// The paths that changed, where that is known.
        changed: Option<Vec<String>>,
    },
    /// An adapter: use a tool.
    Tool {
        /// The tool's name.
        name: String,
        /// Its arguments: JSON.
        arguments: String,
    },
    /// A program.
    Run {
        /// Its arguments, without its own name.
        args: Vec<String>,
        /// Its standard input.
        stdin: Vec<u8>,
    },
}

/// Why a call was not admitted. The refusal is on the tape, unless the tape itself is what failed.
#[derive(Debug, Error)]
pub enum AdmitError {
    /// Lease or rights do not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
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
            AdmitError::Unfit { code, .. } => code,
            AdmitError::Tape(error) => error.code(),
            AdmitError::Random(_) => "RANDOM-FAULT",
        }
    }

    fn class(&self) -> Class {
        match self {
            AdmitError::Refused(refusal) => refusal.class(),
            AdmitError::Unfit { class, .. } => *class,
            AdmitError::Tape(error) => error.class(),
            AdmitError::Random(_) => Class::Fault,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            AdmitError::Refused(refusal) => refusal.hint(),
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
}

impl Ticket {
    /// Identifies the call.
    pub fn call(&self) -> &str {
        &self.call
    }
}

/// Admits one call of `plugin` under `rights`: checks everything that can have changed since the lease was verified, counts
/// the use and puts the intent on the tape. Where the call can have an effect the intent is durable before this returns.
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
    let admitted = check(plugin, &rights, &spec, now)
        .and_then(|()| issue(engine, &rights, &spec, recorder, now));
    match admitted {
        Ok(issued) => Ok(Ticket {
            call: issued.call,
            rights,
            spec,
            recorder: recorder.clone(),
            seed: issued.seed,
            clock_base: issued.clock_base,
            expires: issued.expires,
            intent: issued.intent,
        }),
        Err(refused) => {
            if matches!(refused, AdmitError::Refused(_) | AdmitError::Unfit { .. }) {
                record_refusal(&rights, &refused, recorder)?;
            }
            Err(refused)
        }
    }
}

fn check(
    plugin: &Plugin,
    rights: &Rights,
    spec: &CallSpec,
    now: Timestamp,
) -> Result<(), AdmitError> {
    rights.check_time(now)?;
    rights.check_plugin(&plugin.digest())?;
    let unfit = |code, sentence: String, hint: &str| {
        Err(AdmitError::Unfit {
            code,
            class: Class::Usage,
            sentence,
            hint: hint.into(),
        })
    };
    let world = plugin.facts().world;
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
            || (plugin.facts().manifest.as_ref()).is_some_and(|manifest| manifest.exit.is_some());
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
        if let Err(why) = plugin
            .schemas()
            .check_config(config.as_deref().unwrap_or("{}"))
        {
            return unfit(
                "CONFIG-SCHEMA",
                format!("the configuration does not fit the plugin's schema: {why}"),
                "`leasehold plugin inspect` shows the schema",
            );
        }
    }
    if let Input::Tool { name, arguments } = &spec.input {
        let schemas = plugin.schemas();
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
    if names_files(rights) && spec.workspace.is_none() {
        return unfit(
            "WORKSPACE-MISSING",
            "the lease names files, but no workspace was given".into(),
            "give one with --workspace DIR",
        );
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

/// Whether the rights name any file: then the call needs a workspace, and a thread of its own.
pub(crate) fn names_files(rights: &Rights) -> bool {
    let files = rights.files();
    !(files.list.is_empty() && files.read.is_empty() && files.write.is_empty())
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
    let seed = spec
        .seed
        .unwrap_or_else(|| keyed(rights.digest().as_bytes(), &given));
    let clock_base = spec.clock_base.unwrap_or_else(|| whole_second(now));
    let limits = rights.limits();
    let effects = rights.may_change_anything();
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
        seed: hex(&seed),
        step,
    };
    let durability = if effects {
        Durability::Synced
    } else {
        Durability::Written
    };
    let draft = Draft::intent(&intent)?;
    // The record has a time of its own, and by that time the rights have to hold.
    let appended = recorder.tape.append_checked(
        |tape| {
            rights.check_time(tape.now)?;
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

/// The one record of an append of one.
fn only(appended: Vec<Appended>) -> Result<Appended, TapeError> {
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

/// Everything the guest is given beside its files, as canonical JSON: fields in the order of their names, and names that are
/// ASCII. Arguments and environment may hold what should not be guessed from a digest, so what is recorded is salted.
fn given(spec: &CallSpec, rights: &Rights) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "lowercase")]
    enum Ask<'a> {
        Check {
            changed: &'a Option<Vec<String>>,
            config: &'a Option<String>,
        },
        Run {
            args: &'a [String],
            stdin: Digest,
        },
        Tool {
            arguments: &'a str,
            name: &'a str,
        },
    }
    #[derive(Serialize)]
    struct Given<'a> {
        ask: Ask<'a>,
        env: BTreeMap<String, String>,
        inputs: BTreeMap<&'a str, Digest>,
    }
    let given = Given {
        ask: match &spec.input {
            Input::Check { config, changed } => Ask::Check { changed, config },
            Input::Run { args, stdin } => Ask::Run {
                args,
                stdin: Digest::of(stdin),
            },
            Input::Tool { name, arguments } => Ask::Tool { arguments, name },
        },
        env: rights.environment(|name| spec.ambient_env.get(name).cloned()),
        inputs: (spec.inputs.iter())
            .map(|(name, bytes)| (name.as_str(), Digest::of(bytes)))
            .collect(),
    };
    // Strings, digests and maps of strings can always be written.
    serde_json::to_vec(&given).unwrap_or_default()
}

fn keyed(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(message);
            mac.finalize().into_bytes().into()
        }
        // HMAC takes keys of any length.
        Err(_) => [0; 32],
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
