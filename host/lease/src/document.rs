//! The lease document, field by field. `docs/lease.md` describes the same for a second implementation.

use std::collections::BTreeMap;
use std::fmt;

use leasehold_seal::{Digest, Envelope, KeyId, PayloadType, SecretKey, Timestamp, canonical};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::check;
use crate::http::HttpGrant;
use crate::limits::Limits;
use crate::pattern::Pattern;
use crate::read::Document;
use crate::refusal::Refusal;
use crate::secret::SecretGrant;

/// The version of the format that is read and written.
pub const VERSION: u64 = 1;

/// A lease: what its issuer allows, to whom, where and when. A plain value; only [`crate::verify`] gives rights.
///
/// As a document of its own it is a root lease. Of a child lease, which is written as a [`crate::ChildDoc`], this is
/// the form in which nothing is left out any more: what the child omits is its parent's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseDoc {
    /// Format version; [`VERSION`].
    pub version: u64,
    /// Key id of the issuer, which must be among the keys that signed.
    pub issuer: KeyId,
    /// Who may use the lease.
    pub holder: Holder,
    /// On which hosts the lease is good.
    pub audience: Audience,
    /// What the lease is for, in people's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// The lease this one was narrowed from; `null` for a root lease, which alone is read and signed as a [`LeaseDoc`].
    #[serde(default)]
    pub parent: Option<Digest>,
    /// How many generations of children this lease may have: 0 to [`crate::MAX_DEPTH`].
    #[serde(default)]
    pub depth: u64,
    /// 16 to 64 characters of the URL-safe base64 alphabet, so that two leases never have the same id.
    pub nonce: String,
    /// First moment of validity; whole seconds.
    pub not_before: Timestamp,
    /// First moment at which the lease is no longer valid; whole seconds.
    pub expires: Timestamp,
    /// Rights, plugin by plugin.
    pub grants: Vec<Grant>,
    /// How much may be used in total. Goes with an audience of exactly one host and tape: only one tape can count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// Rights for one plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Name of the grant within the lease: 1 to 64 of `a`–`z`, `0`–`9` and `-`.
    pub id: String,
    /// SHA-256 of the plugin's bytes.
    pub plugin: Digest,
    /// What the plugin is used as.
    pub kind: Kind,
    /// SHA-256 of the only configuration the plugin may be given; absent: it may be given none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Digest>,
    /// The argument vectors that are allowed, each as a whole; none: only the empty vector.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Vec<String>>,
    /// Files of the workspace.
    #[serde(default)]
    pub files: FileGrant,
    /// Environment variables.
    #[serde(default)]
    pub env: EnvGrant,
    /// Outgoing HTTP; an empty list allows none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpGrant>,
    /// Secrets; an empty list allows none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretGrant>,
    /// Which clock the plugin sees.
    #[serde(default)]
    pub clock: Clock,
    /// Where its randomness comes from.
    #[serde(default)]
    pub random: Random,
    /// The most a call may use.
    pub limits: Limits,
}

/// What the plugin is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Judges a workspace and returns a verdict.
    Gate,
    /// Offers tools to a caller.
    Adapter,
    /// A `wasi:cli` program.
    Command,
}

/// Files of the workspace, by pattern. None of the lists implies another; an empty list grants nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileGrant {
    /// What may be seen: name, kind and size.
    #[serde(default)]
    pub list: Vec<Pattern>,
    /// Whose content may be read.
    #[serde(default)]
    pub read: Vec<Pattern>,
    /// What may be made, changed and removed.
    #[serde(default)]
    pub write: Vec<Pattern>,
    /// What is excepted from all three lists, with everything below it.
    #[serde(default)]
    pub deny: Vec<Pattern>,
}

/// Environment variables, by POSIX name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvGrant {
    /// Names that are passed on from the host's environment where they are set there.
    #[serde(default)]
    pub pass: Vec<String>,
    /// Names with fixed values.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
}

