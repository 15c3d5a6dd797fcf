//! Grants for a plan, and a plan under a lease.

use leasehold_lease::{Grant, Kind, MAX_GRANTS};
use leasehold_rules::{Excess, Plan};
use leasehold_seal::{Class, Coded, Digest};

use crate::common::*;

/// The example and a lease made for it, then changed.
fn changed(
    change: impl FnOnce(&mut Vec<Grant>),
) -> Result<Vec<leasehold_lease::Rights>, Vec<Excess>> {
    let plan = planned(EXAMPLE);
    let mut grants = plan.grants().unwrap();
    change(&mut grants);
    plan.under(&lease(grants))
}

fn rights_of(found: &[Excess]) -> Vec<(&str, usize, &str)> {
    let line = |excess: &Excess| {
        assert!(excess.hint().is_some() && !excess.to_string().is_empty());
        assert_eq!(excess.class(), Class::Refused);
    };
    found.iter().for_each(line);
    found
        .iter()
        .map(|excess| (excess.step.as_str(), excess.line, excess.right.as_str()))
        .collect()
}

fn planned_steps(all: &[String]) -> Plan {
    planned(&steps(&all.iter().map(String::as_str).collect::<Vec<_>>()))
}

#[test]
fn a_lease_made_for_a_plan_fits_it() {
    let plan = planned(EXAMPLE);
    let rights = plan.under(&lease(plan.grants().unwrap())).unwrap();
    assert_eq!(rights.len(), 3);
    for (rights, step) in rights.iter().zip(plan.steps()) {
        assert_eq!(
            (rights.grant(), rights.plugin(), rights.kind()),
            (&*step.id, step.plugin, step.kind)
        );
        assert_eq!(*rights.limits(), step.wanted.limits);
        assert!(rights.allows_args(&step.args) && !rights.allows_args(&["--force".to_owned()]));
    }
    assert!(rights[0].can_read(&path("src/main.rs")) && rights[0].can_list(&path("src")));
    assert!(
        !rights[0].can_read(&path("target/x")) && !rights[0].can_list(&path("Target")),
        "skipped"
    );
    assert!(rights[1].can_write(&path("docs/a")) && !rights[1].can_write(&path("src/a")));
    assert!(!rights[2].may_change_anything());
}

#[test]
fn equal_rights_share_the_grant_of_the_first_in_the_file() {
    let plan = planned_steps(&[
        "id = \"z\"\ngate = \"secrets\"\nread = [\"**\"]\nneeds = [\"a\"]".to_owned(),
        "id = \"a\"\ngate = \"secrets\"\nread = [\"**\"]\nskip = [\"target\"]".to_owned(),
        "id = \"b\"\ngate = \"secrets\"\nread = [\"src/**\"]".to_owned(),
    ]);
    let grants = plan.grants().unwrap();
    let ids: Vec<&str> = grants.iter().map(|grant| grant.id.as_str()).collect();
    assert_eq!(ids, ["z", "b"]);
    assert!(
        grants[0].files.deny.is_empty(),
        "skip is no part of a grant"
    );
    let rights = plan.under(&lease(grants)).unwrap();
    let names: Vec<&str> = rights.iter().map(|rights| rights.grant()).collect();
    assert_eq!(names, ["z", "z", "b"]);
    assert!(!rights[0].can_read(&path("target")) && rights[1].can_read(&path("target")));
}

#[test]
fn a_lease_holds_so_many_grants_and_not_one_more() {
    let step = |n: usize| format!("id = \"s{n}\"\ngate = \"secrets\"\nread = [\"d{n}\"]");
    let most: Vec<String> = (0..MAX_GRANTS).map(step).collect();
    let plan = planned_steps(&most);
    assert!(plan.under(&lease(plan.grants().unwrap())).is_ok());
    let more: Vec<String> = (0..=MAX_GRANTS).map(step).collect();
    let error = planned_steps(&more).grants().unwrap_err();
    assert_eq!(codes_of(&[error]), ["GRANTS-TOO-MANY"]);
}

