//! A value read from JSON, as far as possible borrowed from the text it was read from.

use std::borrow::Cow;

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::{Number, Value};

use super::scan::order;

/// What types are read from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node<'a> {
    Null,
    // Two variants rather than one that holds a byte: so every content is aligned, and nodes move faster.
    False,
    True,
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    /// No key twice.
    Object(Vec<Entry<'a>>),
}

/// A key and its value.
pub(super) type Entry<'a> = (Cow<'a, str>, Node<'a>);

impl Node<'_> {
    /// Sorts the keys of every object; `false` when one of them occurs twice.
    pub(super) fn sort_keys(&mut self) -> bool {
        match self {
            Node::List(items) => items.iter_mut().all(Node::sort_keys),
            Node::Object(entries) => {
                entries.sort_unstable_by(|(one, _), (other, _)| order(one, other));
                let differ = |pair: &[Entry<'_>]| match pair {
                    [(one, _), (other, _)] => one != other,
                    _ => true,
                };
                entries.windows(2).all(differ)
                    && entries.iter_mut().all(|(_, value)| value.sort_keys())
            }
            _ => true,
        }
    }
}

impl From<Value> for Node<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Node::Null,
            Value::Bool(false) => Node::False,
            Value::Bool(true) => Node::True,
            Value::Number(number) => Node::Number(number),
            Value::String(text) => Node::Text(Cow::Owned(text)),
            Value::Array(items) => Node::List(items.into_iter().map(Node::from).collect()),
            Value::Object(map) => Node::Object(
                map.into_iter()
                    .map(|(key, value)| (Cow::Owned(key), Node::from(value)))
                    .collect(),
            ),
        }
    }
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Node::Null => serializer.serialize_unit(),
            Node::False => serializer.serialize_bool(false),
            Node::True => serializer.serialize_bool(true),
            Node::Number(number) => number.serialize(serializer),
            Node::Text(text) => serializer.serialize_str(text),
            Node::List(items) => serializer.collect_seq(items),
            Node::Object(entries) => {
                serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

/// How many entries an object is given room for at once.
const USUAL_ENTRIES: usize = 8;

/// Takes every key, also one that occurs twice.
impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node<'de>, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(if value { Node::True } else { Node::False })
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node<'de>, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node<'de>, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_string<E>(self, text: String) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node<'de>, A::Error> {
        let mut entries = Vec::with_capacity(USUAL_ENTRIES);
        while let Some(Key(key)) = access.next_key()? {
            entries.push((key, access.next_value()?));
        }
        Ok(Node::Object(entries))
    }
}

/// A key, borrowed where it can be: serde's own reading of a `Cow` always copies.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key<'de>, D::Error> {
        match Node::deserialize(deserializer)? {
            Node::Text(key) => Ok(Key(key)),
            _ => Err(serde::de::Error::custom("a key is a string")),
        }
    }
}
