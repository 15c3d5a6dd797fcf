//! Read sets as bytes: what a cache keeps.
//!
//! A header, then numbers (LEB128), texts and digests: the flaw (0 for none, else its place in the list of flaws), the
//! facts that are not kept, and the folders in order, each path with the length of what it shares with the one before.

use std::collections::BTreeMap;

use leasehold_lease::RelPath;
use leasehold_seal::Digest;

use crate::readset::{FileSeen, Flaw, Folder, Piece, ReadSet, Seen};
use crate::wire::{Cursor, FormatError, put_digest, put_number, put_text};

/// Name and version of the format: it goes up when anything below changes.
const HEADER: &[u8] = b"LHRS\x01";

impl ReadSet {
    /// The set as bytes. Equal sets give equal bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut into = Vec::with_capacity(64 + self.len() * 72);
        into.extend_from_slice(HEADER);
        let flaw = self.flaw.and_then(|flaw| {
            let place = Flaw::ALL.iter().position(|known| *known == flaw)?;
            u8::try_from(place + 1).ok()
        });
        into.push(flaw.unwrap_or(0));
        put_number(&mut into, self.more);
        if self.more > 0 {
            put_digest(&mut into, self.rest.unwrap_or(Digest::from_bytes([0; 32])));
        }
        put_number(&mut into, self.folders.len() as u64);
        let mut last = "";
        for (path, folder) in &self.folders {
            let shared = shared(last, path);
            put_number(&mut into, shared as u64);
            put_text(&mut into, path.get(shared..).unwrap_or_default());
            put_folder(&mut into, folder);
            last = path;
        }
        into
    }

    /// Reads what [`ReadSet::encode`] gave.
    ///
    /// # Errors
    /// [`FormatError`] for anything else: another version, paths that are none or not in order, bytes behind the end.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut from = Cursor::open("the read set", HEADER, bytes)?;
        let flaw = match from.byte()? {
            0 => None,
            place => {
                let flaw = Flaw::ALL.get(usize::from(place) - 1);
                Some(*flaw.ok_or(from.wrong("an unknown flaw"))?)
            }
        };
        let more = from.number()?;
        let rest = if more > 0 { Some(from.digest()?) } else { None };
        let count = from.count(4)?;
        let mut folders: Vec<(String, Folder)> = Vec::with_capacity(count);
        for _ in 0..count {
            let path = take_path(&mut from, folders.last().map(|(path, _)| path.as_str()))?;
            folders.push((path, take_folder(&mut from)?));
        }
        from.end()?;
        Ok(Self {
            folders: BTreeMap::from_iter(folders),
            more,
            rest,
            flaw,
        })
    }
}

/// How many bytes two paths share at their start, up to a whole character.
fn shared(one: &str, other: &str) -> usize {
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b);
    let mut count = same.count();
    while !other.is_char_boundary(count) {
        count -= 1;
    }
    count
}

/// A folder's path, which follows the last one in order.
fn take_path(from: &mut Cursor<'_>, last: Option<&str>) -> Result<String, FormatError> {
    let kept = from.number()?;
    let kept = usize::try_from(kept).ok();
    let kept = kept.and_then(|kept| last.unwrap_or_default().get(..kept));
    let mut path = kept.ok_or(from.wrong(PATH))?.to_owned();
    path.push_str(from.text()?);
    let in_order = last.is_none_or(|last| last < path.as_str());
    let shares_all = shared(last.unwrap_or_default(), &path) == kept.unwrap_or_default().len();
    if in_order && shares_all && RelPath::parse(&path).is_ok() {
        Ok(path)
    } else {
        Err(from.wrong(PATH))
    }
}

fn put_folder(into: &mut Vec<u8>, folder: &Folder) {
    into.push(u8::from(folder.listing.is_some()));
    if let Some(listing) = folder.listing {
        put_digest(into, listing);
    }
    put_number(into, folder.entries.len() as u64);
    for (name, seen) in &folder.entries {
        put_entry(into, name, seen);
    }
}

pub(crate) fn put_entry(into: &mut Vec<u8>, name: &str, seen: &Seen) {
    put_text(into, name);
    match seen {
        Seen::Nothing => into.push(NOTHING),
        Seen::NoDirectory => into.push(NO_DIRECTORY),
        Seen::Link(None) => into.push(LINK),
        Seen::Link(Some(target)) => {
            into.push(LINK_TEXT);
            put_text(into, target);
        }
        Seen::Other => into.push(OTHER),
        Seen::File(file) => put_file(into, file),
    }
}

