//! `leasehold key list`: the keys of the home and of the trust file.

use leasehold_seal::{KeyId, Role, Timestamp, TrustedKey};
use serde_json::json;

use super::role_names;
use crate::commands::Context;
use crate::failure::Failure;
use crate::home::Home;
use crate::ui::{Line, Style};

/// One key of the list.
struct Entry {
    name: String,
    id: KeyId,
    roles: Vec<Role>,
    /// Roles that end before the key does.
    ends: Vec<(Role, Timestamp)>,
    window: (Option<Timestamp>, Option<Timestamp>),
    /// The second key the trust file asks for.
    second: Option<KeyId>,
    secret_here: bool,
    second_here: bool,
}

impl Entry {
    fn trusted(key: &TrustedKey) -> Self {
        Entry {
            name: key.name().to_owned(),
            id: key.id(),
            roles: key.roles().collect(),
            ends: key.ends().collect(),
            window: (key.not_before(), key.not_after()),
            second: key.second().map(leasehold_seal::SecondKey::id),
            secret_here: false,
            second_here: false,
        }
    }
}

pub(super) fn run(home: &Home, context: &Context) -> Result<(), Failure> {
    let entries = entries(home)?;
    let now = context.ambient.now();
    let ui = &context.ui;
    ui.json(&json!({ "keys": entries.iter().map(|entry| json!({
        "ends": entry.ends.iter().map(|(role, end)| (role.as_str(), end)).collect::<std::collections::BTreeMap<_, _>>(),
        "id": entry.id,
        "name": entry.name,
        "not_after": entry.window.1,
        "not_before": entry.window.0,
        "roles": entry.roles,
        "second": entry.second,
        "second_here": entry.second_here,
        "secret_here": entry.secret_here,
    })).collect::<Vec<_>>() }));
    for entry in &entries {
        let place = match (entry.secret_here, entry.second_here) {
            (true, true) => "secret keys here",
            (true, false) => "secret key here",
            _ => "public key only",
        };
        ui.data(Line::styled(Style::Bold, &entry.name));
        ui.data(format!("  id     {}", entry.id));
        if let Some(second) = entry.second {
            ui.data(format!("  second {second} (ML-DSA-44, experimental)"));
        }
        ui.data(format!("  roles  {}", role_names(&entry.roles)));
        for (role, end) in &entry.ends {
            let word = if *end <= now { "ended" } else { "ends" };
            ui.data(format!("         {role} {word} {end}"));
        }
        ui.data(format!("  valid  {}; {place}", validity(entry.window, now)));
    }
    Ok(())
}

/// What the trust file has, and what only lies in the home, by name.
fn entries(home: &Home) -> Result<Vec<Entry>, Failure> {
    let trust = home.trust()?;
    let mut entries: Vec<Entry> = trust.all_keys().iter().map(Entry::trusted).collect();
    for key in home.keys()? {
        let second_here = home.second_path(&key.name).exists();
        match entries.iter_mut().find(|entry| entry.id == key.id) {
            Some(entry) => {
                entry.secret_here = true;
                entry.second_here = second_here;
            }
            None => entries.push(Entry {
                name: key.name,
                id: key.id,
                roles: Vec::new(),
                ends: Vec::new(),
                window: (None, None),
                second: None,
                secret_here: true,
                second_here,
            }),
        }
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
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
