//! Secrets: where they go, and that they do not come back.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use leasehold_http::{HttpError, Outgoing, Placed, Secret};
use leasehold_lease::{Injection, Permit};
use leasehold_seal::Coded;
use serde_json::json;

use super::common::{
    Server, Whole, answering, client, headers, ok, permit, read_head, redactor_of, send,
};

const VALUE: &str = "hunter2/hunter2";

fn secret() -> Secret {
    Secret::new("api-token", VALUE).unwrap()
}

fn injection(host: &str, port: u16) -> Injection {
    let json = json!({"host": host, "port": port, "header": "authorization", "prefix": "Bearer "});
    serde_json::from_value(json).unwrap()
}

fn outgoing(
    permit: Permit,
    fields: &[(&str, &str)],
    injection: &Injection,
) -> Result<Outgoing<Full<Bytes>>, HttpError> {
    let secret = secret();
    let placed = Placed {
        injection,
        secret: &secret,
    };
    Outgoing::new(
        permit,
        headers(fields),
        Full::default(),
        &[placed],
        redactor_of(&[&secret]),
    )
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/")
}

#[test]
fn a_secret_goes_where_the_lease_says() {
    let server = answering(ok("", ""));
    let injection = injection("127.0.0.1", server.port);
    let outgoing = outgoing(
        permit("GET", &url(server.port), &[]),
        &[("accept-encoding", "gzip")],
        &injection,
    )
    .unwrap();
    assert_eq!(outgoing.secrets(), ["api-token"]);
    send(&client(), outgoing).unwrap();
    let head = server.end();
    assert!(
        head.contains(&format!("\r\nauthorization: Bearer {VALUE}\r\n")),
        "{head}"
    );
    // A response that is compressed could not be searched.
    assert!(head.contains("\r\naccept-encoding: identity\r\n"), "{head}");
}

#[test]
fn a_secret_goes_nowhere_else() {
    let server = answering(ok("", ""));
    for other in [
        injection("127.0.0.1", server.port ^ 1),
        injection("127.0.0.2", server.port),
        injection("localhost", server.port),
    ] {
        let outgoing = outgoing(
            permit("GET", &url(server.port), &[]),
            &[("authorization", "mine")],
            &other,
        )
        .unwrap();
        assert!(outgoing.secrets().is_empty());
    }
    let other = injection("127.0.0.2", server.port);
    send(
        &client(),
        outgoing(permit("GET", &url(server.port), &[]), &[], &other).unwrap(),
    )
    .unwrap();
    assert!(!server.end().contains("hunter2"));
}

#[test]
fn a_guest_cannot_set_the_field_itself() {
    let injection = injection("127.0.0.1", 9);
    for name in ["authorization", "Authorization", "AUTHORIZATION"] {
        let refused = outgoing(permit("GET", &url(9), &[]), &[(name, "mine")], &injection)
            .err()
            .unwrap();
        assert_eq!(refused.code(), "HTTP-SECRET-HEADER");
        assert!(!refused.to_string().contains("hunter2"));
    }
    assert!(
        outgoing(
            permit("GET", &url(9), &[]),
            &[("x-authorization", "mine")],
            &injection
        )
        .is_ok()
    );
}

#[test]
fn a_secret_does_not_go_in_the_clear() {
    for (host, blocks, fine) in [
        ("127.0.0.1", &[][..], true),
        ("[::1]", &[], true),
        ("localhost", &["127.0.0.0/8"], false),
        ("10.0.0.1", &[], false),
        ("intranet.test", &["10.0.0.0/8"], false),
    ] {
        let permit = permit("GET", &format!("http://{host}/"), blocks);
        let placed = outgoing(permit, &[], &injection(host, 80));
        assert_eq!(
            placed.as_ref().err().map(Coded::code),
            (!fine).then_some("HTTP-SECRET-PLAIN"),
            "{host}"
        );
    }
    let secure = permit("GET", "https://intranet.test/", &["10.0.0.0/8"]);
    assert!(outgoing(secure, &[], &injection("intranet.test", 443)).is_ok());
}

/// Answers with what it was sent, in pieces of this size.
fn echo(pieces: usize, make: impl Fn(&str) -> String + Send + 'static) -> Result<Whole, HttpError> {
    let server = Server::start(move |mut stream| {
        let head = read_head(&mut stream);
        stream.set_nodelay(true).unwrap();
        for piece in make(&head).as_bytes().chunks(pieces) {
            if stream.write_all(piece).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    });
    let injection = injection("127.0.0.1", server.port);
    let answer = send(
        &client(),
        outgoing(permit("GET", &url(server.port), &[]), &[], &injection)?,
    );
    server.end();
    answer
}

#[test]
fn an_echo_is_cleared_across_pieces() {
    for pieces in [1, 2, 3, 7, 64, 100_000] {
        let answer = echo(pieces, |head| ok("", head)).unwrap();
        assert!(!answer.body.contains("hunter2"), "{}", answer.body);
        let masked = format!("authorization: Bearer {}\r\n", "*".repeat(VALUE.len()));
        assert!(answer.body.contains(&masked), "{}", answer.body);
        assert_eq!(
            answer.headers["content-length"],
            answer.body.len().to_string().as_str()
        );
        let chunked = echo(pieces, |head| {
            let chunks: String = (head.as_bytes().chunks(3))
                .map(|chunk| {
                    format!(
                        "{:x}\r\n{}\r\n",
                        chunk.len(),
                        std::str::from_utf8(chunk).unwrap()
                    )
                })
                .collect();
            format!(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}0\r\nx-sum: {VALUE}\r\n\r\n"
            )
        });
        let chunked = chunked.unwrap();
        assert!(chunked.body.contains(&masked), "{}", chunked.body);
        assert!(!chunked.body.contains("hunter2"), "{}", chunked.body);
        assert_eq!(chunked.trailers["x-sum"], "*".repeat(VALUE.len()).as_str());
    }
}

