//! Which files hold text.

/// How far is looked for a zero byte, in bytes.
pub(crate) const HEAD: u32 = 8 << 10;

/// The text of a file: its bytes, or, for UTF-16 with a byte order mark, the same in UTF-8. Nothing for a binary file: one with a zero
/// byte in its first 8 KiB.
pub fn decode(bytes: Vec<u8>) -> Option<Vec<u8>> {
    let units = match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xFE, 0xFF, rest @ ..] => Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => None,
    };
    if let Some((rest, unit)) = units {
        let (pairs, _) = rest.as_chunks::<2>();
        let units = pairs.iter().map(|pair| unit(*pair));
        let text: String = char::decode_utf16(units)
            .map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        return Some(text.into_bytes());
    }
    (!is_binary(&bytes)).then_some(bytes)
}

/// Whether a file is no text: it has a zero byte in its first 8 KiB and no byte order mark of UTF-16.
pub fn is_binary(bytes: &[u8]) -> bool {
    let marked = matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]);
    let head = bytes.get(..HEAD as usize).unwrap_or(bytes);
    !marked && head.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Option<Vec<u8>> {
        decode(bytes.to_vec())
    }

    #[test]
    fn a_zero_byte_near_the_beginning_makes_a_file_binary() {
        assert_eq!(text(b"a\0b"), None);
        assert_eq!(text(b"ab").as_deref(), Some(&b"ab"[..]));
        assert_eq!(text(b"").as_deref(), Some(&b""[..]));
        let mut late = vec![b'a'; HEAD as usize];
        late.push(0);
        assert_eq!(text(&late), Some(late.clone()));
        late[HEAD as usize - 1] = 0;
        assert_eq!(text(&late), None);
    }

    #[test]
    fn utf_16_is_text() {
        assert_eq!(text(b"\xFF\xFEa\0\xE9\0").as_deref(), Some("aé".as_bytes()));
        assert_eq!(text(b"\xFE\xFF\0a\0\xE9").as_deref(), Some("aé".as_bytes()));
        assert_eq!(
            text(b"\xFF\xFE\x00\xD8x").as_deref(),
            Some("\u{fffd}".as_bytes())
        );
    }
}
