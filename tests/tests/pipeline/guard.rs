//! Files of the rules are plain files, and no plugin writes them.

use std::fs;
use std::os::unix::fs::symlink;

use leasehold_tests::Fault;

use crate::desk::{Desk, Test, everything, prebuilt};

const FILES: [&str; 5] = [
    "leasehold.toml",
    "leasehold.lock",
    "leasehold.lease",
    "leasehold.policy.json",
    "leasehold.trust.json",
];

#[test]
fn rules_are_plain_files() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets", "--step"])?;
    desk.good(&["approve"])?;
    desk.write("leasehold.policy.json", r#"{"version":1}"#)?;
    desk.good(&["run"])?;
    // On disk nobody reads the trust file of the tree: that of the home counts.
    for name in &FILES[..4] {
        let path = desk.tree().join(name);
        let kept = fs::read(&path)?;
        fs::write(desk.outside("same"), &kept)?;
        fs::remove_file(&path)?;
        for target in [desk.outside("same"), "nowhere".into(), "/dev/zero".into()] {
            symlink(&target, &path)?;
            let said = desk.run(&["run", "--workspace", "."])?.bad(2, "RULES-FILE");
            said.map_err(|error| format!("{name} to {}: {error}", target.display()))?;
            fs::remove_file(&path)?;
        }
        fs::create_dir(&path)?;
        desk.run(&["run", "--workspace", "."])?
            .bad(2, "RULES-FILE")?;
        fs::remove_dir(&path)?;
        fs::write(&path, kept)?;
        desk.good(&["run"])?;
    }
    assert_eq!(desk.last("run.denied")?["code"], "RULES-FILE");
    desk.closed()
}

/// Runs the probe once for each of these acts, with every right there is, and returns what came of each.
fn acts(desk: &Desk, acts: &[Vec<&str>]) -> Result<Vec<serde_json::Value>, Fault> {
    let mut pipeline = "version = 1\n".to_owned();
    for (number, act) in acts.iter().enumerate() {
        pipeline.push_str(&format!(
            "[[step]]\nid = \"a{number}\"\ncommand = \"probe\"\nargs = {act:?}\nread = [\"**\"]\nwrite = [\"**\"]\n"
        ));
    }
    desk.write("leasehold.toml", pipeline)?;
    desk.good(&["approve"])?;
    let run = desk.json(&["run"])?;
    let steps = run["steps"].as_array().ok_or_else(|| run.to_string())?;
    assert_eq!(steps.len(), acts.len());
    Ok(steps.clone())
}

fn probe() -> Result<Desk, Fault> {
    let desk = Desk::new()?;
    desk.write("tools/x", "x")?;
    fs::copy(
        prebuilt("hostile/probe"),
        desk.tree().join("tools/probe.wasm"),
    )?;
    desk.good(&["plugin", "add", "tools/probe.wasm"])?;
    desk.write("other", "other")?;
    Ok(desk)
}

#[test]
fn no_plugin_changes_the_rules() -> Test {
    let desk = probe()?;
    let plugin = ["tools/probe.wasm"];
    let there = [
        "leasehold.toml",
        "leasehold.lock",
        "leasehold.lease",
        "leasehold.trust.json",
    ];
    let mut attacks: Vec<Vec<&str>> = Vec::new();
    for name in there.iter().chain(&plugin).copied() {
        attacks.push(vec!["write", name, "version = 1"]);
        attacks.push(vec!["append", name, "x"]);
        attacks.push(vec!["truncate", name, "0"]);
        attacks.push(vec!["unlink", name]);
        attacks.push(vec!["rename", name, "gone"]);
        attacks.push(vec!["rename", "other", name]);
    }
    attacks.push(vec!["rename", "tools", "elsewhere"]);
    // The first run makes lease and trust file.
    acts(&desk, &[vec!["exit", "0"]])?;
    let steps = acts(&desk, &attacks)?;
    for (attack, step) in attacks.iter().zip(&steps) {
        assert_eq!(step["code"], "PATH-PROTECTED", "{attack:?}: {step}");
        assert_eq!(
            (&step["exit"], &step["changes"]),
            (&3.into(), &serde_json::json!([]))
        );
    }
    // Every one of them is where it was, and good for the next run.
    let twins = [
        vec!["write", "other", "new"],
        vec!["append", "other", "er"],
        vec!["rename", "other", "another"],
        vec!["write", "leasehold.toml.bak", "x"],
        vec!["write", "sub", "x"],
    ];
    for (twin, step) in twins.iter().zip(acts(&desk, &twins)?) {
        assert_eq!(step["status"], "pass", "{twin:?}: {step}");
    }
    assert_eq!(desk.content("another")?, "newer");
    desk.closed()
}

