//! Compiled code kept between processes.
//!
//! Loading it runs native code from a file, so a file is only as good as its MAC: HMAC-SHA256 with a key that is used for
//! nothing else, over plugin digest, engine id and code. The buffer that was checked is the buffer that is loaded. A wrong or
//! missing entry means compiling again, never an error.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use leasehold_seal::Digest;
use sha2::Sha256;

/// Bytes of the MAC at the start of an entry.
const MAC_BYTES: usize = 32;
/// What the MAC is for, so that no other MAC under this key could stand for it.
const PURPOSE: &[u8] = b"leasehold compiled code v1\0";

/// A folder of compiled plugins.
#[derive(Clone)]
pub struct CodeCache {
    folder: PathBuf,
    key: [u8; 32],
}

impl CodeCache {
    /// A cache in `folder`, made when the first entry is stored. `key` authenticates its entries and has no other use.
    pub fn new(folder: &Path, key: [u8; 32]) -> Self {
        CodeCache {
            folder: folder.to_owned(),
            key,
        }
    }

    fn path(&self, plugin: &Digest, engine: &Digest) -> PathBuf {
        let name = format!("{}-{}", plugin.hex(), &engine.hex()[..16]);
        self.folder.join(name)
    }

    fn mac(&self, plugin: &Digest, engine: &Digest, code: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(PURPOSE);
        mac.update(plugin.as_bytes());
        mac.update(engine.as_bytes());
        mac.update(code);
        Some(mac)
    }

    /// The code of a plugin, if a sound entry is there.
    pub(crate) fn get(&self, plugin: &Digest, engine: &Digest) -> Option<Vec<u8>> {
        let mut entry = fs::read(self.path(plugin, engine)).ok()?;
        // The code goes first, so that the checked buffer is handed on without a copy.
        let at = entry.len().checked_sub(MAC_BYTES)?;
        let mac = entry.split_off(at);
        self.mac(plugin, engine, &entry)?.verify_slice(&mac).ok()?;
        Some(entry)
    }

    /// Keeps the code of a plugin.
    pub(crate) fn put(&self, plugin: &Digest, engine: &Digest, code: &[u8]) -> io::Result<()> {
        let mac = self
            .mac(plugin, engine, code)
            .ok_or_else(|| io::Error::other("the cache key does not fit"))?
            .finalize()
            .into_bytes();
        fs::create_dir_all(&self.folder)?;
        let path = self.path(plugin, engine);
        // Several threads and processes may store the same plugin: each writes a file of its own, and the last rename wins.
        static PARTS: AtomicU64 = AtomicU64::new(0);
        let part = PARTS.fetch_add(1, Ordering::Relaxed);
        let part = path.with_extension(format!("part{}-{part}", std::process::id()));
        let mut file = fs::File::create(&part)?;
        let stored = file
            .write_all(code)
            .and_then(|()| file.write_all(&mac))
            .and_then(|()| fs::rename(&part, &path));
        if stored.is_err() {
            // Nothing refers to the part, so leaving it behind does no harm.
            let _ = fs::remove_file(&part);
        }
        stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(name: &str) -> CodeCache {
        let folder =
            std::env::temp_dir().join(format!("leasehold-cache-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        CodeCache::new(&folder, [7; 32])
    }

    #[test]
    fn an_entry_is_found_and_each_flipped_byte_is_not() {
        let cache = cache("flip");
        let (plugin, engine) = (Digest::of(b"plugin"), Digest::of(b"engine"));
        cache.put(&plugin, &engine, b"native code").unwrap();
        assert_eq!(
            cache.get(&plugin, &engine).as_deref(),
            Some(&b"native code"[..])
        );
        let path = cache.path(&plugin, &engine);
        let sound = fs::read(&path).unwrap();
        for index in 0..sound.len() {
            let mut bad = sound.clone();
            bad[index] ^= 1;
            fs::write(&path, bad).unwrap();
            assert_eq!(cache.get(&plugin, &engine), None, "byte {index}");
        }
        fs::write(&path, b"short").unwrap();
        assert_eq!(cache.get(&plugin, &engine), None);
        fs::remove_dir_all(&cache.folder).unwrap();
    }

    #[test]
    fn a_sound_entry_of_another_plugin_engine_or_key_does_not_count() {
        let cache = cache("swap");
        let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
        let engine = Digest::of(b"engine");
        cache.put(&one, &engine, b"code one").unwrap();
        cache.put(&two, &engine, b"code two").unwrap();
        fs::copy(cache.path(&two, &engine), cache.path(&one, &engine)).unwrap();
        assert_eq!(cache.get(&one, &engine), None);
        assert!(cache.get(&two, &engine).is_some());
        let other = Digest::of(b"other engine");
        fs::copy(cache.path(&two, &engine), cache.path(&two, &other)).unwrap();
        assert_eq!(cache.get(&two, &other), None);
        let foreign = CodeCache {
            key: [8; 32],
            ..cache.clone()
        };
        assert_eq!(foreign.get(&two, &engine), None);
        fs::remove_dir_all(&cache.folder).unwrap();
    }
}
