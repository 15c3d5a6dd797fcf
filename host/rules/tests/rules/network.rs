//! HTTP and secrets of a step: read, written, planned, under a lease.

use leasehold_lease::{Grant, HttpGrant, Scheme};
use leasehold_rules::{StepSpec, Uses, append_step, is_local};

use crate::append::bare;
use crate::common::*;

const LINKS: &str = r#"version = 1

[[step]]
id = "links"
gate = "secrets"
read = ["docs/**"]
http = [
  { methods = ["GET", "HEAD"], host = "*.example.com", port = 443, path = "/v1/**" },
  { methods = ["GET"], scheme = "http", host = "127.0.0.1", port = 8080, path = "/" },
  { methods = ["GET"], host = "git.example.org", port = 443, path = "/**", addresses = ["10.0.0.0/8"] },
]
secrets = [
  { name = "api-token", host = "api.example.com", port = 443, header = "authorization", prefix = "Bearer " },
  { name = "local", host = "127.0.0.1", port = 8080, header = "x-key" },
  { name = "seen", expose = true },
]

[[step]]
id = "plain"
gate = "secrets"
read = ["docs/**"]
"#;

/// A step of one line more.
fn with(lines: &str) -> String {
    steps(&[&format!("id = \"a\"\ngate = \"secrets\"\n{lines}")])
}

fn messages(text: &str) -> String {
    texts(&leasehold_rules::Pipeline::parse(text.as_bytes()).unwrap_err())
}

#[test]
fn every_key_is_read_and_planned() {
    let plan = planned(LINKS);
    let [links, plain] = plan.steps() else {
        panic!("{plan:?}");
    };
    let [api, local, git] = links.wanted.http.as_slice() else {
        panic!("{links:?}");
    };
    assert_eq!(*api, http(&["GET", "HEAD"], "*.example.com", "/v1/**"));
    assert_eq!((local.scheme, local.port), (Scheme::Http, 8080));
    assert_eq!(git.addresses, ["10.0.0.0/8".parse().unwrap()]);
    let names: Vec<&str> = links
        .wanted
        .secrets
        .iter()
        .map(|secret| secret.name.as_str())
        .collect();
    assert_eq!(names, ["api-token", "local", "seen"]);
    assert_eq!(
        links.wanted.secrets[0],
        injected("api-token", "api.example.com", "authorization", "Bearer ")
    );
    assert_eq!(links.wanted.secrets[2], exposed("seen"));
    assert!(plain.wanted.http.is_empty() && plain.wanted.secrets.is_empty());
    // An answer of another day would be another verdict.
    assert!(!links.cache && plain.cache);
}

#[test]
fn tables_with_headings_of_their_own_are_the_same() {
    let text = with(
        "[[step.http]]\nmethods = [\"GET\"]\nhost = \"example.com\"\nport = 443\npath = \"/\"\n\n[[step.secrets]]\nname = \"x\"\nexpose = true",
    );
    let step = pipeline(&text).steps()[0].spec.clone();
    assert_eq!(step.http, [http(&["GET"], "example.com", "/")]);
    assert_eq!(step.secrets, [exposed("x")]);
}

#[test]
fn a_secret_alone_keeps_a_result_from_being_used_again() {
    for (lines, cached) in [
        ("secrets = [{ name = \"x\", expose = true }]", false),
        ("secrets = []", true),
    ] {
        assert_eq!(planned(&with(lines)).steps()[0].cache, cached, "{lines}");
    }
}

