//! Lease files of reference B: every field is mapped, holds by itself, or is refused by its name.

use leasehold_lease::{Fate, ImportTerms, Imported, LeaseDoc, RelPath, import};
use leasehold_seal::{Coded, Digest};
use serde_json::{Value, json};

use crate::common::time;

/// A file as the other system writes it, with folders of the machine it ran on.
fn file() -> Value {
    json!({
        "lease_id": "LEASE-20251026-185000",
        "intent_id": "INT-20251026-001",
        "actor": "CBO",
        "issued_at": "2025-10-26T18:50:00Z",
        "expires_at": "2025-10-26T19:00:00Z",
        "scope": {
            "paths_allowlist": ["repo://calyx/tools/*", "docs/**"],
            "commands_allowlist": ["pytest -q", "pytest", "python tools/check.py"],
            "env_allowlist": ["PYTHONPATH", "LANG"],
            "network": "deny_all"
        },
        "limits": { "cpu_quota": 1.0, "mem_quota_mb": 2048, "wallclock_timeout_s": 600, "fd_limit": 512 },
        "runner": {
            "workdir": "/srv/calyx/repo",
            "readonly_mounts": ["/srv/calyx/repo:/workspace:ro"],
            "writable_mounts": ["/srv/calyx/staging:/workspace_w:rw"]
        },
        "sig": { "alg": "Ed25519", "kid": "cp20-ed25519-2025q3", "value": "bm90IGEgc2lnbmF0dXJl" }
    })
}

fn terms() -> ImportTerms {
    let mut terms = ImportTerms::default();
    for program in ["pytest", "python"] {
        let digest = Digest::of(program.as_bytes());
        terms.plugins.insert(program.to_owned(), digest);
    }
    for (folder, place) in [("/srv/calyx/repo", ""), ("/srv/calyx/staging", "docs/out")] {
        let place = RelPath::parse(place).unwrap();
        terms.folders.insert(folder.to_owned(), place);
    }
    terms
}

fn read(file: &Value) -> Imported {
    import(file.to_string().as_bytes(), &terms()).unwrap()
}

/// The file with one value in another place, or gone.
fn with(pointer: &str, value: Option<Value>) -> Value {
    let mut file = file();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = file.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => drop(parent.insert(name.to_owned(), value)),
        None => drop(parent.remove(name)),
    }
    file
}

fn fate<'a>(imported: &'a Imported, name: &str) -> &'a Fate {
    let field = imported.fields().iter().find(|field| field.name == name);
    &field
        .unwrap_or_else(|| panic!("{name} has no fate: {:#?}", imported.fields()))
        .fate
}

fn refused(imported: &Imported) -> Vec<&str> {
    imported
        .refused()
        .map(|field| field.name.as_str())
        .collect()
}

/// What `lease issue --draft` fills in.
fn completed(draft: &Value) -> LeaseDoc {
    let mut draft = draft.clone();
    let key = Digest::of(b"key").to_string();
    let filled = [
        ("version", json!(1)),
        ("issuer", json!(key)),
        ("holder", json!("none")),
        ("audience", json!("any")),
        ("nonce", json!("0123456789abcdef")),
    ];
    for (name, value) in filled {
        draft[name] = value;
    }
    for grant in draft["grants"].as_array_mut().unwrap() {
        for (name, value) in [("fuel", 1_000), ("output_bytes", 1_000), ("write_bytes", 0)] {
            grant["limits"][name] = json!(value);
        }
    }
    LeaseDoc::from_draft(draft.to_string().as_bytes()).unwrap()
}

#[test]
fn a_whole_file_becomes_a_draft_that_is_a_lease() {
    let imported = read(&file());
    assert_eq!(refused(&imported), Vec::<&str>::new());
    let lease = completed(imported.draft().unwrap());
    assert_eq!(lease.not_before, time("2025-10-26T18:50:00Z"));
    assert_eq!(lease.expires, time("2025-10-26T19:00:00Z"));
    let intent = lease.intent.unwrap();
    assert_eq!(intent.id, "INT-20251026-001");
    assert!(intent.summary.contains("LEASE-20251026-185000") && intent.summary.contains("CBO"));
    let [pytest, python] = lease.grants.as_slice() else {
        panic!("two programs, {} grants", lease.grants.len());
    };
    assert_eq!(
        (pytest.id.as_str(), python.id.as_str()),
        ("pytest", "python")
    );
    assert_eq!(pytest.plugin, Digest::of(b"pytest"));
    assert_eq!(pytest.args, [vec!["-q".to_owned()], vec![]]);
    assert_eq!(python.args, [vec!["tools/check.py".to_owned()]]);
    assert_eq!(python.env.pass, ["PYTHONPATH", "LANG"]);
    assert!(python.http.is_empty() && python.secrets.is_empty());
    let limits = python.limits;
    assert_eq!(
        (limits.memory_bytes, limits.wall_ms, limits.open_files),
        (2_048 << 20, 600_000, 512)
    );
    let texts = |list: &[leasehold_lease::Pattern]| -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    };
    assert_eq!(texts(&python.files.read), ["tools/*", "docs/**"]);
    assert_eq!(texts(&python.files.list), ["tools/*", "docs/**"]);
    // Only the part of docs that is mounted writable.
    assert_eq!(texts(&python.files.write), ["docs/out/**"]);
}

