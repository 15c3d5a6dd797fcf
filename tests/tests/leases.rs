//! Leases through the binary: whose signatures count, who holds them, what is handed on, revoked, counted, bounded and imported.
//! Each refusal by its code and exit code, on the tape, and beside a twin that is allowed.

#[path = "leases/budgets.rs"]
mod budgets;
#[path = "leases/holder.rs"]
mod holder;
#[path = "leases/house.rs"]
mod house;
#[path = "leases/imported.rs"]
mod imported;
#[path = "leases/narrowing.rs"]
mod narrowing;
#[path = "leases/policy.rs"]
mod policy;
#[path = "leases/revocation.rs"]
mod revocation;
#[path = "leases/trust.rs"]
mod trust;
