//! What programs try against the limits of a call.

use super::hosts::Ask;
use super::{Entry, Got, Kind};

const ALL: &str = "l:** r:**";
const WRITE: &str = "l:** r:** w:**";
const MIB: u64 = 1 << 20;

/// An entry for a guest.
pub(super) fn guest(
    name: &str,
    plugin: &'static str,
    attacks: &str,
    expected: &str,
    bad: Ask,
    good: Ask,
) -> Entry {
    Entry {
        name: name.into(),
        kind: Kind::Guest,
        attacks: attacks.into(),
        expected: expected.into(),
        run: Box::new(move |hosts| {
            Ok(Got {
                code: hosts.ask(plugin, bad)?,
                twin: hosts.ask(plugin, good)?,
            })
        }),
    }
}

pub(super) fn probe(name: &str, attacks: &str, expected: &str, bad: Ask, good: Ask) -> Entry {
    guest(
        &format!("probe/{name}"),
        "hostile/probe",
        attacks,
        expected,
        bad,
        good,
    )
}

pub(super) fn run(args: &'static [&'static str]) -> Ask {
    Ask::run(args)
}

pub(super) fn entries() -> Vec<Entry> {
    let parts = [fuel(), room(), ends()];
    parts.into_iter().flatten().collect()
}

/// Fuel and time.
fn fuel() -> Vec<Entry> {
    let little: fn(&mut leasehold_lease::Grant) = |grant| grant.limits.fuel = 5_000_000;
    let work = run(&["work", "1000000"]);
    let random = run(&["random", "10000000"]);
    let tiny = run(&["tiny-reads", "a", "1000"]).files(ALL);
    let start = |name, plugin| {
        guest(
            name,
            plugin,
            "loops in its start function, before it is called",
            "FUEL-EXHAUSTED",
            run(&[]).under(little),
            run(&["few"]),
        )
    };
    let mut entries = vec![
        probe(
            "spin",
            "loops for ever",
            "FUEL-EXHAUSTED",
            run(&["spin"]).under(little),
            work,
        ),
        probe(
            "work",
            "computes more than it was given fuel for",
            "FUEL-EXHAUSTED",
            work.under(little),
            work,
        ),
        probe(
            "fill-memory",
            "one instruction that fills 16 MiB, again and again",
            "FUEL-EXHAUSTED",
            run(&["fill-memory"]).under(|grant| grant.limits.fuel = 50_000_000),
            run(&["eat-memory", "16777216"]),
        ),
        probe(
            "random",
            "has the host make 10 MB of randomness",
            "FUEL-EXHAUSTED",
            random.under(little),
            random,
        ),
        probe(
            "tiny-reads",
            "a thousand reads of one byte",
            "FUEL-EXHAUSTED",
            tiny.under(little),
            tiny,
        ),
        probe(
            "spin-time",
            "loops for ever, with fuel for days",
            "TIME-EXCEEDED",
            run(&["spin"]).under(|grant| {
                grant.limits.fuel = 1 << 50;
                grant.limits.wall_ms = 100;
            }),
            work,
        ),
        probe(
            "sleep",
            "sleeps past its deadline",
            "TIME-EXCEEDED",
            run(&["sleep", "20000"]),
            run(&["sleep", "20000"]).under(|grant| grant.limits.wall_ms = 30_000),
        ),
    ];
    for (name, plugin) in [
        ("wat/start-loop", "hostile/start-loop"),
        ("wat/start-loop-component", "hostile/start-loop-component"),
    ] {
        let mut entry = start(name, plugin);
        entry.run = Box::new(move |hosts| {
            Ok(Got {
                code: hosts.ask(plugin, run(&[]).under(little))?,
                twin: hosts.ask("hostile/no-imports", run(&[]).under(little))?,
            })
        });
        entries.push(entry);
    }
    entries
}

