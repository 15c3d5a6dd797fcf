//! Leases and rights in words, and the command line that would issue them.

mod command;

use leasehold_lease::{
    Approval, Audience, AudienceEntry, Budget, Grant, Holder, HttpGrant, Kind, LeaseDoc, Limits,
    Pattern, SecretGrant,
};
use leasehold_sandbox::Status;
use leasehold_seal::{Digest, KeyId, Timestamp, Trust};

use crate::text::{bytes, clip, grouped, span};
use crate::ui::{Line, Style};

pub(crate) use command::issue_command;

/// A lease for people: what it says about itself, then grant by grant.
pub(crate) fn lease(
    id: &Digest,
    document: &LeaseDoc,
    host: Option<&KeyId>,
    trust: Option<&Trust>,
    now: Timestamp,
) -> Vec<Line> {
    let mut lines = vec![
        row("lease", id.to_string()),
        row("issuer", key_name(&document.issuer, trust)),
        row("valid", window(document.not_before, document.expires, now)),
        row("audience", audience(&document.audience, host, trust)),
    ];
    if let Holder::Key(key) = document.holder {
        lines.push(row("holder", key_name(&key, trust)));
    }
    if let Some(parent) = &document.parent {
        lines.push(row("parent", parent.to_string()));
    }
    if document.depth > 0 {
        lines.push(row(
            "depth",
            format!("{}: so often it may be handed on", document.depth),
        ));
    }
    if let Some(budget) = &document.budget {
        lines.push(row("budget", budget_words(budget)));
    }
    if let Some(intent) = &document.intent {
        lines.push(row("intent", format!("{}: {}", intent.id, intent.summary)));
    }
    for grant in &document.grants {
        lines.extend(rights(grant));
    }
    if document.grants.is_empty() {
        lines.push(row("grants", "none".to_owned()));
    }
    lines
}