#[test]
fn every_field_of_the_file_has_a_fate() {
    fn leaves(at: &str, value: &Value, names: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let dot = if at.is_empty() { "" } else { "." };
                    leaves(&format!("{at}{dot}{name}"), value, names);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, value) in items.iter().enumerate() {
                    leaves(&format!("{at}[{index}]"), value, names);
                }
            }
            _ => names.push(at.to_owned()),
        }
    }
    let mut file = file();
    file["surprise"] = json!(1);
    file["scope"]["more"] = json!(["x"]);
    file["limits"]["disk_mb"] = json!(5);
    file["runner"]["user"] = json!("root");
    file["sig"]["chain"] = json!("x");
    let imported = read(&file);
    let mut names = Vec::new();
    leaves("", &file, &mut names);
    for name in &names {
        let name = name
            .strip_suffix("[0]")
            .filter(|name| name.ends_with(".more"))
            .unwrap_or(name);
        fate(&imported, name);
    }
    assert_eq!(
        refused(&imported),
        [
            "scope.more",
            "limits.disk_mb",
            "runner.user",
            "sig.chain",
            "surprise"
        ]
    );
    assert_eq!(imported.draft().unwrap_err().code(), "IMPORT-REFUSED");
}

#[test]
fn the_signature_is_never_believed_and_never_needed() {
    for part in ["alg", "kid", "value"] {
        assert!(matches!(
            fate(&read(&file()), &format!("sig.{part}")),
            Fate::NotBelieved(_)
        ));
    }
    let unsigned = read(&with("/sig", None));
    let other = read(&with("/sig", Some(json!("AAAA"))));
    assert_eq!(unsigned.draft().unwrap(), read(&file()).draft().unwrap());
    assert_eq!(other.draft().unwrap(), read(&file()).draft().unwrap());
}

