//! `leasehold approve`: from a pipeline to a lease that allows exactly what it wants; and approval of leases that others issue.

mod sign;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use leasehold_lease::{Audience, Holder, LeaseDoc, approvals, inspect};
use leasehold_rules::{Change, RightsChange, difference};
use leasehold_seal::{Class, Coded, PayloadType, Role, Timestamp, Trust, TrustedKey};
use serde_json::json;

use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::{Home, StoredKey};
use crate::issue::{self, Terms};
use crate::parse::{self, Expiry};
use crate::rules::{self, LEASE_FILE, Rules, Source, TRUST_FILE};
use crate::session::Session;
use crate::show;
use crate::text::counted;
use crate::ui::{Line, Style, Ui};

/// How long the lease lasts where nothing is said: 90 days.
const EXPIRY: Expiry = Expiry::After(90 * 86_400);

/// Where the lease is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Where {
    /// On every host that trusts the key.
    Any,
    /// On this host only.
    Here,
}

#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The tree. Default: the nearest folder upwards that has a leasehold.toml.
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// How long the lease lasts, or its end.
    #[arg(long, value_name = "DURATION|TIME", value_parser = parse::expiry)]
    expires: Option<Expiry>,
    /// Where it is good. Default: as the lease there is, or any.
    #[arg(long, value_enum)]
    audience: Option<Where>,
    /// The key that signs. Default: the one with the role issuer, with --sign the one with the role approver.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// Approve this lease, which somebody else has issued, by one more signature; it stays the same lease.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["workspace", "expires", "audience"])]
    sign: Option<PathBuf>,
    /// With --sign: sign as one more issuer, where the trust file asks for several, and not as an approver.
    #[arg(long, requires = "sign")]
    as_issuer: bool,
    /// Show the difference and sign nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: &ApproveArgs, context: &Context) -> anyhow::Result<u8> {
    if let Some(file) = &args.sign {
        let wish = sign::Wish {
            file,
            role: if args.as_issuer {
                Role::Issuer
            } else {
                Role::Approver
            },
            key: args.key.as_deref(),
            dry_run: args.dry_run,
        };
        return sign::run(&wish, context);
    }
    let here = context.ambient.path(Path::new(""));
    let root = rules::root(args.workspace.as_deref(), &here)?;
    let session = Session::open(&context.ambient)?;
    let done = approve(args, &root, &session, context);
    session.close()?;
    Ok(done?)
}

fn approve(
    args: &ApproveArgs,
    root: &Path,
    session: &Session,
    context: &Context,
) -> Result<u8, Failure> {
    let rules = Rules::read(Source::Disk(root.to_owned()), &session.home, None)?;
    let (plan, _) = rules.plan()?;
    let wanted = plan.grants().or_fail()?;
    let now = context.ambient.now();
    let before = approved(&rules, session, now, context);
    let grants = before.as_ref().map_or(&[][..], |before| &before.grants);
    let changes = difference(grants, &wanted);
    let terms = terms(args, before.as_ref(), session);
    let ui = &context.ui;
    for change in &changes {
        ui.data(line(change));
    }
    for step in plan.steps() {
        if let Some(config) = step
            .config
            .as_ref()
            .filter(|_| names(&changes, &step.wanted.id))
        {
            ui.data(format!(
                "  configuration {}: {}",
                config.digest(),
                config.text()
            ));
        }
    }
    for line in term_lines(before.as_ref(), &terms, now)? {
        ui.data(line);
    }
    if changes.is_empty() {
        ui.data("the rights are those of the lease there is");
    }
    let key = issue::issuer(session, args.key.as_deref(), now)?;
    let path = root.join(LEASE_FILE);
    if args.dry_run {
        ui.json(&json!({ "changes": changes.iter().map(ToString::to_string).collect::<Vec<_>>(), "signed": null }));
        ui.talk("signed nothing");
        return Ok(exit::PASSED);
    }
    let trust = trust(root, &key, &session.home, ui)?;
    let document = issue::document(key.id, terms, wanted, now)?;
    rules.check_lease(&document)?;
    let issued = issue::issue(session, document, &key, false)?;
    let mut bytes = issued.bytes;
    bytes.push(b'\n');
    rules::write(root, LEASE_FILE, &bytes)?;
    if let Some(text) = &trust {
        rules::write(root, TRUST_FILE, text)?;
    }
    ui.json(&json!({
        "changes": changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "expires": issued.document.expires,
        "lease": issued.id,
        "signed": path,
        "trust": trust.as_ref().map(|_| root.join(TRUST_FILE)),
    }));
    let count = counted(issued.document.grants.len(), "grant", "grants");
    ui.talk(format!(
        "signed {LEASE_FILE}: {count}, until {}, with the key {}",
        issued.document.expires, key.name
    ));
    let open = approvals(&issued.envelope, &issued.document, &session.trust, now);
    for approval in open.iter().filter(|approval| !approval.is_met()) {
        ui.talk(show::approval(approval, &session.trust));
        ui.talk(format!(
            "  approve it: leasehold approve --sign {LEASE_FILE}"
        ));
    }
    if trust.is_some() {
        ui.talk(format!(
            "wrote {TRUST_FILE}: who runs with --rules trusts this key"
        ));
    }
    ui.talk("next: commit them; in CI run `leasehold run --rules origin/main`");
    Ok(exit::PASSED)
}

