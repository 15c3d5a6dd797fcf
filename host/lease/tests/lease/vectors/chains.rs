//! Vectors of chains: children within their parents, wider ones, and envelopes that do not hang together.

use leasehold_lease::{
    Audience, AudienceEntry, ChildDoc, Holder, Kind, LeaseDoc, LimitsSpec, chain_to_json,
};
use leasehold_seal::{Digest, Envelope};
use serde_json::{Value, json};

use super::cases::Case;
use super::{Use, Vector, good};
use crate::common::*;
use crate::family::*;

pub(super) fn vectors() -> Vec<Case> {
    let mut vectors = accepted();
    vectors.extend(wider());
    vectors.extend(broken());
    vectors.extend(malformed());
    vectors
}

fn chain(about: &str, chain: &[Envelope]) -> Vector {
    good(about).chained(chain)
}

/// A child of a lease that is held, changed and then signed as it should be.
fn with(about: &str, change: impl FnOnce(&mut ChildDoc)) -> Vector {
    chain(about, &pair(&root(), change))
}

/// The same, for what the type cannot express.
fn edited(about: &str, edit: impl FnOnce(&mut Value)) -> Vector {
    let parent = signed(&root());
    let mut lease = serde_json::to_value(child(parent.id(), &root(), &person(1))).unwrap();
    edit(&mut lease);
    chain(about, &[sign(&lease, &[&person(1)]), parent])
}

fn accepted() -> Vec<Case> {
    let narrow = |child: &mut ChildDoc| {
        let grant = &mut child.grants[0];
        grant.id = "less".into();
        grant.of = Some("docs-toc".into());
        grant.args = vec![strings(&["--check"])];
        grant.files.list = patterns(&["docs/**"]);
        grant.files.read = patterns(&["docs/*.md", "README.md"]);
        grant.files.write.clear();
        grant.files.deny.extend(patterns(&["docs/secret"]));
        grant.env.pass.clear();
        grant.limits = LimitsSpec {
            fuel: Some(1_000),
            open_files: Some(0),
            ..LimitsSpec::default()
        };
        child.not_before = time("2026-01-01T00:10:00Z");
        child.expires = time("2026-01-01T00:40:00Z");
        child.depth = 0;
    };
    let list_of_one = {
        let text = chain_to_json(&[signed(&document())]).unwrap();
        let text = String::from_utf8(text).unwrap();
        good("a list of one envelope is that envelope").with_envelope(|_| format!("[{text}]"))
    };
    let any = LeaseDoc {
        audience: Audience::Any,
        ..root()
    };
    vec![
        (
            "chain-good",
            "",
            with("all of a lease, handed on by its holder", |_| {}),
        ),
        ("chain-good-narrow", "", with("less in every field", narrow)),
        (
            "chain-good-two-grants",
            "",
            with("two grants out of one", |child| {
                let mut second = child.grants[0].clone();
                second.id = "second".into();
                second.of = Some("docs-toc".into());
                child.grants.push(second);
            })
            .using(Use::Grant {
                id: "second".into(),
                args: strings(&["--check"]),
            }),
        ),
        (
            "chain-good-audience",
            "",
            chain(
                "one host where the parent is for any",
                &pair(&any, |child| child.audience = document().audience),
            ),
        ),
        ("chain-good-four", "", chain("four leases", &generations(4))),
        (
            "chain-good-sixteen",
            "",
            chain("sixteen leases, the most there are", &generations(16)),
        ),
        ("chain-good-list-of-one", "", list_of_one),
    ]
}

