//! `leasehold run`: the pipeline of a workspace, step by step.

mod document;
mod events;
mod summary;

use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_files::DigestMemo;
use leasehold_pipeline::{Bench, ResultCache, Reuse, RunReport, RunSpec};
use leasehold_rules::Plan;
use leasehold_seal::{Class, Digest};
use leasehold_tape::run::RunDenied;
use leasehold_tape::{Durability, Kind};
use leasehold_workspace::Repository;

use crate::ambient;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::{Home, Secret};
use crate::rules::{self, Rules, Source};
use crate::running::{self, Wish};
use crate::session::{self, Session};
use crate::workspace;

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// The tree to judge. Default: the nearest folder upwards that has a leasehold.toml.
    #[arg(long, value_name = "DIR")]
    pub(crate) workspace: Option<PathBuf>,
    /// Take pipeline, lock, lease, policy and trust from this commit (origin/main, a tag, HEAD~1, …) and the tree from disk.
    #[arg(long, value_name = "REF")]
    pub(crate) rules: Option<String>,
    /// The lease, in place of leasehold.lease.
    #[arg(long, value_name = "FILE")]
    pub(crate) lease: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    rules: RulesArgs,
    /// How many steps run at one time. Default: one for each processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=256))]
    jobs: Option<u64>,
    /// Start nothing more after the first step that does not pass.
    #[arg(long)]
    fail_fast: bool,
    /// Run every step, also where an earlier result holds.
    #[arg(long)]
    no_cache: bool,
    /// Run and record, and change nothing: what steps write is dropped.
    #[arg(long)]
    shadow: bool,
}

/// A run that may begin.
struct Prepared {
    root: PathBuf,
    files: Vec<PathBuf>,
    plan: Plan,
    spec: RunSpec,
}

pub(crate) fn run(args: &RunArgs, context: &Context) -> anyhow::Result<u8> {
    let home = Home::open(&context.ambient)?;
    let root = root(&args.rules, context)?;
    home.check_outside(&root)?;
    let source = Source::open(&root, args.rules.rules.as_deref())?;
    let session = Session::of_home(&context.ambient, home)?;
    let told = format!("rules from {}", source.words());
    let from = source.from();
    let prepared = prepare(args, root, source, &session, context);
    let done = match prepared {
        Ok(prepared) => go(&prepared, &told, &session, context).map(|report| (prepared, report)),
        Err(failure) => {
            // Refusals belong on the tape.
            if matches!(failure.class, Class::Refused | Class::Integrity) {
                let mut message = failure.sentence.clone();
                for detail in failure.details.iter().take(50) {
                    message.push('\n');
                    message.push_str(&crate::text::clip(detail, 500));
                }
                let body = RunDenied {
                    code: failure.code.clone(),
                    message,
                    rules: from,
                };
                session.record(Kind::RunDenied, &body, Durability::Synced)?;
            }
            Err(failure)
        }
    };
    let closed = session.close();
    let (prepared, report) = done?;
    let code = exit_code(&report);
    summary::print(&prepared.plan, &prepared.spec, &report, &session, context);
    match closed {
        Ok(()) => Ok(code),
        Err(failure) => {
            // What the run said stands on the tape; what is missing is the signature over it.
            context.ui.warning(&failure);
            Ok(exit::worse(code, exit::of(failure.class)))
        }
    }
}

/// The folder that rules and run are about.
pub(crate) fn root(args: &RulesArgs, context: &Context) -> Result<PathBuf, Failure> {
    let here = context.ambient.path(Path::new(""));
    rules::root(args.workspace.as_deref(), &here, args.rules.is_some())
}

fn prepare(
    args: &RunArgs,
    root: PathBuf,
    source: Source,
    session: &Session,
    context: &Context,
) -> Result<Prepared, Failure> {
    let lease = args
        .rules
        .lease
        .as_ref()
        .map(|path| context.ambient.path(path));
    let rules = Rules::read(source, &session.home, lease.as_deref())?;
    let (plan, plugins) = rules.plan()?;
    rules.check_policy(&plan)?;
    let now = context.ambient.now();
    let leased = running::lease(&rules, &plan, session, now)?;
    let rights = running::rights(&plan, &leased)?;
    if let Some(warning) = running::expiry_warning(&leased, now) {
        context.ui.warning(&warning);
    }
    running::record_lease(&leased, session)?;
    let wish = Wish {
        jobs: args.jobs,
        fail_fast: args.fail_fast,
        shadow: args.shadow,
        cache: !args.no_cache,
    };
    let base = base(&root);
    let spec = running::spec(
        &rules,
        (&plan, plugins, rights),
        &leased,
        session,
        (wish, base),
        context,
    )?;
    Ok(Prepared {
        files: rules.files(&root),
        plan,
        root,
        spec,
    })
}

/// The commit that the workspace stands on, where that can be found out.
fn base(root: &Path) -> Option<String> {
    let repository = Repository::discover(root).ok()??;
    let head = repository.head().ok()??;
    Some(head.to_string())
}

fn go(
    prepared: &Prepared,
    told: &str,
    session: &Session,
    context: &Context,
) -> Result<RunReport, Failure> {
    let Prepared {
        root, files, spec, ..
    } = prepared;
    let home = &session.home;
    let workspace = workspace::open_for_run(root, home, files)?;
    let engine = session::engine(&context.ambient, home)?;
    let place = running::place(home, root)?;
    let results = results(home)?;
    let id = running::workspace_id(root);
    let memo = known(&results, &id);
    let bench = Bench {
        engine: &engine,
        recorder: &session.recorder,
        workspace: &workspace,
        place: &place,
        reuse: spec.started.cache.then_some(Reuse {
            results: &results,
            memo: &memo,
        }),
        stop: &ambient::stop_on_signals(),
    };
    let report = events::watch(spec, told, &context.ui, |observer| {
        leasehold_pipeline::run(&bench, spec, observer)
    });
    if spec.started.cache && memo.hashed_bytes() > 0 {
        results.keep_digests(&id, &memo.encode());
    }
    report.or_fail()
}

/// The results that this home keeps.
pub(crate) fn results(home: &Home) -> Result<ResultCache, Failure> {
    Ok(ResultCache::new(
        &home.cache(),
        *home.secret(Secret::Cache)?,
    ))
}

/// What is known of the contents of a workspace from earlier runs.
pub(crate) fn known(results: &ResultCache, workspace: &Digest) -> DigestMemo {
    let bytes = results.digests(workspace);
    let memo = bytes.and_then(|bytes| DigestMemo::decode(&bytes).ok());
    memo.unwrap_or_default()
}

/// The exit code of a run: what matters most of what its steps came to.
fn exit_code(report: &RunReport) -> u8 {
    let steps = report.steps.iter().filter_map(|step| step.class);
    steps.map(exit::of).fold(exit::PASSED, exit::worse)
}
