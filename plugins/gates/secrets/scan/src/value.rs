//! Whether a value is a secret: random enough, and nothing that is known to stand for one.

use crate::Settings;

/// The shortest value that is judged by its randomness, in bytes.
pub(crate) const SHORTEST: usize = 8;

/// The longest, in bytes.
pub(crate) const LONGEST: usize = 512;

/// The longest value whose words are looked at: in longer ones random characters may happen to spell one.
const WORDED: usize = 256;

/// Words that tell a placeholder.
const PLACEHOLDERS: [&[u8]; 21] = [
    b"changeme",
    b"change-me",
    b"change_me",
    b"example",
    b"placeholder",
    b"redacted",
    b"dummy",
    b"sample",
    b"your-",
    b"your_",
    b"yourpass",
    b"yourtoken",
    b"yourkey",
    b"insert",
    b"replace",
    b"notasecret",
    b"not-a-secret",
    b"not_a_secret",
    b"xxxx",
    b"****",
    b"....",
];

/// Whether a value stands for a secret without being one: a word such as `changeme`, one character again and again, a row of
/// neighbours such as `0123456789`.
pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    if lower.len() <= WORDED && PLACEHOLDERS.iter().any(|word| contains(&lower, word)) {
        return true;
    }
    let pairs = || lower.windows(2).filter_map(|pair| pair.first_chunk::<2>());
    let count = lower.len().saturating_sub(1);
    let same = pairs().filter(|[one, other]| one == other).count();
    let rows = pairs()
        .filter(|[one, other]| {
            one.checked_add(1) == Some(*other) || other.checked_add(1) == Some(*one)
        })
        .count();
    // Of random characters far fewer than a third of the neighbours are the same or next to each other.
    count >= 4 && (same * 2 > count || rows * 2 > count)
}

/// Whether the place holds one of the configured test vectors.
pub(crate) fn is_test_vector(
    content: &[u8],
    start: usize,
    end: usize,
    settings: &Settings,
) -> bool {
    if settings.test_vectors.is_empty() {
        return false;
    }
    let lower = content
        .get(start..end)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let known = |text: &String| contains(&lower, text.as_bytes());
    settings.test_vectors.iter().any(known)
}

/// Whether a value that something named like a secret is set to is one. It was not said to be a secret by its shape, so it has to be
/// printable, without blanks, of several kinds of characters and random.
pub(crate) fn is_secret(value: &[u8], settings: &Settings) -> bool {
    (SHORTEST..=LONGEST).contains(&value.len())
        && value.iter().all(u8::is_ascii_graphic)
        && is_mixed(value)
        && !is_reference(value)
        && !is_placeholder(value)
        && is_random(value, settings.min_entropy)
}

/// Digits and letters, or long and of both cases.
fn is_mixed(value: &[u8]) -> bool {
    let any = |class: fn(&u8) -> bool| value.iter().any(class);
    let separated = value
        .iter()
        .any(|byte| matches!(byte, b'.' | b'-' | b'_' | b'/' | b':'));
    let lower = any(u8::is_ascii_lowercase);
    let upper = any(u8::is_ascii_uppercase);
    (any(u8::is_ascii_digit) && (lower || upper))
        || (value.len() >= 24 && lower && upper && !separated)
}

/// Whether a value names where the secret is, or something public: a variable, a path, an address, a digest.
fn is_reference(value: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 18] = [
        b"$",
        b"%",
        b"<",
        b"{",
        b"[",
        b"(",
        b"@",
        b"/",
        b"./",
        b"../",
        b"~/",
        b"http://",
        b"https://",
        b"sha256:",
        b"sha256-",
        b"sha384-",
        b"sha512-",
        b"arn:",
    ];
    const INSIDE: [&[u8]; 8] = [b"${", b"{{", b"$(", b"()", b"::", b"->", b"</", b"=="];
    BEGINNINGS.iter().any(|text| value.starts_with(text))
        || INSIDE
            .iter()
            .any(|text| contains(value.strip_suffix(b"==").unwrap_or(value), text))
        || is_call(value)
}

/// `get(name)` or `secrets[0]` is code.
fn is_call(value: &[u8]) -> bool {
    let closed = matches!(value.last(), Some(b')' | b']' | b'}' | b'>'));
    closed
        && value
            .iter()
            .any(|byte| matches!(byte, b'(' | b'[' | b'{' | b'<'))
}

/// Shannon entropy of the bytes against the least. Of `n` characters it cannot be more than log2 n, so a short value has to reach nine
/// tenths of that.
fn is_random(value: &[u8], min_entropy: u32) -> bool {
    let length = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    let mut counts = [0_u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let shares = counts.iter().filter(|count| **count > 0);
    let entropy: f64 = shares
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum();
    entropy >= (f64::from(min_entropy) / 100.0).min(0.9 * length.log2())
}

/// The end of the line that `from` is in.
pub(crate) fn line_end(content: &[u8], from: usize) -> usize {
    let rest = content.get(from..).unwrap_or_default();
    memchr::memchr2(b'\r', b'\n', rest).map_or(content.len(), |length| from + length)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(value: &str) -> bool {
        is_secret(value.as_bytes(), &Settings::default())
    }

    #[test]
    fn random_values_are_secrets() {
        for value in [
            "x7Kp2mQ9",
            "hG7$kd92!mQz",
            "9f86d081884c7d659a2feaa0c55ad015",
            "kT8sP2vWqZ1nR5yB",
            "3c6e0b8a-9c15-224a-8236-b9a0f2e1d7c4",
            "QmFzZTY0RW5jb2RlZFN0cmluZw==",
        ] {
            assert!(secret(value), "{value}");
        }
    }

    #[test]
    fn placeholders_references_and_words_are_not() {
        for value in [
            "",
            "x7Kp2mQ",
            "changeme-1Kp2mQ9z",
            "${API_TOKEN_1a}",
            "<your token 1>",
            "aaaaaaaa1aaaaaaa",
            "0123456789abcdef",
            "password",
            "correcthorsebattery",
            "https://a.example/9f8s7d",
            "./keys/a1b2c3d4e5",
            "sha256:9f86d081884c7d65",
            "env(\"A1b2C3d4\")",
            "two words 9f86d0",
            "get_token(x1y2z3)",
            "xxxxxxxx9f86",
            "********",
            "your-token-9f86d081",
            "$TOKEN_9f86d081",
        ] {
            assert!(!secret(value), "{value}");
        }
    }

    #[test]
    fn the_threshold_is_the_one_that_is_set() {
        let strict = Settings {
            min_entropy: 500,
            ..Settings::default()
        };
        // 22 different characters: 4.46 bits of at most 4.46.
        let value = b"abcdefgh1jklmnopqrstuv";
        assert!(is_random(value, strict.min_entropy));
        // 32 hexadecimal digits: less than 4 bits.
        assert!(!is_random(b"9f86d081884c7d659a2feaa0c55ad015", 420));
        assert!(is_random(b"9f86d081884c7d659a2feaa0c55ad015", 350));
    }

    #[test]
    fn lines_end_at_either_sign() {
        assert_eq!(line_end(b"ab\r\nc", 0), 2);
        assert_eq!(line_end(b"ab\r\nc", 4), 5);
        assert_eq!(line_end(b"", 3), 0);
    }
}
