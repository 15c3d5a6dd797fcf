//! From rules to a run that can begin: whose lease, which rights for each step, and what is kept where.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use leasehold_lease::{Grant, Here, Rights};
use leasehold_pipeline::{Options, Place, RunSpec, Step};
use leasehold_rules::{Plan, PlannedStep, World, is_local};
use leasehold_sandbox::{ExitCodes, Input};
use leasehold_seal::{Class, Coded, Digest, Envelope, Role, Timestamp, Trust};
use leasehold_tape::run::{PlanDoc, PlanStep, RunStarted};
use leasehold_tape::{Durability, call};

use crate::ambient::{self, Ambient};
use crate::commands::Context;
use crate::failure::{Failure, OrFail};
use crate::home::Home;
use crate::issue::{self, Terms};
use crate::leased::{Brought, Leased, PresentArgs};
use crate::rules::{LEASE_FILE, Plugins, Rules};
use crate::session::Session;
use crate::show;
use crate::standing::HomeStanding;
use crate::ui::Ui;

/// How long before its end a lease is warned of: a week.
const WARN_MS: i64 = 7 * 86_400_000;
/// A day.
const DAY_MS: i64 = 86_400_000;

/// What was asked on the command line about how to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) jobs: Option<u64>,
    pub(crate) fail_fast: bool,
    pub(crate) shadow: bool,
    pub(crate) cache: bool,
}

/// The lease among the rules, or one that the run signs for itself where its rights are within the policy `local`.
///
/// # Errors
/// `LEASE-NEEDED`, those of issuing and of [`leasehold_lease::verify`].
pub(crate) fn lease(
    rules: &Rules,
    plan: &Plan,
    present: &PresentArgs,
    session: &Session,
    context: &Context,
) -> Result<Leased, Failure> {
    let now = context.ambient.now();
    let Some(chain) = &rules.lease else {
        let own = Brought::own(sign_own(plan, session, now)?);
        let leased = verified(own, &session.trust, &session.standing, &session.here(now))?;
        rules.check_lease(leased.verified.document())?;
        return Ok(leased);
    };
    let brought = Brought {
        chain: chain.clone(),
        presentation: present.of(chain, session, context)?,
        own: false,
    };
    let leased = verified(brought, &rules.trust, &session.standing, &session.here(now))?;
    rules.check_lease(leased.verified.document())?;
    Ok(leased)
}

/// A lease for ten minutes, signed by the key of this home.
fn sign_own(plan: &Plan, session: &Session, now: Timestamp) -> Result<Envelope, Failure> {
    let grants = local(plan)?;
    let key = issue::issuer(session, None, now).map_err(|missing| {
        needed(format!(
            "there is no {LEASE_FILE}, and {}",
            missing.sentence
        ))
    })?;
    let terms = Terms::here(session, issue::LOCAL_EXPIRY);
    let document = issue::document(key.id, terms, grants, now)?;
    issue::issue(session, document, &key, true).map(|issued| issued.envelope)
}

fn needed(sentence: String) -> Failure {
    Failure::new("LEASE-NEEDED", Class::Refused, sentence)
        .hint("`leasehold approve` shows the rights and signs a lease for them")
}

/// The grants of a plan that is within the policy `local`.
fn local(plan: &Plan) -> Result<Vec<Grant>, Failure> {
    let grants = plan.grants().or_fail()?;
    let wide: Vec<String> = plan
        .steps()
        .iter()
        .filter_map(|step| Some((step, is_local(&step.wanted).err()?)))
        .flat_map(|(step, wide)| {
            let line = |(key, why): (&str, String)| {
                format!("{} {why} (leasehold.toml:{})", step.id, step.line_of(key))
            };
            wide.into_iter().map(line).collect::<Vec<_>>()
        })
        .collect();
    if !wide.is_empty() {
        let sentence =
            "a run allows itself nothing but listing and reading, and the pipeline wants more";
        let failure = needed(sentence.to_owned());
        return Err(wide.into_iter().fold(failure, Failure::detail));
    }
    Ok(grants)
}

