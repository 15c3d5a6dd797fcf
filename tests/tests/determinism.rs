//! The same call comes to the same thing: output, fuel and what was read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use leasehold_files::Coverage;
use leasehold_sandbox::{Instances, Outcome};
use leasehold_seal::{Digest, Timestamp};
use leasehold_tests::{Fault, Rig, Stage, answer, code, run, said};

type Test = Result<(), Fault>;

const ALL: &str = "l:** r:**";

const TREE: [(&str, &str); 5] = [
    ("b", "2\n"),
    ("a", "1\n"),
    ("dir/z", ""),
    ("dir/y", "y"),
    ("Z", ""),
];

/// What must be the same of two calls.
fn essence(outcome: &Outcome) -> (String, Vec<u8>, u64, u64, Digest, Coverage, &'static str) {
    (
        said(outcome),
        outcome.stderr.clone(),
        outcome.fuel,
        outcome.peak_memory,
        outcome.reads.digest(),
        outcome.coverage,
        code(outcome),
    )
}

/// Runs the probe under a lease for everything, at a fixed moment.
fn at(stage: &Stage, args: &[&str], moment: i64) -> Result<Outcome, Fault> {
    let mut spec = run(args);
    spec.clock_base = Some(Timestamp::from_millis(moment)?);
    stage.ask(ALL, spec, |grant| {
        grant.env.set.insert("NAME".into(), "value".into());
    })
}

#[test]
fn the_same_call_twice_on_two_hosts_is_the_same() -> Test {
    let (one, other) = (Stage::probe(&TREE)?, Stage::probe(&[])?);
    // The other tree has the same content, made in another order, at other times.
    for (path, content) in TREE.iter().rev() {
        std::thread::sleep(Duration::from_millis(2));
        other.write(path, content)?;
    }
    for act in [
        &["clock"][..],
        &["random", "1000"],
        &["env"],
        &["args", "a", "b"],
        &["readdir-order", "."],
        &["readdir-order", "dir"],
        &["walk", "."],
        &["stat", "dir/y"],
        &["read", "a"],
        &["read", "missing"],
        &["sleep", "5000"],
        &["work", "10000"],
        &["terminal"],
    ] {
        let first = at(&one, act, 1_000)?;
        let second = at(&other, act, 1_000)?;
        assert_eq!(essence(&first), essence(&second), "{act:?}");
        assert_ne!(first.call, second.call);
    }
    Ok(())
}

#[test]
fn randomness_comes_from_the_seed() -> Test {
    let stage = Stage::probe(&[])?;
    let seeded = |seed: Option<[u8; 32]>| -> Result<Outcome, Fault> {
        let mut spec = run(&["random-print"]);
        spec.seed = seed;
        stage.ask("", spec, |_grant| {})
    };
    let (first, again, other) = (
        seeded(Some([1; 32]))?,
        seeded(Some([1; 32]))?,
        seeded(Some([2; 32]))?,
    );
    assert_eq!(essence(&first), essence(&again));
    assert_ne!(answer(&first)["random"], answer(&other)["random"]);
    assert_ne!(answer(&first)["hash"], answer(&other)["hash"]);
    assert_eq!(answer(&first)["random"].as_str().map(str::len), Some(64));
    // The seed that was used is the one on the tape: a replay has all it needs.
    let intents = stage.rig.bodies(&leasehold_tape::Kind::CallIntent)?;
    assert_eq!(intents[0]["seed"], "01".repeat(32));
    // Without a seed it follows from rights and input: another input, other bytes.
    let derived = seeded(None)?;
    let intents = stage.rig.bodies(&leasehold_tape::Kind::CallIntent)?;
    let seed = intents[3]["seed"].as_str().unwrap_or_default().to_owned();
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&seed[index * 2..index * 2 + 2], 16)?;
    }
    assert_eq!(essence(&seeded(Some(bytes))?), essence(&derived));
    assert_ne!(answer(&derived)["random"], answer(&first)["random"]);
    Ok(())
}

#[test]
fn the_clock_is_the_calls_own() -> Test {
    let stage = Stage::probe(&[])?;
    let moment = 1_700_000_000_000;
    let clock = at(&stage, &["clock"], moment)?;
    let said = answer(&clock);
    let number = |name: &str| said[name].as_u64().unwrap_or(0);
    let base = u64::try_from(moment)? * 1_000_000;
    assert!(
        number("wall_1_ns") >= base && number("wall_1_ns") < base + 1_000_000_000,
        "{said}"
    );
    assert!(number("wall_2_ns") > number("wall_1_ns"));
    assert!(number("monotonic_2_ns") > number("monotonic_1_ns"));
    let later = at(&stage, &["clock"], moment + 60_000)?;
    assert_eq!(
        answer(&later)["wall_1_ns"].as_u64(),
        Some(number("wall_1_ns") + 60_000_000_000)
    );
    // Without a base the guest gets the host's time, in whole seconds, and the tape says which.
    let now = stage.run("", &["clock"])?;
    let intents = stage.rig.bodies(&leasehold_tape::Kind::CallIntent)?;
    let base: Timestamp = intents[2]["clock_base"]
        .as_str()
        .unwrap_or_default()
        .parse()?;
    assert_eq!(base.as_millis() % 1000, 0);
    let wall = answer(&now)["wall_1_ns"].as_u64().unwrap_or(0);
    assert_eq!(
        i64::try_from(wall / 1_000_000_000)?,
        base.as_millis() / 1000
    );
    Ok(())
}

