//! The files that are read: the same ones in every run.

use std::fs;
use std::io;
use std::path::Path;

/// Folders, each with [`FILES_IN_FOLDER`] files.
const FOLDERS: usize = 120;
const FILES_IN_FOLDER: usize = 50;
/// Bytes of all files together.
const BYTES: usize = 90_000_000;

/// Makes 6,000 files of 90 MB, or a tenth of them, below a folder: sizes from 0 to 30 kB, lines from 0 to 99 bytes.
pub(crate) fn make(folder: &Path, quick: bool) -> io::Result<()> {
    let folders = if quick { FOLDERS / 10 } else { FOLDERS };
    let mean = BYTES / (FOLDERS * FILES_IN_FOLDER);
    let text = lines(2 * mean);
    for outer in 0..folders {
        let within = folder.join(format!("part-{:02}/folder-{outer:03}", outer % 12));
        fs::create_dir_all(&within)?;
        for inner in 0..FILES_IN_FOLDER {
            // Sizes come in pairs that add up to twice the mean.
            let step = 2 * mean * (inner / 2) / (FILES_IN_FOLDER / 2);
            let size = if inner % 2 == 0 {
                step
            } else {
                2 * mean - step
            };
            let content = text.get(..size).unwrap_or(&text);
            fs::write(within.join(format!("file-{inner:02}.txt")), content)?;
        }
    }
    Ok(())
}

/// Text of this many bytes.
fn lines(bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        // Numerical Recipes' linear congruential generator; its upper bits are good enough for line lengths.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let mut text = Vec::with_capacity(bytes + 100);
    while text.len() < bytes {
        let length = next() % 100;
        text.extend((0..length).map(|at| b'a' + (at % 26) as u8));
        text.push(b'\n');
    }
    text.truncate(bytes);
    text
}
