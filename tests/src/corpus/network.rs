//! What guests try with HTTP, against a server of their own on loopback.

use std::io::{self, Write};
use std::net::TcpStream;

use leasehold_lease::{Grant, Injection, SecretGrant};
use serde_json::{Value, json};

use super::hosts::{Hosts, called};
use super::server::{self, Server};
use super::{Entry, Got, Kind};
use crate::rig::Fault;
use crate::stage::{code, run};

const GUEST: &str = "hostile/hostile-http";
const SECRET: &str = "correct-horse-battery";

/// What a server does with a connection.
type Script = fn(&mut TcpStream, &str) -> io::Result<()>;

/// One request, or several, under a lease. `PORT` stands for the server's port wherever there is text.
#[derive(Clone, Copy)]
struct Ask {
    script: Script,
    /// The act, the URL and what else it takes.
    args: &'static [&'static str],
    /// The scheme, host and path of the lease's one entry for `GET` and `POST`, and the blocks it names.
    scheme: &'static str,
    host: &'static str,
    path: &'static str,
    blocks: &'static [&'static str],
    change: fn(&mut Grant),
}

impl Ask {
    /// Under a lease for everything below `/a` on 127.0.0.1, asked of a server that says hello.
    fn of(args: &'static [&'static str]) -> Ask {
        Ask {
            script: hello,
            args,
            scheme: "http",
            host: "127.0.0.1",
            path: "/a/**",
            blocks: &[],
            change: |_grant| {},
        }
    }

    fn from(self, script: Script) -> Ask {
        Ask { script, ..self }
    }

    fn under(self, change: fn(&mut Grant)) -> Ask {
        Ask { change, ..self }
    }

    fn at(self, host: &'static str, blocks: &'static [&'static str]) -> Ask {
        Ask {
            host,
            blocks,
            ..self
        }
    }

    fn path(self, path: &'static str) -> Ask {
        Ask { path, ..self }
    }

    fn scheme(self, scheme: &'static str) -> Ask {
        Ask { scheme, ..self }
    }

    fn entry(&self, port: u16) -> Value {
        let mut entry = json!({"methods": ["GET", "POST"], "scheme": self.scheme, "host": self.host, "port": port, "path": self.path});
        if !self.blocks.is_empty() {
            entry["addresses"] = json!(self.blocks);
        }
        entry
    }

    /// The code it is stopped with: where the program only says that a request failed, that of the request.
    fn ask(&self, hosts: &mut Hosts) -> Result<String, Fault> {
        let server = Server::start(self.script)?;
        let port = server.port().to_string();
        let args: Vec<String> = self
            .args
            .iter()
            .map(|arg| arg.replace("PORT", &port))
            .collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let stage = hosts.of(GUEST)?;
        stage.rig.know("token", SECRET);
        let spec = run(&args);
        let mut grant = stage.grant("", &spec)?;
        grant.http = vec![serde_json::from_value(self.entry(server.port()))?];
        (self.change)(&mut grant);
        let outcome = match called(stage, grant, spec)? {
            Ok(outcome) => outcome,
            Err(refused) => return Ok(refused),
        };
        let failed = outcome
            .requests
            .iter()
            .rev()
            .find_map(|request| request.code);
        Ok(match (code(&outcome), failed) {
            ("COMMAND-FAILED", Some(failed)) => failed.into(),
            (code, _) => code.into(),
        })
    }
}

fn http(name: &str, attacks: &str, expected: &str, bad: Ask, good: Ask) -> Entry {
    Entry {
        name: format!("http/{name}"),
        kind: Kind::Guest,
        attacks: attacks.into(),
        expected: expected.into(),
        run: Box::new(move |hosts| {
            Ok(Got {
                code: bad.ask(hosts)?,
                twin: good.ask(hosts)?,
            })
        }),
    }
}

