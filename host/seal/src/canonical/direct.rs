//! From canonical text straight to a type, in one pass: no second writing, no values in between.
//!
//! [`read`] and [`sort`] know the canonical form (RFC 8785 with integers only) and nothing else. What they
//! do not take, for whatever reason, goes the long way, which takes or refuses it with its reason. So they
//! have no words for errors, and need not take all that is good; but what they take must be what the long
//! way would take, byte for byte, and mean the same.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use super::MAX_DEPTH;
use super::fields::Field;
use super::node::Node;
use super::scan::{Scanner, order};

/// Reads a text in canonical form; `None` for any other, and when it is no `T`.
pub(super) fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Option<T> {
    let (value, sorted) = scan(bytes)?;
    sorted.then_some(value)
}

/// What a text is that is in canonical form, or would be if its keys were sorted.
pub(super) enum Sorted<'a> {
    /// The text itself is in canonical form.
    Already,
    /// The value of the text, with its keys sorted.
    Now(Node<'a>),
}

/// Sorts the keys of a text that is in canonical form but for their order; `None` for any other text, and
/// when a key occurs twice in one object.
pub(super) fn sort(bytes: &[u8]) -> Option<Sorted<'_>> {
    let (mut value, sorted): (Node<'_>, bool) = scan(bytes)?;
    if sorted {
        return Some(Sorted::Already);
    }
    value.sort_keys().then_some(Sorted::Now(value))
}

/// The value, and whether all keys stand in their order, so that none occurs twice.
fn scan<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Option<(T, bool)> {
    let mut source = Source {
        scanner: Scanner::new(std::str::from_utf8(bytes).ok()?),
        sorted: true,
    };
    let value = T::deserialize(Direct {
        source: &mut source,
        depth: 0,
    });
    source
        .scanner
        .is_at_end()
        .then_some((value.ok()?, source.sorted))
}

struct Source<'de> {
    scanner: Scanner<'de>,
    /// Whether the keys of all objects so far are in ascending order.
    sorted: bool,
}

/// The value that stands next, with so many arrays and objects around it.
struct Direct<'s, 'de> {
    source: &'s mut Source<'de>,
    depth: usize,
}

impl<'s, 'de> Direct<'s, 'de> {
    fn peek(&self) -> Option<u8> {
        self.source.scanner.peek()
    }

    /// Goes into the array or object whose first byte is next.
    fn enter(self) -> Result<Inside<'s, 'de>, Stop> {
        self.source.scanner.next();
        if self.depth >= MAX_DEPTH {
            return Err(Stop);
        }
        Ok(Inside {
            source: self.source,
            depth: self.depth + 1,
            is_first: true,
            is_done: false,
        })
    }
}

