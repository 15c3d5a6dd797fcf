//! Which commit a name stands for, and commits whose rules are not what they should be.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::json;

use crate::desk::{Desk, Test};
use crate::repo::{commit, judgement, plant, repository};

#[test]
fn a_name_stands_for_one_commit_or_nothing_runs() -> Test {
    let desk = repository()?;
    let main = desk.git(&["rev-parse", "main"])?;
    commit(&desk, "more")?;
    desk.git(&["tag", "-a", "-m", "one", "v1", "main"])?;
    desk.git(&["update-ref", "refs/remotes/origin/main", "main"])?;
    for name in [
        "main",
        "v1",
        "HEAD~1",
        "HEAD^",
        "@~",
        "origin/main",
        "refs/heads/main",
        &main,
        &main[..10],
    ] {
        desk.good(&["run", "--rules", name])?;
        let rules = desk.last("run.started")?["rules"].clone();
        assert_eq!(rules, json!({"commit": main, "reference": name}));
    }
    for name in [
        "nope",
        "origin/nope",
        "HEAD~9",
        "v1^3",
        "0123456789",
        &"0".repeat(40),
        &main[..3],
    ] {
        desk.run(&["run", "--rules", name])?.bad(
            5,
            match name {
                name if name.len() == 40 => "GIT-OBJECT",
                _ => "GIT-REF",
            },
        )?;
    }
    // Where git would choose, this does not.
    desk.git(&["tag", "main", "change"])?;
    desk.bad(&["run", "--rules", "main"], 5, "GIT-REF")?
        .tells(&["refs/tags/main", "refs/heads/main"]);
    desk.good(&["run", "--rules", "refs/heads/main"])?;
    desk.closed()
}

#[test]
fn a_hostile_name_names_no_commit() -> Test {
    let desk = repository()?;
    let starts = desk.records("run.started")?.len();
    let long = "a/".repeat(50_000);
    for name in [
        "",
        " ",
        "-x",
        "--upload-pack=touch pwned",
        "~1",
        "^main",
        "main..change",
        "main@{1}",
        "@{u}",
        "main:leasehold.toml",
        ":/rules",
        "main^{tree}",
        "main^{/rules}",
        "../../main",
        "refs/heads/../../HEAD",
        "/etc/passwd",
        "main\n",
        "main\u{1b}[2J",
        "\u{202e}niam",
        "main~99999999999999999999",
        "main*",
        "m?in",
        "[m]ain",
        "main\\",
        "$(touch pwned)",
        "`touch pwned`",
        "FETCH_HEAD",
        "refs/heads",
        ".",
        "..",
        &long,
    ] {
        let said = desk
            .run(&["run", &format!("--rules={name}")])?
            .bad(5, "GIT-REF");
        let said = said.map_err(|error| format!("{:?}: {error}", &name[..name.len().min(40)]))?;
        let moves = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
        assert!(
            !said.err.contains(moves) && said.err.len() < 4_000,
            "{said}"
        );
    }
    assert_eq!(desk.records("run.started")?.len(), starts);
    assert!(!desk.tree().join("pwned").exists());
    desk.good(&["run", "--rules=main"])?;
    Ok(())
}

#[test]
fn without_a_repository_or_a_commit_there_are_no_rules_to_take() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets", "--step"])?;
    desk.bad(&["run", "--rules", "main"], 5, "GIT-MISSING")?;
    desk.git(&["init", "-q", "-b", "main"])?;
    desk.bad(&["run", "--rules", "main"], 5, "GIT-REF")?;
    desk.bad(&["run", "--rules", "HEAD"], 5, "GIT-REF")?;
    desk.good(&["run"])?;
    desk.write("a", "a")?;
    desk.git(&["add", "a"])?;
    desk.git(&["commit", "-q", "-m", "no rules"])?;
    // What lies on disk does not stand in for what the commit lacks.
    desk.bad(&["run", "--rules", "main"], 5, "PIPELINE-MISSING")?;
    commit(&desk, "rules")?;
    desk.good(&["run", "--rules", "main"])?;
    Ok(())
}

