//! `leasehold doctor`: whether home and machine are in order.

use std::fs::File;

use leasehold_audit::{Expect, Finding, check};
use leasehold_sandbox::{CodeCache, Compiler, Engine, Instances, WASMTIME};
use leasehold_seal::{Role, Timestamp};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::process::{Resource, getrlimit};
use serde_json::json;

use crate::ambient;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::home::{Home, Secret};
use crate::session::{COMPILE_WORKER, Session};
use crate::text::grouped;
use crate::ui::{Line, Style};

/// About the smallest program: a core module with one page of memory, whose `_start` does nothing.
const NOTHING: [u8; 54] = [
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version
    0x01, 0x04, 0x01, 0x60, 0x00, 0x00, // type 0: no parameters, no results
    0x03, 0x02, 0x01, 0x00, // function 0 is of type 0
    0x05, 0x03, 0x01, 0x00, 0x01, // memory 0 has one page
    0x07, 0x13, 0x02, // two exports:
    0x06, b'm', b'e', b'm', b'o', b'r', b'y', 0x02, 0x00, // memory 0
    0x06, b'_', b's', b't', b'a', b'r', b't', 0x00, 0x00, // function 0
    0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b, // its body: end
    0x00, 0x02, 0x01,
    b'x', // a custom section, so that no plugin of anybody's has this digest
];

/// Fewer descriptors than this and calls that open many files fail before their lease ends them.
const DESCRIPTORS: u64 = 1_024;

/// How one check came out.
enum Health {
    Ok(String),
    Warn(String, String),
    Fail(Failure),
}

type Check = Result<Health, Failure>;

pub(crate) fn run(context: &Context) -> anyhow::Result<u8> {
    let home = Home::open(&context.ambient);
    let mut results = vec![
        ("platform", settle(platform())),
        ("descriptors", settle(descriptors())),
        ("clock", settle(clock(context))),
        ("compiler", settle(compiler(context))),
    ];
    match home {
        Err(failure) => results.push(("home", Health::Fail(failure))),
        Ok(home) => {
            results.push(("home", Health::Ok(home.folder().display().to_string())));
            results.push(("secrets", settle(secrets(&home))));
            results.push(("keys", settle(keys(&home, context))));
            results.push(("cache", settle(cache(&home))));
            results.push(("tape", settle(tape(&home, context))));
        }
    }
    let failed = results
        .iter()
        .any(|(_, health)| matches!(health, Health::Fail(_)));
    print(&results, context);
    Ok(if failed { exit::FAULT } else { exit::PASSED })
}

fn print(results: &[(&str, Health)], context: &Context) {
    let ui = &context.ui;
    let word = |health: &Health| match health {
        Health::Ok(_) => "OK",
        Health::Warn(..) => "WARN",
        Health::Fail(_) => "FAIL",
    };
    ui.json(&json!({ "checks": results.iter().map(|(name, health)| {
        let (says, hint, code) = match health {
            Health::Ok(says) => (says.clone(), None, None),
            Health::Warn(says, hint) => (says.clone(), Some(hint.clone()), None),
            Health::Fail(failure) => (failure.sentence.clone(), failure.hint.clone(), Some(failure.code.clone())),
        };
        json!({ "code": code, "health": word(health), "hint": hint, "name": name, "says": says })
    }).collect::<Vec<_>>() }));
    for (name, health) in results {
        let (style, says, hint) = match health {
            Health::Ok(says) => (Style::Good, says.clone(), None),
            Health::Warn(says, hint) => (Style::Warn, says.clone(), Some(hint.clone())),
            Health::Fail(failure) => (
                Style::Bad,
                format!("{} [{}]", failure.sentence, failure.code),
                failure.hint.clone(),
            ),
        };
        ui.data(
            Line::styled(style, format!("{:<5}", word(health)))
                .then(Style::Bold, format!("{name:<12}"))
                .plain(says),
        );
        if let Some(hint) = hint {
            ui.data(Line::styled(Style::Dim, format!("{:<17}hint: ", "")).plain(hint));
        }
    }
}

fn settle(check: Check) -> Health {
    check.unwrap_or_else(Health::Fail)
}

