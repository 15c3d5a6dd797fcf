//! WASI 0.1 core modules become WASI 0.2 components.
//!
//! The usual adapter knows only success and failure of an exit, so that every code but 0 would arrive as 1, and a checker that
//! exits with 2 for "could not judge" would read as 1 for "bad". So `proc_exit` is renamed before adapting: the module
//! then imports WASI 0.2's `exit-with-code` itself, which has the same form.

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{ImportSection, Module, RawSection};
use wasmparser::{Parser, Payload};
use wasmtime::Error;
use wit_parser::Resolve;

/// The import to be renamed, and what it becomes.
const EXIT: (&str, &str) = ("wasi_snapshot_preview1", "proc_exit");
const EXIT_WITH_CODE: (&str, &str) = ("wasi:cli/exit@0.2.12", "exit-with-code");
/// What tells the encoder about the new import.
const EXIT_WORLD: &str = "package wasi:cli@0.2.12;
interface exit { exit-with-code: func(status-code: u8); }
world leaving { import exit; }";

/// Adapts a module.
pub(crate) fn adapt(module: &[u8]) -> wasmtime::Result<Vec<u8>> {
    use wasi_preview1_component_adapter_provider::{
        WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as NAME,
        WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND,
    };
    let renamed = keep_exit_codes(module)?;
    let encoded = wit_component::ComponentEncoder::default()
        .validate(true)
        .module(&renamed)
        .and_then(|encoder| encoder.adapter(NAME, COMMAND))
        .and_then(|mut encoder| encoder.encode());
    encoded.map_err(|error| Error::msg(format!("{error:#}")))
}

/// The module with its exit renamed; the same bytes where it has none.
fn keep_exit_codes(module: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let mut out = Module::new();
    let mut exits = false;
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                let mut imports = ImportSection::new();
                for import in section.into_imports() {
                    let import = import?;
                    let mut name = (import.module, import.name);
                    if name == EXIT {
                        name = EXIT_WITH_CODE;
                        exits = true;
                    }
                    let ty = RoundtripReencoder
                        .entity_type(import.ty)
                        .map_err(|error| Error::msg(error.to_string()))?;
                    imports.import(name.0, name.1, ty);
                }
                out.section(&imports);
            }
            payload => {
                if let Some((id, range)) = payload.as_section()
                    && let Some(data) = module.get(range)
                {
                    out.section(&RawSection { id, data });
                }
            }
        }
    }
    if !exits {
        return Ok(module.to_vec());
    }
    let mut bytes = out.finish();
    let mut described = || {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("exit.wit", EXIT_WORLD)?;
        let world = resolve.select_world(&[package], None)?;
        let encoding = wit_component::StringEncoding::UTF8;
        wit_component::embed_component_metadata(&mut bytes, &resolve, world, encoding)
    };
    described().map_err(|error| Error::msg(format!("{error:#}")))?;
    Ok(bytes)
}
