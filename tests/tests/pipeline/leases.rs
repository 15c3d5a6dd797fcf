//! Whose lease counts, from when to when, and what approving shows.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use leasehold_lease::LeaseDoc;
use leasehold_seal::{Envelope, SecretKey, Timestamp};
use leasehold_tests::Fault;
use serde_json::json;

use crate::desk::{Desk, Test, everything};

const DAY_MS: i64 = 86_400_000;

/// A tree with one step that writes: no run allows itself that.
fn writing() -> Result<Desk, Fault> {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "md-toc"])?;
    desk.write(
        "docs/a.md",
        "<!-- toc -->\n<!-- /toc -->\n\n# One\n\n## Two\n",
    )?;
    desk.write(
        "leasehold.toml",
        "version = 1\n[[step]]\nid = \"toc\"\ncommand = \"md-toc\"\nargs = [\"--in-place\", \"docs\"]\nread = [\"docs/**\"]\nwrite = [\"docs/**\"]\n",
    )?;
    Ok(desk)
}

/// Signs the lease of the tree again, valid from and to so many milliseconds from now.
fn sign_for(desk: &Desk, from: i64, to: i64) -> Test {
    let path = desk.tree().join("leasehold.lease");
    let envelope = Envelope::parse(&fs::read(&path)?)?;
    let mut document = LeaseDoc::parse(envelope.unverified_payload())?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let at = |offset: i64| Timestamp::from_millis((now + offset) / 1_000 * 1_000);
    (document.not_before, document.expires) = (at(from)?, at(to)?);
    let pem = fs::read_to_string(desk.home().join("keys/local.pem"))?;
    let key = SecretKey::from_pkcs8_pem(&pem)?;
    Ok(fs::write(path, document.sign(&[&key])?.to_json()?)?)
}

#[test]
fn what_writes_needs_a_lease_that_somebody_signed() -> Test {
    let desk = writing()?;
    let before = everything(&desk.tree())?;
    desk.bad(&["run"], 3, "LEASE-NEEDED")?.tells(&[
        "toc may write docs/** (leasehold.toml:7)",
        "`leasehold approve`",
    ]);
    assert_eq!(desk.last("run.denied")?["code"], "LEASE-NEEDED");
    assert!(desk.records("lease.issued")?.is_empty());
    assert!(everything(&desk.tree())? == before);
    desk.good(&["approve"])?;
    desk.good(&["run"])?;
    assert!(desk.content("docs/a.md")?.contains("(#two)"));
    // The twin that reads signs for itself.
    let reads = Desk::new()?;
    reads.good(&["plugin", "add", "secrets", "--step"])?;
    reads.good(&["run"])?;
    let issued = reads.last("lease.issued")?;
    assert_eq!(issued["local"], true);
    // What reads and is passed a variable does not.
    reads.replace(
        "leasehold.toml",
        "read =",
        "env = { pass = [\"HOME\"] }\nread =",
    )?;
    reads
        .bad(&["run"], 3, "LEASE-NEEDED")?
        .tells(&["is passed the variable HOME"]);
    reads.good(&["approve"])?;
    reads.good(&["run"])?;
    Ok(())
}

#[test]
fn a_lease_counts_within_its_time_and_warns_before_its_end() -> Test {
    let desk = writing()?;
    desk.good(&["approve"])?;
    let said = desk.good(&["run"])?;
    assert!(!said.err.contains("LEASE-EXPIRES"), "{said}");
    for (from, to, end) in [
        (-DAY_MS, 3 * DAY_MS + 60_000, "in 3 days"),
        (-DAY_MS, DAY_MS + 60_000, "in a day"),
        (-DAY_MS, 600_000, "at 20"),
    ] {
        sign_for(&desk, from, to)?;
        let warning = format!("warning[LEASE-EXPIRES]: the lease ends {end}");
        desk.good(&["run"])?
            .tells(&[&warning, "renew it with `leasehold approve`"]);
    }
    sign_for(&desk, -DAY_MS, 8 * DAY_MS)?;
    let said = desk.good(&["run"])?;
    assert!(!said.err.contains("LEASE-EXPIRES"), "{said}");
    let calls = desk.records("call.intent")?.len();
    sign_for(&desk, -2 * DAY_MS, -1_000)?;
    desk.bad(&["run"], 3, "LEASE-EXPIRED")?
        .tells(&["`leasehold approve`"]);
    desk.run(&["plan"])?.bad(3, "LEASE-EXPIRED")?;
    assert_eq!(desk.last("run.denied")?["code"], "LEASE-EXPIRED");
    sign_for(&desk, DAY_MS, 2 * DAY_MS)?;
    desk.bad(&["run"], 3, "LEASE-NOT-YET")?;
    assert_eq!(desk.records("call.intent")?.len(), calls);
    // That it has ended does not matter for what was approved: renewing it changes no right.
    sign_for(&desk, -2 * DAY_MS, -1_000)?;
    assert_eq!(desk.json(&["approve"])?["changes"], json!([]));
    desk.good(&["run"])?;
    desk.closed()
}

#[test]
fn approving_signs_for_as_long_as_was_asked() -> Test {
    let desk = writing()?;
    desk.good(&["approve", "--expires", "2d"])?;
    desk.good(&["run"])?
        .tells(&["warning[LEASE-EXPIRES]: the lease ends in a day"]);
    desk.bad(
        &["approve", "--expires", "2020-01-01T00:00:00Z"],
        3,
        "LEASE-WINDOW",
    )?;
    for expires in ["0d", "soon"] {
        let said = desk.run(&["approve", "--expires", expires])?.exits(64)?;
        assert!(said.err.contains("error"), "{said}");
    }
    desk.good(&["approve", "--expires", "2099-01-01T00:00:00Z"])?;
    let said = desk.good(&["run"])?;
    assert!(!said.err.contains("LEASE-EXPIRES"), "{said}");
    Ok(())
}

