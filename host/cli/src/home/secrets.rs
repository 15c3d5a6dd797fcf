//! The secrets of the home: where the host finds what leases call by a name. `secrets.json` has names and places, never a
//! value:
//!
//! ```json
//! { "api-token": {"env": "API_TOKEN"}, "deploy": {"file": "/run/secrets/deploy"}, "ci": {"keyring": "github/ci"} }
//! ```

mod read;

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use leasehold_http::Secret;
use leasehold_sandbox::{Objection, Secrets};
use leasehold_seal::{Class, canonical};
use serde::{Deserialize, Serialize};

use super::{Home, private_file, replace};
use crate::ambient::Ambient;
use crate::failure::Failure;

pub(crate) use read::put_into_keyring;

/// The names of the home with their places.
pub(crate) type SecretSources = BTreeMap<String, SecretSource>;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum SecretSource {
    /// An environment variable of the host.
    Env(String),
    /// A file that nobody but its owner can read; an absolute path. One line break at its end does not belong to the secret.
    File(PathBuf),
    /// The keyring of the kernel, as `SERVICE/USER`.
    Keyring(String),
}

impl SecretSource {
    /// The place in words.
    pub(crate) fn words(&self) -> String {
        match self {
            SecretSource::Env(name) => format!("the variable {name}"),
            SecretSource::File(path) => format!("the file {}", path.display()),
            SecretSource::Keyring(entry) => format!("the entry {entry} of the kernel's keyring"),
        }
    }

    /// The secret. One line break at its end does not belong to it.
    ///
    /// # Errors
    /// `SECRET-MISSING`, `SECRET-PERMISSIONS`, `SECRET-UNREADABLE`, `SECRET-LENGTH`, `SECRET-CHARACTERS`. None of them has a
    /// part of the value in it.
    pub(crate) fn read(&self, name: &str, ambient: &Ambient) -> Result<Secret, Failure> {
        let value = match self {
            SecretSource::Env(variable) => match ambient.var(variable) {
                Some(value) => value.as_bytes().to_vec(),
                None => return Err(read::missing(name, self, "which is not set or empty")),
            },
            SecretSource::File(path) => read::from_file(name, self, path)?,
            SecretSource::Keyring(entry) => read::from_keyring(name, self, entry)?,
        };
        read::secret(name, value, &self.words())
    }
}

impl Home {
    /// Where names and places of secrets are.
    pub(crate) fn secrets_path(&self) -> PathBuf {
        self.folder.join("secrets.json")
    }

    /// The names of secrets with their places; none where there is no file.
    ///
    /// # Errors
    /// `KEY-PERMISSIONS` when others can read the file, `SECRETS-FORMAT` when it is of another form.
    pub(crate) fn secret_sources(&self) -> Result<SecretSources, Failure> {
        let path = self.secrets_path();
        if path.symlink_metadata().is_err() {
            return Ok(SecretSources::new());
        }
        let bytes = private_file("list of secrets", &path)?;
        let sources: SecretSources = canonical::from_json(&bytes).map_err(|error| {
            let sentence = format!("the list of secrets {}: {error}", path.display());
            Failure::new("SECRETS-FORMAT", Class::Integrity, sentence)
                .hint("make it with `leasehold secret add`; it has names and places, no values")
        })?;
        for (name, source) in &sources {
            check(name, source)?;
        }
        Ok(sources)
    }

    /// Writes the names of secrets with their places.
    pub(crate) fn set_secret_sources(&self, sources: &SecretSources) -> Result<(), Failure> {
        let path = self.secrets_path();
        let failed = |error: std::io::Error| Failure::writing("list of secrets", &path, &error);
        let mut text = serde_json::to_vec_pretty(sources).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        replace(&path, &text).map_err(failed)
    }

