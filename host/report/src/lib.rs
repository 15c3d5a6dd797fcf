//! A run, read back from the tape and the content store alone, and shown.
//!
//! Nothing a run says about itself is believed: counts come from the outcome records, a cached result from the record it was
//! first written in, stored bytes from their digest. Where two things on the tape disagree, the disagreement is the first
//! thing shown and the run is not green. Same tape and store, same bytes out.
//!
//! | module | what it is about |
//! |---|---|
//! | [`read`] | from records to a [`Run`] |
//! | [`model`] | a run, as it is shown and written as JSON |
//! | [`order`] | failures first |
//! | [`mod@html`] | one self-contained page |
//! | [`words`] | text that cannot deceive, figures that can be read |

mod assemble;
mod checks;
mod collect;
mod error;
pub mod html;
pub mod model;
pub mod order;
mod page;
pub mod read;
mod results;
mod shelf;
pub mod words;

pub use error::ReportError;
pub use html::html;
pub use model::{Run, RunResult, Step, StepStatus};
pub use order::failures_first;
pub use read::{Places, Which, read_run, read_run_at};

/// The run as JSON: one line without a line feed, keys sorted. Every field is there; what is absent is `null`.
///
/// Texts stand in it as they stand on the tape: whoever prints it on a terminal makes them visible first.
///
/// # Errors
/// None that is known.
pub fn json(run: &Run) -> Result<String, ReportError> {
    serde_json::to_string(run).map_err(|error| ReportError::Write(error.to_string()))
}
