//! Walking through TOML: typed access to keys, with every problem reported at its place.

use leasehold_lease::Pattern;
use leasehold_seal::Coded;
use toml_edit::{Array, Document, Item, TableLike};

use crate::error::{Problems, RulesError, did_you_mean};
use crate::source::{Codes, Source, Span};

/// The file that is walked through and what was found wrong with it.
pub(crate) struct Walk<'s> {
    pub(crate) source: &'s Source,
    pub(crate) codes: &'static Codes,
    pub(crate) problems: Problems,
}

/// A table and what it is called in messages.
pub(crate) struct Fields<'a> {
    table: &'a dyn TableLike,
    /// `the step "secrets"`, for instance; empty for the file itself.
    owner: String,
    /// The keys that lead from the owner to the table, each with a dot: `limits.`, for instance.
    prefix: String,
    /// Where the table begins, for what is missing in it.
    span: Span,
}

/// A value and where it stands.
pub(crate) type Spanned<T> = (T, Span);

/// Reads TOML.
///
/// # Errors
/// What the parser says, at the place it says.
pub(crate) fn document<'s>(
    source: &'s Source,
    codes: &Codes,
) -> Result<Document<&'s str>, RulesError> {
    Document::parse(source.text()).map_err(|error| {
        let end = source.text().len();
        let span = error.span().unwrap_or(end..end);
        let sentence = format!("{} is not TOML: {}", codes.file, error.message());
        RulesError::usage(codes.syntax, sentence)
            .with_hint("see https://toml.io for the form of the file")
            .at(source, &span)
    })
}

impl<'s> Walk<'s> {
    pub(crate) fn new(source: &'s Source, codes: &'static Codes) -> Self {
        Self {
            source,
            codes,
            problems: Problems::default(),
        }
    }

    /// Reports a problem at a place.
    pub(crate) fn report(&mut self, span: &Span, make: impl FnOnce() -> RulesError) {
        let source = self.source;
        self.problems.add(span.start, || make().at(source, span));
    }

    /// Checks the key `version`, which has to be there and to be 1.
    pub(crate) fn version(&mut self, top: &Fields<'_>) {
        let (codes, file) = (self.codes, self.codes.file);
        let Some(item) = top.table.get("version") else {
            self.report(&(0..0), || {
                RulesError::usage(codes.missing, format!("{file} has no `version`"))
                    .with_hint("begin the file with `version = 1`")
            });
            return;
        };
        match item.as_integer() {
            Some(1) => {}
            Some(other) => self.report(&top.value_span("version", item), || {
                let sentence = format!("{file} has version {other}; this version reads 1");
                RulesError::usage(codes.version, sentence)
                    .with_hint("use a version of Leasehold that reads it")
            }),
            None => self.wrong_type(top, "version", item, "the integer 1"),
        }
    }

    fn wrong_type(&mut self, fields: &Fields<'_>, key: &str, item: &Item, expected: &str) {
        let span = fields.value_span(key, item);
        let name = fields.name_of(key);
        self.wrong_type_at(&span, &name, expected, kind_of(item));
    }

    fn wrong_type_at(&mut self, span: &Span, name: &str, expected: &str, found: &str) {
        let code = self.codes.wrong_type;
        let hint = match (expected.starts_with("a list"), found) {
            (true, "a string") => "put it in brackets: [\"…\"]",
            (false, "a string") if expected.contains("integer") => {
                "write a plain number in the unit of the key's name, without quotes: 268_435_456"
            }
            _ => "docs/pipeline.md lists every key with its type",
        };
        self.report(span, || {
            let sentence = format!("{name}: expected {expected}, found {found}");
            RulesError::usage(code, sentence).with_hint(hint)
        });
    }
}

impl<'a> Fields<'a> {
    /// The keys of a table; those that are not among `known` are reported.
    pub(crate) fn new(
        walk: &mut Walk<'_>,
        table: &'a dyn TableLike,
        owner: impl Into<String>,
        span: Span,
        known: &[&str],
    ) -> Self {
        let fields = Self {
            table,
            owner: owner.into(),
            prefix: String::new(),
            span,
        };
        fields.check_keys(walk, known);
        fields
    }

