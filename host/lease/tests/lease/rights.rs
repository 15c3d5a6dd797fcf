//! Decisions on verified rights, and narrowing.

use std::collections::BTreeMap;

use leasehold_lease::{
    EnvGrant, FileGrant, HttpGrant, LeaseDoc, LimitsSpec, RelPath, Rights, RightsSpec, SecretGrant,
    Target,
};
use leasehold_seal::Coded;
use proptest::prelude::*;
use serde_json::json;

use crate::common::*;

type Wish = fn(&mut RightsSpec);

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

fn files(list: &[&str], read: &[&str], write: &[&str], deny: &[&str]) -> FileGrant {
    FileGrant {
        list: patterns(list),
        read: patterns(read),
        write: patterns(write),
        deny: patterns(deny),
    }
}

fn rights_with(files: FileGrant) -> Rights {
    let mut lease = document();
    lease.grants[0].files = files;
    rights_of(&lease)
}

/// What narrows to the same rights.
fn all_of(rights: &Rights) -> RightsSpec {
    RightsSpec {
        files: rights.files().clone(),
        args: rights.args().to_vec(),
        env: rights.env().clone(),
        ..RightsSpec::default()
    }
}

#[test]
fn files_by_list() {
    let rights = rights_of(&document());
    assert!(rights.can_list(&path("src/main.rs")) && !rights.can_read(&path("src/main.rs")));
    assert!(rights.can_read(&path("README.md")) && !rights.can_write(&path("README.md")));
    assert!(rights.can_write(&path("docs/a.md")) && rights.can_write(&path("docs")));
    for denied in ["docs/.env", "docs/.ENV/x", ".env"] {
        assert!(rights.denied(&path(denied)));
        assert!(
            !rights.can_list(&path(denied))
                && !rights.can_read(&path(denied))
                && !rights.can_write(&path(denied))
        );
    }
    assert!(rights.has_deny() && rights.may_change_anything() && !rights.reads_everything());
}

#[test]
fn git_is_out_of_reach_whatever_the_lease_says() {
    let rights = rights_with(files(&["**"], &["**"], &["**"], &[]));
    for protected in [
        ".git",
        ".git/config",
        "sub/.GIT/x",
        "a/.g\u{200C}it",
        "GIT~1",
    ] {
        assert!(rights.denied(&path(protected)), "{protected:?}");
        assert!(!rights.can_list(&path(protected)) && !rights.can_read(&path(protected)));
        assert!(!rights.can_write(&path(protected)) && !rights.on_the_way(&path(protected)));
        assert!(rights.may_deny_within(&path(protected)));
    }
    for open in [".gitignore", ".github/x", "a"] {
        assert!(
            rights.can_list(&path(open))
                && rights.can_read(&path(open))
                && rights.can_write(&path(open))
        );
    }
    assert!(!rights.has_deny() && rights.reads_everything());
    assert!(!rights.may_deny_within(&RelPath::root()));
}

#[test]
fn nothing_stated_is_nothing_granted() {
    let rights = rights_with(FileGrant::default());
    for text in ["", "a", "docs/a"] {
        let path = path(text);
        assert!(!rights.can_list(&path) && !rights.can_read(&path) && !rights.can_write(&path));
        assert!(!rights.on_the_way(&path));
    }
    assert!(!rights.reads_everything() && !rights.may_change_anything() && !rights.has_deny());
}

#[test]
fn on_the_way() {
    let rights = rights_with(files(&["a/b/*"], &["c/*.md"], &["d/e"], &["c/x"]));
    for way in ["", "a", "a/b", "c", "d"] {
        assert!(rights.on_the_way(&path(way)), "{way:?}");
    }
    for off in ["a/b/c", "b", "d/e", "c/x", "c/X"] {
        assert!(!rights.on_the_way(&path(off)), "{off:?}");
    }
    assert!(rights.may_deny_within(&path("c")) && !rights.may_deny_within(&path("a")));
}

