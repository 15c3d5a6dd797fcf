//! The strict reader: serde_json does the parsing, a visitor of ours refuses what it would let pass.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{CanonicalError, MAX_DEPTH, MAX_INTEGER};

/// Which numbers are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Integers within ±[`MAX_INTEGER`].
    Integers,
    /// Whatever JSON allows and a double can hold.
    Any,
}

pub(super) fn parse(
    bytes: &[u8],
    max_bytes: usize,
    numbers: Numbers,
) -> Result<Value, CanonicalError> {
    check_size(bytes, max_bytes)?;
    let text = std::str::from_utf8(bytes)
        .map_err(|error| CanonicalError::Syntax(format!("not UTF-8: {error}")))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let refusal = RefCell::new(None);
    let strict = Strict {
        numbers,
        depth: 0,
        refusal: &refusal,
    };
    let value = strict
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    // serde errors carry only text, so what we refused ourselves comes by the side.
    match (value, refusal.into_inner()) {
        (_, Some(refusal)) => Err(refusal),
        (Ok(value), None) => Ok(value),
        (Err(error), None) => Err(CanonicalError::Syntax(error.to_string())),
    }
}

pub(super) fn check_size(bytes: &[u8], max_bytes: usize) -> Result<(), CanonicalError> {
    if bytes.len() > max_bytes {
        return Err(CanonicalError::TooLarge {
            bytes: bytes.len(),
            limit: max_bytes,
        });
    }
    Ok(())
}

/// Reads one value at a known depth.
#[derive(Clone, Copy)]
struct Strict<'a> {
    numbers: Numbers,
    /// How many arrays and objects lie around this value.
    depth: usize,
    refusal: &'a RefCell<Option<CanonicalError>>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(&self, refusal: CanonicalError) -> E {
        let error = E::custom(&refusal);
        self.refusal.replace(Some(refusal));
        error
    }

    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.refuse(CanonicalError::Depth));
        }
        Ok(Strict {
            depth: self.depth + 1,
            ..*self
        })
    }

    fn integer<E: serde::de::Error>(&self, number: Number, within_range: bool) -> Result<Value, E> {
        if within_range || self.numbers == Numbers::Any {
            Ok(Value::Number(number))
        } else {
            Err(self.refuse(CanonicalError::Number(number.to_string())))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.integer(value.into(), value <= MAX_INTEGER.unsigned_abs())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        let within_range = value.unsigned_abs() <= MAX_INTEGER.unsigned_abs();
        self.integer(value.into(), within_range)
    }

    // Also `-0`, and integers too large for 64 bits.
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value)
            .ok_or_else(|| self.refuse(CanonicalError::Number(value.to_string())))?;
        self.integer(number, false)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(self.refuse(CanonicalError::DuplicateKey(key)));
            }
            let value = access.next_value_seed(inner)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