#[test]
fn the_grant_of_the_step_comes_first_and_any_other_of_the_plugin_next() {
    // Two grants fit; the one with the step's name is taken wherever it stands.
    let renamed = |grants: &mut Vec<Grant>| {
        let mut other = grants[0].clone();
        other.id = "other".to_owned();
        grants.insert(0, other);
    };
    assert_eq!(changed(renamed).unwrap()[0].grant(), "secrets");
    // The one with the name does not fit, another does.
    let narrow = |grants: &mut Vec<Grant>| {
        renamed(grants);
        grants[1].files.read.clear();
    };
    assert_eq!(changed(narrow).unwrap()[0].grant(), "other");
    // A grant for another plugin is nothing, whatever its name.
    let stolen = |grants: &mut Vec<Grant>| grants[0].plugin = digest_of("other");
    let found = changed(stolen).unwrap_err();
    let plugin = format!("plugin {}", digest_of("secrets"));
    assert_eq!(rights_of(&found), [("secrets", 6, &*plugin)]);
    assert_eq!(found[0].code(), "GRANT-MISSING");
}

#[test]
fn every_right_that_is_too_wide_is_listed() {
    let found = changed(|grants| {
        let toc = &mut grants[1];
        toc.args = vec![vec!["--check".to_owned()]];
        toc.files.list = patterns(&["docs/a/**"]);
        toc.files.write = patterns(&["docs/*.md"]);
        toc.limits.fuel = 5;
        grants[2].files.read.clear();
    })
    .unwrap_err();
    assert_eq!(
        rights_of(&found),
        [
            ("toc", 14, "files.list \"docs/**\""),
            ("toc", 15, "files.write \"docs/**\""),
            ("toc", 13, "args [\"--in-place\", \"docs\"]"),
            ("toc", 10, "limits.fuel 20000000000"),
            ("spelling", 23, "files.read \"docs/**\""),
        ]
    );
    assert_eq!(
        found[1].to_string(),
        "the step \"toc\" wants files.write \"docs/**\"; the grant \"toc\" of the lease does not give it: \
         \"docs/**\" is not within one pattern of the grant"
    );
    assert!(found.iter().all(|excess| excess.code() == "RIGHTS-WIDER"));
}

#[test]
fn the_nearest_grant_is_compared() {
    let found = changed(|grants| {
        let mut near = grants[1].clone();
        near.id = "near".to_owned();
        near.limits.wall_ms = 1;
        grants[1].files = Default::default();
        grants.push(near);
    })
    .unwrap_err();
    assert_eq!(rights_of(&found), [("toc", 10, "limits.wall_ms 60000")]);
    assert!(found[0].to_string().contains("the grant \"near\""));
}

#[test]
fn another_kind_is_another_right() {
    let found = changed(|grants| grants[1].kind = Kind::Gate).unwrap_err();
    assert_eq!(rights_of(&found), [("toc", 12, "kind command")]);
}

#[test]
fn a_configuration_is_bound_by_its_digest() {
    let with = planned(&steps(&[
        "id = \"a\"\ngate = \"schema\"\nconfig = { x = 1 }",
    ]));
    let without = planned(&steps(&["id = \"a\"\ngate = \"schema\""]));
    let right = Digest::of(br#"{"x":1}"#);
    let grants = with.grants().unwrap();
    assert_eq!(grants[0].config, Some(right));
    assert!(with.under(&lease(grants.clone())).is_ok());
    let found = without.under(&lease(grants)).unwrap_err();
    assert_eq!(rights_of(&found), [("a", 2, "no config")]);
    let found = with.under(&lease(without.grants().unwrap())).unwrap_err();
    let config = format!("config {right}");
    assert_eq!(rights_of(&found), [("a", 5, &*config)]);
}

#[test]
fn what_the_lease_denies_stays_denied() {
    let rights = changed(|grants| grants[0].files.deny = patterns(&["src/secret"])).unwrap();
    assert!(!rights[0].can_read(&path("SRC/Secret/x")) && rights[0].can_read(&path("src/x")));
    assert!(!rights[0].can_read(&path("target/x")));
}
