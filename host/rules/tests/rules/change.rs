//! What is shown to people before they sign.

use leasehold_lease::{Grant, HttpGrant, Kind, SecretGrant};
use leasehold_rules::{Change, difference, is_local};
use leasehold_seal::Digest;

use crate::common::*;

fn lines(old: &[Grant], new: &[Grant]) -> Vec<String> {
    difference(old, new)
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn grants() -> Vec<Grant> {
    planned(EXAMPLE).grants().unwrap()
}

/// What changes when the grant of the step `toc` does.
fn after(change: impl FnOnce(&mut Grant)) -> Vec<String> {
    let old = grants();
    let mut new = old.clone();
    change(&mut new[1]);
    lines(&old, &new)
}

#[test]
fn a_new_grant_is_shown_whole() {
    let toc = grants().remove(1);
    let mut toc = vec![toc];
    toc[0].files.deny = patterns(&["**/.env"]);
    assert_eq!(
        lines(&[], &toc),
        [
            &format!(
                "+ toc may run the plugin {} as a command",
                digest_of("md-toc")
            )[..],
            "+ toc may be run with [\"--in-place\", \"docs\"]",
            "+ toc may read docs/**",
            "+ toc may write docs/**",
            "+ toc is kept out of **/.env",
            "+ toc may use at most fuel 20000000000, memory_bytes 268435456, wall_ms 60000, \
             output_bytes 4194304, write_bytes 10485760, open_files 64",
        ]
    );
    let gone = format!(
        "- toc may no longer run the plugin {} as a command",
        digest_of("md-toc")
    );
    assert_eq!(lines(&toc, &[]), [gone]);
    assert!(
        difference(&[], &toc)
            .iter()
            .all(|change| change.change == Change::Added)
    );
    assert_eq!(difference(&toc, &[])[0].change, Change::Removed);
}

#[test]
fn the_same_rights_in_another_order_are_no_change() {
    let mut old = grants();
    old[1].files.read = patterns(&["docs/**", "README.md"]);
    let mut new = old.clone();
    new[1].files.read = patterns(&["README.md", "docs/**", "docs/**", "docs/a"]);
    new.reverse();
    assert_eq!(lines(&old, &new), [""; 0]);
}

#[test]
fn patterns_are_compared_by_what_they_cover() {
    assert_eq!(
        after(|toc| toc.files.write = patterns(&["docs/**", "src/**"])),
        ["+ toc may write src/**"]
    );
    assert_eq!(
        after(|toc| toc.files.write = patterns(&["docs/a.md", "docs/b/**"])),
        ["- toc may no longer write docs/**, only docs/a.md, docs/b/**"]
    );
    assert_eq!(
        after(|toc| toc.files.write = patterns(&["README.md"])),
        [
            "+ toc may write README.md",
            "- toc may no longer write docs/**"
        ]
    );
    assert_eq!(
        after(|toc| toc.files.write = patterns(&["**"])),
        ["+ toc may write **"]
    );
    assert_eq!(
        after(|toc| {
            toc.files.read = patterns(&["src"]);
            toc.files.list = patterns(&["src", "bin"]);
        }),
        [
            "+ toc may list bin",
            "+ toc may read src",
            "- toc may no longer read docs/**"
        ]
    );
}

#[test]
fn deny_rules_count_the_other_way_round() {
    let mut old = grants();
    old[1].files.deny = patterns(&["**/.env"]);
    assert_eq!(
        lines(&old, &grants()),
        ["+ toc is no longer kept out of **/.env"]
    );
    assert_eq!(lines(&grants(), &old), ["- toc is kept out of **/.env"]);
    // A rule that covers another does not make up for it: rules match more loosely than patterns cover.
    let mut new = old.clone();
    new[1].files.deny = patterns(&["**/?env"]);
    assert_eq!(
        lines(&old, &new),
        [
            "- toc is kept out of **/?env",
            "+ toc is no longer kept out of **/.env"
        ]
    );
}

#[test]
fn everything_else_is_there_or_not() {
    let other = Digest::of(b"other");
    let toc = digest_of("md-toc");
    assert_eq!(
        after(|toc| toc.plugin = other),
        [
            format!("+ toc may run the plugin {other} as a command"),
            format!("- toc may no longer run the plugin {toc} as a command"),
        ]
    );
    assert_eq!(
        after(|toc| toc.kind = Kind::Gate)[0],
        format!("+ toc may run the plugin {toc} as a gate")
    );
    assert_eq!(
        after(|toc| toc.args.clear()),
        [
            "+ toc may be run with no arguments",
            "- toc may no longer be run with [\"--in-place\", \"docs\"]"
        ]
    );
    assert_eq!(
        after(|toc| toc.config = Some(other)),
        [
            format!("+ toc may be given the configuration {other}"),
            "- toc may no longer be given no configuration".to_owned(),
        ]
    );
    assert_eq!(
        after(|toc| {
            toc.env.pass.push("LANG".into());
            toc.env.set.insert("CI".into(), "a\nb".into());
        }),
        [
            "+ toc may see the host's variable LANG",
            "+ toc may be given the variable CI=\"a\\nb\""
        ]
    );
    assert_eq!(
        after(|toc| {
            toc.limits.fuel += 1;
            toc.limits.wall_ms = 1;
        }),
        [
            "+ toc may use at most fuel 20000000001 instead of 20000000000",
            "- toc may use at most wall_ms 1 instead of 60000",
        ]
    );
}

#[test]
fn local_means_reading_and_listing() {
    let toc = grants().remove(1);
    assert_eq!(is_local(&toc).unwrap_err()[0].1, "may write docs/**");
    let mut local = toc.clone();
    local.files.write.clear();
    local.env.set.insert("CI".into(), "true".into());
    assert_eq!(is_local(&local), Ok(()));
    assert!(
        grants()
            .iter()
            .filter(|grant| grant.id != "toc")
            .all(|grant| is_local(grant).is_ok())
    );
    let mut passes = local.clone();
    passes.env.pass.push("TOKEN".into());
    assert_eq!(
        is_local(&passes).unwrap_err()[0].1,
        "is passed the variable TOKEN"
    );
    let mut talks = local.clone();
    talks.http.push(http(&["GET"], "example.com", "/**"));
    assert_eq!(
        is_local(&talks).unwrap_err()[0].1,
        "may send GET https://example.com:443/**"
    );
    let mut knows = local;
    knows.secrets.push(exposed("token"));
    assert_eq!(
        is_local(&knows).unwrap_err()[0].1,
        "may use the secret \"token\" by reading it itself"
    );
}

#[test]
fn requests_are_compared_entry_by_entry() {
    let with = |entries: &[HttpGrant]| {
        let mut grants = grants();
        grants[1].http = entries.to_vec();
        grants
    };
    let wide = http(&["GET", "HEAD"], "*.example.com", "/v1/**");
    let narrow = http(&["GET"], "api.example.com", "/v1/users");
    let other = http(&["GET"], "example.org", "/");
    assert_eq!(
        lines(&with(&[]), &with(std::slice::from_ref(&wide))),
        ["+ toc may send GET,HEAD https://*.example.com:443/v1/**"]
    );
    assert_eq!(
        lines(
            &with(std::slice::from_ref(&wide)),
            &with(&[narrow.clone(), other.clone()])
        ),
        [
            "+ toc may send GET https://example.org:443/",
            "- toc may no longer send GET,HEAD https://*.example.com:443/v1/**",
        ]
    );
    // What lies within another entry is no change.
    let both = with(&[narrow, wide.clone()]);
    assert_eq!(lines(&both, &with(std::slice::from_ref(&wide))), [""; 0]);
    assert_eq!(lines(&with(std::slice::from_ref(&wide)), &both), [""; 0]);
    // Where a request may go is part of it.
    let inside = HttpGrant {
        addresses: vec!["10.0.0.0/8".parse().unwrap()],
        ..wide.clone()
    };
    assert_eq!(
        lines(&with(&[wide]), &with(&[inside])),
        ["+ toc may send GET,HEAD https://*.example.com:443/v1/** (also at 10.0.0.0/8)"]
    );
    assert!(
        lines(&[], &with(&[other]))
            .iter()
            .any(|line| line == "+ toc may send GET https://example.org:443/")
    );
}

#[test]
fn secrets_are_the_same_at_the_same_place_or_others() {
    let with = |secrets: &[SecretGrant]| {
        let mut grants = grants();
        grants[1].secrets = secrets.to_vec();
        grants
    };
    let token = injected("token", "api.example.com", "authorization", "Bearer ");
    assert_eq!(
        lines(
            &with(std::slice::from_ref(&token)),
            &with(&[exposed("token")])
        ),
        [
            "+ toc may use the secret \"token\" by reading it itself",
            "- toc may no longer use the secret \"token\" in the header authorization to api.example.com:443, behind \"Bearer \"",
        ]
    );
    assert_eq!(
        lines(
            &with(std::slice::from_ref(&token)),
            &with(std::slice::from_ref(&token))
        ),
        [""; 0]
    );
}
