//! The schemas: out of the workspace or the configuration, never from anywhere else.

use std::collections::BTreeMap;
use std::error;
use std::fmt;
use std::sync::{Arc, Mutex};

use jsonschema::{PatternOptions, Retrieve, Uri, Validator};
use leasehold_plugin::gate::Error;
use leasehold_plugin::workspace;
use serde_json::Value;

use crate::config::Config;
use crate::document::Document;

/// How a file of the workspace is read.
pub(crate) type Read = fn(&str) -> Result<Vec<u8>, workspace::Error>;

/// The base of relative references: files of the workspace.
const BASE: &str = "workspace:///";

/// A schema that is ready for use.
#[derive(Debug)]
pub(crate) struct Schema {
    /// Its path, or that it stands in the configuration.
    pub(crate) name: String,
    pub(crate) validator: Validator,
}

/// One schema for each check. Without a schema nothing is judged: one that is missing blocks, one that makes no sense is an error of
/// the configuration.
pub(crate) fn compile(config: &Config, read: Read) -> Result<Vec<Schema>, Error> {
    let compile = |(index, check): (usize, &crate::config::Check)| match &check.schema {
        Value::String(path) => {
            let value = load(path, read)?;
            one(
                config,
                read,
                path.clone(),
                &format!("{BASE}{}", encode(path)),
                &value,
            )
        }
        value => one(
            config,
            read,
            format!("the schema of check {index}"),
            BASE,
            value,
        ),
    };
    config.checks.iter().enumerate().map(compile).collect()
}

fn one(
    config: &Config,
    read: Read,
    name: String,
    base: &str,
    value: &Value,
) -> Result<Schema, Error> {
    let failure = Arc::new(Mutex::new(None));
    let files = Files {
        read,
        ids: config.ids.clone(),
        failure: Arc::clone(&failure),
    };
    let built = jsonschema::options()
        .with_base_uri(base)
        .with_retriever(files)
        .should_validate_formats(config.formats)
        // The other engine backtracks, and the patterns are a stranger's.
        .with_pattern_options(PatternOptions::regex())
        .build(value);
    match built {
        Ok(validator) => Ok(Schema { name, validator }),
        Err(error) => {
            let failure = failure.lock().ok().and_then(|mut failure| failure.take());
            Err(failure.unwrap_or_else(|| {
                Error::Config(format!("{name} is not a usable schema: {error}"))
            }))
        }
    }
}

fn load(path: &str, read: Read) -> Result<Value, Error> {
    let bytes = read(path).map_err(|error| {
        Error::Blocked(format!(
            "the schema {path}: {}",
            workspace::sentence(&error)
        ))
    })?;
    let document = Document::parse(&bytes).map_err(|(place, reason)| {
        Error::Config(format!(
            "the schema {path}:{}:{}: {reason}",
            place.line, place.column
        ))
    })?;
    // Of two keys one would be passed over, and with it a demand.
    if let Some((pointer, at)) = document.scan([]).duplicates.first() {
        let line = document.place(*at).line;
        return Err(Error::Config(format!(
            "the schema {path}:{line}: {pointer} is there twice"
        )));
    }
    Ok(document.value)
}

/// Finds what `$ref` names.
struct Files {
    read: Read,
    ids: BTreeMap<String, String>,
    /// What went wrong first: the library says it in its own words only.
    failure: Arc<Mutex<Option<Error>>>,
}

/// Stands for what is kept in [`Files::failure`].
#[derive(Debug)]
struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the schema could not be had")
    }
}

impl error::Error for Failed {}

impl Retrieve for Files {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn error::Error + Send + Sync>> {
        self.find(uri.as_str()).map_err(|error| {
            if let Ok(mut failure) = self.failure.lock() {
                failure.get_or_insert(error);
            }
            Failed.into()
        })
    }
}

impl Files {
    fn find(&self, uri: &str) -> Result<Value, Error> {
        let path = match uri.strip_prefix(BASE) {
            Some(path) => decode(path),
            None => {
                // The longest beginning that is known.
                let known = self
                    .ids
                    .iter()
                    .filter(|(start, _)| uri.starts_with(start.as_str()));
                let (start, folder) =
                    known.max_by_key(|(start, _)| start.len()).ok_or_else(|| {
                        let hint = "say in `ids` where in the workspace it lies";
                        Error::Config(format!(
                            "the reference to {uri} leads out of the workspace: {hint}"
                        ))
                    })?;
                decode(&uri[start.len()..]).map(|rest| format!("{folder}{rest}"))
            }
        };
        let path = path.ok_or_else(|| Error::Config(format!("{uri} is not UTF-8")))?;
        load(&path, self.read)
    }
}

/// A path as part of a URI (RFC 3986).
fn encode(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

fn decode(uri: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_through_uris_unharmed() {
        for path in ["a/b.json", "a b/é%20#?.json", "日本.json"] {
            assert!(encode(path).is_ascii());
            assert_eq!(decode(&encode(path)).as_deref(), Some(path));
        }
        assert_eq!(decode("%f"), None);
        assert_eq!(decode("%ff"), None);
    }
}