    /// The files that secrets are in: as closed to every guest as the home.
    pub(crate) fn secret_files(&self) -> Result<Vec<PathBuf>, Failure> {
        let sources = self.secret_sources()?.into_values();
        let file = |source| match source {
            SecretSource::File(path) => Some(path),
            SecretSource::Env(_) | SecretSource::Keyring(_) => None,
        };
        Ok(sources.filter_map(file).collect())
    }

    /// A secret.
    ///
    /// # Errors
    /// `SECRET-UNKNOWN`, and those of [`SecretSource::read`].
    pub(crate) fn secret_value(&self, name: &str, ambient: &Ambient) -> Result<Secret, Failure> {
        match self.secret_sources()?.get(name) {
            Some(source) => source.read(name, ambient),
            None => Err(unknown(name)),
        }
    }
}

/// The home has no secret of this name.
pub(crate) fn unknown(name: &str) -> Failure {
    let sentence = format!("the home has no secret named {name:?}");
    Failure::new("SECRET-UNKNOWN", Class::Blocked, sentence).hint(format!(
        "`leasehold secret list` shows what it has; `leasehold secret add {name} --env VARIABLE` adds it"
    ))
}

/// Refuses names that no lease can call, and places that depend on where a command is run.
pub(crate) fn check(name: &str, source: &SecretSource) -> Result<(), Failure> {
    let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(known) {
        let sentence = format!("{name:?} is not a name for a secret");
        return Err(
            Failure::usage("SECRET-NAME", sentence).hint("a name has 1 to 64 of a-z, 0-9 and -")
        );
    }
    let wrong = |problem: &str| {
        Err(Failure::usage(
            "SECRET-SOURCE",
            format!("the secret {name:?}: {problem}"),
        ))
    };
    match source {
        SecretSource::Env(variable) if variable.is_empty() || variable.contains(['=', '\0']) => {
            wrong("that is not the name of a variable")
        }
        SecretSource::File(path) if !path.is_absolute() => {
            wrong("the path of its file is not absolute")
        }
        SecretSource::Keyring(entry) if read::parts(entry).is_none() => {
            wrong("an entry of the keyring is named SERVICE/USER")
        }
        _ => Ok(()),
    }
}

/// The secrets of a home, as calls get them: looked up anew for each call.
pub(crate) struct HomeSecrets {
    home: Home,
    ambient: Ambient,
}

impl HomeSecrets {
    /// Those of this home, with variables as this process has them.
    pub(crate) fn new(home: &Home, ambient: &Ambient) -> Self {
        HomeSecrets {
            home: home.clone(),
            ambient: ambient.clone(),
        }
    }
}

impl Secrets for HomeSecrets {
    fn secret(&self, name: &str) -> Result<Secret, Objection> {
        let secret = self.home.secret_value(name, &self.ambient);
        secret.map_err(|failure| Objection {
            code: CODES
                .into_iter()
                .find(|code| *code == failure.code)
                .unwrap_or("SECRET-UNREADABLE"),
            class: failure.class,
            sentence: failure.sentence,
            hint: failure.hint,
        })
    }
}

