//! Bytes that arguments can hardly carry.

/// The bytes that a word with escapes stands for. What is no escape stands for itself.
pub(crate) fn bytes(word: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = match (first, after) {
            (b'\\', [b'r', after @ ..]) => (b'\r', after),
            (b'\\', [b'n', after @ ..]) => (b'\n', after),
            (b'\\', [b't', after @ ..]) => (b'\t', after),
            (b'\\', [b'0', after @ ..]) => (0, after),
            (b'\\', [b'\\', after @ ..]) => (b'\\', after),
            (b'\\', [b'x', high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (*first, rest.get(1..).unwrap_or_default()),
            },
            _ => (*first, after),
        };
        out.push(byte);
        rest = after;
    }
    out
}

/// [`bytes`] as text; what is not UTF-8 becomes one character a byte.
pub(crate) fn text(word: &str) -> String {
    let bytes = bytes(word);
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let bytes = error.into_bytes();
        bytes.into_iter().map(char::from).collect()
    })
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_bytes_and_everything_else_for_itself() {
        assert_eq!(bytes(r"a\r\n\t\0\\\x7fB"), b"a\r\n\t\0\\\x7fB");
        assert_eq!(bytes(r"\q\x\xzz\xff\"), b"\\q\\x\\xzz\xff\\");
        assert_eq!(text("ü\\n"), "ü\n");
        assert_eq!(text(r"\xe9"), "é");
    }
}
