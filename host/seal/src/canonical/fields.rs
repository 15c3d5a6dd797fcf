//! From a JSON value to a type. Two things differ from `serde_json::from_value`: a struct is read from
//! an object only (derived code would also take an array, a second spelling of the same document), and
//! an error says where it is.

use std::borrow::Cow;
use std::fmt;

use super::CanonicalError;
use super::node::{Entry, Node};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

pub(super) fn read<'de, T: Deserialize<'de>>(value: Node<'de>) -> Result<T, CanonicalError> {
    T::deserialize(Field(value)).map_err(|error| CanonicalError::Field {
        path: error.path(),
        message: error.message,
    })
}

/// A value that is read as a field of something.
pub(super) struct Field<'de>(pub(super) Node<'de>);

impl<'de> Deserializer<'de> for Field<'de> {
    type Error = Located;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Located> {
        match self.0 {
            Node::Null => visitor.visit_unit(),
            Node::False => visitor.visit_bool(false),
            Node::True => visitor.visit_bool(true),
            Node::Number(number) => {
                if let Some(value) = number.as_u64() {
                    visitor.visit_u64(value)
                } else if let Some(value) = number.as_i64() {
                    visitor.visit_i64(value)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Node::Text(Cow::Borrowed(value)) => visitor.visit_borrowed_str(value),
            Node::Text(Cow::Owned(value)) => visitor.visit_string(value),
            Node::List(items) => {
                let mut items = Items {
                    rest: items.into_iter(),
                    index: 0,
                };
                let value = visitor.visit_seq(&mut items)?;
                match items.rest.len() {
                    0 => Ok(value),
                    rest => Err(Located::custom(format_args!("{rest} items too many"))),
                }
            }
            Node::Object(entries) => {
                let mut entries = Entries {
                    rest: entries.into_iter(),
                    current: None,
                };
                let value = visitor.visit_map(&mut entries)?;
                match entries.rest.next() {
                    None => Ok(value),
                    Some((key, _)) => Err(Located::custom(format_args!("{key:?} is too many"))),
                }
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Located> {
        if matches!(self.0, Node::List(_)) {
            return Err(Located::invalid_type(Unexpected::Seq, &visitor));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Located> {
        match self.0 {
            Node::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Located> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Located> {
        match self.0 {
            Node::Text(name) => visitor.visit_enum(Variant {
                name,
                content: None,
            }),
            Node::Object(entries) => {
                let mut entries = entries.into_iter();
                match (entries.next(), entries.next()) {
                    (Some((name, content)), None) => visitor.visit_enum(Variant {
                        name,
                        content: Some(content),
                    }),
                    _ => Err(Located::invalid_value(
                        Unexpected::Map,
                        &"an object with exactly one key",
                    )),
                }
            }
            _ => Err(Located::custom("expected a string or an object")),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'de> {
    rest: std::vec::IntoIter<Node<'de>>,
    index: usize,
}

impl<'de> SeqAccess<'de> for &mut Items<'de> {
    type Error = Located;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Located> {
        let Some(item) = self.rest.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        seed.deserialize(Field(item))
            .map(Some)
            .map_err(|error| error.inside(format!("[{index}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Entries<'de> {
    rest: std::vec::IntoIter<Entry<'de>>,
    /// The key whose value comes next.
    current: Option<Entry<'de>>,
}

impl<'de> MapAccess<'de> for &mut Entries<'de> {
    type Error = Located;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Located> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        let name = Field(Node::Text(key.clone()));
        self.current = Some((key, value));
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Located> {
        let (key, value) = self
            .current
            .take()
            .ok_or_else(|| Located::custom("a value was asked for before its key"))?;
        seed.deserialize(Field(value))
            .map_err(|error| error.inside(format!(".{key}")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Variant<'de> {
    name: Cow<'de, str>,
    content: Option<Node<'de>>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Located;
    type Variant = Content<'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content<'de>), Located> {
        let variant = seed.deserialize(Field(Node::Text(self.name.clone())))?;
        Ok((
            variant,
            Content {
                name: self.name,
                content: self.content,
            },
        ))
    }
}

/// What stands beside the name of a variant.
struct Content<'de> {
    name: Cow<'de, str>,
    content: Option<Node<'de>>,
}

impl<'de> Content<'de> {
    fn read<T>(self, read: impl FnOnce(Field<'de>) -> Result<T, Located>) -> Result<T, Located> {
        let content = self
            .content
            .ok_or_else(|| Located::custom(format_args!("{:?} lacks its content", self.name)))?;
        read(Field(content)).map_err(|error| error.inside(format!(".{}", self.name)))
    }
}

impl<'de> VariantAccess<'de> for Content<'de> {
    type Error = Located;

    fn unit_variant(self) -> Result<(), Located> {
        match self.content {
            // `{"name": null}` would be a second spelling of `"name"`.
            Some(_) => Err(Located::custom(format_args!(
                "{:?} stands alone, without content",
                self.name
            ))),
            None => Ok(()),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Located> {
        self.read(|field| seed.deserialize(field))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Located> {
        self.read(|field| field.deserialize_tuple(len, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Located> {
        self.read(|field| field.deserialize_struct("", fields, visitor))
    }
}

/// An error and the way to it, innermost step first.
#[derive(Debug)]
pub(super) struct Located {
    steps: Vec<String>,
    message: String,
}

impl Located {
    fn inside(mut self, step: String) -> Located {
        self.steps.push(step);
        self
    }

    fn path(&self) -> String {
        let path: String = self.steps.iter().rev().map(String::as_str).collect();
        path.strip_prefix('.').map(str::to_owned).unwrap_or(path)
    }
}

impl serde::de::Error for Located {
    fn custom<T: fmt::Display>(message: T) -> Located {
        Located {
            steps: Vec::new(),
            message: message.to_string(),
        }
    }
}

impl std::error::Error for Located {}

impl fmt::Display for Located {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}
