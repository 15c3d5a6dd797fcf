//! Secrets and the places they are put into.

use leasehold_lease::{HeaderField, HttpGrant, SecretGrant};
use leasehold_seal::Coded;
use serde_json::{Value, json};

fn token() -> Value {
    json!({"name": "api-token", "inject": {"host": "api.example.com", "port": 443, "header": "authorization", "prefix": "Bearer "}})
}

fn http(scheme: &str, host: &str, port: u16) -> HttpGrant {
    serde_json::from_value(
        json!({"methods": ["GET"], "scheme": scheme, "host": host, "port": port, "path": "/**"}),
    )
    .unwrap()
}

/// Whether a grant may have these secrets, and what is wrong.
fn check(secrets: &[Value], http: &[HttpGrant]) -> Result<(), String> {
    let secrets: Vec<SecretGrant> = secrets
        .iter()
        .map(|json| serde_json::from_value(json.clone()).map_err(|error| error.to_string()))
        .collect::<Result<_, _>>()?;
    SecretGrant::check_all("secrets", &secrets, http).map_err(|refusal| {
        assert_eq!(refusal.code(), "LEASE-FORMAT");
        assert!(refusal.to_string().starts_with("secrets"), "{refusal}");
        refusal.to_string()
    })
}

#[test]
fn exactly_one_of_inject_and_expose() {
    let api = [http("https", "api.example.com", 443)];
    let mut both = token();
    both["expose"] = json!(true);
    for (secret, fine) in [
        (token(), true),
        (json!({"name": "a", "expose": true}), true),
        (json!({"name": "a", "expose": false}), false),
        (json!({"name": "a"}), false),
        (both, false),
        (json!({"name": "a", "expose": true, "file": "/x"}), false),
    ] {
        let checked = check(std::slice::from_ref(&secret), &api);
        assert_eq!(checked.is_ok(), fine, "{secret}: {checked:?}");
    }
}

#[test]
fn names_and_places_are_unique() {
    let api = [
        http("https", "api.example.com", 443),
        http("https", "api.example.com", 8_443),
    ];
    for name in ["", "Token", "a_b", "a b", "../x", &"a".repeat(65)] {
        assert!(
            check(&[json!({"name": name, "expose": true})], &api).is_err(),
            "{name:?}"
        );
    }
    assert!(check(&[json!({"name": "a".repeat(64), "expose": true})], &api).is_ok());
    let mut other = token();
    other["name"] = json!("other");
    assert!(check(&[token(), token()], &api).is_err());
    assert!(check(&[token(), other.clone()], &api).is_err());
    other["inject"]["header"] = json!("x-key");
    assert!(check(&[token(), other.clone()], &api).is_ok());
    other["inject"]["header"] = json!("authorization");
    other["inject"]["port"] = json!(8_443);
    assert!(check(&[token(), other], &api).is_ok());
    let many: Vec<Value> = (0..65)
        .map(|n| json!({"name": format!("s{n}"), "expose": true}))
        .collect();
    assert!(check(&many[..64], &api).is_ok());
    assert!(check(&many, &api).is_err());
}

#[test]
fn goes_only_where_the_grant_may_send() {
    for (entry, fine) in [
        (http("https", "api.example.com", 443), true),
        (http("https", "*.example.com", 443), true),
        (http("https", "api.example.com", 8_443), false),
        (http("https", "example.com", 443), false),
        (http("http", "api.example.com", 443), false),
        (http("http", "*.example.com", 443), false),
    ] {
        let checked = check(&[token()], std::slice::from_ref(&entry));
        assert_eq!(checked.is_ok(), fine, "{entry}: {checked:?}");
    }
    assert!(check(&[token()], &[]).is_err());
    // One way with TLS does not make another without it any better.
    let both = [
        http("https", "api.example.com", 443),
        http("http", "api.example.com", 443),
    ];
    assert!(check(&[token()], &both).is_err());
    let mut star = token();
    star["inject"]["host"] = json!("*.example.com");
    assert!(check(&[star], &[http("https", "*.example.com", 443)]).is_err());
}

#[test]
fn goes_in_the_clear_only_within_this_machine() {
    for (host, fine) in [
        ("127.0.0.1", true),
        ("127.9.9.9", true),
        ("[::1]", true),
        ("localhost", false),
        ("10.0.0.1", false),
        ("[::ffff:127.0.0.1]", false),
        ("intranet.example", false),
    ] {
        let mut secret = token();
        secret["inject"]["host"] = json!(host);
        secret["inject"]["port"] = json!(80);
        assert_eq!(
            check(&[secret], &[http("http", host, 80)]).is_ok(),
            fine,
            "{host}"
        );
    }
}

#[test]
fn never_takes_a_field_that_frames_a_message() {
    for name in [
        "",
        "Authorization",
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "http2-settings",
        "content-encoding",
        "x y",
        "x:",
        "x\r\ny",
        ":path",
        "é",
        &"x".repeat(65),
    ] {
        assert!(name.parse::<HeaderField>().is_err(), "{name:?}");
    }
    for name in ["authorization", "cookie", "x-api-key", "x_key"] {
        assert!(name.parse::<HeaderField>().is_ok(), "{name:?}");
    }
}

#[test]
fn a_prefix_is_printable() {
    let api = [http("https", "api.example.com", 443)];
    for (prefix, fine) in [
        ("", true),
        ("Basic ", true),
        (&*"x".repeat(64), true),
        (&*"x".repeat(65), false),
        (" x", false),
        ("x\r\ny: ", false),
        ("x\t", false),
        ("é", false),
    ] {
        let mut secret = token();
        secret["inject"]["prefix"] = json!(prefix);
        assert_eq!(check(&[secret], &api).is_ok(), fine, "{prefix:?}");
    }
    let mut secret = token();
    secret["inject"]["port"] = json!(0);
    assert!(check(&[secret], &api).is_err());
}

#[test]
fn covers_only_itself() {
    let read = |json: &Value| serde_json::from_value::<SecretGrant>(json.clone()).unwrap();
    let mine = read(&token());
    assert!(mine.covers(&mine));
    for (field, value) in [
        ("host", json!("evil.example")),
        ("port", json!(444)),
        ("header", json!("x-key")),
        ("prefix", json!("")),
    ] {
        let mut other = token();
        other["inject"][field] = value;
        assert!(!mine.covers(&read(&other)), "{field}");
    }
    assert!(!mine.covers(&read(&json!({"name": "api-token", "expose": true}))));
}

#[test]
fn leaves_out_what_is_the_default() {
    for json in [token(), json!({"name": "a", "expose": true})] {
        let secret: SecretGrant = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(secret).unwrap(), json);
    }
}