#[test]
fn arguments_match_as_a_whole() {
    let rights = rights_of(&document());
    assert!(rights.allows_args(&strings(&["--in-place", "docs"])));
    assert!(rights.allows_args(&strings(&["--check"])));
    for denied in [
        &["--in-place"][..],
        &["--in-place", "docs", "x"],
        &["docs", "--in-place"],
        &["--in-place docs"],
        &[],
    ] {
        assert!(!rights.allows_args(&strings(denied)), "{denied:?}");
        assert_eq!(code(rights.check_args(&strings(denied))), "ARGS-DENIED");
    }
    let mut lease = document();
    lease.grants[0].args.clear();
    let rights = rights_of(&lease);
    rights.check_args(&[]).unwrap();
    assert_eq!(
        code(rights.check_args(&strings(&["--check"]))),
        "ARGS-DENIED"
    );
}

#[test]
fn environment_holds_only_what_is_granted() {
    let rights = rights_of(&document());
    let host = BTreeMap::from([("LANG", "C"), ("CI", "false"), ("HOME", "/root")]);
    let environment = rights.environment(|name| host.get(name).map(|&value| value.to_owned()));
    assert_eq!(
        environment,
        [("CI", "true"), ("LANG", "C")]
            .map(|(name, value)| (name.into(), value.into()))
            .into()
    );
    assert_eq!(rights.environment(|_| None).len(), 1);
}

#[test]
fn time_is_checked_again_at_each_call() {
    let rights = rights_of(&document());
    assert_eq!(
        code(rights.check_time(time("2025-12-31T23:59:59Z"))),
        "LEASE-NOT-YET"
    );
    rights.check_time(time("2026-01-01T00:00:00Z")).unwrap();
    assert_eq!(
        code(rights.check_time(time("2026-01-01T01:00:00Z"))),
        "LEASE-EXPIRED"
    );
}

#[test]
fn digest_depends_on_every_right() {
    let mut digests = vec![rights_of(&document()).digest()];
    let changes: [fn(&mut LeaseDoc); 9] = [
        |lease| lease.nonce = "BBBBBBBBBBBBBBBB".into(),
        |lease| lease.grants[0].id = "x".into(),
        |lease| lease.grants[0].plugin = leasehold_seal::Digest::of(b"x"),
        |lease| lease.grants[0].kind = leasehold_lease::Kind::Gate,
        |lease| lease.grants[0].config = None,
        |lease| lease.grants[0].args.truncate(1),
        |lease| lease.grants[0].files.deny.clear(),
        |lease| lease.grants[0].env.pass.clear(),
        |lease| lease.grants[0].limits.fuel += 1,
    ];
    for change in changes {
        let mut lease = document();
        change(&mut lease);
        digests.push(rights_of(&lease).digest());
    }
    let rights = rights_of(&document());
    let narrowed = rights
        .narrow(&RightsSpec {
            args: vec![strings(&["--check"])],
            ..RightsSpec::default()
        })
        .unwrap();
    digests.push(narrowed.digest());
    assert_eq!(
        rights.narrow(&all_of(&rights)).unwrap().digest(),
        rights.digest()
    );
    let count = digests.len();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), count);
}

