//! One thing that a request wants done, and reading it.

use std::fmt;

use serde_json::Value;

use super::json::{Fields, Form, Reader, document};
use crate::error::RulesError;

/// What an operation does. Nothing else is known, so nothing else is ever allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Makes a file, or replaces its content.
    WriteFile,
    /// Replaces the content of a file that is there.
    UpdateFile,
    /// Applies a patch to one file, whatever other names the patch has in it.
    PatchFile,
    /// Removes a file.
    DeleteFile,
    /// Makes a folder.
    MakeFolder,
    /// Puts files into git's index.
    GitAdd,
    /// Commits the index.
    GitCommit,
    /// Runs a program.
    RunCommand,
}

/// An operation as it was asked for. Its paths are texts: only a decision makes paths of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The action as written.
    pub(super) name: String,
    /// What that is; `None`: nothing known.
    pub(super) action: Option<Action>,
    pub(super) paths: Vec<String>,
    /// How much it would write, in bytes.
    pub(super) bytes: u64,
    /// The words of a command; `None` where its text cannot be taken apart without a shell.
    pub(super) command: Option<Vec<String>>,
    pub(super) timeout_seconds: Option<u64>,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::WriteFile,
        Self::UpdateFile,
        Self::PatchFile,
        Self::DeleteFile,
        Self::MakeFolder,
        Self::GitAdd,
        Self::GitCommit,
        Self::RunCommand,
    ];

    /// The word for it in policies and requests: `write_file`, for instance.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WriteFile => "write_file",
            Self::UpdateFile => "update_file",
            Self::PatchFile => "patch_file",
            Self::DeleteFile => "delete_file",
            Self::MakeFolder => "mkdir",
            Self::GitAdd => "git_add",
            Self::GitCommit => "git_commit",
            Self::RunCommand => "run_command",
        }
    }

    /// The action of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Whether it is one of git's.
    pub(super) fn is_git(self) -> bool {
        matches!(self, Self::GitAdd | Self::GitCommit)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Operation {
    /// An operation on these paths that writes nothing and runs nothing.
    #[must_use]
    pub fn on_paths(action: &str, paths: Vec<String>) -> Self {
        Self {
            name: action.to_owned(),
            action: Action::of_name(action),
            paths,
            bytes: 0,
            command: None,
            timeout_seconds: None,
        }
    }

    /// Reads one operation: JSON of the form `{"action": "write_file", "params": {"path": "docs/a.md", "content": "…"}}`.
    ///
    /// | action | `params`; those with a star have to be there |
    /// |---|---|
    /// | `write_file`, `update_file` | `path`*, `content` |
    /// | `patch_file` | `path`*, `patch` |
    /// | `delete_file`, `mkdir` | `path`* |
    /// | `git_add` | `path` or `paths`* |
    /// | `git_commit` | `message`, `path` or `paths` |
    /// | `run_command` | `command`*, a list of words or one text; `timeout_seconds` |
    ///
    /// Of an action that is not known, `params` may be anything: it is denied anyway.
    ///
    /// # Errors
    /// Every problem, all of class usage: `JSON-…`, `REQUEST-KEY`, `REQUEST-TYPE`, `REQUEST-MISSING`, `REQUEST-VALUE`,
    /// `PROBLEMS-MORE`.
    pub fn parse(json: &[u8]) -> Result<Self, Vec<RulesError>> {
        document(json, &FORM, |reader, value| {
            let fields = reader.object("", value, &["action", "params"])?;
            read(reader, &fields)
        })
    }

    /// The action as it was asked for; may be none that is known.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.name
    }

    /// The paths as they were asked for; they may lead anywhere.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        &self.paths
    }
}

