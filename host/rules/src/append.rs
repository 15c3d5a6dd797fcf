//! Adding a step to `leasehold.toml` without touching what is there.

use leasehold_lease::{EnvGrant, LimitsSpec};
use leasehold_seal::Coded;
use serde_json::{Map, Value, json};

use crate::error::RulesError;
use crate::network;
use crate::pipeline::Pipeline;
use crate::step::StepSpec;
use crate::toml_text;

/// The text of `leasehold.toml` with one more step at its end: everything that is there stays byte for byte, and lines
/// end as the first line of the file does. An empty text, or one of nothing but comments, becomes a new pipeline.
///
/// # Errors
/// Those of [`Pipeline::parse`] for the text with the step; nothing that cannot be read is ever returned.
pub fn append_step(text: &str, step: &StepSpec) -> Result<String, Vec<RulesError>> {
    let crlf = text
        .split_once('\n')
        .is_some_and(|(line, _)| line.ends_with('\r'));
    let mut added = String::new();
    if !text.is_empty() && !text.ends_with('\n') {
        added.push('\n');
    }
    if is_bare(text) {
        added.push_str("version = 1\n");
    }
    added.push('\n');
    added.push_str(&render(step));
    if crlf {
        added = added.replace('\n', "\r\n");
    }
    // What is wrong already is told where it stands, not where the step would go.
    if !is_bare(text)
        && let Err(errors) = Pipeline::parse(text.as_bytes())
    {
        // That there is no step yet is about to change.
        let others = errors.into_iter();
        let others: Vec<_> = others
            .filter(|error| error.code() != "PIPELINE-EMPTY")
            .collect();
        if !others.is_empty() {
            return Err(others);
        }
    }
    let whole = format!("{text}{added}");
    Pipeline::parse(whole.as_bytes())?;
    Ok(whole)
}

/// Whether the text holds nothing but spaces and comments.
fn is_bare(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().map(str::trim);
    lines.all(|line| line.is_empty() || line.starts_with('#'))
}

/// A `[[step]]` table with every key that does not have its default.
fn render(step: &StepSpec) -> String {
    let files = &step.files;
    let mut lines = vec![
        ("id", json!(step.id)),
        (step.uses.key(), json!(step.uses.name())),
        ("list", json!(files.list)),
        ("read", json!(files.read)),
        ("write", json!(files.write)),
        ("deny", json!(files.deny)),
        ("skip", json!(step.skip)),
        ("args", json!(step.args)),
    ];
    if let Some(config) = &step.config {
        lines.push(("config", Value::Object(config.value().clone())));
    }
    if step.env != EnvGrant::default() {
        lines.push(("env", json!(step.env)));
    }
    lines.push(("http", json!(step.http)));
    lines.push(("secrets", network::secrets_json(&step.secrets)));
    lines.push(("needs", json!(step.needs)));
    if let Some(exit) = &step.exit {
        lines.push(("exit", json!(exit)));
    }
    let named = LimitsSpec::RANGES.iter().zip(step.limits.values());
    let limits: Map<String, Value> = named
        .filter_map(|((name, _, _), value)| Some(((*name).to_owned(), value?.into())))
        .collect();
    if !limits.is_empty() {
        lines.push(("limits", Value::Object(limits)));
    }
    if !step.cache {
        lines.push(("cache", Value::Bool(false)));
    }
    let mut text = "[[step]]\n".to_owned();
    for (key, value) in lines {
        if value.as_array().is_none_or(|list| !list.is_empty()) {
            text.push_str(&format!("{key} = {}\n", toml_text::value(&value)));
        }
    }
    text
}
