//! Reports over tapes made for the purpose.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]
#![expect(
    clippy::print_stdout,
    reason = "a test that needs a browser says when it has none"
)]

mod browser;
mod builder;
mod contradictions;
mod hostile;
mod page;
mod reading;
mod scenes;
