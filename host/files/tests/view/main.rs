//! The file view under attack. Every attack has a twin: the same operation under wider rules, which succeeds.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "the lints know tests, but not their helpers"
)]

mod common;

mod again;
mod change;
mod fast;
mod links;
mod memo;
mod model;
mod paths;
mod protect;
mod quota;
mod race;
mod record;
mod reuse;
mod skip;
mod special;
mod unusable;
