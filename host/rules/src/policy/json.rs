//! Reading JSON field by field, so that every problem is found and named with its field.

use leasehold_lease::{MAX_PATTERNS, Pattern};
use leasehold_seal::{Class, Coded, Digest, canonical};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{Problems, RulesError, did_you_mean};

/// What a kind of document is called, and its codes.
#[derive(Debug)]
pub(crate) struct Form {
    /// `the policy`, for messages.
    pub(crate) what: &'static str,
    /// What it looks like, for hints.
    pub(crate) hint: &'static str,
    pub(crate) key: &'static str,
    pub(crate) wrong_type: &'static str,
    pub(crate) missing: &'static str,
    pub(crate) value: &'static str,
    pub(crate) duplicate: &'static str,
}

/// Reads one document and collects what is wrong with it.
pub(crate) struct Reader {
    form: &'static Form,
    problems: Problems,
}

/// An object and where it stands: `must_run[0]`, for instance; empty for the document itself.
pub(crate) struct Fields<'v> {
    pub(crate) at: String,
    fields: &'v Map<String, Value>,
}

/// Reads a document: strict JSON (no key twice, whole numbers), then whatever `read` makes of it.
///
/// # Errors
/// Every problem, in the order in which they are found; of the JSON only the first.
pub(crate) fn document<T>(
    json: &[u8],
    form: &'static Form,
    read: impl FnOnce(&mut Reader, &Value) -> Option<T>,
) -> Result<T, Vec<RulesError>> {
    let value = canonical::parse(json).map_err(|error| {
        let sentence = format!("{}: {error}", form.what);
        let hint = match error {
            canonical::CanonicalError::Number(_) => Some(NUMBER_HINT.to_owned()),
            _ => error.hint(),
        };
        let refused = RulesError::new(error.code(), Class::Usage, sentence);
        vec![match hint {
            Some(hint) => refused.with_hint(hint),
            None => refused,
        }]
    })?;
    let mut reader = Reader {
        form,
        problems: Problems::default(),
    };
    let read = read(&mut reader, &value);
    match read {
        Some(read) if reader.problems.is_empty() => Ok(read),
        _ => Err(reader.problems.into_errors()),
    }
}

