//! The grants of a child lease: what the parent has, less what the flags take away.

use clap::ValueEnum;
use leasehold_lease::{ChildGrant, Grant, Hop};
use leasehold_seal::Class;

use super::AttenuateArgs;
use crate::failure::Failure;

/// What can be left out as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    /// No names are seen.
    List,
    /// No files are read.
    Read,
    /// Nothing is written.
    Write,
    /// No arguments are given.
    Args,
    /// No variables are passed on or set.
    Env,
    /// No requests are sent, and no secrets put into them.
    Http,
    /// No secrets are used.
    Secrets,
}

/// The grants that are handed on: those of the parent, less what the flags take away.
pub(super) fn grants(args: &AttenuateArgs, above: &Hop) -> Result<Vec<ChildGrant>, Failure> {
    let has = &above.document().grants;
    for wanted in &args.grants {
        if !has.iter().any(|grant| grant.id == *wanted) {
            let ids: Vec<&str> = has.iter().map(|grant| grant.id.as_str()).collect();
            let sentence = format!("the lease has no grant {wanted:?}");
            return Err(Failure::new("GRANT-UNKNOWN", Class::Refused, sentence)
                .hint(format!("it has: {}", ids.join(", "))));
        }
    }
    let chosen = has
        .iter()
        .filter(|grant| args.grants.is_empty() || args.grants.contains(&grant.id));
    chosen.map(|grant| narrowed(args, grant)).collect()
}

fn narrowed(args: &AttenuateArgs, parent: &Grant) -> Result<ChildGrant, Failure> {
    let rights = &args.rights;
    let mut grant = ChildGrant::all_of(parent);
    for (stated, field) in [
        (&rights.list, &mut grant.files.list),
        (&rights.read, &mut grant.files.read),
        (&rights.write, &mut grant.files.write),
    ] {
        if !stated.is_empty() {
            field.clone_from(stated);
        }
    }
    // The parent's rules stay, or it would be wider.
    for rule in &rights.deny {
        if !grant
            .files
            .deny
            .iter()
            .any(|known| known.as_str() == rule.as_str())
        {
            grant.files.deny.push(rule.clone());
        }
    }
    if let Some(vectors) = rights.vectors() {
        grant.args = vectors;
    }
    if let Some(env) = rights.environment() {
        grant.env = env;
    }
    if let Some(http) = rights.requests()? {
        grant.http = http;
    }
    if !args.secrets.is_empty() {
        let missing = args
            .secrets
            .iter()
            .find(|name| !parent.secrets.iter().any(|secret| secret.name == **name));
        if let Some(name) = missing {
            let sentence = format!("the grant {:?} has no secret {name:?}", parent.id);
            return Err(Failure::new("LEASE-WIDER", Class::Refused, sentence)
                .hint("choose the grant that has it with --grant ID"));
        }
        grant
            .secrets
            .retain(|secret| args.secrets.contains(&secret.name));
    }
    for part in &args.without {
        leave_out(*part, &mut grant);
    }
    grant.limits = rights.limits();
    Ok(grant)
}

fn leave_out(part: Part, grant: &mut ChildGrant) {
    match part {
        Part::List => grant.files.list.clear(),
        Part::Read => grant.files.read.clear(),
        Part::Write => grant.files.write.clear(),
        Part::Args => grant.args.clear(),
        Part::Env => grant.env = Default::default(),
        Part::Http => {
            grant.http.clear();
            grant.secrets.retain(|secret| secret.expose);
        }
        Part::Secrets => grant.secrets.clear(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use leasehold_lease::{Kind, Limits};
    use leasehold_seal::Digest;
    use serde_json::json;

    use super::*;
    use crate::{issue, parse};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: AttenuateArgs,
    }

    fn args(line: &str) -> AttenuateArgs {
        let words = ["x", "parent.lease", "--key", "me"]
            .into_iter()
            .chain(line.split_whitespace());
        Cli::try_parse_from(words).unwrap().args
    }

    fn parent() -> Grant {
        Grant {
            id: "docs".to_owned(),
            plugin: Digest::of(b"plugin"),
            kind: Kind::Command,
            config: None,
            args: vec![vec!["--check".to_owned()], vec!["--fix".to_owned()]],
            files: serde_json::from_value(json!({
                "list": ["**"], "read": ["docs/**"], "write": ["docs/**"], "deny": ["**/.env"]
            }))
            .unwrap(),
            env: serde_json::from_value(json!({ "pass": ["LANG"] })).unwrap(),
            http: vec![parse::http("GET https://api.example.com/v1/**").unwrap()],
            secrets: vec![
                parse::injected("token=api.example.com:443/authorization").unwrap(),
                parse::exposed("seed").unwrap(),
            ],
            clock: Default::default(),
            random: Default::default(),
            limits: Limits {
                write_bytes: 5,
                ..issue::default_limits(true)
            },
        }
    }

    #[test]
    fn what_is_not_said_stays_as_the_parent_has_it() {
        let grant = narrowed(&args(""), &parent()).unwrap();
        assert_eq!(grant, ChildGrant::all_of(&parent()));
    }

    #[test]
    fn what_is_said_takes_the_place_of_what_there_was_and_deny_rules_stay() {
        let line = "--read docs/a.md --write docs/a.md --deny docs/secret --arg --check --fuel 7 --env A=b --secret seed";
        let grant = narrowed(&args(line), &parent()).unwrap();
        let texts = |list: &[leasehold_lease::Pattern]| -> Vec<String> {
            list.iter().map(ToString::to_string).collect()
        };
        assert_eq!(texts(&grant.files.list), ["**"]);
        assert_eq!(texts(&grant.files.read), ["docs/a.md"]);
        assert_eq!(texts(&grant.files.deny), ["**/.env", "docs/secret"]);
        assert_eq!(grant.args, [["--check"]]);
        assert!(grant.env.pass.is_empty() && grant.env.set["A"] == "b");
        assert_eq!((grant.limits.fuel, grant.limits.wall_ms), (Some(7), None));
        let names: Vec<&str> = grant
            .secrets
            .iter()
            .map(|secret| secret.name.as_str())
            .collect();
        assert_eq!(names, ["seed"]);
        assert_eq!(
            narrowed(&args("--secret other"), &parent())
                .unwrap_err()
                .code,
            "LEASE-WIDER"
        );
    }

    #[test]
    fn whole_parts_can_be_left_out() {
        let line = "--without write --without http --without args --without env";
        let grant = narrowed(&args(line), &parent()).unwrap();
        assert!(grant.files.write.is_empty() && grant.http.is_empty());
        assert!(grant.args.is_empty() && grant.env == Default::default());
        // What was to be put into requests goes with them.
        let names: Vec<&str> = grant
            .secrets
            .iter()
            .map(|secret| secret.name.as_str())
            .collect();
        assert_eq!(names, ["seed"]);
        let grant = narrowed(&args("--without secrets"), &parent()).unwrap();
        assert!(grant.secrets.is_empty() && grant.http.len() == 1);
    }
}