/// The names that the guests' host knows; none of them is what it seems.
pub(super) const NAMES: [(&str, &[&str]); 6] = [
    ("loop.test", &["127.0.0.1"]),
    ("private.test", &["10.1.2.3"]),
    ("cloud.test", &["169.254.169.254"]),
    ("mapped.test", &["::ffff:127.0.0.1"]),
    ("tunnel.test", &["2002:7f00:1::"]),
    ("translated.test", &["64:ff9b::7f00:1"]),
];

pub(super) fn entries() -> Vec<Entry> {
    let parts = [
        targets(),
        addresses(),
        messages(),
        bodies(),
        limits(),
        round(),
        secrets(),
    ];
    parts.into_iter().flatten().collect()
}

const URL: &str = "http://127.0.0.1:PORT/a/b";
const GET: Ask = Ask {
    script: hello,
    args: &["get", URL],
    scheme: "http",
    host: "127.0.0.1",
    path: "/a/**",
    blocks: &[],
    change: |_grant| {},
};

/// Requests that the lease does not name.
fn targets() -> Vec<Entry> {
    let bare = |grant: &mut Grant| grant.http.clear();
    let other = Ask::of(&["get", "http://127.0.0.1:PORT/other"]);
    let named = Ask::of(&["get", "http://loop.test:PORT/a"]);
    let loopback: &[&str] = &["127.0.0.0/8"];
    vec![
        http(
            "none",
            "asks without any right to",
            "HTTP-DENIED",
            GET.under(bare),
            GET,
        ),
        http(
            "path-other",
            "another path",
            "HTTP-DENIED",
            other,
            other.path("/other"),
        ),
        http(
            "path-alike",
            "a path that only begins alike",
            "HTTP-DENIED",
            Ask::of(&["get", "http://127.0.0.1:PORT/ab"]),
            GET,
        ),
        http(
            "path-dots",
            "dot segments out of its path",
            "HTTP-PATH",
            Ask::of(&["path", URL, "/a/../other"]),
            GET,
        ),
        http(
            "path-encoded-dots",
            "the same, encoded",
            "HTTP-PATH",
            Ask::of(&["path", URL, "/a/%2e%2e/other"]),
            GET,
        ),
        http(
            "path-encoded-slash",
            "an encoded slash",
            "HTTP-PATH",
            Ask::of(&["path", URL, "/a/x%2f..%2fother"]),
            GET,
        ),
        http(
            "path-slashes",
            "an empty component",
            "HTTP-PATH",
            Ask::of(&["path", URL, "/a//b"]),
            GET,
        ),
        http(
            "path-percent",
            "a percent sign with nothing behind it",
            "HTTP-PATH",
            Ask::of(&["path", URL, "/a/%zz"]),
            GET,
        ),
        http(
            "host-alike",
            "a host that ends alike",
            "HTTP-DENIED",
            Ask::of(&["get", "http://evil-loop.test:PORT/a"]).at("loop.test", loopback),
            named.at("loop.test", loopback),
        ),
        http(
            "host-label",
            "two labels where one is allowed",
            "HTTP-DENIED",
            Ask::of(&["get", "http://a.b.loop.test:PORT/a"]).at("*.loop.test", loopback),
            named.at("loop.test", loopback),
        ),
        http(
            "host-other",
            "a name that leads to the address it may ask",
            "HTTP-DENIED",
            named,
            named.at("loop.test", loopback),
        ),
        http(
            "port",
            "another port",
            "HTTP-DENIED",
            Ask::of(&["get", "http://127.0.0.1:1/a"]),
            GET,
        ),
        http(
            "method",
            "another method",
            "HTTP-DENIED",
            Ask::of(&["method", URL, "DELETE"]),
            Ask::of(&["method", URL, "POST"]),
        ),
        http(
            "method-connect",
            "a tunnel",
            "HTTP-METHOD",
            Ask::of(&["method", URL, "CONNECT"]),
            Ask::of(&["method", URL, "GET"]),
        ),
        http(
            "method-trace",
            "has what the host put in sent back",
            "HTTP-METHOD",
            Ask::of(&["method", URL, "TRACE"]),
            Ask::of(&["method", URL, "GET"]),
        ),
        http(
            "scheme",
            "in the clear where TLS was meant",
            "HTTP-DENIED",
            GET.scheme("https"),
            GET,
        ),
        http(
            "scheme-other",
            "a scheme nobody knows",
            "COMMAND-FAILED",
            Ask::of(&["scheme", URL, "ftp"]),
            Ask::of(&["scheme", URL, "http"]),
        ),
        http(
            "userinfo",
            "a user in front of another host",
            "HTTP-AUTHORITY",
            Ask::of(&["authority", URL, "127.0.0.1:PORT@evil.test"]),
            Ask::of(&["authority", URL, "127.0.0.1:PORT"]),
        ),
        http(
            "absolute",
            "the absolute form of another target as its path",
            "COMMAND-FAILED",
            Ask::of(&["absolute", URL, "http://evil.test/"]),
            GET,
        ),
        http(
            "redirect-port",
            "follows a redirect to another port",
            "HTTP-DENIED",
            Ask::of(&["follow", URL])
                .from(|stream, head| redirect(stream, head, "http://127.0.0.1:1/a")),
            Ask::of(&["follow", URL]).from(redirect_home),
        ),
        http(
            "redirect-cloud",
            "follows a redirect to the cloud's own service",
            "HTTP-DENIED",
            Ask::of(&["follow", URL])
                .from(|stream, head| redirect(stream, head, "http://169.254.169.254/latest/")),
            Ask::of(&["follow", URL]).from(redirect_home),
        ),
        http(
            "redirect-path",
            "follows a redirect to another path",
            "HTTP-DENIED",
            Ask::of(&["follow", URL]).from(redirect_root),
            Ask::of(&["follow", URL]).from(redirect_home),
        ),
    ]
}