#[test]
fn what_cannot_be_kept_is_refused_by_name_and_alone() {
    let cases = [
        ("/lease_id", json!(7), "lease_id"),
        ("/intent_id", json!(""), "intent_id"),
        ("/actor", json!("a\u{7}"), "actor"),
        (
            "/issued_at",
            json!("2025-10-26T18:50:00+00:00"),
            "issued_at",
        ),
        ("/expires_at", json!("2025-10-26T19:00:01Z"), "expires_at"),
        ("/expires_at", json!("2025-10-26T18:50:00Z"), "expires_at"),
        ("/scope", json!([]), "scope"),
        ("/scope/network", json!("allow"), "scope.network"),
        (
            "/scope/network",
            json!({"deny_all": true, "except": "x"}),
            "scope.network",
        ),
        (
            "/scope/network",
            json!({"deny_all": false}),
            "scope.network",
        ),
        (
            "/scope/paths_allowlist",
            json!("docs"),
            "scope.paths_allowlist",
        ),
        (
            "/scope/paths_allowlist",
            json!(["docs/../x"]),
            "scope.paths_allowlist[0]",
        ),
        (
            "/scope/paths_allowlist",
            json!(["/etc/passwd"]),
            "scope.paths_allowlist[0]",
        ),
        (
            "/scope/paths_allowlist",
            json!(["/workspace2/x"]),
            "scope.paths_allowlist[0]",
        ),
        (
            "/scope/paths_allowlist",
            json!(["repo://calyx"]),
            "scope.paths_allowlist[0]",
        ),
        (
            "/scope/paths_allowlist",
            json!([5]),
            "scope.paths_allowlist[0]",
        ),
        (
            "/scope/commands_allowlist",
            json!(["bash -c x"]),
            "scope.commands_allowlist[0]",
        ),
        (
            "/scope/commands_allowlist",
            json!(["pytest; rm x"]),
            "scope.commands_allowlist[0]",
        ),
        (
            "/scope/commands_allowlist",
            json!(["pytest 'a b'"]),
            "scope.commands_allowlist[0]",
        ),
        (
            "/scope/commands_allowlist",
            json!(["pytest *.py"]),
            "scope.commands_allowlist[0]",
        ),
        (
            "/scope/commands_allowlist",
            json!(["pytest\nx"]),
            "scope.commands_allowlist[0]",
        ),
        (
            "/scope/commands_allowlist",
            json!([" "]),
            "scope.commands_allowlist[0]",
        ),
        (
            "/scope/commands_allowlist",
            json!([[]]),
            "scope.commands_allowlist[0]",
        ),
        (
            "/scope/env_allowlist",
            json!(["A=B"]),
            "scope.env_allowlist[0]",
        ),
        (
            "/scope/env_allowlist",
            json!(["1A"]),
            "scope.env_allowlist[0]",
        ),
        ("/limits/cpu_quota", json!(0.5), "limits.cpu_quota"),
        ("/limits/cpu_quota", json!(-1), "limits.cpu_quota"),
        ("/limits/mem_quota_mb", json!(8_192), "limits.mem_quota_mb"),
        ("/limits/mem_quota_mb", json!(0), "limits.mem_quota_mb"),
        ("/limits/mem_quota_mb", json!(1.5), "limits.mem_quota_mb"),
        (
            "/limits/wallclock_timeout_s",
            json!(86_401),
            "limits.wallclock_timeout_s",
        ),
        ("/limits/fd_limit", json!(-1), "limits.fd_limit"),
        (
            "/runner/workdir",
            json!("/srv/calyx/staging"),
            "runner.workdir",
        ),
        ("/runner/workdir", json!("/root"), "runner.workdir"),
        (
            "/runner/readonly_mounts",
            json!(["/srv/calyx/repo:/workspace:rw"]),
            "runner.readonly_mounts[0]",
        ),
    ];
    for (pointer, value, name) in cases {
        let imported = read(&with(pointer, Some(value.clone())));
        assert!(
            refused(&imported).contains(&name),
            "{pointer} = {value}: {:?}",
            refused(&imported)
        );
        assert!(imported.draft().is_err());
    }
}

#[test]
fn what_is_missing_is_not_made_up() {
    for name in [
        "lease_id",
        "intent_id",
        "actor",
        "issued_at",
        "expires_at",
        "scope/paths_allowlist",
        "scope/commands_allowlist",
        "scope/network",
        "limits/cpu_quota",
        "limits/mem_quota_mb",
        "limits/wallclock_timeout_s",
        "limits/fd_limit",
    ] {
        let imported = read(&with(&format!("/{name}"), None));
        let dotted = name.replace('/', ".");
        assert!(refused(&imported).contains(&dotted.as_str()), "{name}");
    }
    // Absent means none: no variable is passed on.
    let imported = read(&with("/scope/env_allowlist", None));
    assert!(
        completed(imported.draft().unwrap()).grants[0]
            .env
            .pass
            .is_empty()
    );
}

#[test]
fn an_empty_list_grants_nothing() {
    let imported = read(&with("/scope/paths_allowlist", Some(json!([]))));
    let lease = completed(imported.draft().unwrap());
    assert!(
        lease
            .grants
            .iter()
            .all(|grant| grant.files.read.is_empty() && grant.files.write.is_empty())
    );
    let imported = read(&with("/scope/commands_allowlist", Some(json!([]))));
    assert!(completed(imported.draft().unwrap()).grants.is_empty());
}

#[test]
fn nothing_is_writable_that_is_not_mounted_so() {
    let imported = read(&with("/runner/writable_mounts", Some(json!([]))));
    assert!(
        completed(imported.draft().unwrap()).grants[0]
            .files
            .write
            .is_empty()
    );
    // A folder that merely begins like one that is known.
    let imported = read(&with(
        "/runner/writable_mounts",
        Some(json!(["/srv/calyx/staging2:/w:rw"])),
    ));
    assert_eq!(refused(&imported), ["runner.writable_mounts[0]"]);
    // The same folder both ways, and a read-only part of a writable one.
    for mounts in [
        json!(["/srv/calyx/repo:/w:rw"]),
        json!(["/srv/calyx:/w:rw"]),
    ] {
        let mut terms = terms();
        terms
            .folders
            .insert("/srv/calyx".to_owned(), RelPath::root());
        terms.folders.insert(
            "/srv/calyx/repo".to_owned(),
            RelPath::parse("repo").unwrap(),
        );
        let mut file = with("/runner/writable_mounts", Some(mounts));
        file["runner"]["workdir"] = json!("/srv/calyx");
        let imported = import(file.to_string().as_bytes(), &terms).unwrap();
        assert!(refused(&imported).contains(&"runner.writable_mounts[0]"));
    }
}

