//! Checks on a lease document that need no keys, no host and no time.

use leasehold_seal::canonical::{MAX_INTEGER, Value};
use leasehold_seal::{Class, Timestamp};

use crate::document::{
    Audience, AudienceEntry, Budget, EnvGrant, FileGrant, Intent, LeaseDoc, VERSION,
};
use crate::http::HttpGrant;
use crate::limits::{LIMIT_RANGES, LimitsSpec};
use crate::pattern::{MAX_PATTERNS, Pattern};
use crate::refusal::Refusal;
use crate::secret::SecretGrant;

/// The most generations of children below one lease.
pub const MAX_DEPTH: u64 = 15;
/// The most grants in one lease.
pub const MAX_GRANTS: usize = 256;
/// The most entries in an audience.
pub const MAX_AUDIENCE: usize = 1_024;
/// The most argument vectors in one grant.
pub const MAX_ARGUMENT_VECTORS: usize = 256;
/// The most arguments in one vector.
pub const MAX_ARGUMENTS: usize = 1_024;
/// The most environment variables in one grant, passed on and set together.
pub const MAX_ENV: usize = 256;
/// The longest name of an environment variable, in bytes.
pub const MAX_ENV_NAME_BYTES: usize = 128;

/// What has to be found before the fields are read by type, so that it gets its own code rather than that of a wrong
/// type: version, limits, patterns, clock and randomness. Whatever is missing or of another type here is left to the
/// reading by type. A root lease has to state every limit.
pub(crate) fn before_reading(lease: &Value, is_root: bool) -> Result<(), Refusal> {
    if let Some(version) = lease.get("version").and_then(Value::as_i64)
        && u64::try_from(version) != Ok(VERSION)
    {
        return Err(Refusal::unsupported(
            "version",
            format_args!("is {version}; this version reads {VERSION}"),
        ));
    }
    let grants = lease
        .get("grants")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    for (index, grant) in grants.iter().enumerate() {
        let at = format!("grants[{index}]");
        limits_before_reading(&at, grant.get("limits"), is_root)?;
        for (field, known) in [("clock", "virtual"), ("random", "seeded")] {
            if let Some(wish) = grant.get(field).and_then(Value::as_str)
                && wish != known
            {
                let problem = format!("is {wish:?}; this version has only {known:?}");
                return Err(Refusal::unsupported(&format!("{at}.{field}"), problem));
            }
        }
        patterns_before_reading(&at, grant.get("files"))?;
    }
    Ok(())
}

/// Form and ranges of a root lease whose fields have the right types.
pub(crate) fn root(lease: &LeaseDoc) -> Result<(), Refusal> {
    head(&Head::of(lease))?;
    if lease.parent.is_some() {
        return Err(Refusal::format(
            "parent",
            "is not null; a lease with a parent is a child lease, signed by the holder of its parent",
        ));
    }
    if let Some(budget) = &lease.budget
        && (budget.uses.is_none() || budget.fuel.is_none())
    {
        return Err(Refusal::format(
            "budget",
            "does not state both uses and fuel, as a root lease has to",
        ));
    }
    ids(lease.grants.iter().map(|grant| grant.id.as_str()))?;
    for (index, wish) in lease.grants.iter().enumerate() {
        let at = format!("grants[{index}]");
        grant(
            &at,
            &GrantRef {
                id: &wish.id,
                args: &wish.args,
                files: &wish.files,
                env: &wish.env,
                http: &wish.http,
                secrets: &wish.secrets,
            },
        )?;
        let limits = LimitsSpec::from(wish.limits);
        limits.check(&format!("{at}.limits"))?;
    }
    Ok(())
}

/// What root and child leases have in common, apart from their grants.
pub(crate) struct Head<'a> {
    pub(crate) version: u64,
    pub(crate) audience: &'a Audience,
    pub(crate) intent: Option<&'a Intent>,
    pub(crate) depth: u64,
    pub(crate) nonce: &'a str,
    pub(crate) not_before: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) budget: Option<&'a Budget>,
    pub(crate) grants: usize,
}

impl<'a> Head<'a> {
    fn of(lease: &'a LeaseDoc) -> Self {
        Self {
            version: lease.version,
            audience: &lease.audience,
            intent: lease.intent.as_ref(),
            depth: lease.depth,
            nonce: &lease.nonce,
            not_before: lease.not_before,
            expires: lease.expires,
            budget: lease.budget.as_ref(),
            grants: lease.grants.len(),
        }
    }
}

