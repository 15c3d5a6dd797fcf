//! `leasehold key`: makes, lists and exports keys.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use leasehold_seal::{Class, KeyId, Role, SecretKey, Timestamp, Trust, trust::TrustedKey};
use serde_json::json;

use crate::ambient;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::{Home, check_name, new_private_file};
use crate::ui::{Line, Style};

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key in the home, or in a file of its own.
    ///
    /// The key is Ed25519, in PKCS#8 PEM as `openssl genpkey -algorithm ed25519` makes it. With a role it is also entered into the
    /// trust file of the home; without one nothing trusts it yet.
    New(NewArgs),
    /// List the keys of the home and of the trust file.
    List,
    /// Print a key as PEM: the public one unless asked otherwise.
    Export(ExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Its name: 1 to 64 of a-z, 0-9, - and _.
    name: String,
    /// What the key is trusted for here; may be repeated.
    #[arg(long = "role", value_enum, value_name = "ROLE")]
    roles: Vec<KeyRole>,
    /// Where the secret key goes instead of into the home; the file must not exist.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The key's name.
    name: String,
    /// The public key, SPKI PEM (the default).
    #[arg(long, conflicts_with = "secret")]
    public: bool,
    /// The secret key, PKCS#8 PEM. Whoever has it can sign as you.
    #[arg(long)]
    secret: bool,
}

/// The roles that this version enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KeyRole {
    /// Signs leases.
    Issuer,
    /// Signs the tape of one machine.
    Host,
}

impl From<KeyRole> for Role {
    fn from(role: KeyRole) -> Self {
        match role {
            KeyRole::Issuer => Role::Issuer,
            KeyRole::Host => Role::Host,
        }
    }
}

pub(crate) fn run(command: &KeyCommand, context: &Context) -> anyhow::Result<u8> {
    let home = Home::open(&context.ambient)?;
    match command {
        KeyCommand::New(args) => new(args, &home, context)?,
        KeyCommand::List => list(&home, context)?,
        KeyCommand::Export(args) => export(args, &home, context)?,
    }
    Ok(exit::PASSED)
}

fn new(args: &NewArgs, home: &Home, context: &Context) -> Result<(), Failure> {
    check_name(&args.name)?;
    let roles: Vec<Role> = args.roles.iter().map(|role| Role::from(*role)).collect();
    let trust = home.trust()?;
    if args.out.is_none()
        && roles.contains(&Role::Host)
        && home
            .key_with(Role::Host, &trust, context.ambient.now())?
            .is_some()
    {
        return Err(Failure::new(
            "HOST-KEY-EXISTS",
            Class::Refused,
            "the home has a host key, and its tape belongs to that key",
        )
        .hint(
            "make another home with `leasehold init`, or put the key elsewhere with --out FILE",
        ));
    }
    let exists = |what: String| {
        Failure::new("KEY-EXISTS", Class::Refused, what)
            .hint("choose another name; keys are never overwritten")
    };
    if trust.all_keys().iter().any(|key| key.name() == args.name) {
        return Err(exists(format!(
            "the trust file has a key named {:?} already",
            args.name
        )));
    }
    let key = SecretKey::from_seed(*ambient::random_secret()?);
    let id = key.public().key_id();
    // Before the key is written: what makes no trust file makes no key either.
    let trusted = with_key(&trust, &args.name, &key, &roles)?;
    let path = match &args.out {
        Some(out) => context.ambient.path(out),
        None => home.key_path(&args.name),
    };
    new_private_file(&path, key.to_pkcs8_pem().as_bytes()).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            exists(format!("there is something at {} already", path.display()))
        }
        _ => Failure::writing("key", &path, &error),
    })?;
    if let Some(trusted) = trusted {
        home.set_trust(&trusted)?;
    }
    let ui = &context.ui;
    ui.json(&json!({ "file": path, "id": id, "name": args.name, "roles": roles }));
    ui.talk(Line::styled(Style::Good, "made ").plain(format!(
        "the key {} in {}",
        args.name,
        path.display()
    )));
    ui.talk(format!("  id     {id}"));
    ui.talk(format!("  roles  {}", role_names(&roles)));
    if roles.is_empty() {
        ui.talk("  nothing trusts it yet; `leasehold key export` prints its public half for a trust file");
    }
    Ok(())
}

