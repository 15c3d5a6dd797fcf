//! What goes out.

use std::io::{Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame};
use leasehold_http::{HttpError, MAX_HEADER_BYTES, Options, Outgoing};
use leasehold_lease::Target;
use leasehold_seal::Coded;
use proptest::prelude::*;

use super::common::{
    Server, answering, client, get, headers, limits, ok, permit, plain, read_head, run, send, whole,
};

#[test]
fn the_request_is_what_the_target_says() {
    let server = answering(ok("", ""));
    let url = format!("http://127.0.0.1:{}/v1/a%20b/?q=1&r=%2F", server.port);
    let outgoing = plain(
        permit("DELETE", &url, &[]),
        &[("x-note", "yes"), ("accept-encoding", "gzip")],
        "",
    )
    .unwrap();
    assert_eq!(outgoing.target().path(), "/v1/a%20b/");
    let answer = send(&client(), outgoing).unwrap();
    assert_eq!((answer.status, answer.driver), (200, Ok(())));
    let port = server.port;
    let head = server.end();
    assert!(
        head.starts_with("DELETE /v1/a%20b/?q=1&r=%2F HTTP/1.1\r\n"),
        "{head}"
    );
    let mut lines: Vec<&str> = head.trim_end().split("\r\n").skip(1).collect();
    lines.sort_unstable();
    let host = format!("host: 127.0.0.1:{port}");
    assert_eq!(
        lines,
        [
            "accept-encoding: gzip",
            "connection: close",
            &host,
            "x-note: yes"
        ]
    );
}

#[test]
fn the_default_port_is_left_out_of_host() {
    let permit = permit("GET", "https://api.example.com/", &[]);
    assert_eq!(permit.target().authority(), "api.example.com");
    assert_eq!(permit.target().port(), 443);
}

/// Where a message goes and where it ends is not the guest's to say.
#[test]
fn fields_of_the_connection_are_refused() {
    let to = || permit("POST", "http://127.0.0.1:9/", &[]);
    for (name, value) in [
        ("host", "evil.test"),
        ("Host", "127.0.0.1:9"),
        ("connection", "keep-alive"),
        ("connection", "authorization"),
        ("transfer-encoding", "chunked"),
        ("Transfer-Encoding", "identity"),
        ("upgrade", "websocket"),
        ("te", "trailers"),
        ("trailer", "x"),
        ("expect", "100-continue"),
        ("keep-alive", "timeout=5"),
        ("proxy-authorization", "Basic x"),
        ("proxy-connection", "close"),
        ("http2-settings", "x"),
    ] {
        let refused = plain(to(), &[(name, value)], "").err().unwrap();
        assert_eq!(refused.code(), "HTTP-HEADERS", "{name}");
        assert!(
            refused.to_string().contains(&name.to_lowercase()),
            "{refused}"
        );
    }
    for (name, value) in [
        ("authorization", "Bearer x"),
        ("cookie", "a=b"),
        ("x-forwarded-host", "a"),
        ("range", "bytes=0-1"),
    ] {
        assert!(plain(to(), &[(name, value)], "").is_ok(), "{name}");
    }
}

/// There is no way to write a line end into a header or a request line.
#[test]
fn nothing_can_be_split() {
    for value in ["x\r\ny: z", "x\ny", "x\ry", "x\0y", "\u{7f}"] {
        assert!(HeaderValue::from_str(value).is_err(), "{value:?}");
    }
    for path in [
        "/ HTTP/1.1\r\nhost: x",
        "/\r\nx",
        "/?a b",
        "/?\r\n",
        "/\u{85}",
    ] {
        assert!(
            Target::parse("GET", "http", "127.0.0.1:9", path).is_err(),
            "{path:?}"
        );
    }
    assert!(Target::parse("GET / HTTP/1.1\r\nx:", "http", "127.0.0.1", "/").is_err());
    assert!(HeaderValue::from_str("x\ty z").is_ok());
}

