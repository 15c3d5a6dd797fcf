//! Second opinions: the rules written down again, as plainly as possible and from the specification, not from the code
//! under test. Slow is fine here; clever is not.

use std::collections::HashSet;

/// JSON with nothing in it that two readers could understand differently.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer within ±(2^53 − 1).
    Integer(i64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, in the order of the text; no key twice.
    Object(Vec<(String, Json)>),
}

/// Reads what `leasehold_seal::canonical::parse` is said to read: RFC 8259, integers only, no duplicate keys, no lone
/// surrogates, at most 64 arrays and objects in one another. `None` for everything else.
pub fn read(bytes: &[u8]) -> Option<Json> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader {
        rest: text.chars().collect(),
    };
    reader.rest.reverse();
    let value = reader.value(0)?;
    reader.spaces();
    reader.rest.is_empty().then_some(value)
}

/// Writes RFC 8785: keys sorted by UTF-16 code units, no spaces, the shortest escapes.
pub fn write(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Integer(value) => value.to_string(),
        Json::Text(text) => quote(text),
        Json::List(items) => {
            let items: Vec<String> = items.iter().map(write).collect();
            format!("[{}]", items.join(","))
        }
        Json::Object(fields) => {
            let mut fields: Vec<&(String, Json)> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<u16>>());
            let fields: Vec<String> = fields
                .into_iter()
                .map(|(key, value)| format!("{}:{}", quote(key), write(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
    }
}

/// The same value as serde_json knows it.
pub fn to_value(value: &Json) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::from(*value),
        Json::Integer(value) => Value::from(*value),
        Json::Text(text) => Value::from(text.as_str()),
        Json::List(items) => items.iter().map(to_value).collect(),
        Json::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, value)| (key.clone(), to_value(value)))
                .collect(),
        ),
    }
}

/// Whether a pattern matches a path, by trying everything. Both are lists of components; `**` is a component.
pub fn matches(pattern: &[&str], path: &[&str]) -> bool {
    let fits = |part: &&str, name: &&str| {
        let part: Vec<char> = part.chars().collect();
        let name: Vec<char> = name.chars().collect();
        tried(&part, &name, &|part| *part == '*', &|part, name| {
            *part == '?' || part == name
        })
    };
    tried(pattern, path, &|part| *part == "**", &fits)
}

/// Whether these parts, of which some stand for any number of items and the others for one, can be laid along these
/// items. What was tried in vain is not tried again, or it would take for ever.
fn tried<P, I>(
    parts: &[P],
    items: &[I],
    is_any: &impl Fn(&P) -> bool,
    fits: &impl Fn(&P, &I) -> bool,
) -> bool {
    fn go<P, I>(
        (at, from): (usize, usize),
        parts: &[P],
        items: &[I],
        is_any: &impl Fn(&P) -> bool,
        fits: &impl Fn(&P, &I) -> bool,
        vain: &mut HashSet<(usize, usize)>,
    ) -> bool {
        let Some(part) = parts.get(at) else {
            return from == items.len();
        };
        if vain.contains(&(at, from)) {
            return false;
        }
        let found = if is_any(part) {
            (from..=items.len()).any(|to| go((at + 1, to), parts, items, is_any, fits, vain))
        } else {
            items.get(from).is_some_and(|item| fits(part, item))
                && go((at + 1, from + 1), parts, items, is_any, fits, vain)
        };
        if !found {
            vain.insert((at, from));
        }
        found
    }
    go((0, 0), parts, items, is_any, fits, &mut HashSet::new())
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{8}' => quoted.push_str("\\b"),
            '\t' => quoted.push_str("\\t"),
            '\n' => quoted.push_str("\\n"),
            '\u{c}' => quoted.push_str("\\f"),
            '\r' => quoted.push_str("\\r"),
            char if char < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(char))),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// The greatest integer that is read, 2^53 − 1.
const MAX_INTEGER: i64 = 9_007_199_254_740_991;

/// The characters still to be read, the next one last.
struct Reader {
    rest: Vec<char>,
}

impl Reader {
    fn next_is(&mut self, wanted: char) -> bool {
        if self.rest.last() == Some(&wanted) {
            self.rest.pop();
            return true;
        }
        false
    }

    fn spaces(&mut self) {
        while matches!(self.rest.last(), Some(' ' | '\t' | '\n' | '\r')) {
            self.rest.pop();
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        word.chars().all(|char| self.next_is(char)).then_some(value)
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.spaces();
        match self.rest.last()? {
            'n' => self.word("null", Json::Null),
            't' => self.word("true", Json::Bool(true)),
            'f' => self.word("false", Json::Bool(false)),
            '"' => self.text().map(Json::Text),
            '[' => self.list(depth + 1),
            '{' => self.object(depth + 1),
            _ => self.integer(),
        }
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
        self.rest.pop();
        let mut items = Vec::new();
        self.spaces();
        if depth > MAX_DEPTH {
            return None;
        }
        if self.next_is(']') {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.spaces();
            if self.next_is(']') {
                return Some(Json::List(items));
            }
            if !self.next_is(',') {
                return None;
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.rest.pop();
        let mut fields: Vec<(String, Json)> = Vec::new();
        self.spaces();
        if depth > MAX_DEPTH {
            return None;
        }
        if self.next_is('}') {
            return Some(Json::Object(fields));
        }
        loop {
            self.spaces();
            let key = self.text()?;
            self.spaces();
            if !self.next_is(':') || fields.iter().any(|(known, _)| *known == key) {
                return None;
            }
            fields.push((key, self.value(depth)?));
            self.spaces();
            if self.next_is('}') {
                return Some(Json::Object(fields));
            }
            if !self.next_is(',') {
                return None;
            }
        }
    }

    fn integer(&mut self) -> Option<Json> {
        let negative = self.next_is('-');
        let mut digits = String::new();
        while let Some(char) = self.rest.last().filter(|char| char.is_ascii_digit()) {
            digits.push(*char);
            self.rest.pop();
        }
        let plain = digits == "0" && !negative || digits.starts_with(|first| first != '0');
        if !plain || matches!(self.rest.last(), Some('.' | 'e' | 'E')) {
            return None;
        }
        let number: i64 = digits.parse().ok().filter(|size| *size <= MAX_INTEGER)?;
        Some(Json::Integer(if negative { -number } else { number }))
    }

    fn text(&mut self) -> Option<String> {
        if !self.next_is('"') {
            return None;
        }
        let mut text = String::new();
        loop {
            match self.rest.pop()? {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                char if char < ' ' => return None,
                char => text.push(char),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.rest.pop()? {
            char @ ('"' | '\\' | '/') => char,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.unit()?;
                let mut units = vec![first];
                if (0xD800..0xDC00).contains(&first) {
                    if !self.next_is('\\') || !self.next_is('u') {
                        return None;
                    }
                    units.push(self.unit()?);
                }
                // One character or none: a pair that is no pair decodes to an error.
                let mut chars = char::decode_utf16(units);
                let char = chars.next()?.ok()?;
                return chars.next().is_none().then_some(char);
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u16> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + self.rest.pop()?.to_digit(16)?;
        }
        u16::try_from(unit).ok()
    }
}
