//! Guests that use things up. What ran out is named, however the guest dies of it; under a wider lease the same guest ends
//! well, or, where it never ends, a modest one does.

use std::thread;
use std::time::{Duration, Instant};

use leasehold_lease::Limits;
use leasehold_sandbox::{Ending, Limit, Outcome, Status};
use leasehold_tests::{Fault, Stage, answer, check, code, run, tool};

type Test = Result<(), Fault>;

const MIB: u64 = 1 << 20;

/// Runs a program that may read everything, under these limits.
fn limited(stage: &Stage, args: &[&str], set: impl FnOnce(&mut Limits)) -> Result<Outcome, Fault> {
    stage.ask("l:** r:** w:**", run(args), |grant| set(&mut grant.limits))
}

#[track_caller]
fn stopped(outcome: &Outcome, limit: Limit, reserved: u64) {
    assert_eq!(outcome.ending, Ending::Exhausted(limit), "{outcome:?}");
    assert_eq!(code(outcome), limit.code(), "{outcome:?}");
    assert_eq!(outcome.summary.status, Status::Error);
    assert_eq!(outcome.fuel, reserved, "the whole reservation is charged");
}

#[track_caller]
fn done(outcome: &Outcome) {
    assert_eq!(outcome.summary.status, Status::Pass, "{outcome:?}");
}

#[test]
fn a_loop_ends_with_its_fuel() -> Test {
    let stage = Stage::probe(&[])?;
    let bad = limited(&stage, &["spin"], |limits| limits.fuel = 5_000_000)?;
    stopped(&bad, Limit::Fuel, 5_000_000);
    let work = ["work", "1000000"];
    let bad = limited(&stage, &work, |limits| limits.fuel = 5_000_000)?;
    stopped(&bad, Limit::Fuel, 5_000_000);
    done(&limited(&stage, &work, |limits| limits.fuel = 100_000_000)?);
    Ok(())
}

#[test]
fn a_loop_in_the_start_function_is_no_way_round() -> Test {
    for name in ["hostile/start-loop", "hostile/start-loop-component"] {
        let stage = Stage::new(name, &[])?;
        let bad = limited(&stage, &[], |limits| limits.fuel = 5_000_000)?;
        stopped(&bad, Limit::Fuel, 5_000_000);
        let bad = limited(&stage, &[], |limits| {
            limits.fuel = 1 << 50;
            limits.wall_ms = 100;
        })?;
        stopped(&bad, Limit::Wall, 1 << 50);
    }
    let stage = Stage::new("hostile/no-imports", &[])?;
    done(&limited(&stage, &[], |limits| limits.fuel = 5_000_000)?);
    Ok(())
}

#[test]
fn a_loop_ends_with_its_time() -> Test {
    let stage = Stage::probe(&[])?;
    for files in ["", "l:**"] {
        let started = Instant::now();
        let bad = stage.ask(files, run(&["spin"]), |grant| {
            grant.limits.fuel = 1 << 50;
            grant.limits.wall_ms = 200;
        })?;
        stopped(&bad, Limit::Wall, 1 << 50);
        assert!(
            started.elapsed() < Duration::from_millis(1500),
            "{:?}",
            started.elapsed()
        );
    }
    done(&stage.ask("", run(&["work", "1000"]), |grant| {
        grant.limits.wall_ms = 200
    })?);
    Ok(())
}

#[test]
fn a_sleep_past_the_deadline_takes_no_time() -> Test {
    let stage = Stage::probe(&[])?;
    let started = Instant::now();
    let bad = limited(&stage, &["sleep", "20000"], |_limits| {})?;
    stopped(&bad, Limit::Wall, 1_000_000_000);
    let good = limited(&stage, &["sleep", "20000"], |limits| {
        limits.wall_ms = 30_000
    })?;
    done(&good);
    assert!(answer(&good)["elapsed_ms"].as_u64() >= Some(20_000));
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    Ok(())
}

#[test]
fn filling_memory_costs_by_the_byte() -> Test {
    let stage = Stage::probe(&[])?;
    let started = Instant::now();
    let bad = limited(&stage, &["fill-memory"], |limits| limits.fuel = 200_000_000)?;
    stopped(&bad, Limit::Fuel, 200_000_000);
    // An instruction that works for seconds without fuel would show here.
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    done(&limited(&stage, &["eat-memory", "16777216"], |limits| {
        limits.fuel = 200_000_000
    })?);
    Ok(())
}