#[test]
fn rules_in_a_commit_are_plain_files_too() -> Test {
    let desk = repository()?;
    desk.git(&["checkout", "-q", "main"])?;
    for name in [
        "leasehold.toml",
        "leasehold.lock",
        "leasehold.lease",
        "leasehold.policy.json",
        "leasehold.trust.json",
        "tools/markers.wasm",
    ] {
        let path = desk.tree().join(name);
        let kept = fs::read(&path)?;
        fs::write(desk.tree().join("same"), &kept)?;
        fs::remove_file(&path)?;
        symlink("same", &path)?;
        commit(&desk, "a link")?;
        desk.run(&["run", "--rules", "main"])?
            .bad(3, "GIT-ENTRY")?
            .tells(&["symbolic link"]);
        fs::remove_file(&path)?;
        desk.write(&format!("{name}/x"), "x")?;
        commit(&desk, "a folder")?;
        desk.run(&["run", "--rules", "main"])?
            .bad(3, "GIT-ENTRY")?
            .tells(&["directory"]);
        fs::remove_dir_all(&path)?;
        fs::write(&path, kept)?;
        commit(&desk, "a file")?;
        desk.good(&["run", "--rules", "main"])?;
    }
    // A folder on the way to a plugin may not be a link either.
    fs::rename(desk.tree().join("tools"), desk.tree().join("real"))?;
    symlink("real", desk.tree().join("tools"))?;
    commit(&desk, "a link on the way")?;
    desk.run(&["run", "--rules", "main"])?.bad(3, "GIT-ENTRY")?;
    assert_eq!(desk.last("run.denied")?["code"], "GIT-ENTRY");
    Ok(())
}

#[test]
fn reading_a_commit_runs_nothing_and_converts_nothing() -> Test {
    let desk = repository()?;
    plant(&desk)?;
    let expected = judgement(&desk.json(&["run", "--rules", "main"])?)?;
    let touch = desk.outside("touch");
    fs::write(
        &touch,
        format!("#!/bin/sh\ntouch {}\n", desk.outside("pwned").display()),
    )?;
    fs::set_permissions(&touch, fs::Permissions::from_mode(0o755))?;
    let touch = touch.to_str().ok_or("not UTF-8")?;
    for (key, value) in [
        ("core.fsmonitor", touch),
        ("core.sshCommand", touch),
        ("core.pager", touch),
        ("filter.evil.smudge", touch),
        ("filter.evil.process", touch),
        ("credential.helper", touch),
        ("core.autocrlf", "true"),
        ("core.eol", "crlf"),
        ("core.hooksPath", "tools"),
        ("extensions.partialClone", "origin"),
    ] {
        desk.git(&["config", key, value])?;
    }
    desk.write(".git/info/attributes", "* filter=evil text eol=crlf\n")?;
    assert_eq!(
        judgement(&desk.json(&["run", "--rules", "main"])?)?,
        expected
    );
    assert!(!desk.outside("pwned").exists());
    Ok(())
}

#[test]
fn an_object_that_was_put_in_the_place_of_another_does_not_count() -> Test {
    let desk = repository()?;
    plant(&desk)?;
    let expected = judgement(&desk.json(&["run", "--rules", "main"])?)?;
    // A replacement for the commit, as `git replace` makes it.
    desk.git(&["checkout", "-q", "-b", "other", "main"])?;
    desk.replace("leasehold.toml", "read = [\"**\"]", "read = [\"docs/**\"]")?;
    desk.git(&["commit", "-q", "-m", "lax", "leasehold.toml"])?;
    desk.git(&["replace", "main", "other"])?;
    assert!(
        desk.git(&["show", "main:leasehold.toml"])?
            .contains("docs/**")
    );
    assert_eq!(
        judgement(&desk.json(&["run", "--rules", "main"])?)?,
        expected
    );
    // An object whose content is not what its name says.
    desk.git(&["replace", "-d", "main"])?;
    let blob = desk.git(&["rev-parse", "main:leasehold.toml"])?;
    let other = desk.git(&["rev-parse", "other:leasehold.toml"])?;
    let object = |id: &str| {
        desk.tree()
            .join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))
    };
    let sound = fs::read(object(&blob))?;
    fs::set_permissions(object(&blob), fs::Permissions::from_mode(0o644))?;
    fs::copy(object(&other), object(&blob))?;
    desk.run(&["run", "--rules", "main"])?
        .bad(2, "GIT-OBJECT")?;
    fs::remove_file(object(&blob))?;
    desk.run(&["run", "--rules", "main"])?
        .bad(5, "GIT-OBJECT")?;
    fs::write(object(&blob), sound)?;
    assert_eq!(
        judgement(&desk.json(&["run", "--rules", "main"])?)?,
        expected
    );
    Ok(())
}
