//! SHA-256 over fields that cannot run into each other.

use leasehold_seal::Digest;
use sha2::{Digest as _, Sha256};

use crate::stat::{Attributes, FileKind};

/// A hash of several fields: texts and byte strings carry their length, numbers are eight bytes.
#[derive(Clone)]
pub(crate) struct Hasher(Sha256);

impl Hasher {
    pub(crate) fn new(domain: &str) -> Self {
        let mut hasher = Self(Sha256::new());
        hasher.text(domain);
        hasher
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
        self
    }

    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        self.0.update(number.to_be_bytes());
        self
    }

    pub(crate) fn digest(&mut self, digest: Digest) -> &mut Self {
        self.0.update(digest.as_bytes());
        self
    }

    pub(crate) fn attributes(&mut self, attributes: Attributes) -> &mut Self {
        let kind = match attributes.kind {
            FileKind::File => 0,
            FileKind::Directory => 1,
            FileKind::Symlink => 2,
            FileKind::Other => 3,
        };
        let flags = u64::from(attributes.executable) | u64::from(attributes.readable) << 1;
        self.number(kind).number(flags).number(attributes.size)
    }

    pub(crate) fn finish(self) -> Digest {
        Digest::from_bytes(self.0.finalize().into())
    }
}
