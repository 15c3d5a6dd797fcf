//! Bytes that are not loaded, so that nothing of them ever runs.

use leasehold_sandbox::PLUGIN_BYTES;
use leasehold_seal::Coded;

use super::hosts::Hosts;
use super::{Entry, Got, Kind, THROUGH};
use crate::rig::{Fault, plugin_bytes};

pub(super) fn entries() -> Vec<Entry> {
    let mut entries = Vec::new();
    for (name, attacks, expected) in [
        (
            "unknown-import",
            "imports a function nobody has",
            "PLUGIN-IMPORT",
        ),
        ("future-wasi", "imports a later WASI", "PLUGIN-IMPORT"),
        (
            "unknown-module-import",
            "a core module that imports what nobody has",
            "PLUGIN-IMPORT",
        ),
        (
            "shared-memory",
            "shares its memory, to race with itself",
            "PLUGIN-COMPILE",
        ),
        (
            "relaxed-simd",
            "an instruction that differs between machines",
            "PLUGIN-COMPILE",
        ),
        ("no-entry", "has nothing to call", "PLUGIN-WORLD"),
        (
            "no-start",
            "a core module with nothing to call",
            "PLUGIN-WORLD",
        ),
        (
            "bad-manifest",
            "a manifest that is no JSON",
            "MANIFEST-FORMAT",
        ),
        (
            "two-manifests",
            "two manifests, to be read differently by different readers",
            "MANIFEST-FORMAT",
        ),
    ] {
        let twin = if name == "relaxed-simd" {
            "hostile/no-relaxed-simd"
        } else {
            "hostile/no-imports"
        };
        let bytes = move || plugin_bytes(&format!("hostile/{name}")).map_err(Fault::from);
        entries.push(loading(
            format!("wat/{name}"),
            attacks,
            expected,
            twin,
            bytes,
        ));
    }
    entries.push(loading(
        "bytes/empty".into(),
        "nothing at all",
        "PLUGIN-FORMAT",
        "hello",
        || Ok(Vec::new()),
    ));
    entries.push(loading(
        "bytes/script".into(),
        "a shell script",
        "PLUGIN-FORMAT",
        "hello",
        || Ok(b"#!/bin/sh\nexit 0\n".to_vec()),
    ));
    entries.push(loading(
        "bytes/native".into(),
        "a program for this machine",
        "PLUGIN-FORMAT",
        "hello",
        || Ok(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec()),
    ));
    entries.push(loading(
        "bytes/version".into(),
        "a version nobody knows",
        "PLUGIN-FORMAT",
        "hello",
        || Ok(b"\0asm\x09\0\0\0".to_vec()),
    ));
    entries.push(loading(
        "bytes/trailing".into(),
        "a sound plugin with something behind it",
        "PLUGIN-FORMAT",
        "hello",
        || {
            let mut bytes = plugin_bytes("hello")?;
            bytes.extend_from_slice(b"and more");
            Ok(bytes)
        },
    ));
    entries.push(loading(
        "bytes/too-large".into(),
        "more bytes than a plugin may have",
        "PLUGIN-TOO-LARGE",
        "hello",
        || Ok(vec![0; PLUGIN_BYTES + 1]),
    ));
    entries
}

fn loading(
    name: String,
    attacks: &str,
    expected: &str,
    twin: &'static str,
    bytes: impl Fn() -> Result<Vec<u8>, Fault> + 'static,
) -> Entry {
    Entry {
        name,
        kind: Kind::Guest,
        attacks: attacks.into(),
        expected: expected.into(),
        run: Box::new(move |hosts| {
            Ok(Got {
                code: load(hosts, &bytes()?)?,
                twin: load(hosts, &plugin_bytes(twin)?)?,
            })
        }),
    }
}

fn load(hosts: &mut Hosts, bytes: &[u8]) -> Result<String, Fault> {
    let loaded = hosts.of("hello")?.rig.engine.load(bytes);
    Ok(loaded
        .map_or_else(|error| error.code(), |_plugin| THROUGH)
        .into())
}
