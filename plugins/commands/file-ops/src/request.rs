//! The request.

use serde::Deserialize;

/// The most operations in a request.
const OPERATIONS: usize = 10_000;

/// A request whose form is right.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Version of the format: 1.
    version: u32,
    /// What to do, in this order.
    pub(crate) operations: Vec<Operation>,
}

/// One change.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Operation {
    /// Makes a file, or replaces it.
    Write {
        /// The file; its directory must exist.
        path: String,
        /// Its new content.
        content: String,
    },
    /// Replaces a file that exists.
    Update {
        /// The file.
        path: String,
        /// Its new content.
        content: String,
    },
    /// Changes a file that exists by a unified diff, which must fit to the letter.
    Patch {
        /// The file.
        path: String,
        /// The diff.
        diff: String,
    },
    /// Removes a file.
    Delete {
        /// The file.
        path: String,
    },
    /// Makes a directory.
    Mkdir {
        /// The directory; the one it is in must exist.
        path: String,
    },
}

impl Request {
    /// Reads a request, or says what is wrong with it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let request: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("the request is not well formed: {error}"))?;
        if request.version != 1 {
            return Err(format!(
                "version {} of the request format is not known",
                request.version
            ));
        }
        match request.operations.len() {
            0 => return Err("the request has no operations".to_owned()),
            count if count > OPERATIONS => {
                return Err(format!("{count} operations are more than {OPERATIONS}"));
            }
            _ => {}
        }
        for (index, operation) in request.operations.iter().enumerate() {
            check_path(operation.path())
                .map_err(|reason| format!("operation {index}: {reason}"))?;
        }
        Ok(request)
    }
}

impl Operation {
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Write { path, .. }
            | Self::Update { path, .. }
            | Self::Patch { path, .. }
            | Self::Delete { path }
            | Self::Mkdir { path } => path,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Write { .. } => "write",
            Self::Update { .. } => "update",
            Self::Patch { .. } => "patch",
            Self::Delete { .. } => "delete",
            Self::Mkdir { .. } => "mkdir",
        }
    }
}

/// Relative, separated by `/`, without components that are empty or lead elsewhere.
fn check_path(path: &str) -> Result<(), String> {
    if path.contains(['\\', '\0']) {
        return Err(format!(
            "{path:?} contains a character that a path here cannot have"
        ));
    }
    match path
        .split('/')
        .find(|component| matches!(*component, "" | "." | ".."))
    {
        Some(_) => Err(format!(
            "{path:?} is not a plain relative path: no leading, trailing or double '/', no '.' and no '..'"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Request::parse(text.as_bytes()).err().unwrap_or_default()
    }

    #[test]
    fn all_five_operations_are_read() {
        let request = Request::parse(
            br#"{"version":1,"operations":[{"op":"write","path":"a","content":""},{"op":"update","path":"a","content":"x"},
                {"op":"patch","path":"a","diff":""},{"op":"delete","path":"a"},{"op":"mkdir","path":"d/e"}]}"#,
        )
        .unwrap();
        let names: Vec<&str> = request.operations.iter().map(Operation::name).collect();
        assert_eq!(names, ["write", "update", "patch", "delete", "mkdir"]);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (text, word) in [
            ("", "well formed"),
            ("[]", "well formed"),
            (
                r#"{"version":2,"operations":[{"op":"mkdir","path":"d"}]}"#,
                "version 2",
            ),
            (r#"{"version":1,"operations":[]}"#, "no operations"),
            (
                r#"{"version":1,"operations":[{"op":"chmod","path":"d"}]}"#,
                "chmod",
            ),
            (
                r#"{"version":1,"operations":[{"op":"mkdir","path":"d","mode":7}]}"#,
                "mode",
            ),
            (
                r#"{"version":1,"operations":[{"op":"delete","path":"d","content":"x"}]}"#,
                "content",
            ),
            (
                r#"{"version":1,"operations":[{"op":"write","path":"d"}]}"#,
                "content",
            ),
            (
                r#"{"version":1,"dry_run":true,"operations":[{"op":"mkdir","path":"d"}]}"#,
                "dry_run",
            ),
            (
                r#"{"version":1,"operations":[{"op":"mkdir","path":"d"}]} {}"#,
                "trailing",
            ),
            (
                r#"{"version":1,"version":1,"operations":[{"op":"mkdir","path":"d"}]}"#,
                "duplicate",
            ),
        ] {
            assert!(error(text).contains(word), "{text}: {}", error(text));
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/..",
            "./a",
            "a/./b",
            "a//b",
            "a/",
            "a\\\\b",
            "a\\u0000",
        ] {
            let text =
                format!(r#"{{"version":1,"operations":[{{"op":"mkdir","path":"{path}"}}]}}"#);
            assert!(
                error(&text).starts_with("operation 0:"),
                "{path}: {}",
                error(&text)
            );
        }
        assert_eq!(
            error(r#"{"version":1,"operations":[{"op":"mkdir","path":"..a/.b/c..d"}]}"#),
            ""
        );
    }
}
