//! `leasehold run`: the pipeline of a workspace, step by step.

mod document;
mod events;
mod summary;

use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_files::DigestMemo;
use leasehold_pipeline::{Bench, ResultCache, Reuse, RunReport, RunSpec, Step};
use leasehold_rules::Plan;
use leasehold_seal::Class;
use leasehold_tape::run::{RulesFrom, RunDenied};
use leasehold_tape::{Durability, Kind};
use leasehold_workspace::Repository;

use crate::ambient;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::{Home, Secret};
use crate::leased::PresentArgs;
use crate::rules::{self, Rules, Source};
use crate::running::{self, Wish};
use crate::session::{self, Session};
use crate::text::clip;
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
    #[command(flatten)]
    present: PresentArgs,
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

/// How many lines of a refusal go on the tape, and how much of each, in characters: a record has to take them, however they are
/// escaped.
const DENIED_LINES: usize = 20;
const DENIED_LINE: usize = 300;

/// A run that may begin.
struct Prepared {
    root: PathBuf,
    files: Vec<PathBuf>,
    rules: Rules,
    plan: Plan,
    spec: RunSpec,
}

pub(crate) fn run(args: &RunArgs, context: &Context) -> anyhow::Result<u8> {
    let mut session = Session::open(&context.ambient)?;
    let done = find(&args.rules, context).and_then(|(root, source)| {
        let told = format!("rules from {}", source.words());
        let prepared = prepare(args, root, source, &mut session, context)?;
        let report = go(&prepared, &told, &session, context)?;
        Ok((prepared, report))
    });
    let recorded = match &done {
        Ok(_) => Ok(()),
        Err(failure) => denied(failure, args, &session),
    };
    let closed = session.close();
    let (prepared, report) = done?;
    recorded?;
    let code = u8::try_from(report.finished.exit).unwrap_or(exit::FAULT);
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

/// Refusals belong on the tape.
fn denied(failure: &Failure, args: &RunArgs, session: &Session) -> Result<(), Failure> {
    if !matches!(failure.class, Class::Refused | Class::Integrity) {
        return Ok(());
    }
    let mut message = clip(&failure.sentence, DENIED_LINE).into_owned();
    for detail in failure.details.iter().take(DENIED_LINES) {
        message.push('\n');
        message.push_str(&clip(detail, DENIED_LINE));
    }
    let body = RunDenied {
        code: failure.code.clone(),
        message,
        rules: RulesFrom {
            commit: None,
            reference: args.rules.rules.clone(),
        },
    };
    session
        .record(Kind::RunDenied, &body, Durability::Synced)
        .map(drop)
}

/// The folder that rules and run are about, and where the rules are read.
pub(crate) fn find(args: &RulesArgs, context: &Context) -> Result<(PathBuf, Source), Failure> {
    let here = context.ambient.path(Path::new(""));
    rules::find(args.workspace.as_deref(), &here, args.rules.as_deref())
}

fn prepare(
    args: &RunArgs,
    root: PathBuf,
    source: Source,
    session: &mut Session,
    context: &Context,
) -> Result<Prepared, Failure> {
    session.home.check_outside(&root)?;
    let lease = args
        .rules
        .lease
        .as_ref()
        .map(|path| context.ambient.path(path));
    let rules = Rules::read(source, &session.home, lease.as_deref())?;
    let (plan, plugins) = rules.plan()?;
    rules.check_policy(&plan)?;
    session.go_by(&rules.trust);
    let leased = running::lease(&rules, &plan, &args.present, session, context)?;
    let rights = running::rights(&plan, &leased)?;
    if let Some(warning) = running::expiry_warning(&leased, context.ambient.now()) {
        context.ui.warning(&warning);
    }
    running::record_lease(&leased, &rules, session)?;
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
        rules,
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
        root,
        files,
        rules,
        spec,
        ..
    } = prepared;
    let home = &session.home;
    let workspace = workspace::open_for_run(root, home, files, &rules.policies())?;
    let engine = session::engine(&context.ambient, home)?;
    let changes = !spec.started.shadow && spec.steps.iter().any(Step::writes);
    let (place, _hold) = running::place(home, root, changes, &context.ui)?;
    let results = results(home, root)?;
    let memo = known(&results);
    let build = running::build(&context.ambient);
    let bench = Bench {
        engine: &engine,
        recorder: &session.recorder,
        workspace: &workspace,
        place: &place,
        reuse: spec.started.cache.then_some(Reuse {
            results: &results,
            memo: &memo,
            host: &build,
        }),
        stop: &ambient::stop_on_signals(),
    };
    let report = events::watch(spec, told, &context.ui, |observer| {
        leasehold_pipeline::run(&bench, spec, observer)
    });
    if spec.started.cache && memo.hashed_bytes() > 0 {
        results.keep_digests(&memo.encode());
    }
    report.or_fail()
}

/// The results that this home keeps of a workspace.
pub(crate) fn results(home: &Home, root: &Path) -> Result<ResultCache, Failure> {
    let key = *home.secret(Secret::Cache)?;
    let id = running::workspace_id(root);
    Ok(ResultCache::new(&home.cache(), key, &id))
}

/// What is known of the contents of a workspace from earlier runs.
pub(crate) fn known(results: &ResultCache) -> DigestMemo {
    let bytes = results.digests();
    let memo = bytes.and_then(|bytes| DigestMemo::decode(&bytes).ok());
    memo.unwrap_or_default()
}
