//! Whether one entry lies within another.

use std::net::IpAddr;

use leasehold_lease::{HttpGrant, Scheme, Target};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde_json::json;

use super::entry;

#[test]
fn covers_within_one_entry() {
    let wide = json!({"methods": ["GET", "POST"], "host": "*.example.com", "port": 443, "path": "/v1/**", "addresses": ["10.0.0.0/8"]});
    let narrow = json!({"methods": ["GET"], "host": "a.example.com", "port": 443, "path": "/v1/items/*", "addresses": ["10.1.0.0/16"]});
    assert!(entry(wide.clone()).covers(&entry(narrow.clone())));
    assert!(entry(wide.clone()).covers(&entry(wide.clone())));
    assert!(!entry(narrow.clone()).covers(&entry(wide.clone())));
    for (field, value) in [
        ("methods", json!(["GET", "PUT"])),
        ("scheme", json!("http")),
        ("host", json!("a.b.example.com")),
        ("host", json!("example.com")),
        ("port", json!(8_443)),
        ("path", json!("/v1x")),
        ("path", json!("/**")),
        ("addresses", json!(["10.0.0.0/7"])),
        ("addresses", json!(["10.1.0.0/16", "192.168.0.0/16"])),
        ("addresses", json!(["::ffff:10.0.0.0/104"])),
    ] {
        let mut json = narrow.clone();
        json[field] = value.clone();
        let Ok(wider) = serde_json::from_value::<HttpGrant>(json) else {
            panic!("{field} {value}")
        };
        assert!(!entry(wide.clone()).covers(&wider), "{field} {value}");
    }
}

fn any_host() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::collection::vec("[ab]", 2..4).prop_map(|labels| labels.join(".") + ".x"),
        1 => "127\\.0\\.0\\.[12]",
        1 => Just("[::1]".to_owned()),
    ]
}

fn any_entry() -> impl Strategy<Value = HttpGrant> {
    let methods = prop::sample::subsequence(vec!["GET", "PUT"], 1..=2);
    let host = prop_oneof![any_host(), "[ab]".prop_map(|label| format!("*.{label}.x"))];
    let part =
        prop_oneof![2 => Just("**".to_owned()), 5 => "[ab]?[*?]?[ab]", 1 => Just("*".to_owned())];
    let path = (prop::collection::vec(part, 0..4), any::<bool>()).prop_map(|(parts, slash)| {
        let slash = if slash || parts.is_empty() { "/" } else { "" };
        let path: String = parts.iter().map(|part| format!("/{part}")).collect();
        path + slash
    });
    let blocks = prop::sample::subsequence(
        vec!["10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "fd00::/8"],
        0..=2,
    );
    (methods, prop::sample::select(vec!["https", "http"]), host, 80_u16..82, path, blocks).prop_map(
        |(methods, scheme, host, port, path, blocks)| {
            let json = json!({"methods": methods, "scheme": scheme, "host": host, "port": port, "path": path, "addresses": blocks});
            serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{json}: {error}"))
        },
    )
}

/// A target that has a fair chance to be allowed by the entry.
fn target_for(entry: HttpGrant) -> impl Strategy<Value = Target> {
    let path =
        prop::collection::vec("[ab]{1,2}", 0..4).prop_map(|parts| format!("/{}", parts.join("/")));
    let fixed = entry
        .path
        .as_str()
        .replace("**", "a/b")
        .replace(['*', '?'], "a");
    let host = (entry.host.host()).map_or_else(
        || entry.host.to_string().replace('*', "a"),
        ToString::to_string,
    );
    let host = prop_oneof![4 => Just(host), 1 => any_host()];
    let path = prop_oneof![2 => Just(fixed), 1 => path, 1 => Just("/".to_owned())];
    let method = prop::sample::select(entry.methods.clone());
    let scheme = prop_oneof![4 => Just(entry.scheme), 1 => Just(Scheme::Http)];
    let port = prop_oneof![4 => Just(entry.port), 1 => 80_u16..82];
    (method, scheme, host, port, path).prop_map(|(method, scheme, host, port, path)| {
        Target::parse(
            method.as_str(),
            scheme.as_str(),
            &format!("{host}:{port}"),
            &path,
        )
        .unwrap()
    })
}

type Case = (HttpGrant, HttpGrant, Target, [u8; 4]);

fn any_case() -> impl Strategy<Value = Case> {
    (any_entry(), any_entry(), any::<bool>()).prop_flat_map(|(wide, other, related)| {
        // Unrelated entries hardly ever cover one another.
        let mut narrow = wide.clone();
        if related {
            narrow.path = other.path.clone();
            narrow.addresses.clone_from(&other.addresses);
            narrow.methods.truncate(1);
        } else {
            narrow = other;
        }
        let target = target_for(narrow.clone());
        (Just(wide), Just(narrow), target, any::<[u8; 4]>())
    })
}

fn check_covers(covers: fn(&HttpGrant, &HttpGrant) -> bool) -> Result<u32, Box<TestError<Case>>> {
    let telling = std::cell::Cell::new(0);
    // The same cases each time: a property that finds nothing today is to find nothing tomorrow.
    let config = Config {
        cases: 10_000,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..Config::default()
    };
    let dice = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, dice);
    runner.run(&any_case(), |(wide, narrow, target, octets)| {
        if !covers(&wide, &narrow) {
            return Ok(());
        }
        if narrow.allows(&target) {
            telling.set(telling.get() + 1);
            if !wide.allows(&target) {
                return Err(TestCaseError::fail(format!(
                    "{wide} does not allow {target}, {narrow} does"
                )));
            }
        }
        let address = IpAddr::from([10, octets[1], octets[2], octets[3]]);
        let has = |entry: &HttpGrant| entry.addresses.iter().any(|block| block.contains(address));
        if has(&narrow) && !has(&wide) {
            return Err(TestCaseError::fail(format!(
                "{wide:?} has no {address}, {narrow:?} has"
            )));
        }
        Ok(())
    })?;
    Ok(telling.get())
}

#[test]
fn containment_is_sound() {
    let telling = check_covers(HttpGrant::covers).unwrap();
    assert!(telling > 100, "only {telling} cases said anything");
}

/// The property has teeth: each field that containment might forget is found.
#[test]
fn broken_containment_is_found() {
    let broken: [fn(&HttpGrant, &HttpGrant) -> bool; 6] = [
        |wide, narrow| {
            wide.covers(&HttpGrant {
                methods: wide.methods.clone(),
                ..narrow.clone()
            })
        },
        |wide, narrow| {
            wide.covers(&HttpGrant {
                scheme: wide.scheme,
                ..narrow.clone()
            })
        },
        |wide, narrow| {
            wide.covers(&HttpGrant {
                host: wide.host.clone(),
                ..narrow.clone()
            })
        },
        |wide, narrow| {
            wide.covers(&HttpGrant {
                port: wide.port,
                ..narrow.clone()
            })
        },
        |wide, narrow| {
            wide.covers(&HttpGrant {
                path: wide.path.clone(),
                ..narrow.clone()
            })
        },
        |wide, narrow| {
            wide.covers(&HttpGrant {
                addresses: Vec::new(),
                ..narrow.clone()
            })
        },
    ];
    for (index, broken) in broken.into_iter().enumerate() {
        assert!(check_covers(broken).is_err(), "{index}");
    }
}
