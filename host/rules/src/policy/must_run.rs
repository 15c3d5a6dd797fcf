//! What has to run.

use leasehold_lease::Pattern;
use leasehold_seal::Digest;
use serde_json::Value;

use super::json::Reader;
use crate::plan::{Plan, PlannedStep};

/// Something that has to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MustRun {
    /// The plugin.
    pub plugin: Digest,
    /// The configuration it has to be given; `None`: any, or none.
    pub config: Option<Digest>,
    /// What it has to judge; empty: whatever the step reads, if anything.
    pub read: Vec<Pattern>,
    /// What of that a step may leave out.
    pub skip: Vec<Pattern>,
}

impl MustRun {
    /// Whether the step does this: it runs the plugin, with the configuration where one is named, and where `read` says
    /// something, each of those patterns lies within one that the step reads, and the step skips and denies nothing but
    /// what `skip` has, literally.
    #[must_use]
    pub fn is_met_by(&self, step: &PlannedStep) -> bool {
        step.plugin == self.plugin
            && (self.config.is_none() || step.wanted.config == self.config)
            && (self.read.is_empty() || self.is_judged_by(step))
    }

    /// Steps of the plan that run the plugin though they do not do what is wanted here.
    pub fn near_misses<'p>(&self, plan: &'p Plan) -> impl Iterator<Item = &'p PlannedStep> {
        let steps = plan.steps().iter();
        steps.filter(move |step| step.plugin == self.plugin && !self.is_met_by(step))
    }

    fn is_judged_by(&self, step: &PlannedStep) -> bool {
        let files = &step.wanted.files;
        let mut wanted = self.read.iter();
        let mut left_out = step.skip.iter().chain(&files.deny);
        wanted.all(|pattern| files.read.iter().any(|read| read.covers(pattern)))
            && left_out.all(|rule| self.skip.contains(rule))
    }
}

/// Reads the list `must_run`.
pub(super) fn read(reader: &mut Reader, at: &str, value: &Value) -> Option<MustRun> {
    let fields = reader.object(at, value, &["plugin", "config", "read", "skip"])?;
    reader.required(&fields, &["plugin"]);
    if fields.has("skip") {
        reader.required(&fields, &["read"]);
    }
    let read = reader.patterns(&fields, "read");
    let stated = fields.get("read").and_then(Value::as_array);
    if stated.is_some_and(Vec::is_empty) {
        reader.bad_value(format!(
            "{} names nothing: name something, or leave it out",
            fields.name("read")
        ));
    }
    let skip = reader.patterns(&fields, "skip");
    let config = match fields.get("config") {
        Some(value) => Some(reader.digest(&fields.name("config"), value, super::DIGEST_CODE)?),
        None => None,
    };
    let plugin = reader.digest(
        &fields.name("plugin"),
        fields.get("plugin")?,
        super::DIGEST_CODE,
    )?;
    Some(MustRun {
        plugin,
        config,
        read,
        skip,
    })
}
