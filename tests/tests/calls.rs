//! Admission, the door and the tape: what is refused before it runs, what ends while it runs, and what is recorded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use leasehold_lease::Kind;
use leasehold_sandbox::{
    AdmitError, CallSpec, Ending, Input, Reason, Recorder, Returned, Status, Stop, admit,
};
use leasehold_seal::{Coded, Timestamp};
use leasehold_tape::{HostClock, Kind as RecordKind, Ledger};
use leasehold_tests::{Fault, Stage, agree, check, code, run, said, tool};

type Test = Result<(), Fault>;

/// A refusal to admit, which must stand on the tape as `lease.denied` and leave no intent.
#[track_caller]
fn refused(stage: &Stage, grant: leasehold_lease::Grant, spec: CallSpec, expected: &str) -> Test {
    let error = stage.rig.refused(&stage.plugin, grant, spec)?;
    let error = error.ok_or_else(|| format!("{expected}: it was admitted"))?;
    assert_eq!(error.code(), expected, "{error}");
    assert!(error.hint().is_some(), "{expected} has no hint");
    let records = stage.rig.records()?;
    let last = records.last().ok_or("an empty tape")?;
    assert_eq!(last.kind, RecordKind::LeaseDenied, "{expected}");
    let body: serde_json::Value = serde_json::from_slice(last.body_bytes())?;
    assert_eq!(body["code"], expected);
    assert!(
        records
            .iter()
            .all(|record| record.kind != RecordKind::CallIntent),
        "{expected}"
    );
    Ok(())
}

#[test]
fn arguments_are_granted_as_a_whole() -> Test {
    let stage = Stage::probe(&[])?;
    let granted = run(&["exit", "0"]);
    for other in [
        &["exit", "1"][..],
        &["exit"],
        &["exit", "0", "x"],
        &["0", "exit"],
        &[],
    ] {
        refused(
            &stage,
            stage.grant("", &granted)?,
            run(other),
            "ARGS-DENIED",
        )?;
    }
    let mut both = stage.grant("", &granted)?;
    both.args.push(vec!["exit".into(), "1".into()]);
    assert_eq!(
        stage
            .rig
            .call(&stage.plugin, both, run(&["exit", "1"]))?
            .ending,
        Ending::Exited(1)
    );
    Ok(())
}

