//! Servers on loopback that do as they are told, and names that lead where they should not.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use leasehold_http::{Client, Limits, Resolver, Resolving, Roots};

/// How long a server waits for a guest before it gives up, so that no thread stays.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a port of its own, until it is dropped. It closes every connection after one answer.
pub struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Serves every connection with this script, each in a thread: it is given the head of the request.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub fn start(
        script: impl Fn(&mut TcpStream, &str) -> io::Result<()> + Send + Sync + 'static,
    ) -> io::Result<Server> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = Server {
            port: listener.local_addr()?.port(),
            heads: Arc::default(),
            stop: Arc::default(),
        };
        let (heads, stop) = (Arc::clone(&server.heads), Arc::clone(&server.stop));
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (heads, script) = (Arc::clone(&heads), Arc::clone(&script));
                thread::spawn(move || -> io::Result<()> {
                    stream.set_read_timeout(Some(PATIENCE))?;
                    stream.set_write_timeout(Some(PATIENCE))?;
                    let head = head(&mut stream)?;
                    (heads.lock().unwrap_or_else(PoisonError::into_inner)).push(head.clone());
                    script(&mut stream, &head)
                });
            }
        });
        Ok(server)
    }

    /// Answers every request with this.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn answering(answer: impl Into<Vec<u8>>) -> io::Result<Server> {
        let answer = answer.into();
        Server::start(move |stream, head| {
            body(stream, head)?;
            stream.write_all(&answer)
        })
    }

    /// Where it listens, at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        let heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        heads.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The listener has to wake up to see it. Where it is gone already, so much the better.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

/// A whole answer with these header lines, each ended by CRLF, and this body.
pub fn whole(lines: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\n{lines}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The lines up to the empty one; what came of them, where the other side went away.
fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        head.extend_from_slice(&byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The body of a request, as its head describes it; chunks as they are sent.
///
/// # Errors
/// When the other side goes away.
pub fn body(stream: &mut TcpStream, head: &str) -> io::Result<Vec<u8>> {
    let head = head.to_ascii_lowercase();
    let mut got = Vec::new();
    if head.contains("transfer-encoding: chunked") {
        let mut byte = [0];
        while !got.ends_with(b"0\r\n\r\n") && stream.read(&mut byte)? == 1 {
            got.extend_from_slice(&byte);
        }
    } else if let Some((_, rest)) = head.split_once("content-length: ") {
        let length = rest.lines().next().unwrap_or_default().parse();
        stream.take(length.unwrap_or(0)).read_to_end(&mut got)?;
    }
    Ok(got)
}

/// Answers from a table: each time the next of a name's answers, the last one again and again.
pub struct Names(Mutex<BTreeMap<String, Vec<Vec<IpAddr>>>>);

impl Names {
    /// The table: name, and its answers one after the other.
    pub fn new(table: &[(&str, &[&str])]) -> Names {
        let addresses = |answers: &[&str]| {
            answers
                .iter()
                .map(|text| text.parse().into_iter().collect())
                .collect()
        };
        let table = table
            .iter()
            .map(|(name, answers)| ((*name).to_owned(), addresses(answers)));
        Names(Mutex::new(table.collect()))
    }

    /// What sends requests by this table.
    pub fn client(self) -> Client {
        Client::new(Arc::new(self), Roots::System, Limits::default())
    }
}

impl Resolver for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match table.get_mut(name) {
            Some(answers) if answers.len() > 1 => Ok(answers.remove(0)),
            Some(answers) => Ok(answers.first().cloned().unwrap_or_default()),
            None => Err(io::Error::from(io::ErrorKind::NotFound)),
        };
        Box::pin(async move { found })
    }
}
