//! From a plan to the grants a lease needs for it, and from a lease to the rights of each step.

use std::collections::HashMap;

use leasehold_lease::{FileGrant, Grant, LimitsSpec, MAX_GRANTS, Rights, RightsSpec, Verified};
use leasehold_seal::{Class, Coded};

use crate::error::RulesError;
use crate::plan::{Plan, PlannedStep, at_line};

/// One right that a step wants and a lease does not give. Class refused; code `GRANT-MISSING` where the lease has no
/// grant for the plugin, `RIGHTS-WIDER` otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Excess {
    /// The step's id.
    pub step: String,
    /// Where the right stands in `leasehold.toml`, from 1; where it is a default, where the step begins.
    pub line: usize,
    /// The right: `files.read "src/**"`, `args ["--force"]`, `env.pass HOME`, `http GET https://…`, `secrets api-token`,
    /// `limits.fuel 20000000000`, `config`, `kind command` or `plugin sha256:…`.
    pub right: String,
    /// What is wrong. May hold text of the pipeline and the lease.
    pub sentence: String,
    code: &'static str,
}

impl Coded for Excess {
    fn code(&self) -> &'static str {
        self.code
    }

    fn class(&self) -> Class {
        Class::Refused
    }

    fn hint(&self) -> Option<String> {
        let line = at_line(self.line);
        Some(format!(
            "`leasehold approve` shows what is wanted and signs a lease for it; see {line}"
        ))
    }
}

impl Plan {
    /// The grants that a lease needs for this plan, in the order of the file: one for each step under the step's id,
    /// but only the first of those that are equal in everything else. `skip` is no part of a grant.
    ///
    /// # Errors
    /// `GRANTS-TOO-MANY`, class usage: more than [`MAX_GRANTS`] different ones.
    pub fn grants(&self) -> Result<Vec<Grant>, RulesError> {
        let mut steps: Vec<&PlannedStep> = self.steps().iter().collect();
        steps.sort_by_key(|step| step.line);
        let mut grants: Vec<Grant> = Vec::new();
        for step in steps {
            if grants.iter().any(|grant| same_rights(grant, &step.wanted)) {
                continue;
            }
            if grants.len() == MAX_GRANTS {
                let sentence = format!(
                    "the steps want more than {MAX_GRANTS} different grants, which one lease does not hold"
                );
                return Err(RulesError::usage("GRANTS-TOO-MANY", sentence).with_hint(
                    "give steps that run the same plugin the same rights, or split the pipeline",
                ));
            }
            grants.push(step.wanted.clone());
        }
        Ok(grants)
    }

    /// The rights of each step under a lease, in the order of [`Plan::steps`]: those of a grant for its plugin and kind,
    /// narrowed to what the step wants, with `skip` as further deny rules. The grant with the step's id is tried first,
    /// then the others in the order of the lease.
    ///
    /// # Errors
    /// For each step that no grant fits: every right that is too wide for the grant that comes nearest.
    pub fn under(&self, lease: &Verified) -> Result<Vec<Rights>, Vec<Excess>> {
        let offers = Offers::new(lease);
        let mut all = Vec::with_capacity(self.steps().len());
        let mut found = Vec::new();
        for step in self.steps() {
            match offers.rights(step) {
                Ok(rights) => all.push(rights),
                Err(excess) => found.extend(excess),
            }
        }
        if found.is_empty() {
            Ok(all)
        } else {
            Err(found)
        }
    }
}

impl PlannedStep {
    /// What the step wants, as [`Rights::narrow`] takes it: `skip` is among the deny rules.
    #[must_use]
    pub fn rights_spec(&self) -> RightsSpec {
        let Grant {
            files,
            args,
            env,
            http,
            secrets,
            limits,
            ..
        } = &self.wanted;
        let skip = self.skip.iter().filter(|rule| !files.deny.contains(rule));
        RightsSpec {
            files: FileGrant {
                deny: files.deny.iter().chain(skip).cloned().collect(),
                ..files.clone()
            },
            args: args.clone(),
            env: env.clone(),
            http: http.clone(),
            secrets: secrets.clone(),
            limits: LimitsSpec::from(*limits),
            expires: None,
        }
    }

