//! What the probe does to files.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs::{self, File, FileType, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::SystemTime;

use crate::errno;
use crate::report::{Failure, Report};

type Attempt = Result<Report, Failure>;

pub(crate) fn read(path: &str) -> Attempt {
    let bytes = fs::read(path)?;
    Ok(Report::new()
        .number("bytes", bytes.len() as u64)
        .text("text", &String::from_utf8_lossy(&bytes)))
}

pub(crate) fn write(path: &str, text: &str) -> Attempt {
    fs::write(path, text)?;
    Ok(Report::new().number("bytes", text.len() as u64))
}

pub(crate) fn append(path: &str, text: &str) -> Attempt {
    OpenOptions::new()
        .append(true)
        .open(path)?
        .write_all(text.as_bytes())?;
    Ok(Report::new().number("bytes", text.len() as u64))
}

pub(crate) fn create_new(path: &str, text: &str) -> Attempt {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?
        .write_all(text.as_bytes())?;
    Ok(Report::new().number("bytes", text.len() as u64))
}

/// Writes `bytes` bytes in blocks of 64 KiB.
pub(crate) fn write_fill(path: &str, bytes: u64) -> Attempt {
    let block = [b'x'; 65_536];
    let mut file = File::create(path)?;
    let mut left = bytes;
    while left > 0 {
        let count = left.min(block.len() as u64);
        file.write_all(&block[..count as usize])?;
        left -= count;
    }
    Ok(Report::new().number("bytes", bytes))
}

pub(crate) fn truncate(path: &str, bytes: u64) -> Attempt {
    OpenOptions::new().write(true).open(path)?.set_len(bytes)?;
    Ok(Report::new().number("bytes", bytes))
}

/// Opens for reading only and then sets the length.
pub(crate) fn truncate_read_only(path: &str) -> Attempt {
    File::open(path)?.set_len(0)?;
    Ok(Report::new())
}

/// Opens for reading only and then writes.
pub(crate) fn write_read_only(path: &str) -> Attempt {
    File::open(path)?.write_all(b"x")?;
    Ok(Report::new())
}

/// Names, with `/` after directories and `@` after symlinks, in the order of the host or sorted.
pub(crate) fn list(path: &str, sorted: bool) -> Attempt {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        names.push(format!(
            "{}{}",
            entry.file_name().to_string_lossy(),
            mark(entry.file_type()?)
        ));
    }
    if sorted {
        names.sort();
    }
    Ok(Report::new().texts("names", &names))
}

/// Everything below a directory, depth first, with the number of bytes and lines of the files.
pub(crate) fn walk(path: &str) -> Attempt {
    let mut waiting = vec![path.to_owned()];
    let (mut files, mut bytes, mut lines) = (0, 0, 0);
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let below = format!("{directory}/{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                waiting.push(below);
            } else if kind.is_file() {
                let content = fs::read(&below)?;
                files += 1;
                bytes += content.len() as u64;
                lines += content.iter().filter(|byte| **byte == b'\n').count() as u64;
            }
        }
    }
    Ok(Report::new()
        .number("files", files)
        .number("bytes", bytes)
        .number("lines", lines))
}

pub(crate) fn stat(path: &str, follow: bool) -> Attempt {
    let metadata = if follow {
        fs::metadata(path)?
    } else {
        fs::symlink_metadata(path)?
    };
    let seconds = |time: std::io::Result<SystemTime>| -> Result<u64, Failure> {
        Ok(time?
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()))
    };
    Ok(Report::new()
        .text("kind", mark(metadata.file_type()))
        .number("size", metadata.len())
        .number("modified", seconds(metadata.modified())?)
        .number("accessed", seconds(metadata.accessed())?))
}

pub(crate) fn read_link(path: &str) -> Attempt {
    Ok(Report::new().text("target", &fs::read_link(path)?.to_string_lossy()))
}

pub(crate) fn rename(from: &str, to: &str) -> Attempt {
    fs::rename(from, to)?;
    Ok(Report::new())
}

pub(crate) fn link(from: &str, to: &str) -> Attempt {
    fs::hard_link(from, to)?;
    Ok(Report::new())
}

#[expect(
    unsafe_code,
    reason = "stable Rust has no way to make a symlink on this target"
)]
pub(crate) fn symlink(target: &str, path: &str) -> Attempt {
    let (target, path) = (c_string(target)?, c_string(path)?);
    // SAFETY: both are strings that end in NUL and live until the call returns.
    if unsafe { libc::symlink(target.as_ptr(), path.as_ptr()) } != 0 {
        return Err(Failure::last());
    }
    Ok(Report::new())
}

pub(crate) fn unlink(path: &str) -> Attempt {
    fs::remove_file(path)?;
    Ok(Report::new())
}

pub(crate) fn make_directory(path: &str) -> Attempt {
    fs::create_dir(path)?;
    Ok(Report::new())
}

pub(crate) fn remove_directory(path: &str) -> Attempt {
    fs::remove_dir(path)?;
    Ok(Report::new())
}

/// Sets the modification time to the epoch.
pub(crate) fn set_times(path: &str) -> Attempt {
    OpenOptions::new()
        .write(true)
        .open(path)?
        .set_modified(SystemTime::UNIX_EPOCH)?;
    Ok(Report::new())
}

/// Opens a file again and again and keeps every descriptor.
pub(crate) fn open_many(path: &str, count: u64) -> Attempt {
    let mut open = Vec::new();
    for _ in 0..count {
        open.push(File::open(path)?);
    }
    Ok(Report::new().number("opened", open.len() as u64))
}

/// Reads the first byte `count` times, one host call each (and one for going back).
pub(crate) fn tiny_reads(path: &str, count: u64) -> Attempt {
    let mut file = File::open(path)?;
    let mut sum = 0;
    for _ in 0..count {
        let mut byte = [0];
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut byte)?;
        sum += u64::from(byte[0]);
    }
    Ok(Report::new().number("sum", sum))
}

/// Asks for `bytes` bytes in one call, and again until the end.
pub(crate) fn huge_read(path: &str, bytes: u64) -> Attempt {
    let mut buffer = vec![0; bytes as usize];
    let mut file = File::open(path)?;
    let (mut total, mut calls) = (0, 0);
    loop {
        calls += 1;
        match file.read(&mut buffer)? {
            0 => return Ok(Report::new().number("bytes", total).number("calls", calls)),
            count => total += count as u64,
        }
    }
}

/// Opens and reads a file again and again while somebody else swaps it: says everything it ever saw, errors with `!` in front.
pub(crate) fn read_loop(path: &str, rounds: u64) -> Attempt {
    let mut seen = BTreeSet::new();
    for _ in 0..rounds {
        seen.insert(match fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("!{}", errno::name(&error)),
        });
    }
    Ok(Report::new().texts("seen", &seen.into_iter().collect::<Vec<_>>()))
}

fn mark(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "/"
    } else if kind.is_symlink() {
        "@"
    } else {
        ""
    }
}

fn c_string(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| Failure::named("EINVAL"))
}
