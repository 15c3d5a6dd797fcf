//! The one door: the only function of Leasehold that calls into a component.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use leasehold_files::{Quota, Skipping, View};
use leasehold_http::Client;
use leasehold_seal::{Class, Coded};
use leasehold_tape::TapeError;
use thiserror::Error;

use crate::admission::Ticket;
use crate::engine::{Engine, Plugin};
use crate::guest::{self, Remains};
use crate::limits::{Deadline, Watch};
use crate::outcome::{Ending, Outcome, Reason};
use crate::record;
use crate::spec::{Input, names_files};
use crate::state::{CallParts, CallState};
use crate::wasi::clocks::VirtualClock;
use crate::wasi::http::net::Net;

/// How long past its deadline a call may take to come back, before it is given up. It comes back within about a
/// millisecond unless the operating system holds it.
const GRACE: Duration = Duration::from_secs(2);

/// Why there is no outcome: it could not be recorded. Whatever the plugin said is not to be known.
#[derive(Debug, Error)]
#[error("the outcome of call {call} could not be recorded: {source}")]
pub struct CallError {
    /// The call; its intent stands on the tape, and counts as spent.
    pub call: String,
    /// What the tape said.
    pub source: TapeError,
}

impl Coded for CallError {
    fn code(&self) -> &'static str {
        self.source.code()
    }

    fn class(&self) -> Class {
        self.source.class()
    }

    fn hint(&self) -> Option<String> {
        self.source.hint()
    }
}

impl Engine {
    /// Makes the call that was admitted: runs the plugin in a fresh store, and gives its outcome once that is durable.
    ///
    /// A guest that can reach files runs in a thread of its own, because a file system can hold a thread for as long as it
    /// likes; such a call is given up some time after its deadline. A guest without files cannot be held.
    ///
    /// # Errors
    /// [`CallError`] when the outcome could not be recorded. Everything that the guest can do wrong is an [`Outcome`].
    pub fn call(&self, ticket: Ticket, plugin: &Plugin) -> Result<Outcome, CallError> {
        let started = Instant::now();
        let (ending, remains) = if plugin.digest() == ticket.rights.plugin() {
            self.run(&ticket, plugin, open_view(&ticket))
        } else {
            (Ending::Ended(Reason::PluginMismatch), Remains::default())
        };
        record::settle(ticket, plugin, ending, remains, started.elapsed())
    }

    fn run(&self, ticket: &Ticket, plugin: &Plugin, view: Option<View>) -> (Ending, Remains) {
        let state = state(ticket, plugin, view.clone(), &self.client);
        let fuel = ticket.rights.limits().fuel;
        match view {
            None => guest::run(&self.inner, plugin, state, fuel, &ticket.spec.input),
            Some(view) => watched(
                (self.inner.clone(), plugin.clone()),
                state,
                fuel,
                ticket.spec.input.clone(),
                &view,
            ),
        }
    }
}

/// Runs a call in a thread of its own and gives it up when it does not come back.
fn watched(
    (engine, plugin): (wasmtime::Engine, Plugin),
    state: CallState,
    fuel: u64,
    input: Input,
    view: &View,
) -> (Ending, Remains) {
    let deadline = state.deadline.clone();
    let (sender, receiver) = mpsc::sync_channel(1);
    let spawned = std::thread::Builder::new()
        .name("call".into())
        .spawn(move || {
            // Nobody listens any more when the call was given up.
            let _ = sender.send(guest::run(&engine, &plugin, state, fuel, &input));
        });
    if let Err(error) = spawned {
        let reason = Reason::Host(format!("no thread for the call: {error}"));
        return (Ending::Ended(reason), Remains::default());
    }
    let patience = deadline.at.saturating_duration_since(Instant::now()) + GRACE;
    match receiver.recv_timeout(patience) {
        Ok(finished) => finished,
        Err(RecvTimeoutError::Timeout) => {
            let mut remains = Remains::default();
            // From here on nothing more is done for the guest. If the view itself is held, what it knows stays unknown.
            if view.settle(GRACE) {
                remains.add_files(view);
            }
            (Ending::Ended(Reason::Abandoned), remains)
        }
        Err(RecvTimeoutError::Disconnected) => {
            let reason = Reason::Host("the thread of the call is gone".into());
            (Ending::Ended(reason), Remains::default())
        }
    }
}

/// The file view of a call, if its rights name any file.
fn open_view(ticket: &Ticket) -> Option<View> {
    let tree = ticket.spec.workspace.as_ref();
    let tree = tree.filter(|_| names_files(&ticket.rights))?;
    let limits = ticket.rights.limits();
    let quota = Quota {
        write_bytes: limits.write_bytes,
        open_files: limits.open_files,
    };
    let rules = ticket.rights.clone();
    let skip = ticket.spec.skip.clone();
    Some(if skip.is_empty() {
        View::open(tree, rules, quota, ticket.spec.record)
    } else {
        View::open(tree, Skipping { rules, skip }, quota, ticket.spec.record)
    })
}

/// The wall limit counts from here, the lease's end from its own clock; the earlier one holds.
fn deadline(ticket: &Ticket) -> Deadline {
    let wall = Instant::now() + Duration::from_millis(ticket.rights.limits().wall_ms);
    Deadline {
        at: wall.min(ticket.expires),
        expiry: ticket.expires < wall,
        switch: ticket.spec.stop.clone(),
        watch: watch(ticket),
    }
}

/// A lease that is revoked while its call runs ends the call.
fn watch(ticket: &Ticket) -> Watch {
    let recorder = ticket.recorder.clone();
    let chain = ticket.rights.chain().to_vec();
    Watch::new(move || {
        // What else may be wrong with a list by now, its age for instance, is for the next admission.
        let now = recorder.clock.now();
        (recorder.standing.check(&chain, None, now))
            .is_err_and(|objection| objection.code == "LEASE-REVOKED")
    })
}

fn state(ticket: &Ticket, plugin: &Plugin, view: Option<View>, client: &Arc<Client>) -> CallState {
    let rights = &ticket.rights;
    let limits = rights.limits();
    let (args, stdin) = match &ticket.spec.input {
        Input::Run { args, stdin } => {
            let name = std::iter::once(plugin.name().to_owned());
            (name.chain(args.iter().cloned()).collect(), stdin.clone())
        }
        Input::Check { .. } | Input::Tool { .. } => (Vec::new(), Vec::new()),
    };
    let mut env = rights.environment(|name| ticket.spec.ambient_env.get(name).cloned());
    let mut inputs = ticket.spec.inputs.clone();
    for (variable, input, value) in ticket.secrets.exposed() {
        env.insert(variable, value.to_owned());
        inputs.insert(input, value.as_bytes().to_vec());
    }
    CallState::new(CallParts {
        fuel: limits.fuel,
        gauge: ticket.spec.gauge.clone(),
        memory_bytes: limits.memory_bytes,
        output_bytes: limits.output_bytes,
        deadline: deadline(ticket),
        clock: VirtualClock::new(
            u64::try_from(ticket.clock_base.as_millis()).unwrap_or(0),
            limits.wall_ms,
        ),
        seed: ticket.seed,
        view,
        args,
        env: env.into_iter().collect(),
        stdin,
        inputs,
        net: Net::new(ticket, client),
    })
}