impl Reader {
    /// An object that has no other keys than these.
    pub(crate) fn object<'v>(
        &mut self,
        at: &str,
        value: &'v Value,
        known: &[&str],
    ) -> Option<Fields<'v>> {
        let Some(fields) = value.as_object() else {
            self.wrong_type(at, "an object", value);
            return None;
        };
        for key in fields.keys().filter(|key| !known.contains(&key.as_str())) {
            let hint = did_you_mean(key, known.iter().copied())
                .unwrap_or_else(|| format!("known here: {}", known.join(", ")));
            let owner = self.owner(at);
            let sentence = format!("{owner} has an unknown key {key:?}");
            self.report(self.form.key, sentence, hint);
        }
        Some(Fields {
            at: at.to_owned(),
            fields,
        })
    }

    /// The object under a key, where there is one.
    pub(crate) fn inner<'v>(
        &mut self,
        fields: &Fields<'v>,
        key: &str,
        known: &[&str],
    ) -> Option<Fields<'v>> {
        self.object(&fields.name(key), fields.get(key)?, known)
    }

    /// Reports those of the keys that are not there.
    pub(crate) fn required(&mut self, fields: &Fields<'_>, keys: &[&str]) {
        for key in keys.iter().filter(|key| !fields.has(key)) {
            let sentence = format!("{} has no `{key}`", self.owner(&fields.at));
            self.report(self.form.missing, sentence, self.form.hint);
        }
    }

    /// Checks the key `version`, which has to be there and to be 1; `code` is for another one.
    pub(crate) fn version(&mut self, fields: &Fields<'_>, code: &'static str) {
        let what = self.form.what;
        match fields.get("version") {
            None => self.report(
                self.form.missing,
                format!("{what} has no `version`"),
                "add \"version\": 1",
            ),
            Some(version) if version.as_i64() == Some(1) => {}
            Some(version) => self.report(
                code,
                format!("{what} has version {version}; this version reads 1"),
                "use a version of Leasehold that reads it",
            ),
        }
    }

    pub(crate) fn string<'v>(&mut self, fields: &Fields<'v>, key: &str) -> Option<&'v str> {
        let value = fields.get(key)?;
        if value.as_str().is_none() {
            self.wrong_type(&fields.name(key), "a string", value);
        }
        value.as_str()
    }

    pub(crate) fn boolean(&mut self, fields: &Fields<'_>, key: &str) -> Option<bool> {
        let value = fields.get(key)?;
        if value.as_bool().is_none() {
            self.wrong_type(&fields.name(key), "true or false", value);
        }
        value.as_bool()
    }

    /// An integer from `least` to `most`.
    pub(crate) fn integer(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        (least, most): (u64, u64),
    ) -> Option<u64> {
        let value = fields.get(key)?;
        let at = fields.name(key);
        if value.as_i64().is_none() {
            self.wrong_type(&at, "an integer", value);
            return None;
        }
        let number = value
            .as_u64()
            .filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.bad_value(format!(
                "{at}: expected an integer from {least} to {most}, found {value}"
            ));
        }
        number
    }

    /// One of some words.
    pub(crate) fn word<T: Copy>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = self.string(fields, key)?;
        self.known_word(&fields.name(key), text, words)
    }

    pub(crate) fn known_word<T: Copy>(
        &mut self,
        at: &str,
        text: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = did_you_mean(text, known.iter().copied())
                .unwrap_or_else(|| format!("known here: {}", known.join(", ")));
            let sentence = format!("{at}: {text:?} is not known");
            self.report(self.form.value, sentence, hint);
        }
        found.map(|(_, value)| *value)
    }

    /// The entries of a list with the place of each; none where the key is not there.
    pub(crate) fn list<'v>(
        &mut self,
        fields: &Fields<'v>,
        key: &str,
        most: usize,
    ) -> Vec<(String, &'v Value)> {
        match fields.get(key) {
            None => Vec::new(),
            Some(value) => self.entries(&fields.name(key), value, most),
        }
    }

    pub(crate) fn entries<'v>(
        &mut self,
        at: &str,
        value: &'v Value,
        most: usize,
    ) -> Vec<(String, &'v Value)> {
        let Some(list) = value.as_array() else {
            self.wrong_type(at, "a list", value);
            return Vec::new();
        };
        if list.len() > most {
            let sentence = format!("{at} has {} entries, the most is {most}", list.len());
            self.report(self.form.wrong_type, sentence, self.form.hint);
            return Vec::new();
        }
        let entries = list.iter().enumerate();
        entries
            .map(|(index, value)| (format!("{at}[{index}]"), value))
            .collect()
    }

    /// A list of strings with the place of each.
    pub(crate) fn strings<'v>(
        &mut self,
        fields: &Fields<'v>,
        key: &str,
        most: usize,
    ) -> Vec<(String, &'v str)> {
        let mut strings = Vec::new();
        for (at, value) in self.list(fields, key, most) {
            match value.as_str() {
                Some(text) => strings.push((at, text)),
                None => self.wrong_type(&at, "a string", value),
            }
        }
        strings
    }

    /// A list of path patterns.
    pub(crate) fn patterns(&mut self, fields: &Fields<'_>, key: &str) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        for (at, text) in self.strings(fields, key, MAX_PATTERNS) {
            match text.parse::<Pattern>() {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => {
                    let hint = error.hint().unwrap_or_default();
                    self.report(error.code(), format!("{at}: {error}: {text:?}"), hint);
                }
            }
        }
        patterns
    }

    /// A digest; `code` is for a text that is none.
    pub(crate) fn digest(&mut self, at: &str, value: &Value, code: &'static str) -> Option<Digest> {
        let Some(text) = value.as_str() else {
            self.wrong_type(at, "a digest", value);
            return None;
        };
        match text.parse() {
            Ok(digest) => Some(digest),
            Err(error) => {
                let sentence = format!("{at}: {text:?} is {error}");
                self.report(code, sentence, self.form.hint);
                None
            }
        }
    }

    /// A value that has a form of its own, as in a lease.
    pub(crate) fn typed<T: DeserializeOwned>(&mut self, at: &str, value: &Value) -> Option<T> {
        let json = canonical::to_vec(value);
        match json.and_then(|json| canonical::from_json(&json)) {
            Ok(read) => Some(read),
            Err(error) => {
                self.bad_value(format!("{at}: {error}"));
                None
            }
        }
    }

    /// Reports two entries of the same name.
    pub(crate) fn duplicate(&mut self, at: &str, name: &str) {
        let sentence = format!("{at}: {name:?} is there twice");
        self.report(self.form.duplicate, sentence, "keep one of the two");
    }

    pub(crate) fn bad_value(&mut self, sentence: impl Into<String>) {
        self.report(self.form.value, sentence, self.form.hint);
    }

    pub(crate) fn wrong_type(&mut self, at: &str, expected: &str, found: &Value) {
        let at = self.owner(at);
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        let sentence = format!("{at}: expected {expected}, found {found}");
        self.report(self.form.wrong_type, sentence, self.form.hint);
    }

    /// JSON has no places here, so problems stay in the order in which they are found.
    pub(crate) fn report(
        &mut self,
        code: &'static str,
        sentence: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.problems
            .add(0, || RulesError::usage(code, sentence).with_hint(hint));
    }

    /// Whether nothing has been found wrong so far.
    pub(crate) fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    fn owner(&self, at: &str) -> String {
        if at.is_empty() {
            self.form.what.to_owned()
        } else {
            at.to_owned()
        }
    }
}

impl<'v> Fields<'v> {
    pub(crate) fn get(&self, key: &str) -> Option<&'v Value> {
        self.fields.get(key)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// Where the value of a key stands.
    pub(crate) fn name(&self, key: &str) -> String {
        if self.at.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.at)
        }
    }
}

const NUMBER_HINT: &str = "numbers are whole; an amount of money with a fraction is a string: \"max_budget_usd\": \"0.50\"";