#[test]
fn the_configuration_is_granted_to_the_byte() -> Test {
    let stage = Stage::new("hostile/hostile-gate", &[])?;
    let granted = check(r#"{"do":"pass"}"#);
    for other in [r#"{"do": "pass"}"#, r#"{"do":"skip"}"#] {
        refused(
            &stage,
            stage.grant("l:**", &granted)?,
            check(other),
            "CONFIG-DENIED",
        )?;
    }
    let none = CallSpec::new(Input::Check {
        config: None,
        changed: None,
    });
    refused(
        &stage,
        stage.grant("l:**", &granted)?,
        none,
        "CONFIG-DENIED",
    )?;
    let bad = check(r#"{"do":7}"#);
    refused(&stage, stage.grant("l:**", &bad)?, bad, "CONFIG-SCHEMA")?;
    assert_eq!(code(&stage.ask("l:**", granted, |_grant| {})?), "PASS");
    Ok(())
}

#[test]
fn a_lease_for_one_kind_or_plugin_is_none_for_another() -> Test {
    let stage = Stage::new("hostile/hostile-gate", &[])?;
    let config = check(r#"{"do":"pass"}"#);
    let mut command = stage.grant("", &config)?;
    command.kind = Kind::Command;
    refused(&stage, command, config.clone(), "KIND-MISMATCH")?;
    refused(
        &stage,
        stage.grant("", &run(&[]))?,
        run(&[]),
        "KIND-MISMATCH",
    )?;
    refused(
        &stage,
        stage.grant("", &tool("x", "{}"))?,
        tool("x", "{}"),
        "KIND-MISMATCH",
    )?;
    let mut foreign = stage.grant("", &config)?;
    foreign.plugin = stage.rig.plugin("hello")?.digest();
    let rights = stage.rig.rights(foreign)?;
    let admitted = admit(
        &stage.rig.engine,
        &stage.plugin,
        rights,
        config.clone(),
        &stage.rig.recorder,
    );
    assert_eq!(
        admitted.err().map(|error| error.code()),
        Some("PLUGIN-MISMATCH")
    );
    assert_eq!(code(&stage.ask("l:**", config, |_grant| {})?), "PASS");
    Ok(())
}

#[test]
fn the_door_does_not_run_another_plugin_than_was_admitted() -> Test {
    let stage = Stage::new("hello", &[])?;
    let other = stage.rig.plugin("hostile/probe")?;
    let rights = stage.rig.rights(stage.grant("", &run(&[]))?)?;
    let ticket = |rights| {
        admit(
            &stage.rig.engine,
            &stage.plugin,
            rights,
            run(&[]),
            &stage.rig.recorder,
        )
    };
    let bad = stage.rig.engine.call(ticket(rights.clone())?, &other)?;
    agree(&bad, &stage.rig.records()?)?;
    assert_eq!(
        (code(&bad), &bad.ending),
        ("PLUGIN-MISMATCH", &Ending::Ended(Reason::PluginMismatch))
    );
    assert!(bad.stdout.is_empty() && bad.fuel == 1_000_000_000);
    let good = stage.rig.engine.call(ticket(rights)?, &stage.plugin)?;
    assert_eq!(said(&good), "Hello, world!\n");
    Ok(())
}

/// A host clock that stands at one moment.
struct Stopped(Timestamp);

impl HostClock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn monotonic_us(&self) -> u64 {
        0
    }

    fn boot_id(&self) -> String {
        "test".into()
    }
}

fn standing_at(stage: &Stage, moment: i64) -> Result<Recorder, Fault> {
    let mut recorder = stage.rig.recorder.clone();
    recorder.clock = Arc::new(Stopped(Timestamp::from_millis(moment)?));
    Ok(recorder)
}

#[test]
fn rights_are_good_from_their_first_to_before_their_last_moment() -> Test {
    let stage = Stage::probe(&[])?;
    let spec = || run(&["exit", "0"]);
    let rights = stage.rig.rights(stage.grant("", &spec())?)?;
    let (first, last) = (
        rights.not_before().as_millis(),
        rights.expires().as_millis(),
    );
    for (moment, expected) in [
        (first - 1, Some("LEASE-NOT-YET")),
        (first, None),
        (last - 1000, None),
        (last, Some("LEASE-EXPIRED")),
        (last + 7_200_000, Some("LEASE-EXPIRED")),
    ] {
        let recorder = standing_at(&stage, moment)?;
        let admitted = admit(
            &stage.rig.engine,
            &stage.plugin,
            rights.clone(),
            spec(),
            &recorder,
        );
        assert_eq!(admitted.as_ref().err().map(AdmitError::code), expected);
        if let Ok(ticket) = admitted {
            assert_eq!(code(&stage.rig.engine.call(ticket, &stage.plugin)?), "PASS");
        }
    }
    assert_eq!(stage.rig.bodies(&RecordKind::LeaseDenied)?.len(), 3);
    Ok(())
}

#[test]
fn a_lease_that_expires_ends_its_call() -> Test {
    let stage = Stage::probe(&[])?;
    for files in ["", "l:**"] {
        let mut grant = stage.grant(files, &run(&["spin"]))?;
        grant.args.push(vec!["work".into(), "1".into()]);
        grant.limits.fuel = 1 << 50;
        let rights = stage.rig.rights(grant)?;
        let recorder = standing_at(&stage, rights.expires().as_millis() - 300)?;
        let started = Instant::now();
        let call = |args: &[&str]| -> Result<_, Fault> {
            let mut spec = run(args);
            spec.workspace = Some(stage.rig.tree()?);
            let ticket = admit(
                &stage.rig.engine,
                &stage.plugin,
                rights.clone(),
                spec,
                &recorder,
            )?;
            Ok(stage.rig.engine.call(ticket, &stage.plugin)?)
        };
        let bad = call(&["spin"])?;
        assert_eq!(
            (code(&bad), &bad.ending),
            (
                "LEASE-EXPIRED",
                &Ending::Ended(Reason::Stopped(Stop::Expired))
            )
        );
        assert!(
            started.elapsed() < Duration::from_millis(1500),
            "{:?}",
            started.elapsed()
        );
        agree(&bad, &stage.rig.records()?)?;
        assert_eq!(code(&call(&["work", "1"])?), "PASS");
    }
    Ok(())
}

#[test]
fn a_call_is_stopped_from_outside_within_a_second() -> Test {
    let stage = Stage::probe(&[])?;
    for (files, why, expected) in [
        ("", Stop::Cancelled, "CANCELLED"),
        ("l:**", Stop::Cancelled, "CANCELLED"),
        ("l:**", Stop::Revoked, "LEASE-REVOKED"),
    ] {
        let spec = run(&["spin"]);
        let switch = spec.stop.clone();
        let timer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(150));
            switch.stop(why);
            Instant::now()
        });
        let bad = stage.ask(files, spec, |grant| grant.limits.fuel = 1 << 50)?;
        let ended = Instant::now();
        let stopped = timer.join().map_err(|_panic| "the timer panicked")?;
        assert_eq!(
            (code(&bad), &bad.ending),
            (expected, &Ending::Ended(Reason::Stopped(why)))
        );
        assert!(ended.duration_since(stopped) < Duration::from_secs(1));
        assert_eq!(bad.fuel, 1 << 50);
    }
    assert_eq!(code(&stage.run("", &["work", "1"])?), "PASS");
    Ok(())
}

