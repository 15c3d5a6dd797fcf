//! `leasehold call`: one call of one plugin under one lease.

mod lease;
mod report;

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_lease::{Kind, Rights};
use leasehold_rules::Policy;
use leasehold_sandbox::{CallSpec, ExitCodes, Facts, Input, Outcome, Plugin, World, admit};
use leasehold_seal::{Class, Digest};

use crate::ambient;
use crate::commands::{Context, plugin};
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::leased::PresentArgs;
use crate::parse;
use crate::session::{self, Session};
use crate::workspace;

/// The most that is read as standard input of a program, in bytes.
const STDIN_BYTES: u64 = 64 << 20;

#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// The plugin's file.
    plugin: PathBuf,
    /// The lease.
    #[arg(long, value_name = "FILE")]
    lease: Option<PathBuf>,
    /// Which grant of the lease to use; needed only when several are for this plugin.
    #[arg(long, value_name = "ID", requires = "lease")]
    grant: Option<String>,
    #[command(flatten)]
    present: PresentArgs,
    /// The tree it is about. It sees of it what its lease allows.
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// A gate's configuration: JSON, or a file of it.
    #[arg(long, value_name = "JSON|@FILE")]
    config: Option<String>,
    /// A program's standard input: a file, or `-` for our own. Default: nothing.
    #[arg(long, value_name = "FILE|-")]
    stdin: Option<PathBuf>,
    /// The tool of an adapter.
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// The tool's arguments: JSON, or a file of it. Default: {}.
    #[arg(long, value_name = "JSON|@FILE", requires = "tool")]
    arguments: Option<String>,
    /// An exit code with which a program that judges says pass; may be repeated.
    #[arg(long, value_name = "CODE")]
    pass_exit: Vec<u8>,
    /// An exit code with which a program that judges says fail; may be repeated.
    #[arg(long, value_name = "CODE")]
    fail_exit: Vec<u8>,
    /// A program's arguments, after `--`.
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

/// A plugin that is about to be called, and what it is asked.
struct Subject {
    bytes: Vec<u8>,
    facts: Facts,
    name: String,
    input: Input,
    exit: Option<ExitCodes>,
}

pub(crate) fn run(args: &CallArgs, context: &Context) -> anyhow::Result<u8> {
    let subject = subject(args, context)?;
    let session = Session::open(&context.ambient)?;
    let called = call(args, &subject, &session, context);
    let closed = session.close();
    let code = match called {
        Ok((rights, plugin, outcome)) => {
            report::report(&rights, &plugin, &subject.name, &outcome, &session, context);
            outcome.summary.class.map_or(exit::PASSED, exit::of)
        }
        Err(failure) => return Err(failure.into()),
    };
    match closed {
        Ok(()) => Ok(code),
        Err(failure) => {
            // What the call said stands on the tape; what is missing is the signature over it.
            context.ui.warning(&failure);
            Ok(exit::worse(code, exit::of(failure.class)))
        }
    }
}

fn call(
    args: &CallArgs,
    subject: &Subject,
    session: &Session,
    context: &Context,
) -> Result<(Rights, Plugin, Outcome), Failure> {
    let prepared = lease::rights(args, subject, session, context).and_then(|rights| {
        let mut rules: Vec<PathBuf> = vec![context.ambient.path(&args.plugin)];
        rules.extend(args.lease.as_ref().map(|lease| context.ambient.path(lease)));
        rules.extend(
            args.config
                .as_deref()
                .and_then(|config| config.strip_prefix('@'))
                .map(|file| context.ambient.path(Path::new(file))),
        );
        let policy = session.home.policy()?;
        let policies: Vec<&Policy> = policy.iter().collect();
        let folder = args
            .workspace
            .as_ref()
            .map(|folder| context.ambient.path(folder));
        let tree = folder
            .map(|folder| workspace::open(&folder, &session.home, &rules, &policies))
            .transpose()?;
        let engine = session::engine(&context.ambient, &session.home)?;
        let plugin = engine.load(&subject.bytes).or_fail()?;
        Ok((rights, tree, engine, plugin))
    });
    let (rights, tree, engine, plugin) = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => {
            // Refusals belong on the tape. Those that admission finds it records itself.
            if matches!(failure.class, Class::Refused | Class::Integrity) {
                let lease: Vec<Digest> = lease::claimed_id(args, context).into_iter().collect();
                session.record_refusal(&lease, subject.facts.digest, &failure)?;
            }
            return Err(failure);
        }
    };
    let spec = CallSpec {
        workspace: tree,
        ambient_env: context.ambient.environment(),
        exit: subject.exit.clone(),
        stop: ambient::stop_on_signals(),
        ..CallSpec::new(subject.input.clone())
    };
    let ticket = admit(&engine, &plugin, rights.clone(), spec, &session.recorder).or_fail()?;
    let outcome = engine.call(ticket, &plugin).or_fail()?;
    Ok((rights, plugin, outcome))
}

