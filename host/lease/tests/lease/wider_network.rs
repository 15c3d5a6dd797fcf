//! Children whose requests and secrets are wider than their parent's, each refused; and each good under a parent that has
//! them.

use leasehold_lease::{ChildDoc, ChildGrant, HttpGrant, SecretGrant};
use leasehold_seal::Coded;
use serde_json::json;

use crate::common::*;
use crate::family::*;

fn first(child: &mut ChildDoc) -> &mut ChildGrant {
    &mut child.grants[0]
}

fn entry(methods: &[&str], url: &str, addresses: &[&str]) -> HttpGrant {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_at(rest.find('/').unwrap());
    let (host, port) = authority.rsplit_once(':').unwrap();
    let port: u16 = port.parse().unwrap();
    let entry = json!({
        "methods": methods, "scheme": scheme, "host": host, "port": port, "path": path,
        "addresses": addresses,
    });
    serde_json::from_value(entry).unwrap()
}

fn token(host: &str) -> SecretGrant {
    let place = json!({"host": host, "port": 443, "header": "authorization"});
    serde_json::from_value(json!({"name": "token", "inject": place})).unwrap()
}

/// Requests of a child, each just beside what its parent allows.
#[test]
fn requests() {
    let blocks: &[&str] = &["10.0.0.0/8"];
    let mut base = root();
    base.grants[0].http = vec![entry(&["GET"], "https://*.example.com:443/v1/**", blocks)];
    let within = [
        ("https://api.example.com:443/v1/**", &["10.1.0.0/16"][..]),
        ("https://*.example.com:443/v1/items/*", &[]),
        ("https://api.example.com:443/v1", blocks),
    ];
    for (url, addresses) in within {
        let chain = pair(&base, |child| {
            first(child).http = vec![entry(&["GET"], url, addresses)];
        });
        verify_chain(&chain).unwrap();
    }
    let beside = [
        (&["GET"][..], "https://evil-example.com:443/v1/**", blocks),
        (&["GET"], "https://example.com:443/v1/**", blocks),
        (&["GET"], "https://a.b.example.com:443/v1/**", blocks),
        (
            &["GET"],
            "https://api.example.com.evil.test:443/v1/**",
            blocks,
        ),
        (&["GET"], "https://*.com.example.com:443/v1/**", blocks),
        (&["GET"], "https://api.example.com:444/v1/**", blocks),
        (&["GET"], "http://api.example.com:443/v1/**", blocks),
        (&["GET", "PUT"], "https://api.example.com:443/v1/**", blocks),
        (&["GET"], "https://api.example.com:443/**", blocks),
        (&["GET"], "https://api.example.com:443/v12/**", blocks),
        (
            &["GET"],
            "https://api.example.com:443/v1/**",
            &["10.0.0.0/7"],
        ),
        (
            &["GET"],
            "https://api.example.com:443/v1/**",
            &["11.0.0.0/8"],
        ),
        (
            &["GET"],
            "https://api.example.com:443/v1/**",
            &["127.0.0.1/32"],
        ),
    ];
    for (methods, url, addresses) in beside {
        let wanted = entry(methods, url, addresses);
        let change = |child: &mut ChildDoc| first(child).http = vec![wanted.clone()];
        let refusal = verify_chain(&pair(&base, change)).unwrap_err();
        assert_eq!(refusal.code(), "LEASE-WIDER", "{url}");
        let named = format!("grants[0].http[0]: {wanted}");
        assert!(refusal.to_string().contains(&named), "{named}: {refusal}");
        // The twin: a parent that has exactly this beside the other.
        let mut wide = base.clone();
        wide.grants[0].http.push(wanted.clone());
        verify_chain(&pair(&wide, change)).unwrap();
    }
    // An encoded slash is no path of any lease.
    for path in ["/v1/a%2Fb", "/v1/%2e%2e/x", "/v1/../x", "v1", "/v1//x"] {
        let parent = signed(&base);
        let mut lease = serde_json::to_value(child(parent.id(), &base, &person(1))).unwrap();
        lease["grants"][0]["http"][0]["path"] = json!(path);
        let outcome = verify_chain(&[sign(&lease, &[&person(1)]), parent]);
        assert_eq!(code(outcome), "LEASE-FORMAT", "{path}");
    }
}

#[test]
fn secrets() {
    let mut base = root();
    base.grants[0].http = vec![entry(&["GET"], "https://*.example.com:443/**", &[])];
    base.grants[0].secrets = vec![token("api.example.com")];
    verify_chain(&pair(&base, |_| {})).unwrap();
    verify_chain(&pair(&base, |child| first(child).secrets.clear())).unwrap();
    let exposed: SecretGrant =
        serde_json::from_value(json!({"name": "token", "expose": true})).unwrap();
    for wanted in [token("eu.example.com"), exposed] {
        let change = |child: &mut ChildDoc| first(child).secrets = vec![wanted.clone()];
        let refusal = verify_chain(&pair(&base, change)).unwrap_err();
        assert_eq!(refusal.code(), "LEASE-WIDER", "{refusal}");
        assert!(
            refusal
                .to_string()
                .contains(" grants[0].secrets[0]: \"token\""),
            "{refusal}"
        );
        let mut wide = base.clone();
        wide.grants[0].secrets = vec![wanted.clone()];
        verify_chain(&pair(&wide, change)).unwrap();
    }
    // The secret without the right to send where it goes.
    let chain = pair(&base, |child| first(child).http.clear());
    assert_eq!(code(verify_chain(&chain)), "LEASE-FORMAT");
}