#[test]
fn a_path_outside_of_all_mounts_is_refused() {
    let mut file = with("/runner/readonly_mounts", Some(json!([])));
    file["scope"]["paths_allowlist"] = json!(["docs/out/a.md"]);
    let imported = read(&file);
    assert_eq!(refused(&imported), Vec::<&str>::new());
    let lease = completed(imported.draft().unwrap());
    assert_eq!(lease.grants[0].files.write[0].as_str(), "docs/out/a.md");
    file["scope"]["paths_allowlist"] = json!(["docs/in/a.md"]);
    assert_eq!(refused(&read(&file)), ["scope.paths_allowlist[0]"]);
}

#[test]
fn paths_of_the_machine_lead_to_their_place_in_the_workspace() {
    let file = with(
        "/scope/paths_allowlist",
        Some(json!([
            "/workspace/a.md",
            "/srv/calyx/repo/b.md",
            "/workspace_w/c.md",
            "./d.md"
        ])),
    );
    let lease = completed(read(&file).draft().unwrap());
    let read: Vec<&str> = lease.grants[0]
        .files
        .read
        .iter()
        .map(|one| one.as_str())
        .collect();
    assert_eq!(read, ["a.md", "b.md", "docs/out/c.md", "d.md"]);
    assert_eq!(lease.grants[0].files.write[0].as_str(), "docs/out/c.md");
}

#[test]
fn two_names_for_one_field_are_refused_and_one_short_name_is_read() {
    let mut file = file();
    file["scope"]["paths"] = json!(["**"]);
    assert_eq!(refused(&read(&file)), ["scope.paths"]);
    file["scope"]
        .as_object_mut()
        .unwrap()
        .remove("paths_allowlist");
    assert_eq!(refused(&read(&file)), Vec::<&str>::new());
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let text = r#"{"lease_id": "a", "scope": {"network": "deny_all", "network": "allow"}}"#;
    let refusal = import(text.as_bytes(), &terms()).unwrap_err();
    assert_eq!(
        (refusal.code(), refusal.to_string().contains("\"network\"")),
        ("JSON-DUPLICATE-KEY", true)
    );
    for (text, code) in [
        ("", "JSON-SYNTAX"),
        ("{}x", "JSON-SYNTAX"),
        ("[]", "IMPORT-FORMAT"),
    ] {
        assert_eq!(
            import(text.as_bytes(), &terms()).unwrap_err().code(),
            code,
            "{text}"
        );
    }
    let deep = "[".repeat(100_000);
    assert_eq!(
        import(deep.as_bytes(), &terms()).unwrap_err().code(),
        "JSON-SYNTAX"
    );
    let large = format!("\"{}\"", "a".repeat(2 << 20));
    assert_eq!(
        import(large.as_bytes(), &terms()).unwrap_err().code(),
        "JSON-TOO-LARGE"
    );
}

#[test]
fn the_window_may_be_moved_but_not_stretched() {
    let mut terms = terms();
    terms.from = Some(time("2026-01-01T00:00:00Z"));
    let imported = import(file().to_string().as_bytes(), &terms).unwrap();
    let lease = completed(imported.draft().unwrap());
    assert_eq!(lease.not_before, time("2026-01-01T00:00:00Z"));
    assert_eq!(lease.expires, time("2026-01-01T00:10:00Z"));
    terms.longest_s = 599;
    let imported = import(file().to_string().as_bytes(), &terms).unwrap();
    assert_eq!(refused(&imported), ["expires_at"]);
}

#[test]
fn programs_of_one_name_get_grants_of_their_own() {
    let mut terms = terms();
    terms
        .plugins
        .insert("/opt/pytest".to_owned(), Digest::of(b"other"));
    let file = with(
        "/scope/commands_allowlist",
        Some(json!([
            "pytest",
            "/opt/pytest",
            "pytest",
            ["pytest", "a b"]
        ])),
    );
    let imported = import(file.to_string().as_bytes(), &terms).unwrap();
    let lease = completed(imported.draft().unwrap());
    let ids: Vec<&str> = lease.grants.iter().map(|grant| grant.id.as_str()).collect();
    assert_eq!(ids, ["pytest", "pytest-2"]);
    assert_eq!(lease.grants[0].args, [vec![], vec!["a b".to_owned()]]);
    assert!(matches!(
        fate(&imported, "scope.commands_allowlist[2]"),
        Fate::Holds(_)
    ));
}
