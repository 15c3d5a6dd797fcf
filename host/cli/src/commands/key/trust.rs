//! `leasehold key trust` and `key distrust`: public keys of others in the trust file.

use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_seal::{Class, PublicKey, Role, SecondKey, Timestamp, Trust, TrustedKey};
use serde_json::json;

use super::{KeyRole, role_names, wanted};
use crate::commands::Context;
use crate::failure::{Failure, OrFail};
use crate::home::Home;
use crate::issue::whole_seconds;
use crate::parse::{self, Expiry};
use crate::ui::{Line, Style};

/// The largest file of a public key that is read, in bytes.
const KEY_BYTES: u64 = 16 << 10;

#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// Its name in the trust file.
    name: String,
    /// The public key: SPKI PEM, as `leasehold key export` and `openssl pkey -pubout` print it. May be left out for a key that is
    /// in the trust file or the home already.
    file: Option<PathBuf>,
    /// What the key is trusted for; may be repeated.
    #[arg(long = "role", value_enum, value_name = "ROLE", required = true)]
    roles: Vec<KeyRole>,
    /// The first moment at which it is trusted: a time, or a duration from now.
    #[arg(long, value_name = "WHEN", value_parser = parse::expiry)]
    from: Option<Expiry>,
    /// The first moment at which it is trusted no longer: a time, or a duration from now.
    #[arg(long, value_name = "WHEN", value_parser = parse::expiry)]
    until: Option<Expiry>,
    /// Its second public key, ML-DSA-44 as SPKI PEM: signatures count only where both have signed (experimental).
    #[arg(long, value_name = "FILE")]
    second: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DistrustArgs {
    /// Its name in the trust file.
    name: String,
    /// Take only this role from it; may be repeated.
    #[arg(long = "role", value_enum, value_name = "ROLE")]
    roles: Vec<KeyRole>,
}

pub(super) fn trust(args: &TrustArgs, home: &Home, context: &Context) -> Result<(), Failure> {
    let trust = home.trust()?;
    let now = context.ambient.now();
    let known = trust.all_keys().iter().find(|key| key.name() == args.name);
    let stated = match &args.file {
        Some(file) => Some(public_key(&context.ambient.path(file))?),
        None => None,
    };
    let key = match (stated, known) {
        (Some(key), Some(known)) if known.id() != key.key_id() => {
            let sentence = format!(
                "the trust file has another key named {:?}: {}",
                args.name,
                known.id()
            );
            return Err(Failure::new("KEY-EXISTS", Class::Refused, sentence).hint(
                "choose another name, or take that one out first: `leasehold key distrust`",
            ));
        }
        (Some(key), _) => key,
        (None, Some(known)) => *known.key(),
        (None, None) => home.key(&args.name)?.secret.public(),
    };
    let mut roles: Vec<Role> = args.roles.iter().map(|role| Role::from(*role)).collect();
    check_host(&roles, known, &key, home, &trust, now)?;
    roles.extend(known.into_iter().flat_map(TrustedKey::roles));
    let moment = |when: Option<Expiry>| match when {
        None => Ok(None),
        Some(when) => when
            .end(whole_seconds(now))
            .map(Some)
            .ok_or_else(|| Failure::usage("TIME-RANGE", "the time lies after the year 9999")),
    };
    let window = (
        moment(args.from)?.or(known.and_then(TrustedKey::not_before)),
        moment(args.until)?.or(known.and_then(TrustedKey::not_after)),
    );
    let mut entry = TrustedKey::new(&args.name, key, roles).valid_within(window.0, window.1);
    let second = match &args.second {
        Some(file) => Some(second_key(&context.ambient.path(file))?),
        None => second_of(known, &key, home)?,
    };
    if let Some(second) = second {
        entry = entry.with_second(second);
    }
    for (role, end) in known.into_iter().flat_map(TrustedKey::ends) {
        // A role that is given anew does not end any more.
        if !args.roles.iter().any(|given| Role::from(*given) == role) {
            entry = entry.ending(role, end);
        }
    }
    let id = entry.id();
    let mut keys = without(&trust, &args.name);
    keys.push(entry);
    let trust = wanted(trust.with_keys(keys))?;
    home.set_trust(&trust)?;
    report("trusts", &args.name, trust.key(&id), context);
    Ok(())
}

