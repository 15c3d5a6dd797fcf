//! Whole tapes, good and bad, as an auditor meets them.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod builder;
mod cases;
mod leases;
mod real;
mod tamper;
mod vectors;
