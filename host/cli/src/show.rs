//! Leases and rights in words, and the command line that would issue them.

use leasehold_lease::{Audience, FileGrant, Grant, Holder, Kind, LeaseDoc, Limits, Pattern};
use leasehold_sandbox::Status;
use leasehold_seal::{Digest, KeyId, Timestamp, Trust};

use crate::issue;
use crate::text::{bytes, clip, grouped, quoted, span};
use crate::ui::{Line, Style};

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
    lines.push(part("network", "nothing".to_owned()));
    lines.push(part("limits", limits(&grant.limits)));
    lines
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

/// The command that would issue a lease with this grant. `plugin`: a file, or the digest.
pub(crate) fn issue_command(grant: &Grant, plugin: &str, config: Option<&str>) -> String {
    let mut words = vec!["leasehold lease issue".to_owned()];
    let mut flag = |name: &str, value: &str| words.push(format!("--{name} {}", quoted(value)));
    flag("plugin", plugin);
    flag("kind", &grant.kind.to_string());
    // A file tells its name, a digest does not.
    if plugin.starts_with("sha256:") {
        flag("grant", &grant.id);
    }
    let FileGrant {
        list,
        read,
        write,
        deny,
    } = &grant.files;
    for (name, patterns) in [
        ("list", list),
        ("read", read),
        ("write", write),
        ("deny", deny),
    ] {
        for pattern in patterns {
            flag(name, &pattern.to_string());
        }
    }
    match grant.args.as_slice() {
        [] => {}
        [one] => one.iter().for_each(|arg| flag("arg", arg)),
        many => {
            for vector in many {
                flag("args", &serde_json::json!(vector).to_string());
            }
        }
    }
    grant.env.pass.iter().for_each(|name| flag("env", name));
    grant
        .env
        .set
        .iter()
        .for_each(|(name, value)| flag("env", &format!("{name}={value}")));
    if let Some(config) = config {
        flag("config", config);
    }
    let usual = issue::default_limits(!write.is_empty());
    let limits = &grant.limits;
    for (name, value, usual) in [
        ("fuel", limits.fuel, usual.fuel),
        ("memory", limits.memory_bytes, usual.memory_bytes),
        ("wall-ms", limits.wall_ms, usual.wall_ms),
        ("output", limits.output_bytes, usual.output_bytes),
        ("write-bytes", limits.write_bytes, usual.write_bytes),
        ("open-files", limits.open_files, usual.open_files),
    ] {
        if value != usual {
            flag(name, &value.to_string());
        }
    }
    words.push(format!("-o {}.lease", grant.id));
    words.join(" ")
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
            or_nothing(
                &entries
                    .iter()
                    .map(|entry| name(&entry.host))
                    .collect::<Vec<_>>(),
            )
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
    fn the_command_repeats_the_grant_and_leaves_out_what_is_usual() {
        let grant = Grant {
            id: "docs".to_owned(),
            plugin: Digest::of(b"plugin"),
            kind: Kind::Command,
            config: None,
            args: vec![vec!["--in-place".to_owned(), "a b".to_owned()]],
            files: FileGrant {
                write: vec!["docs/**".parse().unwrap()],
                ..FileGrant::default()
            },
            env: Default::default(),
            http: Vec::new(),
            secrets: Vec::new(),
            clock: Default::default(),
            random: Default::default(),
            limits: Limits {
                fuel: 7,
                ..issue::default_limits(true)
            },
        };
        assert_eq!(
            issue_command(&grant, "toc.wasm", None),
            "leasehold lease issue --plugin toc.wasm --kind command --write 'docs/**' --arg --in-place --arg 'a b' \
             --fuel 7 -o docs.lease"
        );
    }

    #[test]
    fn distances() {
        assert_eq!(distance(-5_000), "5 s");
        assert_eq!(distance(3_540_000), "59 min");
        assert_eq!(distance(90_000_000), "25 h");
        assert_eq!(distance(864_000_000), "10 days");
    }
}
