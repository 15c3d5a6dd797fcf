//! Reading and writing types, limits, and properties that hold for every value.

use std::collections::BTreeMap;

use leasehold_seal::canonical::{
    self, CanonicalError, MAX_BYTES, MAX_INTEGER, Value, from_json, from_slice, to_vec,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::support::code;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(default)]
    grants: Vec<Grant>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    id: String,
    kind: Kind,
    #[serde(default)]
    limits: BTreeMap<Name, u64>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Name(String);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Kind {
    Gate,
    Sized(u32),
    Pair(u32, u32),
    Http { port: u16 },
}

fn document() -> Document {
    let grant = |id: &str, kind| Grant {
        id: id.to_owned(),
        kind,
        limits: BTreeMap::from([(Name("fuel".to_owned()), 10)]),
    };
    Document {
        version: 1,
        parent: Some("p".to_owned()),
        grants: vec![
            grant("a", Kind::Gate),
            grant("b", Kind::Sized(2)),
            grant("c", Kind::Pair(3, 4)),
            grant("d", Kind::Http { port: 443 }),
        ],
    }
}

#[test]
fn what_is_written_is_read_back() {
    let bytes = to_vec(&document()).unwrap();
    assert_eq!(
        std::str::from_utf8(&bytes).unwrap(),
        r#"{"grants":[{"id":"a","kind":"gate","limits":{"fuel":10}},{"id":"b","kind":{"sized":2},"limits":{"fuel":10}},{"id":"c","kind":{"pair":[3,4]},"limits":{"fuel":10}},{"id":"d","kind":{"http":{"port":443}},"limits":{"fuel":10}}],"parent":"p","version":1}"#
    );
    assert_eq!(from_slice::<Document>(&bytes), Ok(document()));
    assert_eq!(from_json::<Document>(&bytes), Ok(document()));
}

