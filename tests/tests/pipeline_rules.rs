//! Through the binary: files of rules that are wrong, rights that no lease gives, rules that are no plain files or that a
//! plugin tries to write, and adding plugins.

#[path = "pipeline/adding.rs"]
mod adding;
#[path = "pipeline/desk.rs"]
mod desk;
#[path = "pipeline/errors.rs"]
mod errors;
#[path = "pipeline/formats.rs"]
mod formats;
#[path = "pipeline/guard.rs"]
mod guard;
#[path = "pipeline/leases.rs"]
mod leases;
#[path = "pipeline/rights.rs"]
mod rights;
