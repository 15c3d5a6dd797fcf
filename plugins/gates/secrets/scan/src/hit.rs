//! What is found, and how it is spoken of without saying it.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::shapes;

/// One kind of secret.
#[derive(Debug, Eq, PartialEq)]
pub struct Rule {
    /// Its name: lower-case letters, digits and `-`.
    pub name: &'static str,
    /// What it finds, for a person: follows "this looks like".
    pub what: &'static str,
    /// Which rule holds where two find the same: the lower one.
    pub(crate) rank: u8,
}

pub(crate) const PRIVATE_KEY: Rule = Rule {
    name: "private-key",
    what: "a private key",
    rank: 0,
};
pub(crate) const URL_PASSWORD: Rule = Rule {
    name: "url-password",
    what: "a password in an address",
    rank: 2,
};
pub(crate) const ASSIGNMENT: Rule = Rule {
    name: "assignment",
    what: "a secret value given to a name",
    rank: 3,
};

impl Rule {
    /// All rules, in the order of their names.
    pub fn all() -> Vec<&'static Rule> {
        let shapes = shapes::SHAPES.iter().map(|shape| shape.rule);
        let mut rules: Vec<&'static Rule> = shapes
            .chain([&PRIVATE_KEY, &URL_PASSWORD, &ASSIGNMENT])
            .collect();
        rules.sort_by_key(|rule| rule.name);
        rules.dedup();
        rules
    }

    /// The rule of this name.
    pub fn named(name: &str) -> Option<&'static Rule> {
        Self::all().into_iter().find(|rule| rule.name == name)
    }
}

/// A secret in a file. It does not hold the secret, only its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hit {
    /// What found it.
    pub rule: &'static Rule,
    /// Its first byte.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// Its line, from 1.
    pub line: u32,
    /// Its column in characters (bytes that begin none are not counted), from 1.
    pub column: u32,
    /// Whether a comment in the file allows it.
    pub allowed: bool,
}

impl Hit {
    /// The secret as it may be shown: its first characters, at most four and at most a quarter of it, and its length.
    pub fn redacted(&self, content: &[u8]) -> String {
        let secret = String::from_utf8_lossy(self.secret(content));
        let length = secret.chars().count();
        let shown: String = secret
            .chars()
            .take(4.min(length / 4))
            .map(|char| if char.is_ascii_graphic() { char } else { '?' })
            .collect();
        format!("{shown}… ({length} characters)")
    }

    /// What stands for the secret in a list of allowed ones: `sha256:` and the SHA-256 of rule, path and secret, with a zero byte
    /// after each of the first two. It stays the same when the secret moves inside the file.
    pub fn fingerprint(&self, path: &str, content: &[u8]) -> String {
        let mut hasher = Sha256::new();
        for part in [self.rule.name.as_bytes(), &[0], path.as_bytes(), &[0]] {
            hasher.update(part);
        }
        hasher.update(self.secret(content));
        let mut text = "sha256:".to_owned();
        for byte in hasher.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    fn secret<'a>(&self, content: &'a [u8]) -> &'a [u8] {
        content.get(self.start..self.end).unwrap_or_default()
    }
}