#[test]
fn narrowing_keeps_what_is_within() {
    let rights = rights_of(&document());
    let wanted = RightsSpec {
        files: files(
            &["docs/**"],
            &["docs/en/*", "README.md"],
            &[],
            &["docs/en/secret"],
        ),
        args: vec![strings(&["--check"])],
        env: EnvGrant {
            pass: vec![],
            set: [("CI".to_owned(), "true".to_owned())].into(),
        },
        limits: LimitsSpec {
            fuel: Some(5),
            open_files: Some(0),
            ..LimitsSpec::default()
        },
        expires: Some(time("2026-01-01T00:31:00Z")),
        ..RightsSpec::default()
    };
    let narrow = rights.narrow(&wanted).unwrap();
    assert!(narrow.can_read(&path("docs/en/a")) && !narrow.can_read(&path("docs/de/a")));
    assert!(!narrow.may_change_anything());
    assert!(
        narrow.denied(&path("docs/.env")),
        "the rule of the lease is kept"
    );
    assert!(narrow.denied(&path("docs/en/secret/x")));
    assert!(
        narrow.allows_args(&strings(&["--check"]))
            && !narrow.allows_args(&strings(&["--in-place", "docs"]))
    );
    assert!(narrow.env().pass.is_empty());
    assert_eq!((narrow.limits().fuel, narrow.limits().open_files), (5, 0));
    assert_eq!(narrow.limits().wall_ms, rights.limits().wall_ms);
    assert_eq!(narrow.expires(), time("2026-01-01T00:31:00Z"));
    assert_eq!(
        (narrow.plugin(), narrow.kind(), narrow.config()),
        (rights.plugin(), rights.kind(), rights.config())
    );
    assert_eq!(
        (narrow.chain(), narrow.grant()),
        (rights.chain(), rights.grant())
    );
    // What was given up does not come back.
    assert_eq!(
        narrow.narrow(&all_of(&rights)).unwrap_err().code(),
        "RIGHTS-WIDER"
    );
}

#[test]
fn narrowing_refuses_what_is_wider() {
    let rights = rights_of(&document());
    let same = all_of(&rights);
    rights.narrow(&same).unwrap();
    let wider: [(&str, Wish); 14] = [
        ("files.read", |wanted| wanted.files.read = patterns(&["**"])),
        ("files.read", |wanted| {
            wanted.files.read = patterns(&["docs/a", "docs2/a"])
        }),
        ("files.write", |wanted| {
            wanted.files.write = patterns(&["*.md"])
        }),
        ("args", |wanted| wanted.args = vec![strings(&["--force"])]),
        ("args", |wanted| wanted.args.clear()),
        ("env.pass", |wanted| wanted.env.pass = strings(&["HOME"])),
        ("env.pass", |wanted| {
            wanted.env = EnvGrant {
                pass: strings(&["CI"]),
                ..EnvGrant::default()
            }
        }),
        ("env.set", |wanted| {
            drop(wanted.env.set.insert("CI".into(), "false".into()))
        }),
        ("env.set", |wanted| {
            drop(wanted.env.set.insert("PATH".into(), "/".into()))
        }),
        ("limits.fuel", |wanted| {
            wanted.limits.fuel = Some(1_000_000_001)
        }),
        ("limits.wall_ms", |wanted| {
            wanted.limits.wall_ms = Some(10_001)
        }),
        ("limits.open_files", |wanted| {
            wanted.limits.open_files = Some(65)
        }),
        ("expires", |wanted| {
            wanted.expires = Some(time("2026-01-01T01:00:00.001Z"))
        }),
        ("expires", |wanted| {
            wanted.expires = Some(time("2026-01-01T00:00:00Z"))
        }),
    ];
    for (field, change) in wider {
        let mut wanted = same.clone();
        change(&mut wanted);
        let error = rights.narrow(&wanted).unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
        assert_eq!(code::<(), _>(Err(error)), "RIGHTS-WIDER");
    }
    let malformed: [(&str, Wish); 3] = [
        ("LEASE-LIMIT", |wanted| wanted.limits.fuel = Some(0)),
        ("LEASE-FORMAT", |wanted| wanted.env.pass = strings(&["A B"])),
        ("LEASE-FORMAT", |wanted| {
            wanted.args = vec![strings(&["\0"])]
        }),
    ];
    for (expected, change) in malformed {
        let mut wanted = same.clone();
        change(&mut wanted);
        assert_eq!(code(rights.narrow(&wanted)), expected);
    }
}

