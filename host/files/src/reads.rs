//! Noting what a call learns about the workspace, while it runs.

use std::collections::{BTreeMap, HashMap};

use leasehold_lease::RelPath;
use leasehold_seal::Digest;
use sha2::{Digest as _, Sha256};

use crate::hash::Hasher;
use crate::pack::put_entry;
use crate::readset::{FileSeen, Flaw, Folder, Piece, ReadSet, Seen};

/// The set while the call runs; sorted at the end.
#[derive(Default)]
pub(crate) struct Reads {
    folders: HashMap<String, Place>,
    facts: usize,
    more: u64,
    rest: Option<Hasher>,
    flaw: Option<Flaw>,
}

#[derive(Default)]
struct Place {
    listing: Option<Digest>,
    entries: HashMap<String, Noted>,
}

struct Noted {
    seen: Seen,
    /// The stretch of a file that is being read.
    run: Option<Box<Run>>,
}

/// A stretch that was read without a gap, and may go on.
#[derive(Clone)]
struct Run {
    from: u64,
    to: u64,
    hasher: Sha256,
}

/// Bytes of a file that were handed to the guest.
pub(crate) struct Delivery<'b> {
    pub(crate) offset: u64,
    pub(crate) len: u64,
    /// The bytes; empty when the guest was told their digest only.
    pub(crate) bytes: &'b [u8],
    pub(crate) told: Told,
    /// SHA-256 of all of it, when it is known.
    pub(crate) digest: Option<Digest>,
}

/// What a read has told about the length of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing but that the bytes are there.
    Nothing,
    /// That it has this length.
    Size(u64),
    /// That something follows behind the bytes.
    More,
}

impl Reads {
    /// Why no result that rests on this may be used again.
    pub(crate) fn flaw(&mut self, flaw: Flaw) {
        self.flaw = Some(self.flaw.map_or(flaw, |known| known.min(flaw)));
    }

    /// A real directory is at a path.
    pub(crate) fn folder(&mut self, path: &RelPath) {
        self.place(path.as_str());
    }

    /// A directory was listed. Under [`Record::Names`](crate::Record) `exact` is false: the digest is also over what was
    /// asked for, so one directory may have several.
    pub(crate) fn listed(&mut self, path: &RelPath, digest: Digest, exact: bool) {
        let Some(place) = self.place(path.as_str()) else {
            return;
        };
        match place.listing {
            None => place.listing = Some(digest),
            Some(known) if known == digest => {}
            Some(_) if exact => self.flaw(Flaw::Changed),
            Some(known) => {
                let mut both = Hasher::new("leasehold/listings/1");
                both.digest(known).digest(digest);
                place.listing = Some(both.finish());
            }
        }
    }

    /// Something that is no directory was found at a path, or nothing.
    pub(crate) fn found(&mut self, path: &RelPath, seen: Seen) {
        let (folder, name) = split(path);
        self.note(folder, name, seen);
    }

    /// Like [`Reads::found`], for an entry of a directory.
    pub(crate) fn found_in(&mut self, folder: &RelPath, name: &str, seen: Seen) {
        self.note(folder.as_str(), name, seen);
    }

    /// Bytes of a file were handed to the guest. Their content is noted where `contents` says so.
    pub(crate) fn delivered(&mut self, path: &RelPath, delivery: &Delivery<'_>, contents: bool) {
        let (folder, name) = split(path);
        let Some(noted) = self.noted(folder, name) else {
            // There was no room for it, or the call itself has moved it.
            let seen = FileSeen {
                opened: true,
                bytes: delivery.len,
                ..FileSeen::default()
            };
            return self.note(folder, name, Seen::File(seen));
        };
        let Seen::File(file) = &mut noted.seen else {
            return self.flaw(Flaw::Changed);
        };
        file.bytes += delivery.len;
        if !contents {
            return;
        }
        let mut sound = match delivery.told {
            Told::Nothing => true,
            Told::Size(size) => agree(&mut file.size, Some(size)),
            Told::More => {
                let end = delivery.offset.saturating_add(delivery.len);
                file.beyond = file.beyond.max(Some(end));
                true
            }
        };
        let before = file.pieces.len();
        if delivery.len > 0 {
            sound &= add(&mut noted.run, &mut file.pieces, delivery);
        }
        let pieces = file.pieces.len();
        if pieces > MAX_PIECES {
            file.pieces.clear();
        }
        self.facts = (self.facts + pieces).saturating_sub(before);
        if !sound {
            self.flaw(Flaw::Changed);
        }
        if pieces > MAX_PIECES || self.facts > MAX_FACTS {
            self.flaw(Flaw::Pieces);
        }
    }

    pub(crate) fn finish(&self) -> ReadSet {
        let folder = |place: &Place| {
            let entry = |(name, noted): (&String, &Noted)| (name.clone(), noted.finish());
            let mut entries: Vec<_> = place.entries.iter().map(entry).collect();
            entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            Folder {
                listing: place.listing,
                entries,
            }
        };
        let folders = self.folders.iter();
        let folders = folders.map(|(path, place)| (path.clone(), folder(place)));
        ReadSet {
            folders: BTreeMap::from_iter(folders),
            more: self.more,
            rest: self.rest.as_ref().map(|rest| rest.clone().finish()),
            flaw: self.flaw,
        }
    }

