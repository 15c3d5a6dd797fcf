//! Steps that write: what they may leave behind, and what is there when they may not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use leasehold_tests::Fault;
use serde_json::Value;

use crate::site::{Desk, Said, Test, gate, said, step};

/// A program that writes `new` to docs/a.md and ends so.
fn scribe(ending: &str) -> Result<Vec<u8>, Fault> {
    let text = format!(
        r#"(module
        (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "docs/a.md")
        (data (i32.const 64) "\80\00\00\00\03\00\00\00")
        (data (i32.const 128) "new")
        (func $work (local $round i32)
            (loop $more
                (local.set $round (i32.add (local.get $round) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $round) (i32.const 400000000)))))
        (func (export "_start")
            (if (call $open (i32.const 3) (i32.const 1) (i32.const 0) (i32.const 9) (i32.const 9) (i64.const 64) (i64.const 64) (i32.const 0) (i32.const 96))
                (then (call $exit (i32.const 8))))
            (if (call $write (i32.load (i32.const 96)) (i32.const 64) (i32.const 1) (i32.const 100))
                (then (call $exit (i32.const 9))))
            (drop (call $close (i32.load (i32.const 96))))
            {ending}))"#
    );
    Ok(wat::parse_str(text)?)
}

/// A desk with a step `writer` that runs a program of this kind and may write docs, approved.
pub(crate) fn with_writer(ending: &str, more: &str) -> Result<Desk, Fault> {
    let desk = Desk::new(&[("docs/a.md", "old")])?;
    desk.write("plugins/scribe.wasm", scribe(ending)?)?;
    desk.pipeline(&format!(
        "[[step]]\nid = \"writer\"\ncommand = \"scribe\"\nlist = [\"docs/**\"]\nwrite = [\"docs/**\"]\n{more}"
    ))?;
    desk.exits(&["approve"], 0)?;
    Ok(desk)
}

/// Everything below a folder: path, mode and content.
fn snapshot(folder: &Path) -> Result<Vec<(PathBuf, u32, Vec<u8>)>, Fault> {
    let mut seen = Vec::new();
    for entry in fs::read_dir(folder)? {
        let (path, info) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
        let mode = info.permissions().mode();
        if info.is_dir() {
            seen.extend(snapshot(&path)?);
            seen.push((path, mode, Vec::new()));
        } else {
            let content = fs::read(&path)?;
            seen.push((path, mode, content));
        }
    }
    seen.sort();
    Ok(seen)
}

#[test]
fn what_a_writer_changes_is_seen_behind_it_and_not_before() -> Test {
    let desk = Desk::new(&[("docs/a.md", "old")])?;
    let look = |id| gate(id, "do = \"read\", path = \"docs/a.md\"", "");
    let write = |id: &str, text: &str| {
        format!(
            "[[step]]\nid = \"{id}\"\ncommand = \"probe\"\nargs = [\"write\", \"docs/a.md\", \"{text}\"]\n\
             list = [\"docs/**\"]\nwrite = [\"docs/**\"]\n"
        )
    };
    let steps = [
        look("first"),
        write("one", "new"),
        look("second"),
        write("two", "newer"),
        look("third"),
    ];
    desk.pipeline(&steps.concat())?;
    let needed = desk.exits(&["run"], 3)?;
    assert!(needed.err.contains("error[LEASE-NEEDED]"), "{}", needed.err);
    assert_eq!(desk.read("docs/a.md")?, "old");
    desk.exits(&["approve"], 0)?;
    let run = desk.go(&["--jobs", "8"], 0)?;
    for (id, text) in [("first", "old"), ("second", "new"), ("third", "newer")] {
        let data = &step(&run, id)?["verdict"]["data"];
        assert_eq!(*data, format!("\"{text}\""), "{id}");
    }
    assert_eq!(step(&run, "one")?["changes"][0], "docs/a.md");
    assert_eq!(desk.read("docs/a.md")?, "newer");
    let (patches, applied) = (
        desk.bodies("patch.written")?,
        desk.bodies("commit.applied")?,
    );
    assert_eq!((patches.len(), applied.len()), (2, 2));
    assert_eq!(patches[1]["patch"], applied[1]["patch"]);
    Ok(())
}

