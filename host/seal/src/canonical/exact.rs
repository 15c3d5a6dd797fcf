//! What cannot be written exactly is refused before it is written.
//!
//! serde_json writes NaN and infinities as `null`, and the canonical writer turns every number into a
//! double (<https://github.com/evik42/serde-json-canonicalizer/issues/12>). So each value is walked
//! once beforehand, with a serializer that produces nothing and knows only what it may not meet.

use std::fmt;

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{CanonicalError, MAX_DEPTH, MAX_INTEGER};

/// Refuses numbers other than integers within ±[`MAX_INTEGER`], and nesting beyond [`MAX_DEPTH`].
pub(super) fn check<T: Serialize + ?Sized>(value: &T) -> Result<(), CanonicalError> {
    value
        .serialize(Check { depth: 0 })
        .map_err(|refusal| refusal.0)
}

/// Walks one value.
#[derive(Clone, Copy)]
struct Check {
    /// How many arrays and objects lie around this value.
    depth: usize,
}

impl Check {
    fn deeper(self) -> Result<Check, Refusal> {
        if self.depth >= MAX_DEPTH {
            return Err(Refusal(CanonicalError::Depth));
        }
        Ok(Check {
            depth: self.depth + 1,
        })
    }

    fn walk<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refusal> {
        value.serialize(self)
    }
}

fn refuse(number: impl fmt::Display) -> Result<(), Refusal> {
    Err(Refusal(CanonicalError::Number(number.to_string())))
}

/// Methods for kinds of values that can always be written.
macro_rules! accept {
    ($($method:ident($($kind:ty)?);)*) => {
        $(fn $method(self $(, _: $kind)?) -> Result<(), Refusal> {
            Ok(())
        })*
    };
}

/// Methods for integers that may be too large.
macro_rules! bounded {
    ($($method:ident($kind:ty);)*) => {
        $(fn $method(self, number: $kind) -> Result<(), Refusal> {
            match i64::try_from(number) {
                Ok(small) if small.unsigned_abs() <= MAX_INTEGER.unsigned_abs() => Ok(()),
                _ => refuse(number),
            }
        })*
    };
}

impl Serializer for Check {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Check;
    type SerializeTuple = Check;
    type SerializeTupleStruct = Check;
    type SerializeTupleVariant = Check;
    type SerializeMap = Check;
    type SerializeStruct = Check;
    type SerializeStructVariant = Check;

    accept! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_char(char);
        serialize_str(&str);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
    }

    bounded! {
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u64(u64);
        serialize_u128(u128);
    }

    fn serialize_f32(self, number: f32) -> Result<(), Refusal> {
        refuse(number)
    }

    fn serialize_f64(self, number: f64) -> Result<(), Refusal> {
        refuse(number)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Refusal> {
        self.deeper().map(drop)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refusal> {
        self.walk(value)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.walk(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.deeper()?.walk(value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Check, Refusal> {
        self.deeper()
    }

    fn serialize_tuple(self, _: usize) -> Result<Check, Refusal> {
        self.deeper()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Check, Refusal> {
        self.deeper()
    }

    // `{"variant": [ … ]}`: two levels, and so for the struct variant.
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Check, Refusal> {
        self.deeper()?.deeper()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Check, Refusal> {
        self.deeper()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Check, Refusal> {
        self.deeper()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Check, Refusal> {
        self.deeper()?.deeper()
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<(), Refusal> {
        Ok(())
    }
}

/// The traits of compound values: each item is walked, the end is nothing.
macro_rules! compound {
    ($($kind:ident { $($method:ident($($name:ty)?);)* })*) => {
        $(impl $kind for Check {
            type Ok = ();
            type Error = Refusal;

            $(fn $method<T: Serialize + ?Sized>(
                &mut self,
                $(_: $name,)?
                value: &T,
            ) -> Result<(), Refusal> {
                self.walk(value)
            })*

            fn end(self) -> Result<(), Refusal> {
                Ok(())
            }
        })*
    };
}

compound! {
    SerializeSeq { serialize_element(); }
    SerializeTuple { serialize_element(); }
    SerializeTupleStruct { serialize_field(); }
    SerializeTupleVariant { serialize_field(); }
    SerializeMap { serialize_key(); serialize_value(); }
    SerializeStruct { serialize_field(&'static str); }
    SerializeStructVariant { serialize_field(&'static str); }
}

#[derive(Debug)]
struct Refusal(CanonicalError);

impl serde::ser::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Refusal {
        Refusal(CanonicalError::Unwritable(message.to_string()))
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
