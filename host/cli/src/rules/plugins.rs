//! The plugins that the steps of a pipeline name: their bytes, held to the digests of the lock.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use leasehold_rules::{Lock, LockEntry, Pipeline, PluginFacts, PluginSource, World};
use leasehold_sandbox::{Facts, PLUGIN_BYTES};
use leasehold_seal::{Class, Digest};

use super::Source;
use crate::builtin::{self, Builtin};
use crate::failure::{Failure, OrFail};

/// Plugins by digest.
#[derive(Debug, Default)]
pub(crate) struct Plugins(BTreeMap<Digest, (Cow<'static, [u8]>, Facts)>);

impl Plugins {
    /// Reads those that steps name.
    pub(super) fn read(source: &Source, lock: &Lock, pipeline: &Pipeline) -> Result<Self, Failure> {
        let mut plugins = Plugins::default();
        for step in pipeline.steps() {
            let Some(entry) = lock.get(step.spec.uses.name()) else {
                continue;
            };
            if let Entry::Vacant(place) = plugins.0.entry(entry.digest) {
                place.insert(plugin(source, entry)?);
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

    /// The bytes and what they say, by digest.
    pub(crate) fn into_all(self) -> BTreeMap<Digest, (Cow<'static, [u8]>, Facts)> {
        self.0
    }
}

/// A plugin's bytes and what they say; they are what the lock names or nothing.
fn plugin(source: &Source, entry: &LockEntry) -> Result<(Cow<'static, [u8]>, Facts), Failure> {
    let name = &entry.name;
    let bytes: Cow<'static, [u8]> = match &entry.source {
        PluginSource::Builtin => {
            // By its name nearly always; only one that goes by another has to be looked for.
            let same = |builtin: &Builtin| builtin.digest() == entry.digest;
            let found = builtin::named(name).filter(same);
            let found = found.or_else(|| builtin::ALL.into_iter().find(same));
            found.map(|builtin| builtin.bytes.into()).ok_or_else(|| {
                let sentence = format!(
                    "the plugin {name} ({}) does not come along with this version of Leasehold",
                    entry.digest
                );
                Failure::new("PLUGIN-MISSING", Class::Blocked, sentence).hint(format!(
                    "use the version it was added with, or take the one of this version: `leasehold plugin add {name}`"
                ))
            })?
        }
        PluginSource::Path(path) => source
            .read(path.as_str(), PLUGIN_BYTES as u64)?
            .ok_or_else(|| {
                let sentence = format!("the plugin {name} is not at {path} in {}", source.words());
                Failure::new("PLUGIN-MISSING", Class::Blocked, sentence).hint(format!(
                    "put it there, or add it again: `leasehold plugin add {path}`"
                ))
            })?
            .into(),
    };
    let found = Digest::of(&bytes);
    if found != entry.digest {
        let sentence = format!(
            "the plugin {name} is not the one that {} names",
            super::LOCK_FILE
        );
        return Err(Failure::new("PLUGIN-MISMATCH", Class::Integrity, sentence)
            .detail(format!("locked  {}", entry.digest))
            .detail(format!("found   {found}"))
            .hint("find out who changed it; if it is meant to be another one, add it again with `leasehold plugin add`"));
    }
    let facts = leasehold_sandbox::inspect_known(&bytes, found)
        .or_fail()
        .map_err(|failure| failure.detail(format!("the plugin is {name}")))?;
    Ok((bytes, facts))
}
