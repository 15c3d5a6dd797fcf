//! The home: where keys, trust, secrets, tape, store and compiled code lie. It belongs to one user and lies outside every
//! workspace.
//!
//! ```text
//! keys/NAME.pem            secret keys, PKCS#8, mode 600; NAME.second.pem: ML-DSA-44 keys beside them
//! trust.json               which public keys may do what
//! revocations.json         the revocation list in use, as it was signed
//! policy.json              what this home issues at most, where there is one
//! secrets.json             where secrets are that leases call by a name, where there are any
//! secrets/{cache,state,salt}.key   32 random bytes each, mode 600: for MACs and salts
//! tape/  store/  cache/    records, artifacts by digest, compiled code
//! ```

mod keys;
mod policy;
mod revocations;
mod secrets;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use leasehold_seal::{Class, Digest, Trust, key};
use leasehold_tape::reader::Records;
use zeroize::Zeroizing;

use crate::ambient::Ambient;
use crate::failure::{Failure, OrFail};
use crate::parse;

pub(crate) use keys::{
    LOCAL_KEY, StoredKey, base_name, check_name, read_secret_key, second_beside,
};
pub(crate) use policy::within;
pub(crate) use revocations::read_list;
pub(crate) use secrets::{
    HomeSecrets, SecretSource, check as check_secret, put_into_keyring, unknown as unknown_secret,
};

/// The largest file read from the home, in bytes.
const FILE_BYTES: u64 = 1 << 20;

/// A secret of the home that is no key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secret {
    /// Authenticates compiled code.
    Cache,
    /// Authenticates the state file of the tape.
    State,
    /// Salts the digests of inputs.
    Salt,
}

impl Secret {
    /// All of them.
    pub(crate) const ALL: [Secret; 3] = [Secret::Cache, Secret::State, Secret::Salt];

    fn file(self) -> &'static str {
        match self {
            Secret::Cache => "cache.key",
            Secret::State => "state.key",
            Secret::Salt => "salt.key",
        }
    }
}

/// A home that exists and that only its owner can reach.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    folder: PathBuf,
}

impl Home {
    /// Where the home is, whether it exists or not.
    pub(crate) fn place(ambient: &Ambient) -> Result<PathBuf, Failure> {
        if let Some(folder) = ambient.var("LEASEHOLD_HOME") {
            return Ok(ambient.path(Path::new(folder)));
        }
        // The XDG base directory specification has relative paths ignored.
        let data = ambient
            .var("XDG_DATA_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        let data = data.or_else(|| Some(Path::new(ambient.var("HOME")?).join(".local/share")));
        match data {
            Some(data) => Ok(ambient.path(&data).join("leasehold")),
            None => Err(Failure::new(
                "HOME-UNKNOWN",
                Class::Blocked,
                "neither LEASEHOLD_HOME nor XDG_DATA_HOME nor HOME is set, so there is no place for keys and tape",
            )
            .hint("set LEASEHOLD_HOME to a folder outside of every workspace")),
        }
    }

    /// The home of this user.
    ///
    /// # Errors
    /// `HOME-MISSING`, `HOME-OWNER`, `HOME-PERMISSIONS`.
    pub(crate) fn open(ambient: &Ambient) -> Result<Self, Failure> {
        let folder = Home::place(ambient)?;
        let shown = folder.display();
        let info = match fs::metadata(&folder) {
            Ok(info) if info.is_dir() && folder.join("trust.json").exists() => info,
            Ok(_) | Err(_) => {
                let sentence = format!("there is no home of Leasehold at {shown}");
                return Err(Failure::new("HOME-MISSING", Class::Blocked, sentence)
                    .hint("run `leasehold init` once"));
            }
        };
        if info.uid() != crate::ambient::user() {
            let sentence = format!("the home {shown} belongs to another user");
            return Err(Failure::new("HOME-OWNER", Class::Refused, sentence)
                .hint("set LEASEHOLD_HOME to a home of your own, and run `leasehold init`"));
        }
        if info.mode() & 0o077 != 0 {
            let sentence = format!(
                "the home {shown} has mode {:03o}, so others than its owner can reach it",
                info.mode() & 0o777
            );
            return Err(
                Failure::new("HOME-PERMISSIONS", Class::Refused, sentence).hint(format!(
                    "run `chmod 700 {shown}`; whoever could read it may have its keys"
                )),
            );
        }
        Ok(Home { folder })
    }

    /// Makes a home: folders and secrets, no keys and no trust yet.
    ///
    /// # Errors
    /// `HOME-EXISTS` when there is anything in its place.
    pub(crate) fn make(ambient: &Ambient) -> Result<Self, Failure> {
        let folder = Home::place(ambient)?;
        let failed = |error: io::Error| Failure::writing("home", &folder, &error);
        if fs::symlink_metadata(&folder).is_ok_and(|info| !info.is_dir())
            || fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some())
        {
            let sentence = format!(
                "there is something at {} already; nothing was changed",
                folder.display()
            );
            return Err(Failure::new("HOME-EXISTS", Class::Refused, sentence)
                .hint("use it as it is (`leasehold doctor` checks it), or set LEASEHOLD_HOME to another place"));
        }
        private_folder(&folder, true).map_err(failed)?;
        // An empty folder may have been there with wider rights.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        let home = Home {
            folder: folder.clone(),
        };
        for below in ["keys", "secrets", "tape", "store", "cache"] {
            private_folder(&home.folder.join(below), false).map_err(failed)?;
        }
        for secret in Secret::ALL {
            let path = home.secret_path(secret);
            let bytes = crate::ambient::random_secret()?;
            new_private_file(&path, bytes.as_slice())
                .map_err(|error| Failure::writing("secret", &path, &error))?;
        }
        Ok(home)
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of the tape.
    pub(crate) fn tape(&self) -> PathBuf {
        self.folder.join("tape")
    }

