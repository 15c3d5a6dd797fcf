//! Values given to names such as `password`, in any of the usual notations, and passwords in addresses.

use crate::class;
use crate::hit::{ASSIGNMENT, URL_PASSWORD};
use crate::prefilter::Anchor;
use crate::{Found, Settings, value};

/// What in a name says that its value is secret; letters of either case.
pub(crate) const NAMES: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "accesskey",
    "access-key",
    "private_key",
    "credential",
    "auth_key",
    "dbpass",
];

/// Where an address goes on behind its scheme.
pub(crate) const ADDRESS: Anchor = Anchor {
    before: Some(class::letter),
    text: "://",
    after: Some(|byte| class::word(byte) || byte == b':'),
};

/// What may follow in the same name, without `-` and `_`: `client_secret_key` is a secret, `token_type` is none.
const TAILS: [&[u8]; 14] = [
    b"",
    b"s",
    b"key",
    b"keys",
    b"keybase",
    b"accesskey",
    b"value",
    b"string",
    b"text",
    b"prod",
    b"production",
    b"live",
    b"default",
    b"base",
];

/// The longest rest of a name, in bytes.
const TAIL: usize = 24;

/// How far apart name, sign and value may stand, in bytes.
const GAP: usize = 64;

/// The longest user part of an address, in bytes.
const USER: usize = 256;

/// Whether values stand without quotes in files of this name.
pub(crate) fn has_bare_values(path: &str) -> bool {
    const ENDINGS: [&str; 13] = [
        ".env",
        ".ini",
        ".cfg",
        ".conf",
        ".config",
        ".properties",
        ".yml",
        ".yaml",
        ".sh",
        ".bash",
        ".zsh",
        ".envrc",
        ".tfvars",
    ];
    const NAMES: [&str; 6] = [
        ".npmrc",
        ".netrc",
        ".pypirc",
        "credentials",
        "dockerfile",
        "makefile",
    ];
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
        || NAMES.contains(&name.as_str())
        || name.starts_with(".env.")
}

/// The value given to the name whose telling part, of `length` bytes, stands at `at`.
pub(crate) fn find(
    content: &[u8],
    at: usize,
    length: usize,
    bare: bool,
    settings: &Settings,
) -> Option<Found> {
    let mut reader = Reader {
        content,
        at: at + length,
    };
    // The prefilter compared four bytes of it only.
    let name = content.get(at..reader.at)?;
    if !NAMES
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
        || !reader.tail()
    {
        return None;
    }
    let quoted_name = reader.quote().is_some();
    reader.skip(|byte| byte == b']', 1);
    let sign = reader.sign(quoted_name)?;
    reader.blanks();
    let (start, end) = match reader.opening() {
        Some(quote) => reader.quoted(quote)?,
        None if sign == Sign::Element => reader.until(b'<')?,
        None if bare && sign == Sign::Equals => reader.bare()?,
        None => return None,
    };
    value::is_secret(content.get(start..end)?, settings).then_some(Found {
        rule: &ASSIGNMENT,
        start,
        end,
    })
}

/// The password in an address whose `://` stands at `at`: `scheme://user:password@host`.
pub(crate) fn find_in_address(content: &[u8], at: usize, settings: &Settings) -> Option<Found> {
    let from = at + ADDRESS.text.len();
    let rest = content.get(from..content.len().min(from + USER))?;
    if content.get(at..from)? != ADDRESS.text.as_bytes() {
        return None;
    }
    let ends = |byte: &u8| {
        matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>')
            || byte.is_ascii_whitespace()
    };
    let authority = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
    let user = &authority[..memchr::memrchr(b'@', authority)?];
    let start = from + memchr::memchr(b':', user)? + 1;
    let end = from + user.len();
    value::is_secret(content.get(start..end)?, settings).then_some(Found {
        rule: &URL_PASSWORD,
        start,
        end,
    })
}

/// What stands between a name and its value.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Sign {
    /// `=`, `:`, `:=`, `=>` and the like.
    Equals,
    /// `(` or a comma: arguments.
    Argument,
    /// `>`: the text of an element.
    Element,
}

