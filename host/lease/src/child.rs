//! Child leases: less of a lease, handed on by its holder without asking the issuer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leasehold_seal::{
    Digest, Envelope, KeyId, PayloadType, PublicKey, SecretKey, Timestamp, canonical,
};
use serde::{Deserialize, Serialize};

use crate::check::{self, GrantRef, Head};
use crate::document::{
    Audience, Budget, Clock, EnvGrant, FileGrant, Grant, Holder, Intent, Kind, LeaseDoc, Random,
    VERSION,
};
use crate::http::HttpGrant;
use crate::limits::LimitsSpec;
use crate::refusal::Refusal;
use crate::secret::SecretGrant;

/// A child lease as it is written. Means something only together with its parents: [`crate::verify`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChildDoc {
    /// Format version; [`VERSION`].
    pub version: u64,
    /// Key id of who signed, which is the holder of the parent.
    pub issuer: KeyId,
    /// The public key of who signed: standard base64 of the DER of its SPKI. A chain brings along every key but the
    /// root's, so that a holder needs no place in a trust file.
    pub key: String,
    /// Who may use the lease.
    pub holder: Holder,
    /// On which hosts the lease is good; within the parent's.
    pub audience: Audience,
    /// What the lease is for, in people's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// The lease this one was narrowed from.
    pub parent: Digest,
    /// How many generations of children this lease may have; fewer than the parent.
    #[serde(default)]
    pub depth: u64,
    /// 16 to 64 characters of the URL-safe base64 alphabet, so that two leases never have the same id.
    pub nonce: String,
    /// First moment of validity; whole seconds; not before the parent's.
    pub not_before: Timestamp,
    /// First moment at which the lease is no longer valid; whole seconds; not after the parent's.
    pub expires: Timestamp,
    /// Rights, each within one grant of the parent.
    pub grants: Vec<ChildGrant>,
    /// How much may be used in total, beside what the parents say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// A grant of a child lease: as [`Grant`], within one grant of the parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChildGrant {
    /// Name of the grant within the lease: 1 to 64 of `a`–`z`, `0`–`9` and `-`.
    pub id: String,
    /// Name of the parent's grant it narrows; absent: the one of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// SHA-256 of the plugin's bytes; the parent's.
    pub plugin: Digest,
    /// What the plugin is used as; the parent's.
    pub kind: Kind,
    /// SHA-256 of the only configuration the plugin may be given; the parent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Digest>,
    /// The argument vectors that are allowed, all of them among the parent's; none: only the empty vector.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Vec<String>>,
    /// Files of the workspace; `deny` repeats every rule of the parent.
    #[serde(default)]
    pub files: FileGrant,
    /// Environment variables.
    #[serde(default)]
    pub env: EnvGrant,
    /// Outgoing HTTP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpGrant>,
    /// Secrets, each equal to one of the parent's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretGrant>,
    /// Which clock the plugin sees; the parent's.
    #[serde(default)]
    pub clock: Clock,
    /// Where its randomness comes from; the parent's.
    #[serde(default)]
    pub random: Random,
    /// The most a call may use; what is left out is the parent's.
    #[serde(default, skip_serializing_if = "LimitsSpec::is_empty")]
    pub limits: LimitsSpec,
}

impl ChildGrant {
    /// All of the parent's grant under the same name, with no limit stated: what a narrower grant is made from.
    #[must_use]
    pub fn all_of(parent: &Grant) -> Self {
        Self {
            id: parent.id.clone(),
            of: None,
            plugin: parent.plugin,
            kind: parent.kind,
            config: parent.config,
            args: parent.args.clone(),
            files: parent.files.clone(),
            env: parent.env.clone(),
            http: parent.http.clone(),
            secrets: parent.secrets.clone(),
            clock: parent.clock,
            random: parent.random,
            limits: LimitsSpec::default(),
        }
    }

    /// The name of the parent's grant it narrows.
    #[must_use]
    pub fn of(&self) -> &str {
        self.of.as_deref().unwrap_or(&self.id)
    }

    /// The grant with nothing left out any more.
    fn under(self, parent: &Grant) -> Grant {
        Grant {
            id: self.id,
            plugin: self.plugin,
            kind: self.kind,
            config: self.config,
            args: self.args,
            files: self.files,
            env: self.env,
            http: self.http,
            secrets: self.secrets,
            clock: self.clock,
            random: self.random,
            limits: self.limits.over(&parent.limits),
        }
    }
}

