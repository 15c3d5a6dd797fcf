//! The words of canonical JSON: strings, integers and literals, each in its one spelling.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::MAX_INTEGER;

/// A text and a place in it. Whatever is not in canonical form is `None`, and what is read after that
/// means nothing.
pub(super) struct Scanner<'a> {
    text: &'a str,
    /// The byte that is read next.
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Takes this byte if it is the next one.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes this word if it is what comes next.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let is_next = rest.starts_with(word.as_bytes());
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    pub(super) fn integer(&mut self) -> Option<i64> {
        let negative = self.take(b'-');
        let start = self.at;
        let mut number: i64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number * 10 + i64::from(digit - b'0');
            // Also keeps the next round from overflowing.
            if number > MAX_INTEGER {
                return None;
            }
            self.at += 1;
        }
        match self.at - start {
            0 => None,
            // No zero but `0`, and no zero before other digits.
            1 if number == 0 && !negative => Some(0),
            _ if self.text.as_bytes().get(start) == Some(&b'0') => None,
            _ if negative => Some(-number),
            _ => Some(number),
        }
    }

    pub(super) fn string(&mut self) -> Option<Cow<'a, str>> {
        if !self.take(b'"') {
            return None;
        }
        let start = self.at;
        self.plain();
        let text = self.text;
        let plain = text.get(start..self.at)?;
        if self.take(b'"') {
            return Some(Cow::Borrowed(plain));
        }
        let mut unescaped = plain.to_owned();
        loop {
            match self.next()? {
                b'"' => return Some(Cow::Owned(unescaped)),
                b'\\' => unescaped.push(self.escaped()?),
                _ => return None,
            }
            let start = self.at;
            self.plain();
            unescaped.push_str(text.get(start..self.at)?);
        }
    }

    /// Moves on to the next quote, backslash or control character, or to the end.
    fn plain(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (chunks, tail) = rest.as_chunks::<8>();
        let mut plain = 0;
        for chunk in chunks {
            let stops = stops(u64::from_le_bytes(*chunk));
            if stops != 0 {
                self.at += plain + stops.trailing_zeros() as usize / 8;
                return;
            }
            plain += 8;
        }
        let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
        self.at += plain + tail.iter().take_while(is_plain).count();
    }

    /// The character whose backslash was read: only those that have to be escaped, each in one spelling.
    fn escaped(&mut self) -> Option<char> {
        match self.next()? {
            b'"' => Some('"'),
            b'\\' => Some('\\'),
            b'b' => Some('\u{8}'),
            b't' => Some('\t'),
            b'n' => Some('\n'),
            b'f' => Some('\u{c}'),
            b'r' => Some('\r'),
            b'u' => {
                let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
                self.at += 4;
                let [b'0', b'0', high @ b'0'..=b'1', low] = digits else {
                    return None;
                };
                let low = match low {
                    b'0'..=b'9' => low - b'0',
                    b'a'..=b'f' => low - b'a' + 10,
                    _ => return None,
                };
                match char::from((high - b'0') << 4 | low) {
                    '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => None,
                    control => Some(control),
                }
            }
            _ => None,
        }
    }
}

/// The top bit of the lowest byte that ends a run of plain text, and perhaps of some above it.
fn stops(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    let less = |word: u64, than: u64| word.wrapping_sub(ONES * than) & !word;
    let is = |byte: u8| less(word ^ (ONES * u64::from(byte)), 1);
    (less(word, 0x20) | is(b'"') | is(b'\\')) & TOPS
}

/// The order of keys: by UTF-16 code units.
pub(super) fn order(left: &str, right: &str) -> Ordering {
    let mut pairs = left.bytes().zip(right.bytes());
    match pairs.find(|(left, right)| left != right) {
        // The order of bytes is the same, save that surrogates, which stand for what UTF-8 begins with F0 or
        // more, come before what it begins with EE or EF.
        Some((0xee.., 0xee..)) => left.encode_utf16().cmp(right.encode_utf16()),
        Some((left, right)) => left.cmp(&right),
        None => left.len().cmp(&right.len()),
    }
}
