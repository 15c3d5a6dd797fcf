//! One rule of a policy about grants: the most that a grant may have.

use leasehold_lease::{EnvGrant, FileGrant, Grant, HttpGrant, Kind, LimitsSpec, RightsSpec};
use leasehold_seal::{Coded, Digest};
use serde_json::Value;

use super::MAX_LIST;
use super::json::{Fields, Reader};
use crate::network::http_text;

/// A rule about grants. A grant is within the policy when one rule holds all of it; nothing is put together from two.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantRule {
    /// Its name within the policy.
    pub id: String,
    /// The plugins it is about; `None`: any.
    pub plugins: Option<Vec<Digest>>,
    /// What they may be used as.
    pub kinds: Vec<Kind>,
    /// Patterns within which the grant's have to lie, each within one; the deny rules are those that a grant has to
    /// have, literally, where it has any other pattern.
    pub files: FileGrant,
    /// The argument vectors, each as a whole; `None`: any. An empty list stands for the empty vector, as in a lease.
    pub args: Option<Vec<Vec<String>>>,
    /// Environment variables, those that are set with their values.
    pub env: EnvGrant,
    /// Outgoing HTTP: each entry of the grant has to lie within one of these.
    pub http: Vec<HttpGrant>,
    /// Names of secrets.
    pub secrets: Vec<String>,
    /// Whether a plugin may read one of these secrets itself.
    pub expose: bool,
    /// The greatest limits; what is `None` has no bound but the format's.
    pub limits: LimitsSpec,
}

/// What is too much in a grant: its field, the value, and the rest of a sentence that begins with the field.
pub(super) struct TooMuch {
    pub(super) field: String,
    pub(super) wanted: String,
    pub(super) problem: String,
}

impl GrantRule {
    /// Whether the rule is about the plugin of this grant and what it is used as.
    pub(super) fn is_about(&self, grant: &Grant) -> bool {
        let plugins = self.plugins.as_ref();
        plugins.is_none_or(|plugins| plugins.contains(&grant.plugin))
            && self.kinds.contains(&grant.kind)
    }

    /// Everything in which the grant has more than the rule; of a grant that the rule is about.
    pub(super) fn too_much(&self, grant: &Grant) -> Vec<TooMuch> {
        let mut found = Vec::new();
        self.files(grant, &mut found);
        self.args(grant, &mut found);
        self.env(grant, &mut found);
        self.network(grant, &mut found);
        let limits = LimitsSpec::RANGES.iter().zip(self.limits.values());
        for (((name, ..), most), wanted) in limits.zip(grant.limits.values()) {
            if let Some(most) = most.filter(|most| wanted > *most) {
                let problem = format!("{wanted} is more than {most}");
                push(
                    &mut found,
                    &format!("limits.{name}"),
                    wanted.to_string(),
                    problem,
                );
            }
        }
        found
    }

    fn files(&self, grant: &Grant, found: &mut Vec<TooMuch>) {
        for (field, wanted, most) in [
            ("files.list", &grant.files.list, &self.files.list),
            ("files.read", &grant.files.read, &self.files.read),
            ("files.write", &grant.files.write, &self.files.write),
        ] {
            for pattern in wanted {
                if !most.iter().any(|wide| wide.covers(pattern)) {
                    let problem = format!("\"{pattern}\" is not within one pattern of the rule");
                    push(found, field, format!("\"{pattern}\""), problem);
                }
            }
        }
        let files = &grant.files;
        if files.list.is_empty() && files.read.is_empty() && files.write.is_empty() {
            return;
        }
        // Deny rules match more loosely than patterns cover, so only the rule itself will do.
        for rule in self
            .files
            .deny
            .iter()
            .filter(|rule| !files.deny.contains(rule))
        {
            push(
                found,
                "files.deny",
                String::new(),
                format!("\"{rule}\" is missing"),
            );
        }
    }

    fn args(&self, grant: &Grant, found: &mut Vec<TooMuch>) {
        let Some(most) = &self.args else { return };
        let empty = [Vec::new()];
        let or_empty = |vectors: &[Vec<String>]| match vectors {
            [] => empty.to_vec(),
            vectors => vectors.to_vec(),
        };
        let most = or_empty(most);
        for vector in or_empty(&grant.args) {
            if !most.contains(&vector) {
                let vector = format!("{vector:?}");
                push(
                    found,
                    "args",
                    vector.clone(),
                    format!("{vector} is not allowed"),
                );
            }
        }
    }

    fn env(&self, grant: &Grant, found: &mut Vec<TooMuch>) {
        for name in grant.env.pass.iter() {
            if !self.env.pass.contains(name) {
                push(
                    found,
                    "env.pass",
                    name.clone(),
                    format!("{name} may not be passed on"),
                );
            }
        }
        for (name, value) in &grant.env.set {
            if self.env.set.get(name) != Some(value) {
                let problem = format!("{name} may not be set to this value");
                push(found, "env.set", name.clone(), problem);
            }
        }
    }

    fn network(&self, grant: &Grant, found: &mut Vec<TooMuch>) {
        for (index, http) in grant.http.iter().enumerate() {
            if !self.http.iter().any(|wide| wide.covers(http)) {
                let problem = "is not within one entry of the rule".to_owned();
                push(found, &format!("http[{index}]"), http_text(http), problem);
            }
        }
        for secret in &grant.secrets {
            let name = &secret.name;
            if !self.secrets.contains(name) {
                push(
                    found,
                    "secrets",
                    name.clone(),
                    format!("{name} may not be used"),
                );
            } else if secret.expose && !self.expose {
                let problem = format!("{name} may not be shown to the plugin");
                push(found, "secrets", name.clone(), problem);
            }
        }
    }
}

