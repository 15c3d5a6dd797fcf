//! The most one call may use.

use leasehold_seal::canonical::MAX_INTEGER;
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// The most one call may use. A root lease states all of them; none has a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Fuel, in wasmtime's units: 1 to 2^53 − 1.
    pub fuel: u64,
    /// All memories and tables of the call together, in bytes: 65,536 to 4 GiB.
    pub memory_bytes: u64,
    /// Real time, in milliseconds: 1 to 86,400,000 (a day).
    pub wall_ms: u64,
    /// Standard output, standard error, log and attachments, in bytes: 0 to 2^53 − 1.
    pub output_bytes: u64,
    /// Bytes written to files: 0 to 2^53 − 1.
    pub write_bytes: u64,
    /// Files and folders open at one time: 0 to 4,096.
    pub open_files: u64,
}

/// Some limits, in the units of [`Limits`]; what is `None` stays as it is elsewhere: in the rights that are narrowed, in
/// the parent of a child lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSpec {
    /// See [`Limits::fuel`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// See [`Limits::memory_bytes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// See [`Limits::wall_ms`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
    /// See [`Limits::output_bytes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
    /// See [`Limits::write_bytes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_bytes: Option<u64>,
    /// See [`Limits::open_files`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
}

/// The name of each limit with its least and greatest value.
pub(crate) const LIMIT_RANGES: [(&str, u64, u64); 6] = [
    ("fuel", 1, MAX_INTEGER.unsigned_abs()),
    ("memory_bytes", 65_536, 4 << 30),
    ("wall_ms", 1, 86_400_000),
    ("output_bytes", 0, MAX_INTEGER.unsigned_abs()),
    ("write_bytes", 0, MAX_INTEGER.unsigned_abs()),
    ("open_files", 0, 4_096),
];

impl Limits {
    /// The limits in the order of [`LimitsSpec::RANGES`].
    #[must_use]
    pub fn values(&self) -> [u64; 6] {
        [
            self.fuel,
            self.memory_bytes,
            self.wall_ms,
            self.output_bytes,
            self.write_bytes,
            self.open_files,
        ]
    }
}

impl LimitsSpec {
    /// The name of each limit with its least and greatest value, in the order of the fields.
    pub const RANGES: [(&'static str, u64, u64); 6] = LIMIT_RANGES;

    /// The limits in the order of [`LimitsSpec::RANGES`].
    #[must_use]
    pub fn values(&self) -> [Option<u64>; 6] {
        [
            self.fuel,
            self.memory_bytes,
            self.wall_ms,
            self.output_bytes,
            self.write_bytes,
            self.open_files,
        ]
    }

    /// These limits, and for those that are left out the ones of `others`.
    #[must_use]
    pub fn over(&self, others: &Limits) -> Limits {
        Limits {
            fuel: self.fuel.unwrap_or(others.fuel),
            memory_bytes: self.memory_bytes.unwrap_or(others.memory_bytes),
            wall_ms: self.wall_ms.unwrap_or(others.wall_ms),
            output_bytes: self.output_bytes.unwrap_or(others.output_bytes),
            write_bytes: self.write_bytes.unwrap_or(others.write_bytes),
            open_files: self.open_files.unwrap_or(others.open_files),
        }
    }

    /// Whether no limit is stated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values().iter().all(Option::is_none)
    }

    /// Whether each limit that is stated lies in its range.
    pub(crate) fn check(&self, at: &str) -> Result<(), Refusal> {
        for ((name, least, most), value) in LIMIT_RANGES.into_iter().zip(self.values()) {
            if let Some(value) = value
                && (value < least || value > most)
            {
                let problem = format!("is {value}; it must be {least} to {most}");
                return Err(Refusal::limit(&format!("{at}.{name}"), problem));
            }
        }
        Ok(())
    }
}

/// All limits, stated.
impl From<Limits> for LimitsSpec {
    fn from(limits: Limits) -> Self {
        Self {
            fuel: Some(limits.fuel),
            memory_bytes: Some(limits.memory_bytes),
            wall_ms: Some(limits.wall_ms),
            output_bytes: Some(limits.output_bytes),
            write_bytes: Some(limits.write_bytes),
            open_files: Some(limits.open_files),
        }
    }
}
