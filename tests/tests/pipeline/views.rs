//! What a gate was not shown, and what the host itself cannot read or write.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;

use leasehold_tests::Fault;
use serde_json::Value;

use crate::outcomes::page;
use crate::site::{Desk, Said, Test, gate, said, step};
use crate::writers::with_writer;

#[test]
fn a_gate_that_judges_everything_cannot_pass_on_less() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a"), ("src/b.md", "b"), ("src/c.md", "c")])?;
    let secrets = |more: &str| format!("[[step]]\nid = \"secrets\"\ngate = \"secrets\"\n{more}\n");
    for (narrow, code) in [
        ("read = [\"docs/**\"]", "VIEW-INCOMPLETE"),
        // This one says so itself before the host does.
        ("list = [\"**\"]\nread = [\"docs/**\"]", "PLUGIN-BLOCKED"),
        ("read = [\"**\"]\ndeny = [\"src/**\"]", "VIEW-INCOMPLETE"),
    ] {
        desk.pipeline(&secrets(narrow))?;
        let run = desk.go(&[], 5)?;
        let entry = step(&run, "secrets")?;
        assert_eq!(
            (&entry["code"], &entry["status"]),
            (&code.into(), &"blocked".into()),
            "{narrow}"
        );
        // Not even the second time.
        let again = desk.go(&[], 5)?;
        assert_eq!(step(&again, "secrets")?["cached"], false, "{narrow}");
    }
    desk.pipeline(&secrets("read = [\"**\"]\nskip = [\"src/**\"]"))?;
    for cached in [false, true] {
        let run = desk.go(&[], 0)?;
        let entry = step(&run, "secrets")?;
        assert_eq!(
            (&entry["status"], &entry["cached"]),
            (&"pass".into(), &cached.into())
        );
        assert!(entry["skipped"].as_u64() > Some(0), "{entry}");
    }
    let plan = desk.exits(&["plan"], 0)?;
    assert!(plan.out.contains("src/**"), "{}", plan.out);
    assert!(page(&desk.exits(&["run"], 0)?)?.contains("src/**"));
    let report = desk.exits(&["report"], 0)?;
    assert!(report.out.contains("not judged"), "{}", report.out);
    desk.pipeline(&secrets("read = [\"**\"]"))?;
    assert_eq!(step(&desk.go(&[], 0)?, "secrets")?["skipped"], 0);
    Ok(())
}

/// A zero byte makes a file binary, and hides nothing that has a shape of its own.
#[test]
fn a_zero_byte_does_not_hide_a_key() -> Test {
    let key = concat!("id = \"AKIA", "Q3EGRT5YHUJ7KPLM\"\n");
    let desk = Desk::new(&[("a.bin", &format!("\0{key}"))])?;
    desk.pipeline("[[step]]\nid = \"secrets\"\ngate = \"secrets\"\nread = [\"**\"]\n")?;
    let run = desk.go(&[], 1)?;
    let found = &step(&run, "secrets")?["verdict"]["findings"][0];
    assert_eq!(found["rule"], "secrets/aws-access-key", "{run}");
    // The twin: what merely looks random, and words that run into each other as they do in programs, are no keys there.
    desk.write(
        "a.bin",
        "\0api_key = \"kX4vT9qLm2Zs8RwYb7NcHd\" glpat-gitlab-token-slack-token",
    )?;
    desk.go(&[], 0)?;
    Ok(())
}

#[test]
fn a_pass_says_how_much_was_not_judged() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a"), ("src/b.md", "b")])?;
    for (skip, told) in [("skip = [\"src/**\"]", true), ("", false)] {
        desk.pipeline(&format!(
            "[[step]]\nid = \"secrets\"\ngate = \"secrets\"\nread = [\"**\"]\n{skip}\n"
        ))?;
        let said = desk.exits(&["run"], 0)?;
        let text = said.out + &said.err;
        assert_eq!(text.contains("not judged"), told, "{text}");
    }
    Ok(())
}

/// Runs as a user whom file modes bind; as root that is another one.
fn as_somebody(desk: &Desk, args: &[&str]) -> Result<Option<Said>, Fault> {
    const NOBODY: u32 = 65_534;
    let mut command = desk.command(args);
    if rustix::process::geteuid().is_root() {
        for path in [desk.workspace(), desk.home()] {
            give_away(&path, NOBODY)?;
        }
        command.gid(NOBODY).uid(NOBODY);
    }
    match command.output() {
        Ok(output) => Ok(Some(said(&output))),
        // Another user does not reach the binary everywhere.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn give_away(path: &Path, user: u32) -> Test {
    chown(path, Some(user), Some(user))?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give_away(&entry?.path(), user)?;
        }
    }
    Ok(())
}

#[test]
fn what_the_host_cannot_read_is_not_passed_over() -> Test {
    for (path, locked, open) in [("src", 0o000, 0o755), ("src/b.md", 0o000, 0o644)] {
        let desk = Desk::new(&[("docs/a.md", "a"), ("src/b.md", "b")])?;
        desk.pipeline("[[step]]\nid = \"secrets\"\ngate = \"secrets\"\nread = [\"**\"]\n")?;
        let target = desk.workspace().join(path);
        for (mode, passes) in [(open, true), (locked, false), (open, true)] {
            fs::set_permissions(&target, fs::Permissions::from_mode(mode))?;
            let Some(said) = as_somebody(&desk, &["run", "--format", "json"])? else {
                eprintln!("skipped: another user cannot run the binary here");
                return Ok(());
            };
            assert_eq!(
                said.exit == 0,
                passes,
                "{path} {mode:o}: {}{}",
                said.out,
                said.err
            );
            let run: Value = serde_json::from_str(&said.out)?;
            let status = &step(&run, "secrets")?["status"];
            assert_eq!(status == "pass", passes, "{path} {mode:o}: {run}");
        }
    }
    Ok(())
}

#[test]
fn a_workspace_that_cannot_be_written_is_judged_and_not_changed() -> Test {
    let desk = with_writer("(call $exit (i32.const 0))", "")?;
    let folders = [desk.workspace().join("docs"), desk.workspace()];
    let mode = |mode| -> Test {
        for folder in &folders {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    };
    mode(0o555)?;
    let Some(said) = as_somebody(&desk, &["run", "--format", "json"])? else {
        eprintln!("skipped: another user cannot run the binary here");
        return Ok(());
    };
    let run: Value = serde_json::from_str(&said.out)?;
    assert_eq!(
        step(&run, "writer")?["code"],
        "WORKSPACE-READONLY",
        "{}",
        said.out
    );
    assert!(said.exit != 0);
    assert_eq!(desk.read("docs/a.md")?, "old");
    // What only reads does not mind.
    let lease = fs::read(desk.workspace().join("leasehold.lease"))?;
    fs::remove_file(desk.workspace().join("leasehold.lease"))?;
    let approved = desk.read("leasehold.toml")?;
    desk.pipeline(&gate("reader", "do = \"read\", path = \"docs/a.md\"", ""))?;
    let reader = as_somebody(&desk, &["run"])?.ok_or("not again")?;
    assert_eq!(reader.exit, 0, "{}{}", reader.out, reader.err);
    desk.write("leasehold.toml", approved)?;
    desk.write("leasehold.lease", lease)?;
    mode(0o755)?;
    let writer = as_somebody(&desk, &["run"])?.ok_or("not again")?;
    assert_eq!(writer.exit, 0, "{}{}", writer.out, writer.err);
    assert_eq!(desk.read("docs/a.md")?, "new");
    Ok(())
}
