//! Keys as somebody names them on the command line, and files as they are written there.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use leasehold_lease::Holder;
use leasehold_seal::{Class, KeyId, SecretKey, TrustedKey};

use crate::commands::{Context, key};
use crate::failure::Failure;
use crate::home::{Home, read_secret_key};

/// Whose key signs, where that may be somebody without a home.
#[derive(Debug, Args)]
pub(super) struct SignerArgs {
    /// The key to sign with, by its name in the home.
    #[arg(long, value_name = "NAME", required_unless_present = "key_file")]
    key: Option<String>,
    /// The key to sign with, in a file: PKCS#8 PEM. Needs no home.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    key_file: Option<PathBuf>,
}

impl SignerArgs {
    /// The key.
    pub(super) fn secret(&self, context: &Context) -> Result<SecretKey, Failure> {
        match (&self.key_file, &self.key) {
            (Some(file), _) => read_secret_key(&context.ambient.path(file)),
            (None, name) => {
                let home = Home::open(&context.ambient)?;
                Ok(home.key(name.as_deref().unwrap_or_default())?.secret)
            }
        }
    }
}

/// A holder: `none`, the id of a key, the name of one in the home or its trust file, or a file with a public key.
pub(super) fn holder(text: &str, context: &Context) -> Result<Holder, Failure> {
    if text == "none" {
        return Ok(Holder::None);
    }
    key_id(text, "HOLDER-FORMAT", context).map(Holder::Key)
}

/// The id of a key that is named by its id, by its name here, or by a file with its public half.
pub(super) fn key_id(text: &str, code: &str, context: &Context) -> Result<KeyId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    // Whoever has no home names no key by its name in one.
    if let Ok(home) = Home::open(&context.ambient) {
        if let Some(known) = home
            .trust()?
            .all_keys()
            .iter()
            .find(|key| key.name() == text)
        {
            return Ok(TrustedKey::id(known));
        }
        if let Some(stored) = home.keys()?.into_iter().find(|key| key.name == text) {
            return Ok(stored.id);
        }
    }
    let path = context.ambient.path(Path::new(text));
    if path.exists() {
        return Ok(key::public_key(&path)?.key_id());
    }
    let sentence =
        format!("{text:?} is neither the id of a key nor the name of one here nor a file with one");
    Err(Failure::new(code, Class::Usage, sentence).hint("`leasehold key list` shows names and ids"))
}

/// Puts a file in its place as a whole, with a line break at its end.
pub(crate) fn write_whole(what: &str, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.write_all(b"\n")?;
        file.persist(path).map(drop).map_err(|error| error.error)
    };
    write().map_err(|error: std::io::Error| Failure::writing(what, path, &error))
}