/// Names that lead where the lease does not.
fn addresses() -> Vec<Entry> {
    let loopback: &[&str] = &["127.0.0.0/8"];
    let good = Ask::of(&["get", "http://loop.test:PORT/a"]).at("loop.test", loopback);
    let mut entries = Vec::new();
    for (name, attacks, bad) in [
        (
            "address-loopback",
            "a name for this machine",
            Ask::of(&["get", "http://loop.test:PORT/a"]).at("loop.test", &[]),
        ),
        (
            "address-private",
            "a name for a private network",
            Ask::of(&["get", "http://private.test:PORT/a"]).at("private.test", loopback),
        ),
        (
            "address-cloud",
            "a name for the cloud's own service",
            Ask::of(&["get", "http://cloud.test:PORT/a"]).at("cloud.test", loopback),
        ),
        (
            "address-mapped",
            "a name for this machine, as IPv4 in IPv6",
            Ask::of(&["get", "http://mapped.test:PORT/a"]).at("mapped.test", loopback),
        ),
        (
            "address-tunnel",
            "a name for this machine, through a tunnel",
            Ask::of(&["get", "http://tunnel.test:PORT/a"]).at("tunnel.test", loopback),
        ),
        (
            "address-translated",
            "a name for this machine, translated",
            Ask::of(&["get", "http://translated.test:PORT/a"]).at("translated.test", loopback),
        ),
    ] {
        entries.push(http(name, attacks, "HTTP-ADDRESS", bad, good));
    }
    entries.push(http(
        "name-unknown",
        "a name nobody knows, to tell whoever is asked for it",
        "HTTP-DNS",
        Ask::of(&["get", "http://leak.test:PORT/a"]).at("leak.test", loopback),
        good,
    ));
    entries
}

