//! What can be known of a plugin without running it: its kind, its imports and its manifest.

use leasehold_seal::{Digest, canonical};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmparser::{ComponentExternalKind, ExternalKind, Parser, Payload};

use crate::compile::{LoadError, PLUGIN_BYTES};

/// The custom section that holds the manifest.
pub const MANIFEST_SECTION: &str = "leasehold:manifest";
/// The largest manifest, in bytes.
const MANIFEST_BYTES: usize = 256 << 10;
/// What a core module may import from: the adapter gives these functions.
pub(crate) const MODULE_IMPORTS: &str = "wasi_snapshot_preview1/";
/// How deep components may nest in what is looked at.
const DEPTH: usize = 16;

/// How the bytes are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// A component.
    Component,
    /// A WASI 0.1 core module, adapted when it is loaded.
    Module,
}

/// How a plugin is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum World {
    /// It exports `leasehold:plugin/gate@0.1`.
    Gate,
    /// It exports `leasehold:plugin/adapter@0.1`.
    Adapter,
    /// It is a program: it exports `wasi:cli/run@0.2`, or `_start`.
    Program,
}

/// What the bytes of a plugin say.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// Digest of the bytes: the plugin's name in every lease.
    pub digest: Digest,
    /// Their number.
    pub size: usize,
    /// How they are encoded.
    pub encoding: Encoding,
    /// How the plugin is called.
    pub world: World,
    /// The names of what it imports, in its own order.
    pub imports: Vec<String>,
    /// What it says about itself, if it says anything.
    pub manifest: Option<Manifest>,
}

/// The custom section `leasehold:manifest`: what a plugin says about itself. It grants nothing.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this form: 1.
    pub manifest: u32,
    /// The plugin's name.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// `gate`, `adapter` or `command`.
    pub kind: String,
    /// One sentence.
    pub summary: String,
    /// Whether a gate claims to have judged everything: it cannot pass on a view from which something was hidden.
    #[serde(default)]
    pub complete: bool,
    /// Whether lines that its findings name may be kept with the record and shown in reports.
    #[serde(default)]
    pub quote: bool,
    /// The rights it would like to have, with reasons.
    #[serde(default)]
    pub wants: Wants,
    /// JSON Schema of its configuration; null where it takes none.
    #[serde(default)]
    pub config: Option<Value>,
    /// The tools of an adapter.
    #[serde(default)]
    pub tools: Vec<Tool>,
    /// For a program that judges: which exit codes mean what.
    #[serde(default)]
    pub exit: Option<ExitCodes>,
}

/// Rights a plugin would like to have.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Wants {
    /// Names it wants to see.
    #[serde(default)]
    pub list: Vec<Want>,
    /// Content it wants to read.
    #[serde(default)]
    pub read: Vec<Want>,
    /// What it wants to change.
    #[serde(default)]
    pub write: Vec<Want>,
    /// Environment variables it wants.
    #[serde(default)]
    pub env: Vec<EnvWant>,
}

/// One wanted pattern.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Want {
    /// A path pattern.
    pub pattern: String,
    /// The reason, for a person.
    pub why: String,
}

/// One wanted environment variable.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EnvWant {
    /// Its name.
    pub name: String,
    /// The reason, for a person.
    pub why: String,
}

/// A tool of an adapter.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// JSON Schema of the arguments.
    pub input: Value,
    /// JSON Schema of the answer.
    pub output: Value,
}

/// Which exit codes of a program that judges mean what. Any other code means that it could not judge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ExitCodes {
    /// Codes that mean pass.
    pub pass: Vec<u8>,
    /// Codes that mean fail.
    pub fail: Vec<u8>,
}

/// Reads a plugin without running any of it.
///
/// # Errors
/// [`LoadError`] when the bytes are no plugin.
pub fn inspect(bytes: &[u8]) -> Result<Facts, LoadError> {
    inspect_known(bytes, Digest::of(bytes))
}

