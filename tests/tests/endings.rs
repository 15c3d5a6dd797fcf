//! What the host makes of how a call ended, and of what a plugin or a cache says about itself.

use std::fs;
use std::path::{Path, PathBuf};

use leasehold_lease::Kind;
use leasehold_sandbox::{CodeCache, Compiler, Ending, Engine, ExitCodes, Instances, Status};
use leasehold_seal::Coded;
use leasehold_tests::{Fault, Stage, answer, binary, check, code, plugin_bytes, run, said};

type Test = Result<(), Fault>;

#[test]
fn a_program_judges_by_declared_exit_codes_alone() -> Test {
    let stage = Stage::probe(&[("a", "a")])?;
    let judge = |args: &[&str], files, exit: Option<ExitCodes>| {
        let mut spec = run(args);
        spec.exit = exit;
        stage.ask(files, spec, |grant| grant.kind = Kind::Gate)
    };
    let declared = || {
        Some(ExitCodes {
            pass: vec![0, 3],
            fail: vec![2, 3],
        })
    };
    for (exit, expected, status) in [
        ("0", "PASS", Status::Pass),
        ("2", "GATE-FAILED", Status::Fail),
        // Declared as both means fail; declared as neither means nothing.
        ("3", "GATE-FAILED", Status::Fail),
        ("7", "EXIT-UNDECLARED", Status::Error),
    ] {
        let outcome = judge(&["exit", exit], "l:**", declared())?;
        assert_eq!(
            (code(&outcome), outcome.summary.status),
            (expected, status),
            "{exit}"
        );
    }
    // What it prints is no verdict, and what it was refused is the reason to give.
    let denied = judge(
        &["read", "a"],
        "l:**",
        Some(ExitCodes {
            pass: vec![0],
            fail: vec![1],
        }),
    )?;
    assert_eq!(
        (code(&denied), denied.summary.status),
        ("PATH-DENIED", Status::Fail)
    );
    let spec = run(&["exit", "0"]);
    let mut grant = stage.grant("l:**", &spec)?;
    grant.kind = Kind::Gate;
    let error = stage.rig.refused(&stage.plugin, grant, spec)?;
    assert_eq!(error.map(|error| error.code()), Some("EXIT-UNDECLARED"));
    Ok(())
}

