//! The interfaces of `wit/0.1` as the generator writes them; `tests/bindings.rs` keeps them so.
#![expect(unsafe_code, unreachable_pub, reason = "generated")]
#![expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::panic,
    clippy::unwrap_used,
    reason = "generated"
)]

pub mod adapter_plugin;
pub mod exit_codes;
pub mod gate_plugin;
