//! What requests are accepted at all.

use leasehold_lease::{HttpGrant, Scheme, Target};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::json;

use super::{code, parse, target, url};

#[test]
fn reads_what_a_request_asks_for() {
    let read = target(
        "GET",
        "HTTPS://API.Example.com/v1/a%20b;x=1/?q=../..//%2F[]",
    );
    assert_eq!(read.host().to_string(), "api.example.com");
    assert_eq!(read.port(), 443);
    assert_eq!(read.scheme(), Scheme::Https);
    assert_eq!(read.path(), "/v1/a%20b;x=1/");
    assert_eq!(read.query(), Some("q=../..//%2F[]"));
    assert_eq!(read.path_and_query(), "/v1/a%20b;x=1/?q=../..//%2F[]");
    assert_eq!(read.authority(), "api.example.com");
    assert_eq!(
        read.to_string(),
        "GET https://api.example.com:443/v1/a%20b;x=1/"
    );

    let read = target("GET", "http://[0:0:0::1]:8080");
    assert_eq!(read.authority(), "[::1]:8080");
    assert_eq!(read.path(), "/");
    assert_eq!(target("GET", "http://127.0.0.1").port(), 80);
    assert!(read.host().is_loopback());
    assert!(!target("GET", "https://localhost").host().is_loopback());
}

#[test]
fn refuses_methods() {
    for method in [
        "",
        "get",
        "Get",
        "CONNECT",
        "TRACE",
        "GE T",
        "GET\r\n",
        "1GET",
        "É",
        &"A".repeat(33),
    ] {
        assert_eq!(code(parse(method, &url("/"))), "HTTP-METHOD", "{method:?}");
        assert!(
            serde_json::from_value::<HttpGrant>(json!(
                {"methods": [method], "host": "a.example", "port": 1, "path": "/"}
            ))
            .is_err()
        );
    }
    for method in ["GET", "DELETE", "M-SEARCH", "VERSION-CONTROL"] {
        assert!(parse(method, &url("/")).is_ok());
    }
}

#[test]
fn refuses_schemes() {
    for scheme in ["", "ftp", "file", "https:", "ws", "httpss"] {
        assert_eq!(
            code(Target::parse("GET", scheme, "a.example", "/")),
            "HTTP-SCHEME"
        );
    }
}

#[test]
fn refuses_authorities() {
    for authority in [
        "",
        ":443",
        "user@api.example.com",
        "user:word@api.example.com",
        "api.example.com@evil.example",
        "api.example.com:",
        "api.example.com:0",
        "api.example.com:0443",
        "api.example.com:+443",
        "api.example.com:65536",
        "api.example.com:443:443",
        "api.example.com.",
        "api..example.com",
        ".example.com",
        "-a.example.com",
        "a-.example.com",
        "a_b.example.com",
        "*.example.com",
        "api.example.com/",
        "api.example.com#",
        "api.example.com?x",
        "api.example.com\\",
        "api.example.com ",
        "api.example.com%00",
        "api.example.com\0",
        "api.example.com\r\nhost: x",
        "bücher.example",
        "ａpi.example.com",
        "127.1",
        "127.0.0.01",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "1.2.3.4.5",
        "256.1.1.1",
        "0x",
        "::1",
        "[::1",
        "::1]",
        "[::1]x:1",
        "[::1]]:1",
        "[127.0.0.1]",
        "[fe80::1%25eth0]",
        "[v1.x]",
        &format!("{}.example", "a".repeat(64)),
        &["abcdefg"; 32].join("."),
    ] {
        let refused = Target::parse("GET", "https", authority, "/");
        assert_eq!(code(refused), "HTTP-AUTHORITY", "{authority:?}");
    }
    for authority in [
        "api.example.com:65535",
        "localhost",
        "xn--bcher-kva.example",
        "1and1.example",
        "127.0.0.1",
        "[::1]:1",
        "0x7f.example",
        &format!("{}.example", "a".repeat(63)),
    ] {
        assert!(
            Target::parse("GET", "https", authority, "/").is_ok(),
            "{authority:?}"
        );
    }
}

