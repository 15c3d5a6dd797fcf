//! What a call has learned about the workspace: what a cache of results and a replay compare.

use std::collections::{BTreeMap, HashMap, HashSet};

use leasehold_seal::Digest;
use sha2::{Digest as _, Sha256};

use crate::stat::{Attributes, FileKind};
use crate::view::Record;

/// Everything a call has learned about the workspace, by path. The same operations on the same workspace give the same
/// set, on any machine: there are no times and no identities in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSet {
    /// Files that were read.
    pub files: BTreeMap<String, FileRead>,
    /// Directories that were listed, each with the SHA-256 of what was shown.
    pub listings: BTreeMap<String, Digest>,
    /// Attributes that were asked for.
    pub attributes: BTreeMap<String, Attributes>,
    /// Links that were followed or read, with their text.
    pub links: BTreeMap<String, String>,
    /// Paths where nothing was.
    pub absent: Vec<String>,
    /// Facts beyond the number that is kept; they are in [`ReadSet::digest`] only.
    pub more: u64,
    /// A digest over the facts that are not kept, in the order in which they were learned.
    pub rest: Option<Digest>,
}

/// What was read of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRead {
    /// Length in bytes when it was first opened.
    pub size: u64,
    /// Bytes delivered in all; what was read twice counts twice.
    pub bytes: u64,
    /// What was delivered.
    pub content: Delivered,
}

/// What is known of delivered content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Only names were recorded, or nothing was delivered.
    Unrecorded,
    /// The whole file, from its start to its end: SHA-256 of the content.
    Whole(Digest),
    /// Pieces: SHA-256 over offset, length and content of each, in order.
    Pieces(Digest),
}

impl ReadSet {
    /// One digest over the whole set.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::new("leasehold/read-set/1");
        for (path, file) in &self.files {
            let (how, content) = match file.content {
                Delivered::Unrecorded => ("names", None),
                Delivered::Whole(digest) => ("whole", Some(digest)),
                Delivered::Pieces(digest) => ("pieces", Some(digest)),
            };
            hasher
                .text("read")
                .text(path)
                .number(file.size)
                .number(file.bytes)
                .text(how)
                .digest(content);
        }
        for (path, digest) in &self.listings {
            hasher.text("list").text(path).digest(Some(*digest));
        }
        for (path, attributes) in &self.attributes {
            hasher.text("stat").text(path).attributes(*attributes);
        }
        for (path, target) in &self.links {
            hasher.text("link").text(path).text(target);
        }
        for path in &self.absent {
            hasher.text("absent").text(path);
        }
        hasher.text("more").number(self.more).digest(self.rest);
        hasher.finish()
    }
}

/// The set while the call runs; sorted at the end.
#[derive(Default)]
pub(crate) struct Reads {
    files: HashMap<String, Reading>,
    listings: HashMap<String, Digest>,
    attributes: HashMap<String, Attributes>,
    links: HashMap<String, String>,
    absent: HashSet<String>,
    more: u64,
    rest: Option<Hasher>,
}

#[derive(Default)]
struct Reading {
    size: u64,
    bytes: u64,
    content: Running,
}

#[derive(Default)]
enum Running {
    #[default]
    Nothing,
    /// From the start without a gap up to here.
    Prefix(u64, Sha256),
    /// From the start to the end.
    Whole(Digest),
    /// Anything else.
    Pieces(Hasher),
}

impl Reads {
    /// A file was opened for reading.
    pub(crate) fn opened(&mut self, path: &str, size: u64) {
        self.file(path, size);
    }

    /// Bytes of a file were handed to the guest; `size` is known when they reach to its end.
    pub(crate) fn delivered(
        &mut self,
        path: &str,
        size: Option<u64>,
        offset: u64,
        bytes: &[u8],
        record: Record,
    ) {
        let Some(reading) = self.file(path, size.unwrap_or_default()) else {
            return;
        };
        reading.bytes += bytes.len() as u64;
        if record == Record::Contents {
            reading.content.add(size, offset, bytes);
        }
    }

    /// The digest of a whole file was handed to the guest.
    pub(crate) fn digested(&mut self, path: &str, size: u64, digest: Digest) {
        if let Some(reading) = self.file(path, size) {
            reading.bytes += size;
            reading.content = Running::Whole(digest);
        }
    }

    pub(crate) fn listed(&mut self, path: &str, digest: Digest) {
        if let Some(known) = self.listings.get_mut(path) {
            // Listed again with another result: other patterns were asked for, or it has changed. Both count.
            if *known != digest {
                let mut both = Hasher::new("leasehold/listings/1");
                both.digest(Some(*known)).digest(Some(digest));
                *known = both.finish();
            }
        } else if self.has_room(false) {
            self.listings.insert(path.to_owned(), digest);
        } else {
            self.overflow("list", path).digest(Some(digest));
        }
    }

    pub(crate) fn stat(&mut self, path: &str, attributes: Attributes) {
        if self.has_room(self.attributes.contains_key(path)) {
            self.attributes.insert(path.to_owned(), attributes);
        } else {
            self.overflow("stat", path).attributes(attributes);
        }
    }

    pub(crate) fn link(&mut self, path: &str, target: &str) {
        if self.has_room(self.links.contains_key(path)) {
            self.links.insert(path.to_owned(), target.to_owned());
        } else {
            self.overflow("link", path).text(target);
        }
    }

    pub(crate) fn absent(&mut self, path: &str) {
        if self.has_room(self.absent.contains(path)) {
            self.absent.insert(path.to_owned());
        } else {
            self.overflow("absent", path);
        }
    }

