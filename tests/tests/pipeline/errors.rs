//! What is wrong with the files of the rules, said with code, place, source line and hint.

use std::fs;
use std::os::unix::fs::symlink;

use leasehold_tests::Fault;
use serde_json::Value;

use crate::desk::{Desk, Test, everything, prebuilt};

/// A pipeline that is wrong, and what is said of it.
struct Wrong {
    text: &'static str,
    code: &'static str,
    /// Line and column.
    at: &'static str,
    /// The source line below it.
    source: &'static str,
    /// Part of the sentence, and part of the hint.
    says: [&'static str; 2],
}

const WRONG: [Wrong; 16] = [
    Wrong {
        text: "version = 1\n[[step]]\nid = \"a\"\ngate = \"secrets\"\n[[step]]\nid = \"a\"\ngate = \"secrets\"\n",
        code: "STEP-DUPLICATE",
        at: "6:1",
        source: "6 | id = \"a\"",
        says: ["two steps have the id \"a\"", "another id"],
    },
    Wrong {
        text: "version = 1\n[[step]]\nid = \"a\"\ngate = \"secrets\"\nneeds = [\"b\"]\n[[step]]\nid = \"b\"\ngate = \"secrets\"\nneeds = [\"a\"]\n",
        code: "STEP-CYCLE",
        at: "5:1",
        source: "5 | needs = [\"b\"]",
        says: ["a → b → a", "take one of them out"],
    },
    Wrong {
        text: "version = 1\n[[step]]\nid = \"a\"\ngate = \"secrets\"\nneeds = [\"a\"]\n",
        code: "STEP-CYCLE",
        at: "5:10",
        source: "5 | needs = [\"a\"]",
        says: ["needs itself", "leave it out"],
    },
    Wrong {
        text: "version = 1\n[[step]]\nid = \"scan\"\ngate = \"secrets\"\n[[step]]\nid = \"b\"\ngate = \"secrets\"\nneeds = [\"scam\"]\n",
        code: "STEP-UNKNOWN",
        at: "8:10",
        source: "8 | needs = [\"scam\"]",
        says: ["which is not a step", "did you mean \"scan\"?"],
    },
    Wrong {
        text: "version = 1\n[[step]]\nid = \"a\"\ngate = \"secret\"\n",
        code: "PLUGIN-UNKNOWN",
        at: "4:1",
        source: "4 | gate = \"secret\"",
        says: [
            "no plugin is called \"secret\"",
            "did you mean \"secrets\"?",
        ],
    },
    Wrong {
        text: "version = 1\n[[step]]\nid = \"a\"\ncommand = \"secrets\"\n",
        code: "PLUGIN-KIND",
        at: "4:1",
        source: "4 | command = \"secrets\"",
        says: ["is a gate, not a command", "write gate = \"secrets\""],
    },
    Wrong {
        text: "version = 1\n[[step]]\nid = \"a\"\ngate = \"secrets\"\nreed = [\"**\"]\n",
        code: "PIPELINE-KEY",
        at: "5:1",
        source: "5 | reed = [\"**\"]",
        says: ["unknown key \"reed\"", "did you mean \"read\"?"],
    },
    Wrong {
        text: "version = 1\nstop = true\n[[step]]\nid = \"a\"\ngate = \"secrets\"\n",
        code: "PIPELINE-KEY",
        at: "2:1",
        source: "2 | stop = true",
        says: ["no key \"stop\"", "did you mean \"step\"?"],
    },
    Wrong {
        text: "version = 1\n[[step]]\nid = \"a\"\ngate = \"secrets\"\nread = \"**\"\n",
        code: "PIPELINE-TYPE",
        at: "5:8",
        source: "5 | read = \"**\"",
        says: ["expected a list of strings, found a string", "in brackets"],
    },
    Wrong {
        text: "version = 1\n[[step]]\nid = \"a\"\ngate = \"secrets\"\nread = [\"../**\"]\n",
        code: "PATTERN-FORMAT",
        at: "5:9",
        source: "5 | read = [\"../**\"]",
        says: ["`read` of the step \"a\"", ""],
    },
    Wrong {
        text: "version = 1\n[[step]]\nid = \"a\"\ngate = \"secrets\"\nwrite = [\"**\"]\n",
        code: "GATE-WRITES",
        at: "5:1",
        source: "5 | write = [\"**\"]",
        says: ["is a gate and wants to write", "a gate judges"],
    },
    // A tab is one column, and shown as one space.
    Wrong {
        text: "version = 1\r\n\r\n[[step]]\r\n\tid\t= \"a\"\r\n\tgate = \"secrets\"\r\n\treed = [\r\n\t\t\"**\",\r\n\t]\r\n",
        code: "PIPELINE-KEY",
        at: "6:2",
        source: "6 |  reed = [",
        says: ["unknown key \"reed\"", "did you mean \"read\"?"],
    },
    Wrong {
        text: "\u{feff}verzion = 1\n[[step]]\nid = \"a\"\ngate = \"secrets\"\n",
        code: "PIPELINE-KEY",
        at: "1:1",
        source: "1 | verzion = 1",
        says: ["no key \"verzion\"", "did you mean \"version\"?"],
    },
    Wrong {
        text: "version = 1\n[[step]\nid = \"a\"\n",
        code: "PIPELINE-SYNTAX",
        at: "2:8",
        source: "2 | [[step]",
        says: ["is not TOML", "toml.io"],
    },
    Wrong {
        text: "",
        code: "PIPELINE-EMPTY",
        at: "1:1",
        source: "1 |",
        says: ["has no steps", "leasehold plugin add"],
    },
    Wrong {
        text: "version = 2\n[[step]]\nid = \"a\"\ngate = \"secrets\"\n",
        code: "PIPELINE-VERSION",
        at: "1:11",
        source: "1 | version = 2",
        says: ["this version reads 1", ""],
    },
];

#[test]
fn what_is_wrong_with_a_pipeline_is_shown_where_it_stands() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets"])?;
    for wrong in &WRONG {
        desk.write("leasehold.toml", wrong.text)?;
        let place = format!("\n  leasehold.toml:{}\n  {}\n", wrong.at, wrong.source);
        let said = desk.bad(&["plan"], 64, wrong.code)?;
        said.tells(&[&place, "^", wrong.says[0], wrong.says[1]]);
        assert_eq!(said.out, "", "{said}");
        // A run says the same.
        let run = desk.run(&["run"])?.bad(64, wrong.code)?;
        assert_eq!(run.err, said.err);
    }
    // Nothing of it came as far as a lease.
    assert!(desk.records("lease.issued")?.is_empty());
    desk.closed()
}

