//! The bodies of the tape's own records, and the tape's id.

use leasehold_seal::{Digest, KeyId};
use serde::{Deserialize, Serialize};

/// Body of `tape.opened`, which is record 0 and no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// Id of the host key that signs this tape's checkpoints.
    pub host: KeyId,
    /// 32 random bytes as 64 lower-case hex digits.
    pub nonce: String,
}

impl Opened {
    /// The body for this host and these random bytes.
    pub fn new(host: KeyId, nonce: &[u8; 32]) -> Self {
        let nonce = Digest::from_bytes(*nonce).hex();
        Self { host, nonce }
    }

    /// Whether the nonce is 64 lower-case hex digits.
    pub fn well_formed(&self) -> bool {
        format!("sha256:{}", self.nonce).parse::<Digest>().is_ok()
    }

    /// The tape's id: SHA-256 of the four lines `leasehold/tape/v1`, nonce, host key id (as text)
    /// and an empty one, joined by line feeds. So the id fixes the host.
    pub fn tape_id(&self) -> Digest {
        Digest::of(format!("leasehold/tape/v1\n{}\n{}\n", self.nonce, self.host).as_bytes())
    }
}

/// Body of `tape.recovered`: a torn tail was saved as `torn-<at>` and cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovered {
    /// Number of the record that was torn; also that of this record, unless others came between.
    pub at: u64,
    /// Bytes cut.
    pub bytes: u64,
    /// Digest of these bytes.
    pub digest: Digest,
}

/// Body of `tape.closed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// Calls with an intent and no outcome, at this point of the tape.
    pub open_calls: u64,
}