/// Reads `action` and `params` of an object that may have other keys as well.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Option<Operation> {
    reader.required(fields, &["action"]);
    let name = reader.string(fields, "action")?;
    let mut operation = Operation::on_paths(name, Vec::new());
    let Some(action) = operation.action else {
        if let Some(params) = fields.get("params").filter(|params| !params.is_object()) {
            reader.wrong_type(&fields.name("params"), "an object", params);
        }
        return Some(operation);
    };
    let (known, needed): (&[&str], &[&str]) = match action {
        Action::WriteFile | Action::UpdateFile => (&["path", "content"], &["path"]),
        Action::PatchFile => (&["path", "patch"], &["path"]),
        Action::DeleteFile | Action::MakeFolder => (&["path"], &["path"]),
        Action::GitAdd => (&["path", "paths"], &[]),
        Action::GitCommit => (&["message", "path", "paths"], &[]),
        Action::RunCommand => (&["command", "timeout_seconds"], &["command"]),
    };
    if !fields.has("params") {
        if action != Action::GitCommit {
            reader.required(fields, &["params"]);
        }
        return Some(operation);
    }
    let params = reader.inner(fields, "params", known)?;
    reader.required(&params, needed);
    let path = reader.string(&params, "path").map(str::to_owned);
    let paths = reader.strings(&params, "paths", MAX_PATHS);
    operation.paths.extend(path);
    operation
        .paths
        .extend(paths.into_iter().map(|(_, path)| path.to_owned()));
    if action == Action::GitAdd && operation.paths.is_empty() {
        reader.bad_value(format!("{}: git_add names no path", params.at));
    }
    reader.string(&params, "message");
    for key in ["content", "patch"] {
        let text = reader.string(&params, key).unwrap_or_default();
        operation.bytes += text.len() as u64;
    }
    operation.command = command(reader, &params);
    operation.timeout_seconds = reader.integer(&params, "timeout_seconds", SECONDS);
    Some(operation)
}

fn command(reader: &mut Reader, params: &Fields<'_>) -> Option<Vec<String>> {
    match params.get("command")? {
        Value::String(text) => words(text),
        _ => {
            let words = reader.strings(params, "command", MAX_WORDS);
            Some(words.into_iter().map(|(_, word)| word.to_owned()).collect())
        }
    }
}

/// The words of a command that is one text; `None` where a shell would make anything else of it than the words between
/// the spaces.
pub(super) fn words(text: &str) -> Option<Vec<String>> {
    let plain =
        |char: char| char == ' ' || char.is_ascii_alphanumeric() || "-_./=:,@%+".contains(char);
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    // A first word with `=` in it would set a variable.
    let is_program = words.first().is_some_and(|word| !word.contains('='));
    (text.chars().all(plain) && is_program).then_some(words)
}

/// The codes of requests and of operations by themselves.
pub(super) static FORM: Form = Form {
    what: "the request",
    hint: "docs/policy.md lists every key of a request and what each action takes",
    key: "REQUEST-KEY",
    wrong_type: "REQUEST-TYPE",
    missing: "REQUEST-MISSING",
    value: "REQUEST-VALUE",
    duplicate: "REQUEST-DUPLICATE",
};

/// The most paths of one operation.
const MAX_PATHS: usize = 10_000;
/// The most words of one command.
pub(super) const MAX_WORDS: usize = 1_024;
/// How long a command may be wanted to take, in seconds: up to a day.
pub(super) const SECONDS: (u64, u64) = (1, 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_a_shell_would_change_is_no_command() {
        let found = words("cargo  fmt --check").unwrap();
        assert_eq!(found, ["cargo", "fmt", "--check"]);
        for bad in [
            "", "  ", "a; b", "a && b", "a | b", "a > b", "a $B", "a `b`", "a 'b c'", "a \"b\"",
            "a *", "a ~/b", "a\nb", "a\tb", "a #b", "a\u{a0}b", "A=b c",
        ] {
            assert_eq!(words(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn every_action_is_found_by_its_name() {
        for action in Action::ALL {
            assert_eq!(Action::of_name(action.name()), Some(action));
        }
        assert_eq!(Action::of_name("WRITE_FILE"), None);
    }
}