#[test]
fn an_intent_stands_before_the_call_and_a_dropped_ticket_is_spent() -> Test {
    let stage = Stage::probe(&[("a", "a")])?;
    let mut spec = run(&["write", "a", "b"]);
    spec.workspace = Some(stage.rig.tree()?);
    let rights = stage.rig.rights(stage.grant("w:a", &spec)?)?;
    let lease = rights.chain()[0];
    let admitted = || {
        admit(
            &stage.rig.engine,
            &stage.plugin,
            rights.clone(),
            spec.clone(),
            &stage.rig.recorder,
        )
    };
    let ledger = || -> Result<Ledger, Fault> {
        let mut ledger = Ledger::new();
        for record in stage.rig.records()? {
            ledger.apply(&record).map_err(|fault| fault.message)?;
        }
        Ok(ledger)
    };
    let ticket = admitted()?;
    let id = ticket.call().to_owned();
    // Before the call, another reader of the file finds the intent.
    let intents = stage.rig.bodies(&RecordKind::CallIntent)?;
    assert_eq!(
        (&intents[0]["call"], &intents[0]["effects"]),
        (&id.clone().into(), &true.into())
    );
    assert_eq!(intents[0]["charges"][0]["fuel"], 1_000_000_000);
    drop(ticket);
    assert_eq!(stage.content("a")?, "a");
    assert_eq!(ledger()?.open_calls().collect::<Vec<_>>(), [id.as_str()]);
    assert_eq!(ledger()?.account(&lease).fuel, 1_000_000_000);
    // One that is used settles.
    let good = stage.rig.engine.call(admitted()?, &stage.plugin)?;
    agree(&good, &stage.rig.records()?)?;
    assert_eq!(
        (ledger()?.open_count(), stage.content("a")?.as_str()),
        (1, "b")
    );
    let account = ledger()?.account(&lease);
    assert_eq!((account.fuel, account.uses), (1_000_000_000 + good.fuel, 2));
    // A call without effects has its intent, too, and says so.
    stage.run("r:a", &["read", "a"])?;
    assert_eq!(
        stage.rig.bodies(&RecordKind::CallIntent)?[2]["effects"],
        false
    );
    Ok(())
}

#[test]
fn a_call_that_needs_a_workspace_gets_one_or_is_refused() -> Test {
    let stage = Stage::probe(&[("a", "a")])?;
    let spec = run(&["read", "a"]);
    let rights = stage.rig.rights(stage.grant("r:a", &spec)?)?;
    let admitted = admit(
        &stage.rig.engine,
        &stage.plugin,
        rights,
        spec,
        &stage.rig.recorder,
    );
    assert_eq!(
        admitted.err().map(|error| error.code()),
        Some("WORKSPACE-MISSING")
    );
    assert_eq!(code(&stage.run("r:a", &["read", "a"])?), "PASS");
    Ok(())
}

#[test]
fn an_adapter_is_held_to_its_schemas() -> Test {
    let stage = Stage::new("hostile/hostile-adapter", &[("a", "content")])?;
    for (name, arguments, expected) in [
        ("flood", r#"{"bytes":"many"}"#, "ARGUMENTS-SCHEMA"),
        ("flood", r#"{"bytes":1,"more":1}"#, "ARGUMENTS-SCHEMA"),
        ("flood", r#"{"bytes":"#, "ARGUMENTS-SCHEMA"),
        ("sing", "{}", "TOOL-UNKNOWN"),
    ] {
        let spec = tool(name, arguments);
        refused(&stage, stage.grant("", &spec)?, spec, expected)?;
    }
    for (name, arguments, expected) in [
        ("keep", "{}", "PASS"),
        ("echo", r#"{"a":1}"#, "PASS"),
        ("lie", "{}", "REPLY-SCHEMA"),
        ("garble", "{}", "REPLY-SCHEMA"),
        (
            "fail",
            r#"{"kind":"arguments","text":"x"}"#,
            "ARGUMENTS-REFUSED",
        ),
        ("fail", r#"{"kind":"blocked","text":"x"}"#, "PLUGIN-BLOCKED"),
        ("fail", r#"{"kind":"fault","text":"x"}"#, "PLUGIN-FAULT"),
        ("read", r#"{"path":"a"}"#, "PASS"),
    ] {
        let outcome = stage.tool("l:** r:a", name, arguments)?;
        assert_eq!(code(&outcome), expected, "{name} {arguments}: {outcome:?}");
        let replied = matches!(outcome.ending, Ending::Returned(Returned::Reply(_)));
        assert_eq!(replied, expected == "PASS", "{name}");
    }
    let denied = stage.tool("l:**", "read", r#"{"path":"a"}"#)?;
    assert_ne!(denied.summary.status, Status::Pass);
    assert_eq!((code(&denied), denied.coverage.denied), ("PATH-DENIED", 1));
    Ok(())
}