    /// What is noted about a directory; `None` when there is no room for it.
    fn place(&mut self, path: &str) -> Option<&mut Place> {
        if !self.folders.contains_key(path) {
            if self.facts >= MAX_FACTS {
                self.overflow(path, None);
                return None;
            }
            self.facts += 1;
            self.folders.insert(path.to_owned(), Place::default());
        }
        self.folders.get_mut(path)
    }

    fn noted(&mut self, folder: &str, name: &str) -> Option<&mut Noted> {
        self.folders.get_mut(folder)?.entries.get_mut(name)
    }

    fn note(&mut self, folder: &str, name: &str, seen: Seen) {
        if let Some(noted) = self.noted(folder, name) {
            if !merge(&mut noted.seen, seen) {
                self.flaw(Flaw::Changed);
            }
            return;
        }
        if self.facts >= MAX_FACTS {
            return self.overflow(folder, Some((name, &seen)));
        }
        self.facts += 1;
        if let Some(place) = self.place(folder) {
            let noted = Noted { seen, run: None };
            place.entries.insert(name.to_owned(), noted);
        }
    }

    fn overflow(&mut self, folder: &str, entry: Option<(&str, &Seen)>) {
        self.more += 1;
        self.flaw(Flaw::Overflow);
        let rest = (self.rest).get_or_insert_with(|| Hasher::new("leasehold/read-set-rest/2"));
        rest.text(folder);
        if let Some((name, seen)) = entry {
            let mut packed = Vec::new();
            put_entry(&mut packed, name, seen);
            rest.bytes(&packed);
        }
    }
}

impl Noted {
    fn finish(&self) -> Seen {
        let mut seen = self.seen.clone();
        if let Seen::File(file) = &mut seen {
            if let Some(run) = &self.run {
                insert(&mut file.pieces, run.piece());
            }
            let whole = |piece: &Piece| piece.from == 0 && Some(piece.len) == file.size;
            // Two different ones contradict each other: then both stay, and never hold.
            let mut found = file.pieces.iter().filter(|piece| whole(piece));
            if let (Some(piece), None) = (found.next().copied(), found.next()) {
                file.content = Some(piece.digest);
                file.pieces.retain(|other| *other != piece);
            }
        }
        seen
    }
}

impl Run {
    fn piece(&self) -> Piece {
        Piece {
            from: self.from,
            len: self.to - self.from,
            digest: Digest::from_bytes(self.hasher.clone().finalize().into()),
        }
    }
}

/// Adds what was seen to what was seen before at the same path; says whether both can be true at one time.
fn merge(known: &mut Seen, seen: Seen) -> bool {
    match (known, seen) {
        (Seen::Link(known), Seen::Link(target)) => agree(known, target),
        (Seen::File(known), Seen::File(file)) => {
            known.opened |= file.opened;
            known.bytes += file.bytes;
            known.beyond = known.beyond.max(file.beyond);
            let same = known.linked == file.linked;
            let size = agree(&mut known.size, file.size);
            agree(&mut known.executable, file.executable) && same && size
        }
        (known, seen) => *known == seen,
    }
}

/// Takes over what was not known; says whether both agree.
fn agree<T: PartialEq>(known: &mut Option<T>, told: Option<T>) -> bool {
    match (&known, told) {
        (_, None) => true,
        (Some(known), Some(told)) => *known == told,
        (None, told) => {
            *known = told;
            true
        }
    }
}

/// Adds what was delivered; says whether it agrees with what was delivered before.
fn add(run: &mut Option<Box<Run>>, pieces: &mut Vec<Piece>, delivery: &Delivery<'_>) -> bool {
    let goes_on =
        delivery.digest.is_none() && (run.as_ref()).is_some_and(|run| run.to == delivery.offset);
    if !goes_on && let Some(run) = run.take() {
        insert(pieces, run.piece());
    }
    let sound = forget_covered(pieces, delivery);
    let Some(digest) = delivery.digest else {
        let fresh = || Run {
            from: delivery.offset,
            to: delivery.offset,
            hasher: Sha256::new(),
        };
        let run = run.get_or_insert_with(|| Box::new(fresh()));
        run.to += delivery.len;
        run.hasher.update(delivery.bytes);
        return sound;
    };
    let piece = Piece {
        from: delivery.offset,
        len: delivery.len,
        digest,
    };
    insert(pieces, piece);
    sound
}

/// What is delivered again as part of something longer need not be kept by itself. Says whether it was the same.
fn forget_covered(pieces: &mut Vec<Piece>, delivery: &Delivery<'_>) -> bool {
    let mut sound = true;
    pieces.retain(|piece| {
        let again = piece.from.checked_sub(delivery.offset).and_then(|from| {
            let from = usize::try_from(from).ok()?;
            let len = usize::try_from(piece.len).ok()?;
            delivery.bytes.get(from..from.checked_add(len)?)
        });
        sound &= again.is_none_or(|again| Digest::of(again) == piece.digest);
        again.is_none()
    });
    sound
}

fn insert(pieces: &mut Vec<Piece>, piece: Piece) {
    if let Err(at) = pieces.binary_search(&piece) {
        pieces.insert(at, piece);
    }
}

/// The folder and the name of a path that is not the root.
fn split(path: &RelPath) -> (&str, &str) {
    path.as_str()
        .rsplit_once('/')
        .unwrap_or(("", path.as_str()))
}

/// The most facts that are kept one by one: paths are the guest's to choose, memory is ours.
const MAX_FACTS: usize = 100_000;

/// The most separate pieces of one file that are kept.
const MAX_PIECES: usize = 1_024;
