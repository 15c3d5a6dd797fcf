//! Using an earlier outcome again: what decides a result beside the files, and admission without a call.

use leasehold_lease::Rights;
use leasehold_seal::{Digest, Timestamp, canonical};
use leasehold_tape::run::CacheHit;
use leasehold_tape::{Appended, Draft, Durability, Kind};
use serde::Serialize;

use crate::admission::{AdmitError, check, only, seed_of, still_good, unfit, when};
use crate::engine::Engine;
use crate::inspect::{ExitCodes, Facts};
use crate::spec::{CallSpec, Recorder, given};

/// What decides a result, but for the files and, where the guest looks at it, the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallKey {
    /// Digest over plugin, engine, host version, rights, what the guest is given, exit codes, skips and seed.
    pub digest: Digest,
    /// Where the guest's clock would start.
    pub clock_base: Timestamp,
}

/// The outcome of an earlier call that is to count.
#[derive(Clone, Debug)]
pub struct Original {
    /// The call.
    pub call: String,
    /// Number of its outcome's record.
    pub seq: u64,
    /// Leaf of that record.
    pub leaf: Digest,
    /// Digest of the read set that was found unchanged.
    pub reads: Digest,
}

/// Whether what a call under these rights came to can stand for a later one: it changes nothing, asks nobody, knows no secret, and is
/// not counted.
#[must_use]
pub fn is_reusable(rights: &Rights) -> bool {
    !rights.has_effects() && rights.budgets().is_empty()
}

/// The key under which the result of this call can be kept. `host` names the build of the host: another one may judge otherwise.
///
/// # Errors
/// None that is known: everything in it can be written.
pub fn call_key(
    engine: &Engine,
    plugin: &Digest,
    rights: &Rights,
    spec: &CallSpec,
    recorder: &Recorder,
    host: &str,
) -> Result<CallKey, AdmitError> {
    #[derive(Serialize)]
    struct Key<'a> {
        engine: Digest,
        exit: &'a Option<ExitCodes>,
        given: Digest,
        host: &'a str,
        plugin: Digest,
        rights: Digest,
        seed: Digest,
        skip: Vec<String>,
    }
    let given = given(spec, rights);
    let key = Key {
        engine: engine.id(),
        exit: &spec.exit,
        given: Digest::of(&given),
        host,
        plugin: *plugin,
        rights: rights.effect_digest()?,
        seed: Digest::from_bytes(seed_of(spec, rights, &given)),
        skip: spec.skip.iter().map(ToString::to_string).collect(),
    };
    let json = canonical::to_vec(&key).map_err(leasehold_tape::TapeError::from)?;
    Ok(CallKey {
        digest: Digest::of(&json),
        clock_base: when(spec, recorder.clock.now()),
    })
}

/// Admits the use of an earlier outcome in place of a call: the rights are checked as for a call, and the use is recorded
/// (`cache.hit`). Nothing runs, so nothing is charged.
///
/// The plugin's schemas are not asked: they decide by plugin and configuration, which are those of the original.
///
/// The caller has found out that a call with this key would read what the original read.
///
/// # Errors
/// Those of [`admit`](crate::admit); a refusal is recorded.
pub fn admit_hit(
    plugin: &Facts,
    rights: &Rights,
    spec: &CallSpec,
    recorder: &Recorder,
    key: &CallKey,
    original: &Original,
) -> Result<Appended, AdmitError> {
    crate::admission::or_record(rights, recorder, || {
        check(plugin, rights, spec, recorder.clock.now())?;
        if !is_reusable(rights) {
            return unfit(
                "REUSE-UNFIT",
                "what this call comes to cannot stand for a later one".into(),
                "make the call",
            );
        }
        let (run, step) = spec.run.clone().unwrap_or_default();
        let body = CacheHit {
            grant: rights.grant().to_owned(),
            key: key.digest,
            lease: rights.chain().to_vec(),
            original: original.call.clone(),
            outcome: original.leaf,
            plugin: rights.plugin(),
            reads: original.reads,
            rights: rights.digest(),
            run,
            seq: original.seq,
            step,
        };
        let draft = Draft::sorted(Kind::CacheHit, &body)?;
        let appended = recorder.tape.append_checked(
            |tape| {
                still_good(rights, recorder, tape)?;
                Ok::<_, AdmitError>(vec![draft])
            },
            Durability::Synced,
        )?;
        Ok(only(appended)?)
    })
}