pub(super) fn distrust(args: &DistrustArgs, home: &Home, context: &Context) -> Result<(), Failure> {
    let trust = home.trust()?;
    let Some(known) = trust.all_keys().iter().find(|key| key.name() == args.name) else {
        let names: Vec<&str> = trust.all_keys().iter().map(TrustedKey::name).collect();
        let sentence = format!("the trust file has no key named {:?}", args.name);
        return Err(Failure::new("KEY-MISSING", Class::Blocked, sentence)
            .hint(format!("it has: {}", names.join(", "))));
    };
    let taken: Vec<Role> = match args.roles.is_empty() {
        true => known.roles().collect(),
        false => args.roles.iter().map(|role| Role::from(*role)).collect(),
    };
    let now = context.ambient.now();
    let host = home.key_with(Role::Host, &trust, now)?;
    if taken.contains(&Role::Host) && host.is_some_and(|host| host.id == known.id()) {
        let sentence = format!(
            "the tape of this home is signed by {:?}, so nothing could be recorded without it",
            args.name
        );
        return Err(Failure::new("HOST-KEY-NEEDED", Class::Refused, sentence)
            .hint("take only other roles from it with --role, or make another home"));
    }
    let id = known.id();
    let left: Vec<Role> = known.roles().filter(|role| !taken.contains(role)).collect();
    let mut keys = without(&trust, &args.name);
    if !left.is_empty() {
        let mut entry = TrustedKey::new(known.name(), *known.key(), left.iter().copied())
            .valid_within(known.not_before(), known.not_after());
        if let Some(second) = known.second() {
            entry = entry.with_second(second.clone());
        }
        for (role, end) in known.ends().filter(|(role, _)| left.contains(role)) {
            entry = entry.ending(role, end);
        }
        keys.push(entry);
    }
    let trust = wanted(trust.with_keys(keys))?;
    home.set_trust(&trust)?;
    report("trusts no longer", &args.name, trust.key(&id), context);
    Ok(())
}

/// A home has one tape, and that has one key: another host's key is trusted so that its tapes can be checked, but a second key of
/// this home is no host key.
fn check_host(
    roles: &[Role],
    known: Option<&TrustedKey>,
    key: &PublicKey,
    home: &Home,
    trust: &Trust,
    now: Timestamp,
) -> Result<(), Failure> {
    let adds =
        roles.contains(&Role::Host) && !known.is_some_and(|known| known.has_role(Role::Host));
    let ours = || Ok::<_, Failure>(home.keys()?.iter().any(|one| one.id == key.key_id()));
    if adds && home.key_with(Role::Host, trust, now)?.is_some() && ours()? {
        let sentence = "the home has a host key, and its tape belongs to that key";
        return Err(Failure::new("HOST-KEY-EXISTS", Class::Refused, sentence)
            .hint("give the key other roles, or make another home with `leasehold init`"));
    }
    Ok(())
}

/// The second key that the entry has, or that lies beside the key in the home.
fn second_of(
    known: Option<&TrustedKey>,
    key: &PublicKey,
    home: &Home,
) -> Result<Option<SecondKey>, Failure> {
    if let Some(known) = known {
        return Ok(known.second().cloned());
    }
    match home.keys()?.iter().find(|one| one.id == key.key_id()) {
        Some(stored) => Ok(home.second(&stored.name)?.map(|second| second.public())),
        None => Ok(None),
    }
}

fn without(trust: &Trust, name: &str) -> Vec<TrustedKey> {
    let keys = trust.all_keys().iter();
    keys.filter(|key| key.name() != name).cloned().collect()
}

/// The public key in a file.
pub(crate) fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let text = pem(path)?;
    PublicKey::from_spki_pem(&text)
        .or_fail()
        .map_err(|failure| in_file(failure, &text, path))
}

fn second_key(path: &Path) -> Result<SecondKey, Failure> {
    let text = pem(path)?;
    SecondKey::from_spki_pem(&text)
        .or_fail()
        .map_err(|failure| in_file(failure, &text, path))
}

fn pem(path: &Path) -> Result<String, Failure> {
    let bytes = parse::file("public key", path, KEY_BYTES)?;
    // What is no text is no PEM either, and is refused as that.
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

fn in_file(failure: Failure, text: &str, path: &Path) -> Failure {
    let failure = failure.detail(format!("in {}", path.display()));
    if text.contains("PRIVATE KEY") {
        return failure
            .hint("that is a secret key; give the public one: `leasehold key export NAME`");
    }
    failure
}

fn report(word: &str, name: &str, entry: Option<&TrustedKey>, context: &Context) {
    let roles: Vec<Role> = entry.into_iter().flat_map(TrustedKey::roles).collect();
    let ui = &context.ui;
    ui.json(&json!({
        "id": entry.map(TrustedKey::id),
        "name": name,
        "not_after": entry.and_then(TrustedKey::not_after),
        "not_before": entry.and_then(TrustedKey::not_before),
        "roles": roles,
        "second": entry.and_then(TrustedKey::second).map(SecondKey::id),
    }));
    ui.talk(Line::styled(Style::Good, format!("{word} ")).plain(name.to_owned()));
    if let Some(entry) = entry {
        ui.talk(format!("  id     {}", entry.id()));
    }
    ui.talk(format!("  roles  {}", role_names(&roles)));
}
