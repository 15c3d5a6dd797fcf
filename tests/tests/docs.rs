//! Every console block of the README and of `docs/` is run, in order, through the binary, in a temporary folder that looks
//! like a fresh clone with the command installed.
//!
//! In a block, `$ ` begins a command; the lines under it are what it prints, standard output and error together. `[..]`
//! stands for anything within a line, `...` for any lines, and a comment `# exit N` for the exit code where it is not 0.

use std::fs;
use std::path::Path;
use std::process::Command;

use leasehold_tests::{Fault, binary, repository};

struct Step {
    line: usize,
    command: String,
    exit: i32,
    expected: Vec<String>,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => {
                    let (command, exit) = match command.split_once("  # exit ") {
                        Some((command, code)) => (command, code.trim().parse().unwrap_or(-1)),
                        None => (command, 0),
                    };
                    steps.push(Step {
                        line: index + 1,
                        command: command.trim_end().to_owned(),
                        exit,
                        expected: Vec::new(),
                    });
                }
                (None, Some(step)) => step.expected.push(line.to_owned()),
                (None, None) => {}
            },
        }
    }
    steps
}

/// Whether a line is as expected, with `[..]` for anything.
fn line_fits(expected: &str, line: &str) -> bool {
    let mut parts = expected.split("[..]");
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn fits(expected: &[String], lines: &[&str]) -> bool {
    match (expected.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((first, after)), _) if first == "..." => {
            (0..=lines.len()).any(|skip| fits(after, &lines[skip..]))
        }
        (Some((first, after)), Some((line, rest))) => {
            line_fits(first, line.trim_end()) && fits(after, rest)
        }
        _ => false,
    }
}

fn clone_like(folder: &Path) -> Result<(), Fault> {
    let prebuilt = Path::new("plugins/prebuilt");
    for part in [prebuilt.to_owned(), prebuilt.join("hostile")] {
        fs::create_dir_all(folder.join(&part))?;
        for entry in fs::read_dir(repository().join(&part))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), folder.join(&part).join(entry.file_name()))?;
            }
        }
    }
    Ok(())
}

/// Runs the blocks of one document and gives what was not as it says.
fn differences(document: &Path) -> Result<Vec<String>, Fault> {
    let steps = steps(&fs::read_to_string(document)?);
    let temporary = tempfile::tempdir()?;
    let clone = temporary.path().join("clone");
    clone_like(&clone)?;
    let binary = binary()?;
    let tools = binary.parent().map(Path::to_owned).unwrap_or_default();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH")?);
    let mut differences = Vec::new();
    for step in steps {
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {}\n}} 2>&1", step.command)])
            .current_dir(&clone)
            .env_remove("CI")
            .env("LEASEHOLD_HOME", temporary.path().join("home"))
            .env("PATH", &path)
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<_> = said.lines().collect();
        let exit = output.status.code();
        if exit != Some(step.exit) || !fits(&step.expected, &lines) {
            differences.push(format!(
                "line {}: $ {}\nexit {exit:?}, expected {}\nsaid:\n{said}\nexpected:\n{}\n",
                step.line,
                step.command,
                step.exit,
                step.expected.join("\n")
            ));
        }
    }
    Ok(differences)
}

fn is_true(document: &str) -> Result<(), Fault> {
    let found = differences(&repository().join(document))?;
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("{document}:\n{}", found.join("\n")).into())
}

#[test]
fn the_readme_is_true() -> Result<(), Fault> {
    is_true("README.md")
}

#[test]
fn the_tutorial_is_true() -> Result<(), Fault> {
    is_true("docs/tutorial.md")
}

#[test]
fn the_other_documents_are_true() -> Result<(), Fault> {
    [
        "authoring",
        "decisions",
        "lease",
        "pipeline",
        "policy",
        "security",
        "tape",
    ]
    .iter()
    .try_for_each(|document| is_true(&format!("docs/{document}.md")))
}

#[test]
fn a_document_that_is_not_true_is_found() {
    let temporary = tempfile::tempdir().unwrap();
    let document = temporary.path().join("x.md");
    let lie = "```console\n$ echo one\none\n$ echo two\nthree\n$ false\n$ false  # exit 1\n```\n";
    fs::write(&document, lie).unwrap();
    let found = differences(&document).unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("line 4: $ echo two") && found[1].starts_with("line 6: $ false"));
}

#[test]
fn wildcards_mean_what_they_say() {
    assert!(line_fits("a[..]c", "abbc") && line_fits("[..]", "") && line_fits("x", "x"));
    assert!(
        !line_fits("a[..]c", "abb") && !line_fits("x", "xy") && !line_fits("a[..]b[..]c", "acc")
    );
    let expected = ["one".to_owned(), "...".to_owned(), "three".to_owned()];
    assert!(fits(&expected, &["one", "two", "two", "three"]) && fits(&expected, &["one", "three"]));
    assert!(!fits(&expected, &["one", "two"]));
}