/// A user's password never comes back in a message.
#[test]
fn says_nothing_of_a_password() {
    let refused = Target::parse("GET", "https", "me:hunter2@api.example.com", "/").unwrap_err();
    assert!(!refused.to_string().contains("hunter2"), "{refused}");
    assert!(refused.to_string().contains("api.example.com"), "{refused}");
}

#[test]
fn refuses_paths() {
    for path in [
        "//",
        "/v1//a",
        "//v1",
        "/v1/../admin",
        "/v1/..",
        "/./v1",
        "/v1/.",
        "/v1/..;/admin",
        "/v1/.;x=1/a",
        "/v1/%2e%2e/admin",
        "/v1/%2E",
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/a%00",
        "/a%0d%0a",
        "/a%7f",
        "/a\\b",
        "/a b",
        "/a\tb",
        "/a\0",
        "/a\r\nx: y",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%u002f",
        "/a#b",
        "/a?x#b",
        "/é",
        "/a<b",
        "/a|b",
        "/a%252fb",
        "/a%252e%252e",
        "/a%25252F",
        // The digits of the second encoding are encoded themselves.
        "/a/%25%32%65%25%32%65/b",
        "/a%252%65",
        "/a%25%32f",
        "/a%25%32%35%32%65",
        // A server that decodes first and drops parameters then is left with `..`.
        "/v1/..%3Bx/admin",
        "/v1/..%253Bx/admin",
        "/v1/.%25%33%42",
        "/a%25c0%25af",
        "/a%2525252525252525252541",
        "/a%c0%ae",
        "/a%c0%af",
        "/a%e0%80%af",
        "/a%ff",
        "/a?x y",
        "/a?\u{e9}",
        "/a?x\r\n",
        "?x",
        "v1",
        "*",
        "https://evil.example/",
    ] {
        let refused = Target::parse("GET", "https", "api.example.com", path);
        assert_eq!(code(refused), "HTTP-PATH", "{path:?}");
    }
    let long = format!("/{}", "a".repeat(8_192));
    assert_eq!(code(parse("GET", &url(&long))), "HTTP-PATH");
    for path in [
        "",
        "/",
        "/v1/",
        "/v1/...",
        "/v1/..a",
        "/v1/a..",
        "/a;b/c",
        "/a%20b",
        "/a%25",
        "/a%2541",
        "/a%25%34%31",
        "/a..%3Bx",
        "/a;..%3Bx",
        "/a%252525252541",
        "/%c3%a9",
        "/a:b@c",
        "/~a/-._!$&'()*+,=",
        "/a?",
        "/a?x=//../%zz",
        "/a?b?c",
        &long[..8_192],
    ] {
        let read = Target::parse("GET", "https", "api.example.com", path);
        assert!(read.is_ok(), "{path:?}: {read:?}");
    }
}

proptest! {
    #![proptest_config(Config { cases: 4_000, failure_persistence: None, ..Config::default() })]

    /// Whatever is accepted has no component that any server resolves, and reads the same again.
    #[test]
    fn accepted_paths_are_plain(path in "(/|%2[eEfF5]|%5c|%[0-9a-f]{2}|\\.|;|[ab]|%25){0,12}") {
        let text = format!("/{path}");
        if let Ok(target) = Target::parse("GET", "https", "a.example", &text) {
            prop_assert_eq!(target.path(), &*text);
            let mut decoded = text.into_bytes();
            for _ in 0..4 {
                let plain = String::from_utf8_lossy(&decoded).into_owned();
                prop_assert!(!plain.contains("//") && !plain.contains('\\'), "{}", plain);
                prop_assert!(plain.split('/').all(|part| !matches!(part.split(';').next(), Some("." | ".."))), "{}", plain);
                prop_assert_eq!(plain.matches('/').count(), target.path().matches('/').count());
                decoded = decode_once(&decoded);
            }
        }
    }
}

/// As a lenient server decodes: what is malformed stays.
fn decode_once(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let pair = after
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match pair
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .filter(|_| first == b'%')
        {
            Some(byte) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            None => {
                decoded.push(first);
                rest = after;
            }
        }
    }
    decoded
}
