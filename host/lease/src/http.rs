//! Outgoing HTTP: which requests a grant allows, and where they may go.

mod block;
mod host;
mod path;
mod target;

use std::fmt;

use leasehold_seal::Class;
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::rights::Rights;

pub use block::AddressBlock;
pub use host::{Host, HostPattern};
pub use path::UrlPattern;
pub use target::{MAX_TARGET_BYTES, Method, Scheme, Target};

/// The most HTTP entries in one grant.
pub const MAX_HTTP: usize = 256;
/// The most methods in one HTTP entry.
pub const MAX_METHODS: usize = 16;
/// The most address blocks in one HTTP entry.
pub const MAX_BLOCKS: usize = 64;

/// Requests that may be sent. One entry allows a request as a whole or not at all; entries are never put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpGrant {
    /// The methods: 1 to [`MAX_METHODS`], none of them twice.
    pub methods: Vec<Method>,
    /// The scheme; absent: `https`.
    #[serde(default, skip_serializing_if = "Scheme::is_default")]
    pub scheme: Scheme,
    /// The host, or all hosts one label below a domain.
    pub host: HostPattern,
    /// The TCP port: 1 to 65,535.
    pub port: u16,
    /// The path, percent-encoded as sent. The query is free.
    pub path: UrlPattern,
    /// Blocks in which addresses may lie that are not globally routable, once the name is resolved. None: only
    /// globally routable unicast addresses. Goes with a host name; an address that is itself the host is named by that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<AddressBlock>,
}

impl HttpGrant {
    /// Whether the request may be sent, as far as its target goes. The address is looked at when it is known.
    #[must_use]
    pub fn allows(&self, target: &Target) -> bool {
        self.mismatches(target).is_empty()
    }

    /// Whether every request that `other` allows is allowed by this entry, and may go nowhere else.
    ///
    /// Sound, not complete: `true` is always right; `false` may also mean that it was not found out.
    #[must_use]
    pub fn covers(&self, other: &HttpGrant) -> bool {
        let within = |block: &AddressBlock| self.addresses.iter().any(|wide| wide.covers(block));
        let mut methods = other.methods.iter();
        methods.all(|method| self.methods.contains(method))
            && self.scheme == other.scheme
            && self.host.covers(&other.host)
            && self.port == other.port
            && self.path.covers(&other.path)
            && other.addresses.iter().all(within)
    }

    /// Checks what the types of the fields leave open. `at`: where the entry stands, `grants[0].http[1]` for instance.
    ///
    /// # Errors
    /// `LEASE-FORMAT`.
    pub fn check(&self, at: &str) -> Result<(), Refusal> {
        let field = |name: &str| format!("{at}.{name}");
        if self.methods.is_empty() || self.methods.len() > MAX_METHODS {
            let problem = format!("has {} entries, not 1 to {MAX_METHODS}", self.methods.len());
            return Err(Refusal::format(&field("methods"), problem));
        }
        no_twins(&field("methods"), &self.methods)?;
        if self.port == 0 {
            return Err(Refusal::format(&field("port"), "is 0, not 1 to 65535"));
        }
        at_most(&field("addresses"), self.addresses.len(), MAX_BLOCKS)?;
        no_twins(&field("addresses"), &self.addresses)?;
        if self.host.address().is_some() && !self.addresses.is_empty() {
            let problem = "is not empty, but the host is an address, which already names itself";
            return Err(Refusal::format(&field("addresses"), problem));
        }
        Ok(())
    }

    /// Checks all entries of a grant. `at`: where the list stands, `grants[0].http` for instance.
    ///
    /// # Errors
    /// `LEASE-FORMAT`.
    pub fn check_all(at: &str, entries: &[HttpGrant]) -> Result<(), Refusal> {
        at_most(at, entries.len(), MAX_HTTP)?;
        (entries.iter().enumerate())
            .try_for_each(|(index, entry)| entry.check(&format!("{at}[{index}]")))
    }

    /// The fields in which the target is something else, in words.
    fn mismatches(&self, target: &Target) -> Vec<&'static str> {
        let fields = [
            ("host", self.host.matches(target.host())),
            ("port", self.port == target.port()),
            ("scheme", self.scheme == target.scheme()),
            ("method", self.methods.contains(target.method())),
            ("path", self.path.matches(target.path())),
        ];
        let wrong = fields.iter().filter(|(_, fits)| !fits);
        wrong.map(|(name, _)| *name).collect()
    }
}

/// `GET,HEAD https://api.example.com:443/v1/**`
impl fmt::Display for HttpGrant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            methods,
            scheme,
            host,
            port,
            path,
            ..
        } = self;
        let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
        let methods = methods.join(",");
        write!(formatter, "{methods} {scheme}://{host}:{port}{path}")
    }
}

/// A target that entries of a grant allow, with the addresses it may go to. Only [`Permit::decide`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    target: Target,
    blocks: Vec<AddressBlock>,
}

impl Permit {
    /// Decides on a request under the entries of the grant named `grant`.
    ///
    /// # Errors
    /// `HTTP-DENIED`: no entry allows it.
    pub fn decide(grant: &str, entries: &[HttpGrant], target: Target) -> Result<Self, Refusal> {
        let allowing = || entries.iter().filter(|entry| entry.allows(&target));
        if allowing().next().is_none() {
            return Err(denied(grant, entries, &target));
        }
        let named = allowing().flat_map(|entry| entry.addresses.iter().copied());
        let literal = target.host().address().map(AddressBlock::single);
        let blocks = named.chain(literal).collect();
        Ok(Self { target, blocks })
    }

    /// What may be asked.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The blocks in which addresses may lie that are not globally routable: those of every entry that allows the
    /// target, and the host's own address where the host is one.
    #[must_use]
    pub fn blocks(&self) -> &[AddressBlock] {
        &self.blocks
    }
}

impl Rights {
    /// Decides on a request, as far as its target goes.
    ///
    /// # Errors
    /// `HTTP-DENIED`: no entry of the grant allows it.
    pub fn permit(&self, target: Target) -> Result<Permit, Refusal> {
        Permit::decide(self.grant(), self.http(), target)
    }
}

fn denied(grant: &str, entries: &[HttpGrant], target: &Target) -> Refusal {
    let message = format!("the grant {grant:?} does not allow {target}");
    let nearest = entries
        .iter()
        .map(|entry| (entry.mismatches(target), entry))
        .min_by_key(|(wrong, _)| wrong.len());
    let hint = match nearest {
        Some((wrong, entry)) => {
            let wrong = wrong.join(" and ");
            format!("the nearest that is allowed is {entry}: another {wrong}")
        }
        None => "it allows no HTTP at all; have a lease issued whose grant does".to_owned(),
    };
    Refusal::new("HTTP-DENIED", Class::Refused, message).with_hint(hint)
}

/// No two entries of a list are equal.
pub(crate) fn no_twins<T: PartialEq + fmt::Display>(at: &str, list: &[T]) -> Result<(), Refusal> {
    for (index, entry) in list.iter().enumerate() {
        if list.iter().take(index).any(|earlier| earlier == entry) {
            return Err(Refusal::format(at, format_args!("has {entry} twice")));
        }
    }
    Ok(())
}

pub(crate) fn at_most(at: &str, found: usize, most: usize) -> Result<(), Refusal> {
    if found <= most {
        return Ok(());
    }
    let problem = format!("has {found} entries, the most is {most}");
    Err(Refusal::format(at, problem))
}

/// A type that stands in JSON as the text it displays and is read from.
macro_rules! as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use as_text;
