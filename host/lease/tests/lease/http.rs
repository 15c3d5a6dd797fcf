//! Requests and the entries that allow them.

mod containment;
mod entries;
mod spellings;
mod targets;

use leasehold_lease::{HttpGrant, Refusal, Target};
use leasehold_seal::{Class, Coded};

pub(super) fn entry(json: serde_json::Value) -> HttpGrant {
    let entry: HttpGrant = serde_json::from_value(json).unwrap();
    entry.check("http[0]").unwrap();
    entry
}

pub(super) fn api() -> HttpGrant {
    entry(
        serde_json::json!({"methods": ["GET", "POST"], "host": "api.example.com", "port": 443, "path": "/v1/**"}),
    )
}

pub(super) fn target(method: &str, url: &str) -> Target {
    parse(method, url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

pub(super) fn parse(method: &str, url: &str) -> Result<Target, Refusal> {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Target::parse(method, scheme, authority, path)
}

#[track_caller]
pub(super) fn code(result: Result<Target, Refusal>) -> &'static str {
    let error = result.unwrap_err();
    assert!(error.hint().is_some(), "{error}");
    assert_eq!(error.class(), Class::Refused);
    error.code()
}

pub(super) fn url(path: &str) -> String {
    format!("https://api.example.com{path}")
}
