//! Taking secrets out of what comes back.
//!
//! This is for accidents: a server that echoes a request, an error page, a log line. A server that works together with a
//! plugin knows the secret already and can spell it in ways that no list has.

use std::fmt;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// What stands for each byte of a secret.
const MASK: u8 = b'*';

/// The secrets of one call, in every spelling that is looked for:
///
/// - the value, each of its characters as itself, percent-encoded, a space as `+`, or escaped as JSON does;
/// - hexadecimal, in upper and lower case;
/// - base64, standard and URL-safe, also in the middle of something longer that was encoded.
#[derive(Default)]
pub struct Redactor {
    spellings: Vec<Spelling>,
    /// For each byte the places of the spellings that can start with it; empty where there are no spellings.
    starts: Vec<Vec<usize>>,
}

enum Spelling {
    /// Byte by byte as it is, or as one of its escapes.
    Escaped(Zeroizing<Vec<u8>>),
    /// Two hexadecimal digits for each byte.
    Hex(Zeroizing<Vec<u8>>),
    /// Exactly these bytes.
    Exact(Zeroizing<Vec<u8>>),
}

/// What one way to write a byte has to say about a place in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It is not there.
    No,
    /// It is there, this many bytes long.
    Whole(usize),
    /// The text ends before that can be said.
    Open,
}

impl Redactor {
    /// Looks for these secrets.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut spellings = Vec::new();
        for secret in secrets {
            let value = secret.reveal().as_bytes();
            spellings.push(Spelling::Escaped(Zeroizing::new(value.to_vec())));
            spellings.push(Spelling::Hex(Zeroizing::new(value.to_vec())));
            for alphabet in [STANDARD, URL_SAFE] {
                let encodings = (0..3).map(|before| base64_within(value, before, alphabet));
                spellings.push(Spelling::Exact(base64_whole(value, alphabet)));
                spellings.extend(encodings.map(Spelling::Exact));
            }
        }
        let mut starts = vec![Vec::new(); 256];
        for (place, spelling) in spellings.iter().enumerate() {
            for first in spelling.first_bytes() {
                if !starts[first].contains(&place) {
                    starts[first].push(place);
                }
            }
        }
        Self { spellings, starts }
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spellings.is_empty()
    }

    /// The text with every secret in it replaced by `*`, of the same length.
    #[must_use]
    pub fn bytes(&self, text: &[u8]) -> Vec<u8> {
        let mut redaction = Redaction::default();
        let mut clean = redaction.feed(self, text);
        clean.extend(redaction.finish(self));
        clean
    }

    /// As [`Redactor::bytes`].
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        // Only whole ASCII characters are replaced, by ASCII characters.
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// As [`Redactor::bytes`], for a text that is written in lower case whatever it was: the name of a header field.
    #[must_use]
    pub(crate) fn lowered(&self, text: &[u8]) -> Vec<u8> {
        let mut clean = text.to_vec();
        for start in 0..text.len() {
            for spelling in &self.spellings {
                let (length, _) = spelling.at::<true>(&text[start..]);
                mask(&mut clean, start, length);
            }
        }
        clean
    }

    /// The length of the longest spelling that stands at the beginning of the text (0: none does), and whether another
    /// may turn out to when there is more text.
    fn at(&self, text: &[u8]) -> (usize, bool) {
        let (mut whole, mut open) = (0, false);
        let first = text.first().map(|first| usize::from(*first));
        let starting = first.and_then(|first| self.starts.get(first));
        for place in starting.into_iter().flatten() {
            let (length, may_go_on) = self.spellings[*place].at::<false>(text);
            whole = whole.max(length);
            open |= may_go_on;
        }
        (whole, open)
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Redactor({} spellings)", self.spellings.len())
    }
}

/// One text on its way through a [`Redactor`], piece by piece. Holds back what may be the beginning of a secret.
#[derive(Default)]
pub struct Redaction {
    /// What came in and did not go out: the beginning of what may be a secret, as it came in.
    held: Vec<u8>,
    /// How much of `held` belongs to a secret that began earlier.
    masked: usize,
}

