//! Everything ambient: environment, working directory, this program, clocks, randomness and signals are taken here, and
//! handed down. No other file asks the operating system for them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::SystemTime;

use leasehold_sandbox::{Stop, StopSwitch};
use leasehold_seal::{Class, Timestamp};
use leasehold_tape::HostClock;
use rustix::time::{ClockId, clock_gettime};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// What a command may know of the process it runs in.
#[derive(Clone)]
pub(crate) struct Ambient {
    env: BTreeMap<OsString, OsString>,
    folder: PathBuf,
    program: PathBuf,
    clock: Arc<dyn HostClock>,
}

impl Ambient {
    /// That of this process.
    pub(crate) fn of_process() -> Result<Self, Failure> {
        let unknown = |what: &str, error: io::Error| {
            Failure::new(
                "PROCESS-FAULT",
                Class::Fault,
                format!("{what} is not known: {error}"),
            )
        };
        Ok(Ambient {
            env: std::env::vars_os().collect(),
            folder: std::env::current_dir()
                .map_err(|error| unknown("the working directory", error))?,
            program: std::env::current_exe().map_err(|error| unknown("this program", error))?,
            clock: Arc::new(SystemClock::new()),
        })
    }

    /// The same process as seen from another folder and with another home.
    pub(crate) fn elsewhere(&self, folder: &Path, home: &Path) -> Self {
        let mut env = self.env.clone();
        env.insert("LEASEHOLD_HOME".into(), home.into());
        // The demo shows what happens on somebody's own machine, wherever it runs.
        env.remove(OsStr::new("CI"));
        Ambient {
            env,
            folder: folder.to_owned(),
            ..self.clone()
        }
    }

    /// An environment variable, unless it is empty.
    pub(crate) fn var(&self, name: &str) -> Option<&OsStr> {
        self.env
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// The environment as far as it is UTF-8: leases name and values pass as text.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let text = |(name, value): (&OsString, &OsString)| {
            Some((name.to_str()?.to_owned(), value.to_str()?.to_owned()))
        };
        self.env.iter().filter_map(text).collect()
    }

    /// A path as the user means it.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// This program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The clocks of the host.
    pub(crate) fn clock(&self) -> &Arc<dyn HostClock> {
        &self.clock
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Fills a buffer with random bytes of the operating system.
pub(crate) fn random(buffer: &mut [u8]) -> io::Result<()> {
    getrandom::fill(buffer).map_err(|error| io::Error::other(error.to_string()))
}

/// 32 random bytes for a secret.
pub(crate) fn random_secret() -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut secret = Zeroizing::new([0; 32]);
    random(secret.as_mut_slice()).map_err(|error| {
        Failure::new(
            "RANDOM-FAULT",
            Class::Fault,
            format!("no random bytes: {error}"),
        )
    })?;
    Ok(secret)
}

/// The switch that SIGINT and SIGTERM turn, from the first call of this function on. A second signal ends the process at once.
///
/// One call runs at a time; the switch of the latest one counts.
pub(crate) fn stop_on_signals() -> StopSwitch {
    static CURRENT: Mutex<Option<StopSwitch>> = Mutex::new(None);
    static WATCH: Once = Once::new();
    let switch = StopSwitch::default();
    let current = || CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    *current() = Some(switch.clone());
    WATCH.call_once(|| {
        use signal_hook::consts::{SIGINT, SIGTERM};
        // Without the watch a signal ends the process as it always did: the intent counts as spent then.
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else {
            return;
        };
        // The thread lives as long as the process.
        drop(std::thread::spawn(move || {
            for signal in signals.forever() {
                match current().take() {
                    Some(switch) => switch.stop(Stop::Cancelled),
                    // A failure to end leaves the process running, which the next signal tries again.
                    None => drop(signal_hook::low_level::emulate_default_handler(signal)),
                }
            }
        }));
    });
    switch
}

/// The user who runs this.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The clocks of this machine.
struct SystemClock {
    boot: String,
}

impl SystemClock {
    fn new() -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot = boot.trim();
        SystemClock {
            // Where the system has no such id, monotonic times of two processes are not comparable, and nothing compares them.
            boot: if boot.is_empty() {
                "unknown".to_owned()
            } else {
                boot.to_owned()
            },
        }
    }
}

impl HostClock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis())
            .ok()
            .and_then(|millis| Timestamp::from_millis(millis).ok())
            .unwrap_or(Timestamp::MAX)
    }

    fn monotonic_us(&self) -> u64 {
        let time = clock_gettime(ClockId::Monotonic);
        let micros = time
            .tv_sec
            .saturating_mul(1_000_000)
            .saturating_add(time.tv_nsec / 1_000);
        u64::try_from(micros).unwrap_or(0)
    }

    fn boot_id(&self) -> String {
        self.boot.clone()
    }
}
