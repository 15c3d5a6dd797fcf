//! Worktrees, folders within a repository, and repositories that are none: where the rules of a tree are looked for.

use std::fs;
use std::os::unix::fs::symlink;

use leasehold_tests::Fault;
use serde_json::json;

use crate::desk::{Desk, Test, everything, prebuilt};
use crate::repo::{commit, judgement, plant, repository};

const LAX: &str =
    "version = 1\n[[step]]\nid = \"markers\"\ngate = \"conflict-markers\"\nread = [\"**\"]\n";

/// A repository with lax rules at its top and strict ones in `app`, where a secret is planted.
fn nested() -> Result<Desk, Fault> {
    let desk = Desk::new()?;
    desk.git(&["init", "-q", "-b", "main"])?;
    desk.good(&["plugin", "add", "conflict-markers"])?;
    desk.write("leasehold.toml", LAX)?;
    desk.write("app/readme", "app\n")?;
    desk.good(&["plugin", "add", "--workspace", "app", "secrets", "--step"])?;
    commit(&desk, "rules")?;
    desk.git(&["checkout", "-q", "-b", "change"])?;
    desk.write(
        "app/settings.txt",
        concat!("id = \"AKIA", "Q3EGRT5YHUJ7KPLM\"\n"),
    )?;
    commit(&desk, "leak")?;
    Ok(desk)
}

#[test]
fn a_worktree_is_judged_as_its_repository_is() -> Test {
    let desk = repository()?;
    plant(&desk)?;
    commit(&desk, "leak")?;
    let expected = judgement(&desk.json(&["run", "--rules", "main"])?)?;
    desk.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "beside",
        "../beside",
        "change",
    ])?;
    // The tree beside it has lost its rules, and its `.git` is a file.
    for name in ["leasehold.toml", "leasehold.lock", "leasehold.policy.json"] {
        fs::remove_file(desk.outside("beside").join(name))?;
    }
    desk.git_in("../beside", &["commit", "-q", "-a", "-m", "no rules"])?;
    assert!(desk.outside("beside/.git").is_file());
    let said = desk.run_in("../beside", &["--format", "json", "run", "--rules", "main"])?;
    assert_eq!(judgement(&said.exits(1)?.json()?)?, expected);
    let started = desk.last("run.started")?;
    assert_eq!(started["base"], json!(desk.git(&["rev-parse", "beside"])?));
    fs::write(desk.outside("beside").join(crate::repo::LEAK), "fine\n")?;
    desk.run_in("../beside", &["run", "--rules", "main"])?
        .good()?;
    // By its own rules there is nothing to run.
    desk.run_in("../beside", &["run"])?
        .bad(5, "PIPELINE-MISSING")?;
    Ok(())
}

#[test]
fn a_plugin_in_a_worktree_does_not_see_its_repository() -> Test {
    let desk = repository()?;
    desk.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "beside",
        "../beside",
        "change",
    ])?;
    let beside = desk.outside("beside");
    fs::copy(prebuilt("hostile/probe"), beside.join("probe.wasm"))?;
    let before = everything(&desk.tree().join(".git"))?;
    desk.run_in(&beside, &["plugin", "add", "probe.wasm"])?
        .good()?;
    let mut pipeline = "version = 1\n".to_owned();
    for (at, args) in [
        ["read", ".git"].as_slice(),
        &["write", ".git", "x"],
        &["unlink", ".git"],
        &["rename", ".git", "x"],
        &["write", "x", "y"],
    ]
    .iter()
    .enumerate()
    {
        pipeline += &format!(
            "[[step]]\nid = \"s{at}\"\ncommand = \"probe\"\nargs = {args:?}\nread = [\"**\"]\nwrite = [\"**\"]\n"
        );
    }
    fs::write(beside.join("leasehold.toml"), pipeline)?;
    fs::remove_file(beside.join("leasehold.policy.json"))?;
    desk.run_in(&beside, &["approve"])?.good()?;
    let run = desk
        .run_in(&beside, &["--format", "json", "run"])?
        .exits(3)?
        .json()?;
    for at in 0..4 {
        let step = &run["steps"][at];
        assert_eq!(
            (&step["code"], &step["status"]),
            (&"PATH-PROTECTED".into(), &"fail".into()),
            "{step}"
        );
    }
    assert_eq!(run["steps"][4]["status"], "pass");
    assert!(everything(&desk.tree().join(".git"))? == before);
    Ok(())
}

