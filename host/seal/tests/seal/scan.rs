//! Canonical text is recognised while a type is read from it, without values in between and without being
//! written again. Here it goes the long way as well, with crate `serde_json_canonicalizer` at its end, for
//! every text one can think of, and both have to come to the same result.

use std::collections::BTreeMap;
use std::fmt::Debug;

use leasehold_seal::canonical::{self, MAX_INTEGER, Value, from_json, from_slice};
use proptest::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

/// The long way: strict reading, writing, comparing.
fn is_canonical(text: &[u8]) -> bool {
    canonical::parse(text)
        .is_ok_and(|value| serde_json_canonicalizer::to_vec(&value).unwrap() == text)
}

/// Asserts that the short way comes to the same result.
fn check(text: &[u8]) -> bool {
    let shown = String::from_utf8_lossy(text);
    let expected = is_canonical(text);
    assert_eq!(from_slice::<Value>(text).is_ok(), expected, "{shown}");
    assert_eq!(
        from_json::<Value>(text).ok(),
        canonical::parse(text).ok(),
        "{shown}"
    );
    if expected {
        assert_eq!(from_slice::<Value>(text), canonical::parse(text), "{shown}");
    }
    check_type::<IgnoredIsUnit>(text);
    check_type::<Shape>(text);
    check_type::<BTreeMap<Name, Kind>>(text);
    check_type::<(u8, Option<String>)>(text);
    expected
}

/// Asserts that a type is read from this text exactly when it is read from its value, and is the same
/// then.
fn check_type<T: DeserializeOwned + Debug + PartialEq>(text: &[u8]) {
    let shown = String::from_utf8_lossy(text);
    let value = canonical::parse(text);
    let expected = value.and_then(canonical::from_value::<T>);
    let direct = from_json::<T>(text);
    assert_eq!(direct, expected, "{shown}");
    if is_canonical(text) {
        assert_eq!(from_slice::<T>(text), expected, "{shown}");
    }
}

/// Skips whatever it is.
#[derive(Debug, PartialEq)]
struct IgnoredIsUnit;

impl<'de> Deserialize<'de> for IgnoredIsUnit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| IgnoredIsUnit)
    }
}

