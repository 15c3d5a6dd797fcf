//! Other processes: running them, and what they took.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Fault;

/// Runs a command to its end; gives what it printed.
pub(crate) fn done(mut command: Command) -> Result<Vec<u8>, Fault> {
    let program = command.get_program().to_owned();
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let name = Path::new(&program).file_name().unwrap_or(OsStr::new("?"));
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}: {said}", name.display(), output.status).into())
}

/// Whether a program is installed: whether it runs when asked for its version like this.
pub(crate) fn installed(program: &str, version: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(version).stdin(Stdio::null());
    command.output().is_ok_and(|output| output.status.success())
}

/// Processor time, as Linux counts it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    /// Of the processes that this one has started and waited for, and of those that they have.
    pub(crate) children: Duration,
    /// Of everything on the machine.
    pub(crate) machine: Duration,
}

/// What Linux counts in for programs, whatever it counts in itself: a tick of ten milliseconds. So measure what takes seconds.
const TICK: Duration = Duration::from_millis(10);

impl Spent {
    /// Up to now.
    pub(crate) fn now() -> Result<Spent, Fault> {
        let own = fs::read_to_string("/proc/self/stat")?;
        let machine = fs::read_to_string("/proc/stat")?;
        let spent = (children(&own), busy(&machine));
        match spent {
            (Some(children), Some(machine)) => Ok(Spent {
                children: TICK * children,
                machine: TICK * machine,
            }),
            _ => Err("/proc does not say what processes took".into()),
        }
    }

    /// What was spent since an earlier time.
    pub(crate) fn since(self, earlier: Spent) -> Spent {
        Spent {
            children: self.children.saturating_sub(earlier.children),
            machine: self.machine.saturating_sub(earlier.machine),
        }
    }
}

/// `cutime` and `cstime` of `/proc/PID/stat`, in ticks. The name before them is in parentheses, and may hold anything.
fn children(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(13);
    let (user, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(system)
}

/// All of the line `cpu` of `/proc/stat` but idling and waiting for disks, in ticks: user, nice, system, then interrupts.
fn busy(stat: &str) -> Option<u32> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u32> = fields
        .split_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    let [user, nice, system, _idle, _waiting, interrupts, soft, ..] = fields.as_slice() else {
        return None;
    };
    [user, nice, system, interrupts, soft]
        .into_iter()
        .try_fold(0_u32, |sum, part| sum.checked_add(*part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_stand_where_proc_has_them() {
        let stat = "7 (a ) 1 (b) S 1 7 7 0 -1 4194560 1 2 3 4 50 60 700 8000 20 0 1 0 99";
        assert_eq!(children(stat), Some(8700));
        assert_eq!(children("7 (a) S 1"), None);
        let stat = "cpu  100 20 3 9999 888 4 5 66 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(busy(stat), Some(132));
        assert_eq!(busy("intr 1"), None);
    }

    #[test]
    fn a_child_that_was_waited_for_is_counted() {
        let before = Spent::now().unwrap();
        let mut work = Command::new("sh");
        work.args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"]);
        done(work).unwrap();
        let spent = Spent::now().unwrap().since(before);
        assert!(spent.children >= TICK, "{spent:?}");
    }
}