#[test]
fn a_folder_of_a_repository_is_judged_by_the_rules_in_that_folder() -> Test {
    let desk = nested()?;
    let strict = |said: crate::desk::Said| -> Test {
        let run = said.exits(1)?.json()?;
        assert_eq!(run["steps"][0]["step"], "secrets");
        Ok(())
    };
    let run = ["--format", "json", "run", "--rules", "main"];
    let named = [&run[..], &["--workspace", "app"]].concat();
    strict(desk.run_in("app", &run)?)?;
    strict(desk.run(&named)?)?;
    // Named, it is judged by them whatever the branch has done to its own.
    fs::remove_file(desk.tree().join("app/leasehold.toml"))?;
    strict(desk.run(&named)?)?;
    desk.write("app/leasehold.toml", LAX)?;
    strict(desk.run(&named)?)?;
    // The top has its own, which look for something else.
    desk.good(&["run", "--rules", "main"])?;
    desk.write("app/settings.txt", "fine\n")?;
    desk.good(&["run", "--rules", "main", "--workspace", "app"])?;
    Ok(())
}

#[test]
fn the_tree_does_not_choose_which_rules_of_the_commit_judge_it() -> Test {
    let desk = nested()?;
    let run = ["--format", "json", "run", "--rules", "main"];
    assert_eq!(
        desk.run_in("app", &run)?.exits(1)?.json()?["steps"][0]["step"],
        "secrets"
    );
    // Without its pipeline on disk, the folder above would be the nearest with one.
    fs::remove_file(desk.tree().join("app/leasehold.toml"))?;
    commit(&desk, "no rules")?;
    let run = desk.run_in("app", &run)?.exits(1)?.json()?;
    assert_eq!(run["steps"][0]["step"], "secrets");
    Ok(())
}

#[test]
fn a_pipeline_that_only_the_tree_has_does_not_move_the_root() -> Test {
    let desk = repository()?;
    desk.write("docs/a.md", "a\n")?;
    commit(&desk, "docs")?;
    plant(&desk)?;
    desk.run_in("docs", &["run", "--rules", "main"])?.exits(1)?;
    // A branch that makes the folder the root of its own has nothing there that main knows.
    desk.write("docs/leasehold.toml", LAX)?;
    let said = desk.run_in("docs", &["run", "--rules", "main"])?;
    assert!(matches!(said.code, Some(1 | 5)), "{said}");
    Ok(())
}

#[test]
fn files_that_look_like_a_repository_are_none() -> Test {
    let desk = nested()?;
    // A whole repository of somebody else, whose main has lax rules.
    let other = Desk::new()?;
    other.git(&["init", "-q", "-b", "main"])?;
    other.good(&["plugin", "add", "conflict-markers"])?;
    other.write("leasehold.toml", LAX)?;
    commit(&other, "lax")?;
    let git = other.tree().join(".git");
    let app = desk.tree().join("app");
    for (name, content) in everything(&git)? {
        let fits = ["HEAD", "objects", "refs"]
            .iter()
            .any(|part| name.starts_with(part));
        match name.strip_suffix('/') {
            _ if !fits => {}
            Some(folder) => fs::create_dir_all(app.join(folder))?,
            None => fs::write(app.join(name), content)?,
        }
    }
    let inside = app.to_str().ok_or("not UTF-8")?;
    for config in [
        String::new(),
        "[core]\nbare = true\n".to_owned(),
        "[core]\nbare = false\n".to_owned(),
        "[core]\nbare = false\nworktree = .\n".to_owned(),
        format!("[core]\nbare = false\nworktree = {inside}\n"),
    ] {
        desk.write("app/config", &config)?;
        for said in [
            desk.run_in("app", &["run", "--rules", "main"])?,
            desk.run(&["run", "--rules", "main", "--workspace", "app"])?,
        ] {
            // Red, or no rules at all: never those of the other repository.
            assert!(matches!(said.code, Some(1 | 5)), "{config:?}: {said}");
        }
    }
    // As the private folder of a linked worktree, which says itself where its tree and its repository are.
    for part in ["objects", "refs"] {
        fs::create_dir_all(app.join("g"))?;
        fs::rename(app.join(part), app.join("g").join(part))?;
    }
    fs::remove_file(app.join("config"))?;
    desk.write("app/commondir", "g\n")?;
    desk.write("app/gitdir", "./.git\n")?;
    for said in [
        desk.run_in("app", &["run", "--rules", "main"])?,
        desk.run(&["run", "--rules", "main", "--workspace", "app"])?,
    ] {
        assert!(matches!(said.code, Some(1 | 5)), "a worktree: {said}");
    }
    assert!(
        desk.records("run.started")?
            .iter()
            .all(|body| body["rules"]["commit"]
                == json!(desk.git(&["rev-parse", "main"]).unwrap_or_default()))
    );
    Ok(())
}

