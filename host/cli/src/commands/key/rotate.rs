//! `leasehold key rotate`: a successor of a key.

use clap::Args;
use leasehold_seal::{Class, Role, Timestamp, Trust, TrustedKey};
use leasehold_tape::{Draft, KeyRotated, Kind};
use serde_json::json;

use super::{Pair, role_names, wanted};
use crate::append;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::{Home, StoredKey, base_name};
use crate::issue::whole_seconds;
use crate::parse;
use crate::session::Session;
use crate::ui::{Line, Style};

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    /// The key's name.
    name: String,
    /// How long the old key keeps its roles: 0s, 10m, 24h or 90d.
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = parse::duration)]
    grace: i64,
}

/// What becomes of a key and of who takes over.
struct Rotation {
    name: String,
    previous: StoredKey,
    roles: Vec<Role>,
    until: Timestamp,
}

pub(super) fn run(args: &RotateArgs, context: &Context) -> anyhow::Result<u8> {
    let session = Session::open(&context.ambient)?;
    let done = rotate(args, &session, context);
    session.close()?;
    done?;
    Ok(exit::PASSED)
}

fn rotate(args: &RotateArgs, session: &Session, context: &Context) -> Result<(), Failure> {
    let home = &session.home;
    let now = context.ambient.now();
    let rotation = rotation(args, home, now)?;
    // Everything that depends on the trust file again and under the lock: somebody else may just have changed it.
    let ((pair, second), record) = append::with_change(session, |_| {
        let trust = home.trust()?;
        let known = known(&trust, &rotation.previous)?;
        let pair = Pair::random(known.second().is_some())?;
        let changed = changed(&trust, &known, &rotation, &pair)?;
        let body = KeyRotated {
            current: pair.key.public().key_id(),
            name: rotation.name.clone(),
            previous: rotation.previous.id,
            roles: rotation.roles.clone(),
            until: rotation.until,
        };
        let draft = Draft::new(Kind::KeyRotated, &body).or_fail()?;
        let second = pair.write(&home.key_path(&rotation.name))?;
        home.set_trust(&changed)?;
        Ok(((pair, second), draft))
    })?;
    let id = pair.key.public().key_id();
    let ui = &context.ui;
    ui.json(&json!({
        "file": home.key_path(&rotation.name),
        "id": id,
        "name": rotation.name,
        "previous": { "id": rotation.previous.id, "name": rotation.previous.name },
        "record": record.seq,
        "roles": rotation.roles,
        "second_file": second,
        "until": rotation.until,
    }));
    ui.talk(Line::styled(Style::Good, "made ").plain(format!(
        "the key {}, which takes over from {} (record {})",
        rotation.name, rotation.previous.name, record.seq
    )));
    ui.talk(format!("  id     {id}"));
    ui.talk(format!("  roles  {}", role_names(&rotation.roles)));
    ui.talk(format!(
        "  {} has them until {}",
        rotation.previous.name, rotation.until
    ));
    if rotation.roles.contains(&Role::Revoker) && home.revocation_list()?.is_some() {
        ui.talk(format!(
            "  the revocation list in use counts for as long as {} may sign it: leasehold lease revoke --renew",
            rotation.previous.name
        ));
    }
    ui.talk("next: give the public key to every trust file that has the old one: `leasehold key export`");
    Ok(())
}

fn rotation(args: &RotateArgs, home: &Home, now: Timestamp) -> Result<Rotation, Failure> {
    let trust = home.trust()?;
    let previous = home.key(&args.name)?;
    let known = known(&trust, &previous)?;
    let roles: Vec<Role> = known
        .roles()
        .filter(|role| *role != Role::Host && known.valid_for(*role, now))
        .collect();
    if roles.is_empty() {
        let sentence = match known.has_role(Role::Host) {
            true => format!(
                "the key {:?} signs the tape of this home and nothing else, and the tape belongs to it",
                args.name
            ),
            false => format!(
                "the key {:?} has no role now that another could take over",
                args.name
            ),
        };
        return Err(Failure::new("KEY-NO-ROLE", Class::Refused, sentence).hint(
            "see `leasehold key list`; a new tape begins with a new home: `leasehold init`",
        ));
    }
    check_counts(&trust, &known, &roles, args.grace)?;
    let until = args.grace.checked_mul(1_000);
    let until = until.and_then(|grace| next_second(now).checked_add_millis(grace));
    Ok(Rotation {
        name: next_name(&previous.name, &trust, home)?,
        previous,
        roles,
        until: until
            .ok_or_else(|| Failure::usage("TIME-RANGE", "the grace ends after the year 9999"))?,
    })
}