/// Whether a run of this plan would be allowed to begin; signs and records nothing.
///
/// # Errors
/// What the run would be refused with.
pub(crate) fn would_fit(
    rules: &Rules,
    plan: &Plan,
    home: &Home,
    context: &Context,
) -> Result<(), Failure> {
    let now = context.ambient.now();
    let Some(envelopes) = &rules.lease else {
        local(plan)?;
        let key = home.key_with(Role::Issuer, &home.trust()?, now)?;
        return match key {
            Some(_) => Ok(()),
            None => Err(needed(format!(
                "there is no {LEASE_FILE}, and none of the keys in the home has the role issuer now"
            ))),
        };
    };
    let trust = home.trust()?;
    let host = home.host_key(&trust, now)?.public().key_id();
    let here = Here::new(host, now).on(home.tape_id());
    let brought = Brought {
        chain: envelopes.clone(),
        presentation: None,
        own: false,
    };
    let revokers = if rules.trust.revocation().required {
        &rules.trust
    } else {
        &trust
    };
    let standing = HomeStanding::new(home, revokers.clone());
    let leased = verified(brought, &rules.trust, &standing, &here)?;
    rules.check_lease(leased.verified.document())?;
    rights(plan, &leased).map(drop)
}

fn verified(
    brought: Brought,
    trust: &Trust,
    standing: &HomeStanding,
    here: &Here<'_>,
) -> Result<Leased, Failure> {
    let verified = brought.verify(trust, standing, here);
    verified.map_err(|failure| match failure.code.as_str() {
        "LEASE-EXPIRED" => failure.hint("renew it with `leasehold approve`"),
        "LEASE-UNTRUSTED" | "KEY-UNTRUSTED" | "SIGNATURE-THRESHOLD" => failure.hint(
            "sign it here with `leasehold approve`, or take rules and trust from a commit: `leasehold run --rules origin/main`",
        ),
        _ => failure,
    })
}

/// The rights of each step under a lease.
///
/// # Errors
/// The first right that is too wide, with all others in the details.
pub(crate) fn rights(plan: &Plan, leased: &Leased) -> Result<Vec<Rights>, Failure> {
    plan.under(&leased.verified).map_err(|excess| {
        let Some((first, _)) = excess.split_first() else {
            return Failure::new("RIGHTS-WIDER", Class::Refused, "the lease does not fit");
        };
        let count = excess.len();
        let sentence = match count {
            1 => format!("the lease does not allow what the pipeline wants: {first}"),
            _ => format!("the lease does not allow {count} things that the pipeline wants"),
        };
        let failure = Failure::new(first.code(), Class::Refused, sentence);
        let lines = excess.iter().map(|excess| {
            format!(
                "{} wants {} (leasehold.toml:{})",
                excess.step, excess.right, excess.line
            )
        });
        lines
            .fold(failure, Failure::detail)
            .hint("ask for less, or have the change approved: `leasehold approve`")
    })
}

/// Keeps the lease of a run, so that whoever reads the tape can see what was allowed.
pub(crate) fn record_lease(
    leased: &Leased,
    rules: &Rules,
    session: &Session,
) -> Result<(), Failure> {
    let other = rules.other_trust.as_deref().filter(|_| !leased.own());
    leased.record(other, session)
}

/// Something to say about a lease that ends soon.
pub(crate) fn expiry_warning(leased: &Leased, now: Timestamp) -> Option<Failure> {
    let left = leased.expires().millis_since(now);
    if leased.own() || left > WARN_MS {
        return None;
    }
    let sentence = match left / DAY_MS {
        0 => format!("the lease ends at {}", leased.expires()),
        1 => "the lease ends in a day".to_owned(),
        days => format!("the lease ends in {days} days"),
    };
    Some(
        Failure::new("LEASE-EXPIRES", Class::Refused, sentence)
            .hint("renew it with `leasehold approve`"),
    )
}

