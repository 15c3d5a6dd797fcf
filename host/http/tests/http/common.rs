//! Servers that do as they are told, and requests to them.

use std::future::Future;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Full};
use leasehold_http::{
    Answered, Client, HttpError, Limits, Options, Outgoing, Redactor, Resolver, Resolving, Roots,
};
use leasehold_lease::{HttpGrant, Permit, Target};
use serde_json::{Value, json};

/// A server that accepts one connection and hands it to the script.
pub(crate) struct Server<T> {
    pub(crate) port: u16,
    thread: JoinHandle<T>,
}

impl<T: Send + 'static> Server<T> {
    pub(crate) fn start(script: impl FnOnce(TcpStream) -> T + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || script(listener.accept().unwrap().0));
        Self { port, thread }
    }

    /// What the script returned.
    pub(crate) fn end(self) -> T {
        self.thread.join().unwrap()
    }
}

/// A server that reads the header of a request, sends these bytes and closes; it returns the header.
pub(crate) fn answering(response: impl Into<Vec<u8>>) -> Server<String> {
    let response = response.into();
    Server::start(move |mut stream| {
        let head = read_head(&mut stream);
        // The other side may have had enough before the end.
        let _ = stream.write_all(&response);
        head
    })
}

/// Reads up to the empty line after a header.
pub(crate) fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// A response with a length and this body.
pub(crate) fn ok(headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Runs on a runtime as the sandbox has it.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime
        .enable_io()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}

/// Always gives the next of these answers, the last one again and again, and counts.
#[derive(Clone)]
pub(crate) struct Names {
    answers: Vec<Vec<IpAddr>>,
    pub(crate) asked: Arc<AtomicUsize>,
}

impl Names {
    pub(crate) fn new(answers: &[&[&str]]) -> Self {
        let parse = |list: &&[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        Self {
            answers: answers.iter().map(parse).collect(),
            asked: Arc::default(),
        }
    }
}

impl Resolver for Names {
    fn resolve<'a>(&'a self, _name: &'a str) -> Resolving<'a> {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = self.answers.get(turn).or(self.answers.last()).cloned();
        Box::pin(async move { Ok(answer.unwrap_or_default()) })
    }
}

/// Short enough for tests, long enough for a busy machine.
pub(crate) fn limits() -> Limits {
    let long = Duration::from_secs(20);
    Limits {
        connect: long,
        tls: long,
        first_byte: long,
        between_bytes: long,
    }
}

pub(crate) fn client() -> Client {
    client_of(Names::new(&[&["127.0.0.1"]]), limits())
}

pub(crate) fn client_of(names: Names, limits: Limits) -> Client {
    let root = include_bytes!("../../../../fixtures/http/root.pem");
    Client::new(Arc::new(names), Roots::from_pem(root).unwrap(), limits)
}

/// A permit under an entry that allows this method, scheme, host and port, any path, and these blocks.
pub(crate) fn permit(method: &str, url: &str, blocks: &[&str]) -> Permit {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let target = Target::parse(method, scheme, authority, path).unwrap();
    let entry: Value = json!({
        "methods": [method], "scheme": scheme, "host": target.host(), "port": target.port(), "path": "/**", "addresses": blocks,
    });
    let entry: HttpGrant = serde_json::from_value(entry).unwrap();
    entry.check("http[0]").unwrap();
    Permit::decide("test", &[entry], target).unwrap()
}

pub(crate) fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// A request without secrets.
pub(crate) fn plain(
    permit: Permit,
    fields: &[(&str, &str)],
    body: &'static str,
) -> Result<Outgoing<Full<Bytes>>, HttpError> {
    let body = Full::new(Bytes::from_static(body.as_bytes()));
    Outgoing::new(permit, headers(fields), body, &[], Arc::default())
}

/// `GET /` of a server on loopback, named by its address.
pub(crate) fn get(port: u16) -> Outgoing<Full<Bytes>> {
    let permit = permit("GET", &format!("http://127.0.0.1:{port}/"), &[]);
    plain(permit, &[], "").unwrap()
}

/// A response that is all there.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) trailers: HeaderMap,
    /// What the connection had to say at its end.
    pub(crate) driver: Result<(), HttpError>,
}

/// Reads the response to its end.
pub(crate) async fn whole(answered: Answered) -> Result<Whole, HttpError> {
    let driver = tokio::spawn(answered.driver);
    let (head, body) = answered.response.into_parts();
    let body = body.collect().await?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    Ok(Whole {
        status: head.status.as_u16(),
        headers: head.headers,
        body: String::from_utf8(body.to_bytes().to_vec()).unwrap(),
        trailers,
        driver: driver.await.unwrap(),
    })
}

pub(crate) fn send(client: &Client, outgoing: Outgoing<Full<Bytes>>) -> Result<Whole, HttpError> {
    run(async { whole(client.send(outgoing, Options::default()).await?).await })
}

/// What a server that sends these bytes is taken to say.
pub(crate) fn read(response: impl Into<Vec<u8>>) -> Result<Whole, HttpError> {
    let server = answering(response);
    let read = send(&client(), get(server.port));
    server.end();
    read
}

pub(crate) fn redactor_of(secrets: &[&leasehold_http::Secret]) -> Arc<Redactor> {
    Arc::new(Redactor::new(secrets.iter().copied()))
}
