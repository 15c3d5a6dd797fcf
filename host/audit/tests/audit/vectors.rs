//! `fixtures/tape`: one folder a case, for other implementations; `docs/tape.md` says how they are
//! read. Written again with `LEASEHOLD_WRITE_VECTORS=1`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use leasehold_audit::{Expect, Finding, Report, check_with_leases};
use leasehold_seal::{Digest, Trust};
use serde_json::{Map, Value, json};

use crate::builder::{among, trust, verdict};
use crate::cases::{Case, cases};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tape")
}

/// The figures of a report that a verifier is to compute as well. Of those that came later, only what is not nothing.
fn figures(report: &Report) -> Value {
    let mut figures = json!({
        "calls": report.calls,
        "charges": report.charges,
        "open_calls": report.open_calls,
        "proven": report.proven,
        "records": report.records,
    });
    let missing = serde_json::to_value(report.missing).unwrap();
    let counted = missing.as_object().unwrap().iter();
    let missing: Map<_, _> = counted
        .filter(|(_, count)| **count != json!(0))
        .map(|(name, count)| (name.clone(), count.clone()))
        .collect();
    let later = [
        ("budgets", json!(report.budgets)),
        ("leases_verified", json!(report.leases_verified)),
        ("missing", json!(missing)),
        ("requests", json!(report.requests)),
        ("revocations", json!(report.revocations)),
        ("revoked", json!(report.revoked)),
    ];
    for (name, value) in later {
        if ![json!({}), json!([]), json!(0), json!(null)].contains(&value) {
            figures[name] = value;
        }
    }
    figures
}

/// What `expect.json` states.
fn expectation(case: &Case, report: &Report) -> Value {
    let mut value = json!({
        "about": case.about,
        "given": {
            "at_least": case.expect.at_least.is_some(),
            "closed": case.expect.closed,
            "min_records": case.expect.min_records,
        },
        "figures": figures(report),
    });
    // The sentence is for people; everything else is to be met.
    let mut finding = serde_json::to_value(&report.finding).unwrap();
    if let Some(finding) = finding.as_object_mut() {
        finding.remove("message");
    }
    value["finding"] = finding;
    value
}

/// All files of the folder.
fn files() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    // Git must not touch line ends here.
    files.insert(PathBuf::from(".gitattributes"), b"* -text\n".to_vec());
    files.insert(PathBuf::from("trust.json"), trust().to_json().unwrap());
    for (index, case) in cases().iter().enumerate() {
        let report = check_with_leases(
            case.records.as_slice(),
            case.checkpoint.as_deref().map(str::as_bytes),
            &trust(),
            &case.expect,
            &among(&case.store),
        )
        .unwrap();
        assert_eq!(verdict(&report), case.verdict, "{}", case.name);
        let dir = PathBuf::from(format!("{:03}-{}", index + 1, case.name));
        let expected = serde_json::to_string_pretty(&expectation(case, &report)).unwrap() + "\n";
        files.insert(dir.join("records.jsonl"), case.records.clone());
        files.insert(dir.join("expect.json"), expected.into_bytes());
        if let Some(checkpoint) = &case.checkpoint {
            files.insert(dir.join("checkpoint"), checkpoint.clone().into_bytes());
        }
        for bytes in &case.store {
            let name = dir.join("store").join(Digest::of(bytes).hex());
            files.insert(name, bytes.clone());
        }
        if let Some(at_least) = &case.expect.at_least {
            files.insert(dir.join("at-least"), at_least.clone());
        }
    }
    files
}

fn on_disk(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn the_files_are_what_this_test_makes() {
    let files = files();
    if std::env::var_os("LEASEHOLD_WRITE_VECTORS").is_some() {
        let _ = std::fs::remove_dir_all(folder());
        for (name, bytes) in &files {
            let path = folder().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
    let found = on_disk(&folder());
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        files.keys().collect::<Vec<_>>()
    );
    for (name, bytes) in &files {
        assert_eq!(&found[name], bytes, "{}", name.display());
    }
}

/// Reads the folder as a stranger would: with nothing but the files.
#[test]
fn every_case_gets_its_verdict_from_the_files_alone() {
    let trust = Trust::parse(&std::fs::read(folder().join("trust.json")).unwrap()).unwrap();
    let mut verdicts = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let dir = entry.unwrap().path();
        if !dir.is_dir() {
            continue;
        }
        let expected: Value =
            serde_json::from_slice(&std::fs::read(dir.join("expect.json")).unwrap()).unwrap();
        let given = &expected["given"];
        let expect = Expect {
            at_least: std::fs::read(dir.join("at-least")).ok(),
            min_records: given["min_records"].as_u64().unwrap(),
            closed: given["closed"].as_bool().unwrap(),
        };
        assert_eq!(given["at_least"], expect.at_least.is_some());
        let records = std::fs::File::open(dir.join("records.jsonl")).unwrap();
        let checkpoint = std::fs::read(dir.join("checkpoint")).ok();
        let stored = |digest: &Digest| std::fs::read(dir.join("store").join(digest.hex())).ok();
        let report =
            check_with_leases(records, checkpoint.as_deref(), &trust, &expect, &stored).unwrap();
        assert_eq!(figures(&report), expected["figures"], "{}", dir.display());
        let mut finding = serde_json::to_value(&report.finding).unwrap();
        if let Finding::Broken { message, .. } = &report.finding {
            assert!(!message.is_empty());
            finding.as_object_mut().unwrap().remove("message");
        }
        assert_eq!(finding, expected["finding"], "{}", dir.display());
        *verdicts.entry(finding["verdict"].to_string()).or_insert(0) += 1;
    }
    println!("{verdicts:?}");
    assert!(verdicts.len() == 3 && verdicts.values().all(|count| *count >= 4));
}
