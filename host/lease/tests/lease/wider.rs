//! Children that are wider than their parent, each refused with the field and the value; and each good under a parent
//! that allows it.

use leasehold_lease::{
    Audience, AudienceEntry, Budget, ChildDoc, ChildGrant, Kind, LeaseDoc, LimitsSpec,
};
use leasehold_seal::{Class, Coded, Digest};
use serde_json::json;

use crate::common::*;
use crate::family::*;

struct Attack {
    /// What the refusal names.
    field: &'static str,
    value: &'static str,
    child: fn(&mut ChildDoc),
    /// What the parent needs for the child to be within it.
    parent: fn(&mut LeaseDoc),
}

fn attack(
    field: &'static str,
    value: &'static str,
    child: fn(&mut ChildDoc),
    parent: fn(&mut LeaseDoc),
) -> Attack {
    Attack {
        field,
        value,
        child,
        parent,
    }
}

/// The child is made of the narrow root and put below the wide one for the twin.
#[track_caller]
fn refused_unless_the_parent_is_wider(attacks: &[Attack], base: &LeaseDoc) {
    for Attack {
        field,
        value,
        child: change,
        parent,
    } in attacks
    {
        let narrow = signed(base);
        let mut document = child(narrow.id(), base, &person(1));
        change(&mut document);
        let refusal = verify_chain(&[sign(&document, &[&person(1)]), narrow]).unwrap_err();
        let message = refusal.to_string();
        assert_eq!(refusal.code(), "LEASE-WIDER", "{field} {value}: {message}");
        assert_eq!(refusal.class(), Class::Refused);
        assert!(
            message.contains(&format!(" {field}: ")),
            "{field}: {message}"
        );
        assert!(message.contains(value), "{value}: {message}");

        let mut wide = base.clone();
        parent(&mut wide);
        let root = signed(&wide);
        document.parent = root.id();
        if let Err(refusal) = verify_chain(&[sign(&document, &[&person(1)]), root]) {
            panic!("{field} {value}: {refusal}");
        }
    }
}

fn first(child: &mut ChildDoc) -> &mut ChildGrant {
    &mut child.grants[0]
}

#[test]
fn files() {
    let mut base = root();
    base.grants[0].files.read = patterns(&["data/**", "*.md"]);
    base.grants[0].files.write = patterns(&["data/a?"]);
    let attacks = [
        attack(
            "grants[0].files.read",
            "\"data2/**\"",
            |child| first(child).files.read = patterns(&["data2/**"]),
            |root| root.grants[0].files.read.extend(patterns(&["data2/**"])),
        ),
        attack(
            "grants[0].files.read",
            "\"data2\"",
            |child| first(child).files.read = patterns(&["data", "data/x", "data2"]),
            |root| root.grants[0].files.read.extend(patterns(&["data?"])),
        ),
        attack(
            "grants[0].files.read",
            "\"**\"",
            |child| first(child).files.read = patterns(&["**"]),
            |root| root.grants[0].files.read = patterns(&["**"]),
        ),
        attack(
            "grants[0].files.read",
            "\"**/*.md\"",
            |child| first(child).files.read = patterns(&["**/*.md"]),
            |root| root.grants[0].files.read = patterns(&["**/*.?d"]),
        ),
        attack(
            "grants[0].files.read",
            "\"*/x\"",
            |child| first(child).files.read = patterns(&["*/x"]),
            |root| root.grants[0].files.read = patterns(&["*/**"]),
        ),
        attack(
            "grants[0].files.read",
            "\"Data/x\"",
            |child| first(child).files.read = patterns(&["Data/x"]),
            |root| root.grants[0].files.read.extend(patterns(&["Data/*"])),
        ),
        // A right to see is none to read, and one to read none to write.
        attack(
            "grants[0].files.read",
            "\"src/x\"",
            |child| first(child).files.read = patterns(&["src/x"]),
            |root| root.grants[0].files.read = patterns(&["src/**", "data/**"]),
        ),
        attack(
            "grants[0].files.write",
            "\"data/b\"",
            |child| first(child).files.write = patterns(&["data/b"]),
            |root| root.grants[0].files.write = patterns(&["data/?"]),
        ),
        attack(
            "grants[0].files.write",
            "\"data/a*\"",
            |child| first(child).files.write = patterns(&["data/a*"]),
            |root| root.grants[0].files.write = patterns(&["data/a*"]),
        ),
        attack(
            "grants[0].files.list",
            "\"x/y\"",
            |child| first(child).files.list = patterns(&["x/y"]),
            |root| root.grants[0].files.list = patterns(&["x/**"]),
        ),
        attack(
            "grants[0].files.deny",
            "\"**/.env\"",
            |child| first(child).files.deny.clear(),
            |root| root.grants[0].files.deny.clear(),
        ),
        attack(
            "grants[0].files.deny",
            "\"**/.env\"",
            |child| first(child).files.deny = patterns(&["**/.ENV", "**/.env*"]),
            |root| root.grants[0].files.deny = patterns(&["**/.ENV"]),
        ),
    ];
    let mut base_list = base.clone();
    base_list.grants[0].files.list = patterns(&["data/**"]);
    let (list, rest): (Vec<Attack>, Vec<Attack>) = attacks
        .into_iter()
        .partition(|attack| attack.field.ends_with("list"));
    refused_unless_the_parent_is_wider(&rest, &base);
    refused_unless_the_parent_is_wider(&list, &base_list);
}

