//! What an entry allows.

use leasehold_lease::{HttpGrant, Permit, Scheme};
use leasehold_seal::Coded;
use serde_json::json;

use super::{api, entry, target, url};

#[test]
fn allows_what_one_entry_allows() {
    let api = api();
    for (method, url) in [
        ("GET", "https://api.example.com/v1"),
        ("POST", "https://api.example.com:443/v1/"),
        ("GET", "https://API.EXAMPLE.COM/v1/items/7?all"),
    ] {
        assert!(api.allows(&target(method, url)), "{method} {url}");
    }
    for (method, url, other) in [
        ("PUT", "https://api.example.com/v1/items", "method"),
        ("GET", "http://api.example.com:443/v1/items", "scheme"),
        ("GET", "https://api.example.com:8443/v1/items", "port"),
        ("GET", "https://api.example.com/v2/items", "path"),
        ("GET", "https://api.example.com/v1x", "path"),
        ("GET", "https://api.example.com/V1/items", "path"),
        ("GET", "https://api.example.com/%761/items", "path"),
        (
            "GET",
            "https://api.example.com.evil.example/v1/items",
            "host",
        ),
        ("GET", "https://example.com/v1/items", "host"),
        ("GET", "https://x.api.example.com/v1/items", "host"),
        ("GET", "https://93.184.215.14/v1/items", "host"),
        ("DELETE", "https://api.example.com/", "method and path"),
    ] {
        let target = target(method, url);
        assert!(!api.allows(&target), "{method} {url}");
        let refusal =
            Permit::decide("fetch", std::slice::from_ref(&api), target.clone()).unwrap_err();
        assert_eq!(refusal.code(), "HTTP-DENIED");
        let sentence = refusal.to_string();
        for part in [
            method,
            target.host().to_string().as_str(),
            &target.port().to_string(),
            target.path(),
        ] {
            assert!(sentence.contains(part), "{sentence}");
        }
        let hint = refusal.hint().unwrap();
        let nearest = "GET,POST https://api.example.com:443/v1/**";
        assert!(
            hint.contains(nearest) && hint.ends_with(&format!("another {other}")),
            "{hint}"
        );
    }
    assert!(Permit::decide("fetch", &[], target("GET", &url("/"))).is_err());
}

/// Two entries, each of which allows half of a request, do not add up to one that allows it.
#[test]
fn entries_are_not_put_together() {
    let reads =
        entry(json!({"methods": ["GET"], "host": "a.example.com", "port": 443, "path": "/**"}));
    let writes =
        entry(json!({"methods": ["POST"], "host": "b.example.com", "port": 443, "path": "/**"}));
    let entries = [reads, writes];
    for (method, url, allowed) in [
        ("GET", "https://a.example.com/", true),
        ("POST", "https://b.example.com/", true),
        ("POST", "https://a.example.com/", false),
        ("GET", "https://b.example.com/", false),
    ] {
        let permit = Permit::decide("g", &entries, target(method, url));
        assert_eq!(permit.is_ok(), allowed, "{method} {url}");
    }
}

#[test]
fn a_permit_has_the_blocks_of_what_allows() {
    let entries = [
        entry(
            json!({"methods": ["GET"], "host": "a.example.com", "port": 443, "path": "/**", "addresses": ["10.0.0.0/8"]}),
        ),
        entry(
            json!({"methods": ["GET"], "host": "*.example.com", "port": 443, "path": "/x", "addresses": ["fd00::/8"]}),
        ),
        entry(
            json!({"methods": ["GET"], "host": "127.0.0.1", "port": 80, "scheme": "http", "path": "/"}),
        ),
    ];
    let blocks = |url: &str| -> Vec<String> {
        let permit = Permit::decide("g", &entries, target("GET", url)).unwrap();
        permit.blocks().iter().map(ToString::to_string).collect()
    };
    assert_eq!(blocks("https://a.example.com/y"), ["10.0.0.0/8"]);
    assert_eq!(
        blocks("https://a.example.com/x"),
        ["10.0.0.0/8", "fd00::/8"]
    );
    assert_eq!(blocks("https://b.example.com/x"), ["fd00::/8"]);
    assert_eq!(blocks("http://127.0.0.1/"), ["127.0.0.1/32"]);
}

#[test]
fn checks_the_form_of_an_entry() {
    let good = json!({"methods": ["GET"], "scheme": "https", "host": "a.example.com", "port": 443, "path": "/v1/**", "addresses": ["10.0.0.0/8"]});
    let many = |prefix: &str, count: usize| -> Vec<String> {
        (0..count).map(|n| format!("{prefix}{n}")).collect()
    };
    let blocks =
        |count: usize| -> Vec<String> { (0..count).map(|n| format!("10.0.{n}.0/24")).collect() };
    let cases = [
        ("methods", json!(many("M", 16)), true),
        ("methods", json!(many("M", 17)), false),
        ("methods", json!([]), false),
        ("methods", json!(["GET", "GET"]), false),
        ("methods", json!("GET"), false),
        ("scheme", json!("http"), true),
        ("scheme", json!("HTTP"), false),
        ("scheme", json!(null), false),
        ("host", json!("*.example.com"), true),
        ("host", json!("*.com"), false),
        ("port", json!(65_535), true),
        ("port", json!(0), false),
        ("port", json!(65_536), false),
        ("port", json!("443"), false),
        ("path", json!("/"), true),
        ("path", json!("v1"), false),
        ("addresses", json!([]), true),
        ("addresses", json!(blocks(64)), true),
        ("addresses", json!(blocks(65)), false),
        ("addresses", json!(["10.0.0.0/8", "10.0.0.0/8"]), false),
        ("addresses", json!(["10.0.0.1/8"]), false),
        ("query", json!("x"), false),
    ];
    for (field, value, fine) in cases {
        let mut json = good.clone();
        json[field] = value.clone();
        let checked =
            serde_json::from_value::<HttpGrant>(json).map(|entry| entry.check("grants[0].http[0]"));
        assert_eq!(
            matches!(checked, Ok(Ok(()))),
            fine,
            "{field} {value}: {checked:?}"
        );
        if let Ok(Err(refusal)) = checked {
            assert_eq!(refusal.code(), "LEASE-FORMAT");
            assert!(
                refusal
                    .to_string()
                    .starts_with(&format!("grants[0].http[0].{field} ")),
                "{refusal}"
            );
        }
    }
    // An address that is the host names itself; a list next to it would look like a limit and be none.
    for (addresses, fine) in [(json!([]), true), (json!(["127.0.0.0/8"]), false)] {
        let entry: HttpGrant = serde_json::from_value(
            json!({"methods": ["GET"], "host": "127.0.0.1", "port": 80, "path": "/", "addresses": addresses}),
        ).unwrap();
        assert_eq!(entry.check("http[0]").is_ok(), fine);
    }
    let many = vec![api(); 257];
    assert!(HttpGrant::check_all("http", &many[..256]).is_ok());
    assert_eq!(
        HttpGrant::check_all("http", &many).unwrap_err().code(),
        "LEASE-FORMAT"
    );
}

#[test]
fn leaves_out_what_is_the_default() {
    let json = json!({"methods": ["GET", "POST"], "host": "api.example.com", "port": 443, "path": "/v1/**"});
    assert_eq!(serde_json::to_value(api()).unwrap(), json);
    let mut plain = api();
    plain.scheme = Scheme::Http;
    assert_eq!(serde_json::to_value(&plain).unwrap()["scheme"], "http");
}