/// Everything a run needs to begin; its plan goes to the store.
pub(crate) fn spec(
    rules: &Rules,
    (plan, plugins, rights): (&Plan, Plugins, Vec<Rights>),
    leased: &Leased,
    session: &Session,
    (wish, base): (Wish, Option<String>),
    context: &Context,
) -> Result<RunSpec, Failure> {
    let now = context.ambient.now();
    let mut random = [0; 10];
    ambient::random(&mut random).map_err(|error| {
        Failure::new(
            "RANDOM-FAULT",
            Class::Fault,
            format!("no random bytes: {error}"),
        )
    })?;
    let document = plan_document(plan, &rights);
    let json = serde_json::to_vec(&document)
        .map_err(|error| Failure::new("FAULT", Class::Fault, error.to_string()))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let started = RunStarted {
        base,
        cache: wish.cache,
        jobs: wish.jobs.unwrap_or(cores as u64).max(1),
        leases: vec![leased.verified.id()],
        lock: rules.lock_digest,
        pipeline: rules.pipeline.digest(),
        plan: session
            .store()
            .put_with(&json, Durability::Written)
            .or_fail()?,
        policy: rules.policy.as_ref().map(|(_, digest)| *digest),
        rules: rules.source.from(),
        run: call::new_call_id(now, random),
        shadow: wish.shadow,
        steps: plan.steps().len() as u64,
        // What a run signs for itself is verified by the trust file of the home, wherever the rules are from.
        trust: if leased.own() {
            session.home.trust_digest()?
        } else {
            rules.trust_digest
        },
    };
    let steps = plan.steps().iter().zip(rights);
    let steps: Vec<Step> = steps
        .map(|(step, rights)| self::step(step, rights))
        .collect();
    Ok(RunSpec {
        started,
        order: (0..steps.len()).collect(),
        steps,
        plugins: plugins.into_all(),
        environment: context.ambient.environment(),
        clock_base: day(now),
        options: Options {
            fail_fast: wish.fail_fast,
            halt: *plan.sentinel(),
        },
    })
}

/// Midnight: guests are told the day and not the hour, so that what they find holds for the day.
fn day(now: Timestamp) -> Timestamp {
    let past = now.as_millis().rem_euclid(DAY_MS);
    now.checked_add_millis(-past).unwrap_or(now)
}

fn step(step: &PlannedStep, rights: Rights) -> Step {
    Step {
        id: step.id.clone(),
        rights,
        input: match step.world {
            World::Gate => Input::Check {
                config: step.config.as_ref().map(|config| config.text().to_owned()),
                changed: None,
            },
            World::Program | World::Adapter => Input::Run {
                args: step.args.clone(),
                stdin: Vec::new(),
            },
        },
        exit: step.exit.as_ref().map(|exit| ExitCodes {
            pass: exit.pass.clone(),
            fail: exit.fail.clone(),
        }),
        skip: step.skip.clone(),
        needs: step.needs.clone(),
        cache: step.cache,
    }
}

/// The plan as the tape keeps it.
fn plan_document(plan: &Plan, rights: &[Rights]) -> PlanDoc {
    let id = |index: &usize| plan.steps().get(*index).map(|step| step.id.clone());
    let steps = plan
        .steps()
        .iter()
        .zip(rights)
        .map(|(step, rights)| PlanStep {
            config: step.config.as_ref().map(|config| config.digest()),
            id: step.id.clone(),
            kind: step.kind.to_string(),
            line: step.line as u64,
            name: step.plugin_name.clone(),
            needs: step.needs.iter().filter_map(id).collect(),
            plugin: step.plugin,
            rights: rights.digest(),
            rights_text: lines(step),
            skip: step.skip.iter().map(ToString::to_string).collect(),
            writes: step.writes,
        });
    PlanDoc {
        steps: steps.collect(),
        version: 1,
    }
}

