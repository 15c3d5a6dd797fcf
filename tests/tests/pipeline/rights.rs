//! Rights beyond the lease: each is named with its line, and nothing runs until somebody approves.

use std::fs;

use leasehold_tests::Fault;

use crate::desk::{Desk, Test, prebuilt};

/// A command that writes, with every kind of right in it.
const PIPELINE: &str = r#"version = 1
[[step]]
id = "make"
command = "probe"
args = ["write", "out/a", "x"]
list = ["docs/**"]
read = ["docs/**"]
write = ["out/**"]
deny = ["**/.env"]
[step.env]
pass = ["LANG"]
set = { A = "b" }
[step.limits]
fuel = 2_000_000_000
memory_bytes = 67108864
wall_ms = 10_000
output_bytes = 65536
write_bytes = 65536
open_files = 16
"#;

/// A tree with that pipeline, approved.
fn approved() -> Result<Desk, Fault> {
    let desk = Desk::new()?;
    fs::copy(prebuilt("hostile/probe"), desk.tree().join("probe.wasm"))?;
    desk.good(&["plugin", "add", "probe.wasm"])?;
    desk.good(&["plugin", "add", "conflict-markers"])?;
    desk.write("out/old", "old\n")?;
    desk.write("leasehold.toml", PIPELINE)?;
    desk.good(&["approve"])?;
    Ok(desk)
}

