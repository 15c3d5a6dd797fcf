//! The configuration of a step: a TOML table that becomes canonical JSON, which is what the plugin is given.

use leasehold_seal::canonical::{MAX_DEPTH, MAX_INTEGER};
use leasehold_seal::{Class, Digest};
use serde_json::{Map, Number, Value as Json};
use toml_edit::{Item, TableLike, Value as Toml};

use crate::error::RulesError;
use crate::source::Span;
use crate::walk::Walk;

/// A configuration: canonical JSON (RFC 8785) of an object, and its digest.
///
/// Integers lie within ±(2^53 − 1), and so do fractions, which are written as RFC 8785 does. Nothing in it is null:
/// TOML has no word for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    value: Map<String, Json>,
    text: String,
    digest: Digest,
}

impl Config {
    /// The configuration with these fields.
    ///
    /// # Errors
    /// `CONFIG-VALUE`: it holds null, a number beyond ±(2^53 − 1), or more than 63 objects and lists in one another.
    pub fn new(value: Map<String, Json>) -> Result<Self, RulesError> {
        for field in value.values() {
            check(field, 1).map_err(|problem| value_error(&problem))?;
        }
        let text = serde_json_canonicalizer::to_string(&value).map_err(|error| {
            let sentence = format!("the configuration has no JSON form: {error}");
            RulesError::new("CONFIG-VALUE", Class::Fault, sentence)
        })?;
        Ok(Self {
            digest: Digest::of(text.as_bytes()),
            text,
            value,
        })
    }

    /// The fields.
    #[must_use]
    pub fn value(&self) -> &Map<String, Json> {
        &self.value
    }

    /// The canonical JSON: exactly the bytes that the plugin is given and the digest goes over.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Reads the table under the key `config` of a step; every value that cannot be in it is reported.
    pub(crate) fn read(walk: &mut Walk<'_>, table: &dyn TableLike, span: &Span) -> Option<Self> {
        match Self::new(of_table(walk, table, span)?) {
            Ok(config) => Some(config),
            Err(error) => {
                walk.report(span, || error);
                None
            }
        }
    }
}

fn value_error(problem: &str) -> RulesError {
    RulesError::usage("CONFIG-VALUE", format!("the configuration holds {problem}"))
        .with_hint("a configuration is JSON: strings, true and false, numbers up to 2^53 - 1, lists and tables")
}

fn check(value: &Json, depth: usize) -> Result<(), String> {
    if depth >= MAX_DEPTH {
        return Err(format!(
            "more than {} tables and lists in one another",
            MAX_DEPTH - 1
        ));
    }
    match value {
        Json::Null => Err("null".to_owned()),
        Json::Bool(_) | Json::String(_) => Ok(()),
        Json::Number(number) => match number.as_f64() {
            Some(float) if float.abs() <= GREATEST => Ok(()),
            _ => Err(format!("the number {number}")),
        },
        Json::Array(values) => values.iter().try_for_each(|value| check(value, depth + 1)),
        Json::Object(fields) => fields
            .values()
            .try_for_each(|value| check(value, depth + 1)),
    }
}

fn of_item(walk: &mut Walk<'_>, item: &Item, around: &Span) -> Option<Json> {
    let span = item.span().filter(|span| !span.is_empty());
    let span = span.unwrap_or_else(|| around.clone());
    match item {
        Item::Value(value) => of_value(walk, value, &span),
        Item::Table(table) => of_table(walk, table, &span).map(Json::Object),
        Item::ArrayOfTables(tables) => {
            let tables = tables.iter();
            all(tables.map(|table| of_table(walk, table, &span).map(Json::Object)))
        }
        Item::None => None,
    }
}

fn of_table(walk: &mut Walk<'_>, table: &dyn TableLike, span: &Span) -> Option<Map<String, Json>> {
    let fields = table.iter();
    let fields: Vec<_> = fields
        .map(|(key, item)| Some((key.to_owned(), of_item(walk, item, span)?)))
        .collect();
    fields.into_iter().collect()
}

/// A list, where every value is good. All are looked at even when one is not, so that each problem is reported.
fn all(values: impl Iterator<Item = Option<Json>>) -> Option<Json> {
    let values: Vec<Option<Json>> = values.collect();
    let values: Option<Vec<Json>> = values.into_iter().collect();
    values.map(Json::Array)
}

fn of_value(walk: &mut Walk<'_>, value: &Toml, around: &Span) -> Option<Json> {
    let span = value.span().unwrap_or_else(|| around.clone());
    let problem = match value {
        Toml::String(text) => return Some(Json::String(text.value().clone())),
        Toml::Boolean(boolean) => return Some(Json::Bool(*boolean.value())),
        Toml::Integer(integer) => {
            let integer = *integer.value();
            if integer.unsigned_abs() <= MAX_INTEGER.unsigned_abs() {
                return Some(integer.into());
            }
            format!("the number {integer}")
        }
        Toml::Float(float) => {
            let float = *float.value();
            match Number::from_f64(float).filter(|_| float.abs() <= GREATEST) {
                Some(number) => return Some(Json::Number(number)),
                None => format!("the number {float}"),
            }
        }
        Toml::Datetime(time) => format!("the date or time {}", time.value()),
        Toml::Array(array) => {
            let values = array.iter();
            return all(values.map(|value| of_value(walk, value, &span)));
        }
        Toml::InlineTable(table) => return of_table(walk, table, &span).map(Json::Object),
    };
    walk.report(&span, || value_error(&problem));
    None
}

/// 2^53 − 1, the greatest integer below which every integer is a number of its own.
const GREATEST: f64 = MAX_INTEGER as f64;