#[test]
fn a_lease_of_a_strangers_key_counts_nowhere() -> Test {
    let (desk, stranger) = (writing()?, writing()?);
    stranger.good(&["approve"])?;
    for name in ["leasehold.lease", "leasehold.trust.json"] {
        // The stranger's trust file lies in the tree as well: it is not asked.
        fs::copy(stranger.tree().join(name), desk.tree().join(name))?;
    }
    desk.bad(&["run"], 3, "KEY-UNTRUSTED")?
        .tells(&["`leasehold approve`", "--rules"]);
    assert_eq!(desk.last("run.denied")?["code"], "KEY-UNTRUSTED");
    assert!(desk.records("call.intent")?.is_empty());
    // Whoever approves sees everything: nobody here has approved any of it.
    let all = json!(stranger_changes());
    let dry = desk.run(&["approve", "--dry-run"])?.good()?;
    dry.tells(&["warning[LEASE-UNTRUSTED]: ", "everything counts as new"]);
    let dry = desk.json(&["approve", "--dry-run"])?;
    let shown: Vec<String> = (dry["changes"].as_array().ok_or("no list")?.iter())
        .map(|line| line.as_str().unwrap_or_default().replace(plugin(line), "P"))
        .collect();
    assert_eq!(json!(shown), all);
    // The twin: where the key is trusted, there is nothing new.
    assert_eq!(
        stranger.json(&["approve", "--dry-run"])?["changes"],
        json!([])
    );
    // A trust file in the tree that does not know the own key is left to people.
    desk.bad(&["approve"], 3, "ISSUER-UNTRUSTED")?;
    Ok(())
}

/// What approving the pipeline of [`writing`] shows where nothing was approved before.
fn stranger_changes() -> [&'static str; 5] {
    [
        "+ toc may run the plugin P as a command",
        "+ toc may be run with [\"--in-place\", \"docs\"]",
        "+ toc may read docs/**",
        "+ toc may write docs/**",
        "+ toc may use at most fuel 20000000000, memory_bytes 268435456, wall_ms 60000, output_bytes 4194304, write_bytes 10485760, open_files 64",
    ]
}

/// The digest in a line.
fn plugin(line: &serde_json::Value) -> &str {
    let text = line.as_str().unwrap_or_default();
    let mut words = text.split(' ');
    words
        .find(|word| word.starts_with("sha256:"))
        .unwrap_or("P")
}

#[test]
fn a_failed_approval_leaves_the_lease_as_it_was() -> Test {
    let (desk, stranger) = (writing()?, writing()?);
    stranger.good(&["approve"])?;
    desk.good(&["approve"])?;
    let lease = desk.content("leasehold.lease")?;
    fs::copy(
        stranger.tree().join("leasehold.trust.json"),
        desk.tree().join("leasehold.trust.json"),
    )?;
    desk.run(&["approve"])?.bad(3, "ISSUER-UNTRUSTED")?;
    assert!(desk.content("leasehold.lease")? == lease);
    assert_eq!(desk.records("lease.issued")?.len(), 1);
    Ok(())
}

#[test]
fn a_dry_run_signs_nothing() -> Test {
    let desk = writing()?;
    let before = everything(&desk.tree())?;
    let said = desk.good(&["approve", "--dry-run"])?;
    assert!(said.out.contains("+ toc may write docs/**\n"), "{said}");
    said.tells(&["signed nothing"]);
    assert_eq!(desk.json(&["approve", "--dry-run"])?["signed"], json!(null));
    assert!(everything(&desk.tree())? == before);
    assert!(desk.records("lease.issued")?.is_empty());
    desk.bad(&["run"], 3, "LEASE-NEEDED")?;
    // The twin.
    let signed = desk.json(&["approve"])?;
    assert!(signed["signed"].is_string() && signed["trust"].is_string());
    assert_eq!(desk.last("lease.issued")?["lease"], signed["lease"]);
    desk.good(&["run"])?;
    Ok(())
}

#[test]
fn a_lease_that_was_edited_is_none() -> Test {
    let desk = writing()?;
    desk.good(&["approve"])?;
    let sound = desk.content("leasehold.lease")?;
    let payload = sound.find("\"payload\":\"").ok_or("no payload")? + 60;
    for at in [payload, sound.len() - 40] {
        let mut edited = sound.clone().into_bytes();
        edited[at] = if edited[at] == b'A' { b'B' } else { b'A' };
        desk.write("leasehold.lease", edited)?;
        let said = desk.run(&["run"])?.exits(2)?;
        assert!(said.err.starts_with("error["), "{said}");
    }
    desk.write("leasehold.lease", "")?;
    desk.bad(&["run"], 2, "JSON-SYNTAX")?;
    assert!(desk.records("call.intent")?.is_empty());
    // Another file may be named instead.
    fs::write(desk.outside("kept.lease"), &sound)?;
    let kept = desk.outside("kept.lease");
    desk.good(&["run", "--lease", kept.to_str().ok_or("not UTF-8")?])?;
    desk.write("leasehold.lease", &sound)?;
    desk.good(&["run"])?;
    Ok(())
}
