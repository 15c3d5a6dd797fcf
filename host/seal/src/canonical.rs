//! Strict JSON in, canonical JSON (RFC 8785) out.
//!
//! Reading refuses whatever two readers could understand differently: duplicate keys at any depth,
//! fractions and exponents, `-0`, integers beyond ±(2^53 − 1), lone surrogates, invalid UTF-8, a byte
//! order mark, and anything after the value. Nesting and size have limits. What [`to_vec`] writes,
//! [`from_slice`] reads.

mod direct;
mod exact;
mod fields;
mod node;
mod scan;
mod strict;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
pub use serde_json::Value;

use crate::error::{Class, Coded};
use direct::Sorted;
use strict::Numbers;

/// The greatest integer that is read or written, 2^53 − 1; the least is its negative (RFC 7493).
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// How many arrays and objects may lie in one another.
pub const MAX_DEPTH: usize = 64;

/// How long a text may be, in bytes, where no other limit is given: 1 MiB.
pub const MAX_BYTES: usize = 1 << 20;

/// Writes canonical JSON (RFC 8785): sorted keys, no spaces, one spelling of each string and number.
///
/// # Errors
/// When the value holds a number that is not an integer within ±[`MAX_INTEGER`], is nested more than
/// [`MAX_DEPTH`] deep, has a key twice or one that is no string, or is longer than [`MAX_BYTES`].
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    to_vec_limited(value, MAX_BYTES)
}

/// [`to_vec`] with another limit, in bytes.
///
/// # Errors
/// Those of [`to_vec`].
pub fn to_vec_limited<T: Serialize + ?Sized>(
    value: &T,
    max_bytes: usize,
) -> Result<Vec<u8>, CanonicalError> {
    exact::check(value)?;
    let bytes = write(value).map_err(|error| CanonicalError::Unwritable(error.to_string()))?;
    strict::check_size(&bytes, max_bytes)?;
    Ok(bytes)
}

/// Writes a value whose numbers were checked. serde_json spells strings and integers canonically, so that
/// hardly ever more than the order of keys is missing; whatever else is, `serde_json_canonicalizer` knows,
/// and takes several times as long.
fn write<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Vec<u8>> {
    let text = serde_json::to_vec(value)?;
    match direct::sort(&text) {
        Some(Sorted::Already) => {}
        Some(Sorted::Now(sorted)) => return serde_json::to_vec(&sorted),
        None => return serde_json_canonicalizer::to_vec(&value),
    }
    Ok(text)
}

/// Reads JSON strictly (see the module); it need not be canonical.
///
/// # Errors
/// [`CanonicalError`], except `NotCanonical` and `Field`.
pub fn parse(bytes: &[u8]) -> Result<Value, CanonicalError> {
    parse_limited(bytes, MAX_BYTES)
}

/// [`parse`] with another limit, in bytes.
///
/// # Errors
/// Those of [`parse`].
pub fn parse_limited(bytes: &[u8], max_bytes: usize) -> Result<Value, CanonicalError> {
    strict::parse(bytes, max_bytes, Numbers::Integers)
}

/// Reads canonical JSON: the bytes must be exactly what [`to_vec`] writes for the same value.
///
/// A struct is read from an object only, never from an array. Give the type
/// `#[serde(deny_unknown_fields)]`: unknown fields are its business.
///
/// # Errors
/// [`CanonicalError`].
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CanonicalError> {
    from_slice_limited(bytes, MAX_BYTES)
}

/// [`from_slice`] with another limit, in bytes.
///
/// # Errors
/// Those of [`from_slice`].
pub fn from_slice_limited<T: DeserializeOwned>(
    bytes: &[u8],
    max_bytes: usize,
) -> Result<T, CanonicalError> {
    strict::check_size(bytes, max_bytes)?;
    match direct::read(bytes) {
        Some(value) => Ok(value),
        None => read_long(bytes, max_bytes),
    }
}

/// [`from_slice_limited`] without hope: reads strictly, writes, compares, and only then looks at types.
fn read_long<T: DeserializeOwned>(bytes: &[u8], max_bytes: usize) -> Result<T, CanonicalError> {
    let value = strict::parse(bytes, max_bytes, Numbers::Integers)?;
    let canonical = serde_json_canonicalizer::to_vec(&value)
        .map_err(|error| CanonicalError::Unwritable(error.to_string()))?;
    if canonical != bytes {
        let offset = canonical
            .iter()
            .zip(bytes)
            .take_while(|(ours, theirs)| ours == theirs)
            .count();
        return Err(CanonicalError::NotCanonical { offset });
    }
    fields::read(value.into())
}