/// The plugin, and what the command line asks of it.
fn subject(args: &CallArgs, context: &Context) -> Result<Subject, Failure> {
    let path = context.ambient.path(&args.plugin);
    let (bytes, facts) = plugin::read(&path)?;
    let name = plugin::name(&facts, &path);
    check_flags(args, &facts, &name)?;
    let input = match facts.world {
        World::Gate => Input::Check {
            config: args
                .config
                .as_ref()
                .map(|config| parse::json(&context.ambient, "--config", config))
                .transpose()?,
            changed: None,
        },
        World::Adapter => Input::Tool {
            name: tool(args, &facts, &name)?,
            arguments: parse::json(
                &context.ambient,
                "--arguments",
                args.arguments.as_deref().unwrap_or("{}"),
            )?,
        },
        World::Program => Input::Run {
            args: args.args.clone(),
            stdin: stdin(args, context)?,
        },
    };
    let judges = !(args.pass_exit.is_empty() && args.fail_exit.is_empty());
    let exit = judges.then(|| ExitCodes {
        pass: args.pass_exit.clone(),
        fail: args.fail_exit.clone(),
    });
    Ok(Subject {
        bytes,
        facts,
        name,
        input,
        exit,
    })
}

/// A flag that the plugin can make nothing of is an error rather than ignored.
fn check_flags(args: &CallArgs, facts: &Facts, name: &str) -> Result<(), Failure> {
    let (gate, adapter, program) = match facts.world {
        World::Gate => (true, false, false),
        World::Adapter => (false, true, false),
        World::Program => (false, false, true),
    };
    let kind = if gate {
        "a gate"
    } else if adapter {
        "an adapter"
    } else {
        "a program"
    };
    for (flag, given, fits, whose) in [
        ("--config is", args.config.is_some(), gate, "gates"),
        ("--tool is", args.tool.is_some(), adapter, "adapters"),
        ("--stdin is", args.stdin.is_some(), program, "programs"),
        (
            "arguments after `--` are",
            !args.args.is_empty(),
            program,
            "programs",
        ),
        (
            "--pass-exit is",
            !args.pass_exit.is_empty(),
            program,
            "programs",
        ),
        (
            "--fail-exit is",
            !args.fail_exit.is_empty(),
            program,
            "programs",
        ),
    ] {
        if given && !fits {
            let sentence = format!("{name} is {kind}, and {flag} for {whose}");
            return Err(Failure::usage("FLAG-UNFIT", sentence)
                .hint("`leasehold plugin inspect` shows what a plugin takes"));
        }
    }
    Ok(())
}

fn tool(args: &CallArgs, facts: &Facts, name: &str) -> Result<String, Failure> {
    if let Some(tool) = &args.tool {
        return Ok(tool.clone());
    }
    let tools = facts.manifest.iter().flat_map(|manifest| &manifest.tools);
    let tools: Vec<&str> = tools.map(|tool| tool.name.as_str()).collect();
    Err(Failure::usage(
        "TOOL-MISSING",
        format!("{name} is an adapter, and no tool was named"),
    )
    .hint(format!("name one with --tool: {}", tools.join(", "))))
}

fn stdin(args: &CallArgs, context: &Context) -> Result<Vec<u8>, Failure> {
    match &args.stdin {
        None => Ok(Vec::new()),
        Some(path) if path == Path::new("-") => {
            let mut bytes = Vec::new();
            let read = std::io::stdin()
                .lock()
                .take(STDIN_BYTES + 1)
                .read_to_end(&mut bytes);
            read.map_err(|error| Failure::reading("standard input", path, &error))?;
            if bytes.len() as u64 > STDIN_BYTES {
                return Err(Failure::usage(
                    "FILE-TOO-LARGE",
                    format!("standard input has more than {STDIN_BYTES} bytes"),
                ));
            }
            Ok(bytes)
        }
        Some(path) => parse::file(
            "file for standard input",
            &context.ambient.path(path),
            STDIN_BYTES,
        ),
    }
}

/// What a program is called as: a gate where somebody declared its exit codes.
fn kind_of(subject: &Subject, wished: Kind) -> Kind {
    if subject.exit.is_some() {
        Kind::Gate
    } else {
        wished
    }
}
