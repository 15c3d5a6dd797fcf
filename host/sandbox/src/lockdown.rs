//! The limits that the compiling child puts on itself before it reads a byte of the plugin.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Takes from this process what a compiler does not need. Irrevocable.
///
/// After it no file, socket or pipe can be opened: the limit of descriptors is the number of standard streams.
pub(crate) fn lock_down(memory: u64, cpu_seconds: u64) -> Result<(), String> {
    let hard = |value| Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    for (what, limit) in [
        (Resource::Nofile, 3),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::As, memory),
        (Resource::Cpu, cpu_seconds),
    ] {
        setrlimit(what, hard(limit))
            .map_err(|error| format!("the limit {what:?} could not be set: {error}"))?;
    }
    Ok(())
}