#[test]
fn memory_is_capped_and_the_cap_is_named() -> Test {
    let stage = Stage::probe(&[])?;
    let eat = ["eat-memory", "33554432"];
    let bad = limited(&stage, &eat, |limits| limits.memory_bytes = 16 * MIB)?;
    stopped(&bad, Limit::Memory, 1_000_000_000);
    assert!(bad.peak_memory <= 16 * MIB && bad.peak_memory > 8 * MIB);
    let good = limited(&stage, &eat, |_limits| {})?;
    done(&good);
    assert!(good.peak_memory >= 32 * MIB && good.peak_memory <= 64 * MIB);
    let endless = limited(&stage, &["eat-memory", "0"], |limits| {
        limits.memory_bytes = 16 * MIB
    })?;
    stopped(&endless, Limit::Memory, 1_000_000_000);
    Ok(())
}

#[test]
fn memories_and_tables_share_one_cap() -> Test {
    for (name, small, large) in [
        // Each of the two memories would be within the cap, their sum is not.
        ("two-memories", 100 * MIB, 200 * MIB),
        ("multi-memory", 100 * MIB, 200 * MIB),
        ("initial-memory", 32 * MIB, 100 * MIB),
        ("grow-table", 32 * MIB, 128 * MIB),
        ("initial-table", 32 * MIB, 128 * MIB),
    ] {
        let stage = Stage::new(&format!("hostile/{name}"), &[])?;
        let bad = limited(&stage, &[], |limits| limits.memory_bytes = small)?;
        assert_eq!(code(&bad), "MEMORY-EXCEEDED", "{name}: {bad:?}");
        stopped(&bad, Limit::Memory, 1_000_000_000);
        assert!(bad.peak_memory <= small);
        let good = limited(&stage, &[], |limits| limits.memory_bytes = large)?;
        assert_eq!(code(&good), "PASS", "{name}: {good:?}");
        assert!(
            good.peak_memory > small && good.peak_memory <= large,
            "{name}: {good:?}"
        );
    }
    Ok(())
}

#[test]
fn recursion_ends_with_the_stack() -> Test {
    let stage = Stage::probe(&[])?;
    let bad = limited(&stage, &["recurse"], |_limits| {})?;
    stopped(&bad, Limit::Stack, 1_000_000_000);
    done(&limited(&stage, &["work", "1"], |_limits| {})?);
    // The host goes on, and so does the next call.
    let stage = Stage {
        plugin: stage.rig.wat(&RECURSE.replace("ENDLESS", "-1"))?,
        ..stage
    };
    stopped(
        &limited(&stage, &[], |_limits| {})?,
        Limit::Stack,
        1_000_000_000,
    );
    let stage = Stage {
        plugin: stage.rig.wat(&RECURSE.replace("ENDLESS", "100"))?,
        ..stage
    };
    done(&limited(&stage, &[], |_limits| {})?);
    Ok(())
}

const RECURSE: &str = r#"(module (memory (export "memory") 1)
  (func $deeper (param i32)
    (if (i32.ne (local.get 0) (i32.const 0)) (then (call $deeper (i32.sub (local.get 0) (i32.const 1)))))
    (i32.store (i32.const 0) (local.get 0)))
  (func (export "_start") (call $deeper (i32.const ENDLESS))))"#;

