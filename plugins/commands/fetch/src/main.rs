//! Command `fetch`: sends one HTTP request and prints the answer. The README has the arguments and the exit codes.
//!
//! Where it may go is decided by the lease, for each request anew, redirects included; not here.

mod arguments;
mod network;
mod request;
mod transfer;

use std::io::{self, Write};
use std::path::Path;

use crate::arguments::Arguments;
use crate::network::Host;
use crate::transfer::Ending;

leasehold_plugin::manifest!("../manifest.json");

/// Exit code for an exchange that did not come about or broke off.
const FAILED: u8 = 1;
/// Exit code for wrong arguments; nothing was sent.
const USAGE: u8 = 2;
/// Exit code for an answer with a status that is not 2xx.
const OTHER_STATUS: u8 = 22;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let code = match Arguments::parse(&words) {
        Err(reason) => {
            say(&reason);
            USAGE
        }
        Ok(arguments) => {
            let mut out = io::stdout().lock();
            match transfer::run(Path::new("."), &arguments, &mut Host, &mut out) {
                Err(reason) => {
                    say(&reason);
                    FAILED
                }
                Ok(ending) if ending.is_good() => 0,
                Ok(ending) => {
                    say(&verdict(&ending));
                    OTHER_STATUS
                }
            }
        }
    };
    leasehold_plugin::command::exit(code);
}

fn verdict(ending: &Ending) -> String {
    let Ending {
        status,
        url,
        elsewhere,
    } = ending;
    match elsewhere {
        None => format!("{url} answered {status}"),
        Some(place) => format!(
            "{url} answered {status}: it is at {place}\nhint: --max-redirects 5 would follow"
        ),
    }
}

fn say(text: &str) {
    // Nobody is left to hear that nobody listens.
    let _ = writeln!(io::stderr(), "fetch: {text}");
}

#[cfg(test)]
mod tests;
