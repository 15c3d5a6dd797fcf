//! Whether a child lease is within its parent. Each rule is a function with a name; the first that is broken refuses.
//!
//! A child that is wider anywhere is refused, never clipped. The comparison is with the parent as it is after all its own
//! parents, so a limit or a budget that a lease in between leaves out still holds.

use leasehold_seal::Class;

use crate::child::{ChildDoc, ChildGrant};
use crate::document::{Audience, AudienceEntry, Budget, Grant, LeaseDoc};
use crate::http::HttpGrant;
use crate::limits::LIMIT_RANGES;
use crate::pattern::Pattern;
use crate::refusal::Refusal;
use crate::rights::args_or_empty;

/// The rules. The defaults are the ones that hold ([`Strict`]); tests put broken ones in their place to see that they
/// would be found out.
pub(crate) trait Containment {
    /// All rules for the lease as a whole, then those for each of its grants. `most`: the budget that is left of all the
    /// parents' budgets, whichever of them stated it.
    fn lease(parent: &LeaseDoc, most: &Budget, child: &ChildDoc) -> Result<(), Refusal> {
        Self::not_before(parent, child)?;
        Self::expires(parent, child)?;
        Self::audience(&parent.audience, &child.audience)?;
        Self::budget(most, child.budget.as_ref())?;
        for (index, grant) in child.grants.iter().enumerate() {
            let at = format!("grants[{index}]");
            let Some(wide) = parent.grants.iter().find(|wide| wide.id == grant.of()) else {
                let problem = format!("narrows {:?}, which the parent does not have", grant.of());
                return Err(wider(&at, problem));
            };
            Self::grant(&at, wide, grant)?;
        }
        Ok(())
    }

    /// All rules for one grant.
    fn grant(at: &str, wide: &Grant, narrow: &ChildGrant) -> Result<(), Refusal> {
        Self::subject(at, wide, narrow)?;
        Self::args(at, wide, narrow)?;
        Self::files(at, wide, narrow)?;
        Self::deny(at, wide, narrow)?;
        Self::env(at, wide, narrow)?;
        Self::http(at, wide, narrow)?;
        Self::secrets(at, wide, narrow)?;
        Self::limits(at, wide, narrow)
    }

    /// The child begins no earlier.
    fn not_before(parent: &LeaseDoc, child: &ChildDoc) -> Result<(), Refusal> {
        if child.not_before >= parent.not_before {
            return Ok(());
        }
        let problem = format!("{} is before {}", child.not_before, parent.not_before);
        Err(wider("not_before", problem))
    }

    /// The child ends no later.
    fn expires(parent: &LeaseDoc, child: &ChildDoc) -> Result<(), Refusal> {
        if child.expires <= parent.expires {
            return Ok(());
        }
        let problem = format!("{} is after {}", child.expires, parent.expires);
        Err(wider("expires", problem))
    }

    /// Each host of the child is one of the parent's, on the same tape where the parent names a tape.
    fn audience(parent: &Audience, child: &Audience) -> Result<(), Refusal> {
        let Audience::Hosts(wide) = parent else {
            return Ok(());
        };
        let Audience::Hosts(narrow) = child else {
            let problem = "is \"any\", and the parent names hosts".to_owned();
            return Err(wider("audience", problem));
        };
        let holds = |entry: &AudienceEntry| {
            wide.iter().any(|wide| {
                wide.host == entry.host && (wide.tape.is_none() || wide.tape == entry.tape)
            })
        };
        match narrow.iter().position(|entry| !holds(entry)) {
            None => Ok(()),
            Some(index) => {
                let entry = &narrow[index];
                let tape = match entry.tape {
                    Some(tape) => format!("tape {tape}"),
                    None => "any tape".to_owned(),
                };
                let problem = format!(
                    "{} with {tape} is not among the parent's hosts and tapes",
                    entry.host
                );
                Err(wider(&format!("audience[{index}]"), problem))
            }
        }
    }

    /// A budget is no greater than what any parent states.
    fn budget(most: &Budget, child: Option<&Budget>) -> Result<(), Refusal> {
        let child = child.copied().unwrap_or_default();
        for (field, most, wanted) in [
            ("budget.uses", most.uses, child.uses),
            ("budget.fuel", most.fuel, child.fuel),
        ] {
            if let (Some(most), Some(wanted)) = (most, wanted)
                && wanted > most
            {
                return Err(wider(field, format!("{wanted} is more than {most}")));
            }
        }
        Ok(())
    }

    /// Plugin, kind, configuration, clock and randomness are the same.
    fn subject(at: &str, wide: &Grant, narrow: &ChildGrant) -> Result<(), Refusal> {
        let differs = |field: &str, problem: String| Err(wider(&format!("{at}.{field}"), problem));
        if narrow.plugin != wide.plugin {
            return differs(
                "plugin",
                format!("{} is not {}", narrow.plugin, wide.plugin),
            );
        }
        if narrow.kind != wide.kind {
            return differs("kind", format!("{} is not {}", narrow.kind, wide.kind));
        }
        if narrow.config != wide.config {
            let text = |config: Option<leasehold_seal::Digest>| {
                config.map_or_else(|| "none".to_owned(), |config| config.to_string())
            };
            let problem = format!("{} is not {}", text(narrow.config), text(wide.config));
            return differs("config", problem);
        }
        if narrow.clock != wide.clock {
            return differs("clock", "is not the parent's".to_owned());
        }
        if narrow.random != wide.random {
            return differs("random", "is not the parent's".to_owned());
        }
        Ok(())
    }

