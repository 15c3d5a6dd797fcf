//! What one set of grants allows and another does not, for people to approve.

use std::fmt;

use leasehold_lease::{FileGrant, Grant, HttpGrant, Limits, LimitsSpec, Pattern};

use crate::network::{http_text, secret_text};

/// One line of a difference in rights. `Display` begins with `+` where there are more rights and with `-` where there
/// are fewer: `+ toc may write docs/**`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RightsChange {
    /// What kind of change it is.
    pub change: Change,
    /// The name of the grant.
    pub grant: String,
    /// What the grant may do now or no longer: the sentence after its name. May hold text of the pipeline.
    pub text: String,
}

/// What kind of change in rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Part of a grant that is new.
    Added,
    /// A grant that is gone.
    Removed,
    /// A right that a grant has more.
    Widened,
    /// A right that a grant has no longer, or a new rule that keeps it out of something.
    Narrowed,
}

/// What changes from the old grants to the new ones: grants are compared by name, in the order of the new ones, then come
/// those that are gone. Where any right is wider, at least one line says so; a pattern within one that was there already
/// is not wider. Order within a list and entries that are there twice change nothing.
#[must_use]
pub fn difference(old: &[Grant], new: &[Grant]) -> Vec<RightsChange> {
    let mut changes = Vec::new();
    for grant in new {
        let before = old.iter().find(|old| old.id == grant.id);
        let mut lines = Lines {
            grant: &grant.id,
            more: before.map_or(Change::Added, |_| Change::Widened),
            less: Change::Narrowed,
            changes: &mut changes,
        };
        lines.compare(before, grant);
    }
    for grant in old {
        if !new.iter().any(|new| new.id == grant.id) {
            changes.push(RightsChange {
                change: Change::Removed,
                grant: grant.id.clone(),
                text: format!("may no longer run {}", plugin(grant)),
            });
        }
    }
    changes
}

/// Whether a grant lies within the policy `local`: it reads and lists files of the workspace and nothing else, so that a
/// run on one's own machine may sign it for itself.
///
/// # Errors
/// Everything it wants beyond that: the key of a step under which it stands, and the end of a sentence that begins with the
/// grant's name.
pub fn is_local(grant: &Grant) -> Result<(), Vec<(&'static str, String)>> {
    let write = grant.files.write.iter();
    let pass = grant.env.pass.iter();
    let http = grant.http.iter();
    let secrets = grant.secrets.iter();
    let wide: Vec<_> = write
        .map(|pattern| ("write", format!("may write {pattern}")))
        .chain(pass.map(|name| ("env", format!("is passed the variable {name}"))))
        .chain(http.map(|http| ("http", format!("may send {}", http_text(http)))))
        .chain(secrets.map(|secret| ("secrets", format!("may use {}", secret_text(secret)))))
        .collect();
    if wide.is_empty() { Ok(()) } else { Err(wide) }
}

impl fmt::Display for RightsChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.change {
            Change::Added | Change::Widened => '+',
            Change::Removed | Change::Narrowed => '-',
        };
        write!(formatter, "{sign} {} {}", self.grant, self.text)
    }
}

/// The lines of one grant.
struct Lines<'a> {
    grant: &'a str,
    more: Change,
    less: Change,
    changes: &'a mut Vec<RightsChange>,
}