/// A path that goes up is no pattern at all, under any parent.
#[test]
fn upwards() {
    let mut wide = root();
    wide.grants[0].files.read = patterns(&["**"]);
    for pattern in [
        "data/../../etc/x",
        "..",
        "/data",
        "data//x",
        "./data",
        "data\\..\\x",
    ] {
        let parent = signed(&wide);
        let mut lease = serde_json::to_value(child(parent.id(), &wide, &person(1))).unwrap();
        lease["grants"][0]["files"]["read"] = json!([pattern]);
        let chain = [sign(&lease, &[&person(1)]), parent];
        assert_eq!(code(verify_chain(&chain)), "PATTERN-FORMAT", "{pattern}");
    }
}

#[test]
fn what_is_called() {
    let attacks = [
        attack(
            "grants[0].plugin",
            "sha256:",
            |child| first(child).plugin = Digest::of(b"another"),
            |root| root.grants[0].plugin = Digest::of(b"another"),
        ),
        attack(
            "grants[0].kind",
            "gate",
            |child| first(child).kind = Kind::Gate,
            |root| root.grants[0].kind = Kind::Gate,
        ),
        attack(
            "grants[0].config",
            "none",
            |child| first(child).config = None,
            |root| root.grants[0].config = None,
        ),
        attack(
            "grants[0].config",
            "sha256:",
            |child| first(child).config = Some(Digest::of(b"another")),
            |root| root.grants[0].config = Some(Digest::of(b"another")),
        ),
        attack(
            "grants[0].args",
            "[\"--check\", \"--force\"]",
            |child| first(child).args = vec![strings(&["--check", "--force"])],
            |root| root.grants[0].args = vec![strings(&["--check", "--force"])],
        ),
        // No vector at all means the empty one, which has to be among the parent's like any other.
        attack(
            "grants[0].args",
            "[]",
            |child| first(child).args.clear(),
            |root| root.grants[0].args.clear(),
        ),
        attack(
            "grants[0].env.pass",
            "HOME",
            |child| first(child).env.pass.push("HOME".into()),
            |root| root.grants[0].env.pass.push("HOME".into()),
        ),
        // Set by the parent is not passed on, and passed on is not set.
        attack(
            "grants[0].env.pass",
            "CI",
            |child| {
                first(child).env.set.clear();
                first(child).env.pass = strings(&["CI"]);
            },
            |root| {
                root.grants[0].env.set.clear();
                root.grants[0].env.pass = strings(&["CI"]);
            },
        ),
        attack(
            "grants[0].env.set",
            "CI",
            |child| drop(first(child).env.set.insert("CI".into(), "false".into())),
            |root| drop(root.grants[0].env.set.insert("CI".into(), "false".into())),
        ),
        attack(
            "grants[0].env.set",
            "NEW",
            |child| drop(first(child).env.set.insert("NEW".into(), "1".into())),
            |root| drop(root.grants[0].env.set.insert("NEW".into(), "1".into())),
        ),
    ];
    refused_unless_the_parent_is_wider(&attacks, &root());
}

#[test]
fn limits() {
    for (index, (name, _, most)) in LimitsSpec::RANGES.into_iter().enumerate() {
        let base = root();
        let have = base.grants[0].limits.values()[index];
        let with = |value: u64| {
            let text = json!({ name: value }).to_string();
            serde_json::from_str::<LimitsSpec>(&text).unwrap()
        };
        let chain = pair(&base, |child| first(child).limits = with(have));
        verify_chain(&chain).unwrap();
        let chain = pair(&base, |child| first(child).limits = with(have + 1));
        let refusal = verify_chain(&chain).unwrap_err();
        assert_eq!(refusal.code(), "LEASE-WIDER");
        let named = format!("grants[0].limits.{name}: {} is more than {have}", have + 1);
        assert!(refusal.to_string().ends_with(&named), "{refusal}");
        // Left out, it is the parent's, not the greatest there is.
        let chain = pair(&base, |child| first(child).limits = LimitsSpec::default());
        let rights = verify_chain(&chain).unwrap().rights("docs-toc").unwrap();
        assert_eq!(rights.limits().values()[index], have);
        assert!(have < most, "so that it means something");
    }
}

