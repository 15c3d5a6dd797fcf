//! Inside one call: instantiates the plugin in a fresh store, asks it, and takes what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use leasehold_files::{ChangeLog, Coverage, Denials, ReadSet, View};
use leasehold_lease::RelPath;
use leasehold_tape::verdict::Quote;
use wasmtime::{Store, Trap};

use crate::engine::{Entry, Plugin};
use crate::limits::{COMPONENT_HANDLES, Deadline, Gauge, Halt, Limit, TRANSFER_BYTES};
use crate::outcome::{
    Ending, Finding, Judgement, Level, Location, PluginError, Reason, RefusedRequest, Request,
    Returned, Verdict,
};
use crate::spec::Input;
use crate::state::{Attachment, CallState, LogLine};
use crate::wasi::bindings::adapter::exports::leasehold::plugin::adapter;
use crate::wasi::bindings::gate::exports::leasehold::plugin::gate;

/// Fuel between two looks at the deadline: about a millisecond of the guest's own work.
const YIELD_FUEL: u64 = 1_000_000;
/// The most lines of one call that are quoted.
const MAX_QUOTES: usize = 1_000;
/// How far into a file a line may lie to be quoted, in bytes.
const QUOTED_FILE_BYTES: usize = 4 << 20;
/// Where a quoted line is cut, in bytes.
const QUOTE_BYTES: usize = 400;

/// What a call left behind.
#[derive(Default)]
pub(crate) struct Remains {
    /// Fuel used; absent where the counter cannot be relied on.
    pub(crate) fuel: Option<u64>,
    pub(crate) peak_memory: u64,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) log: Vec<LogLine>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) coverage: Coverage,
    pub(crate) denials: Denials,
    pub(crate) refused_imports: BTreeMap<String, u64>,
    pub(crate) requests: Vec<Request>,
    pub(crate) refused_requests: Vec<RefusedRequest>,
    pub(crate) changes: ChangeLog,
    pub(crate) reads: Option<ReadSet>,
    /// Lines that findings name, where the plugin lets lines be quoted.
    pub(crate) quotes: Vec<Quote>,
    /// Whether the guest was told the time of day.
    pub(crate) told_time: bool,
}

impl Remains {
    /// Adds what the file view knows of the call.
    pub(crate) fn add_files(&mut self, view: &View) {
        self.coverage = view.coverage();
        self.denials = view.denials();
        self.changes = view.changes();
        self.reads = Some(view.reads());
    }
}

/// Runs one call to its end, in this thread.
pub(crate) fn run(
    engine: &wasmtime::Engine,
    plugin: &Plugin,
    state: CallState,
    fuel: u64,
    input: &Input,
) -> (Ending, Remains) {
    let deadline = state.deadline.clone();
    let gauge = state.gauge.clone();
    let mut store = Store::new(engine, state);
    let result = prepare(&mut store, fuel).and_then(|()| {
        drive(ask(&mut store, plugin, input), &deadline, &gauge).unwrap_or_else(stopped)
    });
    let left = store.get_fuel().unwrap_or(0);
    let mut state = store.into_data();
    let (ending, exact) = match result {
        Ok(ending) => (ending, true),
        Err(error) => ending_of(&error, &state),
    };
    let ending = match ending {
        // A program that gave up after a limit was refused died of that limit, however it put it.
        Ending::Exited(code) if code != 0 => {
            (state.exceeded()).map_or(Ending::Exited(code), Ending::Exhausted)
        }
        Ending::Returned(Returned::Error(error)) => {
            (state.exceeded()).map_or(Ending::Returned(Returned::Error(error)), Ending::Exhausted)
        }
        other => other,
    };
    let settled = exact && matches!(ending, Ending::Returned(_) | Ending::Exited(_));
    let mut remains = Remains {
        fuel: settled.then(|| fuel.saturating_sub(left)),
        peak_memory: state.memory.peak,
        stdout: std::mem::take(&mut state.output.stdout),
        stderr: std::mem::take(&mut state.output.stderr),
        log: std::mem::take(&mut state.output.log),
        attachments: std::mem::take(&mut state.output.attachments),
        refused_imports: std::mem::take(&mut state.refused_imports),
        ..Remains::default()
    };
    remains.told_time = state.clock.told;
    (remains.requests, remains.refused_requests) = state.net.finish();
    if let Some(view) = &state.files {
        remains.add_files(view);
        let manifest = plugin.facts().manifest.as_ref();
        if let Ending::Returned(Returned::Verdict(verdict)) = &ending
            && manifest.is_some_and(|manifest| manifest.quote)
        {
            remains.quotes = quotes(&verdict.findings, view);
        }
    }
    (ending, remains)
}