/// The codes that a call is refused with.
const CODES: [&str; 6] = [
    "SECRET-CHARACTERS",
    "SECRET-LENGTH",
    "SECRET-MISSING",
    "SECRET-PERMISSIONS",
    "SECRET-UNKNOWN",
    "SECRETS-FORMAT",
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use leasehold_http::MAX_SECRET_BYTES;

    use super::*;

    fn home() -> (tempfile::TempDir, Ambient, Home) {
        let folder = tempfile::tempdir().unwrap();
        let ambient = Ambient::of_process()
            .unwrap()
            .elsewhere(Path::new("/"), &folder.path().join("home"));
        let home = Home::make(&ambient).unwrap();
        (folder, ambient, home)
    }

    fn code<T>(result: Result<T, Failure>) -> Option<String> {
        result.err().map(|failure| failure.code)
    }

    #[test]
    fn a_file_that_others_can_reach_is_refused_and_a_private_one_read() {
        let (folder, ambient, home) = home();
        let path = folder.path().join("token");
        fs::write(&path, b"hunter22-hunter22\n").unwrap();
        let source = SecretSource::File(path.clone());
        for mode in [0o644, 0o640, 0o604, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = source.read("token", &ambient).unwrap_err();
            assert_eq!(refused.code, "SECRET-PERMISSIONS", "{mode:o}");
            assert!(!refused.sentence.contains("hunter22"));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let sources = SecretSources::from([("token".to_owned(), source)]);
        home.set_secret_sources(&sources).unwrap();
        assert_eq!(
            home.secret_value("token", &ambient).unwrap().reveal(),
            "hunter22-hunter22"
        );
        assert_eq!(home.secret_files().unwrap(), [path]);
        assert_eq!(
            code(home.secret_value("other", &ambient)).as_deref(),
            Some("SECRET-UNKNOWN")
        );
        let list = home.secrets_path();
        fs::set_permissions(&list, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(
            code(home.secret_sources()).as_deref(),
            Some("KEY-PERMISSIONS")
        );
    }

    #[test]
    fn what_is_empty_short_long_or_no_file_is_refused() {
        let (folder, ambient, _home) = home();
        let path = folder.path().join("token");
        let source = SecretSource::File(path.clone());
        assert_eq!(
            code(source.read("x", &ambient)).as_deref(),
            Some("SECRET-MISSING")
        );
        let cases: [(&[u8], Option<&str>); 6] = [
            (b"", Some("SECRET-LENGTH")),
            (b"1234567\n", Some("SECRET-LENGTH")),
            (b"12345678", None),
            (b"1234\n5678", Some("SECRET-CHARACTERS")),
            (&[b'a'; MAX_SECRET_BYTES], None),
            (&[b'a'; MAX_SECRET_BYTES + 1], Some("SECRET-LENGTH")),
        ];
        for (content, wanted) in cases {
            let _ = fs::remove_file(&path);
            super::super::new_private_file(&path, content).unwrap();
            assert_eq!(
                code(source.read("x", &ambient)).as_deref(),
                wanted,
                "{} bytes",
                content.len()
            );
        }
        let folder = SecretSource::File(folder.path().to_owned());
        assert_eq!(
            code(folder.read("x", &ambient)).as_deref(),
            Some("SECRET-UNREADABLE")
        );
    }

    #[test]
    fn only_a_line_break_at_the_end_is_dropped() {
        let (folder, ambient, _home) = home();
        let path = folder.path().join("token");
        super::super::new_private_file(&path, b"the secret\r\n").unwrap();
        let value = SecretSource::File(path).read("x", &ambient).unwrap();
        assert_eq!(value.reveal(), "the secret");
    }

    #[test]
    fn names_and_places_are_checked_wherever_they_come_from() {
        let (_folder, _ambient, home) = home();
        for text in [
            r#"{"A": {"env": "X"}}"#,
            r#"{"a": {"env": ""}}"#,
            r#"{"a": {"file": "relative"}}"#,
            r#"{"a": {"keyring": "only-one"}}"#,
            r#"{"a": {"keyring": "a/b/c"}}"#,
            r#"{"a": {"env": "X", "file": "/x"}}"#,
            r#"{"a": {"value": "hunter22"}}"#,
            r#"{"a": {"env": "X"}, "a": {"env": "Y"}}"#,
            "[]",
        ] {
            replace(&home.secrets_path(), text.as_bytes()).unwrap();
            assert!(home.secret_sources().is_err(), "{text}");
        }
        let text = r#"{"a": {"env": "X"}, "b-2": {"file": "/x"}, "c": {"keyring": "s/u"}}"#;
        replace(&home.secrets_path(), text.as_bytes()).unwrap();
        assert_eq!(home.secret_sources().unwrap().len(), 3);
    }
}