#[test]
fn every_right_that_is_too_wide_is_listed() {
    let rights = rights_of(&document());
    let mut wanted = all_of(&rights);
    assert_eq!(rights.excess(&wanted), []);
    wanted.files.read = patterns(&["docs/a", "src/**", "Cargo.toml"]);
    wanted.files.deny = patterns(&["docs/secret"]);
    wanted.args.push(strings(&["--force"]));
    wanted.env.pass.push("HOME".into());
    wanted.env.set.insert("CI".into(), "false".into());
    wanted.limits.fuel = Some(u64::MAX);
    wanted.limits.open_files = Some(1);
    wanted.expires = Some(time("2027-01-01T00:00:00Z"));
    let excess = rights.excess(&wanted);
    let found: Vec<(&str, &str)> = excess
        .iter()
        .map(|excess| (excess.field.as_str(), excess.wanted.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("files.read", "\"src/**\""),
            ("files.read", "\"Cargo.toml\""),
            ("args", "[\"--force\"]"),
            ("env.pass", "HOME"),
            ("env.set", "CI"),
            ("limits.fuel", "18446744073709551615"),
            ("expires", "2027-01-01T00:00:00Z"),
        ]
    );
    let first = rights.narrow(&wanted).unwrap_err().to_string();
    assert!(first.ends_with(&excess[0].problem), "{first}");
}

fn http(text: &str) -> HttpGrant {
    let (host, path) = text.split_at(text.find('/').unwrap());
    serde_json::from_value(json!({"methods": ["GET"], "host": host, "port": 443, "path": path}))
        .unwrap()
}

fn injected(name: &str, host: &str) -> SecretGrant {
    let place = json!({"host": host, "port": 443, "header": "authorization"});
    serde_json::from_value(json!({"name": name, "inject": place})).unwrap()
}

/// Rights to send to one domain, with one secret for a host in it.
fn sending() -> Rights {
    let mut lease = document();
    lease.grants[0].http = vec![http("*.example.com/v1/**")];
    lease.grants[0].secrets = vec![injected("token", "api.example.com")];
    rights_of(&lease)
}

#[test]
fn requests_and_secrets_are_narrowed_like_the_rest() {
    let rights = sending();
    let mut wanted = RightsSpec {
        http: rights.http().to_vec(),
        secrets: rights.secrets().to_vec(),
        ..all_of(&rights)
    };
    assert_eq!(rights.narrow(&wanted).unwrap().digest(), rights.digest());
    // Left out: none.
    let silent = rights.narrow(&all_of(&rights)).unwrap();
    assert!(silent.http().is_empty() && silent.secrets().is_empty());
    wanted.http = vec![http("api.example.com/v1/items")];
    let one = rights.narrow(&wanted).unwrap();
    let target = |host: &str| Target::parse("GET", "https", host, "/v1/items").unwrap();
    one.permit(target("api.example.com")).unwrap();
    assert_eq!(code(one.permit(target("eu.example.com"))), "HTTP-DENIED");
    rights.permit(target("eu.example.com")).unwrap();
    wanted.http = vec![http("*.example.com/v1/items")];
    rights.narrow(&wanted).unwrap();
    let wider: [(&str, Wish); 4] = [
        ("http", |wanted| {
            wanted.http.push(http("api.example.com/**"))
        }),
        ("http", |wanted| {
            wanted.http.push(http("evil-example.com/v1/**"))
        }),
        ("secrets", |wanted| {
            wanted.secrets.push(injected("other", "eu.example.com"))
        }),
        ("secrets", |wanted| {
            wanted.secrets = vec![injected("token", "eu.example.com")]
        }),
    ];
    for (field, change) in wider {
        let mut wanted = wanted.clone();
        change(&mut wanted);
        let excess = rights.excess(&wanted);
        assert_eq!(excess.len(), 1, "{excess:?}");
        assert_eq!(excess[0].field, field);
        let refusal = rights.narrow(&wanted).unwrap_err();
        assert!(
            refusal.to_string().contains(&format!(" {field}: ")),
            "{refusal}"
        );
        assert_eq!(code::<(), _>(Err(refusal)), "RIGHTS-WIDER");
    }
    // A secret whose place is out of reach.
    wanted.http.clear();
    assert_eq!(code(rights.narrow(&wanted)), "LEASE-FORMAT");
}

