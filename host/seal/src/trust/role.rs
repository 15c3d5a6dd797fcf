//! What a key may be trusted for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::SealError;

/// What a key may be trusted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Signs leases.
    Issuer,
    /// Signs the tapes of one machine.
    Host,
    /// Approves leases that others issue.
    Approver,
    /// Signs revocation lists.
    Revoker,
    /// Signs plugins.
    Publisher,
    /// Countersigns checkpoints.
    Witness,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 6] = [
        Role::Issuer,
        Role::Host,
        Role::Approver,
        Role::Revoker,
        Role::Publisher,
        Role::Witness,
    ];

    /// The word for it in the trust file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Issuer => "issuer",
            Role::Host => "host",
            Role::Approver => "approver",
            Role::Revoker => "revoker",
            Role::Publisher => "publisher",
            Role::Witness => "witness",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = SealError;

    fn from_str(text: &str) -> Result<Role, SealError> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| SealError::TrustFormat(format!("{text:?} is not a role")))
    }
}