impl<'de> Deserializer<'de> for Direct<'_, 'de> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let scanner = &mut self.source.scanner;
        match scanner.peek().ok_or(Stop)? {
            b'"' => match scanner.string().ok_or(Stop)? {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            b'{' => {
                let mut entries = Entries {
                    inside: self.enter()?,
                    last: None,
                };
                let value = visitor.visit_map(&mut entries)?;
                entries.inside.leave(b'}')?;
                Ok(value)
            }
            b'[' => {
                let mut items = Items(self.enter()?);
                let value = visitor.visit_seq(&mut items)?;
                items.0.leave(b']')?;
                Ok(value)
            }
            b't' if scanner.word("true") => visitor.visit_bool(true),
            b'f' if scanner.word("false") => visitor.visit_bool(false),
            b'n' if scanner.word("null") => visitor.visit_unit(),
            _ => {
                let integer = scanner.integer().ok_or(Stop)?;
                match u64::try_from(integer) {
                    Ok(integer) => visitor.visit_u64(integer),
                    Err(_) => visitor.visit_i64(integer),
                }
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        // An array would be a second spelling of the same document.
        if self.peek() == Some(b'[') {
            return Err(Stop);
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if self.peek() != Some(b'n') {
            return visitor.visit_some(self);
        }
        if !self.source.scanner.word("null") {
            return Err(Stop);
        }
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if self.peek() != Some(b'{') {
            let name_of_variant = self.source.scanner.string().ok_or(Stop)?;
            return Field(Node::Text(name_of_variant))
                .deserialize_enum(name, variants, visitor)
                .map_err(|_| Stop);
        }
        visitor.visit_enum(Variant(self.enter()?))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The inside of an array or object.
struct Inside<'s, 'de> {
    source: &'s mut Source<'de>,
    depth: usize,
    /// Nothing of it was read yet.
    is_first: bool,
    /// Its last byte was read.
    is_done: bool,
}

impl<'de> Inside<'_, 'de> {
    /// Whether there is one more item or entry; if not, the last byte was read.
    fn more(&mut self, end: u8) -> Result<bool, Stop> {
        let scanner = &mut self.source.scanner;
        if self.is_done {
            return Ok(false);
        }
        if self.is_first {
            self.is_first = false;
            self.is_done = scanner.take(end);
        } else {
            match scanner.next() {
                Some(b',') => {}
                Some(byte) if byte == end => self.is_done = true,
                _ => return Err(Stop),
            }
        }
        Ok(!self.is_done)
    }

    /// Asserts that all of it was read.
    fn leave(&mut self, end: u8) -> Result<(), Stop> {
        if self.is_done || self.source.scanner.take(end) {
            Ok(())
        } else {
            Err(Stop)
        }
    }

    fn key(&mut self) -> Result<Cow<'de, str>, Stop> {
        let scanner = &mut self.source.scanner;
        let key = scanner.string().ok_or(Stop)?;
        if scanner.take(b':') {
            Ok(key)
        } else {
            Err(Stop)
        }
    }

    fn value(&mut self) -> Direct<'_, 'de> {
        Direct {
            source: self.source,
            depth: self.depth,
        }
    }
}

struct Items<'s, 'de>(Inside<'s, 'de>);

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        if self.0.more(b']')? {
            seed.deserialize(self.0.value()).map(Some)
        } else {
            Ok(None)
        }
    }
}

struct Entries<'s, 'de> {
    inside: Inside<'s, 'de>,
    last: Option<Cow<'de, str>>,
}

impl<'de> MapAccess<'de> for &mut Entries<'_, 'de> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        if !self.inside.more(b'}')? {
            return Ok(None);
        }
        let key = self.inside.key()?;
        if let Some(last) = &self.last {
            self.inside.source.sorted &= order(last, &key).is_lt();
        }
        let name = seed.deserialize(Field(Node::Text(key.clone())));
        self.last = Some(key);
        name.map(Some).map_err(|_| Stop)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        seed.deserialize(self.inside.value())
    }
}

/// An object with one key: a variant and its content.
struct Variant<'s, 'de>(Inside<'s, 'de>);

impl<'s, 'de> EnumAccess<'de> for Variant<'s, 'de> {
    type Error = Stop;
    type Variant = Content<'s, 'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        mut self,
        seed: S,
    ) -> Result<(S::Value, Content<'s, 'de>), Stop> {
        let name = self.0.key()?;
        let variant = seed.deserialize(Field(Node::Text(name)));
        Ok((variant.map_err(|_| Stop)?, Content(self.0)))
    }
}

/// What stands beside the name of a variant.
struct Content<'s, 'de>(Inside<'s, 'de>);

impl<'de> VariantAccess<'de> for Content<'_, 'de> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        // `{"name": null}` would be a second spelling of `"name"`.
        Err(Stop)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<S::Value, Stop> {
        let value = seed.deserialize(self.0.value())?;
        self.0.leave(b'}')?;
        Ok(value)
    }

    fn tuple_variant<V: Visitor<'de>>(mut self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        let value = self.0.value().deserialize_tuple(len, visitor)?;
        self.0.leave(b'}')?;
        Ok(value)
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let value = self.0.value().deserialize_struct("", fields, visitor)?;
        self.0.leave(b'}')?;
        Ok(value)
    }
}

/// This is not the way: no words, since the long way finds them.
#[derive(Debug)]
struct Stop;

impl serde::de::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Stop {
        Stop
    }
}

impl std::error::Error for Stop {}

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not taken")
    }
}
