//! `leasehold policy check`.

use std::path::PathBuf;

use clap::Args;
use leasehold_lease::{Audience, Holder, LeaseDoc, RelPath, inspect};
use leasehold_rules::{Decision, Operation, PathFact, Policy, Request};
use leasehold_seal::{Class, Coded, Digest, KeyId, canonical};
use serde_json::{Value, json};

use super::facts::Facts;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::{Home, within};
use crate::issue::{self, Terms};
use crate::leased;
use crate::parse;
use crate::rules::{self, POLICY_FILE};
use crate::text::counted;
use crate::ui::{Line, Style};

/// The largest file that is read as a policy or a request, in bytes.
const MOST: u64 = canonical::MAX_BYTES as u64;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The policy. Default: leasehold.policy.json of the nearest folder upwards, or policy.json of the home.
    file: Option<PathBuf>,
    /// Hold this lease against it.
    #[arg(long, value_name = "FILE", group = "subject")]
    lease: Option<PathBuf>,
    /// Hold the lease against it that this draft would become.
    #[arg(long, value_name = "FILE", group = "subject")]
    draft: Option<PathBuf>,
    /// Hold every operation of this request against it.
    #[arg(long, value_name = "FILE", group = "subject")]
    request: Option<PathBuf>,
    /// Hold one operation against it: write_file, delete_file, git_add and so on.
    #[arg(long = "op", value_name = "ACTION", group = "subject")]
    operation: Option<String>,
    /// A path of that operation; may be repeated.
    #[arg(long = "path", value_name = "PATH", requires = "operation")]
    paths: Vec<String>,
    /// The tree that requests and operations are about, so that links in it are known. Default: paths are held to be no links.
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
}

pub(super) fn run(args: &CheckArgs, context: &Context) -> anyhow::Result<u8> {
    let (path, policy) = policy(args, context)?;
    let ui = &context.ui;
    let mut value = summary(&path, &policy);
    if !is_about_leases(args) && !is_about_operations(args) {
        ui.json(&value);
        for line in lines(&path, &policy) {
            ui.data(line);
        }
        return Ok(exit::PASSED);
    }
    if is_about_leases(args) {
        within(&policy, &lease(args, context)?)?;
        value["allowed"] = json!(true);
        ui.json(&value);
        let word = Line::styled(Style::Good, "within");
        ui.data(word.plain(format!(" the policy {}", policy.id())));
        if policy.leases().is_none() {
            ui.data("  which says nothing about leases but what is protected");
        }
        return Ok(exit::PASSED);
    }
    let decisions = decisions(args, &policy, context)?;
    let denied: Vec<Failure> = decisions
        .iter()
        .filter_map(Decision::refusal)
        .map(|refusal| Failure::of(&refusal as &dyn Coded))
        .collect();
    for decision in &decisions {
        ui.data(line(decision));
    }
    value["allowed"] = json!(denied.is_empty());
    value["decisions"] = decisions.iter().map(told).collect();
    ui.json(&value);
    let Some((first, others)) = denied.split_first() else {
        return Ok(exit::PASSED);
    };
    let also =
        |failure: Failure, other: &Failure| failure.detail(format!("also: {}", other.sentence));
    Err(others.iter().fold(first.clone(), also).into())
}

fn is_about_leases(args: &CheckArgs) -> bool {
    args.lease.is_some() || args.draft.is_some()
}

fn is_about_operations(args: &CheckArgs) -> bool {
    args.request.is_some() || args.operation.is_some()
}

/// The policy, and where it is.
fn policy(args: &CheckArgs, context: &Context) -> Result<(PathBuf, Policy), Failure> {
    let path = match &args.file {
        Some(file) => context.ambient.path(file),
        None => nearest(context)?,
    };
    let bytes = parse::file("policy", &path, MOST)?;
    let policy = Policy::parse(&bytes)
        .map_err(|errors| rules::failed(&errors).detail(format!("in {}", path.display())))?;
    Ok((path, policy))
}

fn nearest(context: &Context) -> Result<PathBuf, Failure> {
    let here = context.ambient.path("".as_ref());
    let found = here.ancestors().map(|folder| folder.join(POLICY_FILE));
    if let Some(path) = found.into_iter().find(|path| path.exists()) {
        return Ok(path);
    }
    let home = Home::open(&context.ambient).map(|home| home.policy_path());
    home.ok().filter(|path| path.exists()).ok_or_else(|| {
        let sentence =
            format!("there is no {POLICY_FILE} from here upwards, and no policy.json in the home");
        Failure::new("POLICY-MISSING", Class::Blocked, sentence)
            .hint("name the policy: `leasehold policy check FILE`")
    })
}