struct Reader<'a> {
    content: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.content.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, text: &[u8]) -> bool {
        let here = self.rest().starts_with(text);
        self.at += if here { text.len() } else { 0 };
        here
    }

    fn skip(&mut self, class: fn(u8) -> bool, most: usize) -> usize {
        let length = self
            .rest()
            .iter()
            .take(most)
            .take_while(|byte| class(**byte))
            .count();
        self.at += length;
        length
    }

    fn blanks(&mut self) {
        self.skip(|byte| matches!(byte, b' ' | b'\t'), GAP);
    }

    /// Passes the rest of the name, when it is one that keeps its meaning.
    fn tail(&mut self) -> bool {
        let from = self.at;
        self.skip(class::base64_url, TAIL + 1);
        let rest = self.content.get(from..self.at).unwrap_or_default();
        let plain: Vec<u8> = rest
            .iter()
            .filter(|byte| !matches!(byte, b'-' | b'_'))
            .map(u8::to_ascii_lowercase)
            .collect();
        rest.len() <= TAIL
            && (plain.iter().all(u8::is_ascii_digit) || TAILS.contains(&plain.as_slice()))
    }

    /// Passes a quotation mark, also one that is escaped since all of this stands in a string.
    fn quote(&mut self) -> Option<u8> {
        self.take(b"\\");
        let quote = *self.rest().first()?;
        matches!(quote, b'"' | b'\'' | b'`').then(|| {
            self.at += 1;
            quote
        })
    }

    /// Passes the sign that gives a value, with a type before it where there is one: `: &str =`.
    fn sign(&mut self, quoted_name: bool) -> Option<Sign> {
        self.blanks();
        if self.take(b">") {
            return Some(Sign::Element);
        }
        if self.take(b"(") || (quoted_name && self.take(b",")) {
            return Some(Sign::Argument);
        }
        let from = self.at;
        if self.skip(|byte| matches!(byte, b'=' | b':' | b'!' | b'?'), 4) == 0 {
            return None;
        }
        self.take(b">");
        if self.content.get(from..self.at) == Some(b":") {
            self.annotation();
        }
        Some(Sign::Equals)
    }

    /// Passes `&'static str =` and the like behind a colon; stays where it is when there is no such thing.
    fn annotation(&mut self) {
        let from = self.at;
        self.blanks();
        self.skip(|byte| matches!(byte, b'&' | b'\'' | b'*'), 2);
        self.skip(
            |byte| {
                class::word(byte) || matches!(byte, b' ' | b'<' | b'>' | b'[' | b']' | b'?' | b'|')
            },
            GAP,
        );
        if !self.take(b"=") {
            self.at = from;
        }
    }

    /// Passes the quotation mark that opens a value, with what may stand before it: `r#"`, `b'`, `@"`, `&"`.
    fn opening(&mut self) -> Option<u8> {
        let from = self.at;
        self.skip(
            |byte| {
                matches!(
                    byte,
                    b'r' | b'b' | b'f' | b'u' | b'L' | b'@' | b'$' | b'&' | b'#'
                )
            },
            3,
        );
        let quote = self.quote();
        match quote {
            // Three of them open a long string.
            Some(quote) => {
                if self.rest().starts_with(&[quote, quote]) {
                    self.at += 2;
                }
            }
            None => self.at = from,
        }
        quote
    }

    /// The place of what stands before the same quotation mark, on one line.
    fn quoted(&self, quote: u8) -> Option<(usize, usize)> {
        let rest = self.rest();
        let rest = &rest[..rest.len().min(value::LONGEST + 2)];
        let length = memchr::memchr3(quote, b'\n', b'\r', rest)?;
        if rest.get(length) != Some(&quote) {
            return None;
        }
        let escaped = length > 0 && rest.get(length - 1) == Some(&b'\\');
        Some((self.at, self.at + length - usize::from(escaped)))
    }

    fn until(&self, end: u8) -> Option<(usize, usize)> {
        let rest = self.rest();
        let rest = &rest[..rest.len().min(value::LONGEST + 1)];
        Some((self.at, self.at + memchr::memchr(end, rest)?))
    }

    /// A value without quotes that is all of its line but a comment.
    fn bare(&self) -> Option<(usize, usize)> {
        let rest = self.rest();
        let line = &rest[..rest.len().min(value::LONGEST + GAP)];
        let line = &line[..value::line_end(line, 0)];
        let length = line
            .iter()
            .take_while(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b','))
            .count();
        let behind = line.get(length..).unwrap_or_default().trim_ascii_start();
        let ends = behind.is_empty() || matches!(behind.first(), Some(b'#' | b';' | b'\\' | b'&'));
        ends.then_some((self.at, self.at + length))
    }
}
