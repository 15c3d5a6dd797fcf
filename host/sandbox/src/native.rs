//! The one place with `unsafe`: native code that came out of our cache or our compiler becomes a component.
#![expect(
    unsafe_code,
    reason = "wasmtime cannot check native code; see the safety comment"
)]

use wasmtime::Engine;
use wasmtime::component::Component;

/// Makes a component of native code.
///
/// `code` has to be what our own compiling child answered with, or an entry of our cache whose MAC over exactly these bytes
/// was checked. wasmtime itself rejects code of another version or other settings.
pub(crate) fn component(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize` asks that the bytes come from `Engine::precompile_component`, unmodified. The callers (both in
    // `engine.rs`) pass the answer of the compiling child through a pipe, or the very buffer whose MAC was verified.
    unsafe { Component::deserialize(engine, code) }
}
