//! `leasehold approve --sign`: one more signature on a lease that somebody else has issued. The lease stays the same, with the same
//! id.

use std::path::Path;

use leasehold_lease::{Approval, Document, LeaseDoc, approvals, chain_to_json, inspect};
use leasehold_seal::{Class, Envelope, KeyId, PayloadType, Role, Timestamp, Trust, TrustedKey};
use serde_json::json;

use crate::commands::{Context, lease};
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::{Home, StoredKey};
use crate::leased;
use crate::show;
use crate::ui::{Line, Style};

/// What is asked for.
pub(super) struct Wish<'a> {
    /// The lease, with those it was made from.
    pub(super) file: &'a Path,
    /// As what: as an approver, or as one more issuer where the trust file asks for several.
    pub(super) role: Role,
    /// The key; otherwise the first of the home with the role.
    pub(super) key: Option<&'a str>,
    /// Show what would be approved, and sign nothing.
    pub(super) dry_run: bool,
}

pub(super) fn run(wish: &Wish<'_>, context: &Context) -> anyhow::Result<u8> {
    let home = Home::open(&context.ambient)?;
    let (trust, now) = (home.trust()?, context.ambient.now());
    let path = context.ambient.path(wish.file);
    let mut chain = leased::read(&path)?;
    // What was made of a lease is within it and needs no approval of its own: the root is what people approve.
    inspect(&chain).or_fail()?;
    let root = chain.pop().ok_or_else(|| {
        Failure::new(
            "LEASE-CHAIN",
            Class::Integrity,
            "there is no lease in the file",
        )
    })?;
    let document = Document::parse(root.unverified_payload())
        .and_then(Document::into_root)
        .or_fail()?;
    let ui = &context.ui;
    let issuers = issuers(&root, &trust, now);
    let style = match issuers.is_empty() {
        true => Style::Warn,
        false => Style::Good,
    };
    ui.data(Line::styled(style, "signed").plain(format!(
        " by {} of {} needed issuers that are trusted here",
        issuers.len(),
        trust.threshold(Role::Issuer)
    )));
    for line in show::lease(&root.id(), &document, None, Some(&trust), now) {
        ui.data(line);
    }
    if wish.dry_run {
        let before = approvals(&root, &document, &trust, now);
        tell(&root, &before, &trust, None, context);
        ui.talk("signed nothing");
        return Ok(exit::PASSED);
    }
    let key = signer(wish, &home, &trust, now)?;
    if wish.role == Role::Approver {
        check_approver(&document, &key, &issuers, &trust, now)?;
    }
    check_new(&root, &key)?;
    let signed = root.with_signature(&key.secret).or_fail()?;
    let signed = home.with_second(signed, &key, &trust)?;
    let after = approvals(&signed, &document, &trust, now);
    let shown = signed.clone();
    chain.push(signed);
    lease::write_whole("lease", &path, &chain_to_json(&chain).or_fail()?)?;
    tell(&shown, &after, &trust, Some(&key), context);
    let word = match wish.role {
        Role::Approver => "approved ",
        _ => "signed ",
    };
    ui.talk(Line::styled(Style::Good, word).plain(format!(
        "{} with the key {}; the lease is the same, {}",
        wish.file.display(),
        key.name,
        shown.id()
    )));
    Ok(exit::PASSED)
}

/// The issuers of the trust file that have signed.
fn issuers(root: &Envelope, trust: &Trust, now: Timestamp) -> Vec<KeyId> {
    let keys = trust.keys(Role::Issuer, now);
    let signed = keys.filter(|key| root.open_as(PayloadType::LEASE, key.key()).is_ok());
    signed.map(TrustedKey::id).collect()
}

fn signer(
    wish: &Wish<'_>,
    home: &Home,
    trust: &Trust,
    now: Timestamp,
) -> Result<StoredKey, Failure> {
    let role = wish.role;
    let code = |end: &str| format!("{}-{end}", role.as_str().to_uppercase());
    let Some(name) = wish.key else {
        return home.key_with(role, trust, now)?.ok_or_else(|| {
            let sentence = format!("none of the keys in the home has the role {role} now");
            Failure::new(&code("MISSING"), Class::Blocked, sentence).hint(format!(
                "make one: `leasehold key new NAME --role {role}`, and have it entered where leases are checked"
            ))
        });
    };
    let key = home.key(name)?;
    let known = trust.key(&key.id);
    if known.is_some_and(|known| known.valid_for(role, now)) {
        return Ok(key);
    }
    let sentence = format!("the key {name:?} does not have the role {role} now");
    Err(Failure::new(&code("UNTRUSTED"), Class::Refused, sentence)
        .hint("see `leasehold key list`; its signature would count for nothing here"))
}

/// Whoever issues a lease does not approve it.
fn check_approver(
    document: &LeaseDoc,
    key: &StoredKey,
    issuers: &[KeyId],
    trust: &Trust,
    now: Timestamp,
) -> Result<(), Failure> {
    let issues = trust
        .key(&key.id)
        .is_some_and(|known| known.valid_for(Role::Issuer, now));
    if document.issuer == key.id || issuers.contains(&key.id) {
        let sentence = format!(
            "the key {:?} has issued this lease, so it cannot approve it",
            key.name
        );
        return Err(
            Failure::new("APPROVER-ISSUER", Class::Refused, sentence).hint("somebody else has to")
        );
    }
    if issues {
        let sentence = format!(
            "the key {:?} is an issuer here as well, so its signature would count as an issuer's and not as an approval",
            key.name
        );
        return Err(
            Failure::new("APPROVER-ISSUER", Class::Refused, sentence).hint(
                "approve with a key that is no issuer: `leasehold key new NAME --role approver`",
            ),
        );
    }
    Ok(())
}

/// One key counts once.
fn check_new(root: &Envelope, key: &StoredKey) -> Result<(), Failure> {
    let public = key.secret.public();
    if root.open_as(PayloadType::LEASE, &public).is_err() {
        return Ok(());
    }
    let sentence = format!("the key {:?} has signed this lease already", key.name);
    Err(Failure::new("SIGNED-ALREADY", Class::Refused, sentence)
        .hint("one key counts once; others can sign as well"))
}

fn tell(
    root: &Envelope,
    approvals: &[Approval],
    trust: &Trust,
    key: Option<&StoredKey>,
    context: &Context,
) {
    let ui = &context.ui;
    ui.json(&json!({
        "approvals": approvals.iter().map(|approval| json!({
            "met": approval.is_met(),
            "missing": approval.open,
            "rule": approval.rule.to_string(),
            "signed": approval.signed,
        })).collect::<Vec<_>>(),
        "lease": root.id(),
        "signed": key.map(|key| key.id),
    }));
    for approval in approvals {
        ui.data(show::approval(approval, trust));
    }
    if approvals.is_empty() {
        ui.data("the trust file asks for no approval of such a lease");
    }
}
