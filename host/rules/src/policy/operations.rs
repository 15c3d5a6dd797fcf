//! Which operations a request may contain.

use std::collections::BTreeSet;

use leasehold_lease::{Pattern, RelPath};
use serde_json::Value;

use super::MAX_LIST;
use super::decision::{Allowed, Denied};
use super::dollars::Dollars;
use super::json::{Fields, Reader};
use super::operation::{Action, MAX_WORDS, Operation, SECONDS, words};
use super::place::{self, PathFact};

/// The section `operations` of a policy. What is not in its lists is denied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationRules {
    pub(super) actions: BTreeSet<Action>,
    pub(super) paths: Vec<Pattern>,
    pub(super) deny_paths: Vec<Pattern>,
    pub(super) commands: Vec<Vec<String>>,
    pub(super) max_file_bytes: Option<u64>,
    pub(super) max_files: Option<u64>,
    pub(super) timeout_seconds: Option<u64>,
    pub(super) max_budget: Dollars,
}

impl OperationRules {
    /// The actions that are allowed on files and to git; [`Action::RunCommand`] where any command is.
    pub fn actions(&self) -> impl Iterator<Item = Action> {
        let runs = (!self.commands.is_empty()).then_some(Action::RunCommand);
        self.actions.iter().copied().chain(runs)
    }

    /// How long one command may take, in seconds; `None`: no bound. Whoever runs it holds it to that.
    #[must_use]
    pub fn timeout_seconds(&self) -> Option<u64> {
        self.timeout_seconds
    }

    /// How much a request may spend in all; nothing, where the policy does not say.
    #[must_use]
    pub fn max_budget(&self) -> Dollars {
        self.max_budget
    }

    /// Reads the section of a policy of ours.
    pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Self {
        let mut rules = Self {
            paths: reader.patterns(fields, "paths"),
            deny_paths: reader.patterns(fields, "deny_paths"),
            ..Self::default()
        };
        rules.read_actions(reader, fields, "git", Action::is_git);
        rules.read_actions(reader, fields, "files", is_file);
        rules.read_commands(reader, fields);
        rules.read_limits(reader, fields);
        rules.max_budget = read_budget(reader, fields);
        rules
    }

    /// Reads a list of actions, all of one kind.
    pub(super) fn read_actions(
        &mut self,
        reader: &mut Reader,
        fields: &Fields<'_>,
        key: &str,
        kind: fn(Action) -> bool,
    ) {
        let known: Vec<(&str, Action)> = Action::ALL
            .into_iter()
            .filter(|action| kind(*action))
            .map(|action| (action.name(), action))
            .collect();
        for (at, text) in reader.strings(fields, key, MAX_LIST) {
            self.actions.extend(reader.known_word(&at, text, &known));
        }
    }

    /// Reads the list of commands: each a list of words, or one text that needs no shell to be taken apart.
    pub(super) fn read_commands(&mut self, reader: &mut Reader, fields: &Fields<'_>) {
        for (at, value) in reader.list(fields, "commands", MAX_LIST) {
            let command = match value {
                Value::String(text) => words(text),
                Value::Array(_) => {
                    let entries = reader.entries(&at, value, MAX_WORDS).into_iter();
                    let texts: Vec<&str> = entries.filter_map(|(_, word)| word.as_str()).collect();
                    let whole = Some(texts.len()) == value.as_array().map(Vec::len);
                    (whole && !texts.is_empty())
                        .then(|| texts.into_iter().map(str::to_owned).collect())
                }
                _ => None,
            };
            match command {
                Some(command) => self.commands.push(command),
                None => reader.bad_value(format!(
                    "{at} is not a command: a list of words, or one text without quotes and other signs of a shell"
                )),
            }
        }
    }

    pub(super) fn read_limits(&mut self, reader: &mut Reader, fields: &Fields<'_>) {
        let megabytes = reader.integer(fields, "max_file_size_mb", (0, 1 << 20));
        self.max_file_bytes = megabytes.map(|megabytes| megabytes << 20);
        self.max_files = reader.integer(fields, "max_files", (0, 1_000_000_000));
        self.timeout_seconds = reader.integer(fields, "timeout_seconds", SECONDS);
    }

