//! Commands, variables and network of reference B.

use std::collections::BTreeSet;

use leasehold_seal::Digest;
use serde_json::{Map, Value};

use super::sheet::Sheet;
use super::{Fate, ImportTerms};
use crate::check::MAX_ENV_NAME_BYTES;

/// What the scope says, as far as it was not refused.
#[derive(Default)]
pub(super) struct Scope {
    /// The paths with the names of their fields; [`super::mounts`] judges them.
    pub(super) paths: Vec<(String, String)>,
    pub(super) programs: Vec<Program>,
    pub(super) env: Vec<String>,
}

/// The commands of one program: one grant.
pub(super) struct Program {
    pub(super) grant: String,
    pub(super) plugin: Digest,
    pub(super) vectors: Vec<Vec<String>>,
    name: String,
}

pub(super) fn read(
    mut section: Map<String, Value>,
    terms: &ImportTerms,
    sheet: &mut Sheet,
) -> Scope {
    let mut scope = Scope::default();
    match sheet.take(&mut section, "scope.", &["paths_allowlist", "paths"]) {
        Some((name, value)) => scope.paths = sheet.texts(&name, &value),
        None => sheet.missing("scope.paths_allowlist".to_owned()),
    }
    match sheet.take(&mut section, "scope.", &["commands_allowlist", "commands"]) {
        Some((name, value)) => commands(&name, &value, terms, &mut scope, sheet),
        None => sheet.missing("scope.commands_allowlist".to_owned()),
    }
    if let Some((name, value)) = sheet.take(&mut section, "scope.", &["env_allowlist", "env"]) {
        for (name, text) in sheet.texts(&name, &value) {
            variable(name, text, &mut scope, sheet);
        }
    }
    network(&mut section, sheet);
    sheet.unknown("scope.", section);
    scope
}

fn commands(name: &str, value: &Value, terms: &ImportTerms, scope: &mut Scope, sheet: &mut Sheet) {
    let Value::Array(items) = value else {
        return sheet.refuse(name.to_owned(), value, "must be a list of commands");
    };
    if items.is_empty() {
        let why = "an empty list grants nothing";
        sheet.add(name.to_owned(), value, Fate::Holds(why.to_owned()));
    }
    for (index, item) in items.iter().enumerate() {
        let name = format!("{name}[{index}]");
        match words(item).and_then(|words| command(words, terms, scope)) {
            Ok(fate) => sheet.add(name, item, fate),
            Err(why) => sheet.refuse(name, item, why),
        }
    }
}

/// The words of a command. The other system compares a command as one text and then splits it at white space, without
/// a shell; where a person may have meant a shell, the two readings differ.
fn words(item: &Value) -> Result<Vec<String>, String> {
    let words: Vec<String> = match item {
        Value::String(text) if text.chars().any(char::is_control) => {
            return Err("has control characters".to_owned());
        }
        Value::String(text) => {
            if let Some(sign) = text.chars().find(|sign| SHELL.contains(*sign)) {
                return Err(format!(
                    "has {sign:?}, which no shell is there to read; write the command as a list of its words"
                ));
            }
            text.split_whitespace().map(str::to_owned).collect()
        }
        Value::Array(words) => words
            .iter()
            .map(|word| word.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| "must be a text or a list of texts".to_owned())?,
        _ => return Err("must be a text or a list of texts".to_owned()),
    };
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => Err("names no program".to_owned()),
    }
}

const SHELL: &str = "\"'\\`$|&;<>(){}[]*?~#!";

fn command(words: Vec<String>, terms: &ImportTerms, scope: &mut Scope) -> Result<Fate, String> {
    let mut words = words.into_iter();
    let name = words.next().unwrap_or_default();
    let vector: Vec<String> = words.collect();
    let Some(plugin) = terms.plugins.get(&name) else {
        return Err(format!(
            "no plugin stands for the program {name:?}; programs of the machine are not run"
        ));
    };
    let at = match scope
        .programs
        .iter()
        .position(|program| program.name == name)
    {
        Some(at) => at,
        None => {
            let grant = free_id(&name, &scope.programs);
            scope.programs.push(Program {
                grant,
                plugin: *plugin,
                vectors: Vec::new(),
                name,
            });
            scope.programs.len() - 1
        }
    };
    let Some(program) = scope.programs.get_mut(at) else {
        return Err("was lost".to_owned());
    };
    let grant = &program.grant;
    if program.vectors.contains(&vector) {
        return Ok(Fate::Holds(format!(
            "is there already, in the grant {grant:?}"
        )));
    }
    let fate = Fate::Becomes(format!("grant {grant:?} with args {vector:?}, exactly so"));
    program.vectors.push(vector);
    Ok(fate)
}

/// A name for a grant out of the name of a program, other than those there are.
fn free_id(name: &str, programs: &[Program]) -> String {
    let last = name
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut id: String = last
        .bytes()
        .map(|byte| if known(byte) { char::from(byte) } else { '-' })
        .take(60)
        .collect();
    if !id.bytes().any(known) {
        id = "program".to_owned();
    }
    let taken: BTreeSet<&str> = programs
        .iter()
        .map(|program| program.grant.as_str())
        .collect();
    let mut free = id.clone();
    for number in 2..=programs.len() + 1 {
        if !taken.contains(free.as_str()) {
            break;
        }
        free = format!("{id}-{number}");
    }
    free
}

fn variable(name: String, text: String, scope: &mut Scope, sheet: &mut Sheet) {
    let value = Value::from(text.as_str());
    let letter = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    let is_name = (1..=MAX_ENV_NAME_BYTES).contains(&text.len())
        && text.bytes().all(letter)
        && !text.starts_with(|first: char| first.is_ascii_digit());
    if !is_name {
        return sheet.refuse(name, &value, "is not the name of a variable");
    }
    if scope.env.contains(&text) {
        let why = "is there already";
        return sheet.add(name, &value, Fate::Holds(why.to_owned()));
    }
    let fate = "env.pass; absent, not empty, where the host has none";
    sheet.add(name, &value, Fate::Becomes(fate.to_owned()));
    scope.env.push(text);
}

fn network(section: &mut Map<String, Value>, sheet: &mut Sheet) {
    let Some((name, value)) = sheet.take(section, "scope.", &["network"]) else {
        return sheet.missing("scope.network".to_owned());
    };
    let denied = match &value {
        Value::String(text) => text == "deny_all",
        Value::Object(fields) => {
            fields.len() == 1 && fields.get("deny_all").and_then(Value::as_bool) == Some(true)
        }
        _ => false,
    };
    if denied {
        let why = "no http is granted, and there is no other way out";
        return sheet.add(name, &value, Fate::Holds(why.to_owned()));
    }
    sheet.refuse(
        name,
        &value,
        "only deny_all is known; grant requests one by one in the draft, as `http`",
    );
}
