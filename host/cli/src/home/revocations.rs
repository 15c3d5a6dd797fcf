//! The revocation list in use: `revocations.json`, the envelope as its revokers signed it.

use std::path::PathBuf;

use leasehold_lease::RevocationList;
use leasehold_seal::{Envelope, dsse};

use super::{Home, replace};
use crate::failure::{Failure, OrFail};
use crate::parse;

impl Home {
    /// Where the list in use is.
    pub(crate) fn revocations_path(&self) -> PathBuf {
        self.folder.join("revocations.json")
    }

    /// The list in use, if there is one. Its form was checked, who signed it was not.
    ///
    /// # Errors
    /// When there is a file and it is no list.
    pub(crate) fn revocation_list(&self) -> Result<Option<RevocationList>, Failure> {
        let path = self.revocations_path();
        if !path.exists() {
            return Ok(None);
        }
        let bytes = parse::file("revocation list", &path, dsse::MAX_BYTES as u64)?;
        read_list(&bytes)
            .map(Some)
            .map_err(|failure| failure.detail(format!("in {}", path.display())))
    }

    /// Puts a list in the place of the one in use. Whether it may be is decided before.
    pub(crate) fn set_revocation_list(&self, list: &RevocationList) -> Result<(), Failure> {
        let path = self.revocations_path();
        let mut bytes = list.envelope().to_json().or_fail()?;
        bytes.push(b'\n');
        replace(&path, &bytes).map_err(|error| Failure::writing("revocation list", &path, &error))
    }
}

/// A list as it stands in a file.
pub(crate) fn read_list(bytes: &[u8]) -> Result<RevocationList, Failure> {
    RevocationList::read(Envelope::parse(bytes).or_fail()?).or_fail()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use leasehold_seal::{Digest, SecretKey};

    use super::*;
    use crate::ambient::Ambient;

    #[test]
    fn a_list_is_kept_as_it_was_signed_and_anything_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let ambient = Ambient::of_process()
            .unwrap()
            .elsewhere(Path::new("/"), &folder.path().join("home"));
        let home = Home::make(&ambient).unwrap();
        assert!(home.revocation_list().unwrap().is_none());
        let time = |text: &str| text.parse().unwrap();
        let list = RevocationList::sign(
            7,
            time("2026-01-01T00:00:00Z"),
            time("2026-02-01T00:00:00Z"),
            &[Digest::of(b"lease")],
            &[&SecretKey::from_seed([7; 32])],
        )
        .unwrap();
        home.set_revocation_list(&list).unwrap();
        let kept = home.revocation_list().unwrap().unwrap();
        assert_eq!((kept.id(), kept.number()), (list.id(), 7));
        let mode = fs::metadata(home.revocations_path()).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        fs::write(home.revocations_path(), "{}").unwrap();
        assert!(home.revocation_list().is_err());
    }
}
