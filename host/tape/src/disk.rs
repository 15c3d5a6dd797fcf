//! The few file operations a tape is built of.
//!
//! Everything that touches a disk goes through [`Disk`], so that tests can count the operations,
//! let each of them fail, and cut the power at any point.

use std::fmt::Debug;
use std::io;
use std::path::Path;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// It must exist; for reading and writing.
    Existing,
    /// It is made when it does not exist; for reading and writing.
    Create,
    /// It is made anew; what had the name before loses it. So nothing of an earlier file, such as one
    /// a crash left half written, can show through.
    Fresh,
}

/// What is known of an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// Length in bytes.
    pub bytes: u64,
    /// Whether it is a regular file.
    pub regular: bool,
    /// Whether some folder still names it.
    pub linked: bool,
}

/// A file system, or what a test puts in its place.
pub trait Disk: Debug + Send + Sync {
    /// Makes a folder and those above it; `true` when it was not there. Only the owner may enter.
    ///
    /// # Errors
    /// Those of the system.
    fn create_dir(&self, path: &Path) -> io::Result<bool>;

    /// Opens a file. New files are readable and writable by the owner only.
    ///
    /// # Errors
    /// Those of the system.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, replacing what had it; atomic.
    ///
    /// # Errors
    /// Those of the system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// Those of the system.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: Debug + Send + Sync {
    /// Length and type.
    ///
    /// # Errors
    /// Those of the system.
    fn info(&self) -> io::Result<FileInfo>;

    /// Reads at an offset; 0 at the end. May read less than asked for.
    ///
    /// # Errors
    /// Those of the system.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes at an offset. May write less than asked for.
    ///
    /// # Errors
    /// Those of the system.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Cuts or extends.
    ///
    /// # Errors
    /// Those of the system.
    fn set_len(&self, bytes: u64) -> io::Result<()>;

    /// Makes the content durable (`fdatasync`).
    ///
    /// # Errors
    /// Those of the system; what was written since the last success may be lost then, even if a
    /// later call succeeds.
    fn sync(&self) -> io::Result<()>;

    /// Takes the exclusive lock if nobody else has it.
    ///
    /// # Errors
    /// Those of the system.
    fn try_lock(&self) -> io::Result<bool>;

    /// Gives the lock back.
    ///
    /// # Errors
    /// Those of the system.
    fn unlock(&self) -> io::Result<()>;
}

/// Writes everything, however many calls it takes.
pub(crate) fn write_all(file: &dyn DiskFile, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = bytes.get(count..).unwrap_or_default();
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A span of a file as a stream.
#[derive(Debug)]
pub(crate) struct Span<'a> {
    pub(crate) file: &'a dyn DiskFile,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl io::Read for Span<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.to - self.from).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let count = self.file.read_at(&mut buffer[..wanted], self.from)?;
        self.from += count as u64;
        Ok(count)
    }
}

/// Reads a whole file; `None` when it is absent or longer than `limit`.
pub(crate) fn read_file(disk: &dyn Disk, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match disk.open(path, OpenMode::Existing) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let info = file.info()?;
    if !info.regular || info.bytes > limit {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(info.bytes).unwrap_or(0));
    io::Read::read_to_end(
        &mut Span {
            file: &*file,
            from: 0,
            to: info.bytes,
        },
        &mut bytes,
    )?;
    Ok(Some(bytes))
}

/// Writes a file beside its place and renames it there. Durable only when asked for.
pub(crate) fn replace_file(
    disk: &dyn Disk,
    path: &Path,
    temporary: &Path,
    bytes: &[u8],
    durable: bool,
) -> io::Result<()> {
    let file = disk.open(temporary, OpenMode::Fresh)?;
    write_all(&*file, bytes, 0)?;
    if durable {
        file.sync()?;
    }
    disk.rename(temporary, path)?;
    if durable && let Some(parent) = path.parent() {
        disk.sync_dir(parent)?;
    }
    Ok(())
}
