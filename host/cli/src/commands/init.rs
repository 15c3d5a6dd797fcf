//! `leasehold init`: makes the home.

use std::fs;

use leasehold_seal::{Role, SecretKey, Trust, trust::TrustedKey};
use serde_json::json;

use crate::ambient;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::{Home, LOCAL_KEY, new_private_file};
use crate::session::Session;
use crate::ui::{Line, Style};

pub(crate) fn run(context: &Context) -> anyhow::Result<u8> {
    let ui = &context.ui;
    // Whatever runs in CI is not where rights are given: there leases are brought along.
    let in_ci = context.ambient.var("CI").is_some();
    let roles: &[Role] = if in_ci {
        &[Role::Host]
    } else {
        &[Role::Issuer, Role::Host, Role::Revoker]
    };
    let home = Home::make(&context.ambient)?;
    let session = furnish(context, &home, roles).inspect_err(|_failure| {
        // It was made by this very call, so nothing of anybody's is lost, and the next attempt finds the place free.
        let _ = fs::remove_dir_all(home.folder());
    })?;
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    ui.json(&json!({
        "home": home.folder(),
        "key": { "id": session.host, "name": LOCAL_KEY, "roles": words },
        "tape": session.tape().id(),
    }));
    ui.talk(Line::styled(Style::Good, "made ").plain(format!(
        "the home of Leasehold at {}",
        home.folder().display()
    )));
    ui.talk(format!(
        "  key    {LOCAL_KEY} ({}), roles: {}",
        session.host,
        words.join(", ")
    ));
    ui.talk(format!("  trust  {}", home.trust_path().display()));
    ui.talk(format!("  tape   {}", session.tape().id()));
    if in_ci {
        ui.talk("  CI is set, so there is no issuer key here: lease and trust come from elsewhere");
        ui.talk("next: leasehold run --rules origin/main");
    } else {
        ui.talk("next: leasehold plugin add secrets --step, then leasehold run; or leasehold demo");
    }
    Ok(exit::PASSED)
}

/// Puts key, trust and the first record of the tape into a new home.
fn furnish(context: &Context, home: &Home, roles: &[Role]) -> Result<Session, Failure> {
    let key = SecretKey::from_seed(*ambient::random_secret()?);
    let path = home.key_path(LOCAL_KEY);
    new_private_file(&path, key.to_pkcs8_pem().as_bytes())
        .map_err(|error| Failure::writing("key", &path, &error))?;
    let known = TrustedKey::new(LOCAL_KEY, key.public(), roles.iter().copied());
    home.set_trust(&Trust::new(vec![known], 1).or_fail()?)?;
    let session = Session::of_home(&context.ambient, home.clone())?;
    session.close()?;
    Ok(session)
}
