//! Rules of narrowing, each with one mistake of the kind that is made.

use super::super::{Containment, Strict};
use super::is_found_out;
use crate::child::{ChildDoc, ChildGrant};
use crate::document::{Audience, Budget, Grant, LeaseDoc};
use crate::http::HttpGrant;
use crate::limits::LimitsSpec;
use crate::pattern::Pattern;
use crate::refusal::Refusal;

type Check = fn() -> bool;
type Outcome = Result<(), Refusal>;

/// Each mistake, and whether it is found out.
pub(super) const RULES: [(&str, Check); 23] = [
    ("no rule at all", is_found_out::<Nothing>),
    ("prefixes of text", is_found_out::<TextPrefix>),
    ("`**` taken for `*`", is_found_out::<OneStar>),
    ("`?` taken for `*`", is_found_out::<Question>),
    ("any of the lists", is_found_out::<AnyList>),
    ("any pattern at all", is_found_out::<AnyPattern>),
    ("deny rules dropped", is_found_out::<NoDeny>),
    ("as many deny rules", is_found_out::<DenyCount>),
    ("later end", is_found_out::<NoEnd>),
    ("earlier begin", is_found_out::<NoBegin>),
    ("any audience", is_found_out::<NoAudience>),
    ("any tape", is_found_out::<NoTape>),
    ("any budget", is_found_out::<NoBudget>),
    ("any plugin", is_found_out::<NoSubject>),
    ("longer arguments", is_found_out::<ArgsPrefix>),
    ("variables by name", is_found_out::<EnvByName>),
    ("any limits", is_found_out::<NoLimits>),
    ("only fuel limited", is_found_out::<FuelOnly>),
    ("hosts by their end", is_found_out::<HostSuffix>),
    ("any port", is_found_out::<AnyPort>),
    ("any method", is_found_out::<AnyMethod>),
    ("any address", is_found_out::<AnyAddress>),
    ("secrets by name", is_found_out::<SecretByName>),
];

struct Nothing;
impl Containment for Nothing {
    fn lease(_: &LeaseDoc, _: &Budget, _: &ChildDoc) -> Outcome {
        Ok(())
    }
}

/// The first pattern that none of those there are covers.
fn first<'a>(
    have: &[Pattern],
    wanted: &'a [Pattern],
    covers: impl Fn(&Pattern, &Pattern) -> bool,
) -> Option<&'a Pattern> {
    wanted
        .iter()
        .find(|narrow| !have.iter().any(|wide| covers(wide, narrow)))
}

struct TextPrefix;
impl Containment for TextPrefix {
    fn uncovered<'a>(have: &[Pattern], wanted: &'a [Pattern]) -> Option<&'a Pattern> {
        first(have, wanted, |wide, narrow| {
            let folder = wide.as_str().strip_suffix("/**");
            wide.covers(narrow) || folder.is_some_and(|folder| narrow.as_str().starts_with(folder))
        })
    }
}

struct OneStar;
impl Containment for OneStar {
    fn uncovered<'a>(have: &[Pattern], wanted: &'a [Pattern]) -> Option<&'a Pattern> {
        first(have, wanted, |wide, narrow| {
            let narrow = narrow.as_str().replace("**", "*").parse::<Pattern>();
            narrow.is_ok_and(|narrow| wide.covers(&narrow))
        })
    }
}

struct Question;
impl Containment for Question {
    fn uncovered<'a>(have: &[Pattern], wanted: &'a [Pattern]) -> Option<&'a Pattern> {
        first(have, wanted, |wide, narrow| {
            let wide = wide.as_str().replace('?', "*").parse::<Pattern>();
            wide.is_ok_and(|wide| wide.covers(narrow))
        })
    }
}

struct AnyList;
impl Containment for AnyList {
    fn files(at: &str, wide: &Grant, narrow: &ChildGrant) -> Outcome {
        let mut wide = wide.clone();
        let all = [&wide.files.list[..], &wide.files.read, &wide.files.write].concat();
        wide.files.list.clone_from(&all);
        wide.files.read.clone_from(&all);
        wide.files.write = all;
        Strict::files(at, &wide, narrow)
    }
}

struct AnyPattern;
impl Containment for AnyPattern {
    fn files(_: &str, _: &Grant, _: &ChildGrant) -> Outcome {
        Ok(())
    }
}

struct NoDeny;
impl Containment for NoDeny {
    fn deny(_: &str, _: &Grant, _: &ChildGrant) -> Outcome {
        Ok(())
    }
}

