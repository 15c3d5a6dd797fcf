//! What rights consist of, as JSON and as digests.

use leasehold_seal::{Digest, Timestamp, canonical};
use serde::Serialize;

use crate::document::{Audience, Clock, EnvGrant, FileGrant, Holder, Kind, Random};
use crate::http::HttpGrant;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::secret::SecretGrant;

/// The JSON over which [`crate::Rights::digest`] goes; `docs/lease.md` describes it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Body {
    pub(super) version: u64,
    pub(super) chain: Vec<Digest>,
    pub(super) grant: String,
    pub(super) plugin: Digest,
    pub(super) kind: Kind,
    pub(super) config: Option<Digest>,
    /// Never empty: a grant that states no vector allows the empty one.
    pub(crate) args: Vec<Vec<String>>,
    pub(crate) files: FileGrant,
    pub(crate) env: EnvGrant,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) http: Vec<HttpGrant>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<SecretGrant>,
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(crate) limits: Limits,
    pub(super) not_before: Timestamp,
    pub(crate) expires: Timestamp,
    pub(super) audience: Audience,
    pub(super) holder: Holder,
}

/// What a call under the rights may do, without where they come from, where they are good and until when.
#[derive(Serialize)]
struct Effect<'a> {
    args: &'a [Vec<String>],
    clock: Clock,
    config: Option<Digest>,
    env: &'a EnvGrant,
    files: &'a FileGrant,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    http: &'a [HttpGrant],
    kind: Kind,
    limits: &'a Limits,
    plugin: Digest,
    random: Random,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    secrets: &'a [SecretGrant],
}

impl Body {
    pub(super) fn to_json(&self) -> Result<Vec<u8>, Refusal> {
        // A document has at most MAX_BYTES, but narrowing may add deny rules of the same order.
        Ok(canonical::to_vec_limited(self, 4 * canonical::MAX_BYTES)?)
    }

    pub(super) fn effect_digest(&self) -> Result<Digest, Refusal> {
        let effect = Effect {
            args: &self.args,
            clock: self.clock,
            config: self.config,
            env: &self.env,
            files: &self.files,
            http: &self.http,
            kind: self.kind,
            limits: &self.limits,
            plugin: self.plugin,
            random: self.random,
            secrets: &self.secrets,
        };
        let json = canonical::to_vec_limited(&effect, 4 * canonical::MAX_BYTES)?;
        Ok(Digest::of(&json))
    }
}
