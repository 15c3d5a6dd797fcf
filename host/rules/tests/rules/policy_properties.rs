//! What holds for any policy: a grant within it allows nothing that the rule does not, and no text makes it panic.

use std::cell::Cell;

use leasehold_lease::{
    EnvGrant, FileGrant, Grant, HttpGrant, Kind, Limits, Pattern, RelPath, SecretGrant, Target,
};
use leasehold_rules::{Operation, PathFact, Policy, Request};
use leasehold_seal::Digest;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::*;

fn any_patterns() -> impl Strategy<Value = Vec<Pattern>> {
    let pattern = "(\\*\\*/)?[abA*?](/[ab?])?(/\\*\\*)?".prop_map(|text| text.parse().unwrap());
    prop::collection::vec(pattern, 0..3)
}

fn any_http() -> impl Strategy<Value = Vec<HttpGrant>> {
    let entry = (
        prop::sample::subsequence(vec!["GET", "HEAD", "POST"], 1..=3),
        prop::sample::select(vec!["*.b.example", "a.b.example", "b.example"]),
        prop::sample::select(vec![443_u16, 444]),
        prop::sample::select(vec!["/**", "/a/**", "/a", "/*", "/a/?"]),
        prop::sample::subsequence(vec!["10.0.0.0/8", "10.1.0.0/16"], 0..=2),
    );
    let entry = entry.prop_map(|(methods, host, port, path, blocks)| HttpGrant {
        port,
        addresses: blocks.iter().map(|block| block.parse().unwrap()).collect(),
        ..http(&methods, host, path)
    });
    prop::collection::vec(entry, 0..3)
}

fn any_target() -> impl Strategy<Value = Target> {
    (
        prop::sample::select(vec!["GET", "HEAD", "POST"]),
        prop::sample::select(vec!["a.b.example", "b.example", "a.a.b.example"]),
        prop::sample::select(vec![443_u16, 444]),
        prop::sample::select(vec!["/", "/a", "/a/b", "/a/bb", "/b"]),
    )
        .prop_map(|(method, host, port, path)| {
            Target::parse(method, "https", &format!("{host}:{port}"), path).unwrap()
        })
}

prop_compose! {
    /// The parts that a grant and a rule have in common; secrets that are read only, so that no way is needed.
    fn any_grant()(
        list in any_patterns(), read in any_patterns(), write in any_patterns(), deny in any_patterns(),
        args in prop::collection::vec(prop::collection::vec("[ab]", 0..2), 0..3),
        pass in prop::sample::subsequence(vec!["A", "B"], 0..=2),
        set in prop::collection::btree_map("[CD]", "[xy]", 0..2),
        http in any_http(),
        secrets in prop::sample::subsequence(vec!["one", "two"], 0..=2),
        command: bool,
        fuel in 1..4_u64,
        open_files in 0..3_u64,
    ) -> Grant {
        Grant {
            id: "g".to_owned(),
            plugin: Digest::of(b"plugin"),
            kind: if command { Kind::Command } else { Kind::Gate },
            config: None,
            args,
            files: FileGrant { list, read, write, deny },
            env: EnvGrant { pass: pass.into_iter().map(str::to_owned).collect(), set },
            http,
            secrets: secrets.into_iter().map(exposed).collect(),
            clock: Default::default(),
            random: Default::default(),
            limits: Limits { fuel, memory_bytes: 65_536, wall_ms: 1, output_bytes: 0, write_bytes: 0, open_files },
        }
    }
}

/// The rule that holds what this grant has and nothing else.
fn rule_of(grant: &Grant, expose: bool) -> Value {
    let secrets: Vec<&String> = grant.secrets.iter().map(|secret| &secret.name).collect();
    json!({"id": "r", "plugins": [grant.plugin], "kinds": [grant.kind], "files": grant.files, "args": grant.args, "env": grant.env,
        "http": grant.http, "secrets": secrets, "expose": expose,
        "limits": {"fuel": grant.limits.fuel, "open_files": grant.limits.open_files}})
}

