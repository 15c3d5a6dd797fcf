//! Row 3: a whole process, from the shell to the durable record.
//!
//! `leasehold call` of a program that says hello, under a lease that was issued before, with compiled code in the cache. The peer is
//! `wasmtime run --allow-precompiled` of the same program. The bound is 1.3 times the peer plus what our syncs cost, so the sync is
//! measured away: the home lies in memory, where a sync costs nothing, and a line of its own shows the same call on the disk. Where
//! no `wasmtime` is installed there is only the comparison with a native process that says hello.

use std::path::{Path, PathBuf};
use std::process::Command;

use leasehold_tests::{binary, repository};
use tempfile::TempDir;

use super::{Settings, disk, memory};
use crate::Fault;
use crate::measure::{alternate, timed};
use crate::process::{done, installed};
use crate::table::Line;

const CALLS: u32 = 20;
const WHAT: &str = "`leasehold call`, syncs for nothing : `wasmtime run --allow-precompiled`";

pub(super) fn measure(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let Some(memory) = memory() else {
        return Ok(vec![Line::skipped(WHAT, "there is no /dev/shm")]);
    };
    let on_disk = Home::new(&disk()?)?;
    let in_memory = Home::new(&memory)?;
    let rounds = settings.rounds(9);
    let calls = settings.work(CALLS);
    let many =
        |call: &dyn Fn() -> Result<(), Fault>| timed(calls, || (0..calls).try_for_each(|_| call()));
    let ours = || many(&|| in_memory.call());
    let mut lines = Vec::new();
    match Precompiled::new(in_memory.folder.path())? {
        Some(peer) => {
            let pair = alternate(rounds, ours, || many(&|| peer.run()))?;
            lines.push(Line::measured(WHAT, pair, 1.3));
        }
        None => lines.push(Line::skipped(WHAT, "`wasmtime` is not installed")),
    }
    let durable = alternate(rounds, || many(&|| on_disk.call()), ours)?;
    lines.push(Line::comparison(
        "`leasehold call`, tape on the disk : syncs for nothing",
        durable,
    ));
    let echo = || {
        many(&|| {
            let mut native = Command::new("/bin/echo");
            native.arg("hello");
            says_hello(native)
        })
    };
    let native = alternate(rounds, ours, echo)?;
    lines.push(Line::comparison(
        "`leasehold call`, syncs for nothing : /bin/echo hello",
        native,
    ));
    Ok(lines)
}

/// A home with a lease to say hello.
struct Home {
    folder: TempDir,
    binary: PathBuf,
    plugin: PathBuf,
}

impl Home {
    fn new(place: &Path) -> Result<Home, Fault> {
        let folder = tempfile::Builder::new()
            .prefix("leasehold-")
            .tempdir_in(place)?;
        let home = Home {
            folder,
            binary: binary()?,
            plugin: program(),
        };
        done(home.leasehold(["init"]))?;
        let mut issue = home.leasehold(["lease", "issue", "--arg", "hello", "--plugin"]);
        issue.arg(&home.plugin).arg("--out").arg(home.lease());
        done(issue)?;
        // The first call compiles.
        home.call()?;
        Ok(home)
    }

    fn lease(&self) -> PathBuf {
        self.folder.path().join("hello.lease")
    }

    fn call(&self) -> Result<(), Fault> {
        let mut call = self.leasehold(["call"]);
        call.arg(&self.plugin).arg("--lease").arg(self.lease());
        call.args(["--", "hello"]);
        says_hello(call)
    }

    fn leasehold<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(args)
            .env("LEASEHOLD_HOME", self.folder.path().join("home"))
            // Under CI a home has no key to issue with.
            .env_remove("CI");
        command
    }
}

/// The program as `wasmtime compile` leaves it.
struct Precompiled(PathBuf);

impl Precompiled {
    /// `None` where there is no `wasmtime`.
    fn new(folder: &Path) -> Result<Option<Precompiled>, Fault> {
        if !installed("wasmtime", "--version") {
            return Ok(None);
        }
        let compiled = folder.join("program.cwasm");
        let mut compile = Command::new("wasmtime");
        compile
            .arg("compile")
            .arg(program())
            .arg("-o")
            .arg(&compiled);
        done(compile)?;
        Ok(Some(Precompiled(compiled)))
    }

    fn run(&self) -> Result<(), Fault> {
        let mut run = Command::new("wasmtime");
        run.args(["run", "--allow-precompiled"]).arg(&self.0);
        run.arg("hello");
        says_hello(run)
    }
}

fn program() -> PathBuf {
    repository().join("plugins/prebuilt/bench/bench-program.wasm")
}

fn says_hello(command: Command) -> Result<(), Fault> {
    let said = done(command)?;
    if said == b"hello\n" {
        Ok(())
    } else {
        Err(format!("said {:?}", String::from_utf8_lossy(&said)).into())
    }
}
