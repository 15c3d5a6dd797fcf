//! Hosts, blocks of addresses and patterns over paths.

use std::net::IpAddr;

use leasehold_lease::{AddressBlock, Host, HostPattern, Target, UrlPattern};
use proptest::prelude::*;
use proptest::test_runner::Config;

#[test]
fn hosts_have_one_spelling() {
    for text in [
        "",
        "API.example.com",
        "example.com.",
        "a_b.example",
        "*",
        "*.com",
        "*.*.example.com",
        "a.*.example.com",
        "a*.example.com",
        "**.example.com",
        "*.example.com.",
        "*.1.2.3",
        "127.1",
        "127.0.0.01",
        "1.2.3",
        "[0:0::1]",
        "[::1",
        "::1",
        "[::FFFF]",
        "é.example",
        "[127.0.0.1]",
        "example.com:443",
        "https://example.com",
        "*.-a.example",
        &format!("*.{}.example", "a".repeat(64)),
    ] {
        assert!(text.parse::<HostPattern>().is_err(), "{text:?}");
    }
    for text in [
        "localhost",
        "a.example",
        "*.example.com",
        "127.0.0.1",
        "[::1]",
        "[2001:db8::1]",
        "[::ffff:127.0.0.1]",
        "xn--a.example",
    ] {
        let pattern: HostPattern = text.parse().unwrap();
        assert_eq!(pattern.to_string(), text);
    }
}

#[test]
fn a_star_is_one_label() {
    let below: HostPattern = "*.example.com".parse().unwrap();
    for (host, yes) in [
        ("a.example.com", true),
        ("example.com", false),
        ("a.b.example.com", false),
        ("aexample.com", false),
        ("a.example.com.evil.example", false),
        ("a.example.org", false),
        ("[::1]", false),
    ] {
        let host: Host = host.parse().unwrap();
        assert_eq!(below.matches(&host), yes, "{host}");
        assert_eq!(below.covers(&host.into()), yes);
    }
    for (wide, narrow, yes) in [
        ("*.example.com", "*.example.com", true),
        ("*.example.com", "*.a.example.com", false),
        ("*.a.example.com", "*.example.com", false),
        ("a.example.com", "*.example.com", false),
        ("a.example.com", "a.example.com", true),
        ("10.0.0.1", "10.0.0.2", false),
    ] {
        let (wide, narrow): (HostPattern, HostPattern) =
            (wide.parse().unwrap(), narrow.parse().unwrap());
        assert_eq!(wide.covers(&narrow), yes, "{wide} {narrow}");
    }
}

#[test]
fn blocks_have_one_spelling() {
    for text in [
        "",
        "10.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "10.0.0.0/-1",
        "10/8",
        "010.0.0.0/8",
        "fd00::/129",
        "fd00::1/8",
        "FD00::/8",
        "fd00:0::/8",
        "[fd00::]/8",
        "10.0.0.0/8/8",
        "10.0.0.0/256",
        " 10.0.0.0/8",
        "any",
    ] {
        assert!(text.parse::<AddressBlock>().is_err(), "{text:?}");
    }
    for (text, inside, outside) in [
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
        ("10.0.0.0/8", "10.0.0.0", "::ffff:10.0.0.1"),
        ("192.168.1.128/25", "192.168.1.200", "192.168.1.127"),
        ("127.0.0.1/32", "127.0.0.1", "127.0.0.2"),
        ("0.0.0.0/0", "255.255.255.255", "::"),
        ("::/0", "ffff::", "0.0.0.0"),
        ("fd00::/8", "fdff::1", "fc00::1"),
        ("::1/128", "::1", "::2"),
        ("2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"),
    ] {
        let block: AddressBlock = text.parse().unwrap();
        assert_eq!(block.to_string(), text);
        assert!(block.contains(inside.parse().unwrap()), "{text} {inside}");
        assert!(
            !block.contains(outside.parse().unwrap()),
            "{text} {outside}"
        );
    }
}

#[test]
fn path_patterns_are_absolute_and_as_sent() {
    for text in [
        "",
        "v1",
        "//",
        "/v1//a",
        "/../a",
        "/v1/.",
        "/a**",
        "/**a",
        "/a\\b",
        "/a%2f",
        "/a%",
        "/a b",
        "/a#b",
        "/é",
        "/%2e",
        "/a%2*x",
        &format!("/{}", "a/".repeat(64)),
        &"/a".repeat(2_049),
    ] {
        assert!(text.parse::<UrlPattern>().is_err(), "{text:?}");
    }
    for (pattern, yes, no) in [
        ("/", &["/"][..], &["/a"][..]),
        ("/**", &["/", "/a", "/a/b/"], &[]),
        (
            "/v1/**",
            &["/v1", "/v1/", "/v1/a/b"],
            &["/", "/v2", "/v1a", "/v12/a"],
        ),
        ("/v1/*", &["/v1/", "/v1/a"], &["/v1", "/v1/a/b", "/v1/a/"]),
        ("/v1/", &["/v1/"], &["/v1", "/v1/a"]),
        ("/v1/?*", &["/v1/a"], &["/v1/"]),
        ("/**/x", &["/x", "/a/b/x"], &["/x/", "/ax"]),
        (
            "/a/**/b/**/c",
            &["/a/b/c", "/a/1/b/2/3/c"],
            &["/a/c", "/a/b"],
        ),
        (
            "/*.json",
            &["/a.json", "/.json"],
            &["/a.jsonx", "/a/b.json"],
        ),
        ("/a%20b", &["/a%20b"], &["/a%2520b"]),
    ] {
        let pattern: UrlPattern = pattern.parse().unwrap();
        for yes in yes {
            assert!(pattern.matches(yes), "{pattern} {yes}");
        }
        for no in no {
            assert!(!pattern.matches(no), "{pattern} {no}");
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 4_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn reading_never_panics(method in "\\PC{0,4}", scheme in "\\PC{0,6}", authority in "\\PC{0,12}", path in "\\PC{0,20}") {
        let _ = Target::parse(&method, &scheme, &authority, &path);
        let _ = Target::parse("GET", "https", &authority, "/");
        let _ = authority.parse::<HostPattern>();
        let _ = authority.parse::<AddressBlock>();
        let _ = path.parse::<UrlPattern>();
    }

    #[test]
    fn what_is_read_is_written_alike(a in any::<[u16; 8]>(), prefix in 0_u8..=128) {
        let block = AddressBlock::v6(a.into(), prefix);
        prop_assert_eq!(block.to_string().parse::<AddressBlock>().unwrap(), block);
        prop_assert!(block.contains(IpAddr::from(a)));
        let host = Host::V6(a.into());
        prop_assert_eq!(host.to_string().parse::<Host>().unwrap(), host);
    }
}
