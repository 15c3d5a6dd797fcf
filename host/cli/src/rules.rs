//! The rules of a run: pipeline, lock, lease, policy and trust, from the workspace or from a git commit.

mod plugins;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use leasehold_lease::{LeaseDoc, parse_chain};
use leasehold_rules::{Lock, PIPELINE_FILE, Pipeline, Plan, PluginSource, Policy, RulesError};
use leasehold_seal::{Class, Coded, Digest, Envelope, Trust};
use leasehold_tape::run::RulesFrom;
use leasehold_workspace::{Commit, Repository};

use crate::failure::{Failure, OrFail};
use crate::home::{self, Home};
use crate::parse;

pub(crate) use plugins::Plugins;

/// The lock file.
pub(crate) use leasehold_rules::LOCK_FILE;
/// The lease that `leasehold approve` makes.
pub(crate) const LEASE_FILE: &str = "leasehold.lease";
/// What has to run, whatever the pipeline says.
pub(crate) const POLICY_FILE: &str = "leasehold.policy.json";
/// Whose leases count where the rules come from a commit.
pub(crate) const TRUST_FILE: &str = "leasehold.trust.json";
/// All of them.
const FILES: [&str; 5] = [
    PIPELINE_FILE,
    LOCK_FILE,
    LEASE_FILE,
    POLICY_FILE,
    TRUST_FILE,
];
/// The largest of them, in bytes.
const MOST: u64 = 1 << 20;

/// Where rules are read.
pub(crate) enum Source {
    /// The workspace.
    Disk(PathBuf),
    /// A commit; the workspace lies at `prefix` in it.
    Commit {
        repository: Box<Repository>,
        commit: Commit,
        reference: String,
        prefix: String,
    },
}

/// The rules, read and understood.
pub(crate) struct Rules {
    pub(crate) pipeline: Pipeline,
    pub(crate) lock: Lock,
    pub(crate) lock_digest: Digest,
    /// The leaf first.
    pub(crate) lease: Option<Vec<Envelope>>,
    pub(crate) policy: Option<(Policy, Digest)>,
    /// That of the home, which holds besides.
    home_policy: Option<Policy>,
    pub(crate) trust: Trust,
    pub(crate) trust_digest: Digest,
    /// The trust file itself, where it is not the home's.
    pub(crate) other_trust: Option<Vec<u8>>,
    pub(crate) source: Source,
}

/// The folder that a run is about: the one named, or the nearest with a pipeline from here upwards.
pub(crate) fn root(named: Option<&Path>, here: &Path) -> Result<PathBuf, Failure> {
    if let Some(folder) = named {
        let folder = here.join(folder);
        return folder.canonicalize().map_err(|error| {
            let sentence = format!(
                "the workspace {} cannot be opened: {error}",
                folder.display()
            );
            Failure::new("WORKSPACE-MISSING", Class::Blocked, sentence)
                .hint("give a folder that exists: --workspace DIR")
        });
    }
    let here = here.canonicalize().unwrap_or_else(|_| here.to_owned());
    let mut above = here.ancestors();
    if let Some(folder) = above.find(|folder| folder.join(PIPELINE_FILE).is_file()) {
        return Ok(folder.to_owned());
    }
    let sentence = format!(
        "neither {} nor a folder above it has a {PIPELINE_FILE}",
        here.display()
    );
    Err(Failure::new("PIPELINE-MISSING", Class::Blocked, sentence)
        .hint("begin with `leasehold plugin add secrets --step`; `leasehold plugin list` shows what there is"))
}

