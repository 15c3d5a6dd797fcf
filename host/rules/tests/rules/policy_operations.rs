//! Which operations a policy allows, and what attacks on it come to.

use leasehold_lease::RelPath;
use leasehold_rules::{Action, Dollars, Operation, PathFact, Policy, Request};
use leasehold_seal::{Class, Coded};
use serde_json::{Value, json};

use crate::common::*;
use crate::policy_fixtures::{policy, request};

fn of(operations: Value) -> Policy {
    let json = json!({"version": 1, "id": "p", "operations": operations});
    Policy::parse(json.to_string().as_bytes()).unwrap()
}

fn plain(_: &RelPath) -> PathFact {
    PathFact::Plain
}

/// The rule that allows or denies; a denial begins with `!`.
fn rule(policy: &Policy, action: &str, params: Value) -> String {
    let json = json!({"action": action, "params": params}).to_string();
    let operation = Operation::parse(json.as_bytes()).unwrap();
    let decision = policy.decide(&operation, &plain);
    assert_eq!(decision.operation, action);
    let sign = if decision.allowed { "" } else { "!" };
    format!("{sign}{}", decision.rule)
}

fn write(policy: &Policy, path: &str) -> String {
    rule(policy, "write_file", json!({"path": path}))
}

#[test]
fn an_empty_or_missing_list_allows_nothing() {
    let full =
        json!({"files": ["write_file"], "git": ["git_add"], "paths": ["**"], "commands": [["x"]]});
    let allowed = of(full.clone());
    assert_eq!(write(&allowed, "a"), "p:files");
    assert_eq!(rule(&allowed, "git_add", json!({"path": "a"})), "p:git");
    assert_eq!(
        rule(&allowed, "run_command", json!({"command": "x"})),
        "p:commands"
    );
    for key in ["files", "git", "paths", "commands"] {
        for empty in [Some(json!([])), None] {
            let mut less = full.clone();
            match empty {
                Some(list) => less[key] = list,
                None => drop(less.as_object_mut().unwrap().remove(key)),
            }
            let less = of(less);
            let found = [
                write(&less, "a"),
                rule(&less, "git_add", json!({"path": "a"})),
                rule(&less, "run_command", json!({"command": "x"})),
            ];
            let denied = found.iter().filter(|rule| rule.starts_with('!')).count();
            // Paths are those of files and of git.
            assert_eq!(
                denied,
                if key == "paths" { 2 } else { 1 },
                "{key} {found:?}"
            );
        }
    }
    for nothing in [r#"{"version":1}"#, r#"{"version":1,"operations":{}}"#] {
        let nothing = Policy::parse(nothing.as_bytes()).unwrap();
        assert!(write(&nothing, "a").starts_with('!'));
    }
}

#[test]
fn a_star_stays_in_its_folder_and_two_reach_everything_below() {
    let policy = of(json!({"files": ["write_file"], "paths": ["*.md", "**/a", "docs/*"]}));
    for allowed in ["x.md", "a", "b/a", "b/c/a", "docs/x", "./docs//x"] {
        assert_eq!(write(&policy, allowed), "p:files", "{allowed}");
    }
    for denied in [
        "docs2/x",
        "b/x.md",
        "docs/b/x",
        "docs",
        "X.MD",
        "",
        ".",
        "doc/../x.md",
    ] {
        assert_eq!(write(&policy, denied), "!p:paths", "{denied}");
    }
}

#[test]
fn what_is_denied_is_denied_in_every_spelling_and_what_is_allowed_in_one() {
    let json = json!({"version": 1, "id": "p", "protected": ["leasehold.toml", "gates/**"],
        "operations": {"files": ["write_file"], "paths": ["**"], "deny_paths": ["straße/**", "*.pem"]}});
    let policy = Policy::parse(json.to_string().as_bytes()).unwrap();
    for (path, expected) in [
        ("a", "p:files"),
        ("STRASSE/x", "!p:deny_paths"),
        ("strasse", "!p:deny_paths"),
        ("key.PEM", "!p:deny_paths"),
        ("key.pem.", "!p:deny_paths"),
        ("sub/key.pem", "p:files"),
        ("LEASEHOLD.toml", "!p:protected"),
        ("leasehold.toml ", "!p:protected"),
        ("lease\u{200b}hold.toml", "!p:protected"),
        ("leasehold.toml/x", "!p:protected"),
        ("Gates", "!p:protected"),
        (".git/config", "!p:protected"),
        ("sub/.GIT", "!p:protected"),
        ("sub/git~1/x", "!p:protected"),
        (".gitignore", "p:files"),
        ("config/../leasehold.toml", "!p:paths"),
        ("./leasehold.toml", "!p:protected"),
    ] {
        assert_eq!(write(&policy, path), expected, "{path:?}");
    }
}