/// The trust file with one more key in it; `None` when the key has no role.
fn with_key(
    trust: &Trust,
    name: &str,
    key: &SecretKey,
    roles: &[Role],
) -> Result<Option<Trust>, Failure> {
    if roles.is_empty() {
        return Ok(None);
    }
    let mut keys = trust.all_keys().to_vec();
    keys.push(TrustedKey::new(name, key.public(), roles.iter().copied()));
    Trust::new(keys, trust.threshold(Role::Issuer))
        .or_fail()
        .map(Some)
}

/// One line of the list.
struct Entry {
    name: String,
    id: KeyId,
    roles: Vec<Role>,
    window: (Option<Timestamp>, Option<Timestamp>),
    secret_here: bool,
}

fn list(home: &Home, context: &Context) -> Result<(), Failure> {
    let trust = home.trust()?;
    let stored = home.keys()?;
    let mut entries: Vec<Entry> = (trust.all_keys().iter())
        .map(|key| Entry {
            name: key.name().to_owned(),
            id: key.id(),
            roles: key.roles().collect(),
            window: (key.not_before(), key.not_after()),
            secret_here: stored.iter().any(|stored| stored.id == key.id()),
        })
        .collect();
    for key in stored {
        if trust.key(&key.id).is_none() {
            entries.push(Entry {
                name: key.name,
                id: key.id,
                roles: Vec::new(),
                window: (None, None),
                secret_here: true,
            });
        }
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let now = context.ambient.now();
    context
        .ui
        .json(&json!({ "keys": entries.iter().map(|entry| json!({
        "id": entry.id,
        "name": entry.name,
        "not_after": entry.window.1,
        "not_before": entry.window.0,
        "roles": entry.roles,
        "secret_here": entry.secret_here,
    })).collect::<Vec<_>>() }));
    for entry in &entries {
        let place = if entry.secret_here {
            "secret key here"
        } else {
            "public key only"
        };
        context.ui.data(Line::styled(Style::Bold, &entry.name));
        context.ui.data(format!("  id     {}", entry.id));
        context
            .ui
            .data(format!("  roles  {}", role_names(&entry.roles)));
        context
            .ui
            .data(format!("  valid  {}; {place}", validity(entry.window, now)));
    }
    Ok(())
}

fn export(args: &ExportArgs, home: &Home, context: &Context) -> Result<(), Failure> {
    let key = home.key(&args.name)?;
    let ui = &context.ui;
    if args.secret {
        let pem = key.secret.to_pkcs8_pem();
        if ui.is_json() {
            ui.json(&json!({ "id": key.id, "name": key.name, "secret": pem.as_str() }));
        } else {
            ui.raw(pem.as_bytes());
        }
        return Ok(());
    }
    let pem = key.secret.public().to_spki_pem();
    if ui.is_json() {
        ui.json(&json!({ "id": key.id, "key": pem, "name": key.name }));
    } else {
        ui.raw(pem.as_bytes());
    }
    Ok(())
}

fn role_names(roles: &[Role]) -> String {
    if roles.is_empty() {
        return "none".to_owned();
    }
    roles
        .iter()
        .map(|role| role.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

fn validity(window: (Option<Timestamp>, Option<Timestamp>), now: Timestamp) -> String {
    let over = window.1.is_some_and(|end| end <= now);
    let not_yet = window.0.is_some_and(|start| now < start);
    let word = match (over, not_yet) {
        (true, _) => "no longer",
        (_, true) => "not yet",
        _ => "now",
    };
    match window {
        (None, None) => "always".to_owned(),
        (Some(start), None) => format!("{word}: from {start}"),
        (None, Some(end)) => format!("{word}: until {end}"),
        (Some(start), Some(end)) => format!("{word}: {start} until {end}"),
    }
}