fn wider() -> Vec<Case> {
    let wider = |about: &str, change: fn(&mut ChildDoc)| ("LEASE-WIDER", with(about, change));
    let cases = [
        (
            "wider-read",
            wider("a folder whose name only begins alike", |child| {
                child.grants[0].files.read = patterns(&["docs2/**"]);
            }),
        ),
        (
            "wider-read-any-depth",
            wider("any depth, where the parent has one", |child| {
                child.grants[0].files.read = patterns(&["**/*.md"]);
            }),
        ),
        (
            "wider-write",
            wider("writing what may only be read", |child| {
                child.grants[0].files.write = patterns(&["README.md"]);
            }),
        ),
        (
            "wider-deny-dropped",
            wider("a deny rule of the parent is missing", |child| {
                child.grants[0].files.deny.clear();
            }),
        ),
        (
            "wider-deny-respelled",
            wider(
                "a deny rule of the parent is kept by its meaning, not by its text",
                |child| {
                    child.grants[0].files.deny = patterns(&["**/.ENV"]);
                },
            ),
        ),
        (
            "wider-args",
            wider("arguments that only begin like the parent's", |child| {
                child.grants[0].args = vec![strings(&["--check", "--force"])];
            }),
        ),
        (
            "wider-args-none",
            wider("no arguments, which is not among the parent's", |child| {
                child.grants[0].args.clear();
            }),
        ),
        (
            "wider-env-pass",
            wider("a variable the parent does not pass on", |child| {
                child.grants[0].env.pass.push("HOME".into());
            }),
        ),
        (
            "wider-env-set",
            wider("another value", |child| {
                child.grants[0].env.set.insert("CI".into(), "false".into());
            }),
        ),
        (
            "wider-limit",
            wider("more fuel", |child| {
                child.grants[0].limits.fuel = Some(1_000_000_001);
            }),
        ),
        (
            "wider-plugin",
            wider("another plugin", |child| {
                child.grants[0].plugin = Digest::of(b"another");
            }),
        ),
        (
            "wider-kind",
            wider("another kind", |child| child.grants[0].kind = Kind::Gate),
        ),
        (
            "wider-config",
            wider("no configuration, where the parent has one", |child| {
                child.grants[0].config = None;
            }),
        ),
        (
            "wider-grant",
            wider("a grant the parent does not have", |child| {
                child.grants[0].id = "new".into();
            }),
        ),
        (
            "wider-of",
            wider("a grant of a parent's that is not there", |child| {
                child.grants[0].of = Some("new".into());
            }),
        ),
        (
            "wider-expires",
            wider("a later end", |child| {
                child.expires = time("2026-01-01T01:00:01Z");
            }),
        ),
        (
            "wider-not-before",
            wider("an earlier begin", |child| {
                child.not_before = time("2025-12-31T23:59:59Z");
            }),
        ),
        (
            "wider-audience",
            wider("any host", |child| child.audience = Audience::Any),
        ),
        (
            "wider-audience-host",
            wider("one more host", |child| {
                let host = other().public().key_id();
                if let Audience::Hosts(entries) = &mut child.audience {
                    entries.push(AudienceEntry { host, tape: None });
                }
            }),
        ),
    ];
    let mut vectors: Vec<Case> = cases
        .into_iter()
        .map(|(name, (code, vector))| (name, code, vector))
        .collect();
    let taped = LeaseDoc {
        audience: Audience::Hosts(vec![AudienceEntry {
            host: host_id(),
            tape: Some(tape()),
        }]),
        ..root()
    };
    vectors.push((
        "wider-tape",
        "LEASE-WIDER",
        chain(
            "any tape, where the parent names one",
            &pair(&taped, |child| child.audience = document().audience),
        ),
    ));
    vectors
}

