//! What a plugin says about itself, in the custom section `leasehold:manifest` of its module: JSON, described in
//! `docs/authoring.md`. The host reads it and calls nothing for it.

use serde::Deserialize;
use serde_json::Value;

/// Embeds a manifest, given by its path relative to the source file, in the module. Once in a plugin.
///
/// Test it with [`parse`]: a manifest that the host does not understand keeps a plugin from loading.
#[macro_export]
macro_rules! manifest {
    ($path:literal) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            #[used]
            #[unsafe(link_section = "leasehold:manifest")]
            static MANIFEST: [u8; include_bytes!($path).len()] = *include_bytes!($path);
        };
    };
}

/// A manifest. Every field but `quote` is there; what does not apply is `null` or empty.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format: 1.
    pub manifest: u32,
    /// Name of the plugin: lower-case letters, digits and `-`, at most 64 characters.
    pub name: String,
    /// Version of the plugin, as authors count (semver).
    pub version: String,
    /// What it is.
    pub kind: Kind,
    /// One sentence for a person.
    pub summary: String,
    /// Whether a gate needs to see everything that it asks for: it cannot pass on an incomplete view.
    pub complete: bool,
    /// Whether the lines that findings name may be kept with the record and shown in reports. May be left out, and is then
    /// `false`. A gate whose findings lie on lines that may hold secrets leaves it so.
    #[serde(default)]
    pub quote: bool,
    /// The rights it asks for, each with a reason.
    pub wants: Wants,
    /// JSON Schema of its configuration, or null when it takes none.
    pub config: Option<Value>,
    /// The tools of an adapter; empty for others.
    pub tools: Vec<Tool>,
    /// How the exit codes of a command can be read as a verdict, or null when they cannot.
    pub exit: Option<Exit>,
}

/// What kind of plugin it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Exports `leasehold:plugin/gate`.
    Gate,
    /// Exports `leasehold:plugin/adapter`.
    Adapter,
    /// Exports `wasi:cli/run`.
    Command,
}

/// The rights a plugin asks for. Asking grants nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wants {
    /// Names it wants to see.
    pub list: Vec<WantedPath>,
    /// Files it wants to read.
    pub read: Vec<WantedPath>,
    /// Files it wants to write.
    pub write: Vec<WantedPath>,
    /// Environment variables it wants to see.
    pub env: Vec<WantedVariable>,
}

/// Paths a plugin asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedPath {
    /// A pattern as leases have them.
    pub pattern: String,
    /// The reason, one sentence.
    pub why: String,
}

/// An environment variable a plugin asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedVariable {
    /// Its name.
    pub name: String,
    /// The reason, one sentence.
    pub why: String,
}

/// A tool of an adapter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name: lower-case letters, digits and `-`, at most 64 characters.
    pub name: String,
    /// One sentence for whoever chooses a tool.
    pub summary: String,
    /// JSON Schema of the arguments.
    pub input: Value,
    /// JSON Schema of the result.
    pub output: Value,
}

/// Exit codes that mean a verdict. Any other code is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exit {
    /// Codes that mean pass.
    pub pass: Vec<u8>,
    /// Codes that mean fail.
    pub fail: Vec<u8>,
}

/// Reads a manifest and checks what the types cannot express.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn parse(bytes: &[u8]) -> Result<Manifest, String> {
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if manifest.manifest != 1 {
        return Err(format!(
            "version {} of the manifest format is not known",
            manifest.manifest
        ));
    }
    let tools = manifest.tools.iter().map(|tool| &tool.name);
    if let Some(name) = std::iter::once(&manifest.name)
        .chain(tools)
        .find(|name| !is_name(name))
    {
        return Err(format!(
            "{name:?} is not a name: lower-case letters, digits and '-', at most 64"
        ));
    }
    if manifest.summary.trim().is_empty() {
        return Err("the summary is empty".to_owned());
    }
    if (manifest.kind == Kind::Adapter) == manifest.tools.is_empty() {
        return Err("an adapter has tools, and nothing else has".to_owned());
    }
    if manifest.complete && manifest.kind != Kind::Gate {
        return Err("only a gate can be complete".to_owned());
    }
    if manifest.quote && manifest.kind != Kind::Gate {
        return Err("only a gate has findings whose lines can be quoted".to_owned());
    }
    if manifest.exit.is_some() && manifest.kind != Kind::Command {
        return Err("only a command has exit codes".to_owned());
    }
    Ok(manifest)
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATE: &str = r#"{"manifest":1,"name":"x","version":"0.1.0","kind":"gate","summary":"s","complete":true,
        "wants":{"list":[{"pattern":"*","why":"w"}],"read":[],"write":[],"env":[]},"config":null,"tools":[],"exit":null}"#;

    #[test]
    fn a_manifest_is_read() {
        assert_eq!(
            parse(GATE.as_bytes()).map(|manifest| manifest.kind),
            Ok(Kind::Gate)
        );
    }

    #[test]
    fn lines_are_quoted_only_where_the_manifest_says_so() {
        let quote = |text: &str| parse(text.as_bytes()).map(|manifest| manifest.quote);
        assert_eq!(quote(GATE), Ok(false));
        let said = GATE.replace("\"complete\":true", "\"complete\":true,\"quote\":true");
        assert_eq!(quote(&said), Ok(true));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, word) in [
            ("\"manifest\":1", "\"manifest\":2", "version 2"),
            ("\"name\":\"x\"", "\"name\":\"X\"", "\"X\""),
            ("\"summary\":\"s\"", "\"summary\":\" \"", "summary"),
            (
                "\"tools\":[]",
                "\"tools\":[{\"name\":\"t\",\"summary\":\"s\",\"input\":{},\"output\":{}}]",
                "tools",
            ),
            ("\"kind\":\"gate\"", "\"kind\":\"command\"", "complete"),
            (
                "\"kind\":\"gate\",\"summary\":\"s\",\"complete\":true",
                "\"kind\":\"command\",\"summary\":\"s\",\"complete\":false,\"quote\":true",
                "quoted",
            ),
            (
                "\"complete\":true",
                "\"complete\":true,\"quote\":1",
                "boolean",
            ),
            (
                "\"exit\":null",
                "\"exit\":{\"pass\":[0],\"fail\":[1]}",
                "exit",
            ),
            ("\"exit\":null", "\"exit\":null,\"extra\":1", "extra"),
            ("\"env\":[]", "\"env\":[],\"http\":[]", "http"),
        ] {
            let error = parse(GATE.replace(from, to).as_bytes())
                .err()
                .unwrap_or_default();
            assert!(error.contains(word), "{to}: {error}");
        }
    }
}
