//! Attacks on files, through a real guest and the one door. Each has a twin: the same guest, under a wider lease, succeeds.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};

use leasehold_files::{Content, FileId, Protected};
use leasehold_sandbox::Ending;
use leasehold_seal::Digest;
use leasehold_tests::{Fault, Stage, answer, code, run, said, tree, twins};

type Test = Result<(), Fault>;

const ALL: &str = "l:** r:**";

#[test]
fn no_path_leads_out_of_the_workspace() -> Test {
    let stage = Stage::probe(&[("a.txt", "inside"), ("x/b.txt", "")])?;
    let outside = stage.rig.folder().join("outside.txt");
    fs::write(&outside, "outside")?;
    let own = stage.rig.workspace().join("a.txt");
    let absolute = [&outside, &own].map(|path| path.to_string_lossy().into_owned());
    for path in [
        "../outside.txt",
        "./../outside.txt",
        "x/../../outside.txt",
        "x//..//./..///outside.txt",
        "../workspace/a.txt",
        "/a.txt",
        "//etc/passwd",
        &absolute[0],
        &absolute[1],
    ] {
        let bad = stage.run("l:** r:** w:**", &["raw-read", path])?;
        assert_eq!(code(&bad), "PATH-ESCAPE", "{path}: {bad:?}");
        assert!(!said(&bad).contains("side"), "{path}: {}", said(&bad));
    }
    let bad = stage.run("l:** r:** w:**", &["raw-write", "../outside.txt", "x"])?;
    assert_eq!(code(&bad), "PATH-ESCAPE");
    assert_eq!(fs::read_to_string(&outside)?, "outside");
    // The same paths, where the workspace is the folder above.
    for path in [
        "workspace/../outside.txt",
        "./outside.txt",
        "workspace/x/../../outside.txt",
    ] {
        let good = stage.run_in(stage.rig.folder(), ALL, &["raw-read", path])?;
        assert_eq!(answer(&good)["text"], "outside", "{path}: {good:?}");
    }
    // What a library knows to be the workspace is no escape.
    let good = stage.run(ALL, &["read", "/a.txt"])?;
    assert_eq!(answer(&good)["text"], "inside");
    Ok(())
}

/// The workspace was once also offered as `/workspace`; libraries then took `workspace/x` for `x`.
#[test]
fn a_folder_called_workspace_is_not_taken_for_the_root() -> Test {
    let stage = Stage::probe(&[("a.txt", "root"), ("workspace/a.txt", "folder")])?;
    for path in ["workspace/a.txt", "./workspace/a.txt", "/workspace/a.txt"] {
        let good = stage.run(ALL, &["read", path])?;
        assert_eq!(answer(&good)["text"], "folder", "{path}: {good:?}");
    }
    let good = stage.run(ALL, &["read", "a.txt"])?;
    assert_eq!(answer(&good)["text"], "root");
    Ok(())
}

#[test]
fn a_denied_file_stays_denied_however_it_is_spelled() -> Test {
    let stage = Stage::probe(&[("dir/secret", "s"), ("dir/open", "o")])?;
    for path in [
        "dir/secret",
        "dir//secret",
        "./dir/./secret",
        "dir/../dir/secret",
        "dir/.//secret",
    ] {
        let narrow = "l:** r:** d:dir/secret";
        let (bad, _) = twins(&stage, &["raw-read", path], "PATH-DENIED", narrow, ALL)?;
        assert_eq!(bad.denials.list[0].path, "dir/secret");
    }
    // A slash at the end asks for a directory: refused as ever where it is denied, and no way round elsewhere.
    let denied = stage.run("l:** r:** d:dir/secret", &["raw-read", "dir/secret/"])?;
    assert_eq!(code(&denied), "PATH-DENIED");
    let file = stage.run(ALL, &["raw-read", "dir/open/"])?;
    assert_eq!(
        (code(&file), &answer(&file)["error"]),
        ("COMMAND-FAILED", &"ENOTDIR".into())
    );
    Ok(())
}

#[test]
fn case_and_unicode_do_not_get_round_a_deny_rule() -> Test {
    for (rule, names) in [
        (
            "secret.txt",
            &[
                "SECRET.TXT",
                "Secret.txt",
                "\u{17f}ecret.txt",
                "se\u{200b}cret.txt",
                "secret.t\u{fe0f}xt",
            ][..],
        ),
        ("caf\u{e9}", &["cafe\u{301}", "CAFE\u{301}", "CAF\u{c9}"]),
        ("stra\u{df}e", &["STRASSE", "strasse"]),
    ] {
        for name in names {
            let stage = Stage::probe(&[(name, "hidden")])?;
            let narrow = format!("l:** r:** d:{rule}");
            let (bad, good) = twins(&stage, &["raw-read", name], "PATH-DENIED", &narrow, ALL)?;
            assert!(!said(&bad).contains("hidden"));
            assert_eq!(answer(&good)["text"], "hidden");
        }
    }
    Ok(())
}