fn take_folder(from: &mut Cursor<'_>) -> Result<Folder, FormatError> {
    let listing = match from.byte()? {
        0 => None,
        1 => Some(from.digest()?),
        _ => return Err(from.wrong(TAG)),
    };
    let count = from.count(3)?;
    let mut entries: Vec<(String, Seen)> = Vec::with_capacity(count);
    for _ in 0..count {
        let name = from.text()?;
        let in_order = (entries.last()).is_none_or(|(last, _)| last.as_str() < name);
        if !in_order || !is_name(name) {
            return Err(from.wrong(PATH));
        }
        let seen = match from.byte()? {
            NOTHING => Seen::Nothing,
            NO_DIRECTORY => Seen::NoDirectory,
            LINK => Seen::Link(None),
            LINK_TEXT => Seen::Link(Some(from.text()?.to_owned())),
            OTHER => Seen::Other,
            FILE => Seen::File(take_file(from)?),
            _ => return Err(from.wrong(TAG)),
        };
        entries.push((name.to_owned(), seen));
    }
    Ok(Folder { listing, entries })
}

/// Whether this is one component of a path: only such names are ever given to the host.
fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.bytes().any(|byte| matches!(byte, b'/' | 0))
}

fn put_file(into: &mut Vec<u8>, file: &FileSeen) {
    into.push(FILE);
    let flag = |bit: u8, set: bool| if set { bit } else { 0 };
    into.push(
        flag(HAS_SIZE, file.size.is_some())
            | flag(HAS_BEYOND, file.beyond.is_some())
            | flag(HAS_EXECUTABLE, file.executable.is_some())
            | flag(EXECUTABLE, file.executable == Some(true))
            | flag(LINKED, file.linked)
            | flag(OPENED, file.opened)
            | flag(HAS_CONTENT, file.content.is_some()),
    );
    for number in [file.size, file.beyond].into_iter().flatten() {
        put_number(into, number);
    }
    put_number(into, file.bytes);
    if let Some(content) = file.content {
        put_digest(into, content);
    }
    put_number(into, file.pieces.len() as u64);
    for piece in &file.pieces {
        put_number(into, piece.from);
        put_number(into, piece.len);
        put_digest(into, piece.digest);
    }
}

fn take_file(from: &mut Cursor<'_>) -> Result<FileSeen, FormatError> {
    let flags = from.byte()?;
    let has = |bit: u8| flags & bit != 0;
    if has(!ALL) || (has(EXECUTABLE) && !has(HAS_EXECUTABLE)) {
        return Err(from.wrong(TAG));
    }
    let mut file = FileSeen {
        executable: has(HAS_EXECUTABLE).then_some(has(EXECUTABLE)),
        linked: has(LINKED),
        opened: has(OPENED),
        ..FileSeen::default()
    };
    if has(HAS_SIZE) {
        file.size = Some(from.number()?);
    }
    if has(HAS_BEYOND) {
        file.beyond = Some(from.number()?);
    }
    file.bytes = from.number()?;
    if has(HAS_CONTENT) {
        file.content = Some(from.digest()?);
    }
    let count = from.count(34)?;
    file.pieces.reserve_exact(count);
    for _ in 0..count {
        let piece = Piece {
            from: from.number()?,
            len: from.number()?,
            digest: from.digest()?,
        };
        let in_order = file.pieces.last().is_none_or(|last| *last < piece);
        if !in_order || piece.len == 0 || piece.from.checked_add(piece.len).is_none() {
            return Err(from.wrong("a piece of a file is none, or not in order"));
        }
        file.pieces.push(piece);
    }
    Ok(file)
}

const NOTHING: u8 = 0;
const NO_DIRECTORY: u8 = 1;
const LINK: u8 = 2;
const LINK_TEXT: u8 = 3;
const OTHER: u8 = 4;
const FILE: u8 = 5;

const HAS_SIZE: u8 = 1;
const HAS_BEYOND: u8 = 2;
const HAS_EXECUTABLE: u8 = 4;
const EXECUTABLE: u8 = 8;
const LINKED: u8 = 16;
const OPENED: u8 = 32;
const HAS_CONTENT: u8 = 64;
const ALL: u8 = HAS_SIZE | HAS_BEYOND | HAS_EXECUTABLE | EXECUTABLE | LINKED | OPENED | HAS_CONTENT;

const PATH: &str = "a path is none, or not in order";
const TAG: &str = "an unknown kind of fact";
