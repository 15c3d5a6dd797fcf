//! The tree that the lease lets a plugin see. Paths are relative to its root, separated by `/`.

use std::collections::VecDeque;

use crate::bindings::gate_plugin::leasehold::plugin::workspace as bindings;
pub use bindings::{Entry, Error, Kind, digest};

use crate::text;

/// Entries asked for in one host call.
const ENTRIES: u32 = 4096;

/// Bytes asked for in one host call. The host sends what there is, so small files cost no more for it.
const CHUNK: u32 = 16 << 20;

/// A file whose beginning is looked at first, in bytes.
const LARGE: u64 = 256 << 10;

/// What matches any of the patterns and the lease lets this plugin list, in ascending byte order of the paths. `**` is everything;
/// no patterns match nothing. The root itself is not among the entries.
///
/// # Errors
/// [`Error::Pattern`] for a pattern that is not well formed.
pub fn walk(patterns: &[&str]) -> Result<Entries, Error> {
    let patterns: Vec<String> = patterns
        .iter()
        .map(|pattern| (*pattern).to_owned())
        .collect();
    Ok(Entries {
        walk: bindings::Walk::open(&patterns)?,
        fetched: VecDeque::new(),
        ended: false,
    })
}

/// A listing under way. Ends after the first error.
#[derive(Debug)]
pub struct Entries {
    walk: bindings::Walk,
    fetched: VecDeque<Entry>,
    ended: bool,
}

impl Iterator for Entries {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.fetched.is_empty() && !self.ended {
            match self.walk.next(ENTRIES) {
                Ok(entries) => {
                    self.ended = entries.is_empty();
                    self.fetched = entries.into();
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        self.fetched.pop_front().map(Ok)
    }
}

/// The whole content of a file: one host call for files below 16 MiB.
///
/// # Errors
/// As the host says: denied, absent, changed since this call first saw it, a path that is not well formed, or a failure to read.
pub fn read(path: &str) -> Result<Vec<u8>, Error> {
    whole(|offset| bindings::read(path, offset, CHUNK))
}

/// At most `max` bytes of a file, from `offset` in bytes; fewer only at the end of the file. `max` is at most 16 MiB.
///
/// # Errors
/// Those of [`read`]; [`Error::Pattern`] for a larger `max`.
pub fn read_part(path: &str, offset: u64, max: u32) -> Result<Vec<u8>, Error> {
    bindings::read(path, offset, max)
}

/// The text of a file from a listing, as [`text::decode`] gives it; nothing when it is binary. Of a large file the beginning is looked at
/// before the rest is read.
///
/// # Errors
/// Those of [`read`].
pub fn read_text(entry: &Entry) -> Result<Option<Vec<u8>>, Error> {
    if entry.size > LARGE && text::decode(read_part(&entry.path, 0, text::HEAD)?).is_none() {
        return Ok(None);
    }
    Ok(text::decode(read(&entry.path)?))
}

/// The whole content of a fact that the host has derived; [`Subject::inputs`](crate::gate::Subject) has the names.
///
/// # Errors
/// [`Error::NotFound`] for a name that is not among them.
pub fn input(name: &str) -> Result<Vec<u8>, Error> {
    whole(|offset| bindings::input(name, offset, CHUNK))
}

/// What happened, in words.
pub fn sentence(error: &Error) -> String {
    match error {
        Error::Denied(code) => format!("the lease does not allow it ({code})"),
        Error::NotFound => "there is no such file".to_owned(),
        Error::Changed => "the file was changed while it was looked at".to_owned(),
        Error::Pattern(what) => format!("path or pattern is not well formed: {what}"),
        Error::Io(what) => format!("the host could not read it: {what}"),
    }
}

/// Puts the pieces together. The host gives fewer bytes than asked for only at the end.
fn whole(mut piece: impl FnMut(u64) -> Result<Vec<u8>, Error>) -> Result<Vec<u8>, Error> {
    let mut bytes = piece(0)?;
    let mut last = bytes.len();
    while last == CHUNK as usize {
        let more = piece(bytes.len() as u64)?;
        last = more.len();
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|index| (index % 251) as u8).collect()
    }

    #[test]
    fn pieces_are_put_together_and_a_short_piece_is_the_last() {
        for length in [0, 1, CHUNK as usize, CHUNK as usize + 1] {
            let all = content(length);
            let mut calls = 0;
            let read = whole(|offset| {
                calls += 1;
                let start = offset as usize;
                Ok(all[start..all.len().min(start + CHUNK as usize)].to_vec())
            });
            assert_eq!(read, Ok(all.clone()));
            assert_eq!(calls, 1 + length / CHUNK as usize);
        }
    }

    #[test]
    fn an_error_in_a_later_piece_is_not_lost() {
        let mut first = true;
        let read = whole(|_| {
            if std::mem::take(&mut first) {
                Ok(content(CHUNK as usize))
            } else {
                Err(Error::Changed)
            }
        });
        assert_eq!(read, Err(Error::Changed));
    }
}
