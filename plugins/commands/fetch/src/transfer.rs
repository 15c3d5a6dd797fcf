//! Sends the request, follows redirects as far as it was told to, and puts the answer where it belongs.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use http_exchange::{Header, Url};

use crate::arguments::Arguments;
use crate::request::{Request, redirects};

/// What sends requests: the host in a plugin, a list of answers in tests.
pub(crate) trait Network {
    /// Sends one request and waits for status and header fields.
    ///
    /// # Errors
    /// A sentence that says what went wrong.
    fn send(&mut self, request: &Request) -> Result<Answer, String>;
}

/// An answer, the body of which is not read yet.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Box<dyn Body>,
}

/// The body of an answer.
pub(crate) trait Body {
    /// The next bytes, or nothing at the end.
    ///
    /// # Errors
    /// A sentence that says what went wrong.
    fn next(&mut self) -> Result<Option<Vec<u8>>, String>;
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) status: u16,
    pub(crate) url: Url,
    /// Whether it ended at an answer that asks to go elsewhere.
    pub(crate) elsewhere: Option<String>,
}

impl Ending {
    /// Whether the status says that all went well.
    pub(crate) fn is_good(&self) -> bool {
        is_good(self.status)
    }
}

/// Does what the arguments say. Standard output is `out`; files are those below `root`.
pub(crate) fn run(
    root: &Path,
    arguments: &Arguments,
    network: &mut dyn Network,
    out: &mut dyn Write,
) -> Result<Ending, String> {
    let mut request = arguments.request.clone();
    let mut followed = 0;
    loop {
        let answer = network.send(&request)?;
        if arguments.include {
            print_head(&answer, out)?;
        }
        let location = location(&request.url, &answer)?;
        if let Some(location) = location.filter(|_| arguments.max_redirects > 0)
            && let Some(next) = request.redirected(answer.status, location)?
        {
            if followed == arguments.max_redirects {
                return Err(format!(
                    "{} leads on to {}, after {followed} redirects",
                    request.url, next.url
                ));
            }
            followed += 1;
            request = next;
            continue;
        }
        let elsewhere = location.map(|location| location.escape_ascii().to_string());
        let status = answer.status;
        match &arguments.output {
            Some(path) if is_good(status) => write_file(answer.body, &root.join(path), path)?,
            _ => print_body(answer.body, out)?,
        }
        return Ok(Ending {
            status,
            url: request.url,
            elsewhere,
        });
    }
}

fn is_good(status: u16) -> bool {
    (200..300).contains(&status)
}

/// Where an answer that redirects leads, if it says so.
fn location<'a>(url: &Url, answer: &'a Answer) -> Result<Option<&'a [u8]>, String> {
    if !redirects(answer.status) {
        return Ok(None);
    }
    let named = |(name, _): &&Header| name.eq_ignore_ascii_case("location");
    let mut locations = answer.headers.iter().filter(named);
    match (locations.next(), locations.next()) {
        (Some(_), Some(_)) => Err(format!("{url} redirects to more than one place")),
        (first, _) => Ok(first.map(|(_, value)| value.as_slice())),
    }
}

fn print_head(answer: &Answer, out: &mut dyn Write) -> Result<(), String> {
    let mut head = format!("HTTP {}\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.push(b'\n');
    }
    head.push(b'\n');
    out.write_all(&head).map_err(unprintable)
}

fn print_body(mut body: Box<dyn Body>, out: &mut dyn Write) -> Result<(), String> {
    while let Some(bytes) = body.next()? {
        out.write_all(&bytes).map_err(unprintable)?;
    }
    out.flush().map_err(unprintable)
}

fn unprintable(error: std::io::Error) -> String {
    format!("standard output: {error}")
}

/// Writes the body to a file. When it breaks off there is no file: half of one could be taken for the whole.
fn write_file(mut body: Box<dyn Body>, path: &Path, name: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", name.display());
    let mut file = File::create(path).map_err(failed)?;
    let mut copy = || {
        while let Some(bytes) = body.next()? {
            file.write_all(&bytes).map_err(failed)?;
        }
        file.flush().map_err(failed)
    };
    copy().map_err(|reason| match fs::remove_file(path) {
        Ok(()) => reason,
        Err(error) => format!(
            "{reason}; a part of it is left in {}: {error}",
            name.display()
        ),
    })
}
