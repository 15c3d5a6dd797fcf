//! JSON Schemas that a plugin's manifest states, compiled once when the plugin is loaded.

use std::collections::BTreeMap;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::compile::LoadError;
use crate::inspect::Manifest;

/// The schemas of one plugin.
#[derive(Default)]
pub(crate) struct Schemas {
    config: Option<Validator>,
    tools: BTreeMap<String, (Validator, Validator)>,
}

impl Schemas {
    pub(crate) fn new(manifest: Option<&Manifest>) -> Result<Schemas, LoadError> {
        let Some(manifest) = manifest else {
            return Ok(Schemas::default());
        };
        let mut tools = BTreeMap::new();
        for tool in &manifest.tools {
            let schemas = (compile(&tool.input)?, compile(&tool.output)?);
            if tools.insert(tool.name.clone(), schemas).is_some() {
                return Err(LoadError::Manifest(format!(
                    "it has two tools called {:?}",
                    tool.name
                )));
            }
        }
        Ok(Schemas {
            config: manifest.config.as_ref().map(compile).transpose()?,
            tools,
        })
    }

    /// Checks a gate's configuration; any JSON is fine where the manifest says nothing.
    pub(crate) fn check_config(&self, config: &str) -> Result<(), String> {
        check(self.config.as_ref(), config)
    }

    /// Whether there is such a tool.
    pub(crate) fn has_tool(&self, tool: &str) -> bool {
        self.tools.contains_key(tool)
    }

    /// The names of the tools.
    pub(crate) fn tools(&self) -> impl Iterator<Item = &str> {
        self.tools.keys().map(String::as_str)
    }

    /// Checks what goes into a tool.
    pub(crate) fn check_arguments(&self, tool: &str, arguments: &str) -> Result<(), String> {
        check(self.tools.get(tool).map(|(input, _)| input), arguments)
    }

    /// Checks what came out of a tool.
    pub(crate) fn check_reply(&self, tool: &str, reply: &str) -> Result<(), String> {
        check(self.tools.get(tool).map(|(_, output)| output), reply)
    }
}

fn compile(schema: &Value) -> Result<Validator, LoadError> {
    jsonschema::options()
        // The other engine backtracks, and the patterns are a stranger's.
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map_err(|error| LoadError::Manifest(format!("a schema in it is not usable: {error}")))
}

fn check(schema: Option<&Validator>, text: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let Some(schema) = schema else {
        return Ok(());
    };
    schema.validate(&value).map_err(|error| {
        let at = error.instance_path().to_string();
        let at = if at.is_empty() { "the whole" } else { &at };
        format!("{at}: {error}")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(config: Value, tools: Value) -> Manifest {
        serde_json::from_value(json!({
            "manifest": 1, "name": "x", "version": "1", "kind": "adapter", "summary": "x",
            "config": config, "tools": tools,
        }))
        .unwrap()
    }

    #[test]
    fn arguments_and_replies_are_held_to_their_schemas() {
        let tool = json!({"name": "t", "summary": "s",
            "input": {"type": "object", "required": ["a"], "additionalProperties": false, "properties": {"a": {"type": "string"}}},
            "output": {"type": "integer"}});
        let schemas = Schemas::new(Some(&manifest(json!(null), json!([tool])))).unwrap();
        schemas.check_arguments("t", r#"{"a": "x"}"#).unwrap();
        assert!(
            schemas
                .check_arguments("t", r#"{"a": 1}"#)
                .unwrap_err()
                .starts_with("/a: ")
        );
        assert!(
            schemas
                .check_arguments("t", r#"{"a": "x", "b": 1}"#)
                .is_err()
        );
        assert!(schemas.check_arguments("t", "{").is_err());
        schemas.check_reply("t", "3").unwrap();
        assert!(schemas.check_reply("t", "\"3\"").is_err());
        assert!(schemas.has_tool("t") && !schemas.has_tool("u"));
    }

    #[test]
    fn a_schema_that_is_none_is_refused_when_the_plugin_loads() {
        assert!(Schemas::new(Some(&manifest(json!({"type": 7}), json!([])))).is_err());
        assert!(
            Schemas::new(Some(&manifest(
                json!({"$ref": "http://localhost/x"}),
                json!([])
            )))
            .is_err()
        );
        let tool = json!({"name": "t", "summary": "s", "input": {}, "output": {}});
        assert!(Schemas::new(Some(&manifest(json!(null), json!([tool, tool])))).is_err());
    }
}