#[test]
fn by_hand_the_form_is_free_but_nothing_else() {
    let by_hand = br#"
        { "version": 1,
          "parent": "\u0070" }
    "#;
    let expected = Document {
        version: 1,
        parent: Some("p".to_owned()),
        grants: vec![],
    };
    assert_eq!(from_json::<Document>(by_hand), Ok(expected));
    assert_eq!(code(from_slice::<Document>(by_hand)), "JSON-NOT-CANONICAL");
    for (input, expected) in [
        (r#"{"version":1,"version":1}"#, "JSON-DUPLICATE-KEY"),
        (r#"{"version":1.0}"#, "JSON-NUMBER"),
        (r#"{"version":1,"x":9007199254740993}"#, "JSON-NUMBER"),
        (r#"{"version":1,"x":1}"#, "JSON-FIELD"),
        (r#"{"version":1} x"#, "JSON-SYNTAX"),
    ] {
        assert_eq!(
            code(from_json::<Document>(input.as_bytes())),
            expected,
            "{input}"
        );
    }
}

#[test]
fn the_first_byte_out_of_form_is_named() {
    for (input, offset) in [
        (r#"{"a":1,"b":2} "#, 13),
        (r#"{"a":1, "b":2}"#, 7),
        (r#"{"b":1,"a":2}"#, 2),
        (r#" {}"#, 0),
    ] {
        assert_eq!(
            from_slice::<Value>(input.as_bytes()),
            Err(CanonicalError::NotCanonical { offset }),
            "{input}"
        );
    }
}

#[test]
fn an_error_names_its_field() {
    for (input, path, message) in [
        (r#"{}"#, "", "missing field `version`"),
        (r#"{"version":1,"x":2}"#, "", "unknown field `x`"),
        (r#"{"version":"1"}"#, "version", "invalid type: string"),
        (
            r#"{"version":256}"#,
            "version",
            "invalid value: integer `256`",
        ),
        (
            r#"{"version":-1}"#,
            "version",
            "invalid value: integer `-1`",
        ),
        (
            r#"{"version":1,"parent":1}"#,
            "parent",
            "invalid type: integer",
        ),
        (
            r#"{"version":1,"grants":{}}"#,
            "grants",
            "invalid type: map",
        ),
        (
            r#"{"version":1,"grants":[{"id":"a"}]}"#,
            "grants[0]",
            "missing field `kind`",
        ),
        (
            r#"{"version":1,"grants":[{"id":"a","kind":"gate"},{"id":"b","kind":"gates"}]}"#,
            "grants[1].kind",
            "unknown variant `gates`",
        ),
        (
            r#"{"version":1,"grants":[{"id":"a","kind":{"sized":"x"}}]}"#,
            "grants[0].kind.sized",
            "invalid type: string",
        ),
        (
            r#"{"version":1,"grants":[{"id":"a","kind":{"http":{"port":"x"}}}]}"#,
            "grants[0].kind.http.port",
            "invalid type: string",
        ),
        (
            r#"{"version":1,"grants":[{"id":"a","kind":"gate","limits":{"fuel":"x"}}]}"#,
            "grants[0].limits.fuel",
            "invalid type: string",
        ),
    ] {
        let Err(CanonicalError::Field {
            path: found,
            message: said,
        }) = from_json::<Document>(input.as_bytes())
        else {
            panic!("{input} was read");
        };
        assert_eq!(found, path, "{input}");
        assert!(said.starts_with(message), "{input}: {said}");
    }
}

#[test]
fn there_is_no_second_spelling_of_a_document() {
    for input in [
        // Derived code would take an array for a struct, also inside, and for a struct variant.
        r#"[1,"p",[]]"#,
        r#"{"version":1,"grants":[["a","gate"]]}"#,
        r#"{"version":1,"grants":[{"id":"a","kind":{"http":[443]}}]}"#,
        // An object with content for a variant that has none, and the other way round.
        r#"{"version":1,"grants":[{"id":"a","kind":{"gate":null}}]}"#,
        r#"{"version":1,"grants":[{"id":"a","kind":"sized"}]}"#,
        r#"{"version":1,"grants":[{"id":"a","kind":{"sized":1,"pair":[1,2]}}]}"#,
        r#"{"version":1,"grants":[{"id":"a","kind":{}}]}"#,
        r#"{"version":1,"grants":[{"id":"a","kind":["gate"]}]}"#,
        r#"{"version":1,"grants":[{"id":"a","kind":{"pair":[1,2,3]}}]}"#,
        r#"{"version":1,"grants":[{"id":"a","kind":{"pair":[1]}}]}"#,
    ] {
        assert_eq!(
            code(from_json::<Document>(input.as_bytes())),
            "JSON-FIELD",
            "{input}"
        );
    }
    // The twin: the proper spelling.
    let proper = r#"{"version":1,"grants":[{"id":"a","kind":{"http":{"port":443}}}]}"#;
    assert_eq!(code(from_json::<Document>(proper.as_bytes())), "");
}

#[test]
fn only_exact_integers_are_written() {
    for exact in [0, 1, -1, MAX_INTEGER, -MAX_INTEGER] {
        assert_eq!(to_vec(&exact).unwrap(), exact.to_string().into_bytes());
    }
    for inexact in [
        MAX_INTEGER + 1,
        MAX_INTEGER + 2,
        -MAX_INTEGER - 1,
        i64::MAX,
        i64::MIN,
    ] {
        assert_eq!(code(to_vec(&inexact)), "JSON-NUMBER", "{inexact}");
    }
    assert_eq!(code(to_vec(&u64::MAX)), "JSON-NUMBER");
    assert_eq!(code(to_vec(&u128::MAX)), "JSON-NUMBER");
    assert_eq!(to_vec(&7u128).unwrap(), b"7");
    assert_eq!(to_vec(&-7i128).unwrap(), b"-7");
    // Wherever it stands: what is nested takes another way through the writer than what is not.
    for float in [
        0.0,
        -0.0,
        0.5,
        1.0,
        1e300,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ] {
        #[derive(Serialize)]
        enum Anywhere {
            Newtype(f64),
            Tuple(u8, f64),
            Struct { field: f64 },
        }
        assert_eq!(code(to_vec(&float)), "JSON-NUMBER", "{float}");
        assert_eq!(code(to_vec(&[float])), "JSON-NUMBER", "{float}");
        assert_eq!(code(to_vec(&(1, float))), "JSON-NUMBER", "{float}");
        assert_eq!(
            code(to_vec(&Some(Box::new(float)))),
            "JSON-NUMBER",
            "{float}"
        );
        assert_eq!(
            code(to_vec(&BTreeMap::from([("a", [float])]))),
            "JSON-NUMBER",
            "{float}"
        );
        assert_eq!(
            code(to_vec(&Anywhere::Newtype(float))),
            "JSON-NUMBER",
            "{float}"
        );
        assert_eq!(
            code(to_vec(&Anywhere::Tuple(1, float))),
            "JSON-NUMBER",
            "{float}"
        );
        assert_eq!(
            code(to_vec(&Anywhere::Struct { field: float })),
            "JSON-NUMBER",
            "{float}"
        );
    }
    assert_eq!(code(to_vec(&f32::NAN)), "JSON-NUMBER");
    assert_eq!(code(to_vec(&[1.5f32])), "JSON-NUMBER");
}

#[test]
fn only_string_keys_are_written_and_each_once() {
    struct Twice;
    impl Serialize for Twice {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([("a", 1), ("a", 2)])
        }
    }
    assert_eq!(code(to_vec(&Twice)), "JSON-UNWRITABLE");
    assert_eq!(
        code(to_vec(&BTreeMap::from([((1, 2), 3)]))),
        "JSON-UNWRITABLE"
    );
    assert_eq!(to_vec(&BTreeMap::from([("a", 1)])).unwrap(), b"{\"a\":1}");
}

#[test]
fn nothing_is_written_that_is_nested_too_deeply_to_be_read() {
    let nested = |depth| (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    assert_eq!(code(to_vec(&nested(64))), "");
    assert_eq!(code(to_vec(&nested(65))), "JSON-DEPTH");

    // Every kind of value that opens an array or object counts as what it opens.
    #[derive(Serialize)]
    enum Opening {
        Newtype(Value),
        Tuple(u8, Value),
        Struct { field: Value },
    }
    #[derive(Serialize)]
    struct Plain {
        field: Value,
    }
    #[derive(Serialize)]
    struct Tuple(u8, Value);
    #[derive(Serialize)]
    struct Newtype(Value);
    let just_fits_below = |depth, read: Result<Vec<u8>, CanonicalError>, more| {
        let bytes = read.unwrap();
        assert_eq!(code(canonical::parse(&bytes)), "", "{depth}");
        assert_eq!(
            code::<Vec<u8>, CanonicalError>(more),
            "JSON-DEPTH",
            "{depth}"
        );
    };
    let opening = |wrap: fn(Value) -> Opening, depth| {
        just_fits_below(
            depth,
            to_vec(&wrap(nested(64 - depth))),
            to_vec(&wrap(nested(65 - depth))),
        );
    };
    opening(Opening::Newtype, 1);
    opening(|inner| Opening::Tuple(0, inner), 2);
    opening(|field| Opening::Struct { field }, 2);
    let plain = |depth| {
        to_vec(&Plain {
            field: nested(depth),
        })
    };
    just_fits_below(1, plain(63), plain(64));
    let tuple = |depth| to_vec(&Tuple(0, nested(depth)));
    just_fits_below(1, tuple(63), tuple(64));
    let pair = |depth| to_vec(&(0, nested(depth)));
    just_fits_below(1, pair(63), pair(64));
    let map = |depth| to_vec(&BTreeMap::from([("a", nested(depth))]));
    just_fits_below(1, map(63), map(64));
    let newtype = |depth| to_vec(&Newtype(nested(depth)));
    just_fits_below(0, newtype(64), newtype(65));
}

#[test]
fn size_limits_hold_to_the_byte() {
    let of_length = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    let longest = of_length(MAX_BYTES);
    assert_eq!(code(canonical::parse(longest.as_bytes())), "");
    assert_eq!(code(from_slice::<String>(longest.as_bytes())), "");
    assert_eq!(code(from_json::<String>(longest.as_bytes())), "");
    assert_eq!(code(to_vec(&longest[1..MAX_BYTES - 1])), "");
    let too_long = of_length(MAX_BYTES + 1);
    assert_eq!(
        code(canonical::parse(too_long.as_bytes())),
        "JSON-TOO-LARGE"
    );
    assert_eq!(
        code(from_slice::<String>(too_long.as_bytes())),
        "JSON-TOO-LARGE"
    );
    assert_eq!(
        code(from_json::<String>(too_long.as_bytes())),
        "JSON-TOO-LARGE"
    );
    assert_eq!(code(to_vec(&too_long[1..MAX_BYTES])), "JSON-TOO-LARGE");

    assert_eq!(code(canonical::parse_limited(b"1234", 4)), "");
    assert_eq!(
        code(canonical::parse_limited(b"12345", 4)),
        "JSON-TOO-LARGE"
    );
    assert_eq!(code(canonical::from_slice_limited::<u64>(b"1234", 4)), "");
    assert_eq!(
        code(canonical::from_slice_limited::<u64>(b"12345", 4)),
        "JSON-TOO-LARGE"
    );
    assert_eq!(code(canonical::from_json_limited::<u64>(b"1234", 4)), "");
    assert_eq!(
        code(canonical::from_json_limited::<u64>(b"12345", 4)),
        "JSON-TOO-LARGE"
    );
    assert_eq!(code(canonical::to_vec_limited(&1234, 4)), "");
    assert_eq!(code(canonical::to_vec_limited(&12345, 4)), "JSON-TOO-LARGE");
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    for opening in ["[", "{\"a\":"] {
        let deep = opening.repeat(MAX_BYTES / opening.len());
        assert_eq!(code(canonical::parse(deep.as_bytes())), "JSON-DEPTH");
    }
}

/// Any value this project can write.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_comes_back(value in any_value()) {
        let bytes = to_vec(&value).unwrap();
        prop_assert_eq!(&from_slice::<Value>(&bytes).unwrap(), &value);
        // Any other spelling has the same canonical form, and is refused where that is asked for.
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(&to_vec(&canonical::parse(&pretty).unwrap()).unwrap(), &bytes);
        prop_assert_eq!(from_slice::<Value>(&pretty).is_ok(), pretty == bytes);
    }

    #[test]
    fn keys_are_in_the_order_of_their_utf16_code_units(
        keys in prop::collection::hash_set(any::<String>(), 0..12)
    ) {
        let map: BTreeMap<&String, u8> = keys.iter().map(|key| (key, 0)).collect();
        let mut sorted: Vec<&String> = keys.iter().collect();
        sorted.sort_by_key(|key| key.encode_utf16().collect::<Vec<u16>>());
        let members: Vec<String> = sorted
            .iter()
            .map(|key| format!("{}:0", serde_json::to_string(key).unwrap()))
            .collect();
        let expected = format!("{{{}}}", members.join(","));
        prop_assert_eq!(String::from_utf8(to_vec(&map).unwrap()).unwrap(), expected);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = canonical::parse(&bytes) {
            // What serde_json alone understands is the same.
            prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), value);
        }
    }

    #[test]
    fn anything_like_json_is_read_or_refused(text in r#"[\[\]{}",:0-9eE.\\u aZ+-]{0,40}"#) {
        match (canonical::parse(text.as_bytes()), serde_json::from_str::<Value>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            // We may only refuse more.
            (Ok(ours), Err(error)) => prop_assert!(false, "{text}: {ours} but {error}"),
            (Err(CanonicalError::Syntax(_)), Ok(theirs)) => prop_assert!(false, "{text}: {theirs}"),
            (Err(_), _) => {}
        }
    }
}