#[test]
fn sleeping_costs_no_real_time() -> Test {
    let stage = Stage::probe(&[])?;
    stage.run("", &["sleep", "0"])?;
    let started = Instant::now();
    let slept = stage.ask("", run(&["sleep", "3600000"]), |grant| {
        grant.limits.wall_ms = 7_200_000
    })?;
    assert_eq!(code(&slept), "PASS", "{slept:?}");
    assert!(answer(&slept)["elapsed_ms"].as_u64() >= Some(3_600_000));
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    let brief = stage.ask("", run(&["sleep", "3600000"]), |_grant| {})?;
    assert_eq!(code(&brief), "TIME-EXCEEDED");
    Ok(())
}

#[test]
fn listings_are_sorted_and_times_are_fixed() -> Test {
    let stage = Stage::probe(&TREE)?;
    let listed = stage.run(ALL, &["readdir-order", "."])?;
    assert_eq!(
        answer(&listed)["names"],
        serde_json::json!(["Z", "a", "b", "dir/"])
    );
    fs::set_permissions(
        stage.rig.workspace().join("a"),
        fs::Permissions::from_mode(0o600),
    )?;
    fs::hard_link(
        stage.rig.workspace().join("a"),
        stage.rig.folder().join("second-name"),
    )?;
    let stat = answer(&stage.run(ALL, &["stat", "a"])?);
    assert_eq!(
        (&stat["modified"], &stat["accessed"], &stat["size"]),
        (&0.into(), &0.into(), &2.into())
    );
    Ok(())
}

/// The probe has no word for link counts: this guest exits with 0 only if that of `a` is 1.
const LINK_COUNT: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "a")
  (func (export "_start")
    (if (call $stat (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 64))
      (then (call $exit (i32.const 1))))
    ;; Device, inode and kind stand before it: 24 bytes.
    (if (i64.ne (i64.load (i32.const 88)) (i64.const 1)) (then (call $exit (i32.const 1))))))"#;

#[test]
fn every_link_count_is_one() -> Test {
    let stage = Stage::probe(&[("a", "a")])?;
    let plugin = stage.rig.wat(LINK_COUNT)?;
    let stage = Stage { plugin, ..stage };
    assert_eq!(code(&stage.run(ALL, &[])?), "PASS");
    fs::hard_link(
        stage.rig.workspace().join("a"),
        stage.rig.folder().join("second-name"),
    )?;
    assert_eq!(code(&stage.run(ALL, &[])?), "PASS");
    // It can fail: where there is no such file, it does.
    fs::remove_file(stage.rig.workspace().join("a"))?;
    assert_eq!(code(&stage.run(ALL, &[])?), "COMMAND-FAILED");
    Ok(())
}

#[test]
fn nans_have_one_bit_pattern() -> Test {
    let stage = Stage::new("hostile/nan-bits", &[])?;
    let text = said(&stage.run("", &[])?);
    let expected = [
        "7ff8000000000000\n".repeat(5),
        "000000007fc00000\n".repeat(4),
    ]
    .concat();
    assert_eq!(text, expected);
    Ok(())
}

#[test]
fn what_was_read_is_in_the_digest() -> Test {
    let stage = Stage::probe(&TREE)?;
    let reads = |args: &[&str]| Ok::<_, Fault>(stage.run(ALL, args)?.reads);
    let first = reads(&["read", "a"])?;
    assert_eq!(reads(&["read", "a"])?, first);
    assert_ne!(reads(&["read", "b"])?, first);
    assert_ne!(reads(&["stat", "a"])?, first);
    let missing = reads(&["read", "missing"])?;
    assert_ne!(missing, first);
    // A file that came into being is another thing read, as is a listing with one more entry.
    let listing = reads(&["list", "."])?;
    stage.write("missing", "now there")?;
    assert_ne!(reads(&["read", "missing"])?, missing);
    assert_ne!(reads(&["list", "."])?, listing);
    Ok(())
}

#[test]
fn a_pool_of_instances_changes_nothing_and_keeps_nothing() -> Test {
    let alone = Stage::probe(&TREE)?;
    let rig = Rig::with(Instances::Pooled(4), &std::env::temp_dir())?;
    let plugin = rig.plugin("hostile/probe")?;
    let pooled = Stage { rig, plugin };
    for (path, content) in TREE {
        pooled.write(path, content)?;
    }
    for act in [
        &["walk", "."][..],
        &["random-print"],
        &["eat-memory", "8388608"],
        &["work", "1000"],
    ] {
        let first = at(&alone, act, 0)?;
        // The second call of the pool gets the slot of the first.
        for _ in 0..2 {
            assert_eq!(essence(&first), essence(&at(&pooled, act, 0)?), "{act:?}");
        }
    }
    assert_eq!(alone.rig.engine.id(), pooled.rig.engine.id());
    Ok(())
}

#[test]
fn the_environment_is_what_the_lease_says() -> Test {
    let stage = Stage::probe(&[])?;
    let ask = |pass: &[&str]| {
        let mut spec = run(&["env"]);
        for name in ["HOME", "SECRET", "LANG"] {
            spec.ambient_env
                .insert(name.into(), format!("of the host: {name}"));
        }
        stage.ask("", spec, |grant| {
            grant.env.pass = pass.iter().map(|name| (*name).to_owned()).collect();
            grant.env.set.insert("CI".into(), "true".into());
        })
    };
    assert_eq!(answer(&ask(&[])?)["env"], serde_json::json!(["CI=true"]));
    let wide = answer(&ask(&["LANG", "UNSET"])?);
    assert_eq!(
        wide["env"],
        serde_json::json!(["CI=true", "LANG=of the host: LANG"])
    );
    Ok(())
}
