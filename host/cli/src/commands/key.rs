//! `leasehold key`: makes, lists, exports, trusts and rotates keys.

mod list;
mod rotate;
mod trust;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use leasehold_seal::{
    Class, Role, SealError, SecondKey, SecondSecret, SecretKey, Trust, trust::TrustedKey,
};
use serde_json::json;

use crate::ambient;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::{Home, check_name, new_private_file, second_beside};
use crate::ui::{Line, Style};

pub(crate) use trust::public_key;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key in the home, or in a file of its own.
    ///
    /// The key is Ed25519, in PKCS#8 PEM as `openssl genpkey -algorithm ed25519` makes it. With a role it is also entered into the
    /// trust file of the home; without one nothing trusts it yet.
    ///
    /// With --second it gets a second key beside it, ML-DSA-44 (FIPS 204), and its signatures count only where both have signed.
    /// That is an experiment: its file format and its place in the trust file may change.
    New(NewArgs),
    /// List the keys of the home and of the trust file.
    List,
    /// Print a key as PEM: the public one unless asked otherwise.
    Export(ExportArgs),
    /// Enter a public key into the trust file, or give more roles to one that is in it.
    ///
    /// For example the key of a colleague who approves leases: leasehold key trust alice alice.pub.pem --role approver
    Trust(trust::TrustArgs),
    /// Take a key, or some of its roles, out of the trust file. What it has signed counts no longer.
    Distrust(trust::DistrustArgs),
    /// Make a successor of a key; both are trusted for some time.
    ///
    /// The successor gets the next number as its name (local, local-2, local-3 …) and all roles of the key but `host`: a tape
    /// belongs to the key that began it. From the end of the grace on the old key has only that role. New leases are signed with
    /// the successor at once.
    Rotate(rotate::RotateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Its name: 1 to 64 of a-z, 0-9, - and _.
    name: String,
    /// What the key is trusted for here; may be repeated.
    #[arg(long = "role", value_enum, value_name = "ROLE")]
    roles: Vec<KeyRole>,
    /// Make a second key beside it, ML-DSA-44 (experimental); not for the role host.
    #[arg(long)]
    second: bool,
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
    /// The second key (ML-DSA-44, experimental) instead of the first.
    #[arg(long)]
    second: bool,
}

/// The roles that this version enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KeyRole {
    /// Signs leases.
    Issuer,
    /// Signs the tape of one machine.
    Host,
    /// Approves leases that others issue.
    Approver,
    /// Signs revocation lists.
    Revoker,
}

impl From<KeyRole> for Role {
    fn from(role: KeyRole) -> Self {
        match role {
            KeyRole::Issuer => Role::Issuer,
            KeyRole::Host => Role::Host,
            KeyRole::Approver => Role::Approver,
            KeyRole::Revoker => Role::Revoker,
        }
    }
}

