//! Narrowing inside one process: fewer rights out of rights, never more.

use leasehold_seal::{Class, Coded, Timestamp};

use crate::check;
use crate::document::{EnvGrant, FileGrant};
use crate::http::HttpGrant;
use crate::limits::{LIMIT_RANGES, LimitsSpec};
use crate::pattern::{MAX_PATTERNS, Pattern};
use crate::refusal::Refusal;
use crate::rights::{Rights, args_or_empty};
use crate::secret::SecretGrant;

/// Which rights are wanted. What is left out of `files`, `args`, `env`, `http` and `secrets` is not wanted; a limit or time
/// left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RightsSpec {
    /// Wanted file patterns. The `deny` rules here come on top of those there are already.
    pub files: FileGrant,
    /// Wanted argument vectors; none: only the empty vector.
    pub args: Vec<Vec<String>>,
    /// Wanted environment variables.
    pub env: EnvGrant,
    /// Wanted HTTP requests.
    pub http: Vec<HttpGrant>,
    /// Wanted secrets.
    pub secrets: Vec<SecretGrant>,
    /// Wanted limits.
    pub limits: LimitsSpec,
    /// Wanted end; whole seconds are not required.
    pub expires: Option<Timestamp>,
}

/// More was wanted than there is, so nothing is given; or what was wanted is not well-formed.
///
/// Code `RIGHTS-WIDER`, class refused; for what is not well-formed the code a lease would get.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct Wider(#[from] Refusal);

/// One right that is wanted and is more than there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// The field of the grant: `files.read`, `args`, `env.set`, `limits.fuel` and so on.
    pub field: String,
    /// What is wanted there, as a person reads it: a pattern or an argument vector in quotes, the name of a variable, a
    /// number, a time. Empty where the field as a whole is too much.
    pub wanted: String,
    /// What is wrong with it: the rest of a sentence that begins with the field.
    pub problem: String,
}

impl RightsSpec {
    /// Whether the wish is well-formed: the number of patterns, argument vectors and variables, the form of arguments
    /// and variables, and the range of each limit. [`Rights::narrow`] checks the same.
    ///
    /// # Errors
    /// `LEASE-FORMAT` or `LEASE-LIMIT`, as a lease would get.
    pub fn check(&self) -> Result<(), Refusal> {
        self.check_lists()?;
        self.limits.check("limits")
    }

    fn check_lists(&self) -> Result<(), Refusal> {
        check::files("files", &self.files)?;
        check::args("args", &self.args)?;
        check::env("env", &self.env)?;
        check::network("", &self.http, &self.secrets)
    }
}

impl Rights {
    /// The rights wanted, where all of them are within these rights.
    ///
    /// Each wanted pattern must lie within one pattern there is for the same purpose ([`Pattern::covers`]); argument
    /// vectors and variables must be among those there are; limits and end must not be greater. Deny rules are kept,
    /// those of `wanted` added. Plugin, kind, configuration, chain, audience and start stay. Nothing is ever clipped.
    ///
    /// # Errors
    /// [`Wider`] names the first field in which more is wanted than there is; [`Rights::excess`] lists them all.
    pub fn narrow(&self, wanted: &RightsSpec) -> Result<Rights, Wider> {
        wanted.check_lists()?;
        if let Some(first) = self.excess(wanted).into_iter().next() {
            return Err(wider(&first));
        }
        // After the comparison: what is above every range is first of all more than there is.
        wanted.limits.check("limits")?;
        let mut body = self.body().clone();
        body.files = FileGrant {
            deny: self.deny_with(&wanted.files.deny),
            ..wanted.files.clone()
        };
        body.args = args_or_empty(&wanted.args).into_owned();
        body.env = wanted.env.clone();
        body.http = wanted.http.clone();
        body.secrets = wanted.secrets.clone();
        body.limits = wanted.limits.over(self.limits());
        if let Some(expires) = wanted.expires {
            body.expires = expires;
        }
        Ok(self.with_body(body)?)
    }