    /// Decides on an operation. `named` holds the files that the request has named so far, and gets those of this
    /// operation.
    pub(super) fn decide(
        &self,
        operation: &Operation,
        protected: &[Pattern],
        fact: &dyn Fn(&RelPath) -> PathFact,
        named: &mut BTreeSet<RelPath>,
    ) -> Result<Allowed, Denied> {
        let Some(action) = operation.action else {
            let why = format!("nothing is known of the action {:?}", operation.name);
            return Err(Denied::new("unknown_operation", why));
        };
        let rule = match action {
            Action::RunCommand => return self.command(operation),
            action if action.is_git() => "git",
            _ => "files",
        };
        if !self.actions.contains(&action) {
            let why = format!("{action} is not among those allowed");
            return Err(Denied::new(rule, why));
        }
        let mut paths = Vec::with_capacity(operation.paths.len());
        for text in &operation.paths {
            let strange = place::strange_to_git(text).filter(|_| action.is_git());
            let path = strange.map_or_else(|| place::inside(text), Err);
            let path = path.map_err(|why| Denied::new("paths", format!("{text:?} {why}")))?;
            self.path(action, &path, protected, fact(&path))?;
            named.insert(path.clone());
            paths.push(path);
        }
        self.limits(operation, named.len())?;
        Ok(Allowed {
            rule,
            why: format!("{action} is allowed there"),
            paths,
        })
    }

    /// Links, then what is protected or denied, then what is allowed; that the path is inside has been found out.
    fn path(
        &self,
        action: Action,
        path: &RelPath,
        protected: &[Pattern],
        fact: PathFact,
    ) -> Result<(), Denied> {
        if fact == PathFact::Linked {
            let why = format!("{path} leads through a symbolic link");
            return Err(Denied::new("symlinks", why));
        }
        if fact == PathFact::Protected || place::is_protected(protected, path) {
            return Err(Denied::new("protected", format!("{path} is protected")));
        }
        if let Some(deny) = self.deny_paths.iter().find(|deny| deny.denies(path)) {
            let why = format!("{path} is denied by {deny}");
            return Err(Denied::new("deny_paths", why));
        }
        let is_folder = fact == PathFact::Folder || path.is_root();
        if is_folder && action != Action::MakeFolder {
            return self.all_of(path, protected);
        }
        if !self.paths.iter().any(|allowed| allowed.matches(path)) {
            let why = format!("{path} is not among those allowed");
            return Err(Denied::new("paths", why));
        }
        Ok(())
    }

    /// What is done to a folder is done to everything in it, known or not.
    fn all_of(&self, folder: &RelPath, protected: &[Pattern]) -> Result<(), Denied> {
        for (rule, rules) in [("protected", protected), ("deny_paths", &self.deny_paths)] {
            if let Some(deny) = rules.iter().find(|deny| deny.may_deny_within(folder)) {
                let why = format!("the folder {folder} may have in it what {deny} stands for");
                return Err(Denied::new(rule, why));
            }
        }
        if !place::covers_all_of(&self.paths, folder) {
            let why = format!("not everything in the folder {folder} is among those allowed");
            return Err(Denied::new("paths", why));
        }
        Ok(())
    }

    fn limits(&self, operation: &Operation, named: usize) -> Result<(), Denied> {
        if let Some(most) = self.max_files
            && named as u64 > most
        {
            let why = format!("the files named are {named}, the most is {most}");
            return Err(Denied::new("max_files", why));
        }
        if let Some(most) = self.max_file_bytes
            && operation.bytes > most
        {
            let why = format!("it has {} bytes, the most is {most}", operation.bytes);
            return Err(Denied::new("max_file_size", why));
        }
        Ok(())
    }

    fn command(&self, operation: &Operation) -> Result<Allowed, Denied> {
        let Some(command) = &operation.command else {
            return Err(Denied::new("commands", "the command is not plain words"));
        };
        if !self.commands.contains(command) {
            let why = format!("{command:?} is not among those allowed");
            return Err(Denied::new("commands", why));
        }
        if let (Some(most), Some(wanted)) = (self.timeout_seconds, operation.timeout_seconds)
            && wanted > most
        {
            return Err(Denied::new(
                "timeout",
                format!("{wanted} s are more than {most} s"),
            ));
        }
        Ok(Allowed {
            rule: "commands",
            why: format!("{command:?} is allowed"),
            paths: Vec::new(),
        })
    }
}

/// Reads `max_budget_usd`: whole dollars as a number, or a decimal as a string. Left out: nothing may be spent.
pub(super) fn read_budget(reader: &mut Reader, fields: &Fields<'_>) -> Dollars {
    let Some(value) = fields.get("max_budget_usd") else {
        return Dollars::default();
    };
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => {
            reader.wrong_type(
                &fields.name("max_budget_usd"),
                "whole dollars, or a decimal as a string",
                value,
            );
            return Dollars::default();
        }
    };
    text.parse().unwrap_or_else(|error| {
        reader.bad_value(format!(
            "{}: {text} is {error}",
            fields.name("max_budget_usd")
        ));
        Dollars::default()
    })
}

pub(super) fn is_file(action: Action) -> bool {
    !action.is_git() && action != Action::RunCommand
}

pub(super) const KEYS: [&str; 9] = [
    "git",
    "files",
    "paths",
    "deny_paths",
    "commands",
    "max_file_size_mb",
    "max_files",
    "timeout_seconds",
    "max_budget_usd",
];
