//! The content store: bytes by their SHA-256.
//!
//! `<store>/ab/cdef…` holds the bytes whose digest is `sha256:abcdef…`. A file appears under its
//! name only when it is complete, and what is read is checked against its name.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use leasehold_seal::Digest;

use crate::disk::{Disk, OpenMode, read_file, replace_file};
use crate::error::TapeError;
use crate::os_disk::OsDisk;
use crate::tape::Durability;

/// Distinguishes temporary files of one process.
static TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// A content store in a folder.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
}

impl Store {
    /// Opens the store in a folder, or makes one there.
    ///
    /// # Errors
    /// [`TapeError`].
    pub fn open(dir: &Path) -> Result<Store, TapeError> {
        Store::open_on(dir, Arc::new(OsDisk))
    }

    /// [`Store::open`] on another file system.
    ///
    /// # Errors
    /// [`TapeError`].
    pub fn open_on(dir: &Path, disk: Arc<dyn Disk>) -> Result<Store, TapeError> {
        let made = disk.create_dir(dir).and_then(|made| match dir.parent() {
            Some(parent) if made => disk.sync_dir(parent),
            _ => Ok(()),
        });
        made.map_err(|error| TapeError::io("opening the content store", &error))?;
        Ok(Store {
            dir: dir.to_owned(),
            disk,
        })
    }

    /// Stores bytes durably, as a record that names them must find them.
    ///
    /// # Errors
    /// [`TapeError`].
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, TapeError> {
        self.put_with(bytes, Durability::Synced)
    }

    /// Stores bytes; with [`Durability::Written`] a power cut may take them again.
    ///
    /// # Errors
    /// [`TapeError`].
    pub fn put_with(&self, bytes: &[u8], durability: Durability) -> Result<Digest, TapeError> {
        let digest = Digest::of(bytes);
        self.write(&digest, bytes, durability == Durability::Synced)
            .map_err(|error| TapeError::io("writing to the content store", &error))?;
        Ok(digest)
    }

    /// The bytes with this digest.
    ///
    /// # Errors
    /// `STORE-MISSING`, `STORE-CORRUPT`, or those of the file system.
    pub fn get(&self, digest: &Digest) -> Result<Vec<u8>, TapeError> {
        let bytes = read_file(&*self.disk, &self.path(digest), u64::MAX)
            .map_err(|error| TapeError::io("reading the content store", &error))?
            .ok_or(TapeError::StoreMissing(*digest))?;
        if Digest::of(&bytes) == *digest {
            Ok(bytes)
        } else {
            Err(TapeError::StoreCorrupt(*digest))
        }
    }

    /// Where the bytes with this digest lie.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        let (folder, name) = hex.split_at(2);
        self.dir.join(folder).join(name)
    }

    fn write(&self, digest: &Digest, bytes: &[u8], durable: bool) -> io::Result<()> {
        let path = self.path(digest);
        if read_file(&*self.disk, &path, bytes.len() as u64)?.as_deref() == Some(bytes) {
            return if durable { self.sync(&path) } else { Ok(()) };
        }
        let made = match path.parent() {
            Some(folder) => self.disk.create_dir(folder)?,
            None => false,
        };
        let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let temporary = self
            .dir
            .join(format!("new-{}-{number}", std::process::id()));
        replace_file(&*self.disk, &path, &temporary, bytes, durable)?;
        if durable && made {
            self.disk.sync_dir(&self.dir)?;
        }
        Ok(())
    }

    /// Makes durable what an earlier call may only have written.
    fn sync(&self, path: &Path) -> io::Result<()> {
        self.disk.open(path, OpenMode::Existing)?.sync()?;
        if let Some(folder) = path.parent() {
            self.disk.sync_dir(folder)?;
        }
        self.disk.sync_dir(&self.dir)
    }
}