impl ChildDoc {
    /// Checks everything that can be checked without keys, parents, host and time: form and ranges.
    ///
    /// # Errors
    /// `LEASE-FORMAT`, `LEASE-LIMIT`, `LEASE-WINDOW` or `LEASE-UNSUPPORTED`.
    pub fn validate(&self) -> Result<(), Refusal> {
        check::head(&Head {
            version: self.version,
            audience: &self.audience,
            intent: self.intent.as_ref(),
            depth: self.depth,
            nonce: &self.nonce,
            not_before: self.not_before,
            expires: self.expires,
            budget: self.budget.as_ref(),
            grants: self.grants.len(),
        })?;
        check::ids(self.grants.iter().map(|grant| grant.id.as_str()))?;
        for (index, grant) in self.grants.iter().enumerate() {
            let at = format!("grants[{index}]");
            check::grant(
                &at,
                &GrantRef {
                    id: &grant.id,
                    args: &grant.args,
                    files: &grant.files,
                    env: &grant.env,
                    http: &grant.http,
                    secrets: &grant.secrets,
                },
            )?;
            if let Some(of) = &grant.of {
                check::grant_id(&format!("{at}.of"), of)?;
            }
            grant.limits.check(&format!("{at}.limits"))?;
        }
        Ok(())
    }

    /// The key of who signed.
    ///
    /// # Errors
    /// `LEASE-FORMAT` when it is no base64, `KEY-FORMAT` and `KEY-WEAK` when it is no key that can be used.
    pub fn signer(&self) -> Result<PublicKey, Refusal> {
        public_key(&self.key, |problem| Refusal::format("key", problem))
    }

    /// The lease with nothing left out any more. A grant that narrows none of the parent's is left out.
    pub(crate) fn under(self, parent: &LeaseDoc) -> LeaseDoc {
        let grants = self.grants.into_iter().filter_map(|grant| {
            let of = parent.grants.iter().find(|wide| wide.id == grant.of())?;
            Some(grant.under(of))
        });
        LeaseDoc {
            version: self.version,
            issuer: self.issuer,
            holder: self.holder,
            audience: self.audience,
            intent: self.intent,
            parent: Some(self.parent),
            depth: self.depth,
            nonce: self.nonce,
            not_before: self.not_before,
            expires: self.expires,
            grants: grants.collect(),
            budget: self.budget,
        }
    }

    /// Signs as the holder of the parent, whose key the document names.
    pub(crate) fn sign(&self, holder: &SecretKey) -> Result<Envelope, Refusal> {
        self.validate()?;
        let payload = canonical::to_vec(self)?;
        Ok(Envelope::sign(PayloadType::LEASE, payload, &[holder])?)
    }
}

/// What a holder wants to hand on; what is left out stays as it is in the parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChildWish {
    /// Who may use the child.
    pub holder: Holder,
    /// See [`ChildDoc::nonce`].
    pub nonce: String,
    /// On which hosts; absent: the parent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
    /// What the child is for, in people's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// How many generations below the child; absent: one fewer than the parent may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u64>,
    /// First moment of validity; absent: the parent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// First moment at which the child is no longer valid; absent: the parent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Rights; absent: all of the parent's grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<ChildGrant>>,
    /// How much may be used in total; absent: whatever the parents leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

impl ChildWish {
    /// All of the parent, for this holder.
    #[must_use]
    pub fn all(holder: Holder, nonce: impl Into<String>) -> Self {
        Self {
            holder,
            nonce: nonce.into(),
            audience: None,
            intent: None,
            depth: None,
            not_before: None,
            expires: None,
            grants: None,
            budget: None,
        }
    }

    /// The child lease of this parent that `key` would sign. Nothing is compared with the parent yet.
    pub(crate) fn document(&self, id: Digest, parent: &LeaseDoc, key: &PublicKey) -> ChildDoc {
        let all = || parent.grants.iter().map(ChildGrant::all_of).collect();
        ChildDoc {
            version: VERSION,
            issuer: key.key_id(),
            key: STANDARD.encode(key.spki_der()),
            holder: self.holder,
            audience: self
                .audience
                .clone()
                .unwrap_or_else(|| parent.audience.clone()),
            intent: self.intent.clone(),
            parent: id,
            depth: self.depth.unwrap_or(parent.depth.saturating_sub(1)),
            nonce: self.nonce.clone(),
            not_before: self.not_before.unwrap_or(parent.not_before),
            expires: self.expires.unwrap_or(parent.expires),
            grants: self.grants.clone().unwrap_or_else(all),
            budget: self.budget,
        }
    }
}

/// Reads a public key: standard base64 of the DER of its SPKI.
pub(crate) fn public_key(
    text: &str,
    refuse: impl FnOnce(String) -> Refusal,
) -> Result<PublicKey, Refusal> {
    let der = STANDARD
        .decode(text)
        .map_err(|error| refuse(format!("is not base64: {error}")))?;
    Ok(PublicKey::from_spki_der(&der)?)
}
