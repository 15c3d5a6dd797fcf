//! Row 4: listing, reading and counting the lines of 6,000 files, 90 MB.
//!
//! Once by a gate through the `workspace` interface, against the same counting function in this process, which walks with
//! `std::fs`. Once by a program that walks with `std::fs` itself, against the same program in wasmtime alone with the files of
//! wasmtime-wasi. The lease allows everything, and what is read is recorded as always. All files are in the page cache.

use leasehold_sandbox::{Ending, Returned};

use super::{Settings, disk};
use crate::Fault;
use crate::measure::{alternate, timed};
use crate::ours::{Ours, Reach, check, run};
use crate::peer::Program;
use crate::table::Line;
use crate::tree;
use bench_work::Count;

const COUNT: &str = r#"{"do":"count"}"#;
const ARGS: [&str; 2] = ["count", "/"];

/// Through the `workspace` interface.
pub(super) fn through_workspace(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let input = check(COUNT);
    let ours = Ours::new(&disk()?, 4, "bench/bench-gate", Reach::Workspace, &input)?;
    let folder = ours.rig.workspace();
    tree::make(&folder, settings.quick)?;
    let expected = words(Count::tree(&folder)?);
    let pair = alternate(
        settings.rounds(9),
        || {
            timed(1, || match ours.call(check(COUNT))?.ending {
                Ending::Returned(Returned::Verdict(verdict)) => same(&verdict.summary, &expected),
                other => Err(format!("{other:?}").into()),
            })
        },
        || timed(1, || same(&words(Count::tree(&folder)?), &expected)),
    )?;
    Ok(vec![Line::measured(
        "6,000 files, 90 MB, through `workspace` : natively",
        pair,
        1.5,
    )])
}

/// Through `std::fs` in the guest.
pub(super) fn through_std(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let guest = "bench/bench-program";
    let ours = Ours::new(&disk()?, 4, guest, Reach::Workspace, &run(&ARGS))?;
    let folder = ours.rig.workspace();
    tree::make(&folder, settings.quick)?;
    let expected = words(Count::tree(&folder)?);
    let peer = Program::new(&leasehold_tests::plugin_bytes(guest)?)?;
    let call = || {
        timed(1, || {
            let outcome = ours.call(run(&ARGS))?;
            same(&String::from_utf8_lossy(&outcome.stdout), &expected)
        })
    };
    let alone = || timed(1, || same(&peer.run(&ARGS, &folder)?, &expected));
    let natively = || timed(1, || same(&words(Count::tree(&folder)?), &expected));
    let pair = alternate(settings.rounds(9), call, alone)?;
    let native = alternate(settings.rounds(5), call, natively)?;
    Ok(vec![
        Line::measured(
            "6,000 files, 90 MB, through std::fs : wasmtime-wasi",
            pair,
            1.1,
        ),
        Line::comparison("6,000 files, 90 MB, through std::fs : natively", native),
    ])
}

/// As the guests say it.
fn words(count: Count) -> String {
    format!("{} {} {}", count.files, count.bytes, count.lines)
}

fn same(said: &str, expected: &str) -> Result<(), Fault> {
    if said.trim_end() == expected {
        Ok(())
    } else {
        Err(format!("counted {said:?} instead of {expected:?}").into())
    }
}