    /// Every right in which `wanted` is more than there is, in the order of the fields; none: [`Rights::narrow`] gives
    /// what is wanted, where it is well-formed.
    #[must_use]
    pub fn excess(&self, wanted: &RightsSpec) -> Vec<Excess> {
        let mut found = Vec::new();
        self.excess_of_files(&wanted.files, &mut found);
        for vector in args_or_empty(&wanted.args).iter() {
            if !self.allows_args(vector) {
                let vector = format!("{vector:?}");
                found.push(excess(
                    "args",
                    vector.clone(),
                    format!("{vector} is not allowed"),
                ));
            }
        }
        self.excess_of_env(&wanted.env, &mut found);
        self.excess_of_network(wanted, &mut found);
        self.excess_of_limits(&wanted.limits, &mut found);
        if let Some(expires) = wanted.expires {
            let (start, end) = (self.not_before(), self.expires());
            if expires > end {
                let problem = format!("{expires} is after {end}");
                found.push(excess("expires", expires.to_string(), problem));
            } else if expires <= start {
                let problem = format!("{expires} is not after {start}");
                found.push(excess("expires", expires.to_string(), problem));
            }
        }
        found
    }

    fn excess_of_files(&self, wanted: &FileGrant, found: &mut Vec<Excess>) {
        let have = self.files();
        for (field, wanted, have) in [
            ("files.list", &wanted.list, &have.list),
            ("files.read", &wanted.read, &have.read),
            ("files.write", &wanted.write, &have.write),
        ] {
            for pattern in wanted {
                if !have.iter().any(|wide: &Pattern| wide.covers(pattern)) {
                    let quoted = format!("\"{pattern}\"");
                    let problem = format!("{quoted} is not within one pattern of the grant");
                    found.push(excess(field, quoted, problem));
                }
            }
        }
        if self.deny_with(&wanted.deny).len() > MAX_PATTERNS {
            let problem = format!("has more than {MAX_PATTERNS} rules together with the grant's");
            found.push(excess("files.deny", String::new(), problem));
        }
    }

    fn excess_of_env(&self, wanted: &EnvGrant, found: &mut Vec<Excess>) {
        let have = self.env();
        for name in &wanted.pass {
            if !have.pass.contains(name) {
                let problem = format!("{name} is not passed on");
                found.push(excess("env.pass", name.clone(), problem));
            }
        }
        for (name, value) in &wanted.set {
            if have.set.get(name) != Some(value) {
                let problem = format!("{name} is not set to this value");
                found.push(excess("env.set", name.clone(), problem));
            }
        }
    }

    fn excess_of_network(&self, wanted: &RightsSpec, found: &mut Vec<Excess>) {
        for entry in &wanted.http {
            if !self.http().iter().any(|wide| wide.covers(entry)) {
                let entry = entry.to_string();
                let problem = format!("{entry} is not within one entry of the grant");
                found.push(excess("http", entry, problem));
            }
        }
        for secret in &wanted.secrets {
            if !self.secrets().iter().any(|wide| wide.covers(secret)) {
                let problem = format!(
                    "{:?} is not a secret of the grant, or not at this place",
                    secret.name
                );
                found.push(excess("secrets", secret.name.clone(), problem));
            }
        }
    }

    fn excess_of_limits(&self, wanted: &LimitsSpec, found: &mut Vec<Excess>) {
        let have = self.limits().values();
        for (((name, _, _), have), wanted) in
            LIMIT_RANGES.into_iter().zip(have).zip(wanted.values())
        {
            if let Some(wanted) = wanted.filter(|wanted| *wanted > have) {
                let problem = format!("{wanted} is more than {have}");
                let field = format!("limits.{name}");
                found.push(excess(&field, wanted.to_string(), problem));
            }
        }
    }

    /// The deny rules there are, and those of these that are new.
    fn deny_with(&self, more: &[Pattern]) -> Vec<Pattern> {
        let have = &self.files().deny;
        let new = more.iter().filter(|rule| !have.contains(rule));
        have.iter().chain(new).cloned().collect()
    }
}

impl Coded for Wider {
    fn code(&self) -> &'static str {
        self.0.code()
    }

    fn class(&self) -> Class {
        self.0.class()
    }

    fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}

fn excess(field: &str, wanted: String, problem: String) -> Excess {
    Excess {
        field: field.to_owned(),
        wanted,
        problem,
    }
}

fn wider(excess: &Excess) -> Wider {
    let Excess { field, problem, .. } = excess;
    let message = format!("more is wanted than the lease grants: {field}: {problem}");
    Wider(
        Refusal::new("RIGHTS-WIDER", Class::Refused, message)
            .with_hint("ask for less, or have a lease issued that grants it"),
    )
}