/// Checks what root and child leases have in common, apart from their grants.
pub(crate) fn head(lease: &Head<'_>) -> Result<(), Refusal> {
    if lease.version != VERSION {
        return Err(Refusal::unsupported(
            "version",
            format_args!("is {}; this version reads {VERSION}", lease.version),
        ));
    }
    nonce(lease.nonce)?;
    if let Some(wish) = lease.intent {
        intent(wish)?;
    }
    window(lease.not_before, lease.expires)?;
    if let Audience::Hosts(entries) = lease.audience {
        at_most("audience", entries.len(), MAX_AUDIENCE)?;
    }
    if lease.depth > MAX_DEPTH {
        return Err(Refusal::format(
            "depth",
            format_args!("is {}, the most is {MAX_DEPTH}", lease.depth),
        ));
    }
    if let Some(wish) = lease.budget {
        budget(wish, lease.audience)?;
    }
    at_most("grants", lease.grants, MAX_GRANTS)
}

/// What the grants of root and child leases have in common.
pub(crate) struct GrantRef<'a> {
    pub(crate) id: &'a str,
    pub(crate) args: &'a [Vec<String>],
    pub(crate) files: &'a FileGrant,
    pub(crate) env: &'a EnvGrant,
    pub(crate) http: &'a [HttpGrant],
    pub(crate) secrets: &'a [SecretGrant],
}

/// Checks one grant, but for its limits.
pub(crate) fn grant(at: &str, grant: &GrantRef<'_>) -> Result<(), Refusal> {
    grant_id(&format!("{at}.id"), grant.id)?;
    args(&format!("{at}.args"), grant.args)?;
    files(&format!("{at}.files"), grant.files)?;
    env(&format!("{at}.env"), grant.env)?;
    network(&format!("{at}."), grant.http, grant.secrets)
}

/// No two grants of a lease have the same id.
pub(crate) fn ids<'a>(ids: impl Iterator<Item = &'a str> + Clone) -> Result<(), Refusal> {
    for (index, id) in ids.clone().enumerate() {
        if ids.clone().take(index).any(|earlier| earlier == id) {
            return Err(Refusal::format(
                &format!("grants[{index}].id"),
                format_args!("{id:?} is there twice"),
            ));
        }
    }
    Ok(())
}

/// Checks the name of a grant.
pub(crate) fn grant_id(at: &str, id: &str) -> Result<(), Refusal> {
    let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if id.is_empty() || id.len() > 64 || !id.bytes().all(known) {
        return Err(Refusal::format(at, "is not 1 to 64 of a-z, 0-9 and -"));
    }
    Ok(())
}

/// Checks outgoing HTTP and secrets. `at`: what stands before the names of the two fields.
pub(crate) fn network(
    at: &str,
    http: &[HttpGrant],
    secrets: &[SecretGrant],
) -> Result<(), Refusal> {
    HttpGrant::check_all(&format!("{at}http"), http)?;
    SecretGrant::check_all(&format!("{at}secrets"), secrets, http)
}

/// Checks the four lists of patterns for their number.
pub(crate) fn files(at: &str, files: &FileGrant) -> Result<(), Refusal> {
    let lists = [
        ("list", &files.list),
        ("read", &files.read),
        ("write", &files.write),
        ("deny", &files.deny),
    ];
    lists
        .iter()
        .try_for_each(|(name, list)| at_most(&format!("{at}.{name}"), list.len(), MAX_PATTERNS))
}

/// Checks argument vectors.
pub(crate) fn args(at: &str, vectors: &[Vec<String>]) -> Result<(), Refusal> {
    at_most(at, vectors.len(), MAX_ARGUMENT_VECTORS)?;
    for (index, vector) in vectors.iter().enumerate() {
        let at = format!("{at}[{index}]");
        at_most(&at, vector.len(), MAX_ARGUMENTS)?;
        if vector.iter().any(|argument| argument.contains('\0')) {
            return Err(Refusal::format(&at, "has an argument that contains NUL"));
        }
    }
    Ok(())
}

/// Checks names and values of environment variables.
pub(crate) fn env(at: &str, env: &EnvGrant) -> Result<(), Refusal> {
    at_most(at, env.pass.len() + env.set.len(), MAX_ENV)?;
    for (index, name) in env.pass.iter().enumerate() {
        env_name(&format!("{at}.pass"), name)?;
        if env.set.contains_key(name) || env.pass.iter().take(index).any(|earlier| earlier == name)
        {
            return Err(Refusal::format(at, format_args!("names {name} twice")));
        }
    }
    for (name, value) in &env.set {
        env_name(&format!("{at}.set"), name)?;
        if value.contains('\0') {
            return Err(Refusal::format(&format!("{at}.set.{name}"), "contains NUL"));
        }
    }
    Ok(())
}

