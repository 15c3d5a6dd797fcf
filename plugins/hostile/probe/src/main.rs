//! A guest that tries whatever its first argument names and says how that went: the tests of the sandbox run it under leases that
//! allow the act and under leases that do not.
//!
//! It prints one line of JSON, `{"op":…,"ok":true,…}` or `{"op":…,"ok":false,"error":"EPERM"}`. When the act failed it also prints
//! the name of the error on stderr and exits with 1. Wrong usage exits with 1 and the error `EUSAGE`.

mod errno;
mod exhaust;
mod files;
mod raw;
mod report;
mod world;

use report::{Failure, Report};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let operation = words.first().copied().unwrap_or("");
    let outcome = attempt(&words);
    std::process::exit(match outcome {
        Ok(report) => report.print(operation),
        Err(failure) => failure.print(operation),
    });
}

fn attempt(words: &[&str]) -> Result<Report, Failure> {
    match *words {
        ["read", path] => files::read(path),
        ["write", path, text] => files::write(path, text),
        ["append", path, text] => files::append(path, text),
        ["create-new", path, text] => files::create_new(path, text),
        ["write-fill", path, bytes] => files::write_fill(path, number(bytes)?),
        ["truncate", path, bytes] => files::truncate(path, number(bytes)?),
        ["truncate-ro", path] => files::truncate_read_only(path),
        ["write-ro", path] => files::write_read_only(path),
        ["list", path] => files::list(path, true),
        ["readdir-order", path] => files::list(path, false),
        ["stat", path] => files::stat(path, true),
        ["lstat", path] => files::stat(path, false),
        ["readlink", path] => files::read_link(path),
        ["rename", from, to] => files::rename(from, to),
        ["link", from, to] => files::link(from, to),
        ["symlink", target, path] => files::symlink(target, path),
        ["unlink", path] => files::unlink(path),
        ["mkdir", path] => files::make_directory(path),
        ["rmdir", path] => files::remove_directory(path),
        ["set-times", path] => files::set_times(path),
        ["open-many", path, count] => files::open_many(path, number(count)?),
        ["tiny-reads", path, count] => files::tiny_reads(path, number(count)?),
        ["huge-read", path, bytes] => files::huge_read(path, number(bytes)?),
        ["read-loop", path, rounds] => files::read_loop(path, number(rounds)?),
        ["walk", path] => files::walk(path),
        ["raw-read", path] => raw::read(path),
        ["raw-write", path, text] => raw::write(path, text),
        ["spin"] => exhaust::spin(),
        ["sleep", milliseconds] => world::sleep(number(milliseconds)?),
        ["eat-memory", bytes] => exhaust::eat_memory(number(bytes)?),
        ["fill-memory"] => exhaust::fill_memory(),
        ["recurse"] => exhaust::recurse(),
        ["trap"] => exhaust::trap(),
        ["panic"] => exhaust::fall_over(),
        ["spin-then-trap", rounds] => exhaust::spin_then_trap(number(rounds)?),
        ["random", bytes] => exhaust::random(number(bytes)?, 1 << 20),
        ["random", bytes, piece] => exhaust::random(number(bytes)?, number(piece)?.max(1)),
        ["stdout", bytes] => exhaust::pour(std::io::stdout().lock(), number(bytes)?),
        ["stderr", bytes] => exhaust::pour(std::io::stderr().lock(), number(bytes)?),
        ["work", rounds] => exhaust::work(number(rounds)?),
        ["exit", code] => leasehold_plugin::command::exit(
            u8::try_from(number(code)?).map_err(|_| Failure::usage())?,
        ),
        ["exit-plainly", code] => std::process::exit(i32::try_from(number(code)?).unwrap_or(1)),
        ["clock"] => world::clock(),
        ["random-print"] => world::random_print(),
        ["env"] => world::environment(),
        ["args", ..] => world::arguments(&words[1..]),
        ["cat"] => world::cat(),
        ["terminal"] => world::terminal(),
        _ => Err(Failure::usage()),
    }
}

fn number(text: &str) -> Result<u64, Failure> {
    text.parse().map_err(|_| Failure::usage())
}
