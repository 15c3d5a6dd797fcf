//! Files that only this host can have written: each is its content followed by a MAC over its name and its content.
//!
//! What is wrong, cut or of another name is as good as missing. It is a cache: losing it costs time, nothing else.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the MAC at the end of a file.
const MAC_BYTES: usize = 32;

/// A folder of such files.
#[derive(Clone)]
pub(crate) struct Kept {
    folder: PathBuf,
    key: [u8; 32],
    purpose: &'static str,
}

/// What was found under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The content.
    Sound(Vec<u8>),
    /// Nothing.
    Missing,
    /// Something that this host has not written, or not under this name.
    Altered,
}

impl Kept {
    /// Files in `folder`, which is made when the first one is put. `purpose` parts the uses of one key.
    pub(crate) fn new(folder: &Path, key: [u8; 32], purpose: &'static str) -> Self {
        Kept {
            folder: folder.to_owned(),
            key,
            purpose,
        }
    }

    /// The content under a name.
    pub(crate) fn get(&self, name: &str) -> Found {
        let mut bytes = match fs::read(self.folder.join(name)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Missing,
            Err(_) => return Found::Altered,
        };
        let Some(end) = bytes.len().checked_sub(MAC_BYTES) else {
            return Found::Altered;
        };
        let mac = bytes.split_off(end);
        match self.mac(name, &bytes) {
            Some(own) if own.clone().verify_slice(&mac).is_ok() => Found::Sound(bytes),
            _ => Found::Altered,
        }
    }

    /// Keeps content under a name; what was there before stays until it is complete.
    pub(crate) fn put(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let mac = self.mac(name, content);
        let mac = mac.ok_or_else(|| io::Error::other("the key does not fit"))?;
        fs::create_dir_all(&self.folder)?;
        // Several threads and processes may put the same name: each writes a file of its own, and the last rename wins.
        static PARTS: AtomicU64 = AtomicU64::new(0);
        let part = PARTS.fetch_add(1, Ordering::Relaxed);
        let part = self
            .folder
            .join(format!(".part-{}-{part}", std::process::id()));
        let stored = fs::File::create(&part)
            .and_then(|mut file| {
                file.write_all(content)?;
                file.write_all(&mac.finalize().into_bytes())
            })
            .and_then(|()| fs::rename(&part, self.folder.join(name)));
        if stored.is_err() {
            // Nothing refers to the part, so leaving it behind does no harm.
            let _ = fs::remove_file(&part);
        }
        stored
    }

    /// Removes the oldest files where there are more than `most`.
    pub(crate) fn prune(&self, most: usize) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        if files.len() <= most {
            return;
        }
        files.sort_unstable();
        for (_, path) in &files[..files.len() - most] {
            // Another process may have been faster.
            let _ = fs::remove_file(path);
        }
    }

    fn mac(&self, name: &str, content: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        for text in [self.purpose, name] {
            mac.update(text.as_bytes());
            mac.update(&[0]);
        }
        mac.update(content);
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_found_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path(), [7; 32], "results");
        assert_eq!(kept.get("one"), Found::Missing);
        kept.put("one", b"content").unwrap();
        assert_eq!(kept.get("one"), Found::Sound(b"content".to_vec()));
        let path = folder.path().join("one");
        let sound = fs::read(&path).unwrap();
        for index in 0..sound.len() {
            let mut bad = sound.clone();
            bad[index] ^= 1;
            fs::write(&path, bad).unwrap();
            assert_eq!(kept.get("one"), Found::Altered, "byte {index}");
        }
        fs::write(&path, b"short").unwrap();
        assert_eq!(kept.get("one"), Found::Altered);
        fs::write(folder.path().join("two"), &sound).unwrap();
        assert_eq!(kept.get("two"), Found::Altered, "under another name");
        fs::write(&path, &sound).unwrap();
        let other = Kept::new(folder.path(), [7; 32], "digests");
        assert_eq!(other.get("one"), Found::Altered, "for another purpose");
        let other = Kept::new(folder.path(), [8; 32], "results");
        assert_eq!(other.get("one"), Found::Altered, "under another key");
        assert_eq!(kept.get("one"), Found::Sound(b"content".to_vec()));
    }

    #[test]
    fn only_the_newest_stay() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path(), [7; 32], "results");
        for name in ["a", "b", "c"] {
            kept.put(name, b"").unwrap();
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        kept.prune(2);
        assert_eq!(kept.get("a"), Found::Missing);
        assert_eq!(kept.get("b"), Found::Sound(Vec::new()));
    }
}