/// Reads JSON written by hand (policy, trust file, draft): as strict as [`from_slice`], but spaces,
/// line breaks, the order of keys and the spelling of strings are free.
///
/// # Errors
/// [`CanonicalError`], except `NotCanonical`.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CanonicalError> {
    from_json_limited(bytes, MAX_BYTES)
}

/// [`from_json`] with another limit, in bytes.
///
/// # Errors
/// Those of [`from_json`].
pub fn from_json_limited<T: DeserializeOwned>(
    bytes: &[u8],
    max_bytes: usize,
) -> Result<T, CanonicalError> {
    read_free(bytes, max_bytes, Numbers::Integers)
}

/// Reads a type from a value that [`parse`] gave: what [`from_json`] does, without parsing again.
///
/// # Errors
/// `JSON-FIELD`.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, CanonicalError> {
    fields::read(value.into())
}

/// As strict as [`parse`] except that numbers may be anything JSON allows, and unknown fields of `T`
/// are its business: for formats of others, whose extensions have to be skipped.
pub(crate) fn from_foreign<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    max_bytes: usize,
) -> Result<T, CanonicalError> {
    read_free(bytes, max_bytes, Numbers::Any)
}

/// Reads a type from a text whose form is free. Most texts are canonical all the same.
fn read_free<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    max_bytes: usize,
    numbers: Numbers,
) -> Result<T, CanonicalError> {
    strict::check_size(bytes, max_bytes)?;
    match direct::read(bytes) {
        Some(value) => Ok(value),
        None => fields::read(strict::parse(bytes, max_bytes, numbers)?.into()),
    }
}

/// Why JSON was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// Not JSON, or not UTF-8.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// An object has the same key twice.
    #[error("the key {0:?} occurs twice in one object")]
    DuplicateKey(String),
    /// A number is not an integer within ±[`MAX_INTEGER`].
    #[error("{0} is not an integer between -(2^53 - 1) and 2^53 - 1")]
    Number(String),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested more than {MAX_DEPTH} deep")]
    Depth,
    /// Longer than the limit.
    #[error("{bytes} bytes long, more than the {limit} allowed")]
    TooLarge {
        /// The length, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// Valid, but not the one canonical spelling.
    #[error("not in canonical form (RFC 8785), first seen at byte {offset}")]
    NotCanonical {
        /// The first byte that differs from the canonical form, counted from 0.
        offset: usize,
    },
    /// A field is unknown, missing, or of the wrong kind.
    #[error("{}{message}", at(.path))]
    Field {
        /// Where, `grants[0].limits` for instance; empty at the top.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// The value has no JSON form: a key is no string or occurs twice, a number is not finite.
    #[error("cannot be written as JSON: {0}")]
    Unwritable(String),
}

impl Coded for CanonicalError {
    fn code(&self) -> &'static str {
        match self {
            CanonicalError::Syntax(_) => "JSON-SYNTAX",
            CanonicalError::DuplicateKey(_) => "JSON-DUPLICATE-KEY",
            CanonicalError::Number(_) => "JSON-NUMBER",
            CanonicalError::Depth => "JSON-DEPTH",
            CanonicalError::TooLarge { .. } => "JSON-TOO-LARGE",
            CanonicalError::NotCanonical { .. } => "JSON-NOT-CANONICAL",
            CanonicalError::Field { .. } => "JSON-FIELD",
            CanonicalError::Unwritable(_) => "JSON-UNWRITABLE",
        }
    }

    fn class(&self) -> Class {
        match self {
            // Only our own values are written, so this is our own fault.
            CanonicalError::Unwritable(_) => Class::Fault,
            _ => Class::Integrity,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            CanonicalError::Syntax(_) => "it may be cut off or another kind of file: get it again",
            CanonicalError::DuplicateKey(_) => "keep one of the two",
            CanonicalError::Number(_) => "numbers are whole, from -(2^53 - 1) to 2^53 - 1",
            CanonicalError::Depth | CanonicalError::TooLarge { .. } => {
                "no document of Leasehold comes near this limit: it may be another kind of file"
            }
            CanonicalError::NotCanonical { .. } => {
                "signed documents have one spelling (RFC 8785): sign it again with `leasehold lease issue`"
            }
            CanonicalError::Field { .. } => "docs/ lists the fields of each document",
            CanonicalError::Unwritable(_) => return None,
        };
        Some(hint.to_owned())
    }
}

/// The beginning of a sentence about the field at this path.
fn at(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    }
}
