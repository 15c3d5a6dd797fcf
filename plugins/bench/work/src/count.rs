//! Reading a tree and counting lines.

use std::fs;
use std::io;
use std::path::Path;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Files that were read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their line feeds.
    pub lines: u64,
}

impl Count {
    /// Counts what lies below a folder, as any program would: it lists, opens and reads through the standard library.
    ///
    /// # Errors
    /// The first thing that cannot be listed or read.
    pub fn tree(folder: &Path) -> io::Result<Count> {
        let mut count = Count::default();
        count.below(folder)?;
        Ok(count)
    }

    fn below(&mut self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                self.below(&entry.path())?;
            } else {
                self.add(&fs::read(entry.path())?);
            }
        }
        Ok(())
    }

    /// Counts one file with this content.
    pub fn add(&mut self, content: &[u8]) {
        self.files += 1;
        self.bytes += content.len() as u64;
        self.lines += line_feeds(content);
    }
}

// Without this the compiler may use vectors on the machine and may not in the guest.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn line_feeds(content: &[u8]) -> u64 {
    content.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_bytes_and_line_feeds_are_counted() {
        let mut count = Count::default();
        count.add(b"one\ntwo\nthree");
        count.add(b"");
        assert_eq!((count.files, count.bytes, count.lines), (2, 13, 2));
    }
}
