//! The policy: what has to run, whatever the pipeline says.

use leasehold_seal::{Class, Coded, Digest, canonical};
use serde_json::{Map, Value};

use crate::error::{Problems, RulesError, did_you_mean};
use crate::plan::Plan;

/// The most entries in one list of a policy.
pub const MAX_MUST_RUN: usize = 1_000;

/// A policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    must_run: Vec<MustRun>,
}

/// Something that has to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MustRun {
    /// The plugin.
    pub plugin: Digest,
    /// The configuration it has to be given; `None`: any, or none.
    pub config: Option<Digest>,
}

impl Policy {
    /// Reads a policy: JSON of the form `{"version": 1, "must_run": [{"plugin": "sha256:…", "config": "sha256:…"}]}`,
    /// at most 1 MiB. `must_run` and `config` may be left out; an unknown field is an error.
    ///
    /// # Errors
    /// Every problem, all of class usage: of the JSON only the first, with its own code (`JSON-…`); then `POLICY-KEY`,
    /// `POLICY-TYPE`, `POLICY-MISSING`, `POLICY-VERSION`, `POLICY-DIGEST`, `PROBLEMS-MORE`.
    pub fn parse(json: &[u8]) -> Result<Self, Vec<RulesError>> {
        let value = canonical::parse(json).map_err(|error| {
            let mut refused =
                RulesError::new(error.code(), Class::Usage, format!("the policy: {error}"));
            if let Some(hint) = error.hint() {
                refused = refused.with_hint(hint);
            }
            vec![refused]
        })?;
        let mut reader = Reader::default();
        let policy = reader.policy(&value);
        if reader.problems.is_empty() {
            Ok(policy)
        } else {
            Err(reader.problems.into_errors())
        }
    }

    /// What has to run, in the order of the policy.
    #[must_use]
    pub fn must_run(&self) -> &[MustRun] {
        &self.must_run
    }

    /// What has to run and is not planned, in the order of the policy: an entry is met only by a step of that plugin
    /// and, where the entry names a configuration, with that configuration.
    #[must_use]
    pub fn unmet(&self, plan: &Plan) -> Vec<MustRun> {
        let met = |entry: &MustRun| {
            plan.steps().iter().any(|step| {
                step.plugin == entry.plugin
                    && (entry.config.is_none() || step.wanted.config == entry.config)
            })
        };
        let unmet = self.must_run.iter().filter(|entry| !met(entry));
        unmet.copied().collect()
    }
}

/// Reads by hand, so that every problem is found and named with its field.
#[derive(Default)]
struct Reader {
    problems: Problems,
}

impl Reader {
    fn policy(&mut self, value: &Value) -> Policy {
        let mut policy = Policy::default();
        let Some(fields) = self.object("the policy", value, &["version", "must_run"]) else {
            return policy;
        };
        match fields.get("version") {
            None => self.report(
                "POLICY-MISSING",
                "the policy has no `version`",
                "add \"version\": 1",
            ),
            Some(version) if version.as_i64() == Some(1) => {}
            Some(version) => self.report(
                "POLICY-VERSION",
                format!("the policy has version {version}; this version reads 1"),
                "use a version of Leasehold that reads it",
            ),
        }
        let Some(list) = fields.get("must_run") else {
            return policy;
        };
        match list.as_array() {
            Some(list) if list.len() > MAX_MUST_RUN => self.report(
                "POLICY-TYPE",
                format!(
                    "must_run has {} entries, the most is {MAX_MUST_RUN}",
                    list.len()
                ),
                HINT,
            ),
            Some(list) => {
                let entries = list.iter().enumerate();
                let entries = entries.filter_map(|(index, value)| self.must_run(index, value));
                policy.must_run = entries.collect();
            }
            None => self.wrong_type("must_run", "a list of objects", list),
        }
        policy
    }

    fn must_run(&mut self, index: usize, value: &Value) -> Option<MustRun> {
        let at = format!("must_run[{index}]");
        let fields = self.object(&at, value, &["plugin", "config"])?;
        if !fields.contains_key("plugin") {
            self.report("POLICY-MISSING", format!("{at} has no `plugin`"), HINT);
        }
        let config = match fields.get("config") {
            Some(_) => Some(self.digest(&at, fields, "config")?),
            None => None,
        };
        let plugin = self.digest(&at, fields, "plugin")?;
        Some(MustRun { plugin, config })
    }

    fn digest(&mut self, at: &str, fields: &Map<String, Value>, key: &str) -> Option<Digest> {
        let value = fields.get(key)?;
        let Some(text) = value.as_str() else {
            self.wrong_type(&format!("{at}.{key}"), "a digest", value);
            return None;
        };
        match text.parse() {
            Ok(digest) => Some(digest),
            Err(error) => {
                self.report(
                    "POLICY-DIGEST",
                    format!("{at}.{key}: {text:?} is {error}"),
                    HINT,
                );
                None
            }
        }
    }

    fn object<'v>(
        &mut self,
        at: &str,
        value: &'v Value,
        known: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Some(fields) = value.as_object() else {
            self.wrong_type(at, "an object", value);
            return None;
        };
        for key in fields.keys().filter(|key| !known.contains(&key.as_str())) {
            let hint = did_you_mean(key, known.iter().copied())
                .unwrap_or_else(|| format!("known here: {}", known.join(", ")));
            self.report(
                "POLICY-KEY",
                format!("{at} has an unknown key {key:?}"),
                hint,
            );
        }
        Some(fields)
    }

    fn wrong_type(&mut self, at: &str, expected: &str, found: &Value) {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.report(
            "POLICY-TYPE",
            format!("{at}: expected {expected}, found {found}"),
            HINT,
        );
    }

    /// JSON has no places here, so problems stay in the order in which they are found.
    fn report(&mut self, code: &'static str, sentence: impl Into<String>, hint: impl Into<String>) {
        self.problems
            .add(0, || RulesError::usage(code, sentence).with_hint(hint));
    }
}

const HINT: &str = "a policy is {\"version\": 1, \"must_run\": [{\"plugin\": \"sha256:…\", \"config\": \"sha256:…\"}]}";
