//! The plugins that the steps of a pipeline name: their bytes, held to the digests of the lock.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use leasehold_rules::{Lock, LockEntry, Pipeline, PluginFacts, PluginSource, World};
use leasehold_sandbox::{Facts, PLUGIN_BYTES};
use leasehold_seal::{Class, Digest};

use super::Source;
use crate::builtin;
use crate::failure::{Failure, OrFail};

/// Plugins by digest.
#[derive(Debug, Default)]
pub(crate) struct Plugins(BTreeMap<Digest, (Vec<u8>, Facts)>);

impl Plugins {
    /// Reads those that steps name.
    pub(super) fn read(source: &Source, lock: &Lock, pipeline: &Pipeline) -> Result<Self, Failure> {
        let mut plugins = Plugins::default();
        for step in pipeline.steps() {
            let Some(entry) = lock.get(step.spec.uses.name()) else {
                continue;
            };
            if let Entry::Vacant(place) = plugins.0.entry(entry.digest) {
                let bytes = bytes(source, entry)?;
                let facts = leasehold_sandbox::inspect(&bytes)
                    .or_fail()
                    .map_err(|failure| failure.detail(format!("the plugin is {}", entry.name)))?;
                place.insert((bytes, facts));
            }
        }
        Ok(plugins)
    }

    /// What a plan has to know of one.
    pub(super) fn facts(&self, digest: &Digest) -> Option<PluginFacts> {
        let (_, facts) = self.0.get(digest)?;
        let manifest = facts.manifest.as_ref();
        Some(PluginFacts {
            digest: *digest,
            name: manifest.map_or_else(|| "plugin".to_owned(), |manifest| manifest.name.clone()),
            version: manifest.map_or_else(|| "0".to_owned(), |manifest| manifest.version.clone()),
            world: match facts.world {
                leasehold_sandbox::World::Gate => World::Gate,
                leasehold_sandbox::World::Adapter => World::Adapter,
                leasehold_sandbox::World::Program => World::Program,
            },
            complete: manifest.is_some_and(|manifest| manifest.complete),
            takes_config: manifest.is_some_and(|manifest| manifest.config.is_some()),
            exit: manifest
                .and_then(|manifest| manifest.exit.as_ref())
                .map(|exit| leasehold_rules::ExitCodes {
                    fail: exit.fail.clone(),
                    pass: exit.pass.clone(),
                }),
        })
    }

    /// The bytes, by digest.
    pub(crate) fn into_bytes(self) -> BTreeMap<Digest, Vec<u8>> {
        let bytes = self.0.into_iter();
        bytes.map(|(digest, (bytes, _))| (digest, bytes)).collect()
    }
}

/// The bytes of a plugin, which are what the lock says or nothing.
fn bytes(source: &Source, entry: &LockEntry) -> Result<Vec<u8>, Failure> {
    let name = &entry.name;
    let bytes = match &entry.source {
        PluginSource::Builtin => builtin::ALL
            .iter()
            .find(|builtin| builtin.digest() == entry.digest)
            .map(|builtin| builtin.bytes.to_vec())
            .ok_or_else(|| {
                let sentence = format!(
                    "the plugin {name} ({}) does not come along with this version of Leasehold",
                    entry.digest
                );
                Failure::new("PLUGIN-MISSING", Class::Blocked, sentence).hint(format!(
                    "use the version it was added with, or take the one of this version: `leasehold plugin add {name}`"
                ))
            })?,
        PluginSource::Path(path) => source
            .read(path.as_str(), PLUGIN_BYTES as u64)?
            .ok_or_else(|| {
                let sentence = format!("the plugin {name} is not at {path} in {}", source.words());
                Failure::new("PLUGIN-MISSING", Class::Blocked, sentence)
                    .hint(format!("put it there, or add it again: `leasehold plugin add {path}`"))
            })?,
    };
    let digest = Digest::of(&bytes);
    if digest == entry.digest {
        return Ok(bytes);
    }
    let sentence = format!(
        "the plugin {name} is not the one that {} names",
        super::LOCK_FILE
    );
    Err(Failure::new("PLUGIN-MISMATCH", Class::Integrity, sentence)
        .detail(format!("locked  {}", entry.digest))
        .detail(format!("found   {digest}"))
        .hint("find out who changed it; if it is meant to be another one, add it again with `leasehold plugin add`"))
}
