//! TOML values as text, each on one line: what is added to a file has to survive any kind of line end.

use serde_json::{Map, Value};

/// The value as TOML. Null, which TOML does not have, becomes an empty string; nothing that is written holds it.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Null => string(""),
        Value::Bool(boolean) => boolean.to_string(),
        Value::String(text) => string(text),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => integer.to_string(),
            // Always with a point or an exponent, as TOML wants it.
            (None, float) => format!("{:?}", float.unwrap_or_default()),
        },
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(self::value).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(fields) => table(fields),
    }
}

/// A basic string. TOML has all the escapes of JSON that are written here, and wants one more.
pub(crate) fn string(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn table(fields: &Map<String, Value>) -> String {
    if fields.is_empty() {
        return "{}".to_owned();
    }
    let fields: Vec<String> = fields
        .iter()
        .map(|(key, value)| format!("{} = {}", self::key(key), self::value(value)))
        .collect();
    format!("{{ {} }}", fields.join(", "))
}

fn key(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !key.is_empty() && key.bytes().all(bare) {
        key.to_owned()
    } else {
        string(key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toml_edit::Document;

    use super::*;

    proptest! {
        #[test]
        fn any_string_and_key_are_read_back(text: String, name: String) {
            let line = format!("{} = {}", key(&name), string(&text));
            prop_assert!(!line.contains(['\n', '\r']));
            let document = Document::parse(line).unwrap();
            prop_assert_eq!(document.get(&name).and_then(|item| item.as_str()), Some(&*text));
        }

        #[test]
        fn any_float_is_read_back(float in prop::num::f64::NORMAL) {
            let line = format!("x = {}", value(&float.into()));
            let document = Document::parse(line).unwrap();
            prop_assert_eq!(document.get("x").and_then(|item| item.as_float()), Some(float));
        }
    }
}
