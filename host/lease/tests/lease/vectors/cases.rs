//! The vectors one by one: file name, expected code (empty: accepted), and what each is made of.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leasehold_lease::{Audience, AudienceEntry, Budget, Grant, Holder, Limits};
use leasehold_seal::Digest;
use serde_json::{Value, json};

use super::{
    Use, Vector, chains, changed, edited, good, requests, rewritten, terms, text_of, trust_json,
};
use crate::common::*;

pub(super) type Case = (&'static str, &'static str, Vector);

/// Every vector, in the order of their numbers.
pub(super) fn vectors() -> Vec<Case> {
    let mut vectors = accepted();
    vectors.extend(refused_for_window_and_audience());
    vectors.extend(refused_for_signatures());
    vectors.extend(refused_for_json());
    vectors.extend(refused_for_form());
    vectors.extend(refused_for_what_goes_together());
    vectors.extend(refused_in_use());
    vectors.extend(chains::vectors());
    vectors.extend(terms::vectors());
    vectors.extend(requests::vectors());
    vectors
}

fn accepted() -> Vec<Case> {
    let minimal = |lease: &mut Value| {
        let lease = lease.as_object_mut().unwrap();
        lease.retain(|field, _| !["intent", "parent", "depth"].contains(&field.as_str()));
        lease["audience"] = json!("any");
        let grant = lease["grants"][0].as_object_mut().unwrap();
        grant.retain(|field, _| ["id", "plugin", "kind", "limits"].contains(&field.as_str()));
    };
    let greatest = Limits {
        fuel: (1 << 53) - 1,
        memory_bytes: 1 << 32,
        wall_ms: 86_400_000,
        output_bytes: (1 << 53) - 1,
        write_bytes: (1 << 53) - 1,
        open_files: 4_096,
    };
    let least = Limits {
        fuel: 1,
        memory_bytes: 65_536,
        wall_ms: 1,
        output_bytes: 0,
        write_bytes: 0,
        open_files: 0,
    };
    vec![
        (
            "good",
            "",
            good("a lease that uses every field this version enforces"),
        ),
        (
            "good-minimal",
            "",
            edited(
                "everything that may be left out is left out, and grants nothing",
                minimal,
            ),
        ),
        (
            "good-first-moment",
            "",
            good("valid from not_before on").at("2026-01-01T00:00:00Z"),
        ),
        (
            "good-last-moment",
            "",
            good("valid until just before expires").at("2026-01-01T00:59:59.999Z"),
        ),
        (
            "good-two-issuers",
            "",
            good("two issuers have to sign and did")
                .trusting(trust_json(&trust_in_two()))
                .signed_by(&[&issuer(), &other()]),
        ),
        (
            "good-stranger-besides",
            "",
            good("the signature of a stranger takes nothing away")
                .signed_by(&[&other(), &issuer()]),
        ),
        (
            "good-keyid-of-another",
            "",
            good("the key id of a signature is a hint and decides nothing")
                .reassembled(|_, _, keyid, _| *keyid = other().public().key_id().to_string()),
        ),
        (
            "good-url-safe-base64",
            "",
            good("base64 of an envelope may use the URL-safe alphabet")
                .with_envelope(|text| url_safe(&text)),
        ),
        (
            "good-unknown-envelope-field",
            "",
            good("fields of an envelope that are not signed are ignored (DSSE)")
                .with_envelope(|text| text.replacen('{', r#"{"note":"x","#, 1)),
        ),
        (
            "good-least-limits",
            "",
            changed("each limit at its least", |lease| {
                lease.grants[0].limits = least
            }),
        ),
        (
            "good-greatest-limits",
            "",
            changed("each limit at its greatest", |lease| {
                lease.grants[0].limits = greatest
            }),
        ),
        (
            "good-no-grants",
            "",
            changed("a lease may grant nothing", |lease| lease.grants.clear()).using(Use::Nothing),
        ),
        (
            "good-by-grant",
            "",
            good("a grant by its name, with arguments that are allowed").using(Use::Grant {
                id: "docs-toc".into(),
                args: strings(&["--check"]),
            }),
        ),
    ]
}

/// Puts base64 of the payload and of the signature into the URL-safe alphabet.
fn url_safe(text: &str) -> String {
    let mut envelope: Value = serde_json::from_str(text).unwrap();
    let convert = |value: &mut Value| {
        *value = json!(value.as_str().unwrap().replace('+', "-").replace('/', "_"))
    };
    convert(&mut envelope["payload"]);
    convert(&mut envelope["signatures"][0]["sig"]);
    envelope.to_string()
}

fn refused_for_window_and_audience() -> Vec<Case> {
    let to = |about: &str, entries: Vec<AudienceEntry>| {
        changed(about, |lease| lease.audience = Audience::Hosts(entries))
    };
    let tape = Some(Digest::of(b"tape"));
    let elsewhere = Vector {
        host: other().public().key_id(),
        ..good("the audience names another host")
    };
    let taped = |about| {
        to(
            about,
            vec![AudienceEntry {
                host: host_id(),
                tape,
            }],
        )
    };
    vec![
        (
            "not-yet",
            "LEASE-NOT-YET",
            good("a millisecond too early").at("2025-12-31T23:59:59.999Z"),
        ),
        (
            "expired",
            "LEASE-EXPIRED",
            good("expires is no longer within").at("2026-01-01T01:00:00Z"),
        ),
        (
            "window-empty",
            "LEASE-WINDOW",
            changed("expires equals not_before", |lease| {
                lease.expires = lease.not_before
            }),
        ),
        (
            "fraction-of-a-second",
            "LEASE-FORMAT",
            changed("times are whole seconds", |lease| {
                lease.expires = time("2026-01-01T01:00:00.500Z")
            }),
        ),
        (
            "time-zone",
            "LEASE-FORMAT",
            edited("times are in UTC and end in Z", |lease| {
                lease["expires"] = json!("2026-01-01T02:00:00+01:00")
            }),
        ),
        ("other-host", "LEASE-AUDIENCE", elsewhere),
        (
            "audience-empty",
            "LEASE-AUDIENCE",
            to("an empty audience names nobody", vec![]),
        ),
        (
            "other-tape",
            "LEASE-AUDIENCE",
            Vector {
                tape: Some(Digest::of(b"another")),
                ..taped("the audience names another tape")
            },
        ),
        (
            "this-tape",
            "",
            Vector {
                tape,
                ..taped("the tape that is named")
            },
        ),
    ]
}

fn refused_for_signatures() -> Vec<Case> {
    let weak = {
        let mut spki = issuer().public().spki_der().to_vec();
        spki[12..].fill(0);
        spki[12] = 1;
        let key = STANDARD.encode(spki);
        json!({"keys": [{"key": key, "name": "weak", "roles": ["issuer"]}], "version": 1})
    };
    let two = || trust_json(&trust_in_two());
    vec![
        (
            "untrusted-key",
            "KEY-UNTRUSTED",
            good("signed by a stranger only").signed_by(&[&other()]),
        ),
        (
            "host-key",
            "KEY-UNTRUSTED",
            good("signed by a key that is a host, not an issuer").signed_by(&[&host()]),
        ),
        (
            "keyid-swapped",
            "SIGNATURE-INVALID",
            good("signed by a stranger under the issuer's key id")
                .signed_by(&[&other()])
                .reassembled(|_, _, keyid, _| *keyid = issuer().public().key_id().to_string()),
        ),
        (
            "payload-flipped",
            "SIGNATURE-INVALID",
            good("one bit of the payload was flipped")
                .reassembled(|_, payload, _, _| payload[100] ^= 1),
        ),
        (
            "signature-flipped",
            "SIGNATURE-INVALID",
            good("one bit of the signature was flipped").reassembled(|_, _, _, sig| sig[40] ^= 1),
        ),
        (
            "payload-type",
            "PAYLOAD-TYPE",
            good("the envelope says it holds something else").reassembled(
                |payload_type, _, _, _| {
                    *payload_type = "application/vnd.leasehold.lease.v2+json".into()
                },
            ),
        ),
        (
            "one-of-two",
            "SIGNATURE-MISSING",
            good("two issuers have to sign, one did").trusting(two()),
        ),
        (
            "same-key-twice",
            "SIGNATURE-MISSING",
            good("two issuers have to sign, one did so twice")
                .trusting(two())
                .signed_by(&[&issuer(), &issuer()]),
        ),
        (
            "no-signature",
            "SIGNATURE-MISSING",
            good("an envelope without signatures").with_envelope(|text| {
                text.split(r#","signatures""#).next().unwrap().to_owned() + r#","signatures":[]}"#
            }),
        ),
        (
            "weak-key",
            "KEY-WEAK",
            good("the trust file holds a key of small order").trusting(weak),
        ),
        (
            "other-issuer",
            "LEASE-ISSUER",
            changed("the lease names an issuer who has not signed", |lease| {
                lease.issuer = other().public().key_id()
            }),
        ),
        (
            "base64-unpadded",
            "ENVELOPE-FORMAT",
            good("base64 without its padding").with_envelope(|text| text.replace('=', "")),
        ),
        (
            "envelope-truncated",
            "JSON-SYNTAX",
            good("the envelope was cut off").with_envelope(|text| text[..200].to_owned()),
        ),
    ]
}

fn refused_for_json() -> Vec<Case> {
    let deep = format!(r#""depth":{}0{}"#, "[".repeat(70), "]".repeat(70));
    vec![
        (
            "payload-truncated",
            "JSON-SYNTAX",
            good("the payload was cut off before it was signed")
                .sealed(text_of(&document())[..200].to_owned(), &[&issuer()]),
        ),
        (
            "duplicate-key",
            "JSON-DUPLICATE-KEY",
            rewritten("a field twice", r#""depth":0"#, r#""depth":0,"depth":0"#),
        ),
        (
            "duplicate-key-within",
            "JSON-DUPLICATE-KEY",
            rewritten(
                "a field twice within a grant",
                r#""deny":["#,
                r#""deny":[],"deny":["#,
            ),
        ),
        (
            "number-too-great",
            "JSON-NUMBER",
            rewritten(
                "2^53 + 1",
                r#""fuel":1000000000"#,
                r#""fuel":9007199254740993"#,
            ),
        ),
        (
            "number-with-fraction",
            "JSON-NUMBER",
            rewritten("a fraction", r#""wall_ms":10000"#, r#""wall_ms":10000.5"#),
        ),
        (
            "not-a-number",
            "JSON-SYNTAX",
            rewritten("NaN is not JSON", r#""fuel":1000000000"#, r#""fuel":NaN"#),
        ),
        (
            "deep-nesting",
            "JSON-DEPTH",
            rewritten("nested more than 64 deep", r#""depth":0"#, &deep),
        ),
        (
            "space",
            "JSON-NOT-CANONICAL",
            rewritten("a space", r#""depth":0"#, r#""depth": 0"#),
        ),
        (
            "escape",
            "JSON-NOT-CANONICAL",
            rewritten("an escape that need not be", "docs-toc", r"docs\u002dtoc"),
        ),
        (
            "line-feed",
            "JSON-NOT-CANONICAL",
            good("a line feed at the end").sealed(text_of(&document()) + "\n", &[&issuer()]),
        ),
    ]
}

fn refused_for_form() -> Vec<Case> {
    let read = |about: &str, pattern: &str| {
        edited(about, |lease| {
            lease["grants"][0]["files"]["read"] = json!([pattern])
        })
    };
    let limit = |about: &str, name: &str, value: Value| {
        edited(about, |lease| lease["grants"][0]["limits"][name] = value)
    };
    vec![
        (
            "unknown-field",
            "LEASE-FORMAT",
            edited("a field nobody knows", |lease| {
                lease["colour"] = json!("red")
            }),
        ),
        (
            "unknown-limit",
            "LEASE-FORMAT",
            limit("a limit nobody knows", "cpu", json!(1)),
        ),
        (
            "unknown-kind",
            "LEASE-FORMAT",
            edited("kinds are in lower case", |lease| {
                lease["grants"][0]["kind"] = json!("Gate")
            }),
        ),
        (
            "struct-as-list",
            "LEASE-FORMAT",
            edited("an object is not written as a list", |lease| {
                lease["grants"][0]["files"] = json!([["**"], [], [], []])
            }),
        ),
        (
            "limit-missing",
            "LEASE-LIMIT",
            edited("a root lease states every limit", |lease| {
                drop(
                    lease["grants"][0]["limits"]
                        .as_object_mut()
                        .unwrap()
                        .remove("wall_ms"),
                )
            }),
        ),
        (
            "limits-missing",
            "LEASE-LIMIT",
            edited("all limits are missing", |lease| {
                drop(lease["grants"][0].as_object_mut().unwrap().remove("limits"))
            }),
        ),
        (
            "limit-zero",
            "LEASE-LIMIT",
            limit("no fuel", "fuel", json!(0)),
        ),
        (
            "limit-negative",
            "LEASE-LIMIT",
            limit("less than no fuel", "fuel", json!(-1)),
        ),
        (
            "limit-too-great",
            "LEASE-LIMIT",
            limit("more than 4 GiB", "memory_bytes", json!((1u64 << 32) + 1)),
        ),
        (
            "pattern-upwards",
            "PATTERN-FORMAT",
            read("a component ..", "docs/../../../etc/x"),
        ),
        (
            "pattern-absolute",
            "PATTERN-FORMAT",
            read("an absolute pattern", "/etc/**"),
        ),
        (
            "pattern-stars-inside",
            "PATTERN-FORMAT",
            read("** together with something else", "docs**"),
        ),
        (
            "grant-twice",
            "LEASE-FORMAT",
            changed("two grants of one name", |lease| lease.grants.push(grant())),
        ),
        (
            "nonce-short",
            "LEASE-FORMAT",
            changed("15 characters", |lease| lease.nonce.truncate(15)),
        ),
        (
            "variable-name",
            "LEASE-FORMAT",
            changed("no POSIX name", |lease| {
                lease.grants[0].env.pass = strings(&["A-B"])
            }),
        ),
    ]
}

fn refused_for_what_goes_together() -> Vec<Case> {
    vec![
        (
            "version",
            "LEASE-UNSUPPORTED",
            edited("another version of the format", |lease| {
                lease["version"] = json!(2)
            }),
        ),
        (
            "parent",
            "LEASE-FORMAT",
            changed("a root lease with a parent", |lease| {
                lease.parent = Some(plugin())
            }),
        ),
        (
            "depth",
            "LEASE-FORMAT",
            changed("more generations than there may be", |lease| {
                lease.depth = 16
            }),
        ),
        (
            "holder",
            "HOLDER-MISSING",
            changed(
                "for the holder of a key, who has not presented it",
                |lease| lease.holder = Holder::Key(host_id()),
            ),
        ),
        (
            "budget",
            "LEASE-FORMAT",
            changed("a budget without a tape to count it on", |lease| {
                lease.budget = Some(Budget {
                    uses: Some(10),
                    fuel: Some(10),
                })
            }),
        ),
        (
            "http",
            "LEASE-FORMAT",
            edited("a host name in upper case", |lease| {
                let entry = json!({"methods": ["GET"], "host": "API.example.com", "port": 443, "path": "/v1/**"});
                lease["grants"][0]["http"] = json!([entry])
            }),
        ),
        (
            "secrets",
            "LEASE-FORMAT",
            edited("a secret that is neither injected nor exposed", |lease| {
                lease["grants"][0]["secrets"] = json!([{"name": "api-token"}])
            }),
        ),
        (
            "clock",
            "LEASE-UNSUPPORTED",
            edited("another clock", |lease| {
                lease["grants"][0]["clock"] = json!("real")
            }),
        ),
        (
            "random",
            "LEASE-UNSUPPORTED",
            edited("another source of randomness", |lease| {
                lease["grants"][0]["random"] = json!("host")
            }),
        ),
    ]
}

fn refused_in_use() -> Vec<Case> {
    let named = |id: &str, args: &[&str]| Use::Grant {
        id: id.into(),
        args: strings(args),
    };
    let second = Grant {
        id: "second".into(),
        ..grant()
    };
    vec![
        (
            "other-plugin",
            "PLUGIN-MISMATCH",
            good("the plugin was changed").using(Use::Plugin(Digest::of(b"swapped"))),
        ),
        (
            "grant-unknown",
            "GRANT-MISSING",
            good("no grant of this name").using(named("docs", &[])),
        ),
        (
            "grant-none",
            "GRANT-MISSING",
            changed("no grant at all", |lease| lease.grants.clear()),
        ),
        (
            "grant-ambiguous",
            "GRANT-AMBIGUOUS",
            changed("two grants for the plugin", |lease| {
                lease.grants.push(second)
            }),
        ),
        (
            "args-denied",
            "ARGS-DENIED",
            good("arguments match as a whole").using(named("docs-toc", &["--in-place"])),
        ),
        (
            "args-none",
            "ARGS-DENIED",
            good("no arguments, where some have to be given").using(named("docs-toc", &[])),
        ),
    ]
}