/// What a step gets, a line each, and where it stands. All limits share a line.
pub(crate) fn lines(step: &PlannedStep) -> Vec<String> {
    let at = |line: Option<usize>| match line {
        Some(line) => format!("(leasehold.toml:{line})"),
        None => "(default)".to_owned(),
    };
    let mut lines: Vec<String> = Vec::new();
    let mut stated = None;
    for line in step.describe() {
        if line.key.starts_with("limits") {
            stated = stated.or(line.line);
        } else {
            lines.push(format!("{:<8} {} {}", line.key, line.value, at(line.line)));
        }
    }
    let limits = show::limits(&step.wanted.limits);
    lines.push(format!("{:<8} {limits} {}", "limits", at(stated)));
    lines
}

/// Identifies a workspace among those of this home.
pub(crate) fn workspace_id(root: &Path) -> Digest {
    Digest::of(root.as_os_str().as_encoded_bytes())
}

/// Names this build of Leasehold: a result of another one may rest on a flaw that was mended.
pub(crate) fn build(ambient: &Ambient) -> String {
    use std::os::unix::fs::MetadataExt;
    let file = fs::metadata(ambient.program()).ok();
    let file = file.map(|info| (info.size(), info.mtime(), info.mtime_nsec()));
    format!(
        "{} {:?}",
        env!("CARGO_PKG_VERSION"),
        file.unwrap_or_default()
    )
}

/// Where a run keeps what it needs on the way, and the holds on it: as long as they live nobody removes step trees, and a run that
/// changes the workspace is alone in it. `changes`: this one does.
pub(crate) fn place(
    home: &Home,
    root: &Path,
    changes: bool,
    ui: &Ui,
) -> Result<(Place, [File; 2]), Failure> {
    let below = |name: &str| -> Result<PathBuf, Failure> {
        let folder = home.folder().join(name);
        crate::home::make_private(&folder)
            .map_err(|error| Failure::writing("folder", &folder, &error))?;
        Ok(folder)
    };
    let hex = workspace_id(root).hex();
    let name = hex.get(..32).unwrap_or(&hex);
    let scratch = below("scratch")?;
    let journals = below("journals")?;
    let failed = |error: io::Error| Failure::writing("folder", &scratch, &error);
    let turn = turn(&journals.join(format!("{name}.lock")), changes, ui).map_err(failed)?;
    let hold = hold(&scratch).map_err(failed)?;
    let place = Place {
        journal: journals.join(name),
        scratch,
    };
    Ok((place, [turn, hold]))
}

/// Waits until no other run changes the workspace, and, for one that does, until there is no other run in it.
fn turn(path: &Path, changes: bool, ui: &Ui) -> io::Result<File> {
    let lock = lock_file(path)?;
    let got = if changes {
        lock.try_lock()
    } else {
        lock.try_lock_shared()
    };
    if got.is_err() {
        ui.talk("another run is at work in this workspace; waiting for it");
        if changes {
            lock.lock()?;
        } else {
            lock.lock_shared()?;
        }
    }
    Ok(lock)
}

fn lock_file(path: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
}

/// Takes part in the use of the folder of step trees. Whoever is alone there removes what killed runs have left.
fn hold(scratch: &Path) -> io::Result<File> {
    let lock = lock_file(&scratch.join(".lock"))?;
    if lock.try_lock().is_ok() {
        for entry in fs::read_dir(scratch)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with("step-") {
                // What cannot be removed now is in nobody's way.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        lock.unlock()?;
    }
    lock.lock_shared()?;
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_trees_of_killed_runs_are_removed_and_those_in_use_stay() {
        let scratch = tempfile::tempdir().unwrap();
        let tree = |name: &str| {
            let tree = scratch.path().join(name);
            fs::create_dir(&tree).unwrap();
            tree
        };
        let left = tree("step-1");
        let first = hold(scratch.path()).unwrap();
        assert!(!left.exists());
        let used = tree("step-2");
        let second = hold(scratch.path()).unwrap();
        assert!(used.exists());
        drop((first, second));
        drop(hold(scratch.path()).unwrap());
        assert!(!used.exists());
    }
}