/// The folder that a run is about, and where its rules are read: in it, or with a reference in a commit of the repository that it
/// is checked out from.
///
/// With a reference the tree has no say: the folder is the one named, or the nearest from here upwards of which the *commit* has a
/// pipeline.
pub(crate) fn find(
    named: Option<&Path>,
    here: &Path,
    reference: Option<&str>,
) -> Result<(PathBuf, Source), Failure> {
    let Some(reference) = reference else {
        let root = root(named, here)?;
        return Ok((root.clone(), Source::Disk(root)));
    };
    let here = here.canonicalize().unwrap_or_else(|_| here.to_owned());
    let start = match named {
        Some(_) => root(named, &here)?,
        None => here.clone(),
    };
    let missing = || {
        let sentence = format!(
            "{} is not in a git repository, so there is no {reference}",
            start.display()
        );
        Failure::new("GIT-MISSING", Class::Blocked, sentence).hint(
            "--rules takes rules from a commit of the repository that the workspace is checked out from",
        )
    };
    let repository = Repository::discover(&start)
        .or_fail()?
        .ok_or_else(missing)?;
    let top = repository
        .work_dir()
        .and_then(|top| top.canonicalize().ok());
    let top = top.ok_or_else(missing)?;
    check_not_submodule(&repository, &top)?;
    if let Some(folder) = named {
        check_not_link(&here.join(folder), &start, &top)?;
    }
    let commit = repository.resolve(reference).or_fail()?;
    let prefix = |folder: &Path| Some(folder.strip_prefix(&top).ok()?.to_str()?.to_owned());
    let mut source = Source::Commit {
        commit,
        prefix: prefix(&start).ok_or_else(missing)?,
        reference: reference.to_owned(),
        repository: Box::new(repository),
    };
    if named.is_some() {
        return Ok((start, source));
    }
    for folder in start
        .ancestors()
        .take_while(|folder| folder.starts_with(&top))
    {
        if let (Source::Commit { prefix: place, .. }, Some(own)) = (&mut source, prefix(folder)) {
            *place = own;
        }
        if source.read(PIPELINE_FILE, MOST)?.is_some() {
            return Ok((folder.to_owned(), source));
        }
    }
    Err(missing_pipeline(&source))
}

/// A tree may have a link in the place of the folder that was named: then other rules of the commit would judge what is behind it.
fn check_not_link(written: &Path, real: &Path, top: &Path) -> Result<(), Failure> {
    use std::path::Component;
    let mut plain = PathBuf::new();
    for component in written.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    // Links on the way to the repository are the user's own.
    let same = match plain.strip_prefix(top) {
        Ok(below) => real == top.join(below),
        Err(_) => {
            let depth = real
                .strip_prefix(top)
                .map_or(0, |below| below.components().count());
            let tail = |path: &Path| -> Vec<_> {
                let parts = path.components().rev().take(depth);
                parts.map(|part| part.as_os_str().to_owned()).collect()
            };
            tail(&plain) == tail(real)
        }
    };
    if same {
        return Ok(());
    }
    let sentence = format!(
        "{} leads through a link of the tree to {}",
        written.display(),
        real.display()
    );
    Err(Failure::new("WORKSPACE-LINK", Class::Refused, sentence)
        .hint("name the folder itself: the tree does not choose which rules judge it"))
}

/// A folder that a tree has turned into a submodule brings a repository of its own, with a `main` of its own.
fn check_not_submodule(repository: &Repository, top: &Path) -> Result<(), Failure> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let Some(outer) = top.parent() else {
        return Ok(());
    };
    let Some(outer) = Repository::discover(outer).or_fail()? else {
        return Ok(());
    };
    let store = real(&outer.common_dir());
    let own = real(repository.git_dir());
    // A worktree of the outer repository shares its store, and is no other repository.
    if real(&repository.common_dir()) == store || !own.starts_with(&store) {
        return Ok(());
    }
    let sentence = format!(
        "{} is a submodule, and the tree around it decides which repository that is",
        top.display()
    );
    Err(Failure::new("GIT-SUBMODULE", Class::Refused, sentence)
        .hint("run it from the outer repository, or in a clone of this one by itself"))
}