    /// Each argument vector is one of the parent's.
    fn args(at: &str, wide: &Grant, narrow: &ChildGrant) -> Result<(), Refusal> {
        let have = args_or_empty(&wide.args);
        let wanted = args_or_empty(&narrow.args);
        match wanted.iter().find(|vector| !have.contains(vector)) {
            None => Ok(()),
            Some(vector) => {
                let problem = format!("{vector:?} is not among the parent's argument vectors");
                Err(wider(&format!("{at}.args"), problem))
            }
        }
    }

    /// Each pattern lies within one pattern the parent has for the same purpose.
    fn files(at: &str, wide: &Grant, narrow: &ChildGrant) -> Result<(), Refusal> {
        for (list, have, wanted) in [
            ("list", &wide.files.list, &narrow.files.list),
            ("read", &wide.files.read, &narrow.files.read),
            ("write", &wide.files.write, &narrow.files.write),
        ] {
            if let Some(pattern) = Self::uncovered(have, wanted) {
                let problem = format!("\"{pattern}\" is not within one pattern of the parent");
                return Err(wider(&format!("{at}.files.{list}"), problem));
            }
        }
        Ok(())
    }

    /// The first pattern that is not within one of those there are.
    fn uncovered<'a>(have: &[Pattern], wanted: &'a [Pattern]) -> Option<&'a Pattern> {
        wanted
            .iter()
            .find(|narrow| !have.iter().any(|wide| wide.covers(narrow)))
    }

    /// Each deny rule of the parent is there, by its text.
    fn deny(at: &str, wide: &Grant, narrow: &ChildGrant) -> Result<(), Refusal> {
        let kept = &narrow.files.deny;
        match wide.files.deny.iter().find(|rule| !kept.contains(rule)) {
            None => Ok(()),
            Some(rule) => {
                let problem = format!("\"{rule}\" of the parent is missing");
                Err(wider(&format!("{at}.files.deny"), problem))
            }
        }
    }

    /// Each variable is passed on, or set to the same value, by the parent too.
    fn env(at: &str, wide: &Grant, narrow: &ChildGrant) -> Result<(), Refusal> {
        let (wide, narrow) = (&wide.env, &narrow.env);
        if let Some(name) = narrow.pass.iter().find(|name| !wide.pass.contains(name)) {
            let problem = format!("{name} is not passed on by the parent");
            return Err(wider(&format!("{at}.env.pass"), problem));
        }
        match (narrow.set.iter()).find(|(name, value)| wide.set.get(*name) != Some(value)) {
            None => Ok(()),
            Some((name, _)) => {
                let problem = format!("{name} is not set to this value by the parent");
                Err(wider(&format!("{at}.env.set"), problem))
            }
        }
    }

    /// Each entry lies within one entry of the parent.
    fn http(at: &str, wide: &Grant, narrow: &ChildGrant) -> Result<(), Refusal> {
        for (index, entry) in narrow.http.iter().enumerate() {
            if !wide.http.iter().any(|wide| Self::http_entry(wide, entry)) {
                let problem = format!("{entry} is not within one entry of the parent");
                return Err(wider(&format!("{at}.http[{index}]"), problem));
            }
        }
        Ok(())
    }

    /// Whether one entry lies within another.
    fn http_entry(wide: &HttpGrant, narrow: &HttpGrant) -> bool {
        wide.covers(narrow)
    }

    /// Each secret is one of the parent's, at the same place.
    fn secrets(at: &str, wide: &Grant, narrow: &ChildGrant) -> Result<(), Refusal> {
        for (index, secret) in narrow.secrets.iter().enumerate() {
            if !wide.secrets.iter().any(|wide| wide.covers(secret)) {
                let problem = format!(
                    "{:?} is not a secret of the parent, or not at the same place",
                    secret.name
                );
                return Err(wider(&format!("{at}.secrets[{index}]"), problem));
            }
        }
        Ok(())
    }

    /// Each limit that is stated is no greater than the parent's.
    fn limits(at: &str, wide: &Grant, narrow: &ChildGrant) -> Result<(), Refusal> {
        let stated = LIMIT_RANGES.into_iter().zip(narrow.limits.values());
        for (((name, _, _), wanted), most) in stated.zip(wide.limits.values()) {
            if let Some(wanted) = wanted.filter(|wanted| *wanted > most) {
                let problem = format!("{wanted} is more than {most}");
                return Err(wider(&format!("{at}.limits.{name}"), problem));
            }
        }
        Ok(())
    }
}

/// The rules as they are.
pub(crate) struct Strict;

impl Containment for Strict {}

fn wider(field: &str, problem: String) -> Refusal {
    let message = format!("the child lease is wider than its parent: {field}: {problem}");
    Refusal::new("LEASE-WIDER", Class::Refused, message)
        .with_hint("a child lease may only have less than its parent: have it made anew")
}

#[cfg(test)]
mod tests;
