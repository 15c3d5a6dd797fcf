//! `leasehold secret`: where secrets are that leases call by a name. No value is ever shown.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use leasehold_http::MAX_SECRET_BYTES;
use leasehold_seal::Class;
use serde_json::json;
use zeroize::Zeroizing;

use crate::commands::Context;
use crate::exit;
use crate::failure::Failure;
use crate::home::{Home, SecretSource, check_secret, put_into_keyring, unknown_secret};
use crate::ui::{Line, Style};

/// The most that is read from standard input, in bytes: what is longer is no secret.
const MOST: usize = MAX_SECRET_BYTES + 3;

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Say where a secret is: in a variable, a file, or the keyring of the kernel.
    ///
    /// The home keeps the place, not the value. Whoever may read the place has the secret; a lease that names it says to which host
    /// it is sent, or that the plugin may read it.
    Add(AddArgs),
    /// List the names of secrets and where each is.
    List,
    /// Forget where a secret is. The secret itself stays where it is.
    Remove(NameArgs),
    /// Check that a secret can be read. Says how long it is, not what it is.
    Check(NameArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Its name: 1 to 64 of a-z, 0-9 and -.
    name: String,
    #[command(flatten)]
    place: Place,
    /// Read the value from standard input and put it into the keyring.
    #[arg(long, requires = "keyring")]
    set: bool,
    /// Take the place of what this name stood for.
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// An environment variable, as it is set where calls are made.
    #[arg(long, value_name = "VARIABLE")]
    env: Option<String>,
    /// A file that nobody but its owner can read.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// The keyring of the kernel. Default: leasehold/NAME. Gone after a restart.
    #[arg(long, value_name = "SERVICE/USER", num_args = 0..=1, default_missing_value = "")]
    keyring: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// Its name.
    name: String,
}

pub(crate) fn run(command: &SecretCommand, context: &Context) -> anyhow::Result<u8> {
    let home = Home::open(&context.ambient)?;
    match command {
        SecretCommand::Add(args) => add(args, &home, context)?,
        SecretCommand::List => list(&home, context)?,
        SecretCommand::Remove(args) => remove(&args.name, &home, context)?,
        SecretCommand::Check(args) => check(&args.name, &home, context)?,
    }
    Ok(exit::PASSED)
}

fn add(args: &AddArgs, home: &Home, context: &Context) -> Result<(), Failure> {
    let source = source(args, context);
    check_secret(&args.name, &source)?;
    let mut sources = home.secret_sources()?;
    if let Some(known) = sources.get(&args.name)
        && *known != source
        && !args.replace
    {
        let sentence = format!(
            "the name {:?} stands for {} already",
            args.name,
            known.words()
        );
        return Err(Failure::new("SECRET-EXISTS", Class::Refused, sentence)
            .hint("choose another name, or add --replace"));
    }
    if let (true, SecretSource::Keyring(entry)) = (args.set, &source) {
        put_into_keyring(&args.name, entry, from_stdin()?)?;
    }
    sources.insert(args.name.clone(), source.clone());
    home.set_secret_sources(&sources)?;
    let readable = source.read(&args.name, &context.ambient);
    let ui = &context.ui;
    ui.json(&json!({
        "name": args.name,
        "problem": readable.as_ref().err().map(|failure| &failure.code),
        "source": source,
    }));
    ui.talk(Line::styled(Style::Good, "added ").plain(format!(
        "{}: {}",
        args.name,
        source.words()
    )));
    // It may well be there later; what matters is that it is when it is used.
    if let Err(failure) = readable {
        ui.warning(&failure);
    }
    Ok(())
}

fn source(args: &AddArgs, context: &Context) -> SecretSource {
    let Place { env, file, keyring } = &args.place;
    match (env, file) {
        (Some(variable), _) => SecretSource::Env(variable.clone()),
        (None, Some(file)) => SecretSource::File(context.ambient.path(file)),
        (None, None) => SecretSource::Keyring(match keyring.as_deref() {
            Some(entry) if !entry.is_empty() => entry.to_owned(),
            _ => format!("leasehold/{}", args.name),
        }),
    }
}

/// The value on standard input.
fn from_stdin() -> Result<Vec<u8>, Failure> {
    // As much as can be needed at once, so that no half-read copy stays behind in memory.
    let mut value = Zeroizing::new(Vec::with_capacity(MOST));
    let read = std::io::stdin()
        .lock()
        .take(MOST as u64)
        .read_to_end(&mut value);
    read.map_err(|error| {
        let sentence = format!("standard input could not be read: {error}");
        Failure::new("FILE-UNREADABLE", Class::Blocked, sentence)
    })?;
    Ok(std::mem::take(&mut *value))
}

fn list(home: &Home, context: &Context) -> Result<(), Failure> {
    let sources = home.secret_sources()?;
    let ui = &context.ui;
    ui.json(&json!({ "secrets": sources }));
    for (name, source) in &sources {
        ui.data(Line::styled(Style::Bold, name).plain(format!("  {}", source.words())));
    }
    if sources.is_empty() {
        ui.talk("there are none; `leasehold secret add` says where one is");
    }
    Ok(())
}

fn remove(name: &str, home: &Home, context: &Context) -> Result<(), Failure> {
    let mut sources = home.secret_sources()?;
    let source = sources.remove(name).ok_or_else(|| unknown_secret(name))?;
    home.set_secret_sources(&sources)?;
    let ui = &context.ui;
    ui.json(&json!({ "name": name, "source": source }));
    ui.talk(
        Line::styled(Style::Good, "removed ")
            .plain(format!("{name}; {} stays as it is", source.words())),
    );
    Ok(())
}

fn check(name: &str, home: &Home, context: &Context) -> Result<(), Failure> {
    let sources = home.secret_sources()?;
    let source = sources.get(name).ok_or_else(|| unknown_secret(name))?;
    let value = source.read(name, &context.ambient)?;
    let ui = &context.ui;
    ui.json(&json!({
        "bytes": value.reveal().len(),
        "name": name,
        "source": source,
    }));
    ui.data(Line::styled(Style::Good, "readable").plain(format!(
        ": {name}, {} bytes from {}",
        value.reveal().len(),
        source.words()
    )));
    Ok(())
}
