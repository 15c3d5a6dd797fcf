//! Narrowing inside one process: fewer rights out of rights, never more.

use leasehold_seal::{Class, Coded, Timestamp};

use crate::check::{self, LIMIT_RANGES};
use crate::document::{EnvGrant, FileGrant, Limits};
use crate::pattern::{MAX_PATTERNS, Pattern};
use crate::refusal::Refusal;
use crate::rights::{Rights, args_or_empty};

/// Which rights are wanted. What is left out of `files`, `args` and `env` is not wanted; a limit or time left out stays
/// as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RightsSpec {
    /// Wanted file patterns. The `deny` rules here come on top of those there are already.
    pub files: FileGrant,
    /// Wanted argument vectors; none: only the empty vector.
    pub args: Vec<Vec<String>>,
    /// Wanted environment variables.
    pub env: EnvGrant,
    /// Wanted limits.
    pub limits: LimitsSpec,
    /// Wanted end; whole seconds are not required.
    pub expires: Option<Timestamp>,
}

/// Wanted limits, in the units of [`Limits`]; what is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsSpec {
    /// See [`Limits::fuel`].
    pub fuel: Option<u64>,
    /// See [`Limits::memory_bytes`].
    pub memory_bytes: Option<u64>,
    /// See [`Limits::wall_ms`].
    pub wall_ms: Option<u64>,
    /// See [`Limits::output_bytes`].
    pub output_bytes: Option<u64>,
    /// See [`Limits::write_bytes`].
    pub write_bytes: Option<u64>,
    /// See [`Limits::open_files`].
    pub open_files: Option<u64>,
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
        self.limits.check()
    }

    fn check_lists(&self) -> Result<(), Refusal> {
        check::files("files", &self.files)?;
        check::args("args", &self.args)?;
        check::env("env", &self.env)
    }
}

impl LimitsSpec {
    /// The name of each limit with its least and greatest value, in the order of the fields.
    pub const RANGES: [(&'static str, u64, u64); 6] = LIMIT_RANGES;

    /// The limits in the order of [`LimitsSpec::RANGES`].
    #[must_use]
    pub fn values(&self) -> [Option<u64>; 6] {
        [
            self.fuel,
            self.memory_bytes,
            self.wall_ms,
            self.output_bytes,
            self.write_bytes,
            self.open_files,
        ]
    }

    fn check(&self) -> Result<(), Refusal> {
        for ((name, least, most), value) in LIMIT_RANGES.into_iter().zip(self.values()) {
            if let Some(value) = value
                && (value < least || value > most)
            {
                let problem = format!("is {value}; it must be {least} to {most}");
                return Err(Refusal::limit(&format!("limits.{name}"), problem));
            }
        }
        Ok(())
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
        wanted.limits.check()?;
        let mut body = self.body.clone();
        body.files = FileGrant {
            deny: self.deny_with(&wanted.files.deny),
            ..wanted.files.clone()
        };
        body.args = args_or_empty(&wanted.args);
        body.env = wanted.env.clone();
        body.limits = self.limits_with(&wanted.limits);
        if let Some(expires) = wanted.expires {
            body.expires = expires;
        }
        Ok(Rights::new(body)?)
    }

    /// Every right in which `wanted` is more than there is, in the order of the fields; none: [`Rights::narrow`] gives
    /// what is wanted, where it is well-formed.
    #[must_use]
    pub fn excess(&self, wanted: &RightsSpec) -> Vec<Excess> {
        let mut found = Vec::new();
        self.excess_of_files(&wanted.files, &mut found);
        for vector in args_or_empty(&wanted.args) {
            if !self.allows_args(&vector) {
                let vector = format!("{vector:?}");
                found.push(excess(
                    "args",
                    vector.clone(),
                    format!("{vector} is not allowed"),
                ));
            }
        }
        self.excess_of_env(&wanted.env, &mut found);
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

    fn excess_of_limits(&self, wanted: &LimitsSpec, found: &mut Vec<Excess>) {
        let have = check::limit_values(self.limits());
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

    fn limits_with(&self, wanted: &LimitsSpec) -> Limits {
        let have = self.limits();
        Limits {
            fuel: wanted.fuel.unwrap_or(have.fuel),
            memory_bytes: wanted.memory_bytes.unwrap_or(have.memory_bytes),
            wall_ms: wanted.wall_ms.unwrap_or(have.wall_ms),
            output_bytes: wanted.output_bytes.unwrap_or(have.output_bytes),
            write_bytes: wanted.write_bytes.unwrap_or(have.write_bytes),
            open_files: wanted.open_files.unwrap_or(have.open_files),
        }
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
