//! What is asked of a plugin, and where it is recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use leasehold_files::{Record, Tree};
use leasehold_http::Secret;
use leasehold_lease::{ListSeen, Pattern, Refusal, Revocations, Rights};
use leasehold_seal::{Class, Coded, Digest, Timestamp, Trust};
use leasehold_tape::{HostClock, Store, Tape};
use serde::Serialize;
use sha2::Sha256;

use crate::inspect::ExitCodes;
use crate::limits::{Gauge, StopSwitch};

/// Why one of those who have a say in a call objects to it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{sentence}")]
pub struct Objection {
    /// The stable code.
    pub code: &'static str,
    /// What kind of failure it is.
    pub class: Class,
    /// What is in the way; never a part of a secret.
    pub sentence: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Coded for Objection {
    fn code(&self) -> &'static str {
        self.code
    }

    fn class(&self) -> Class {
        self.class
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

impl From<Refusal> for Objection {
    fn from(refusal: Refusal) -> Self {
        Objection {
            code: refusal.code(),
            class: refusal.class(),
            sentence: refusal.to_string(),
            hint: refusal.hint(),
        }
    }
}

/// What may change while leases are in use, and is asked again for each call and while it runs.
pub trait Standing: Send + Sync {
    /// Whether the leases of this chain may be used now. `seen`: the newest revocation list on the tape.
    ///
    /// # Errors
    /// `LEASE-REVOKED` and `REVOCATION-…`, as [`leasehold_lease::Revocations::check`].
    fn check(
        &self,
        chain: &[Digest],
        seen: Option<ListSeen>,
        now: Timestamp,
    ) -> Result<(), Objection>;
}

/// A trust file and the revocation list in use, for as long as a process lives that is told of no other.
impl Standing for (Trust, Revocations) {
    fn check(
        &self,
        chain: &[Digest],
        seen: Option<ListSeen>,
        now: Timestamp,
    ) -> Result<(), Objection> {
        let revocations = self.1.clone().after(seen);
        revocations.check(&self.0, chain, now)?;
        Ok(())
    }
}

/// Where secrets come from.
pub trait Secrets: Send + Sync {
    /// The secret of this name.
    ///
    /// # Errors
    /// Why it is not there or not usable; never a part of it.
    fn secret(&self, name: &str) -> Result<Secret, Objection>;
}

/// Where calls are recorded, and what has a say in whether they may be made.
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
    /// Whether leases that were good still are.
    pub standing: Arc<dyn Standing>,
    /// Where secrets come from.
    pub secrets: Arc<dyn Secrets>,
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
    /// Seed of the guest's randomness; derived from plugin and input if absent, so that equal calls are equal.
    pub seed: Option<[u8; 32]>,
    /// What the caller says is not judged: what matches is counted as skipped instead of hidden. Each of these patterns has to be
    /// among the deny rules of the rights.
    pub skip: Vec<Pattern>,
    /// Entries that the caller left out of the workspace because the rights do not show them; they count as hidden.
    pub left_out: u64,
    /// How closely reads are recorded.
    pub record: Record,
    /// Ends the call from outside.
    pub stop: StopSwitch,
    /// Shows what the call uses while it runs.
    pub gauge: Gauge,
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
            skip: Vec::new(),
            left_out: 0,
            record: Record::Names,
            stop: StopSwitch::default(),
            gauge: Gauge::default(),
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

/// Whether the rights name any file: then the call needs a workspace, and a thread of its own.
pub(crate) fn names_files(rights: &Rights) -> bool {
    let files = rights.files();
    !(files.list.is_empty() && files.read.is_empty() && files.write.is_empty())
}

/// Everything the guest is given beside its files, as canonical JSON: fields in the order of their names, and names that are
/// ASCII. Arguments and environment may hold what should not be guessed from a digest, so what is recorded is salted.
pub(crate) fn given(spec: &CallSpec, rights: &Rights) -> Vec<u8> {
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

pub(crate) fn keyed(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(message);
            mac.finalize().into_bytes().into()
        }
        // HMAC takes keys of any length.
        Err(_) => [0; 32],
    }
}
