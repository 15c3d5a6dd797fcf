//! Row 8: a second run of ten gates over 6,000 files, 90 MB, of which none has changed: every result is used again.
//!
//! The bound is a time, set for a machine of two processors, so the peer is that time. The lines below it are for comparison: what
//! of it is waiting for the disk, what git takes to find out that nothing has changed, what a process costs that does nothing,
//! what a run costs that uses nothing again, and what the records of earlier runs add.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Settings, disk, memory};
use crate::Fault;
use crate::measure::{Pair, alternate, repeat, timed};
use crate::process::{done, installed};
use crate::project::{Project, TEN};
use crate::sources;
use crate::table::Line;

const ALLOWED: Duration = Duration::from_millis(60);
/// How many runs lie between a young tape and an older one.
const RUNS: u32 = 200;
const WHAT: &str = "unchanged second run of ten gates, whole process";

pub(super) fn measure(settings: &Settings) -> Result<Vec<Line>, Fault> {
    let project = judged(&disk()?, settings)?;
    let git = Git::new(&project)?;
    let rounds = settings.rounds(9);
    let again = || timed(1, || project.run([]));
    let measured = repeat(2 * rounds, again)?;
    let mut lines = vec![Line::measured(
        format!("{WHAT} : 60 ms"),
        Pair::within(measured, ALLOWED),
        1.0,
    )];
    lines.push(match memory() {
        Some(memory) => {
            let in_memory = judged(&memory, settings)?;
            let pair = alternate(rounds, again, || timed(1, || in_memory.run([])))?;
            Line::comparison(format!("{WHAT} : all in memory, syncs for nothing"), pair)
        }
        None => Line::skipped(format!("{WHAT} : all in memory"), "there is no /dev/shm"),
    });
    lines.push(match git {
        Some(git) => {
            let pair = alternate(rounds, again, || timed(1, || git.status()))?;
            Line::comparison(format!("{WHAT} : `git status`"), pair)
        }
        None => Line::skipped(format!("{WHAT} : `git status`"), "`git` is not installed"),
    });
    let nothing = || timed(1, || done(project.leasehold(["--version"])).map(drop));
    let pair = alternate(rounds, again, nothing)?;
    lines.push(Line::comparison(
        format!("{WHAT} : `leasehold --version`"),
        pair,
    ));
    let afresh = || timed(1, || project.run(["--no-cache"]));
    let pair = alternate(settings.rounds(3), again, afresh)?;
    lines.push(Line::comparison(format!("{WHAT} : with --no-cache"), pair));
    let young = judged(&disk()?, settings)?;
    let runs = settings.work(RUNS);
    (0..runs).try_for_each(|_| project.run([]))?;
    let pair = alternate(rounds, again, || timed(1, || young.run([])))?;
    lines.push(Line::comparison(
        format!("{WHAT}, {runs} runs later : with a tape of few runs"),
        pair,
    ));
    Ok(lines)
}

/// A project whose results are kept already.
fn judged(place: &Path, settings: &Settings) -> Result<Project, Fault> {
    let project = Project::of(place, &TEN)?;
    sources::make(&project.workspace(), settings.quick)?;
    project.run([])?;
    Ok(project)
}

/// The workspace as a repository, with everything committed.
struct Git<'a>(&'a Project);

impl<'a> Git<'a> {
    /// `None` where there is no git.
    fn new(project: &'a Project) -> Result<Option<Git<'a>>, Fault> {
        if !installed("git", "--version") {
            return Ok(None);
        }
        let git = Git(project);
        done(git.git(&["init", "--quiet"]))?;
        done(git.git(&["add", "."]))?;
        let name = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
        done(git.git(&[&name[..], &["commit", "--quiet", "--message", "All"]].concat()))?;
        Ok(Some(git))
    }

    fn status(&self) -> Result<(), Fault> {
        let said = done(self.git(&["status", "--porcelain"]))?;
        if said.is_empty() {
            Ok(())
        } else {
            Err("git says that something has changed".into())
        }
    }

    fn git(&self, args: &[&str]) -> Command {
        let mut git = Command::new("git");
        git.args(args)
            .current_dir(self.0.workspace())
            // Nobody's configuration, hooks or signing.
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        git
    }
}
