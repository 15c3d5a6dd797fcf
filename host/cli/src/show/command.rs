//! The command line that would issue a lease.

use leasehold_lease::{FileGrant, Grant};

use crate::issue;
use crate::text::quoted;

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
    network_flags(grant, &mut flag);
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

/// Requests and secrets as flags. Addresses that are not the same for all hosts are left out: less is asked for then, not more.
fn network_flags(grant: &Grant, flag: &mut impl FnMut(&str, &str)) {
    for entry in &grant.http {
        flag("http", &entry.to_string());
    }
    let named = || {
        grant
            .http
            .iter()
            .filter(|entry| entry.host.address().is_none())
    };
    let blocks = named()
        .next()
        .map(|entry| entry.addresses.as_slice())
        .unwrap_or_default();
    if named().all(|entry| entry.addresses == blocks) {
        blocks
            .iter()
            .for_each(|block| flag("address", &block.to_string()));
    }
    for secret in &grant.secrets {
        match &secret.inject {
            None => flag("expose", &secret.name),
            Some(place) => {
                let mut text = format!(
                    "{}={}:{}/{}",
                    secret.name,
                    place.host,
                    place.port,
                    place.header.as_str()
                );
                if !place.prefix.is_empty() {
                    text.push(':');
                    text.push_str(&place.prefix);
                }
                flag("secret", &text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use leasehold_lease::{Kind, Limits};
    use leasehold_seal::Digest;

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
    fn the_command_has_requests_and_secrets_in_it() {
        let grant = Grant {
            id: "x".to_owned(),
            plugin: Digest::of(b"plugin"),
            kind: Kind::Adapter,
            config: None,
            args: Vec::new(),
            files: FileGrant::default(),
            env: Default::default(),
            http: vec![crate::parse::http("GET https://api.example.com/v1/**").unwrap()],
            secrets: vec![
                crate::parse::injected("t=api.example.com:443/authorization:Bearer ").unwrap(),
                crate::parse::exposed("seed").unwrap(),
            ],
            clock: Default::default(),
            random: Default::default(),
            limits: issue::default_limits(false),
        };
        assert_eq!(
            issue_command(&grant, "x.wasm", None),
            "leasehold lease issue --plugin x.wasm --kind adapter --http 'GET https://api.example.com:443/v1/**' \
             --secret 't=api.example.com:443/authorization:Bearer ' --expose seed -o x.lease"
        );
    }
}