impl Lines<'_> {
    fn compare(&mut self, old: Option<&Grant>, new: &Grant) {
        let before = old.map(sets).unwrap_or_default();
        for (index, (verb, new)) in sets(new).into_iter().enumerate() {
            let old_values = before.get(index).map(|(_, old)| old.as_slice());
            self.set(verb, old_values, &new);
        }
        let nothing = FileGrant::default();
        self.files(old.map_or(&nothing, |old| &old.files), &new.files);
        self.http(old.map_or(&[], |old| &old.http), &new.http);
        match old {
            Some(old) => self.limits(&old.limits, &new.limits),
            None => {
                let limits: Vec<String> = named(&new.limits)
                    .map(|(name, value)| format!("{name} {value}"))
                    .collect();
                self.more(format!("may use at most {}", limits.join(", ")));
            }
        }
    }

    /// Values that are equal or not, without anything between. `old` is `None` where there was no such grant.
    fn set(&mut self, verb: &str, old: Option<&[String]>, new: &[String]) {
        let silent = |value: &&String| old.is_none() && SILENT.contains(&value.as_str());
        let old = old.unwrap_or_default();
        for value in new
            .iter()
            .filter(|value| !old.contains(value) && !silent(value))
        {
            self.more(format!("may {verb} {value}"));
        }
        for value in old.iter().filter(|value| !new.contains(value)) {
            self.less(format!("may no longer {verb} {value}"));
        }
    }

    fn files(&mut self, old: &FileGrant, new: &FileGrant) {
        for (verb, old_list, new_list) in [
            ("list", &old.list, &new.list),
            ("read", &old.read, &new.read),
            ("write", &old.write, &new.write),
        ] {
            // What is read as well is named once.
            let named_by_read = |pattern: &Pattern, old: &[Pattern], new: &[Pattern]| {
                verb == "list" && beyond(new, old).contains(pattern)
            };
            for pattern in beyond(new_list, old_list) {
                if !named_by_read(&pattern, &old.read, &new.read) {
                    self.more(format!("may {verb} {pattern}"));
                }
            }
            for pattern in beyond(old_list, new_list) {
                if !named_by_read(&pattern, &new.read, &old.read) {
                    self.less(format!(
                        "may no longer {verb} {pattern}{}",
                        within(&pattern, new_list)
                    ));
                }
            }
        }
        // Deny rules match more loosely than patterns cover, so only a rule itself makes up for a rule.
        for rule in new.deny.iter().filter(|rule| !old.deny.contains(rule)) {
            let change = if self.more == Change::Added {
                self.more
            } else {
                self.less
            };
            self.push(change, format!("is kept out of {rule}"));
        }
        for rule in old.deny.iter().filter(|rule| !new.deny.contains(rule)) {
            self.more(format!("is no longer kept out of {rule}"));
        }
    }

    /// Entry by entry: one that lies within another that was there is not wider.
    fn http(&mut self, old: &[HttpGrant], new: &[HttpGrant]) {
        let within =
            |entry: &HttpGrant, others: &[HttpGrant]| others.iter().any(|wide| wide.covers(entry));
        for entry in new.iter().filter(|entry| !within(entry, old)) {
            self.more(format!("may send {}", http_text(entry)));
        }
        for entry in old.iter().filter(|entry| !within(entry, new)) {
            self.less(format!("may no longer send {}", http_text(entry)));
        }
    }

    fn limits(&mut self, old: &Limits, new: &Limits) {
        for ((name, old), (_, new)) in named(old).zip(named(new)) {
            let text = format!("may use at most {name} {new} instead of {old}");
            if new > old {
                self.more(text);
            } else if new < old {
                self.less(text);
            }
        }
    }

    fn more(&mut self, text: String) {
        self.push(self.more, text);
    }

    fn less(&mut self, text: String) {
        self.push(self.less, text);
    }

    fn push(&mut self, change: Change, text: String) {
        self.changes.push(RightsChange {
            change,
            grant: self.grant.to_owned(),
            text,
        });
    }
}

/// Everything in a grant that two grants have in common or not, value by value, with the verb for it.
fn sets(grant: &Grant) -> Vec<(&'static str, Vec<String>)> {
    let config = match &grant.config {
        Some(digest) => format!("the configuration {digest}"),
        None => NO_CONFIG.to_owned(),
    };
    let args = match grant.args.as_slice() {
        [] => vec![NO_ARGS.to_owned()],
        args => args.iter().map(|vector| arguments(vector)).collect(),
    };
    let set = grant.env.set.iter();
    let set = set
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    let secrets = grant.secrets.iter().map(secret_text).collect();
    vec![
        ("run", vec![plugin(grant)]),
        ("be given", vec![config]),
        ("be run with", args),
        ("see the host's variable", grant.env.pass.clone()),
        ("be given the variable", set),
        ("use", secrets),
    ]
}

fn plugin(grant: &Grant) -> String {
    format!("the plugin {} as a {}", grant.plugin, grant.kind)
}

fn arguments(vector: &[String]) -> String {
    if vector.is_empty() {
        NO_ARGS.to_owned()
    } else {
        format!("{vector:?}")
    }
}

/// Those of the patterns that do not lie within one of the others.
fn beyond(patterns: &[Pattern], others: &[Pattern]) -> Vec<Pattern> {
    let within = |pattern: &&Pattern| others.iter().any(|other| other.covers(pattern));
    let beyond = patterns.iter().filter(|pattern| !within(pattern));
    beyond.cloned().collect()
}

/// What is left of a pattern that is gone.
fn within(gone: &Pattern, left: &[Pattern]) -> String {
    let left: Vec<&str> = left
        .iter()
        .filter(|pattern| gone.covers(pattern))
        .map(Pattern::as_str)
        .collect();
    if left.is_empty() {
        String::new()
    } else {
        format!(", only {}", left.join(", "))
    }
}

/// The limits with their names, as in a lease.
pub(crate) fn named(limits: &Limits) -> impl Iterator<Item = (&'static str, u64)> {
    LimitsSpec::RANGES
        .map(|(name, ..)| name)
        .into_iter()
        .zip(limits.values())
}

const NO_CONFIG: &str = "no configuration";
const NO_ARGS: &str = "no arguments";
/// What goes without saying for a grant that is new.
const SILENT: [&str; 2] = [NO_CONFIG, NO_ARGS];
