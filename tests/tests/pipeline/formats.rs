//! With `--format json`, every command prints one JSON document and nothing else.

use crate::desk::{Desk, Test, everything};

#[test]
fn every_command_about_a_pipeline_speaks_json() -> Test {
    let desk = Desk::new()?;
    let speaks = |args: &[&str], exit: i32, keys: &[&str]| -> Test {
        let said = desk
            .run(&[&["--format", "json"], args].concat())?
            .exits(exit)?;
        let document = said.json()?;
        for key in keys {
            assert!(document.get(key).is_some(), "{key} is missing: {said}");
        }
        assert_eq!(said.err, "", "{said}");
        Ok(())
    };
    let error = ["error"];
    speaks(&["plan"], 5, &error)?;
    speaks(&["run"], 5, &error)?;
    speaks(&["approve"], 5, &error)?;
    speaks(&["plugin", "list"], 0, &["builtin", "lock"])?;
    speaks(&["plugin", "add", "nope"], 64, &error)?;
    speaks(
        &["plugin", "add", "secrets", "--step"],
        0,
        &["digest", "name", "root", "source", "step"],
    )?;
    speaks(&["plan"], 0, &["pipeline", "refused", "rules", "steps"])?;
    speaks(&["cache", "explain", "secrets"], 5, &["holds", "why"])?;
    speaks(&["run"], 0, &["passed", "report", "run", "rules", "steps"])?;
    speaks(&["cache", "explain", "secrets"], 0, &["holds", "call"])?;
    speaks(&["cache", "explain", "nope"], 64, &error)?;
    speaks(&["status"], 0, &[])?;
    speaks(&["report"], 0, &[])?;
    speaks(&["approve", "--dry-run"], 0, &["changes", "signed"])?;
    speaks(
        &["approve"],
        0,
        &["changes", "expires", "lease", "signed", "trust"],
    )?;
    speaks(&["run", "--rules", "main"], 5, &error)?;
    speaks(&["tape", "verify"], 0, &["report"])?;
    // A gate that fails is a document as well.
    desk.write("key.txt", concat!("id = \"AKIA", "Q3EGRT5YHUJ7KPLM\"\n"))?;
    speaks(&["run"], 1, &["passed", "steps"])?;
    // And so is a plan that would be refused.
    desk.replace(
        "leasehold.toml",
        "[\"**\"]",
        "[\"**\"]\nenv = { pass = [\"HOME\"] }",
    )?;
    speaks(&["plan"], 3, &["pipeline", "refused", "rules", "steps"])?;
    speaks(&["run"], 3, &error)?;
    Ok(())
}

#[test]
fn what_only_looks_writes_nothing() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets", "--step"])?;
    desk.good(&["run"])?;
    let before = (
        everything(&desk.tree())?,
        desk.records("run.started")?.len(),
    );
    let home = || -> Result<_, leasehold_tests::Fault> {
        let mut all = everything(&desk.home())?;
        all.retain(|(name, _)| !name.starts_with("tape/") && !name.starts_with("reports/"));
        Ok(all)
    };
    let kept = home()?;
    for args in [
        &["plan"][..],
        &["plugin", "list"],
        &["cache", "explain", "secrets"],
        &["status"],
        &["report"],
    ] {
        desk.good(args)?;
    }
    assert!(
        before
            == (
                everything(&desk.tree())?,
                desk.records("run.started")?.len()
            )
    );
    assert_eq!(desk.records("call.intent")?.len(), 1);
    let now = home()?;
    let new: Vec<&String> = (now.iter().filter(|entry| !kept.contains(entry)))
        .map(|(name, _)| name)
        .collect();
    assert!(new.iter().all(|name| name.starts_with("store/")), "{new:?}");
    desk.closed()
}