#[test]
fn an_echo_is_cleared_in_headers() {
    let encoded = STANDARD.encode(format!("user:{VALUE}"));
    let answer = echo(100_000, move |_| {
        ok(&format!("x-plain: a {VALUE} b\r\nx-{}: 1\r\nlocation: /?t=hunter2%2Fhunter2\r\nx-basic: {encoded}\r\n", "hunter2"), "")
    })
    .unwrap();
    let mask = "*".repeat(VALUE.len());
    assert_eq!(answer.headers["x-plain"], format!("a {mask} b").as_str());
    assert_eq!(
        answer.headers["location"],
        format!("/?t={}", "*".repeat(VALUE.len() + 2)).as_str()
    );
    assert!(
        answer.headers["x-basic"]
            .to_str()
            .unwrap()
            .contains("*****")
    );
    // Half of the secret is not the secret.
    assert_eq!(answer.headers["x-hunter2"], "1");
}

/// Header names come in lower case, whatever was sent.
#[test]
fn a_secret_as_a_name_is_cleared_too() {
    let secret = Secret::new("key", "AbCdEfGh-123").unwrap();
    let server = answering(ok("X-AbCdEfGh-123: 1\r\n", ""));
    let redactor = redactor_of(&[&secret]);
    let permit = permit("GET", &url(server.port), &[]);
    let outgoing = Outgoing::new(permit, headers(&[]), Full::default(), &[], redactor).unwrap();
    let answer = send(&client(), outgoing).unwrap();
    assert_eq!(answer.headers["x-************"], "1");
    server.end();
}

#[test]
fn what_cannot_be_searched_is_refused() {
    for coding in ["gzip", "br", "identity, gzip", "x"] {
        let refused = echo(1_000, move |_| {
            ok(&format!("content-encoding: {coding}\r\n"), "x")
        })
        .unwrap_err();
        assert_eq!(refused.code(), "HTTP-ENCODING", "{coding}");
    }
    assert!(echo(1_000, |_| ok("content-encoding: Identity\r\n", "x")).is_ok());
    // Without secrets it is the guest's own business.
    let free = super::common::read(ok("content-encoding: gzip\r\n", "x")).unwrap();
    assert_eq!(free.body, "x");
}

#[test]
fn no_message_has_a_secret_in_it() {
    let close = injection("127.0.0.1", 9);
    let errors = [
        outgoing(
            permit("GET", &url(9), &[]),
            &[("authorization", VALUE)],
            &close,
        )
        .err()
        .unwrap(),
        outgoing(
            permit("GET", "http://a.test/", &[]),
            &[],
            &injection("a.test", 80),
        )
        .err()
        .unwrap(),
        echo(1_000, |head| head.to_owned()).unwrap_err(),
        echo(1_000, |head| format!("HTTP/1.1 {head}\r\n\r\n")).unwrap_err(),
        echo(1_000, |_| {
            ok(&format!("content-encoding: {VALUE}\r\n"), "x")
        })
        .unwrap_err(),
        echo(1_000, |_| {
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: {VALUE}\r\n\r\n")
        })
        .unwrap_err(),
        echo(1_000, |_| {
            format!("HTTP/1.1 200 OK\r\ncontent-length: {VALUE}\r\n\r\n")
        })
        .unwrap_err(),
    ];
    for error in errors {
        let said = format!("{error} {error:?} {:?}", error.hint());
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_secret_is_read_strictly() {
    for (value, code) in [
        ("", "SECRET-LENGTH"),
        ("1234567", "SECRET-LENGTH"),
        ("1234567\n", "SECRET-LENGTH"),
        (&*"x".repeat(8_193), "SECRET-LENGTH"),
        ("12345678\n\n", "SECRET-CHARACTERS"),
        ("1234\n5678", "SECRET-CHARACTERS"),
        ("12345678\r\nx: y", "SECRET-CHARACTERS"),
        ("1234567é", "SECRET-CHARACTERS"),
        (" 12345678", "SECRET-CHARACTERS"),
        ("12345678\t", "SECRET-CHARACTERS"),
    ] {
        let refused = Secret::new("token", value).unwrap_err();
        assert_eq!(refused.code(), code, "{value:?}");
        assert!(
            refused.to_string().contains("\"token\"") && !refused.to_string().contains("5678"),
            "{refused}"
        );
        assert!(refused.hint().is_some());
    }
    assert_eq!(
        Secret::new("token", *b"1234567\xff").unwrap_err().code(),
        "SECRET-CHARACTERS"
    );
    for (value, read) in [
        ("12345678", "12345678"),
        ("1234 678\n", "1234 678"),
        ("12345678\r\n", "12345678"),
        (&*"x".repeat(8_192), &*"x".repeat(8_192)),
    ] {
        let secret = Secret::new("token", value).unwrap();
        assert_eq!((secret.name(), secret.reveal()), ("token", read));
        assert_eq!(format!("{secret:?}"), "Secret(\"token\")");
    }
    assert!(!format!("{:?}", Arc::new(redactor_of(&[&secret()]))).contains("hunter2"));
}
