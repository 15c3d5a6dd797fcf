//! Bytes of the formats of this crate: numbers as LEB128, texts with their length, digests as they are.

use leasehold_seal::{Class, Coded, Digest};

/// Bytes that are not what they should be. Code `CACHE-FORMAT`, class integrity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct FormatError {
    what: &'static str,
    why: &'static str,
}

impl Coded for FormatError {
    fn code(&self) -> &'static str {
        "CACHE-FORMAT"
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn hint(&self) -> Option<String> {
        Some("it is only a cache: remove it, and it is made again".to_owned())
    }
}

/// Appends a number: seven bits a byte, the lowest first, the high bit set on all bytes but the last.
pub(crate) fn put_number(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// Appends a number that may be negative: small ones of either sign are short.
pub(crate) fn put_signed(into: &mut Vec<u8>, number: i64) {
    put_number(into, ((number << 1) ^ (number >> 63)) as u64);
}

pub(crate) fn put_text(into: &mut Vec<u8>, text: &str) {
    put_number(into, text.len() as u64);
    into.extend_from_slice(text.as_bytes());
}

pub(crate) fn put_digest(into: &mut Vec<u8>, digest: Digest) {
    into.extend_from_slice(digest.as_bytes());
}

/// Reads what was put. Every number has one spelling, so equal values have equal bytes.
pub(crate) struct Cursor<'b> {
    /// What is read, for messages.
    what: &'static str,
    rest: &'b [u8],
}

impl<'b> Cursor<'b> {
    /// Bytes that start with this header.
    pub(crate) fn open(
        what: &'static str,
        header: &[u8],
        bytes: &'b [u8],
    ) -> Result<Self, FormatError> {
        match bytes.strip_prefix(header) {
            Some(rest) => Ok(Self { what, rest }),
            None => Err(FormatError {
                what,
                why: "the header is another one",
            }),
        }
    }

    pub(crate) fn wrong(&self, why: &'static str) -> FormatError {
        FormatError {
            what: self.what,
            why,
        }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, FormatError> {
        let (first, rest) = self.rest.split_first().ok_or(self.wrong(SHORT))?;
        self.rest = rest;
        Ok(*first)
    }

    pub(crate) fn number(&mut self) -> Result<u64, FormatError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(self.wrong("a number is too large"));
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                if bits == 0 && shift > 0 {
                    return Err(self.wrong("a number is longer than need be"));
                }
                return Ok(number);
            }
        }
        Err(self.wrong("a number is too large"))
    }

    pub(crate) fn signed(&mut self) -> Result<i64, FormatError> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// How many things follow, each of at least `least` bytes: never more than there are bytes for.
    pub(crate) fn count(&mut self, least: usize) -> Result<usize, FormatError> {
        let count = self.number()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.rest.len() / least => Ok(count),
            _ => Err(self.wrong(SHORT)),
        }
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'b [u8], FormatError> {
        let (taken, rest) = (self.rest.split_at_checked(count)).ok_or(self.wrong(SHORT))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, FormatError> {
        let count = self.count(1)?;
        let bytes = self.bytes(count)?;
        std::str::from_utf8(bytes).map_err(|_| self.wrong("a text is not UTF-8"))
    }

    pub(crate) fn digest(&mut self) -> Result<Digest, FormatError> {
        let bytes = self.bytes(32)?.try_into();
        bytes.map(Digest::from_bytes).map_err(|_| self.wrong(SHORT))
    }

    /// Nothing may follow.
    pub(crate) fn end(self) -> Result<(), FormatError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.wrong("bytes follow the end"))
        }
    }
}

const SHORT: &str = "it ends too early";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_put_is_read(number: u64, signed: i64, text: String) {
            let mut bytes = b"head".to_vec();
            put_number(&mut bytes, number);
            put_signed(&mut bytes, signed);
            put_text(&mut bytes, &text);
            let mut cursor = Cursor::open("test", b"head", &bytes).unwrap();
            prop_assert_eq!(cursor.number().unwrap(), number);
            prop_assert_eq!(cursor.signed().unwrap(), signed);
            prop_assert_eq!(cursor.text().unwrap(), text);
            cursor.end().unwrap();
        }

        #[test]
        fn a_number_has_one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let mut cursor = Cursor::open("test", b"", &bytes).unwrap();
            if let Ok(number) = cursor.number() {
                let mut again = Vec::new();
                put_number(&mut again, number);
                prop_assert_eq!(&again[..], &bytes[..again.len()]);
            }
        }
    }

    #[test]
    fn counts_are_bounded_by_what_is_there() {
        let mut bytes = Vec::new();
        put_number(&mut bytes, 1 << 40);
        assert!(Cursor::open("test", b"", &bytes).unwrap().count(1).is_err());
        bytes = vec![2, 0, 0];
        assert_eq!(Cursor::open("test", b"", &bytes).unwrap().count(1), Ok(2));
    }
}