/// The lines that findings name, of files that the call may read and that have not changed since it read them.
fn quotes(findings: &[Finding], view: &View) -> Vec<Quote> {
    let mut wanted: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    let places = findings.iter().filter_map(|finding| finding.at.as_ref());
    for (path, line) in places
        .filter_map(|at| Some((at.path.as_str(), at.line?)))
        .take(MAX_QUOTES)
    {
        wanted.entry(path).or_default().insert(line);
    }
    let mut quotes = Vec::new();
    for (path, lines) in wanted {
        let Ok(name) = RelPath::parse(path) else {
            continue;
        };
        let Some(content) = view.peek(&name, QUOTED_FILE_BYTES) else {
            continue;
        };
        let numbered = (1u32..).zip(content.split(|byte| *byte == b'\n'));
        for (line, text) in numbered.filter(|(line, _)| lines.contains(line)) {
            let text = String::from_utf8_lossy(text.get(..QUOTE_BYTES).unwrap_or(text));
            quotes.push(Quote {
                line,
                path: path.to_owned(),
                text: text.trim_end_matches('\r').to_owned(),
            });
        }
    }
    quotes
}

fn stopped(halt: Halt) -> wasmtime::Result<Ending> {
    Err(halt.into())
}

fn prepare(store: &mut Store<CallState>, fuel: u64) -> wasmtime::Result<()> {
    store.limiter(|state| &mut state.memory);
    store.set_fuel(fuel)?;
    store.fuel_async_yield_interval(Some(YIELD_FUEL))?;
    store.set_hostcall_fuel(TRANSFER_BYTES);
    store.set_max_component_handles(COMPONENT_HANDLES);
    Ok(())
}

/// Polls a call until it is done or has to end. It is pending only where it used up a portion of fuel.
fn drive<F: Future>(call: F, deadline: &Deadline, gauge: &Gauge) -> Result<F::Output, Halt> {
    let mut call = pin!(call);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match call.as_mut().poll(&mut context) {
            Poll::Ready(output) => return Ok(output),
            Poll::Pending => {
                gauge.more_fuel(YIELD_FUEL);
                deadline.check()?;
            }
        }
    }
}

async fn ask(
    store: &mut Store<CallState>,
    plugin: &Plugin,
    input: &Input,
) -> wasmtime::Result<Ending> {
    match (plugin.entry(), input) {
        (Entry::Gate(pre), Input::Check { config, changed }) => {
            let instance = pre.instantiate_async(&mut *store).await?;
            let subject = gate::Subject {
                config: config.clone().unwrap_or_else(|| "{}".into()),
                changed: changed.clone(),
                inputs: store.data().inputs.keys().cloned().collect(),
            };
            let gate = instance.leasehold_plugin_gate();
            let returned = gate.call_check(&mut *store, &subject).await?;
            Ok(Ending::Returned(match returned {
                Ok(verdict) => {
                    let verdict = Verdict::from(verdict);
                    store.data_mut().output.take(text_bytes(&verdict))?;
                    Returned::Verdict(verdict)
                }
                Err(gate::Error::Config(text)) => Returned::Error(PluginError::Config(text)),
                Err(gate::Error::Blocked(text)) => Returned::Error(PluginError::Blocked(text)),
                Err(gate::Error::Fault(text)) => Returned::Error(PluginError::Fault(text)),
            }))
        }
        (Entry::Adapter(pre), Input::Tool { name, arguments }) => {
            let instance = pre.instantiate_async(&mut *store).await?;
            let tools = instance.leasehold_plugin_adapter();
            let returned = tools.call_call(&mut *store, name, arguments).await?;
            Ok(Ending::Returned(match returned {
                Ok(reply) => {
                    store.data_mut().output.take(reply.len())?;
                    Returned::Reply(reply)
                }
                Err(adapter::Error::Arguments(text)) => {
                    Returned::Error(PluginError::Arguments(text))
                }
                Err(adapter::Error::Blocked(text)) => Returned::Error(PluginError::Blocked(text)),
                Err(adapter::Error::Fault(text)) => Returned::Error(PluginError::Fault(text)),
            }))
        }
        (Entry::Program(pre), Input::Run { .. }) => {
            let instance = pre.instantiate_async(&mut *store).await?;
            let returned = instance.wasi_cli_run().call_run(&mut *store).await?;
            Ok(Ending::Exited(u8::from(returned.is_err())))
        }
        // Admission has compared the two.
        _ => Ok(Ending::Ended(Reason::Host(
            "the plugin is not of the kind that was asked".into(),
        ))),
    }
}