/// Which clock the plugin sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// Starts at a recorded time and is moved only by the plugin's own sleeping.
    #[default]
    Virtual,
}

/// Where the plugin's randomness comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Random {
    /// A generator whose seed is recorded.
    #[default]
    Seeded,
}

/// What a lease is for, in people's words. Decides nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// 1 to 128 characters, none of them a control character.
    pub id: String,
    /// At most 1,000 characters, none of them a control character.
    pub summary: String,
}

/// Who may use a lease. In JSON `"none"` or a key id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Whoever has the lease.
    None,
    /// Whoever proves to have this key, by a [`crate::Presentation`], or hands on less by a child lease.
    Key(KeyId),
}

/// On which hosts a lease is good. In JSON `"any"` or a list of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// On every host.
    Any,
    /// On the hosts named; an empty list names none.
    Hosts(Vec<AudienceEntry>),
}

/// One host, and optionally one of its tapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudienceEntry {
    /// Key id of the host.
    pub host: KeyId,
    /// Id of the only tape of this host on which the lease is good; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tape: Option<Digest>,
}

/// How much may be used under a lease in total, by all calls and all leases below it. A root lease states both, a child
/// what it narrows; at least one of the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Number of calls: 1 to 2^53 − 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
    /// Fuel, in wasmtime's units: 1 to 2^53 − 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
}

impl LeaseDoc {
    /// Reads the payload of the envelope of a root lease: canonical JSON (RFC 8785) of the documented form. Checks what
    /// [`LeaseDoc::validate`] checks. [`crate::Document::parse`] also reads child leases.
    ///
    /// # Errors
    /// `JSON-…`, `LEASE-FORMAT` (also for a child lease), `LEASE-LIMIT`, `LEASE-WINDOW`, `PATTERN-FORMAT`, and
    /// `LEASE-UNSUPPORTED` for another version, clock or source of randomness.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        Document::parse(payload)?.into_root()
    }

    /// Reads a root lease that a person wrote: as [`LeaseDoc::parse`], but spaces and the order of fields are free.
    ///
    /// # Errors
    /// Those of [`LeaseDoc::parse`].
    pub fn from_draft(json: &[u8]) -> Result<Self, Refusal> {
        Document::from_draft(json)?.into_root()
    }

    /// Checks everything that can be checked without keys, host and time: form and ranges of a root lease.
    ///
    /// # Errors
    /// `LEASE-FORMAT`, `LEASE-LIMIT`, `LEASE-WINDOW` or `LEASE-UNSUPPORTED`.
    pub fn validate(&self) -> Result<(), Refusal> {
        check::root(self)
    }

    /// Validates the document and signs it.
    ///
    /// # Errors
    /// Those of [`LeaseDoc::validate`].
    pub fn sign(&self, keys: &[&SecretKey]) -> Result<Envelope, Refusal> {
        self.validate()?;
        let payload = canonical::to_vec(self)?;
        Ok(Envelope::sign(PayloadType::LEASE, payload, keys)?)
    }
}

/// The word for it in a lease.
impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Kind::Gate => "gate",
            Kind::Adapter => "adapter",
            Kind::Command => "command",
        })
    }
}

impl Serialize for Holder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Holder::None => serializer.serialize_str("none"),
            Holder::Key(key) => key.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Holder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "none" => Ok(Holder::None),
            key => key
                .parse()
                .map(Holder::Key)
                .map_err(|_| de::Error::custom("expected \"none\" or a key id")),
        }
    }
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Audience::Any => serializer.serialize_str("any"),
            Audience::Hosts(entries) => entries.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AudienceVisitor)
    }
}

struct AudienceVisitor;

impl<'de> Visitor<'de> for AudienceVisitor {
    type Value = Audience;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("\"any\" or a list of hosts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Audience, E> {
        match text {
            "any" => Ok(Audience::Any),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, entries: A) -> Result<Audience, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(entries)).map(Audience::Hosts)
    }
}
