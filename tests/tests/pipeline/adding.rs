//! `plugin add` and `plugin list`.

use std::fs;
use std::os::unix::fs::symlink;

use crate::desk::{Desk, Test, everything, prebuilt};

#[test]
fn a_plugin_that_comes_along_is_added_by_its_name() -> Test {
    let desk = Desk::new()?;
    let said = desk.good(&["plugin", "add", "secrets"])?;
    assert!(said.out.starts_with("added secrets "), "{said}");
    assert!(
        desk.content("leasehold.lock")?
            .contains("source = \"builtin\"")
    );
    assert!(!desk.tree().join("leasehold.toml").exists());
    let added = desk.json(&["plugin", "add", "secrets", "--step"])?;
    assert_eq!(
        (&added["source"], &added["step"]),
        (&"builtin".into(), &true.into())
    );
    assert_eq!(
        desk.content("leasehold.lock")?
            .matches("[[plugin]]")
            .count(),
        1
    );
    // A second step of the same plugin has another id, and the pipeline still reads.
    desk.good(&["plugin", "add", "secrets", "--step"])?;
    desk.good(&["plugin", "add", "secrets", "--step", "--name", "scan"])?;
    let plan = desk.json(&["plan"])?;
    let ids: Vec<_> = (0..3).map(|at| plan["steps"][at]["id"].clone()).collect();
    assert_eq!(ids, ["secrets", "secrets-2", "scan"]);
    desk.good(&["run"])?;
    Ok(())
}

#[test]
fn a_plugin_inside_stays_and_one_outside_is_copied() -> Test {
    let desk = Desk::new()?;
    fs::create_dir(desk.tree().join("tools"))?;
    fs::copy(
        prebuilt("conflict-markers"),
        desk.tree().join("tools/m.wasm"),
    )?;
    let added = desk.json(&["plugin", "add", "tools/m.wasm", "--step"])?;
    assert_eq!(added["source"], "tools/m.wasm");
    assert!(!desk.tree().join(".leasehold").exists());
    let outside = desk.outside("elsewhere.wasm");
    fs::copy(prebuilt("large-file"), &outside)?;
    let path = outside.to_str().ok_or("not UTF-8")?;
    let added = desk.json(&["plugin", "add", path, "--step"])?;
    assert_eq!(added["source"], ".leasehold/plugins/large-file.wasm");
    let copied = desk.tree().join(".leasehold/plugins/large-file.wasm");
    assert_eq!(fs::read(copied)?, fs::read(&outside)?);
    // What lies outside is no longer needed.
    fs::remove_file(outside)?;
    desk.good(&["run"])?;
    Ok(())
}

#[test]
fn two_plugins_of_one_name_do_not_take_each_others_place() -> Test {
    let desk = Desk::new()?;
    // Two files that call themselves the same: without a manifest the name is that of the file.
    for (folder, plugin) in [("one", "hello"), ("two", "wordcount")] {
        fs::create_dir(desk.outside(folder))?;
        let file = desk.outside(folder).join("tool.wasm");
        fs::copy(prebuilt(plugin), &file)?;
        let path = file.to_str().ok_or("not UTF-8")?.to_owned();
        desk.good(&["plugin", "add", &path, "--step", "--name", folder])?;
    }
    desk.good(&["run"])?;
    Ok(())
}

#[test]
fn a_step_is_added_below_what_is_there() -> Test {
    let desk = Desk::new()?;
    let written = "# Our rules.\r\nversion = 1 # one\r\n\r\n[[step]] # the first\r\nid   =   'scan'\r\ngate = \"secrets\"\r\nread = [ \"**\", ] # everything";
    desk.write("leasehold.toml", written)?;
    desk.good(&["plugin", "add", "secrets"])?;
    desk.good(&["plugin", "add", "conflict-markers", "--step"])?;
    let text = desk.content("leasehold.toml")?;
    let added = text.strip_prefix(written).ok_or("it was changed")?;
    assert_eq!(
        added,
        "\r\n\r\n[[step]]\r\nid = \"conflict-markers\"\r\ngate = \"conflict-markers\"\r\nread = [\"**\"]\r\n"
    );
    desk.good(&["run"])?;
    // A pipeline that cannot be read is left as it is, and so is the lock.
    for wrong in ["version = 1\n[[step]\n", "version = 1\nstep = 1\n"] {
        desk.write("leasehold.toml", wrong)?;
        let before = everything(&desk.tree())?;
        let said = desk
            .run(&["plugin", "add", "large-file", "--step"])?
            .exits(64)?;
        said.tells(&["  leasehold.toml:2:", "  hint: "]);
        assert!(everything(&desk.tree())? == before);
    }
    Ok(())
}

