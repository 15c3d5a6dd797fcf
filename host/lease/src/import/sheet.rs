//! The sheet on which every field is entered with what became of it.

use serde_json::{Map, Value};

use super::{Fate, ImportedField};

#[derive(Default)]
pub(super) struct Sheet {
    fields: Vec<ImportedField>,
}

impl Sheet {
    pub(super) fn add(&mut self, name: String, value: &Value, fate: Fate) {
        self.fields.push(ImportedField {
            name,
            value: value.to_string(),
            fate,
        });
    }

    pub(super) fn refuse(&mut self, name: String, value: &Value, why: impl Into<String>) {
        self.add(name, value, Fate::Refused(why.into()));
    }

    /// A field that has to be there and is not.
    pub(super) fn missing(&mut self, name: String) {
        let why = "is missing, and what is not stated is not made up here";
        self.fields.push(ImportedField {
            name,
            value: String::new(),
            fate: Fate::Refused(why.to_owned()),
        });
    }

    /// Takes a field by any of its names; a second one of them stays behind and is refused.
    pub(super) fn take(
        &mut self,
        object: &mut Map<String, Value>,
        at: &str,
        names: &[&str],
    ) -> Option<(String, Value)> {
        let mut taken = None;
        for name in names {
            let Some(value) = object.remove(*name) else {
                continue;
            };
            let full = format!("{at}{name}");
            if let Some((first, _)) = &taken {
                let why =
                    format!("is the same field as {first}, so one of the two would be dropped");
                self.refuse(full, &value, why);
            } else {
                taken = Some((full, value));
            }
        }
        taken
    }

    /// Takes a text that has to be there. `judge` says what becomes of it, or why it is refused.
    pub(super) fn text(
        &mut self,
        object: &mut Map<String, Value>,
        at: &str,
        names: &[&str],
        judge: impl FnOnce(&str) -> Result<Fate, String>,
    ) -> Option<String> {
        let Some((name, value)) = self.take(object, at, names) else {
            self.missing(format!(
                "{at}{}",
                names.first().copied().unwrap_or_default()
            ));
            return None;
        };
        let judged = match &value {
            Value::String(text) if text.chars().any(char::is_control) => {
                Err("has control characters".to_owned())
            }
            Value::String(text) => judge(text).map(|fate| (fate, text.clone())),
            _ => Err("must be a text".to_owned()),
        };
        match judged {
            Ok((fate, text)) => {
                self.add(name, &value, fate);
                Some(text)
            }
            Err(why) => {
                self.refuse(name, &value, why);
                None
            }
        }
    }

    /// Takes a list of texts, with a name for each.
    pub(super) fn texts(&mut self, name: &str, value: &Value) -> Vec<(String, String)> {
        let Value::Array(items) = value else {
            self.refuse(name.to_owned(), value, "must be a list of texts");
            return Vec::new();
        };
        if items.is_empty() {
            self.add(
                name.to_owned(),
                value,
                Fate::Holds("an empty list grants nothing".to_owned()),
            );
        }
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let name = format!("{name}[{index}]");
            match item {
                Value::String(text) if !text.chars().any(char::is_control) => {
                    texts.push((name, text.clone()));
                }
                Value::String(_) => self.refuse(name, item, "has control characters"),
                _ => self.refuse(name, item, "must be a text"),
            }
        }
        texts
    }

    /// Takes an object of fields; what is no object counts as an empty one and is refused.
    pub(super) fn section(
        &mut self,
        file: &mut Map<String, Value>,
        name: &str,
        needed: bool,
    ) -> Map<String, Value> {
        match file.remove(name) {
            Some(Value::Object(section)) => section,
            Some(other) => {
                self.refuse(name.to_owned(), &other, "must be an object");
                Map::new()
            }
            None => {
                if needed {
                    self.missing(name.to_owned());
                }
                Map::new()
            }
        }
    }

    /// Refuses what is left over.
    pub(super) fn unknown(&mut self, at: &str, left: Map<String, Value>) {
        for (name, value) in left {
            let why = "is not a field of this format, so what it allows or forbids cannot be told";
            self.refuse(format!("{at}{name}"), &value, why);
        }
    }

    pub(super) fn into_fields(self) -> Vec<ImportedField> {
        self.fields
    }
}
