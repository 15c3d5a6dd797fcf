//! Moments in milliseconds since the epoch, UTC, written as RFC 3339.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Class, Coded};
use crate::text;

/// A moment, in whole milliseconds since 1970-01-01T00:00:00Z, from then to the end of the year 9999.
///
/// As text and in JSON: RFC 3339 in UTC, `2026-01-01T00:00:00Z` for whole seconds and
/// `2026-01-01T00:00:00.250Z` otherwise. No other spelling of a moment is read, so a moment has
/// exactly one text. Leap seconds do not exist here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Timestamp = Timestamp(0);

    /// 9999-12-31T23:59:59.999Z: the last moment RFC 3339 can write.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999);

    /// The moment so many milliseconds after the epoch.
    ///
    /// # Errors
    /// When that is before [`Timestamp::MIN`] or after [`Timestamp::MAX`].
    pub const fn from_millis(millis: i64) -> Result<Timestamp, TimestampError> {
        if millis < Self::MIN.0 || millis > Self::MAX.0 {
            return Err(TimestampError::Range);
        }
        Ok(Timestamp(millis))
    }

    /// Milliseconds since the epoch; never negative.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This moment moved by so many milliseconds (backwards when negative); `None` when that leaves
    /// the range from [`Timestamp::MIN`] to [`Timestamp::MAX`].
    pub const fn checked_add_millis(self, millis: i64) -> Option<Timestamp> {
        match self.0.checked_add(millis) {
            Some(sum) if sum >= Self::MIN.0 && sum <= Self::MAX.0 => Some(Timestamp(sum)),
            _ => None,
        }
    }

    /// Milliseconds from `earlier` to this moment; negative when `earlier` is in fact later.
    pub const fn millis_since(self, earlier: Timestamp) -> i64 {
        // Cannot overflow: both lie within the range from MIN to MAX.
        self.0 - earlier.0
    }
}

/// The text or number is not a moment this crate can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Not written as [`Timestamp`] writes it.
    #[error("not a time in UTC such as 2026-01-01T00:00:00Z or 2026-01-01T00:00:00.250Z")]
    Format,
    /// Before 1970 or after 9999.
    #[error("the time lies outside the years 1970 to 9999")]
    Range,
}

impl Coded for TimestampError {
    fn code(&self) -> &'static str {
        match self {
            TimestampError::Format => "TIME-FORMAT",
            TimestampError::Range => "TIME-RANGE",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn hint(&self) -> Option<String> {
        None
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Timestamp, TimestampError> {
        let local = text.strip_suffix('Z').ok_or(TimestampError::Format)?;
        let parsed: DateTime = local.parse().map_err(|_| TimestampError::Format)?;
        let millis = parsed.duration_since(EPOCH).as_millis();
        let timestamp =
            Timestamp::from_millis(i64::try_from(millis).map_err(|_| TimestampError::Range)?)?;
        // jiff reads offsets, lower case, spaces and nanoseconds as well. Comparing
        // with what we would write leaves exactly one spelling.
        if timestamp.to_string() == text {
            Ok(timestamp)
        } else {
            Err(TimestampError::Format)
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = EPOCH
            .checked_add(SignedDuration::from_millis(self.0))
            .map_err(|_| fmt::Error)?;
        let precision = if self.0 % 1000 == 0 { 0 } else { 3 };
        write!(formatter, "{local:.precision$}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        text::read(deserializer)
    }
}

/// Civil time rather than `jiff::Timestamp`, which ends a day before [`Timestamp::MAX`].
const EPOCH: DateTime = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