#[test]
fn requests_and_secrets_count_as_effects() {
    let reader = rights_with(files(&["**"], &["**"], &[], &[]));
    assert!(!reader.has_effects());
    assert!(rights_of(&document()).has_effects(), "it writes");
    let mut lease = document();
    lease.grants[0].files.write.clear();
    lease.grants[0].secrets =
        vec![serde_json::from_value(json!({"name": "token", "expose": true})).unwrap()];
    assert!(rights_of(&lease).has_effects(), "it is given a secret");
    lease.grants[0].secrets.clear();
    lease.grants[0].http = vec![http("example.com/")];
    let sender = rights_of(&lease);
    assert!(sender.has_effects() && !sender.may_change_anything());
    // What is not asked for is not mentioned, so digests from before are as they were.
    let json = String::from_utf8(reader.to_json().unwrap()).unwrap();
    assert!(
        !json.contains("\"http\"") && !json.contains("\"secrets\""),
        "{json}"
    );
    assert_ne!(
        sender.effect_digest().unwrap(),
        rights_of(&LeaseDoc {
            grants: vec![leasehold_lease::Grant {
                http: vec![],
                ..lease.grants[0].clone()
            }],
            ..lease.clone()
        })
        .effect_digest()
        .unwrap()
    );
}

#[test]
fn rights_that_allow_no_arguments_narrow_to_themselves() {
    let mut lease = document();
    lease.grants[0].args.clear();
    let rights = rights_of(&lease);
    rights.narrow(&RightsSpec::default()).unwrap();
}

fn any_files() -> impl Strategy<Value = FileGrant> {
    let list = || prop::collection::vec("(\\*\\*/)?[ab*?](/[ab?])?(/\\*\\*)?", 0..3);
    (list(), list(), list(), list()).prop_map(|(list, read, write, deny)| {
        let parse = |texts: Vec<String>| texts.iter().map(|text| text.parse().unwrap()).collect();
        FileGrant {
            list: parse(list),
            read: parse(read),
            write: parse(write),
            deny: parse(deny),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever narrowed rights allow, the rights they come from allow as well.
    #[test]
    fn narrowing_never_adds(have in any_files(), wanted in any_files(), names in prop::collection::vec("[abA]", 0..4)) {
        let rights = rights_with(have);
        let spec = RightsSpec { files: wanted, ..all_of(&rights) };
        let path = path(&names.join("/"));
        prop_assert_eq!(rights.narrow(&spec).is_ok(), rights.excess(&spec).is_empty());
        if let Ok(narrow) = rights.narrow(&spec) {
            prop_assert!(!narrow.can_list(&path) || rights.can_list(&path));
            prop_assert!(!narrow.can_read(&path) || rights.can_read(&path));
            prop_assert!(!narrow.can_write(&path) || rights.can_write(&path));
            prop_assert!(narrow.denied(&path) || !rights.denied(&path));
            prop_assert!(narrow.narrow(&all_of(&narrow)).is_ok());
        }
    }

    /// A path that is allowed can be walked to.
    #[test]
    fn what_is_allowed_can_be_reached(have in any_files(), names in prop::collection::vec("[abA]", 1..4)) {
        let rights = rights_with(have);
        let path = path(&names.join("/"));
        if rights.can_list(&path) || rights.can_read(&path) || rights.can_write(&path) {
            for directory in std::iter::successors(path.parent(), RelPath::parent) {
                prop_assert!(rights.on_the_way(&directory), "{}", directory);
            }
        }
        if rights.denied(&path) {
            for directory in std::iter::successors(path.parent(), RelPath::parent) {
                prop_assert!(rights.may_deny_within(&directory), "{}", directory);
            }
        }
    }
}
