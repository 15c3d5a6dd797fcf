//! Bytes that a tape names by digest.

use leasehold_seal::{Coded as _, Digest, Envelope};
use leasehold_tape::RecordFault;

/// The content store, or what is at hand of it.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'a>(&'a dyn Fn(&Digest) -> Option<Vec<u8>>);

impl<'a> Stored<'a> {
    pub(crate) fn new(get: &'a dyn Fn(&Digest) -> Option<Vec<u8>>) -> Self {
        Self(get)
    }

    /// The bytes with this digest, if they are at hand; other bytes are a fault of this code.
    pub(crate) fn bytes(
        &self,
        digest: &Digest,
        code: &'static str,
    ) -> Result<Option<Vec<u8>>, RecordFault> {
        let found = (self.0)(digest);
        match &found {
            Some(bytes) if Digest::of(bytes) != *digest => Err(RecordFault::new(
                code,
                format!("what is stored under {digest} is something else"),
            )),
            _ => Ok(found),
        }
    }

    /// The envelope with this digest of its bytes, if it is at hand.
    pub(crate) fn envelope(
        &self,
        digest: &Digest,
        code: &'static str,
    ) -> Result<Option<Envelope>, RecordFault> {
        let Some(bytes) = self.bytes(digest, code)? else {
            return Ok(None);
        };
        let envelope = Envelope::parse(&bytes).map_err(|error| {
            RecordFault::new(
                code,
                format!(
                    "what is stored under {digest} is no envelope: {} ({error})",
                    error.code()
                ),
            )
        })?;
        Ok(Some(envelope))
    }
}
