//! The signed head of a tape: a C2SP tlog-checkpoint in a signed note.
//!
//! ```text
//! leasehold/sha256:<tape id>
//! <number of records>
//! <root, base64>
//!
//! — leasehold/sha256:<tape id> <base64 of key hash and Ed25519 signature>
//! ```
//! Sources: <https://c2sp.org/tlog-checkpoint>, <https://c2sp.org/signed-note>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leasehold_seal::note::{self, Note};
use leasehold_seal::{Digest, KeyId, PublicKey, SealError, SecretKey};

use crate::record::parse_integer;

/// How many records a tape holds and the root over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The tape's id.
    pub tape: Digest,
    /// Number of records.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
}

/// A checkpoint whose signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The keys that did, each once; never empty.
    pub signers: Vec<KeyId>,
}

/// The origin of a tape's checkpoints and the name under which its host signs.
pub fn origin(tape: &Digest) -> String {
    format!("{PREFIX}{tape}")
}

impl Checkpoint {
    /// The signed text.
    pub fn text(&self) -> String {
        let root = STANDARD.encode(self.root.as_bytes());
        format!("{}\n{}\n{root}\n", origin(&self.tape), self.size)
    }

    /// Signs it as the host.
    ///
    /// # Errors
    /// `NOTE-FORMAT`; does not happen for a checkpoint.
    pub fn sign(&self, host: &SecretKey) -> Result<String, SealError> {
        note::sign(&self.text(), &origin(&self.tape), host)
    }

    /// Reads the text of a checkpoint. Extension lines below the root are allowed and ignored.
    ///
    /// # Errors
    /// `NOTE-FORMAT`.
    pub fn parse(text: &str) -> Result<Checkpoint, SealError> {
        let body = text
            .strip_suffix('\n')
            .ok_or_else(|| malformed("it does not end its last line"))?;
        let mut lines = body.split('\n');
        let tape = lines
            .next()
            .and_then(|origin| origin.strip_prefix(PREFIX)?.parse().ok())
            .ok_or_else(|| malformed("its origin is not leasehold/sha256:…"))?;
        let size = lines
            .next()
            .and_then(|size| parse_integer(size.as_bytes()))
            .ok_or_else(|| malformed("its size is not a plain decimal number"))?;
        let root = lines
            .next()
            .and_then(|root| STANDARD.decode(root).ok()?.try_into().ok())
            .map(Digest::from_bytes)
            .ok_or_else(|| malformed("its root is not 32 bytes in base64"))?;
        if lines.any(str::is_empty) {
            return Err(malformed("it has an empty extension line"));
        }
        Ok(Checkpoint { tape, size, root })
    }

    /// Reads a signed checkpoint and verifies it: it must be of this tape and signed under the
    /// tape's origin by at least one of these keys. Signatures by others are ignored.
    ///
    /// # Errors
    /// `NOTE-FORMAT`, `SIGNATURE-INVALID`, `KEY-UNTRUSTED`.
    pub fn open(
        bytes: &[u8],
        tape: &Digest,
        keys: &[&PublicKey],
    ) -> Result<SignedCheckpoint, SealError> {
        let name = origin(tape);
        let keys: Vec<_> = keys.iter().map(|key| (name.as_str(), *key)).collect();
        let opened = Note::parse(bytes)?.open(&keys)?;
        let checkpoint = Checkpoint::parse(opened.text())?;
        if checkpoint.tape != *tape {
            return Err(malformed("it is that of another tape"));
        }
        let signers = opened.signers().iter().map(|signer| signer.key).collect();
        Ok(SignedCheckpoint {
            checkpoint,
            signers,
        })
    }
}

/// Whether a checkpoint file is no signed note at all. A crash may leave such a file, since it is not
/// synced, and anyone who can write it could as well remove it; so it counts as absent when the host
/// opens its tape. A note that does not verify is another matter.
pub(crate) fn is_crash_remains(bytes: &[u8]) -> bool {
    Note::parse(bytes).is_err()
}

const PREFIX: &str = "leasehold/";

fn malformed(what: &str) -> SealError {
    SealError::NoteFormat(format!("not a checkpoint: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use leasehold_seal::Coded as _;

    fn example() -> Checkpoint {
        Checkpoint {
            tape: Digest::of(b"tape"),
            size: 7,
            root: Digest::of(b"root"),
        }
    }

    #[test]
    fn what_is_signed_opens_again() {
        let key = SecretKey::from_seed([2; 32]);
        let signed = example().sign(&key).unwrap();
        let opened =
            Checkpoint::open(signed.as_bytes(), &Digest::of(b"tape"), &[&key.public()]).unwrap();
        assert_eq!(opened.checkpoint, example());
        assert_eq!(opened.signers, [key.public().key_id()]);
    }

    #[test]
    fn other_tapes_and_other_keys_are_refused() {
        let key = SecretKey::from_seed([2; 32]);
        let signed = example().sign(&key).unwrap();
        let other_key = SecretKey::from_seed([3; 32]).public();
        let open = |tape: &[u8], key: &PublicKey| {
            Checkpoint::open(signed.as_bytes(), &Digest::of(tape), &[key]).map_err(|e| e.code())
        };
        assert!(open(b"tape", &key.public()).is_ok());
        assert_eq!(open(b"other", &key.public()), Err("KEY-UNTRUSTED"));
        assert_eq!(open(b"tape", &other_key), Err("KEY-UNTRUSTED"));
    }

    #[test]
    fn only_plain_sizes_and_full_roots_are_read() {
        let text = example().text();
        assert_eq!(Checkpoint::parse(&text).unwrap(), example());
        assert_eq!(
            Checkpoint::parse(&format!("{text}extension\n")).unwrap(),
            example()
        );
        for (from, to) in [
            ("\n7\n", "\n07\n"),
            ("\n7\n", "\n+7\n"),
            ("\n7\n", "\n-7\n"),
            ("\n7\n", "\n 7\n"),
            ("\n7\n", "\n\n"),
            ("\n7\n", "\n9007199254740992\n"),
            ("\n7\n", "\n18446744073709551623\n"),
            ("=\n", "\n"),
            ("=\n", "=\n\n"),
            ("=\n", "="),
            ("=\n", "=\r\n"),
            ("leasehold/", "other/"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            assert!(Checkpoint::parse(&changed).is_err(), "{changed:?}");
        }
    }
}