/// The lease that is held against the policy; of a chain the one that is used, which lies within the others.
fn lease(args: &CheckArgs, context: &Context) -> Result<LeaseDoc, Failure> {
    if let Some(file) = &args.lease {
        let chain = leased::read(&context.ambient.path(file))?;
        let hops = inspect(&chain).or_fail()?;
        let leaf = hops.first().map(|hop| hop.document().clone());
        return leaf.ok_or_else(|| {
            Failure::new(
                "LEASE-CHAIN",
                Class::Integrity,
                "there is no lease in the file",
            )
        });
    }
    let path = context
        .ambient
        .path(args.draft.as_deref().unwrap_or("".as_ref()));
    let bytes = parse::file("draft", &path, MOST)?;
    // Who would issue it decides nothing here.
    let nobody = KeyId::from_digest(Digest::of(b""));
    let issuer = canonical::parse(&bytes)
        .ok()
        .and_then(|draft| draft.get("issuer")?.as_str()?.parse().ok())
        .unwrap_or(nobody);
    let terms = Terms {
        audience: Audience::Any,
        holder: Holder::None,
        intent: None,
        expires: issue::EXPIRY,
        depth: 0,
        budget: None,
    };
    issue::from_draft(&bytes, issuer, terms, context.ambient.now())
        .map_err(|failure| failure.detail(format!("in {}", path.display())))
}

fn decisions(
    args: &CheckArgs,
    policy: &Policy,
    context: &Context,
) -> Result<Vec<Decision>, Failure> {
    let facts = match &args.workspace {
        Some(folder) => Some(Facts::look(&context.ambient.path(folder), policy)?),
        None => None,
    };
    let fact = |path: &RelPath| {
        facts
            .as_ref()
            .map_or(PathFact::Plain, |facts| facts.of(path))
    };
    if facts.is_none() {
        context.ui.talk(
            "no tree was looked at, so every path is held to be no link; --workspace DIR looks",
        );
    }
    if let Some(action) = &args.operation {
        let operation = Operation::on_paths(action, args.paths.clone());
        return Ok(vec![policy.decide(&operation, &fact)]);
    }
    let path = context
        .ambient
        .path(args.request.as_deref().unwrap_or("".as_ref()));
    let bytes = parse::file("request", &path, MOST)?;
    let request = Request::parse(&bytes)
        .map_err(|errors| rules::failed(&errors).detail(format!("in {}", path.display())))?;
    if request.requires_review {
        context
            .ui
            .talk("the request asks for a review by a person before anything is done");
    }
    Ok(policy.judge(&request, &fact))
}

fn line(decision: &Decision) -> Line {
    let (word, style) = match decision.allowed {
        true => ("allowed", Style::Good),
        false => ("denied", Style::Bad),
    };
    let Decision {
        operation,
        rule,
        why,
        ..
    } = decision;
    Line::styled(style, format!("{word:<8}")).plain(format!("{operation}: {why} ({rule})"))
}

fn told(decision: &Decision) -> Value {
    json!({
        "allowed": decision.allowed,
        "operation": decision.operation,
        "rule": decision.rule,
        "why": decision.why,
    })
}

fn summary(path: &std::path::Path, policy: &Policy) -> Value {
    json!({
        "examples": policy.examples(),
        "file": path,
        "grants": policy.leases().map(|leases| leases.grants.len()),
        "id": policy.id(),
        "must_run": policy.must_run().len(),
        "operations": policy.operations().is_some(),
        "protected": policy.protected().iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn lines(path: &std::path::Path, policy: &Policy) -> Vec<String> {
    let leases = match policy.leases() {
        None => "not bounded, but for what is protected".to_owned(),
        Some(leases) if leases.grants.is_empty() => "none may be issued".to_owned(),
        Some(leases) => format!("within {}", counted(leases.grants.len(), "rule", "rules")),
    };
    let operations = match policy.operations() {
        None => "none is allowed",
        Some(_) => "as listed",
    };
    let protected: Vec<String> = policy.protected().iter().map(ToString::to_string).collect();
    let protected = match protected.is_empty() {
        true => "nothing besides .git and the like".to_owned(),
        false => protected.join(", "),
    };
    vec![
        format!("{} is a policy: {}", path.display(), policy.id()),
        format!(
            "  must run    {}",
            counted(policy.must_run().len(), "plugin", "plugins")
        ),
        format!("  leases      {leases}"),
        format!("  operations  {operations}"),
        format!("  protected   {protected}"),
        format!(
            "  examples    {}, all as they should be",
            counted(policy.examples(), "example", "examples")
        ),
    ]
}