fn broken() -> Vec<Case> {
    let good = pair(&root(), |_| {});
    let [leaf, parent] = &good[..] else {
        unreachable!("a pair is two");
    };
    let another = signed(&LeaseDoc {
        nonce: "A".repeat(22),
        ..root()
    });
    let bearer = LeaseDoc {
        holder: Holder::None,
        ..root()
    };
    let by = |number: u8, says: u8| {
        let mut document = child(parent.id(), &root(), &person(says));
        document.issuer = person(says).public().key_id();
        [sign(&document, &[&person(number)]), parent.clone()]
    };
    let seventeen = {
        let mut chain = generations(16);
        chain.push(signed(&document()));
        chain
    };
    let twice = [leaf.clone(), parent.clone(), parent.clone()];
    let longer = [leaf.clone(), parent.clone(), another.clone()];
    let both = {
        let document = child(parent.id(), &root(), &person(1));
        [sign(&document, &[&person(1), &person(2)]), parent.clone()]
    };
    let mut claims = child(parent.id(), &root(), &person(2));
    claims.issuer = person(1).public().key_id();
    let claims = [sign(&claims, &[&person(2)]), parent.clone()];
    vec![
        (
            "chain-parent-missing",
            "LEASE-CHAIN",
            chain("a child alone", &good[..1]),
        ),
        (
            "chain-other-root",
            "LEASE-CHAIN",
            chain(
                "another lease of the same issuer for the same holder",
                &[leaf.clone(), another.clone()],
            ),
        ),
        (
            "chain-parent-named",
            "LEASE-CHAIN",
            with("another parent is named", |child| {
                child.parent = Digest::of(b"another");
            }),
        ),
        (
            "chain-turned",
            "LEASE-CHAIN",
            chain("root first", &[parent.clone(), leaf.clone()]),
        ),
        (
            "chain-twice",
            "LEASE-CHAIN",
            chain("an envelope twice", &twice),
        ),
        (
            "chain-not-linked",
            "LEASE-CHAIN",
            chain("one envelope more than is linked", &longer),
        ),
        (
            "chain-empty",
            "LEASE-CHAIN",
            super::good("no envelope").with_envelope(|_| "[]".into()),
        ),
        (
            "chain-too-long",
            "LEASE-CHAIN",
            chain("seventeen envelopes", &seventeen),
        ),
        (
            "chain-depth-none",
            "LEASE-CHAIN",
            chain(
                "the parent may have no children",
                &pair(&LeaseDoc { depth: 0, ..root() }, |_| {}),
            ),
        ),
        (
            "chain-depth-same",
            "LEASE-CHAIN",
            with("as many generations as the parent", |child| {
                child.depth = 3;
            }),
        ),
        (
            "chain-holder-none",
            "LEASE-CHAIN",
            chain("the parent names no holder", &pair(&bearer, |_| {})),
        ),
        (
            "chain-holder-other",
            "LEASE-CHAIN",
            chain("signed by who is not the holder", &by(2, 2)),
        ),
        (
            "chain-key-of-another",
            "KEY-UNTRUSTED",
            chain("the holder's key, the signature of another", &by(2, 1)),
        ),
        (
            "chain-issuer-not-key",
            "LEASE-ISSUER",
            chain("the issuer is the holder, the key another's", &claims),
        ),
        (
            "chain-two-signatures",
            "LEASE-CHAIN",
            chain("two signatures on a child", &both),
        ),
        (
            "chain-parent-held",
            "HOLDER-MISSING",
            chain("the parent is not for whoever has it", &good[1..]),
        ),
    ]
}

fn malformed() -> Vec<Case> {
    vec![
        (
            "child-parents",
            "LEASE-FORMAT",
            edited("two parents", |lease| {
                lease["parent"] = json!([lease["parent"], plugin()]);
            }),
        ),
        (
            "child-key-missing",
            "LEASE-FORMAT",
            edited("no key", |lease| {
                lease.as_object_mut().unwrap().remove("key");
            }),
        ),
        (
            "child-key",
            "KEY-FORMAT",
            edited("a key that is none", |lease| {
                lease["key"] = json!("AAAA");
            }),
        ),
        (
            "child-of",
            "LEASE-FORMAT",
            edited("`of` is no name of a grant", |lease| {
                lease["grants"][0]["of"] = json!("Docs");
            }),
        ),
        (
            "child-limit",
            "LEASE-LIMIT",
            edited("a limit of zero", |lease| {
                lease["grants"][0]["limits"] = json!({"wall_ms": 0});
            }),
        ),
        (
            "child-pattern",
            "PATTERN-FORMAT",
            edited("a pattern that goes up", |lease| {
                lease["grants"][0]["files"]["read"] = json!(["docs/../../etc/x"]);
            }),
        ),
        (
            "child-unknown-field",
            "LEASE-FORMAT",
            edited("a field that is not known", |lease| {
                lease["parents"] = json!([]);
            }),
        ),
    ]
}