/// What an error of the guest means, and whether the fuel counter was saved before it.
fn ending_of(error: &wasmtime::Error, state: &CallState) -> (Ending, bool) {
    if let Some(halt) = error.downcast_ref::<Halt>() {
        return match *halt {
            Halt::Exit(code) => (Ending::Exited(code), true),
            Halt::Exceeded(limit) => (Ending::Exhausted(limit), false),
            Halt::Stopped(stop) => (Ending::Ended(Reason::Stopped(stop)), false),
            Halt::ImportDenied => (Ending::Ended(Reason::ImportDenied), false),
        };
    }
    let ending = match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Ending::Exhausted(Limit::Fuel),
        Some(Trap::StackOverflow) => Ending::Exhausted(Limit::Stack),
        trap => match (state.exceeded(), trap) {
            // A guest that was refused something gives up in its own way: by `unreachable`, mostly.
            (Some(limit), _) => Ending::Exhausted(limit),
            (None, Some(trap)) => Ending::Trapped(trap.to_string()),
            (None, None) => other_ending(&error.to_string(), &format!("{error:#}")),
        },
    };
    (ending, false)
}

/// wasmtime has no types for these limits; the words are pinned by tests in `tests/`.
fn other_ending(first: &str, all: &str) -> Ending {
    if all.contains("fuel allocated for hostcalls has been exhausted") {
        return Ending::Exhausted(Limit::Transfer);
    }
    if all.contains("resource table has no free keys")
        || all.contains("store handle limit exceeded")
    {
        return Ending::Exhausted(Limit::Handles);
    }
    Ending::Trapped(if first == all { all } else { first }.to_owned())
}

impl From<gate::Verdict> for Verdict {
    fn from(verdict: gate::Verdict) -> Self {
        Verdict {
            outcome: match verdict.outcome {
                gate::Outcome::Pass => Judgement::Pass,
                gate::Outcome::Fail => Judgement::Fail,
                gate::Outcome::Skip => Judgement::Skip,
            },
            summary: verdict.summary,
            findings: verdict.findings.into_iter().map(Finding::from).collect(),
            code: verdict.code,
            data: verdict.data,
        }
    }
}

/// How much a gate says, in bytes: it counts as output.
fn text_bytes(verdict: &Verdict) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let finding = |finding: &Finding| {
        let place = finding.at.as_ref().map_or(0, |at| at.path.len());
        finding.rule.len() + finding.message.len() + place + optional(&finding.fingerprint)
    };
    let findings: usize = verdict.findings.iter().map(finding).sum();
    verdict.summary.len() + optional(&verdict.data) + findings
}

impl From<gate::Finding> for Finding {
    fn from(finding: gate::Finding) -> Self {
        Finding {
            rule: finding.rule,
            level: match finding.level {
                gate::Level::Error => Level::Error,
                gate::Level::Warning => Level::Warning,
                gate::Level::Note => Level::Note,
            },
            message: finding.message,
            at: finding.at.map(|at| Location {
                path: at.path,
                line: at.line,
                column: at.column,
            }),
            fingerprint: finding.fingerprint,
        }
    }
}