pub(crate) fn run(command: &KeyCommand, context: &Context) -> anyhow::Result<u8> {
    // It opens the tape as well.
    if let KeyCommand::Rotate(args) = command {
        return rotate::run(args, context);
    }
    let home = Home::open(&context.ambient)?;
    match command {
        KeyCommand::New(args) => new(args, &home, context)?,
        KeyCommand::List => list::run(&home, context)?,
        KeyCommand::Export(args) => export(args, &home, context)?,
        KeyCommand::Trust(args) => trust::trust(args, &home, context)?,
        KeyCommand::Distrust(args) => trust::distrust(args, &home, context)?,
        KeyCommand::Rotate(_) => {}
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
    if trust.all_keys().iter().any(|key| key.name() == args.name) {
        let sentence = format!("the trust file has a key named {:?} already", args.name);
        return Err(exists(sentence));
    }
    let pair = Pair::random(args.second)?;
    let id = pair.key.public().key_id();
    // Before the key is written: what makes no trust file makes no key either.
    let trusted = with_key(&trust, &args.name, &pair, &roles)?;
    let path = match &args.out {
        Some(out) => context.ambient.path(out),
        None => home.key_path(&args.name),
    };
    let second_path = pair.write(&path)?;
    if let Some(trusted) = trusted {
        home.set_trust(&trusted)?;
    }
    let ui = &context.ui;
    let second = pair.second.as_ref().map(|second| second.public().id());
    ui.json(&json!({
        "file": path,
        "id": id,
        "name": args.name,
        "roles": roles,
        "second": second,
        "second_file": second_path,
    }));
    ui.talk(Line::styled(Style::Good, "made ").plain(format!(
        "the key {} in {}",
        args.name,
        path.display()
    )));
    ui.talk(format!("  id     {id}"));
    if let (Some(second), Some(path)) = (second, &second_path) {
        ui.talk(format!(
            "  second {second} (ML-DSA-44, experimental) in {}",
            path.display()
        ));
    }
    ui.talk(format!("  roles  {}", role_names(&roles)));
    if roles.is_empty() {
        ui.talk("  nothing trusts it yet; `leasehold key export` prints its public half for a trust file");
    }
    Ok(())
}

/// A key, and the second one beside it where it has one.
struct Pair {
    key: SecretKey,
    second: Option<SecondSecret>,
}

impl Pair {
    fn random(second: bool) -> Result<Self, Failure> {
        let second = match second {
            true => Some(SecondSecret::from_seed(*ambient::random_secret()?)),
            false => None,
        };
        Ok(Pair {
            key: SecretKey::from_seed(*ambient::random_secret()?),
            second,
        })
    }

    /// Writes the key, and the second one beside it; says where that is. Nothing is overwritten.
    fn write(&self, path: &Path) -> Result<Option<PathBuf>, Failure> {
        let beside = self
            .second
            .as_ref()
            .map(|second| (second, second_beside(path)));
        // First the one that is found out later to be missing.
        if let Some((second, path)) = &beside {
            write_key(path, second.to_pkcs8_pem().as_bytes())?;
        }
        write_key(path, self.key.to_pkcs8_pem().as_bytes())?;
        Ok(beside.map(|(_, path)| path))
    }

    /// Its entry in a trust file.
    fn trusted(&self, name: &str, roles: &[Role]) -> TrustedKey {
        let entry = TrustedKey::new(name, self.key.public(), roles.iter().copied());
        match self.second_public() {
            Some(second) => entry.with_second(second),
            None => entry,
        }
    }

    fn second_public(&self) -> Option<SecondKey> {
        self.second.as_ref().map(SecondSecret::public)
    }
}

fn write_key(path: &Path, pem: &[u8]) -> Result<(), Failure> {
    new_private_file(path, pem).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            exists(format!("there is something at {} already", path.display()))
        }
        _ => Failure::writing("key", path, &error),
    })
}

fn exists(what: String) -> Failure {
    Failure::new("KEY-EXISTS", Class::Refused, what)
        .hint("choose another name; keys are never overwritten")
}

/// The trust file with one more key in it; `None` when the key has no role.
fn with_key(
    trust: &Trust,
    name: &str,
    pair: &Pair,
    roles: &[Role],
) -> Result<Option<Trust>, Failure> {
    if roles.is_empty() {
        return Ok(None);
    }
    let mut keys = trust.all_keys().to_vec();
    keys.push(pair.trusted(name, roles));
    wanted(trust.clone().with_keys(keys)).map(Some)
}

/// A trust file as somebody wants it. One that cannot be is not broken: it is not what the rules in it allow.
fn wanted(trust: Result<Trust, SealError>) -> Result<Trust, Failure> {
    trust.or_fail().map_err(|mut failure| {
        if failure.class == Class::Integrity {
            failure.class = Class::Refused;
            failure.hint = Some("nothing was changed; thresholds and approval rules are changed in trust.json itself".to_owned());
        }
        failure
    })
}

fn export(args: &ExportArgs, home: &Home, context: &Context) -> Result<(), Failure> {
    let key = home.key(&args.name)?;
    let (id, public, secret) = if args.second {
        let second = home.second(&args.name)?.ok_or_else(|| {
            let sentence = format!("the key {:?} has no second key", args.name);
            Failure::new("KEY-MISSING", Class::Blocked, sentence)
                .hint("only `leasehold key new --second` makes one")
        })?;
        (
            second.public().id(),
            second.public().to_spki_pem(),
            second.to_pkcs8_pem(),
        )
    } else {
        (
            key.id,
            key.secret.public().to_spki_pem(),
            key.secret.to_pkcs8_pem(),
        )
    };
    let (field, pem) = match args.secret {
        true => ("secret", secret.as_str()),
        false => ("key", public.as_str()),
    };
    let ui = &context.ui;
    if ui.is_json() {
        ui.json(&json!({ "id": id, "name": key.name, field: pem }));
    } else {
        ui.raw(pem.as_bytes());
    }
    Ok(())
}

fn role_names(roles: &[Role]) -> String {
    if roles.is_empty() {
        return "none".to_owned();
    }
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    words.join(", ")
}
