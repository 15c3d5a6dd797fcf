//! Policies in the forms of two other systems, read into ours: a policy for executors, and an envelope.

use serde_json::{Map, Value};

use super::Policy;
use super::json::Reader;
use super::operation::Action;
use super::operations::{self, OperationRules};
use super::request::schema_version;

/// Whether the keys are those of a policy for executors.
pub(super) fn is_executor(keys: &Map<String, Value>) -> bool {
    ["policy_id", "allowed_git_operations", "allowlist"]
        .iter()
        .any(|key| keys.contains_key(*key))
}

/// Whether the keys are those of an envelope.
pub(super) fn is_envelope(keys: &Map<String, Value>) -> bool {
    ["allow_ops", "allow_paths"]
        .iter()
        .any(|key| keys.contains_key(*key))
}

/// Reads `{"policy_id", "schema_version", "allowed_git_operations", "allowlist": {"file_operations", "paths", "commands"},
/// "limits": {"max_file_size_mb", "max_files", "timeout_seconds"}}`. Lists may be left out, and allow nothing then; the
/// limits have to be there. Which `schema_version` it states decides nothing.
pub(super) fn executor(reader: &mut Reader, value: &Value) -> Option<Policy> {
    let known = [
        "policy_id",
        "schema_version",
        "allowed_git_operations",
        "allowlist",
        "limits",
    ];
    let fields = reader.object("", value, &known)?;
    reader.required(&fields, &["policy_id", "schema_version", "limits"]);
    let id = super::id(reader, &fields, "policy_id");
    schema_version(reader, &fields);
    let mut rules = OperationRules::default();
    rules.read_actions(reader, &fields, "allowed_git_operations", Action::is_git);
    if let Some(list) = reader.inner(
        &fields,
        "allowlist",
        &["file_operations", "paths", "commands"],
    ) {
        rules.read_actions(reader, &list, "file_operations", operations::is_file);
        rules.paths = reader.patterns(&list, "paths");
        rules.read_commands(reader, &list);
    }
    let limits = ["max_file_size_mb", "max_files", "timeout_seconds"];
    if let Some(section) = reader.inner(&fields, "limits", &limits) {
        reader.required(&section, &limits);
        rules.read_limits(reader, &section);
    }
    Some(Policy {
        id,
        operations: Some(rules),
        ..Policy::default()
    })
}

/// Reads `{"allow_ops", "allow_paths", "deny_paths", "max_budget_usd"}`. Lists may be left out: what is allowed is nothing
/// then. Left out, the budget is nothing as well. Its id is `envelope`.
pub(super) fn envelope(reader: &mut Reader, value: &Value) -> Option<Policy> {
    let known = ["allow_ops", "allow_paths", "deny_paths", "max_budget_usd"];
    let fields = reader.object("", value, &known)?;
    let mut rules = OperationRules::default();
    let on_paths = |action| action != Action::RunCommand;
    rules.read_actions(reader, &fields, "allow_ops", on_paths);
    rules.paths = reader.patterns(&fields, "allow_paths");
    rules.deny_paths = reader.patterns(&fields, "deny_paths");
    rules.max_budget = operations::read_budget(reader, &fields);
    Some(Policy {
        id: "envelope".to_owned(),
        operations: Some(rules),
        ..Policy::default()
    })
}