/// Each field of the first or of the second: what comes of it often lies within the first.
fn mixed(first: &Grant, second: &Grant, take: &[bool; 13]) -> Grant {
    let pick = |at: usize| if take[at] { second } else { first };
    Grant {
        args: pick(0).args.clone(),
        files: FileGrant {
            read: pick(1).files.read.clone(),
            write: pick(2).files.write.clone(),
            deny: pick(3).files.deny.clone(),
            list: pick(4).files.list.clone(),
        },
        env: pick(5).env.clone(),
        http: if take[6] {
            second.http.clone()
        } else {
            mixed_http(first, second, take)
        },
        secrets: pick(7).secrets.clone(),
        limits: pick(7).limits,
        ..first.clone()
    }
}

/// The entries of the first, each with single fields of the second's: most of what is wider is so in one field only.
fn mixed_http(first: &Grant, second: &Grant, take: &[bool; 13]) -> Vec<HttpGrant> {
    let others = second.http.iter().cycle();
    let pairs = first.http.iter().zip(others);
    let mixed = pairs.map(|(first, second)| {
        let pick = |at: usize| if take[at] { second } else { first };
        HttpGrant {
            methods: pick(8).methods.clone(),
            scheme: first.scheme,
            host: pick(9).host.clone(),
            port: pick(10).port,
            path: pick(11).path.clone(),
            addresses: pick(12).addresses.clone(),
        }
    });
    let mixed: Vec<HttpGrant> = mixed.collect();
    if mixed.is_empty() {
        first.http.clone()
    } else {
        mixed
    }
}

/// What the rule allows, found out without any containment.
struct Rule<'a>(&'a Grant);

impl Rule<'_> {
    fn reaches(&self, list: &[Pattern], path: &RelPath) -> bool {
        let denied = self.0.files.deny.iter().any(|rule| rule.denies(path));
        list.iter().any(|pattern| pattern.matches(path)) && !denied
    }

    fn runs(&self, vector: &[String]) -> bool {
        self.0.args.iter().any(|allowed| allowed == vector)
            || (self.0.args.is_empty() && vector.is_empty())
    }
}

fn shares(seen: &Cell<(u32, u32)>, accepted: bool) {
    let (all, good) = seen.get();
    seen.set((all + 1, good + u32::from(accepted)));
}

#[test]
fn what_a_grant_within_a_policy_allows_its_rule_allows() {
    let seen = Cell::new((0, 0));
    let strategy = (
        any_grant(),
        any_grant(),
        prop::array::uniform::<_, 13>(prop::bool::weighted(0.15)),
        prop::bool::weighted(0.7),
        prop::collection::vec(prop::collection::vec("[abAB]", 0..4), 8),
        prop::collection::vec("[ab]", 0..2),
        prop::collection::vec(any_target(), 4),
    );
    let mut runner = proptest::test_runner::TestRunner::default();
    let result = runner.run(
        &strategy,
        |(most, other, take, expose, paths, vector, targets)| {
            let grant = mixed(&most, &other, &take);
            let json = json!({"version": 1, "grants": [rule_of(&most, expose)]}).to_string();
            let policy = Policy::parse(json.as_bytes());
            prop_assert!(policy.is_ok(), "{:?}", policy);
            let Ok(policy) = policy else { return Ok(()) };
            let found = policy.bounds(&document(vec![grant.clone()]));
            shares(&seen, found.is_empty());
            if !found.is_empty() {
                prop_assert!(policy.grant(&grant).is_err());
                return Ok(());
            }
            let rights = lease(vec![grant.clone()]).rights("g").unwrap();
            let rule = Rule(&most);
            for path in &paths {
                let path = RelPath::parse(&path.join("/")).unwrap();
                prop_assert!(!rights.can_list(&path) || rule.reaches(&most.files.list, &path));
                prop_assert!(!rights.can_read(&path) || rule.reaches(&most.files.read, &path));
                prop_assert!(!rights.can_write(&path) || rule.reaches(&most.files.write, &path));
            }
            for vector in [Vec::new(), vector] {
                prop_assert!(!rights.allows_args(&vector) || rule.runs(&vector));
            }
            let host = |name: &str| Some(format!("host {name}"));
            for (name, value) in rights.environment(host) {
                let passed = most.env.pass.contains(&name) && Some(&value) == host(&name).as_ref();
                prop_assert!(passed || most.env.set.get(&name) == Some(&value));
            }
            for target in targets {
                let Ok(permit) = rights.permit(target.clone()) else {
                    continue;
                };
                prop_assert!(most.http.iter().any(|entry| entry.allows(&target)));
                let inside = "10.1.2.3".parse().unwrap();
                let reaches =
                    |entry: &&HttpGrant| entry.addresses.iter().any(|block| block.contains(inside));
                if permit.blocks().iter().any(|block| block.contains(inside)) {
                    let mut allowing = most.http.iter().filter(|entry| entry.allows(&target));
                    prop_assert!(allowing.any(|entry| reaches(&entry)));
                }
            }
            let named =
                |secret: &SecretGrant| most.secrets.iter().any(|most| most.name == secret.name);
            prop_assert!(
                rights
                    .secrets()
                    .iter()
                    .all(|secret| expose && named(secret))
            );
            let (have, most) = (rights.limits(), &most.limits);
            prop_assert!(have.fuel <= most.fuel && have.open_files <= most.open_files);
            Ok(())
        },
    );
    result.unwrap();
    // A property of what is accepted says nothing where hardly anything is.
    let (all, accepted) = seen.get();
    assert!(accepted * 8 > all, "{accepted} of {all}");
}

