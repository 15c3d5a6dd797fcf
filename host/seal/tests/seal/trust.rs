//! The trust file: what it may say, and what is refused because nobody would enforce it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leasehold_seal::trust::MAX_KEYS;
use leasehold_seal::{Class, Coded, Role, SealError, SecretKey, Trust, TrustedKey};
use serde_json::{Value, json};

use crate::support::{HOST, ISSUER, ISSUER_PUBLIC, OTHER, code, public, time};

fn der(pem: &str) -> String {
    STANDARD.encode(public(pem).spki_der())
}

fn file() -> Value {
    json!({
        "version": 1,
        "keys": [
            { "name": "release team", "key": ISSUER_PUBLIC, "roles": ["issuer", "approver"],
              "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z" },
            { "name": "build host", "key": der(HOST), "roles": ["host"] },
            { "name": "deputy", "key": der(OTHER), "roles": ["issuer"] },
        ],
        "thresholds": { "issuer": 2 },
    })
}

fn parse(file: &Value) -> Result<Trust, SealError> {
    Trust::parse(file.to_string().as_bytes())
}

/// The file after one change.
fn changed(change: impl FnOnce(&mut Value)) -> Result<Trust, SealError> {
    let mut file = file();
    change(&mut file);
    parse(&file)
}

#[test]
fn a_file_means_what_it_says() {
    let trust = parse(&file()).unwrap();
    assert_eq!(trust.all_keys().len(), 3);
    assert_eq!(trust.threshold(Role::Issuer), 2);
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Issuer) {
        assert_eq!(trust.threshold(role), 1);
    }
    let names = |role, at| {
        let mut names: Vec<_> = trust.keys(role, time(at)).map(TrustedKey::name).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(
        names(Role::Issuer, "2026-06-01T00:00:00Z"),
        ["deputy", "release team"]
    );
    assert_eq!(names(Role::Issuer, "2025-12-31T23:59:59.999Z"), ["deputy"]);
    assert_eq!(
        names(Role::Issuer, "2026-01-01T00:00:00Z"),
        ["deputy", "release team"]
    );
    assert_eq!(
        names(Role::Issuer, "2026-12-31T23:59:59.999Z"),
        ["deputy", "release team"]
    );
    assert_eq!(names(Role::Issuer, "2027-01-01T00:00:00Z"), ["deputy"]);
    assert_eq!(names(Role::Host, "2030-01-01T00:00:00Z"), ["build host"]);
    assert_eq!(
        names(Role::Approver, "2026-06-01T00:00:00Z"),
        ["release team"]
    );
    assert!(names(Role::Witness, "2026-06-01T00:00:00Z").is_empty());
    let key = trust.key(&public(ISSUER).key_id()).unwrap();
    assert_eq!(key.name(), "release team");
    assert_eq!(*key.key(), public(ISSUER));
    assert_eq!(key.id(), public(ISSUER).key_id());
    assert_eq!(
        key.roles().collect::<Vec<_>>(),
        [Role::Issuer, Role::Approver]
    );
    assert_eq!(key.not_before(), Some(time("2026-01-01T00:00:00Z")));
    assert_eq!(key.not_after(), Some(time("2027-01-01T00:00:00Z")));
}

#[test]
fn a_file_is_written_in_one_form() {
    let trust = parse(&file()).unwrap();
    let written = trust.to_json().unwrap();
    assert_eq!(Trust::parse(&written).as_ref(), Ok(&trust));
    assert_eq!(
        String::from_utf8(written).unwrap(),
        format!(
            r#"{{"keys":[{{"key":"{}","name":"release team","not_after":"2027-01-01T00:00:00Z","not_before":"2026-01-01T00:00:00Z","roles":["issuer","approver"]}},{{"key":"{}","name":"deputy","roles":["issuer"]}},{{"key":"{}","name":"build host","roles":["host"]}}],"thresholds":{{"issuer":2}},"version":1}}"#,
            der(ISSUER),
            der(OTHER),
            der(HOST)
        )
    );
    // Order, spelling of keys and the default threshold change nothing; a name does.
    let same = changed(|file| {
        file["keys"].as_array_mut().unwrap().reverse();
        file["keys"][2]["key"] = der(ISSUER).into();
        file["keys"][2]["roles"] = json!(["approver", "issuer", "issuer"]);
    })
    .unwrap();
    assert_eq!(same.digest(), trust.digest());
    let other = changed(|file| file["keys"][0]["name"] = "team".into()).unwrap();
    assert_ne!(other.digest(), trust.digest());
    let implicit = changed(|file| {
        file.as_object_mut().unwrap().remove("thresholds");
    })
    .unwrap();
    let explicit = changed(|file| file["thresholds"] = json!({ "issuer": 1 })).unwrap();
    assert_eq!(implicit, explicit);
    assert_eq!(implicit.threshold(Role::Issuer), 1);
    assert_eq!(changed(|file| file["thresholds"] = json!({})), Ok(implicit));
}

#[test]
fn what_cannot_be_enforced_is_refused() {
    for value in [json!(2), json!([]), json!({}), json!(false), json!(null)] {
        let result = changed(|file| file["witnesses"] = value.clone());
        assert_eq!(code(result), "TRUST-UNSUPPORTED", "{value}");
    }
    for role in Role::ALL {
        let result = changed(|file| file["thresholds"][role.as_str()] = 1.into());
        let expected = match role {
            Role::Issuer | Role::Revoker => "",
            _ => "TRUST-UNSUPPORTED",
        };
        assert_eq!(code(result), expected, "{role}");
    }
    let error = changed(|file| file["version"] = 2.into()).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("TRUST-UNSUPPORTED", Class::Refused)
    );
    assert!(error.to_string().contains("version 2"), "{error}");
    assert_eq!(
        code(changed(|file| file["version"] = 0.into())),
        "TRUST-UNSUPPORTED"
    );
}

