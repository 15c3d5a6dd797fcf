//! Whole tapes, good and bad, as an auditor meets them.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod builder;
mod cases;
mod chains;
mod leases;
mod lists;
mod real;
mod requests;
mod scene;
mod tamper;
mod trusts;
mod vectors;