#[test]
fn all_problems_of_a_file_are_named_in_its_order() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets"])?;
    desk.write(
        "leasehold.toml",
        "version = 1\n[[step]]\nid = \"A\"\ngate = \"secrets\"\nread = 7\ncash = false\n",
    )?;
    let said = desk.bad(&["plan"], 64, "STEP-ID")?;
    said.tells(&["\n  also [PIPELINE-TYPE]: ", "\n  also [PIPELINE-KEY]: "]);
    said.tells(&["    leasehold.toml:5:8\n", "    leasehold.toml:6:1\n"]);
    Ok(())
}

#[test]
fn hostile_text_of_a_pipeline_moves_no_cursor() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets"])?;
    let hostile = "\\u001b[2J\\u202e\\u0007";
    desk.write(
        "leasehold.toml",
        format!("version = 1\n[[step]]\nid = \"a\"\ngate = \"{hostile}\"\n\"{hostile}\" = 1\n# \u{202e}\n"),
    )?;
    for args in [&["plan"][..], &["--format", "json", "plan"]] {
        let said = desk.run(args)?.exits(64)?;
        let all = format!("{}{}", said.out, said.err);
        let moves = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
        assert!(!all.contains(moves), "{all:?}");
    }
    // Left-over bytes of another encoding.
    desk.write("leasehold.toml", b"version = 1\n# \xff\xfe\n")?;
    desk.bad(&["plan"], 64, "PIPELINE-ENCODING")?
        .tells(&["leasehold.toml:2:3\n", "UTF-8"]);
    Ok(())
}

#[test]
fn tabs_crlf_and_a_byte_order_mark_change_nothing() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets"])?;
    let plain = "version = 1\n\n[[step]]\nid = \"a\"\ngate = \"secrets\"\nread = [\"**\"]\n";
    let shown = |text: &str| -> Result<String, Fault> {
        desk.write("leasehold.toml", text)?;
        assert_eq!(desk.json(&["run"])?["passed"], true, "{text:?}");
        Ok(desk.good(&["plan"])?.out)
    };
    let expected = shown(plain)?;
    assert!(
        expected.contains("read     ** (leasehold.toml:6)"),
        "{expected}"
    );
    let crlf = plain.replace('\n', "\r\n");
    let tabs = crlf
        .replace(" = ", "\t=\t")
        .replace("\r\nread", "\r\n\tread");
    for text in [
        &crlf,
        &tabs,
        &format!("\u{feff}{plain}"),
        &format!("\u{feff}{tabs}"),
    ] {
        assert_eq!(shown(text)?, expected, "{text:?}");
    }
    Ok(())
}

