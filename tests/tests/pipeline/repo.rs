//! A repository with rules on `main`, and how its trees are judged.

use std::fs;

use leasehold_tests::Fault;
use serde_json::{Value, json};

use crate::desk::{Desk, Test, prebuilt};

/// Where a secret is planted.
pub(crate) const LEAK: &str = "src/settings.txt";

/// The pipeline of `main`: a gate that comes along and one whose file lies in the tree.
const PIPELINE: &str = r#"version = 1

[[step]]
id = "secrets"
gate = "secrets"
read = ["**"]

[[step]]
id = "markers"
gate = "conflict-markers"
read = ["**"]
"#;

/// A desk whose tree is a repository: rules on `main`, approved, and the branch `change` checked out.
pub(crate) fn repository() -> Result<Desk, Fault> {
    let desk = Desk::new()?;
    desk.git(&["init", "-q", "-b", "main"])?;
    desk.git(&["config", "core.autocrlf", "false"])?;
    desk.write(LEAK, "nothing here\n")?;
    fs::create_dir(desk.tree().join("tools"))?;
    fs::copy(
        prebuilt("conflict-markers"),
        desk.tree().join("tools/markers.wasm"),
    )?;
    desk.good(&["plugin", "add", "secrets"])?;
    desk.good(&["plugin", "add", "tools/markers.wasm"])?;
    desk.write("leasehold.toml", PIPELINE)?;
    desk.good(&["approve"])?;
    let plan = desk.json(&["plan"])?;
    let policy = json!({"version": 1, "must_run": [{"plugin": plan["steps"][0]["plugin"]}]});
    desk.write("leasehold.policy.json", policy.to_string())?;
    commit(&desk, "rules")?;
    desk.git(&["checkout", "-q", "-b", "change"])?;
    Ok(desk)
}

/// Commits everything there is.
pub(crate) fn commit(desk: &Desk, message: &str) -> Test {
    desk.git(&["add", "-A"])?;
    desk.git(&["commit", "-q", "--allow-empty", "-m", message])?;
    Ok(())
}

/// Plants a secret that the rules of `main` find.
pub(crate) fn plant(desk: &Desk) -> Test {
    // In two pieces, so that no scanner finds it here.
    desk.write(LEAK, concat!("id = \"AKIA", "Q3EGRT5YHUJ7KPLM\"\n"))
}

/// What a run judged, without numbers that depend on how many files there are.
pub(crate) fn judgement(run: &Value) -> Result<Vec<Value>, Fault> {
    let steps = run["steps"].as_array().ok_or_else(|| run.to_string())?;
    let mut judged: Vec<Value> = steps
        .iter()
        .map(|step| {
            json!([
                step["step"],
                step["status"],
                step["code"],
                step["verdict"]["findings"]
            ])
        })
        .collect();
    judged.sort_by_key(Value::to_string);
    Ok(judged)
}
