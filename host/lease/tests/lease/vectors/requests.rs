//! Vectors of outgoing requests and secrets.

use serde_json::{Value, json};

use super::cases::Case;
use super::{Use, edited, good};
use crate::family::*;

pub(super) fn vectors() -> Vec<Case> {
    let entry = |change: fn(&mut Value)| {
        let mut entry =
            json!({"methods": ["GET"], "host": "api.example.com", "port": 443, "path": "/v1/**"});
        change(&mut entry);
        entry
    };
    let under = |about: &str, entries: Vec<Value>| {
        edited(about, |lease| lease["grants"][0]["http"] = json!(entries))
    };
    let request = |method: &str, scheme: &str, authority: &str, path: &str| Use::Request {
        method: method.into(),
        scheme: scheme.into(),
        authority: authority.into(),
        path: path.into(),
    };
    let asked = |about: &str, authority: &str, path: &str| {
        under(about, vec![entry(|_| {})]).using(request("GET", "https", authority, path))
    };
    let label = |about: &str, authority: &str| {
        under(
            about,
            vec![entry(|entry| entry["host"] = json!("*.example.com"))],
        )
        .using(request("GET", "https", authority, "/v1/x"))
    };
    let secret = |about: &str, secret: Value, change: fn(&mut Value)| {
        let mut entry = entry(|_| {});
        change(&mut entry);
        edited(about, |lease| {
            lease["grants"][0]["http"] = json!([entry]);
            lease["grants"][0]["secrets"] = json!([secret]);
        })
    };
    let inject = json!({"name": "api-token", "inject": {"host": "api.example.com", "port": 443, "header": "authorization", "prefix": "Bearer "}});
    let narrowed = |about: &str, change: fn(&mut Value)| {
        let mut wide = root();
        let allowed = entry(|entry| {
            entry["host"] = json!("*.example.com");
            entry["addresses"] = json!(["10.0.0.0/8"]);
        });
        wide.grants[0].http = vec![serde_json::from_value(allowed).unwrap()];
        let parent = signed(&wide);
        let mut lease = serde_json::to_value(child(parent.id(), &wide, &person(1))).unwrap();
        change(&mut lease["grants"][0]["http"][0]);
        good(about).chained(&[sign(&lease, &[&person(1)]), parent])
    };
    vec![
        (
            "http-good",
            "",
            asked(
                "a request that is allowed",
                "api.example.com",
                "/v1/items?all",
            ),
        ),
        (
            "http-good-port",
            "",
            asked(
                "the port of the scheme, written out",
                "API.example.com:443",
                "/v1",
            ),
        ),
        (
            "http-good-label",
            "",
            label("one label in the place of *", "eu.example.com"),
        ),
        (
            "http-good-narrowed",
            "",
            narrowed("a child with one host and path", |entry| {
                entry["host"] = json!("api.example.com");
                entry["path"] = json!("/v1/items/*");
                entry["addresses"] = json!(["10.1.0.0/16"]);
            }),
        ),
        (
            "http-good-secret",
            "",
            secret("a secret where requests go", inject.clone(), |_| {}),
        ),
        (
            "http-good-exposed",
            "",
            secret(
                "a secret the plugin reads",
                json!({"name": "api-token", "expose": true}),
                |_| {},
            ),
        ),
        (
            "http-none",
            "HTTP-DENIED",
            good("no HTTP at all").using(request("GET", "https", "api.example.com", "/v1/x")),
        ),
        (
            "http-host",
            "HTTP-DENIED",
            asked(
                "another host that ends alike",
                "evil-api.example.com",
                "/v1/x",
            ),
        ),
        (
            "http-label-two",
            "HTTP-DENIED",
            label("two labels in the place of *", "a.b.example.com"),
        ),
        (
            "http-label-none",
            "HTTP-DENIED",
            label("no label in the place of *", "example.com"),
        ),
        (
            "http-port",
            "HTTP-DENIED",
            asked("another port", "api.example.com:8443", "/v1/x"),
        ),
        (
            "http-path",
            "HTTP-DENIED",
            asked("a path that only begins alike", "api.example.com", "/v12/x"),
        ),
        (
            "http-path-slash",
            "HTTP-PATH",
            asked("an encoded slash", "api.example.com", "/v1/a%2Fb"),
        ),
        (
            "http-path-dots",
            "HTTP-PATH",
            asked("dot segments", "api.example.com", "/v1/../admin"),
        ),
        (
            "http-path-encoded-dots",
            "HTTP-PATH",
            asked("encoded dots", "api.example.com", "/v1/%2e%2e/admin"),
        ),
        (
            "http-userinfo",
            "HTTP-AUTHORITY",
            asked(
                "a user in front of the host",
                "api.example.com@evil.example",
                "/v1/x",
            ),
        ),
        (
            "http-method",
            "HTTP-DENIED",
            under("another method", vec![entry(|_| {})]).using(request(
                "DELETE",
                "https",
                "api.example.com",
                "/v1/x",
            )),
        ),
        (
            "http-scheme",
            "HTTP-DENIED",
            under("without TLS", vec![entry(|_| {})]).using(request(
                "GET",
                "http",
                "api.example.com:443",
                "/v1/x",
            )),
        ),
        (
            "http-connect",
            "LEASE-FORMAT",
            under(
                "a method that is none to be leased",
                vec![entry(|entry| entry["methods"] = json!(["CONNECT"]))],
            ),
        ),
        (
            "http-block",
            "LEASE-FORMAT",
            under(
                "a block with host bits",
                vec![entry(|entry| entry["addresses"] = json!(["10.0.0.1/8"]))],
            ),
        ),
        (
            "http-wider-host",
            "LEASE-WIDER",
            narrowed("a child with a host that ends alike", |entry| {
                entry["host"] = json!("evil-example.com");
            }),
        ),
        (
            "http-wider-port",
            "LEASE-WIDER",
            narrowed("a child with another port", |entry| {
                entry["port"] = json!(8443);
            }),
        ),
        (
            "http-wider-path",
            "LEASE-WIDER",
            narrowed("a child with any path", |entry| {
                entry["path"] = json!("/**");
            }),
        ),
        (
            "http-wider-method",
            "LEASE-WIDER",
            narrowed("a child with one method more", |entry| {
                entry["methods"] = json!(["GET", "PUT"]);
            }),
        ),
        (
            "http-wider-addresses",
            "LEASE-WIDER",
            narrowed("a child with more addresses", |entry| {
                entry["addresses"] = json!(["10.0.0.0/7"]);
            }),
        ),
        (
            "secret-elsewhere",
            "LEASE-FORMAT",
            secret("where no request may go", inject.clone(), |entry| {
                entry["host"] = json!("other.example.com");
            }),
        ),
        (
            "secret-clear",
            "LEASE-FORMAT",
            secret("without TLS", inject, |entry| {
                entry["scheme"] = json!("http");
            }),
        ),
        (
            "secret-host-header",
            "LEASE-FORMAT",
            secret(
                "in a field that is the host's",
                json!({"name": "api-token", "inject": {"host": "api.example.com", "port": 443, "header": "host"}}),
                |_| {},
            ),
        ),
    ]
}
