//! The trust file as it stands in JSON.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{ApprovalRule, RevocationRule, Role, Trust, TrustedKey};
use crate::error::SealError;
use crate::key::PublicKey;
use crate::second::SecondKey;
use crate::timestamp::Timestamp;

/// Fields of the format's future, refused by name.
pub(super) const UNSUPPORTED_FIELDS: [&str; 1] = ["witnesses"];

/// Fields that are written only when they say something have to be so for good: the digest of a trust
/// file stands on tapes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustFile {
    pub(super) version: u64,
    pub(super) keys: Vec<TrustFileKey>,
    #[serde(default)]
    pub(super) thresholds: BTreeMap<String, usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) approvals: Vec<ApprovalRule>,
    #[serde(default, skip_serializing_if = "RevocationRule::is_default")]
    pub(super) revocation: RevocationRule,
}

impl TrustFile {
    pub(super) fn write(trust: &Trust) -> TrustFile {
        let threshold = |role: Role| (role.as_str().to_owned(), trust.threshold(role));
        let mut thresholds = BTreeMap::from([threshold(Role::Issuer)]);
        if trust.threshold(Role::Revoker) != 1 {
            thresholds.extend([threshold(Role::Revoker)]);
        }
        TrustFile {
            version: 1,
            keys: trust.all_keys().iter().map(TrustFileKey::write).collect(),
            thresholds,
            approvals: trust.approvals().to_vec(),
            revocation: trust.revocation(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustFileKey {
    name: String,
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    second: Option<String>,
    roles: Vec<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_after: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    ends: BTreeMap<Role, Timestamp>,
}

impl TrustFileKey {
    pub(super) fn read(self) -> Result<TrustedKey, SealError> {
        let key = if is_pem(&self.key) {
            PublicKey::from_spki_pem(&self.key)?
        } else {
            PublicKey::from_spki_der(&der("key", &self.name, &self.key)?)?
        };
        let mut trusted = TrustedKey::new(self.name.as_str(), key, self.roles)
            .valid_within(self.not_before, self.not_after);
        for (role, end) in self.ends {
            trusted = trusted.ending(role, end);
        }
        match &self.second {
            None => Ok(trusted),
            Some(text) if is_pem(text) => {
                SecondKey::from_spki_pem(text).map(|second| trusted.with_second(second))
            }
            Some(text) => SecondKey::from_spki_der(&der("second key", &self.name, text)?)
                .map(|second| trusted.with_second(second)),
        }
    }

    fn write(key: &TrustedKey) -> TrustFileKey {
        TrustFileKey {
            name: key.name().to_owned(),
            key: STANDARD.encode(key.key().spki_der()),
            second: key
                .second()
                .map(|second| STANDARD.encode(second.spki_der())),
            roles: key.roles().collect(),
            not_before: key.not_before(),
            not_after: key.not_after(),
            ends: key.ends().collect(),
        }
    }
}

fn is_pem(text: &str) -> bool {
    text.starts_with("-----BEGIN ")
}

fn der(what: &str, name: &str, text: &str) -> Result<Vec<u8>, SealError> {
    STANDARD.decode(text).map_err(|error| {
        SealError::KeyFormat(format!(
            "the {what} of {name:?} is neither PEM nor base64: {error}"
        ))
    })
}
