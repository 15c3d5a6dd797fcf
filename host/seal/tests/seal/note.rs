//! What the numbered vectors cannot show: signing, and input of any kind.

use leasehold_seal::note::{self, MAX_BYTES, Note};
use proptest::prelude::*;

use crate::support::{HOST, ISSUER, code, public, secret};

const NAME: &str = "leasehold/tape-1";

#[test]
fn what_is_signed_is_opened() {
    let text = "leasehold/tape-1\n3\nAAAA\n";
    let note = note::sign(text, NAME, &secret(HOST)).unwrap();
    assert!(
        note.starts_with("leasehold/tape-1\n3\nAAAA\n\n\u{2014} leasehold/tape-1 "),
        "{note}"
    );
    let parsed = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(parsed.unverified_text(), text);
    let [line] = parsed.unverified_signatures() else {
        panic!("one line")
    };
    assert_eq!(line.name, NAME);
    assert_eq!(line.key_hash, note::key_hash(NAME, &public(HOST)));
    let opened = parsed.open(&[(NAME, &public(HOST))]).unwrap();
    assert_eq!(opened.text(), text);
    assert_eq!(opened.signers()[0].key, public(HOST).key_id());
    assert_eq!(
        code(parsed.open(&[(NAME, &public(ISSUER))])),
        "KEY-UNTRUSTED"
    );
}

#[test]
fn nothing_is_signed_that_could_not_be_read() {
    let sign = |text: &str, name: &str| note::sign(text, name, &secret(HOST));
    assert_eq!(code(sign("a\n", NAME)), "");
    for text in ["", "a", "a\r\n", "a\tb\n", "a\0b\n", "a\n\x1b\n"] {
        assert_eq!(code(sign(text, NAME)), "NOTE-FORMAT", "{text:?}");
    }
    for name in [
        "",
        "a b",
        "a+b",
        "a\nb",
        "a\u{2003}b",
        "a\u{7f}b",
        "a\u{85}b",
    ] {
        assert_eq!(code(sign("a\n", name)), "NOTE-FORMAT", "{name:?}");
    }
    let frame = sign("\n", NAME).unwrap().len() - 1;
    let of_length = |length: usize| format!("{}\n", "x".repeat(length - 1));
    let longest = sign(&of_length(MAX_BYTES - frame), NAME).unwrap();
    assert_eq!(code(Note::parse(longest.as_bytes())), "");
    assert_eq!(
        code(Note::parse(format!("x{longest}").as_bytes())),
        "NOTE-FORMAT"
    );
    assert_eq!(
        code(sign(&of_length(MAX_BYTES - frame + 1), NAME)),
        "NOTE-FORMAT"
    );
}

#[test]
fn no_flipped_bit_leads_to_another_text() {
    let original = note::sign("the text\n", NAME, &secret(HOST))
        .unwrap()
        .into_bytes();
    let key = public(HOST);
    assert!(
        Note::parse(&original)
            .unwrap()
            .open(&[(NAME, &key)])
            .is_ok()
    );
    for position in 0..original.len() {
        for bit in 0..8 {
            let mut changed = original.clone();
            changed[position] ^= 1 << bit;
            let opened = Note::parse(&changed).and_then(|note| note.open(&[(NAME, &key)]));
            assert!(opened.is_err(), "byte {position}, bit {bit}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert!(note.open(&[(NAME, &public(HOST))]).is_err());
        }
    }

    #[test]
    fn anything_like_a_note_is_parsed_or_refused(text in "(a|\n|\u{2014} | |\\+|AAAAAAA=){0,24}") {
        if let Ok(note) = Note::parse(text.as_bytes()) {
            prop_assert!(note.unverified_text().ends_with('\n'));
            prop_assert!(text.starts_with(note.unverified_text()));
            prop_assert!(!note.unverified_signatures().is_empty());
        }
    }

    #[test]
    fn every_text_comes_back(lines in prop::collection::vec("[^\\x00-\\x1f]{0,20}", 1..6)) {
        let text = format!("{}\n", lines.join("\n"));
        let note = note::sign(&text, NAME, &secret(HOST)).unwrap();
        let opened = Note::parse(note.as_bytes()).unwrap().open(&[(NAME, &public(HOST))]).unwrap();
        prop_assert_eq!(opened.text(), text);
    }
}
