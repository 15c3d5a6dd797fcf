//! Row 9: the gate `secrets` over 6,000 files, 90 MB.
//!
//! Our side is the wall time of the call, as its record on the tape has it: the guest and every answer of the host to it. The peer is
//! the same scanner in this process, which walks and reads with `std::fs`. Both use one thread. Where gitleaks is installed, whole
//! processes are compared.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use leasehold_tape::Kind;
use leasehold_tape::call::Outcome;
use leasehold_tape::reader::Records;
use secrets_scan::{Rules, scan};

use super::{Settings, disk};
use crate::Fault;
use crate::measure::{alternate, timed};
use crate::process::{done, installed};
use crate::project::{Project, SECRETS};
use crate::sources;
use crate::table::Line;

const NATIVE: &str = "gate `secrets`, 6,000 files, 90 MB, the call : natively";
const GITLEAKS: &str = "gate `secrets`, whole process : gitleaks";
/// How far a file is looked at for a zero byte, which makes it binary.
const HEAD: usize = 8 << 10;

pub(super) fn measure(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let project = Project::of(&disk()?, &[SECRETS])?;
    let folder = project.workspace();
    sources::make(&folder, settings.quick)?;
    let rules = Rules::new(secrets_scan::Settings::default())?;
    let run = || project.run(["--no-cache", "--jobs=1"]);
    let call = || {
        run()?;
        last_call(&project)
    };
    let natively = || timed(1, || none_in(&folder, &rules));
    let pair = alternate(settings.rounds(9), call, natively)?;
    let mut lines = vec![Line::measured(NATIVE, pair, 2.0)];
    lines.push(if installed("gitleaks", "version") {
        let pair = alternate(
            settings.rounds(5),
            || timed(1, run),
            || timed(1, || gitleaks(&folder)),
        )?;
        Line::measured(GITLEAKS, pair, 1.0)
    } else {
        Line::skipped(GITLEAKS, "`gitleaks` is not installed")
    });
    Ok(lines)
}

/// How long the last call on the tape took.
fn last_call(project: &Project) -> Result<Duration, Fault> {
    let tape = fs::File::open(project.home().join("tape/records.jsonl"))?;
    let mut last = None;
    for record in Records::new(tape) {
        let record = record?;
        if record.kind == Kind::CallOutcome {
            let outcome = record.body::<Outcome>();
            last = Some(outcome.map_err(|fault| fault.message)?);
        }
    }
    let outcome = last.ok_or("there is no call on the tape")?;
    Ok(Duration::from_micros(outcome.wall_us))
}

/// What the gate does, as a program of its own would: looks into every file that is text.
fn none_in(folder: &Path, rules: &Rules) -> Result<(), Fault> {
    for file in sources::files(folder)? {
        let content = fs::read(&file)?;
        if content.get(..HEAD).unwrap_or(&content).contains(&0) {
            continue;
        }
        let path = file.strip_prefix(folder)?.to_string_lossy();
        if !scan(&path, &content, rules).is_empty() {
            return Err(format!("{path} has a secret, and the gate finds none").into());
        }
    }
    Ok(())
}

fn gitleaks(folder: &Path) -> Result<(), Fault> {
    let mut gitleaks = Command::new("gitleaks");
    // What it finds is another matter.
    gitleaks.args([
        "dir",
        "--no-banner",
        "--log-level",
        "error",
        "--exit-code",
        "0",
    ]);
    gitleaks.arg(folder);
    done(gitleaks).map(drop)
}