#[test]
fn ten_thousand_steps_are_one_error_and_a_thousand_a_plan() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets"])?;
    let steps = |count: usize| -> String {
        let step = |number| format!("[[step]]\nid = \"s{number}\"\ngate = \"secrets\"\nreed = 1\n");
        format!("version = 1\n{}", (0..count).map(step).collect::<String>())
    };
    desk.write("leasehold.toml", steps(10_000))?;
    let said = desk.bad(&["plan"], 64, "STEPS-TOO-MANY")?;
    assert_eq!(said.err.lines().count(), 2, "{said}");
    said.tells(&["has 10000 steps, the most is 1000"]);
    // Problems are counted where there are too many to show.
    desk.write("leasehold.toml", steps(1_000))?;
    let said = desk.bad(&["plan"], 64, "PIPELINE-KEY")?;
    said.tells(&["also [PROBLEMS-MORE]: 900 more problems are not shown"]);
    desk.write("leasehold.toml", steps(1_000).replace("reed = 1\n", ""))?;
    let plan = desk.json(&["plan"])?;
    assert_eq!(plan["steps"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(plan["refused"], Value::Null);
    Ok(())
}

#[test]
fn a_file_of_the_rules_that_is_too_large_is_not_read() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets", "--step"])?;
    let pipeline = desk.content("leasehold.toml")?;
    desk.write(
        "leasehold.toml",
        format!("{pipeline}{}", "#\n".repeat(600_000)),
    )?;
    desk.bad(&["plan"], 64, "FILE-TOO-LARGE")?;
    desk.write(
        "leasehold.toml",
        format!("{pipeline}{}", "#\n".repeat(100_000)),
    )?;
    desk.good(&["plan"])?;
    Ok(())
}

#[test]
fn a_lock_and_a_policy_that_are_wrong_say_where() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets", "--step"])?;
    let lock = desk.content("leasehold.lock")?;
    for (from, to, code, place) in [
        (
            "digest = \"sha256:",
            "digest = \"sha256:zz",
            "LOCK-DIGEST",
            "leasehold.lock:7:10\n",
        ),
        (
            "source = \"builtin\"",
            "source = \"builtin\"\nsauce = 1",
            "LOCK-KEY",
            "leasehold.lock:9:1\n",
        ),
        (
            "source = \"builtin\"",
            "source = \"../x.wasm\"",
            "LOCK-SOURCE",
            "leasehold.lock:8:10\n",
        ),
        (
            "source = \"builtin\"",
            "source = \"/x.wasm\"",
            "LOCK-SOURCE",
            "leasehold.lock:8:10\n",
        ),
        (
            "version = 1",
            "version = 9",
            "LOCK-VERSION",
            "leasehold.lock:2:11\n",
        ),
    ] {
        desk.write("leasehold.lock", lock.replacen(from, to, 1))?;
        desk.bad(&["plan"], 64, code)?.tells(&[place]);
    }
    let entry = &lock[lock.find("[[plugin]]").ok_or("no entry")?..];
    desk.write("leasehold.lock", format!("{lock}{entry}"))?;
    desk.bad(&["plan"], 64, "LOCK-DUPLICATE")?
        .tells(&["leasehold.lock:10:1\n", "leasehold.lock:5:1\n"]);
    desk.write("leasehold.lock", &lock)?;
    for (policy, code, hint) in [
        (
            r#"{"version":1,"must_rum":[]}"#,
            "POLICY-KEY",
            "did you mean \"must_run\"?",
        ),
        (
            r#"{"version":1,"must_run":{}}"#,
            "POLICY-TYPE",
            "a policy is",
        ),
        (
            r#"{"version":1,"must_run":[{"plugin":"x"}]}"#,
            "POLICY-DIGEST",
            "a policy is",
        ),
        (r#"{"must_run":[]}"#, "POLICY-MISSING", "\"version\": 1"),
        ("", "JSON-SYNTAX", ""),
    ] {
        desk.write("leasehold.policy.json", policy)?;
        desk.bad(&["plan"], 64, code)?.tells(&[hint]);
    }
    desk.write("leasehold.policy.json", r#"{"version":1}"#)?;
    desk.good(&["plan"])?;
    Ok(())
}

#[test]
fn a_plugin_that_is_not_the_locked_one_never_runs() -> Test {
    let desk = Desk::new()?;
    fs::create_dir(desk.tree().join("tools"))?;
    let file = desk.tree().join("tools/markers.wasm");
    fs::copy(prebuilt("conflict-markers"), &file)?;
    desk.good(&["plugin", "add", "tools/markers.wasm", "--step"])?;
    desk.good(&["run"])?;
    let sound = fs::read(&file)?;
    let calls = desk.records("call.intent")?.len();
    for at in [0, 8, sound.len() / 2, sound.len() - 1] {
        let mut edited = sound.clone();
        edited[at] ^= 1;
        fs::write(&file, edited)?;
        let said = desk.bad(&["run"], 2, "PLUGIN-MISMATCH")?;
        said.tells(&[
            "conflict-markers is not the one that leasehold.lock names",
            "locked  sha256:",
            "found   sha256:",
        ]);
        assert_eq!(desk.last("run.denied")?["code"], "PLUGIN-MISMATCH");
        desk.bad(&["plan"], 2, "PLUGIN-MISMATCH")?;
    }
    fs::write(&file, [&sound[..], &[0]].concat())?;
    desk.bad(&["run"], 2, "PLUGIN-MISMATCH")?;
    // The same bytes by way of a link are not what a reviewer sees.
    fs::write(desk.outside("markers.wasm"), &sound)?;
    fs::remove_file(&file)?;
    symlink(desk.outside("markers.wasm"), &file)?;
    desk.bad(&["run"], 2, "RULES-FILE")?;
    fs::remove_file(&file)?;
    desk.bad(&["run"], 5, "PLUGIN-MISSING")?;
    assert_eq!(desk.records("call.intent")?.len(), calls);
    fs::write(&file, &sound)?;
    desk.good(&["run"])?;
    desk.closed()
}

#[test]
fn a_builtin_of_another_version_is_missing_and_not_replaced() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets", "--step"])?;
    let digest = desk.json(&["plan"])?["steps"][0]["plugin"].clone();
    let digest = digest.as_str().ok_or("no digest")?;
    let other = format!("sha256:{}", "0".repeat(64));
    desk.replace("leasehold.lock", digest, &other)?;
    desk.bad(&["run"], 5, "PLUGIN-MISSING")?.tells(&[&other]);
    desk.replace("leasehold.lock", &other, digest)?;
    desk.good(&["run"])?;
    Ok(())
}