/// A path that looks like another place is a path.
#[test]
fn the_request_line_has_a_path_and_nothing_else() {
    for path in [
        "http://evil.test/",
        "//evil.test/",
        "evil.test:80",
        "*",
        "@evil.test/",
    ] {
        assert!(
            Target::parse("GET", "http", "127.0.0.1:9", path).is_err(),
            "{path}"
        );
    }
    let server = answering(ok("", ""));
    let url = format!(
        "http://127.0.0.1:{}/http:evil.test@x?http://evil.test/",
        server.port
    );
    let port = server.port;
    send(&client(), plain(permit("GET", &url, &[]), &[], "").unwrap()).unwrap();
    let head = server.end();
    assert!(
        head.starts_with("GET /http:evil.test@x?http://evil.test/ HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(
        head.contains(&format!("host: 127.0.0.1:{port}\r\n")),
        "{head}"
    );
}

#[test]
fn a_header_has_its_bounds() {
    let to = || permit("GET", "http://127.0.0.1:9/", &[]);
    let many = |count: usize| -> Vec<(String, String)> {
        (0..count)
            .map(|n| (format!("x-{n}"), "1".to_owned()))
            .collect()
    };
    let build = |fields: &[(String, String)]| {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        plain(to(), &fields, "").map(drop)
    };
    assert_eq!(build(&many(100)), Ok(()));
    assert_eq!(build(&many(101)).unwrap_err().code(), "HTTP-HEADERS");
    let large = |bytes: usize| [("x".to_owned(), "v".repeat(bytes - 5))];
    assert_eq!(build(&large(MAX_HEADER_BYTES)), Ok(()));
    assert_eq!(
        build(&large(MAX_HEADER_BYTES + 1)).unwrap_err().code(),
        "HTTP-HEADERS"
    );
}

#[test]
fn a_content_length_is_one_number() {
    let to = || permit("POST", "http://127.0.0.1:9/", &[]);
    for fields in [
        &[("content-length", "5"), ("content-length", "5")][..],
        &[("content-length", "5"), ("content-length", "6")],
        &[("content-length", "5, 5")],
        &[("content-length", "+5")],
        &[("content-length", "-1")],
        &[("content-length", "0x5")],
        &[("content-length", "")],
        &[("content-length", "99999999999999999999")],
    ] {
        let refused = plain(to(), fields, "hello").err().unwrap();
        assert_eq!(refused.code(), "HTTP-HEADERS", "{fields:?}");
    }
    assert!(plain(to(), &[("content-length", "5")], "hello").is_ok());
}

/// A body that comes in pieces, and of which nobody says beforehand how long it is.
struct Pieces(Vec<Result<&'static str, &'static str>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.0.is_empty() {
            return std::task::Poll::Ready(None);
        }
        let piece = self.0.remove(0);
        let frame = piece.map(|text| Frame::data(Bytes::from_static(text.as_bytes())));
        std::task::Poll::Ready(Some(frame.map_err(std::io::Error::other)))
    }
}

/// Sends a body in pieces under a stated length; what the server got after the header, and the answer.
fn post(
    length: Option<&str>,
    pieces: &[Result<&'static str, &'static str>],
) -> (String, Result<u16, HttpError>) {
    let server = Server::start(|mut stream| {
        let head = read_head(&mut stream);
        let mut body = Vec::new();
        let mut bytes = [0; 1024];
        let complete = |body: &[u8]| match head.contains("chunked") {
            true => body.ends_with(b"0\r\n\r\n"),
            false => body.len() == 10,
        };
        while !complete(&body) {
            match stream.read(&mut bytes) {
                Ok(read) if read > 0 => body.extend_from_slice(&bytes[..read]),
                _ => return String::from_utf8(body).unwrap(),
            }
        }
        stream.write_all(ok("", "").as_bytes()).unwrap();
        String::from_utf8(body).unwrap()
    });
    let url = format!("http://127.0.0.1:{}/", server.port);
    let fields: Vec<(&str, &str)> = length
        .map(|length| ("content-length", length))
        .into_iter()
        .collect();
    let body = Pieces(pieces.to_vec());
    let outgoing = Outgoing::new(
        permit("POST", &url, &[]),
        headers(&fields),
        body,
        &[],
        Arc::default(),
    )
    .unwrap();
    let answer = run(async { whole(client().send(outgoing, Options::default()).await?).await });
    (server.end(), answer.map(|answer| answer.status))
}