/// One of everything that types are made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    any: Value,
    #[serde(default)]
    count: i16,
    #[serde(default)]
    id: Option<Name>,
    kinds: Vec<Kind>,
    #[serde(default)]
    map: BTreeMap<Name, Option<bool>>,
    pair: (u8, String),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Name(String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Kind {
    Gate,
    Sized(u32),
    Pair(u32, Name),
    Http { port: u16 },
}

fn shape() -> impl Strategy<Value = Shape> {
    let name = || "[a-c\"😀\u{e000}]{0,2}".prop_map(Name);
    let kind = prop_oneof![
        Just(Kind::Gate),
        any::<u32>().prop_map(Kind::Sized),
        (any::<u32>(), name()).prop_map(|(number, name)| Kind::Pair(number, name)),
        any::<u16>().prop_map(|port| Kind::Http { port }),
    ];
    (
        value(),
        any::<i16>(),
        prop::option::of(name()),
        prop::collection::vec(kind, 0..4),
        prop::collection::btree_map(name(), any::<Option<bool>>(), 0..3),
        (any::<u8>(), "[a-c\n]{0,3}"),
    )
        .prop_map(|(any, count, id, kinds, map, pair)| Shape {
            any,
            count,
            id,
            kinds,
            map,
            pair,
        })
}

/// Texts that nearly are what a type is read from.
#[test]
fn types_are_read_as_from_their_values() {
    for text in [
        r#"{"any":0,"kinds":[],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":["gate"],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[{"gate":null}],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[xgate"],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[gate],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":["sized"],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[{"sized":1}],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[{"sized":1,"zed":2}],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[{}],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[{"pair":[1,"x"]}],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[{"pair":[1]}],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[{"pair":[1,"x",2]}],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[{"http":{"port":1}}],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[{"http":[1]}],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[{"http":{"port":65536}}],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[{"http":{"port":1,"x":2}}],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[0],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[null],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":{},"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[],"pair":[1,"a",2]}"#,
        r#"{"any":0,"kinds":[],"pair":[1]}"#,
        r#"{"any":0,"kinds":[],"pair":{"0":1,"1":"a"}}"#,
        r#"{"any":0,"id":null,"kinds":[],"pair":[1,"a"]}"#,
        r#"{"any":0,"id":"x","kinds":[],"pair":[1,"a"]}"#,
        r#"{"any":0,"id":["x"],"kinds":[],"pair":[1,"a"]}"#,
        r#"{"any":0,"count":-32769,"kinds":[],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[],"map":{"a":null,"b":true},"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[],"map":{"b":null,"a":true},"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[],"map":{"a":null,"a":true},"pair":[1,"a"]}"#,
        r#"{"kinds":[],"any":0,"pair":[1,"a"]}"#,
        r#"{"any":0,"any":0,"kinds":[],"pair":[1,"a"]}"#,
        r#"{"any":0,"kinds":[],"other":1,"pair":[1,"a"]}"#,
        r#"[0,[],[1,"a"]]"#,
        r#"[1,"a"]"#,
        r#"[1,null]"#,
        r#"[1,null,2]"#,
        r#"{"a":"gate","b":{"sized":1}}"#,
        r#"{"a":"gate","a":"gate"}"#,
    ] {
        check(text.as_bytes());
    }
}

#[test]
fn every_character_has_one_spelling() {
    for number in 0..=0x11_0000_u32 {
        let Some(character) = char::from_u32(number) else {
            continue;
        };
        let mut units = [0; 2];
        let spelled = |upper: bool, units: &[u16]| -> String {
            let one = |unit: &u16| match upper {
                true => format!("\\u{unit:04X}"),
                false => format!("\\u{unit:04x}"),
            };
            units.iter().map(one).collect()
        };
        let units = &*character.encode_utf16(&mut units);
        // Beyond the first plane, a sample: the way through the code does not change any more.
        if number > 0xffff && number % 257 != 0 {
            continue;
        }
        let raw = format!("\"{character}\"");
        let spellings = [
            raw.clone(),
            format!("\"{}\"", spelled(false, units)),
            format!("\"{}\"", spelled(true, units)),
            format!("\"\\{character}\""),
        ];
        let mut canonical: Vec<&String> = spellings
            .iter()
            .filter(|text| from_slice::<String>(text.as_bytes()) == Ok(character.to_string()))
            .collect();
        canonical.dedup();
        assert_eq!(
            canonical.len(),
            usize::from(!"\u{8}\t\n\u{c}\r".contains(character)),
            "{raw}"
        );
        if number < 0x3000 {
            spellings.iter().for_each(|text| {
                check(text.as_bytes());
            });
        }
    }
    for short in ["\\b", "\\t", "\\n", "\\f", "\\r", "\\\"", "\\\\"] {
        assert!(check(format!("\"{short}\"").as_bytes()), "{short}");
    }
    for long in [
        "\\/", "\\a", "\\0", "\\x41", "\\u41", "\\u004", "\\U0041", "\\", "\\u00 1", "\\u00+1",
    ] {
        assert!(!check(format!("\"{long}\"").as_bytes()), "{long}");
    }
}

/// What ends a run of plain bytes is found at every place of a run, whatever stands before and after it.
#[test]
fn the_end_of_a_string_is_found_at_every_place() {
    for length in 0..40 {
        for filler in ["a", "!", "#", " ", "[", "]", "\u{7f}", "é", "€", "😀"] {
            let plain = filler.repeat(length);
            assert!(check(format!("\"{plain}\"").as_bytes()), "{plain}");
            assert!(
                check(format!("[\"{plain}\",\"{plain}\"]").as_bytes()),
                "{plain}"
            );
            assert!(!check(format!("\"{plain}").as_bytes()), "{plain}");
            for (inside, canonical) in [
                ("\\\"", true),
                ("\\\\", true),
                ("\\n", true),
                ("\\u001f", true),
                ("\\u001F", false),
                ("\\u0020", false),
                ("\u{1f}", false),
                ("\n", false),
                ("\0", false),
                ("\"", false),
            ] {
                for after in 0..10 {
                    let text = format!("\"{plain}{inside}{}\"", filler.repeat(after));
                    assert_eq!(check(text.as_bytes()), canonical, "{text}");
                }
            }
        }
    }
}

#[test]
fn numbers_have_one_spelling() {
    for (text, canonical) in [
        ("0", true),
        ("-0", false),
        ("00", false),
        ("-", false),
        ("--1", false),
        ("+1", false),
        ("01", false),
        ("-01", false),
        ("-1", true),
        ("10", true),
        ("1.0", false),
        ("1e0", false),
        ("1E0", false),
        ("1.", false),
        (".1", false),
        ("9007199254740991", true),
        ("-9007199254740991", true),
        ("9007199254740992", false),
        ("-9007199254740992", false),
        ("90071992547409910", false),
        ("99999999999999999999999999999999999999", false),
        ("18446744073709551617", false),
        ("1 ", false),
        ("1x", false),
        ("[1,2]", true),
        ("[1,-2,0]", true),
        ("[1,]", false),
        ("[,1]", false),
        ("[1 ,2]", false),
        ("{\"a\":1}", true),
        ("{\"a\":01}", false),
        ("{\"a\" :1}", false),
        ("{\"a\":1,}", false),
        ("{,\"a\":1}", false),
        ("{1:1}", false),
        ("{\"a\"}", false),
        ("[1}", false),
        ("{\"a\":1]", false),
        ("tru", false),
        ("truex", false),
        ("nulL", false),
        ("[true,false,null]", true),
        ("", false),
    ] {
        assert_eq!(check(text.as_bytes()), canonical, "{text}");
    }
}

#[test]
fn keys_are_compared_as_they_are_meant_not_as_they_are_spelled() {
    for (smaller, greater) in [
        ("", "a"),
        ("a", "aa"),
        ("a", "b"),
        ("A", "a"),
        // Spelled with a backslash, which is greater than `#`.
        ("\\\"", "#"),
        ("\\n", " "),
        ("\\u0000", "\\b"),
        ("Z", "\\\\"),
        ("\\\\", "]"),
        ("\u{7f}", "é"),
        ("é", "€"),
        // UTF-16 has surrogates, D800 to DFFF, below what follows them; UTF-8 has them above.
        ("\u{d7ff}", "😀"),
        ("😀", "\u{e000}"),
        ("😀", "\u{fb33}"),
        ("\u{10ffff}", "\u{ffff}"),
        ("a😀", "a\u{ffff}"),
        ("\u{e000}", "\u{e001}"),
        ("😀", "😁"),
    ] {
        let object = |one: &str, two: &str| format!("{{\"{one}\":0,\"{two}\":0}}");
        assert!(
            check(object(smaller, greater).as_bytes()),
            "{smaller} {greater}"
        );
        assert!(
            !check(object(greater, smaller).as_bytes()),
            "{smaller} {greater}"
        );
        assert!(!check(object(smaller, smaller).as_bytes()), "{smaller}");
        assert!(!check(object(greater, greater).as_bytes()), "{greater}");
    }
    assert!(!check(br#"{"a":0,"\u0061":0}"#));
}

/// Pieces of which JSON, and what nearly is JSON, consists.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "\\",
            "\"\"",
            "\"a\"",
            "\"b\"",
            "\"a\":",
            "\"b\":",
            " ",
            "\n",
            "0",
            "-",
            "1",
            "-0",
            ".",
            "e",
            "true",
            "false",
            "null",
            "\\u0000",
            "\\u001F",
            "\\n",
            "\u{1f}",
            "\u{feff}",
            "é",
            "😀",
            "\u{fffd}",
            "9007199254740991",
            "9007199254740992",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ]
}

/// Values with much that can go wrong in them: short keys, escapes, characters of all planes.
fn value() -> impl Strategy<Value = Value> {
    let text = || {
        prop::collection::vec(
            prop_oneof![
                any::<char>(),
                prop::sample::select(vec!['a', 'b', '"', '\\', '\n', '\u{1}', '\u{e000}', '😀']),
            ],
            0..6,
        )
        .prop_map(|letters| letters.into_iter().collect::<String>())
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::from),
        (-20i64..20).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// An object as its entries come, in any order and perhaps with a key twice.
struct Entries(Vec<(String, Value)>);

impl serde::Serialize for Entries {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

proptest! {
    #[test]
    fn every_type_comes_back(shape in shape()) {
        let text = canonical::to_vec(&shape).unwrap();
        prop_assert!(check(&text));
        prop_assert_eq!(from_slice::<Shape>(&text), Ok(shape.clone()));
        prop_assert_eq!(text, serde_json_canonicalizer::to_vec(&shape).unwrap());
    }

    #[test]
    fn a_type_after_one_change_is_judged_as_the_long_way_does(
        shape in shape(),
        place in any::<prop::sample::Index>(),
        cut in 0usize..3,
        piece in prop_oneof![Just(String::new()), piece()],
    ) {
        let mut text = canonical::to_vec(&shape).unwrap();
        let start = place.index(text.len() + 1);
        let end = text.len().min(start + cut);
        text.splice(start..end, piece.bytes());
        check(&text);
    }

    #[test]
    fn what_is_written_is_what_the_canonicalizer_writes(
        entries in prop::collection::vec(("[ab\"\\\\\n\u{e000}😀]{0,2}", value()), 0..6),
        bare in value(),
    ) {
        let value = Entries(entries);
        let expected = serde_json_canonicalizer::to_vec(&value).ok();
        prop_assert_eq!(canonical::to_vec(&value).ok(), expected);
        let expected = serde_json_canonicalizer::to_vec(&bare).ok();
        prop_assert_eq!(canonical::to_vec(&bare).ok(), expected);
    }

    #[test]
    fn what_is_canonical_is_taken(value in value()) {
        let text = serde_json_canonicalizer::to_vec(&value).unwrap();
        prop_assert!(check(&text));
        prop_assert_eq!(from_slice::<Value>(&text), Ok(value));
    }

    #[test]
    fn one_change_is_judged_as_the_long_way_does(
        value in value(),
        place in any::<prop::sample::Index>(),
        cut in 0usize..3,
        piece in prop_oneof![Just(String::new()), piece()],
    ) {
        let mut text = serde_json_canonicalizer::to_vec(&value).unwrap();
        let start = place.index(text.len() + 1);
        let end = text.len().min(start + cut);
        text.splice(start..end, piece.bytes());
        check(&text);
    }

    #[test]
    fn pieces_are_judged_as_the_long_way_does(pieces in prop::collection::vec(piece(), 0..12)) {
        check(pieces.concat().as_bytes());
    }

    #[test]
    fn any_bytes_are_judged_as_the_long_way_does(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
        check(&bytes);
        check(&[b"\"".as_slice(), &bytes, b"\""].concat());
    }
}
