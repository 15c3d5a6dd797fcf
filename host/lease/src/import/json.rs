//! JSON with fractions, which the files of others have, but without keys that are there twice.

use std::fmt;

use leasehold_seal::CanonicalError;
use leasehold_seal::canonical::MAX_BYTES;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// Reads one value. What lies deeper than 128 levels is refused by the parser itself.
pub(super) fn read(json: &[u8]) -> Result<Value, Refusal> {
    if json.len() > MAX_BYTES {
        let error = CanonicalError::TooLarge {
            bytes: json.len(),
            limit: MAX_BYTES,
        };
        return Err(error.into());
    }
    serde_json::from_slice::<Once>(json)
        .map(|once| once.0)
        .map_err(|error| {
            let text = error.to_string();
            match text.strip_prefix(TWICE) {
                Some(key) => CanonicalError::DuplicateKey(before_place(key).to_owned()).into(),
                None => CanonicalError::Syntax(text).into(),
            }
        })
}

const TWICE: &str = "key twice: ";

/// The message without the line and column that the parser adds.
fn before_place(text: &str) -> &str {
    text.rsplit_once(" at line ")
        .map_or(text, |(before, _)| before)
}

/// A value in which no object has a key twice.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnceVisitor).map(Once)
    }
}

struct OnceVisitor;

impl<'de> Visitor<'de> for OnceVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Once(value))) = entries.next_entry::<String, Once>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!("{TWICE}{key}")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}
