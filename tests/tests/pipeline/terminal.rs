//! With a terminal, without one, and for programs.

use std::process::{Command, Stdio};

use leasehold_tests::Fault;
use serde_json::Value;

use crate::site::{Desk, Test, gate, said};

#[test]
fn without_a_terminal_there_are_plain_lines() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a")])?;
    let steps = [
        gate("good", "do = \"pass\"", ""),
        gate("bad", "do = \"fail\", findings = 1, message_bytes = 1", ""),
    ];
    desk.pipeline(&steps.concat())?;
    let said = desk.exits(&["run"], 1)?;
    for text in [&said.out, &said.err] {
        assert!(!text.contains(['\u{1b}', '\r']), "{text:?}");
    }
    assert_eq!(
        said.err.lines().count(),
        3,
        "one for the run and one for each step: {}",
        said.err
    );
    Ok(())
}

/// What a command shows on a pseudo terminal, with these variables set; `None` where there is no `script`.
fn on_a_terminal(desk: &Desk, vars: &[(&str, &str)]) -> Result<Option<String>, Fault> {
    let binary = leasehold_tests::binary()?;
    let line = format!("'{}' run --no-cache", binary.display());
    let output = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(desk.workspace())
        .env_clear()
        .env("LEASEHOLD_HOME", desk.home())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TERM", "xterm-256color")
        .envs(vars.iter().copied())
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => Ok(Some(said(&output).out)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether there is a colour code: ESC [ … m.
fn coloured(text: &str) -> bool {
    let codes = text.split("\u{1b}[").skip(1);
    let mut ends = codes.filter_map(|code| {
        code.find(|c: char| c.is_ascii_alphabetic())
            .map(|at| &code[at..=at])
    });
    ends.any(|end| end == "m")
}

#[test]
fn no_color_means_no_colour_on_a_terminal_too() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a")])?;
    let slow = "limits = { fuel = 1000000000000000, wall_ms = 400 }";
    desk.pipeline(
        &[
            gate("good", "do = \"pass\"", ""),
            gate("long", "do = \"spin\"", slow),
        ]
        .concat(),
    )?;
    let Some(text) = on_a_terminal(&desk, &[])? else {
        eprintln!("skipped: there is no `script` here");
        return Ok(());
    };
    assert!(coloured(&text) && text.contains("long"), "{text:?}");
    let text = on_a_terminal(&desk, &[("NO_COLOR", "1")])?.unwrap_or_default();
    assert!(
        !coloured(&text) && text.contains("good: passed"),
        "{text:?}"
    );
    assert!(text.contains("report: "), "{text:?}");
    let text = on_a_terminal(&desk, &[("NO_COLOR", "1"), ("TERM", "dumb")])?.unwrap_or_default();
    assert!(
        !text.contains('\u{1b}') && text.contains("good: passed"),
        "{text:?}"
    );
    Ok(())
}

#[test]
fn every_command_speaks_json() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a")])?;
    desk.pipeline(&gate("good", "do = \"pass\"", ""))?;
    for (args, exit) in [
        (&["plan"][..], 0),
        (&["run"], 0),
        (&["run", "--shadow", "--no-cache", "--jobs", "1"], 0),
        (&["status"], 0),
        (&["status", "--follow"], 0),
        (&["report"], 0),
        (&["cache", "explain", "good"], 0),
        (&["cache", "explain", "sing"], 64),
        (&["approve", "--dry-run"], 0),
        (&["approve"], 0),
        (&["run"], 0),
        (&["plugin", "list"], 0),
        (&["plugin", "add", "secrets", "--step"], 0),
        // The lease does not have the new step.
        (&["run"], 3),
        (&["tape", "verify"], 0),
        (&["status", "nothing"], 5),
        (&["run", "--workspace", "nowhere"], 5),
        (&["run", "--rules", "HEAD"], 5),
    ] {
        let args = [args, &["--format", "json"]].concat();
        let said = desk.exits(&args, exit)?;
        assert_eq!(said.err, "", "{args:?}");
        let document = serde_json::from_str::<Value>(&said.out)
            .map_err(|error| format!("{args:?}: {error}: {}", said.out))?;
        let code = &document["error"]["exit"];
        assert!(exit == 0 || *code == exit, "{args:?}: {document}");
    }
    Ok(())
}
