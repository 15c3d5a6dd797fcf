//! What a step says about HTTP and secrets: reading it, writing it, and the words for it.

use leasehold_lease::{HttpGrant, Injection, RightsSpec, SecretGrant};
use leasehold_seal::Coded;
use serde_json::{Map, Value, json};

use crate::error::RulesError;
use crate::source::Span;
use crate::walk::{Fields, Walk};

/// Reads the lists `http` and `secrets`; what a lease would not accept is reported where it stands.
pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>) -> (Vec<HttpGrant>, Vec<SecretGrant>) {
    let before = walk.problems.count();
    let entries = fields.tables(walk, "http", &HTTP_KEYS);
    let http: Vec<HttpGrant> = entries
        .iter()
        .filter_map(|entry| http_entry(walk, entry))
        .collect();
    let wish = RightsSpec {
        http: http.clone(),
        ..RightsSpec::default()
    };
    check(walk, fields, "http", &wish);
    let entries = fields.tables(walk, "secrets", &SECRET_KEYS);
    let secrets: Vec<SecretGrant> = entries
        .iter()
        .filter_map(|entry| secret_entry(walk, entry))
        .collect();
    // Of an entry that could not be read nobody knows whether it is the way that a secret needs.
    if walk.problems.count() == before {
        let wish = RightsSpec {
            secrets: secrets.clone(),
            ..wish
        };
        check(walk, fields, "secrets", &wish);
    }
    (http, secrets)
}

/// `GET https://api.example.com:443/v1/**`, with the blocks that addresses may lie in.
pub(crate) fn http_text(http: &HttpGrant) -> String {
    let blocks: Vec<String> = http.addresses.iter().map(ToString::to_string).collect();
    if blocks.is_empty() {
        http.to_string()
    } else {
        format!("{http} (also at {})", blocks.join(", "))
    }
}

/// `the secret "token" in the header authorization to api.example.com:443, behind "Bearer "`.
pub(crate) fn secret_text(secret: &SecretGrant) -> String {
    let name = &secret.name;
    let Some(injection) = &secret.inject else {
        return format!("the secret {name:?} by reading it itself");
    };
    let Injection {
        host,
        port,
        header,
        prefix,
    } = injection;
    let behind = match prefix.as_str() {
        "" => String::new(),
        prefix => format!(", behind {prefix:?}"),
    };
    format!("the secret {name:?} in the header {header} to {host}:{port}{behind}")
}

/// The secrets as a step writes them.
pub(crate) fn secrets_json(secrets: &[SecretGrant]) -> Value {
    let entry = |secret: &SecretGrant| {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), json!(secret.name));
        match &secret.inject {
            Some(injection) => {
                fields.insert("host".to_owned(), json!(injection.host));
                fields.insert("port".to_owned(), json!(injection.port));
                fields.insert("header".to_owned(), json!(injection.header));
                if !injection.prefix.is_empty() {
                    fields.insert("prefix".to_owned(), json!(injection.prefix));
                }
            }
            None => {
                fields.insert("expose".to_owned(), json!(true));
            }
        }
        Value::Object(fields)
    };
    secrets.iter().map(entry).collect()
}

fn http_entry(walk: &mut Walk<'_>, entry: &Fields<'_>) -> Option<HttpGrant> {
    let needed = ["methods", "host", "port", "path"];
    for key in needed.iter().filter(|key| entry.item(key).is_none()) {
        entry.missing(walk, key, HTTP_HINT);
    }
    let methods = parsed_list(walk, entry, "methods");
    let addresses = parsed_list(walk, entry, "addresses");
    let host = parsed(walk, entry, "host");
    let port = port(walk, entry);
    let path = parsed(walk, entry, "path");
    let scheme = match entry.string(walk, "scheme") {
        None if entry.item("scheme").is_some() => None,
        None | Some(("https", _)) => Some(leasehold_lease::Scheme::Https),
        Some(("http", _)) => Some(leasehold_lease::Scheme::Http),
        Some((other, span)) => {
            bad(
                walk,
                &span,
                format!("`scheme`: {other:?} is neither https nor http"),
                HTTP_HINT,
            );
            None
        }
    };
    Some(HttpGrant {
        methods: methods?,
        scheme: scheme?,
        host: host?,
        port: port?,
        path: path?,
        addresses: addresses?,
    })
}