impl Source {
    /// The bytes of a file of the rules; `None` where there is none.
    pub(crate) fn read(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Source::Disk(root) => {
                let path = root.join(name);
                // A link could be turned between two looks, and rules are to be what a reviewer sees.
                match path.symlink_metadata() {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                    Ok(info) if !info.is_file() => {
                        let sentence = format!("{} is not a plain file", path.display());
                        return Err(Failure::new("RULES-FILE", Class::Integrity, sentence)
                            .hint("rules are plain files, neither links nor folders"));
                    }
                    Ok(_) | Err(_) => {}
                }
                parse::file("rules file", &path, most).map(Some)
            }
            Source::Commit {
                repository,
                commit,
                prefix,
                ..
            } => {
                let path = if prefix.is_empty() {
                    name.to_owned()
                } else {
                    format!("{prefix}/{name}")
                };
                repository.read(commit, &path, most).or_fail()
            }
        }
    }

    /// What goes on the tape.
    pub(crate) fn from(&self) -> RulesFrom {
        match self {
            Source::Disk(_) => RulesFrom {
                commit: None,
                reference: None,
            },
            Source::Commit {
                commit, reference, ..
            } => RulesFrom {
                commit: Some(commit.to_string()),
                reference: Some(reference.clone()),
            },
        }
    }

    /// How people call it.
    pub(crate) fn words(&self) -> String {
        match self {
            Source::Disk(_) => "this workspace".to_owned(),
            Source::Commit {
                commit,
                reference,
                prefix,
                ..
            } => {
                let place = if prefix.is_empty() {
                    String::new()
                } else {
                    format!(", folder {prefix}")
                };
                format!("{reference} ({:.10}){place}", commit.to_string())
            }
        }
    }
}

impl Rules {
    /// Reads the rules. `lease`: a file to take in place of the one among the rules.
    ///
    /// Whose lease counts is said by the home, or, with rules from a commit, by the trust file in it: never by the workspace.
    pub(crate) fn read(source: Source, home: &Home, lease: Option<&Path>) -> Result<Self, Failure> {
        let pipeline = match source.read(PIPELINE_FILE, MOST)? {
            Some(bytes) => Pipeline::parse(&bytes).map_err(|errors| failed(&errors))?,
            None => return Err(missing_pipeline(&source)),
        };
        let lock_bytes = source.read(LOCK_FILE, MOST)?.unwrap_or_default();
        let lock = match lock_bytes.as_slice() {
            [] => Lock::default(),
            bytes => Lock::parse(bytes).map_err(|errors| failed(&errors))?,
        };
        let lease = match lease {
            Some(path) => Some(parse::file("lease", path, MOST)?),
            None => source.read(LEASE_FILE, MOST)?,
        };
        let policy = source.read(POLICY_FILE, MOST)?.map(|bytes| {
            let policy = Policy::parse(&bytes).map_err(|errors| failed(&errors))?;
            Ok::<_, Failure>((policy, Digest::of(&bytes)))
        });
        let trust_bytes = match &source {
            Source::Disk(_) => None,
            Source::Commit { .. } => source.read(TRUST_FILE, MOST)?,
        };
        let (trust_bytes, other_trust) = match trust_bytes {
            Some(bytes) => (bytes.clone(), Some(bytes)),
            None => (parse::file("trust file", &home.trust_path(), MOST)?, None),
        };
        Ok(Rules {
            pipeline,
            lock,
            lock_digest: Digest::of(&lock_bytes),
            lease: lease
                .map(|bytes| parse_chain(&bytes).or_fail())
                .transpose()?,
            policy: policy.transpose()?,
            home_policy: home.policy()?,
            trust: Trust::parse(&trust_bytes).or_fail()?,
            trust_digest: Digest::of(&trust_bytes),
            other_trust,
            source,
        })
    }

    /// Reads the plugins of the lock that steps name, and plans.
    pub(crate) fn plan(&self) -> Result<(Plan, Plugins), Failure> {
        let plugins = Plugins::read(&self.source, &self.lock, &self.pipeline)?;
        let plan =
            leasehold_rules::plan(&self.pipeline, &self.lock, &|digest| plugins.facts(digest));
        let plan = plan.map_err(|errors| failed(&errors))?;
        Ok((plan, plugins))
    }

    /// The policies that hold: that of the home, and that of the rules.
    pub(crate) fn policies(&self) -> Vec<&Policy> {
        let own = self.policy.as_ref().map(|(policy, _)| policy);
        self.home_policy.iter().chain(own).collect()
    }

