//! Strict JSON in, RFC 8785 out: `leasehold_seal::canonical`.

use std::collections::BTreeMap;

use leasehold_seal::canonical::{self, Value};
use serde::{Deserialize, Serialize};

use crate::reference;

/// A type with all that documents are made of.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Probe {
    #[serde(default)]
    number: u64,
    #[serde(default)]
    small: i8,
    #[serde(default)]
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    option: Option<bool>,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    map: BTreeMap<String, i64>,
    #[serde(default)]
    list: Vec<Probe>,
    #[serde(default)]
    any: Value,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    First,
    Second,
    Holds(u8),
    Names {
        inner: Box<Probe>,
    },
}

/// The oracle.
pub fn check(data: &[u8]) {
    let read = canonical::parse(data);
    let expected = reference::read(data);
    assert_eq!(
        read.is_ok(),
        expected.is_some(),
        "the two readers disagree: {read:?}, {expected:?}"
    );
    let (Ok(value), Some(expected)) = (read, expected) else {
        assert!(canonical::from_slice::<Value>(data).is_err());
        assert!(canonical::from_json::<Probe>(data).is_err());
        return;
    };
    assert_eq!(value, reference::to_value(&expected));
    let loose: Value = serde_json::from_slice(data).expect("serde_json is no stricter");
    assert_eq!(value, loose, "serde_json understands something else");

    let written = canonical::to_vec(&value).expect("what was read can be written");
    assert_eq!(
        String::from_utf8_lossy(&written),
        reference::write(&expected),
        "another canonical form"
    );
    assert_eq!(
        written,
        serde_json_canonicalizer::to_vec(&value).expect("as above")
    );
    assert_eq!(
        canonical::from_slice::<Value>(data).is_ok(),
        written == data,
        "canonical or not?"
    );
    assert_eq!(
        canonical::from_slice::<Value>(&written).expect("our own form"),
        value
    );
    typed(data, &written);
}

/// Reading by type accepts no more than serde_json does, and means the same; writing by type is writing the value.
fn typed(data: &[u8], canonical_form: &[u8]) {
    // Which of several unknown fields is named goes by their order; whether it is refused does not.
    let probe = canonical::from_json::<Probe>(data);
    assert_eq!(
        probe.as_ref().ok(),
        canonical::from_json::<Probe>(canonical_form).as_ref().ok(),
        "spelling must not matter"
    );
    let strictly = canonical::from_slice::<Probe>(canonical_form);
    assert_eq!(
        probe.as_ref().ok(),
        strictly.as_ref().ok(),
        "by type: {probe:?}, {strictly:?}"
    );
    let Ok(probe) = probe else {
        return;
    };
    let loose: Probe = serde_json::from_slice(data).expect("serde_json is no stricter");
    assert_eq!(probe, loose, "serde_json understands something else");
    // A default that is written makes the text longer and deeper, so writing may meet a limit; nothing else.
    match canonical::to_vec(&probe) {
        Ok(written) => {
            let value = serde_json::to_value(&probe).expect("it came from JSON");
            assert_eq!(Ok(&written), canonical::to_vec(&value).as_ref());
            assert_eq!(
                canonical::from_slice::<Probe>(&written).expect("our own form"),
                probe
            );
        }
        Err(error) => assert!(
            matches!(
                error,
                canonical::CanonicalError::Depth | canonical::CanonicalError::TooLarge { .. }
            ),
            "{error:?}"
        ),
    }
}