#[test]
fn a_writer_that_does_not_pass_changes_nothing() -> Test {
    for (ending, more, exit, code) in [
        ("unreachable", "", 4, "PLUGIN-TRAPPED"),
        ("(call $exit (i32.const 1))", "", 1, "COMMAND-FAILED"),
        (
            "(loop $l (br $l))",
            "limits = { fuel = 5000000 }",
            4,
            "FUEL-EXHAUSTED",
        ),
        (
            "(loop $l (br $l))",
            "limits = { wall_ms = 100 }",
            4,
            "TIME-EXCEEDED",
        ),
        (
            "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable",
            "",
            4,
            "MEMORY-EXCEEDED",
        ),
    ] {
        let desk = with_writer(ending, more)?;
        let before = snapshot(&desk.workspace())?;
        let run = desk.go(&[], exit)?;
        assert_eq!(step(&run, "writer")?["code"], code, "{ending}");
        assert!(
            snapshot(&desk.workspace())? == before,
            "{ending}: something changed"
        );
        assert!(desk.bodies("patch.written")?.is_empty(), "{ending}");
        assert!(desk.bodies("commit.applied")?.is_empty(), "{ending}");
        assert_eq!(desk.audit()?, ("CLOSED".to_owned(), 0));
    }
    let desk = with_writer("(call $exit (i32.const 0))", "")?;
    desk.go(&[], 0)?;
    assert_eq!(desk.read("docs/a.md")?, "new");
    Ok(())
}

#[test]
fn a_shadow_run_records_and_changes_nothing() -> Test {
    let desk = with_writer("(call $exit (i32.const 0))", "")?;
    let before = snapshot(&desk.workspace())?;
    let run = desk.go(&["--shadow"], 0)?;
    assert_eq!(run["shadow"], true);
    assert!(snapshot(&desk.workspace())? == before);
    assert_eq!(desk.bodies("run.started")?[0]["shadow"], true);
    let patch = &desk.bodies("patch.written")?[0];
    assert_eq!(
        (&patch["changes"], &patch["step"]),
        (&1.into(), &"writer".into())
    );
    assert!(desk.bodies("commit.applied")?.is_empty());
    let run = desk.go(&[], 0)?;
    assert_eq!(run["shadow"], false);
    assert_eq!(desk.read("docs/a.md")?, "new");
    // The same change is the same patch.
    assert_eq!(desk.bodies("commit.applied")?[0]["patch"], patch["patch"]);
    Ok(())
}