/// Puts a repository with lax rules in the place of a folder, as a submodule.
fn with_submodule(desk: &Desk, folder: &str) -> Result<Desk, Fault> {
    let other = Desk::new()?;
    other.git(&["init", "-q", "-b", "main"])?;
    other.good(&["plugin", "add", "conflict-markers"])?;
    other.write("leasehold.toml", LAX)?;
    other.write("settings.txt", desk.content("app/settings.txt")?)?;
    commit(&other, "lax")?;
    desk.git(&["rm", "-rfq", "app"])?;
    let from = other.tree();
    let from = from.to_str().ok_or("not UTF-8")?;
    desk.git(&["submodule", "--quiet", "add", from, folder])?;
    commit(desk, "a submodule")?;
    Ok(other)
}

#[test]
fn a_folder_replaced_by_a_submodule_does_not_bring_its_own_rules() -> Test {
    let desk = nested()?;
    let other = with_submodule(&desk, "app")?;
    desk.bad(
        &["run", "--rules", "main", "--workspace", "app"],
        3,
        "GIT-SUBMODULE",
    )?;
    desk.run_in("app", &["run", "--rules", "origin/main"])?
        .bad(3, "GIT-SUBMODULE")?;
    assert!(desk.records("run.started")?.is_empty());
    // By itself it is a repository as any other, also where it lies within another one.
    other.good(&["run", "--rules", "main"])?;
    let from = other.tree();
    let from = from.to_str().ok_or("not UTF-8")?;
    desk.git(&["clone", "-q", from, "clone"])?;
    desk.run_in("clone", &["run", "--rules", "origin/main"])?
        .good()?;
    Ok(())
}

#[test]
fn a_submodule_does_not_hide_behind_files_that_look_like_a_repository() -> Test {
    let desk = nested()?;
    let other = with_submodule(&desk, "libs/app")?;
    for name in ["HEAD", "config"] {
        let content = fs::read(other.tree().join(".git").join(name))?;
        desk.write(&format!("libs/{name}"), content)?;
    }
    desk.write("libs/objects/info/packs", "")?;
    desk.write(
        "libs/refs/heads/x",
        "0000000000000000000000000000000000000001\n",
    )?;
    let said = desk.run(&["run", "--rules", "main", "--workspace", "libs/app"])?;
    assert_ne!(said.code, Some(0), "{said}");
    let said = desk.run_in("libs/app", &["run", "--rules", "origin/main"])?;
    assert_ne!(said.code, Some(0), "{said}");
    Ok(())
}

#[test]
fn a_workspace_that_became_a_link_is_not_judged_by_the_rules_behind_it() -> Test {
    let desk = nested()?;
    desk.git(&["checkout", "-q", "main"])?;
    desk.write("lax/readme", "lax\n")?;
    desk.good(&[
        "plugin",
        "add",
        "--workspace",
        "lax",
        "conflict-markers",
        "--step",
    ])?;
    commit(&desk, "lax")?;
    desk.git(&["checkout", "-q", "change"])?;
    desk.git(&["merge", "-q", "main"])?;
    let run = ["run", "--rules", "main", "--workspace", "app"];
    desk.run(&run)?.exits(1)?;
    // A link outside of the tree is the user's own.
    symlink(desk.tree(), desk.outside("way"))?;
    let by_link = ["run", "--rules", "main", "--workspace", "../way/app"];
    desk.run(&by_link)?.exits(1)?;
    fs::rename(
        desk.tree().join("app/settings.txt"),
        desk.tree().join("lax/settings.txt"),
    )?;
    fs::remove_dir_all(desk.tree().join("app"))?;
    symlink("lax", desk.tree().join("app"))?;
    commit(&desk, "a link")?;
    let said = desk.run(&run)?;
    assert_ne!(said.code, Some(0), "{said}");
    Ok(())
}