/// What one grant allows, for people.
pub(crate) fn rights(grant: &Grant) -> Vec<Line> {
    let files = &grant.files;
    let mut env: Vec<String> = grant
        .env
        .pass
        .iter()
        .map(|name| format!("{name} (as set here)"))
        .collect();
    env.extend(
        grant
            .env
            .set
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    let args: Vec<String> = grant
        .args
        .iter()
        .take(8)
        .map(|vector| format!("{vector:?}"))
        .collect();
    let args = match grant.args.len() {
        0 => "none, so it is called without".to_owned(),
        count if count > args.len() => {
            format!("{} or {} others", args.join(" or "), count - args.len())
        }
        _ => args.join(" or "),
    };
    let mut lines = vec![
        Line::styled(Style::Bold, format!("grant     {}", grant.id)),
        part("plugin", format!("{} ({})", grant.plugin, grant.kind)),
        part("list", patterns(&files.list)),
        part("read", patterns(&files.read)),
        part("write", patterns(&files.write)),
        part("deny", patterns(&files.deny)),
        part("env", or_nothing(&env)),
    ];
    if grant.kind == Kind::Gate || grant.config.is_some() {
        lines.push(part(
            "config",
            grant
                .config
                .map_or("none".to_owned(), |config| config.to_string()),
        ));
    }
    if grant.kind == Kind::Command || !grant.args.is_empty() {
        lines.push(part("args", args));
    }
    let network: Vec<String> = grant.http.iter().map(request).collect();
    lines.push(part("network", or_nothing(&network)));
    if !grant.secrets.is_empty() {
        let secrets: Vec<String> = grant.secrets.iter().map(secret).collect();
        lines.push(part("secrets", or_nothing(&secrets)));
    }
    lines.push(part("limits", limits(&grant.limits)));
    lines
}

/// What a budget allows and the tape has counted, on one line. `lease`: which one, where there are several.
pub(crate) fn left(lease: Option<&Digest>, budget: Option<&Budget>, uses: u64, fuel: u64) -> Line {
    let which = lease.map_or(String::new(), |lease| format!(" of {lease}"));
    let Some(budget) = budget else {
        let counted = format!(
            "{} uses and {} units of fuel{which}, without a budget",
            grouped(uses),
            grouped(fuel)
        );
        return row("counted", counted);
    };
    let of = |most: Option<u64>, used: u64, what: &str| {
        let most = most?;
        let left = grouped(most.saturating_sub(used));
        Some(format!("{left} of {} {what}", grouped(most)))
    };
    let parts = [
        of(budget.uses, uses, "uses"),
        of(budget.fuel, fuel, "units of fuel"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    row("left", format!("{}{which}", parts.join(" and ")))
}

/// Who has approved a lease by a rule of the trust file, and who could.
pub(crate) fn approval(approval: &Approval, trust: &Trust) -> Line {
    let names = |keys: &[KeyId]| {
        let name = |id: &KeyId| {
            trust
                .key(id)
                .map_or_else(|| id.to_string(), |key| key.name().to_owned())
        };
        let names: Vec<String> = keys.iter().map(name).collect();
        match names.is_empty() {
            true => "nobody".to_owned(),
            false => names.join(", "),
        }
    };
    let (word, style) = match approval.is_met() {
        true => ("approved", Style::Good),
        false => ("approval", Style::Warn),
    };
    let line = Line::styled(style, format!("{word:<10}"));
    let who = format!(
        "rule {}; signed by {}",
        approval.rule,
        names(&approval.signed)
    );
    match approval.is_met() {
        true => line.plain(who),
        false => line.plain(format!(
            "{who}; missing: {} more of {}",
            approval.rule.needed().saturating_sub(approval.signed.len()),
            names(&approval.open)
        )),
    }
}

fn budget_words(budget: &Budget) -> String {
    let uses = budget.uses.map(|uses| format!("{} uses", grouped(uses)));
    let fuel = budget
        .fuel
        .map(|fuel| format!("{} units of fuel", grouped(fuel)));
    uses.into_iter()
        .chain(fuel)
        .collect::<Vec<_>>()
        .join(" and ")
}

fn request(entry: &HttpGrant) -> String {
    let blocks: Vec<String> = entry.addresses.iter().map(ToString::to_string).collect();
    match blocks.is_empty() {
        true => entry.to_string(),
        false => format!("{entry} (also at {})", blocks.join(", ")),
    }
}

fn secret(secret: &SecretGrant) -> String {
    match &secret.inject {
        Some(place) => format!(
            "{} (put into {} for {}:{})",
            secret.name,
            place.header.as_str(),
            place.host,
            place.port
        ),
        None => format!("{} (the plugin may read it)", secret.name),
    }
}

/// The word for what came of a step or a call, and how it looks; `None`: not run.
pub(crate) fn status_word(status: Option<Status>) -> (&'static str, Style) {
    match status {
        Some(Status::Pass) => ("pass", Style::Good),
        Some(Status::Fail) => ("fail", Style::Bad),
        Some(Status::Error) => ("error", Style::Bad),
        Some(Status::Blocked) => ("blocked", Style::Warn),
        Some(Status::Skipped) => ("skipped", Style::Warn),
        None => ("not-run", Style::Dim),
    }
}

/// All limits on one line.
pub(crate) fn limits(limits: &Limits) -> String {
    format!(
        "fuel {} · memory {} · time {} · output {} · writes {} · open files {}",
        grouped(limits.fuel),
        bytes(limits.memory_bytes),
        span(std::time::Duration::from_millis(limits.wall_ms)),
        bytes(limits.output_bytes),
        bytes(limits.write_bytes),
        limits.open_files,
    )
}

/// What a grant has for one purpose, short.
pub(crate) fn patterns(patterns: &[Pattern]) -> String {
    let texts: Vec<String> = patterns.iter().map(Pattern::to_string).collect();
    or_nothing(&texts)
}

/// A key by its name in the trust file, with the start of its id.
pub(crate) fn key_name(id: &KeyId, trust: Option<&Trust>) -> String {
    match trust.and_then(|trust| trust.key(id)) {
        Some(key) => format!("{} ({id})", key.name()),
        None => format!("{id} (not in the trust file)"),
    }
}

/// How long until, or since, a moment: in the largest unit that fits.
pub(crate) fn distance(millis: i64) -> String {
    // Rounded, so that an hour from now is still an hour a moment later.
    let seconds = (millis.unsigned_abs() + 500) / 1_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn window(not_before: Timestamp, expires: Timestamp, now: Timestamp) -> String {
    let when = if now < not_before {
        format!("begins in {}", distance(not_before.millis_since(now)))
    } else if now < expires {
        format!("{} left", distance(expires.millis_since(now)))
    } else {
        format!("expired {} ago", distance(now.millis_since(expires)))
    };
    format!("{not_before} until {expires} ({when})")
}

fn audience(audience: &Audience, host: Option<&KeyId>, trust: Option<&Trust>) -> String {
    match audience {
        Audience::Any => "any host".to_owned(),
        Audience::Hosts(entries) => {
            let name = |key: &KeyId| match host {
                Some(host) if host == key => format!("this host ({key})"),
                _ => key_name(key, trust),
            };
            let entry = |entry: &AudienceEntry| match entry.tape {
                Some(tape) => format!("{}, on its tape {tape}", name(&entry.host)),
                None => name(&entry.host),
            };
            or_nothing(&entries.iter().map(entry).collect::<Vec<_>>())
        }
    }
}

fn or_nothing(texts: &[String]) -> String {
    if texts.is_empty() {
        "nothing".to_owned()
    } else {
        clip(&texts.join(", "), 1_000).into_owned()
    }
}

fn row(name: &str, value: String) -> Line {
    Line::styled(Style::Dim, format!("{name:<10}")).plain(value)
}

fn part(name: &str, value: String) -> Line {
    Line::styled(Style::Dim, format!("  {name:<8}")).plain(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance(-5_000), "5 s");
        assert_eq!(distance(3_540_000), "59 min");
        assert_eq!(distance(90_000_000), "25 h");
        assert_eq!(distance(864_000_000), "10 days");
    }
}
