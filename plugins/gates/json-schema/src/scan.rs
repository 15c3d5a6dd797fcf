//! Where the values of a JSON text stand: serde_json says it of errors only.

use std::collections::{BTreeMap, HashSet};

/// Goes once through JSON that is known to be well formed.
pub(crate) struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// JSON Pointer (RFC 6901) of the value at hand.
    pointer: String,
    /// Pointers that are looked for, with the place of their value in bytes once it is found. Of duplicates the last one counts, as
    /// for serde_json.
    wanted: BTreeMap<String, Option<usize>>,
    /// Pointers and places of keys that stand in their object before.
    duplicates: Vec<(String, usize)>,
}

/// What was found.
pub(crate) struct Found {
    /// As they were looked for, with places in bytes.
    pub(crate) places: BTreeMap<String, Option<usize>>,
    /// Keys that stand twice in an object: their pointers, and the places of the later ones.
    pub(crate) duplicates: Vec<(String, usize)>,
}

impl<'a> Scan<'a> {
    /// Looks for the values that the pointers name, and for duplicate keys. What comes out for text that is no JSON means nothing, but
    /// it does come out.
    pub(crate) fn run(text: &'a str, pointers: impl IntoIterator<Item = String>) -> Found {
        let mut scan = Self {
            text,
            at: 0,
            pointer: String::new(),
            wanted: pointers
                .into_iter()
                .map(|pointer| (pointer, None))
                .collect(),
            duplicates: Vec::new(),
        };
        scan.value();
        Found {
            places: scan.wanted,
            duplicates: scan.duplicates,
        }
    }

    /// Nesting is no deeper than serde_json accepts, 128.
    fn value(&mut self) {
        self.space();
        if let Some(place) = self.wanted.get_mut(&self.pointer) {
            *place = Some(self.at);
        }
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => drop(self.string()),
            _ => {
                while self
                    .peek()
                    .is_some_and(|byte| !b",]} \t\r\n".contains(&byte))
                {
                    self.at += 1;
                }
            }
        }
        self.space();
    }

    fn object(&mut self) {
        let mut keys = HashSet::new();
        self.at += 1;
        self.space();
        while self.peek() == Some(b'"') {
            let start = self.at;
            let key = self.string();
            self.space();
            self.at += 1; // the colon
            let outer = self.pointer.len();
            self.pointer.push('/');
            self.pointer
                .push_str(&key.replace('~', "~0").replace('/', "~1"));
            if !keys.insert(key) {
                self.duplicates.push((self.pointer.clone(), start));
            }
            self.value();
            self.pointer.truncate(outer);
            if self.peek() == Some(b',') {
                self.at += 1;
                self.space();
            }
        }
        self.at += 1; // the brace
    }

    fn array(&mut self) {
        self.at += 1;
        self.space();
        let mut index = 0_usize;
        while self.peek().is_some_and(|byte| byte != b']') {
            let (outer, start) = (self.pointer.len(), self.at);
            self.pointer.push_str(&format!("/{index}"));
            self.value();
            self.pointer.truncate(outer);
            if self.peek() == Some(b',') {
                self.at += 1;
            }
            // Only text that is no JSON stands still.
            if self.at == start {
                return;
            }
            index += 1;
        }
        self.at += 1; // the bracket
    }

    /// Takes a string with its quotes and gives what it means.
    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.at = self.at.min(self.text.len());
        let literal = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(literal).unwrap_or_default()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The text from where the scan finds the value.
    fn place<'a>(text: &'a str, pointer: &str) -> &'a str {
        let found = Scan::run(text, [pointer.to_owned()]);
        found.places[pointer].map_or("", |at| &text[at..])
    }

    #[test]
    fn values_are_found_by_their_pointers() {
        let text = " {\"a\" : [1, {\"b/c~\": \"x\\\"]\"}, [ ]] ,\n\"\\u0064\":-1.5e3, \"\":null}";
        assert!(place(text, "").starts_with('{'));
        assert!(place(text, "/a").starts_with("[1"));
        assert!(place(text, "/a/0").starts_with("1,"));
        assert!(place(text, "/a/1/b~1c~0").starts_with("\"x"));
        assert!(place(text, "/a/2").starts_with("[ ]"));
        assert!(place(text, "/d").starts_with("-1.5"));
        assert!(place(text, "/").starts_with("null"));
        assert_eq!(place(text, "/e"), "");
    }

    #[test]
    fn duplicates_are_found_however_they_are_written() {
        let text = r#"{"a":1,"b":{"a":2},"\u0061":3,"c":[{"x":1},{"x":2,"x":3}]}"#;
        let found = Scan::run(text, ["/a".to_owned()]);
        let pointers: Vec<_> = found
            .duplicates
            .iter()
            .map(|(pointer, _)| pointer.as_str())
            .collect();
        assert_eq!(pointers, ["/a", "/c/1/x"]);
        assert!(text[found.duplicates[0].1..].starts_with(r#""\u0061":3"#));
        // The one that serde_json keeps.
        assert!(place(text, "/a").starts_with("3,"));
    }

    #[test]
    fn every_value_of_every_document_is_found() {
        let mut seed = 7_u64;
        for _ in 0..500 {
            let value = document(&mut seed, 4);
            for text in [
                value.to_string(),
                serde_json::to_string_pretty(&value).unwrap(),
            ] {
                let pointers = pointers(&value, String::new());
                let found = Scan::run(&text, pointers.clone());
                assert!(found.duplicates.is_empty());
                for pointer in pointers {
                    let at = found.places[&pointer].unwrap();
                    let mut there =
                        serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
                    assert_eq!(
                        there.next().unwrap().unwrap(),
                        *value.pointer(&pointer).unwrap()
                    );
                }
            }
        }
    }

    #[test]
    fn text_that_is_no_json_ends_as_well() {
        let pieces = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "a", "1", " ", "é", "\n",
        ];
        let mut seed = 3_u64;
        for _ in 0..20_000 {
            let text: String = (0..12)
                .map(|_| pieces[random(&mut seed, pieces.len())])
                .collect();
            Scan::run(&text, [String::new()]);
        }
    }

    fn random(seed: &mut u64, below: usize) -> usize {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) as usize % below
    }

    fn document(seed: &mut u64, depth: usize) -> Value {
        match random(seed, if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => Value::from(random(seed, 1000)),
            2 => Value::from(["", "a\"b", "é\\", "]},", "\n"][random(seed, 5)]),
            3 => Value::from(1.5),
            4 => (0..random(seed, 4))
                .map(|_| document(seed, depth - 1))
                .collect(),
            _ => {
                let keys = ["a", "b/c", "~", "\"", "é", ""];
                let count = random(seed, 4);
                (0..count)
                    .map(|_| (keys[random(seed, 6)].to_owned(), document(seed, depth - 1)))
                    .collect()
            }
        }
    }

    fn pointers(value: &Value, pointer: String) -> Vec<String> {
        let mut all = vec![pointer.clone()];
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    all.extend(pointers(item, format!("{pointer}/{index}")));
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    all.extend(pointers(member, format!("{pointer}/{key}")));
                }
            }
            _ => {}
        }
        all
    }
}
