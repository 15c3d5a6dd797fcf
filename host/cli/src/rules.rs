//! The rules of a run: pipeline, lock, lease, policy and trust, from the workspace or from a git commit.

mod plugins;

use std::path::{Path, PathBuf};

use leasehold_rules::{Lock, PIPELINE_FILE, Pipeline, Plan, PluginSource, Policy, RulesError};
use leasehold_seal::{Class, Coded, Digest, Envelope, Trust};
use leasehold_tape::run::RulesFrom;
use leasehold_workspace::{Commit, Repository};

use crate::failure::{Failure, OrFail};
use crate::home::Home;
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
    pub(crate) lease: Option<Envelope>,
    pub(crate) policy: Option<(Policy, Digest)>,
    pub(crate) trust: Trust,
    pub(crate) trust_digest: Digest,
    pub(crate) source: Source,
}

/// The folder that a run is about: the one named, or the nearest with a pipeline from here upwards, or with rules from a commit
/// the one that git has checked out.
pub(crate) fn root(named: Option<&Path>, here: &Path, from_git: bool) -> Result<PathBuf, Failure> {
    if let Some(folder) = named {
        let folder = here.join(folder);
        return folder.canonicalize().map_err(|error| {
            let sentence = format!(
                "the workspace {} cannot be opened: {error}",
                folder.display()
            );
            Failure::new("WORKSPACE-MISSING", Class::Blocked, sentence)
        });
    }
    let here = here.canonicalize().unwrap_or_else(|_| here.to_owned());
    let mut above = here.ancestors();
    if let Some(folder) = above.find(|folder| folder.join(PIPELINE_FILE).is_file()) {
        return Ok(folder.to_owned());
    }
    if from_git
        && let Some(repository) = Repository::discover(&here).or_fail()?
        && let Some(folder) = repository.work_dir()
    {
        return folder
            .canonicalize()
            .map_err(|error| Failure::reading("repository", folder, &error));
    }
    let sentence = format!(
        "neither {} nor a folder above it has a {PIPELINE_FILE}",
        here.display()
    );
    Err(Failure::new("PIPELINE-MISSING", Class::Blocked, sentence)
        .hint("begin with `leasehold plugin add secrets --step`; `leasehold plugin list` shows what there is"))
}

impl Source {
    /// The workspace, or a commit of the repository around it.
    pub(crate) fn open(root: &Path, reference: Option<&str>) -> Result<Self, Failure> {
        let Some(reference) = reference else {
            return Ok(Source::Disk(root.to_owned()));
        };
        let missing = || {
            let sentence = format!(
                "{} is not in a git repository, so there is no {reference}",
                root.display()
            );
            Failure::new("GIT-MISSING", Class::Blocked, sentence)
                .hint("--rules takes rules from a commit of the repository that the workspace is checked out from")
        };
        let repository = Repository::discover(root).or_fail()?.ok_or_else(missing)?;
        let top = repository
            .work_dir()
            .and_then(|top| top.canonicalize().ok());
        let prefix = top.and_then(|top| Some(root.strip_prefix(top).ok()?.to_str()?.to_owned()));
        Ok(Source::Commit {
            commit: repository.resolve(reference).or_fail()?,
            prefix: prefix.ok_or_else(missing)?,
            reference: reference.to_owned(),
            repository: Box::new(repository),
        })
    }

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
                commit, reference, ..
            } => format!("{reference} ({:.10})", commit.to_string()),
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
            None => return Err(missing(&source)),
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
        let trust_bytes = match trust_bytes {
            Some(bytes) => bytes,
            None => parse::file("trust file", &home.trust_path(), MOST)?,
        };
        Ok(Rules {
            pipeline,
            lock,
            lock_digest: Digest::of(&lock_bytes),
            lease: lease
                .map(|bytes| Envelope::parse(&bytes).or_fail())
                .transpose()?,
            policy: policy.transpose()?,
            trust: Trust::parse(&trust_bytes).or_fail()?,
            trust_digest: Digest::of(&trust_bytes),
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

    /// Refuses a plan that leaves out what the policy wants to run.
    pub(crate) fn check_policy(&self, plan: &Plan) -> Result<(), Failure> {
        let Some((policy, _)) = &self.policy else {
            return Ok(());
        };
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
        let failure = Failure::new("MUST-RUN", Class::Refused, sentence).hint(format!(
            "put the step back into {PIPELINE_FILE}, or change {POLICY_FILE}"
        ));
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

fn missing(source: &Source) -> Failure {
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
        failure
            .details
            .extend(other.details().into_iter().map(|line| format!("  {line}")));
    }
    failure
}