    /// The folder of the content store.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// The folder of compiled code.
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// The trust file.
    pub(crate) fn trust_path(&self) -> PathBuf {
        self.folder.join("trust.json")
    }

    /// The file of a key.
    pub(crate) fn key_path(&self, name: &str) -> PathBuf {
        self.folder.join("keys").join(format!("{name}.pem"))
    }

    /// The file of a secret.
    pub(crate) fn secret_path(&self, secret: Secret) -> PathBuf {
        self.folder.join("secrets").join(secret.file())
    }

    /// The trust file, read.
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        read_trust(&self.trust_path())
    }

    /// SHA-256 of the trust file's bytes.
    pub(crate) fn trust_digest(&self) -> Result<Digest, Failure> {
        let bytes = parse::file("trust file", &self.trust_path(), FILE_BYTES)?;
        Ok(Digest::of(&bytes))
    }

    /// Writes the trust file, spread out for people; its old content stays until the new one is complete.
    pub(crate) fn set_trust(&self, trust: &Trust) -> Result<(), Failure> {
        let path = self.trust_path();
        let json = trust.to_json().or_fail()?;
        let failed = |error: io::Error| Failure::writing("trust file", &path, &error);
        let value: serde_json::Value =
            serde_json::from_slice(&json).map_err(|error| failed(error.into()))?;
        let mut text = serde_json::to_vec_pretty(&value).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        replace(&path, &text).map_err(failed)
    }

    /// A secret.
    pub(crate) fn secret(&self, secret: Secret) -> Result<Zeroizing<[u8; 32]>, Failure> {
        let path = self.secret_path(secret);
        let bytes = Zeroizing::new(private_file("secret", &path)?);
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(bytes) => Ok(Zeroizing::new(bytes)),
            Err(_) => {
                let sentence = format!("the secret {} has not 32 bytes", path.display());
                Err(Failure::new("SECRET-FORMAT", Class::Integrity, sentence)
                    .hint("restore it from a copy of the home, or make a new home"))
            }
        }
    }

    /// The id of the tape, if there is one; read from its first record.
    pub(crate) fn tape_id(&self) -> Option<Digest> {
        let file = fs::File::open(self.tape().join("records.jsonl")).ok()?;
        let first = Records::new(file).next()?.ok()?;
        Some(first.tape)
    }

    /// Refuses a workspace in which the home lies: the judged tree never supplies its judge.
    pub(crate) fn check_outside(&self, workspace: &Path) -> Result<(), Failure> {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if real(&self.folder).starts_with(real(workspace)) {
            let sentence = format!(
                "the home {} lies inside the workspace {}",
                self.folder.display(),
                workspace.display()
            );
            return Err(
                Failure::new("HOME-IN-WORKSPACE", Class::Refused, sentence).hint(
                    "move the home, or set LEASEHOLD_HOME to a place outside of every workspace",
                ),
            );
        }
        Ok(())
    }
}

