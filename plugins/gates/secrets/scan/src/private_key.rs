//! Private keys: PEM and OpenPGP by their header (RFC 7468, RFC 9580), PuTTY's own form by its first line.

use crate::class;
use crate::hit::PRIVATE_KEY;
use crate::prefilter::Anchor;
use crate::{Found, value};

pub(crate) const ANCHOR: Anchor = Anchor::new("-----BEGIN ");
pub(crate) const PUTTY_ANCHOR: Anchor = Anchor::new("PuTTY-User-Key-File-");

const DASHES: &[u8] = b"-----";

/// The longest label, in bytes.
const LABEL: usize = 64;

/// The longest key that is looked through, in bytes. More of it does not make it more of a key.
const KEY: usize = 32 << 10;

/// Base64 characters right behind a header that make it more than the mention of one.
const MATERIAL: usize = 16;

/// A private key in PEM whose header begins at `at`. A header that stands alone on its line is enough; one inside other text, in a string
/// for instance, counts when key material follows.
pub(crate) fn find(content: &[u8], at: usize) -> Option<Found> {
    let rest = content.get(at..)?.strip_prefix(ANCHOR.text.as_bytes())?;
    let label = &rest[..memchr::memchr(b'-', &rest[..rest.len().min(LABEL)])?];
    let is_label = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b' ' | b'0'..=b'9');
    let is_private = label.ends_with(b"PRIVATE KEY") || label == b"PGP PRIVATE KEY BLOCK";
    if !is_private || !label.iter().all(is_label) {
        return None;
    }
    let body = rest[label.len()..].strip_prefix(DASHES)?;
    let body = &body[..body.len().min(KEY)];
    let material = memchr::memmem::find(body, DASHES).unwrap_or(body.len());
    let header = at + ANCHOR.text.len() + label.len() + DASHES.len();
    if !is_alone(content, at, header) && !has_material(&body[..material]) {
        return None;
    }
    Some(Found {
        rule: &PRIVATE_KEY,
        start: at,
        end: header + end_of_key(body, material, label),
    })
}

/// A private key of PuTTY whose first line begins at `at`.
pub(crate) fn find_putty(content: &[u8], at: usize) -> Option<Found> {
    let rest = content
        .get(at..)?
        .strip_prefix(PUTTY_ANCHOR.text.as_bytes())?;
    let is_version = matches!(rest.first()?, b'1'..=b'9') && rest.get(1) == Some(&b':');
    let file = &rest[..rest.len().min(KEY)];
    // The next first line begins another key: this also bounds the work when there are many.
    let file =
        &file[..memchr::memmem::find(file, PUTTY_ANCHOR.text.as_bytes()).unwrap_or(file.len())];
    let private = memchr::memmem::find(file, b"Private-Lines:")?;
    is_version.then_some(Found {
        rule: &PRIVATE_KEY,
        start: at,
        end: at + PUTTY_ANCHOR.text.len() + value::line_end(file, private),
    })
}

/// Whether nothing but blanks and signs of comments stands on the same line.
fn is_alone(content: &[u8], start: usize, end: usize) -> bool {
    let is_blank = |byte: &u8| {
        matches!(
            byte,
            b' ' | b'\t' | b'\r' | b'#' | b'/' | b'*' | b'>' | b'|'
        )
    };
    let around = 64;
    let before = &content[start.saturating_sub(around)..start];
    let after = &content[end..content.len().min(end + around)];
    let ahead = before.iter().rev().take_while(|byte| **byte != b'\n');
    let behind = after.iter().take_while(|byte| **byte != b'\n');
    ahead.chain(behind).all(is_blank)
}

/// Whether what follows a header begins like a key, also as the text of a string with `\n` in it.
fn has_material(body: &[u8]) -> bool {
    let text = body.get(..body.len().min(512)).unwrap_or_default();
    let between = |byte: &u8| !byte.is_ascii_alphanumeric();
    // An escape: the letter behind a backslash is none of the key's.
    let mut rest = text;
    for _ in 0..4 {
        let skip = rest.iter().take_while(|byte| between(byte)).count();
        let escaped = skip > 0 && rest.get(skip - 1) == Some(&b'\\');
        rest = rest.get(skip + usize::from(escaped)..).unwrap_or_default();
        if !escaped {
            break;
        }
    }
    let length = rest.iter().take_while(|byte| class::base64(**byte)).count();
    // Headers inside (Proc-Type, Version, Comment) stand before the material of older forms.
    let headers = [&b"Proc-Type:"[..], b"DEK-Info:", b"Version:", b"Comment:"];
    length >= MATERIAL || headers.iter().any(|header| rest.starts_with(header))
}

/// How much of `body` belongs to the key: up to the end of its footer, or of what looks like one line where there is none.
fn end_of_key(body: &[u8], material: usize, label: &[u8]) -> usize {
    let footer = [&b"-----END "[..], label, DASHES].concat();
    if body[material..].starts_with(&footer) {
        material + footer.len()
    } else if material < body.len() {
        // Another header or a strange footer: what lies between is the key.
        material
    } else {
        value::line_end(body, 0)
    }
}