#[test]
fn each_entry_is_a_line_of_the_plan() {
    let described = planned(LINKS).steps()[0].describe();
    let lines: Vec<(&str, &str, Option<usize>)> = described
        .iter()
        .filter(|line| ["http", "secrets", "cache"].contains(&line.key))
        .map(|line| (line.key, line.value.as_str(), line.line))
        .collect();
    assert_eq!(
        lines,
        [
            ("http", "GET,HEAD https://*.example.com:443/v1/**", Some(7)),
            ("http", "GET http://127.0.0.1:8080/", Some(7)),
            (
                "http",
                "GET https://git.example.org:443/** (also at 10.0.0.0/8)",
                Some(7)
            ),
            (
                "secrets",
                "the secret \"api-token\" in the header authorization to api.example.com:443, behind \"Bearer \"",
                Some(12)
            ),
            (
                "secrets",
                "the secret \"local\" in the header x-key to 127.0.0.1:8080",
                Some(12)
            ),
            (
                "secrets",
                "the secret \"seen\" by reading it itself",
                Some(12)
            ),
            ("cache", "no", None),
        ]
    );
}

#[test]
fn a_step_gets_what_it_names_and_only_from_a_lease_that_has_it() {
    let plan = planned(LINKS);
    let grants = plan.grants().unwrap();
    assert_eq!(grants.len(), 2, "rights that differ in requests differ");
    assert!(is_local(&grants[0]).is_err() && is_local(&grants[1]).is_ok());
    let keys: Vec<&str> = is_local(&grants[0])
        .unwrap_err()
        .iter()
        .map(|(key, _)| *key)
        .collect();
    assert_eq!(
        keys,
        ["http", "http", "http", "secrets", "secrets", "secrets"]
    );
    let rights = plan.under(&lease(grants.clone())).unwrap();
    assert_eq!(rights[0].http(), grants[0].http);
    assert_eq!(rights[0].secrets(), grants[0].secrets);
    // The other step runs the same plugin, and gets none of it.
    assert!(rights[1].http().is_empty() && rights[1].secrets().is_empty());
    let refused = |change: fn(&mut Grant)| {
        let mut grants = grants.clone();
        grants.truncate(1);
        change(&mut grants[0]);
        let excess = plan.under(&lease(grants)).unwrap_err();
        excess
            .into_iter()
            .map(|excess| (excess.right, excess.line))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        refused(|grant| grant.http[2].addresses.clear()),
        [("http GET https://git.example.org:443/**".to_owned(), 7)]
    );
    assert_eq!(
        refused(|grant| grant.secrets[0] = exposed("api-token")),
        [("secrets api-token".to_owned(), 12)]
    );
    assert_eq!(
        refused(|grant| drop(grant.secrets.pop())),
        [("secrets seen".to_owned(), 12)]
    );
}

#[test]
fn what_is_appended_is_read_back() {
    let step = pipeline(LINKS).steps()[0].spec.clone();
    let text = append_step("", &step).unwrap();
    assert_eq!(pipeline(&text).steps()[0].spec, step);
    let small = StepSpec {
        uses: Uses::Gate("x".to_owned()),
        http: vec![http(&["GET"], "example.com", "/")],
        secrets: vec![exposed("x")],
        ..bare("a")
    };
    assert_eq!(
        append_step("version = 1\n", &small).unwrap(),
        "version = 1\n\n[[step]]\nid = \"a\"\ngate = \"x\"\n\
         http = [{ host = \"example.com\", methods = [\"GET\"], path = \"/\", port = 443 }]\n\
         secrets = [{ expose = true, name = \"x\" }]\n"
    );
    let bad = StepSpec {
        http: vec![HttpGrant {
            port: 0,
            ..http(&["GET"], "example.com", "/")
        }],
        ..bare("a")
    };
    assert_eq!(
        codes_of(&append_step("", &bad).unwrap_err()),
        ["VALUE-RANGE"]
    );
}

