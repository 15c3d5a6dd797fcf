//! What makes a step run again.

use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::time::Duration;

use leasehold_seal::Digest;
use leasehold_tests::{Fault, plugin_bytes};
use serde_json::Value;

use crate::site::{Desk, Test, gate, step};

/// Steps that see different things of docs: one file, the names, everything, an absence, an environment variable; and one
/// that sees another folder.
fn steps() -> String {
    let env = "[[step]]\nid = \"env\"\ngate = \"probe\"\nargs = [\"env\"]\nread = [\"docs/**\"]\n\
        exit = { pass = [0], fail = [1] }\nenv = { pass = [\"COLOUR\"] }\n";
    [
        gate("one", "do = \"read\", path = \"docs/a.md\"", ""),
        gate("names", "do = \"walk\", patterns = [\"docs/**\"]", ""),
        gate("all", "do = \"count-lines\"", ""),
        gate("none", "do = \"read\", path = \"docs/none.md\"", ""),
        gate("other", "do = \"count-lines\"", "").replace("docs", "other"),
        env.to_owned(),
    ]
    .concat()
}

pub(crate) const LAYOUT: [(&str, &str); 4] = [
    ("docs/a.md", "first\n"),
    ("docs/b.md", "second\n"),
    ("other/c.md", "third\n"),
    ("unread.txt", "nobody looks\n"),
];

/// A desk whose steps have all run once.
fn known() -> Result<Desk, Fault> {
    let desk = Desk::new(&LAYOUT)?;
    approved(&desk, &steps())?;
    // One step fails: the file that it wants is not there.
    let run = desk.go(&[], 1)?;
    assert_eq!(ran(&run).len(), 6, "{run}");
    Ok(desk)
}

/// Writes a pipeline and approves it: what passes an environment variable on needs that.
fn approved(desk: &Desk, steps: &str) -> Test {
    desk.pipeline(steps)?;
    desk.exits(&["approve"], 0).map(drop)
}

/// The steps that were not answered by an earlier result.
pub(crate) fn ran(run: &Value) -> Vec<&str> {
    let steps = run["steps"].as_array().map_or(&[][..], Vec::as_slice);
    let fresh = steps.iter().filter(|step| step["cached"] == false);
    fresh.filter_map(|step| step["step"].as_str()).collect()
}

#[test]
fn an_unchanged_run_uses_every_result_and_names_where_it_is_from() -> Test {
    let desk = known()?;
    let outcomes = desk.bodies("call.outcome")?;
    let first = desk.go(&["--no-cache"], 1)?;
    assert_eq!(ran(&first).len(), 6);
    assert!(desk.bodies("cache.hit")?.is_empty());
    let run = desk.go(&[], 1)?;
    assert!(ran(&run).is_empty(), "{run}");
    let hits = desk.bodies("cache.hit")?;
    assert_eq!(hits.len(), 6);
    for hit in &hits {
        let original = outcomes
            .iter()
            .find(|outcome| outcome["call"] == hit["original"]);
        let original = original.ok_or("a hit without its original")?;
        assert_eq!(original["reads"], hit["reads"], "{hit}");
        let entry = step(&run, hit["step"].as_str().unwrap_or_default())?;
        assert_eq!(
            (&entry["call"], &hit["run"]),
            (&hit["original"], &run["run"])
        );
    }
    // No call was made for it, and nothing charged.
    assert_eq!(desk.bodies("call.intent")?.len(), 12);
    assert_eq!(desk.audit()?, ("CLOSED".to_owned(), 0));
    // The failing verdict fails again, with all it said.
    let (old, new) = (step(&first, "none")?, step(&run, "none")?);
    assert_eq!(
        (&new["status"], &new["verdict"]),
        (&"fail".into(), &old["verdict"])
    );
    assert_eq!(new["exit"], 1);
    Ok(())
}

#[test]
fn a_change_makes_those_steps_run_again_that_have_seen_it() -> Test {
    type Change = fn(&Path) -> std::io::Result<()>;
    let changes: [(&str, Change, &[&str], i32); 9] = [
        (
            "content",
            |docs| fs::write(docs.join("docs/a.md"), "1st\n"),
            &["one", "names", "all"],
            1,
        ),
        (
            "content of one size",
            |docs| fs::write(docs.join("docs/a.md"), "fifth\n"),
            &["one", "all"],
            1,
        ),
        (
            "another file",
            |docs| fs::write(docs.join("docs/b.md"), "SECOND\n"),
            &["all"],
            1,
        ),
        (
            "added",
            |docs| fs::write(docs.join("docs/new.md"), ""),
            &["names", "all"],
            1,
        ),
        (
            "wanted",
            |docs| fs::write(docs.join("docs/none.md"), ""),
            &["names", "all", "none"],
            0,
        ),
        (
            "removed",
            |docs| fs::remove_file(docs.join("docs/b.md")),
            &["names", "all"],
            1,
        ),
        (
            "renamed",
            |docs| fs::rename(docs.join("docs/a.md"), docs.join("docs/z.md")),
            &["one", "names", "all"],
            1,
        ),
        (
            "elsewhere",
            |docs| fs::write(docs.join("other/c.md"), "3\n"),
            &["other"],
            1,
        ),
        (
            "unread",
            |docs| fs::write(docs.join("unread.txt"), "x"),
            &[],
            1,
        ),
    ];
    for (what, change, expected, exit) in changes {
        let desk = known()?;
        change(&desk.workspace())?;
        let run = desk.go(&[], exit)?;
        assert_eq!(ran(&run), expected, "{what}");
        assert!(ran(&desk.go(&[], exit)?).is_empty(), "{what}");
    }
    Ok(())
}