/// Memory, stack, output, handles, transfer and written bytes.
fn room() -> Vec<Entry> {
    let eat = run(&["eat-memory", "33554432"]);
    let small: fn(&mut leasehold_lease::Grant) = |grant| grant.limits.memory_bytes = 16 * MIB;
    let large: fn(&mut leasehold_lease::Grant) = |grant| grant.limits.memory_bytes = 200 * MIB;
    let short: fn(&mut leasehold_lease::Grant) = |grant| grant.limits.write_bytes = 100_000;
    let fill = run(&["write-fill", "f", "200000"]).files(WRITE);
    let grow = run(&["truncate", "f", "200000"]).files(WRITE);
    let open = run(&["open-many", "a", "60"]).files(ALL);
    let mut entries = vec![
        probe(
            "eat-memory",
            "takes 32 MiB where it has 16",
            "MEMORY-EXCEEDED",
            eat.under(small),
            eat,
        ),
        probe(
            "eat-memory-endless",
            "takes memory without end",
            "MEMORY-EXCEEDED",
            run(&["eat-memory", "0"]).under(small),
            eat,
        ),
        probe(
            "recurse",
            "calls itself without end",
            "STACK-EXHAUSTED",
            run(&["recurse"]),
            run(&["work", "1"]),
        ),
        probe(
            "stdout",
            "prints without end",
            "OUTPUT-EXCEEDED",
            run(&["stdout", "0"]),
            run(&["stdout", "100000"]),
        ),
        probe(
            "stderr",
            "prints errors without end",
            "OUTPUT-EXCEEDED",
            run(&["stderr", "0"]),
            run(&["stderr", "100000"]),
        ),
        probe(
            "open-many",
            "keeps sixty files open where it may have fifty",
            "HANDLES-EXCEEDED",
            open.under(|grant| grant.limits.open_files = 50),
            open,
        ),
        probe(
            "transfer",
            "32 MiB in one host call",
            "TRANSFER-EXCEEDED",
            run(&["random", "33554432", "33554432"]),
            run(&["random", "33554432", "1048576"]),
        ),
        probe(
            "write-fill",
            "writes twice what it may",
            "WRITE-QUOTA",
            fill.under(short),
            fill,
        ),
        probe(
            "truncate",
            "makes a file larger than what it may write",
            "WRITE-QUOTA",
            grow.under(short),
            grow,
        ),
    ];
    for (name, plugin, attacks) in [
        (
            "wat/two-memories",
            "hostile/two-memories",
            "two memories, each of which is within the cap",
        ),
        (
            "wat/multi-memory",
            "hostile/multi-memory",
            "one module with two memories",
        ),
        (
            "wat/initial-memory",
            "hostile/initial-memory",
            "64 MiB before its first instruction",
        ),
        (
            "wat/grow-table",
            "hostile/grow-table",
            "a table of 5,000,000 elements",
        ),
        (
            "wat/initial-table",
            "hostile/initial-table",
            "such a table before its first instruction",
        ),
    ] {
        entries.push(guest(
            name,
            plugin,
            attacks,
            "MEMORY-EXCEEDED",
            run(&[]).under(|grant| grant.limits.memory_bytes = 32 * MIB),
            run(&[]).under(large),
        ));
    }
    for (name, plugin, attacks) in [
        (
            "wat/guest-handles",
            "hostile/guest-handles",
            "2,000,000 handles of a type of its own",
        ),
        (
            "wat/pollable-flood",
            "hostile/pollable-flood",
            "200,000 pollables",
        ),
    ] {
        entries.push(guest(
            name,
            plugin,
            attacks,
            "HANDLES-EXCEEDED",
            run(&[]),
            run(&["few"]),
        ));
    }
    entries
}

/// How a program ends, and what it wants from outside.
fn ends() -> Vec<Entry> {
    let well = run(&["work", "1000"]);
    vec![
        probe(
            "trap",
            "traps, to be charged less than it used",
            "PLUGIN-TRAPPED",
            run(&["trap"]),
            well,
        ),
        probe(
            "spin-then-trap",
            "works, then traps",
            "PLUGIN-TRAPPED",
            run(&["spin-then-trap", "1000"]),
            well,
        ),
        probe("panic", "panics", "PLUGIN-TRAPPED", run(&["panic"]), well),
        probe(
            "args",
            "is given other arguments than were granted",
            "ARGS-DENIED",
            well.under(|grant| grant.args = vec![vec!["work".into(), "1".into()]]),
            well,
        ),
        probe(
            "no-args",
            "is given arguments where none were granted",
            "ARGS-DENIED",
            well.under(|grant| grant.args = vec![Vec::new()]),
            well,
        ),
        probe(
            "another-plugin",
            "runs under a lease for another plugin",
            "PLUGIN-MISMATCH",
            well.under(|grant| grant.plugin = leasehold_seal::Digest::of(b"another")),
            well,
        ),
        probe(
            "another-kind",
            "a program that wants to pass as an adapter",
            "KIND-MISMATCH",
            well.under(|grant| grant.kind = leasehold_lease::Kind::Adapter),
            well,
        ),
        probe(
            "exit-undeclared",
            "a program that judges by exit codes nobody declared",
            "EXIT-UNDECLARED",
            well.under(|grant| grant.kind = leasehold_lease::Kind::Gate),
            well,
        ),
    ]
}
