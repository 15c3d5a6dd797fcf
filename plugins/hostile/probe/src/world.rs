//! What the probe sees of the world around it.

use std::io::{self, IsTerminal, Read};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::exhaust::fill_random;
use crate::report::{Failure, Report};

type Attempt = Result<Report, Failure>;

/// Sleeps, and says how long that was by the guest's own clock.
pub(crate) fn sleep(milliseconds: u64) -> Attempt {
    let started = Instant::now();
    thread::sleep(Duration::from_millis(milliseconds));
    Ok(Report::new().number("elapsed_ms", started.elapsed().as_millis() as u64))
}

/// Wall clock and monotonic clock, twice.
pub(crate) fn clock() -> Attempt {
    let origin = Instant::now();
    let wall = || {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos() as u64)
    };
    let first = wall();
    let between = origin.elapsed().as_nanos() as u64;
    let second = wall();
    let after = origin.elapsed().as_nanos() as u64;
    Ok(Report::new()
        .number("wall_1_ns", first)
        .number("monotonic_1_ns", between)
        .number("wall_2_ns", second)
        .number("monotonic_2_ns", after))
}

/// 32 bytes of randomness and the seed that hash maps get, both in hexadecimal digits.
pub(crate) fn random_print() -> Attempt {
    use std::hash::{BuildHasher, RandomState};
    let mut bytes = [0; 32];
    fill_random(&mut bytes)?;
    let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let hash = RandomState::new().hash_one(1_u8);
    Ok(Report::new()
        .text("random", &hexadecimal)
        .text("hash", &format!("{hash:016x}")))
}

pub(crate) fn environment() -> Attempt {
    let pairs: Vec<String> = std::env::vars_os()
        .map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
        .collect();
    let place = std::env::current_dir().map_or_else(
        |_| String::new(),
        |path| path.to_string_lossy().into_owned(),
    );
    Ok(Report::new().texts("env", &pairs).text("directory", &place))
}

pub(crate) fn arguments(words: &[&str]) -> Attempt {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    Ok(Report::new().texts("args", &words))
}

/// Reads stdin to its end.
pub(crate) fn cat() -> Attempt {
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    Ok(Report::new()
        .number("bytes", bytes.len() as u64)
        .text("text", &String::from_utf8_lossy(&bytes)))
}

/// Whether the host claims that any of the three streams is a terminal.
pub(crate) fn terminal() -> Attempt {
    Ok(Report::new()
        .flag("stdin", io::stdin().is_terminal())
        .flag("stdout", io::stdout().is_terminal())
        .flag("stderr", io::stderr().is_terminal()))
}
