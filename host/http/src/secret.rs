//! Values that the host puts into requests and that must not come back.

use std::fmt;

use leasehold_seal::{Class, Coded};
use zeroize::{Zeroize, Zeroizing};

/// The shortest secret, in bytes: a shorter one could not be taken out of texts without taking out half of them.
pub const MIN_SECRET_BYTES: usize = 8;
/// The longest secret, in bytes.
pub const MAX_SECRET_BYTES: usize = 8_192;

/// A secret with its name. Its value is wiped from memory when it is dropped, and no way of printing shows it.
///
/// Copies that were put into a request live in buffers of hyper and rustls until these are freed, and are not wiped there.
pub struct Secret {
    name: String,
    value: Zeroizing<String>,
}

/// Why a text cannot be used as a secret. Never has the value in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Shorter than [`MIN_SECRET_BYTES`] or longer than [`MAX_SECRET_BYTES`].
    #[error("the secret {name:?} has {bytes} bytes, not {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES}")]
    Length {
        /// Name of the secret.
        name: String,
        /// Its length.
        bytes: usize,
    },
    /// Something in it is not printable ASCII.
    #[error("the secret {name:?} has something in it that is not printable ASCII")]
    Characters {
        /// Name of the secret.
        name: String,
    },
}

impl Secret {
    /// Takes a secret as it was read. One line feed at the end, also with a carriage return, is not part of it; spaces at
    /// either end are refused, since they would be lost on the way.
    ///
    /// # Errors
    /// `SECRET-LENGTH` or `SECRET-CHARACTERS`.
    pub fn new(name: &str, value: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(value.into());
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let name = name.to_owned();
        if !(MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&line.len()) {
            let bytes = line.len();
            return Err(SecretError::Length { name, bytes });
        }
        let printable = |byte: &u8| *byte == b' ' || byte.is_ascii_graphic();
        let value = match std::str::from_utf8(line) {
            Ok(text) if line.iter().all(printable) && text.trim() == text => text,
            _ => return Err(SecretError::Characters { name }),
        };
        Ok(Self {
            name,
            value: Zeroizing::new(value.to_owned()),
        })
    }

    /// Its name, as leases have it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value itself: printable ASCII.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.value
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({:?})", self.name)
    }
}

impl Coded for SecretError {
    fn code(&self) -> &'static str {
        match self {
            SecretError::Length { .. } => "SECRET-LENGTH",
            SecretError::Characters { .. } => "SECRET-CHARACTERS",
        }
    }

    fn class(&self) -> Class {
        Class::Blocked
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            SecretError::Length { .. } => "use a longer secret, and nothing but the secret",
            SecretError::Characters { .. } => "encode it, in base64 for instance, where it is made",
        };
        Some(hint.to_owned())
    }
}
