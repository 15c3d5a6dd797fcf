//! The smallest change to a grant that would have allowed what was refused.

use leasehold_lease::{FileGrant, Grant, Limits, Pattern, RelPath};

use crate::text::quoted;

/// What would help.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Remedy {
    /// Issue the lease with this flag as well; the grant is the one that it makes. `step`: the same for a step of a pipeline.
    Flag {
        flag: String,
        step: String,
        grant: Box<Grant>,
    },
    /// Issue it without this deny rule.
    WithoutDeny { pattern: String, grant: Box<Grant> },
    /// No lease helps; the sentence says why.
    None(&'static str),
}

impl Remedy {
    /// What to do, as half a sentence.
    pub(crate) fn words(&self) -> String {
        match self {
            Remedy::Flag { flag, .. } => format!("issue the lease with {flag}"),
            Remedy::WithoutDeny { pattern, .. } => {
                format!("issue the lease without --deny {}", quoted(pattern))
            }
            Remedy::None(why) => (*why).to_owned(),
        }
    }

    /// What to do about a step of a pipeline. `skip`: what the step says is not judged, which is denied as well.
    pub(crate) fn step_words(&self, skip: &[String]) -> String {
        match self {
            Remedy::Flag { step, .. } => {
                format!("{step}, then `leasehold approve` if a lease was approved")
            }
            Remedy::WithoutDeny { pattern, .. } if skip.contains(pattern) => {
                format!("take {pattern:?} out of `skip`")
            }
            Remedy::WithoutDeny { pattern, .. } => {
                format!(
                    "take {pattern:?} out of `deny`, then `leasehold approve` if a lease was approved"
                )
            }
            Remedy::None(why) => (*why).to_owned(),
        }
    }

    /// The grant with the change.
    pub(crate) fn grant(&self) -> Option<&Grant> {
        match self {
            Remedy::Flag { grant, .. } | Remedy::WithoutDeny { grant, .. } => Some(grant),
            Remedy::None(_) => None,
        }
    }
}

/// What would help against a refusal at a path; `wanted` is `list`, `read` or `write`.
pub(crate) fn of_denial(code: &str, path: &str, wanted: &str, grant: &Grant) -> Remedy {
    match code {
        "PATH-ESCAPE" => {
            return Remedy::None("the path leads out of the workspace, which no lease allows");
        }
        "PATH-PROTECTED" => {
            return Remedy::None(
                "`.git`, the home of Leasehold and files that decide about the call are closed to every plugin",
            );
        }
        "FILE-TYPE" => return Remedy::None("only regular files and folders are ever opened"),
        "HANDLE-RIGHTS" => {
            return Remedy::None("the plugin used a descriptor for what it had not opened it for");
        }
        "LINK-DENIED" => {
            return Remedy::None(
                "a file with more than one name is never written, and read only under --read '**' without --deny",
            );
        }
        "HTTP-DENIED" => {
            return Remedy::None(
                "no http entry of the grant has this method, host, port and path: add one with --http, or in a step with `http`",
            );
        }
        "HTTP-ADDRESS" => {
            return Remedy::None(
                "the name leads to an address that is not a public one: name its block with --address, or in a step with `addresses`",
            );
        }
        code if code.starts_with("HTTP-") => {
            return Remedy::None("the request itself was not in order; docs/lease.md has the code");
        }
        _ => {}
    }
    let denying = RelPath::parse(path)
        .ok()
        .and_then(|path| grant.files.deny.iter().find(|rule| rule.denies(&path)));
    if let Some(rule) = denying {
        let mut changed = grant.clone();
        changed.files.deny.retain(|other| other != rule);
        return Remedy::WithoutDeny {
            pattern: rule.to_string(),
            grant: Box::new(changed),
        };
    }
    // The root has no name of its own; whoever wants to list it wants to see what is in it.
    let text = if path.is_empty() || path == "." {
        "*"
    } else {
        path
    };
    let Ok(pattern) = text.parse::<Pattern>() else {
        return Remedy::None(
            "its name cannot stand in a pattern; use one with `*` that it matches",
        );
    };
    let mut changed = grant.clone();
    let FileGrant {
        list, read, write, ..
    } = &mut changed.files;
    match wanted {
        "list" => list.push(pattern),
        "read" => read.push(pattern),
        _ => write.push(pattern),
    }
    if wanted == "write" && changed.limits.write_bytes == 0 {
        changed.limits.write_bytes = crate::issue::WRITE;
    }
    let key = match wanted {
        "list" | "read" => wanted,
        _ => "write",
    };
    Remedy::Flag {
        flag: format!("--{key} {}", quoted(text)),
        step: format!("add {text:?} to `{key}`"),
        grant: Box::new(changed),
    }
}

