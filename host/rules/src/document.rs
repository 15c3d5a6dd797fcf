//! The plan as people read it.

use leasehold_lease::{Kind, Pattern};

use crate::change::named;
use crate::network::{http_text, secret_text};
use crate::plan::PlannedStep;

/// One line about a step: what it runs, one of its rights, or something else it states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepLine {
    /// The key it goes by: `gate`, `read`, `limits.fuel` and so on.
    pub key: &'static str,
    /// Its value as people read it. May hold text of the pipeline.
    pub value: String,
    /// The line of the pipeline file where it stands, from 1; `None`: it is a default.
    pub line: Option<usize>,
}

impl PlannedStep {
    /// What there is to say about the step, rights with all their defaults; keys in a fixed order.
    #[must_use]
    pub fn describe(&self) -> Vec<StepLine> {
        let wanted = &self.wanted;
        let mut lines = Vec::new();
        let mut say = |key: &'static str, value: String| {
            let line = self.lines.get(key).copied();
            lines.push(StepLine { key, value, line });
        };
        let name = &self.plugin_name;
        say(
            self.uses(),
            format!("{name} {} {}", self.plugin_version, self.plugin),
        );
        for (key, patterns) in [
            ("list", &wanted.files.list),
            ("read", &wanted.files.read),
            ("write", &wanted.files.write),
            ("deny", &wanted.files.deny),
            ("skip", &self.skip),
        ] {
            say(key, joined(patterns.iter().map(Pattern::as_str)));
        }
        if !self.args.is_empty() {
            say("args", format!("{:?}", self.args));
        }
        if let Some(digest) = wanted.config {
            say("config", digest.to_string());
        }
        if !wanted.env.pass.is_empty() {
            say(
                "env.pass",
                joined(wanted.env.pass.iter().map(String::as_str)),
            );
        }
        if !wanted.env.set.is_empty() {
            let set = wanted.env.set.iter();
            let set: Vec<String> = set
                .map(|(name, value)| format!("{name}={value:?}"))
                .collect();
            say("env.set", set.join(", "));
        }
        for http in &wanted.http {
            say("http", http_text(http));
        }
        for secret in &wanted.secrets {
            say("secrets", secret_text(secret));
        }
        if let Some(exit) = &self.exit {
            say("exit.pass", format!("{:?}", exit.pass));
            say("exit.fail", format!("{:?}", exit.fail));
        }
        let keys = [
            "limits.fuel",
            "limits.memory_bytes",
            "limits.wall_ms",
            "limits.output_bytes",
            "limits.write_bytes",
            "limits.open_files",
        ];
        for (key, (_, value)) in keys.into_iter().zip(named(&wanted.limits)) {
            say(key, value.to_string());
        }
        // Only verdicts are ever used again.
        let cache = self.cache && self.kind == Kind::Gate;
        say("cache", if cache { "yes" } else { "no" }.to_owned());
        lines
    }

    /// The key under which the step names its plugin.
    pub(crate) fn uses(&self) -> &'static str {
        match self.kind {
            Kind::Command => "command",
            Kind::Gate | Kind::Adapter => "gate",
        }
    }
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.collect();
    if texts.is_empty() {
        "nothing".to_owned()
    } else {
        texts.join(", ")
    }
}