fn known(trust: &Trust, key: &StoredKey) -> Result<TrustedKey, Failure> {
    trust.key(&key.id).cloned().ok_or_else(|| {
        let sentence = format!(
            "the trust file does not have the key {:?}, so there is nothing to take over",
            key.name
        );
        Failure::new("KEY-UNTRUSTED", Class::Refused, sentence)
            .hint("make a new key instead: `leasehold key new`")
    })
}

/// While both keys are valid, one person has two of them. Where two signatures are to be those of two people, that must not be.
fn check_counts(
    trust: &Trust,
    known: &TrustedKey,
    roles: &[Role],
    grace: i64,
) -> Result<(), Failure> {
    if grace == 0 {
        return Ok(());
    }
    let threshold = roles.iter().find(|role| trust.threshold(**role) > 1);
    let rule = roles.contains(&Role::Approver).then(|| {
        let mut rules = trust.approvals().iter();
        rules.find(|rule| rule.needed() > 1 && rule.counts(known))
    });
    let why = match (threshold, rule.flatten()) {
        (Some(role), _) => format!(
            "{} different {role} keys have to sign",
            trust.threshold(*role)
        ),
        (None, Some(rule)) => format!("the trust file has the approval rule {rule}"),
        (None, None) => return Ok(()),
    };
    let sentence =
        format!("{why}, and for as long as both keys are valid, one person could sign twice");
    Err(Failure::new("ROTATE-COUNT", Class::Refused, sentence).hint(
        "rotate it with --grace 0s; what only the old key has signed has to be signed again then",
    ))
}

/// The name of the key with the next number that is free.
fn next_name(name: &str, trust: &Trust, home: &Home) -> Result<String, Failure> {
    let base = base_name(name);
    let number = name
        .strip_prefix(base)
        .and_then(|rest| rest.strip_prefix('-')?.parse::<u32>().ok());
    let first = number.map_or(2, |number| number.saturating_add(1));
    let free = |name: &String| {
        !trust.all_keys().iter().any(|key| key.name() == name)
            && home.key_path(name).symlink_metadata().is_err()
            && home.second_path(name).symlink_metadata().is_err()
    };
    let name = (first..first.saturating_add(1_000))
        .map(|number| format!("{base}-{number}"))
        .find(free);
    let name = name.ok_or_else(|| {
        Failure::new(
            "KEY-EXISTS",
            Class::Refused,
            "no name is free for a successor",
        )
    })?;
    crate::home::check_name(&name).map(|()| name)
}

/// The trust file with the successor in it and the ends of the old key's roles. Who may approve by name may do so under the new
/// name too.
fn changed(
    trust: &Trust,
    known: &TrustedKey,
    rotation: &Rotation,
    pair: &Pair,
) -> Result<Trust, Failure> {
    let mut old = known.clone();
    for role in &rotation.roles {
        // A role that ends earlier anyway keeps its end.
        let end = known
            .end_of(*role)
            .map_or(rotation.until, |end| end.min(rotation.until));
        old = old.ending(*role, end);
    }
    let mut keys: Vec<TrustedKey> = trust.all_keys().to_vec();
    keys.retain(|key| key.id() != known.id());
    keys.push(old);
    keys.push(pair.trusted(&rotation.name, &rotation.roles));
    let rules = trust.approvals().iter().map(|rule| match rule.names() {
        Some(names) if names.contains(known.name()) && rotation.roles.contains(&Role::Approver) => {
            let both = names.iter().cloned().chain([rotation.name.clone()]);
            rule.clone().by(both.collect::<Vec<_>>())
        }
        _ => rule.clone(),
    });
    let rules = rules.collect();
    let trust = wanted(trust.clone().with_keys(keys))?;
    wanted(trust.with_approvals(rules))
}

