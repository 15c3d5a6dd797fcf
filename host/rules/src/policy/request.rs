//! A request to have operations done, step by step.

use std::collections::BTreeSet;

use serde_json::Value;

use super::json::{Fields, Reader, document};
use super::operation::{self, FORM, Operation};
use crate::error::RulesError;

/// An execution request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its name: 1 to 128 characters, none of them a control character.
    pub id: String,
    /// The version it states, as text; decides nothing.
    pub schema_version: String,
    /// Whether a person has to approve it before anything is done.
    pub requires_review: bool,
    /// Its steps; at least one.
    pub steps: Vec<RequestStep>,
}

/// One step of a request: what becomes one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestStep {
    /// Its name, unique in the request; of the same form as the request's.
    pub id: String,
    /// The message of its commit.
    pub commit_message: String,
    /// Its operations with their names, unique in the step; at least one.
    pub operations: Vec<(String, Operation)>,
}

impl Request {
    /// Reads a request: JSON of the form `{"execution_request_id", "schema_version", "requires_review",
    /// "patch_plan": {"steps": [{"step_id", "commit_message", "operations": [{"op_id", "action", "params"}]}]}}`, at most
    /// 1 MiB; see [`Operation::parse`] for actions and their `params`. Every key has to be there.
    ///
    /// Whether anything of it may be done is not looked at; [`crate::Policy::judge`] does that.
    ///
    /// # Errors
    /// Every problem, all of class usage: of the JSON only the first, with its own code (`JSON-…`); then `REQUEST-KEY`,
    /// `REQUEST-TYPE`, `REQUEST-MISSING`, `REQUEST-VALUE`, `REQUEST-DUPLICATE`, `PROBLEMS-MORE`.
    pub fn parse(json: &[u8]) -> Result<Self, Vec<RulesError>> {
        document(json, &FORM, read)
    }

    /// All operations with the steps they are in, in order.
    pub fn operations(&self) -> impl Iterator<Item = (&RequestStep, &str, &Operation)> {
        self.steps.iter().flat_map(|step| {
            let operations = step.operations.iter();
            operations.map(move |(id, operation)| (step, id.as_str(), operation))
        })
    }
}

fn read(reader: &mut Reader, value: &Value) -> Option<Request> {
    let fields = reader.object("", value, &KEYS)?;
    reader.required(&fields, &KEYS);
    let id = name(reader, &fields, "execution_request_id");
    let schema_version = schema_version(reader, &fields);
    let requires_review = reader.boolean(&fields, "requires_review");
    let plan = reader.inner(&fields, "patch_plan", &["steps"])?;
    reader.required(&plan, &["steps"]);
    let entries = reader.list(&plan, "steps", MAX_STEPS);
    if entries.is_empty() && reader.is_good() {
        reader.bad_value(format!("{} has no steps", plan.at));
    }
    let mut names = BTreeSet::new();
    let mut steps = Vec::with_capacity(entries.len());
    for (at, value) in entries {
        if let Some(step) = step(reader, &at, value) {
            if !step.id.is_empty() && !names.insert(step.id.clone()) {
                reader.duplicate(&at, &step.id);
            }
            steps.push(step);
        }
    }
    Some(Request {
        id,
        schema_version,
        requires_review: requires_review?,
        steps,
    })
}

fn step(reader: &mut Reader, at: &str, value: &Value) -> Option<RequestStep> {
    let fields = reader.object(at, value, &STEP_KEYS)?;
    reader.required(&fields, &STEP_KEYS);
    let id = name(reader, &fields, "step_id");
    let message = reader.string(&fields, "commit_message");
    let entries = reader.list(&fields, "operations", MAX_OPERATIONS);
    let stated = fields.get("operations").is_some_and(Value::is_array);
    if entries.is_empty() && stated {
        reader.bad_value(format!("{at} has no operations"));
    }
    let mut names = BTreeSet::new();
    let mut operations = Vec::with_capacity(entries.len());
    for (at, value) in entries {
        let Some(fields) = reader.object(&at, value, &["op_id", "action", "params"]) else {
            continue;
        };
        reader.required(&fields, &["op_id"]);
        let id = name(reader, &fields, "op_id");
        if !id.is_empty() && !names.insert(id.clone()) {
            reader.duplicate(&at, &id);
        }
        operations.extend(operation::read(reader, &fields).map(|operation| (id, operation)));
    }
    Some(RequestStep {
        id,
        commit_message: message.unwrap_or_default().to_owned(),
        operations,
    })
}

fn name(reader: &mut Reader, fields: &Fields<'_>, key: &str) -> String {
    let Some(name) = reader.string(fields, key) else {
        return String::new();
    };
    let good = (1..=128).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if !good {
        let at = fields.name(key);
        reader.bad_value(format!(
            "{at}: {name:?} is not 1 to 128 characters without control characters"
        ));
    }
    name.to_owned()
}

/// A text or a number, kept as text.
pub(super) fn schema_version(reader: &mut Reader, fields: &Fields<'_>) -> String {
    match fields.get("schema_version") {
        None => String::new(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => {
            let at = fields.name("schema_version");
            reader.wrong_type(&at, "a string or a number", other);
            String::new()
        }
    }
}

const KEYS: [&str; 4] = [
    "execution_request_id",
    "schema_version",
    "requires_review",
    "patch_plan",
];
const STEP_KEYS: [&str; 3] = ["step_id", "commit_message", "operations"];

/// The most steps of one request.
const MAX_STEPS: usize = 1_000;
/// The most operations of one step.
const MAX_OPERATIONS: usize = 10_000;