    /// Refuses a lease that goes beyond one of the policies.
    pub(crate) fn check_lease(&self, lease: &LeaseDoc) -> Result<(), Failure> {
        let within = |policy: &&Policy| home::within(policy, lease);
        self.policies().iter().try_for_each(within)
    }

    /// Refuses a plan that leaves out what a policy wants to run.
    pub(crate) fn check_policy(&self, plan: &Plan) -> Result<(), Failure> {
        self.policies()
            .iter()
            .try_for_each(|policy| self.must_run(policy, plan))
    }

    fn must_run(&self, policy: &Policy, plan: &Plan) -> Result<(), Failure> {
        let unmet = policy.unmet(plan);
        let Some(first) = unmet.first() else {
            return Ok(());
        };
        let name = |plugin: &Digest| {
            let entry = self.lock.entries().find(|entry| entry.digest == *plugin);
            entry.map_or_else(|| plugin.to_string(), |entry| entry.name.clone())
        };
        let sentence = format!(
            "the policy wants {} to run{}, and no step does that",
            name(&first.plugin),
            first.config.map_or(String::new(), |config| format!(
                " with the configuration {config}"
            )),
        );
        let mut failure = Failure::new("MUST-RUN", Class::Refused, sentence).hint(format!(
            "put the step back into {PIPELINE_FILE}, or change {POLICY_FILE}"
        ));
        for step in first.near_misses(plan) {
            failure = failure.detail(format!(
                "the step {} does not look at what the policy wants looked at",
                step.id
            ));
        }
        let others = unmet.iter().skip(1);
        let others = others.map(|more| format!("{} as well", name(&more.plugin)));
        Err(others.fold(failure, Failure::detail))
    }

    /// The files that decide, where they lie in the workspace: no step changes them.
    pub(crate) fn files(&self, root: &Path) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = FILES.iter().map(|name| root.join(name)).collect();
        for entry in self.lock.entries() {
            if let PluginSource::Path(path) = &entry.source {
                files.push(root.join(path.as_str()));
            }
        }
        files
    }
}

/// Writes a file of the rules, by its path in the workspace; what was there stays until the new one is complete. The workspace may
/// be a stranger's: no link in it leads the writing out of it.
pub(crate) fn write(root: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::writing("file", &root.join(name), &error);
    let path = Path::new(name);
    let dir = Dir::open_ambient_dir(root, ambient_authority()).map_err(failed)?;
    let folder = match path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        Some(parent) => {
            dir.create_dir_all(parent).map_err(failed)?;
            dir.open_dir(parent).map_err(failed)?
        }
        None => dir,
    };
    let last = path.file_name().unwrap_or_default();
    let mut new = std::ffi::OsString::from(".");
    new.push(last);
    new.push(format!(".{}", std::process::id()));
    let mut options = OpenOptions::new();
    // A link of that name is not followed, and what an earlier process has left is of no use.
    let _ = folder.remove_file(&new);
    options.write(true).create_new(true);
    folder
        .open_with(&new, &options)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| folder.rename(&new, &folder, last))
        .map_err(failed)
}

fn missing_pipeline(source: &Source) -> Failure {
    let sentence = format!("there is no {PIPELINE_FILE} in {}", source.words());
    Failure::new("PIPELINE-MISSING", Class::Blocked, sentence)
        .hint("begin with `leasehold plugin add secrets --step`")
}

/// All problems of a file as one failure: the first one leads.
pub(crate) fn failed(errors: &[RulesError]) -> Failure {
    let Some((first, others)) = errors.split_first() else {
        return Failure::new(
            "RULES",
            Class::Fault,
            "the rules are wrong, and nothing says why",
        );
    };
    let mut failure = Failure::of(first);
    failure.details.extend(first.details());
    for other in others {
        failure
            .details
            .push(format!("also [{}]: {other}", other.code()));
        if let Some(hint) = other.hint() {
            failure.details.push(format!("  hint: {hint}"));
        }
        failure
            .details
            .extend(other.details().into_iter().map(|line| format!("  {line}")));
    }
    failure
}