impl Redaction {
    /// Takes the next piece and gives what is certain by now.
    #[must_use]
    pub fn feed(&mut self, redactor: &Redactor, piece: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        self.take(redactor, false)
    }

    /// The text is at its end: gives what was held back.
    #[must_use]
    pub fn finish(&mut self, redactor: &Redactor) -> Vec<u8> {
        self.take(redactor, true)
    }

    fn take(&mut self, redactor: &Redactor, is_end: bool) -> Vec<u8> {
        let mut text = std::mem::take(&mut self.held);
        let mut masks = vec![(0, std::mem::take(&mut self.masked))];
        let mut certain = text.len();
        for start in 0..text.len() {
            let (whole, open) = redactor.at(&text[start..]);
            if whole > 0 {
                masks.push((start, whole));
            }
            if open && !is_end {
                // What begins later is looked at again with the next piece.
                certain = start;
                break;
            }
        }
        self.held = text.split_off(certain);
        for (start, length) in masks {
            mask(&mut text, start, length);
            let beyond = (start + length).saturating_sub(certain);
            self.masked = self.masked.max(beyond);
        }
        text
    }

    /// How many bytes are held back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

/// What is held back may be a secret.
impl fmt::Debug for Redaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Redaction({} bytes held back)", self.held.len())
    }
}

impl Spelling {
    /// Its length, where it stands at the beginning of the text (else 0), and whether it may turn out to, or to be longer,
    /// when there is more text. `LOWERED`: the text has no upper case left.
    fn at<const LOWERED: bool>(&self, text: &[u8]) -> (usize, bool) {
        let same = |found: u8, wanted: u8| {
            found == wanted || (LOWERED && found.eq_ignore_ascii_case(&wanted))
        };
        match self {
            Spelling::Exact(wanted) => {
                let pairs = text.iter().zip(wanted.iter());
                let common = pairs
                    .take_while(|(found, wanted)| same(**found, **wanted))
                    .count();
                match common == wanted.len() {
                    true => (common, false),
                    false => (0, common == text.len()),
                }
            }
            Spelling::Hex(value) => follow(text, value, |text, wanted| {
                [hex_byte(text, |byte| byte == wanted), Found::No]
            }),
            Spelling::Escaped(value) => follow(text, value, |text, wanted| {
                let is_wanted = |byte: u8| same(byte, wanted);
                [itself(text, wanted, is_wanted), escape(text, is_wanted)]
            }),
        }
    }

    /// What it can start with.
    fn first_bytes(&self) -> Vec<usize> {
        let first = |value: &[u8]| value.first().copied().unwrap_or_default();
        let bytes = match self {
            Spelling::Exact(wanted) => vec![first(wanted)],
            Spelling::Hex(value) => {
                let digit = b"0123456789abcdef"[usize::from(first(value) >> 4)];
                vec![digit, digit.to_ascii_uppercase()]
            }
            Spelling::Escaped(value) => vec![first(value), b'%', b'\\'],
        };
        bytes.into_iter().map(usize::from).collect()
    }
}

/// Follows a value through a text, each byte written in one of two ways; where both fit, in both.
fn follow(text: &[u8], value: &[u8], ways: impl Fn(&[u8], u8) -> [Found; 2]) -> (usize, bool) {
    let (mut end, mut open) = (0, false);
    for (at, wanted) in value.iter().enumerate() {
        match ways(&text[end..], *wanted) {
            [Found::Whole(_), Found::Whole(_)] => {
                let (length, may_go_on) = follow_all(&text[end..], &value[at..], ways);
                let whole = if length > 0 { end + length } else { 0 };
                return (whole, open || may_go_on);
            }
            [Found::Whole(length), other] | [other, Found::Whole(length)] => {
                open |= other == Found::Open;
                end += length;
            }
            others => return (0, open || others.contains(&Found::Open)),
        }
    }
    (end, open)
}