#[test]
fn names_that_are_not_utf_8_are_counted_and_not_shown() -> Test {
    let stage = Stage::probe(&[("a", "a")])?;
    let strange = stage
        .rig
        .workspace()
        .join(std::ffi::OsStr::from_bytes(b"b\xff"));
    fs::write(&strange, "b")?;
    let bad = stage.run(ALL, &["list", "."])?;
    assert_eq!(answer(&bad)["names"], serde_json::json!(["a"]));
    assert_eq!((bad.coverage.non_utf8, bad.coverage.complete()), (1, false));
    symlink(
        std::ffi::OsStr::from_bytes(b"b\xff"),
        stage.rig.workspace().join("link"),
    )?;
    let bad = stage.run(ALL, &["read", "link"])?;
    assert_eq!(
        (code(&bad), &answer(&bad)["error"]),
        ("COMMAND-FAILED", &"EILSEQ".into())
    );
    fs::rename(&strange, stage.rig.workspace().join("b"))?;
    let good = stage.run(ALL, &["list", "."])?;
    assert_eq!(
        answer(&good)["names"],
        serde_json::json!(["a", "b", "link@"])
    );
    assert!(good.coverage.complete());
    Ok(())
}

#[test]
fn a_handle_does_no_more_than_it_was_opened_for() -> Test {
    let stage = Stage::probe(&[("a", "content")])?;
    for act in ["truncate-ro", "write-ro"] {
        let bad = stage.run("l:** r:** w:**", &[act, "a"])?;
        assert_eq!(bad.ending, Ending::Exited(1), "{bad:?}");
        assert_eq!(stage.content("a")?, "content");
    }
    for act in [
        &["truncate", "a", "3"][..],
        &["append", "a", "x"],
        &["set-times", "a"],
        &["unlink", "a"],
    ] {
        twins(&stage, act, "PATH-DENIED", ALL, "l:** w:a")?;
        stage.write("a", "content")?;
    }
    Ok(())
}

#[test]
fn a_denied_folder_is_not_listed_and_stat_is_no_oracle() -> Test {
    let stage = Stage::probe(&[("hidden/yes", "12345"), ("open", "")])?;
    let narrow = "l:** r:** d:hidden";
    twins(&stage, &["list", "hidden"], "PATH-DENIED", narrow, ALL)?;
    let top = stage.run(narrow, &["list", "."])?;
    assert_eq!(answer(&top)["names"], serde_json::json!(["open"]));
    assert_eq!(top.coverage.hidden, 1);
    for act in [
        "stat",
        "lstat",
        "read",
        "readlink",
        "list",
        "unlink",
        "mkdir",
        "rmdir",
        "truncate-ro",
    ] {
        let ask = |lease: &str, path| stage.run(lease, &[act, path]);
        let (there, not) = (ask(narrow, "hidden/yes")?, ask(narrow, "hidden/not")?);
        assert_eq!(
            (code(&there), code(&not)),
            ("PATH-DENIED", "PATH-DENIED"),
            "{act}"
        );
        assert_eq!(
            (&there.stdout, &there.stderr),
            (&not.stdout, &not.stderr),
            "{act}"
        );
        assert_eq!(there.fuel, not.fuel, "{act}");
    }
    let (there, not) = (
        stage.run(ALL, &["stat", "hidden/yes"])?,
        stage.run(ALL, &["stat", "hidden/not"])?,
    );
    assert_eq!((code(&there), &answer(&there)["size"]), ("PASS", &5.into()));
    assert_eq!(answer(&not)["error"], "ENOENT");
    // The name alone tells nothing of the content.
    let name = stage.run("l:**", &["stat", "hidden/yes"])?;
    assert_eq!(answer(&name)["size"], 0);
    Ok(())
}