/// A budget is counted on one tape, so the lease has to be for that one alone.
fn budget(budget: &Budget, audience: &Audience) -> Result<(), Refusal> {
    if budget.uses.is_none() && budget.fuel.is_none() {
        return Err(Refusal::format("budget", "states neither uses nor fuel"));
    }
    let most = MAX_INTEGER.unsigned_abs();
    for (name, value) in [("uses", budget.uses), ("fuel", budget.fuel)] {
        if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
            return Err(Refusal::format(
                &format!("budget.{name}"),
                format_args!("is {value}; it must be 1 to {most}"),
            ));
        }
    }
    match audience {
        Audience::Hosts(entries)
            if matches!(entries[..], [AudienceEntry { tape: Some(_), .. }]) =>
        {
            Ok(())
        }
        _ => Err(Refusal::format(
            "budget",
            "needs an audience of exactly one entry with host and tape, where it is counted",
        )),
    }
}

fn limits_before_reading(at: &str, limits: Option<&Value>, all: bool) -> Result<(), Refusal> {
    let Some(limits) = limits else {
        return match all {
            true => Err(Refusal::limit(&format!("{at}.limits"), "is missing")),
            false => Ok(()),
        };
    };
    let Some(limits) = limits.as_object() else {
        return Ok(());
    };
    for (name, least, most) in LIMIT_RANGES {
        let field = format!("{at}.limits.{name}");
        match limits.get(name) {
            None | Some(Value::Null) if all => return Err(Refusal::limit(&field, "is missing")),
            Some(value) if value.as_i64().is_some_and(i64::is_negative) => {
                return Err(Refusal::limit(
                    &field,
                    format_args!("is {value}; it must be {least} to {most}"),
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn patterns_before_reading(at: &str, files: Option<&Value>) -> Result<(), Refusal> {
    for name in ["list", "read", "write", "deny"] {
        let patterns = files
            .and_then(|files| files.get(name))
            .and_then(Value::as_array);
        for (index, pattern) in patterns
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            if let Some(text) = pattern.as_str() {
                text.parse::<Pattern>().map_err(|error| {
                    Refusal::pattern(&format!("{at}.files.{name}[{index}]"), &error)
                })?;
            }
        }
    }
    Ok(())
}

/// Whether a text is 16 to 64 characters of the URL-safe base64 alphabet.
pub(crate) fn is_nonce(nonce: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (16..=64).contains(&nonce.len()) && nonce.bytes().all(known)
}

fn nonce(nonce: &str) -> Result<(), Refusal> {
    if is_nonce(nonce) {
        return Ok(());
    }
    Err(Refusal::format(
        "nonce",
        "is not 16 to 64 of A-Z, a-z, 0-9, - and _",
    ))
}

fn intent(intent: &Intent) -> Result<(), Refusal> {
    let is_line = |text: &str| !text.chars().any(char::is_control);
    if intent.id.is_empty() || intent.id.chars().count() > 128 || !is_line(&intent.id) {
        return Err(Refusal::format(
            "intent.id",
            "is not 1 to 128 characters without control characters",
        ));
    }
    if intent.summary.chars().count() > 1_000 || !is_line(&intent.summary) {
        return Err(Refusal::format(
            "intent.summary",
            "is not at most 1000 characters without control characters",
        ));
    }
    Ok(())
}

fn window(not_before: Timestamp, expires: Timestamp) -> Result<(), Refusal> {
    for (name, time) in [("not_before", not_before), ("expires", expires)] {
        if time.as_millis() % 1_000 != 0 {
            return Err(Refusal::format(name, "is not a whole second"));
        }
    }
    if expires > not_before {
        return Ok(());
    }
    let message =
        format!("the lease expires at {expires}, which is not after its start at {not_before}");
    Err(Refusal::new("LEASE-WINDOW", Class::Refused, message)
        .with_hint("have a lease issued whose end is after its start"))
}

fn env_name(at: &str, name: &str) -> Result<(), Refusal> {
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if starts && name.len() <= MAX_ENV_NAME_BYTES && name.bytes().all(known) {
        return Ok(());
    }
    Err(Refusal::format(
        at,
        format_args!(
            "has {name:?}, which is not 1 to 128 of A-Z, a-z, 0-9 and _, digits not first"
        ),
    ))
}

fn at_most(at: &str, found: usize, most: usize) -> Result<(), Refusal> {
    if found <= most {
        return Ok(());
    }
    Err(Refusal::format(
        at,
        format_args!("has {found} entries, the most is {most}"),
    ))
}