/// What would help against a limit; `None` when the code is not that of a limit.
pub(crate) fn of_limit(code: &str, grant: &Grant) -> Option<Remedy> {
    let field: fn(&mut Limits) -> &mut u64 = match code {
        "FUEL-EXHAUSTED" => |limits| &mut limits.fuel,
        "TIME-EXCEEDED" => |limits| &mut limits.wall_ms,
        "MEMORY-EXCEEDED" => |limits| &mut limits.memory_bytes,
        "OUTPUT-EXCEEDED" => |limits| &mut limits.output_bytes,
        "WRITE-QUOTA" => |limits| &mut limits.write_bytes,
        "HANDLES-EXCEEDED" | "OPEN-FILES" => |limits| &mut limits.open_files,
        "STACK-EXHAUSTED" | "LOG-EXCEEDED" | "TRANSFER-EXCEEDED" => {
            return Some(Remedy::None(
                "this limit is the same for every call; the plugin has to want less",
            ));
        }
        _ => return None,
    };
    let (flag, key) = match code {
        "FUEL-EXHAUSTED" => ("fuel", "fuel"),
        "TIME-EXCEEDED" => ("wall-ms", "wall_ms"),
        "MEMORY-EXCEEDED" => ("memory", "memory_bytes"),
        "OUTPUT-EXCEEDED" => ("output", "output_bytes"),
        "WRITE-QUOTA" => ("write-bytes", "write_bytes"),
        _ => ("open-files", "open_files"),
    };
    let mut changed = grant.clone();
    let value = field(&mut changed.limits);
    // How much it would have taken is not known: it was stopped.
    *value = value.saturating_mul(2).max(1);
    Some(Remedy::Flag {
        flag: format!("--{flag} {value}"),
        step: format!("state `limits = {{ {key} = {value} }}`"),
        grant: Box::new(changed),
    })
}

#[cfg(test)]
mod tests {
    use leasehold_lease::Kind;
    use leasehold_seal::Digest;

    use super::*;
    use crate::issue::default_limits;

    fn grant() -> Grant {
        Grant {
            id: "x".to_owned(),
            plugin: Digest::of(b"x"),
            kind: Kind::Command,
            config: None,
            args: Vec::new(),
            files: FileGrant {
                deny: vec!["secret/**".parse().unwrap()],
                ..FileGrant::default()
            },
            env: Default::default(),
            http: Vec::new(),
            secrets: Vec::new(),
            clock: Default::default(),
            random: Default::default(),
            limits: default_limits(false),
        }
    }

    #[test]
    fn a_missing_pattern_is_named_and_makes_the_right() {
        let remedy = of_denial("PATH-DENIED", "docs/a b.md", "write", &grant());
        assert_eq!(remedy.words(), "issue the lease with --write 'docs/a b.md'");
        let changed = remedy.grant().unwrap();
        assert!(changed.files.write[0].matches(&RelPath::parse("docs/a b.md").unwrap()));
        assert!(changed.limits.write_bytes > 0);
        assert_eq!(
            of_denial("PATH-DENIED", ".", "list", &grant()).words(),
            "issue the lease with --list '*'"
        );
    }

    #[test]
    fn a_step_is_told_which_of_its_keys_to_change() {
        let words = |remedy: Remedy| remedy.step_words(&["secret/**".to_owned()]);
        assert_eq!(
            words(of_denial("PATH-DENIED", "a.md", "read", &grant())),
            "add \"a.md\" to `read`, then `leasehold approve` if a lease was approved"
        );
        assert_eq!(
            words(of_denial("PATH-DENIED", "secret/key", "read", &grant())),
            "take \"secret/**\" out of `skip`"
        );
        assert_eq!(
            words(of_limit("MEMORY-EXCEEDED", &grant()).unwrap()),
            "state `limits = { memory_bytes = 536870912 }`, then `leasehold approve` if a lease was approved"
        );
    }

    #[test]
    fn a_deny_rule_is_named_rather_than_outbid() {
        let remedy = of_denial("PATH-DENIED", "Secret/key", "read", &grant());
        assert_eq!(remedy.words(), "issue the lease without --deny 'secret/**'");
        assert!(remedy.grant().unwrap().files.deny.is_empty());
    }

    #[test]
    fn what_no_lease_allows_gets_no_flag() {
        for code in ["PATH-ESCAPE", "PATH-PROTECTED", "FILE-TYPE", "LINK-DENIED"] {
            assert_eq!(of_denial(code, "../x", "read", &grant()).grant(), None);
        }
        assert_eq!(
            of_denial("PATH-DENIED", "a\\b", "read", &grant()).grant(),
            None
        );
        assert_eq!(of_limit("STACK-EXHAUSTED", &grant()).unwrap().grant(), None);
        assert_eq!(of_limit("GATE-FAILED", &grant()), None);
    }

    #[test]
    fn a_limit_is_doubled() {
        let remedy = of_limit("FUEL-EXHAUSTED", &grant()).unwrap();
        assert_eq!(remedy.words(), "issue the lease with --fuel 2000000000");
        assert_eq!(remedy.grant().unwrap().limits.fuel, 2_000_000_000);
    }
}
