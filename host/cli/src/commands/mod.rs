//! What can be typed, and the way from there to an exit code. One file a command.

mod approve;
mod cache;
mod call;
mod completions;
mod doctor;
mod explain;
mod init;
mod key;
mod lease;
mod plan;
mod plugin;
mod policy;
mod report;
mod run;
mod secret;
mod status;
mod tape;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use leasehold_seal::Class;

use crate::ambient::Ambient;
use crate::failure::Failure;
use crate::ui::{Format, Ui};
use crate::{demo, exit};

/// Runs gates, tools and commands that nobody has to trust: each call under a signed lease, and on a tape that anyone can check.
#[derive(Debug, Parser)]
#[command(name = "leasehold", version, after_help = exit::HELP, max_term_width = 110, disable_help_subcommand = true)]
struct Cli {
    /// How results are written: for people, or as JSON.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value = "text"
    )]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the home of this user: a key, the trust file, secrets and a tape.
    Init,
    /// Show in under a minute what Leasehold does, in a temporary home, with plugins that come along.
    ///
    /// Makes a home and a small tree in a temporary folder, lets plugins loose on it that nobody trusts, and shows what they can do
    /// and what not. Takes less than a minute and leaves nothing behind.
    Demo(demo::DemoArgs),
    /// Make, list, export, trust and rotate keys.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Issue, narrow, present, revoke, inspect, verify and import leases.
    #[command(subcommand)]
    Lease(lease::LeaseCommand),
    /// Check policies, and leases and requests against them.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Say where secrets are that leases call by a name.
    #[command(subcommand)]
    Secret(secret::SecretCommand),
    /// Look at plugins without running them.
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Call a plugin under a lease.
    ///
    /// Calls a plugin. Without --lease the call issues itself a lease for ten minutes, where the home has an issuer key and the
    /// plugin wants to list and read only; anything more takes a lease made by `leasehold lease issue`.
    ///
    /// The plugin's answer goes to standard output: a verdict with its findings, the reply of a tool, or what a program prints.
    Call(Box<call::CallArgs>),
    /// Show what a run would do: each step with the rights it gets, defaults included. Runs nothing.
    Plan(plan::PlanArgs),
    /// Run the pipeline of a workspace.
    ///
    /// Runs the steps of leasehold.toml. Without leasehold.lease the run signs itself a lease for ten minutes, where the home has an
    /// issuer key and the steps list and read only; anything more takes a lease made by `leasehold approve`.
    ///
    /// With --rules REF everything that judges is taken from that commit, so that what is judged cannot change it.
    Run(run::RunArgs),
    /// Show the rights that a pipeline wants, and sign a lease for them; or approve a lease that somebody else has issued.
    Approve(approve::ApproveArgs),
    /// Show how a run goes, or went.
    Status(status::StatusArgs),
    /// Show what came of a run: for people, as JSON, or as a page.
    Report(report::ReportArgs),
    /// Look into the results that runs use again.
    #[command(subcommand)]
    Cache(cache::CacheCommand),
    /// Say why a call ended as it did, and the smallest change to the lease that would help.
    Explain(explain::ExplainArgs),
    /// Show and verify tapes.
    #[command(subcommand)]
    Tape(tape::TapeCommand),
    /// Check that home and machine are in order.
    Doctor,
    /// Print completions for a shell.
    ///
    /// For example: leasehold completions bash > ~/.local/share/bash-completion/completions/leasehold
    Completions(completions::CompletionsArgs),
}

/// What every command gets.
pub(crate) struct Context {
    pub(crate) ambient: Ambient,
    pub(crate) ui: Ui,
}

/// Runs the command line of this process.
pub(crate) fn run_process(args: &[OsString]) -> u8 {
    log_to_stderr();
    let format = wanted_format(args);
    // https://no-color.org: present and not empty.
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let ui = Ui::standard(format, colour);
    match Ambient::of_process() {
        Ok(ambient) => run(args, Context { ambient, ui }),
        Err(failure) => {
            ui.failure(&failure);
            ui.finish(exit::of(failure.class))
        }
    }
}

/// Runs a command line in this process; the demo comes in here as well.
pub(crate) fn run(args: &[OsString], context: Context) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return not_a_command(&error, &context.ui),
    };
    let code = match dispatch(cli.command, &context) {
        Ok(code) => code,
        Err(error) => {
            let failure = Failure::from_error(error);
            context.ui.failure(&failure);
            exit::of(failure.class)
        }
    };
    context.ui.finish(code)
}

fn dispatch(command: Command, context: &Context) -> anyhow::Result<u8> {
    match command {
        Command::Init => init::run(context),
        Command::Demo(args) => demo::run(&args, context),
        Command::Key(command) => key::run(&command, context),
        Command::Lease(command) => lease::run(&command, context),
        Command::Policy(command) => policy::run(&command, context),
        Command::Secret(command) => secret::run(&command, context),
        Command::Plugin(command) => plugin::run(&command, context),
        Command::Call(args) => call::run(&args, context),
        Command::Plan(args) => plan::run(&args, context),
        Command::Run(args) => run::run(&args, context),
        Command::Approve(args) => approve::run(&args, context),
        Command::Status(args) => status::run(&args, context),
        Command::Report(args) => report::run(&args, context),
        Command::Cache(command) => cache::run(&command, context),
        Command::Explain(args) => explain::run(&args, context),
        Command::Tape(command) => tape::run(&command, context),
        Command::Doctor => doctor::run(context),
        Command::Completions(args) => completions::run(&args, context),
    }
}

/// Help and version are data; everything else that clap stops at is wrong usage.
fn not_a_command(error: &clap::Error, ui: &Ui) -> u8 {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        ui.raw(error.render().to_string().as_bytes());
        return ui.finish(exit::PASSED);
    }
    if ui.is_json() {
        let text = error.render().to_string();
        let first = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        ui.failure(&Failure::new("USAGE", Class::Usage, first).hint("see `leasehold --help`"));
    } else {
        let text = error.render().to_string();
        let text = text.replacen("error: ", "error[USAGE]: ", 1);
        for line in text.lines() {
            ui.talk(line);
        }
    }
    ui.finish(exit::USAGE)
}

/// The format has to be known before the arguments are, so that wrong usage is also told in it.
fn wanted_format(args: &[OsString]) -> Format {
    let before_plugin_args = args.iter().take_while(|arg| *arg != "--");
    let words: Vec<_> = before_plugin_args
        .map(|arg| arg.to_string_lossy())
        .collect();
    let json = words.iter().any(|word| word == "--format=json")
        || words.windows(2).any(|pair| {
            pair.first().is_some_and(|flag| flag == "--format")
                && pair.last().is_some_and(|value| value == "json")
        });
    if json { Format::Json } else { Format::Text }
}

/// Logging is off unless LEASEHOLD_LOG says otherwise; it goes to standard error.
fn log_to_stderr() {
    let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("LEASEHOLD_LOG") else {
        return;
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn args(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_format_is_known_even_when_the_rest_is_wrong() {
        assert_eq!(
            wanted_format(&args("leasehold --format json nonsense")),
            Format::Json
        );
        assert_eq!(
            wanted_format(&args("leasehold nonsense --format=json")),
            Format::Json
        );
        assert_eq!(
            wanted_format(&args("leasehold call x -- --format json")),
            Format::Text
        );
        assert_eq!(wanted_format(&args("leasehold doctor")), Format::Text);
    }
}
