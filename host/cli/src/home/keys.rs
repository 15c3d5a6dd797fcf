//! The keys of the home.

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use leasehold_seal::{Class, Envelope, KeyId, Role, SecondSecret, SecretKey, Timestamp, Trust};
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
        let secret = read_secret_key(&path)?;
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

    /// A key of the home that has a role now. Of several the one that keeps it longest, so that of a key and its successor it is
    /// the successor; then the one that `init` made or a successor of it, then the first by name.
    pub(crate) fn key_with(
        &self,
        role: Role,
        trust: &Trust,
        now: Timestamp,
    ) -> Result<Option<StoredKey>, Failure> {
        let able = self.keys()?.into_iter().filter_map(|key| {
            let known = trust.key(&key.id)?;
            let end = known.end_of(role).unwrap_or(Timestamp::MAX);
            known.valid_for(role, now).then_some((key, end))
        });
        // `false` sorts first, and what is equal keeps its order.
        let first =
            able.min_by_key(|(key, end)| (Reverse(*end), base_name(&key.name) != LOCAL_KEY));
        Ok(first.map(|(key, _)| key))
    }

    /// The file of the second key (ML-DSA-44, experimental) that belongs to a key.
    pub(crate) fn second_path(&self, name: &str) -> PathBuf {
        self.folder.join("keys").join(format!("{name}{SECOND}"))
    }

    /// The second key that belongs to a key, if there is one.
    pub(crate) fn second(&self, name: &str) -> Result<Option<SecondSecret>, Failure> {
        check_name(name)?;
        let path = self.second_path(name);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let pem = Zeroizing::new(private_file("second key", &path)?);
        SecondSecret::from_pkcs8_pem(str::from_utf8(&pem).unwrap_or_default())
            .or_fail()
            .map(Some)
            .map_err(|failure| failure.detail(format!("in {}", path.display())))
    }

    /// The envelope with the second signature of a key that has signed it, where the key has a second one.
    ///
    /// # Errors
    /// `SECOND-MISSING` when the trust file asks for one that the home does not have: the first would not count.
    pub(crate) fn with_second(
        &self,
        envelope: Envelope,
        key: &StoredKey,
        trust: &Trust,
    ) -> Result<Envelope, Failure> {
        let asked = trust.key(&key.id).and_then(|known| known.second());
        let second = self.second(&key.name)?;
        let is = second.as_ref().map(|second| second.public().id());
        if let Some(asked) = asked
            && is != Some(asked.id())
        {
            let sentence = format!(
                "the trust file asks of the key {:?} for a second signature by {}, and the home does not have that key",
                key.name,
                asked.id()
            );
            return Err(
                Failure::new("SECOND-MISSING", Class::Blocked, sentence).hint(format!(
                    "it belongs at {}; without it the signature would not count",
                    self.second_path(&key.name).display()
                )),
            );
        }
        match second {
            Some(second) => envelope.with_second_signature(&second).or_fail(),
            None => Ok(envelope),
        }
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
            let stem = name.to_str().and_then(|name| name.strip_suffix(".pem"));
            // Names of keys have no dots; second keys lie beside the first.
            if let Some(stem) = stem.filter(|stem| !stem.contains('.')) {
                names.push(stem.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }
}

/// How the name of a second key's file goes on after that of the key.
const SECOND: &str = ".second.pem";

/// Where the second key goes that belongs to a key in a file of its own: `x.pem` and `x.second.pem`.
pub(crate) fn second_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".pem").unwrap_or(&name);
    path.with_file_name(format!("{stem}{SECOND}"))
}

/// The name of a key without the number that says which of its successors it is: `local` for `local-3`.
pub(crate) fn base_name(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((base, number))
            if !base.is_empty()
                && number.len() < 10
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && number.parse::<u32>().is_ok_and(|number| number >= 2) =>
        {
            base
        }
        _ => name,
    }
}

/// A secret key in a file that nobody but its owner can read.
pub(crate) fn read_secret_key(path: &Path) -> Result<SecretKey, Failure> {
    let pem = Zeroizing::new(private_file("key", path)?);
    SecretKey::from_pkcs8_pem(str::from_utf8(&pem).unwrap_or_default())
        .or_fail()
        .map_err(|failure| failure.detail(format!("in {}", path.display())))
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
    fn of_a_key_and_its_successor_the_successor_signs() {
        let folder = tempfile::tempdir().unwrap();
        let ambient = crate::ambient::Ambient::of_process()
            .unwrap()
            .elsewhere(Path::new("/"), &folder.path().join("home"));
        let home = Home::make(&ambient).unwrap();
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut entries = Vec::new();
        for (seed, name) in ["alpha", "local", "local-2"].into_iter().enumerate() {
            let key = SecretKey::from_seed([u8::try_from(seed).unwrap() + 1; 32]);
            super::super::new_private_file(&home.key_path(name), key.to_pkcs8_pem().as_bytes())
                .unwrap();
            let entry = leasehold_seal::TrustedKey::new(name, key.public(), [Role::Issuer]);
            entries.push(match name {
                "local" => entry.ending(Role::Issuer, time("2026-02-01T00:00:00Z")),
                _ => entry,
            });
        }
        let signs = |entries: &[leasehold_seal::TrustedKey], now: &str| {
            let trust = Trust::new(entries.to_vec(), 1).unwrap();
            let key = home.key_with(Role::Issuer, &trust, time(now)).unwrap();
            key.map(|key| key.name)
        };
        let now = "2026-01-01T00:00:00Z";
        assert_eq!(signs(&entries, now).as_deref(), Some("local-2"));
        // While there is no successor, the key that ends is taken only where no other is.
        assert_eq!(signs(&entries[1..2], now).as_deref(), Some("local"));
        assert_eq!(signs(&entries[1..2], "2026-02-01T00:00:00Z"), None);
        // A second key is no key of its own.
        let second = home.second_path("local");
        super::super::new_private_file(&second, b"no key").unwrap();
        assert_eq!(home.key_names().unwrap(), ["alpha", "local", "local-2"]);
        assert!(home.second("local").is_err() && home.second("alpha").unwrap().is_none());
    }

    #[test]
    fn successors_share_the_name_they_began_with() {
        for (name, base) in [
            ("local", "local"),
            ("local-2", "local"),
            ("local-10", "local"),
            ("local-1", "local-1"),
            ("local-0", "local-0"),
            ("release-2027", "release"),
            ("local-x", "local-x"),
            ("-2", "-2"),
            ("a-99999999999", "a-99999999999"),
        ] {
            assert_eq!(base_name(name), base);
        }
        let beside = second_beside(Path::new("/x/a.pem"));
        assert_eq!(beside, Path::new("/x/a.second.pem"));
        assert_eq!(second_beside(Path::new("key")), Path::new("key.second.pem"));
    }

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