#[test]
fn each_right_beyond_the_lease_is_named_with_its_line() -> Test {
    let desk = approved()?;
    for (from, to, right, line) in [
        (
            r#"list = ["docs/**"]"#,
            r#"list = ["docs/**", "a/**"]"#,
            r#"files.list "a/**""#,
            6,
        ),
        (
            r#"read = ["docs/**"]"#,
            r#"read = ["docs/**", "*"]"#,
            r#"files.read "*""#,
            7,
        ),
        (
            r#"write = ["out/**"]"#,
            r#"write = ["out/**", "in"]"#,
            r#"files.write "in""#,
            8,
        ),
        (
            r#"write = ["out/**"]"#,
            r#"write = ["**"]"#,
            r#"files.write "**""#,
            8,
        ),
        (r#""x"]"#, r#""y"]"#, r#"args ["write", "out/a", "y"]"#, 5),
        (
            r#"pass = ["LANG"]"#,
            r#"pass = ["LANG", "HOME"]"#,
            "env.pass HOME",
            11,
        ),
        (r#"A = "b""#, r#"A = "c""#, "env.set A", 12),
        (r#"A = "b""#, r#"A = "b", B = "b""#, "env.set B", 12),
        (
            "fuel = 2_000_000_000",
            "fuel = 2_000_000_001",
            "limits.fuel 2000000001",
            14,
        ),
        (
            "= 67108864",
            "= 67108865",
            "limits.memory_bytes 67108865",
            15,
        ),
        (
            "wall_ms = 10_000",
            "wall_ms = 10_001",
            "limits.wall_ms 10001",
            16,
        ),
        (
            "output_bytes = 65536",
            "output_bytes = 65537",
            "limits.output_bytes 65537",
            17,
        ),
        (
            "write_bytes = 65536",
            "write_bytes = 65537",
            "limits.write_bytes 65537",
            18,
        ),
        (
            "open_files = 16",
            "open_files = 17",
            "limits.open_files 17",
            19,
        ),
        // What is no longer stated has its default, which is more.
        ("open_files = 16\n", "", "limits.open_files 64", 13),
    ] {
        assert!(PIPELINE.contains(from), "{from}");
        desk.write("leasehold.toml", PIPELINE.replacen(from, to, 1))?;
        let said = desk.run(&["run"])?.bad(3, "RIGHTS-WIDER")?;
        said.tells(&[&format!("make wants {right} (leasehold.toml:{line})")]);
        assert!(said.err.contains("`leasehold approve`"), "{said}");
    }
    assert!(desk.records("call.intent")?.is_empty());
    assert!(!desk.tree().join("out/a").exists());
    // As it was approved.
    desk.write("leasehold.toml", PIPELINE)?;
    desk.good(&["run"])?;
    assert_eq!(desk.content("out/a")?, "x");
    desk.closed()
}

#[test]
fn less_than_the_lease_gives_needs_no_approval() -> Test {
    let desk = approved()?;
    for (from, to) in [
        (r#"list = ["docs/**"]"#, ""),
        (r#"read = ["docs/**"]"#, r#"read = ["docs/a/*.md"]"#),
        (r#"write = ["out/**"]"#, r#"write = ["out/a"]"#),
        (r#"deny = ["**/.env"]"#, r#"deny = ["**/.env", "out/b"]"#),
        (r#"pass = ["LANG"]"#, ""),
        ("fuel = 2_000_000_000", "fuel = 1_000_000_000"),
        ("write_bytes = 65536", "write_bytes = 1"),
        (
            "id = \"make\"",
            "id = \"make\"\nskip = [\"docs/private/**\"]\nneeds = []",
        ),
    ] {
        assert!(PIPELINE.contains(from), "{from}");
        desk.write("leasehold.toml", PIPELINE.replacen(from, to, 1))?;
        desk.good(&["plan"])?;
    }
    desk.good(&["run"])?;
    Ok(())
}

#[test]
fn a_deny_rule_of_the_lease_stays_whatever_the_pipeline_says() -> Test {
    let desk = approved()?;
    let pipeline = PIPELINE.replace("out/a", "out/.env");
    desk.write("leasehold.toml", &pipeline)?;
    desk.good(&["approve"])?;
    for deny in ["[\"**/.env\"]", "[]", "[\"docs/.env\"]"] {
        desk.write("leasehold.toml", pipeline.replace("[\"**/.env\"]", deny))?;
        let step = &desk.json(&["run"])?["steps"][0];
        assert_eq!(
            (&step["code"], &step["exit"]),
            (&"PATH-DENIED".into(), &3.into())
        );
        assert!(!desk.tree().join("out/.env").exists());
    }
    // That it is gone is something to approve.
    let dry = desk.good(&["approve", "--dry-run"])?;
    assert!(
        dry.out
            .contains("+ make is no longer kept out of **/.env\n"),
        "{dry}"
    );
    desk.good(&["approve"])?;
    desk.good(&["run"])?;
    assert_eq!(desk.content("out/.env")?, "x");
    Ok(())
}

#[test]
fn three_wider_rights_are_three_lines_and_one_approval() -> Test {
    let desk = approved()?;
    let wider = PIPELINE
        .replace(r#"["docs/**"]"#, r#"["docs/**", "src/**"]"#)
        .replace("fuel = 2_000_000_000", "fuel = 3_000_000_000");
    desk.write("leasehold.toml", &wider)?;
    let said = desk.bad(&["run"], 3, "RIGHTS-WIDER")?;
    let lines = [
        r#"make wants files.list "src/**" (leasehold.toml:6)"#,
        r#"make wants files.read "src/**" (leasehold.toml:7)"#,
        "make wants limits.fuel 3000000000 (leasehold.toml:14)",
    ];
    said.tells(&["does not allow 3 things"]).tells(&lines);
    // The plan says it, too, and the tape has it.
    desk.run(&["plan"])?.bad(3, "RIGHTS-WIDER")?.tells(&lines);
    let denied = desk.last("run.denied")?;
    assert_eq!(denied["code"], "RIGHTS-WIDER");
    let message = denied["message"].as_str().unwrap_or_default();
    assert!(lines.iter().all(|line| message.contains(line)), "{message}");
    assert!(desk.records("run.started")?.is_empty());
    // The difference has these three and nothing else.
    let dry = desk.json(&["approve", "--dry-run"])?;
    assert_eq!(
        dry["changes"],
        serde_json::json!([
            "+ make may read src/**",
            "+ make may use at most fuel 3000000000 instead of 2000000000"
        ])
    );
    desk.bad(&["run"], 3, "RIGHTS-WIDER")?;
    desk.good(&["approve"])?;
    desk.good(&["run"])?;
    desk.closed()
}

#[test]
fn another_plugin_or_another_use_is_a_right_of_its_own() -> Test {
    let desk = approved()?;
    let gate = "[[step]]\nid = \"markers\"\ngate = \"conflict-markers\"\nread = [\"docs/**\"]\n";
    desk.write("leasehold.toml", format!("{PIPELINE}{gate}"))?;
    desk.bad(&["run"], 3, "GRANT-MISSING")?
        .tells(&["markers wants plugin sha256:", "(leasehold.toml:22)"]);
    // The same plugin as a gate is not the command that was approved.
    let as_gate = PIPELINE.replace(
        "command = \"probe\"",
        "gate = \"probe\"\nexit = { pass = [0], fail = [1] }",
    );
    desk.write(
        "leasehold.toml",
        as_gate.replace("write = [\"out/**\"]\n", ""),
    )?;
    desk.bad(&["run"], 3, "RIGHTS-WIDER")?.tells(&["kind gate"]);
    // Under the name of the plugin that was approved stands another.
    desk.write("leasehold.toml", PIPELINE)?;
    fs::copy(prebuilt("file-ops"), desk.tree().join("other.wasm"))?;
    desk.good(&["plugin", "add", "other.wasm", "--name", "probe"])?;
    desk.bad(&["run"], 3, "GRANT-MISSING")?;
    assert!(desk.records("call.intent")?.is_empty());
    desk.good(&["plugin", "add", "probe.wasm"])?;
    desk.good(&["run"])?;
    Ok(())
}

#[test]
fn a_configuration_is_approved_to_the_byte() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "large-file"])?;
    let pipeline = |config: &str| {
        format!(
            "version = 1\n[[step]]\nid = \"large\"\ngate = \"large-file\"\nread = [\"**\"]\nconfig = {{ max_bytes = {config} }}\n"
        )
    };
    desk.write("leasehold.toml", pipeline("1000000"))?;
    let said = desk.run(&["approve"])?;
    said.good()?;
    desk.good(&["run"])?;
    desk.write("leasehold.toml", pipeline("100000000"))?;
    desk.bad(&["run"], 3, "RIGHTS-WIDER")?
        .tells(&["large wants config", "(leasehold.toml:6)"]);
    desk.good(&["approve"])?;
    desk.good(&["run"])?;
    Ok(())
}

#[test]
fn approving_shows_all_of_what_it_signs() -> Test {
    let desk = approved()?;
    // What matters stands behind what does not, and nothing moves the cursor.
    let filler = "harmless ".repeat(300);
    let hidden = format!(r#"["{filler}", "\u001b[2J\u202e", "--the-end"]"#);
    desk.write(
        "leasehold.toml",
        PIPELINE.replace(r#"["write", "out/a", "x"]"#, &hidden),
    )?;
    let said = desk.good(&["approve", "--dry-run"])?;
    assert!(said.out.contains("--the-end"), "{said}");
    let moves = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
    assert!(!said.out.contains(moves), "{said}");
    Ok(())
}