#[test]
fn a_gates_ending_is_read_by_the_host() -> Test {
    let stage = Stage::new("hostile/hostile-gate", &[("a", "a")])?;
    for (config, expected, status) in [
        (r#"{"do":"pass"}"#, "PASS", Status::Pass),
        (r#"{"do":"skip"}"#, "GATE-SKIPPED", Status::Skipped),
        (
            r#"{"do":"fail","findings":1,"message_bytes":1,"code":null}"#,
            "GATE-FAILED",
            Status::Fail,
        ),
        (
            r#"{"do":"error","kind":"config","text":"x"}"#,
            "CONFIG-REFUSED",
            Status::Error,
        ),
        (
            r#"{"do":"error","kind":"blocked","text":"x"}"#,
            "PLUGIN-BLOCKED",
            Status::Blocked,
        ),
        (
            r#"{"do":"error","kind":"fault","text":"x"}"#,
            "PLUGIN-FAULT",
            Status::Error,
        ),
        (r#"{"do":"trap"}"#, "PLUGIN-TRAPPED", Status::Error),
        (r#"{"do":"panic"}"#, "PLUGIN-TRAPPED", Status::Error),
        (
            r#"{"do":"read","path":"../x"}"#,
            "PATH-ESCAPE",
            Status::Fail,
        ),
        (r#"{"do":"read","path":"a"}"#, "PASS", Status::Pass),
    ] {
        let outcome = stage.check("l:** r:a", config)?;
        assert_eq!(
            (code(&outcome), outcome.summary.status),
            (expected, status),
            "{config}: {outcome:?}"
        );
    }
    let spin = stage.ask("", check(r#"{"do":"spin"}"#), |grant| {
        grant.limits.fuel = 5_000_000
    })?;
    assert_eq!(code(&spin), "FUEL-EXHAUSTED");
    Ok(())
}

/// An engine whose compiler always fails: what it loads comes from its cache.
fn without_compiler(folder: &Path) -> Result<Engine, Fault> {
    let compiler = Compiler {
        program: "/bin/false".into(),
        args: Vec::new(),
    };
    Ok(Engine::new(
        Instances::OnDemand,
        compiler,
        CodeCache::new(folder, [5; 32]),
    )?)
}

#[test]
fn compiled_code_is_loaded_only_as_it_was_stored() -> Test {
    let mut stage = Stage::new("hello", &[])?;
    let folder = stage.rig.folder().join("cache");
    let compiler = Compiler {
        program: binary()?,
        args: vec!["compile-worker".into()],
    };
    stage.rig.engine = Engine::new(
        Instances::OnDemand,
        compiler,
        CodeCache::new(&folder, [5; 32]),
    )?;
    let (hello, words) = (plugin_bytes("hello")?, plugin_bytes("wordcount")?);
    stage.rig.engine.load(&hello)?;
    let entry = only_entry(&folder, &[])?;
    stage.rig.engine.load(&words)?;
    let other = only_entry(&folder, std::slice::from_ref(&entry))?;
    let (sound, foreign) = (fs::read(&entry)?, fs::read(&other)?);
    let cached = without_compiler(&folder)?;
    assert!(cached.load(&hello).is_ok(), "a sound entry is used");
    let mut bad: Vec<(String, Vec<u8>)> = vec![("the entry of another plugin".into(), foreign)];
    for index in [
        0,
        64,
        sound.len() / 2,
        sound.len() - 33,
        sound.len() - 32,
        sound.len() - 1,
    ] {
        let mut flipped = sound.clone();
        flipped[index] ^= 1;
        bad.push((format!("byte {index} flipped"), flipped));
    }
    for keep in [0, 31, 32, sound.len() - 1] {
        bad.push((format!("cut to {keep}"), sound[..keep].to_vec()));
    }
    for (what, bytes) in bad {
        fs::write(&entry, &bytes)?;
        let got = cached.load(&hello).map_err(|error| error.code());
        assert_eq!(got.err(), Some("PLUGIN-COMPILE"), "{what}: it was loaded");
        // With a compiler it is made again, kept again, and does what it should.
        stage.plugin = stage.rig.engine.load(&hello)?;
        assert!(fs::read(&entry)? != bytes, "{what}: it was left");
        assert_eq!(said(&stage.run("", &[])?), "Hello, world!\n", "{what}");
        assert!(cached.load(&hello).is_ok(), "{what}");
    }
    // Another key is another cache.
    let compiler = Compiler {
        program: "/bin/false".into(),
        args: Vec::new(),
    };
    let stranger = Engine::new(
        Instances::OnDemand,
        compiler,
        CodeCache::new(&folder, [6; 32]),
    )?;
    assert_eq!(
        stranger.load(&hello).map_err(|error| error.code()).err(),
        Some("PLUGIN-COMPILE")
    );
    Ok(())
}

fn only_entry(folder: &Path, known: &[PathBuf]) -> Result<PathBuf, Fault> {
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let new = paths.filter(|path| path.as_ref().is_ok_and(|path| !known.contains(path)));
    match new.collect::<Result<Vec<_>, _>>()?.as_slice() {
        [one] => Ok(one.clone()),
        other => Err(format!("entries: {other:?}").into()),
    }
}

#[test]
fn facts_of_the_host_are_given_by_name() -> Test {
    let stage = Stage::new("hostile/hostile-gate", &[])?;
    let ask = |given: bool| {
        let mut spec = check(r#"{"do":"input","name":"run.json"}"#);
        if given {
            spec.inputs.insert("run.json".into(), b"fact".to_vec());
        }
        stage.ask("", spec, |_grant| {})
    };
    assert_eq!(code(&ask(true)?), "PASS");
    assert_eq!(code(&ask(false)?), "GATE-FAILED");
    let plain = Stage::probe(&[])?;
    assert_eq!(answer(&plain.run("", &["terminal"])?)["stdout"], false);
    Ok(())
}

/// The usual adapter makes 1 of every code but 0; a checker's "could not judge" would read as "bad".
#[test]
fn a_core_module_exits_with_the_code_it_says() -> Test {
    let stage = Stage::new("hostile/exit-code", &[])?;
    let outcome = stage.run("", &[])?;
    assert_eq!(outcome.ending, Ending::Exited(7), "{outcome:?}");
    Ok(())
}