#[test]
fn git_and_what_the_host_protects_are_closed_whatever_the_lease_says() -> Test {
    let stage = Stage::probe(&[("git/config", "g"), ("rules", "r"), ("home/key", "k")])?;
    let write = "l:** r:** w:**";
    for name in [".git", ".GIT", ".g\u{200c}it", ".Git"] {
        stage.write(&format!("{name}/config"), "c")?;
        let path = format!("{name}/config");
        for act in [
            &["raw-read", &path][..],
            &["raw-write", &path, "x"],
            &["rename", name, "moved"],
        ] {
            let bad = stage.run(write, act)?;
            assert_eq!(code(&bad), "PATH-PROTECTED", "{act:?}: {bad:?}");
        }
        fs::remove_dir_all(stage.rig.workspace().join(name))?;
    }
    assert_eq!(
        code(&stage.run(write, &["rename", "git", "moved"])?),
        "PASS"
    );
    let place = stage.rig.workspace();
    let id = |path: &str| {
        let meta = fs::metadata(place.join(path))?;
        Ok::<_, Fault>(FileId {
            dev: meta.dev(),
            ino: meta.ino(),
        })
    };
    let mut protected = Protected::default();
    protected.closed.insert(id("home")?);
    protected.fixed.insert(id("rules")?);
    protected.fixed_paths.push("later".parse()?);
    let ask = |args: &[&str], protected: &Protected| {
        let mut spec = run(args);
        spec.workspace = Some(tree(&place, protected.clone())?);
        stage.ask(write, spec, |_grant| {})
    };
    for act in [
        &["read", "home/key"][..],
        &["append", "rules", "x"],
        &["unlink", "rules"],
        &["write", "later", "x"],
        &["mkdir", "later"],
        &["rename", "home", "elsewhere"],
    ] {
        let bad = ask(act, &protected)?;
        assert_eq!(code(&bad), "PATH-PROTECTED", "{act:?}: {bad:?}");
    }
    assert_eq!(code(&ask(&["read", "rules"], &protected)?), "PASS");
    for act in [
        &["read", "home/key"][..],
        &["append", "rules", "x"],
        &["write", "later", "x"],
    ] {
        assert_eq!(code(&ask(act, &Protected::default())?), "PASS", "{act:?}");
    }
    Ok(())
}

#[test]
fn nothing_is_seen_without_a_right_and_every_right_is_its_own() -> Test {
    let stage = Stage::probe(&[("a", "a")])?;
    // Without any file right the guest has no root at all, so it cannot even ask.
    let bad = stage.run("", &["read", "a"])?;
    assert_eq!(bad.ending, Ending::Exited(1));
    assert_eq!(bad.coverage.listed + bad.coverage.denied, 0);
    twins(&stage, &["read", "a"], "PATH-DENIED", "l:**", "r:a")?;
    twins(
        &stage,
        &["append", "a", "x"],
        "PATH-DENIED",
        "l:** r:**",
        "w:a",
    )?;
    twins(
        &stage,
        &["create-new", "b", "x"],
        "PATH-DENIED",
        "l:** r:** w:a",
        "w:b",
    )?;
    twins(
        &stage,
        &["mkdir", "c"],
        "PATH-DENIED",
        "l:** r:** w:a",
        "w:c",
    )?;
    Ok(())
}

#[test]
fn changes_are_recorded_with_what_was_there_before_and_after() -> Test {
    let stage = Stage::probe(&[("a", "before")])?;
    let of = |text: &str| Content::Digest(Digest::of(text.as_bytes()));
    let act = |args: &[&str]| -> Result<_, Fault> {
        let outcome = stage.run("l:** r:** w:**", args)?;
        assert_eq!(code(&outcome), "PASS", "{args:?}");
        let [change] = outcome.changes.list.as_slice() else {
            return Err(format!("{args:?}: {:?}", outcome.changes).into());
        };
        Ok((
            change.operation.as_str().to_owned(),
            change.before,
            change.after,
        ))
    };
    assert_eq!(
        act(&["write", "a", "after"])?,
        ("write".into(), of("before"), of("after"))
    );
    assert_eq!(
        act(&["append", "a", "!"])?,
        ("write".into(), of("after"), of("after!"))
    );
    assert_eq!(
        act(&["write", "b", "new"])?,
        ("create".into(), Content::Absent, of("new"))
    );
    assert_eq!(
        act(&["rename", "b", "a"])?,
        ("move".into(), of("after!"), of("new"))
    );
    assert_eq!(
        act(&["unlink", "a"])?,
        ("remove".into(), of("new"), Content::Absent)
    );
    assert_eq!(act(&["mkdir", "d"])?.0, "create-dir");
    // A refused change is none.
    let bad = stage.run("l:** r:**", &["write", "a", "x"])?;
    assert_eq!((code(&bad), bad.changes.list.len()), ("PATH-DENIED", 0));
    Ok(())
}
