//! Reading secrets where they are, and putting one into the keyring.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use keyring_core::Error as KeyringError;
use keyring_core::api::CredentialStoreApi;
use leasehold_http::{MAX_SECRET_BYTES, Secret};
use leasehold_seal::Class;
use linux_keyutils_keyring_store::Store;
use zeroize::Zeroizing;

use super::SecretSource;
use crate::failure::{Failure, OrFail};

/// What was read at a place, as a secret. Its bytes are wiped, whatever becomes of it.
pub(super) fn secret(name: &str, value: Vec<u8>, place: &str) -> Result<Secret, Failure> {
    Secret::new(name, value)
        .or_fail()
        .map_err(|failure| failure.detail(format!("from {place}")))
}

/// What is in a file that nobody but its owner can reach.
pub(super) fn from_file(
    name: &str,
    source: &SecretSource,
    path: &Path,
) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(name, source, "which is not there"),
        _ => {
            let sentence = format!(
                "the secret {name:?} could not be read from {}: {error}",
                source.words()
            );
            Failure::new("SECRET-UNREADABLE", Class::Blocked, sentence)
        }
    };
    // Without waiting for anybody: a pipe in its place is found out below. What is looked at is what is read.
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    let file = File::options()
        .read(true)
        .custom_flags(i32::try_from(flags).unwrap_or_default())
        .open(path)
        .map_err(unreadable)?;
    let info = file.metadata().map_err(unreadable)?;
    if !info.is_file() {
        let sentence = format!(
            "the secret {name:?} is to be in {}, which is no plain file",
            source.words()
        );
        return Err(Failure::new("SECRET-UNREADABLE", Class::Refused, sentence));
    }
    if info.mode() & 0o077 != 0 {
        let sentence = format!(
            "the secret {name:?} is in {}, which others than its owner can reach (mode {:03o})",
            source.words(),
            info.mode() & 0o777
        );
        return Err(
            Failure::new("SECRET-PERMISSIONS", Class::Refused, sentence).hint(format!(
                "run `chmod 600 {}`; whoever could read it may have the secret",
                path.display()
            )),
        );
    }
    // As much as can be needed at once, so that no half-read copy stays behind in memory.
    let most = MAX_SECRET_BYTES + LINE_BREAK + 1;
    let mut value = Zeroizing::new(Vec::with_capacity(most));
    file.take(most as u64)
        .read_to_end(&mut value)
        .map_err(unreadable)?;
    Ok(std::mem::take(&mut *value))
}

/// The longest line break, in bytes.
const LINE_BREAK: usize = 2;

/// What the keyring of the kernel has under this name.
pub(super) fn from_keyring(
    name: &str,
    source: &SecretSource,
    entry: &str,
) -> Result<Vec<u8>, Failure> {
    let Some((service, user)) = parts(entry) else {
        return Err(missing(name, source, "which is no name for one"));
    };
    let read = || Store::new()?.build(service, user, None)?.get_secret();
    match read() {
        Ok(value) => Ok(value),
        Err(KeyringError::NoEntry) => Err(missing(name, source, "which does not exist")
            .hint(format!("put it there: `leasehold secret add {name} --keyring {entry} --set`; after a restart it is gone"))),
        // Some of these errors carry what was read.
        Err(error) => {
            let why = reason(error);
            let sentence = format!(
                "the secret {name:?} could not be read from {}{why}",
                source.words()
            );
            Err(Failure::new("SECRET-UNREADABLE", Class::Blocked, sentence))
        }
    }
}

/// Puts a secret into the keyring.
///
/// # Errors
/// `SECRET-LENGTH`, `SECRET-CHARACTERS`, `SECRET-UNWRITABLE`.
pub(crate) fn put_into_keyring(name: &str, entry: &str, value: Vec<u8>) -> Result<(), Failure> {
    let value = secret(name, value, "standard input")?;
    let failed = |why: String| {
        let sentence = format!("the secret {name:?} could not be put into the keyring{why}");
        Failure::new("SECRET-UNWRITABLE", Class::Blocked, sentence)
            .hint("containers often have no keyring; keep the secret in a file of mode 600 instead: --file PATH")
    };
    let Some((service, user)) = parts(entry) else {
        return Err(failed(format!(": {entry:?} is no name for an entry")));
    };
    let write = || {
        Store::new()?
            .build(service, user, None)?
            .set_secret(value.reveal().as_bytes())
    };
    write().map_err(|error| failed(reason(error)))
}

/// Why the keyring did not do it; nothing of what was read or written.
fn reason(error: KeyringError) -> String {
    match error {
        KeyringError::PlatformFailure(error) | KeyringError::NoStorageAccess(error) => {
            format!(": {error}")
        }
        _ => String::new(),
    }
}

/// Service and user of an entry; neither can have what separates them.
pub(super) fn parts(entry: &str) -> Option<(&str, &str)> {
    let (service, user) = entry.split_once('/')?;
    let plain = |part: &str| {
        !part.is_empty()
            && part.len() <= 128
            && !part.contains(['/', '@'])
            && !part.chars().any(char::is_control)
    };
    (plain(service) && plain(user)).then_some((service, user))
}

/// The secret is not where it is to be.
pub(super) fn missing(name: &str, source: &SecretSource, why: &str) -> Failure {
    let sentence = format!("the secret {name:?} is to be in {}, {why}", source.words());
    Failure::new("SECRET-MISSING", Class::Blocked, sentence)
        .hint("`leasehold secret list` shows where each is looked for")
}
