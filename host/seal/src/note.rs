//! Signed notes (C2SP `signed-note`, <https://c2sp.org/signed-note>): text for people and machines with
//! signature lines below it. Checkpoints of a tape are notes.
//!
//! ```text
//! the text, which ends with a line break
//!
//! — key.name base64(key hash ‖ signature)
//! ```
//! Only Ed25519 signatures (type 0x01) are made and verified. Lines of unknown keys are ignored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;

use crate::digest::KeyId;
use crate::error::SealError;
use crate::key::{PublicKey, SecretKey};

/// How long a note may be, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// How many signature lines a note may have. The specification asks for 16 at least.
pub const MAX_SIGNATURES: usize = 100;

/// Signs a text with one key of this name.
///
/// # Errors
/// `NOTE-FORMAT` when the text does not end with a line break, has other control characters or makes
/// the note longer than [`MAX_BYTES`], or the name is empty or has spaces, `+` or control characters.
pub fn sign(text: &str, name: &str, key: &SecretKey) -> Result<String, SealError> {
    if !text.ends_with('\n') {
        return Err(malformed("the text does not end with a line break"));
    }
    check_name(name)?;
    let mut line = key_hash(name, &key.public()).to_vec();
    line.extend_from_slice(&key.sign(text.as_bytes()));
    let note = format!(
        "{text}\n{SIGNATURE_START}{name} {}\n",
        STANDARD.encode(line)
    );
    check_text(note.as_bytes())?;
    Ok(note)
}

/// The first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), which tell keys of one name apart.
pub fn key_hash(name: &str, key: &PublicKey) -> [u8; 4] {
    let mut hasher = sha2::Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', ED25519]);
    hasher.update(key.as_bytes());
    let [first, second, third, fourth, ..] = <[u8; 32]>::from(hasher.finalize());
    [first, second, third, fourth]
}

/// A note, none of whose signatures is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    /// The name of the key.
    pub name: String,
    /// Which key of that name: see [`key_hash`].
    pub key_hash: [u8; 4],
    /// What follows; 64 bytes for Ed25519.
    pub signature: Vec<u8>,
}

/// Who has signed a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The name under which the key signed.
    pub name: String,
    /// The key.
    pub key: KeyId,
}

/// The text of a note and the keys that have signed it. Only [`Note::open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedNote {
    text: String,
    signers: Vec<Signer>,
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// `NOTE-FORMAT`.
    pub fn parse(bytes: &[u8]) -> Result<Note, SealError> {
        let note = check_text(bytes)?;
        // The last empty line separates; earlier ones belong to the text.
        let (body, lines) = note
            .rsplit_once("\n\n")
            .ok_or_else(|| malformed("it has no empty line before its signatures"))?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or_else(|| malformed("it does not end with a line break"))?;
        let signatures = lines
            .split('\n')
            .map(SignatureLine::parse)
            .collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(malformed("it has too many signatures"));
        }
        Ok(Note {
            text: format!("{body}\n"),
            signatures,
        })
    }

    /// The text, from whomever it may be.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The signature lines, from whomever they may be.
    pub fn unverified_signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Verifies with these keys, each under the name it signs as.
    ///
    /// Lines whose name and key hash match none of them are ignored. Each signer is listed once, in
    /// the order of the lines.
    ///
    /// # Errors
    /// - `SIGNATURE-INVALID`: a line names one of the keys and does not verify; the whole note is
    ///   refused then, whatever its other lines say.
    /// - `KEY-UNTRUSTED`: no line is by one of the keys.
    pub fn open(&self, keys: &[(&str, &PublicKey)]) -> Result<OpenedNote, SealError> {
        let mut signers: Vec<Signer> = Vec::new();
        for line in &self.signatures {
            for (name, key) in keys {
                if line.name != *name || line.key_hash != key_hash(name, key) {
                    continue;
                }
                key.verify(self.text.as_bytes(), &line.signature)
                    .map_err(|_| SealError::SignatureInvalid {
                        what: format!("the note's signature by {name:?}"),
                    })?;
                let signer = Signer {
                    name: (*name).to_owned(),
                    key: key.key_id(),
                };
                if !signers.contains(&signer) {
                    signers.push(signer);
                }
            }
        }
        if signers.is_empty() {
            let names: Vec<_> = self.signatures.iter().map(|line| &line.name).collect();
            return Err(SealError::KeyUntrusted(format!(
                "the note is not signed by a trusted key; its signatures are said to be by {names:?}"
            )));
        }
        Ok(OpenedNote {
            text: self.text.clone(),
            signers,
        })
    }
}

impl OpenedNote {
    /// The text that was signed, with its last line break.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who has signed, each once; never empty.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }
}

impl SignatureLine {
    fn parse(line: &str) -> Result<SignatureLine, SealError> {
        let (name, encoded) = line
            .strip_prefix(SIGNATURE_START)
            .and_then(|rest| rest.split_once(' '))
            .ok_or_else(|| malformed("a line below the empty line is no signature"))?;
        check_name(name)?;
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|error| malformed(&format!("a signature is not base64: {error}")))?;
        match bytes.split_first_chunk() {
            Some((key_hash, signature)) if !signature.is_empty() => Ok(SignatureLine {
                name: name.to_owned(),
                key_hash: *key_hash,
                signature: signature.to_vec(),
            }),
            _ => Err(malformed("a signature is too short")),
        }
    }
}

/// The specification's rules for the whole note: UTF-8, no control characters but line breaks.
fn check_text(bytes: &[u8]) -> Result<&str, SealError> {
    if bytes.len() > MAX_BYTES {
        return Err(malformed("it is longer than 1 MiB"));
    }
    if bytes.iter().any(|byte| *byte < b' ' && *byte != b'\n') {
        return Err(malformed("it has control characters"));
    }
    std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))
}

fn check_name(name: &str) -> Result<(), SealError> {
    let forbidden = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
    if name.is_empty() || name.contains(forbidden) {
        return Err(malformed(
            "a key name is empty or has spaces, `+` or control characters",
        ));
    }
    Ok(())
}

fn malformed(why: &str) -> SealError {
    SealError::NoteFormat(why.to_owned())
}

/// An em dash and a space.
const SIGNATURE_START: &str = "\u{2014} ";

/// The signature type of plain Ed25519.
const ED25519: u8 = 0x01;
