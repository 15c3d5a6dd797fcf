//! One step of a pipeline: what it says, and reading it.

use leasehold_lease::{
    EnvGrant, FileGrant, HttpGrant, LimitsSpec, MAX_PATTERNS, Pattern, RightsSpec, SecretGrant,
};
use leasehold_seal::Coded;
use serde::{Deserialize, Serialize};
use toml_edit::Table;

use crate::config::Config;
use crate::error::RulesError;
use crate::network;
use crate::source::Span;
use crate::walk::{Fields, Spanned, Walk};

/// What a step says; what it leaves out has the default that is stated here.
#[derive(Clone, Debug, PartialEq)]
pub struct StepSpec {
    /// Name of the step within the pipeline, and of its grant: 1 to 64 of `a`–`z`, `0`–`9` and `-`.
    pub id: String,
    /// Which plugin it runs, and as what.
    pub uses: Uses,
    /// The file patterns as written; default: none. Reading implies listing, which the plan fills in; writing implies
    /// nothing: a program that looks at what it writes names it under `read` or `list` as well.
    pub files: FileGrant,
    /// What is not judged, and shown so: out of reach like `deny`, with everything below it; default: nothing.
    pub skip: Vec<Pattern>,
    /// The arguments of a program; default: none.
    pub args: Vec<String>,
    /// The configuration of a gate; default: none.
    pub config: Option<Config>,
    /// Environment variables; default: none.
    pub env: EnvGrant,
    /// HTTP requests that may be sent; default: none.
    pub http: Vec<HttpGrant>,
    /// Secrets that may be used; default: none.
    pub secrets: Vec<SecretGrant>,
    /// Ids of the steps that have to pass before; default: none.
    pub needs: Vec<String>,
    /// What the exit codes of a program mean; default: for a gate what the plugin says, for a command 0 is good.
    pub exit: Option<ExitCodes>,
    /// Limits as written; the plan fills in the rest.
    pub limits: LimitsSpec,
    /// Whether a result may be kept and used again; default: yes.
    pub cache: bool,
}

/// Which plugin a step runs, by its name in the lock file, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uses {
    /// It judges: its verdict, or its exit code, decides.
    Gate(String),
    /// It does something; it may change files where it has the right.
    Command(String),
}

/// What the exit codes of a program mean. Any code in neither list means that it could not do its work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExitCodes {
    /// Codes that mean fail; no code is in both lists.
    pub fail: Vec<u8>,
    /// Codes that mean pass; at least one.
    pub pass: Vec<u8>,
}

/// A step where it stands in its pipeline.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it says.
    pub spec: StepSpec,
    /// The steps it needs, as positions in the file from 0.
    pub needs: Vec<usize>,
    /// The line of its `[[step]]`, from 1.
    pub line: usize,
    /// Where its keys stand; `limits.fuel` and the like for keys of tables in it.
    pub(crate) keys: Vec<Spanned<&'static str>>,
    pub(crate) span: Span,
}

impl Uses {
    /// The plugin's name in the lock file.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Uses::Gate(name) | Uses::Command(name) => name,
        }
    }

    /// The key under which the name stands: `gate` or `command`.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Uses::Gate(_) => "gate",
            Uses::Command(_) => "command",
        }
    }
}

impl Step {
    /// Where a key stands; where the step does not have it, where the table around it or the step begins.
    pub(crate) fn key_span(&self, key: &str) -> &Span {
        let find = |key: &str| self.keys.iter().find(|(name, _)| *name == key);
        let around = || key.split_once('.').and_then(|(table, _)| find(table));
        find(key)
            .or_else(around)
            .map_or(&self.span, |(_, span)| span)
    }
}

/// Whether a text can be the id of a step or the name of a plugin: 1 to 64 of `a`–`z`, `0`–`9` and `-`.
pub(crate) fn is_id(text: &str) -> bool {
    let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(known)
}

/// Reads a step; its needs are still names. What is wrong is reported, and something else taken in its place.
pub(crate) fn read(walk: &mut Walk<'_>, table: &Table, number: usize) -> (Step, Vec<Span>) {
    let span = table.span().unwrap_or_default();
    let owner = match table.get("id").and_then(|id| id.as_str()) {
        Some(id) => format!("the step {id:?}"),
        None => format!("step {number}"),
    };
    let fields = Fields::new(walk, table, owner, span.clone(), &KEYS);
    let keys = spans(&fields);
    let (needs, need_spans) = needs(walk, &fields);
    let (http, secrets) = network::read(walk, &fields);
    let spec = StepSpec {
        id: id(walk, &fields),
        uses: uses(walk, &fields),
        files: files(walk, &fields),
        skip: fields.patterns(walk, "skip"),
        args: args(walk, &fields),
        config: config(walk, &fields),
        env: env(walk, &fields),
        http,
        secrets,
        needs,
        exit: exit(walk, &fields),
        limits: limits(walk, &fields),
        cache: fields.boolean(walk, "cache").unwrap_or(true),
    };
    too_many_patterns(walk, &fields, &spec);
    gate_writes(walk, &fields, &spec);
    let step = Step {
        spec,
        needs: Vec::new(),
        line: walk.source.line(span.start),
        keys,
        span,
    };
    (step, need_spans)
}

