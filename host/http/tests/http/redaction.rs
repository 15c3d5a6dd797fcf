//! Taking secrets out of texts.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use leasehold_http::{Redaction, Redactor, Secret};
use proptest::prelude::*;

fn redactor(values: &[&str]) -> Redactor {
    let secrets: Vec<Secret> = values
        .iter()
        .map(|value| Secret::new("s", *value).unwrap())
        .collect();
    Redactor::new(&secrets)
}

fn stars(count: usize) -> String {
    "*".repeat(count)
}

#[test]
fn every_spelling_is_found() {
    let value = "a/b+c d\"e\\f%25";
    let redactor = redactor(&[value]);
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let unicode: String = value
        .bytes()
        .map(|byte| format!("\\u00{byte:02x}"))
        .collect();
    for spelling in [
        value,
        &hex,
        &hex.to_uppercase(),
        &percent,
        &percent.to_lowercase(),
        "a%2Fb%2Bc%20d%22e%5Cf%2525",
        "a%2fb%2bc+d%22e%5cf%2525",
        "a/b+c d\\\"e\\\\f%25",
        "a\\/b+c d\\\"e\\\\f%25",
        &unicode,
        &STANDARD_NO_PAD.encode(value),
    ] {
        for (before, after) in [
            ("", ""),
            ("x", "y"),
            ("a/b", "a/b"),
            ("%", "%"),
            ("\\", "\\"),
        ] {
            let text = format!("{before}{spelling}{after}");
            assert_eq!(
                redactor.text(&text),
                format!("{before}{}{after}", stars(spelling.len())),
                "{text}"
            );
        }
    }
    for kept in [
        "",
        "a/b",
        "A/B+C D\"E\\F%25",
        "a/b+c d\"e\\f%2",
        "nothing of it",
    ] {
        assert_eq!(redactor.text(kept), kept);
    }
}

/// Of something longer in base64, every character that says nothing but the secret is found.
#[test]
fn base64_is_found_in_the_middle() {
    let value = "hunter2-hunter2";
    let redactor = redactor(&[value]);
    for user in ["", "u", "us", "use", "user:"] {
        for encoded in [
            STANDARD.encode(format!("{user}{value}tail")),
            URL_SAFE.encode(format!("{user}{value}")),
        ] {
            let clean = redactor.text(&encoded);
            assert_eq!(clean.len(), encoded.len());
            let found = clean.matches('*').count();
            assert!(found >= value.len() * 8 / 6 - 1, "{encoded} {clean}");
        }
    }
    let tricky = "\u{7e}\u{7e}\u{7e}???>>>~~~";
    let redactor = self::redactor(&[tricky]);
    for encoded in [STANDARD.encode(tricky), URL_SAFE.encode(tricky)] {
        assert!(encoded.contains(['+', '/', '-', '_']), "{encoded}");
        assert_eq!(redactor.text(&encoded), stars(encoded.len()));
    }
}

#[test]
fn secrets_within_and_across_one_another_are_found() {
    let redactor = redactor(&["abcdefgh", "abcdefgh12345678", "ghabcdefXX", "aaaaaaaa"]);
    for (text, clean) in [
        ("abcdefgh1234567!", "********1234567!".to_owned()),
        ("abcdefgh12345678", stars(16)),
        ("abcdefghabcdefXX", stars(16)),
        ("abcdefabcdefgh", format!("abcdef{}", stars(8))),
        ("aaaaaaaaaaa", stars(11)),
        ("xaaaaaaa", "xaaaaaaa".to_owned()),
    ] {
        assert_eq!(redactor.text(text), clean);
        for size in 1..5 {
            assert_eq!(in_pieces(&redactor, text, size), clean, "{text} by {size}");
        }
    }
}

fn in_pieces(redactor: &Redactor, text: &str, size: usize) -> String {
    let mut redaction = Redaction::default();
    let mut clean = Vec::new();
    for piece in text.as_bytes().chunks(size) {
        clean.extend(redaction.feed(redactor, piece));
        // What is certain never waits for long: no spelling has more than six bytes for one.
        assert!(redaction.held() <= 6 * 16);
    }
    clean.extend(redaction.finish(redactor));
    String::from_utf8(clean).unwrap()
}

#[test]
fn nothing_is_held_back_without_reason() {
    let redactor = redactor(&["hunter2hunter2"]);
    let mut redaction = Redaction::default();
    assert_eq!(redaction.feed(&redactor, b"hello hun"), b"hello ");
    assert_eq!(redaction.held(), 3);
    assert_eq!(redaction.feed(&redactor, b"ger"), b"hunger");
    assert_eq!(redaction.feed(&redactor, b"hunter2hunter"), b"");
    assert_eq!(redaction.feed(&redactor, b"2!"), b"**************!");
    assert_eq!(redaction.feed(&redactor, b"hunter2"), b"");
    assert_eq!(format!("{redaction:?}"), "Redaction(7 bytes held back)");
    assert_eq!(redaction.finish(&redactor), b"hunter2");
    let nothing = Redactor::default();
    assert!(nothing.is_empty());
    assert_eq!(
        Redaction::default().feed(&nothing, b"hunter2hunter2"),
        b"hunter2hunter2"
    );
}

/// A text out of pieces of secrets, whole secrets, and what is around them.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => Just("abababab".to_owned()),
        2 => Just("%25%25%25%25%25%25%25%25".to_owned()),
        2 => Just("ababcabab".to_owned()),
        2 => Just("6162616261626162".to_owned()),
        2 => Just("%61babab%61b".to_owned()),
        2 => Just(STANDARD.encode("xabababab")),
        4 => "[abc%6\\\\]{0,5}",
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// However a text is cut, what comes out is what comes out of the whole; it is as long, and has no secret in it.
    #[test]
    fn cuts_make_no_difference(text in any_text(), cuts in prop::collection::vec(0_usize..80, 0..6)) {
        let redactor = redactor(&["abababab", "ababcabab", "%%%%%%%%"]);
        let clean = redactor.text(&text);
        prop_assert_eq!(clean.len(), text.len());
        prop_assert!(!clean.contains("abababab") && !clean.contains("ababcabab"), "{}", clean);
        prop_assert!(text.bytes().zip(clean.bytes()).all(|(was, is)| is == was || is == b'*'));
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.sort_unstable();
        let mut redaction = Redaction::default();
        let mut pieces = Vec::new();
        let mut start = 0;
        for cut in cuts.into_iter().chain([text.len()]) {
            pieces.extend(redaction.feed(&redactor, &text.as_bytes()[start..cut]));
            start = cut;
        }
        pieces.extend(redaction.finish(&redactor));
        prop_assert_eq!(String::from_utf8(pieces).unwrap(), clean);
    }

    /// Whatever the secret, and wherever it stands in something longer, its spellings are found.
    #[test]
    fn any_secret_is_found(value in "[!-~]{8,40}", before in "[ -~]{0,5}", after in "[ -~]{0,5}") {
        let redactor = redactor(&[&value]);
        let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
        for spelling in [value.clone(), hex, STANDARD_NO_PAD.encode(&value)] {
            let clean = redactor.text(&format!("{before}{spelling}{after}"));
            prop_assert!(clean[before.len()..].starts_with(&stars(spelling.len())), "{}", clean);
        }
        let long = STANDARD.encode(format!("{before}{value}{after}"));
        let found = redactor.text(&long).matches('*').count();
        prop_assert!(found >= value.len() * 8 / 6 - 1);
    }
}