#[test]
fn the_tree_is_asked_about_paths_inside_and_only_those() {
    let policy = of(
        json!({"files": ["write_file"], "paths": ["docs/**", "link"], "deny_paths": ["docs/x"]}),
    );
    let decide = |path: &str, fact: PathFact| {
        let operation = Operation::on_paths("write_file", vec![path.to_owned()]);
        policy.decide(&operation, &|asked| {
            assert!(!asked.as_str().contains(".."));
            fact
        })
    };
    for (path, fact, expected) in [
        ("docs/a", PathFact::Plain, "p:files"),
        ("docs/a", PathFact::Linked, "p:symlinks"),
        ("docs/a", PathFact::Protected, "p:protected"),
        // A link is refused before anything is matched, and a path outside before the tree is looked at.
        ("docs/x", PathFact::Linked, "p:symlinks"),
        ("other", PathFact::Linked, "p:symlinks"),
        ("../docs/a", PathFact::Linked, "p:paths"),
        ("docs/x", PathFact::Plain, "p:deny_paths"),
    ] {
        assert_eq!(decide(path, fact).rule, expected, "{path} {fact:?}");
    }
}

#[test]
fn git_goes_through_the_same_paths() {
    let policy = of(json!({"git": ["git_add", "git_commit"], "paths": ["docs/**"]}));
    let add = |paths: Value| rule(&policy, "git_add", json!({"paths": paths}));
    assert_eq!(add(json!(["docs/a", "docs/b"])), "p:git");
    for bad in [
        "src/a",
        "-A",
        "--",
        ":/",
        ":(glob)docs/**",
        "docs/*",
        "docs/[a]",
        "docs/?",
        ".",
        "/docs/a",
        ".git/config",
    ] {
        let found = add(json!(["docs/a", bad]));
        assert!(
            found == "!p:paths" || found == "!p:protected",
            "{bad} {found}"
        );
    }
    let commit = |params: Value| rule(&policy, "git_commit", params);
    assert_eq!(commit(json!({"message": "x"})), "p:git");
    assert_eq!(
        commit(json!({"message": "x", "paths": ["docs/a"]})),
        "p:git"
    );
    assert_eq!(
        commit(json!({"message": "x", "paths": ["src/a"]})),
        "!p:paths"
    );
}

#[test]
fn what_is_done_to_a_folder_is_done_to_everything_in_it() {
    let decide = |policy: &Policy, action: &str, path: &str, fact: PathFact| {
        let operation = Operation::on_paths(action, vec![path.to_owned()]);
        let decision = policy.decide(&operation, &|_| fact);
        assert_eq!(decision.paths.len(), usize::from(decision.allowed));
        decision.rule
    };
    let json = json!({"version": 1, "id": "p", "protected": ["**/gate.toml"], "operations": {"git": ["git_add"],
        "files": ["delete_file", "mkdir"], "paths": ["docs/**", "src/*"], "deny_paths": ["docs/secret"]}});
    let policy = Policy::parse(json.to_string().as_bytes()).unwrap();
    for (path, file, folder) in [
        ("docs", "p:git", "p:protected"),
        ("src", "p:paths", "p:protected"),
        ("src/a", "p:git", "p:protected"),
    ] {
        assert_eq!(decide(&policy, "git_add", path, PathFact::Plain), file);
        assert_eq!(decide(&policy, "git_add", path, PathFact::Folder), folder);
        assert_eq!(
            decide(&policy, "delete_file", path, PathFact::Folder),
            folder
        );
    }
    let json = json!({"paths": ["docs/**", "src/*"], "deny_paths": ["docs/secret"], "git": ["git_add"], "files": ["mkdir"]});
    let policy = of(json);
    for (path, expected) in [
        ("docs", "p:deny_paths"),
        ("docs/en", "p:git"),
        ("src/a", "p:paths"),
        ("", "p:paths"),
        (".", "p:deny_paths"),
    ] {
        assert_eq!(
            decide(&policy, "git_add", path, PathFact::Folder),
            expected,
            "{path}"
        );
    }
    // Making a folder that is there already does nothing to what is in it.
    assert_eq!(
        decide(&policy, "mkdir", "src/a", PathFact::Folder),
        "p:files"
    );
    // The root is a folder whatever anyone says.
    let all = of(json!({"paths": ["**"], "deny_paths": ["**/.env"], "git": ["git_add"]}));
    assert_eq!(
        decide(&all, "git_add", ".", PathFact::Plain),
        "p:deny_paths"
    );
    let all = of(json!({"paths": ["**"], "git": ["git_add"]}));
    assert_eq!(decide(&all, "git_add", ".", PathFact::Plain), "p:git");
}

