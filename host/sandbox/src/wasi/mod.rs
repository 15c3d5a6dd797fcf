//! The host functions that a guest may import.
//!
//! All of them are ours, for three reasons: each one takes fuel from inside the call, nothing in them waits (so a call is
//! deterministic and needs no runtime), and files are decided on by the lease. HTTP alone is another library's behind our
//! prices and decisions, and does wait.
#![expect(
    unreachable_pub,
    reason = "the generated bindings hand the types of resources on, so these have to be `pub`"
)]

pub(crate) mod bindings;
pub(crate) mod cli;
pub(crate) mod clocks;
pub(crate) mod filesystem;
pub(crate) mod http;
pub(crate) mod io;
pub(crate) mod plugin;
pub(crate) mod poll;
pub(crate) mod random;
pub(crate) mod workspace;

use wasmtime::component::{Access, HasSelf};

use crate::limits::{FUEL_BYTE, FUEL_CALL, FUEL_SYSTEM, burn};
use crate::state::CallState;

/// How the generated traits find our data in the store.
pub(crate) type Host = HasSelf<CallState>;

/// The store as a host function sees it.
pub(crate) type Door<'a> = Access<'a, CallState, Host>;

/// Takes fuel for one host call and looks at the deadline.
pub(crate) fn enter(door: &mut Door<'_>) -> wasmtime::Result<()> {
    enter_with(door, 0)
}

/// [`enter`] for a call that hands over `bytes` bytes.
pub(crate) fn enter_with(door: &mut Door<'_>, bytes: usize) -> wasmtime::Result<()> {
    door.get().deadline.check()?;
    let left = burn(
        door,
        FUEL_CALL.saturating_add(FUEL_BYTE.saturating_mul(bytes as u64)),
    )?;
    door.get().note_fuel(left);
    Ok(())
}

/// [`enter_with`] for a call that also asks the operating system.
pub(crate) fn enter_system(door: &mut Door<'_>, bytes: usize) -> wasmtime::Result<()> {
    enter_with(door, bytes)?;
    burn(door, FUEL_SYSTEM).map(drop)
}

/// Takes fuel for bytes that the guest is about to get.
pub(crate) fn burn_bytes(door: &mut Door<'_>, bytes: usize) -> wasmtime::Result<()> {
    burn(door, FUEL_BYTE.saturating_mul(bytes as u64)).map(drop)
}
