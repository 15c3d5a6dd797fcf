//! A home without an issuer key: rules, and whom to trust, come from the commit.

use std::fs;

use leasehold_tests::Fault;
use serde_json::json;

use crate::desk::{Desk, Test};
use crate::repo::{commit, plant, repository};

/// A clone of the repository in a fresh home, as CI makes it: detached at the change.
fn clone_of(desk: &Desk) -> Result<Desk, Fault> {
    let ci = Desk::furnished(&[("CI", "1")])?;
    let from = desk.tree();
    ci.git(&["clone", "-q", from.to_str().ok_or("not UTF-8")?, "."])?;
    ci.git(&["checkout", "-q", "--detach", "origin/change"])?;
    Ok(ci)
}

#[test]
fn a_fresh_home_in_ci_runs_by_the_trust_file_of_the_commit_and_not_without() -> Test {
    let desk = repository()?;
    let ci = clone_of(&desk)?;
    // The lease is there, and nobody here trusts its key.
    ci.bad(&["run"], 3, "KEY-UNTRUSTED")?
        .tells(&["--rules origin/main"]);
    assert!(ci.records("run.started")?.is_empty());
    ci.good(&["run", "--rules", "origin/main"])?;
    let started = ci.last("run.started")?;
    assert_eq!(started["rules"]["reference"], "origin/main");
    assert_eq!(
        started["rules"]["commit"],
        json!(desk.git(&["rev-parse", "main"])?)
    );
    // Nothing was signed here: the lease is the one of the commit.
    assert!(ci.records("lease.issued")?.is_empty());
    assert_eq!(started["leases"][0], desk.last("lease.issued")?["lease"]);
    plant(&ci)?;
    ci.run(&["run", "--rules", "origin/main"])?.exits(1)?;
    // Without a lease there is nobody who could sign one.
    fs::remove_file(ci.tree().join("leasehold.lease"))?;
    ci.bad(&["run"], 3, "LEASE-NEEDED")?.tells(&["role issuer"]);
    ci.bad(&["approve"], 5, "ISSUER-MISSING")?;
    ci.closed()
}

#[test]
fn trust_is_what_the_commit_says_and_nothing_else() -> Test {
    let desk = repository()?;
    // A commit without a trust file: that of the home counts, which does not know the key.
    desk.git(&["checkout", "-q", "main"])?;
    let trust = desk.content("leasehold.trust.json")?;
    fs::remove_file(desk.tree().join("leasehold.trust.json"))?;
    commit(&desk, "no trust")?;
    desk.git(&["branch", "-f", "change", "main"])?;
    let ci = clone_of(&desk)?;
    ci.write("leasehold.trust.json", &trust)?;
    ci.bad(&["run", "--rules", "origin/main"], 3, "KEY-UNTRUSTED")?;
    // A commit that trusts somebody else: that the home of the one who signed is here does not help.
    let stranger = Desk::new()?;
    stranger.good(&["plugin", "add", "secrets", "--step"])?;
    stranger.good(&["approve"])?;
    desk.write(
        "leasehold.trust.json",
        stranger.content("leasehold.trust.json")?,
    )?;
    commit(&desk, "another")?;
    desk.bad(&["run", "--rules", "main"], 3, "KEY-UNTRUSTED")?;
    desk.write("leasehold.trust.json", &trust)?;
    commit(&desk, "again")?;
    desk.good(&["run", "--rules", "main"])?;
    ci.git(&["fetch", "-q"])?;
    ci.good(&["run", "--rules", "origin/main"])?;
    Ok(())
}

#[test]
fn a_lease_named_on_the_command_line_is_held_to_the_same_trust() -> Test {
    let desk = repository()?;
    let ci = clone_of(&desk)?;
    let lease = ci.outside("mine.lease");
    let path = lease.to_str().ok_or("not UTF-8")?.to_owned();
    let run = ["run", "--rules", "origin/main", "--lease", &path];
    ci.bad(&run, 5, "FILE-MISSING")?;
    let stranger = repository()?;
    fs::copy(stranger.tree().join("leasehold.lease"), &lease)?;
    ci.bad(&run, 3, "KEY-UNTRUSTED")?;
    fs::copy(desk.tree().join("leasehold.lease"), &lease)?;
    ci.good(&run)?;
    Ok(())
}

#[test]
fn a_lease_for_one_host_is_none_for_another() -> Test {
    let desk = repository()?;
    desk.git(&["checkout", "-q", "main"])?;
    desk.good(&["approve", "--audience", "here"])?;
    commit(&desk, "here")?;
    desk.good(&["run", "--rules", "main"])?;
    let ci = clone_of(&desk)?;
    ci.bad(&["run", "--rules", "origin/main"], 3, "LEASE-AUDIENCE")?;
    desk.good(&["approve", "--audience", "any"])?;
    commit(&desk, "any")?;
    ci.git(&["fetch", "-q"])?;
    ci.good(&["run", "--rules", "origin/main"])?;
    Ok(())
}