/// Starts a run and calls `meanwhile` once the call of its only step is on the tape.
fn meanwhile(desk: &Desk, work: impl FnOnce() -> Test) -> Result<Said, Fault> {
    let mut command = desk.command(&["run", "--format", "json"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let tape = desk.home().join("tape/records.jsonl");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !fs::read_to_string(&tape)?.contains("\"call.intent\"") {
        if Instant::now() > deadline {
            return Err("the step did not begin".into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    work()?;
    Ok(said(&child.wait_with_output()?))
}

#[test]
fn a_workspace_that_changed_meanwhile_keeps_what_is_there() -> Test {
    let slow = "(call $work) (call $exit (i32.const 0))";
    for (what, path) in [
        ("content", "docs/a.md"),
        ("removed", "docs/a.md"),
        ("another", "docs/b.md"),
    ] {
        let desk = with_writer(slow, "")?;
        desk.write("docs/b.md", "b")?;
        let target = desk.workspace().join(path);
        let said = meanwhile(&desk, || match what {
            "removed" => Ok(fs::remove_file(&target)?),
            _ => Ok(fs::write(&target, "theirs")?),
        })?;
        let run: Value = serde_json::from_str(&said.out)?;
        let code = &step(&run, "writer")?["code"];
        if what == "another" {
            assert_eq!((said.exit, code), (0, &Value::Null), "{}", said.out);
            assert_eq!(
                (desk.read("docs/a.md")?.as_str(), desk.read(path)?.as_str()),
                ("new", "theirs")
            );
            continue;
        }
        assert_eq!(code, "WORKSPACE-CHANGED", "{}", said.out);
        assert!(said.exit != 0 && run["passed"] == false);
        match what {
            "removed" => assert!(!target.exists()),
            _ => assert_eq!(desk.read(path)?, "theirs"),
        }
        assert!(desk.bodies("commit.applied")?.is_empty());
        assert_eq!(
            fs::read_dir(desk.workspace().join("docs"))?.count(),
            if what == "removed" { 1 } else { 2 }
        );
        assert_eq!(desk.audit()?, ("CLOSED".to_owned(), 0));
    }
    Ok(())
}

#[test]
fn a_writer_changes_what_it_was_given_and_nothing_else() -> Test {
    for (path, exit) in [
        ("docs/a.md", 0),
        ("docs/secret.md", 3),
        ("docs/Secret.MD", 3),
        ("other.txt", 3),
        ("new.txt", 3),
        ("../out.txt", 3),
        (".git/config", 3),
    ] {
        let layout = [
            ("docs/a.md", "a"),
            ("docs/secret.md", "s"),
            ("other.txt", "o"),
            (".git/config", "[core]\n"),
        ];
        let desk = Desk::new(&layout)?;
        desk.pipeline(&format!(
            "[[step]]\nid = \"writer\"\ncommand = \"probe\"\nargs = [\"write\", \"{path}\", \"x\"]\n\
             list = [\"docs/**\"]\nread = [\"docs/**\"]\nwrite = [\"docs/**\"]\ndeny = [\"**/secret.md\"]\n"
        ))?;
        desk.exits(&["approve"], 0)?;
        let before = snapshot(&desk.workspace())?;
        let run = desk.go(&[], exit)?;
        if exit == 0 {
            assert_eq!(desk.read(path)?, "x");
            continue;
        }
        assert!(
            snapshot(&desk.workspace())? == before,
            "{path}: something changed"
        );
        let denials = &step(&run, "writer")?["denials"];
        assert!(denials[0]["code"].is_string(), "{path}: {run}");
        assert_eq!(desk.bodies("access.denied")?.len(), 1, "{path}");
        assert!(!desk.workspace().join("../out.txt").exists());
    }
    Ok(())
}

/// What is denied and hidden survives a step that empties the folder around it.
#[test]
fn a_folder_with_something_denied_inside_stays() -> Test {
    let desk = Desk::new(&[("docs/in/a.md", "a"), ("docs/in/secret.md", "s")])?;
    let writer = |act: &str, deny: &str| {
        format!(
            "[[step]]\nid = \"writer\"\ncommand = \"probe\"\nargs = {act}\nlist = [\"docs/**\"]\nwrite = [\"docs/**\"]\n{deny}"
        )
    };
    for act in [
        "[\"rename\", \"docs/in\", \"docs/out\"]",
        "[\"rmdir\", \"docs/in\"]",
    ] {
        desk.pipeline(&writer(act, "deny = [\"**/secret.md\"]\n"))?;
        desk.exits(&["approve"], 0)?;
        let said = desk.run(&["run"])?;
        assert!(said.exit == 3 || said.exit == 1, "{act}: {}", said.out);
        assert_eq!(desk.read("docs/in/secret.md")?, "s");
        assert_eq!(desk.read("docs/in/a.md")?, "a");
    }
    desk.pipeline(&writer(
        "[\"unlink\", \"docs/in/a.md\"]",
        "deny = [\"**/secret.md\"]\n",
    ))?;
    desk.exits(&["approve"], 0)?;
    desk.exits(&["run"], 0)?;
    assert!(!desk.workspace().join("docs/in/a.md").exists());
    assert_eq!(desk.read("docs/in/secret.md")?, "s");
    desk.pipeline(&writer("[\"rename\", \"docs/in\", \"docs/out\"]", ""))?;
    desk.exits(&["approve"], 0)?;
    desk.exits(&["run"], 0)?;
    assert_eq!(desk.read("docs/out/secret.md")?, "s");
    Ok(())
}