/// [`inspect`] for whoever has computed the digest of these bytes.
///
/// # Errors
/// Those of [`inspect`].
pub fn inspect_known(bytes: &[u8], digest: Digest) -> Result<Facts, LoadError> {
    if bytes.len() > PLUGIN_BYTES {
        return Err(LoadError::TooLarge(bytes.len()));
    }
    let mut scan = Scan::default();
    scan.read(bytes)?;
    let encoding = scan
        .encoding
        .ok_or_else(|| LoadError::NotWasm("it is empty".into()))?;
    let manifest = match (scan.outer_manifest, scan.inner_manifests.as_slice()) {
        (Some(outer), _) => Some(outer),
        (None, []) => None,
        (None, [one]) => Some(*one),
        (None, _) => {
            return Err(LoadError::Manifest(
                "it has several, and none at its top level".into(),
            ));
        }
    };
    if encoding == Encoding::Module {
        let foreign = scan
            .imports
            .iter()
            .find(|name| !name.starts_with(MODULE_IMPORTS));
        if let Some(name) = foreign {
            return Err(LoadError::Import(name.clone()));
        }
    }
    Ok(Facts {
        digest,
        size: bytes.len(),
        encoding,
        world: world(encoding, &scan.exports)?,
        imports: scan.imports,
        manifest: manifest.map(parse_manifest).transpose()?,
    })
}

fn world(encoding: Encoding, exports: &[String]) -> Result<World, LoadError> {
    let has = |prefix: &str| exports.iter().any(|name| name.starts_with(prefix));
    let found = match encoding {
        Encoding::Module => has("_start").then_some(World::Program),
        Encoding::Component if has("leasehold:plugin/gate@0.1.") => Some(World::Gate),
        Encoding::Component if has("leasehold:plugin/adapter@0.1.") => Some(World::Adapter),
        Encoding::Component => has("wasi:cli/run@0.2.").then_some(World::Program),
    };
    found.ok_or_else(|| {
        LoadError::World(if exports.is_empty() {
            "it exports nothing".into()
        } else {
            format!("it exports {}", exports.join(", "))
        })
    })
}

fn parse_manifest(bytes: &[u8]) -> Result<Manifest, LoadError> {
    if bytes.len() > MANIFEST_BYTES {
        return Err(LoadError::Manifest(format!(
            "it has {} bytes, more than {MANIFEST_BYTES}",
            bytes.len()
        )));
    }
    let manifest: Manifest =
        canonical::from_json(bytes).map_err(|error| LoadError::Manifest(error.to_string()))?;
    if manifest.manifest != 1 {
        return Err(LoadError::Manifest(format!(
            "its version is {}, and this host knows 1",
            manifest.manifest
        )));
    }
    Ok(manifest)
}

#[derive(Default)]
struct Scan<'a> {
    encoding: Option<Encoding>,
    imports: Vec<String>,
    exports: Vec<String>,
    outer_manifest: Option<&'a [u8]>,
    inner_manifests: Vec<&'a [u8]>,
}

impl<'a> Scan<'a> {
    fn read(&mut self, bytes: &'a [u8]) -> Result<(), LoadError> {
        let damaged = |error: wasmparser::BinaryReaderError| LoadError::NotWasm(error.to_string());
        // `parse_all` descends into nested modules and components by itself; depth counts where we are.
        let mut depth = 0usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(damaged)? {
                Payload::Version { encoding, .. } if depth == 0 && self.encoding.is_none() => {
                    self.encoding = Some(match encoding {
                        wasmparser::Encoding::Module => Encoding::Module,
                        wasmparser::Encoding::Component => Encoding::Component,
                    });
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                    depth += 1;
                    if depth > DEPTH {
                        return Err(LoadError::NotWasm(format!("it nests deeper than {DEPTH}")));
                    }
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        self.imports
                            .push(import.map_err(damaged)?.name.name.to_owned());
                    }
                }
                Payload::ImportSection(section) if depth == 0 => {
                    for import in section.into_imports() {
                        let import = import.map_err(damaged)?;
                        let name = format!("{}/{}", import.module, import.name);
                        self.imports.push(name);
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        let export = export.map_err(damaged)?;
                        if matches!(export.kind, ComponentExternalKind::Instance) {
                            self.exports.push(export.name.name.to_owned());
                        }
                    }
                }
                Payload::ExportSection(section) if depth == 0 => {
                    for export in section {
                        let export = export.map_err(damaged)?;
                        if matches!(export.kind, ExternalKind::Func) {
                            self.exports.push(export.name.to_owned());
                        }
                    }
                }
                Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                    if depth == 0 {
                        self.outer_manifest = Some(section.data());
                    } else {
                        self.inner_manifests.push(section.data());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