/// As [`follow`], for the rare text in which there is more than one way.
fn follow_all(text: &[u8], value: &[u8], ways: impl Fn(&[u8], u8) -> [Found; 2]) -> (usize, bool) {
    // Where the bytes so far may end.
    let (mut ends, mut open) = (vec![0], false);
    for wanted in value {
        let mut next = Vec::new();
        for way in
            (ends.iter()).flat_map(|end| ways(&text[*end..], *wanted).map(|way| after(*end, way)))
        {
            match way {
                Found::No => {}
                Found::Open => open = true,
                Found::Whole(end) if next.contains(&end) => {}
                Found::Whole(end) => next.push(end),
            }
        }
        ends = next;
    }
    (ends.into_iter().max().unwrap_or(0), open)
}

fn itself(text: &[u8], wanted: u8, is_wanted: impl Fn(u8) -> bool) -> Found {
    match text.first() {
        None => Found::Open,
        // As in a form.
        Some(b'+') if wanted == b' ' => Found::Whole(1),
        Some(first) if is_wanted(*first) => Found::Whole(1),
        Some(_) => Found::No,
    }
}

/// Percent-encoding, and the escapes of JSON.
fn escape(text: &[u8], is_wanted: impl Fn(u8) -> bool) -> Found {
    match text {
        [] | [b'\\'] | [b'\\', b'u'] | [b'\\', b'u', b'0'] => Found::Open,
        [b'%', rest @ ..] => after(1, hex_byte(rest, is_wanted)),
        [b'\\', b'u', b'0', b'0', rest @ ..] => after(4, hex_byte(rest, is_wanted)),
        [b'\\', next, ..] if is_wanted(*next) && !next.is_ascii_alphanumeric() => Found::Whole(2),
        _ => Found::No,
    }
}

fn after(before: usize, found: Found) -> Found {
    match found {
        Found::Whole(length) => Found::Whole(before + length),
        other => other,
    }
}

/// One byte as two hexadecimal digits.
fn hex_byte(text: &[u8], is_wanted: impl Fn(u8) -> bool) -> Found {
    let digit = |at: usize| text.get(at).map(|byte| char::from(*byte).to_digit(16));
    match (digit(0), digit(1)) {
        (None, _) | (Some(Some(_)), None) => Found::Open,
        (Some(Some(high)), Some(Some(low))) => match u8::try_from(high * 16 + low) {
            Ok(byte) if is_wanted(byte) => Found::Whole(2),
            _ => Found::No,
        },
        _ => Found::No,
    }
}

fn mask(text: &mut [u8], start: usize, length: usize) {
    let end = text.len().min(start + length);
    if let Some(part) = text.get_mut(start..end) {
        part.fill(MASK);
    }
}

const STANDARD: [u8; 2] = *b"+/";
const URL_SAFE: [u8; 2] = *b"-_";

/// The encoding of the value alone, without padding.
fn base64_whole(value: &[u8], alphabet: [u8; 2]) -> Zeroizing<Vec<u8>> {
    let sextets = (value.len() * 8).div_ceil(6);
    base64(value, 0, 0..sextets, alphabet)
}

/// Those characters of an encoding of something longer that say nothing but the value, where so many bytes (modulo 3)
/// stand before it.
fn base64_within(value: &[u8], before: usize, alphabet: [u8; 2]) -> Zeroizing<Vec<u8>> {
    let first = (before * 8).div_ceil(6);
    let last = (before + value.len()) * 8 / 6;
    base64(value, before, first..last, alphabet)
}

/// The characters in the range of the base64 (RFC 4648) of `before` zero bytes and the value.
fn base64(
    value: &[u8],
    before: usize,
    range: std::ops::Range<usize>,
    last_two: [u8; 2],
) -> Zeroizing<Vec<u8>> {
    let byte = |at: usize| {
        let inside = at.checked_sub(before).and_then(|at| value.get(at));
        u32::from(inside.copied().unwrap_or(0))
    };
    let character = |at: usize| {
        let (start, shift) = (at * 6 / 8, at * 6 % 8);
        let pair = byte(start) << 8 | byte(start + 1);
        match (pair >> (10 - shift)) as u8 & 63 {
            sextet @ 0..26 => b'A' + sextet,
            sextet @ 26..52 => b'a' + sextet - 26,
            sextet @ 52..62 => b'0' + sextet - 52,
            sextet => last_two[usize::from(sextet - 62)],
        }
    };
    Zeroizing::new(range.map(character).collect())
}