fn secret_entry(walk: &mut Walk<'_>, entry: &Fields<'_>) -> Option<SecretGrant> {
    if entry.item("name").is_none() {
        entry.missing(walk, "name", SECRET_HINT);
    }
    let name = entry.string(walk, "name").map(|(name, _)| name.to_owned());
    let expose = entry.boolean(walk, "expose").unwrap_or(false);
    let placed = PLACE_KEYS.iter().any(|key| entry.item(key).is_some());
    if !placed {
        return Some(SecretGrant {
            name: name?,
            inject: None,
            expose,
        });
    }
    for key in ["host", "port", "header"] {
        if entry.item(key).is_none() {
            entry.missing(walk, key, SECRET_HINT);
        }
    }
    let host = parsed(walk, entry, "host");
    let port = port(walk, entry);
    let header = parsed(walk, entry, "header");
    let prefix = entry
        .string(walk, "prefix")
        .map(|(text, _)| text.to_owned());
    Some(SecretGrant {
        name: name?,
        inject: Some(Injection {
            host: host?,
            port: port?,
            header: header?,
            prefix: prefix.unwrap_or_default(),
        }),
        expose,
    })
}

fn port(walk: &mut Walk<'_>, entry: &Fields<'_>) -> Option<u16> {
    let port = entry.integer(walk, "port", (1, u16::MAX.into()))?;
    u16::try_from(port).ok()
}

/// A text that has a form of its own, as in a lease.
fn parsed<T>(walk: &mut Walk<'_>, entry: &Fields<'_>, key: &str) -> Option<T>
where
    T: std::str::FromStr,
    T::Err: Coded,
{
    let (text, span) = entry.string(walk, key)?;
    of_text(walk, text, &span)
}

/// A list of such texts; `None` where one of them is wrong.
fn parsed_list<T>(walk: &mut Walk<'_>, entry: &Fields<'_>, key: &str) -> Option<Vec<T>>
where
    T: std::str::FromStr,
    T::Err: Coded,
{
    let texts = entry.strings(walk, key).into_iter();
    let all: Vec<Option<T>> = texts
        .map(|(text, span)| of_text(walk, text, &span))
        .collect();
    all.into_iter().collect()
}

fn of_text<T>(walk: &mut Walk<'_>, text: &str, span: &Span) -> Option<T>
where
    T: std::str::FromStr,
    T::Err: Coded,
{
    match text.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            let hint = error.hint().unwrap_or_default();
            bad(walk, span, error.to_string(), &hint);
            None
        }
    }
}

/// What a lease would not accept is not accepted here either.
fn check(walk: &mut Walk<'_>, fields: &Fields<'_>, key: &str, wish: &RightsSpec) {
    if let Err(error) = wish.check() {
        let hint = error.hint().unwrap_or_default();
        let sentence = format!("{}: {error}", fields.owner());
        bad(walk, &fields.key_span(key), sentence, &hint);
    }
}

fn bad(walk: &mut Walk<'_>, span: &Span, sentence: String, hint: &str) {
    walk.report(span, || {
        RulesError::usage("STEP-VALUE", sentence).with_hint(hint)
    });
}

const HTTP_KEYS: [&str; 6] = ["methods", "scheme", "host", "port", "path", "addresses"];
const SECRET_KEYS: [&str; 6] = ["name", "host", "port", "header", "prefix", "expose"];
/// The keys of a secret that the host puts into a request.
const PLACE_KEYS: [&str; 4] = ["host", "port", "header", "prefix"];

const HTTP_HINT: &str = "for example http = [{ methods = [\"GET\"], host = \"api.example.com\", port = 443, path = \"/v1/**\" }]";
const SECRET_HINT: &str = "for example secrets = [{ name = \"api-token\", host = \"api.example.com\", port = 443, \
    header = \"authorization\", prefix = \"Bearer \" }], or { name = \"api-token\", expose = true }";