/// Messages that are two, or none.
fn messages() -> Vec<Entry> {
    vec![
        http("smuggle", "26 ways to hide a second request in the first", "HTTP-PATH", Ask::of(&["smuggle", URL]), GET),
        http("header-count", "32,769 header fields", "HEADERS-EXCEEDED", Ask::of(&["headers", URL, "32769"]), Ask::of(&["headers", URL, "50"])),
        http("header-many", "more header fields than are sent", "HTTP-HEADERS", Ask::of(&["headers", URL, "101"]), Ask::of(&["headers", URL, "50"])),
        http("header-bytes", "a header of 100,000 bytes", "HTTP-HEADERS", Ask::of(&["header-bytes", URL, "100000"]), Ask::of(&["header-bytes", URL, "1000"])),
        http("path-bytes", "a path of 10,000 bytes", "HTTP-PATH", Ask::of(&["path-bytes", URL, "10000"]).path("/**"), Ask::of(&["path-bytes", URL, "1000"]).path("/**")),
        http("answer-count", "is answered with 32,769 header fields", "HTTP-HEADERS", GET.from(many_fields), GET),
        http("answer-garbage", "is answered with what is no HTTP", "HTTP-PROTOCOL", GET.from(|stream, _head| stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")), GET),
        http("answer-upgrade", "is answered with another protocol", "HTTP-UPGRADE", GET.from(|stream, _head| stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")), GET),
        http("answer-none", "is not answered", "HTTP-BROKEN", GET.from(|_stream, _head| Ok(())), GET),
    ]
}

/// Bodies that do not end, or not where they say.
fn bodies() -> Vec<Entry> {
    let read = |grant: &mut Grant| grant.limits.fuel = 50_000_000;
    vec![
        http(
            "answer-short",
            "is answered with less than was announced",
            "HTTP-BODY-LENGTH",
            GET.from(|stream, _head| {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello")
            }),
            GET,
        ),
        http(
            "answer-endless",
            "reads an answer without end",
            "FUEL-EXHAUSTED",
            Ask::of(&["endless-read", URL]).from(endless).under(read),
            Ask::of(&["endless-read", URL, "100000"])
                .from(endless)
                .under(read),
        ),
        http(
            "body-endless",
            "sends a body without end",
            "OUTPUT-EXCEEDED",
            Ask::of(&["endless-body", URL]),
            Ask::of(&["endless-body", URL, "100000"]),
        ),
        http(
            "body-long",
            "sends more than it announces",
            "COMMAND-FAILED",
            Ask::of(&["wrong-length", URL, "3", "9"]),
            Ask::of(&["wrong-length", URL, "9", "9"]),
        ),
        http(
            "body-short",
            "sends less than it announces",
            "COMMAND-FAILED",
            Ask::of(&["wrong-length", URL, "9", "3"]),
            Ask::of(&["wrong-length", URL, "9", "9"]),
        ),
    ]
}

/// Time, and how many at once.
fn limits() -> Vec<Entry> {
    let short = |grant: &mut Grant| grant.limits.wall_ms = 400;
    vec![
        http(
            "held",
            "waits for an answer past its deadline",
            "TIME-EXCEEDED",
            GET.from(silent).under(short),
            GET,
        ),
        http(
            "dripping",
            "waits for the rest of an answer past its deadline",
            "TIME-EXCEEDED",
            GET.from(drip).under(short),
            GET,
        ),
        http(
            "sleep",
            "holds a request open past its deadline",
            "TIME-EXCEEDED",
            Ask::of(&["hold", URL]),
            Ask::of(&["hold", URL, "1", "1000"]),
        ),
        http(
            "at-once",
            "17 requests at one time",
            "COMMAND-FAILED",
            Ask::of(&["many", URL, "17"]),
            Ask::of(&["many", URL, "16"]),
        ),
        http(
            "flood",
            "makes requests and keeps them",
            "HANDLES-EXCEEDED",
            Ask::of(&["flood", URL, "100000"]),
            Ask::of(&["flood", URL, "100"]),
        ),
    ]
}

/// Round `wasi:http`.
fn round() -> Vec<Entry> {
    vec![
        http(
            "sockets",
            "a TCP connection of its own",
            "COMMAND-FAILED",
            Ask::of(&["sockets", URL]),
            GET,
        ),
        http(
            "udp",
            "a datagram of its own",
            "COMMAND-FAILED",
            Ask::of(&["udp", URL]),
            GET,
        ),
        http(
            "resolve",
            "looks a name up, to tell whoever answers for it",
            "IMPORT-DENIED",
            Ask::of(&["resolve", URL]),
            GET,
        ),
    ]
}

/// Ways to a secret that the host puts into requests.
fn secrets() -> Vec<Entry> {
    let own: &[&str] = &["header", URL, "authorization", "mine"];
    vec![
        http(
            "secret-echo",
            "has the server repeat the secret",
            "COMMAND-FAILED",
            Ask::of(&["echo-secret", URL, "authorization"])
                .from(echo)
                .under(injected),
            Ask::of(&["echo", URL, "authorization", "mine"]).from(echo),
        ),
        http(
            "secret-header",
            "sets the field that the secret goes into",
            "HTTP-SECRET-HEADER",
            Ask::of(own).under(injected),
            Ask::of(own),
        ),
        http(
            "secret-read",
            "looks for the secret wherever one could lie",
            "HTTP-SECRET-HEADER",
            Ask::of(&["read-secret", URL, "token"]).under(injected),
            Ask::of(&["read-secret", URL, "token"]).under(exposed),
        ),
        http(
            "secret-encoding",
            "has the answer compressed, to hide the secret from its host",
            "HTTP-ENCODING",
            GET.from(compressed).under(injected),
            GET.from(compressed),
        ),
    ]
}

/// Lets the host put the secret into what goes where the lease's entry says.
fn injected(grant: &mut Grant) {
    let entry = grant.http.first();
    let Some((port, (Ok(host), Ok(header)))) =
        entry.map(|entry| (entry.port, ("127.0.0.1".parse(), "authorization".parse())))
    else {
        return;
    };
    grant.secrets = vec![SecretGrant {
        name: "token".into(),
        inject: Some(Injection {
            host,
            port,
            header,
            prefix: "Bearer ".into(),
        }),
        expose: false,
    }];
}

/// Lets the guest read the secret.
fn exposed(grant: &mut Grant) {
    grant.secrets = vec![SecretGrant {
        name: "token".into(),
        inject: None,
        expose: true,
    }];
}

fn hello(stream: &mut TcpStream, head: &str) -> io::Result<()> {
    server::body(stream, head)?;
    stream.write_all(server::whole("", "hello").as_bytes())
}

fn redirect(stream: &mut TcpStream, _head: &str, to: &str) -> io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
    )
}

/// Sends `/a/b` to `/a/home`, which is there.
fn redirect_home(stream: &mut TcpStream, head: &str) -> io::Result<()> {
    match head.starts_with("GET /a/home ") {
        true => hello(stream, head),
        false => redirect(stream, head, "/a/home"),
    }
}

fn redirect_root(stream: &mut TcpStream, head: &str) -> io::Result<()> {
    redirect(stream, head, "/")
}

fn many_fields(stream: &mut TcpStream, _head: &str) -> io::Result<()> {
    let fields: String = (0..32_769)
        .map(|index| format!("x-{index}: v\r\n"))
        .collect();
    stream.write_all(server::whole(&fields, "hello").as_bytes())
}

fn endless(stream: &mut TcpStream, _head: &str) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let block = [b'e'; 64 << 10];
    loop {
        stream.write_all(&block)?;
    }
}

/// Says nothing until the other side goes away.
fn silent(stream: &mut TcpStream, _head: &str) -> io::Result<()> {
    io::Read::read(stream, &mut [0])?;
    Ok(())
}

/// Says a byte of its answer, and then nothing until the other side goes away.
fn drip(stream: &mut TcpStream, head: &str) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nh")?;
    silent(stream, head)
}

/// Repeats the header of the request as body and as fields of its own, in two pieces.
fn echo(stream: &mut TcpStream, head: &str) -> io::Result<()> {
    let lines: String = head
        .lines()
        .skip(1)
        .filter(|line| line.starts_with("authorization"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    let answer = server::whole(&lines, head);
    let (first, rest) = answer.as_bytes().split_at(answer.len() - 40);
    stream.write_all(first)?;
    stream.flush()?;
    stream.write_all(rest)
}

fn compressed(stream: &mut TcpStream, _head: &str) -> io::Result<()> {
    stream.write_all(server::whole("content-encoding: gzip\r\n", "hello").as_bytes())
}