proptest! {
    #[test]
    fn no_write_within_a_policy_reaches_a_protected_file(
        write in any_patterns(),
        deny in any_patterns(),
        protected in any_patterns(),
        names in prop::collection::vec("[abAB]", 0..4),
    ) {
        let json = json!({"version": 1, "protected": protected}).to_string();
        let policy = Policy::parse(json.as_bytes()).unwrap();
        let mut grant = planned(EXAMPLE).grants().unwrap().remove(1);
        grant.files = FileGrant { write, deny, ..FileGrant::default() };
        let path = RelPath::parse(&names.join("/")).unwrap();
        if policy.bounds(&document(vec![grant.clone()])).is_empty() {
            let rights = lease(vec![grant]).rights("toc").unwrap();
            prop_assert!(!rights.can_write(&path) || !protected.iter().any(|rule| rule.denies(&path)));
        }
    }

    #[test]
    fn an_operation_that_is_allowed_stays_inside_and_touches_nothing_denied(
        allow in any_patterns(),
        deny in any_patterns(),
        protected in any_patterns(),
        text in "(/|\\.\\./|\\./|[abA]/|//|[abA]){0,6}",
        action in prop::sample::select(vec!["write_file", "git_add"]),
    ) {
        let json = json!({"version": 1, "protected": protected, "operations": {
            "files": ["write_file"], "git": ["git_add"], "paths": allow, "deny_paths": deny}});
        let policy = Policy::parse(json.to_string().as_bytes()).unwrap();
        let decision = policy.decide(&Operation::on_paths(action, vec![text.clone()]), &|_| PathFact::Plain);
        if decision.allowed {
            prop_assert!(!text.starts_with('/') && !text.split('/').any(|part| part == ".."));
            let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
            let path = RelPath::parse(&parts.join("/")).unwrap();
            prop_assert!(allow.iter().any(|rule| rule.matches(&path)));
            prop_assert!(!deny.iter().chain(&protected).any(|rule| rule.denies(&path)));
        }
    }

    #[test]
    fn no_json_makes_a_reader_panic(
        policy in any_document(&["version", "id", "must_run", "grants", "leases", "operations", "protected", "must_allow",
            "must_deny", "policy_id", "allowlist", "limits", "allow_ops", "allow_paths", "deny_paths", "max_budget_usd"]),
        request in any_document(&["execution_request_id", "schema_version", "requires_review", "patch_plan", "steps",
            "operations", "op_id", "action", "params", "path", "paths", "command"]),
    ) {
        for errors in [
            Policy::parse(policy.to_string().as_bytes()).map(|_| ()),
            Request::parse(request.to_string().as_bytes()).map(|_| ()),
            Operation::parse(request.to_string().as_bytes()).map(|_| ()),
        ] {
            if let Err(errors) = errors {
                codes_of(&errors);
            }
        }
    }
}

/// JSON whose keys are mostly those that are known.
fn any_document(keys: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..3_i64).prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "any",
            "write_file",
            "git_add",
            "**",
            "1.5",
            "../x",
            "sha256:0"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let fields = prop::collection::btree_map(prop::sample::select(keys), inner.clone(), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Value::from),
            fields.prop_map(|fields| {
                Value::Object(
                    fields
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}