fn push(found: &mut Vec<TooMuch>, field: &str, wanted: String, problem: String) {
    found.push(TooMuch {
        field: field.to_owned(),
        wanted,
        problem,
    });
}

/// Reads a rule.
pub(super) fn read(reader: &mut Reader, at: &str, value: &Value) -> Option<GrantRule> {
    let fields = reader.object(at, value, &KEYS)?;
    reader.required(&fields, &["id", "plugins", "kinds"]);
    let id = reader.string(&fields, "id").unwrap_or_default();
    if fields.has("id") && (!super::is_name(id) || RESERVED.contains(&id)) {
        reader.report(
            "POLICY-ID",
            format!("{}: {id:?} cannot be the name of a rule", fields.name("id")),
            format!(
                "1 to 64 of a-z, A-Z, 0-9, - and _, and none of {}",
                RESERVED.join(", ")
            ),
        );
    }
    let rule = GrantRule {
        id: id.to_owned(),
        plugins: plugins(reader, &fields),
        kinds: kinds(reader, &fields),
        files: files(reader, &fields),
        args: args(reader, &fields),
        env: fields
            .get("env")
            .and_then(|value| reader.typed(&fields.name("env"), value))
            .unwrap_or_default(),
        http: http(reader, &fields),
        secrets: secrets(reader, &fields),
        expose: reader.boolean(&fields, "expose").unwrap_or(false),
        limits: limits(reader, &fields),
    };
    check(reader, &fields, &rule);
    Some(rule)
}

/// What a lease would not accept is not accepted here either.
fn check(reader: &mut Reader, fields: &Fields<'_>, rule: &GrantRule) {
    let wish = RightsSpec {
        files: rule.files.clone(),
        args: rule.args.clone().unwrap_or_default(),
        env: rule.env.clone(),
        http: rule.http.clone(),
        ..RightsSpec::default()
    };
    if let Err(error) = wish.check() {
        let hint = error.hint().unwrap_or_default();
        reader.report("POLICY-VALUE", format!("{}: {error}", fields.at), hint);
    }
}

fn plugins(reader: &mut Reader, fields: &Fields<'_>) -> Option<Vec<Digest>> {
    if is_any(fields, "plugins") {
        return None;
    }
    let entries = reader.list(fields, "plugins", MAX_LIST).into_iter();
    let digests = entries.filter_map(|(at, value)| reader.digest(&at, value, super::DIGEST_CODE));
    Some(digests.collect())
}

fn kinds(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Kind> {
    let known = [
        ("gate", Kind::Gate),
        ("adapter", Kind::Adapter),
        ("command", Kind::Command),
    ];
    let strings = reader.strings(fields, "kinds", known.len()).into_iter();
    strings
        .filter_map(|(at, text)| reader.known_word(&at, text, &known))
        .collect()
}

fn files(reader: &mut Reader, fields: &Fields<'_>) -> FileGrant {
    let Some(files) = reader.inner(fields, "files", &["list", "read", "write", "deny"]) else {
        return FileGrant::default();
    };
    FileGrant {
        list: reader.patterns(&files, "list"),
        read: reader.patterns(&files, "read"),
        write: reader.patterns(&files, "write"),
        deny: reader.patterns(&files, "deny"),
    }
}

fn args(reader: &mut Reader, fields: &Fields<'_>) -> Option<Vec<Vec<String>>> {
    if is_any(fields, "args") {
        return None;
    }
    let value = fields.get("args");
    let vectors = value.and_then(|value| reader.typed(&fields.name("args"), value));
    Some(vectors.unwrap_or_default())
}

fn http(reader: &mut Reader, fields: &Fields<'_>) -> Vec<HttpGrant> {
    let entries = reader.list(fields, "http", MAX_LIST).into_iter();
    entries
        .filter_map(|(at, value)| reader.typed(&at, value))
        .collect()
}

fn secrets(reader: &mut Reader, fields: &Fields<'_>) -> Vec<String> {
    let strings = reader.strings(fields, "secrets", MAX_LIST).into_iter();
    strings.map(|(_, name)| name.to_owned()).collect()
}

fn limits(reader: &mut Reader, fields: &Fields<'_>) -> LimitsSpec {
    let names = LimitsSpec::RANGES.map(|(name, ..)| name);
    let Some(limits) = reader.inner(fields, "limits", &names) else {
        return LimitsSpec::default();
    };
    let [
        fuel,
        memory_bytes,
        wall_ms,
        output_bytes,
        write_bytes,
        open_files,
    ] = LimitsSpec::RANGES.map(|(name, least, most)| reader.integer(&limits, name, (least, most)));
    LimitsSpec {
        fuel,
        memory_bytes,
        wall_ms,
        output_bytes,
        write_bytes,
        open_files,
    }
}

fn is_any(fields: &Fields<'_>, key: &str) -> bool {
    fields.get(key).and_then(Value::as_str) == Some("any")
}

const KEYS: [&str; 10] = [
    "id", "plugins", "kinds", "files", "args", "env", "http", "secrets", "expose", "limits",
];

/// Names that rules of the policy have which are not written by anyone.
const RESERVED: [&str; 3] = ["grants", "leases", "protected"];