fn platform() -> Check {
    if !cfg!(target_os = "linux") {
        return Err(Failure::new(
            "UNSUPPORTED-PLATFORM",
            leasehold_seal::Class::Refused,
            "the file view is enforced on Linux only, so calls with a workspace are refused here",
        ));
    }
    let beneath = openat2(
        CWD,
        "/",
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::NO_SYMLINKS,
    );
    let version = format!(
        "{} on {}, wasmtime {WASMTIME}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH
    );
    Ok(match beneath {
        Ok(_) => Health::Ok(format!("Linux with openat2; Leasehold {version}")),
        Err(error) => Health::Warn(
            format!("Linux without openat2 ({error}); Leasehold {version}"),
            "paths are walked step by step instead, which is slower; a kernel from 5.6 on has openat2".to_owned(),
        ),
    })
}

fn descriptors() -> Check {
    let limit = getrlimit(Resource::Nofile).current;
    Ok(match limit {
        Some(limit) if limit < DESCRIPTORS => Health::Warn(
            format!("this process may open {limit} files"),
            format!("raise it: `ulimit -n {DESCRIPTORS}`"),
        ),
        Some(limit) => Health::Ok(format!("this process may open {} files", grouped(limit))),
        None => Health::Ok("this process may open any number of files".to_owned()),
    })
}

fn clock(context: &Context) -> Check {
    let clock = context.ambient.clock();
    let now = clock.now();
    let (before, after) = (clock.monotonic_us(), clock.monotonic_us());
    // Before this program was written no clock can be right.
    let earliest = Timestamp::from_millis(1_735_689_600_000).or_fail()?;
    if now < earliest || after < before {
        let says = format!("it is said to be {now}");
        return Ok(Health::Warn(
            says,
            "set the clock: leases are good for a time only".to_owned(),
        ));
    }
    Ok(Health::Ok(format!("{now}, boot {}", clock.boot_id())))
}

/// Compiles the smallest program in the child, past every cache.
fn compiler(context: &Context) -> Check {
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::writing("folder", std::path::Path::new("temporary"), &error))?;
    let compiler = Compiler {
        program: context.ambient.program().to_owned(),
        args: vec![COMPILE_WORKER.into()],
    };
    let cache = CodeCache::new(folder.path(), *ambient::random_secret()?);
    let engine = Engine::new(Instances::OnDemand, compiler, cache).or_fail()?;
    engine.load(&NOTHING).or_fail()?;
    Ok(Health::Ok(
        "the compiling child works under its limits".to_owned(),
    ))
}

fn secrets(home: &Home) -> Check {
    for secret in Secret::ALL {
        home.secret(secret)?;
    }
    Ok(Health::Ok(
        "three secrets, which only you can read".to_owned(),
    ))
}

fn keys(home: &Home, context: &Context) -> Check {
    let trust = home.trust()?;
    let now = context.ambient.now();
    let keys = home.keys()?;
    home.host_key(&trust, now)?;
    let says = format!(
        "{} here, {} in the trust file",
        keys.len(),
        trust.all_keys().len()
    );
    Ok(match home.key_with(Role::Issuer, &trust, now)? {
        Some(issuer) => Health::Ok(format!("{says}; leases are issued by {}", issuer.name)),
        None => Health::Warn(
            format!("{says}; no issuer key"),
            "calls need a lease from elsewhere, which is right for CI".to_owned(),
        ),
    })
}

fn cache(home: &Home) -> Check {
    let folder = home.cache();
    tempfile::tempfile_in(&folder).map_err(|error| Failure::writing("cache", &folder, &error))?;
    Ok(Health::Ok(folder.display().to_string()))
}

fn tape(home: &Home, context: &Context) -> Check {
    // Opening repairs a torn tail and refuses a clock that went back; verifying then reads every record.
    let session = Session::of_home(&context.ambient, home.clone())?;
    let folder = home.tape();
    let path = folder.join("records.jsonl");
    let records = File::open(&path).map_err(|error| Failure::reading("tape", &path, &error))?;
    let checkpoint = std::fs::read(folder.join("checkpoint")).ok();
    let report = check(
        records,
        checkpoint.as_deref(),
        &session.trust,
        &Expect::default(),
    )
    .or_fail()?;
    let count = grouped(report.records);
    Ok(match report.finding {
        Finding::Closed => Health::Ok(format!("CLOSED, {count} records")),
        Finding::Open { unproven_from } => Health::Warn(
            format!("OPEN, {count} records, unproven from {unproven_from} on"),
            "a call was cut short; the next one closes it".to_owned(),
        ),
        Finding::Broken { seq, message, .. } => {
            let sentence = format!("BROKEN at record {seq}: {message}");
            return Err(
                Failure::new("TAPE-BROKEN", leasehold_seal::Class::Integrity, sentence)
                    .hint("keep the folder as it is; `leasehold tape verify` says more"),
            );
        }
    })
}