#[test]
fn output_is_capped_over_all_its_ways() -> Test {
    let stage = Stage::probe(&[])?;
    for stream in ["stdout", "stderr"] {
        let bad = limited(&stage, &[stream, "0"], |limits| {
            limits.output_bytes = 100_000
        })?;
        stopped(&bad, Limit::Output, 1_000_000_000);
        assert!(bad.stdout.len() + bad.stderr.len() <= 100_000);
        let bad = limited(&stage, &[stream, "100000"], |limits| {
            limits.output_bytes = 100_000
        })?;
        stopped(&bad, Limit::Output, 1_000_000_000);
        let good = limited(&stage, &[stream, "100000"], |limits| {
            limits.output_bytes = 101_000
        })?;
        done(&good);
    }
    let gate = Stage::new("hostile/hostile-gate", &[])?;
    for (bad, good) in [
        (
            r#"{"do":"attach","count":0,"bytes":100000}"#,
            r#"{"do":"attach","count":2,"bytes":100000}"#,
        ),
        (
            r#"{"do":"fail","findings":200,"message_bytes":10000,"code":null}"#,
            r#"{"do":"pass"}"#,
        ),
    ] {
        stopped(&gate.check("l:**", bad)?, Limit::Output, 1_000_000_000);
        done(&gate.check("l:**", good)?);
    }
    let wide = gate.ask(
        "l:**",
        check(r#"{"do":"attach","count":20,"bytes":100000}"#),
        |grant| {
            grant.limits.output_bytes = 4 * MIB;
        },
    )?;
    done(&wide);
    assert_eq!(wide.attachments.len(), 20);
    // Small ones are limited in number: the gate is told so, and a gate that goes on is not stopped for it.
    let many = gate.check("l:**", r#"{"do":"attach","count":0,"bytes":10}"#)?;
    assert_eq!((code(&many), many.attachments.len()), ("GATE-FAILED", 64));
    Ok(())
}

#[test]
fn the_log_is_capped() -> Test {
    let gate = Stage::new("hostile/hostile-gate", &[])?;
    for bytes in [0, 100, 100_000] {
        let flood = format!(r#"{{"do":"log","lines":0,"bytes":{bytes}}}"#);
        stopped(&gate.check("l:**", &flood)?, Limit::Log, 1_000_000_000);
    }
    let good = gate.check("l:**", r#"{"do":"log","lines":100,"bytes":100}"#)?;
    done(&good);
    assert_eq!(good.log.len(), 100);
    // Saying nothing costs as well.
    let bad = gate.ask("l:**", check(r#"{"do":"progress","count":0}"#), |grant| {
        grant.limits.fuel = 10_000_000;
    })?;
    stopped(&bad, Limit::Fuel, 10_000_000);
    done(&gate.check("l:**", r#"{"do":"progress","count":100}"#)?);
    Ok(())
}

#[test]
fn handles_are_capped_wherever_they_stand() -> Test {
    let stage = Stage::probe(&[("a", "a")])?;
    let open = ["open-many", "a", "100"];
    let bad = limited(&stage, &open, |limits| limits.open_files = 50)?;
    stopped(&bad, Limit::Handles, 1_000_000_000);
    done(&limited(&stage, &open, |limits| limits.open_files = 150)?);
    for name in ["hostile/guest-handles", "hostile/pollable-flood"] {
        let stage = Stage::new(name, &[])?;
        let bad = limited(&stage, &[], |_limits| {})?;
        stopped(&bad, Limit::Handles, 1_000_000_000);
        done(&limited(&stage, &["few"], |_limits| {})?);
    }
    let gate = Stage::new("hostile/hostile-gate", &[])?;
    let bad = gate.check("l:**", r#"{"do":"walk-flood","count":0}"#)?;
    stopped(&bad, Limit::Handles, 1_000_000_000);
    done(&gate.check("l:**", r#"{"do":"walk-flood","count":100}"#)?);
    Ok(())
}

#[test]
fn what_the_host_does_for_a_guest_costs_fuel() -> Test {
    let stage = Stage::probe(&[("big", &"x".repeat(8 << 20)), ("small", "x")])?;
    for (args, fuel, enough) in [
        (&["random", "1073741824"][..], 100_000_000, None),
        (&["random", "10000000"], 5_000_000, Some(50_000_000)),
        // One huge read, and a million tiny ones.
        (
            &["huge-read", "big", "8388608"],
            6_000_000,
            Some(100_000_000),
        ),
        (&["tiny-reads", "small", "1000000"], 100_000_000, None),
        (
            &["tiny-reads", "small", "1000"],
            5_000_000,
            Some(100_000_000),
        ),
    ] {
        let bad = limited(&stage, args, |limits| limits.fuel = fuel)?;
        assert_eq!(code(&bad), "FUEL-EXHAUSTED", "{args:?}: {bad:?}");
        stopped(&bad, Limit::Fuel, fuel);
        if let Some(enough) = enough {
            done(&limited(&stage, args, |limits| limits.fuel = enough)?);
        }
    }
    Ok(())
}

#[test]
fn one_host_call_moves_only_so_much() -> Test {
    let stage = Stage::probe(&[])?;
    let huge = ["random", "33554432", "33554432"];
    let bad = limited(&stage, &huge, |_limits| {})?;
    stopped(&bad, Limit::Transfer, 1_000_000_000);
    done(&limited(
        &stage,
        &["random", "33554432", "1048576"],
        |_limits| {},
    )?);
    let adapter = Stage::new("hostile/hostile-adapter", &[])?;
    let flood = |bytes: u64| {
        let arguments = format!(r#"{{"bytes":{bytes}}}"#);
        adapter.ask("", tool("flood", &arguments), |grant| {
            grant.limits.output_bytes = 64 * MIB;
            grant.limits.memory_bytes = 256 * MIB;
        })
    };
    stopped(&flood(20 * MIB)?, Limit::Transfer, 1_000_000_000);
    done(&flood(MIB)?);
    // A reply is output.
    let bad = adapter.tool("", "flood", r#"{"bytes":2000000}"#)?;
    stopped(&bad, Limit::Output, 1_000_000_000);
    Ok(())
}

#[test]
fn writing_is_capped() -> Test {
    let stage = Stage::probe(&[])?;
    for (args, small) in [
        (&["write-fill", "f", "200000"][..], 100_000),
        (&["truncate", "f", "200000"], 100_000),
    ] {
        stage.write("f", "")?;
        let bad = limited(&stage, args, |limits| limits.write_bytes = small)?;
        stopped(&bad, Limit::Write, 1_000_000_000);
        assert!(stage.content("f")?.len() <= 100_000);
        done(&limited(&stage, args, |limits| {
            limits.write_bytes = 500_000
        })?);
    }
    Ok(())
}

#[test]
fn a_trap_is_charged_in_full_and_an_exit_is_not() -> Test {
    let stage = Stage::probe(&[])?;
    for act in [&["spin-then-trap", "1000"][..], &["trap"], &["panic"]] {
        let bad = limited(&stage, act, |_limits| {})?;
        assert!(matches!(bad.ending, Ending::Trapped(_)), "{bad:?}");
        assert_eq!((code(&bad), bad.fuel), ("PLUGIN-TRAPPED", 1_000_000_000));
    }
    let work = limited(&stage, &["work", "1000"], |_limits| {})?;
    let exit = limited(&stage, &["exit", "0"], |_limits| {})?;
    let plain = limited(&stage, &["exit-plainly", "0"], |_limits| {})?;
    for good in [&work, &exit, &plain] {
        done(good);
        assert!(good.fuel > 1_000 && good.fuel < 10_000_000, "{good:?}");
    }
    // What is charged is what was used: more work, more fuel, whatever the limit is.
    let more = limited(&stage, &["work", "2000"], |limits| limits.fuel = 50_000_000)?;
    assert!(
        more.fuel > work.fuel + 1_000,
        "{} and {}",
        more.fuel,
        work.fuel
    );
    let bad = limited(&stage, &["exit", "7"], |_limits| {})?;
    assert_eq!(
        (code(&bad), &bad.ending),
        ("COMMAND-FAILED", &Ending::Exited(7))
    );
    assert!(bad.fuel < 10_000_000);
    Ok(())
}

#[test]
fn a_siblings_limits_do_not_touch_another_call() -> Test {
    let stage = Stage::probe(&[("a", "a")])?;
    let alone = limited(&stage, &["work", "200000"], |_limits| {})?;
    done(&alone);
    let beside = |act: &'static [&'static str], set: fn(&mut Limits)| -> Test {
        thread::scope(|scope| {
            let sibling = scope.spawn(|| limited(&stage, act, set));
            let mut calls = 0;
            while !sibling.is_finished() || calls == 0 {
                let call = limited(&stage, &["work", "200000"], |_limits| {})?;
                assert_eq!(
                    (call.fuel, &call.stdout),
                    (alone.fuel, &alone.stdout),
                    "beside {act:?}"
                );
                calls += 1;
            }
            let sibling = sibling.join().map_err(|_panic| "the sibling panicked")??;
            assert_ne!(code(&sibling), "PASS", "{act:?}");
            Ok(())
        })
    };
    beside(&["spin"], |limits| {
        limits.fuel = 1 << 50;
        limits.wall_ms = 300;
    })?;
    beside(&["spin"], |limits| limits.fuel = 50_000_000)?;
    beside(&["eat-memory", "0"], |limits| {
        limits.memory_bytes = 16 * MIB
    })?;
    beside(&["open-many", "a", "1000"], |limits| limits.open_files = 50)?;
    beside(&["recurse"], |_limits| {})
}