fn id(walk: &mut Walk<'_>, fields: &Fields<'_>) -> String {
    if fields.item("id").is_none() {
        fields.missing(walk, "id", ID_HINT);
    }
    let Some((text, span)) = fields.string(walk, "id") else {
        return String::new();
    };
    if !is_id(text) {
        walk.report(&span, || {
            let sentence = format!("{text:?} is not an id: 1 to 64 of a-z, 0-9 and -");
            RulesError::usage("STEP-ID", sentence).with_hint(ID_HINT)
        });
    }
    text.to_owned()
}

fn uses(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Uses {
    let both = fields.item("gate").is_some() && fields.item("command").is_some();
    if both {
        walk.report(&fields.key_span("command"), || {
            let sentence = format!("{} has both `gate` and `command`", fields.owner());
            RulesError::usage("STEP-KIND", sentence)
                .with_hint("make two steps of it, the second with `needs`")
        });
    }
    let gate = fields.string(walk, "gate");
    let command = fields.string(walk, "command");
    if fields.item("gate").is_none() && fields.item("command").is_none() {
        fields.missing(
            walk,
            "gate",
            "name what it runs: gate = \"NAME\" or command = \"NAME\"",
        );
    }
    match (gate, command) {
        (None, Some((name, _))) => Uses::Command(name.to_owned()),
        (gate, _) => Uses::Gate(gate.map(|(name, _)| name.to_owned()).unwrap_or_default()),
    }
}

fn files(walk: &mut Walk<'_>, fields: &Fields<'_>) -> FileGrant {
    FileGrant {
        list: fields.patterns(walk, "list"),
        read: fields.patterns(walk, "read"),
        write: fields.patterns(walk, "write"),
        deny: fields.patterns(walk, "deny"),
    }
}

/// Reading implies listing and `skip` goes to the deny rules, so that each pair shares the room of one list.
fn too_many_patterns(walk: &mut Walk<'_>, fields: &Fields<'_>, spec: &StepSpec) {
    let files = &spec.files;
    for (key, count) in [
        ("read", files.list.len() + files.read.len()),
        ("write", files.write.len()),
        ("deny", files.deny.len() + spec.skip.len()),
    ] {
        if count > MAX_PATTERNS {
            walk.report(&fields.key_span(key), || {
                let with = match key {
                    "read" => "`list` and `read`",
                    "deny" => "`deny` and `skip`",
                    _ => "`write`",
                };
                let sentence = format!(
                    "{with} of {} have {count} patterns, the most is {MAX_PATTERNS}",
                    fields.owner()
                );
                RulesError::usage("PATTERNS-TOO-MANY", sentence)
                    .with_hint("use patterns with ** that stand for many")
            });
        }
    }
}

/// What judges does not change what is judged.
fn gate_writes(walk: &mut Walk<'_>, fields: &Fields<'_>, spec: &StepSpec) {
    if fields.item("command").is_none() && !spec.files.write.is_empty() {
        walk.report(&fields.key_span("write"), || {
            let sentence = format!("{} is a gate and wants to write", fields.owner());
            RulesError::usage("GATE-WRITES", sentence)
                .with_hint("a gate judges and changes nothing; what changes files is a `command`")
        });
    }
}

fn args(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Vec<String> {
    let args: Vec<String> = fields
        .strings(walk, "args")
        .into_iter()
        .map(|(text, _)| text.to_owned())
        .collect();
    let wish = RightsSpec {
        args: vec![args.clone()],
        ..RightsSpec::default()
    };
    check(walk, fields, "args", &wish);
    args
}

fn env(walk: &mut Walk<'_>, fields: &Fields<'_>) -> EnvGrant {
    let Some(table) = fields.table(walk, "env", &ENV_KEYS.map(|(key, _)| key)) else {
        return EnvGrant::default();
    };
    let pass = table.strings(walk, "pass");
    let mut env = EnvGrant {
        pass: pass.into_iter().map(|(name, _)| name.to_owned()).collect(),
        ..EnvGrant::default()
    };
    if let Some(set) = table.any_table(walk, "set") {
        for (name, _) in set.items() {
            if let Some((value, _)) = set.string(walk, name) {
                env.set.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    let wish = RightsSpec {
        env: env.clone(),
        ..RightsSpec::default()
    };
    check(walk, fields, "env", &wish);
    env
}

/// What a lease would not accept is not accepted here either.
fn check(walk: &mut Walk<'_>, fields: &Fields<'_>, key: &str, wish: &RightsSpec) {
    if let Err(error) = wish.check() {
        walk.report(&fields.key_span(key), || {
            let sentence = format!("{}: {error}", fields.owner());
            RulesError::usage("STEP-VALUE", sentence).with_hint(error.hint().unwrap_or_default())
        });
    }
}

fn config(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Config> {
    let table = fields.any_table(walk, "config")?;
    Config::read(walk, table.raw(), table.span())
}

fn needs(walk: &mut Walk<'_>, fields: &Fields<'_>) -> (Vec<String>, Vec<Span>) {
    let needs = fields.strings(walk, "needs").into_iter();
    needs.map(|(id, span)| (id.to_owned(), span)).unzip()
}

fn exit(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<ExitCodes> {
    let table = fields.table(walk, "exit", &EXIT_KEYS.map(|(key, _)| key))?;
    let mut codes = |key: &str| {
        let spanned = table.bytes(walk, key);
        let mut codes: Vec<u8> = spanned.iter().map(|(code, _)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        (codes, spanned)
    };
    let (pass, _) = codes("pass");
    let (fail, spans) = codes("fail");
    let stated = table.item("pass").and_then(|item| item.as_array());
    if table.item("pass").is_none() || stated.is_some_and(toml_edit::Array::is_empty) {
        table.missing(
            walk,
            "pass",
            "say which exit codes mean pass: exit = { pass = [0], fail = [1] }",
        );
    }
    if let Some((code, span)) = spans.into_iter().find(|(code, _)| pass.contains(code)) {
        walk.report(&span, || {
            let sentence = format!("the exit code {code} means both pass and fail");
            RulesError::usage("EXIT-BOTH", sentence).with_hint("keep it in one of the two lists")
        });
    }
    Some(ExitCodes { fail, pass })
}

fn limits(walk: &mut Walk<'_>, fields: &Fields<'_>) -> LimitsSpec {
    let Some(table) = fields.table(walk, "limits", &LIMIT_KEYS.map(|(key, _)| key)) else {
        return LimitsSpec::default();
    };
    let [
        fuel,
        memory_bytes,
        wall_ms,
        output_bytes,
        write_bytes,
        open_files,
    ] = LimitsSpec::RANGES.map(|(name, least, most)| table.integer(walk, name, (least, most)));
    LimitsSpec {
        fuel,
        memory_bytes,
        wall_ms,
        output_bytes,
        write_bytes,
        open_files,
    }
}

/// Where the keys stand, as far as they are there.
fn spans(fields: &Fields<'_>) -> Vec<Spanned<&'static str>> {
    let there = KEYS.into_iter().filter(|key| fields.item(key).is_some());
    let mut keys: Vec<_> = there.map(|key| (key, fields.key_span(key))).collect();
    for (name, inner) in INNER_KEYS {
        if let Some(table) = fields.item(name).and_then(|item| item.as_table_like()) {
            let inner = inner.iter();
            keys.extend(inner.filter_map(|(key, name)| Some((*name, table.key(key)?.span()?))));
        }
    }
    keys
}

const ID_HINT: &str = "for example id = \"secrets\"";

const KEYS: [&str; 17] = [
    "id", "gate", "command", "list", "read", "write", "deny", "skip", "args", "config", "env",
    "http", "secrets", "needs", "exit", "limits", "cache",
];

/// Keys of the tables in a step: the key itself, and what it is called where the line of a right is asked for.
const ENV_KEYS: [(&str, &str); 2] = [("pass", "env.pass"), ("set", "env.set")];
const EXIT_KEYS: [(&str, &str); 2] = [("pass", "exit.pass"), ("fail", "exit.fail")];
const LIMIT_KEYS: [(&str, &str); 6] = [
    ("fuel", "limits.fuel"),
    ("memory_bytes", "limits.memory_bytes"),
    ("wall_ms", "limits.wall_ms"),
    ("output_bytes", "limits.output_bytes"),
    ("write_bytes", "limits.write_bytes"),
    ("open_files", "limits.open_files"),
];
const INNER_KEYS: [(&str, &[(&str, &str)]); 3] = [
    ("env", &ENV_KEYS),
    ("exit", &EXIT_KEYS),
    ("limits", &LIMIT_KEYS),
];