#[test]
fn time_and_place() {
    const SECOND: fn(&mut ChildDoc) = |child| child.expires = time("2026-01-01T01:00:01Z");
    let attacks = [
        attack("expires", "2026-01-01T01:00:01Z", SECOND, |root| {
            root.expires = time("2026-01-01T01:00:01Z");
        }),
        attack(
            "not_before",
            "2025-12-31T23:59:59Z",
            |child| child.not_before = time("2025-12-31T23:59:59Z"),
            |root| root.not_before = time("2025-01-01T00:00:00Z"),
        ),
        attack(
            "audience",
            "any",
            |child| child.audience = Audience::Any,
            |root| root.audience = Audience::Any,
        ),
        attack(
            "audience[1]",
            "sha256:",
            |child| {
                let host = other().public().key_id();
                let entry = AudienceEntry { host, tape: None };
                if let Audience::Hosts(entries) = &mut child.audience {
                    entries.push(entry);
                }
            },
            |root| {
                let host = other().public().key_id();
                let entry = AudienceEntry { host, tape: None };
                if let Audience::Hosts(entries) = &mut root.audience {
                    entries.push(entry);
                }
            },
        ),
    ];
    refused_unless_the_parent_is_wider(&attacks, &root());
}

fn on(tape: Option<Digest>) -> Audience {
    Audience::Hosts(vec![AudienceEntry {
        host: host_id(),
        tape,
    }])
}

#[test]
fn tapes() {
    let taped = LeaseDoc {
        audience: on(Some(tape())),
        ..root()
    };
    verify_chain(&pair(&taped, |_| {})).unwrap();
    for wrong in [on(None), on(Some(Digest::of(b"another"))), Audience::Any] {
        let chain = pair(&taped, |child| child.audience = wrong);
        assert_eq!(code(verify_chain(&chain)), "LEASE-WIDER");
    }
    // A child may name a tape where its parent names none.
    verify_chain(&pair(&root(), |child| child.audience = on(Some(tape())))).unwrap();
    let chain = pair(&root(), |child| {
        child.audience = on(Some(Digest::of(b"another")))
    });
    assert_eq!(code(verify_chain(&chain)), "LEASE-AUDIENCE");
}

#[test]
fn budgets() {
    let budget = |uses, fuel| Some(Budget { uses, fuel });
    let base = LeaseDoc {
        audience: on(Some(tape())),
        budget: budget(Some(10), Some(1_000)),
        ..root()
    };
    for (uses, fuel) in [(Some(10), Some(1_000)), (Some(1), None), (None, Some(1))] {
        let chain = pair(&base, |child| child.budget = budget(uses, fuel));
        let rights = verify_chain(&chain).unwrap().rights("docs-toc").unwrap();
        let found: Vec<_> = rights
            .budgets()
            .iter()
            .map(|hop| (hop.lease, hop.uses, hop.fuel))
            .collect();
        assert_eq!(
            found,
            [
                (chain[0].id(), uses, fuel),
                (chain[1].id(), Some(10), Some(1_000))
            ]
        );
    }
    let unstated = verify_chain(&pair(&base, |_| {})).unwrap();
    assert_eq!(unstated.rights("docs-toc").unwrap().budgets().len(), 1);
    for (uses, fuel, field) in [
        (Some(11), None, "budget.uses: 11 is more than 10"),
        (None, Some(1_001), "budget.fuel: 1001 is more than 1000"),
    ] {
        let refusal = verify_chain(&pair(&base, |child| child.budget = budget(uses, fuel)));
        let message = refusal.as_ref().unwrap_err().to_string();
        assert!(message.ends_with(field), "{message}");
        assert_eq!(code(refusal), "LEASE-WIDER");
    }
    let chain = pair(&base, |child| child.budget = budget(None, None));
    assert_eq!(code(verify_chain(&chain)), "LEASE-FORMAT");
    // Where the parent states none, a child may; then it is for one tape too.
    let chain = pair(&root(), |child| child.budget = budget(Some(1), None));
    assert_eq!(code(verify_chain(&chain)), "LEASE-FORMAT");
    let chain = pair(&root(), |child| {
        child.audience = on(Some(tape()));
        child.budget = budget(Some(1), None);
    });
    assert_eq!(
        verify_chain(&chain)
            .unwrap()
            .rights("docs-toc")
            .unwrap()
            .budgets()
            .len(),
        1
    );
}