#[test]
fn commands_are_whole_vectors() {
    let policy =
        of(json!({"commands": [["cargo", "fmt"], "cargo test --all"], "timeout_seconds": 60}));
    let run = |command: Value| rule(&policy, "run_command", json!({"command": command}));
    for allowed in [
        json!(["cargo", "fmt"]),
        json!("cargo fmt"),
        json!("cargo  test --all"),
        json!(["cargo", "test", "--all"]),
    ] {
        assert_eq!(run(allowed.clone()), "p:commands", "{allowed}");
    }
    for denied in [
        json!([]),
        json!(["cargo"]),
        json!(["cargo", "fmt", "--all"]),
        json!(["cargo fmt"]),
        json!("cargo fmt; x"),
        json!("cargo fmt\nx"),
        json!("cargo 'fmt'"),
        json!(""),
        json!(["sh", "-c", "cargo fmt"]),
    ] {
        assert_eq!(run(denied.clone()), "!p:commands", "{denied}");
    }
    let timed = |seconds: u64| {
        rule(
            &policy,
            "run_command",
            json!({"command": "cargo fmt", "timeout_seconds": seconds}),
        )
    };
    assert_eq!(
        (timed(60), timed(61)),
        ("p:commands".to_owned(), "!p:timeout".to_owned())
    );
}

#[test]
fn size_and_number_have_their_limits() {
    let policy = of(
        json!({"files": ["write_file", "patch_file"], "paths": ["**"], "max_file_size_mb": 1, "max_files": 2}),
    );
    let bytes = |count: usize| {
        rule(
            &policy,
            "write_file",
            json!({"path": "a", "content": "x".repeat(count)}),
        )
    };
    // A request as a whole has at most 1 MiB, so the limit can only just be passed by itself.
    assert_eq!(bytes(1_000_000), "p:files");
    let none =
        of(json!({"files": ["write_file", "patch_file"], "paths": ["**"], "max_file_size_mb": 0}));
    assert_eq!(
        rule(&none, "write_file", json!({"path": "a", "content": ""})),
        "p:files"
    );
    assert_eq!(
        rule(&none, "write_file", json!({"path": "a", "content": "x"})),
        "!p:max_file_size"
    );
    assert_eq!(
        rule(&none, "patch_file", json!({"path": "a", "patch": "x"})),
        "!p:max_file_size"
    );
    let judged = |paths: &[&str]| {
        let operations: Vec<Value> = paths.iter().enumerate().map(|(n, path)| {
            json!({"op_id": n.to_string(), "action": "write_file", "params": {"path": path}})
        }).collect();
        let steps = operations.chunks(1).enumerate().map(|(n, operations)| {
            json!({"step_id": n.to_string(), "commit_message": "", "operations": operations})
        }).collect::<Vec<_>>();
        let json = json!({"execution_request_id": "r", "schema_version": 1, "requires_review": true, "patch_plan": {"steps": steps}});
        let request = Request::parse(json.to_string().as_bytes()).unwrap();
        policy
            .judge(&request, &plain)
            .iter()
            .filter(|decision| decision.allowed)
            .count()
    };
    // The same file twice is one; the number goes over all steps.
    assert_eq!(
        (judged(&["a", "b", "./a"]), judged(&["a", "b", "c"])),
        (3, 2)
    );
}

#[test]
fn money_is_counted_exactly_and_none_is_the_default() {
    let with = |budget: Value| of(json!({"max_budget_usd": budget}));
    let spends = |policy: &Policy, micros: u64| {
        let decision = policy.decide_spending(Dollars::from_micros(micros).unwrap());
        assert_eq!(decision.rule, "p:budget");
        decision.allowed
    };
    for (policy, micros) in [
        (with(json!(5)), 5_000_000),
        (with(json!("2.50")), 2_500_000),
        (of(json!({})), 0),
    ] {
        assert!(spends(&policy, micros) && !spends(&policy, micros + 1));
    }
    let envelope = policy("envelope").operations().unwrap().max_budget();
    assert_eq!(envelope.to_string(), "2.5");
}