/// A trust file, read.
pub(crate) fn read_trust(path: &Path) -> Result<Trust, Failure> {
    let bytes = parse::file("trust file", path, FILE_BYTES)?;
    Trust::parse(&bytes)
        .or_fail()
        .map_err(|failure| failure.detail(format!("in {}", path.display())))
}

/// Makes a file that only its owner can read; it must not exist.
pub(crate) fn new_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a file that only its owner can read; its old content stays until the new one is complete.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    // What an interrupted attempt left behind is of no use.
    let _ = fs::remove_file(&new);
    new_private_file(&new, bytes)?;
    fs::rename(&new, path)
}

/// Reads a file that nobody but its owner may reach.
fn private_file(what: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    let info = fs::metadata(path).map_err(|error| Failure::reading(what, path, &error))?;
    key::check_mode(info.mode())
        .or_fail()
        .map_err(|failure| failure.detail(format!("the {what} is {}", path.display())))?;
    parse::file(what, path, FILE_BYTES)
}

/// Makes a folder that only its owner can enter, unless it is there.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    private_folder(path, true)
}

fn private_folder(path: &Path, with_parents: bool) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(with_parents)
        .mode(0o700)
        .create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ambient(home: &Path) -> Ambient {
        Ambient::of_process()
            .unwrap()
            .elsewhere(Path::new("/"), home)
    }

    fn made() -> (tempfile::TempDir, Ambient, Home) {
        let folder = tempfile::tempdir().unwrap();
        let ambient = ambient(&folder.path().join("home"));
        let home = Home::make(&ambient).unwrap();
        home.set_trust(&Trust::new(Vec::new(), 1).unwrap()).unwrap();
        (folder, ambient, home)
    }

    fn code<T>(result: Result<T, Failure>) -> Option<String> {
        result.err().map(|failure| failure.code)
    }

    #[test]
    fn a_home_is_made_once_and_opened() {
        let (_folder, ambient, home) = made();
        assert!(Home::open(&ambient).is_ok());
        assert_eq!(code(Home::make(&ambient)).as_deref(), Some("HOME-EXISTS"));
        assert_ne!(
            home.secret(Secret::Cache).unwrap(),
            home.secret(Secret::State).unwrap()
        );
    }

    #[test]
    fn a_home_that_others_can_reach_is_refused() {
        let (_folder, ambient, home) = made();
        for mode in [0o710, 0o704, 0o755, 0o777] {
            fs::set_permissions(home.folder(), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(
                code(Home::open(&ambient)).as_deref(),
                Some("HOME-PERMISSIONS"),
                "{mode:o}"
            );
        }
        fs::set_permissions(home.folder(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(Home::open(&ambient).is_ok());
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let (_folder, _ambient, home) = made();
        let path = home.secret_path(Secret::Salt);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(
            code(home.secret(Secret::Salt)).as_deref(),
            Some("KEY-PERMISSIONS")
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(home.secret(Secret::Salt).is_ok());
        fs::write(&path, b"short").unwrap();
        assert_eq!(
            code(home.secret(Secret::Salt)).as_deref(),
            Some("SECRET-FORMAT")
        );
    }

    #[test]
    fn a_home_inside_the_workspace_is_refused() {
        let (folder, _ambient, home) = made();
        let outside = folder.path().join("tree");
        fs::create_dir(&outside).unwrap();
        assert!(home.check_outside(&outside).is_ok());
        assert_eq!(
            code(home.check_outside(folder.path())).as_deref(),
            Some("HOME-IN-WORKSPACE")
        );
        assert_eq!(
            code(home.check_outside(home.folder())).as_deref(),
            Some("HOME-IN-WORKSPACE")
        );
        let link = outside.join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        assert_eq!(
            code(home.check_outside(&link)).as_deref(),
            Some("HOME-IN-WORKSPACE")
        );
    }
}