#[test]
fn no_plugin_makes_rules_that_are_not_there() -> Test {
    let desk = probe()?;
    let mut attacks: Vec<Vec<&str>> = Vec::new();
    for name in ["leasehold.policy.json", "leasehold.trust.json"] {
        attacks.push(vec!["write", name, "{\"version\":1}"]);
        attacks.push(vec!["create-new", name, "{\"version\":1}"]);
        attacks.push(vec!["mkdir", name]);
        attacks.push(vec!["rename", "other", name]);
        attacks.push(vec!["rename", "tools/x", name]);
    }
    // Approving makes a trust file, so that this lease comes from elsewhere and the file is gone again.
    acts(&desk, &attacks)?;
    let lease = desk.outside("kept.lease");
    fs::rename(desk.tree().join("leasehold.lease"), &lease)?;
    fs::remove_file(desk.tree().join("leasehold.trust.json"))?;
    let before = everything(&desk.tree())?;
    let lease = lease.to_str().ok_or("not UTF-8")?;
    let run = desk.json(&["run", "--lease", lease])?;
    for (attack, step) in attacks
        .iter()
        .zip(run["steps"].as_array().ok_or("no steps")?)
    {
        assert_eq!(step["code"], "PATH-PROTECTED", "{attack:?}: {step}");
    }
    assert!(everything(&desk.tree())? == before);
    // Neither pipeline nor lock nor lease where the rules come from a commit and the tree has none.
    let twins = [
        vec!["write", "policy.json", "x"],
        vec!["mkdir", "leasehold"],
    ];
    for (twin, step) in twins.iter().zip(acts(&desk, &twins)?) {
        assert_eq!(step["status"], "pass", "{twin:?}: {step}");
    }
    Ok(())
}

#[test]
fn no_plugin_makes_rules_in_a_tree_whose_rules_are_in_a_commit() -> Test {
    let desk = probe()?;
    desk.git(&["init", "-q", "-b", "main"])?;
    let attacks: Vec<Vec<&str>> = FILES
        .iter()
        .copied()
        .chain(["tools/probe.wasm"])
        .map(|name| vec!["write", name, "x"])
        .chain([vec!["write", "other", "new"]])
        .collect();
    acts(&desk, &attacks)?;
    desk.git(&["add", "-A"])?;
    desk.git(&["commit", "-qm", "rules"])?;
    for name in FILES.iter().chain(&["tools/probe.wasm"]) {
        fs::remove_file(desk.tree().join(name)).or_else(|error| match *name {
            "leasehold.policy.json" => Ok(()),
            _ => Err(error),
        })?;
    }
    desk.write("other", "old")?;
    let run = desk.json(&["run", "--rules", "main"])?;
    let steps = run["steps"].as_array().ok_or_else(|| run.to_string())?;
    let (twin, refused) = steps.split_last().ok_or("no steps")?;
    for (attack, step) in attacks.iter().zip(refused) {
        assert_eq!(step["code"], "PATH-PROTECTED", "{attack:?}: {step}");
        assert!(!desk.tree().join(attack[1]).exists(), "{attack:?}");
    }
    assert_eq!(
        (&twin["status"], desk.content("other")?.as_str()),
        (&"pass".into(), "new")
    );
    Ok(())
}

#[test]
fn approving_writes_through_no_link() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets", "--step"])?;
    fs::write(desk.outside("precious"), "precious")?;
    for name in ["leasehold.lease.new", "leasehold.trust.json.new"] {
        symlink(desk.outside("precious"), desk.tree().join(name))?;
    }
    // Whether it is refused or done does not matter.
    desk.run(&["approve"])?;
    assert_eq!(fs::read_to_string(desk.outside("precious"))?, "precious");
    for name in ["leasehold.lease.new", "leasehold.trust.json.new"] {
        fs::remove_file(desk.tree().join(name)).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
    }
    desk.good(&["approve"])?;
    desk.good(&["run"])?;
    Ok(())
}