/// The first whole second from here on: what was signed before it is still good when it is looked at.
fn next_second(now: Timestamp) -> Timestamp {
    let second = whole_seconds(now);
    let later = second.checked_add_millis(1_000).unwrap_or(second);
    if second == now { second } else { later }
}

#[cfg(test)]
mod tests {
    use leasehold_seal::{ApprovalRule, RightKind, SecretKey};

    use super::*;

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed([seed; 32])
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn rotation_of(roles: &[Role]) -> Rotation {
        Rotation {
            name: "alice-2".to_owned(),
            previous: StoredKey {
                name: "alice".to_owned(),
                id: key(1).public().key_id(),
                secret: key(1),
            },
            roles: roles.to_vec(),
            until: time("2026-04-01T00:00:00Z"),
        }
    }

    fn trust_of(roles: &[Role]) -> Trust {
        let alice = TrustedKey::new("alice", key(1).public(), roles.iter().copied());
        let bob = TrustedKey::new("bob", key(2).public(), [Role::Approver]);
        let carol = TrustedKey::new("carol", key(4).public(), [Role::Issuer]);
        Trust::new(vec![alice, bob, carol], 1).unwrap()
    }

    fn pair() -> Pair {
        Pair {
            key: key(3),
            second: None,
        }
    }

    #[test]
    fn the_old_key_keeps_the_tape_and_loses_the_rest_at_the_end_of_the_grace() {
        let trust = trust_of(&[Role::Issuer, Role::Host, Role::Revoker]);
        let rotation = rotation_of(&[Role::Issuer, Role::Revoker]);
        let known = trust.key(&rotation.previous.id).unwrap().clone();
        let changed = changed(&trust, &known, &rotation, &pair()).unwrap();
        let old = changed.key(&rotation.previous.id).unwrap();
        let new = changed.key(&key(3).public().key_id()).unwrap();
        let (before, after) = (time("2026-03-31T23:59:59Z"), time("2026-04-01T00:00:00Z"));
        for role in [Role::Issuer, Role::Revoker] {
            assert!(old.valid_for(role, before) && new.valid_for(role, before));
            assert!(!old.valid_for(role, after) && new.valid_for(role, after));
        }
        assert!(old.valid_for(Role::Host, after) && !new.has_role(Role::Host));
    }

    #[test]
    fn an_earlier_end_is_kept() {
        let trust = trust_of(&[Role::Issuer]);
        let rotation = rotation_of(&[Role::Issuer]);
        let early = time("2026-02-01T00:00:00Z");
        let known = trust
            .key(&rotation.previous.id)
            .unwrap()
            .clone()
            .ending(Role::Issuer, early);
        let changed = changed(&trust, &known, &rotation, &pair()).unwrap();
        let old = changed.key(&rotation.previous.id).unwrap();
        assert_eq!(old.end_of(Role::Issuer), Some(early));
    }

    #[test]
    fn nobody_becomes_two_people_by_rotating() {
        let trust = trust_of(&[Role::Approver]);
        let rule = ApprovalRule::new([RightKind::Any], 2).by(["alice", "bob"]);
        let two = trust.clone().with_approvals(vec![rule]).unwrap();
        let known = two
            .all_keys()
            .iter()
            .find(|key| key.name() == "alice")
            .unwrap()
            .clone();
        let refused = check_counts(&two, &known, &[Role::Approver], 60).unwrap_err();
        assert_eq!(refused.code, "ROTATE-COUNT");
        assert!(check_counts(&two, &known, &[Role::Approver], 0).is_ok());
        let rule = ApprovalRule::new([RightKind::Any], 1).by(["alice"]);
        let one = trust.with_approvals(vec![rule]).unwrap();
        assert!(check_counts(&one, &known, &[Role::Approver], 60).is_ok());
        // The rule that names the old key names the new one as well.
        let rotation = rotation_of(&[Role::Approver]);
        let changed = changed(&one, &known, &rotation, &pair()).unwrap();
        let names = changed.approvals()[0].names().unwrap();
        assert!(names.contains("alice") && names.contains("alice-2"));
        let issuers = trust_of(&[Role::Issuer])
            .with_threshold(Role::Issuer, 2)
            .unwrap();
        let refused = check_counts(&issuers, &known, &[Role::Issuer], 60).unwrap_err();
        assert_eq!(refused.code, "ROTATE-COUNT");
    }
}
