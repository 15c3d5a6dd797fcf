//! The keys of the home.

use std::fs;
use std::io;
use std::sync::Arc;

use leasehold_seal::{Class, KeyId, Role, SecretKey, Timestamp, Trust};
use zeroize::Zeroizing;

use super::{Home, private_file};
use crate::failure::{Failure, OrFail};

/// The name of the key that `init` makes.
pub(crate) const LOCAL_KEY: &str = "local";

/// A secret key of the home, with its name.
pub(crate) struct StoredKey {
    pub(crate) name: String,
    pub(crate) secret: SecretKey,
    pub(crate) id: KeyId,
}

impl Home {
    /// A key by its name.
    pub(crate) fn key(&self, name: &str) -> Result<StoredKey, Failure> {
        check_name(name)?;
        let path = self.key_path(name);
        if !path.exists() {
            let names: Vec<String> = self.key_names()?;
            return Err(Failure::new(
                "KEY-MISSING",
                Class::Blocked,
                format!("the home has no key {name:?}"),
            )
            .hint(format!("it has: {}", names.join(", "))));
        }
        let pem = Zeroizing::new(private_file("key", &path)?);
        let text = str::from_utf8(&pem).unwrap_or_default();
        let secret = SecretKey::from_pkcs8_pem(text)
            .or_fail()
            .map_err(|failure| failure.detail(format!("in {}", path.display())))?;
        Ok(StoredKey {
            name: name.to_owned(),
            id: secret.public().key_id(),
            secret,
        })
    }

    /// All keys, by name.
    pub(crate) fn keys(&self) -> Result<Vec<StoredKey>, Failure> {
        self.key_names()?
            .iter()
            .map(|name| self.key(name))
            .collect()
    }

    /// A key of the home that has a role now: the one that `init` made, else the first by name.
    pub(crate) fn key_with(
        &self,
        role: Role,
        trust: &Trust,
        now: Timestamp,
    ) -> Result<Option<StoredKey>, Failure> {
        let has_role = |key: &StoredKey| {
            trust
                .key(&key.id)
                .is_some_and(|known| known.has_role(role) && known.valid_at(now))
        };
        let able = self.keys()?.into_iter().filter(has_role);
        // `false` sorts first, and what is equal keeps its order.
        Ok(able.min_by_key(|key| key.name != LOCAL_KEY))
    }

    /// The key of this host: it signs the tape.
    pub(crate) fn host_key(
        &self,
        trust: &Trust,
        now: Timestamp,
    ) -> Result<Arc<SecretKey>, Failure> {
        match self.key_with(Role::Host, trust, now)? {
            Some(key) => Ok(Arc::new(key.secret)),
            None => Err(Failure::new(
                "HOST-KEY-MISSING",
                Class::Blocked,
                "none of the keys in the home has the role host now, so no tape can be signed",
            )
            .hint("see `leasehold key list`; a home made by `leasehold init` has one")),
        }
    }

    fn key_names(&self) -> Result<Vec<String>, Failure> {
        let folder = self.folder.join("keys");
        let failed = |error: io::Error| Failure::reading("key folder", &folder, &error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(".pem")) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }
}

/// Refuses names that are no plain file names.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
    };
    if (1..=64).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(());
    }
    Err(
        Failure::usage("KEY-NAME", format!("{name:?} is not a name for a key"))
            .hint("a name has 1 to 64 of a-z, 0-9, - and _"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_names_are_plain() {
        for name in ["local", "release-2027", "a_b"] {
            assert!(check_name(name).is_ok());
        }
        for name in ["", "../x", "a/b", "A", ".hidden", "a.pem", &"a".repeat(65)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