#[test]
fn one_code_for_each_problem() {
    let entry = |fields: &str| format!("http = [{{ {fields} }}]");
    let all = "methods = [\"GET\"], host = \"example.com\", port = 443, path = \"/\"";
    let instead = |from: &str, to: &str| entry(&all.replace(from, to));
    let secret = |fields: &str| format!("{}\nsecrets = [{{ {fields} }}]", entry(all));
    let place = "host = \"example.com\", port = 443, header = \"x-key\"";
    for (lines, expected) in [
        ("http = 1".to_owned(), &["PIPELINE-TYPE"][..]),
        ("http = [1]".to_owned(), &["PIPELINE-TYPE"]),
        ("http = { }".to_owned(), &["PIPELINE-TYPE"]),
        (entry(""), &["PIPELINE-MISSING"; 4]),
        (entry(&format!("{all}, query = \"x\"")), &["PIPELINE-KEY"]),
        (instead("443", "0"), &["VALUE-RANGE"]),
        (instead("443", "65536"), &["VALUE-RANGE"]),
        (instead("443", "\"443\""), &["PIPELINE-TYPE"]),
        (instead("GET", "get"), &["STEP-VALUE"]),
        (instead("GET", "CONNECT"), &["STEP-VALUE"]),
        (instead("\"GET\"", ""), &["STEP-VALUE"]),
        (instead("\"GET\"", "\"GET\", \"GET\""), &["STEP-VALUE"]),
        (instead("example.com", "Example.com"), &["STEP-VALUE"]),
        (instead("example.com", "*.com"), &["STEP-VALUE"]),
        (instead("example.com", "*"), &["STEP-VALUE"]),
        (instead("example.com", "127.1"), &["STEP-VALUE"]),
        (instead("\"/\"", "\"v1\""), &["STEP-VALUE"]),
        (instead("\"/\"", "\"/../x\""), &["STEP-VALUE"]),
        (entry(&format!("{all}, scheme = \"ftp\"")), &["STEP-VALUE"]),
        (
            entry(&format!("{all}, addresses = [\"10.0.0.1/8\"]")),
            &["STEP-VALUE"],
        ),
        (secret("expose = true"), &["PIPELINE-MISSING"]),
        (secret("name = \"x\""), &["STEP-VALUE"]),
        (secret("name = \"X\", expose = true"), &["STEP-VALUE"]),
        (secret("name = \"x\", expose = false"), &["STEP-VALUE"]),
        (
            secret(&format!("name = \"x\", {place}, expose = true")),
            &["STEP-VALUE"],
        ),
        (
            secret("name = \"x\", host = \"example.com\""),
            &["PIPELINE-MISSING"; 2],
        ),
        (
            secret("name = \"x\", prefix = \"a\""),
            &["PIPELINE-MISSING"; 3],
        ),
        (
            secret(&format!(
                "name = \"x\", {}",
                place.replace("example.com", "evil.com")
            )),
            &["STEP-VALUE"],
        ),
        (
            secret(&format!("name = \"x\", {}", place.replace("443", "80"))),
            &["STEP-VALUE"],
        ),
        (
            secret(&format!("name = \"x\", {}", place.replace("x-key", "host"))),
            &["STEP-VALUE"],
        ),
        (
            secret(&format!(
                "name = \"x\", {}",
                place.replace("example.com", "*.example.com")
            )),
            &["STEP-VALUE"],
        ),
        // Only what is wrong is told, not what follows from it.
        (
            secret(&format!("name = \"x\", {place}")).replace("443, path", "0, path"),
            &["VALUE-RANGE"],
        ),
    ] {
        assert_eq!(
            codes(&with(&lines)),
            expected,
            "{lines}\n{}",
            messages(&with(&lines))
        );
    }
    for good in [
        entry(all),
        secret(&format!("name = \"x\", {place}")),
        "http = []\nsecrets = []".to_owned(),
    ] {
        assert_eq!(codes(&with(&good)), [""; 0], "{good}");
    }
}

#[test]
fn a_problem_is_shown_in_its_entry() {
    let text = with(
        "http = [\n  { methods = [\"GET\"], host = \"example.com\", port = 443, path = \"/\" },\n  { methods = [\"GET\"], host = \"a\", prot = 443, path = \"/\" },\n]",
    );
    let found = messages(&text);
    assert!(found.contains("leasehold.toml:7:"), "{found}");
    assert!(
        found.contains("unknown key \"http[1].prot\"") && found.contains("did you mean \"port\"?"),
        "{found}"
    );
    assert!(found.contains("has no `http[1].port`"), "{found}");
}
