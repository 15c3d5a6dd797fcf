//! What comes back, and what is made of it.

use std::io::Write;

use leasehold_http::{HttpError, MAX_HEADERS, Options};
use leasehold_seal::{Class, Coded};

use super::common::{
    Server, answering, client, get, headers, ok, permit, plain, read, read_head, run, send, whole,
};

#[track_caller]
fn code(response: impl Into<Vec<u8>>) -> &'static str {
    let error = read(response).unwrap_err();
    assert!(error.hint().is_some(), "{error}");
    error.code()
}

#[test]
fn a_redirect_is_an_answer() {
    // Nobody listens where it points to; had it been followed, there would be an error.
    let answer =
        read("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.headers["location"], "http://127.0.0.1:1/");
}

#[test]
fn reads_every_way_a_body_ends() {
    for (response, body) in [
        (ok("", "hello"), "hello"),
        ("HTTP/1.1 200 OK\r\n\r\nhello".to_owned(), "hello"),
        ("HTTP/1.0 200 OK\r\n\r\nhello".to_owned(), "hello"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n".to_owned(), "hello"),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), ""),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello".to_owned(), "hello"),
        (ok("set-cookie: a=b\r\n", ""), ""),
    ] {
        let answer = read(response.clone()).unwrap_or_else(|error| panic!("{response}: {error}"));
        assert_eq!(answer.body, body, "{response}");
        assert_eq!(answer.driver, Ok(()), "{response}");
    }
}

#[test]
fn a_head_request_has_no_body() {
    let server = answering("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
    let url = format!("http://127.0.0.1:{}/", server.port);
    let answer = send(
        &client(),
        plain(permit("HEAD", &url, &[]), &[], "").unwrap(),
    )
    .unwrap();
    assert_eq!(
        (answer.body.as_str(), &answer.headers["content-length"]),
        ("", &"1000".parse().unwrap())
    );
    server.end();
}

#[test]
fn a_body_of_another_length_is_an_error() {
    assert_eq!(
        code("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello"),
        "HTTP-BODY-LENGTH"
    );
    assert_eq!(
        code("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhello"),
        "HTTP-BODY-LENGTH"
    );
    let next = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(code(next), "HTTP-BODY-LENGTH");
    assert_eq!(
        code("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        "HTTP-BODY-LENGTH"
    );
}

#[test]
fn nonsense_is_refused() {
    for response in ["", "HTTP/1.1 200 OK\r\n"] {
        assert_eq!(code(response), "HTTP-BROKEN", "{response:?}");
    }
    for response in [
        "hello\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: y\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello",
    ] {
        assert_eq!(code(response), "HTTP-PROTOCOL", "{response:?}");
    }
}

#[test]
fn a_header_has_its_bounds() {
    let many = |count: usize| -> String { (0..count).map(|n| format!("x-{n}: 1\r\n")).collect() };
    let response = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    assert_eq!(
        read(response(&many(MAX_HEADERS))).unwrap().headers.len(),
        MAX_HEADERS
    );
    // More than the map of header fields could ever hold: it would panic.
    for count in [MAX_HEADERS + 1, 32_769] {
        assert_eq!(code(response(&many(count))), "HTTP-HEADERS", "{count}");
    }
    let large = |bytes: usize| format!("x: {}\r\n", "v".repeat(bytes));
    assert_eq!(
        read(response(&large(60_000))).unwrap().headers["x"].len(),
        60_000
    );
    assert_eq!(code(response(&large(66_000))), "HTTP-HEADERS");
    assert_eq!(code(response(&large(1_000_000))), "HTTP-HEADERS");
    let error = read(response(&many(101))).unwrap_err();
    assert_eq!(error.class(), Class::Refused);
}

#[test]
fn informational_responses_are_few() {
    let informed = |count: usize, fields: &str| {
        let one = format!("HTTP/1.1 100 Continue\r\n{fields}\r\n");
        one.repeat(count) + &ok("", "hello")
    };
    assert_eq!(read(informed(8, "")).unwrap().body, "hello");
    assert_eq!(code(informed(9, "")), "HTTP-HEADERS");
    assert_eq!(code(informed(100_000, "")), "HTTP-HEADERS");
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".to_owned() + &ok("", "hello");
    assert_eq!(read(early).unwrap().body, "hello");
}

#[test]
fn an_upgrade_is_refused() {
    for response in [
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\nhello",
    ] {
        assert_eq!(code(response), "HTTP-UPGRADE");
    }
    let offered = read(ok("upgrade: h2c\r\nconnection: upgrade\r\n", "hello")).unwrap();
    assert_eq!(offered.body, "hello");
    assert_eq!(offered.headers, headers(&[("content-length", "5")]));
}

/// The guest reads as much as it wants of a body without end, and no more is read than that.
#[test]
fn an_endless_body_stops_with_its_reader() {
    use http_body_util::BodyExt;
    let server = Server::start(|mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let mut sent = 0_u64;
        while stream.write_all(&[b'x'; 65_536]).is_ok() {
            sent += 65_536;
        }
        sent
    });
    let outgoing = get(server.port);
    let received = run(async {
        let answered = client().send(outgoing, Options::default()).await.unwrap();
        let driver = tokio::spawn(answered.driver);
        let mut body = answered.response.into_body();
        let mut read = 0;
        while read < 1_000_000 {
            let frame = body.frame().await.unwrap().unwrap();
            read += frame.into_data().unwrap().len();
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        drop(body);
        let _ = driver.await.unwrap();
        answered.traffic.received()
    });
    assert!(
        received < 1_500_000,
        "{received} bytes were read for one million"
    );
    assert!(server.end() >= 1_000_000);
}

#[test]
fn trailers_come_with_the_body() {
    let response = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n";
    let answer = read(response).unwrap();
    assert_eq!(answer.body, "hello");
    assert_eq!(answer.trailers["x-sum"], "7");
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let response = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n{many}\r\n");
    assert!(read(response).is_err());
}

#[test]
fn dropping_the_driver_breaks_the_connection_off() {
    let server = Server::start(|mut stream| {
        read_head(&mut stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
            .unwrap();
        // Until the other side has gone.
        let _ = read_head(&mut stream);
    });
    let outgoing = get(server.port);
    let read = run(async {
        let mut answered = client().send(outgoing, Options::default()).await?;
        answered.driver = client()
            .send(get_another(), Options::default())
            .await?
            .driver;
        whole(answered).await
    });
    assert!(
        matches!(read, Err(HttpError::BodyLength(_) | HttpError::Broken(_))),
        "{read:?}"
    );
    server.end();
}

/// A request to a server that answers at once.
fn get_another() -> leasehold_http::Outgoing<http_body_util::Full<bytes::Bytes>> {
    get(answering(ok("", "")).port)
}
