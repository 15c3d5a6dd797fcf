//! Finds the places where one of many known texts may stand.
//!
//! Every second window of four bytes is looked up, with the bit 0x20 set so that letters of either case are the same, by a
//! multiplicative hash in a table of bits. Each text is entered with two windows that begin one byte apart, so one of them stands at an
//! even place, wherever the text stands. Reading less than every byte's window is what makes this
//! faster than an automaton, and it needs no instructions that only some processors have.

use crate::class::Class;

/// Places of the table, as a power of two.
const BITS: u32 = 17;
const WORDS: usize = 1 << (BITS - 6);

/// Lists of known windows.
const PLACES: usize = 1 << 12;

/// Sets the bit that tells upper from lower case in each byte.
const FOLD: u32 = 0x2020_2020;

/// A text to look for, and what stands around it where it is shorter than five bytes.
#[derive(Clone, Copy)]
pub(crate) struct Anchor {
    pub(crate) before: Option<Class>,
    /// The text itself, three bytes at least.
    pub(crate) text: &'static str,
    pub(crate) after: Option<Class>,
}

impl Anchor {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self {
            before: None,
            text,
            after: None,
        }
    }

    /// The windows that stand for it, folded, and where the text begins seen from each.
    fn windows(&self) -> Vec<(Vec<u32>, isize)> {
        let any: Class = |_| true;
        let mut places: Vec<Vec<u8>> = self.text.bytes().map(|byte| vec![byte | 0x20]).collect();
        let mut ahead = 0;
        if places.len() < 5 {
            places.extend(self.after.map(folded));
        }
        // At the very beginning of a file nothing stands before it; but that is an even place, where the other window is looked at.
        if places.len() < 5 {
            places.insert(0, folded(self.before.unwrap_or(any)));
            ahead = 1;
        }
        let windows = places.windows(4).take(2).zip(0..);
        windows
            .map(|(window, from)| (spellings(window), ahead - from))
            .collect()
    }
}

/// A window of a text.
#[derive(Clone, Copy)]
struct Window {
    folded: u32,
    /// Where the text begins, seen from the window.
    start: isize,
    anchor: usize,
}

pub(crate) struct Prefilter {
    /// One bit for each value of the hash: whether there is a window that has it.
    table: Box<[u64; WORDS]>,
    /// In the order of their [`place`]s.
    windows: Vec<Window>,
    /// For each place the number of the first window that is there; the next one says where they end.
    firsts: Vec<usize>,
}

impl Prefilter {
    pub(crate) fn new<'a>(anchors: impl Iterator<Item = &'a Anchor>) -> Self {
        let mut table = Box::new([0; WORDS]);
        let mut windows = Vec::new();
        for (anchor, known) in anchors.enumerate() {
            for (spellings, start) in known.windows() {
                for folded in spellings {
                    let hash = hash(folded);
                    table[word(hash)] |= 1 << (hash % 64);
                    windows.push(Window {
                        folded,
                        start,
                        anchor,
                    });
                }
            }
        }
        windows.sort_by_key(|window| (place(window.folded), window.anchor));
        // Counts, then sums of what lies before.
        let mut firsts = vec![0; PLACES + 1];
        for window in &windows {
            firsts[place(window.folded) + 1] += 1;
        }
        let mut sum = 0;
        for first in &mut firsts {
            sum += *first;
            *first = sum;
        }
        Self {
            table,
            windows,
            firsts,
        }
    }

    /// Calls `found` with the number of the anchor and the place of its text, wherever it may stand; each place at most once for each
    /// anchor. Whether the text really stands there is for `found` to see.
    pub(crate) fn candidates(&self, content: &[u8], mut found: impl FnMut(usize, usize)) {
        let mut rest = content;
        let mut at = 0;
        while let (Some(one), Some(other)) = (rest.first_chunk::<8>(), chunk_behind(rest)) {
            let (one, other) = (u64::from_le_bytes(*one), u64::from_le_bytes(*other));
            // The windows at 0, 2, 4 and 6.
            let windows = [one, one >> 16, other, other >> 16].map(|bytes| bytes as u32 | FOLD);
            let [a, b, c, d] = windows.map(|window| self.known(window));
            if (a | b | c | d) & 1 != 0 {
                for (window, (known, offset)) in windows
                    .iter()
                    .zip([a, b, c, d].iter().zip((at..).step_by(2)))
                {
                    if known & 1 != 0 {
                        self.look(*window, offset, &mut found);
                    }
                }
            }
            rest = rest.get(8..).unwrap_or_default();
            at += 8;
        }
        for (window, offset) in rest.windows(4).zip(at..).step_by(2) {
            if let Some(window) = window.first_chunk::<4>() {
                self.look(u32::from_le_bytes(*window) | FOLD, offset, &mut found);
            }
        }
    }

    /// The lowest bit says whether a window may be known; the others say nothing.
    fn known(&self, folded: u32) -> u64 {
        let hash = hash(folded);
        self.table[word(hash)] >> (hash % 64)
    }

    fn look(&self, folded: u32, at: usize, found: &mut impl FnMut(usize, usize)) {
        let place = place(folded);
        let (Some(first), Some(end)) = (self.firsts.get(place), self.firsts.get(place + 1)) else {
            return;
        };
        for window in self.windows.get(*first..*end).unwrap_or_default() {
            if window.folded == folded
                && let Some(start) = at.checked_add_signed(window.start)
            {
                found(window.anchor, start);
            }
        }
    }
}

