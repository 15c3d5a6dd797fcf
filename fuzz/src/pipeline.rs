//! `leasehold.toml`: `leasehold_rules::Pipeline`, and the plan made of it.

use leasehold_lease::{Kind, Rights};
use leasehold_rules::{
    ExitCodes, Lock, LockEntry, Pipeline, Plan, PluginFacts, PluginSource, RulesError, World,
    append_step, plan,
};
use leasehold_seal::{Coded, Digest};

use crate::lease_document;

/// The oracle.
pub fn check(data: &[u8]) {
    let pipeline = match Pipeline::parse(data) {
        Ok(pipeline) => pipeline,
        Err(errors) => return places(data, &errors),
    };
    let mut done = Vec::new();
    for position in pipeline.order() {
        done.push(pipeline.steps()[*position].spec.id.as_str());
        for need in &pipeline.steps()[*position].spec.needs {
            assert!(done.contains(&need.as_str()), "a step before one it needs");
        }
    }
    assert_eq!(done.len(), pipeline.steps().len());
    done.sort_unstable();
    done.dedup();
    assert_eq!(done.len(), pipeline.steps().len());

    appended(data, &pipeline);
    if let Some(lock) = lock(&pipeline)
        && let Ok(plan) = plan(&pipeline, &lock, &facts)
    {
        planned(&plan);
    }
}

/// Problems have a code, a sentence and places within the file.
pub fn places(data: &[u8], errors: &[RulesError]) {
    assert!(!errors.is_empty());
    let lines = data.iter().filter(|byte| **byte == b'\n').count() + 1;
    for error in errors {
        assert!(!error.code().is_empty() && !error.text().is_empty());
        for place in error.places() {
            assert!((1..=lines).contains(&place.line), "line {}", place.line);
            assert!(place.column >= 1 && place.marker.ends_with('^'));
        }
    }
}

/// A copy of the first step under another name goes to the end and changes nothing else.
fn appended(data: &[u8], pipeline: &Pipeline) {
    let Some(first) = pipeline.steps().first() else {
        return;
    };
    let mut copy = first.spec.clone();
    copy.id = "copied-by-the-fuzzer".to_owned();
    copy.needs.clear();
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // It may be too long or one step too many; that is said before anything is returned.
    let Ok(longer) = append_step(text, &copy) else {
        return;
    };
    assert!(longer.starts_with(text));
    let again = Pipeline::parse(longer.as_bytes()).expect("what we write, we read");
    let specs: Vec<_> = again.steps().iter().map(|step| &step.spec).collect();
    let (last, others) = specs.split_last().expect("a step was added");
    assert_eq!(**last, copy);
    assert_eq!(others.len(), pipeline.steps().len());
    let pairs = others.iter().zip(pipeline.steps());
    pairs.for_each(|(after, before)| assert_eq!(**after, before.spec));
}

/// A lease over the plan's own grants allows every step what it wants, and nothing more.
fn planned(plan: &Plan) {
    let Ok(grants) = plan.grants() else {
        return;
    };
    let Some(lease) = lease_document::verified(grants) else {
        return;
    };
    let all = plan
        .under(&lease)
        .expect("the plan's own grants are enough");
    assert_eq!(all.len(), plan.steps().len());
    for (step, rights) in plan.steps().iter().zip(&all) {
        assert!(step.needs.iter().all(|need| *need < step.index));
        assert_eq!(rights.plugin(), step.plugin);
        assert_eq!(rights.kind(), step.kind);
        assert_eq!(rights.limits(), &step.wanted.limits);
        assert!(rights.allows_args(&step.args));
        assert_eq!(rights.files().read, step.wanted.files.read);
        assert_eq!(rights.files().write, step.wanted.files.write);
        assert!(step.kind == Kind::Command || !rights.may_change_anything());
        kept(&step.wanted.files.deny, rights);
        kept(&step.skip, rights);
    }
}

fn kept(rules: &[leasehold_lease::Pattern], rights: &Rights) {
    for rule in rules {
        assert!(rights.files().deny.contains(rule), "{rule} was lost");
    }
}

/// A lock file in which every name stands for something, by its first letter.
fn lock(pipeline: &Pipeline) -> Option<Lock> {
    let mut lock = Lock::default();
    for step in pipeline.steps() {
        let name = step.spec.uses.name();
        lock = lock
            .with(LockEntry {
                name: name.to_owned(),
                version: "0.1.0".to_owned(),
                digest: digest(name),
                source: PluginSource::Builtin,
            })
            .ok()?;
    }
    Some(lock)
}

/// What a plugin is goes by the first byte of its digest, so that the fuzzer meets all kinds.
fn facts(digest: &Digest) -> Option<PluginFacts> {
    let [kind, ..] = *digest.as_bytes();
    let world = match kind % 5 {
        0 | 1 => World::Gate,
        2 | 3 => World::Program,
        _ => World::Adapter,
    };
    let exit = ExitCodes {
        pass: vec![0],
        fail: vec![1, 2],
    };
    Some(PluginFacts {
        digest: *digest,
        name: "plugin".to_owned(),
        version: "0.1.0".to_owned(),
        world,
        complete: kind & 32 != 0,
        takes_config: kind & 64 != 0,
        exit: (world == World::Program && kind & 16 != 0).then_some(exit),
    })
}

/// The names of the seeds' plugins get the kind that their steps need.
fn digest(name: &str) -> Digest {
    let mut bytes = *Digest::of(name.as_bytes()).as_bytes();
    match name {
        "secrets" => bytes[0] = 0,
        "schema" => bytes[0] = 65,
        "md-toc" | "spell" => bytes[0] = 2,
        "judge" => bytes[0] = 18,
        _ => {}
    }
    Digest::from_bytes(bytes)
}