#[test]
fn a_file_with_a_mistake_is_refused() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 21] = [
        ("JSON-FIELD", |file| file["owner"] = "x".into()),
        ("JSON-FIELD", |file| file["keys"][0]["comment"] = "x".into()),
        ("JSON-FIELD", |file| {
            file["keys"][0]["roles"] = json!(["root"])
        }),
        ("JSON-FIELD", |file| {
            file["keys"][0]["roles"] = json!(["Issuer"])
        }),
        ("JSON-FIELD", |file| {
            file["keys"][0]["not_after"] = "2027-01-01".into()
        }),
        ("JSON-FIELD", |file| {
            file["thresholds"]["issuer"] = (-1).into()
        }),
        ("JSON-FIELD", |file| *file = json!([1, file["keys"].take()])),
        ("JSON-NUMBER", |file| file["version"] = json!(1.5)),
        ("TRUST-FORMAT", |file| file["thresholds"]["root"] = 1.into()),
        ("TRUST-FORMAT", |file| {
            file["thresholds"]["issuer"] = 0.into()
        }),
        ("TRUST-FORMAT", |file| {
            file["thresholds"]["issuer"] = 3.into()
        }),
        ("TRUST-FORMAT", |file| file["keys"][0]["roles"] = json!([])),
        ("TRUST-FORMAT", |file| file["keys"][0]["name"] = "".into()),
        ("TRUST-FORMAT", |file| {
            file["keys"][0]["name"] = "a\u{1b}[2Jb".into()
        }),
        ("TRUST-FORMAT", |file| {
            file["keys"][0]["name"] = "deputy".into()
        }),
        // The key of the deputy again, in another spelling: it would count twice.
        ("TRUST-FORMAT", |file| {
            file["keys"][0]["key"] = public(OTHER).to_spki_pem().into()
        }),
        ("TRUST-FORMAT", |file| {
            file["keys"][0]["not_before"] = "2027-01-01T00:00:00Z".into()
        }),
        ("TRUST-FORMAT", |file| {
            file["keys"][0]["not_before"] = "2028-01-01T00:00:00Z".into()
        }),
        ("KEY-FORMAT", |file| file["keys"][0]["key"] = "x".into()),
        ("KEY-FORMAT", |file| file["keys"][0]["key"] = ISSUER.into()),
        ("KEY-WEAK", |file| {
            let mut spki = public(ISSUER).spki_der();
            spki[12..].fill(0);
            file["keys"][0]["key"] = STANDARD.encode(spki).into();
        }),
    ];
    for (index, (expected, change)) in cases.into_iter().enumerate() {
        assert_eq!(code(changed(change)), expected, "case {index}");
    }
    assert_eq!(code(parse(&file())), "");
    for (text, expected) in [
        (r#"{"version":1,"keys":[],"keys":[]}"#, "JSON-DUPLICATE-KEY"),
        (r#"{"version":1}"#, "JSON-FIELD"),
        (r#"{"keys":[]}"#, "JSON-FIELD"),
        ("", "JSON-SYNTAX"),
        // The twin: a file that trusts nobody.
        (r#"{"version":1,"keys":[]}"#, ""),
    ] {
        assert_eq!(code(Trust::parse(text.as_bytes())), expected, "{text}");
    }
}

#[test]
fn a_threshold_nobody_can_meet_is_refused() {
    let keys = |count: u8| -> Vec<TrustedKey> {
        (0..count)
            .map(|index| {
                let key = SecretKey::from_seed([index + 1; 32]).public();
                TrustedKey::new(format!("key {index}"), key, [Role::Issuer])
            })
            .collect()
    };
    assert_eq!(code(Trust::new(keys(0), 1)), "");
    assert_eq!(code(Trust::new(keys(0), 2)), "TRUST-FORMAT");
    assert_eq!(code(Trust::new(keys(1), 1)), "");
    assert_eq!(code(Trust::new(keys(1), 2)), "TRUST-FORMAT");
    assert_eq!(code(Trust::new(keys(2), 2)), "");
    assert_eq!(code(Trust::new(keys(2), 3)), "TRUST-FORMAT");
    // A key of another role does not help.
    let mut mixed = keys(1);
    mixed.push(TrustedKey::new("host", public(HOST), [Role::Host]));
    assert_eq!(code(Trust::new(mixed, 2)), "TRUST-FORMAT");
}

#[test]
fn there_is_a_limit_to_the_number_of_keys() {
    let keys = |count: usize| -> Vec<TrustedKey> {
        (0..count)
            .map(|index| {
                let mut seed = [7; 32];
                seed[..8].copy_from_slice(&index.to_le_bytes());
                let key = SecretKey::from_seed(seed).public();
                TrustedKey::new(format!("key {index}"), key, [Role::Host])
            })
            .collect()
    };
    assert_eq!(code(Trust::new(keys(MAX_KEYS), 1)), "");
    assert_eq!(code(Trust::new(keys(MAX_KEYS + 1), 1)), "TRUST-FORMAT");
}

#[test]
fn roles_have_one_word_each() {
    for role in Role::ALL {
        assert_eq!(role.to_string().parse(), Ok(role));
        assert_eq!(json!(role), json!(role.as_str()));
    }
    assert_eq!(code("Issuer".parse::<Role>()), "TRUST-FORMAT");
    assert_eq!(code("".parse::<Role>()), "TRUST-FORMAT");
}