    fn check_keys(&self, walk: &mut Walk<'_>, known: &[&str]) {
        let code = walk.codes.key;
        let unknown = self.table.iter().map(|(key, _)| key);
        for key in unknown.filter(|key| !known.contains(key)) {
            walk.report(&self.key_span(key), || {
                let hint = did_you_mean(key, known.iter().copied())
                    .unwrap_or_else(|| format!("known here: {}", known.join(", ")));
                let key = format!("{}{key}", self.prefix);
                let sentence = match self.owner.as_str() {
                    "" => format!("there is no key {key:?}"),
                    owner => format!("{owner} has an unknown key {key:?}"),
                };
                RulesError::usage(code, sentence).with_hint(hint)
            });
        }
    }

    /// Where the table begins.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Where a key stands, or the table where there is none.
    pub(crate) fn key_span(&self, key: &str) -> Span {
        let key = self.table.key(key);
        key.and_then(toml_edit::Key::span)
            .unwrap_or_else(|| self.span.clone())
    }

    pub(crate) fn item(&self, key: &str) -> Option<&'a Item> {
        self.table.get(key)
    }

    /// Reports that a key is missing.
    pub(crate) fn missing(&self, walk: &mut Walk<'_>, key: &str, hint: &str) {
        let code = walk.codes.missing;
        walk.report(&self.span, || {
            let sentence = format!("{} has no `{}{key}`", self.owner, self.prefix);
            RulesError::usage(code, sentence).with_hint(hint)
        });
    }

    pub(crate) fn string(&self, walk: &mut Walk<'_>, key: &str) -> Option<Spanned<&'a str>> {
        let item = self.table.get(key)?;
        match item.as_str() {
            Some(text) => Some((text, self.value_span(key, item))),
            None => {
                walk.wrong_type(self, key, item, "a string");
                None
            }
        }
    }

    pub(crate) fn boolean(&self, walk: &mut Walk<'_>, key: &str) -> Option<bool> {
        let item = self.table.get(key)?;
        if item.as_bool().is_none() {
            walk.wrong_type(self, key, item, "true or false");
        }
        item.as_bool()
    }

    /// An integer from `least` to `most`.
    pub(crate) fn integer(
        &self,
        walk: &mut Walk<'_>,
        key: &str,
        (least, most): (u64, u64),
    ) -> Option<u64> {
        let item = self.table.get(key)?;
        let expected = || format!("an integer from {least} to {most}");
        let Some(number) = item.as_integer() else {
            walk.wrong_type(self, key, item, &expected());
            return None;
        };
        let number = u64::try_from(number).ok();
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let found = format!("{}", item.as_integer().unwrap_or_default());
            let (span, name) = (self.value_span(key, item), self.name_of(key));
            walk.report(&span, || {
                let sentence = format!("{name}: expected {}, found {found}", expected());
                RulesError::usage("VALUE-RANGE", sentence)
                    .with_hint("docs/pipeline.md lists every key with its range and unit")
            });
        }
        number
    }

    /// A list of strings.
    pub(crate) fn strings(&self, walk: &mut Walk<'_>, key: &str) -> Vec<Spanned<&'a str>> {
        let Some((array, around)) = self.array(walk, key, "a list of strings") else {
            return Vec::new();
        };
        let mut strings = Vec::with_capacity(array.len());
        for value in array {
            let span = value.span().unwrap_or_else(|| around.clone());
            match value.as_str() {
                Some(text) => strings.push((text, span)),
                None => {
                    let found = format!("{} in it", kind_of_value(value.type_name()));
                    walk.wrong_type_at(&span, &self.name_of(key), "a list of strings", &found);
                }
            }
        }
        strings
    }

    /// A list of integers from 0 to 255.
    pub(crate) fn bytes(&self, walk: &mut Walk<'_>, key: &str) -> Vec<Spanned<u8>> {
        let expected = "a list of integers from 0 to 255";
        let Some((array, around)) = self.array(walk, key, expected) else {
            return Vec::new();
        };
        let mut bytes = Vec::with_capacity(array.len());
        for value in array {
            let span = value.span().unwrap_or_else(|| around.clone());
            let number = value.as_integer();
            match number.and_then(|number| u8::try_from(number).ok()) {
                Some(byte) => bytes.push((byte, span)),
                None => {
                    let found = match number {
                        Some(number) => format!("{number} in it"),
                        None => format!("{} in it", kind_of_value(value.type_name())),
                    };
                    walk.wrong_type_at(&span, &self.name_of(key), expected, &found);
                }
            }
        }
        bytes
    }

    /// A list of path patterns.
    pub(crate) fn patterns(&self, walk: &mut Walk<'_>, key: &str) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        for (text, span) in self.strings(walk, key) {
            match text.parse::<Pattern>() {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => walk.report(&span, || {
                    let sentence = format!("{}: {error}: {text:?}", self.name_of(key));
                    RulesError::usage(error.code(), sentence)
                        .with_hint(error.hint().unwrap_or_default())
                }),
            }
        }
        patterns
    }

    /// A table under a key, as its own set of fields.
    pub(crate) fn table(
        &self,
        walk: &mut Walk<'_>,
        key: &str,
        known: &[&str],
    ) -> Option<Fields<'a>> {
        let table = self.any_table(walk, key)?;
        table.check_keys(walk, known);
        Some(table)
    }

    /// A list of tables, inline or each under a heading of its own.
    pub(crate) fn tables(&self, walk: &mut Walk<'_>, key: &str, known: &[&str]) -> Vec<Fields<'a>> {
        let Some(item) = self.table.get(key) else {
            return Vec::new();
        };
        let around = self.value_span(key, item);
        let mut entries: Vec<(&'a dyn TableLike, Option<Span>)> = Vec::new();
        match item {
            Item::ArrayOfTables(tables) => {
                entries.extend(
                    tables
                        .iter()
                        .map(|table| (table as &dyn TableLike, table.span())),
                );
            }
            Item::Value(toml_edit::Value::Array(array)) => {
                for value in array {
                    match value.as_inline_table() {
                        Some(table) => entries.push((table, value.span())),
                        None => {
                            let span = value.span().unwrap_or_else(|| around.clone());
                            let found = format!("{} in it", kind_of_value(value.type_name()));
                            walk.wrong_type_at(
                                &span,
                                &self.name_of(key),
                                "a list of tables",
                                &found,
                            );
                        }
                    }
                }
            }
            _ => walk.wrong_type(self, key, item, "a list of tables"),
        }
        let entries = entries.into_iter().enumerate();
        let fields = entries.map(|(index, (table, span))| Fields {
            table,
            owner: self.owner.clone(),
            prefix: format!("{}{key}[{index}].", self.prefix),
            span: span.unwrap_or_else(|| around.clone()),
        });
        let fields: Vec<Fields<'a>> = fields.collect();
        fields
            .iter()
            .for_each(|entry| entry.check_keys(walk, known));
        fields
    }

    /// As [`Fields::table`], where the keys are anyone's.
    pub(crate) fn any_table(&self, walk: &mut Walk<'_>, key: &str) -> Option<Fields<'a>> {
        let item = self.table.get(key)?;
        let Some(table) = item.as_table_like() else {
            walk.wrong_type(self, key, item, "a table");
            return None;
        };
        Some(Fields {
            table,
            owner: self.owner.clone(),
            prefix: format!("{}{key}.", self.prefix),
            span: self.key_span(key),
        })
    }

    /// The table itself.
    pub(crate) fn raw(&self) -> &'a dyn TableLike {
        self.table
    }

    /// What the table is called in messages.
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// Every key with its item, in the order of the file.
    pub(crate) fn items(&self) -> impl Iterator<Item = (&'a str, &'a Item)> + use<'a> {
        self.table.iter()
    }

    /// `` `limits.fuel` of the step "x" `` for messages.
    pub(crate) fn name_of(&self, key: &str) -> String {
        match self.owner.as_str() {
            "" => format!("`{}{key}`", self.prefix),
            owner => format!("`{}{key}` of {owner}", self.prefix),
        }
    }

    fn value_span(&self, key: &str, item: &Item) -> Span {
        // A table made of dotted keys has no place of its own.
        item.span()
            .filter(|span| !span.is_empty())
            .unwrap_or_else(|| self.key_span(key))
    }

    fn array(&self, walk: &mut Walk<'_>, key: &str, expected: &str) -> Option<Spanned<&'a Array>> {
        let item = self.table.get(key)?;
        match item.as_array() {
            Some(array) => Some((array, self.value_span(key, item))),
            None => {
                walk.wrong_type(self, key, item, expected);
                None
            }
        }
    }
}

/// What an item is, in words.
pub(crate) fn kind_of(item: &Item) -> &'static str {
    match item {
        Item::None => "nothing",
        Item::Value(value) => kind_of_value(value.type_name()),
        Item::Table(_) => "a table",
        Item::ArrayOfTables(_) => "a list of tables",
    }
}

fn kind_of_value(name: &str) -> &'static str {
    match name {
        "string" => "a string",
        "integer" => "an integer",
        "float" => "a float",
        "boolean" => "a boolean",
        "datetime" => "a date or time",
        "array" => "a list",
        _ => "a table",
    }
}
