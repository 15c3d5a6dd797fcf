//! Checks on a lease document that need no keys, no host and no time.

use leasehold_seal::canonical::{MAX_INTEGER, Value};
use leasehold_seal::{Class, Timestamp};

use crate::document::{
    Audience, EnvGrant, FileGrant, Grant, Holder, Intent, LeaseDoc, Limits, VERSION,
};
use crate::pattern::{MAX_PATTERNS, Pattern};
use crate::refusal::Refusal;

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

/// The name of each limit with its least and greatest value.
pub(crate) const LIMIT_RANGES: [(&str, u64, u64); 6] = [
    ("fuel", 1, MAX_INTEGER.unsigned_abs()),
    ("memory_bytes", 65_536, 4 << 30),
    ("wall_ms", 1, 86_400_000),
    ("output_bytes", 0, MAX_INTEGER.unsigned_abs()),
    ("write_bytes", 0, MAX_INTEGER.unsigned_abs()),
    ("open_files", 0, 4_096),
];

/// What has to be found before the fields are read by type, so that it gets its own code rather than that of a wrong
/// type: version, limits, patterns, clock and randomness. Whatever is missing or of another type here is left to the
/// reading by type.
pub(crate) fn before_reading(lease: &Value) -> Result<(), Refusal> {
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
        limits_before_reading(&at, grant.get("limits"))?;
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

/// Form and ranges of a document whose fields have the right types.
pub(crate) fn shape(lease: &LeaseDoc) -> Result<(), Refusal> {
    if lease.version != VERSION {
        return Err(Refusal::unsupported(
            "version",
            format_args!("is {}; this version reads {VERSION}", lease.version),
        ));
    }
    nonce(&lease.nonce)?;
    if let Some(wish) = &lease.intent {
        intent(wish)?;
    }
    window(lease.not_before, lease.expires)?;
    if let Audience::Hosts(entries) = &lease.audience {
        at_most("audience", entries.len(), MAX_AUDIENCE)?;
    }
    if lease.depth > MAX_INTEGER.unsigned_abs() {
        return Err(Refusal::format("depth", "is greater than 2^53 - 1"));
    }
    at_most("grants", lease.grants.len(), MAX_GRANTS)?;
    for (index, wish) in lease.grants.iter().enumerate() {
        let at = format!("grants[{index}]");
        if lease
            .grants
            .iter()
            .take(index)
            .any(|earlier| earlier.id == wish.id)
        {
            return Err(Refusal::format(
                &format!("{at}.id"),
                format_args!("{:?} is there twice", wish.id),
            ));
        }
        grant(&at, wish)?;
    }
    Ok(())
}

/// Refuses what the document may ask for by its form, but this version does not enforce.
pub(crate) fn supported(lease: &LeaseDoc) -> Result<(), Refusal> {
    if lease.parent.is_some() {
        return Err(Refusal::unsupported(
            "parent",
            "is not null; this version has no chains of leases",
        ));
    }
    if lease.depth > 0 {
        return Err(Refusal::unsupported(
            "depth",
            "is not 0; this version has no chains of leases",
        ));
    }
    if let Holder::Key(_) = lease.holder {
        return Err(Refusal::unsupported(
            "holder",
            "is a key; this version asks nobody to prove a key",
        ));
    }
    if lease.budget.is_some() {
        return Err(Refusal::unsupported(
            "budget",
            "is present; this version counts no uses",
        ));
    }
    if let Audience::Hosts(entries) = &lease.audience
        && let Some(index) = entries.iter().position(|entry| entry.tape.is_some())
    {
        let field = format!("audience[{index}].tape");
        return Err(Refusal::unsupported(
            &field,
            "is present; a tape is named only with a budget",
        ));
    }
    for (index, grant) in lease.grants.iter().enumerate() {
        if !grant.http.is_empty() {
            return Err(Refusal::unsupported(
                &format!("grants[{index}].http"),
                "is not empty; this version has no HTTP",
            ));
        }
        if !grant.secrets.is_empty() {
            let field = format!("grants[{index}].secrets");
            return Err(Refusal::unsupported(
                &field,
                "is not empty; this version has no secrets",
            ));
        }
    }
    Ok(())
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

/// The limits in the order of [`LIMIT_RANGES`].
pub(crate) fn limit_values(limits: &Limits) -> [u64; 6] {
    [
        limits.fuel,
        limits.memory_bytes,
        limits.wall_ms,
        limits.output_bytes,
        limits.write_bytes,
        limits.open_files,
    ]
}

fn grant(at: &str, grant: &Grant) -> Result<(), Refusal> {
    let id_char = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if grant.id.is_empty() || grant.id.len() > 64 || !grant.id.bytes().all(id_char) {
        return Err(Refusal::format(
            &format!("{at}.id"),
            "is not 1 to 64 of a-z, 0-9 and -",
        ));
    }
    args(&format!("{at}.args"), &grant.args)?;
    files(&format!("{at}.files"), &grant.files)?;
    env(&format!("{at}.env"), &grant.env)?;
    for ((name, least, most), value) in LIMIT_RANGES.into_iter().zip(limit_values(&grant.limits)) {
        if value < least || value > most {
            let problem = format!("is {value}; it must be {least} to {most}");
            return Err(Refusal::limit(&format!("{at}.limits.{name}"), problem));
        }
    }
    Ok(())
}

fn limits_before_reading(at: &str, limits: Option<&Value>) -> Result<(), Refusal> {
    let Some(limits) = limits else {
        return Err(Refusal::limit(&format!("{at}.limits"), "is missing"));
    };
    let Some(limits) = limits.as_object() else {
        return Ok(());
    };
    for (name, least, most) in LIMIT_RANGES {
        let field = format!("{at}.limits.{name}");
        match limits.get(name) {
            None | Some(Value::Null) => return Err(Refusal::limit(&field, "is missing")),
            Some(value) if value.as_i64().is_some_and(i64::is_negative) => {
                return Err(Refusal::limit(
                    &field,
                    format_args!("is {value}; it must be {least} to {most}"),
                ));
            }
            Some(_) => {}
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

fn nonce(nonce: &str) -> Result<(), Refusal> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (16..=64).contains(&nonce.len()) && nonce.bytes().all(known) {
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
