//! A branch that changes its own rules is judged by those of `main`, whatever it changes.

use std::fs;
use std::os::unix::fs::symlink;

use leasehold_seal::Digest;
use leasehold_tests::Fault;
use serde_json::{Value, json};

use crate::desk::{Desk, Test, prebuilt};
use crate::repo::{LEAK, commit, judgement, plant, repository};

const RULES: [&str; 5] = [
    "leasehold.toml",
    "leasehold.lock",
    "leasehold.lease",
    "leasehold.policy.json",
    "leasehold.trust.json",
];

/// What a branch does to its rules.
type Attack = (&'static str, fn(&Desk) -> Test);

const ATTACKS: [Attack; 17] = [
    ("leaves them", |_desk| Ok(())),
    ("drops the step", |desk| {
        desk.replace(
            "leasehold.toml",
            "[[step]]\nid = \"secrets\"\ngate = \"secrets\"\nread = [\"**\"]\n",
            "",
        )
    }),
    ("skips everything", |desk| {
        desk.replace(
            "leasehold.toml",
            "gate = \"secrets\"",
            "gate = \"secrets\"\nskip = [\"**\"]",
        )
    }),
    ("looks elsewhere", |desk| {
        desk.replace(
            "leasehold.toml",
            "gate = \"secrets\"\nread = [\"**\"]",
            "gate = \"secrets\"\nread = [\"docs/**\"]",
        )
    }),
    ("configures the gate away", |desk| {
        desk.replace(
            "leasehold.toml",
            "gate = \"secrets\"",
            "gate = \"secrets\"\nconfig = { include = [\"docs/**\"] }",
        )
    }),
    ("locks another plugin under the name", |desk| {
        desk.good(&["plugin", "add", "large-file", "--name", "secrets"])?;
        Ok(())
    }),
    ("replaces the file of a plugin", |desk| {
        fs::copy(
            prebuilt("large-file"),
            desk.tree().join("tools/markers.wasm"),
        )?;
        Ok(())
    }),
    ("removes the file of a plugin", |desk| {
        Ok(fs::remove_file(desk.tree().join("tools/markers.wasm"))?)
    }),
    ("brings a lease and a trust file of its own", |desk| {
        let stranger = Desk::new()?;
        stranger.good(&["plugin", "add", "large-file", "--step"])?;
        stranger.good(&["approve"])?;
        for name in RULES.iter().filter(|name| !name.contains("policy")) {
            fs::copy(stranger.tree().join(name), desk.tree().join(name))?;
        }
        Ok(())
    }),
    ("trusts nobody", |desk| {
        desk.write(
            "leasehold.trust.json",
            r#"{"version":1,"keys":[],"thresholds":{"issuer":1}}"#,
        )
    }),
    ("spoils the lease", |desk| {
        desk.write("leasehold.lease", "{}")
    }),
    ("empties the policy", |desk| {
        desk.write("leasehold.policy.json", r#"{"version":1}"#)
    }),
    ("deletes the pipeline", |desk| {
        Ok(fs::remove_file(desk.tree().join("leasehold.toml"))?)
    }),
    ("deletes all of them", |desk| {
        for name in RULES {
            fs::remove_file(desk.tree().join(name))?;
        }
        Ok(())
    }),
    ("makes links of them", |desk| {
        for name in RULES {
            fs::remove_file(desk.tree().join(name))?;
            symlink(LEAK, desk.tree().join(name))?;
        }
        Ok(())
    }),
    ("breaks them", |desk| {
        for name in RULES {
            desk.write(name, "[[[")?;
        }
        Ok(())
    }),
    (
        "has attributes and a file that is named as a repository is",
        |desk| {
            desk.write(
                ".gitattributes",
                "* text eol=crlf filter=evil export-subst\n",
            )?;
            desk.write("HEAD", "ref: refs/heads/main\n")?;
            desk.write(
                "refs/heads/main",
                "0000000000000000000000000000000000000001\n",
            )?;
            desk.write("objects/info/packs", "")
        },
    ),
];

/// Back to the tree of `main`, and away with everything else.
fn fresh(desk: &Desk) -> Test {
    desk.git(&["checkout", "-q", "-f", "-B", "change", "main"])?;
    desk.git(&["clean", "-fdxq"])?;
    Ok(())
}

/// The digest of a file as it is on `main`.
fn on_main(desk: &Desk, name: &str) -> Result<Value, Fault> {
    let text = desk.git(&["show", &format!("main:{name}")])?;
    // What git prints has lost its last line feed.
    let whole = match name {
        "leasehold.policy.json" => text,
        _ => text + "\n",
    };
    Ok(json!(Digest::of(whole.as_bytes())))
}

#[test]
fn no_change_to_the_rules_makes_a_red_tree_green() -> Test {
    let desk = repository()?;
    let main = desk.git(&["rev-parse", "main"])?;
    let digests = [
        ("pipeline", on_main(&desk, "leasehold.toml")?),
        ("lock", on_main(&desk, "leasehold.lock")?),
        ("policy", on_main(&desk, "leasehold.policy.json")?),
        ("trust", on_main(&desk, "leasehold.trust.json")?),
    ];
    let mut expected = None;
    for (what, attack) in ATTACKS {
        fresh(&desk)?;
        attack(&desk).map_err(|error| format!("{what}: {error}"))?;
        plant(&desk)?;
        commit(&desk, what)?;
        let red = desk.run(&["--format", "json", "run", "--rules", "main"])?;
        let red = red
            .exits(1)
            .map_err(|error| format!("{what}: {error}"))?
            .json()?;
        let judged = judgement(&red)?;
        let expected = expected.get_or_insert_with(|| judged.clone());
        assert_eq!(&judged, expected, "{what}");
        assert_eq!(
            (&red["passed"], &red["counts"]["fail"]),
            (&false.into(), &1.into()),
            "{what}"
        );
        // The tape names the commit and the digests of its files, not of those on disk.
        let started = desk.last("run.started")?;
        assert_eq!(
            started["rules"],
            json!({"commit": main, "reference": "main"}),
            "{what}"
        );
        assert_eq!(
            started["base"],
            json!(desk.git(&["rev-parse", "HEAD"])?),
            "{what}"
        );
        for (key, digest) in &digests {
            assert_eq!(&started[key], digest, "{what}: {key}");
        }
        // The twin: with the secret gone, the same tree passes under the same rules.
        desk.write(LEAK, "nothing here\n")?;
        let green = desk.run(&["--format", "json", "run", "--rules", "main"])?;
        let green = green
            .good()
            .map_err(|error| format!("{what}: {error}"))?
            .json()?;
        assert_eq!(
            (&green["passed"], &green["counts"]["pass"]),
            (&true.into(), &2.into()),
            "{what}"
        );
    }
    // What all of them were held to is what the gate found where nothing was changed.
    let expected = expected.ok_or("nothing was judged")?;
    assert_eq!(expected[1][3][0]["at"]["path"], LEAK, "{expected:?}");
    desk.closed()
}

#[test]
fn a_tree_by_its_own_rules_may_be_green_and_says_so_on_the_tape() -> Test {
    let desk = repository()?;
    plant(&desk)?;
    let (_, drop) = ATTACKS[1];
    drop(&desk)?;
    // On the machine of somebody with a key, the tree is free to judge itself, but for the policy.
    desk.run(&["run"])?.bad(3, "MUST-RUN")?;
    fs::remove_file(desk.tree().join("leasehold.policy.json"))?;
    desk.good(&["run"])?;
    let started = desk.last("run.started")?;
    assert_eq!(started["rules"], json!({"commit": null, "reference": null}));
    assert_eq!(started["steps"], 1);
    desk.run(&["run", "--rules", "main"])?.exits(1)?;
    Ok(())
}

#[test]
fn what_the_policy_wants_to_run_is_in_the_pipeline_or_nothing_runs() -> Test {
    let desk = Desk::new()?;
    desk.good(&["plugin", "add", "secrets", "--step"])?;
    desk.good(&["plugin", "add", "conflict-markers", "--step"])?;
    desk.good(&["plugin", "add", "large-file"])?;
    let whole = desk.content("leasehold.toml")?;
    let plan = desk.json(&["plan"])?;
    let plugin = |at: usize| plan["steps"][at]["plugin"].clone();
    let policy = |list: serde_json::Value| {
        desk.write(
            "leasehold.policy.json",
            json!({"version": 1, "must_run": list}).to_string(),
        )
    };
    policy(json!([{"plugin": plugin(0)}, {"plugin": plugin(1)}]))?;
    desk.good(&["run"])?;
    let calls = desk.records("call.intent")?.len();
    desk.write(
        "leasehold.toml",
        "version = 1\n[[step]]\nid = \"large\"\ngate = \"large-file\"\nread = [\"**\"]\n",
    )?;
    let said = desk.bad(&["run"], 3, "MUST-RUN")?;
    said.tells(&[
        "the policy wants secrets to run",
        "conflict-markers as well",
        "leasehold.policy.json",
    ]);
    desk.run(&["plan"])?.bad(3, "MUST-RUN")?;
    assert_eq!(desk.last("run.denied")?["code"], "MUST-RUN");
    assert_eq!(desk.records("call.intent")?.len(), calls);
    desk.write("leasehold.toml", &whole)?;
    desk.good(&["run"])?;
    // With a configuration, only a step that has it will do.
    let configured = |min: &str| {
        desk.write("leasehold.toml", format!("version = 1\n[[step]]\nid = \"s\"\ngate = \"secrets\"\nread = [\"**\"]\nconfig = {{ min_entropy = {min} }}\n"))
    };
    configured("300")?;
    fs::remove_file(desk.tree().join("leasehold.policy.json"))?;
    let config = desk.json(&["plan"])?["steps"][0]["grant"]["config"].clone();
    policy(json!([{"plugin": plugin(0), "config": config}]))?;
    desk.good(&["run"])?;
    configured("600")?;
    desk.bad(&["run"], 3, "MUST-RUN")?
        .tells(&["with the configuration sha256:"]);
    desk.write("leasehold.toml", &whole)?;
    desk.bad(&["run"], 3, "MUST-RUN")?;
    Ok(())
}