/// The eight bytes from the fifth on.
fn chunk_behind(bytes: &[u8]) -> Option<&[u8; 8]> {
    bytes.get(4..)?.first_chunk()
}

/// Knuth's multiplicative hashing; the upper bits are the good ones.
fn hash(folded: u32) -> u32 {
    folded.wrapping_mul(0x9E37_79B1) >> (u32::BITS - BITS)
}

fn word(hash: u32) -> usize {
    (hash / 64) as usize % WORDS
}

/// Where to look for a window among the known ones.
fn place(folded: u32) -> usize {
    (folded.wrapping_mul(0x85EB_CA6B) >> 16) as usize % PLACES
}

/// The bytes of a class, folded.
fn folded(class: Class) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=u8::MAX)
        .filter(|byte| class(*byte))
        .map(|byte| byte | 0x20)
        .collect();
    bytes.sort_unstable();
    bytes.dedup();
    bytes
}

/// Every window that these places allow.
fn spellings(places: &[Vec<u8>]) -> Vec<u32> {
    let mut all = vec![0_u32];
    for (index, bytes) in places.iter().enumerate() {
        let with = |part: &u32| {
            let part = *part;
            bytes
                .iter()
                .map(move |byte| part | u32::from(*byte) << (8 * index))
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class;

    const ANCHORS: [Anchor; 4] = [
        Anchor::new("needle"),
        Anchor {
            before: None,
            text: "AKIA",
            after: Some(class::base32),
        },
        Anchor {
            before: Some(class::digit),
            text: ":AA",
            after: Some(class::letter),
        },
        Anchor {
            before: None,
            text: "SG.",
            after: Some(class::letter),
        },
    ];

    fn found(content: &[u8]) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        Prefilter::new(ANCHORS.iter()).candidates(content, |anchor, at| places.push((anchor, at)));
        places
    }

    #[test]
    fn a_text_is_found_at_every_place_and_once() {
        for before in 0..40 {
            for after in 0..20 {
                for (anchor, text, start) in [
                    (0, "nEEdle", 0),
                    (1, "akia2", 0),
                    (2, "7:AAx", 1),
                    (3, "SG.x", 0),
                ] {
                    let content =
                        ["."; 40][..before].concat() + text + &["."; 20][..after].concat();
                    assert_eq!(
                        found(content.as_bytes()),
                        [(anchor, before + start)],
                        "{content}"
                    );
                }
            }
        }
    }

    #[test]
    fn less_than_the_text_is_not_found() {
        for content in ["", "nee", "needl", "AKIA", "AKIA1", ":AAx", "x:AAx"] {
            // The first four of five bytes are enough for a candidate at an even place, so this only looks at what never is one.
            let places = found(content.as_bytes());
            assert!(places.len() <= 1, "{content}: {places:?}");
        }
        assert_eq!(found(b"nee dle AKI A2 :A Ax"), []);
    }
}