#[test]
fn a_policy_says_what_it_allows() {
    let house = policy("house");
    let rules = house.operations().unwrap();
    assert_eq!(rules.actions().collect::<Vec<_>>(), Action::ALL);
    assert_eq!(
        (rules.timeout_seconds(), rules.max_budget().micros()),
        (Some(60), 5_000_000)
    );
    assert_eq!(
        policy("deny_all_ops")
            .operations()
            .unwrap()
            .actions()
            .count(),
        0
    );
    assert_eq!(house.protected().len(), 6);
    let demo = request("demo");
    assert_eq!(
        (demo.id.as_str(), demo.requires_review, demo.steps.len()),
        ("demo", false, 2)
    );
    assert_eq!(demo.operations().count(), 6);
}

#[test]
fn one_code_for_each_problem_of_a_request() {
    let good = json!({"execution_request_id": "r", "schema_version": "1", "requires_review": false, "patch_plan": {"steps": [
        {"step_id": "s", "commit_message": "m", "operations": [{"op_id": "o", "action": "mkdir", "params": {"path": "a"}}]}]}});
    let step = || good["patch_plan"]["steps"][0].clone();
    let operation = || step()["operations"][0].clone();
    let with_steps = |steps: Vec<Value>| {
        let mut request = good.clone();
        request["patch_plan"]["steps"] = steps.into();
        request
    };
    let with_operations = |operations: Vec<Value>| {
        let mut step = step();
        step["operations"] = operations.into();
        with_steps(vec![step])
    };
    let with_params = |action: &str, params: Value| {
        with_operations(vec![
            json!({"op_id": "o", "action": action, "params": params}),
        ])
    };
    let mut no_review = good.clone();
    no_review.as_object_mut().unwrap().remove("requires_review");
    let mut more = good.clone();
    more["approved"] = true.into();
    for (json, expected) in [
        (json!([]), &["REQUEST-TYPE"][..]),
        (json!({}), &["REQUEST-MISSING"; 4]),
        (no_review, &["REQUEST-MISSING"]),
        (more, &["REQUEST-KEY"]),
        (with_steps(vec![]), &["REQUEST-VALUE"]),
        (with_steps(vec![step(), step()]), &["REQUEST-DUPLICATE"]),
        (with_operations(vec![]), &["REQUEST-VALUE"]),
        (
            with_operations(vec![operation(), operation()]),
            &["REQUEST-DUPLICATE"],
        ),
        (
            with_operations(vec![json!({"op_id": "o", "params": {}})]),
            &["REQUEST-MISSING"],
        ),
        (
            with_operations(vec![json!({"op_id": "", "action": "x"})]),
            &["REQUEST-VALUE"],
        ),
        (with_params("write_file", json!({})), &["REQUEST-MISSING"]),
        (
            with_params("write_file", json!({"path": 1})),
            &["REQUEST-TYPE"],
        ),
        // What is not known here could name a path that nobody looks at.
        (
            with_params("write_file", json!({"path": "a", "target": "b"})),
            &["REQUEST-KEY"],
        ),
        (
            with_params("delete_file", json!({"path": "a", "content": "b"})),
            &["REQUEST-KEY"],
        ),
        (with_params("git_add", json!({})), &["REQUEST-VALUE"]),
        (
            with_params("git_add", json!({"paths": [1]})),
            &["REQUEST-TYPE", "REQUEST-VALUE"],
        ),
        (
            with_params("run_command", json!({"command": "x", "timeout_seconds": 0})),
            &["REQUEST-VALUE"],
        ),
        (with_params("upload", json!(1)), &["REQUEST-TYPE"]),
    ] {
        let errors = Request::parse(json.to_string().as_bytes()).unwrap_err();
        assert_eq!(codes_of(&errors), expected, "{json}");
        assert!(errors.iter().all(|error| error.class() == Class::Usage));
    }
    for good in [
        good.clone(),
        with_params("upload", json!({"x": [1]})),
        with_params("git_commit", json!({})),
    ] {
        assert!(Request::parse(good.to_string().as_bytes()).is_ok());
    }
}
