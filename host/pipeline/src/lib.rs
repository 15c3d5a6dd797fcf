//! Runs a plan: schedule, rights of each step, results kept and used again, and a watch over running calls.
//!
//! | module | what it is about |
//! |---|---|
//! | `spec` | what is to be run, where, and what came of it |
//! | `schedule` | which step may start when; no threads, no clocks |
//! | `run` | the threads of a run, its records |
//! | `step`, `writer` | one step that reads; one that writes, on a tree of its own |
//! | `kept`, `cache` | files under a MAC; results used again |
//! | `sentinel`, `watch` | pressure and thresholds; the thread that looks |

mod cache;
mod kept;
mod run;
mod schedule;
mod sentinel;
mod spec;
mod step;
mod watch;
mod writer;

pub use cache::{Hit, Miss, ResultCache};
pub use run::{RunError, run};
pub use schedule::{Next, Schedule, Shape};
pub use sentinel::{Figure, Sample, State};
pub use spec::{
    Bench, Observer, Options, Place, Reuse, RunReport, RunSpec, Step, StepReport, Workspace,
};
pub use step::why_not;
