//! Bytes that are no plugin, or one that wants what nobody has; and the plugins that come with Leasehold.

use leasehold_lease::Kind;
use leasehold_sandbox::{
    Ending, LoadError, PLUGIN_BYTES, Plugin, Returned, Status, admit, inspect,
};
use leasehold_seal::Coded;
use leasehold_tests::{
    Fault, Rig, Stage, answer, check, code, plugin_bytes, run, run_with, said, tool,
};

type Test = Result<(), Fault>;

/// Why these bytes are not loaded; `LOADED` when they are.
fn refusal(rig: &Rig, bytes: &[u8]) -> &'static str {
    let loaded = rig.engine.load(bytes).map(|_plugin| ());
    loaded.map_or_else(|error| error.code(), |()| "LOADED")
}

#[test]
fn bytes_that_are_no_plugin_are_refused() -> Test {
    let rig = Rig::new()?;
    let sound = plugin_bytes("hello")?;
    assert_eq!(refusal(&rig, &sound), "LOADED");
    for (what, bytes) in [
        ("empty", &b""[..]),
        ("text", b"#!/bin/sh\nexit 0\n"),
        ("magic alone", b"\0asm"),
        ("an unknown version", b"\0asm\x09\0\0\0"),
        ("ELF", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"),
    ] {
        assert_eq!(refusal(&rig, bytes), "PLUGIN-FORMAT", "{what}");
    }
    for keep in [9, 100, sound.len() / 2, sound.len() - 1] {
        let got = refusal(&rig, &sound[..keep]);
        assert!(
            ["PLUGIN-FORMAT", "PLUGIN-WORLD", "PLUGIN-COMPILE"].contains(&got),
            "{keep}: {got}"
        );
    }
    let mut trailing = sound.clone();
    trailing.extend_from_slice(b"and more");
    assert_eq!(refusal(&rig, &trailing), "PLUGIN-FORMAT");
    assert_eq!(
        refusal(&rig, &vec![0; PLUGIN_BYTES + 1]),
        "PLUGIN-TOO-LARGE"
    );
    Ok(())
}

#[test]
fn a_plugin_with_a_flipped_byte_is_not_the_one_that_was_leased() -> Test {
    let rig = Rig::new()?;
    let sound = plugin_bytes("wordcount")?;
    let plugin = rig.engine.load(&sound)?;
    let rights = rig.rights(Rig::grant(&plugin, Kind::Command))?;
    let admitted = |plugin: &Plugin| {
        let admitted = admit(&rig.engine, plugin, rights.clone(), run(&[]), &rig.recorder);
        admitted.map_or_else(|error| error.code(), |_ticket| "ADMITTED")
    };
    let mut loaded = 0;
    for index in (0..sound.len()).rev().step_by(sound.len() / 12) {
        let mut bad = sound.clone();
        bad[index] ^= 1;
        if let Ok(other) = rig.engine.load(&bad) {
            assert_eq!(admitted(&other), "PLUGIN-MISMATCH", "byte {index}");
            loaded += 1;
        }
    }
    assert!(
        loaded > 0,
        "no flipped plugin loads any more: flip other bytes"
    );
    assert_eq!(admitted(&plugin), "ADMITTED");
    Ok(())
}

#[test]
fn plugins_that_want_what_nobody_has_are_refused_when_they_are_loaded() -> Test {
    let rig = Rig::new()?;
    for (name, expected) in [
        ("unknown-import", "PLUGIN-IMPORT"),
        ("future-wasi", "PLUGIN-IMPORT"),
        ("unknown-module-import", "PLUGIN-IMPORT"),
        ("shared-memory", "PLUGIN-COMPILE"),
        ("relaxed-simd", "PLUGIN-COMPILE"),
        ("no-entry", "PLUGIN-WORLD"),
        ("no-start", "PLUGIN-WORLD"),
        ("bad-manifest", "MANIFEST-FORMAT"),
        ("two-manifests", "MANIFEST-FORMAT"),
    ] {
        let bytes = plugin_bytes(&format!("hostile/{name}"))?;
        assert_eq!(refusal(&rig, &bytes), expected, "{name}");
    }
    // The same without what was refused.
    for name in ["no-imports", "no-relaxed-simd"] {
        let stage = Stage::new(&format!("hostile/{name}"), &[])?;
        assert_eq!(code(&stage.run("", &[])?), "PASS", "{name}");
    }
    Ok(())
}

#[test]
fn other_proposals_are_switched_off() -> Test {
    let rig = Rig::new()?;
    let module = |inner: &str| format!("(module {inner} (func (export \"_start\")))");
    for (what, text) in [
        ("64-bit memory", r#"(memory (export "memory") i64 1)"#),
        (
            "exceptions",
            r#"(memory (export "memory") 1) (tag $t) (func (throw $t))"#,
        ),
        (
            "garbage collection",
            r#"(memory (export "memory") 1) (type $s (struct (field i32)))
            (func (drop (struct.new $s (i32.const 1))))"#,
        ),
    ] {
        let got = rig.wat(&module(text)).map_err(|error| error.code());
        assert_eq!(got.err(), Some("PLUGIN-COMPILE"), "{what}");
    }
    let plain = rig.wat(&module(r#"(memory (export "memory") 1)"#));
    assert!(plain.is_ok());
    Ok(())
}

#[test]
fn manifests_are_read_strictly() -> Test {
    let rig = Rig::new()?;
    let load = |manifest: &str| {
        let text = manifest.replace('"', "\\\"");
        rig.wat(&format!(
            r#"(module (@custom "leasehold:manifest" "{text}") (memory (export "memory") 1) (func (export "_start")))"#
        ))
    };
    let sound = r#"{"manifest":1,"name":"x","version":"1","kind":"command","summary":"x"}"#;
    assert_eq!(load(sound)?.name(), "x");
    for (from, to) in [
        (r#""manifest":1"#, r#""manifest":2"#),
        (r#""name":"x""#, r#""name":"x","name":"y""#),
        (r#""summary":"x""#, r#""summary":"x","extra":1"#),
        (r#""version":"1","#, ""),
        (r#""summary":"x""#, r#""summary":"x","config":{"type":7}"#),
    ] {
        let got = load(&sound.replace(from, to)).map_err(|error| error.code());
        assert_eq!(got.err(), Some("MANIFEST-FORMAT"), "{to}");
    }
    Ok(())
}

#[test]
fn sockets_may_be_imported_and_are_refused_when_used() -> Test {
    let stage = Stage::new("hostile/sockets", &[])?;
    let bad = stage.run("", &[])?;
    assert_eq!(
        (code(&bad), &bad.ending),
        ("COMMAND-FAILED", &Ending::Exited(1))
    );
    assert_eq!(bad.refused_imports.values().sum::<u64>(), 1, "{bad:?}");
    // An interface that has no word for a refusal ends the call.
    let plugin = stage.rig.wat(LOGGING)?;
    let stage = Stage { plugin, ..stage };
    let bad = stage.run("", &["use"])?;
    assert_eq!(code(&bad), "IMPORT-DENIED", "{bad:?}");
    assert_eq!(bad.fuel, 1_000_000_000);
    let good = stage.run("", &[])?;
    assert_eq!(code(&good), "PASS", "{good:?}");
    Ok(())
}

/// A host that gave less than was asked for made a gate take the first 8 MiB for the whole file.
#[test]
fn the_end_of_a_long_file_is_seen() -> Test {
    let mut content = "filler\n".repeat((17 << 20) / 7);
    content.push_str("needle\n");
    let stage = Stage::new("search", &[])?;
    std::fs::write(stage.rig.workspace().join("long.txt"), content)?;
    let outcome = stage.ask(
        "l:** r:**",
        tool("search", r#"{"text": "needle"}"#),
        |grant| {
            grant.limits.memory_bytes = 256 << 20;
        },
    )?;
    assert!(answer_holds(&outcome, "long.txt"), "{outcome:?}");
    Ok(())
}

fn answer_holds(outcome: &leasehold_sandbox::Outcome, what: &str) -> bool {
    matches!(&outcome.ending, Ending::Returned(leasehold_sandbox::Returned::Reply(reply)) if reply.contains(what))
}

/// Imports an interface that no lease can grant, and uses it only when it gets an argument.
const LOGGING: &str = r#"(component
  (import "wasi:logging/logging@0.1.0-draft" (instance $logging (export "flush" (func))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-arguments" (func (result (list string))))))
  (core module $arena
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7)) (i32.const -8)))))
  (core instance $memory (instantiate $arena))
  (core func $flush (canon lower (func $logging "flush")))
  (core func $arguments
    (canon lower (func $environment "get-arguments") (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core module $m
    (import "memory" "memory" (memory 1))
    (import "host" "flush" (func $flush))
    (import "host" "arguments" (func $arguments (param i32)))
    (func (export "run") (result i32)
      (call $arguments (i32.const 0))
      (if (i32.gt_u (i32.load (i32.const 4)) (i32.const 1)) (then (call $flush)))
      (i32.const 0)))
  (core instance $i (instantiate $m
    (with "memory" (instance $memory))
    (with "host" (instance (export "flush" (func $flush)) (export "arguments" (func $arguments))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $exports)))"#;

#[test]
fn a_plugin_says_what_is_wrong_in_words_that_help() -> Test {
    let rig = Rig::new()?;
    let bytes = plugin_bytes("hostile/unknown-import")?;
    let error: LoadError = rig.engine.load(&bytes).err().ok_or("it was loaded")?;
    assert!(
        error.to_string().contains("evil:thing/door@1.0.0"),
        "{error}"
    );
    assert!(error.hint().is_some());
    Ok(())
}

#[test]
fn hello_is_a_plain_program() -> Test {
    let stage = Stage::new("hello", &[])?;
    let good = stage.ask("", run_with(&["you"], "one\ntwo\n"), |grant| {
        grant.env.set.insert("LANG".into(), "de_DE".into());
    })?;
    assert_eq!(
        (code(&good), said(&good)),
        ("PASS", "Hallo, you!\n2 lines on standard input\n".into())
    );
    let bad = stage.ask("", run_with(&["you"], ""), |grant| {
        grant.limits.output_bytes = 3
    })?;
    assert_eq!(code(&bad), "OUTPUT-EXCEEDED");
    Ok(())
}

#[test]
fn wordcount_is_a_core_module() -> Test {
    let stage = Stage::new("wordcount", &[])?;
    let good = stage.ask("", run_with(&[], "a b\nc\n"), |_grant| {})?;
    assert_eq!(said(&good), "2 3 6\n");
    let bad = stage.ask("", run_with(&[], &"a b\n".repeat(100_000)), |grant| {
        grant.limits.fuel = 100_000
    })?;
    assert_eq!(code(&bad), "FUEL-EXHAUSTED");
    Ok(())
}

#[test]
fn structure_lock_judges_all_or_nothing() -> Test {
    let stage = Stage::new("structure-lock", &[("src/a", ""), ("README", "")])?;
    let config = r#"{"roots":["src"],"files":["README"]}"#;
    assert_eq!(code(&stage.check("l:*", config)?), "PASS");
    assert_eq!(code(&stage.check("l:**", config)?), "PASS");
    stage.write("stray", "")?;
    let bad = stage.check("l:*", config)?;
    let Ending::Returned(Returned::Verdict(verdict)) = &bad.ending else {
        return Err(format!("{bad:?}").into());
    };
    assert_eq!((code(&bad), verdict.code), ("GATE-FAILED", Some(24)));
    assert_eq!(verdict.findings[0].rule, "structure-lock/extra");
    // A lease that hides the stray does not make the tree good.
    for narrow in ["l:src l:README", "l:* d:stray", ""] {
        let hidden = stage.check(narrow, config)?;
        assert_ne!(hidden.summary.status, Status::Pass, "{narrow}: {hidden:?}");
        if !narrow.is_empty() {
            assert_eq!(
                (code(&hidden), hidden.summary.status),
                ("VIEW-INCOMPLETE", Status::Blocked)
            );
        }
    }
    let bad = stage.check("l:*", r#"{"roots":[]}"#)?;
    assert_eq!(code(&bad), "CONFIG-REFUSED", "{bad:?}");
    Ok(())
}

#[test]
fn file_ops_changes_what_its_lease_lets_it() -> Test {
    let stage = Stage::new("file-ops", &[("docs/a", "old\n"), ("other", "o")])?;
    let request = |path: &str| {
        format!(
            r#"{{"version":1,"operations":[{{"op":"update","path":"{path}","content":"new\n"}}]}}"#
        )
    };
    let lease = "l:** r:** w:docs/**";
    let good = stage.ask(lease, run_with(&[], &request("docs/a")), |_grant| {})?;
    assert_eq!(
        (code(&good), stage.content("docs/a")?.as_str()),
        ("PASS", "new\n")
    );
    assert_eq!(answer(&good)["status"], "done");
    let bad = stage.ask(lease, run_with(&[], &request("other")), |_grant| {})?;
    assert_eq!(
        (code(&bad), stage.content("other")?.as_str()),
        ("PATH-DENIED", "o")
    );
    for path in ["../x", "/etc/passwd", "docs/../other"] {
        let bad = stage.ask(lease, run_with(&[], &request(path)), |_grant| {})?;
        assert_ne!(code(&bad), "PASS", "{path}");
    }
    assert_eq!(stage.content("other")?, "o");
    let bad = stage.ask(lease, run_with(&[], "{}"), |_grant| {})?;
    assert_eq!(bad.ending, Ending::Exited(2));
    Ok(())
}

#[test]
fn search_finds_what_its_lease_lets_it_read() -> Test {
    let stage = Stage::new("search", &[("a", "needle\n"), ("b/c", "x needle\n")])?;
    let found = |lease: &str| -> Result<_, Fault> {
        let outcome = stage.tool(lease, "search", r#"{"text":"needle"}"#)?;
        let Ending::Returned(Returned::Reply(reply)) = &outcome.ending else {
            return Err(format!("{outcome:?}").into());
        };
        let reply: serde_json::Value = serde_json::from_str(reply)?;
        let paths = reply["matches"].as_array().cloned().unwrap_or_default();
        Ok(paths
            .iter()
            .map(|one| one["path"].as_str().unwrap_or("").to_owned())
            .collect::<Vec<_>>())
    };
    assert_eq!(found("l:** r:**")?, ["a", "b/c"]);
    assert_eq!(found("l:** r:b/**")?, ["b/c"]);
    assert_eq!(found("l:** r:** d:b")?, ["a"]);
    let bad = stage.tool("l:** r:**", "search", r#"{"pattern":"("}"#)?;
    assert_eq!(code(&bad), "ARGUMENTS-REFUSED", "{bad:?}");
    Ok(())
}

#[test]
fn every_prebuilt_plugin_loads_or_is_meant_not_to() -> Test {
    let rig = Rig::new()?;
    for name in ["hello", "wordcount", "structure-lock", "file-ops", "search"] {
        let plugin = rig.plugin(name)?;
        assert_eq!(inspect(&plugin_bytes(name)?)?.digest, plugin.digest());
    }
    let gate = Stage::new("hostile/hostile-gate", &[])?;
    let outcome = gate.ask("", check(r#"{"do":"escapes"}"#), |_grant| {})?;
    assert_eq!(code(&outcome), "GATE-FAILED");
    Ok(())
}