/// Changes a file and puts its times back.
fn change_unseen(path: &Path, content: &str) -> Test {
    let before = fs::metadata(path)?;
    fs::write(path, content)?;
    let times = FileTimes::new()
        .set_modified(before.modified()?)
        .set_accessed(before.accessed()?);
    File::options().write(true).open(path)?.set_times(times)?;
    assert_eq!(fs::metadata(path)?.modified()?, before.modified()?);
    Ok(())
}

/// Size and time as they were, other content; also once digests are remembered from run to run.
#[test]
fn other_content_of_the_same_size_and_time_is_seen() -> Test {
    let desk = known()?;
    change_unseen(&desk.workspace().join("docs/a.md"), "fifth\n")?;
    assert_eq!(ran(&desk.go(&[], 1)?), ["one", "all"]);
    // Only what has not been touched for a while is remembered.
    std::thread::sleep(Duration::from_millis(2_100));
    assert!(ran(&desk.go(&[], 1)?).is_empty());
    assert!(
        fs::read_dir(desk.home().join("cache/digests"))?
            .next()
            .is_some()
    );
    change_unseen(&desk.workspace().join("docs/a.md"), "sixth\n")?;
    let run = desk.go(&[], 1)?;
    assert_eq!(ran(&run), ["one", "all"]);
    assert_eq!(step(&run, "one")?["verdict"]["data"], "\"sixth\\n\"");
    assert!(ran(&desk.go(&[], 1)?).is_empty());
    Ok(())
}

#[test]
fn configuration_rights_and_environment_decide() -> Test {
    let desk = known()?;
    for (from, to, expected) in [
        ("path = \"docs/a.md\"", "path = \"docs/b.md\"", &["one"][..]),
        ("read = [\"other/**\"]", "read = [\"other/*\"]", &["other"]),
        (
            "read = [\"other/**\"]",
            "read = [\"other/**\"]\nskip = [\"other/x\"]",
            &["other"],
        ),
        ("fail = [1]", "fail = [1, 2]", &["env"]),
        ("[\"env\"]", "[\"args\", \"env\"]", &["env"]),
    ] {
        let changed = steps().replace(from, to);
        assert_ne!(changed, steps());
        approved(&desk, &changed)?;
        let run = desk.go(&[], 1)?;
        assert_eq!(ran(&run), expected, "{to}");
        assert!(ran(&desk.go(&[], 1)?).is_empty(), "{to}");
        approved(&desk, &steps())?;
        assert!(ran(&desk.go(&[], 1)?).is_empty(), "back from {to}");
    }
    for (name, expected) in [("COLOUR", &["env"][..]), ("SHAPE", &[])] {
        let args = ["run", "--format", "json"];
        let output = desk.command(&args).env(name, "red").output()?;
        let run: Value = serde_json::from_slice(&output.stdout)?;
        assert_eq!(ran(&run), expected, "{name}");
    }
    Ok(())
}

#[test]
fn another_plugin_of_the_same_name_runs_again() -> Test {
    let desk = known()?;
    let mut bytes = plugin_bytes("hostile/hostile-gate")?;
    let old = Digest::of(&bytes);
    // A custom section more: it does the same, and is another plugin.
    bytes.extend_from_slice(&[0, 2, 1, b'x']);
    desk.write("plugins/hostile-gate.wasm", &bytes)?;
    let lock = desk.read("leasehold.lock")?;
    let lock = lock.replace(&old.to_string(), &Digest::of(&bytes).to_string());
    let stale = desk.exits(&["run"], 2)?;
    assert!(stale.err.contains("PLUGIN-MISMATCH"), "{}", stale.err);
    desk.write("leasehold.lock", lock)?;
    desk.exits(&["approve"], 0)?;
    let run = desk.go(&[], 1)?;
    assert_eq!(ran(&run), ["one", "names", "all", "none", "other"]);
    assert!(ran(&desk.go(&[], 1)?).is_empty());
    Ok(())
}

#[test]
fn explain_names_the_path_that_changed() -> Test {
    let desk = known()?;
    let holds = desk.exits(&["cache", "explain", "all"], 0)?;
    assert!(
        holds
            .out
            .starts_with("holds: all would use the pass of call "),
        "{}",
        holds.out
    );
    let failing = desk.exits(&["cache", "explain", "none"], 0)?;
    assert!(
        failing.out.contains("would use the fail of call "),
        "{}",
        failing.out
    );
    desk.write("docs/b.md", "other\n")?;
    let calls = desk.bodies("call.intent")?.len();
    let runs = desk.exits(&["cache", "explain", "all"], 5)?;
    assert!(
        runs.out.starts_with("runs: all: ") && runs.out.contains("docs/b.md"),
        "{}",
        runs.out
    );
    desk.exits(&["cache", "explain", "one"], 0)?;
    desk.write("docs/none.md", "")?;
    let appeared = desk.exits(&["cache", "explain", "none", "--format", "json"], 5)?;
    let document: Value = serde_json::from_str(&appeared.out)?;
    assert_eq!(document["holds"], false);
    assert!(
        document["why"]
            .as_str()
            .unwrap_or_default()
            .contains("docs/none.md"),
        "{document}"
    );
    let unknown = desk.exits(&["cache", "explain", "sing"], 64)?;
    assert!(
        unknown.err.contains("error[STEP-UNKNOWN]"),
        "{}",
        unknown.err
    );
    assert_eq!(
        desk.bodies("call.intent")?.len(),
        calls,
        "explaining called something"
    );
    Ok(())
}