#[test]
fn what_cannot_be_a_step_or_a_plugin_is_refused() -> Test {
    let desk = Desk::new()?;
    let before = everything(&desk.tree())?;
    desk.bad(&["plugin", "add", "search", "--step"], 64, "PLUGIN-KIND")?
        .tells(&["is an adapter", "leave out --step"]);
    desk.bad(&["plugin", "add", "nope"], 64, "PLUGIN-UNKNOWN")?
        .tells(&["conflict-markers, ", "secrets"]);
    desk.bad(&["plugin", "add", "./nope.wasm"], 5, "FILE-MISSING")?;
    for name in [
        "",
        "Big",
        "a b",
        "../x",
        "a/b",
        "\u{1b}[2J",
        &"a".repeat(65),
    ] {
        let said = desk.bad(
            &["plugin", "add", "secrets", "--name", name],
            64,
            "LOCK-NAME",
        )?;
        assert!(!said.err.contains('\u{1b}'), "{said}");
    }
    assert!(everything(&desk.tree())? == before);
    desk.write("plain.txt", "no plugin")?;
    desk.bad(&["plugin", "add", "plain.txt"], 2, "PLUGIN-FORMAT")?;
    assert!(!desk.tree().join("leasehold.lock").exists());
    // Their twins.
    desk.good(&["plugin", "add", "search"])?;
    desk.good(&[
        "plugin",
        "add",
        "secrets",
        "--name",
        "a-name-of-64-characters-0123456789",
    ])?;
    Ok(())
}

#[test]
fn adding_writes_through_no_link() -> Test {
    let desk = Desk::new()?;
    fs::write(desk.outside("precious"), "precious")?;
    fs::create_dir(desk.outside("folder"))?;
    for name in ["leasehold.lock.new", "leasehold.toml.new"] {
        symlink(desk.outside("precious"), desk.tree().join(name))?;
    }
    symlink(desk.outside("folder"), desk.tree().join(".leasehold"))?;
    fs::copy(prebuilt("large-file"), desk.outside("large.wasm"))?;
    let file = desk.outside("large.wasm");
    // Whether it is refused or done does not matter; what lies outside of the tree stays as it is.
    desk.run(&["plugin", "add", "secrets", "--step"])?;
    desk.run(&["plugin", "add", file.to_str().ok_or("not UTF-8")?])?;
    assert_eq!(fs::read_to_string(desk.outside("precious"))?, "precious");
    assert!(everything(&desk.outside("folder"))?.is_empty());
    for name in ["leasehold.lock", "leasehold.toml"] {
        let info = desk.tree().join(name).symlink_metadata();
        assert!(
            info.is_ok_and(|info| info.is_file()),
            "{name} is no plain file"
        );
    }
    Ok(())
}

#[test]
fn the_list_names_what_comes_along_and_what_is_locked() -> Test {
    let desk = Desk::new()?;
    let said = desk.good(&["plugin", "list"])?;
    assert!(
        said.out
            .contains("\n  secrets           gate     No file holds a key"),
        "{said}"
    );
    assert!(
        said.out.contains("\n  search            adapter  "),
        "{said}"
    );
    assert!(!said.out.contains("leasehold.lock"), "{said}");
    desk.good(&["plugin", "add", "secrets", "--step"])?;
    fs::copy(prebuilt("hello"), desk.tree().join("hello.wasm"))?;
    desk.good(&["plugin", "add", "hello.wasm", "--name", "greeting"])?;
    let said = desk.good(&["plugin", "list"])?;
    assert!(said.out.contains("\n* secrets "), "{said}");
    assert!(
        said.out
            .contains("\n  greeting          0        hello.wasm  sha256:"),
        "{said}"
    );
    // From a folder below it is the same list.
    desk.write("docs/a.md", "a\n")?;
    assert_eq!(
        desk.run_in("docs", &["plugin", "list"])?.good()?.out,
        said.out
    );
    let list = desk.json(&["plugin", "list"])?;
    let builtin = list["builtin"].as_array().ok_or("no list")?;
    let secrets = builtin.iter().find(|entry| entry["name"] == "secrets");
    let secrets = secrets.ok_or("no secrets")?;
    assert_eq!(
        (&secrets["kind"], &secrets["locked"]),
        (&"gate".into(), &true.into())
    );
    assert_eq!(
        builtin
            .iter()
            .filter(|entry| entry["locked"] == true)
            .count(),
        1
    );
    assert_eq!(list["lock"][1]["digest"], secrets["digest"]);
    assert_eq!(list["lock"][0]["source"], "hello.wasm");
    // A lock that cannot be read is not passed over.
    desk.write("leasehold.lock", "x")?;
    desk.bad(&["plugin", "list"], 64, "LOCK-SYNTAX")?;
    Ok(())
}