    fn excess(&self, code: &'static str, key: &str, right: String, has: &str) -> Excess {
        let sentence = format!("the step {:?} wants {right}; {has}", self.id);
        Excess {
            step: self.id.clone(),
            line: self.line_of(key),
            right,
            sentence,
            code,
        }
    }
}

/// The rights of every grant of a lease, made once.
struct Offers(HashMap<leasehold_seal::Digest, Vec<Rights>>);

impl Offers {
    fn new(lease: &Verified) -> Self {
        let mut offers: HashMap<_, Vec<Rights>> = HashMap::new();
        for grant in &lease.document().grants {
            // Ids are unique in a verified lease, so each grant is found under its own.
            if let Ok(rights) = lease.rights(&grant.id) {
                offers.entry(grant.plugin).or_default().push(rights);
            }
        }
        Self(offers)
    }

    fn rights(&self, step: &PlannedStep) -> Result<Rights, Vec<Excess>> {
        let wanted = step.rights_spec();
        let offers = self
            .0
            .get(&step.plugin)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let same_kind = || offers.iter().filter(|offer| offer.kind() == step.kind);
        let own = same_kind().filter(|offer| offer.grant() == step.id);
        let others = same_kind().filter(|offer| offer.grant() != step.id);
        let mut nearest: Option<Vec<Excess>> = None;
        for offer in own.chain(others) {
            let excess = excess(offer, step, &wanted);
            if excess.is_empty() {
                return offer.narrow(&wanted).map_err(|error| {
                    vec![step.excess(
                        "RIGHTS-WIDER",
                        step.uses(),
                        "its rights".to_owned(),
                        &error.to_string(),
                    )]
                });
            }
            if nearest
                .as_ref()
                .is_none_or(|nearest| excess.len() < nearest.len())
            {
                nearest = Some(excess);
            }
        }
        Err(nearest.unwrap_or_else(|| vec![no_offer(step, offers)]))
    }
}

/// Every right in which the step wants more than the grant has.
fn excess(offer: &Rights, step: &PlannedStep, wanted: &RightsSpec) -> Vec<Excess> {
    let grant = format!("the grant {:?} of the lease", offer.grant());
    let mut found = Vec::new();
    if !offer.allows_config(step.wanted.config.as_ref()) {
        let right = match step.wanted.config {
            Some(digest) => format!("config {digest}"),
            None => "no config".to_owned(),
        };
        let has = match offer.config() {
            Some(digest) => format!("{grant} is for the configuration {digest}"),
            None => format!("{grant} is for no configuration"),
        };
        found.push(step.excess("RIGHTS-WIDER", "config", right, &has));
    }
    for leasehold_lease::Excess {
        field,
        wanted,
        problem,
    } in offer.excess(wanted)
    {
        let key = field.strip_prefix("files.").unwrap_or(&field);
        let key = if key == "list" && !step.lines.contains_key(key) {
            "read"
        } else {
            key
        };
        let right = format!("{field} {wanted}");
        let has = format!("{grant} does not give it: {problem}");
        found.push(step.excess("RIGHTS-WIDER", key, right.trim_end().to_owned(), &has));
    }
    found
}

fn no_offer(step: &PlannedStep, offers: &[Rights]) -> Excess {
    match offers.first() {
        Some(other) => {
            let has = format!(
                "the lease has the plugin {:?} only as {}",
                step.plugin_name,
                other.kind()
            );
            let right = format!("kind {}", step.kind);
            step.excess("RIGHTS-WIDER", step.uses(), right, &has)
        }
        None => {
            let has = format!(
                "no grant of the lease is for the plugin {:?}",
                step.plugin_name
            );
            let right = format!("plugin {}", step.plugin);
            step.excess("GRANT-MISSING", step.uses(), right, &has)
        }
    }
}

/// Whether two grants differ in nothing but their names.
fn same_rights(one: &Grant, other: &Grant) -> bool {
    one.plugin == other.plugin && {
        let renamed = Grant {
            id: one.id.clone(),
            ..other.clone()
        };
        *one == renamed
    }
}