    pub(crate) fn finish(&self) -> ReadSet {
        let file = |reading: &Reading| FileRead {
            size: reading.size,
            bytes: reading.bytes,
            content: reading.content.finish(),
        };
        let mut absent: Vec<&String> = self.absent.iter().collect();
        absent.sort_unstable();
        ReadSet {
            files: self
                .files
                .iter()
                .map(|(path, reading)| (path.clone(), file(reading)))
                .collect(),
            listings: sorted(&self.listings),
            attributes: sorted(&self.attributes),
            links: sorted(&self.links),
            absent: absent.into_iter().cloned().collect(),
            more: self.more,
            rest: self.rest.as_ref().map(|rest| rest.clone().finish()),
        }
    }

    fn file(&mut self, path: &str, size: u64) -> Option<&mut Reading> {
        if !self.files.contains_key(path) {
            if !self.has_room(false) {
                self.overflow("read", path).number(size);
                return None;
            }
            self.files.insert(
                path.to_owned(),
                Reading {
                    size,
                    ..Reading::default()
                },
            );
        }
        self.files.get_mut(path)
    }

    fn has_room(&self, known: bool) -> bool {
        let facts = self.files.len()
            + self.listings.len()
            + self.attributes.len()
            + self.links.len()
            + self.absent.len();
        known || facts < MAX_FACTS
    }

    fn overflow(&mut self, what: &str, path: &str) -> &mut Hasher {
        self.more += 1;
        self.rest
            .get_or_insert_with(|| Hasher::new("leasehold/read-set-rest/1"))
            .text(what)
            .text(path)
    }
}

impl Running {
    fn add(&mut self, size: Option<u64>, offset: u64, bytes: &[u8]) {
        *self = match std::mem::take(self) {
            Running::Nothing if offset == 0 => {
                Running::Prefix(0, Sha256::new()).extended(size, bytes)
            }
            Running::Prefix(end, hasher) if offset == end => {
                Running::Prefix(end, hasher).extended(size, bytes)
            }
            // Known in full: reading it again says nothing new.
            Running::Whole(digest) => Running::Whole(digest),
            Running::Nothing => Running::Pieces(Hasher::new(PIECES)).piece(offset, bytes),
            Running::Prefix(end, hasher) => {
                let mut pieces = Hasher::new(PIECES);
                pieces
                    .number(0)
                    .number(end)
                    .digest(Some(Digest::from_bytes(hasher.finalize().into())));
                Running::Pieces(pieces).piece(offset, bytes)
            }
            Running::Pieces(hasher) => Running::Pieces(hasher).piece(offset, bytes),
        };
    }

    fn extended(self, size: Option<u64>, bytes: &[u8]) -> Self {
        let Running::Prefix(end, hasher) = self else {
            return self;
        };
        let end = end + bytes.len() as u64;
        let hasher = hasher.chain_update(bytes);
        if size == Some(end) {
            Running::Whole(Digest::from_bytes(hasher.finalize().into()))
        } else {
            Running::Prefix(end, hasher)
        }
    }

    fn piece(self, offset: u64, bytes: &[u8]) -> Self {
        let Running::Pieces(mut hasher) = self else {
            return self;
        };
        hasher
            .number(offset)
            .number(bytes.len() as u64)
            .digest(Some(Digest::of(bytes)));
        Running::Pieces(hasher)
    }

    fn finish(&self) -> Delivered {
        match self {
            Running::Nothing => Delivered::Unrecorded,
            Running::Whole(digest) => Delivered::Whole(*digest),
            Running::Prefix(end, hasher) => {
                let mut pieces = Hasher::new(PIECES);
                let digest = Digest::from_bytes(hasher.clone().finalize().into());
                pieces.number(0).number(*end).digest(Some(digest));
                Delivered::Pieces(pieces.finish())
            }
            Running::Pieces(hasher) => Delivered::Pieces(hasher.clone().finish()),
        }
    }
}

fn sorted<T: Clone>(facts: &HashMap<String, T>) -> BTreeMap<String, T> {
    facts
        .iter()
        .map(|(path, fact)| (path.clone(), fact.clone()))
        .collect()
}

/// SHA-256 over fields that cannot run into each other: texts carry their length, numbers are eight bytes.
#[derive(Clone)]
pub(crate) struct Hasher(Sha256);

impl Hasher {
    pub(crate) fn new(domain: &str) -> Self {
        let mut hasher = Self(Sha256::new());
        hasher.text(domain);
        hasher
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
        self
    }

    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        self.0.update(number.to_be_bytes());
        self
    }

    fn digest(&mut self, digest: Option<Digest>) -> &mut Self {
        match digest {
            Some(digest) => self.0.update(digest.as_bytes()),
            None => self.0.update([0; 32]),
        }
        self
    }

    pub(crate) fn attributes(&mut self, attributes: Attributes) -> &mut Self {
        let kind = match attributes.kind {
            FileKind::File => 0,
            FileKind::Directory => 1,
            FileKind::Symlink => 2,
            FileKind::Other => 3,
        };
        let flags = u64::from(attributes.executable) | u64::from(attributes.readable) << 1;
        self.number(kind).number(flags).number(attributes.size)
    }

    pub(crate) fn finish(self) -> Digest {
        Digest::from_bytes(self.0.finalize().into())
    }
}

/// The most facts that are kept one by one: paths are the guest's to choose, memory is ours.
const MAX_FACTS: usize = 100_000;

const PIECES: &str = "leasehold/pieces/1";
