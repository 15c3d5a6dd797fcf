//! A guest that tries with HTTP whatever its first argument names and says how that went: the tests of the sandbox run it under leases
//! that allow the act and under leases that do not. The second argument is always the URL it is about.
//!
//! It prints one line of JSON, `{"op":…,"ok":true,…}` or `{"op":…,"ok":false,"at":"handle","error":"HTTP-request-denied",…}`, and exits
//! with 0 only when the act worked; otherwise with 1 and the name of the error on stderr. Wrong usage has the error `EUSAGE`.
//!
//! In a TEXT the escapes `\r`, `\n`, `\t`, `\0`, `\xNN` and `\\` stand for what arguments can hardly carry.

mod bodies;
mod escape;
mod forms;
mod reading;
mod report;
mod secrets;
mod several;
mod smuggle;
mod sockets;

use http_exchange::Url;

use crate::escape::{bytes, text};
use crate::report::{Attempt, Failure};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let operation = words.first().copied().unwrap_or("");
    let code = report::print(operation, attempt(&words));
    std::process::exit(code);
}

fn attempt(words: &[&str]) -> Attempt {
    let [operation, url, rest @ ..] = words else {
        return Err(Failure::usage());
    };
    let url = &Url::parse(url).map_err(|_| Failure::usage())?;
    match (*operation, rest) {
        // One request, in its own form: the twin of everything else.
        ("get", []) => forms::get(url),
        ("headers", [count]) => forms::headers(url, number(count)?),
        ("header-bytes", [count]) => forms::header_bytes(url, number(count)?),
        ("path-bytes", [count]) => forms::path_bytes(url, number(count)?),
        ("absolute", []) => forms::path(url, &url.to_string()),
        ("absolute", [target]) => forms::path(url, &text(target)),
        ("authority", [authority]) => forms::authority(url, Some(&text(authority))),
        ("no-authority", []) => forms::authority(url, None),
        ("scheme", [scheme]) => forms::scheme(url, Some(&text(scheme))),
        ("no-scheme", []) => forms::scheme(url, None),
        ("method", [method]) => forms::method(url, &text(method)),
        ("path", [path]) => forms::path(url, &text(path)),
        ("header", [name, value]) => forms::header(url, &text(name), &bytes(value)),
        ("options", []) => forms::options(url, u64::MAX),
        ("options", [nanoseconds]) => forms::options(url, number(nanoseconds)?),
        ("smuggle", []) => smuggle::smuggle(url),

        ("wrong-length", [said, sent]) => bodies::wrong_length(url, said, number(sent)?),
        ("endless-body", []) => bodies::endless(url, 0),
        ("endless-body", [count]) => bodies::endless(url, number(count)?),
        ("half-body", [said]) => bodies::half(url, said),
        ("trailers", []) => bodies::trailers(url, "x-trailer", b"1"),
        ("trailers", [name, value]) => bodies::trailers(url, &text(name), &bytes(value)),

        ("endless-read", []) => reading::all(url, 0),
        ("endless-read", [count]) => reading::all(url, number(count)?),
        ("slow-read", []) => reading::slow(url, 1000),
        ("slow-read", [milliseconds]) => reading::slow(url, number(milliseconds)?),
        ("echo-secret", [header]) => reading::echo(url, header, None),
        ("echo", [header, value]) => reading::echo(url, header, Some(&bytes(value))),

        ("follow", []) => several::follow(url, 10),
        ("follow", [count]) => several::follow(url, number(count)?),
        ("many", [count]) => several::many(url, number(count)?),
        ("hold", []) => several::hold(url, 1, 60_000),
        ("hold", [count]) => several::hold(url, number(count)?, 60_000),
        ("hold", [count, milliseconds]) => {
            several::hold(url, number(count)?, number(milliseconds)?)
        }
        ("flood", [count]) => several::flood(url, number(count)?),

        ("read-secret", [name]) => secrets::read(url, name),

        ("sockets", []) => sockets::tcp(url),
        ("udp", []) => sockets::udp(url),
        ("resolve", []) => sockets::resolve(url),
        _ => Err(Failure::usage()),
    }
}

fn number(word: &str) -> Result<u64, Failure> {
    match word {
        "max" => Ok(u64::MAX),
        word => word.parse().map_err(|_| Failure::usage()),
    }
}
