//! Admission and the one door: runs components under rights, and nothing else.
//!
//! The order is always the same. [`Engine::load`] makes a [`Plugin`] of bytes without running any of them. [`admit`] checks
//! rights against a call, puts its intent on the tape and gives a [`Ticket`]. [`Engine::call`] takes the ticket, runs the
//! guest, records what came of it and only then gives an [`Outcome`]. There is no other way to a component.
//!
//! | module | what it is about |
//! |---|---|
//! | `inspect` | what a plugin's bytes say, without running them |
//! | `adapt`, `compile`, `lockdown`, `cache`, `native` | native code: made in a limited child, kept under a MAC, loaded |
//! | `config`, `engine` | settings, host functions, loaded plugins |
//! | `schema` | JSON Schemas of configurations and tools |
//! | `spec` | what is asked, and where it is recorded |
//! | `admission` | the only maker of tickets |
//! | `door`, `guest` | the one door, and the inside of a call |
//! | `limits`, `state` | what a call may use up, and what it has |
//! | `secrets` | what it may use and not know |
//! | `wasi` | the host functions |
//! | `record`, `summary`, `outcome` | what came of a call: recorded, read, handed out |
//! | `reuse` | an earlier outcome in place of a call |

mod adapt;
mod admission;
mod cache;
mod compile;
mod config;
mod door;
mod engine;
mod guest;
mod inspect;
mod limits;
mod lockdown;
mod native;
mod outcome;
mod record;
mod reuse;
mod schema;
mod secrets;
mod spec;
mod state;
mod summary;
mod wasi;

pub use admission::{AdmitError, Ticket, admit};
pub use cache::CodeCache;
pub use compile::{Compiler, LoadError, PLUGIN_BYTES, compile_child};
pub use config::{Instances, WASMTIME};
pub use door::CallError;
pub use engine::{Engine, ImportKind, Plugin, import_kind};
pub use inspect::{
    Encoding, EnvWant, ExitCodes, Facts, MANIFEST_SECTION, Manifest, Tool, Want, Wants, World,
    inspect, inspect_known,
};
pub use limits::{
    COMPONENT_HANDLES, Gauge, INSTANCES, LOG_BYTES, LOG_LINE_BYTES, Limit, MEMORIES, RESOURCES,
    STACK_BYTES, Stop, StopSwitch, TRANSFER_BYTES, Usage,
};
pub use outcome::{
    Ending, Finding, Judgement, Level, Location, Outcome, PluginError, Reason, Receipt,
    RefusedRequest, Request, Returned, Status, Summary, Verdict,
};
pub use reuse::{CallKey, Original, admit_hit, call_key, is_reusable};
pub use spec::{CallSpec, Input, Objection, Recorder, Secrets, Standing};
pub use state::{Attachment, LogLine};