struct DenyCount;
impl Containment for DenyCount {
    fn deny(at: &str, wide: &Grant, narrow: &ChildGrant) -> Outcome {
        if narrow.files.deny.len() >= wide.files.deny.len() {
            return Ok(());
        }
        Strict::deny(at, wide, narrow)
    }
}

struct NoEnd;
impl Containment for NoEnd {
    fn expires(_: &LeaseDoc, _: &ChildDoc) -> Outcome {
        Ok(())
    }
}

struct NoBegin;
impl Containment for NoBegin {
    fn not_before(_: &LeaseDoc, _: &ChildDoc) -> Outcome {
        Ok(())
    }
}

struct NoAudience;
impl Containment for NoAudience {
    fn audience(_: &Audience, _: &Audience) -> Outcome {
        Ok(())
    }
}

struct NoTape;
impl Containment for NoTape {
    fn audience(parent: &Audience, child: &Audience) -> Outcome {
        let mut parent = parent.clone();
        if let Audience::Hosts(entries) = &mut parent {
            entries.iter_mut().for_each(|entry| entry.tape = None);
        }
        Strict::audience(&parent, child)
    }
}

struct NoBudget;
impl Containment for NoBudget {
    fn budget(_: &Budget, _: Option<&Budget>) -> Outcome {
        Ok(())
    }
}

struct NoSubject;
impl Containment for NoSubject {
    fn subject(_: &str, _: &Grant, _: &ChildGrant) -> Outcome {
        Ok(())
    }
}

struct ArgsPrefix;
impl Containment for ArgsPrefix {
    fn args(at: &str, wide: &Grant, narrow: &ChildGrant) -> Outcome {
        let begins = |vector: &Vec<String>| wide.args.iter().any(|args| vector.starts_with(args));
        if narrow.args.iter().all(begins) {
            return Ok(());
        }
        Strict::args(at, wide, narrow)
    }
}

struct EnvByName;
impl Containment for EnvByName {
    fn env(at: &str, wide: &Grant, narrow: &ChildGrant) -> Outcome {
        let mut names = narrow.env.pass.iter().chain(narrow.env.set.keys());
        let known = |name| wide.env.pass.contains(name) || wide.env.set.contains_key(name);
        if names.all(known) {
            return Ok(());
        }
        Strict::env(at, wide, narrow)
    }
}

struct NoLimits;
impl Containment for NoLimits {
    fn limits(_: &str, _: &Grant, _: &ChildGrant) -> Outcome {
        Ok(())
    }
}

struct FuelOnly;
impl Containment for FuelOnly {
    fn limits(at: &str, wide: &Grant, narrow: &ChildGrant) -> Outcome {
        let mut narrow = narrow.clone();
        narrow.limits = LimitsSpec {
            fuel: narrow.limits.fuel,
            ..LimitsSpec::default()
        };
        Strict::limits(at, wide, &narrow)
    }
}

/// An entry that differs from another only in what `change` makes equal.
fn but(wide: &HttpGrant, narrow: &HttpGrant, change: fn(&mut HttpGrant, &HttpGrant)) -> bool {
    let mut same = narrow.clone();
    change(&mut same, wide);
    wide.covers(&same)
}

struct HostSuffix;
impl Containment for HostSuffix {
    fn http_entry(wide: &HttpGrant, narrow: &HttpGrant) -> bool {
        let end = wide.host.to_string();
        narrow
            .host
            .to_string()
            .ends_with(end.trim_start_matches("*."))
            && but(wide, narrow, |same, wide| same.host = wide.host.clone())
    }
}

struct AnyPort;
impl Containment for AnyPort {
    fn http_entry(wide: &HttpGrant, narrow: &HttpGrant) -> bool {
        but(wide, narrow, |same, wide| same.port = wide.port)
    }
}

struct AnyMethod;
impl Containment for AnyMethod {
    fn http_entry(wide: &HttpGrant, narrow: &HttpGrant) -> bool {
        but(wide, narrow, |same, wide| {
            same.methods.clone_from(&wide.methods);
        })
    }
}

struct AnyAddress;
impl Containment for AnyAddress {
    fn http_entry(wide: &HttpGrant, narrow: &HttpGrant) -> bool {
        but(wide, narrow, |same, wide| {
            same.addresses.clone_from(&wide.addresses);
        })
    }
}

struct SecretByName;
impl Containment for SecretByName {
    fn secrets(at: &str, wide: &Grant, narrow: &ChildGrant) -> Outcome {
        let known = |name: &str| wide.secrets.iter().any(|secret| secret.name == name);
        if narrow.secrets.iter().all(|secret| known(&secret.name)) {
            return Ok(());
        }
        Strict::secrets(at, wide, narrow)
    }
}