#[test]
fn a_plan_shows_every_right_and_leaves_no_trace() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets"])?;
    desk.good(&["plugin", "add", "md-toc"])?;
    desk.write("docs/a.md", "a\n")?;
    desk.write(
        "leasehold.toml",
        "version = 1\n\n[[step]]\nid = \"scan\"\ngate = \"secrets\"\nread = [\"**\"]\nskip = [\"target/**\"]\n\n\
         [[step]]\nid = \"toc\"\ncommand = \"md-toc\"\nargs = [\"docs\"]\nread = [\"docs/**\"]\nwrite = [\"docs/**\"]\ndeny = [\"**/.env\"]\n\
         needs = [\"scan\"]\ncache = false\n[step.env]\npass = [\"LANG\"]\nset = { A = \"b\" }\n[step.limits]\nfuel = 7_000_000\n",
    )?;
    let before = (everything(&desk.home())?, everything(&desk.tree())?);
    let said = desk.run(&["plan"])?.bad(3, "LEASE-NEEDED")?;
    for line in [
        "2 steps from this workspace\n",
        "  list     ** (default)\n",
        "  read     ** (leasehold.toml:6)\n",
        "  write    nothing (default)\n",
        "  deny     nothing (default)\n",
        "  skip     target/** (leasehold.toml:7)\n",
        "  cache    yes (default)\n",
        "fuel 20,000,000,000 · memory 256 MiB · time 60 s · output 4 MiB · writes 0 B · open files 64 (default)\n",
        "  args     [\"docs\"] (leasehold.toml:12)\n",
        "  list     docs/** (default)\n",
        "  write    docs/** (leasehold.toml:14)\n",
        "  deny     **/.env (leasehold.toml:15)\n",
        "  cache    no (leasehold.toml:17)\n",
        "  env.pass LANG (leasehold.toml:19)\n",
        "  env.set  A=\"b\" (leasehold.toml:20)\n",
        "fuel 7,000,000 · memory 256 MiB · time 60 s · output 4 MiB · writes 10 MiB · open files 64 (leasehold.toml:22)\n",
    ] {
        assert!(said.out.contains(line), "{line:?} is missing: {said}");
    }
    let plan = desk.json(&["plan"])?;
    let toc = &plan["steps"][1];
    assert_eq!(toc["grant"]["files"]["write"][0], "docs/**");
    assert_eq!(toc["grant"]["limits"]["fuel"], 7_000_000);
    assert_eq!(toc["grant"]["limits"]["wall_ms"], 60_000);
    assert_eq!(
        (&toc["needs"][0], &toc["writes"]),
        (&"scan".into(), &true.into())
    );
    assert_eq!(plan["refused"]["code"], "LEASE-NEEDED");
    assert!(before == (everything(&desk.home())?, everything(&desk.tree())?));
    assert!(desk.records("call.intent")?.is_empty() && desk.records("lease.issued")?.is_empty());
    Ok(())
}
