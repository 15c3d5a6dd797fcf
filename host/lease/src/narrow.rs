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

impl Rights {
    /// The rights wanted, where all of them are within these rights.
    ///
    /// Each wanted pattern must lie within one pattern there is for the same purpose ([`Pattern::covers`]); argument
    /// vectors and variables must be among those there are; limits and end must not be greater. Deny rules are kept,
    /// those of `wanted` added. Plugin, kind, configuration, chain, audience and start stay. Nothing is ever clipped.
    ///
    /// # Errors
    /// [`Wider`] names the first field in which more is wanted than there is.
    pub fn narrow(&self, wanted: &RightsSpec) -> Result<Rights, Wider> {
        check::files("files", &wanted.files)?;
        check::args("args", &wanted.args)?;
        check::env("env", &wanted.env)?;
        let mut body = self.body.clone();
        body.files = self.narrow_files(&wanted.files)?;
        body.args = self.narrow_args(&wanted.args)?;
        body.env = self.narrow_env(&wanted.env)?;
        body.limits = self.narrow_limits(&wanted.limits)?;
        if let Some(expires) = wanted.expires {
            if expires > self.expires() {
                return Err(wider(
                    "expires",
                    format_args!("{expires} is after {}", self.expires()),
                ));
            }
            if expires <= self.not_before() {
                return Err(wider(
                    "expires",
                    format_args!("{expires} is not after {}", self.not_before()),
                ));
            }
            body.expires = expires;
        }
        Ok(Rights::new(body)?)
    }

    fn narrow_files(&self, wanted: &FileGrant) -> Result<FileGrant, Wider> {
        let have = self.files();
        for (field, wanted, have) in [
            ("files.list", &wanted.list, &have.list),
            ("files.read", &wanted.read, &have.read),
            ("files.write", &wanted.write, &have.write),
        ] {
            let within = |pattern: &&Pattern| have.iter().any(|wide| wide.covers(pattern));
            if let Some(pattern) = wanted.iter().find(|pattern| !within(pattern)) {
                return Err(wider(
                    field,
                    format_args!("\"{pattern}\" is not within one pattern of the grant"),
                ));
            }
        }
        let mut deny = have.deny.clone();
        deny.extend(
            wanted
                .deny
                .iter()
                .filter(|rule| !have.deny.contains(rule))
                .cloned(),
        );
        if deny.len() > MAX_PATTERNS {
            return Err(wider(
                "files.deny",
                format_args!("has more than {MAX_PATTERNS} rules together with the grant's"),
            ));
        }
        Ok(FileGrant {
            deny,
            ..wanted.clone()
        })
    }

    fn narrow_args(&self, wanted: &[Vec<String>]) -> Result<Vec<Vec<String>>, Wider> {
        let wanted = args_or_empty(wanted);
        match wanted.iter().find(|vector| !self.allows_args(vector)) {
            Some(vector) => Err(wider("args", format_args!("{vector:?} is not allowed"))),
            None => Ok(wanted),
        }
    }

    fn narrow_env(&self, wanted: &EnvGrant) -> Result<EnvGrant, Wider> {
        let have = self.env();
        if let Some(name) = wanted.pass.iter().find(|name| !have.pass.contains(name)) {
            return Err(wider("env.pass", format_args!("{name} is not passed on")));
        }
        if let Some((name, _)) = wanted
            .set
            .iter()
            .find(|(name, value)| have.set.get(*name) != Some(value))
        {
            return Err(wider(
                "env.set",
                format_args!("{name} is not set to this value"),
            ));
        }
        Ok(wanted.clone())
    }

    fn narrow_limits(&self, wanted: &LimitsSpec) -> Result<Limits, Wider> {
        let have = check::limit_values(self.limits());
        let wanted = [
            wanted.fuel,
            wanted.memory_bytes,
            wanted.wall_ms,
            wanted.output_bytes,
            wanted.write_bytes,
            wanted.open_files,
        ];
        let mut values = have;
        for (((name, least, _), value), wish) in
            LIMIT_RANGES.into_iter().zip(&mut values).zip(wanted)
        {
            let Some(wish) = wish else { continue };
            if wish > *value {
                return Err(wider(
                    &format!("limits.{name}"),
                    format_args!("{wish} is more than {value}"),
                ));
            }
            if wish < least {
                return Err(Refusal::limit(
                    &format!("limits.{name}"),
                    format_args!("is {wish}; the least is {least}"),
                )
                .into());
            }
            *value = wish;
        }
        let [
            fuel,
            memory_bytes,
            wall_ms,
            output_bytes,
            write_bytes,
            open_files,
        ] = values;
        Ok(Limits {
            fuel,
            memory_bytes,
            wall_ms,
            output_bytes,
            write_bytes,
            open_files,
        })
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

fn wider(field: &str, problem: impl std::fmt::Display) -> Wider {
    let message = format!("more is wanted than the lease grants: {field}: {problem}");
    Wider(
        Refusal::new("RIGHTS-WIDER", Class::Refused, message)
            .with_hint("ask for less, or have a lease issued that grants it"),
    )
}
