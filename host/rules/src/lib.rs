//! Pipeline, lock and policy files, and the plan made of them: what judges, before anything runs.
//!
//! Bytes come in, values or errors go out: this crate opens no file and runs nothing. From [`Pipeline`] and [`Lock`]
//! comes the [`Plan`]; the plan says which grants a lease needs ([`Plan::grants`]), which rights each step has under a
//! lease ([`Plan::under`]), and what a policy finds missing ([`Policy::unmet`]).
//!
//! | module | what it is about |
//! |---|---|
//! | `pipeline`, `step`, `sentinel`, `config` | `leasehold.toml`, read strictly: [`Pipeline`] |
//! | `network` | HTTP and secrets of a step |
//! | `order` | the order of steps, and cycles |
//! | `append` | adding a step, all else untouched |
//! | `lock` | `leasehold.lock`: [`Lock`] |
//! | `policy` | what must run, what leases and requests may ask for: [`Policy`] |
//! | `plan` | steps with plugins and all defaults: [`plan()`] |
//! | `grants` | plan → grants; plan and lease → rights |
//! | `change` | what one set of grants allows more or less than another |
//! | `document` | the plan for people |
//! | `error`, `source`, `walk`, `toml_text` | places, messages, and TOML |

mod append;
mod change;
mod config;
mod document;
mod error;
mod grants;
mod lock;
mod network;
mod order;
mod pipeline;
mod plan;
mod policy;
mod sentinel;
mod source;
mod step;
mod toml_text;
mod walk;

pub use append::append_step;
pub use change::{Change, RightsChange, difference, is_local};
pub use config::Config;
pub use document::StepLine;
pub use error::{MAX_PROBLEMS, Place, RulesError};
pub use grants::Excess;
pub use lock::{LOCK_FILE, Lock, LockEntry, MAX_PLUGINS, MAX_VERSION_BYTES, PluginSource};
pub use pipeline::{MAX_STEPS, PIPELINE_FILE, Pipeline};
pub use plan::{
    DEFAULT_FUEL, DEFAULT_MEMORY_BYTES, DEFAULT_OPEN_FILES, DEFAULT_OUTPUT_BYTES, DEFAULT_WALL_MS,
    DEFAULT_WRITE_BYTES, Plan, PlannedStep, PluginFacts, World, plan,
};
pub use policy::{
    Action, Decision, Dollars, GrantRule, LeaseRules, LeaseTerms, MAX_MUST_RUN, MustRun,
    NotDollars, Operation, OperationRules, PathFact, Policy, PolicyExcess, Request, RequestStep,
};
pub use sentinel::{Sentinel, exceeds};
pub use source::MAX_FILE_BYTES;
pub use step::{ExitCodes, Step, StepSpec, Uses};
