//! Leasehold: runs gates, tools and commands that nobody has to trust, under signed leases, on a tape.
//!
//! | module | what it is about |
//! |---|---|
//! | `commands` | what can be typed, and what it does: one file a command |
//! | `demo` | the guided tour, made of the same commands |
//! | `ambient` | environment, clocks, randomness, signals: taken here and nowhere else |
//! | `home`, `session`, `workspace` | keys, trust and secrets; tape and store in use |
//! | `issue`, `show`, `remedy` | making leases; leases in words; what would have helped |
//! | `append` | changing a file of the home together with the tape |
//! | `parse`, `text` | values on the command line; untrusted text made safe |
//! | `failure`, `exit`, `ui` | errors at the edge, exit codes, the only place that prints |

mod ambient;
mod append;
mod builtin;
mod commands;
mod demo;
mod exit;
mod failure;
mod findings;
mod home;
mod issue;
mod leased;
mod parse;
mod remedy;
mod rules;
mod running;
mod session;
mod show;
mod standing;
mod text;
mod ui;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    // Before anything else is touched: the compiling child is fed with a stranger's bytes.
    if args
        .nth(1)
        .is_some_and(|first| first == session::COMPILE_WORKER)
    {
        return compile_worker();
    }
    std::panic::set_hook(Box::new(|panic| {
        ui::last_words(&format!(
            "error[PANIC]: a fault of Leasehold itself: {panic}"
        ))
    }));
    let args: Vec<OsString> = std::env::args_os().collect();
    let code = std::panic::catch_unwind(|| commands::run_process(&args));
    ExitCode::from(code.unwrap_or(exit::FAULT))
}

/// The whole life of the compiling child.
fn compile_worker() -> ExitCode {
    match leasehold_sandbox::compile_child(std::io::stdin().lock(), std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            // The parent shows it.
            ui::last_words(&sentence);
            ExitCode::FAILURE
        }
    }
}