#[test]
fn a_body_is_as_long_as_it_says() {
    let (body, answer) = post(Some("10"), &[Ok("hello"), Ok("world")]);
    assert_eq!((body.as_str(), answer), ("helloworld", Ok(200)));
    let (_, answer) = post(Some("10"), &[Ok("hello")]);
    assert_eq!(answer.unwrap_err().code(), "HTTP-BODY-LENGTH");
    // What is too much is not sent: it could be taken for the next request.
    let (body, answer) = post(Some("10"), &[Ok("hello"), Ok("world!")]);
    assert_eq!(answer.unwrap_err().code(), "HTTP-BODY-LENGTH");
    assert!(!body.contains("world"), "{body}");
    let (body, answer) = post(None, &[Ok("hello"), Ok("world")]);
    assert_eq!(
        (body.as_str(), answer),
        ("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", Ok(200))
    );
    let (_, answer) = post(None, &[Ok("hello"), Err("gone")]);
    assert_eq!(answer.unwrap_err().code(), "HTTP-REQUEST-BODY");
}

/// A server may answer before it has read everything, to refuse it for instance. Its answer counts, and
/// the connection ends with it.
#[test]
fn an_early_answer_counts() {
    let server = Server::start(|mut stream| {
        read_head(&mut stream);
        stream.write_all(ok("", "early").as_bytes()).unwrap();
        // Until the other side has gone.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let url = format!("http://127.0.0.1:{}/", server.port);
    let body = Full::new(Bytes::from(vec![b'x'; 8 << 20]));
    let length = [("content-length", "8388608")];
    let permit = permit("POST", &url, &[]);
    let outgoing = Outgoing::new(permit, headers(&length), body, &[], Arc::default()).unwrap();
    assert_eq!(send(&client(), outgoing).unwrap().body, "early");
    server.end();
}

#[test]
fn takes_the_body_type_of_wasi() {
    let server = answering(ok("", "hello"));
    let url = format!("http://127.0.0.1:{}/", server.port);
    let body: UnsyncBoxBody<Bytes, std::convert::Infallible> =
        Full::new(Bytes::new()).boxed_unsync();
    let outgoing = Outgoing::new(
        permit("GET", &url, &[]),
        headers(&[]),
        body,
        &[],
        Arc::default(),
    )
    .unwrap();
    // In a task of its own, as there: so all of it can be sent between threads.
    let task = async { whole(client().send(outgoing, Options::default()).await?).await };
    let answer = run(async { tokio::spawn(task).await.unwrap() });
    assert_eq!(answer.unwrap().body, "hello");
    server.end();
}

#[test]
fn counts_what_went_over_the_connection() {
    let response = ok("", "hello");
    let server = answering(response.clone());
    let outgoing = get(server.port);
    let traffic = run(async {
        let answered = client().send(outgoing, Options::default()).await.unwrap();
        let traffic = Arc::clone(&answered.traffic);
        assert_eq!(answered.address.port(), server.port);
        whole(answered).await.unwrap();
        traffic
    });
    assert_eq!(traffic.sent(), server.end().len() as u64);
    assert_eq!(traffic.received(), response.len() as u64);
    assert_eq!(limits().connect, limits().tls);
}

proptest! {
    /// Whatever target is accepted can be sent.
    #[test]
    fn every_target_fits_a_request_line(path in "[!-~]{0,12}", query in "[!-~]{0,12}", method in "[A-Z][A-Z0-9_-]{0,8}") {
        if let Ok(target) = Target::parse(&method, "http", "127.0.0.1:9", &format!("/{path}?{query}")) {
            let url = format!("http://127.0.0.1:9{}", target.path_and_query());
            prop_assert!(plain(permit(target.method().as_str(), &url, &[]), &[], "").is_ok(), "{}", url);
        }
    }
}