/// The lease there is, if somebody trusted here has signed it: whoever approves has to see everything that nobody has approved. That
/// it may have ended does not matter for what was approved.
fn approved(
    rules: &Rules,
    session: &Session,
    now: Timestamp,
    context: &Context,
) -> Option<LeaseDoc> {
    let chain = rules.lease.as_ref()?;
    let signed = chain.last().is_some_and(|root| {
        root.open(PayloadType::LEASE, Role::Issuer, &session.trust, now)
            .is_ok()
    });
    // What somebody made of an approved lease is within it.
    match inspect(chain) {
        Ok(hops) if signed => hops.first().map(|hop| hop.document().clone()),
        _ => {
            let sentence = format!(
                "nobody trusted here has signed the {LEASE_FILE} there is, so everything counts as new"
            );
            context
                .ui
                .warning(&Failure::new("LEASE-UNTRUSTED", Class::Refused, sentence));
            None
        }
    }
}

/// Where and how long the lease is to hold: as stated, where nothing is stated as the lease there is.
fn terms(args: &ApproveArgs, before: Option<&LeaseDoc>, session: &Session) -> Terms {
    let audience = match (args.audience, before) {
        (Some(Where::Any), _) | (None, None) => Audience::Any,
        (Some(Where::Here), _) => issue::this_host(session.host),
        (None, Some(before)) => before.audience.clone(),
    };
    Terms {
        audience,
        holder: Holder::None,
        intent: None,
        expires: args.expires.unwrap_or(EXPIRY),
        depth: 0,
        budget: None,
    }
}

/// What changes beside the grants.
fn term_lines(
    before: Option<&LeaseDoc>,
    terms: &Terms,
    now: Timestamp,
) -> Result<Vec<String>, Failure> {
    let words = |audience: &Audience| match audience {
        Audience::Any => "on every host that trusts the key".to_owned(),
        Audience::Hosts(hosts) => format!("on {} only", counted(hosts.len(), "host", "hosts")),
    };
    let mut lines = Vec::new();
    let was = before.map(|before| words(&before.audience));
    let is = words(&terms.audience);
    if was.as_ref() != Some(&is) {
        let instead = was.map_or(String::new(), |was| format!(" instead of {was}"));
        lines.push(format!("+ holds {is}{instead}"));
    }
    let end = issue::end_of(terms.expires, now)?;
    match before {
        Some(before) if before.expires >= end => {
            lines.push(format!("- holds until {end} instead of {}", before.expires));
        }
        Some(before) => lines.push(format!("+ holds until {end} instead of {}", before.expires)),
        None => lines.push(format!("+ holds until {end}")),
    }
    Ok(lines)
}

/// Whether a grant is among the changes.
fn names(changes: &[RightsChange], grant: &str) -> bool {
    changes.iter().any(|change| change.grant == grant)
}

fn line(change: &RightsChange) -> Line {
    let style = match change.change {
        Change::Added | Change::Widened => Style::Warn,
        Change::Removed | Change::Narrowed => Style::Good,
    };
    // Whole: this is what is signed.
    Line::styled(style, change.to_string())
}

/// The trust file to make for runs with rules from a commit; `None` where there is one with the key. One without it is left to
/// people.
fn trust(root: &Path, key: &StoredKey, home: &Home, ui: &Ui) -> Result<Option<Vec<u8>>, Failure> {
    let path = root.join(TRUST_FILE);
    if path.symlink_metadata().is_ok() {
        let bytes = parse::file("trust file", &path, 1 << 20)?;
        let trust = Trust::parse(&bytes).or_fail()?;
        let others = trust.all_keys().iter();
        for other in others.filter(|other| other.id() != key.id && other.has_role(Role::Issuer)) {
            let sentence = format!("{TRUST_FILE} also trusts {} ({})", other.name(), other.id());
            ui.note(
                &Failure::new("ISSUER-OTHER", Class::Refused, sentence)
                    .hint("whoever has that key can approve as well"),
            );
        }
        if trust
            .key(&key.id)
            .is_some_and(|known| known.has_role(Role::Issuer))
        {
            return Ok(None);
        }
        let sentence = format!(
            "{TRUST_FILE} does not have the key {} as an issuer",
            key.name
        );
        return Err(Failure::new("ISSUER-UNTRUSTED", Class::Refused, sentence)
            .hint(format!("sign with a key that it has, or add the public key to it: `leasehold key export {}`", key.name)));
    }
    let mut issuer = TrustedKey::new(&key.name, key.secret.public(), [Role::Issuer]);
    if let Some(second) = home.second(&key.name)? {
        issuer = issuer.with_second(second.public());
    }
    let trust = Trust::new(vec![issuer], 1).map_err(|error| Failure::of(&error as &dyn Coded))?;
    let value: serde_json::Value = serde_json::from_slice(&trust.to_json().or_fail()?)
        .map_err(|error| Failure::new("FAULT", Class::Fault, error.to_string()))?;
    let mut text = format!("{value:#}").into_bytes();
    text.push(b'\n');
    Ok(Some(text))
}
