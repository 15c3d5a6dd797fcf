//! What a check says: the verdict, and the figures computed on the way.

use std::collections::BTreeMap;

use leasehold_seal::{Digest, KeyId, Timestamp};
use leasehold_tape::ListSeen;
use serde::Serialize;

/// The verdict over a tape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "UPPERCASE")]
pub enum Finding {
    /// The last record is `tape.closed` and a checkpoint by a trusted host covers everything.
    Closed,
    /// Every record is in order, but those from `unproven_from` on are covered by no checkpoint:
    /// more may have followed them, or others may have stood there.
    Open {
        /// Number of the first record that is not covered; the number of records when all are.
        unproven_from: u64,
    },
    /// Something is wrong.
    Broken {
        /// Number of the first bad record, or of the last record where the records are in order and
        /// the checkpoint or an expectation does not fit them.
        seq: u64,
        /// Its line, from 1.
        line: u64,
        /// Stable code; see the table in `docs/tape.md`.
        code: String,
        /// The sentence.
        message: String,
    },
}

/// What one lease has been charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Charged {
    /// Uses.
    pub uses: u64,
    /// Fuel; reserved in full where a call did not return or exit.
    pub fuel: u64,
}

/// What was taken from the budget of one lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Budgeted {
    /// Fuel; reserved in full where a call did not return or exit.
    pub fuel: Spent,
    /// Uses.
    pub uses: Spent,
}

/// One figure of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// The most the lease itself allows; `None`: as much as the leases above it do.
    pub of: Option<u64>,
    /// What was taken.
    pub spent: u64,
}

/// What could not be looked into because bytes that the tape names were not at hand. All zero: everything was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// `lease.verified` records without all envelopes of the chain: signatures, approvals, narrowing, grants and budgets
    /// of these leases are as the host says.
    pub leases: u64,
    /// Records that name a revocation list without its envelope: of a list in force only the ids that the record itself
    /// states are known, of one a lease was checked against nothing.
    pub lists: u64,
    /// `lease.verified` records whose chain is at hand and whose presentation is not: that the holder presented the lease
    /// is as the host says, and its calls were not held to their grants.
    pub presentations: u64,
    /// `effect.http` records of calls whose grant is not known: that it allows them is as the host says.
    pub requests: u64,
}

/// What was found, and the figures computed on the way. With a broken tape they count the records
/// before the bad one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The verdict.
    pub finding: Finding,
    /// The tape's id.
    pub tape: Option<Digest>,
    /// The host key named in record 0.
    pub host: Option<KeyId>,
    /// Number of good records.
    pub records: u64,
    /// How many of them the checkpoint covers.
    pub proven: u64,
    /// Latest time on the tape, by the host's clock.
    pub latest: Option<Timestamp>,
    /// Number of intents.
    pub calls: u64,
    /// Calls without an outcome; they count as spent in full.
    pub open_calls: Vec<String>,
    /// Intents that name a lease no earlier `lease.verified` record is about: nothing here shows
    /// that it was good.
    pub calls_without_lease: u64,
    /// `lease.verified` records whose envelopes were at hand and verified.
    pub leases_verified: u64,
    /// Leases that the trust file of this check does not cover, by the digest of the one under which the host says it verified
    /// them: whether that one is to be trusted is for whoever checks to say.
    pub leases_elsewhere: BTreeMap<Digest, u64>,
    /// Torn tails that were cut.
    pub recovered: u64,
    /// What each lease was charged.
    pub charges: BTreeMap<Digest, Charged>,
    /// What was taken from each budget that is known, of every lease of a chain.
    pub budgets: BTreeMap<Digest, Budgeted>,
    /// Requests that were sent.
    pub requests: u64,
    /// The latest revocation list the tape names.
    pub revocations: Option<ListSeen>,
    /// `lease.verified` records that name a list below the least number the trust file of this check asks for. An earlier
    /// trust file may have asked for less.
    pub lists_below_least: u64,
    /// Leases of this tape that are revoked at its end.
    pub revoked: Vec<Digest>,
    /// What could not be looked into.
    pub missing: Missing,
}
